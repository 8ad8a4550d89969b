//! Sealed dossiers: who a petitioner is, readable only by those a key was wrapped for.
//!
//! A dossier's text is encrypted once under a random [`DossierKey`] with XChaCha20-Poly1305, bound to its
//! document. The key itself travels in *wraps*, one for each reader's certificate, beside the document:
//! deleting the wraps forgets the person while every signature stays valid. A wrap is an ephemeral X25519
//! agreement with the sealing key named in the reader's certificate, HKDF-SHA256, and again an AEAD, bound
//! to the document and to that certificate: neither text nor wrap can be moved to another document.

use crate::{
    ids::{CertHash, DocId},
    key::SecretKeys,
    planted::Bug,
};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use rand_core::CryptoRng;
use sha2::Sha256;
use std::fmt;
use thiserror::Error;
use x25519_dalek::{PublicKey, StaticSecret};

/// The first byte of every ciphertext and wrap.
const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
/// A wrap: format, ephemeral public key, the key's ciphertext.
pub const WRAP_BYTES: usize = 1 + KEY_BYTES + KEY_BYTES + TAG_BYTES;
/// Texts are padded to multiples of this, so that their length does not tell a short name from a long one.
const PADDED_BYTES: usize = 256;

/// Why something sealed was not opened, or not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// Not the form of one.
    #[error("this is not a sealed text or wrapped key of this version")]
    Form,
    /// Altered, of another document, or for another reader.
    #[error("the sealed part does not open: it was altered, or is not for this document and reader")]
    Closed,
    /// A public key with which no secret can be agreed.
    #[error("the reader's sealing key is not usable")]
    WeakKey,
}

/// The random key of one dossier.
#[derive(Clone, PartialEq, Eq)]
pub struct DossierKey([u8; KEY_BYTES]);

impl fmt::Debug for DossierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DossierKey(redacted)")
    }
}

impl DossierKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut key = [0; KEY_BYTES];
        rng.fill_bytes(&mut key);
        Self(key)
    }

    /// What `finds` makes of it: for whoever searches a disk for keys that lie there in clear.
    pub fn found(&self, finds: impl FnOnce(&[u8]) -> bool) -> bool {
        finds(&self.0)
    }
}

fn bound_to(domain: &[u8], doc: &DocId, rest: &[&[u8]]) -> Vec<u8> {
    let mut out = domain.to_vec();
    out.extend_from_slice(&doc.0);
    for part in rest {
        out.extend_from_slice(part);
    }
    out
}

/// Encrypts `text` for the document `doc`.
///
/// # Errors
/// [`SealError::Form`] for a text longer than the cipher takes, which is hundreds of gigabytes.
pub fn seal(
    text: &[u8],
    doc: &DocId,
    key: &DossierKey,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    let mut padded = text.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(PADDED_BYTES), 0);
    let mut nonce = [0u8; NONCE_BYTES];
    rng.fill_bytes(&mut nonce);
    let aad = bound_to(b"yishi/dossier/1", doc, &[]);
    let sealed = XChaCha20Poly1305::new(&key.0.into())
        .encrypt(&XNonce::from(nonce), Payload { msg: &padded, aad: &aad })
        .map_err(|_| SealError::Form)?;
    let mut out = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
    out.push(FORMAT);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&sealed);
    if Bug::KeyInHistory.planted() {
        out.extend_from_slice(&key.0);
    }
    Ok(out)
}

/// Decrypts what [`seal`] made for the same document.
///
/// # Errors
/// [`SealError`] if it is not such a text or does not open under this key.
pub fn open(sealed: &[u8], doc: &DocId, key: &DossierKey) -> Result<Vec<u8>, SealError> {
    let rest = match sealed.split_first() {
        Some((&FORMAT, rest)) => rest,
        _ => return Err(SealError::Form),
    };
    let (nonce, mut text) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Form)?;
    if Bug::KeyInHistory.planted() {
        text = text.split_last_chunk::<KEY_BYTES>().ok_or(SealError::Form)?.0;
    }
    let aad = bound_to(b"yishi/dossier/1", doc, &[]);
    let mut padded = XChaCha20Poly1305::new(&key.0.into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: &aad })
        .map_err(|_| SealError::Closed)?;
    let end = padded.iter().rposition(|b| *b != 0).filter(|i| padded.get(*i) == Some(&0x80));
    padded.truncate(end.ok_or(SealError::Form)?);
    Ok(padded)
}

