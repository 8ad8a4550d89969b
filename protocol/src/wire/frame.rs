//! Frames: what the two ends of a link say to each other. The driver delimits and compresses them.

use crate::{
    cert::{Certificate, Introduction, Placement},
    codec::{DecodeError, Reader, Writer},
    ids::{CertHash, Epoch, NodeKey, PlaceId},
    limits::{
        ACK_EXCLUDED_MAX, CERT_BYTES_MAX, INTRODUCED_CERTS_MAX, INTRODUCED_PLACEMENTS_MAX,
        PLACEMENT_BYTES_MAX, RECONCILE_ITEMS_MAX,
    },
    receipt::Receipt,
};
use std::fmt;

/// The protocol's version, first in every HELLO; also in the ALPN name `yishi/1`.
pub(super) const VERSION: u64 = 1;

/// The first word of each side: who, which life of its database, and how far each direction came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The speaker's certificate.
    pub cert: CertHash,
    /// The speaker's epoch (rule R14).
    pub epoch: Epoch,
    /// The head of the speaker's feed for this link.
    pub head: u64,
    /// Up to which of its own rows the speaker holds the other's acknowledgements.
    pub acked: u64,
    /// The epoch of the other's feed the speaker followed; `None` if it never received anything.
    pub in_epoch: Option<Epoch>,
    /// How far it came in that feed.
    pub in_seq: u64,
    /// The chained digest there.
    pub in_digest: [u8; 16],
}

/// One side's answer to a block: everything up to `to` is durable and has a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The block's last feed position.
    pub to: u64,
    /// Commits of the block that were not stored: ordinal among its commits, and why in stable words.
    pub excluded: Vec<(u64, String)>,
    /// The signature over those that were; `None` if the block held no commit that was stored.
    pub receipt: Option<Receipt>,
}

/// Finding out what differs when a feed's history does not fit (see the module `reconcile`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reconcile {
    /// Fingerprints of all `2^bits` buckets of the speaker's documents.
    Probe {
        /// How many leading bits of the document id choose the bucket.
        bits: u8,
        /// One per bucket.
        prints: Vec<[u8; 8]>,
    },
    /// Finer fingerprints of those buckets that differ.
    Split {
        /// As in `Probe`, now finer.
        bits: u8,
        /// Bucket and fingerprint.
        prints: Vec<(u32, [u8; 8])>,
    },
    /// The documents in the fine buckets that differ: first eight bytes of the id, print of the heads.
    Items {
        /// In the order of their ids.
        items: Vec<([u8; 8], [u8; 8])>,
    },
    /// Which of the items the other side has not, or in another state.
    Differ {
        /// Positions in `items`.
        wanted: Vec<u32>,
    },
    /// From here on the feed continues after this position; the cursor is set to it.
    Resume {
        /// The position.
        seq: u64,
        /// The digest there.
        digest: [u8; 16],
    },
}

/// A newcomer's request for its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// The invitation's id.
    pub invite: [u8; 8],
    /// The place it claims.
    pub place: PlaceId,
    /// Its sealing key; its signing key is the one the connection proves.
    pub sealing: [u8; 32],
    /// HMAC over both keys and the parent's, under the invitation's secret.
    pub proof: [u8; 32],
}

/// A certificate with all it stands on ([`crate::cert::Introduction`]): the parent's answer to whoever joins,
/// or who somebody is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    /// The certificates, root first, the one it is about last.
    pub chain: Vec<Vec<u8>>,
    /// The placements they stand on.
    pub placements: Vec<Vec<u8>>,
}

impl From<&Introduction> for Joined {
    fn from(introduction: &Introduction) -> Self {
        Self {
            chain: introduction.certs.iter().map(Certificate::encode).collect(),
            placements: introduction.placements.iter().map(Placement::encode).collect(),
        }
    }
}

/// Why a link is closed, as a stable number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// Orderly; the speaker is stopping.
    Stopping,
    /// The other side's key is not a neighbour's, or was revoked.
    NotAllowed,
    /// What the other side sent breaks the protocol.
    Protocol,
    /// The speaker's own store failed; nothing was acknowledged.
    Store,
    /// The invitation is unknown, used or expired.
    Invitation,
    /// Another connection of the same neighbour took over.
    Replaced,
    /// The other side belongs to another federation.
    Federation,
}

