//! Who may see a document: the header's reach and signed grants that widen it (rule R11).
//!
//! An audience only grows, and is the same on every node that holds the same grants. A place may widen
//! only towards its own ancestors or into its own subtree.

use crate::{
    cert::Directory,
    codec::{DecodeError, Reader, Writer},
    header::Header,
    ids::{CertHash, DocId, FederationId, Hash, PlaceId, hash},
    key::{SecretKeys, Signature, verify},
    planted::Bug,
};
use std::collections::BTreeSet;
use thiserror::Error;

/// A place, or a place and everything below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Just this place.
    Place(PlaceId),
    /// This place and all places below it.
    Subtree(PlaceId),
}

impl Reach {
    /// The place named.
    #[must_use]
    pub fn place(&self) -> PlaceId {
        let (Self::Place(p) | Self::Subtree(p)) = self;
        *p
    }

    pub(crate) fn write(self, w: &mut Writer) {
        let (tag, place) = match self {
            Self::Place(p) => (0, p),
            Self::Subtree(p) => (1, p),
        };
        w.uint(tag).raw(&place.0);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match r.uint()? {
            0 => Ok(Self::Place(PlaceId(r.array()?))),
            1 => Ok(Self::Subtree(PlaceId(r.array()?))),
            tag => Err(DecodeError::Tag(tag)),
        }
    }
}

/// Why a grant does not widen anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GrantError {
    /// Who granted is not known here.
    #[error("the granting node is not known")]
    UnknownGranter,
    /// Who granted may not see the document itself.
    #[error("who grants cannot see the document")]
    GranterOutside,
    /// The new reader is neither above the granter nor below it.
    #[error("a place may widen a document only to places above it or below it")]
    NotOnPath,
    /// The signature does not hold.
    #[error("the grant's signature does not hold")]
    Forged,
}

/// A signed widening of one document's audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The document.
    pub doc: DocId,
    /// Who sees it from now on.
    pub reach: Reach,
    /// The granter's certificate.
    pub granter: CertHash,
    /// By the granter's key.
    pub signature: Signature,
}

impl Grant {
    /// Grants `reach` over `doc`.
    #[must_use]
    pub fn new(
        keys: &SecretKeys,
        federation: &FederationId,
        doc: DocId,
        reach: Reach,
        granter: CertHash,
    ) -> Self {
        let mut grant = Self { doc, reach, granter, signature: Signature([0; 64]) };
        grant.signature = keys.sign(&grant.body(federation));
        grant
    }

    fn body(&self, federation: &FederationId) -> Vec<u8> {
        let mut w = Writer::new();
        w.str("yishi/grant/1").raw(&federation.0).raw(&self.doc.0);
        self.reach.write(&mut w);
        w.raw(&self.granter.0);
        w.finish()
    }

    /// Its bytes, without the document, which stands beside it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.reach.write(&mut w);
        w.raw(&self.granter.0).raw(&self.signature.0);
        w.finish()
    }

    /// Reads what [`Grant::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] for other bytes.
    pub fn decode(doc: DocId, bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let reach = Reach::read(&mut r)?;
        let (granter, signature) = (CertHash(r.array()?), Signature(r.array()?));
        r.end()?;
        Ok(Self { doc, reach, granter, signature })
    }

    /// The grant's name.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash(hash("yishi/grant-hash/1", &[&self.doc.0, &self.encode()]))
    }

    /// Whether the grant holds, seen from an audience that already includes its granter.
    ///
    /// # Errors
    /// [`GrantError`] says why not.
    pub fn check(&self, directory: &Directory, audience: &Audience) -> Result<(), GrantError> {
        let cert = directory.get(&self.granter).ok_or(GrantError::UnknownGranter)?;
        if !audience.includes(directory, &cert.place) {
            return Err(GrantError::GranterOutside);
        }
        if !may_widen(directory, &self.granter, self.reach) && !Bug::WidenByAnyone.planted() {
            return Err(GrantError::NotOnPath);
        }
        verify(&cert.key, &self.body(&directory.federation()), &self.signature)
            .map_err(|_| GrantError::Forged)
    }
}

/// Whether the holder of a certificate may show its documents to `reach`: itself, a place above it, or
/// its own subtree.
#[must_use]
pub fn may_widen(directory: &Directory, granter: &CertHash, reach: Reach) -> bool {
    let Some(cert) = directory.get(granter) else { return false };
    let target = reach.place();
    // What was signed under a former parent stays good.
    let below = target == cert.place || directory.ever_above(&target).contains(&cert.place);
    match reach {
        Reach::Place(_) => below || directory.ever_above(&cert.place).contains(&target),
        Reach::Subtree(_) => below,
    }
}

/// The union of a header's reach and of grants that were checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience(pub BTreeSet<Reach>);

impl Audience {
    /// The audience of a document without grants.
    #[must_use]
    pub fn of_header(header: &Header) -> Self {
        Self(header.reach.iter().copied().collect())
    }

    /// Whether `place` sees the document.
    #[must_use]
    pub fn includes(&self, directory: &Directory, place: &PlaceId) -> bool {
        if self.0.contains(&Reach::Place(*place)) || self.0.contains(&Reach::Subtree(*place)) {
            return true;
        }
        let subtrees = self.0.iter().any(|r| matches!(r, Reach::Subtree(_)));
        subtrees && directory.ever_above(place).iter().any(|a| self.0.contains(&Reach::Subtree(*a)))
    }

    /// What of the audience still receives: not the places that were above the document's home once and are
    /// no more. They keep what they have.
    #[must_use]
    pub fn now(&self, directory: &Directory, home: &PlaceId) -> Self {
        let former = directory.former_paths(home);
        if former.is_empty() {
            return self.clone();
        }
        let present = directory.place_ancestors(home);
        let gone =
            |place: &PlaceId| !present.contains(place) && former.iter().any(|(old, _)| old.contains(place));
        Self(self.0.iter().filter(|r| !matches!(r, Reach::Place(p) if gone(p))).copied().collect())
    }

    /// Whom `me` owes to show the document to after places were moved or merged: whoever took the place of a
    /// reader on the path of the document's home, and whoever acts for the home now.
    #[must_use]
    pub fn owed(&self, directory: &Directory, home: &PlaceId, me: &CertHash) -> Vec<Reach> {
        let mut owed = BTreeSet::new();
        for (old, now) in directory.former_paths(home) {
            let seeing = old.iter().zip(now).filter(|(o, _)| self.includes(directory, o));
            owed.extend(seeing.map(|(_, n)| n));
        }
        owed.insert(directory.stands_in(home));
        let Some(cert) = directory.get(me) else { return Vec::new() };
        let concerned = cert.place == *home || directory.place_ancestors(home).contains(&cert.place);
        let open = |place: &PlaceId| !self.includes(directory, place);
        let owed = owed.into_iter().filter(|place| concerned && open(place)).map(Reach::Place);
        owed.filter(|reach| may_widen(directory, me, *reach)).collect()
    }
}
