//! The node's one UDP socket: children dial it, and from it the parent is dialled.

use super::tls::{self, Sessions};
use quinn::{
    Endpoint, EndpointConfig, IdleTimeout, ServerConfig, TransportConfig, VarInt,
    crypto::rustls::{QuicClientConfig, QuicServerConfig},
};
use quinn_proto::HashedConnectionIdGenerator;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use thiserror::Error;
use yishi_protocol::{ids::NodeKey, key::SecretKeys};

/// Unacknowledged bytes a peer may have on its stream. Two thousand children must not fill a district's
/// memory; at 200 ms of delay this still lets 2.6 MB a second through.
const STREAM_WINDOW_BYTES: u32 = 512 * 1024;
/// Handshakes waiting to be taken up; more are refused (a refused one costs next to nothing).
const INCOMING_MAX: usize = 1_024;
/// Early data kept for a handshake that is not taken up yet: a HELLO, several times over.
const INCOMING_BYTES: u64 = 16 * 1024;
/// The same for all of them together; quinn's own bound is 100 MiB, more than a village has.
const INCOMING_BYTES_ALL: u64 = 2 * 1024 * 1024;

/// What of a link's timing is local configuration.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Silence after which a link counts as down.
    pub idle: Duration,
    /// How often the child says that it is still there.
    pub keep_alive: Duration,
    /// The longest pause between two attempts to reach the parent.
    pub retry_max: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        // Mobile gateways forget a UDP flow after some 30 s of silence.
        Self {
            idle: Duration::from_secs(90),
            keep_alive: Duration::from_secs(28),
            retry_max: Duration::from_secs(60),
        }
    }
}

/// Why the socket cannot be opened.
#[derive(Debug, Error)]
pub enum EndpointError {
    /// Another program has the port.
    #[error(
        "UDP port {0} is taken by another program. Stop it or set another `link.listen` in the configuration"
    )]
    PortTaken(SocketAddr),
    /// Another failure of the socket.
    #[error("cannot open UDP {address}: {source}. Check `link.listen` in the configuration")]
    Socket {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// TLS refused the keys.
    #[error("the node's keys cannot be used for TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// QUIC refused the TLS configuration.
    #[error("TLS lacks a cipher QUIC needs: {0}")]
    Cipher(#[from] quinn::crypto::rustls::NoInitialCipherSuite),
    /// A duration is out of range.
    #[error("a time-out in the configuration is out of range")]
    Range,
}

fn transport(timing: &Timing, child: bool) -> Result<Arc<TransportConfig>, EndpointError> {
    let mut config = TransportConfig::default();
    config.max_idle_timeout(Some(IdleTimeout::try_from(timing.idle).map_err(|_| EndpointError::Range)?));
    // From the child only: it is behind the NAT, and one side's words keep both ends awake.
    config.keep_alive_interval(child.then_some(timing.keep_alive));
    config.max_concurrent_bidi_streams(VarInt::from_u32(2));
    config.max_concurrent_uni_streams(VarInt::from_u32(0));
    config.stream_receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES));
    config.receive_window(VarInt::from_u32(2 * STREAM_WINDOW_BYTES));
    config.send_window(u64::from(2 * STREAM_WINDOW_BYTES));
    config.datagram_receive_buffer_size(None);
    // Path-MTU discovery costs 5.7 kB each way on every connection (measured): not on a metered link
    // that mostly has nothing to say.
    config.mtu_discovery_config(None);
    Ok(Arc::new(config))
}

/// Opens the socket and begins to take handshakes.
///
/// # Errors
/// [`EndpointError`] says what stands in the way.
pub(super) fn open(
    listen: SocketAddr,
    keys: &SecretKeys,
    sessions: Arc<Sessions>,
    timing: &Timing,
) -> Result<Endpoint, EndpointError> {
    let crypto = QuicServerConfig::try_from(tls::server(keys, sessions)?)?;
    let mut server = ServerConfig::with_crypto(Arc::new(crypto));
    server.transport_config(transport(timing, false)?);
    server.max_incoming(INCOMING_MAX);
    server.incoming_buffer_size(INCOMING_BYTES);
    server.incoming_buffer_size_total(INCOMING_BYTES_ALL);
    server.migration(true);
    // The same reset key and connection ids after a restart: children learn of it at once instead of
    // by a time-out (measured).
    let reset = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &keys.derived("quic reset"));
    let mut config = EndpointConfig::new(Arc::new(reset));
    let cid_key = keys.derived("quic connection ids").first_chunk().copied().map_or(0, u64::from_be_bytes);
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(cid_key)));
    let socket = std::net::UdpSocket::bind(listen).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => EndpointError::PortTaken(listen),
        _ => EndpointError::Socket { address: listen, source },
    })?;
    Endpoint::new(config, Some(server), socket, Arc::new(quinn::TokioRuntime))
        .map_err(|source| EndpointError::Socket { address: listen, source })
}

/// How the parent is dialled, or whoever answers if no key is named. Keep the value: resumption works only with the same one.
pub(super) fn towards(
    keys: &SecretKeys,
    parent: Option<NodeKey>,
    timing: &Timing,
) -> Result<quinn::ClientConfig, EndpointError> {
    let crypto = QuicClientConfig::try_from(tls::client(keys, parent)?)?;
    let mut client = quinn::ClientConfig::new(Arc::new(crypto));
    client.transport_config(transport(timing, true)?);
    Ok(client)
}

/// Whether whoever answered could not show the key that was asked for. Our verifier says so by one alert,
/// which no other trouble of a handshake raises on this side.
pub(super) fn is_other_key(error: &quinn::ConnectionError) -> bool {
    const ACCESS_DENIED: u8 = 49;
    let refused = quinn_proto::TransportErrorCode::crypto(ACCESS_DENIED);
    matches!(error, quinn::ConnectionError::TransportError(e) if e.code == refused)
}
