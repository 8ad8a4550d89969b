//! Automerge changes of our own shapes, written and read without Automerge.
//!
//! A document holds changes of two shapes only: one canonical *genesis* that creates the containers,
//! and *acts*, each one new map in one container under the key `seq@actor`. Every part of such a
//! change except the author's value follows from its place in the history, so the codec is a bijection
//! between [`Change`] and the exact bytes Automerge's own `transaction()` would write. What does not
//! re-encode to itself, bit for bit, is not a change of ours and never reaches Automerge.

use crate::{
    ids::{ActorId, ChangeHash},
    kind::Kind,
    value::Map,
};

/// One Automerge change of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whose change it is.
    pub actor: ActorId,
    /// From 1, without gaps along the author's own chain.
    pub seq: u64,
    /// `1 + max(max_op of deps)`; 1 for a genesis.
    pub start_op: u64,
    /// The document's heads when it was written, sorted.
    pub deps: Vec<ChangeHash>,
    /// What it adds.
    pub body: Body,
}

/// What a change adds to its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// The root's scalars `format` (int 1) and `kind` (string) and one empty map per container, in the
    /// byte order of their keys. Its seq and start_op are 1, its deps empty.
    Genesis {
        /// Which containers it creates.
        kind: Kind,
    },
    /// One new map in a container, under the key `seq@actor` of this very change.
    Act {
        /// The actor of the document's genesis, which named the containers' objects.
        creator: ActorId,
        /// Position of the container in [`Kind::containers`].
        container: usize,
        /// The act's fields, written in key order, depth first.
        value: Map,
    },
}
