//! A node's folder and what lies in it.
//!
//! ```text
//! DIR/yishi.db     the database with its -wal and -shm, 0600: the node's secret keys are in it
//! DIR/standby.db   instead of it: a copy that waits to take over, and is no node yet
//! DIR/node.toml    the configuration, if it is kept here
//! DIR/sessions     the children's TLS sessions; may be lost
//! DIR/web-key.pem, DIR/web-authority.json   the HTTPS key, and who vouches for it to phones
//! DIR/api.sock     the local administrators' door
//! ```

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Why a node's folder cannot be used.
#[derive(Debug, Error)]
pub enum HomeError {
    /// It cannot be made or written.
    #[error(
        "the folder {path} cannot be used: {source}. Nothing was changed. Check that it exists, belongs to this user and is not mounted read-only"
    )]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is a node in it already.
    #[error(
        "{path} already holds a node. Nothing was changed. Use another folder, or `yishi-node run` to start this one"
    )]
    Occupied {
        /// Which.
        path: PathBuf,
    },
    /// It is a standby's.
    #[error(
        "{path} 是备用机：只跟着备份，不运行、不写入，没有改动任何内容。看它跟到哪里、更新它：yishi-node standby {path}；接管要上级的准许码：yishi-node takeover 准许码 --dir {path}。\n{path} holds a standby: it follows backups, and neither runs nor writes. Nothing was changed. `yishi-node standby {path}` says how far it follows; `yishi-node takeover TOKEN --dir {path}`, with a token of the place above, makes it the active one"
    )]
    Standby {
        /// Which.
        path: PathBuf,
    },
    /// There is no node in it.
    #[error(
        "{path} holds no node yet. Run `yishi-node init` for a district or `yishi-node join TOKEN` for a place below one"
    )]
    Empty {
        /// Which.
        path: PathBuf,
    },
}

/// Where a node keeps its things.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

impl Home {
    /// The folder at `path`, whether or not it exists.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The local administrators' socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("api.sock")
    }

    /// Whether a node lives here.
    #[must_use]
    pub fn is_occupied(&self) -> bool {
        self.0.join("yishi.db").exists()
    }

    /// Whether a standby waits here.
    #[must_use]
    pub fn is_standby(&self) -> bool {
        self.standby().exists()
    }

    /// The standby's copy. Under this name no part of the program runs it or writes into it.
    #[must_use]
    pub fn standby(&self) -> PathBuf {
        self.0.join("standby.db")
    }

    /// Why this folder cannot be used as a node's.
    #[must_use]
    pub fn no_node(&self) -> HomeError {
        let path = self.0.clone();
        if self.is_standby() { HomeError::Standby { path } } else { HomeError::Empty { path } }
    }

    /// Forgets the children's sessions: they belong to the key the node had.
    ///
    /// # Errors
    /// [`HomeError::Folder`] if the folder cannot be written.
    pub fn forget_sessions(&self) -> Result<(), HomeError> {
        match fs::remove_file(self.0.join("sessions")) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(HomeError::Folder { path: self.0.clone(), source: e })
            }
            _ => Ok(()),
        }
    }

    /// Makes the folder for a new node.
    ///
    /// # Errors
    /// [`HomeError::Occupied`] if there is a node, [`HomeError::Standby`] if a standby waits here,
    /// [`HomeError::Folder`] if it cannot be written.
    pub fn prepare(&self) -> Result<(), HomeError> {
        self.is_free()?;
        self.prepare_standby()
    }

    /// Whether a new node may be made here; nothing is made yet.
    ///
    /// # Errors
    /// [`HomeError::Occupied`] if there is a node, [`HomeError::Standby`] if a standby waits here.
    pub fn is_free(&self) -> Result<(), HomeError> {
        let path = self.0.clone();
        match (self.is_occupied(), self.is_standby()) {
            (true, _) => Err(HomeError::Occupied { path }),
            (_, true) => Err(HomeError::Standby { path }),
            _ => Ok(()),
        }
    }

    /// Makes the folder for a standby, or for a new node.
    ///
    /// # Errors
    /// [`HomeError::Occupied`] if there is a node, [`HomeError::Folder`] if it cannot be written.
    pub fn prepare_standby(&self) -> Result<(), HomeError> {
        if self.is_occupied() {
            return Err(HomeError::Occupied { path: self.0.clone() });
        }
        let folder = |source| HomeError::Folder { path: self.0.clone(), source };
        fs::create_dir_all(&self.0).map_err(folder)?;
        fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700)).map_err(folder)
    }
}

/// Writes a file only its owner may read, whole or not at all, and durable when this returns.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_once_and_secrets_are_for_their_owner() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("node"));
        home.prepare().unwrap();
        assert!(!home.is_occupied());
        write_secret(&home.path().join("yishi.db"), b"x").unwrap();
        assert_eq!(fs::metadata(home.path().join("yishi.db")).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(home.prepare(), Err(HomeError::Occupied { .. })));
    }
}
