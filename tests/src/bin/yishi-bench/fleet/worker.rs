//! One process of a fleet: it holds some of the nodes, each run as `yishi-node run` runs it, and does what it is
//! told line by line. Left out of a node is what its configuration can leave out: pages over TCP.

use super::{
    desks,
    places::{Seat, Tree},
};
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, Write as _},
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    task::{JoinHandle, JoinSet, LocalSet, spawn_local},
};
use tokio_util::sync::CancellationToken;
use yishi_node::{
    config::Config,
    link::Connected,
    run::{RunError, Started, run},
    store::{Batch, Genesis, LinkId, NewLink, Store},
};
use yishi_protocol::{
    audience::Reach,
    ids::{DocId, Epoch},
    kind::Kind,
};

/// Databases made or opened at the same time.
const AT_ONCE: usize = 16;

/// Which nodes, and where.
#[derive(Debug, Clone, Args)]
pub(crate) struct WorkerRequest {
    #[arg(long)]
    pub(crate) dir: PathBuf,
    #[arg(long)]
    pub(crate) seed: u64,
    #[arg(long)]
    pub(crate) villages: usize,
    #[arg(long)]
    pub(crate) townships: usize,
    #[arg(long)]
    pub(crate) matters: u32,
    /// The second number of all addresses.
    #[arg(long)]
    pub(crate) net: u8,
    /// `district`, `towns` or `villages`.
    #[arg(long)]
    pub(crate) role: String,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    pub(crate) from: usize,
    /// The one after the last.
    #[arg(long, default_value_t = 1)]
    pub(crate) to: usize,
}

impl WorkerRequest {
    fn seats(&self) -> Result<Vec<Seat>> {
        let range = self.from..self.to;
        Ok(match self.role.as_str() {
            "district" => vec![Seat::District],
            "towns" => range.map(Seat::Town).collect(),
            "villages" => range.map(Seat::Village).collect(),
            other => bail!("no such role: {other}"),
        })
    }

    /// Matters of one village.
    pub(crate) fn matters_of(&self, village: usize) -> u32 {
        let villages = u32::try_from(self.villages.max(1)).unwrap_or(u32::MAX);
        let more = (village as u32) < self.matters % villages;
        self.matters / villages + u32::from(more)
    }
}

/// What has been done, told while it is done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) raised: AtomicU64,
    pub(crate) handled: AtomicU64,
    pub(crate) escalated: AtomicU64,
    pub(crate) decided: AtomicU64,
    /// Why somebody stopped working.
    pub(crate) failed: std::sync::Mutex<Option<String>>,
}

/// A node that runs.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) seat: Seat,
    pub(crate) started: Started,
    up: Option<LinkId>,
    /// How often it was in step when its connections were cut.
    in_step_at_cut: u64,
    stop: CancellationToken,
    task: JoinHandle<Result<(), RunError>>,
}

impl Running {
    pub(crate) fn store(&self) -> &Store {
        self.started.actions.store()
    }
}

/// Everything this process holds.
struct Worker {
    request: WorkerRequest,
    tree: Arc<Tree>,
    nodes: Arc<Vec<Running>>,
    done: Arc<Done>,
    desks: JoinSet<()>,
}

/// Answers every line with one line until told to stop.
pub(crate) async fn serve(request: WorkerRequest) -> Result<()> {
    // What makes, opens and stops nodes stays on this thread; what a node then does is spread over all.
    LocalSet::new().run_until(obeying(request)).await
}

async fn obeying(request: WorkerRequest) -> Result<()> {
    let tree = Tree::new(request.seed, request.townships, request.villages, request.net)?;
    let mut worker = Worker {
        request,
        tree: Arc::new(tree),
        nodes: Arc::default(),
        done: Arc::default(),
        desks: JoinSet::new(),
    };
    let (said, mut lines) = mpsc::channel(4);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if said.blocking_send(line).is_err() {
                return;
            }
        }
    });
    while let Some(line) = lines.recv().await {
        let answer = worker.obey(&line).await.with_context(|| line.clone())?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
        if line == "stop" {
            break;
        }
    }
    Ok(())
}

