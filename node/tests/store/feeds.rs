//! Storing, feeding, widening, acknowledging: what links and the projector rely on.

use crate::federation::*;
use std::collections::{BTreeMap, BTreeSet};
use tempfile::TempDir;
use yishi_node::store::*;
use yishi_protocol::{
    audience::Reach,
    beside::{Beside, What},
    cert::Revocation,
    commit::Commit,
    header::Header,
    ids::{ActorId, CertHash, DocId, Epoch},
    key::Signature,
};

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, up, east) = fed.store(dir.path()).await;
    let reach = [&fed.district, &fed.town, &fed.east].map(|n| Reach::Place(n.place));
    let header = fed.header(&fed.town.clone(), reach);
    let doc = header.doc_id();
    let history = fed.chain(doc, &fed.town, None, 3);
    let batch = Batch { docs: vec![header.clone()], commits: commits(&history), ..Batch::default() };
    let written = store.write(batch).await.unwrap();
    assert_eq!((written.new_commits, written.docs_touched.as_slice()), (3, [doc].as_slice()));
    assert_eq!(written.links_fed, [up, east]);
    let (head, before) = (store.feed_head(up).await.unwrap(), feed(&store, up).await);
    assert_eq!(head.0, 3);
    // Dropped without closing: what was answered is durable.
    drop(store);

    let store = Store::open(dir.path()).await.unwrap();
    assert!(store.life_matches());
    assert_eq!(store.epoch(), Epoch([9; 16]));
    assert_eq!(store.world().me.actor, fed.town.actor());
    assert_eq!(store.feed_head(up).await.unwrap(), head);
    assert_eq!(feed(&store, up).await, before);
    assert_eq!(short(&before), changes(&history));
    let stored = store.doc_commits(&doc).await.unwrap();
    assert_eq!(stored.iter().map(|c| &c.commit).collect::<Vec<_>>(), history.iter().collect::<Vec<_>>());
    let states = store.doc_indexes(&[doc, DocId([0; 32])]).await.unwrap();
    assert_eq!(states.len(), 1);
    assert_eq!(states[&doc].header, header);
    assert_eq!(states[&doc].index.heads(), &BTreeSet::from([history[2].hash]));
    assert_eq!(states[&doc].index.max_op(), 15);
    assert_eq!(store.actor_records(&[fed.town.actor()]).await.unwrap(), [fed.town.record()]);

    // The chain goes on where it stood.
    let more = fed.chain(doc, &fed.town, history.last(), 1);
    store.write(Batch { commits: commits(&more), ..Batch::default() }).await.unwrap();
    let all = feed(&store, up).await;
    assert_eq!(all[..3], before);
    assert_eq!(store.feed_digest(up, 3).await.unwrap(), Some(head.1));
    assert_eq!(store.feed_digest(up, 5).await.unwrap(), None);
    store.close().await.unwrap();
    assert!(matches!(store.write(Batch::default()).await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn duplicates_drop_and_nothing_is_echoed() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, up, east) = fed.store(dir.path()).await;
    let reach = [&fed.district, &fed.town, &fed.east].map(|n| Reach::Place(n.place));
    let header = fed.header(&fed.east.clone(), reach);
    let history = fed.chain(header.doc_id(), &fed.east, None, 4);
    let cursor = Cursor { link: east, epoch: Epoch([3; 16]), seq: 4, digest: [5; 16] };
    let batch = Batch {
        docs: vec![header],
        commits: from_link(&history, 1),
        from: Some(east),
        cursor: Some(cursor),
        ack: Some(GivenAck { link: east, epoch: Epoch([3; 16]), from: 1, to: 4, bytes: vec![1] }),
        at_ms: 77,
        ..Batch::default()
    };
    let written = store.write(batch.clone()).await.unwrap();
    assert_eq!(written.links_fed, [up]);
    // The same again, as after a lost acknowledgement, and twice within one batch.
    let mut again = batch.clone();
    again.commits.extend(batch.commits);
    let written = store.write(again).await.unwrap();
    assert_eq!((written.new_commits, written.docs_touched.len(), written.links_fed.len()), (0, 0, 0));
    assert_eq!(short(&feed(&store, up).await), changes(&history));
    assert_eq!(feed(&store, east).await, []);
    let state = store.link_state(east).await.unwrap();
    assert_eq!((state.in_seq, state.in_digest, state.in_epoch), (4, [5; 16], Some(Epoch([3; 16]))));
    assert_eq!(state.last_contact_ms, Some(77));
    assert_eq!(store.acks_after(east, Epoch([3; 16]), 0).await.unwrap().len(), 1);
    assert_eq!(store.acks_after(east, Epoch([3; 16]), 4).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_widening_sends_the_whole_document_and_later_changes_follow() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, up, east) = fed.store(dir.path()).await;
    let header = fed.matter(&fed.east.clone());
    let doc = header.doc_id();
    let history = fed.chain(doc, &fed.east, None, 3);
    let batch =
        Batch { docs: vec![header], commits: from_link(&history, 1), from: Some(east), ..Batch::default() };
    store.write(batch).await.unwrap();
    assert_eq!(feed(&store, up).await, []);
    assert_eq!(store.visible_docs(up).await.unwrap(), BTreeMap::new());

    // Escalation: the grant and the step that needs it in one batch.
    let grant = fed.grant(doc, &fed.town, Reach::Place(fed.district.place));
    let step = fed.chain(doc, &fed.town, history.last(), 1);
    let batch = Batch { grants: vec![grant.clone()], commits: commits(&step), ..Batch::default() };
    store.write(batch.clone()).await.unwrap();
    let mut expected = vec!["document of 3".to_owned()];
    expected.extend(changes(&step));
    assert_eq!(short(&feed(&store, up).await), expected);
    // The header never travels without the first change, wherever a block ends: changes come first.
    expected.rotate_left(1);
    *expected.last_mut().unwrap() = "grant".into();
    assert_eq!(short(&feed(&store, east).await), expected);
    // Written again it changes nothing.
    assert_eq!(store.write(batch).await.unwrap(), Written::default());

    // The expansion stays what it was, whatever comes later.
    let later = fed.chain(doc, &fed.town, step.last(), 2);
    store.write(Batch { commits: commits(&later), ..Batch::default() }).await.unwrap();
    let all = feed(&store, up).await;
    let FeedItem::Document(whole) = &all[0].item else { panic!("{:?}", all[0]) };
    assert_eq!(
        whole.commits.iter().map(|c| &c.commit).collect::<Vec<_>>(),
        history.iter().collect::<Vec<_>>()
    );
    assert_eq!(whole.grants, [grant]);
    assert_eq!(all.len(), 4);
    let heads = BTreeSet::from([later[1].hash]);
    assert_eq!(store.visible_docs(up).await.unwrap(), BTreeMap::from([(doc, heads)]));
    let states = store.doc_indexes(&[doc]).await.unwrap();
    assert!(states[&doc].audience.0.contains(&Reach::Place(fed.district.place)));
}

