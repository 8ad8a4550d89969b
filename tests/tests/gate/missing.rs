//! What a later arrival can change is no final refusal (rule R13).

use crate::federation::{Document, Federation, comment, voices};
use yishi_protocol::{
    audience::{Grant, Reach},
    cert::Directory,
    commit::Place,
    gate::Refusal,
    ids::ChangeHash,
    kind::Kind,
    wire::BlockWriter,
};

/// The district as it is before it has heard of the village.
fn unaware(fed: &Federation) -> Federation {
    let mut less = Federation::new();
    let root = fed.directory.get(&fed.district.cert).unwrap().clone();
    let mut directory = Directory::new(root).unwrap();
    directory.add(fed.directory.get(&fed.town.cert).unwrap().clone()).unwrap();
    less.directory = directory;
    less
}

/// Why the section is refused where the block's certificates could not be taken in.
fn refusal(at: &Federation, section: &yishi_protocol::wire::OutSection, known: &[&Document]) -> Refusal {
    let fed = Federation::new();
    let mut writer = BlockWriter::new();
    writer.section(section, &fed.records());
    at.judge_read(&fed.read(writer), known).refused.remove(0).2
}

#[test]
fn a_certificate_that_is_not_here_yet_may_come() {
    let fed = Federation::new();
    let less = unaware(&fed);
    // Of a document's creator, of a change's author, of who widens.
    let new = fed.document(Kind::Proposal, &fed.village, 70, &fed.path());
    assert_eq!(refusal(&less, &new.section(0, true), &[]), Refusal::UnknownCertificate);
    let path = [fed.town.place, fed.district.place, fed.village.place].map(Reach::Place);
    let of_town = fed.document(Kind::Proposal, &fed.town, 71, &path);
    let mut written = of_town.clone();
    let change = written.next(fed.village.actor, voices(), comment("村里的话"));
    written.take(&fed, &fed.village, change);
    assert_eq!(refusal(&less, &written.section(1, false), &[&of_town]), Refusal::UnknownCertificate);
    let mut widened = of_town.section(0, true);
    let federation = fed.directory.federation();
    let reach = Reach::Subtree(fed.village.place);
    widened.grants = vec![Grant::new(&fed.village.keys, &federation, of_town.id, reach, fed.village.cert)];
    assert_eq!(refusal(&less, &widened, &[&of_town]), Refusal::UnknownCertificate);
    // With the certificate all of it passes.
    for (section, known) in [(new.section(0, true), vec![]), (written.section(1, false), vec![&of_town])] {
        let mut writer = BlockWriter::new();
        writer.section(&section, &fed.records());
        assert!(fed.judge(writer, &known).refused.is_empty());
    }
}

#[test]
fn two_changes_whose_hashes_begin_alike_heal_by_the_whole_document() {
    let fed = Federation::new();
    let matter = fed.matter();
    let mut next = matter.clone();
    let change = next.next(fed.town.actor, voices(), comment("收到"));
    next.take(&fed, &fed.town, change);
    let from = matter.changes.len();
    // Somebody ground a change whose hash begins as that of the newest one.
    let mut alike = matter.clone();
    let mut hash = matter.changes[from - 1].hash;
    hash.0[31] ^= 1;
    alike.index.insert(hash, Place { actor: fed.other_town.actor, seq: 1, max_op: 9 }, &[]);
    let live = next.section(from, false);
    assert_eq!(refusal(&fed, &live, &[&alike]), Refusal::AmbiguousDependency);
    assert!(Refusal::AmbiguousDependency.asks_for_reconciliation());
    // Reconciled, the document comes whole: what stands on what is then told by position.
    let mut writer = BlockWriter::new();
    writer.section(&next.section(0, true), &fed.records());
    let verdicts = fed.judge(writer, &[&alike]);
    assert!(verdicts.refused.is_empty(), "{:?}", verdicts.refused);
    let came: Vec<ChangeHash> = verdicts.admitted[0].commits.iter().map(|(_, c)| c.hash).collect();
    assert_eq!(came, [next.changes[from].hash]);
}
