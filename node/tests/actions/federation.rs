//! A district, a town and two villages, each with its own database; what travels between them passes the
//! gate, exactly as over a link.

use std::{collections::BTreeMap, sync::Arc};
use tempfile::TempDir;
use tokio::sync::Mutex;
use yishi_node::{
    actions::{Actions, views::MatterView},
    clock::SetClock,
    projector::Projector,
    store::{Acknowledged, Batch, Cursor, FeedItem, Genesis, NewCommit, NewLink, Store},
};
use yishi_protocol::{
    cert::{Certificate, Directory},
    gate::{Gate, Known},
    ids::{DocId, Epoch, Incarnation, PlaceId},
    key::{SecretKeys, Signature},
    wire::{Block, BlockActor, DocRef, Elided, Section, Shape, SignedAt},
};

/// 2026-11-16, a Monday, ten in the morning in China.
pub(crate) const MONDAY_MS: u64 = (20_773 * 86_400 + 2 * 3_600) * 1_000;
/// One day of the clock.
pub(crate) const DAY_MS: u64 = 86_400_000;

pub(crate) struct Node {
    _dir: TempDir,
    pub(crate) store: Store,
    pub(crate) actions: Actions,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) place: PlaceId,
    projector: Mutex<Projector>,
    taken: Mutex<BTreeMap<PlaceId, u64>>,
}

