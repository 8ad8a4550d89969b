//! What levels above signed to have stored (rule R15): an acknowledgement from the parent itself, and
//! the receipts of levels above it, which travel down to whoever the changes came from.
//!
//! A change's `stored_up` grows: 1 means stored at the parent, 2 at the parent's parent. It goes back only where
//! the path above changes: another place at a level has signed for nothing yet (`placing.rs`).

use super::{
    Store,
    batch::NewReceipt,
    columns::{array, json_id_pairs, json_ids, json_ints, optional_unsigned, small, unsigned},
    error::StoreError,
    feed::FeedKind,
    world::LinkId,
    writer::Tx,
};
use sqlx::{Row, sqlite::SqliteRow};
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    ids::{ChangeHash, DocId, PlaceId, hash},
    planted::Bug,
};

/// The peer's signed word that it has everything up to one entry, except what it names.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    /// The link it came over.
    pub link: LinkId,
    /// The entry of this node's feed before the first that it covers.
    pub from_seq: u64,
    /// The last entry that it covers.
    pub to_seq: u64,
    /// The place that signed.
    pub level_place: PlaceId,
    /// As it was received.
    pub receipt: Vec<u8>,
    /// The changes between the two, without those that the peer refused or parked.
    pub stored: Vec<CommitRow>,
    /// When it came.
    pub at_ms: u64,
}

/// Which row of this database a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitRow(pub(super) i64);

/// One change a link was fed, at the place in the feed that receipts speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FedCommit {
    /// The entry.
    pub seq: u64,
    /// The position within it.
    pub ord: u32,
    /// The document.
    pub doc: DocId,
    /// The change.
    pub hash: ChangeHash,
    /// Where it came from, with its position in that link's feed; `None` if it was written here.
    pub origin: Option<Origin>,
    /// Its row here.
    pub row: CommitRow,
}

/// Where a change came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The link.
    pub link: LinkId,
    /// The entry in the peer's feed.
    pub seq: u64,
    /// The position within it.
    pub ord: u32,
}

/// A stored receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReceipt {
    /// 1 for the parent, 2 for its parent.
    pub level: u32,
    /// The place that signed.
    pub level_place: PlaceId,
    /// The link it came over.
    pub link: LinkId,
    /// The first entry of this node's feed on that link that it speaks of.
    pub from_seq: u64,
    /// The last one.
    pub to_seq: u64,
    /// As it was received.
    pub bytes: Vec<u8>,
    /// When it came.
    pub at_ms: u64,
}

/// Documents and their changes between two rows of a feed, in the feed's order.
pub(super) const FED_COMMITS: &str = "
    SELECT f.seq, c.id, d.doc, c.hash, c.origin_link, c.origin_seq, c.origin_ord
    FROM feeds f JOIN commits c ON c.id = f.item JOIN docs d ON d.id = c.doc
    WHERE f.link = ?1 AND f.seq > ?2 AND f.seq <= ?3 AND f.kind = 0
    UNION ALL
    SELECT f.seq, c.id, d.doc, c.hash, c.origin_link, c.origin_seq, c.origin_ord
    FROM feeds f JOIN commits c ON c.doc = f.doc AND c.id <= f.item JOIN docs d ON d.id = c.doc
    WHERE f.link = ?1 AND f.seq > ?2 AND f.seq <= ?3 AND f.kind = 1
    ORDER BY 1, 2";

pub(super) fn fed_commits(rows: &[SqliteRow]) -> Result<Vec<FedCommit>, StoreError> {
    let mut out: Vec<FedCommit> = Vec::with_capacity(rows.len());
    for row in rows {
        let seq = unsigned(row, 0)?;
        let ord = out.last().filter(|last| last.seq == seq).map_or(0, |last| last.ord + 1);
        out.push(FedCommit {
            seq,
            ord,
            row: CommitRow(row.try_get(1)?),
            doc: DocId(array(row, 2)?),
            hash: ChangeHash(array(row, 3)?),
            origin: origin(row, 4)?,
        });
    }
    Ok(out)
}

/// The origin in three columns from `first`.
pub(super) fn origin(row: &SqliteRow, first: usize) -> Result<Option<Origin>, StoreError> {
    let Some(link) = row.try_get::<Option<i64>, _>(first)? else { return Ok(None) };
    let seq = optional_unsigned(row, first + 1)?.unwrap_or(0);
    let ord = u32::try_from(optional_unsigned(row, first + 2)?.unwrap_or(0)).unwrap_or(u32::MAX);
    Ok(Some(Origin { link: LinkId(link), seq, ord }))
}

