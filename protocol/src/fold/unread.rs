//! Steps this program cannot follow: of a newer kind, or bound to a version that is not here.
//!
//! Such a step is neither counted nor a violation (rules R4, R8). It holds the matter up only where its
//! author's place could have moved the matter: it follows the newest step, and its place is the holder or
//! above the holder. Then it has its place in the tree of steps, so that branches are compared as a newer
//! program would compare them, and whatever follows it waits with it; the standing stays that of the last
//! step that can be read.
//!
//! Nobody can freeze a matter so: the place itself, or one above it, takes the matter over and *sets aside*
//! the steps that cannot be read, naming the first of them. What that asks is the same once they can be read:
//! which step it is, and who has written steps on top of it. Comments and support need no standing, tellings and ratings
//! only a reply, and a settlement chooses between branches whatever stands on them.

use super::{
    Author, Matter,
    chain::End,
    frame::{BUILT_IN, StepKind, rules_of},
    history::{Row, holds},
    proposal::{Judge, Read, STEPS, Seen},
    rules::{self, Standing},
    verdict::{Verdict, Violation},
};
use crate::{
    act::{Act, Step},
    change::Body,
    ids::{ActRef, Hash, PlaceId},
};
use serde::Serialize;
use std::collections::BTreeSet;

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
        let over = author.stands_for(&standing.holder)
            || self.chain.above(standing.holder).contains(&place)
            || self.chain.took_position(standing.holder).any(|p| p == place);
        // What cannot be read may have given the matter back to its home.
        let back = standing.unread.is_some() && author.stands_for(&standing.home);
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
        seen: End,
        unread: Unread,
    ) -> (Verdict, bool) {
        match &act.what {
            Step::Register { .. } => (Verdict::Violation(Violation::AlreadyRegistered), false),
            // They move nothing.
            Step::Correct { .. } | Step::Settle { .. } => (unread.why.verdict(), false),
            _ => (unread.why.verdict(), self.enter_unread(t, act.prev, author, seen, unread.why)),
        }
    }

    /// Judges a take-over that sets aside `first` and all that stands on it. Nothing it asks changes when
    /// the steps set aside can be followed one day.
    pub(super) fn set_aside(
        &mut self,
        t: usize,
        act: &Act<Step>,
        first: ActRef,
        author: &Author,
        day: i64,
        seen: End,
    ) -> Result<(), Verdict> {
        let violated = |why| Err(Verdict::Violation(why));
        let Step::TakeOver { reason, .. } = &act.what else { return violated(Violation::NothingToSetAside) };
        let Some(x) = self.chain.path(seen).find(|at| self.name(*at) == Ok(first) && self.goes_beyond(*at))
        else {
            return violated(Violation::NothingToSetAside);
        };
        let Some(below) = self.chain.branch(x).and_then(|b| b.below) else {
            return violated(Violation::NothingToSetAside);
        };
        let before = self.chain.branch(below).map(|b| b.standing).ok_or(Verdict::Pending)?;
        if let Some(unread) = before.unread {
            return Err(unread.why.verdict());
        }
        if !self.helpers(x, self.past.row(t)).contains(&author.place) {
            return violated(Violation::NotAbove);
        }
        if reason.0.trim().is_empty() {
            return violated(Violation::NoText);
        }
        let rule = rules_of(StepKind::TakeOver).next().ok_or(Verdict::Pending)?;
        let facts = Seen { judge: self, t, end: seen, standing: Some(&before), day };
        let now = rules::after(rule, &act.what, &before, self.name(t)?, author.place, day, &facts);
        self.chain.enter(t, seen, Some(below), author.place, now);
        Ok(())
    }

    /// Whether a step may be one that some program cannot follow, whether or not this one can.
    fn goes_beyond(&self, at: usize) -> bool {
        match self.slots.get(at).map(|slot| &slot.read) {
            Some(None) => true,
            Some(Some(Read::Step(Act { what: Step::Accept { procedure, .. }, .. }))) => {
                *procedure != BUILT_IN
            }
            _ => false,
        }
    }

    /// Who may set aside a step and all that stands on it within `known`: a place that is each of their
    /// authors' places, or above it.
    fn helpers(&self, x: usize, known: &Row) -> Vec<PlaceId> {
        let steps = self.history.nodes.iter().enumerate().skip(x).filter(|(at, node)| {
            let is_step = matches!(&node.change.body, Body::Act { container: STEPS, .. });
            is_step && (*at == x || holds(known, *at) && holds(self.past.row(*at), x))
        });
        let places: BTreeSet<PlaceId> = steps.filter_map(|(_, node)| Some(node.author?.place)).collect();
        let Some(own) = self.chain.branch(x).map(|b| b.place) else { return Vec::new() };
        let over = |over: PlaceId, place: PlaceId| over == place || self.chain.above(place).contains(&over);
        std::iter::once(own)
            .chain(self.chain.above(own).iter().copied())
            .filter(|helper| places.iter().all(|place| over(*helper, *place)))
            .collect()
    }

    /// What holds the matter up where a walk ended.
    pub(super) fn held_up(&self, end: End) -> Option<HeldUp> {
        let End::At(_) = end else { return None };
        let unread = self.standing(end)?.unread?;
        let is_read = |at: &usize| self.chain.branch(*at).is_some_and(|b| b.standing.unread.is_none());
        let first = self.chain.path(end).take_while(|at| !is_read(at)).last()?;
        let place = self.chain.branch(first)?.place;
        let helpers = self.helpers(first, &self.past.all());
        Some(HeldUp { act: unread.first, place, why: unread.why, helpers })
    }
}

impl Matter {
    /// Whether a place may take the matter over to set aside what holds it up.
    #[must_use]
    pub fn may_set_aside(&self, place: PlaceId) -> bool {
        self.held_up.as_ref().is_some_and(|h| h.helpers.contains(&place))
    }
}
