//! The envelope of a change: magic, checksum, type, length, and the header before the columns.
//!
//! ```text
//! 85 6f 4a 83 | first 4 bytes of the hash | 01 | length | data
//! data = deps | actor | seq | start_op | time 0 | message "" | other actors | columns' list | columns
//! ```
//! The change's hash is the SHA-256 of everything after the checksum. Numbers are shortest LEB128, so a
//! header has one form only.

use super::{
    Change,
    columns::{put_uint, uint_len},
    error::{ChangeError, Column},
};
use crate::{
    codec::{DecodeError, Reader},
    ids::{ActorId, ChangeHash},
    limits::{CHANGE_BYTES_MAX, CHANGE_DEPS_MAX, OP_COUNTER_MAX},
};
use sha2::{Digest, Sha256};

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// Magic, checksum and type.
const ENVELOPE_BYTES: usize = 9;
/// Chunk type of a plain change; 0 is a document, 2 a compressed change, 3 a bundle.
const PLAIN_CHANGE: u8 = 1;
/// Marks a deflated column in its number.
const DEFLATED: u64 = 8;

/// The bytes of each column, in the order of [`Column::ALL`].
pub(super) type Columns<B> = [B; Column::ALL.len()];

/// What stands before the columns.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) actor: ActorId,
    pub(super) seq: u64,
    pub(super) start_op: u64,
    pub(super) deps: Vec<ChangeHash>,
    /// The document's creator, when it is another actor than the author and the change refers to it.
    pub(super) other: Option<ActorId>,
}

impl Header {
    /// Appends the only form of a header, up to the columns' list.
    pub(super) fn put(out: &mut Vec<u8>, change: &Change, other: Option<ActorId>) {
        put_uint(out, change.deps.len() as u64);
        for dep in &change.deps {
            out.extend_from_slice(&dep.0);
        }
        put_actor(out, &change.actor);
        put_uint(out, change.seq);
        put_uint(out, change.start_op);
        out.extend_from_slice(&[0, 0]); // time 0, no message
        put_uint(out, u64::from(other.is_some()));
        if let Some(other) = &other {
            put_actor(out, other);
        }
    }
}

fn put_actor(out: &mut Vec<u8>, actor: &ActorId) {
    put_uint(out, ActorId::LEN as u64);
    out.extend_from_slice(&actor.0);
}

/// Appends the list of columns: empty ones are not listed.
pub(super) fn put_column_list<B: AsRef<[u8]>>(out: &mut Vec<u8>, columns: &Columns<B>) {
    let listed = || Column::ALL.iter().zip(columns).filter(|(_, bytes)| !bytes.as_ref().is_empty());
    put_uint(out, listed().count() as u64);
    for (column, bytes) in listed() {
        put_uint(out, column.spec());
        put_uint(out, bytes.as_ref().len() as u64);
    }
}

/// The whole chunk around `head` (header and columns' list) and `columns`.
pub(super) fn seal(head: &[u8], columns: &Columns<Vec<u8>>) -> (Vec<u8>, ChangeHash) {
    let data = head.len() + columns.iter().map(Vec::len).sum::<usize>();
    let mut bytes = Vec::with_capacity(9 + uint_len(data as u64) + data);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[0; 4]);
    bytes.push(PLAIN_CHANGE);
    put_uint(&mut bytes, data as u64);
    bytes.extend_from_slice(head);
    for column in columns {
        bytes.extend_from_slice(column);
    }
    let hash = ChangeHash(Sha256::digest(bytes.get(8..).unwrap_or_default()).into());
    for (to, from) in bytes.iter_mut().skip(4).zip(hash.0.iter().take(4)) {
        *to = *from;
    }
    (bytes, hash)
}

/// A chunk opened: envelope and checksum are right, the header is read, the rest is not.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    pub(super) header: Header,
    pub(super) hash: ChangeHash,
    /// All of the data, from the dependencies on.
    pub(super) data: &'a [u8],
    /// The columns' list and the columns.
    rest: Reader<'a>,
}

/// Opens a chunk: everything before the columns, in time and space linear in `bytes`.
pub(super) fn open(bytes: &[u8]) -> Result<Opened<'_>, ChangeError> {
    if bytes.len() > CHANGE_BYTES_MAX {
        return Err(ChangeError::TooLarge { bytes: bytes.len() });
    }
    let mut r = Reader::new(bytes);
    if r.array::<4>().map_err(of_header)? != MAGIC {
        return Err(ChangeError::Magic);
    }
    let checksum = r.array::<4>().map_err(of_header)?;
    let hashed = bytes.get(8..).unwrap_or_default();
    let kind = r.byte().map_err(of_header)?;
    if kind != PLAIN_CHANGE {
        return Err(ChangeError::ChunkType(kind));
    }
    let declared = r.uint().map_err(of_header)?;
    if declared != r.remaining() as u64 {
        return Err(ChangeError::Length { declared, present: r.remaining() });
    }
    let hash = ChangeHash(Sha256::digest(hashed).into());
    if !hash.0.starts_with(&checksum) {
        return Err(ChangeError::Checksum);
    }
    let data = r.raw(r.remaining()).map_err(of_header)?;
    let mut rest = Reader::new(data);
    let header = read_header(&mut rest)?;
    Ok(Opened { header, hash, data, rest })
}

fn of_header(e: DecodeError) -> ChangeError {
    match e {
        DecodeError::Truncated => ChangeError::Truncated,
        _ => ChangeError::Number,
    }
}

