//! HTTPS to a node known by its key: the right key, another key, and the right certificate without its key.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde_json::json;

use crate::fake::{Answer, Answering, Kept, Ran, serve, yishi_with};

/// Shows a certificate whether or not the key belongs to it, as an impostor would.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

struct Identity {
    certificate: CertificateDer<'static>,
    key: rcgen::KeyPair,
}

fn identity() -> Identity {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["yishi".to_owned()]).unwrap().self_signed(&key).unwrap();
    Identity { certificate: certificate.der().clone(), key }
}

/// A node that shows `certificate` and signs with `key`; returns its address and what it was asked.
fn listen(certificate: &Identity, key: &Identity) -> (String, Kept) {
    let private = PrivateKeyDer::try_from(key.key.serialize_der()).unwrap();
    let signing = ring::sign::any_supported_type(&private).unwrap();
    let shown = CertifiedKey::new(vec![certificate.certificate.clone()], signing);
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Shows(Arc::new(shown))));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let kept = Kept::default();
    let keeping = kept.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
            let answering: Answering =
                Arc::new(|_, _| Answer::Json(200, json!({"items": [], "next_cursor": null})));
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(stream) = acceptor.accept(stream).await {
                    tokio::spawn(serve(stream, answering.clone(), keeping.clone()));
                }
            }
        });
    });
    (address, kept)
}

fn pin(of: &Identity) -> String {
    yishi_admin::pin::of(&of.certificate).unwrap().to_string()
}

fn list(address: &str, pin: &str) -> Ran {
    let env = [("YISHI_TOKEN", "yst_secret"), ("YISHI_PIN", pin)];
    yishi_with(&["--node", address, "matter", "list"], "", &env)
}

#[test]
fn the_pinned_node_gets_the_token() {
    let node = identity();
    let (address, kept) = listen(&node, &node);
    list(&address, &pin(&node)).exits(0);
    assert_eq!(kept.lock().unwrap()[0].token.as_deref(), Some("Bearer yst_secret"));

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "yst_file\n").unwrap();
    let args =
        ["--node", &address, "--pin", &pin(&node), "--token-file", file.to_str().unwrap(), "matter", "list"];
    // The file goes before the environment, and one that others can read is remarked on.
    let ran = yishi_with(&args, "", &[("YISHI_TOKEN", "yst_other")]).exits(0);
    assert_eq!(kept.lock().unwrap()[1].token.as_deref(), Some("Bearer yst_file"));
    assert!(ran.err.contains("chmod 600"), "{}", ran.err);
}

#[test]
fn another_key_gets_nothing() {
    let (node, other) = (identity(), identity());
    let (address, kept) = listen(&other, &other);
    let ran = list(&address, &pin(&node)).exits(4);
    assert!(ran.err.contains("身份与 --pin 不符") && ran.err.contains("doctor"), "{}", ran.err);
    assert!(kept.lock().unwrap().is_empty());
}

#[test]
fn the_certificate_without_its_key_gets_nothing() {
    let (node, impostor) = (identity(), identity());
    let (address, kept) = listen(&node, &impostor);
    list(&address, &pin(&node)).exits(4);
    assert!(kept.lock().unwrap().is_empty());
}

#[test]
fn https_wants_a_pin_and_a_token_and_a_listener() {
    let node = identity();
    let pin = pin(&node);
    let run =
        |args: &[&str], env: &[(&str, &str)]| yishi_with(&[args, &["matter", "list"]].concat(), "", env);
    assert!(
        run(&["--node", "https://127.0.0.1:1"], &[("YISHI_TOKEN", "yst_x")]).exits(64).err.contains("--pin")
    );
    assert!(
        run(&["--node", "https://127.0.0.1:1", "--pin", &pin], &[]).exits(4).err.contains("--token-file")
    );
    run(&["--node", "http://127.0.0.1:1", "--pin", &pin], &[("YISHI_TOKEN", "yst_x")]).exits(64);
    run(&["--node", "https://127.0.0.1:1", "--pin", &pin], &[("YISHI_TOKEN", "yst_x")]).exits(3);
    // A mistyped token is a secret too: it is not printed back.
    let ran = run(&["--node", "https://127.0.0.1:1", "--pin", &pin, "--token", "yst_se cret"], &[]).exits(64);
    assert!(!ran.err.contains("cret"), "{}", ran.err);
}