#[tokio::test]
async fn a_new_link_gets_what_its_peer_and_those_below_may_see() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, ..) = fed.store(dir.path()).await;
    let (town, west, east) = (fed.town.clone(), fed.west.clone(), fed.east.clone());
    let to_west = fed.matter(&west);
    let to_all = fed.header(&town, [Reach::Subtree(town.place)]);
    let to_east = fed.matter(&east);
    let headers = vec![to_west.clone(), to_all.clone(), to_east];
    let history: Vec<Commit> =
        headers.iter().flat_map(|h| fed.chain(h.doc_id(), &fed.town, None, 2)).collect();
    let batch = Batch { docs: headers, commits: commits(&history), ..Batch::default() };
    store.write(batch).await.unwrap();

    let link = store.open_link(down(&west)).await.unwrap();
    assert_eq!(short(&feed(&store, link).await), ["document of 2", "document of 2"]);
    let visible: BTreeSet<DocId> = store.visible_docs(link).await.unwrap().into_keys().collect();
    assert_eq!(visible, BTreeSet::from([to_west.doc_id(), to_all.doc_id()]));
    // Opening it again changes nothing; closing stops the feed; reopening begins anew.
    assert_eq!(store.open_link(down(&west)).await.unwrap(), link);
    assert_eq!(feed(&store, link).await.len(), 2);
    store.close_link(link).await.unwrap();
    let more = fed.chain(to_all.doc_id(), &town, Some(&history[3]), 1);
    store.write(Batch { commits: commits(&more), ..Batch::default() }).await.unwrap();
    assert_eq!(feed(&store, link).await.len(), 2);
    assert_eq!(store.open_link(down(&west)).await.unwrap(), link);
    assert_eq!(short(&feed(&store, link).await)[2..], ["document of 2", "document of 3"]);
}

