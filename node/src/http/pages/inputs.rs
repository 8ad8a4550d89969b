//! The inputs of an act's form, from the fields the actions name and what the matter has on record.

use super::{
    Place,
    forms::{Input, fixed_choices, label},
    moments, w,
};
use crate::{
    actions::views::{FieldView, MatterView, NextAct, ProcedureView},
    http::lang::Lang,
};
use std::collections::BTreeSet;
use yishi_protocol::{
    calendar::Date,
    charter::Articles,
    fold::{Violation, words},
    ids::ActRef,
    procedure::{FieldKind, Form, Need, Procedure, Words},
};

/// So much of a text stands for it in a list to choose from, in characters.
const EXCERPT_CHARS: usize = 24;

/// A matter as its forms see it.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) lang: Lang,
    pub(super) today: i64,
    pub(super) matter: &'a MatterView,
    pub(super) procedure: Option<&'a Procedure>,
    pub(super) in_force: &'a [ProcedureView],
    /// The people and units of this place.
    pub(super) articles: &'a Articles,
}

/// A name in the page's language.
pub(super) fn say(words: &Words, lang: Lang) -> &str {
    lang.of(&words.zh, &words.en)
}

pub(super) fn excerpt(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= EXCERPT_CHARS {
        return line;
    }
    line.chars().take(EXCERPT_CHARS).chain(std::iter::once('…')).collect()
}

