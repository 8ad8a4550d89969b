//! One link's conversation as a state machine: events in, effects out, no clock and no socket.
//!
//! ```text
//!   HELLO ⇄ HELLO ──fits──▶ streaming: Block → … ← Ack(receipt)
//!                └─does not─▶ Probe → ← Split, Items → ← Differ, Resume → streaming
//! ```
//!
//! Each direction is judged for itself. When the other side's cursor fits this side's feed, blocks
//! follow at once: a catch-up costs one round trip, and nothing is ever asked per document. A block is
//! acknowledged only after the driver says it is durable; the cursor the other side keeps and the
//! acknowledgements this side holds are all that survives a broken connection.

#[cfg(test)]
mod tests;

use crate::{
    ids::{CertHash, DocId, Epoch},
    limits::{BLOCKS_IN_FLIGHT_MAX, BYTES_IN_FLIGHT_MAX, RECONCILE_ITEMS_MAX},
    planted::Bug,
    reconcile::{Print, Visible, shortened},
    wire::{Ack, CloseCode, Frame, Hello, Reconcile},
};
use std::collections::{BTreeSet, VecDeque};

/// PROBE and ITEMS answered on one connection: one each is needed.
const COMPARISONS_MAX: usize = 4;

/// The digest of a cursor that asks for the histories to be compared: no feed has it.
pub const NO_DIGEST: [u8; 16] = [0xff; 16];

/// What this side knows of the link when a connection begins.
#[derive(Debug, Clone)]
pub struct Start {
    /// This node's certificate.
    pub cert: CertHash,
    /// This database's epoch.
    pub epoch: Epoch,
    /// Head of this side's feed for the link.
    pub head: u64,
    /// Up to where the other side's acknowledgements are held.
    pub acked: u64,
    /// The other's epoch this side followed, how far, and the digest there.
    pub cursor: Option<(Epoch, u64, [u8; 16])>,
}

