//! The fold of one outcome: a decision, the reply to every submitter, and what became of it.
//!
//! The deciding place is the document's home. An outcome holds one decision; of two made at the same
//! time the one with the lower hash is it. Progress may come from everybody who carries it out.

use super::{
    FoldInput,
    days::Days,
    digest,
    history::{History, Past, holds, vouched},
    matter::Listed,
    verdict::{Verdict, Violation},
};
use crate::{
    act::{Act, ActError, Decision, Progress},
    change::Body,
    ids::{ActRef, ChangeHash, DocId, Hash, PlaceId},
    limits::{CLAIMED_DAY_MAX, DAY_AHEAD_MAX},
};
use serde::Serialize;

/// A proposal the decision is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct About {
    /// The proposal.
    pub doc: DocId,
    /// The place that owes the reply to its people.
    pub home: PlaceId,
    /// Its human number.
    pub number: String,
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// The act.
    pub act: ActRef,
    /// A line that names it.
    pub title: String,
    /// What was decided.
    pub text: String,
    /// What it is about, merged sources included.
    pub proposals: Vec<About>,
    /// Responsible unit.
    pub unit: Option<String>,
    /// Budget in yuan.
    pub budget_yuan: Option<i64>,
    /// Due, in days since 1970-01-01.
    pub due: Option<i64>,
    /// The day.
    pub on: i64,
    /// The person.
    pub by: Option<String>,
}

/// Something said later: a reply, or how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// The act.
    pub act: ActRef,
    /// In words.
    pub text: String,
    /// 0 to 100, for progress.
    pub percent: Option<i64>,
    /// By whom.
    pub place: PlaceId,
    /// The day.
    pub on: i64,
}

/// One act of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The act.
    pub act: ActRef,
    /// The change that holds it.
    pub hash: ChangeHash,
    /// Whether it counts.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// One decision and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The deciding place.
    pub place: PlaceId,
    /// The decision.
    pub decision: Option<Decided>,
    /// Replies to every submitter; the last one is the newest.
    pub answers: Vec<Said>,
    /// How far it is; the last one is the newest.
    pub progress: Vec<Said>,
    /// Every act, in causal order.
    pub timeline: Vec<Entry>,
    /// Acts that were not allowed.
    pub violations: Vec<Listed>,
    /// Acts that wait for a certificate or an earlier change.
    pub pending: Vec<ActRef>,
    /// Acts that a newer program understands.
    pub needs_newer: Vec<ActRef>,
}

impl Outcome {
    /// The hash of the canonical form: equal on nodes that agree.
    #[must_use]
    pub fn digest(&self) -> Hash {
        digest::of("yishi/outcome/1", self)
    }
}

enum Read {
    Decision(Act<Decision>),
    Progress(Act<Progress>),
}

