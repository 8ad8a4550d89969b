//! `yishi-bench fleet`: a whole prefecture of nodes on one machine, from the first matter to the last outcome, and
//! the morning after a power cut.
//!
//! Every node is the product as `yishi-node run` runs it, with a database of its own, keys of its own and an
//! address of its own on the loopback; what is between them is QUIC. The district is a process of its own, so that
//! its memory and processor time are its own; townships share one process, villages a few. Nothing is modelled:
//! villages and townships write signed changes through their stores, the district accepts and decides by the
//! product's actions, links carry, projectors fold and keep registers.
//!
//! What is counted as lost: a matter that a village does not hold, one of which its township holds other changes
//! than the village does or none, and one that went to the district and has no outcome in its village.

mod desks;
pub(crate) mod matters;
mod places;
mod worker;

pub(crate) use worker::{WorkerRequest, serve};

use crate::{
    peers::Peer,
    process::{cpu_seconds, memory},
    report::{Figures, Target},
};
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::process::Command;
use yishi_node::clock::{Clock as _, SystemClock};

/// Villages of one process: each node has a dozen open files, and a process twenty thousand.
const VILLAGES_OF_ONE: usize = 1_000;
/// How often the nodes are asked how far they are.
const ASKED_EVERY: Duration = Duration::from_millis(500);
/// How often progress is printed.
const SAID_EVERY: Duration = Duration::from_secs(5);
/// Without progress for so long the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(120);
/// A link that is not back within this after a cut is starved.
const BACK_WITHIN: Duration = Duration::from_secs(90);