impl CloseCode {
    const ALL: [Self; 7] = [
        Self::Stopping,
        Self::NotAllowed,
        Self::Protocol,
        Self::Store,
        Self::Invitation,
        Self::Replaced,
        Self::Federation,
    ];

    /// The stable number.
    #[must_use]
    pub fn number(self) -> u64 {
        match self {
            Self::Stopping => 0,
            Self::NotAllowed => 1,
            Self::Protocol => 2,
            Self::Store => 3,
            Self::Invitation => 4,
            Self::Replaced => 5,
            Self::Federation => 6,
        }
    }

    /// The code of a number.
    #[must_use]
    pub fn from_number(n: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.number() == n)
    }
}

/// Everything that is ever said on a link.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    /// See [`Hello`].
    Hello(Hello),
    /// A block, as written by [`super::BlockWriter`].
    Block(Vec<u8>),
    /// See [`Ack`].
    Ack(Ack),
    /// See [`Reconcile`].
    Reconcile(Reconcile),
    /// The last word, with a reason people can read.
    Close(CloseCode, String),
    /// See [`Join`].
    Join(Join),
    /// The newcomer's certificate, or the parent's own for whoever asks who it is. See [`Joined`].
    Joined(Joined),
    /// Asks whoever answers who it is, and says who is asking: an empty one says nothing of that.
    Introduce(Joined),
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hello(hello) => hello.fmt(f),
            Self::Block(bytes) => write!(f, "Block({} bytes)", bytes.len()),
            Self::Ack(ack) => ack.fmt(f),
            Self::Reconcile(message) => message.fmt(f),
            Self::Close(code, why) => write!(f, "Close({code:?}, {why})"),
            Self::Join(join) => write!(f, "Join({})", join.place),
            Self::Joined(joined) => write!(f, "Joined({} certificates)", joined.chain.len()),
            Self::Introduce(own) => write!(f, "Introduce({} certificates)", own.chain.len()),
        }
    }
}

