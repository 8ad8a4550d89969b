//! Decisions taken from bytes, so that a mutated byte is a changed decision and everything before it stays.

use yishi_protocol::value::{Map, Value};

/// A row of decisions; when the bytes end, every further decision is the first of its kind.
#[derive(Debug, Clone)]
pub(crate) struct Choice<'a>(pub(crate) &'a [u8]);

impl<'a> Choice<'a> {
    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `n`; 0 if there is none.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        match n {
            0 | 1 => 0,
            2..=256 => usize::from(self.byte()) % n,
            _ => (usize::from(self.byte()) << 8 | usize::from(self.byte())) % n,
        }
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Small numbers mostly, and those at the edges.
    pub(crate) fn number(&mut self) -> u64 {
        match self.byte() {
            n @ 0..=199 => u64::from(n),
            200..=219 => u64::from(self.byte()) << 8 | u64::from(self.byte()),
            220..=229 => u64::MAX - u64::from(self.byte()),
            230..=239 => (1u64 << (self.byte() % 64)).wrapping_sub(u64::from(self.byte() % 3)),
            _ => (0..8).fold(0, |n, _| n << 8 | u64::from(self.byte())),
        }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// As many bytes as the next one says, or what is left of them.
    pub(crate) fn some(&mut self) -> &'a [u8] {
        let n = usize::from(self.byte()).min(self.0.len());
        let (taken, rest) = self.0.split_at(n);
        self.0 = rest;
        taken
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    pub(crate) fn text(&mut self) -> String {
        String::from_utf8_lossy(self.some()).into_owned()
    }

    /// A value of at most that depth.
    pub(crate) fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => Value::Int(self.number() as i64),
            1 => Value::Null,
            2 => Value::Bool(self.flag()),
            3 => Value::Str(self.text().into()),
            4 => Value::Bytes(self.some().to_vec()),
            5 => Value::Text(self.text()),
            6 => Value::Map(self.map(depth - 1)),
            _ => Value::List((0..self.below(6)).map(|_| self.value(depth - 1)).collect()),
        }
    }

    /// Fields under names that acts have, and under others.
    pub(crate) fn map(&mut self, depth: usize) -> Map {
        (0..self.below(8)).map(|_| (self.key(), self.value(depth))).collect()
    }

    fn key(&mut self) -> String {
        const KEYS: [&str; 12] =
            ["kind", "on", "by", "prev", "text", "to", "note", "n", "votes", "title", "score", "rows"];
        match self.below(16) {
            n if n < KEYS.len() => KEYS[n].into(),
            12 => "k".repeat(self.below(70)),
            13 => format!("{}@{:032x}", self.number(), self.byte()),
            _ => self.text(),
        }
    }
}
