//! Room in a document: whoever is above always finds some that those below cannot take.
//!
//! A document is bounded, and everybody who sees it may write into it. So the bound depends on who writes:
//! a quarter of the whole for places beside the home's path, half for the home, three quarters for its
//! parent, all for the places above. What stands under a change of a place with more room has that room
//! too: a node that took it in under its own bound can always pass on what it built on it, and nodes that
//! heard of different changes first do not stay different.

use crate::{
    cert::Directory,
    header::Header,
    ids::{ChangeHash, PlaceId},
    kind::Writers,
    limits::{DOCUMENT_BYTES_MAX, DOCUMENT_CHANGES_MAX},
};
use std::collections::BTreeMap;

/// How many quarters of a document are open to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Room(u8);

const BESIDE: Room = Room(1);
const HOME: Room = Room(2);
const PARENT: Room = Room(3);
const ALL: Room = Room(4);

impl Room {
    /// The room of a place in a document.
    #[must_use]
    pub fn of(directory: &Directory, header: &Header, place: &PlaceId) -> Self {
        let home_alone = header.kind.containers().iter().all(|c| c.writers == Writers::Home);
        let above = directory.place_ancestors(&header.home);
        let rank = if *place == header.home {
            Some(0)
        } else {
            above.iter().position(|p| p == place).map(|n| n + 1)
        };
        match rank {
            None => BESIDE,
            // Nobody else writes, or nobody is above.
            Some(_) if home_alone => ALL,
            Some(n) if n == above.len() => ALL,
            Some(0) => HOME,
            Some(1) => PARENT,
            Some(_) => ALL,
        }
    }

    /// Whether a document of this many changes and bytes is within it.
    #[must_use]
    pub fn holds(self, changes: usize, bytes: u64) -> bool {
        let quarters = usize::from(self.0);
        changes <= DOCUMENT_CHANGES_MAX / 4 * quarters && bytes <= DOCUMENT_BYTES_MAX / 4 * u64::from(self.0)
    }
}

/// One change that came, in an order in which dependencies come first.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) hash: ChangeHash,
    pub(crate) deps: Vec<ChangeHash>,
    pub(crate) room: Room,
    /// Its size, if it was not here before.
    pub(crate) fresh: Option<usize>,
}

/// Whether all that came finds room beside what is here.
pub(crate) fn suffices(changes: usize, bytes: u64, arrived: &[Arrived]) -> bool {
    let mut rooms: BTreeMap<ChangeHash, Room> = BTreeMap::new();
    for change in arrived.iter().rev() {
        let room = rooms.get(&change.hash).copied().map_or(change.room, |above| above.max(change.room));
        rooms.insert(change.hash, room);
        for dep in &change.deps {
            let below = rooms.entry(*dep).or_insert(room);
            *below = room.max(*below);
        }
    }
    let (mut changes, mut bytes) = (changes, bytes);
    arrived.iter().all(|change| {
        let Some(size) = change.fresh else { return true };
        changes += 1;
        bytes = bytes.saturating_add(size as u64);
        rooms.get(&change.hash).is_some_and(|room| room.holds(changes, bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(n: u8, deps: &[u8], room: Room) -> Arrived {
        let deps = deps.iter().map(|d| ChangeHash([*d; 32])).collect();
        Arrived { hash: ChangeHash([n; 32]), deps, room, fresh: Some(100) }
    }

    #[test]
    fn each_rank_has_room_that_those_below_cannot_take() {
        let quarter = DOCUMENT_CHANGES_MAX / 4;
        for (n, room) in (1..).zip([BESIDE, HOME, PARENT, ALL]) {
            assert!(room.holds(n * quarter, 0) && !room.holds(n * quarter + 1, 0));
            assert!(!room.holds(1, DOCUMENT_BYTES_MAX / 4 * n as u64 + 1));
        }
    }

    #[test]
    fn what_somebody_above_built_on_has_his_room() {
        let full = DOCUMENT_CHANGES_MAX / 4;
        assert!(suffices(full - 1, 0, &[arrived(1, &[], BESIDE)]));
        assert!(!suffices(full, 0, &[arrived(1, &[], BESIDE)]));
        let built = [arrived(1, &[], BESIDE), arrived(2, &[1], BESIDE), arrived(3, &[2], PARENT)];
        assert!(suffices(full, 0, &built));
        let beside = [arrived(1, &[], BESIDE), arrived(2, &[], PARENT)];
        assert!(!suffices(full, 0, &beside), "not what only came along");
        let known = [Arrived { fresh: None, ..arrived(1, &[], BESIDE) }];
        assert!(suffices(full * 4, 0, &known), "what is here already takes none");
    }
}
