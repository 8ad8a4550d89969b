//! Column encodings of an Automerge change: run lengths, deltas, booleans.
//!
//! A column is a sequence of *runs*: `n v` (n ≥ 2 equal values), `-n v…` (n differing values) or
//! `0 n` (n nulls), numbers in LEB128. The writers produce Automerge's minimal form and nothing else.
//! The readers accept any form but take every run against a budget of operations first, so that no
//! claimed length is ever expanded or allocated; that the form was minimal shows when the change is
//! written again. A column of nothing but nulls is empty and is not listed at all.

use super::error::{ChangeError, Column};
use crate::codec::Reader;

/// Appends unsigned LEB128.
pub(super) fn put_uint(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push((v as u8) | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// Appends signed LEB128 (two's complement, not the zig-zag of our own formats).
pub(super) fn put_int(out: &mut Vec<u8>, mut v: i64) {
    loop {
        let byte = (v as u8) & 0x7f;
        v >>= 7;
        if (v == 0 && byte & 0x40 == 0) || (v == -1 && byte & 0x40 != 0) {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

/// How many bytes [`put_uint`] appends.
pub(super) fn uint_len(v: u64) -> usize {
    (64 - (v | 1).leading_zeros() as usize).div_ceil(7)
}

/// Reads signed LEB128; longer forms than needed are noticed when the change is written again.
fn read_int(r: &mut Reader<'_>) -> Option<i64> {
    let mut value = 0i64;
    let mut shift = 0;
    while shift < 64 {
        let byte = r.byte().ok()?;
        value |= i64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let used = shift + 7;
            return Some(if used < 64 && byte & 0x40 != 0 { value | (-1i64 << used) } else { value });
        }
        shift += 7;
    }
    None
}

/// The one signed integer in `bytes`.
pub(super) fn whole_int(bytes: &[u8]) -> Option<i64> {
    let mut r = Reader::new(bytes);
    let v = read_int(&mut r)?;
    (r.remaining() == 0).then_some(v)
}

/// What stands in a run-length column.
pub(super) trait Item<'a>: Copy + PartialEq {
    /// Appends the bare value.
    fn put(self, out: &mut Vec<u8>);
    /// Takes one bare value off the input.
    fn take(r: &mut Reader<'a>) -> Option<Self>;
}

impl Item<'_> for u64 {
    fn put(self, out: &mut Vec<u8>) {
        put_uint(out, self);
    }
    fn take(r: &mut Reader<'_>) -> Option<Self> {
        r.uint().ok()
    }
}

impl Item<'_> for i64 {
    fn put(self, out: &mut Vec<u8>) {
        put_int(out, self);
    }
    fn take(r: &mut Reader<'_>) -> Option<Self> {
        read_int(r)
    }
}

impl<'a> Item<'a> for &'a str {
    fn put(self, out: &mut Vec<u8>) {
        put_uint(out, self.len() as u64);
        out.extend_from_slice(self.as_bytes());
    }
    fn take(r: &mut Reader<'a>) -> Option<Self> {
        r.str(usize::MAX).ok()
    }
}

/// Writes a run-length column in minimal form.
#[derive(Debug)]
pub(super) struct RleWriter<T> {
    out: Vec<u8>,
    /// The run not yet written: `None` is null.
    value: Option<T>,
    count: u64,
    /// Where the header of the open literal run is, and how many values it has.
    literal: Option<(usize, u64)>,
}

impl<'a, T: Item<'a>> RleWriter<T> {
    pub(super) fn new() -> Self {
        Self { out: Vec::with_capacity(48), value: None, count: 0, literal: None }
    }

    pub(super) fn push(&mut self, value: Option<T>) {
        self.push_n(value, 1);
    }

    pub(super) fn push_n(&mut self, value: Option<T>, n: u64) {
        if n == 0 {
            return;
        }
        if self.count > 0 && self.value == value {
            self.count += n;
            return;
        }
        self.flush();
        self.value = value;
        self.count = n;
    }

    fn flush(&mut self) {
        match self.value {
            _ if self.count == 0 => {}
            None => {
                self.close_literal();
                self.out.push(0);
                put_uint(&mut self.out, self.count);
            }
            Some(value) if self.count == 1 => {
                let (at, count) = self.literal.unwrap_or((self.out.len(), 0));
                if count == 0 {
                    self.out.push(0);
                }
                value.put(&mut self.out);
                self.literal = Some((at, count + 1));
            }
            Some(value) => {
                self.close_literal();
                put_int(&mut self.out, self.count as i64);
                value.put(&mut self.out);
            }
        }
    }

    fn close_literal(&mut self) {
        let Some((at, count)) = self.literal.take() else { return };
        if count <= 64 {
            if let Some(header) = self.out.get_mut(at) {
                *header = (-(count as i64) as u8) & 0x7f;
            }
            return;
        }
        let mut header = Vec::with_capacity(10);
        put_int(&mut header, -(count as i64));
        self.out.splice(at..=at, header);
    }

    /// The column's bytes: empty when it holds nothing but nulls.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.out.is_empty() && self.value.is_none() {
            return self.out;
        }
        self.flush();
        self.close_literal();
        self.out
    }
}

