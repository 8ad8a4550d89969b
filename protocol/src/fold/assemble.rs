//! From judged changes to the [`Matter`] people see.

use super::{
    chain::End,
    days::Days,
    evidence::{Evidence, Piece},
    frame::{Stage, StepKind},
    gates,
    history::holds,
    matter::{
        Ballot, BallotState, Comment, External, Fork, Held, Listed, Matter, Rating, Reply, Source, Support,
        Telling, TimelineEntry, Tip,
    },
    proposal::{Judge, Read},
    record::{Assigned, AtStage, Urged},
    rules::Standing,
    verdict::{Verdict, Violation},
};
use crate::{
    act::{Act, Step, Text, Voice},
    ids::{ActRef, PlaceId},
    planted::Bug,
    procedure::{Grade, Urgency},
};
use std::collections::BTreeMap;

/// Who did something, when, under which name.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) act: ActRef,
    pub(super) place: PlaceId,
    pub(super) on: i64,
    /// Whether it is the home's, or by a place that acts for the home.
    pub(super) by_home: bool,
}

impl Judge<'_, '_> {
    /// Compares the branches over everything that is here and writes the matter down.
    pub(super) fn assemble(mut self) -> Matter {
        let known = self.past.all();
        let end = self.chain.resolve(&known);
        let outcome = self.chain.outcome(end, &known);
        for (slot, verdict) in self.slots.iter_mut().zip(&outcome) {
            if let Some(verdict) = verdict {
                slot.verdict = *verdict;
            }
        }
        for s in self.chain.settlements() {
            let holds_now = self.chain.settlement(s.fork, &known).is_some_and(|h| h.change == s.change);
            let counted = |f: usize| outcome.get(f).copied().flatten() == Some(Verdict::Counted);
            if !(holds_now && s.fork.is_none_or(counted))
                && let Some(slot) = self.slots.get_mut(s.change)
            {
                slot.verdict = Verdict::Superseded;
            }
        }
        self.settle_corrections(end, &outcome);

        let mut matter = self.frame(end);
        if let End::Waiting { fork, .. } = end {
            let mut branches: Vec<_> = self
                .chain
                .sealed(fork, &known)
                .into_iter()
                .filter_map(|(t, _)| self.history.nodes.get(t).map(|n| (n.hash, n.act())))
                .collect();
            branches.sort_unstable();
            matter.branches = branches.into_iter().map(|(_, act)| act).collect();
        }
        matter.forks = self.forks();
        let closers: Vec<usize> = self.closers(end);
        let slots = std::mem::take(&mut self.slots);
        // Where each change's entry stands in the timeline.
        let mut entries = vec![usize::MAX; slots.len()];
        for (t, slot) in slots.into_iter().enumerate() {
            let (Some(kind), Some(node)) = (slot.kind, self.history.nodes.get(t)) else { continue };
            let place = node.author.map(|a| a.place);
            let act = node.act();
            match slot.verdict {
                Verdict::Violation(why) => {
                    let place = place.unwrap_or(matter.home);
                    matter.violations.push(Listed { act, hash: *node.hash, place, why });
                }
                Verdict::Late => matter.late.push(act),
                Verdict::Pending => matter.pending.push(act),
                Verdict::NeedsNewer => matter.needs_newer.push(act),
                _ => {}
            }
            let mut entry = TimelineEntry {
                act,
                hash: *node.hash,
                kind,
                place,
                by: None,
                on: slot.day,
                claimed: slot.claimed.filter(|day| *day != slot.day),
                verdict: slot.verdict,
                text: None,
                corrected_by: None,
            };
            let counted = slot.verdict == Verdict::Counted;
            if counted {
                matter.latest_day = matter.latest_day.max(slot.day);
            }
            let by_home = node.author.is_none_or(|a| a.stands_for(&matter.home));
            let mark = Mark { act, place: place.unwrap_or(matter.home), on: slot.day, by_home };
            match slot.read {
                Some(Read::Step(step)) => {
                    entry.by = step.by;
                    // Between two registrations that wait, the first in order is shown.
                    let shown = counted
                        || matter.register.is_none()
                            && slot.verdict == Verdict::Waiting
                            && matter.standing.is_none();
                    entry.text = matter.take_step(step.what, mark, shown);
                }
                Some(Read::Voice(voice)) => {
                    entry.by.clone_from(&voice.by);
                    let closing = match slot.verdict {
                        Verdict::Counted => self.closing(&closers, t),
                        Verdict::Violation(Violation::BallotClosed) => self.closed_before(&closers, t),
                        _ => None,
                    };
                    entry.text = matter.take_voice(voice, mark, counted, slot.score_counts, closing);
                }
                None => {}
            }
            if let Some(at) = entries.get_mut(t) {
                *at = matter.timeline.len();
            }
            matter.timeline.push(entry);
        }
        for (t, target) in &self.corrections {
            let at = |t: &usize| entries.get(*t).copied().unwrap_or(usize::MAX);
            let by = matter.timeline.get(at(t)).filter(|e| e.verdict == Verdict::Counted).map(|e| e.act);
            if let (Some(by), Some(entry)) = (by, matter.timeline.get_mut(at(target))) {
                entry.corrected_by = Some(by);
            }
        }
        matter.pending.extend(
            self.history.stranded.iter().map(|c| ActRef { actor: c.change.actor, seq: c.change.seq }),
        );
        matter.settle_tellings();
        matter.evidence = std::mem::take(&mut self.evidence).into_iter().map(|(_, e)| e).collect();
        (matter.budget_yuan, matter.spent_yuan) = gates::money(matter.evidence.iter());
        for met in &mut matter.meetings {
            let quorate =
                |e: &Evidence| e.act == met.act && matches!(e.what, Piece::Meeting { quorate: true, .. });
            met.quorate = matter.evidence.iter().any(quorate);
        }
        matter.today = matter.latest_day;
        matter
    }

