//! What a township's own key lets it try.

use crate::federation::{Document, Federation, act, ballot, certificate, comment, register, steps, voices};
use yishi_protocol::{
    act::{Decision, Step, Text, container_of},
    audience::{Audience, Grant, GrantError, Reach},
    cert::{CertError, Certificate, Directory},
    change::{self, Body, Change},
    commit::{Cover, Place},
    gate::Refusal,
    ids::{ActorId, ChangeHash, Incarnation, PlaceId},
    key::SecretKeys,
    kind::Kind,
    limits::DOCUMENT_CHANGES_MAX,
    value::Value,
    wire::{BlockWriter, DocRef, OutChange, OutSection},
};

/// The town's own next comment in a document, rightly signed.
fn honest_comment(fed: &Federation, doc: &Document) -> OutSection {
    let change = doc.next(fed.town.actor, voices(), comment("情况属实"));
    doc.with(change, |hash| Some(fed.sign(&fed.town, &doc.id, hash)))
}

#[test]
fn what_is_honest_passes() {
    let fed = Federation::new();
    let matter = fed.matter();
    let mut writer = BlockWriter::new();
    writer.section(&honest_comment(&fed, &matter), &fed.records());
    let verdicts = fed.judge(writer, &[&matter]);
    assert!(verdicts.refused.is_empty(), "{:?}", verdicts.refused);
    assert_eq!(verdicts.admitted[0].commits.len(), 1);
    assert_eq!(verdicts.actors, [fed.town.record()]);
}

#[test]
fn a_village_s_vote_cannot_be_altered() {
    let fed = Federation::new();
    let whole = fed.matter();
    // The district has everything up to the ballot; the town delivers the ballot turned round, under the
    // signature the village made.
    let mut before = whole.clone();
    before.changes.truncate(2);
    before.index = Default::default();
    for out in &before.changes {
        let max_op = out.change.max_op();
        let place = Place { actor: out.change.actor, seq: out.change.seq, max_op };
        before.index.insert(out.hash, place, &out.change.deps);
    }
    let mut altered = whole.changes[2].clone();
    let Body::Act { value, .. } = &mut altered.change.body else { panic!("the ballot is an act") };
    assert_eq!(value.insert("in_favour".into(), Value::Int(3)), Some(Value::Int(17)));
    assert_eq!(value.insert("against".into(), Value::Int(17)), Some(Value::Int(3)));
    altered.hash = change::encode(&altered.change).unwrap().hash;
    let mut section = before.section(2, false);
    section.changes = vec![altered.clone()];
    fed.refused(&[&before], &Refusal::BadSignature, |w| w.section(&section, &fed.records()));
    // Signed anew with the town's key, under either certificate.
    altered.cover = Some(fed.sign(&fed.town, &whole.id, &altered.hash));
    section.changes = vec![altered.clone()];
    fed.refused(&[&before], &Refusal::WrongActor, |w| w.section(&section, &fed.records()));
    altered.cover = altered.cover.map(|c| Cover { cert: fed.village.cert, ..c });
    section.changes = vec![altered];
    fed.refused(&[&before], &Refusal::BadSignature, |w| w.section(&section, &fed.records()));
    // And a second ballot of the town's invention in the village's name.
    let change = whole.next(fed.village.actor, voices(), act(ballot(0, 20)));
    let section = whole.with(change, |hash| Some(fed.sign(&fed.town, &whole.id, hash)));
    fed.refused(&[&whole], &Refusal::WrongActor, |w| w.section(&section, &fed.records()));
}

#[test]
fn a_run_of_changes_is_not_vouched_for_by_somebody_else_on_top() {
    let fed = Federation::new();
    let matter = fed.matter();
    let unsigned = matter.next(fed.town.actor, voices(), comment("不签名"));
    let section = matter.with(unsigned, |_| None);
    fed.refused(&[&matter], &Refusal::Uncovered, |w| w.section(&section, &fed.records()));
    // A withdrawal in the village's name without a signature, and the town's signed comment above it.
    let withdrawal = Step::Withdraw { reason: None };
    let mut forged = matter.clone();
    forged.step(&fed, &fed.village, withdrawal);
    forged.voice(&fed, &fed.town, yishi_protocol::act::Voice::Support { count: None, note: None });
    let at = matter.changes.len();
    forged.changes[at].cover = None;
    let section = forged.section(at, false);
    fed.refused(&[&matter], &Refusal::Uncovered, |w| w.section(&section, &fed.records()));
}

