//! Who goes first when much arrives at once: blocks a neighbour waits for, then what only lists wait for.
//!
//! Judging a block and folding its documents compete for the same one or two cores and the same writer.
//! The neighbour's acknowledgement is promise 2 and lets it forget; a list may be a moment behind. So
//! the projector steps back while blocks are being taken in — a bounded moment at a time, so that a
//! neighbour who never stops sending cannot keep the lists empty.

use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// The next block of a burst is at hand within this.
const BURST_GAP: Duration = Duration::from_millis(30);
/// The longest that lists wait for a burst to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many links are taking in blocks right now.
#[derive(Debug, Clone, Default)]
pub struct Arrivals(Arc<watch::Sender<usize>>);

/// One link is taking in a block, as long as this lives.
#[derive(Debug)]
pub struct Arriving<'a>(&'a Arrivals);

impl Arrivals {
    /// A block is being taken in.
    #[must_use]
    pub fn begin(&self) -> Arriving<'_> {
        self.0.send_modify(|n| *n += 1);
        Arriving(self)
    }

    /// Returns when nothing is being taken in, or patience ends.
    pub async fn pause(&self) {
        let mut seen = self.0.subscribe();
        if *seen.borrow_and_update() == 0 {
            return;
        }
        let quiet = async {
            loop {
                if seen.wait_for(|n| *n == 0).await.is_err() {
                    return;
                }
                // Between two blocks of a burst there is nothing for a moment.
                if timeout(BURST_GAP, seen.wait_for(|n| *n > 0)).await.is_err() {
                    return;
                }
            }
        };
        let _ = timeout(PATIENCE, quiet).await;
    }
}

impl Drop for Arriving<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|n| *n = n.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waits_for_the_end_of_a_burst_but_not_for_ever() {
        let arrivals = Arrivals::default();
        arrivals.pause().await;

        let block = arrivals.begin();
        let waiting = tokio::spawn({
            let arrivals = arrivals.clone();
            async move { arrivals.pause().await }
        });
        tokio::time::sleep(BURST_GAP).await;
        assert!(!waiting.is_finished(), "a block is still being taken in");
        drop(block);
        waiting.await.unwrap();

        // Never dropped: patience ends it.
        let _endless = arrivals.begin();
        arrivals.pause().await;
    }
}
