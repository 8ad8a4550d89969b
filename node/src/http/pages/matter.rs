//! `GET /m/{ref}`: one matter.

use super::{
    Page, Place, Visitor,
    acts::{self, Desk, Refused},
    escaped, html,
    list::{Row, row},
    moments, notices,
    photos::{self, Photos},
    record::{self, Section, Teller, Where},
    similar::{self, Alike},
    stub, w,
};
use crate::{
    actions::{
        board::RECEIPT,
        views::{LevelView, MatterView, TimelineView},
    },
    http::{
        House,
        accounts::member_id,
        body::Query,
        caller::{Caller, LOCAL},
        lang::Lang,
        problem::Problem,
    },
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc};
use yishi_protocol::{fold::words, ids::PlaceId, place::bare_name};

#[derive(Template)]
#[template(path = "matter.html")]
pub(super) struct MatterPage {
    page: Page,
    m: Row,
    facts: Vec<Fact>,
    inside: Option<Inside>,
    states: Vec<String>,
    sign_in: String,
    /// What was just done.
    done: Vec<String>,
}

/// What brought somebody here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Came {
    pub(super) done: String,
    pub(super) note: String,
}

pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) href: Option<String>,
}

/// What is for those signed in.
pub(super) struct Inside {
    pub(super) body: String,
    pub(super) desk: Desk,
    pub(super) place: Where,
    pub(super) sections: Vec<Section>,
    pub(super) alike: Vec<Alike>,
    pub(super) resources: Vec<notices::Shown>,
    pub(super) openings: Vec<stub::Opening>,
    pub(super) receipt: String,
    pub(super) sheets: String,
    pub(super) answers: Vec<Answer>,
    pub(super) photos: Photos,
    pub(super) violations: Vec<String>,
    pub(super) timeline: Vec<Step>,
}

pub(super) struct Answer {
    pub(super) text: String,
    pub(super) by: Place,
    pub(super) on: String,
    pub(super) told: bool,
    pub(super) told_words: &'static str,
}

pub(super) struct Step {
    pub(super) on: String,
    pub(super) kind: String,
    pub(super) place: Place,
    pub(super) by: String,
    pub(super) text: String,
    pub(super) note: String,
    pub(super) tone: &'static str,
}

pub(super) async fn show(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    reference: Result<Path<String>, axum::extract::rejection::PathRejection>,
    Query(came): Query<Came>,
) -> Response {
    if !visitor.may_read() {
        return visitor.to_sign_in();
    }
    let Ok(Path(reference)) = reference else { return Problem::no_such_page().into_response() };
    after(&house, &visitor, &reference, None, Some(came)).await
}

/// The page of a matter, after an act that was taken or refused.
pub(super) async fn after(
    house: &House,
    visitor: &Visitor,
    reference: &str,
    refused: Option<Refused<'_>>,
    came: Option<Came>,
) -> Response {
    match written(house, visitor, reference, refused, came.unwrap_or_default()).await {
        Ok(page) => html(&page),
        Err(problem) => visitor.trouble(house, &problem),
    }
}

/// The page with the form for photos as it was sent.
pub(super) async fn with_photos(
    house: &House,
    visitor: &Visitor,
    reference: &str,
    add: photos::Add,
) -> Result<MatterPage, Problem> {
    let mut page = written(house, visitor, reference, None, Came::default()).await?;
    if let Some(inside) = &mut page.inside {
        inside.photos.add = Some(add);
    }
    Ok(page)
}

async fn written(
    house: &House,
    visitor: &Visitor,
    reference: &str,
    refused: Option<Refused<'_>>,
    came: Came,
) -> Result<MatterPage, Problem> {
    let page = visitor.page(house, "matter");
    let own = house.actions.node().place.place;
    let matter = house.actions.matter(reference).await.map_err(Problem::action)?;
    let today = house.actions.today();
    let m = row(&matter.summary, &page, &own.level);
    let (inside, facts) = match &visitor.caller {
        Some(caller) if visitor.may_read() => {
            let shown = told(house, visitor, caller, &page, &matter, refused).await?;
            (Some(shown), facts(&matter, &page, today))
        }
        _ => (None, Vec::new()),
    };
    let last = house.actions.links().await.map_err(Problem::action)?.up.and_then(|l| l.last_contact);
    let states = states(&matter.summary.stored.up, last.as_deref(), today, page.lang);
    let done = if visitor.may_read() { done(&came, &matter, own.id, page.lang) } else { Vec::new() };
    Ok(MatterPage { sign_in: visitor.sign_in_address(), page, m, facts, inside, states, done })
}