/// What happens to a session.
#[derive(Debug)]
pub enum Event {
    /// A frame arrived.
    Frame(Frame),
    /// This side's feed has grown to here.
    FeedHead(u64),
    /// Answer to [`Effect::NeedDigest`]: the digest at that position, `None` beyond the head.
    Digest(Option<[u8; 16]>),
    /// Answer to [`Effect::BuildBlock`]: the block after that position, and where it ends.
    BlockBuilt {
        /// Its last feed position.
        to: u64,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Answer to [`Effect::Admit`]: everything up to `ack.to` is durable with its verdicts.
    Admitted {
        /// What to tell the other side.
        ack: Ack,
        /// Some of it stood on what is not here: the histories disagree.
        reconcile: bool,
    },
    /// Answer to [`Effect::LoadAcks`].
    AcksLoaded(Vec<Ack>),
    /// Answer to [`Effect::NeedVisible`]: the documents, and the feed's last position at that moment.
    Visible(Visible, u64),
    /// Answer to [`Effect::Refeed`]: rows were appended; the feed now ends at `head`.
    Refed {
        /// The position the other side's cursor is set to.
        resume: u64,
        /// The digest there.
        digest: [u8; 16],
        /// The new head.
        head: u64,
    },
    /// Answer to [`Effect::Adopt`].
    Adopted,
    /// This node is stopping.
    Stop,
}

/// What the driver does for a session.
#[derive(Debug)]
pub enum Effect {
    /// Send a frame.
    Send(Frame),
    /// Say which digest the feed has at a position.
    NeedDigest(u64),
    /// Build the block that follows a position.
    BuildBlock {
        /// The position.
        after: u64,
    },
    /// Judge and store a block; answer when it is durable.
    Admit {
        /// The block as it came.
        bytes: Vec<u8>,
        /// The epoch of the feed it belongs to.
        epoch: Epoch,
    },
    /// Load the acknowledgements this side gave in an epoch after a position.
    LoadAcks {
        /// The other side's epoch.
        epoch: Epoch,
        /// The position.
        after: u64,
    },
    /// Keep an acknowledgement the other side gave.
    Acked(Ack),
    /// Load the set of documents the link may see, with their heads, and say where the feed ends then.
    NeedVisible,
    /// Append a whole-document row for each of these to the feed: the other side lacks something of them;
    /// and what is no change of rows it may never have had.
    Refeed {
        /// The documents.
        docs: Vec<DocId>,
        /// Where the feed ended when they were compared: what follows is sent as it is.
        compared_at: u64,
        /// Up to where the other side may have had rows that are no changes.
        had: u64,
    },
    /// Keep a new cursor.
    Adopt {
        /// The other side's epoch.
        epoch: Epoch,
        /// Its position.
        seq: u64,
        /// The digest there.
        digest: [u8; 16],
    },
    /// The other side knows more of this node's feed than this node itself: the database was restored or
    /// cloned, and its life must be renewed before anything else is written.
    RenewLife,
    /// Both directions are at their heads.
    InStep,
    /// End the connection.
    Close(CloseCode, String),
}

#[derive(Debug, PartialEq)]
enum Out {
    /// Waiting for the other side's HELLO.
    Quiet,
    /// Comparing the digest at the other side's cursor.
    Comparing,
    /// Waiting for the visible set, to probe with.
    Gathering,
    /// Probe sent.
    Probed(Box<VisibleState>),
    /// Items sent; the documents behind them.
    Listed(Vec<DocId>),
    /// Whole-document rows are being appended.
    Refeeding,
    /// Blocks flow.
    Streaming,
}

#[derive(Debug, PartialEq)]
struct VisibleState(std::collections::BTreeMap<DocId, Print>);

#[derive(Debug)]
enum Waiting {
    /// Answer a probe when the visible set is here.
    Probe(u8, Vec<Print>),
    /// Answer a list of items.
    Items(Vec<(Print, Print)>),
    /// Send the first probe.
    Own,
}

/// One connection's conversation.
#[derive(Debug)]
pub struct Session {
    start: Start,
    peer: Option<Hello>,
    /// The other side's database is not the one this side followed.
    other_life: bool,
    effects: VecDeque<Effect>,
    out: Out,
    head: u64,
    sent: u64,
    acked: u64,
    building: bool,
    /// How often the other side asked for the set of documents.
    asked: usize,
    /// Where the feed ended when its documents were last compared.
    compared_at: u64,
    in_flight: VecDeque<(u64, usize)>,
    cursor: Option<(Epoch, u64)>,
    peer_head: u64,
    admitting: usize,
    awaiting_resume: bool,
    waiting: VecDeque<Waiting>,
    told_in_step: bool,
    closed: bool,
}

impl Session {
    /// Begins a conversation: the first effect is this side's HELLO.
    #[must_use]
    pub fn new(start: Start) -> Self {
        let (in_epoch, in_seq, in_digest) = match start.cursor {
            None => (None, 0, [0; 16]),
            Some((epoch, seq, digest)) => (Some(epoch), seq, digest),
        };
        let hello = Hello {
            cert: start.cert,
            epoch: start.epoch,
            head: start.head,
            acked: start.acked,
            in_epoch,
            in_seq,
            in_digest,
        };
        Self {
            peer: None,
            other_life: false,
            effects: VecDeque::from([Effect::Send(Frame::Hello(hello))]),
            out: Out::Quiet,
            head: start.head,
            sent: 0,
            acked: start.acked,
            building: false,
            asked: 0,
            compared_at: 0,
            in_flight: VecDeque::new(),
            cursor: start.cursor.map(|(epoch, seq, _)| (epoch, seq)),
            peer_head: 0,
            admitting: 0,
            awaiting_resume: false,
            waiting: VecDeque::new(),
            told_in_step: false,
            closed: false,
            start,
        }
    }

    /// The next thing to do, if any.
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The other side's HELLO, once it came.
    #[must_use]
    pub fn peer(&self) -> Option<&Hello> {
        self.peer.as_ref()
    }

    /// How many blocks are sent and not acknowledged.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// How many received blocks wait to become durable: the driver stops reading above its bound.
    #[must_use]
    pub fn admitting(&self) -> usize {
        self.admitting
    }

    /// Takes one event; effects follow from [`Session::poll`].
    pub fn handle(&mut self, event: Event) {
        if self.closed {
            return;
        }
        match event {
            Event::Frame(frame) => self.frame(frame),
            Event::FeedHead(head) => {
                if head > self.head {
                    self.head = head;
                    self.told_in_step = false;
                }
            }
            Event::Digest(mine) => self.compared(mine),
            Event::BlockBuilt { to, bytes } => {
                self.building = false;
                self.in_flight.push_back((to, bytes.len()));
                self.sent = to;
                self.effects.push_back(Effect::Send(Frame::Block(bytes)));
            }
            Event::Admitted { ack, reconcile } => {
                self.admitting = self.admitting.saturating_sub(1);
                if reconcile {
                    // What it stands on was lost between the two: begin anew, with the histories compared.
                    self.close(CloseCode::Protocol, "missing_dependency".into());
                    return;
                }
                if let Some((_, seq)) = &mut self.cursor {
                    *seq = ack.to.max(*seq);
                }
                self.peer_head = self.peer_head.max(ack.to);
                self.effects.push_back(Effect::Send(Frame::Ack(ack)));
            }
            Event::AcksLoaded(acks) => {
                for ack in acks {
                    self.effects.push_back(Effect::Send(Frame::Ack(ack)));
                }
            }
            Event::Visible(visible, head) => self.visible(visible, head),
            Event::Refed { resume, digest, head } => {
                self.head = self.head.max(head);
                self.sent = resume;
                self.acked = resume;
                self.out = Out::Streaming;
                self.effects
                    .push_back(Effect::Send(Frame::Reconcile(Reconcile::Resume { seq: resume, digest })));
            }
            Event::Adopted => self.awaiting_resume = false,
            Event::Stop => self.close(CloseCode::Stopping, String::new()),
        }
        self.advance();
    }

