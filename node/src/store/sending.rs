//! A link's feed as it is sent: its rows with what they stand for.
//!
//! Changes are most of it, so a row brings no more of one than a block needs; numbers of documents and
//! certificates are resolved once for many rows. Every column of every row costs two allocations and a
//! copy on its way out of the database.

use super::{
    Store,
    columns::{array, json_int_pairs, json_ints, optional_array, unsigned},
    error::StoreError,
    feed::FeedKind,
    read::{COMMIT_COLUMNS, COMMIT_JOINS, StoredCommit, stored_commit},
    receipts::{CommitRow, StoredReceipt, stored_receipt},
    world::LinkId,
};
use sqlx::{Row, sqlite::SqliteRow};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use yishi_protocol::{
    audience::Grant,
    beside::Beside,
    cert::{Placement, Revocation},
    commit::{Commit, Cover},
    header::Header,
    ids::{CertHash, ChangeHash, DocId},
    key::Signature,
    limits::PLACEMENT_BYTES_MAX,
    planted::Bug,
};

/// What a row of a document read whole is.
const HEADER: i64 = 0;
const GRANT: i64 = 1;
const COMMIT: i64 = 3;

/// A whole document, up to a watermark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeDocument {
    /// Its header.
    pub header: Header,
    /// All grants stored by now.
    pub grants: Vec<Grant>,
    /// Records beside it stored by now: wrapped keys, the word to forget, the word that it was done.
    pub wraps: Vec<Beside>,
    /// Its changes up to the watermark, dependencies first; the same for ever. Empty if the row was
    /// written before the document's first change.
    pub commits: Vec<StoredCommit>,
}

/// A change as a block needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FedChange {
    /// The document.
    pub doc: DocId,
    /// The change's hash.
    pub hash: ChangeHash,
    /// Its signature, if one was kept.
    pub cover: Option<Cover>,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Which row of the database it is.
    pub row: CommitRow,
}

impl From<StoredCommit> for FedChange {
    fn from(stored: StoredCommit) -> Self {
        let StoredCommit { id, commit: Commit { doc, hash, cover, bytes, .. }, .. } = stored;
        Self { doc, hash, cover, bytes, row: CommitRow(id) }
    }
}

/// One row of a link's feed with what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its number, from 1 without gaps.
    pub seq: u64,
    /// What it stands for.
    pub item: FeedItem,
}

/// What a row of a feed stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedItem {
    /// One change.
    Commit(FedChange),
    /// A document the peer did not see before.
    Document(Box<WholeDocument>),
    /// A widening of a document the peer sees.
    Grant {
        /// The document's header: the peer may not have it yet.
        header: Box<Header>,
        /// The grant.
        grant: Grant,
    },
    /// A record beside a dossier.
    Wrap {
        /// The document's header: the peer may not have it yet.
        header: Box<Header>,
        /// The record.
        record: Beside,
    },
    /// A revocation.
    Revocation(Revocation),
    /// A placement.
    Placement(Placement),
    /// A receipt of a level above about changes that came from the peer.
    Receipt(StoredReceipt),
    /// What stood here was deleted since; the row keeps its number and digest.
    Gone,
}

/// A row of a feed before its item is loaded.
struct Entry {
    seq: u64,
    kind: FeedKind,
    doc: i64,
    item: i64,
    change: Option<Change>,
}

/// A change with the numbers of its row instead of what they stand for.
struct Change {
    hash: ChangeHash,
    cover: Option<(i64, Signature)>,
    bytes: Vec<u8>,
}

/// What a grant and a wrapped key take in a block, about.
const GRANT_BYTES: usize = 128;
const WRAP_BYTES: usize = 256;
/// Rows whose items are loaded together.
const LOADED_AT_ONCE: usize = 512;
/// Whole documents among them, each of unknown size.
const DOCUMENTS_AT_ONCE: usize = 64;

fn entry(row: &SqliteRow) -> Result<Entry, StoreError> {
    let change = match optional_array(row, 4)? {
        None => None,
        Some(hash) => {
            let signed = row.try_get::<Option<i64>, _>(5)?.zip(optional_array(row, 6)?.map(Signature));
            Some(Change { hash: ChangeHash(hash), cover: signed, bytes: row.try_get(7)? })
        }
    };
    Ok(Entry {
        seq: unsigned(row, 0)?,
        kind: FeedKind::from_number(row.try_get(1)?)?,
        doc: row.try_get(2)?,
        item: row.try_get(3)?,
        change,
    })
}

