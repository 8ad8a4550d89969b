//! The demonstration: a whole federation on one machine, doing its day's work, then judged by the
//! auditor after every node was killed.
//!
//! Nothing is played: each node is a process of this very program with its own database, keys and port;
//! lines between them are relays that can be cut; everything said was read from a node's own API, and
//! the figures at the end come from the databases.

mod forger;
mod layout;
mod process;
pub mod relay;
mod story;
mod texts;

use crate::{
    audit::{self, AuditError},
    link::LinkError,
    local::CallError,
    setup::SetupError,
    store::StoreError,
};
use clap::Args;
use layout::Layout;
use process::Node;
use rand::{SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::path::PathBuf;
use story::Cast;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

/// What to play.
#[derive(Debug, Clone, Args)]
pub struct DemoRequest {
    /// A list of divisions (CSV: code,name,level,parent); default: 青白江区.
    #[arg(long)]
    divisions: Option<PathBuf>,
    /// How many villages.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(2..=60))]
    villages: u16,
    /// Chooses among places and words.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The folder for the nodes; must be empty. Default: a new one under the system's temporary folder.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// End after the story instead of staying up.
    #[arg(long)]
    exit: bool,
    /// End with one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Why the demonstration did not come to its end.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The list of divisions.
    #[error("the list of divisions cannot be played: {0}")]
    Divisions(String),
    /// The folder is in use.
    #[error("the folder {0} is not empty. Nothing was changed. Name another with --dir")]
    Occupied(PathBuf),
    /// The system.
    #[error("the system refused: {0}")]
    System(std::io::Error),
    /// Making a node.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A node ended.
    #[error("the node {name} ended with {status}. Its last words:\n{log}")]
    Died {
        /// Which.
        name: String,
        /// How.
        status: String,
        /// Its log.
        log: String,
    },
    /// Something did not happen in time.
    #[error("waited in vain for: {0}")]
    Late(String),
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// An answer lacked something.
    #[error("an answer lacks “{0}”")]
    Answer(String),
    /// A forgery got through.
    #[error("a forgery was not refused: {0}")]
    Forged(&'static str),
    /// A database.
    #[error(transparent)]
    Store(StoreError),
    /// A link.
    #[error(transparent)]
    Link(LinkError),
    /// The audit.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl DemoError {
    fn store(error: StoreError) -> Self {
        Self::Store(error)
    }

    fn link(error: LinkError) -> Self {
        Self::Link(error)
    }
}

/// Where the story is told: nowhere when only the figures are wanted.
#[derive(Debug)]
struct Stage {
    quiet: bool,
}

impl Stage {
    fn title(&self, words: &str) {
        self.say(&format!("\n{words}"));
    }

    fn say(&self, words: &str) {
        if !self.quiet {
            println!("{words}");
        }
    }

    /// Where a matter is stored, as its own village shows it.
    fn state(&self, village: &str, matter: &Value) {
        let text = |v: Option<&Value>| v.and_then(Value::as_str).unwrap_or("—").to_owned();
        let mut line =
            format!("  {} {}：▣{village}", text(matter.get("number")), text(matter.get("stage_zh")));
        for level in matter.pointer("/stored/up").and_then(Value::as_array).into_iter().flatten() {
            let mark =
                if level.get("state").and_then(Value::as_str) == Some("stored") { '▣' } else { '▢' };
            line.push_str(&format!(" {mark}{}", text(level.pointer("/place/name"))));
        }
        self.say(&line);
    }
}

/// Plays it; whether everything held.
///
/// # Errors
/// [`DemoError`] says where the story broke off.
pub async fn run(request: DemoRequest, stop: CancellationToken) -> Result<bool, DemoError> {
    let started = std::time::Instant::now();
    let stage = Stage { quiet: request.json };
    let layout = Layout::choose(request.divisions.as_deref(), usize::from(request.villages), request.seed)?;
    let temporary = std::env::temp_dir().join(format!("yishi-demo-{}", std::process::id()));
    let dir = request.dir.clone().unwrap_or(temporary);
    if std::fs::read_dir(&dir).is_ok_and(|mut files| files.next().is_some()) {
        return Err(DemoError::Occupied(dir));
    }
    std::fs::create_dir_all(&dir).map_err(DemoError::System)?;
    stage.say(&format!(
        "{}：{} 个镇（街道），{} 个村（社区），共 {} 个节点。目录 {}",
        layout.district.name,
        layout.townships.len(),
        request.villages,
        layout.nodes(),
        dir.display()
    ));
    let mut rng = StdRng::seed_from_u64(request.seed);
    let mut cast = assemble(&layout, &dir).await?;
    story::play(&mut cast, &mut rng, &stage).await?;
    for node in cast.nodes_mut() {
        node.kill().await?;
    }
    stage.say("\n全部节点 kill -9。审计员打开数据库，重新核验每一个签名、每一次推算：");
    let mut report = audit::audit(&dir, |line| stage.say(line)).await?;
    report.seconds = started.elapsed().as_secs_f64();
    let expected = usize::from(request.villages) * 3;
    let whole = report.holds()
        && report.proposals == expected
        && report.raised_offline == expected
        && report.answered == expected
        && report.told == expected
        && report.forgeries_refused > 0
        && report.violations == 0;
    if !request.json {
        print!("{report}");
    }
    if !request.exit {
        stay(&mut cast, &stage, stop).await?;
    }
    if request.json {
        println!("{}", serde_json::to_string(&report).map_err(|e| DemoError::Answer(e.to_string()))?);
    }
    if request.dir.is_none() && request.exit {
        // A folder of our own making, named after this process.
        let _ = std::fs::remove_dir_all(&dir);
    }
    Ok(whole)
}

async fn assemble(layout: &Layout, dir: &std::path::Path) -> Result<Cast, DemoError> {
    let district = Node::root(dir, &layout.district).await?;
    let mut townships = Vec::new();
    for (place, below) in &layout.townships {
        let township = Node::below(dir, &district, place).await?;
        let mut villages = Vec::new();
        for village in below {
            villages.push(Node::below(dir, &township, village).await?);
        }
        townships.push((township, villages));
    }
    Ok(Cast { district, townships })
}

/// Starts the nodes again and shows where they are.
async fn stay(cast: &mut Cast, stage: &Stage, stop: CancellationToken) -> Result<(), DemoError> {
    for node in cast.nodes_mut() {
        node.start().await?;
    }
    stage.say("\n节点又都起来了。打开网页看看（Ctrl-C 结束）：");
    for node in cast.nodes() {
        stage.say(&format!("  {}  http://{}/", node.name, node.pages));
    }
    if let Some((township, _)) = cast.townships.first() {
        let socket = township.dir.join("api.sock");
        stage.say(&format!("  命令行：yishi --node {} matter list", socket.display()));
    }
    stop.cancelled().await;
    for node in cast.nodes_mut() {
        node.kill().await?;
    }
    Ok(())
}
