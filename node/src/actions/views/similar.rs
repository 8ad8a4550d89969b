//! Matters that may be the same as another, each with the reason: the person decides.

use super::MatterSummary;
use serde::Serialize;

/// One thing said in two ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherWords {
    /// As in what was asked for.
    pub asked: String,
    /// As in the matter found.
    pub there: String,
}

/// A matter that may be the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimilarView {
    /// The matter; of merged ones the lead.
    pub matter: MatterSummary,
    /// Whether somebody still has to act.
    pub open: bool,
    /// How alike, 0 to 100.
    pub alike: u8,
    /// Words both have.
    pub shared: Vec<String>,
    /// The same in other words.
    pub other_words: Vec<OtherWords>,
    /// Whether it was registered by the same place.
    pub same_place: bool,
    /// Whether it is in the same category, one that tells something.
    pub same_category: bool,
    /// Days between the two.
    pub days_apart: u64,
    /// Numbers of the matters that are like it and were merged into this one.
    pub merged: Vec<String>,
    /// The reason in English.
    pub why: String,
    /// The reason in Chinese.
    pub why_zh: String,
}

/// What may be the same, the most alike first.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SimilarList {
    /// At most five; none if nothing is alike.
    pub items: Vec<SimilarView>,
}
