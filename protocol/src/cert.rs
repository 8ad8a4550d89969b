//! Certificates of nodes, their chain to the federation's root, and revocations.
//!
//! A certificate says: this key speaks for this place, whose parent is that place. It is signed by a
//! node of the parent; the root signs itself. [`Directory`] holds only certificates whose whole chain
//! holds, so whoever finds a certificate there need not check it again.

use crate::{
    codec::{DecodeError, Reader, Writer},
    ids::{ActorId, CertHash, ChangeHash, DocId, FederationId, Incarnation, NodeKey, PlaceId, hash},
    key::{BadSignature, SecretKeys, Signature, verify},
    limits::{
        CERT_BYTES_MAX, CERT_CHAIN_MAX, NAME_BYTES_MAX, REVOCATION_BYTES_MAX, REVOCATION_CERTS_MAX,
        REVOCATION_CUTS_MAX, SHORT_BYTES_MAX,
    },
};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

const FORMAT: u64 = 1;

/// One key of one place, certified by its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The federation, `None` in the root's own certificate, which defines it.
    pub federation: Option<FederationId>,
    /// The place the key speaks for.
    pub place: PlaceId,
    /// The place's 12-digit code when it was certified. An attribute, never an identity (rule R1).
    pub code: String,
    /// The place's name when it was certified.
    pub name: String,
    /// The label of its level (`district`, `township`, `village`, …).
    pub level: String,
    /// The parent place; `None` for the root.
    pub parent: Option<PlaceId>,
    /// What the parent chose when it founded the place: with the parent's id it gives the place's
    /// ([`PlaceId::founded`]). The root's is its own.
    pub nonce: [u8; 16],
    /// The signing key.
    pub key: NodeKey,
    /// The key that dossiers are sealed for.
    pub sealing: [u8; 32],
    /// Counts the certificates of this place; a higher one replaces a lower one's attributes.
    pub number: u32,
    /// The certificate whose key signed this one; `None` for the root.
    pub issuer: Option<CertHash>,
    /// By the issuer's key over everything above.
    pub signature: Signature,
}

/// Why a certificate or revocation is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertError {
    /// Not the bytes of one.
    #[error("the certificate cannot be read: {0}")]
    Unreadable(#[from] DecodeError),
    /// The certificate belongs to another federation.
    #[error("the certificate belongs to another federation")]
    OtherFederation,
    /// Its issuer is not known here.
    #[error("the certificate's issuer is not known")]
    UnknownIssuer,
    /// Signed by a node that is not of the parent place.
    #[error("the certificate was not issued by the parent place")]
    WrongIssuer,
    /// Another place founded it.
    #[error("the certificate is for a place that its issuer did not found")]
    NotFounder,
    /// The chain to the root is too long.
    #[error("the chain of certificates is longer than {CERT_CHAIN_MAX}")]
    TooDeep,
    /// The signature does not hold.
    #[error("the certificate's signature does not hold")]
    Forged,
    /// A revocation by somebody who is not above the place.
    #[error("only a place above may revoke this certificate")]
    NotAbove,
}

impl From<BadSignature> for CertError {
    fn from(_: BadSignature) -> Self {
        Self::Forged
    }
}

impl Certificate {
    /// The root's certificate of itself. Its hash names the federation.
    #[must_use]
    pub fn root(keys: &SecretKeys, place: PlaceId, code: &str, name: &str, level: &str) -> Self {
        let mut cert = Self {
            federation: None,
            place,
            code: code.to_owned(),
            name: name.to_owned(),
            level: level.to_owned(),
            parent: None,
            nonce: place.0,
            key: keys.public(),
            sealing: keys.sealing_public(),
            number: 1,
            issuer: None,
            signature: Signature([0; 64]),
        };
        cert.signature = keys.sign(&cert.body());
        cert
    }

    /// Signs `self`, whose `issuer`, `parent` and `federation` the caller has set.
    #[must_use]
    pub fn issued_by(mut self, keys: &SecretKeys) -> Self {
        self.signature = keys.sign(&self.body());
        self
    }

    fn body(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.str("yishi/certificate").uint(FORMAT);
        optional(&mut w, self.federation.as_ref().map(|f| f.as_bytes()));
        w.raw(&self.place.0).str(&self.code).str(&self.name).str(&self.level);
        optional(&mut w, self.parent.as_ref().map(|p| p.as_bytes()));
        w.raw(&self.nonce).raw(&self.key.0).raw(&self.sealing).uint(u64::from(self.number));
        optional(&mut w, self.issuer.as_ref().map(|i| i.as_bytes()));
        w.finish()
    }

