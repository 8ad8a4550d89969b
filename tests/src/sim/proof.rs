//! The proof of the checkers: every planted bug is caught by one of them.
//!
//! First the stories that show a bug, which hold without it; then, for a bug that no story catches, random
//! seeds. The switches are the whole process's: nothing else may run beside it.

use super::{
    Failure, Plan, run,
    story::{self, Story},
};
use std::collections::BTreeMap;
use yishi_protocol::planted::{Bug, plant};

/// Worlds tried for a story: where hashes decide, one is the telling one.
const WORLDS: u64 = 3;

/// What showed a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A story, by its name.
    Story(&'static str),
    /// A seed.
    Seed(u64),
}

/// Which checker caught a bug, and how it came to that.
#[derive(Debug, Clone)]
pub struct Caught {
    /// The bug.
    pub bug: Bug,
    /// What showed it first, and what the checker said; `None` if nothing did.
    pub found: Option<(By, Failure)>,
    /// Stories that were to show it and did not, or that fail without it.
    pub broken: Vec<(&'static str, Failure)>,
}

/// What stories do without any bug, so that each is told so once.
type Held = BTreeMap<(&'static str, u64), Result<(), Failure>>;

/// Plants each bug in turn until a checker complains: in the stories that show it, then in so many seeds at most.
pub fn prove(bugs: &[Bug], seeds_max: u64, mut told: impl FnMut(&Caught)) -> Vec<Caught> {
    let mut held = Held::new();
    let mut all = Vec::new();
    for bug in bugs {
        let mut broken = Vec::new();
        let shows = |story: &&Story| story.shows.contains(bug);
        let mut found = None;
        for story in story::ALL.iter().filter(shows) {
            match showing(story, *bug, &mut held) {
                Ok(failure) => found = found.or(Some((By::Story(story.name), failure))),
                Err(why) => broken.push((story.name, why)),
            }
        }
        let seed = |seed| {
            plant(Some(*bug));
            let failure = run(&Plan::of(seed)).err();
            plant(None);
            // Only what the bug alone does is its catch.
            failure.filter(|_| run(&Plan::of(seed)).is_ok()).map(|f| (By::Seed(seed), f))
        };
        let found = found.or_else(|| (0..seeds_max).find_map(seed));
        let caught = Caught { bug: *bug, found, broken };
        told(&caught);
        all.push(caught);
    }
    all
}

/// What a checker says of the story with the bug. An error if none does, or one does without the bug.
fn showing(story: &Story, bug: Bug, held: &mut Held) -> Result<Failure, Failure> {
    let mut unseen = Failure { check: "story", what: "no checker sees the bug in it".into() };
    for world in 0..WORLDS {
        held.entry((story.name, world)).or_insert_with(|| story::tell(story, world)).clone()?;
        plant(Some(bug));
        let told = story::tell(story, world);
        plant(None);
        match told {
            // That it cannot be played to its end is nobody's notice.
            Err(failure) if failure.check == "story" => unseen = failure,
            Err(failure) => return Ok(failure),
            Ok(()) => {}
        }
    }
    Err(unseen)
}
