//! The dashboard of a district over two townships and twelve villages, one of them silent: what is stuck stands on
//! its first screen, every figure opens, silence is called unknown.
//!
//! `YISHI_STUBS=80000` plants the seven among so many; some thousands are enough to notice a mistake.

use crate::house::{House, MORNING_MS, below};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::sync::Arc;
use yishi_node::{
    clock::SetClock,
    store::{Batch, Genesis, HeardRow, NewLink, Projection, StandingRow, Store},
};
use yishi_protocol::{
    cert::Certificate,
    ids::{DocId, Epoch, Incarnation, PlaceId},
    key::SecretKeys,
};

/// 2026-11-23.
const TODAY: i64 = 20_780;
const VILLAGES: usize = 12;
/// The villages of the first town that were last heard from four weeks ago, and never.
const SILENT: [usize; 2] = [1, 3];

struct District {
    house: House,
    villages: Vec<PlaceId>,
    towns: Vec<PlaceId>,
}

async fn district() -> District {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = StdRng::seed_from_u64(11);
    let keys = SecretKeys::generate(&mut rng);
    let root = Certificate::root(&keys, PlaceId([1; 16]), "510113000000", "青白江区", "district");
    let (mut certs, mut links, mut heard) = (Vec::new(), Vec::new(), Vec::new());
    let (mut villages, mut towns) = (Vec::new(), Vec::new());
    for (t, name) in [(1_u8, "姚渡镇"), (2, "福洪镇")] {
        let (town_keys, town) =
            below(&mut rng, &root, &keys, 100 + t, &format!("51011310{t}000"), name, "township");
        links.push(NewLink { peer: town.place, up: false, address: None });
        towns.push(town.place);
        certs.push(town.clone());
        for v in 0..VILLAGES as u8 / 2 {
            let (code, name) = (format!("51011310{t}20{v}"), format!("第{t}之{v}村"));
            let (_, cert) = below(&mut rng, &town, &town_keys, 10 * t + v, &code, &name, "village");
            let day = match villages.len() {
                n if n == SILENT[0] => Some(TODAY - 28),
                n if n == SILENT[1] => None,
                _ => Some(TODAY),
            };
            heard.push(HeardRow { place: cert.place, said_by: town.place, day });
            villages.push(cert.place);
            certs.push(cert);
        }
    }
    let genesis = Genesis {
        keys: keys.clone(),
        certs: vec![root.clone()],
        cert: root.hash(),
        epoch: Epoch([9; 16]),
        incarnation: Incarnation(7),
        life: [8; 16],
    };
    let store = Store::create(&dir.path().join("data"), genesis).await.unwrap();
    store.write(Batch { certs, links, ..Batch::default() }).await.unwrap();
    for link in store.link_states().await.unwrap() {
        store.link_in_step(link.id, MORNING_MS).await.unwrap();
    }
    store.project(Projection { heard, ..Projection::default() }).await.unwrap();
    let clock = Arc::new(SetClock::at_ms(MORNING_MS));
    let house = House::serve(dir, clock, store, keys, root, |_| {}).await;
    District { house, villages, towns }
}

fn stub(serial: u32, home: PlaceId, raised: i64, stage: &str) -> StandingRow {
    let mut matter = [0; 32];
    matter[..4].copy_from_slice(&serial.to_le_bytes());
    let waits = !matches!(stage, "closed" | "answered" | "refused");
    StandingRow {
        matter: DocId(matter),
        here: false,
        said_on: TODAY,
        home,
        number: Some(format!("甲-2026-{serial:06}")),
        category: Some(["水利", "道路", "<b>照明</b>"][serial as usize % 3].into()),
        stage: stage.into(),
        holder: (stage != "closed").then_some(home),
        raised: Some(raised),
        moved: raised,
        answered: matches!(stage, "closed" | "answered").then_some(raised + 3),
        refused: (stage == "refused").then_some(raised + 2),
        due: (stage != "closed").then_some(raised + 14),
        waits,
        closed: stage == "closed",
        violations: u32::from(serial.is_multiple_of(500)),
    }
}

async fn keep(house: &House, rows: Vec<StandingRow>) {
    for rows in rows.chunks(5_000) {
        let projection = Projection { standings: rows.to_vec(), ..Projection::default() };
        house.store.project(projection).await.unwrap();
    }
}

