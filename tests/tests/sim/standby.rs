//! A standby takes a village over, and the old box comes back with what its parent had not seen: it is turned away,
//! writes nothing more, and what only it has counts nowhere until the parent gives it the place back. Nothing is lost,
//! and whoever thinks the old box was in wrong hands ends its key as any other.

use serde_json::json;
use std::collections::BTreeSet;
use yishi_node::actions::{AdmitRequest, RevokeRequest};
use yishi_protocol::ids::DocId;
use yishi_tests::sim::{DISTRICT, LUGAO, Node, TOWN, World};

async fn comments(world: &World, at: usize, doc: &DocId) -> BTreeSet<String> {
    let matter = world.nodes[at].actions.matter(&doc.to_string()).await.unwrap();
    let counted = matter.timeline.iter().filter(|t| t.kind == "comment" && t.verdict == "counted");
    counted.filter_map(|t| t.text.clone()).collect()
}

fn set<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.map(str::to_owned).into()
}

async fn comment(node: &Node, doc: &DocId, text: &str) -> bool {
    node.act(doc, json!({"act": "comment", "text": text})).await.is_some()
}

async fn only_there(node: &Node) -> BTreeSet<DocId> {
    let links = node.actions.links().await.unwrap();
    assert_eq!(links.only_here.len() as u64, links.only_here_documents);
    links.only_here.iter().map(|m| m.document).collect()
}

async fn number(world: &World, doc: &DocId) -> String {
    let matter = world.nodes[TOWN].actions.matter(&doc.to_string()).await.unwrap();
    assert_eq!(matter.summary.stage, "registered");
    matter.summary.number
}

/// It knows that it was taken over, and acknowledges nothing to anybody.
async fn writes_nothing(world: &World, at: usize, doc: &DocId) {
    let node = &world.nodes[at];
    assert!(!node.store.world().is_active());
    let before = (node.matters().await.len(), node.acts(doc).await.len());
    assert_eq!(node.try_raise("接管以后写的", None).await, None);
    assert!(!comment(node, doc, "接管以后写的").await);
    assert_eq!((node.matters().await.len(), node.acts(doc).await.len()), before);
}

/// A matter that district, town and village have, and the village with a backup of then.
async fn before() -> (World, DocId, std::path::PathBuf) {
    let mut world = World::begin().await;
    let doc = world.nodes[LUGAO].raise("村口涵洞积水。").await;
    world.nodes[LUGAO].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;
    world.nodes[TOWN].act(&doc, json!({"act": "accept"})).await.unwrap();
    world.nodes[TOWN].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;
    let kept = world.backup(LUGAO).await;
    (world, doc, kept)
}

