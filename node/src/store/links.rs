//! Links: opening and closing, where both directions stand, what was acknowledged and refused.

use super::{
    Store,
    batch::{Cursor, FeedDigest, GivenAck, NewLink, Verdict, VerdictKind},
    columns::{array, optional_array, optional_unsigned, small, unsigned},
    error::StoreError,
    feed::FIRST_DIGEST,
    world::{Link, LinkId},
    writer::{Head, Tx},
};
use serde::Serialize;
use sqlx::{Row, sqlite::SqliteRow};
use yishi_protocol::ids::{ChangeHash, DocId, Epoch, PlaceId};

/// Where a link stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    /// Its number.
    pub id: LinkId,
    /// The place at the other end.
    pub peer: PlaceId,
    /// Whether the peer is the parent.
    pub up: bool,
    /// Closed links get nothing new.
    pub closed: bool,
    /// Where the parent is reached.
    pub address: Option<String>,
    /// The last row of the feed to the peer.
    pub out_seq: u64,
    /// The feed's digest there.
    pub out_digest: FeedDigest,
    /// The last row the peer acknowledged.
    pub out_acked: u64,
    /// The life of the peer's database that `in_seq` belongs to.
    pub in_epoch: Option<Epoch>,
    /// The last row of the peer's feed with a verdict here.
    pub in_seq: u64,
    /// The digest of the peer's feed there.
    pub in_digest: FeedDigest,
    /// Changes that came over this link.
    pub received: u64,
    /// Of these, refused for good.
    pub refused: u64,
    /// When something last came over it.
    pub last_contact_ms: Option<u64>,
    /// When both sides last had everything the other had.
    pub last_in_step_ms: Option<u64>,
    /// Why it is not connected, in words.
    pub why: Option<String>,
}

/// A stored verdict with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVerdict {
    /// Counts verdicts; the cursor of a listing.
    pub id: i64,
    /// The verdict.
    pub verdict: Verdict,
    /// When it was given.
    pub at_ms: u64,
}

/// One line of a link's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkEvent {
    /// When.
    pub at_ms: u64,
    /// Whether it came up or went down.
    pub up: bool,
    /// Why it went down.
    pub why: Option<String>,
}

/// Lines of history kept per link.
const LINK_LOG_KEPT: i64 = 500;

/// Acknowledgements kept per link to be given again; older ones the peer has long had.
const ACKS_KEPT: i64 = 1_000;

impl Tx {
    /// Opens a link and feeds it every document its peer may see.
    pub(super) async fn open_link(&mut self, new: NewLink) -> Result<(), StoreError> {
        let known = sqlx::query("SELECT id, closed FROM links WHERE peer = ?1 AND up = ?2")
            .bind(new.peer.0.to_vec())
            .bind(new.up)
            .fetch_optional(&mut self.conn)
            .await?;
        let open = match &known {
            Some(row) => !row.try_get::<bool, _>(1)?,
            None => false,
        };
        let id = match known {
            Some(row) => {
                let id: i64 = row.try_get(0)?;
                let sql = "UPDATE links SET closed = 0, address = coalesce(?2, address) WHERE id = ?1";
                sqlx::query(sql).bind(id).bind(&new.address).execute(&mut self.conn).await?;
                id
            }
            None => {
                let sql = "INSERT INTO links (peer, up, address, out_digest, in_digest)
                           VALUES (?1, ?2, ?3, ?4, ?4) RETURNING id";
                let row = sqlx::query(sql)
                    .bind(new.peer.0.to_vec())
                    .bind(new.up)
                    .bind(&new.address)
                    .bind(FIRST_DIGEST.to_vec())
                    .fetch_one(&mut self.conn)
                    .await?;
                let id = row.try_get(0)?;
                self.state.heads.insert(LinkId(id), Head { seq: 0, digest: FIRST_DIGEST });
                id
            }
        };
        let link = Link { id: LinkId(id), peer: new.peer, up: new.up, address: new.address };
        let links = &mut self.world_mut().links;
        match links.iter_mut().find(|l| l.id == link.id) {
            Some(known) => known.address = link.address.or(known.address.take()),
            None => {
                links.push(link);
                links.sort_by_key(|l| l.id);
            }
        }
        if open {
            return Ok(());
        }
        // What no longer counts comes before what it is about.
        self.feed_revocations(LinkId(id)).await?;
        self.widen_all().await
    }

    pub(super) async fn close_link(&mut self, link: LinkId) -> Result<(), StoreError> {
        if self.state.world.link(link).is_none() {
            return Err(StoreError::UnknownLink(link.0));
        }
        self.world_mut().links.retain(|l| l.id != link);
        // Opened again, the peer gets everything anew; it drops what it has.
        for sql in ["UPDATE links SET closed = 1 WHERE id = ?1", "DELETE FROM visible WHERE link = ?1"] {
            sqlx::query(sql).bind(link.0).execute(&mut self.conn).await?;
        }
        Ok(())
    }

