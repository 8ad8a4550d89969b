//! Every crafted change known to hurt Automerge, each named for what it does to it: the reader refuses it, the
//! gate refuses it though its author signed it, what came honestly in the same block is stored, and neither
//! takes more time or memory than a change of its size may.
//!
//! A binary of its own: it counts every allocation of the process, so its one test runs alone.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "the gate's tests use the rest")]
#[path = "../gate/federation.rs"]
mod federation;
mod parts;

use federation::{Document, Federation, comment, voices};
use parts::{Parts, leb, run, sealed};
use sha2::{Digest, Sha256};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::{
    alloc::System,
    time::{Duration, Instant},
};
use yishi_protocol::{
    change::{self, Change},
    gate::Refusal,
    ids::ChangeHash,
    kind::Kind,
    limits::{CHANGE_BYTES_MAX, CHANGE_OPS_MAX, OP_COUNTER_MAX},
    value::{Map, Value},
    wire::{Block, BlockActor, DocRef, Elided, Section, Shape, SignedAt},
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Everything allocated while a crafted change is read or judged, freed again or not.
const REFUSED_BYTES_MAX: usize = 256 * 1024;
/// The same for the largest change that may be: one value for each of 65,536 operations.
const LARGEST_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Unoptimised, on a busy machine; a refusal takes microseconds.
const REFUSED_WITHIN: Duration = Duration::from_millis(250);

/// Runs and returns what it allocated; fails if it took too long.
fn bounded<T>(name: &str, bytes_max: usize, work: impl FnOnce() -> T) -> T {
    let (region, since) = (Region::new(ALLOCATOR), Instant::now());
    let done = work();
    let (took, stats) = (since.elapsed(), region.change());
    let bytes = stats.bytes_allocated;
    assert!(bytes <= bytes_max, "{name}: {bytes} bytes allocated");
    assert!(took <= REFUSED_WITHIN, "{name}: {took:?}");
    done
}

/// Who must refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// Its bytes are no change of ours.
    Reader,
    /// They are, and do not fit this history.
    Gate,
}

/// A crafted change of the town's comment.
struct Crafted {
    name: &'static str,
    by: By,
    bytes: Vec<u8>,
}

/// The honest change everything is made from: two others' heads as dependencies, text, a scalar, a map.
fn honest(fed: &Federation, doc: &Document) -> Change {
    let mut value = comment("情况属实");
    value.insert("votes".into(), Value::Map(Map::from([("m1".into(), Value::Int(-300))])));
    doc.next(fed.town.actor, voices(), value)
}

