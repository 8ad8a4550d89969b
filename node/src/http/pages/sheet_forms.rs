//! `GET` and `POST /sheets/forms`: a workbook is shown first, with the cells that were found in it, and kept by a
//! second press; one that is kept can be removed. `GET /sheets/forms/{name}`: it is filled.
//!
//! Between the two presses the file lies in the page itself: nothing is kept that nobody confirmed.

use super::{Page, Visitor, desk::sent_once, forms as fields, html, w};
use crate::{
    http::{
        House,
        body::{Filled, Query},
        caller::Caller,
        lang::Lang,
        once::Done,
        permit::Permit,
        problem::{Answer, Problem},
        secret,
        sheets::{filled as filled_form, form_refused},
    },
    sheets::forms::{self, FillQuery, FormRequest, StagedForm},
};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use std::sync::Arc;

const ADDRESS: &str = "/sheets/forms";

#[derive(Template)]
#[template(path = "sheet_forms.html")]
struct FormsPage {
    page: Page,
    form_token: String,
    once: String,
    name: String,
    workbook: String,
    trouble: Option<String>,
    shown: Option<Shown>,
    /// Names of what is kept, each with a word against sending twice.
    kept: Vec<(String, String)>,
    figures: Vec<(&'static str, String)>,
}

struct Shown {
    name: String,
    problems: Vec<String>,
    replaces: bool,
    cells: Vec<[String; 3]>,
    unknown: Vec<String>,
    formulas: bool,
    sound: bool,
}

fn shown(staged: StagedForm, lang: Lang) -> Shown {
    let cell = |c: &crate::sheets::form::Cell| {
        let period = c.period.map_or_else(|| w::FORM_ASKED.of(lang).to_owned(), |p| p.to_string());
        [c.cell.clone(), lang.of(&c.title.zh, &c.title.en).to_owned(), period]
    };
    let unknown = |u: &crate::sheets::form::Unknown| match &u.perhaps {
        Some(perhaps) => format!("{}（{} {perhaps}）", u.name, w::FORM_PERHAPS.of(lang)),
        None => u.name.clone(),
    };
    Shown {
        problems: staged.found.problems.iter().map(|p| lang.of(&p.zh, &p.en).to_owned()).collect(),
        cells: staged.found.cells.iter().map(cell).collect(),
        unknown: staged.found.unknown.iter().map(unknown).collect(),
        formulas: staged.found.formulas,
        replaces: staged.replaces,
        sound: staged.sound,
        name: staged.name,
    }
}

/// What the page says besides its forms.
#[derive(Default)]
struct Says {
    request: FormRequest,
    shown: Option<Shown>,
    trouble: Option<String>,
}

async fn page(house: &House, visitor: &Visitor, caller: &Caller, says: Says) -> Response {
    let kept = match forms::list(&house.actions).await {
        Ok(kept) => kept.into_iter().map(|f| (f.name, secret::fresh())).collect(),
        Err(e) => return visitor.trouble(house, &form_refused(e)),
    };
    let page = visitor.page(house, "sheets");
    let lang = page.lang;
    let figures = crate::sheets::form_figures();
    html(&FormsPage {
        form_token: caller.form_token(),
        once: secret::fresh(),
        name: says.request.name,
        workbook: says.request.file,
        trouble: says.trouble,
        shown: says.shown,
        kept,
        figures: figures
            .all()
            .iter()
            .map(|f| (f.name, lang.of(&f.title.zh, &f.title.en).to_owned()))
            .collect(),
        page,
    })
}

pub(super) async fn blank(State(house): State<Arc<House>>, visitor: Visitor) -> Response {
    let Some(caller) = &visitor.caller else { return visitor.to_sign_in() };
    match caller.must(Permit::Places) {
        Ok(()) => page(&house, &visitor, caller, Says::default()).await,
        Err(problem) => visitor.trouble(&house, &problem),
    }
}

pub(super) async fn sent(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    headers: HeaderMap,
    filled: Result<Filled, Problem>,
) -> Response {
    let (caller, filled) = match visitor.admit(&house, &headers, filled, Permit::Places) {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    let lang = visitor.lang;
    let request =
        FormRequest { name: filled.get("name").to_owned(), file: filled.get("workbook").to_owned() };
    let done = match filled.get("step") {
        "apply" => kept(&house, caller, &filled, &request).await.map(|()| "/sheets?kept=yes"),
        "remove" => {
            forms::remove(&house.actions, &request.name).await.map(|()| ADDRESS).map_err(form_refused)
        }
        _ => match forms::stage(&house.actions, &request).await {
            Ok(staged) => {
                let shown = Some(shown(staged, lang));
                return page(&house, &visitor, caller, Says { request, shown, trouble: None }).await;
            }
            Err(e) => Err(form_refused(e)),
        },
    };
    match done {
        Ok(to) => visitor.to(to),
        Err(problem) => {
            let trouble = Some(fields::plain(&problem, "form", lang));
            let page = page(&house, &visitor, caller, Says { request, shown: None, trouble }).await;
            (problem.status(), page).into_response()
        }
    }
}

async fn kept(house: &Arc<House>, caller: &Caller, filled: &Filled, request: &FormRequest) -> Answer<()> {
    let hash = secret::hash(format!("{}\n{}", request.name, request.file).as_bytes());
    sent_once(house, caller, ADDRESS, filled, hash, || {
        let (actions, by, request) = (house.actions.clone(), caller.person.clone(), request.clone());
        async move {
            let kept = forms::keep(&actions, Some(&by), &request).await.map_err(form_refused)?;
            let body = serde_json::to_value(&kept).map_err(Problem::fault)?;
            Ok(Done { status: StatusCode::CREATED, body })
        }
    })
    .await
    .map(|_| ())
}

pub(super) async fn fill(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(name): Path<String>,
    query: Result<Query<FillQuery>, Problem>,
) -> Response {
    if !visitor.may_read() {
        return visitor.to_sign_in();
    }
    let answer = async {
        let Query(query) = query?;
        filled_form(&house, &name, &query).await
    };
    answer.await.unwrap_or_else(|problem: Problem| visitor.trouble(&house, &problem))
}
