//! The fold of one matter: every act judged by what its author knew.
//!
//! Changes are judged once, in canonical order. A verdict rests on the change's causal past alone; only
//! at the very end the branches of the chain are compared over everything that is here ([`Chain::outcome`]).
//! What cannot be judged yet does not count and is no violation, and steps made on top of it wait with it,
//! so that its judgement, when it comes, does not turn theirs.

use super::{
    Author, FoldInput, Matter,
    chain::{Branch, Chain, End},
    days::Days,
    deliberation,
    evidence::Evidence,
    frame::{self, StepKind},
    gates::Lack,
    history::{History, Past, holds, meet, put, vouched},
    rules::{self, Facts, Standing},
    unread::Why,
    verdict::{Verdict, Violation},
    voices,
};
use crate::{
    act::{Act, ActError, Field, Step, Voice},
    change::Body,
    ids::{ActRef, DocId, Hash, PlaceId},
    limits::{CLAIMED_DAY_MAX, DAY_AHEAD_MAX},
    procedure::Procedure,
    value::Value,
};
use std::{borrow::Cow, collections::BTreeMap};

/// Folds a proposal.
#[must_use]
pub fn fold(input: &FoldInput<'_>) -> Matter {
    let history = History::of(input);
    let past = Past::of(&history);
    let mut judge = Judge::new(input, &history, &past);
    for t in 0..history.len() {
        judge.change(t);
    }
    judge.assemble()
}

/// Folds a proposal and says how many steps all walks looked at.
#[cfg(test)]
pub(super) fn fold_counting(input: &FoldInput<'_>) -> (Matter, u64) {
    let history = History::of(input);
    let past = Past::of(&history);
    let mut judge = Judge::new(input, &history, &past);
    for t in 0..history.len() {
        judge.change(t);
    }
    let before = judge.chain.looks.get();
    (judge.assemble(), before)
}

/// An act that could be read.
#[derive(Debug)]
pub(super) enum Read {
    Step(Act<Step>),
    Voice(Act<Voice>),
}

/// What is known of one change once it is judged.
#[derive(Debug)]
pub(super) struct Slot {
    /// `None` for the genesis.
    pub(super) kind: Option<Cow<'static, str>>,
    pub(super) read: Option<Read>,
    pub(super) verdict: Verdict,
    /// The claimed day, clamped.
    pub(super) day: i64,
    /// What it claims, if it says so and the day can be.
    pub(super) claimed: Option<i64>,
    /// The claims of counted acts in the past and here.
    pub(super) days: Days,
    /// For a rating: whether the score counts.
    pub(super) score_counts: bool,
}

/// In tests, documents in which every short cut is compared with the walk it saves.
#[cfg(test)]
const WALKED_AGAIN: usize = 1_000;

pub(super) const STEPS: usize = 0;
const VOICES: usize = 1;

/// Judges changes one after another.
#[derive(Debug)]
pub(super) struct Judge<'h, 'a> {
    pub(super) input: &'h FoldInput<'a>,
    pub(super) history: &'h History<'a>,
    pub(super) past: &'h Past,
    pub(super) chain: Chain<'h, 'a>,
    pub(super) slots: Vec<Slot>,
    pub(super) doc: DocId,
    /// Every change by the name of its act, sorted.
    pub(super) names: Vec<(ActRef, usize)>,
    /// Counted corrections with the step they correct.
    pub(super) corrections: Vec<(usize, usize)>,
    /// Counted tellings by the home place.
    pub(super) tells: Vec<(usize, ActRef)>,
    /// What counted voices put on record.
    pub(super) evidence: Vec<(usize, Evidence)>,
    /// Allowed steps that are handling, with their places.
    pub(super) handlers: Vec<(usize, PlaceId)>,
    pub(super) pending_steps: Vec<u64>,
    pub(super) newer_steps: Vec<u64>,
    revoked_steps: Vec<u64>,
}

