//! A place above opens a matter it knows only by its stub: on record, and what comes is checked against the stub. And
//! what a place makes known reaches those below.

use crate::nodes::{Nodes, OLD, PREFECTURE, TOWN, VILLAGE};
use serde_json::json;
use yishi_node::actions::{
    AnnounceRequest, AnnouncementsQuery, OpenRequest, RecallRequest, views::AnnouncementView,
};

fn because(reason: &str) -> OpenRequest {
    OpenRequest { reason: reason.into() }
}

#[tokio::test]
async fn a_matter_known_by_its_stub_is_opened_on_record_and_agrees_with_it() {
    let mut nodes = Nodes::begin().await;
    let doc = nodes.raise(VILLAGE, "低保名单没有公示。").await;
    nodes.settle().await;
    let id = doc.to_string();
    let stub = nodes.node(OLD).actions.stub_of(&id).await.unwrap();
    assert_eq!((stub.state, stub.compared, stub.openings.len()), ("unseen", None, 0));
    assert!(nodes.node(OLD).actions.matter(&id).await.is_err(), "the district has not a word of it");
    // Without a reason nothing is opened; by its number it is found too.
    assert!(nodes.node(OLD).actions.open_stub(Some("u1"), &id, &because("  ")).await.is_err());
    let number = stub.number.unwrap();
    let asked =
        nodes.node(OLD).actions.open_stub(Some("u1"), &number, &because("督查低保公示")).await.unwrap();
    assert_eq!(asked.state, "asked");
    nodes.settle().await;
    let here = nodes.node(OLD).actions.stub_of(&id).await.unwrap();
    assert_eq!((here.state, here.compared), ("here", Some("same")), "{here:?}");
    let matter = nodes.node(OLD).actions.matter(&id).await.unwrap();
    assert_eq!(matter.body, "低保名单没有公示。");
    // Everybody it concerns sees who opened it, and why.
    for at in [OLD, TOWN, VILLAGE] {
        let seen = nodes.node(at).actions.openings_of(&doc).await.unwrap();
        let seen: Vec<_> = seen.iter().map(|o| (o.place.name.as_str(), o.reason.as_str())).collect();
        assert_eq!(seen, [("青白江区", "督查低保公示")], "{at}");
    }
    // It is the district's alone: the prefecture has what registers say, and the other matters stay closed.
    assert!(nodes.node(PREFECTURE).actions.matter(&id).await.is_err());
    let again = nodes.node(OLD).actions.open_stub(Some("u1"), &id, &because("再看")).await;
    assert!(again.is_err(), "it is here already");
    // The matter goes on, and the register follows: first the matter, then its word.
    nodes.act(VILLAGE, &doc, json!({"act": "accept"})).await;
    nodes.settle().await;
    let later = nodes.node(OLD).actions.stub_of(&id).await.unwrap();
    assert_eq!(later.compared, Some("same"), "{later:?}");
    let report = nodes.audit().await;
    assert!(report.holds(), "{report:?}");
}

#[tokio::test]
async fn a_place_two_levels_up_opens_through_those_between_also_while_a_line_is_down() {
    let mut nodes = Nodes::begin().await;
    let doc = nodes.raise(VILLAGE, "征地补偿款一直没有发。").await;
    let other = nodes.raise(VILLAGE, "广场舞太吵。").await;
    nodes.settle().await;
    nodes.cut.insert(TOWN);
    let id = doc.to_string();
    let known = nodes.node(PREFECTURE).actions.stub_of(&id).await;
    // A prefecture hears of it by the registers that reach it.
    let Ok(stub) = known else { panic!("no register reaches the prefecture: {known:?}") };
    assert_eq!(stub.state, "unseen");
    nodes.node(PREFECTURE).actions.open_stub(Some("u2"), &id, &because("信访件核查")).await.unwrap();
    nodes.settle().await;
    assert_eq!(nodes.node(PREFECTURE).actions.stub_of(&id).await.unwrap().state, "asked");
    nodes.cut.clear();
    nodes.settle().await;
    assert_eq!(nodes.node(PREFECTURE).actions.stub_of(&id).await.unwrap().state, "here");
    let seen = nodes.node(VILLAGE).actions.openings_of(&doc).await.unwrap();
    assert_eq!(
        seen.iter().map(|o| o.place.name.as_str()).collect::<Vec<_>>(),
        ["成都市"],
        "the village is told"
    );
    assert!(nodes.node(OLD).actions.matter(&id).await.is_ok(), "those between carry it and see it");
    assert!(nodes.node(OLD).actions.matter(&other.to_string()).await.is_err(), "and nothing else");
    let report = nodes.audit().await;
    assert!(report.holds(), "{report:?}");
}

async fn list(nodes: &Nodes, at: usize, all: bool) -> Vec<AnnouncementView> {
    let query = AnnouncementsQuery { all: all.then(|| "yes".to_owned()), ..AnnouncementsQuery::default() };
    nodes.node(at).actions.announcements(&query).await.unwrap().items
}

#[tokio::test]
async fn a_notice_reaches_everything_below_is_replaced_and_taken_back() {
    let mut nodes = Nodes::begin().await;
    let first = AnnounceRequest {
        sort: Some("resource".into()),
        title: "小型水利补助".into(),
        text: "每处最多两万元，先报先得。".into(),
        category: Some("water".into()),
        ..AnnounceRequest::default()
    };
    let staged = nodes.node(OLD).actions.stage_announcement(&first).await.unwrap();
    // The district has not heard of the village yet: nothing of its own has come so far up.
    assert_eq!((staged.places, staged.open_matters), (1, Some(0)), "{staged:?}");
    let made = nodes.node(OLD).actions.announce(Some("u1"), &first).await.unwrap();
    nodes.settle().await;
    assert_eq!(list(&nodes, VILLAGE, false).await[0].title, "小型水利补助");
    assert!(list(&nodes, PREFECTURE, true).await.is_empty(), "it is for those below");
    let offered = nodes.node(TOWN).actions.resources_for("water").await.unwrap();
    assert_eq!(offered.len(), 1);
    // The town cannot change the district's word; the district can.
    let replaces = Some(made.id.to_string());
    let second = AnnounceRequest { title: "小型水利补助（增补）".into(), replaces, ..first };
    assert!(nodes.node(TOWN).actions.announce(Some("u1"), &second).await.is_err());
    let changed = nodes.node(OLD).actions.announce(Some("u1"), &second).await.unwrap();
    assert_eq!((changed.id, changed.earlier.len()), (made.id, 1));
    nodes.settle().await;
    assert_eq!(
        list(&nodes, VILLAGE, false).await.iter().map(|a| a.title.clone()).collect::<Vec<_>>(),
        ["小型水利补助（增补）"]
    );
    let recall = RecallRequest { reason: "资金用完".into() };
    nodes.node(OLD).actions.recall(Some("u1"), &made.id.to_string(), &recall).await.unwrap();
    nodes.settle().await;
    assert!(list(&nodes, VILLAGE, false).await.is_empty());
    assert_eq!(list(&nodes, VILLAGE, true).await[0].recalled.as_deref(), Some("资金用完"));
    // Over the lines of everything else nothing changed.
    let report = nodes.audit().await;
    assert!(report.holds(), "{report:?}");
}
