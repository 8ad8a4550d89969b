//! Reading a block. Nothing here is trusted: every count is bounded by what can follow it, and the
//! result still has to pass the gate.

use super::{Block, BlockActor, DepRef, DocRef, Elided, Section, Shape, SignedAt, words};
use crate::{
    audience::{Grant, Reach},
    beside::Beside,
    cert::{Certificate, Placement, Revocation},
    codec::{DecodeError, Reader},
    commit::ActorRecord,
    header::Header,
    ids::{ActRef, ActorId, CertHash, DocId, FederationId, Incarnation, NodeKey, PlaceId},
    key::Signature,
    limits::{
        BLOCK_BYTES_MAX, BLOCK_SECTIONS_MAX, CERT_BYTES_MAX, CHANGE_BYTES_MAX, CHANGE_DEPS_MAX,
        CHANGE_OPS_MAX, DOCUMENT_CHANGES_MAX, HEADER_GRANTS_MAX, KEY_BYTES_MAX, PLACEMENT_BYTES_MAX,
        REVOCATION_BYTES_MAX, SECTION_GRANTS_MAX, VALUE_DEPTH_MAX,
    },
    receipt::Opening,
    value::{Map, Value},
};
use smol_str::SmolStr;
use std::collections::BTreeSet;
use thiserror::Error;

/// Why a block cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BlockError {
    /// Not the bytes of a block.
    #[error("the block cannot be read: {0}")]
    Unreadable(#[from] DecodeError),
    /// An author's certificate is neither known nor in the block.
    #[error("the certificate {0} of an author is not known")]
    UnknownCert(CertHash),
    /// One document stands in two sections: each would be judged as if the other were not there.
    #[error("the document {0} stands in the block twice")]
    DocumentTwice(DocId),
}

struct Streams<'a> {
    meta: Reader<'a>,
    text: Reader<'a>,
    raw: Reader<'a>,
    federation: FederationId,
    certs: Vec<CertHash>,
    actors: Vec<BlockActor>,
    keys: Vec<NodeKey>,
    places: Vec<PlaceId>,
    /// Values that the act being read may still have.
    values_left: u64,
}

impl Block {
    /// Reads a block. `key_of` knows the keys of certificates that are not in the block itself.
    ///
    /// # Errors
    /// [`BlockError`]; the link that sent it is at fault.
    pub fn decode(
        bytes: &[u8],
        federation: FederationId,
        key_of: &mut dyn FnMut(&CertHash) -> Option<NodeKey>,
    ) -> Result<Self, BlockError> {
        if bytes.len() > BLOCK_BYTES_MAX {
            return Err(DecodeError::TooLarge.into());
        }
        let mut r = Reader::new(bytes);
        match r.uint()? {
            1 => {}
            other => return Err(DecodeError::Version(other).into()),
        }
        let from = r.uint()?;
        let to = from.checked_add(r.uint()?).ok_or(DecodeError::Number)?;
        let digest = r.array()?;
        let mut list = Vec::new();
        for _ in 0..r.count(BLOCK_SECTIONS_MAX)? {
            list.push(Certificate::decode(r.bytes(CERT_BYTES_MAX)?)?);
        }
        let mut revocations = Vec::new();
        for _ in 0..r.count(BLOCK_SECTIONS_MAX)? {
            revocations.push(Revocation::decode(r.bytes(REVOCATION_BYTES_MAX)?)?);
        }
        let mut placements = Vec::new();
        for _ in 0..r.count(BLOCK_SECTIONS_MAX)? {
            placements.push(Placement::decode(r.bytes(PLACEMENT_BYTES_MAX)?)?);
        }
        let mut openings = Vec::new();
        for _ in 0..r.count(BLOCK_SECTIONS_MAX)? {
            openings.push(Opening::decode(r.bytes(BLOCK_BYTES_MAX)?)?);
        }
        let mut certs = Vec::new();
        for _ in 0..r.count(BLOCK_SECTIONS_MAX)? {
            certs.push(CertHash(r.array()?));
        }
        let carried: std::collections::BTreeMap<CertHash, NodeKey> =
            list.iter().map(|c| (c.hash(), c.key)).collect();
        let (mut actors, mut keys) = (Vec::new(), Vec::new());
        for _ in 0..r.count(BLOCK_SECTIONS_MAX)? {
            let cert =
                *usize::try_from(r.uint()?).ok().and_then(|i| certs.get(i)).ok_or(DecodeError::TooLarge)?;
            let incarnation = Incarnation(r.u32()?);
            let key =
                carried.get(&cert).copied().or_else(|| key_of(&cert)).ok_or(BlockError::UnknownCert(cert))?;
            let actor = ActorId::of(&key, incarnation);
            actors.push(BlockActor { record: ActorRecord { actor, cert, incarnation } });
            keys.push(key);
        }
        let mut places = Vec::new();
        for _ in 0..r.count(BLOCK_SECTIONS_MAX)? {
            places.push(PlaceId(r.array()?));
        }
        let n = r.count(BLOCK_SECTIONS_MAX)?;
        let (meta_len, text_len) = (r.count(BLOCK_BYTES_MAX)?, r.count(BLOCK_BYTES_MAX)?);
        let meta = Reader::new(r.raw(meta_len)?);
        let text = Reader::new(r.raw(text_len)?);
        let mut s = Streams { meta, text, raw: r, federation, certs, actors, keys, places, values_left: 0 };
        let (mut sections, mut docs) = (Vec::new(), BTreeSet::new());
        for _ in 0..n {
            let section = s.section()?;
            let doc = section.doc.id();
            if !docs.insert(doc) {
                return Err(BlockError::DocumentTwice(doc));
            }
            sections.push(section);
        }
        let Streams { meta, text, raw, actors, .. } = s;
        meta.end()?;
        text.end()?;
        raw.end()?;
        Ok(Self { from, to, digest, certs: list, revocations, placements, openings, actors, sections })
    }
}

