//! Backups: one file with everything, and a node made from it again.
//!
//! A backup is a whole SQLite database, taken from a running or stopped node in one read transaction. It
//! holds the place's secret keys: without them it could bring nothing back to life, so there is no backup
//! without keys. It appears under its name only when it is whole and on disk, and never replaces a file.
//!
//! Restoring verifies the file from end to end first, and writes into a folder without a node only. The
//! restored node begins a new life: its neighbours compare what they have of it before it goes on.

use crate::{
    home::{Home, HomeError},
    store::{Store, StoreError},
    verify::{self, Report},
};
use std::{
    ffi::OsString,
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use thiserror::Error;

/// Why a backup was not made or not restored.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The node's folder.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The file is there already.
    #[error(
        "{0} 已经存在，没有改动它。请换一个文件名。\n{0} exists already and was left as it is. Choose another name"
    )]
    Exists(PathBuf),
    /// The database cannot be read.
    #[error("{0}")]
    Database(StoreError),
    /// The backup cannot be written.
    #[error(
        "{path} 没有写成（{source}），没有留下半个文件，节点不受影响。请检查磁盘空间和权限后重试。\n{path} could not be written ({source}); no half a file was left and the node is not affected. Check space and permissions and try again"
    )]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: Cause,
    },
    /// The file is no whole backup.
    #[error(
        "{path} 不是一份完整的备份（{why}），没有恢复任何内容。请换一份备份。\n{path} is no whole backup ({why}); nothing was restored. Use another one"
    )]
    NotWhole {
        /// Which file.
        path: PathBuf,
        /// Why, in few words: what a store says of its own database is not what to do with a backup.
        why: String,
    },
    /// Something signed in it was altered.
    #[error(
        "{path} 里有内容被改动过，没有恢复任何内容。请换一份备份。\nSomething in {path} was altered; nothing was restored. Use another one\n{report}"
    )]
    Altered {
        /// Which file.
        path: PathBuf,
        /// What was found.
        report: Box<Report>,
    },
}

/// What the disk or the database said.
#[derive(Debug)]
pub enum Cause {
    /// The system.
    System(io::Error),
    /// The database.
    Database(StoreError),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(e) => e.fmt(f),
            Self::Database(StoreError::DiskFull) => f.write_str("磁盘空间不足, the disk is full"),
            Self::Database(e) => f.write_str(&e.en()),
        }
    }
}

impl std::error::Error for Cause {}

/// How far a backup is.
#[derive(Debug, Default)]
pub struct Progress {
    draft: std::sync::Mutex<PathBuf>,
    of_bytes: AtomicU64,
}

impl Progress {
    /// One line for a terminal.
    #[must_use]
    pub fn line(&self) -> String {
        let draft = self.draft.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let done = fs::metadata(draft).map_or(0, |m| m.len());
        let of = self.of_bytes.load(Ordering::Relaxed);
        format!("备份 backup {} / {} MB", done >> 20, of.max(done) >> 20)
    }
}

/// A name beside a file that only this process writes.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    name.push(suffix);
    file.with_file_name(name)
}

/// Removed again unless the work came to its end.
struct DraftFile(PathBuf);

impl Drop for DraftFile {
    fn drop(&mut self) {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let mut name = self.0.as_os_str().to_owned();
            name.push(suffix);
            // What is not there need not be removed; what cannot be is named differently next time.
            let _ = fs::remove_file(name);
        }
    }
}

/// Writes a backup of the node in `home` to `to`, which must not exist. Returns its size in bytes.
///
/// # Errors
/// [`BackupError`]; nothing is left at `to` then.
pub async fn backup(home: &Home, to: &Path, at_ms: u64, progress: &Progress) -> Result<u64, BackupError> {
    if !home.is_occupied() {
        return Err(home.no_node().into());
    }
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let written = |source| BackupError::Write { path: to.to_owned(), source: Cause::System(source) };
    let database = home.path().join("yishi.db");
    let size = Store::copy_size(&database).await.map_err(BackupError::Database)?;
    progress.of_bytes.store(size, Ordering::Relaxed);
    // Whoever was killed while writing left its draft; its process number tells it from a live one.
    let draft = DraftFile(beside(to, &format!(".{}.part", std::process::id())));
    *progress.draft.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = draft.0.clone();
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft.0).map_err(written)?;
    Store::copy(&database, &draft.0, Some(at_ms))
        .await
        .map_err(|source| BackupError::Write { path: to.to_owned(), source: Cause::Database(source) })?;
    publish(&draft.0, to).map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
        _ => written(e),
    })?;
    Ok(fs::metadata(to).map_err(written)?.len())
}

/// Gives a finished file its name, which nobody may have taken meanwhile, durably.
fn publish(draft: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(draft, to) {
        Ok(()) => {}
        // A stick formatted for other systems knows no second names.
        Err(e) if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) => {
            if to.exists() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            fs::rename(draft, to)?;
        }
        Err(e) => return Err(e),
    }
    match to.parent().filter(|p| !p.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

/// Makes a node in `home` from the backup `from`. Returns what the verification of the file found.
///
/// # Errors
/// [`BackupError`]; nothing is left in the folder then.
pub async fn restore(
    from: &Path,
    home: &Home,
    progress: &Arc<verify::Progress>,
) -> Result<Report, BackupError> {
    home.is_free()?;
    restore_as(from, home, &home.path().join("yishi.db"), progress).await
}

/// Makes a file in a folder without a node from a backup, in the place of what it was; verified first.
pub(crate) async fn restore_as(
    from: &Path,
    home: &Home,
    database: &Path,
    progress: &Arc<verify::Progress>,
) -> Result<Report, BackupError> {
    let not_whole = |error| {
        let why = match error {
            StoreError::Damaged(what) => what,
            other => other.en(),
        };
        BackupError::NotWhole { path: from.to_owned(), why }
    };
    let report = verify::verify(from, progress).await.map_err(not_whole)?;
    if report.signed_found > 0 {
        return Err(BackupError::Altered { path: from.to_owned(), report: Box::new(report) });
    }
    home.prepare_standby()?;
    let written = |source| BackupError::Write { path: database.to_owned(), source };
    let system = |source| written(Cause::System(source));
    let draft = DraftFile(home.path().join("yishi.db.new"));
    // What a process that was killed here left behind is written over.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(&draft.0).map_err(system)?;
    let copied = Store::copy(&verify::file_of(from), &draft.0, None).await;
    copied.map_err(|e| written(Cause::Database(e)))?;
    if report.found > 0 {
        // What lists showed is not what was signed: they are made again at the first start.
        Store::queue_all(&draft.0).await.map_err(|e| written(Cause::Database(e)))?;
        File::open(&draft.0).and_then(|file| file.sync_all()).map_err(system)?;
    }
    fs::rename(&draft.0, database).map_err(system)?;
    File::open(home.path()).and_then(|folder| folder.sync_all()).map_err(system)?;
    Ok(report)
}
