//! A change taken apart, so that tests can put it together wrongly.

use super::super::{
    columns::{put_int, put_uint},
    *,
};
use crate::codec::Reader;
use sha2::{Digest, Sha256};

/// The parts of a change chunk as they stand in it.
#[derive(Debug, Clone)]
pub(super) struct Assembly {
    pub(super) chunk_type: u8,
    pub(super) deps: Vec<[u8; 32]>,
    pub(super) actor: Vec<u8>,
    pub(super) seq: u64,
    pub(super) start_op: u64,
    pub(super) time: i64,
    pub(super) message: Vec<u8>,
    pub(super) others: Vec<Vec<u8>>,
    pub(super) columns: Vec<(u64, Vec<u8>)>,
    pub(super) extra: Vec<u8>,
}

impl Assembly {
    pub(super) fn of(change: &Change) -> Self {
        Self::parse(&encode(change).unwrap().bytes)
    }

    /// Takes apart a change that is right.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut r = Reader::new(&bytes[9..]);
        r.uint().unwrap();
        let deps = (0..r.uint().unwrap()).map(|_| r.array().unwrap()).collect();
        let actor = r.bytes(99).unwrap().to_vec();
        let (seq, start_op) = (r.uint().unwrap(), r.uint().unwrap());
        assert_eq!(r.raw(2).unwrap(), [0, 0]);
        let others = (0..r.uint().unwrap()).map(|_| r.bytes(99).unwrap().to_vec()).collect();
        let list: Vec<_> = (0..r.uint().unwrap()).map(|_| (r.uint().unwrap(), r.uint().unwrap())).collect();
        let columns = list.into_iter().map(|(c, n)| (c, r.raw(n as usize).unwrap().to_vec())).collect();
        r.end().unwrap();
        let (message, extra) = (Vec::new(), Vec::new());
        Self { chunk_type: 1, deps, actor, seq, start_op, time: 0, message, others, columns, extra }
    }

    /// The bytes of a column; makes it if there is none.
    pub(super) fn column(&mut self, column: Column) -> &mut Vec<u8> {
        let at = self.columns.iter().position(|(c, _)| *c >= column.spec()).unwrap_or(self.columns.len());
        if self.columns.get(at).is_none_or(|(c, _)| *c != column.spec()) {
            self.columns.insert(at, (column.spec(), Vec::new()));
        }
        &mut self.columns[at].1
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut data = Vec::new();
        put_uint(&mut data, self.deps.len() as u64);
        data.extend(self.deps.iter().flatten());
        put_bytes(&mut data, &self.actor);
        put_uint(&mut data, self.seq);
        put_uint(&mut data, self.start_op);
        put_int(&mut data, self.time);
        put_bytes(&mut data, &self.message);
        put_uint(&mut data, self.others.len() as u64);
        self.others.iter().for_each(|other| put_bytes(&mut data, other));
        put_uint(&mut data, self.columns.len() as u64);
        for (column, bytes) in &self.columns {
            put_uint(&mut data, *column);
            put_uint(&mut data, bytes.len() as u64);
        }
        data.extend(self.columns.iter().flat_map(|(_, bytes)| bytes));
        data.extend(&self.extra);
        sealed(self.chunk_type, &data)
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A chunk around any data, with the right length and checksum.
pub(super) fn sealed(chunk_type: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, chunk_type];
    put_uint(&mut bytes, data.len() as u64);
    bytes.extend_from_slice(data);
    let hash = Sha256::digest(&bytes[8..]);
    bytes[4..8].copy_from_slice(&hash[..4]);
    bytes
}

/// The runs of a column: `n v` as `(n, [v])`, literals as `(-n, values)`, nulls as `(0, [n])`.
pub(super) fn runs(runs: &[(i64, &[u64])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (header, values) in runs {
        put_int(&mut out, *header);
        values.iter().for_each(|v| put_uint(&mut out, *v));
    }
    out
}
