//! What callers get: exactly the JSON of the API, ready to be serialised.
//!
//! A view is made for one moment: names of places come from the certificates known now, deadlines from
//! today and the calendar, and "stored" from receipts. Nothing of it is kept.

mod attachment;
mod board;
mod charter;
mod dashboard;
mod deliberation;
mod links;
mod notices;
mod outcome;
mod similar;
mod supervision;
mod tree;

pub use attachment::AttachmentView;
pub use board::{BoardMatter, BoardView, NoticeView};
pub use charter::{
    CharterView, CustodyView, DeclaredView, DutyView, EndingView, GrantedView, HandoverView, OpenView,
    StagedCharterView, StagedNoticeView, TodayView, YearView,
};
pub use dashboard::{
    CategoryView, DashboardView, FlowView, HeardOf, LateView, RowView, StandingView, WeekView,
};
pub use deliberation::{
    AskedView, AssignedView, BallotView, BoundView, CallView, DeliberationView, LackView, MeetingView, Noted,
    PostView, ProblemView, ProcedureView, RecordView, SaidView, StageView, StagedView, UrgeView, WayView,
};
pub use links::{HeldBackView, LinkView, LinksView, OnlyHereView};
pub use notices::{AnnouncementView, OpeningView, StagedAnnouncementView, StubField, StubView, VersionView};
pub use outcome::{CitedView, OutcomeView, ProgressView};
pub use similar::{OtherWords, SimilarList, SimilarView};
pub use supervision::{HeldView, SilentView, SupervisedView, SupervisionView};
pub use tree::{AdmitView, PlacingView, RevokeView, UncountedView};

use serde::Serialize;
use std::collections::BTreeMap;
use yishi_protocol::ids::{ActRef, ActorId, CertHash, ChangeHash, DocId, PlaceId};

/// A place as it is called now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlaceView {
    /// Its immutable id.
    pub id: PlaceId,
    /// Its 12-digit code; empty if no certificate of it is known here.
    pub code: String,
    /// Its name; a part of its id if no certificate of it is known here.
    pub name: String,
    /// The label of its level.
    pub level: String,
}

/// A place with the names of all above it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathView {
    /// The place.
    #[serde(flatten)]
    pub place: PlaceView,
    /// `青白江区 › 姚渡镇 › 芦稿村`
    pub path: String,
}

/// This node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeView {
    /// The place it speaks for.
    pub place: PathView,
    /// The federation's id.
    pub federation: String,
    /// The program's version.
    pub version: &'static str,
    /// The life of its database.
    pub incarnation: u32,
    /// The epoch of its database.
    pub epoch: String,
    /// Today, as this node counts days.
    pub today: String,
    /// Its public signing key.
    pub node_key: String,
    /// The pin of its web certificate; set by whoever serves it.
    pub web_pin: Option<String>,
    /// The place above.
    pub parent: Option<PlaceView>,
    /// Whether the place works on this machine: another one may have taken it over.
    pub active: bool,
}

/// Who has forgotten a petitioner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForgettingView {
    /// Whether it was ordered at all.
    pub forgotten: bool,
    /// The day it was ordered.
    pub on: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// By which place.
    pub by: Option<PlaceView>,
    /// The places that signed to have deleted every key.
    pub done: Vec<PlaceView>,
    /// The places that saw the dossier and have not said so yet.
    pub waiting: Vec<PlaceView>,
}

/// How a link stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlaceLink {
    /// `up`, `down` or `none`.
    pub state: &'static str,
    /// When anything was last heard.
    pub last_contact: Option<String>,
}

/// One place of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlaceRow {
    /// The place.
    #[serde(flatten)]
    pub place: PlaceView,
    /// The place above it.
    pub parent: Option<PlaceId>,
    /// Whether it is this node's.
    pub is_self: bool,
    /// Its link with this node, if it is the parent or a child.
    pub link: Option<PlaceLink>,
    /// Whether all its certificates are revoked.
    pub revoked: bool,
    /// Open matters registered there that this node knows of.
    pub open_matters: u64,
}

/// An invitation just made; its token is shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InviteView {
    /// What the newcomer types or photographs.
    pub token: String,
    /// The place invited.
    pub place: PlaceView,
    /// Until when.
    pub expires_at: String,
}

/// A time limit on today's calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadlineView {
    /// The last day.
    pub date: String,
    /// Working days after today up to it; negative once it is past.
    pub working_days_left: i64,
    /// Whether it is past.
    pub overdue: bool,
    /// Whether a year without a holiday notice was counted.
    pub provisional: bool,
    /// The act that is due.
    pub what: String,
}

