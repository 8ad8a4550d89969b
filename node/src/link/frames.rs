//! Frames on a stream: length, one byte that says how, then the bytes.
//!
//! Large frames are compressed with zstd; what claims to inflate beyond the protocol's limit is refused
//! before it is inflated.

use std::io::{self, Read};
use thiserror::Error;
use yishi_protocol::{
    codec::{DecodeError, Writer},
    limits::FRAME_BYTES_MAX,
    wire::Frame,
};

/// From here on compression pays.
const COMPRESS_FROM_BYTES: usize = 200;
/// zstd's level: 9 would save 8 % more for three times the time (measured).
const LEVEL: i32 = 3;
/// How far back a compressed frame may refer: as far as the largest frame is long. zstd itself would take
/// 128 MiB of memory because a header of six bytes says so.
const WINDOW_LOG_MAX: u32 = FRAME_BYTES_MAX.ilog2();
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;

/// Why a frame could not be read.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The connection ended.
    #[error("the connection ended: {0}")]
    Connection(String),
    /// The frame is larger than allowed.
    #[error("a frame of {0} bytes is above the limit of {FRAME_BYTES_MAX}")]
    TooLarge(u64),
    /// It does not come, or is not taken.
    #[error("a frame of {0} bytes was under way for too long")]
    Slow(usize),
    /// Not even a greeting.
    #[error("no greeting came in time")]
    Silent,
    /// It does not inflate.
    #[error("a frame cannot be decompressed: {0}")]
    Inflate(io::Error),
    /// It is no frame.
    #[error("a frame cannot be read: {0}")]
    Unreadable(#[from] DecodeError),
}

/// The bytes of a frame on the stream.
pub(super) fn pack(frame: &Frame) -> Vec<u8> {
    let plain = frame.encode();
    let packed = (plain.len() >= COMPRESS_FROM_BYTES)
        .then(|| zstd::bulk::compress(&plain, LEVEL).ok())
        .flatten()
        .filter(|packed| packed.len() < plain.len());
    let (how, body) = match &packed {
        Some(packed) => (ZSTD, packed),
        None => (PLAIN, &plain),
    };
    let mut w = Writer::new();
    w.uint(1 + body.len() as u64).raw(&[how]).raw(body);
    w.finish()
}

/// Reads one frame's body, still packed.
pub(super) async fn read(stream: &mut quinn::RecvStream) -> Result<Vec<u8>, FrameError> {
    read_up_to(stream, FRAME_BYTES_MAX).await
}

/// The same with a bound of one's own.
pub(super) async fn read_up_to(stream: &mut quinn::RecvStream, max: usize) -> Result<Vec<u8>, FrameError> {
    let len = read_len(stream, max).await?;
    read_body(stream, len).await
}

fn gone(e: &dyn std::fmt::Display) -> FrameError {
    FrameError::Connection(e.to_string())
}

/// Reads how long the next frame's body is.
pub(super) async fn read_len(stream: &mut quinn::RecvStream, max: usize) -> Result<usize, FrameError> {
    let mut len = 0u64;
    for shift in (0..).step_by(7) {
        let mut byte = [0u8; 1];
        stream.read_exact(&mut byte).await.map_err(|e| gone(&e))?;
        let [byte] = byte;
        len |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
        if shift > 21 {
            return Err(FrameError::TooLarge(u64::MAX));
        }
    }
    if len == 0 || len > max as u64 {
        return Err(FrameError::TooLarge(len));
    }
    Ok(len as usize)
}

/// Reads a body of that length.
pub(super) async fn read_body(stream: &mut quinn::RecvStream, len: usize) -> Result<Vec<u8>, FrameError> {
    // Grown as bytes arrive: a claim of eight megabytes must not cost eight megabytes.
    let mut body = Vec::with_capacity(len.min(64 * 1024));
    while body.len() < len {
        let want = (len - body.len()).min(64 * 1024);
        let Some(chunk) = stream.read_chunk(want, true).await.map_err(|e| gone(&e))? else {
            return Err(FrameError::Connection("the stream ended inside a frame".into()));
        };
        body.extend_from_slice(&chunk.bytes);
    }
    Ok(body)
}

