//! Which changes a materialised document takes when a number was used twice.
//!
//! A machine that was copied may write two changes with one number of one actor. Both are kept as proof and
//! both reach the fold, but no Automerge document can hold both. So of the two the one with the lower hash
//! is the branch, and what stands on the other is left out of the document, and named.

use crate::{
    commit::Place,
    ids::{ActorId, ChangeHash},
};
use std::collections::{BTreeMap, BTreeSet};

/// The changes that are left out, of changes in an order in which dependencies come first.
pub fn left_out<'a>(
    changes: impl Iterator<Item = (&'a ChangeHash, Place, &'a [ChangeHash])> + Clone,
) -> BTreeSet<ChangeHash> {
    let mut out: BTreeSet<ChangeHash> = BTreeSet::new();
    // The lowest number first, so that the choice does not depend on the order of arrival.
    loop {
        let mut numbers: BTreeMap<(u64, ActorId), BTreeSet<ChangeHash>> = BTreeMap::new();
        for (hash, place, _) in changes.clone().filter(|(hash, ..)| !out.contains(*hash)) {
            numbers.entry((place.seq, place.actor)).or_default().insert(*hash);
        }
        let Some(twice) = numbers.into_values().find(|same| same.len() > 1) else { return out };
        out.extend(twice.into_iter().skip(1));
        for (hash, _, deps) in changes.clone() {
            if deps.iter().any(|dep| out.contains(dep)) {
                out.insert(*hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ActorId;

    #[test]
    fn the_lower_hash_is_the_branch_and_what_stands_on_the_other_is_left_out() {
        let hash = |n: u8| ChangeHash([n; 32]);
        let place = |actor: u8, seq| Place { actor: ActorId([actor; 16]), seq, max_op: 1 };
        let changes = [
            (hash(1), place(1, 1), vec![]),
            (hash(9), place(1, 2), vec![hash(1)]),
            (hash(3), place(1, 2), vec![hash(1)]),
            (hash(4), place(1, 3), vec![hash(9)]),
            (hash(5), place(1, 3), vec![hash(3)]),
            (hash(6), place(2, 1), vec![hash(4), hash(5)]),
            (hash(7), place(3, 1), vec![hash(5)]),
        ];
        // Of number three, too, there are two; one of them stands on what is left out.
        let out = left_out(changes.iter().map(|(h, p, d)| (h, *p, d.as_slice())));
        assert_eq!(out, [hash(9), hash(4), hash(6)].into());
    }
}