    /// A correction goes the way of the step it corrects, and loses against what was done on the words as
    /// they stood: a step of another place on top, or a telling by the home place.
    fn settle_corrections(&mut self, end: End, outcome: &[Option<Verdict>]) {
        let mut relied: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let path: Vec<usize> = self.chain.path(end).collect();
        for (over, under) in path.iter().zip(path.iter().skip(1)) {
            let place = |t: &usize| self.chain.branch(*t).map(|b| b.place);
            if place(over) != place(under) {
                relied.entry(*under).or_default().push(*over);
            }
        }
        let told: BTreeMap<ActRef, Vec<usize>> =
            self.tells.iter().fold(BTreeMap::new(), |mut told, (t, of)| {
                told.entry(*of).or_default().push(*t);
                told
            });
        for (t, target) in &self.corrections {
            let Some(mut verdict) = outcome.get(*target).copied().flatten() else { continue };
            let name = self.history.nodes.get(*target).map(super::history::Node::act);
            let tellings = name.and_then(|name| told.get(&name));
            let mut later = relied.get(target).into_iter().chain(tellings).flatten();
            if verdict == Verdict::Counted && later.any(|l| !holds(self.past.row(*l), *t)) {
                verdict = Verdict::Superseded;
            }
            if let Some(slot) = self.slots.get_mut(*t) {
                slot.verdict = verdict;
            }
        }
    }

