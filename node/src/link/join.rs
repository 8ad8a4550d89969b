//! Inviting a place, and joining: the newcomer proves the invitation's secret over a connection whose
//! keys both sides know, and receives its certificate with the chain above it.
//!
//! The parent keeps no secrets of invitations: each is derived from its own key and the invitation's
//! id. A lost answer costs nothing: the same key may ask again and gets the same certificate.

use super::{EndpointError, Timing, endpoint, frames, tls};
use crate::store::{Batch, InviteRow, NewLink, SecretHash, Store, StoreError};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, time::Duration};
use thiserror::Error;
use yishi_protocol::{
    cert::{CertError, Certificate, Directory, Introduction, Placement},
    codec::DecodeError,
    ids::{CertHash, NodeKey, PlaceId, hash},
    invite::Invite,
    key::{SecretKeys, Signature},
    limits::INVITE_SECRET_BYTES,
    wire::{CloseCode, Frame, Join, Joined},
};

/// How long joining may take before the newcomer gives up.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Clocks that differ by more than this are named: certificates do not care, deadlines and people do.
const YEAR_SECONDS: u64 = 365 * 86_400;

/// What the parent decides about a new place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InviteRequest {
    /// The place: a new one's id follows from the nonce; one that was moved here keeps the one it has.
    pub place: PlaceId,
    /// What the place was founded with: fresh for a new place, the old one for a place whose machine is
    /// replaced.
    pub nonce: [u8; 16],
    /// Its 12-digit code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The label of its level.
    pub level: String,
    /// Where this node can be reached: `host:port`.
    pub address: String,
    /// Until when, in seconds since 1970, by this node's clock.
    pub expires_at: u64,
}

fn secret_of(keys: &SecretKeys, id: &[u8; 8]) -> [u8; INVITE_SECRET_BYTES] {
    let full = hash("yishi/invite-secret/1", &[&keys.derived("invitations"), id]);
    let mut secret = [0; INVITE_SECRET_BYTES];
    for (to, from) in secret.iter_mut().zip(full) {
        *to = from;
    }
    secret
}

/// Under which name the store keeps an invitation.
fn row_of(id: &[u8; 8]) -> SecretHash {
    hash("yishi/invite-id/1", &[id])
}

/// Makes an invitation; it may be used once, until it expires.
///
/// # Errors
/// [`StoreError`] when it was not stored.
pub async fn invite(store: &Store, request: InviteRequest) -> Result<Invite, StoreError> {
    let me = store.world().me.clone();
    let (keys, place) = (me.keys, request.place);
    let id: [u8; 8] = rand::rng().random();
    let token = Invite {
        id,
        address: request.address.clone(),
        parent: keys.public(),
        place,
        code: request.code.clone(),
        name: request.name.clone(),
        expires_at: request.expires_at,
        secret: secret_of(&keys, &id),
    };
    let detail = serde_json::to_string(&request).map_err(|_| StoreError::Newer)?;
    store
        .add_invite(InviteRow {
            secret: row_of(&id),
            place,
            detail,
            expires_at_ms: request.expires_at * 1_000,
            used_at_ms: None,
        })
        .await?;
    Ok(token)
}

