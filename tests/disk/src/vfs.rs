//! The layer before SQLite's own files: everything is passed on, and what is written is remembered.
//!
//! A file here is one struct followed in the same allocation by the file of the layer underneath, as
//! SQLite's own shims do it. The struct begins with `sqlite3_file`, which is all that SQLite looks at.

use crate::file::{Granted, Watched};
use libsqlite3_sys::{
    SQLITE_FULL, SQLITE_IOERR_FSYNC, SQLITE_IOERR_WRITE, SQLITE_OK, sqlite3_file, sqlite3_filename,
    sqlite3_int64, sqlite3_io_methods, sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};
use std::{
    ffi::{CStr, OsStr, c_char, c_int, c_void},
    mem::size_of,
    os::unix::ffi::OsStrExt,
    path::Path,
    ptr,
    sync::{
        Once,
        atomic::{AtomicPtr, Ordering},
    },
};

static UNDERNEATH: AtomicPtr<sqlite3_vfs> = AtomicPtr::new(ptr::null_mut());
static INSTALLED: Once = Once::new();

/// Puts this layer before SQLite's own, for every database this process opens from now on. Databases in
/// directories that no [`crate::Disk`] watches are passed through.
pub fn install() {
    INSTALLED.call_once(|| {
        // SAFETY: a null name asks for the default layer, which lives as long as the process.
        let under = unsafe { sqlite3_vfs_find(ptr::null()) };
        assert!(!under.is_null(), "SQLite has no file layer");
        UNDERNEATH.store(under, Ordering::SeqCst);
        // SAFETY: `under` is a valid layer; the struct is plain data and may be copied.
        let mut own = unsafe { *under };
        own.pNext = ptr::null_mut();
        own.zName = c"yishi-disk".as_ptr();
        own.szOsFile += size_of::<File>() as c_int;
        own.xOpen = Some(open);
        own.xDelete = Some(delete);
        // SAFETY: the layer is leaked, so it lives as long as SQLite may use it.
        let rc = unsafe { sqlite3_vfs_register(Box::leak(Box::new(own)), 1) };
        assert_eq!(rc, SQLITE_OK, "SQLite refused the layer");
    });
}

#[repr(C)]
struct File {
    base: sqlite3_file,
    watched: *mut Watched,
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};

/// The file of the layer underneath.
fn under(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: SQLite allocated `szOsFile` bytes: ours, then theirs.
    unsafe { file.cast::<File>().add(1).cast() }
}

fn watched<'a>(file: *mut sqlite3_file) -> Option<&'a Watched> {
    // SAFETY: `open` filled the struct; the box lives until `close`.
    unsafe { file.cast::<File>().as_ref().and_then(|f| f.watched.as_ref()) }
}

/// Calls a method of the layer underneath.
macro_rules! pass {
    ($file:expr, $method:ident $(, $arg:expr)*) => {{
        let under = under($file);
        // SAFETY: the layer underneath opened this file and set its methods; SQLite calls methods of
        // version 3 only if the layer has them, and ours says what theirs does.
        unsafe {
            match (*(*under).pMethods).$method {
                Some(method) => method(under $(, $arg)*),
                None => libsqlite3_sys::SQLITE_NOTFOUND,
            }
        }
    }};
}

extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let vfs = UNDERNEATH.load(Ordering::SeqCst);
    let path = path_of(name);
    // SAFETY: SQLite hands over an allocation of `szOsFile` bytes.
    unsafe {
        ptr::write(
            file.cast(),
            File { base: sqlite3_file { pMethods: ptr::null() }, watched: ptr::null_mut() },
        )
    };
    // SAFETY: the layer underneath gets its own part of the allocation and its own struct.
    let rc = unsafe {
        match (*vfs).xOpen {
            Some(open) => open(vfs, name, under(file), flags, out_flags),
            None => libsqlite3_sys::SQLITE_CANTOPEN,
        }
    };
    // SAFETY: as above; the layer underneath sets its methods if `close` must be called.
    let opened = unsafe { !(*under(file)).pMethods.is_null() };
    if opened {
        let watched = path.and_then(Watched::at).map_or(ptr::null_mut(), |w| Box::into_raw(Box::new(w)));
        // SAFETY: the struct was written above.
        unsafe {
            ptr::write(file.cast(), File { base: sqlite3_file { pMethods: &raw const METHODS }, watched })
        };
    }
    rc
}

