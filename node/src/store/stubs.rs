//! What registers of places below say about matters that may not be here: number, places, stage and days.

use super::{
    Store,
    columns::{array, insert_rows, optional_array, small, unsigned},
    error::StoreError,
    writer::Tx,
};
use sqlx::{Row, sqlite::SqliteRow};
use yishi_protocol::ids::{DocId, PlaceId};

/// What a register says about a matter that need not be here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StubRow {
    /// The register's document.
    pub register: DocId,
    /// The matter's document.
    pub matter: DocId,
    /// The place it is about.
    pub place: PlaceId,
    /// Its number.
    pub number: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Its stage, by stable name.
    pub stage: String,
    /// Who must act next.
    pub holder: Option<PlaceId>,
    /// The day by which the holder must act.
    pub due_day: Option<String>,
    /// Whether nobody has to act any more.
    pub closed: bool,
    /// Acts that were not allowed.
    pub violations: u32,
    /// When it last changed here.
    pub updated_at_ms: u64,
    /// The stub as JSON.
    pub detail: String,
}

const STUBS: &str =
    "SELECT d.doc, s.matter, s.place, s.number, s.category, s.stage, s.holder, s.due_day, s.closed,
    s.violations, s.updated_at_ms, s.detail FROM stubs s JOIN docs d ON d.id = s.register";

impl Tx {
    pub(super) async fn project_stubs(&mut self, row: i64, stubs: Vec<StubRow>) -> Result<(), StoreError> {
        let head = "INSERT OR REPLACE INTO stubs (register, matter, place, number, category, stage, holder,
                    due_day, closed, violations, updated_at_ms, detail)";
        insert_rows(&mut self.conn, head, 12, "", stubs, |q, s| {
            q.bind(row)
                .bind(s.matter.0.to_vec())
                .bind(s.place.0.to_vec())
                .bind(s.number)
                .bind(s.category)
                .bind(s.stage)
                .bind(s.holder.map(|p| p.0.to_vec()))
                .bind(s.due_day)
                .bind(s.closed)
                .bind(i64::from(s.violations))
                .bind(s.updated_at_ms.cast_signed())
                .bind(s.detail)
        })
        .await
    }
}

impl Store {
    /// The stubs of one place's matters, or of all places'.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn stubs(&self, place: Option<PlaceId>) -> Result<Vec<StubRow>, StoreError> {
        let sql = format!("{STUBS} WHERE ?1 IS NULL OR s.place = ?1 ORDER BY s.place, s.matter");
        let place = place.map(|p| p.0.to_vec());
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(place).fetch_all(self.readers()).await?;
        rows.iter().map(stub_row).collect()
    }

    /// Stubs of open matters that were due before a day and are not themselves here, the earliest due first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn overdue_stubs(&self, day: &str, limit: u32) -> Result<Vec<StubRow>, StoreError> {
        let sql = format!(
            "{STUBS} WHERE s.closed = 0 AND s.due_day < ?1
             AND NOT EXISTS (SELECT 1 FROM matters m JOIN docs o ON o.id = m.doc WHERE o.doc = s.matter)
             ORDER BY s.due_day, s.matter LIMIT ?2"
        );
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(day).bind(limit).fetch_all(self.readers()).await?;
        rows.iter().map(stub_row).collect()
    }

    /// The matters of which registers speak under a number.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn stubs_by_number(&self, number: &str) -> Result<Vec<DocId>, StoreError> {
        let sql = "SELECT DISTINCT matter FROM stubs WHERE number = ?1 LIMIT 2";
        let rows = sqlx::query(sql).bind(number.to_owned()).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok(DocId(array(row, 0)?))).collect()
    }

    /// The newest word of a register below about a matter.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn stub(&self, matter: &DocId) -> Result<Option<StubRow>, StoreError> {
        let sql = format!("{STUBS} WHERE s.matter = ?1 ORDER BY s.detail ->> 'on' DESC, s.register LIMIT 1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(matter.0.to_vec())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(stub_row).transpose()
    }
}

fn stub_row(row: &SqliteRow) -> Result<StubRow, StoreError> {
    Ok(StubRow {
        register: DocId(array(row, 0)?),
        matter: DocId(array(row, 1)?),
        place: PlaceId(array(row, 2)?),
        number: row.try_get(3)?,
        category: row.try_get(4)?,
        stage: row.try_get(5)?,
        holder: optional_array(row, 6)?.map(PlaceId),
        due_day: row.try_get(7)?,
        closed: row.try_get(8)?,
        violations: small(row, 9)?,
        updated_at_ms: unsigned(row, 10)?,
        detail: row.try_get(11)?,
    })
}
