//! Lines: what travels, in which order, how much at a time, and to whom (rules R11 to R13, R15).

use super::{act, look, raise, rest};
use crate::sim::{LUGAO, TOWN, World, XINGHUA, line::Garble};
use serde_json::json;

const QUICK_MS: u64 = 20;
/// Longer than any story: what is under way does not arrive.
const NEVER_MS: u64 = 3_600_000;

/// An ordinary day: two villages raise matters and add to them, and only their town hears of them.
pub(super) async fn a_village_works_and_its_town_hears_of_it(world: &mut World) -> Option<()> {
    for (at, body) in [(LUGAO, "涵洞积水。"), (XINGHUA, "路灯不亮。"), (LUGAO, "垃圾没人收。")]
    {
        let doc = raise(world, at, body).await?;
        for text in ["去看过", "还没修", "又去看过"] {
            act(world, at, &doc, json!({"act": "comment", "text": text})).await?;
        }
    }
    rest(world).await?;
    look(world).await
}

/// A frame is lost in the midst of an open connection, and the next one arrives.
pub(super) async fn a_frame_is_swallowed(world: &mut World) -> Option<()> {
    rest(world).await?;
    let line = world.lines.iter().position(|l| l.child == LUGAO)?;
    world.garble(line, 0, Garble::Swallow);
    raise(world, LUGAO, "没有送到的事。").await?;
    world.pass(50, &mut || QUICK_MS).await;
    raise(world, LUGAO, "接着送到的事。").await?;
    rest(world).await
}

/// A matter that lay at the town for long is escalated while its village is away.
pub(super) async fn an_old_matter_is_shown_to_one_more(world: &mut World) -> Option<()> {
    let old = raise(world, LUGAO, "去年的老问题。").await?;
    act(world, LUGAO, &old, json!({"act": "escalate"})).await?;
    rest(world).await?;
    world.cut(LUGAO, true);
    act(world, TOWN, &old, json!({"act": "accept"})).await?;
    act(world, TOWN, &old, json!({"act": "escalate"})).await?;
    rest(world).await
}

/// The village goes on writing while nothing of what it sent is answered.
pub(super) async fn the_reader_is_slow(world: &mut World) -> Option<()> {
    rest(world).await?;
    for n in 0..12 {
        raise(world, LUGAO, &format!("第{n}件事。")).await?;
        world.pass(50, &mut || NEVER_MS).await;
    }
    world.watch.failure.is_none().then_some(())
}

/// A block has left and not arrived when somebody looks at what is said to be stored above.
pub(super) async fn a_block_is_long_under_way(world: &mut World) -> Option<()> {
    rest(world).await?;
    raise(world, LUGAO, "涵洞积水。").await?;
    for _ in 0..3 {
        world.pass(50, &mut || NEVER_MS).await;
    }
    look(world).await
}
