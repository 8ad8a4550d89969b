//! What a place's charter says of its people and its powers: the *articles*.
//!
//! Units and who handles work in them, bodies with members and terms, collectors, stations, rotas, the scheme of
//! categories, which level may decide what, and who keeps the seals. It is one TOML file
//! (`protocol/CHARTER.md`), issued in a numbered snapshot of the place's charter ([`crate::fold::charter`]).
//!
//! Categories and powers are inherited: what a place above says binds below, and a place below may only narrow
//! it. [`InForce`] is the articles of a place together with those above it; it is a view over several
//! documents (rule R5), so it guides what is authored and shown and never what a fold counts.

mod beyond;
pub mod file;
mod term;

pub use file::{read, read_issued};
pub use term::{Ending, Term};

use crate::{
    calendar::{Date, Weekday},
    ids::PlaceId,
    named::named,
    procedure::Words,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

named! {
    /// What somebody decides, where a charter says which level may.
    pub enum Power {
        /// The reply that ends a matter.
        Answer = "answer", "答复办结", "answer and close";
        /// That a matter is not taken up.
        Refuse = "refuse", "不予受理", "refuse";
        /// That it is minor and ends early.
        EndEarly = "end_early", "小事早结", "end early as minor";
        /// That money is spent on it.
        Spend = "spend", "动用资金", "spend money";
    }
}

named! {
    /// How often a rota hands over.
    pub enum Every {
        /// Each day.
        Day = "day", "每天", "every day";
        /// Each working week, on Monday.
        Week = "week", "每周", "every week";
    }
}

/// A person, by the id that acts name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Stable within the place.
    pub id: String,
    /// As shown.
    pub name: String,
    /// What counts for representativeness: `women`, `new_residents`, …
    pub tags: BTreeSet<String>,
}

/// A department, a station, a deliberation room; also one without a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Stable within the place.
    pub id: String,
    /// As shown.
    pub title: Words,
    /// Without a seat here: its replies come on paper or by telephone and are passed on.
    pub external: bool,
    /// 经办人: person ids, the usual one first.
    pub handlers: Vec<String>,
}

/// A body that meets and votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Body {
    /// The same id as in procedures.
    pub id: String,
    /// As shown.
    pub title: Words,
    /// Person ids.
    pub members: Vec<String>,
    /// How long they sit.
    #[serde(flatten)]
    pub term: Term,
}

/// A collector's appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Collector {
    /// Person id.
    pub person: String,
    /// The groups or buildings visited.
    pub area: Option<String>,
    /// For how long.
    #[serde(flatten)]
    pub term: Term,
    /// Allowance a month, in yuan.
    pub allowance_yuan: i64,
}

/// A place where somebody sits at fixed times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Station {
    /// Stable within the place.
    pub id: String,
    /// As shown.
    pub title: Words,
    /// On which days.
    pub weekdays: Vec<&'static str>,
    /// From when to when, in words.
    pub hours: Option<String>,
    /// Who sits there: person ids.
    pub people: Vec<String>,
}

impl Station {
    /// Whether somebody sits there on a day.
    #[must_use]
    pub fn open_on(&self, day: Date) -> bool {
        let name = WEEKDAYS.iter().find(|(w, _)| *w == day.weekday()).map(|(_, name)| *name);
        name.is_some_and(|name| self.weekdays.contains(&name))
    }
}

/// Who is on duty when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rota {
    /// Stable within the place.
    pub id: String,
    /// As shown.
    pub title: Words,
    /// How often it hands over.
    pub every: Every,
    /// The first day of the first in order.
    pub from: Date,
    /// Person ids, in turn.
    pub order: Vec<String>,
}

impl Rota {
    /// Who is on duty on a day; nobody before it begins.
    #[must_use]
    pub fn on(&self, day: Date) -> Option<&str> {
        // A week begins on its Monday, also the first one.
        let first = match self.every {
            Every::Day => self.from,
            Every::Week => monday(self.from),
        };
        let turn = match self.every {
            Every::Day => first.days_until(day),
            Every::Week => first.days_until(day).div_euclid(7),
        };
        let count = i64::try_from(self.order.len()).ok().filter(|n| *n > 0)?;
        if day < self.from {
            return None;
        }
        usize::try_from(turn.rem_euclid(count)).ok().and_then(|at| self.order.get(at)).map(String::as_str)
    }
}

