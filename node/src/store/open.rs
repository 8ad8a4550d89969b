//! Making, opening and renewing a database.
//!
//! A new database is made under another name and renamed when it is whole, so that a directory holds
//! either none or a complete one. Opening takes well under a second: SQLite itself refuses a file that
//! was cut off; the full check runs only after a stop that was not in order, and only on small files.

use super::{
    Inner, Store,
    columns::array,
    error::StoreError,
    late::Late,
    lock,
    readers::Readers,
    writer::{self, JOBS_WAITING_MAX, Shared, Tx},
};
use sqlx::{
    ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::{broadcast, mpsc, watch};
use yishi_protocol::{
    cert::{CertError, Certificate, Directory, Introduction, Placement},
    commit::ActorRecord,
    ids::{ActorId, CertHash, Epoch, Incarnation},
    key::SecretKeys,
    planted::Bug,
};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// The newest form of the tables this program knows.
pub(super) fn newest_form() -> i64 {
    MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0)
}

/// Connections that read. Three serve a village's pages and its link at once.
const READERS_MAX: u32 = 3;
/// Page cache of one connection in KiB: four of them fit a village of 64 MiB several times over.
const CACHE_KIB: i64 = 4_000;
/// How long a connection waits for another's lock before it gives up.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// Read through in full after an unclean stop only up to this size: about a second from a slow card.
const CHECKED_BYTES_MAX: u64 = 24 * 1024 * 1024;
/// Rows a connection's thread may be ahead of whoever reads them; each wake-up costs as much as a row.
const ROWS_HANDED_OVER: usize = 512;
/// What the log may keep on disk after it was folded in.
const LOG_KEPT_BYTES: i64 = 16 * 1024 * 1024;
/// News kept for a listener that is slow; one that lags behind looks at the tables again.
const NEWS_KEPT: usize = 256;

/// What a new database begins with.
#[derive(Debug, Clone)]
pub struct Genesis {
    /// This node's keys.
    pub keys: SecretKeys,
    /// The chain from the root's certificate down to this node's own, in that order; more may follow.
    pub certs: Vec<Certificate>,
    /// This node's own certificate.
    pub cert: CertHash,
    /// The database's first life.
    pub epoch: Epoch,
    /// The actor's first life.
    pub incarnation: Incarnation,
    /// Random; kept inside and outside the database to notice a copy.
    pub life: [u8; 16],
}

fn database(dir: &Path) -> PathBuf {
    dir.join("yishi.db")
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match Bug::AckBeforeSync.planted() {
            false => SqliteSynchronous::Full,
            true => SqliteSynchronous::Off,
        })
        .foreign_keys(true)
        .busy_timeout(BUSY_WAIT)
        .row_buffer_size(ROWS_HANDED_OVER)
        .pragma("cache_size", format!("-{CACHE_KIB}"))
        // What is deleted is overwritten: a petitioner who was forgotten is in no page of the file.
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("journal_size_limit", LOG_KEPT_BYTES.to_string())
        .disable_statement_logging()
}

impl Store {
    /// Makes a new database in `dir` and opens it.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if there is one; otherwise what went wrong. Nothing is left behind then.
    pub async fn create(dir: &Path, genesis: Genesis) -> Result<Self, StoreError> {
        Self::create_placed(dir, genesis, &[]).await
    }

