//! Which day an act counts as (rule R7), from what its author knew and nothing else.
//!
//! The fold knows only claims, and one claim may be absurd: a clock that has run away, or a wish to have
//! no deadline. So of the claims of counted acts in the past the two newest of *different places* are
//! kept. What two places have claimed is *confirmed*, and no later act is before it. What one place alone
//! has claimed pulls a later act up only if it is near what that act claims itself: an absurd claim
//! neither excuses nor accuses others, and its own place is free of it once its clock is right. And a
//! claim far beyond all that others have claimed is a violation.
//!
//! A lie of some weeks cannot be told from a slow clock by claims. It helps nobody: who supervises counts
//! from the day an act was stored at his own node, if that is earlier than what the act claims.

use crate::{ids::PlaceId, limits::DAY_PULL_MAX, planted::Bug};

/// The newest claims of the two places that claim most, in one change's past.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Days {
    newest: Option<(i64, PlaceId)>,
    other: Option<(i64, PlaceId)>,
}

impl Days {
    /// What several changes know together.
    pub(super) fn of(known: impl Iterator<Item = Self>) -> Self {
        known.fold(Self::default(), |mut all, one| {
            for (day, place) in one.newest.into_iter().chain(one.other) {
                all.claim(day, place);
            }
            all
        })
    }

    /// Takes note of a counted act.
    pub(super) fn claim(&mut self, day: i64, place: PlaceId) {
        let (mut first, mut second) = (Some((day, place)), None);
        for known in self.newest.into_iter().chain(self.other) {
            match first {
                Some((day, of)) if known.1 == of => first = Some((day.max(known.0), of)),
                Some(one) if known > one => (first, second) = (Some(known), first.max(second)),
                _ => second = second.max(Some(known)),
            }
        }
        (self.newest, self.other) = (first, second);
    }

    /// The day an act counts as that claims `claimed`.
    pub(super) fn day(&self, claimed: i64) -> i64 {
        if Bug::ClaimUnclamped.planted() {
            return claimed;
        }
        let near = self.newest.map(|(day, _)| day).filter(|day| *day <= claimed.saturating_add(DAY_PULL_MAX));
        claimed.max(near.unwrap_or_else(|| self.confirmed()))
    }

    /// What two places have claimed; 0 if there are not two.
    fn confirmed(&self) -> i64 {
        self.other.map_or(0, |(day, _)| day)
    }

    /// The day an act is shown at that claims none.
    pub(super) fn without_claim(&self) -> i64 {
        self.other.or(self.newest).map_or(0, |(day, _)| day)
    }

    /// The newest claim of a place other than this one.
    pub(super) fn of_others(&self, place: PlaceId) -> Option<i64> {
        self.newest.into_iter().chain(self.other).find(|(_, of)| *of != place).map(|(day, _)| day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_two_newest_of_different_places_in_whatever_order(
            claims in prop::collection::vec((0..50i64, 0..4u8), 0..12),
            split in 0..12usize,
        ) {
            let places = |n: u8| PlaceId([n; 16]);
            let mut one_by_one = Days::default();
            for (day, n) in &claims {
                one_by_one.claim(*day, places(*n));
            }
            let newest_of = |n: u8| claims.iter().filter(|c| c.1 == n).map(|c| (c.0, places(n))).max();
            let mut newest: Vec<_> = (0..4).filter_map(newest_of).collect();
            newest.sort_unstable();
            let expected = Days { newest: newest.pop(), other: newest.pop() };
            prop_assert_eq!(one_by_one, expected);
            let (a, b) = claims.split_at(split.min(claims.len()));
            let of = |part: &[(i64, u8)]| part.iter().fold(Days::default(), |mut all, (day, n)| {
                all.claim(*day, places(*n));
                all
            });
            prop_assert_eq!(Days::of([of(b), of(a)].into_iter()), expected);
        }
    }
}
