//! Writing changes: one act is one change, with everything known as its past.
//!
//! A [`Draft`] holds one document in memory while an action adds to it. What it authors has all heads as
//! dependencies — and its own previous change, if somebody has built on that already —, the next
//! sequence number and the next operation, so that every gate lets it pass; and steps that the procedure
//! does not allow are refused before anything is written. Whoever holds a draft of a stored document
//! holds its lock ([`Actions::lock`]).

use super::{ActionError, Actions, day_text};
use crate::{
    clock::{EARLIEST_MS, day_of_ms},
    store::{Batch, Store, StoredCommit, World},
};
use std::{collections::BTreeMap, sync::Arc};
use yishi_protocol::{
    act::{Act, ActKind, Step, Voice, container_of},
    audience::{Audience, Reach},
    cert::Directory,
    change::{self, Change},
    commit::{ActorRecord, Commit, Cover, DocIndex, Place},
    fold::{self, Author, FoldChange, FoldInput, Matter, next},
    header::Header,
    ids::{ActRef, ActorId, DocId, PlaceId},
    kind::Kind,
    planted::Bug,
    room::Room,
    value::Map,
};

/// Whose the actors of some documents are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Authors {
    /// Actors whose certificate is not itself revoked: the same in every document.
    pub(crate) plain: BTreeMap<ActorId, Author>,
    /// Actors of revoked certificates, to be cut per document.
    revoked: Vec<ActorRecord>,
}

impl Authors {
    /// Adds actors.
    pub(crate) fn add(&mut self, directory: &Directory, records: &[ActorRecord]) {
        for record in records {
            // Several nodes may know a key by several of its certificates; all go by the newest valid one.
            let record = &ActorRecord { cert: directory.current(&record.cert), ..*record };
            if self.plain.contains_key(&record.actor) || self.revoked.contains(record) {
                continue;
            }
            // Which document is asked does not matter for whether there is a cut at all.
            if directory.cut(&record.cert, &DocId([0; 32])).is_some() {
                self.revoked.push(*record);
            } else if let Some(author) = author(directory, record, None) {
                self.plain.insert(record.actor, author);
            }
        }
    }

    /// Whether an actor is known.
    pub(crate) fn knows(&self, actor: &ActorId) -> bool {
        self.plain.contains_key(actor) || self.revoked.iter().any(|r| r.actor == *actor)
    }

    /// The authors as one document's fold needs them; `None` if the plain ones will do.
    pub(crate) fn for_doc(
        &self,
        directory: &Directory,
        doc: &DocId,
        changes: &[FoldChange],
    ) -> Option<BTreeMap<ActorId, Author>> {
        let cut = |actor: &ActorId| self.revoked.iter().find(|r| r.actor == *actor);
        changes.iter().any(|c| cut(&c.change.actor).is_some()).then(|| {
            changes
                .iter()
                .filter_map(|c| {
                    let actor = c.change.actor;
                    let author = match cut(&actor) {
                        Some(record) => author(directory, record, Some(doc))?,
                        None => self.plain.get(&actor)?.clone(),
                    };
                    Some((actor, author))
                })
                .collect()
        })
    }
}

fn author(directory: &Directory, record: &ActorRecord, doc: Option<&DocId>) -> Option<Author> {
    Author::of(directory, &record.cert, doc)
}

/// One document while an action adds to it.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    world: Arc<World>,
    pub(crate) doc: DocId,
    pub(crate) header: Header,
    pub(crate) audience: Audience,
    /// Stored before this action, in the order of storing.
    pub(crate) stored: Vec<StoredCommit>,
    pub(crate) changes: Vec<FoldChange>,
    authors: BTreeMap<ActorId, Author>,
    index: DocIndex,
    new: Vec<Commit>,
    is_new: bool,
}

