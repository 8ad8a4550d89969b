//! The forms over several matters of the inbox: what is asked once for all of them, with what the charter knows
//! filled in.

use super::{
    forms::{Input, fixed_choices, label},
    inputs::say,
    w::{self, inbox as wi},
};
use crate::{
    actions::InboxRow,
    http::{
        House,
        lang::Lang,
        problem::{Answer, Problem},
    },
};

/// What may be done with several at once.
pub(super) struct Bulk {
    pub(super) action: String,
    pub(super) form_token: String,
    pub(super) once: String,
    pub(super) back: String,
    pub(super) acts: Vec<BulkAct>,
}

pub(super) struct BulkAct {
    pub(super) act: &'static str,
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) means: &'static str,
    pub(super) button: &'static str,
    pub(super) danger: bool,
    pub(super) inputs: Vec<Input>,
    pub(super) open: bool,
}

/// The forms offered over these rows.
pub(super) async fn offered(house: &House, rows: &[InboxRow], lang: Lang) -> Answer<Vec<BulkAct>> {
    let word = |word: w::Word| word.of(lang).to_owned();
    let none = || (String::new(), word(w::CHOOSE_NONE));
    let in_force = house.actions.procedures().await.map_err(Problem::action)?;
    let procedures =
        in_force.iter().map(|p| (p.procedure.id.clone(), say(&p.procedure.title, lang).to_owned()));
    let procedures = std::iter::once((String::new(), word(wi::KEEP_PROCEDURE))).chain(procedures);
    let accept = vec![
        Input::choice("accept.procedure", label("accept", "procedure", lang), procedures),
        Input::choice(
            "accept.urgency",
            label("accept", "urgency", lang),
            std::iter::once(none()).chain(fixed_choices(["normal", "urgent", "immediate"], lang)),
        ),
    ];
    let articles = house.actions.articles();
    let scheme = house.actions.categories();
    let unit = match articles.units.is_empty() {
        true => Input::new("line", "assign.unit", label("assign", "unit", lang)),
        false => {
            let units = articles.units.iter().map(|u| (u.title.zh.clone(), say(&u.title, lang).to_owned()));
            let by_category = scheme.iter().any(|c| c.unit.is_some());
            let first = by_category.then(|| (String::new(), word(wi::ASSIGN_BY_CATEGORY)));
            Input::choice("assign.unit", label("assign", "unit", lang), first.into_iter().chain(units))
        }
    };
    let mut person = Input::new("line", "assign.person", label("assign", "person", lang));
    person.known = articles.people.iter().map(|p| p.name.clone()).collect();
    if !articles.units.is_empty() {
        person = person.hint(w::PERSON_HINT.of(lang));
    }
    let mut first = Input::new("check", "assign.accept", word(wi::ASSIGN_ACCEPT));
    "yes".clone_into(&mut first.value);
    let leads = rows.iter().map(|r| {
        let m = &r.matter;
        (m.id.to_string(), format!("{} {}", m.number, m.title))
    });
    let leads = std::iter::once((String::new(), word(wi::MERGE_FIRST))).chain(leads);
    let form = |act, key, name: w::Word, means: Option<w::Word>, button: w::Word, inputs| BulkAct {
        act,
        key,
        name: name.of(lang),
        means: means.map_or("", |w| w.of(lang)),
        button: button.of(lang),
        danger: act == "return",
        inputs,
        open: false,
    };
    let reason = |act: &str| Input::new("area", format!("{act}.reason"), label(act, "reason", lang));
    Ok(vec![
        form("accept", "a", wi::DO_ACCEPT, Some(wi::ACCEPT_MEANS), wi::ACCEPT_BUTTON, accept),
        form("assign", "s", wi::DO_ASSIGN, None, wi::ASSIGN_BUTTON, vec![unit, person, first]),
        form(
            "merge",
            "m",
            wi::DO_MERGE,
            Some(wi::MERGE_MEANS),
            wi::MERGE_BUTTON,
            vec![Input::choice("merge.lead", word(wi::MERGE_LEAD), leads)],
        ),
        form("return", "r", wi::DO_RETURN, Some(wi::RETURN_MEANS), wi::RETURN_BUTTON, vec![reason("return")]),
        form(
            "escalate",
            "e",
            wi::DO_ESCALATE,
            Some(wi::ESCALATE_MEANS),
            wi::ESCALATE_BUTTON,
            vec![reason("escalate")],
        ),
    ]
    .into_iter()
    // Where nobody is above, nothing is passed up.
    .filter(|a| a.act != "escalate" || house.actions.node().parent.is_some())
    .collect())
}