impl Frame {
    /// The frame's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        match self {
            Self::Hello(h) => {
                w.uint(1).uint(VERSION).raw(&h.cert.0).raw(&h.epoch.0).uint(h.head).uint(h.acked);
                match &h.in_epoch {
                    None => w.uint(0),
                    Some(epoch) => w.uint(1).raw(&epoch.0).uint(h.in_seq).raw(&h.in_digest),
                };
            }
            Self::Block(bytes) => {
                w.uint(2).raw(bytes);
            }
            Self::Ack(a) => {
                w.uint(3).uint(a.to).uint(a.excluded.len() as u64);
                for (ordinal, why) in &a.excluded {
                    w.uint(*ordinal).str(why);
                }
                match &a.receipt {
                    None => w.uint(0),
                    Some(receipt) => w.uint(1).bytes(&receipt.encode()),
                };
            }
            Self::Reconcile(r) => {
                w.uint(4);
                match r {
                    Reconcile::Probe { bits, prints } => {
                        w.uint(0).uint(u64::from(*bits)).uint(prints.len() as u64);
                        prints.iter().for_each(|p| {
                            w.raw(p);
                        });
                    }
                    Reconcile::Split { bits, prints } => {
                        w.uint(1).uint(u64::from(*bits)).uint(prints.len() as u64);
                        prints.iter().for_each(|(bucket, p)| {
                            w.uint(u64::from(*bucket)).raw(p);
                        });
                    }
                    Reconcile::Items { items } => {
                        w.uint(2).uint(items.len() as u64);
                        items.iter().for_each(|(id, heads)| {
                            w.raw(id).raw(heads);
                        });
                    }
                    Reconcile::Differ { wanted } => {
                        w.uint(3).uint(wanted.len() as u64);
                        wanted.iter().for_each(|i| {
                            w.uint(u64::from(*i));
                        });
                    }
                    Reconcile::Resume { seq, digest } => {
                        w.uint(4).uint(*seq).raw(digest);
                    }
                }
            }
            Self::Close(code, why) => {
                w.uint(5).uint(code.number()).str(why);
            }
            Self::Join(j) => {
                w.uint(6).uint(VERSION).raw(&j.invite).raw(&j.place.0).raw(&j.sealing).raw(&j.proof);
            }
            Self::Joined(j) => {
                w.uint(7);
                Self::write_joined(&mut w, j);
            }
            Self::Introduce(j) => {
                w.uint(8);
                Self::write_joined(&mut w, j);
            }
        }
        w.finish()
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`DecodeError`] for other bytes; the link that sent them is at fault.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let frame = match r.uint()? {
            1 => Self::Hello(Self::hello(&mut r)?),
            2 => return Ok(Self::Block(r.raw(r.remaining())?.to_vec())),
            3 => {
                let to = r.uint()?;
                let n = r.count(ACK_EXCLUDED_MAX)?;
                let mut excluded = Vec::new();
                for _ in 0..n {
                    excluded.push((r.uint()?, r.str(200)?.to_owned()));
                }
                let receipt = match r.uint()? {
                    0 => None,
                    1 => Some(Receipt::decode(r.bytes(512)?)?),
                    tag => return Err(DecodeError::Tag(tag)),
                };
                Self::Ack(Ack { to, excluded, receipt })
            }
            4 => Self::Reconcile(Self::reconcile(&mut r)?),
            5 => {
                let number = r.uint()?;
                let code = CloseCode::from_number(number).ok_or(DecodeError::Tag(number))?;
                Self::Close(code, r.str(2_048)?.to_owned())
            }
            6 => {
                Self::version(&mut r)?;
                Self::Join(Join {
                    invite: r.array()?,
                    place: PlaceId(r.array()?),
                    sealing: r.array()?,
                    proof: r.array()?,
                })
            }
            7 => Self::Joined(Self::joined(&mut r)?),
            8 => Self::Introduce(Self::joined(&mut r)?),
            tag => return Err(DecodeError::Tag(tag)),
        };
        r.end()?;
        Ok(frame)
    }

    fn write_joined(w: &mut Writer, joined: &Joined) {
        for records in [&joined.chain, &joined.placements] {
            w.uint(records.len() as u64);
            records.iter().for_each(|record| {
                w.bytes(record);
            });
        }
    }

    fn joined(r: &mut Reader<'_>) -> Result<Joined, DecodeError> {
        let mut records = |count, bytes| -> Result<Vec<Vec<u8>>, DecodeError> {
            let n = r.count(count)?;
            (0..n).map(|_| r.bytes(bytes).map(<[u8]>::to_vec)).collect()
        };
        let chain = records(INTRODUCED_CERTS_MAX, CERT_BYTES_MAX)?;
        Ok(Joined { chain, placements: records(INTRODUCED_PLACEMENTS_MAX, PLACEMENT_BYTES_MAX)? })
    }

    fn version(r: &mut Reader<'_>) -> Result<(), DecodeError> {
        match r.uint()? {
            VERSION => Ok(()),
            other => Err(DecodeError::Version(other)),
        }
    }

    fn hello(r: &mut Reader<'_>) -> Result<Hello, DecodeError> {
        Self::version(r)?;
        let (cert, epoch) = (CertHash(r.array()?), Epoch(r.array()?));
        let (head, acked) = (r.uint()?, r.uint()?);
        let (in_epoch, in_seq, in_digest) = match r.uint()? {
            0 => (None, 0, [0; 16]),
            1 => (Some(Epoch(r.array()?)), r.uint()?, r.array()?),
            tag => return Err(DecodeError::Tag(tag)),
        };
        Ok(Hello { cert, epoch, head, acked, in_epoch, in_seq, in_digest })
    }

    fn reconcile(r: &mut Reader<'_>) -> Result<Reconcile, DecodeError> {
        let bits = |r: &mut Reader<'_>| {
            let bits = r.uint()?;
            u8::try_from(bits).ok().filter(|b| *b <= 24).ok_or(DecodeError::TooLarge)
        };
        let narrow = |n: u64| u32::try_from(n).map_err(|_| DecodeError::Number);
        Ok(match r.uint()? {
            0 => {
                let bits = bits(r)?;
                let n = r.count(RECONCILE_ITEMS_MAX)?;
                Reconcile::Probe { bits, prints: (0..n).map(|_| r.array()).collect::<Result<_, _>>()? }
            }
            1 => {
                let bits = bits(r)?;
                let n = r.count(RECONCILE_ITEMS_MAX)?;
                let mut prints = Vec::with_capacity(n);
                for _ in 0..n {
                    prints.push((narrow(r.uint()?)?, r.array()?));
                }
                Reconcile::Split { bits, prints }
            }
            2 => {
                let n = r.count(RECONCILE_ITEMS_MAX)?;
                let mut items = Vec::with_capacity(n);
                for _ in 0..n {
                    items.push((r.array()?, r.array()?));
                }
                Reconcile::Items { items }
            }
            3 => {
                let n = r.count(RECONCILE_ITEMS_MAX)?;
                let mut wanted = Vec::with_capacity(n);
                for _ in 0..n {
                    wanted.push(narrow(r.uint()?)?);
                }
                Reconcile::Differ { wanted }
            }
            4 => Reconcile::Resume { seq: r.uint()?, digest: r.array()? },
            tag => return Err(DecodeError::Tag(tag)),
        })
    }
}

