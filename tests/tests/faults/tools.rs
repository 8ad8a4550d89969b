//! What the faults need from outside, and numbers from `/proc`.

use std::process::{Command, Stdio};

/// Fails with the package's name if a program is missing.
pub(crate) fn needs(program: &str, package: &str) {
    let found =
        Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    assert!(found.unwrap().success(), "`{program}` is missing: install the Debian package {package}");
}

/// Runs a command that must succeed; what it said.
pub(crate) fn sh(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {words} (namespaces and mounts need root)");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The long form of the tests, for figures.
pub(crate) fn long() -> bool {
    std::env::var("YISHI_FAULTS").is_ok_and(|form| form == "long")
}

/// What a process uses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Resident memory now.
    pub(crate) rss_kib: u64,
    /// The most it ever was.
    pub(crate) peak_kib: u64,
    /// Processor time so far.
    pub(crate) cpu_ms: u64,
}

pub(crate) fn usage(pid: u32) -> Usage {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let kib = |name: &str| {
        let line = status.lines().find(|l| l.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // Behind the name, which may hold anything: fields 14 and 15 in ticks of 10 ms.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
    Usage { rss_kib: kib("VmRSS:"), peak_kib: kib("VmHWM:"), cpu_ms: 10 * (ticks(11) + ticks(12)) }
}

/// The middle one.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    assert!(!values.is_empty());
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
