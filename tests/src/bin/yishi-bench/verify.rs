//! `yishi-bench verify`: how long one node's database takes to be verified from end to end.

use crate::{
    federation::Federation,
    report::{Figures, Target},
};
use anyhow::{Context as _, Result, ensure};
use clap::Args;
use std::{fs, path::PathBuf, process::Stdio, time::Instant};
use tokio::process::Command;
use yishi_node::{actions::Actions, clock::SystemClock, projector::Projector};

const TARGETS: &[Target] = &[
    Target { key: "seconds", at_most: 60.0 },
    Target { key: "peak_rss_bytes", at_most: 64.0 * 1024.0 * 1024.0 },
];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct VerifyRequest {
    /// Matters of nine changes each.
    #[arg(long, default_value_t = 80_000)]
    matters: u32,
    /// How often it is verified; medians are told.
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
pub(crate) async fn run(request: VerifyRequest) -> Result<()> {
    let dir = match &request.dir {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let home = dir.path().join("town");
    let mut fed = Federation::new(1)?;
    let store = fed.child(&home).await?;
    fed.write_documents(&store, request.matters).await?;
    let actions = Actions::new(store.clone(), std::sync::Arc::new(SystemClock))?;
    Projector::new(actions.clone()).drain_once().await?;
    drop(actions);
    store.close().await?;
    let program = std::env::current_exe()?.with_file_name("yishi-node");
    let mut figures = Figures::default();
    figures.add("database_bytes", fs::metadata(home.join("yishi.db"))?.len() as f64);
    for _ in 0..request.runs {
        let began = Instant::now();
        let mut child = Command::new(&program)
            .args(["verify", "--json"])
            .arg(&home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} beside this program", program.display()))?;
        let pid = child.id().context("it runs")?;
        let mut peak = 0;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            // Gone between the two looks: the last one counts.
            if let Ok(text) = fs::read_to_string(format!("/proc/{pid}/status")) {
                let kib = text.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
                peak = kib.and_then(|k| k.trim().parse::<u64>().ok()).unwrap_or(peak).max(peak);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        figures.add("seconds", began.elapsed().as_secs_f64());
        figures.add("peak_rss_bytes", (peak * 1024) as f64);
        let output = child.wait_with_output().await?;
        let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        ensure!(status.success(), "the database does not hold: {report:#}");
        let looked = |key: &str| report.get(key).and_then(serde_json::Value::as_u64).unwrap_or(0);
        ensure!(looked("documents") >= u64::from(request.matters), "not every document was looked at");
        ensure!(looked("signatures") >= 9 * u64::from(request.matters), "not every signature was checked");
    }
    figures.print(TARGETS);
    figures.write(request.json.as_deref(), &[("matters", u64::from(request.matters))])
}
