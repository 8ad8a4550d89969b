//! Frames: what is read is written again bit for bit.

use yishi_protocol::wire::Frame;

/// The bytes are one frame, unpacked.
pub(crate) fn run(data: &[u8]) {
    let Ok(frame) = Frame::decode(data) else { return };
    assert_eq!(frame.encode(), data, "{frame:?}");
}
