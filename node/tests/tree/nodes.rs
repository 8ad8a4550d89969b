//! A prefecture over two districts, a township and a village: real databases, sessions and gates, and lines
//! without a network. Every frame of the village's line is kept.

use std::{cell::RefCell, collections::BTreeSet, sync::Arc};
use tempfile::TempDir;
use yishi_node::{
    actions::{ActRequest, Actions, RaiseRequest},
    audit,
    clock::{Clock as _, SetClock},
    link::offline::{End, frame_in},
    projector::Projector,
    store::{Genesis, NewLink, Store},
};
use yishi_protocol::{
    cert::{Certificate, Directory},
    ids::{ActRef, DocId, Epoch, Incarnation, PlaceId},
    key::{SecretKeys, Signature},
};

/// 2026-11-16, a Monday, ten in the morning in China.
const MONDAY_MS: u64 = (20_773 * 86_400 + 2 * 3_600) * 1_000;
/// The prefecture, its two districts, the township, its village.
pub(crate) const PREFECTURE: usize = 0;
pub(crate) const OLD: usize = 1;
pub(crate) const NEW: usize = 2;
pub(crate) const TOWN: usize = 3;
pub(crate) const VILLAGE: usize = 4;
const PARENTS: [usize; 5] = [0, 0, 0, 1, 3];
const NAMES: [[&str; 3]; 5] = [
    ["510100000000", "成都市", "prefecture"],
    ["510113000000", "青白江区", "district"],
    ["510114000000", "新都区", "district"],
    ["510113106000", "姚渡镇", "township"],
    ["510113106204", "芦稿村", "village"],
];

pub(crate) struct Node {
    pub(crate) store: Store,
    pub(crate) actions: Actions,
    projector: Projector,
}

pub(crate) struct Nodes {
    all: Vec<Node>,
    pub(crate) places: Vec<PlaceId>,
    clock: Arc<SetClock>,
    pub(crate) cut: BTreeSet<usize>,
    /// What the township said to the village, frame by frame.
    pub(crate) heard: RefCell<Vec<Vec<u8>>>,
    dir: TempDir,
}

impl Nodes {
    pub(crate) async fn begin() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let keys: Vec<SecretKeys> = (1..6).map(|n| SecretKeys::from_bytes(&[n; 64])).collect();
        let [code, name, level] = NAMES[0];
        let root = Certificate::root(&keys[0], PlaceId([1; 16]), code, name, level);
        let mut known = Directory::new(root.clone()).unwrap();
        let mut certs = vec![root];
        for i in 1..5 {
            let above = certs[PARENTS[i]].clone();
            let nonce = [i as u8; 16];
            let [code, name, level] = NAMES[i].map(str::to_owned);
            let cert = Certificate {
                federation: Some(known.federation()),
                place: PlaceId::founded(&above.place, &nonce),
                nonce,
                code,
                name,
                level,
                parent: Some(above.place),
                key: keys[i].public(),
                sealing: keys[i].sealing_public(),
                number: 1,
                issuer: Some(above.hash()),
                signature: Signature([0; 64]),
            }
            .issued_by(&keys[PARENTS[i]]);
            known.add(cert.clone()).unwrap();
            certs.push(cert);
        }
        let places: Vec<PlaceId> = certs.iter().map(|c| c.place).collect();
        let clock = Arc::new(SetClock::at_ms(MONDAY_MS));
        let mut all = Vec::new();
        for (i, keys) in keys.into_iter().enumerate() {
            let cert = certs[i].hash();
            // Each knows its own path; of the others it learns on the way.
            let mut path: Vec<Certificate> = known.chain(&cert).into_iter().rev().cloned().collect();
            path.extend((1..5).filter(|c| PARENTS[*c] == i).map(|c| certs[c].clone()));
            let genesis = Genesis {
                keys,
                certs: path,
                cert,
                epoch: Epoch(places[i].0),
                incarnation: Incarnation::first(7),
                life: [1; 16],
            };
            let store = Store::create(&dir.path().join(i.to_string()), genesis).await.unwrap();
            let up = (i > 0).then(|| (places[PARENTS[i]], true));
            let down = (1..5).filter(|c| PARENTS[*c] == i).map(|c| (places[c], false));
            for (peer, up) in up.into_iter().chain(down) {
                store.open_link(NewLink { peer, up, address: None }).await.unwrap();
            }
            let actions = Actions::new(store.clone(), clock.clone()).unwrap();
            let projector = Projector::new(actions.clone());
            all.push(Node { store, actions, projector });
        }
        Self { all, places, clock, cut: BTreeSet::new(), heard: RefCell::default(), dir }
    }

    pub(crate) fn node(&self, at: usize) -> &Node {
        &self.all[at]
    }

    /// So many days after the Monday it began on.
    pub(crate) fn day(&self, days: u64) {
        self.clock.set_ms(MONDAY_MS + days * 86_400_000);
    }

    /// Every child that is not cut off talks to the parent it has by now, until nothing moves any more.
    pub(crate) async fn settle(&mut self) {
        for _ in 0..12 {
            for node in &mut self.all {
                node.projector.drain_once().await.unwrap();
            }
            for child in 1..5 {
                if !self.cut.contains(&child) {
                    self.talk(child).await;
                }
            }
        }
        for node in &mut self.all {
            node.projector.drain_once().await.unwrap();
        }
    }

    /// One connection of a child to its parent, to its end.
    async fn talk(&self, child: usize) {
        let up = self.node(child).store.world().parent().unwrap().clone();
        let parent = self.places.iter().position(|p| *p == up.peer).unwrap();
        let (here, there) = (&self.node(child).store, &self.node(parent).store);
        let Some(down) = there.world().link_to(&self.places[child]).map(|l| l.id) else { return };
        let mut ends = [End::open(here, up.id).await.unwrap(), End::open(there, down).await.unwrap()];
        for _ in 0..40 {
            let mut moved = false;
            for side in 0..2 {
                // The child's link ends under it when it hears that it was moved.
                let Ok(frames) = ends[side].work(self.clock.now_ms()).await else { return };
                for frame in frames {
                    moved = true;
                    if child == VILLAGE && side == 1 {
                        self.heard.borrow_mut().push(frame_in(&frame).unwrap().encode());
                    }
                    ends[1 - side].hear(&frame).unwrap();
                }
                assert!(!ends[side].must_renew());
            }
            if !moved || ends.iter().any(|e| e.closed().is_some()) {
                // Both have everything: the driver of a real link notes that.
                there.link_in_step(down, self.clock.now_ms()).await.unwrap();
                return;
            }
        }
    }

    pub(crate) async fn act(&self, at: usize, doc: &DocId, act: serde_json::Value) -> ActRef {
        let request: ActRequest = serde_json::from_value(act).unwrap();
        self.node(at).actions.act(Some("u1"), &doc.to_string(), request).await.unwrap().act
    }

    pub(crate) async fn raise(&self, at: usize, body: &str) -> DocId {
        let request = RaiseRequest { body: body.into(), ..RaiseRequest::default() };
        self.node(at).actions.raise(Some("u1"), request).await.unwrap().matter.summary.id
    }

    pub(crate) async fn changes(&self, at: usize, doc: &DocId) -> usize {
        self.node(at).store.doc_commits(doc).await.unwrap().len()
    }
    /// Stops every node and lets the auditor judge what is on disk.
    pub(crate) async fn audit(self) -> audit::Report {
        for node in &self.all {
            node.store.close().await.unwrap();
        }
        let Self { all, dir, .. } = self;
        drop(all);
        audit::audit(dir.path(), |_| ()).await.unwrap()
    }
}
