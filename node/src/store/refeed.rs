//! What reconciliation asks of the store: whole documents fed again, and headers for building blocks.

use super::{
    Store,
    batch::FeedDigest,
    columns::{array, json_ids, json_ints},
    error::StoreError,
    feed::{FIRST_DIGEST, FeedKind},
    world::LinkId,
    writer::Tx,
};
use sqlx::Row;
use std::collections::BTreeMap;
use yishi_protocol::{
    header::Header,
    ids::{ChangeHash, DocId},
};

/// Where a feed stands after documents were fed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refed {
    /// The head when the documents were compared: the peer's cursor is set to it.
    pub resume: u64,
    /// The digest there.
    pub digest: FeedDigest,
    /// The head now.
    pub head: u64,
}

impl Tx {
    async fn refeed(
        &mut self,
        link: LinkId,
        docs: &[DocId],
        compared_at: u64,
        had: u64,
    ) -> Result<Refed, StoreError> {
        let resume = self.state.heads.get(&link).map_or(0, |h| h.seq).min(compared_at);
        let digest = match resume {
            0 => FIRST_DIGEST,
            _ => {
                let row = sqlx::query("SELECT digest FROM feeds WHERE link = ?1 AND seq = ?2")
                    .bind(link.0)
                    .bind(resume.cast_signed())
                    .fetch_one(&mut self.conn)
                    .await?;
                array(&row, 0)?
            }
        };
        self.refeed_others(link, had, resume).await?;
        // Also what the peer holds already but never signed for: its receipt is still owed.
        let sql = "SELECT d.id, d.doc, max(c.id) FROM docs d JOIN visible v ON v.doc = d.id AND v.link = ?2
                   JOIN commits c ON c.doc = d.id
                   WHERE d.doc IN (SELECT unhex(value) FROM json_each(?1))
                      OR (?3 AND d.id IN (SELECT doc FROM commits WHERE stored_up = 0 AND origin_link IS NOT ?2))
                   GROUP BY d.id ORDER BY d.id";
        let up = self.state.world.link(link).is_some_and(|l| l.up);
        let rows =
            sqlx::query(sql).bind(json_ids(docs)).bind(link.0).bind(up).fetch_all(&mut self.conn).await?;
        let mut watermarks: BTreeMap<i64, (i64, DocId)> = BTreeMap::new();
        for row in &rows {
            watermarks.insert(row.try_get(2)?, (row.try_get(0)?, DocId(array(row, 1)?)));
        }
        let sql = "SELECT c.id, c.hash FROM json_each(?1) j CROSS JOIN commits c ON c.id = j.value";
        let marks = json_ints(watermarks.keys().copied());
        let hashes = sqlx::query(sql).bind(marks).fetch_all(&mut self.conn).await?;
        for row in &hashes {
            let watermark: i64 = row.try_get(0)?;
            let last = ChangeHash(array(row, 1)?);
            if let Some((id, doc)) = watermarks.get(&watermark) {
                self.feed(link, FeedKind::Document, *id, watermark, &[doc.as_bytes(), last.as_bytes()]);
            }
        }
        self.feed_forgetting(link).await?;
        // Nobody will acknowledge the rows before: what counts of them stands in the rows that follow.
        sqlx::query("UPDATE links SET out_acked = ?2 WHERE id = ?1")
            .bind(link.0)
            .bind(resume.cast_signed())
            .execute(&mut self.conn)
            .await?;
        let head = self.state.heads.get(&link).map_or(resume, |h| h.seq);
        Ok(Refed { resume, digest, head })
    }
}

impl Tx {
    /// Appends again what is no change — widenings, keys, revocations, receipts — of the rows after `had`
    /// that the peer will never be sent now: comparing documents does not show whether it has them.
    async fn refeed_others(&mut self, link: LinkId, had: u64, resume: u64) -> Result<(), StoreError> {
        let sql = "SELECT kind, doc, item, min(digest) FROM feeds
                   WHERE link = ?1 AND seq > ?2 AND seq <= ?3 AND kind >= 2 GROUP BY kind, doc, item
                   ORDER BY min(seq)";
        let rows = sqlx::query(sql)
            .bind(link.0)
            .bind(had.cast_signed())
            .bind(resume.cast_signed())
            .fetch_all(&mut self.conn)
            .await?;
        for row in &rows {
            let kind = FeedKind::from_number(row.try_get(0)?)?;
            let identity: FeedDigest = array(row, 3)?;
            self.feed(link, kind, row.try_get(1)?, row.try_get(2)?, &[&identity]);
        }
        self.feed_revocations(link).await
    }

    /// Tells a link of every placement and revocation there is: they are few, and telling twice changes nothing.
    pub(super) async fn feed_revocations(&mut self, link: LinkId) -> Result<(), StoreError> {
        let rows =
            sqlx::query("SELECT id, hash FROM placements ORDER BY id").fetch_all(&mut self.conn).await?;
        for row in &rows {
            let hash: [u8; 32] = array(row, 1)?;
            self.feed(link, FeedKind::Placement, 0, row.try_get(0)?, &[&hash]);
        }
        let rows =
            sqlx::query("SELECT id, hash FROM revocations ORDER BY id").fetch_all(&mut self.conn).await?;
        for row in &rows {
            let hash: [u8; 32] = array(row, 1)?;
            self.feed(link, FeedKind::Revocation, 0, row.try_get(0)?, &[&hash]);
        }
        Ok(())
    }
}

impl Store {
    /// Appends a whole-document row to a link's feed for each of these documents that the link may see.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn refeed(
        &self,
        link: LinkId,
        docs: Vec<DocId>,
        compared_at: u64,
        had: u64,
    ) -> Result<Refed, StoreError> {
        // It writes to the link: whoever holds the link's row commits first.
        self.commit_late(link).await?;
        self.submit(move |tx| Box::pin(async move { tx.refeed(link, &docs, compared_at, had).await })).await
    }

    /// Headers of documents; unknown ones are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn headers(&self, docs: &[DocId]) -> Result<BTreeMap<DocId, Header>, StoreError> {
        let sql = "SELECT d.doc, d.header FROM json_each(?1) j CROSS JOIN docs d ON d.doc = unhex(j.value)";
        let rows = sqlx::query(sql).bind(json_ids(docs)).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((DocId(array(row, 0)?), Header::decode(row.try_get(1)?)?))).collect()
    }
}
