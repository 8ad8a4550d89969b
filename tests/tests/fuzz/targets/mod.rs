//! What is tried on bytes from nowhere: each target is one function of bytes that returns or fails.
//!
//! They are compiled twice: into the workspace's test `fuzz`, which runs them on kept inputs and a bounded
//! number of mutants, and into the binaries of `tests/fuzz`, where libFuzzer looks for new inputs.

// Each of libFuzzer's binaries uses one of them.
#![allow(dead_code)]

pub(crate) mod block;
pub(crate) mod change;
pub(crate) mod choice;
#[path = "../../gate/federation.rs"]
pub(crate) mod federation;
pub(crate) mod frame;
pub(crate) mod gate;
pub(crate) mod life;
pub(crate) mod reconcile;
pub(crate) mod records;
pub(crate) mod session;

/// A target.
pub(crate) type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub(crate) const ALL: [(&str, Target); 7] = [
    ("change", change::run),
    ("records", records::run),
    ("frame", frame::run),
    ("block", block::run),
    ("reconcile", reconcile::run),
    ("session", session::run),
    ("gate", gate::run),
];
