//! Mutual TLS 1.3 with raw public keys (RFC 7250): a connection is between two node keys, nothing else.
//!
//! The verifiers only prove possession of a key; whether that key is a neighbour's is decided after the
//! handshake on *every* connection, because a resumed one never calls a verifier. Sessions of the
//! parent outlive its restart in a file, so that children come back in one round trip.

use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible, SignatureScheme,
    client::{
        AlwaysResolvesClientRawPublicKeys,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::{
        AlwaysResolvesServerRawPublicKeys, StoresServerSessions,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use yishi_protocol::{ids::NodeKey, key::SecretKeys};

/// The protocol's name in the handshake.
pub(super) const ALPN: &[u8] = b"yishi/1";
/// Sessions kept for resumption: as many as a district has villages, twice over.
const SESSIONS_MAX: usize = 4_096;
/// SubjectPublicKeyInfo of an Ed25519 key, before its 32 bytes (RFC 8410).
const SPKI_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// PKCS#8 of an Ed25519 seed, before its 32 bytes (RFC 8410).
const PKCS8_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The node key in a SubjectPublicKeyInfo.
pub(super) fn key_of_spki(spki: &[u8]) -> Option<NodeKey> {
    spki.strip_prefix(&SPKI_HEAD).and_then(NodeKey::from_slice)
}

fn certified(keys: &SecretKeys) -> Result<Arc<CertifiedKey>, Error> {
    let secret = keys.to_bytes();
    let mut der = PKCS8_HEAD.to_vec();
    der.extend(secret.iter().take(32));
    let signing = ring::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(der))?;
    let mut spki = SPKI_HEAD.to_vec();
    spki.extend(keys.public().0);
    Ok(Arc::new(CertifiedKey::new(vec![CertificateDer::from(spki)], signing)))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// What both verifiers share: possession of a raw key, TLS 1.3 only.
#[derive(Debug)]
struct Possession(WebPkiSupportedAlgorithms);

impl Possession {
    fn new() -> Self {
        Self(ring::default_provider().signature_verification_algorithms)
    }

    fn tls13(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let spki = SubjectPublicKeyInfoDer::from(cert.as_ref());
        verify_tls13_signature_with_raw_key(message, &spki, dss, &self.0)
    }
}

const NO_TLS12: Error = Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered);

/// The child's view: exactly the parent it was invited by; or, to ask who answers there, anybody.
#[derive(Debug)]
struct PinnedParent {
    parent: Option<NodeKey>,
    possession: Possession,
}

impl ServerCertVerifier for PinnedParent {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = key_of_spki(end_entity.as_ref());
        if shown.is_some() && (self.parent.is_none() || shown == self.parent) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(rustls::CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(NO_TLS12)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.possession.tls13(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// The parent's view: any key may finish the handshake; the link decides what it may say.
#[derive(Debug)]
struct AnyKey(Possession);

impl ClientCertVerifier for AnyKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match key_of_spki(end_entity.as_ref()) {
            Some(_) => Ok(ClientCertVerified::assertion()),
            None => Err(Error::InvalidCertificate(rustls::CertificateError::BadEncoding)),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(NO_TLS12)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.tls13(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// TLS for accepting children.
pub(super) fn server(keys: &SecretKeys, sessions: Arc<Sessions>) -> Result<rustls::ServerConfig, Error> {
    let mut config = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(AnyKey(Possession::new())))
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(certified(keys)?)));
    config.alpn_protocols = vec![ALPN.to_vec()];
    // QUIC knows "no early data" and "any amount" only (RFC 9001, 4.6.1).
    config.max_early_data_size = u32::MAX;
    config.session_storage = sessions;
    Ok(config)
}

/// TLS for dialling the parent, or whoever answers. Keep the value: resumption works only with the same one.
pub(super) fn client(keys: &SecretKeys, parent: Option<NodeKey>) -> Result<rustls::ClientConfig, Error> {
    let mut config = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PinnedParent { parent, possession: Possession::new() }))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(certified(keys)?)));
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.enable_early_data = true;
    Ok(config)
}

/// The parent's half of its children's sessions, kept in a file over a restart.
///
/// A lost or damaged file costs each child one round trip, so it is read leniently and written whole.
/// Only neighbours' sessions are kept: a flood of strangers must not push theirs out.
pub(super) struct Sessions {
    file: PathBuf,
    is_neighbour: IsNeighbour,
    held: Mutex<Held>,
}