/// What a newcomer's proof covers: both its keys and the key it expects the parent to have.
#[must_use]
pub(crate) fn join_proof(
    secret: &[u8],
    place: &PlaceId,
    child: &NodeKey,
    sealing: &[u8; 32],
    parent: &NodeKey,
) -> [u8; 32] {
    use hmac::{Hmac, KeyInit, Mac};
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(secret) else { return [0; 32] };
    for part in [b"yishi/join/1".as_slice(), &place.0, &child.0, sealing, &parent.0] {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::Hash, key::Signature};

    #[test]
    fn every_frame_reads_back() {
        let receipt = Receipt {
            sender: PlaceId([1; 16]),
            epoch: Epoch([2; 16]),
            from: 3,
            to: 9,
            count: 2,
            root: Hash([4; 32]),
            at_ms: 5,
            level: CertHash([6; 32]),
            signature: Signature([7; 64]),
        };
        let hello = Hello {
            cert: CertHash([1; 32]),
            epoch: Epoch([2; 16]),
            head: 300,
            acked: 299,
            in_epoch: Some(Epoch([3; 16])),
            in_seq: 4,
            in_digest: [5; 16],
        };
        for frame in [
            Frame::Hello(hello.clone()),
            Frame::Hello(Hello { in_epoch: None, in_seq: 0, in_digest: [0; 16], ..hello }),
            Frame::Block(vec![1, 2, 3]),
            Frame::Ack(Ack { to: 9, excluded: vec![(1, "not_for_us".into())], receipt: Some(receipt) }),
            Frame::Reconcile(Reconcile::Probe { bits: 1, prints: vec![[1; 8], [2; 8]] }),
            Frame::Reconcile(Reconcile::Split { bits: 4, prints: vec![(3, [2; 8])] }),
            Frame::Reconcile(Reconcile::Items { items: vec![([1; 8], [2; 8])] }),
            Frame::Reconcile(Reconcile::Differ { wanted: vec![0, 7] }),
            Frame::Reconcile(Reconcile::Resume { seq: 12, digest: [9; 16] }),
            Frame::Close(CloseCode::Stopping, "再见".into()),
            Frame::Join(Join { invite: [1; 8], place: PlaceId([2; 16]), sealing: [3; 32], proof: [4; 32] }),
            Frame::Joined(Joined { chain: vec![vec![1], vec![2, 3]], placements: vec![vec![4]] }),
            Frame::Introduce(Joined::default()),
        ] {
            assert_eq!(Frame::decode(&frame.encode()), Ok(frame.clone()));
            let mut longer = frame.encode();
            longer.push(0);
            assert!(matches!(frame, Frame::Block(_)) || Frame::decode(&longer).is_err());
        }
    }
}
