//! JPEG (ITU-T T.81): segments with a marker and a length, and after each start of scan the coded picture.

use super::{PictureError, sized, take, take_array};

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
/// Exif, XMP.
const APP1: u8 = 0xe1;

/// The tag of a picture's orientation in the first directory of Exif.
const ORIENTATION: u16 = 0x0112;

/// Segments that a picture cannot be shown without: tables, frames, scans.
fn needed(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf | SOS | 0xdb | 0xdc | 0xdd)
}

/// Whether a marker begins a frame: it says how large the picture is.
fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

pub(super) fn clean(bytes: &[u8]) -> Result<Vec<u8>, PictureError> {
    let mut rest = bytes;
    if take_array::<2>(&mut rest)? != [0xff, SOI] {
        return Err(PictureError::Broken);
    }
    let mut out = vec![0xff, SOI];
    let (mut frame, mut scanned, mut turned) = (false, false, None);
    while let Some(marker) = next_marker(&mut rest)? {
        // Alone: a restart or something without a length.
        if matches!(marker, 0x01 | 0xd0..=0xd8) {
            continue;
        }
        if marker == EOI {
            break;
        }
        let len = usize::from(u16::from_be_bytes(take_array(&mut rest)?));
        let body = take(&mut rest, len.checked_sub(2).ok_or(PictureError::Broken)?)?;
        match marker {
            APP1 if turned.is_none() => turned = orientation(body),
            // Colours: what a screen needs to show them as they were.
            0xe2 if body.starts_with(b"ICC_PROFILE\0") => segment(&mut out, marker, body)?,
            0xee if body.starts_with(b"Adobe") => segment(&mut out, marker, body.get(..12).unwrap_or(body))?,
            _ if needed(marker) => {
                if is_frame(marker) {
                    let [_, h1, h2, w1, w2, ..] = body else { return Err(PictureError::Broken) };
                    sized(u16::from_be_bytes([*w1, *w2]).into(), u16::from_be_bytes([*h1, *h2]).into())?;
                    frame = true;
                    // Before the first frame, where readers look for it.
                    if let Some(turned) = turned.take_if(|t| (2..=8).contains(t)) {
                        segment(&mut out, APP1, &upright(turned))?;
                    }
                }
                segment(&mut out, marker, body)?;
                if marker == SOS {
                    if !frame {
                        return Err(PictureError::Broken);
                    }
                    scanned = true;
                    let coded = coded_len(rest);
                    out.extend_from_slice(take(&mut rest, coded)?);
                }
            }
            _ => {}
        }
    }
    if !scanned {
        return Err(PictureError::Broken);
    }
    // A camera that was switched off leaves no end; a picture that stops short still shows what there is.
    out.extend([0xff, EOI]);
    Ok(out)
}

/// The next marker; none at the end of the bytes.
fn next_marker(rest: &mut &[u8]) -> Result<Option<u8>, PictureError> {
    let Some((0xff, mut after)) = rest.split_first() else {
        return if rest.is_empty() { Ok(None) } else { Err(PictureError::Broken) };
    };
    // Any number of fill bytes may stand before a marker.
    while let Some((0xff, more)) = after.split_first() {
        after = more;
    }
    let Some((marker, after)) = after.split_first() else { return Ok(None) };
    *rest = after;
    if *marker == 0 { Err(PictureError::Broken) } else { Ok(Some(*marker)) }
}

/// How long the coded picture is: up to the next marker that is none of its own.
fn coded_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|b| b.iter().position(|b| *b == 0xff)) {
        at += found;
        match bytes.get(at + 1) {
            Some(0x00 | 0xd0..=0xd7) => at += 2,
            _ => return at,
        }
    }
    bytes.len()
}

fn segment(out: &mut Vec<u8>, marker: u8, body: &[u8]) -> Result<(), PictureError> {
    let len = u16::try_from(body.len() + 2).map_err(|_| PictureError::Broken)?;
    out.extend([0xff, marker]);
    out.extend(len.to_be_bytes());
    out.extend_from_slice(body);
    Ok(())
}

