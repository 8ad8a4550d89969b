//! What the gate admits can always be passed on: a section that this node could store but no block of
//! its own could carry would cut it off from everybody above.

use crate::federation::{Document, Federation, comment, voices};
use yishi_protocol::{
    beside::{Beside, What},
    gate::Refusal,
    kind::Kind,
    limits::DOCUMENT_BYTES_MAX,
    wire::{BlockWriter, OutSection},
};

fn block(fed: &Federation, sections: &[OutSection]) -> BlockWriter {
    let mut writer = BlockWriter::new();
    sections.iter().for_each(|s| writer.section(s, &fed.records()));
    writer
}

#[test]
fn a_header_comes_with_its_first_change_whose_signature_proves_who_made_it() {
    let fed = Federation::new();
    let doc = fed.document(Kind::Proposal, &fed.village, 5, &fed.path());
    let mut bare = doc.section(0, true);
    bare.changes.clear();
    let verdicts = fed.judge(block(&fed, &[bare]), &[]);
    assert_eq!(verdicts.refused[0].2, Refusal::Genesis);
    assert!(verdicts.actors.is_empty(), "nobody is believed to be an author without a signature");
}

#[test]
fn both_branches_of_an_actor_that_forked_travel_in_one_section() {
    let fed = Federation::new();
    let doc = fed.matter();
    let next = |words: &str| doc.next(fed.village.actor, voices(), comment(words));
    let (one, other) = (next("一个"), next("另一个"));
    assert_eq!((one.actor, one.seq), (other.actor, other.seq));
    let mut both = doc.clone();
    both.take(&fed, &fed.village, one);
    both.take(&fed, &fed.village, other);
    let from = doc.changes.len();
    let verdicts = fed.judge(block(&fed, &[both.section(from, false)]), &[&doc]);
    assert!(verdicts.refused.is_empty(), "both are stored as proof: {:?}", verdicts.refused);
    assert_eq!(verdicts.stored.len(), 2);
}

#[test]
fn a_change_that_comes_twice_in_one_section_harms_nothing() {
    let fed = Federation::new();
    let doc = fed.matter();
    let mut section = doc.section(0, true);
    section.changes.extend(doc.changes.iter().cloned());
    let verdicts = fed.judge(block(&fed, &[section]), &[]);
    assert!(verdicts.refused.is_empty(), "{:?}", verdicts.refused);
    assert_eq!(verdicts.admitted[0].commits.len(), doc.changes.len());
}

#[test]
fn many_keys_and_widenings_travel_in_one_section_and_keys_belong_to_dossiers() {
    let fed = Federation::new();
    let wraps = |doc: &Document| OutSection {
        wraps: (0..400u32)
            .map(|n| {
                let reader = yishi_protocol::ids::CertHash([n as u8; 32]);
                let what = What::Wrap { reader, bytes: vec![1; yishi_protocol::seal::WRAP_BYTES] };
                let by = &fed.village;
                Beside::new(&by.keys, by.cert, &fed.directory.federation(), &doc.id, what)
            })
            .collect(),
        ..doc.section(0, true)
    };
    let dossier = fed.document(Kind::Dossier, &fed.village, 6, &fed.path());
    let verdicts = fed.judge(block(&fed, &[wraps(&dossier)]), &[]);
    assert_eq!(verdicts.admitted[0].wraps.len(), 400, "{:?}", verdicts.refused);
    let matter = fed.matter();
    let verdicts = fed.judge(block(&fed, &[wraps(&matter)]), &[]);
    assert_eq!(verdicts.refused[0].2, Refusal::NotWriter);
}

#[test]
fn a_document_never_grows_beyond_one_block() {
    let fed = Federation::new();
    let mut doc = fed.matter();
    let full = usize::try_from(DOCUMENT_BYTES_MAX).unwrap() - 1_000;
    let mut known = doc.known();
    known.index.add_bytes(full);
    let from = doc.changes.len();
    for n in 0..20 {
        let change = doc.next(fed.village.actor, voices(), comment(&format!("第 {n} 条：下雨就积水")));
        doc.take(&fed, &fed.village, change);
    }
    let section = doc.section(from, false);
    let mut almost = Document { index: known.index, ..doc.clone() };
    almost.changes.clear();
    let verdicts = fed.judge(block(&fed, &[section]), &[&almost]);
    assert_eq!(verdicts.refused[0].2, Refusal::TooLarge);
}
