//! Finding out which documents differ when a feed's history does not fit: after a restore, on new
//! hardware, under a new parent.
//!
//! Both sides hold the set of (document, heads) the link may see. Document ids are hashes, so their
//! leading bits cut the set into even buckets. One probe carries a fingerprint per bucket, the answer
//! finer fingerprints of those that differ, then the documents in what still differs are listed by
//! eight bytes each. Two round trips, and no id is named outside the audience of the link.

use crate::{
    ids::{ChangeHash, DocId, hash},
    limits::RECONCILE_ITEMS_MAX,
    wire::Reconcile,
};
use std::collections::{BTreeMap, BTreeSet};

/// The state of one document in eight bytes: its id and its heads.
pub type Print = [u8; 8];

/// Documents of one bucket that a probe aims at.
const BUCKET_DOCUMENTS: usize = 32;
/// By how many bits an answer is finer than the probe.
const SPLIT_BITS: u8 = 3;

/// The print of one document.
#[must_use]
pub fn print<'a>(doc: &DocId, heads: impl IntoIterator<Item = &'a ChangeHash>) -> Print {
    let mut parts: Vec<&[u8]> = vec![&doc.0];
    parts.extend(heads.into_iter().map(|h| h.0.as_slice()));
    eight(&hash("yishi/heads/1", &parts))
}