#[tokio::test]
async fn a_reader_below_is_reached_once_the_place_between_may_see_it_too() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, _, east) = fed.store(dir.path()).await;
    // A hamlet below the eastern village, unknown here so far.
    let hamlet = child(&mut fed.rng, fed.id, &fed.east.clone(), 6, "一组");
    let town = fed.town.clone();
    let header = fed.header(&town, [Reach::Place(town.place), Reach::Place(hamlet.place)]);
    let doc = header.doc_id();
    let history = fed.chain(doc, &fed.town, None, 2);
    let batch = Batch { docs: vec![header], commits: commits(&history), ..Batch::default() };
    store.write(batch).await.unwrap();
    assert_eq!(feed(&store, east).await, []);
    store.write(Batch { certs: vec![hamlet.cert.clone()], ..Batch::default() }).await.unwrap();
    // The village between would refuse it for good.
    assert!(!short(&feed(&store, east).await).contains(&"document of 2".to_owned()));
    let widened = fed.grant(doc, &fed.town, Reach::Place(fed.east.place));
    store.write(Batch { grants: vec![widened], ..Batch::default() }).await.unwrap();
    assert_eq!(short(&feed(&store, east).await).last().map(String::as_str), Some("document of 2"));
}

#[tokio::test]
async fn a_failing_job_takes_nobody_with_it() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, up, _) = fed.store(dir.path()).await;
    let town = fed.town.clone();
    let reach = [&fed.town, &fed.district].map(|n| Reach::Place(n.place));
    let mut batches = Vec::new();
    for i in 0..30 {
        let header = fed.header(&town, reach);
        let mut history = fed.chain(header.doc_id(), &town, None, 2);
        if i % 3 == 1 {
            // Fails after its header and first change were taken.
            history[1].actor = ActorId([0; 16]);
        }
        batches.push(Batch { docs: vec![header], commits: commits(&history), ..Batch::default() });
    }
    let jobs: Vec<_> = batches
        .into_iter()
        .map(|batch| {
            let store = store.clone();
            tokio::spawn(async move { store.write(batch).await })
        })
        .collect();
    let mut stored = 0;
    for (i, job) in jobs.into_iter().enumerate() {
        let result = job.await.unwrap();
        if i % 3 == 1 {
            assert!(matches!(result, Err(StoreError::UnknownActor(_))), "{result:?}");
        } else {
            stored += result.unwrap().new_commits;
        }
    }
    assert_eq!(stored, 40);
    let all = feed(&store, up).await;
    assert_eq!(all.iter().map(|e| e.seq).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
    assert_eq!(store.dirty_count().await.unwrap(), 20);
    // Memory and disk agree after all those rollbacks.
    let head = store.feed_head(up).await.unwrap();
    drop(store);
    let store = Store::open(dir.path()).await.unwrap();
    assert_eq!(store.feed_head(up).await.unwrap(), head);
    let header = fed.header(&town, reach);
    let history = fed.chain(header.doc_id(), &town, None, 1);
    store.write(Batch { docs: vec![header], commits: commits(&history), ..Batch::default() }).await.unwrap();
    assert_eq!(store.feed_head(up).await.unwrap().0, 41);
}

