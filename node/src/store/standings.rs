//! How every matter stands that this place knows of: those that are here, and those of which only a register below
//! speaks. One row each, so that nothing is counted twice; what the matter itself says goes before any register.
//!
//! Rows are written by the projector. Counts of them are kept in `tally` by the database as they change; lists
//! walk one index each, a page at a time.

use super::{
    Store,
    columns::{array, insert_rows, json_ids, optional_array, small},
    error::StoreError,
    writer::Tx,
};
use sqlx::{QueryBuilder, Row, Sqlite, sqlite::SqliteRow};
use yishi_protocol::ids::{DocId, PlaceId};

/// How one matter stands. Days are days since 1970-01-01.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingRow {
    /// The matter's document.
    pub matter: DocId,
    /// Whether the matter itself is here; else a register says so.
    pub here: bool,
    /// The day it was said: of two registers the later one stands.
    pub said_on: i64,
    /// The place that registered it.
    pub home: PlaceId,
    /// Its number.
    pub number: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Its stage, by stable name.
    pub stage: String,
    /// Who must act next.
    pub holder: Option<PlaceId>,
    /// The day it was raised.
    pub raised: Option<i64>,
    /// The day of its newest step.
    pub moved: i64,
    /// The day of its reply, if the newest one is an answer.
    pub answered: Option<i64>,
    /// The day of its reply, if the newest one is a refusal or a referral.
    pub refused: Option<i64>,
    /// The day by which the holder must act.
    pub due: Option<i64>,
    /// Whether a reply is owed and not given.
    pub waits: bool,
    /// Whether nobody has to act any more.
    pub closed: bool,
    /// Acts that were not allowed.
    pub violations: u32,
}

/// That a place was heard from, as the place above it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardRow {
    /// The place.
    pub place: PlaceId,
    /// Who says so.
    pub said_by: PlaceId,
    /// The last day; `None` if never.
    pub day: Option<i64>,
}

/// Which matters a list shows, and by which day it is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Matters {
    /// A reply is owed and not given; raised longest ago first.
    #[default]
    Waiting,
    /// Somebody has to act; raised longest ago first.
    Open,
    /// Open, by due day.
    Due,
    /// All, by the day they were raised.
    Raised,
    /// Whose newest reply is an answer, by its day.
    Answered,
    /// Whose newest reply is a refusal or a referral, by its day.
    Refused,
    /// Closed, by the day they were.
    Closed,
    /// With acts that were not allowed; raised longest ago first.
    Broken,
}

impl Matters {
    /// The day and the condition; each pair has an index.
    fn walked(self) -> (&'static str, &'static str) {
        match self {
            Self::Waiting => ("raised", "waits = 1"),
            Self::Open => ("raised", "closed = 0"),
            Self::Due => ("due", "closed = 0"),
            Self::Raised => ("raised", "true"),
            Self::Answered => ("answered", "answered IS NOT NULL"),
            Self::Refused => ("refused", "refused IS NOT NULL"),
            Self::Closed => ("moved", "stage = 'closed'"),
            Self::Broken => ("raised", "violations > 0"),
        }
    }

    fn day_of(self, row: &StandingRow) -> Option<i64> {
        match self {
            Self::Due => row.due,
            Self::Answered => row.answered,
            Self::Refused => row.refused,
            Self::Closed => Some(row.moved),
            Self::Waiting | Self::Open | Self::Raised | Self::Broken => row.raised,
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone, Default)]
pub struct StandingQuery {
    /// Which matters.
    pub matters: Matters,
    /// From this day on, of the day the list is ordered by.
    pub from: Option<i64>,
    /// Before this day.
    pub before: Option<i64>,
    /// Registered by one of these places.
    pub homes: Option<Vec<PlaceId>>,
    /// Held by one of these places; what nobody holds, registered by one of them.
    pub holders: Option<Vec<PlaceId>>,
    /// In this category.
    pub category: Option<String>,
    /// Rows of a page.
    pub limit: u32,
    /// [`StandingPage::next`] of the page before.
    pub after: Option<String>,
}

/// What a page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingPage {
    /// The rows, the earliest day first.
    pub rows: Vec<StandingRow>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

const HEAD: &str =
    "INSERT INTO standings (matter, here, said_on, home, number, category, stage, holder, raised,
    moved, answered, refused, due, waits, closed, violations)";

/// What is the same already is left alone, and so are its counts: a register is folded whole each time. What the
/// matter itself says stands before a register's word, and a later word before an earlier one.
const KEPT: &str = " ON CONFLICT (matter) DO UPDATE SET here = excluded.here, said_on = excluded.said_on,
    home = excluded.home, number = excluded.number, category = excluded.category, stage = excluded.stage,
    holder = excluded.holder, raised = excluded.raised, moved = excluded.moved, answered = excluded.answered,
    refused = excluded.refused, due = excluded.due, waits = excluded.waits, closed = excluded.closed,
    violations = excluded.violations
    WHERE (excluded.here, CASE excluded.here WHEN 1 THEN standings.said_on ELSE excluded.said_on END)
        >= (standings.here, standings.said_on)
    AND (excluded.here, excluded.home, excluded.number, excluded.category, excluded.stage, excluded.holder,
        excluded.raised, excluded.moved, excluded.answered, excluded.refused, excluded.due, excluded.waits,
        excluded.closed, excluded.violations)
    IS NOT (standings.here, standings.home, standings.number, standings.category, standings.stage,
        standings.holder, standings.raised, standings.moved, standings.answered, standings.refused,
        standings.due, standings.waits, standings.closed, standings.violations)";

