//! Raw conversations with a parent, outside any session: for whoever tries the gate and the door.

use super::{EndpointError, LinkError, Timing, endpoint, frames, tls};
use crate::store::World;
use quinn::{ClientConfig, Connection, Endpoint, RecvStream, SendStream};
use rand::RngExt;
use std::net::SocketAddr;
use yishi_protocol::{
    ids::{Epoch, NodeKey},
    key::SecretKeys,
    wire::{Ack, Frame, Hello, Reconcile},
};

/// Somebody with a key who dials: a neighbour or nobody.
#[derive(Debug)]
pub struct Caller {
    endpoint: Endpoint,
    client: ClientConfig,
}

impl Caller {
    /// From a local address, towards whoever has the key `parent`.
    ///
    /// # Errors
    /// [`EndpointError`] if the socket cannot be opened.
    pub fn new(keys: &SecretKeys, parent: NodeKey, from: SocketAddr) -> Result<Self, EndpointError> {
        let timing = Timing::default();
        let endpoint = endpoint::open(from, keys, tls::Sessions::none(), &timing)?;
        Ok(Self { endpoint, client: endpoint::towards(keys, Some(parent), &timing)? })
    }

    /// A whole handshake.
    ///
    /// # Errors
    /// [`LinkError::Unreached`] with what the other side said or did not say.
    pub async fn connect(&self, target: SocketAddr) -> Result<Connection, LinkError> {
        let gone = |e: &dyn std::fmt::Display| LinkError::Unreached(e.to_string());
        let client = self.client.clone();
        let connecting = self.endpoint.connect_with(client, target, "yishi").map_err(|e| gone(&e))?;
        connecting.await.map_err(|e| gone(&e))
    }
}

/// The bytes of a frame as they stand on a stream.
#[must_use]
pub fn framed(frame: &Frame) -> Vec<u8> {
    frames::pack(frame)
}

/// An open conversation.
#[derive(Debug)]
pub struct Call {
    endpoint: Endpoint,
    connection: Connection,
    send: SendStream,
    recv: RecvStream,
}

impl Call {
    /// Dials the parent with this node's keys, as a database nobody has seen before.
    ///
    /// # Errors
    /// [`LinkError`] if the parent cannot be reached or does not listen.
    pub async fn dial(world: &World, target: SocketAddr) -> Result<Self, LinkError> {
        let gone = |e: &dyn std::fmt::Display| LinkError::Protocol(e.to_string());
        let parent =
            world.parent().and_then(|l| world.directory.place_cert(&l.peer)).ok_or(LinkError::Unknown)?;
        let any = ([127, 0, 0, 1], 0).into();
        let caller = Caller::new(&world.me.keys, parent.key, any).map_err(|e| gone(&e))?;
        let connection = caller.connect(target).await.map_err(|e| gone(&e))?;
        let endpoint = caller.endpoint;
        let (send, recv) = connection.open_bi().await.map_err(|e| gone(&e))?;
        let mut call = Self { endpoint, connection, send, recv };
        let epoch = Epoch(rand::rng().random());
        call.say(&Frame::Hello(Hello {
            cert: world.me.cert,
            epoch,
            head: 1_000,
            acked: 0,
            in_epoch: None,
            in_seq: 0,
            in_digest: [0; 16],
        }))
        .await?;
        call.say(&Frame::Reconcile(Reconcile::Resume { seq: 0, digest: [0; 16] })).await?;
        Ok(call)
    }

    async fn say(&mut self, frame: &Frame) -> Result<(), LinkError> {
        let written = self.send.write_all(&frames::pack(frame)).await;
        written.map_err(|e| LinkError::Protocol(e.to_string()))
    }

    /// Sends a block and waits for its acknowledgement.
    ///
    /// # Errors
    /// [`LinkError::Protocol`] with the other side's reason when it hangs up.
    pub async fn block(&mut self, bytes: Vec<u8>) -> Result<Ack, LinkError> {
        self.say(&Frame::Block(bytes)).await?;
        loop {
            let body = frames::read(&mut self.recv).await.map_err(|e| LinkError::Protocol(e.to_string()))?;
            match frames::unpack(&body).map_err(|e| LinkError::Protocol(e.to_string()))? {
                Frame::Ack(ack) => return Ok(ack),
                Frame::Close(_, why) => return Err(LinkError::Protocol(why)),
                _ => {}
            }
        }
    }

    /// Sends bytes that are no frame, and waits for the end; returns the other side's reason.
    pub async fn babble(&mut self, bytes: &[u8]) -> String {
        let _ = self.send.write_all(bytes).await;
        self.connection.closed().await.to_string()
    }

    /// Sends bytes, whatever they are.
    ///
    /// # Errors
    /// [`LinkError::Protocol`] when the other side has hung up.
    pub async fn raw(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.send.write_all(bytes).await.map_err(|e| LinkError::Protocol(e.to_string()))
    }

    /// Ends it.
    pub async fn close(self) {
        self.connection.close(quinn::VarInt::from_u32(0), b"");
        self.endpoint.wait_idle().await;
    }
}