#[tokio::test]
async fn the_old_box_returns_with_acts_its_parent_had_not_seen() {
    let (mut world, doc, kept) = before().await;
    assert!(comment(&world.nodes[LUGAO], &doc, "备份以后送到的").await);
    world.settle().await;
    // The line breaks, and the village writes on.
    world.cut(LUGAO, true);
    assert!(comment(&world.nodes[LUGAO], &doc, "没有送到的").await);
    let unseen = world.nodes[LUGAO].raise("只有旧机器知道的事。").await;

    let old = world.nodes[LUGAO].store.world().me.clone();
    let second = world.second_machine(LUGAO, &kept).await;
    world.takes_over(second).await;
    let directory = world.nodes[TOWN].store.world().directory.clone();
    let now = directory.place_cert(&old.place).unwrap();
    assert_eq!(now.key, world.nodes[second].store.world().me.keys.public());
    assert!(!directory.is_revoked(&old.cert) && now.number == directory.get(&old.cert).unwrap().number + 1);
    world.cut(second, false);
    world.settle().await;
    for at in [TOWN, DISTRICT, second] {
        assert_eq!(
            comments(&world, at, &doc).await,
            set(["备份以后送到的"]),
            "{at}: what the parent had counts"
        );
    }
    assert!(comment(&world.nodes[second], &doc, "新机器写的").await);
    let later = world.nodes[second].raise("新机器登记的事。").await;
    world.settle().await;

    // The old one has not heard, goes on writing, and calls.
    world.pass(600_000, &mut || 1).await;
    assert!(world.nodes[LUGAO].store.world().is_active());
    assert!(comment(&world.nodes[LUGAO], &doc, "接管以后、知道以前写的").await);
    world.cut(LUGAO, false);
    world.settle().await;
    writes_nothing(&world, LUGAO, &doc).await;
    world.crash(LUGAO).await;
    writes_nothing(&world, LUGAO, &doc).await;
    // Everything it acknowledged is there and is listed; elsewhere none of it counts, nor is it known.
    assert_eq!(only_there(&world.nodes[LUGAO]).await, [doc, unseen].into());
    let its_own = set(["备份以后送到的", "没有送到的", "接管以后、知道以前写的"]);
    assert_eq!(comments(&world, LUGAO, &doc).await, its_own);
    world.settle().await;
    for at in [TOWN, DISTRICT, second] {
        assert_eq!(comments(&world, at, &doc).await, set(["备份以后送到的", "新机器写的"]), "{at}");
        assert!(!world.nodes[at].matters().await.contains(&unseen), "{at}");
    }
    assert!(only_there(&world.nodes[second]).await.is_empty(), "asked of the active one it is nothing");

    // The parent gives the place back to it, and all of it counts everywhere.
    world.takes_over(LUGAO).await;
    world.settle().await;
    let everything = set(["备份以后送到的", "新机器写的", "没有送到的", "接管以后、知道以前写的"]);
    for at in [LUGAO, TOWN, DISTRICT] {
        assert_eq!(comments(&world, at, &doc).await, everything, "{at}");
    }
    writes_nothing(&world, second, &doc).await;
    assert!(only_there(&world.nodes[second]).await.is_empty(), "the town had all of the second machine's");
    assert!(comment(&world.nodes[LUGAO], &doc, "又回来了").await);
    let last = world.nodes[LUGAO].raise("旧机器回来以后登记的事。").await;
    world.settle().await;
    let numbers = [number(&world, &unseen).await, number(&world, &later).await, number(&world, &last).await];
    assert_eq!(BTreeSet::from(numbers.clone()).len(), 3, "no number was given out twice: {numbers:?}");
    let report = world.audit().await;
    assert!(report.troubles.is_empty() && report.stored_everywhere, "{report:#?}");
}

#[tokio::test]
async fn a_copy_made_long_ago_takes_over_after_others_did_and_gives_out_no_number_again() {
    let (mut world, doc, kept) = before().await;
    let mut raised = vec![doc, world.nodes[LUGAO].raise("第一台机器登记的。").await];
    world.settle().await;
    // Thrice from the same backup: none knows what the others gave out.
    let mut lives = BTreeSet::new();
    for _ in 0..3 {
        let at = world.second_machine(LUGAO, &kept).await;
        world.takes_over(at).await;
        raised.push(world.nodes[at].raise("断着线登记的。").await);
        raised.push(world.nodes[at].raise("又一件。").await);
        world.cut(at, false);
        world.settle().await;
        world.cut(at, true);
        lives.insert(world.nodes[at].store.world().me.incarnation.count());
    }
    assert_eq!(lives.len(), 3, "{lives:?}");
    let mut numbers = BTreeSet::new();
    for doc in &raised {
        let matter = world.nodes[TOWN].actions.matter(&doc.to_string()).await.unwrap();
        assert!(numbers.insert(matter.summary.number), "{numbers:?}");
    }
}