    /// The certificate's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer(self.body());
        w.raw(&self.signature.0);
        w.finish()
    }

    /// Reads what [`Certificate::encode`] wrote. Says nothing about the signature.
    ///
    /// # Errors
    /// [`DecodeError`] for other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > CERT_BYTES_MAX {
            return Err(DecodeError::TooLarge);
        }
        let mut r = Reader::new(bytes);
        expect_domain(&mut r, "yishi/certificate")?;
        let cert = Self {
            federation: read_optional::<32>(&mut r)?.map(FederationId),
            place: PlaceId(r.array()?),
            code: r.str(SHORT_BYTES_MAX)?.to_owned(),
            name: r.str(NAME_BYTES_MAX)?.to_owned(),
            level: r.str(SHORT_BYTES_MAX)?.to_owned(),
            parent: read_optional::<16>(&mut r)?.map(PlaceId),
            nonce: r.array()?,
            key: NodeKey(r.array()?),
            sealing: r.array()?,
            number: r.u32()?,
            issuer: read_optional::<32>(&mut r)?.map(CertHash),
            signature: Signature(r.array()?),
        };
        r.end()?;
        Ok(cert)
    }

    /// The certificate's name: the hash of its bytes.
    #[must_use]
    pub fn hash(&self) -> CertHash {
        CertHash(hash("yishi/certificate-hash/1", &[&self.encode()]))
    }

    /// The federation this certificate belongs to: stated, or defined by it if it is the root's.
    #[must_use]
    pub fn federation_id(&self) -> FederationId {
        self.federation.unwrap_or_else(|| FederationId(hash("yishi/federation/1", &[&self.body()])))
    }

    /// The actor of this key in one life of its database.
    #[must_use]
    pub fn actor(&self, incarnation: Incarnation) -> ActorId {
        ActorId::of(&self.key, incarnation)
    }
}

fn optional(w: &mut Writer, bytes: Option<&[u8]>) {
    match bytes {
        None => w.uint(0),
        Some(b) => w.uint(1).raw(b),
    };
}

fn read_optional<const N: usize>(r: &mut Reader<'_>) -> Result<Option<[u8; N]>, DecodeError> {
    match r.uint()? {
        0 => Ok(None),
        1 => Ok(Some(r.array()?)),
        tag => Err(DecodeError::Tag(tag)),
    }
}

fn expect_domain(r: &mut Reader<'_>, domain: &str) -> Result<(), DecodeError> {
    if r.str(64)? != domain {
        return Err(DecodeError::Tag(0));
    }
    match r.uint()? {
        FORMAT => Ok(()),
        other => Err(DecodeError::Version(other)),
    }
}

/// A key that no longer speaks for its place.
///
/// It never makes a commit unstorable: per document it names the last changes that still count, which
/// vouch for their ancestors; everything else of that key is stored and not counted. One revocation may
/// be spread over several records; what they name adds up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The federation.
    pub federation: FederationId,
    /// The certificate that ends.
    pub cert: CertHash,
    /// Why, in the words of who revoked it.
    pub reason: String,
    /// The last changes that count, sorted.
    pub last_valid: Vec<(DocId, ChangeHash)>,
    /// Certificates this one issued that stay valid, sorted; a thief's are not among them.
    pub still_valid: Vec<CertHash>,
    /// Who revokes: a certificate of a place above.
    pub issuer: CertHash,
    /// By the issuer's key.
    pub signature: Signature,
}

impl Revocation {
    fn body(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.str("yishi/revocation").uint(FORMAT);
        w.raw(&self.federation.0).raw(&self.cert.0).str(&self.reason).uint(self.last_valid.len() as u64);
        for (doc, change) in &self.last_valid {
            w.raw(&doc.0).raw(&change.0);
        }
        w.uint(self.still_valid.len() as u64);
        for cert in &self.still_valid {
            w.raw(&cert.0);
        }
        w.raw(&self.issuer.0);
        w.finish()
    }

