//! One matter, as people see it: the result of folding a proposal.
//!
//! A plain value with stable field names. Lists are in the canonical causal order, so two nodes with the
//! same changes have equal matters, and [`Matter::digest`] tells so in 32 bytes.

use super::{
    days::Days,
    deliberation, digest,
    evidence::Evidence,
    frame::{Stage, StepKind},
    gates::Lack,
    record::{Asked, Assigned, AtStage, Attached, Called, Met, Posted, Recorded, Urged},
    rules::{self, Standing},
    unread::HeldUp,
    verdict::{Verdict, Violation},
};
use crate::{
    act::Stub,
    ids::{ActRef, ActorId, ChangeHash, DocId, Hash, PlaceId},
    procedure::{Grade, Procedure, Procedures, Urgency},
};
use serde::Serialize;
use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

/// A time limit before any calendar is consulted (rule R7): the date is a view of this, a calendar version
/// and today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SymbolicDeadline {
    /// The day it counts from, in days since 1970-01-01.
    pub from_day: i64,
    /// The step it counts from.
    pub since: ActRef,
    /// Working days after that day.
    pub working_days: u16,
    /// Hours after the step, where the limit is one of hours; `working_days` is then what they come to.
    pub hours: Option<u16>,
    /// The stable name of the act that is due.
    pub what: &'static str,
}

/// The step the next one must follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tip {
    /// Its name: the `prev` of the next step.
    pub act: ActRef,
    /// What it is.
    pub kind: StepKind,
    /// Who took it.
    pub place: PlaceId,
}

/// The number a matter has elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct External {
    /// Which system.
    pub system: String,
    /// Its number there.
    pub number: String,
}

/// A matter merged into this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The source.
    pub doc: DocId,
    /// The place that owes the reply to its people.
    pub home: PlaceId,
    /// Its number.
    pub number: String,
}

/// An answer or a refusal: both are owed to the people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// The step.
    pub act: ActRef,
    /// What was said, corrections applied.
    pub text: String,
    /// By whom.
    pub place: PlaceId,
    /// The day.
    pub on: i64,
    /// The outcome it stands on.
    pub outcome: Option<DocId>,
    /// The lead whose reply it carries.
    pub lead: Option<DocId>,
    /// The reply in the lead.
    pub lead_act: Option<ActRef>,
    /// Whether the home place has told it.
    pub told: bool,
}

/// That somebody was told a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Telling {
    /// The act.
    pub act: ActRef,
    /// Which reply.
    pub answer: ActRef,
    /// `phone`, `visit`, `paper` or `online`.
    pub how: String,
    /// Remark.
    pub note: Option<String>,
    /// By whom.
    pub place: PlaceId,
    /// The day.
    pub on: i64,
    /// Whether it was the home place, whose duty it is; only such tellings settle what is owed.
    pub by_home: bool,
}

/// A rating of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rating {
    /// The act.
    pub act: ActRef,
    /// 1 to 5.
    pub score: i64,
    /// `resident`, `revisit`, `third_party` or `proxy`.
    pub source: String,
    /// Remark.
    pub note: Option<String>,
    /// Who entered it.
    pub place: PlaceId,
    /// The day.
    pub on: i64,
    /// `false` if the place that entered it had itself handled the matter.
    pub counted: bool,
}

/// Whether a count bears on a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BallotState {
    /// No result yet.
    Open,
    /// The author of the result knew it.
    Counted,
    /// The result was made without it, or was there already: kept, and not part of it.
    Late,
}