#[tokio::test]
async fn what_the_old_box_said_in_wrong_hands_does_not_count_until_it_is_admitted() {
    let (mut world, doc, kept) = before().await;
    world.cut(LUGAO, true);
    let second = world.second_machine(LUGAO, &kept).await;
    world.takes_over(second).await;
    world.cut(second, false);
    world.settle().await;
    world.pass(600_000, &mut || 1).await;
    let since = Some(instant(world.now));
    world.pass(1_000, &mut || 1).await;
    // Whoever has the old box says more, and it comes in with the box.
    assert!(comment(&world.nodes[LUGAO], &doc, "来路不明的").await);
    world.takes_over(LUGAO).await;
    world.cut(LUGAO, false);
    world.settle().await;
    assert_eq!(comments(&world, TOWN, &doc).await, set(["来路不明的"]));
    let request = |preview| RevokeRequest {
        reason: "旧机器被人动过".into(),
        since: since.clone(),
        preview,
        ..RevokeRequest::default()
    };
    let coming = world.nodes[TOWN].actions.revoke("芦稿村", request(true)).await.unwrap();
    assert!(coming.uncounted.iter().any(|d| d.document == doc), "listed: {coming:?}");
    let ended = world.nodes[TOWN].actions.revoke("芦稿村", request(false)).await.unwrap();
    assert_eq!((ended.kept_keys, ended.link_closed), (1, false), "the place goes on");
    world.settle().await;
    for at in [LUGAO, TOWN, DISTRICT] {
        assert_eq!(comments(&world, at, &doc).await, set([]), "{at}: stored and not counted");
        assert_eq!(
            world.nodes[at].actions.matter(&doc.to_string()).await.unwrap().summary.stage,
            "escalated"
        );
    }
    let admit =
        AdmitRequest {
            reason: "经核实".into(), matters: vec![doc.to_string()], ..AdmitRequest::default()
        };
    assert_eq!(world.nodes[TOWN].actions.admit("芦稿村", admit).await.unwrap().documents, 1);
    world.settle().await;
    for at in [LUGAO, TOWN, DISTRICT] {
        assert_eq!(comments(&world, at, &doc).await, set(["来路不明的"]), "{at}");
    }
    let report = world.audit().await;
    assert!(report.troubles.is_empty(), "{:#?}", report.troubles);
}

#[tokio::test]
async fn a_town_is_taken_over_and_what_only_its_villages_had_seen_goes_on_counting() {
    let mut world = World::begin().await;
    let doc = world.nodes[LUGAO].raise("村口涵洞积水。").await;
    world.nodes[LUGAO].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;
    let kept = world.backup(TOWN).await;
    // After the backup, with no line to the district, the town takes the matter up: only the village sees that. The
    // district does not even see the matter.
    world.cut(TOWN, true);
    world.nodes[TOWN].act(&doc, json!({"act": "accept"})).await.unwrap();
    world.settle().await;
    assert!(!world.nodes[DISTRICT].matters().await.contains(&doc));
    let second = world.second_machine(TOWN, &kept).await;
    world.takes_over(second).await;
    world.cut(second, false);
    // The address is the second machine's now, and the village dials it.
    world.cut(LUGAO, true);
    world.line_of(LUGAO).parent = second;
    world.cut(LUGAO, false);
    world.settle().await;
    for at in [second, LUGAO] {
        let matter = world.nodes[at].actions.matter(&doc.to_string()).await.unwrap();
        assert_eq!(matter.summary.stage, "accepted", "{at}: what the village was told stands");
    }
    world.nodes[second].act(&doc, json!({"act": "handle", "note": "已派人"})).await.unwrap();
    world.settle().await;
    let report = world.audit().await;
    assert!(report.troubles.is_empty(), "{:#?}", report.troubles);
}

#[tokio::test]
async fn what_a_place_owes_by_rule_is_written_once_the_box_has_its_place_back() {
    let mut world = World::begin().await;
    world.settle().await;
    let kept = world.backup(TOWN).await;
    world.cut(TOWN, true);
    let doc = world.nodes[LUGAO].raise("断着线送到镇里的事。").await;
    // It reaches the town, which is told of the other machine before it enters the matter in its register.
    let line = |world: &World, child: usize| world.lines.iter().position(|l| l.child == child).unwrap();
    world.dial(line(&world, LUGAO)).await;
    for _ in 0..20 {
        world.pass(50, &mut || 1).await;
    }
    assert!(world.nodes[TOWN].matters().await.contains(&doc));
    let second = world.second_machine(TOWN, &kept).await;
    world.takes_over(second).await;
    world.cut(TOWN, false);
    world.dial(line(&world, TOWN)).await;
    assert!(!world.nodes[TOWN].store.world().is_active());
    world.project().await;
    world.takes_over(TOWN).await;
    world.settle().await;
    let stubs = world.nodes[DISTRICT].store.stubs(None).await.unwrap();
    assert!(stubs.iter().any(|s| s.matter == doc), "the district sees that there is one");
}

fn instant(ms: u64) -> String {
    let (day, seconds) = (ms / 86_400_000, ms / 1_000 % 86_400);
    let date = yishi_protocol::calendar::Date::from_days(day as i64).unwrap();
    format!("{date}T{:02}:{:02}:{:02}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}
