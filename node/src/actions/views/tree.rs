//! What is shown before and after places are revoked, admitted, moved, merged or re-coded.

use super::PlaceView;
use serde::Serialize;
use yishi_protocol::ids::DocId;

/// What a revocation does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevokeView {
    /// Nothing was done: this is what would be.
    pub preview: bool,
    /// The place.
    pub place: PlaceView,
    /// Certificates that end.
    pub revoked_certificates: u64,
    /// Newer keys of the place that go on.
    pub kept_keys: u64,
    /// Whether there is a link to close.
    pub link_closed: bool,
    /// What was stored here before this counts; all that is stored, if missing.
    pub counted_until: Option<String>,
    /// Changes stored here that do not count.
    pub uncounted_changes: u64,
    /// In how many documents.
    pub uncounted_documents: u64,
    /// These documents, the first of them, oldest first.
    pub uncounted: Vec<UncountedView>,
    /// Places whose certificates end with it, since the key issued them too late.
    pub places_not_vouched_for: Vec<PlaceView>,
}

/// Changes of one document that a revocation does not let count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UncountedView {
    /// The document.
    pub document: DocId,
    /// Its number, if it is a matter.
    pub number: Option<String>,
    /// Its title, likewise.
    pub title: Option<String>,
    /// How many changes.
    pub changes: u64,
    /// When the first was stored here.
    pub first_stored_at: String,
    /// When the last was.
    pub last_stored_at: String,
}

/// What a placement does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlacingView {
    /// Nothing was done: this is what would be.
    pub preview: bool,
    /// The place as it was called.
    pub place: PlaceView,
    /// What it is called from now on.
    pub called: PlaceView,
    /// The parent until now.
    pub old_parent: PlaceView,
    /// The parent from now on.
    pub parent: PlaceView,
    /// The place that acts for it from now on.
    pub into: Option<PlaceView>,
    /// How many placements it has had with this one.
    pub number: u32,
    /// Open matters registered there that this node knows of.
    pub open_matters: u64,
    /// Places below it that go with it.
    pub places_below: u64,
}

/// What counts after all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdmitView {
    /// Nothing was done: this is what would be.
    pub preview: bool,
    /// The place.
    pub place: PlaceView,
    /// In how many documents something more counts now.
    pub documents: u64,
    /// These documents, the first of them.
    pub admitted: Vec<DocId>,
}
