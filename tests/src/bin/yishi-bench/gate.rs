//! `yishi-bench gate`: how many commits the gate judges in a second, as blocks bring them.
//!
//! Judged is a block read from its bytes by `Block::decode` and passed through `Gate::admit`, as a link does
//! it: rebuilt bit for bit, checked against history, audience and writers, every signature verified in one
//! batch. *signed*: every commit carries its own signature, as an author sends what it has just written.
//! *elided*: one signature per author and document, as a catch-up carries them. Stores are not part of it.

use crate::{
    federation::Federation,
    report::{Figures, Target},
};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use rand::{SeedableRng, rngs::StdRng};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};
use yishi_protocol::{
    cert::Directory,
    change,
    commit::{ActorRecord, Commit},
    gate::Gate,
    header::Header,
    ids::{ActorId, CertHash, PlaceId},
    wire::{Block, BlockWriter, OutChange, OutSection, SignedAt},
};

/// Documents in one block: with nine changes each about as much as a session packs into one.
const DOCS_PER_BLOCK: u32 = 500;
/// 60,000 commits a second.
const MICROSECONDS_PER_COMMIT: f64 = 1e6 / 60e3;

const TARGETS: &[Target] = &[Target { key: "signed.two_cores_us", at_most: MICROSECONDS_PER_COMMIT }];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct GateRequest {
    /// How many blocks of 500 documents are judged in each run.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(2..=64))]
    blocks: u32,
    /// How often everything is measured; medians are told.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Chooses the words.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Writes the medians there.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// One block in both forms.
struct Prepared {
    /// As a catch-up carries it.
    bytes: Vec<u8>,
    /// The signatures that an author's own stream has besides: section and signature.
    more: Vec<(usize, SignedAt)>,
    commits: usize,
}

/// What judging needs.
struct Judge {
    directory: Directory,
    me: PlaceId,
}

/// Measures and tells.
pub(crate) fn run(request: &GateRequest) -> Result<()> {
    let mut federation = Federation::new(request.seed)?;
    let judge = Judge { directory: federation.directory()?, me: federation.top() };
    let records = federation.records();
    let mut blocks = Vec::new();
    for n in 0..request.blocks {
        let first = n * DOCS_PER_BLOCK + 1;
        let docs = (first..first + DOCS_PER_BLOCK).map(|serial| federation.history(serial));
        blocks.push(prepared(&docs.collect::<Result<Vec<_>>>()?, &records)?);
    }
    let commits: usize = blocks.iter().map(|b| b.commits).sum();
    let mut figures = Figures::default();
    for _ in 0..request.runs {
        for (own, cores, us, per_second) in [
            (true, 2, "signed.two_cores_us", "signed.two_cores_per_s"),
            (true, 1, "signed.one_core_us", "signed.one_core_per_s"),
            (false, 2, "elided.two_cores_us", "elided.two_cores_per_s"),
            (false, 1, "elided.one_core_us", "elided.one_core_per_s"),
        ] {
            let took = judged(&judge, &blocks, own, cores)?.as_secs_f64();
            figures.add(us, took * 1e6 / commits as f64);
            figures.add(per_second, commits as f64 / took);
        }
    }
    let bytes: usize = blocks.iter().map(|b| b.bytes.len()).sum();
    figures.add("elided.block_bytes", bytes as f64 / blocks.len() as f64);
    figures.print(TARGETS);
    let facts = [("commits", commits as u64), ("runs", u64::from(request.runs))];
    figures.write(request.json.as_deref(), &facts)
}

fn prepared(docs: &[(Header, Vec<Commit>)], records: &BTreeMap<ActorId, ActorRecord>) -> Result<Prepared> {
    let mut writer = BlockWriter::new();
    let (mut more, mut commits) = (Vec::new(), 0);
    for (at, (header, history)) in docs.iter().enumerate() {
        let mut changes = Vec::with_capacity(history.len());
        for (position, commit) in history.iter().enumerate() {
            let change = change::decode(&commit.bytes, header.kind)?.change;
            changes.push(OutChange { hash: commit.hash, change, cover: commit.cover });
            let cover = commit.cover.context("every commit is signed")?;
            more.push((at, SignedAt { change: position, cert: cover.cert, signature: cover.signature }));
        }
        commits += changes.len();
        let (grants, wraps) = (Vec::new(), Vec::new());
        writer.section(
            &OutSection { doc: header.doc_id(), header: Some(header.clone()), grants, wraps, changes },
            records,
        );
    }
    Ok(Prepared { bytes: writer.finish((0, 1, [0; 16]), &[], &[], &[]), more, commits })
}

/// Judges every block, each by whichever core is free; returns how long it took.
fn judged(judge: &Judge, blocks: &[Prepared], own: bool, cores: usize) -> Result<Duration> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<Duration> {
        let mut rng = StdRng::seed_from_u64(7);
        // Adding signatures to a read block is the bench's work, not the gate's.
        let mut beside = Duration::ZERO;
        while let Some(block) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut key_of = |hash: &CertHash| judge.directory.get(hash).map(|c| c.key);
            let mut read = Block::decode(&block.bytes, judge.directory.federation(), &mut key_of)?;
            if own {
                let since = Instant::now();
                read.sections.iter_mut().for_each(|section| section.signed.clear());
                for (at, signed) in &block.more {
                    read.sections.get_mut(*at).context("a section")?.signed.push(*signed);
                }
                beside += since.elapsed();
            }
            let gate = Gate { directory: &judge.directory, me: judge.me };
            let verdicts = gate.admit(&read, &mut BTreeMap::new(), &mut rng);
            ensure!(verdicts.refused.is_empty() && verdicts.stored.len() == block.commits, "all is honest");
        }
        Ok(beside)
    };
    let since = Instant::now();
    let beside = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let each = threads.into_iter().map(|t| t.join().map_err(|_| anyhow::anyhow!("a core failed"))?);
        each.collect::<Result<Vec<_>>>()
    })?;
    let most = beside.into_iter().max().unwrap_or_default();
    Ok(since.elapsed().saturating_sub(most))
}