#[tokio::test]
async fn a_failed_batch_leaves_the_world_as_it_was() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, ..) = fed.store(dir.path()).await;
    let hamlet = child(&mut fed.rng, fed.id, &fed.east.clone(), 6, "一组");
    let header = fed.matter(&fed.east.clone());
    let stray = fed.chain(header.doc_id(), &fed.east, None, 1);
    let batch = Batch { certs: vec![hamlet.cert.clone()], commits: commits(&stray), ..Batch::default() };
    assert!(matches!(store.write(batch).await, Err(StoreError::UnknownDocument(d)) if d == header.doc_id()));
    assert!(store.world().directory.get(&hamlet.hash()).is_none());
    // Not remembered as known either.
    store.write(Batch { certs: vec![hamlet.cert.clone()], ..Batch::default() }).await.unwrap();
    assert!(store.world().directory.get(&hamlet.hash()).is_some());
    drop(store);
    let store = Store::open(dir.path()).await.unwrap();
    assert!(store.world().directory.get(&hamlet.hash()).is_some());
}

#[tokio::test]
async fn acknowledgements_mark_what_is_stored_above_and_travel_down() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, up, east) = fed.store(dir.path()).await;
    let all = [&fed.district, &fed.town, &fed.east].map(|n| Reach::Place(n.place));
    let (theirs, ours) = (fed.header(&fed.east.clone(), all), fed.header(&fed.town.clone(), all));
    let a = fed.chain(theirs.doc_id(), &fed.east, None, 3);
    let b = fed.chain(ours.doc_id(), &fed.town, None, 2);
    let batch =
        Batch { docs: vec![theirs.clone()], commits: from_link(&a, 5), from: Some(east), ..Batch::default() };
    store.write(batch).await.unwrap();
    let batch = Batch { docs: vec![ours.clone()], commits: commits(&b), ..Batch::default() };
    store.write(batch).await.unwrap();
    let ack = async |from_seq, to_seq, refused: &[u64]| {
        let sent = store.fed_commits(up, from_seq, to_seq).await.unwrap();
        let ack = Acknowledged {
            link: up,
            from_seq,
            to_seq,
            level_place: fed.district.place,
            receipt: vec![to_seq as u8; 40],
            stored: sent.iter().filter(|c| !refused.contains(&c.seq)).map(|c| c.row).collect(),
            at_ms: 5,
        };
        store.acknowledged(ack).await
    };
    assert!(matches!(ack(0, 6, &[]).await, Err(StoreError::BeyondFeed { seq: 6, head: 5 })));
    assert!(matches!(ack(3, 5, &[]).await, Err(StoreError::BeyondFeed { seq: 3, head: 0 })));
    ack(0, 4, &[2]).await.unwrap();
    let up_to = |doc| {
        let store = store.clone();
        async move {
            let commits = store.doc_commits(&doc).await.unwrap();
            commits.iter().map(|c| c.stored_up).collect::<Vec<_>>()
        }
    };
    assert_eq!(up_to(theirs.doc_id()).await, [1, 0, 1]);
    assert_eq!(up_to(ours.doc_id()).await, [1, 0]);
    // Sent anew and stored after all: said again, and the cursor stays.
    ack(0, 4, &[]).await.unwrap();
    assert_eq!(up_to(theirs.doc_id()).await, [1, 1, 1]);
    ack(4, 5, &[]).await.unwrap();
    assert_eq!(store.stored_up(&[ours.doc_id(), theirs.doc_id()]).await.unwrap()[&ours.doc_id()], 1);
    // Only the first receipt covered something from the village; its own two changes come before it.
    let down: Vec<String> = short(&feed(&store, east).await);
    let mut expected = changes(&b);
    expected.push("receipt 1".into());
    assert_eq!(down, expected);
    assert_eq!(store.receipts(up, 0, 5).await.unwrap().len(), 2);
    let fed_up = store.fed_commits(up, 0, 4).await.unwrap();
    assert_eq!(fed_up.len(), 4);
    assert_eq!(fed_up[1].origin, Some(Origin { link: east, seq: 6, ord: 0 }));
    assert_eq!(fed_up[3].origin, None);

    // The level above the parent, by name.
    let receipt = NewReceipt {
        level: 2,
        level_place: fed.district.place,
        link: up,
        from_seq: 1,
        to_seq: 5,
        bytes: vec![9; 80],
        commits: a.iter().map(|c| (c.doc, c.hash)).collect(),
    };
    store.write(Batch { receipts: vec![receipt], from: Some(up), ..Batch::default() }).await.unwrap();
    assert_eq!(up_to(theirs.doc_id()).await, [2, 2, 2]);
    assert_eq!(short(&feed(&store, east).await).last().unwrap(), "receipt 2");
}

