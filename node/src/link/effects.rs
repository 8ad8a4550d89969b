//! What a session asks of the store, answered: the same for a connection and for a simulated line.

use super::{
    LinkError, admit,
    blocks::{self, Sender},
};
use crate::store::{LinkId, Store};
use yishi_protocol::session::{Effect, Event};

/// Does what the session asks of the store. The answer is an event for it; what is not the store's
/// business — sending, admitting, closing — comes back as it was.
pub(super) async fn with_store(
    store: &Store,
    link: LinkId,
    sender: &mut Sender,
    effect: Effect,
    now_ms: u64,
) -> Result<Result<Option<Event>, Effect>, LinkError> {
    Ok(Ok(Some(match effect {
        Effect::NeedDigest(at) => Event::Digest(store.feed_digest(link, at).await?),
        Effect::BuildBlock { after } => {
            let (to, bytes) = sender.build(store, after).await?;
            Event::BlockBuilt { to, bytes }
        }
        Effect::LoadAcks { epoch, after } => {
            Event::AcksLoaded(admit::decoded(store.acks_after(link, epoch, after).await?))
        }
        Effect::Acked(ack) => {
            admit::acknowledged(store, link, sender, ack, now_ms).await?;
            return Ok(Ok(None));
        }
        Effect::NeedVisible => {
            // Before the set is read: what is written meanwhile is sent as rows, at worst twice.
            let (head, _) = store.feed_head(link).await?;
            Event::Visible(blocks::visible(store, link).await?, head)
        }
        Effect::Refeed { docs, compared_at, had } => {
            let refed = store.refeed(link, docs, compared_at, had).await?;
            Event::Refed { resume: refed.resume, digest: refed.digest, head: refed.head }
        }
        Effect::Adopt { epoch, seq, digest } => {
            admit::adopt(store, link, epoch, seq, digest).await?;
            Event::Adopted
        }
        other => return Ok(Err(other)),
    })))
}