#[test]
fn an_actor_is_its_signer_s_and_nobody_else_s() {
    let fed = Federation::new();
    let matter = fed.matter();
    // Whose actor is in nobody's record.
    let change = matter.next(ActorId([9; 16]), voices(), comment("无名氏"));
    let section = matter.with(change, |hash| Some(fed.sign(&fed.town, &matter.id, hash)));
    let bytes = change::encode(&section.changes[0].change).unwrap().bytes;
    fed.refused(&[&matter], &Refusal::WrongActor, |w| w.raw_section(&matter.id, &bytes));
    // Another life of the village's database, which the village never had, signed by the town.
    let life = ActorId::of(&fed.village.keys.public(), Incarnation(8));
    let change = matter.next(life, voices(), comment("换一个身份"));
    let section = matter.with(change, |hash| Some(fed.sign(&fed.town, &matter.id, hash)));
    let mut records = fed.records();
    records.insert(
        life,
        yishi_protocol::commit::ActorRecord {
            actor: life,
            cert: fed.village.cert,
            incarnation: Incarnation(8),
        },
    );
    fed.refused(&[&matter], &Refusal::WrongActor, |w| w.section(&section, &records));
}

#[test]
fn no_document_is_made_in_another_place_s_name() {
    let fed = Federation::new();
    let home = |header: yishi_protocol::header::Header, cover_by: &dyn Fn(&ChangeHash) -> Cover| {
        let genesis = Change::genesis(header.creator_actor(), Kind::Proposal);
        let hash = change::encode(&genesis).unwrap().hash;
        let doc = header.doc_id();
        let changes = vec![OutChange { hash, change: genesis, cover: Some(cover_by(&hash)) }];
        OutSection { doc, header: Some(header), grants: vec![], wraps: vec![], changes }
    };
    // The town's key, the village's place.
    let mut header = fed.header(Kind::Proposal, &fed.town, 7, &fed.path());
    header.home = fed.village.place;
    let doc = header.doc_id();
    let section = home(header, &|hash| fed.sign(&fed.town, &doc, hash));
    fed.refused(&[], &Refusal::WrongHome, |w| w.section(&section, &fed.records()));
    // The village's key and place, and the signature the village gave its other genesis, which has the
    // very same bytes: the signature names the document.
    let matter = fed.matter();
    let header = fed.header(Kind::Proposal, &fed.village, 8, &fed.path());
    let old = matter.changes[0].cover.unwrap();
    let section = home(header, &|hash| {
        assert_eq!(*hash, matter.changes[0].hash);
        old
    });
    fed.refused(&[], &Refusal::BadSignature, |w| w.section(&section, &fed.records()));
    // Shown to a place beside the creator's path.
    let header = fed.header(Kind::Proposal, &fed.town, 9, &{
        let mut reach = fed.path().to_vec();
        reach.push(Reach::Place(fed.other_town.place));
        reach
    });
    let doc = header.doc_id();
    let section = home(header, &|hash| fed.sign(&fed.town, &doc, hash));
    fed.refused(&[], &Refusal::Reach, |w| w.section(&section, &fed.records()));
    // A genesis of the town in the village's document.
    let genesis = Change::genesis(fed.town.actor, Kind::Proposal);
    let hash = change::encode(&genesis).unwrap().hash;
    let bytes = change::encode(&genesis).unwrap().bytes;
    assert_ne!(hash, matter.changes[0].hash);
    fed.refused(&[&matter], &Refusal::Genesis, |w| {
        w.author(fed.town.record());
        w.raw_section(&matter.id, &bytes);
    });
}

#[test]
fn an_act_cannot_be_carried_into_another_document() {
    let fed = Federation::new();
    let matter = fed.matter();
    let registered = &matter.changes[1];
    for (nonce, reach, why) in [
        (20, fed.path().to_vec(), Refusal::BadSignature),
        (21, vec![Reach::Place(fed.town.place), Reach::Place(fed.district.place)], Refusal::AuthorOutside),
    ] {
        let own = fed.document(Kind::Proposal, &fed.town, nonce, &reach);
        // Fitted to its new place, with the signature it had in the old.
        let mut copy = own.next(fed.village.actor, steps(), act(register()));
        let Body::Act { value, .. } = &registered.change.body else { panic!("an act") };
        if let Body::Act { value: copied, .. } = &mut copy.body {
            copied.clone_from(value);
        }
        let mut section = own.section(0, true);
        section.changes.extend(own.with(copy, |_| registered.cover).changes);
        fed.refused(&[], &why, |w| w.section(&section, &fed.records()));
    }
    // Verbatim: it stands on a genesis that is not the document's.
    let own = fed.document(Kind::Proposal, &fed.town, 22, &fed.path());
    let mut section = own.section(1, false);
    section.changes.push(registered.clone());
    fed.refused(&[&own], &Refusal::MissingDependency, |w| w.section(&section, &fed.records()));
}

