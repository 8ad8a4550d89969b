//! A whole copy of a database in one file, taken while the node works, and what is noted in it.
//!
//! A copy never knows the present life: opened from there, its life is renewed before anything else, and
//! every neighbour is compared with (rule R14). Which links that still has to happen with is kept.

use super::{
    Store,
    columns::unsigned,
    error::StoreError,
    open::{NO_LIFE, put_meta},
    similar::CLEAR_SIMILAR,
    world::LinkId,
    writer::Tx,
};
use sqlx::{
    ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{fs::File, path::Path, time::Duration};

/// How long the copy waits for the running node's lock.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// Writes everything in the database at `from` into the file `to`, which is empty or does not exist yet.
/// Durable when this returns; on an error what lies at `to` is no copy.
async fn copy_database(from: &Path, to: &Path, at_ms: Option<u64>) -> Result<(), StoreError> {
    let name = to.to_str().ok_or_else(|| StoreError::Disk("the file's name is not Unicode".into()))?;
    let source = SqliteConnectOptions::new().filename(from).create_if_missing(false).busy_timeout(BUSY_WAIT);
    let mut conn = source.disable_statement_logging().connect().await?;
    sqlx::query("VACUUM INTO ?1").bind(name).execute(&mut conn).await?;
    conn.close().await?;
    let mut copy = alone(to).await?;
    put_meta(&mut copy, "life", NO_LIFE.to_vec()).await?;
    if let Some(at_ms) = at_ms {
        put_meta(&mut copy, "backup_at_ms", at_ms.to_be_bytes().to_vec()).await?;
    }
    copy.close().await?;
    File::open(to)?.sync_all()?;
    Ok(())
}

/// A connection to a file without a log beside it: what is renamed afterwards must be whole in one file.
async fn alone(file: &Path) -> Result<SqliteConnection, StoreError> {
    Ok(SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await?)
}

/// How large a copy of the database at `from` will be, about.
async fn copy_bytes(from: &Path) -> Result<u64, StoreError> {
    let source = SqliteConnectOptions::new().filename(from).create_if_missing(false).busy_timeout(BUSY_WAIT);
    let mut conn = source.disable_statement_logging().connect().await?;
    let sql = "SELECT (page_count - freelist_count) * page_size
               FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()";
    let row = sqlx::query(sql).fetch_one(&mut conn).await?;
    conn.close().await?;
    unsigned(&row, 0)
}

impl Tx {
    /// Notes that every open link has to be compared with anew.
    pub(super) async fn compare_all(&mut self) -> Result<(), StoreError> {
        self.execute("UPDATE links SET last_in_step_ms = NULL").await?;
        let open: Vec<String> = self.state.world.links.iter().map(|l| l.id.to_string()).collect();
        put_meta(&mut self.conn, "comparing", format!("[{}]", open.join(",")).into_bytes()).await
    }
}

impl Store {
    /// Writes a whole copy of the database file `from`, as of now, to a file that does not exist yet or is
    /// empty; its node may be running. Opened from there it is a restored one. `at_ms` is noted in it as
    /// the time of the backup.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be written; what lies at `to` then is no copy.
    pub async fn copy(from: &Path, to: &Path, at_ms: Option<u64>) -> Result<(), StoreError> {
        copy_database(from, to, at_ms).await
    }

    /// Queues every document of a copied file to be folded anew when it is started.
    ///
    /// # Errors
    /// [`StoreError`] when it was not written.
    pub async fn queue_all(file: &Path) -> Result<(), StoreError> {
        let mut copy = alone(file).await?;
        for sql in [
            "DELETE FROM matters",
            "DELETE FROM outcome_matters",
            "DELETE FROM outcomes",
            "DELETE FROM announcements",
            "DELETE FROM openings",
            "DELETE FROM stubs",
            "DELETE FROM standings",
            "DELETE FROM tally",
            "DELETE FROM heard",
            "DELETE FROM procedures",
            "DELETE FROM snapshots",
            "DELETE FROM notices",
            "INSERT OR IGNORE INTO dirty (doc, stamp) SELECT id, 1 FROM docs",
        ]
        .into_iter()
        .chain(CLEAR_SIMILAR)
        {
            sqlx::query(sql).execute(&mut copy).await?;
        }
        copy.close().await?;
        Ok(())
    }

    /// How large a copy of the database file will be, about.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn copy_size(from: &Path) -> Result<u64, StoreError> {
        copy_bytes(from).await
    }

    /// The open links with which this database has not been compared since its life was renewed: what
    /// their peers have of this place may not be back yet.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn comparing(&self) -> Result<Vec<LinkId>, StoreError> {
        let sql = "SELECT l.id FROM meta m, json_each(CAST(m.value AS TEXT)) j JOIN links l ON l.id = j.value
                   WHERE m.key = 'comparing' AND l.closed = 0 AND l.last_in_step_ms IS NULL ORDER BY l.id";
        let rows = sqlx::query(sql).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok(LinkId(row.try_get(0)?))).collect()
    }

    /// When the backup this database was restored from was made.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn restored_from_ms(&self) -> Result<Option<u64>, StoreError> {
        let bytes = self.meta("backup_at_ms").await?;
        Ok(bytes.and_then(|b| Some(u64::from_be_bytes(b.try_into().ok()?))))
    }
}
