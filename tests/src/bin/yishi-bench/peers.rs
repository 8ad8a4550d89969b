//! `yishi-bench peers`: the same documents carried by this product, by samod and by PouchDB, one after the other in
//! every run, so that a noisy machine is noisy for all.
//!
//! The peers live in `tests/peers`, with manifests of their own: the product never depends on them. samod gets the
//! same Automerge documents, PouchDB the JSON they come to. Neither calls fsync for what it received; this product
//! acknowledges after fsync. The floor is what the uncompressed Automerge saves weigh together under zstd at
//! level 3, with one signature for each author of a document.

use crate::{
    federation::{Changes, Federation},
    link,
    process::{cpu_seconds, memory},
    report::{Figures, Target},
};
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

const TARGETS: &[Target] = &[
    Target { key: "ratio.initial_seconds.samod", at_most: 1.0 / 8.0 },
    Target { key: "ratio.initial_seconds.pouchdb", at_most: 0.5 },
    Target { key: "ratio.initial_bytes.samod", at_most: 0.35 },
    Target { key: "ratio.initial_bytes.pouchdb", at_most: 0.75 },
    Target { key: "ratio.initial_bytes.floor", at_most: 1.0 },
    Target { key: "ratio.changed_seconds.samod", at_most: 1.0 / 12.0 },
    Target { key: "ratio.changed_seconds.pouchdb", at_most: 1.0 / 3.0 },
    Target { key: "ratio.changed_bytes.samod", at_most: 0.12 },
    Target { key: "unchanged.app_bytes", at_most: 300.0 },
    Target { key: "unchanged.round_trips", at_most: 1.5 },
    Target { key: "parent.peak_rss_bytes", at_most: 64.0 * 1024.0 * 1024.0 },
];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct PeersRequest {
    /// How many documents each brings.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    docs: u32,
    /// How often everything is measured; medians are told.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Chooses the words.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Repositories, each with a connection, over which samod spreads the documents.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    repos: u32,
    /// Where the peers' sources are.
    #[arg(long, default_value = "tests/peers")]
    peers: PathBuf,
    /// Where the databases are made, on a real disk. Default: the system's temporary folder.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Writes the medians there.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Measures and tells.
pub(crate) async fn run(request: PeersRequest) -> Result<()> {
    let samod = built(&request.peers).await?;
    let mut figures = Figures::default();
    for n in 0..request.runs {
        eprintln!("run {} of {}", n + 1, request.runs);
        let dir = match &request.dir {
            Some(dir) => tempfile::tempdir_in(dir)?,
            None => tempfile::tempdir()?,
        };
        once(&request, &samod, dir.path(), request.seed + u64::from(n), &mut figures).await?;
    }
    figures.print(TARGETS);
    let facts = [("docs", u64::from(request.docs)), ("runs", u64::from(request.runs))];
    figures.write(request.json.as_deref(), &facts)
}

/// Builds the peers if they are not there; returns samod's program.
async fn built(peers: &Path) -> Result<PathBuf> {
    let manifest = peers.join("samod/Cargo.toml");
    ensure!(manifest.exists(), "{} is not there: say where the peers are with --peers", manifest.display());
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--locked", "--manifest-path"]).arg(&manifest);
    ensure!(build.status().await.context("cargo")?.success(), "samod's program is not built");
    let pouchdb = peers.join("pouchdb");
    if !pouchdb.join("node_modules").exists() {
        let mut fetch = Command::new("npm");
        fetch.args(["ci", "--no-audit", "--no-fund"]).current_dir(&pouchdb);
        ensure!(fetch.status().await.context("npm")?.success(), "PouchDB is not installed");
    }
    Ok(fs::canonicalize(peers.join("samod/target/release/samod-peer"))?)
}

/// The documents in one file: for each how many changes, and each with its length.
fn write_documents(file: &Path, docs: &[Changes]) -> Result<()> {
    let mut out = std::io::BufWriter::new(fs::File::create(file)?);
    let length = |n: usize| u32::try_from(n).map(u32::to_le_bytes);
    for changes in docs {
        out.write_all(&length(changes.len())?)?;
        for change in changes {
            out.write_all(&length(change.len())?)?;
            out.write_all(change)?;
        }
    }
    Ok(out.flush()?)
}

async fn once(
    request: &PeersRequest,
    samod: &Path,
    dir: &Path,
    seed: u64,
    figures: &mut Figures,
) -> Result<()> {
    let mut ours = Figures::default();
    link::once(request.docs, dir, seed, &mut ours).await?;
    figures.take("", &ours);

    let (docs, changed) = Federation::new(seed)?.plain(request.docs, link::CHANGED)?;
    let (all, more, json) = (dir.join("docs.bin"), dir.join("changed.bin"), dir.join("docs.jsonl"));
    write_documents(&all, &docs)?;
    write_documents(&more, &changed)?;
    drop(docs);
    let floor = answer(Command::new(samod).arg("floor").arg(&all)).await?;
    let floor = number(&floor, "zstd_bytes")? + number(&floor, "signatures_bytes")?;
    figures.add("floor.initial_bytes", floor);
    let converted = Command::new(samod).arg("json").arg(&all).arg(&json).status().await?;
    ensure!(converted.success(), "the documents could not be written as JSON");

    let mut server = Peer::start(
        Command::new(samod).arg("server").arg(dir.join("samod-there")).arg(request.repos.to_string()),
    )?;
    let ports = server.line().await?;
    let ports = ports.get("ports").and_then(Value::as_array).context("samod's ports")?;
    let mut client = Command::new(samod);
    client.arg("client").arg(dir.join("samod-here")).arg(&all);
    client.args(ports.iter().filter_map(Value::as_u64).map(|p| p.to_string()));
    let theirs = carried(&mut server, client, &format!("changed {}", more.display())).await?;
    figures.take("samod.", &theirs);
    compare(figures, &ours, &theirs, "samod")?;

    let script = |name: &str| request.peers.join("pouchdb").join(name);
    let mut server =
        Peer::start(Command::new("node").arg(script("server.mjs")).arg(dir.join("pouchdb-there")))?;
    let port = number(&server.line().await?, "port")?;
    let mut client = Command::new("node");
    client.arg(script("client.mjs")).arg(dir.join("pouchdb-here")).arg(&json).arg(port.to_string());
    let theirs = carried(&mut server, client, &format!("changed {}", link::CHANGED)).await?;
    figures.take("pouchdb.", &theirs);
    compare(figures, &ours, &theirs, "pouchdb")?;
    let bytes = ours.last("initial.udp_bytes").context("our bytes")?;
    figures.add("ratio.initial_bytes.floor", bytes / floor);
    Ok(())
}

/// Ours by theirs.
fn compare(figures: &mut Figures, ours: &Figures, theirs: &Figures, name: &str) -> Result<()> {
    for (what, our_key, their_key) in [
        ("initial_seconds", "initial.seconds", "initial.seconds"),
        ("initial_bytes", "initial.udp_bytes", "initial.bytes"),
        ("changed_seconds", "changed_1000.seconds", "changed.seconds"),
        ("changed_bytes", "changed_1000.udp_bytes", "changed.bytes"),
    ] {
        let ours = ours.last(our_key).with_context(|| our_key.to_owned())?;
        let theirs = theirs.last(their_key).with_context(|| their_key.to_owned())?;
        figures.add(format!("ratio.{what}.{name}"), ours / theirs);
    }
    Ok(())
}

/// Everything at once, a reconnection with nothing new, and a thousand documents changed.
async fn carried(server: &mut Peer, mut client: Command, changed: &str) -> Result<Figures> {
    let mut figures = Figures::default();
    let mut client = Peer::start(&mut client)?;
    ensure!(client.line().await?.get("ready").is_some(), "the peer is not ready");
    for (name, step) in [("initial", "initial"), ("unchanged", "unchanged"), ("changed", changed)] {
        let done = client.step(step).await?;
        figures.add(format!("{name}.seconds"), number(&done, "seconds")?);
        figures.add(format!("{name}.bytes"), number(&done, "bytes")?);
    }
    figures.add("server.peak_rss_bytes", memory(server.pid()?, "VmHWM")? as f64);
    figures.add("server.cpu_seconds", cpu_seconds(server.pid()?)?);
    Ok(figures)
}

fn number(line: &Value, field: &str) -> Result<f64> {
    line.get(field).and_then(Value::as_f64).with_context(|| format!("“{field}” in {line}"))
}

/// The one line a program prints.
async fn answer(command: &mut Command) -> Result<Value> {
    let done = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().await?;
    ensure!(done.status.success(), "{command:?} ended with {}", done.status);
    Ok(serde_json::from_slice(&done.stdout)?)
}

/// A peer's program that is told what to do line by line; killed when it is let go.
pub(crate) struct Peer {
    process: Child,
    says: Lines<BufReader<ChildStdout>>,
    told: ChildStdin,
}

impl Peer {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{command:?}"))?;
        let says = BufReader::new(process.stdout.take().context("its output")?).lines();
        let told = process.stdin.take().context("its input")?;
        Ok(Self { process, says, told })
    }

    pub(crate) fn pid(&self) -> Result<u32> {
        self.process.id().context("the peer runs")
    }

    /// What it says next.
    pub(crate) async fn line(&mut self) -> Result<Value> {
        match self.says.next_line().await? {
            Some(line) => serde_json::from_str(&line).with_context(|| line.clone()),
            None => bail!("the peer ended with {}", self.process.wait().await?),
        }
    }

    pub(crate) async fn step(&mut self, step: &str) -> Result<Value> {
        self.tell(step).await?;
        self.line().await
    }

    pub(crate) async fn tell(&mut self, word: &str) -> Result<()> {
        self.told.write_all(format!("{word}\n").as_bytes()).await?;
        Ok(self.told.flush().await?)
    }
}
