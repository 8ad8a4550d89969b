//! Whether one step is allowed where a chain stands, and where the chain stands after it.
//!
//! The fold and [`next`](super::next) ask the same functions, so that what the program offers and what
//! it counts cannot drift apart. What depends on more than the standing itself is asked through [`Facts`].

use super::{
    frame::{By, Follows, Holder, LIMITS, NO_LIMIT, Rule, Stage, StepKind, Then, rules_of},
    gates::Lack,
    matter::SymbolicDeadline,
    unread::Unread,
    verdict::Violation,
};
use crate::{
    act::Step,
    ids::{ActRef, DocId, Hash, PlaceId},
    planted::Bug,
    procedure::{Grade, Limit as StageLimit, Procedure, Urgency},
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
    /// The place that bound it.
    pub(super) bound_by: Option<PlaceId>,
    pub(super) calendar: Option<Hash>,
    /// The stage of the pinned procedure, while the matter is in one.
    pub(super) at: Option<u16>,
    /// The step that entered it.
    pub(super) entered: Option<ActRef>,
    pub(super) grade: Grade,
    pub(super) urgency: Urgency,
    /// The day since when no time runs.
    pub(super) paused: Option<i64>,
    /// Working days by which limits were extended.
    pub(super) extended: u16,
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
    /// A procedure by its pin.
    fn procedure(&self, pin: &Hash) -> Option<&Procedure>;
    /// The gates that are not open, to leave the stage with a step of this day.
    fn lacks(&self, procedure: &Procedure, standing: &Standing) -> Vec<Lack>;
}

/// Whether the pinned procedure lets the matter be decided or answered.
fn may_end(standing: &Standing, facts: &impl Facts) -> Result<(), Violation> {
    let Some(procedure) = standing.procedure.as_ref().and_then(|pin| facts.procedure(pin)) else {
        return Ok(());
    };
    // Passed up, given back or taken up again, it waits to be taken up by whoever holds it now.
    let stage = standing.at.and_then(|at| procedure.stage(at)).ok_or(Violation::StageForbids)?;
    if stage.early_end.contains(&standing.grade) {
        return Ok(());
    }
    if !stage.end {
        return Err(Violation::StageForbids);
    }
    open(procedure, standing, facts)
}