/// For a planted bug: rows that a reader on a database with late-visible transactions would step over.
fn left_out(seq: u64) -> bool {
    (Bug::SkipRow.planted() || Bug::PassOverRefused.planted()) && seq % 3 == 2
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
            let mut chunk = self.feed_rows(link, after, LOADED_AT_ONCE.min(rows_max - out.len())).await?;
            let mut whole = chunk.iter().enumerate().filter(|(_, r)| r.kind == FeedKind::Document);
            if let Some((enough, _)) = whole.nth(DOCUMENTS_AT_ONCE) {
                chunk.truncate(enough);
            }
            let Some(last) = chunk.last() else { break };
            after = last.seq;
            let changed = chunk.iter().filter(|r| r.kind == FeedKind::Commit);
            let docs = self.doc_ids(changed.clone().map(|r| r.doc)).await?;
            let signed = changed.filter_map(|r| Some(r.change.as_ref()?.cover?.0));
            let certs = self.cert_hashes(signed.collect()).await?;
            let whole = chunk.iter().filter(|r| r.kind == FeedKind::Document).map(|r| (r.doc, r.item));
            let documents = self.whole_documents(whole.collect()).await?;
            for entry in chunk {
                let seq = entry.seq;
                let item = match entry.kind {
                    FeedKind::Commit if left_out(seq) => FeedItem::Gone,
                    FeedKind::Commit => {
                        let found = docs.get(&entry.doc).zip(entry.change);
                        found.map_or(FeedItem::Gone, |(doc, change)| {
                            let signed = change.cover.and_then(|(cert, s)| Some((*certs.get(&cert)?, s)));
                            FeedItem::Commit(FedChange {
                                doc: *doc,
                                hash: change.hash,
                                cover: signed.map(|(cert, signature)| Cover { cert, signature }),
                                bytes: change.bytes,
                                row: CommitRow(entry.item),
                            })
                        })
                    }
                    // A document may stand in a feed twice: a link was closed and opened again.
                    FeedKind::Document => documents
                        .get(&(entry.doc, entry.item))
                        .map_or(FeedItem::Gone, |whole| FeedItem::Document(Box::new(whole.clone()))),
                    _ => self.load_item(&entry).await?,
                };
                bytes += match &item {
                    FeedItem::Commit(c) => c.bytes.len(),
                    FeedItem::Document(d) => {
                        let changes: usize = d.commits.iter().map(|c| c.commit.bytes.len()).sum();
                        changes + d.grants.len() * GRANT_BYTES + d.wraps.len() * WRAP_BYTES
                    }
                    FeedItem::Revocation(r) => {
                        r.last_valid.len() * (DocId::LEN + ChangeHash::LEN)
                            + r.still_valid.len() * CertHash::LEN
                    }
                    FeedItem::Receipt(r) => r.bytes.len(),
                    FeedItem::Placement(_) => PLACEMENT_BYTES_MAX,
                    FeedItem::Grant { .. } => GRANT_BYTES,
                    FeedItem::Wrap { .. } => WRAP_BYTES,
                    FeedItem::Gone => 0,
                };
                if bytes > bytes_max && !out.is_empty() {
                    return Ok(out);
                }
                out.push(FeedEntry { seq, item });
            }
        }
        Ok(out)
    }

    async fn feed_rows(&self, link: LinkId, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let sql = "SELECT f.seq, f.kind, f.doc, f.item, c.hash, c.cover_cert, c.cover_sig, c.bytes
                   FROM feeds f LEFT JOIN commits c ON f.kind = 0 AND c.id = f.item
                   WHERE f.link = ?1 AND f.seq > ?2 AND f.seq <= ?4 ORDER BY f.seq LIMIT ?3";
        let rows = sqlx::query(sql)
            .bind(link.0)
            .bind(after.cast_signed())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(self.0.late.last_seen(link).map_or(i64::MAX, u64::cast_signed))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(entry).collect()
    }

    async fn doc_ids(&self, rows: impl Iterator<Item = i64>) -> Result<HashMap<i64, DocId>, StoreError> {
        let wanted: BTreeSet<i64> = rows.collect();
        let sql = "SELECT d.id, d.doc FROM json_each(?1) j CROSS JOIN docs d ON d.id = j.value";
        let rows = sqlx::query(sql).bind(json_ints(wanted)).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, DocId(array(row, 1)?)))).collect()
    }

    async fn cert_hashes(&self, wanted: BTreeSet<i64>) -> Result<HashMap<i64, CertHash>, StoreError> {
        let sql = "SELECT x.id, x.hash FROM json_each(?1) j CROSS JOIN certs x ON x.id = j.value";
        let rows = sqlx::query(sql).bind(json_ints(wanted)).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, CertHash(array(row, 1)?)))).collect()
    }

    async fn load_item(&self, row: &Entry) -> Result<FeedItem, StoreError> {
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
                let sql = "SELECT d.header, w.bytes FROM wraps w JOIN docs d ON d.id = w.doc
                           WHERE w.id = ?1";
                match sqlx::query(sql).bind(row.item).fetch_optional(self.readers()).await? {
                    Some(r) => FeedItem::Wrap {
                        header: Box::new(Header::decode(r.try_get(0)?)?),
                        record: Beside::decode(r.try_get(1)?)?,
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
            FeedKind::Placement => {
                let sql = "SELECT bytes FROM placements WHERE id = ?1";
                match sqlx::query(sql).bind(row.item).fetch_optional(self.readers()).await? {
                    Some(r) => FeedItem::Placement(Placement::decode(r.try_get(0)?)?),
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
    pub(super) async fn whole_documents(
        &self,
        wanted: BTreeSet<(i64, i64)>,
    ) -> Result<BTreeMap<(i64, i64), WholeDocument>, StoreError> {
        let mut out: BTreeMap<(i64, i64), WholeDocument> = BTreeMap::new();
        if wanted.is_empty() {
            return Ok(out);
        }
        let rows = json_ints(wanted.iter().map(|w| w.0).collect::<BTreeSet<_>>());
        let marks = json_int_pairs(wanted.iter().copied());
        // One statement, so that all of it is of one moment without a transaction: every statement is a
        // message to the connection's thread and back, and documents are read one by one all day.
        let nothing = ", NULL".repeat(12);
        let sql = format!(
            "SELECT d.id, d.doc{nothing}, d.header, d.id, 0, 0
                 FROM json_each(?1) j CROSS JOIN docs d ON d.id = j.value
             UNION ALL SELECT g.id, NULL{nothing}, g.bytes, g.doc, 0, 1
                 FROM json_each(?1) j CROSS JOIN grants g ON g.doc = j.value
             UNION ALL SELECT w.id, NULL{nothing}, w.bytes, w.doc, 0, 2
                 FROM json_each(?1) j CROSS JOIN wraps w ON w.doc = j.value
             UNION ALL SELECT {COMMIT_COLUMNS}, json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'), 3
                 FROM json_each(?2) j CROSS JOIN commits c
                     ON c.doc = json_extract(j.value, '$[0]') AND c.id <= json_extract(j.value, '$[1]')
                 {COMMIT_JOINS}"
        );
        let sql = sqlx::AssertSqlSafe(sql);
        let mut found = Vec::new();
        for row in sqlx::query(sql).bind(rows).bind(marks).fetch_all(self.readers()).await? {
            found.push((row.try_get::<i64, _>(17)?, row.try_get::<i64, _>(0)?, row));
        }
        // What a document is comes first, then what belongs to it, each in the order of storing.
        found.sort_by_key(|(part, id, _)| (*part, *id));
        let mut docs: BTreeMap<i64, (DocId, WholeDocument)> = BTreeMap::new();
        for (part, id, row) in &found {
            let key: i64 = row.try_get(15)?;
            if *part == HEADER {
                let header = Header::decode(row.try_get(14)?)?;
                let (grants, wraps, commits) = (Vec::new(), Vec::new(), Vec::new());
                docs.insert(*id, (DocId(array(row, 1)?), WholeDocument { header, grants, wraps, commits }));
            } else if let Some((doc, whole)) = docs.get_mut(&key).filter(|_| *part < COMMIT) {
                match *part {
                    GRANT => whole.grants.push(Grant::decode(*doc, row.try_get(14)?)?),
                    _ => whole.wraps.push(Beside::decode(row.try_get(14)?)?),
                }
            }
        }
        for (row, mark) in &wanted {
            if let Some((_, whole)) = docs.get(row) {
                out.insert((*row, *mark), whole.clone());
            }
        }
        for (_, _, row) in found.iter().filter(|(part, ..)| *part == COMMIT) {
            if let Some(whole) = out.get_mut(&(row.try_get(15)?, row.try_get(16)?)) {
                whole.commits.push(stored_commit(row)?);
            }
        }
        Ok(out)
    }
}
