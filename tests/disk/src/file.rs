//! What is durable of a file, and what is only written.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What a drive writes whole or not at all.
const SECTOR_BYTES: usize = 512;

/// Draws a number below a bound.
pub type Chance<'a> = &'a mut dyn FnMut(u64) -> u64;

#[derive(Debug, Clone)]
enum Op {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

/// One file on a watched disk.
#[derive(Debug, Default)]
pub(crate) struct Track {
    durable: Vec<u8>,
    since: Vec<Op>,
}

fn apply(bytes: &mut Vec<u8>, op: &Op) {
    match op {
        Op::Write(at, data) => {
            if bytes.len() < at + data.len() {
                bytes.resize(at + data.len(), 0);
            }
            bytes[*at..at + data.len()].copy_from_slice(data);
        }
        Op::Truncate(len) => bytes.resize(*len, 0),
    }
}

impl Track {
    fn after_power_cut(&self, chance: Chance<'_>) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for op in &self.since {
            match (chance(3), op) {
                (0, _) => {}
                (1, Op::Write(at, data)) => {
                    let sectors = data.len().div_ceil(SECTOR_BYTES) as u64;
                    let kept = chance(sectors.max(1)) as usize * SECTOR_BYTES;
                    apply(&mut bytes, &Op::Write(*at, data[..kept.min(data.len())].to_vec()));
                }
                _ => apply(&mut bytes, op),
            }
        }
        bytes
    }
}

/// How much was asked of a disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Writes.
    pub writes: u64,
    /// Times something was made durable.
    pub syncs: u64,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<PathBuf, Track>,
    counts: Counts,
    /// Every `fsync` from now on fails once this many more went well.
    syncs_left: Option<u64>,
    /// Bytes by which files may still grow.
    bytes_left: Option<u64>,
    /// Writes until nothing reaches the disk any more: the power is going.
    writes_left: Option<u64>,
}

/// One simulated disk: the databases directly in one directory. Forgotten when dropped.
#[derive(Debug)]
pub struct Disk {
    dir: PathBuf,
    state: Shared,
}

type Shared = Arc<Mutex<State>>;

static DISKS: Mutex<BTreeMap<PathBuf, Shared>> = Mutex::new(BTreeMap::new());

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    /// Watches a directory from now on; what lies there already is durable.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        crate::install();
        let state = Shared::default();
        held(&DISKS).insert(dir.to_owned(), state.clone());
        Self { dir: dir.to_owned(), state }
    }

    /// What lies on it after a power cut, by file name.
    #[must_use]
    pub fn after_power_cut(&self, chance: Chance<'_>) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = held(&self.state);
        state
            .files
            .iter()
            .filter(|(path, _)| !path.to_string_lossy().ends_with("-shm"))
            .map(|(path, track)| (path.clone(), track.after_power_cut(chance)))
            .collect()
    }

    /// Forgets all files: they are about to be replaced by others, which are durable.
    pub fn replaced(&self) {
        let mut state = held(&self.state);
        state.files.clear();
        (state.syncs_left, state.bytes_left, state.writes_left) = (None, None, None);
    }

    /// Lets that many more `fsync`s go well and fails every later one; `None` mends it.
    pub fn fail_syncs_after(&self, syncs: Option<u64>) {
        held(&self.state).syncs_left = syncs;
    }

    /// Lets files grow by that many bytes more; `None` for a disk without end.
    pub fn fill_up_after(&self, bytes: Option<u64>) {
        held(&self.state).bytes_left = bytes;
    }

    /// Lets that many more writes through and fails everything later: a power cut in the midst of work.
    pub fn stop_after(&self, writes: u64) {
        held(&self.state).writes_left = Some(writes);
    }

    /// What was asked of it so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        held(&self.state).counts
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        held(&DISKS).remove(&self.dir);
    }
}

/// A file of a watched disk, as the layer before SQLite's own holds it.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    path: PathBuf,
    state: Shared,
}

/// What became of a request that may fail by order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Granted {
    Yes,
    NoSync,
    NoSpace,
    NoPower,
}

impl Watched {
    /// The watched file at this path, if its directory is watched.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        let state = held(&DISKS).get(path.parent()?)?.clone();
        let mut held_state = held(&state);
        if !held_state.files.contains_key(path) {
            let durable = std::fs::read(path).unwrap_or_default();
            held_state.files.insert(path.to_owned(), Track { durable, since: Vec::new() });
        }
        drop(held_state);
        Some(Self { path: path.to_owned(), state })
    }

    pub(crate) fn deleted(path: &Path) {
        let disk = path.parent().and_then(|dir| held(&DISKS).get(dir).cloned());
        if let Some(state) = disk {
            held(&state).files.remove(path);
        }
    }

    /// Asks whether a write may go ahead. `size` is the file's size now.
    pub(crate) fn may_write(&self, at: usize, data: &[u8], size: u64) -> Granted {
        let mut state = held(&self.state);
        match &mut state.writes_left {
            Some(0) => return Granted::NoPower,
            Some(left) => *left -= 1,
            None => {}
        }
        let grows = ((at + data.len()) as u64).saturating_sub(size);
        if let Some(left) = &mut state.bytes_left {
            if grows > *left {
                return Granted::NoSpace;
            }
            *left -= grows;
        }
        state.counts.writes += 1;
        if let Some(track) = state.files.get_mut(&self.path) {
            track.since.push(Op::Write(at, data.to_vec()));
        }
        Granted::Yes
    }

    pub(crate) fn truncated(&self, len: usize) {
        let mut state = held(&self.state);
        if state.writes_left == Some(0) {
            return;
        }
        if let Some(track) = state.files.get_mut(&self.path) {
            track.since.push(Op::Truncate(len));
        }
    }

    /// Makes what was written durable, unless the disk is to fail.
    pub(crate) fn sync(&self) -> Granted {
        let mut state = held(&self.state);
        if state.writes_left == Some(0) {
            return Granted::NoPower;
        }
        if let Some(left) = &mut state.syncs_left {
            if *left == 0 {
                return Granted::NoSync;
            }
            *left -= 1;
        }
        state.counts.syncs += 1;
        if let Some(track) = state.files.get_mut(&self.path) {
            for op in std::mem::take(&mut track.since) {
                apply(&mut track.durable, &op);
            }
        }
        Granted::Yes
    }
}
