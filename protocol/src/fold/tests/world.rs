//! Places that write into one document, each knowing only what reached it.

use super::super::{Author, FoldChange, FoldInput, Matter, Verdict, frame, proposal};
use crate::{
    act::{Act, ActKind, Cited, Step, Text, Voice},
    change::{Body, Change},
    header::Header,
    ids::{ActRef, ActorId, ChangeHash, DocId, FederationId, Hash, Incarnation, NodeKey, PlaceId, hash},
    kind::Kind,
    procedure::{Procedures, shipped},
    value::{Map, Value},
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const VILLAGE: usize = 0;
pub(super) const TOWN: usize = 1;
pub(super) const DISTRICT: usize = 2;
/// Another village of the town.
pub(super) const NEIGHBOUR: usize = 3;
/// A second node of the town.
pub(super) const TOWN_B: usize = 4;

pub(super) const V: PlaceId = PlaceId([1; 16]);
pub(super) const T: PlaceId = PlaceId([2; 16]);
pub(super) const D: PlaceId = PlaceId([3; 16]);
pub(super) const N: PlaceId = PlaceId([4; 16]);

#[derive(Clone)]
pub(super) struct Replica {
    pub(super) actor: ActorId,
    seq: u64,
    known: BTreeSet<usize>,
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) header: Header,
    pub(super) authors: BTreeMap<ActorId, Author>,
    pub(super) changes: Vec<FoldChange>,
    pub(super) procedures: Procedures,
    pub(super) nodes: Vec<Replica>,
    /// The first byte of the next change's hash, where a test needs a certain order.
    pub(super) next_hash: Option<u8>,
    pub(super) today: i64,
}

pub(super) fn text(s: &str) -> Text {
    Text(s.into())
}

pub(super) fn register() -> Step {
    Step::Register {
        number: "芦稿-2026-0187".into(),
        check: "402913".into(),
        title: "村口涵洞积水".into(),
        body: text("下雨天过不去"),
        category: Some("水利".into()),
        source: Some("residents".into()),
        channel: Some("home_visit".into()),
        petitioner: Some("named".into()),
        dossier: None,
        external: None,
    }
}

pub(super) fn accept() -> Step {
    accept_under(frame::BUILT_IN)
}

pub(super) fn accept_under(procedure: Hash) -> Step {
    Step::Accept { procedure, calendar: Hash([7; 32]), grade: None, urgency: None }
}

/// The procedure of the village of 芦稿, as it is shipped.
pub(super) fn four_steps() -> Hash {
    shipped::all().iter().find(|s| s.name == "four_steps.toml").unwrap().procedure.pin
}

pub(super) fn answer(s: &str) -> Step {
    Step::Answer { text: text(s), outcome: None, lead: None, lead_act: None }
}

pub(super) fn handle() -> Step {
    Step::Handle { note: text("现场看过") }
}

pub(super) fn escalate(to: PlaceId) -> Step {
    Step::Escalate { to, reason: None }
}

pub(super) fn take_over() -> Step {
    Step::TakeOver { reason: text("超期未办"), sets_aside: None }
}

pub(super) fn close() -> Step {
    Step::Close { note: None }
}

pub(super) fn decide() -> Step {
    Step::Decide { outcome: DocId([8; 32]), act: ActRef { actor: ActorId([8; 16]), seq: 2 } }
}

pub(super) fn correct(target: ActRef, title: Option<&str>, words: Option<&str>) -> Step {
    Step::Correct { target, title: title.map(Into::into), body: None, category: None, text: words.map(text) }
}

pub(super) fn cited(doc: u8) -> Cited {
    Cited { doc: DocId([doc; 32]), home: N, number: format!("杏花-2026-{doc:04}") }
}

pub(super) fn ballot(eligible: i64, present: i64, counts: [i64; 3]) -> Voice {
    let [in_favour, against, abstain] = counts;
    Voice::Ballot {
        question: "修不修".into(),
        body: "council".into(),
        eligible,
        present,
        in_favour,
        against,
        abstain,
        votes: BTreeMap::new(),
        meeting: None,
        counters: None,
    }
}

