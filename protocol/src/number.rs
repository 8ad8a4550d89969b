//! Numbers and check codes that people say, write by hand and type.
//!
//! `芦稿-2026-0187`: place, year, serial. A node issues them alone, so the place's name keeps places
//! apart; and since a database that was restored from a backup would issue its serials again, a renewed
//! life ([`Incarnation`]) puts a *block* between: `芦稿-2026-B7-0001`. Two lives of one database never
//! issue the same number, without asking anyone.
//!
//! The check code is six digits from a key of the place. It can be printed on slips ahead of any
//! network, and nobody without the key can compute it from the number, which hangs on the public board.
//! Six digits can be *guessed*: whoever answers queries must limit attempts per number.

mod spoken;

pub(crate) use spoken::canonical_prefix;

use crate::{codec::Writer, ids::Incarnation, limits::NAME_BYTES_MAX};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::{fmt, hint::black_box, ops::RangeInclusive, str::FromStr};
use thiserror::Error;

/// Letters of a block, without those that are taken for digits or for each other in handwriting: no I, L,
/// O (1, 0), U, V (each other), Z (2).
const BLOCK_LETTERS: &[u8; 20] = b"ABCDEFGHJKMNPQRSTWXY";
/// The block's last character: those letters and the digits that are not taken for letters.
const BLOCK_LAST: &[u8; 28] = b"ABCDEFGHJKMNPQRSTWXY23456789";
/// Years that can be meant; anything else is a slip of the hand.
const YEARS: RangeInclusive<i32> = 1900..=2999;

/// The text is not a matter number; the reason says which part is missing or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NumberError {
    /// No place name in front, or one that is too long or has control characters.
    #[error("a number begins with the short name of its place")]
    Place,
    /// No year of four digits between 1900 and 2999.
    #[error("a number has a year of four digits")]
    Year,
    /// What stands between year and serial is no block.
    #[error("what stands between year and serial is not a block such as B7")]
    Block,
    /// No serial at the end, or it is zero or too large.
    #[error("a number ends in a serial of digits")]
    Serial,
}

/// A matter's number. Always valid and canonical: equal numbers are equal texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MatterNumber {
    prefix: String,
    year: i32,
    block: Option<String>,
    serial: u32,
}

impl MatterNumber {
    /// The number a node issues: its place's short name (separators and spaces are dropped, Latin letters
    /// become capitals), the year, the life of its database, and the next serial of that (year, life).
    ///
    /// # Errors
    /// [`NumberError`] naming the part that cannot stand in a number.
    pub fn issue(prefix: &str, year: i32, life: Incarnation, serial: u32) -> Result<Self, NumberError> {
        Self::checked(prefix, year, block_of(life), serial)
    }

    fn checked(prefix: &str, year: i32, block: Option<String>, serial: u32) -> Result<Self, NumberError> {
        let prefix = canonical_prefix(prefix);
        if prefix.is_empty() || prefix.len() > NAME_BYTES_MAX || prefix.chars().any(char::is_control) {
            return Err(NumberError::Place);
        }
        if !YEARS.contains(&year) {
            return Err(NumberError::Year);
        }
        if serial == 0 {
            return Err(NumberError::Serial);
        }
        Ok(Self { prefix, year, block, serial })
    }

    /// Reads what people say or type: `芦稿 2026 187`, `芦稿2026年第187号`, `芦稿－２０２６－ｂ７—１`.
    ///
    /// Full-width characters, any dash, spaces, missing zeros, small letters and Chinese digits are
    /// understood. A text that could mean two numbers is refused rather than guessed.
    ///
    /// # Errors
    /// [`NumberError`] naming the part that is missing or wrong.
    pub fn read(text: &str) -> Result<Self, NumberError> {
        spoken::read(text, None)
    }

    /// As [`MatterNumber::read`], at a desk whose own place may be left out: `2026-187`.
    ///
    /// # Errors
    /// As [`MatterNumber::read`].
    pub fn read_at(text: &str, own_prefix: &str) -> Result<Self, NumberError> {
        spoken::read(text, Some(own_prefix))
    }

    /// The place's short name.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The year.
    #[must_use]
    pub fn year(&self) -> i32 {
        self.year
    }

    /// The block of a renewed database life, none in the first.
    #[must_use]
    pub fn block(&self) -> Option<&str> {
        self.block.as_deref()
    }

    /// The serial, from 1.
    #[must_use]
    pub fn serial(&self) -> u32 {
        self.serial
    }
}

impl fmt::Display for MatterNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-", self.prefix, self.year)?;
        if let Some(block) = &self.block {
            write!(f, "{block}-")?;
        }
        write!(f, "{:04}", self.serial)
    }
}

