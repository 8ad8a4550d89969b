//! What people do at a place, on real databases: alone, and between a district, a town and two villages.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

mod alone;
mod federation;
mod import;
mod projector;
mod several;