/// A reply in a matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerView {
    /// The act.
    pub act: ActRef,
    /// What was replied.
    pub text: String,
    /// By whom.
    pub place: PlaceView,
    /// The day.
    pub on: String,
    /// The outcome it stands on.
    pub outcome: Option<DocId>,
    /// Whether the home place has told it.
    pub told: bool,
}

/// A rating.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RatingView {
    /// 1 to 5.
    pub score: i64,
    /// `resident`, `revisit`, `third_party` or `proxy`.
    pub source: String,
    /// Who entered it.
    pub place: PlaceView,
    /// Whether it counts.
    pub counted: bool,
    /// The day.
    pub on: String,
}

/// A matter's number in another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExternalView {
    /// Which system.
    pub system: String,
    /// Its number there.
    pub number: String,
}

/// What is said openly of a petitioner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PetitionerView {
    /// `named`, `anonymous` or `proxy`.
    pub kind: String,
    /// Where the identity is sealed.
    pub dossier: Option<DocId>,
}

/// One level above and whether it has a document on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LevelView {
    /// The place.
    pub place: PlaceView,
    /// The label of its level.
    pub level: String,
    /// `stored` once the level itself has signed that everything is there, else `waiting`.
    pub state: &'static str,
    /// When this was learnt; `None` if not kept.
    pub since: Option<String>,
}

/// Where a document is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredView {
    /// Always true: what is shown was read from this node's disk.
    pub here: bool,
    /// The levels above that may see it, parent first.
    pub up: Vec<LevelView>,
}

/// An act that was not allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViolationView {
    /// The act.
    pub act: ActRef,
    /// By whom.
    pub place: PlaceView,
    /// The stable name of the rule.
    pub rule: &'static str,
    /// Why, in English.
    pub why: &'static str,
    /// Why, in Chinese.
    pub why_zh: &'static str,
}

/// One line of a matter's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineView {
    /// The act.
    pub act: ActRef,
    /// The stable name of its kind.
    pub kind: String,
    /// In Chinese.
    pub kind_zh: String,
    /// By whom; `None` while its certificate is not here.
    pub place: Option<PlaceView>,
    /// The person.
    pub by: Option<String>,
    /// The day it counts as.
    pub on: String,
    /// The day it claims, where that is another.
    pub claimed_on: Option<String>,
    /// The day it was stored here: what is claimed cannot be later.
    pub stored_on: Option<String>,
    /// The words in it.
    pub text: Option<String>,
    /// `counted`, `violation`, `late`, `superseded`, `corrected`, …
    pub verdict: &'static str,
    /// Why it does not count, in English.
    pub why: Option<&'static str>,
    /// Why it does not count, in Chinese.
    pub why_zh: Option<&'static str>,
}

/// An act that is allowed now, named only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NextName {
    /// Its stable name.
    pub act: &'static str,
    /// In Chinese.
    pub label: &'static str,
    /// In English.
    pub label_en: &'static str,
}

/// A field of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FieldView {
    /// The stable name.
    pub name: &'static str,
    /// Whether it is compulsory.
    pub required: bool,
    /// What it takes: `text`, `string`, `number`, or fixed words with bars between.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// An act that is allowed now, with what is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NextAct {
    /// Its name and labels.
    #[serde(flatten)]
    pub name: NextName,
    /// What is filled in.
    pub fields: Vec<FieldView>,
    /// The stages it may go to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<WayView>,
    /// The places it may go to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<PlaceView>,
    /// The forms of the procedure this place may fill in, by their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forms: Vec<String>,
    /// The acts it may be about: replies, notices, questions, branches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<ActRef>,
    /// The merged matters it may be about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<DocId>,
}

/// An act that is not allowed now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotNow {
    /// Its name and labels.
    #[serde(flatten)]
    pub name: NextName,
    /// The stable name of the rule.
    pub code: &'static str,
    /// Why, in English.
    pub why: String,
    /// Why, in Chinese.
    pub why_zh: String,
}

/// What this place may do with a matter now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NextView {
    /// Allowed now.
    pub items: Vec<NextAct>,
    /// Not allowed now.
    pub not_now: Vec<NotNow>,
}