impl Draft {
    /// A new document of this place with its first change.
    pub(crate) fn create(
        world: &Arc<World>,
        kind: Kind,
        reach: impl IntoIterator<Item = PlaceId>,
        nonce: [u8; 12],
    ) -> Result<Self, ActionError> {
        let reach = reach.into_iter().chain([world.me.place]).map(Reach::Place).collect();
        Self::create_for(world, kind, reach, nonce)
    }

    /// As [`Draft::create`], also for whole subtrees.
    pub(crate) fn create_for(
        world: &Arc<World>,
        kind: Kind,
        mut reach: Vec<Reach>,
        nonce: [u8; 12],
    ) -> Result<Self, ActionError> {
        let me = &world.me;
        reach.sort_unstable();
        reach.dedup();
        let header = Header {
            federation: world.directory.federation(),
            kind,
            home: me.place,
            creator: me.keys.public(),
            incarnation: me.incarnation,
            nonce,
            reach,
        };
        let mut authors = Authors::default();
        authors.add(&world.directory, &[own_record(world)]);
        let mut draft = Self {
            world: world.clone(),
            doc: header.doc_id(),
            audience: Audience::of_header(&header),
            header,
            stored: Vec::new(),
            changes: Vec::new(),
            authors: authors.plain,
            index: DocIndex::default(),
            new: Vec::new(),
            is_new: true,
        };
        draft.write(Change::genesis(me.actor, kind))?;
        Ok(draft)
    }

    /// The document as stored; `None` if it is not here.
    pub(crate) async fn load(store: &Store, doc: &DocId) -> Result<Option<Self>, ActionError> {
        let world = store.world();
        let Some(whole) = store.document(doc).await? else { return Ok(None) };
        let mut audience = Audience::of_header(&whole.header);
        audience.0.extend(whole.grants.iter().map(|g| g.reach));
        let mut index = DocIndex::default();
        let mut changes = Vec::with_capacity(whole.commits.len() + 3);
        let mut actors: Vec<ActorId> = Vec::new();
        for stored in &whole.commits {
            let c = &stored.commit;
            index.insert(c.hash, Place { actor: c.actor, seq: c.seq, max_op: c.max_op }, &c.deps);
            index.add_bytes(c.bytes.len());
            let decoded = change::decode_stored(&c.bytes, whole.header.kind)
                .map_err(|_| ActionError::SetAside(*doc))?;
            changes.push(FoldChange { hash: c.hash, change: decoded.change });
            actors.push(c.actor);
        }
        actors.sort_unstable();
        actors.dedup();
        let mut authors = Authors::default();
        authors.add(&world.directory, &store.actor_records(&actors).await?);
        authors.add(&world.directory, &[own_record(&world)]);
        let authors = authors.for_doc(&world.directory, doc, &changes).unwrap_or(authors.plain);
        Ok(Some(Self {
            world,
            doc: *doc,
            header: whole.header,
            audience,
            stored: whole.commits,
            changes,
            authors,
            index,
            new: Vec::new(),
            is_new: false,
        }))
    }

    /// The shape of a stored document without its content: enough to add to it, not to fold it.
    pub(crate) async fn load_bare(store: &Store, doc: &DocId) -> Result<Self, ActionError> {
        let world = store.world();
        let state = store.doc_indexes(&[*doc]).await?.remove(doc);
        let state = state.ok_or(ActionError::Broken("a document of ours is not here"))?;
        Ok(Self {
            world,
            doc: *doc,
            header: state.header,
            audience: state.audience,
            stored: Vec::new(),
            changes: Vec::new(),
            authors: BTreeMap::new(),
            index: state.index,
            new: Vec::new(),
            is_new: false,
        })
    }

