//! `GET` and `POST /stubs/{ref}`: what a register below says of a matter that is not here, opening it on record, and
//! whether the register told the truth.

use super::{
    Page, Place, Visitor,
    desk::sent_once,
    forms::{self, Input, field_of},
    html, moments,
    w::{self, notices as n},
};
use crate::{
    actions::{
        OpenRequest,
        views::{OpeningView, StubField, StubView},
    },
    http::{
        House,
        body::Filled,
        lang::Lang,
        once::Done,
        permit::Permit,
        problem::{Answer, Problem},
        secret,
    },
};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use std::sync::Arc;
use yishi_protocol::fold::frame::Stage;

#[derive(Template)]
#[template(path = "stub.html")]
struct StubPage {
    page: Page,
    number: String,
    state: &'static str,
    here: bool,
    href: String,
    home: Place,
    register_of: Place,
    said_on: String,
    compared: Option<(&'static str, bool)>,
    rows: Vec<Row>,
    openings: Vec<Opening>,
    desk: Option<Desk>,
}

struct Row {
    name: &'static str,
    said: String,
    found: String,
    differs: bool,
}

/// Who opened a matter.
pub(super) struct Opening {
    pub(super) place: Place,
    pub(super) on: String,
    pub(super) reason: String,
}

struct Desk {
    action: String,
    form_token: String,
    once: String,
    inputs: Vec<Input>,
    trouble: Option<String>,
}

const FIELDS: [(&str, w::Word); 10] = [
    ("number", n::F_NUMBER),
    ("category", n::CATEGORY),
    ("raised", n::F_RAISED),
    ("stage", n::F_STAGE),
    ("moved", n::F_MOVED),
    ("answered", n::F_ANSWERED),
    ("refused", n::F_REFUSED),
    ("holder", n::F_HOLDER),
    ("due", n::F_DUE),
    ("violations", n::F_VIOLATIONS),
];

/// One field of a stub in words.
fn row(f: &StubField, lang: Lang) -> Row {
    let words = |value: &Option<String>| {
        let value = value.as_deref().unwrap_or_default();
        match f.field {
            "stage" => Stage::from_name(value)
                .map_or(value, |stage| w::stage(stage.name(), stage.zh(), lang))
                .to_owned(),
            "raised" | "moved" | "answered" | "refused" | "due" if !value.is_empty() => {
                moments::dated(value, lang)
            }
            _ => value.to_owned(),
        }
    };
    let name = FIELDS.iter().find(|(name, _)| *name == f.field).map_or("", |(_, word)| word.of(lang));
    Row { name, said: words(&f.said), found: words(&f.found), differs: f.differs }
}

pub(super) fn opening(o: &OpeningView, lang: Lang) -> Opening {
    Opening { place: Place::of(&o.place), on: moments::dated(&o.on, lang), reason: o.reason.clone() }
}

pub(super) async fn show(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(reference): Path<String>,
) -> Response {
    if !visitor.may_read() {
        return visitor.to_sign_in();
    }
    match house.actions.stub_of(&reference).await {
        Ok(view) => html(&page_of(&house, &visitor, &view, None)),
        Err(e) => visitor.trouble(&house, &Problem::action(e)),
    }
}

fn page_of(
    house: &House,
    visitor: &Visitor,
    view: &StubView,
    refused: Option<(&Filled, &Problem)>,
) -> StubPage {
    let page = visitor.page(house, "dashboard");
    let lang = page.lang;
    let wrong = refused.and_then(|(_, problem)| field_of(problem));
    let reason =
        Input::new("area", "reason", n::STUB_WHY.of(lang)).must(true).hint(n::STUB_WHY_HINT.of(lang));
    let caller = visitor.caller.as_ref().filter(|c| view.state == "unseen" && c.may(Permit::TakeOver));
    let desk = caller.map(|caller| Desk {
        action: page.href(&format!("/stubs/{}", view.id)),
        form_token: caller.form_token(),
        once: secret::fresh(),
        inputs: vec![reason.typed(refused.map(|(filled, _)| filled), wrong.as_deref())],
        trouble: refused.map(|(_, problem)| forms::plain(problem, "open", lang)),
    });
    StubPage {
        number: view.number.clone().unwrap_or_default(),
        state: match view.state {
            "here" => n::STUB_HERE,
            "asked" => n::STUB_ASKED,
            _ => n::STUB_UNSEEN,
        }
        .of(lang),
        here: view.state == "here",
        href: page.href(&format!("/m/{}", view.id)),
        home: Place::of(&view.home),
        register_of: Place::of(&view.register_of),
        said_on: moments::dated(&view.said_on, lang),
        compared: view.compared.map(|c| match c {
            "same" => (n::STUB_SAME.of(lang), false),
            "differs" => (n::STUB_DIFFERS.of(lang), true),
            _ => (n::STUB_MOVED.of(lang), false),
        }),
        rows: view.fields.iter().map(|f| row(f, lang)).collect(),
        openings: view.openings.iter().map(|o| opening(o, lang)).collect(),
        desk,
        page,
    }
}

pub(super) async fn open(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(reference): Path<String>,
    headers: HeaderMap,
    filled: Result<Filled, Problem>,
) -> Response {
    let (caller, filled) = match visitor.admit(&house, &headers, filled, Permit::TakeOver) {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    let request = OpenRequest { reason: filled.get("reason").to_owned() };
    let address = format!("/stubs/{reference}");
    let hash = secret::hash(request.reason.as_bytes());
    let given: Answer<_> = sent_once(&house, caller, &address, &filled, hash, || {
        let (actions, by, reference, request) =
            (house.actions.clone(), caller.person.clone(), reference.clone(), request.clone());
        async move {
            let view = actions.open_stub(Some(&by), &reference, &request).await.map_err(Problem::action)?;
            let body = serde_json::to_value(&view).map_err(Problem::fault)?;
            Ok(Done { status: StatusCode::OK, body })
        }
    })
    .await;
    match given {
        Ok(_) => visitor.to(&address),
        Err(problem) => match house.actions.stub_of(&reference).await {
            Ok(view) => {
                let page = page_of(&house, &visitor, &view, Some((&filled, &problem)));
                (problem.status(), html(&page)).into_response()
            }
            Err(e) => visitor.trouble(&house, &Problem::action(e)),
        },
    }
}
