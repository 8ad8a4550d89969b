//! A photo of a matter, as callers get it.

use super::PlaceView;
use serde::Serialize;
use yishi_protocol::ids::{ActRef, Hash};

/// A photo that was put to a matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttachmentView {
    /// The act.
    pub act: ActRef,
    /// The file's BLAKE3 hash.
    pub file: Hash,
    /// Its bytes.
    pub size: u64,
    /// `jpeg`, `png` or `webp`.
    pub kind: String,
    /// What it shows: `photo`, `sign_in`, `count` or `receipt`.
    pub about: String,
    /// What is written under it.
    pub caption: Option<String>,
    /// Who put it there.
    pub place: PlaceView,
    /// The day.
    pub on: String,
    /// `here`, `on_its_way` or `let_go`.
    pub state: &'static str,
    /// How many of its pieces are here.
    pub have: u32,
    /// How many it has.
    pub pieces: u32,
    /// Whether the place above has said that it stored it.
    pub above: bool,
}
