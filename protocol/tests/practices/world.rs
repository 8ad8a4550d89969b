//! Places that write into one document through the public interface alone, each knowing only what reached it.

use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    act::{Act, ActKind, Step, Text, Voice},
    change::{self, Body, Change},
    fold::{Author, FoldChange, FoldInput, Matter, Moved, Verdict, proposal},
    header::Header,
    ids::{ActRef, ActorId, ChangeHash, FederationId, Incarnation, NodeKey, PlaceId},
    kind::Kind,
    procedure::Procedures,
};

pub(crate) const VILLAGE: usize = 0;
pub(crate) const TOWN: usize = 1;
pub(crate) const DISTRICT: usize = 2;
/// Another village of the town.
pub(crate) const NEIGHBOUR: usize = 3;

const V: PlaceId = PlaceId([1; 16]);
const T: PlaceId = PlaceId([2; 16]);
const D: PlaceId = PlaceId([3; 16]);
const N: PlaceId = PlaceId([4; 16]);
const PLACES: [PlaceId; 4] = [V, T, D, N];

pub(crate) const fn place(node: usize) -> PlaceId {
    PLACES[node]
}

pub(crate) fn text(words: &str) -> Text {
    Text(words.into())
}

#[derive(Clone)]
struct Node {
    actor: ActorId,
    seq: u64,
    known: BTreeSet<usize>,
}

#[derive(Clone)]
pub(crate) struct World {
    header: Header,
    authors: BTreeMap<ActorId, Author>,
    changes: Vec<FoldChange>,
    max_ops: Vec<u64>,
    nodes: Vec<Node>,
    procedures: Procedures,
    home: usize,
    pub(crate) today: i64,
}

impl World {
    pub(crate) fn new(home: usize, procedures: Procedures) -> Self {
        let header = Header {
            federation: FederationId([1; 32]),
            kind: Kind::Proposal,
            home: place(home),
            creator: NodeKey([1; 32]),
            incarnation: Incarnation(1),
            nonce: [0; 12],
            reach: Vec::new(),
        };
        let above = [vec![T, D], vec![D], vec![], vec![T, D]];
        let actors = [10, 11, 12, 13].map(|n| ActorId([n; 16]));
        let author = |(place, ancestors): (&PlaceId, &Vec<PlaceId>)| Author {
            place: *place,
            ancestors: ancestors.clone(),
            moved: Moved::default(),
            cut: None,
        };
        let authors = PLACES.iter().zip(&above).map(author);
        let mut world = Self {
            header,
            authors: actors.into_iter().zip(authors).collect(),
            changes: Vec::new(),
            max_ops: Vec::new(),
            nodes: actors.map(|actor| Node { actor, seq: 0, known: BTreeSet::new() }).into(),
            procedures,
            home,
            today: 20_400,
        };
        world.write(home, Body::Genesis { kind: Kind::Proposal });
        for node in &mut world.nodes {
            node.known.insert(0);
        }
        world
    }

    /// A change in its real bytes, with their real hash.
    fn write(&mut self, node: usize, body: Body) -> ActRef {
        let known = &self.nodes[node].known;
        let below: BTreeSet<ChangeHash> =
            known.iter().flat_map(|i| self.changes[*i].change.deps.iter().copied()).collect();
        let heads: Vec<usize> =
            known.iter().copied().filter(|i| !below.contains(&self.changes[*i].hash)).collect();
        let mut deps: Vec<ChangeHash> = heads.iter().map(|i| self.changes[*i].hash).collect();
        deps.sort_unstable();
        let start_op = 1 + heads.iter().map(|i| self.max_ops[*i]).max().unwrap_or(0);
        let author = &mut self.nodes[node];
        author.seq += 1;
        let change = Change { actor: author.actor, seq: author.seq, start_op, deps, body };
        let hash = change::encode(&change).expect("what a story writes can be written").hash;
        author.known.insert(self.changes.len());
        let act = change.act_ref();
        self.max_ops.push(change.max_op());
        self.changes.push(FoldChange { hash, change });
        act
    }

    fn add<K: ActKind>(&mut self, node: usize, container: usize, prev: Option<ActRef>, what: K) -> ActRef {
        let value = Act { prev, on: self.today, by: Some("u1".into()), what }.to_map();
        let creator = self.nodes[self.home].actor;
        self.write(node, Body::Act { creator, container, value })
    }

    /// A step on top of what the node knows.
    pub(crate) fn step(&mut self, node: usize, step: Step) -> ActRef {
        let prev = self.view(node).tip.map(|t| t.act);
        self.add(node, 0, prev, step)
    }

    pub(crate) fn voice(&mut self, node: usize, voice: Voice) -> ActRef {
        self.add(node, 1, None, voice)
    }

    /// Everything reaches these.
    pub(crate) fn share(&mut self, among: &[usize]) {
        let known: BTreeSet<usize> = among.iter().flat_map(|n| self.nodes[*n].known.clone()).collect();
        for node in among {
            self.nodes[*node].known = known.clone();
        }
    }

    fn fold_of(&self, changes: &[FoldChange]) -> Matter {
        let Self { header, authors, procedures, .. } = self;
        proposal::fold(&FoldInput { header, changes, authors, procedures })
    }

    /// What one node shows.
    pub(crate) fn view(&self, node: usize) -> Matter {
        let known: Vec<FoldChange> =
            self.nodes[node].known.iter().map(|i| self.changes[*i].clone()).collect();
        self.fold_of(&known)
    }

    /// What all show once everything has arrived, in whatever order.
    pub(crate) fn fold(&self) -> Matter {
        let matter = self.fold_of(&self.changes);
        let mut other = self.changes.clone();
        other.reverse();
        other.rotate_left(self.changes.len() / 3);
        let again = self.fold_of(&other);
        assert_eq!((&again, again.digest()), (&matter, matter.digest()), "the order of arrival matters");
        matter
    }

    /// What its author is told about an act.
    pub(crate) fn verdict(&self, node: usize, act: ActRef) -> Verdict {
        self.view(node).timeline.iter().find(|e| e.act == act).expect("every act is on the timeline").verdict
    }
}
