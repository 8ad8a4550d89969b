//! Procedures that charters issue: a version that one node has and another not yet, and a matter whose pin has to
//! travel to a place that never saw the charter (rule R4).

use serde_json::json;
use yishi_node::actions::PlacingRequest;
use yishi_tests::sim::{DISTRICT, LUGAO, Shape, TOWN, World};

/// The first village of the second town.
const OTHER_TOWN: usize = 4;

fn file(version: u32, stage: &str) -> String {
    format!(
        r#"
# 镇里自己的办法
format = 1
id = "street"
version = {version}
title = {{ zh = "街巷整治", en = "Streets" }}
summary = {{ zh = "先入户，再上会", en = "Ask at the doors, then meet" }}

[forms.survey]
zh = "入户调查"
en = "Survey"
fields = [{{ id = "found", zh = "情况", en = "Findings", kind = "text", required = true }}]

[[stages]]
id = "survey"
zh = "入户调查"
en = "Survey"
limit = {{ normal = "10 days" }}
gates = [{{ record = "survey" }}]
go = ["{stage}"]

[[stages]]
id = "{stage}"
zh = "上会"
en = "Meeting"
limit = {{ normal = "10 days" }}
end = true
"#
    )
}

fn survey() -> serde_json::Value {
    json!({"act": "record", "form": "survey", "fields": {"found": "走访三十户"}})
}

#[tokio::test]
async fn a_newer_version_that_only_the_town_has_binds_there_and_the_village_follows_when_it_hears_of_it() {
    let mut world = World::begin().await;
    let town = &world.nodes[TOWN].actions;
    let staged = town.stage_procedure(&file(1, "council")).await.unwrap();
    assert!(staged.problems.is_empty() && staged.replaces.is_none(), "{:?}", staged.problems);
    town.issue_procedure(Some("u1"), &file(1, "council")).await.unwrap();
    world.settle().await;
    let doc = world.nodes[LUGAO].raise("巷子里的污水。").await;
    let kept = world.nodes[LUGAO].raise("巷子里的路灯。").await;
    for doc in [doc, kept] {
        let accept = json!({"act": "accept", "procedure": "street"});
        world.nodes[LUGAO].act(&doc, accept).await.unwrap();
        world.nodes[LUGAO].act(&doc, survey()).await.unwrap();
    }
    world.settle().await;

    // The line breaks; the town issues its second version; the village passes a matter up without knowing.
    world.cut(LUGAO, true);
    let broken = world.nodes[TOWN].actions.issue_procedure(Some("u1"), "format = 1").await.unwrap_err();
    assert_eq!(broken.code(), "bad_procedure");
    let same = world.nodes[TOWN].actions.issue_procedure(Some("u1"), &file(1, "hall")).await.unwrap_err();
    assert!(same.en().contains("version 1 is in force"), "{same}");
    world.nodes[TOWN].actions.issue_procedure(Some("u1"), &file(2, "hall")).await.unwrap();
    world.settle().await;
    world.nodes[LUGAO].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.nodes[LUGAO].act(&kept, json!({"act": "advance", "to": "council"})).await.unwrap();

    // Back: the town takes it up under its second version, and the village sees the same; the matter that was
    // under way stays with the first.
    world.cut(LUGAO, false);
    world.settle().await;
    world.nodes[TOWN].act(&doc, json!({"act": "accept", "procedure": "street"})).await.unwrap();
    world.settle().await;
    for at in [TOWN, LUGAO] {
        let actions = &world.nodes[at].actions;
        let two = actions.matter(&doc.to_string()).await.unwrap();
        let one = actions.matter(&kept.to_string()).await.unwrap();
        assert_eq!(two.deliberation.procedure.as_ref().map(|p| p.version), Some(2));
        assert_eq!(two.deliberation.at.as_ref().map(|a| a.stage.as_str()), Some("survey"));
        assert_eq!(one.deliberation.procedure.as_ref().map(|p| p.version), Some(1));
        assert_eq!(one.deliberation.at.as_ref().map(|a| a.stage.as_str()), Some("council"));
        assert!(two.held_up.is_none() && two.summary.violations.is_empty(), "{:?}", two.summary.violations);
    }
    // What is bound to the second never goes back to the first, also when it comes down again.
    world.nodes[TOWN].act(&doc, json!({"act": "return", "reason": "村里先议"})).await.unwrap();
    world.settle().await;
    let pins = world.nodes[LUGAO].store.world().charters.procedures.clone();
    let first = pins.iter().find(|p| p.id == "street" && p.version == 1).unwrap().pin.to_string();
    let back = json!({"act": "accept", "procedure": first});
    assert!(world.nodes[LUGAO].act(&doc, back).await.is_none());
    let report = world.audit().await;
    assert!(report.holds(), "troubles: {:#?}\nmissing: {:#?}", report.troubles, report.missing);
}

#[tokio::test]
async fn a_pin_travels_with_its_matter_to_a_town_that_never_saw_the_charter() {
    let mut world = World::of(&Shape(vec![2, 1]), 1).await;
    world.nodes[TOWN].actions.issue_procedure(Some("u1"), &file(1, "council")).await.unwrap();
    world.settle().await;
    let doc = world.nodes[LUGAO].raise("巷子里的污水。").await;
    let accept = json!({"act": "accept", "procedure": "street"});
    world.nodes[LUGAO].act(&doc, accept).await.unwrap();
    world.nodes[LUGAO].act(&doc, survey()).await.unwrap();
    world.nodes[LUGAO].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;
    let knows = |world: &World, at: usize| {
        world.nodes[at].store.world().charters.procedures.iter().any(|p| p.id == "street")
    };
    assert!(
        knows(&world, DISTRICT) && !knows(&world, OTHER_TOWN),
        "the charter is for those below and above"
    );
    world.nodes[TOWN].act(&doc, json!({"act": "accept"})).await.unwrap();
    world.nodes[TOWN].act(&doc, survey()).await.unwrap();
    world.nodes[TOWN].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;

    // The village is moved under the other town, which sees its matters from then on.
    let other = world.nodes[OTHER_TOWN].place.to_string();
    let request = PlacingRequest {
        parent: Some(other),
        address: Some("127.0.0.1:7435".into()),
        ..PlacingRequest::default()
    };
    world.nodes[DISTRICT].actions.place_at("芦稿村", request).await.unwrap();
    world.settle().await;
    let there = world.nodes[OTHER_TOWN].actions.matter(&doc.to_string()).await.unwrap();
    assert!(knows(&world, OTHER_TOWN), "what the matter is bound to came with it");
    assert!(there.held_up.is_none() && there.summary.violations.is_empty(), "{:?}", there.held_up);
    assert_eq!(there.deliberation.records.len(), 2);
    assert_eq!(there.deliberation.procedure.map(|p| (p.id, p.version)), Some(("street".into(), 1)));
    // It is not one of the other town's own: nothing new is bound to it there.
    let offered = world.nodes[OTHER_TOWN].actions.procedures().await.unwrap();
    assert!(offered.iter().all(|p| p.procedure.id != "street"));
}
