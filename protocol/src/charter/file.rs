//! A charter's articles: TOML in, [`Articles`] out, or every problem with its line and column.
//!
//! Strict like the reader of procedures: an unknown key is a problem. Every person named must be listed among
//! the people; what the places above have said is asked at the same time, so that a problem has its line too.

use super::{
    Articles, Asking, Authority, Body, Category, Collector, Every, InForce, Kept, Person, Power, Rota,
    Station, Supervision, Term, Unit, WEEKDAYS,
    beyond::{At, beyond},
};
use crate::{
    calendar::Date,
    problem::{Problem, Problems, Severity},
    procedure::Words,
};
use serde::Deserialize;
use std::{collections::BTreeSet, ops::Range};
use toml::{Spanned, value::Datetime};

/// The largest file: some six hundred people.
pub const FILE_BYTES_MAX: usize = 64 * 1024;

/// The labels of levels that places have.
const LEVELS: [&str; 5] = ["province", "prefecture", "district", "township", "village"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: Spanned<u32>,
    #[serde(default)]
    people: Vec<FilePerson>,
    #[serde(default)]
    units: Vec<FileUnit>,
    #[serde(default)]
    bodies: Vec<FileBody>,
    #[serde(default)]
    collectors: Vec<FileCollector>,
    #[serde(default)]
    stations: Vec<FileStation>,
    #[serde(default)]
    rotas: Vec<FileRota>,
    #[serde(default)]
    categories: Vec<FileCategory>,
    #[serde(default)]
    powers: Vec<FilePower>,
    #[serde(default)]
    custody: Vec<FileKept>,
    supervision: Option<FileSupervision>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSupervision {
    name_after: Spanned<u16>,
    raise_after: Spanned<u16>,
    rounds: Spanned<u16>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePerson {
    id: Spanned<String>,
    name: Spanned<String>,
    #[serde(default)]
    tags: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileUnit {
    id: Spanned<String>,
    zh: String,
    en: String,
    #[serde(default)]
    external: bool,
    #[serde(default)]
    handlers: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileBody {
    id: Spanned<String>,
    zh: String,
    en: String,
    members: Vec<Spanned<String>>,
    from: Option<Spanned<Datetime>>,
    until: Option<Spanned<Datetime>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileCollector {
    person: Spanned<String>,
    area: Option<String>,
    from: Option<Spanned<Datetime>>,
    until: Option<Spanned<Datetime>>,
    #[serde(default)]
    allowance_yuan: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileStation {
    id: Spanned<String>,
    zh: String,
    en: String,
    weekdays: Vec<Spanned<String>>,
    hours: Option<String>,
    #[serde(default)]
    people: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRota {
    id: Spanned<String>,
    zh: String,
    en: String,
    every: Spanned<String>,
    from: Spanned<Datetime>,
    order: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileCategory {
    id: Spanned<String>,
    zh: String,
    en: String,
    under: Option<String>,
    unit: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePower {
    power: Spanned<String>,
    category: Option<String>,
    level: Spanned<String>,
    #[serde(default)]
    delegated_to: Vec<Spanned<String>>,
    up_to_yuan: Option<u32>,
    basis: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileKept {
    what: String,
    by: Spanned<String>,
}

/// Reads a file for a place, within what the places above it say. Warnings come with the articles; any error
/// means there are none.
///
/// # Errors
/// Every problem found, in the order of the file; at least one is an error.
pub fn read(file: &str, who: Asking<'_>, above: &InForce) -> Result<(Articles, Vec<Problem>), Vec<Problem>> {
    let mut reader = Reader { problems: Problems::of(file), people: BTreeSet::new() };
    let Some(parsed) = reader.problems.parse::<File>(FILE_BYTES_MAX) else {
        return Err(reader.problems.sorted());
    };
    let categories: Vec<Range<usize>> = parsed.categories.iter().map(|c| c.id.span()).collect();
    let powers: Vec<Range<usize>> = parsed.powers.iter().map(|p| p.power.span()).collect();
    let articles = reader.take(parsed);
    for b in beyond(&articles, who, above) {
        let at = match b.at {
            At::Category(n) => categories.get(n),
            At::Power(n) => powers.get(n),
        };
        reader.problems.tell(Severity::Error, at.cloned().unwrap_or(0..0), b.code, b.en, b.zh);
    }
    if reader.problems.fatal() {
        return Err(reader.problems.sorted());
    }
    Ok((articles, reader.problems.sorted()))
}

/// Reads what was issued. It was judged then; what a place above has said since takes nothing back.
///
/// # Errors
/// As [`read`].
pub fn read_issued(file: &str) -> Result<Articles, Vec<Problem>> {
    let mut reader = Reader { problems: Problems::of(file), people: BTreeSet::new() };
    let parsed = reader.problems.parse::<File>(FILE_BYTES_MAX);
    let articles = parsed.map(|parsed| reader.take(parsed));
    match articles {
        Some(articles) if !reader.problems.fatal() => Ok(articles),
        _ => Err(reader.problems.sorted()),
    }
}

struct Reader<'a> {
    problems: Problems<'a>,
    people: BTreeSet<String>,
}

impl Reader<'_> {
    fn take(&mut self, file: File) -> Articles {
        self.problems.format(&file.format);
        let people: Vec<Person> = file.people.into_iter().map(|p| self.person(p)).collect();
        let mut seen = BTreeSet::new();
        let units: Vec<Unit> = file
            .units
            .into_iter()
            .map(|u| Unit {
                id: self.once(&u.id, &mut seen),
                title: Words { zh: u.zh, en: u.en },
                external: u.external,
                handlers: self.persons(&u.handlers),
            })
            .collect();
        let bodies = self.bodies(file.bodies);
        let collectors = file
            .collectors
            .into_iter()
            .map(|c| Collector {
                person: self.named(&c.person),
                area: c.area,
                term: self.term(c.from, c.until),
                allowance_yuan: i64::from(c.allowance_yuan),
            })
            .collect();
        let (mut stations, mut rotas) = (BTreeSet::new(), BTreeSet::new());
        let stations = file.stations.into_iter().map(|s| self.station(s, &mut stations)).collect();
        let rotas = file.rotas.into_iter().filter_map(|r| self.rota(r, &mut rotas)).collect();
        let mut seen = BTreeSet::new();
        let categories = file
            .categories
            .into_iter()
            .map(|c| {
                if let Some(unit) = c.unit.as_ref().filter(|u| units.iter().all(|k| k.id != *u.get_ref())) {
                    let said = unit.get_ref();
                    self.problems.error(
                        unit.span(),
                        "no_such_unit",
                        format!("there is no unit “{said}”"),
                        format!("没有“{said}”这个单位"),
                    );
                }
                Category {
                    id: self.label(&c.id, &mut seen),
                    title: Words { zh: c.zh, en: c.en },
                    under: c.under,
                    unit: c.unit.map(Spanned::into_inner),
                }
            })
            .collect();
        let powers = file.powers.into_iter().filter_map(|p| self.power(p)).collect();
        let custody =
            file.custody.into_iter().map(|k| Kept { what: k.what, by: self.named(&k.by) }).collect();
        let supervision = file.supervision.map(|s| self.supervision(&s));
        Articles {
            people,
            units,
            bodies,
            collectors,
            stations,
            rotas,
            categories,
            powers,
            custody,
            supervision,
        }
    }

    /// An id that stands only once in its list.
    fn once(&mut self, id: &Spanned<String>, seen: &mut BTreeSet<String>) -> String {
        let name = self.problems.id(id);
        if !seen.insert(name.clone()) {
            self.problems.twice(id.span(), &name);
        }
        name
    }

    /// The name of a category: lists show it, so it may be in any script.
    fn label(&mut self, id: &Spanned<String>, seen: &mut BTreeSet<String>) -> String {
        let name = id.get_ref().clone();
        let fits = !name.is_empty() && name.chars().count() <= 40;
        if !fits || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
            self.problems.error(
                id.span(),
                "bad_id",
                format!("“{name}” is no name of a category: 1 to 40 characters without spaces"),
                format!("“{name}”不能作分类名：须为 1 至 40 个字符，不含空格"),
            );
        }
        if !seen.insert(name.clone()) {
            self.problems.twice(id.span(), &name);
        }
        name
    }

    fn person(&mut self, person: FilePerson) -> Person {
        let id = self.problems.id(&person.id);
        if !self.people.insert(id.clone()) {
            self.problems.twice(person.id.span(), &id);
        }
        if person.name.get_ref().trim().is_empty() {
            self.problems.error(
                person.name.span(),
                "no_name",
                format!("the person “{id}” has no name"),
                format!("“{id}”没有写姓名"),
            );
        }
        let tags = person.tags.iter().map(|t| self.problems.id(t)).collect();
        Person { id, name: person.name.into_inner(), tags }
    }

    /// A person who must be listed.
    fn named(&mut self, person: &Spanned<String>) -> String {
        let id = person.get_ref();
        if !self.people.contains(id) {
            self.problems.error(
                person.span(),
                "no_such_person",
                format!("there is no person “{id}” among the people"),
                format!("人员名单里没有“{id}”"),
            );
        }
        id.clone()
    }

    /// People who must be listed, each once.
    fn persons(&mut self, people: &[Spanned<String>]) -> Vec<String> {
        let mut seen = BTreeSet::new();
        people
            .iter()
            .map(|p| {
                let id = self.named(p);
                if !seen.insert(id.clone()) {
                    self.problems.twice(p.span(), &id);
                }
                id
            })
            .collect()
    }

    fn bodies(&mut self, bodies: Vec<FileBody>) -> Vec<Body> {
        let mut read: Vec<Body> = Vec::new();
        for b in bodies {
            let id = self.problems.id(&b.id);
            let members = self.persons(&b.members);
            let term = self.term(b.from, b.until);
            if members.is_empty() {
                self.problems.error(
                    b.id.span(),
                    "nobody",
                    format!("the body “{id}” has no members"),
                    format!("“{}”没有成员", b.zh),
                );
            }
            // The next term of a body stands beside the present one; both at once would be two bodies.
            if read.iter().any(|r| r.id == id && r.term.meets(&term)) {
                self.problems.error(
                    b.id.span(),
                    "terms_meet",
                    format!("the body “{id}” is there twice for the same days"),
                    format!("“{}”在同一段日子写了两届", b.zh),
                );
            }
            read.push(Body { id, title: Words { zh: b.zh, en: b.en }, members, term });
        }
        read
    }

    fn station(&mut self, station: FileStation, seen: &mut BTreeSet<String>) -> Station {
        let names: Vec<&'static str> = WEEKDAYS.iter().map(|(_, name)| *name).collect();
        let find = |word: &str| names.iter().copied().find(|n| *n == word);
        Station {
            id: self.once(&station.id, seen),
            title: Words { zh: station.zh, en: station.en },
            weekdays: station.weekdays.iter().filter_map(|d| self.problems.one_of(d, find, &names)).collect(),
            hours: station.hours,
            people: self.persons(&station.people),
        }
    }

    fn rota(&mut self, rota: FileRota, seen: &mut BTreeSet<String>) -> Option<Rota> {
        let all: Vec<_> = Every::ALL.iter().map(|e| e.name()).collect();
        let every = self.problems.one_of(&rota.every, Every::from_name, &all);
        let from = self.day(&rota.from);
        let id = self.once(&rota.id, seen);
        // One person may have several turns.
        let order: Vec<String> = rota.order.iter().map(|p| self.named(p)).collect();
        if order.is_empty() {
            self.problems.error(
                rota.id.span(),
                "nobody",
                format!("the rota “{id}” has nobody in it"),
                format!("值班表“{}”没有排人", rota.zh),
            );
        }
        Some(Rota { id, title: Words { zh: rota.zh, en: rota.en }, every: every?, from: from?, order })
    }

    fn power(&mut self, line: FilePower) -> Option<Authority> {
        let all: Vec<_> = Power::ALL.iter().map(|p| p.name()).collect();
        let power = self.problems.one_of(&line.power, Power::from_name, &all);
        let level =
            self.problems.one_of(&line.level, |word| LEVELS.iter().copied().find(|l| *l == word), &LEVELS);
        for code in &line.delegated_to {
            let digits = code.get_ref().len() == 12 && code.get_ref().bytes().all(|b| b.is_ascii_digit());
            if !digits {
                let said = code.get_ref();
                self.problems.error(
                    code.span(),
                    "bad_code",
                    format!("“{said}” is no place code of 12 digits"),
                    format!("“{said}”不是 12 位区划代码"),
                );
            }
        }
        Some(Authority {
            power: power?,
            category: line.category,
            level: level?.to_owned(),
            delegated_to: line.delegated_to.into_iter().map(Spanned::into_inner).collect(),
            up_to_yuan: line.up_to_yuan.map(i64::from),
            basis: line.basis,
        })
    }

    fn supervision(&mut self, said: &FileSupervision) -> Supervision {
        let (name, raise) = (*said.name_after.get_ref(), *said.raise_after.get_ref());
        let rounds = *said.rounds.get_ref();
        if name == 0 || raise < name || rounds == 0 {
            let at = if rounds == 0 { said.rounds.span() } else { said.raise_after.span() };
            self.problems.error(
                at,
                "bad_supervision",
                "name_after and rounds must be 1 or more, raise_after not less than name_after".into(),
                "name_after、rounds 至少为 1，raise_after 不得小于 name_after".into(),
            );
        }
        Supervision { name_after: name, raise_after: raise, rounds }
    }

    fn term(&mut self, from: Option<Spanned<Datetime>>, until: Option<Spanned<Datetime>>) -> Term {
        let term = Term {
            from: from.as_ref().and_then(|d| self.day(d)),
            until: until.as_ref().and_then(|d| self.day(d)),
        };
        if let (Some(first), Some(last), Some(until)) = (term.from, term.until, until)
            && last < first
        {
            self.problems.error(
                until.span(),
                "ends_first",
                "the term ends before it begins".into(),
                "任期截止在起始之前".into(),
            );
        }
        term
    }

    /// A day, written like 2026-01-31 without quotes.
    fn day(&mut self, day: &Spanned<Datetime>) -> Option<Date> {
        let read = match day.get_ref() {
            Datetime { date: Some(d), time: None, offset: None } => {
                Date::from_ymd(i32::from(d.year), u32::from(d.month), u32::from(d.day)).ok()
            }
            _ => None,
        };
        if read.is_none() {
            let said = day.get_ref();
            self.problems.error(
                day.span(),
                "bad_day",
                format!("“{said}” is no day; write it like 2026-01-31"),
                format!("“{said}”不是日期，应写作 2026-01-31"),
            );
        }
        read
    }
}
