//! The connections that read, beside the one that writes.
//!
//! They are opened as they are needed, the one used last is taken first, and they are kept until the end. A pool made
//! for databases over a network asks a connection before each use and after it whether it is still alive, and
//! gives it back in a task of its own: here, where the answer is always yes, that doubled what a short query costs,
//! and the next query found no connection idle and opened another one.
//!
//! Invariant: who waits for a connection holds none, so nobody waits for ever; what one statement finds is
//! collected before its connection goes back. Whoever reads many rows one by one, or in one snapshot, takes a
//! connection with [`Readers::take`].

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sqlx::{
    ConnectOptions as _, Connection as _, Describe, Either, Error, Execute, Executor, SqlStr, Sqlite,
    SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteQueryResult, SqliteRow, SqliteStatement, SqliteTypeInfo},
};
use std::{
    fmt,
    ops::{Deref, DerefMut},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError},
    time::timeout,
};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;
type Rows<'a> = Pin<
    Box<dyn futures_util::Stream<Item = Result<Either<SqliteQueryResult, SqliteRow>, Error>> + Send + 'a>,
>;

/// Some connections to one database file. Cheap to clone.
#[derive(Clone)]
pub(super) struct Readers(Arc<Inner>);

struct Inner {
    options: SqliteConnectOptions,
    most: u32,
    permits: Arc<Semaphore>,
    free: Mutex<Vec<SqliteConnection>>,
    wait_max: Duration,
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("most", &self.0.most).finish_non_exhaustive()
    }
}

impl Readers {
    /// At most so many connections; the first is opened at once, so that what is wrong shows now.
    pub(super) async fn open(
        options: SqliteConnectOptions,
        most: u32,
        wait_max: Duration,
    ) -> Result<Self, Error> {
        let first = options.connect().await?;
        Ok(Self(Arc::new(Inner {
            options,
            most,
            permits: Arc::new(Semaphore::new(most as usize)),
            free: Mutex::new(vec![first]),
            wait_max,
        })))
    }

    /// A connection of one's own until it is let go.
    pub(super) async fn take(&self) -> Result<Reader, Error> {
        let permits = Arc::clone(&self.0.permits);
        let permit = match Arc::clone(&permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(TryAcquireError::Closed) => return Err(Error::PoolClosed),
            Err(TryAcquireError::NoPermits) => {
                let waited = timeout(self.0.wait_max, permits.acquire_owned()).await;
                waited.map_err(|_| Error::PoolTimedOut)?.map_err(|_| Error::PoolClosed)?
            }
        };
        let free = self.0.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match free {
            Some(conn) => conn,
            None => self.0.options.connect().await?,
        };
        Ok(Reader { conn: Some(conn), home: Arc::clone(&self.0), _permit: permit })
    }

    /// Waits for those at work, closes every connection and hands out none any more.
    pub(super) async fn close(&self) {
        let all = self.0.permits.acquire_many(self.0.most).await;
        self.0.permits.close();
        drop(all);
        let free = std::mem::take(&mut *self.0.free.lock().unwrap_or_else(PoisonError::into_inner));
        for conn in free {
            // It only read: whatever goes wrong now is lost with it.
            let _ = conn.close().await;
        }
    }
}

/// A connection on loan.
pub(super) struct Reader {
    conn: Option<SqliteConnection>,
    home: Arc<Inner>,
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    const HELD: &str = "a reader holds its connection until it is dropped";
}

impl Deref for Reader {
    type Target = SqliteConnection;

    #[expect(clippy::expect_used, reason = "only Drop takes the connection out")]
    fn deref(&self) -> &SqliteConnection {
        self.conn.as_ref().expect(Self::HELD)
    }
}

impl DerefMut for Reader {
    #[expect(clippy::expect_used, reason = "only Drop takes the connection out")]
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.conn.as_mut().expect(Self::HELD)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            self.home.free.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
        }
    }
}

impl<'c> Executor<'c> for &'c Readers {
    type Database = Sqlite;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Rows<'e>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let found = async move {
            let mut conn = self.take().await?;
            let found: Vec<_> = conn.fetch_many(query).try_collect().await?;
            Ok::<_, Error>(stream::iter(found).map(Ok))
        };
        Box::pin(stream::once(found).try_flatten())
    }

    fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> Boxed<'e, Vec<SqliteRow>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        Box::pin(async move { self.take().await?.fetch_all(query).await })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> Boxed<'e, Option<SqliteRow>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        Box::pin(async move { self.take().await?.fetch_optional(query).await })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [SqliteTypeInfo]) -> Boxed<'e, SqliteStatement>
    where
        'c: 'e,
    {
        Box::pin(async move { self.take().await?.prepare_with(sql, parameters).await })
    }

    fn describe<'e>(self, sql: SqlStr) -> Boxed<'e, Describe<Sqlite>>
    where
        'c: 'e,
    {
        Box::pin(async move { self.take().await?.describe(sql).await })
    }
}
