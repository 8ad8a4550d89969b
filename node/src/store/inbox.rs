//! The inbox: open matters by whose turn it is, in pages and in counts.
//!
//! A view is one range of one index (`inbox_*` in the first migration), due first. So a page costs what it
//! shows, and a count stops at [`COUNTED_MAX`]: a hundred thousand matters behind a view cost no more than a
//! thousand. Conditions that indexes rest on are written out, never bound: SQLite takes a partial index only for
//! what it can read in the statement.

use super::{
    Store,
    columns::unsigned,
    error::StoreError,
    listing::{Due, MatterPage, anywhere},
    matters::{MATTER_COLUMNS, matter_row},
};
use sqlx::{QueryBuilder, Row, Sqlite};
use yishi_protocol::{fold::frame::Stage, ids::PlaceId};

/// A count that reaches this is told as "so many and more".
pub const COUNTED_MAX: u64 = 1_000;
/// Counts asked for in one statement; SQLite joins no more than 500.
const COUNTS_AT_ONCE: usize = 100;
/// Units listed, and persons of one.
const UNITS_MAX: i64 = 60;

/// Where a matter is for whoever holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It came and was not taken up yet.
    Arrived,
    /// It is worked on.
    Working,
    /// It was replied to, or is not taken further: the people are told.
    Replied,
    /// It follows its lead, or is over.
    Resting,
}

impl Phase {
    /// The phase of a stage; one of a newer program rests.
    #[must_use]
    pub fn of(stage: &str) -> Self {
        match Stage::from_name(stage) {
            Some(Stage::Registered | Stage::Escalated | Stage::Returned | Stage::Reopened) => Self::Arrived,
            Some(Stage::Accepted | Stage::Handling | Stage::Decided) => Self::Working,
            Some(Stage::Answered | Stage::Refused | Stage::Referred) => Self::Replied,
            Some(Stage::Merged | Stage::Closed | Stage::Withdrawn) | None => Self::Resting,
        }
    }

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Working => "working",
            Self::Replied => "replied",
            Self::Resting => "resting",
        }
    }
}

/// Whose open matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Held by any of these places.
    Held(Vec<PlaceId>),
    /// Registered by this one, whoever holds them.
    Home(PlaceId),
    /// Answered and not told, wherever they were registered.
    Untold,
}

/// The order of an inbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InboxSort {
    /// Due first; without a deadline last.
    #[default]
    Due,
    /// Last changed first.
    Newest,
    /// By number.
    Number,
}

/// Which matters of an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxQuery {
    /// Whose.
    pub whose: Whose,
    /// In one of these phases; in any, if none is named.
    pub phases: Vec<Phase>,
    /// Due when.
    pub due: Option<Due>,
    /// Registered by this place.
    pub home: Option<PlaceId>,
    /// Registered elsewhere than here.
    pub not_home: Option<PlaceId>,
    /// Given to this unit.
    pub unit: Option<String>,
    /// And to this person there.
    pub person: Option<String>,
    /// In this category.
    pub category: Option<String>,
    /// With these words in number, title or text.
    pub words: Option<String>,
    /// The order.
    pub sort: InboxSort,
    /// Rows of a page.
    pub limit: u32,
    /// [`MatterPage::next`] of the page before.
    pub after: Option<String>,
}

impl InboxQuery {
    /// All of somebody's open matters, due first.
    #[must_use]
    pub fn of(whose: Whose, limit: u32) -> Self {
        Self {
            whose,
            phases: Vec::new(),
            due: None,
            home: None,
            not_home: None,
            unit: None,
            person: None,
            category: None,
            words: None,
            sort: InboxSort::Due,
            limit,
            after: None,
        }
    }
}

const DUE_KEY: &str = "coalesce(m.due_day, '9999')";

impl InboxSort {
    fn key(self) -> &'static str {
        match self {
            Self::Due => DUE_KEY,
            Self::Newest => "m.updated_at_ms",
            Self::Number => "coalesce(m.number, '')",
        }
    }
}

