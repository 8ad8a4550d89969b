//! Blocks as they come over the line, read with the keys of a federation, judged, and lived with.

use super::{gate::WORLD, life::Held};
use std::collections::BTreeMap;
use yishi_protocol::{
    audience::Audience,
    gate::Known,
    ids::{CertHash, DocId},
    limits::BLOCK_BYTES_MAX,
    wire::{Block, DocRef, Shape},
};

/// The first byte says how much of each document is known; the rest is a block.
pub(crate) fn run(data: &[u8]) {
    let Some((how, bytes)) = data.split_first() else { return };
    assert!(bytes.len() <= BLOCK_BYTES_MAX);
    let (fed, documents) = &*WORLD;
    let mut key_of = |hash: &CertHash| fed.directory.get(hash).map(|c| c.key);
    let Ok(block) = Block::decode(bytes, fed.directory.federation(), &mut key_of) else { return };
    assert!(block.to >= block.from);
    for section in &block.sections {
        assert!(section.signed.iter().all(|s| s.change < section.changes.len()));
        for (at, change) in section.changes.iter().enumerate() {
            let Shape::Act { deps, .. } = &change.shape else { continue };
            assert!(deps.iter().all(|d| !matches!(d, yishi_protocol::wire::DepRef::Back(k) if *k > at)));
        }
        if let DocRef::New(header) = &section.doc {
            let bytes = header.encode();
            assert_eq!(yishi_protocol::header::Header::decode(&bytes).as_ref(), Ok(&**header));
        }
    }
    let mut held: BTreeMap<DocId, Held> = documents
        .iter()
        .map(|d| (d.id, Held::honest(d, usize::from(*how) % (d.changes.len() + 1))))
        .filter(|(_, held)| !held.changes.is_empty())
        .collect();
    let known = held
        .iter()
        .map(|(id, held)| {
            let (header, index) = (held.header.clone(), held.index());
            (*id, Known { audience: Audience::of_header(&header), header, index })
        })
        .collect();
    let verdicts = fed.judge_known(&block, known);
    let mut records = fed.records();
    records.extend(verdicts.actors.iter().map(|r| (r.actor, *r)));
    for admitted in &verdicts.admitted {
        let of = held.entry(admitted.doc).or_insert_with(|| Held {
            doc: admitted.doc,
            header: admitted.new_header.clone().unwrap(),
            grants: Vec::new(),
            changes: Vec::new(),
        });
        of.store(admitted);
        of.live(fed, &records);
    }
}
