//! Workbooks that this place fills from what is on record. They are this database's own: nothing of them travels.

use super::{Store, error::StoreError};
use sqlx::Row;

/// Forms kept at one place: the papers of a dozen offices.
const FORMS_MAX: i64 = 20;

/// A form, without its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormRow {
    /// What people call it.
    pub name: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// The cells that are filled, as JSON.
    pub cells: String,
    /// Who sent it: a member id.
    pub added_by: String,
    /// When.
    pub added_at_ms: u64,
}

impl Store {
    /// Keeps a form, in the place of one of the same name; `false` if there are too many already.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn keep_form(&self, form: FormRow, file: Vec<u8>) -> Result<bool, StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO forms (name, file, cells, added_by, added_at_ms)
                           SELECT ?1, ?2, ?3, ?4, ?5
                           WHERE (SELECT count(*) FROM forms WHERE name <> ?1) < ?6
                           ON CONFLICT (name) DO UPDATE SET file = excluded.file, cells = excluded.cells,
                               added_by = excluded.added_by, added_at_ms = excluded.added_at_ms";
                let done = sqlx::query(sql)
                    .bind(form.name)
                    .bind(file)
                    .bind(form.cells)
                    .bind(form.added_by)
                    .bind(form.added_at_ms.cast_signed())
                    .bind(FORMS_MAX)
                    .execute(&mut tx.conn)
                    .await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }

    /// Every form, by name, without the files.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn forms(&self) -> Result<Vec<FormRow>, StoreError> {
        let sql = "SELECT name, length(file), cells, added_by, added_at_ms FROM forms ORDER BY name";
        let rows = sqlx::query(sql).fetch_all(self.readers()).await?;
        rows.iter()
            .map(|row| {
                Ok(FormRow {
                    name: row.try_get(0)?,
                    bytes: row.try_get::<i64, _>(1)?.cast_unsigned(),
                    cells: row.try_get(2)?,
                    added_by: row.try_get(3)?,
                    added_at_ms: row.try_get::<i64, _>(4)?.cast_unsigned(),
                })
            })
            .collect()
    }

    /// The file of a form.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn form_file(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT file FROM forms WHERE name = ?1";
        let row = sqlx::query(sql).bind(name).fetch_optional(self.readers()).await?;
        Ok(row.map(|r| r.try_get(0)).transpose()?)
    }

    /// Takes a form away; `false` if there was none.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn remove_form(&self, name: String) -> Result<bool, StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let done =
                    sqlx::query("DELETE FROM forms WHERE name = ?1").bind(name).execute(&mut tx.conn).await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }
}
