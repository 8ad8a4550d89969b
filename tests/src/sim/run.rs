//! A plan on a world: what each event does, and the judgement at the end.

use super::{Event, Plan, World, alone, check::census::Census, line::Garble};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};
use yishi_node::actions::RevokeRequest;
use yishi_protocol::ids::{ActRef, DocId};

/// What went wrong in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which checker says so.
    pub check: &'static str,
    /// What it saw.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.what)
    }
}

macro_rules! sums {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// How often what happened.
        #[derive(Debug, Clone, Copy, Default)]
        pub struct Sums { $($(#[$doc])* pub $name: u64),* }

        impl Sums {
            /// Adds another run's.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }

            /// What never happened.
            #[must_use]
            pub fn never(&self) -> Vec<&'static str> {
                let mut never = Vec::new();
                $(if self.$name == 0 { never.push(stringify!($name)); })*
                never
            }
        }
    };
}

sums! {
    /// Acts acknowledged to people.
    acts,
    /// Petitioners sealed.
    sealed,
    /// Votes counted in.
    votes,
    /// Lines cut.
    cuts,
    /// Connections dropped.
    dropped,
    /// Connections beside an older one.
    doubled,
    /// `kill -9`.
    kills,
    /// Power cuts between writes.
    power_cuts,
    /// Power cuts in the midst of writes.
    torn,
    /// Disks filled up.
    full,
    /// Disks whose `fsync` failed.
    bad_syncs,
    /// Backups made.
    backups,
    /// Backups put back.
    put_back,
    /// Frames changed on the way.
    garbled,
    /// Clocks set wrong.
    clocks,
    /// Keys withdrawn.
    revoked,
    /// Procedures issued by charters.
    issued,
    /// Matters bound to one of them.
    bound,
    /// Steps to another stage of one.
    advanced,
    /// Rows that became visible after the news of them.
    late,
    /// Places renamed and re-coded.
    recoded,
    /// Places moved under another parent.
    moved,
    /// Places merged into another.
    merged,
    /// Databases copied to a second machine.
    copied,
    /// Acts written on either of two machines of one village.
    beside,
    /// Ends of lines that hung.
    stalled,
    /// Frames sent again, in another order, or made up.
    untrue,
}

/// A run that held.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// What happened in it.
    pub sums: Sums,
    /// The hash of everything that lies on all disks at the end: the same for the same plan.
    pub print: [u8; 32],
}

/// Runs a plan; a panic anywhere is a failure too.
///
/// # Errors
/// The first [`Failure`].
pub fn run(plan: &Plan) -> Result<Ended, Failure> {
    let ran = catch_unwind(AssertUnwindSafe(|| alone(play(plan))));
    ran.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        Err(Failure { check: "panic", what: said.unwrap_or_default() })
    })
}

async fn play(plan: &Plan) -> Result<Ended, Failure> {
    let world = World::of(&plan.shape, plan.seed).await;
    let mut run = Run { world, sums: Sums::default(), slow: Vec::new(), turn: false };
    for event in &plan.events {
        run.happen(*event).await;
        run.world.watch.failure.take().map_or(Ok(()), Err)?;
    }
    let census = run.end().await;
    run.sums.late = run.world.late_rows;
    run.world.watch.failure.take().map_or(Ok(()), Err)?;
    Ok(Ended { sums: run.sums, print: print(&census) })
}

fn print(census: &Census) -> [u8; 32] {
    let mut all = Vec::new();
    for holding in &census.0 {
        for (doc, whole) in &holding.docs {
            all.extend(doc.0);
            let mut hashes: Vec<_> = whole.commits.iter().map(|c| c.commit.hash.0).collect();
            hashes.sort_unstable();
            all.extend(hashes.as_flattened());
        }
    }
    yishi_protocol::ids::hash("yishi/simulator/1", &[&all])
}

/// Turns on the line that two machines of one village need to hear all of each other.
const TURNS: usize = 5;

pub(super) struct Run {
    pub(super) world: World,
    pub(super) sums: Sums,
    /// Children whose frames take so much longer.
    slow: Vec<(usize, u64)>,
    /// Whose turn it is where one village has two machines.
    turn: bool,
}

