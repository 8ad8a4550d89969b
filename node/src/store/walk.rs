//! The whole database read once, in pieces: documents with everything that belongs to them, and the rows
//! of feeds with what they name. Columns come as they are, believed in nothing; memory holds a few pieces.

use super::{
    Store,
    columns::{array, optional_array, unsigned},
    error::StoreError,
    feed::{FIRST_DIGEST, FeedKind, chained},
    world::LinkId,
};
use futures_util::TryStreamExt as _;
use sqlx::{Connection as _, Row, Sqlite, Transaction, sqlite::SqliteRow};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc;

/// Headers read together.
const DOCS_AT_ONCE: i64 = 256;
/// A piece is handed over once its changes are so large: large enough for signatures to be checked in
/// batches, small enough that several fit a village.
const PIECE_BYTES: usize = 384 * 1024;

/// One change as its row says.
#[derive(Debug, Clone)]
pub struct HeldChange {
    /// Its hash.
    pub hash: Vec<u8>,
    /// Its author's row.
    pub actor: i64,
    /// Its number under that actor.
    pub seq: i64,
    /// The highest operation counter.
    pub max_op: i64,
    /// What it stands on, one hash after the other.
    pub deps: Vec<u8>,
    /// The row of the certificate it was signed under, with the signature.
    pub cover: Option<(i64, Vec<u8>)>,
    /// The chunk.
    pub bytes: Vec<u8>,
    /// When it was stored here.
    pub stored_at_ms: i64,
}

/// A matter as lists show it, as far as that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its number.
    pub number: Option<String>,
    /// Its title.
    pub title: String,
    /// Its stage.
    pub stage: String,
    /// Whether it is ended.
    pub closed: bool,
    /// The rest, as JSON.
    pub detail: String,
    /// Its text as similar matters are looked for.
    pub compared: String,
    /// Whether the public board hides it, and what hangs of it; `None` where the board has nothing.
    pub board: Option<(bool, String)>,
}

/// One document as its rows say.
#[derive(Debug, Clone, Default)]
pub struct HeldDocument {
    /// Its row.
    pub row: i64,
    /// Its id.
    pub doc: Vec<u8>,
    /// Its kind's number.
    pub kind: i64,
    /// Its home.
    pub home: Vec<u8>,
    /// Its header.
    pub header: Vec<u8>,
    /// Its widenings: hash and bytes.
    pub grants: Vec<(Vec<u8>, Vec<u8>)>,
    /// The records beside it: hash and bytes.
    pub wraps: Vec<(Vec<u8>, Vec<u8>)>,
    /// Its changes, dependencies first.
    pub changes: Vec<HeldChange>,
    /// What lists show of it, unless it is still to be folded.
    pub shown: Option<Shown>,
    /// Whether it is still to be folded, or was set aside.
    pub waiting: bool,
}

/// Documents read together.
pub type Piece = Vec<HeldDocument>;

/// What is wrong with a feed's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedFault {
    /// Rows are missing before this one, or it stands twice.
    Gap,
    /// The change or document it names is not here.
    Gone,
    /// Its digest does not follow from the row before and what it names.
    Digest,
    /// The link says that its feed ends elsewhere.
    End,
}