/// What a body claims to inflate to; [`unpack`] holds it to that. Without a claim: as much as is allowed.
pub(super) fn inflated_len(body: &[u8]) -> usize {
    match body.split_first() {
        Some((&ZSTD, packed)) => match zstd::zstd_safe::get_frame_content_size(packed) {
            Ok(Some(claimed)) => usize::try_from(claimed).unwrap_or(usize::MAX),
            _ => FRAME_BYTES_MAX,
        },
        _ => body.len(),
    }
}

/// How many bytes a body took on the stream, its length included.
pub(super) fn len_on_stream(body: &[u8]) -> usize {
    let bits = usize::BITS - body.len().leading_zeros();
    body.len() + bits.div_ceil(7).max(1) as usize
}

/// Unpacks a frame's body.
pub(super) fn unpack(body: &[u8]) -> Result<Frame, FrameError> {
    unpack_up_to(body, FRAME_BYTES_MAX)
}

/// The same with a bound of one's own on what comes out.
pub(super) fn unpack_up_to(body: &[u8], max: usize) -> Result<Frame, FrameError> {
    match body.split_first() {
        Some((&PLAIN, plain)) => Ok(Frame::decode(plain)?),
        Some((&ZSTD, packed)) => {
            // Read through a limit, so that memory grows with what is there and not with what is claimed;
            // one frame only, and no window beyond what may come out.
            let max = max.min(inflated_len(body));
            let mut plain = Vec::new();
            let mut decoder =
                zstd::stream::read::Decoder::new(packed).map_err(FrameError::Inflate)?.single_frame();
            decoder.window_log_max(WINDOW_LOG_MAX).map_err(FrameError::Inflate)?;
            decoder.take(max as u64 + 1).read_to_end(&mut plain).map_err(FrameError::Inflate)?;
            if plain.len() > max {
                return Err(FrameError::TooLarge(plain.len() as u64));
            }
            Ok(Frame::decode(&plain)?)
        }
        _ => Err(DecodeError::Truncated.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_pack_and_a_bomb_is_refused() {
        let frame = Frame::Block("涵洞积水".repeat(500).into_bytes());
        let packed = pack(&frame);
        assert!(packed.len() < 300);
        let mut r = yishi_protocol::codec::Reader::new(&packed);
        let n = r.uint().unwrap() as usize;
        let body = r.raw(n).unwrap();
        assert_eq!(len_on_stream(body), packed.len());
        assert_eq!(unpack(body).unwrap(), frame);
        let bomb = zstd::bulk::compress(&vec![0u8; FRAME_BYTES_MAX + 1], 3).unwrap();
        let mut body = vec![ZSTD];
        body.extend(bomb);
        assert!(matches!(unpack(&body), Err(FrameError::TooLarge(_))));
    }

    #[test]
    fn a_frame_is_held_to_its_claim() {
        let honest = zstd::bulk::compress(&Frame::Block(vec![0; 100_000]).encode(), 3).unwrap();
        let mut body = vec![ZSTD];
        body.extend(&honest);
        assert!((100_000..100_100).contains(&inflated_len(&body)));
        unpack(&body).unwrap();
        // A second frame behind the first is not what was claimed.
        body.extend(zstd::bulk::compress(&vec![0; 1_000_000], 3).unwrap());
        unpack(&body).unwrap();
        // A claim of a hundred bytes, and a megabyte inside.
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        std::io::Write::write_all(&mut encoder, &vec![0; 1_000_000]).unwrap();
        let unclaimed = encoder.finish().unwrap();
        let body = [&[ZSTD][..], &unclaimed].concat();
        assert_eq!(inflated_len(&body), FRAME_BYTES_MAX);
        // A window of a hundred megabytes: magic, no claim, window descriptor.
        let window = [&[ZSTD, 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88][..], &unclaimed[6..]].concat();
        assert!(matches!(unpack(&window), Err(FrameError::Inflate(_))));
    }
}
