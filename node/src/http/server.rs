//! The web server: three doors, one router, an orderly stop.
//!
//! ```text
//!  DIR/api.sock 0600 ──┐
//!  plain, loopback  ───┤ seat → (TLS) → StallGuard → hyper http1 → Router
//!  HTTPS            ───┘
//! ```
//! Invariant: a request carries the [`Door`] it came through, set here and nowhere else; rights follow from
//! it. All doors are open before any is served, or none is.

use super::{
    authority::Names,
    bind_error::BindError,
    config::HttpConfig,
    limits,
    seats::{Seat, Seats},
    socket::LocalSocket,
    stall::StallGuard,
    tls::{WebKey, WebKeyError},
};
use axum::{Router, http::Request};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::{JoinError, JoinSet},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::DropGuard;

/// The door a request came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The local socket: the local administrator.
    Socket,
    /// Plain HTTP; `loopback` when the other side is this machine.
    Plain {
        /// Whether the other side is this machine.
        loopback: bool,
    },
    /// HTTPS.
    Tls,
}

/// What the doors count, for `/metrics`.
#[derive(Debug, Default)]
pub(super) struct DoorCounts {
    /// Connections open now.
    pub(super) open: AtomicUsize,
    /// Connections accepted since the start.
    pub(super) accepted: AtomicU64,
    /// TLS handshakes that failed.
    pub(super) handshakes_failed: AtomicU64,
}

/// A running web server. Dropping it stops at once; [`Server::shutdown`] lets requests finish.
#[derive(Debug)]
pub struct Server {
    stop: watch::Sender<bool>,
    /// Streams that only end when they are told to.
    streams: Option<DropGuard>,
    doors: JoinSet<()>,
    plain: Option<SocketAddr>,
    tls: Option<SocketAddr>,
    pin: Option<String>,
}