    pub(super) async fn note_cursor(
        &mut self,
        cursor: Option<Cursor>,
        ack: Option<GivenAck>,
    ) -> Result<(), StoreError> {
        if let Some(cursor) = cursor {
            let sql = "UPDATE links SET in_epoch = ?2, in_seq = ?3, in_digest = ?4 WHERE id = ?1";
            let done = sqlx::query(sql)
                .bind(cursor.link.0)
                .bind(cursor.epoch.0.to_vec())
                .bind(cursor.seq.cast_signed())
                .bind(cursor.digest.to_vec())
                .execute(&mut self.conn)
                .await?;
            if done.rows_affected() == 0 {
                return Err(StoreError::UnknownLink(cursor.link.0));
            }
        }
        if let Some(ack) = ack {
            let sql = "INSERT OR REPLACE INTO acks (link, epoch, from_seq, to_seq, bytes)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            sqlx::query(sql)
                .bind(ack.link.0)
                .bind(ack.epoch.0.to_vec())
                .bind(ack.from.cast_signed())
                .bind(ack.to.cast_signed())
                .bind(ack.bytes)
                .execute(&mut self.conn)
                .await?;
            let sql = "DELETE FROM acks WHERE link = ?1 AND epoch = ?2 AND to_seq <=
                       (SELECT to_seq FROM acks WHERE link = ?1 AND epoch = ?2
                        ORDER BY to_seq DESC LIMIT 1 OFFSET ?3)";
            sqlx::query(sql)
                .bind(ack.link.0)
                .bind(ack.epoch.0.to_vec())
                .bind(ACKS_KEPT)
                .execute(&mut self.conn)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn note_verdicts(
        &mut self,
        verdicts: Vec<Verdict>,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        for v in verdicts {
            let sql = "INSERT INTO verdicts (link, epoch, seq, ord, doc, hash, verdict, reason, at_ms)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
            sqlx::query(sql)
                .bind(v.link.0)
                .bind(v.epoch.0.to_vec())
                .bind(v.seq.cast_signed())
                .bind(i64::from(v.ord))
                .bind(v.doc.0.to_vec())
                .bind(v.hash.0.to_vec())
                .bind(match v.kind {
                    VerdictKind::Refused => 1,
                    VerdictKind::Parked => 2,
                })
                .bind(v.reason)
                .bind(at_ms.cast_signed())
                .execute(&mut self.conn)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn count_received(
        &mut self,
        from: LinkId,
        received: usize,
        refused: usize,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE links SET received = received + ?2, refused = refused + ?3,
                   last_contact_ms = max(coalesce(last_contact_ms, 0), ?4) WHERE id = ?1";
        let done = sqlx::query(sql)
            .bind(from.0)
            .bind((received + refused).cast_signed() as i64)
            .bind(refused.cast_signed() as i64)
            .bind(at_ms.cast_signed())
            .execute(&mut self.conn)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::UnknownLink(from.0));
        }
        Ok(())
    }
}

const LINK_COLUMNS: &str = "SELECT id, peer, up, closed, address, out_seq, out_digest, out_acked, in_epoch,
     in_seq, in_digest, received, refused, last_contact_ms, last_in_step_ms, why FROM links ORDER BY id";

fn link_state(row: &SqliteRow) -> Result<LinkState, StoreError> {
    Ok(LinkState {
        id: LinkId(row.try_get(0)?),
        peer: PlaceId(array(row, 1)?),
        up: row.try_get(2)?,
        closed: row.try_get(3)?,
        address: row.try_get(4)?,
        out_seq: unsigned(row, 5)?,
        out_digest: array(row, 6)?,
        out_acked: unsigned(row, 7)?,
        in_epoch: optional_array(row, 8)?.map(Epoch),
        in_seq: unsigned(row, 9)?,
        in_digest: array(row, 10)?,
        received: unsigned(row, 11)?,
        refused: unsigned(row, 12)?,
        last_contact_ms: optional_unsigned(row, 13)?,
        last_in_step_ms: optional_unsigned(row, 14)?,
        why: row.try_get(15)?,
    })
}

impl Store {
    /// Opens a link, or gives an open one a new address; returns its number.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn open_link(&self, link: NewLink) -> Result<LinkId, StoreError> {
        let (peer, up) = (link.peer, link.up);
        self.submit(move |tx| {
            Box::pin(async move {
                tx.open_link(link).await?;
                let found = tx.state.world.links.iter().find(|l| l.peer == peer && l.up == up);
                found.map(|l| l.id).ok_or(StoreError::UnknownLink(0))
            })
        })
        .await
    }

    /// Closes a link: its peer gets nothing new and routing forgets it. What was fed before stays.
    ///
    /// # Errors
    /// [`StoreError::UnknownLink`] if it is not open.
    pub async fn close_link(&self, link: LinkId) -> Result<(), StoreError> {
        self.submit(move |tx| Box::pin(tx.close_link(link))).await
    }

    /// Where every link stands, closed ones included.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn link_states(&self) -> Result<Vec<LinkState>, StoreError> {
        sqlx::query(LINK_COLUMNS).fetch_all(self.readers()).await?.iter().map(link_state).collect()
    }

