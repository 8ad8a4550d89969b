//! `yishi-bench fold`: how long a matter takes from its stored bytes to what people see.
//!
//! Two matters: the nine changes most have, and forty acts under a procedure with stages, gates and votes. Each is
//! decoded as the store reads it and folded; nothing is kept between two rounds.

use crate::{
    federation::Federation,
    report::{Figures, Target},
};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use std::{collections::BTreeMap, hint::black_box, path::PathBuf, time::Instant};
use yishi_protocol::{
    change,
    commit::Commit,
    fold::{self, Author, FoldChange, FoldInput, Matter},
    header::Header,
    ids::ActorId,
    kind::Kind,
    procedure::{Procedures, shipped},
};

const TARGETS: &[Target] = &[Target { key: "forty_acts_ms", at_most: 0.1 }];
/// Folds in one round: a round is long enough for the clock.
const FOLDS: u32 = 2_000;

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct FoldRequest {
    /// How many rounds of 2,000 folds; medians are told.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Writes the medians there.
    #[arg(long)]
    json: Option<PathBuf>,
}

struct Stored {
    header: Header,
    commits: Vec<Commit>,
    authors: BTreeMap<ActorId, Author>,
    procedures: Procedures,
}

impl Stored {
    fn fold(&self) -> Result<Matter> {
        let mut changes = Vec::with_capacity(self.commits.len());
        for commit in &self.commits {
            let read = change::decode_stored(&commit.bytes, Kind::Proposal)?;
            changes.push(FoldChange { hash: read.hash, change: read.change });
        }
        let (header, authors, procedures) = (&self.header, &self.authors, &self.procedures);
        Ok(fold::proposal::fold(&FoldInput { header, changes: &changes, authors, procedures }))
    }
}

/// Measures and tells.
pub(crate) fn run(request: &FoldRequest) -> Result<()> {
    let mut federation = Federation::new(1)?;
    let directory = federation.directory()?;
    let records = federation.records();
    let author =
        |r: &yishi_protocol::commit::ActorRecord| Some((r.actor, Author::of(&directory, &r.cert, None)?));
    let authors: BTreeMap<ActorId, Author> = records.values().filter_map(author).collect();
    let procedures = Procedures::shipped_and([]);
    let staged =
        shipped::all().iter().find(|s| s.procedure.id == "four_steps").context("a shipped procedure")?;
    let forty = federation.deliberated(staged.file)?;
    let nine = federation.history(2)?;
    let stored = |(header, commits): (Header, Vec<Commit>)| Stored {
        header,
        commits,
        authors: authors.clone(),
        procedures: procedures.clone(),
    };
    let (forty, nine) = (stored(forty), stored((nine.0, nine.1)));
    let matter = forty.fold()?;
    ensure!(forty.commits.len() == 41, "forty acts and the first change");
    ensure!(matter.violations.is_empty(), "every act counts: {:?}", matter.violations);
    ensure!(
        matter.at.as_ref().is_some_and(|at| at.stage == "posted"),
        "it went through its stages: {:?}",
        matter.at
    );
    let mut figures = Figures::default();
    for _ in 0..request.runs {
        for (key, one) in [("forty_acts_ms", &forty), ("nine_changes_ms", &nine)] {
            let began = Instant::now();
            for _ in 0..FOLDS {
                black_box(one.fold()?);
            }
            figures.add(key, began.elapsed().as_secs_f64() * 1e3 / f64::from(FOLDS));
        }
    }
    figures.print(TARGETS);
    figures.write(request.json.as_deref(), &[("folds", u64::from(FOLDS))])
}
