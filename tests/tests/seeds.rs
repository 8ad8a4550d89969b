//! Whatever happens on the way, everybody ends with the same and nothing acknowledged is lost.
//!
//! A few seeds here; `tests/run sim` runs thousands, optimised.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails loudly")]

use yishi_tests::sim::{Plan, Sums, run, shrink};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|n| n.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

#[test]
fn a_few_seeds() {
    let seeds = match number("YISHI_SIM_SEED") {
        Some(one) => one..one + 1,
        None => 0..number("YISHI_SIM_SEEDS").unwrap_or(20),
    };
    let mut sums = Sums::default();
    for seed in seeds {
        let plan = Plan::of(seed);
        match run(&plan) {
            Ok(done) => sums.add(&done.sums),
            Err(failure) => {
                let (shortest, failure) = shrink::shrink(&plan, &failure);
                panic!("{}", shrink::told(&shortest, &failure));
            }
        }
    }
    println!("{sums:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [3, 7] {
        let prints: Vec<[u8; 32]> = (0..2).map(|_| run(&Plan::of(seed)).unwrap().print).collect();
        assert_eq!(prints[0], prints[1], "seed {seed}");
    }
}
