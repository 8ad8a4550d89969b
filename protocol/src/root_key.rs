//! The root's key as a text that lies in a drawer: lines of letters and digits, each with a check of its own,
//! so that a printed one can be typed back and a slip is named by its line.
//!
//! ```text
//! # 青白江区 510113000000 …            whatever begins with # is for people
//! 01/10 DF4WS 43IOS ET4L3 SN5XX I2LLM 5XQA
//! ```
//!
//! It holds all that makes the root's certificate again, bit for bit: with nothing but this text a federation
//! gets a new working key. Under a passphrase the same is sealed with XChaCha20-Poly1305; whoever reads it
//! stretches the passphrase (Argon2id, with the numbers the text names). A text without one is the bare key.

use crate::{
    cert::Certificate,
    codec::{DecodeError, Reader, Writer},
    ids::{PlaceId, hash},
    invite::{base32, from_base32},
    key::SecretKeys,
    limits::{NAME_BYTES_MAX, SHORT_BYTES_MAX},
};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use rand_core::CryptoRng;
use std::{collections::BTreeMap, fmt};
use thiserror::Error;

const FORMAT: u64 = 1;
const DOMAIN: &str = "yishi/root-key";
const BARE: u64 = 0;
const UNDER_PASSPHRASE: u64 = 1;
/// Letters of a line: five groups of five, as many as the eye holds.
const LINE_LETTERS: usize = 25;
const GROUP_LETTERS: usize = 5;
/// Letters of a line's check: a slip goes unnoticed once in a million.
const CHECK_LETTERS: usize = 4;
/// More lines than any root key has.
const LINES_MAX: usize = 99;

/// A federation's root: its keys, and what its certificate says beside them.
#[derive(Clone)]
pub struct RootKey {
    /// The keys.
    pub keys: SecretKeys,
    /// The root place.
    pub place: PlaceId,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The label of its level.
    pub level: String,
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootKey({} {}, redacted)", self.code, self.name)
    }
}

/// How a passphrase becomes a key: the parameters of Argon2id (RFC 9106), one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Random.
    pub salt: [u8; 16],
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

/// A root key under a passphrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// How its key is made of the passphrase.
    pub stretch: Stretch,
    nonce: [u8; 24],
    sealed: Vec<u8>,
}

/// What a text holds.
#[derive(Debug, Clone)]
pub enum Kept {
    /// The key itself.
    Bare(Box<RootKey>),
    /// The key under a passphrase.
    Locked(Locked),
}

/// Why a text is no root key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RootKeyError {
    /// Nothing of the form in it.
    #[error("there is no line of a root key in it")]
    Empty,
    /// A line whose check does not fit.
    #[error("line {0} is mistyped: its last four letters do not fit the others")]
    Line(usize),
    /// A line that does not say which one it is.
    #[error("“{0}” is no line of a root key: they look like “01/10 ABCDE FGHIJ KLMNO PQRST UVWXY Z234”")]
    Form(String),
    /// A line that is not there.
    #[error("line {0} is missing")]
    Missing(usize),
    /// Lines of two keys.
    #[error("line {0} is there twice, or belongs to another key")]
    Twice(usize),
    /// All lines fit and the whole does not.
    #[error("each line fits, and together they do not: lines of two keys are mixed")]
    Mixed,
    /// Made by another version.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] DecodeError),
    /// The wrong passphrase, or altered.
    #[error("it does not open under this passphrase")]
    Closed,
}

impl RootKey {
    /// The root's certificate, the same each time.
    #[must_use]
    pub fn certificate(&self) -> Certificate {
        Certificate::root(&self.keys, self.place, &self.code, &self.name, &self.level)
    }

    fn plain(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&self.keys.to_bytes()).raw(&self.place.0).str(&self.code).str(&self.name).str(&self.level);
        w.finish()
    }

    fn from_plain(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let key = Self {
            keys: SecretKeys::from_bytes(&r.array()?),
            place: PlaceId(r.array()?),
            code: r.str(SHORT_BYTES_MAX)?.to_owned(),
            name: r.str(NAME_BYTES_MAX)?.to_owned(),
            level: r.str(SHORT_BYTES_MAX)?.to_owned(),
        };
        r.end()?;
        Ok(key)
    }

    /// The lines of the bare key.
    #[must_use]
    pub fn bare(&self) -> String {
        let mut w = Writer::new();
        w.str(DOMAIN).uint(FORMAT).uint(BARE).raw(&self.plain());
        lines(&w.finish())
    }

    /// The lines of the key under what was made of a passphrase.
    ///
    /// # Errors
    /// [`RootKeyError::Closed`] if it could not be sealed.
    pub fn locked(
        &self,
        stretch: &Stretch,
        under: &[u8; 32],
        rng: &mut impl CryptoRng,
    ) -> Result<String, RootKeyError> {
        let mut nonce = [0u8; 24];
        rng.fill_bytes(&mut nonce);
        let head = head(stretch);
        let sealed = XChaCha20Poly1305::new(&(*under).into())
            .encrypt(&XNonce::from(nonce), Payload { msg: &self.plain(), aad: &head })
            .map_err(|_| RootKeyError::Closed)?;
        let mut w = Writer(head);
        w.raw(&nonce).raw(&sealed);
        Ok(lines(&w.finish()))
    }
}

