//! Whole change chunks of an attacker's making: what Automerge itself would write to delete, overwrite
//! and edit, and the crafted ones that make an ungated Automerge panic or eat the memory.

use crate::federation::{Document, Federation, comment, voices};
use automerge::{AutoCommit, AutomergeError, ObjId, ObjType, ReadDoc, transaction::Transactable};
use sha2::{Digest, Sha256};
use yishi_protocol::{
    change::{self, Body, Change},
    commit::Cover,
    gate::Refusal,
    ids::ChangeHash,
    kind::Kind,
    limits::{CHANGE_BYTES_MAX, OP_COUNTER_MAX},
    wire::{Block, BlockWriter},
};

/// The refusal of one raw chunk for `doc`, between honest sections that pass.
fn refused(fed: &Federation, doc: &Document, chunk: &[u8], why: &Refusal) {
    fed.refused(&[doc], why, |w| {
        for record in fed.records().into_values() {
            w.author(record);
        }
        w.raw_section(&doc.id, chunk);
    });
}

/// The refusal of a chunk that is no change of ours; the words name what is wrong with it.
fn unlike(fed: &Federation, doc: &Document, chunk: &[u8]) -> String {
    let why = change::decode(chunk, Kind::Proposal).unwrap_err().to_string();
    refused(fed, doc, chunk, &Refusal::Change(why.clone()));
    why
}

/// A change made by Automerge under the town's actor.
fn by_automerge(
    fed: &Federation,
    doc: &Document,
    edit: impl FnOnce(&mut AutoCommit, &ObjId, &str) -> Result<(), AutomergeError>,
) -> Vec<u8> {
    let mut automerge = AutoCommit::new();
    let chunks = doc.changes.iter().map(|c| change::encode(&c.change).unwrap().bytes);
    let changes = chunks.map(|bytes| automerge::Change::from_bytes(bytes).unwrap());
    automerge.apply_changes(changes).unwrap();
    automerge.set_actor(automerge::ActorId::from(fed.town.actor.0.as_slice()));
    let (_, steps) = automerge.get(automerge::ROOT, "steps").unwrap().unwrap();
    let registered = format!("{}@{}", doc.changes[1].change.seq, fed.village.actor);
    edit(&mut automerge, &steps, &registered).unwrap();
    automerge.commit().unwrap();
    automerge.get_last_local_change().unwrap().raw_bytes().to_vec()
}

#[test]
fn deleting_overwriting_and_editing_another_s_act() {
    let fed = Federation::new();
    let matter = fed.matter();
    let deleted = by_automerge(&fed, &matter, |doc, steps, key| doc.delete(steps, key));
    let overwritten =
        by_automerge(&fed, &matter, |doc, steps, key| doc.put_object(steps, key, ObjType::Map).map(|_| ()));
    let edited = by_automerge(&fed, &matter, |doc, steps, key| {
        let (_, act) = doc.get(steps, key)?.unwrap();
        doc.put(&act, "title", "改了标题")
    });
    let respelt = by_automerge(&fed, &matter, |doc, steps, key| {
        let (_, act) = doc.get(steps, key)?.unwrap();
        let (_, body) = doc.get(&act, "body")?.unwrap();
        doc.splice_text(&body, 0, 2, "晴天")
    });
    let new_root = by_automerge(&fed, &matter, |doc, _, _| doc.put(automerge::ROOT, "format", 2));
    let container = by_automerge(&fed, &matter, |doc, _, _| doc.delete(automerge::ROOT, "steps"));
    let foreign_key = by_automerge(&fed, &matter, |doc, steps, _| {
        doc.put_object(steps, format!("9@{}", fed.village.actor), ObjType::Map).map(|_| ())
    });
    for chunk in [deleted, overwritten, edited, respelt, new_root, container, foreign_key] {
        unlike(&fed, &matter, &chunk);
    }
}

/// An honest comment of the town, as a change.
fn honest(fed: &Federation, doc: &Document) -> Change {
    doc.next(fed.town.actor, voices(), comment("情况属实"))
}

/// A chunk around `data` whose checksum is right.
fn sealed(kind: u8, data: &[u8]) -> Vec<u8> {
    let mut body = vec![kind];
    let mut len = data.len();
    loop {
        let more = len > 0x7f;
        body.push((len & 0x7f) as u8 | if more { 0x80 } else { 0 });
        len >>= 7;
        if !more {
            break;
        }
    }
    body.extend(data);
    let sum = Sha256::digest(&body);
    [&[0x85, 0x6f, 0x4a, 0x83], &sum[..4], &body].concat()
}

/// The data of a chunk: what follows its length.
fn data(chunk: &[u8]) -> &[u8] {
    let len = chunk[9..].iter().position(|b| b & 0x80 == 0).unwrap() + 1;
    &chunk[9 + len..]
}

fn leb(mut n: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = (n & 0x7f) as u8;
        n >>= 7;
        if n == 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}

