//! Pictures as they come from a telephone, made fit to be kept: what they show, and nothing of who took them where.
//!
//! A photo carries the place where it was taken, the hour, the telephone and often a small copy of itself. Here only
//! those parts of a file go on that are needed to show it; whatever is not known to be needed is left out, also what
//! is hung on behind its end. The picture itself is not touched: nothing is decoded, and nothing is lost in it. How a
//! telephone was held is the one thing kept, or photos would lie on their side.
//!
//! Bytes are other people's: everything is read by what is there, never by what is claimed.

mod jpeg;
mod png;
mod webp;

use std::fmt;
use yishi_protocol::{attachment::FileKind, limits::ATTACHMENT_BYTES_MAX};

/// The longest side that is taken, in pixels; what shows a picture holds all of it in memory.
const SIDE_MAX: u32 = 16_384;
/// The most pixels of a picture: those of the largest cameras in telephones are a fifth more than one hundred million.
const PIXELS_MAX: u64 = 120_000_000;

/// Why a file is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureError {
    /// Nothing in it.
    Empty,
    /// More bytes than are taken.
    TooLarge,
    /// Neither JPEG nor PNG nor WebP.
    NotPicture,
    /// What iPhones make unless told otherwise.
    Heic,
    /// More pixels than are taken.
    TooManyPixels,
    /// A film.
    Moving,
    /// It begins as a picture and goes on as none.
    Broken,
}

impl PictureError {
    /// The stable name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "photo_empty",
            Self::TooLarge => "photo_too_large",
            Self::NotPicture => "photo_is_none",
            Self::Heic => "photo_heic",
            Self::TooManyPixels => "photo_too_many_pixels",
            Self::Moving => "photo_moving",
            Self::Broken => "photo_broken",
        }
    }

    /// In Chinese: what is the matter with it, and what to do.
    #[must_use]
    pub fn zh(self) -> String {
        let mib = ATTACHMENT_BYTES_MAX / (1024 * 1024);
        match self {
            Self::Empty => "这个文件是空的。请重新选择照片。".into(),
            Self::TooLarge => format!("照片太大，一张最多 {mib} MB。请用手机自带的“编辑”缩小，或截屏后再选。"),
            Self::NotPicture => "这个文件不是照片。请选择 JPEG、PNG 或 WebP 图片。".into(),
            Self::Heic => {
                "这是苹果手机的 HEIC 格式，别的机器打不开。请在“设置 › 相机 › 格式”里选“兼容性最佳”，或截屏后再选。".into()
            }
            Self::TooManyPixels => "照片的尺寸太大。请缩小后再选。".into(),
            Self::Moving => "这是会动的图片，只收不动的照片。请截一张图再选。".into(),
            Self::Broken => "照片已损坏，读不完整。请重新拍照或换一张。".into(),
        }
    }

    /// In English.
    #[must_use]
    pub fn en(self) -> String {
        let mib = ATTACHMENT_BYTES_MAX / (1024 * 1024);
        match self {
            Self::Empty => "The file is empty. Choose the photo again.".into(),
            Self::TooLarge => {
                format!("The photo is too large; at most {mib} MB each are taken. Make it smaller, or choose a screenshot of it.")
            }
            Self::NotPicture => "The file is no photo. Choose a JPEG, PNG or WebP picture.".into(),
            Self::Heic => "This is the HEIC format of iPhones, which other machines cannot show. Choose “Most Compatible” under Settings › Camera › Formats, or choose a screenshot of it.".into(),
            Self::TooManyPixels => "The photo has too many pixels. Make it smaller and choose it again.".into(),
            Self::Moving => "This picture moves; only still photos are taken. Choose a screenshot of it.".into(),
            Self::Broken => "The photo is damaged and cannot be read to its end. Take it again or choose another.".into(),
        }
    }
}

impl fmt::Display for PictureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en())
    }
}

impl std::error::Error for PictureError {}

/// A picture that may be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What it is.
    pub kind: FileKind,
    /// Its bytes, without what is nobody's business.
    pub bytes: Vec<u8>,
}

/// Takes from a file what is needed to show it.
///
/// # Errors
/// [`PictureError`] says why it is not taken.
pub fn clean(bytes: &[u8]) -> Result<Picture, PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    if bytes.len() > ATTACHMENT_BYTES_MAX {
        return Err(PictureError::TooLarge);
    }
    let Some(kind) = FileKind::of_bytes(bytes) else {
        return Err(if is_heic(bytes) { PictureError::Heic } else { PictureError::NotPicture });
    };
    let bytes = match kind {
        FileKind::Jpeg => jpeg::clean(bytes),
        FileKind::Png => png::clean(bytes),
        FileKind::Webp => webp::clean(bytes),
    }?;
    Ok(Picture { kind, bytes })
}

/// ISO base media with a brand of HEIF.
fn is_heic(bytes: &[u8]) -> bool {
    let brands: [&[u8]; 7] = [b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1", b"avif"];
    bytes.get(4..8) == Some(b"ftyp") && bytes.get(8..12).is_some_and(|brand| brands.contains(&brand))
}

/// Whether a picture of these sides is taken.
fn sized(width: u32, height: u32) -> Result<(), PictureError> {
    if width == 0 || height == 0 {
        return Err(PictureError::Broken);
    }
    let fits = width.max(height) <= SIDE_MAX && u64::from(width) * u64::from(height) <= PIXELS_MAX;
    if fits { Ok(()) } else { Err(PictureError::TooManyPixels) }
}

/// The next `n` bytes, taken off the front.
fn take<'a>(rest: &mut &'a [u8], n: usize) -> Result<&'a [u8], PictureError> {
    let (taken, after) = rest.split_at_checked(n).ok_or(PictureError::Broken)?;
    *rest = after;
    Ok(taken)
}

/// The next `N` bytes, taken off the front.
fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], PictureError> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or(PictureError::Broken)?;
    *rest = after;
    Ok(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_photo_is_told_apart() {
        assert_eq!(clean(b""), Err(PictureError::Empty));
        assert_eq!(clean(b"<html><script>"), Err(PictureError::NotPicture));
        assert_eq!(clean(b"%PDF-1.7"), Err(PictureError::NotPicture));
        assert_eq!(clean(b"\0\0\0\x18ftypheic\0\0\0\0"), Err(PictureError::Heic));
        assert_eq!(clean(&vec![0xff; ATTACHMENT_BYTES_MAX + 1]), Err(PictureError::TooLarge));
    }

    #[test]
    fn sides_have_bounds() {
        assert_eq!(sized(0, 5), Err(PictureError::Broken));
        assert_eq!(sized(SIDE_MAX + 1, 1), Err(PictureError::TooManyPixels));
        assert_eq!(sized(12_000, 12_000), Err(PictureError::TooManyPixels));
        sized(12_000, 9_000).unwrap();
    }
}
