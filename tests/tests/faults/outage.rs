//! A day without a line, in accelerated time: both clocks go on by an hour at a time, people write on both
//! sides every hour, and at the end of the day the plug is put in again.

use crate::{
    netns::Cable,
    pair::{Told, register},
    tools::needs,
};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The library that shows a process another time, also to its timers.
fn faketime() -> PathBuf {
    needs("faketime", "faketime");
    let dirs = std::fs::read_dir("/usr/lib").unwrap().map(|d| d.unwrap().path());
    let found = dirs.map(|d| d.join("faketime/libfaketimeMT.so.1")).find(|p| p.exists());
    found.expect("libfaketimeMT.so.1: Debian package faketime")
}

fn set_clock(file: &Path, hours: u64) {
    let draft = file.with_extension("new");
    std::fs::write(&draft, format!("+{}\n", hours * 3_600)).unwrap();
    std::fs::rename(draft, file).unwrap();
}

#[test]
fn a_day_without_a_line() {
    let clock = tempfile::NamedTempFile::new().unwrap();
    set_clock(clock.path(), 0);
    let cable = Cable::lay();
    let preload = format!("LD_PRELOAD={}", faketime().display());
    let file = format!("FAKETIME_TIMESTAMP_FILE={}", clock.path().display());
    let mut pair = cable.pair(&["env", &preload, &file, "FAKETIME_NO_CACHE=1"]);
    let mut told = Told::default();
    cable.plugged(false);
    for hour in 1..=24 {
        set_clock(clock.path(), hour);
        told.by_village.insert(register(&pair.village, &format!("第 {hour} 小时村里登记的一件。")).unwrap());
        told.by_town.insert(register(&pair.town, &format!("第 {hour} 小时镇上登记的一件。")).unwrap());
        std::thread::sleep(Duration::from_millis(150));
    }
    let link = pair.village.call("GET", "/link", None).unwrap()["up"].clone();
    assert_ne!(link["state"], "up", "{link}");
    assert!(link["waiting"].as_u64() >= Some(24), "{link}");
    let now = pair.village.call("GET", "/node", None).unwrap();
    cable.plugged(true);
    let began = Instant::now();
    let back = pair.back_in_step();
    println!(
        "a day without a line, 24 matters on each side: back in step {:.2} s after the plug went in; node: {now}",
        back.as_secs_f64()
    );
    assert!(began.elapsed() < Duration::from_secs(30));
    pair.holds(&told);
}
