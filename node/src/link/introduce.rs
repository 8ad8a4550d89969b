//! Neighbours that do not know each other any more, and make themselves known without anybody's hands.
//!
//! A parent got a new key: its box was stolen or died, or the key was changed. Its children know the old one
//! and hang up. They then ask, under a key made for that one question, who answers there; what they are told
//! proves itself up to the root ([`yishi_protocol::cert::Introduction`]), and a higher certificate of the
//! parent's place is one its own parent signed, so the word of a thief with the old key is not enough.
//!
//! A parent lost its database: it is the same place under a certified key and knows none of its children.
//! A child it turns away says under its own key who it is, and has its link again if the parent's keys, or
//! those above it, did certify it.

use super::{LinkError, Timing, accept, dial, driver::Context, endpoint, frames, tls};
use crate::store::{Batch, LinkId, NewLink, Store, StoreError};
use quinn::{Connection, Endpoint};
use std::{net::SocketAddr, time::Duration};
use tracing::{info, warn};
use yishi_protocol::{
    cert::Introduction,
    ids::{NodeKey, PlaceId},
    key::SecretKeys,
    limits::INTRODUCTION_BYTES_MAX,
    wire::{CloseCode, Frame, Joined},
};

/// From the first packet to the answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// What a box says whose place another one has taken over.
pub(super) const STOOD_DOWN: &str = "another machine has taken this place over";

