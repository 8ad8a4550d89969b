//! Rows of a feed that are written and that no reader sees yet, as on PostgreSQL while the transaction that wrote
//! them has not committed.
//!
//! SQLite has no such moment: what its one writer wrote is seen by all at once. On PostgreSQL many processes write,
//! and a row's number is taken under its link row's lock, which is held to the commit (rule R12): while one
//! transaction is open, the rows of that link after it wait for the same lock. So what is not to be seen is always
//! the feed's end, from one row on; the news of it comes with the commit; and whoever writes to the link on
//! account of what it has read there waits for that commit.
//!
//! Only the simulator holds rows back, and only in debug builds: no file, option or request reaches this.

use super::{Store, error::StoreError, world::LinkId};
#[cfg(debug_assertions)]
use super::{batch::Written, columns::unsigned};
#[cfg(debug_assertions)]
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The last row that readers see, for each link whose newest rows are held back.
#[derive(Debug, Default)]
pub(super) struct Late(#[cfg(debug_assertions)] Mutex<BTreeMap<LinkId, u64>>);

impl Late {
    /// The last row that readers of a feed see; `None` if they see all of it.
    #[cfg(debug_assertions)]
    pub(super) fn last_seen(&self, link: LinkId) -> Option<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&link).copied()
    }

    /// They see all of it.
    #[cfg(not(debug_assertions))]
    #[inline(always)]
    pub(super) const fn last_seen(&self, _: LinkId) -> Option<u64> {
        None
    }
}

#[cfg(debug_assertions)]
impl Store {
    /// Holds back what is written to a link's feed from now on.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn hold_back(&self, link: LinkId) -> Result<(), StoreError> {
        let last = self.written_to(link).await?;
        self.0.late.0.lock().unwrap_or_else(PoisonError::into_inner).entry(link).or_insert(last);
        Ok(())
    }

    /// The transaction commits: readers see every row of the feed and are told so. How many were held back.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn commit_late(&self, link: LinkId) -> Result<u64, StoreError> {
        let Some(last) = self.0.late.last_seen(link) else { return Ok(0) };
        let now = self.written_to(link).await?;
        self.0.late.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&link);
        let news = Written { links_fed: vec![link], ..Written::default() };
        // Nobody listens: nobody has to be told.
        let _ = self.0.shared.written.send(Arc::new(news));
        Ok(now.saturating_sub(last))
    }

    async fn written_to(&self, link: LinkId) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT out_seq FROM links WHERE id = ?1")
            .bind(link.0)
            .fetch_optional(self.readers())
            .await?
            .ok_or(StoreError::UnknownLink(link.0))?;
        unsigned(&row, 0)
    }
}

#[cfg(not(debug_assertions))]
impl Store {
    /// Nothing is ever held back.
    ///
    /// # Errors
    /// None.
    #[inline(always)]
    pub async fn hold_back(&self, _: LinkId) -> Result<(), StoreError> {
        Ok(())
    }

    /// Nothing ever was.
    ///
    /// # Errors
    /// None.
    #[inline(always)]
    pub async fn commit_late(&self, _: LinkId) -> Result<u64, StoreError> {
        Ok(0)
    }
}
