//! The one writer: a task that owns the only connection that writes.
//!
//! It takes all waiting jobs into one transaction, commits once (one fsync for all of them) and only
//! then answers. A job that fails is rolled back to its savepoint and gets its own error; the others go
//! on. What the writer keeps in memory (the world, the feeds' heads, the next row numbers) is restored
//! together with the savepoint, so memory never runs ahead of the disk.
//!
//! After a sync that failed nobody knows what the disk holds of the last group, and the next sync would
//! succeed without having written it. So the writer then stops for good, and the node with it; the next
//! start moves what the log holds into the database before anything new is written.

use super::{
    batch::{FeedDigest, Written},
    columns::{array, optional_unsigned, unsigned},
    error::StoreError,
    feed::FeedRow,
    world::{Link, LinkId, Me, RouteCache, World},
};
use sqlx::{Connection, Row, SqliteConnection};
use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    future::Future,
    pin::Pin,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use yishi_protocol::{
    cert::{CertError, Certificate, Directory, Placement, Revocation},
    ids::{ActorId, CertHash, DocId, Epoch, Incarnation},
    key::SecretKeys,
};

/// Jobs waiting for the writer; more wait in their callers.
pub(super) const JOBS_WAITING_MAX: usize = 64;
/// New changes after which a transaction is closed although jobs wait: a clerk's save behind a link's
/// backlog is answered within a fraction of a second.
const GROUP_CHANGES_MAX: usize = 5_000;

/// A boxed future that borrows the writer.
pub(super) type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A feed's last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: u64,
    pub(super) digest: FeedDigest,
}

/// What the writer knows without asking the database.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) world: Arc<World>,
    pub(super) heads: BTreeMap<LinkId, Head>,
    pub(super) next_commit: i64,
    pub(super) next_doc: i64,
    /// Tells the projector whether a document changed again.
    pub(super) stamp: i64,
}

/// The writer's connection and memory, lent to one job at a time.
#[derive(Debug)]
pub(super) struct Tx {
    pub(super) conn: SqliteConnection,
    pub(super) state: State,
    pub(super) routes: RouteCache,
    pub(super) actors: HashMap<ActorId, i64>,
    pub(super) certs: HashMap<CertHash, i64>,
    pub(super) feed_rows: Vec<FeedRow>,
    pub(super) written: Written,
    /// Something deleted is still in the log.
    pub(super) unwiped: bool,
}

/// A piece of work for the writer.
pub(super) trait Job: Send {
    /// Does it, inside a savepoint.
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> Doing<'a, Result<(), StoreError>>;
    /// Tells the caller, after the commit.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// A job made of a closure.
pub(super) struct Task<F, T> {
    work: Option<F>,
    done: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Task<F, T>
where
    F: for<'a> FnOnce(&'a mut Tx) -> Doing<'a, Result<T, StoreError>> + Send,
    T: Send,
{
    pub(super) fn new(work: F) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Self { work: Some(work), done: None, reply }, answer)
    }
}

impl<F, T> Job for Task<F, T>
where
    F: for<'a> FnOnce(&'a mut Tx) -> Doing<'a, Result<T, StoreError>> + Send,
    T: Send,
{
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> Doing<'a, Result<(), StoreError>> {
        Box::pin(async move {
            if let Some(work) = self.work.take() {
                self.done = Some(work(tx).await?);
            }
            Ok(())
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { done, reply, .. } = *self;
        // A caller who went away has lost interest in the answer, not in the work.
        let _ = reply.send(committed.and_then(|()| done.ok_or(StoreError::Closed)));
    }
}

/// What the writer shares with everybody else.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) world: Arc<RwLock<Arc<World>>>,
    pub(super) written: broadcast::Sender<Arc<Written>>,
    /// Matters that lists show as they are now.
    pub(super) shown: broadcast::Sender<Arc<Vec<DocId>>>,
    /// Why the writer stopped for good, once it did.
    pub(super) lost: watch::Sender<Option<StoreError>>,
    /// Transactions committed since the start, each with its fsync.
    pub(super) committed: Arc<AtomicU64>,
}

/// Works until every sender is gone, then closes the database. `lock` is held until then.
///
/// # Errors
/// After an error that [ends the node](StoreError::ends_the_node) nothing more is done: the directory stays
/// marked as not closed in order.
pub(super) async fn run(
    mut tx: Tx,
    mut jobs: mpsc::Receiver<Box<dyn Job>>,
    shared: Shared,
    lock: File,
) -> Result<(), StoreError> {
    let mut group = Vec::with_capacity(JOBS_WAITING_MAX);
    while jobs.recv_many(&mut group, JOBS_WAITING_MAX).await > 0 {
        while !group.is_empty() {
            tx.group(&mut group, &shared, &lock).await?;
        }
    }
    // Folds the log into the database file, so that the file alone is a whole copy.
    let folded = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut tx.conn).await;
    tx.conn.close().await?;
    folded?;
    super::lock::mark_clean(&lock)?;
    Ok(())
}

