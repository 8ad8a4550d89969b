//! Procedures, and what a matter has on record in one.

use super::PlaceView;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use yishi_protocol::{
    fold::Filling,
    ids::{ActRef, Hash},
    problem::Severity,
    procedure::{Procedure, Words},
};

/// A procedure in force.
#[derive(Debug, Clone, Serialize)]
pub struct ProcedureView {
    /// What it says.
    #[serde(flatten)]
    pub procedure: Arc<Procedure>,
    /// Who issued it; `None` if it came with the program.
    pub by: Option<PlaceView>,
    /// The day.
    pub issued_on: Option<String>,
}

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProblemView {
    /// `error` or `warning`.
    pub severity: Severity,
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// The stable name.
    pub code: &'static str,
    /// In English.
    pub detail: String,
    /// In Chinese.
    pub detail_zh: String,
}

/// What issuing a file would do.
#[derive(Debug, Clone, Serialize)]
pub struct StagedView {
    /// What is wrong; with an error it is not issued.
    pub problems: Vec<ProblemView>,
    /// What it says, if it could be read.
    pub procedure: Option<Arc<Procedure>>,
    /// The version in force under this name.
    pub replaces: Option<u32>,
}

/// 督办.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UrgeView {
    /// The act.
    #[serde(flatten)]
    pub noted: Noted,
    /// `urged` or `raised`.
    pub degree: String,
    /// `overdue`, `returned` or `forwarded`.
    pub ground: String,
    /// The day it was due.
    pub due: Option<String>,
    /// Remark.
    pub note: Option<String>,
}

/// A stage a matter may go to now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WayView {
    /// Its name in the procedure.
    pub stage: String,
    /// In Chinese.
    pub label: String,
    /// In English.
    pub label_en: String,
    /// Whether it goes back, which wants a reason.
    pub back: bool,
}

/// A procedure by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BoundView {
    /// What is pinned.
    pub pin: Hash,
    /// Its name.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// As shown.
    pub title: Words,
}

/// The stage a matter is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageView {
    /// Its name in the procedure.
    pub stage: String,
    /// As shown.
    pub title: Words,
    /// From 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

/// A gate that is not open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LackView {
    /// The rule.
    pub code: &'static str,
    /// The form or body it is about.
    pub about: Option<String>,
    /// In English.
    pub detail: String,
    /// In Chinese.
    pub detail_zh: String,
}

/// Who put something on record, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Noted {
    /// The act.
    pub act: ActRef,
    /// By whom.
    pub place: PlaceView,
    /// The day.
    pub on: String,
}

/// The unit that has the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AssignedView {
    /// By whom and when.
    #[serde(flatten)]
    pub noted: Noted,
    /// The unit.
    pub unit: String,
    /// 经办人.
    pub person: Option<String>,
}

/// A form that was filled in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordView {
    /// By whom and when.
    #[serde(flatten)]
    pub noted: Noted,
    /// Its name in the procedure.
    pub form: String,
    /// As shown; the name if the procedure is not here.
    pub title: Words,
    /// What was filled in, in the form's order: name, title, value.
    pub fields: Vec<(String, Words, Filling)>,
}

/// A call to a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallView {
    /// By whom and when.
    #[serde(flatten)]
    pub noted: Noted,
    /// Which body, by its name in the procedure.
    pub body: String,
    /// As shown.
    pub title: Words,
    /// For which day.
    pub day: String,
    /// What for.
    pub agenda: String,
    /// Where.
    pub venue: Option<String>,
}

/// A meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MeetingView {
    /// By whom and when entered.
    #[serde(flatten)]
    pub noted: Noted,
    /// Which body.
    pub body: String,
    /// As shown.
    pub title: Words,
    /// The day it was held.
    pub day: String,
    /// Entitled to be there.
    pub eligible: i64,
    /// There.
    pub present: i64,
    /// There from afar.
    pub remote: i64,
    /// Member id to `present`, `remote` or `absent`.
    pub roll: BTreeMap<String, String>,
    /// How many of those there carry a tag.
    pub tags: BTreeMap<String, i64>,
    /// What was said and settled.
    pub minutes: String,
    /// Whether there were enough.
    pub quorate: bool,
}

/// Something that wants a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskedView {
    /// By whom and when.
    #[serde(flatten)]
    pub noted: Noted,
    /// Of whom, for a summons.
    pub unit: String,
    /// The words.
    pub text: String,
    /// The day by which, for a summons.
    pub due: Option<String>,
    /// The replies.
    pub replies: Vec<SaidView>,
}

/// A reply to an objection or a summons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaidView {
    /// By whom and when.
    #[serde(flatten)]
    pub noted: Noted,
    /// The words.
    pub text: String,
    /// Whether it was said elsewhere and is passed on.
    pub relayed: bool,
}

/// A notice on the board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PostView {
    /// By whom, and from when.
    #[serde(flatten)]
    pub noted: Noted,
    /// For so many days.
    pub days: i64,
    /// The last of them.
    pub until: String,
    /// What is posted.
    pub text: String,
    /// Objections.
    pub objections: Vec<AskedView>,
}

/// A vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BallotView {
    /// By whom and when entered.
    #[serde(flatten)]
    pub noted: Noted,
    /// What was asked.
    pub question: String,
    /// Which body.
    pub body: String,
    /// As shown.
    pub title: Words,
    /// Entitled, present, for, against, abstaining.
    pub counts: [i64; 5],
    /// `open`, `counted` or `late`.
    pub state: &'static str,
}

/// Where a matter is in its procedure, and what was put on record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeliberationView {
    /// The procedure it is bound to, if it has stages and is here.
    pub procedure: Option<BoundView>,
    /// The stage.
    pub at: Option<StageView>,
    /// `minor`, `ordinary` or `major`.
    pub grade: &'static str,
    /// `normal`, `urgent` or `immediate`.
    pub urgency: &'static str,
    /// Since when no time runs.
    pub paused_since: Option<String>,
    /// The unit that has the work.
    pub assigned: Option<AssignedView>,
    /// Gates that are not open.
    pub lacks: Vec<LackView>,
    /// Forms filled in.
    pub records: Vec<RecordView>,
    /// Meetings called.
    pub calls: Vec<CallView>,
    /// Meetings held.
    pub meetings: Vec<MeetingView>,
    /// Votes.
    pub ballots: Vec<BallotView>,
    /// Notices.
    pub posts: Vec<PostView>,
    /// Summonses.
    pub summonses: Vec<AskedView>,
    /// What places above said of late holders.
    pub urges: Vec<UrgeView>,
    /// Yuan that may be spent.
    pub budget_yuan: i64,
    /// Yuan that were.
    pub spent_yuan: i64,
}
