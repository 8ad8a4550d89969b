//! The key of a sealed dossier lies in clear nowhere: not in a history, which cannot be deleted, and in no
//! file of any node. What it opens would be forgotten in vain.
//!
//! The keys themselves are taken from the wraps by those who may open them.

use super::census::Census;
use crate::sim::World;
use yishi_protocol::{
    beside::What,
    kind::Kind,
    seal::{DossierKey, unwrap},
};

pub(super) fn check(world: &World, census: &Census) -> Result<(), String> {
    let mut keys: Vec<DossierKey> = Vec::new();
    for (node, holding) in world.nodes.iter().zip(&census.0) {
        let me = &node.store.world().me;
        for (doc, whole) in holding.docs.iter().filter(|(_, d)| d.header.kind == Kind::Dossier) {
            for record in &whole.wraps {
                if let What::Wrap { reader, bytes } = &record.what
                    && *reader == me.cert
                    && let Ok(key) = unwrap(bytes, doc, reader, &me.keys)
                    && !keys.contains(&key)
                {
                    keys.push(key);
                }
            }
        }
    }
    if keys.is_empty() {
        return Ok(());
    }
    for node in &world.nodes {
        for file in ["yishi.db", "yishi.db-wal"] {
            let bytes = std::fs::read(node.dir.join(file)).unwrap_or_default();
            if keys.iter().any(|key| key.found(|key| memchr::memmem::find(&bytes, key).is_some())) {
                return Err(format!("a dossier's key lies in clear in {file} of {}", node.name));
            }
        }
    }
    Ok(())
}