    /// What the fold looks at.
    pub(crate) fn input(&self) -> FoldInput<'_> {
        FoldInput {
            header: &self.header,
            changes: &self.changes,
            authors: &self.authors,
            procedures: &self.world.charters.procedures,
        }
    }

    /// The matter as it stands, what was added included.
    pub(crate) fn matter(&self) -> Result<Matter, ActionError> {
        guarded(self.doc, || fold::proposal::fold(&self.input()))
    }

    /// The notice as it stands.
    pub(crate) fn notice(&self) -> Result<fold::notice::Notice, ActionError> {
        guarded(self.doc, || fold::notice::fold(&self.input()))
    }

    /// The day on which this node stored an act.
    pub(crate) fn stored_on(&self, act: ActRef) -> Option<i64> {
        let named = |c: &&StoredCommit| c.commit.actor == act.actor && c.commit.seq == act.seq;
        self.stored.iter().filter(named).map(|c| day_of_ms(c.stored_at_ms)).min()
    }

    /// The charter as it stands.
    pub(crate) fn charter(&self) -> Result<fold::charter::Charter, ActionError> {
        guarded(self.doc, || fold::charter::fold(&self.input()))
    }

    /// Where the document's home stands now, if it was moved away from under this place: it sends nothing here any
    /// more, and nothing written here would find its way to it.
    pub(crate) fn moved_away(&self) -> Option<PlaceId> {
        let (directory, me) = (&self.world.directory, &self.world.me.place);
        let receives = self.audience.now(directory, &self.header.home).includes(directory, me);
        let seen = self.audience.includes(directory, me);
        directory.parent(&self.header.home).filter(|_| seen && !receives)
    }

    fn still_received(&self) -> Result<(), ActionError> {
        let Some(parent) = self.moved_away() else { return Ok(()) };
        let called = self.world.directory.called(&parent).map(|[_, name, _]| name.to_owned());
        Err(ActionError::MovedAway(called.unwrap_or_else(|| parent.to_string())))
    }

    /// Adds a step if the procedure allows it now.
    pub(crate) fn step(&mut self, by: Option<&str>, on: i64, what: Step) -> Result<ActRef, ActionError> {
        let mut matter = self.matter()?;
        matter.look_on(on);
        self.step_on(&matter, by, on, what)
    }

    /// As [`Draft::step`], with the matter just folded.
    pub(crate) fn step_on(
        &mut self,
        matter: &Matter,
        by: Option<&str>,
        on: i64,
        what: Step,
    ) -> Result<ActRef, ActionError> {
        self.still_received()?;
        let me = matter.acting(self.world.me.place, &self.world.acts_for());
        let ancestors = self.world.directory.ancestors(&self.world.me.cert);
        next::check_step(matter, me, &ancestors, &what)?;
        let prev = matter.tip.map(|t| t.act);
        self.act("steps", Act { prev, on, by: by.map(str::to_owned), what })
    }

    /// Adds a voice if it makes sense now.
    pub(crate) fn voice(&mut self, by: Option<&str>, on: i64, what: Voice) -> Result<ActRef, ActionError> {
        self.still_received()?;
        let mut matter = self.matter()?;
        matter.look_on(on);
        let home = self.world.acts_for().contains(&matter.home).then_some(matter.home);
        next::check_voice(&matter, home.unwrap_or(self.world.me.place), &what)?;
        self.act("voices", Act { prev: None, on, by: by.map(str::to_owned), what })
    }

    /// Adds an act without asking the procedure.
    pub(crate) fn act<K: ActKind>(&mut self, container: &str, act: Act<K>) -> Result<ActRef, ActionError> {
        self.put(container, act.to_map())
    }

    fn put(&mut self, container: &str, value: Map) -> Result<ActRef, ActionError> {
        let container = container_of(self.header.kind, container)
            .ok_or(ActionError::Broken("no such part of a document"))?;
        let me = self.world.me.actor;
        let last = self.index.last_seq(&me);
        let seq = if Bug::SameSeq.planted() && last > 1 { last } else { last + 1 };
        let mut deps = self.index.heads().clone();
        // Somebody may have built on our last change; it is then no head, and still has to be named.
        let own = self.index.iter().find(|(_, p)| p.actor == me && p.seq + 1 == seq).map(|(h, _)| *h);
        // Of two changes of ours with one number, which a copied machine leaves, a next one follows one.
        deps.retain(|h| self.index.get(h).is_none_or(|p| p.actor != me));
        deps.extend(own);
        let max_op = deps.iter().filter_map(|h| self.index.get(h)).map(|p| p.max_op).max().unwrap_or(0);
        let deps = deps.into_iter().collect();
        self.write(Change::act(me, seq, max_op + 1, deps, self.header.creator_actor(), container, value))
    }

    fn write(&mut self, change: Change) -> Result<ActRef, ActionError> {
        let encoded = change::encode(&change)?;
        let bytes = self.index.bytes() + encoded.bytes.len() as u64;
        let room = Room::of(&self.world.directory, &self.header, &self.world.me.place);
        if !room.holds(self.index.len() + 1, bytes) {
            return Err(ActionError::TooLarge);
        }
        self.index.add_bytes(encoded.bytes.len());
        let me = &self.world.me;
        let signature =
            me.keys.sign_commit(&self.world.directory.federation(), &self.doc, &encoded.hash, &me.cert);
        let commit = Commit {
            doc: self.doc,
            hash: encoded.hash,
            actor: change.actor,
            seq: change.seq,
            max_op: change.max_op(),
            deps: change.deps.clone(),
            bytes: encoded.bytes,
            cover: Some(Cover { cert: me.cert, signature }),
        };
        let place = Place { actor: commit.actor, seq: commit.seq, max_op: commit.max_op };
        self.index.insert(commit.hash, place, &commit.deps);
        let act = change.act_ref();
        self.changes.push(FoldChange { hash: commit.hash, change });
        self.new.push(commit);
        Ok(act)
    }

    /// How many changes it has by now.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// How large it is by now.
    pub(crate) fn bytes(&self) -> u64 {
        self.index.bytes()
    }

    /// Puts everything added into a batch.
    pub(crate) fn into_batch(self, batch: &mut Batch) {
        if self.new.is_empty() {
            return;
        }
        let own = own_record(&self.world);
        if !batch.actors.contains(&own) {
            batch.actors.push(own);
        }
        if self.is_new {
            batch.docs.push(self.header);
        }
        batch.commits.extend(self.new.into_iter().map(Into::into));
    }
}

