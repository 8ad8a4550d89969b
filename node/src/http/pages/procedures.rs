//! `GET /procedures`, `GET /procedures/{procedure}`: what is in force, and one drawn as its stages with the
//! gates in words. `GET` and `POST /procedures/issue`: a file is shown first, with what is wrong in it and what
//! it replaces, and issued by a second press.

use super::{
    Page, Place, Visitor,
    desk::sent_once,
    escaped, forms,
    gates::{Drawn, drawn},
    html,
    inputs::say,
    moments, w,
};
use crate::{
    actions::views::{ProblemView, ProcedureView, StagedView},
    http::{
        House,
        body::{Filled, Query},
        caller::Caller,
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
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use yishi_protocol::{problem::Severity, procedure::Procedure};

/// How long the page waits for what was issued to be in force.
const READ_STEP: Duration = Duration::from_millis(50);
const READ_STEPS: u32 = 20;

#[derive(Template)]
#[template(path = "procedures.html")]
struct ListPage {
    page: Page,
    rows: Vec<Row>,
    may_issue: bool,
}

struct Row {
    title: String,
    summary: String,
    version: String,
    by: String,
    href: String,
}

#[derive(Template)]
#[template(path = "procedure.html")]
struct OnePage {
    page: Page,
    done: bool,
    row: Row,
    drawn: Drawn,
    pin: String,
}

#[derive(Template)]
#[template(path = "issue.html")]
struct IssuePage {
    page: Page,
    form_token: String,
    once: String,
    file: String,
    trouble: Option<String>,
    shown: Option<Staged>,
}

struct Staged {
    problems: Vec<(String, bool)>,
    says: String,
    title: String,
    drawn: Option<Drawn>,
    sound: bool,
}

pub(super) async fn list(State(house): State<Arc<House>>, visitor: Visitor) -> Response {
    if !visitor.may_read() {
        return visitor.to_sign_in();
    }
    let found = match house.actions.procedures().await {
        Ok(found) => found,
        Err(e) => return visitor.trouble(&house, &Problem::action(e)),
    };
    let page = visitor.page(&house, "procedures");
    let today = house.actions.today();
    let rows = found.iter().map(|p| row(p, &page, today)).collect();
    let may_issue = visitor.caller.as_ref().is_some_and(|c| c.may(Permit::Places));
    html(&ListPage { rows, may_issue, page })
}

fn version(n: u32, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("第 {n} 版"),
        Lang::En => format!("version {n}"),
    }
}

fn row(p: &ProcedureView, page: &Page, today: i64) -> Row {
    let lang = page.lang;
    let by = match (&p.by, &p.issued_on) {
        (None, _) => w::WITH_PROGRAM.of(lang).to_owned(),
        (Some(by), on) => {
            let on = on.as_deref().map(|on| format!(" · {}", moments::day_seen(on, today, lang)));
            format!("{}{}", Place::of(by).name, on.unwrap_or_default())
        }
    };
    let procedure = &p.procedure;
    Row {
        title: say(&procedure.title, lang).to_owned(),
        summary: say(&procedure.summary, lang).to_owned(),
        version: version(procedure.version, lang),
        by,
        href: page.href(&format!("/procedures/{}", escaped(&procedure.id))),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Applied {
    done: String,
}

impl Applied {
    /// Whether something was just issued.
    pub(super) fn done(&self) -> bool {
        !self.done.is_empty()
    }
}

pub(super) async fn one(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(named): Path<String>,
    Query(came): Query<Applied>,
) -> Response {
    if !visitor.may_read() {
        return visitor.to_sign_in();
    }
    let found = async {
        let in_force = house.actions.procedures().await.map_err(Problem::action)?;
        let fits = |p: &Procedure| p.id == named || p.pin.to_string() == named;
        if let Some(found) = in_force.into_iter().find(|p| fits(&p.procedure)) {
            return Ok((found, true));
        }
        // An older version, that open matters are still bound to.
        let older = named.parse().ok().and_then(|pin| house.actions.procedure(&pin));
        let unknown = || Problem::action(crate::actions::ActionError::UnknownProcedure(named.clone()));
        let procedure = older.ok_or_else(unknown)?;
        Ok((ProcedureView { procedure, by: None, issued_on: None }, false))
    };
    let (found, in_force) = match found.await {
        Ok(found) => found,
        Err(problem) => return visitor.trouble(&house, &problem),
    };
    let page = visitor.page(&house, "procedures");
    let mut row = row(&found, &page, house.actions.today());
    if !in_force {
        row.by = w::NOT_IN_FORCE.of(page.lang).to_owned();
    }
    let procedure = &found.procedure;
    html(&OnePage {
        done: came.done(),
        row,
        drawn: drawn(procedure, page.lang),
        pin: procedure.pin.to_string(),
        page,
    })
}

pub(super) async fn blank(State(house): State<Arc<House>>, visitor: Visitor) -> Response {
    match &visitor.caller {
        None => visitor.to_sign_in(),
        Some(caller) => match caller.must(Permit::Places) {
            Ok(()) => issue_page(&house, &visitor, caller, String::new(), None, None),
            Err(problem) => visitor.trouble(&house, &problem),
        },
    }
}

fn issue_page(
    house: &House,
    visitor: &Visitor,
    caller: &Caller,
    file: String,
    shown: Option<Staged>,
    trouble: Option<String>,
) -> Response {
    let page = visitor.page(house, "procedures");
    let form_token = caller.form_token();
    html(&IssuePage { page, form_token, once: secret::fresh(), file, trouble, shown })
}

pub(super) async fn issue(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    headers: HeaderMap,
    filled: Result<Filled, Problem>,
) -> Response {
    let (caller, filled) = match visitor.admit(&house, &headers, filled, Permit::Places) {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    // A file that was chosen goes before what stands in the box.
    let file = [filled.get("upload"), filled.get("file")].into_iter().find(|f| !f.trim().is_empty());
    let file = file.unwrap_or("").to_owned();
    let lang = visitor.lang;
    if file.is_empty() {
        let words = Some(w::ISSUE_EMPTY.of(lang).to_owned());
        let page = issue_page(&house, &visitor, caller, file, None, words);
        return (StatusCode::UNPROCESSABLE_ENTITY, page).into_response();
    }
    if filled.get("step") != "apply" {
        return match house.actions.stage_procedure(&file).await {
            Ok(staged) => {
                let shown = Some(shown(&staged, lang));
                issue_page(&house, &visitor, caller, file, shown, None)
            }
            Err(e) => visitor.trouble(&house, &Problem::action(e)),
        };
    }
    match issued(&house, caller, &filled, &file).await {
        Ok(id) => {
            let to = format!("/procedures/{}?done=yes", escaped(&id));
            visitor.to(&to)
        }
        Err(problem) => {
            let words = Some(forms::plain(&problem, "issue", lang));
            let page = issue_page(&house, &visitor, caller, file, None, words);
            (problem.status(), page).into_response()
        }
    }
}

async fn issued(house: &Arc<House>, caller: &Caller, filled: &Filled, file: &str) -> Answer<String> {
    let hash = secret::hash(file.as_bytes());
    let given = sent_once(house, caller, "/procedures/issue", filled, hash, || {
        let (actions, by, file) = (house.actions.clone(), caller.person.clone(), file.to_owned());
        async move {
            let issued = actions.issue_procedure(Some(&by), &file).await.map_err(Problem::action)?;
            let body = serde_json::to_value(&issued).map_err(Problem::fault)?;
            Ok(Done { status: StatusCode::CREATED, body })
        }
    })
    .await?;
    let issued: serde_json::Value = serde_json::from_str(&given.text).map_err(Problem::fault)?;
    let said = |name: &str| issued.get("procedure")?.get(name)?.as_str().map(str::to_owned);
    let (Some(id), Some(pin)) = (said("id"), said("pin")) else {
        return Err(Problem::fault("no procedure in the answer"));
    };
    // It is issued and durable; what is in force is read a moment later, and the page shows that.
    for _ in 0..READ_STEPS {
        let in_force = house.actions.procedures().await.map_err(Problem::action)?;
        if in_force.iter().any(|p| p.procedure.pin.to_string() == pin) {
            break;
        }
        tokio::time::sleep(READ_STEP).await;
    }
    Ok(id)
}

/// A problem in words, and whether it must be mended.
pub(super) fn problem_line(p: &ProblemView, lang: Lang) -> (String, bool) {
    let error = p.severity == Severity::Error;
    let kind = if error { w::ISSUE_ERROR } else { w::ISSUE_WARNING }.of(lang);
    let words = match lang {
        Lang::Zh => format!("{kind}：第 {} 行第 {} 列：{}", p.line, p.column, p.detail_zh),
        Lang::En => format!("{kind}: line {}, column {}: {}", p.line, p.column, p.detail),
    };
    (words, error)
}

fn shown(staged: &StagedView, lang: Lang) -> Staged {
    let sound = staged.procedure.is_some() && staged.problems.iter().all(|p| p.severity != Severity::Error);
    let says = match (&staged.procedure, staged.replaces, lang) {
        (None, ..) => w::ISSUE_UNREADABLE.of(lang).to_owned(),
        (Some(p), Some(before), Lang::Zh) if before == p.version => {
            format!("第 {before} 版正在使用，内容相同时发布不会改变什么。")
        }
        (Some(p), Some(before), Lang::En) if before == p.version => {
            format!("Version {before} is in force; if the file is the same, issuing changes nothing.")
        }
        (Some(p), Some(before), Lang::Zh) => {
            format!(
                "发布后第 {} 版代替第 {before} 版。已经受理的事项仍按原来的版本办，重新受理才换。本单位和下级都按它办。",
                p.version
            )
        }
        (Some(p), Some(before), Lang::En) => format!(
            "Version {} replaces version {before}, here and below. Matters already accepted keep the version they have until they are accepted anew.",
            p.version
        ),
        (Some(_), None, lang) => w::ISSUE_NEW.of(lang).to_owned(),
    };
    let title =
        staged.procedure.as_ref().map(|p| format!("{} · {}", say(&p.title, lang), version(p.version, lang)));
    Staged {
        problems: staged.problems.iter().map(|p| problem_line(p, lang)).collect(),
        says,
        title: title.unwrap_or_default(),
        drawn: staged.procedure.as_ref().map(|p| drawn(p, lang)),
        sound,
    }
}
