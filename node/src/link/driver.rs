//! Runs one connection's session: frames in and out, the session's effects against the store.
//!
//! One task per connection owns the session. Blocks are judged one after another in a task of their own
//! (`admit`), so that a slow disk holds back only this link; blocks to send are built beside it. The
//! session never sees a clock or a socket.

use super::{
    Connections, LinkError, accept,
    admit::{self, Admission},
    blocks,
    budget::{self, Budget, Held, Share},
    bulk::{self, Bulk, Calm},
    effects, frames,
    state::{Connected, LinkBoard},
};
use crate::{
    arrivals::Arrivals,
    store::{LinkId, Store, World},
};
use quinn::{Connection, RecvStream, SendStream, VarInt};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast::error::RecvError, mpsc},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use yishi_protocol::{
    ids::{CertHash, Epoch},
    limits::BLOCKS_IN_FLIGHT_MAX,
    session::{Effect, Event, Session, Start},
    wire::{CloseCode, Frame},
};

/// How often "both sides have everything" is noted on disk.
const IN_STEP_NOTED_EVERY_MS: u64 = 30_000;
/// A neighbour that lies about what it knows must not spend incarnations.
const RENEWED_AT_MOST_EVERY_MS: u64 = 600_000;
/// Events waiting for the session: a frame may be megabytes large.
const EVENTS_WAITING_MAX: usize = 4;
/// How long the last word may take to leave.
const FAREWELL: Duration = Duration::from_secs(2);

/// Everything a connection needs besides itself.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) store: Store,
    pub(super) board: Arc<LinkBoard>,
    pub(super) admission: Arc<Admission>,
    pub(super) budget: Budget,
    pub(super) arrivals: Arrivals,
    pub(super) under_way: bulk::UnderWay,
    pub(super) connections: Arc<Connections>,
    /// When a neighbour last had the life of this database renewed.
    pub(super) renewed_ms: Arc<tokio::sync::Mutex<Option<u64>>>,
    pub(super) stop: CancellationToken,
}

impl Context {
    /// Renews the database's life because a neighbour knows more of it than it does itself. A neighbour
    /// may say so untruly: once in a while is enough for the truth.
    pub(super) async fn renew(&self) -> Result<(), LinkError> {
        let now = self.board.now_ms();
        let mut renewed = self.renewed_ms.lock().await;
        if renewed.is_none_or(|at| now.saturating_sub(at) > RENEWED_AT_MOST_EVERY_MS) {
            *renewed = Some(now);
            info!("a neighbour knows more of this database than the database itself: its life is renewed");
            crate::life::renew(&self.store).await?;
        }
        Ok(())
    }
}

/// Why a connection ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) code: Option<CloseCode>,
    pub(super) why: String,
    /// Both sides had everything at least once.
    pub(super) was_in_step: bool,
    /// This node's database is older than what the other side has of it.
    pub(super) renew: bool,
}

/// Holds one link's conversation on a connection, and says on the board and in the link's log how it
/// goes. `confirmed` resolves when the handshake is complete.
pub(super) async fn converse(
    context: &Context,
    link: LinkId,
    connection: &Connection,
    send: SendStream,
    recv: RecvStream,
    confirmed: impl Future<Output = bool> + Send + 'static,
) -> Result<Ended, LinkError> {
    let result = run(context, link, connection, send, recv, confirmed).await;
    let (state, why) = match &result {
        Ok(ended) => (Connected::Down, ended.why.clone()),
        Err(error) => {
            let (code, word) = match error {
                LinkError::Protocol(why) => (CloseCode::Protocol, why.as_str()),
                _ => (CloseCode::Store, "store"),
            };
            connection.close(VarInt::from_u32(code.number() as u32), word.as_bytes());
            let broken = matches!(error, LinkError::Protocol(_));
            (if broken { Connected::Broken } else { Connected::Down }, error.to_string())
        }
    };
    if context.connections.is_current(link, connection) {
        context.connections.leave(link, connection);
        let was_up = context.board.get(link).connected == Connected::Up;
        context.board.set(link, state, Some(why.clone()));
        if was_up {
            context.store.log_link(link, false, Some(why), context.board.now_ms()).await?;
        }
    }
    result
}