#[test]
fn numbers_that_do_not_follow_from_the_history() {
    let fed = Federation::new();
    let matter = fed.matter();
    let good = honest(&fed, &matter);
    let edited = |edit: fn(&mut Change)| {
        let mut change = good.clone();
        edit(&mut change);
        change::encode(&change).unwrap().bytes
    };
    // An author nobody heard of in this document, at its second change; one who left out some.
    refused(&fed, &matter, &edited(|c| c.seq = 2), &Refusal::History);
    let mut gap = matter.next(fed.village.actor, voices(), comment("跳号"));
    gap.seq += 3;
    refused(&fed, &matter, &change::encode(&gap).unwrap().bytes, &Refusal::History);
    gap.seq -= 4;
    refused(&fed, &matter, &change::encode(&gap).unwrap().bytes, &Refusal::History);
    // Operations that begin too low or too high.
    refused(&fed, &matter, &edited(|c| c.start_op -= 1), &Refusal::History);
    refused(&fed, &matter, &edited(|c| c.start_op += 1), &Refusal::History);
    // The author's own previous change is not among the dependencies.
    let genesis = matter.changes[0].hash;
    let mut beside = matter.next(fed.village.actor, voices(), comment("绕开"));
    beside.deps = vec![genesis];
    beside.start_op = matter.changes[0].change.max_op() + 1;
    refused(&fed, &matter, &change::encode(&beside).unwrap().bytes, &Refusal::History);
    // It stands on what does not exist.
    let nowhere = edited(|c| c.deps.push(ChangeHash([0xff; 32])));
    refused(&fed, &matter, &nowhere, &Refusal::MissingDependency);
    // It names another document's containers.
    let mut strange = good.clone();
    if let Body::Act { creator, .. } = &mut strange.body {
        *creator = fed.other_town.actor;
    }
    refused(&fed, &matter, &change::encode(&strange).unwrap().bytes, &Refusal::Genesis);
    // All in order, and without a signature.
    refused(&fed, &matter, &change::encode(&good).unwrap().bytes, &Refusal::Uncovered);
}

#[test]
fn chunks_that_hurt_automerge() {
    let fed = Federation::new();
    let matter = fed.matter();
    let good = change::encode(&honest(&fed, &matter)).unwrap().bytes;
    assert_eq!(sealed(1, data(&good)), good, "the seal is Automerge's");
    // Whole documents, compressed changes, bundles.
    for kind in [0, 2, 3] {
        unlike(&fed, &matter, &sealed(kind, data(&good)));
    }
    // An author footer, or whatever else may follow the columns.
    let footer = [data(&good), &[1, 16], &[7; 16]].concat();
    unlike(&fed, &matter, &sealed(1, &footer));
    // Operation numbers at the end of u32 and beyond. Before them: one dependency, the actor, seq.
    let honest_change = honest(&fed, &matter);
    let at = 1 + 32 * honest_change.deps.len() + 17 + leb(honest_change.seq).len();
    let old = leb(honest_change.start_op);
    assert_eq!(data(&good)[at..at + old.len()], old);
    for start_op in [u64::from(u32::MAX), u64::MAX, OP_COUNTER_MAX] {
        let data = [&data(&good)[..at], &leb(start_op), &data(&good)[at + old.len()..]].concat();
        unlike(&fed, &matter, &sealed(1, &data));
    }
    // Runs that claim more operations than any memory holds, at every place of the columns.
    for cut in at..data(&good).len() {
        let bomb = [&data(&good)[..cut], &[0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x01]].concat();
        unlike(&fed, &matter, &sealed(1, &bomb));
    }
    // A bit turned anywhere: the checksum first, then, with the checksum mended, the canonical form or at
    // the latest the missing signature.
    for at in 0..good.len() {
        let mut turned = good.clone();
        turned[at] ^= 1;
        unlike(&fed, &matter, &turned);
    }
    unlike(&fed, &matter, &good[..good.len() - 1]);
    // Larger than any change may be: the block that carries it is refused as a whole.
    let mut writer = BlockWriter::new();
    writer.raw_section(&matter.id, &vec![0; CHANGE_BYTES_MAX + 1]);
    let block = writer.finish((0, 1, [0; 16]), &[], &[], &[]);
    assert!(Block::decode(&block, fed.directory.federation(), &mut |_| None).is_err());
}

#[test]
fn a_signature_over_a_mended_chunk_is_still_the_author_s_business() {
    let fed = Federation::new();
    let matter = fed.matter();
    let section = honest(&fed, &matter);
    let mut out = matter.with(section, |hash| Some(fed.sign(&fed.town, &matter.id, hash)));
    let mut cover: Cover = out.changes[0].cover.unwrap();
    cover.signature.0[3] ^= 1;
    out.changes[0].cover = Some(cover);
    fed.refused(&[&matter], &Refusal::BadSignature, |w| w.section(&out, &fed.records()));
}
