//! A disk that can lose power, fill up and fail under the real SQLite.
//!
//! SQLite's own file layer stays underneath; this one stands before it and remembers, for every file in
//! the directories it was told of, what the last `fsync` made durable and what was written since. A
//! power cut keeps the first and any part of the second: each later write is there, torn at a sector, or
//! gone, independently of the others, as with a drive that reorders.
//!
//! Files that SQLite does not open (the node's `lock` and `life`) are not seen here. They are written
//! with `fsync` and renamed, and count as durable.

mod file;
mod vfs;

pub use file::{Chance, Counts, Disk};
pub use vfs::install;