fn conditions(query: &InboxQuery, sql: &mut QueryBuilder<Sqlite>) {
    match &query.whose {
        Whose::Held(places) => {
            sql.push(" WHERE m.closed = 0 AND m.holder");
            match places.as_slice() {
                // One place is one range of the index, in its order.
                [one] => {
                    sql.push(" = ").push_bind(one.0.to_vec());
                }
                several => {
                    sql.push(" IN (");
                    let mut listed = sql.separated(", ");
                    for place in several {
                        listed.push_bind(place.0.to_vec());
                    }
                    sql.push(")");
                }
            }
        }
        Whose::Home(place) => {
            sql.push(" WHERE m.closed = 0 AND m.home = ").push_bind(place.0.to_vec());
        }
        Whose::Untold => {
            sql.push(" WHERE m.answered_on IS NOT NULL AND m.told = 0");
        }
    }
    match query.phases.as_slice() {
        [] => {}
        [one] => {
            sql.push(" AND m.phase = ").push_bind(one.name());
        }
        several => {
            sql.push(" AND m.phase IN (");
            let mut listed = sql.separated(", ");
            for phase in several {
                listed.push_bind(phase.name());
            }
            sql.push(")");
        }
    }
    match &query.due {
        Some(Due::Before(day)) => {
            sql.push(format_args!(" AND {DUE_KEY} < ")).push_bind(day.clone());
        }
        Some(Due::Between(first, last)) => {
            sql.push(format_args!(" AND {DUE_KEY} BETWEEN ")).push_bind(first.clone());
            sql.push(" AND ").push_bind(last.clone());
        }
        None => {}
    }
    for (condition, place) in [(" AND m.home = ", query.home), (" AND m.home <> ", query.not_home)] {
        if let Some(place) = place {
            sql.push(condition).push_bind(place.0.to_vec());
        }
    }
    if let Some(unit) = &query.unit {
        // An empty one is for what nobody was given yet.
        match unit.is_empty() {
            true => sql.push(" AND m.unit IS NULL"),
            false => sql.push(" AND m.unit IS NOT NULL AND m.unit = ").push_bind(unit.clone()),
        };
    }
    for (condition, text) in [(" AND m.person = ", &query.person), (" AND m.category = ", &query.category)] {
        if let Some(text) = text {
            sql.push(condition).push_bind(text.clone());
        }
    }
    if let Some(words) = &query.words {
        let pattern = anywhere(words);
        sql.push(" AND (m.title LIKE ").push_bind(pattern.clone());
        sql.push(" ESCAPE '\\' OR m.number LIKE ").push_bind(pattern.clone());
        sql.push(" ESCAPE '\\' OR EXISTS (SELECT 1 FROM matter_texts t WHERE t.doc = m.doc AND t.text LIKE ");
        sql.push_bind(pattern).push(" ESCAPE '\\'))");
    }
}

impl Store {
    /// One page of an inbox.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read. A cursor that is none begins at the beginning.
    pub async fn inbox(&self, query: &InboxQuery) -> Result<MatterPage, StoreError> {
        // The rows are chosen by the index alone and only then read: a row carries its fold along.
        let key = query.sort.key();
        let descending = query.sort == InboxSort::Newest;
        let order = if descending { " DESC" } else { "" };
        let mut sql = QueryBuilder::<Sqlite>::new("WITH page (doc, key) AS MATERIALIZED (SELECT m.doc, ");
        sql.push(key).push(" FROM matters m");
        conditions(query, &mut sql);
        let cursor = query.after.as_deref().and_then(|c| c.split_once('.'));
        if let Some((row, last)) = cursor.and_then(|(row, last)| Some((row.parse::<i64>().ok()?, last))) {
            let (from, beyond) = if descending { (" <= ", ") < (") } else { (" >= ", ") > (") };
            let bound = |sql: &mut QueryBuilder<Sqlite>| {
                match query.sort {
                    InboxSort::Newest => sql.push_bind(last.parse::<i64>().unwrap_or(i64::MAX)),
                    InboxSort::Due | InboxSort::Number => sql.push_bind(last.to_owned()),
                };
            };
            sql.push(" AND ").push(key).push(from);
            bound(&mut sql);
            sql.push(" AND (").push(key).push(", m.doc").push(beyond);
            bound(&mut sql);
            sql.push(", ").push_bind(row).push(")");
        }
        sql.push(format_args!(" ORDER BY {key}{order}, m.doc{order} LIMIT "));
        // One more than asked for tells whether there is a next page.
        sql.push_bind(i64::from(query.limit) + 1);
        let columns = MATTER_COLUMNS.replacen(
            " FROM matters m",
            ", CAST(page.key AS TEXT) FROM page JOIN matters m ON m.doc = page.doc",
            1,
        );
        sql.push(") ").push(columns);
        sql.push(format_args!(" ORDER BY page.key{order}, page.doc{order}"));
        let mut found = sql.build().fetch_all(self.readers()).await?;
        let more = found.len() as u64 > u64::from(query.limit);
        found.truncate(query.limit as usize);
        let rows = found.iter().map(matter_row).collect::<Result<Vec<_>, _>>()?;
        let next = match found.last() {
            Some(last) if more => {
                Some(format!("{}.{}", last.try_get::<i64, _>(23)?, last.try_get::<String, _>(26)?))
            }
            _ => None,
        };
        Ok(MatterPage { rows, next })
    }

