//! Keeping the link to the parent: dial, converse, wait a little, dial again.
//!
//! The pause doubles up to its cap and is spread at random, so that two thousand villages that lost
//! power together do not come back together.

use super::{
    LinkError, LinksConfig,
    driver::{self, Context, Ended},
    endpoint::{self, is_other_key},
    introduce,
    state::Connected,
};
use quinn::{ClientConfig, Endpoint};
use rand::RngExt;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::Notify;
use tracing::debug;
use yishi_protocol::{ids::NodeKey, wire::CloseCode};

/// The first pause.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// How long a handshake may take; a satellite link needs some seconds.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(15);
/// Between two attempts when the parent said that it does not want this node.
const PAUSE_REFUSED: Duration = Duration::from_secs(300);

pub(super) async fn run(
    context: Context,
    endpoint: Endpoint,
    config: LinksConfig,
    dial_now: Arc<Notify>,
) -> Result<(), LinkError> {
    let mut pause = PAUSE_MIN;
    let mut tls: Option<(NodeKey, ClientConfig)> = None;
    // Once between two conversations: a parent that lets this node in and then does not is left alone.
    let mut presented = false;
    loop {
        let world = context.store.world();
        let parent = world.parent().cloned();
        let key = parent.as_ref().and_then(|l| world.directory.place_cert(&l.peer)).map(|c| c.key);
        let (Some(link), Some(key)) = (parent, key) else {
            // The root of the federation: nobody to dial.
            context.stop.cancelled().await;
            return Ok(());
        };
        // The same configuration each time: only then are sessions resumed.
        if tls.as_ref().is_none_or(|(k, _)| *k != key) {
            let towards = endpoint::towards(&world.me.keys, Some(key), &config.timing);
            tls = Some((key, towards.map_err(|e| LinkError::Protocol(e.to_string()))?));
        }
        let Some((_, client)) = &tls else { continue };
        // What the configuration says was said of the parent this node joined; moved since, the placement says.
        let moved = world.directory.placement(&world.me.place).is_some_and(|p| !p.address.is_empty());
        let configured = config.parent.clone().filter(|_| !moved);
        let address = configured.or_else(|| link.address.clone()).unwrap_or_default();
        context.board.set(link.id, Connected::Connecting, None);
        let mut again = false;
        let attempted = {
            let mut attempt = std::pin::pin!(attempt(&context, &endpoint, client.clone(), &address, link.id));
            loop {
                tokio::select! {
                    ended = &mut attempt => break ended,
                    // Somebody wants a fresh connection: the present one ends in order, then it is dialled.
                    () = dial_now.notified() => {
                        again = true;
                        context.connections.close(link.id, CloseCode::Replaced);
                    }
                }
            }
        };
        // Neighbours that do not know each other any more make themselves known, and it is tried again at once.
        let known_again = match &attempted {
            Err(LinkError::OtherKey(there)) => {
                introduce::ask(&context, *there, &link.peer, &config.timing).await
            }
            Ok(Ended { code: Some(CloseCode::NotAllowed), .. }) if !presented => {
                presented = true;
                introduce::present(&context, &endpoint, client.clone(), &address).await
            }
            _ => Ok(false),
        };
        match known_again {
            Ok(true) => continue,
            Err(LinkError::Store(error)) if error.ends_the_node() => return Err(error.into()),
            Err(error) => debug!(%error, "no introduction"),
            Ok(false) => {}
        }
        let broken = matches!(attempted, Err(LinkError::Protocol(_)));
        let ended = match attempted {
            Ok(ended) => ended,
            Err(LinkError::Store(error)) if error.ends_the_node() => return Err(error.into()),
            Err(error @ LinkError::OtherKey(_)) => {
                Ended { code: Some(CloseCode::Federation), why: error.to_string(), ..Ended::default() }
            }
            Err(error) => Ended { why: error.to_string(), ..Ended::default() },
        };
        if context.stop.is_cancelled() {
            return Ok(());
        }
        if ended.renew {
            context.renew().await?;
        }
        let refused = matches!(ended.code, Some(CloseCode::NotAllowed | CloseCode::Federation));
        let state = match (refused, broken) {
            (true, _) => Connected::Refused,
            (_, true) => Connected::Broken,
            _ => Connected::Down,
        };
        context.board.set(link.id, state, Some(ended.why.clone()));
        debug!(why = ended.why, ?pause, "no link to the parent");
        presented &= !ended.was_in_step;
        pause = if ended.was_in_step || ended.renew {
            PAUSE_MIN
        } else {
            (pause * 2).min(config.timing.retry_max)
        };
        let spread: f64 = rand::rng().random_range(0.5..1.0);
        if again {
            pause = PAUSE_MIN;
            continue;
        }
        let wait = if refused { PAUSE_REFUSED } else { pause.mul_f64(spread) };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = dial_now.notified() => pause = PAUSE_MIN,
            () = context.stop.cancelled() => return Ok(()),
        }
    }
}

