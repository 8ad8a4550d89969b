//! One actor never writes two changes under one number, whatever was restored or torn (rules R2, R14).

use super::census::Census;
use crate::sim::World;
use std::collections::BTreeMap;
use yishi_protocol::ids::{ActorId, ChangeHash, DocId};

pub(super) fn check(world: &World, census: &Census) -> Result<(), String> {
    let mut first: BTreeMap<(DocId, ActorId, u64), ChangeHash> = BTreeMap::new();
    for holding in &census.0 {
        for (doc, whole) in &holding.docs {
            for c in whole.commits.iter().map(|c| &c.commit).filter(|c| !world.copied.contains(&c.actor)) {
                let other = *first.entry((*doc, c.actor, c.seq)).or_insert(c.hash);
                if other != c.hash {
                    return Err(format!("two changes number {} of one author in {doc}", c.seq));
                }
            }
        }
    }
    Ok(())
}

/// Nothing goes back over the link it came from. After a comparison of histories, and to whoever sees a document since
/// places were moved, whole documents may: they are sent without asking what of them is already there.
pub(super) async fn echo(world: &World) -> Result<(), String> {
    for node in &world.nodes {
        for link in &node.store.world().links {
            let (head, _) = node.store.feed_head(link.id).await.unwrap();
            for fed in node.store.fed_commits(link.id, 0, head).await.unwrap() {
                if fed.origin.is_some_and(|o| o.link == link.id) {
                    return Err(format!("{} sends {} back where it came from", node.name, fed.hash));
                }
            }
        }
    }
    Ok(())
}
