//! The fold of a notice: what a place makes known to those below, and which of their matters it opened.
//!
//! Only the home place writes here, so no causal pasts are computed: in canonical order a later announcement
//! replaces an earlier one, which stays readable. An opening is a record in its own right: nothing replaces it.

use super::{FoldInput, digest, history::History, register::vouched_of_own_chain};
use crate::{
    act::{Act, ActError, Word},
    change::Body,
    ids::{ActRef, DocId, Hash, PlaceId},
};
use serde::Serialize;

/// The sorts of announcement, by stable name.
pub const SORTS: [&str; 4] = ["announcement", "directive", "topic", "resource"];

/// One version of what is announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Announced {
    /// The act.
    pub act: ActRef,
    /// One of [`SORTS`].
    pub sort: String,
    /// A line that names it.
    pub title: String,
    /// The words.
    pub text: String,
    /// What it is about.
    pub category: Option<String>,
    /// The last day it holds, in days since 1970-01-01.
    pub until: Option<i64>,
    /// The day.
    pub on: i64,
    /// The person.
    pub by: Option<String>,
}

/// That it holds no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recalled {
    /// The act.
    pub act: ActRef,
    /// Why.
    pub reason: String,
    /// The day.
    pub on: i64,
    /// The person.
    pub by: Option<String>,
}

/// That a matter below was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Opened {
    /// The act.
    pub act: ActRef,
    /// The matter.
    pub matter: DocId,
    /// Its number, as the stub gave it.
    pub number: String,
    /// Why.
    pub reason: String,
    /// The day.
    pub on: i64,
    /// The person.
    pub by: Option<String>,
}

/// What a place made known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Whose word it is.
    pub place: PlaceId,
    /// Every version, the last one is what it says.
    pub announced: Vec<Announced>,
    /// If it was taken back after the last version.
    pub recalled: Option<Recalled>,
    /// Matters it opened.
    pub opened: Vec<Opened>,
    /// Acts of other places, which may not write here, and recalls of nothing.
    pub violations: Vec<ActRef>,
    /// Acts that could not be read.
    pub malformed: Vec<ActRef>,
    /// Acts by a revoked key after its last valid change.
    pub revoked: Vec<ActRef>,
    /// Acts that wait for a certificate or an earlier change.
    pub pending: Vec<ActRef>,
    /// Acts that a newer program understands.
    pub needs_newer: Vec<ActRef>,
}

impl Notice {
    /// The hash of the canonical form: equal on nodes that agree.
    #[must_use]
    pub fn digest(&self) -> Hash {
        digest::of("yishi/notice/1", self)
    }
}

/// Folds a notice.
#[must_use]
pub fn fold(input: &FoldInput<'_>) -> Notice {
    let history = History::of(input);
    let home = input.header.home;
    let mut notice = Notice {
        place: home,
        announced: Vec::new(),
        recalled: None,
        opened: Vec::new(),
        violations: Vec::new(),
        malformed: Vec::new(),
        revoked: Vec::new(),
        pending: history.stranded.iter().map(|c| c.change.act_ref()).collect(),
        needs_newer: Vec::new(),
    };
    let vouched = vouched_of_own_chain(&history);
    for (t, node) in history.nodes.iter().enumerate() {
        let Body::Act { value, .. } = &node.change.body else { continue };
        let act = node.act();
        let Some(author) = node.author else {
            notice.pending.push(act);
            continue;
        };
        if !vouched.contains(&t) {
            notice.revoked.push(act);
            continue;
        }
        match Act::<Word>::from_ref(value) {
            Ok(_) if author.place != home => notice.violations.push(act),
            Ok(Act { on, by, what, .. }) => notice.say(act, on, by, what),
            Err(ActError::UnknownKind(_)) => notice.needs_newer.push(act),
            Err(ActError::Malformed(_)) => notice.malformed.push(act),
        }
    }
    notice
}

impl Notice {
    fn say(&mut self, act: ActRef, on: i64, by: Option<String>, what: Word) {
        let blank = |text: &str| text.trim().is_empty();
        match what {
            Word::Announce { sort, title, text, category, until } => {
                if !SORTS.contains(&sort.as_str()) || blank(&title) || blank(&text.0) {
                    self.malformed.push(act);
                    return;
                }
                self.recalled = None;
                self.announced.push(Announced { act, sort, title, text: text.0, category, until, on, by });
            }
            Word::Recall { reason } if blank(&reason.0) => self.malformed.push(act),
            Word::Recall { .. } if self.announced.is_empty() => self.violations.push(act),
            Word::Recall { reason } => self.recalled = Some(Recalled { act, reason: reason.0, on, by }),
            Word::Open { reason, .. } if blank(&reason.0) => self.malformed.push(act),
            Word::Open { matter, number, reason } => {
                self.opened.push(Opened { act, matter, number, reason: reason.0, on, by });
            }
        }
    }

    /// What it says now; nothing once it was recalled.
    #[must_use]
    pub fn in_force(&self) -> Option<&Announced> {
        self.announced.last().filter(|_| self.recalled.is_none())
    }
}
