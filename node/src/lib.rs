//! One place's server.

pub mod clock;
pub mod store;
