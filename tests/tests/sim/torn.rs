//! A block carries one signature for many changes (rule R9). If the power goes while it is being stored,
//! either all of it is there with its signature or nothing is: at no moment does a node hold, forward or
//! count a change that nobody vouches for.

use serde_json::json;
use yishi_tests::sim::{DISTRICT, LUGAO, TOWN, World};

/// The power goes at the district after that many writes of the block.
async fn cut_after(writes: u64) -> bool {
    let mut world = World::begin().await;
    world.cut(TOWN, true);
    let doc = world.nodes[LUGAO].raise("涵洞积水。").await;
    for n in 0..6 {
        world.nodes[LUGAO]
            .act(&doc, json!({"act": "comment", "text": format!("第{n}次去看")}))
            .await
            .unwrap();
    }
    world.nodes[LUGAO].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;
    world.nodes[TOWN].act(&doc, json!({"act": "accept"})).await.unwrap();
    world.nodes[TOWN].act(&doc, json!({"act": "escalate"})).await.unwrap();
    let written = world.nodes[TOWN].acts(&doc).await.len();

    world.cut(TOWN, false);
    world.nodes[DISTRICT].disk.stop_after(writes);
    world.nodes[DISTRICT].failing = true;
    let line = world.lines.iter().position(|l| l.child == TOWN).unwrap();
    world.dial(line).await;
    for _ in 0..20 {
        world.pass(50, &mut || 20).await;
    }
    let mut torn = false;
    world
        .power_cut(DISTRICT, &mut |below| {
            torn = true;
            below / 2
        })
        .await;
    let there = world.nodes[DISTRICT].acts(&doc).await.len();
    assert!(there == 0 || there == written, "{there} of {written} changes after {writes} writes");
    world.settle().await;
    assert_eq!(world.nodes[DISTRICT].acts(&doc).await.len(), written);
    let report = world.audit().await;
    assert!(report.holds(), "troubles: {:#?}\nmissing: {:#?}", report.troubles, report.missing);
    torn
}

#[tokio::test]
async fn a_block_is_there_whole_with_its_signatures_or_not_at_all() {
    let mut torn = 0;
    for writes in [0, 1, 2, 4, 7, 11, 16, 25, 40, 60] {
        torn += usize::from(cut_after(writes).await);
    }
    assert!(torn > 2, "hardly any write was under way when the power went");
}
