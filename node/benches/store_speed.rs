//! How fast a township stores what a village brings: 10,000 documents of nine changes each, one feed row
//! per change, in batches of 5,000 changes; then how fast the feed is read and the store opened again.
//!
//! `cargo bench -p yishi-node --bench store_speed [DIRECTORY]`

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement fails by panicking")]

use sha2::{Digest, Sha256};
use std::{path::PathBuf, time::Instant};
use yishi_node::store::{Batch, Genesis, NewCommit, NewLink, Store};
use yishi_protocol::{
    audience::Reach,
    cert::Certificate,
    commit::{ActorRecord, Commit, Cover},
    header::Header,
    ids::{ChangeHash, Epoch, Incarnation, PlaceId},
    key::{SecretKeys, Signature},
    kind::Kind,
};

const DOCS: u32 = 10_000;
const CHANGES: u64 = 9;
const DOCS_PER_BATCH: usize = 555;
const CHANGE_BYTES: usize = 313;
const LIFE: Incarnation = Incarnation(7);

fn keys(seed: u8) -> SecretKeys {
    SecretKeys::from_bytes(&[seed; 64])
}

fn certificate(parent: &Certificate, by: &SecretKeys, own: &SecretKeys, place: u8) -> Certificate {
    Certificate {
        federation: Some(parent.federation_id()),
        place: PlaceId::founded(&parent.place, &[place; 16]),
        nonce: [place; 16],
        code: "510113106000".into(),
        name: "姚渡镇".into(),
        level: "township".into(),
        parent: Some(parent.place),
        key: own.public(),
        sealing: own.sealing_public(),
        number: 1,
        issuer: Some(parent.hash()),
        signature: Signature([0; 64]),
    }
    .issued_by(by)
}

fn document(
    n: u32,
    root: &Certificate,
    town: &Certificate,
    village: &Certificate,
) -> (Header, Vec<NewCommit>) {
    let mut nonce = [0; 12];
    nonce[..4].copy_from_slice(&n.to_be_bytes());
    let header = Header {
        federation: root.federation_id(),
        kind: Kind::Proposal,
        home: village.place,
        creator: village.key,
        incarnation: LIFE,
        nonce,
        reach: [root, town, village].map(|c| Reach::Place(c.place)).into(),
    };
    let doc = header.doc_id();
    let mut commits: Vec<NewCommit> = Vec::new();
    for seq in 1..=CHANGES {
        let mut bytes = vec![seq as u8; CHANGE_BYTES];
        bytes[..32].copy_from_slice(&doc.0);
        let hash = ChangeHash(Sha256::digest(&bytes).into());
        let cover = Cover { cert: village.hash(), signature: Signature([seq as u8; 64]) };
        let commit = Commit {
            doc,
            hash,
            actor: village.actor(LIFE),
            seq,
            max_op: seq * 20,
            deps: commits.last().map(|c| c.commit.hash).into_iter().collect(),
            bytes,
            cover: (seq == CHANGES).then_some(cover),
        };
        let origin_seq = u64::from(n) * CHANGES + seq;
        commits.push(NewCommit { commit, origin_seq, origin_ord: 0 });
    }
    (header, commits)
}

/// A stage's wall clock and the processor time of all threads: on a shared machine only the second counts.
struct Stage(Instant, f64);

impl Stage {
    fn begin() -> Self {
        Self(Instant::now(), processor_seconds())
    }

    fn end(self, what: &str, per: f64) {
        let (wall, processor) = (self.0.elapsed().as_secs_f64(), processor_seconds() - self.1);
        println!("{what:<18} {:8.2} µs, {:8.2} µs of processor", wall * 1e6 / per, processor * 1e6 / per);
    }
}

/// From the kernel's own count in hundredths of a second.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<f64> =
        stat.rsplit(')').next().unwrap().split_whitespace().map(|f| f.parse().unwrap_or(0.0)).collect();
    (fields[11] + fields[12]) / 100.0
}

