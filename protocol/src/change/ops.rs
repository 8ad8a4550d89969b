//! The order of operations, and their columns as they are written.
//!
//! A map's fields come in key order, a list's elements in order, and an object's own content right after
//! the operation that makes it, before its next sibling: depth first. Text is one insertion per Unicode
//! scalar value. Everything here is straight-line pushing of runs: a text of a thousand characters of
//! one length costs a handful of pushes.

use super::{
    FORMAT,
    chunk::Columns,
    columns::{BoolWriter, DeltaWriter, RleWriter, put_int},
    container_counter,
    error::EncodeError,
};
use crate::{
    ids::ActRef,
    kind::Kind,
    limits::{KEY_BYTES_MAX, VALUE_DEPTH_MAX},
    value::{Map, Value},
};

/// Automerge's numbers of what an operation does.
pub(super) mod action {
    pub(in crate::change) const MAKE_MAP: u64 = 0;
    pub(in crate::change) const SET: u64 = 1;
    pub(in crate::change) const MAKE_LIST: u64 = 2;
    pub(in crate::change) const MAKE_TEXT: u64 = 4;
}

/// Automerge's numbers of value types; the length in bytes stands above them.
pub(super) mod value_type {
    pub(in crate::change) const NULL: u64 = 0;
    pub(in crate::change) const FALSE: u64 = 1;
    pub(in crate::change) const TRUE: u64 = 2;
    pub(in crate::change) const INT: u64 = 4;
    pub(in crate::change) const STR: u64 = 6;
    pub(in crate::change) const BYTES: u64 = 7;
    /// Bits of the type.
    pub(in crate::change) const BITS: u32 = 4;
}

const fn kind_of(ty: u64, len: usize) -> u64 {
    ((len as u64) << value_type::BITS) | ty
}

/// The key of an act in its container: `seq@actor`.
#[derive(Debug)]
pub(super) struct ActKey {
    buf: [u8; ActKey::MAX],
    len: usize,
}

impl ActKey {
    /// Twenty digits, `@`, thirty-two hexadecimal digits.
    const MAX: usize = 20 + 1 + 32;

    pub(super) fn new(act: ActRef) -> Self {
        const HEX: [u8; 16] = *b"0123456789abcdef";
        let nibble = |n: u8| HEX.get(usize::from(n)).copied().unwrap_or(b'0');
        let mut key = Self { buf: [0; Self::MAX], len: 0 };
        let mut digits = [0; 20];
        let mut from = digits.len();
        let mut left = act.seq;
        while left > 0 || from == digits.len() {
            from -= 1;
            if let Some(d) = digits.get_mut(from) {
                *d = b'0' + (left % 10) as u8;
            }
            left /= 10;
        }
        digits.iter().skip(from).for_each(|d| key.put(*d));
        key.put(b'@');
        for byte in act.actor.0 {
            key.put(nibble(byte >> 4));
            key.put(nibble(byte & 15));
        }
        key
    }

    fn put(&mut self, byte: u8) {
        if let Some(to) = self.buf.get_mut(self.len) {
            *to = byte;
            self.len += 1;
        }
    }

    pub(super) fn as_str(&self) -> &str {
        self.buf.get(..self.len).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
    }
}

/// Where an operation stands in its object.
#[derive(Debug, Clone, Copy)]
enum At<'a> {
    /// Under a key of a map.
    Key(&'a str),
    /// In a list, after the element with this number; 0 is the list's head.
    After(u64),
}

/// Column writers with the number of the next operation.
#[derive(Debug)]
pub(super) struct OpsWriter<'a> {
    object: RleWriter<u64>,
    element_actor: RleWriter<u64>,
    element: DeltaWriter,
    key: RleWriter<&'a str>,
    insert: BoolWriter,
    action: RleWriter<u64>,
    kind: RleWriter<u64>,
    values: Vec<u8>,
    start: u64,
    next: u64,
}

impl<'a> OpsWriter<'a> {
    pub(super) fn new(start: u64) -> Self {
        Self {
            object: RleWriter::new(),
            element_actor: RleWriter::new(),
            element: DeltaWriter::new(),
            key: RleWriter::new(),
            insert: BoolWriter::new(),
            action: RleWriter::new(),
            kind: RleWriter::new(),
            values: Vec::with_capacity(512),
            start,
            next: start,
        }
    }

    /// The columns and the number of operations. `creator_first` says that the first operation writes
    /// into an object of the listed other actor; all others are the author's.
    pub(super) fn finish(self, creator_first: bool) -> (Columns<Vec<u8>>, u64) {
        let ops = self.next - self.start;
        let object = self.object.finish();
        let object_actor = if object.is_empty() {
            Vec::new()
        } else {
            let mut actors = RleWriter::<u64>::new();
            actors.push(Some(u64::from(creator_first)));
            actors.push_n(Some(0), ops.saturating_sub(1));
            actors.finish()
        };
        let mut predecessors = RleWriter::<u64>::new();
        predecessors.push_n(Some(0), ops);
        let columns = [
            object_actor,
            object,
            self.element_actor.finish(),
            self.element.finish(),
            self.key.finish(),
            self.insert.finish(),
            self.action.finish(),
            self.kind.finish(),
            self.values,
            predecessors.finish(),
        ];
        (columns, ops)
    }

