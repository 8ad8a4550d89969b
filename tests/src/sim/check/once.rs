//! One actor never writes two changes under one number, whatever was restored or torn (rules R2, R14).

use super::census::Census;
use std::collections::BTreeMap;
use yishi_protocol::ids::{ActorId, ChangeHash, DocId};

pub(super) fn check(census: &Census) -> Result<(), String> {
    let mut first: BTreeMap<(DocId, ActorId, u64), ChangeHash> = BTreeMap::new();
    for holding in &census.0 {
        for (doc, whole) in &holding.docs {
            for c in whole.commits.iter().map(|c| &c.commit) {
                let other = *first.entry((*doc, c.actor, c.seq)).or_insert(c.hash);
                if other != c.hash {
                    return Err(format!("two changes number {} of one author in {doc}", c.seq));
                }
            }
        }
    }
    Ok(())
}