fn read_actor(r: &mut Reader<'_>) -> Result<ActorId, ChangeError> {
    let len = r.uint().map_err(of_header)?;
    if len != ActorId::LEN as u64 {
        return Err(ChangeError::ActorLength { bytes: len });
    }
    r.array().map(ActorId).map_err(of_header)
}

fn read_header(r: &mut Reader<'_>) -> Result<Header, ChangeError> {
    let count = r.uint().map_err(of_header)?;
    if count > CHANGE_DEPS_MAX as u64 {
        return Err(ChangeError::TooManyDeps { count });
    }
    let mut deps: Vec<ChangeHash> = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let dep = ChangeHash(r.array().map_err(of_header)?);
        if deps.last().is_some_and(|last| *last >= dep) {
            return Err(ChangeError::DepsUnsorted);
        }
        deps.push(dep);
    }
    let actor = read_actor(r)?;
    let seq = r.uint().map_err(of_header)?;
    if seq == 0 {
        return Err(ChangeError::Seq { min: 1 });
    }
    let start_op = r.uint().map_err(of_header)?;
    if start_op == 0 {
        return Err(ChangeError::StartOp { start_op });
    }
    if start_op >= OP_COUNTER_MAX {
        return Err(ChangeError::Counter);
    }
    if r.byte().map_err(of_header)? != 0 {
        return Err(ChangeError::Time);
    }
    let message = r.uint().map_err(of_header)?;
    if message != 0 {
        return Err(ChangeError::Message { bytes: message });
    }
    let other = match r.uint().map_err(of_header)? {
        0 => None,
        1 => Some(read_actor(r)?),
        count => return Err(ChangeError::TooManyActors { count }),
    };
    if other == Some(actor) {
        return Err(ChangeError::AuthorListedTwice);
    }
    Ok(Header { actor, seq, start_op, deps, other })
}

impl<'a> Opened<'a> {
    /// Cuts the columns apart. Those not listed are empty.
    pub(super) fn columns(&self) -> Result<Columns<&'a [u8]>, ChangeError> {
        let mut r = self.rest.clone();
        let listed = r.uint().map_err(of_header)?;
        let mut lengths: Columns<usize> = [0; Column::ALL.len()];
        let mut last = None;
        for _ in 0..listed {
            let spec = r.uint().map_err(of_header)?;
            if spec & DEFLATED != 0 {
                return Err(ChangeError::CompressedColumn { spec });
            }
            let known = Column::ALL.iter().zip(&mut lengths).find(|(c, _)| c.spec() == spec);
            let (_, length) = known.ok_or(ChangeError::UnknownColumn { spec })?;
            if last >= Some(spec) {
                return Err(ChangeError::ColumnOrder);
            }
            last = Some(spec);
            *length = usize::try_from(r.uint().map_err(of_header)?).map_err(|_| ChangeError::ColumnLength)?;
        }
        let mut columns: Columns<&[u8]> = [&[]; Column::ALL.len()];
        for (column, length) in columns.iter_mut().zip(lengths) {
            *column = r.raw(length).map_err(|_| ChangeError::ColumnLength)?;
        }
        match r.remaining() {
            0 => Ok(columns),
            bytes => Err(ChangeError::ExtraBytes { bytes }),
        }
    }
}

/// Cuts changes apart that stand one after the other. Only the lengths are looked at; what is left over
/// because it is cut off comes as the last piece, for the reader of it to refuse.
pub fn split(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let len = chunk_len(bytes).unwrap_or(bytes.len());
        let (chunk, rest) = bytes.split_at_checked(len).unwrap_or((bytes, &[]));
        bytes = rest;
        Some(chunk)
    })
}

fn chunk_len(bytes: &[u8]) -> Option<usize> {
    let mut r = Reader::new(bytes.get(ENVELOPE_BYTES..)?);
    let data = usize::try_from(r.uint().ok()?).ok()?;
    (bytes.len() - r.remaining()).checked_add(data)
}

/// Whose change it claims to be and what it stands on, without looking at anything else: for the own
/// database, where the hash was checked before.
///
/// # Errors
/// [`ChangeError`] naming what is wrong before the author's name.
pub fn lineage(bytes: &[u8]) -> Result<(ActorId, Vec<ChangeHash>), ChangeError> {
    let mut r = Reader::new(bytes.get(ENVELOPE_BYTES..).ok_or(ChangeError::Truncated)?);
    r.uint().map_err(of_header)?;
    let count = r.count(CHANGE_DEPS_MAX).map_err(of_header)?;
    let deps = (0..count).map(|_| r.array().map(ChangeHash)).collect::<Result<_, _>>().map_err(of_header)?;
    Ok((read_actor(&mut r)?, deps))
}

/// The header of a change: enough to place it in a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peek {
    /// Whose change it claims to be; a signature must confirm it.
    pub actor: ActorId,
    /// Its number in that actor's chain.
    pub seq: u64,
    /// The number of its first operation.
    pub start_op: u64,
    /// What it comes after, sorted.
    pub deps: Vec<ChangeHash>,
    /// Its hash; the checksum agreed with it.
    pub hash: ChangeHash,
}

/// Reads a change's header alone. The checksum is checked; the operations are not looked at, so a
/// change that can be peeked at may still be refused by [`decode`](super::decode()).
///
/// # Errors
/// [`ChangeError`] naming what is wrong with the envelope or the header.
pub fn peek(bytes: &[u8]) -> Result<Peek, ChangeError> {
    let Opened { header: Header { actor, seq, start_op, deps, .. }, hash, .. } = open(bytes)?;
    Ok(Peek { actor, seq, start_op, deps, hash })
}
