//! A node's folder: the database, the secret keys, and what must survive a restore of the database.
//!
//! ```text
//! DIR/node.key     64 bytes in hexadecimal, 0600: the signing seed and the sealing secret
//! DIR/yishi.db     the database, with its -wal and -shm
//! DIR/sessions     the children's TLS sessions; may be lost
//! DIR/api.sock     the local administrators' door
//! ```

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use thiserror::Error;
use yishi_protocol::key::SecretKeys;

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
    /// There is no node in it.
    #[error(
        "{path} holds no node yet. Run `yishi-node init` for a district or `yishi-node join TOKEN` for a place below one"
    )]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// The key file is not one.
    #[error(
        "{path} is not a node key of 128 hexadecimal digits. Nothing was changed. Put back the key file from your backup: without it this node cannot speak for its place"
    )]
    Key {
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

    fn key_file(&self) -> PathBuf {
        self.0.join("node.key")
    }

    /// Whether a node lives here.
    #[must_use]
    pub fn is_occupied(&self) -> bool {
        self.key_file().exists() && self.0.join("yishi.db").exists()
    }

    /// Makes the folder for a new node.
    ///
    /// # Errors
    /// [`HomeError::Occupied`] if there is a node, [`HomeError::Folder`] if it cannot be written.
    pub fn prepare(&self) -> Result<(), HomeError> {
        if self.is_occupied() {
            return Err(HomeError::Occupied { path: self.0.clone() });
        }
        let folder = |source| HomeError::Folder { path: self.0.clone(), source };
        fs::create_dir_all(&self.0).map_err(folder)?;
        fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700)).map_err(folder)
    }

    /// Keeps a new node's keys.
    ///
    /// # Errors
    /// [`HomeError::Folder`] if they cannot be written and made durable.
    pub fn keep_keys(&self, keys: &SecretKeys) -> Result<(), HomeError> {
        let hex: String = keys.to_bytes().iter().map(|b| format!("{b:02x}")).collect();
        write_secret(&self.key_file(), hex.as_bytes())
            .map_err(|source| HomeError::Folder { path: self.key_file(), source })
    }

    /// Reads the node's keys.
    ///
    /// # Errors
    /// [`HomeError::Empty`] without a node, [`HomeError::Key`] for a damaged file.
    pub fn keys(&self) -> Result<SecretKeys, HomeError> {
        let path = self.key_file();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(HomeError::Empty { path: self.0.clone() });
            }
            Err(source) => return Err(HomeError::Folder { path, source }),
        };
        let mut bytes = [0u8; 64];
        let digits = text.trim();
        if digits.len() != 128 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(HomeError::Key { path });
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).unwrap_or_default();
            *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
        }
        Ok(SecretKeys::from_bytes(&bytes))
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
    use rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn keys_are_kept_and_a_damaged_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("node"));
        assert!(matches!(home.keys(), Err(HomeError::Empty { .. })));
        home.prepare().unwrap();
        let keys = SecretKeys::generate(&mut StdRng::seed_from_u64(1));
        home.keep_keys(&keys).unwrap();
        assert_eq!(home.keys().unwrap().public(), keys.public());
        assert_eq!(fs::metadata(home.key_file()).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(home.key_file(), "00ff").unwrap();
        assert!(matches!(home.keys(), Err(HomeError::Key { .. })));
    }
}
