//! A petitioner's name travels and lies about sealed only: in no frame, and in no file of any node.

use super::census::Census;
use crate::sim::{Node, World};
use std::collections::BTreeSet;
use yishi_protocol::wire::Frame;

/// Names that were given in confidence; each occurs nowhere else.
#[derive(Debug, Default)]
pub struct Names(BTreeSet<String>);

/// How every such name begins, and nothing else does: all are looked for at once.
const FAMILY: &str = "封存人";

impl Names {
    /// A name no other run or text has.
    pub fn fresh(&mut self) -> String {
        let name = format!("{FAMILY}{:04}号", self.0.len());
        self.0.insert(name.clone());
        name
    }

    /// The first of the names that stands in these bytes.
    fn within(&self, bytes: &[u8]) -> Option<&String> {
        let begins = memchr::memmem::find_iter(bytes, FAMILY.as_bytes());
        begins.filter_map(|at| self.0.iter().find(|name| bytes[at..].starts_with(name.as_bytes()))).next()
    }

    pub(super) fn heard(&self, to: &Node, frame: &Frame) -> Result<(), String> {
        let Frame::Block(bytes) = frame else { return Ok(()) };
        match self.within(bytes) {
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
                if let Some(name) = self.within(&bytes) {
                    return Err(format!("{name} lies in clear in {file} of {}", node.name));
                }
            }
        }
        Ok(())
    }
}