    /// The matter's standing, before any content.
    fn frame(&self, end: End) -> Matter {
        let home = self.input.header.home;
        let standing = self.standing(end).copied();
        let holder = standing.map_or(home, |s| s.holder);
        let stage = standing.map_or(Stage::Registered, |s| s.stage);
        let mut held_by: Vec<Held> = Vec::new();
        let mut path: Vec<usize> = self.chain.path(end).collect();
        path.reverse();
        for t in path {
            let (Some(branch), Some(slot)) = (self.chain.branch(t), self.slots.get(t)) else { continue };
            let held = Held { place: branch.standing.holder, since: slot.day, act: branch.standing.tip };
            if held_by.last().is_none_or(|last| last.place != held.place) {
                held_by.push(held);
            }
        }
        let mut may_return_to: Vec<PlaceId> = Vec::new();
        for held in &held_by {
            if self.chain.above(held.place).contains(&holder) && !may_return_to.contains(&held.place) {
                may_return_to.push(held.place);
            }
        }
        Matter {
            register: None,
            number: String::new(),
            check: String::new(),
            title: String::new(),
            body: String::new(),
            category: None,
            source: None,
            channel: None,
            petitioner: None,
            dossier: None,
            external: None,
            raised_on: 0,
            home,
            stage,
            holder: (!stage.is_ended()).then_some(holder),
            above_holder: {
                let mut above = self.chain.above(holder).to_vec();
                for place in self.chain.took_position(holder) {
                    if !above.contains(&place) {
                        above.push(place);
                    }
                }
                above
            },
            may_return_to,
            tip: standing.map(|s| Tip { act: s.tip, kind: s.tip_kind, place: s.tip_place }),
            procedure: standing.and_then(|s| s.procedure),
            calendar: standing.and_then(|s| s.calendar),
            at: standing.and_then(|s| self.at_stage(&s)),
            grade: standing.map_or(Grade::Ordinary, |s| s.grade),
            urgency: standing.map_or(Urgency::Normal, |s| s.urgency),
            paused_since: standing.and_then(|s| s.paused),
            assigned: None,
            records: Vec::new(),
            calls: Vec::new(),
            meetings: Vec::new(),
            posts: Vec::new(),
            summonses: Vec::new(),
            attachments: Vec::new(),
            urges: Vec::new(),
            budget_yuan: 0,
            spent_yuan: 0,
            deadline: standing.and_then(|s| s.deadline),
            merged_into: standing.and_then(|s| s.merged_into),
            sources: Vec::new(),
            outcomes: Vec::new(),
            waiting_for_settlement: match end {
                End::Waiting { by, .. } => Some(by),
                _ => None,
            },
            branches: Vec::new(),
            answers: Vec::new(),
            refusals: Vec::new(),
            tellings: Vec::new(),
            told: false,
            ratings: Vec::new(),
            ballots: Vec::new(),
            comments: Vec::new(),
            supports: Vec::new(),
            timeline: Vec::with_capacity(self.slots.len()),
            violations: Vec::new(),
            late: Vec::new(),
            forks: Vec::new(),
            pending: Vec::new(),
            needs_newer: Vec::new(),
            held_up: self.held_up(end),
            begun_by_newer: standing.is_none() && self.newer_steps.iter().any(|w| *w != 0),
            author_unknown: self.pending_steps.iter().any(|w| *w != 0),
            held_by,
            latest_day: 0,
            days: Days::of(self.slots.iter().map(|s| s.days)),
            handlers: self.handlers.iter().map(|(_, place)| *place).collect(),
            standing,
            doc: self.doc,
            evidence: Vec::new(),
            procedures: self.input.procedures.clone(),
            today: 0,
        }
    }

    /// Where a standing is in its procedure.
    fn at_stage(&self, standing: &Standing) -> Option<AtStage> {
        let procedure = self.input.procedures.get(&standing.procedure?)?;
        let stage = procedure.stage(standing.at?)?;
        Some(AtStage {
            stage: stage.id.clone(),
            title: stage.title.clone(),
            entered: standing.entered?,
            number: usize::from(standing.at?) + 1,
            of: procedure.stages.len(),
        })
    }