    /// How many each of these queries finds, up to [`COUNTED_MAX`].
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn inbox_counts(&self, queries: &[InboxQuery]) -> Result<Vec<u64>, StoreError> {
        let mut counts = Vec::with_capacity(queries.len());
        for some in queries.chunks(COUNTS_AT_ONCE) {
            let mut sql = QueryBuilder::<Sqlite>::new("");
            for (n, query) in some.iter().enumerate() {
                let joint = if n == 0 { "" } else { " UNION ALL " };
                sql.push(format_args!("{joint}SELECT {n}, (SELECT count(*) FROM (SELECT 1 FROM matters m"));
                conditions(query, &mut sql);
                sql.push(format_args!(" LIMIT {COUNTED_MAX}))"));
            }
            sql.push(" ORDER BY 1");
            for row in sql.build().persistent(false).fetch_all(self.readers()).await? {
                counts.push(unsigned(&row, 1)?);
            }
        }
        Ok(counts)
    }

    /// The units that open matters held here were given to, with how many each, up to [`COUNTED_MAX`].
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn inbox_units(&self, holder: PlaceId) -> Result<Vec<(String, u64)>, StoreError> {
        // From one unit to the next along the index: as many steps as there are units.
        let sql = "WITH RECURSIVE units (unit) AS (
                       SELECT min(m.unit) FROM matters m
                       WHERE m.closed = 0 AND m.unit IS NOT NULL AND m.holder = ?1
                       UNION ALL
                       SELECT (SELECT min(m.unit) FROM matters m
                               WHERE m.closed = 0 AND m.unit IS NOT NULL AND m.holder = ?1 AND m.unit > u.unit)
                       FROM units u WHERE u.unit IS NOT NULL LIMIT ?2)
                   SELECT u.unit, (SELECT count(*) FROM (
                       SELECT 1 FROM matters m
                       WHERE m.closed = 0 AND m.unit IS NOT NULL AND m.holder = ?1 AND m.unit = u.unit
                       AND m.phase IN ('arrived', 'working') LIMIT ?3))
                   FROM units u WHERE u.unit IS NOT NULL";
        let bounds = (UNITS_MAX, COUNTED_MAX.cast_signed());
        let query = sqlx::query(sql).bind(holder.0.to_vec()).bind(bounds.0).bind(bounds.1);
        let rows = query.fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, unsigned(row, 1)?))).collect()
    }

    /// The persons a unit's open matters were given to, likewise.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn inbox_persons(&self, holder: PlaceId, unit: &str) -> Result<Vec<(String, u64)>, StoreError> {
        let sql = "WITH RECURSIVE people (person) AS (
                       SELECT min(m.person) FROM matters m
                       WHERE m.closed = 0 AND m.unit IS NOT NULL AND m.holder = ?1 AND m.unit = ?4
                       UNION ALL
                       SELECT (SELECT min(m.person) FROM matters m
                               WHERE m.closed = 0 AND m.unit IS NOT NULL AND m.holder = ?1 AND m.unit = ?4
                               AND m.person > p.person)
                       FROM people p WHERE p.person IS NOT NULL LIMIT ?2)
                   SELECT p.person, (SELECT count(*) FROM (
                       SELECT 1 FROM matters m
                       WHERE m.closed = 0 AND m.unit IS NOT NULL AND m.holder = ?1 AND m.unit = ?4
                       AND m.person = p.person AND m.phase IN ('arrived', 'working') LIMIT ?3))
                   FROM people p WHERE p.person IS NOT NULL";
        let query = sqlx::query(sql).bind(holder.0.to_vec()).bind(UNITS_MAX).bind(COUNTED_MAX.cast_signed());
        let rows = query.bind(unit.to_owned()).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, unsigned(row, 1)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_its_phase() {
        let resting: Vec<_> = Stage::ALL.iter().filter(|s| Phase::of(s.name()) == Phase::Resting).collect();
        assert_eq!(resting, [&Stage::Merged, &Stage::Closed, &Stage::Withdrawn]);
        let arrived: Vec<_> = Stage::ALL.iter().filter(|s| Phase::of(s.name()) == Phase::Arrived).collect();
        assert_eq!(arrived, [&Stage::Registered, &Stage::Escalated, &Stage::Returned, &Stage::Reopened]);
    }
}