/// Answers a newcomer.
pub(super) async fn answer(
    store: &Store,
    key: &NodeKey,
    request: &Join,
    now_ms: u64,
) -> Result<Frame, StoreError> {
    let refused = |why: &str| Ok(Frame::Close(CloseCode::Invitation, why.to_owned()));
    let world = store.world();
    if !world.is_active() {
        return refused("unknown");
    }
    let held = world.directory.active_of_key(key).find(|(_, c)| c.place == request.place);
    if let Some((cert, _)) = held {
        return Ok(told(&world.directory, &cert));
    }
    let Some(stored) = store.invite(&row_of(&request.invite)).await? else { return refused("unknown") };
    let Ok(detail) = serde_json::from_str::<InviteRequest>(&stored.detail) else {
        return refused("unknown");
    };
    let keys = &world.me.keys;
    let place = detail.place;
    let invite = Invite {
        id: request.invite,
        address: detail.address.clone(),
        parent: keys.public(),
        place,
        code: detail.code.clone(),
        name: detail.name.clone(),
        expires_at: detail.expires_at,
        secret: secret_of(keys, &request.invite),
    };
    if !invite.proves(request, key) {
        return refused("unknown");
    }
    if stored.used_at_ms.is_some() {
        return refused("used");
    }
    if stored.expires_at_ms <= now_ms {
        return refused("expired");
    }
    // The parent alone counts; its own certificates never come near the end.
    let number = world.directory.place_cert(&place).map_or(0, |c| c.number).saturating_add(1);
    let cert = Certificate {
        federation: Some(world.directory.federation()),
        place,
        nonce: detail.nonce,
        code: detail.code,
        name: detail.name,
        level: detail.level,
        parent: Some(world.me.place),
        key: *key,
        sealing: request.sealing,
        number,
        issuer: Some(world.me.cert),
        signature: Signature([0; 64]),
    }
    .issued_by(keys);
    let issued = cert.hash();
    store
        .write(Batch {
            at_ms: now_ms,
            certs: vec![cert],
            links: vec![NewLink { peer: place, up: false, address: None }],
            ..Batch::default()
        })
        .await?;
    // After the certificate is durable: a crash between the two lets the same newcomer ask again.
    if !store.use_invite(row_of(&request.invite), stored.detail, now_ms).await? {
        return refused("used");
    }
    Ok(told(&store.world().directory, &issued))
}

fn told(directory: &Directory, cert: &CertHash) -> Frame {
    Frame::Joined(Joined::from(&directory.introduction(cert)))
}

/// What a newcomer received.
#[derive(Debug, Clone)]
pub struct NewNode {
    /// Its keys.
    pub keys: SecretKeys,
    /// The chain from the root's certificate to its own, with what it stands on.
    pub certs: Vec<Certificate>,
    /// The placements it stands on.
    pub placements: Vec<Placement>,
    /// Its own.
    pub cert: CertHash,
    /// The parent place.
    pub parent: PlaceId,
}

