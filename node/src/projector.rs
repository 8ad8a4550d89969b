//! The projector: from stored changes to what lists show, behind everybody's back.
//!
//! It takes documents off the store's durable queue, folds them and writes the read models; then it does
//! what a place owes by rule without being asked: carrying replies into merged matters and keeping the
//! registers. Nobody's acknowledgement waits for it, and everything it made can be thrown away and made
//! again.
//!
//! Documents are other people's bytes. Each is folded under a guard; one whose fold stops by itself is set
//! aside, and one that takes the whole process down is recognised at the next start by a mark made on disk
//! before it was read. What is set aside is kept and forwarded all the same.

use crate::{
    actions::{ActionError, Actions, Authors, Sketch, board, notices},
    arrivals::Arrivals,
    clock::day_of_ms,
    register_rows::{RegisterRows, Said},
    standing,
    store::{
        BoardRow, CharterRows, DirtyDoc, ExternalNumber, FileRef, IssuedRow, MatterRow, NoticeRow,
        OutcomeRow, Projection, RawDocument, SnapshotRow, StandingRow, StoreError, WordRows, World,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};
use thiserror::Error;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use yishi_protocol::{
    act::Stub,
    calendar::{Calendar, Date},
    change,
    fold::{self, FoldChange, FoldInput, Matter, frame::BUILT_IN},
    header::Header,
    ids::{ActorId, DocId, Hash, PlaceId},
    kind::Kind,
    limits::ATTACHMENTS_OF_PLACE_MAX,
    planted::Bug,
};

/// Documents folded together: their changes and matters are in memory at once, two megabytes of usual ones.
const PASS_DOCS: u32 = 500;
/// A document that was being read each time when the process ended so often is set aside: once among others,
/// then by itself. The power fails at any moment, too: a thousand `kill -9` must set nothing aside (measured:
/// three did, when the mark also stood while what had been read was written).
const INTERRUPTED_MAX: u32 = 4;
/// Files that are fetched for one matter: those of ten places.
const MATTER_FILES_MAX: usize = 10 * ATTACHMENTS_OF_PLACE_MAX;
/// How long it waits when the disk is full or may not be written.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Why the projector gave up.
#[derive(Debug, Error)]
pub enum ProjectorError {
    /// The store failed in a way that waiting does not heal.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An action by rule failed.
    #[error(transparent)]
    Action(#[from] ActionError),
    /// The thread that folds was lost.
    #[error("the thread that reads documents was lost")]
    Lost,
}

impl ProjectorError {
    fn store(&self) -> Option<&StoreError> {
        match self {
            Self::Store(e) | Self::Action(ActionError::Store(e)) => Some(e),
            _ => None,
        }
    }
}

/// What one document came to.
enum Folded {
    Matter(Box<FoldedMatter>),
    Outcome(Box<OutcomeRow>),
    Register(DocId, RegisterRows),
    Charter(Box<CharterRows>),
    Notice(Box<WordRows>),
    /// Nothing that lists show.
    Nothing,
    SetAside(DocId, String),
}

struct FoldedMatter {
    row: MatterRow,
    standing: StandingRow,
    /// What the public board shows of it besides.
    board: Option<BoardRow>,
    /// The files it names.
    files: Vec<FileRef>,
    /// Title and text.
    said: (String, String),
    stub: Option<(i64, Stub)>,
    /// Whether it has gone in circles and nobody has said so.
    circles: bool,
    /// The procedure it is bound to.
    bound: Option<Hash>,
    /// A lead with a reply, or a source of this place: something may have to be carried.
    carry: Option<Matter>,
}

/// Folds what changed.
#[derive(Debug)]
pub struct Projector {
    actions: Actions,
    world: Arc<World>,
    authors: Arc<Authors>,
    arrivals: Arrivals,
    said: Arc<Said>,
    /// What was being read when the last process ended, and how often that happened.
    suspects: Option<BTreeMap<DocId, u32>>,
}

impl Projector {
    /// A projector for these actions' store.
    #[must_use]
    pub fn new(actions: Actions) -> Self {
        let world = actions.world();
        let (arrivals, said) = (Arrivals::default(), Arc::default());
        Self { actions, world, authors: Arc::default(), arrivals, said, suspects: None }
    }

    /// Lets blocks that arrive go first.
    #[must_use]
    pub fn after(mut self, arrivals: Arrivals) -> Self {
        self.arrivals = arrivals;
        self
    }

    /// Works until `stop`, then finishes the pass it is in.
    ///
    /// # Errors
    /// [`ProjectorError`] when the store failed for good.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), ProjectorError> {
        let mut news = self.actions.store().news();
        let mut suspects_done = false;
        loop {
            let worked = match suspects_done {
                true => self.drain(&stop).await,
                false => self.suspects().await,
            };
            match worked {
                Ok(()) if !suspects_done => {
                    suspects_done = true;
                    continue;
                }
                Ok(()) => {}
                Err(e) if matches!(e.store(), Some(StoreError::Closed)) => return Ok(()),
                Err(e) if e.store().is_some_and(StoreError::is_transient) => {
                    warn!(error = %e, "what lists show is behind; trying again");
                    tokio::select! {
                        () = stop.cancelled() => return Ok(()),
                        () = tokio::time::sleep(RETRY_AFTER) => continue,
                    }
                }
                Err(e) => return Err(e),
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                heard = news.recv() => match heard {
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Ok(()),
                },
            }
        }
    }

    /// Folds until nothing waits; returns how many documents it took.
    ///
    /// # Errors
    /// [`ProjectorError`]; what was folded before stays.
    pub async fn drain_once(&mut self) -> Result<usize, ProjectorError> {
        let mut taken = 0;
        loop {
            let dirty = self.actions.store().dirty_docs(PASS_DOCS).await?;
            if dirty.is_empty() {
                return Ok(taken);
            }
            taken += dirty.len();
            self.pass(dirty, false).await?;
        }
    }

    async fn drain(&mut self, stop: &CancellationToken) -> Result<(), ProjectorError> {
        while !stop.is_cancelled() {
            self.arrivals.pause().await;
            let dirty = self.actions.store().dirty_docs(PASS_DOCS).await?;
            if dirty.is_empty() {
                return Ok(());
            }
            self.pass(dirty, false).await?;
        }
        Ok(())
    }

    /// Documents that were being read when the process last ended: one at a time, so that the one that
    /// ends it again is known.
    async fn suspects(&mut self) -> Result<(), ProjectorError> {
        let store = self.actions.store().clone();
        // Asked once: what is marked from now on is this process's own doing.
        let suspects = match &self.suspects {
            Some(suspects) => suspects.clone(),
            None => store.interrupted().await?.into_iter().collect(),
        };
        self.suspects = Some(suspects.clone());
        if suspects.is_empty() {
            return Ok(());
        }
        info!(documents = suspects.len(), "the last stop came while documents were being read");
        for (doc, times) in &suspects {
            if *times >= INTERRUPTED_MAX {
                let why = format!("reading it ended the program {times} times");
                warn!(%doc, times, "set aside: reading it ended the program");
                store.quarantine(*doc, why, self.actions.now_ms()).await?;
            }
        }
        let mut seen = BTreeSet::new();
        loop {
            let dirty = store.dirty_docs(PASS_DOCS).await?;
            let next: Vec<DirtyDoc> =
                dirty.into_iter().filter(|d| suspects.contains_key(&d.doc) && seen.insert(d.doc)).collect();
            if next.is_empty() {
                return Ok(());
            }
            for doc in next {
                self.pass(vec![doc], true).await?;
            }
        }
    }

    /// One pass. For `suspects` the mark goes as soon as they were read: they are not to blame for a process
    /// that ends while the rest is written.
    async fn pass(&mut self, dirty: Vec<DirtyDoc>, suspects: bool) -> Result<(), ProjectorError> {
        let store = self.actions.store().clone();
        store.begin_applying(&dirty, suspects).await?;
        let raw = store.raw_documents(&dirty).await?;
        let read = || raw.into_iter().map(read_guarded).collect::<Vec<_>>();
        let read = tokio::task::spawn_blocking(read).await.map_err(|_| ProjectorError::Lost)?;
        self.learn_authors(&read).await?;
        let (actions, world, authors) = (self.actions.clone(), self.world.clone(), self.authors.clone());
        let said = self.said.clone();
        let fold = move || -> Vec<Folded> {
            let at = At { actions: &actions, world: &world, authors: &authors, said: &said };
            read.into_iter().map(|doc| at.fold(doc)).collect()
        };
        let folded = tokio::task::spawn_blocking(fold).await.map_err(|_| ProjectorError::Lost)?;
        if suspects {
            store.was_read(&dirty).await?;
        }
        let at_ms = self.actions.now_ms();
        let mut projection = Projection { done: dirty, at_ms, ..Projection::default() };
        let (mut stubs, mut carry, mut bound) = (Vec::new(), Vec::new(), Vec::new());
        let (mut circles, mut registers) = (Vec::new(), Vec::new());
        for one in folded {
            match one {
                Folded::Matter(m) => {
                    carry.extend(m.carry.map(|matter| (m.row.doc, matter)));
                    stubs.extend(m.stub);
                    circles.extend(m.circles.then_some(m.row.doc));
                    bound.extend(m.bound.map(|pin| (m.row.doc, pin)));
                    let (title, body) = m.said;
                    projection.texts.push((m.row.doc, title, body));
                    projection.standings.push(m.standing);
                    projection.board.extend(m.board);
                    projection.files.extend(m.files);
                    projection.matters.push(m.row);
                }
                Folded::Outcome(row) => projection.outcomes.push(*row),
                Folded::Register(doc, rows) => {
                    projection.registers.push((doc, rows.stubs));
                    projection.standings.extend(rows.standings);
                    projection.heard.extend(rows.heard);
                    registers.push((doc, rows.said));
                }
                Folded::Charter(rows) => projection.charters.push(*rows),
                Folded::Notice(rows) => projection.words.push(*rows),
                Folded::Nothing => {}
                Folded::SetAside(doc, why) => {
                    warn!(%doc, why, "set aside: it cannot be read here");
                    store.quarantine(doc, why, self.actions.now_ms()).await?;
                }
            }
        }
        // What is owed by rule comes before striking off the queue: after a crash between the two it is
        // tried again, and finds that it was done.
        // What a place owes by rule is owed by the box it works on.
        if !self.world.is_active() {
            store.project(projection).await?;
            Arc::make_mut(&mut self.said).remember(registers);
            return Ok(());
        }
        for (doc, matter) in carry {
            let what = format!("the reply of {doc}");
            kept_going(&what, self.actions.carry(&doc, &matter).await)?;
            kept_going(&what, self.actions.carry_from_lead(&matter).await)?;
        }
        if self.world.directory.placements().next().is_some() {
            let docs: Vec<DocId> = projection.done.iter().map(|d| d.doc).collect();
            kept_going("readers of what was moved", self.actions.widen_owed(&docs).await)?;
        }
        let matters: Vec<DocId> = projection.matters.iter().map(|m| m.doc).collect();
        let openings = projection.words.iter().flat_map(|w| &w.openings).cloned().collect();
        kept_going("what was opened from above", self.actions.openings_owed(&matters, openings).await)?;
        for doc in circles {
            kept_going("supervision", self.actions.urge_if_owed(&doc).await)?;
        }
        if !bound.is_empty() {
            kept_going("what matters are bound to", self.actions.pins_owed(&bound).await)?;
        }
        if !stubs.is_empty() {
            let done = self.actions.write_stubs(stubs).await;
            kept_going("registers", done)?;
        }
        store.project(projection).await?;
        Arc::make_mut(&mut self.said).remember(registers);
        Ok(())
    }

    /// Makes sure that the certificates of all authors are at hand.
    async fn learn_authors(&mut self, read: &[Readable]) -> Result<(), ProjectorError> {
        let world = self.actions.world();
        if !Arc::ptr_eq(&world, &self.world) {
            // A revocation or a new certificate changes what authors are.
            self.world = world;
            if !Bug::RevokedByTime.planted() {
                self.authors = Arc::default();
            }
        }
        let unknown: BTreeSet<ActorId> = read
            .iter()
            .flat_map(|doc| doc.changes.iter().flatten())
            .map(|c| c.change.actor)
            .filter(|actor| !self.authors.knows(actor))
            .collect();
        if !unknown.is_empty() {
            let unknown: Vec<ActorId> = unknown.into_iter().collect();
            let records = self.actions.store().actor_records(&unknown).await?;
            Arc::make_mut(&mut self.authors).add(&self.world.directory, &records);
        }
        Ok(())
    }
}

/// What folding needs to know.
struct At<'a> {
    actions: &'a Actions,
    world: &'a World,
    authors: &'a Authors,
    said: &'a Said,
}

