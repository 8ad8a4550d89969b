//! "Stored there" is said of nothing that is not there (promise 6), and said of everything once all is
//! calm (rule R15).

use super::census::{Census, receives};
use crate::sim::World;
use std::collections::BTreeSet;
use yishi_node::store::StoredCommit;
use yishi_protocol::ids::{ChangeHash, DocId};

fn held(census: &Census, at: usize) -> BTreeSet<(DocId, ChangeHash)> {
    let docs = census.0[at].docs.iter();
    docs.flat_map(|(doc, whole)| whole.commits.iter().map(|c| (*doc, c.commit.hash))).collect()
}

pub(super) fn check(world: &World, census: &Census) -> Result<(), String> {
    let held: Vec<_> = (0..census.0.len()).map(|at| held(census, at)).collect();
    for (at, holding) in census.0.iter().enumerate() {
        let above = world.above(at);
        for (doc, whole) in &holding.docs {
            for commit in &whole.commits {
                for level in above.iter().take(commit.stored_up as usize) {
                    // What a backup took back comes again; until then its receipts speak of the old life.
                    if !world.put_back.contains(level) && !held[*level].contains(&(*doc, commit.commit.hash))
                    {
                        let there = &census.0[*level].name;
                        return Err(format!(
                            "{} says {there} has a change of {doc}, which it has not",
                            holding.name
                        ));
                    }
                }
            }
        }
    }
    Ok(())
}

/// Everything a place wrote and its parent may see bears the parent's receipt.
pub(super) fn receipts(world: &World, census: &Census) -> Result<(), String> {
    for (at, holding) in census.0.iter().enumerate().filter(|(at, _)| !world.gone.contains(at)) {
        let Some(parent) = world.above(at).first().copied() else { continue };
        let me = world.nodes[at].store.world().me.actor;
        for (doc, whole) in &holding.docs {
            let shown = receives(&census.audience(doc), &whole.header.home, &census.0[parent]);
            if !shown || world.gone.contains(&parent) {
                continue;
            }
            let unsigned = |c: &StoredCommit| c.commit.actor == me && c.origin.is_none() && c.stored_up == 0;
            if whole.commits.iter().any(unsigned) {
                return Err(format!("{} has no receipt for a change of its own in {doc}", holding.name));
            }
        }
    }
    Ok(())
}
