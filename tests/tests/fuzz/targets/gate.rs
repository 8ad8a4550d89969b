//! The gate, tried from within: blocks of real documents, rightly signed, with anything in them altered that
//! their authors could alter. What passes is stored, and must live: see `life`.
//!
//! A change is altered before it is signed, so that nothing but the gate's own rules can refuse it.

use super::{
    change::{data_of, sealed},
    choice::Choice,
    federation::{Document, Federation, Member, act, ballot, register},
    life::Held,
};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};
use yishi_protocol::{
    audience::{Audience, Grant, Reach},
    beside::{Beside, What},
    change::{self, Body, Change},
    commit::{ActorRecord, Place},
    gate::Known,
    ids::{ActRef, ActorId, CertHash, ChangeHash, DocId},
    key::Signature,
    kind::Kind,
    value::{Map, Value},
    wire::{Block, BlockActor, DepRef, DocRef, Elided, Section, Shape, SignedAt},
};

/// The places and a document of each kind; made once.
pub(crate) static WORLD: LazyLock<(Federation, Vec<Document>)> = LazyLock::new(|| {
    let fed = Federation::new();
    let documents = Kind::ALL.into_iter().map(|kind| document(&fed, kind)).collect();
    (fed, documents)
});

fn document(fed: &Federation, kind: Kind) -> Document {
    if kind == Kind::Proposal {
        return fed.matter();
    }
    let mut doc = fed.document(kind, &fed.village, 2, &fed.path());
    for n in 0..3 {
        let change = doc.next(fed.village.actor, 0, plausible(&mut Choice(&[n, n, n, n]), kind, &doc));
        doc.take(fed, &fed.village, change);
    }
    doc
}

/// Documents that passed and were lived with: if it stayed small, the statement would not have been tried.
pub(crate) static LIVED: AtomicUsize = AtomicUsize::new(0);

/// Changes beyond those a document has.
const CHANGES_MAX: usize = 8;

/// Alterations of one block.
const ALTERED_MAX: usize = 12;

/// The first decisions choose a document, what of it is known, and what is added; then the block is made,
/// altered as a whole, and judged.
pub(crate) fn run(data: &[u8]) {
    let mut c = Choice(data);
    let (fed, documents) = &*WORLD;
    let mut doc = documents[c.below(documents.len())].clone();
    let cut = c.below(doc.changes.len() + 1);
    let mut held = Held::honest(&doc, cut);
    let mut carried: Vec<Carried> = (cut..doc.changes.len()).map(|at| Carried::honest(&doc, at)).collect();
    for _ in 0..c.below(CHANGES_MAX) {
        if let Some(added) = added(&mut c, fed, &mut doc) {
            carried.push(added);
        }
    }
    let mut block = block(&mut c, fed, &doc, cut, &carried);
    for _ in 0..ALTERED_MAX {
        if c.is_over() {
            break;
        }
        alter(&mut c, fed, &doc, &mut block);
    }
    let known = (cut > 0).then(|| known(&held)).map(|k| (doc.id, k));
    let verdicts = fed.judge_known(&block, known.into_iter().collect());
    for admitted in verdicts.admitted {
        LIVED.fetch_add(1, Ordering::Relaxed);
        assert!(cut == 0 || admitted.doc != doc.id || admitted.new_header.is_none());
        if admitted.doc == doc.id && cut > 0 {
            held.store(&admitted);
            held.live(fed, &fed.records());
        } else {
            let header = admitted.new_header.clone().unwrap();
            let mut new = Held { doc: admitted.doc, header, grants: Vec::new(), changes: Vec::new() };
            new.store(&admitted);
            new.live(fed, &fed.records());
        }
    }
}

fn known(held: &Held) -> Known {
    let header = held.header.clone();
    Known { audience: Audience::of_header(&header), header, index: held.index() }
}

/// A change on its way, with what its author signed.
struct Carried {
    hash: ChangeHash,
    change: Change,
    /// The bytes, where they travel as they are.
    raw: Option<Vec<u8>>,
    signed: bool,
}

impl Carried {
    fn honest(doc: &Document, at: usize) -> Self {
        let out = &doc.changes[at];
        Self { hash: out.hash, change: out.change.clone(), raw: None, signed: true }
    }
}

