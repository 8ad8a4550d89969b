//! `yishi-bench village`: a village's node after some years, on a small machine.

use crate::{
    federation::Federation,
    process::Node,
    report::{Figures, Target},
    texts,
};
use anyhow::{Result, ensure};
use clap::Args;
use rand::{SeedableRng, rngs::StdRng};
use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use yishi_node::{
    actions::{Actions, ImportRequest, ImportRow},
    clock::SystemClock,
};

/// Rows of one call of the import.
const ROWS: u64 = 500;
/// Pages read before the memory is looked at.
const PAGES_READ: usize = 50;

const TARGETS: &[Target] = &[
    Target { key: "rss_bytes", at_most: 48.0 * 1024.0 * 1024.0 },
    Target { key: "start_to_page_seconds", at_most: 1.0 },
];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct VillageRequest {
    /// Matters that were answered and closed.
    #[arg(long, default_value_t = 10_000)]
    closed: u64,
    /// Matters that are open.
    #[arg(long, default_value_t = 200)]
    open: u64,
    /// How often the node is started; medians are told.
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
pub(crate) async fn run(request: VillageRequest) -> Result<()> {
    let dir = match &request.dir {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let home = dir.path().join("village");
    fill(&home, &request).await?;
    // The parent's address is a port nobody listens on: the link is down, as it often is.
    let nobody = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let mut node = Node::configured(&home, Some(nobody))?;
    node.start().await?;
    let shown = async |node: &Node| Ok(node.metric("yishi_documents_unread").await? == 0.0);
    node.until("shows everything", Duration::from_millis(100), shown).await?;
    node.stop().await?;

    let mut figures = Figures::default();
    for _ in 0..request.runs {
        let began = Instant::now();
        node.spawn()?;
        let page = async |node: &Node| Ok(node.page("/").await.is_ok_and(|(status, _)| status == 200));
        node.until("shows its page", Duration::from_millis(5), page).await?;
        figures.add("start_to_page_seconds", began.elapsed().as_secs_f64());
        for n in 0..PAGES_READ {
            let path = if n % 2 == 0 { "/matters" } else { "/matters?stage=closed" };
            let (status, text) = node.page(path).await?;
            ensure!(status == 200 && text.contains("芦稿"), "{path} does not show matters: {status}");
            let list = node.client.get("/matters?limit=100").await?;
            ensure!(list.is_object(), "no list of matters");
        }
        figures.add("rss_bytes", node.memory("VmRSS")? as f64);
        figures.add("peak_rss_bytes", node.memory("VmHWM")? as f64);
        node.stop().await?;
    }
    figures.print(TARGETS);
    figures.write(request.json.as_deref(), &[("closed", request.closed), ("open", request.open)])
}

/// Imports the matters as a clerk would.
async fn fill(home: &Path, request: &VillageRequest) -> Result<()> {
    let mut rng = StdRng::seed_from_u64(1);
    let store = Federation::new(1)?.village(home).await?;
    let actions = Actions::new(store.clone(), Arc::new(SystemClock))?;
    let all = request.closed + request.open;
    let mut at = 0;
    while at < all {
        let rows: Vec<ImportRow> = (at..all.min(at + ROWS))
            .map(|row| {
                let words = texts::matter(&mut rng);
                let answered = row < request.closed;
                ImportRow {
                    row,
                    number: format!("RX{row:08}"),
                    title: Some(words.title),
                    body: words.body,
                    category: Some(words.category.into()),
                    raised_on: Some(format!("2025-{:02}-{:02}", 1 + row % 12, 1 + row % 28)),
                    answer: answered.then(|| texts::answer(&mut rng)),
                    answered_on: None,
                }
            })
            .collect();
        at += rows.len() as u64;
        let count = rows.len();
        let done = actions.import_rows(None, ImportRequest { system: "hotline".into(), rows }).await?;
        ensure!(done.errors.is_empty(), "rows were refused: {:?}", done.errors.first());
        ensure!(done.created as usize == count, "{} of {count} rows were taken", done.created);
    }
    drop(actions);
    store.close().await?;
    Ok(())
}