/// A document's changes as values.
struct Readable {
    doc: DocId,
    header: Header,
    /// Or why they cannot be read.
    changes: Result<Vec<FoldChange>, String>,
    stored_at_ms: Vec<u64>,
    updated_at_ms: u64,
}

/// Reads a document's bytes. The guard is for bytes of others; nothing of ours is left half changed
/// behind it.
fn read_guarded(raw: RawDocument) -> Readable {
    let RawDocument { doc, header, chunks, stored_at_ms, updated_at_ms } = raw;
    let fold_change = |bytes| {
        let decoded = change::decode_stored(bytes, header.kind).map_err(|why| why.to_string())?;
        Ok(FoldChange { hash: decoded.hash, change: decoded.change })
    };
    let changes = catch_unwind(AssertUnwindSafe(|| change::split(&chunks).map(fold_change).collect()))
        .unwrap_or_else(|_| Err("reading it failed".to_owned()));
    Readable { doc, header, changes, stored_at_ms, updated_at_ms }
}

impl At<'_> {
    fn fold(&self, read: Readable) -> Folded {
        let doc = read.doc;
        catch_unwind(AssertUnwindSafe(|| self.fold_one(read)))
            .unwrap_or_else(|_| Folded::SetAside(doc, "reading it failed".to_owned()))
    }

    fn fold_one(&self, read: Readable) -> Folded {
        let Readable { doc, header, changes, stored_at_ms, updated_at_ms } = read;
        let changes = match changes {
            Ok(changes) => changes,
            Err(why) => return Folded::SetAside(doc, why),
        };
        let cut = self.authors.for_doc(&self.world.directory, &doc, &changes);
        let authors = cut.as_ref().unwrap_or(&self.authors.plain);
        let procedures = &self.world.charters.procedures;
        let input = FoldInput { header: &header, changes: &changes, authors, procedures };
        match header.kind {
            Kind::Proposal => {
                let mut matter = fold::proposal::fold(&input);
                matter.witness(|act| {
                    let stored = changes.iter().map(|c| c.change.act_ref()).zip(&stored_at_ms);
                    stored.filter(|(name, _)| *name == act).map(|(_, at)| day_of_ms(*at)).min()
                });
                self.matter(doc, matter, updated_at_ms)
            }
            Kind::Outcome => outcome(doc, &fold::outcome::fold(&input), updated_at_ms),
            // Its own registers tell a place nothing that it does not know better.
            Kind::Register if header.home != self.world.me.place => {
                let folded = fold::register::fold(&input);
                Folded::Register(doc, self.said.news(doc, &folded, updated_at_ms))
            }
            Kind::Charter => charter(fold::charter::fold(&input)),
            Kind::Notice => {
                Folded::Notice(Box::new(notices::rows(doc, fold::notice::fold(&input), updated_at_ms)))
            }
            Kind::Register | Kind::Dossier => Folded::Nothing,
        }
    }

    fn matter(&self, doc: DocId, matter: Matter, updated_at_ms: u64) -> Folded {
        if matter.register.is_none() {
            return Folded::Nothing;
        }
        let Ok(mut row) = matter_row(doc, &matter, &self.world.charters.calendar, updated_at_ms) else {
            return Folded::SetAside(doc, "it cannot be written as JSON".to_owned());
        };
        // Lists show it with whoever acts for the holder now.
        let now = |place: &PlaceId| self.world.directory.stands_in(place);
        row.holder = row.holder.as_ref().map(now);
        let standing = standing::of_matter(&row, &matter);
        let stub = self.actions.registers(self.world, &matter.home).then(|| self.actions.stub(&matter));
        let lead = !matter.sources.is_empty() && matter.newest_reply().is_some();
        let source = matter.merged_into.is_some() && row.holder == Some(self.world.me.place);
        let circles = self.actions.goes_in_circles(self.world, &matter);
        let bound = matter.procedure.filter(|pin| *pin != BUILT_IN);
        let said = (matter.title.clone(), matter.body.clone());
        let Ok(board) = board::row(doc, &matter, updated_at_ms) else {
            return Folded::SetAside(doc, "it cannot be written as JSON".to_owned());
        };
        Folded::Matter(Box::new(FoldedMatter {
            row,
            standing,
            board,
            files: files_of(doc, &matter),
            said,
            stub,
            circles,
            bound,
            carry: (lead || source).then_some(matter),
        }))
    }
}