fn section<'a>(page: &'a str, from: &str) -> &'a str {
    page.split(from).nth(1).unwrap().split("</section>").next().unwrap()
}

#[tokio::test]
async fn seven_stuck_matters_among_many_are_on_the_first_screen() {
    let district = district().await;
    let all: u32 = std::env::var("YISHI_STUBS").map_or(3_000, |n| n.parse().unwrap());
    let mut rng = StdRng::seed_from_u64(3);
    let stages = ["registered", "accepted", "handling", "escalated", "returned", "merged", "reopened"];
    let (mut rows, mut stuck) = (Vec::new(), Vec::new());
    for serial in 1..=all {
        let home = district.villages[rng.random_range(0..VILLAGES)];
        let planted = serial % (all / 7) == 1 && stuck.len() < 7;
        rows.push(if planted {
            let days = 200 + 31 * stuck.len() as i64;
            let row = stub(serial, home, TODAY - days, stages[stuck.len()]);
            stuck.push((row.number.clone().unwrap(), days));
            row
        } else if rng.random_range(0..1_000) < 35 {
            stub(serial, home, TODAY - rng.random_range(0..60), "handling")
        } else {
            let stage = ["closed", "answered", "refused", "closed"][serial as usize % 4];
            stub(serial, home, TODAY - rng.random_range(4..700), stage)
        });
    }
    assert_eq!(stuck.len(), 7);
    keep(&district.house, rows).await;
    let page = district.house.admin().get("/dashboard").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    // The first screen: the four figures and what stands right below them.
    let first = text.split("class=\"figures\"").nth(1).unwrap().split("</section>").next().unwrap();
    for (number, days) in &stuck {
        assert!(first.contains(number.as_str()), "{number} has waited {days} days and is not there");
        assert!(first.contains(&format!("<b class=\"days\">{days} ")), "{number}");
    }
    // The longest first, and the figure says it.
    let longest = stuck.last().unwrap();
    assert!(first.contains(&format!("<b>{}</b> 天", longest.1)));
    let at = |number: &str| section(&text, "id=\"longest\"").find(number).unwrap();
    assert!(stuck.windows(2).all(|pair| at(&pair[1].0) < at(&pair[0].0)));
    assert_eq!(first.matches("听到 10/12 个村").count(), 4, "beside every figure");
    for word in ["style=", "<b>照明</b>", "节点"] {
        assert!(!text.contains(word), "{word}");
    }
    assert!(page.header("content-security-policy").contains("default-src"));
    // In English too.
    let english = district.house.admin().get("/dashboard?lang=en").await.text();
    assert!(english.contains("heard from 10 of 12 villages") && english.contains("days</small>"));
}