impl Worker {
    async fn obey(&mut self, line: &str) -> Result<Value> {
        match line {
            "create" => self.create().await,
            "start" => self.start().await,
            "work" => {
                desks::open(&mut self.desks, &self.request, &self.tree, &self.nodes, &self.done)?;
                Ok(json!({}))
            }
            "progress" => self.progress(),
            "quiet" => self.quiet().await,
            "check" => self.check().await,
            "cut" => {
                let nodes = Arc::get_mut(&mut self.nodes);
                let nodes = nodes.context("somebody still works")?;
                nodes.iter_mut().for_each(|n| {
                    n.in_step_at_cut = n.up.map_or(0, |up| n.started.board.get(up).in_step_count);
                });
                nodes.iter().for_each(|n| n.started.lines.cut());
                Ok(json!({}))
            }
            "back" => Ok(self.back()),
            "close desks" => {
                self.desks.shutdown().await;
                Ok(json!({}))
            }
            "frames" => Ok(self.frames()),
            "stop" => self.stop().await,
            other => bail!("what is “{other}”?"),
        }
    }

    /// Makes every node's database, with its links.
    async fn create(&self) -> Result<Value> {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        for seat in self.request.seats()? {
            let (tree, dir, places) = (self.tree.clone(), self.request.dir.clone(), places.clone());
            tasks.spawn_local(async move {
                let _place = places.acquire_owned().await?;
                let place = tree.place(seat)?;
                let genesis = Genesis {
                    keys: place.keys.clone(),
                    certs: tree.chain(seat)?,
                    cert: place.cert.hash(),
                    epoch: Epoch(place.cert.place.0),
                    incarnation: place.life,
                    life: rand::random(),
                };
                let store = Store::create(&dir.join(Tree::folder(seat)), genesis).await?;
                let up = tree.above(seat).map(|above| tree.place(above)).transpose()?;
                let up = up.map(|p| NewLink { peer: p.cert.place, up: true, address: None });
                let below = tree.below(seat);
                let down = below.iter().map(|p| NewLink { peer: p.cert.place, up: false, address: None });
                let links = up.into_iter().chain(down).collect();
                let certs = below.iter().map(|p| p.cert.clone()).collect();
                store.write(Batch { certs, links, ..Batch::default() }).await?;
                store.close().await?;
                Ok::<_, anyhow::Error>(())
            });
        }
        let mut nodes = 0;
        while let Some(made) = tasks.join_next().await {
            made??;
            nodes += 1;
        }
        Ok(json!({ "nodes": nodes }))
    }

    async fn start(&mut self) -> Result<Value> {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        for seat in self.request.seats()? {
            let (tree, places) = (self.tree.clone(), places.clone());
            let config = self.config(seat);
            tasks.spawn_local(async move {
                let _place = places.acquire_owned().await?;
                let stop = CancellationToken::new();
                let (told, started) = oneshot::channel();
                let mut task = spawn_local(run(config, stop.clone(), move |started| {
                    // Nobody waits any more only if this whole process ends.
                    let _ = told.send(started);
                }));
                let started = tokio::select! {
                    started = started => started,
                    ended = &mut task => {
                        ended??;
                        bail!("{} ended at once", Tree::folder(seat));
                    }
                };
                let started = started.context("a node that runs")?;
                let up = started.actions.store().world().parent().map(|l| l.id);
                ensure!(up.is_some() == tree.above(seat).is_some(), "a link up where there is a place above");
                Ok(Running { seat, started, up, in_step_at_cut: 0, stop, task })
            });
        }
        let mut nodes = Vec::new();
        while let Some(started) = tasks.join_next().await {
            nodes.push(started??);
        }
        self.nodes = Arc::new(nodes);
        Ok(json!({}))
    }

    fn config(&self, seat: Seat) -> Config {
        let mut config = Config { data_dir: self.request.dir.join(Tree::folder(seat)), ..Config::default() };
        let listen: SocketAddr = self.tree.address(seat);
        config.link.listen = Some(listen);
        config.link.parent = self.tree.above(seat).map(|above| self.tree.address(above).to_string());
        config.http.listen = None;
        config
    }

    fn progress(&self) -> Result<Value> {
        if let Some(why) = self.done.failed.lock().ok().and_then(|f| f.clone()) {
            bail!("{why}");
        }
        if let Some(node) = self.nodes.iter().find(|n| n.task.is_finished()) {
            bail!("the node {} ended", Tree::folder(node.seat));
        }
        let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
        let Done { raised, handled, escalated, decided, .. } = &*self.done;
        Ok(json!({
            "raised": count(raised), "handled": count(handled),
            "escalated": count(escalated), "decided": count(decided),
        }))
    }

