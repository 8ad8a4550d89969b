//! The reader of changes: what it takes is written again bit for bit, and Automerge's own reader sees the
//! same change in it. It never fails, whatever the bytes.

use sha2::{Digest, Sha256};
use yishi_protocol::{change, kind::Kind, limits::CHANGE_OPS_MAX};

/// The first byte says for which kind the rest is read, and whether the checksum is made right first.
pub(crate) fn run(data: &[u8]) {
    let Some((how, rest)) = data.split_first() else { return };
    let kind = Kind::ALL[usize::from(how & 0x7f) % Kind::ALL.len()];
    if how & 0x80 == 0 {
        read(rest, kind);
    } else {
        read(&sealed(1, rest), kind);
    }
}

fn read(bytes: &[u8], kind: Kind) {
    let pieces: Vec<&[u8]> = change::split(bytes).collect();
    assert_eq!(pieces.concat(), bytes, "what is cut apart is all there");
    let _ = change::lineage(bytes);
    let peeked = change::peek(bytes);
    let stored = change::decode_stored(bytes, kind);
    let Ok(decoded) = change::decode(bytes, kind) else { return };
    let change = &decoded.change;
    let encoded = change::encode(change).unwrap();
    assert_eq!(encoded.bytes, bytes, "one change has one form");
    assert_eq!((encoded.hash, encoded.op_count), (decoded.hash, decoded.op_count));
    assert_eq!(decoded.op_count, change.op_count());
    assert!(decoded.op_count <= CHANGE_OPS_MAX);
    assert_eq!(stored.as_ref(), Ok(&decoded));
    let peeked = peeked.unwrap();
    let seen = (peeked.actor, peeked.seq, peeked.start_op, peeked.hash, &peeked.deps);
    assert_eq!(seen, (change.actor, change.seq, change.start_op, decoded.hash, &change.deps));
    assert_eq!(change::lineage(bytes).unwrap(), (change.actor, change.deps.clone()));
    assert_eq!(pieces, [bytes]);
    let theirs = automerge::Change::from_bytes(bytes.to_vec()).unwrap();
    assert_eq!(
        (theirs.hash().0, theirs.seq(), theirs.max_op()),
        (decoded.hash.0, change.seq, change.max_op())
    );
    assert_eq!(theirs.raw_bytes(), bytes);
}

/// A chunk around any data, with the right length and checksum.
pub(crate) fn sealed(chunk_type: u8, data: &[u8]) -> Vec<u8> {
    let mut w = yishi_protocol::codec::Writer::new();
    w.raw(&[chunk_type]).bytes(data);
    let sum = Sha256::digest(&w.0);
    [&[0x85, 0x6f, 0x4a, 0x83], &sum[..4], &w.0].concat()
}

/// What stands inside a chunk.
pub(crate) fn data_of(chunk: &[u8]) -> &[u8] {
    let mut r = yishi_protocol::codec::Reader::new(chunk.get(9..).unwrap_or_default());
    match r.uint() {
        Ok(_) => &chunk[chunk.len() - r.remaining()..],
        Err(_) => &[],
    }
}
