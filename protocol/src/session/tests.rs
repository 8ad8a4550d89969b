//! Two sessions in a room without a network: feeds are vectors of labels, a block is a range of them.

use super::*;
use crate::ids::{ChangeHash, hash};
use crate::reconcile::print;
use std::collections::{BTreeMap, BTreeSet};

/// One end: a feed, what it received, and what it would keep over a broken connection.
#[derive(Clone)]
struct End {
    epoch: Epoch,
    feed: Vec<DocId>,
    acked: u64,
    held: BTreeSet<DocId>,
    cursor: Option<(Epoch, u64, [u8; 16])>,
    given: BTreeMap<(Epoch, u64), Ack>,
    renewed: bool,
}

fn doc(n: u32) -> DocId {
    DocId(hash("doc", &[&n.to_be_bytes()]))
}

impl End {
    fn new(name: u8) -> Self {
        Self {
            epoch: Epoch([name; 16]),
            feed: Vec::new(),
            acked: 0,
            held: BTreeSet::new(),
            cursor: None,
            given: BTreeMap::new(),
            renewed: false,
        }
    }

    fn write(&mut self, docs: impl IntoIterator<Item = u32>) {
        for d in docs {
            self.held.insert(doc(d));
            self.feed.push(doc(d));
        }
    }

    fn digest(&self, at: u64) -> Option<[u8; 16]> {
        let rows = self.feed.get(..usize::try_from(at).ok()?)?;
        let chained = rows.iter().fold([0u8; 32], |acc, d| hash("row", &[&acc, &d.0]));
        chained.first_chunk().copied()
    }

    fn session(&self) -> Session {
        Session::new(Start {
            cert: CertHash([0; 32]),
            epoch: self.epoch,
            head: self.feed.len() as u64,
            acked: self.acked,
            cursor: self.cursor,
        })
    }

    fn visible(&self) -> Visible {
        Visible(self.held.iter().map(|d| (*d, print(d, [&ChangeHash([1; 32])]))).collect())
    }

    /// Does what a driver does; returns what goes to the other side.
    fn run(&mut self, session: &mut Session, in_step: &mut bool) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(effect) = session.poll() {
            match effect {
                Effect::Send(frame) => frames.push(Frame::decode(&frame.encode()).unwrap()),
                Effect::NeedDigest(at) => session.handle(Event::Digest(self.digest(at))),
                Effect::BuildBlock { after } => {
                    let to = (after + 3).min(self.feed.len() as u64);
                    let mut bytes = to.to_be_bytes().to_vec();
                    bytes.extend(self.digest(to).unwrap());
                    for d in &self.feed[after as usize..to as usize] {
                        bytes.extend(d.0);
                    }
                    session.handle(Event::BlockBuilt { to, bytes });
                }
                Effect::Admit { bytes, epoch } => {
                    let to = u64::from_be_bytes(bytes[..8].try_into().unwrap());
                    for d in bytes[24..].chunks(32) {
                        self.held.insert(DocId::from_slice(d).unwrap());
                    }
                    self.cursor = Some((epoch, to, bytes[8..24].try_into().unwrap()));
                    let ack = Ack { to, excluded: vec![], receipt: None };
                    self.given.insert((epoch, to), ack.clone());
                    session.handle(Event::Admitted { ack, reconcile: false });
                }
                Effect::LoadAcks { epoch, after } => {
                    let acks = self.given.iter().filter(|((e, to), _)| *e == epoch && *to > after);
                    session.handle(Event::AcksLoaded(acks.map(|(_, a)| a.clone()).collect()));
                }
                Effect::Acked(ack) => self.acked = ack.to,
                Effect::NeedVisible => {
                    session.handle(Event::Visible(self.visible(), self.feed.len() as u64));
                }
                Effect::Refeed { docs, compared_at: resume, .. } => {
                    self.feed.extend(docs);
                    session.handle(Event::Refed {
                        resume,
                        digest: self.digest(resume).unwrap(),
                        head: self.feed.len() as u64,
                    });
                }
                Effect::Adopt { epoch, seq, digest } => {
                    self.cursor = Some((epoch, seq, digest));
                    session.handle(Event::Adopted);
                }
                Effect::RenewLife => self.renewed = true,
                Effect::InStep => *in_step = true,
                Effect::Close(..) => {}
            }
        }
        frames
    }
}

