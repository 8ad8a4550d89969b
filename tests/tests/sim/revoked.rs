//! A stolen key, revoked early on one node and late on another, with honest work built on what the thief
//! wrote: in the end all agree on what counts, and what was not counted can be admitted.

use serde_json::json;
use yishi_node::actions::{AdmitRequest, RevokeRequest};
use yishi_protocol::ids::DocId;
use yishi_tests::sim::{DISTRICT, LUGAO, TOWN, World};

async fn comments(world: &World, at: usize, doc: &DocId) -> usize {
    let matter = world.nodes[at].actions.matter(&doc.to_string()).await.unwrap();
    matter.timeline.iter().filter(|t| t.kind == "comment" && t.verdict == "counted").count()
}

#[tokio::test]
async fn early_revocation_here_and_late_there_end_in_one_state_everywhere() {
    let mut world = World::begin().await;
    let doc = world.nodes[LUGAO].raise("村口涵洞积水。").await;
    world.nodes[LUGAO].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;
    world.nodes[TOWN].act(&doc, json!({"act": "accept"})).await.unwrap();
    world.nodes[TOWN].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;

    // Ten minutes later the village's key is stolen. The thief writes; town and district build on it.
    world.pass(600_000, &mut || 1).await;
    let theft = world.now;
    world.pass(1_000, &mut || 1).await;
    world.nodes[LUGAO].act(&doc, json!({"act": "comment", "text": "贼写的"})).await.unwrap();
    let other = world.nodes[LUGAO].raise("贼编的事。").await;
    world.settle().await;
    world.nodes[DISTRICT].act(&doc, json!({"act": "accept"})).await.unwrap();
    world.settle().await;

    // The district is cut off and works on; the town revokes at once.
    world.cut(TOWN, true);
    let since = Some(instant(theft));
    let request = |preview| RevokeRequest {
        reason: "机器被盗".into(),
        since: since.clone(),
        preview,
        ..RevokeRequest::default()
    };
    let coming = world.nodes[TOWN].actions.revoke("芦稿村", request(true)).await.unwrap();
    assert!(coming.preview && coming.uncounted_changes >= 2 && coming.uncounted_documents >= 2, "{coming:?}");
    assert!(coming.uncounted.iter().any(|d| d.document == other));
    let place = world.nodes[LUGAO].place;
    assert!(!world.nodes[TOWN].store.world().directory.place(&place).unwrap().revoked, "only shown");
    world.nodes[TOWN].actions.revoke("芦稿村", request(false)).await.unwrap();
    world.cut(LUGAO, true);
    world.project().await;
    assert_eq!((comments(&world, TOWN, &doc).await, comments(&world, DISTRICT, &doc).await), (0, 1));
    world.nodes[TOWN].act(&doc, json!({"act": "comment", "text": "镇上核实中"})).await.unwrap();
    world.nodes[DISTRICT].act(&doc, json!({"act": "handle", "note": "已派人"})).await.unwrap();
    world.nodes[DISTRICT].act(&doc, json!({"act": "answer", "text": "列入计划"})).await.unwrap();
    world.crash(TOWN).await;

    // The district hears of it late.
    world.cut(TOWN, false);
    world.settle().await;
    for at in [TOWN, DISTRICT] {
        assert_eq!(comments(&world, at, &doc).await, 1, "the town's own, not the thief's");
        let matter = world.nodes[at].actions.matter(&doc.to_string()).await.unwrap();
        assert_eq!(matter.summary.stage, "answered", "honest work on top of it stands");
    }
    assert!(world.nodes[TOWN].actions.matter(&other.to_string()).await.unwrap().summary.title.is_empty());

    // It turns out that the matter was the village's own after all: the parent admits it.
    let admit =
        AdmitRequest {
            reason: "经核实".into(), matters: vec![other.to_string()], ..AdmitRequest::default()
        };
    assert_eq!(world.nodes[TOWN].actions.admit("芦稿村", admit).await.unwrap().documents, 1);
    world.settle().await;
    let admitted = world.nodes[TOWN].actions.matter(&other.to_string()).await.unwrap();
    assert_eq!((admitted.summary.stage.as_str(), comments(&world, TOWN, &doc).await), ("registered", 1));
    // The village itself learns of both when it calls again, as far as it is let in at all.
    let report = world.audit().await;
    assert!(report.troubles.is_empty(), "{:#?}", report.troubles);
}

fn instant(ms: u64) -> String {
    let (day, seconds) = (ms / 86_400_000, ms / 1_000 % 86_400);
    let date = yishi_protocol::calendar::Date::from_days(day as i64).unwrap();
    format!("{date}T{:02}:{:02}:{:02}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}