impl Run {
    async fn happen(&mut self, event: Event) {
        let (nodes, lines) = (self.world.nodes.len(), self.world.lines.len());
        let node = |n: u32| n as usize % nodes;
        let child_of = |n: u32| 1 + n.saturating_sub(1) as usize % lines;
        let world = &mut self.world;
        match event {
            Event::Raise { at, escalate, sealed } => {
                let at = self.machine(node(at));
                self.raise(at, escalate, sealed).await;
            }
            Event::Act { at, doc, pick } => {
                let at = self.machine(node(at));
                self.act(at, doc, pick).await;
            }
            Event::Vote { at, doc, dice } => {
                let at = self.machine(node(at));
                self.vote(at, doc, dice).await;
            }
            Event::Issue { at } => {
                let at = self.machine(node(at));
                self.issue(at).await;
            }
            Event::Bind { at, doc, pick } => {
                let at = self.machine(node(at));
                self.bind(at, doc, pick).await;
            }
            Event::Late { at, ms } => self.late(node(at), ms).await,
            Event::Place { place, by, how } => self.place(child_of(place), by, how).await,
            Event::Copy { village } => self.copy(child_of(village)).await,
            Event::Stall { child, by_parent, ms } => {
                let line = child_of(child) - 1;
                let until = world.now + u64::from(ms);
                for connection in &mut world.lines[line].connections {
                    connection.hang(usize::from(by_parent), until);
                    self.sums.stalled += 1;
                }
            }
            Event::Project { at } => {
                let at = node(at);
                self.world.project_at(at).await;
            }
            Event::Cut { child, cut } => {
                self.sums.cuts += u64::from(cut);
                let child = child_of(child);
                self.world.cut(child, cut);
            }
            Event::Drop { child } => {
                self.sums.dropped += 1;
                let child = child_of(child);
                self.world.line_of(child).connections.clear();
            }
            Event::Dial { child } => {
                let line = self.machine(child_of(child)) - 1;
                self.sums.doubled += u64::from(!self.world.lines[line].connections.is_empty());
                self.world.dial(line).await;
            }
            Event::Slow { child, ms } => self.slow.push((child_of(child), u64::from(ms))),
            Event::Pass { ms, delay_ms, dice } => self.pass(ms, delay_ms, dice).await,
            Event::Kill { at } => {
                self.sums.kills += 1;
                let at = node(at);
                // What a failing disk took in and did not make durable is not there for a new process either.
                match self.world.nodes[at].failing {
                    true => self.power_cut(at, 1).await,
                    false => self.world.crash(at).await,
                }
            }
            Event::PowerCut { at, dice } => {
                self.sums.power_cuts += 1;
                self.power_cut(node(at), dice).await;
            }
            Event::PowerGoing { at, writes } => {
                let at = node(at);
                world.nodes[at].disk.stop_after(u64::from(writes));
                world.nodes[at].failing = true;
                self.sums.torn += 1;
            }
            Event::FullDisk { at, bytes } => {
                let at = node(at);
                let there = &mut world.nodes[at];
                there.disk.fill_up_after(bytes.map(u64::from));
                there.failing |= bytes.is_some();
                self.sums.full += u64::from(bytes.is_some());
            }
            Event::BadDisk { at, syncs } => {
                let at = node(at);
                let there = &mut world.nodes[at];
                there.disk.fail_syncs_after(Some(u64::from(syncs)));
                there.failing = true;
                self.sums.bad_syncs += 1;
            }
            Event::Backup { at } => {
                let at = node(at);
                if !world.nodes[at].failing && world.twin_of(at).is_none() {
                    let kept = world.backup(at).await;
                    world.backups.insert(at, kept);
                    self.sums.backups += 1;
                }
            }
            Event::PutBack { at, life } => {
                let at = node(at);
                if let Some(kept) = world.backups.remove(&at) {
                    world.put_back_as(at, kept, life).await;
                    self.sums.put_back += 1;
                }
            }
            Event::Garble { child, by_parent, how } => {
                let line = child_of(child) - 1;
                self.world.garble(line, usize::from(by_parent), how);
                match how {
                    Garble::Again(_) | Garble::Turned | Garble::Made(_) => self.sums.untrue += 1,
                    _ => self.sums.garbled += 1,
                }
            }
            Event::Clock { at, hours } => {
                let at = node(at);
                let (now, there) = (world.now, &mut world.nodes[at]);
                there.clock_off_ms = i64::from(hours) * 3_600_000;
                there.tick(now);
                self.sums.clocks += 1;
            }
            Event::Revoke { village } => self.revoke(child_of(village)).await,
        }
    }

