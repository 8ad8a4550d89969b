//! A district, a town and two villages with their lines, in virtual time.

use crate::{
    line::{Became, Connection, Line},
    node::{MONDAY_MS, Node},
};
use std::path::PathBuf;
use tempfile::TempDir;
use yishi_node::audit;
use yishi_protocol::{
    cert::{Certificate, Directory},
    ids::PlaceId,
    key::{SecretKeys, Signature},
};

pub(crate) const DISTRICT: usize = 0;
pub(crate) const TOWN: usize = 1;
pub(crate) const LUGAO: usize = 2;
pub(crate) const XINGHUA: usize = 3;

/// Everything there is.
pub(crate) struct World {
    dir: TempDir,
    pub(crate) nodes: Vec<Node>,
    pub(crate) lines: Vec<Line>,
    pub(crate) now: u64,
}

fn below(
    directory: &mut Directory,
    by: &SecretKeys,
    keys: &SecretKeys,
    n: u8,
    names: [&str; 3],
) -> Certificate {
    let (issuer, parent) =
        directory.iter().find(|(_, c)| c.key == by.public()).map(|(h, c)| (*h, c.place)).unwrap();
    let [code, name, level] = names.map(str::to_owned);
    let cert = Certificate {
        federation: Some(directory.federation()),
        place: PlaceId::founded(&parent, &[n; 16]),
        nonce: [n; 16],
        code,
        name,
        level,
        parent: Some(parent),
        key: keys.public(),
        sealing: keys.sealing_public(),
        number: 1,
        issuer: Some(issuer),
        signature: Signature([0; 64]),
    }
    .issued_by(by);
    directory.add(cert.clone()).unwrap();
    cert
}

impl World {
    pub(crate) async fn begin() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let [d, t, l, x] = [1, 2, 3, 4].map(|n| SecretKeys::from_bytes(&[n; 64]));
        let root = Certificate::root(&d, PlaceId([1; 16]), "510113000000", "青白江区", "district");
        let mut known = Directory::new(root.clone()).unwrap();
        let town = below(&mut known, &d, &t, 2, ["510113106000", "姚渡镇", "township"]);
        let lugao = below(&mut known, &t, &l, 3, ["510113106204", "芦稿村", "village"]);
        let xinghua = below(&mut known, &t, &x, 4, ["510113106205", "杏花村", "village"]);
        // Each knows its own path and its children; of the others it learns on the way.
        let (pd, pt, pl, px) = (root.place, town.place, lugao.place, xinghua.place);
        let path = |own: &Certificate| vec![root.clone(), town.clone(), own.clone()];
        let at = |name: &str| dir.path().join(name);
        let whole = vec![root.clone(), town.clone(), lugao.clone(), xinghua.clone()];
        let nodes = vec![
            Node::begin("district", at("district"), vec![root.clone(), town.clone()], d, &[(pt, false)])
                .await,
            Node::begin("town", at("town"), whole, t, &[(pd, true), (pl, false), (px, false)]).await,
            Node::begin("lugao", at("lugao"), path(&lugao), l, &[(pt, true)]).await,
            Node::begin("xinghua", at("xinghua"), path(&xinghua), x, &[(pt, true)]).await,
        ];
        let line = |child, parent| Line { child, parent, cut: false, connections: Vec::new() };
        let lines = vec![line(TOWN, DISTRICT), line(LUGAO, TOWN), line(XINGHUA, TOWN)];
        Self { dir, nodes, lines, now: MONDAY_MS }
    }

    /// The line of a child to its parent.
    pub(crate) fn line_of(&mut self, child: usize) -> &mut Line {
        self.lines.iter_mut().find(|l| l.child == child).unwrap()
    }

    pub(crate) fn cut(&mut self, child: usize, cut: bool) {
        let line = self.line_of(child);
        line.cut = cut;
        if cut {
            line.connections.clear();
        }
    }

    /// The child dials, whether or not it is connected: an older connection lingers beside the new one.
    pub(crate) async fn dial(&mut self, line: usize) {
        let (child, parent) = (self.lines[line].child, self.lines[line].parent);
        if !self.lines[line].cut {
            let connection = Connection::open(&self.nodes[child], &self.nodes[parent]).await;
            self.lines[line].connections.push(connection);
        }
    }

    /// Lets time pass, delivers and works. Whether anything moved.
    pub(crate) async fn pass(&mut self, ms: u64, delay: &mut impl FnMut() -> u64) -> bool {
        self.now += ms;
        let mut moved = false;
        for node in &self.nodes {
            node.clock.set_ms(self.now);
        }
        for line in &mut self.lines {
            let nodes = [&self.nodes[line.child], &self.nodes[line.parent]];
            let mut going_on = Vec::new();
            for mut connection in std::mem::take(&mut line.connections) {
                match connection.step(nodes, self.now, delay).await {
                    Became::Over => moved = true,
                    became => {
                        moved |= became == Became::Moved;
                        going_on.push(connection);
                    }
                }
            }
            line.connections = going_on;
        }
        moved
    }

    /// A node dies and comes back: its connections end, and what it had not written is gone.
    pub(crate) async fn crash(&mut self, at: usize) {
        self.hang_up(at);
        let node = self.nodes.remove(at);
        let node = node.crash().await;
        node.clock.set_ms(self.now);
        self.nodes.insert(at, node);
    }

    /// A backup of one node.
    pub(crate) async fn backup(&mut self, at: usize) -> PathBuf {
        self.hang_up(at);
        let (node, kept) = self.nodes.remove(at).backup().await;
        self.nodes.insert(at, node);
        kept
    }

    /// A node's database goes back to a backup.
    pub(crate) async fn put_back(&mut self, at: usize, kept: PathBuf) {
        self.hang_up(at);
        let node = self.nodes.remove(at).put_back(&kept).await;
        std::fs::remove_dir_all(kept).unwrap();
        node.clock.set_ms(self.now);
        self.nodes.insert(at, node);
    }

    fn hang_up(&mut self, at: usize) {
        for line in self.lines.iter_mut().filter(|l| l.child == at || l.parent == at) {
            line.connections.clear();
        }
    }

    /// Folds everywhere; how many documents there were.
    pub(crate) async fn project(&mut self) -> usize {
        let mut n = 0;
        for node in &mut self.nodes {
            n += node.project().await;
        }
        n
    }

    /// Runs until nothing moves and nothing waits, over the lines that are not cut.
    pub(crate) async fn settle(&mut self) {
        let mut calm = 0;
        for _ in 0..2_000 {
            let mut busy = self.project().await > 0;
            for line in 0..self.lines.len() {
                if self.lines[line].connections.is_empty() && !self.lines[line].cut {
                    self.dial(line).await;
                    busy = true;
                }
            }
            busy |= self.pass(50, &mut || 20).await;
            calm = if busy { 0 } else { calm + 1 };
            if calm >= 3 {
                let in_step = |l: &Line| l.cut || l.connections.iter().any(Connection::in_step);
                assert!(self.lines.iter().all(in_step), "quiet, but not in step");
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Stops every node in order and lets the auditor judge what is on disk: signatures, receipts, that
    /// everyone has what is theirs, and that the same changes fold to the same state.
    pub(crate) async fn audit(self) -> audit::Report {
        for node in &self.nodes {
            node.store.close().await.unwrap();
        }
        let Self { dir, nodes, lines, .. } = self;
        drop((nodes, lines));
        audit::audit(dir.path(), |_| ()).await.unwrap()
    }
}
