//! The places below, under which of those directly below each stands, and when each was last heard from.
//!
//! A place directly below is heard from over its line. What happens further down is told by the place between, whose
//! register says whom it has heard from: so a village counts as heard from on a day only if everybody on the way
//! to it was. Silence is never nothing: figures about a silent place are unknown.

use super::{
    ActionError, Actions,
    views::{HeardOf, PlaceView},
};
use crate::store::World;
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::ids::PlaceId;

/// One place below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlaceBelow {
    /// The place directly below that it is or stands under.
    pub(crate) child: PlaceId,
    /// The last day on which what is known here of it was true; `None` if it was never heard from.
    pub(crate) heard: Option<i64>,
    /// Whether nobody stands below it.
    pub(crate) is_leaf: bool,
}

/// All places below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Below(BTreeMap<PlaceId, PlaceBelow>);

impl Below {
    /// `lines`: the day each place directly below was heard from; `told`: who says of whom when it was.
    pub(crate) fn of(
        world: &World,
        lines: &BTreeMap<PlaceId, i64>,
        told: &BTreeMap<(PlaceId, PlaceId), Option<i64>>,
    ) -> Self {
        let (tree, me) = (&world.directory, world.me.place);
        let mut all: BTreeMap<PlaceId, PlaceBelow> = BTreeMap::new();
        let mut parents = BTreeSet::new();
        // A place whose certificate has not come yet is known by the word of the one above it.
        let above: BTreeMap<PlaceId, PlaceId> = told.keys().map(|(by, place)| (*place, *by)).collect();
        let parent = |place: &PlaceId| tree.parent(place).or_else(|| above.get(place).copied());
        let known: BTreeSet<PlaceId> = tree.places().map(|(p, _)| p).chain(above.keys().copied()).collect();
        for place in known {
            // What was merged into another is told of by that one.
            if place == me || tree.stands_in(&place) != place {
                continue;
            }
            let mut way = vec![place];
            let mut at = parent(&place);
            while let Some(above) = at.filter(|a| *a != me && !way.contains(a)) {
                way.push(above);
                at = parent(&above);
            }
            let (Some(child), true) = (way.last().copied(), at == Some(me)) else { continue };
            let mut heard = lines.get(&child).copied();
            for pair in way.windows(2).rev() {
                if let [lower, upper] = pair {
                    let said = told.get(&(*upper, *lower)).copied().flatten();
                    heard = heard.zip(said).map(|(a, b)| a.min(b));
                }
            }
            parents.extend(parent(&place));
            all.insert(place, PlaceBelow { child, heard, is_leaf: true });
        }
        for parent in parents {
            if let Some(place) = all.get_mut(&parent) {
                place.is_leaf = false;
            }
        }
        Self(all)
    }

    pub(crate) fn get(&self, place: &PlaceId) -> Option<&PlaceBelow> {
        self.0.get(place)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&PlaceId, &PlaceBelow)> {
        self.0.iter()
    }

    /// The places directly below.
    pub(crate) fn children(&self) -> impl Iterator<Item = PlaceId> {
        self.0.iter().filter(|(id, p)| **id == p.child).map(|(id, _)| *id)
    }

    /// A place directly below with all below it.
    pub(crate) fn under(&self, child: &PlaceId) -> Vec<PlaceId> {
        self.0.iter().filter(|(_, p)| p.child == *child).map(|(id, _)| *id).collect()
    }

    /// How many places without any below them were heard from on a day or since, of those under `child` or of all.
    pub(crate) fn heard_since(&self, day: i64, child: Option<&PlaceId>) -> HeardOf {
        let leaves = self.0.values().filter(|p| p.is_leaf && child.is_none_or(|c| p.child == *c));
        let mut of = HeardOf::default();
        for leaf in leaves {
            of.expected += 1;
            of.heard += usize::from(leaf.heard.is_some_and(|h| h >= day));
        }
        of
    }

    /// The day each was last heard from, −1 for never: what is late below and not heard of since is unknown.
    pub(crate) fn days(&self) -> BTreeMap<PlaceId, i64> {
        self.0.iter().map(|(id, p)| (*id, p.heard.unwrap_or(-1))).collect()
    }
}

impl Actions {
    /// The places below as they are now.
    pub(crate) async fn below(&self) -> Result<Below, ActionError> {
        let lines = self.heard_from(&self.store().link_states().await?).await?;
        let told = self.store().heard().await?;
        let told = told.into_iter().map(|h| ((h.said_by, h.place), h.day)).collect();
        Ok(Below::of(&self.world(), &lines, &told))
    }

    /// The place named so, as it is called now; `None` if there is none.
    pub(crate) fn place_called(&self, named: &str) -> Option<PlaceView> {
        let place = self.find_place(named).ok()?;
        Some(self.viewer(&self.world()).place(&place))
    }

    /// Whether places stand below this one.
    #[must_use]
    pub fn has_below(&self) -> bool {
        let world = self.world();
        let mut places = world.directory.places();
        places.any(|(p, _)| world.directory.parent(&p) == Some(world.me.place))
    }
}
