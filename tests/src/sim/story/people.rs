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

/// The petitioner of a matter is forgotten while the town is away.
pub(super) async fn a_petitioner_is_forgotten(world: &mut World) -> Option<()> {
    let doc = with_petitioner(world).await?.to_string();
    rest(world).await?;
    world.cut(LUGAO, true);
    let actions = &world.nodes[LUGAO].actions;
    let number = actions.matter(&doc).await.ok()?.summary.number;
    actions.forget(&doc, &number, "本人要求").await.ok()?;
    world.cut(LUGAO, false);
    rest(world).await
}