impl Node {
    async fn start(chain: Vec<Certificate>, keys: SecretKeys, links: &[(PlaceId, bool)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let own = chain.iter().find(|c| c.key == keys.public()).unwrap();
        let (cert, place) = (own.hash(), own.place);
        let genesis = Genesis {
            keys,
            certs: chain,
            cert,
            epoch: Epoch(place.0),
            incarnation: Incarnation::first(7),
            life: [1; 16],
        };
        let store = Store::create(&dir.path().join("data"), genesis).await.unwrap();
        for (peer, up) in links {
            store.open_link(NewLink { peer: *peer, up: *up, address: None }).await.unwrap();
        }
        let clock = Arc::new(SetClock::at_ms(MONDAY_MS));
        let actions = Actions::new(store.clone(), clock.clone()).unwrap();
        actions.listens_at("192.0.2.1:4710".into());
        let projector = Mutex::new(Projector::new(actions.clone()));
        Self { _dir: dir, store, actions, clock, place, projector, taken: Mutex::default() }
    }

    /// Folds everything that waits.
    pub(crate) async fn project(&self) -> usize {
        self.projector.lock().await.drain_once().await.unwrap()
    }

    pub(crate) async fn matter(&self, reference: &str) -> MatterView {
        self.actions.matter(reference).await.unwrap()
    }

    /// How many changes are stored.
    pub(crate) async fn changes(&self) -> usize {
        let mut n = 0;
        for kind in yishi_protocol::kind::Kind::ALL {
            for doc in self.store.docs_of_kind(kind, None).await.unwrap() {
                n += self.store.doc_commits(&doc).await.unwrap().len();
            }
        }
        n
    }

    /// Hands everything new to a neighbour, through its gate, and takes its acknowledgement.
    pub(crate) async fn deliver(&self, to: &Node) {
        let world = self.store.world();
        let link = world.link_to(&to.place).unwrap().id;
        let mut taken = self.taken.lock().await;
        let after = taken.get(&to.place).copied().unwrap_or(0);
        let rows = self.store.feed_after(link, after, 100_000, usize::MAX).await.unwrap();
        let Some(last) = rows.last() else { return };
        let seq = last.seq;
        let digest = self.store.feed_digest(link, seq).await.unwrap().unwrap();
        let mut docs: Vec<DocId> = Vec::new();
        for row in &rows {
            let doc = match &row.item {
                FeedItem::Commit(c) => c.doc,
                FeedItem::Document(d) => d.header.doc_id(),
                FeedItem::Grant { grant, .. } => grant.doc,
                FeedItem::Wrap { header, .. } => header.doc_id(),
                _ => continue,
            };
            if !docs.contains(&doc) {
                docs.push(doc);
            }
        }
        let (block, mut known) = self.block(to, &docs).await;
        // As over a link, whoever is in a document's audience is introduced before it.
        to.store
            .write(Batch { at_ms: MONDAY_MS, certs: self.certs_of(&block), ..Batch::default() })
            .await
            .unwrap();
        let there = to.store.world();
        let gate = Gate { directory: &there.directory, me: to.place };
        let verdicts = gate.admit(&block, &mut known, &mut rand::rng());
        assert!(verdicts.refused.is_empty(), "the gate refused {:?}", verdicts.refused);
        let from = there.link_to(&self.place).unwrap().id;
        let cursor = Cursor { link: from, epoch: self.store.epoch(), seq, digest };
        let mut batch =
            Batch { at_ms: MONDAY_MS, from: Some(from), cursor: Some(cursor), ..Batch::default() };
        batch.actors = verdicts.actors;
        for admitted in verdicts.admitted {
            batch.docs.extend(admitted.new_header);
            batch.grants.extend(admitted.grants);
            batch.wraps.extend(admitted.wraps.into_iter().map(|record| (admitted.doc, record)));
            let commits = admitted.commits.into_iter();
            batch.commits.extend(commits.map(|(ord, commit)| NewCommit {
                commit,
                origin_seq: seq,
                origin_ord: ord as u32,
            }));
        }
        to.store.write(batch).await.unwrap();
        let level_place = to.place;
        let fed = self.store.fed_commits(link, after, seq).await.unwrap();
        let ack = Acknowledged {
            link,
            from_seq: after,
            to_seq: seq,
            level_place,
            receipt: vec![1],
            stored: fed.iter().map(|c| c.row).collect(),
            at_ms: MONDAY_MS,
        };
        self.store.acknowledged(ack).await.unwrap();
        taken.insert(to.place, seq);
    }

    fn certs_of(&self, block: &Block) -> Vec<Certificate> {
        let directory = &self.store.world().directory;
        let headers = block.sections.iter().filter_map(|s| match &s.doc {
            DocRef::New(header) => Some(header.reach.iter()),
            DocRef::Known(_) => None,
        });
        let granted = block.sections.iter().flat_map(|s| &s.grants).map(|g| &g.reach);
        let mut certs = Vec::new();
        for reach in headers.flatten().chain(granted) {
            let place = directory.place(&reach.place()).unwrap();
            certs.extend(directory.chain(&place.cert).into_iter().rev().cloned());
        }
        certs
    }

    async fn block(&self, to: &Node, docs: &[DocId]) -> (Block, BTreeMap<DocId, Known>) {
        let known: BTreeMap<DocId, Known> = to
            .store
            .doc_indexes(docs)
            .await
            .unwrap()
            .into_iter()
            .map(|(doc, s)| (doc, Known { header: s.header, audience: s.audience, index: s.index }))
            .collect();
        let (mut sections, mut actors) = (Vec::new(), Vec::new());
        for doc in docs {
            let whole = self.store.document(doc).await.unwrap().unwrap();
            let reference = match known.contains_key(doc) {
                true => DocRef::Known(*doc),
                false => DocRef::New(Box::new(whole.header)),
            };
            let mut section = Section {
                doc: reference,
                grants: whole.grants,
                wraps: whole.wraps,
                changes: Vec::new(),
                signed: Vec::new(),
            };
            for (at, stored) in whole.commits.into_iter().enumerate() {
                let commit = stored.commit;
                if let Some(cover) = commit.cover {
                    section.signed.push(SignedAt {
                        change: at,
                        cert: cover.cert,
                        signature: cover.signature,
                    });
                }
                if !actors.contains(&commit.actor) {
                    actors.push(commit.actor);
                }
                section.changes.push(Elided { actor: 0, shape: Shape::Raw(commit.bytes) });
            }
            sections.push(section);
        }
        let actors = self.store.actor_records(&actors).await.unwrap();
        let actors = actors.into_iter().map(|record| BlockActor { record }).collect();
        let block = Block {
            from: 0,
            to: 0,
            digest: [0; 16],
            certs: Vec::new(),
            revocations: Vec::new(),
            placements: Vec::new(),
            openings: Vec::new(),
            actors,
            sections,
        };
        (block, known)
    }
}

pub(crate) struct Federation {
    pub(crate) district: Node,
    pub(crate) town: Node,
    pub(crate) lugao: Node,
    pub(crate) xinghua: Node,
}

fn child(
    dir: &mut Directory,
    by: &SecretKeys,
    keys: &SecretKeys,
    place: u8,
    names: [&str; 3],
) -> Certificate {
    let (issuer, parent) =
        dir.iter().find(|(_, c)| c.key == by.public()).map(|(h, c)| (*h, c.place)).unwrap();
    let [code, name, level] = names;
    let cert = Certificate {
        federation: Some(dir.federation()),
        place: PlaceId::founded(&parent, &[place; 16]),
        nonce: [place; 16],
        code: code.into(),
        name: name.into(),
        level: level.into(),
        parent: Some(parent),
        key: keys.public(),
        sealing: keys.sealing_public(),
        number: 1,
        issuer: Some(issuer),
        signature: Signature([0; 64]),
    }
    .issued_by(by);
    dir.add(cert.clone()).unwrap();
    cert
}

impl Federation {
    pub(crate) async fn start() -> Self {
        let keys: [SecretKeys; 4] = std::array::from_fn(|_| SecretKeys::generate(&mut rand::rng()));
        let [d, t, l, x] = &keys;
        let root = Certificate::root(d, PlaceId([1; 16]), "510113000000", "青白江区", "district");
        let mut dir = Directory::new(root.clone()).unwrap();
        let town = child(&mut dir, d, t, 2, ["510113106000", "姚渡镇", "township"]);
        let lugao = child(&mut dir, t, l, 3, ["510113106204", "芦稿村", "village"]);
        let xinghua = child(&mut dir, t, x, 4, ["510113106205", "杏花村", "village"]);
        let (pd, pt, pl, px) = (root.place, town.place, lugao.place, xinghua.place);
        let all = || vec![root.clone(), town.clone(), lugao.clone(), xinghua.clone()];
        Self {
            district: Node::start(all(), d.clone(), &[(pt, false)]).await,
            town: Node::start(all(), t.clone(), &[(pd, true), (pl, false), (px, false)]).await,
            lugao: Node::start(vec![root.clone(), town.clone(), lugao.clone()], l.clone(), &[(pt, true)])
                .await,
            xinghua: Node::start(vec![root.clone(), town.clone(), xinghua.clone()], x.clone(), &[(pt, true)])
                .await,
        }
    }

    /// Projects and delivers until nothing moves any more.
    pub(crate) async fn settle(&self) {
        let nodes = [&self.district, &self.town, &self.lugao, &self.xinghua];
        for _ in 0..4 {
            for node in nodes {
                node.project().await;
            }
            self.lugao.deliver(&self.town).await;
            self.xinghua.deliver(&self.town).await;
            self.town.deliver(&self.district).await;
            self.district.deliver(&self.town).await;
            self.town.deliver(&self.lugao).await;
            self.town.deliver(&self.xinghua).await;
        }
        for node in nodes {
            node.project().await;
        }
    }
}
