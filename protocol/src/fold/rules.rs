//! Whether one step is allowed where a chain stands, and where the chain stands after it.
//!
//! The fold and [`next`](super::next) ask the same functions, so that what the program offers and what
//! it counts cannot drift apart. What depends on more than the standing itself is asked through [`Facts`].

use super::{
    matter::SymbolicDeadline,
    procedure::{By, Follows, Holder, LIMITS, NO_LIMIT, Rule, Stage, StepKind, Then, rules_of},
    unread::Unread,
    verdict::Violation,
};
use crate::{
    act::Step,
    ids::{ActRef, DocId, Hash, PlaceId},
    planted::Bug,
};
use serde::Serialize;

/// Where a chain stands after one of its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Standing {
    pub(super) stage: Stage,
    pub(super) holder: PlaceId,
    pub(super) home: PlaceId,
    pub(super) tip: ActRef,
    pub(super) tip_kind: StepKind,
    pub(super) tip_place: PlaceId,
    pub(super) merged_into: Option<DocId>,
    pub(super) before_merge: Option<(Stage, Option<SymbolicDeadline>)>,
    pub(super) procedure: Option<Hash>,
    pub(super) calendar: Option<Hash>,
    pub(super) deadline: Option<SymbolicDeadline>,
    /// The newest answer or refusal.
    pub(super) reply: Option<ActRef>,
    /// The first step that closed the votes, until the matter is taken up again.
    pub(super) votes_closed: Option<ActRef>,
    /// Steps on top of what is told here that cannot be read; `tip` is then the last of them.
    pub(super) unread: Option<Unread>,
}

/// What a rule may ask beyond the standing.
pub(super) trait Facts {
    /// Whether the home place has told this reply.
    fn told(&self, reply: ActRef) -> bool;
    /// Whether this matter is absorbed now.
    fn absorbs(&self, doc: &DocId) -> bool;
    /// Whether the place is below the holder and has held the matter.
    fn may_return_to(&self, place: PlaceId) -> bool;
    /// Whether the place is above the holder.
    fn above_holder(&self, place: PlaceId) -> bool;
    /// This document.
    fn this(&self) -> DocId;
}

/// As whom a place acts: as itself where it is the holder; else as a place that was merged into it and is
/// the holder, or the home; else as itself.
pub(super) fn acting(
    kind: StepKind,
    standing: &Standing,
    place: PlaceId,
    stands_for: impl Fn(&PlaceId) -> bool,
) -> PlaceId {
    let turns: &[PlaceId] = match kind {
        // Only whoever wrote a step corrects it.
        StepKind::Correct => &[],
        StepKind::Withdraw => &[standing.home],
        _ => &[standing.holder, standing.home],
    };
    if turns.first() == Some(&place) {
        return place;
    }
    turns.iter().copied().find(|p| stands_for(p)).unwrap_or(place)
}

/// The row that lets `place` take such a step, whatever its content.
pub(super) fn may(
    kind: StepKind,
    standing: &Standing,
    place: PlaceId,
    facts: &impl Facts,
) -> Result<&'static Rule, Violation> {
    if kind == StepKind::Register {
        return Err(Violation::AlreadyRegistered);
    }
    let fits = |rule: &&Rule| {
        rule.from.contains(&standing.stage)
            && match rule.follows {
                Follows::Lead => standing.merged_into.is_some(),
                Follows::NoLead => standing.merged_into.is_none(),
                Follows::Any => true,
            }
    };
    let (holder, home) = (place == standing.holder || Bug::AnyHolder.planted(), place == standing.home);
    let who = |rule: &'static Rule| match rule.by {
        By::Home if !home => Err(Violation::NotHome),
        By::Holder if !holder => Err(Violation::NotHolder),
        By::HolderOrHome | By::HolderOrHomeOnceTold if !holder && !home => Err(Violation::NotHolderNorHome),
        By::AboveHolder if !facts.above_holder(place) => Err(Violation::NotAbove),
        By::AuthorOfTip if place != standing.tip_place => Err(Violation::NotOwnStep),
        // Settlements are judged where branches are known; without a fork there is nothing to settle.
        By::Settler => Err(Violation::NothingToSettle),
        _ => Ok(rule),
    };
    let Some(rule) = rules_of(kind).find(fits) else {
        // Whoever may not do it in any stage is told so rather than when others may.
        let rule = rules_of(kind).next().ok_or(Violation::WrongStage)?;
        return who(rule).and(Err(Violation::WrongStage));
    };
    let told = || standing.reply.is_some_and(|r| facts.told(r));
    match who(rule)?.by {
        By::HolderOrHomeOnceTold if !holder && !told() => Err(Violation::NotToldYet),
        _ => Ok(rule),
    }
}

