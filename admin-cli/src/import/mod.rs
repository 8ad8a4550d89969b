//! Reading other people's tables: from a file to rows that may be sent, and reasons for those that may not.
//!
//! The way of a row: [`sheet`] finds the encoding and the cells, [`columns`] says which cell is what,
//! [`clean`] and [`dates`] make text and days of them, and [`rows`] takes the row or says why not.
//! Nothing here talks to a node, so `--dry-run` is everything in this folder and nothing else.

pub mod clean;
pub mod columns;
pub mod dates;
pub mod rows;
pub mod sheet;
