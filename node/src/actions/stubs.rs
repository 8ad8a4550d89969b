//! The registers of this place: what the places above see of matters they may not open.
//!
//! A place between the villages and the top keeps one register for each month in which matters were
//! raised, by itself or by the places directly below. A row says number, category, stage, holder, due day
//! and violations, never a word of text. A row is written when one of these changed, all rows of one pass
//! in as few acts as possible. A leaf keeps none, its parent does; the top has nobody to show one to.
//!
//! A register's header follows from this node's key and the month, so that it is found again without
//! being remembered.

use super::{ActionError, Actions, author::Draft};
use crate::store::World;
use std::{collections::BTreeMap, sync::Arc};
use yishi_protocol::{
    act::{Act, Stub, Stubs},
    calendar::Date,
    change::{self, Body},
    fold::Matter,
    ids::{DocId, PlaceId},
    kind::Kind,
    limits::DOCUMENT_BYTES_MAX,
};

/// Rows in one act: 64 kB at most, a quarter of what a change may hold.
const ROWS_PER_ACT_MAX: usize = 500;

/// A register that has grown so far is continued in another of the same month: half of what a document
/// may hold.
const CHANGES_MAX: usize = 10_000;
/// And bytes: half of what a document may have.
const BYTES_MAX: u64 = DOCUMENT_BYTES_MAX / 2;

/// Year and month.
type Month = (i32, u32);

/// What the registers say already, as far as read.
#[derive(Debug, Default)]
pub(crate) struct StubsWritten(BTreeMap<Month, Register>);

#[derive(Debug)]
struct Register {
    doc: DocId,
    /// Which of the month's registers is written now.
    part: u32,
    is_stored: bool,
    rows: BTreeMap<DocId, Stub>,
}

impl Actions {
    /// Whether this place keeps registers, and whether matters of that home are in them.
    pub(crate) fn registers(&self, world: &World, home: &PlaceId) -> bool {
        let me = world.me.place;
        let has_parent = world.directory.parent(&me).is_some();
        if !has_parent {
            return false;
        }
        if *home != me {
            return world.directory.parent(home) == Some(me);
        }
        let mut places = world.directory.places();
        places.any(|(p, _)| world.directory.parent(&p) == Some(me))
    }

    /// The row of a matter now, with the day its month is taken from.
    pub(crate) fn stub(&self, matter: &Matter) -> (i64, Stub) {
        let due = matter.deadline.and_then(|d| {
            let from = Date::from_days(d.from_day)?;
            Some(self.calendar().add_working_days(from, u32::from(d.working_days)).0.days())
        });
        (matter.raised_on, matter.stub(due))
    }

    /// Writes the rows that changed. Returns how many there were.
    pub(crate) async fn write_stubs(&self, rows: Vec<(i64, Stub)>) -> Result<usize, ActionError> {
        let mut months: BTreeMap<Month, Vec<Stub>> = BTreeMap::new();
        for (day, stub) in rows {
            let (year, month, _) = Date::from_days(day).unwrap_or(Date::MIN).ymd();
            months.entry((year, month)).or_default().push(stub);
        }
        let mut written = self.0.stubs.lock().await;
        let world = self.world();
        let (today, mut count) = (self.today(), 0);
        for (month, stubs) in months {
            let register = match written.0.remove(&month) {
                Some(known) => known,
                None => self.read_register(&world, month).await?,
            };
            let register = written.0.entry(month).or_insert(register);
            let changed: Vec<Stub> =
                stubs.into_iter().filter(|s| register.rows.get(&s.doc) != Some(s)).collect();
            if changed.is_empty() {
                continue;
            }
            let locked = self.lock([register.doc]).await;
            let mut draft = match register.is_stored {
                true => Draft::load_bare(self.store(), &register.doc).await?,
                false => self.new_register(&world, month, register.part)?,
            };
            for rows in changed.chunks(ROWS_PER_ACT_MAX) {
                let what = Stubs::Stubs { rows: rows.to_vec() };
                draft.act("stubs", Act { prev: None, on: today, by: None, what })?;
            }
            let is_full = draft.len() >= CHANGES_MAX || draft.bytes() >= BYTES_MAX;
            let mut batch = self.batch();
            draft.into_batch(&mut batch);
            self.store().write(batch).await?;
            drop(locked);
            register.is_stored = true;
            if is_full {
                register.part += 1;
                register.doc = self.new_register(&world, month, register.part)?.doc;
                register.is_stored = false;
            }
            count += changed.len();
            register.rows.extend(changed.into_iter().map(|s| (s.doc, s)));
        }
        Ok(count)
    }

    fn new_register(
        &self,
        world: &Arc<World>,
        (year, month): Month,
        part: u32,
    ) -> Result<Draft, ActionError> {
        let secret = world.me.keys.derived(&format!("register {year}-{month:02}-{part}"));
        let mut nonce = [0; 12];
        nonce.iter_mut().zip(secret).for_each(|(to, from)| *to = from);
        Draft::create(world, Kind::Register, world.directory.ancestors(&world.me.cert), nonce)
    }

    /// What the registers of a month say, if there are any.
    async fn read_register(&self, world: &Arc<World>, month: Month) -> Result<Register, ActionError> {
        let mut rows = BTreeMap::new();
        for part in 0.. {
            let doc = self.new_register(world, month, part)?.doc;
            let commits = self.store().doc_commits(&doc).await?;
            for stored in &commits {
                let decoded = change::decode_stored(&stored.commit.bytes, Kind::Register);
                let change = decoded.map_err(|_| ActionError::SetAside(doc))?.change;
                let Body::Act { value, .. } = change.body else { continue };
                if let Ok(Act { what: Stubs::Stubs { rows: said }, .. }) = Act::<Stubs>::from_map(value) {
                    rows.extend(said.into_iter().map(|s| (s.doc, s)));
                }
            }
            let bytes: u64 = commits.iter().map(|c| c.commit.bytes.len() as u64).sum();
            if commits.len() < CHANGES_MAX && bytes < BYTES_MAX {
                return Ok(Register { doc, part, is_stored: !commits.is_empty(), rows });
            }
        }
        Err(ActionError::Broken("a month has endless registers"))
    }
}
