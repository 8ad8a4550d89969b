//! The usual shapes of an address.

use super::{Need, Op, Route};

pub(super) const fn read(
    op: Op,
    path: &'static str,
    need: Need,
    words: (&'static str, &'static str),
    query: &'static [&'static str],
    gives: &'static str,
) -> Route {
    Route { op, method: "GET", path, need, words, query, takes: None, gives: (200, gives), creates: false }
}

pub(super) const fn create(
    op: Op,
    path: &'static str,
    need: Need,
    words: (&'static str, &'static str),
    takes: &'static str,
    gives: (u16, &'static str),
) -> Route {
    Route { op, method: "POST", path, need, words, query: &[], takes: Some(takes), gives, creates: true }
}

/// What is asked with a body and changes nothing.
pub(super) const fn tried(
    op: Op,
    path: &'static str,
    need: Need,
    words: (&'static str, &'static str),
    takes: &'static str,
    gives: &'static str,
) -> Route {
    let gives = (200, gives);
    Route { op, method: "POST", path, need, words, query: &[], takes: Some(takes), gives, creates: false }
}

pub(super) const fn ended(
    op: Op,
    path: &'static str,
    need: Need,
    words: (&'static str, &'static str),
) -> Route {
    Route {
        op,
        method: "DELETE",
        path,
        need,
        words,
        query: &[],
        takes: None,
        gives: (204, ""),
        creates: false,
    }
}