fn crafted(fed: &Federation, doc: &Document) -> Vec<Crafted> {
    let good = honest(fed, doc);
    let chunk = change::encode(&good).unwrap().bytes;
    let mut all = Vec::new();
    let mut add = |name, by, bytes| all.push(Crafted { name, by, bytes });
    let parts = |edit: &dyn Fn(&mut Parts)| {
        let mut parts = Parts::of(&chunk);
        edit(&mut parts);
        parts.bytes(1)
    };
    let written = |edit: &dyn Fn(&mut Change)| {
        let mut change = good.clone();
        edit(&mut change);
        change::encode(&change).unwrap().bytes
    };

    // Panics.
    add("an unknown actor at seq 2", By::Gate, written(&|c| c.seq = 2));
    let village = |seq: u64| {
        let mut change = doc.next(fed.village.actor, voices(), comment("跳号"));
        change.seq = change.seq.wrapping_add(seq);
        change::encode(&change).unwrap().bytes
    };
    add("a gap in a known actor's numbers", By::Gate, village(3));
    add("a number used before", By::Gate, village(u64::MAX));
    add(
        "an author footer above seq 1",
        By::Reader,
        parts(&|p| {
            p.seq = 2;
            p.extra = [&[1, 16][..], &[7; 16]].concat();
        }),
    );
    add("operations that begin at the end of u32", By::Reader, parts(&|p| p.start_op = u64::from(u32::MAX)));
    add("operations that begin at the end of u64", By::Reader, parts(&|p| p.start_op = u64::MAX));
    add("operations beyond our own bound", By::Reader, parts(&|p| p.start_op = OP_COUNTER_MAX));
    add("an actor index that is not listed", By::Reader, parts(&|p| p.others.clear()));
    add("an actor index from nowhere", By::Reader, parts(&|p| p.column(Parts::OBJECT_ACTOR)[1] = 0x7e));
    add(
        "an object that is not there",
        By::Reader,
        parts(&|p| {
            let last = p.column(Parts::OBJECT_COUNTER).len() - 1;
            p.column(Parts::OBJECT_COUNTER)[last] ^= 0x15;
        }),
    );
    add(
        "an element that is not there",
        By::Reader,
        parts(&|p| {
            // The characters' distances from each other, then the rows that are in no text.
            let end = p.column(Parts::ELEMENT_COUNTER).len();
            assert_eq!(p.column(Parts::ELEMENT_COUNTER)[end - 4..], [2, 1, 0, 2]);
            p.column(Parts::ELEMENT_COUNTER)[end - 3] = 5;
        }),
    );
    add(
        "a map key in a text",
        By::Reader,
        parts(&|p| {
            let column = p.column(Parts::KEY);
            let after = column.windows(4).position(|w| w == b"text").unwrap() + 4;
            // Five keys, then four rows without one: now six, and three.
            assert_eq!((column[0], &column[after..after + 2]), (0x7b, &[0, 4][..]));
            column[0] = 0x7a;
            column.splice(after..after + 2, [1, b'x', 0, 3]);
        }),
    );

    // Hangs, or eats the memory.
    add("a compressed chunk", By::Reader, Parts::of(&chunk).bytes(2));
    add("a compressed chunk that inflates to 206 million bytes", By::Reader, sealed(2, &bomb()));
    add("a compressed column", By::Reader, parts(&|p| p.columns[4].0 |= 8));
    for claimed in [CHANGE_OPS_MAX + 1, 1 << 40, i64::MAX as u64] {
        add(
            "a run of actions that expands to 2⁴⁰ operations",
            By::Reader,
            parts(&|p| {
                *p.column(Parts::ACTION) = run(claimed, 1);
            }),
        );
        for column in Parts::RUNS {
            add(
                "a run in another column that expands to 2⁴⁰ rows",
                By::Reader,
                parts(&|p| {
                    *p.column(column) = run(claimed, 0);
                }),
            );
        }
        add(
            "nulls for 2⁴⁰ rows",
            By::Reader,
            parts(&|p| {
                *p.column(Parts::KEY) = [&[0][..], &leb(claimed)].concat();
            }),
        );
        add("booleans for 2⁴⁰ rows", By::Reader, parts(&|p| *p.column(Parts::INSERT) = leb(claimed)));
    }
    add("a run of dependencies that is not there", By::Reader, parts(&|p| p.claimed_deps = Some(1 << 40)));
    add(
        "a value longer than the change",
        By::Reader,
        parts(&|p| {
            *p.column(Parts::VALUE_KIND) = [&[0x7f][..], &leb(u64::MAX << 4 | 6)].concat();
        }),
    );

    // Accepted, and later broken.
    add("operations that begin too low", By::Gate, written(&|c| c.start_op -= 1));
    add("operations that begin too high", By::Gate, written(&|c| c.start_op += 1));
    let action = |n: u8| {
        parts(&|p| {
            let last = p.column(Parts::ACTION).len() - 1;
            p.column(Parts::ACTION)[last] = n;
        })
    };
    add("a delete without predecessor", By::Reader, action(3));
    add("an increment", By::Reader, action(5));
    add("a mark", By::Reader, action(7));
    add(
        "a predecessor",
        By::Reader,
        parts(&|p| {
            p.column(Parts::PREDECESSORS)[1] = 1;
            p.columns.push((113, vec![0x7f, 0]));
            p.columns.push((115, vec![0x7f, 1]));
        }),
    );
    add(
        "predecessors that are counted and not named",
        By::Reader,
        parts(&|p| p.column(Parts::PREDECESSORS)[1] = 1),
    );
    add("dependencies out of order", By::Reader, parts(&|p| p.deps.insert(0, [0xff; 32])));
    add("a dependency twice", By::Reader, parts(&|p| p.deps.push(p.deps[0])));
    add("an actor listed and not used", By::Reader, parts(&|p| p.others.push(vec![9; 16])));
    add("the author listed among the others", By::Reader, parts(&|p| p.others.push(p.actor.clone())));
    add(
        "runs longer than needed",
        By::Reader,
        parts(&|p| {
            let rows = p.column(Parts::PREDECESSORS)[0];
            *p.column(Parts::PREDECESSORS) = vec![2, 0, rows - 2, 0];
        }),
    );
    add(
        "a number longer than needed",
        By::Reader,
        parts(&|p| {
            let rows = p.column(Parts::PREDECESSORS)[0];
            *p.column(Parts::PREDECESSORS) = vec![rows | 0x80, 0, 0];
        }),
    );

    // What is read without its checksum, and what is no change at all.
    add("a wrong checksum", By::Reader, {
        let mut bytes = chunk.clone();
        bytes[4] ^= 1;
        bytes
    });
    add("a whole document as a change", By::Reader, Parts::of(&chunk).bytes(0));
    add("a bundle as a change", By::Reader, Parts::of(&chunk).bytes(3));
    add("two changes in one", By::Reader, [&chunk[..], &chunk].concat());
    add("half a change", By::Reader, chunk[..chunk.len() / 2].to_vec());
    add("a change that is larger than any", By::Reader, sealed(1, &vec![0; CHANGE_BYTES_MAX]));
    add("a time", By::Reader, parts(&|p| p.time = 1));
    add("a message", By::Reader, parts(&|p| p.message = b"hi".to_vec()));
    all
}

/// Deflate's beginning of endless zeros: each further byte inflates to a thousand, these to 206 million.
fn bomb() -> Vec<u8> {
    let begin = [0xec, 0xc1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x80, 0x90, 0xfe, 0xaf, 0xee, 0x08, 0x0a];
    [&begin[..], &[0; 200_000]].concat()
}