/// Why joining did not succeed. Nothing is left behind then.
#[derive(Debug, Error)]
pub enum JoinError {
    /// The invitation is over by this machine's clock.
    #[error(
        "the invitation expired on {expired} by this machine's clock, which says {now}. Check the clock (`date`); if it is right, ask the parent for a new invitation. Nothing was changed"
    )]
    Expired {
        /// When.
        expired: String,
        /// This machine's day.
        now: String,
    },
    /// The clock is off by years.
    #[error(
        "this machine's clock says {now}, years before the invitation was made. Set the clock (`date -s`, or plug in the network) and try again. Nothing was changed"
    )]
    Clock {
        /// This machine's day.
        now: String,
    },
    /// The parent refused it.
    #[error(
        "the parent at {address} did not accept the invitation: {why}. Ask there for a new one (`yishi place invite`). Nothing was changed"
    )]
    Refused {
        /// Where.
        address: String,
        /// Why, in words.
        why: &'static str,
    },
    /// No answer.
    #[error(
        "no answer from the parent at {address}: {why}. Check the network and that the parent is running and its UDP port open, then run the same command again: the invitation is still good"
    )]
    Unreachable {
        /// Where.
        address: String,
        /// What happened.
        why: String,
    },
    /// Somebody else answers there.
    #[error(
        "whoever answers at {address} has another key than the invitation names: it is of another federation, or was set up anew since. Nothing was changed and nothing said to it. Check the address, or ask for a new invitation"
    )]
    OtherKey {
        /// Where.
        address: String,
    },
    /// The answer is not a chain to a root.
    #[error("the parent's answer is not valid: {0}. Nothing was changed")]
    Chain(#[from] CertError),
    /// The answer is not certificates.
    #[error("the parent's answer cannot be read: {0}. Nothing was changed")]
    Unreadable(#[from] DecodeError),
    /// The chain is for someone else.
    #[error("the parent answered for another place or key. Nothing was changed")]
    OtherPlace,
    /// The socket.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// Uses an invitation: makes keys, proves the secret, receives the certificate.
///
/// # Errors
/// [`JoinError`] says why not.
pub async fn join(invite: &Invite, now_s: u64) -> Result<NewNode, JoinError> {
    let day = |s: u64| {
        let date = yishi_protocol::calendar::Date::from_days((s / 86_400).cast_signed());
        date.map_or_else(|| format!("{s} s after 1970"), |d| d.to_string())
    };
    if now_s >= invite.expires_at {
        return Err(JoinError::Expired { expired: day(invite.expires_at), now: day(now_s) });
    }
    if invite.expires_at - now_s > 2 * YEAR_SECONDS {
        return Err(JoinError::Clock { now: day(now_s) });
    }
    let keys = SecretKeys::generate(&mut rand::rng());
    let unreachable = |why: String| JoinError::Unreachable { address: invite.address.clone(), why };
    let away = |e: &dyn std::fmt::Display| unreachable(e.to_string());
    let any: SocketAddr = ([0, 0, 0, 0], 0).into();
    let endpoint = endpoint::open(any, &keys, tls::Sessions::none(), &Timing::default())?;
    let client = endpoint::towards(&keys, Some(invite.parent), &Timing::default())?;
    let talk = async {
        let address = tokio::net::lookup_host(&invite.address)
            .await
            .map_err(|e| away(&e))?
            .find(SocketAddr::is_ipv4)
            .ok_or_else(|| away(&"it has no IPv4 address"))?;
        let connecting = endpoint.connect_with(client, address, "yishi").map_err(|e| away(&e))?;
        let connection = connecting.await.map_err(|e| match endpoint::is_other_key(&e) {
            true => JoinError::OtherKey { address: invite.address.clone() },
            false => away(&e),
        })?;
        let (mut send, mut recv) = connection.open_bi().await.map_err(|e| away(&e))?;
        let request = invite.join(&keys.public(), keys.sealing_public());
        send.write_all(&frames::pack(&Frame::Join(request))).await.map_err(|e| away(&e))?;
        let body = frames::read(&mut recv).await.map_err(|e| away(&e))?;
        frames::unpack(&body).map_err(|e| away(&e))
    };
    let answer = match tokio::time::timeout(ANSWER_WITHIN, talk).await {
        Ok(answer) => answer?,
        Err(_) => return Err(unreachable("it took too long".into())),
    };
    endpoint.close(quinn::VarInt::from_u32(0), b"");
    endpoint.wait_idle().await;
    let told = match answer {
        Frame::Joined(joined) => Introduction::decode(&joined.chain, &joined.placements)?,
        Frame::Close(_, why) => {
            let why = match why.as_str() {
                "used" => "it was used already",
                "expired" => "it has expired by the parent's clock",
                _ => "it is not known there",
            };
            return Err(JoinError::Refused { address: invite.address.clone(), why });
        }
        _ => return Err(JoinError::OtherPlace),
    };
    let root = told.certs.first().ok_or(JoinError::OtherPlace)?;
    let mut directory = Directory::new(root.clone())?;
    directory.introduce(&told)?;
    let own = told.own().filter(|c| c.place == invite.place && c.key == keys.public());
    let own = own.ok_or(JoinError::OtherPlace)?;
    let (cert, parent) = (own.hash(), own.parent.ok_or(JoinError::OtherPlace)?);
    // The invitation pins the parent's key; its certificate must be the one that signed ours.
    let issuer = own.issuer.and_then(|h| directory.get(&h));
    if issuer.map(|c| c.key) != Some(invite.parent) {
        return Err(JoinError::OtherPlace);
    }
    let Introduction { certs, placements } = told;
    Ok(NewNode { keys, certs, placements, cert, parent })
}
