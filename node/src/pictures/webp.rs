//! WebP (RFC 9649): chunks in a RIFF container, each padded to an even length.

use super::{PictureError, sized, take, take_array};

/// What shows the picture; Exif and XMP are not among them.
const NEEDED: &[&[u8; 4]] = &[b"VP8X", b"ICCP", b"ALPH", b"VP8 ", b"VP8L"];
/// Flags of `VP8X` for what was left out: Exif and XMP.
const LEFT_OUT: u8 = 0b0000_1100;
/// The flag for a film.
const MOVING: u8 = 0b0000_0010;

pub(super) fn clean(bytes: &[u8]) -> Result<Vec<u8>, PictureError> {
    let mut rest = bytes;
    let [b'R', b'I', b'F', b'F', l0, l1, l2, l3, b'W', b'E', b'B', b'P'] = take_array::<12>(&mut rest)?
    else {
        return Err(PictureError::Broken);
    };
    // What follows the container is not of the picture.
    let len = u32::from_le_bytes([l0, l1, l2, l3]);
    let len = usize::try_from(len).ok().and_then(|n| n.checked_sub(4)).ok_or(PictureError::Broken)?;
    rest = rest.get(..len).ok_or(PictureError::Broken)?;
    let mut chunks = Vec::with_capacity(bytes.len());
    let mut pixels = false;
    while !rest.is_empty() {
        let name = take_array::<4>(&mut rest)?;
        let len =
            usize::try_from(u32::from_le_bytes(take_array(&mut rest)?)).map_err(|_| PictureError::Broken)?;
        let mut body = take(&mut rest, len)?.to_vec();
        // The pad of the last one is sometimes forgotten.
        if len % 2 == 1 && !rest.is_empty() {
            take(&mut rest, 1)?;
        }
        if matches!(&name, b"ANIM" | b"ANMF") {
            return Err(PictureError::Moving);
        }
        if !NEEDED.contains(&&name) {
            continue;
        }
        match &name {
            b"VP8X" => extended(&mut body)?,
            // One picture, and nothing that could be another.
            b"VP8 " | b"VP8L" if std::mem::replace(&mut pixels, true) => continue,
            b"VP8 " => {
                let [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = *body.as_slice() else {
                    return Err(PictureError::Broken);
                };
                let side = |a, b| u32::from(u16::from_le_bytes([a, b]) & 0x3fff);
                sized(side(w0, w1), side(h0, h1))?;
            }
            b"VP8L" => {
                let [0x2f, b0, b1, b2, b3, ..] = *body.as_slice() else { return Err(PictureError::Broken) };
                let sides = u32::from_le_bytes([b0, b1, b2, b3]);
                sized((sides & 0x3fff) + 1, ((sides >> 14) & 0x3fff) + 1)?;
            }
            _ => {}
        }
        chunks.extend(name);
        chunks.extend(u32::try_from(len).map_err(|_| PictureError::Broken)?.to_le_bytes());
        chunks.extend(&body);
        chunks.extend(std::iter::repeat_n(0, len % 2));
    }
    if !pixels {
        return Err(PictureError::Broken);
    }
    let mut out = b"RIFF".to_vec();
    out.extend(u32::try_from(chunks.len() + 4).map_err(|_| PictureError::Broken)?.to_le_bytes());
    out.extend(b"WEBP");
    out.extend(chunks);
    Ok(out)
}

/// The head of an extended file: says what is in it, and how large it is.
fn extended(body: &mut [u8]) -> Result<(), PictureError> {
    let [flags, _, _, _, w0, w1, w2, h0, h1, h2] = body else { return Err(PictureError::Broken) };
    if *flags & MOVING != 0 {
        return Err(PictureError::Moving);
    }
    *flags &= !LEFT_OUT;
    let side = |a: u8, b: u8, c: u8| u32::from_le_bytes([a, b, c, 0]) + 1;
    sized(side(*w0, *w1, *w2), side(*h0, *h1, *h2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut out = name.to_vec();
        out.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
        out.extend(body);
        out.extend(std::iter::repeat_n(0, body.len() % 2));
        out
    }

    fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
        let chunks = chunks.concat();
        let mut out = b"RIFF".to_vec();
        out.extend(u32::try_from(chunks.len() + 4).unwrap().to_le_bytes());
        out.extend(b"WEBP");
        out.extend(chunks);
        out
    }

    fn photo(flags: u8) -> Vec<u8> {
        file(&[
            chunk(b"VP8X", &[flags, 0, 0, 0, 29, 0, 0, 19, 0, 0]),
            chunk(b"ICCP", b"colours"),
            chunk(b"VP8 ", &[0, 0, 0, 0x9d, 0x01, 0x2a, 30, 0, 20, 0, 7]),
            chunk(b"EXIF", b"II*\0GPS"),
            chunk(b"XMP ", b"<x>GPS</x>"),
            chunk(b"????", b"whatever"),
        ])
    }

    #[test]
    fn exif_and_xmp_are_left_out_and_so_is_the_word_that_they_are_there() {
        let mut with_more = photo(0b0010_1100);
        with_more.extend(b"hung on");
        let clean = clean(&with_more).unwrap();
        let holds = |what: &[u8]| clean.windows(what.len()).any(|w| w == what);
        assert!(
            !holds(b"GPS") && !holds(b"EXIF") && !holds(b"XMP ") && !holds(b"hung on") && !holds(b"what")
        );
        assert!(holds(b"ICCP") && holds(b"VP8 "));
        assert_eq!(clean[20], 0b0010_0000);
        assert_eq!(clean[4..8], u32::try_from(clean.len() - 8).unwrap().to_le_bytes());
        assert_eq!(super::clean(&clean).unwrap(), clean);
    }

    #[test]
    fn films_and_parts_are_refused() {
        assert_eq!(clean(&photo(MOVING)), Err(PictureError::Moving));
        assert_eq!(clean(&file(&[chunk(b"ANMF", &[0; 16])])), Err(PictureError::Moving));
        let whole = photo(0);
        assert!((0..whole.len()).all(|len| clean(&whole[..len]) == Err(PictureError::Broken)));
        assert_eq!(clean(&file(&[chunk(b"ICCP", b"x")])), Err(PictureError::Broken));
        let lossless = file(&[chunk(b"VP8L", &[0x2f, 0xff, 0xff, 0xff, 0x0f])]);
        assert_eq!(clean(&lossless), Err(PictureError::TooManyPixels));
    }
}