fn members(fed: &Federation) -> [&Member; 4] {
    [&fed.village, &fed.town, &fed.district, &fed.other_town]
}

/// The next change of somebody, honest or altered. It joins the document if it can be written at all.
fn added(c: &mut Choice<'_>, fed: &Federation, doc: &mut Document) -> Option<Carried> {
    let by = members(fed)[c.below(4)];
    let beyond = c.below(2);
    let container = c.below(doc.header.kind.containers().len() + beyond);
    let value = if c.flag() { c.map(3) } else { plausible(c, doc.header.kind, doc) };
    let mut change = match c.below(3) {
        0 => doc.next(by.actor, container, value),
        // Beside what is newest: a branch.
        _ => {
            let some = (0..1 + c.below(3)).map(|_| doc.changes[c.below(doc.changes.len())].hash).collect();
            if c.flag() {
                doc.next_on(some, by.actor, container, value)
            } else {
                fork(doc, some, by.actor, container, value)
            }
        }
    };
    let how = c.byte();
    if how >= 160 {
        edit(c, fed, &mut change);
    }
    let encoded = change::encode(&change).ok()?;
    let mut carried = Carried { hash: encoded.hash, change, raw: None, signed: how % 8 != 7 };
    if how & 0x10 != 0 {
        let mut bytes = encoded.bytes;
        if how & 0x20 != 0 {
            let mut inside = data_of(&bytes).to_vec();
            for _ in 0..1 + c.below(3) {
                bend(c, &mut inside);
            }
            bytes = sealed(1, &inside);
            carried.hash = ChangeHash(Sha256::digest(&bytes[8..]).into());
        }
        carried.raw = Some(bytes);
    }
    if carried.raw.as_ref().is_none_or(|raw| change::decode(raw, doc.header.kind).is_ok()) {
        let place =
            Place { actor: carried.change.actor, seq: carried.change.seq, max_op: carried.change.max_op() };
        doc.index.insert(carried.hash, place, &carried.change.deps);
    }
    Some(carried)
}

/// A change on these alone, numbered as if the author's own later ones were not there.
fn fork(doc: &Document, mut deps: Vec<ChangeHash>, actor: ActorId, container: usize, value: Map) -> Change {
    deps.sort_unstable();
    deps.dedup();
    let places = || deps.iter().filter_map(|d| doc.index.get(d));
    let seq = places().filter(|p| p.actor == actor).map(|p| p.seq).max().unwrap_or(0) + 1;
    let start_op = places().map(|p| p.max_op).max().unwrap_or(0) + 1;
    Change::act(actor, seq, start_op, deps, doc.header.creator_actor(), container, value)
}

/// Anything of a change that its author could write otherwise.
fn edit(c: &mut Choice<'_>, fed: &Federation, change: &mut Change) {
    match c.below(9) {
        0 => change.seq = c.number(),
        1 => change.start_op = c.number(),
        2 => change.seq = change.seq.wrapping_add(1),
        3 => change.start_op = change.start_op.wrapping_sub(1),
        4 => change.deps.clear(),
        5 => change.deps.push(ChangeHash([c.byte(); 32])),
        6 => change.actor = members(fed)[c.below(4)].actor,
        7 => change.body = Body::Genesis { kind: Kind::ALL[c.below(5)] },
        _ => {
            if let Body::Act { creator, .. } = &mut change.body {
                *creator = members(fed)[c.below(4)].actor;
            }
        }
    }
}

/// One byte or a few, altered.
pub(crate) fn bend(c: &mut Choice<'_>, bytes: &mut Vec<u8>) {
    let at = c.below(bytes.len());
    let end = (at + 1 + c.below(4)).min(bytes.len());
    match c.below(6) {
        _ if bytes.is_empty() => bytes.push(c.byte()),
        0 => bytes[at] ^= 1 << c.below(8),
        1 => bytes[at] = c.byte(),
        2 => bytes[at] = bytes[at].wrapping_add(1),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        _ => bytes.insert(at, c.byte()),
    }
}

