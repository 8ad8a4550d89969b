//! The registers of this place: what the places above see of matters they may not open.
//!
//! A place between the villages and the top keeps one register for each month in which matters were
//! raised, by itself or by the places directly below. A row says number, category, stage, holder, due day
//! and violations and the days that figures are made of, never a word of text. A row is written when one of these changed, all rows of one pass
//! in as few acts as possible. A leaf keeps none, its parent does; the top has nobody to show one to.
//!
//! A register also says when each place directly below was last heard from, once a day at most: what the places
//! above make of its rows depends on it, since silence is not the same as nothing.
//!
//! A register's header follows from this node's key and the month, so that it is found again without
//! being remembered.

use super::{ActionError, Actions, author::Draft};
use crate::store::World;
use std::{collections::BTreeMap, sync::Arc};
use yishi_protocol::{
    act::{Act, Heard, Stub, Stubs},
    calendar::Date,
    change::{self, Body},
    fold::Matter,
    ids::{DocId, PlaceId},
    kind::Kind,
    limits::DOCUMENT_BYTES_MAX,
};

/// Rows in one act: 100 kB at most, of the 256 that a change may hold.
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
    heard: BTreeMap<PlaceId, Option<i64>>,
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
            months.entry(month_of(day)).or_default().push(stub);
        }
        let mut written = self.0.stubs.lock().await;
        let world = self.world();
        let mut count = 0;
        for (month, stubs) in months {
            let register = self.register_of(&mut written, &world, month).await?;
            let changed: Vec<Stub> =
                stubs.into_iter().filter(|s| register.rows.get(&s.doc) != Some(s)).collect();
            if changed.is_empty() {
                continue;
            }
            let acts = changed.chunks(ROWS_PER_ACT_MAX).map(|rows| Stubs::Stubs { rows: rows.to_vec() });
            self.write_register(register, &world, month, acts.collect()).await?;
            count += changed.len();
            register.rows.extend(changed.into_iter().map(|s| (s.doc, s)));
        }
        Ok(count)
    }

    /// Says in this month's register of whom directly below something newer was heard. Returns how many there were.
    pub(crate) async fn write_heard(&self, heard: &BTreeMap<PlaceId, i64>) -> Result<usize, ActionError> {
        let world = self.world();
        let me = world.me.place;
        if world.directory.parent(&me).is_none() {
            return Ok(0);
        }
        let mut written = self.0.stubs.lock().await;
        let month = month_of(self.today());
        let register = self.register_of(&mut written, &world, month).await?;
        let below = world.directory.places().map(|(p, _)| p);
        let below = below.filter(|p| world.directory.parent(p) == Some(me));
        // One of whom nothing was ever heard is named too: it is expected.
        let newer: Vec<Heard> = below
            .map(|place| Heard { place, day: heard.get(&place).copied() })
            .filter(|h| register.heard.get(&h.place).is_none_or(|known| *known < h.day))
            .collect();
        if newer.is_empty() {
            return Ok(0);
        }
        let acts = newer.chunks(ROWS_PER_ACT_MAX).map(|rows| Stubs::Heard { rows: rows.to_vec() });
        self.write_register(register, &world, month, acts.collect()).await?;
        let count = newer.len();
        register.heard.extend(newer.into_iter().map(|h| (h.place, h.day)));
        Ok(count)
    }

    /// A month's register as far as it is written.
    async fn register_of<'a>(
        &self,
        written: &'a mut StubsWritten,
        world: &Arc<World>,
        month: Month,
    ) -> Result<&'a mut Register, ActionError> {
        let register = match written.0.remove(&month) {
            Some(known) => known,
            None => self.read_register(world, month).await?,
        };
        Ok(written.0.entry(month).or_insert(register))
    }

    /// Writes acts into a month's register, and begins its next part if it is full.
    async fn write_register(
        &self,
        register: &mut Register,
        world: &Arc<World>,
        month: Month,
        acts: Vec<Stubs>,
    ) -> Result<(), ActionError> {
        let locked = self.lock([register.doc]).await;
        let mut draft = match register.is_stored {
            true => Draft::load_bare(self.store(), &register.doc).await?,
            false => self.new_register(world, month, register.part)?,
        };
        for what in acts {
            draft.act("stubs", Act { prev: None, on: self.today(), by: None, what })?;
        }
        let is_full = draft.len() >= CHANGES_MAX || draft.bytes() >= BYTES_MAX;
        let mut batch = self.batch();
        draft.into_batch(&mut batch);
        self.store().write(batch).await?;
        drop(locked);
        register.is_stored = true;
        if is_full {
            register.part += 1;
            register.doc = self.new_register(world, month, register.part)?.doc;
            register.is_stored = false;
        }
        Ok(())
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
        let (mut rows, mut heard) = (BTreeMap::new(), BTreeMap::new());
        for part in 0.. {
            let doc = self.new_register(world, month, part)?.doc;
            let commits = self.store().doc_commits(&doc).await?;
            for stored in &commits {
                let decoded = change::decode_stored(&stored.commit.bytes, Kind::Register);
                let change = decoded.map_err(|_| ActionError::SetAside(doc))?.change;
                let Body::Act { value, .. } = change.body else { continue };
                match Act::<Stubs>::from_map(value).map(|act| act.what) {
                    Ok(Stubs::Stubs { rows: said }) => rows.extend(said.into_iter().map(|s| (s.doc, s))),
                    Ok(Stubs::Heard { rows: said }) => {
                        for Heard { place, day } in said {
                            let known = heard.entry(place).or_insert(day);
                            *known = day.max(*known);
                        }
                    }
                    Err(_) => {}
                }
            }
            let bytes: u64 = commits.iter().map(|c| c.commit.bytes.len() as u64).sum();
            if commits.len() < CHANGES_MAX && bytes < BYTES_MAX {
                return Ok(Register { doc, part, is_stored: !commits.is_empty(), rows, heard });
            }
        }
        Err(ActionError::Broken("a month has endless registers"))
    }
}

fn month_of(day: i64) -> Month {
    let (year, month, _) = Date::from_days(day).unwrap_or(Date::MIN).ymd();
    (year, month)
}