    /// Signs it, after sorting what it names.
    #[must_use]
    pub fn issued_by(mut self, keys: &SecretKeys) -> Self {
        self.last_valid.sort_unstable();
        self.last_valid.dedup();
        self.still_valid.sort_unstable();
        self.still_valid.dedup();
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

    /// Reads what [`Revocation::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] for other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > REVOCATION_BYTES_MAX {
            return Err(DecodeError::TooLarge);
        }
        let mut r = Reader::new(bytes);
        expect_domain(&mut r, "yishi/revocation")?;
        let (federation, cert) = (FederationId(r.array()?), CertHash(r.array()?));
        let reason = r.str(SHORT_BYTES_MAX)?.to_owned();
        let n = r.count(REVOCATION_CUTS_MAX)?;
        let mut last_valid = Vec::with_capacity(n);
        for _ in 0..n {
            last_valid.push((DocId(r.array()?), ChangeHash(r.array()?)));
        }
        if !last_valid.is_sorted_by(|a, b| a < b) {
            return Err(DecodeError::Unsorted);
        }
        let n = r.count(REVOCATION_CERTS_MAX)?;
        let still_valid = (0..n).map(|_| r.array().map(CertHash)).collect::<Result<Vec<_>, _>>()?;
        if !still_valid.is_sorted_by(|a, b| a < b) {
            return Err(DecodeError::Unsorted);
        }
        let (issuer, signature) = (CertHash(r.array()?), Signature(r.array()?));
        r.end()?;
        Ok(Self { federation, cert, reason, last_valid, still_valid, issuer, signature })
    }
}

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
    certs: BTreeMap<CertHash, Certificate>,
    by_key: BTreeMap<NodeKey, BTreeSet<CertHash>>,
    by_place: BTreeMap<PlaceId, BTreeSet<CertHash>>,
    revoked: BTreeMap<CertHash, Ended>,
}

/// What all revocations of one certificate say together.
#[derive(Debug, Clone, Default)]
struct Ended {
    last_valid: BTreeMap<DocId, BTreeSet<ChangeHash>>,
    still_valid: BTreeSet<CertHash>,
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
            revoked: BTreeMap::new(),
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
        if cert.parent != Some(issuer.place) || cert.place == issuer.place {
            return Err(CertError::WrongIssuer);
        }
        // Only the place that founded it may certify a key for it, whoever's certificate comes first.
        if cert.place != PlaceId::founded(&issuer.place, &cert.nonce) {
            return Err(CertError::NotFounder);
        }
        verify(&issuer.key, &cert.body(), &cert.signature)?;
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
        Ok(self.insert(cert))
    }

    /// Takes note of a revocation.
    ///
    /// # Errors
    /// [`CertError`] says why it does not hold; nothing changes then.
    pub fn revoke(&mut self, revocation: &Revocation) -> Result<(), CertError> {
        if revocation.federation != self.federation {
            return Err(CertError::OtherFederation);
        }
        let issuer = self.certs.get(&revocation.issuer).ok_or(CertError::UnknownIssuer)?;
        verify(&issuer.key, &revocation.body(), &revocation.signature)?;
        let place = issuer.place;
        if !self.ancestors(&revocation.cert).contains(&place) {
            return Err(CertError::NotAbove);
        }
        let ended = self.revoked.entry(revocation.cert).or_default();
        for (doc, change) in &revocation.last_valid {
            ended.last_valid.entry(*doc).or_default().insert(*change);
        }
        ended.still_valid.extend(&revocation.still_valid);
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
    fn is_disowned(&self, hash: &CertHash) -> bool {
        let mut below = *hash;
        while let Some(issuer) = self.certs.get(&below).and_then(|c| c.issuer) {
            if self.revoked.get(&issuer).is_some_and(|ended| !ended.still_valid.contains(&below)) {
                return true;
            }
            below = issuer;
        }
        false
    }

    /// The last changes of a document that still count for a revoked certificate; `None` if it is not
    /// revoked. Of one that a revoked key issued and that was not named, nothing counts.
    #[must_use]
    pub fn cut(&self, hash: &CertHash, doc: &DocId) -> Option<BTreeSet<ChangeHash>> {
        if self.is_disowned(hash) {
            return Some(BTreeSet::new());
        }
        self.revoked.get(hash).map(|ended| ended.last_valid.get(doc).cloned().unwrap_or_default())
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

    /// The places above a certificate's place, parent first, root last.
    #[must_use]
    pub fn ancestors(&self, hash: &CertHash) -> Vec<PlaceId> {
        self.chain(hash).iter().skip(1).map(|c| c.place).collect()
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

    /// The places above a place, parent first.
    #[must_use]
    pub fn place_ancestors(&self, place: &PlaceId) -> Vec<PlaceId> {
        self.place(place).map(|p| self.ancestors(&p.cert)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            still_valid: vec![honest],
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
