//! `yishi-bench scale`: what one change costs a place with more and more children, or more and more documents.
//!
//! A change comes from one child, is stored and fed to whoever may see it, and the feed of that child is read
//! as a block would read it. With ten children or ten thousand, a thousand documents or a million, it must cost
//! the same: a place serves each child as if it were the only one. The plot is written by this program.

use crate::{
    federation::{Place, below},
    fleet::matters,
    plot::{self, Series},
    report::{Figures, Target},
};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};
use yishi_node::store::{Batch, Genesis, LinkId, NewLink, Store};
use yishi_protocol::{
    cert::Certificate,
    commit::Commit,
    header::Header,
    ids::{Epoch, Incarnation, PlaceId},
    key::SecretKeys,
};

/// 2026-03-02.
const DAY: i64 = 20_514;
/// Changes of one child in one transaction, and children whose changes are stored together: the same at every
/// size, so that an fsync is shared by as many.
const OF_CHILD: usize = 10;
const CHILDREN_TOGETHER: usize = 10;
/// Documents written together while a database is filled.
const FILLED_TOGETHER: u32 = 2_000;
/// Children while documents become more.
const CHILDREN: u32 = 10;

const TARGETS: &[Target] = &[
    // The largest against the smallest.
    Target { key: "ratio.children", at_most: 1.5 },
    Target { key: "ratio.documents", at_most: 1.5 },
];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct ScaleRequest {
    /// Children of one place; ten thousand of them need 100,000 documents at each size, and take long.
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000")]
    children: Vec<u32>,
    /// Documents at one place; `1000,10000,100000,1000000` takes long.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    docs: Vec<u32>,
    /// Changes measured at each size.
    #[arg(long, default_value_t = 1_000)]
    changes: usize,
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
    /// Writes the plot there.
    #[arg(long)]
    svg: Option<PathBuf>,
}

/// A child's link and place, and its documents that are yet to be added to.
type Turn<'a> = (LinkId, &'a Place, std::vec::IntoIter<(Header, Commit)>);

/// Measures and tells.
pub(crate) async fn run(request: ScaleRequest) -> Result<()> {
    let mut figures = Figures::default();
    let most = request.children.iter().copied().max().unwrap_or(0);
    for n in 0..request.runs {
        for (axis, sizes) in [("children", &request.children), ("documents", &request.docs)] {
            for size in sizes {
                eprintln!("run {} of {}: {size} {axis}", n + 1, request.runs);
                let dir = match &request.dir {
                    Some(dir) => tempfile::tempdir_in(dir)?,
                    None => tempfile::tempdir()?,
                };
                let (children, docs) = match axis {
                    // As many documents at every size: ten of each child at the largest.
                    "children" => (*size, most * OF_CHILD as u32),
                    _ => (CHILDREN, *size),
                };
                let us = once(&request, children, docs, dir.path(), request.seed + u64::from(n)).await?;
                figures.add(format!("{axis}.{size:07}.us"), us);
            }
        }
        for (axis, sizes) in [("children", &request.children), ("documents", &request.docs)] {
            let (Some(first), Some(last)) = (sizes.first(), sizes.last()) else { continue };
            let of = |size: &u32| figures.last(&format!("{axis}.{size:07}.us")).context("was measured");
            let ratio = of(last)? / of(first)?;
            figures.add(format!("ratio.{axis}"), ratio);
        }
    }
    figures.print(TARGETS);
    if let Some(file) = &request.svg {
        let line = |axis: &str, sizes: &[u32]| {
            let at = |size: &u32| Some((f64::from(*size), figures.median(&format!("{axis}.{size:07}.us"))?));
            sizes.iter().filter_map(at).collect()
        };
        let series = [
            Series { name: "children of one place", points: line("children", &request.children) },
            Series { name: "documents at one place", points: line("documents", &request.docs) },
        ];
        let title = "What one change costs to store, feed and read for sending";
        fs::write(file, plot::svg(title, "how many", "µs per change", &series))?;
    }
    figures.write(request.json.as_deref(), &[("runs", u64::from(request.runs))])
}

