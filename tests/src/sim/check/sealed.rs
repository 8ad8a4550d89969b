//! A petitioner's name travels and lies about sealed only: in no frame, and in no file of any node.

use super::census::Census;
use crate::sim::{Node, World};
use std::collections::BTreeSet;
use yishi_protocol::wire::Frame;

/// Names that were given in confidence; each occurs nowhere else.
#[derive(Debug, Default)]
pub struct Names(BTreeSet<String>);

fn holds(bytes: &[u8], name: &str) -> bool {
    bytes.windows(name.len()).any(|w| w == name.as_bytes())
}

impl Names {
    /// A name no other run or text has.
    pub fn fresh(&mut self) -> String {
        let name = format!("封存人{:04}号", self.0.len());
        self.0.insert(name.clone());
        name
    }

    pub(super) fn heard(&self, to: &Node, frame: &Frame) -> Result<(), String> {
        let Frame::Block(bytes) = frame else { return Ok(()) };
        match self.0.iter().find(|name| holds(bytes, name)) {
            Some(name) => Err(format!("{name} travels in clear to {}", to.name)),
            None => Ok(()),
        }
    }

    pub(super) async fn end(&self, world: &World, census: &Census) -> Result<(), String> {
        let _ = census;
        if self.0.is_empty() {
            return Ok(());
        }
        for node in &world.nodes {
            for file in ["yishi.db", "yishi.db-wal"] {
                let bytes = std::fs::read(node.dir.join(file)).unwrap_or_default();
                if let Some(name) = self.0.iter().find(|name| holds(&bytes, name)) {
                    return Err(format!("{name} lies in clear in {file} of {}", node.name));
                }
            }
        }
        Ok(())
    }
}
