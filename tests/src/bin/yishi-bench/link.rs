//! `yishi-bench link`: what a township brings to a fresh district, in two processes over a counted line.

use crate::{
    federation::Federation,
    process::Node,
    report::{Figures, Target},
};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use yishi_node::{demo::relay::Relay, local::Client};

/// Each way, while round trips are counted.
const DELAY: Duration = Duration::from_millis(100);
/// Documents changed for the catch-up.
pub(crate) const CHANGED: usize = 1_000;
/// How often the nodes are asked: each question costs them something too.
const EVERY: Duration = Duration::from_millis(25);

const TARGETS: &[Target] = &[
    Target { key: "initial.seconds", at_most: 4.0 },
    Target { key: "initial.visible_seconds", at_most: 8.0 },
    Target { key: "initial.udp_bytes", at_most: 11e6 },
    Target { key: "unchanged.app_bytes", at_most: 600.0 },
    Target { key: "unchanged.round_trips", at_most: 1.5 },
    Target { key: "changed_1000.seconds", at_most: 0.3 },
    Target { key: "changed_1000.udp_bytes", at_most: 400e3 },
    Target { key: "parent.peak_rss_bytes", at_most: 96.0 * 1024.0 * 1024.0 },
];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct LinkRequest {
    /// How many documents the child brings.
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
}

/// Measures and tells.
pub(crate) async fn run(request: LinkRequest) -> Result<()> {
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

/// The child's link upwards, as its API tells.
async fn up(client: &Client) -> Result<Value> {
    let links = client.get("/link").await?;
    links.get("up").cloned().context("a link up")
}

fn number(link: &Value, field: &str) -> Result<f64> {
    link.get(field).and_then(Value::as_f64).with_context(|| format!("“{field}” of the link"))
}

/// Waits until the parent has acknowledged everything; returns when that was.
async fn acknowledged(child: &mut Node, sent: u64) -> Result<Instant> {
    let all = async |node: &Node| {
        let link = up(&node.client).await?;
        Ok(number(&link, "stored_there")? as u64 >= sent && number(&link, "waiting")? == 0.0)
    };
    child.until("has everything acknowledged", EVERY, all).await?;
    Ok(Instant::now())
}

/// How many rows a node that does not run has fed to its parent.
async fn fed(dir: &Path) -> Result<u64> {
    let store = yishi_node::store::Store::open(dir).await?;
    let up = store.world().parent().context("a parent")?.id;
    let (head, _) = store.feed_head(up).await?;
    store.close().await?;
    Ok(head)
}

/// One run with fresh nodes.
pub(crate) async fn once(docs: u32, dir: &Path, seed: u64, figures: &mut Figures) -> Result<()> {
    let mut federation = Federation::new(seed)?;
    let (above, below) = (dir.join("parent"), dir.join("child"));
    federation.parent(&above).await?.close().await?;
    let store = federation.child(&below).await?;
    let mut tips = federation.write_documents(&store, docs).await?;
    store.close().await?;

    let mut parent = Node::configured(&above, None)?;
    let relay = Relay::start(parent.link).await?;
    let mut child = Node::configured(&below, Some(relay.address()))?;
    let shown = async |node: &Node| Ok(node.metric("yishi_documents_unread").await? == 0.0);

    // The child has worked with its link down for long: it has read its own documents, and written what
    // its registers owe the parent.
    child.start().await?;
    child.until("shows everything", EVERY, shown).await?;
    child.stop().await?;
    let sent = fed(&below).await?;
    parent.start().await?;
    relay.taken();

    // Everything at once.
    child.start().await?;
    let stored = acknowledged(&mut child, sent).await?;
    let (traffic, first) = relay.taken();
    let first = first.context("something was sent")?;
    let bytes = (traffic.bytes_up + traffic.bytes_down) as f64;
    figures.add("initial.seconds", (stored - first).as_secs_f64());
    figures.add("initial.udp_bytes", bytes);
    figures.add("bytes_per_document", bytes / f64::from(docs));
    parent.until("shows everything", EVERY, shown).await?;
    figures.add("initial.visible_seconds", first.elapsed().as_secs_f64());
    let (status, page) = parent.page("/matters").await?;
    ensure!(status == 200 && page.contains("芦稿-2026-"), "the parent's page does not show the matters");

    // A reconnection with nothing to say.
    let before = up(&child.client).await?;
    relay.delay(DELAY);
    child.client.post("/link/reconnect", Value::Null).await?;
    let spoken =
        |link: &Value| Ok::<_, anyhow::Error>(number(link, "bytes_sent")? + number(link, "bytes_received")?);
    let (said, old) = (spoken(&before)?, before.get("catch_up_ms").cloned());
    let again = async |node: &Node| {
        let link = up(&node.client).await?;
        Ok(link.get("catch_up_ms").cloned() != old)
    };
    child.until("is in step again", EVERY, again).await?;
    tokio::time::sleep(4 * DELAY).await;
    let after = up(&child.client).await?;
    figures.add("unchanged.app_bytes", spoken(&after)? - said);
    let round_trip_ms = 2.0 * DELAY.as_secs_f64() * 1_000.0;
    figures.add("unchanged.round_trips", number(&after, "catch_up_ms")? / round_trip_ms);
    relay.delay(Duration::ZERO);

    // A thousand documents changed meanwhile, and a fresh handshake.
    child.stop().await?;
    let store = yishi_node::store::Store::open(&below).await?;
    let n = CHANGED.min(tips.len());
    federation.comment_on(&store, tips.get_mut(..n).unwrap_or_default()).await?;
    store.close().await?;
    let sent = fed(&below).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    relay.taken();
    child.start().await?;
    let stored = acknowledged(&mut child, sent).await?;
    let (traffic, first) = relay.taken();
    figures.add("changed_1000.seconds", (stored - first.context("something was sent")?).as_secs_f64());
    figures.add("changed_1000.udp_bytes", (traffic.bytes_up + traffic.bytes_down) as f64);
    parent.until("shows everything", EVERY, shown).await?;
    figures.add("parent.peak_rss_bytes", parent.memory("VmHWM")? as f64);
    figures.add("parent.cpu_seconds", parent.cpu_seconds()?);
    child.stop().await?;
    parent.stop().await?;
    relay.stop().await;
    Ok(())
}
