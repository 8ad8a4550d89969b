//! Lines between two nodes: ordered as a QUIC stream is, slow, breakable, sometimes dialled twice, and
//! with a peer at the other end that may send anything.

use super::{Node, check::Watch};
use std::collections::VecDeque;
use yishi_node::link::{
    LinkError,
    offline::{End, frame_in},
};
use yishi_protocol::{
    codec::Writer,
    limits::{BLOCKS_IN_FLIGHT_MAX, FRAME_BYTES_MAX},
    wire::{Ack, Frame, Reconcile},
};

/// What a hostile end does to its next frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Garble {
    /// One bit is turned round.
    Flip(u64),
    /// It is cut off.
    Cut(u64),
    /// It is sent twice.
    Twice,
    /// It is left out, and the next one sent.
    Swallow,
    /// An older one is sent again after it.
    Again(u64),
    /// It is sent after the next one.
    Turned,
    /// One that nothing stands behind is sent after it.
    Made(u64),
}

/// One connection: an end on each side, and what is under way to it with the moment it arrives.
#[derive(Debug)]
pub struct Connection {
    ends: [End; 2],
    under_way: [VecDeque<(u64, Vec<u8>)>; 2],
    garble: [Option<Garble>; 2],
    /// Blocks a side sent that the other has not acknowledged.
    unanswered: [usize; 2],
    /// What a side said last, to be said again.
    said: [VecDeque<Vec<u8>>; 2],
    /// Kept back until the next frame of that side is sent.
    turned: [Option<Vec<u8>>; 2],
    /// Until when a side hangs.
    hangs_until: [u64; 2],
}

/// Frames of a side that a hostile end remembers.
const SAID_MAX: usize = 8;

/// What became of a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Became {
    /// Nothing happened on it.
    Still,
    /// Something did.
    Moved,
    /// It is over.
    Over,
}

impl Connection {
    /// Both ends begin; `None` if one of them does not know the other or cannot read its disk.
    pub async fn open(child: &Node, parent: &Node) -> Option<Self> {
        let link = |of: &Node, to: &Node| of.store.world().link_to(&to.place).map(|l| l.id);
        let ends = [
            End::open(&child.store, link(child, parent)?).await.ok()?,
            End::open(&parent.store, link(parent, child)?).await.ok()?,
        ];
        Some(Self {
            ends,
            under_way: Default::default(),
            garble: [None; 2],
            unanswered: [0; 2],
            said: Default::default(),
            turned: [None, None],
            hangs_until: [0; 2],
        })
    }

    /// The end of that side hangs until then.
    pub fn hang(&mut self, side: usize, until: u64) {
        self.hangs_until[side] = until;
    }

    /// The end of that side does something to the next frame it sends.
    pub fn garble(&mut self, side: usize, how: Garble) {
        self.garble[side] = Some(how);
    }

    /// Delivers what is due and lets both ends work; `delay` says how long the next frame takes.
    pub async fn step(
        &mut self,
        nodes: [&mut Node; 2],
        now: u64,
        delay: &mut dyn FnMut() -> u64,
        watch: &mut Watch,
    ) -> Became {
        let mut moved = false;
        for side in 0..2 {
            if now < self.hangs_until[side] {
                continue;
            }
            while self.under_way[side].front().is_some_and(|(due, _)| *due <= now) {
                let Some((_, frame)) = self.under_way[side].pop_front() else { break };
                moved = true;
                if let Ok(frame) = frame_in(&frame) {
                    if matches!(frame, Frame::Ack(_)) {
                        self.unanswered[side] = self.unanswered[side].saturating_sub(1);
                    }
                    watch.heard(nodes[1 - side], nodes[side], &frame).await;
                }
                // Not a frame at all: the connection ends there, and nothing else.
                if self.ends[side].hear(&frame).is_err() {
                    return Became::Over;
                }
            }
            let node = &mut *nodes[side];
            let out = match self.ends[side].work(node.now_ms()).await {
                Ok(out) => out,
                // The other side is at fault or lags behind a newer connection, or the link was closed because a
                // place was moved or its key withdrawn: only this one ends.
                Err(LinkError::Protocol(_) | LinkError::Unknown) => return Became::Over,
                Err(_) if node.failing => return Became::Over,
                Err(error) => {
                    watch.fail("errors", format!("{}: {error}", node.name));
                    return Became::Over;
                }
            };
            if self.ends[side].must_renew() {
                node.renew().await;
            }
            if self.ends[side].closed().is_some() {
                return Became::Over;
            }
            for frame in out {
                moved = true;
                self.count(side, &frame, watch, &nodes[side].name);
                let lie = matches!(self.garble[side], Some(Garble::Flip(_)));
                let said = frame.clone();
                self.send(side, frame, now, delay);
                // Altered and a frame all the same: the sender speaks another thing than it has.
                let sent = self.under_way[1 - side].back().map(|(_, f)| f);
                watch.lied |= lie && sent.is_some_and(|f| *f != said && frame_in(f).is_ok());
            }
        }
        if moved || self.under_way.iter().any(|q| !q.is_empty()) { Became::Moved } else { Became::Still }
    }

