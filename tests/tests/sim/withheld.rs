//! A town that signs for a village's matter and does not pass it on: the village is never told that the
//! district has it, and after three days its link page says whose signature is missing.

use serde_json::json;
use yishi_tests::sim::{DISTRICT, LUGAO, TOWN, World};

const DAY_MS: u64 = 24 * 3_600 * 1_000;

#[tokio::test]
async fn the_village_notices_what_the_town_holds_back() {
    let mut world = World::begin().await;
    let doc = world.nodes[LUGAO].raise("涵洞积水，镇里说不归他们管。").await;
    world.nodes[LUGAO].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;
    world.nodes[TOWN].act(&doc, json!({"act": "accept"})).await.unwrap();
    world.nodes[TOWN].act(&doc, json!({"act": "escalate"})).await.unwrap();
    // From here on the town talks to the village only.
    world.cut(TOWN, true);
    world.nodes[LUGAO].act(&doc, json!({"act": "comment", "text": "又淹了一次"})).await.unwrap();
    world.settle().await;
    let seen = world.nodes[LUGAO].actions.matter(&doc.to_string()).await.unwrap();
    let said: Vec<(&str, &str)> =
        seen.summary.stored.up.iter().map(|l| (l.place.name.as_str(), l.state)).collect();
    assert_eq!(said, [("姚渡镇", "stored"), ("青白江区", "waiting")]);
    let up = world.nodes[LUGAO].actions.links().await.unwrap().up.unwrap();
    assert_eq!(up.held_back, None, "a line may be away for a while");

    world.now += 4 * DAY_MS;
    world.settle().await;
    let up = world.nodes[LUGAO].actions.links().await.unwrap().up.unwrap();
    let held = up.held_back.unwrap();
    assert_eq!((held.place.name.as_str(), held.documents), ("青白江区", 1));

    // It was only the line: everything goes on, and nothing is held back any more.
    world.cut(TOWN, false);
    world.settle().await;
    let up = world.nodes[LUGAO].actions.links().await.unwrap().up.unwrap();
    assert_eq!(up.held_back, None);
    assert_eq!(world.nodes[DISTRICT].acts(&doc).await.len(), world.nodes[LUGAO].acts(&doc).await.len());
}
