//! The charter of a place: its people and powers, who is on duty today, which terms end.

use super::{PlaceView, ProblemView};
use serde::Serialize;
use std::sync::Arc;
use yishi_protocol::charter::{Articles, Authority, Category};

/// A charter as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct CharterView {
    /// Whose.
    pub place: PlaceView,
    /// The snapshot in force, from 1; 0 if the place has none here.
    pub number: i64,
    /// Its hash.
    pub hash: Option<String>,
    /// The day it was issued.
    pub issued_on: Option<String>,
    /// What it says; empty if it says nothing of people and powers.
    pub articles: Arc<Articles>,
    /// Categories that places above declare.
    pub categories_above: Vec<DeclaredView>,
    /// Powers that places above grant.
    pub powers_above: Vec<GrantedView>,
    /// Who is on duty and who sits where today.
    pub today: TodayView,
    /// Terms that end soon or have ended.
    pub ending: Vec<EndingView>,
    /// Years of the calendar, and whose notice they rest on.
    pub calendar: Vec<YearView>,
}

/// A category, and who declares it.
#[derive(Debug, Clone, Serialize)]
pub struct DeclaredView {
    /// The category.
    #[serde(flatten)]
    pub category: Category,
    /// Who.
    pub by: PlaceView,
}

/// A line of the authority matrix, and whose.
#[derive(Debug, Clone, Serialize)]
pub struct GrantedView {
    /// The line.
    #[serde(flatten)]
    pub line: Authority,
    /// Whose.
    pub by: PlaceView,
}

/// Today at the place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TodayView {
    /// The day.
    pub day: String,
    /// On duty: the rota and who.
    pub duty: Vec<DutyView>,
    /// Where somebody sits today.
    pub stations: Vec<DutyView>,
}

/// Who serves where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DutyView {
    /// The id of the rota or station.
    pub id: String,
    /// Its name in Chinese.
    pub label: String,
    /// Its name in English.
    pub label_en: String,
    /// From when to when, in words.
    pub hours: Option<String>,
    /// Names.
    pub people: Vec<String>,
}

/// A term that ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndingView {
    /// The body; `None` for a collector.
    pub body: Option<String>,
    /// As shown, in Chinese.
    pub label: String,
    /// As shown, in English.
    pub label_en: String,
    /// Names.
    pub people: Vec<String>,
    /// The last day.
    pub until: String,
    /// Whether it is over.
    pub over: bool,
}

/// A year of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct YearView {
    /// The year.
    pub year: i32,
    /// Who issued its notice; `None` if it came with the program.
    pub by: Option<PlaceView>,
    /// The day it was issued.
    pub issued_on: Option<String>,
}

/// What issuing articles would do.
#[derive(Debug, Clone, Serialize)]
pub struct StagedCharterView {
    /// What is wrong; with an error they are not issued.
    pub problems: Vec<ProblemView>,
    /// What they say, if they could be read.
    pub articles: Option<Arc<Articles>>,
    /// The number they would have.
    pub number: i64,
    /// What changes, a line each, in Chinese.
    pub changes: Vec<String>,
    /// What changes, a line each, in English.
    pub changes_en: Vec<String>,
}

/// What issuing a holiday notice would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StagedNoticeView {
    /// The year.
    pub year: i32,
    /// Days that are free or worked otherwise than now: the day, and `free`, `worked` or `weekday`.
    pub changes: Vec<(String, &'static str)>,
    /// Open matters whose day would be counted anew.
    pub open_matters: u64,
}

/// What is handed over when a term ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HandoverView {
    /// The place.
    pub place: PlaceView,
    /// The day of the list.
    pub day: String,
    /// The terms that end.
    pub ending: Vec<EndingView>,
    /// Seals, books, keys, and who keeps them.
    pub custody: Vec<CustodyView>,
    /// Matters the place holds, the earliest due first; at most 500 of them.
    pub matters: Vec<OpenView>,
    /// Whether there are more.
    pub more: bool,
}

/// An open matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenView {
    /// Its number.
    pub number: String,
    /// The line that names it.
    pub title: String,
    /// Its stage, in Chinese.
    pub stage: String,
    /// Its stage, in English.
    pub stage_en: String,
    /// The day it is due.
    pub due: Option<String>,
}

/// Something kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustodyView {
    /// What.
    pub what: String,
    /// Who keeps it.
    pub by: String,
    /// Whether his term ends.
    pub leaves: bool,
}
