//! The HTTPS listener's own key, and the certificate it shows.
//!
//! Nobody outside vouches for a village's box, so programs pin the key: SHA-256 of its SubjectPublicKeyInfo,
//! in hex, called `web_pin`. It is made once and kept in `DIR/web-key.pem`, mode 0600. Phones cannot pin; they
//! are shown certificates of this node's own [authority](super::authority), made anew as time goes on, always
//! for the same key.

use super::authority::{Authority, Names, RENEWED_AFTER_DAYS};
use crate::clock::Clock;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::{CertifiedKey, SigningKey},
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// The file with the key inside the data directory.
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
    /// The authority's file is not what this program wrote.
    #[error(
        "{0} holds no usable certificate authority ({1}): it was not changed. Restore it from a backup; or move it away, and a new one is made — every phone then has to trust the new one (/trust)."
    )]
    BrokenAuthority(PathBuf, String),
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
            Self::BrokenAuthority(p, e) => format!(
                "{} 中没有可用的证书签发文件（{e}），没有改动它。请从备份恢复；或移走它，程序会另做一份新的，此前信任过旧证书的手机都要到 /trust 重新信任。",
                p.display()
            ),
            Self::Made(e) => format!("无法生成 HTTPS 密钥：{e}。"),
        }
    }
}

/// What the HTTPS listener shows: a key, its fingerprint, and who vouches for it.
#[derive(Debug)]
pub struct WebKey {
    pin: String,
    config: Arc<ServerConfig>,
    shown: Arc<Shown>,
}

/// The certificate of the day.
#[derive(Debug)]
struct Shown {
    authority: Authority,
    web: KeyPair,
    signing: Arc<dyn SigningKey>,
    clock: Arc<dyn Clock>,
    now: Mutex<(i64, Arc<CertifiedKey>)>,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.of_the_day())
    }
}

impl Shown {
    fn of_the_day(&self) -> Arc<CertifiedKey> {
        let today = self.clock.today();
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        // Also when the clock was put back: the certificate must not be of the future.
        if !(now.0..now.0 + RENEWED_AFTER_DAYS).contains(&today) {
            match self.vouched() {
                Ok(fresh) => *now = (today, fresh),
                Err(error) => {
                    tracing::error!(%error, "a new certificate could not be made; the old one is shown")
                }
            }
        }
        Arc::clone(&now.1)
    }

    fn vouched(&self) -> Result<Arc<CertifiedKey>, rcgen::Error> {
        let chain = self.authority.vouch(&self.web, self.clock.now_ms())?;
        Ok(Arc::new(CertifiedKey::new(chain, Arc::clone(&self.signing))))
    }
}

impl WebKey {
    /// Reads `DIR/web-key.pem`, or makes it, with the authority beside it.
    pub(super) fn open(
        dir: &Path,
        place: &str,
        names: &Names<'_>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WebKeyError> {
        let path = dir.join(WEB_KEY_FILE);
        let pem = match fs::read_to_string(&path) {
            Ok(pem) => pem,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256);
                let pem = key.map_err(|e| WebKeyError::Made(e.to_string()))?.serialize_pem();
                keep(dir, &path, &pem)?;
                pem
            }
            Err(e) => return Err(WebKeyError::Unreadable(path, e)),
        };
        let broken = |what: String| WebKeyError::Broken(path.clone(), what);
        let web = KeyPair::from_pem(&pem).map_err(|e| broken(e.to_string()))?;
        let secret = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|e| broken(e.to_string()))?;
        let signing =
            rustls::crypto::ring::sign::any_supported_type(&secret).map_err(|e| broken(e.to_string()))?;
        let authority = Authority::open(dir, place, names)?;
        let made = |e: rcgen::Error| WebKeyError::Made(e.to_string());
        let chain = authority.vouch(&web, clock.now_ms()).map_err(made)?;
        let first = Arc::new(CertifiedKey::new(chain, Arc::clone(&signing)));
        let pin = pin_of(&web);
        let now = Mutex::new((clock.today(), first));
        let shown = Arc::new(Shown { authority, web, signing, clock, now });
        let config = server_config(Arc::clone(&shown)).map_err(|e| WebKeyError::Made(e.to_string()))?;
        Ok(Self { pin, config: Arc::new(config), shown })
    }

    /// SHA-256 of the SubjectPublicKeyInfo in lower-case hex.
    #[must_use]
    pub fn pin(&self) -> &str {
        &self.pin
    }

    /// The certificate phones are asked to trust.
    pub(super) fn root(&self) -> &CertificateDer<'static> {
        self.shown.authority.root()
    }

    /// What that is called in a phone's list.
    pub(super) fn title(&self) -> &str {
        self.shown.authority.title()
    }

    /// The names and addresses a phone reaches this node at without a warning.
    pub(super) fn names(&self) -> &[String] {
        self.shown.authority.names()
    }

    /// The TLS side of the listener.
    pub(super) fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

fn server_config(shown: Arc<Shown>) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(shown);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn pin_of(key: &KeyPair) -> String {
    super::secret::hex(&Sha256::digest(key.subject_public_key_info()))
}

/// Written beside, synced and moved into place: a power cut leaves the old state or the new one.
pub(super) fn keep(dir: &Path, path: &Path, pem: &str) -> Result<(), WebKeyError> {
    let beside = path.with_extension("new");
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
    use crate::clock::SetClock;
    use std::os::unix::fs::PermissionsExt;

    const DAY_MS: u64 = 86_400_000;

    fn open(dir: &Path, clock: &Arc<SetClock>) -> Result<WebKey, WebKeyError> {
        WebKey::open(dir, "芦稿村", &Names::default(), Arc::clone(clock) as Arc<dyn Clock>)
    }

    fn clock() -> Arc<SetClock> {
        Arc::new(SetClock::at_ms(1_795_399_200_000))
    }

    #[test]
    fn made_once_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(dir.path(), &clock()).unwrap().pin;
        assert_eq!(first.len(), 64);
        assert_eq!(open(dir.path(), &clock()).unwrap().pin, first);
        let mode = fs::metadata(dir.path().join(WEB_KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_broken_file_is_named_and_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(WEB_KEY_FILE);
        fs::write(&path, "-----BEGIN nothing-----").unwrap();
        assert!(matches!(open(dir.path(), &clock()), Err(WebKeyError::Broken(..))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "-----BEGIN nothing-----");
    }

    #[test]
    fn the_certificate_is_made_anew_before_it_ends_and_when_the_clock_was_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let clock = clock();
        let key = open(dir.path(), &clock).unwrap();
        let shown = || key.shown.of_the_day().cert.clone();
        let first = shown();
        clock.set_ms(1_795_399_200_000 + 59 * DAY_MS);
        assert_eq!(shown(), first);
        clock.set_ms(1_795_399_200_000 + 61 * DAY_MS);
        assert_ne!(shown(), first);
        let second = shown();
        clock.set_ms(1_795_399_200_000);
        assert_ne!(shown(), second);
    }
}
