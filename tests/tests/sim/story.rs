//! What happens: people at all three levels, broken lines, dying machines, as a seed has it.

use crate::world::{DISTRICT, LUGAO, TOWN, World, XINGHUA};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use std::collections::BTreeSet;
use yishi_protocol::ids::{ActRef, ActorId, DocId};

/// How often what happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sums {
    pub(crate) acts: usize,
    pub(crate) crashes: usize,
    pub(crate) cuts: usize,
    pub(crate) doubled: usize,
    pub(crate) dropped: usize,
}

impl Sums {
    pub(crate) fn add(&mut self, other: &Self) {
        self.acts += other.acts;
        self.crashes += other.crashes;
        self.cuts += other.cuts;
        self.doubled += other.doubled;
        self.dropped += other.dropped;
    }
}

/// One run.
pub(crate) struct Story {
    world: Option<World>,
    rng: StdRng,
    /// Every act a node said yes to.
    acknowledged: Vec<(usize, DocId, ActRef)>,
    pub(crate) sums: Sums,
}

impl Story {
    pub(crate) async fn begin(seed: u64) -> Self {
        let world = Some(World::begin().await);
        Self { world, rng: StdRng::seed_from_u64(seed), acknowledged: Vec::new(), sums: Sums::default() }
    }

    fn world(&mut self) -> &mut World {
        self.world.as_mut().unwrap()
    }

    /// Lets that many things happen.
    pub(crate) async fn unfold(&mut self, steps: usize) {
        for _ in 0..steps {
            match self.rng.random_range(0..100) {
                0..16 => self.raise().await,
                16..50 => self.act().await,
                50..58 => {
                    let node = self.rng.random_range(0..4);
                    self.world().nodes[node].project().await;
                }
                58..63 => {
                    let child = self.rng.random_range(1..4);
                    let cut = self.rng.random();
                    self.sums.cuts += usize::from(cut);
                    self.world().cut(child, cut);
                }
                63..67 => {
                    // The connection drops; what was under way is lost.
                    let line = self.rng.random_range(0..3);
                    self.sums.dropped += 1;
                    self.world().lines[line].connections.clear();
                }
                67..70 => {
                    let node = self.rng.random_range(0..4);
                    self.sums.crashes += 1;
                    self.world().crash(node).await;
                }
                70..82 => {
                    let line = self.rng.random_range(0..3);
                    let doubled = !self.world().lines[line].connections.is_empty();
                    self.sums.doubled += usize::from(doubled);
                    self.world().dial(line).await;
                }
                _ => self.pass().await,
            }
        }
    }

    async fn pass(&mut self) {
        let ms = self.rng.random_range(1..400);
        let (world, rng) = (self.world.as_mut().unwrap(), &mut self.rng);
        for _ in 0..4 {
            world.pass(ms, &mut || rng.random_range(1..600)).await;
        }
        self.honest().await;
    }

    async fn raise(&mut self) {
        let at = if self.rng.random() { LUGAO } else { XINGHUA };
        let escalate = self.rng.random_bool(0.6);
        let node = &self.world().nodes[at];
        let doc = node.raise("村口涵洞下雨就积水，老人孩子过不去。").await;
        let mut done: Vec<ActRef> = node.acts(&doc).await;
        if escalate {
            done.extend(node.act(&doc, json!({"act": "escalate", "reason": "跨村"})).await);
        }
        self.sums.acts += done.len();
        self.acknowledged.extend(done.into_iter().map(|act| (at, doc, act)));
    }

