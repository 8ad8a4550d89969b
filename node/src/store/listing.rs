//! Lists of matters: filters, order and pages.
//!
//! A page's cursor names the last row shown by its sort key and row number, so that what arrives
//! between two pages neither repeats nor hides anything that was there before.

use super::{
    Store,
    columns::{array, optional_array},
    error::StoreError,
    matters::{MATTER_COLUMNS, MatterRow, matter_row},
};
use sqlx::{QueryBuilder, Row, Sqlite};
use yishi_protocol::ids::{DocId, PlaceId};

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MatterSort {
    /// Last changed first.
    #[default]
    Updated,
    /// Due first; without a deadline last.
    Deadline,
    /// By number; without one first.
    Number,
}

/// Which deadlines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Before this day.
    Before(String),
    /// From the first to the second day, both included.
    Between(String, String),
}

/// Which matters, in which order, from where.
#[derive(Debug, Clone, Default)]
pub struct MatterQuery {
    /// Any of these stages; all if empty.
    pub stages: Vec<String>,
    /// Held by this place.
    pub holder: Option<PlaceId>,
    /// Registered by this place.
    pub home: Option<PlaceId>,
    /// In this category.
    pub category: Option<String>,
    /// With these words in number, title or text.
    pub text: Option<String>,
    /// Open and due.
    pub due: Option<Due>,
    /// Answered and not told.
    pub untold: bool,
    /// Only open or only closed ones.
    pub open: Option<bool>,
    /// Known to this other system.
    pub external_system: Option<String>,
    /// Answered on this day or later.
    pub answered_since: Option<String>,
    /// The order.
    pub sort: MatterSort,
    /// Rows of a page.
    pub limit: u32,
    /// [`MatterPage::next`] of the page before.
    pub after: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatterPage {
    /// The rows.
    pub rows: Vec<MatterRow>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

impl MatterSort {
    fn key(self) -> &'static str {
        match self {
            Self::Updated => "m.updated_at_ms",
            Self::Deadline => "coalesce(m.due_day, '9999')",
            Self::Number => "coalesce(m.number, '')",
        }
    }

    fn key_of(self, row: &MatterRow) -> String {
        match self {
            Self::Updated => row.updated_at_ms.to_string(),
            Self::Deadline => row.due_day.clone().unwrap_or_else(|| "9999".into()),
            Self::Number => row.number.clone().unwrap_or_default(),
        }
    }
}

/// `text` as a pattern that finds it anywhere.
pub(super) fn anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn conditions(query: &MatterQuery, sql: &mut QueryBuilder<Sqlite>) {
    sql.push(" WHERE true");
    if !query.stages.is_empty() {
        sql.push(" AND m.stage IN (");
        let mut stages = sql.separated(", ");
        for stage in &query.stages {
            stages.push_bind(stage.clone());
        }
        sql.push(")");
    }
    let texts = [
        (" AND m.category = ", &query.category),
        (" AND m.ext_system = ", &query.external_system),
        (" AND m.answered_on >= ", &query.answered_since),
    ];
    for (condition, value) in texts {
        if let Some(value) = value {
            sql.push(condition).push_bind(value.clone());
        }
    }
    for (condition, place) in [(" AND m.holder = ", query.holder), (" AND m.home = ", query.home)] {
        if let Some(place) = place {
            sql.push(condition).push_bind(place.0.to_vec());
        }
    }
    if let Some(text) = &query.text {
        let pattern = anywhere(text);
        sql.push(" AND (m.number LIKE ").push_bind(pattern.clone());
        sql.push(" ESCAPE '\\' OR m.title LIKE ").push_bind(pattern);
        // Only what the list itself shows: a search must not tell what a page would not. Another system's
        // number is found by whoever has it whole.
        sql.push(" ESCAPE '\\' OR m.category = ").push_bind(text.clone());
        sql.push(" OR m.ext_number = ").push_bind(text.clone()).push(")");
    }
    match &query.due {
        Some(Due::Before(day)) => {
            sql.push(" AND m.closed = 0 AND coalesce(m.due_day, '9999') < ").push_bind(day.clone());
        }
        Some(Due::Between(first, last)) => {
            sql.push(" AND m.closed = 0 AND coalesce(m.due_day, '9999') BETWEEN ").push_bind(first.clone());
            sql.push(" AND ").push_bind(last.clone());
        }
        None => {}
    }
    if query.untold {
        sql.push(" AND m.answered_on IS NOT NULL AND m.told = 0");
    }
    if let Some(open) = query.open {
        // Written out: a partial index serves only what it can read in the statement.
        sql.push(if open { " AND m.closed = 0" } else { " AND m.closed = 1" });
    }
}

impl Store {
    /// One page of matters.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read. A cursor that is none begins at the beginning.
    pub async fn matters(&self, query: &MatterQuery) -> Result<MatterPage, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(MATTER_COLUMNS);
        conditions(query, &mut sql);
        let (key, descending) = (query.sort.key(), query.sort == MatterSort::Updated);
        let cursor = query.after.as_deref().and_then(|c| c.split_once('.'));
        if let Some((row, last)) = cursor.and_then(|(row, last)| Some((row.parse::<i64>().ok()?, last))) {
            sql.push(" AND (").push(key).push(if descending { ", m.doc) < (" } else { ", m.doc) > (" });
            match query.sort {
                MatterSort::Updated => sql.push_bind(last.parse::<i64>().unwrap_or(i64::MAX)),
                MatterSort::Deadline | MatterSort::Number => sql.push_bind(last.to_owned()),
            };
            sql.push(", ").push_bind(row).push(")");
        }
        let order = if descending { " DESC" } else { "" };
        sql.push(format_args!(" ORDER BY {key}{order}, m.doc{order} LIMIT "));
        // One more than asked for tells whether there is a next page.
        sql.push_bind(i64::from(query.limit) + 1);
        let mut found = sql.build().fetch_all(self.readers()).await?;
        let more = found.len() as u64 > u64::from(query.limit);
        found.truncate(query.limit as usize);
        let rows = found.iter().map(matter_row).collect::<Result<Vec<_>, _>>()?;
        let last = match (found.last(), rows.last()) {
            (Some(stored), Some(row)) if more => {
                Some(format!("{}.{}", stored.try_get::<i64, _>(23)?, query.sort.key_of(row)))
            }
            _ => None,
        };
        Ok(MatterPage { rows, next: last })
    }

