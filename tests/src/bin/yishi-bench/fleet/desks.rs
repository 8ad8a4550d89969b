//! Who works in a fleet: villages raise, townships handle what came, the district decides.

use super::{
    matters,
    places::{Seat, Tree},
    worker::{Done, Running, WorkerRequest},
};
use anyhow::{Context as _, Result};
use rand::{SeedableRng, rngs::StdRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, atomic::Ordering},
};
use tokio::{
    sync::{Semaphore, broadcast::error::RecvError},
    task::JoinSet,
};
use yishi_node::{
    actions::{ActRequest, Actions, Numbers, OutcomeRequest},
    clock::{Clock as _, SystemClock, day_of_ms},
    store::{Batch, Store},
};
use yishi_protocol::{
    calendar::Calendar,
    ids::{DocId, PlaceId},
    kind::Kind,
};

/// Matters of one transaction: what a village's clerk saves at the end of a morning.
const BATCH: u32 = 10;
/// Villages that write at the same time.
const CLERKS: usize = 16;
/// Of a hundred matters that a township handles so many go on to the district.
const ESCALATED_OF_100: u64 = 31;
/// Matters over which the district decides at once; all of one township.
const DECIDED_TOGETHER: usize = 10;
/// Decisions that are written at the same time.
const DECIDING: usize = 6;

/// Puts somebody at every desk of this process.
pub(super) fn open(
    tasks: &mut JoinSet<()>,
    request: &WorkerRequest,
    tree: &Arc<Tree>,
    nodes: &Arc<Vec<Running>>,
    done: &Arc<Done>,
) -> Result<()> {
    let watched = |work: Result<()>, done: &Done| {
        if let Err(error) = work {
            *done.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("{error:#}"));
        }
    };
    let mut villages = Vec::new();
    for node in nodes.iter() {
        let (tree, done, actions) = (tree.clone(), done.clone(), node.started.actions.clone());
        match node.seat {
            Seat::Village(v) => villages.push((v, actions)),
            Seat::Town(t) => {
                let mut rng = StdRng::seed_from_u64(request.seed ^ (1 << 40) ^ t as u64);
                tasks.spawn(async move {
                    let worked = township(&tree, t, actions.store(), &mut rng, &done).await;
                    watched(worked, &done);
                });
            }
            Seat::District => {
                tasks.spawn(async move { watched(district(&tree, actions, &done).await, &done) });
            }
        }
    }
    villages.sort_by_key(|(v, _)| *v);
    if !villages.is_empty() {
        let (tree, done, request) = (tree.clone(), done.clone(), request.clone());
        tasks.spawn(async move { watched(days(&tree, villages, &request, &done).await, &done) });
    }
    Ok(())
}

fn now() -> (u64, i64) {
    let ms = SystemClock.now_ms();
    (ms, day_of_ms(ms))
}

/// Day by day every village writes a batch.
async fn days(
    tree: &Arc<Tree>,
    villages: Vec<(usize, Actions)>,
    request: &WorkerRequest,
    done: &Arc<Done>,
) -> Result<()> {
    let clerks = Arc::new(Semaphore::new(CLERKS));
    let mut tasks = JoinSet::new();
    let most = villages.iter().map(|(v, _)| request.matters_of(*v)).max().unwrap_or(0);
    for day in 0..most.div_ceil(BATCH) {
        for (v, actions) in &villages {
            let serials = day * BATCH + 1..=((day + 1) * BATCH).min(request.matters_of(*v));
            if serials.is_empty() {
                continue;
            }
            let place = clerks.clone().acquire_owned().await?;
            let (tree, done, v, store) = (tree.clone(), done.clone(), *v, actions.store().clone());
            let seed = request.seed ^ ((v as u64) << 16) ^ u64::from(day);
            tasks.spawn(async move {
                let _place = place;
                let count = u64::from(serials.end() + 1 - serials.start());
                village(&tree, v, &store, serials, &mut StdRng::seed_from_u64(seed)).await?;
                done.raised.fetch_add(count, Ordering::Relaxed);
                Ok::<_, anyhow::Error>(())
            });
            while let Some(written) = tasks.try_join_next() {
                written??;
            }
        }
        // The next day begins when everybody is done with this one: no two batches of one village at once.
        while let Some(written) = tasks.join_next().await {
            written??;
        }
    }
    Ok(())
}

/// One batch of one village: one transaction.
async fn village(
    tree: &Tree,
    v: usize,
    store: &Store,
    serials: std::ops::RangeInclusive<u32>,
    rng: &mut StdRng,
) -> Result<()> {
    let (t, place) = tree.villages.get(v).context("a village")?;
    let town = tree.towns.get(*t).context("its township")?.cert.place;
    let (at_ms, day) = now();
    let mut batch = Batch { at_ms, ..Batch::default() };
    for serial in serials {
        let federation = tree.district.cert.federation_id();
        matters::raised(rng, place, federation, (town, &[]), (serial, day), &mut batch)?;
    }
    store.write(batch).await?;
    Ok(())
}

/// Documents a place has not looked at yet, as its store tells of them.
struct Desk {
    news: tokio::sync::broadcast::Receiver<Arc<yishi_node::store::Written>>,
    store: Store,
    taken: BTreeSet<DocId>,
    /// News were missed, and the tables were not looked at since.
    behind: bool,
}

