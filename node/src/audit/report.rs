//! What an audit found, for people and for programs.

use serde::{Serialize, Serializer, ser::SerializeMap};
use std::fmt;

/// One node's part.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NodeReport {
    /// The place's name.
    pub place: String,
    /// Documents held.
    pub documents: usize,
    /// Changes in them.
    pub changes: usize,
    /// Signatures of changes checked.
    pub signatures: usize,
    /// Receipts checked.
    pub receipts: usize,
    /// Sections refused at the gate while the node ran.
    pub refused: usize,
}

impl NodeReport {
    pub(super) fn line(&self) -> String {
        format!(
            "  {}：{} 份文档，{} 处改动，{} 个签名，{} 张回执；拒收 {}",
            self.place, self.documents, self.changes, self.signatures, self.receipts, self.refused
        )
    }
}

/// The whole audit.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Per node.
    pub nodes: Vec<NodeReport>,
    /// Matters over all nodes.
    pub proposals: usize,
    /// Of these, registered while the link up was down.
    pub raised_offline: usize,
    /// Following a lead now.
    pub merged: usize,
    /// Mergers undone.
    pub unmerged: usize,
    /// With a counted reply.
    pub answered: usize,
    /// Whose people the home place told.
    pub told: usize,
    /// For which the place that raised it holds the signatures of every level above for all it wrote.
    pub stored_at_district: usize,
    /// Everyone in each document's audience has all of it.
    pub stored_everywhere: bool,
    /// What was refused at the gates.
    pub forgeries_refused: usize,
    /// Violations listed by the fold.
    pub violations: usize,
    /// What is not everywhere yet; not wrong, but not done.
    pub missing: Vec<String>,
    /// What is wrong.
    pub troubles: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

impl Report {
    /// Whether everything is there and nothing is wrong.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.stored_everywhere && self.troubles.is_empty()
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("nodes", &self.nodes.len())?;
        map.serialize_entry("proposals", &self.proposals)?;
        map.serialize_entry("raised_offline", &self.raised_offline)?;
        map.serialize_entry("merged", &self.merged)?;
        map.serialize_entry("unmerged", &self.unmerged)?;
        map.serialize_entry("answered", &self.answered)?;
        map.serialize_entry("told", &self.told)?;
        map.serialize_entry("stored_at_district", &self.stored_at_district)?;
        map.serialize_entry("stored_everywhere", &self.stored_everywhere)?;
        map.serialize_entry("forgeries_refused", &self.forgeries_refused)?;
        map.serialize_entry("violations", &self.violations)?;
        map.serialize_entry("documents", &self.nodes.iter().map(|n| n.documents).sum::<usize>())?;
        map.serialize_entry("changes", &self.nodes.iter().map(|n| n.changes).sum::<usize>())?;
        map.serialize_entry("receipts", &self.nodes.iter().map(|n| n.receipts).sum::<usize>())?;
        map.serialize_entry("missing", &self.missing)?;
        map.serialize_entry("troubles", &self.troubles)?;
        map.serialize_entry("seconds", &self.seconds)?;
        map.end()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} 个节点，{} 件事项：离线登记 {}，并案 {}（撤销 {}），已答复 {}，已告知 {}，区里已存 {}；拒收伪造 {}。",
            self.nodes.len(),
            self.proposals,
            self.raised_offline,
            self.merged,
            self.unmerged,
            self.answered,
            self.told,
            self.stored_at_district,
            self.forgeries_refused
        )?;
        for line in self.troubles.iter().take(20) {
            writeln!(f, "✗ {line}")?;
        }
        for line in self.missing.iter().take(20) {
            writeln!(f, "… {line}")?;
        }
        if self.holds() {
            writeln!(f, "全部成立。Everything holds. ({:.1} s)", self.seconds)
        } else {
            writeln!(
                f,
                "有 {} 处不成立，{} 处尚未送达。{} things do not hold, {} have not arrived everywhere.",
                self.troubles.len(),
                self.missing.len(),
                self.troubles.len(),
                self.missing.len()
            )
        }
    }
}
