//! What the public board shows: made for eyes nobody knows, so nothing else of a matter is in it.

use super::{DeadlineView, PlaceView};
use yishi_protocol::ids::{ActRef, DocId};

/// A matter as anybody may see it: no text, no title that was not posted, no petitioner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardMatter {
    /// Its document.
    pub id: DocId,
    /// Human number.
    pub number: String,
    /// Category.
    pub category: Option<String>,
    /// The title, where a notice of this matter was posted.
    pub title: Option<String>,
    /// The stable name of its stage.
    pub stage: String,
    /// In Chinese.
    pub stage_zh: String,
    /// The place that registered it.
    pub home: PlaceView,
    /// Who must act next.
    pub holder: Option<PlaceView>,
    /// The day it was raised.
    pub raised_on: String,
    /// Days since then.
    pub waited_days: i64,
    /// The day of its newest reply.
    pub answered_on: Option<String>,
    /// Whether that was told.
    pub told: bool,
    /// What is due.
    pub deadline: Option<DeadlineView>,
    /// Yuan that may be spent.
    pub budget_yuan: i64,
    /// Yuan that were.
    pub spent_yuan: i64,
}

/// A notice that hangs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeView {
    /// The act.
    pub act: ActRef,
    /// What it is about.
    pub matter: BoardMatter,
    /// Who posted it.
    pub place: PlaceView,
    /// What is posted.
    pub text: String,
    /// Since when.
    pub on: String,
    /// The last day.
    pub until: String,
    /// Days after today up to the last one; negative once it is past.
    pub days_left: i64,
    /// How many objections there are to it.
    pub objections: usize,
}

/// The board.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BoardView {
    /// What hangs today, what is taken down first before.
    pub notices: Vec<NoticeView>,
    /// Answered, refused or passed on of late, the newest first.
    pub replies: Vec<BoardMatter>,
    /// With public money.
    pub money: Vec<BoardMatter>,
    /// Not answered yet, the longest waiting first.
    pub waiting: Vec<BoardMatter>,
}
