//! Reading what was stored: histories, audiences, actors, heads.
//!
//! Readers have connections of their own and see whole transactions only. They never wait for the writer.

use super::{
    Store,
    batch::FeedDigest,
    columns::{array, change_hashes, json_ids, json_ints, optional_array, small, unsigned},
    error::StoreError,
    receipts::{Origin, origin},
    sending::WholeDocument,
    world::LinkId,
};
use sqlx::{Connection as _, Row, sqlite::SqliteRow};
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    audience::{Audience, Grant},
    commit::{ActorRecord, Commit, Cover, DocIndex, Place},
    header::Header,
    ids::{ActorId, CertHash, ChangeHash, DocId, Incarnation, PlaceId},
    key::Signature,
};

/// A stored change with what the store knows about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCommit {
    /// In the order of storing; dependencies have lower numbers.
    pub id: i64,
    /// The change.
    pub commit: Commit,
    /// Where it came from; `None` if it was written here.
    pub origin: Option<Origin>,
    /// How many levels above have stored it.
    pub stored_up: u32,
    /// When it was stored here.
    pub stored_at_ms: u64,
}

/// A document as the gate and the session need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocState {
    /// Its header.
    pub header: Header,
    /// Who sees it: the header's reach and all stored grants.
    pub audience: Audience,
    /// The shape of its history.
    pub index: DocIndex,
}

/// Documents whose heads are found together.
const DOCS_AT_ONCE: i64 = 128;

/// Columns of [`stored_commit`]; `bytes` last.
pub(super) const COMMIT_COLUMNS: &str =
    "c.id, d.doc, c.hash, a.actor, c.seq, c.max_op, c.deps, x.hash, c.cover_sig,
    c.origin_link, c.origin_seq, c.origin_ord, c.stored_up, c.stored_at_ms, c.bytes";
pub(super) const COMMIT_JOINS: &str = "JOIN docs d ON d.id = c.doc JOIN actors a ON a.id = c.actor
    LEFT JOIN certs x ON x.id = c.cover_cert";

pub(super) fn stored_commit(row: &SqliteRow) -> Result<StoredCommit, StoreError> {
    let cover = match (optional_array(row, 7)?, optional_array(row, 8)?) {
        (Some(cert), Some(signature)) => {
            Some(Cover { cert: CertHash(cert), signature: Signature(signature) })
        }
        _ => None,
    };
    Ok(StoredCommit {
        id: row.try_get(0)?,
        commit: Commit {
            doc: DocId(array(row, 1)?),
            hash: ChangeHash(array(row, 2)?),
            actor: ActorId(array(row, 3)?),
            seq: unsigned(row, 4)?,
            max_op: unsigned(row, 5)?,
            deps: change_hashes(row.try_get(6)?)?,
            bytes: row.try_get(14)?,
            cover,
        },
        origin: origin(row, 9)?,
        stored_up: small(row, 12)?,
        stored_at_ms: unsigned(row, 13)?,
    })
}

/// A statement that loads changes, with `condition` on `c`. Callers pass literals only.
macro_rules! commits_where {
    ($condition:literal) => {
        sqlx::AssertSqlSafe(format!(
            "SELECT {COMMIT_COLUMNS} FROM commits c {COMMIT_JOINS} WHERE {}",
            $condition
        ))
    };
}

impl Store {
    /// Reads the whole database through and checks its structure.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] says what SQLite found.
    pub async fn check(&self) -> Result<(), StoreError> {
        let row = sqlx::query("PRAGMA quick_check(1)").fetch_one(self.readers()).await?;
        match row.try_get::<String, _>(0)?.as_str() {
            "ok" => Ok(()),
            what => Err(StoreError::Damaged(what.to_owned())),
        }
    }

    /// A feed's last row and its digest.
    ///
    /// # Errors
    /// [`StoreError::UnknownLink`] if there is no such link.
    pub async fn feed_head(&self, link: LinkId) -> Result<(u64, FeedDigest), StoreError> {
        let row = sqlx::query("SELECT out_seq, out_digest FROM links WHERE id = ?1")
            .bind(link.0)
            .fetch_optional(self.readers())
            .await?
            .ok_or(StoreError::UnknownLink(link.0))?;
        let head = (unsigned(&row, 0)?, array(&row, 1)?);
        match self.0.late.last_seen(link).filter(|last| *last < head.0) {
            Some(last) => {
                Ok((last, self.feed_digest(link, last).await?.unwrap_or(super::feed::FIRST_DIGEST)))
            }
            None => Ok(head),
        }
    }

