//! What stands beside a sealed dossier and outside its history: keys wrapped for readers, the word to
//! forget whom it is about, and each place's word that it has.
//!
//! These records may be deleted, which is their point: deleting the wrapped keys forgets the person while
//! every signature of the public record stays valid. Each is signed by the node that made it, over the
//! federation and the document, so that nobody can put a useless key in the place of a reader's real one
//! and nobody can have somebody forgotten but the place that registered them or one above it.

use crate::{
    audience::Audience,
    cert::Directory,
    codec::{DecodeError, Reader, Writer},
    ids::{CertHash, DocId, FederationId, Hash, PlaceId, hash},
    key::{SecretKeys, Signature, verify},
    limits::FORGET_REASON_BYTES_MAX,
    seal::WRAP_BYTES,
};
use thiserror::Error;

/// A record beside a dossier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// The certificate of the node that made it.
    pub by: CertHash,
    /// What it says.
    pub what: What,
    /// By that node's key.
    pub signature: Signature,
}

/// What a record beside a dossier says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The dossier's key, wrapped for one reader.
    Wrap {
        /// The reader's certificate.
        reader: CertHash,
        /// What [`crate::seal::wrap`] made.
        bytes: Vec<u8>,
    },
    /// Whom the dossier is about is to be forgotten: every wrapped key is deleted, and none kept again.
    Forget {
        /// The claimed day, in days since 1970-01-01.
        on: i64,
        /// Why, in few words; shown wherever the dossier was.
        reason: String,
    },
    /// This place has deleted every wrapped key it held.
    Forgotten,
}

/// Why a record beside a dossier is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BesideError {
    /// Its author's certificate is not here.
    #[error("its author is not known here")]
    UnknownAuthor,
    /// Its author's place does not see the dossier.
    #[error("its author's place does not see the dossier")]
    Outside,
    /// Only the place that registered somebody, and those above it, may have them forgotten.
    #[error("only the registering place and those above it may have somebody forgotten")]
    NotTheirs,
    /// Its author's key is revoked: a thief shall have nobody forgotten.
    #[error("its author's key is revoked")]
    Revoked,
    /// The wrapped key is none.
    #[error("the wrapped key is none")]
    Form,
    /// The signature does not hold.
    #[error("its signature does not hold")]
    Forged,
}

impl What {
    /// The stable number in stores.
    #[must_use]
    pub fn number(&self) -> u8 {
        match self {
            Self::Wrap { .. } => 0,
            Self::Forget { .. } => 1,
            Self::Forgotten => 2,
        }
    }
}

fn message(federation: &FederationId, doc: &DocId, by: &CertHash, what: &What) -> Vec<u8> {
    let mut w = Writer::new();
    w.str("yishi/beside/1").raw(&federation.0).raw(&doc.0);
    put(&mut w, by, what);
    w.finish()
}

fn put(w: &mut Writer, by: &CertHash, what: &What) {
    w.uint(u64::from(what.number())).raw(&by.0);
    match what {
        What::Wrap { reader, bytes } => {
            w.raw(&reader.0).bytes(bytes);
        }
        What::Forget { on, reason } => {
            w.int(*on).str(reason);
        }
        What::Forgotten => {}
    }
}

impl Beside {
    /// Signs a record of the node with these keys and this certificate.
    #[must_use]
    pub fn new(keys: &SecretKeys, by: CertHash, federation: &FederationId, doc: &DocId, what: What) -> Self {
        let signature = keys.sign(&message(federation, doc, &by, &what));
        Self { by, what, signature }
    }

