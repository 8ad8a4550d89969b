//! The program `yishi` as people and scripts run it, against a small server that answers like a node.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod fake;
mod network;
mod procedures;
mod sheets;
mod tables;
mod verbs;
