//! The practices that must work: one case, or a few, for each procedure file that comes with the program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod story;
mod courtyard_assembly;
mod four_deliberations;
mod four_steps;
mod good_to_discuss;
mod grid_party_cloud;
mod integrity_reply;
mod layered_consultation;
mod linked_supervision;
mod livelihood_110;
mod opinion_courier;
mod power_lists;
mod strangers;
mod tuesday_station;
mod village_self_build;
mod world;
