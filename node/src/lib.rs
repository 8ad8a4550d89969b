//! One place's server.
