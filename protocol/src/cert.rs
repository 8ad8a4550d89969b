//! Certificates of nodes, their chain to the federation's root, and revocations.
//!
//! A certificate says: this key speaks for this place, whose parent is that place. It is signed by a
//! node of the parent; the root signs itself, and the keys that work in its place while its own is kept offline. [`Directory`] holds only certificates whose whole chain
//! holds, so whoever finds a certificate there need not check it again.

use crate::{
    codec::{DecodeError, Reader, Writer},
    ids::{ActorId, CertHash, ChangeHash, DocId, FederationId, Hash, Incarnation, NodeKey, PlaceId, hash},
    key::{BadSignature, SecretKeys, Signature},
    limits::{
        CERT_BYTES_MAX, CERT_CHAIN_MAX, NAME_BYTES_MAX, REVOCATION_BYTES_MAX, REVOCATION_CERTS_MAX,
        REVOCATION_CUTS_MAX, SHORT_BYTES_MAX,
    },
};
use thiserror::Error;

mod directory;
mod introduction;
mod placement;
mod standing;
mod tree;
pub use directory::{Directory, KnownPlace};
pub use introduction::Introduction;
pub use placement::Placement;

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
    /// A place is named that is not known here.
    #[error("the record names a place that is not known")]
    UnknownPlace,
    /// A placement that does not follow the one it names.
    #[error("the placement does not follow the one before it")]
    NotNext,
    /// A revocation or placement by somebody who is not above the place.
    #[error("only a place above may say so")]
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

    /// A key that works in the root's place, so that the root's own may lie in a drawer: only the root's key
    /// certifies one, and only it ends one.
    #[must_use]
    pub fn working(root: &Self, root_keys: &SecretKeys, keys: &SecretKeys, number: u32) -> Self {
        Self {
            federation: Some(root.federation_id()),
            key: keys.public(),
            sealing: keys.sealing_public(),
            number,
            issuer: Some(root.hash()),
            ..root.clone()
        }
        .issued_by(root_keys)
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
    /// Names of the records this one issued that stay valid, sorted: certificates, revocations, placements. A
    /// thief's are not among them.
    pub still_valid: Vec<Hash>,
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

    /// The revocation's name: the hash of its bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash(hash("yishi/revocation-hash/1", &[&self.encode()]))
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
        let still_valid = (0..n).map(|_| r.array().map(Hash)).collect::<Result<Vec<_>, _>>()?;
        if !still_valid.is_sorted_by(|a, b| a < b) {
            return Err(DecodeError::Unsorted);
        }
        let (issuer, signature) = (CertHash(r.array()?), Signature(r.array()?));
        r.end()?;
        Ok(Self { federation, cert, reason, last_valid, still_valid, issuer, signature })
    }
}