/// An act as the product writes them, in some order that it would not. By fields, since acts may gain some.
fn plausible(c: &mut Choice<'_>, kind: Kind, doc: &Document) -> Map {
    let some_act = |c: &mut Choice<'_>| {
        let name = doc.changes.get(c.below(doc.changes.len())).map(|o| o.change.act_ref());
        Value::Str(name.unwrap_or(ActRef { actor: ActorId([1; 16]), seq: 1 }).to_string().into())
    };
    let said = |c: &mut Choice<'_>| Value::Text(c.text());
    let (name, fields): (&str, Vec<(&str, Value)>) = match kind {
        Kind::Proposal => match c.below(16) {
            0 => return act(register()),
            1 => ("comment", vec![("text", said(c))]),
            2 => return act(ballot(c.number() as i64, c.number() as i64)),
            3 => ("answer", vec![("text", said(c))]),
            4 => ("withdraw", vec![]),
            5 => ("close", vec![]),
            6 => ("settle", vec![("branch", some_act(c))]),
            7 => ("take_over", vec![("reason", said(c))]),
            8 => ("reopen", vec![("reason", said(c))]),
            9 => ("unmerge", vec![]),
            10 => ("handle", vec![("note", said(c))]),
            11 => ("merge", vec![("into", Value::Str(doc.id.to_string().into()))]),
            12 => ("tell", vec![("answer", some_act(c)), ("how", Value::Str("phone".into()))]),
            13 => (
                "rate",
                vec![("score", Value::Int(c.number() as i64)), ("source", Value::Str("revisit".into()))],
            ),
            14 => ("correct", vec![("target", some_act(c)), ("title", Value::Str(c.text().into()))]),
            _ => ("escalate", vec![("to", Value::Str(doc.header.home.to_string().into()))]),
        },
        Kind::Outcome => ("answer", vec![("text", said(c))]),
        Kind::Charter => {
            let hash = |n: u8| Value::Str(yishi_protocol::ids::Hash([n; 32]).to_string().into());
            let number = Value::Int(c.number() as i64);
            (
                "snapshot",
                vec![
                    ("number", number),
                    ("code", Value::Str("510113106204".into())),
                    ("name", Value::Str(c.text().into())),
                    ("level", Value::Str("village".into())),
                    ("procedure", hash(1)),
                    ("calendar", hash(2)),
                    ("articles", Value::Str(c.text().into())),
                ],
            )
        }
        Kind::Dossier => ("seal", vec![("ciphertext", Value::Bytes(c.some().to_vec()))]),
        Kind::Register => ("stubs", vec![("rows", Value::List(vec![]))]),
        Kind::Notice => match c.below(3) {
            0 => ("recall", vec![("reason", said(c))]),
            1 => (
                "announce",
                vec![
                    ("sort", Value::Str("topic".into())),
                    ("title", Value::Str(c.text().into())),
                    ("text", said(c)),
                ],
            ),
            _ => (
                "open",
                vec![
                    ("matter", Value::Bytes(doc.id.0.to_vec())),
                    ("number", Value::Str(c.text().into())),
                    ("reason", said(c)),
                ],
            ),
        },
    };
    let mut map: Map = fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    map.insert("kind".into(), Value::Str(name.into()));
    map.insert("on".into(), Value::Int(if c.byte() > 200 { c.number() as i64 } else { 20_773 }));
    if c.flag() {
        map.insert("prev".into(), some_act(c));
    }
    map
}

