//! Databases put back from a backup: a new life, and what the old one had said (rules R6, R14).

use super::{act, look, raise, rest};
use crate::sim::{LUGAO, TOWN, World};
use serde_json::json;

/// Backup, work, restore, work: the node was started again since the backup, so that it sees at its start that its
/// database is an older one.
pub(super) async fn a_backup_is_put_back_and_work_goes_on(world: &mut World) -> Option<()> {
    let doc = raise(world, LUGAO, "涵洞积水。").await?;
    rest(world).await?;
    let backup = world.backup(LUGAO).await;
    world.crash(LUGAO).await;
    act(world, LUGAO, &doc, json!({"act": "comment", "text": "备份以后写的"})).await?;
    rest(world).await?;
    world.put_back_as(LUGAO, backup, false).await;
    act(world, LUGAO, &doc, json!({"act": "comment", "text": "恢复以后写的"})).await?;
    look(world).await?;
    rest(world).await
}

/// The nonce beside the database is put back too: only the neighbours can tell. When they meet, the village has
/// written at least as many rows as it lost.
pub(super) async fn a_backup_is_put_back_and_nobody_says_so(world: &mut World) -> Option<()> {
    raise(world, LUGAO, "备份以前的事。").await?;
    rest(world).await?;
    let backup = world.backup(LUGAO).await;
    raise(world, LUGAO, "备份以后的事。").await?;
    rest(world).await?;
    world.put_back(LUGAO, backup).await;
    raise(world, LUGAO, "恢复以后的事。").await?;
    raise(world, LUGAO, "恢复以后的另一件事。").await?;
    rest(world).await
}

/// The village escalates, the town accepts: sealed. Put back to before that, and not yet heard of it, the village
/// takes another step from the same point. Which of the two has the lower hash is a matter of luck: so it does
/// that in several matters.
pub(super) async fn two_steps_on_one(world: &mut World) -> Option<()> {
    let mut docs = Vec::new();
    for n in 0..6 {
        let doc = raise(world, LUGAO, &format!("第{n}件事。")).await?;
        act(world, LUGAO, &doc, json!({"act": "accept"})).await?;
        docs.push(doc);
    }
    rest(world).await?;
    let backup = world.backup(LUGAO).await;
    world.crash(LUGAO).await;
    for doc in &docs {
        act(world, LUGAO, doc, json!({"act": "escalate"})).await?;
    }
    rest(world).await?;
    for doc in &docs {
        act(world, TOWN, doc, json!({"act": "accept"})).await?;
    }
    world.put_back_as(LUGAO, backup, false).await;
    for doc in &docs {
        act(world, LUGAO, doc, json!({"act": "handle", "note": "自己修"})).await?;
    }
    rest(world).await
}
