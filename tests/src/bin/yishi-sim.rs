//! `yishi-sim`: the simulator over many seeds. `tests/run sim` builds it optimised and with all debug
//! assertions.

use clap::Parser;
use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use yishi_tests::sim::{Failure, Plan, Sums, run, shrink};

/// Runs whole federations through faults that seeds choose, and judges what is left. The first failure is
/// shortened and printed; everything needed to see it again is in it.
#[derive(Debug, Parser)]
#[command(name = "yishi-sim", version, max_term_width = 100)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 5_000)]
    seeds: u64,
    /// The first one.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Every so manieth of them: `--from 3 --step 4` are those with rare events.
    #[arg(long, default_value_t = 1)]
    step: u64,
    /// Only this one.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Places, instead of what the seed chooses: from 3 to 2,000.
    #[arg(long)]
    nodes: Option<usize>,
    /// Events, instead of some seventy.
    #[arg(long)]
    events: Option<usize>,
    /// Runs side by side: more than there are cores, since a run waits for its databases' writers.
    #[arg(long, default_value_t = 4)]
    threads: usize,
    /// Plant every bug there is a switch for, one after the other, and say which checker catches it.
    #[arg(long)]
    planted: bool,
    /// Print a failing run as it is, without looking for a shorter one.
    #[arg(long)]
    whole: bool,
}

fn plan(args: &Args, seed: u64) -> Plan {
    match (args.nodes, args.events) {
        (None, None) => Plan::of(seed),
        (nodes, events) => Plan::sized(seed, nodes.unwrap_or(4), events.unwrap_or(70)),
    }
}

/// Seeds for one planted bug: the rarest needs some hundred.
const PLANTED_SEEDS_MAX: u64 = 1_000;

#[cfg(debug_assertions)]
fn planted(seeds: u64) -> ExitCode {
    use yishi_protocol::planted::Bug;
    use yishi_tests::sim::proof::{self, By};
    let caught = proof::prove(Bug::ALL, seeds, |c| {
        match &c.found {
            Some((By::Story(name), failure)) => println!("{:?}: caught in {name}: {failure}", c.bug),
            Some((By::Seed(seed), failure)) => println!("{:?}: caught by seed {seed}: {failure}", c.bug),
            None => println!("{:?}: NOT CAUGHT by {seeds} seeds", c.bug),
        }
        for (story, why) in &c.broken {
            println!("{:?}: {story} does not show it: {why}", c.bug);
        }
    });
    let missed = caught.iter().filter(|c| c.found.is_none() || !c.broken.is_empty()).count();
    println!("{} bugs planted, {} caught", caught.len(), caught.len() - missed);
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(not(debug_assertions))]
fn planted(_: u64) -> ExitCode {
    eprintln!("no bug can be planted in a release build; tests/run sim --planted builds what is needed");
    ExitCode::FAILURE
}

fn main() -> ExitCode {
    let args = Args::parse();
    // A panic is reported as the failure of its seed.
    std::panic::set_hook(Box::new(|_| ()));
    if args.planted {
        return planted(args.seeds.min(PLANTED_SEEDS_MAX));
    }
    let seeds = args.seed.map_or(args.from..args.from + args.seeds, |s| s..s + 1);
    let (next, done) = (AtomicU64::new(seeds.start), AtomicU64::new(0));
    let (failed, sums) = (Mutex::new(None::<(u64, Failure)>), Mutex::new(Sums::default()));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..args.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(args.step.max(1), Ordering::SeqCst);
                    let over = failed.lock().unwrap_or_else(PoisonError::into_inner).is_some();
                    if over || seed >= seeds.end {
                        return;
                    }
                    match run(&plan(&args, seed)) {
                        Ok(ended) => sums.lock().unwrap_or_else(PoisonError::into_inner).add(&ended.sums),
                        Err(failure) => {
                            failed
                                .lock()
                                .unwrap_or_else(PoisonError::into_inner)
                                .get_or_insert((seed, failure));
                        }
                    }
                    let done = done.fetch_add(1, Ordering::SeqCst) + 1;
                    if done.is_multiple_of(500) {
                        eprintln!("{done} seeds, {:.0} s", started.elapsed().as_secs_f64());
                    }
                }
            });
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    if let Some((seed, failure)) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let plan = plan(&args, seed);
        eprintln!("seed {seed} fails ({failure}); looking for a shorter trace");
        let (plan, failure) = if args.whole { (plan, failure) } else { shrink::shrink(&plan, &failure) };
        println!("{}", shrink::told(&plan, &failure));
        return ExitCode::FAILURE;
    }
    let sums = sums.into_inner().unwrap_or_else(PoisonError::into_inner);
    let ran = (seeds.end - seeds.start).div_ceil(args.step.max(1));
    println!("{ran} seeds hold, {seconds:.0} s\n{sums:#?}");
    let never = sums.never();
    if !never.is_empty() && ran >= 500 {
        println!("never happened, so nothing was tried: {}", never.join(", "));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
