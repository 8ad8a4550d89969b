//! What is late raises itself, once for each degree; who is not heard from is not late; what goes in circles is
//! raised too. And charters bind below.

use crate::nodes::{Nodes, OLD, PREFECTURE, TOWN, VILLAGE};
use serde_json::json;
use yishi_node::actions::RaiseRequest;

async fn urges(nodes: &Nodes, at: usize, doc: &yishi_protocol::ids::DocId) -> Vec<(String, String)> {
    let matter = nodes.node(at).actions.matter(&doc.to_string()).await.unwrap();
    matter.deliberation.urges.iter().map(|u| (u.degree.clone(), u.ground.clone())).collect()
}

fn pairs(said: &[(&str, &str)]) -> Vec<(String, String)> {
    said.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[tokio::test]
async fn what_is_late_is_urged_once_a_degree_and_silence_is_not_lateness() {
    let mut nodes = Nodes::begin().await;
    let doc = nodes.raise(VILLAGE, "村口涵洞积水。").await;
    nodes.settle().await;
    let due = nodes.node(VILLAGE).actions.matter(&doc.to_string()).await.unwrap();
    let due: yishi_protocol::calendar::Date = due.summary.deadline.unwrap().date.parse().unwrap();
    let monday: yishi_protocol::calendar::Date = "2026-11-16".parse().unwrap();
    let days = u64::try_from(monday.days_until(due)).unwrap();
    // On the day itself nobody is late.
    nodes.day(days);
    nodes.settle().await;
    assert_eq!(nodes.node(TOWN).actions.supervise().await.unwrap(), 0);
    // The village's line is down: it may have answered long ago.
    nodes.cut.insert(VILLAGE);
    nodes.day(days + 14);
    nodes.settle().await;
    assert_eq!(nodes.node(TOWN).actions.supervise().await.unwrap(), 0);
    let view = nodes.node(TOWN).actions.supervision().await.unwrap();
    assert!(view.raised.is_empty() && view.named.is_empty(), "{view:?}");
    assert_eq!((view.not_heard[0].place.name.as_str(), view.not_heard[0].matters), ("芦稿村", 1));
    // It is there again and has done nothing.
    nodes.cut.clear();
    nodes.day(days + 4);
    nodes.settle().await;
    assert_eq!(nodes.node(TOWN).actions.supervise().await.unwrap(), 1);
    assert_eq!(nodes.node(TOWN).actions.supervise().await.unwrap(), 0, "once is enough");
    nodes.settle().await;
    assert_eq!(urges(&nodes, VILLAGE, &doc).await, pairs(&[("urged", "overdue")]));
    let view = nodes.node(TOWN).actions.supervision().await.unwrap();
    assert_eq!((view.named.len(), view.raised.len(), view.not_heard.len()), (1, 0, 0), "{view:?}");
    assert!(view.named[0].urged.is_some());
    // The district sees the stub, and that it is late.
    let above = nodes.node(OLD).actions.supervision().await.unwrap();
    assert_eq!((above.named.len(), &above.named[0].title), (1, &None), "{above:?}");
    assert_eq!(nodes.node(OLD).actions.supervise().await.unwrap(), 0, "the town looks after its villages");
    // Days pass: it goes one level up.
    nodes.day(days + 11);
    nodes.settle().await;
    assert_eq!(nodes.node(TOWN).actions.supervise().await.unwrap(), 1);
    nodes.settle().await;
    assert_eq!(urges(&nodes, TOWN, &doc).await, pairs(&[("urged", "overdue"), ("raised", "overdue")]));
    assert_eq!(nodes.node(OLD).actions.supervision().await.unwrap().raised.len(), 1);
    // Answered: nothing more is said.
    nodes.act(VILLAGE, &doc, json!({"act": "accept"})).await;
    nodes.act(VILLAGE, &doc, json!({"act": "answer", "text": "已清淤"})).await;
    nodes.settle().await;
    assert_eq!(nodes.node(TOWN).actions.supervise().await.unwrap(), 0);
    let report = nodes.audit().await;
    assert!(report.holds(), "{report:?}");
}

#[tokio::test]
async fn what_goes_in_circles_is_raised_without_any_deadline() {
    let mut nodes = Nodes::begin().await;
    let doc = nodes.raise(VILLAGE, "两村争水。").await;
    for round in 1..=3 {
        nodes.act(VILLAGE, &doc, json!({"act": "escalate"})).await;
        nodes.settle().await;
        assert_eq!(urges(&nodes, TOWN, &doc).await, [], "round {round}");
        nodes.act(TOWN, &doc, json!({"act": "return", "reason": "先在村里议"})).await;
        nodes.settle().await;
    }
    let said = urges(&nodes, VILLAGE, &doc).await;
    assert!(said.contains(&("raised".into(), "returned".into())), "{said:?}");
    let count = said.len();
    nodes.settle().await;
    assert_eq!(urges(&nodes, VILLAGE, &doc).await.len(), count, "it is said once");
    // Answered and reopened, it begins anew.
    nodes.act(VILLAGE, &doc, json!({"act": "accept"})).await;
    nodes.act(VILLAGE, &doc, json!({"act": "answer", "text": "已议定轮灌"})).await;
    nodes.act(VILLAGE, &doc, json!({"act": "reopen", "reason": "还在争"})).await;
    for _ in 0..3 {
        nodes.act(VILLAGE, &doc, json!({"act": "escalate"})).await;
        nodes.settle().await;
        nodes.act(TOWN, &doc, json!({"act": "return", "reason": "再议"})).await;
        nodes.settle().await;
    }
    assert!(urges(&nodes, VILLAGE, &doc).await.len() > count, "and is said again");
}

#[tokio::test]
async fn a_districts_charter_binds_its_villages() {
    let mut nodes = Nodes::begin().await;
    let district = "format = 1\ncategories = [{ id = \"水\", zh = \"水\", en = \"Water\" }]\n\
        powers = [{ power = \"answer\", category = \"水\", level = \"township\" }]\n\
        [supervision]\nname_after = 2\nraise_after = 9\nrounds = 4\n";
    nodes.node(OLD).actions.issue_charter(Some("u1"), district).await.unwrap();
    nodes.settle().await;
    let seen = nodes.node(VILLAGE).actions.charter(None).await.unwrap();
    assert_eq!((seen.categories_above.len(), seen.powers_above[0].by.name.as_str()), (1, "青白江区"));
    // A village declares its own only beneath, and takes no power it was not given.
    let own = "format = 1\ncategories = [{ id = \"涵洞\", zh = \"涵洞\", en = \"Culverts\" }]\n";
    let alone = nodes.node(VILLAGE).actions.issue_charter(Some("u1"), own).await.unwrap_err();
    assert_eq!(alone.code(), "bad_charter");
    let beneath = own.replace("id = \"涵洞\"", "id = \"涵洞\", under = \"水\"");
    nodes.node(VILLAGE).actions.issue_charter(Some("u1"), &beneath).await.unwrap();
    let grab =
        format!("{beneath}powers = [{{ power = \"answer\", category = \"涵洞\", level = \"village\" }}]\n");
    assert_eq!(
        nodes.node(VILLAGE).actions.issue_charter(Some("u1"), &grab).await.unwrap_err().code(),
        "bad_charter"
    );
    nodes.settle().await;
    let request = |category: &str| RaiseRequest {
        body: "涵洞堵了。".into(),
        category: Some(category.into()),
        ..RaiseRequest::default()
    };
    let village = &nodes.node(VILLAGE).actions;
    assert_eq!(village.raise(Some("u1"), request("照明")).await.unwrap_err().field(), Some("category"));
    let doc = village.raise(Some("u1"), request("涵洞")).await.unwrap().matter.summary.id;
    nodes.act(VILLAGE, &doc, json!({"act": "accept"})).await;
    let answer = serde_json::from_value(json!({"act": "answer", "text": "通了"})).unwrap();
    let denied = nodes.node(VILLAGE).actions.act(Some("u1"), &doc.to_string(), answer).await.unwrap_err();
    assert_eq!(denied.code(), "not_delegated", "what lies beneath a category goes with it");
    nodes.act(VILLAGE, &doc, json!({"act": "escalate"})).await;
    nodes.settle().await;
    nodes.act(TOWN, &doc, json!({"act": "accept"})).await;
    nodes.act(TOWN, &doc, json!({"act": "answer", "text": "通了"})).await;
    let rule = nodes.node(VILLAGE).actions.supervision().await.unwrap().rule;
    assert_eq!((rule.name_after, rule.raise_after, rule.rounds), (2, 9, 4));
    // The township reads the village's charter, and so does everybody above.
    for at in [TOWN, OLD, PREFECTURE] {
        let village = nodes.places[VILLAGE].to_string();
        let charter = nodes.node(at).actions.charter(Some(&village)).await;
        assert_eq!(charter.unwrap().number, 2, "node {at}");
    }
}
