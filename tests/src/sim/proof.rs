//! The proof of the checkers: every planted bug is caught by one of them.

use super::{Failure, Plan, run};
use yishi_protocol::planted::{Bug, plant};

/// Which checker caught a bug, and with which seed.
#[derive(Debug, Clone)]
pub struct Caught {
    /// The bug.
    pub bug: Bug,
    /// The first seed that showed it; `None` if none did.
    pub found: Option<(u64, Failure)>,
}

/// Plants each bug in turn and runs seeds until a checker complains, at most so many. The switches are the
/// whole process's: nothing else may run beside it.
pub fn prove(bugs: &[Bug], seeds_max: u64, mut told: impl FnMut(&Caught)) -> Vec<Caught> {
    let mut all = Vec::new();
    for bug in bugs {
        let found = (0..seeds_max).find_map(|seed| {
            plant(Some(*bug));
            let failure = run(&Plan::of(seed)).err();
            plant(None);
            // Only what the bug alone does is its catch.
            failure.filter(|_| run(&Plan::of(seed)).is_ok()).map(|f| (seed, f))
        });
        let caught = Caught { bug: *bug, found };
        told(&caught);
        all.push(caught);
    }
    all
}