/// What those signed in are told of a matter.
pub(super) async fn told(
    house: &House,
    visitor: &Visitor,
    caller: &Caller,
    page: &Page,
    matter: &MatterView,
    refused: Option<Refused<'_>>,
) -> Result<Inside, Problem> {
    let today = house.actions.today();
    let people = house.store().people().await.map_err(Problem::store)?;
    let names = people.into_iter().map(|p| (member_id(p.id), p.display_name)).collect();
    let own = Own { place: house.actions.node().place.place.id, names };
    let mut outcomes = Vec::new();
    for id in &matter.summary.outcomes {
        // One that has not arrived yet is not shown; the decision itself is in the history.
        outcomes.extend(house.actions.outcome(&id.to_string()).await.ok());
    }
    let desk = acts::desk(house, visitor, caller, matter, refused).await?;
    let bound = matter.deliberation.procedure.as_ref();
    let procedure = bound.and_then(|p| house.actions.procedure(&p.pin));
    let teller = Teller { lang: page.lang, today, procedure: procedure.as_deref() };
    let category = matter.summary.category.as_deref().unwrap_or_default();
    let open = matter.summary.holder.as_ref().is_some_and(|h| h.id == own.place);
    let resources = if open { notices::resources(house, page, category).await? } else { Vec::new() };
    let openings = house.actions.openings_of(&matter.summary.id).await.map_err(Problem::action)?;
    Ok(Inside {
        resources,
        openings: openings.iter().map(|o| stub::opening(o, page.lang)).collect(),
        desk: Desk { action: page.href(&desk.action), ..desk },
        place: record::place_in(&matter.deliberation, teller),
        sections: record::sections(matter, &outcomes, teller),
        alike: similar::on_page(house, page, caller, own.place, matter).await,
        sheets: page.href(&format!("/sheets?matter={}", matter.summary.id)),
        receipt: page.href(&format!("/m/{}/receipt", matter.summary.id)),
        photos: photos::of_matter(house, caller, page, matter),
        ..inside(matter, &own, today, page.lang)
    })
}

/// What was just done, in a line; only words the program knows come from the address.
pub(super) fn done(came: &Came, matter: &MatterView, own: PlaceId, lang: Lang) -> Vec<String> {
    let Some((zh, en)) = words::act(&came.done) else { return Vec::new() };
    let elsewhere = matter.summary.holder.as_ref().filter(|h| h.id != own).map(|h| Place::of(h).name);
    let mut lines = vec![match (lang, elsewhere) {
        (Lang::Zh, None) => format!("已记下：{zh}。下面的“经过”里能看到。"),
        (Lang::Zh, Some(place)) => format!("已记下：{zh}。现在由{place}承办，会出现在它的“今天要办”里。"),
        (Lang::En, None) => format!("Recorded: {en}. It is under “What happened” below."),
        (Lang::En, Some(place)) => {
            format!("Recorded: {en}. {place} holds the matter and sees it under Today.")
        }
    }];
    match came.note.as_str() {
        "numbers" => lines.push(w::ACT_NUMBERS.of(lang).to_owned()),
        "sealed" => lines.push(w::NOTE_SEALED.of(lang).to_owned()),
        _ => {}
    }
    lines
}

/// This place and its people: only here are member ids names.
struct Own {
    place: PlaceId,
    names: BTreeMap<String, String>,
}

impl Own {
    fn person(&self, t: &TimelineView, lang: Lang) -> String {
        let Some(by) = &t.by else { return String::new() };
        if by == LOCAL {
            return w::ADMINISTRATOR.of(lang).to_owned();
        }
        if by == RECEIPT {
            return w::board::BY_RECEIPT.of(lang).to_owned();
        }
        let ours = t.place.as_ref().is_some_and(|p| p.id == self.place);
        self.names.get(by).filter(|_| ours).unwrap_or(by).clone()
    }
}

