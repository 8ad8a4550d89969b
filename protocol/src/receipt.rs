//! Receipts: a level's signature that it has stored commits, and openings that carry it further down.
//!
//! For every block it stored, a level signs the Merkle root over the commits in it (rule R15). The
//! sender knows the same commits in the same order, so the receipt itself is small. A level's receipt
//! travels on to the places below as an *opening*: the receipt, which of the reader's own commits stand
//! where under the root, and the hashes between. "Stored at the district" is shown for nothing less.
//!
//! Leaves are SHA-256 of `0x00 ‖ document ‖ change hash`, inner nodes of `0x01 ‖ left ‖ right`; the last
//! node of an odd row moves up as it is.

use crate::{
    cert::Directory,
    codec::{DecodeError, Reader, Writer},
    ids::{CertHash, ChangeHash, DocId, Epoch, Hash, PlaceId},
    key::{SecretKeys, Signature, verify},
    limits::BLOCK_BYTES_MAX,
    planted::Bug,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use thiserror::Error;

/// A Merkle node.
pub type Node = [u8; 32];

/// The leaf of one commit.
#[must_use]
pub fn leaf(doc: &DocId, change: &ChangeHash) -> Node {
    let mut h = Sha256::new();
    h.update([0u8]);
    h.update(doc.0);
    h.update(change.0);
    h.finalize().into()
}

fn join(left: &Node, right: &Node) -> Node {
    let mut h = Sha256::new();
    h.update([1u8]);
    h.update(left);
    h.update(right);
    h.finalize().into()
}

/// The root over leaves in their order; of none, all zeros.
#[must_use]
pub fn root(leaves: &[Node]) -> Hash {
    let mut row = leaves.to_vec();
    while row.len() > 1 {
        row = row
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => join(left, right),
                [single, ..] => *single,
                [] => [0; 32],
            })
            .collect();
    }
    Hash(row.first().copied().unwrap_or([0; 32]))
}

/// A part of a Merkle tree: rows of known nodes by position, leaves first.
#[derive(Debug, Clone, Default)]
struct Partial {
    rows: Vec<BTreeMap<u64, Node>>,
}

/// Row lengths from the leaves to the root.
fn widths(count: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(count), |n| (*n > 1).then(|| n.div_ceil(2)))
}

impl Partial {
    fn full(leaves: &[Node]) -> Self {
        let mut rows = vec![(0u64..).zip(leaves.iter().copied()).collect::<BTreeMap<_, _>>()];
        for width in widths(leaves.len() as u64) {
            let Some(row) = rows.last().filter(|_| width > 1) else { break };
            let next = (0..width.div_ceil(2)).filter_map(|i| Some((i, parent(row, width, i)?))).collect();
            rows.push(next);
        }
        Self { rows }
    }

    /// Walks from `positions` to the root and hands out every node beside the way, in a fixed order.
    fn beside(&self, count: u64, positions: impl Iterator<Item = u64>) -> Option<Vec<Node>> {
        let mut at: Vec<u64> = positions.collect();
        let mut proof = Vec::new();
        for (row, width) in self.rows.iter().zip(widths(count)) {
            let mut up = Vec::with_capacity(at.len());
            let mut i = 0;
            while let Some(p) = at.get(i) {
                let sibling = p ^ 1;
                if at.get(i + 1) == Some(&sibling) {
                    i += 1;
                } else if sibling < width {
                    proof.push(*row.get(&sibling)?);
                }
                up.push(p / 2);
                i += 1;
            }
            at = up;
        }
        Some(proof)
    }

    /// Rebuilds the tree that `beside` walked.
    fn rebuilt(count: u64, leaves: &BTreeMap<u64, Node>, proof: &[Node]) -> Option<Self> {
        let mut proof = proof.iter();
        let mut rows: Vec<BTreeMap<u64, Node>> = Vec::new();
        let mut row = leaves.clone();
        for width in widths(count) {
            let known: Vec<u64> = row.keys().copied().collect();
            if known.last().is_some_and(|last| *last >= width) {
                return None;
            }
            for p in &known {
                let sibling = p ^ 1;
                if sibling < width && !row.contains_key(&sibling) {
                    row.insert(sibling, *proof.next()?);
                }
            }
            let next = known.iter().filter_map(|p| Some((p / 2, parent(&row, width, p / 2)?))).collect();
            rows.push(std::mem::replace(&mut row, next));
        }
        proof.next().is_none().then_some(Self { rows })
    }

    fn root(&self) -> Option<Hash> {
        self.rows.last().and_then(|row| row.get(&0)).copied().map(Hash)
    }
}

fn parent(row: &BTreeMap<u64, Node>, width: u64, at: u64) -> Option<Node> {
    let left = row.get(&(at * 2))?;
    if at * 2 + 1 < width { Some(join(left, row.get(&(at * 2 + 1))?)) } else { Some(*left) }
}

