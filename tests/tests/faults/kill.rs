//! `kill -9` of either side at random moments, under load: people write at both, a link transfers.
//!
//! It shows that nothing is acknowledged before it is handed to the system, at any moment. It cannot show
//! that the disk has it — the page cache outlives a process; for that see [`crate::disk`].

use crate::{
    pair::{Pair, Writers},
    process::until,
    tools::long,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::time::{Duration, Instant};

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let cycles: u32 = match std::env::var("YISHI_KILLS") {
        Ok(n) => n.parse().unwrap(),
        Err(_) if long() => 1_000,
        Err(_) => 20,
    };
    let seed = std::env::var("YISHI_SEED").map_or(7, |s| s.parse().unwrap());
    let mut rng = StdRng::seed_from_u64(seed);
    let mut pair = Pair::start();
    let writers = Writers::start(&pair, Duration::from_millis(25));
    let (mut while_transferring, mut down, mut victims) = (0, Duration::ZERO, [0, 0]);
    let began = Instant::now();
    for cycle in 0..cycles {
        std::thread::sleep(Duration::from_millis(rng.random_range(0..300)));
        let village = rng.random_bool(0.5);
        victims[usize::from(village)] += 1;
        while_transferring += usize::from(pair.village.waiting().is_some_and(|n| n > 0));
        let victim = if village { &mut pair.village } else { &mut pair.town };
        victim.kill();
        std::thread::sleep(Duration::from_millis(rng.random_range(0..50)));
        let from = Instant::now();
        victim.start();
        down += from.elapsed();
        if cycle % 100 == 99 {
            println!("{} cycles, {} acts acknowledged, seed {seed}", cycle + 1, writers.told_so_far());
        }
    }
    let (told, refused) = writers.stop();
    let took = began.elapsed();
    let back = pair.back_in_step();
    let matters = pair.holds(&told);
    println!(
        "kill -9: {cycles} cycles (seed {seed}; {} township, {} village) in {:.0} s; {} with entries under way; \
         {} acts acknowledged, {refused} requests not; acknowledged acts lost: 0; audited {matters} matters; \
         back in step {:.2} s after the last start; a start takes {:.0} ms",
        victims[0],
        victims[1],
        took.as_secs_f64(),
        while_transferring,
        told.count(),
        back.as_secs_f64(),
        down.as_secs_f64() * 1_000.0 / f64::from(cycles),
    );
    assert!(told.by_village.len() > 5 && told.by_town.len() > 5, "hardly anything was written");
    assert!(while_transferring > 0 || cycles < 20, "no kill while anything was under way");
}

#[test]
fn a_village_killed_in_its_first_minute_joins_as_if_nothing_had_been() {
    let mut pair = Pair::start();
    pair.village.kill();
    pair.village.start();
    until("the link is there", || pair.in_step());
    pair.holds(&crate::pair::Told::default());
}
