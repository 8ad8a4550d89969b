//! Stories about matters, each rule by a named test, and random histories.

mod days;
mod flow;
mod forks;
mod others;
mod random;
mod staged;
mod unread;
mod work;
mod world;

use super::frame;

#[test]
fn the_built_in_procedure_has_the_pin_that_documents_carry() {
    assert_eq!(frame::pin(&frame::canonical_bytes()).to_string(), frame::BUILT_IN.to_string());
}
