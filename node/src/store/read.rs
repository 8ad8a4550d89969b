//! Reading what was stored: feeds with their items, histories, audiences, actors.
//!
//! Readers have connections of their own and see whole transactions only. They never wait for the writer.

use super::{
    Store,
    batch::FeedDigest,
    columns::{array, change_hashes, json_ids, json_int_pairs, json_ints, optional_array, small, unsigned},
    error::StoreError,
    feed::FeedKind,
    receipts::{Origin, StoredReceipt, origin, stored_receipt},
    world::LinkId,
};
use sqlx::{Row, sqlite::SqliteRow};
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    audience::{Audience, Grant},
    cert::Revocation,
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

/// A whole document, up to a watermark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeDocument {
    /// Its header.
    pub header: Header,
    /// All grants stored by now.
    pub grants: Vec<Grant>,
    /// Wrapped keys stored by now, with their readers' certificates.
    pub wraps: Vec<(CertHash, Vec<u8>)>,
    /// Its changes up to the watermark, dependencies first; the same for ever. Empty if the row was
    /// written before the document's first change.
    pub commits: Vec<StoredCommit>,
}

/// One row of a link's feed with what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its number, from 1 without gaps.
    pub seq: u64,
    /// The feed's digest up to and with it.
    pub digest: FeedDigest,
    /// What it stands for.
    pub item: FeedItem,
}

/// What a row of a feed stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedItem {
    /// One change.
    Commit(StoredCommit),
    /// A document the peer did not see before.
    Document(Box<WholeDocument>),
    /// A widening of a document the peer sees.
    Grant {
        /// The document's header: the peer may not have it yet.
        header: Box<Header>,
        /// The grant.
        grant: Grant,
    },
    /// A wrapped key.
    Wrap {
        /// The document's header: the peer may not have it yet.
        header: Box<Header>,
        /// For whom.
        reader: CertHash,
        /// The wrapped key.
        bytes: Vec<u8>,
    },
    /// A revocation.
    Revocation(Revocation),
    /// A receipt of a level above about changes that came from the peer.
    Receipt(StoredReceipt),
    /// What stood here was deleted since; the row keeps its number and digest.
    Gone,
}

/// A row of a feed before its item is loaded.
struct Row0 {
    seq: u64,
    kind: FeedKind,
    doc: i64,
    item: i64,
    digest: FeedDigest,
}

/// Rows whose items are loaded together.
const LOADED_AT_ONCE: usize = 128;

/// Columns of [`stored_commit`]; `bytes` last.
const COMMIT_COLUMNS: &str = "c.id, d.doc, c.hash, a.actor, c.seq, c.max_op, c.deps, x.hash, c.cover_sig,
    c.origin_link, c.origin_seq, c.origin_ord, c.stored_up, c.stored_at_ms, c.bytes";
const COMMIT_JOINS: &str = "JOIN docs d ON d.id = c.doc JOIN actors a ON a.id = c.actor
    LEFT JOIN certs x ON x.id = c.cover_cert";

