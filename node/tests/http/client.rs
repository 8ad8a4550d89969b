//! A plain HTTP client for the tests: one connection per request, over the socket, TCP or pinned TLS.

use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, body::Bytes, header::HeaderMap};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};

#[derive(Clone)]
enum Door {
    Socket(PathBuf),
    Plain(SocketAddr),
    Tls(SocketAddr, String),
}

#[derive(Clone)]
pub(crate) struct Client {
    door: Door,
    headers: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// Checks that this is a problem in full, with this status and code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json();
        assert_eq!(body["code"], code);
        assert_eq!(body["status"], status);
        assert_eq!(body["type"], format!("https://yishi.example/problems/{}", code.replace('_', "-")));
        for member in ["title", "detail", "detail_zh"] {
            assert!(!body[member].as_str().unwrap().is_empty(), "{member}");
        }
        body
    }
}

impl Client {
    pub(crate) fn socket(path: PathBuf) -> Self {
        Self { door: Door::Socket(path), headers: Vec::new() }
    }

    pub(crate) fn plain(address: SocketAddr) -> Self {
        Self { door: Door::Plain(address), headers: Vec::new() }
    }

    pub(crate) fn tls(address: SocketAddr, pin: String) -> Self {
        Self { door: Door::Tls(address, pin), headers: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn cookie(self, pair: &str) -> Self {
        self.with("cookie", pair)
    }

    /// As a browser says it of a request from our own page.
    pub(crate) fn here(self) -> Self {
        self.with("sec-fetch-site", "same-origin")
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None, Vec::new()).await
    }

    /// Where an address leads to.
    pub(crate) async fn follow(&self, path: &str) -> Reply {
        let led = self.get(path).await;
        if led.status == 303 { self.get(led.header("location")).await } else { led }
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None, Vec::new()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, Some("application/json"), body.to_string().into_bytes()).await
    }

    /// A picture, or what is said to be one.
    pub(crate) async fn picture(&self, path: &str, bytes: Vec<u8>) -> Reply {
        self.send(Method::POST, path, Some("image/jpeg"), bytes).await
    }

    pub(crate) async fn form(&self, path: &str, body: &str) -> Reply {
        self.send(Method::POST, path, Some("application/x-www-form-urlencoded"), body.into()).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, kind: Option<&str>, body: Vec<u8>) -> Reply {
        self.try_send(method, path, kind, body).await.unwrap()
    }

    pub(crate) async fn try_send(
        &self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: Vec<u8>,
    ) -> Result<Reply, String> {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let failed = |e: std::io::Error| e.to_string();
        match &self.door {
            Door::Socket(path) => talk(UnixStream::connect(path).await.map_err(failed)?, request).await,
            Door::Plain(address) => talk(TcpStream::connect(address).await.map_err(failed)?, request).await,
            Door::Tls(address, pin) => {
                let stream = TcpStream::connect(address).await.map_err(failed)?;
                let connector = tokio_rustls::TlsConnector::from(Arc::new(pinned(pin)));
                let name = ServerName::try_from("localhost").unwrap();
                talk(connector.connect(name, stream).await.map_err(failed)?, request).await
            }
        }
    }
}

async fn talk<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: T,
    request: Request<Full<Bytes>>,
) -> Result<Reply, String> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    let driving = tokio::spawn(connection);
    let reply = sender.send_request(request).await.map_err(|e| e.to_string())?;
    let (parts, body) = reply.into_parts();
    let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes().to_vec();
    driving.abort();
    Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
}

fn pinned(pin: &str) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Pinned { pin: pin.to_owned(), provider: Arc::clone(&provider) };
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth()
}

/// Accepts exactly the key with this fingerprint.
#[derive(Debug)]
struct Pinned {
    pin: String,
    provider: Arc<CryptoProvider>,
}

/// What a P-256 key's SubjectPublicKeyInfo begins with; 64 bytes of the point follow.
const P256_SPKI: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        cert: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let at = cert.windows(P256_SPKI.len()).position(|w| w == P256_SPKI);
        let spki = at.and_then(|at| cert.get(at..at + P256_SPKI.len() + 64)).unwrap_or_default();
        let shown: String = Sha256::digest(spki).iter().map(|b| format!("{b:02x}")).collect();
        if shown == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::General("another key than the pinned one".into()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
