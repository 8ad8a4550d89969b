//! PNG (W3C, third edition): chunks with a length, a name and a check sum. Each is handed on whole or not at all.

use super::{PictureError, sized, take, take_array};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// What shows the picture: its size, colours, pixels, density. Words, times, Exif and films are not among them.
const NEEDED: &[&[u8; 4]] = &[
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT",
    b"bKGD", b"pHYs",
];

pub(super) fn clean(bytes: &[u8]) -> Result<Vec<u8>, PictureError> {
    let mut rest = bytes.strip_prefix(SIGNATURE).ok_or(PictureError::Broken)?;
    let mut out = SIGNATURE.to_vec();
    let (mut first, mut pixels) = (true, false);
    loop {
        let len = u32::from_be_bytes(take_array(&mut rest)?);
        let name = take_array::<4>(&mut rest)?;
        let body = take(&mut rest, usize::try_from(len).map_err(|_| PictureError::Broken)?)?;
        let sum = take_array::<4>(&mut rest)?;
        if std::mem::replace(&mut first, false) {
            let (b"IHDR", Some((w, more))) = (&name, body.split_first_chunk::<4>()) else {
                return Err(PictureError::Broken);
            };
            let h = more.first_chunk::<4>().ok_or(PictureError::Broken)?;
            sized(u32::from_be_bytes(*w), u32::from_be_bytes(*h))?;
        }
        pixels |= &name == b"IDAT";
        if NEEDED.contains(&&name) {
            out.extend(len.to_be_bytes());
            out.extend(name);
            out.extend_from_slice(body);
            out.extend(sum);
        }
        if &name == b"IEND" {
            return if pixels { Ok(out) } else { Err(PictureError::Broken) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut out = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        out.extend(name);
        out.extend(body);
        out.extend([1, 2, 3, 4]);
        out
    }

    fn photo() -> Vec<u8> {
        let mut head = vec![0, 0, 0, 30, 0, 0, 0, 20];
        head.extend([8, 2, 0, 0, 0]);
        let mut out = SIGNATURE.to_vec();
        out.extend(chunk(b"IHDR", &head));
        out.extend(chunk(b"tEXt", b"Author\0somebody"));
        out.extend(chunk(b"iTXt", b"XML:com.adobe.xmp\0GPS"));
        out.extend(chunk(b"eXIf", b"MM\0*GPS"));
        out.extend(chunk(b"tIME", &[7, 234, 11, 22, 9, 30, 0]));
        out.extend(chunk(b"acTL", &[0; 8]));
        out.extend(chunk(b"pHYs", &[0; 9]));
        out.extend(chunk(b"IDAT", b"pixels"));
        out.extend(chunk(b"IEND", b""));
        out.extend(b"hung on");
        out
    }

    #[test]
    fn only_what_shows_the_picture_is_left() {
        let clean = clean(&photo()).unwrap();
        let holds = |what: &[u8]| clean.windows(what.len()).any(|w| w == what);
        for gone in ["Author", "GPS", "eXIf", "tIME", "hung on", "acTL"] {
            assert!(!holds(gone.as_bytes()), "{gone}");
        }
        assert!(holds(b"IDATpixels") && holds(b"pHYs"));
        assert_eq!(super::clean(&clean).unwrap(), clean);
    }

    #[test]
    fn a_part_of_one_is_none() {
        let whole = photo();
        let end = whole.len() - b"hung on".len();
        assert!((0..end).all(|len| clean(&whole[..len]) == Err(PictureError::Broken)));
        let mut long = whole.clone();
        long[8..12].copy_from_slice(&[0xff; 4]);
        assert_eq!(clean(&long), Err(PictureError::Broken));
        let mut wide = whole;
        wide[16..20].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff]);
        assert_eq!(clean(&wide), Err(PictureError::TooManyPixels));
    }
}