#[test]
fn only_the_deciding_place_writes_its_decision() {
    let fed = Federation::new();
    let reach = [Reach::Subtree(fed.district.place)];
    let mut outcome = fed.document(Kind::Outcome, &fed.district, 1, &reach);
    let decisions = container_of(Kind::Outcome, "decisions").unwrap();
    let answer = |words: &str| act(Decision::Answer { text: Text(words.into()) });
    let decided = outcome.next(fed.district.actor, decisions, answer("改造"));
    outcome.take(&fed, &fed.district, decided);
    let change = outcome.next(fed.town.actor, decisions, answer("改为不办"));
    let section = outcome.with(change, |hash| Some(fed.sign(&fed.town, &outcome.id, hash)));
    fed.refused(&[&outcome], &Refusal::NotWriter, |w| w.section(&section, &fed.records()));
}

#[test]
fn what_is_not_for_the_district_does_not_get_in() {
    let fed = Federation::new();
    let reach = [fed.village.place, fed.town.place].map(Reach::Place);
    let mut hidden = fed.document(Kind::Proposal, &fed.village, 30, &reach);
    hidden.step(&fed, &fed.village, register());
    fed.refused(&[], &Refusal::NotForUs, |w| w.section(&hidden.section(0, true), &fed.records()));
    // Under a grant that the township next door has no right to give.
    let federation = fed.directory.federation();
    let to_district = Reach::Place(fed.district.place);
    let mut section = hidden.section(0, true);
    let by_other = Grant::new(&fed.other_town.keys, &federation, hidden.id, to_district, fed.other_town.cert);
    section.grants = vec![by_other];
    fed.refused(&[], &Refusal::Grant(GrantError::GranterOutside), |w| w.section(&section, &fed.records()));
    // In the village's name.
    let forged = Grant::new(&fed.town.keys, &federation, hidden.id, to_district, fed.village.cert);
    section.grants = vec![forged];
    fed.refused(&[], &Refusal::Grant(GrantError::Forged), |w| w.section(&section, &fed.records()));
    // The town itself may: it escalates.
    let right = Grant::new(&fed.town.keys, &federation, hidden.id, to_district, fed.town.cert);
    section.grants = vec![right];
    let mut writer = BlockWriter::new();
    writer.section(&section, &fed.records());
    let verdicts = fed.judge(writer, &[]);
    assert!(verdicts.refused.is_empty(), "{:?}", verdicts.refused);
    assert_eq!(verdicts.admitted[0].grants, section.grants);
}

#[test]
fn a_grant_beside_the_granter_s_path_takes_its_whole_section_with_it() {
    let fed = Federation::new();
    let matter = fed.matter();
    let federation = fed.directory.federation();
    let beside = Reach::Place(fed.other_town.place);
    let mut section = honest_comment(&fed, &matter);
    section.grants = vec![Grant::new(&fed.town.keys, &federation, matter.id, beside, fed.town.cert)];
    fed.refused(&[&matter], &Refusal::Grant(GrantError::NotOnPath), |w| {
        w.section(&section, &fed.records());
    });
    let above = Reach::Subtree(fed.district.place);
    section.grants = vec![Grant::new(&fed.town.keys, &federation, matter.id, above, fed.town.cert)];
    fed.refused(&[&matter], &Refusal::Grant(GrantError::NotOnPath), |w| {
        w.section(&section, &fed.records());
    });
}

