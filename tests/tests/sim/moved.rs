//! A village that is moved to another town hears of that town's part before it has done its own: what it wrote
//! meanwhile goes up all the same.

use serde_json::json;
use std::collections::BTreeSet;
use yishi_node::actions::PlacingRequest;
use yishi_tests::sim::{DISTRICT, LUGAO, Shape, TOWN, World};

/// The second town.
const OTHER_TOWN: usize = 3;

#[tokio::test]
async fn what_a_moved_village_wrote_meanwhile_goes_up_though_its_new_town_showed_itself_the_matter_first() {
    let mut world = World::of(&Shape(vec![1, 1]), 1).await;
    let doc = world.nodes[LUGAO].raise("村口涵洞积水。").await;
    world.nodes[LUGAO].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;
    world.nodes[TOWN].act(&doc, json!({"act": "accept"})).await.unwrap();
    world.nodes[TOWN].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;

    // Without a line it writes on; above, it is moved, and the district shows the matter to the new town.
    world.cut(LUGAO, true);
    world.nodes[LUGAO].act(&doc, json!({"act": "comment", "text": "断网时写的"})).await.unwrap();
    let request = PlacingRequest {
        parent: Some(world.nodes[OTHER_TOWN].place.to_string()),
        address: Some("127.0.0.1:7435".into()),
        ..PlacingRequest::default()
    };
    world.nodes[DISTRICT].actions.place_at("芦稿村", request).await.unwrap();
    world.placed = true;
    world.settle().await;
    assert!(!world.nodes[OTHER_TOWN].acts(&doc).await.is_empty());

    // It hears of all this without a moment to fold.
    world.cut(LUGAO, false);
    for _ in 0..60 {
        if world.line_of(LUGAO).connections.is_empty() {
            world.dial(LUGAO - 1).await;
        }
        world.pass(50, &mut || 20).await;
    }
    assert_eq!(world.above(LUGAO), [OTHER_TOWN, DISTRICT]);
    world.settle().await;
    let wrote: BTreeSet<_> = world.nodes[LUGAO].acts(&doc).await.into_iter().collect();
    for at in [OTHER_TOWN, DISTRICT] {
        let there: BTreeSet<_> = world.nodes[at].acts(&doc).await.into_iter().collect();
        assert_eq!(there, wrote, "{}", world.nodes[at].name);
    }
    // Its new town has signed for it; until it had, nothing was said to be stored there. What its old town wrote is not
    // waited for.
    let commits = world.nodes[LUGAO].store.doc_commits(&doc).await.unwrap();
    let own: Vec<u32> = commits.iter().filter(|c| c.origin.is_none()).map(|c| c.stored_up).collect();
    assert!(own.len() > 3 && own.iter().all(|levels| *levels > 0), "{own:?}");
    let shown = world.nodes[LUGAO].store.stored_up(&[doc]).await.unwrap();
    assert!(shown.get(&doc).is_some_and(|levels| *levels > 0), "{shown:?}");
    // Its old town keeps what it has, and is told where the matter is followed now.
    let comment = json!({"act": "comment", "text": "原镇后写的"});
    let request = serde_json::from_value(comment).unwrap();
    let old = &world.nodes[TOWN].actions;
    let refused = old.act(Some("u1"), &doc.to_string(), request).await.unwrap_err();
    assert_eq!(refused.code(), "moved_away");
    assert!(refused.en().contains("kept") && !refused.zh().is_empty(), "{refused}");
    assert!(old.matter(&doc.to_string()).await.unwrap().next.is_empty());
    assert!(!world.nodes[OTHER_TOWN].actions.matter(&doc.to_string()).await.unwrap().next.is_empty());
}