/// The block that carries them, with the signatures their authors gave.
fn block(c: &mut Choice<'_>, fed: &Federation, doc: &Document, cut: usize, carried: &[Carried]) -> Block {
    let actors: Vec<BlockActor> = members(fed).map(|m| BlockActor { record: m.record() }).into();
    let mut section = Section {
        doc: if cut > 0 { DocRef::Known(doc.id) } else { DocRef::New(Box::new(doc.header.clone())) },
        grants: Vec::new(),
        wraps: Vec::new(),
        changes: Vec::new(),
        signed: Vec::new(),
    };
    let mut at: BTreeMap<ChangeHash, usize> = BTreeMap::new();
    for (position, one) in carried.iter().enumerate() {
        let actor = actors.iter().position(|a| a.record.actor == one.change.actor).unwrap_or(0);
        section.changes.push(Elided { actor, shape: shape(one, position, &at) });
        at.insert(one.hash, position);
        let by = members(fed)[actor];
        if one.signed {
            let cover = fed.sign(by, &doc.id, &one.hash);
            section.signed.push(SignedAt { change: position, cert: cover.cert, signature: cover.signature });
        }
    }
    if c.byte() > 230 {
        let by = members(fed)[c.below(4)];
        let reach = reach(c, fed);
        section.grants.push(Grant::new(&by.keys, &fed.directory.federation(), doc.id, reach, by.cert));
    }
    Block {
        from: 0,
        to: 1,
        digest: [0; 16],
        certs: vec![],
        revocations: vec![],
        placements: vec![],
        openings: vec![],
        actors,
        sections: vec![section],
    }
}

fn reach(c: &mut Choice<'_>, fed: &Federation) -> Reach {
    let place = members(fed)[c.below(4)].place;
    if c.flag() { Reach::Place(place) } else { Reach::Subtree(place) }
}

fn shape(one: &Carried, position: usize, at: &BTreeMap<ChangeHash, usize>) -> Shape {
    match (&one.raw, &one.change.body) {
        (Some(raw), _) => Shape::Raw(raw.clone()),
        (None, Body::Genesis { .. }) => Shape::Genesis,
        (None, Body::Act { container, value, .. }) => {
            let dep = |d: &ChangeHash| match at.get(d) {
                Some(k) => DepRef::Back(position - k),
                None => DepRef::Prefix(d.0[..8].try_into().unwrap()),
            };
            let deps = one.change.deps.iter().map(dep).collect();
            Shape::Act { container: *container, deps, value: value.clone() }
        }
    }
}

/// Anything of a block that whoever delivers it could alter.
fn alter(c: &mut Choice<'_>, fed: &Federation, doc: &Document, block: &mut Block) {
    let how = c.byte();
    if how % 16 <= 1 {
        let (a, b) = (c.below(block.actors.len()), c.below(block.actors.len()));
        block.actors[a].record = if c.flag() {
            block.actors[b].record
        } else {
            ActorRecord { cert: CertHash([c.byte(); 32]), ..block.actors[a].record }
        };
        return;
    }
    let [section] = block.sections.as_mut_slice() else { panic!("one section") };
    let n = section.changes.len();
    let (i, j) = (c.below(n), c.below(n));
    match how % 16 {
        2 => section.doc = DocRef::New(Box::new(doc.header.clone())),
        3 => section.doc = DocRef::Known(DocId([c.byte(); 32])),
        4 => {
            let mut header = doc.header.clone();
            header.kind = Kind::ALL[c.below(5)];
            header.reach = vec![reach(c, fed)];
            section.doc = DocRef::New(Box::new(header));
        }
        5 => {
            let what = match c.below(2) {
                0 => What::Wrap { reader: CertHash([c.byte(); 32]), bytes: c.some().to_vec() },
                _ => What::Forget { on: 20_000, reason: String::new() },
            };
            section.wraps.push(Beside { by: fed.town.cert, what, signature: Signature(c.array()) });
        }
        6 => drop(section.signed.pop()),
        7 => {
            let at =
                SignedAt { change: c.below(n + 2), cert: fed.town.cert, signature: Signature(c.array()) };
            section.signed.push(at);
        }
        _ if n == 0 => {}
        8 => section.changes.swap(i, j),
        9 => drop(section.changes.remove(i)),
        10 => {
            let copy = section.changes[i].clone();
            section.changes.push(copy);
        }
        11 => section.changes[i].actor = c.below(6),
        _ => match &mut section.changes[i].shape {
            Shape::Act { container, deps, value } => match c.below(4) {
                0 => *container = c.below(4),
                1 => deps.push(DepRef::Back(c.below(300))),
                2 => deps.push(DepRef::Prefix([c.byte(); 8])),
                _ => drop(value.insert("by".into(), c.value(2))),
            },
            Shape::Raw(bytes) => bend(c, bytes),
            Shape::Genesis => section.changes[i].shape = Shape::Raw(c.some().to_vec()),
        },
    }
}