/// Whether the step's content fits where the chain stands.
pub(super) fn fits(
    step: &Step,
    standing: &Standing,
    ancestors: &[PlaceId],
    facts: &impl Facts,
) -> Result<(), Violation> {
    let ensure = |ok: bool, why: Violation| if ok { Ok(()) } else { Err(why) };
    let said = |text: &crate::act::Text| ensure(!text.0.trim().is_empty(), Violation::NoText);
    match step {
        Step::Register { body, .. } => said(body),
        Step::Refuse { reason } | Step::Reopen { reason } => said(reason),
        Step::TakeOver { reason, sets_aside } => {
            // Where there is something to set aside, the fold does not come here.
            ensure(sets_aside.is_none(), Violation::NothingToSetAside)?;
            said(reason)
        }
        Step::Escalate { to, .. } => ensure(ancestors.first() == Some(to), Violation::NotParent),
        Step::Return { to, reason } => {
            ensure(facts.may_return_to(*to), Violation::NotBelow)?;
            said(reason)
        }
        Step::Merge { into } => ensure(*into != facts.this(), Violation::IntoItself),
        Step::Absorb { source } => {
            ensure(source.doc != facts.this(), Violation::IntoItself)?;
            ensure(!facts.absorbs(&source.doc), Violation::AlreadyAbsorbed)
        }
        Step::Release { source } => ensure(facts.absorbs(source), Violation::NotAbsorbed),
        Step::Answer { text, lead, lead_act, .. } => {
            let carried = standing.merged_into == *lead && lead.is_some() == lead_act.is_some();
            ensure(carried, Violation::WrongLead)?;
            said(text)
        }
        Step::Correct { target, title, body, category, text } => {
            // Words that people were told stand; whoever must, says something new.
            let said_already = facts.told(standing.tip);
            ensure(*target == standing.tip && !said_already, Violation::CorrectedTooLate)?;
            let of_register = title.is_some() || body.is_some() || category.is_some();
            let (registers, has_text) = correctable(standing.tip_kind);
            let fit = (!of_register || registers) && (text.is_none() || has_text);
            ensure(fit && (of_register || text.is_some()), Violation::NothingToCorrect)?;
            match body.as_ref().or(text.as_ref()) {
                Some(words) => said(words),
                None => Ok(()),
            }
        }
        Step::Accept { .. }
        | Step::Handle { .. }
        | Step::Unmerge {}
        | Step::Decide { .. }
        | Step::Close { .. }
        | Step::Withdraw { .. }
        | Step::Settle { .. } => Ok(()),
    }
}

/// What a step of this kind has to correct: the fields of a registration; a text of its own.
pub(super) fn correctable(kind: StepKind) -> (bool, bool) {
    use StepKind::{
        Absorb, Accept, Answer, Close, Correct, Decide, Escalate, Handle, Merge, Refuse, Register, Release,
        Reopen, Return, Settle, TakeOver, Unmerge, Withdraw,
    };
    match kind {
        Register => (true, false),
        Refuse | Handle | Escalate | Return | Answer | Close | Reopen | Withdraw | TakeOver => (false, true),
        Accept | Merge | Unmerge | Absorb | Release | Decide | Correct | Settle => (false, false),
    }
}

/// Where a chain stands after its registration.
pub(super) fn registered(home: PlaceId, act: ActRef, day: i64) -> Standing {
    Standing {
        stage: Stage::Registered,
        holder: home,
        home,
        tip: act,
        tip_kind: StepKind::Register,
        tip_place: home,
        merged_into: None,
        before_merge: None,
        procedure: None,
        calendar: None,
        deadline: limit(Stage::Registered, None, act, day),
        reply: None,
        votes_closed: None,
        unread: None,
    }
}

/// What is due in a stage entered by `act` on `day` with `running` before.
fn limit(stage: Stage, running: Option<SymbolicDeadline>, act: ActRef, day: i64) -> Option<SymbolicDeadline> {
    if NO_LIMIT.contains(&stage) {
        return None;
    }
    let Some(limit) = LIMITS.iter().find(|l| l.stage == stage) else { return running };
    match running {
        Some(r) if !limit.restarts && r.what == limit.what => running,
        _ => Some(SymbolicDeadline {
            from_day: day,
            since: act,
            working_days: limit.working_days,
            what: limit.what,
        }),
    }
}

/// Where the chain stands after an allowed step.
pub(super) fn after(
    rule: &Rule,
    step: &Step,
    before: &Standing,
    act: ActRef,
    place: PlaceId,
    day: i64,
) -> Standing {
    let mut now = Standing { tip: act, tip_kind: StepKind::from(step), tip_place: place, ..*before };
    match step {
        Step::Accept { procedure, calendar } => {
            (now.procedure, now.calendar) = (Some(*procedure), Some(*calendar));
        }
        Step::Merge { into } => {
            now.merged_into = Some(*into);
            now.before_merge = Some((before.stage, before.deadline));
        }
        Step::Unmerge {} | Step::Reopen { .. } => (now.merged_into, now.before_merge) = (None, None),
        Step::Answer { .. } | Step::Refuse { .. } => now.reply = Some(act),
        _ => {}
    }
    if now.tip_kind.closes_votes() {
        now.votes_closed = before.votes_closed.or(Some(act));
    } else if now.tip_kind == StepKind::Reopen {
        now.votes_closed = None;
    }
    match rule.then {
        Then::Stay => {}
        Then::Go(stage) => {
            now.stage = stage;
            now.deadline = limit(stage, before.deadline, act, day);
        }
        Then::BeforeMerge => {
            if let Some((stage, deadline)) = before.before_merge {
                (now.stage, now.deadline) = (stage, deadline);
            }
        }
    }
    match (rule.holder, step) {
        (Holder::Named, Step::Escalate { to, .. } | Step::Return { to, .. }) => now.holder = *to,
        (Holder::Signer, _) => {
            now.holder = place;
            // The new holder gets the time the stage allows.
            if let Some(deadline) = &mut now.deadline {
                (deadline.from_day, deadline.since) = (day, act);
            }
        }
        (Holder::Home, _) => now.holder = before.home,
        (Holder::Stay | Holder::Named, _) => {}
    }
    now
}