    /// Numbers that one actor used twice.
    fn forks(&self) -> Vec<Fork> {
        let twice = self.names.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1);
        twice
            .filter_map(|same| {
                let (name, _) = same.first()?;
                let mut hashes: Vec<_> =
                    same.iter().filter_map(|(_, t)| self.history.nodes.get(*t).map(|n| *n.hash)).collect();
                hashes.sort_unstable();
                Some(Fork { actor: name.actor, seq: name.seq, hashes })
            })
            .collect()
    }

    /// The steps of the chain that end ballots, oldest first.
    fn closers(&self, end: End) -> Vec<usize> {
        let mut closers: Vec<usize> = self
            .chain
            .path(end)
            .filter(|t| self.chain.branch(*t).is_some_and(|b| b.kind().is_some_and(StepKind::closes_votes)))
            .collect();
        closers.reverse();
        closers
    }

    /// The step that closes the ballot `t`, and whether its author knew the ballot.
    fn closing(&self, closers: &[usize], t: usize) -> Option<(ActRef, bool)> {
        let before = self.past.row(t);
        let closer = *closers.iter().find(|c| !holds(before, **c))?;
        Some((self.history.nodes.get(closer)?.act(), holds(self.past.row(closer), t)))
    }

    /// The newest step that had closed the votes when the ballot `t` was entered.
    fn closed_before(&self, closers: &[usize], t: usize) -> Option<(ActRef, bool)> {
        let before = self.past.row(t);
        let closer = *closers.iter().rev().find(|c| holds(before, **c))?;
        Some((self.history.nodes.get(closer)?.act(), false))
    }
}

impl Matter {
    /// Adds a step's content where it counts; returns its words.
    fn take_step(&mut self, step: Step, mark: Mark, counted: bool) -> Option<String> {
        let Mark { act, on, .. } = mark;
        match step {
            Step::Register {
                number,
                check,
                title,
                body,
                category,
                source,
                channel,
                petitioner,
                dossier,
                external,
            } => {
                if !counted {
                    return Some(body.0);
                }
                self.register = Some(act);
                self.raised_on = on;
                (self.number, self.check, self.title, self.body) = (number, check, title, body.0);
                (self.category, self.source, self.channel) = (category, source, channel);
                (self.petitioner, self.dossier) = (petitioner, dossier);
                self.external = external.map(|e| External { system: e.system, number: e.number });
                None
            }
            Step::Refuse { reason: Text(text) } => {
                if counted {
                    self.refusals.push(reply(mark, text.clone()));
                }
                Some(text)
            }
            Step::Answer { text: Text(text), outcome, lead, lead_act } => {
                if counted {
                    self.answers.push(Reply { outcome, lead, lead_act, ..reply(mark, text.clone()) });
                }
                Some(text)
            }
            Step::Absorb { source } => {
                if counted {
                    self.sources.push(Source { doc: source.doc, home: source.home, number: source.number });
                }
                None
            }
            Step::Release { source } => {
                if counted {
                    self.sources.retain(|s| s.doc != source);
                }
                None
            }
            Step::Decide { outcome, .. } => {
                if counted && !self.outcomes.contains(&outcome) {
                    self.outcomes.push(outcome);
                }
                None
            }
            Step::Correct { target, title, body, category, text } => {
                let words = text.as_ref().or(body.as_ref()).map(|t| t.0.clone()).or_else(|| title.clone());
                if counted {
                    self.correct(target, title, body, category, text);
                }
                words
            }
            Step::Handle { note: Text(text) }
            | Step::Return { reason: Text(text), .. }
            | Step::Reopen { reason: Text(text) }
            | Step::TakeOver { reason: Text(text), .. } => Some(text),
            Step::Escalate { reason, .. } | Step::Withdraw { reason } => reason.map(|t| t.0),
            Step::Close { note } | Step::Resume { note } => note.map(|t| t.0),
            Step::Extend { reason: Text(text), .. } | Step::Pause { reason: Text(text) } => Some(text),
            Step::Advance { reason, .. } => reason.map(|t| t.0),
            Step::Assign { unit, person, note } => {
                let words = note.map_or_else(|| unit.clone(), |n| n.0);
                if counted {
                    self.assigned = Some(Assigned { act, unit, person, place: mark.place, on });
                }
                Some(words)
            }
            Step::Refer { to, reason: Text(text) } => {
                let words = format!("{to}：{text}");
                if counted {
                    self.refusals.push(reply(mark, words.clone()));
                }
                Some(words)
            }
            Step::Accept { .. } | Step::Merge { .. } | Step::Unmerge {} | Step::Settle { .. } => None,
        }
    }

