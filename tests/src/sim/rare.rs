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
use serde_json::{Value, json};
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

/// A seed's own dice for them, and which kinds it has: procedures, places, copies, late rows, hostile ends. What is
/// rare together is never reached otherwise.
fn dice(seed: u64) -> (StdRng, [bool; 5]) {
    let mut rng = StdRng::seed_from_u64(seed ^ 0x7261_7265);
    let kinds = std::array::from_fn(|_| rng.random_bool(0.5));
    (rng, kinds)
}

/// Where places are moved there is another town to move them to.
pub(super) fn shape(seed: u64, chosen: Shape) -> Shape {
    let (_, [_, places, ..]) = dice(seed);
    match chosen {
        Shape(mut towns) if has_them(seed) && places && towns.len() == 1 => {
            towns.push(1);
            Shape(towns)
        }
        chosen => chosen,
    }
}

/// Puts them among a plan's events.
pub(super) fn among(seed: u64, shape: &Shape, events: Vec<Event>) -> Vec<Event> {
    if !has_them(seed) {
        return events;
    }
    let (mut rng, kinds) = dice(seed);
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
        9 | 19 if places => Event::Place { place: child, by: doc, how: pick },
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

fn survey() -> Value {
    json!({"act": "record", "form": "survey", "fields": {"found": "走访三十户"}})
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

    /// Who knows the procedure and holds matters, from the place that was named on, and one of these matters.
    async fn holding(&self, at: usize, doc: u32) -> Option<(usize, DocId)> {
        let nodes = self.world.nodes.len();
        for at in (at..nodes).chain(0..at).filter(|at| !self.world.gone.contains(at)) {
            let node = &self.world.nodes[at];
            let known = node.actions.procedures().await.unwrap_or_default();
            if known.iter().all(|p| p.procedure.id != "street") {
                continue;
            }
            let rows = node.store.matters_of(&node.matters().await).await.unwrap_or_default();
            let held: Vec<DocId> =
                rows.iter().filter(|m| m.holder == Some(node.place)).map(|m| m.doc).collect();
            if let Some(doc) = held.get(doc as usize % held.len().max(1)) {
                return Some((at, *doc));
            }
        }
        None
    }

    /// A matter goes its way under a procedure that a charter issued: taken up, put on record, moved on. One time in
    /// four somebody tries something of it, whether or not it is the time and theirs.
    pub(super) async fn bind(&mut self, at: usize, doc: u32, pick: u32) {
        let rightly = match pick % 4 {
            0 => None,
            _ => self.holding(at, doc).await,
        };
        let (act, at, doc) = match rightly {
            Some((at, doc)) => match self.due(at, &doc).await {
                Some(act) => (act, at, doc),
                None => return,
            },
            None => {
                let Some((doc, _)) = self.pick(at, doc).await else { return };
                // Any version anybody issued, also an older one, by its pin.
                let known = self.world.nodes[at].store.world();
                let pins: Vec<String> = known
                    .charters
                    .procedures
                    .iter()
                    .filter(|p| p.id == "street")
                    .map(|p| p.pin.to_string())
                    .collect();
                let pin = pins.get(pick as usize / 12 % pins.len().max(1));
                let act = match (pick / 4 % 3, pin) {
                    (0, Some(pin)) => json!({"act": "accept", "procedure": pin}),
                    (1, _) => survey(),
                    _ => json!({"act": "accept", "procedure": "street"}),
                };
                (act, at, doc)
            }
        };
        let kind = act["act"].clone();
        let done = self.world.nodes[at].act(&doc, act).await;
        match kind.as_str() {
            Some("accept") => self.sums.bound += u64::from(done.is_some()),
            Some("advance") => self.sums.advanced += u64::from(done.is_some()),
            _ => {}
        }
        self.done(at, doc, done).await;
    }

    /// What is to be done next with a matter that is to go under the procedure.
    async fn due(&self, at: usize, doc: &DocId) -> Option<Value> {
        let actions = &self.world.nodes[at].actions;
        let (matter, next) = (doc.to_string(), actions.next(&doc.to_string()).await.ok()?);
        let offered = |name: &str| next.items.iter().find(|n| n.name.act == name);
        if let Some(way) = offered("advance").and_then(|n| n.stages.first()) {
            return Some(json!({"act": "advance", "to": way.stage}));
        }
        let stands = actions.matter(&matter).await.ok()?.deliberation;
        if stands.at.is_some_and(|at| at.stage == "survey") {
            return Some(survey());
        }
        offered("accept").map(|_| json!({"act": "accept", "procedure": "street"}))
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
        let village = |of: usize| !world.lines.iter().any(|l| l.parent == of);
        let free = |of: usize| !world.gone.contains(&of) && world.twin_of(of).is_none();
        let district = world.nodes[0].store.world();
        // The district hears of a village when a matter of it first comes that far.
        let known = |of: usize| district.directory.place(&world.nodes[of].place).is_some();
        let pick = (how / 4) as usize;
        let among = |all: Vec<usize>| all.get(pick % all.len().max(1)).copied();
        let ready: Vec<usize> =
            (1..world.nodes.len()).filter(|v| village(*v) && free(*v) && known(*v)).collect();
        let mut request =
            PlacingRequest { address: Some("127.0.0.1:7435".to_owned()), ..PlacingRequest::default() };
        let (mut elsewhere, mut goes_to) = (false, None);
        // Whom it is about: the one named, or the next village that the district can speak of.
        let next = ready.iter().find(|v| **v >= at).or(ready.first()).copied();
        let (at, counts) = match (how % 4, next) {
            (1 | 2, Some(at)) => {
                let from = world.above(at).first().copied();
                let towns = world.lines.iter().filter(|l| l.parent == 0 && Some(l.child) != from);
                let towns = towns.map(|l| l.child).filter(|t| *t != at && free(*t) && known(*t));
                let Some(to) = among(towns.collect()) else { return };
                request.parent = Some(world.nodes[to].place.to_string());
                (elsewhere, goes_to) = (true, Some(to));
                (at, &mut self.sums.moved)
            }
            (3, Some(at)) => {
                let Some(into) = among(ready.iter().copied().filter(|v| *v != at).collect()) else { return };
                request.into = Some(world.nodes[into].place.to_string());
                let from = world.above(at).first().copied();
                goes_to = world.above(into).first().copied().filter(|to| Some(*to) != from);
                elsewhere = goes_to.is_some();
                (at, &mut self.sums.merged)
            }
            _ if free(at) => {
                request.code = Some(format!("510113{:03}{:03}", 100 + at % 800, pick % 1000));
                request.name = Some(format!("改名{}", pick % 1000));
                (at, &mut self.sums.recoded)
            }
            _ => return,
        };
        let issuers: Vec<usize> = if elsewhere { vec![0] } else { world.above(at) };
        let Some(issuer) = issuers.get(by as usize % issuers.len().max(1)).copied() else { return };
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