/// Whether a key is a neighbour's, as things are now.
pub(super) type IsNeighbour = Box<dyn Fn(&NodeKey) -> bool + Send + Sync>;

#[derive(Default)]
struct Held {
    by_key: BTreeMap<Vec<u8>, Vec<u8>>,
    order: VecDeque<Vec<u8>>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions(redacted)")
    }
}

impl Sessions {
    /// Takes up what the file holds.
    pub(super) fn open(dir: &Path, is_neighbour: IsNeighbour) -> Arc<Self> {
        let file = dir.join("sessions");
        let mut held = Held::default();
        let bytes = std::fs::read(&file).unwrap_or_default();
        let mut rest = bytes.as_slice();
        while let Some((key, value, tail)) = entry(rest) {
            held.put(key.to_vec(), value.to_vec());
            rest = tail;
        }
        Arc::new(Self { file, is_neighbour, held: Mutex::new(held) })
    }

    /// For an endpoint that takes no children.
    pub(super) fn none() -> Arc<Self> {
        Arc::new(Self { file: PathBuf::new(), is_neighbour: Box::new(|_| false), held: Mutex::default() })
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the file; called while stopping and now and then.
    pub(super) fn save(&self) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        for (key, value) in &self.held().by_key {
            for part in [key, value] {
                bytes.extend((part.len() as u32).to_be_bytes());
                bytes.extend(part);
            }
        }
        crate::home::write_secret(&self.file, &bytes)
    }
}

/// The key in a stored session: rustls keeps the peer's identity in it as it was presented.
fn key_in(session: &[u8]) -> Option<NodeKey> {
    let at = session.windows(SPKI_HEAD.len()).position(|bytes| bytes == SPKI_HEAD)?;
    NodeKey::from_slice(session.get(at + SPKI_HEAD.len()..)?.get(..32)?)
}

fn entry(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let part = |bytes: &'_ [u8]| -> Option<(usize, usize)> {
        let len = u32::from_be_bytes(*bytes.first_chunk::<4>()?) as usize;
        (bytes.len() >= 4 + len).then_some((4, 4 + len))
    };
    let (a, b) = part(bytes)?;
    let (key, rest) = (bytes.get(a..b)?, bytes.get(b..)?);
    let (c, d) = part(rest)?;
    Some((key, rest.get(c..d)?, rest.get(d..)?))
}

impl Held {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        if self.by_key.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        while self.by_key.len() > SESSIONS_MAX {
            let Some(oldest) = self.order.pop_front() else { break };
            self.by_key.remove(&oldest);
        }
        // Keys taken out leave their place in the order behind; drop those now and then.
        if self.order.len() > 2 * SESSIONS_MAX {
            let by_key = &self.by_key;
            self.order.retain(|k| by_key.contains_key(k));
        }
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        let wanted = key_in(&value).is_some_and(|peer| (self.is_neighbour)(&peer));
        if wanted {
            self.held().put(key, value);
        }
        wanted
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.held().by_key.get(key).cloned()
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.held().by_key.remove(key)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_outlive_a_restart_and_a_damaged_file_only_costs_them() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Sessions::open(dir.path(), Box::new(|key| key.0 == [7; 32]));
        let of = |key: u8| [&[3, 4][..], &SPKI_HEAD, &[key; 32], &[0]].concat();
        let sessions = open();
        for i in 0..5_000u32 {
            assert!(sessions.put(i.to_be_bytes().to_vec(), of(7)));
            assert!(!sessions.put((i + 10_000).to_be_bytes().to_vec(), of(8)), "a stranger's is not kept");
        }
        assert!(!sessions.put(vec![1], vec![9; 60]));
        assert!(sessions.get(&0u32.to_be_bytes()).is_none(), "the oldest made room");
        sessions.save().unwrap();
        let again = open();
        assert_eq!(again.take(&4_999u32.to_be_bytes()), Some(of(7)));
        assert_eq!(again.take(&4_999u32.to_be_bytes()), None);
        let whole = std::fs::read(dir.path().join("sessions")).unwrap();
        std::fs::write(dir.path().join("sessions"), &whole[..whole.len() / 2]).unwrap();
        assert!(open().held().by_key.len() < 5_000);
    }
}