/// Runs the conversation until either side ends it. Until the handshake is complete nothing but the
/// other side's HELLO is looked at, since early data can be replayed.
async fn run(
    context: &Context,
    link: LinkId,
    connection: &Connection,
    mut send: SendStream,
    recv: RecvStream,
    confirmed: impl Future<Output = bool> + Send + 'static,
) -> Result<Ended, LinkError> {
    let store = &context.store;
    let mut fed = store.news();
    let state = store.link_state(link).await?;
    let mut session = Session::new(Start {
        cert: store.world().me.cert,
        epoch: store.epoch(),
        head: state.out_seq,
        acked: state.out_acked,
        cursor: state.in_epoch.map(|epoch| (epoch, state.in_seq, state.in_digest)),
    });
    let (events_in, mut events) = mpsc::channel::<Result<Event, LinkError>>(EVENTS_WAITING_MAX);
    let (frames_in, mut arrived) = mpsc::channel::<Arrived>(EVENTS_WAITING_MAX);
    let (blocks_in, blocks_out) = mpsc::channel::<(Vec<u8>, Epoch)>(BLOCKS_IN_FLIGHT_MAX);
    let mut tasks = JoinSet::new();
    let share = context.budget.share();
    tasks.spawn(read_frames((recv, share), frames_in.clone(), (context.board.clone(), link), confirmed));
    tasks.spawn(admit::run(context.clone(), link, blocks_out, events_in.clone()));
    let calm = Calm::default();
    tasks.spawn(Bulk::new(context, link, connection, &calm).run());
    let mut ended = Ended { why: "connection lost".into(), ..Ended::default() };
    let mut in_step_noted_ms = 0;
    let mut sender = blocks::Sender::new(link);
    // Memory of the frame being handled, and of the blocks that are being judged, in their order.
    let mut held = None;
    let mut judging: VecDeque<Option<Held>> = VecDeque::new();
    'conversation: loop {
        while let Some(effect) = session.poll() {
            let now = context.board.now_ms();
            let effect = match effects::with_store(store, link, &mut sender, effect, now).await? {
                Err(other) => other,
                Ok(answer) => {
                    answer.into_iter().for_each(|event| session.handle(event));
                    continue;
                }
            };
            match effect {
                Effect::Send(frame) => {
                    if matches!(frame, Frame::Block(_)) {
                        calm.set(false);
                    }
                    let packed = frames::pack(&frame);
                    drop(frame);
                    match budget::write(&mut send, &packed).await {
                        Ok(()) => {}
                        Err(frames::FrameError::Connection(_)) => break 'conversation,
                        Err(slow) => return Err(LinkError::Protocol(slow.to_string())),
                    }
                    context.board.sent(link, packed.len());
                }
                Effect::Admit { bytes, epoch } => {
                    // Never full: the other side may not have more blocks under way than this holds.
                    calm.set(false);
                    judging.push_back(held.take());
                    let taken = blocks_in.try_send((bytes, epoch));
                    if taken.is_err() {
                        ended.why = "too many blocks under way".into();
                        break 'conversation;
                    }
                }
                Effect::RenewLife => ended.renew = true,
                Effect::InStep => {
                    debug!(%link, "in step");
                    ended.was_in_step = true;
                    context.board.in_step(link);
                    calm.set(true);
                    // On disk only now and then: every act would cost a second fsync otherwise.
                    let now = context.board.now_ms();
                    if now.saturating_sub(in_step_noted_ms) > IN_STEP_NOTED_EVERY_MS {
                        in_step_noted_ms = now;
                        store.link_in_step(link, now).await?;
                    }
                }
                Effect::Close(code, why) => {
                    ended.code = Some(code);
                    ended.why = why;
                    let _ = send.finish();
                    let _ = tokio::time::timeout(FAREWELL, send.stopped()).await;
                    connection.close(VarInt::from_u32(code.number() as u32), b"");
                    break 'conversation;
                }
                // Answered by the store above.
                _ => {}
            }
        }
        tokio::select! {
            Some((event, room)) = arrived.recv() => {
                held = Some(room);
                let event = event?;
                context.board.heard(link);
                if let Event::Frame(Frame::Hello(hello)) = &event {
                    if !speaks_for_itself(&store.world(), link, connection, &hello.cert) {
                        ended.code = Some(CloseCode::NotAllowed);
                        ended.why = "HELLO names a certificate of another key or place".into();
                        let code = VarInt::from_u32(CloseCode::NotAllowed.number() as u32);
                        connection.close(code, b"certificate");
                        break;
                    }
                    context.board.set(link, Connected::Up, None);
                    let up = context.store.clone();
                    let now = context.board.now_ms();
                    tasks.spawn(async move {
                        // Not awaited: an answer to HELLO must not wait for a disk.
                        let _ = up.log_link(link, true, None, now).await;
                    });
                }
                session.handle(event);
            }
            Some(event) = events.recv() => {
                let event = event?;
                judging.pop_front();
                session.handle(event);
            }
            news = fed.recv() => match news {
                Ok(written) if !written.links_fed.contains(&link) => {}
                Ok(_) | Err(RecvError::Lagged(_)) => {
                    session.handle(Event::FeedHead(store.feed_head(link).await?.0));
                }
                Err(RecvError::Closed) => break,
            },
            _ = connection.closed() => {
                // What had arrived before the end still counts.
                while let Ok((Ok(event), _)) = arrived.try_recv() {
                    session.handle(event);
                }
                if let Some(Effect::Close(code, why)) =
                    std::iter::from_fn(|| session.poll()).find(|e| matches!(e, Effect::Close(..)))
                {
                    ended.code = Some(code);
                    ended.why = why;
                } else if let Some(reason) = connection.close_reason() {
                    ended.why = reason.to_string();
                }
                break;
            }
            () = context.stop.cancelled() => session.handle(Event::Stop),
        }
    }
    drop(blocks_in);
    tasks.shutdown().await;
    if let Some(code) = ended.code {
        debug!(%link, ?code, why = ended.why, "link closed");
    } else {
        warn!(%link, why = ended.why, "link lost");
    }
    Ok(ended)
}