impl Store {
    /// Reads every document and hands it over in pieces, all as of one moment. Ends early when nobody
    /// takes them any more.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn walk_documents(&self, to: mpsc::Sender<Piece>) -> Result<(), StoreError> {
        let mut reader = self.readers().take().await?;
        let mut tx = reader.begin().await?;
        let mut after = 0;
        loop {
            let mut docs = headers(&mut tx, after).await?;
            let (Some(first), Some(last)) = (docs.keys().next().copied(), docs.keys().last().copied()) else {
                break;
            };
            after = last;
            let mut piece = Piece::new();
            let mut bytes = 0;
            let mut current: Option<HeldDocument> = None;
            let sql = "SELECT doc, hash, actor, seq, max_op, deps, cover_cert, cover_sig, bytes, stored_at_ms
                       FROM commits
                       WHERE doc BETWEEN ?1 AND ?2 ORDER BY doc, id";
            let mut rows = sqlx::query(sql).bind(first).bind(last).fetch(&mut *tx);
            while let Some(row) = rows.try_next().await? {
                let doc: i64 = row.try_get(0)?;
                if current.as_ref().is_none_or(|c| c.row != doc) {
                    piece.extend(current.take());
                    if bytes > PIECE_BYTES {
                        bytes = 0;
                        if to.send(std::mem::take(&mut piece)).await.is_err() {
                            return Ok(());
                        }
                    }
                    current = docs.remove(&doc);
                }
                let change = held_change(&row)?;
                bytes += change.bytes.len();
                if let Some(current) = &mut current {
                    current.changes.push(change);
                }
            }
            drop(rows);
            piece.extend(current);
            // Those without a change.
            piece.extend(docs.into_values());
            if to.send(piece).await.is_err() {
                return Ok(());
            }
        }
        tx.rollback().await?;
        Ok(())
    }

    /// Follows a link's feed from its first row to its last; `found` is told what does not hold, `passed`
    /// how many rows were looked at since it was last called.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn walk_feed(
        &self,
        link: LinkId,
        mut found: impl FnMut(u64, FeedFault) + Send,
        passed: impl Fn(u64) + Send,
    ) -> Result<(), StoreError> {
        let mut reader = self.readers().take().await?;
        let mut tx = reader.begin().await?;
        let row = sqlx::query("SELECT out_seq, out_digest FROM links WHERE id = ?1").bind(link.0);
        let row = row.fetch_one(&mut *tx).await?;
        let (end, last): (u64, [u8; 16]) = (unsigned(&row, 0)?, array(&row, 1)?);
        let sql = "SELECT f.seq, f.kind, f.digest, d.doc, c.hash, f.doc, f.item,
                          CASE f.kind WHEN 2 THEN (SELECT hash FROM grants WHERE id = f.item)
                                      WHEN 3 THEN (SELECT hash FROM wraps WHERE id = f.item)
                                      WHEN 4 THEN (SELECT hash FROM revocations WHERE id = f.item)
                                      WHEN 5 THEN (SELECT hash FROM receipts WHERE id = f.item)
                                      WHEN 6 THEN (SELECT hash FROM placements WHERE id = f.item) END
                   FROM feeds f LEFT JOIN docs d ON f.doc > 0 AND d.id = f.doc
                   LEFT JOIN commits c ON f.kind <= 1 AND c.id = f.item
                   WHERE f.link = ?1 ORDER BY f.seq";
        let mut rows = sqlx::query(sql).bind(link.0).fetch(&mut *tx);
        let (mut at, mut digest) = (0, FIRST_DIGEST);
        // Rows that are no change may be fed once more; the first row's digest is their name then.
        let mut before: BTreeMap<(i64, i64, i64), BTreeSet<[u8; 16]>> = BTreeMap::new();
        let mut since = 0;
        while let Some(row) = rows.try_next().await? {
            let seq = unsigned(&row, 0)?;
            let stated: [u8; 16] = array(&row, 2)?;
            if seq != at + 1 {
                found(seq, FeedFault::Gap);
            } else if let Some(fault) = row_fault(&row, &digest, &stated, &mut before)? {
                found(seq, fault);
            }
            (at, digest) = (seq, stated);
            since += 1;
            if since == 1_000 {
                passed(since);
                since = 0;
            }
        }
        passed(since);
        if (at, digest) != (end, last) {
            found(at, FeedFault::End);
        }
        Ok(())
    }

    /// Reads every acknowledgement this node gave.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn walk_acks(&self, mut each: impl FnMut(LinkId, u64, &[u8]) + Send) -> Result<(), StoreError> {
        let mut reader = self.readers().take().await?;
        let mut rows = sqlx::query("SELECT link, to_seq, bytes FROM acks").fetch(&mut *reader);
        while let Some(row) = rows.try_next().await? {
            each(LinkId(row.try_get(0)?), unsigned(&row, 1)?, row.try_get(2)?);
        }
        Ok(())
    }
}

fn row_fault(
    row: &SqliteRow,
    digest: &[u8; 16],
    stated: &[u8; 16],
    before: &mut BTreeMap<(i64, i64, i64), BTreeSet<[u8; 16]>>,
) -> Result<Option<FeedFault>, StoreError> {
    let number: i64 = row.try_get(1)?;
    let kind = FeedKind::from_number(number)?;
    let doc: Option<&[u8]> = row.try_get(3)?;
    let follows = |parts: &[&[u8]]| chained(digest, kind, parts) == *stated;
    if matches!(kind, FeedKind::Commit | FeedKind::Document) {
        let hash: Option<&[u8]> = row.try_get(4)?;
        return Ok(match (doc, hash) {
            (Some(doc), Some(hash)) if follows(&[doc, hash]) => None,
            (Some(_), Some(_)) => Some(FeedFault::Digest),
            _ => Some(FeedFault::Gone),
        });
    }
    let earlier = before.entry((number, row.try_get(5)?, row.try_get(6)?)).or_default();
    let named: Option<[u8; 32]> = optional_array(row, 7)?;
    let holds = match named {
        Some(hash) => follows(&[&hash]) || earlier.iter().any(|d| follows(&[d])),
        // Deleted on purpose since: a wrapped key of somebody who was forgotten.
        None => kind == FeedKind::Wrap,
    };
    earlier.insert(*stated);
    Ok(match (holds, named) {
        (true, _) => None,
        (false, Some(_)) => Some(FeedFault::Digest),
        (false, None) => Some(FeedFault::Gone),
    })
}

