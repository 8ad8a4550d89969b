//! New databases: made once in a process by the program itself, and copied for every later run.
//!
//! Places of one shape have the same keys, certificates and links in every run, so their databases begin as
//! the same bytes.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, PoisonError},
};
use yishi_node::store::{Genesis, NewLink, Store};
use yishi_protocol::ids::{CertHash, Hash, hash};

/// What a folder holds after an orderly stop.
type Files = BTreeMap<&'static str, Vec<u8>>;

static MADE: Mutex<BTreeMap<Hash, Files>> = Mutex::new(BTreeMap::new());
/// Folders kept: all places of the seeds' shapes. Runs with many places make theirs anew.
const KEPT_MAX: usize = 64;
const FILES: [&str; 3] = ["yishi.db", "life", "lock"];

/// Everything that a new database depends on.
fn key(genesis: &Genesis, links: &[NewLink]) -> Hash {
    let certs: Vec<CertHash> = genesis.certs.iter().map(|c| c.hash()).collect();
    let links: Vec<u8> = links.iter().flat_map(|l| [&l.peer.0[..], &[u8::from(l.up)]].concat()).collect();
    let certs: Vec<u8> = certs.iter().flat_map(|c| c.0).collect();
    Hash(hash("yishi/simulator/fresh/1", &[&genesis.cert.0, &certs, &links]))
}

/// Lays a new database with its links into a folder that does not exist yet.
pub(super) async fn lay(dir: &Path, genesis: Genesis, links: Vec<NewLink>) {
    let key = key(&genesis, &links);
    let made = MADE.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    if let Some(files) = made {
        std::fs::create_dir(dir).unwrap();
        for (name, bytes) in files {
            std::fs::write(dir.join(name), bytes).unwrap();
        }
        return;
    }
    let store = Store::create(dir, genesis).await.unwrap();
    for link in links {
        store.open_link(link).await.unwrap();
    }
    store.close().await.unwrap();
    let files = FILES.iter().map(|name| (*name, std::fs::read(dir.join(name)).unwrap())).collect();
    let mut kept = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() < KEPT_MAX {
        kept.insert(key, files);
    }
}