impl Tx {
    async fn acknowledged(&mut self, ack: Acknowledged) -> Result<(), StoreError> {
        let sql = "SELECT out_acked, out_seq FROM links WHERE id = ?1";
        let row = sqlx::query(sql)
            .bind(ack.link.0)
            .fetch_optional(&mut self.conn)
            .await?
            .ok_or(StoreError::UnknownLink(ack.link.0))?;
        let (from, head) = (unsigned(&row, 0)?, unsigned(&row, 1)?);
        if ack.to_seq > head {
            return Err(StoreError::BeyondFeed { seq: ack.to_seq, head });
        }
        if ack.from_seq > from {
            return Err(StoreError::BeyondFeed { seq: ack.from_seq, head: from });
        }
        let up = self.state.world.link(ack.link).is_some_and(|l| l.up);
        let receipt = NewReceipt {
            level: 1,
            level_place: ack.level_place,
            link: ack.link,
            from_seq: ack.from_seq + 1,
            to_seq: ack.to_seq,
            bytes: ack.receipt,
            commits: Vec::new(),
        };
        // One for rows sent anew moves nothing, and still says what is stored there.
        sqlx::query("UPDATE links SET out_acked = max(out_acked, ?2), last_contact_ms = ?3 WHERE id = ?1")
            .bind(ack.link.0)
            .bind(ack.to_seq.cast_signed())
            .bind(ack.at_ms.cast_signed())
            .execute(&mut self.conn)
            .await?;
        // What a child has says nothing about the levels above.
        if up { self.stored_above(receipt, ack.stored, ack.at_ms).await } else { Ok(()) }
    }

    /// Takes a receipt of a level above the parent, or one that came in a bundle.
    pub(super) async fn add_receipt(&mut self, receipt: NewReceipt, at_ms: u64) -> Result<(), StoreError> {
        let named = json_id_pairs(receipt.commits.iter().copied());
        let sql = "SELECT c.id FROM json_each(?1) j
                   CROSS JOIN docs d ON d.doc = unhex(json_extract(j.value, '$[0]'))
                   CROSS JOIN commits c ON c.doc = d.id AND c.hash = unhex(json_extract(j.value, '$[1]'))";
        let rows = sqlx::query(sql).bind(named).fetch_all(&mut self.conn).await?;
        let stored = rows.iter().map(|r| Ok(CommitRow(r.try_get(0)?))).collect::<Result<_, StoreError>>()?;
        self.stored_above(receipt, stored, at_ms).await
    }

    async fn stored_above(
        &mut self,
        receipt: NewReceipt,
        stored: Vec<CommitRow>,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        let identity = hash("yishi/receipt-hash/1", &[&receipt.bytes]);
        let sql =
            "INSERT OR IGNORE INTO receipts (hash, level, level_place, link, from_seq, to_seq, bytes, at_ms)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id";
        let row = sqlx::query(sql)
            .bind(identity.to_vec())
            .bind(i64::from(receipt.level))
            .bind(receipt.level_place.0.to_vec())
            .bind(receipt.link.0)
            .bind(receipt.from_seq.cast_signed())
            .bind(receipt.to_seq.cast_signed())
            .bind(receipt.bytes)
            .bind(at_ms.cast_signed())
            .fetch_optional(&mut self.conn)
            .await?;
        let ids = json_ints(stored.iter().map(|s| s.0));
        let sql = "UPDATE commits SET stored_up = ?2 WHERE id IN (SELECT value FROM json_each(?1))
                   AND stored_up < ?2";
        let level = receipt.level + u32::from(Bug::LevelUp.planted());
        sqlx::query(sql).bind(&ids).bind(i64::from(level)).execute(&mut self.conn).await?;
        self.written.stored_above |= !stored.is_empty();
        let Some(row) = row else { return Ok(()) };
        let item: i64 = row.try_get(0)?;
        let sql = "SELECT DISTINCT c.origin_link FROM json_each(?1) j CROSS JOIN commits c ON c.id = j.value
                   WHERE c.origin_link IS NOT NULL";
        let mut origins = BTreeSet::new();
        for row in sqlx::query(sql).bind(ids).fetch_all(&mut self.conn).await? {
            origins.insert(LinkId(row.try_get(0)?));
        }
        let world = self.state.world.clone();
        for link in world.links.iter().filter(|l| !l.up && origins.contains(&l.id)) {
            self.feed(link.id, FeedKind::Receipt, 0, item, &[&identity]);
        }
        Ok(())
    }
}

