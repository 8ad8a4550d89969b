//! Databases put back from a backup, in mid-work: what others have of them comes back, nothing is written
//! twice under one number, and the link goes on by itself.

use serde_json::json;
use yishi_tests::sim::{DISTRICT, LUGAO, TOWN, World};

/// Raises a matter and shows it to the town and the district.
async fn matter(world: &mut World, body: &str) -> yishi_protocol::ids::DocId {
    let doc = world.nodes[LUGAO].raise(body).await;
    world.nodes[LUGAO].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;
    world.nodes[TOWN].act(&doc, json!({"act": "accept"})).await.unwrap();
    world.nodes[TOWN].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;
    doc
}

/// One place's database goes back to before a matter; what becomes of the matter, and of what follows.
async fn put_back(at: usize) {
    let mut world = World::begin().await;
    let before = matter(&mut world, "备份以前的事。").await;
    let backup = world.backup(at).await;
    let lost = matter(&mut world, "备份以后的事。").await;
    let written = world.nodes[LUGAO].acts(&lost).await.len();
    world.put_back(at, backup).await;
    assert!(!world.nodes[at].matters().await.contains(&lost), "the backup is older");
    world.settle().await;
    for node in [LUGAO, TOWN, DISTRICT] {
        let held = world.nodes[node].acts(&lost).await.len();
        assert_eq!(held, written, "{} of {}", world.nodes[node].name, lost);
    }
    // Work goes on at the place that was put back, on old and new matters.
    world.nodes[DISTRICT].act(&lost, json!({"act": "accept"})).await.unwrap();
    world.nodes[DISTRICT].act(&lost, json!({"act": "answer", "text": "列入计划"})).await.unwrap();
    world.settle().await;
    world.nodes[LUGAO].act(&lost, json!({"act": "tell", "how": "visit"})).await.unwrap();
    world.nodes[at].act(&before, json!({"act": "comment", "text": "恢复以后写的"})).await.unwrap();
    let after = matter(&mut world, "恢复以后的事。").await;
    assert_eq!(world.nodes[DISTRICT].acts(&after).await.len(), world.nodes[LUGAO].acts(&after).await.len());
    let report = world.audit().await;
    assert!(report.holds(), "troubles: {:#?}\nmissing: {:#?}", report.troubles, report.missing);
}

#[tokio::test]
async fn a_village_gets_back_what_it_had_said() {
    put_back(LUGAO).await;
}

#[tokio::test]
async fn a_town_gets_back_what_went_both_ways() {
    put_back(TOWN).await;
}

#[tokio::test]
async fn a_district_gets_back_what_came_up() {
    put_back(DISTRICT).await;
}
