//! The store's contract, on a real database in a directory of its own per test.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod desk;
mod faults;
mod federation;
mod feeds;
mod files;
mod inbox;