impl<'h, 'a> Judge<'h, 'a> {
    fn new(input: &'h FoldInput<'a>, history: &'h History<'a>, past: &'h Past) -> Self {
        let mut names: Vec<(ActRef, usize)> =
            history.nodes.iter().enumerate().map(|(t, n)| (n.act(), t)).collect();
        names.sort_unstable();
        Self {
            input,
            history,
            past,
            chain: Chain::new(input, history, past),
            slots: Vec::with_capacity(history.len()),
            doc: input.header.doc_id(),
            names,
            corrections: Vec::new(),
            tells: Vec::new(),
            evidence: Vec::new(),
            handlers: Vec::new(),
            pending_steps: past.none(),
            newer_steps: past.none(),
            revoked_steps: past.none(),
        }
    }

    fn change(&mut self, t: usize) {
        let Some(node) = self.history.nodes.get(t).copied() else { return };
        let seen = self.chain.seen_by(t);
        // The short cuts must agree with the walk they save.
        #[cfg(test)]
        if self.history.len() < WALKED_AGAIN {
            assert_eq!(seen, self.chain.resolve(self.past.row(t)));
        }
        let mut days = Days::of(self.history.deps(t).iter().filter_map(|d| Some(self.slots.get(*d)?.days)));
        let Body::Act { container, value, .. } = &node.change.body else {
            self.chain.enter_still(t, seen);
            self.slots.push(Slot {
                kind: None,
                read: None,
                verdict: Verdict::Counted,
                day: days.without_claim(),
                claimed: None,
                days,
                score_counts: false,
            });
            return;
        };
        let read = match *container {
            STEPS => Act::from_ref(value).map(Read::Step),
            VOICES => Act::from_ref(value).map(Read::Voice),
            _ => Err(ActError::Malformed("container".into())),
        };
        let claimed = match &read {
            Ok(Read::Step(act)) => Some(act.on),
            Ok(Read::Voice(act)) => Some(act.on),
            Err(_) => None,
        };
        let plausible = claimed.is_none_or(|day| (0..=CLAIMED_DAY_MAX).contains(&day));
        let claimed = claimed.filter(|_| plausible);
        let others = node.author.and_then(|a| days.of_others(a.place));
        let ahead = claimed.zip(others).is_some_and(|(day, others)| day > others + DAY_AHEAD_MAX);
        let day =
            claimed.filter(|_| !ahead).map_or_else(|| days.without_claim(), |claimed| days.day(claimed));
        let kind = match &read {
            Ok(Read::Step(act)) => Cow::Borrowed(StepKind::from(&act.what).name()),
            Ok(Read::Voice(act)) => Cow::Borrowed(crate::act::ActKind::name(&act.what)),
            Err(_) => match value.get("kind") {
                Some(Value::Str(name)) => Cow::Owned(name.to_string()),
                _ => Cow::Borrowed(""),
            },
        };
        let mut entered = false;
        let mut score_counts = false;
        let verdict = match (&read, node.author) {
            (Err(ActError::Malformed(_)), _) => Verdict::Malformed,
            _ if !plausible => Verdict::Malformed,
            (_, None) => Verdict::Pending,
            _ if !vouched(self.history, self.past, t) => Verdict::Revoked,
            (Err(ActError::UnknownKind(_)), Some(author)) => {
                let prev = <Option<ActRef> as Field>::get("prev", value, &mut 0).flatten();
                entered = *container == STEPS && self.enter_unread(t, prev, author, seen, Why::NewerKind);
                Verdict::NeedsNewer
            }
            _ if ahead => Verdict::Violation(Violation::DayAhead),
            (Ok(Read::Step(act)), Some(author)) => {
                let (verdict, moved) = self.step(t, act, author, day, seen);
                entered = moved;
                verdict
            }
            (Ok(Read::Voice(act)), Some(author)) => {
                let verdict = self.voice(t, act, author, day, seen);
                if let (Voice::Rate { .. }, Verdict::Counted) = (&act.what, verdict) {
                    score_counts = !self.handled_by(t, author.place);
                }
                if let (Voice::Tell { answer, .. }, Verdict::Counted) = (&act.what, verdict)
                    && author.stands_for(&self.input.header.home)
                {
                    self.tells.push((t, *answer));
                }
                verdict
            }
        };
        if !entered {
            self.chain.enter_still(t, seen);
        }
        if *container == STEPS {
            self.mark(t, verdict, node.author, seen);
        }
        if let (Verdict::Counted, Some(claimed), Some(author)) = (verdict, claimed, node.author) {
            days.claim(claimed, author.place);
        }
        self.slots.push(Slot {
            kind: Some(kind),
            read: read.ok(),
            verdict,
            day,
            claimed,
            days,
            score_counts,
        });
    }