    /// The same for a place that was moved, or one above it was: the certificates stand on placements.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn create_placed(
        dir: &Path,
        genesis: Genesis,
        placements: &[Placement],
    ) -> Result<Self, StoreError> {
        let path = database(dir);
        if path.exists() {
            return Err(StoreError::Exists(dir.to_owned()));
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let draft = dir.join("yishi.db.new");
        remove_draft(&draft)?;
        // The keys are in it: for the owner's eyes only, and the log takes over these permissions.
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        let made = fill(&draft, &genesis, placements).await;
        if let Err(error) = made {
            remove_draft(&draft)?;
            return Err(error);
        }
        write_life(dir, &[genesis.life])?;
        fs::rename(&draft, &path)?;
        File::open(dir)?.sync_all()?;
        Self::open(dir).await
    }

    /// Opens the database in `dir`.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::InUse`], [`StoreError::Damaged`], [`StoreError::ReadOnly`],
    /// [`StoreError::Newer`] and others say why not; the file is left as it is.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = database(dir);
        let bytes = match fs::metadata(&path) {
            Ok(found) => found.len(),
            Err(e) if e.kind() == ErrorKind::NotFound => return Err(StoreError::Missing(dir.to_owned())),
            Err(e) => return Err(e.into()),
        };
        let (lock, clean) = lock::take(dir).await?;
        let mut conn = options(&path).connect().await?;
        MIGRATIONS.run(&mut conn).await?;
        if !clean && bytes <= CHECKED_BYTES_MAX {
            check(&mut conn).await?;
        }
        if !clean {
            // After a failed sync the log may hold pages that only look written. What is acknowledged from
            // now on must not stand on them: all of it goes into the database file, which is synced, and the
            // log begins anew.
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut conn).await?;
        }
        let life_matches = next_life(&mut conn, dir).await?;
        let (tx, epoch) = Tx::load(conn).await?;
        let reading = options(&path).pragma("query_only", "ON");
        let readers = Readers::open(reading, READERS_MAX, BUSY_WAIT).await?;
        Ok(Self::start(dir, tx, readers, epoch, lock, life_matches))
    }

    fn start(dir: &Path, tx: Tx, readers: Readers, epoch: Epoch, lock: File, life_matches: bool) -> Self {
        let (written, _) = broadcast::channel(NEWS_KEPT);
        let (shown, _) = broadcast::channel(NEWS_KEPT);
        let (lost, _) = watch::channel(None);
        let world = Arc::new(RwLock::new(tx.state.world.clone()));
        let shared = Shared { world, written, shown, lost, committed: Arc::default() };
        let (jobs, waiting) = mpsc::channel(JOBS_WAITING_MAX);
        let writer = tokio::spawn(writer::run(tx, waiting, shared.clone(), lock));
        Self(Arc::new(Inner {
            dir: dir.to_owned(),
            readers,
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::new(Some(writer)),
            shared,
            epoch: Mutex::new(epoch),
            life_matches,
            late: Late::default(),
            serials: Mutex::default(),
        }))
    }

    /// Begins a new life of the database after a restore or a suspected copy: peers will compare what
    /// both hold, and nothing written from now on can collide with what the other copy wrote.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn renew_life(
        &self,
        epoch: Epoch,
        incarnation: Incarnation,
        life: [u8; 16],
    ) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                put_life(&mut tx.conn, &epoch, incarnation, &life).await?;
                tx.compare_all().await?;
                let me = &mut tx.world_mut().me;
                me.incarnation = incarnation;
                me.actor = ActorId::of(&me.keys.public(), incarnation);
                let (actor, cert) = (me.actor, me.cert);
                tx.add_actor(ActorRecord { actor, cert, incarnation }).await
            })
        })
        .await?;
        *self.0.epoch.lock().unwrap_or_else(PoisonError::into_inner) = epoch;
        // If the process ends before this, the next start finds the disagreement again.
        write_life(&self.0.dir, &[life])
    }

    /// Goes on under another certificate of this node's own key: renamed, or under another parent.
    ///
    /// # Errors
    /// [`StoreError::UnknownCertificate`] if it is not here or not of this key.
    pub async fn adopt_cert(&self, cert: CertHash) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let world = tx.state.world.clone();
                let found = world.directory.get(&cert).filter(|c| c.key == world.me.keys.public());
                let place = found.ok_or(StoreError::UnknownCertificate(cert))?.place;
                put_meta(&mut tx.conn, "cert", cert.0.to_vec()).await?;
                let me = &mut tx.world_mut().me;
                (me.cert, me.place) = (cert, place);
                Ok(())
            })
        })
        .await
    }

    /// Writes a whole copy of the database, as of now, to a file that does not exist yet. Opened from
    /// there it is a restored one: its life does not match and has to be renewed.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be written; the file is removed then.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
        let copied = Self::copy(&database(&self.0.dir), to, None).await;
        if copied.is_err() {
            remove_draft(to)?;
        }
        copied
    }
}

