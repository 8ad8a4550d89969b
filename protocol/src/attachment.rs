//! Files that matters name: photos of what was found, of who came, of how votes were counted.
//!
//! A file is called by its BLAKE3 hash, so a matter's signed acts say which bytes they mean, and whoever brings
//! them need not be trusted. BLAKE3 is a tree: the file is cut into pieces that are whole subtrees of it, the list
//! of the pieces' own values leads to the file's name, and then each piece is checked by itself as it comes. A file
//! that breaks off is gone on with at the first piece that is missing. Files travel after all text, on a stream of
//! their own ([`talk`]).

pub mod talk;

use crate::{
    ids::Hash,
    limits::{ATTACHMENT_BYTES_MAX, ATTACHMENT_PIECE_BYTES},
};
use blake3::{
    Hasher,
    hazmat::{
        ChainingValue, HasherExt as _, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root,
    },
};
use std::fmt;
use thiserror::Error;

/// What a file shows, by stable name.
pub const ABOUTS: &[&str] = &["photo", "sign_in", "count", "receipt"];

/// The kinds of pictures that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl FileKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::Webp];

    /// The stable name in acts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// The kind of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// How browsers call it.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// The kind of a file by how it begins, whatever anybody says of it.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
        match bytes {
            _ if bytes.starts_with(&[0xff, 0xd8, 0xff]) => Some(Self::Jpeg),
            _ if bytes.starts_with(b"\x89PNG\r\n\x1a\n") => Some(Self::Png),
            _ if webp => Some(Self::Webp),
            _ => None,
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why something is not what a file's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PieceError {
    /// A size no file has.
    #[error("a file of {0} bytes is none that is taken")]
    Size(u64),
    /// A list that does not lead to the file's name.
    #[error("the list of pieces is not that of the file")]
    List,
    /// No such piece.
    #[error("the file has no piece {0}")]
    Number(u32),
    /// A piece that is another one.
    #[error("piece {0} is not that of the file")]
    Piece(u32),
}

/// The name of a file.
#[must_use]
pub fn name_of(bytes: &[u8]) -> Hash {
    Hash(*blake3::hash(bytes).as_bytes())
}

/// How many pieces a file of this size has.
///
/// # Errors
/// [`PieceError::Size`] for an empty file and for one above the limit.
pub fn pieces_of(size: u64) -> Result<u32, PieceError> {
    if size == 0 || size > ATTACHMENT_BYTES_MAX as u64 {
        return Err(PieceError::Size(size));
    }
    u32::try_from(size.div_ceil(ATTACHMENT_PIECE_BYTES as u64)).map_err(|_| PieceError::Size(size))
}

/// How long a piece is; nothing for one the file does not have.
#[must_use]
pub fn piece_len(size: u64, number: u32) -> usize {
    let before = u64::from(number) * ATTACHMENT_PIECE_BYTES as u64;
    usize::try_from(size.saturating_sub(before)).unwrap_or(0).min(ATTACHMENT_PIECE_BYTES)
}

/// The values of a file's pieces, which lead to its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PieceList {
    size: u64,
    values: Vec<ChainingValue>,
}

impl PieceList {
    /// Of a file that is here whole.
    ///
    /// # Errors
    /// [`PieceError::Size`].
    pub fn of(bytes: &[u8]) -> Result<Self, PieceError> {
        let size = bytes.len() as u64;
        if pieces_of(size)? == 1 {
            return Ok(Self { size, values: vec![name_of(bytes).0] });
        }
        let values = (0..).zip(bytes.chunks(ATTACHMENT_PIECE_BYTES)).map(|(n, piece)| value_of(n, piece));
        Ok(Self { size, values: values.collect() })
    }

    /// As it came, if it leads to the file's name.
    ///
    /// # Errors
    /// [`PieceError`].
    pub fn read(file: &Hash, size: u64, bytes: &[u8]) -> Result<Self, PieceError> {
        let pieces = pieces_of(size)?;
        let (values, rest) = bytes.as_chunks::<32>();
        let list = Self { size, values: values.to_vec() };
        let fits = rest.is_empty() && values.len() == pieces as usize && list.root() == Some(file.0);
        if fits { Ok(list) } else { Err(PieceError::List) }
    }

    /// As it travels and is stored.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.values.concat()
    }

    /// How many pieces there are.
    #[must_use]
    pub fn pieces(&self) -> u32 {
        u32::try_from(self.values.len()).unwrap_or(u32::MAX)
    }

    /// Whether these bytes are that piece.
    ///
    /// # Errors
    /// [`PieceError`].
    pub fn check(&self, number: u32, piece: &[u8]) -> Result<(), PieceError> {
        let value = self.values.get(number as usize).ok_or(PieceError::Number(number))?;
        let is = match self.values.len() {
            1 => name_of(piece).0,
            _ => value_of(number, piece),
        };
        let fits = piece.len() == piece_len(self.size, number) && is == *value;
        if fits { Ok(()) } else { Err(PieceError::Piece(number)) }
    }

    /// The name the values lead to.
    fn root(&self) -> Option<[u8; 32]> {
        if let [only] = self.values.as_slice() {
            return Some(*only);
        }
        let (left, right) = self.split(0, self.size)?;
        Some(*merge_subtrees_root(&left, &right, Mode::Hash).as_bytes())
    }

    /// The two values under a subtree of `len` bytes that begins at `from`.
    fn split(&self, from: u64, len: u64) -> Option<(ChainingValue, ChainingValue)> {
        let left = left_subtree_len(len);
        Some((self.value(from, left)?, self.value(from + left, len - left)?))
    }

    fn value(&self, from: u64, len: u64) -> Option<ChainingValue> {
        if len <= ATTACHMENT_PIECE_BYTES as u64 {
            return self.values.get(usize::try_from(from / ATTACHMENT_PIECE_BYTES as u64).ok()?).copied();
        }
        let (left, right) = self.split(from, len)?;
        Some(merge_subtrees_non_root(&left, &right, Mode::Hash))
    }
}

