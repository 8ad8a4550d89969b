//! Taking connections from children: a neighbour's key gets a link, an invitation a certificate,
//! everybody else a word why not.

use super::{
    LinkError,
    door::{Answer, Door, Pass},
    driver::{self, Context},
    frames, introduce, join,
    state::Connected,
    tls,
};
use quinn::{Connection, Endpoint, Incoming, VarInt};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::timeout_at};
use tracing::{debug, info};
use yishi_protocol::{
    ids::NodeKey,
    limits::STRANGER_FRAME_BYTES_MAX,
    wire::{CloseCode, Frame},
};

/// From the first packet to a stranger's first frame, all of it: whoever sends a byte now and then holds a
/// place no longer than whoever sends nothing.
const FIRST_WORD_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn run(context: Context, endpoint: Endpoint) -> Result<(), LinkError> {
    let door = Arc::new(Door::default());
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            incoming = endpoint.accept() => {
                let Some(incoming) = incoming else { break };
                let from = incoming.remote_address().ip();
                // A refusal and a Retry cost next to nothing (measured).
                match door.knock(from, incoming.remote_address_validated(), Instant::now()) {
                    Answer::Enter(pass) => {
                        tasks.spawn(one(context.clone(), incoming, pass));
                    }
                    Answer::Prove => if let Err(proved) = incoming.retry() {
                        proved.into_incoming().refuse();
                    },
                    Answer::Refuse => incoming.refuse(),
                }
            }
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => match ended {
                Ok(Err(LinkError::Store(error))) if error.ends_the_node() => return Err(error.into()),
                Ok(Err(error)) => debug!(%error, "a child's connection ended"),
                // A panic of one conversation is contained: the others go on.
                Err(error) => tracing::error!(%error, "a conversation with a child failed"),
                Ok(Ok(())) => {}
            },
            () = context.stop.cancelled() => break,
        }
    }
    while tasks.join_next().await.is_some() {}
    endpoint.close(VarInt::from_u32(CloseCode::Stopping.number() as u32), b"");
    let _ = tokio::time::timeout(Duration::from_secs(2), endpoint.wait_idle()).await;
    Ok(())
}

/// The key at the other end of a connection, once it is known.
pub(super) fn peer_key(connection: &Connection) -> Option<NodeKey> {
    let identity = connection.peer_identity()?;
    let chain = identity.downcast_ref::<Vec<rustls::pki_types::CertificateDer<'static>>>()?;
    tls::key_of_spki(chain.first()?.as_ref())
}

async fn one(context: Context, incoming: Incoming, pass: Pass) -> Result<(), LinkError> {
    let until = tokio::time::Instant::now() + FIRST_WORD_WITHIN;
    let Ok(connecting) = incoming.accept() else { return Ok(()) };
    let Ok((connection, confirmed)) = connecting.into_0rtt() else { return Ok(()) };
    let mut confirmed = Some(confirmed);
    // A resumed connection knows its peer from the ticket at once; of a fresh one nothing is known, and
    // nothing may be said, before the handshake is complete.
    if peer_key(&connection).is_none()
        && let Some(handshake) = confirmed.take()
        && timeout_at(until, handshake).await.is_err()
    {
        connection.close(VarInt::from_u32(CloseCode::NotAllowed.number() as u32), b"");
        return Ok(());
    }
    let Some(key) = peer_key(&connection) else { return Ok(()) };
    let streams = timeout_at(until, connection.accept_bi()).await;
    let Ok(Ok((mut send, mut recv))) = streams else {
        connection.close(VarInt::from_u32(CloseCode::NotAllowed.number() as u32), b"");
        return Ok(());
    };
    let Some(link) = introduce::link_of(&context.store, &key) else {
        if let Some(calls) = pass.was_a_stranger(Instant::now()) {
            info!(peer = %connection.remote_address(), calls, "strangers called");
        }
        let first = frames::read_up_to(&mut recv, STRANGER_FRAME_BYTES_MAX);
        let first = timeout_at(until, first).await.ok().and_then(Result::ok);
        let first = first.and_then(|body| frames::unpack_up_to(&body, STRANGER_FRAME_BYTES_MAX).ok());
        let answer = match first {
            Some(Frame::Join(request)) => {
                if let Some(handshake) = confirmed.take() {
                    handshake.await;
                }
                join::answer(&context.store, &key, &request, context.board.now_ms()).await?
            }
            Some(Frame::Introduce(asked)) => {
                if let Some(handshake) = confirmed.take() {
                    handshake.await;
                }
                introduce::answer(&context.store, &key, &asked, context.board.now_ms()).await?
            }
            _ => Frame::Close(CloseCode::NotAllowed, "this key is no neighbour's or was revoked".into()),
        };
        debug!(peer = %connection.remote_address(), answer = ?answer, "a stranger was answered");
        let _ = send.write_all(&frames::pack(&answer)).await;
        let _ = send.finish();
        let _ = tokio::time::timeout(Duration::from_secs(2), send.stopped()).await;
        connection.close(VarInt::from_u32(CloseCode::NotAllowed.number() as u32), b"");
        return Ok(());
    };
    drop(pass);
    context.connections.take_over(link, &connection);
    context.board.set(link, Connected::Connecting, None);
    let watched = connection.clone();
    let handshake = async move {
        if let Some(confirmed) = confirmed {
            // On this side its value says whether early data came, not whether the handshake succeeded.
            confirmed.await;
        }
        watched.close_reason().is_none()
    };
    let ended = driver::converse(&context, link, &connection, send, recv, handshake).await?;
    if ended.renew {
        context.renew().await?;
    }
    Ok(())
}