    /// Remembers steps on which later ones cannot be judged.
    fn mark(&mut self, t: usize, verdict: Verdict, author: Option<&Author>, seen: End) {
        match verdict {
            Verdict::Pending if author.is_none() => put(&mut self.pending_steps, t),
            Verdict::Revoked => put(&mut self.revoked_steps, t),
            // Nobody but the home place begins a matter, in whatever version.
            Verdict::NeedsNewer
                if seen == End::Nothing && author.is_some_and(|a| a.stands_for(&self.input.header.home)) =>
            {
                put(&mut self.newer_steps, t);
            }
            _ => {}
        }
    }

    pub(super) fn standing(&self, end: End) -> Option<&Standing> {
        Some(&self.chain.branch(end.step()?)?.standing)
    }

    /// Judges a step; the flag says whether the chain has entered it.
    fn step(&mut self, t: usize, act: &Act<Step>, author: &Author, day: i64, seen: End) -> (Verdict, bool) {
        let row = self.past.row(t);
        if meet(row, &self.pending_steps) {
            return (Verdict::Pending, false);
        }
        let result = match seen {
            End::Nothing if meet(row, &self.newer_steps) => Err(Verdict::NeedsNewer),
            End::Nothing => self.first(t, act, author, day),
            End::At(_) => match (&act.what, self.standing(seen).and_then(|s| s.unread)) {
                (Step::TakeOver { sets_aside: Some(first), .. }, unread) => {
                    match (self.set_aside(t, act, *first, author, day, seen), unread) {
                        // It may set aside what only a newer program sees there.
                        (Err(Verdict::Violation(Violation::NothingToSetAside)), Some(unread)) => {
                            return self.on_unread(t, act, author, seen, unread);
                        }
                        (judged, _) => judged.map(|()| true),
                    }
                }
                (_, Some(unread)) => return self.on_unread(t, act, author, seen, unread),
                (_, None) => self.next(t, act, author, day, seen),
            },
            End::Waiting { fork, by } => self.settle(t, act, author, fork, by),
        };
        match result {
            Ok(moved) => (Verdict::Counted, moved),
            // Allowed, but the pinned version is not here to be followed: the matter waits on it.
            Err(verdict @ Verdict::Pending) => match &act.what {
                Step::Accept { procedure, .. } => {
                    (verdict, self.enter_unread(t, act.prev, author, seen, Why::Procedure(*procedure)))
                }
                _ => (verdict, false),
            },
            Err(verdict) => (verdict, false),
        }
    }

    fn first(&mut self, t: usize, act: &Act<Step>, author: &Author, day: i64) -> Result<bool, Verdict> {
        let Step::Register { body, .. } = &act.what else { return Err(self.unregistered(t)) };
        let name = self.name(t)?;
        let why = if author.place != self.input.header.home {
            Some(Violation::NotHome)
        } else if act.prev.is_some() {
            Some(Violation::NotNewest)
        } else if body.0.trim().is_empty() {
            Some(Violation::NoText)
        } else {
            None
        };
        if let Some(why) = why {
            return Err(Verdict::Violation(why));
        }
        self.chain.enter_step(t, End::Nothing, author.place, rules::registered(author.place, name, day));
        Ok(true)
    }

