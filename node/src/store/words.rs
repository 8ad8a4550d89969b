//! What places made known, and which matters a place above opened: read models of notices.

use super::{
    Store,
    columns::{array, insert_rows, json_ids, unsigned},
    error::StoreError,
    writer::Tx,
};
use sqlx::{Row, sqlite::SqliteRow};
use yishi_protocol::ids::{DocId, PlaceId};

/// What a place made known. Days are days since 1970-01-01.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncementRow {
    /// Its document.
    pub doc: DocId,
    /// Whose word it is.
    pub place: PlaceId,
    /// `announcement`, `directive`, `topic` or `resource`.
    pub sort: String,
    /// A line that names it.
    pub title: String,
    /// What it is about.
    pub category: Option<String>,
    /// The day of its last word.
    pub said_on: i64,
    /// The last day it holds.
    pub until: Option<i64>,
    /// Whether it was taken back.
    pub recalled: bool,
    /// When it last changed here.
    pub updated_at_ms: u64,
    /// The fold as JSON.
    pub detail: String,
}

/// That a place opened a matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningRow {
    /// The matter.
    pub matter: DocId,
    /// The notice that says so.
    pub notice: DocId,
    /// Who opened it.
    pub place: PlaceId,
    /// Its number, as the stub gave it.
    pub number: String,
    /// Why.
    pub reason: String,
    /// The day.
    pub opened_on: i64,
    /// The person.
    pub person: Option<String>,
}

/// What one notice came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordRows {
    /// The document.
    pub doc: DocId,
    /// What it announces, if anything.
    pub announcement: Option<AnnouncementRow>,
    /// What it opened.
    pub openings: Vec<OpeningRow>,
}

/// Which announcements are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnnouncementQuery<'a> {
    /// Only those that hold on this day.
    pub on: Option<i64>,
    /// Only of this sort.
    pub sort: Option<&'a str>,
    /// Only about this category.
    pub category: Option<&'a str>,
    /// Older ones than this: day and row number.
    pub after: Option<(i64, i64)>,
    /// How many.
    pub limit: u32,
}

const ANNOUNCEMENTS: &str =
    "SELECT d.doc, a.place, a.sort, a.title, a.category, a.said_on, a.until, a.recalled,
    a.updated_at_ms, a.detail, a.doc FROM announcements a JOIN docs d ON d.id = a.doc";
const OPENINGS: &str = "SELECT o.matter, o.place, o.number, o.reason, o.opened_on, o.person, d.doc
    FROM openings o JOIN docs d ON d.id = o.notice";

impl Tx {
    pub(super) async fn project_words(&mut self, row: i64, words: WordRows) -> Result<(), StoreError> {
        if let Some(a) = words.announcement {
            let sql =
                "INSERT OR REPLACE INTO announcements (doc, place, sort, title, category, said_on, until,
                       recalled, updated_at_ms, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
            sqlx::query(sql)
                .bind(row)
                .bind(a.place.0.to_vec())
                .bind(a.sort)
                .bind(a.title)
                .bind(a.category)
                .bind(a.said_on)
                .bind(a.until)
                .bind(a.recalled)
                .bind(a.updated_at_ms.cast_signed())
                .bind(a.detail)
                .execute(&mut self.conn)
                .await?;
        }
        let head = "INSERT OR REPLACE INTO openings (matter, place, notice, position, number, reason, opened_on, person)";
        let openings: Vec<(i64, OpeningRow)> = (0..).zip(words.openings).collect();
        insert_rows(&mut self.conn, head, 8, "", openings, |q, (position, o)| {
            q.bind(o.matter.0.to_vec())
                .bind(o.place.0.to_vec())
                .bind(row)
                .bind(position)
                .bind(o.number)
                .bind(o.reason)
                .bind(o.opened_on)
                .bind(o.person)
        })
        .await
    }
}

impl Store {
    /// Announcements, the newest first, and where the next page begins.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn announcements(
        &self,
        asked: AnnouncementQuery<'_>,
    ) -> Result<(Vec<AnnouncementRow>, Option<(i64, i64)>), StoreError> {
        let sql = format!(
            "{ANNOUNCEMENTS} WHERE (?1 IS NULL OR (a.recalled = 0 AND (a.until IS NULL OR a.until >= ?1)))
             AND (?2 IS NULL OR a.sort = ?2) AND (?3 IS NULL OR a.category = ?3)
             AND (a.said_on, a.doc) < (?4, ?5) ORDER BY a.said_on DESC, a.doc DESC LIMIT ?6"
        );
        let (day, doc) = asked.after.unwrap_or((i64::MAX, i64::MAX));
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(asked.on)
            .bind(asked.sort.map(str::to_owned))
            .bind(asked.category.map(str::to_owned))
            .bind(day)
            .bind(doc)
            .bind(i64::from(asked.limit))
            .fetch_all(self.readers())
            .await?;
        let full = rows.len() as u64 == u64::from(asked.limit);
        let last = rows.last().filter(|_| full);
        let next = last.map(|row| Ok::<_, sqlx::Error>((row.try_get(5)?, row.try_get(10)?))).transpose()?;
        Ok((rows.iter().map(announcement).collect::<Result<_, _>>()?, next))
    }

    /// One announcement.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn announcement(&self, doc: &DocId) -> Result<Option<AnnouncementRow>, StoreError> {
        let sql = format!("{ANNOUNCEMENTS} WHERE d.doc = ?1");
        let row =
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(doc.0.to_vec()).fetch_optional(self.readers()).await?;
        row.as_ref().map(announcement).transpose()
    }

    /// Who opened these matters, the first one first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn openings(&self, matters: &[DocId]) -> Result<Vec<OpeningRow>, StoreError> {
        let sql = format!(
            "{OPENINGS} WHERE o.matter IN (SELECT unhex(value) FROM json_each(?1))
             ORDER BY o.matter, o.opened_on, o.notice, o.position"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(json_ids(matters.iter().copied()))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(opening).collect()
    }
}

fn announcement(row: &SqliteRow) -> Result<AnnouncementRow, StoreError> {
    Ok(AnnouncementRow {
        doc: DocId(array(row, 0)?),
        place: PlaceId(array(row, 1)?),
        sort: row.try_get(2)?,
        title: row.try_get(3)?,
        category: row.try_get(4)?,
        said_on: row.try_get(5)?,
        until: row.try_get(6)?,
        recalled: row.try_get(7)?,
        updated_at_ms: unsigned(row, 8)?,
        detail: row.try_get(9)?,
    })
}

fn opening(row: &SqliteRow) -> Result<OpeningRow, StoreError> {
    Ok(OpeningRow {
        matter: DocId(array(row, 0)?),
        place: PlaceId(array(row, 1)?),
        number: row.try_get(2)?,
        reason: row.try_get(3)?,
        opened_on: row.try_get(4)?,
        person: row.try_get(5)?,
        notice: DocId(array(row, 6)?),
    })
}