    fn close(&mut self, code: CloseCode, why: String) {
        self.effects.push_back(Effect::Send(Frame::Close(code, why.clone())));
        self.effects.push_back(Effect::Close(code, why));
        self.closed = true;
    }

    fn frame(&mut self, frame: Frame) {
        match frame {
            Frame::Hello(hello) if self.peer.is_none() => self.hello(hello),
            Frame::Close(code, why) => {
                self.effects.push_back(Effect::Close(code, why));
                self.closed = true;
            }
            _ if self.peer.is_none() => self.close(CloseCode::Protocol, "hello_expected".into()),
            Frame::Block(bytes) => self.block(bytes),
            Frame::Ack(ack) => self.ack(ack),
            Frame::Reconcile(message) => self.reconcile(message),
            Frame::Hello(_) | Frame::Join(_) | Frame::Joined(_) | Frame::Introduce(_) => {
                self.close(CloseCode::Protocol, "unexpected_frame".into());
            }
        }
    }

    fn hello(&mut self, hello: Hello) {
        self.peer_head = hello.head;
        // A new life of their database: it may have lost what came from there, and that was never fed back.
        let other_life = self.cursor.is_some_and(|(epoch, _)| epoch != hello.epoch);
        // Their feed, seen from here.
        match self.cursor {
            Some((epoch, _)) if epoch == hello.epoch => {
                let (_, seq) = self.cursor.unwrap_or((hello.epoch, 0));
                if seq > hello.acked {
                    self.effects.push_back(Effect::LoadAcks { epoch, after: hello.acked });
                }
            }
            // Nothing was ever followed: their feed begins at its beginning.
            None => self.cursor = Some((hello.epoch, 0)),
            // Another life of their database: they will find that this cursor does not fit and reconcile.
            Some(_) => self.awaiting_resume = true,
        }
        self.other_life = other_life;
        // This side's feed, seen from there. A new life there does not hide that this one may be old too.
        match hello.in_epoch {
            Some(epoch) if epoch == self.start.epoch => {
                if hello.in_seq > self.head {
                    self.effects.push_back(Effect::RenewLife);
                    self.close(CloseCode::Stopping, "renewing".into());
                    return;
                }
                self.out = Out::Comparing;
                self.effects.push_back(Effect::NeedDigest(hello.in_seq));
            }
            None if !other_life => {
                (self.sent, self.acked) = (0, 0);
                self.out = Out::Streaming;
            }
            _ => self.gather(),
        }
        self.peer = Some(hello);
    }

    fn gather(&mut self) {
        self.out = Out::Gathering;
        self.waiting.push_back(Waiting::Own);
        self.effects.push_back(Effect::NeedVisible);
    }

    fn compared(&mut self, mine: Option<[u8; 16]>) {
        let Some(hello) = self.peer.as_ref().filter(|_| self.out == Out::Comparing) else { return };
        let same_past = mine == Some(hello.in_digest) || (mine.is_some() && Bug::NoDigestCheck.planted());
        if same_past && !self.other_life {
            self.sent = hello.in_seq;
            // A peer that went back acknowledges anew what it is sent anew.
            self.acked = self.acked.min(hello.in_seq);
            self.out = Out::Streaming;
        } else if same_past || hello.in_digest == NO_DIGEST {
            self.gather();
        } else {
            // Another past under the same name: this database was put back, and has written on.
            self.effects.push_back(Effect::RenewLife);
            self.close(CloseCode::Stopping, "renewing".into());
        }
    }

    fn block(&mut self, bytes: Vec<u8>) {
        let Some((epoch, _)) = self.cursor.filter(|_| !self.awaiting_resume) else {
            self.close(CloseCode::Protocol, "block_before_resume".into());
            return;
        };
        self.admitting += 1;
        self.told_in_step = false;
        self.effects.push_back(Effect::Admit { bytes, epoch });
    }

    fn ack(&mut self, ack: Ack) {
        // How far the other side came in another life says nothing about the rows of this one.
        let same_life = self.peer.as_ref().filter(|p| p.in_epoch == Some(self.start.epoch));
        if ack.to > self.sent.max(same_life.map_or(0, |p| p.in_seq)) {
            self.close(CloseCode::Protocol, "ack_beyond_sent".into());
            return;
        }
        while self.in_flight.front().is_some_and(|(to, _)| *to <= ack.to) {
            self.in_flight.pop_front();
        }
        if ack.to > self.acked {
            self.acked = ack.to;
            self.effects.push_back(Effect::Acked(ack));
        }
    }