fn path_of<'a>(name: *const c_char) -> Option<&'a Path> {
    // SAFETY: a name that is not null is a string that lives as long as the call.
    (!name.is_null()).then(|| Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes())))
}

extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync_dir: c_int) -> c_int {
    if let Some(path) = path_of(name) {
        Watched::deleted(path);
    }
    let vfs = UNDERNEATH.load(Ordering::SeqCst);
    // SAFETY: passed on as it came.
    unsafe {
        match (*vfs).xDelete {
            Some(delete) => delete(vfs, name, sync_dir),
            None => SQLITE_OK,
        }
    }
}

extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let rc = pass!(file, xClose);
    // SAFETY: `open` made the box; nothing calls with this file after it is closed.
    unsafe {
        let own = file.cast::<File>();
        if !(*own).watched.is_null() {
            drop(Box::from_raw((*own).watched));
            (*own).watched = ptr::null_mut();
        }
    }
    rc
}

extern "C" fn read(file: *mut sqlite3_file, to: *mut c_void, amount: c_int, at: sqlite3_int64) -> c_int {
    pass!(file, xRead, to, amount, at)
}

extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, amount: c_int, at: sqlite3_int64) -> c_int {
    if let Some(watched) = watched(file) {
        let mut size = 0;
        let rc = pass!(file, xFileSize, &raw mut size);
        if rc != SQLITE_OK {
            return rc;
        }
        // SAFETY: SQLite hands over `amount` readable bytes.
        let data = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), amount as usize) };
        match watched.may_write(at as usize, data, size as u64) {
            Granted::NoSpace => return SQLITE_FULL,
            Granted::NoPower => return SQLITE_IOERR_WRITE,
            Granted::Yes | Granted::NoSync => {}
        }
    }
    pass!(file, xWrite, from, amount, at)
}

extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    let rc = pass!(file, xTruncate, size);
    if rc == SQLITE_OK
        && let Some(watched) = watched(file)
    {
        watched.truncated(size as usize);
    }
    rc
}

extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    match watched(file).map(Watched::sync) {
        Some(Granted::NoSync | Granted::NoPower) => SQLITE_IOERR_FSYNC,
        // Nothing really loses power here: the memory of what is durable stands for the disk.
        Some(_) => SQLITE_OK,
        None => pass!(file, xSync, flags),
    }
}

extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    pass!(file, xFileSize, size)
}

extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(file, xLock, level)
}

extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

extern "C" fn check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    pass!(file, xCheckReservedLock, out)
}

extern "C" fn file_control(file: *mut sqlite3_file, op: c_int, arg: *mut c_void) -> c_int {
    pass!(file, xFileControl, op, arg)
}

extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    pass!(file, xSectorSize)
}

extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    // No promise of the drive underneath holds for the one that is simulated.
    let _ = file;
    0
}

extern "C" fn shm_map(
    file: *mut sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    pass!(file, xShmMap, page, size, extend, out)
}

extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, n: c_int, flags: c_int) -> c_int {
    pass!(file, xShmLock, offset, n, flags)
}

extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    let under = under(file);
    // SAFETY: as in `pass!`.
    unsafe {
        if let Some(barrier) = (*(*under).pMethods).xShmBarrier {
            barrier(under);
        }
    }
}

extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    pass!(file, xShmUnmap, delete)
}

extern "C" fn fetch(
    file: *mut sqlite3_file,
    at: sqlite3_int64,
    amount: c_int,
    out: *mut *mut c_void,
) -> c_int {
    pass!(file, xFetch, at, amount, out)
}

extern "C" fn unfetch(file: *mut sqlite3_file, at: sqlite3_int64, page: *mut c_void) -> c_int {
    pass!(file, xUnfetch, at, page)
}