/// A part of the server ended that should not have.
#[derive(Debug, thiserror::Error)]
#[error(
    "A part of the web server stopped by a fault in the program ({0}): yishi-node stops, so that it is started again."
)]
pub struct ServerFault(#[source] JoinError);

/// Every door opened, none served yet: what can fail has happened.
pub(super) struct Doors {
    socket: Option<LocalSocket>,
    plain: Option<(TcpListener, SocketAddr)>,
    tls: Option<(TcpListener, SocketAddr)>,
    key: Option<WebKey>,
    connections_max: usize,
}

impl Doors {
    /// Opens what the configuration names.
    pub(super) async fn open(config: &HttpConfig, place: &str) -> Result<Self, BindError> {
        let socket = config.socket.as_deref().map(LocalSocket::bind).transpose()?;
        let plain = match config.plain {
            None => None,
            Some(a) if !a.ip().is_loopback() && !config.plain_beyond_loopback => {
                return Err(BindError::NotLoopback(a));
            }
            Some(a) => Some(listen(a).await?),
        };
        let key = config.tls.map(|at| web_key(config, place, at)).transpose()?;
        let tls = match config.tls {
            None => None,
            Some(a) => Some(listen(a).await?),
        };
        Ok(Self { socket, plain, tls, key, connections_max: config.connections_max })
    }

    /// The pin of the HTTPS door.
    pub(super) fn pin(&self) -> Option<&str> {
        self.key.as_ref().map(WebKey::pin)
    }

    /// What phones are asked to trust.
    pub(super) fn trust(&self) -> Option<Trust> {
        let (key, (_, address)) = (self.key.as_ref()?, self.tls.as_ref()?);
        let (root, title) = (key.root().to_vec(), key.title().to_owned());
        Some(Trust { root, title, names: key.names().to_vec(), port: address.port() })
    }

    /// Starts serving.
    pub(super) fn serve(
        self,
        router: Router,
        counts: Arc<super::metrics::Counts>,
        streams: DropGuard,
    ) -> Server {
        let (stop, stopped) = watch::channel(false);
        let mut doors = JoinSet::new();
        let pin = self.key.as_ref().map(|k| k.pin().to_owned());
        let plain = self.plain.as_ref().map(|(_, a)| *a);
        let tls = self.tls.as_ref().map(|(_, a)| *a);
        let share = self.connections_max.div_ceil(limits::ONE_ADDRESS_SHARE);
        let over_tcp = Seats::new(self.connections_max, share);
        let house = House { service: TowerToHyperService::new(router), counts, stopped };
        if let Some(socket) = self.socket {
            let own = Seats::new(limits::SOCKET_CONNECTIONS_MAX, limits::SOCKET_CONNECTIONS_MAX);
            doors.spawn(house.clone().receive(Listener::Socket(socket), own));
        }
        if let Some((listener, _)) = self.plain {
            doors.spawn(house.clone().receive(Listener::Plain(listener), Arc::clone(&over_tcp)));
        }
        if let (Some((listener, _)), Some(key)) = (self.tls, self.key) {
            let acceptor = TlsAcceptor::from(key.server_config());
            doors.spawn(house.receive(Listener::Tls(listener, acceptor), over_tcp));
        }
        Server { stop, streams: Some(streams), doors, plain, tls, pin }
    }
}

/// What phones are asked to trust to reach the HTTPS door.
#[derive(Debug)]
pub(super) struct Trust {
    /// The certificate, DER.
    pub(super) root: Vec<u8>,
    /// What it is called in a phone's list.
    pub(super) title: String,
    /// The names and addresses it is good for.
    pub(super) names: Vec<String>,
    /// The HTTPS door's port.
    pub(super) port: u16,
}

/// The key of the HTTPS door, vouched for under the names that are written down, or where it listens.
fn web_key(config: &HttpConfig, place: &str, at: SocketAddr) -> Result<WebKey, WebKeyError> {
    let mut stated = config.names.clone();
    if !at.ip().is_unspecified() && !at.ip().is_loopback() {
        stated.push(at.ip().to_string());
    }
    let found = config.found.filter(|_| stated.is_empty());
    WebKey::open(&config.dir, place, &Names { stated: &stated, found }, Arc::clone(&config.clock))
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    let listener = TcpListener::bind(address).await.map_err(|e| BindError::listening(address, e))?;
    let bound = listener.local_addr().map_err(|e| BindError::listening(address, e))?;
    Ok((listener, bound))
}

impl Server {
    /// Where plain HTTP is served (with the port the system chose, if 0 was asked).
    #[must_use]
    pub fn plain_address(&self) -> Option<SocketAddr> {
        self.plain
    }

    /// Where HTTPS is served.
    #[must_use]
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls
    }

    /// SHA-256 of the HTTPS key's SubjectPublicKeyInfo, in hex.
    #[must_use]
    pub fn web_pin(&self) -> Option<&str> {
        self.pin.as_deref()
    }

    /// Waits for the server; it ends by a fault only.
    pub async fn join(&mut self) -> Result<(), ServerFault> {
        while let Some(ended) = self.doors.join_next().await {
            ended.map_err(ServerFault)?;
        }
        Ok(())
    }

    /// Accepts no more, lets the requests under way finish for [`limits::DRAIN_SECONDS_MAX`], then ends.
    pub async fn shutdown(mut self) -> Result<(), ServerFault> {
        let _ = self.stop.send(true);
        drop(self.streams.take());
        self.join().await
    }
}

enum Listener {
    Socket(LocalSocket),
    Plain(TcpListener),
    Tls(TcpListener, TlsAcceptor),
}

/// The address a request came from, if it tells callers apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Remote(pub(super) Option<IpAddr>);

enum Caller {
    Local(UnixStream),
    Plain(TcpStream, bool),
    Tls(TcpStream, IpAddr, TlsAcceptor),
}

impl Caller {
    /// Where it comes from, if that tells callers apart: over plain HTTP everybody comes by a proxy or is
    /// this machine itself.
    fn from(&self) -> Option<IpAddr> {
        match self {
            Self::Local(_) | Self::Plain(..) => None,
            Self::Tls(_, from, _) => Some(from.to_canonical()),
        }
    }
}

impl Listener {
    async fn accept(&self) -> io::Result<Caller> {
        match self {
            Self::Socket(socket) => Ok(Caller::Local(socket.listener.accept().await?.0)),
            Self::Plain(listener) => {
                let (stream, from) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Caller::Plain(stream, from.ip().is_loopback()))
            }
            Self::Tls(listener, acceptor) => {
                let (stream, from) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Caller::Tls(stream, from.ip(), acceptor.clone()))
            }
        }
    }
}

