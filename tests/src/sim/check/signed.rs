//! Every stored change is vouched for by its own author: its actor's key, certified up to the root, signed
//! it or a later change of the same actor that stands on it (promise 3, rule R9). Computed here from the
//! bytes, without the gate.

use super::census::{Census, Holding};
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    ids::{ActorId, ChangeHash, DocId},
    key::{commit_message, verify},
};

/// Signatures already found good: the same on every node.
type Good = BTreeSet<(DocId, ChangeHash)>;

pub(super) fn check(census: &Census) -> Result<(), String> {
    let mut good = Good::new();
    for holding in &census.0 {
        for doc in holding.docs.keys() {
            one(holding, doc, &mut good).map_err(|why| format!("{}: {doc}: {why}", holding.name))?;
        }
    }
    Ok(())
}

fn one(holding: &Holding, doc: &DocId, good: &mut Good) -> Result<(), String> {
    let Some(whole) = holding.docs.get(doc) else { return Ok(()) };
    let deps: BTreeMap<ChangeHash, (ActorId, Vec<ChangeHash>)> =
        holding.changes(doc).into_iter().map(|c| (c.hash, (c.change.actor, c.change.deps))).collect();
    let mut vouched: BTreeSet<ChangeHash> = BTreeSet::new();
    for commit in whole.commits.iter().map(|c| &c.commit) {
        let Some(cover) = commit.cover else { continue };
        let cert = holding.directory.get(&cover.cert).ok_or("signed under a certificate that is not here")?;
        let record = holding.records.get(&commit.actor).ok_or("by an actor that nobody speaks for")?;
        if cert.actor(record.incarnation) != commit.actor {
            return Err("signed by another key than its author's".into());
        }
        if !good.contains(&(*doc, commit.hash)) {
            let message = commit_message(&holding.directory.federation(), doc, &commit.hash, &cover.cert);
            verify(&cert.key, &message, &cover.signature).map_err(|_| "a signature does not hold")?;
            good.insert((*doc, commit.hash));
        }
        // Down along the author's own changes.
        let mut at = Some(commit.hash);
        while let Some(hash) = at {
            if !vouched.insert(hash) {
                break;
            }
            let own = |h: &&ChangeHash| deps.get(h).is_some_and(|(actor, _)| *actor == commit.actor);
            at = deps.get(&hash).and_then(|(_, deps)| deps.iter().find(own).copied());
        }
    }
    match deps.keys().find(|hash| !vouched.contains(hash)) {
        Some(hash) => Err(format!("nobody vouches for change {hash}")),
        None => Ok(()),
    }
}
