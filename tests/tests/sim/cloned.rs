//! One village's database copied to a second machine, and both at work at the same time: what either had said
//! yes to is kept and counts, the numbers both used are kept as proof, and the second that calls learns that it
//! is not alone and goes on under a name of its own.

use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use yishi_node::actions::RevokeRequest;
use yishi_protocol::{
    branch,
    commit::Place,
    ids::{ActorId, ChangeHash, DocId},
};
use yishi_tests::sim::{DISTRICT, LUGAO, Node, Shape, TOWN, World, line::Line};

/// A second machine with a copy of the village's folder, nonce and all, on a line of its own to the town.
async fn cloned(world: &mut World) -> usize {
    let kept = world.backup(LUGAO).await;
    let place = Shape::four().places().swap_remove(LUGAO);
    let chain = Shape::four().places().into_iter().take(LUGAO + 1).map(|p| p.cert).collect();
    let folder = tempfile::tempdir().unwrap().keep().join("copy");
    let parent = Some(world.nodes[TOWN].place);
    let node = Node::begin(folder, &place, chain, parent, &[], 99).await.put_back(&kept, true).await;
    node.tick(world.now);
    let at = world.nodes.len();
    world.copied.insert(node.store.world().me.actor);
    world.nodes.push(node);
    world.lines.push(Line { child: at, parent: TOWN, cut: true, connections: Vec::new() });
    at
}

/// Only one of the two is on the line at a time: a newer connection of a place closes the older one.
async fn on_the_line(world: &mut World, one: usize, other: usize) {
    world.cut(other, true);
    world.cut(one, false);
    world.settle().await;
}

async fn counted(world: &World, at: usize, doc: &DocId) -> BTreeSet<String> {
    let matter = world.nodes[at].actions.matter(&doc.to_string()).await.unwrap();
    let comments = matter.timeline.iter().filter(|t| t.kind == "comment" && t.verdict == "counted");
    comments.filter_map(|t| t.text.clone()).collect()
}

/// The changes of a document by number, at one place: more than one where a number was used twice.
async fn numbered(world: &World, at: usize, doc: &DocId) -> BTreeMap<(ActorId, u64), BTreeSet<ChangeHash>> {
    let mut out: BTreeMap<_, BTreeSet<ChangeHash>> = BTreeMap::new();
    for c in world.nodes[at].store.doc_commits(doc).await.unwrap() {
        out.entry((c.commit.actor, c.commit.seq)).or_default().insert(c.commit.hash);
    }
    out
}

fn set<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.map(str::to_owned).into()
}

