//! A request that may be sent again: that it was carried out is stored in the very transaction that
//! carried it out.
//!
//! Whoever answers such a request does its work [`within`] it. The first thing the work stores notes the
//! request beside it, so that after a power cut between the work and the keeping of its answer the
//! request is known to be done, and which documents it was about. The answer itself is kept afterwards
//! ([`Store::keep_answer`]) and takes the note's place.

use super::{Store, columns::json_ids, error::StoreError, people::SecretHash, writer::Tx};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use yishi_protocol::ids::DocId;

/// The status of a note: done, and its answer was not kept.
pub const DONE_WITHOUT_ANSWER: u16 = 0;

/// A request with an idempotency key.
#[derive(Debug)]
pub struct Request {
    /// Who asks.
    pub who: String,
    /// Under which key.
    pub key: String,
    /// SHA-256 of what is asked.
    pub request: SecretHash,
    /// When.
    pub now_ms: u64,
}

/// One that may still have to be noted.
#[derive(Debug)]
pub(super) struct Pending {
    request: Request,
    noted: AtomicBool,
}

tokio::task_local! {
    static PENDING: Arc<Pending>;
}

/// Does `work` for `request`: the first write in it notes the request in its own transaction.
pub async fn within<T>(request: Request, work: impl Future<Output = T>) -> T {
    PENDING.scope(Arc::new(Pending { request, noted: AtomicBool::new(false) }), work).await
}

/// The request this task works for, if it is not noted yet.
pub(super) fn pending() -> Option<Arc<Pending>> {
    PENDING.try_with(Arc::clone).ok().filter(|p| !p.noted.load(Ordering::Acquire))
}

impl Pending {
    /// Notes it in the transaction that is open.
    pub(super) async fn note(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let Request { who, key, request, now_ms } = &self.request;
        // Of the few a request is about; an import, which has many, is repeated instead.
        let docs = json_ids(tx.written.docs_touched.iter().take(16));
        let sql = "INSERT OR REPLACE INTO answered (who, key, request, status, body, at_ms)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        sqlx::query(sql)
            .bind(who.clone())
            .bind(key.clone())
            .bind(request.to_vec())
            .bind(i64::from(DONE_WITHOUT_ANSWER))
            .bind(docs.into_bytes())
            .bind(now_ms.cast_signed())
            .execute(&mut tx.conn)
            .await?;
        Ok(())
    }

    /// It is durable.
    pub(super) fn noted(&self) {
        self.noted.store(true, Ordering::Release);
    }
}

impl Store {
    /// The documents a note of a request names.
    #[must_use]
    pub fn noted_docs(body: &[u8]) -> Vec<DocId> {
        let text = String::from_utf8_lossy(body);
        let quoted = text.split('"').skip(1).step_by(2);
        quoted.filter_map(|id| id.parse().ok()).collect()
    }
}
