//! Small promises of the desk: serials never given twice, requests answered once, invitations used once.

use super::{
    Store,
    columns::{array, optional_unsigned, small, unsigned},
    error::StoreError,
    people::SecretHash,
};
use sqlx::Row;
use std::sync::PoisonError;
use yishi_protocol::ids::PlaceId;

/// An answer already given under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenAnswer {
    /// SHA-256 of the request it answered.
    pub request: SecretHash,
    /// The HTTP status; [`super::DONE_WITHOUT_ANSWER`] if the request was carried out and its answer was lost.
    pub status: u16,
    /// The body; of a lost one the documents it was about.
    pub body: Vec<u8>,
}

/// Answers are kept for a day: longer than any program retries.
const ANSWERS_KEPT_MS: u64 = 24 * 3_600_000;
/// What a phone sent is known for longer than any phone lies in a drawer: it may have sent a matter whose answer
/// was lost on the way, and asks again weeks later.
const PHONE_ANSWERS_KEPT_MS: u64 = 400 * 24 * 3_600_000;
/// How a phone's keys begin.
pub const PHONE_KEY: &str = "phone-";

/// An invitation that was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRow {
    /// SHA-256 of its secret.
    pub secret: SecretHash,
    /// The place invited.
    pub place: PlaceId,
    /// What else belongs to it, as JSON.
    pub detail: String,
    /// By this node's clock.
    pub expires_at_ms: u64,
    /// When it was used.
    pub used_at_ms: Option<u64>,
}

impl Store {
    /// The next serial of a year and block. It counts as used once a batch with it is written
    /// ([`crate::store::Batch::serials`]); until then it is only not given out again by this process.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn next_serial(&self, year: u16, block: u32) -> Result<u32, StoreError> {
        let stored = sqlx::query("SELECT next FROM numbers WHERE year = ?1 AND block = ?2")
            .bind(i64::from(year))
            .bind(i64::from(block))
            .fetch_optional(self.readers())
            .await?;
        let stored = stored.map(|row| small(&row, 0)).transpose()?.unwrap_or(1);
        let mut given = self.0.serials.lock().unwrap_or_else(PoisonError::into_inner);
        let next = given.entry((year, block)).or_insert(stored);
        let serial = (*next).max(stored);
        *next = serial + 1;
        Ok(serial)
    }

    /// The answer already given to this request of this caller.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn given_answer(&self, who: &str, key: &str) -> Result<Option<GivenAnswer>, StoreError> {
        let row = sqlx::query("SELECT request, status, body FROM answered WHERE who = ?1 AND key = ?2")
            .bind(who)
            .bind(key)
            .fetch_optional(self.readers())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let status = u16::try_from(small(&row, 1)?).unwrap_or(500);
        Ok(Some(GivenAnswer { request: array(&row, 0)?, status, body: row.try_get(2)? }))
    }

    /// Keeps an answer, to be given again to the same request, in the place of the note that it was done.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if another one was kept meanwhile.
    pub async fn keep_answer(
        &self,
        who: String,
        key: String,
        answer: GivenAnswer,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let old = "DELETE FROM answered
                           WHERE at_ms < ?1 AND (substr(key, 1, 6) <> 'phone-' OR at_ms < ?2)";
                sqlx::query(old)
                    .bind(now_ms.saturating_sub(ANSWERS_KEPT_MS).cast_signed())
                    .bind(now_ms.saturating_sub(PHONE_ANSWERS_KEPT_MS).cast_signed())
                    .execute(&mut tx.conn)
                    .await?;
                let sql = "INSERT INTO answered (who, key, request, status, body, at_ms)
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                           ON CONFLICT DO UPDATE SET status = excluded.status, body = excluded.body
                           WHERE answered.status = 0 AND answered.request = excluded.request";
                let kept = sqlx::query(sql)
                    .bind(who)
                    .bind(key)
                    .bind(answer.request.to_vec())
                    .bind(i64::from(answer.status))
                    .bind(answer.body)
                    .bind(now_ms.cast_signed())
                    .execute(&mut tx.conn)
                    .await?;
                if kept.rows_affected() == 0 { Err(StoreError::Taken) } else { Ok(()) }
            })
        })
        .await
    }

    /// Notes an invitation.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn add_invite(&self, invite: InviteRow) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let sql =
                    "INSERT INTO invites (secret, place, detail, expires_at_ms) VALUES (?1, ?2, ?3, ?4)";
                sqlx::query(sql)
                    .bind(invite.secret.to_vec())
                    .bind(invite.place.0.to_vec())
                    .bind(invite.detail)
                    .bind(invite.expires_at_ms.cast_signed())
                    .execute(&mut tx.conn)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// The invitation with this secret, used or not.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn invite(&self, secret: &SecretHash) -> Result<Option<InviteRow>, StoreError> {
        let row =
            sqlx::query("SELECT place, detail, expires_at_ms, used_at_ms FROM invites WHERE secret = ?1")
                .bind(secret.to_vec())
                .fetch_optional(self.readers())
                .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(InviteRow {
            secret: *secret,
            place: PlaceId(array(&row, 0)?),
            detail: row.try_get(1)?,
            expires_at_ms: unsigned(&row, 2)?,
            used_at_ms: optional_unsigned(&row, 3)?,
        }))
    }

    /// Uses an invitation up; `false` if it was used before, has expired, or is none. `detail` replaces
    /// what was noted, so that a guest whose answer was lost can be given the same one.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn use_invite(
        &self,
        secret: SecretHash,
        detail: String,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE invites SET used_at_ms = ?2, detail = ?3
                           WHERE secret = ?1 AND used_at_ms IS NULL AND expires_at_ms > ?2";
                let done = sqlx::query(sql)
                    .bind(secret.to_vec())
                    .bind(now_ms.cast_signed())
                    .bind(detail)
                    .execute(&mut tx.conn)
                    .await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }
}