#[tokio::test]
async fn counts_follow_every_change_and_lists_open_to_what_is_behind() {
    let district = district().await;
    let (house, villages) = (&district.house, &district.villages);
    keep(
        house,
        vec![
            stub(1, villages[0], TODAY - 30, "handling"),
            stub(2, villages[0], TODAY - 3, "registered"),
            stub(3, villages[8], TODAY - 9, "answered"),
            stub(4, villages[8], TODAY - 9, "refused"),
            // Held by a village that was last heard from before its day.
            stub(5, villages[SILENT[0]], TODAY - 30, "handling"),
            stub(500, villages[9], TODAY - 40, "closed"),
        ],
    )
    .await;
    let view = house.admin().get("/dashboard?format=csv").await;
    assert_eq!(view.status, 200);
    let text = view.text();
    assert!(
        view.header("content-type").starts_with("text/csv")
            && text.contains("姚渡镇")
            && text.contains("未知")
    );
    let page = house.admin().get("/dashboard").await.text();
    let figures = page.split("class=\"figures\"").nth(1).unwrap().split("</ul>").next().unwrap();
    assert!(figures.contains("<b>5</b>"), "five are open: {figures}");
    assert!(figures.contains("另有 1 件情况未知"), "{figures}");
    assert!(page.contains("第1之1村") && page.contains("从未"), "who is silent is named");
    assert!(page.contains("unheard") || page.contains("partly"));
    // One that is answered leaves; the same word again changes nothing.
    let mut answered = stub(1, villages[0], TODAY - 30, "answered");
    answered.answered = Some(TODAY);
    for _ in 0..2 {
        keep(house, vec![answered.clone()]).await;
    }
    // An older word of another register is not taken.
    keep(house, vec![StandingRow { said_on: TODAY - 5, ..stub(1, villages[0], TODAY - 30, "handling") }])
        .await;
    let list = |query: &str| {
        let (admin, path) = (house.admin(), format!("/dashboard/list?{query}"));
        async move {
            let page = admin.get(&path).await;
            assert_eq!(page.status, 200, "{path}: {}", page.text());
            let text = page.text();
            (1..600).filter(|n| text.contains(&format!("甲-2026-{n:06}"))).collect::<Vec<u32>>()
        }
    };
    let town = district.towns[0].to_string();
    assert_eq!(list("").await, [2, 5]);
    assert_eq!(list("view=open").await, [1, 2, 3, 4, 5]);
    assert_eq!(list("view=late").await, [1, 5]);
    assert_eq!(list(&format!("view=open&place={town}")).await, [1, 2, 5]);
    assert_eq!(list(&format!("view=open&place={}", villages[0])).await, [1, 2]);
    assert_eq!(list("view=answered&from=2026-11-23").await, [1]);
    assert_eq!(list("view=answered&before=2026-11-23").await, [3, 500]);
    assert_eq!(list("view=refused").await, [4]);
    assert_eq!(list("view=closed").await, [500]);
    assert_eq!(list("view=broken").await, [500]);
    assert_eq!(list("view=raised&category=%E6%B0%B4%E5%88%A9").await, [3]);
    assert_eq!(list("view=raised&category=-").await, [0_u32; 0]);
    // What is asked wrongly is said, and the whole list is there.
    let odd = house.admin().get("/dashboard/list?view=late&from=yesterday").await.text();
    assert!(odd.contains("role=\"alert\"") && odd.contains("甲-2026-000002"));
    let csv = house.admin().get("/dashboard/list?view=late&format=csv").await;
    assert!(csv.text().contains("甲-2026-000005") && csv.text().contains("未知"));
    // Every link of the page leads somewhere.
    let page = house.admin().get("/dashboard").await.text();
    let links: std::collections::BTreeSet<String> = page
        .split("href=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&"))
        .filter(|href| href.starts_with("/dashboard"))
        .collect();
    assert!(links.len() > 10, "{links:?}");
    for href in links {
        let page = house.admin().get(&href).await;
        assert_eq!(page.status, 200, "{href}");
        assert!(!page.text().contains("role=\"alert\""), "{href}");
    }
}

#[tokio::test]
async fn a_list_goes_page_by_page_and_repeats_nothing() {
    let district = district().await;
    let rows =
        (1..=95).map(|n| stub(n, district.villages[0], TODAY - i64::from(n % 7), "registered")).collect();
    keep(&district.house, rows).await;
    let (mut path, mut seen) = ("/dashboard/list".to_owned(), Vec::new());
    loop {
        let text = district.house.admin().get(&path).await.text();
        seen.extend((1..=95).filter(|n| text.contains(&format!("甲-2026-{n:06}"))));
        let Some(next) = text.split("rel=\"next\" href=\"").nth(1) else { break };
        path = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    }
    assert_eq!(seen.len(), 95);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 95);
}

#[tokio::test]
async fn a_village_has_no_dashboard_and_strangers_sign_in() {
    let house = House::open().await;
    let page = house.admin().get("/dashboard").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("下面还没有单位") && !page.text().contains("class=\"figures\""));
    assert!(!house.admin().get("/").await.text().contains("href=\"/dashboard\""));
    for path in ["/dashboard", "/dashboard/list"] {
        assert_eq!(house.browser().get(path).await.status, 303, "{path}");
    }
    let district = district().await;
    assert!(district.house.admin().get("/").await.text().contains("href=\"/dashboard\""));
    // Nothing was registered yet: the page says what would be there.
    let empty = district.house.admin().get("/dashboard").await.text();
    assert!(empty.contains("没有等着答复的") && empty.contains("没有人在等"));
}