    /// Where one link stands.
    ///
    /// # Errors
    /// [`StoreError::UnknownLink`] if there is none.
    pub async fn link_state(&self, link: LinkId) -> Result<LinkState, StoreError> {
        let states = self.link_states().await?;
        let mut state = states.into_iter().find(|s| s.id == link).ok_or(StoreError::UnknownLink(link.0))?;
        if self.0.late.last_seen(link).is_some() {
            (state.out_seq, state.out_digest) = self.feed_head(link).await?;
        }
        Ok(state)
    }

    /// Notes that a link came up or went down, and why.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn log_link(
        &self,
        link: LinkId,
        up: bool,
        why: Option<String>,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let at = at_ms.cast_signed();
                sqlx::query("INSERT INTO link_log (link, at_ms, up, why) VALUES (?1, ?2, ?3, ?4)")
                    .bind(link.0)
                    .bind(at)
                    .bind(up)
                    .bind(&why)
                    .execute(&mut tx.conn)
                    .await?;
                let sql = "DELETE FROM link_log WHERE link = ?1 AND id <=
                           (SELECT id FROM link_log WHERE link = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";
                sqlx::query(sql).bind(link.0).bind(LINK_LOG_KEPT).execute(&mut tx.conn).await?;
                let sql = "UPDATE links SET why = ?2,
                           last_contact_ms = CASE WHEN ?3 THEN ?4 ELSE last_contact_ms END WHERE id = ?1";
                sqlx::query(sql).bind(link.0).bind(why).bind(up).bind(at).execute(&mut tx.conn).await?;
                Ok(())
            })
        })
        .await
    }

    /// Notes that both sides had everything the other had at this moment.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn link_in_step(&self, link: LinkId, at_ms: u64) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE links SET last_in_step_ms = ?2, last_contact_ms = ?2 WHERE id = ?1";
                sqlx::query(sql).bind(link.0).bind(at_ms.cast_signed()).execute(&mut tx.conn).await?;
                Ok(())
            })
        })
        .await
    }

    /// A link's history, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn link_events(&self, link: LinkId, limit: u32) -> Result<Vec<LinkEvent>, StoreError> {
        let sql = "SELECT at_ms, up, why FROM link_log WHERE link = ?1 ORDER BY id DESC LIMIT ?2";
        let rows = sqlx::query(sql).bind(link.0).bind(i64::from(limit)).fetch_all(self.readers()).await?;
        rows.iter()
            .map(|row| Ok(LinkEvent { at_ms: unsigned(row, 0)?, up: row.try_get(1)?, why: row.try_get(2)? }))
            .collect()
    }

    /// The acknowledgements given for entries after `seq` of a peer's feed.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn acks_after(
        &self,
        link: LinkId,
        epoch: Epoch,
        seq: u64,
    ) -> Result<Vec<GivenAck>, StoreError> {
        let sql = "SELECT from_seq, to_seq, bytes FROM acks
                   WHERE link = ?1 AND epoch = ?2 AND to_seq > ?3 ORDER BY to_seq";
        let rows = sqlx::query(sql)
            .bind(link.0)
            .bind(epoch.0.to_vec())
            .bind(seq.cast_signed())
            .fetch_all(self.readers())
            .await?;
        rows.iter()
            .map(|row| {
                let (from, to) = (unsigned(row, 0)?, unsigned(row, 1)?);
                Ok(GivenAck { link, epoch, from, to, bytes: row.try_get(2)? })
            })
            .collect()
    }

    /// What was refused or parked, newest first, before a listing's cursor.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn verdicts(
        &self,
        link: LinkId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<StoredVerdict>, StoreError> {
        let sql = "SELECT id, epoch, seq, ord, doc, hash, verdict, reason, at_ms FROM verdicts
                   WHERE link = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";
        let rows = sqlx::query(sql)
            .bind(link.0)
            .bind(before.unwrap_or(i64::MAX))
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await?;
        rows.iter()
            .map(|row| {
                let verdict = Verdict {
                    link,
                    epoch: Epoch(array(row, 1)?),
                    seq: unsigned(row, 2)?,
                    ord: small(row, 3)?,
                    doc: DocId(array(row, 4)?),
                    hash: ChangeHash(array(row, 5)?),
                    kind: if small(row, 6)? == 1 { VerdictKind::Refused } else { VerdictKind::Parked },
                    reason: row.try_get(7)?,
                };
                Ok(StoredVerdict { id: row.try_get(0)?, verdict, at_ms: unsigned(row, 8)? })
            })
            .collect()
    }
}