impl Tx {
    pub(super) async fn keep_standings(&mut self, rows: Vec<StandingRow>) -> Result<(), StoreError> {
        insert_rows(&mut self.conn, HEAD, 16, KEPT, rows, |q, s| {
            q.bind(s.matter.0.to_vec())
                .bind(s.here)
                .bind(s.said_on)
                .bind(s.home.0.to_vec())
                .bind(s.number)
                .bind(s.category)
                .bind(s.stage)
                .bind(s.holder.map(|p| p.0.to_vec()))
                .bind(s.raised)
                .bind(s.moved)
                .bind(s.answered)
                .bind(s.refused)
                .bind(s.due)
                .bind(s.waits)
                .bind(s.closed)
                .bind(i64::from(s.violations))
        })
        .await
    }

    pub(super) async fn keep_heard(&mut self, rows: Vec<HeardRow>) -> Result<(), StoreError> {
        // A month's register is folded after the next month's too: the later day stands.
        let tail = " ON CONFLICT (place, said_by) DO UPDATE SET day = excluded.day
                     WHERE excluded.day > coalesce(heard.day, -1)";
        insert_rows(&mut self.conn, "INSERT INTO heard (place, said_by, day)", 3, tail, rows, |q, h| {
            q.bind(h.place.0.to_vec()).bind(h.said_by.0.to_vec()).bind(h.day)
        })
        .await
    }
}

fn standing_row(row: &SqliteRow) -> Result<StandingRow, StoreError> {
    Ok(StandingRow {
        matter: DocId(array(row, 1)?),
        here: row.try_get(2)?,
        said_on: row.try_get(3)?,
        home: PlaceId(array(row, 4)?),
        number: row.try_get(5)?,
        category: row.try_get(6)?,
        stage: row.try_get(7)?,
        holder: optional_array(row, 8)?.map(PlaceId),
        raised: row.try_get(9)?,
        moved: row.try_get(10)?,
        answered: row.try_get(11)?,
        refused: row.try_get(12)?,
        due: row.try_get(13)?,
        waits: row.try_get(14)?,
        closed: row.try_get(15)?,
        violations: small(row, 16)?,
    })
}

fn one_of(sql: &mut QueryBuilder<Sqlite>, column: &str, places: &[PlaceId]) {
    sql.push(format_args!(" AND {column} IN (SELECT unhex(value) FROM json_each("));
    sql.push_bind(json_ids(places)).push("))");
}

impl Store {
    /// One page of how matters stand.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read. A cursor that is none begins at the beginning.
    pub async fn standings(&self, query: &StandingQuery) -> Result<StandingPage, StoreError> {
        let (day, condition) = query.matters.walked();
        let mut sql = QueryBuilder::<Sqlite>::new(
            "SELECT id, matter, here, said_on, home, number, category, stage, holder, raised, moved, answered,
             refused, due, waits, closed, violations FROM standings WHERE ",
        );
        sql.push(condition).push(format_args!(" AND {day} IS NOT NULL"));
        if let Some(from) = query.from {
            sql.push(format_args!(" AND {day} >= ")).push_bind(from);
        }
        if let Some(before) = query.before {
            sql.push(format_args!(" AND {day} < ")).push_bind(before);
        }
        if let Some(homes) = &query.homes {
            one_of(&mut sql, "home", homes);
        }
        if let Some(holders) = &query.holders {
            one_of(&mut sql, "coalesce(holder, home)", holders);
        }
        if let Some(category) = &query.category {
            sql.push(" AND coalesce(category, '') = ").push_bind(category.clone());
        }
        let cursor = query.after.as_deref().and_then(|c| c.split_once('.'));
        if let Some((last, id)) =
            cursor.and_then(|(last, id)| Some((last.parse::<i64>().ok()?, id.parse::<i64>().ok()?)))
        {
            sql.push(format_args!(" AND ({day}, id) > (")).push_bind(last);
            sql.push(", ").push_bind(id).push(")");
        }
        // One more than asked for tells whether there is a next page.
        sql.push(format_args!(" ORDER BY {day}, id LIMIT ")).push_bind(i64::from(query.limit) + 1);
        let mut found = sql.build().fetch_all(self.readers()).await?;
        let more = found.len() as u64 > u64::from(query.limit);
        found.truncate(query.limit as usize);
        let rows = found.iter().map(standing_row).collect::<Result<Vec<_>, _>>()?;
        let next = match (found.last(), rows.last().and_then(|row| query.matters.day_of(row))) {
            (Some(stored), Some(day)) if more => Some(format!("{day}.{}", stored.try_get::<i64, _>(0)?)),
            _ => None,
        };
        Ok(StandingPage { rows, next })
    }

    /// Who was heard from when, as registers say.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn heard(&self) -> Result<Vec<HeardRow>, StoreError> {
        let rows = sqlx::query("SELECT place, said_by, day FROM heard").fetch_all(self.readers()).await?;
        let row = |row: &SqliteRow| {
            Ok(HeardRow {
                place: PlaceId(array(row, 0)?),
                said_by: PlaceId(array(row, 1)?),
                day: row.try_get(2)?,
            })
        };
        rows.iter().map(row).collect()
    }
}
