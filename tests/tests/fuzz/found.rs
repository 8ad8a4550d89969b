//! What the fuzzers found, each as a test of its own: it was mended, and stays so.

use crate::targets::gate::WORLD;
use yishi_protocol::{
    codec::Writer,
    ids::{CertHash, ChangeHash, DocId, Epoch, Hash, PlaceId},
    key::Signature,
    receipt::{Opening, Receipt},
    reconcile::{Visible, print},
    session::{Effect, Event, Session, Start},
    wire::{Ack, Block, BlockError, BlockWriter, CloseCode, Frame, Hello, Reconcile},
};

fn start(head: u64) -> Start {
    Start { cert: CertHash([1; 32]), epoch: Epoch([1; 16]), head, acked: 0, cursor: None }
}

fn hello(in_epoch: Epoch, in_seq: u64) -> Event {
    Event::Frame(Frame::Hello(Hello {
        cert: CertHash([2; 32]),
        epoch: Epoch([2; 16]),
        head: 0,
        acked: 0,
        in_epoch: Some(in_epoch),
        in_seq,
        in_digest: [3; 16],
    }))
}

fn effects(session: &mut Session) -> Vec<Effect> {
    std::iter::from_fn(|| session.poll()).collect()
}

#[test]
fn rows_of_another_life_do_not_let_a_neighbour_acknowledge_what_was_never_sent() {
    let mut session = Session::new(start(9));
    session.handle(hello(Epoch([7; 16]), 1_000));
    effects(&mut session);
    session.handle(Event::Frame(Frame::Ack(Ack { to: 1_000, excluded: vec![], receipt: None })));
    let after = effects(&mut session);
    assert!(!after.iter().any(|e| matches!(e, Effect::Acked(_))), "{after:?}");
    assert!(
        after
            .iter()
            .any(|e| matches!(e, Effect::Close(CloseCode::Protocol, why) if why == "ack_beyond_sent"))
    );
}

/// Both ends put back from backups: the neighbour's new life must not hide that it knows rows which this
/// database has lost, or their numbers would be given twice.
#[test]
fn a_neighbour_in_a_new_life_still_tells_that_this_database_is_old() {
    let old = |in_seq| {
        let cursor = Some((Epoch([6; 16]), 4, [5; 16]));
        let mut session = Session::new(Start { cursor, ..start(9) });
        session.handle(hello(Epoch([1; 16]), in_seq));
        session
    };
    let mut session = old(12);
    assert!(effects(&mut session).iter().any(|e| matches!(e, Effect::RenewLife)), "it has rows up to 12");
    // The same position with another past.
    let mut session = old(9);
    session.handle(Event::Digest(Some([4; 16])));
    assert!(effects(&mut session).iter().any(|e| matches!(e, Effect::RenewLife)), "another past");
    // The same past: only the neighbour's life is new, and the histories are compared.
    let mut session = old(9);
    session.handle(Event::Digest(Some([3; 16])));
    let after = effects(&mut session);
    assert!(after.iter().any(|e| matches!(e, Effect::NeedVisible)), "{after:?}");
    assert!(!after.iter().any(|e| matches!(e, Effect::RenewLife)));
}

#[test]
fn a_document_that_is_asked_for_again_and_again_is_fed_once() {
    let docs: Vec<DocId> = (0..3).map(|n| DocId([n; 32])).collect();
    let visible = Visible(docs.iter().map(|d| (*d, print(d, [&ChangeHash([1; 32])]))).collect());
    let mut session = Session::new(start(3));
    session.handle(hello(Epoch([7; 16]), 3));
    session.handle(Event::Visible(visible, 3));
    session.handle(Event::Frame(Frame::Reconcile(Reconcile::Split { bits: 0, prints: vec![(0, [9; 8])] })));
    session.handle(Event::Frame(Frame::Reconcile(Reconcile::Differ { wanted: vec![1; 60_000] })));
    let refed = effects(&mut session).into_iter().find_map(|e| match e {
        Effect::Refeed { docs, .. } => Some(docs),
        _ => None,
    });
    assert_eq!(refed, Some(vec![docs[1]]));
}

/// Both would pass, each within the bounds of a document, and together be more than can ever be passed on.
#[test]
fn a_document_stands_in_a_block_once() {
    let (fed, documents) = &*WORLD;
    let doc = &documents[1];
    let mut writer = BlockWriter::new();
    for _ in 0..2 {
        writer.section(&doc.section(0, true), &fed.records());
    }
    let bytes = writer.finish((0, 1, [0; 16]), &[], &[], &[]);
    let mut key_of = |hash: &CertHash| fed.directory.get(hash).map(|c| c.key);
    let read = Block::decode(&bytes, fed.directory.federation(), &mut key_of);
    assert_eq!(read.err(), Some(BlockError::DocumentTwice(doc.id)));
}

/// Two steps upward of almost 2⁶³ each are read; written again they overflowed a signed difference.
#[test]
fn an_opening_whose_blocks_lie_far_apart_is_written_as_it_was_read() {
    let receipt = Receipt {
        sender: PlaceId([1; 16]),
        epoch: Epoch([2; 16]),
        from: 0,
        to: 1,
        count: 9,
        root: Hash([3; 32]),
        at_ms: 4,
        level: CertHash([5; 32]),
        signature: Signature([6; 64]),
    };
    let mut w = Writer::new();
    w.uint(1).bytes(&receipt.encode()).uint(2);
    for _ in 0..2 {
        w.uint(1).int(i64::MAX).int(i64::MAX);
    }
    w.uint(0);
    let bytes = w.finish();
    assert_eq!(Opening::decode(&bytes).unwrap().encode(), bytes);
}
