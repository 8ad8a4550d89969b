//! Where the word to forget a petitioner is stored, no key to the dossier is; and once all is calm that word is
//! with everybody who has the dossier.

use super::census::Census;
use crate::sim::World;
use std::collections::BTreeSet;
use yishi_protocol::{beside::What, ids::DocId};

pub(super) fn check(world: &World, census: &Census) -> Result<(), String> {
    let present = || census.0.iter().enumerate().filter(|(at, _)| !world.gone.contains(at)).map(|(_, h)| h);
    let mut forgotten: BTreeSet<DocId> = BTreeSet::new();
    for (doc, whole) in present().flat_map(|h| &h.docs) {
        if whole.wraps.iter().any(|r| matches!(r.what, What::Forget { .. })) {
            forgotten.insert(*doc);
        }
    }
    for holding in present() {
        for (doc, whole) in holding.docs.iter().filter(|(doc, _)| forgotten.contains(*doc)) {
            let name = &holding.name;
            if whole.wraps.iter().any(|r| matches!(r.what, What::Wrap { .. })) {
                return Err(format!("{name} keeps a key to {doc}, which is to be forgotten"));
            }
            if !whole.wraps.iter().any(|r| matches!(r.what, What::Forget { .. })) {
                return Err(format!("{name} was not told to forget {doc}"));
            }
        }
    }
    Ok(())
}