pub(super) fn proposal_form() -> Voice {
    let line = |s: &str| crate::value::Value::Str(s.into());
    let fields = [("topic".to_owned(), line("修涵洞")), ("reason".to_owned(), Value::Text("积水".into()))];
    Voice::Record { form: "proposal".into(), fields: crate::act::Filled(fields.into_iter().collect()) }
}

pub(super) fn meet(body: &str, day: i64, eligible: i64, present: i64) -> Voice {
    Voice::Meet {
        call: None,
        body: body.into(),
        day,
        eligible,
        present,
        remote: 0,
        roll: BTreeMap::new(),
        tags: BTreeMap::new(),
        minutes: text("同意上议事会"),
    }
}

pub(super) fn urge(since: Option<ActRef>) -> Voice {
    Voice::Urge { degree: "urged".into(), ground: "overdue".into(), since, due: None, note: None }
}

/// A photo; of a kind there is not now and then.
pub(super) fn attach(choice: u8) -> Voice {
    Voice::Attach {
        file: Hash([choice; 32]),
        size: 1 + i64::from(choice),
        format: if choice.is_multiple_of(7) { "gif".into() } else { "jpeg".into() },
        about: choice.is_multiple_of(2).then(|| "sign_in".into()),
        caption: None,
    }
}

pub(super) fn tell(answer: ActRef) -> Voice {
    Voice::Tell { answer, how: "phone".into(), note: None }
}