/// The value of one piece of several.
fn value_of(number: u32, piece: &[u8]) -> ChainingValue {
    let mut hasher = Hasher::new();
    hasher.set_input_offset(u64::from(number) * ATTACHMENT_PIECE_BYTES as u64);
    hasher.update(piece);
    hasher.finalize_non_root()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i.wrapping_mul(31) >> 3) as u8 ^ (i >> 11) as u8).collect()
    }

    #[test]
    fn the_list_of_any_length_leads_to_the_name_blake3_gives() {
        let piece = ATTACHMENT_PIECE_BYTES;
        let lens = [1, 1_023, 1_024, 1_025, piece - 1, piece, piece + 1, 2 * piece, 2 * piece + 1];
        for len in lens.into_iter().chain([3 * piece, 5 * piece + 7, 31 * piece + 1_024, 128 * piece]) {
            let bytes = file(len);
            let (name, list) = (name_of(&bytes), PieceList::of(&bytes).unwrap());
            let read = PieceList::read(&name, len as u64, &list.bytes()).unwrap();
            assert_eq!((&read, read.pieces()), (&list, pieces_of(len as u64).unwrap()), "{len}");
            let mut at = 0;
            for n in 0..read.pieces() {
                let part = &bytes[at..at + piece_len(len as u64, n)];
                read.check(n, part).unwrap();
                at += part.len();
            }
            assert_eq!(at, len);
            assert_eq!(read.check(read.pieces(), b""), Err(PieceError::Number(read.pieces())));
        }
    }

    #[test]
    fn a_wrong_list_and_a_wrong_piece_are_refused() {
        let bytes = file(3 * ATTACHMENT_PIECE_BYTES + 100);
        let (name, size) = (name_of(&bytes), bytes.len() as u64);
        let good = PieceList::of(&bytes).unwrap();
        let mut list = good.bytes();
        list[40] ^= 1;
        assert_eq!(PieceList::read(&name, size, &list), Err(PieceError::List));
        let short = &good.bytes()[..96];
        assert_eq!(PieceList::read(&name, size, short), Err(PieceError::List));
        for lie in [size - 1, size + 1, size + ATTACHMENT_PIECE_BYTES as u64] {
            let read = PieceList::read(&name, lie, &good.bytes());
            // Within the last piece a size leads to the same name: the piece itself is then refused.
            let last = good.pieces() - 1;
            let part = &bytes[3 * ATTACHMENT_PIECE_BYTES..];
            assert!(read.is_err() || read.unwrap().check(last, part).is_err(), "{lie}");
        }
        let first = &bytes[..ATTACHMENT_PIECE_BYTES];
        assert_eq!(good.check(1, first), Err(PieceError::Piece(1)), "the right bytes in another place");
        assert_eq!(good.check(0, &first[1..]), Err(PieceError::Piece(0)));
        let mut bent = first.to_vec();
        bent[7] ^= 0x80;
        assert_eq!(good.check(0, &bent), Err(PieceError::Piece(0)));
        // The value of an inner node given as that of a file's one piece.
        let small = file(100);
        assert_eq!(PieceList::read(&name_of(&small), 100, &good.bytes()[..32]), Err(PieceError::List));
    }

    #[test]
    fn sizes_that_no_file_has() {
        for size in [0, ATTACHMENT_BYTES_MAX as u64 + 1, u64::MAX] {
            assert_eq!(pieces_of(size), Err(PieceError::Size(size)));
            assert_eq!(PieceList::read(&Hash([0; 32]), size, &[]), Err(PieceError::Size(size)));
        }
    }

    #[test]
    fn a_kind_is_what_the_bytes_say() {
        assert_eq!(FileKind::of_bytes(&[0xff, 0xd8, 0xff, 0xe0]), Some(FileKind::Jpeg));
        assert_eq!(FileKind::of_bytes(b"\x89PNG\r\n\x1a\nxx"), Some(FileKind::Png));
        assert_eq!(FileKind::of_bytes(b"RIFF\x00\x00\x00\x00WEBPVP8 "), Some(FileKind::Webp));
        for none in [&b""[..], b"<html>", b"RIFF\x00\x00\x00\x00WAVE", b"GIF89a"] {
            assert_eq!(FileKind::of_bytes(none), None);
        }
        assert!(FileKind::ALL.into_iter().all(|k| FileKind::from_name(k.name()) == Some(k)));
    }
}
