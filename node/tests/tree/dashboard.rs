//! What a district knows of places it sees only stubs of, and that silence is never taken for nothing.

use crate::nodes::{Nodes, OLD, TOWN, VILLAGE};
use serde_json::json;
use yishi_node::actions::StandingsQuery;
use yishi_protocol::calendar::Date;

fn asked(view: &str) -> StandingsQuery {
    StandingsQuery { view: view.into(), ..StandingsQuery::default() }
}

#[tokio::test]
async fn a_district_counts_what_registers_tell_and_says_of_how_many_it_heard() {
    let mut nodes = Nodes::begin().await;
    // As `join` does: everybody above learns of the village by its charter.
    nodes.node(VILLAGE).actions.issue_charter(Some("u1"), "format = 1\n").await.unwrap();
    let doc = nodes.raise(VILLAGE, "村口涵洞积水。").await;
    let refused = nodes.raise(VILLAGE, "要求改高考分数线。").await;
    nodes.settle().await;
    nodes.act(VILLAGE, &refused, json!({"act": "refuse", "reason": "不归村里管"})).await;
    nodes.settle().await;
    // Before the town has said whom it hears, the district knows nothing of the village.
    let view = nodes.node(OLD).actions.dashboard().await.unwrap();
    assert_eq!((view.heard.heard, view.heard.expected), (0, 1), "{view:?}");
    nodes.node(TOWN).actions.supervise().await.unwrap();
    nodes.settle().await;
    let view = nodes.node(OLD).actions.dashboard().await.unwrap();
    assert_eq!((view.heard.heard, view.heard.expected, view.villages), (1, 1, true));
    assert!(view.silent.is_empty());
    let week = view.weeks.last().unwrap();
    assert_eq!((week.monday.as_str(), week.flow.raised), ("2026-11-16", 2));
    assert_eq!((week.flow.answered, week.flow.refused), (0, 1), "a refusal is no answer");
    assert_eq!((view.open, view.late.late), (2, 0));
    assert_eq!(view.places[0].place.name, "姚渡镇");
    let [first] = &view.longest[..] else { panic!("{:?}", view.longest) };
    assert!(first.id == doc && !first.here && first.title.is_none(), "only its stub is here");
    assert_eq!((first.home.name.as_str(), first.days), ("芦稿村", 0));
    // The town has the matters themselves, and the village directly below.
    let town = nodes.node(TOWN).actions.dashboard().await.unwrap();
    assert_eq!((town.longest[0].title.is_some(), town.places[0].place.name.as_str()), (true, "芦稿村"));
    assert!(!nodes.node(VILLAGE).actions.has_below());

    // Its day passes while everybody is heard from: late.
    let due: Date = first.due.as_ref().unwrap().parse().unwrap();
    let days = u64::try_from("2026-11-16".parse::<Date>().unwrap().days_until(due)).unwrap() + 1;
    nodes.day(days);
    nodes.settle().await;
    nodes.node(TOWN).actions.supervise().await.unwrap();
    nodes.settle().await;
    let view = nodes.node(OLD).actions.dashboard().await.unwrap();
    assert_eq!((view.late.late, view.late.unknown), (2, 0), "{view:?}");
    let late = nodes.node(OLD).actions.standings(&asked("late"), 10).await.unwrap();
    assert_eq!(late.items.len(), 2);
    assert!(late.items.iter().all(|s| s.days_over >= 1 && !s.unknown));
    assert_eq!(late.items.iter().find(|s| s.id == doc).unwrap().days_over, 1);
    let of_village = StandingsQuery { place: nodes.places[VILLAGE].to_string(), ..asked("late") };
    assert_eq!(nodes.node(OLD).actions.standings(&of_village, 10).await.unwrap().items.len(), 2);
    let paged = nodes.node(OLD).actions.standings(&asked("late"), 1).await.unwrap();
    let next = StandingsQuery { cursor: paged.next_cursor, ..asked("late") };
    let rest = nodes.node(OLD).actions.standings(&next, 1).await.unwrap();
    assert_eq!((rest.items.len(), rest.next_cursor), (1, None));
    assert_ne!(paged.items[0].id, rest.items[0].id);
    assert!(nodes.node(OLD).actions.standings(&asked("nonsense"), 1).await.is_err());

    // It is answered, and it is escalated: the matter itself comes, and counts once.
    nodes.act(VILLAGE, &doc, json!({"act": "accept"})).await;
    nodes.act(VILLAGE, &doc, json!({"act": "escalate"})).await;
    nodes.settle().await;
    nodes.act(TOWN, &doc, json!({"act": "accept"})).await;
    nodes.act(TOWN, &doc, json!({"act": "escalate"})).await;
    nodes.settle().await;
    let view = nodes.node(OLD).actions.dashboard().await.unwrap();
    assert_eq!(view.open, 2);
    assert!(view.longest[0].here && view.longest[0].title.is_some());
    nodes.act(OLD, &doc, json!({"act": "accept"})).await;
    nodes.act(OLD, &doc, json!({"act": "answer", "text": "已清淤"})).await;
    nodes.settle().await;
    let view = nodes.node(OLD).actions.dashboard().await.unwrap();
    assert!(view.longest.is_empty(), "{:?}", view.longest);
    assert_eq!(view.weeks.iter().map(|w| w.flow.answered).sum::<u64>(), 1);
}

#[tokio::test]
async fn a_village_that_is_not_heard_from_is_unknown_and_not_late() {
    let mut nodes = Nodes::begin().await;
    nodes.raise(VILLAGE, "村口涵洞积水。").await;
    nodes.settle().await;
    nodes.node(TOWN).actions.supervise().await.unwrap();
    nodes.settle().await;
    nodes.cut.insert(VILLAGE);
    nodes.day(20);
    nodes.settle().await;
    nodes.node(TOWN).actions.supervise().await.unwrap();
    nodes.settle().await;
    for at in [TOWN, OLD] {
        let view = nodes.node(at).actions.dashboard().await.unwrap();
        assert_eq!((view.late.late, view.late.unknown), (0, 1), "node {at}");
        assert_eq!((view.heard.heard, view.heard.expected), (0, 1), "node {at}");
        assert_eq!(
            view.silent[0].0.id, nodes.places[VILLAGE],
            "though the district has no certificate of it"
        );
        assert_eq!(view.silent[0].1.as_deref(), Some("2026-11-16"));
        let (_, heard) = view.places[0].weeks.last().unwrap();
        assert_eq!((heard.heard, heard.expected), (0, 1), "this week nothing is known of it");
        assert!(view.longest[0].unknown);
    }
}
