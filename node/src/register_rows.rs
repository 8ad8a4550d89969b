//! What is new in a register of a place below.
//!
//! A month's register is folded whole with every change of it. Writing all its rows again each time was most of
//! what a district of a hundred townships did, so the projector remembers on which act the stored row of each
//! matter stands. What an act says of a matter never changes: the same act is the same row. Nothing but the
//! projector writes or deletes these rows while a node runs.

use crate::{
    standing,
    store::{HeardRow, StandingRow, StubRow},
};
use std::collections::BTreeMap;
use yishi_protocol::{
    calendar::Date,
    fold::{frame::Stage, register::Register},
    ids::{ActRef, DocId},
};

/// Rows remembered, some hundred bytes each; beyond that all are forgotten and written once more.
const REMEMBERED_MAX: usize = 200_000;

/// The rows of one register that have to be written.
pub(crate) struct RegisterRows {
    pub(crate) stubs: Vec<StubRow>,
    pub(crate) standings: Vec<StandingRow>,
    pub(crate) heard: Vec<HeardRow>,
    /// The acts that said the stubs.
    pub(crate) said: Vec<(DocId, ActRef)>,
}

/// The acts on which stored rows stand, by register and matter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said(BTreeMap<DocId, BTreeMap<DocId, ActRef>>);

impl Said {
    /// What a folded register says that is not stored yet.
    pub(crate) fn news(&self, doc: DocId, register: &Register, updated_at_ms: u64) -> RegisterRows {
        let said = self.0.get(&doc);
        let known = |matter: &DocId| said.and_then(|said| said.get(matter));
        let news: Vec<_> =
            register.stubs.iter().filter(|(matter, s)| known(matter) != Some(&s.act)).collect();
        let day = |day: i64| Date::from_days(day).map(|d| d.to_string());
        let stubs = news.iter().map(|(matter, s)| StubRow {
            register: doc,
            matter: **matter,
            place: register.place,
            number: Some(s.number.clone()).filter(|n| !n.is_empty()),
            category: s.category.clone(),
            stage: s.stage.clone(),
            holder: s.holder,
            due_day: s.due.and_then(day),
            closed: Stage::from_name(&s.stage).is_some_and(Stage::is_ended),
            violations: u32::try_from(s.violations).unwrap_or(u32::MAX),
            updated_at_ms,
            detail: serde_json::to_string(s).unwrap_or_default(),
        });
        let heard = register.heard.iter();
        let heard = heard.map(|(place, day)| HeardRow { place: *place, said_by: register.place, day: *day });
        RegisterRows {
            stubs: stubs.collect(),
            standings: news.iter().map(|(matter, s)| standing::of_stub(**matter, s)).collect(),
            heard: heard.collect(),
            said: news.iter().map(|(matter, s)| (**matter, s.act)).collect(),
        }
    }

    /// Notes rows that are stored now.
    pub(crate) fn remember(&mut self, registers: Vec<(DocId, Vec<(DocId, ActRef)>)>) {
        for (register, rows) in registers {
            self.0.entry(register).or_default().extend(rows);
        }
        if self.0.values().map(BTreeMap::len).sum::<usize>() > REMEMBERED_MAX {
            self.0.clear();
        }
    }
}