/// Who this node's actor is.
fn own_record(world: &World) -> ActorRecord {
    let me = &world.me;
    ActorRecord { actor: me.actor, cert: me.cert, incarnation: me.incarnation }
}

/// Runs a fold over bytes that others wrote: if it stops by itself, only this document is affected.
pub(crate) fn guarded<T>(doc: DocId, fold: impl FnOnce() -> T) -> Result<T, ActionError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(fold)).map_err(|_| ActionError::SetAside(doc))
}

impl Actions {
    /// A stored document, ready to be added to. Lock it first.
    pub(crate) async fn draft(&self, doc: &DocId) -> Result<Draft, ActionError> {
        Draft::load(self.store(), doc).await?.ok_or_else(|| ActionError::UnknownMatter(doc.to_string()))
    }

    /// A fresh nonce.
    pub(crate) fn nonce(&self) -> [u8; 12] {
        use rand::Rng as _;
        let mut nonce = [0; 12];
        self.rng().fill_bytes(&mut nonce);
        nonce
    }

    /// An empty batch for what a person does at this moment: its acts bear today's date, so a clock that
    /// cannot be right is named before anything is written.
    pub(crate) fn dated_batch(&self) -> Result<Batch, ActionError> {
        if self.now_ms() < EARLIEST_MS {
            return Err(ActionError::Clock(day_text(self.today())));
        }
        Ok(self.batch())
    }

    /// An empty batch of this moment.
    pub(crate) fn batch(&self) -> Batch {
        Batch { at_ms: self.now_ms(), ..Batch::default() }
    }
}