impl Tx {
    pub(super) async fn load(mut conn: SqliteConnection) -> Result<(Self, Epoch), StoreError> {
        let (state, epoch) = State::load(&mut conn).await?;
        let tx = Self {
            conn,
            state,
            routes: RouteCache::default(),
            actors: HashMap::new(),
            certs: HashMap::new(),
            feed_rows: Vec::new(),
            written: Written::default(),
            unwiped: false,
        };
        Ok((tx, epoch))
    }

    pub(super) async fn execute(&mut self, sql: &'static str) -> Result<(), StoreError> {
        sqlx::query(sql).execute(&mut self.conn).await?;
        Ok(())
    }

    /// The world, to be changed; what was derived from it is forgotten.
    pub(super) fn world_mut(&mut self) -> &mut World {
        self.routes.clear();
        self.written.world_changed = true;
        Arc::make_mut(&mut self.state.world)
    }

    fn restore(&mut self, state: State) {
        self.state = state;
        self.routes.clear();
        self.actors.clear();
        self.certs.clear();
        self.feed_rows.clear();
        self.written = Written::default();
    }

    /// Does the first jobs of the group in one transaction and answers them.
    async fn group(
        &mut self,
        group: &mut Vec<Box<dyn Job>>,
        shared: &Shared,
        lock: &File,
    ) -> Result<(), StoreError> {
        let before = self.state.clone();
        let mut results = Vec::with_capacity(group.len());
        let mut written = Written::default();
        let committed = self.transaction(group, &mut results, &mut written).await;
        let committed = committed.map_err(|error| match error {
            StoreError::Disk(said) => super::lock::why_not(lock, said),
            other => other,
        });
        if let Err(error) = &committed {
            tracing::warn!(%error, jobs = group.len(), "a group of writes was rolled back");
            // SQLite may have rolled back by itself already.
            let _ = self.execute("ROLLBACK").await;
            self.restore(before);
            if error.ends_the_node() {
                shared.lost.send_replace(Some(error.clone()));
            }
        } else {
            shared.committed.fetch_add(1, Ordering::Relaxed);
            self.unwiped |= written.forgot;
            if self.unwiped {
                self.unwiped = !self.wipe_log().await;
            }
            *shared.world.write().unwrap_or_else(PoisonError::into_inner) = self.state.world.clone();
            let shown = std::mem::take(&mut written.shown);
            if !shown.is_empty() {
                let _ = shared.shown.send(Arc::new(shown));
            }
            if !written.is_nothing() {
                // Nobody listening is no error.
                let _ = shared.written.send(Arc::new(written));
            }
        }
        // If not even the transaction began, everybody waiting is told.
        let answered = if results.is_empty() { group.len() } else { results.len() };
        let mut results = results.into_iter();
        for job in group.drain(..answered) {
            let own = results.next().unwrap_or(Ok(()));
            job.answer(own.and_then(|()| committed.clone()));
        }
        committed.or_else(|error| if error.ends_the_node() { Err(error) } else { Ok(()) })
    }

    async fn transaction(
        &mut self,
        group: &mut [Box<dyn Job>],
        results: &mut Vec<Result<(), StoreError>>,
        written: &mut Written,
    ) -> Result<(), StoreError> {
        self.execute("BEGIN IMMEDIATE").await?;
        if let [job] = group {
            // Alone it needs no savepoint: the transaction is its own.
            let before = self.state.clone();
            let mut result = job.run(self).await;
            if result.is_ok() {
                result = self.flush_feeds().await;
            }
            let Err(error) = result else {
                written.merge(std::mem::take(&mut self.written));
                results.push(Ok(()));
                return self.execute("COMMIT").await;
            };
            self.restore(before);
            results.push(Err(error.clone()));
            // On a full disk SQLite rolls the whole transaction back by itself.
            return self.execute("ROLLBACK").await.map_err(|_| error);
        }
        for job in group {
            let before = self.state.clone();
            self.execute("SAVEPOINT job").await?;
            let mut result = job.run(self).await;
            if result.is_ok() {
                result = self.flush_feeds().await;
            }
            match result {
                Ok(()) => {
                    written.merge(std::mem::take(&mut self.written));
                    results.push(Ok(()));
                }
                Err(error) => {
                    self.restore(before);
                    results.push(Err(error.clone()));
                    // On a full disk SQLite rolls the whole transaction back, savepoints included.
                    self.execute("ROLLBACK TO job").await.map_err(|_| error)?;
                }
            }
            self.execute("RELEASE job").await?;
            if written.new_commits >= GROUP_CHANGES_MAX {
                break;
            }
        }
        self.execute("COMMIT").await
    }
}

