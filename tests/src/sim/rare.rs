//! What happens in every fourth seed only: places moved, merged and re-coded, copied machines at work, procedures
//! issued, rows that become visible late, neighbours that hang, repeat themselves and make things up.
//!
//! Seeds that leave three over four draw these from dice of their own and put them among the events that every
//! seed has, so that all other seeds are what they were.

use super::{
    Event, Node, Shape,
    line::{Garble, Line},
    run::Run,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use yishi_node::actions::PlacingRequest;
use yishi_protocol::{ids::DocId, kind::Kind};

/// Every so manieth seed has them.
const ONE_IN: u64 = 4;
/// How many of them to ten other events.
const IN_TEN: u32 = 4;

/// Whether a seed has them.
const fn has_them(seed: u64) -> bool {
    seed % ONE_IN == ONE_IN - 1
}

/// Puts them among a plan's events.
pub(super) fn among(seed: u64, shape: &Shape, events: Vec<Event>) -> Vec<Event> {
    if !has_them(seed) {
        return events;
    }
    let mut rng = StdRng::seed_from_u64(seed ^ 0x7261_7265);
    let kinds: [bool; 5] = std::array::from_fn(|_| rng.random_bool(0.5));
    let mut all = Vec::with_capacity(events.len() * 3 / 2);
    for event in events {
        all.push(event);
        if rng.random_ratio(IN_TEN, 10) {
            all.extend(one(&mut rng, shape, kinds));
        }
    }
    all
}

fn one(
    rng: &mut StdRng,
    shape: &Shape,
    [procedures, places, copies, late, hostile]: [bool; 5],
) -> Option<Event> {
    let nodes = shape.nodes() as u32;
    let (at, child) = (rng.random_range(0..nodes), rng.random_range(1..nodes));
    let (doc, pick) = (rng.random(), rng.random());
    let by_parent = rng.random();
    Some(match rng.random_range(0..20) {
        0 | 1 if procedures => Event::Issue { at },
        2..9 if procedures => Event::Bind { at, doc, pick },
        9 if places => Event::Place { place: child, by: doc, how: pick },
        10 if copies => Event::Copy { village: child },
        11..14 if late => Event::Late { at, ms: rng.random_range(1..5_000) },
        14 | 15 if hostile => Event::Stall { child, by_parent, ms: rng.random_range(1..60_000) },
        16 if hostile => Event::Garble { child, by_parent, how: Garble::Again(rng.random()) },
        17 if hostile => Event::Garble { child, by_parent, how: Garble::Turned },
        // Rarely: whoever made something up need not have everything in the end.
        18 if hostile && rng.random_bool(0.3) => {
            Event::Garble { child, by_parent, how: Garble::Made(rng.random()) }
        }
        _ => return None,
    })
}

/// A procedure with two stages and a gate between them.
fn file(version: u32) -> String {
    format!(
        "format = 1\nid = \"street\"\nversion = {version}\ntitle = {{ zh = \"街巷\", en = \"Streets\" }}\n\
         summary = {{ zh = \"先入户，再上会\", en = \"Ask at the doors, then meet\" }}\n\
         [forms.survey]\nzh = \"入户调查\"\nen = \"Survey\"\n\
         fields = [{{ id = \"found\", zh = \"情况\", en = \"Findings\", kind = \"text\", required = true }}]\n\
         [[stages]]\nid = \"survey\"\nzh = \"入户调查\"\nen = \"Survey\"\nlimit = {{ normal = \"10 days\" }}\n\
         gates = [{{ record = \"survey\" }}]\ngo = [\"council\"]\n\
         [[stages]]\nid = \"council\"\nzh = \"上会\"\nen = \"Meeting\"\nlimit = {{ normal = \"{} days\" }}\n\
         end = true\n",
        9 + version
    )
}

impl Run {
    /// The place's charter issues the version after the one in force there.
    pub(super) async fn issue(&mut self, at: usize) {
        let actions = &self.world.nodes[at].actions;
        let Ok(known) = actions.procedures().await else { return };
        let street = known.iter().find(|p| p.procedure.id == "street");
        let version = street.map_or(1, |p| p.procedure.version + 1);
        if actions.issue_procedure(Some("u1"), &file(version)).await.is_err() {
            return;
        }
        self.sums.issued += 1;
        // All of the charter's acts: issuing says yes to every one of them.
        let node = &self.world.nodes[at];
        let mine = node.store.docs_of_kind(Kind::Charter, Some(node.place)).await.unwrap_or_default();
        for doc in mine {
            let acts = self.world.nodes[at].acts(&doc).await;
            self.told(at, doc, acts).await;
        }
    }

    /// A matter is taken up under a procedure that a charter issued, or goes its way under it.
    pub(super) async fn bind(&mut self, at: usize, doc: DocId, pick: u32) {
        let node = &self.world.nodes[at];
        let (act, counts) = match pick % 5 {
            0 | 1 => (json!({"act": "accept", "procedure": "street"}), Some(&mut self.sums.bound)),
            2 => {
                // Any version anybody issued, also an older one, by its pin.
                let known = node.store.world();
                let pins: Vec<String> =
                    known.procedures.iter().filter(|p| p.id == "street").map(|p| p.pin.to_string()).collect();
                let Some(pin) = pins.get(pick as usize / 5 % pins.len().max(1)) else { return };
                (json!({"act": "accept", "procedure": pin}), Some(&mut self.sums.bound))
            }
            3 => (json!({"act": "record", "form": "survey", "fields": {"found": "走访三十户"}}), None),
            _ => {
                let Ok(next) = node.actions.next(&doc.to_string()).await else { return };
                let ways = next.items.iter().find(|n| n.name.act == "advance");
                let Some(way) = ways.and_then(|n| n.stages.first()) else { return };
                let act = json!({"act": "advance", "to": way.stage, "reason": "情况有变"});
                (act, Some(&mut self.sums.advanced))
            }
        };
        let done = node.act(&doc, act).await;
        if let Some(counts) = counts {
            *counts += u64::from(done.is_some());
        }
        self.done(at, doc, done).await;
    }

    /// What the node writes from now on is visible on its feeds only after a while.
    pub(super) async fn late(&mut self, at: usize, ms: u32) {
        if self.world.nodes[at].failing {
            return;
        }
        let store = self.world.nodes[at].store.clone();
        for link in &store.world().links {
            store.hold_back(link.id).await.unwrap();
        }
        self.world.late.push((at, self.world.now + u64::from(ms)));
    }

    /// One above a place gives it another name and code, another parent, or merges it into another village.
    pub(super) async fn place(&mut self, at: usize, by: u32, how: u32) {
        let world = &mut self.world;
        let above = world.above(at);
        let village = |of: usize| !world.lines.iter().any(|l| l.parent == of);
        let free = |of: usize| !world.gone.contains(&of) && world.twin_of(of).is_none();
        let Some(parent) = above.first().copied() else { return };
        if !free(at) {
            return;
        }
        let pick = (how / 4) as usize;
        let among = |all: Vec<usize>| all.get(pick % all.len().max(1)).copied();
        let address = Some("127.0.0.1:7435".to_owned());
        let mut request = PlacingRequest { address, ..PlacingRequest::default() };
        let (mut elsewhere, mut goes_to) = (false, None);
        let counts = match how % 4 {
            1 | 2 if village(at) => {
                let towns =
                    world.lines.iter().filter(|l| l.parent == 0 && l.child != at && l.child != parent);
                let Some(to) = among(towns.map(|l| l.child).filter(|t| free(*t)).collect()) else { return };
                request.parent = Some(world.nodes[to].place.to_string());
                (elsewhere, goes_to) = (true, Some(to));
                &mut self.sums.moved
            }
            3 if village(at) => {
                let others = (1..world.nodes.len()).filter(|v| *v != at && village(*v) && free(*v));
                let Some(into) = among(others.collect()) else { return };
                request.into = Some(world.nodes[into].place.to_string());
                goes_to = world.above(into).first().copied().filter(|to| *to != parent);
                elsewhere = goes_to.is_some();
                &mut self.sums.merged
            }
            _ => {
                request.code = Some(format!("510113{:03}{:03}", 100 + at % 800, pick % 1000));
                request.name = Some(format!("改名{}", pick % 1000));
                &mut self.sums.recoded
            }
        };
        let issuers: Vec<usize> = if elsewhere { vec![0] } else { above };
        let Some(issuer) = issuers.get(by as usize % issuers.len()).copied() else { return };
        if world.gone.contains(&issuer) || world.nodes[issuer].failing {
            return;
        }
        let place = world.nodes[at].place.to_string();
        let placed = world.nodes[issuer].actions.place_at(&place, request).await;
        if placed.is_ok() {
            *counts += 1;
            world.placed = true;
            world.meant.extend(goes_to.map(|to| (at, to)));
        }
    }

    /// A village's database is copied to a second machine, and both go on.
    pub(super) async fn copy(&mut self, at: usize) {
        let world = &mut self.world;
        let village = !world.lines.iter().any(|l| l.parent == at);
        let busy = world.nodes[at].failing || world.gone.contains(&at) || world.twin_of(at).is_some();
        if !village || busy {
            return;
        }
        let Some(parent) = world.above(at).first().copied() else { return };
        let kept = world.backup(at).await;
        let node = Node::copied(&world.nodes[at], &kept, world.now).await;
        let copy = world.nodes.len();
        world.copied.insert(node.store.world().me.actor);
        world.watch.excused = true;
        world.nodes.push(node);
        world.lines.push(Line { child: copy, parent, cut: false, connections: Vec::new() });
        world.twins.push((at, copy));
        world.backups.remove(&at);
        self.sums.copied += 1;
    }
}
