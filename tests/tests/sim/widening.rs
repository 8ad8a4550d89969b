//! A matter is shown to the district while its village is offline, long after the district's place in
//! the town's feed has passed the matter's changes: rule R12's whole-document row.

use serde_json::json;
use yishi_tests::sim::{DISTRICT, LUGAO, TOWN, World, XINGHUA};

#[tokio::test]
async fn a_reader_whose_cursor_is_already_past_gets_the_whole_matter_while_its_origin_is_offline() {
    let mut world = World::begin().await;
    let old = world.nodes[LUGAO].raise("去年的老问题：涵洞积水。").await;
    world.nodes[LUGAO].act(&old, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;
    // Much of the other village's goes up to the district: its cursor moves far beyond the old matter.
    for _ in 0..5 {
        let newer = world.nodes[XINGHUA].raise("路灯坏了。").await;
        world.nodes[XINGHUA].act(&newer, json!({"act": "escalate"})).await.unwrap();
        world.settle().await;
        world.nodes[TOWN].act(&newer, json!({"act": "accept"})).await.unwrap();
        world.nodes[TOWN].act(&newer, json!({"act": "escalate"})).await.unwrap();
    }
    world.settle().await;
    assert_eq!(world.nodes[DISTRICT].matters().await.len(), 5);
    assert!(world.nodes[DISTRICT].acts(&old).await.is_empty(), "not yet for the district");
    let up = world.nodes[DISTRICT].store.world().link_to(&world.nodes[TOWN].place).unwrap().id;
    let past = world.nodes[DISTRICT].store.link_state(up).await.unwrap().in_seq;
    assert!(past > 10, "{past}");

    // The village goes offline, and writes on; the town, who has it, escalates.
    world.cut(LUGAO, true);
    world.nodes[LUGAO].act(&old, json!({"act": "comment", "text": "断线时写的"})).await.unwrap();
    world.nodes[TOWN].act(&old, json!({"act": "accept"})).await.unwrap();
    world.nodes[TOWN].act(&old, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;
    assert_eq!(world.nodes[DISTRICT].acts(&old).await.len(), world.nodes[TOWN].acts(&old).await.len());
    let seen = world.nodes[DISTRICT].actions.matter(&old.to_string()).await.unwrap();
    assert_eq!(seen.summary.stage, "escalated");
    assert!(seen.body.contains("老问题"), "the village's own words, signed before anybody widened");
    world.nodes[DISTRICT].act(&old, json!({"act": "accept"})).await.unwrap();
    world.nodes[DISTRICT].act(&old, json!({"act": "answer", "text": "列入计划"})).await.unwrap();

    // The village comes back: what it wrote meanwhile reaches the district, the reply reaches it.
    world.cut(LUGAO, false);
    world.settle().await;
    let (here, there) = (world.nodes[LUGAO].acts(&old).await, world.nodes[DISTRICT].acts(&old).await);
    assert_eq!(here.len(), there.len());
    let back = world.nodes[LUGAO].actions.matter(&old.to_string()).await.unwrap();
    assert_eq!((back.summary.stage.as_str(), back.answers.len()), ("answered", 1));
    // And the town, whose restart lies between, still serves the same feed.
    world.crash(TOWN).await;
    world.nodes[LUGAO].act(&old, json!({"act": "tell", "how": "visit"})).await.unwrap();
    world.settle().await;
    let report = world.audit().await;
    assert!(report.holds(), "troubles: {:#?}\nmissing: {:#?}", report.troubles, report.missing);
}
