//! A township and a village below it, what people were told by them, and what must hold afterwards.

use crate::process::{Node, done, node, program, text, until};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::Path,
    process::{Command, ExitStatus},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How long a link may take to be back in step once nothing is in its way, on a loaded machine.
pub(crate) const IN_STEP_WITHIN: Duration = Duration::from_secs(30);

/// Short times, so that a test sees a link go down and come back.
pub(crate) fn configure(dir: &Path, listen: SocketAddr, parent: Option<SocketAddr>, more_http: &str) {
    let parent = parent.map(|p| format!("parent = \"{p}\"\n")).unwrap_or_default();
    let config = format!(
        "data_dir = {dir:?}\n[link]\nlisten = \"{listen}\"\n{parent}idle_ms = 2500\nkeep_alive_ms = 600\n\
         retry_max_ms = 300\n[http]\nlisten = \"127.0.0.1:0\"\n{more_http}"
    );
    std::fs::write(dir.join("node.toml"), config).unwrap();
}

/// The two nodes.
pub(crate) struct Pair {
    pub(crate) town: Node,
    pub(crate) village: Node,
    /// Last: removed when both have ended.
    pub(crate) dir: tempfile::TempDir,
}

impl Pair {
    /// Both are set up and run, in step.
    pub(crate) fn start() -> Self {
        let pair = Self::prepare(|_| {});
        until("the first meeting", || pair.in_step());
        pair
    }

    /// The same, perhaps not yet in step; `before` may put disks where the folders of the two will be.
    pub(crate) fn prepare(before: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        before(dir.path());
        let mut town = Node::root(dir.path().join("town"));
        town.start();
        let village = dir.path().join("village");
        done(&["join", &town.invitation(), "--dir", text(&village)]);
        let mut village = Node::at(village);
        village.start();
        Self { dir, town, village }
    }

    /// The village has everything acknowledged.
    pub(crate) fn in_step(&self) -> bool {
        self.village.waiting() == Some(0)
    }

    /// How long the link takes from now on until nothing waits; fails beyond the bound.
    pub(crate) fn back_in_step(&self) -> Duration {
        let began = Instant::now();
        let mut calm = 0;
        // What the township writes for the village is not counted by the village: look at both ends.
        while calm < 3 {
            calm = if self.in_step() && self.town.waits_below() == Some(0) { calm + 1 } else { 0 };
            assert!(began.elapsed() < IN_STEP_WITHIN, "the link is not back in step: {:?}", self.states());
            std::thread::sleep(Duration::from_millis(10));
        }
        began.elapsed()
    }

    fn states(&self) -> [Result<Value, String>; 2] {
        [&self.village, &self.town].map(|n| n.call("GET", "/link", None))
    }

    /// What must be true after every fault. Ends both nodes; the auditor has the last word. Returns how many
    /// matters it saw.
    pub(crate) fn holds(&mut self, told: &Told) -> u64 {
        self.back_in_step();
        let (village, town) = (ids(&self.village), ids(&self.town));
        let lost = |told: &BTreeSet<String>, there: &BTreeSet<String>| told.difference(there).count();
        assert_eq!(lost(&told.by_village, &village), 0, "acknowledged by the village and not there");
        assert_eq!(lost(&told.by_town, &town), 0, "acknowledged by the township and not there");
        // In step: everything of the village is stored at the township, in the village's own words.
        assert_eq!(lost(&told.by_village, &town), 0, "stored at the township and not there");
        for doc in told.by_village.iter().step_by(1 + told.by_village.len() / 20) {
            let matter = self.village.call("GET", &format!("/matters/{doc}"), None).unwrap();
            assert_eq!(matter.pointer("/stored/up/0/state"), Some(&json!("stored")), "{doc}");
        }
        self.town.kill();
        self.village.kill();
        audited(self.dir.path())
    }
}

/// The auditor finds nothing; how many matters it saw.
fn audited(dir: &Path) -> u64 {
    let report = node(&["audit", "--json", text(dir)]);
    let found: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert!(report.status.success(), "{found:#}");
    assert_eq!(found["stored_everywhere"], json!(true), "{found:#}");
    found["proposals"].as_u64().unwrap()
}

