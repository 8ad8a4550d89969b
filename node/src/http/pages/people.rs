//! `GET /people`, `POST /people`: who may sign in at this place, with which roles; a new password on the spot.
//!
//! Nobody hands out rights they do not have, nor changes somebody who has more. A password made here is in one
//! answer and nowhere else.

use super::{
    Page, Visitor,
    forms::{Input, field_of},
    html,
    w::{self, inbox as wi},
    with_language,
};
use crate::{
    http::{
        House,
        accounts::member_id,
        api::people::{Adding, roles_stated},
        body::{Filled, Query},
        caller::Caller,
        lang::Lang,
        once::{Done, Holds, Key, given_once},
        permit::{self, Permit, ROLES},
        problem::{Answer, Problem},
        secret,
    },
    store::{Person, PersonChange},
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// The person who is looked at closely.
    at: String,
    done: String,
}

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    page: Page,
    rows: Vec<Row>,
    done: Option<String>,
    /// A name and a password that are shown once.
    shown: Option<(String, String)>,
    trouble: Option<String>,
    at: Option<At>,
    action: String,
    form_token: String,
    once: String,
    inputs: Vec<Input>,
    roles: Vec<Role>,
    adding: bool,
}

struct Row {
    id: String,
    name: String,
    shown: String,
    roles: String,
    state: &'static str,
    locked: bool,
    own: bool,
    href: Option<String>,
}

struct Role {
    code: &'static str,
    name: &'static str,
    has: bool,
}

struct At {
    id: String,
    shown: String,
    roles: Vec<Role>,
    active: bool,
    own: bool,
    once: String,
}

