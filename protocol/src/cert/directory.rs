//! Every certificate and revocation known here, and what follows from them: who is above whom, which keys
//! speak for a place, what of a revoked key still counts.
//!
//! The invariant: what follows depends on the set of accepted records, not on the order they came in. A
//! record whose issuer is not here is not accepted, so blocks bring issuers first.

use super::{CertError, Certificate, Placement, Revocation, standing::Ended, tree::Moved};
use crate::{
    ids::{CertHash, ChangeHash, DocId, FederationId, Hash, NodeKey, PlaceId},
    key::verify,
    limits::CERT_CHAIN_MAX,
    planted::Bug,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What is known of a place from its certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPlace {
    /// The certificate with the highest number that is not revoked, or the highest at all.
    pub cert: CertHash,
    /// Whether every certificate of the place is revoked.
    pub revoked: bool,
}

/// All certificates of one federation known here, each with its chain checked.
#[derive(Debug, Clone)]
pub struct Directory {
    federation: FederationId,
    pub(super) certs: BTreeMap<CertHash, Certificate>,
    by_key: BTreeMap<NodeKey, BTreeSet<CertHash>>,
    by_place: BTreeMap<PlaceId, BTreeSet<CertHash>>,
    /// Every revocation accepted, whether or not it counts.
    pub(super) revocations: BTreeMap<Hash, Arc<Revocation>>,
    /// Every placement accepted, likewise.
    pub(super) placements: BTreeMap<Hash, Arc<Placement>>,
    /// Who founded each place.
    pub(super) founders: BTreeMap<PlaceId, PlaceId>,
    /// Certificates by a later parent, which hold as long as it is one.
    pub(super) adopted: BTreeSet<CertHash>,
    /// What the revocations that count say together; derived.
    pub(super) revoked: BTreeMap<CertHash, Ended>,
    /// What the placements that count say; derived.
    pub(super) tree: BTreeMap<PlaceId, Moved>,
}

impl Directory {
    /// A directory that trusts one root.
    ///
    /// # Errors
    /// [`CertError::Forged`] if the root did not sign itself, [`CertError::WrongIssuer`] if it is no root.
    pub fn new(root: Certificate) -> Result<Self, CertError> {
        if root.federation.is_some() || root.parent.is_some() || root.issuer.is_some() {
            return Err(CertError::WrongIssuer);
        }
        verify(&root.key, &root.body(), &root.signature)?;
        let mut directory = Self {
            federation: root.federation_id(),
            certs: BTreeMap::new(),
            by_key: BTreeMap::new(),
            by_place: BTreeMap::new(),
            revocations: BTreeMap::new(),
            placements: BTreeMap::new(),
            founders: BTreeMap::new(),
            adopted: BTreeSet::new(),
            revoked: BTreeMap::new(),
            tree: BTreeMap::new(),
        };
        directory.insert(root);
        Ok(directory)
    }

    fn insert(&mut self, cert: Certificate) -> CertHash {
        let hash = cert.hash();
        self.by_key.entry(cert.key).or_default().insert(hash);
        self.by_place.entry(cert.place).or_default().insert(hash);
        self.certs.insert(hash, cert);
        hash
    }

    /// The federation.
    #[must_use]
    pub fn federation(&self) -> FederationId {
        self.federation
    }

    /// Adds a certificate whose issuer is already here.
    ///
    /// # Errors
    /// [`CertError`] says what is wrong with it; nothing is added then.
    pub fn add(&mut self, cert: Certificate) -> Result<CertHash, CertError> {
        let hash = cert.hash();
        if self.certs.contains_key(&hash) {
            return Ok(hash);
        }
        if cert.federation != Some(self.federation) {
            return Err(CertError::OtherFederation);
        }
        let issuer = cert.issuer.and_then(|h| self.certs.get(&h)).ok_or(CertError::UnknownIssuer)?;
        // A key that works in the root's place: by the root's own key alone, so that none of them makes another.
        let working = cert.place == issuer.place;
        let fits = match working {
            true => issuer.issuer.is_none() && cert.parent.is_none() && cert.nonce == issuer.nonce,
            false => cert.parent == Some(issuer.place),
        };
        if !fits {
            return Err(CertError::WrongIssuer);
        }
        // Only the place that founded it may certify a key for it, whoever's certificate comes first; and
        // whoever a placement names as its later parent. Whether that one counts is asked when it is used.
        let (parent, founded) = (issuer.place, cert.place == PlaceId::founded(&issuer.place, &cert.nonce));
        let adopted = || self.noted_parents(&cert.place).contains(&parent) || Bug::AnyFounder.planted();
        if !working && !founded && !adopted() {
            return Err(CertError::NotFounder);
        }
        verify(&issuer.key, &cert.body(), &cert.signature)?;
        if working {
            return Ok(self.insert(cert));
        }
        let mut depth = 1;
        let mut above = cert.issuer;
        while let Some(c) = above.and_then(|h| self.certs.get(&h)) {
            depth += 1;
            // A place above itself would make the tree a circle.
            if depth > CERT_CHAIN_MAX || c.place == cert.place {
                return Err(CertError::TooDeep);
            }
            above = c.issuer;
        }
        if founded {
            self.founders.insert(cert.place, parent);
        } else {
            self.adopted.insert(hash);
        }
        Ok(self.insert(cert))
    }

    /// Takes note of a revocation. Whether it counts follows from all that are noted, not from the order
    /// they came in: one by a key that was itself revoked counts only if its own revocation vouches for it.
    ///
    /// # Errors
    /// [`CertError`] says why it does not hold; nothing changes then.
    pub fn revoke(&mut self, revocation: &Revocation) -> Result<(), CertError> {
        if revocation.federation != self.federation {
            return Err(CertError::OtherFederation);
        }
        let issuer = self.certs.get(&revocation.issuer).ok_or(CertError::UnknownIssuer)?;
        verify(&issuer.key, &revocation.body(), &revocation.signature)?;
        if !self.may_note(&revocation.issuer, &revocation.cert) {
            return Err(CertError::NotAbove);
        }
        let name = revocation.hash();
        if self.revocations.insert(name, Arc::new(revocation.clone())).is_none() {
            self.noted(name, revocation);
        }
        Ok(())
    }

    /// A certificate by its hash.
    #[must_use]
    pub fn get(&self, hash: &CertHash) -> Option<&Certificate> {
        self.certs.get(hash)
    }

    /// All certificates.
    pub fn iter(&self) -> impl Iterator<Item = (&CertHash, &Certificate)> {
        self.certs.iter()
    }

    /// Whether this certificate is revoked, or was issued by a revoked one that does not vouch for it.
    #[must_use]
    pub fn is_revoked(&self, hash: &CertHash) -> bool {
        self.revoked.contains_key(hash) || self.is_disowned(hash)
    }

    /// Whether a certificate above was revoked without naming what it had issued on the way to this one.
    pub(super) fn is_disowned(&self, hash: &CertHash) -> bool {
        let mut below = *hash;
        while let Some(cert) = self.certs.get(&below) {
            // Issued by a later parent that never counted as one.
            let placed = |parent| self.parents(&cert.place).contains(&parent);
            if self.adopted.contains(&below) && !cert.parent.is_some_and(placed) {
                return true;
            }
            let Some(issuer) = cert.issuer else { return false };
            if self.revoked.get(&issuer).is_some_and(|ended| !ended.vouches_for(&Hash(below.0))) {
                return true;
            }
            below = issuer;
        }
        false
    }

    /// The last changes of a document that still count for a certificate's key; `None` if it may still
    /// write. A key may hold several certificates of its place, renewed or renamed: while one of them holds,
    /// all that the key wrote counts; when all are revoked, what their revocations name adds up. So it does
    /// not matter which of them a node heard of first. Of one that a revoked key issued and that was not
    /// named, nothing counts.
    #[must_use]
    pub fn cut(&self, hash: &CertHash, doc: &DocId) -> Option<BTreeSet<ChangeHash>> {
        let mut counts = BTreeSet::new();
        for held in self.held_with(hash) {
            if !self.is_revoked(&held) {
                return None;
            }
            if !self.is_disowned(&held) {
                let named = self.revoked.get(&held).and_then(|ended| ended.last_valid.get(doc));
                counts.extend(named.into_iter().flatten());
            }
        }
        Some(counts)
    }

    /// All certificates of the same key for the same place, this one among them.
    pub fn held_with(&self, hash: &CertHash) -> impl Iterator<Item = CertHash> {
        let one = self.certs.get(hash);
        let key = one.and_then(|c| self.by_key.get(&c.key));
        let same = move |h: &&CertHash| self.certs.get(*h).map(|c| c.place) == one.map(|c| c.place);
        key.into_iter().flatten().filter(same).copied()
    }

    /// The certificate a key goes by now: of those it holds for this one's place the newest that is valid,
    /// else this one.
    #[must_use]
    pub fn current(&self, hash: &CertHash) -> CertHash {
        let valid = self.held_with(hash).filter(|h| !self.is_revoked(h));
        valid.max_by_key(|h| (self.certs.get(h).map(|c| c.number), *h)).unwrap_or(*hash)
    }

    /// What a certificate signed for others, as far as it is here and holds: certificates, revocations,
    /// placements.
    #[must_use]
    pub fn issued_by(&self, cert: &CertHash) -> BTreeSet<Hash> {
        let certs = self.certs.iter().filter(|(h, c)| c.issuer == Some(*cert) && !self.is_revoked(h));
        let revocations = self.revocations.iter().filter(|(h, r)| r.issuer == *cert && self.counts(cert, h));
        let placements = self.placements.iter().filter(|(h, p)| p.issuer == *cert && self.counts(cert, h));
        let names = revocations.map(|(h, _)| *h).chain(placements.map(|(h, _)| *h));
        certs.map(|(h, _)| Hash(h.0)).chain(names).collect()
    }

    /// The certificates of a key that are not revoked. Anybody may certify a key that is not theirs for a
    /// place of their own: whoever asks must know which place is meant.
    pub fn active_of_key(&self, key: &NodeKey) -> impl Iterator<Item = (CertHash, &Certificate)> {
        let hashes = self.by_key.get(key).into_iter().flatten();
        hashes.filter(|h| !self.is_revoked(h)).filter_map(|h| Some((*h, self.certs.get(h)?)))
    }

    /// The chain from a certificate up to the root's, itself first.
    #[must_use]
    pub fn chain(&self, hash: &CertHash) -> Vec<&Certificate> {
        let mut chain = Vec::new();
        let mut at = self.certs.get(hash);
        while let Some(cert) = at {
            chain.push(cert);
            at = cert.issuer.and_then(|h| self.certs.get(&h));
        }
        chain
    }

    /// The places above a certificate's place now, parent first, root last.
    #[must_use]
    pub fn ancestors(&self, hash: &CertHash) -> Vec<PlaceId> {
        self.certs.get(hash).map(|c| self.place_ancestors(&c.place)).unwrap_or_default()
    }

    /// Every place with a certificate.
    pub fn places(&self) -> impl Iterator<Item = (PlaceId, KnownPlace)> {
        self.by_place.keys().filter_map(|p| Some((*p, self.place(p)?)))
    }

    /// A place's current certificate.
    #[must_use]
    pub fn place(&self, place: &PlaceId) -> Option<KnownPlace> {
        let hashes = self.by_place.get(place)?;
        let newest = |live: bool| {
            hashes
                .iter()
                .filter(|h| !live || !self.is_revoked(h))
                .max_by_key(|h| (self.certs.get(*h).map(|c| c.number), **h))
                .copied()
        };
        match newest(true) {
            Some(cert) => Some(KnownPlace { cert, revoked: false }),
            None => newest(false).map(|cert| KnownPlace { cert, revoked: true }),
        }
    }

    /// The current certificate of a place, in full.
    #[must_use]
    pub fn place_cert(&self, place: &PlaceId) -> Option<&Certificate> {
        self.certs.get(&self.place(place)?.cert)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{SecretKeys, Signature};
    use rand::{SeedableRng, rngs::StdRng};

    fn child(
        dir: &Directory,
        parent: &SecretKeys,
        issuer: CertHash,
        keys: &SecretKeys,
        place: u8,
    ) -> Certificate {
        let parent_place = dir.get(&issuer).map_or(PlaceId([0; 16]), |c| c.place);
        Certificate {
            federation: Some(dir.federation()),
            place: PlaceId::founded(&parent_place, &[place; 16]),
            nonce: [place; 16],
            code: "510113106000".into(),
            name: "姚渡镇".into(),
            level: "township".into(),
            parent: dir.get(&issuer).map(|c| c.place),
            key: keys.public(),
            sealing: keys.sealing_public(),
            number: 1,
            issuer: Some(issuer),
            signature: Signature([0; 64]),
        }
        .issued_by(parent)
    }

    #[test]
    fn only_the_parent_certifies_and_only_a_place_above_revokes() {
        let mut rng = StdRng::seed_from_u64(3);
        let [root, town, village, stranger] = std::array::from_fn(|_| SecretKeys::generate(&mut rng));
        let root_cert = Certificate::root(&root, PlaceId([1; 16]), "510113000000", "青白江区", "district");
        let root_hash = root_cert.hash();
        let mut dir = Directory::new(root_cert).unwrap();
        let town_cert = child(&dir, &root, root_hash, &town, 2);
        let town_hash = dir.add(town_cert.clone()).unwrap();
        assert_eq!(Certificate::decode(&town_cert.encode()), Ok(town_cert.clone()));
        // Signed by a stranger, or naming a parent that is not the issuer's place.
        assert_eq!(dir.add(child(&dir, &stranger, town_hash, &village, 3)), Err(CertError::Forged));
        let mut wrong = child(&dir, &town, town_hash, &village, 3);
        wrong.parent = Some(PlaceId([1; 16]));
        assert_eq!(dir.add(wrong.issued_by(&town)), Err(CertError::WrongIssuer));
        let village_hash = dir.add(child(&dir, &town, town_hash, &village, 3)).unwrap();
        assert_eq!(dir.ancestors(&village_hash), [town_cert.place, PlaceId([1; 16])]);
        // A sister of the town cannot adopt the town's village, nor the town itself.
        let sister = child(&dir, &root, root_hash, &stranger, 4);
        let sister_hash = dir.add(sister).unwrap();
        for taken in [dir.get(&village_hash).unwrap().clone(), town_cert.clone()] {
            let mut adopted = child(&dir, &stranger, sister_hash, &stranger, 3);
            (adopted.place, adopted.nonce, adopted.number) = (taken.place, taken.nonce, u32::MAX);
            assert_eq!(dir.add(adopted.issued_by(&stranger)), Err(CertError::NotFounder));
        }

        let revocation = |issuer: CertHash, keys: &SecretKeys| {
            Revocation {
                federation: dir.federation(),
                cert: village_hash,
                reason: "机器被盗".into(),
                last_valid: vec![(DocId([9; 32]), ChangeHash([9; 32]))],
                still_valid: Vec::new(),
                issuer,
                signature: Signature([0; 64]),
            }
            .issued_by(keys)
        };
        let (own, above) = (revocation(village_hash, &village), revocation(town_hash, &town));
        assert_eq!(Revocation::decode(&above.encode()), Ok(above.clone()));
        assert_eq!(dir.revoke(&own), Err(CertError::NotAbove));
        assert!(!dir.is_revoked(&village_hash));
        dir.revoke(&above).unwrap();
        assert!(dir.is_revoked(&village_hash));
        let village_place = PlaceId::founded(&town_cert.place, &[3; 16]);
        assert!(dir.place(&village_place).unwrap().revoked);
        assert_eq!(dir.cut(&village_hash, &DocId([9; 32])).unwrap().len(), 1);

        // The town's key is stolen. What it had issued is named; what the thief issues is not.
        let honest = dir.add(child(&dir, &town, town_hash, &stranger, 7)).unwrap();
        let ended = Revocation {
            federation: dir.federation(),
            cert: town_hash,
            reason: "钥匙被盗".into(),
            last_valid: Vec::new(),
            still_valid: vec![Hash(honest.0)],
            issuer: root_hash,
            signature: Signature([0; 64]),
        }
        .issued_by(&root);
        assert_eq!(Revocation::decode(&ended.encode()), Ok(ended.clone()));
        dir.revoke(&ended).unwrap();
        let minted = dir.add(child(&dir, &town, town_hash, &stranger, 8)).unwrap();
        assert!(!dir.is_revoked(&honest) && dir.cut(&honest, &DocId([9; 32])).is_none());
        assert!(dir.is_revoked(&minted) && dir.is_revoked(&town_hash));
        assert_eq!(dir.cut(&minted, &DocId([9; 32])), Some(BTreeSet::new()));
    }
}
