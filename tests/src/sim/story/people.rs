//! Petitioners: a name given in confidence stays sealed, and so does the key to it.

use super::rest;
use crate::sim::{LUGAO, World};
use yishi_protocol::ids::DocId;

/// A matter is raised for a petitioner by name.
pub(super) async fn a_petitioner_is_sealed(world: &mut World) -> Option<()> {
    with_petitioner(world).await?;
    rest(world).await
}

/// Raises a matter with a petitioner's name, which is sealed.
pub(super) async fn with_petitioner(world: &mut World) -> Option<DocId> {
    let name = world.watch.sealed.fresh();
    let doc = world.nodes[LUGAO].try_raise("路灯不亮。", Some(&name)).await?;
    let acts = world.nodes[LUGAO].acts(&doc).await;
    world.watch.acknowledged(LUGAO, doc, acts);
    Some(doc)
}
