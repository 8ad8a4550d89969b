//! That something changed, told to pages that are open: one listener to the store's news for the whole node,
//! one small value that every stream looks at, and no question to the database for any of them.
//!
//! Changes carry a version that only grows; a stream says which matters changed since the one it told last.
//! What it cannot say exactly (too long ago, or a level above confirmed that it stored something) it calls
//! unknown, and the page looks for itself. Streams are few, end by themselves after a while, and all end when
//! the server is told to stop.

use super::limits;
use crate::store::{Store, Written};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{
    OwnedSemaphorePermit, Semaphore,
    broadcast::{Receiver, error::RecvError},
    watch,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use yishi_protocol::ids::DocId;

/// What changed of late.
#[derive(Debug, Clone, Default)]
struct Changes {
    version: u64,
    /// Matters with the version they changed at, oldest first.
    matters: VecDeque<(u64, DocId)>,
    /// Up to this version it is not known which ones changed.
    unknown: u64,
}

/// What one stream is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// The version reached.
    pub(super) version: u64,
    /// Which matters changed; `None` if that is not known.
    pub(super) matters: Option<BTreeSet<DocId>>,
}

impl Changes {
    fn add(&mut self, matters: impl IntoIterator<Item = DocId>, unknown: bool) {
        self.version += 1;
        if unknown {
            self.unknown = self.version;
        }
        for matter in matters {
            self.matters.push_back((self.version, matter));
            if self.matters.len() > limits::LIVE_MATTERS_MAX {
                let forgotten = self.matters.pop_front().map_or(0, |(version, _)| version);
                self.unknown = self.unknown.max(forgotten);
            }
        }
    }

    fn since(&self, seen: u64) -> Told {
        let newer = self.matters.iter().filter(|(version, _)| *version > seen);
        Told {
            version: self.version,
            matters: (seen >= self.unknown).then(|| newer.map(|(_, doc)| *doc).collect()),
        }
    }
}

/// The node's one listener and its streams.
#[derive(Debug)]
pub(super) struct Live {
    changes: watch::Sender<Changes>,
    places: Arc<Semaphore>,
    stop: CancellationToken,
}

/// One open stream.
#[derive(Debug)]
pub(super) struct Stream {
    changes: watch::Receiver<Changes>,
    seen: u64,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
}

impl Live {
    /// Listens to this store until it is told to stop. Versions begin at `first`, so that a page of an
    /// earlier process notices.
    pub(super) fn of(store: &Store, first: u64) -> Arc<Self> {
        let begun = Changes { version: first, unknown: first, ..Changes::default() };
        let live = Arc::new(Self {
            changes: watch::Sender::new(begun),
            places: Arc::new(Semaphore::new(limits::LIVE_STREAMS_MAX)),
            stop: CancellationToken::new(),
        });
        tokio::spawn(Arc::clone(&live).listen(store.shown(), store.news()));
        live
    }

    /// Ends every stream when dropped.
    pub(super) fn ends_with(&self) -> DropGuard {
        self.stop.clone().drop_guard()
    }

    /// How far changes have come.
    pub(super) fn version(&self) -> u64 {
        self.changes.borrow().version
    }

    /// Streams open now.
    pub(super) fn open(&self) -> usize {
        limits::LIVE_STREAMS_MAX.saturating_sub(self.places.available_permits())
    }

    /// A stream; `None` when there are as many as this node bears, or it is stopping.
    pub(super) fn stream(&self) -> Option<Stream> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let changes = self.changes.subscribe();
        let seen = changes.borrow().version;
        (!self.stop.is_cancelled()).then(|| Stream { changes, seen, stop: self.stop.clone(), _place: place })
    }

    async fn listen(self: Arc<Self>, mut shown: Receiver<Arc<Vec<DocId>>>, mut news: Receiver<Arc<Written>>) {
        loop {
            let mut matters = BTreeSet::new();
            // Where something is stored is told without saying of what.
            let unknown = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                heard = shown.recv() => match heard {
                    Ok(docs) => { matters.extend(docs.iter().copied()); false }
                    Err(RecvError::Lagged(_)) => true,
                    Err(RecvError::Closed) => return,
                },
                heard = news.recv() => match heard {
                    Ok(written) if written.stored_above || written.world_changed => true,
                    Ok(_) => continue,
                    Err(RecvError::Lagged(_)) => true,
                    Err(RecvError::Closed) => return,
                },
            };
            // A moment, so that a block of five hundred matters is one piece of news.
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_millis(limits::LIVE_PAUSE_MS)) => {}
            }
            while let Ok(docs) = shown.try_recv() {
                matters.extend(docs.iter().copied());
            }
            self.changes.send_modify(|changes| changes.add(matters, unknown));
        }
    }
}

impl Stream {
    /// How far changes had come when it was opened.
    pub(super) fn version(&self) -> u64 {
        self.seen
    }

    /// Waits for the next change; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Told> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            changed = self.changes.changed() => {
                changed.ok()?;
                let told = self.changes.borrow_and_update().since(self.seen);
                self.seen = told.version;
                Some(told)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(n: usize) -> DocId {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&(n as u64).to_le_bytes());
        DocId(id)
    }

    #[test]
    fn a_stream_hears_of_what_changed_since_and_of_no_more() {
        let mut changes = Changes { version: 10, unknown: 10, ..Changes::default() };
        changes.add([doc(1)], false);
        changes.add([doc(2), doc(1)], false);
        assert_eq!(changes.since(10), Told { version: 12, matters: Some([doc(1), doc(2)].into()) });
        assert_eq!(changes.since(11).matters, Some([doc(1), doc(2)].into()));
        assert_eq!(changes.since(12).matters, Some(BTreeSet::new()));
        assert_eq!(changes.since(9).matters, None, "before this process nothing is known");
        changes.add([], true);
        assert_eq!(changes.since(12), Told { version: 13, matters: None });
        changes.add([doc(3)], false);
        assert_eq!(changes.since(13).matters, Some([doc(3)].into()));
    }

    #[test]
    fn what_is_forgotten_is_unknown_and_memory_is_bounded() {
        let mut changes = Changes::default();
        for n in 0..3 * limits::LIVE_MATTERS_MAX {
            changes.add([doc(n)], false);
        }
        assert_eq!(changes.matters.len(), limits::LIVE_MATTERS_MAX);
        let newest = changes.version;
        assert_eq!(changes.since(newest - 1).matters.unwrap().len(), 1);
        assert_eq!(changes.since(newest - limits::LIVE_MATTERS_MAX as u64 - 1).matters, None);
        assert!(changes.since(newest - limits::LIVE_MATTERS_MAX as u64).matters.is_some());
    }
}