/// One whole count of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ballot {
    /// The act.
    pub act: ActRef,
    /// What was asked.
    pub question: String,
    /// Which body.
    pub body: String,
    /// Entitled to vote.
    pub eligible: i64,
    /// Present.
    pub present: i64,
    /// For.
    pub in_favour: i64,
    /// Against.
    pub against: i64,
    /// Abstaining.
    pub abstain: i64,
    /// Member id to `for`, `against` or `abstain`; empty when only counted.
    pub votes: std::collections::BTreeMap<String, String>,
    /// Who entered it.
    pub place: PlaceId,
    /// The day.
    pub on: i64,
    /// The meeting it was held in.
    pub meeting: Option<ActRef>,
    /// Who called, counted and watched.
    pub counters: std::collections::BTreeMap<String, String>,
    /// Whether it bears on a result.
    pub state: BallotState,
    /// The step that closed it: the first decision, answer, refusal, closing or withdrawal after it.
    pub closed_by: Option<ActRef>,
}

/// Words or evidence anybody added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// The act.
    pub act: ActRef,
    /// The words.
    pub text: String,
    /// By whom.
    pub place: PlaceId,
    /// The person.
    pub by: Option<String>,
    /// The day.
    pub on: i64,
}

/// Support by some people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Support {
    /// The act.
    pub act: ActRef,
    /// How many.
    pub count: i64,
    /// Remark.
    pub note: Option<String>,
    /// Where.
    pub place: PlaceId,
    /// The day.
    pub on: i64,
}

/// That a place became the holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The place.
    pub place: PlaceId,
    /// Since this day.
    pub since: i64,
    /// By this step.
    pub act: ActRef,
}

/// One act, in the order things happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    /// The act.
    pub act: ActRef,
    /// The change that holds it.
    pub hash: ChangeHash,
    /// The stable name of its kind; as written, if this program does not know it.
    pub kind: Cow<'static, str>,
    /// By whom; `None` while its certificate is not here.
    pub place: Option<PlaceId>,
    /// The person.
    pub by: Option<String>,
    /// The day it counts as: what it claims, not before what its author knew of others (rule R7).
    pub on: i64,
    /// The day it claims, where that is another.
    pub claimed: Option<i64>,
    /// Whether it counts.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The words in it, as first written.
    pub text: Option<String>,
    /// The counted correction of it, if there is one.
    pub corrected_by: Option<ActRef>,
}

/// An act that was not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The act.
    pub act: ActRef,
    /// The change that holds it.
    pub hash: ChangeHash,
    /// By whom.
    pub place: PlaceId,
    /// Why.
    pub why: Violation,
}

/// Two changes of one actor with one number: proof of a copied machine. Both are folded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fork {
    /// The actor.
    pub actor: ActorId,
    /// The number.
    pub seq: u64,
    /// The changes, sorted.
    pub hashes: Vec<ChangeHash>,
}