pub(super) fn rate(source: &str) -> Voice {
    Voice::Rate { score: 4, source: source.into(), note: None }
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self {
            header: Header {
                federation: FederationId([1; 32]),
                kind: Kind::Proposal,
                home: V,
                creator: NodeKey([1; 32]),
                incarnation: Incarnation(1),
                nonce: [0; 12],
                reach: Vec::new(),
            },
            authors: BTreeMap::new(),
            changes: Vec::new(),
            procedures: Procedures::shipped_and([]),
            nodes: Vec::new(),
            next_hash: None,
            today: 20_400,
        };
        let places = [(V, vec![T, D]), (T, vec![D]), (D, vec![]), (N, vec![T, D]), (T, vec![D])];
        for (n, (place, ancestors)) in (10u8..).zip(places) {
            let actor = ActorId([n; 16]);
            world
                .authors
                .insert(actor, Author { place, ancestors, moved: crate::fold::Moved::default(), cut: None });
            world.nodes.push(Replica { actor, seq: 0, known: BTreeSet::new() });
        }
        world.write(VILLAGE, Body::Genesis { kind: Kind::Proposal });
        world.share();
        world
    }

    /// A world where the village has registered and everybody knows.
    pub(super) fn registered() -> Self {
        let mut world = Self::new();
        world.step(VILLAGE, register());
        world.share();
        world
    }

    fn heads(&self, node: usize) -> Vec<ChangeHash> {
        let known = &self.nodes[node].known;
        let below: BTreeSet<ChangeHash> =
            known.iter().flat_map(|i| self.changes[*i].change.deps.iter().copied()).collect();
        let mut heads: Vec<ChangeHash> =
            known.iter().map(|i| self.changes[*i].hash).filter(|h| !below.contains(h)).collect();
        heads.sort_unstable();
        heads
    }

    pub(super) fn write(&mut self, node: usize, body: Body) -> ActRef {
        let deps = self.heads(node);
        let replica = &mut self.nodes[node];
        replica.seq += 1;
        let act = ActRef { actor: replica.actor, seq: replica.seq };
        let index = self.changes.len();
        let mut digest = hash("test change", &[act.to_string().as_bytes(), &index.to_be_bytes()]);
        if let Some(first) = self.next_hash.take() {
            digest[0] = first;
        }
        self.changes.push(FoldChange {
            hash: ChangeHash(digest),
            change: Change { actor: act.actor, seq: act.seq, start_op: 1, deps, body },
        });
        replica.known.insert(index);
        act
    }

    pub(super) fn put(&mut self, node: usize, container: usize, value: Map) -> ActRef {
        self.write(node, Body::Act { creator: self.nodes[VILLAGE].actor, container, value })
    }

    /// A step of a kind that this program does not know.
    pub(super) fn newer(&mut self, node: usize, prev: Option<ActRef>) -> ActRef {
        let mut map = Map::new();
        map.insert("kind".into(), Value::Str("levitate".into()));
        map.insert("on".into(), Value::Int(self.today));
        if let Some(prev) = prev {
            map.insert("prev".into(), Value::Str(prev.to_string().into()));
        }
        self.put(node, 0, map)
    }

    /// A step written without asking what anybody knows; `order` decides its hash.
    pub(super) fn raw_step(
        &self,
        actor: ActorId,
        prev: ActRef,
        deps: &[ChangeHash],
        [side, number]: [u64; 2],
        step: Step,
    ) -> FoldChange {
        let mut digest = hash("test change", &[&number.to_be_bytes()]);
        digest[0] = u8::try_from(side).unwrap();
        let mut deps = deps.to_vec();
        deps.sort_unstable();
        let body = Body::Act { creator: actor, container: 0, value: self.act(Some(prev), step) };
        let change = Change { actor, seq: prev.seq + 1, start_op: 1, deps, body };
        FoldChange { hash: ChangeHash(digest), change }
    }

    /// What the next step of a node follows.
    pub(super) fn tip(&self, node: usize) -> Option<ActRef> {
        self.view(node).tip.map(|t| t.act)
    }

    fn act<K: ActKind>(&self, prev: Option<ActRef>, what: K) -> Map {
        Act { prev, on: self.today, by: Some("u1".into()), what }.to_map()
    }

    /// A step on top of what the node knows.
    pub(super) fn step(&mut self, node: usize, step: Step) -> ActRef {
        let prev = self.view(node).tip.map(|t| t.act);
        self.step_on(node, prev, step)
    }

    pub(super) fn step_on(&mut self, node: usize, prev: Option<ActRef>, step: Step) -> ActRef {
        let map = self.act(prev, step);
        self.put(node, 0, map)
    }

    pub(super) fn voice(&mut self, node: usize, voice: Voice) -> ActRef {
        let map = self.act(None, voice);
        self.put(node, 1, map)
    }

    /// An act of another kind of document.
    pub(super) fn add<K: ActKind>(&mut self, node: usize, container: usize, what: K) -> ActRef {
        let map = self.act(None, what);
        self.put(node, container, map)
    }

    /// The last change was never written.
    pub(super) fn forget_last(&mut self, node: usize) {
        self.changes.pop();
        self.nodes[node].seq -= 1;
        self.nodes[node].known.remove(&self.changes.len());
    }

    /// What `from` knows reaches `to`.
    pub(super) fn send(&mut self, from: usize, to: usize) {
        let known = self.nodes[from].known.clone();
        self.nodes[to].known.extend(known);
    }

    /// Everything reaches everybody.
    pub(super) fn share(&mut self) {
        for node in &mut self.nodes {
            node.known.extend(0..self.changes.len());
        }
    }

    /// The machine of `from` is copied: the copy goes on with the same actor and number.
    pub(super) fn copy_machine(&mut self, from: usize) -> usize {
        let node = &self.nodes[from];
        let copy = Replica { actor: node.actor, seq: node.seq, known: node.known.clone() };
        self.nodes.push(copy);
        self.nodes.len() - 1
    }

    pub(super) fn fold_of(&self, changes: &[FoldChange]) -> Matter {
        proposal::fold(&FoldInput {
            header: &self.header,
            changes,
            authors: &self.authors,
            procedures: &self.procedures,
        })
    }

    /// What one node shows.
    pub(super) fn view(&self, node: usize) -> Matter {
        let known: Vec<FoldChange> =
            self.nodes[node].known.iter().map(|i| self.changes[*i].clone()).collect();
        self.fold_of(&known)
    }

    /// What everybody shows once everything has arrived.
    pub(super) fn fold(&self) -> Matter {
        let matter = self.fold_of(&self.changes);
        let mut reversed = self.changes.clone();
        reversed.reverse();
        assert_eq!(self.fold_of(&reversed), matter, "the order of arrival does not matter");
        assert_eq!(self.fold_of(&reversed).digest(), matter.digest());
        matter
    }

    pub(super) fn hash_of(&self, act: ActRef) -> ChangeHash {
        let found = self.changes.iter().find(|c| c.change.actor == act.actor && c.change.seq == act.seq);
        found.unwrap().hash
    }
}

pub(super) fn verdict(matter: &Matter, act: ActRef) -> Verdict {
    matter.timeline.iter().find(|e| e.act == act).unwrap().verdict
}
