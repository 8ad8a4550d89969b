//! The tree of places as it is now: founded so, and moved since by the placements that count.
//!
//! A function of the set of records. Placements are taken in the order of how high their issuer stands, then
//! by number and name, again and again until none is added; one counts if its issuer's key spoke for its
//! place, it follows the last that counts of its place, and the issuer is above both the old and the new
//! parent, or is the parent that stays. So the higher of two that contradict each other wins. What was once
//! true of the tree stays known: signatures made under an old parent are judged by where the place ever was.

use super::{Directory, Placement};
use crate::{
    ids::{Hash, PlaceId},
    limits::CERT_CHAIN_MAX,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Where a place went.
#[derive(Debug, Clone)]
pub(super) struct Moved {
    /// The last placement that counts.
    pub(super) last: Arc<Placement>,
    name: Hash,
    /// Every parent a counting placement gave it.
    pub(super) parents: BTreeSet<PlaceId>,
}

impl Directory {
    /// Reads the tree anew from the placements whose issuers' keys count.
    pub(super) fn grow_tree(&mut self) {
        let mut waiting: Vec<(usize, u32, Hash, Arc<Placement>)> = self
            .placements
            .iter()
            .map(|(name, p)| (self.path(&p.issuer).count(), p.number, *name, p.clone()))
            .collect();
        waiting.sort_unstable_by_key(|(depth, number, name, _)| (*depth, *number, *name));
        self.tree.clear();
        loop {
            let before = waiting.len();
            waiting.retain(|(_, _, name, placement)| {
                // A later parent's key counts once the placement does that made it one.
                let fits = self.counts(&placement.issuer, name) && self.fits(placement);
                if fits {
                    let moved = self.tree.entry(placement.place);
                    let moved = moved.or_insert_with(|| Moved {
                        last: placement.clone(),
                        name: *name,
                        parents: BTreeSet::new(),
                    });
                    (moved.last, moved.name) = (placement.clone(), *name);
                    moved.parents.insert(placement.parent);
                }
                !fits
            });
            if waiting.len() == before {
                return;
            }
        }
    }

    /// Whether a placement holds in the tree as read so far.
    fn fits(&self, placement: &Placement) -> bool {
        let Some(issuer) = self.get(&placement.issuer).map(|c| c.place) else { return false };
        let last = self.tree.get(&placement.place);
        if placement.previous != last.map(|m| m.name) {
            return false;
        }
        let Some(old) = self.parent(&placement.place) else { return false };
        let over = |place: &PlaceId| *place == issuer || self.ever_above(place).contains(&issuer);
        let new_path = self.place_ancestors(&placement.parent);
        // Not under itself, and not deeper than chains may be.
        let circle = placement.parent == placement.place || new_path.contains(&placement.place);
        let deep = new_path.len() + 2 > CERT_CHAIN_MAX;
        let into =
            placement.into.is_none_or(|p| p != placement.place && self.ever_above(&p).contains(&issuer));
        over(&old) && over(&placement.parent) && into && !circle && !deep
    }

    /// The parent of a place now; `None` for the root and for places unknown here.
    #[must_use]
    pub fn parent(&self, place: &PlaceId) -> Option<PlaceId> {
        self.tree.get(place).map(|m| m.last.parent).or_else(|| self.founders.get(place).copied())
    }

    /// Every place that is or was the parent of a place, the present one first.
    #[must_use]
    pub fn parents(&self, place: &PlaceId) -> Vec<PlaceId> {
        let now = self.parent(place);
        let moved = self.tree.get(place).into_iter().flat_map(|m| m.parents.iter());
        let former = moved.chain(self.founders.get(place)).copied().filter(|p| Some(*p) != now);
        let mut out: Vec<PlaceId> = now.into_iter().collect();
        for parent in former {
            if !out.contains(&parent) {
                out.push(parent);
            }
        }
        out
    }

    /// The places above a place, parent first.
    #[must_use]
    pub fn place_ancestors(&self, place: &PlaceId) -> Vec<PlaceId> {
        let above = std::iter::successors(self.parent(place), |p| self.parent(p));
        above.take(CERT_CHAIN_MAX).collect()
    }

    /// Every place that is or ever was above a place, by any of its parents, their parents, and so on. What
    /// was signed under one of them stays judged by it.
    #[must_use]
    pub fn ever_above(&self, place: &PlaceId) -> BTreeSet<PlaceId> {
        over(place, |p| self.parents(p))
    }

    /// As [`Self::ever_above`] if every placement noted counted: grows with the records and never shrinks.
    pub(super) fn noted_above(&self, place: &PlaceId) -> BTreeSet<PlaceId> {
        over(place, |p| self.noted_parents(p))
    }

    /// The founder of a place, and every parent a noted placement gives it.
    pub(super) fn noted_parents(&self, place: &PlaceId) -> Vec<PlaceId> {
        let moved = self.placements.values().filter(|p| p.place == *place).map(|p| p.parent);
        moved.chain(self.founders.get(place).copied()).collect()
    }

    /// The places above a place, parent first, and after them those that once were.
    #[must_use]
    pub fn all_ancestors(&self, place: &PlaceId) -> Vec<PlaceId> {
        let mut all = self.place_ancestors(place);
        if !self.tree.is_empty() {
            all.extend(self.ever_above(place).into_iter().filter(|p| !all.contains(p)).collect::<Vec<_>>());
        }
        all
    }

    /// The last placement of a place that counts.
    #[must_use]
    pub fn placement(&self, place: &PlaceId) -> Option<&Placement> {
        self.tree.get(place).map(|m| &*m.last)
    }

    /// Every placement known, whether or not it counts.
    pub fn placements(&self) -> impl Iterator<Item = &Placement> {
        self.placements.values().map(|p| &**p)
    }

    /// Code, name and level of a place as they are now.
    #[must_use]
    pub fn called(&self, place: &PlaceId) -> Option<[&str; 3]> {
        if let Some(p) = self.placement(place) {
            return Some([&p.code, &p.name, &p.level]);
        }
        self.place_cert(place).map(|c| [c.code.as_str(), c.name.as_str(), c.level.as_str()])
    }

    /// The place that acts for a place now: itself, or the one it was merged into, and so on.
    #[must_use]
    pub fn stands_in(&self, place: &PlaceId) -> PlaceId {
        let mut seen = BTreeSet::from([*place]);
        let mut at = *place;
        while let Some(into) = self.placement(&at).and_then(|p| p.into) {
            // Merged into each other in a circle: each stays itself.
            if !seen.insert(into) {
                return *place;
            }
            at = into;
        }
        at
    }

    /// The places that were merged into this one and for which it acts.
    #[must_use]
    pub fn acts_for(&self, place: &PlaceId) -> BTreeSet<PlaceId> {
        let merged = self.tree.keys().filter(|p| *p != place && self.stands_in(p) == *place);
        merged.copied().collect()
    }

    /// Whose position above which moved places this place has taken: the former holder of the position, and the
    /// places that were moved.
    #[must_use]
    pub fn instead_of(&self, place: &PlaceId) -> BTreeMap<PlaceId, BTreeSet<PlaceId>> {
        let mut out: BTreeMap<PlaceId, BTreeSet<PlaceId>> = BTreeMap::new();
        for moved in self.tree.keys() {
            for (old, now) in self.former_paths(moved) {
                for (before, after) in old.into_iter().zip(now) {
                    if after == *place && before != after {
                        out.entry(before).or_default().insert(*moved);
                    }
                }
            }
        }
        out
    }

    /// The paths to the root that a place had before its own or a higher one was moved, each with the part of
    /// the present path that took its place: what the old path saw, the new one shall see.
    #[must_use]
    pub fn former_paths(&self, place: &PlaceId) -> Vec<(Vec<PlaceId>, Vec<PlaceId>)> {
        let mut out = Vec::new();
        if self.tree.is_empty() {
            return out;
        }
        let path: Vec<PlaceId> = std::iter::once(*place).chain(self.place_ancestors(place)).collect();
        for (i, at) in path.iter().enumerate() {
            let now = path.get(i + 1..).unwrap_or(&[]).to_vec();
            for former in self.parents(at).into_iter().skip(1) {
                let old = std::iter::once(former).chain(self.place_ancestors(&former)).collect();
                out.push((old, now.clone()));
            }
        }
        out
    }
}

/// Everything above a place by what `parents` says of each.
fn over(place: &PlaceId, parents: impl Fn(&PlaceId) -> Vec<PlaceId>) -> BTreeSet<PlaceId> {
    let (mut above, mut next) = (BTreeSet::new(), parents(place));
    while let Some(parent) = next.pop() {
        if above.insert(parent) {
            next.extend(parents(&parent));
        }
    }
    above.remove(place);
    above
}

#[cfg(test)]
mod tests;
