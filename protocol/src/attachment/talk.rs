//! What is said on the stream of files: whoever wants a file asks, the other side answers, one at a time.
//!
//! An ask has a fixed length, an answer one that follows from the ask and the file's size, which the asker knows
//! from a signed act: nobody reads what he did not ask for. "Not here" says the same of a file that is not here and
//! of one the asker may not see.

use super::{PieceError, piece_len, pieces_of};
use crate::{ids::Hash, limits::ATTACHMENT_PIECES_ASKED_MAX};
use thiserror::Error;

/// An ask on the stream, in bytes.
pub const ASK_BYTES: usize = 38;
/// The first byte of an answer: the file is here.
pub const HERE: u8 = 1;
/// The first byte of an answer: it is not, or not for who asks.
pub const NOT_HERE: u8 = 0;
/// What goes before the values in the answer to [`Ask::List`]: [`HERE`] and the size.
pub const LIST_HEAD_BYTES: usize = 9;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// The size of a file and the values of its pieces.
    List(Hash),
    /// Some pieces of it.
    Pieces {
        /// Which file.
        file: Hash,
        /// The first piece.
        first: u32,
        /// How many, at least one.
        count: u8,
    },
    /// Whether the other side has stored all of it.
    Stored(Hash),
}

/// Why bytes are no ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AskError {
    /// A first byte that means nothing.
    #[error("there is no ask of kind {0}")]
    Kind(u8),
    /// More pieces at once than may be asked for, or none.
    #[error("{0} pieces are asked for at once")]
    Count(u8),
    /// Bytes that mean nothing are not zero.
    #[error("an ask for no pieces names some")]
    Pieces,
    /// The file has no such pieces.
    #[error(transparent)]
    Piece(#[from] PieceError),
}

impl Ask {
    /// The file it is about.
    #[must_use]
    pub fn file(&self) -> Hash {
        match self {
            Self::List(file) | Self::Stored(file) | Self::Pieces { file, .. } => *file,
        }
    }

    /// As it travels: kind, file, first piece (big end first), how many.
    #[must_use]
    pub fn bytes(&self) -> [u8; ASK_BYTES] {
        let (kind, first, count) = match *self {
            Self::List(_) => (1, 0, 0),
            Self::Pieces { first, count, .. } => (2, first, count),
            Self::Stored(_) => (3, 0, 0),
        };
        let mut bytes = [0; ASK_BYTES];
        let parts = [kind].into_iter().chain(self.file().0).chain(first.to_be_bytes()).chain([count]);
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn read(bytes: &[u8; ASK_BYTES]) -> Result<Self, AskError> {
        let [kind, rest @ ..] = bytes;
        let (file, rest) = rest.split_first_chunk::<32>().ok_or(AskError::Kind(*kind))?;
        let (first, rest) = rest.split_first_chunk::<4>().ok_or(AskError::Kind(*kind))?;
        let (file, first) = (Hash(*file), u32::from_be_bytes(*first));
        let count = rest.first().copied().unwrap_or(0);
        match kind {
            2 if !(1..=ATTACHMENT_PIECES_ASKED_MAX).contains(&count) => Err(AskError::Count(count)),
            2 => Ok(Self::Pieces { file, first, count }),
            1 | 3 if (first, count) != (0, 0) => Err(AskError::Pieces),
            1 => Ok(Self::List(file)),
            3 => Ok(Self::Stored(file)),
            kind => Err(AskError::Kind(*kind)),
        }
    }
}

/// How long each piece of an answer is.
///
/// # Errors
/// [`AskError`] if the file has not so many.
pub fn lens(size: u64, first: u32, count: u8) -> Result<Vec<usize>, AskError> {
    let pieces = pieces_of(size)?;
    let end = first.saturating_add(u32::from(count));
    if end > pieces {
        return Err(PieceError::Number(end).into());
    }
    Ok((first..end).map(|n| piece_len(size, n)).collect())
}

/// What to ask for next of a file of which the first `have` pieces are here; `None` when it is whole.
#[must_use]
pub fn next(file: Hash, size: u64, listed: bool, have: u32) -> Option<Ask> {
    let pieces = pieces_of(size).ok()?;
    if !listed {
        return Some(Ask::List(file));
    }
    let left = pieces.checked_sub(have).filter(|left| *left > 0)?;
    let count = u8::try_from(left).unwrap_or(u8::MAX).min(ATTACHMENT_PIECES_ASKED_MAX);
    Some(Ask::Pieces { file, first: have, count })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ATTACHMENT_PIECE_BYTES;

    #[test]
    fn asks_are_read_as_they_were_written_and_nothing_else_is() {
        let file = Hash([7; 32]);
        let pieces = Ask::Pieces { file, first: 70_000, count: ATTACHMENT_PIECES_ASKED_MAX };
        for ask in [Ask::List(file), pieces, Ask::Stored(file)] {
            assert_eq!(Ask::read(&ask.bytes()), Ok(ask));
        }
        let bent = |at: usize, to: u8, ask: Ask| {
            let mut bytes = ask.bytes();
            bytes[at] = to;
            Ask::read(&bytes)
        };
        assert_eq!(bent(0, 9, pieces), Err(AskError::Kind(9)));
        assert_eq!(bent(37, 0, pieces), Err(AskError::Count(0)));
        assert_eq!(bent(37, 255, pieces), Err(AskError::Count(255)));
        assert_eq!(bent(37, 1, Ask::List(file)), Err(AskError::Pieces));
        assert_eq!(bent(33, 1, Ask::Stored(file)), Err(AskError::Pieces));
    }

    #[test]
    fn a_file_is_asked_for_from_the_first_piece_that_is_missing() {
        let (file, size) = (Hash([1; 32]), 9 * ATTACHMENT_PIECE_BYTES as u64 + 5);
        let (mut listed, mut have, mut bytes) = (false, 0, 0);
        while let Some(ask) = next(file, size, listed, have) {
            match ask {
                Ask::List(_) => listed = true,
                Ask::Pieces { first, count, .. } => {
                    assert_eq!(first, have);
                    bytes += lens(size, first, count).unwrap().iter().sum::<usize>() as u64;
                    have += u32::from(count);
                }
                Ask::Stored(_) => unreachable!(),
            }
        }
        assert_eq!((have, bytes), (10, size));
        assert!(lens(size, 9, 2).is_err() && lens(size, u32::MAX, 2).is_err());
        assert_eq!(next(file, 0, false, 0), None, "what is no file is not asked for");
    }
}