/// A level's signature over the commits of one block it stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The place whose feed the block came from.
    pub sender: PlaceId,
    /// The epoch of that feed.
    pub epoch: Epoch,
    /// The feed position before the block.
    pub from: u64,
    /// The feed position at its end.
    pub to: u64,
    /// How many commits were stored.
    pub count: u64,
    /// The Merkle root over them.
    pub root: Hash,
    /// When, by the signer's clock, in milliseconds since 1970.
    pub at_ms: u64,
    /// The signer's certificate.
    pub level: CertHash,
    /// By the signer's key.
    pub signature: Signature,
}

/// Why a receipt or an opening proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReceiptError {
    /// The signing level is not known.
    #[error("the level that signed the receipt is not known")]
    UnknownLevel,
    /// The signature does not hold.
    #[error("the receipt's signature does not hold")]
    Forged,
    /// The commits named do not lead to the signed root.
    #[error("the receipt does not cover these commits")]
    OtherCommits,
}

impl Receipt {
    fn body(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.str("yishi/receipt/1").raw(&self.sender.0).raw(&self.epoch.0).uint(self.from).uint(self.to);
        w.uint(self.count).raw(&self.root.0).uint(self.at_ms).raw(&self.level.0);
        w.finish()
    }

    /// Signs it.
    #[must_use]
    pub fn signed_by(mut self, keys: &SecretKeys) -> Self {
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

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if r.str(32)? != "yishi/receipt/1" {
            return Err(DecodeError::Tag(0));
        }
        Ok(Self {
            sender: PlaceId(r.array()?),
            epoch: Epoch(r.array()?),
            from: r.uint()?,
            to: r.uint()?,
            count: r.uint()?,
            root: Hash(r.array()?),
            at_ms: r.uint()?,
            level: CertHash(r.array()?),
            signature: Signature(r.array()?),
        })
    }

    /// Reads what [`Receipt::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] for other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let receipt = Self::read(&mut r)?;
        r.end()?;
        Ok(receipt)
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`ReceiptError`] if the level is unknown or did not sign this. Returns the level's place.
    pub fn check(&self, directory: &Directory) -> Result<PlaceId, ReceiptError> {
        let cert = directory.get(&self.level).ok_or(ReceiptError::UnknownLevel)?;
        if !Bug::ReceiptUnchecked.planted() {
            verify(&cert.key, &self.body(), &self.signature).map_err(|_| ReceiptError::Forged)?;
        }
        Ok(cert.place)
    }

    /// Checks that the receipt covers exactly these commits.
    ///
    /// # Errors
    /// [`ReceiptError::OtherCommits`] if it does not.
    pub fn covers(&self, leaves: &[Node]) -> Result<(), ReceiptError> {
        if self.count == leaves.len() as u64 && self.root == root(leaves) {
            Ok(())
        } else {
            Err(ReceiptError::OtherCommits)
        }
    }
}

/// Where one of the reader's own commits stands under a receipt of a level above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Position among the receipt's leaves.
    pub position: u64,
    /// The end (`to`) of the reader's own block in which the commit left it.
    pub block: u64,
    /// Its ordinal among that block's commits.
    pub ordinal: u64,
}

/// A receipt opened for some of its commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The receipt of the level above.
    pub receipt: Receipt,
    /// The reader's commits, by position.
    pub standing: Vec<Standing>,
    /// The nodes beside the way to the root.
    pub proof: Vec<Node>,
}

impl Opening {
    /// Opens a receipt whose leaves are all known.
    #[must_use]
    pub fn new(receipt: Receipt, leaves: &[Node], standing: Vec<Standing>) -> Option<Self> {
        let proof = Partial::full(leaves).beside(leaves.len() as u64, standing.iter().map(|s| s.position))?;
        Some(Self { receipt, standing, proof })
    }

    /// Checks that the reader's commits, given as leaves in the order of `standing`, are under the root.
    ///
    /// # Errors
    /// [`ReceiptError`] if they are not, or the receipt itself does not hold. Returns the level's place.
    pub fn check(&self, directory: &Directory, own: &[Node]) -> Result<PlaceId, ReceiptError> {
        let tree = self.tree(own).ok_or(ReceiptError::OtherCommits)?;
        if tree.root() != Some(self.receipt.root) {
            return Err(ReceiptError::OtherCommits);
        }
        self.receipt.check(directory)
    }

    fn tree(&self, own: &[Node]) -> Option<Partial> {
        if own.len() != self.standing.len() || own.is_empty() {
            return None;
        }
        let leaves = self.standing.iter().map(|s| s.position).zip(own.iter().copied()).collect();
        Partial::rebuilt(self.receipt.count, &leaves, &self.proof)
    }

