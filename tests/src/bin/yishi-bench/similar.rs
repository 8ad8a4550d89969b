//! `yishi-bench similar`: how long a township waits for the matters like one, among tens of thousands.
//!
//! Asked of a running `yishi-node` through its API, so that the time is what a page waits and the memory is
//! the whole node's. Every question is a text the node does not have, made as the others were.

use crate::{
    federation::Federation,
    process::Node,
    report::{Figures, Target},
    texts,
};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use yishi_node::{actions::Actions, clock::SystemClock, projector::Projector};

const TARGETS: &[Target] = &[
    Target { key: "median_ms", at_most: 50.0 },
    Target { key: "slowest_of_20_ms", at_most: 50.0 },
    Target { key: "peak_rss_bytes", at_most: 64.0 * 1024.0 * 1024.0 },
];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct SimilarRequest {
    /// Matters of nine changes each.
    #[arg(long, default_value_t = 80_000)]
    matters: u32,
    /// Questions of one run.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(20..))]
    questions: u32,
    /// How often the node is started and asked; medians are told.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Where the database is made. Default: the system's temporary folder.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Writes the medians there.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Measures and tells.
pub(crate) async fn run(request: SimilarRequest) -> Result<()> {
    let dir = match &request.dir {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let home = dir.path().join("town");
    let mut fed = Federation::new(1)?;
    let store = fed.child(&home).await?;
    fed.write_documents(&store, request.matters).await?;
    let actions = Actions::new(store.clone(), Arc::new(SystemClock))?;
    let mut figures = Figures::default();
    let began = Instant::now();
    Projector::new(actions.clone()).drain_once().await?;
    figures.add("projected_seconds", began.elapsed().as_secs_f64());
    drop(actions);
    store.close().await?;
    figures.add("database_bytes", std::fs::metadata(home.join("yishi.db"))?.len() as f64);

    let mut node = Node::configured(&home, None)?;
    let mut rng = StdRng::seed_from_u64(77);
    for _ in 0..request.runs {
        node.start().await?;
        let shown = async |node: &Node| Ok(node.metric("yishi_documents_unread").await? == 0.0);
        node.until("shows everything", Duration::from_millis(100), shown).await?;
        let (mut times, mut found) = (Vec::new(), 0_u32);
        for _ in 0..request.questions {
            let words = texts::matter(&mut rng);
            let question = json!({ "text": format!("{}\n{}", words.title, words.body) });
            let began = Instant::now();
            let answer = node.client.post("/similar", question).await?;
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
            let items = answer.get("items").and_then(Value::as_array).context("a list")?;
            found += u32::from(!items.is_empty());
        }
        // The texts are thrown together from words, so not every one of them is like another.
        ensure!(found > 0, "none of {} texts made of the same parts has a like one", request.questions);
        figures.add("questions_with_like_matters", f64::from(found));
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times.get(times.len() * share / 20).copied().unwrap_or(f64::NAN);
        figures.add("median_ms", at(10));
        figures.add("slowest_of_20_ms", at(19));
        figures.add("peak_rss_bytes", node.memory("VmHWM")? as f64);
        figures.add("rss_bytes", node.memory("VmRSS")? as f64);
        node.stop().await?;
    }
    figures.print(TARGETS);
    figures.write(request.json.as_deref(), &[("matters", u64::from(request.matters))])
}
