//! What the frames of all links together may hold in this node's memory.
//!
//! A neighbour is certified, and may be hostile or broken all the same. What it makes this side hold is
//! bounded three ways: bytes still packed, large frames of which only a few are taken at a time; bytes
//! inflated, counted from before a frame is inflated until what it brought is durable; and time, since
//! whoever trickles holds its share for ever. Small frames pass free: greetings and acknowledgements do not
//! wait behind anybody's blocks.

use super::frames::{self, FrameError};
use quinn::{RecvStream, SendStream};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use yishi_protocol::limits::{ATTACHMENT_PIECE_BYTES, BYTES_IN_FLIGHT_MAX, FRAME_BYTES_MAX};

/// Up to here a frame is free, packed and inflated.
const FREE_BYTES_MAX: usize = 64 * 1024;
/// From here on a packed frame is large: an honest block is half of it *before* it is packed, unless one
/// document has a very long run.
const LARGE_FROM_BYTES: usize = 1024 * 1024;
/// Large packed frames under way at a time, over all links.
const LARGE_AT_ONCE: usize = 8;
/// Inflated bytes over all links, in KiB: blocks of four links that send as much as they may.
const INFLATED_KIB: usize = 4 * BYTES_IN_FLIGHT_MAX / 1024;
/// Inflated bytes of one link, in KiB: what an honest side has under way at most.
const INFLATED_OF_ONE_KIB: usize = BYTES_IN_FLIGHT_MAX / 1024;
/// Pieces of files in memory for one direction, over all links: two megabytes.
const BULK_PIECES_MAX: usize = 2 * 1024 * 1024 / ATTACHMENT_PIECE_BYTES;
/// A frame once begun is whole after this, and the time its bytes take at the rate below.
const FRAME_WITHIN: Duration = Duration::from_secs(60);
/// The slowest line that is still served, in bytes per second: 8 kbit/s.
const SLOWEST_BYTES: usize = 1_000;
/// The whole first frame. A satellite link needs some seconds for it.
const HELLO_WITHIN: Duration = Duration::from_secs(30);

/// The node's.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    large: Arc<Semaphore>,
    inflated: Arc<Semaphore>,
    bulk_in: BulkRoom,
    bulk_out: BulkRoom,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            large: Arc::new(Semaphore::new(LARGE_AT_ONCE)),
            inflated: Arc::new(Semaphore::new(INFLATED_KIB)),
            bulk_in: BulkRoom(Arc::new(Semaphore::new(BULK_PIECES_MAX))),
            bulk_out: BulkRoom(Arc::new(Semaphore::new(BULK_PIECES_MAX))),
        }
    }
}

/// One link's share of it.
#[derive(Debug)]
pub(super) struct Share {
    node: Budget,
    own: Arc<Semaphore>,
    greeted: bool,
}

/// Memory a frame takes, given back when dropped.
#[derive(Debug)]
pub(super) struct Held(#[allow(dead_code, reason = "held for its drop")] Option<Vec<OwnedSemaphorePermit>>);

impl Held {
    /// Of a frame that takes next to none.
    pub(super) fn nothing() -> Self {
        Self(None)
    }
}

impl Budget {
    /// For files that come.
    pub(super) fn bulk_in(&self) -> &BulkRoom {
        &self.bulk_in
    }

    /// For files that go. Whoever takes them slowly keeps nobody from bringing any.
    pub(super) fn bulk_out(&self) -> &BulkRoom {
        &self.bulk_out
    }

    /// For one connection.
    pub(super) fn share(&self) -> Share {
        Share { node: self.clone(), own: Arc::new(Semaphore::new(INFLATED_OF_ONE_KIB)), greeted: false }
    }
}

/// Pieces of files that may be in memory for one direction, over all links.
#[derive(Debug, Clone)]
pub(super) struct BulkRoom(Arc<Semaphore>);

impl BulkRoom {
    /// For one piece, until it is dropped.
    pub(super) async fn piece(&self) -> Held {
        self.pieces(1).await
    }

    /// For the pieces of one answer.
    pub(super) async fn pieces(&self, count: u8) -> Held {
        Held(self.0.clone().acquire_many_owned(count.into()).await.ok().map(|permit| vec![permit]))
    }
}

pub(super) fn time_for(bytes: usize) -> Duration {
    FRAME_WITHIN + Duration::from_secs((bytes / SLOWEST_BYTES) as u64)
}

impl Share {
    /// Reads one frame's body, still packed. The first one is due at once, the others whenever they come.
    pub(super) async fn read(&mut self, stream: &mut RecvStream) -> Result<Vec<u8>, FrameError> {
        if self.greeted {
            let len = frames::read_len(stream, FRAME_BYTES_MAX).await?;
            let _turn = match len >= LARGE_FROM_BYTES {
                true => self.node.large.acquire().await.ok(),
                false => None,
            };
            let body = timeout(time_for(len), frames::read_body(stream, len)).await;
            body.map_err(|_| FrameError::Slow(len))?
        } else {
            let hello = timeout(HELLO_WITHIN, frames::read_up_to(stream, FREE_BYTES_MAX)).await;
            let body = hello.map_err(|_| FrameError::Silent)??;
            self.greeted = true;
            Ok(body)
        }
    }

    /// Waits until there is room for what a body inflates to.
    pub(super) async fn room_for(&self, body: &[u8]) -> Held {
        let bytes = frames::inflated_len(body).min(FRAME_BYTES_MAX);
        if bytes <= FREE_BYTES_MAX {
            return Held(None);
        }
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        // The own share first: whoever waits for it takes nothing from the others.
        let Ok(own) = self.own.clone().acquire_many_owned(kib).await else { return Held(None) };
        let Ok(all) = self.node.inflated.clone().acquire_many_owned(kib).await else { return Held(None) };
        Held(Some(vec![own, all]))
    }
}

/// Writes a frame to a neighbour that must take it in time: what waits behind it holds memory here.
pub(super) async fn write(stream: &mut SendStream, packed: &[u8]) -> Result<(), FrameError> {
    timeout(time_for(packed.len()), stream.write_all(packed))
        .await
        .map_err(|_| FrameError::Slow(packed.len()))?
        .map_err(|e| FrameError::Connection(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_link_takes_no_more_than_its_share_and_small_frames_pass() {
        let budget = Budget::default();
        let bomb = frames::pack(&yishi_protocol::wire::Frame::Block(vec![0; FRAME_BYTES_MAX - 64]));
        let mut r = yishi_protocol::codec::Reader::new(&bomb);
        let n = r.uint().unwrap() as usize;
        let body = r.raw(n).unwrap();
        assert!(body.len() < 2_000, "{}", body.len());
        let greedy = budget.share();
        let first = greedy.room_for(body).await;
        let second = timeout(Duration::from_millis(20), greedy.room_for(body)).await;
        assert!(second.is_err(), "a second one waits");
        let small = frames::pack(&yishi_protocol::wire::Frame::Block(vec![7; 100]));
        assert!(greedy.room_for(&small[1..]).await.0.is_none());
        // Others have room beside it, and so many and no more at a time.
        let mut others = Vec::new();
        for _ in 0..3 {
            others.push(budget.share().room_for(body).await);
        }
        let one_more = budget.share();
        assert!(timeout(Duration::from_millis(20), one_more.room_for(body)).await.is_err());
        drop(first);
        one_more.room_for(body).await;
    }
}