#[tokio::test]
async fn revocations_go_to_every_other_link_and_refold_what_they_touch() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, up, east) = fed.store(dir.path()).await;
    let header = fed.matter(&fed.west.clone());
    let history = fed.chain(header.doc_id(), &fed.west, None, 1);
    let batch = Batch { docs: vec![header.clone()], commits: commits(&history), ..Batch::default() };
    store.write(batch).await.unwrap();
    let waiting = store.dirty_docs(10).await.unwrap();
    store.undirty(waiting).await.unwrap();
    let revocation = Revocation {
        federation: fed.id,
        cert: fed.west.hash(),
        reason: "机器被盗".into(),
        last_valid: Vec::new(),
        still_valid: Vec::new(),
        issuer: fed.district.hash(),
        signature: Signature([0; 64]),
    }
    .issued_by(&fed.district.keys);
    let batch = Batch { revocations: vec![revocation], from: Some(up), ..Batch::default() };
    store.write(batch.clone()).await.unwrap();
    store.write(batch).await.unwrap();
    assert!(store.world().directory.is_revoked(&fed.west.hash()));
    assert_eq!(short(&feed(&store, east).await), ["revocation"]);
    assert_eq!(feed(&store, up).await, []);
    let dirty = store.dirty_docs(10).await.unwrap();
    assert_eq!(dirty.iter().map(|d| d.doc).collect::<Vec<_>>(), [header.doc_id()]);
}

