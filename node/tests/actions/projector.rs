//! The projector with documents that cannot be read, and after a stop in the middle of reading.

use crate::federation::{Federation, MONDAY_MS};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use yishi_node::{
    actions::{ListQuery, RaiseRequest},
    projector::Projector,
    store::{Batch, NewCommit},
};
use yishi_protocol::{
    commit::Commit,
    ids::{ChangeHash, DocId},
};

async fn raise(node: &crate::federation::Node, body: &str) -> DocId {
    let request = RaiseRequest { body: body.into(), ..RaiseRequest::default() };
    node.actions.raise(None, request).await.unwrap().matter.summary.id
}

async fn listed(node: &crate::federation::Node) -> usize {
    node.actions.matters(ListQuery::default()).await.unwrap().items.len()
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_set_aside_and_the_rest_goes_on() {
    let node = Federation::start().await.lugao;
    let (bad, good) = (raise(&node, "一").await, raise(&node, "二").await);
    let last = node.store.doc_commits(&bad).await.unwrap().pop().unwrap().commit;
    // Bytes that no gate would have let pass, as after damage to the disk.
    let garbage = Commit {
        hash: ChangeHash([9; 32]),
        seq: last.seq + 1,
        deps: vec![last.hash],
        bytes: vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1, 0],
        cover: None,
        ..last
    };
    let commits = vec![NewCommit::from(garbage)];
    node.store.write(Batch { at_ms: MONDAY_MS, commits, ..Batch::default() }).await.unwrap();
    node.project().await;
    assert_eq!(node.store.quarantined().await.unwrap().iter().map(|(d, _)| *d).collect::<Vec<_>>(), [bad]);
    assert_eq!(listed(&node).await, 1);
    assert_eq!(node.matter(&good.to_string()).await.summary.title, "二");
    let error = node.actions.matter(&bad.to_string()).await.unwrap_err();
    assert_eq!(error.code(), "set_aside");
    assert_eq!(node.project().await, 0, "it does not come back by itself");
}

#[tokio::test]
async fn a_document_that_ended_the_program_again_and_again_is_set_aside() {
    let node = Federation::start().await.lugao;
    let (suspect, other) = (raise(&node, "一").await, raise(&node, "二").await);
    let dirty = node.store.dirty_docs(10).await.unwrap();
    let of = |doc: DocId| dirty.iter().copied().filter(|d| d.doc == doc).collect::<Vec<_>>();
    node.store.begin_applying(&dirty, false).await.unwrap();
    // Trying again in the same process counts for nothing.
    for _ in 0..9 {
        node.store.begin_applying(&of(other), false).await.unwrap();
    }
    for _ in 0..3 {
        node.store.begin_applying(&of(suspect), true).await.unwrap();
    }
    let stop = CancellationToken::new();
    let running = tokio::spawn(Projector::new(node.actions.clone()).run(stop.clone()));
    for _ in 0..500 {
        if listed(&node).await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // It also hears of what comes later.
    let later = raise(&node, "三").await;
    for _ in 0..500 {
        if listed(&node).await == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
    let items = node.actions.matters(ListQuery::default()).await.unwrap().items;
    let mut shown: Vec<DocId> = items.into_iter().map(|m| m.id).collect();
    shown.sort();
    let mut expected = vec![other, later];
    expected.sort();
    assert_eq!(shown, expected);
    assert_eq!(node.store.quarantined().await.unwrap()[0].0, suspect);
    node.store.release(&[suspect]).await.unwrap();
    node.project().await;
    assert_eq!(listed(&node).await, 3, "released by a person it is read again");
}
