//! Named cases on the simulator: each a story a reader can follow.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod cloned;
mod forgetting;
mod merged;
mod moved;
mod parked;
mod pinned;
mod restored;
mod revoked;
mod standby;
mod torn;
mod widening;
mod withheld;
