//! What waits for something that is missing (rule R13): counted, so that a peer cannot make this node compare
//! histories for ever, and let go when what was missing has come.

use super::{
    Store,
    columns::{array, json_ids},
    error::StoreError,
    world::LinkId,
    writer::Tx,
};
use sqlx::Row;
use std::collections::BTreeMap;
use yishi_protocol::{gate::Refusal, ids::DocId, session::NO_DIGEST};

impl Store {
    /// How often sections of each document came over a link and had to wait, since a moment.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn parked(&self, link: LinkId, since_ms: u64) -> Result<BTreeMap<DocId, u64>, StoreError> {
        let sql = "SELECT doc, count(*) FROM verdicts
                   WHERE verdict = 2 AND link = ?1 AND at_ms >= ?2 GROUP BY doc";
        let rows =
            sqlx::query(sql).bind(link.0).bind(since_ms.cast_signed()).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((DocId(array(row, 0)?), row.try_get::<i64, _>(1)?.unsigned_abs()))).collect()
    }
}

impl Tx {
    /// Documents that got something new wait no longer. If certificates came, links that left out a section
    /// for the lack of one compare histories at their next meeting, once.
    pub(super) async fn release_parked(&mut self, came: &[DocId], certs: bool) -> Result<(), StoreError> {
        if !came.is_empty() {
            let sql = "DELETE FROM verdicts WHERE verdict = 2 AND doc IN
                       (SELECT unhex(j.value) FROM json_each(?1) j)";
            sqlx::query(sql).bind(json_ids(came)).execute(&mut self.conn).await?;
        }
        if certs {
            let reason = Refusal::UnknownCertificate.code();
            let sql = "UPDATE links SET in_digest = ?2 WHERE id IN
                       (SELECT link FROM verdicts WHERE verdict = 2 AND reason = ?1)";
            sqlx::query(sql).bind(reason).bind(NO_DIGEST.to_vec()).execute(&mut self.conn).await?;
            let sql = "DELETE FROM verdicts WHERE verdict = 2 AND reason = ?1";
            sqlx::query(sql).bind(reason).execute(&mut self.conn).await?;
        }
        Ok(())
    }
}
