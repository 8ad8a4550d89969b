//! The projector's durable queue: which documents changed since they were last folded.
//!
//! A document is taken with a stamp and struck off only if the stamp still stands, so a change that
//! arrives meanwhile is never missed. Documents being read are marked on disk first: if reading one
//! kills the process, the next start knows the suspects.

use super::{
    Store,
    columns::{array, json_ids, json_ints, small},
    error::StoreError,
    writer::Tx,
};
use sqlx::Row;
use yishi_protocol::ids::DocId;

/// A document waiting to be folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirtyDoc {
    /// The document.
    pub doc: DocId,
    /// Its last change as the queue counts them.
    pub stamp: i64,
    pub(super) row: i64,
}

impl Tx {
    /// Strikes documents off the queue unless they changed again.
    pub(super) async fn undirty(&mut self, docs: &[DirtyDoc]) -> Result<(), StoreError> {
        for doc in docs {
            sqlx::query("DELETE FROM dirty WHERE doc = ?1 AND stamp = ?2")
                .bind(doc.row)
                .bind(doc.stamp)
                .execute(&mut self.conn)
                .await?;
        }
        let sql = "DELETE FROM applying WHERE doc IN (SELECT value FROM json_each(?1))";
        sqlx::query(sql).bind(json_ints(docs.iter().map(|d| d.row))).execute(&mut self.conn).await?;
        Ok(())
    }
}

impl Store {
    /// The documents that changed longest ago, oldest first; quarantined ones are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn dirty_docs(&self, limit: u32) -> Result<Vec<DirtyDoc>, StoreError> {
        let sql = "SELECT q.doc, q.stamp, d.doc FROM dirty q JOIN docs d ON d.id = q.doc
                   WHERE q.doc NOT IN (SELECT doc FROM quarantine) ORDER BY q.stamp, q.doc LIMIT ?1";
        let rows = sqlx::query(sql).bind(i64::from(limit)).fetch_all(self.readers()).await?;
        rows.iter()
            .map(|row| {
                Ok(DirtyDoc { row: row.try_get(0)?, stamp: row.try_get(1)?, doc: DocId(array(row, 2)?) })
            })
            .collect()
    }

    /// How many documents wait.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn dirty_count(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT count(*) FROM dirty").fetch_one(self.readers()).await?;
        super::columns::unsigned(&row, 0)
    }

    /// Strikes documents off the queue unless they changed again since they were taken.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn undirty(&self, docs: Vec<DirtyDoc>) -> Result<(), StoreError> {
        self.submit(move |tx| Box::pin(async move { tx.undirty(&docs).await })).await
    }

    /// Marks documents as about to be read; [`Store::project`] takes the mark away. `again` says that they
    /// bear the mark of an earlier process: only that is counted.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn begin_applying(&self, docs: &[DirtyDoc], again: bool) -> Result<(), StoreError> {
        let rows = json_ints(docs.iter().map(|d| d.row));
        let more = i64::from(again);
        self.submit(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO applying (doc) SELECT value FROM json_each(?1) WHERE true
                           ON CONFLICT DO UPDATE SET times = times + ?2";
                sqlx::query(sql).bind(rows).bind(more).execute(&mut tx.conn).await?;
                Ok(())
            })
        })
        .await
    }

    /// Takes the mark away: reading went well, whatever comes after it.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn was_read(&self, docs: &[DirtyDoc]) -> Result<(), StoreError> {
        let rows = json_ints(docs.iter().map(|d| d.row));
        self.submit(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM applying WHERE doc IN (SELECT value FROM json_each(?1))";
                sqlx::query(sql).bind(rows).execute(&mut tx.conn).await?;
                Ok(())
            })
        })
        .await
    }

    /// Documents that were being read when the process last ended, with how often that happened.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn interrupted(&self) -> Result<Vec<(DocId, u32)>, StoreError> {
        let sql = "SELECT d.doc, a.times FROM applying a JOIN docs d ON d.id = a.doc ORDER BY a.doc";
        let rows = sqlx::query(sql).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((DocId(array(row, 0)?), small(row, 1)?))).collect()
    }

    /// Sets a document aside: it is kept and forwarded, but not folded until released.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn quarantine(&self, doc: DocId, why: String, at_ms: u64) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let sql = "INSERT OR REPLACE INTO quarantine (doc, why, at_ms)
                           SELECT id, ?2, ?3 FROM docs WHERE doc = ?1";
                sqlx::query(sql)
                    .bind(doc.0.to_vec())
                    .bind(why)
                    .bind(at_ms.cast_signed())
                    .execute(&mut tx.conn)
                    .await?;
                let sql = "DELETE FROM applying WHERE doc IN (SELECT id FROM docs WHERE doc = ?1)";
                sqlx::query(sql).bind(doc.0.to_vec()).execute(&mut tx.conn).await?;
                Ok(())
            })
        })
        .await
    }

    /// Documents set aside and why.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn quarantined(&self) -> Result<Vec<(DocId, String)>, StoreError> {
        let sql = "SELECT d.doc, q.why FROM quarantine q JOIN docs d ON d.id = q.doc ORDER BY q.at_ms";
        let rows = sqlx::query(sql).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((DocId(array(row, 0)?), row.try_get(1)?))).collect()
    }

    /// Takes documents out of quarantine and puts them into the queue again.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn release(&self, docs: &[DocId]) -> Result<(), StoreError> {
        let docs = json_ids(docs);
        self.submit(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM quarantine WHERE doc IN
                           (SELECT d.id FROM json_each(?1) j JOIN docs d ON d.doc = unhex(j.value))
                           RETURNING doc";
                let rows = sqlx::query(sql).bind(docs).fetch_all(&mut tx.conn).await?;
                let rows = rows.iter().map(|r| r.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
                tx.mark_dirty(rows.into_iter()).await
            })
        })
        .await
    }
}
