//! From judged changes to the [`Matter`] people see.

use super::{
    chain::End,
    history::holds,
    matter::{
        Ballot, BallotState, Comment, External, Fork, Held, Listed, Matter, Rating, Reply, Source, Support,
        Telling, TimelineEntry, Tip,
    },
    procedure::{Stage, StepKind},
    proposal::{Judge, Read},
    verdict::Verdict,
};
use crate::{
    act::{Act, Step, Text, Voice},
    ids::{ActRef, PlaceId},
};

/// Who did something, when, under which name.
#[derive(Clone, Copy)]
struct Mark {
    act: ActRef,
    place: PlaceId,
    on: i64,
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
        for s in &self.chain.settlements {
            let holds_now = self.chain.settlement(s.fork, &known).is_some_and(|h| h.change == s.change);
            let counted = |f: usize| outcome.get(f).copied().flatten() == Some(Verdict::Counted);
            if !(holds_now && s.fork.is_none_or(counted))
                && let Some(slot) = self.slots.get_mut(s.change)
            {
                slot.verdict = Verdict::Superseded;
            }
        }
        // A correction goes the way of the step it corrects.
        for (t, target) in &self.corrections {
            if let (Some(slot), Some(verdict)) =
                (self.slots.get_mut(*t), outcome.get(*target).copied().flatten())
            {
                slot.verdict = verdict;
            }
        }

        let mut matter = self.frame(end);
        if let End::Waiting { fork, .. } = end {
            let mut branches: Vec<_> = self
                .chain
                .sealed(fork, &known)
                .filter_map(|(t, _)| self.history.nodes.get(t).map(|n| (n.hash, n.act())))
                .collect();
            branches.sort_unstable();
            matter.branches = branches.into_iter().map(|(_, act)| act).collect();
        }
        matter.forks = self.forks();
        let closers: Vec<usize> = self.closers(end);
        let slots = std::mem::take(&mut self.slots);
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
                verdict: slot.verdict,
                text: None,
                corrected_by: None,
            };
            let counted = slot.verdict == Verdict::Counted;
            if counted {
                matter.latest_day = matter.latest_day.max(slot.day);
            }
            let mark = Mark { act, place: place.unwrap_or(matter.home), on: slot.day };
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
                    let closing = counted.then(|| self.closing(&closers, t)).flatten();
                    entry.text = matter.take_voice(voice, mark, counted, slot.score_counts, closing);
                }
                None => {}
            }
            matter.timeline.push(entry);
        }
        for (t, target) in &self.corrections {
            let (Some(by), Some(of)) = (self.history.nodes.get(*t), self.history.nodes.get(*target)) else {
                continue;
            };
            let counted = matter.timeline.iter().any(|e| e.hash == *by.hash && e.verdict == Verdict::Counted);
            if let Some(entry) = matter.timeline.iter_mut().find(|e| counted && e.hash == *of.hash) {
                entry.corrected_by = Some(by.act());
            }
        }
        matter.pending.extend(
            self.history.stranded.iter().map(|c| ActRef { actor: c.change.actor, seq: c.change.seq }),
        );
        matter.settle_tellings();
        matter
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
            above_holder: self.chain.above(holder).to_vec(),
            may_return_to,
            tip: standing.map(|s| Tip { act: s.tip, kind: s.tip_kind, place: s.tip_place }),
            procedure: standing.and_then(|s| s.procedure),
            calendar: standing.and_then(|s| s.calendar),
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
            standing,
            doc: self.doc,
        }
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
            .filter(|t| {
                self.chain.branch(*t).is_some_and(|b| {
                    matches!(
                        b.kind(),
                        Some(
                            StepKind::Decide
                                | StepKind::Answer
                                | StepKind::Refuse
                                | StepKind::Close
                                | StepKind::Withdraw
                        )
                    )
                })
            })
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
            Step::Close { note } => note.map(|t| t.0),
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
        Mark { act, place, on }: Mark,
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
            Voice::Ballot { question, body, eligible, present, in_favour, against, abstain, votes } => {
                let words = Some(question.clone());
                if counted {
                    let state = match closing {
                        None => BallotState::Open,
                        Some((_, true)) => BallotState::Counted,
                        Some((_, false)) => BallotState::Late,
                    };
                    let closed_by = closing.map(|(by, _)| by);
                    #[rustfmt::skip]
                    self.ballots.push(Ballot {
                        act, question, body, eligible, present, in_favour, against, abstain, votes, place, on,
                        state, closed_by,
                    });
                }
                words
            }
            Voice::Tell { answer, how, note } => {
                let words = note.clone();
                if counted {
                    let by_home = place == self.home;
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

fn reply(Mark { act, place, on }: Mark, text: String) -> Reply {
    Reply { act, text, place, on, outcome: None, lead: None, lead_act: None, told: false }
}