/// Writes a run-length column of differences.
#[derive(Debug)]
pub(super) struct DeltaWriter {
    rle: RleWriter<i64>,
    last: i64,
}

impl DeltaWriter {
    pub(super) fn new() -> Self {
        Self { rle: RleWriter::new(), last: 0 }
    }

    pub(super) fn push_null(&mut self) {
        self.rle.push(None);
    }

    pub(super) fn push(&mut self, value: i64) {
        self.push_rising(value, 1);
    }

    /// `value`, `value + 1`, … `n` times.
    pub(super) fn push_rising(&mut self, value: i64, n: u64) {
        if n == 0 {
            return;
        }
        self.rle.push(Some(value - self.last));
        self.rle.push_n(Some(1), n - 1);
        self.last = value + (n as i64 - 1);
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.rle.finish()
    }
}

/// Writes a boolean column: lengths of alternating runs, the first of `false`.
#[derive(Debug)]
pub(super) struct BoolWriter {
    out: Vec<u8>,
    value: bool,
    count: u64,
}

impl BoolWriter {
    pub(super) fn new() -> Self {
        Self { out: Vec::with_capacity(16), value: false, count: 0 }
    }

    pub(super) fn push_n(&mut self, value: bool, n: u64) {
        if n == 0 {
            return;
        }
        if value != self.value {
            put_uint(&mut self.out, self.count);
            self.value = value;
            self.count = 0;
        }
        self.count += n;
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            put_uint(&mut self.out, self.count);
        }
        self.out
    }
}

/// One run of a run-length column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run<T> {
    /// `None` is null.
    pub(super) value: Option<T>,
    /// At least 1.
    pub(super) count: u64,
}

/// Reads a run-length column run by run; a literal is read as runs of one.
#[derive(Debug)]
pub(super) struct RleReader<'a, T> {
    column: Column,
    input: Reader<'a>,
    /// Rows that may still come: a run may not promise more.
    budget: u64,
    /// Values left in the open literal.
    literal: u64,
    run: Run<T>,
    /// An absent column is all nulls.
    absent: bool,
}

impl<'a, T: Item<'a>> RleReader<'a, T> {
    pub(super) fn new(column: Column, bytes: &'a [u8], rows: u64) -> Self {
        Self {
            column,
            input: Reader::new(bytes),
            budget: rows,
            literal: 0,
            run: Run { value: None, count: 0 },
            absent: bytes.is_empty(),
        }
    }

    fn malformed(&self) -> ChangeError {
        ChangeError::Malformed { column: self.column }
    }

    fn spend(&mut self, n: u64) -> Result<(), ChangeError> {
        self.budget = self.budget.checked_sub(n).ok_or(ChangeError::RunTooLong { column: self.column })?;
        Ok(())
    }

    /// The next run, or `None` at the end of the column.
    pub(super) fn next_run(&mut self) -> Result<Option<Run<T>>, ChangeError> {
        if self.literal > 0 {
            self.literal -= 1;
            let value = T::take(&mut self.input).ok_or_else(|| self.malformed())?;
            return Ok(Some(Run { value: Some(value), count: 1 }));
        }
        if self.input.remaining() == 0 {
            return Ok(None);
        }
        let header = read_int(&mut self.input).ok_or_else(|| self.malformed())?;
        let run = if header > 0 {
            let value = T::take(&mut self.input).ok_or_else(|| self.malformed())?;
            Run { value: Some(value), count: header.unsigned_abs() }
        } else if header < 0 {
            let n = header.unsigned_abs();
            self.spend(n)?;
            self.literal = n - 1;
            let value = T::take(&mut self.input).ok_or_else(|| self.malformed())?;
            return Ok(Some(Run { value: Some(value), count: 1 }));
        } else {
            let count = self.input.uint().map_err(|_| self.malformed())?;
            if count == 0 {
                return Err(self.malformed());
            }
            Run { value: None, count }
        };
        self.spend(run.count)?;
        Ok(Some(run))
    }

    /// What the next row holds and for how many rows, without taking it.
    pub(super) fn peek(&mut self) -> Result<Run<T>, ChangeError> {
        if self.run.count == 0 {
            self.run = match self.next_run()? {
                Some(run) => run,
                None if self.absent => {
                    let count = self.budget.max(1);
                    self.budget = 0;
                    Run { value: None, count }
                }
                None => return Err(ChangeError::ColumnTooShort { column: self.column }),
            };
        }
        Ok(self.run)
    }

    /// Takes at most `max` equal rows.
    pub(super) fn take_run(&mut self, max: u64) -> Result<Run<T>, ChangeError> {
        let run = self.peek()?;
        let count = run.count.min(max);
        self.run.count -= count;
        Ok(Run { value: run.value, count })
    }

    /// Takes one row.
    pub(super) fn take(&mut self) -> Result<Option<T>, ChangeError> {
        Ok(self.take_run(1)?.value)
    }

    /// Takes `n` rows of which each must be `value`; `false` if one is not.
    pub(super) fn take_all(&mut self, value: Option<T>, n: u64) -> Result<bool, ChangeError> {
        let mut left = n;
        while left > 0 {
            let run = self.take_run(left)?;
            if run.value != value {
                return Ok(false);
            }
            left -= run.count;
        }
        Ok(true)
    }

    /// All rows were taken and nothing follows.
    pub(super) fn at_end(&self) -> bool {
        self.absent || (self.run.count == 0 && self.literal == 0 && self.input.remaining() == 0)
    }
}

