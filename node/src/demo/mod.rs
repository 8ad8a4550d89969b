//! The demonstration.

pub mod relay;