    fn reconcile(&mut self, message: Reconcile) {
        match message {
            // Each costs reading the whole set; an honest side compares once in a connection.
            Reconcile::Probe { .. } | Reconcile::Items { .. } if self.asked >= COMPARISONS_MAX => {
                self.close(CloseCode::Protocol, "too_many_comparisons".into());
            }
            Reconcile::Probe { bits, prints } => {
                self.asked += 1;
                self.waiting.push_back(Waiting::Probe(bits, prints));
                self.effects.push_back(Effect::NeedVisible);
            }
            Reconcile::Split { bits, prints } => {
                let Out::Probed(visible) = std::mem::replace(&mut self.out, Out::Quiet) else {
                    self.close(CloseCode::Protocol, "unexpected_split".into());
                    return;
                };
                let items = Visible(visible.0.clone()).items(bits, &prints);
                if prints.len() >= RECONCILE_ITEMS_MAX || items.len() >= RECONCILE_ITEMS_MAX {
                    // More than can be listed: everything goes again rather than something never.
                    self.refeed(visible.0.into_keys().collect());
                    return;
                }
                let message = Reconcile::Items { items: shortened(&items) };
                self.out = Out::Listed(items.into_iter().map(|(doc, _)| doc).collect());
                self.effects.push_back(Effect::Send(Frame::Reconcile(message)));
            }
            Reconcile::Items { items } => {
                self.asked += 1;
                self.waiting.push_back(Waiting::Items(items));
                self.effects.push_back(Effect::NeedVisible);
            }
            Reconcile::Differ { wanted } => {
                let Out::Listed(items) = std::mem::replace(&mut self.out, Out::Refeeding) else {
                    self.close(CloseCode::Protocol, "unexpected_differ".into());
                    return;
                };
                // Each once, however often it is asked for: a row costs a whole document.
                let docs: BTreeSet<DocId> =
                    wanted.iter().filter_map(|i| items.get(usize::try_from(*i).ok()?)).copied().collect();
                self.refeed(docs.into_iter().collect());
            }
            Reconcile::Resume { seq, digest } => {
                let Some(epoch) = self.peer.as_ref().map(|p| p.epoch) else { return };
                self.cursor = Some((epoch, seq));
                self.awaiting_resume = true;
                self.effects.push_back(Effect::Adopt { epoch, seq, digest });
                // Blocks that follow are queued behind the adoption by the driver's order.
                self.awaiting_resume = false;
            }
        }
    }

    fn refeed(&mut self, docs: Vec<DocId>) {
        self.out = Out::Refeeding;
        let same_life = self.peer.as_ref().filter(|p| p.in_epoch == Some(self.start.epoch));
        let had = same_life.map_or(self.start.acked, |p| p.in_seq.min(self.start.acked));
        self.effects.push_back(Effect::Refeed { docs, compared_at: self.compared_at, had });
    }

    fn visible(&mut self, visible: Visible, head: u64) {
        let reply = match self.waiting.pop_front() {
            None => return,
            Some(Waiting::Own) => {
                let probe = visible.probe();
                self.compared_at = head;
                self.out = Out::Probed(Box::new(VisibleState(visible.0)));
                probe
            }
            Some(Waiting::Probe(bits, prints)) => match visible.split(bits, &prints) {
                Some(split) => split,
                None => {
                    self.close(CloseCode::Protocol, "probe".into());
                    return;
                }
            },
            Some(Waiting::Items(items)) => Reconcile::Differ { wanted: visible.differ(&items) },
        };
        self.effects.push_back(Effect::Send(Frame::Reconcile(reply)));
    }

    fn advance(&mut self) {
        if self.closed {
            return;
        }
        if self.out == Out::Streaming && !self.building && self.sent < self.head {
            let bytes: usize = self.in_flight.iter().map(|(_, n)| n).sum();
            let room = self.in_flight.len() < BLOCKS_IN_FLIGHT_MAX && bytes < BYTES_IN_FLIGHT_MAX;
            if room || Bug::NoFlightLimit.planted() {
                self.building = true;
                self.effects.push_back(Effect::BuildBlock { after: self.sent });
            }
        }
        let received = self.cursor.is_some_and(|(_, seq)| seq >= self.peer_head) && !self.awaiting_resume;
        let all_sent = self.sent >= self.head && self.in_flight.is_empty();
        let delivered = self.out == Out::Streaming && all_sent && self.acked >= self.head;
        if self.peer.is_some() && received && delivered && self.admitting == 0 && !self.told_in_step {
            self.told_in_step = true;
            self.effects.push_back(Effect::InStep);
        }
    }
}
