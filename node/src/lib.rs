//! One place's server.
//!
//! ```text
//! http ──▶ actions ──▶ store ◀── link ◀──▶ other nodes
//!   └─▶ sheets ─┘
//!                        │
//!                     projector ──▶ read models
//! ```
//!
//! [`run`] is the only file that knows all parts.

pub mod actions;
pub mod arrivals;
pub mod audit;
pub mod backup;
pub mod clock;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod exit;
pub mod home;
pub mod http;
pub mod life;
pub mod likeness;
pub mod link;
pub mod local;
pub mod pictures;
pub mod projector;
mod register_rows;
pub mod root;
pub mod run;
pub mod setup;
pub mod sheets;
pub mod standby;
mod standing;
pub mod store;
pub mod terminal;
pub mod verify;