/// Walks a run-length column whose values follow from elsewhere: only that no run promises more than
/// `rows`, and what each value may be.
pub(super) fn check_runs<'a, T: Item<'a>>(
    column: Column,
    bytes: &'a [u8],
    rows: u64,
    mut allowed: impl FnMut(T) -> Result<(), ChangeError>,
) -> Result<(), ChangeError> {
    let mut reader = RleReader::<T>::new(column, bytes, rows);
    while let Some(run) = reader.next_run()? {
        run.value.map_or(Ok(()), &mut allowed)?;
    }
    Ok(())
}

/// The same for a boolean column.
pub(super) fn check_booleans(column: Column, bytes: &[u8], rows: u64) -> Result<(), ChangeError> {
    let mut input = Reader::new(bytes);
    let mut budget = rows;
    while input.remaining() > 0 {
        let n = input.uint().map_err(|_| ChangeError::Malformed { column })?;
        budget = budget.checked_sub(n).ok_or(ChangeError::RunTooLong { column })?;
    }
    Ok(())
}

/// The sum of the action column's runs: how many operations a change claims, without expanding any.
pub(super) fn count_rows(bytes: &[u8], max: u64) -> Result<u64, ChangeError> {
    let column = Column::Action;
    let mut reader = RleReader::<u64>::new(column, bytes, u64::MAX);
    let mut rows = 0u64;
    loop {
        match reader.next_run() {
            Ok(Some(Run { value: Some(_), count })) => rows = rows.saturating_add(count),
            Ok(Some(Run { value: None, .. })) => return Err(ChangeError::Malformed { column }),
            Ok(None) => break,
            Err(ChangeError::RunTooLong { .. }) => rows = u64::MAX,
            Err(e) => return Err(e),
        }
        if rows > max {
            return Err(ChangeError::TooManyOps { ops: rows });
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_numbers_are_automerges() {
        for v in [0, 1, -1, 63, 64, -64, -65, 8_191, 8_192, -8_192, -8_193, i64::MIN, i64::MAX] {
            let mut out = Vec::new();
            put_int(&mut out, v);
            assert_eq!(whole_int(&out), Some(v), "{v}");
        }
        let mut out = Vec::new();
        put_int(&mut out, -65);
        assert_eq!(out, [0xbf, 0x7f]);
        for v in [0, 127, 128, u64::MAX] {
            let mut out = Vec::new();
            put_uint(&mut out, v);
            assert_eq!(out.len(), uint_len(v));
        }
    }

    #[test]
    fn runs_are_minimal() {
        let write = |values: &[Option<u64>]| {
            let mut w = RleWriter::new();
            values.iter().for_each(|v| w.push(*v));
            w.finish()
        };
        assert_eq!(write(&[None, None]), [0u8; 0]);
        assert_eq!(write(&[Some(7)]), [0x7f, 7]);
        assert_eq!(write(&[Some(7), Some(7), Some(1), Some(2), Some(2)]), [2, 7, 0x7f, 1, 2, 2]);
        assert_eq!(write(&[Some(1), Some(2), None, Some(3)]), [0x7e, 1, 2, 0, 1, 0x7f, 3]);
        let long: Vec<_> = (0..100).map(Some).collect();
        let bytes = write(&long);
        assert_eq!(bytes[..2], [0x9c, 0x7f]);
        let mut r = RleReader::<u64>::new(Column::Action, &bytes, 100);
        assert!((0..100).all(|v| r.take() == Ok(Some(v))) && r.at_end());
    }

    #[test]
    fn a_run_cannot_promise_more_than_the_rows() {
        let mut bytes = Vec::new();
        put_int(&mut bytes, 1 << 40);
        bytes.push(1);
        assert_eq!(count_rows(&bytes, 100), Err(ChangeError::TooManyOps { ops: 1 << 40 }));
        let err = check_runs::<u64>(Column::ValueKind, &bytes, 100, |_| Ok(()));
        assert_eq!(err, Err(ChangeError::RunTooLong { column: Column::ValueKind }));
    }
}
