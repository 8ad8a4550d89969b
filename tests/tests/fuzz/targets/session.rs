//! A session between an honest driver and a neighbour that sends what it likes, when it likes.
//!
//! It never fails; it has a bounded number of blocks under way and one being built; it asks for the whole
//! set a bounded number of times; it feeds nothing again that it does not have; and after it closed,
//! nothing follows.

use super::choice::Choice;
use std::collections::{BTreeSet, VecDeque};
use yishi_protocol::{
    ids::{CertHash, ChangeHash, DocId, Epoch, PlaceId, hash},
    limits::{BLOCKS_IN_FLIGHT_MAX, BYTES_IN_FLIGHT_MAX},
    reconcile::{Visible, print},
    session::{Effect, Event, NO_DIGEST, Session, Start},
    wire::{Ack, CloseCode, Frame, Hello, Join, Joined, Reconcile},
};

/// The set is asked for by a neighbour four times at most, and once for the own comparison.
const VISIBLE_MAX: usize = 5;
/// A block as the driver of this test builds them.
const BLOCK_BYTES: usize = BYTES_IN_FLIGHT_MAX / 5;

/// What the driver knows, and what it was asked to do and has not done yet.
struct Driver {
    epoch: Epoch,
    feed: u64,
    documents: u32,
    due: VecDeque<Effect>,
    building: usize,
    asked: usize,
    closed: bool,
}

/// The first decisions are how the link began; each further one is a frame, a word of the driver, or both.
pub(crate) fn run(data: &[u8]) {
    let mut c = Choice(data);
    let (start, mut driver) = begin(&mut c);
    let mut session = Session::new(start);
    driver.take(&mut session);
    // A driver that keeps its contract answers what it was asked; one that does not must not be harmful either.
    let wild = c.byte() % 8 == 7;
    while !c.is_over() {
        let event = match c.below(4) {
            0 if driver.due.is_empty() => Event::Frame(frame(&mut c)),
            0 | 1 => match driver.answer(&mut c) {
                Some(event) => event,
                None => Event::Frame(frame(&mut c)),
            },
            2 if wild => anything(&mut c),
            2 if c.byte() > 250 => Event::Stop,
            2 => {
                driver.feed += c.below(9) as u64;
                Event::FeedHead(driver.feed)
            }
            _ => Event::Frame(frame(&mut c)),
        };
        let blocks = usize::from(matches!(event, Event::Frame(Frame::Block(_))));
        let before = session.admitting();
        session.handle(event);
        assert!(session.admitting() <= before + blocks);
        if wild {
            while session.poll().is_some() {}
        } else {
            driver.take(&mut session);
            assert!(session.in_flight() <= BLOCKS_IN_FLIGHT_MAX);
        }
    }
}

fn begin(c: &mut Choice<'_>) -> (Start, Driver) {
    let feed = c.number() >> 1;
    let acked = feed.min(c.number());
    let cursor = c.flag().then(|| (epoch(c), c.number(), digest(c)));
    let driver = Driver {
        epoch: Epoch([1; 16]),
        feed,
        documents: c.below(120) as u32,
        due: VecDeque::new(),
        building: 0,
        asked: 0,
        closed: false,
    };
    (Start { cert: CertHash([1; 32]), epoch: driver.epoch, head: feed, acked, cursor }, driver)
}

/// This side's epoch, the neighbour's, or one that was.
fn epoch(c: &mut Choice<'_>) -> Epoch {
    Epoch([1 + c.byte() % 3; 16])
}

fn digest(c: &mut Choice<'_>) -> [u8; 16] {
    match c.below(4) {
        0 => NO_DIGEST,
        n => [n as u8; 16],
    }
}

impl Driver {
    fn documents(&self) -> Visible {
        let docs = (0..self.documents).map(|n| DocId(hash("doc", &[&n.to_be_bytes()])));
        Visible(docs.map(|d| (d, print(&d, [&ChangeHash([1; 32])]))).collect())
    }

    /// Everything the session wants now, each held against what it may want.
    fn take(&mut self, session: &mut Session) {
        let mut effects = 0;
        while let Some(effect) = session.poll() {
            effects += 1;
            assert!(!self.closed, "nothing follows the end: {effect:?}");
            match &effect {
                Effect::Send(Frame::Block(_)) => {}
                Effect::Send(frame) => assert_eq!(Frame::decode(&frame.encode()).as_ref(), Ok(frame)),
                Effect::BuildBlock { after } => {
                    self.building += 1;
                    assert!(
                        self.building == 1 && *after < self.feed,
                        "one block at a time, of rows there are"
                    );
                }
                Effect::NeedVisible => {
                    self.asked += 1;
                    assert!(self.asked <= VISIBLE_MAX, "the whole set was asked for {} times", self.asked);
                }
                Effect::Acked(ack) => {
                    assert!(ack.to <= self.feed, "acknowledged up to {} of {} rows", ack.to, self.feed);
                }
                Effect::Refeed { docs, compared_at, .. } => {
                    let held = self.documents();
                    assert!(docs.iter().all(|d| held.0.contains_key(d)));
                    let distinct: BTreeSet<_> = docs.iter().collect();
                    assert_eq!(distinct.len(), docs.len(), "each document is fed again once");
                    assert!(*compared_at <= self.feed);
                }
                Effect::Close(..) => self.closed = true,
                _ => {}
            }
            self.due.push_back(effect);
        }
        // One event makes a few effects; only acknowledgements that were loaded come by the row.
        assert!(effects <= 8 + 4, "{effects} effects of one event");
        self.due.retain(|e| {
            matches!(
                e,
                Effect::NeedDigest(_)
                    | Effect::BuildBlock { .. }
                    | Effect::Admit { .. }
                    | Effect::LoadAcks { .. }
                    | Effect::NeedVisible
                    | Effect::Refeed { .. }
                    | Effect::Adopt { .. }
            )
        });
    }

