//! The real programs as processes: killed in the middle of a catch-up, given bad input, playing the
//! demonstration. They are built beforehand: `tests/run` does, or `cargo build -p yishi-node`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod backup;
mod bad_input;
mod demo;
mod killed;
mod process;
mod renewed;
mod root_key;
mod standby;
mod stolen;
mod working;
