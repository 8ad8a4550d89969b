//! Every stored widening is by a place that sees the document, to a place above it or below it, under its own
//! signature (rule R11). Computed here from the bytes, without the gate.

use super::census::{Census, Holding, audience_of};
use std::collections::BTreeSet;
use yishi_node::store::WholeDocument;
use yishi_protocol::{
    audience::{Grant, Reach},
    codec::Writer,
    ids::Hash,
    key::verify,
};

pub(super) fn check(census: &Census) -> Result<(), String> {
    let mut good: BTreeSet<Hash> = BTreeSet::new();
    for holding in &census.0 {
        for (doc, whole) in &holding.docs {
            for grant in &whole.grants {
                if good.insert(grant.hash()) {
                    let told = |why| format!("{} holds a widening of {doc} {why}", holding.name);
                    one(holding, whole, grant).map_err(told)?;
                }
            }
        }
    }
    Ok(())
}

fn one(holding: &Holding, whole: &WholeDocument, grant: &Grant) -> Result<(), &'static str> {
    let directory = &holding.directory;
    let by = directory.get(&grant.granter).ok_or("by somebody unknown")?;
    let target = grant.reach.place();
    let below = target == by.place || directory.ever_above(&target).contains(&by.place);
    let above = matches!(grant.reach, Reach::Place(_)) && directory.ever_above(&by.place).contains(&target);
    if !below && !above {
        return Err("by a place that is neither above nor below whom it shows it to");
    }
    let mut without = audience_of(whole);
    if !whole.header.reach.contains(&grant.reach) {
        without.0.remove(&grant.reach);
    }
    if !without.includes(directory, &by.place) {
        return Err("by a place that does not see it");
    }
    let bytes = grant.encode();
    let signed = bytes.get(..bytes.len().saturating_sub(64)).unwrap_or_default();
    let mut message = Writer::new();
    message.str("yishi/grant/1").raw(&directory.federation().0).raw(&grant.doc.0).raw(signed);
    verify(&by.key, &message.finish(), &grant.signature).map_err(|_| "that nobody signed")
}
