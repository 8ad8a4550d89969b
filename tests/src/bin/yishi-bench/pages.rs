//! `yishi-bench pages`: how long a district's node takes for the pages people open most, over years of matters.
//!
//! Asked of a running `yishi-node` over its socket, so that the time is query, rendering and sending, and the memory
//! the whole node's. The database holds the documents' headers and what the projector makes of matters, written
//! through the store's own functions: no page reads a change.

use crate::{
    process::Node,
    report::{Figures, Target},
    texts,
};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};
use yishi_node::{
    clock::{Clock as _, SystemClock},
    home::Home,
    store::{Batch, Genesis, HeardRow, MatterRow, NewLink, Projection, StandingRow, Store},
};
use yishi_protocol::{
    audience::Reach,
    calendar::Date,
    cert::Certificate,
    header::Header,
    ids::{DocId, Epoch, Incarnation, PlaceId},
    key::{SecretKeys, Signature},
    kind::Kind,
};

const TARGETS: &[Target] = &[
    Target { key: "list_ms", at_most: 30.0 },
    Target { key: "today_ms", at_most: 30.0 },
    Target { key: "inbox_ms", at_most: 30.0 },
    Target { key: "dashboard_ms", at_most: 30.0 },
    Target { key: "dashboard_list_ms", at_most: 30.0 },
    Target { key: "board_ms", at_most: 30.0 },
    Target { key: "peak_rss_bytes", at_most: 128.0 * 1024.0 * 1024.0 },
];

