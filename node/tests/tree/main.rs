//! What the tree of places decides: who receives what, before and after places are moved.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

mod dashboard;
mod excluded;
mod nodes;
mod opened;
mod supervised;
mod township;
