//! What is going on right now on every link: for people to look at, never for decisions.

use crate::{clock::Clock, store::LinkId};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// Whether a link is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Connected {
    /// No connection, and none is being made.
    #[default]
    Down,
    /// A connection is being made.
    Connecting,
    /// Connected.
    Up,
    /// The other side does not want this node.
    Refused,
    /// What the other side sent last was against the protocol.
    Broken,
}

/// The present of one link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Present {
    /// Whether it is connected.
    pub connected: Connected,
    /// Why not, in words.
    pub why: Option<String>,
    /// When something last came, in milliseconds since 1970.
    pub last_heard_ms: Option<u64>,
    /// When both sides last had everything.
    pub last_in_step_ms: Option<u64>,
    /// How long the last reconnection took from the first packet until both sides had everything.
    pub last_catch_up_us: Option<u64>,
    /// Bytes of frames sent since the start, as packed, before QUIC.
    pub frame_bytes_sent: u64,
    /// Bytes of frames received since the start, as packed, before QUIC.
    pub frame_bytes_received: u64,
    /// Times both sides had everything.
    pub in_step_count: u64,
    began_us: Option<u64>,
}

/// All links' present.
#[derive(Debug)]
pub struct LinkBoard {
    clock: Arc<dyn Clock>,
    links: Mutex<BTreeMap<LinkId, Present>>,
    changes: watch::Sender<u64>,
}

impl LinkBoard {
    /// An empty board.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, links: Mutex::default(), changes: watch::Sender::new(0) })
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<LinkId, Present>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now, in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Counts changes that a page would show.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// One link's present.
    #[must_use]
    pub fn get(&self, link: LinkId) -> Present {
        self.links().get(&link).cloned().unwrap_or_default()
    }

    pub(super) fn set(&self, link: LinkId, connected: Connected, why: Option<String>) {
        let now_us = self.clock.now_us();
        {
            let mut links = self.links();
            let present = links.entry(link).or_default();
            if connected == Connected::Connecting {
                present.began_us = Some(now_us);
            }
            present.connected = connected;
            present.why = why;
        }
        self.changes.send_modify(|n| *n += 1);
    }

    pub(super) fn heard(&self, link: LinkId) {
        let now = self.now_ms();
        self.links().entry(link).or_default().last_heard_ms = Some(now);
    }

    /// A frame of so many bytes, as packed, was sent.
    pub(super) fn sent(&self, link: LinkId, bytes: usize) {
        self.links().entry(link).or_default().frame_bytes_sent += bytes as u64;
    }

    /// A frame of so many bytes, as packed, came in.
    pub(super) fn received(&self, link: LinkId, bytes: usize) {
        self.links().entry(link).or_default().frame_bytes_received += bytes as u64;
    }

    pub(super) fn in_step(&self, link: LinkId) {
        let (now_ms, now_us) = (self.now_ms(), self.clock.now_us());
        {
            let mut links = self.links();
            let present = links.entry(link).or_default();
            present.last_in_step_ms = Some(now_ms);
            present.in_step_count += 1;
            if let Some(began) = present.began_us.take() {
                present.last_catch_up_us = Some(now_us.saturating_sub(began));
            }
        }
        self.changes.send_modify(|n| *n += 1);
    }
}