    /// Opens the same receipt for some of these commits only, for a place further down. `chosen` gives
    /// the positions and where they stand in the further place's own blocks.
    #[must_use]
    pub fn restricted(&self, own: &[Node], chosen: Vec<Standing>) -> Option<Self> {
        let tree = self.tree(own)?;
        let proof = tree.beside(self.receipt.count, chosen.iter().map(|s| s.position))?;
        Some(Self { receipt: self.receipt.clone(), standing: chosen, proof })
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.uint(1).bytes(&self.receipt.encode()).uint(self.standing.len() as u64);
        let mut last = Standing { position: 0, block: 0, ordinal: 0 };
        for s in &self.standing {
            // Differences of what was read may be larger than a signed number; both ends wrap alike.
            let step = |to: u64, from: u64| to.wrapping_sub(from) as i64;
            w.uint(s.position.wrapping_sub(last.position)).int(step(s.block, last.block));
            w.int(step(s.ordinal, last.ordinal));
            last = *s;
        }
        w.uint(self.proof.len() as u64);
        for node in &self.proof {
            w.raw(node);
        }
        w.finish()
    }

    /// Reads what [`Opening::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] for other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        match r.uint()? {
            1 => {}
            other => return Err(DecodeError::Version(other)),
        }
        let receipt = Receipt::decode(r.bytes(512)?)?;
        let n = r.count(BLOCK_BYTES_MAX)?;
        let mut standing: Vec<Standing> = Vec::with_capacity(n.min(4_096));
        let mut last = Standing { position: 0, block: 0, ordinal: 0 };
        for i in 0..n {
            let step = r.uint()?;
            if step == 0 && i > 0 {
                return Err(DecodeError::Unsorted);
            }
            let moved = |from: u64, by: i64| from.checked_add_signed(by).ok_or(DecodeError::Number);
            last = Standing {
                position: last.position.checked_add(step).ok_or(DecodeError::Number)?,
                block: moved(last.block, r.int()?)?,
                ordinal: moved(last.ordinal, r.int()?)?,
            };
            standing.push(last);
        }
        let n = r.count(BLOCK_BYTES_MAX)?;
        let proof = (0..n).map(|_| r.array()).collect::<Result<_, _>>()?;
        r.end()?;
        Ok(Self { receipt, standing, proof })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cert::Certificate;
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    fn leaves(n: u64) -> Vec<Node> {
        (0..n).map(|i| leaf(&DocId([i as u8; 32]), &ChangeHash([(i >> 8) as u8; 32]))).collect()
    }

    fn receipt(n: u64) -> (Receipt, Directory) {
        let keys = SecretKeys::generate(&mut StdRng::seed_from_u64(5));
        let cert = Certificate::root(&keys, PlaceId([1; 16]), "510113000000", "青白江区", "district");
        let level = cert.hash();
        let receipt = Receipt {
            sender: PlaceId([2; 16]),
            epoch: Epoch([3; 16]),
            from: 0,
            to: n,
            count: n,
            root: root(&leaves(n)),
            at_ms: 1,
            level,
            signature: Signature([0; 64]),
        };
        (receipt.signed_by(&keys), Directory::new(cert).unwrap())
    }

    proptest! {
        #[test]
        fn an_opening_proves_its_commits_and_no_others(n in 1u64..70, seed in any::<u64>(), narrow in any::<u64>()) {
            let (receipt, directory) = receipt(n);
            let all = leaves(n);
            let mine: Vec<u64> = (0..n).filter(|i| i == &(seed % n) || seed >> (i % 64) & 1 == 1).collect();
            let standing: Vec<Standing> =
                mine.iter().map(|p| Standing { position: *p, block: 900 - *p, ordinal: p * 3 }).collect();
            let own: Vec<Node> = mine.iter().map(|p| all[*p as usize]).collect();
            let opening = Opening::new(receipt, &all, standing.clone()).unwrap();
            prop_assert_eq!(Opening::decode(&opening.encode()), Ok(opening.clone()));
            prop_assert_eq!(opening.check(&directory, &own), Ok(PlaceId([1; 16])));
            let mut other = own.clone();
            other[0][0] ^= 1;
            prop_assert_eq!(opening.check(&directory, &other), Err(ReceiptError::OtherCommits));
            // And further down, for some of them.
            let fewer: Vec<usize> = (0..mine.len()).filter(|i| *i == 0 || narrow >> (i % 64) & 1 == 1).collect();
            let chosen = fewer.iter().map(|i| standing[*i]).collect();
            let down = opening.restricted(&own, chosen).unwrap();
            let theirs: Vec<Node> = fewer.iter().map(|i| own[*i]).collect();
            prop_assert_eq!(down.check(&directory, &theirs), Ok(PlaceId([1; 16])));
        }
    }

    #[test]
    fn a_forged_receipt_proves_nothing() {
        let (mut receipt, directory) = receipt(4);
        assert_eq!(receipt.covers(&leaves(4)), Ok(()));
        assert_eq!(receipt.covers(&leaves(3)), Err(ReceiptError::OtherCommits));
        receipt.to += 1;
        assert_eq!(receipt.check(&directory), Err(ReceiptError::Forged));
    }
}
