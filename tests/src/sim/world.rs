//! All places with their lines, in virtual time.

use super::{
    Node, Shape,
    check::{Watch, census::Census},
    line::{Became, Connection, Garble, Line},
    node::MONDAY_MS,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};
use tempfile::TempDir;
use yishi_node::{audit, link::offline};
use yishi_protocol::ids::{ActorId, DocId, PlaceId};

/// How long a line takes when nobody says.
const DELAY_MS: u64 = 20;

/// Everything there is.
#[derive(Debug)]
pub struct World {
    dir: TempDir,
    /// The nodes, in the shape's order.
    pub nodes: Vec<Node>,
    /// The lines, one for each node but the district.
    pub lines: Vec<Line>,
    /// The world's clock.
    pub now: u64,
    /// Nodes that are out for good: their keys are revoked.
    pub gone: BTreeSet<usize>,
    /// Nodes put back from a backup since all lines were last in step.
    pub put_back: BTreeSet<usize>,
    /// Actors of databases put back so that nothing on the machine tells: until a neighbour does, they may
    /// write a number again. Both changes are kept as proof (design, section 2).
    pub copied: BTreeSet<ActorId>,
    /// Backups at hand, by node.
    pub backups: BTreeMap<usize, PathBuf>,
    /// Machines of one village: the one, and the copy of its database.
    pub twins: Vec<(usize, usize)>,
    /// Where places were moved to, whether or not they have heard of it.
    pub meant: BTreeMap<usize, usize>,
    /// Whether any place was moved, merged or re-coded.
    pub placed: bool,
    /// Nodes whose newest rows are held back, and until when.
    pub late: Vec<(usize, u64)>,
    /// Rows that became visible late.
    pub late_rows: u64,
    /// The checkers.
    pub watch: Watch,
    /// How many backups were made.
    made: u32,
}

impl World {
    /// A district, 姚渡镇, 芦稿村 and 杏花村.
    pub async fn begin() -> Self {
        Self::of(&Shape::four(), 0).await
    }