/// One matter from raising to closing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Matter {
    /// The registration; `None` while only its certificate or nothing at all is here: nothing to show yet.
    pub register: Option<ActRef>,
    /// Human number.
    pub number: String,
    /// Six-digit check code.
    pub check: String,
    /// A line that names it, corrections applied.
    pub title: String,
    /// What was said, corrections applied.
    pub body: String,
    /// Category, corrections applied.
    pub category: Option<String>,
    /// 来源.
    pub source: Option<String>,
    /// 渠道.
    pub channel: Option<String>,
    /// `named`, `anonymous` or `proxy`.
    pub petitioner: Option<String>,
    /// Where the petitioner's identity is sealed.
    pub dossier: Option<DocId>,
    /// Its number elsewhere.
    pub external: Option<External>,
    /// The day it was raised, in days since 1970-01-01.
    pub raised_on: i64,
    /// The place that registered it.
    pub home: PlaceId,
    /// Where it stands.
    pub stage: Stage,
    /// Who must act next; `None` once it is closed or withdrawn.
    pub holder: Option<PlaceId>,
    /// The places above the holder, parent first: who may take over.
    pub above_holder: Vec<PlaceId>,
    /// The places below the holder that have held it: where it may be returned to.
    pub may_return_to: Vec<PlaceId>,
    /// The newest step of the chain.
    pub tip: Option<Tip>,
    /// The pinned procedure, once accepted.
    pub procedure: Option<Hash>,
    /// The pinned calendar, once accepted.
    pub calendar: Option<Hash>,
    /// Where it stands in the pinned procedure, while it is in one of its stages.
    pub at: Option<AtStage>,
    /// How much is at stake.
    pub grade: Grade,
    /// How fast.
    pub urgency: Urgency,
    /// Since this day no time runs.
    pub paused_since: Option<i64>,
    /// The unit that has the work.
    pub assigned: Option<Assigned>,
    /// Forms that were filled in.
    pub records: Vec<Recorded>,
    /// Meetings called.
    pub calls: Vec<Called>,
    /// Meetings held.
    pub meetings: Vec<Met>,
    /// Notices.
    pub posts: Vec<Posted>,
    /// Summonses.
    pub summonses: Vec<Asked>,
    /// Photos.
    pub attachments: Vec<Attached>,
    /// What places above said of late holders.
    pub urges: Vec<Urged>,
    /// Yuan that may be spent.
    pub budget_yuan: i64,
    /// Yuan that were.
    pub spent_yuan: i64,
    /// What is due.
    pub deadline: Option<SymbolicDeadline>,
    /// The lead it follows.
    pub merged_into: Option<DocId>,
    /// The matters merged into it.
    pub sources: Vec<Source>,
    /// Outcomes that decided it.
    pub outcomes: Vec<DocId>,
    /// The place that must say which of two branches goes on.
    pub waiting_for_settlement: Option<PlaceId>,
    /// The first steps of the branches that wait, sorted by hash.
    pub branches: Vec<ActRef>,
    /// Counted answers.
    pub answers: Vec<Reply>,
    /// Counted refusals.
    pub refusals: Vec<Reply>,
    /// Counted tellings.
    pub tellings: Vec<Telling>,
    /// Whether the newest answer or refusal was told by the home place; `false` when there is none.
    pub told: bool,
    /// Counted acts of rating; see [`Rating::counted`] for whether the score counts.
    pub ratings: Vec<Rating>,
    /// Ballots that add up; see [`Ballot::state`].
    pub ballots: Vec<Ballot>,
    /// Comments.
    pub comments: Vec<Comment>,
    /// Support.
    pub supports: Vec<Support>,
    /// Every act, in causal order, ties by hash.
    pub timeline: Vec<TimelineEntry>,
    /// Acts that were not allowed.
    pub violations: Vec<Listed>,
    /// Acts of an old holder that did not know of the take-over.
    pub late: Vec<ActRef>,
    /// Numbers used twice by one actor.
    pub forks: Vec<Fork>,
    /// Acts that wait for a certificate, a pinned version or an earlier change.
    pub pending: Vec<ActRef>,
    /// Acts that a newer program understands.
    pub needs_newer: Vec<ActRef>,
    /// The step at the end of the chain that this program cannot follow: what is built on it would wait too.
    pub held_up: Option<HeldUp>,
    /// Whether nothing but an act that a newer program understands begins the matter.
    pub begun_by_newer: bool,
    /// Whether a step waits for its author's certificate: what is built on it would wait too.
    pub author_unknown: bool,
    /// Who held it since when.
    pub held_by: Vec<Held>,
    /// The latest day of any counted act.
    pub latest_day: i64,
    /// What has been claimed, also by steps beside the way taken.
    #[serde(skip)]
    pub(super) days: Days,
    /// Who has handled it, also by steps beside the way taken.
    #[serde(skip)]
    pub(super) handlers: BTreeSet<PlaceId>,
    pub(super) standing: Option<Standing>,
    pub(super) doc: DocId,
    /// What gates ask about; its public face are the lists above.
    #[serde(skip)]
    pub(super) evidence: Vec<Evidence>,
    /// The pinned procedure, and one offered to bind the matter to.
    #[serde(skip)]
    pub(super) procedures: Procedures,
    /// The day on which gates that count days are asked.
    #[serde(skip)]
    pub(super) today: i64,
}

