//! Canonical binary primitives for everything that is hashed or signed.
//!
//! Integers are unsigned LEB128 in their shortest form, byte strings are length-prefixed, fixed arrays
//! are bare. There is exactly one encoding of each value: a reader refuses any other.

use thiserror::Error;

/// Why bytes could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The input ended before the value did.
    #[error("the bytes end too early")]
    Truncated,
    /// Bytes were left over after the value.
    #[error("there are bytes after the end")]
    Trailing,
    /// An integer was not in its shortest form or does not fit.
    #[error("a number is not in its shortest form or too large")]
    Number,
    /// Text was not UTF-8.
    #[error("text is not UTF-8")]
    Utf8,
    /// A length or count is above its limit.
    #[error("a length is above its limit")]
    TooLarge,
    /// A tag has no meaning in this version.
    #[error("unknown tag {0}")]
    Tag(u64),
    /// The format version is not one this program knows.
    #[error("format version {0} is not known to this program")]
    Version(u64),
    /// The order of a sorted list is not strictly ascending.
    #[error("a list that must be sorted is not")]
    Unsorted,
}

/// Appends canonical values to a byte vector.
#[derive(Debug, Default, Clone)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Unsigned LEB128.
    pub fn uint(&mut self, mut v: u64) -> &mut Self {
        loop {
            let byte = (v & 0x7f) as u8;
            v >>= 7;
            if v == 0 {
                self.0.push(byte);
                return self;
            }
            self.0.push(byte | 0x80);
        }
    }

    /// Signed value, zig-zag then LEB128.
    pub fn int(&mut self, v: i64) -> &mut Self {
        self.uint(((v << 1) ^ (v >> 63)) as u64)
    }

    /// Bytes of a fixed length known to the reader.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Length-prefixed bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.uint(bytes.len() as u64).raw(bytes)
    }

    /// Length-prefixed UTF-8.
    pub fn str(&mut self, s: &str) -> &mut Self {
        self.bytes(s.as_bytes())
    }

    /// The bytes written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads canonical values from a slice.
#[derive(Debug, Clone)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// How many bytes are left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.0.len()
    }

    /// One byte.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        let (&first, rest) = self.0.split_first().ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(first)
    }

    /// Unsigned LEB128 in its shortest form.
    ///
    /// # Errors
    /// [`DecodeError::Number`] for any other form.
    pub fn uint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            let low = u64::from(byte & 0x7f);
            if shift == 63 && low > 1 {
                return Err(DecodeError::Number);
            }
            value |= low << shift;
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 { Err(DecodeError::Number) } else { Ok(value) };
            }
        }
        Err(DecodeError::Number)
    }

    /// A `u32` in LEB128.
    ///
    /// # Errors
    /// [`DecodeError::Number`] when it does not fit.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        u32::try_from(self.uint()?).map_err(|_| DecodeError::Number)
    }

    /// A count of things of which each takes at least one byte, and at most `max`.
    ///
    /// # Errors
    /// [`DecodeError::TooLarge`] above `max`, [`DecodeError::Truncated`] above what can follow.
    pub fn count(&mut self, max: usize) -> Result<usize, DecodeError> {
        let n = usize::try_from(self.uint()?).map_err(|_| DecodeError::TooLarge)?;
        if n > max {
            return Err(DecodeError::TooLarge);
        }
        if n > self.0.len() {
            return Err(DecodeError::Truncated);
        }
        Ok(n)
    }

    /// Zig-zag LEB128.
    ///
    /// # Errors
    /// As [`Reader::uint`].
    pub fn int(&mut self) -> Result<i64, DecodeError> {
        let v = self.uint()?;
        Ok(((v >> 1) as i64) ^ -((v & 1) as i64))
    }

    /// `n` bare bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] when fewer are left.
    pub fn raw(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(head)
    }

    /// A fixed array.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] when fewer bytes are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(*head)
    }

    /// Length-prefixed bytes of at most `max`.
    ///
    /// # Errors
    /// [`DecodeError::TooLarge`] above `max`.
    pub fn bytes(&mut self, max: usize) -> Result<&'a [u8], DecodeError> {
        let n = self.count(max)?;
        self.raw(n)
    }

    /// Length-prefixed UTF-8 of at most `max` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Utf8`] for other bytes.
    pub fn str(&mut self, max: usize) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.bytes(max)?).map_err(|_| DecodeError::Utf8)
    }

    /// Ends reading.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`] when bytes are left.
    pub fn end(self) -> Result<(), DecodeError> {
        if self.0.is_empty() { Ok(()) } else { Err(DecodeError::Trailing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        for v in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut w = Writer::new();
            w.uint(v);
            assert_eq!(Reader::new(&w.0).uint(), Ok(v));
        }
        assert_eq!(Reader::new(&[0x80, 0x00]).uint(), Err(DecodeError::Number));
        assert_eq!(Reader::new(&[0xff; 11]).uint(), Err(DecodeError::Number));
        for v in [0, -1, 1, i64::MIN, i64::MAX] {
            let mut w = Writer::new();
            w.int(v);
            assert_eq!(Reader::new(&w.0).int(), Ok(v));
        }
    }

    #[test]
    fn a_count_cannot_promise_more_than_can_follow() {
        assert_eq!(Reader::new(&[200, 1, 0]).count(1_000), Err(DecodeError::Truncated));
        assert_eq!(Reader::new(&[200, 1, 0]).count(100), Err(DecodeError::TooLarge));
    }
}
