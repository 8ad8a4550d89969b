//! What the node knows of the federation right now: certificates, itself, its links.
//!
//! One immutable value, replaced as a whole by the writer after a commit. Whoever holds an `Arc` of it
//! sees one consistent state; routing uses the writer's own, so that no document can be stored between
//! two of them.

use super::charters::Charters;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};
use yishi_protocol::{
    audience::{Audience, Reach},
    cert::Directory,
    ids::{ActorId, CertHash, Incarnation, NodeKey, PlaceId},
    key::SecretKeys,
    planted::Bug,
};

/// A link of this node, to its parent or to one child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LinkId(pub i64);

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// This node.
#[derive(Debug, Clone)]
pub struct Me {
    /// The place it speaks for.
    pub place: PlaceId,
    /// Its certificate.
    pub cert: CertHash,
    /// Its keys.
    pub keys: SecretKeys,
    /// The present life of its database.
    pub incarnation: Incarnation,
    /// The actor of everything it writes in this life.
    pub actor: ActorId,
}

/// What of a link seldom changes; counters are in [`crate::store::LinkState`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number here.
    pub id: LinkId,
    /// The place at the other end.
    pub peer: PlaceId,
    /// Whether the peer is the parent.
    pub up: bool,
    /// Where the parent is reached.
    pub address: Option<String>,
}

/// Everything routing depends on.
#[derive(Debug, Clone)]
pub struct World {
    /// All certificates and revocations.
    pub directory: Directory,
    /// This node.
    pub me: Me,
    /// The open links, by number.
    pub links: Vec<Link>,
    /// What charters say that are here.
    pub charters: Charters,
}

impl World {
    /// The link to the parent.
    #[must_use]
    pub fn parent(&self) -> Option<&Link> {
        self.links.iter().find(|l| l.up)
    }

    /// Whether this is the box its place works on: its key is that of the place's newest valid certificate. The
    /// parent numbers them, so of several boxes with the place's database one is active and the others author
    /// nothing.
    #[must_use]
    pub fn is_active(&self) -> bool {
        let newest = self.directory.place_cert(&self.me.place);
        newest.is_none_or(|cert| cert.key == self.me.keys.public())
    }

    /// Whether a key is the one a place works under now.
    #[must_use]
    pub fn works_under(&self, place: &PlaceId, key: &NodeKey) -> bool {
        self.directory.place(place).is_some_and(|p| !p.revoked)
            && self.directory.place_cert(place).is_some_and(|cert| cert.key == *key)
    }

    /// One link.
    #[must_use]
    pub fn link(&self, id: LinkId) -> Option<&Link> {
        self.links.iter().find(|l| l.id == id)
    }

    /// The open link to a place.
    #[must_use]
    pub fn link_to(&self, peer: &PlaceId) -> Option<&Link> {
        self.links.iter().find(|l| l.peer == *peer)
    }

    /// The places that were merged into this one.
    #[must_use]
    pub fn acts_for(&self) -> BTreeSet<PlaceId> {
        self.directory.acts_for(&self.me.place)
    }

    /// Whether a link joins a place with its parent still: one of them may have been moved since. An old
    /// link stays open until the moved place has heard of it, and carries nothing else.
    #[must_use]
    pub fn is_current(&self, link: &Link) -> bool {
        let (child, parent) = if link.up { (self.me.place, link.peer) } else { (link.peer, self.me.place) };
        self.directory.placement(&child).is_none_or(|p| p.parent == parent)
    }

    /// The links that may see a document with this audience: those whose peer is in it. A peer that is not would
    /// refuse it for good, also where somebody below it is in it: a place that was just moved there is reached once
    /// its new parent was shown the document too.
    #[must_use]
    pub fn routes(&self, audience: &Audience) -> Vec<LinkId> {
        if Bug::WrongAudience.planted() {
            return self.links.iter().map(|l| l.id).collect();
        }
        let subtrees: BTreeSet<PlaceId> =
            audience.0.iter().filter(|r| matches!(r, Reach::Subtree(_))).map(Reach::place).collect();
        self.links
            .iter()
            .filter(|link| self.is_current(link))
            .filter(|link| {
                let covered = || {
                    subtrees.contains(&link.peer)
                        || self.directory.place_ancestors(&link.peer).iter().any(|a| subtrees.contains(a))
                };
                let named = audience.0.contains(&Reach::Place(link.peer));
                named || (!subtrees.is_empty() && covered())
            })
            .map(|link| link.id)
            .collect()
    }
}

/// Audiences already routed: most matters of a place share theirs.
#[derive(Debug, Default)]
pub(super) struct RouteCache(BTreeMap<BTreeSet<Reach>, Arc<[LinkId]>>);

/// Distinct audiences kept; a few hundred bytes each.
const ROUTES_MAX: usize = 1024;

impl RouteCache {
    pub(super) fn routes(&mut self, world: &World, audience: &Audience) -> Arc<[LinkId]> {
        if let Some(known) = self.0.get(&audience.0) {
            return known.clone();
        }
        if self.0.len() >= ROUTES_MAX {
            self.0.clear();
        }
        let routes: Arc<[LinkId]> = world.routes(audience).into();
        self.0.insert(audience.0.clone(), routes.clone());
        routes
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
