//! What is stored in one piece: all of a batch is kept or nothing.

use super::world::LinkId;
use serde::{Deserialize, Serialize};
use yishi_protocol::{
    audience::Grant,
    beside::Beside,
    cert::{Certificate, Placement, Revocation},
    commit::{ActorRecord, Commit, Cover},
    header::Header,
    ids::{ChangeHash, DocId, Epoch, PlaceId},
};

/// A link's chained digest over all rows of a feed up to one.
pub type FeedDigest = [u8; 16];

/// What the gate let through, a local action wrote, or a link has to note. Applied in the order of the
/// fields, whatever order they were filled in.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// By this node's clock, in milliseconds since 1970.
    pub at_ms: u64,
    /// The link everything here came from: nothing is echoed to it. `None` for what was written here.
    pub from: Option<LinkId>,
    /// Issuers before what they issued.
    pub certs: Vec<Certificate>,
    /// Links to open; one that is open already only takes the new address.
    pub links: Vec<NewLink>,
    /// Where places stand, each after the one it follows.
    pub placements: Vec<Placement>,
    /// Records already known are ignored.
    pub revocations: Vec<Revocation>,
    /// Who the actors of the commits are.
    pub actors: Vec<ActorRecord>,
    /// Headers of documents that may be new here.
    pub docs: Vec<Header>,
    /// Widenings, already checked.
    pub grants: Vec<Grant>,
    /// Records beside sealed documents, already checked: keys wrapped for one reader each, the word to
    /// forget, the word that it was done.
    pub wraps: Vec<(DocId, Beside)>,
    /// Changes, a document's own in an order in which dependencies come first.
    pub commits: Vec<NewCommit>,
    /// Signatures of changes stored earlier.
    pub covers: Vec<(DocId, ChangeHash, Cover)>,
    /// Receipts of levels above.
    pub receipts: Vec<NewReceipt>,
    /// How far the link's feed is now stored here.
    pub cursor: Option<Cursor>,
    /// The acknowledgement that goes with it.
    pub ack: Option<GivenAck>,
    /// What was not stored of it, and why.
    pub verdicts: Vec<Verdict>,
    /// Numbers other systems have given to documents of this batch or earlier ones.
    pub externals: Vec<(ExternalNumber, DocId)>,
    /// Serials used by documents of this batch: never given out again.
    pub serials: Vec<Serial>,
}

impl Batch {
    /// Whether this place says something with it that others would read: not records of others, nor what came
    /// over a link.
    #[must_use]
    pub fn is_authored(&self) -> bool {
        let said = !(self.commits.is_empty() && self.grants.is_empty() && self.wraps.is_empty());
        let ruled = !(self.revocations.is_empty() && self.placements.is_empty());
        self.from.is_none() && (said || ruled)
    }
}

/// A link to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLink {
    /// The place at the other end.
    pub peer: PlaceId,
    /// Whether it is the parent.
    pub up: bool,
    /// Where the parent is reached.
    pub address: Option<String>,
}

/// One change to store.
#[derive(Debug, Clone)]
pub struct NewCommit {
    /// The change.
    pub commit: Commit,
    /// Its entry in the feed of the link it came from; 0 without one.
    pub origin_seq: u64,
    /// Its position within that entry.
    pub origin_ord: u32,
}

impl From<Commit> for NewCommit {
    fn from(commit: Commit) -> Self {
        Self { commit, origin_seq: 0, origin_ord: 0 }
    }
}

/// How far a peer's feed has been taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Whose feed.
    pub link: LinkId,
    /// The life of the peer's database.
    pub epoch: Epoch,
    /// The last entry with a verdict.
    pub seq: u64,
    /// The feed's digest at that entry.
    pub digest: FeedDigest,
}

/// An acknowledgement this node signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenAck {
    /// To whom.
    pub link: LinkId,
    /// About which life of the peer's database.
    pub epoch: Epoch,
    /// The first entry it covers.
    pub from: u64,
    /// The last entry it covers.
    pub to: u64,
    /// As it was sent.
    pub bytes: Vec<u8>,
}

/// What became of an entry that was not stored (rule R13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// For a reason no later arrival can change.
    Refused,
    /// It waits for something that is missing.
    Parked,
}

/// Why one change of an entry was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Where it came from.
    pub link: LinkId,
    /// In which life of the peer's database.
    pub epoch: Epoch,
    /// The entry.
    pub seq: u64,
    /// The change's position within it.
    pub ord: u32,
    /// The document.
    pub doc: DocId,
    /// The change.
    pub hash: ChangeHash,
    /// Refused or parked.
    pub kind: VerdictKind,
    /// The gate's reason.
    pub reason: String,
}

/// A signed statement of a level above that it stored something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReceipt {
    /// 1 for the parent, 2 for its parent.
    pub level: u32,
    /// The place that signed.
    pub level_place: PlaceId,
    /// The link it came over.
    pub link: LinkId,
    /// The first entry of this node's feed on that link that it speaks of.
    pub from_seq: u64,
    /// The last one.
    pub to_seq: u64,
    /// As it was received.
    pub bytes: Vec<u8>,
    /// The changes stored there.
    pub commits: Vec<(DocId, ChangeHash)>,
}

/// A number in another system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExternalNumber {
    /// Which system, for example `hotline`.
    pub system: String,
    /// Its number for the matter.
    pub number: String,
}

/// A matter's serial within one year and one block of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serial {
    /// The year it counts in.
    pub year: u16,
    /// 0 for those given out by the node; pre-printed slips have blocks of their own.
    pub block: u32,
    /// The serial.
    pub serial: u32,
}

/// What a batch changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Changes that were not here before.
    pub new_commits: usize,
    /// Documents whose content or audience changed.
    pub docs_touched: Vec<DocId>,
    /// Links whose feed grew, sorted.
    pub links_fed: Vec<LinkId>,
    /// Whether certificates, revocations or links changed.
    pub world_changed: bool,
    /// Whether a level above confirmed that it stored something.
    pub stored_above: bool,
    /// Whether keys were deleted: what held them is to be wiped.
    pub forgot: bool,
    /// Whether a file came to be wanted, arrived, or may be told of.
    pub files: bool,
    /// Matters whose rows in lists were made anew: told by [`super::Store::shown`] alone, so that what lists
    /// are made of does not wake whoever makes them.
    pub(super) shown: Vec<DocId>,
}

impl Written {
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.new_commits += other.new_commits;
        self.docs_touched.extend(other.docs_touched);
        self.links_fed.extend(other.links_fed);
        self.links_fed.sort_unstable();
        self.links_fed.dedup();
        self.world_changed |= other.world_changed;
        self.stored_above |= other.stored_above;
        self.forgot |= other.forgot;
        self.files |= other.files;
        self.shown.extend(other.shown);
    }
}