    /// Places of that shape; `seed` for whatever they draw.
    pub async fn of(shape: &Shape, seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["nodes", "backups"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let places = shape.places();
        let mut nodes: Vec<Node> = Vec::with_capacity(places.len());
        let mut lines = Vec::with_capacity(places.len());
        for (at, own) in places.iter().enumerate() {
            // Each knows its own path and its children; of the others it learns on the way.
            let mut path = vec![at];
            while let Some(parent) = path.last().and_then(|p| places[*p].parent) {
                path.push(parent);
            }
            let below: Vec<usize> = (0..places.len()).filter(|c| places[*c].parent == Some(at)).collect();
            let chain = path.iter().rev().chain(&below).map(|p| places[*p].cert.clone()).collect();
            let children: Vec<PlaceId> = below.iter().map(|c| places[*c].cert.place).collect();
            let parent = own.parent.map(|p| places[p].cert.place);
            let seed = seed.wrapping_mul(10_007) + at as u64;
            let folder = dir.path().join("nodes").join(&own.name);
            nodes.push(Node::begin(folder, own, chain, parent, &children, seed).await);
            if let Some(parent) = own.parent {
                lines.push(Line { child: at, parent, cut: false, connections: Vec::new() });
            }
        }
        Self {
            dir,
            nodes,
            lines,
            now: MONDAY_MS,
            gone: BTreeSet::new(),
            put_back: BTreeSet::new(),
            copied: BTreeSet::new(),
            backups: BTreeMap::new(),
            twins: Vec::new(),
            meant: BTreeMap::new(),
            placed: false,
            late: Vec::new(),
            late_rows: 0,
            watch: Watch::default(),
            made: 0,
        }
    }

    /// The node's parent, its parent's, and so on.
    #[must_use]
    pub fn above(&self, at: usize) -> Vec<usize> {
        let up = |at: &usize| self.lines.iter().find(|l| l.child == *at).map(|l| l.parent);
        std::iter::successors(up(&at), up).collect()
    }

    /// The other machine of the same village.
    #[must_use]
    pub fn twin_of(&self, at: usize) -> Option<usize> {
        let (one, copy) = self.twins.iter().find(|(one, copy)| *one == at || *copy == at)?;
        Some(one + copy - at)
    }

    /// Lines follow what the children know of their parents: a moved place dials its new one once it has heard.
    fn follow(&mut self) {
        for line in self.lines.iter_mut().filter(|_| self.placed) {
            let world = self.nodes[line.child].store.world();
            let up = world.parent().map(|link| link.peer);
            let at = self.nodes.iter().position(|n| Some(n.place) == up);
            if let Some(parent) = at.filter(|parent| *parent != line.parent) {
                line.parent = parent;
                line.connections.clear();
            }
        }
    }

    /// What was held back until now, or all of it, is seen by everybody.
    pub async fn commit_late(&mut self, all: bool) {
        let now = self.now;
        for (at, _) in self.late.extract_if(.., |(_, until)| all || *until <= now).collect::<Vec<_>>() {
            let store = self.nodes[at].store.clone();
            for link in &store.world().links {
                match store.commit_late(link.id).await {
                    Ok(rows) => self.late_rows += rows,
                    Err(_) if self.nodes[at].failing => {}
                    Err(e) => self.watch.fail("errors", format!("{}: {e}", self.nodes[at].name)),
                }
            }
        }
    }

    /// Whether only nodes that are gone have a document.
    #[must_use]
    pub fn gone_alone(&self, census: &Census, doc: &DocId) -> bool {
        census.0.iter().enumerate().all(|(at, h)| self.gone.contains(&at) || !h.docs.contains_key(doc))
    }

    /// The line of a child to its parent.
    pub fn line_of(&mut self, child: usize) -> &mut Line {
        self.lines.iter_mut().find(|l| l.child == child).unwrap()
    }

    /// Cuts a child's line or mends it.
    pub fn cut(&mut self, child: usize, cut: bool) {
        let line = self.line_of(child);
        line.cut = cut;
        if cut {
            line.connections.clear();
        }
    }

    /// The child dials, whether or not it is connected: an older connection lingers beside the new one.
    pub async fn dial(&mut self, line: usize) {
        let (child, parent) = (self.lines[line].child, self.lines[line].parent);
        if self.lines[line].cut || self.gone.contains(&child) || self.gone.contains(&parent) {
            return;
        }
        let (below, above) = (&self.nodes[child].store, &self.nodes[parent].store);
        if !offline::admits(above, &below.world().me.keys.public()) {
            // As a node does at a shut door: it says who it is, and keeps what it is told.
            let _ = offline::presented(below, above, self.now).await;
            return;
        }
        let key = above.world().me.keys.public();
        if !below.world().works_under(&self.nodes[parent].place, &key) {
            // Another key answers than the parent's: the child asks who that is.
            let _ = offline::asked(below, above, self.now).await;
        }
        // A newer connection of a place closes the older one: of two machines of one, the one that called last.
        if let Some(other) = self.twin_of(child) {
            self.line_of(other).connections.clear();
        }
        let connection = Connection::open(&self.nodes[child], &self.nodes[parent]).await;
        self.lines[line].connections.extend(connection);
    }

    /// One end of a line does something to its next frame.
    pub fn garble(&mut self, line: usize, side: usize, how: Garble) {
        self.watch.excused = true;
        self.watch.lied |= matches!(how, Garble::Made(_));
        if let Some(newest) = self.lines[line].connections.last_mut() {
            newest.garble(side, how);
        }
    }

    /// Lets time pass, delivers and works. Whether anything moved.
    pub async fn pass(&mut self, ms: u64, delay: &mut dyn FnMut() -> u64) -> bool {
        self.now += ms;
        let mut moved = false;
        for node in &self.nodes {
            node.tick(self.now);
        }
        self.commit_late(false).await;
        for line in &mut self.lines {
            let mut going_on = Vec::new();
            for mut connection in std::mem::take(&mut line.connections) {
                let [child, parent] = self.nodes.get_disjoint_mut([line.child, line.parent]).unwrap();
                match connection.step([child, parent], self.now, delay, &mut self.watch).await {
                    Became::Over => moved = true,
                    became => {
                        moved |= became == Became::Moved;
                        going_on.push(connection);
                    }
                }
            }
            line.connections = going_on;
        }
        self.follow();
        moved
    }

    async fn replace(&mut self, at: usize, how: impl AsyncFnOnce(Node) -> Node) {
        self.hang_up(at);
        let node = self.nodes.remove(at);
        let node = how(node).await;
        node.tick(self.now);
        self.nodes.insert(at, node);
    }

    /// A node's process dies and comes back: its connections end.
    pub async fn crash(&mut self, at: usize) {
        self.replace(at, Node::crash).await;
        self.came_back(at).await;
    }

    /// A node loses power and comes back.
    pub async fn power_cut(&mut self, at: usize, chance: &mut dyn FnMut(u64) -> u64) {
        self.replace(at, async |node: Node| node.power_cut(chance).await).await;
        self.came_back(at).await;
    }

    async fn came_back(&mut self, at: usize) {
        let mut watch = std::mem::take(&mut self.watch);
        watch.came_back(at, &self.nodes[at]).await;
        if !self.nodes[at].store.life_matches() {
            watch.fail("lost", format!("{} takes a death for a restore", self.nodes[at].name));
        }
        self.watch = watch;
    }

    /// A backup of one node.
    pub async fn backup(&mut self, at: usize) -> PathBuf {
        let mut kept = None;
        let to = self.dir.path().join("backups").join(self.made.to_string());
        self.made += 1;
        self.replace(at, async |node: Node| {
            let (node, path) = node.backup(to).await;
            kept = Some(path);
            node
        })
        .await;
        kept.unwrap()
    }

    /// A node's database goes back to a backup, the nonce beside it too.
    pub async fn put_back(&mut self, at: usize, kept: PathBuf) {
        self.put_back_as(at, kept, true).await;
    }

    /// The same; without `life` the node sees at its start that its database is not the one it had.
    pub async fn put_back_as(&mut self, at: usize, kept: PathBuf, life: bool) {
        self.replace(at, async |node: Node| node.put_back(&kept, life).await).await;
        self.put_back.insert(at);
        self.watch.excused = true;
        // Also where the nonce stayed and has not changed since the backup: the machine cannot tell either.
        if self.nodes[at].store.life_matches() {
            self.copied.insert(self.nodes[at].store.world().me.actor);
        }
        let mut watch = std::mem::take(&mut self.watch);
        watch.lost.put_back(at, self).await;
        self.watch = watch;
    }

    pub(super) fn hang_up(&mut self, at: usize) {
        for line in self.lines.iter_mut().filter(|l| l.child == at || l.parent == at) {
            line.connections.clear();
        }
    }

    /// Every line is dialled anew.
    pub fn hang_up_all(&mut self) {
        for line in &mut self.lines {
            line.connections.clear();
        }
    }

    /// Folds everywhere; how many documents there were.
    pub async fn project(&mut self) -> usize {
        let mut n = 0;
        for at in 0..self.nodes.len() {
            n += self.project_at(at).await;
        }
        n
    }

    /// Folds at one node.
    pub async fn project_at(&mut self, at: usize) -> usize {
        let node = &mut self.nodes[at];
        match node.project().await {
            Ok(n) => n,
            Err(_) if node.failing => 0,
            Err(e) => {
                let what = format!("{}: {e}", node.name);
                self.watch.fail("errors", what);
                0
            }
        }
    }

    /// Runs until nothing moves and nothing waits, over the lines that are not cut: nobody starves.
    pub async fn settle(&mut self) {
        self.come_to_rest().await;
        if let Some(failure) = &self.watch.failure {
            panic!("{failure}");
        }
    }

    /// The same, noting a failure instead of panicking.
    pub async fn come_to_rest(&mut self) {
        let mut calm = 0;
        let open = |world: &Self, l: &Line| {
            let ends = [l.child, l.parent];
            // A box whose place another one has taken over, and knows it, has nobody to talk to.
            let works = |at: &usize| !world.gone.contains(at) && world.nodes[*at].store.world().is_active();
            !l.cut && ends.iter().all(works)
        };
        for _ in 0..2_000 {
            let mut busy = self.project().await > 0;
            for line in 0..self.lines.len() {
                if self.lines[line].connections.is_empty() && open(self, &self.lines[line]) {
                    self.dial(line).await;
                    busy = true;
                }
            }
            busy |= self.pass(50, &mut || DELAY_MS).await;
            if self.watch.failure.is_some() {
                return;
            }
            calm = if busy { 0 } else { calm + 1 };
            if calm >= 3 {
                let starving = self
                    .lines
                    .iter()
                    .find(|l| open(self, l) && !l.connections.iter().any(Connection::in_step))
                    .map(|l| self.nodes[l.child].name.clone());
                match starving {
                    Some(child) => {
                        self.watch.fail("served", format!("all is quiet, and {child} is not in step"))
                    }
                    None => self.put_back.clear(),
                }
                return;
            }
        }
        self.watch.fail("served", "it never comes to rest".into());
    }

    /// Stops every node in order and lets the auditor judge what is on disk: signatures, receipts, that
    /// everyone has what is theirs, and that the same changes fold to the same state.
    pub async fn audit(self) -> audit::Report {
        for node in &self.nodes {
            node.store.close().await.unwrap();
        }
        let Self { dir, nodes, lines, .. } = self;
        drop((nodes, lines));
        audit::audit(&dir.path().join("nodes"), |_| ()).await.unwrap()
    }
}