    async fn power_cut(&mut self, at: usize, dice: u32) {
        let mut rng = StdRng::seed_from_u64(u64::from(dice));
        self.world.power_cut(at, &mut |below| rng.random_range(0..below.max(1))).await;
    }

    async fn pass(&mut self, ms: u32, delay_ms: u32, dice: u32) {
        let mut rng = StdRng::seed_from_u64(u64::from(dice));
        let slow = self.slow.pop().map_or(0, |(_, ms)| ms);
        for _ in 0..4 {
            let mut delay = || rng.random_range(1..=u64::from(delay_ms)) + slow;
            self.world.pass(u64::from(ms), &mut delay).await;
        }
        if dice.is_multiple_of(8) {
            let mut watch = std::mem::take(&mut self.world.watch);
            watch.moment(&self.world).await;
            self.world.watch = watch;
        }
    }

    async fn raise(&mut self, at: usize, escalate: bool, sealed: bool) {
        let name = sealed.then(|| self.world.watch.sealed.fresh());
        let node = &self.world.nodes[at];
        let Some(doc) = node.try_raise("村口涵洞下雨就积水，老人孩子过不去。", name.as_deref()).await
        else {
            return;
        };
        let mut done = node.acts(&doc).await;
        if escalate {
            done.extend(node.act(&doc, json!({"act": "escalate", "reason": "跨村"})).await);
        }
        self.sums.acts += done.len() as u64;
        self.sums.sealed += u64::from(sealed);
        self.told(at, doc, done).await;
    }

    pub(super) async fn pick(&self, at: usize, doc: u32) -> Option<(DocId, DocId)> {
        let matters = self.world.nodes[at].matters().await;
        let one = matters.get(doc as usize % matters.len().max(1))?;
        Some((*one, matters[(doc as usize / 7) % matters.len()]))
    }

    /// Somebody does one of the things the program offers there.
    async fn act(&mut self, at: usize, doc: u32, pick: u32) {
        let Some((doc, other)) = self.pick(at, doc).await else { return };
        let node = &self.world.nodes[at];
        let Ok(view) = node.actions.matter(&doc.to_string()).await else { return };
        let Some(next) = view.next.get(pick as usize % view.next.len().max(1)) else { return };
        let act = request(next.act, other != doc, other);
        let done = node.act(&doc, act).await;
        self.done(at, doc, done).await;
    }

    async fn vote(&mut self, at: usize, doc: u32, dice: u32) {
        let Some((doc, _)) = self.pick(at, doc).await else { return };
        let (yes, no) = (dice % 30, dice / 30 % 20);
        let vote = json!({"act": "ballot", "question": "是否修涵洞", "body": "村民代表会议", "eligible": 60,
            "present": yes + no, "for": yes, "against": no, "abstain": 0});
        let done = self.world.nodes[at].act(&doc, vote).await;
        self.sums.votes += u64::from(done.is_some());
        self.done(at, doc, done).await;
    }

    pub(super) async fn done(&mut self, at: usize, doc: DocId, done: Option<ActRef>) {
        self.sums.acts += u64::from(done.is_some());
        self.told(at, doc, done).await;
    }

