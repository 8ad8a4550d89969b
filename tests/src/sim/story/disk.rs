//! Disks: what was said yes to is durable (promise 2).

use super::{look, raise, rest};
use crate::sim::{LUGAO, TOWN, World};

/// The power goes right after somebody was told that a matter is saved; nothing is kept that was not made durable.
pub(super) async fn the_power_goes_after_a_yes(world: &mut World) -> Option<()> {
    // The database itself is old.
    world.crash(LUGAO).await;
    raise(world, LUGAO, "涵洞积水。").await?;
    world.power_cut(LUGAO, &mut |_| 0).await;
    world.watch.failure.is_none().then_some(())
}

/// The town's disk is full when the village's block comes.
pub(super) async fn a_full_disk_takes_nothing_in(world: &mut World) -> Option<()> {
    rest(world).await?;
    world.nodes[TOWN].disk.fill_up_after(Some(0));
    world.nodes[TOWN].failing = true;
    raise(world, LUGAO, "涵洞积水。").await?;
    for _ in 0..10 {
        world.pass(50, &mut || 20).await;
    }
    look(world).await
}