#[derive(Clone)]
struct House {
    service: TowerToHyperService<Router>,
    counts: Arc<super::metrics::Counts>,
    stopped: watch::Receiver<bool>,
}

impl House {
    /// One door: one caller in hand until there is a place for it; the rest wait in the kernel's queue.
    async fn receive(mut self, listener: Listener, seats: Arc<Seats>) {
        let mut visits: JoinSet<()> = JoinSet::new();
        let mut in_hand: Option<Caller> = None;
        loop {
            let from = in_hand.as_ref().and_then(Caller::from);
            tokio::select! {
                biased;
                () = stop(&mut self.stopped) => break,
                Some(ended) = visits.join_next() => report(ended),
                seat = seats.place(from), if in_hand.is_some() => {
                    let (Some(seat), Some(caller)) = (seat, in_hand.take()) else { break };
                    visits.spawn(self.clone().visit(caller, seat));
                }
                accepted = listener.accept(), if in_hand.is_none() => match accepted {
                    // One address has enough: this connection is closed at once.
                    Ok(caller) if !seats.has_share_left(caller.from()) => drop(caller),
                    Ok(caller) => in_hand = Some(caller),
                    Err(e) => {
                        tracing::warn!(error = %e, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(limits::ACCEPT_PAUSE_MS)).await;
                    }
                },
            }
        }
        drop(listener);
        let drained = async {
            while let Some(ended) = visits.join_next().await {
                report(ended)
            }
        };
        if tokio::time::timeout(limits::DRAIN, drained).await.is_err() {
            tracing::warn!(left = visits.len(), "requests still under way were cut off");
        }
    }

    async fn visit(self, caller: Caller, seat: Arc<Seat>) {
        self.counts.doors.accepted.fetch_add(1, Ordering::Relaxed);
        let _open = Open::count(Arc::clone(&self.counts));
        let leaving = Arc::clone(&seat);
        tokio::select! {
            () = self.serve(caller, seat) => {}
            () = leaving.gives_way() => {}
        }
    }

    async fn serve(self, caller: Caller, seat: Arc<Seat>) {
        let from = Remote(caller.from());
        match caller {
            Caller::Local(stream) => self.talk(stream, Door::Socket, from, seat).await,
            Caller::Plain(stream, loopback) => self.talk(stream, Door::Plain { loopback }, from, seat).await,
            Caller::Tls(stream, _, acceptor) => {
                match tokio::time::timeout(limits::HANDSHAKE, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => self.talk(stream, Door::Tls, from, seat).await,
                    Ok(Err(_)) | Err(_) => {
                        self.counts.doors.handshakes_failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    async fn talk<T>(mut self, stream: T, door: Door, from: Remote, seat: Arc<Seat>)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = StallGuard::new(stream, Duration::from_secs(limits::WRITE_STALL_SECONDS_MAX));
        let router = self.service;
        let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
            let mut request = request.map(|body| seat.body(body));
            request.extensions_mut().insert(door);
            request.extensions_mut().insert(from);
            let (answer, seat) = (hyper::service::Service::call(&router, request), Arc::clone(&seat));
            async move {
                let answer = answer.await;
                seat.answered();
                answer
            }
        });
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(limits::HEAD)
            .max_headers(limits::HEADERS_MAX)
            .max_header_size(limits::HEAD_BYTES_MAX)
            .max_buf_size(limits::CONNECTION_BUFFER_BYTES);
        let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(io), service));
        tokio::select! {
            // An error here is a client that went away, spoke no HTTP or was too slow: nothing to do about it.
            _ = connection.as_mut() => {}
            () = stop(&mut self.stopped) => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }
}

/// Returns when the order to stop was given, or nobody is left to give it.
async fn stop(stopped: &mut watch::Receiver<bool>) {
    // The guard of the value must not live on across the caller's next await.
    let _ = stopped.wait_for(|s| *s).await.map(drop);
}

struct Open(Arc<super::metrics::Counts>);

impl Open {
    fn count(counts: Arc<super::metrics::Counts>) -> Self {
        counts.doors.open.fetch_add(1, Ordering::Relaxed);
        Self(counts)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.doors.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A handler that panicked ends its own connection; nothing else shares its state.
fn report(ended: Result<(), JoinError>) {
    if let Err(e) = ended
        && e.is_panic()
    {
        tracing::error!(error = %e, "a request ended by a fault in the program");
    }
}
