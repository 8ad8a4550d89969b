//! Reading a change: from bytes that may have been crafted to a value, or to the reason why not.
//!
//! Order of the checks: envelope and checksum, header, the number of operations (by summing runs, nothing
//! expanded), every column's runs against that number, then the tree, and at last the whole change
//! written again and compared. Columns that follow from others (actors, elements, insertions) are not
//! interpreted here at all: the comparison decides them. Memory is bounded by the input plus one
//! [`Value`] for each of at most [`CHANGE_OPS_MAX`] operations, recursion by [`VALUE_DEPTH_MAX`].

use super::{
    Body, Change, FORMAT,
    chunk::{Columns, Header, Opened, open},
    columns::{RleReader, check_booleans, check_runs, count_rows, whole_int},
    container_counter,
    encode::{Parts, parts},
    error::{ChangeError, Column, EncodeError, Part},
    ops::{ActKey, action, value_type},
};
use crate::{
    ids::{ActRef, ChangeHash},
    kind::Kind,
    limits::{CHANGE_OPS_MAX, KEY_BYTES_MAX, OP_COUNTER_MAX, VALUE_DEPTH_MAX},
    value::{Key, Map, Value},
};

/// A change read from bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// What it says.
    pub change: Change,
    /// Automerge's hash of it.
    pub hash: ChangeHash,
    /// How many operations it has.
    pub op_count: u64,
}

/// Reads a change of a document of `kind`. What is accepted is exactly what [`encode`](super::encode())
/// writes; the history (previous change, start after the dependencies) is for the gate to check.
///
/// # Errors
/// [`ChangeError`] with the reason.
pub fn decode(bytes: &[u8], kind: Kind) -> Result<Decoded, ChangeError> {
    read(bytes, kind, true)
}

/// Reads a change that [`decode`] or [`encode`](super::encode()) has seen before: every bound is checked
/// again, only that it is written the same once more is taken for granted. For the own database, where
/// the hash tells damage.
///
/// # Errors
/// [`ChangeError`] with the reason.
pub fn decode_stored(bytes: &[u8], kind: Kind) -> Result<Decoded, ChangeError> {
    read(bytes, kind, false)
}

fn read(bytes: &[u8], kind: Kind, canonical: bool) -> Result<Decoded, ChangeError> {
    let opened = open(bytes)?;
    let columns = opened.columns()?;
    let op_count = count_rows(of(&columns, Column::Action), CHANGE_OPS_MAX)?;
    if op_count == 0 {
        return Err(ChangeError::NoOps);
    }
    if opened.header.start_op + op_count > OP_COUNTER_MAX {
        return Err(ChangeError::Counter);
    }
    check_columns(&columns, op_count, opened.header.other.is_some())?;
    let Opened { header, hash, data, .. } = opened;
    let mut ops = OpsReader::new(&columns, header.start_op, op_count);
    let body = match ops.object.peek()?.value {
        None => ops.genesis(&header, kind)?,
        Some(object) => ops.act(&header, kind, object)?,
    };
    ops.end()?;
    let Header { actor, seq, start_op, deps, .. } = header;
    let change = Change { actor, seq, start_op, deps, body };
    if canonical {
        compare(&change, data, &columns, op_count)?;
    }
    Ok(Decoded { change, hash, op_count })
}

fn of<'a>(columns: &Columns<&'a [u8]>, column: Column) -> &'a [u8] {
    Column::ALL.iter().zip(columns).find(|(c, _)| **c == column).map_or(&[], |(_, bytes)| bytes)
}