/// The block that carries the crafted change between two honest sections, signed by its author.
fn block(fed: &Federation, doc: &Document, around: &[Document; 2], bytes: &[u8]) -> Block {
    let actors = [&fed.village, &fed.town].map(|m| BlockActor { record: m.record() });
    let section = |of: &Document, actor: usize, shape: Shape, hash: &ChangeHash| {
        let cover = fed.sign([&fed.village, &fed.town][actor], &of.id, hash);
        Section {
            doc: DocRef::Known(of.id),
            grants: vec![],
            wraps: vec![],
            changes: vec![Elided { actor, shape }],
            signed: vec![SignedAt { change: 0, cert: cover.cert, signature: cover.signature }],
        }
    };
    let hash = ChangeHash(Sha256::digest(bytes.get(8..).unwrap_or_default()).into());
    // A number in the village's name is signed with the village's key: it is its own author who tries.
    let village = change::peek(bytes).is_ok_and(|p| p.actor == fed.village.actor);
    let attempt = section(doc, usize::from(!village), Shape::Raw(bytes.to_vec()), &hash);
    let [first, last] = around.each_ref().map(|honest| {
        let at = honest.changes.len() - 1;
        section(honest, 0, Shape::Raw(honest.bytes(at)), &honest.changes[at].hash)
    });
    let sections = vec![first, attempt, last];
    Block {
        from: 0,
        to: 1,
        digest: [0; 16],
        certs: vec![],
        revocations: vec![],
        placements: vec![],
        openings: vec![],
        actors: actors.into(),
        sections,
    }
}

#[test]
fn crafted_changes_are_refused_in_bounded_time_and_memory() {
    let fed = Federation::new();
    let doc = fed.matter();
    let chunk = change::encode(&honest(&fed, &doc)).unwrap().bytes;
    assert_eq!(Parts::of(&chunk).bytes(1), chunk, "taken apart and put together it is the same");
    assert!(change::decode(&chunk, Kind::Proposal).is_ok());

    // Two other documents of which the last change comes along honestly.
    let around = [50, 51].map(|nonce| {
        let mut of = fed.document(Kind::Proposal, &fed.village, nonce, &fed.path());
        of.voice(&fed, &fed.village, yishi_protocol::act::Voice::Support { count: None, note: None });
        of
    });
    let before: Vec<Document> = around
        .iter()
        .map(|of| {
            let mut before = fed.document(Kind::Proposal, &fed.village, of.header.nonce[0], &fed.path());
            assert_eq!(before.id, of.id);
            before.changes.truncate(1);
            before
        })
        .collect();
    let known = [&doc, &before[0], &before[1]];
    let judge = |bytes: &[u8]| fed.judge_read(&block(&fed, &doc, &around, bytes), &known);
    let taken = judge(&chunk);
    assert!(taken.refused.is_empty() && taken.stored.len() == 3, "{:?}", taken.refused);

    let all = crafted(&fed, &doc);
    assert!(all.len() > 50);
    for Crafted { name, by, bytes } in &all {
        let read = bounded(name, REFUSED_BYTES_MAX, || change::decode(bytes, Kind::Proposal));
        assert_eq!(read.is_err(), *by == By::Reader, "{name}: {read:?}");
        let _ = bounded(name, REFUSED_BYTES_MAX, || {
            (change::peek(bytes).is_ok(), change::lineage(bytes).is_ok(), change::split(bytes).count())
        });
        let allowed = REFUSED_BYTES_MAX + 3 * bytes.len();
        let verdicts = bounded(name, allowed, || judge(bytes));
        let refused: Vec<_> = verdicts.refused.iter().map(|(doc, _, why)| (*doc, why.clone())).collect();
        let [(of, why)] = refused.as_slice() else { panic!("{name}: {refused:?}") };
        assert_eq!(*of, doc.id, "{name}");
        assert_eq!(matches!(why, Refusal::Change(_)), *by == By::Reader, "{name}: {why}");
        assert_eq!(matches!(why, Refusal::History), *by == By::Gate, "{name}: {why}");
        assert_eq!(verdicts.stored.len(), 2, "{name}: what came honestly is stored");
    }
    the_largest_that_may_be();
}

/// The other end of the bound: few bytes that honestly are 65,536 values.
fn the_largest_that_may_be() {
    let fed = Federation::new();
    let doc = fed.matter();
    let list = Value::List(vec![Value::Null; CHANGE_OPS_MAX as usize - 2]);
    let change = doc.next(fed.town.actor, voices(), Map::from([("l".into(), list)]));
    let bytes = change::encode(&change).unwrap().bytes;
    assert!(bytes.len() < 500, "{} bytes", bytes.len());
    let region = Region::new(ALLOCATOR);
    let read = change::decode(&bytes, Kind::Proposal).unwrap();
    let allocated = region.change().bytes_allocated;
    assert!(allocated <= LARGEST_BYTES_MAX, "{allocated} bytes for {} operations", read.op_count);
    assert_eq!(read.op_count, CHANGE_OPS_MAX);
}