fn head(stretch: &Stretch) -> Vec<u8> {
    let mut w = Writer::new();
    w.str(DOMAIN).uint(FORMAT).uint(UNDER_PASSPHRASE).raw(&stretch.salt);
    w.uint(u64::from(stretch.memory_kib)).uint(u64::from(stretch.passes));
    w.finish()
}

impl Locked {
    /// Opens it with what was made of the passphrase.
    ///
    /// # Errors
    /// [`RootKeyError::Closed`] under another one.
    pub fn open(&self, under: &[u8; 32]) -> Result<RootKey, RootKeyError> {
        let aad = head(&self.stretch);
        let plain = XChaCha20Poly1305::new(&(*under).into())
            .decrypt(&XNonce::from(self.nonce), Payload { msg: &self.sealed, aad: &aad })
            .map_err(|_| RootKeyError::Closed)?;
        Ok(RootKey::from_plain(&plain)?)
    }
}

/// Reads the text of a root key; what begins with `#` is left aside, lines may come in any order.
///
/// # Errors
/// [`RootKeyError`] names the line that is wrong.
pub fn read(text: &str) -> Result<Kept, RootKeyError> {
    let mut found: BTreeMap<usize, String> = BTreeMap::new();
    let mut total = None;
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let form = || RootKeyError::Form(line.chars().take(60).collect());
        let (label, rest) = line.split_once(char::is_whitespace).ok_or_else(form)?;
        let (number, of) = label.split_once('/').ok_or_else(form)?;
        let number: usize = number.parse().map_err(|_| form())?;
        let of: usize = of.parse().map_err(|_| form())?;
        if number == 0 || number > of || of > LINES_MAX {
            return Err(form());
        }
        let letters: String = rest.chars().filter(|c| !c.is_whitespace()).map(as_meant).collect();
        let at = letters.len().saturating_sub(CHECK_LETTERS);
        let (Some(data), Some(check)) = (letters.get(..at), letters.get(at..)) else {
            return Err(RootKeyError::Line(number));
        };
        if check_of(number, of, data) != check {
            return Err(RootKeyError::Line(number));
        }
        let other = total.replace(of).is_some_and(|before| before != of);
        if other || found.insert(number, data.to_owned()).is_some() {
            return Err(RootKeyError::Twice(number));
        }
    }
    let total = total.ok_or(RootKeyError::Empty)?;
    if let Some(missing) = (1..=total).find(|n| !found.contains_key(n)) {
        return Err(RootKeyError::Missing(missing));
    }
    let letters: String = found.into_values().collect();
    let bytes = from_base32(&letters).map_err(|_| RootKeyError::Mixed)?;
    let (body, sum) = bytes.split_last_chunk::<4>().ok_or(RootKeyError::Mixed)?;
    if !hash("yishi/root-key-sum/1", &[body]).starts_with(sum) {
        return Err(RootKeyError::Mixed);
    }
    let mut r = Reader::new(body);
    if r.str(64)? != DOMAIN {
        return Err(DecodeError::Tag(0).into());
    }
    match r.uint()? {
        FORMAT => {}
        other => return Err(DecodeError::Version(other).into()),
    }
    match r.uint()? {
        BARE => Ok(Kept::Bare(Box::new(RootKey::from_plain(r.raw(r.remaining())?)?))),
        UNDER_PASSPHRASE => {
            let stretch = Stretch { salt: r.array()?, memory_kib: r.u32()?, passes: r.u32()? };
            Ok(Kept::Locked(Locked { stretch, nonce: r.array()?, sealed: r.raw(r.remaining())?.to_vec() }))
        }
        tag => Err(DecodeError::Tag(tag).into()),
    }
}

/// A letter as it was printed: figures that are in no line look like letters that are.
fn as_meant(c: char) -> char {
    match c.to_ascii_uppercase() {
        '0' => 'O',
        '1' => 'I',
        '8' => 'B',
        other => other,
    }
}

