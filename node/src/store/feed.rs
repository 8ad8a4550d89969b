//! One feed per link (rule R12): dense sequence numbers and a chained digest.
//!
//! Rows are collected while a job runs and written at its end, in the job's own savepoint. The digest
//! of a row covers the row before it, so equal digests at one position mean equal feeds up to there.

use super::{
    batch::FeedDigest,
    columns::insert_rows,
    error::StoreError,
    world::LinkId,
    writer::{Head, Tx},
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What a row of a feed stands for. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FeedKind {
    /// One change.
    Commit = 0,
    /// A document with all its changes up to a watermark.
    Document = 1,
    /// A widening of a document's audience.
    Grant = 2,
    /// A record beside a sealed document: a wrapped key, the word to forget, the word that it was done.
    Wrap = 3,
    /// A revocation.
    Revocation = 4,
    /// A receipt of a level above, on its way down.
    Receipt = 5,
    /// A placement.
    Placement = 6,
}

impl FeedKind {
    pub(super) fn from_number(n: i64) -> Result<Self, StoreError> {
        Ok(match n {
            0 => Self::Commit,
            1 => Self::Document,
            2 => Self::Grant,
            3 => Self::Wrap,
            4 => Self::Revocation,
            5 => Self::Receipt,
            6 => Self::Placement,
            _ => return Err(StoreError::Newer),
        })
    }
}

/// A row to be written.
#[derive(Debug)]
pub(super) struct FeedRow {
    link: LinkId,
    seq: u64,
    kind: FeedKind,
    doc: i64,
    item: i64,
    digest: FeedDigest,
}

/// What a feed's digest is before its first row.
pub(super) const FIRST_DIGEST: FeedDigest = [0; 16];

/// The digest after one more row.
pub(super) fn chained(previous: &FeedDigest, kind: FeedKind, identity: &[&[u8]]) -> FeedDigest {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update([kind as u8]);
    for part in identity {
        hasher.update(part);
    }
    let full: [u8; 32] = hasher.finalize().into();
    let mut digest = FIRST_DIGEST;
    digest.copy_from_slice(full.split_at(16).0);
    digest
}

impl Tx {
    /// Appends a row to a link's feed. `identity` is what both sides could compute: document and hash.
    pub(super) fn feed(&mut self, link: LinkId, kind: FeedKind, doc: i64, item: i64, identity: &[&[u8]]) {
        let head = self.state.heads.entry(link).or_insert(Head { seq: 0, digest: FIRST_DIGEST });
        head.seq += 1;
        head.digest = chained(&head.digest, kind, identity);
        self.feed_rows.push(FeedRow { link, seq: head.seq, kind, doc, item, digest: head.digest });
    }

    /// Writes the rows collected and the links' new heads.
    pub(super) async fn flush_feeds(&mut self) -> Result<(), StoreError> {
        if self.feed_rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.feed_rows);
        let heads: BTreeMap<LinkId, Head> =
            rows.iter().map(|r| (r.link, Head { seq: r.seq, digest: r.digest })).collect();
        insert_rows(
            &mut self.conn,
            "INSERT INTO feeds (link, seq, kind, doc, item, digest)",
            6,
            "",
            rows,
            |query, r| {
                query
                    .bind(r.link.0)
                    .bind(r.seq.cast_signed())
                    .bind(r.kind as i64)
                    .bind(r.doc)
                    .bind(r.item)
                    .bind(r.digest.to_vec())
            },
        )
        .await?;
        for (link, head) in heads {
            sqlx::query("UPDATE links SET out_seq = ?2, out_digest = ?3 WHERE id = ?1")
                .bind(link.0)
                .bind(head.seq.cast_signed())
                .bind(head.digest.to_vec())
                .execute(&mut self.conn)
                .await?;
            self.written.links_fed.push(link);
        }
        Ok(())
    }
}
