//! A tiny fleet plays through: the bench that measures a prefecture keeps working, and loses nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use std::process::Command;

#[test]
fn a_tiny_fleet_loses_nothing_and_comes_back_after_a_cut() {
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("fleet.json");
    let played = Command::new(env!("CARGO_BIN_EXE_yishi-bench"))
        .args(["fleet", "--villages", "6", "--townships", "2", "--matters", "60", "--dir"])
        .arg(dir.path())
        .arg("--json")
        .arg(&json)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&played.stderr);
    assert!(played.status.success(), "{said}");
    let figures: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let figure = |key: &str| figures[key].as_f64().unwrap_or_else(|| panic!("no {key} in {figures}"));
    assert_eq!(figure("lost"), 0.0, "{figures}");
    assert_eq!(figure("power_cut.starved"), 0.0, "{figures}");
    assert_eq!(figure("nodes"), 9.0);
    assert!(figure("escalated") >= 18.0 && figure("outcomes_back") == figure("escalated"), "{figures}");
    // 9 changes of every matter in village and township, more of those that were decided.
    assert!(figure("villages.changes_stored") >= 9.0 * 60.0, "{figures}");
    // A transaction of a village holds ten matters.
    assert!(figure("fsync.transactions") > 6.0 && figure("district.peak_rss_bytes") > 0.0, "{figures}");
    assert!(figure("seconds") > 0.0 && figure("power_cut.seconds") > 0.0);
}