    /// Somebody somewhere does one of the things the program offers there.
    async fn act(&mut self) {
        let at = self.rng.random_range(0..4);
        let matters = self.world().nodes[at].matters().await;
        if matters.is_empty() {
            return;
        }
        let doc = matters[self.rng.random_range(0..matters.len())];
        let other = matters[self.rng.random_range(0..matters.len())];
        let Ok(view) = self.world().nodes[at].actions.matter(&doc.to_string()).await else { return };
        if view.next.is_empty() {
            return;
        }
        let name = view.next[self.rng.random_range(0..view.next.len())].act;
        let act = match name {
            "accept" | "escalate" | "close" | "unmerge" | "withdraw" => json!({"act": name}),
            "refuse" | "return" | "reopen" => json!({"act": name, "reason": "现场看过"}),
            "handle" => json!({"act": name, "note": "已派人"}),
            "merge" if other != doc => json!({"act": name, "sources": [other]}),
            "decide" => json!({"act": name, "title": "疏通", "text": "月底前疏通", "answer": "月底前疏通"}),
            "answer" => json!({"act": name, "text": "已疏通"}),
            "tell" => json!({"act": name, "how": "visit"}),
            "rate" => json!({"act": name, "score": 4, "source": "resident"}),
            "support" => json!({"act": name, "count": 3}),
            _ => json!({"act": "comment", "text": "还在积水"}),
        };
        let Some(done) = self.world().nodes[at].act(&doc, act).await else { return };
        self.sums.acts += 1;
        self.acknowledged.push((at, doc, done));
    }

    /// "Stored there" is never said of what is not there: promise 6, at every moment.
    async fn honest(&mut self) {
        let world = self.world.as_ref().unwrap();
        for (at, above) in [(LUGAO, [TOWN, DISTRICT]), (XINGHUA, [TOWN, DISTRICT])] {
            for doc in world.nodes[at].matters().await {
                for commit in world.nodes[at].store.doc_commits(&doc).await.unwrap() {
                    for level in above.iter().take(commit.stored_up as usize) {
                        let there = world.nodes[*level].store.doc_commits(&doc).await.unwrap();
                        let held = there.iter().any(|c| c.commit.hash == commit.commit.hash);
                        assert!(held, "{} says {} has {doc}", world.nodes[at].name, world.nodes[*level].name);
                    }
                }
            }
        }
    }

    /// All lines are mended and everything that waits goes its way.
    pub(crate) async fn heal(&mut self) {
        let world = self.world();
        for child in [TOWN, LUGAO, XINGHUA] {
            world.cut(child, false);
        }
        world.settle().await;
    }

    /// Nothing acknowledged is lost; everyone has the same; "stored" with receipts only.
    pub(crate) async fn judge(&mut self) {
        let world = self.world.take().unwrap();
        let docs: BTreeSet<DocId> = self.acknowledged.iter().map(|(_, doc, _)| *doc).collect();
        for doc in docs {
            let wanted: BTreeSet<ActRef> =
                self.acknowledged.iter().filter(|(_, d, _)| *d == doc).map(|(_, _, act)| *act).collect();
            let known = &world.nodes[TOWN].store.doc_indexes(&[doc]).await.unwrap()[&doc];
            let directory = &world.nodes[TOWN].store.world().directory;
            for node in &world.nodes {
                let held: BTreeSet<ActRef> = node.acts(&doc).await.into_iter().collect();
                if known.audience.includes(directory, &node.place) {
                    let lost: Vec<&ActRef> = wanted.difference(&held).collect();
                    assert!(lost.is_empty(), "{} lacks {lost:?} of {doc}", node.name);
                } else {
                    assert!(held.is_empty(), "{} holds {doc}, which is not for it", node.name);
                }
            }
        }
        for (at, levels) in [(TOWN, 1), (LUGAO, 1), (XINGHUA, 1)] {
            let node = &world.nodes[at];
            let me: ActorId = node.store.world().me.actor;
            let up = node.store.world().parent().unwrap().id;
            for doc in node.matters().await {
                if !node.store.links_seeing(&doc).await.unwrap().contains(&up) {
                    continue;
                }
                for commit in node.store.doc_commits(&doc).await.unwrap() {
                    let own = commit.commit.actor == me;
                    assert!(!own || commit.stored_up >= levels, "{}: no receipt for {doc}", node.name);
                }
            }
        }
        let report = world.audit().await;
        assert!(report.holds(), "troubles: {:#?}\nmissing: {:#?}", report.troubles, report.missing);
        assert!(report.nodes.iter().all(|n| n.refused == 0), "an honest node was refused");
    }
}
