//! The causal order of a document's changes: one canonical topological order, and who knew what.
//!
//! Changes are numbered in topological order, ties by hash, so a number never depends on the order of
//! arrival. [`Past`] answers "did the author of this know of that" with one bit per pair.

use super::{Author, FoldChange, FoldInput};
use crate::{
    change::Change,
    ids::{ActRef, ChangeHash},
};
use std::{cmp::Reverse, collections::BinaryHeap};

/// One change at its place in the order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) hash: &'a ChangeHash,
    pub(super) change: &'a Change,
    pub(super) author: Option<&'a Author>,
}

impl Node<'_> {
    /// The name of the act this change holds.
    pub(super) fn act(&self) -> ActRef {
        ActRef { actor: self.change.actor, seq: self.change.seq }
    }
}

/// All changes whose causal past is complete, in canonical order.
#[derive(Debug)]
pub(super) struct History<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    deps: Vec<usize>,
    ends: Vec<usize>,
    /// Changes that stand on something that is not here; they wait.
    pub(super) stranded: Vec<&'a FoldChange>,
}

const NO_EDGE: u32 = u32::MAX;

/// The order of hashes by their bytes, as two numbers, so that comparing them calls nothing.
fn order(hash: &ChangeHash) -> (u128, u128) {
    let mut halves = hash.0.as_chunks::<16>().0.iter().map(|half| u128::from_be_bytes(*half));
    (halves.next().unwrap_or(0), halves.next().unwrap_or(0))
}

impl<'a> History<'a> {
    pub(super) fn of(input: &FoldInput<'a>) -> Self {
        let mut by_hash: Vec<&'a FoldChange> = input.changes.iter().collect();
        by_hash.sort_unstable_by_key(|c| order(&c.hash));
        by_hash.dedup_by(|a, b| a.hash == b.hash);
        let rank = |hash: &ChangeHash| {
            let key = order(hash);
            by_hash.binary_search_by(|c| order(&c.hash).cmp(&key)).ok()
        };

        // Edges from each change to those that name it, as linked lists in one vector.
        let mut first_edge = vec![NO_EDGE; by_hash.len()];
        let mut edges: Vec<(u32, u32)> = Vec::with_capacity(by_hash.len() + 8);
        let mut missing: Vec<u32> = Vec::with_capacity(by_hash.len());
        // The ranks of every change's dependencies, one after another, and where each change's end.
        let mut above: Vec<usize> = Vec::with_capacity(by_hash.len() + 8);
        let mut above_ends: Vec<usize> = Vec::with_capacity(by_hash.len());
        let mut ready = BinaryHeap::new();
        for (r, change) in (0u32..).zip(&by_hash) {
            let mut unmet = 0;
            for dep in &change.change.deps {
                unmet += 1;
                // A dependency that is not here is never met, and its change stays behind.
                let Some(d) = rank(dep) else { continue };
                let Some(edge) = first_edge.get_mut(d) else { continue };
                above.push(d);
                let n = u32::try_from(edges.len()).unwrap_or(NO_EDGE);
                edges.push((r, std::mem::replace(edge, n)));
            }
            above_ends.push(above.len());
            missing.push(unmet);
            if unmet == 0 {
                ready.push(Reverse(r));
            }
        }

        let mut history = Self {
            nodes: Vec::with_capacity(by_hash.len()),
            deps: Vec::with_capacity(edges.len()),
            ends: Vec::with_capacity(by_hash.len()),
            stranded: Vec::new(),
        };
        let mut position = vec![usize::MAX; by_hash.len()];
        while let Some(Reverse(r)) = ready.pop() {
            let r = r as usize;
            let Some(change) = by_hash.get(r).copied() else { continue };
            if let Some(p) = position.get_mut(r) {
                *p = history.nodes.len();
            }
            let from = r.checked_sub(1).and_then(|p| above_ends.get(p)).copied().unwrap_or(0);
            let to = above_ends.get(r).copied().unwrap_or(from);
            let deps = above.get(from..to).unwrap_or(&[]);
            history.deps.extend(deps.iter().filter_map(|d| position.get(*d).copied()));
            history.ends.push(history.deps.len());
            history.nodes.push(Node {
                hash: &change.hash,
                change: &change.change,
                author: input.authors.get(&change.change.actor),
            });
            let mut edge = first_edge.get(r).copied().unwrap_or(NO_EDGE);
            while let Some(&(to, next)) = edges.get(edge as usize) {
                if let Some(unmet) = missing.get_mut(to as usize) {
                    *unmet -= 1;
                    if *unmet == 0 {
                        ready.push(Reverse(to));
                    }
                }
                edge = next;
            }
        }
        history.stranded =
            by_hash.iter().zip(&position).filter(|(_, p)| **p == usize::MAX).map(|(c, _)| *c).collect();
        history
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The direct dependencies of a change.
    pub(super) fn deps(&self, t: usize) -> &[usize] {
        let start = t.checked_sub(1).and_then(|p| self.ends.get(p)).copied().unwrap_or(0);
        let end = self.ends.get(t).copied().unwrap_or(start);
        self.deps.get(start..end).unwrap_or(&[])
    }
}

/// A set of changes, one bit each.
pub(super) type Row = [u64];

/// Whether a set holds a change.
pub(super) fn holds(row: &Row, t: usize) -> bool {
    row.get(t / 64).is_some_and(|w| w >> (t % 64) & 1 == 1)
}

/// Adds a change to a set that has room for it.
pub(super) fn put(row: &mut Row, t: usize) {
    if let Some(w) = row.get_mut(t / 64) {
        *w |= 1 << (t % 64);
    }
}

/// Whether two sets share a change.
pub(super) fn meet(a: &Row, b: &Row) -> bool {
    a.iter().zip(b).any(|(a, b)| a & b != 0)
}

/// How many changes two sets share.
pub(super) fn shared(a: &Row, b: &Row) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a & b).count_ones()).sum()
}

/// The causal past of every change.
#[derive(Debug)]
pub(super) struct Past {
    words: usize,
    bits: Vec<u64>,
}

impl Past {
    pub(super) fn of(history: &History<'_>) -> Self {
        let words = history.len().div_ceil(64).max(1);
        let mut bits = vec![0u64; words * history.len()];
        for t in 0..history.len() {
            let (done, rest) = bits.split_at_mut(t * words);
            let Some(row) = rest.get_mut(..words) else { break };
            for &d in history.deps(t) {
                for (to, from) in row.iter_mut().zip(done.get(d * words..).unwrap_or(&[])) {
                    *to |= from;
                }
                put(row, d);
            }
        }
        Self { words, bits }
    }

    /// What the author of a change knew: all its ancestors, not itself.
    pub(super) fn row(&self, t: usize) -> &Row {
        self.bits.get(t * self.words..(t + 1) * self.words).unwrap_or(&[])
    }

    /// The empty set, with room for every change.
    pub(super) fn none(&self) -> Vec<u64> {
        vec![0; self.words]
    }

    /// The set of all changes.
    pub(super) fn all(&self) -> Vec<u64> {
        vec![u64::MAX; self.words]
    }
}

/// For every change, whether its author's key still vouched for it: always, unless the key is revoked,
/// and then only for the named changes and their ancestors.
pub(super) fn vouched(history: &History<'_>, past: &Past, t: usize) -> bool {
    let Some(node) = history.nodes.get(t) else { return false };
    let Some(cut) = node.author.and_then(|a| a.cut.as_ref()) else { return true };
    cut.contains(node.hash)
        || (t..)
            .zip(history.nodes.iter().skip(t))
            .any(|(later, n)| holds(past.row(later), t) && cut.contains(n.hash))
}
