//! Terms of office: from when to when somebody sits, and whose term ends soon.

use super::Articles;
use crate::calendar::Date;
use serde::Serialize;

/// From a day to a day, both included; open where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Term {
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub until: Option<Date>,
}

impl Term {
    /// Whether a day lies in it.
    #[must_use]
    pub fn covers(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }

    /// Whether it covers any day of the other.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let begins_before = |a: &Self, b: &Self| match (a.from, b.until) {
            (Some(from), Some(until)) => from <= until,
            _ => true,
        };
        begins_before(self, other) && begins_before(other, self)
    }
}

/// A term that ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ending {
    /// The body; `None` for a collector.
    pub body: Option<String>,
    /// The people: person ids.
    pub people: Vec<String>,
    /// The last day.
    pub until: Date,
}

impl Articles {
    /// The terms that end in so many days from a day, and those that have ended without a new one, soonest first.
    #[must_use]
    pub fn ending(&self, today: Date, within_days: i64) -> Vec<Ending> {
        let last = today.plus_days(within_days);
        let soon = |term: &Term| term.until.filter(|until| *until <= last);
        let bodies = self.bodies.iter().filter_map(|b| {
            let until = soon(&b.term)?;
            let followed = self.bodies.iter().any(|n| n.id == b.id && n.term.from.is_some_and(|f| f > until));
            let (body, people) = (Some(b.id.clone()), b.members.clone());
            (!followed).then_some(Ending { body, people, until })
        });
        let collectors = self.collectors.iter().filter_map(|c| {
            let until = soon(&c.term)?;
            let followed = self
                .collectors
                .iter()
                .any(|n| n.person == c.person && n.term.from.is_some_and(|f| f > until));
            (!followed).then_some(Ending { body: None, people: vec![c.person.clone()], until })
        });
        let mut ending: Vec<_> = bodies.chain(collectors).collect();
        ending.sort_by_key(|e| e.until);
        ending
    }
}