/// No run is longer than the change; the actors are those listed; nothing is replaced.
fn check_columns(columns: &Columns<&[u8]>, ops: u64, has_other: bool) -> Result<(), ChangeError> {
    let listed = 1 + u64::from(has_other);
    let mut used = 1;
    for column in [Column::ObjectActor, Column::ElementActor] {
        check_runs::<u64>(column, of(columns, column), ops, |index| {
            used = used.max(index.saturating_add(1));
            if index < listed { Ok(()) } else { Err(ChangeError::UnknownActor { index }) }
        })?;
    }
    if used < listed {
        return Err(ChangeError::UnusedActor);
    }
    check_runs::<i64>(Column::ElementCounter, of(columns, Column::ElementCounter), ops, |_| Ok(()))?;
    check_booleans(Column::Insert, of(columns, Column::Insert), ops)?;
    check_runs::<u64>(Column::Predecessors, of(columns, Column::Predecessors), ops, |n| {
        if n == 0 { Ok(()) } else { Err(ChangeError::Predecessors) }
    })
}

/// Writes the change again and names the first part that differs.
fn compare(change: &Change, data: &[u8], columns: &Columns<&[u8]>, op_count: u64) -> Result<(), ChangeError> {
    let differs = |part| Err(ChangeError::NotCanonical { part });
    let Parts { head, columns: ours, ops } = parts(change).map_err(|e| match e {
        // The reader has bounded depth and keys already.
        EncodeError::TooDeep => ChangeError::TooDeep { counter: change.start_op },
        _ => ChangeError::NotCanonical { part: Part::Header },
    })?;
    for ((column, ours), theirs) in Column::ALL.into_iter().zip(&ours).zip(columns) {
        if ours != theirs {
            return differs(Part::Column(column));
        }
    }
    // The columns being equal, theirs may still be listed in a form that ours never has.
    let column_bytes: usize = columns.iter().map(|c| c.len()).sum();
    let their_head = data.len().checked_sub(column_bytes).and_then(|n| data.get(..n));
    if their_head != Some(head.as_slice()) || ops != op_count {
        return differs(Part::Header);
    }
    Ok(())
}

/// Reads operations off the columns that carry the author's value.
#[derive(Debug)]
struct OpsReader<'a> {
    object: RleReader<'a, u64>,
    key: RleReader<'a, &'a str>,
    action: RleReader<'a, u64>,
    kind: RleReader<'a, u64>,
    values: &'a [u8],
    /// Number of the next operation.
    next: u64,
    left: u64,
}

/// A scalar in the value columns.
#[derive(Debug, Clone, Copy)]
struct Raw<'a> {
    ty: u64,
    bytes: &'a [u8],
}

impl<'a> OpsReader<'a> {
    fn new(columns: &Columns<&'a [u8]>, start: u64, ops: u64) -> Self {
        Self {
            object: RleReader::new(Column::ObjectCounter, of(columns, Column::ObjectCounter), ops),
            key: RleReader::new(Column::Key, of(columns, Column::Key), ops),
            action: RleReader::new(Column::Action, of(columns, Column::Action), ops),
            kind: RleReader::new(Column::ValueKind, of(columns, Column::ValueKind), ops),
            values: of(columns, Column::Value),
            next: start,
            left: ops,
        }
    }

    /// All operations and all value bytes were used.
    fn end(&mut self) -> Result<(), ChangeError> {
        if self.left > 0 {
            let object = self.object.peek()?.value;
            return Err(ChangeError::Object { counter: self.next, object });
        }
        if !self.values.is_empty() {
            return Err(ChangeError::ValueLength { counter: self.next });
        }
        let ends = [
            (Column::ObjectCounter, self.object.at_end()),
            (Column::Key, self.key.at_end()),
            (Column::Action, self.action.at_end()),
            (Column::ValueKind, self.kind.at_end()),
        ];
        match ends.into_iter().find(|(_, at_end)| !at_end) {
            Some((column, _)) => Err(ChangeError::RunTooLong { column }),
            None => Ok(()),
        }
    }

    /// Whether the next operation writes into `object`.
    fn continues(&mut self, object: u64) -> Result<bool, ChangeError> {
        Ok(self.left > 0 && self.object.peek()?.value == Some(object))
    }

