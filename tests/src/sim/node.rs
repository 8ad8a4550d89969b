//! One place: its database on a disk that can fail, what people do there, and its deaths.

use super::{fresh, places::Place};
use rand::{SeedableRng, rngs::StdRng};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::broadcast::{Receiver, error::TryRecvError};
use yishi_disk::Disk;
use yishi_node::{
    actions::{ActRequest, Actions, Petitioner, RaiseRequest},
    clock::SetClock,
    life,
    projector::{Projector, ProjectorError},
    store::{Genesis, NewLink, Store, Written},
};
use yishi_protocol::{
    cert::Certificate,
    ids::{ActRef, DocId, Epoch, Incarnation, PlaceId},
    kind::Kind,
};

/// 2026-11-16, a Monday, ten in the morning in China.
pub const MONDAY_MS: u64 = (20_773 * 86_400 + 2 * 3_600) * 1_000;

/// One place's node.
#[derive(Debug)]
pub struct Node {
    /// What messages call it.
    pub name: String,
    /// Its folder.
    pub dir: PathBuf,
    /// Its place.
    pub place: PlaceId,
    /// Its clock.
    pub clock: Arc<SetClock>,
    /// By how much its clock is wrong.
    pub clock_off_ms: i64,
    /// Its database.
    pub store: Store,
    /// What people do there.
    pub actions: Actions,
    /// Its disk.
    pub disk: Disk,
    /// The power is going or the disk is full: what fails there now is no fault of the program's.
    pub failing: bool,
    projector: Projector,
    /// What was written since lists were last brought up to date, and whether they are.
    news: Receiver<Arc<Written>>,
    projected: bool,
    rng: StdRng,
}