impl State {
    async fn load(conn: &mut SqliteConnection) -> Result<(Self, Epoch), StoreError> {
        let mut certs = Vec::new();
        for row in sqlx::query("SELECT bytes FROM certs ORDER BY id").fetch_all(&mut *conn).await? {
            certs.push(Certificate::decode(row.try_get(0)?)?);
        }
        let mut certs = certs.into_iter();
        let root = certs.next().ok_or_else(|| StoreError::Damaged("no root certificate".into()))?;
        let mut directory = Directory::new(root)?;
        // A later parent's certificates stand on placements, and those on earlier certificates.
        let mut adopted = Vec::new();
        for cert in certs {
            match directory.add(cert.clone()) {
                Ok(_) => {}
                Err(CertError::NotFounder | CertError::UnknownIssuer) => adopted.push(cert),
                Err(error) => return Err(error.into()),
            }
        }
        let mut placements = Vec::new();
        for row in sqlx::query("SELECT bytes FROM placements ORDER BY id").fetch_all(&mut *conn).await? {
            placements.push(Placement::decode(row.try_get(0)?)?);
        }
        while !placements.is_empty() || !adopted.is_empty() {
            let waiting = placements.len() + adopted.len();
            placements.retain(|p| directory.place_at(p).is_err());
            adopted.retain(|c| directory.add(c.clone()).is_err());
            if placements.len() + adopted.len() == waiting {
                return Err(StoreError::Damaged("certificates and placements do not fit together".into()));
            }
        }
        for row in sqlx::query("SELECT bytes FROM revocations ORDER BY id").fetch_all(&mut *conn).await? {
            directory.revoke(&Revocation::decode(row.try_get(0)?)?)?;
        }
        let cert = CertHash(meta(conn, "cert").await?);
        let mine = directory.get(&cert).ok_or(StoreError::UnknownCertificate(cert))?;
        let incarnation = Incarnation(u32::from_be_bytes(meta(conn, "incarnation").await?));
        let me = Me {
            place: mine.place,
            cert,
            keys: SecretKeys::from_bytes(&meta(conn, "keys").await?),
            incarnation,
            actor: mine.actor(incarnation),
        };
        let epoch = Epoch(meta(conn, "epoch").await?);
        let (mut links, mut heads) = (Vec::new(), BTreeMap::new());
        let sql = "SELECT id, peer, up, address, out_seq, out_digest, closed FROM links ORDER BY id";
        for row in sqlx::query(sql).fetch_all(&mut *conn).await? {
            let id = LinkId(row.try_get(0)?);
            heads.insert(id, Head { seq: unsigned(&row, 4)?, digest: array(&row, 5)? });
            if !row.try_get::<bool, _>(6)? {
                links.push(Link {
                    id,
                    peer: yishi_protocol::ids::PlaceId(array(&row, 1)?),
                    up: row.try_get(2)?,
                    address: row.try_get(3)?,
                });
            }
        }
        let sql = "SELECT (SELECT max(id) FROM commits), (SELECT max(id) FROM docs), (SELECT max(stamp) FROM dirty)";
        let row = sqlx::query(sql).fetch_one(&mut *conn).await?;
        let next = |column| -> Result<i64, StoreError> {
            Ok(optional_unsigned(&row, column)?.map_or(1, |last| last.cast_signed() + 1))
        };
        let charters = super::charters::load(conn, &directory, &me.place).await?;
        let state = Self {
            world: Arc::new(World { directory, me, links, charters }),
            heads,
            next_commit: next(0)?,
            next_doc: next(1)?,
            stamp: next(2)?,
        };
        Ok((state, epoch))
    }
}

/// One of the values without which a database is none.
async fn meta<const N: usize>(conn: &mut SqliteConnection, key: &'static str) -> Result<[u8; N], StoreError> {
    let row = sqlx::query("SELECT value FROM meta WHERE key = ?1").bind(key).fetch_optional(conn).await?;
    array(&row.ok_or_else(|| StoreError::Damaged(format!("{key} is missing")))?, 0)
}