async fn fill(path: &Path, genesis: &Genesis, placements: &[Placement]) -> Result<(), StoreError> {
    let root = genesis.certs.first().ok_or(CertError::UnknownIssuer)?;
    let mut directory = Directory::new(root.clone())?;
    directory.introduce(&Introduction { certs: genesis.certs.clone(), placements: placements.to_vec() })?;
    let own = directory.get(&genesis.cert).ok_or(StoreError::UnknownCertificate(genesis.cert))?;
    if own.key != genesis.keys.public() {
        return Err(CertError::Forged.into());
    }
    // Without a log beside it: what is renamed afterwards must be whole in one file, and an error while
    // a log is folded in at closing would go unnoticed.
    let mut conn = options(path).journal_mode(SqliteJournalMode::Delete).connect().await?;
    MIGRATIONS.run(&mut conn).await?;
    let mut tx = conn.begin().await?;
    for cert in &genesis.certs {
        sqlx::query("INSERT OR IGNORE INTO certs (hash, bytes) VALUES (?1, ?2)")
            .bind(cert.hash().0.to_vec())
            .bind(cert.encode())
            .execute(&mut *tx)
            .await?;
    }
    for placement in placements {
        sqlx::query("INSERT OR IGNORE INTO placements (hash, bytes) VALUES (?1, ?2)")
            .bind(placement.hash().0.to_vec())
            .bind(placement.encode())
            .execute(&mut *tx)
            .await?;
    }
    sqlx::query("INSERT INTO actors (actor, cert, incarnation) SELECT ?1, id, ?3 FROM certs WHERE hash = ?2")
        .bind(own.actor(genesis.incarnation).0.to_vec())
        .bind(genesis.cert.0.to_vec())
        .bind(i64::from(genesis.incarnation.0))
        .execute(&mut *tx)
        .await?;
    put_meta(&mut tx, "keys", genesis.keys.to_bytes().to_vec()).await?;
    put_meta(&mut tx, "cert", genesis.cert.0.to_vec()).await?;
    put_life(&mut tx, &genesis.epoch, genesis.incarnation, &genesis.life).await?;
    tx.commit().await?;
    conn.close().await?;
    File::open(path)?.sync_all()?;
    Ok(())
}

async fn put_life(
    conn: &mut SqliteConnection,
    epoch: &Epoch,
    incarnation: Incarnation,
    life: &[u8; 16],
) -> Result<(), StoreError> {
    put_meta(conn, "epoch", epoch.0.to_vec()).await?;
    put_meta(conn, "incarnation", incarnation.0.to_be_bytes().to_vec()).await?;
    put_meta(conn, "life", life.to_vec()).await
}

pub(super) async fn put_meta(
    conn: &mut SqliteConnection,
    key: &'static str,
    value: Vec<u8>,
) -> Result<(), StoreError> {
    sqlx::query("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")
        .bind(key)
        .bind(value)
        .execute(conn)
        .await?;
    Ok(())
}

async fn check(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let row = sqlx::query("PRAGMA quick_check(1)").fetch_one(conn).await?;
    match row.try_get::<String, _>(0)? {
        fine if fine == "ok" => Ok(()),
        found => Err(StoreError::Damaged(found)),
    }
}

fn remove_draft(draft: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = draft.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
    }
    Ok(())
}

/// The life of a copy: never that of a running database.
pub(super) const NO_LIFE: Life = [0; 16];

/// A random value that is the same inside the database and in the file beside it, and another one after
/// every start: a database put back from an earlier copy does not know the present one.
type Life = [u8; 16];

/// Compares the two and, if they agree, goes on to a new value. While it changes the file names both.
async fn next_life(conn: &mut SqliteConnection, dir: &Path) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT value FROM meta WHERE key = 'life'").fetch_optional(&mut *conn).await?;
    let row = row.ok_or_else(|| StoreError::Damaged("life is missing".into()))?;
    let now: Life = array(&row, 0)?;
    if now == NO_LIFE || !read_lives(dir)?.contains(&now) {
        return Ok(false);
    }
    let next = rand::random();
    write_life(dir, &[now, next])?;
    put_meta(conn, "life", next.to_vec()).await?;
    write_life(dir, &[next])?;
    Ok(true)
}

fn write_life(dir: &Path, lives: &[Life]) -> Result<(), StoreError> {
    let draft = dir.join("life.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(lives.as_flattened())?;
    file.sync_all()?;
    fs::rename(&draft, dir.join("life"))?;
    File::open(dir)?.sync_all()?;
    Ok(())
}

fn read_lives(dir: &Path) -> Result<Vec<Life>, StoreError> {
    match fs::read(dir.join("life")) {
        Ok(bytes) => Ok(bytes.as_chunks().0.to_vec()),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e.into()),
    }
}
