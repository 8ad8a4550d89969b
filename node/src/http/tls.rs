//! The HTTPS listener's own key and self-signed certificate.
//!
//! Nobody outside vouches for a village's box, so programs pin the key: SHA-256 of its SubjectPublicKeyInfo,
//! in hex, called `web_pin`. Key and certificate are made once and kept together in `DIR/web-key.pem`, mode
//! 0600; keeping the certificate too means a browser asks its user only once.

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The file with key and certificate inside the data directory.
pub(super) const WEB_KEY_FILE: &str = "web-key.pem";

/// Why the HTTPS listener has no key.
#[derive(Debug, thiserror::Error)]
pub enum WebKeyError {
    /// The file cannot be read.
    #[error("{0} could not be read ({1}). Check that it belongs to the user yishi-node runs as.")]
    Unreadable(PathBuf, #[source] io::Error),
    /// The file cannot be written.
    #[error("{0} could not be written ({1}). Check the data directory's permissions and free space.")]
    Unwritable(PathBuf, #[source] io::Error),
    /// The file is not what this program wrote.
    #[error(
        "{0} holds no usable key ({1}): it was not changed. Restore it from a backup; or move it away, and a new key is made — every program that pinned the old one must be given the new web_pin."
    )]
    Broken(PathBuf, String),
    /// The key could not be made.
    #[error("A key for HTTPS could not be made: {0}.")]
    Made(String),
}

impl WebKeyError {
    /// The message in Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Unreadable(p, e) => {
                format!("无法读取 {}（{e}）。请检查该文件是否属于运行 yishi-node 的用户。", p.display())
            }
            Self::Unwritable(p, e) => {
                format!("无法写入 {}（{e}）。请检查数据目录的权限和剩余空间。", p.display())
            }
            Self::Broken(p, e) => format!(
                "{} 中没有可用的密钥（{e}），没有改动它。请从备份恢复；或移走它，程序会另做一把新的，此前登记过旧指纹的程序都要改用新的 web_pin。",
                p.display()
            ),
            Self::Made(e) => format!("无法生成 HTTPS 密钥：{e}。"),
        }
    }
}

/// What the HTTPS listener shows: a key, its certificate and its fingerprint.
#[derive(Debug)]
pub struct WebKey {
    pin: String,
    config: Arc<ServerConfig>,
}

impl WebKey {
    /// Reads `DIR/web-key.pem`, or makes it. `names` are further host names for a new certificate.
    pub fn open(dir: &Path, names: &[String]) -> Result<Self, WebKeyError> {
        let path = dir.join(WEB_KEY_FILE);
        let pem = match fs::read_to_string(&path) {
            Ok(pem) => pem,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let pem = make(names)?;
                keep(dir, &path, &pem)?;
                pem
            }
            Err(e) => return Err(WebKeyError::Unreadable(path, e)),
        };
        Self::from_pem(&pem).map_err(|what| WebKeyError::Broken(path, what))
    }

    fn from_pem(pem: &str) -> Result<Self, String> {
        let key = KeyPair::from_pem(pem).map_err(|e| e.to_string())?;
        let cert = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| e.to_string())?;
        let secret = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|e| e.to_string())?;
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|e| e.to_string())?
                .with_no_client_auth()
                .with_single_cert(vec![cert], secret)
                .map_err(|e| e.to_string())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { pin: pin_of(&key), config: Arc::new(config) })
    }

    /// SHA-256 of the SubjectPublicKeyInfo in lower-case hex.
    #[must_use]
    pub fn pin(&self) -> &str {
        &self.pin
    }

    /// The TLS side of the listener.
    pub(super) fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

fn pin_of(key: &KeyPair) -> String {
    super::secret::hex(&Sha256::digest(key.subject_public_key_info()))
}

fn make(names: &[String]) -> Result<String, WebKeyError> {
    let made = |e: rcgen::Error| WebKeyError::Made(e.to_string());
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(made)?;
    let mut every = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    for name in names {
        // A certificate's names are ASCII; an unencoded Chinese host name could never match anyway.
        if name.is_ascii() && !every.contains(name) {
            every.push(name.clone());
        }
    }
    let mut params = CertificateParams::new(every).map_err(made)?;
    params.distinguished_name.push(DnType::CommonName, "yishi-node");
    let cert = params.self_signed(&key).map_err(made)?;
    Ok(format!("{}{}", key.serialize_pem(), cert.pem()))
}

/// Written beside, synced and moved into place: a power cut leaves the old state or the new one.
fn keep(dir: &Path, path: &Path, pem: &str) -> Result<(), WebKeyError> {
    let beside = dir.join(format!("{WEB_KEY_FILE}.new"));
    let write = || -> io::Result<()> {
        let _ = fs::remove_file(&beside);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(pem.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        fs::File::open(dir)?.sync_all()
    };
    write().map_err(|e| WebKeyError::Unwritable(path.to_owned(), e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn made_once_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["cun.local".to_owned(), "村委会.local".to_owned()];
        let first = WebKey::open(dir.path(), &names).unwrap().pin;
        assert_eq!(first.len(), 64);
        assert_eq!(WebKey::open(dir.path(), &[]).unwrap().pin, first);
        let mode = fs::metadata(dir.path().join(WEB_KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_broken_file_is_named_and_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(WEB_KEY_FILE);
        fs::write(&path, "-----BEGIN nothing-----").unwrap();
        assert!(matches!(WebKey::open(dir.path(), &[]), Err(WebKeyError::Broken(..))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "-----BEGIN nothing-----");
    }
}
