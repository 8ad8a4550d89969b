//! What a place over others sees at one look: figures by week, place and category, and what has waited longest.
//!
//! Beside every figure stands of how many places it is told: a place that was not heard from is unknown, never zero.

use super::PlaceView;
use serde::Serialize;
use yishi_protocol::ids::DocId;

/// How many places were heard from, of those expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct HeardOf {
    /// Heard from.
    pub heard: usize,
    /// Expected.
    pub expected: usize,
}

/// Open matters past their day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LateView {
    /// Past it for sure.
    pub late: u64,
    /// Past it, and their holder was not heard from since: they may have been done.
    pub unknown: u64,
}

/// What happened, each counted by itself: the four do not add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct FlowView {
    /// Raised.
    pub raised: u64,
    /// Whose newest reply is an answer.
    pub answered: u64,
    /// Whose newest reply is a refusal or a referral.
    pub refused: u64,
    /// Closed.
    pub closed: u64,
}

/// One week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WeekView {
    /// Its Monday.
    pub monday: String,
    /// What happened in it.
    #[serde(flatten)]
    pub flow: FlowView,
    /// Open today and due in it.
    #[serde(flatten)]
    pub late: LateView,
    /// How many villages were heard from in it or since.
    pub heard: HeardOf,
}

/// A place directly below, with all below it; or this place itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowView {
    /// The place.
    pub place: PlaceView,
    /// Whether it is directly below, and not this place or one above.
    pub below: bool,
    /// The day it was last heard from itself; `None` if never.
    pub last_heard: Option<String>,
    /// How many of it and those below it were heard from of late.
    pub heard: HeardOf,
    /// What happened in all the weeks.
    #[serde(flatten)]
    pub flow: FlowView,
    /// Matters it or a place below it holds.
    pub open: u64,
    /// Of these, past their day.
    #[serde(flatten)]
    pub late: LateView,
    /// Past their day before the weeks shown.
    pub earlier: LateView,
    /// For each week: what was due in it and is open, and who was heard from in it or since.
    pub weeks: Vec<(LateView, HeardOf)>,
}

/// A category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryView {
    /// Its name; empty for matters without one.
    pub category: String,
    /// What happened in all the weeks.
    #[serde(flatten)]
    pub flow: FlowView,
    /// Open and past their day, whoever was heard from.
    pub late: u64,
}

/// How a matter stands, here or in a register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StandingView {
    /// Its document.
    pub id: DocId,
    /// Whether it can be opened here; else only its stub is known.
    pub here: bool,
    /// Its number.
    pub number: String,
    /// Its title, where it is here.
    pub title: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Where it was registered.
    pub home: PlaceView,
    /// Who must act next.
    pub holder: Option<PlaceView>,
    /// Its stage, by stable name.
    pub stage: String,
    /// And in Chinese.
    pub stage_zh: String,
    /// The day it was raised.
    pub raised: Option<String>,
    /// Days since then.
    pub days: i64,
    /// The day of its newest step.
    pub moved: String,
    /// The day of its newest answer.
    pub answered: Option<String>,
    /// The day of its newest refusal or referral.
    pub refused: Option<String>,
    /// The day by which the holder must act.
    pub due: Option<String>,
    /// Working days past it.
    pub days_over: i64,
    /// Whether somebody has to act.
    pub open: bool,
    /// Whether its holder was not heard from since it was due, or of late: what is told may have changed.
    pub unknown: bool,
    /// Acts that were not allowed.
    pub violations: u32,
    /// The rules they broke, where the matter is here.
    pub rules: Vec<String>,
}

/// The whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DashboardView {
    /// Today.
    pub day: String,
    /// Places below that have none below them: how many were heard from today or yesterday.
    pub heard: HeardOf,
    /// Whether these are all villages.
    pub villages: bool,
    /// Places below that were not, and when they were last, the longest silent first.
    pub silent: Vec<(PlaceView, Option<String>)>,
    /// Open matters.
    pub open: u64,
    /// Of these, past their day.
    pub late: LateView,
    /// Matters with acts that were not allowed.
    pub broken: u64,
    /// The weeks, the earliest first; the last is this week.
    pub weeks: Vec<WeekView>,
    /// By place, the latest first.
    pub places: Vec<RowView>,
    /// By category, most raised first.
    pub categories: Vec<CategoryView>,
    /// What has waited longest for a reply.
    pub longest: Vec<StandingView>,
}
