//! The fuzz targets on stable Rust: every kept input, then a bounded number of mutants from a fixed seed;
//! and each input that once broke something, by name. `tests/run fuzz SECONDS` lets libFuzzer look for more.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target reports by failing"
)]

mod found;
mod seeds;
mod short;
mod targets;