impl Streams<'_> {
    fn index<T: Copy>(table: &[T], at: u64) -> Result<T, DecodeError> {
        usize::try_from(at).ok().and_then(|i| table.get(i)).copied().ok_or(DecodeError::TooLarge)
    }

    fn section(&mut self) -> Result<Section, BlockError> {
        let doc = match self.meta.uint()? {
            0 => DocRef::Known(DocId(self.raw.array()?)),
            number => {
                let kind = crate::kind::Kind::from_number(number).ok_or(DecodeError::Tag(number))?;
                let at = self.meta.uint()?;
                let (creator, actor) = (Self::index(&self.keys, at)?, Self::index(&self.actors, at)?);
                let nonce = self.raw.array()?;
                let home = self.meta.uint()?;
                let home = Self::index(&self.places, home)?;
                let n = self.meta.count(HEADER_GRANTS_MAX)?;
                let mut reach = Vec::with_capacity(n);
                for _ in 0..n {
                    let code = self.meta.uint()?;
                    let place = Self::index(&self.places, code / 2)?;
                    reach.push(if code % 2 == 1 { Reach::Subtree(place) } else { Reach::Place(place) });
                }
                if !reach.is_sorted_by(|a, b| a < b) {
                    return Err(DecodeError::Unsorted.into());
                }
                DocRef::New(Box::new(Header {
                    federation: self.federation,
                    kind,
                    home,
                    creator,
                    incarnation: actor.record.incarnation,
                    nonce,
                    reach,
                }))
            }
        };
        let id = doc.id();
        let mut grants = Vec::new();
        for _ in 0..self.attached()? {
            grants.push(Grant::decode(id, self.raw.bytes(256)?)?);
        }
        let mut wraps = Vec::new();
        for _ in 0..self.attached()? {
            wraps.push(Beside::decode(self.raw.bytes(512)?)?);
        }
        let n = self.meta.count(DOCUMENT_CHANGES_MAX)?;
        let (mut changes, mut signed) = (Vec::with_capacity(n), Vec::new());
        for change in 0..n {
            changes.push(self.change(change)?);
            match self.meta.uint()? {
                0 => {}
                cert => {
                    let cert = Self::index(&self.certs, cert - 1)?;
                    signed.push(SignedAt { change, cert, signature: Signature(self.raw.array()?) });
                }
            }
        }
        Ok(Section { doc, grants, wraps, changes, signed })
    }

    /// How many grants or wraps follow: their bytes stand in another stream than their number.
    fn attached(&mut self) -> Result<usize, DecodeError> {
        let n = self.meta.uint()?;
        let held = self.raw.remaining() as u64;
        usize::try_from(n)
            .ok()
            .filter(|n| *n <= SECTION_GRANTS_MAX && (*n as u64) <= held)
            .ok_or(DecodeError::TooLarge)
    }

    fn change(&mut self, position: usize) -> Result<Elided, BlockError> {
        let form = self.meta.uint()?;
        if form == 1 {
            let n = self.meta.uint()? as usize;
            if n > CHANGE_BYTES_MAX {
                return Err(DecodeError::TooLarge.into());
            }
            return Ok(Elided { actor: 0, shape: Shape::Raw(self.raw.raw(n)?.to_vec()) });
        }
        let actor = self.meta.uint()? as usize;
        if actor >= self.actors.len() {
            return Err(DecodeError::TooLarge.into());
        }
        if form == 0 {
            return Ok(Elided { actor, shape: Shape::Genesis });
        }
        let container = (form - 2) as usize;
        let deps = match self.meta.uint()? {
            0 => vec![DepRef::Back(1)],
            n if n > CHANGE_DEPS_MAX as u64 + 1 => return Err(DecodeError::TooLarge.into()),
            n => (1..n)
                .map(|_| match self.meta.uint()? {
                    0 => Ok(DepRef::Prefix(self.raw.array()?)),
                    k => Ok(DepRef::Back(k as usize)),
                })
                .collect::<Result<Vec<_>, DecodeError>>()?,
        };
        if deps.iter().any(|d| matches!(d, DepRef::Back(k) if *k > position)) {
            return Err(DecodeError::TooLarge.into());
        }
        self.values_left = CHANGE_OPS_MAX;
        Ok(Elided { actor, shape: Shape::Act { container, deps, value: self.map(0)? } })
    }

    fn map(&mut self, depth: usize) -> Result<Map, DecodeError> {
        let n = self.meta.count(CHANGE_BYTES_MAX)?;
        let mut map = Map::new();
        for _ in 0..n {
            let key = self.word(KEY_BYTES_MAX)?;
            // One order of keys only: otherwise two blocks would mean the same change.
            if map.last_key().is_some_and(|last| *last >= key) {
                return Err(DecodeError::Unsorted);
            }
            map.insert(key, self.value(depth + 1)?);
        }
        Ok(map)
    }

    fn string(&mut self, max: usize) -> Result<String, DecodeError> {
        let n = self.meta.uint()? as usize;
        if n > max {
            return Err(DecodeError::TooLarge);
        }
        let bytes = self.text.raw(n)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| DecodeError::Utf8)
    }

    fn word(&mut self, max: usize) -> Result<SmolStr, DecodeError> {
        match self.meta.uint()? {
            0 => self.string(max).map(SmolStr::from),
            n => words::word(n - 1).map(SmolStr::new_static).ok_or(DecodeError::Tag(n)),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        // Each is an operation at least; a byte on the wire must not become a thousand in memory.
        self.values_left = self.values_left.checked_sub(1).ok_or(DecodeError::TooLarge)?;
        if depth > VALUE_DEPTH_MAX {
            return Err(DecodeError::TooLarge);
        }
        Ok(match self.meta.uint()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Int(self.meta.int()?),
            4 => Value::Str(self.word(CHANGE_BYTES_MAX)?),
            5 => {
                let n = self.meta.uint()? as usize;
                Value::Bytes(self.text.raw(n)?.to_vec())
            }
            6 => Value::Text(self.string(CHANGE_BYTES_MAX)?),
            7 => Value::Map(self.map(depth)?),
            8 => {
                let n = self.meta.count(CHANGE_BYTES_MAX)?;
                Value::List((0..n).map(|_| self.value(depth + 1)).collect::<Result<_, _>>()?)
            }
            9 => {
                let at = self.meta.uint()?;
                let actor = Self::index(&self.actors, at)?.record.actor;
                Value::Str(ActRef { actor, seq: self.meta.uint()? }.to_string().into())
            }
            tag => return Err(DecodeError::Tag(tag)),
        })
    }
}
