//! One place's server.

pub mod actions;
pub mod clock;
pub mod config;
pub mod demo;
pub mod home;
pub mod life;
pub mod link;
pub mod projector;
pub mod setup;
pub mod store;
