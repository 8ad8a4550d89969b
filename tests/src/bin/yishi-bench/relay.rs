//! `yishi-bench relay`: how many commits a second a place between two others takes in and passes on, on one core.
//!
//! A township's documents go through a district to the place above it, over links without sockets
//! (`yishi_node::link::offline`): blocks are read, rebuilt bit for bit, gated with all their signatures, stored with
//! fsync, acknowledged with a signed receipt, and built anew from the feed of the link up. Only the district's
//! part is counted; while it works the other two are still, and all of it runs on one core (`taskset`).
//! *elided*: whole documents of nine changes, one signature per actor and document, as a catch-up carries them.
//! *signed*: one more change of every document, each with a signature of its own, as live work comes.

use crate::{
    federation::{Place, below},
    fleet::matters,
    report::{Figures, Target},
};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::process::Command;
use yishi_node::{
    link::offline::End,
    store::{Batch, Genesis, LinkId, NewLink, Store},
};
use yishi_protocol::{
    calendar::Calendar,
    cert::Certificate,
    commit::Commit,
    header::Header,
    ids::{Epoch, FederationId, Hash, Incarnation, PlaceId},
    key::SecretKeys,
    kind::Kind,
};

/// Documents written in one transaction.
const DOCS_PER_BATCH: u32 = 500;
/// 2026-03-02.
const DAY: i64 = 20_514;
/// Changes of one document.
const CHANGES: u32 = 9;

const TARGETS: &[Target] =
    &[Target { key: "signed.us", at_most: 1e6 / 30e3 }, Target { key: "elided.us", at_most: 1e6 / 70e3 }];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct RelayRequest {
    /// How many documents pass.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    docs: u32,
    /// How often everything is measured; medians are told.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Chooses the words.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the databases are made, on a real disk. Default: the system's temporary folder.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Writes the medians there.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Runs on the cores it was given: the program calls itself so under `taskset`.
    #[arg(long, hide = true)]
    pinned: bool,
}

/// Measures and tells.
pub(crate) async fn run(request: RelayRequest) -> Result<()> {
    if !request.pinned {
        let mut again = Command::new("taskset");
        again.args(["-c", "0"]).arg(std::env::current_exe()?).args(std::env::args().skip(1)).arg("--pinned");
        let status = again.status().await.context("taskset, of the package util-linux")?;
        ensure!(status.success(), "the measurement ended with {status}");
        return Ok(());
    }
    let mut figures = Figures::default();
    for n in 0..request.runs {
        eprintln!("run {} of {}", n + 1, request.runs);
        let dir = match &request.dir {
            Some(dir) => tempfile::tempdir_in(dir)?,
            None => tempfile::tempdir()?,
        };
        once(request.docs, dir.path(), request.seed + u64::from(n), &mut figures).await?;
    }
    figures.print(TARGETS);
    let facts = [("docs", u64::from(request.docs)), ("runs", u64::from(request.runs))];
    figures.write(request.json.as_deref(), &facts)
}

/// A place's database with its links.
async fn database(
    dir: &Path,
    place: &Place,
    chain: &[&Place],
    up: Option<PlaceId>,
    down: Option<&Place>,
) -> Result<Store> {
    let certs: Vec<Certificate> = chain.iter().map(|p| p.cert.clone()).collect();
    let genesis = Genesis {
        keys: place.keys.clone(),
        certs,
        cert: place.cert.hash(),
        epoch: Epoch(place.cert.place.0),
        incarnation: place.life,
        life: rand::random(),
    };
    let store = Store::create(dir, genesis).await?;
    let up = up.map(|peer| NewLink { peer, up: true, address: None });
    let below = down.map(|p| NewLink { peer: p.cert.place, up: false, address: None });
    let certs = down.map(|p| p.cert.clone()).into_iter().collect();
    store.write(Batch { certs, links: up.into_iter().chain(below).collect(), ..Batch::default() }).await?;
    Ok(store)
}

fn link_to(store: &Store, up: bool) -> Result<LinkId> {
    let world = store.world();
    Ok(world.links.iter().find(|l| l.up == up).context("a link")?.id)
}