/// The English of a role.
fn role_name(code: &str, zh: &'static str, lang: Lang) -> &'static str {
    const ENGLISH: [(&str, &str); 12] = [
        ("collector", "Collector"),
        ("clerk", "Clerk"),
        ("grid_worker", "Grid worker"),
        ("mediator", "Mediator"),
        ("council_member", "Council member"),
        ("board_member", "Committee member"),
        ("group_leader", "Group leader"),
        ("stationed_official", "Stationed official"),
        ("unit_handler", "Handler of a unit"),
        ("operator", "Operator"),
        ("supervisor", "Supervisor"),
        ("administrator", "Administrator"),
    ];
    match lang {
        Lang::Zh => zh,
        Lang::En => ENGLISH.iter().find(|(c, _)| *c == code).map_or(zh, |(_, en)| en),
    }
}

pub(super) async fn show(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Response {
    let Some(caller) = &visitor.caller else { return visitor.to_sign_in() };
    if let Err(problem) = caller.must(Permit::People) {
        return visitor.trouble(&house, &problem);
    }
    match written(&house, &visitor, caller, &asked, None, None).await {
        Ok(page) => html(&page),
        Err(problem) => visitor.trouble(&house, &problem),
    }
}

async fn written(
    house: &House,
    visitor: &Visitor,
    caller: &Caller,
    asked: &Asked,
    refused: Option<(&Filled, &Problem)>,
    secret_shown: Option<(String, String)>,
) -> Answer<PeoplePage> {
    let page = visitor.page(house, "people");
    let lang = page.lang;
    let people = house.store().people().await.map_err(Problem::store)?;
    let now = house.clock.now_ms();
    let rows = people.iter().map(|p| {
        let id = member_id(p.id);
        Row {
            own: id == caller.person,
            href: may_change(caller, p).then(|| page.href(&format!("/people?at={id}"))),
            name: p.name.clone(),
            shown: p.display_name.clone(),
            roles: roles_of(p, lang),
            state: match (p.active, p.locked_until_ms > now) {
                (false, _) => wi::PERSON_LOCKED,
                (true, true) => wi::PERSON_SHUT_OUT,
                (true, false) => wi::PERSON_ACTIVE,
            }
            .of(lang),
            locked: !p.active || p.locked_until_ms > now,
            id,
        }
    });
    let rows: Vec<Row> = rows.collect();
    let add = refused.filter(|(filled, _)| filled.get("step") == "add");
    let wrong = add.and_then(|(_, problem)| field_of(problem));
    let inputs = [
        Input::new("line", "name", wi::PERSON_NAME.of(lang)).must(true),
        Input::new("line", "display_name", wi::PERSON_SHOWN.of(lang)),
        Input::new("line", "password", wi::PERSON_PASSWORD.of(lang)).hint(wi::PERSON_PASSWORD_HINT.of(lang)),
    ];
    let inputs = inputs.map(|i| i.typed(add.map(|(filled, _)| filled), wrong.as_deref()));
    let ticked = |code: &str| {
        add.is_some_and(|(filled, _)| filled.pairs().iter().any(|(n, v)| n == "role" && v == code))
    };
    let at = people.iter().find(|p| member_id(p.id) == asked.at && may_change(caller, p));
    Ok(PeoplePage {
        done: match asked.done.as_str() {
            "changed" => Some(wi::PERSON_CHANGED.of(lang).to_owned()),
            "added" => Some(wi::PERSON_ADDED.of(lang).to_owned()),
            _ => None,
        },
        shown: secret_shown,
        trouble: refused.map(|(_, problem)| words(problem, lang)),
        at: at.map(|p| At {
            id: member_id(p.id),
            shown: p.display_name.clone(),
            roles: roles(caller, lang, |code| p.roles.iter().any(|r| r == code)),
            active: p.active,
            own: member_id(p.id) == caller.person,
            once: secret::fresh(),
        }),
        action: page.href("/people"),
        form_token: caller.form_token(),
        once: secret::fresh(),
        inputs: inputs.into(),
        roles: roles(caller, lang, ticked),
        adding: add.is_some() || rows.is_empty(),
        rows,
        page,
    })
}

/// The roles somebody may hand out.
fn roles(caller: &Caller, lang: Lang, has: impl Fn(&str) -> bool) -> Vec<Role> {
    let may = |permits: &[Permit]| permits.iter().all(|p| caller.may(*p));
    let offered = ROLES.iter().filter(|(code, _, permits)| may(permits) || has(code));
    offered.map(|&(code, zh, _)| Role { code, name: role_name(code, zh, lang), has: has(code) }).collect()
}

fn roles_of(p: &Person, lang: Lang) -> String {
    let named = |code: &String| {
        let known = ROLES.iter().find(|(c, ..)| c == code);
        known.map_or_else(|| code.clone(), |(c, zh, _)| role_name(c, zh, lang).to_owned())
    };
    p.roles.iter().map(named).collect::<Vec<_>>().join(lang.of("、", ", "))
}

/// Nobody changes somebody who may do more than they may themselves.
fn may_change(caller: &Caller, p: &Person) -> bool {
    permit::of_roles(p.roles.iter().map(String::as_str)).into_iter().all(|right| caller.may(right))
}

/// A problem with the fields called as this page calls them.
fn words(problem: &Problem, lang: Lang) -> String {
    if problem.code() == "taken" {
        return wi::PERSON_TAKEN.of(lang).to_owned();
    }
    let mut words = problem.words(lang).to_owned();
    let called = [
        ("name", wi::PERSON_NAME),
        ("display_name", wi::PERSON_SHOWN),
        ("roles", wi::PERSON_ROLES),
        ("password", wi::PERSON_PASSWORD),
    ];
    for (name, word) in called {
        for (open, close) in [("“", "”"), ("「", "」"), ("`", "`")] {
            words = words.replace(&format!("{open}{name}{close}"), &format!("“{}”", word.of(lang)));
        }
    }
    words
}

pub(super) async fn change(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    headers: HeaderMap,
    filled: Result<Filled, Problem>,
) -> Response {
    let (caller, filled) = match visitor.admit(&house, &headers, filled, Permit::People) {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    let at = filled.get("id").to_owned();
    let done = match filled.get("step") {
        "add" => added(&house, caller, &filled).await,
        step => changed(&house, caller, &filled, step).await,
    };
    let asked = Asked { at, ..Asked::default() };
    let page = match done {
        Ok(Some(shown)) => written(&house, &visitor, caller, &asked, None, Some(shown)).await,
        Ok(None) => {
            let to = if filled.get("step") == "add" { "/people?done=added" } else { "/people?done=changed" };
            let to = visitor.stated.map_or_else(|| to.to_owned(), |lang| with_language(to, lang));
            return Redirect::to(&to).into_response();
        }
        Err(problem) => {
            return match written(&house, &visitor, caller, &asked, Some((&filled, &problem)), None).await {
                Ok(page) => (problem.status(), html(&page)).into_response(),
                Err(problem) => visitor.trouble(&house, &problem),
            };
        }
    };
    match page {
        Ok(page) => html(&page),
        Err(problem) => visitor.trouble(&house, &problem),
    }
}

fn ticked(filled: &Filled) -> Vec<String> {
    filled.pairs().iter().filter(|(n, _)| n == "role").map(|(_, v)| v.clone()).collect()
}

/// Adds somebody; gives the password that was made, if one was.
async fn added(house: &Arc<House>, caller: &Caller, filled: &Filled) -> Answer<Option<(String, String)>> {
    let password = Some(filled.get("password").to_owned()).filter(|p| !p.is_empty());
    let adding = Adding::checked(
        caller,
        filled.get("name"),
        Some(filled.get("display_name")),
        ticked(filled),
        password,
    )?;
    let holds = adding.holds();
    let typed: Vec<&(String, String)> =
        filled.pairs().iter().filter(|(n, _)| !matches!(n.as_str(), "form_token" | "once")).collect();
    let hash = secret::hash(format!("{typed:?}").as_bytes());
    let key = Key::of_form("/people", filled.get("once"));
    let given = given_once(house, caller, key, hash, holds, adding.add(Arc::clone(house))).await?;
    let made: Value = serde_json::from_str(&given.text).map_err(Problem::fault)?;
    let text = |name: &str| made.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(text("password").map(|password| (text("display_name").unwrap_or_default(), password)))
}

async fn changed(
    house: &Arc<House>,
    caller: &Caller,
    filled: &Filled,
    step: &str,
) -> Answer<Option<(String, String)>> {
    let people = house.store().people().await.map_err(Problem::store)?;
    let person = people.into_iter().find(|p| member_id(p.id) == filled.get("id")).ok_or_else(unknown)?;
    caller.must_have_all(&permit::of_roles(person.roles.iter().map(String::as_str)))?;
    let own = member_id(person.id) == caller.person;
    let mut change = PersonChange::default();
    let mut made = None;
    match step {
        "roles" => {
            let roles = roles_stated(caller, ticked(filled))?;
            let manages = permit::of_roles(roles.iter().map(String::as_str)).contains(&Permit::People);
            if own && !manages {
                return Err(not_self());
            }
            change.roles = Some(roles);
        }
        "password" => made = Some(secret::readable_password()),
        "lock" if own => return Err(not_self()),
        "lock" => change.active = Some(false),
        "unlock" => change.active = Some(true),
        _ => return Err(super::forms::wrong("step", "不是这里能办的", "is nothing that is done here")),
    }
    let holds = if made.is_some() { Holds::Secret } else { Holds::NoSecret };
    let hash =
        secret::hash(format!("{step} {} {:?} {:?}", person.id, change.roles, change.active).as_bytes());
    let key = Key::of_form("/people", filled.get("once"));
    let (shared, password) = (Arc::clone(house), made.clone());
    given_once(house, caller, key, hash, holds, async move {
        if let Some(password) = password {
            let (hashed, _turn) = shared.passwords.turn().await?.hash(password).await?;
            change.password = Some(hashed);
        }
        match shared.store().change_person(person.id, change).await.map_err(Problem::store)? {
            true => Ok(Done { status: StatusCode::OK, body: json!({ "done": true }) }),
            false => Err(unknown()),
        }
    })
    .await?;
    Ok(made.map(|password| (person.display_name, password)))
}

fn said(status: StatusCode, code: &'static str, word: w::Word) -> Problem {
    Problem::new(status, code, "Not done", word.of(Lang::En), word.of(Lang::Zh))
}

fn unknown() -> Problem {
    said(StatusCode::NOT_FOUND, "unknown_person", wi::PERSON_UNKNOWN)
}

fn not_self() -> Problem {
    said(StatusCode::UNPROCESSABLE_ENTITY, "not_oneself", wi::PERSON_NOT_SELF)
}