impl Desk {
    fn new(store: &Store) -> Self {
        Self { news: store.news(), store: store.clone(), taken: BTreeSet::new(), behind: false }
    }

    /// What came, or nothing when the node ends. It may be dropped half-way: what was missed is not forgotten.
    async fn next(&mut self) -> Result<Option<Vec<DocId>>> {
        let mut docs = Vec::new();
        if !self.behind {
            match self.news.recv().await {
                Ok(written) => docs.clone_from(&written.docs_touched),
                Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return Ok(None),
            }
        }
        if self.behind {
            docs = self.store.docs_of_kind(Kind::Proposal, None).await?;
            self.behind = false;
        }
        docs.sort_unstable();
        docs.dedup();
        docs.retain(|doc| !self.taken.contains(doc));
        Ok(Some(docs))
    }
}

/// A township handles every matter whose village is done with it.
async fn township(tree: &Tree, t: usize, store: &Store, rng: &mut StdRng, done: &Done) -> Result<()> {
    let calendar = Calendar::shipped()?.version();
    let (town, above) = (tree.towns.get(t).context("a township")?, tree.district.cert.place);
    let mut desk = Desk::new(store);
    let (mut handled, mut passed_on) = (0_u64, 0_u64);
    while let Some(docs) = desk.next().await? {
        for docs in docs.chunks(BATCH as usize) {
            let (at_ms, day) = now();
            let mut batch = Batch { at_ms, ..Batch::default() };
            let (mut taken, mut escalated) = (0, 0);
            for doc in docs {
                let Some(whole) = store.document(doc).await? else { continue };
                if whole.header.kind != Kind::Proposal {
                    desk.taken.insert(*doc);
                    continue;
                }
                let Some(last) = matters::waits_for_town(&whole.commits) else { continue };
                let up = (passed_on * 100 < (handled + 1) * ESCALATED_OF_100).then_some(above);
                matters::handled(rng, town, &whole.header, last, calendar, (up, day), &mut batch)?;
                desk.taken.insert(*doc);
                handled += 1;
                taken += 1;
                if up.is_some() {
                    passed_on += 1;
                    escalated += 1;
                }
            }
            if taken > 0 {
                store.write(batch).await?;
                done.handled.fetch_add(taken, Ordering::Relaxed);
                done.escalated.fetch_add(escalated, Ordering::Relaxed);
            }
        }
    }
    Ok(())
}

/// The district takes up what came and decides over it, the matters of one township together.
async fn district(tree: &Tree, actions: Actions, done: &Arc<Done>) -> Result<()> {
    let town_of: BTreeMap<PlaceId, usize> =
        tree.villages.iter().map(|(t, village)| (village.cert.place, *t)).collect();
    let store = actions.store().clone();
    let mut desk = Desk::new(&store);
    let mut tasks: JoinSet<Result<()>> = JoinSet::new();
    let mut rng = StdRng::seed_from_u64(tree.villages.len() as u64);
    // What came while others were decided is decided together.
    let mut waiting: BTreeMap<usize, Vec<DocId>> = BTreeMap::new();
    loop {
        let docs = tokio::select! {
            docs = desk.next() => docs?,
            Some(decided) = tasks.join_next() => {
                decided??;
                Some(Vec::new())
            }
        };
        let Some(docs) = docs else { return Ok(()) };
        if !docs.is_empty() {
            for (doc, header) in store.headers(&docs).await? {
                desk.taken.insert(doc);
                if let Some(town) = town_of.get(&header.home).filter(|_| header.kind == Kind::Proposal) {
                    waiting.entry(*town).or_default().push(doc);
                }
            }
        }
        while tasks.len() < DECIDING {
            let Some((_, most)) = waiting.iter_mut().max_by_key(|(_, docs)| docs.len()) else { break };
            let docs: Vec<DocId> = most.drain(..most.len().min(DECIDED_TOGETHER)).collect();
            waiting.retain(|_, docs| !docs.is_empty());
            let (actions, done) = (actions.clone(), done.clone());
            let (text, answer) = (crate::texts::answer(&mut rng), crate::texts::answer(&mut rng));
            tasks.spawn(async move {
                decide(&actions, &docs, text, answer).await?;
                done.decided.fetch_add(docs.len() as u64, Ordering::Relaxed);
                Ok(())
            });
        }
    }
}

async fn decide(actions: &Actions, docs: &[DocId], text: String, answer: String) -> Result<()> {
    let mut accepted = JoinSet::new();
    for doc in docs {
        let (actions, doc) = (actions.clone(), doc.to_string());
        accepted.spawn(async move {
            let accept = ActRequest::Accept { procedure: None, grade: None, urgency: None };
            actions.act(Some("m01"), &doc, accept).await.map(|_| ())
        });
    }
    while let Some(done) = accepted.join_next().await {
        done??;
    }
    let request = OutcomeRequest {
        proposals: docs.iter().map(DocId::to_string).collect(),
        title: "关于各村上报事项的决定".into(),
        text,
        unit: None,
        budget_yuan: None,
        due_on: None,
        answer: Some(answer),
        numbers: Numbers::default(),
    };
    actions.decide_outcome(Some("m01"), request).await?;
    Ok(())
}
