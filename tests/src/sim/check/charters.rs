//! Of two snapshots of a charter that follow on the same one neither is in force, nor what follows on them, until the
//! parent has spoken (rule R4).

use super::census::Census;
use crate::sim::World;
use yishi_protocol::{
    act::{Act, Charter},
    change::Body,
    fold::{self, FoldInput},
    ids::Hash,
    kind::Kind,
};

pub(super) fn check(world: &World, census: &Census) -> Result<(), String> {
    for (_, holding) in census.0.iter().enumerate().filter(|(at, _)| !world.gone.contains(at)) {
        for (doc, _) in holding.docs.iter().filter(|(_, d)| d.header.kind == Kind::Charter) {
            let told = |why| format!("{} has {why} in force in {doc}", holding.name);
            holding.with_input(doc, one).unwrap_or(Ok(())).map_err(told)?;
        }
    }
    Ok(())
}

fn one(input: &FoldInput<'_>) -> Result<(), &'static str> {
    // What each snapshot by the home follows on.
    let mut follows: Vec<Option<Hash>> = Vec::new();
    for c in input.changes {
        let home = input.authors.get(&c.change.actor).is_some_and(|a| a.place == input.header.home);
        if let Body::Act { value, .. } = &c.change.body
            && home
            && let Ok(Act { what: Charter::Snapshot { previous, .. }, .. }) = Act::from_map(value.clone())
        {
            follows.push(previous);
        }
    }
    let charter = fold::charter::fold(input);
    let twice = |s: &&fold::charter::Snapshot| follows.iter().filter(|p| **p == s.previous).count() > 1;
    match charter.chain.iter().find(twice) {
        Some(_) => Err("one of two snapshots"),
        None => Ok(()),
    }
}