fn inside(matter: &MatterView, own: &Own, today: i64, lang: Lang) -> Inside {
    let answers = matter.answers.iter().map(|a| Answer {
        text: a.text.clone(),
        by: Place::of(&a.place),
        on: moments::day_seen(&a.on, today, lang),
        told: a.told,
        told_words: if a.told { w::TOLD.of(lang) } else { w::UNTOLD.of(lang) },
    });
    let violations = matter.summary.violations.iter().map(|v| match lang {
        Lang::Zh => format!("{}的一步没有计入：{}。原文保留在经过里。", bare_name(&v.place.name), v.why_zh),
        Lang::En => {
            format!("One step of {} does not count: {}. It is kept below.", bare_name(&v.place.name), v.why)
        }
    });
    let held_up = matter.held_up.iter().map(|h| match lang {
        Lang::Zh => format!("{}。", h.why_zh),
        Lang::En => format!("Held up: {}.", h.why),
    });
    Inside {
        desk: Desk::default(),
        place: Where::default(),
        sections: Vec::new(),
        alike: Vec::new(),
        resources: Vec::new(),
        openings: Vec::new(),
        receipt: String::new(),
        sheets: String::new(),
        body: matter.body.clone(),
        answers: answers.collect(),
        photos: Photos::default(),
        violations: held_up.chain(violations).collect(),
        // The newest first: it is what people come for.
        timeline: matter.timeline.iter().rev().map(|t| step(t, own, today, lang)).collect(),
    }
}

fn step(t: &TimelineView, own: &Own, today: i64, lang: Lang) -> Step {
    let why = match lang {
        Lang::Zh => t.why_zh,
        Lang::En => t.why,
    };
    Step {
        on: moments::day_seen(&t.on, today, lang),
        kind: w::act(&t.kind, &t.kind_zh, lang).to_owned(),
        place: Place::of_known(t.place.as_ref()),
        by: own.person(t, lang),
        text: t.text.clone().unwrap_or_default(),
        note: why.unwrap_or_default().to_owned(),
        tone: if t.verdict == "counted" { "" } else { "aside" },
    }
}

pub(super) fn facts(matter: &MatterView, page: &Page, today: i64) -> Vec<Fact> {
    let (m, lang) = (&matter.summary, page.lang);
    let mut facts = Vec::new();
    let mut add = |name: w::Word, value: String, href: Option<String>| {
        if !value.is_empty() {
            facts.push(Fact { name: name.of(lang), value, href });
        }
    };
    add(w::HOME, Place::of(&m.home).name, None);
    add(w::RAISED_ON, moments::day_seen(&m.raised_on, today, lang), None);
    let petitioner = m.petitioner.as_ref().map(|p| match p.kind.as_str() {
        "anonymous" => w::ANONYMOUS,
        "proxy" => w::PROXY,
        _ => w::NAMED,
    });
    add(w::PETITIONER, petitioner.map(|p| p.of(lang).to_owned()).unwrap_or_default(), None);
    if m.supports > 0 {
        let people = match lang {
            Lang::Zh => format!("{} 人", m.supports),
            Lang::En => m.supports.to_string(),
        };
        add(w::SUPPORTS, people, None);
    }
    if let Some(lead) = &m.merged_into {
        let href = page.href(&format!("/m/{}", escaped(&lead.to_string())));
        add(w::MERGED_INTO, w::SEE_LEAD.of(lang).to_owned(), Some(href));
    }
    if !m.sources.is_empty() {
        let count = match lang {
            Lang::Zh => format!("{} 件", m.sources.len()),
            Lang::En => m.sources.len().to_string(),
        };
        add(w::SOURCES, count, None);
    }
    add(w::EXTERNAL, m.external.as_ref().map(|e| e.number.clone()).unwrap_or_default(), None);
    add(w::CHECK_CODE, m.check_code.clone(), None);
    facts
}

/// Where it is, in sentences: what waits needs nobody to do anything.
fn states(up: &[LevelView], last_contact: Option<&str>, today: i64, lang: Lang) -> Vec<String> {
    let waiting: Vec<&str> =
        up.iter().filter(|l| l.state != "stored").map(|l| bare_name(&l.place.name)).collect();
    if waiting.is_empty() {
        return Vec::new();
    }
    let names = waiting.join(lang.of("、", ", "));
    let seen = last_contact.map(|at| moments::instant(at, today, lang));
    let words = match (lang, seen) {
        (Lang::Zh, Some(at)) => format!("{names}还没收到（上次联通：{at}）。不用管，通了会自动送到。"),
        (Lang::Zh, None) => format!("{names}还没收到。不用管，通了会自动送到。"),
        (Lang::En, Some(at)) => {
            format!("Not yet at {names} (last heard {at}). Nothing to do: it goes by itself once connected.")
        }
        (Lang::En, None) => format!("Not yet at {names}. Nothing to do: it goes by itself once connected."),
    };
    vec![words]
}