async fn headers(
    tx: &mut Transaction<'_, Sqlite>,
    after: i64,
) -> Result<BTreeMap<i64, HeldDocument>, StoreError> {
    let mut docs = BTreeMap::new();
    let sql = "SELECT d.id, d.doc, d.kind, d.home, d.header, CAST(m.number AS BLOB),
                      CAST(m.title AS BLOB), CAST(m.stage AS BLOB), m.closed, CAST(m.detail AS BLOB),
                      EXISTS (SELECT 1 FROM dirty WHERE doc = d.id) OR EXISTS (SELECT 1 FROM quarantine WHERE doc = d.id),
                      CAST(t.text AS BLOB), b.hidden, CAST(b.detail AS BLOB)
               FROM docs d LEFT JOIN matters m ON m.doc = d.id LEFT JOIN matter_texts t ON t.doc = d.id
                    LEFT JOIN board b ON b.doc = d.id WHERE d.id > ?1 ORDER BY d.id LIMIT ?2";
    for row in sqlx::query(sql).bind(after).bind(DOCS_AT_ONCE).fetch_all(&mut **tx).await? {
        // Texts as bytes: one that is no text any more is to be named, not to end the look.
        let text = |column: usize| -> Result<Option<String>, StoreError> {
            let bytes = row.try_get::<Option<&[u8]>, _>(column)?;
            Ok(bytes.map(|b| String::from_utf8_lossy(b).into_owned()))
        };
        let shown = match text(6)? {
            None => None,
            Some(title) => Some(Shown {
                number: text(5)?,
                title,
                stage: text(7)?.unwrap_or_default(),
                closed: row.try_get(8)?,
                detail: text(9)?.unwrap_or_default(),
                compared: text(11)?.unwrap_or_default(),
                board: row.try_get::<Option<bool>, _>(12)?.zip(text(13)?),
            }),
        };
        let doc = HeldDocument {
            row: row.try_get(0)?,
            doc: row.try_get(1)?,
            kind: row.try_get(2)?,
            home: row.try_get(3)?,
            header: row.try_get(4)?,
            shown,
            waiting: row.try_get(10)?,
            ..HeldDocument::default()
        };
        docs.insert(doc.row, doc);
    }
    let (Some(first), Some(last)) = (docs.keys().next().copied(), docs.keys().last().copied()) else {
        return Ok(docs);
    };
    let sql = "SELECT doc, hash, bytes FROM grants WHERE doc BETWEEN ?1 AND ?2 ORDER BY doc, id";
    for row in sqlx::query(sql).bind(first).bind(last).fetch_all(&mut **tx).await? {
        if let Some(doc) = docs.get_mut(&row.try_get(0)?) {
            doc.grants.push((row.try_get(1)?, row.try_get(2)?));
        }
    }
    let sql = "SELECT doc, hash, bytes FROM wraps WHERE doc BETWEEN ?1 AND ?2 ORDER BY doc, id";
    for row in sqlx::query(sql).bind(first).bind(last).fetch_all(&mut **tx).await? {
        if let Some(doc) = docs.get_mut(&row.try_get(0)?) {
            doc.wraps.push((row.try_get(1)?, row.try_get(2)?));
        }
    }
    Ok(docs)
}

fn held_change(row: &SqliteRow) -> Result<HeldChange, StoreError> {
    let cover = row.try_get::<Option<i64>, _>(6)?.zip(row.try_get::<Option<Vec<u8>>, _>(7)?);
    Ok(HeldChange {
        hash: row.try_get(1)?,
        actor: row.try_get(2)?,
        seq: row.try_get(3)?,
        max_op: row.try_get(4)?,
        deps: row.try_get(5)?,
        cover,
        bytes: row.try_get(8)?,
        stored_at_ms: row.try_get(9)?,
    })
}
