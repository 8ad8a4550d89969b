//! Steps this program cannot follow: of a newer kind, or bound to a version that is not here.
//!
//! Such a step is neither counted nor a violation (rules R4, R8). It holds the matter up only where its
//! author's place could have moved the matter: it follows the newest step, and its place is the holder or
//! above the holder. Then it has its place in the tree of steps, so that branches are compared as a newer
//! program would compare them, and whatever follows it waits with it; the standing stays that of the last
//! step that can be read.
//!
//! Nobody can freeze a matter so: the place itself, or one above it, takes the matter over and *sets aside*
//! the steps that cannot be read, naming the first of them. That verdict rests on nothing but the tree,
//! so it is the same once they can be read. Comments and support need no standing, tellings and ratings
//! only a reply, and a settlement chooses between branches whatever stands on them.

use super::{
    Author, Matter,
    chain::End,
    procedure::{StepKind, rules_of},
    proposal::Judge,
    rules::{self, Standing},
    verdict::{Verdict, Violation},
};
use crate::{
    act::{Act, Step},
    ids::{ActRef, Hash, PlaceId},
};
use serde::Serialize;

/// What is missing to follow a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A program that knows this kind of step.
    NewerKind,
    /// The procedure it pins.
    Procedure(Hash),
}

impl Why {
    /// The verdict of such a step, and of what rests on it.
    pub(super) fn verdict(self) -> Verdict {
        match self {
            Self::NewerKind => Verdict::NeedsNewer,
            Self::Procedure(_) => Verdict::Pending,
        }
    }
}

/// Where a chain goes on unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Unread {
    /// The first step that cannot be followed.
    pub(super) first: ActRef,
    /// Why not.
    pub(super) why: Why,
}

/// The step that holds a matter up, and who can help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldUp {
    /// The first step that cannot be followed.
    pub act: ActRef,
    /// Who took it.
    pub place: PlaceId,
    /// Why it cannot be followed.
    pub why: Why,
    /// The places that may take the matter over and set it aside, the nearest first.
    pub helpers: Vec<PlaceId>,
}

impl Judge<'_, '_> {
    /// Enters a step that cannot be followed, where its place could have moved the matter.
    pub(super) fn enter_unread(
        &mut self,
        t: usize,
        prev: Option<ActRef>,
        author: &Author,
        seen: End,
        why: Why,
    ) -> bool {
        let (End::At(_), Some(standing)) = (seen, self.standing(seen).copied()) else { return false };
        let Ok(act) = self.name(t) else { return false };
        let place = author.place;
        let over = place == standing.holder || self.chain.above(standing.holder).contains(&place);
        // What cannot be read may have given the matter back to its home.
        let back = standing.unread.is_some() && place == standing.home;
        if prev != Some(standing.tip) || !(over || back) {
            return false;
        }
        let unread = standing.unread.unwrap_or(Unread { first: act, why });
        let now = Standing { tip: act, tip_place: place, unread: Some(unread), ..standing };
        self.chain.enter_step(t, seen, place, now);
        true
    }

    /// Judges a step on top of one that cannot be followed; the flag says whether the chain has entered it.
    pub(super) fn on_unread(
        &mut self,
        t: usize,
        act: &Act<Step>,
        author: &Author,
        day: i64,
        seen: End,
        unread: Unread,
    ) -> (Verdict, bool) {
        match &act.what {
            Step::Register { .. } => (Verdict::Violation(Violation::AlreadyRegistered), false),
            Step::TakeOver { reason, sets_aside } if *sets_aside == Some(unread.first) => {
                match self.set_aside(t, act, &reason.0, author, day, seen) {
                    Ok(()) => (Verdict::Counted, true),
                    Err(verdict) => (verdict, false),
                }
            }
            // They move nothing.
            Step::Correct { .. } | Step::Settle { .. } => (unread.why.verdict(), false),
            _ => (unread.why.verdict(), self.enter_unread(t, act.prev, author, seen, unread.why)),
        }
    }

    fn set_aside(
        &mut self,
        t: usize,
        act: &Act<Step>,
        reason: &str,
        author: &Author,
        day: i64,
        seen: End,
    ) -> Result<(), Verdict> {
        let violated = |why| Err(Verdict::Violation(why));
        let standing = *self.standing(seen).ok_or(Verdict::Pending)?;
        if act.prev != Some(standing.tip) {
            return violated(Violation::NotNewest);
        }
        if !self.helpers(seen).contains(&author.place) {
            return violated(Violation::NotAbove);
        }
        if reason.trim().is_empty() {
            return violated(Violation::NoText);
        }
        let rule = rules_of(StepKind::TakeOver).next().ok_or(Verdict::Pending)?;
        let before = Standing { unread: None, ..standing };
        let now = rules::after(rule, &act.what, &before, self.name(t)?, author.place, day);
        let below = self.chain.path(seen).find(|at| self.is_read(*at));
        self.chain.enter(t, seen, below, author.place, now);
        Ok(())
    }

    fn is_read(&self, at: usize) -> bool {
        self.chain.branch(at).is_some_and(|b| b.standing.unread.is_none())
    }

    /// Who may set aside the steps at the end of a walk that cannot be followed: a place that is each of
    /// their places, or above it.
    fn helpers(&self, end: End) -> Vec<PlaceId> {
        let unread = self.chain.path(end).take_while(|at| !self.is_read(*at));
        let mut places: Vec<PlaceId> =
            unread.filter_map(|at| self.chain.branch(at).map(|b| b.place)).collect();
        places.dedup();
        let Some(first) = places.last().copied() else { return Vec::new() };
        let over = |over: PlaceId, place: PlaceId| over == place || self.chain.above(place).contains(&over);
        std::iter::once(first)
            .chain(self.chain.above(first).iter().copied())
            .filter(|helper| places.iter().all(|place| over(*helper, *place)))
            .collect()
    }

    /// What holds the matter up where a walk ended.
    pub(super) fn held_up(&self, end: End) -> Option<HeldUp> {
        let End::At(_) = end else { return None };
        let unread = self.standing(end)?.unread?;
        let first = self.chain.path(end).take_while(|at| !self.is_read(*at)).last()?;
        let place = self.chain.branch(first)?.place;
        Some(HeldUp { act: unread.first, place, why: unread.why, helpers: self.helpers(end) })
    }
}

impl Matter {
    /// Whether a place may take the matter over to set aside what holds it up.
    #[must_use]
    pub fn may_set_aside(&self, place: PlaceId) -> bool {
        self.held_up.as_ref().is_some_and(|h| h.helpers.contains(&place))
    }
}
