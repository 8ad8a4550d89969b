//! A process that stands still (SIGSTOP: a machine that swaps, a suspended guest) for four times the time
//! after which a link counts as down.

use crate::pair::{Pair, Told, register};
use std::time::{Duration, Instant};

/// Links here count as down after 2.5 s; in the field after 90 s, so this is six minutes.
const STANDS_STILL: Duration = Duration::from_secs(10);

fn stands_still(village: bool) {
    let mut pair = Pair::start();
    let mut told = Told::default();
    let (still, other) = if village { (&pair.village, &pair.town) } else { (&pair.town, &pair.village) };
    still.signal("STOP");
    let began = Instant::now();
    let mut slowest = Duration::ZERO;
    let mut waited = Vec::new();
    while began.elapsed() < STANDS_STILL {
        // Whoever is awake works alone, at its own speed.
        let asked = Instant::now();
        waited.push(register(other, "村口路灯不亮，晚上看不见路。").unwrap());
        slowest = slowest.max(asked.elapsed());
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(slowest < Duration::from_secs(5), "the other side waited: {slowest:?}");
    if !village {
        let state = other.call("GET", "/link", None).unwrap()["up"].clone();
        assert_ne!(state["state"], "up", "a parent that stands still is shown as reached: {state}");
        assert!(state["waiting"].as_u64() >= Some(waited.len() as u64), "{state}");
    }
    still.signal("CONT");
    let back = pair.back_in_step();
    println!(
        "SIGSTOP of the {} for {} s: the other answered within {:.0} ms; back in step {:.2} s after SIGCONT",
        if village { "village" } else { "township" },
        STANDS_STILL.as_secs(),
        slowest.as_secs_f64() * 1_000.0,
        back.as_secs_f64(),
    );
    if village { &mut told.by_town } else { &mut told.by_village }.extend(waited);
    pair.holds(&told);
}

#[test]
fn a_parent_that_stands_still_holds_nobody_up() {
    stands_still(false);
}

#[test]
fn a_child_that_stands_still_holds_nobody_up() {
    stands_still(true);
}
