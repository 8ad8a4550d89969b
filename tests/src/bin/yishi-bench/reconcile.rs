//! `yishi-bench reconcile`: a link of 10,000 documents after a restore, with a hundred of them different.
//!
//! A township's database is put back from a backup that lacks its newest hundred comments; the district has
//! them. The township begins a new life and both compare. Session, blocks, gate and store are the product's
//! (`link::offline`); only the line is missing, so that turns can be counted: what both sides say at the same
//! time takes half a round trip.

use crate::{
    federation::{Federation, Tip},
    report::{Figures, Target},
};
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use std::{fs, path::Path, path::PathBuf, time::Instant};
use yishi_node::{
    life,
    link::offline::{End, frame_in},
    store::{LinkId, Store},
};
use yishi_protocol::wire::{Frame, Reconcile};

/// Half round trips after which a conversation that has not ended never will.
const TURNS_MAX: usize = 4_000;

const TARGETS: &[Target] = &[
    Target { key: "compare.round_trips", at_most: 4.0 },
    Target { key: "compare.bytes", at_most: 60e3 },
    Target { key: "unchanged.bytes", at_most: 600.0 },
];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct ReconcileRequest {
    /// How many documents the link has.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..))]
    docs: u32,
    /// How many of them differ.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    differ: u32,
    /// How often everything is measured; medians are told.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Chooses the words.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the databases are made. Default: the system's temporary folder.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Writes the medians there.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Measures and tells.
pub(crate) async fn run(request: ReconcileRequest) -> Result<()> {
    let mut figures = Figures::default();
    for n in 0..request.runs {
        let dir = match &request.dir {
            Some(dir) => tempfile::tempdir_in(dir)?,
            None => tempfile::tempdir()?,
        };
        once(&request, dir.path(), request.seed + u64::from(n), &mut figures).await?;
    }
    figures.print(TARGETS);
    let facts = [
        ("docs", u64::from(request.docs)),
        ("differ", u64::from(request.differ)),
        ("runs", u64::from(request.runs)),
    ];
    figures.write(request.json.as_deref(), &facts)
}

/// What one connection said.
#[derive(Debug, Default)]
struct Said {
    /// Half round trips until both were in step.
    turns: usize,
    /// The same until the last RESUME had arrived.
    compared_at: usize,
    /// Bytes of HELLO, PROBE, SPLIT, ITEMS, DIFFER and RESUME as on the stream, both directions.
    compare_bytes: usize,
    /// Bytes of blocks and acknowledgements.
    other_bytes: usize,
    blocks: usize,
    /// Whether the child found out that its database is old.
    renew: bool,
}

/// Connects child and parent until nothing is left to say.
async fn connect(child: (&Store, LinkId), parent: (&Store, LinkId)) -> Result<Said> {
    let mut ends = [End::open(child.0, child.1).await?, End::open(parent.0, parent.1).await?];
    let mut said = Said::default();
    let mut heard: [Vec<Vec<u8>>; 2] = Default::default();
    for turn in 0..TURNS_MAX {
        let mut under_way: [Vec<Vec<u8>>; 2] = Default::default();
        for ((end, arrived), sent) in ends.iter_mut().zip(&mut heard).zip(&mut under_way) {
            for frame in arrived.drain(..) {
                end.hear(&frame)?;
            }
            *sent = end.work(1).await?;
        }
        for packed in under_way.iter().flatten() {
            match frame_in(packed)? {
                Frame::Hello(_) => said.compare_bytes += packed.len(),
                Frame::Reconcile(message) => {
                    said.compare_bytes += packed.len();
                    if matches!(message, Reconcile::Resume { .. }) {
                        said.compared_at = turn + 1;
                    }
                }
                frame => {
                    said.blocks += usize::from(matches!(frame, Frame::Block(_)));
                    said.other_bytes += packed.len();
                }
            }
        }
        let [up, down] = under_way;
        let quiet = up.is_empty() && down.is_empty();
        heard = [down, up];
        let [child, _] = &ends;
        if child.must_renew() {
            said.renew = true;
            return Ok(said);
        }
        if !quiet {
            said.turns = turn + 1;
        } else if ends.iter().all(End::was_in_step) {
            return Ok(said);
        } else {
            bail!(
                "the two are silent and not in step: {:?}",
                ends.iter().map(End::closed).collect::<Vec<_>>()
            );
        }
    }
    bail!("the two never came to an end")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        if file.file_type()?.is_file() && !file.file_name().to_string_lossy().ends_with("-shm") {
            fs::copy(file.path(), to.join(file.file_name()))?;
        }
    }
    Ok(())
}

fn link(store: &Store) -> Result<LinkId> {
    Ok(store.world().links.first().context("one link")?.id)
}

async fn once(request: &ReconcileRequest, dir: &Path, seed: u64, figures: &mut Figures) -> Result<()> {
    let mut federation = Federation::new(seed)?;
    let (above, below, kept) = (dir.join("parent"), dir.join("child"), dir.join("backup"));
    let parent = federation.parent(&above).await?;
    let child = federation.child(&below).await?;
    let mut tips: Vec<Tip> = federation.write_documents(&child, request.docs).await?;
    connect((&child, link(&child)?), (&parent, link(&parent)?)).await?;
    let unchanged = connect((&child, link(&child)?), (&parent, link(&parent)?)).await?;
    figures.add("unchanged.bytes", (unchanged.compare_bytes + unchanged.other_bytes) as f64);
    child.close().await?;
    copy(&below, &kept)?;

    // Newer than the backup, spread over all documents.
    let child = Store::open(&below).await?;
    let apart = tips.len() / request.differ as usize;
    let mut newer: Vec<Tip> = tips.drain(..).step_by(apart.max(1)).take(request.differ as usize).collect();
    federation.comment_on(&child, &mut newer).await?;
    connect((&child, link(&child)?), (&parent, link(&parent)?)).await?;
    child.close().await?;
    fs::remove_dir_all(&below)?;
    copy(&kept, &below)?;

    // Put back: it finds out, begins a new life, and the histories are compared.
    let child = Store::open(&below).await?;
    let first = connect((&child, link(&child)?), (&parent, link(&parent)?)).await?;
    ensure!(first.renew, "the township did not find out that its database is old");
    life::renew(&child).await?;
    let since = Instant::now();
    let said = connect((&child, link(&child)?), (&parent, link(&parent)?)).await?;
    figures.add("compare.round_trips", said.compared_at as f64 / 2.0);
    figures.add("compare.bytes", said.compare_bytes as f64);
    figures.add("in_step.round_trips", said.turns as f64 / 2.0);
    figures.add("in_step.seconds", since.elapsed().as_secs_f64());
    figures.add("in_step.blocks", said.blocks as f64);
    figures.add("in_step.other_bytes", said.other_bytes as f64);
    ensure!(said.blocks > 0, "what was lost came back in blocks");
    for tip in &newer {
        let held = federation.newest(&child, tip).await?;
        ensure!(held, "a comment that the backup lacked has not come back");
    }
    child.close().await?;
    parent.close().await?;
    Ok(())
}