/// Asks whoever answers where the parent was who it is. Whether the parent is known by another key now.
///
/// Nothing is said of who asks: it may be anybody who answers.
pub(super) async fn ask(
    context: &Context,
    address: SocketAddr,
    parent: &PlaceId,
    timing: &Timing,
) -> Result<bool, LinkError> {
    let keys = SecretKeys::generate(&mut rand::rng());
    let gone = |e: &dyn std::fmt::Display| LinkError::Unreached(e.to_string());
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (std::net::Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let asking = endpoint::open(any, &keys, tls::Sessions::none(), timing).map_err(|e| gone(&e))?;
    let client = endpoint::towards(&keys, None, timing).map_err(|e| gone(&e))?;
    let talk = async {
        let connecting = asking.connect_with(client, address, "yishi").map_err(|e| gone(&e))?;
        let connection = connecting.await.map_err(|e| gone(&e))?;
        let answer = say(&connection, &Joined::default()).await?;
        Ok::<_, LinkError>((accept::peer_key(&connection), answer))
    };
    let answered = tokio::time::timeout(ANSWER_WITHIN, talk).await;
    finish(&asking).await;
    let (key, answer) = answered.map_err(|_| LinkError::Unreached("no introduction came".into()))??;
    let (Some(key), Frame::Joined(told)) = (key, answer) else { return Ok(false) };
    let is_other = believe(&context.store, parent, key, &told, context.board.now_ms()).await?;
    if is_other {
        info!(%address, %key, "the parent goes by another key, certified from above");
    }
    Ok(is_other)
}

/// Takes what was told by somebody with that key who says to be the parent. Whether that is the parent, and
/// by another key than it was known.
pub(super) async fn believe(
    store: &Store,
    parent: &PlaceId,
    key: NodeKey,
    told: &Joined,
    at_ms: u64,
) -> Result<bool, LinkError> {
    let broken = |e: &dyn std::fmt::Display| LinkError::Protocol(format!("an introduction: {e}"));
    let told = Introduction::decode(&told.chain, &told.placements).map_err(|e| broken(&e))?;
    let world = store.world();
    let mut wider = world.directory.clone();
    wider.introduce(&told).map_err(|e| broken(&e))?;
    // The key that was shown must be the one the place goes by now: whoever else has a certificate of the
    // place, a thief with the old key for one, does not become the parent.
    let known = wider.place(parent).is_some_and(|p| !p.revoked);
    if !known || wider.place_cert(parent).map(|c| c.key) != Some(key) {
        return Ok(false);
    }
    let before = world.directory.place_cert(parent).map(|c| c.key);
    let (certs, placements) = (told.certs, told.placements);
    let from = world.parent().map(|l| l.id);
    store.write(Batch { at_ms, from, certs, placements, ..Batch::default() }).await?;
    Ok(before != Some(key))
}

/// Says to a parent that does not know this node who it is. Whether it let it in.
pub(super) async fn present(
    context: &Context,
    endpoint: &Endpoint,
    client: quinn::ClientConfig,
    address: &str,
) -> Result<bool, LinkError> {
    let gone = |e: &dyn std::fmt::Display| LinkError::Unreached(e.to_string());
    let world = context.store.world();
    let own = Joined::from(&world.directory.introduction(&world.me.cert));
    let address = dial::resolve(address, endpoint).await?;
    let talk = async {
        let connecting = endpoint.connect_with(client, address, "yishi").map_err(|e| gone(&e))?;
        let connection = connecting.await.map_err(|e| gone(&e))?;
        let answer = say(&connection, &own).await;
        connection.close(quinn::VarInt::from_u32(0), b"");
        answer
    };
    let answer = tokio::time::timeout(ANSWER_WITHIN, talk).await;
    let answer = answer.map_err(|_| LinkError::Unreached("no introduction came".into()))??;
    let Frame::Joined(told) = answer else { return Ok(false) };
    learn(&context.store, &told, context.board.now_ms()).await
}

/// Takes what it was told of its own place or its parent's. Whether it is worth dialling again: a box that
/// learns that another one has its place does not.
pub(super) async fn learn(store: &Store, told: &Joined, at_ms: u64) -> Result<bool, LinkError> {
    let broken = |e: &dyn std::fmt::Display| LinkError::Protocol(format!("an introduction: {e}"));
    let told = Introduction::decode(&told.chain, &told.placements).map_err(|e| broken(&e))?;
    let world = store.world();
    let mut wider = world.directory.clone();
    wider.introduce(&told).map_err(|e| broken(&e))?;
    let from = world.parent().map(|l| l.id);
    let own = told.own().is_some_and(|c| c.place == world.me.place);
    let (certs, placements) = (told.certs, told.placements);
    store.write(Batch { at_ms, from, certs, placements, ..Batch::default() }).await?;
    if !store.world().is_active() {
        warn!(
            "another box has taken this place over by its parent's certificate: this one authors nothing more"
        );
    }
    Ok(!own)
}

async fn say(connection: &Connection, own: &Joined) -> Result<Frame, LinkError> {
    let gone = |e: &dyn std::fmt::Display| LinkError::Unreached(e.to_string());
    let (mut send, mut recv) = connection.open_bi().await.map_err(|e| gone(&e))?;
    send.write_all(&frames::pack(&Frame::Introduce(own.clone()))).await.map_err(|e| gone(&e))?;
    let body = frames::read_up_to(&mut recv, INTRODUCTION_BYTES_MAX).await.map_err(|e| gone(&e))?;
    frames::unpack_up_to(&body, INTRODUCTION_BYTES_MAX).map_err(|e| gone(&e))
}

async fn finish(endpoint: &Endpoint) {
    endpoint.close(quinn::VarInt::from_u32(0), b"");
    let _ = tokio::time::timeout(Duration::from_secs(2), endpoint.wait_idle()).await;
}

/// Answers a stranger with this key who asks who this is: one who says who it is and is a child of this
/// place by its certificates has its link from now on.
pub(super) async fn answer(
    store: &Store,
    key: &NodeKey,
    asked: &Joined,
    now_ms: u64,
) -> Result<Frame, StoreError> {
    let world = store.world();
    let current = |place: &PlaceId| {
        let newest = world.directory.place(place).filter(|p| !p.revoked)?;
        Some(Frame::Joined(Joined::from(&world.directory.introduction(&newest.cert))))
    };
    if !world.is_active() {
        let nobody = || Frame::Close(CloseCode::NotAllowed, STOOD_DOWN.into());
        return Ok(current(&world.me.place).unwrap_or_else(nobody));
    }
    if !asked.chain.is_empty() {
        let Some(told) = child(store, key, asked) else {
            // One that was a place's below and is not any more is told who is, if somebody is.
            let held = world
                .directory
                .iter()
                .find(|(_, c)| c.key == *key && world.directory.parent(&c.place) == Some(world.me.place));
            if let Some(answer) = held.and_then(|(_, c)| current(&c.place)) {
                return Ok(answer);
            }
            let why = "this key is not certified for a place below, or was revoked";
            return Ok(Frame::Close(CloseCode::NotAllowed, why.into()));
        };
        let Some(peer) = told.own().map(|c| c.place) else {
            return Ok(Frame::Close(CloseCode::NotAllowed, "nobody".into()));
        };
        let (certs, placements) = (told.certs, told.placements);
        let links = vec![NewLink { peer, up: false, address: None }];
        store.write(Batch { at_ms: now_ms, certs, placements, links, ..Batch::default() }).await?;
        info!(%peer, "a place below made itself known: it has a link again");
    }
    Ok(Frame::Joined(Joined::from(&world.directory.introduction(&world.me.cert))))
}

/// What a child says of itself, if it holds and the child is one of this place.
fn child(store: &Store, key: &NodeKey, asked: &Joined) -> Option<Introduction> {
    let world = store.world();
    let told = Introduction::decode(&asked.chain, &asked.placements).ok()?;
    let mut wider = world.directory.clone();
    wider.introduce(&told).ok()?;
    let own = told.own().filter(|c| c.key == *key)?;
    let is_child = wider.parent(&own.place) == Some(world.me.place);
    let current = wider.place_cert(&own.place).is_some_and(|c| c.key == *key);
    (is_child && current && !wider.is_revoked(&own.hash())).then_some(told)
}

/// The link a child with this key has, if it has one.
pub(super) fn link_of(store: &Store, key: &NodeKey) -> Option<LinkId> {
    let world = store.world();
    // What a neighbour gave to a box that stood down would lie there.
    if !world.is_active() {
        return None;
    }
    // Of several boxes of a place the one it works on: two on one link would undo each other.
    let of_key = world.directory.active_of_key(key).filter(|(_, c)| world.works_under(&c.place, key));
    let mut links = of_key.filter_map(|(_, cert)| world.link_to(&cert.place));
    links.find(|link| !link.up).map(|link| link.id)
}