    fn next(
        &mut self,
        t: usize,
        act: &Act<Step>,
        author: &Author,
        day: i64,
        seen: End,
    ) -> Result<bool, Verdict> {
        let violated = |why| Verdict::Violation(why);
        let standing = *self.standing(seen).ok_or(Verdict::Pending)?;
        let kind = StepKind::from(&act.what);
        if kind != StepKind::Register && act.prev != Some(standing.tip) {
            return Err(self.off_the_tip(t, act, kind));
        }
        let facts = Seen { judge: self, t, end: seen, standing: Some(&standing), day };
        let acting = rules::acting(kind, &standing, author.place, |place| author.stands_for(place));
        let rule = rules::may(kind, &standing, acting, &facts).map_err(violated)?;
        // A step up is good if it went to whoever was the parent once.
        let parent = match act.what {
            Step::Escalate { to, .. } if author.is_below(&to) => vec![to],
            _ => author.ancestors.clone(),
        };
        rules::fits(&act.what, &standing, &parent, &facts).map_err(violated)?;
        match &act.what {
            Step::Correct { .. } => {
                if let Some(target) = seen.step() {
                    self.corrections.push((t, target));
                }
                return Ok(false);
            }
            Step::Accept { procedure, .. }
                if *procedure != frame::BUILT_IN && self.input.procedures.get(procedure).is_none() =>
            {
                return Err(Verdict::Pending);
            }
            _ if kind.handles() => self.handlers.push((t, author.place)),
            _ => {}
        }
        let facts = Seen { judge: self, t, end: seen, standing: Some(&standing), day };
        let now = rules::after(rule, &act.what, &standing, self.name(t)?, author.place, day, &facts);
        self.chain.enter_step(t, seen, author.place, now);
        Ok(true)
    }

    fn settle(
        &mut self,
        t: usize,
        act: &Act<Step>,
        author: &Author,
        fork: Option<usize>,
        by: PlaceId,
    ) -> Result<bool, Verdict> {
        let violated = |why| Err(Verdict::Violation(why));
        let Step::Settle { branch } = &act.what else { return violated(Violation::WaitsForSettlement) };
        let tip = fork.and_then(|f| self.chain.branch(f)).map(|b| b.standing.tip);
        if act.prev != tip {
            return Err(self.off_the_tip(t, act, StepKind::Settle));
        }
        if author.place != by {
            return violated(Violation::NotSettlingPlace);
        }
        let known = self.past.row(t);
        let named = self
            .chain
            .sealed(fork, known)
            .into_iter()
            .map(|(s, _)| s)
            .filter(|s| self.name(*s) == Ok(*branch))
            .min_by_key(|s| self.history.nodes.get(*s).map(|n| n.hash));
        let Some(chosen) = named else { return violated(Violation::NotABranch) };
        self.chain.enter_settlement(t, fork, chosen);
        Ok(true)
    }

    pub(super) fn name(&self, t: usize) -> Result<ActRef, Verdict> {
        self.history.nodes.get(t).map(super::history::Node::act).ok_or(Verdict::Pending)
    }

    /// The changes of this name that the author of `t` knew.
    pub(super) fn known_as(&self, t: usize, name: ActRef) -> impl Iterator<Item = usize> + '_ {
        let row = self.past.row(t);
        let from = self.names.partition_point(|(n, _)| *n < name);
        self.names
            .iter()
            .skip(from)
            .take_while(move |(n, _)| *n == name)
            .map(|(_, at)| *at)
            .filter(move |at| holds(row, *at))
    }

    /// A step that does not follow the newest one: its author's fault, unless what it follows was revoked.
    fn off_the_tip(&self, t: usize, act: &Act<Step>, kind: StepKind) -> Verdict {
        let on_revoked =
            act.prev.is_some_and(|prev| self.known_as(t, prev).any(|at| holds(&self.revoked_steps, at)));
        match kind {
            _ if on_revoked => Verdict::Revoked,
            StepKind::Correct => Verdict::Violation(Violation::CorrectedTooLate),
            _ => Verdict::Violation(Violation::NotNewest),
        }
    }

    fn unregistered(&self, t: usize) -> Verdict {
        if meet(self.past.row(t), &self.revoked_steps) {
            return Verdict::Revoked;
        }
        Verdict::Violation(Violation::NotRegistered)
    }

    fn voice(&mut self, t: usize, act: &Act<Voice>, author: &Author, day: i64, seen: End) -> Verdict {
        let row = self.past.row(t);
        if !matches!(act.what, Voice::Comment { .. } | Voice::Support { .. } | Voice::Attach { .. }) {
            if meet(row, &self.pending_steps) {
                return Verdict::Pending;
            }
            let Some(standing) = self.standing(seen) else {
                let newer = meet(row, &self.newer_steps);
                return if newer { Verdict::NeedsNewer } else { self.unregistered(t) };
            };
            // What cannot be read takes no reply back, but it may be one, and it may end a vote.
            let waits = match &act.what {
                Voice::Rate { .. } => standing.reply.is_none(),
                Voice::Tell { .. } => false,
                _ => true,
            };
            if let Some(unread) = standing.unread.filter(|_| waits) {
                return unread.why.verdict();
            }
        }
        if let Voice::Tell { answer, .. } = &act.what {
            let replies = |at: usize| {
                let kind = self.chain.branch(at).and_then(Branch::kind);
                matches!(kind, Some(StepKind::Answer | StepKind::Refuse | StepKind::Refer))
            };
            if !self.known_as(t, *answer).any(replies) {
                let unread = |at: usize| Some(self.chain.branch(at)?.standing.unread?.why.verdict());
                if let Some(verdict) = self.known_as(t, *answer).find_map(unread) {
                    return verdict;
                }
                let revoked = self.known_as(t, *answer).any(|at| holds(&self.revoked_steps, at));
                return if revoked { Verdict::Revoked } else { Verdict::Violation(Violation::NothingToTell) };
            }
        }
        let standing = self.standing(seen).copied();
        let judged = voices::check(&act.what, standing.as_ref())
            .and_then(|()| self.put_on_record(t, &act.what, author, day, standing, seen));
        match judged {
            Ok(()) => Verdict::Counted,
            Err(why) => Verdict::Violation(why),
        }
    }

    /// Who was at the meeting a change records, if names were taken.
    pub(super) fn roll_at(&self, t: usize) -> Option<&BTreeMap<String, String>> {
        match &self.slots.get(t)?.read {
            Some(Read::Voice(Act { what: Voice::Meet { roll, .. }, .. })) => Some(roll),
            _ => None,
        }
    }

    pub(super) fn handled_by(&self, t: usize, place: PlaceId) -> bool {
        let row = self.past.row(t);
        self.handlers.iter().any(|(at, p)| *p == place && holds(row, *at))
    }
}

