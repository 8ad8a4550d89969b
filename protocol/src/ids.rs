//! Names of things that never change: places, documents, changes, actors, keys.
//!
//! All are fixed byte arrays, written as lower-case hexadecimal. What a person reads (codes, numbers,
//! names) is attributes of these and lives in documents.

use crate::codec::Writer;
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// The text is not the hexadecimal form of such an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected {expected} hexadecimal digits")]
pub struct IdParseError {
    /// How many digits such an id has.
    pub expected: usize,
}

/// The value of a hexadecimal digit: every act's `prev` is read through this.
fn digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// The id in `bytes`, if the length is right.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                <[u8; $len]>::try_from(bytes).ok().map(Self)
            }

            /// The bare bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}(", stringify!($name))?;
                self.0.iter().take(4).try_for_each(|b| write!(f, "{b:02x}"))?;
                f.write_str("…)")
            }
        }

        impl FromStr for $name {
            type Err = IdParseError;
            fn from_str(s: &str) -> Result<Self, IdParseError> {
                let err = IdParseError { expected: $len * 2 };
                if s.len() != $len * 2 || !s.is_ascii() {
                    return Err(err);
                }
                let mut out = [0u8; $len];
                for (byte, pair) in out.iter_mut().zip(s.as_bytes().chunks_exact(2)) {
                    let digits = pair.iter().try_fold(0u8, |sum, c| Some(sum << 4 | digit(*c)?));
                    *byte = digits.ok_or(err)?;
                }
                Ok(Self(out))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let s = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                s.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(/// A place's immutable id (rule R1). Given by the parent at invitation.
    PlaceId, 16);
id!(/// A federation: the hash of its root certificate.
    FederationId, 32);
id!(/// A document: the hash of its immutable header.
    DocId, 32);
id!(/// An Automerge change: the SHA-256 Automerge itself gives it.
    ChangeHash, 32);
id!(/// The Automerge actor of one node key in one incarnation.
    ActorId, 16);
id!(/// A node's public Ed25519 key.
    NodeKey, 32);
id!(/// A certificate: the hash of its bytes, signature included.
    CertHash, 32);
id!(/// A database's life between two restores (rule R14).
    Epoch, 16);
id!(/// Any other content hash: procedures, charters' snapshots, calendars, Merkle roots.
    Hash, 32);

/// Which life of a node's database wrote a change. Renewed after every restore or suspected clone, so
/// that two lives never share an Automerge actor: the upper 16 bits count, the lower 16 are random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Incarnation(pub u32);

impl Incarnation {
    /// The first life.
    #[must_use]
    pub fn first(salt: u16) -> Self {
        Self(u32::from(salt))
    }

    /// The life after this one and after every other one seen.
    #[must_use]
    pub fn renewed(self, salt: u16) -> Self {
        Self((self.count().saturating_add(1) << 16) | u32::from(salt))
    }

    /// The same life counted as one renewed at least so often: whoever is told how many others there may be
    /// keeps apart from them.
    #[must_use]
    pub fn at_least(self, count: u32) -> Self {
        let count = self.count().max(count.min(u32::from(u16::MAX)));
        Self((count << 16) | (self.0 & 0xffff))
    }

    /// How often the life was renewed.
    #[must_use]
    pub fn count(self) -> u32 {
        self.0 >> 16
    }
}

/// SHA-256 of a domain string and parts, each length-prefixed so that parts cannot run together.
#[must_use]
pub fn hash(domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut w = Writer::new();
    w.str(domain);
    for part in parts {
        w.bytes(part);
    }
    Sha256::digest(&w.0).into()
}

impl PlaceId {
    /// The id of a place that `parent` founds. Bound to it, so that nobody else can certify a key for a
    /// place it has merely heard of.
    #[must_use]
    pub fn founded(parent: &PlaceId, nonce: &[u8; 16]) -> Self {
        let full = hash("yishi/place/1", &[&parent.0, nonce]);
        let mut id = [0u8; 16];
        id.copy_from_slice(full.split_at(16).0);
        Self(id)
    }
}

impl ActorId {
    /// The actor of `key` in `incarnation`: a change that claims another is refused.
    #[must_use]
    pub fn of(key: &NodeKey, incarnation: Incarnation) -> Self {
        let full = hash("yishi/actor/1", &[&key.0, &incarnation.0.to_be_bytes()]);
        let mut id = [0u8; 16];
        id.copy_from_slice(full.split_at(16).0);
        Self(id)
    }
}

/// One act of a document: the change that holds it, by actor and sequence number. Written
/// `seq@actor`, which is also the act's key in its container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActRef {
    /// The author's actor.
    pub actor: ActorId,
    /// The change's sequence number under that actor, from 1.
    pub seq: u64,
}

impl fmt::Display for ActRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.seq, self.actor)
    }
}

impl FromStr for ActRef {
    type Err = IdParseError;
    fn from_str(s: &str) -> Result<Self, IdParseError> {
        let err = IdParseError { expected: ActorId::LEN * 2 };
        let (seq, actor) = s.split_once('@').ok_or(err)?;
        let canonical = !seq.is_empty() && seq.bytes().all(|b| b.is_ascii_digit()) && !seq.starts_with('0');
        if !canonical || actor.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(err);
        }
        Ok(Self { actor: actor.parse()?, seq: seq.parse().map_err(|_| err)? })
    }
}

impl serde::Serialize for ActRef {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ActRef {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        s.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_as_written() {
        let place = PlaceId([0xab; 16]);
        assert_eq!(place.to_string().parse(), Ok(place));
        assert!("zz".repeat(16).parse::<PlaceId>().is_err());
        assert!("+a".repeat(16).parse::<PlaceId>().is_err());
        let act = ActRef { actor: ActorId([7; 16]), seq: 12 };
        assert_eq!(act.to_string().parse(), Ok(act));
        assert!(format!("012@{}", act.actor).parse::<ActRef>().is_err());
    }

    #[test]
    fn every_life_has_its_own_actor() {
        let key = NodeKey([1; 32]);
        let first = Incarnation::first(9);
        assert_ne!(ActorId::of(&key, first), ActorId::of(&key, first.renewed(9)));
        assert_eq!(first.renewed(9).count(), 1);
    }
}
