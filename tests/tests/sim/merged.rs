//! A village merged into another while it is offline for three months, and a village that is re-coded.

use serde_json::json;
use yishi_node::actions::{PlacingRequest, RaiseRequest};
use yishi_tests::sim::{DISTRICT, LUGAO, TOWN, World, XINGHUA};

const THREE_MONTHS_MS: u64 = 92 * 86_400_000;

#[tokio::test]
async fn what_a_merged_village_wrote_in_its_months_offline_is_kept_and_the_other_goes_on_with_its_matters() {
    let mut world = World::begin().await;
    let known = world.nodes[LUGAO].raise("村口涵洞积水。").await;
    let settled = world.nodes[LUGAO].raise("路灯不亮。").await;
    world.settle().await;
    assert!(world.nodes[XINGHUA].matters().await.is_empty());

    // Offline it writes on. Above, the town merges it into its neighbour.
    world.cut(LUGAO, true);
    let late = world.nodes[LUGAO].raise("断网时登记的事。").await;
    world.nodes[LUGAO].act(&known, json!({"act": "comment", "text": "断网时写的"})).await.unwrap();
    let request =
        |preview| PlacingRequest { into: Some("杏花村".into()), preview, ..PlacingRequest::default() };
    let coming = world.nodes[TOWN].actions.place_at("芦稿村", request(true)).await.unwrap();
    assert!(coming.preview && coming.open_matters == 2, "{coming:?}");
    world.nodes[TOWN].actions.place_at("芦稿村", request(false)).await.unwrap();
    world.settle().await;

    // The neighbour has its matters, is shown as their holder, and goes on with them.
    let seen = world.nodes[XINGHUA].actions.matter(&known.to_string()).await.unwrap();
    assert_eq!(seen.summary.holder.as_ref().map(|p| p.name.as_str()), Some("杏花村"));
    assert_eq!(seen.summary.home.name, "芦稿村", "where it was raised stays");
    world.nodes[XINGHUA].act(&known, json!({"act": "accept"})).await.unwrap();
    world.nodes[XINGHUA].act(&settled, json!({"act": "answer", "text": "已换灯泡"})).await.unwrap();
    world.nodes[XINGHUA].act(&settled, json!({"act": "tell", "how": "visit"})).await.unwrap();
    world.settle().await;
    let told = world.nodes[TOWN].actions.matter(&settled.to_string()).await.unwrap();
    assert_eq!(
        (told.summary.told, told.summary.violations.len()),
        (true, 0),
        "{:?}",
        told.summary.violations
    );
    // The village still without a line does not know, and accepts the same matter itself.
    world.nodes[LUGAO].act(&known, json!({"act": "accept"})).await.unwrap();
    world.crash(LUGAO).await;

    // Three months later it comes back: all it wrote is kept, and it raises nothing new.
    world.pass(THREE_MONTHS_MS, &mut || 1).await;
    world.cut(LUGAO, false);
    world.settle().await;
    for at in [TOWN, LUGAO, XINGHUA] {
        let now = world.nodes[at].actions.matter(&known.to_string()).await.unwrap();
        let kept = |kind: &str| now.timeline.iter().filter(|t| t.kind == kind).count();
        assert_eq!((kept("comment"), kept("accept")), (1, 2), "{}", world.nodes[at].name);
        assert!(now.summary.violations.is_empty(), "{:?}", now.summary.violations);
        let late = world.nodes[at].actions.matter(&late.to_string()).await.unwrap();
        assert_eq!(
            late.summary.holder.map(|p| p.name).as_deref(),
            Some("杏花村"),
            "{}",
            world.nodes[at].name
        );
    }
    world.nodes[XINGHUA].act(&late, json!({"act": "accept"})).await.unwrap();
    let new = RaiseRequest { body: "并入以后的事。".into(), ..RaiseRequest::default() };
    let refused = world.nodes[LUGAO].actions.raise(Some("u1"), new).await.unwrap_err();
    assert_eq!(refused.code(), "merged");
    assert!(refused.zh().contains("杏花村") && refused.en().contains("kept"), "{refused}");
    world.settle().await;
    let report = world.audit().await;
    assert!(report.holds(), "troubles: {:#?}\nmissing: {:#?}", report.troubles, report.missing);
}

#[tokio::test]
async fn a_re_coded_village_stays_itself() {
    let mut world = World::begin().await;
    let before = world.nodes[LUGAO].raise("更名以前的事。").await;
    world.nodes[LUGAO].act(&before, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;
    world.cut(LUGAO, true);
    let offline = world.nodes[LUGAO].raise("断网时的事。").await;
    let request = PlacingRequest {
        code: Some("510113106299".into()),
        name: Some("芦花村".into()),
        ..PlacingRequest::default()
    };
    world.nodes[TOWN].actions.place_at("510113106204", request).await.unwrap();
    world.settle().await;
    world.cut(LUGAO, false);
    world.settle().await;
    let (place, district) = (world.nodes[LUGAO].place, &world.nodes[DISTRICT]);
    assert_eq!(district.actions.find_place("510113106299").unwrap(), place);
    assert!(district.actions.find_place("510113106204").is_err(), "the old code names nobody now");
    for at in [TOWN, LUGAO] {
        for doc in [before, offline] {
            let matter = world.nodes[at].actions.matter(&doc.to_string()).await.unwrap();
            assert_eq!((matter.summary.home.name.as_str(), matter.summary.home.id), ("芦花村", place));
        }
    }
    let again = world.nodes[TOWN].actions.place_at("芦花村", PlacingRequest::default()).await.unwrap_err();
    assert_eq!(again.code(), "invalid");
    let report = world.audit().await;
    assert!(report.holds(), "troubles: {:#?}\nmissing: {:#?}", report.troubles, report.missing);
}