fn eight(bytes: &[u8]) -> Print {
    let mut out = [0; 8];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

/// The visible set of one link.
#[derive(Debug, Clone, Default)]
pub struct Visible(pub BTreeMap<DocId, Print>);

impl Visible {
    /// How many leading bits make buckets of some [`BUCKET_DOCUMENTS`] documents.
    fn bits(&self) -> u8 {
        let buckets = self.0.len().div_ceil(BUCKET_DOCUMENTS).next_power_of_two().max(1);
        (buckets.trailing_zeros() as u8).min(16)
    }

    fn bucket(doc: &DocId, bits: u8) -> u32 {
        let mut head = [0u8; 4];
        for (to, from) in head.iter_mut().zip(doc.0) {
            *to = from;
        }
        if bits == 0 { 0 } else { u32::from_be_bytes(head) >> (32 - u32::from(bits)) }
    }

    /// Fingerprint of every bucket that is not empty.
    fn prints(&self, bits: u8) -> BTreeMap<u32, Print> {
        let mut sums: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
        for (doc, print) in &self.0 {
            let (sum, count) = sums.entry(Self::bucket(doc, bits)).or_default();
            *sum = sum.wrapping_add(u64::from_be_bytes(*print));
            *count += 1;
        }
        let finish = |(sum, count): (u64, u64)| {
            eight(&hash("yishi/bucket/1", &[&sum.to_be_bytes(), &count.to_be_bytes()]))
        };
        sums.into_iter().map(|(bucket, sums)| (bucket, finish(sums))).collect()
    }

    fn in_buckets(&self, bits: u8, wanted: &BTreeSet<u32>) -> Vec<(DocId, Print)> {
        self.0
            .iter()
            .filter(|(doc, _)| wanted.contains(&Self::bucket(doc, bits)))
            .map(|(d, p)| (*d, *p))
            .collect()
    }

    /// The first message of the side whose feed does not fit.
    #[must_use]
    pub fn probe(&self) -> Reconcile {
        let bits = self.bits();
        let prints = self.prints(bits);
        let all = 0..1u32 << bits;
        Reconcile::Probe { bits, prints: all.map(|b| prints.get(&b).copied().unwrap_or_default()).collect() }
    }

    /// The other side's answer to a probe: its finer prints of the buckets that differ.
    #[must_use]
    pub fn split(&self, bits: u8, theirs: &[Print]) -> Option<Reconcile> {
        if bits > 16 || theirs.len() != 1 << bits {
            return None;
        }
        let mine = self.prints(bits);
        let differ: BTreeSet<u32> = (0u32..)
            .zip(theirs)
            .filter(|(bucket, print)| mine.get(bucket).copied().unwrap_or_default() != **print)
            .map(|(bucket, _)| bucket)
            .collect();
        let finer = bits + SPLIT_BITS;
        let prints = self.prints(finer);
        let prints = differ
            .iter()
            .flat_map(|b| (b << SPLIT_BITS)..((b + 1) << SPLIT_BITS))
            .map(|b| (b, prints.get(&b).copied().unwrap_or_default()))
            .take(RECONCILE_ITEMS_MAX)
            .collect();
        Some(Reconcile::Split { bits: finer, prints })
    }

    /// The first side's documents in the buckets that still differ.
    #[must_use]
    pub fn items(&self, bits: u8, theirs: &[(u32, Print)]) -> Vec<(DocId, Print)> {
        let mine = self.prints(bits);
        let differ = theirs
            .iter()
            .filter(|(bucket, print)| mine.get(bucket).copied().unwrap_or_default() != *print)
            .map(|(bucket, _)| *bucket)
            .collect();
        let mut items = self.in_buckets(bits, &differ);
        items.truncate(RECONCILE_ITEMS_MAX);
        items
    }

    /// Which of the other side's items are missing here or in another state.
    #[must_use]
    pub fn differ(&self, items: &[(Print, Print)]) -> Vec<u32> {
        let mut mine: BTreeMap<Print, BTreeSet<Print>> = BTreeMap::new();
        for (doc, print) in &self.0 {
            mine.entry(eight(&doc.0)).or_default().insert(*print);
        }
        (0u32..)
            .zip(items)
            .filter(|(_, (doc, print))| !mine.get(doc).is_some_and(|prints| prints.contains(print)))
            .map(|(i, _)| i)
            .collect()
    }
}

/// The items as they travel.
#[must_use]
pub fn shortened(items: &[(DocId, Print)]) -> Vec<(Print, Print)> {
    items.iter().map(|(doc, print)| (eight(&doc.0), *print)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(n: u32, changed: &[u32], missing: &[u32]) -> Visible {
        let docs = (0..n).filter(|i| !missing.contains(i)).map(|i| {
            let doc = DocId(hash("test", &[&i.to_be_bytes()]));
            let head = ChangeHash([u8::from(changed.contains(&i)); 32]);
            (doc, print(&doc, [&head]))
        });
        Visible(docs.collect())
    }

    /// Runs the exchange; returns what the first side must send and how many bytes travelled.
    fn exchange(first: &Visible, second: &Visible) -> (Vec<DocId>, usize) {
        let bytes = |r: &Reconcile| crate::wire::Frame::Reconcile(r.clone()).encode().len();
        let probe = first.probe();
        let Reconcile::Probe { bits, prints } = &probe else { unreachable!() };
        let split = second.split(*bits, prints).unwrap();
        let Reconcile::Split { bits, prints } = &split else { unreachable!() };
        let items = first.items(*bits, prints);
        let listed = Reconcile::Items { items: shortened(&items) };
        let wanted = second.differ(&shortened(&items));
        let answer = Reconcile::Differ { wanted: wanted.clone() };
        let total = [&probe, &split, &listed, &answer].into_iter().map(bytes).sum();
        (wanted.iter().map(|i| items[*i as usize].0).collect(), total)
    }

    #[test]
    fn exactly_what_differs_is_found_in_a_few_kilobytes() {
        let changed: Vec<u32> = (0..50).map(|i| i * 190).collect();
        let missing: Vec<u32> = (0..50).map(|i| i * 190 + 7).collect();
        let first = set(10_000, &[], &[]);
        let second = set(10_000, &changed, &missing);
        let (found, bytes) = exchange(&first, &second);
        let expected: BTreeSet<DocId> =
            first.0.keys().filter(|d| second.0.get(d) != first.0.get(d)).copied().collect();
        assert_eq!(found.iter().copied().collect::<BTreeSet<_>>(), expected);
        assert!(bytes < 60_000, "{bytes} bytes");
        assert!(exchange(&first, &first).0.is_empty());
        assert_eq!(exchange(&first, &Visible::default()).0.len(), 10_000);
        assert!(exchange(&Visible::default(), &first).0.is_empty());
    }
}