    /// Does the oldest thing that is due.
    fn answer(&mut self, c: &mut Choice<'_>) -> Option<Event> {
        Some(match self.due.pop_front()? {
            Effect::NeedDigest(at) => Event::Digest((at <= self.feed).then(|| digest(c))),
            Effect::BuildBlock { after } => {
                self.building -= 1;
                let to = self.feed.min(after + 1 + c.below(4) as u64);
                Event::BlockBuilt { to, bytes: vec![0; BLOCK_BYTES / (1 + c.below(9))] }
            }
            Effect::Admit { .. } => {
                let ack = Ack { to: c.number(), excluded: vec![], receipt: None };
                Event::Admitted { ack, reconcile: c.byte() > 240 }
            }
            Effect::LoadAcks { after, .. } => {
                let some = (1..=c.below(4) as u64).map(|n| after.saturating_add(n));
                Event::AcksLoaded(some.map(|to| Ack { to, excluded: vec![], receipt: None }).collect())
            }
            Effect::NeedVisible => Event::Visible(self.documents(), self.feed),
            Effect::Refeed { docs, compared_at, .. } => {
                self.feed += docs.len() as u64;
                Event::Refed { resume: compared_at, digest: digest(c), head: self.feed }
            }
            Effect::Adopt { .. } => Event::Adopted,
            other => panic!("{other:?} has no answer"),
        })
    }
}

/// A frame of the neighbour, well-formed or from any bytes.
fn frame(c: &mut Choice<'_>) -> Frame {
    let excluded = |c: &mut Choice<'_>| (0..c.below(3)).map(|_| (c.number(), c.text())).collect();
    match c.below(12) {
        0..=2 => Frame::Hello(Hello {
            cert: CertHash([2; 32]),
            epoch: epoch(c),
            head: c.number(),
            acked: c.number(),
            in_epoch: c.flag().then(|| epoch(c)),
            in_seq: c.number(),
            in_digest: digest(c),
        }),
        3 => Frame::Block(c.some().to_vec()),
        4 => Frame::Ack(Ack { to: c.number(), excluded: excluded(c), receipt: None }),
        5 => {
            let bits = c.byte() % 25;
            let n = if c.flag() { 1 << bits.min(8) } else { c.below(40) };
            Frame::Reconcile(Reconcile::Probe { bits, prints: (0..n).map(|_| [c.byte(); 8]).collect() })
        }
        6 => {
            let (bits, n) = (c.byte() % 25, c.below(40));
            let prints = (0..n).map(|_| (c.number() as u32, [c.byte(); 8])).collect();
            Frame::Reconcile(Reconcile::Split { bits, prints })
        }
        7 => {
            let n = c.below(40);
            let items = (0..n).map(|_| ([c.byte(); 8], [c.byte(); 8])).collect();
            Frame::Reconcile(Reconcile::Items { items })
        }
        8 => {
            let n = c.below(40);
            Frame::Reconcile(Reconcile::Differ { wanted: (0..n).map(|_| c.number() as u32).collect() })
        }
        9 => Frame::Reconcile(Reconcile::Resume { seq: c.number(), digest: digest(c) }),
        10 => match c.below(4) {
            0 => Frame::Close(CloseCode::Stopping, c.text()),
            1 => Frame::Join(Join {
                invite: [1; 8],
                place: PlaceId([1; 16]),
                sealing: [1; 32],
                proof: [1; 32],
            }),
            2 => Frame::Introduce(Joined::default()),
            _ => Frame::Joined(Joined::default()),
        },
        _ => Frame::decode(c.some()).unwrap_or(Frame::Block(vec![])),
    }
}

/// A word of a driver that was not asked.
fn anything(c: &mut Choice<'_>) -> Event {
    match c.below(9) {
        0 => Event::FeedHead(c.number()),
        1 => Event::Digest(c.flag().then(|| digest(c))),
        2 => Event::BlockBuilt { to: c.number(), bytes: c.some().to_vec() },
        3 => Event::Admitted {
            ack: Ack { to: c.number(), excluded: vec![], receipt: None },
            reconcile: c.flag(),
        },
        4 => Event::AcksLoaded(vec![Ack { to: c.number(), excluded: vec![], receipt: None }]),
        5 => Event::Visible(Visible::default(), c.number()),
        6 => Event::Refed { resume: c.number(), digest: digest(c), head: c.number() },
        7 => Event::Adopted,
        _ => Event::Stop,
    }
}