impl Shown<'_> {
    /// Whether this is missing before the next stage.
    pub(super) fn lacks(&self, why: Violation, about: Option<&str>) -> bool {
        let lacks = &self.matter.deliberation.lacks;
        lacks.iter().any(|l| l.code == why.name() && (about.is_none() || l.about.as_deref() == about))
    }

    /// Whether a meeting was called for a day still to come.
    pub(super) fn meeting_ahead(&self) -> bool {
        let d = &self.matter.deliberation;
        let last = d.calls.iter().filter_map(|c| c.day.parse::<Date>().ok()).map(Date::days).max();
        last.is_some_and(|day| day > self.today)
    }

    /// The body the next stage waits for, if it waits for one.
    fn awaited(&self) -> &str {
        let bodies = |p: &Procedure, id: &str| p.body(id).is_some();
        let lacks = self.matter.deliberation.lacks.iter();
        let mut about = lacks.filter_map(|l| l.about.as_deref());
        about.find(|id| self.procedure.is_some_and(|p| bodies(p, id))).unwrap_or("")
    }

    /// What an act's form asks.
    pub(super) fn inputs(&self, item: &NextAct) -> Vec<Input> {
        let mut inputs: Vec<Input> = item.fields.iter().flat_map(|f| self.input(item, f)).collect();
        if item.name.act == "meet" {
            // Who was there comes before what was said, as on the paper form.
            inputs.sort_by_key(|i| i.name == "minutes");
        }
        inputs
    }

    fn input(&self, item: &NextAct, field: &FieldView) -> Vec<Input> {
        let (lang, act) = (self.lang, item.name.act);
        let named = label(act, field.name, lang);
        let new = |kind| Input::new(kind, field.name, named.clone()).must(field.required);
        let one_of = |choices: Vec<(String, String)>| {
            let none = (String::new(), w::CHOOSE_NONE.of(lang).to_owned());
            let none = (!field.required).then_some(none);
            Input::choice(field.name, named.clone(), none.into_iter().chain(choices)).must(field.required)
        };
        let input = match field.kind {
            "call" | "meeting" | "form" | "fields" | "stage" | "outcome" => return Vec::new(),
            "roll" => return self.members("roll", &w::ROLL),
            "votes" => return self.members("vote", &w::VOTES),
            "counters" => {
                return ["caller", "teller", "watcher"]
                    .map(|who| format!("counter.{who}"))
                    .map(|name| Input::new("line", name.clone(), label(act, &name, lang)))
                    .to_vec();
            }
            "tags" => return self.tags(),
            "yes_no" => new("check"),
            "number" if field.name == "score" => {
                one_of((1..=5).rev().map(|n| (n.to_string(), n.to_string())).collect())
            }
            "number" if field.name == "eligible" && self.sitting().is_some() => {
                new("number").hint(w::BY_CHARTER.of(lang))
            }
            "number" => new("number"),
            "day" | "date" => match field.required {
                true => new("day"),
                false => new("day").hint(match field.name {
                    "day" | "on" => w::DAY_HINT.of(lang),
                    _ => "",
                }),
            },
            "procedure" => {
                let in_force = self.in_force.iter().map(|p| &p.procedure);
                let titled = in_force.map(|p| (p.id.clone(), say(&p.title, lang).to_owned()));
                let plain = (String::new(), w::PLAIN_PROCEDURE.of(lang).to_owned());
                // A matter that has one keeps it, if none is chosen.
                let plain = match &self.matter.deliberation.procedure {
                    Some(kept) => (String::new(), say(&kept.title, lang).to_owned()),
                    None => plain,
                };
                Input::choice(field.name, named.clone(), std::iter::once(plain).chain(titled))
            }
            "place" => {
                if item.places.len() < 2 {
                    return Vec::new();
                }
                one_of(item.places.iter().map(|p| (p.id.to_string(), Place::of(p).name)).collect()).must(true)
            }
            "matter" => {
                let id = |d: &yishi_protocol::ids::DocId| d.to_string();
                let short = |d: &yishi_protocol::ids::DocId| id(d).chars().take(8).collect::<String>();
                one_of(item.sources.iter().map(|d| (id(d), short(d))).collect())
            }
            "reply" | "branch" => {
                if item.about.len() < 2 {
                    return Vec::new();
                }
                let several = item.about.iter().map(|a| (a.to_string(), self.said(a)));
                Input::choice(field.name, named.clone(), several).must(true)
            }
            "body" | "string" if field.name == "body" => match self.procedure {
                Some(p) if !p.bodies.is_empty() => {
                    let mut bodies: Vec<_> =
                        p.bodies.iter().map(|b| (b.id.clone(), say(&b.title, lang).to_owned())).collect();
                    let awaited = self.awaited();
                    bodies.sort_by_key(|(id, _)| id != awaited);
                    one_of(bodies)
                }
                _ => new("line"),
            },
            "string" if field.name == "unit" && !self.articles.units.is_empty() => {
                let units = self.articles.units.iter();
                match act {
                    "assign" => {
                        one_of(units.map(|u| (u.title.zh.clone(), say(&u.title, lang).to_owned())).collect())
                    }
                    _ => {
                        let mut unit = new("line");
                        unit.known = units.map(|u| u.title.zh.clone()).collect();
                        unit
                    }
                }
            }
            "string" if field.name == "person" && !self.articles.people.is_empty() => {
                let mut person = new("line").hint(w::PERSON_HINT.of(lang));
                person.known = self.articles.people.iter().map(|p| p.name.clone()).collect();
                person
            }
            "matters" => new("area"),
            "text" => new("area"),
            words if words.contains('|') => one_of(fixed_choices(words.split('|'), lang).collect()),
            _ => new("line"),
        };
        vec![match act {
            "correct" => input.hint(w::TO_BE_TYPED.of(lang)),
            _ => input,
        }]
    }

    /// The members who sit in the body the next stage waits for.
    fn sitting(&self) -> Option<&[String]> {
        let day = Date::from_days(self.today)?;
        self.articles.sitting(self.awaited(), day).map(|b| b.members.as_slice())
    }

    /// A line for each member: there, from afar, absent; or how he voted. Left open, only the counts are kept.
    fn members(&self, prefix: &str, hows: &[(&str, w::Word)]) -> Vec<Input> {
        let lang = self.lang;
        let none = || (String::new(), w::CHOOSE_NONE.of(lang).to_owned());
        let hows = || hows.iter().map(|(code, word)| ((*code).to_owned(), word.of(lang).to_owned()));
        let line = |id: &String| {
            let name = format!("{prefix}.{id}");
            Input::choice(name, self.articles.name(id), std::iter::once(none()).chain(hows()))
        };
        self.sitting().unwrap_or_default().iter().map(line).collect()
    }

    /// How many of those there carry a tag some gate asks for; by name, the charter knows.
    fn tags(&self) -> Vec<Input> {
        if self.sitting().is_some() {
            return Vec::new();
        }
        let gates = self.procedure.into_iter().flat_map(|p| &p.stages).flat_map(|s| &s.gates);
        let tags: BTreeSet<&String> = gates
            .filter_map(|g| match &g.need {
                Need::Meeting { tags, .. } => Some(tags.keys()),
                _ => None,
            })
            .flatten()
            .collect();
        let named = |tag: &str| match self.lang {
            Lang::Zh => format!("其中“{tag}”几人"),
            Lang::En => format!("Of them “{tag}”"),
        };
        tags.into_iter().map(|tag| Input::new("number", format!("tag.{tag}"), named(tag))).collect()
    }

    /// An act in a few words, to be told from its like.
    fn said(&self, act: &ActRef) -> String {
        let d = &self.matter.deliberation;
        let asked = d.posts.iter().flat_map(|p| &p.objections).chain(&d.summonses);
        let texts =
            asked.map(|a| (a.noted.act, &a.text)).chain(d.posts.iter().map(|p| (p.noted.act, &p.text)));
        let mut texts = texts.chain(self.matter.answers.iter().map(|a| (a.act, &a.text)));
        if let Some((_, text)) = texts.find(|(at, _)| at == act) {
            return excerpt(text);
        }
        let step = self.matter.timeline.iter().find(|t| t.act == *act);
        step.map_or_else(String::new, |t| {
            let place = Place::of_known(t.place.as_ref()).name;
            let kind = words::act(&t.kind).map_or(t.kind.as_str(), |(zh, en)| self.lang.of(zh, en));
            format!("{place} · {kind} · {}", moments::day(&t.on, self.lang))
        })
    }

    /// A paper of the procedure.
    pub(super) fn paper(&self, paper: &Form) -> Vec<Input> {
        let lang = self.lang;
        let fields = paper.fields.iter().map(|f| {
            let (name, title) = (format!("f.{}", f.id), say(&f.title, lang));
            let none = || (!f.required).then(|| (String::new(), w::CHOOSE_NONE.of(lang).to_owned()));
            let input = match f.kind {
                FieldKind::Text => Input::new("area", name, title),
                FieldKind::Line => Input::new("line", name, title),
                FieldKind::Number | FieldKind::Money => Input::new("number", name, title),
                FieldKind::Day => Input::new("day", name, title),
                FieldKind::Choice => {
                    let choices = f.choices.iter().map(|c| (c.id.clone(), say(&c.title, lang).to_owned()));
                    Input::choice(name, title, none().into_iter().chain(choices))
                }
                FieldKind::YesNo => {
                    let both = [("yes", w::YES), ("no", w::NO)]
                        .map(|(v, word)| (v.to_owned(), word.of(lang).to_owned()));
                    Input::choice(name, title, none().into_iter().chain(both))
                }
            };
            let yuan = if f.kind == FieldKind::Money { lang.of("元", "yuan") } else { "" };
            input.must(f.required).hint(yuan)
        });
        fields.collect()
    }
}
