//! One place's database: the truth of what was signed, what was promised to neighbours, and what is
//! derived from it for people.
//!
//! Everything is written by one task ([`writer`]) and answered only after it is durable. Readers have
//! their own connections. The invariant that everything else rests on: *storing a change and feeding it
//! to every link that may see it is one transaction*, so a link's feed never misses what its peer may see.
//!
//! | file | about |
//! |---|---|
//! | `batch` | what is stored in one piece |
//! | `apply`, `routing`, `feed` | storing it: order, who may see it, the links' feeds |
//! | `placing` | places moved, merged, re-coded: links and routes follow |
//! | `links`, `receipts` | where links stand, who above has stored what |
//! | `sending`, `refeed` | a link's feed as it is sent; fed again after histories were compared |
//! | `read`, `folding` | histories as the gate and the actions need them; many documents for the fold |
//! | `authored` | what a key wrote, by when it was stored here |
//! | `queue`, `matters`, `listing` | what is to be folded, what the fold gave, lists of it |
//! | `inbox` | what waits for this place, in views that are counted |
//! | `attachments` | files that matters name, piece by piece |
//! | `board` | what the public board shows of it |
//! | `words`, `stubs` | what places made known and opened; what registers say of matters elsewhere |
//! | `similar` | the index of what matters say |
//! | `standings`, `tally` | how every matter stands, here or in a register below; counts of it kept as it changes |
//! | `request` | that a request was carried out, stored with what it did |
//! | `rotation`, `only_here` | a new key for the same place; what a box that was taken over has alone |
//! | `beside` | wrapped keys of dossiers, and forgetting them |
//! | `forms` | workbooks that sheets fill |
//! | `people`, `promises` | who signs in; serials, idempotent answers, invitations |
//! | `copy`, `look`, `walk` | backups; a database only looked at; all of it read once, in pieces |
//! | `writer`, `open`, `lock` | the one writer, making and opening, the one process |

mod apply;
mod attachments;
mod authored;
mod batch;
mod beside;
mod board;
mod charters;
mod columns;
mod copy;
mod error;
mod feed;
mod folding;
mod forms;
mod inbox;
mod late;
mod links;
mod listing;
mod lock;
mod look;
mod matters;
mod only_here;
mod open;
mod parked;
mod people;
mod placing;
mod promises;
mod queue;
mod read;
mod readers;
mod receipts;
mod refeed;
mod request;
mod rotation;
mod routing;
mod sending;
mod similar;
mod standings;
mod stubs;
mod tally;
mod walk;
mod words;
mod world;
mod writer;

pub use attachments::{FileRef, FileRow, FileState, WantedFile};
pub use authored::AuthoredDoc;
pub use batch::{
    Batch, Cursor, ExternalNumber, FeedDigest, GivenAck, NewCommit, NewLink, NewReceipt, Serial, Verdict,
    VerdictKind, Written,
};
pub use board::{BoardList, BoardRow};
pub use charters::{CharterRows, Charters, IssuedRow, NoticeRow, SnapshotRow};
pub use error::StoreError;
pub use folding::RawDocument;
pub use forms::FormRow;
pub use inbox::{COUNTED_MAX, InboxQuery, InboxSort, Phase, Whose};
pub use links::{LinkEvent, LinkState, StoredVerdict};
pub use listing::{Due, MatterPage, MatterQuery, MatterSort};
pub use look::{Amount, Look, Odd};
pub use matters::{MatterRow, OutcomeRow, Projection};
pub use only_here::OnlyHere;
pub use open::Genesis;
pub use people::{NewPerson, Person, PersonChange, SecretHash, Token};
pub use promises::{GivenAnswer, InviteRow, PHONE_KEY};
pub use queue::DirtyDoc;
pub use read::{DocState, StoredCommit};
pub use receipts::{Acknowledged, CommitRow, FedCommit, Origin, StoredReceipt};
pub use refeed::Refed;
pub use request::{DONE_WITHOUT_ANSWER, Request, within};
pub use rotation::NewKey;
pub use sending::{FedChange, FeedEntry, FeedItem, WholeDocument};
pub use similar::SharingMatter;
pub(crate) use similar::compared;
pub use standings::{HeardRow, Matters, StandingPage, StandingQuery, StandingRow};
pub use stubs::StubRow;
pub use tally::{Counted, Late, What};
pub use walk::{FeedFault, HeldChange, HeldDocument, Piece, Shown};
pub use words::{AnnouncementQuery, AnnouncementRow, OpeningRow, WordRows};
pub use world::{Link, LinkId, Me, World};