/// Wraps the key of `doc` for the reader whose certificate `reader` names the sealing key `sealing`.
///
/// # Errors
/// [`SealError::WeakKey`] for a sealing key that agrees with everybody.
pub fn wrap(
    key: &DossierKey,
    doc: &DocId,
    reader: &CertHash,
    sealing: &[u8; 32],
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    let mut secret = [0u8; 32];
    rng.fill_bytes(&mut secret);
    let secret = StaticSecret::from(secret);
    let ephemeral = PublicKey::from(&secret).to_bytes();
    let shared = secret.diffie_hellman(&PublicKey::from(*sealing));
    if !shared.was_contributory() {
        return Err(SealError::WeakKey);
    }
    let (once, aad) = agreed(shared.as_bytes(), &ephemeral, sealing, doc, reader);
    // The agreed key is used for this one message, so the nonce may be fixed.
    let sealed = XChaCha20Poly1305::new(&once.into())
        .encrypt(&XNonce::from([0; NONCE_BYTES]), Payload { msg: &key.0, aad: &aad })
        .map_err(|_| SealError::Form)?;
    let mut out = Vec::with_capacity(WRAP_BYTES);
    out.push(FORMAT);
    out.extend_from_slice(&ephemeral);
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Opens a wrap made for `reader`, whose secret keys these are.
///
/// # Errors
/// [`SealError`] if it is no wrap, was altered, or is for another document or reader.
pub fn unwrap(
    wrapped: &[u8],
    doc: &DocId,
    reader: &CertHash,
    keys: &SecretKeys,
) -> Result<DossierKey, SealError> {
    let rest = match wrapped.split_first() {
        Some((&FORMAT, rest)) if wrapped.len() == WRAP_BYTES => rest,
        _ => return Err(SealError::Form),
    };
    let (ephemeral, sealed) = rest.split_first_chunk::<KEY_BYTES>().ok_or(SealError::Form)?;
    let shared = keys.sealing_secret().diffie_hellman(&PublicKey::from(*ephemeral));
    if !shared.was_contributory() {
        return Err(SealError::WeakKey);
    }
    let (once, aad) = agreed(shared.as_bytes(), ephemeral, &keys.sealing_public(), doc, reader);
    let key = XChaCha20Poly1305::new(&once.into())
        .decrypt(&XNonce::from([0; NONCE_BYTES]), Payload { msg: sealed, aad: &aad })
        .map_err(|_| SealError::Closed)?;
    key.try_into().map(DossierKey).map_err(|_| SealError::Form)
}

/// HKDF-SHA256 (RFC 5869) with one block of output; returns the key and what the wrap is bound to.
fn agreed(
    shared: &[u8; 32],
    ephemeral: &[u8; 32],
    sealing: &[u8; 32],
    doc: &DocId,
    reader: &CertHash,
) -> ([u8; 32], Vec<u8>) {
    let info = bound_to(b"yishi/dossier-wrap/1", doc, &[&reader.0, ephemeral, sealing]);
    let extracted = mac(b"yishi/dossier-wrap-salt/1", &[shared]);
    (mac(&extracted, &[&info, &[1]]), info)
}

/// HMAC-SHA256 under a key of at most one block.
fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC pads a shorter key with zeros to its block of 64 bytes; done here, it cannot fail.
    let mut block = [0u8; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    struct Sealed {
        key: DossierKey,
        text: Vec<u8>,
        wrapped: Vec<u8>,
        village: SecretKeys,
        cert: CertHash,
        doc: DocId,
        rng: StdRng,
    }

    fn sealed() -> Sealed {
        let mut rng = StdRng::seed_from_u64(11);
        let village = SecretKeys::generate(&mut rng);
        let (doc, cert) = (DocId([7; 32]), CertHash([8; 32]));
        let key = DossierKey::generate(&mut rng);
        let text = seal("{\"name\":\"王秀英\"}".as_bytes(), &doc, &key, &mut rng).unwrap();
        let wrapped = wrap(&key, &doc, &cert, &village.sealing_public(), &mut rng).unwrap();
        Sealed { key, text, wrapped, village, cert, doc, rng }
    }

    #[test]
    fn only_the_reader_opens() {
        let mut s = sealed();
        let key = unwrap(&s.wrapped, &s.doc, &s.cert, &s.village).unwrap();
        assert_eq!(open(&s.text, &s.doc, &key).unwrap(), "{\"name\":\"王秀英\"}".as_bytes());
        let stranger = SecretKeys::generate(&mut s.rng);
        assert_eq!(unwrap(&s.wrapped, &s.doc, &s.cert, &stranger), Err(SealError::Closed));
        assert_eq!(
            open(&s.text, &s.doc, &DossierKey::generate(&mut s.rng)),
            Err(SealError::Closed),
            "another key opens nothing"
        );
        assert_eq!(format!("{key:?}"), "DossierKey(redacted)");
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        let s = sealed();
        for i in 0..s.text.len() {
            let mut text = s.text.clone();
            text[i] ^= 1;
            assert!(open(&text, &s.doc, &s.key).is_err(), "byte {i} of the text");
        }
        for i in 0..s.wrapped.len() {
            let mut wrapped = s.wrapped.clone();
            wrapped[i] ^= 1;
            assert!(unwrap(&wrapped, &s.doc, &s.cert, &s.village).is_err(), "byte {i} of the wrap");
        }
        for cut in 0..s.wrapped.len() {
            assert!(unwrap(&s.wrapped[..cut], &s.doc, &s.cert, &s.village).is_err());
        }
        assert!(open(&[], &s.doc, &s.key).is_err());
    }

    #[test]
    fn nothing_moves_to_another_document_or_reader() {
        let s = sealed();
        let (doc, cert) = (DocId([9; 32]), CertHash([9; 32]));
        assert_eq!(unwrap(&s.wrapped, &doc, &s.cert, &s.village), Err(SealError::Closed));
        assert_eq!(unwrap(&s.wrapped, &s.doc, &cert, &s.village), Err(SealError::Closed));
        assert_eq!(open(&s.text, &doc, &s.key), Err(SealError::Closed));
    }

    #[test]
    fn length_tells_little_and_a_weak_key_is_refused() {
        let mut s = sealed();
        let lengths: std::collections::BTreeSet<usize> =
            (0..255).map(|n| seal(&vec![b'x'; n], &s.doc, &s.key, &mut s.rng).unwrap().len()).collect();
        assert_eq!(lengths.len(), 1);
        for n in [0, 254, 255, 256, 1000] {
            let text = vec![0u8; n];
            let sealed = seal(&text, &s.doc, &s.key, &mut s.rng).unwrap();
            assert_eq!(open(&sealed, &s.doc, &s.key), Ok(text));
        }
        assert_eq!(wrap(&s.key, &s.doc, &s.cert, &[0; 32], &mut s.rng), Err(SealError::WeakKey));
    }
}
