//! Links: one QUIC connection to the parent, dialled from here, and one from each child.
//!
//! ```text
//! endpoint ── accept ─┐                ┌─ blocks  (feed → bytes)
//!    │                ├─ driver ◀────▶ │  session (protocol crate)
//!    └────── dial ────┘                ├─ admit   (bytes → gate → store → ack)
//!                                      └─ bulk    (files, after all text)
//! ```
//!
//! Nothing here decides what may be stored or who sees what: the gate and the store's routing do. A
//! broken, slow or hostile link disturbs only itself.

mod accept;
mod admit;
mod blocks;
mod budget;
mod bulk;
mod call;
mod dial;
mod door;
mod driver;
mod effects;
mod endpoint;
mod frames;
mod introduce;
mod join;
pub mod offline;
mod state;
mod tls;

pub(crate) use blocks::{in_block_order, standing_commits};
pub use call::{Call, Caller, framed};
pub use endpoint::{EndpointError, Timing};
pub use frames::FrameError;
pub use join::{InviteRequest, JoinError, NewNode, invite, join};
pub use state::{Connected, LinkBoard, Present};

use crate::{
    arrivals::Arrivals,
    store::{Link, LinkId, Store, StoreError},
};
use driver::Context;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use thiserror::Error;
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;
use yishi_protocol::{
    ids::{ActorId, DocId, NodeKey, PlaceId},
    wire::CloseCode,
};

/// How often the children's sessions are written to disk.
const SESSIONS_SAVED_EVERY: Duration = Duration::from_secs(60);

/// Why a link's conversation failed on this side.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The database failed; nothing was acknowledged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The other side broke the protocol.
    #[error("the other side broke the protocol: {0}")]
    Protocol(String),
    /// The parent does not answer.
    #[error("the parent is not reached: {0}")]
    Unreached(String),
    /// Somebody answers who is not the parent.
    #[error(
        "whoever answers at {0} is not the parent: it is of another federation, or was set up anew. Nothing was said to it; check the parent's address, or ask for a new invitation"
    )]
    OtherKey(SocketAddr),
    /// A stored change cannot be read any more.
    #[error(
        "a stored change of document {0} cannot be read: {1}. The database is damaged; nothing was sent. Restore it from a backup"
    )]
    Stored(DocId, String),
    /// An author nobody here knows.
    #[error(
        "nothing here says who the author {0} is. The database is damaged; nothing was sent. Restore it from a backup"
    )]
    Nameless(ActorId),
    /// A run of changes without a signature at its end.
    #[error("the feed after {0} has no place where a block could end")]
    Uncovered(u64),
    /// Judging a block ended in a panic, which is a fault of this program.
    #[error("judging a block failed: {0}. Nothing of it was stored")]
    Judging(String),
    /// The link is not known any more.
    #[error("the link is closed")]
    Unknown,
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

/// What the links need to run.
#[derive(Debug, Clone)]
pub struct LinksConfig {
    /// Where children dial, and from where the parent is dialled.
    pub listen: SocketAddr,
    /// Overrides the parent's address from the invitation.
    pub parent: Option<String>,
    /// Timing.
    pub timing: Timing,
}

/// A node's connections as they are now: for whoever tries what a cut does.
#[derive(Debug, Clone)]
pub struct Lines(Arc<Connections>);

impl Lines {
    /// Ends every connection now, in the middle of whatever is under way. Whoever dialled dials again after its
    /// own pause.
    pub fn cut(&self) {
        for connection in self.0.held().values() {
            connection.close(quinn::VarInt::from_u32(CloseCode::Stopping.number() as u32), b"");
        }
    }
}

/// The running links.
#[derive(Debug)]
pub struct Links {
    connections: Arc<Connections>,
    board: Arc<LinkBoard>,
    address: SocketAddr,
    stop: CancellationToken,
    dial_now: Arc<Notify>,
    tasks: JoinSet<Result<(), LinkError>>,
}

/// The live connection of each link: a newer one takes over.
#[derive(Debug, Default)]
pub(super) struct Connections(Mutex<BTreeMap<LinkId, quinn::Connection>>);

impl Connections {
    fn take_over(&self, link: LinkId, connection: &quinn::Connection) {
        let older = self.held().insert(link, connection.clone());
        if let Some(older) = older {
            older.close(quinn::VarInt::from_u32(CloseCode::Replaced.number() as u32), b"");
        }
    }

    fn leave(&self, link: LinkId, connection: &quinn::Connection) {
        let mut held = self.held();
        if held.get(&link).is_some_and(|c| c.stable_id() == connection.stable_id()) {
            held.remove(&link);
        }
    }

