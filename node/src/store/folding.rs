//! Many documents at once as the fold needs them: headers and raw changes, nothing else.

use super::{
    Store,
    columns::{array, json_ids, json_ints, unsigned},
    error::StoreError,
    queue::DirtyDoc,
};
use sqlx::{Connection as _, Row};
use std::collections::{BTreeMap, btree_map::Entry};
use yishi_protocol::{
    audience::{Audience, Grant},
    header::Header,
    ids::{DocId, PlaceId},
    kind::Kind,
};

/// A document's header and raw changes.
#[derive(Debug, Clone)]
pub struct RawDocument {
    /// The document.
    pub doc: DocId,
    /// Its header.
    pub header: Header,
    /// Its changes in any order, one chunk after the other: a file that Automerge reads.
    pub chunks: Vec<u8>,
    /// When each of them was stored here, in the same order.
    pub stored_at_ms: Vec<u64>,
    /// When the last of them was stored here.
    pub updated_at_ms: u64,
}

impl Store {
    /// Queued documents with their changes. This place's own registers are left out: they tell it nothing that it
    /// does not know better, and it writes to a month's register with nearly every matter that moves.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn raw_documents(&self, docs: &[DirtyDoc]) -> Result<Vec<RawDocument>, StoreError> {
        let me = self.world().me.place;
        let ids = json_ints(docs.iter().map(|d| d.row));
        let mut reader = self.readers().take().await?;
        let mut tx = reader.begin().await?;
        let mut found: BTreeMap<i64, RawDocument> = BTreeMap::new();
        let sql = "SELECT d.id, d.doc, d.header FROM json_each(?1) j CROSS JOIN docs d ON d.id = j.value
                   WHERE NOT (d.kind = ?2 AND d.home = ?3)";
        let others = sqlx::query(sql).bind(&ids).bind(i64::from(Kind::Register.number())).bind(me.0.to_vec());
        for row in others.fetch_all(&mut *tx).await? {
            let header = Header::decode(row.try_get(2)?)?;
            let raw = RawDocument {
                doc: DocId(array(&row, 1)?),
                header,
                chunks: Vec::new(),
                stored_at_ms: Vec::new(),
                updated_at_ms: 0,
            };
            found.insert(row.try_get(0)?, raw);
        }
        let ids = json_ints(found.keys().copied());
        // One row for each document instead of one for each change: rows are what reading costs.
        let sql = "SELECT c.doc, max(c.stored_at_ms), CAST(group_concat(c.bytes, '') AS BLOB),
                   group_concat(c.stored_at_ms, ' ')
                   FROM json_each(?1) j CROSS JOIN commits c ON c.doc = j.value GROUP BY c.doc";
        for row in sqlx::query(sql).bind(&ids).fetch_all(&mut *tx).await? {
            if let Some(raw) = found.get_mut(&row.try_get::<i64, _>(0)?) {
                raw.updated_at_ms = unsigned(&row, 1)?;
                raw.chunks = row.try_get(2)?;
                let at: String = row.try_get(3)?;
                raw.stored_at_ms = at.split(' ').map_while(|ms| ms.parse().ok()).collect();
            }
        }
        tx.rollback().await?;
        Ok(found.into_values().collect())
    }

    /// Who sees documents; those not here are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn audiences(&self, docs: &[DocId]) -> Result<BTreeMap<DocId, Audience>, StoreError> {
        let sql = "SELECT d.doc, d.header, g.bytes FROM json_each(?1) j
                   CROSS JOIN docs d ON d.doc = unhex(j.value) LEFT JOIN grants g ON g.doc = d.id";
        let mut out: BTreeMap<DocId, Audience> = BTreeMap::new();
        for row in sqlx::query(sql).bind(json_ids(docs)).fetch_all(self.readers()).await? {
            let doc = DocId(array(&row, 0)?);
            let audience = match out.entry(doc) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(Audience::of_header(&Header::decode(row.try_get(1)?)?)),
            };
            if let Some(bytes) = row.try_get::<Option<&[u8]>, _>(2)? {
                audience.0.insert(Grant::decode(doc, bytes)?.reach);
            }
        }
        Ok(out)
    }

    /// Open matters that only a register speaks of, by the place that keeps it.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn open_stubs(&self) -> Result<BTreeMap<PlaceId, u64>, StoreError> {
        let sql = "SELECT s.place, count(DISTINCT s.matter) FROM stubs s
                   WHERE s.closed = 0 AND s.matter NOT IN (SELECT d.doc FROM matters m JOIN docs d ON d.id = m.doc)
                   GROUP BY s.place";
        let rows = sqlx::query(sql).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((PlaceId(array(row, 0)?), unsigned(row, 1)?))).collect()
    }
}