impl FromStr for MatterNumber {
    type Err = NumberError;
    fn from_str(s: &str) -> Result<Self, NumberError> {
        Self::read(s)
    }
}

impl TryFrom<String> for MatterNumber {
    type Error = NumberError;
    fn try_from(s: String) -> Result<Self, NumberError> {
        Self::read(&s)
    }
}

impl From<MatterNumber> for String {
    fn from(number: MatterNumber) -> Self {
        number.to_string()
    }
}

/// The block of a database life: none for the first, then letters that count the renewals (A, B … Y, AA …)
/// and one character from the life's random bits.
///
/// Lives that were renewed a different number of times never share a block. The last character only
/// helps when one backup was restored twice, to two machines: they then differ in 27 of 28 cases, and
/// the peers find the clone by other means.
#[must_use]
pub fn block_of(life: Incarnation) -> Option<String> {
    let mut count = life.count();
    if count == 0 {
        return None;
    }
    let mut letters = Vec::new();
    // Bijective base 20: every count has one spelling, and spellings never start with a "zero".
    while count > 0 {
        count -= 1;
        letters.push(BLOCK_LETTERS.get(count as usize % BLOCK_LETTERS.len()).copied().unwrap_or(b'A'));
        count /= BLOCK_LETTERS.len() as u32;
    }
    letters.reverse();
    let salt = (life.0 & 0xffff) as usize;
    letters.push(BLOCK_LAST.get(salt % BLOCK_LAST.len()).copied().unwrap_or(b'A'));
    Some(letters.into_iter().map(char::from).collect())
}

/// Whether `text` is spelled like a block: one to four letters, then one more character.
fn is_block(text: &str) -> bool {
    let Some((last, letters)) = text.as_bytes().split_last() else { return false };
    (1..=4).contains(&letters.len())
        && letters.iter().all(|b| BLOCK_LETTERS.contains(b))
        && BLOCK_LAST.contains(last)
}

/// The text is not a check code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a check code has exactly six digits")]
pub struct CheckCodeError;

/// Six digits that stand beside a number on the resident's slip and prove that somebody holds it.
///
/// Hidden in `Debug`, compared without branching on the digits.
#[derive(Clone, Copy, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CheckCode(u32);

impl CheckCode {
    /// How many digits it has.
    pub const DIGITS: usize = 6;
    const BOUND: u32 = 1_000_000;

    /// Reads six digits, spoken or typed: spaces and dashes between them, full-width and Chinese digits,
    /// and the letters O, I and L for 0 and 1.
    ///
    /// # Errors
    /// [`CheckCodeError`] for anything but six digits.
    pub fn read(text: &str) -> Result<Self, CheckCodeError> {
        spoken::six_digits(text).filter(|v| *v < Self::BOUND).map(Self).ok_or(CheckCodeError)
    }
}

impl PartialEq for CheckCode {
    fn eq(&self, other: &Self) -> bool {
        // All digits in one word: there is nothing to stop early at; black_box keeps it that way.
        black_box(self.0 ^ other.0) == 0
    }
}

impl fmt::Display for CheckCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl fmt::Debug for CheckCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckCode(……)")
    }
}

impl FromStr for CheckCode {
    type Err = CheckCodeError;
    fn from_str(s: &str) -> Result<Self, CheckCodeError> {
        Self::read(s)
    }
}

impl TryFrom<String> for CheckCode {
    type Error = CheckCodeError;
    fn try_from(s: String) -> Result<Self, CheckCodeError> {
        Self::read(&s)
    }
}

impl From<CheckCode> for String {
    fn from(code: CheckCode) -> Self {
        code.to_string()
    }
}

/// The check code of `number` under the place's key for numbers.
///
/// HMAC-SHA256 over a domain and the canonical number; its first 64 bits modulo 10⁶. The bias is below
/// 10⁶ ∕ 2⁶⁴ < 10⁻¹³ for any code: nothing against one guess in a million.
#[must_use]
pub fn check_code(place_number_key: &[u8; 32], number: &MatterNumber) -> CheckCode {
    // HMAC pads a shorter key with zeros to its block of 64 bytes; done here, it cannot fail.
    let mut block = [0u8; 64];
    block.iter_mut().zip(place_number_key).for_each(|(to, from)| *to = *from);
    let mut message = Writer::new();
    message.str("yishi/check-code/1").str(&number.to_string());
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(&message.0);
    let tag: [u8; 32] = mac.finalize().into_bytes().into();
    let high = tag.iter().take(8).fold(0u64, |acc, b| (acc << 8) | u64::from(*b));
    // Below 10⁶: always fits.
    CheckCode((high % u64::from(CheckCode::BOUND)) as u32)
}