/// The files a matter names, so many at most: who has a thousand machines copied can put twenty times as many to it.
fn files_of(doc: DocId, matter: &Matter) -> Vec<FileRef> {
    let of = |a: &fold::Attached| FileRef { doc, file: a.file, size: a.size, place: a.place };
    matter.attachments.iter().take(MATTER_FILES_MAX).map(of).collect()
}

/// A store that fails stops the pass; a document that cannot be read does not.
fn kept_going(what: &str, done: Result<usize, ActionError>) -> Result<(), ActionError> {
    match done {
        // The place was taken over while this pass was under way: the other box owes it.
        Err(ActionError::Store(StoreError::StoodDown)) => Ok(()),
        Err(error @ ActionError::Store(_)) => Err(error),
        Err(error) => {
            warn!(what, %error, "what is owed by rule was not written");
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}

fn day(day: i64) -> Option<String> {
    Some(Date::from_days(day)?.to_string())
}

fn small(n: impl TryInto<u32>) -> u32 {
    n.try_into().unwrap_or(u32::MAX)
}

fn matter_row(
    doc: DocId,
    matter: &Matter,
    calendar: &Calendar,
    updated_at_ms: u64,
) -> Result<MatterRow, serde_json::Error> {
    let due = matter.deadline.and_then(|d| {
        Some(calendar.add_working_days(Date::from_days(d.from_day)?, u32::from(d.working_days)).0.to_string())
    });
    // A unit of a place that has passed it on has nothing to do with it any more.
    let assigned = matter.assigned.as_ref().filter(|a| Some(a.place) == matter.holder);
    Ok(MatterRow {
        doc,
        number: Some(matter.number.clone()).filter(|n| !n.is_empty()),
        check_code: Some(matter.check.clone()).filter(|c| !c.is_empty()),
        title: matter.title.clone(),
        category: matter.category.clone(),
        source: matter.source.clone(),
        channel: matter.channel.clone(),
        stage: matter.stage.name().to_owned(),
        holder: matter.holder,
        home: matter.home,
        due_day: due,
        raised_on: day(matter.raised_on),
        merged_into: matter.merged_into,
        answered_on: matter.newest_reply().and_then(|r| day(r.on)),
        told: matter.told,
        rated: matter.ratings.iter().any(|r| r.counted),
        closed: matter.stage.is_ended(),
        supports: small(matter.supporters()),
        violations: small(matter.violations.len()),
        external: matter
            .external
            .as_ref()
            .map(|e| ExternalNumber { system: e.system.clone(), number: e.number.clone() }),
        updated_at_ms,
        detail: serde_json::to_string(&Sketch::of(matter))?,
        unit: assigned.map(|a| a.unit.clone()),
        person: assigned.and_then(|a| a.person.clone()),
    })
}

fn outcome(doc: DocId, outcome: &fold::outcome::Outcome, updated_at_ms: u64) -> Folded {
    let Some(decision) = &outcome.decision else { return Folded::Nothing };
    let Ok(detail) = serde_json::to_string(outcome) else {
        return Folded::SetAside(doc, "it cannot be written as JSON".to_owned());
    };
    Folded::Outcome(Box::new(OutcomeRow {
        doc,
        title: decision.title.clone(),
        place: outcome.place,
        decided_on: day(decision.on),
        due_on: decision.due.and_then(day),
        matters: decision.proposals.iter().map(|p| p.doc).collect(),
        updated_at_ms,
        detail,
    }))
}

/// What a charter issued; a place's own is learnt the same way.
fn charter(charter: fold::charter::Charter) -> Folded {
    let procedures = charter.issued.iter().map(|i| IssuedRow {
        pin: i.pin,
        place: charter.place,
        act: i.act,
        issued_on: day(i.on),
        file: i.file.clone(),
    });
    let snapshot = charter.in_force().map(|s| SnapshotRow {
        place: charter.place,
        hash: s.hash,
        number: s.number,
        issued_on: day(s.on),
        articles: s.articles.clone(),
    });
    // In causal order: a later one of the same year replaces an earlier one.
    let mut notices = BTreeMap::new();
    for n in &charter.notices {
        let (place, issued_on, notice) = (charter.place, day(n.on), n.notice.clone());
        notices.insert(n.year, NoticeRow { place, year: n.year, issued_on, notice });
    }
    let notices = notices.into_values().collect();
    Folded::Charter(Box::new(CharterRows { procedures: procedures.collect(), snapshot, notices }))
}