fn around(store: &Store, clock: &Arc<SetClock>, rng: &mut StdRng) -> (Actions, Projector) {
    let actions = Actions::with_rng(store.clone(), clock.clone(), StdRng::from_rng(rng)).unwrap();
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
    /// A new place with its links: up to `parent`, down to `children`.
    pub async fn begin(
        dir: PathBuf,
        own: &Place,
        chain: Vec<Certificate>,
        parent: Option<PlaceId>,
        children: &[PlaceId],
        seed: u64,
    ) -> Self {
        let place = own.cert.place;
        let genesis = Genesis {
            keys: own.keys.clone(),
            certs: chain,
            cert: own.cert.hash(),
            epoch: Epoch(place.0),
            incarnation: Incarnation::first(7),
            life: [1; 16],
        };
        let up = parent.map(|peer| NewLink { peer, up: true, address: None });
        let down = children.iter().map(|peer| NewLink { peer: *peer, up: false, address: None });
        fresh::lay(&dir, genesis, up.into_iter().chain(down).collect()).await;
        let disk = Disk::of(&dir);
        let store = Store::open(&dir).await.unwrap();
        let clock = Arc::new(SetClock::at_ms(MONDAY_MS));
        let mut rng = StdRng::seed_from_u64(seed);
        let (actions, projector) = around(&store, &clock, &mut rng);
        let name = own.name.clone();
        Self {
            name,
            dir,
            place,
            clock,
            clock_off_ms: 0,
            news: store.news(),
            store,
            actions,
            disk,
            failing: false,
            projector,
            projected: false,
            rng,
        }
    }

    /// Sets its clock by the world's.
    pub fn tick(&self, now: u64) {
        self.clock.set_ms(now.saturating_add_signed(self.clock_off_ms));
    }

    /// Its own clock.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        use yishi_node::clock::Clock as _;
        self.clock.now_ms()
    }

    /// Ends the process, changes the folder's files, and starts a new process there.
    async fn anew(self, change: impl FnOnce(&Path)) -> Self {
        let Self { name, dir, place, clock, clock_off_ms, store, actions, disk, projector, mut rng, .. } =
            self;
        drop((actions, projector));
        // A process that is gone writes nothing; what its tidy end may write is thrown away below.
        let _ = store.close().await;
        drop(store);
        disk.replaced();
        change(&dir);
        let store = Store::open(&dir).await.unwrap_or_else(|e| panic!("{name} does not start: {e}"));
        let (actions, projector) = around(&store, &clock, &mut rng);
        let news = store.news();
        Self {
            name,
            dir,
            place,
            clock,
            clock_off_ms,
            store,
            actions,
            disk,
            failing: false,
            projector,
            news,
            projected: false,
            rng,
        }
    }

    /// `kill -9`: the files as they are at this moment, opened by a new process.
    #[must_use]
    pub async fn crash(self) -> Self {
        let left = self.dir.with_extension("left");
        copy(&self.dir, &left);
        self.anew(|dir| {
            std::fs::remove_dir_all(dir).unwrap();
            std::fs::rename(&left, dir).unwrap();
        })
        .await
    }

    /// The power goes: of what was not made durable any part may be there, torn or gone.
    #[must_use]
    pub async fn power_cut(self, chance: &mut dyn FnMut(u64) -> u64) -> Self {
        let left: BTreeMap<PathBuf, Vec<u8>> = self.disk.after_power_cut(chance);
        let kept = self.dir.with_extension("left");
        copy(&self.dir, &kept);
        self.anew(|dir| {
            std::fs::remove_dir_all(dir).unwrap();
            std::fs::rename(&kept, dir).unwrap();
            for file in ["yishi.db", "yishi.db-wal"] {
                let _ = std::fs::remove_file(dir.join(file));
            }
            for (path, bytes) in left {
                std::fs::write(path, bytes).unwrap();
            }
        })
        .await
    }

    /// Copies the folder as it is, the log folded in: a backup made while the node stood still.
    #[must_use]
    pub async fn backup(self, kept: PathBuf) -> (Self, PathBuf) {
        let node = self.crash().await;
        copy(&node.dir, &kept);
        (node, kept)
    }

    /// Puts a backup in the place of what is there. With `life` the nonce beside the database is put back
    /// too, so that only neighbours can tell.
    #[must_use]
    pub async fn put_back(self, kept: &Path, life: bool) -> Self {
        let present = std::fs::read(self.dir.join("life")).unwrap();
        let mut node = self
            .anew(|dir| {
                std::fs::remove_dir_all(dir).unwrap();
                copy(kept, dir);
                if !life {
                    std::fs::write(dir.join("life"), &present).unwrap();
                }
            })
            .await;
        if !node.store.life_matches() {
            node.renew().await;
        }
        node
    }

    /// Another machine of the same place, made from a backup of this one, in a life of its own.
    pub async fn second(&self, dir: PathBuf, kept: &Path, seed: u64) -> Self {
        copy(kept, &dir);
        // The nonce beside the database is no part of a backup: without it nobody takes the two for one.
        std::fs::remove_file(dir.join("life")).unwrap();
        let name = format!("{}, second machine", self.name);
        let mut second = self.beside(name, dir, self.now_ms(), seed).await;
        second.clock_off_ms = self.clock_off_ms;
        second.renew().await;
        second
    }

    /// A second machine with a copy of this one's folder, nonce and all.
    #[must_use]
    pub async fn copied(of: &Self, kept: &Path, now: u64) -> Self {
        let dir = of.dir.with_extension("copy");
        copy(kept, &dir);
        of.beside(format!("{}-copy", of.name), dir, now, now).await
    }

    /// A machine of this place around the database in a folder.
    async fn beside(&self, name: String, dir: PathBuf, now: u64, seed: u64) -> Self {
        let disk = Disk::of(&dir);
        let store = Store::open(&dir).await.unwrap_or_else(|e| panic!("{name} does not start: {e}"));
        let clock = Arc::new(SetClock::at_ms(now));
        let mut rng = StdRng::seed_from_u64(seed);
        let (actions, projector) = around(&store, &clock, &mut rng);
        Self {
            name,
            dir,
            place: self.place,
            clock,
            clock_off_ms: 0,
            news: store.news(),
            store,
            actions,
            disk,
            failing: false,
            projector,
            projected: false,
            rng,
        }
    }

    /// Begins a new life.
    pub async fn renew(&mut self) {
        let chosen = life::choose(&mut self.rng);
        life::renew_as(&self.store, chosen).await.unwrap();
    }

    /// Folds what changed; how many documents there were. As in a running node, nothing is looked for
    /// unless the store's news say that something was written.
    ///
    /// # Errors
    /// [`ProjectorError`] of a disk that fails.
    pub async fn project(&mut self) -> Result<usize, ProjectorError> {
        while !matches!(self.news.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {
            self.projected = false;
        }
        if self.projected {
            return Ok(0);
        }
        let folded = self.projector.drain_once().await?;
        self.projected = true;
        Ok(folded)
    }

    /// Raises a matter; `None` if it was not acknowledged.
    pub async fn try_raise(&self, body: &str, petitioner: Option<&str>) -> Option<DocId> {
        let petitioner =
            petitioner.map(|name| Petitioner { name: Some(name.into()), ..Petitioner::default() });
        let request = RaiseRequest { body: body.into(), petitioner, ..RaiseRequest::default() };
        self.actions.raise(Some("u1"), request).await.ok().map(|raised| raised.matter.summary.id)
    }

    /// Raises a matter.
    pub async fn raise(&self, body: &str) -> DocId {
        self.try_raise(body, None).await.unwrap()
    }

    /// Does an act the API describes; what it answered was acknowledged.
    pub async fn act(&self, doc: &DocId, act: serde_json::Value) -> Option<ActRef> {
        let request: ActRequest = serde_json::from_value(act).unwrap();
        self.actions.act(Some("u1"), &doc.to_string(), request).await.ok().map(|done| done.act)
    }

    /// Every matter here.
    pub async fn matters(&self) -> Vec<DocId> {
        self.store.docs_of_kind(Kind::Proposal, None).await.unwrap()
    }

    /// The acts of a document that are stored here.
    pub async fn acts(&self, doc: &DocId) -> Vec<ActRef> {
        let commits = self.store.doc_commits(doc).await.unwrap();
        commits.iter().map(|c| ActRef { actor: c.commit.actor, seq: c.commit.seq }).collect()
    }
}
