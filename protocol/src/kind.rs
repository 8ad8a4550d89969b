//! The kinds of documents and their containers: who may write where.
//!
//! This is the whole table of rule R2. The gate asks it about places; what an act *means* and whether
//! it counted is the fold's business.

use std::fmt;

/// What a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Numbered snapshots of a place's name, code, units, bodies, procedures.
    Charter,
    /// One matter from raising to closing.
    Proposal,
    /// One decision for one or many proposals.
    Outcome,
    /// Identity and contact of a petitioner, sealed.
    Dossier,
    /// The stubs of a place's matters of one month.
    Register,
    /// What a place makes known to places below, or that it opens one of their matters.
    Notice,
}

/// Who may write into a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// Nodes of the document's home place only.
    Home,
    /// Nodes of every place in the document's audience.
    Audience,
}

/// A map in the root of a document that holds acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Container {
    /// Its key in the root map.
    pub name: &'static str,
    /// Who may write into it.
    pub writers: Writers,
}

impl Kind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Charter, Self::Proposal, Self::Outcome, Self::Dossier, Self::Register, Self::Notice];

    /// The stable number in headers and stores.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Charter => 1,
            Self::Proposal => 2,
            Self::Outcome => 3,
            Self::Dossier => 4,
            Self::Register => 5,
            Self::Notice => 6,
        }
    }

    /// The kind of a stable number.
    #[must_use]
    pub fn from_number(n: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|k| u64::from(k.number()) == n)
    }

    /// The stable name in documents and in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Charter => "charter",
            Self::Proposal => "proposal",
            Self::Outcome => "outcome",
            Self::Dossier => "dossier",
            Self::Register => "register",
            Self::Notice => "notice",
        }
    }

    /// The containers, in the byte order of their names.
    #[must_use]
    pub fn containers(self) -> &'static [Container] {
        const fn home(name: &'static str) -> Container {
            Container { name, writers: Writers::Home }
        }
        const fn audience(name: &'static str) -> Container {
            Container { name, writers: Writers::Audience }
        }
        match self {
            Self::Charter => const { &[home("snapshots")] },
            Self::Proposal => const { &[audience("steps"), audience("voices")] },
            Self::Outcome => const { &[home("decisions"), audience("progress")] },
            Self::Dossier => const { &[home("sealed")] },
            Self::Register => const { &[home("stubs")] },
            Self::Notice => const { &[home("words")] },
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
