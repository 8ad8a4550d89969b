//! TLS to a node known by its key: no authorities, no names, no dates.
//!
//! The certificate is the node's own. What is checked is that the SHA-256 of its SubjectPublicKeyInfo is the
//! pinned one *and* that the other side holds the private key to it, by the handshake's signature. The second
//! is easy to leave out and everything rests on it: certificates are public, anyone can show one.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest, Sha256};

use crate::target::Pin;

/// Accepts one key and nothing else.
#[derive(Debug)]
struct PinnedKey {
    pin: Pin,
    algorithms: WebPkiSupportedAlgorithms,
}

/// The client side of TLS 1.3 with a node that must hold the pinned key.
pub fn config(pin: Pin) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PinnedKey { pin, algorithms }))
        .with_no_client_auth();
    // A resumed session skips the verifier; every connection of a CLI is its first anyway.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// The pin of a certificate.
pub fn of(certificate: &CertificateDer<'_>) -> Result<Pin, Error> {
    let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
    Ok(Pin(Sha256::digest(&key).into()))
}

impl ServerCertVerifier for PinnedKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if of(end_entity)? == self.pin {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Never asked: only TLS 1.3 is offered.
        Err(Error::General("only TLS 1.3 is spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pin_is_of_the_key_not_of_the_certificate() {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = |name: &str| {
            rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap()
        };
        let (one, two) = (certificate("a"), certificate("b"));
        assert_ne!(one.der(), two.der());
        assert_eq!(of(one.der()).unwrap(), of(two.der()).unwrap());
        let expected: [u8; 32] = Sha256::digest(rcgen::PublicKeyData::subject_public_key_info(&key)).into();
        assert_eq!(of(one.der()).unwrap(), Pin(expected));
        assert!(of(&CertificateDer::from(vec![1, 2, 3])).is_err());
    }
}