    /// How many matters fit, whatever the page.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn count_matters(&self, query: &MatterQuery) -> Result<u64, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT count(*) FROM matters m");
        conditions(query, &mut sql);
        super::columns::unsigned(&sql.build().fetch_one(self.readers()).await?, 0)
    }

    /// Open matters that were due before a day, the earliest due first, with who holds them: no more than one
    /// index has, so that going through all of them costs little. A page, and where the next one begins.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn overdue(
        &self,
        day: &str,
        after: Option<(String, i64)>,
        limit: u32,
    ) -> Result<(Vec<(DocId, Option<PlaceId>)>, Option<(String, i64)>), StoreError> {
        let sql = "SELECT d.doc, m.holder, coalesce(m.due_day, '9999'), m.doc FROM matters m JOIN docs d ON d.id = m.doc
                   WHERE m.closed = 0 AND coalesce(m.due_day, '9999') < ?1
                   AND (coalesce(m.due_day, '9999'), m.doc) > (?2, ?3)
                   ORDER BY coalesce(m.due_day, '9999'), m.doc LIMIT ?4";
        let (last, row) = after.unwrap_or_default();
        let rows = sqlx::query(sql)
            .bind(day.to_owned())
            .bind(last)
            .bind(row)
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await?;
        let full = rows.len() as u64 == u64::from(limit);
        let next = rows.last().filter(|_| full);
        let next = next.map(|row| Ok::<_, StoreError>((row.try_get(2)?, row.try_get(3)?))).transpose()?;
        let found = rows.iter().map(|row| Ok((DocId(array(row, 0)?), optional_array(row, 1)?.map(PlaceId))));
        Ok((found.collect::<Result<_, StoreError>>()?, next))
    }
}
