//! Three levels in virtual time, on real databases: what people do, lines that break, machines that die.
//!
//! A seed gives the schedule: who acts when, which line is cut, which node is killed. Nothing sleeps.
//! `YISHI_SIM_SEEDS=N` runs N seeds, `YISHI_SIM_SEED=S` one of them again.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod line;
mod node;
mod restored;
mod story;
mod widening;
mod world;

use story::Story;

/// Seeds when nobody says how many.
const SEEDS: u64 = 20;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|n| n.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// Runs side by side: most of a run is waiting for the disk.
const AT_ONCE: usize = 4;

fn one(seed: u64) -> story::Sums {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut story = Story::begin(seed).await;
        story.unfold(150).await;
        story.heal().await;
        story.judge().await;
        story.sums
    })
}

#[test]
fn whatever_happens_on_the_way_everybody_ends_with_the_same_and_nothing_acknowledged_is_lost() {
    let seeds = match number("YISHI_SIM_SEED") {
        Some(one) => one..one + 1,
        None => 0..number("YISHI_SIM_SEEDS").unwrap_or(SEEDS),
    };
    let mut sums = story::Sums::default();
    for group in seeds.collect::<Vec<_>>().chunks(AT_ONCE) {
        let running: Vec<_> = group
            .iter()
            .map(|s| {
                (
                    *s,
                    std::thread::spawn({
                        let s = *s;
                        move || one(s)
                    }),
                )
            })
            .collect();
        for (seed, run) in running {
            let done = run.join();
            let done =
                done.unwrap_or_else(|_| panic!("seed {seed} failed: YISHI_SIM_SEED={seed} tests/run sim"));
            sums.add(&done);
        }
    }
    println!("{sums:?}");
    assert!(sums.acts > 0 && sums.crashes > 0 && sums.cuts > 0 && sums.doubled > 0, "{sums:?}");
}
