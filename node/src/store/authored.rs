//! What certain keys wrote, by when it was stored here: what a revocation lets count and what not.

use super::{
    Store,
    columns::{array, json_ids, unsigned},
    error::StoreError,
};
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    change,
    ids::{ActorId, CertHash, ChangeHash, DocId, Hash},
};

/// Changes of certain keys in one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthoredDoc {
    /// The document.
    pub doc: DocId,
    /// Its number, if it is a matter that lists show.
    pub number: Option<String>,
    /// Its title, likewise.
    pub title: Option<String>,
    /// How many changes.
    pub changes: u64,
    /// When the first of them was stored here.
    pub first_ms: u64,
    /// When the last was.
    pub last_ms: u64,
}

impl Store {
    /// The last change of every author that goes by one of these certificates, in every document, as far
    /// as it was stored here before `before_ms`. Of an author that used a number twice, a copied machine's, the
    /// last of each branch.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn last_authored(
        &self,
        certs: &[CertHash],
        before_ms: u64,
    ) -> Result<Vec<(DocId, ChangeHash)>, StoreError> {
        // SQLite takes the other columns from the row that has the maximum.
        let sql = "SELECT d.doc, c.hash, max(c.seq), c.doc, c.actor, count(DISTINCT c.seq) < count(*)
                   FROM json_each(?1) j
                   CROSS JOIN certs x ON x.hash = unhex(j.value) JOIN actors a ON a.cert = x.id
                   JOIN commits c ON c.actor = a.id JOIN docs d ON d.id = c.doc
                   WHERE c.stored_at_ms < ?2 GROUP BY c.doc, c.actor";
        let rows = sqlx::query(sql)
            .bind(json_ids(certs))
            .bind(before_ms.cast_signed())
            .fetch_all(self.readers())
            .await?;
        let mut last = Vec::with_capacity(rows.len());
        for row in &rows {
            let doc = DocId(array(row, 0)?);
            if row.try_get(5)? {
                let ends = self.branch_ends((row.try_get(3)?, row.try_get(4)?), before_ms).await?;
                last.extend(ends.into_iter().map(|hash| (doc, hash)));
            } else {
                last.push((doc, ChangeHash(array(row, 1)?)));
            }
        }
        Ok(last)
    }

    /// The changes of an author in a document that none of its later ones stands on.
    async fn branch_ends(
        &self,
        (doc, actor): (i64, i64),
        before_ms: u64,
    ) -> Result<BTreeSet<ChangeHash>, StoreError> {
        let sql = "SELECT hash, bytes FROM commits WHERE doc = ?1 AND actor = ?2 AND stored_at_ms < ?3";
        let rows = sqlx::query(sql)
            .bind(doc)
            .bind(actor)
            .bind(before_ms.cast_signed())
            .fetch_all(self.readers())
            .await?;
        let (mut ends, mut stood_on) = (BTreeSet::new(), BTreeSet::new());
        for row in &rows {
            ends.insert(ChangeHash(array(row, 0)?));
            // Of one that cannot be read any more nothing is known but its name: it is named.
            let (_, deps) = change::lineage(row.try_get(1)?).unwrap_or((ActorId([0; 16]), Vec::new()));
            stood_on.extend(deps);
        }
        Ok(ends.difference(&stood_on).copied().collect())
    }

    /// What authors with these certificates wrote that was stored here at `from_ms` or later, by document.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn authored_since(
        &self,
        certs: &[CertHash],
        from_ms: u64,
    ) -> Result<Vec<AuthoredDoc>, StoreError> {
        let sql = "SELECT d.doc, m.number, m.title, count(*), min(c.stored_at_ms), max(c.stored_at_ms)
                   FROM json_each(?1) j
                   CROSS JOIN certs x ON x.hash = unhex(j.value) JOIN actors a ON a.cert = x.id
                   JOIN commits c ON c.actor = a.id JOIN docs d ON d.id = c.doc
                   LEFT JOIN matters m ON m.doc = d.id
                   WHERE c.stored_at_ms >= ?2 GROUP BY c.doc ORDER BY min(c.stored_at_ms), c.doc";
        let rows = sqlx::query(sql)
            .bind(json_ids(certs))
            .bind(from_ms.cast_signed())
            .fetch_all(self.readers())
            .await?;
        rows.iter()
            .map(|row| {
                Ok(AuthoredDoc {
                    doc: DocId(array(row, 0)?),
                    number: row.try_get(1)?,
                    title: row.try_get(2)?,
                    changes: unsigned(row, 3)?,
                    first_ms: unsigned(row, 4)?,
                    last_ms: unsigned(row, 5)?,
                })
            })
            .collect()
    }

    /// When each certificate, revocation and placement was stored here, by its name.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn records_stored_at(&self) -> Result<BTreeMap<Hash, u64>, StoreError> {
        let sql = "SELECT hash, at_ms FROM certs UNION ALL SELECT hash, at_ms FROM revocations
                   UNION ALL SELECT hash, at_ms FROM placements";
        let rows = sqlx::query(sql).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((Hash(array(row, 0)?), unsigned(row, 1)?))).collect()
    }
}