#[test]
fn another_federation_s_documents_and_certificates_mean_nothing() {
    let fed = Federation::new();
    let stranger = SecretKeys::from_bytes(&[77; 64]);
    let root = Certificate::root(&stranger, PlaceId([1; 16]), "510113000000", "青白江区", "district");
    let theirs = Directory::new(root.clone()).unwrap();
    let mut ours = fed.directory.clone();
    assert_eq!(ours.add(root), Err(CertError::OtherFederation));
    let mut issued = certificate(&theirs, &fed.district, &stranger, 40);
    assert_eq!(ours.add(issued.clone()), Err(CertError::OtherFederation));
    issued.federation = Some(fed.directory.federation());
    assert_eq!(ours.add(issued), Err(CertError::Forged), "the issuer never signed that");

    // On the wire the federation is not said at all: a document of another one gets another id here, and
    // its signatures do not hold.
    let mut foreign = fed.document(Kind::Proposal, &fed.town, 41, &fed.path());
    foreign.header.federation = theirs.federation();
    let there = foreign.header.doc_id();
    let message =
        fed.town.keys.sign_commit(&theirs.federation(), &there, &foreign.changes[0].hash, &fed.town.cert);
    foreign.changes[0].cover = Some(Cover { cert: fed.town.cert, signature: message });
    fed.refused(&[], &Refusal::BadSignature, |w| w.section(&foreign.section(0, true), &fed.records()));
    // And where it is said, it is refused for that.
    let mut writer = BlockWriter::new();
    writer.section(&foreign.section(0, true), &fed.records());
    let mut block = fed.read(writer);
    block.sections[0].doc = DocRef::New(Box::new(foreign.header));
    let verdicts = fed.judge_read(&block, &[]);
    assert_eq!(verdicts.refused[0].2, Refusal::OtherFederation);
    assert!(verdicts.admitted.is_empty() && verdicts.stored.is_empty());
}

#[test]
fn a_replay_is_taken_and_changes_nothing() {
    let fed = Federation::new();
    let matter = fed.matter();
    for (from, with_header) in [(0, true), (2, false)] {
        let mut writer = BlockWriter::new();
        writer.section(&matter.section(from, with_header), &fed.records());
        let verdicts = fed.judge(writer, &[&matter]);
        assert!(verdicts.refused.is_empty(), "{:?}", verdicts.refused);
        let taken = &verdicts.admitted[0];
        assert!(taken.commits.is_empty() && taken.new_header.is_none() && taken.grants.is_empty());
        // The receipt covers it all the same: it is stored here.
        let hashes: Vec<ChangeHash> = matter.changes[from..].iter().map(|c| c.hash).collect();
        assert_eq!(verdicts.stored.iter().map(|(_, h)| *h).collect::<Vec<_>>(), hashes);
        // At most a signature that was not kept before is new.
        assert!(taken.covers.iter().all(|(hash, _)| hashes.contains(hash)));
    }
}

#[test]
fn withholding_is_noticed_and_asks_for_reconciliation() {
    let fed = Federation::new();
    let matter = fed.matter();
    // The ballot is left out: what follows stands on it.
    let mut known = matter.clone();
    known.index = Default::default();
    for out in &matter.changes[..2] {
        let place = Place { actor: out.change.actor, seq: out.change.seq, max_op: out.change.max_op() };
        known.index.insert(out.hash, place, &out.change.deps);
    }
    fed.refused(&[&known], &Refusal::MissingDependency, |w| {
        w.section(&matter.section(3, false), &fed.records());
    });
    // The document's beginning is left out.
    fed.refused(&[], &Refusal::UnknownDocument, |w| {
        w.section(&matter.section(2, false), &fed.records());
    });
    assert!(Refusal::MissingDependency.asks_for_reconciliation());
    assert!(Refusal::UnknownDocument.asks_for_reconciliation());
    assert!(Refusal::AmbiguousDependency.asks_for_reconciliation());
    assert!(Refusal::UnknownCertificate.asks_for_reconciliation());
    for lasting in [
        Refusal::NotForUs,
        Refusal::OtherFederation,
        Refusal::WrongHome,
        Refusal::Reach,
        Refusal::Grant(GrantError::NotOnPath),
        Refusal::Genesis,
        Refusal::Change(String::new()),
        Refusal::History,
        Refusal::AuthorOutside,
        Refusal::NotWriter,
        Refusal::WrongActor,
        Refusal::BadSignature,
        Refusal::Uncovered,
        Refusal::TooLarge,
    ] {
        assert!(!lasting.asks_for_reconciliation(), "{lasting}");
    }
}

#[test]
fn a_document_does_not_grow_without_bound() {
    let fed = Federation::new();
    let mut matter = fed.matter();
    let section = honest_comment(&fed, &matter);
    for n in 0..=DOCUMENT_CHANGES_MAX as u64 {
        let mut hash = [0xee; 32];
        hash[..8].copy_from_slice(&n.to_be_bytes());
        matter.index.insert(ChangeHash(hash), Place { actor: fed.town.actor, seq: 1, max_op: 9 }, &[]);
    }
    fed.refused(&[&matter], &Refusal::TooLarge, |w| w.section(&section, &fed.records()));
    assert!(Audience::of_header(&matter.header).includes(&fed.directory, &fed.district.place));
}