/// Folds an outcome.
#[must_use]
pub fn fold(input: &FoldInput<'_>) -> Outcome {
    let history = History::of(input);
    let past = Past::of(&history);
    let home = input.header.home;
    let mut outcome = Outcome {
        place: home,
        decision: None,
        answers: Vec::new(),
        progress: Vec::new(),
        timeline: Vec::new(),
        violations: Vec::new(),
        pending: history
            .stranded
            .iter()
            .map(|c| ActRef { actor: c.change.actor, seq: c.change.seq })
            .collect(),
        needs_newer: Vec::new(),
    };
    let mut decisions: Vec<(ChangeHash, usize, Decided)> = Vec::new();
    let mut known: Vec<Days> = Vec::with_capacity(history.len());
    for (t, node) in history.nodes.iter().enumerate() {
        let mut days = Days::of(history.deps(t).iter().filter_map(|d| known.get(*d).copied()));
        let Body::Act { container, value, .. } = &node.change.body else {
            known.push(days);
            continue;
        };
        let read = match container {
            0 => Act::from_ref(value).map(Read::Decision),
            1 => Act::from_ref(value).map(Read::Progress),
            _ => Err(ActError::Malformed("container".into())),
        };
        let row = past.row(t);
        let decided = decisions.iter().any(|(_, at, _)| holds(row, *at));
        let violated = |why| Verdict::Violation(why);
        let mut verdict = match (&read, node.author) {
            (Err(ActError::Malformed(_)), _) => Verdict::Malformed,
            (_, None) => Verdict::Pending,
            _ if !vouched(&history, &past, t) => Verdict::Revoked,
            (Err(ActError::UnknownKind(_)), _) => Verdict::NeedsNewer,
            (Ok(Read::Decision(_)), Some(author)) if author.place != home => violated(Violation::NotHome),
            (Ok(Read::Decision(Act { what: Decision::Decide { text, .. }, .. })), _) => {
                match (decided, text.0.trim().is_empty()) {
                    (true, _) => violated(Violation::AlreadyDecided),
                    (_, true) => violated(Violation::NoText),
                    _ => Verdict::Counted,
                }
            }
            (Ok(Read::Progress(Act { what: Progress::Progress { percent: Some(p), .. }, .. })), _)
                if !(0..=100).contains(p) =>
            {
                violated(Violation::PercentOutOfRange)
            }
            (Ok(_), _) if !decided => violated(Violation::NotDecided),
            (Ok(_), _) => Verdict::Counted,
        };
        let claimed = match &read {
            Ok(Read::Decision(act)) => act.on,
            Ok(Read::Progress(act)) => act.on,
            Err(_) => days.without_claim(),
        };
        let others = node.author.and_then(|a| days.of_others(a.place));
        if !(0..=CLAIMED_DAY_MAX).contains(&claimed) {
            verdict = Verdict::Malformed;
        } else if verdict == Verdict::Counted && others.is_some_and(|o| claimed > o + DAY_AHEAD_MAX) {
            verdict = violated(Violation::DayAhead);
        }
        let on = days.day(claimed);
        let act = node.act();
        let counted = verdict == Verdict::Counted;
        if let (true, Some(author)) = (counted, node.author) {
            days.claim(claimed, author.place);
        }
        known.push(days);
        outcome.timeline.push(Entry { act, hash: *node.hash, verdict });
        match (verdict, node.author) {
            (Verdict::Violation(why), Some(author)) => {
                outcome.violations.push(Listed { act, hash: *node.hash, place: author.place, why });
            }
            (Verdict::Pending, _) => outcome.pending.push(act),
            (Verdict::NeedsNewer, _) => outcome.needs_newer.push(act),
            _ => {}
        }
        let (Ok(read), Some(author), true) = (read, node.author, counted) else { continue };
        let said = |text: String, percent| Said { act, text, percent, place: author.place, on };
        match read {
            Read::Decision(Act { by, what, .. }) => match what {
                Decision::Decide { title, text, proposals, unit, budget_yuan, due } => {
                    let proposals = proposals
                        .into_iter()
                        .map(|c| About { doc: c.doc, home: c.home, number: c.number })
                        .collect();
                    let text = text.0;
                    #[rustfmt::skip]
                    let decided = Decided { act, title, text, proposals, unit, budget_yuan, due, on, by };
                    decisions.push((*node.hash, t, decided));
                }
                Decision::Answer { text } => outcome.answers.push(said(text.0, None)),
            },
            Read::Progress(Act { what: Progress::Progress { text, percent }, .. }) => {
                outcome.progress.push(said(text.0, percent));
            }
        }
    }
    if let Some((chosen, _, decided)) = decisions.iter().min_by_key(|(hash, _, _)| *hash) {
        outcome.decision = Some(decided.clone());
        for entry in &mut outcome.timeline {
            if *chosen != entry.hash && decisions.iter().any(|(hash, _, _)| *hash == entry.hash) {
                entry.verdict = Verdict::Superseded;
            }
        }
    }
    outcome
}
