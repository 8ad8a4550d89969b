//! The codec against Automerge itself: the same bytes, the same values, and no harm from crafted ones.

mod assembly;
mod crafted;
mod golden;
mod mutants;
mod yardstick;