impl Matter {
    /// The hash of the matter's canonical form: equal on nodes that agree.
    #[must_use]
    pub fn digest(&self) -> Hash {
        digest::of("yishi/matter/1", self)
    }

    /// This document.
    #[must_use]
    pub fn doc(&self) -> DocId {
        self.doc
    }

    /// As whom a place acts in it: as itself, or as the holder or the home that was merged into it.
    #[must_use]
    pub fn acting(&self, place: PlaceId, acts_for: &BTreeSet<PlaceId>) -> PlaceId {
        let stands_for = |p: &PlaceId| *p == place || acts_for.contains(p);
        match &self.standing {
            Some(standing) => rules::acting(StepKind::Handle, standing, place, stands_for),
            None => place,
        }
    }

    /// Counts what is due from the day its step was stored by the one who looks, where the step claims a later
    /// one: an act is not younger than its witness (rule R7).
    pub fn witness(&mut self, stored_on: impl FnOnce(ActRef) -> Option<i64>) {
        if let Some(deadline) = &mut self.deadline
            && let Some(day) = stored_on(deadline.since)
        {
            deadline.from_day = deadline.from_day.min(day);
        }
    }

    /// Asks gates that count days as of the day an act of `today` would count as, rather than of the
    /// latest act.
    pub fn look_on(&mut self, today: i64) {
        self.today = self.days.day(today);
    }

    /// The pinned procedure, if it has stages.
    #[must_use]
    pub fn procedure_file(&self) -> Option<&Arc<Procedure>> {
        self.procedures.get(&self.procedure?)
    }

    /// The gates before the next stage, or the reply, that are not open.
    #[must_use]
    pub fn lacks(&self) -> Vec<Lack> {
        let (Some(procedure), Some(standing)) = (self.procedure_file(), &self.standing) else {
            return Vec::new();
        };
        deliberation::lacks(procedure, standing, self.today, self.evidence.iter())
    }

    /// How many people stand behind it by support.
    #[must_use]
    pub fn supporters(&self) -> i64 {
        self.supports.iter().fold(0, |sum, s| sum.saturating_add(s.count))
    }

    /// The newest answer or refusal.
    #[must_use]
    pub fn newest_reply(&self) -> Option<&Reply> {
        let reply = self.standing.as_ref()?.reply?;
        self.answers.iter().chain(&self.refusals).find(|r| r.act == reply)
    }

    /// What a place above sees before it is escalated: no text, no names. `due` is the day the deadline
    /// falls on, by the calendar in force.
    #[must_use]
    pub fn stub(&self, due: Option<i64>) -> Stub {
        Stub {
            doc: self.doc,
            home: self.home,
            number: self.number.clone(),
            category: self.category.clone(),
            raised: self.raised_on,
            stage: self.stage.name().to_owned(),
            moved: self.moved_on(),
            answered: self.answered_on(),
            refused: self.refused_on(),
            holder: self.holder,
            due,
            violations: i64::try_from(self.violations.len()).unwrap_or(i64::MAX),
        }
    }

    /// The day of the newest step of the chain; the day it was raised before there is one.
    #[must_use]
    pub fn moved_on(&self) -> i64 {
        let newest = self.tip.and_then(|tip| self.timeline.iter().find(|e| e.act == tip.act));
        newest.map_or(self.raised_on, |e| e.on)
    }

    /// The day of the newest reply, if it is an answer.
    #[must_use]
    pub fn answered_on(&self) -> Option<i64> {
        let reply = self.newest_reply()?;
        self.answers.iter().any(|a| a.act == reply.act).then_some(reply.on)
    }

    /// The day of the newest reply, if it is a refusal or says that it is not ours.
    #[must_use]
    pub fn refused_on(&self) -> Option<i64> {
        let reply = self.newest_reply()?;
        self.refusals.iter().any(|r| r.act == reply.act).then_some(reply.on)
    }
}
