//! Node keys and signatures.
//!
//! One rule decides whether a signature holds, everywhere: ZIP-215, whose answer is the same single and
//! in batch (rule R10). Every signed message begins with its own domain, so that a signature made for
//! one purpose means nothing for another.

use crate::ids::{CertHash, ChangeHash, DocId, FederationId, NodeKey};
use ed25519_zebra::{Signature as ZebraSignature, SigningKey, VerificationKey, VerificationKeyBytes, batch};
use rand_core::CryptoRng;
use std::fmt;
use thiserror::Error;

/// A signature does not hold under its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a signature does not hold")]
pub struct BadSignature;

/// An Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(…)")
    }
}

/// A node's secret keys: one to sign, one to open what is sealed for it.
#[derive(Clone)]
pub struct SecretKeys {
    signing: SigningKey,
    sealing: x25519_dalek::StaticSecret,
}

impl fmt::Debug for SecretKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKeys({:?}, redacted)", self.public())
    }
}

impl SecretKeys {
    /// Fresh keys.
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0u8; 64];
        rng.fill_bytes(&mut bytes);
        Self::from_bytes(&bytes)
    }

    /// The keys kept in 64 bytes: the signing seed, then the sealing secret.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        let (signing, sealing) = bytes.split_at(32);
        let (mut seed, mut secret) = ([0u8; 32], [0u8; 32]);
        seed.copy_from_slice(signing);
        secret.copy_from_slice(sealing);
        Self { signing: SigningKey::from(seed), sealing: secret.into() }
    }

    /// What [`SecretKeys::from_bytes`] takes; keep it as secret as the keys.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 64] {
        let mut out = [0u8; 64];
        let (a, b) = out.split_at_mut(32);
        a.copy_from_slice(self.signing.as_bytes());
        b.copy_from_slice(self.sealing.as_bytes());
        out
    }

    /// The public signing key: the node's name on every link.
    #[must_use]
    pub fn public(&self) -> NodeKey {
        NodeKey(VerificationKeyBytes::from(&self.signing).into())
    }

    /// The public sealing key, named in the node's certificate.
    #[must_use]
    pub fn sealing_public(&self) -> [u8; 32] {
        x25519_dalek::PublicKey::from(&self.sealing).to_bytes()
    }

    /// The secret half of [`SecretKeys::sealing_public`].
    #[must_use]
    pub(crate) fn sealing_secret(&self) -> &x25519_dalek::StaticSecret {
        &self.sealing
    }

    /// A secret derived from the signing key for one purpose that is not a signature.
    #[must_use]
    pub fn derived(&self, purpose: &str) -> [u8; 32] {
        crate::ids::hash("yishi/derived-secret/1", &[purpose.as_bytes(), self.signing.as_bytes()])
    }

    /// Signs a message that begins with its domain.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.signing.sign(message).into())
    }

    /// Signs a commit (rule R9).
    #[must_use]
    pub fn sign_commit(
        &self,
        federation: &FederationId,
        doc: &DocId,
        change: &ChangeHash,
        cert: &CertHash,
    ) -> Signature {
        self.sign(&commit_message(federation, doc, change, cert))
    }
}

/// The bytes a commit's signature covers (rule R9): domain, federation, document, change, certificate.
#[must_use]
pub fn commit_message(
    federation: &FederationId,
    doc: &DocId,
    change: &ChangeHash,
    cert: &CertHash,
) -> [u8; COMMIT_MESSAGE_BYTES] {
    let mut out = [0u8; COMMIT_MESSAGE_BYTES];
    let parts = [COMMIT_DOMAIN, &federation.0, &doc.0, &change.0, &cert.0];
    let mut rest = out.as_mut_slice();
    for part in parts {
        let (head, tail) = rest.split_at_mut(part.len());
        head.copy_from_slice(part);
        rest = tail;
    }
    out
}

const COMMIT_DOMAIN: &[u8] = b"yishi/commit/1\0\0";
/// Length of [`commit_message`].
pub const COMMIT_MESSAGE_BYTES: usize = 16 + 4 * 32;

/// Whether `signature` of `message` holds under `key`.
///
/// # Errors
/// [`BadSignature`] when it does not, also when the key is no point of the curve.
pub fn verify(key: &NodeKey, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
    let key = VerificationKey::try_from(key.0).map_err(|_| BadSignature)?;
    key.verify(&ZebraSignature::from(signature.0), message).map_err(|_| BadSignature)
}

/// One signature to check among many, of a commit's message unless said otherwise.
#[derive(Debug, Clone)]
pub struct SignatureItem<M = [u8; COMMIT_MESSAGE_BYTES]> {
    /// Under which key.
    pub key: NodeKey,
    /// Over which message.
    pub message: M,
    /// The signature.
    pub signature: Signature,
}

/// Checks many signatures at once; several times faster than one by one from some tens upward.
///
/// # Errors
/// The positions of those that do not hold.
pub fn verify_many<M: AsRef<[u8]>>(
    items: &[SignatureItem<M>],
    rng: &mut impl CryptoRng,
) -> Result<(), Vec<usize>> {
    if items.len() > 3 && hold_together(items, rng) {
        return Ok(());
    }
    // ZIP-215 gives the same answer one by one, so the culprits can be named.
    let bad: Vec<usize> = items
        .iter()
        .enumerate()
        .filter(|(_, item)| verify(&item.key, item.message.as_ref(), &item.signature).is_err())
        .map(|(i, _)| i)
        .collect();
    if bad.is_empty() { Ok(()) } else { Err(bad) }
}

/// Whether all of them hold, in one equation.
fn hold_together<M: AsRef<[u8]>>(items: &[SignatureItem<M>], rng: &mut impl CryptoRng) -> bool {
    let mut verifier = batch::Verifier::new();
    for item in items {
        let key = VerificationKeyBytes::from(item.key.0);
        verifier.queue((key, ZebraSignature::from(item.signature.0), &item.message));
    }
    verifier.verify(rng).is_ok()
}

#[cfg(test)]
mod zip215;

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn a_batch_names_the_forged_one() {
        let mut rng = StdRng::seed_from_u64(1);
        let (federation, cert) = (FederationId([1; 32]), CertHash([2; 32]));
        let mut items: Vec<SignatureItem> = (0..40u8)
            .map(|i| {
                let keys = SecretKeys::generate(&mut rng);
                let message = commit_message(&federation, &DocId([i; 32]), &ChangeHash([i; 32]), &cert);
                SignatureItem { key: keys.public(), signature: keys.sign(&message), message }
            })
            .collect();
        assert_eq!(verify_many(&items, &mut rng), Ok(()));
        items[7].message[20] ^= 1;
        items[31].signature.0[3] ^= 1;
        assert_eq!(verify_many(&items, &mut rng), Err(vec![7, 31]));
    }

    #[test]
    fn keys_survive_being_kept() {
        let keys = SecretKeys::generate(&mut StdRng::seed_from_u64(2));
        let again = SecretKeys::from_bytes(&keys.to_bytes());
        assert_eq!(keys.public(), again.public());
        assert_eq!(keys.sealing_public(), again.sealing_public());
        assert!(
            !format!("{keys:?}")
                .contains(&keys.to_bytes().iter().map(|b| format!("{b:02x}")).collect::<String>())
        );
    }
}