#[tokio::main]
async fn main() {
    let dir = std::env::args().skip(1).find(|a| !a.starts_with('-')).map(PathBuf::from);
    let temporary = tempfile::tempdir().unwrap();
    let dir = dir.unwrap_or_else(|| temporary.path().to_owned());
    let (district, town, village) = (keys(1), keys(2), keys(3));
    let root = Certificate::root(&district, PlaceId([1; 16]), "510113000000", "青白江区", "district");
    let town_cert = certificate(&root, &district, &town, 2);
    let village_cert = certificate(&town_cert, &town, &village, 3);
    let genesis = Genesis {
        keys: town,
        certs: vec![root.clone(), town_cert.clone()],
        cert: town_cert.hash(),
        epoch: Epoch([9; 16]),
        incarnation: LIFE,
        life: [8; 16],
    };
    let store = Store::create(&dir, genesis).await.unwrap();
    let link = |place, up| NewLink { peer: PlaceId([place; 16]), up, address: None };
    let actor = village_cert.actor(LIFE);
    let first = Batch {
        certs: vec![village_cert.clone()],
        actors: vec![ActorRecord { actor, cert: village_cert.hash(), incarnation: LIFE }],
        links: vec![link(1, true), link(3, false)],
        ..Batch::default()
    };
    store.write(first).await.unwrap();
    let world = store.world();
    let up = world.link_to(&root.place).unwrap().id;
    let from = world.link_to(&village_cert.place).unwrap().id;

    let documents: Vec<_> = (0..DOCS).map(|n| document(n, &root, &town_cert, &village_cert)).collect();
    let batches: Vec<Batch> = documents
        .chunks(DOCS_PER_BATCH)
        .map(|docs| Batch {
            from: Some(from),
            docs: docs.iter().map(|d| d.0.clone()).collect(),
            commits: docs.iter().flat_map(|d| d.1.clone()).collect(),
            ..Batch::default()
        })
        .collect();
    let again = batches.clone();
    let changes = u64::from(DOCS) * CHANGES;
    let per_change = changes as f64;

    let stage = Stage::begin();
    for batch in batches {
        store.write(batch).await.unwrap();
    }
    stage.end("stored and fed", per_change);

    let stage = Stage::begin();
    for batch in again {
        assert_eq!(store.write(batch).await.unwrap().new_commits, 0);
    }
    stage.end("dropped as known", per_change);

    let (stage, mut seq) = (Stage::begin(), 0);
    while let Some(last) = store.feed_after(up, seq, 2_000, 512 * 1024).await.unwrap().last() {
        seq = last.seq;
    }
    assert_eq!(seq, changes);
    stage.end("feed read", per_change);

    let ids: Vec<_> = documents.iter().map(|d| d.0.doc_id()).collect();
    let stage = Stage::begin();
    for docs in ids.chunks(500) {
        assert_eq!(store.doc_indexes(docs).await.unwrap().len(), docs.len());
    }
    stage.end("indexes read", per_change);

    let stage = Stage::begin();
    assert_eq!(store.visible_docs(up).await.unwrap().len(), ids.len());
    stage.end("heads of all", per_change);

    let ack = yishi_node::store::Acknowledged {
        link: up,
        from_seq: 0,
        to_seq: changes,
        level_place: root.place,
        receipt: vec![1],
        stored: store.fed_commits(up, 0, changes).await.unwrap().iter().map(|c| c.row).collect(),
        at_ms: 1,
    };
    let stage = Stage::begin();
    store.acknowledged(ack).await.unwrap();
    stage.end("acknowledged", per_change);

    let stage = Stage::begin();
    for seq in 0..200u64 {
        let commit = Commit {
            hash: ChangeHash(Sha256::digest(seq.to_be_bytes()).into()),
            ..documents[0].1[8].commit.clone()
        };
        store.write(Batch { commits: vec![commit.into()], ..Batch::default() }).await.unwrap();
    }
    stage.end("one at a time", 200.0);

    let stage = Stage::begin();
    store.open_link(link(4, false)).await.unwrap();
    stage.end("a link opened", per_change);
    store.close().await.unwrap();
    let stage = Stage::begin();
    let store = Store::open(&dir).await.unwrap();
    stage.end("opened again", 1.0);
    store.close().await.unwrap();
    let bytes = std::fs::metadata(dir.join("yishi.db")).unwrap().len();
    println!("on disk            {:8.0} B per change", bytes as f64 / changes as f64);
}