fn monday(day: Date) -> Date {
    let past = WEEKDAYS.iter().position(|(w, _)| *w == day.weekday()).unwrap_or(0);
    day.plus_days(-i64::try_from(past).unwrap_or(0))
}

/// A day of the week by its name in files.
#[must_use]
pub fn weekday(name: &str) -> Option<Weekday> {
    WEEKDAYS.iter().find(|(_, n)| *n == name).map(|(day, _)| *day)
}

/// The days of the week by their names in files.
pub(crate) const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "monday"),
    (Weekday::Tuesday, "tuesday"),
    (Weekday::Wednesday, "wednesday"),
    (Weekday::Thursday, "thursday"),
    (Weekday::Friday, "friday"),
    (Weekday::Saturday, "saturday"),
    (Weekday::Sunday, "sunday"),
];

/// A category matters may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Category {
    /// What acts name it by.
    pub id: String,
    /// As shown.
    pub title: Words,
    /// The wider one it belongs to, here or above.
    pub under: Option<String>,
    /// The unit that usually handles it here.
    pub unit: Option<String>,
}

/// A line of the authority matrix: who may decide what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Authority {
    /// What is decided.
    pub power: Power,
    /// In which category; in all, if none is named.
    pub category: Option<String>,
    /// The level that may.
    pub level: String,
    /// Places below that may too: 12-digit codes.
    pub delegated_to: Vec<String>,
    /// Only up to so much money.
    pub up_to_yuan: Option<i64>,
    /// What it rests on: a document's name and number.
    pub basis: Option<String>,
}

/// What is handed over at the end of a term.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// A seal, a book, a key.
    pub what: String,
    /// Who keeps it: person id.
    pub by: String,
}

/// When what is late is named and raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Supervision {
    /// Working days after its day on which a late holder is named.
    pub name_after: u16,
    /// Working days after its day on which it goes one level up.
    pub raise_after: u16,
    /// How many returns, or steps up without an answer, raise it too.
    pub rounds: u16,
}

impl Default for Supervision {
    fn default() -> Self {
        Self { name_after: 1, raise_after: 5, rounds: 3 }
    }
}

/// Everything the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Articles {
    /// The people acts may name.
    pub people: Vec<Person>,
    /// The units.
    pub units: Vec<Unit>,
    /// The bodies.
    pub bodies: Vec<Body>,
    /// The collectors.
    pub collectors: Vec<Collector>,
    /// The stations.
    pub stations: Vec<Station>,
    /// The rotas.
    pub rotas: Vec<Rota>,
    /// The categories.
    pub categories: Vec<Category>,
    /// The authority matrix.
    pub powers: Vec<Authority>,
    /// What is kept by whom.
    pub custody: Vec<Kept>,
    /// When what is late is named and raised.
    pub supervision: Option<Supervision>,
}

impl Articles {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A person.
    #[must_use]
    pub fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|p| p.id == id)
    }

    /// The name of a person; the id of one who is not there.
    #[must_use]
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.person(id).map_or(id, |p| p.name.as_str())
    }

    /// A unit, by its id or one of its names as people write them.
    #[must_use]
    pub fn unit(&self, named: &str) -> Option<&Unit> {
        let named = named.trim();
        self.units.iter().find(|u| u.id == named || u.title.zh == named || u.title.en == named)
    }

    /// A body whose term covers the day.
    #[must_use]
    pub fn sitting(&self, body: &str, day: Date) -> Option<&Body> {
        self.bodies.iter().find(|b| b.id == body && b.term.covers(day))
    }

    /// How many of these people carry each tag.
    #[must_use]
    pub fn tags_of<'a>(&self, there: impl Iterator<Item = &'a str>) -> BTreeMap<String, i64> {
        let mut tags = BTreeMap::new();
        for tag in there.filter_map(|id| self.person(id)).flat_map(|p| &p.tags) {
            *tags.entry(tag.clone()).or_insert(0) += 1;
        }
        tags
    }
}

