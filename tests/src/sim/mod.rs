//! The simulator: whole federations in virtual time, on the production state machines and the real SQLite
//! store, with a disk that loses power, lines that break, peers that lie and people who go on working.
//!
//! ```text
//!   seed ─▶ plan: a list of events ─▶ run: events on a world ─▶ checkers ─▶ fine, or a failure
//!                     ▲                                                          │
//!                     └────────────── shrink: fewer events, same failure ◀───────┘
//! ```
//!
//! An event carries its own dice, so that leaving others out changes as little as possible of it. The same
//! events give the same run: keys, nonces, delays and new lives come from the seed, nothing sleeps, and no
//! clock of the machine is read.
//!
//! Every fourth seed (those that leave three over four) has rarer events besides, see `rare`.

pub mod check;
pub mod event;
mod fresh;
pub mod line;
pub mod node;
pub mod places;
#[cfg(debug_assertions)]
pub mod proof;
mod rare;
pub mod run;
mod second;
pub mod shrink;
#[cfg(debug_assertions)]
pub mod story;
pub mod world;

pub use event::{Event, Plan};
pub use node::{MONDAY_MS, Node};
pub use places::Shape;
pub use run::{Ended, Failure, Sums, run};
pub use world::World;

/// The district of every shape.
pub const DISTRICT: usize = 0;
/// Its first town.
pub const TOWN: usize = 1;
/// The first town's first village in [`Shape::four`].
pub const LUGAO: usize = 2;
/// The first town's second village in [`Shape::four`].
pub const XINGHUA: usize = 3;

/// A runtime of its own for one run: everything on this thread, in one order. Nothing here has a socket, and
/// without them a thread that waits for its database is woken at half the price.
#[must_use]
pub fn alone<T>(run: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run)
}
