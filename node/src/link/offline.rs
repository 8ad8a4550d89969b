//! One end of a link without a socket: session, blocks, gate and store exactly as over a connection, and
//! frames handed to whoever carries them. The simulator drives these.

use super::{LinkError, admit, blocks::Sender, effects, frames, introduce, join};
use crate::store::{LinkId, Store, StoreError, Written};
use std::sync::Arc;
use tokio::sync::broadcast::{Receiver, error::TryRecvError};
use yishi_protocol::{
    ids::NodeKey,
    session::{Effect, Event, Session, Start},
    wire::{CloseCode, Frame, Join, Joined},
};

/// One end of one connection.
#[derive(Debug)]
pub struct End {
    store: Store,
    link: LinkId,
    session: Session,
    sender: Sender,
    news: Receiver<Arc<Written>>,
    renew: bool,
    in_step: bool,
    closed: Option<(CloseCode, String)>,
}

impl End {
    /// Begins a connection: the first frame out is HELLO.
    ///
    /// # Errors
    /// [`LinkError`] if the store cannot say how far the link came.
    pub async fn open(store: &Store, link: LinkId) -> Result<Self, LinkError> {
        let news = store.news();
        let state = store.link_state(link).await?;
        let session = Session::new(Start {
            cert: store.world().me.cert,
            epoch: store.epoch(),
            head: state.out_seq,
            acked: state.out_acked,
            cursor: state.in_epoch.map(|epoch| (epoch, state.in_seq, state.in_digest)),
        });
        let sender = Sender::new(link);
        let (renew, in_step, closed) = (false, false, None);
        Ok(Self { store: store.clone(), link, session, sender, news, renew, in_step, closed })
    }

    /// Whether this link's feed grew since it was last asked; as over a connection, only the store's news
    /// tells.
    fn was_fed(&mut self) -> Result<bool, LinkError> {
        let mut fed = false;
        loop {
            match self.news.try_recv() {
                Ok(written) => fed |= written.links_fed.contains(&self.link),
                Err(TryRecvError::Lagged(_)) => fed = true,
                Err(TryRecvError::Empty) => return Ok(fed),
                Err(TryRecvError::Closed) => return Err(LinkError::Store(StoreError::Closed)),
            }
        }
    }

    /// A frame arrived, packed as it travelled.
    ///
    /// # Errors
    /// [`LinkError::Protocol`] if it is none.
    pub fn hear(&mut self, packed: &[u8]) -> Result<(), LinkError> {
        self.session.handle(Event::Frame(frame_in(packed)?));
        Ok(())
    }

    /// Does everything there is to do now; returns the frames to carry to the other side, packed. Blocks
    /// are durable before their acknowledgement is among them.
    ///
    /// # Errors
    /// [`LinkError`]: the connection is over then.
    pub async fn work(&mut self, now_ms: u64) -> Result<Vec<Vec<u8>>, LinkError> {
        if self.was_fed()? {
            self.session.handle(Event::FeedHead(self.store.feed_head(self.link).await?.0));
        }
        let mut out = Vec::new();
        while let Some(effect) = self.session.poll() {
            match effects::with_store(&self.store, self.link, &mut self.sender, effect, now_ms).await? {
                Ok(Some(event)) => self.session.handle(event),
                Ok(None) => {}
                Err(Effect::Send(frame)) => out.push(frames::pack(&frame)),
                Err(Effect::Admit { bytes, epoch }) => {
                    let admitted = admit::one(&self.store, now_ms, self.link, bytes, epoch).await?;
                    self.session.handle(admitted);
                }
                Err(Effect::RenewLife) => self.renew = true,
                Err(Effect::InStep) => self.in_step = true,
                Err(Effect::Close(code, why)) => self.closed = Some((code, why)),
                // The store's effects were answered above.
                Err(_) => {}
            }
        }
        Ok(out)
    }

    /// Whether both sides had everything at least once.
    #[must_use]
    pub fn was_in_step(&self) -> bool {
        self.in_step
    }

    /// Whether the other side knows more of this node than it does itself.
    #[must_use]
    pub fn must_renew(&self) -> bool {
        self.renew
    }

    /// Why the conversation ended, once it did.
    #[must_use]
    pub fn closed(&self) -> Option<&(CloseCode, String)> {
        self.closed.as_ref()
    }
}

/// Whether a node lets a neighbour below with that key into a conversation, as its door does.
#[must_use]
pub fn admits(store: &Store, key: &NodeKey) -> bool {
    introduce::link_of(store, key).is_some()
}

/// A parent's answer to whoever proves an invitation under that key.
///
/// # Errors
/// [`StoreError`] when it was not stored.
pub async fn joining(store: &Store, key: &NodeKey, request: &Join, now_ms: u64) -> Result<Frame, StoreError> {
    join::answer(store, key, request, now_ms).await
}

/// What becomes of a child that the parent turned away: it says who it is, and keeps what it is told of
/// that. Whether it may dial again.
///
/// # Errors
/// [`LinkError`] when one of the two could not store it.
pub async fn presented(child: &Store, parent: &Store, now_ms: u64) -> Result<bool, LinkError> {
    let world = child.world();
    let own = Joined::from(&world.directory.introduction(&world.me.cert));
    match introduce::answer(parent, &world.me.keys.public(), &own, now_ms).await? {
        Frame::Joined(told) => introduce::learn(child, &told, now_ms).await,
        _ => Ok(false),
    }
}

/// What becomes of a child that finds another key than its parent's: it asks who answers there, and keeps
/// what it is told if that is who its parent is now.
///
/// # Errors
/// [`LinkError`] when one of the two could not store it.
pub async fn asked(child: &Store, parent: &Store, now_ms: u64) -> Result<bool, LinkError> {
    let (stranger, key) = (child.world().me.keys.public(), parent.world().me.keys.public());
    match introduce::answer(parent, &stranger, &Joined::default(), now_ms).await? {
        Frame::Joined(told) => introduce::believe(child, &parent.world().me.place, key, &told, now_ms).await,
        _ => Ok(false),
    }
}

/// The frame in packed bytes, for whoever watches the line.
///
/// # Errors
/// [`LinkError::Protocol`] if there is none.
pub fn frame_in(packed: &[u8]) -> Result<Frame, LinkError> {
    let mut reader = yishi_protocol::codec::Reader::new(packed);
    let body = reader.uint().and_then(|len| reader.raw(usize::try_from(len).unwrap_or(usize::MAX)));
    let body = body.map_err(|e| LinkError::Protocol(e.to_string()))?;
    frames::unpack(body).map_err(|e| LinkError::Protocol(e.to_string()))
}