    fn op(&mut self, object: Option<u64>, at: At<'a>, action: u64, kind: u64) -> u64 {
        let id = self.next;
        self.next += 1;
        self.object.push(object);
        match at {
            At::Key(key) => {
                self.element_actor.push(None);
                self.element.push_null();
                self.key.push(Some(key));
                self.insert.push_n(false, 1);
            }
            At::After(element) => {
                self.element_actor.push((element != 0).then_some(0));
                self.element.push(element as i64);
                self.key.push(None);
                self.insert.push_n(true, 1);
            }
        }
        self.action.push(Some(action));
        self.kind.push(Some(kind));
        id
    }

    /// The genesis of `kind`.
    pub(super) fn genesis(&mut self, kind: Kind) {
        self.int(None, At::Key("format"), FORMAT);
        self.bytes(None, At::Key("kind"), value_type::STR, kind.name().as_bytes());
        for container in kind.containers() {
            self.op(None, At::Key(container.name), action::MAKE_MAP, value_type::NULL);
        }
    }

    /// An act under `key` in the container at position `container`.
    pub(super) fn act(&mut self, key: &'a str, container: usize, value: &'a Map) -> Result<(), EncodeError> {
        let object = Some(container_counter(container));
        let id = self.op(object, At::Key(key), action::MAKE_MAP, value_type::NULL);
        self.map(id, value, 1)
    }

    fn map(&mut self, id: u64, map: &'a Map, depth: usize) -> Result<(), EncodeError> {
        for (key, value) in map {
            if key.is_empty() || key.len() > KEY_BYTES_MAX {
                return Err(EncodeError::KeyLength { bytes: key.len() });
            }
            self.value(id, At::Key(key), value, depth)?;
        }
        Ok(())
    }

    fn list(&mut self, id: u64, list: &'a [Value], depth: usize) -> Result<(), EncodeError> {
        let mut after = 0;
        for value in list {
            after = self.value(id, At::After(after), value, depth)?;
        }
        Ok(())
    }

    /// Writes one value and its content; answers the number of its first operation.
    fn value(&mut self, object: u64, at: At<'a>, value: &'a Value, depth: usize) -> Result<u64, EncodeError> {
        let object = Some(object);
        let make = |w: &mut Self, action| w.op(object, at, action, value_type::NULL);
        let nested =
            |depth: usize| if depth < VALUE_DEPTH_MAX { Ok(depth + 1) } else { Err(EncodeError::TooDeep) };
        Ok(match value {
            Value::Null => self.op(object, at, action::SET, value_type::NULL),
            Value::Bool(false) => self.op(object, at, action::SET, value_type::FALSE),
            Value::Bool(true) => self.op(object, at, action::SET, value_type::TRUE),
            Value::Int(v) => self.int(object, at, *v),
            Value::Str(s) => self.bytes(object, at, value_type::STR, s.as_bytes()),
            Value::Bytes(b) => self.bytes(object, at, value_type::BYTES, b),
            Value::Text(text) => {
                let id = make(self, action::MAKE_TEXT);
                self.text(id, text);
                id
            }
            Value::Map(map) => {
                let depth = nested(depth)?;
                let id = make(self, action::MAKE_MAP);
                self.map(id, map, depth)?;
                id
            }
            Value::List(list) => {
                let depth = nested(depth)?;
                let id = make(self, action::MAKE_LIST);
                self.list(id, list, depth)?;
                id
            }
        })
    }

    fn int(&mut self, object: Option<u64>, at: At<'a>, v: i64) -> u64 {
        let from = self.values.len();
        put_int(&mut self.values, v);
        let len = self.values.len() - from;
        self.op(object, at, action::SET, kind_of(value_type::INT, len))
    }

    fn bytes(&mut self, object: Option<u64>, at: At<'a>, ty: u64, bytes: &[u8]) -> u64 {
        self.values.extend_from_slice(bytes);
        self.op(object, at, action::SET, kind_of(ty, bytes.len()))
    }

    /// One insertion per character, each after the one before.
    fn text(&mut self, object: u64, text: &str) {
        let mut chars = 0;
        let mut run = (0, 0);
        for c in text.chars() {
            let len = c.len_utf8();
            if len == run.0 {
                run.1 += 1;
            } else {
                self.kind.push_n(Some(kind_of(value_type::STR, run.0)), run.1);
                run = (len, 1);
            }
            chars += 1;
        }
        if chars == 0 {
            return;
        }
        self.kind.push_n(Some(kind_of(value_type::STR, run.0)), run.1);
        self.values.extend_from_slice(text.as_bytes());
        self.object.push_n(Some(object), chars);
        self.element_actor.push(None);
        self.element_actor.push_n(Some(0), chars - 1);
        self.element.push(0);
        self.element.push_rising(self.next as i64, chars - 1);
        self.key.push_n(None, chars);
        self.insert.push_n(true, chars);
        self.action.push_n(Some(action::SET), chars);
        self.next += chars;
    }
}