fn stored_commit(row: &SqliteRow) -> Result<StoredCommit, StoreError> {
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
    /// Rows of a link's feed after `seq`, with their items: at most `rows_max`, and no more once
    /// `bytes_max` of changes are loaded; never none if there is one.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn feed_after(
        &self,
        link: LinkId,
        seq: u64,
        rows_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<FeedEntry>, StoreError> {
        let mut out: Vec<FeedEntry> = Vec::new();
        let (mut bytes, mut after) = (0, seq);
        // Rows are loaded in pieces too: most of a whole block's worth would be thrown away.
        while out.len() < rows_max {
            let chunk = self.feed_rows(link, after, LOADED_AT_ONCE.min(rows_max - out.len())).await?;
            let Some(last) = chunk.last() else { break };
            after = last.seq;
            let ids = chunk.iter().filter(|r| r.kind == FeedKind::Commit).map(|r| r.item);
            let mut commits = self.commits_by_row(ids).await?;
            let whole = chunk.iter().filter(|r| r.kind == FeedKind::Document).map(|r| (r.doc, r.item));
            let documents = self.whole_documents(whole.collect()).await?;
            for row in &chunk {
                let item = match row.kind {
                    FeedKind::Commit => commits.remove(&row.item).map_or(FeedItem::Gone, FeedItem::Commit),
                    // A document may stand in a feed twice: a link was closed and opened again.
                    FeedKind::Document => documents
                        .get(&(row.doc, row.item))
                        .map_or(FeedItem::Gone, |whole| FeedItem::Document(Box::new(whole.clone()))),
                    _ => self.load_item(row).await?,
                };
                bytes += match &item {
                    FeedItem::Commit(c) => c.commit.bytes.len(),
                    FeedItem::Document(d) => d.commits.iter().map(|c| c.commit.bytes.len()).sum(),
                    _ => 0,
                };
                if bytes > bytes_max && !out.is_empty() {
                    return Ok(out);
                }
                out.push(FeedEntry { seq: row.seq, digest: row.digest, item });
            }
        }
        Ok(out)
    }

    async fn feed_rows(&self, link: LinkId, after: u64, limit: usize) -> Result<Vec<Row0>, StoreError> {
        let sql = "SELECT seq, kind, doc, item, digest FROM feeds WHERE link = ?1 AND seq > ?2
                   ORDER BY seq LIMIT ?3";
        let rows = sqlx::query(sql)
            .bind(link.0)
            .bind(after.cast_signed())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.readers())
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Row0 {
                    seq: unsigned(row, 0)?,
                    kind: FeedKind::from_number(row.try_get(1)?)?,
                    doc: row.try_get(2)?,
                    item: row.try_get(3)?,
                    digest: array(row, 4)?,
                })
            })
            .collect()
    }

    async fn commits_by_row(
        &self,
        ids: impl Iterator<Item = i64>,
    ) -> Result<BTreeMap<i64, StoredCommit>, StoreError> {
        let rows = sqlx::query(commits_where!("c.id IN (SELECT value FROM json_each(?1))"))
            .bind(json_ints(ids))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|row| stored_commit(row).map(|c| (c.id, c))).collect()
    }

    async fn load_item(&self, row: &Row0) -> Result<FeedItem, StoreError> {
        Ok(match row.kind {
            // Loaded many at a time by the caller.
            FeedKind::Commit | FeedKind::Document => FeedItem::Gone,
            FeedKind::Grant => {
                let sql = "SELECT d.doc, d.header, g.bytes FROM grants g JOIN docs d ON d.id = g.doc
                           WHERE g.id = ?1";
                match sqlx::query(sql).bind(row.item).fetch_optional(self.readers()).await? {
                    Some(r) => FeedItem::Grant {
                        header: Box::new(Header::decode(r.try_get(1)?)?),
                        grant: Grant::decode(DocId(array(&r, 0)?), r.try_get(2)?)?,
                    },
                    None => FeedItem::Gone,
                }
            }
            FeedKind::Wrap => {
                let sql = "SELECT d.header, w.reader, w.bytes FROM wraps w JOIN docs d ON d.id = w.doc
                           WHERE w.id = ?1";
                match sqlx::query(sql).bind(row.item).fetch_optional(self.readers()).await? {
                    Some(r) => FeedItem::Wrap {
                        header: Box::new(Header::decode(r.try_get(0)?)?),
                        reader: CertHash(array(&r, 1)?),
                        bytes: r.try_get(2)?,
                    },
                    None => FeedItem::Gone,
                }
            }
            FeedKind::Revocation => {
                let sql = "SELECT bytes FROM revocations WHERE id = ?1";
                match sqlx::query(sql).bind(row.item).fetch_optional(self.readers()).await? {
                    Some(r) => FeedItem::Revocation(Revocation::decode(r.try_get(0)?)?),
                    None => FeedItem::Gone,
                }
            }
            FeedKind::Receipt => {
                let sql = "SELECT level, level_place, link, from_seq, to_seq, bytes, at_ms FROM receipts
                           WHERE id = ?1";
                match sqlx::query(sql).bind(row.item).fetch_optional(self.readers()).await? {
                    Some(r) => FeedItem::Receipt(stored_receipt(&r, 0)?),
                    None => FeedItem::Gone,
                }
            }
        })
    }

    /// Documents by row number and watermark.
    async fn whole_documents(
        &self,
        wanted: BTreeSet<(i64, i64)>,
    ) -> Result<BTreeMap<(i64, i64), WholeDocument>, StoreError> {
        let mut out: BTreeMap<(i64, i64), WholeDocument> = BTreeMap::new();
        if wanted.is_empty() {
            return Ok(out);
        }
        let rows = json_ints(wanted.iter().map(|w| w.0).collect::<BTreeSet<_>>());
        let marks = json_int_pairs(wanted.iter().copied());
        let mut tx = self.readers().begin().await?;
        let mut docs: BTreeMap<i64, (DocId, WholeDocument)> = BTreeMap::new();
        let sql = "SELECT d.id, d.doc, d.header FROM json_each(?1) j CROSS JOIN docs d ON d.id = j.value";
        for row in sqlx::query(sql).bind(&rows).fetch_all(&mut *tx).await? {
            let header = Header::decode(row.try_get(2)?)?;
            let whole = WholeDocument { header, grants: Vec::new(), wraps: Vec::new(), commits: Vec::new() };
            docs.insert(row.try_get(0)?, (DocId(array(&row, 1)?), whole));
        }
        let sql = "SELECT g.doc, g.bytes FROM json_each(?1) j CROSS JOIN grants g ON g.doc = j.value
                   ORDER BY g.id";
        for row in sqlx::query(sql).bind(&rows).fetch_all(&mut *tx).await? {
            if let Some((doc, whole)) = docs.get_mut(&row.try_get(0)?) {
                whole.grants.push(Grant::decode(*doc, row.try_get(1)?)?);
            }
        }
        let sql = "SELECT w.doc, w.reader, w.bytes FROM json_each(?1) j CROSS JOIN wraps w ON w.doc = j.value
                   ORDER BY w.id";
        for row in sqlx::query(sql).bind(&rows).fetch_all(&mut *tx).await? {
            if let Some((_, whole)) = docs.get_mut(&row.try_get(0)?) {
                whole.wraps.push((CertHash(array(&row, 1)?), row.try_get(2)?));
            }
        }
        for (row, mark) in &wanted {
            if let Some((_, whole)) = docs.get(row) {
                out.insert((*row, *mark), whole.clone());
            }
        }
        let sql = format!(
            "SELECT {COMMIT_COLUMNS}, json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]')
             FROM json_each(?1) j CROSS JOIN commits c
                 ON c.doc = json_extract(j.value, '$[0]') AND c.id <= json_extract(j.value, '$[1]')
             {COMMIT_JOINS} ORDER BY c.id"
        );
        for row in sqlx::query(sqlx::AssertSqlSafe(sql)).bind(marks).fetch_all(&mut *tx).await? {
            let key = (row.try_get(15)?, row.try_get(16)?);
            if let Some(whole) = out.get_mut(&key) {
                whole.commits.push(stored_commit(&row)?);
            }
        }
        tx.rollback().await?;
        Ok(out)
    }

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
        Ok((unsigned(&row, 0)?, array(&row, 1)?))
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
        let mut tx = self.readers().begin().await?;
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
        let sql = "SELECT c.doc, c.hash, a.actor, c.seq, c.max_op, c.deps FROM json_each(?1) j
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
        let mut tx = self.readers().begin().await?;
        loop {
            let sql = "SELECT d.id, d.doc FROM visible v JOIN docs d ON d.id = v.doc
                       WHERE v.link = ?1 AND v.doc > ?2 ORDER BY v.doc LIMIT ?3";
            let rows = sqlx::query(sql)
                .bind(link.0)
                .bind(after)
                .bind(LOADED_AT_ONCE as i64)
                .fetch_all(&mut *tx)
                .await?;
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