/// Connects two ends and runs them until nothing moves. `cut` drops the connection after that many
/// frames. Returns whether both said "in step", and the frames and bytes that travelled.
fn connect(a: &mut End, b: &mut End, cut: usize) -> (bool, usize, usize) {
    let (mut sa, mut sb) = (a.session(), b.session());
    let (mut step_a, mut step_b) = (false, false);
    let (mut count, mut bytes) = (0, 0);
    loop {
        let (to_b, to_a) = (a.run(&mut sa, &mut step_a), b.run(&mut sb, &mut step_b));
        if to_a.is_empty() && to_b.is_empty() {
            return (step_a && step_b, count, bytes);
        }
        for (frame, session) in
            to_b.into_iter().map(|f| (f, true)).chain(to_a.into_iter().map(|f| (f, false)))
        {
            count += 1;
            bytes += frame.encode().len();
            if count > cut {
                return (false, count, bytes);
            }
            if session { sb.handle(Event::Frame(frame)) } else { sa.handle(Event::Frame(frame)) }
        }
    }
}

#[test]
fn what_each_lacks_arrives_and_a_second_meeting_costs_two_short_words() {
    let (mut village, mut town) = (End::new(1), End::new(2));
    village.write(0..40);
    town.write(100..110);
    assert!(connect(&mut village, &mut town, usize::MAX).0);
    assert_eq!(village.held, town.held);
    assert_eq!((village.acked, town.acked), (40, 10));
    let (in_step, frames, bytes) = connect(&mut village, &mut town, usize::MAX);
    assert!(in_step);
    assert_eq!(frames, 2);
    assert!(bytes < 300, "{bytes} bytes");
}

#[test]
fn wherever_the_line_breaks_nothing_is_lost_and_every_acknowledgement_arrives() {
    for cut in 0..40 {
        let (mut village, mut town) = (End::new(1), End::new(2));
        village.write(0..20);
        town.write(100..120);
        connect(&mut village, &mut town, cut);
        village.write(20..25);
        assert!(connect(&mut village, &mut town, usize::MAX).0, "cut after {cut}");
        assert_eq!(village.held, town.held, "cut after {cut}");
        assert_eq!((village.acked, town.acked), (25, 20), "cut after {cut}");
    }
}

#[test]
fn a_restored_database_finds_out_and_after_renewal_only_what_differs_travels() {
    let (mut village, mut town) = (End::new(1), End::new(2));
    village.write(0..300);
    assert!(connect(&mut village, &mut town, usize::MAX).0);
    let backup = village.clone();
    village.write(300..310);
    assert!(connect(&mut village, &mut town, usize::MAX).0);
    let mut restored = backup;
    connect(&mut restored, &mut town, usize::MAX);
    assert!(restored.renewed, "the town knew more of the village's feed than the village itself");
    restored.epoch = Epoch([9; 16]);
    restored.write(400..403);
    let (in_step, _, bytes) = connect(&mut restored, &mut town, usize::MAX);
    assert!(in_step);
    assert_eq!(restored.held, town.held, "what the town had of the village comes back");
    assert!(bytes < 12_000, "{bytes} bytes for three new documents of 303 and ten that were lost");
}

#[test]
fn a_feed_whose_past_differs_is_reconciled() {
    let (mut village, mut town) = (End::new(1), End::new(2));
    village.write(0..30);
    assert!(connect(&mut village, &mut town, usize::MAX).0);
    village.feed.swap(3, 4);
    village.write([77]);
    connect(&mut village, &mut town, usize::MAX);
    assert!(village.renewed, "the same life cannot have two pasts");
    village.epoch = Epoch([9; 16]);
    assert!(connect(&mut village, &mut town, usize::MAX).0);
    assert!(town.held.contains(&doc(77)));
}

#[test]
fn nothing_but_hello_comes_first_and_nobody_acknowledges_what_was_not_sent() {
    let mut session = End::new(1).session();
    session.poll();
    session.handle(Event::Frame(Frame::Block(vec![])));
    assert!(matches!(session.poll(), Some(Effect::Send(Frame::Close(CloseCode::Protocol, _)))));

    let (village, town) = (End::new(1), End::new(2));
    let mut session = village.session();
    session.poll();
    let Some(Effect::Send(hello)) = town.session().poll() else { unreachable!() };
    session.handle(Event::Frame(hello));
    session.handle(Event::Frame(Frame::Ack(Ack { to: 5, excluded: vec![], receipt: None })));
    let closed =
        std::iter::from_fn(|| session.poll()).any(|e| matches!(e, Effect::Close(CloseCode::Protocol, _)));
    assert!(closed);
}

#[test]
fn nobody_asks_for_the_whole_set_again_and_again() {
    let (village, town) = (End::new(1), End::new(2));
    let mut session = village.session();
    session.poll();
    let Some(Effect::Send(hello)) = town.session().poll() else { unreachable!() };
    session.handle(Event::Frame(hello));
    let mut answered = 0;
    for _ in 0..100 {
        let probe = Frame::Reconcile(Reconcile::Probe { bits: 0, prints: vec![[1; 8]] });
        session.handle(Event::Frame(probe));
        answered +=
            std::iter::from_fn(|| session.poll()).filter(|e| matches!(e, Effect::NeedVisible)).count();
    }
    assert_eq!(answered, 4, "each costs reading every document's heads");
}
