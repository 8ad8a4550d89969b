//! What can happen, and what a seed makes of it.

use super::{Shape, line::Garble, rare};
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// One thing that happens. Numbers without a meaning of their own (`pick`, `dice`) choose among what is
/// there at that moment, so that an event means something whatever was left out before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A matter is raised at a village, and perhaps escalated at once, perhaps for a named petitioner.
    Raise { at: u32, escalate: bool, sealed: bool },
    /// Somebody does one of the things the program offers for some matter.
    Act { at: u32, doc: u32, pick: u32 },
    /// A vote is counted for some matter, whether or not it is the time for it.
    Vote { at: u32, doc: u32, dice: u32 },
    /// Lists catch up at one node.
    Project { at: u32 },
    /// A line is cut, or mended.
    Cut { child: u32, cut: bool },
    /// A connection drops; what was under way is lost.
    Drop { child: u32 },
    /// A child dials, connected or not.
    Dial { child: u32 },
    /// Time passes; frames take up to so long.
    Pass { ms: u32, delay_ms: u32, dice: u32 },
    /// One village's frames take minutes.
    Slow { child: u32, ms: u32 },
    /// A process dies.
    Kill { at: u32 },
    /// The power goes.
    PowerCut { at: u32, dice: u32 },
    /// The power goes in the midst of the next writes.
    PowerGoing { at: u32, writes: u32 },
    /// The disk is nearly full, or has room again.
    FullDisk { at: u32, bytes: Option<u32> },
    /// The disk's `fsync` fails from now on, until the next death.
    BadDisk { at: u32, syncs: u32 },
    /// A backup is made.
    Backup { at: u32 },
    /// The last backup is put back, with or without the nonce beside the database.
    PutBack { at: u32, life: bool },
    /// One end of a line does something to its next frame.
    Garble { child: u32, by_parent: bool, how: Garble },
    /// A clock jumps.
    Clock { at: u32, hours: i32 },
    /// A parent withdraws a village's key.
    Revoke { village: u32 },
    /// A place's charter issues the next version of a procedure.
    Issue { at: u32 },
    /// A matter is taken up under such a procedure, or goes its way under it.
    Bind { at: u32, doc: u32, pick: u32 },
    /// What a node writes becomes visible on its feeds only after a while.
    Late { at: u32, ms: u32 },
    /// One above a place renames, moves or merges it.
    Place { place: u32, by: u32, how: u32 },
    /// A village's database is copied to a second machine, and both go on.
    Copy { village: u32 },
    /// One end of a line hangs: it hears nothing and says nothing.
    Stall { child: u32, by_parent: bool, ms: u32 },
}

/// One run: the places, and what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// The places.
    pub shape: Shape,
    /// What happens, in this order.
    pub events: Vec<Event>,
}

/// Events of one run: enough for a matter's whole way with several faults on it.
const EVENTS: usize = 70;

impl Plan {
    /// What a seed makes: three to nine places.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let shape = match rng.random_range(0..10) {
            0..2 => Shape(vec![1]),
            2..8 => Shape(vec![2]),
            8 => Shape(vec![1, 2]),
            _ => Shape(vec![2, 2, 1]),
        };
        Self::with(seed, rare::shape(seed, shape), EVENTS, &mut rng)
    }

    /// The same for other places and lengths.
    #[must_use]
    pub fn sized(seed: u64, nodes: usize, events: usize) -> Self {
        Self::with(seed, Shape::of(nodes), events, &mut StdRng::seed_from_u64(seed))
    }

    fn with(seed: u64, shape: Shape, events: usize, rng: &mut StdRng) -> Self {
        // Not every run has every kind of trouble: what is rare together is never reached otherwise.
        let troubles: [bool; 5] = std::array::from_fn(|_| rng.random_bool(0.5));
        let events = (0..events).map(|_| event(rng, &shape, troubles)).collect();
        let events = rare::among(seed, &shape, events);
        Self { seed, shape, events }
    }
}

fn event(rng: &mut StdRng, shape: &Shape, [disk, backups, hostile, clocks, keys]: [bool; 5]) -> Event {
    let nodes = shape.nodes() as u32;
    let at = rng.random_range(0..nodes);
    let child = rng.random_range(1..nodes);
    let dice = rng.random();
    let (doc, pick) = (rng.random(), rng.random());
    match rng.random_range(0..100) {
        0..12 => Event::Raise { at, escalate: rng.random_bool(0.6), sealed: rng.random_bool(0.2) },
        12..42 => Event::Act { at, doc, pick },
        42..45 => Event::Vote { at, doc, dice },
        45..51 => Event::Project { at },
        51..56 => Event::Cut { child, cut: rng.random() },
        56..59 => Event::Drop { child },
        59..70 => Event::Dial { child },
        70 => Event::Slow { child, ms: rng.random_range(1_000..200_000) },
        71..74 => Event::Kill { at },
        74..77 if disk => Event::PowerCut { at, dice },
        77..79 if disk => Event::PowerGoing { at, writes: rng.random_range(0..20) },
        79 if disk => {
            Event::FullDisk { at, bytes: rng.random_bool(0.7).then(|| rng.random_range(0..100_000)) }
        }
        80 if disk => Event::BadDisk { at, syncs: rng.random_range(0..6) },
        81..83 if backups => Event::Backup { at },
        83..85 if backups => Event::PutBack { at, life: rng.random() },
        85..88 if hostile => {
            let at = rng.random();
            let how = match rng.random_range(0..4) {
                0 => Garble::Flip(at),
                1 => Garble::Cut(at),
                2 => Garble::Twice,
                _ => Garble::Swallow,
            };
            Event::Garble { child, by_parent: rng.random(), how }
        }
        88 if clocks => Event::Clock { at, hours: rng.random_range(-72..72) },
        89 if keys => Event::Revoke { village: child },
        _ => Event::Pass { ms: rng.random_range(1..400), delay_ms: rng.random_range(1..600), dice },
    }
}