/// The articles of one place of a path.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The place.
    pub place: PlaceId,
    /// What it says.
    pub articles: Arc<Articles>,
}

/// What binds at a place: its own articles and those of the places above it.
#[derive(Debug, Clone, Default)]
pub struct InForce {
    /// The root first, the place itself last; places without articles are left out.
    pub layers: Vec<Layer>,
}

/// Who asks whether he may decide.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The label of his level.
    pub level: &'a str,
    /// His 12-digit code.
    pub code: &'a str,
}

/// Why somebody may not decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Denied {
    /// Whose charter says so.
    pub by: PlaceId,
    /// What was to be decided.
    pub power: Power,
    /// Levels that may.
    pub levels: Vec<String>,
    /// The most that this place may spend, if it may at all.
    pub up_to_yuan: Option<i64>,
    /// What it rests on.
    pub basis: Option<String>,
}

impl InForce {
    /// A category, wherever on the path it is declared.
    #[must_use]
    pub fn category(&self, id: &str) -> Option<&Category> {
        self.layers.iter().flat_map(|l| &l.articles.categories).find(|c| c.id == id)
    }

    /// A category by its id or one of its names.
    #[must_use]
    pub fn category_named(&self, named: &str) -> Option<&Category> {
        let named = named.trim();
        self.categories().find(|c| c.id == named || c.title.zh == named || c.title.en == named)
    }

    /// Every category that may be given here, those from above first.
    pub fn categories(&self) -> impl Iterator<Item = &Category> {
        self.layers.iter().flat_map(|l| &l.articles.categories)
    }

    /// The rule of supervision: the highest place's that has one.
    #[must_use]
    pub fn supervision(&self) -> Supervision {
        self.layers.iter().find_map(|l| l.articles.supervision.clone()).unwrap_or_default()
    }

    /// A category and the wider ones it belongs to; `own` are looked at first.
    fn widening(&self, category: Option<&str>, own: &[Category]) -> Vec<String> {
        let mut path: Vec<String> = Vec::new();
        let mut at = category.map(str::to_owned);
        while let Some(id) = at.filter(|id| !path.contains(id)) {
            let found = own.iter().find(|c| c.id == id).or_else(|| self.category(&id));
            at = found.and_then(|c| c.under.clone());
            path.push(id);
        }
        path
    }

    /// Whether a place may decide. Every layer that speaks of it must allow it; the lines for the narrowest
    /// category count. Where nobody says anything, everybody may.
    ///
    /// # Errors
    /// [`Denied`] by the highest place that does not allow it.
    pub fn may(
        &self,
        who: Asking<'_>,
        power: Power,
        category: Option<&str>,
        yuan: Option<i64>,
    ) -> Result<(), Denied> {
        self.may_along(who, power, &self.widening(category, &[]), yuan)
    }

    /// The same for a category with the wider ones it belongs to, the narrowest first.
    fn may_along(
        &self,
        who: Asking<'_>,
        power: Power,
        path: &[String],
        yuan: Option<i64>,
    ) -> Result<(), Denied> {
        for layer in &self.layers {
            let of = |wanted: Option<&String>| -> Vec<&Authority> {
                let fits = |g: &&Authority| g.power == power && g.category.as_ref() == wanted;
                layer.articles.powers.iter().filter(fits).collect()
            };
            let narrowest =
                path.iter().map(|c| of(Some(c))).chain([of(None)]).find(|found| !found.is_empty());
            let Some(lines) = narrowest else { continue };
            let his: Vec<_> = lines
                .iter()
                .filter(|g| g.level == who.level || g.delegated_to.iter().any(|c| c == who.code))
                .collect();
            let enough = |g: &&&Authority| match (g.up_to_yuan, yuan) {
                (Some(most), Some(yuan)) => yuan <= most,
                _ => true,
            };
            if his.iter().any(enough) {
                continue;
            }
            return Err(Denied {
                by: layer.place,
                power,
                levels: lines.iter().map(|g| g.level.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
                up_to_yuan: his.iter().filter_map(|g| g.up_to_yuan).max(),
                basis: lines.iter().find_map(|g| g.basis.clone()),
            });
        }
        Ok(())
    }
}