async fn once(docs: u32, dir: &Path, seed: u64, figures: &mut Figures) -> Result<()> {
    let mut rng = StdRng::seed_from_u64(seed);
    let keys = SecretKeys::generate(&mut rng);
    let cert = Certificate::root(&keys, PlaceId(rng.random()), "510100000000", "成都市", "prefecture");
    let top = Place { keys, cert, life: Incarnation::first(rng.random()) };
    let district = below(&mut rng, &top, "510113000000", "青白江区", "district");
    let town = below(&mut rng, &district, "510113106000", "姚渡镇", "township");
    let village = below(&mut rng, &town, "510113106204", "芦稿村", "village");
    let above = database(&dir.join("above"), &top, &[&top], None, Some(&district)).await?;
    let up = Some(top.cert.place);
    let relay = database(&dir.join("relay"), &district, &[&top, &district], up, Some(&town)).await?;
    let up = Some(district.cert.place);
    let child = database(&dir.join("child"), &town, &[&top, &district, &town], up, Some(&village)).await?;

    let mut line = Line {
        child: End::open(&child, link_to(&child, true)?).await?,
        below: End::open(&relay, link_to(&relay, false)?).await?,
        up: End::open(&relay, link_to(&relay, true)?).await?,
        above: End::open(&above, link_to(&above, false)?).await?,
    };
    line.carry().await?;
    let (seen_above, calendar) = ([district.cert.place, top.cert.place], Calendar::shipped()?.version());
    let cast = Cast { village, town, federation: top.cert.federation_id(), seen_above, calendar };
    let mut tips = Vec::new();
    let mut serial = 0;
    while serial < docs {
        let mut batch = Batch { at_ms: 1, ..Batch::default() };
        for _ in 0..DOCS_PER_BATCH.min(docs - serial) {
            serial += 1;
            tips.push(cast.write(&mut rng, serial, &mut batch)?);
        }
        child.write(batch).await?;
    }
    let commits = f64::from(docs * CHANGES);
    let took = line.carry().await?.as_secs_f64();
    let there = above.docs_of_kind(Kind::Proposal, None).await?.len();
    ensure!(there == docs as usize, "{there} of {docs} documents passed");
    figures.add("elided.us", took * 1e6 / commits);
    figures.add("elided.per_s", commits / took);

    let mut batch = Batch { at_ms: 2, ..Batch::default() };
    for (header, last) in &tips {
        matters::remarked(&mut rng, &cast.town, header, last, DAY + 1, &mut batch)?;
    }
    child.write(batch).await?;
    let took = line.carry().await?.as_secs_f64();
    let (header, _) = tips.last().context("a document")?;
    let there = above.doc_commits(&header.doc_id()).await?.len();
    ensure!(there == CHANGES as usize + 1, "the newest changes did not pass");
    figures.add("signed.us", took * 1e6 / f64::from(docs));
    figures.add("signed.per_s", f64::from(docs) / took);
    Ok(())
}

/// Who writes, and for whom.
struct Cast {
    village: Place,
    town: Place,
    federation: FederationId,
    seen_above: [PlaceId; 2],
    calendar: Hash,
}

impl Cast {
    /// One document with the village's changes and the township's; returns its newest change.
    fn write(&self, rng: &mut StdRng, serial: u32, batch: &mut Batch) -> Result<(Header, Commit)> {
        let (town, day) = (self.town.cert.place, DAY);
        matters::raised(rng, &self.village, self.federation, (town, &self.seen_above), (serial, day), batch)?;
        let last = batch.commits.last().context("a change")?.commit.clone();
        let header = batch.docs.last().context("a document")?.clone();
        matters::handled(rng, &self.town, &header, &last, self.calendar, (None, day), batch)?;
        let last = batch.commits.last().context("a change")?.commit.clone();
        Ok((header, last))
    }
}

/// Three places on one line.
struct Line {
    child: End,
    below: End,
    up: End,
    above: End,
}

impl Line {
    /// Carries until nobody has anything to say; returns how long the one in the middle was at work.
    async fn carry(&mut self) -> Result<Duration> {
        let mut took = Duration::ZERO;
        loop {
            let mut quiet = true;
            let said = self.child.work(1).await?;
            quiet &= said.is_empty();
            let since = Instant::now();
            said.iter().try_for_each(|frame| self.below.hear(frame))?;
            let back = self.below.work(1).await?;
            let on = self.up.work(1).await?;
            took += since.elapsed();
            quiet &= back.is_empty() && on.is_empty();
            back.iter().try_for_each(|frame| self.child.hear(frame))?;
            on.iter().try_for_each(|frame| self.above.hear(frame))?;
            let said = self.above.work(1).await?;
            quiet &= said.is_empty();
            let since = Instant::now();
            said.iter().try_for_each(|frame| self.up.hear(frame))?;
            took += since.elapsed();
            if quiet {
                return Ok(took);
            }
        }
    }
}
