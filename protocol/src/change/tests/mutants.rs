//! *What the reader accepts applies, reads and saves without failing*, tried on mutated changes.
//!
//! The reader knows one change; that a change fits its history is the gate's business. So a mutant that
//! was read is applied only if the header equalities of the gate hold, which are repeated here.

use super::{
    super::*,
    assembly::{Assembly, sealed},
    yardstick::{Yardstick, actor},
};
use automerge::Automerge;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Enough for some five hundred applied ones; `MUTANTS` at build time asks for another number.
const CASES: u64 = match option_env!("MUTANTS") {
    Some(n) => match u64::from_str_radix(n, 10) {
        Ok(n) => n,
        Err(_) => 0,
    },
    None => 20_000,
};

/// SplitMix64: the same mutants for the same seed, whatever the versions of random crates.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        let few = 1 + self.below(4);
        let end = (at + few).min(bytes.len());
        match self.below(7) {
            _ if bytes.is_empty() => bytes.push(self.next() as u8),
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = [0, 1, 0x7f, 0x7e, 0x80, 0xff, 2, 6][self.below(8)],
            2 => bytes[at] = bytes[at].wrapping_add(1),
            3 => bytes[at] = bytes[at].wrapping_sub(1),
            4 => drop(bytes.drain(at..end)),
            5 => {
                let copy = bytes[at..end].to_vec();
                let to = self.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            _ => bytes.insert(at, self.next() as u8),
        }
    }

    fn times(&mut self) -> usize {
        [1, 1, 1, 2, 3][self.below(5)]
    }
}

/// Every change of a document with the document before it.
struct Story {
    kind: Kind,
    steps: Vec<(Yardstick, Vec<u8>)>,
}

impl Story {
    fn new(kind: Kind) -> Self {
        let creator = actor(1);
        let mut doc = Yardstick::new();
        let genesis = encode(&Change::genesis(creator, kind)).unwrap().bytes;
        let mut story = Self { kind, steps: vec![(doc.clone(), genesis)] };
        doc.write(creator, &Body::Genesis { kind });
        let s = |s: &str| Value::Str(s.into());
        let register = Map::from([
            ("body".into(), Value::Text("村口涵洞积水，老人 and 孩子绕行🚧".into())),
            ("kind".into(), s("register")),
            ("rules".into(), Value::Int(1)),
        ]);
        let votes = (0..20).map(|n| (format!("m{n}"), s(["for", "against"][n % 7 / 6])));
        let ballot = Map::from([
            ("counts".into(), Value::List(vec![Value::Int(-300), Value::Null, Value::Map(Map::new())])),
            ("votes".into(), Value::Map(votes.collect())),
        ]);
        let nested = Map::from([
            (
                "a".into(),
                Value::Map(Map::from([("a".into(), Value::List(vec![Value::Text("问需".into())]))])),
            ),
            ("b".into(), Value::Bytes(vec![0, 255, 7])),
            ("c".into(), Value::Bool(true)),
            ("d".into(), Value::Text(String::new())),
        ]);
        for (who, container, value) in [
            (1, 0, register),
            (2, 0, ballot),
            (1, 1, Map::from([("kind".into(), s("accept"))])),
            (2, 1, nested),
            (3, 0, Map::new()),
        ] {
            let (author, container) = (actor(who), container % kind.containers().len());
            let (seq, start_op, deps) = doc.next(author);
            let act = Change::act(author, seq, start_op, deps, creator, container, value);
            story.steps.push((doc.clone(), encode(&act).unwrap().bytes));
            doc.write(author, &act.body);
        }
        story
    }
}

/// What the gate asks of a header besides a signature.
fn fits(doc: &Yardstick, change: &Change) -> bool {
    let known = doc.0.get_changes(&[]);
    if known.is_empty() {
        return matches!(change.body, Body::Genesis { .. });
    }
    let Body::Act { creator, .. } = change.body else { return false };
    let of = |h: &ChangeHash| known.iter().find(|c| c.hash().0 == h.0);
    let own = known.iter().filter(|c| c.actor_id().to_bytes() == change.actor.0);
    let previous = own.clone().max_by_key(|c| c.seq());
    creator.0 == known[0].actor_id().to_bytes()
        && change.seq == own.count() as u64 + 1
        && change.deps.iter().all(|d| of(d).is_some())
        && previous.is_none_or(|p| change.deps.contains(&ChangeHash(p.hash().0)))
        && change.deps.iter().filter_map(of).map(|c| c.max_op()).max() == Some(change.start_op - 1)
}

