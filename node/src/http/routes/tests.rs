//! What the table of addresses holds to.

use super::*;
use std::collections::BTreeSet;

#[test]
fn no_address_stands_twice() {
    let all: BTreeSet<_> = ROUTES.iter().map(|r| (r.method, r.path)).collect();
    assert_eq!(all.len(), ROUTES.len());
    let ops: BTreeSet<_> = ROUTES.iter().map(|r| format!("{:?}", r.op)).collect();
    assert_eq!(ops.len(), ROUTES.len());
}

#[test]
fn what_changes_something_needs_a_permission() {
    for r in ROUTES {
        let sign_in = matches!(r.op, Op::SignIn | Op::SignOut);
        assert!(r.method == "GET" || sign_in || matches!(r.need, Need::May(_)), "{:?}", r.op);
    }
}

#[test]
fn allow_lists_the_methods() {
    assert_eq!(methods_at("/api/v1/matters"), "GET, POST, HEAD");
    assert_eq!(methods_at("/api/v1/session"), "POST, DELETE");
}
