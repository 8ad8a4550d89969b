//! Lines between two nodes: ordered as a QUIC stream is, slow, breakable, and sometimes dialled twice.

use crate::node::Node;
use std::collections::VecDeque;
use yishi_node::{
    life,
    link::{LinkError, offline::End},
};

/// One connection: an end on each side, and what is under way to it with the moment it arrives.
pub(crate) struct Connection {
    ends: [End; 2],
    under_way: [VecDeque<(u64, Vec<u8>)>; 2],
}

/// What became of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Became {
    /// Nothing happened on it.
    Still,
    /// Something did.
    Moved,
    /// It is over.
    Over,
}

impl Connection {
    pub(crate) async fn open(child: &Node, parent: &Node) -> Self {
        let link = |of: &Node, to: &Node| of.store.world().link_to(&to.place).unwrap().id;
        let ends = [
            End::open(&child.store, link(child, parent)).await.unwrap(),
            End::open(&parent.store, link(parent, child)).await.unwrap(),
        ];
        Self { ends, under_way: Default::default() }
    }

    /// Delivers what is due and lets both ends work; `delay` says how long the next frame takes.
    pub(crate) async fn step(
        &mut self,
        nodes: [&Node; 2],
        now: u64,
        delay: &mut impl FnMut() -> u64,
    ) -> Became {
        let mut moved = false;
        for (side, node) in nodes.into_iter().enumerate() {
            while self.under_way[side].front().is_some_and(|(due, _)| *due <= now) {
                let Some((_, frame)) = self.under_way[side].pop_front() else { break };
                moved = true;
                self.ends[side].hear(&frame).unwrap();
            }
            let out = match self.ends[side].work(now).await {
                Ok(out) => out,
                // The other side is at fault or lags behind a newer connection: only this one ends.
                Err(LinkError::Protocol(_)) => return Became::Over,
                Err(error) => panic!("{}: {error}", node.name),
            };
            if self.ends[side].must_renew() {
                life::renew(&node.store).await.unwrap();
            }
            if self.ends[side].closed().is_some() {
                return Became::Over;
            }
            let towards = &mut self.under_way[1 - side];
            for frame in out {
                moved = true;
                // A stream keeps its order.
                let earliest = towards.back().map_or(now, |(due, _)| *due);
                towards.push_back(((now + delay()).max(earliest), frame));
            }
        }
        if moved || self.under_way.iter().any(|q| !q.is_empty()) { Became::Moved } else { Became::Still }
    }

    pub(crate) fn in_step(&self) -> bool {
        self.ends.iter().all(End::was_in_step)
    }
}

/// The line of a child to its parent.
pub(crate) struct Line {
    pub(crate) child: usize,
    pub(crate) parent: usize,
    /// Cut: nothing gets through and nobody can dial.
    pub(crate) cut: bool,
    /// The newest last; older ones linger until somebody notices.
    pub(crate) connections: Vec<Connection>,
}
