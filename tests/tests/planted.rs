//! Every planted bug is caught by a checker, and every story holds without its bug.
//!
//! A binary of its own with one test: the switch is the whole process's.

#![cfg(debug_assertions)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails loudly")]

use yishi_protocol::planted::Bug;
use yishi_tests::sim::proof::{By, prove};

/// Seeds for a bug that no story shows: the test would rather fail than take long.
const SEEDS_MAX: u64 = 20;

/// What people are told.
const FAULTS: &str = include_str!("../FAULTS.md");

#[test]
fn every_planted_bug_is_caught() {
    let caught = prove(Bug::ALL, SEEDS_MAX, |c| {
        let bug = c.bug;
        match &c.found {
            Some((By::Story(story), failure)) => {
                println!("{bug:?}: {} in {story}: {}", failure.check, failure.what)
            }
            Some((By::Seed(seed), failure)) => {
                println!("{bug:?}: {} with seed {seed}: {}", failure.check, failure.what)
            }
            None => println!("{bug:?}: NOT CAUGHT"),
        }
        for (story, why) in &c.broken {
            println!("{bug:?}: {story} does not show it: {why}");
        }
    });
    let missed: Vec<Bug> = caught.iter().filter(|c| c.found.is_none()).map(|c| c.bug).collect();
    assert!(missed.is_empty(), "no checker catches {missed:?}");
    for c in &caught {
        let Some((By::Story(story), failure)) = &c.found else { continue };
        let row = |l: &&str| l.starts_with(&format!("| `{:?}` | ", c.bug));
        let told = FAULTS.lines().find(row).unwrap_or_else(|| panic!("FAULTS.md has no row of {:?}", c.bug));
        let end = format!(" | `{}` | `{story}` |", failure.check);
        assert!(told.ends_with(&end), "FAULTS.md says “{told}”; seen was {end}");
    }
    let broken: Vec<_> = caught.iter().flat_map(|c| &c.broken).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}