/// What the author of a change knew beyond the standing.
pub(super) struct Seen<'j, 'h, 'a> {
    pub(super) judge: &'j Judge<'h, 'a>,
    pub(super) t: usize,
    pub(super) end: End,
    pub(super) standing: Option<&'j Standing>,
    /// The day the change counts as.
    pub(super) day: i64,
}

impl Facts for Seen<'_, '_, '_> {
    fn told(&self, reply: ActRef) -> bool {
        let row = self.judge.past.row(self.t);
        self.judge.tells.iter().any(|(at, answer)| *answer == reply && holds(row, *at))
    }

    fn absorbs(&self, doc: &DocId) -> bool {
        let readable = |at: &usize| self.judge.chain.branch(*at).is_some_and(|b| b.standing.unread.is_none());
        let last = self.judge.chain.path(self.end).filter(readable).find_map(|at| {
            match &self.judge.slots.get(at)?.read {
                Some(Read::Step(Act { what: Step::Absorb { source }, .. })) if source.doc == *doc => {
                    Some(true)
                }
                Some(Read::Step(Act { what: Step::Release { source }, .. })) if source == doc => Some(false),
                _ => None,
            }
        });
        last.unwrap_or(false)
    }

    fn may_return_to(&self, place: PlaceId) -> bool {
        let chain = &self.judge.chain;
        let held = |at: usize| chain.branch(at).is_some_and(|b| b.standing.holder == place);
        self.standing.is_some_and(|s| chain.above(place).contains(&s.holder))
            && chain.path(self.end).any(held)
    }

    fn above_holder(&self, place: PlaceId) -> bool {
        let Some(holder) = self.standing.map(|s| s.holder) else { return false };
        let chain = &self.judge.chain;
        chain.above(holder).contains(&place) || chain.took_position(holder).any(|p| p == place)
    }

    fn this(&self) -> DocId {
        self.judge.doc
    }

    fn procedure(&self, pin: &Hash) -> Option<&Procedure> {
        self.judge.input.procedures.get(pin).map(AsRef::as_ref)
    }

    fn lacks(&self, procedure: &Procedure, standing: &Standing) -> Vec<Lack> {
        let row = self.judge.past.row(self.t);
        let known = self.judge.evidence.iter().filter(|(at, _)| holds(row, *at)).map(|(_, e)| e);
        deliberation::lacks(procedure, standing, self.day, known)
    }
}
