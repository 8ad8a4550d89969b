//! Supervision: what is late, who is not heard from, what arrived late.

use super::PlaceView;
use serde::Serialize;
use yishi_protocol::{charter::Supervision, ids::DocId};

/// What stands under supervision here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SupervisionView {
    /// The day of the list, by this node.
    pub day: String,
    /// The rule in force.
    pub rule: Supervision,
    /// Late for so long that it goes one level up, the longest first.
    pub raised: Vec<SupervisedView>,
    /// Late.
    pub named: Vec<SupervisedView>,
    /// Due within days.
    pub soon: Vec<SupervisedView>,
    /// Places below that were not heard from: whether they are late is not known.
    pub not_heard: Vec<SilentView>,
    /// Matters with acts that arrived after somebody took over.
    pub late: Vec<HeldView>,
    /// If more is overdue than is listed: how many were looked at, those due earliest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_at_most: Option<u32>,
}

/// A matter under supervision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SupervisedView {
    /// The document.
    pub id: DocId,
    /// Its number.
    pub number: String,
    /// The line that names it; `None` where only its stub is seen here.
    pub title: Option<String>,
    /// Who must act.
    pub holder: Option<PlaceView>,
    /// The day it was due.
    pub due: Option<String>,
    /// Working days over; 0 if it is not.
    pub days_over: i64,
    /// The day it was last urged.
    pub urged: Option<String>,
    /// What was said then: `overdue`, `returned` or `forwarded`.
    pub ground: Option<String>,
}

/// A place not heard from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SilentView {
    /// The place.
    pub place: PlaceView,
    /// When something last came from it.
    pub last_contact: Option<String>,
    /// Its matters whose day is past.
    pub matters: u64,
}

/// A matter with late acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldView {
    /// The document.
    pub id: DocId,
    /// Its number.
    pub number: String,
    /// The line that names it.
    pub title: String,
    /// Who holds it now.
    pub holder: Option<PlaceView>,
    /// How many acts arrived late.
    pub acts: usize,
}
