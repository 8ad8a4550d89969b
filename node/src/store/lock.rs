//! One process per directory, and whether the last one stopped in order.
//!
//! The file `lock` beside the database holds one word of fixed length; the operating system releases
//! the lock itself when the process dies, the word then still says `open`.

use super::error::StoreError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
    time::Duration,
};

const OPEN: &[u8] = b"open \n";
const CLEAN: &[u8] = b"clean\n";

/// How long a process that is just stopping is waited for.
const STOPPING_WAIT_MS: u64 = 3_000;
const STOPPING_STEP_MS: u64 = 20;

/// Takes the directory. Says whether the last process stopped in order.
pub(super) async fn take(dir: &Path) -> Result<(File, bool), StoreError> {
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(dir.join("lock"))?;
    let mut waited = 0;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if waited < STOPPING_WAIT_MS => {
                tokio::time::sleep(Duration::from_millis(STOPPING_STEP_MS)).await;
                waited += STOPPING_STEP_MS;
            }
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(dir.to_owned())),
            Err(TryLockError::Error(e)) => return Err(e.into()),
        }
    }
    let mut word = Vec::new();
    file.read_to_end(&mut word)?;
    let clean = word.is_empty() || word == CLEAN;
    mark(&file, OPEN)?;
    Ok((file, clean))
}

/// Notes that everything was closed in order.
pub(super) fn mark_clean(file: &File) -> Result<(), StoreError> {
    mark(file, CLEAN)
}

/// Why the disk takes nothing, where SQLite only knows that it does not: the system names it when the word
/// is written once more.
pub(super) fn why_not(file: &File, said: String) -> StoreError {
    match mark(file, OPEN) {
        Err(named @ (StoreError::ReadOnly | StoreError::DiskFull)) => named,
        _ => StoreError::Disk(said),
    }
}

fn mark(mut file: &File, word: &[u8]) -> Result<(), StoreError> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(word)?;
    file.sync_data()?;
    Ok(())
}
