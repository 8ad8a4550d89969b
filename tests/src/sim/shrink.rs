//! From a failing run to the shortest one that fails in the same way.
//!
//! Delta debugging: leave out halves, then quarters, and so on to single events, as long as the same
//! checker still complains.

use super::{Failure, Plan, run};

/// Runs tried at the most: a shorter trace is worth some seconds, not minutes.
const TRIES_MAX: usize = 400;

/// The shortest plan found, and what it fails with.
#[must_use]
pub fn shrink(plan: &Plan, failure: &Failure) -> (Plan, Failure) {
    let mut best = (plan.clone(), failure.clone());
    let mut size = best.0.events.len().div_ceil(2);
    let mut tries = 0;
    while size > 0 && tries < TRIES_MAX {
        let mut from = 0;
        let mut shorter = false;
        while from < best.0.events.len() && tries < TRIES_MAX {
            let mut events = best.0.events.clone();
            events.drain(from..(from + size).min(events.len()));
            let candidate = Plan { events, ..best.0.clone() };
            tries += 1;
            match run(&candidate) {
                Err(found) if found.check == failure.check => {
                    best = (candidate, found);
                    shorter = true;
                }
                _ => from += size,
            }
        }
        if !shorter || size > 1 {
            size /= 2;
        }
    }
    best
}

/// A failing run as people read it: the seed, the commit, the events in order.
#[must_use]
pub fn told(plan: &Plan, failure: &Failure) -> String {
    let commit = std::process::Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    let commit = commit.ok().filter(|o| o.status.success());
    let commit = commit.map_or("unknown".into(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
    let mut text = format!("{failure}\nseed {} at commit {commit}, places {:?}\n", plan.seed, plan.shape.0);
    for (n, event) in plan.events.iter().enumerate() {
        text.push_str(&format!("{n:4}  {event:?}\n"));
    }
    text.push_str(&format!("again: tests/run sim --seed {}\n", plan.seed));
    text
}
