//! Notices and opened matters, as callers see them.

use super::PlaceView;
use serde::Serialize;
use yishi_protocol::ids::DocId;

/// One version of an announcement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionView {
    /// A line that names it.
    pub title: String,
    /// The words.
    pub text: String,
    /// The day.
    pub on: String,
    /// The person.
    pub by: Option<String>,
}

/// What a place made known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnnouncementView {
    /// Its document.
    pub id: DocId,
    /// Whose word it is.
    pub place: PlaceView,
    /// `announcement`, `directive`, `topic` or `resource`.
    pub sort: String,
    /// A line that names it.
    pub title: String,
    /// The words.
    pub text: String,
    /// What it is about.
    pub category: Option<String>,
    /// The day of its last word.
    pub on: String,
    /// The person.
    pub by: Option<String>,
    /// The last day it holds.
    pub until: Option<String>,
    /// Whether it holds today.
    pub in_force: bool,
    /// Why it was taken back.
    pub recalled: Option<String>,
    /// Earlier versions, the oldest first; left out in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<VersionView>,
}

/// What announcing would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StagedAnnouncementView {
    /// How many places it reaches, this one not counted.
    pub places: u64,
    /// Those named, or this place for all below it.
    pub to: Vec<PlaceView>,
    /// Open matters here that a resource would be offered to.
    pub open_matters: Option<u64>,
}

/// That a place above opened a matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpeningView {
    /// Who.
    pub place: PlaceView,
    /// The day.
    pub on: String,
    /// Why.
    pub reason: String,
    /// The person, by member id of that place.
    pub by: Option<String>,
}

/// One thing a stub says, and what the matter itself says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StubField {
    /// `number`, `category`, `raised`, `stage`, `moved`, `answered`, `refused`, `holder`, `due` or `violations`.
    pub field: &'static str,
    /// In the register.
    pub said: Option<String>,
    /// In the matter; nothing as long as it is not here.
    pub found: Option<String>,
    /// Whether they differ.
    pub differs: bool,
}

/// What is known of a matter below of which only a register speaks, and whether that is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StubView {
    /// The matter.
    pub id: DocId,
    /// Its number.
    pub number: Option<String>,
    /// The place whose register speaks of it.
    pub register_of: PlaceView,
    /// The place that registered it.
    pub home: PlaceView,
    /// The day the register said so.
    pub said_on: String,
    /// `unseen`, `asked`, `here`: nobody here opened it, it was asked for and has not come, it is here.
    pub state: &'static str,
    /// `same`, `differs`, or `moved_on` if the matter has had steps since; nothing as long as it is not here.
    pub compared: Option<&'static str>,
    /// What it says, field by field.
    pub fields: Vec<StubField>,
    /// Who opened it, and why.
    pub openings: Vec<OpeningView>,
}
