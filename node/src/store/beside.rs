//! Records beside sealed dossiers: wrapped keys, and forgetting them.
//!
//! The word to forget deletes every key of the dossier in the transaction that stores it, and signs this
//! place's word that it was done in the same one. A key that comes later is not kept. What the deleted rows
//! held is overwritten (`secure_delete`), and the log that still holds it is folded in and cut off at once.

use super::{Store, error::StoreError, feed::FeedKind, world::LinkId, writer::Tx};
use sqlx::Row;
use yishi_protocol::{
    beside::{Beside, What},
    ids::DocId,
    planted::Bug,
};

impl Tx {
    /// Stores a record beside a document: its id, its row and the links that see it.
    pub(super) async fn add_beside(
        &mut self,
        (id, row, links): (DocId, i64, &[LinkId]),
        record: Beside,
        from: Option<LinkId>,
    ) -> Result<(), StoreError> {
        if matches!(record.what, What::Wrap { .. }) && self.is_forgotten(row).await? {
            return Ok(());
        }
        let forget = matches!(record.what, What::Forget { .. });
        if !self.keep_beside((id, row, links), record, from).await?
            || !forget
            || Bug::ForgetsNothing.planted()
        {
            return Ok(());
        }
        let sql = "DELETE FROM wraps WHERE doc = ?1 AND kind = 0";
        sqlx::query(sql).bind(row).execute(&mut self.conn).await?;
        self.written.forgot = true;
        let world = self.state.world.clone();
        let federation = world.directory.federation();
        let done = Beside::new(&world.me.keys, world.me.cert, &federation, &id, What::Forgotten);
        self.keep_beside((id, row, links), done, None).await?;
        Ok(())
    }

    async fn is_forgotten(&mut self, row: i64) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM wraps WHERE doc = ?1 AND kind = 1 LIMIT 1";
        Ok(sqlx::query(sql).bind(row).fetch_optional(&mut self.conn).await?.is_some())
    }

    /// Whether it is new here.
    async fn keep_beside(
        &mut self,
        (id, row, links): (DocId, i64, &[LinkId]),
        record: Beside,
        from: Option<LinkId>,
    ) -> Result<bool, StoreError> {
        let hash = record.hash(&id);
        let reader = match &record.what {
            What::Wrap { reader, .. } => reader.0.to_vec(),
            What::Forget { .. } | What::Forgotten => Vec::new(),
        };
        let sql = "INSERT OR IGNORE INTO wraps (doc, kind, author, reader, hash, bytes)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id";
        let stored = sqlx::query(sql)
            .bind(row)
            .bind(i64::from(record.what.number()))
            .bind(record.by.0.to_vec())
            .bind(reader)
            .bind(hash.0.to_vec())
            .bind(record.encode())
            .fetch_optional(&mut self.conn)
            .await?;
        let Some(stored) = stored else { return Ok(false) };
        let item = stored.try_get(0)?;
        for link in links.iter().filter(|l| Some(**l) != from) {
            self.feed(*link, FeedKind::Wrap, row, item, &[hash.as_bytes()]);
        }
        Ok(true)
    }

    /// Tells a link of everybody who is to be forgotten and who has: comparing documents does not show it.
    pub(super) async fn feed_forgetting(&mut self, link: LinkId) -> Result<(), StoreError> {
        let sql = "SELECT w.id, w.doc, w.hash FROM wraps w JOIN visible v ON v.doc = w.doc AND v.link = ?1
                   WHERE w.kind > 0 ORDER BY w.id";
        let rows = sqlx::query(sql).bind(link.0).fetch_all(&mut self.conn).await?;
        for row in &rows {
            let hash: &[u8] = row.try_get(2)?;
            self.feed(link, FeedKind::Wrap, row.try_get(1)?, row.try_get(0)?, &[hash]);
        }
        Ok(())
    }

    /// Folds the log in and cuts it off, so that what was deleted is in no file any more. `false` if
    /// somebody was reading from it just then: a long reader must not hold up everybody who writes.
    pub(super) async fn wipe_log(&mut self) -> bool {
        if self.execute("PRAGMA busy_timeout = 50").await.is_err() {
            return false;
        }
        let wiped = match sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut self.conn).await {
            Ok(row) => row.try_get::<i64, _>(0).is_ok_and(|busy| busy == 0),
            Err(_) => false,
        };
        // As every connection is opened with.
        let patient = self.execute("PRAGMA busy_timeout = 10000").await;
        wiped && patient.is_ok()
    }
}

impl Store {
    /// Whether everybody whose dossier this is was forgotten here.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn is_forgotten(&self, doc: &DocId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM wraps w JOIN docs d ON d.id = w.doc WHERE d.doc = ?1 AND w.kind = 1 LIMIT 1";
        Ok(sqlx::query(sql).bind(doc.0.to_vec()).fetch_optional(self.readers()).await?.is_some())
    }
}
