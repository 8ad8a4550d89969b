//! One place: its database, what people do there, and its death.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use yishi_node::{
    actions::{ActRequest, Actions, RaiseRequest},
    clock::SetClock,
    projector::Projector,
    store::{Genesis, NewLink, Store},
};
use yishi_protocol::{
    cert::Certificate,
    ids::{ActRef, DocId, Epoch, Incarnation, PlaceId},
    key::SecretKeys,
    kind::Kind,
};

/// 2026-11-16, a Monday, ten in the morning in China.
pub(crate) const MONDAY_MS: u64 = (20_773 * 86_400 + 2 * 3_600) * 1_000;

/// One place's node.
pub(crate) struct Node {
    pub(crate) name: &'static str,
    pub(crate) dir: PathBuf,
    pub(crate) place: PlaceId,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) store: Store,
    pub(crate) actions: Actions,
    projector: Projector,
}

fn around(store: &Store, clock: &Arc<SetClock>) -> (Actions, Projector) {
    let actions = Actions::new(store.clone(), clock.clone()).unwrap();
    let projector = Projector::new(actions.clone());
    (actions, projector)
}

/// Copies a node's files into a new folder.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        // The shared memory of the log is the dead process's; it is made anew.
        if file.file_type().unwrap().is_file() && !file.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

impl Node {
    pub(crate) async fn begin(
        name: &'static str,
        dir: PathBuf,
        chain: Vec<Certificate>,
        keys: SecretKeys,
        links: &[(PlaceId, bool)],
    ) -> Self {
        let own = chain.iter().find(|c| c.key == keys.public()).unwrap();
        let (cert, place) = (own.hash(), own.place);
        let genesis = Genesis {
            keys,
            certs: chain,
            cert,
            epoch: Epoch(place.0),
            incarnation: Incarnation::first(7),
            life: [1; 16],
        };
        let store = Store::create(&dir, genesis).await.unwrap();
        for (peer, up) in links {
            store.open_link(NewLink { peer: *peer, up: *up, address: None }).await.unwrap();
        }
        let clock = Arc::new(SetClock::at_ms(MONDAY_MS));
        let (actions, projector) = around(&store, &clock);
        Self { name, dir, place, clock, store, actions, projector }
    }

    /// What `kill -9` leaves: the files as they are at this moment, opened by a new process. Whoever
    /// holds a clone of the store must have let go of it.
    pub(crate) async fn crash(self) -> Self {
        let left = self.dir.with_extension("left");
        copy(&self.dir, &left);
        let Self { name, dir, place, clock, store, actions, projector } = self;
        drop((actions, projector));
        store.close().await.unwrap();
        drop(store);
        std::fs::remove_dir_all(&dir).unwrap();
        std::fs::rename(&left, &dir).unwrap();
        let store = Store::open(&dir).await.unwrap();
        assert!(store.life_matches(), "a crash is no restore");
        let (actions, projector) = around(&store, &clock);
        Self { name, dir, place, clock, store, actions, projector }
    }

    /// Copies the folder as it is, the log folded in: a backup made while the node stood still.
    pub(crate) async fn backup(self) -> (Self, PathBuf) {
        let kept = self.dir.with_extension(format!("kept-{}", self.store.world().me.incarnation.0));
        let node = self.crash().await;
        copy(&node.dir, &kept);
        (node, kept)
    }

    /// Puts a backup in the place of what is there.
    pub(crate) async fn put_back(self, kept: &Path) -> Self {
        let Self { name, dir, place, clock, store, actions, projector } = self;
        drop((actions, projector));
        store.close().await.unwrap();
        drop(store);
        std::fs::remove_dir_all(&dir).unwrap();
        copy(kept, &dir);
        let store = Store::open(&dir).await.unwrap();
        let (actions, projector) = around(&store, &clock);
        Self { name, dir, place, clock, store, actions, projector }
    }

    pub(crate) async fn project(&mut self) -> usize {
        self.projector.drain_once().await.unwrap()
    }

    pub(crate) async fn raise(&self, body: &str) -> DocId {
        let request = RaiseRequest { body: body.into(), ..RaiseRequest::default() };
        self.actions.raise(Some("u1"), request).await.unwrap().matter.summary.id
    }

    /// Does an act the API describes; what it answered was acknowledged.
    pub(crate) async fn act(&self, doc: &DocId, act: serde_json::Value) -> Option<ActRef> {
        let request: ActRequest = serde_json::from_value(act).unwrap();
        self.actions.act(Some("u1"), &doc.to_string(), request).await.ok().map(|done| done.act)
    }

    pub(crate) async fn matters(&self) -> Vec<DocId> {
        self.store.docs_of_kind(Kind::Proposal, None).await.unwrap()
    }

    /// The acts of a document that are stored here.
    pub(crate) async fn acts(&self, doc: &DocId) -> Vec<ActRef> {
        let commits = self.store.doc_commits(doc).await.unwrap();
        commits.iter().map(|c| ActRef { actor: c.commit.actor, seq: c.commit.seq }).collect()
    }
}
