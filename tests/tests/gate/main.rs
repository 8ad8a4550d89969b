//! A forging township before the district's gate: each attempt is refused for its own named reason, and
//! what came honestly in the very same block is admitted all the same.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod attempts;
mod chunks;
mod federation;
mod missing;
mod passed_on;
mod room;
mod round_trip;
