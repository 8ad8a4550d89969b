//! The world of every test: a district, one township with two villages and a neighbouring township, with
//! real keys, certificates and signatures. The store under test is the township's.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, path::Path};
use yishi_node::store::{Batch, FeedEntry, FeedItem, Genesis, LinkId, NewCommit, NewLink, Store};
use yishi_protocol::{
    audience::{Grant, Reach},
    cert::Certificate,
    commit::{ActorRecord, Commit, Cover},
    header::Header,
    ids::{ActorId, CertHash, ChangeHash, DocId, Epoch, FederationId, Incarnation, PlaceId},
    key::{SecretKeys, Signature},
    kind::Kind,
};

pub(crate) const LIFE: Incarnation = Incarnation(7);

/// A place with its keys.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) place: PlaceId,
    pub(crate) keys: SecretKeys,
    pub(crate) cert: Certificate,
}

impl Node {
    pub(crate) fn hash(&self) -> CertHash {
        self.cert.hash()
    }

    pub(crate) fn actor(&self) -> ActorId {
        self.cert.actor(LIFE)
    }

    pub(crate) fn record(&self) -> ActorRecord {
        ActorRecord { actor: self.actor(), cert: self.hash(), incarnation: LIFE }
    }
}

pub(crate) struct Fed {
    pub(crate) rng: StdRng,
    pub(crate) id: FederationId,
    pub(crate) district: Node,
    pub(crate) town: Node,
    pub(crate) east: Node,
    pub(crate) west: Node,
    pub(crate) other: Node,
}

impl Fed {
    pub(crate) fn new() -> Self {
        let mut rng = StdRng::seed_from_u64(42);
        let keys = SecretKeys::generate(&mut rng);
        let cert = Certificate::root(&keys, PlaceId([1; 16]), "510113000000", "青白江区", "district");
        let district = Node { place: PlaceId([1; 16]), keys, cert };
        let id = district.cert.federation_id();
        let town = child(&mut rng, id, &district, 2, "姚渡镇");
        let east = child(&mut rng, id, &town, 3, "芦稿村");
        let west = child(&mut rng, id, &town, 4, "光明村");
        let other = child(&mut rng, id, &district, 5, "福洪镇");
        Self { rng, id, district, town, east, west, other }
    }

    pub(crate) fn genesis(&self) -> Genesis {
        Genesis {
            keys: self.town.keys.clone(),
            certs: vec![self.district.cert.clone(), self.town.cert.clone()],
            cert: self.town.hash(),
            epoch: Epoch([9; 16]),
            incarnation: LIFE,
            life: [8; 16],
        }
    }

    /// The township's store with links to the district and to the eastern village.
    pub(crate) async fn store(&self, dir: &Path) -> (Store, LinkId, LinkId) {
        let store = Store::create(dir, self.genesis()).await.unwrap();
        let certs = [&self.east, &self.west, &self.other].map(|n| n.cert.clone());
        let actors = [&self.district, &self.town, &self.east, &self.west].map(Node::record);
        let up = NewLink { peer: self.district.place, up: true, address: Some("10.0.0.1:4433".into()) };
        let batch = Batch {
            certs: certs.into(),
            actors: actors.into(),
            links: vec![up, down(&self.east)],
            ..Batch::default()
        };
        let written = store.write(batch).await.unwrap();
        assert!(written.world_changed);
        let world = store.world();
        let link = |n: &Node| world.link_to(&n.place).unwrap().id;
        (store, link(&self.district), link(&self.east))
    }

    pub(crate) fn header(&mut self, home: &Node, reach: impl IntoIterator<Item = Reach>) -> Header {
        let reach: BTreeSet<Reach> = reach.into_iter().collect();
        Header {
            federation: self.id,
            kind: Kind::Proposal,
            home: home.place,
            creator: home.keys.public(),
            incarnation: LIFE,
            nonce: self.rng.random(),
            reach: reach.into_iter().collect(),
        }
    }

