//! No act counts as a day before what two places had already said when it was written (rule R7).
//!
//! A second telling of the rule that is weaker and much plainer than the fold's: of the claims of counted
//! acts in an act's causal past the newest of each place are taken, and the second of them is the bound.

use super::census::Census;
use crate::sim::World;
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    fold::{self, FoldInput, Verdict},
    ids::{ChangeHash, PlaceId},
    kind::Kind,
};

pub(super) fn check(world: &World, census: &Census) -> Result<(), String> {
    // Whoever holds the same shows the same: that is another check.
    let mut seen = BTreeSet::new();
    for (at, holding) in census.0.iter().enumerate().filter(|(at, _)| !world.gone.contains(at)) {
        for (doc, _) in holding.docs.iter().filter(|(_, d)| d.header.kind == Kind::Proposal) {
            if seen.insert(*doc) {
                let told = |why| format!("{} dates {why} in {doc}", census.0[at].name);
                holding.with_input(doc, one).unwrap_or(Ok(())).map_err(told)?;
            }
        }
    }
    Ok(())
}

fn one(input: &FoldInput<'_>) -> Result<(), String> {
    let matter = fold::proposal::fold(input);
    let deps: BTreeMap<ChangeHash, &[ChangeHash]> =
        input.changes.iter().map(|c| (c.hash, c.change.deps.as_slice())).collect();
    let counted = || matter.timeline.iter().filter(|e| e.verdict == Verdict::Counted);
    let claims: BTreeMap<ChangeHash, (PlaceId, i64)> =
        counted().filter_map(|e| Some((e.hash, (e.place?, e.claimed.unwrap_or(e.on))))).collect();
    for entry in counted() {
        let mut newest: BTreeMap<PlaceId, i64> = BTreeMap::new();
        let mut past = BTreeSet::new();
        let mut open = deps.get(&entry.hash).map(|d| d.to_vec()).unwrap_or_default();
        while let Some(hash) = open.pop() {
            if !past.insert(hash) {
                continue;
            }
            open.extend(deps.get(&hash).into_iter().flat_map(|d| d.iter().copied()));
            if let Some((place, day)) = claims.get(&hash) {
                let known = newest.entry(*place).or_insert(*day);
                *known = (*known).max(*day);
            }
        }
        let mut days: Vec<i64> = newest.into_values().collect();
        days.sort_unstable();
        let bound = days.len().checked_sub(2).and_then(|second| days.get(second));
        if let Some(bound) = bound.filter(|bound| entry.on < **bound) {
            let (kind, on) = (&entry.kind, entry.on);
            return Err(format!("“{kind}” on day {on}, written when two places had said {bound}"));
        }
    }
    Ok(())
}
