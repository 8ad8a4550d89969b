//! The operators' command line `yishi`: reading tables so far.
pub mod import;
pub mod limits;
pub mod trouble;
pub mod words;
