//! The fold of a register: the newest stub of every matter it lists, and when places below were last heard from.
//!
//! A place's register of a month may hold thousands of changes, all by its own nodes; no causal pasts are
//! computed. In canonical order a later stub of a matter replaces an earlier one; between two written at
//! the same time by two nodes of the place, the one later in that order stands on every node.

use super::{FoldInput, digest, history::History};
use crate::{
    act::{Act, ActError, Heard, Stub, Stubs},
    change::Body,
    ids::{ActRef, DocId, Hash, PlaceId},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a place above sees of one matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StubRow {
    /// The place that registered it.
    pub home: PlaceId,
    /// Its human number.
    pub number: String,
    /// Its category.
    pub category: Option<String>,
    /// The day it was raised, in days since 1970-01-01.
    pub raised: i64,
    /// The stable name of its stage; kept as written, since a newer program may know more stages.
    pub stage: String,
    /// The day of the newest step.
    pub moved: i64,
    /// The day of its reply, if the newest one is an answer.
    pub answered: Option<i64>,
    /// The day of its reply, if the newest one says that it is not taken up or not ours.
    pub refused: Option<i64>,
    /// Who must act next.
    pub holder: Option<PlaceId>,
    /// The day by which, in days since 1970-01-01.
    pub due: Option<i64>,
    /// How many violations it lists.
    pub violations: i64,
    /// The act that said so.
    pub act: ActRef,
    /// The day it was said.
    pub on: i64,
}

impl StubRow {
    fn of(stub: Stub, act: ActRef, on: i64) -> Self {
        Self {
            home: stub.home,
            number: stub.number,
            category: stub.category,
            raised: stub.raised,
            stage: stub.stage,
            moved: stub.moved,
            answered: stub.answered,
            refused: stub.refused,
            holder: stub.holder,
            due: stub.due,
            violations: stub.violations,
            act,
            on,
        }
    }
}

/// A place's stubs of one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Register {
    /// Whose register it is.
    pub place: PlaceId,
    /// The newest stub of every matter.
    pub stubs: BTreeMap<DocId, StubRow>,
    /// The last day each place directly below it was heard from; `None` if it never was.
    pub heard: BTreeMap<PlaceId, Option<i64>>,
    /// Acts of other places, which may not write here.
    pub violations: Vec<ActRef>,
    /// Acts that could not be read.
    pub malformed: Vec<ActRef>,
    /// Acts by a revoked key after its last valid change.
    pub revoked: Vec<ActRef>,
    /// Acts that wait for a certificate or an earlier change.
    pub pending: Vec<ActRef>,
    /// Acts that a newer program understands.
    pub needs_newer: Vec<ActRef>,
}

impl Register {
    /// The hash of the canonical form: equal on nodes that agree.
    #[must_use]
    pub fn digest(&self) -> Hash {
        digest::of("yishi/register/1", self)
    }
}

/// Folds a register.
#[must_use]
pub fn fold(input: &FoldInput<'_>) -> Register {
    let history = History::of(input);
    let home = input.header.home;
    let mut register = Register {
        place: home,
        stubs: BTreeMap::new(),
        heard: BTreeMap::new(),
        violations: Vec::new(),
        malformed: Vec::new(),
        revoked: Vec::new(),
        pending: history
            .stranded
            .iter()
            .map(|c| ActRef { actor: c.change.actor, seq: c.change.seq })
            .collect(),
        needs_newer: Vec::new(),
    };
    let vouched = vouched_of_own_chain(&history);
    for (t, node) in history.nodes.iter().enumerate() {
        let Body::Act { value, .. } = &node.change.body else { continue };
        let act = node.act();
        let Some(author) = node.author else {
            register.pending.push(act);
            continue;
        };
        if !vouched.contains(&t) {
            register.revoked.push(act);
            continue;
        }
        let Act { on, what, .. } = match Act::<Stubs>::from_ref(value) {
            Ok(read) if author.place == home => read,
            Ok(_) => {
                register.violations.push(act);
                continue;
            }
            Err(ActError::UnknownKind(_)) => {
                register.needs_newer.push(act);
                continue;
            }
            Err(ActError::Malformed(_)) => {
                register.malformed.push(act);
                continue;
            }
        };
        match what {
            Stubs::Stubs { rows } => {
                register.stubs.extend(rows.into_iter().map(|stub| (stub.doc, StubRow::of(stub, act, on))));
            }
            Stubs::Heard { rows } => {
                for Heard { place, day } in rows {
                    let known = register.heard.entry(place).or_insert(day);
                    *known = day.max(*known);
                }
            }
        }
    }
    register
}

/// The changes whose author's key still vouched for them, in one walk from the newest change back.
pub(super) fn vouched_of_own_chain(history: &History<'_>) -> BTreeSet<usize> {
    let mut vouched = BTreeSet::new();
    // For every change, which revoked actors' cuts reach it from above.
    let mut reached: BTreeMap<usize, BTreeSet<crate::ids::ActorId>> = BTreeMap::new();
    for (t, node) in history.nodes.iter().enumerate().rev() {
        let mut from = reached.remove(&t).unwrap_or_default();
        match node.author.and_then(|a| a.cut.as_ref()) {
            Some(cut) if cut.contains(node.hash) => {
                from.insert(node.change.actor);
            }
            _ => {}
        }
        let revoked = node.author.is_some_and(|a| a.cut.is_some());
        if !revoked || from.contains(&node.change.actor) {
            vouched.insert(t);
        }
        if !from.is_empty() {
            for d in history.deps(t) {
                reached.entry(*d).or_default().extend(from.iter().copied());
            }
        }
    }
    vouched
}
