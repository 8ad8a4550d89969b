//! What was put on record that gates ask about: forms, meetings, ballots, notices, summonses.
//!
//! Each piece belongs to the stage its author saw the matter in, named by the step that entered it: what was
//! recorded the first time a matter passed a stage opens no gate the second time.

use crate::{
    ids::{ActRef, PlaceId},
    procedure::Ledger,
};
use std::collections::BTreeMap;

/// One piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The act.
    pub(super) act: ActRef,
    /// The step that entered the stage it was recorded in; `None` outside any.
    pub(super) entered: Option<ActRef>,
    /// Whether the holder of that moment recorded it.
    pub(super) by_holder: bool,
    /// By whom.
    pub(super) place: PlaceId,
    /// The day it counts as.
    pub(super) day: i64,
    /// What.
    pub(super) what: Piece,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A form.
    Record { form: String, money: Option<(Ledger, i64)>, chosen: BTreeMap<String, String> },
    /// A call to a meeting on a day.
    Call { body: String, day: i64 },
    /// A meeting.
    Meeting { body: String, eligible: i64, there: i64, tags: BTreeMap<String, i64>, quorate: bool },
    /// A ballot.
    Ballot { body: String, eligible: i64, present: i64, in_favour: i64 },
    /// A photo.
    File,
    /// A notice on the board.
    Post { days: i64 },
    /// An objection to one.
    Objection { post: ActRef },
    /// A summons.
    Summons,
    /// What was said to an objection or a summons.
    Response { to: ActRef },
}

impl Evidence {
    /// Whether it is a file this place put to the matter.
    pub(super) fn is_file_of(&self, place: PlaceId) -> bool {
        self.what == Piece::File && self.place == place
    }
}