use readers::Readers;
use sqlx::Row;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};
use tokio::{
    sync::{broadcast, mpsc},
    task::JoinHandle,
};
use writer::{Doing, Job, Shared, Task, Tx};
use yishi_protocol::ids::{DocId, Epoch};

/// The open database. Cheap to clone; the last clone closes it, [`Store::close`] does so in order.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    readers: Readers,
    /// `None` once closing began: the writer ends when the last sender is gone.
    jobs: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    writer: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
    shared: Shared,
    epoch: Mutex<Epoch>,
    life_matches: bool,
    late: late::Late,
    /// The next serial per year and block, ahead of the table by what is being written.
    serials: Mutex<BTreeMap<(u16, u32), u32>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("dir", &self.0.dir).finish_non_exhaustive()
    }
}

impl Store {
    /// The directory it lives in.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// The federation as known here right now.
    #[must_use]
    pub fn world(&self) -> Arc<World> {
        self.0.shared.world.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The life of this database (rule R14).
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        *self.0.epoch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the nonce kept outside the database agrees with the one inside. If not, the database was
    /// restored or copied: renew its life before anything is written ([`Store::renew_life`]).
    #[must_use]
    pub fn life_matches(&self) -> bool {
        self.0.life_matches
    }

    /// News of every group of writes that changed something. A receiver that lags only looks again.
    #[must_use]
    pub fn news(&self) -> broadcast::Receiver<Arc<Written>> {
        self.0.shared.written.subscribe()
    }

    /// Matters whose rows in lists were made anew, told once lists show them. A receiver that lags looks again.
    #[must_use]
    pub fn shown(&self) -> broadcast::Receiver<Arc<Vec<DocId>>> {
        self.0.shared.shown.subscribe()
    }

    /// Transactions committed since it was opened; each waited for one fsync of the log.
    #[must_use]
    pub fn transactions(&self) -> u64 {
        self.0.shared.committed.load(Ordering::Relaxed)
    }

    /// Stores a batch; returns when it is durable.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of the batch is kept then.
    pub async fn write(&self, batch: Batch) -> Result<Written, StoreError> {
        self.submit(move |tx| Box::pin(tx.apply(batch))).await
    }

    /// A value kept by name.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT value FROM meta WHERE key = ?1")
            .bind(key)
            .fetch_optional(self.readers())
            .await?;
        Ok(row.map(|r| r.try_get(0)).transpose()?)
    }

    /// Keeps a value by name.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn set_meta(&self, key: &'static str, value: Vec<u8>) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                sqlx::query("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")
                    .bind(key)
                    .bind(value)
                    .execute(&mut tx.conn)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Waits until nothing can be written any more because of an error that ends the node, and says which.
    pub async fn lost(&self) -> StoreError {
        let mut lost = self.0.shared.lost.subscribe();
        let lost = lost.wait_for(Option::is_some).await;
        lost.ok().and_then(|error| error.clone()).unwrap_or(StoreError::Closed)
    }

    /// Why nothing is taken any more.
    fn not_taken(&self) -> StoreError {
        self.0.shared.lost.borrow().clone().unwrap_or(StoreError::Closed)
    }

    /// Finishes what is waiting, folds the log into the database file and lets go of the directory.
    ///
    /// # Errors
    /// [`StoreError`] when the end could not be written; everything answered before is safe.
    pub async fn close(&self) -> Result<(), StoreError> {
        let jobs = self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(jobs);
        self.0.readers.close().await;
        let writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        match writer {
            Some(task) => task.await.map_err(|_| StoreError::Closed)?,
            None => Ok(()),
        }
    }

    pub(in crate::store) fn readers(&self) -> &Readers {
        &self.0.readers
    }

    /// Hands work to the writer and waits until it is durable.
    pub(in crate::store) async fn submit<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Tx) -> Doing<'a, Result<T, StoreError>> + Send + 'static,
    {
        let sender = self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sender = sender.ok_or_else(|| self.not_taken())?;
        let pending = request::pending();
        let (job, answer): (Box<dyn Job>, _) = match pending.clone() {
            None => {
                let (task, answer) = Task::new(work);
                (Box::new(task), answer)
            }
            Some(pending) => {
                let (task, answer) = Task::new(move |tx: &mut Tx| -> Doing<'_, Result<T, StoreError>> {
                    Box::pin(async move {
                        let done = work(&mut *tx).await?;
                        pending.note(tx).await?;
                        Ok(done)
                    })
                });
                (Box::new(task), answer)
            }
        };
        sender.send(job).await.map_err(|_| self.not_taken())?;
        drop(sender);
        let done = answer.await.map_err(|_| self.not_taken())?;
        if let (Ok(_), Some(pending)) = (&done, pending) {
            pending.noted();
        }
        done
    }
}