/// A frame as an event, and the memory it takes.
type Arrived = (Result<Event, LinkError>, Held);

/// Whether the certificate that HELLO names is one of the connection's key for the link's place. One that is
/// not here yet says nothing: the key itself was checked when the connection was taken.
fn speaks_for_itself(world: &World, link: LinkId, connection: &Connection, named: &CertHash) -> bool {
    let (Some(cert), Some(key)) = (world.directory.get(named), accept::peer_key(connection)) else {
        return true;
    };
    cert.key == key && world.link(link).is_some_and(|l| l.peer == cert.place)
}

/// Reads frames; beyond the first only after the handshake is confirmed.
async fn read_frames(
    (mut recv, mut share): (RecvStream, Share),
    arrived: mpsc::Sender<Arrived>,
    (board, link): (Arc<LinkBoard>, LinkId),
    confirmed: impl Future<Output = bool>,
) {
    let mut confirmed = Some(std::pin::pin!(confirmed));
    loop {
        let (mut room, body) = (Held::nothing(), share.read(&mut recv).await);
        if let Ok(body) = &body {
            board.received(link, frames::len_on_stream(body));
            room = share.room_for(body).await;
        }
        let frame = match body.and_then(|body| frames::unpack(&body)) {
            Ok(frame) => frame,
            Err(frames::FrameError::Connection(_)) => return,
            Err(error) => {
                let _ = arrived.send((Err(LinkError::Protocol(error.to_string())), room)).await;
                return;
            }
        };
        if !matches!(frame, Frame::Hello(_))
            && let Some(handshake) = confirmed.take()
            && !handshake.await
        {
            return;
        }
        if arrived.send((Ok(Event::Frame(frame)), room)).await.is_err() {
            return;
        }
    }
}
