//! A commit: one change of one document with what vouches for it, and the index of a document's history
//! that tells where the next change may stand.

use crate::ids::{ActorId, CertHash, ChangeHash, DocId, Incarnation};
use crate::key::Signature;
use std::collections::{BTreeMap, BTreeSet};

/// One stored change of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The document.
    pub doc: DocId,
    /// The change's hash; unique only within its document.
    pub hash: ChangeHash,
    /// Its author's actor.
    pub actor: ActorId,
    /// Its number under that actor.
    pub seq: u64,
    /// The highest operation counter it uses.
    pub max_op: u64,
    /// What it stands on.
    pub deps: Vec<ChangeHash>,
    /// The raw Automerge change chunk.
    pub bytes: Vec<u8>,
    /// The author's signature of this very change, if it came along. A later signature of the same actor
    /// covers it too (rule R9).
    pub cover: Option<Cover>,
}

/// A signature of a change and the certificate it was made under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cover {
    /// The author's certificate.
    pub cert: CertHash,
    /// The signature (rule R9).
    pub signature: Signature,
}

/// Whose actor it is: enough to derive the actor id again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActorRecord {
    /// The actor.
    pub actor: ActorId,
    /// A certificate of its key.
    pub cert: CertHash,
    /// The life of the database.
    pub incarnation: Incarnation,
}

/// What the index keeps of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its author's actor.
    pub actor: ActorId,
    /// Its number under that actor.
    pub seq: u64,
    /// The highest operation counter it uses.
    pub max_op: u64,
}

/// The shape of a document's history: every change's place in it and the present heads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocIndex {
    changes: BTreeMap<ChangeHash, Place>,
    heads: BTreeSet<ChangeHash>,
    bytes: u64,
}

impl DocIndex {
    /// Counts the bytes of a change that was inserted.
    pub fn add_bytes(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// How large all changes are together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds a change whose dependencies are already here. Returns `false` if it was here before.
    pub fn insert(&mut self, hash: ChangeHash, place: Place, deps: &[ChangeHash]) -> bool {
        if self.changes.insert(hash, place).is_some() {
            return false;
        }
        for dep in deps {
            self.heads.remove(dep);
        }
        self.heads.insert(hash);
        true
    }

    /// One change's place.
    #[must_use]
    pub fn get(&self, hash: &ChangeHash) -> Option<&Place> {
        self.changes.get(hash)
    }

    /// Every change's place.
    pub fn iter(&self) -> impl Iterator<Item = (&ChangeHash, &Place)> {
        self.changes.iter()
    }

    /// How many changes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether there is none yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The heads, sorted.
    #[must_use]
    pub fn heads(&self) -> &BTreeSet<ChangeHash> {
        &self.heads
    }

    /// The highest operation counter over all heads: the next change starts one above.
    #[must_use]
    pub fn max_op(&self) -> u64 {
        self.heads.iter().filter_map(|h| self.changes.get(h)).map(|p| p.max_op).max().unwrap_or(0)
    }

    /// The last sequence number of an actor; 0 if it wrote nothing.
    #[must_use]
    pub fn last_seq(&self, actor: &ActorId) -> u64 {
        self.changes.values().filter(|p| p.actor == *actor).map(|p| p.seq).max().unwrap_or(0)
    }

    /// The known changes whose hash begins with `prefix`; a link names dependencies by prefixes.
    pub fn with_prefix<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = &'a ChangeHash> + 'a {
        let mut from = [0u8; 32];
        for (to, byte) in from.iter_mut().zip(prefix) {
            *to = *byte;
        }
        self.changes.range(ChangeHash(from)..).map(|(h, _)| h).take_while(move |h| h.0.starts_with(prefix))
    }
}