fn check_of(number: usize, of: usize, data: &str) -> String {
    let sum = hash("yishi/root-key-line/1", &[format!("{number}/{of} ").as_bytes(), data.as_bytes()]);
    base32(&sum).chars().take(CHECK_LETTERS).collect()
}

fn lines(body: &[u8]) -> String {
    let mut bytes = body.to_vec();
    bytes.extend(hash("yishi/root-key-sum/1", &[body]).split_at(4).0);
    let letters: Vec<char> = base32(&bytes).chars().collect();
    let chunks: Vec<&[char]> = letters.chunks(LINE_LETTERS).collect();
    let mut out = String::new();
    for (at, chunk) in chunks.iter().enumerate() {
        let data: String = chunk.iter().collect();
        let groups: Vec<String> = chunk.chunks(GROUP_LETTERS).map(|g| g.iter().collect()).collect();
        let (number, of) = (at + 1, chunks.len());
        out += &format!("{number:02}/{of:02} {} {}\n", groups.join(" "), check_of(number, of, &data));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    fn key() -> RootKey {
        RootKey {
            keys: SecretKeys::from_bytes(&std::array::from_fn(|i| i as u8)),
            place: PlaceId([3; 16]),
            code: "510113000000".into(),
            name: "青白江区".into(),
            level: "district".into(),
        }
    }

    fn bare(text: &str) -> Result<RootKey, RootKeyError> {
        read(text).map(|kept| match kept {
            Kept::Bare(key) => *key,
            Kept::Locked(_) => panic!("locked"),
        })
    }

    #[test]
    fn a_printed_key_is_typed_back_and_a_slip_is_named() {
        let text = key().bare();
        let again = bare(&format!("# 青白江区\n\n{text}")).unwrap();
        assert_eq!(again.certificate(), key().certificate());
        assert_eq!(again.keys.to_bytes(), key().keys.to_bytes());
        // Small letters, no groups, lines out of order, figures for letters that look alike.
        let typed: Vec<String> = text
            .lines()
            .rev()
            .map(|l| {
                let (label, rest) = l.split_once(' ').unwrap();
                let rest = rest.replace(' ', "").to_lowercase();
                format!("{label}  {}", rest.replace('o', "0").replace('i', "1").replace('b', "8"))
            })
            .collect();
        assert_eq!(bare(&typed.join("\n")).unwrap().certificate(), key().certificate());
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            // One letter wrong, wherever it is, names its line.
            for (i, c) in line.char_indices().skip(6).filter(|(_, c)| *c != ' ') {
                let mut wrong = lines.clone();
                let slip = format!("{}{}{}", &line[..i], if c == 'Q' { 'P' } else { 'Q' }, &line[i + 1..]);
                wrong[at] = &slip;
                assert_eq!(bare(&wrong.join("\n")).unwrap_err(), RootKeyError::Line(at + 1), "{slip}");
            }
            let without: Vec<&str> = lines.iter().filter(|l| *l != line).copied().collect();
            assert_eq!(bare(&without.join("\n")).unwrap_err(), RootKeyError::Missing(at + 1));
        }
        assert_eq!(bare(&format!("{text}{}", lines[2])).unwrap_err(), RootKeyError::Twice(3));
        assert_eq!(bare("# 没有\n").unwrap_err(), RootKeyError::Empty);
        assert!(matches!(bare("YISHI1-ABC"), Err(RootKeyError::Form(_))));
        // Lines that fit, of two keys.
        let other = RootKey { keys: SecretKeys::from_bytes(&[9; 64]), ..key() }.bare();
        let mixed: Vec<&str> = text.lines().take(4).chain(other.lines().skip(4)).collect();
        assert_eq!(bare(&mixed.join("\n")).unwrap_err(), RootKeyError::Mixed);
    }

    #[test]
    fn under_a_passphrase_it_opens_with_that_one_only() {
        let stretch = Stretch { salt: [9; 16], memory_kib: 8, passes: 1 };
        let text = key().locked(&stretch, &[5; 32], &mut StdRng::seed_from_u64(1)).unwrap();
        let Ok(Kept::Locked(locked)) = read(&text) else { panic!("not locked") };
        assert_eq!(locked.stretch, stretch);
        assert_eq!(locked.open(&[5; 32]).unwrap().certificate(), key().certificate());
        assert_eq!(locked.open(&[6; 32]).unwrap_err(), RootKeyError::Closed);
        // The parameters are bound to what they open.
        let eased = Locked { stretch: Stretch { passes: 2, ..stretch }, ..locked };
        assert_eq!(eased.open(&[5; 32]).unwrap_err(), RootKeyError::Closed);
        let secret: String = key().keys.to_bytes().iter().map(|b| format!("{b:02x}")).collect();
        assert!(!format!("{:?}", key()).contains(&secret));
    }
}