const TARGETS: &[Target] = &[
    Target { key: "seconds", at_most: 240.0 },
    Target { key: "power_cut.seconds", at_most: 15.0 },
    Target { key: "district.peak_rss_bytes", at_most: 256.0 * 1024.0 * 1024.0 },
    Target { key: "lost", at_most: 0.0 },
    Target { key: "power_cut.starved", at_most: 0.0 },
];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct FleetRequest {
    /// Villages.
    #[arg(long, default_value_t = 1_868, value_parser = clap::value_parser!(u32).range(1..))]
    villages: u32,
    /// Townships.
    #[arg(long, default_value_t = 109, value_parser = clap::value_parser!(u32).range(1..))]
    townships: u32,
    /// Matters of all villages together.
    #[arg(long, default_value_t = 79_662, value_parser = clap::value_parser!(u32).range(1..))]
    matters: u32,
    /// How often everything is measured; medians are told.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Chooses keys and words.
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
pub(crate) async fn run(request: FleetRequest) -> Result<()> {
    let mut figures = Figures::default();
    for n in 0..request.runs {
        eprintln!("run {} of {}", n + 1, request.runs);
        let dir = match &request.dir {
            Some(dir) => tempfile::tempdir_in(dir)?,
            None => tempfile::tempdir()?,
        };
        once(&request, dir.path(), request.seed + u64::from(n), &mut figures).await?;
    }
    figures.print(TARGETS);
    let nodes = 1 + u64::from(request.townships) + u64::from(request.villages);
    let facts =
        [("nodes", nodes), ("matters", u64::from(request.matters)), ("runs", u64::from(request.runs))];
    figures.write(request.json.as_deref(), &facts)?;
    ensure!(figures.last("lost") == Some(0.0), "something was lost");
    Ok(())
}

/// A process of the fleet.
struct Part {
    role: &'static str,
    peer: Peer,
}

/// All processes.
struct Fleet(Vec<Part>);

impl Fleet {
    fn start(request: &FleetRequest, dir: &Path, seed: u64) -> Result<Self> {
        // Two fleets at the same time are on two networks.
        let net = u8::try_from(16 + std::process::id() % 200)?;
        let villages = request.villages as usize;
        let mut parts = vec![("district", 0, 1), ("towns", 0, request.townships as usize)];
        let chunk = villages.div_ceil(villages.div_ceil(VILLAGES_OF_ONE));
        parts.extend((0..villages).step_by(chunk).map(|v| ("villages", v, villages.min(v + chunk))));
        let start = |(role, from, to): (&'static str, usize, usize)| {
            let mut command = Command::new(std::env::current_exe()?);
            // As the shipped unit sets it.
            command.env("MALLOC_ARENA_MAX", "2");
            command.arg("fleet-part").arg("--dir").arg(dir).args(["--role", role]);
            for (name, value) in [
                ("--seed", seed),
                ("--villages", u64::from(request.villages)),
                ("--townships", u64::from(request.townships)),
                ("--matters", u64::from(request.matters)),
                ("--net", u64::from(net)),
                ("--from", from as u64),
                ("--to", to as u64),
            ] {
                command.args([name, &value.to_string()]);
            }
            Ok(Part { role, peer: Peer::start(&mut command)? })
        };
        parts.into_iter().map(start).collect::<Result<_>>().map(Self)
    }

    /// The same word to all; their answers in order. They work side by side.
    async fn all(&mut self, word: &str) -> Result<Vec<Value>> {
        for part in &mut self.0 {
            part.peer.tell(word).await?;
        }
        let mut answers = Vec::new();
        for part in &mut self.0 {
            answers.push(part.peer.line().await.with_context(|| format!("{}: {word}", part.role))?);
        }
        Ok(answers)
    }

    /// Sums of the numbers in all answers.
    async fn sums(&mut self, word: &str) -> Result<BTreeMap<String, u64>> {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for answer in self.all(word).await? {
            for (key, value) in answer.as_object().into_iter().flatten() {
                *sums.entry(key.clone()).or_default() += value.as_u64().unwrap_or(0);
            }
        }
        Ok(sums)
    }

    /// What a role's processes cost so far; what this bench itself reads of the databases comes afterwards.
    fn costs(&self, figures: &mut Figures) -> Result<()> {
        let (mut peak, mut cpu, mut written) = (BTreeMap::new(), BTreeMap::new(), 0);
        for part in &self.0 {
            let pid = part.peer.pid()?;
            *peak.entry(part.role).or_insert(0.0) += memory(pid, "VmHWM")? as f64;
            *cpu.entry(part.role).or_insert(0.0) += cpu_seconds(pid)?;
            let io = fs::read_to_string(format!("/proc/{pid}/io"))?;
            let bytes =
                io.lines().find_map(|l| l.strip_prefix("write_bytes: ")).context("the kernel tells")?;
            written += bytes.trim().parse::<u64>()?;
        }
        figures.add("fsync.written_bytes", written as f64);
        for (role, seconds) in cpu {
            figures.add(format!("{role}.cpu_seconds"), seconds);
        }
        for (role, bytes) in peak {
            figures.add(format!("{role}.peak_rss_bytes"), bytes);
        }
        Ok(())
    }
}

async fn once(request: &FleetRequest, dir: &Path, seed: u64, figures: &mut Figures) -> Result<()> {
    let began = Instant::now();
    let mut fleet = Fleet::start(request, dir, seed)?;
    fleet.all("create").await?;
    eprintln!("{:6.1} s  the databases are made", began.elapsed().as_secs_f64());
    // The parents first: a child that finds nobody waits longer and longer.
    let since = Instant::now();
    for part in &mut fleet.0 {
        part.peer.step("start").await?;
    }
    let links = request.villages as usize + request.townships as usize;
    all_back(&mut fleet, links, Instant::now() + PATIENCE).await?;
    figures.add("start.seconds", since.elapsed().as_secs_f64());
    figures.add("setup.seconds", began.elapsed().as_secs_f64());
    eprintln!("{:6.1} s  all {links} links are up and in step", began.elapsed().as_secs_f64());

    let idle = fleet.sums("quiet").await?.get("transactions").copied().unwrap_or(0);
    let (work, started_ms) = (Instant::now(), SystemClock.now_ms());
    fleet.all("work").await?;
    worked(&mut fleet, request, work).await?;
    let settled = settled(&mut fleet, work).await?;
    figures.add("seconds", settled.seconds);
    figures.add("fsync.transactions", settled.transactions.saturating_sub(idle) as f64);
    fleet.costs(figures)?;
    for (key, bytes) in fleet.sums("frames").await? {
        figures.add(format!("frames.bytes_{key}"), bytes as f64);
    }
    fleet.all("close desks").await?;
    let checks = fleet.all("check").await?;
    check(request, &fleet, &checks, started_ms, figures)?;

    eprintln!("{:6.1} s  all links are cut", work.elapsed().as_secs_f64());
    power_cut(&mut fleet, links, figures).await?;
    let district = fleet.0.first().context("the district")?.peer.pid()?;
    figures.add("power_cut.district_rss_bytes", memory(district, "VmRSS")? as f64);
    fleet.all("stop").await?;
    Ok(())
}

/// Waits until every desk has done its work.
async fn worked(fleet: &mut Fleet, request: &FleetRequest, work: Instant) -> Result<()> {
    let (mut said, mut before, mut moved) = (Instant::now(), BTreeMap::new(), Instant::now());
    loop {
        let done = fleet.sums("progress").await?;
        let of = |key: &str| done.get(key).copied().unwrap_or(0);
        let all = u64::from(request.matters);
        let over = of("handled") == all && of("decided") == of("escalated");
        if said.elapsed() > SAID_EVERY || over {
            said = Instant::now();
            eprintln!(
                "{:6.1} s  raised {} of {all}, handled {}, at the district {}, decided {}",
                work.elapsed().as_secs_f64(),
                of("raised"),
                of("handled"),
                of("escalated"),
                of("decided"),
            );
        }
        if over {
            return Ok(());
        }
        if done != before {
            (before, moved) = (done, Instant::now());
        }
        ensure!(moved.elapsed() < PATIENCE, "nothing moves any more");
        tokio::time::sleep(ASKED_EVERY).await;
    }
}

struct Settled {
    seconds: f64,
    transactions: u64,
}

/// Waits until everything is acknowledged and shown everywhere. Nodes are asked one after another, so that
/// something may have moved behind the question: it counts when two rounds agree.
async fn settled(fleet: &mut Fleet, work: Instant) -> Result<Settled> {
    let (mut first, mut said, mut moved) = (None, Instant::now(), (BTreeMap::new(), Instant::now()));
    loop {
        let asked = work.elapsed();
        let now = fleet.sums("quiet").await?;
        let of = |key: &str| now.get(key).copied().unwrap_or(0);
        let quiet = of("waiting") == 0 && of("unread") == 0;
        match &first {
            Some((seconds, fed)) if quiet && *fed == of("fed") => {
                return Ok(Settled { seconds: *seconds, transactions: of("transactions") });
            }
            _ => first = quiet.then(|| (asked.as_secs_f64(), of("fed"))),
        }
        if said.elapsed() > SAID_EVERY {
            said = Instant::now();
            let (waiting, unread) = (of("waiting"), of("unread"));
            eprintln!("{:6.1} s  under way {waiting}, to be listed {unread}", asked.as_secs_f64());
        }
        if now != moved.0 {
            moved = (now, Instant::now());
        }
        ensure!(moved.1.elapsed() < PATIENCE, "nothing moves any more");
        tokio::time::sleep(ASKED_EVERY).await;
    }
}

/// Compares what villages and townships hold.
fn check(
    request: &FleetRequest,
    fleet: &Fleet,
    checks: &[Value],
    started_ms: u64,
    figures: &mut Figures,
) -> Result<()> {
    let number = |check: &Value, key: &str| check.get(key).and_then(Value::as_u64).unwrap_or(0);
    let mut held: BTreeMap<&str, Vec<&Map<String, Value>>> = BTreeMap::new();
    let (mut villages, mut towns) = (Vec::new(), Vec::new());
    for (part, check) in fleet.0.iter().zip(checks) {
        match part.role {
            "villages" => villages.push(check),
            "towns" => towns.push(check),
            _ => {}
        }
    }
    for check in &towns {
        for (home, docs) in check.get("homes").and_then(Value::as_object).context("homes")? {
            held.entry(home).or_default().extend(docs.as_object());
        }
    }
    let (mut raised, mut missing) = (0_u64, 0_u64);
    for check in &villages {
        for (home, docs) in check.get("homes").and_then(Value::as_object).context("homes")? {
            for (doc, digest) in docs.as_object().context("documents")? {
                raised += 1;
                let there = held.get(home.as_str()).into_iter().flatten().any(|d| d.get(doc) == Some(digest));
                missing += u64::from(!there);
            }
        }
    }
    let sum = |of: &[&Value], key: &str| of.iter().map(|c| number(c, key)).sum::<u64>();
    let (escalated, returned) = (sum(&villages, "escalated"), sum(&villages, "returned"));
    let all = u64::from(request.matters);
    ensure!(escalated * 10 >= 3 * all, "only {escalated} of {all} went to the district");
    let shown = sum(&villages, "shown");
    ensure!(shown == all, "{shown} of {all} matters are shown as answered by their villages");
    let lost = all.saturating_sub(raised) + missing + (escalated - returned);
    figures.add("lost", lost as f64);
    figures.add("escalated", escalated as f64);
    figures.add("outcomes_back", returned as f64);
    let last_ms = checks.iter().map(|c| number(c, "last_ms")).max().unwrap_or(0);
    figures.add("delivered.seconds", last_ms.saturating_sub(started_ms) as f64 / 1_000.0);
    for (name, of) in [("villages", &villages), ("towns", &towns)] {
        figures.add(format!("{name}.database_bytes"), sum(of, "database_bytes") as f64);
        figures.add(format!("{name}.changes_stored"), sum(of, "changes") as f64);
    }
    let district = checks.first().context("the district")?;
    figures.add("district.database_bytes", number(district, "database_bytes") as f64);
    figures.add("district.changes_stored", number(district, "changes") as f64);
    Ok(())
}

/// Waits until every link is back; returns when each was, in milliseconds since 1970.
async fn all_back(fleet: &mut Fleet, links: usize, until: Instant) -> Result<Vec<u64>> {
    loop {
        let answers = fleet.all("back").await?;
        let times = answers.iter().filter_map(Value::as_array).flatten();
        let back: Vec<u64> = times.filter_map(Value::as_u64).collect();
        if back.len() == links || Instant::now() > until {
            return Ok(back);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn power_cut(fleet: &mut Fleet, links: usize, figures: &mut Figures) -> Result<()> {
    let cut_ms = SystemClock.now_ms();
    fleet.all("cut").await?;
    let back = all_back(fleet, links, Instant::now() + BACK_WITHIN).await?;
    let mut seconds: Vec<f64> = back.iter().map(|ms| ms.saturating_sub(cut_ms) as f64 / 1_000.0).collect();
    seconds.sort_by(f64::total_cmp);
    figures.add("power_cut.starved", (links - back.len()) as f64);
    let (Some(slowest), Some(median)) = (seconds.last(), seconds.get(seconds.len() / 2)) else {
        bail!("no link came back");
    };
    figures.add("power_cut.seconds", *slowest);
    figures.add("power_cut.median_seconds", *median);
    Ok(())
}