/// Applies, reads and saves; fails like a test.
fn live_with(doc: &Yardstick, kind: Kind, bytes: &[u8], read: &Decoded) {
    let mut doc = doc.clone();
    let parsed = automerge::Change::from_bytes(bytes.to_vec()).unwrap();
    assert_eq!((parsed.hash().0, parsed.max_op()), (read.hash.0, read.change.max_op()));
    assert_eq!(parsed.raw_bytes(), bytes);
    doc.0.apply_changes([parsed]).unwrap();
    let value = |doc: &Yardstick| match &read.change.body {
        Body::Act { container, .. } => doc.act(kind, *container, read.change.act_ref()),
        Body::Genesis { .. } => Value::Map(Map::new()),
    };
    if let Body::Act { value: said, .. } = &read.change.body {
        assert_eq!(value(&doc), Value::Map(said.clone()));
    }
    let loaded = Yardstick(Automerge::load(&doc.0.save()).unwrap());
    assert_eq!(loaded.0.get_heads(), doc.0.get_heads());
    assert_eq!(value(&loaded), value(&doc));
    for change in loaded.0.get_changes(&[]) {
        let again = decode(change.raw_bytes(), kind).unwrap();
        assert_eq!(again.hash.0, change.hash().0);
    }
    let mut next = doc.clone();
    next.write(actor(9), &Body::Act { creator: actor(1), container: 0, value: Map::new() });
    assert_eq!(doc.0.get_changes(&[]).len() + 1, next.0.get_changes(&[]).len());
}

#[test]
fn what_is_accepted_applies_reads_and_saves() {
    let stories: Vec<_> = [Kind::Proposal, Kind::Outcome].into_iter().map(Story::new).collect();
    let mut dice = Dice(0x5eed_0001);
    let (mut accepted, mut applied) = (0, 0);
    for case in 0..CASES {
        let story = &stories[dice.below(stories.len())];
        let (doc, good) = &story.steps[dice.below(story.steps.len())];
        let mutant = match dice.below(8) {
            0 => {
                // As a broken disk or line would leave it.
                let mut bytes = good.clone();
                dice.mutate(&mut bytes);
                bytes
            }
            1..=3 => {
                // Anywhere in the content, length and checksum made right.
                let mut data = Assembly::parse(good).bytes().split_off(good.len() - data_len(good));
                (0..dice.times()).for_each(|_| dice.mutate(&mut data));
                sealed(1, &data)
            }
            4..=6 => {
                // In columns, their lengths made right as well.
                let mut assembly = Assembly::parse(good);
                for _ in 0..dice.times() {
                    let at = dice.below(assembly.columns.len());
                    dice.mutate(&mut assembly.columns[at].1);
                }
                assembly.bytes()
            }
            _ => {
                // A column of another change.
                let mut assembly = Assembly::parse(good);
                let other = Assembly::parse(&story.steps[dice.below(story.steps.len())].1);
                let (at, from) = (dice.below(assembly.columns.len()), dice.below(other.columns.len()));
                assembly.columns[at].1.clone_from(&other.columns[from].1);
                assembly.bytes()
            }
        };
        let Ok(read) = decode(&mutant, story.kind) else { continue };
        assert_eq!(encode(&read.change).map(|e| e.bytes), Ok(mutant.clone()), "case {case}");
        accepted += u64::from(mutant != *good);
        if mutant != *good && fits(doc, &read.change) {
            applied += 1;
            let tried = catch_unwind(AssertUnwindSafe(|| live_with(doc, story.kind, &mutant, &read)));
            assert!(tried.is_ok(), "case {case}: {:?}", read.change);
        }
    }
    // The test means nothing if too few mutants come through.
    assert!(applied * 100 > CASES && accepted > applied, "{accepted} accepted, {applied} applied of {CASES}");
}

fn data_len(bytes: &[u8]) -> usize {
    let mut r = crate::codec::Reader::new(&bytes[9..]);
    r.uint().unwrap() as usize
}
