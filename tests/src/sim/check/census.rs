//! Everything that lies on all disks, read once for all checkers.

use crate::sim::World;
use std::collections::{BTreeMap, BTreeSet};
use yishi_node::store::{StoredCommit, WholeDocument};
use yishi_protocol::{
    audience::{Audience, Reach},
    cert::Directory,
    change,
    commit::ActorRecord,
    fold::{Author, FoldChange, FoldInput},
    ids::{ActorId, DocId, PlaceId},
    procedure::Procedures,
};

/// One node's documents.
#[derive(Debug)]
pub struct Holding {
    /// What messages call the node.
    pub name: String,
    /// Its place.
    pub place: PlaceId,
    /// Certificates and revocations as known there.
    pub directory: Directory,
    /// The procedures that are there.
    pub procedures: Procedures,
    /// Its documents.
    pub docs: BTreeMap<DocId, WholeDocument>,
    /// Whose the actors are, as known there.
    pub records: BTreeMap<ActorId, ActorRecord>,
}

/// All nodes.
#[derive(Debug, Default)]
pub struct Census(pub Vec<Holding>);

impl Census {
    /// Reads everything.
    pub async fn of(world: &World) -> Self {
        let mut all = Vec::with_capacity(world.nodes.len());
        for node in &world.nodes {
            let docs = node.store.every_document().await.unwrap();
            let mut actors: Vec<ActorId> =
                docs.values().flat_map(|d| d.commits.iter().map(|c| c.commit.actor)).collect();
            actors.sort_unstable();
            actors.dedup();
            let records = node.store.actor_records(&actors).await.unwrap();
            all.push(Holding {
                name: node.name.clone(),
                place: node.place,
                directory: node.store.world().directory.clone(),
                procedures: node.store.world().charters.procedures.clone(),
                docs,
                records: records.into_iter().map(|r| (r.actor, r)).collect(),
            });
        }
        Self(all)
    }

    /// Every document anywhere.
    pub fn docs(&self) -> impl Iterator<Item = DocId> {
        let all: std::collections::BTreeSet<DocId> =
            self.0.iter().flat_map(|h| h.docs.keys().copied()).collect();
        all.into_iter()
    }

    /// Who may see a document, by every grant anywhere.
    #[must_use]
    pub fn audience(&self, doc: &DocId) -> Audience {
        let mut audience = Audience::default();
        for whole in self.0.iter().filter_map(|h| h.docs.get(doc)) {
            audience.0.extend(audience_of(whole).0);
        }
        audience
    }

    /// Whose a document is.
    #[must_use]
    pub fn home(&self, doc: &DocId) -> Option<PlaceId> {
        self.0.iter().find_map(|h| Some(h.docs.get(doc)?.header.home))
    }
}

/// Whether a place is to have all of a document with that audience and home. It may see it, and is not one of those
/// that were above its home once, or below somebody it was for with all below, and are no more: they keep what they
/// have (rule R11).
#[must_use]
pub fn receives(audience: &Audience, home: &PlaceId, place: &Holding) -> bool {
    let now = audience.now(&place.directory, home).0;
    let above = place.directory.place_ancestors(&place.place);
    let whole = std::iter::once(&place.place).chain(&above).any(|p| now.contains(&Reach::Subtree(*p)));
    whole || now.contains(&Reach::Place(place.place))
}

/// Whether nobody can tell one of two machines of a village what the other wrote into a document: they hear of each
/// other through the place above them alone, and it may be one that is not shown it. A dossier is never shown to whom
/// a place was moved.
#[must_use]
pub fn apart(world: &World, census: &Census, at: usize, audience: &Audience, home: &PlaceId) -> bool {
    let parent = world.above(at).first().and_then(|parent| census.0.get(*parent));
    world.twin_of(at).is_some() && parent.is_some_and(|parent| !receives(audience, home, parent))
}

/// Who may see a document, as one node knows it.
#[must_use]
pub fn audience_of(whole: &WholeDocument) -> Audience {
    let mut audience = Audience::of_header(&whole.header);
    audience.0.extend(whole.grants.iter().map(|g| g.reach));
    audience
}

impl Holding {
    /// Decoded changes of a document.
    #[must_use]
    pub fn changes(&self, doc: &DocId) -> Vec<FoldChange> {
        let Some(whole) = self.docs.get(doc) else { return Vec::new() };
        let decoded = |c: &StoredCommit| {
            let decoded = change::decode(&c.commit.bytes, whole.header.kind).ok()?;
            Some(FoldChange { hash: decoded.hash, change: decoded.change })
        };
        whole.commits.iter().filter_map(decoded).collect()
    }

    /// Whose the actors of a document are, as its fold here sees them. Those of other documents take no part: a node
    /// holds some that another does not.
    #[must_use]
    pub fn authors(&self, doc: &DocId) -> BTreeMap<ActorId, Author> {
        let author = |r: &ActorRecord| {
            let now = self.directory.current(&r.cert);
            Some((r.actor, Author::of(&self.directory, &now, Some(doc))?))
        };
        let wrote: BTreeSet<ActorId> =
            self.docs.get(doc).into_iter().flat_map(|d| &d.commits).map(|c| c.commit.actor).collect();
        self.records.values().filter(|r| wrote.contains(&r.actor)).filter_map(author).collect()
    }

    /// Calls `then` with what a fold of the document needs.
    pub fn with_input<T>(&self, doc: &DocId, then: impl FnOnce(&FoldInput<'_>) -> T) -> Option<T> {
        let header = &self.docs.get(doc)?.header;
        let (changes, authors) = (self.changes(doc), self.authors(doc));
        let procedures = &self.procedures;
        Some(then(&FoldInput { header, changes: &changes, authors: &authors, procedures }))
    }
}