/// One connection from the first packet to its end.
async fn attempt(
    context: &Context,
    endpoint: &Endpoint,
    client: ClientConfig,
    address: &str,
    link: crate::store::LinkId,
) -> Result<Ended, LinkError> {
    let gone = |e: &dyn std::fmt::Display| LinkError::Unreached(e.to_string());
    let address = resolve(address, endpoint).await?;
    let other_key = |connection: &quinn::Connection| {
        connection
            .close_reason()
            .is_some_and(|why| is_other_key(&why))
            .then_some(LinkError::OtherKey(address))
    };
    let connecting = endpoint.connect_with(client, address, "yishi").map_err(|e| gone(&e))?;
    let connection = match connecting.into_0rtt() {
        Ok((connection, accepted)) => {
            // HELLO leaves with the first packet. If the parent forgot the session it is as if nothing
            // had been said, and the conversation begins again on the same connection.
            context.connections.take_over(link, &connection);
            let (send, recv) = connection.open_bi().await.map_err(|e| gone(&e))?;
            let mut accepted = std::pin::pin!(accepted);
            {
                let early =
                    driver::converse(context, link, &connection, send, recv, std::future::ready(true));
                tokio::pin!(early);
                tokio::select! {
                    // Refused early data breaks the stream before this side learns why.
                    ended = &mut early => {
                        if let Some(other) = other_key(&connection) {
                            return Err(other);
                        }
                        if connection.close_reason().is_some() || accepted.await {
                            return ended;
                        }
                    },
                    taken = &mut accepted => if taken {
                        return early.await;
                    },
                }
            }
            connection
        }
        Err(connecting) => tokio::time::timeout(HANDSHAKE_WITHIN, connecting)
            .await
            .map_err(|_| LinkError::Unreached(format!("no answer from {address}")))?
            .map_err(|e| if is_other_key(&e) { LinkError::OtherKey(address) } else { gone(&e) })?,
    };
    context.connections.take_over(link, &connection);
    let (send, recv) = connection.open_bi().await.map_err(|e| gone(&e))?;
    driver::converse(context, link, &connection, send, recv, std::future::ready(true)).await
}

pub(super) async fn resolve(address: &str, endpoint: &Endpoint) -> Result<SocketAddr, LinkError> {
    let wants_v4 = endpoint.local_addr().is_ok_and(|a| a.is_ipv4());
    let found = tokio::net::lookup_host(address)
        .await
        .map_err(|e| LinkError::Unreached(format!("the parent's address “{address}” cannot be found: {e}")))?
        .collect::<Vec<_>>();
    let fitting = found.iter().find(|a| a.is_ipv4() == wants_v4).or(found.first());
    fitting.copied().ok_or_else(|| LinkError::Protocol(format!("“{address}” has no address")))
}
