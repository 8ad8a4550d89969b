//! Invitations: what a parent hands to a new place, on paper or as a QR code.
//!
//! A token carries where the parent is, its key's fingerprint, which place is meant, until when by the
//! issuer's clock, and a secret used once. It is text in the alphabet of QR's compact mode, with a
//! checksum, so that a mistyped one is noticed before anything is dialled.

use crate::{
    codec::{DecodeError, Reader, Writer},
    ids::{NodeKey, PlaceId, hash},
    limits::{INVITE_SECRET_BYTES, NAME_BYTES_MAX, SHORT_BYTES_MAX},
    wire::Join,
};
use std::{fmt, str::FromStr};
use thiserror::Error;

const PREFIX: &str = "YISHI1-";
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// An invitation.
#[derive(Clone, PartialEq, Eq)]
pub struct Invite {
    /// Which invitation.
    pub id: [u8; 8],
    /// Where the parent listens: `host:port` of its QUIC link.
    pub address: String,
    /// The parent's key, which the newcomer pins.
    pub parent: NodeKey,
    /// The new place.
    pub place: PlaceId,
    /// Its code, for the newcomer's eyes; the certificate decides.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Until when it may be used, by the issuer's clock, in seconds since 1970.
    pub expires_at: u64,
    /// The secret the newcomer proves.
    pub secret: [u8; INVITE_SECRET_BYTES],
}

impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invite({} {}, secret redacted)", self.code, self.name)
    }
}

/// Why a text is no invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InviteError {
    /// It does not begin like one.
    #[error("an invitation begins with {PREFIX}")]
    Prefix,
    /// A character that never occurs in one.
    #[error("the invitation has a character that cannot be in it, at position {0}")]
    Character(usize),
    /// Mistyped or cut off.
    #[error("the invitation is incomplete or mistyped: its checksum does not match")]
    Checksum,
    /// Made by another version.
    #[error("the invitation cannot be read: {0}")]
    Unreadable(#[from] DecodeError),
}

impl Invite {
    /// The request that proves the secret, for a newcomer with these keys.
    #[must_use]
    pub fn join(&self, key: &NodeKey, sealing: [u8; 32]) -> Join {
        let proof = crate::wire::join_proof(&self.secret, &self.place, key, &sealing, &self.parent);
        Join { invite: self.id, place: self.place, sealing, proof }
    }

    /// Whether a request from a connection with `key` proves this invitation's secret.
    #[must_use]
    pub fn proves(&self, join: &Join, key: &NodeKey) -> bool {
        let expected = self.join(key, join.sealing);
        let same = expected.proof.iter().zip(&join.proof).fold(0u8, |acc, (a, b)| acc | (a ^ b)) == 0;
        same && join.place == self.place && join.invite == self.id
    }
}

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut w = Writer::new();
        w.raw(&self.id).str(&self.address).raw(&self.parent.0).raw(&self.place.0);
        w.str(&self.code).str(&self.name).uint(self.expires_at).raw(&self.secret);
        let checksum = hash("yishi/invite/1", &[&w.0]);
        w.raw(checksum.split_at(4).0);
        f.write_str(PREFIX)?;
        f.write_str(&base32(&w.0))
    }
}

impl FromStr for Invite {
    type Err = InviteError;

    fn from_str(s: &str) -> Result<Self, InviteError> {
        let s: String = s.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
        let digits = s.strip_prefix(PREFIX).ok_or(InviteError::Prefix)?;
        let bytes = from_base32(digits).map_err(|at| InviteError::Character(at + PREFIX.len()))?;
        let (body, sum) = bytes.split_last_chunk::<4>().ok_or(InviteError::Checksum)?;
        if !hash("yishi/invite/1", &[body]).starts_with(sum) {
            return Err(InviteError::Checksum);
        }
        let mut r = Reader::new(body);
        let invite = Self {
            id: r.array()?,
            address: r.str(SHORT_BYTES_MAX)?.to_owned(),
            parent: NodeKey(r.array()?),
            place: PlaceId(r.array()?),
            code: r.str(SHORT_BYTES_MAX)?.to_owned(),
            name: r.str(NAME_BYTES_MAX)?.to_owned(),
            expires_at: r.uint()?,
            secret: r.array()?,
        };
        r.end()?;
        Ok(invite)
    }
}

/// RFC 4648 base 32 without padding.
pub(crate) fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            out.push(digit(bits >> held));
        }
    }
    if held > 0 {
        out.push(digit(bits << (5 - held)));
    }
    out
}

fn digit(bits: u32) -> char {
    ALPHABET.get((bits & 31) as usize).map_or('A', |b| char::from(*b))
}

pub(crate) fn from_base32(text: &str) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut held) = (0u32, 0u32);
    for (at, c) in text.bytes().enumerate() {
        let value = ALPHABET.iter().position(|a| *a == c).ok_or(at)? as u32;
        bits = (bits << 5 | value) & 0xffff;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SecretKeys;
    use rand::{SeedableRng, rngs::StdRng};

    fn invite() -> Invite {
        Invite {
            id: [1; 8],
            address: "203.0.113.7:4710".into(),
            parent: NodeKey([2; 32]),
            place: PlaceId([3; 16]),
            code: "510113106204".into(),
            name: "芦稿村".into(),
            expires_at: 1_800_000_000,
            secret: [4; INVITE_SECRET_BYTES],
        }
    }

    #[test]
    fn a_token_survives_paper_and_notices_a_slip() {
        let text = invite().to_string();
        assert_eq!(text.parse(), Ok(invite()));
        let spaced: String = text.to_lowercase().chars().flat_map(|c| [c, ' ']).collect();
        assert_eq!(spaced.parse(), Ok(invite()));
        let slip = text.replacen('A', "B", 2);
        assert_eq!(slip.parse::<Invite>(), Err(InviteError::Checksum));
        assert_eq!(text.replace('-', "").parse::<Invite>(), Err(InviteError::Prefix));
        assert!(matches!(format!("{text}!").parse::<Invite>(), Err(InviteError::Character(_))));
        assert!(!format!("{:?}", invite()).contains("04, 4"));
    }

    #[test]
    fn only_the_holder_of_the_secret_joins_and_only_with_its_own_keys() {
        let keys = SecretKeys::generate(&mut StdRng::seed_from_u64(1));
        let join = invite().join(&keys.public(), keys.sealing_public());
        assert!(invite().proves(&join, &keys.public()));
        assert!(!invite().proves(&join, &NodeKey([9; 32])));
        let other = Invite { secret: [5; INVITE_SECRET_BYTES], ..invite() };
        assert!(!other.proves(&join, &keys.public()));
    }
}
