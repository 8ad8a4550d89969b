//! What somebody must be told to take a certificate who knows the federation's root and nothing else: a
//! newcomer, or a neighbour that still goes by a key which was replaced.
//!
//! It proves itself: every record is signed by one before it, and the first is the root's. So it may come
//! from anybody, over a connection that proves nothing. It names places and keys, never a document.

use super::{CertError, Certificate, Directory, Placement};
use crate::{
    codec::DecodeError,
    ids::{CertHash, Hash, PlaceId},
};
use std::collections::{BTreeMap, BTreeSet};

/// A certificate with all it stands on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Introduction {
    /// Issuers before those they certified, the root's first, the one it is about last.
    pub certs: Vec<Certificate>,
    /// Placements without which a later parent's certificate is none, each after the one before it.
    pub placements: Vec<Placement>,
}

impl Introduction {
    /// Reads the bytes of its records.
    ///
    /// # Errors
    /// [`DecodeError`] for other bytes.
    pub fn decode(certs: &[Vec<u8>], placements: &[Vec<u8>]) -> Result<Self, DecodeError> {
        Ok(Self {
            certs: certs.iter().map(|b| Certificate::decode(b)).collect::<Result<_, _>>()?,
            placements: placements.iter().map(|b| Placement::decode(b)).collect::<Result<_, _>>()?,
        })
    }

    /// The certificate it is about.
    #[must_use]
    pub fn own(&self) -> Option<&Certificate> {
        self.certs.last()
    }
}

/// What of the directory an introduction takes along.
#[derive(Default)]
struct Needed {
    certs: BTreeSet<CertHash>,
    placements: BTreeMap<Hash, Placement>,
    places: BTreeSet<PlaceId>,
}

impl Directory {
    /// What introduces a certificate of this directory.
    #[must_use]
    pub fn introduction(&self, cert: &CertHash) -> Introduction {
        let mut needed = Needed::default();
        self.need(&mut needed, cert);
        // Issuers stand nearer to the root than those they certified.
        let mut order: Vec<(bool, usize, CertHash)> =
            needed.certs.iter().map(|h| (h == cert, self.path(h).count(), *h)).collect();
        order.sort_unstable();
        let certs = order.iter().filter_map(|(.., h)| self.get(h).cloned()).collect();
        let mut placements: Vec<Placement> = needed.placements.into_values().collect();
        placements.sort_by_key(|p| (p.place, p.number));
        Introduction { certs, placements }
    }

    fn need(&self, needed: &mut Needed, cert: &CertHash) {
        let path: Vec<CertHash> = self.path(cert).collect();
        for hash in path {
            needed.certs.insert(hash);
            let Some(place) = self.get(&hash).map(|c| c.place) else { continue };
            if needed.places.insert(place) {
                self.need_placements(needed, &place);
            }
        }
    }

    /// The placements of a place that count, with whoever they name: they are judged by the places' founders.
    fn need_placements(&self, needed: &mut Needed, place: &PlaceId) {
        let mut at = self.placement(place);
        while let Some(placement) = at {
            needed.placements.insert(placement.hash(), placement.clone());
            self.need(needed, &placement.issuer);
            for named in [Some(placement.place), Some(placement.parent), placement.into].into_iter().flatten()
            {
                if let Some(founded) = self.founding_cert(&named) {
                    self.need(needed, &founded);
                }
            }
            at = placement.previous.and_then(|before| self.placements.get(&before)).map(|p| &**p);
        }
    }

    /// The oldest certificate of a place by its founder; the root's for the root.
    fn founding_cert(&self, place: &PlaceId) -> Option<CertHash> {
        let founder = self.founders.get(place);
        let of_place = self.iter().filter(|(_, c)| c.place == *place && c.parent.as_ref() == founder);
        of_place.min_by_key(|(hash, c)| (c.number, **hash)).map(|(hash, _)| *hash)
    }

    /// Takes an introduction up, of this federation or none of it.
    ///
    /// # Errors
    /// [`CertError`] says what of it cannot be taken; nothing is changed then.
    pub fn introduce(&mut self, introduction: &Introduction) -> Result<(), CertError> {
        let mut wider = self.clone();
        let mut certs: Vec<&Certificate> = introduction.certs.iter().collect();
        let mut placements: Vec<&Placement> = introduction.placements.iter().collect();
        while !certs.is_empty() || !placements.is_empty() {
            let waiting = certs.len() + placements.len();
            let mut why = None;
            certs.retain(|c| wider.add((*c).clone()).map_err(|e| why = Some(e)).is_err());
            placements.retain(|p| wider.place_at(p).map_err(|e| why = Some(e)).is_err());
            if let (true, Some(why)) = (certs.len() + placements.len() == waiting, why) {
                return Err(why);
            }
        }
        *self = wider;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{SecretKeys, Signature};

    fn keys(n: u8) -> SecretKeys {
        SecretKeys::from_bytes(&[n; 64])
    }

    fn certificate(dir: &Directory, by: (u8, CertHash), nonce: u8, key: u8, number: u32) -> Certificate {
        let parent = dir.get(&by.1).unwrap().place;
        Certificate {
            federation: Some(dir.federation()),
            place: PlaceId::founded(&parent, &[nonce; 16]),
            code: "510113106000".into(),
            name: "姚渡镇".into(),
            level: "township".into(),
            parent: Some(parent),
            nonce: [nonce; 16],
            key: keys(key).public(),
            sealing: keys(key).sealing_public(),
            number,
            issuer: Some(by.1),
            signature: Signature([0; 64]),
        }
        .issued_by(&keys(by.0))
    }

    #[test]
    fn a_new_machine_of_a_moved_place_is_introduced_with_its_placement() {
        let root = Certificate::root(&keys(1), PlaceId([1; 16]), "510113000000", "青白江区", "district");
        let mut dir = Directory::new(root.clone()).unwrap();
        let [old, new] = [(2, 2), (3, 3)]
            .map(|(nonce, key)| dir.add(certificate(&dir, (1, root.hash()), nonce, key, 1)).unwrap());
        let village = certificate(&dir, (2, old), 4, 4, 1);
        dir.add(village.clone()).unwrap();
        let moved = Placement {
            federation: dir.federation(),
            place: village.place,
            number: 1,
            previous: None,
            parent: dir.get(&new).unwrap().place,
            into: None,
            code: village.code.clone(),
            name: village.name.clone(),
            level: village.level.clone(),
            address: "镇.example:4433".into(),
            issuer: root.hash(),
            signature: Signature([0; 64]),
        }
        .issued_by(&keys(1));
        dir.place_at(&moved).unwrap();
        let mut again = certificate(&dir, (3, new), 4, 5, 2);
        again.place = village.place;
        let again = dir.add(again.issued_by(&keys(3))).unwrap();
        let told = dir.introduction(&again);
        assert_eq!((told.placements.len(), told.own().map(Certificate::hash)), (1, Some(again)));
        let mut fresh = Directory::new(root.clone()).unwrap();
        let rest = Introduction { certs: told.certs[1..].to_vec(), ..told.clone() };
        fresh.introduce(&rest).unwrap();
        assert!(!fresh.is_revoked(&again) && fresh.parent(&village.place) == Some(moved.parent));
        // Without the placement it is nobody's certificate, and nothing of it is taken.
        let mut bare = Directory::new(root).unwrap();
        let without = Introduction { placements: Vec::new(), ..rest };
        assert_eq!(bare.introduce(&without), Err(CertError::NotFounder));
        assert_eq!(bare.iter().count(), 1);
        // Who was never moved needs the chain alone.
        assert_eq!(dir.introduction(&old).certs.len(), 2);
    }
}