    /// A village's matter that its township sees too.
    pub(crate) fn matter(&mut self, home: &Node) -> Header {
        let reach = [Reach::Place(home.place), Reach::Place(self.town.place)];
        self.header(home, reach)
    }

    /// `n` changes of one author, each on top of the one before, the last one signed.
    pub(crate) fn chain(&self, doc: DocId, author: &Node, on: Option<&Commit>, n: u64) -> Vec<Commit> {
        let mut out: Vec<Commit> = Vec::new();
        for i in 0..n {
            let before = out.last().or(on);
            let seq = before.filter(|b| b.actor == author.actor()).map_or(1, |b| b.seq + 1);
            let mut bytes = vec![0xa5; 290];
            bytes.extend(doc.0);
            bytes.extend(before.map_or([0; 32], |b| b.hash.0));
            let hash = ChangeHash(Sha256::digest(&bytes).into());
            let signature = || author.keys.sign_commit(&self.id, &doc, &hash, &author.hash());
            out.push(Commit {
                doc,
                hash,
                actor: author.actor(),
                seq,
                max_op: before.map_or(0, |b| b.max_op) + 5,
                deps: before.map(|b| b.hash).into_iter().collect(),
                bytes,
                cover: (i + 1 == n).then(|| Cover { cert: author.hash(), signature: signature() }),
            });
        }
        out
    }

    pub(crate) fn grant(&self, doc: DocId, by: &Node, reach: Reach) -> Grant {
        Grant::new(&by.keys, &self.id, doc, reach, by.hash())
    }
}

pub(crate) fn child(rng: &mut StdRng, federation: FederationId, parent: &Node, n: u8, name: &str) -> Node {
    let keys = SecretKeys::generate(rng);
    let cert = Certificate {
        federation: Some(federation),
        place: PlaceId::founded(&parent.place, &[n; 16]),
        nonce: [n; 16],
        code: format!("5101130000{n:02}"),
        name: name.into(),
        level: "village".into(),
        parent: Some(parent.place),
        key: keys.public(),
        sealing: keys.sealing_public(),
        number: 1,
        issuer: Some(parent.hash()),
        signature: Signature([0; 64]),
    }
    .issued_by(&parent.keys);
    Node { place: cert.place, keys, cert }
}

pub(crate) fn down(node: &Node) -> NewLink {
    NewLink { peer: node.place, up: false, address: None }
}

pub(crate) fn commits(commits: &[Commit]) -> Vec<NewCommit> {
    commits.iter().cloned().map(NewCommit::from).collect()
}

pub(crate) fn from_link(commits: &[Commit], first_seq: u64) -> Vec<NewCommit> {
    let numbered = commits.iter().cloned().zip(first_seq..);
    numbered.map(|(commit, seq)| NewCommit { commit, origin_seq: seq, origin_ord: 0 }).collect()
}

pub(crate) async fn feed(store: &Store, link: LinkId) -> Vec<FeedEntry> {
    store.feed_after(link, 0, usize::MAX, usize::MAX).await.unwrap()
}

/// A feed in short: the hash of each change, or what else stands there.
pub(crate) fn short(feed: &[FeedEntry]) -> Vec<String> {
    feed.iter()
        .map(|e| match &e.item {
            FeedItem::Commit(c) => format!("change {:?}", c.hash),
            FeedItem::Document(d) => format!("document of {}", d.commits.len()),
            FeedItem::Grant { .. } => "grant".into(),
            FeedItem::Wrap { .. } => "wrap".into(),
            FeedItem::Revocation(_) => "revocation".into(),
            FeedItem::Placement(_) => "placement".into(),
            FeedItem::Receipt(r) => format!("receipt {}", r.level),
            FeedItem::Gone => "gone".into(),
        })
        .collect()
}

pub(crate) fn changes(commits: &[Commit]) -> Vec<String> {
    commits.iter().map(|c| format!("change {:?}", c.hash)).collect()
}