/// Rows written in one transaction.
const ROWS_PER_BATCH: u32 = 1_000;
/// Days over which matters were raised: two years.
const DAYS: i64 = 730;
/// Matters that have waited longest by far; all must stand in the dashboard's first section.
const STUCK: u32 = 7;
/// Where open matters stand.
const OPEN_STAGES: [&str; 4] = ["registered", "accepted", "handling", "escalated"];
/// The pages, each with its key.
const PAGES: [(&str, &str); 6] = [
    ("list_ms", "/matters"),
    ("today_ms", "/"),
    ("inbox_ms", "/inbox"),
    ("dashboard_ms", "/dashboard"),
    ("dashboard_list_ms", "/dashboard/list?view=late"),
    ("board_ms", "/board"),
];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct PagesRequest {
    /// Matters that are here.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..))]
    matters: u32,
    /// Matters of which only stubs are.
    #[arg(long, default_value_t = 80_000)]
    stubs: u32,
    /// Townships.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u8).range(1..60))]
    towns: u8,
    /// Villages of each.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u8).range(1..60))]
    villages: u8,
    /// How often each page is asked for in a run.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    asks: u32,
    /// How often the node is started and asked; medians are told.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Where the database is made. Default: the system's temporary folder.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Writes the medians there.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// A place below the district.
struct Village {
    town: PlaceId,
    cert: Certificate,
    keys: SecretKeys,
    name: String,
}

/// Measures and tells.
pub(crate) async fn run(request: PagesRequest) -> Result<()> {
    let dir = match &request.dir {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let home = dir.path().join("district");
    let mut figures = Figures::default();
    let began = Instant::now();
    let stuck = fill(&home, &request).await?;
    figures.add("filled_seconds", began.elapsed().as_secs_f64());
    figures.add("database_bytes", std::fs::metadata(home.join("yishi.db"))?.len() as f64);
    let mut node = Node::configured(&home, None)?;
    for _ in 0..request.runs {
        node.start().await?;
        let shown = async |node: &Node| Ok(node.metric("yishi_documents_unread").await? == 0.0);
        node.until("shows everything", Duration::from_millis(100), shown).await?;
        for (key, path) in PAGES {
            let mut times = Vec::new();
            for _ in 0..request.asks {
                let began = Instant::now();
                let (status, text) = asked(&home, path).await?;
                let took = began.elapsed().as_secs_f64() * 1_000.0;
                // A program without that page: it is not measured.
                if status == 404 {
                    break;
                }
                ensure!(status == 200, "{path} answers {status}");
                if path == "/dashboard" {
                    all_stuck_on(&text, &stuck)?;
                }
                times.push(took);
            }
            times.sort_by(f64::total_cmp);
            if let Some(median) = times.get(times.len() / 2) {
                figures.add(key, *median);
            }
        }
        figures.add("rss_bytes", node.memory("VmRSS")? as f64);
        figures.add("peak_rss_bytes", node.memory("VmHWM")? as f64);
        node.stop().await?;
    }
    figures.print(TARGETS);
    let facts = [("matters", u64::from(request.matters)), ("stubs", u64::from(request.stubs))];
    figures.write(request.json.as_deref(), &facts)
}

/// Every planted matter stands in the section of the longest waits.
fn all_stuck_on(page: &str, stuck: &[String]) -> Result<()> {
    let first = page.split("id=\"longest\"").nth(1).and_then(|rest| rest.split("</section>").next());
    let first = first.context("the dashboard has the longest waits")?;
    for number in stuck {
        ensure!(
            first.contains(number.as_str()),
            "{number} has waited longest and is not on the first screen"
        );
    }
    Ok(())
}

/// A page as the local administrator gets it.
async fn asked(home: &Path, path: &str) -> Result<(u16, String)> {
    let mut stream = UnixStream::connect(Home::at(home).socket()).await?;
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: text/html\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).context("an HTTP answer")?;
    Ok((status, text))
}

fn below(
    rng: &mut StdRng,
    above: &Certificate,
    keys: &SecretKeys,
    code: String,
    name: &str,
    level: &str,
) -> (SecretKeys, Certificate) {
    let own = SecretKeys::generate(rng);
    let nonce: [u8; 16] = rng.random();
    let cert = Certificate {
        federation: Some(above.federation_id()),
        place: PlaceId::founded(&above.place, &nonce),
        nonce,
        code,
        name: name.to_owned(),
        level: level.to_owned(),
        parent: Some(above.place),
        key: own.public(),
        sealing: own.sealing_public(),
        number: 1,
        issuer: Some(above.hash()),
        signature: Signature([0; 64]),
    };
    let cert = cert.issued_by(keys);
    (own, cert)
}

/// Makes the district's database; gives the numbers of what is stuck.
async fn fill(home: &Path, request: &PagesRequest) -> Result<Vec<String>> {
    let mut rng = StdRng::seed_from_u64(1);
    let keys = SecretKeys::generate(&mut rng);
    let root = Certificate::root(&keys, PlaceId(rng.random()), "510113000000", "青白江区", "district");
    let (mut certs, mut links, mut villages, mut heard) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let today = SystemClock.today();
    for t in 1..=request.towns {
        let code = format!("510113{:03}000", 100 + u32::from(t));
        let (town_keys, town) = below(&mut rng, &root, &keys, code, &format!("第{t}镇"), "township");
        certs.push(town.clone());
        links.push(NewLink { peer: town.place, up: false, address: None });
        for v in 1..=request.villages {
            let code = format!("510113{:03}{:03}", 100 + u32::from(t), 200 + u32::from(v));
            let name = format!("甲{t}乙{v}村");
            let (own, cert) = below(&mut rng, &town, &town_keys, code, &name, "village");
            // One village in a hundred has been silent for a month.
            let day = if villages.len() % 100 == 99 { today - 30 } else { today };
            heard.push(HeardRow { place: cert.place, said_by: town.place, day: Some(day) });
            certs.push(cert.clone());
            villages.push(Village { town: town.place, cert, keys: own, name });
        }
    }
    let genesis = Genesis {
        keys,
        certs: vec![root.clone()],
        cert: root.hash(),
        epoch: Epoch(rng.random()),
        incarnation: Incarnation::first(rng.random()),
        life: rng.random(),
    };
    let store = Store::create(home, genesis).await?;
    store.write(Batch { certs, links, ..Batch::default() }).await?;
    let now = SystemClock.now_ms();
    for link in store.link_states().await? {
        store.link_in_step(link.id, now).await?;
    }
    store.project(Projection { heard, ..Projection::default() }).await?;
    let mut stuck = Vec::new();
    let all = request.matters + request.stubs;
    let mut serial = 0;
    while serial < all {
        let (mut batch, mut projection) = (Batch { at_ms: 1, ..Batch::default() }, Projection::default());
        for _ in 0..ROWS_PER_BATCH.min(all - serial) {
            serial += 1;
            let village = villages.get(serial as usize % villages.len()).context("a village")?;
            let here = serial <= request.matters;
            let planted = serial.is_multiple_of((all / STUCK).max(1)) && stuck.len() < STUCK as usize;
            let row = standing(&mut rng, village, root.place, serial, here, planted, today);
            if planted {
                stuck.push(row.number.clone().unwrap_or_default());
            }
            let row = match here {
                true => {
                    let header = header(village, root.place, serial);
                    let row = StandingRow { matter: header.doc_id(), ..row };
                    projection.matters.push(matter(&mut rng, &row)?);
                    batch.docs.push(header);
                    row
                }
                false => row,
            };
            projection.standings.push(row);
        }
        store.write(batch).await?;
        projection.done = store.dirty_docs(ROWS_PER_BATCH).await?;
        store.project(projection).await?;
    }
    ensure!(stuck.len() == STUCK as usize, "{} of {STUCK} are planted", stuck.len());
    store.close().await?;
    Ok(stuck)
}

fn header(village: &Village, district: PlaceId, serial: u32) -> Header {
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().zip(serial.to_le_bytes()) {
        *to = from;
    }
    // A header lists its readers in order.
    let mut reach =
        vec![Reach::Place(village.cert.place), Reach::Place(village.town), Reach::Place(district)];
    reach.sort_unstable();
    Header {
        federation: village.cert.federation_id(),
        kind: Kind::Proposal,
        home: village.cert.place,
        creator: village.keys.public(),
        incarnation: Incarnation(7),
        nonce,
        reach,
    }
}

/// As in Foshan, 96.5 in a hundred are answered; the open ones are of the last two months, but for what is planted.
fn standing(
    rng: &mut StdRng,
    village: &Village,
    district: PlaceId,
    serial: u32,
    here: bool,
    planted: bool,
    today: i64,
) -> StandingRow {
    let open = planted || rng.random_range(0..1_000) < 35;
    let raised = match (planted, open) {
        (true, _) => today - DAYS - i64::from(serial % 97),
        (false, true) => today - rng.random_range(0..60),
        (false, false) => today - rng.random_range(3..DAYS),
    };
    let refused = !open && rng.random_range(0..20) == 0;
    let replied = (raised + rng.random_range(1..20)).min(today);
    let stage = match (open, refused) {
        (true, _) => OPEN_STAGES.get(serial as usize % OPEN_STAGES.len()).copied().unwrap_or("registered"),
        (false, true) => "refused",
        (false, false) if serial.is_multiple_of(4) => "answered",
        (false, false) => "closed",
    };
    let holder = match serial % 5 {
        0 => village.town,
        1 if here => district,
        _ => village.cert.place,
    };
    let mut matter = [0; 32];
    for (to, from) in matter.iter_mut().zip(serial.to_le_bytes()) {
        *to = from;
    }
    let short = village.name.trim_end_matches('村');
    StandingRow {
        matter: DocId(matter),
        here,
        said_on: today,
        home: village.cert.place,
        number: Some(format!("{short}-2026-{serial:06}")),
        category: Some(texts::matter(rng).category.to_owned()),
        stage: stage.to_owned(),
        holder: (stage != "closed").then_some(holder),
        raised: Some(raised),
        moved: if open { raised } else { replied },
        answered: (!open && !refused).then_some(replied),
        refused: refused.then_some(replied),
        due: (stage != "closed").then_some(raised + 30),
        waits: open,
        closed: stage == "closed",
        violations: u32::from(serial.is_multiple_of(400)),
    }
}

/// The row of the list that goes with it.
fn matter(rng: &mut StdRng, of: &StandingRow) -> Result<MatterRow> {
    let text = |day: i64| Date::from_days(day).map(|d| d.to_string());
    let title = texts::matter(rng).title;
    let raised = of.raised.unwrap_or_default();
    let replied = of.answered.or(of.refused);
    let detail = json!({
        "number": of.number, "check": "402913", "title": title, "category": of.category, "source": "residents",
        "channel": "home_visit", "raised_on": raised, "home": of.home.to_string(),
        "holder": of.holder.map(|h| h.to_string()), "stage": of.stage,
        "due": of.due.map(|_| json!({ "from": raised, "days": 15, "what": "answer" })),
        "told": of.closed, "reply": replied.map(|on| json!({ "text": "已办。", "on": on })),
    });
    Ok(MatterRow {
        doc: of.matter,
        number: of.number.clone(),
        check_code: Some("402913".into()),
        title,
        category: of.category.clone(),
        source: Some("residents".into()),
        channel: Some("home_visit".into()),
        stage: of.stage.clone(),
        holder: of.holder,
        home: of.home,
        due_day: of.due.and_then(text),
        raised_on: text(raised),
        merged_into: None,
        answered_on: replied.and_then(text),
        told: of.closed,
        rated: false,
        closed: of.closed,
        supports: 0,
        violations: of.violations,
        external: None,
        updated_at_ms: u64::try_from(of.moved).unwrap_or_default() * 86_400_000,
        detail: serde_json::to_string(&detail)?,
        unit: None,
        person: None,
    })
}