    fn send(&mut self, from: usize, mut frame: Vec<u8>, now: u64, delay: &mut dyn FnMut() -> u64) {
        let towards = &mut self.under_way[1 - from];
        // A stream keeps its order.
        let earliest = towards.back().map_or(now, |(due, _)| *due);
        let due = (now + delay()).max(earliest);
        let said = &mut self.said[from];
        if said.len() == SAID_MAX {
            said.pop_front();
        }
        said.push_back(frame.clone());
        if let Some(kept) = self.turned[from].take() {
            towards.push_back((due, frame));
            towards.push_back((due, kept));
            return;
        }
        match self.garble[from].take() {
            None => {}
            Some(Garble::Again(at)) => {
                let older = said.get(at as usize % said.len()).cloned();
                towards.push_back((due, frame));
                towards.extend(older.map(|older| (due, older)));
                return;
            }
            Some(Garble::Turned) => {
                self.turned[from] = Some(frame);
                return;
            }
            Some(Garble::Made(dice)) => {
                towards.push_back((due, frame));
                towards.push_back((due, made(dice)));
                return;
            }
            Some(Garble::Flip(at)) => {
                let at = at as usize % (frame.len() * 8);
                frame[at / 8] ^= 1 << (at % 8);
            }
            Some(Garble::Cut(at)) => frame.truncate(at as usize % frame.len()),
            Some(Garble::Twice) => towards.push_back((due, frame.clone())),
            Some(Garble::Swallow) => return,
        }
        towards.push_back((due, frame));
    }

    /// Bounded queues: what a side sent and the other has not answered stays within the protocol's limits.
    fn count(&mut self, from: usize, frame: &[u8], watch: &mut Watch, name: &str) {
        if matches!(frame_in(frame), Ok(Frame::Block(_))) {
            self.unanswered[from] += 1;
        }
        let blocks = self.unanswered[from];
        let bytes: usize = self.under_way[1 - from].iter().map(|(_, f)| f.len()).sum();
        if blocks > BLOCKS_IN_FLIGHT_MAX || bytes > 2 * FRAME_BYTES_MAX {
            watch
                .fail("bounds", format!("{name} has {blocks} blocks and {bytes} bytes under way unanswered"));
        }
    }

    /// Whether both ends had everything at least once.
    #[must_use]
    pub fn in_step(&self) -> bool {
        self.ends.iter().all(End::was_in_step)
    }
}

/// A frame that nothing stands behind: rightly written, and untrue.
fn made(dice: u64) -> Vec<u8> {
    let frame = match dice % 6 {
        0 => Frame::Ack(Ack { to: dice % 50, excluded: vec![], receipt: None }),
        1 => Frame::Ack(Ack { to: dice % 7, excluded: vec![(0, "forged".into())], receipt: None }),
        2 => Frame::Reconcile(Reconcile::Resume { seq: dice % 50, digest: [dice as u8; 16] }),
        3 => Frame::Reconcile(Reconcile::Differ { wanted: vec![dice as u32 % 9] }),
        4 => Frame::Reconcile(Reconcile::Probe { bits: 0, prints: vec![dice.to_le_bytes()] }),
        _ => Frame::Block(dice.to_le_bytes().repeat(9)),
    };
    let plain = frame.encode();
    let mut packed = Writer::new();
    packed.uint(1 + plain.len() as u64).raw(&[0]).raw(&plain);
    packed.finish()
}

/// The line of a child to its parent.
#[derive(Debug)]
pub struct Line {
    /// The child's index.
    pub child: usize,
    /// The parent's.
    pub parent: usize,
    /// Cut: nothing gets through and nobody can dial.
    pub cut: bool,
    /// The newest last; older ones linger until somebody notices.
    pub connections: Vec<Connection>,
}
