//! Counts of how matters stand, by week, place and category: kept by the database as rows change, read here.
//!
//! A page over a hundred thousand matters reads some hundreds of rows: what is older than its weeks is summed by the
//! database. What is overdue depends on the day one looks, so it is counted by due day and summed up to that day.

use super::{
    Store,
    columns::{array, unsigned},
    error::StoreError,
};
use sqlx::Row;
use std::{collections::BTreeMap, fmt::Write as _};
use yishi_protocol::ids::PlaceId;

/// What is counted by week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Raised.
    Raised,
    /// The newest reply is an answer.
    Answered,
    /// The newest reply is a refusal or a referral.
    Refused,
    /// Closed.
    Closed,
}

impl What {
    fn of(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::Raised,
            2 => Self::Answered,
            3 => Self::Refused,
            4 => Self::Closed,
            _ => return None,
        })
    }
}

/// What happened since a Monday.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// By the Monday of the week.
    pub weeks: BTreeMap<(What, i64), u64>,
    /// By the place that registered it.
    pub places: BTreeMap<(What, PlaceId), u64>,
    /// By category; what has none is under the empty text.
    pub categories: BTreeMap<(What, String), u64>,
}

/// Open matters past their day, of one holder and one week of due days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// Who holds them.
    pub place: PlaceId,
    /// The Monday; `None` for all that were due before the weeks asked for.
    pub week: Option<i64>,
    /// How many.
    pub matters: u64,
    /// Of these, whose holder was not heard from since their day: they may have been done.
    pub unknown: u64,
}

impl Store {
    /// What happened from this Monday on.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn counted_since(&self, monday: i64) -> Result<Counted, StoreError> {
        let mut counted = Counted::default();
        let sql = "SELECT what, slot, sum(n) FROM tally WHERE what BETWEEN 1 AND 4 AND slot >= ?1 GROUP BY what, slot";
        for row in sqlx::query(sql).bind(monday).fetch_all(self.readers()).await? {
            if let Some(what) = What::of(row.try_get(0)?) {
                counted.weeks.insert((what, row.try_get(1)?), unsigned(&row, 2)?);
            }
        }
        let sql = "SELECT what, place, sum(n) FROM tally WHERE what IN (1, 2, 3, 4) AND slot >= ?1 GROUP BY what, place";
        for row in sqlx::query(sql).bind(monday).fetch_all(self.readers()).await? {
            if let Some(what) = What::of(row.try_get(0)?) {
                counted.places.insert((what, PlaceId(array(&row, 1)?)), unsigned(&row, 2)?);
            }
        }
        let sql = "SELECT what, category, sum(n) FROM tally WHERE what IN (1, 2, 3, 4) AND slot >= ?1
                   GROUP BY what, category";
        for row in sqlx::query(sql).bind(monday).fetch_all(self.readers()).await? {
            if let Some(what) = What::of(row.try_get(0)?) {
                counted.categories.insert((what, row.try_get(1)?), unsigned(&row, 2)?);
            }
        }
        Ok(counted)
    }

    /// Open matters that were due before `today`, by holder and the week of their day; those due before `since`,
    /// a Monday, together. `heard` says of places below the last day they were heard from, −1 for never; whoever is
    /// not in it needs not be heard from.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn late(
        &self,
        since: i64,
        today: i64,
        heard: &BTreeMap<PlaceId, i64>,
    ) -> Result<Vec<Late>, StoreError> {
        let mut said = String::from("{");
        for (place, day) in heard {
            let comma = if said.len() > 1 { "," } else { "" };
            let _ = write!(said, "{comma}\"{place}\":{day}");
        }
        said.push('}');
        let sql = "WITH h AS MATERIALIZED (SELECT unhex(key) AS place, value AS day FROM json_each(?1))
                   SELECT t.place, CASE WHEN t.slot < ?2 THEN NULL ELSE t.slot - (t.slot + 3) % 7 END AS week,
                          sum(t.n), sum(CASE WHEN h.day <= t.slot THEN t.n ELSE 0 END)
                   FROM tally t LEFT JOIN h ON h.place = t.place
                   WHERE t.what = 5 AND t.slot < ?3 GROUP BY 1, 2 HAVING sum(t.n) > 0";
        let rows = sqlx::query(sql).bind(said).bind(since).bind(today).fetch_all(self.readers()).await?;
        rows.iter()
            .map(|row| {
                Ok(Late {
                    place: PlaceId(array(row, 0)?),
                    week: row.try_get(1)?,
                    matters: unsigned(row, 2)?,
                    unknown: unsigned(row, 3)?,
                })
            })
            .collect()
    }

    /// Open matters that were due before `today`, by category.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn late_by_category(&self, today: i64) -> Result<BTreeMap<String, u64>, StoreError> {
        let sql = "SELECT category, sum(n) FROM tally WHERE what = 5 AND slot < ?1 GROUP BY category";
        let rows = sqlx::query(sql).bind(today).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, unsigned(row, 1)?))).collect()
    }

    /// Open matters, by who holds them.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn open_by_holder(&self) -> Result<BTreeMap<PlaceId, u64>, StoreError> {
        self.by_place("SELECT place, sum(n) FROM tally WHERE what = 6 GROUP BY place").await
    }

    /// Matters with acts that were not allowed, by who registered them.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn broken_by_home(&self) -> Result<BTreeMap<PlaceId, u64>, StoreError> {
        self.by_place("SELECT place, sum(n) FROM tally WHERE what = 7 GROUP BY place").await
    }

    async fn by_place(&self, sql: &'static str) -> Result<BTreeMap<PlaceId, u64>, StoreError> {
        let rows = sqlx::query(sql).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((PlaceId(array(row, 0)?), unsigned(row, 1)?))).collect()
    }
}