    /// Takes one operation's object, key and action; answers its number too.
    fn op(&mut self) -> Result<(u64, Option<&'a str>, u64), ChangeError> {
        let counter = self.next;
        if self.left == 0 {
            return Err(ChangeError::ColumnTooShort { column: Column::Action });
        }
        self.next += 1;
        self.left -= 1;
        self.object.take()?;
        let key = self.key.take()?;
        let action = self.action.take()?.ok_or(ChangeError::Malformed { column: Column::Action })?;
        Ok((counter, key, action))
    }

    fn raw(&mut self, counter: u64) -> Result<Raw<'a>, ChangeError> {
        let kind = self.kind.take()?.ok_or(ChangeError::Malformed { column: Column::ValueKind })?;
        let bytes = self.cut(kind >> value_type::BITS, counter)?;
        Ok(Raw { ty: kind & ((1 << value_type::BITS) - 1), bytes })
    }

    fn cut(&mut self, len: u64, counter: u64) -> Result<&'a [u8], ChangeError> {
        let cut = usize::try_from(len).ok().and_then(|n| self.values.split_at_checked(n));
        let (head, tail) = cut.ok_or(ChangeError::ValueLength { counter })?;
        self.values = tail;
        Ok(head)
    }

    /// An object-making operation carries no value.
    fn no_value(&mut self, counter: u64) -> Result<(), ChangeError> {
        match self.raw(counter)? {
            Raw { ty: value_type::NULL, bytes: [] } => Ok(()),
            Raw { ty: value_type::NULL, .. } => Err(ChangeError::ValueLength { counter }),
            Raw { ty, .. } => Err(ChangeError::ValueType { counter, kind: ty }),
        }
    }

    fn genesis(&mut self, header: &Header, kind: Kind) -> Result<Body, ChangeError> {
        if !header.deps.is_empty() || header.seq != 1 || header.start_op != 1 || header.other.is_some() {
            return Err(ChangeError::NotGenesis);
        }
        let mut expect = |key: &str, action: u64, value: Option<Value>| -> Result<(), ChangeError> {
            let (counter, found_key, found_action) = self.op()?;
            if found_key != Some(key) || found_action != action {
                return Err(ChangeError::NotGenesis);
            }
            match value {
                Some(value) if self.scalar(counter)? != value => Err(ChangeError::NotGenesis),
                Some(_) => Ok(()),
                None => self.no_value(counter),
            }
        };
        expect("format", action::SET, Some(Value::Int(FORMAT)))?;
        expect("kind", action::SET, Some(Value::Str(kind.name().into())))?;
        kind.containers().iter().try_for_each(|c| expect(c.name, action::MAKE_MAP, None))?;
        Ok(Body::Genesis { kind })
    }

    fn act(&mut self, header: &Header, kind: Kind, object: u64) -> Result<Body, ChangeError> {
        let creator = header.other.unwrap_or(header.actor);
        let min = 1 + u64::from(header.other.is_none());
        if header.seq < min {
            return Err(ChangeError::Seq { min });
        }
        if header.deps.is_empty() {
            return Err(ChangeError::NoDeps);
        }
        let containers = kind.containers().len();
        let container = (0..containers)
            .find(|c| container_counter(*c) == object)
            .ok_or(ChangeError::Container { object })?;
        if header.start_op < container_counter(containers) {
            return Err(ChangeError::StartOp { start_op: header.start_op });
        }
        let (counter, key, action) = self.op()?;
        let expected = ActKey::new(ActRef { actor: header.actor, seq: header.seq });
        if action != action::MAKE_MAP || key != Some(expected.as_str()) {
            return Err(ChangeError::ActKey);
        }
        self.no_value(counter)?;
        let value = self.map(counter, 1)?;
        Ok(Body::Act { creator, container, value })
    }

    fn map(&mut self, id: u64, depth: usize) -> Result<Map, ChangeError> {
        let mut entries: Vec<(Key, Value)> = Vec::new();
        while self.continues(id)? {
            let (counter, key, action) = self.op()?;
            let key = key.ok_or(ChangeError::KeyShape { counter })?;
            if key.is_empty() || key.len() > KEY_BYTES_MAX {
                return Err(ChangeError::KeyLength { counter, bytes: key.len() });
            }
            if entries.last().is_some_and(|(last, _)| last.as_str() >= key) {
                return Err(ChangeError::KeyOrder { counter });
            }
            let value = self.value(counter, action, depth)?;
            if entries.capacity() == 0 {
                entries.reserve(16);
            }
            entries.push((Key::new(key), value));
        }
        // In order, as was just seen.
        Ok(Map::from_sorted(entries).unwrap_or_default())
    }

    fn list(&mut self, id: u64, depth: usize) -> Result<Vec<Value>, ChangeError> {
        let mut list = Vec::new();
        while self.continues(id)? {
            let (counter, key, action) = self.op()?;
            if key.is_some() {
                return Err(ChangeError::KeyShape { counter });
            }
            list.push(self.value(counter, action, depth)?);
        }
        Ok(list)
    }

    fn value(&mut self, counter: u64, action: u64, depth: usize) -> Result<Value, ChangeError> {
        match action {
            action::SET => return self.scalar(counter),
            action::MAKE_TEXT => {
                self.no_value(counter)?;
                return self.text(counter).map(Value::Text);
            }
            action::MAKE_MAP | action::MAKE_LIST => {}
            _ => return Err(ChangeError::Action { counter, action }),
        }
        if depth >= VALUE_DEPTH_MAX {
            return Err(ChangeError::TooDeep { counter });
        }
        self.no_value(counter)?;
        if action == action::MAKE_MAP {
            self.map(counter, depth + 1).map(Value::Map)
        } else {
            self.list(counter, depth + 1).map(Value::List)
        }
    }

    fn scalar(&mut self, counter: u64) -> Result<Value, ChangeError> {
        let Raw { ty, bytes } = self.raw(counter)?;
        let value = match ty {
            value_type::STR => {
                let s = std::str::from_utf8(bytes).map_err(|_| ChangeError::Utf8 { counter })?;
                return Ok(Value::Str(s.into()));
            }
            value_type::BYTES => return Ok(Value::Bytes(bytes.to_vec())),
            value_type::INT => {
                let v = whole_int(bytes).ok_or(ChangeError::ValueLength { counter })?;
                return Ok(Value::Int(v));
            }
            value_type::NULL => Value::Null,
            value_type::FALSE => Value::Bool(false),
            value_type::TRUE => Value::Bool(true),
            kind => return Err(ChangeError::ValueType { counter, kind }),
        };
        if bytes.is_empty() { Ok(value) } else { Err(ChangeError::ValueLength { counter }) }
    }

    /// The characters of a text: whole runs at a time. That each value is exactly one character shows
    /// when the text is written again.
    fn text(&mut self, id: u64) -> Result<String, ChangeError> {
        let values = self.values;
        let first = self.next;
        let mut bytes = 0;
        while self.continues(id)? {
            let counter = self.next;
            let n = self.object.take_run(self.left)?.count;
            if !self.key.take_all(None, n)? {
                return Err(ChangeError::KeyShape { counter });
            }
            let mut left = n;
            while left > 0 {
                let run = self.action.take_run(left)?;
                if run.value != Some(action::SET) {
                    let counter = counter + (n - left);
                    return Err(ChangeError::Action { counter, action: run.value.unwrap_or_default() });
                }
                left -= run.count;
            }
            left = n;
            while left > 0 {
                let counter = counter + (n - left);
                let run = self.kind.take_run(left)?;
                let kind = run.value.ok_or(ChangeError::Malformed { column: Column::ValueKind })?;
                let ty = kind & ((1 << value_type::BITS) - 1);
                if ty != value_type::STR {
                    return Err(ChangeError::ValueType { counter, kind: ty });
                }
                bytes += self.cut((kind >> value_type::BITS).saturating_mul(run.count), counter)?.len();
                left -= run.count;
            }
            self.next += n;
            self.left -= n;
        }
        let text = values.get(..bytes).unwrap_or_default();
        std::str::from_utf8(text).map(str::to_owned).map_err(|_| ChangeError::Utf8 { counter: first })
    }
}
