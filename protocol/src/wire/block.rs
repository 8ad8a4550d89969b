//! A block as read: what changed in which documents between two positions of the sender's feed.

use crate::{
    audience::Grant,
    beside::Beside,
    cert::{Certificate, Placement, Revocation},
    commit::ActorRecord,
    header::Header,
    ids::{CertHash, DocId},
    key::Signature,
    receipt::Opening,
    value::Map,
};

/// Everything between two positions of a feed, as read from the wire and not yet admitted.
#[derive(Debug, Clone)]
pub struct Block {
    /// The feed position before the first row of this block.
    pub from: u64,
    /// The feed position of the last row.
    pub to: u64,
    /// The chained digest of the feed at `to`.
    pub digest: [u8; 16],
    /// Certificates that authors in this block need and the receiver may lack, issuers first.
    pub certs: Vec<Certificate>,
    /// Revocations.
    pub revocations: Vec<Revocation>,
    /// Placements.
    pub placements: Vec<Placement>,
    /// Receipts of levels above, opened for the receiver's commits.
    pub openings: Vec<Opening>,
    /// Authors that occur in the sections.
    pub actors: Vec<BlockActor>,
    /// One per document.
    pub sections: Vec<Section>,
}

/// An author in a block's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockActor {
    /// Actor, certificate, life.
    pub record: ActorRecord,
}

/// What a block says of one document.
#[derive(Debug, Clone)]
pub struct Section {
    /// Which one.
    pub doc: DocRef,
    /// Widenings of its audience.
    pub grants: Vec<Grant>,
    /// Records beside a dossier: wrapped keys, the word to forget, the word that it was done.
    pub wraps: Vec<Beside>,
    /// Changes, each after its dependencies.
    pub changes: Vec<Elided>,
    /// Signatures of some of the changes.
    pub signed: Vec<SignedAt>,
}

/// A document the receiver knows, or one it may not know yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocRef {
    /// By its id.
    Known(DocId),
    /// By its header, from which the id follows.
    New(Box<Header>),
}

impl DocRef {
    /// The document's id.
    #[must_use]
    pub fn id(&self) -> DocId {
        match self {
            Self::Known(id) => *id,
            Self::New(header) => header.doc_id(),
        }
    }
}

/// One change without what follows from its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elided {
    /// Position in the block's table of authors; unused for a raw change, which names its own.
    pub actor: usize,
    /// The rest.
    pub shape: Shape,
}

/// The three forms in which a change travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// The genesis of the document's kind: nothing to say.
    Genesis,
    /// An act.
    Act {
        /// Position of the container.
        container: usize,
        /// What it stands on.
        deps: Vec<DepRef>,
        /// The act.
        value: Map,
    },
    /// A whole change chunk, for what an older receiver's rules cannot rebuild. It passes the full gate.
    Raw(Vec<u8>),
}

/// A dependency as named on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DepRef {
    /// The change that many places before this one in the same section; 1 is the previous.
    Back(usize),
    /// The document's known change whose hash begins so.
    Prefix([u8; 8]),
}

/// A signature of the change at a position of the section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedAt {
    /// Position in [`Section::changes`].
    pub change: usize,
    /// The certificate the signature was made under.
    pub cert: CertHash,
    /// The signature.
    pub signature: Signature,
}