impl Store {
    /// Takes the peer's acknowledgement: moves the cursor, and over the link up marks the changes as
    /// stored there and passes the receipt on to the links they came from.
    ///
    /// # Errors
    /// [`StoreError::BeyondFeed`] if it covers what was never fed.
    pub async fn acknowledged(&self, ack: Acknowledged) -> Result<(), StoreError> {
        self.submit(move |tx| Box::pin(tx.acknowledged(ack))).await
    }

    /// The changes among the entries after `after` up to `to` of a link's feed, in order.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn fed_commits(&self, link: LinkId, after: u64, to: u64) -> Result<Vec<FedCommit>, StoreError> {
        let rows = sqlx::query(FED_COMMITS)
            .bind(link.0)
            .bind(after.cast_signed())
            .bind(to.cast_signed())
            .fetch_all(self.readers())
            .await?;
        fed_commits(&rows)
    }

    /// The receipts whose range on a link touches the entries after `after` up to `to`.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn receipts(
        &self,
        link: LinkId,
        after: u64,
        to: u64,
    ) -> Result<Vec<StoredReceipt>, StoreError> {
        let sql = "SELECT level, level_place, link, from_seq, to_seq, bytes, at_ms FROM receipts
                   WHERE link = ?1 AND to_seq > ?2 AND from_seq <= ?3 ORDER BY id";
        let rows = sqlx::query(sql)
            .bind(link.0)
            .bind(after.cast_signed())
            .bind(to.cast_signed())
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|row| stored_receipt(row, 0)).collect()
    }

    /// How many levels above have stored everything of a document that this place or one below it wrote:
    /// its slowest change's level. What came from above is vouched for by the signatures it came with; a
    /// document of which nothing was written here or below is stored at every level it came through.
    /// Documents not here are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn stored_up(&self, docs: &[DocId]) -> Result<BTreeMap<DocId, u32>, StoreError> {
        // From above is also what came from a former parent.
        let sql = "SELECT d.doc, coalesce(min(CASE WHEN l.up THEN NULL ELSE c.stored_up END), ?2)
                   FROM json_each(?1) j CROSS JOIN docs d ON d.doc = unhex(j.value)
                   JOIN commits c ON c.doc = d.id LEFT JOIN links l ON l.id = c.origin_link GROUP BY d.id";
        let rows = sqlx::query(sql)
            .bind(json_ids(docs))
            .bind(yishi_protocol::limits::CERT_CHAIN_MAX as i64)
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|row| Ok((DocId(array(row, 0)?), small(row, 1)?))).collect()
    }

    /// Documents with changes of this place or of one below that exactly so many levels above have stored,
    /// though they were written before that moment; and when the first of these was.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn no_further_than(
        &self,
        level: u32,
        before_ms: u64,
    ) -> Result<BTreeMap<DocId, u64>, StoreError> {
        let sql = "SELECT d.doc, min(c.stored_at_ms) FROM commits c JOIN docs d ON d.id = c.doc
                   LEFT JOIN links l ON l.id = c.origin_link
                   WHERE c.stored_up = ?1 AND c.stored_at_ms < ?2 AND l.up IS NOT 1 GROUP BY d.id";
        let rows = sqlx::query(sql)
            .bind(i64::from(level))
            .bind(before_ms.cast_signed())
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|row| Ok((DocId(array(row, 0)?), unsigned(row, 1)?))).collect()
    }
}

/// The receipt in seven columns from `first`.
pub(super) fn stored_receipt(row: &SqliteRow, first: usize) -> Result<StoredReceipt, StoreError> {
    Ok(StoredReceipt {
        level: small(row, first)?,
        level_place: PlaceId(array(row, first + 1)?),
        link: LinkId(row.try_get(first + 2)?),
        from_seq: unsigned(row, first + 3)?,
        to_seq: unsigned(row, first + 4)?,
        bytes: row.try_get(first + 5)?,
        at_ms: unsigned(row, first + 6)?,
    })
}
