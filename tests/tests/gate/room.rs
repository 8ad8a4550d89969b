//! Nobody fills a document so that those above him cannot act in it.

use crate::federation::{Document, Federation, comment, voices};
use yishi_protocol::{
    audience::Reach, commit::Place, gate::Refusal, ids::ChangeHash, kind::Kind, limits::DOCUMENT_CHANGES_MAX,
    wire::BlockWriter,
};

/// The district's copy of a matter that holds `changes` changes already.
fn full(matter: &Document, changes: usize) -> Document {
    let mut full = matter.clone();
    for n in matter.index.len() as u64..changes as u64 {
        let mut hash = [0xee; 32];
        hash[..8].copy_from_slice(&n.to_be_bytes());
        full.index.insert(
            ChangeHash(hash),
            Place { actor: matter.changes[0].change.actor, seq: 1, max_op: 1 },
            &[],
        );
    }
    full
}

#[test]
fn each_rank_leaves_room_for_those_above() {
    let fed = Federation::new();
    let reach = [Reach::Subtree(fed.district.place)];
    let matter = fed.document(Kind::Proposal, &fed.village, 90, &fed.path());
    let shared = fed.document(Kind::Proposal, &fed.district, 91, &reach);
    let quarter = DOCUMENT_CHANGES_MAX / 4;
    // Beside the path; the home; its parent; the root.
    for (doc, by, quarters) in [
        (&shared, &fed.other_town, 1),
        (&matter, &fed.village, 2),
        (&matter, &fed.town, 3),
        (&matter, &fed.district, 4),
    ] {
        let mut written = doc.clone();
        let change = written.next(by.actor, voices(), comment("再说一句"));
        written.take(&fed, by, change);
        let section = written.section(1, false);
        let judge = |held: usize| {
            let mut writer = BlockWriter::new();
            writer.section(&section, &fed.records());
            fed.judge(writer, &[&full(doc, held)])
                .refused
                .into_iter()
                .map(|(_, _, why)| why)
                .collect::<Vec<_>>()
        };
        assert!(judge(quarter * quarters - 1).is_empty());
        assert_eq!(judge(quarter * quarters), [Refusal::TooLarge]);
    }
}

#[test]
fn what_somebody_above_built_on_passes_with_him() {
    let fed = Federation::new();
    let matter = fed.document(Kind::Proposal, &fed.village, 92, &fed.path());
    let held = full(&matter, DOCUMENT_CHANGES_MAX / 2);
    let mut written = matter.clone();
    let change = written.next(fed.village.actor, voices(), comment("村里的话"));
    written.take(&fed, &fed.village, change);
    let refused = |doc: &Document| {
        let mut writer = BlockWriter::new();
        writer.section(&doc.section(1, false), &fed.records());
        !fed.judge(writer, &[&held]).refused.is_empty()
    };
    assert!(refused(&written));
    let change = written.next(fed.town.actor, voices(), comment("镇里收到"));
    written.take(&fed, &fed.town, change);
    assert!(!refused(&written), "the town had it, and answered: both are one history");
}
