//! One place's server.

pub mod clock;
pub mod config;
pub mod demo;
pub mod home;
pub mod life;
pub mod link;
pub mod setup;
pub mod store;
