//! The local socket `DIR/api.sock`: whoever may open it is the local administrator.
//!
//! It never exists with other rights than 0600: it is bound inside a fresh directory nobody else may enter
//! and moved into place. A socket left behind by a process that was killed is replaced; one that answers, or
//! a file that is no socket, is never touched.

use super::bind_error::BindError;
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};
use tokio::net::UnixListener;

/// The longest path the system takes for a socket, in bytes, without its closing zero.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// A bound socket; dropping it removes the file if it is still this one.
#[derive(Debug)]
pub(super) struct LocalSocket {
    pub(super) listener: UnixListener,
    _file: SocketFile,
}

#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another process may have replaced it meanwhile; its socket stays.
        if fs::symlink_metadata(&self.path).is_ok_and(|m| m.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl LocalSocket {
    /// Binds `path`.
    pub(super) fn bind(path: &Path) -> Result<Self, BindError> {
        let place = path.parent().unwrap_or(Path::new("."));
        let nook = place.join(format!(".api-{}", std::process::id()));
        let inner = nook.join("s");
        for p in [path, inner.as_path()] {
            if p.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
                return Err(BindError::SocketPathTooLong(path.to_owned()));
            }
        }
        make_room(path)?;
        let failed = |e| BindError::Socket(path.to_owned(), e);
        let _ = fs::remove_dir_all(&nook);
        fs::DirBuilder::new().mode(0o700).create(&nook).map_err(failed)?;
        let bound = bind_and_move(&inner, path);
        let _ = fs::remove_dir_all(&nook);
        bound.map_err(failed)
    }
}

fn bind_and_move(inner: &Path, path: &Path) -> io::Result<LocalSocket> {
    let listener = UnixListener::bind(inner)?;
    fs::set_permissions(inner, fs::Permissions::from_mode(0o600))?;
    fs::rename(inner, path)?;
    let inode = fs::symlink_metadata(path)?.ino();
    Ok(LocalSocket { listener, _file: SocketFile { path: path.to_owned(), inode } })
}

/// Refuses where something alive or something else stands at `path`.
fn make_room(path: &Path) -> Result<(), BindError> {
    let kind = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(BindError::Socket(path.to_owned(), e)),
        Ok(found) => found.file_type(),
    };
    if !kind.is_socket() {
        return Err(BindError::SocketOccupied(path.to_owned()));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(BindError::SocketInUse(path.to_owned())),
        // Nobody listens: left behind. The rename puts ours in its place.
        Err(e) if matches!(e.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => Ok(()),
        Err(e) => Err(BindError::Socket(path.to_owned(), e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn left_behind_is_replaced_alive_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("api.sock");
        // A killed process leaves its socket: bound and closed without removing the file.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let first = LocalSocket::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(LocalSocket::bind(&path), Err(BindError::SocketInUse(_))));
        drop(first);
        assert!(!path.exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left beside it");
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("api.sock");
        fs::write(&path, "mine").unwrap();
        assert!(matches!(LocalSocket::bind(&path), Err(BindError::SocketOccupied(_))));
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }

    #[tokio::test]
    async fn a_path_the_system_cannot_take_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("x".repeat(120));
        fs::create_dir(&deep).unwrap();
        assert!(matches!(LocalSocket::bind(&deep.join("api.sock")), Err(BindError::SocketPathTooLong(_))));
    }
}
