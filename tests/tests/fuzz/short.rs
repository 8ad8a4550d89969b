//! The short run: what is kept, and a bounded number of mutants of it, always the same.

use crate::{
    seeds,
    targets::{self, Target, gate::LIVED},
};
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

/// SplitMix64: the same mutants for the same name, whatever the versions of random crates.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(name: &str) -> Self {
        Self(name.bytes().fold(0x5eed, |n, b| n * 31 + u64::from(b)))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(bytes.len());
        let end = (at + 1 + self.below(8)).min(bytes.len());
        match self.below(8) {
            _ if bytes.is_empty() => bytes.push(self.next() as u8),
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = [0, 1, 0x7f, 0x7e, 0x80, 0xff, 2, 0xfe][self.below(8)],
            2 => bytes[at] = bytes[at].wrapping_add(1),
            3 => bytes[at] = bytes[at].wrapping_sub(1),
            4 => drop(bytes.drain(at..end)),
            5 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            6 => {
                // The beginning of one, the end of another.
                let from = self.below(other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => bytes.insert(at, self.next() as u8),
        }
    }
}

/// Where a target's kept inputs are.
pub(crate) fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// Runs the target on everything kept and on `mutants` more.
fn run(name: &str, mutants: usize) {
    let (_, target) = targets::ALL.into_iter().find(|(n, _)| *n == name).unwrap();
    let mut inputs = seeds::of(name);
    let mut kept: Vec<PathBuf> =
        fs::read_dir(corpus(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    kept.sort();
    assert!(!kept.is_empty(), "the corpus of {name} is empty");
    inputs.extend(kept.iter().map(|path| fs::read(path).unwrap()));
    inputs.iter().for_each(|bytes| tried(name, target, bytes));
    let mut dice = Dice::new(name);
    for _ in 0..mutants {
        let mut bytes = inputs[dice.below(inputs.len())].clone();
        let other = &inputs[dice.below(inputs.len())];
        for _ in 0..1 + dice.below(4) {
            dice.mutate(&mut bytes, other);
        }
        tried(name, target, &bytes);
    }
}

/// Says which input it was, so that it can be kept.
fn tried(name: &str, target: Target, bytes: &[u8]) {
    if let Err(why) = catch_unwind(AssertUnwindSafe(|| target(bytes))) {
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        eprintln!("{name} fails on {hex}");
        resume_unwind(why);
    }
}

#[test]
fn changes() {
    run("change", 20_000);
}

#[test]
fn records() {
    run("records", 20_000);
}

#[test]
fn frames() {
    run("frame", 20_000);
}

#[test]
fn blocks() {
    run("block", 3_000);
}

#[test]
fn comparisons() {
    run("reconcile", 2_000);
}

#[test]
fn sessions() {
    run("session", 4_000);
}

#[test]
fn what_the_gate_accepts_lives() {
    let before = LIVED.load(Ordering::Relaxed);
    run("gate", 600);
    let lived = LIVED.load(Ordering::Relaxed) - before;
    assert!(lived > 200, "only {lived} documents passed the gate");
}