    /// People were told that these acts are done.
    pub(super) async fn told(&mut self, at: usize, doc: DocId, done: impl IntoIterator<Item = ActRef>) {
        let done: Vec<ActRef> = done.into_iter().collect();
        if self.world.twin_of(at).is_some() && !done.is_empty() {
            // The other machine may use the same numbers: what was written here is remembered by its hash too.
            let commits = self.world.nodes[at].store.doc_commits(&doc).await.unwrap_or_default();
            let own = commits.iter().filter(|c| {
                let c = &c.commit;
                done.contains(&ActRef { actor: c.actor, seq: c.seq })
            });
            let own = own.filter(|c| c.origin.is_none()).map(|c| c.commit.hash);
            self.world.watch.lost.wrote_beside(at, doc, own);
            self.sums.beside += done.len() as u64;
        }
        self.world.watch.acknowledged(at, doc, done);
    }

    /// The machine at which somebody of a place sits: where there are two, the one and the other in turn.
    fn machine(&mut self, at: usize) -> usize {
        let other = self.world.twin_of(at);
        self.turn ^= other.is_some();
        other.filter(|_| self.turn).unwrap_or(at)
    }

    /// The parent withdraws a village's key; the village's box is in other hands from then on.
    async fn revoke(&mut self, village: usize) {
        let world = &mut self.world;
        let meant = world.meant.get(&village).copied();
        let Some(parent) = meant.or_else(|| world.above(village).first().copied()) else { return };
        let childless = !world.lines.iter().any(|l| l.parent == village)
            && !world.meant.values().any(|parent| *parent == village);
        let others = world.lines.iter().filter(|l| !world.gone.contains(&l.child)).count();
        if !childless || others < 2 || world.gone.contains(&village) || world.nodes[parent].failing {
            return;
        }
        let place = world.nodes[village].place.to_string();
        let request = RevokeRequest { reason: "设备被盗".into(), ..RevokeRequest::default() };
        if world.nodes[parent].actions.revoke(&place, request).await.is_ok() {
            for machine in [Some(village), world.twin_of(village)].into_iter().flatten() {
                world.line_of(machine).connections.clear();
                world.gone.insert(machine);
            }
            self.sums.revoked += 1;
        }
    }

    /// All lines are mended, all disks too, and everything that waits goes its way; then all is judged.
    async fn end(&mut self) -> Census {
        for at in 0..self.world.nodes.len() {
            if self.world.nodes[at].failing {
                self.power_cut(at, at as u32).await;
            }
            let now = self.world.now;
            let node = &mut self.world.nodes[at];
            node.clock_off_ms = 0;
            node.tick(now);
        }
        for child in 1..self.world.nodes.len() {
            self.world.cut(child, false);
        }
        self.world.commit_late(true).await;
        self.world.hang_up_all();
        for (_, copy) in self.world.twins.clone() {
            self.world.cut(copy, true);
        }
        self.world.come_to_rest().await;
        // Of two machines of one village one is on the line at a time, until each has heard what the other said.
        for turn in 0..TURNS * usize::from(!self.world.twins.is_empty()) {
            for (one, copy) in self.world.twins.clone() {
                self.world.cut(one, turn % 2 == 0);
                self.world.cut(copy, turn % 2 == 1);
            }
            if self.world.watch.failure.is_none() {
                self.world.come_to_rest().await;
            }
        }
        let mut watch = std::mem::take(&mut self.world.watch);
        let census = match watch.failure {
            None => watch.end(&self.world).await,
            Some(_) => Census::default(),
        };
        self.world.watch = watch;
        census
    }
}

/// An act of that name, filled in as a person would.
fn request(name: &str, another: bool, other: DocId) -> Value {
    match name {
        "accept" | "escalate" | "close" | "unmerge" | "withdraw" => json!({"act": name}),
        "handle" => json!({"act": name, "note": "已派人"}),
        "refuse" | "return" | "reopen" | "take_over" => json!({"act": name, "reason": "现场看过"}),
        "merge" if another => json!({"act": name, "sources": [other]}),
        "decide" => json!({"act": name, "title": "疏通", "text": "月底前疏通", "answer": "月底前疏通"}),
        "answer" => json!({"act": name, "text": "已疏通"}),
        "tell" => json!({"act": name, "how": "visit"}),
        "rate" => json!({"act": name, "score": 4, "source": "resident"}),
        "support" => json!({"act": name, "count": 3}),
        _ => json!({"act": "comment", "text": "还在积水"}),
    }
}