/// Whether the gates of the stage are open.
fn open(procedure: &Procedure, standing: &Standing, facts: &impl Facts) -> Result<(), Violation> {
    facts.lacks(procedure, standing).first().map_or(Ok(()), |lack| Err(lack.why))
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
    if matches!(who(rule)?.by, By::HolderOrHomeOnceTold) && !holder && !told() {
        return Err(Violation::NotToldYet);
    }
    match (kind, standing.paused) {
        (StepKind::Resume, None) => return Err(Violation::NotPaused),
        (StepKind::Resume | StepKind::TakeOver | StepKind::Withdraw | StepKind::Correct, _) | (_, None) => {}
        (_, Some(_)) => return Err(Violation::Paused),
    }
    match kind {
        StepKind::Advance => match standing.at {
            Some(_) => Ok(rule),
            None => Err(Violation::NoProcedure),
        },
        // A reply carried from the lead is the lead's; a second reply corrects the first.
        StepKind::Decide | StepKind::Answer
            if standing.merged_into.is_none() && standing.stage != Stage::Answered =>
        {
            may_end(standing, facts).map(|()| rule)
        }
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
        Step::Escalate { to, .. } => {
            ensure(ancestors.first() == Some(to), Violation::NotParent)?;
            let procedure = standing.procedure.as_ref().and_then(|pin| facts.procedure(pin));
            match procedure.zip(standing.at).and_then(|(p, at)| p.stage(at).map(|s| (p, s))) {
                // Passed up within the procedure; without such a way the matter leaves it.
                Some((procedure, stage)) if stage.up.is_some() => open(procedure, standing, facts),
                _ => Ok(()),
            }
        }
        Step::Return { to, reason } => {
            ensure(facts.may_return_to(*to), Violation::NotBelow)?;
            said(reason)
        }
        Step::Advance { to, reason } => {
            let procedure = standing.procedure.as_ref().and_then(|pin| facts.procedure(pin));
            let procedure = procedure.ok_or(Violation::NoProcedure)?;
            let stage = standing.at.and_then(|at| procedure.stage(at)).ok_or(Violation::NoProcedure)?;
            if stage.go.contains(to) {
                return open(procedure, standing, facts);
            }
            ensure(stage.back.contains(to), Violation::NotAWay)?;
            reason.as_ref().map_or(Err(Violation::NoText), said)
        }
        Step::Accept { procedure, grade, urgency, .. } => {
            let known = grade.as_deref().is_none_or(|g| Grade::from_name(g).is_some())
                && urgency.as_deref().is_none_or(|u| Urgency::from_name(u).is_some());
            ensure(known, Violation::UnknownGrade)?;
            rebind(procedure, standing, facts)
        }
        Step::Assign { unit, .. } => ensure(!unit.trim().is_empty(), Violation::NoText),
        Step::Extend { working_days, reason } => {
            said(reason)?;
            let procedure = standing.procedure.as_ref().and_then(|pin| facts.procedure(pin));
            let most = procedure.map_or(EXTEND_DAYS_MAX, |p| p.extend_days_max);
            let asked = working_days.saturating_add(i64::from(standing.extended));
            ensure(
                *working_days >= 1 && asked <= i64::from(most) && standing.deadline.is_some(),
                Violation::TooMuchTime,
            )
        }
        Step::Pause { reason } => said(reason),
        Step::Refer { to, reason } => {
            ensure(!to.trim().is_empty(), Violation::NoText)?;
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
        Step::Handle { .. }
        | Step::Resume { .. }
        | Step::Unmerge {}
        | Step::Decide { .. }
        | Step::Close { .. }
        | Step::Withdraw { .. }
        | Step::Settle { .. } => Ok(()),
    }
}

/// Working days by which limits may be extended in all where no procedure says otherwise.
const EXTEND_DAYS_MAX: u16 = 30;

/// Whether the matter may be bound to this procedure after what it was bound to before (rule R4): pins never
/// go back, and whoever bound it does not get rid of its gates by binding it to something else.
fn rebind(pin: &Hash, standing: &Standing, facts: &impl Facts) -> Result<(), Violation> {
    let (Some(before), Some(by)) = (&standing.procedure, standing.bound_by) else { return Ok(()) };
    if before == pin || Bug::PinGoingBack.planted() {
        return Ok(());
    }
    let old = facts.procedure(before);
    match (old, facts.procedure(pin)) {
        (Some(old), Some(new)) if old.id == new.id && new.version < old.version => {
            Err(Violation::PinWentBack)
        }
        (Some(old), Some(new)) if old.id == new.id => Ok(()),
        (Some(_), _) if by == standing.holder => Err(Violation::OtherProcedure),
        _ => Ok(()),
    }
}

/// What a step of this kind has to correct: the fields of a registration; a text of its own.
pub(super) fn correctable(kind: StepKind) -> (bool, bool) {
    use StepKind::{
        Absorb, Accept, Advance, Answer, Assign, Close, Correct, Decide, Escalate, Extend, Handle, Merge,
        Pause, Refer, Refuse, Register, Release, Reopen, Resume, Return, Settle, TakeOver, Unmerge, Withdraw,
    };
    match kind {
        Register => (true, false),
        Refuse | Refer | Handle | Escalate | Return | Answer | Close | Reopen | Withdraw | TakeOver
        | Extend | Pause => (false, true),
        Accept | Advance | Assign | Resume | Merge | Unmerge | Absorb | Release | Decide | Correct
        | Settle => (false, false),
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
        bound_by: None,
        calendar: None,
        at: None,
        entered: None,
        grade: Grade::Ordinary,
        urgency: Urgency::Normal,
        paused: None,
        extended: 0,
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
            hours: None,
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
    facts: &impl Facts,
) -> Standing {
    let mut now = Standing { tip: act, tip_kind: StepKind::from(step), tip_place: place, ..*before };
    match step {
        Step::Accept { procedure, calendar, grade, urgency } => {
            (now.procedure, now.calendar) = (Some(*procedure), Some(*calendar));
            let grade = grade.as_deref().and_then(Grade::from_name);
            let urgency = urgency.as_deref().and_then(Urgency::from_name);
            now.grade = grade.unwrap_or(before.grade);
            now.urgency = urgency.unwrap_or(before.urgency);
            if before.procedure != Some(*procedure) {
                now.bound_by = Some(place);
            }
            // Within the procedure it was passed up or down to a stage; else it begins in the first.
            let stays = before.procedure == Some(*procedure) && before.at.is_some();
            let begins = facts.procedure(procedure).is_some_and(|p| !p.stages.is_empty());
            now.at = if stays { before.at } else { begins.then_some(0) };
            now.entered = now.at.map(|_| act);
            now.extended = 0;
        }
        Step::Pause { .. } => now.paused = Some(day),
        Step::Resume { .. } => {
            // What was left is left still.
            if let (Some(deadline), Some(since)) = (&mut now.deadline, before.paused) {
                deadline.from_day = deadline.from_day.saturating_add((day - since).max(0));
                deadline.since = act;
            }
            now.paused = None;
        }
        Step::Extend { working_days, .. } => {
            let more = u16::try_from(*working_days).unwrap_or(0);
            now.extended = now.extended.saturating_add(more);
            if let Some(deadline) = &mut now.deadline {
                deadline.working_days = deadline.working_days.saturating_add(more);
            }
        }
        Step::Merge { into } => {
            now.merged_into = Some(*into);
            now.before_merge = Some((before.stage, before.deadline));
        }
        Step::Unmerge {} => (now.merged_into, now.before_merge) = (None, None),
        Step::Reopen { .. } => {
            (now.merged_into, now.before_merge) = (None, None);
            (now.at, now.entered) = (None, None);
        }
        Step::Answer { .. } | Step::Refuse { .. } | Step::Refer { .. } => now.reply = Some(act),
        Step::TakeOver { .. } => now.paused = None,
        _ => {}
    }
    let procedure = before.procedure.as_ref().and_then(|pin| facts.procedure(pin));
    if let Some(procedure) = procedure {
        let stage = before.at.and_then(|at| procedure.stage(at));
        let to = match step {
            Step::Advance { to, .. } => Some(Some(to)),
            Step::Escalate { .. } => Some(stage.and_then(|s| s.up.as_ref())),
            Step::Return { .. } => Some(stage.and_then(|s| s.down.as_ref())),
            _ => None,
        };
        if let Some(to) = to {
            now.at = to.and_then(|to| procedure.stage_named(to));
            now.entered = now.at.map(|_| act);
            now.extended = 0;
        }
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
    if matches!(step, Step::Accept { .. } | Step::Advance { .. }) {
        stage_limit(&mut now, act, day, facts);
    }
    now
}

/// What is due in the stage of a procedure that was just entered; without a limit of its own that of the
/// reply goes on.
fn stage_limit(now: &mut Standing, act: ActRef, day: i64, facts: &impl Facts) {
    let procedure = now.procedure.as_ref().and_then(|pin| facts.procedure(pin));
    let Some(stage) = procedure.zip(now.at).and_then(|(p, at)| p.stage(at)) else { return };
    let (working_days, hours) = match stage.limit(now.urgency) {
        Some(StageLimit::WorkingDays(days)) => (days, None),
        Some(StageLimit::Hours(hours)) => (hours.div_ceil(24), Some(hours)),
        None => return,
    };
    let what = if stage.end { "answer" } else { "advance" };
    now.deadline = Some(SymbolicDeadline { from_day: day, since: act, working_days, hours, what });
}
