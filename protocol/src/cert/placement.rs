//! Where a place stands in the tree and what it is called, after it was founded (rule R1).
//!
//! A place's id never changes; its parent, code, name and level do, by numbered records that are linked
//! into a chain. Moving a place is an act of a common ancestor of the old and the new parent; what keeps
//! the parent may be the parent's own. A place may be merged into another: that one then acts for it.

use super::{CertError, Directory, expect_domain, optional, read_optional};
use crate::{
    codec::{DecodeError, Reader, Writer},
    ids::{CertHash, FederationId, Hash, PlaceId, hash},
    key::{SecretKeys, Signature, verify},
    limits::{NAME_BYTES_MAX, PLACEMENT_BYTES_MAX, SHORT_BYTES_MAX},
};

/// One step in the history of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The federation.
    pub federation: FederationId,
    /// The place it is about.
    pub place: PlaceId,
    /// Counts the placements of this place, from 1.
    pub number: u32,
    /// The name of the one before; `None` for the first.
    pub previous: Option<Hash>,
    /// The parent from now on.
    pub parent: PlaceId,
    /// The place that acts for it from now on, if it was merged into one.
    pub into: Option<PlaceId>,
    /// Its code from now on.
    pub code: String,
    /// Its name from now on.
    pub name: String,
    /// The label of its level from now on.
    pub level: String,
    /// Where the parent is reached, `host:port`; empty if it stays the same.
    pub address: String,
    /// Who says so: a certificate of a place above.
    pub issuer: CertHash,
    /// By the issuer's key over everything above.
    pub signature: Signature,
}

impl Placement {
    fn body(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.str("yishi/placement").uint(super::FORMAT);
        w.raw(&self.federation.0).raw(&self.place.0).uint(u64::from(self.number));
        optional(&mut w, self.previous.as_ref().map(|p| p.as_bytes()));
        w.raw(&self.parent.0);
        optional(&mut w, self.into.as_ref().map(|p| p.as_bytes()));
        w.str(&self.code).str(&self.name).str(&self.level).str(&self.address).raw(&self.issuer.0);
        w.finish()
    }

    /// Signs it.
    #[must_use]
    pub fn issued_by(mut self, keys: &SecretKeys) -> Self {
        self.signature = keys.sign(&self.body());
        self
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer(self.body());
        w.raw(&self.signature.0);
        w.finish()
    }

    /// Its name: the hash of its bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash(hash("yishi/placement-hash/1", &[&self.encode()]))
    }

    /// Reads what [`Placement::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] for other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > PLACEMENT_BYTES_MAX {
            return Err(DecodeError::TooLarge);
        }
        let mut r = Reader::new(bytes);
        expect_domain(&mut r, "yishi/placement")?;
        let placement = Self {
            federation: FederationId(r.array()?),
            place: PlaceId(r.array()?),
            number: r.u32()?,
            previous: read_optional::<32>(&mut r)?.map(Hash),
            parent: PlaceId(r.array()?),
            into: read_optional::<16>(&mut r)?.map(PlaceId),
            code: r.str(SHORT_BYTES_MAX)?.to_owned(),
            name: r.str(NAME_BYTES_MAX)?.to_owned(),
            level: r.str(SHORT_BYTES_MAX)?.to_owned(),
            address: r.str(SHORT_BYTES_MAX)?.to_owned(),
            issuer: CertHash(r.array()?),
            signature: Signature(r.array()?),
        };
        r.end()?;
        Ok(placement)
    }
}

impl Directory {
    /// Takes note of a placement. Whether it counts follows from all that are noted; what may be noted does not
    /// depend on what counts, so that whatever was taken once is taken again, in any order.
    ///
    /// # Errors
    /// [`CertError`] says why it cannot be taken; nothing changes then.
    pub fn place_at(&mut self, placement: &Placement) -> Result<(), CertError> {
        let name = placement.hash();
        if self.placements.contains_key(&name) {
            return Ok(());
        }
        if placement.federation != self.federation() {
            return Err(CertError::OtherFederation);
        }
        let issuer = self.get(&placement.issuer).ok_or(CertError::UnknownIssuer)?;
        let known = [Some(placement.parent), placement.into].into_iter().flatten();
        if self.place(&placement.place).is_none() || known.into_iter().any(|p| self.place(&p).is_none()) {
            return Err(CertError::UnknownPlace);
        }
        let follows = match placement.previous {
            None => placement.number == 1,
            Some(before) => self.placements.get(&before).is_some_and(|p| {
                p.place == placement.place && p.number.checked_add(1) == Some(placement.number)
            }),
        };
        if !follows {
            return Err(CertError::NotNext);
        }
        if !self.noted_above(&placement.place).contains(&issuer.place) {
            return Err(CertError::NotAbove);
        }
        verify(&issuer.key, &placement.body(), &placement.signature)?;
        self.placements.insert(name, std::sync::Arc::new(placement.clone()));
        self.settle();
        Ok(())
    }
}