/// What lists and single views of a matter have in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatterSummary {
    /// The document.
    pub id: DocId,
    /// Human number; empty while the registration is not readable here.
    pub number: String,
    /// Six-digit check code.
    pub check_code: String,
    /// A line that names it.
    pub title: String,
    /// Category.
    pub category: Option<String>,
    /// 来源.
    pub source: Option<String>,
    /// 渠道.
    pub channel: Option<String>,
    /// The day it was raised.
    pub raised_on: String,
    /// The place that registered it.
    pub home: PlaceView,
    /// Who must act next.
    pub holder: Option<PlaceView>,
    /// The stable name of its stage.
    pub stage: String,
    /// In Chinese.
    pub stage_zh: String,
    /// What is due.
    pub deadline: Option<DeadlineView>,
    /// The lead it follows.
    pub merged_into: Option<DocId>,
    /// The matters merged into it.
    pub sources: Vec<DocId>,
    /// Outcomes that decided it.
    pub outcomes: Vec<DocId>,
    /// Ratings of the result.
    pub ratings: Vec<RatingView>,
    /// How many people support it.
    pub supports: i64,
    /// Its number elsewhere.
    pub external: Option<ExternalView>,
    /// Who raised it, as far as said openly.
    pub petitioner: Option<PetitionerView>,
    /// Where it is on disk.
    pub stored: StoredView,
    /// Acts that were not allowed.
    pub violations: Vec<ViolationView>,
    /// Acts of an old holder after a take-over.
    pub late: Vec<ActRef>,
    /// Whether the newest reply has been told.
    pub told: bool,
    /// When anything of it last arrived here.
    pub updated_at: String,
}

/// A matter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatterView {
    /// What a list shows too.
    #[serde(flatten)]
    pub summary: MatterSummary,
    /// What was said.
    pub body: String,
    /// The replies.
    pub answers: Vec<AnswerView>,
    /// Everything that happened.
    pub timeline: Vec<TimelineView>,
    /// What this place may do now.
    pub next: Vec<NextName>,
    /// The step that holds it up here, if one does, and who can help.
    pub held_up: Option<HeldUpView>,
    /// Where it is in its procedure, and what was put on record.
    pub deliberation: DeliberationView,
    /// Photos.
    pub attachments: Vec<AttachmentView>,
}

/// A step this program cannot follow, with what rests on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldUpView {
    /// The step.
    pub act: ActRef,
    /// By whom.
    pub place: PlaceView,
    /// What is missing and who can help, in English.
    pub why: String,
    /// The same in Chinese.
    pub why_zh: String,
    /// The places that may take the matter over and set the step aside.
    pub helpers: Vec<PlaceView>,
}

/// Something was moved out of ordinary text, or another thing the person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The stable name.
    pub code: &'static str,
    /// In English.
    pub detail: String,
    /// In Chinese.
    pub detail_zh: String,
}

/// A matter just raised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RaisedView {
    /// The matter.
    #[serde(flatten)]
    pub matter: MatterView,
    /// What the person should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// An act just done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActedView {
    /// The matter after it.
    pub matter: MatterView,
    /// The act.
    pub act: ActRef,
    /// What the person should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
}

/// A petitioner's identity, opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize, Default)]
pub struct DossierView {
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// Telephone.
    #[serde(default)]
    pub phone: Option<String>,
    /// Address.
    #[serde(default)]
    pub address: Option<String>,
    /// Identity and telephone numbers found in ordinary text and moved here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<String>,
    /// Anything a newer program has put in.
    #[serde(flatten)]
    pub more: BTreeMap<String, serde_json::Value>,
}

/// One change of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeView {
    /// Its hash.
    pub hash: ChangeHash,
    /// Its author's actor.
    pub actor: ActorId,
    /// Its number under that actor.
    pub seq: u64,
    /// The certificate it was signed under; `None` if a later signature covers it.
    pub signed_by_cert: Option<CertHash>,
    /// Its length.
    pub bytes: usize,
}

/// Why one row of an import was not taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowError {
    /// The row as the caller counts them.
    pub row: u64,
    /// The stable name.
    pub code: &'static str,
    /// In English.
    pub detail: String,
    /// In Chinese.
    pub detail_zh: String,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ImportView {
    /// Matters made.
    pub created: u64,
    /// Answers added to matters that were here.
    pub answered: u64,
    /// Rows that were here already.
    pub skipped: u64,
    /// Rows not taken over.
    pub errors: Vec<RowError>,
}

/// One reply for another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportRow {
    /// The number there.
    pub external_number: String,
    /// The number here.
    pub number: String,
    /// A line that names it.
    pub title: String,
    /// The newest reply.
    pub answer: Option<String>,
    /// Its day.
    pub answered_on: Option<String>,
    /// The stable name of the stage.
    pub stage: String,
    /// In Chinese.
    pub stage_zh: String,
}
