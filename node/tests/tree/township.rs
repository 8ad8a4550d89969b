//! A township moved from one district's care to another's, under a prefecture that is the root: its
//! villages go with it, work it did offline follows, the old district keeps what it has.

use crate::nodes::{NEW, Nodes, OLD, PREFECTURE, TOWN, VILLAGE};
use serde_json::json;
use yishi_node::actions::PlacingRequest;
use yishi_protocol::ids::PlaceId;

#[tokio::test]
async fn a_township_goes_to_another_district_with_its_villages_and_what_it_wrote_offline() {
    let mut nodes = Nodes::begin().await;
    let open = nodes.raise(VILLAGE, "村口涵洞积水。").await;
    nodes.act(VILLAGE, &open, json!({"act": "escalate"})).await;
    nodes.settle().await;
    nodes.act(TOWN, &open, json!({"act": "accept"})).await;
    nodes.act(TOWN, &open, json!({"act": "escalate"})).await;
    let local = nodes.raise(VILLAGE, "只给镇上看的事。").await;
    nodes.settle().await;
    let before = nodes.changes(OLD, &open).await;
    assert_eq!(before, nodes.changes(TOWN, &open).await);
    assert_eq!((nodes.changes(OLD, &local).await, nodes.changes(NEW, &open).await), (0, 0));

    // The old district cannot give the township away by itself, nor the new one take it.
    for at in [OLD, NEW] {
        let request = PlacingRequest { parent: Some("新都区".into()), ..PlacingRequest::default() };
        let refused = nodes.node(at).actions.place_at("姚渡镇", request).await.unwrap_err();
        assert!(["not_below", "unknown_place"].contains(&refused.code()), "{refused}");
    }
    // The township is offline and works on; the prefecture moves it.
    nodes.cut.insert(TOWN);
    nodes.act(TOWN, &open, json!({"act": "comment", "text": "断网时写的"})).await;
    let town_id = nodes.places[TOWN].to_string();
    let known = nodes.node(PREFECTURE).actions.find_place(&town_id);
    assert!(known.is_ok(), "its certificate came with its documents");
    let request = |address: Option<&str>| PlacingRequest {
        parent: Some("新都区".into()),
        address: address.map(str::to_owned),
        code: Some("510114106000".into()),
        ..PlacingRequest::default()
    };
    let refused = nodes.node(PREFECTURE).actions.place_at(&town_id, request(None)).await.unwrap_err();
    assert_eq!(refused.field(), Some("address"), "the township has to know where to call");
    let done =
        nodes.node(PREFECTURE).actions.place_at(&town_id, request(Some("192.0.2.4:4710"))).await.unwrap();
    assert_eq!((done.old_parent.name.as_str(), done.parent.name.as_str()), ("青白江区", "新都区"));
    nodes.settle().await;
    assert_eq!(nodes.changes(NEW, &open).await, 0, "the old district cannot show it to the new one");

    // It comes back, hears of it from the old district, and goes over.
    nodes.cut.clear();
    nodes.settle().await;
    let world = nodes.node(TOWN).store.world();
    let up = world.parent().unwrap();
    assert_eq!((up.peer, up.address.as_deref()), (nodes.places[NEW], Some("192.0.2.4:4710")));
    let path: Vec<PlaceId> = [TOWN, NEW, PREFECTURE].map(|p| nodes.places[p]).into();
    for at in 0..5 {
        let directory = &nodes.node(at).store.world().directory;
        assert_eq!(directory.place_ancestors(&nodes.places[TOWN]), path[1..], "node {at}");
        // The prefecture holds nothing of the village's, and never heard of it.
        let known = if at == PREFECTURE { &[][..] } else { &path };
        assert_eq!(directory.place_ancestors(&nodes.places[VILLAGE]), known, "node {at}");
    }
    let late = nodes.changes(TOWN, &open).await;
    assert_eq!((nodes.changes(NEW, &open).await, late), (late, before + 1), "with what was written offline");
    assert_eq!(nodes.changes(NEW, &local).await, 0, "what the old district did not see the new one does not");
    assert_eq!(nodes.node(NEW).actions.find_place("510114106000").unwrap(), nodes.places[TOWN]);

    // The new district takes it up and answers; the old one keeps what it has and gets nothing new.
    nodes.act(NEW, &open, json!({"act": "take_over", "reason": "已划入本区"})).await;
    nodes.act(NEW, &open, json!({"act": "accept"})).await;
    nodes.act(NEW, &open, json!({"act": "answer", "text": "列入计划"})).await;
    nodes.settle().await;
    let after = nodes.changes(VILLAGE, &open).await;
    assert_eq!((after, nodes.changes(NEW, &open).await), (late + 3, late + 3));
    assert!(nodes.changes(OLD, &open).await <= late, "nothing after the move");
    let answered = nodes.node(VILLAGE).actions.matter(&open.to_string()).await.unwrap();
    assert_eq!(answered.summary.stage, "answered");
    assert!(answered.summary.violations.is_empty(), "{:?}", answered.summary.violations);
    // New matters take the new path.
    let new = nodes.raise(VILLAGE, "划转以后的事。").await;
    nodes.act(VILLAGE, &new, json!({"act": "escalate"})).await;
    nodes.settle().await;
    nodes.act(TOWN, &new, json!({"act": "accept"})).await;
    nodes.act(TOWN, &new, json!({"act": "escalate"})).await;
    nodes.settle().await;
    assert_eq!(nodes.changes(NEW, &new).await, nodes.changes(VILLAGE, &new).await);
    assert_eq!(nodes.changes(OLD, &new).await, 0);
    let report = nodes.audit().await;
    assert!(report.holds(), "troubles: {:#?}\nmissing: {:#?}", report.troubles, report.missing);
}
