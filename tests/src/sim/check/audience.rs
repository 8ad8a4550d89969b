//! Nobody is sent a byte or an id that is not for them (promise 5, rule R11).
//!
//! Every frame is looked at as it arrives. The audience is computed from the header and grants that lie on
//! the sender's disk, not from the routes the sender computed.

use super::census::audience_of;
use crate::sim::Node;
use std::collections::BTreeSet;
use yishi_protocol::{
    ids::{DocId, PlaceId},
    kind::Kind,
    wire::{Block, Frame, Reconcile},
};

/// Who is known to be in which audience: it only grows, so a yes holds for the whole run.
#[derive(Debug, Default)]
pub struct Seen(BTreeSet<(DocId, PlaceId)>);

impl Seen {
    pub(super) async fn heard(&mut self, from: &Node, to: &Node, frame: &Frame) -> Result<(), String> {
        match frame {
            Frame::Block(bytes) => {
                let world = from.store.world();
                let key_of = &mut |hash: &_| world.directory.get(hash).map(|c| c.key);
                // What cannot be read reaches nobody's eyes as a document either.
                let Ok(block) = Block::decode(bytes, world.directory.federation(), key_of) else {
                    return Ok(());
                };
                for section in &block.sections {
                    self.may_see(from, to, section.doc.id()).await?;
                }
            }
            Frame::Reconcile(Reconcile::Items { items }) => {
                let mut known = Vec::new();
                for kind in Kind::ALL {
                    known.extend(from.store.docs_of_kind(kind, None).await.unwrap());
                }
                for (prefix, _) in items {
                    for doc in known.iter().filter(|d| d.0.starts_with(prefix)) {
                        self.may_see(from, to, *doc).await?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn may_see(&mut self, from: &Node, to: &Node, doc: DocId) -> Result<(), String> {
        if self.0.contains(&(doc, to.place)) {
            return Ok(());
        }
        let Some(whole) = from.store.document(&doc).await.unwrap() else { return Ok(()) };
        if !audience_of(&whole).includes(&from.store.world().directory, &to.place) {
            return Err(format!("{} sends {doc} to {}, which is not for it", from.name, to.name));
        }
        self.0.insert((doc, to.place));
        Ok(())
    }
}