/// Microseconds for one change.
async fn once(request: &ScaleRequest, children: u32, docs: u32, dir: &Path, seed: u64) -> Result<f64> {
    let mut rng = StdRng::seed_from_u64(seed);
    let keys = SecretKeys::generate(&mut rng);
    let cert = Certificate::root(&keys, PlaceId(rng.random()), "510113000000", "青白江区", "district");
    let parent = Place { keys, cert, life: Incarnation::first(rng.random()) };
    let places: Vec<Place> = (0..children)
        .map(|n| below(&mut rng, &parent, &format!("5101{n:08}"), &format!("第{n}村"), "village"))
        .collect();
    let genesis = Genesis {
        keys: parent.keys.clone(),
        certs: vec![parent.cert.clone()],
        cert: parent.cert.hash(),
        epoch: Epoch(parent.cert.place.0),
        incarnation: parent.life,
        life: rng.random(),
    };
    let store = Store::create(dir, genesis).await?;
    let certs = places.iter().map(|p| p.cert.clone()).collect();
    let links = places.iter().map(|p| NewLink { peer: p.cert.place, up: false, address: None }).collect();
    store.write(Batch { certs, links, ..Batch::default() }).await?;
    let world = store.world();
    let link = |place: &PlaceId| Some(world.links.iter().find(|l| l.peer == *place)?.id);
    let links: Vec<LinkId> =
        places.iter().map(|p| link(&p.cert.place)).collect::<Option<_>>().context("a link each")?;

    // A document of each child in turn. Those that are added to lie all over the database, of children all over
    // the list.
    let own = (docs / children).max(1);
    let asked = u32::try_from(request.changes.div_ceil(OF_CHILD)).unwrap_or(u32::MAX);
    let chosen = children.min(asked.max(CHILDREN_TOGETHER as u32));
    let of_each = own.min(asked.div_ceil(chosen) * OF_CHILD as u32);
    let mut of_child: BTreeMap<u32, Vec<(Header, Commit)>> = BTreeMap::new();
    let mut serial = 0;
    while serial < docs {
        let mut batch = Batch { at_ms: 1, ..Batch::default() };
        for _ in 0..FILLED_TOGETHER.min(docs - serial) {
            let (child, round) = (serial % children, serial / children);
            let place = places.get(child as usize).context("a child")?;
            serial += 1;
            let federation = parent.cert.federation_id();
            let town = (parent.cert.place, &[][..]);
            matters::raised(&mut rng, place, federation, town, (round + 1, DAY), &mut batch)?;
            let (Some(header), Some(last)) = (batch.docs.last(), batch.commits.last()) else { continue };
            if child % (children / chosen) == 0 && round % (own / of_each) == 0 {
                of_child.entry(child).or_default().push((header.clone(), last.commit.clone()));
            }
        }
        store.write(batch).await?;
    }

    // Prepared beforehand: what is measured is storing, feeding and reading. Written here and not received, so
    // that it is fed to the child it belongs to.
    let (mut batches, mut prepared) = (Vec::new(), 0);
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for (child, tips) in of_child {
        let (place, link) = (places.get(child as usize), links.get(child as usize));
        turns.push((*link.context("a link")?, place.context("a child")?, tips.into_iter()));
    }
    while prepared < request.changes {
        let before = prepared;
        for together in turns.chunks_mut(CHILDREN_TOGETHER) {
            let mut batch = Batch { at_ms: 2, ..Batch::default() };
            for (_, place, tips) in together.iter_mut() {
                for (header, last) in tips.take(OF_CHILD) {
                    matters::remarked(&mut rng, place, &header, &last, DAY + 1, &mut batch)?;
                }
            }
            prepared += batch.commits.len();
            let fed: Vec<LinkId> = together.iter().map(|(link, ..)| *link).collect();
            batches.push((fed, batch));
        }
        ensure!(prepared > before, "there are {before} documents to add to, not {}", request.changes);
    }
    let mut heads = BTreeMap::new();
    for (link, ..) in &turns {
        heads.insert(*link, store.feed_head(*link).await?.0);
    }
    let mut changes = 0;
    let began = Instant::now();
    for (fed, batch) in batches {
        changes += batch.commits.len();
        store.write(batch).await?;
        for link in fed {
            let head = heads.get_mut(&link).context("a feed")?;
            let rows = store.feed_after(link, *head, OF_CHILD, usize::MAX).await?;
            *head = rows.last().map_or(*head, |row| row.seq);
        }
        if changes >= request.changes {
            break;
        }
    }
    let us = began.elapsed().as_secs_f64() * 1e6 / changes as f64;
    store.close().await?;
    Ok(us)
}