    /// Whether this is still the link's connection.
    fn is_current(&self, link: LinkId, connection: &quinn::Connection) -> bool {
        self.held().get(&link).is_none_or(|c| c.stable_id() == connection.stable_id())
    }

    fn close(&self, link: LinkId, code: CloseCode) {
        if let Some(connection) = self.held().remove(&link) {
            connection.close(quinn::VarInt::from_u32(code.number() as u32), b"");
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<LinkId, quinn::Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Links {
    /// Opens the socket and starts: accepts children, dials the parent if there is one.
    ///
    /// # Errors
    /// [`EndpointError`] if the socket cannot be opened.
    pub fn start(
        config: LinksConfig,
        store: Store,
        board: Arc<LinkBoard>,
        arrivals: Arrivals,
        dir: &Path,
    ) -> Result<Self, EndpointError> {
        let keys = store.world().me.keys.clone();
        let known = store.clone();
        let is_neighbour = Box::new(move |key: &NodeKey| {
            let world = known.world();
            world.directory.active_of_key(key).any(|(_, cert)| world.link_to(&cert.place).is_some())
        });
        let sessions = tls::Sessions::open(dir, is_neighbour);
        let endpoint = endpoint::open(config.listen, &keys, sessions.clone(), &config.timing)?;
        let address = endpoint
            .local_addr()
            .map_err(|source| EndpointError::Socket { address: config.listen, source })?;
        let stop = CancellationToken::new();
        let connections = Arc::new(Connections::default());
        let context = Context {
            store: store.clone(),
            board: board.clone(),
            admission: Arc::default(),
            budget: budget::Budget::default(),
            arrivals,
            under_way: bulk::UnderWay::default(),
            connections: connections.clone(),
            renewed_ms: Arc::default(),
            stop: stop.clone(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(accept::run(context.clone(), endpoint.clone()));
        let dial_now = Arc::new(Notify::new());
        tasks.spawn(dial::run(context, endpoint.clone(), config, dial_now.clone()));
        tasks.spawn(close_revoked(store, connections.clone(), stop.clone()));
        tasks.spawn(keep_sessions(sessions, stop.clone()));
        Ok(Self { connections, board, address, stop, dial_now, tasks })
    }

    /// The UDP address in use.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The connections.
    #[must_use]
    pub fn lines(&self) -> Lines {
        Lines(self.connections.clone())
    }

    /// What is going on.
    #[must_use]
    pub fn board(&self) -> &Arc<LinkBoard> {
        &self.board
    }

    /// A handle that makes the node dial its parent without waiting for the pause to end.
    #[must_use]
    pub fn dial_now(&self) -> Arc<Notify> {
        self.dial_now.clone()
    }

    /// Waits until a task ends, which none does on its own: the reason is returned.
    pub async fn lost(&mut self) -> String {
        match self.tasks.join_next().await {
            Some(Ok(Ok(()))) | None => "a task of the links ended".into(),
            Some(Ok(Err(error))) => error.to_string(),
            Some(Err(error)) => format!("a task of the links failed: {error}"),
        }
    }

    /// Says good-bye on every link and stops.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_secs(10), all).await;
    }
}

/// Closes the connections of links that were revoked or closed.
async fn close_revoked(
    store: Store,
    connections: Arc<Connections>,
    stop: CancellationToken,
) -> Result<(), LinkError> {
    let mut news = store.news();
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            written = news.recv() => match written {
                Ok(written) if !written.world_changed => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return Ok(()),
                _ => {
                    let world = store.world();
                    let live: Vec<LinkId> = connections.held().keys().copied().collect();
                    for link in live {
                        // By its key: a place whose stolen key ended goes on with another one.
                        let key = connections.held().get(&link).and_then(accept::peer_key);
                        let speaks = |peer: &PlaceId| {
                            let place = world.directory.place(peer).is_some_and(|p| !p.revoked);
                            place && key.as_ref().is_none_or(|k| world.works_under(peer, k))
                        };
                        // A box whose place another one has taken over serves nobody below.
                        let serves = |l: &Link| l.up || world.is_active();
                        if !world.link(link).is_some_and(|l| serves(l) && speaks(&l.peer)) {
                            connections.close(link, CloseCode::NotAllowed);
                        }
                    }
                }
            },
        }
    }
}

async fn keep_sessions(sessions: Arc<tls::Sessions>, stop: CancellationToken) -> Result<(), LinkError> {
    loop {
        let over = tokio::time::timeout(SESSIONS_SAVED_EVERY, stop.cancelled()).await.is_ok();
        if let Err(error) = sessions.save() {
            tracing::warn!(%error, "the children's sessions were not saved: they need a round trip more");
        }
        if over {
            return Ok(());
        }
    }
}
