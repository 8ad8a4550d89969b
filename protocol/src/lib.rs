//! What all Yishi nodes agree on.
//!
//! This crate is pure: it has no sockets, no files, no clock and no entropy. Time and randomness are
//! arguments; bytes come in and go out. `yishi-node` drives it with tokio, the tests with a simulator.
//!
//! The way of a change: an *act* ([`act`]) is written as one canonical Automerge change ([`change`]),
//! signed ([`key`]) under a certificate ([`cert`]), stored, sent over a link ([`session`], [`wire`]),
//! admitted by the receiver's gate ([`gate`]), stored there, acknowledged with a signed receipt
//! ([`receipt`]) and folded with the document's other changes into what people see ([`fold`]).

pub mod act;
pub mod attachment;
pub mod audience;
pub mod beside;
pub mod branch;
pub mod calendar;
pub mod cert;
pub mod change;
pub mod charter;
pub mod codec;
pub mod commit;
pub mod csv;
mod file_words;
pub mod fold;
pub mod gate;
pub mod header;
pub mod ids;
pub mod invite;
pub mod key;
pub mod kind;
pub mod limits;
mod named;
pub mod nearest;
pub mod number;
pub mod place;
pub mod planted;
pub mod problem;
pub mod procedure;
pub mod receipt;
pub mod reconcile;
pub mod room;
pub mod root_key;
pub mod seal;
pub mod session;
pub mod value;
pub mod wire;
