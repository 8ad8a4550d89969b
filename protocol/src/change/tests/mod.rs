//! The codec against Automerge itself: same bytes, same hash, same values.

mod yardstick;
