//! Outcomes as callers see them: what was decided, about what, and how far it is.

use super::{PlaceView, StoredView};
use serde::Serialize;
use yishi_protocol::ids::DocId;

/// A proposal an outcome is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CitedView {
    /// The proposal.
    pub id: DocId,
    /// Its number.
    pub number: Option<String>,
    /// The place that registered it.
    pub home: PlaceView,
}

/// How far an outcome is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProgressView {
    /// In words.
    pub text: String,
    /// 0 to 100.
    pub percent: Option<i64>,
    /// Who says so.
    pub place: PlaceView,
    /// The day.
    pub on: String,
}

/// An outcome.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutcomeView {
    /// The document.
    pub id: DocId,
    /// A line that names it.
    pub title: String,
    /// What was decided.
    pub text: String,
    /// Responsible unit.
    pub unit: Option<String>,
    /// Budget in yuan.
    pub budget_yuan: Option<i64>,
    /// Due day.
    pub due_on: Option<String>,
    /// The day it was decided.
    pub decided_on: String,
    /// Who decided.
    pub place: PlaceView,
    /// What it is about.
    pub proposals: Vec<CitedView>,
    /// The reply to every submitter.
    pub answer: Option<String>,
    /// How far it is.
    pub progress: Vec<ProgressView>,
    /// Where it is on disk.
    pub stored: StoredView,
}
