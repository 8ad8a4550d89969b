//! How links stand, as people and programs see it.

use super::PlaceView;
use serde::Serialize;
use yishi_protocol::ids::DocId;

/// One link.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinkView {
    /// The place at the other end.
    pub peer: PlaceView,
    /// `up`, `down`, `connecting` or `refused`.
    pub state: &'static str,
    /// Where the parent is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// When anything was last heard.
    pub last_contact: Option<String>,
    /// When both sides last had the same.
    pub last_in_step: Option<String>,
    /// Whether this node was restored and has not been compared with this neighbour yet: what the
    /// neighbour has of this place may not be back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub comparing: bool,
    /// Why it is not up.
    pub why: Option<String>,
    /// Entries not yet acknowledged.
    pub waiting: u64,
    /// Entries there ever were for it.
    pub sent: u64,
    /// Entries the peer says it has on disk.
    pub stored_there: u64,
    /// Changes of the peer that were refused.
    pub refused: u64,
    /// Changes received from the peer.
    pub received: u64,
    /// Bytes of frames sent since the start, before QUIC.
    pub bytes_sent: u64,
    /// Bytes of frames received since the start, before QUIC.
    pub bytes_received: u64,
    /// Milliseconds the last connection took from its first packet until both sides had everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catch_up_ms: Option<f64>,
    /// For the link up: what the peer has signed for and the place above it has not, for days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<HeldBackView>,
}

/// What a parent has and its own parent has not signed for: withheld, or stuck on a dead line. Which of
/// the two, only a person can ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldBackView {
    /// Whose signature is missing.
    pub place: PlaceView,
    /// How many documents.
    pub documents: u64,
    /// When the first of them was written.
    pub since: String,
}

/// A matter of which a box that was taken over alone has something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OnlyHereView {
    /// Its document.
    pub document: DocId,
    /// Its number, if it has one.
    pub number: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// How many changes nobody else has.
    pub changes: u64,
}

/// All links.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinksView {
    /// Whether the place works on this machine: another one may have taken it over.
    pub active: bool,
    /// Of a machine that was taken over: how many matters it alone has something of.
    pub only_here_documents: u64,
    /// The first of them.
    pub only_here: Vec<OnlyHereView>,
    /// To the parent.
    pub up: Option<LinkView>,
    /// To the children.
    pub down: Vec<LinkView>,
}