/// How the camera was held, as Exif says.
fn orientation(app1: &[u8]) -> Option<u16> {
    let tiff = app1.strip_prefix(b"Exif\0\0")?;
    let big = match tiff.get(..4)? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    let two = |at: usize| {
        let bytes = *tiff.get(at..)?.first_chunk::<2>()?;
        Some(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let first = *tiff.get(4..)?.first_chunk::<4>()?;
    let first = if big { u32::from_be_bytes(first) } else { u32::from_le_bytes(first) };
    let first = usize::try_from(first).ok()?;
    let entries = usize::from(two(first)?);
    let entry = (0..entries).map(|n| first + 2 + 12 * n).find(|at| two(*at) == Some(ORIENTATION))?;
    two(entry + 8)
}

/// Exif that says how the camera was held, and nothing else.
fn upright(turned: u16) -> Vec<u8> {
    let mut out = b"Exif\0\0MM\0*\0\0\0\x08\0\x01".to_vec();
    out.extend(ORIENTATION.to_be_bytes());
    // One short number.
    out.extend([0, 3, 0, 0, 0, 1]);
    out.extend(turned.to_be_bytes());
    // Rest of the number's field, no further directory.
    out.extend([0, 0, 0, 0, 0, 0]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seg(marker: u8, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        segment(&mut out, marker, body).unwrap();
        out
    }

    /// Exif with a place, an hour and an orientation, little end first.
    fn exif(turned: u8) -> Vec<u8> {
        let mut body = b"Exif\0\0II*\0\x08\0\0\0\x02\0".to_vec();
        body.extend([0x25, 0x88, 4, 0, 1, 0, 0, 0, 0x40, 0, 0, 0]);
        body.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, turned, 0, 0, 0]);
        body.extend(b"\0\0\0\0GPS 30.8795 104.2437 2026:11:22");
        body
    }

    const SCAN: &[u8] = &[0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56, 0x78];

    fn photo(turned: u8) -> Vec<u8> {
        let mut out = vec![0xff, SOI];
        out.extend(seg(0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"));
        out.extend(seg(APP1, &exif(turned)));
        out.extend(seg(APP1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>GPSLatitude</x:xmpmeta>"));
        out.extend(seg(0xed, b"Photoshop 3.0\0secret"));
        out.extend(seg(0xfe, b"taken by somebody"));
        out.extend(seg(0xe2, b"ICC_PROFILE\0\x01\x01colours"));
        out.extend(seg(0xe2, b"MPF\0second picture"));
        out.extend(seg(0xdb, &[0; 65]));
        out.extend([0xff, 0xff]);
        out.extend(&seg(0xc0, &[8, 0, 20, 0, 30, 1, 1, 0x11, 0])[1..]);
        out.extend(seg(0xc4, &[0; 20]));
        out.extend(seg(SOS, &[1, 1, 0, 0, 63, 0]));
        out.extend(SCAN);
        out.extend([0xff, EOI]);
        out.extend(b"a film hung on behind, with its own GPS");
        out
    }

    fn holds(bytes: &[u8], what: &[u8]) -> bool {
        bytes.windows(what.len()).any(|w| w == what)
    }

    #[test]
    fn nothing_is_left_but_the_picture_and_how_it_was_held() {
        let clean = clean(&photo(6)).unwrap();
        for gone in ["GPS", "xap", "Photoshop", "taken by", "MPF", "2026", "JFIF"] {
            assert!(!holds(&clean, gone.as_bytes()), "{gone}");
        }
        assert!(holds(&clean, b"ICC_PROFILE") && holds(&clean, SCAN));
        assert!(clean.ends_with(&[0x56, 0x78, 0xff, EOI]));
        let at = clean.windows(6).position(|w| w == b"Exif\0\0").unwrap();
        assert_eq!(orientation(&clean[at..]), Some(6));
        assert_eq!(super::clean(&clean).unwrap(), clean, "cleaned once more it is the same");
        let upright = super::clean(&photo(1)).unwrap();
        assert!(!holds(&upright, b"Exif"), "upright needs no saying");
    }

    #[test]
    fn broken_files_are_refused_and_never_read_beyond_their_end() {
        let whole = photo(3);
        for len in 0..whole.len() {
            // Whatever it says of a part, it ends.
            let _ = clean(&whole[..len]);
        }
        let before_scan = whole.windows(2).position(|w| w == [0xff, SOS]).unwrap();
        assert_eq!(clean(&whole[..before_scan]), Err(PictureError::Broken));
        assert_eq!(clean(&[0xff, SOI, 0xff, EOI]), Err(PictureError::Broken));
        assert_eq!(
            clean(&[0xff, SOI, 0xff, 0xe1, 0, 1]),
            Err(PictureError::Broken),
            "a length below its own"
        );
        assert_eq!(clean(&[0xff, SOI, 1, 2, 3]), Err(PictureError::Broken));
        let mut huge = whole.clone();
        let frame = huge.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
        huge[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
        assert_eq!(clean(&huge), Err(PictureError::TooManyPixels));
    }

    #[test]
    fn strange_exif_says_nothing() {
        for bytes in
            [&b"Exif\0\0"[..], b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"x"]
        {
            assert_eq!(orientation(bytes), None);
        }
    }
}