    /// How much is still under way: rows that no neighbour has acknowledged, documents that lists do not show yet.
    async fn quiet(&self) -> Result<Value> {
        let (mut waiting, mut unread, mut fed, mut transactions) = (0, 0, 0, 0);
        for node in self.nodes.iter() {
            for link in node.store().link_states().await? {
                waiting += link.out_seq.saturating_sub(link.out_acked);
                fed += link.out_seq;
            }
            unread += node.store().dirty_count().await?;
            transactions += node.store().transactions();
        }
        Ok(json!({ "waiting": waiting, "unread": unread, "fed": fed, "transactions": transactions }))
    }

    /// When each link up was back and in step, in milliseconds since 1970, or nothing while it is not.
    fn back(&self) -> Value {
        let times: Vec<Value> = self
            .nodes
            .iter()
            .filter_map(|node| {
                let present = node.started.board.get(node.up?);
                let back = present.connected == Connected::Up && present.in_step_count > node.in_step_at_cut;
                Some(json!(present.last_in_step_ms.filter(|_| back)))
            })
            .collect();
        json!(times)
    }

    fn frames(&self) -> Value {
        let (mut sent, mut received) = (0, 0);
        for node in self.nodes.iter() {
            for link in &node.store().world().links {
                let present = node.started.board.get(link.id);
                sent += present.frame_bytes_sent;
                received += present.frame_bytes_received;
            }
        }
        json!({ "sent": sent, "received": received })
    }

    /// What is stored: for every village the matters with a digest of their changes, and whether what went up
    /// to the district came back.
    async fn check(&self) -> Result<Value> {
        let mut homes: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        let (mut escalated, mut returned, mut shown, mut changes, mut last_ms) = (0, 0, 0, 0, 0);
        let mut bytes = 0;
        let district = self.tree.district.cert.place;
        for node in self.nodes.iter() {
            let store = node.store();
            for (doc, whole) in store.every_document().await? {
                last_ms = whole.commits.iter().map(|c| c.stored_at_ms).fold(last_ms, u64::max);
                changes += whole.commits.len();
                if whole.header.kind != Kind::Proposal {
                    continue;
                }
                let mut hashes: Vec<[u8; 32]> = whole.commits.iter().map(|c| c.commit.hash.0).collect();
                hashes.sort_unstable();
                let digest = yishi_protocol::ids::hash("yishi/fleet/1", &[hashes.as_flattened()]);
                let short =
                    |bytes: &[u8]| bytes.iter().take(8).map(|b| format!("{b:02x}")).collect::<String>();
                let home = whole.header.home.0.map(|b| format!("{b:02x}")).concat();
                homes.entry(home).or_default().insert(short(&doc.0), json!(short(&digest)));
                if whole.grants.iter().any(|g| g.reach == Reach::Place(district)) {
                    escalated += 1;
                    returned += u64::from(has_outcome(store, &doc).await?);
                }
            }
            shown += store.matters_by_stage().await?.get("answered").copied().unwrap_or(0);
            for file in ["yishi.db", "yishi.db-wal"] {
                bytes += fs::metadata(store.dir().join(file)).map_or(0, |m| m.len());
            }
        }
        Ok(json!({
            "homes": homes, "escalated": escalated, "returned": returned, "shown": shown,
            "changes": changes, "last_ms": last_ms, "database_bytes": bytes,
        }))
    }

    async fn stop(&mut self) -> Result<Value> {
        self.desks.shutdown().await;
        let nodes = std::mem::take(&mut self.nodes);
        let nodes = Arc::into_inner(nodes).context("somebody still works")?;
        nodes.iter().for_each(|n| n.stop.cancel());
        for node in nodes {
            drop(node.started);
            node.task.await??;
        }
        Ok(json!({}))
    }
}

/// Whether the decision over a matter is here: listed for the matter, and its document with decision and reply.
async fn has_outcome(store: &Store, matter: &DocId) -> Result<bool> {
    for outcome in store.outcomes_of(matter).await? {
        if store.document(&outcome.doc).await?.is_some_and(|d| d.commits.len() >= 3) {
            return Ok(true);
        }
    }
    Ok(false)
}