#[tokio::test]
async fn both_machines_of_a_copy_work_and_nothing_is_lost() {
    let mut world = World::begin().await;
    // Two machines with one past: their neighbour must compare.
    world.watch.excused = true;
    let doc = world.nodes[LUGAO].raise("村口涵洞积水。").await;
    world.nodes[LUGAO].act(&doc, json!({"act": "escalate"})).await.unwrap();
    let quiet = world.nodes[LUGAO].raise("井盖松了。").await;
    world.settle().await;
    world.nodes[TOWN].act(&doc, json!({"act": "accept"})).await.unwrap();
    world.nodes[TOWN].act(&doc, json!({"act": "escalate"})).await.unwrap();
    world.settle().await;

    // Both work, neither on the line: the same author, the same numbers, other words. The copy writes more.
    let copy = cloned(&mut world).await;
    world.cut(LUGAO, true);
    let actor = world.nodes[LUGAO].store.world().me.actor;
    assert_eq!(world.nodes[copy].store.world().me.actor, actor);
    let mut matters = Vec::new();
    for (at, words) in [(LUGAO, ["一号机写的", "一号机又写的"]), (copy, ["二号机写的", "二号机又写的"])]
    {
        for text in words {
            world.nodes[at].act(&doc, json!({"act": "comment", "text": text})).await.unwrap();
        }
        world.nodes[at].act(&quiet, json!({"act": "comment", "text": words[1]})).await.unwrap();
        matters.push(world.nodes[at].raise(words[0]).await);
    }
    for doc in [&doc, &quiet] {
        world.nodes[copy].act(doc, json!({"act": "comment", "text": "二号机第三次写的"})).await.unwrap();
    }
    let all = set(["一号机写的", "一号机又写的", "二号机写的", "二号机又写的", "二号机第三次写的"]);

    // The first calls, then the copy: the town has heard another history in its name, and tells it.
    on_the_line(&mut world, LUGAO, copy).await;
    assert_eq!(counted(&world, TOWN, &doc).await, set(["一号机写的", "一号机又写的"]));
    on_the_line(&mut world, copy, LUGAO).await;
    let renewed = world.nodes[copy].store.world().me.actor;
    assert_ne!(renewed, actor, "the copy goes on under a name of its own");
    assert_eq!(world.nodes[LUGAO].store.world().me.actor, actor);

    // Both work on, together on the matter, and meet again and again.
    for (round, at) in [LUGAO, copy, LUGAO, copy].into_iter().enumerate() {
        let other = LUGAO + copy - at;
        for (who, word) in [(at, "在线"), (other, "离线")] {
            let text = format!("第{round}轮{word}");
            world.nodes[who].act(&doc, json!({"act": "comment", "text": text})).await.unwrap();
        }
        on_the_line(&mut world, at, other).await;
    }
    on_the_line(&mut world, LUGAO, copy).await;

    let everything = counted(&world, TOWN, &doc).await;
    assert!(everything.is_superset(&all) && everything.len() == all.len() + 8, "{everything:?}");
    // Twice used are the two numbers written before either called, and the third the copy had written, which the
    // first machine used before it heard of it; none since. Both are kept as proof everywhere.
    let proof = numbered(&world, TOWN, &doc).await;
    let twice: Vec<_> = proof.iter().filter(|(_, hashes)| hashes.len() > 1).collect();
    assert_eq!(twice.len(), 3, "{twice:?}");
    assert!(twice.iter().all(|((author, _), hashes)| *author == actor && hashes.len() == 2));
    on_the_line(&mut world, copy, LUGAO).await;
    for at in [DISTRICT, LUGAO, copy] {
        assert_eq!(numbered(&world, at, &doc).await, proof, "{at}");
        assert_eq!(counted(&world, at, &doc).await, everything, "acts of both reach the fold at {at}");
    }
    for matter in &matters {
        for at in [TOWN, LUGAO, copy] {
            let shown = world.nodes[at].actions.matter(&matter.to_string()).await.unwrap();
            assert_eq!(shown.summary.stage, "registered", "{matter} at {at}");
        }
    }
    // No Automerge document can hold both: of the two lowest it holds the one with the lower hash, everywhere.
    let commits = world.nodes[DISTRICT].store.doc_commits(&doc).await.unwrap();
    let placed = commits.iter().map(|c| {
        let c = &c.commit;
        (&c.hash, Place { actor: c.actor, seq: c.seq, max_op: c.max_op }, c.deps.as_slice())
    });
    let left_out = branch::left_out(placed);
    let first = twice.first().map(|(_, hashes)| *hashes).unwrap();
    assert!(!left_out.contains(first.first().unwrap()) && left_out.contains(first.last().unwrap()));
    let saved = world.nodes[DISTRICT].actions.document(&doc.to_string()).await.unwrap();
    for at in [TOWN, LUGAO, copy] {
        assert_eq!(world.nodes[at].actions.document(&doc.to_string()).await.unwrap(), saved, "{at}");
    }

    // The key ends: both branches are named, also where nothing later stands on both, so that what either
    // machine wrote goes on counting.
    let request =
        RevokeRequest { reason: "两台机器用同一把钥匙".into(), ..RevokeRequest::default() };
    world.nodes[TOWN].actions.revoke("芦稿村", request).await.unwrap();
    world.cut(copy, true);
    world.settle().await;
    for at in [TOWN, DISTRICT] {
        assert_eq!(counted(&world, at, &doc).await, everything, "after the revocation at {at}");
    }
    let both = set(["一号机又写的", "二号机又写的", "二号机第三次写的"]);
    assert_eq!(counted(&world, TOWN, &quiet).await, both);
}
