//! A change chunk taken apart and put together again, rightly or wrongly.

use sha2::{Digest, Sha256};
use yishi_protocol::codec::Reader;

/// The parts of a chunk as they stand in it.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) deps: Vec<[u8; 32]>,
    /// Another number of dependencies than there are.
    pub(crate) claimed_deps: Option<u64>,
    pub(crate) actor: Vec<u8>,
    pub(crate) seq: u64,
    pub(crate) start_op: u64,
    pub(crate) time: u8,
    pub(crate) message: Vec<u8>,
    pub(crate) others: Vec<Vec<u8>>,
    pub(crate) columns: Vec<(u64, Vec<u8>)>,
    pub(crate) extra: Vec<u8>,
}

impl Parts {
    pub(crate) const OBJECT_ACTOR: u64 = 1;
    pub(crate) const OBJECT_COUNTER: u64 = 2;
    pub(crate) const ELEMENT_ACTOR: u64 = 17;
    pub(crate) const ELEMENT_COUNTER: u64 = 19;
    pub(crate) const KEY: u64 = 21;
    pub(crate) const INSERT: u64 = 52;
    pub(crate) const ACTION: u64 = 66;
    pub(crate) const VALUE_KIND: u64 = 86;
    pub(crate) const PREDECESSORS: u64 = 112;
    /// Columns of runs besides the actions.
    pub(crate) const RUNS: [u64; 6] = [
        Self::OBJECT_ACTOR,
        Self::OBJECT_COUNTER,
        Self::ELEMENT_ACTOR,
        Self::ELEMENT_COUNTER,
        Self::VALUE_KIND,
        Self::PREDECESSORS,
    ];

    /// Takes apart a chunk that is right.
    pub(crate) fn of(chunk: &[u8]) -> Self {
        let mut r = Reader::new(&chunk[9..]);
        r.uint().unwrap();
        let deps = (0..r.uint().unwrap()).map(|_| r.array().unwrap()).collect();
        let actor = r.bytes(99).unwrap().to_vec();
        let (seq, start_op) = (r.uint().unwrap(), r.uint().unwrap());
        assert_eq!(r.raw(2).unwrap(), [0, 0], "no time, no message");
        let others = (0..r.uint().unwrap()).map(|_| r.bytes(99).unwrap().to_vec()).collect();
        let list: Vec<_> = (0..r.uint().unwrap()).map(|_| (r.uint().unwrap(), r.uint().unwrap())).collect();
        let columns = list.into_iter().map(|(c, n)| (c, r.raw(n as usize).unwrap().to_vec())).collect();
        r.end().unwrap();
        let (claimed_deps, message, extra) = (None, Vec::new(), Vec::new());
        Self { deps, claimed_deps, actor, seq, start_op, time: 0, message, others, columns, extra }
    }

    pub(crate) fn column(&mut self, spec: u64) -> &mut Vec<u8> {
        &mut self.columns.iter_mut().find(|(c, _)| *c == spec).unwrap().1
    }

    /// Puts it together as a chunk of that type.
    pub(crate) fn bytes(&self, chunk_type: u8) -> Vec<u8> {
        let mut data = leb(self.claimed_deps.unwrap_or(self.deps.len() as u64));
        data.extend(self.deps.iter().flatten());
        prefixed(&mut data, &self.actor);
        data.extend(leb(self.seq));
        data.extend(leb(self.start_op));
        data.push(self.time);
        prefixed(&mut data, &self.message);
        data.extend(leb(self.others.len() as u64));
        self.others.iter().for_each(|other| prefixed(&mut data, other));
        data.extend(leb(self.columns.len() as u64));
        for (column, bytes) in &self.columns {
            data.extend(leb(*column));
            data.extend(leb(bytes.len() as u64));
        }
        data.extend(self.columns.iter().flat_map(|(_, bytes)| bytes));
        data.extend(&self.extra);
        sealed(chunk_type, &data)
    }
}

fn prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(leb(bytes.len() as u64));
    out.extend_from_slice(bytes);
}

/// Unsigned LEB128.
pub(crate) fn leb(n: u64) -> Vec<u8> {
    let mut w = yishi_protocol::codec::Writer::new();
    w.uint(n);
    w.finish()
}

/// A run of one value: its length as signed LEB128, whose sign bit must stay clear.
pub(crate) fn run(length: u64, value: u8) -> Vec<u8> {
    let mut out = leb(length);
    if out.last().is_some_and(|b| b & 0x40 != 0) {
        let last = out.len() - 1;
        out[last] |= 0x80;
        out.push(0);
    }
    out.push(value);
    out
}

/// A chunk around any data, with the right length and checksum.
pub(crate) fn sealed(chunk_type: u8, data: &[u8]) -> Vec<u8> {
    let mut w = yishi_protocol::codec::Writer::new();
    w.raw(&[chunk_type]).bytes(data);
    let sum = Sha256::digest(&w.0);
    [&[0x85, 0x6f, 0x4a, 0x83], &sum[..4], &w.0].concat()
}
