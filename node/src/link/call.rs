//! One raw conversation with a parent, frame by frame, outside any session: for whoever tries the gate.

use super::{LinkError, Timing, endpoint, frames, tls};
use crate::store::World;
use quinn::{Connection, Endpoint, RecvStream, SendStream};
use rand::RngExt;
use std::net::SocketAddr;
use yishi_protocol::{
    ids::Epoch,
    wire::{Ack, Frame, Hello, Reconcile},
};

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
        let sessions = tls::Sessions::open(std::path::Path::new(""));
        let timing = Timing::default();
        let any = ([127, 0, 0, 1], 0).into();
        let endpoint = endpoint::open(any, &world.me.keys, sessions, &timing).map_err(|e| gone(&e))?;
        let client = endpoint::towards(&world.me.keys, parent.key, &timing).map_err(|e| gone(&e))?;
        let connection = endpoint
            .connect_with(client, target, "yishi")
            .map_err(|e| gone(&e))?
            .await
            .map_err(|e| gone(&e))?;
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

    /// Ends it.
    pub async fn close(self) {
        self.connection.close(quinn::VarInt::from_u32(0), b"");
        self.endpoint.wait_idle().await;
    }
}
