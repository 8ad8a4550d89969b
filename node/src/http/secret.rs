//! Random secrets, and what is kept of them.
//!
//! A session or token secret leaves this node once; only its SHA-256 is stored. (The secrets are 256 random
//! bits, so a slow hash would add nothing.)

use sha2::{Digest, Sha256};

/// Lower-case hex.
#[must_use]
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        for nibble in [b >> 4, b & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    out
}

/// A fresh secret of 32 random bytes, in hex.
#[must_use]
pub(super) fn fresh() -> String {
    hex(&rand::random::<[u8; 32]>())
}

/// Whether a text is one of ours, as far as its shape tells.
#[must_use]
pub(super) fn is_fresh(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// SHA-256.
#[must_use]
pub(super) fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// What is stored of a secret.
#[must_use]
pub(super) fn stored(secret: &str) -> [u8; 32] {
    hash(secret.as_bytes())
}

/// The token a form of this session carries: bound to the session, useless for anything else.
#[must_use]
pub(super) fn form_token(session_secret: &str) -> String {
    let mut h = Sha256::new();
    h.update(b"yishi form token 1\0");
    h.update(session_secret.as_bytes());
    hex(&h.finalize())
}

/// Whether two strings are equal, in a time that does not tell where they differ.
#[must_use]
pub(super) fn same(a: &str, b: &str) -> bool {
    // Comparing digests: an attacker cannot steer them, so an early exit tells nothing.
    stored(a) == stored(b)
}

/// A password for a person who was not given one: 4 groups of 4 from an alphabet of 32 without look-alikes, 80 bits.
#[must_use]
pub(super) fn readable_password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567890";
    let mut out = String::with_capacity(19);
    for (i, b) in rand::random::<[u8; 16]>().iter().enumerate() {
        if i > 0 && i % 4 == 0 {
            out.push('-');
        }
        out.push(char::from(LETTERS.get(usize::from(b & 31)).copied().unwrap_or(b'a')));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_differ() {
        assert_eq!(hex(&[0, 15, 255]), "000fff");
        assert_eq!(fresh().len(), 64);
        assert_ne!(fresh(), fresh());
        assert_ne!(readable_password(), readable_password());
        assert_eq!(readable_password().len(), 19);
        assert!(same("a", "a") && !same("a", "b"));
        assert_ne!(form_token("a"), form_token("b"));
    }
}