    /// Its bytes; the document is known from where it stands.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.uint(1);
        put(&mut w, &self.by, &self.what);
        w.raw(&self.signature.0);
        w.finish()
    }

    /// Reads what [`Beside::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] for other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        match r.uint()? {
            1 => {}
            other => return Err(DecodeError::Version(other)),
        }
        let number = r.uint()?;
        let by = CertHash(r.array()?);
        let what = match number {
            0 => What::Wrap { reader: CertHash(r.array()?), bytes: r.bytes(WRAP_BYTES)?.to_vec() },
            1 => What::Forget { on: r.int()?, reason: r.str(FORGET_REASON_BYTES_MAX)?.to_owned() },
            2 => What::Forgotten,
            other => return Err(DecodeError::Tag(other)),
        };
        let signature = Signature(r.array()?);
        r.end()?;
        Ok(Self { by, what, signature })
    }

    /// Its identity: what feeds and stores name it by.
    #[must_use]
    pub fn hash(&self, doc: &DocId) -> Hash {
        Hash(hash("yishi/beside-hash/1", &[&doc.0, &self.encode()]))
    }

    /// Whether it holds beside the dossier `doc`, registered by `home` and seen by `audience`.
    ///
    /// # Errors
    /// [`BesideError`] says why not.
    pub fn check(
        &self,
        directory: &Directory,
        doc: &DocId,
        home: &PlaceId,
        audience: &Audience,
    ) -> Result<(), BesideError> {
        let cert = directory.get(&self.by).ok_or(BesideError::UnknownAuthor)?;
        if !audience.includes(directory, &cert.place) {
            return Err(BesideError::Outside);
        }
        match &self.what {
            What::Wrap { bytes, .. } if bytes.len() != WRAP_BYTES => return Err(BesideError::Form),
            What::Forget { .. } => {
                if cert.place != *home && !directory.place_ancestors(home).contains(&cert.place) {
                    return Err(BesideError::NotTheirs);
                }
                if directory.is_revoked(&self.by) {
                    return Err(BesideError::Revoked);
                }
            }
            What::Wrap { .. } | What::Forgotten => {}
        }
        let message = message(&directory.federation(), doc, &self.by, &self.what);
        verify(&cert.key, &message, &self.signature).map_err(|_| BesideError::Forged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audience::Reach, cert::Certificate};
    use rand::{SeedableRng, rngs::StdRng};

    struct Places {
        directory: Directory,
        root: (SecretKeys, Certificate),
        village: (SecretKeys, Certificate),
        sister: (SecretKeys, Certificate),
        audience: Audience,
    }

    fn places() -> Places {
        let mut rng = StdRng::seed_from_u64(5);
        let [r, v, s] = std::array::from_fn(|_| SecretKeys::generate(&mut rng));
        let root = Certificate::root(&r, PlaceId([1; 16]), "510113106000", "姚渡镇", "township");
        let mut directory = Directory::new(root.clone()).unwrap();
        let mut below = |keys: &SecretKeys, n: u8| {
            let cert = Certificate {
                federation: Some(root.federation_id()),
                place: PlaceId::founded(&root.place, &[n; 16]),
                nonce: [n; 16],
                code: "510113106204".into(),
                name: "芦稿村".into(),
                level: "village".into(),
                parent: Some(root.place),
                key: keys.public(),
                sealing: keys.sealing_public(),
                number: 1,
                issuer: Some(root.hash()),
                signature: Signature([0; 64]),
            }
            .issued_by(&r);
            directory.add(cert.clone()).unwrap();
            cert
        };
        let (village, sister) = (below(&v, 2), below(&s, 3));
        let seen = [root.place, village.place].map(Reach::Place);
        Places {
            directory,
            root: (r, root),
            village: (v, village),
            sister: (s, sister),
            audience: Audience(seen.into()),
        }
    }

    #[test]
    fn who_may_say_what() {
        let p = places();
        let (doc, home) = (DocId([7; 32]), p.village.1.place);
        let federation = p.directory.federation();
        let said = |by: &(SecretKeys, Certificate), what: What| {
            Beside::new(&by.0, by.1.hash(), &federation, &doc, what)
        };
        let check = |record: &Beside| record.check(&p.directory, &doc, &home, &p.audience);
        let wrap = || What::Wrap { reader: CertHash([9; 32]), bytes: vec![1; WRAP_BYTES] };
        let forget = || What::Forget { on: 20_700, reason: "本人要求".into() };
        for by in [&p.root, &p.village] {
            for what in [wrap(), forget(), What::Forgotten] {
                let record = said(by, what);
                assert_eq!(check(&record), Ok(()));
                assert_eq!(Beside::decode(&record.encode()), Ok(record.clone()));
                // Not beside another dossier, and not with a byte of it turned over.
                assert_eq!(
                    record.check(&p.directory, &DocId([8; 32]), &home, &p.audience),
                    Err(BesideError::Forged)
                );
                let bytes = record.encode();
                for at in 0..bytes.len() {
                    let mut altered = bytes.clone();
                    altered[at] ^= 1;
                    assert!(
                        Beside::decode(&altered).is_err()
                            || check(&Beside::decode(&altered).unwrap()).is_err()
                    );
                }
            }
        }
        assert_eq!(check(&said(&p.sister, wrap())), Err(BesideError::Outside));
        // In the name of another.
        let lent = Beside::new(&p.sister.0, p.village.1.hash(), &federation, &doc, wrap());
        assert_eq!(check(&lent), Err(BesideError::Forged));
        let short = What::Wrap { reader: CertHash([9; 32]), bytes: vec![1; 5] };
        assert_eq!(check(&said(&p.village, short)), Err(BesideError::Form));
        // A village sees a dossier of its town: it does not have the town's people forgotten.
        let of_town = said(&p.village, forget());
        let held = of_town.check(&p.directory, &doc, &p.root.1.place, &p.audience);
        assert_eq!(held, Err(BesideError::NotTheirs));
    }

    #[test]
    fn a_stolen_key_has_nobody_forgotten() {
        let mut p = places();
        let (doc, federation) = (DocId([7; 32]), p.directory.federation());
        let what = What::Forget { on: 20_700, reason: String::new() };
        let record = Beside::new(&p.village.0, p.village.1.hash(), &federation, &doc, what);
        let revocation = crate::cert::Revocation {
            federation,
            cert: p.village.1.hash(),
            reason: "被盗".into(),
            last_valid: Vec::new(),
            still_valid: Vec::new(),
            issuer: p.root.1.hash(),
            signature: Signature([0; 64]),
        };
        p.directory.revoke(&revocation.issued_by(&p.root.0)).unwrap();
        let held = record.check(&p.directory, &doc, &p.village.1.place, &p.audience);
        assert_eq!(held, Err(BesideError::Revoked));
    }
}