/// Every matter a node lists, once its lists are up to date.
pub(crate) fn ids(node: &Node) -> BTreeSet<String> {
    let read = || {
        let (mut all, mut cursor) = (BTreeSet::new(), String::new());
        loop {
            let page = node.call("GET", &format!("/matters?limit=500&sort=number{cursor}"), None).unwrap();
            all.extend(
                page["items"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap().to_owned()),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    };
    // Lists follow what is stored: read until they stand still.
    let mut before = read();
    loop {
        std::thread::sleep(Duration::from_millis(1_500));
        let now = read();
        if now == before {
            return now;
        }
        before = now;
    }
}

/// What was acknowledged to people: ids of matters, by the node that said so.
#[derive(Debug, Default, Clone)]
pub(crate) struct Told {
    pub(crate) by_village: BTreeSet<String>,
    pub(crate) by_town: BTreeSet<String>,
}

impl Told {
    pub(crate) fn count(&self) -> usize {
        self.by_village.len() + self.by_town.len()
    }
}

/// A text nothing can compress well.
pub(crate) fn words(rng: &mut StdRng, chars: usize) -> String {
    (0..chars).map(|_| char::from_u32(rng.random_range(0x4e00..0x9fa0)).unwrap()).collect()
}

/// Registers one matter; its id once the node has said 201.
pub(crate) fn register(node: &Node, body: &str) -> Result<String, String> {
    let raised = node.call("POST", "/matters", Some(&json!({ "body": body })))?;
    Ok(raised["id"].as_str().unwrap().to_owned())
}

/// Registers many at once.
pub(crate) fn import(node: &Node, name: &str, rows: usize, chars: usize) -> u64 {
    let mut rng = StdRng::seed_from_u64(rows as u64);
    let mut created = 0;
    for first in (0..rows).step_by(200) {
        let rows: Vec<Value> = (first..rows.min(first + 200))
            .map(|n| json!({"row": n, "number": format!("{name}-{n}"), "title": "村口涵洞积水", "body": words(&mut rng, chars)}))
            .collect();
        let answer = node.post("/matters/import", &json!({"system": "hotline", "rows": rows}));
        assert_eq!(answer["errors"], json!([]));
        created += answer["created"].as_u64().unwrap();
    }
    created
}

/// People who go on registering whatever happens to the node.
pub(crate) struct Writers {
    stop: Arc<AtomicBool>,
    told: Arc<Mutex<Told>>,
    refused: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Writers {
    /// One at each node, pausing a little between two matters.
    pub(crate) fn start(pair: &Pair, pause: Duration) -> Self {
        let mut writers =
            Self { stop: Arc::default(), told: Arc::default(), refused: Arc::default(), threads: Vec::new() };
        for (at, dir, link) in
            [(0u64, &pair.village.dir, pair.village.link), (1, &pair.town.dir, pair.town.link)]
        {
            let (stop, told, refused) = (writers.stop.clone(), writers.told.clone(), writers.refused.clone());
            // Only its API is used: the process belongs to the pair.
            let node = Node { dir: dir.clone(), link, child: None };
            writers.threads.push(std::thread::spawn(move || {
                let mut rng = StdRng::seed_from_u64(at);
                while !stop.load(Ordering::SeqCst) {
                    let answer = register(&node, &words(&mut rng, 300));
                    let mut told = told.lock().unwrap();
                    let by = if at == 0 { &mut told.by_village } else { &mut told.by_town };
                    refused.fetch_add(u64::from(answer.is_err()), Ordering::SeqCst);
                    by.extend(answer);
                    drop(told);
                    std::thread::sleep(pause);
                }
            }));
        }
        writers
    }

    pub(crate) fn told_so_far(&self) -> usize {
        self.told.lock().unwrap().count()
    }

    /// Ends; what was acknowledged, and how many requests were not.
    pub(crate) fn stop(self) -> (Told, u64) {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().unwrap();
        }
        let told = self.told.lock().unwrap().clone();
        (told, self.refused.load(Ordering::SeqCst))
    }
}

impl Node {
    /// Sends a signal to the node and whatever wraps it.
    pub(crate) fn signal(&self, name: &str) {
        let group = format!("-{}", self.pid());
        assert!(Command::new("kill").args([&format!("-{name}"), "--", &group]).status().unwrap().success());
    }

    /// The process that was started: the node, or what wraps it.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Waits until it ends by itself.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        until("the node ends", || {
            status = self.child.as_mut().unwrap().try_wait().unwrap();
            status.is_some()
        });
        self.child = None;
        status.unwrap()
    }

    /// Everything it said.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("node.log")).unwrap_or_default()
    }

    /// Starts it again and expects it to refuse.
    pub(crate) fn refuses_to_start(&self) -> (Option<i32>, String) {
        let output = node(&["run", "--dir", text(&self.dir)]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Entries for the village that it has not acknowledged.
    pub(crate) fn waits_below(&self) -> Option<u64> {
        self.call("GET", "/link", None).ok()?.pointer("/down/0/waiting")?.as_u64()
    }

    /// A number of the link upwards.
    pub(crate) fn up(&self, field: &str) -> Option<u64> {
        self.call("GET", "/link", None).ok()?.pointer(&format!("/up/{field}"))?.as_u64()
    }
}

/// A command that starts the node by way of another program.
pub(crate) fn by(wrapper: &[&str]) -> Command {
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(program());
    command
}