    fn correct(
        &mut self,
        target: ActRef,
        title: Option<String>,
        body: Option<Text>,
        category: Option<String>,
        text: Option<Text>,
    ) {
        if self.register == Some(target) {
            if let Some(title) = title {
                self.title = title;
            }
            if let Some(Text(body)) = body {
                self.body = body;
            }
            if category.is_some() {
                self.category = category;
            }
        }
        if let Some(Text(text)) = text
            && let Some(reply) = self.answers.iter_mut().chain(&mut self.refusals).find(|r| r.act == target)
        {
            reply.text = text;
        }
    }

    /// Adds a voice where it counts; returns its words.
    fn take_voice(
        &mut self,
        voice: Act<Voice>,
        Mark { act, place, on, by_home }: Mark,
        counted: bool,
        score_counts: bool,
        closing: Option<(ActRef, bool)>,
    ) -> Option<String> {
        match voice.what {
            Voice::Comment { text: Text(text) } => {
                if counted {
                    self.comments.push(Comment { act, text: text.clone(), place, by: voice.by, on });
                }
                Some(text)
            }
            Voice::Support { count, note } => {
                if counted {
                    let count = count.unwrap_or(1);
                    self.supports.push(Support { act, count, note: note.clone(), place, on });
                }
                note
            }
            Voice::Ballot {
                question,
                body,
                eligible,
                present,
                in_favour,
                against,
                abstain,
                votes,
                meeting,
                counters,
            } => {
                let words = Some(question.clone());
                // A vote after the result is listed with the others, and as a violation.
                if counted || closing.is_some() {
                    let state = match closing {
                        None => BallotState::Open,
                        Some(_) if Bug::LateVote.planted() => BallotState::Counted,
                        Some((_, true)) => BallotState::Counted,
                        Some((_, false)) => BallotState::Late,
                    };
                    let closed_by = closing.map(|(by, _)| by);
                    #[rustfmt::skip]
                    self.ballots.push(Ballot {
                        act, question, body, eligible, present, in_favour, against, abstain, votes, place, on,
                        meeting, counters: counters.unwrap_or_default(), state, closed_by,
                    });
                }
                words
            }
            what @ (Voice::Call { .. }
            | Voice::Meet { .. }
            | Voice::Record { .. }
            | Voice::Attach { .. }
            | Voice::Post { .. }
            | Voice::Object { .. }
            | Voice::Summon { .. }
            | Voice::Respond { .. }) => self.take_record(what, Mark { act, place, on, by_home }, counted),
            Voice::Urge { degree, ground, since, due, note } => {
                let note = note.map(|t| t.0);
                let words = note.clone();
                if counted {
                    self.urges.push(Urged { act, degree, ground, since, due, note, place, on });
                }
                words
            }
            Voice::Tell { answer, how, note } => {
                let words = note.clone();
                if counted {
                    self.tellings.push(Telling { act, answer, how, note, place, on, by_home });
                }
                words
            }
            Voice::Rate { score, source, note } => {
                let note = note.map(|t| t.0);
                let words = note.clone();
                if counted {
                    self.ratings.push(Rating { act, score, source, note, place, on, counted: score_counts });
                }
                words
            }
        }
    }

    /// Marks replies as told, and whether the newest is.
    fn settle_tellings(&mut self) {
        for reply in self.answers.iter_mut().chain(&mut self.refusals) {
            reply.told = self.tellings.iter().any(|t| t.by_home && t.answer == reply.act);
        }
        self.told = self.newest_reply().is_some_and(|r| r.told);
        // Once the people know, nothing is due until somebody is not satisfied.
        if self.told && self.deadline.is_some_and(|d| d.what == "tell") {
            self.deadline = None;
        }
    }
}

fn reply(Mark { act, place, on, .. }: Mark, text: String) -> Reply {
    Reply { act, text, place, on, outcome: None, lead: None, lead_act: None, told: false }
}