    /// A feed's digest at one row; `None` beyond its end. At 0 it is all zeros.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn feed_digest(&self, link: LinkId, seq: u64) -> Result<Option<FeedDigest>, StoreError> {
        if seq == 0 {
            return Ok(Some(super::feed::FIRST_DIGEST));
        }
        let row = sqlx::query("SELECT digest FROM feeds WHERE link = ?1 AND seq = ?2")
            .bind(link.0)
            .bind(seq.cast_signed())
            .fetch_optional(self.readers())
            .await?;
        row.map(|r| array(&r, 0)).transpose()
    }

    /// Who actors are; unknown ones are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn actor_records(&self, actors: &[ActorId]) -> Result<Vec<ActorRecord>, StoreError> {
        let sql = "SELECT a.actor, x.hash, a.incarnation FROM json_each(?1) j
                   CROSS JOIN actors a ON a.actor = unhex(j.value) JOIN certs x ON x.id = a.cert";
        let rows = sqlx::query(sql).bind(json_ids(actors)).fetch_all(self.readers()).await?;
        rows.iter()
            .map(|row| {
                Ok(ActorRecord {
                    actor: ActorId(array(row, 0)?),
                    cert: CertHash(array(row, 1)?),
                    incarnation: Incarnation(small(row, 2)?),
                })
            })
            .collect()
    }

    /// Documents as the gate and the session need them; unknown ones are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn doc_indexes(&self, docs: &[DocId]) -> Result<BTreeMap<DocId, DocState>, StoreError> {
        let sql = "SELECT d.id, d.doc, d.header FROM json_each(?1) j
                   CROSS JOIN docs d ON d.doc = unhex(j.value)";
        let mut found: BTreeMap<i64, (DocId, DocState)> = BTreeMap::new();
        // One transaction, so that audience and history belong together.
        let mut reader = self.readers().take().await?;
        let mut tx = reader.begin().await?;
        for row in sqlx::query(sql).bind(json_ids(docs)).fetch_all(&mut *tx).await? {
            let header = Header::decode(row.try_get(2)?)?;
            let audience = Audience::of_header(&header);
            let state = DocState { header, audience, index: DocIndex::default() };
            found.insert(row.try_get(0)?, (DocId(array(&row, 1)?), state));
        }
        let ids = json_ints(found.keys().copied());
        let sql = "SELECT g.doc, g.bytes FROM json_each(?1) j CROSS JOIN grants g ON g.doc = j.value";
        for row in sqlx::query(sql).bind(&ids).fetch_all(&mut *tx).await? {
            if let Some((doc, state)) = found.get_mut(&row.try_get::<i64, _>(0)?) {
                state.audience.0.insert(Grant::decode(*doc, row.try_get(1)?)?.reach);
            }
        }
        let sql =
            "SELECT c.doc, c.hash, a.actor, c.seq, c.max_op, c.deps, length(c.bytes) FROM json_each(?1) j
                   CROSS JOIN commits c ON c.doc = j.value JOIN actors a ON a.id = c.actor ORDER BY c.id";
        for row in sqlx::query(sql).bind(&ids).fetch_all(&mut *tx).await? {
            if let Some((_, state)) = found.get_mut(&row.try_get::<i64, _>(0)?) {
                let place = Place {
                    actor: ActorId(array(&row, 2)?),
                    seq: unsigned(&row, 3)?,
                    max_op: unsigned(&row, 4)?,
                };
                let deps = change_hashes(row.try_get(5)?)?;
                state.index.insert(ChangeHash(array(&row, 1)?), place, &deps);
                state.index.add_bytes(small(&row, 6)? as usize);
            }
        }
        tx.rollback().await?;
        Ok(found.into_values().collect())
    }

    /// A document's changes, dependencies first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn doc_commits(&self, doc: &DocId) -> Result<Vec<StoredCommit>, StoreError> {
        let rows = sqlx::query(commits_where!("d.doc = ?1 ORDER BY c.id"))
            .bind(doc.0.to_vec())
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(stored_commit).collect()
    }

    /// A whole document as stored now; `None` if it is not here.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn document(&self, doc: &DocId) -> Result<Option<WholeDocument>, StoreError> {
        let row = sqlx::query("SELECT id FROM docs WHERE doc = ?1")
            .bind(doc.0.to_vec())
            .fetch_optional(self.readers())
            .await?;
        match row {
            Some(row) => {
                Ok(self.whole_documents([(row.try_get(0)?, i64::MAX)].into()).await?.into_values().next())
            }
            None => Ok(None),
        }
    }

    /// Every document as stored now, all in memory at once: for small databases.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn every_document(&self) -> Result<BTreeMap<DocId, WholeDocument>, StoreError> {
        let ids = sqlx::query("SELECT id, doc FROM docs").fetch_all(self.readers()).await?;
        let mut doc_of = BTreeMap::new();
        for row in &ids {
            doc_of.insert(row.try_get::<i64, _>(0)?, DocId(array(row, 1)?));
        }
        let whole = self.whole_documents(doc_of.keys().map(|id| (*id, i64::MAX)).collect()).await?;
        Ok(whole.into_iter().filter_map(|((id, _), whole)| Some((doc_of.remove(&id)?, whole))).collect())
    }

    /// The documents of a home, or of every home, of one kind.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn docs_of_kind(
        &self,
        kind: yishi_protocol::kind::Kind,
        home: Option<PlaceId>,
    ) -> Result<Vec<DocId>, StoreError> {
        let sql = "SELECT doc FROM docs WHERE kind = ?1 AND (?2 IS NULL OR home = ?2) ORDER BY id";
        let rows = sqlx::query(sql)
            .bind(i64::from(kind.number()))
            .bind(home.map(|h| h.0.to_vec()))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|row| Ok(DocId(array(row, 0)?))).collect()
    }

    /// Every document a link may see with its heads, by document: what reconciliation compares.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn visible_docs(
        &self,
        link: LinkId,
    ) -> Result<BTreeMap<DocId, BTreeSet<ChangeHash>>, StoreError> {
        let mut out = BTreeMap::new();
        let mut after = 0;
        let mut reader = self.readers().take().await?;
        let mut tx = reader.begin().await?;
        loop {
            let sql = "SELECT d.id, d.doc FROM visible v JOIN docs d ON d.id = v.doc
                       WHERE v.link = ?1 AND v.doc > ?2 ORDER BY v.doc LIMIT ?3";
            let rows =
                sqlx::query(sql).bind(link.0).bind(after).bind(DOCS_AT_ONCE).fetch_all(&mut *tx).await?;
            let mut docs: BTreeMap<i64, DocId> = BTreeMap::new();
            for row in &rows {
                docs.insert(row.try_get(0)?, DocId(array(row, 1)?));
            }
            let Some((last, _)) = docs.last_key_value() else { break };
            after = *last;
            let mut heads: BTreeMap<i64, BTreeSet<ChangeHash>> = BTreeMap::new();
            let sql = "SELECT c.doc, c.hash, c.deps FROM json_each(?1) j
                       CROSS JOIN commits c ON c.doc = j.value ORDER BY c.id";
            for row in sqlx::query(sql).bind(json_ints(docs.keys().copied())).fetch_all(&mut *tx).await? {
                let of = heads.entry(row.try_get(0)?).or_default();
                for dep in change_hashes(row.try_get(2)?)? {
                    of.remove(&dep);
                }
                of.insert(ChangeHash(array(&row, 1)?));
            }
            for (id, doc) in docs {
                out.insert(doc, heads.remove(&id).unwrap_or_default());
            }
        }
        tx.rollback().await?;
        Ok(out)
    }

    /// Which links may see a document.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn links_seeing(&self, doc: &DocId) -> Result<Vec<LinkId>, StoreError> {
        let sql = "SELECT v.link FROM docs d JOIN visible v ON v.doc = d.id WHERE d.doc = ?1 ORDER BY v.link";
        let rows = sqlx::query(sql).bind(doc.0.to_vec()).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok(LinkId(row.try_get(0)?))).collect()
    }
}
