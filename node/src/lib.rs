//! One place's server.

pub mod clock;