#[tokio::test]
async fn wrapped_keys_follow_their_document_and_can_be_forgotten() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, up, east) = fed.store(dir.path()).await;
    let header = fed.matter(&fed.town.clone());
    let to_east = fed.grant(header.doc_id(), &fed.town, Reach::Place(fed.east.place));
    let doc = header.doc_id();
    let history = fed.chain(doc, &fed.town, None, 1);
    let record = |what: What| Beside { by: CertHash([9; 32]), what, signature: Signature([0; 64]) };
    let wrap =
        |reader: u8| (doc, record(What::Wrap { reader: CertHash([reader; 32]), bytes: vec![reader; 81] }));
    let batch = Batch {
        docs: vec![header],
        grants: vec![to_east],
        commits: commits(&history),
        wraps: vec![wrap(1), wrap(2)],
        ..Batch::default()
    };
    store.write(batch.clone()).await.unwrap();
    assert_eq!(store.write(batch).await.unwrap(), Written::default());
    let mut expected = changes(&history);
    expected.extend(["grant", "wrap", "wrap"].map(String::from));
    assert_eq!(short(&feed(&store, east).await), expected);
    // Whoever sees the document later gets the keys with it.
    let to_district = fed.grant(doc, &fed.town, Reach::Place(fed.district.place));
    store.write(Batch { grants: vec![to_district], ..Batch::default() }).await.unwrap();
    let FeedItem::Document(whole) = &feed(&store, up).await[0].item else { panic!() };
    assert_eq!(whole.wraps.len(), 2);

    // Forgotten keys leave their rows in the feeds; the word to forget and this node's word that it has
    // follow, and a key that comes later is not kept.
    let forget = record(What::Forget { on: 20_700, reason: "本人要求".into() });
    store.write(Batch { wraps: vec![(doc, forget)], ..Batch::default() }).await.unwrap();
    store.write(Batch { wraps: vec![wrap(3)], ..Batch::default() }).await.unwrap();
    let rows = feed(&store, east).await;
    expected[2..4].fill("gone".into());
    expected.extend(["grant".into(), "wrap".into(), "wrap".into()]);
    assert_eq!(short(&rows), expected);
    assert!(matches!(&rows[6].item, FeedItem::Wrap { record, .. } if record.what == What::Forgotten));
    let kept = store.document(&doc).await.unwrap().unwrap().wraps;
    assert!(kept.len() == 2 && kept.iter().all(|r| !matches!(r.what, What::Wrap { .. })), "{kept:?}");
    assert!(store.is_forgotten(&doc).await.unwrap());
    // No file of the node holds what was wrapped.
    for file in std::fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().path()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(40).any(|w| w == [1; 40] || w == [2; 40]), "{}", file.display());
    }
}

#[tokio::test]
async fn the_queue_keeps_what_changed_while_it_was_being_folded() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, ..) = fed.store(dir.path()).await;
    let header = fed.matter(&fed.town.clone());
    let doc = header.doc_id();
    let history = fed.chain(doc, &fed.town, None, 2);
    let batch = Batch { docs: vec![header], commits: commits(&history[..1]), ..Batch::default() };
    store.write(batch).await.unwrap();
    let taken = store.dirty_docs(10).await.unwrap();
    store.begin_applying(&taken, false).await.unwrap();
    assert_eq!(store.interrupted().await.unwrap(), [(doc, 1)]);
    store.write(Batch { commits: commits(&history[1..]), ..Batch::default() }).await.unwrap();
    store.undirty(taken).await.unwrap();
    assert_eq!(store.interrupted().await.unwrap(), []);
    let taken = store.dirty_docs(10).await.unwrap();
    assert_eq!(taken.len(), 1);
    store.undirty(taken).await.unwrap();
    assert_eq!(store.dirty_count().await.unwrap(), 0);
    store.quarantine(doc, "读取时程序退出".into(), 1).await.unwrap();
    assert_eq!(store.quarantined().await.unwrap().len(), 1);
    store.release(&[doc]).await.unwrap();
    assert_eq!(store.dirty_docs(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn pages_of_a_feed_join_without_gap() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, up, _) = fed.store(dir.path()).await;
    let reach = [&fed.town, &fed.district].map(|n| Reach::Place(n.place));
    let town = fed.town.clone();
    let headers: Vec<Header> = (0..70).map(|_| fed.header(&town, reach)).collect();
    let history: Vec<Commit> = headers.iter().flat_map(|h| fed.chain(h.doc_id(), &town, None, 9)).collect();
    let batch = Batch { docs: headers, commits: commits(&history), ..Batch::default() };
    let mut news = store.news();
    store.write(batch).await.unwrap();
    assert_eq!(news.recv().await.unwrap().new_commits, 630);
    let (mut seq, mut all) = (0, Vec::new());
    loop {
        let page = store.feed_after(up, seq, 100, 20_000).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 57, "{}", page.len());
        seq = last.seq;
        all.extend(page);
    }
    assert_eq!(all, feed(&store, up).await);
    assert_eq!(short(&all), changes(&history));
}
