//! The addresses under `/api/v1`: each handler reads its request, asks the actions and gives their view.

mod attachments;
mod charter;
mod forms;
pub(super) mod matters;
mod notices;
mod outcomes;
pub(super) mod people;
mod places;
mod procedures;
mod session;
mod sheets;

use super::{
    House,
    caller::gate,
    once, openapi,
    problem::{Answer, Problem},
    routes::{Op, ROUTES},
    secret,
};
use axum::{
    Router,
    extract::{FromRequestParts, Path},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{MethodRouter, delete, get, post},
};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// Every address of the table, each behind its gate.
pub(super) fn router(house: &Arc<House>) -> Router<Arc<House>> {
    ROUTES.iter().fold(Router::new(), |router, route| {
        let gated = attach(route.op).route_layer(from_fn_with_state((Arc::clone(house), route.need), gate));
        router.route(route.path, gated)
    })
}

fn attach(op: Op) -> MethodRouter<Arc<House>> {
    match op {
        Op::Node => get(places::node),
        Op::Places => get(places::list),
        Op::Invite => post(places::invite),
        Op::Revoke => post(places::revoke),
        Op::Admit => post(places::admit),
        Op::Place => post(places::place_at),
        Op::Matters => get(matters::list),
        Op::Register => post(matters::register),
        Op::Matter => get(matters::one),
        Op::Next => get(matters::next),
        Op::Similar => get(matters::similar),
        Op::SimilarText => post(matters::similar_text),
        Op::Sheets => get(sheets::list),
        Op::Sheet => get(sheets::one),
        Op::Forms => get(forms::list),
        Op::StageForm => post(forms::stage),
        Op::KeepForm => post(forms::keep),
        Op::FillForm => get(forms::fill),
        Op::RemoveForm => delete(forms::remove),
        Op::Act => post(matters::act),
        Op::KeepFile => post(attachments::keep),
        Op::Attach => post(attachments::attach),
        Op::File => get(attachments::file),
        Op::Files => get(attachments::list),
        Op::LetGo => post(attachments::let_go),
        Op::Petitioner => get(matters::petitioner),
        Op::Forget => post(matters::forget),
        Op::Forgetting => get(matters::forgetting),
        Op::Document => get(matters::document),
        Op::Changes => get(matters::changes),
        Op::Import => post(matters::import),
        Op::Export => get(matters::export),
        Op::Announcements => get(notices::list),
        Op::Announcement => get(notices::one),
        Op::StageAnnouncement => post(notices::stage),
        Op::Announce => post(notices::announce),
        Op::Recall => post(notices::recall),
        Op::Stub => get(notices::stub),
        Op::OpenStub => post(notices::open),
        Op::Decide => post(outcomes::decide),
        Op::Outcomes => get(outcomes::list),
        Op::Outcome => get(outcomes::one),
        Op::Procedures => get(procedures::list),
        Op::ProcedureFile => get(procedures::file),
        Op::StageProcedure => post(procedures::stage),
        Op::IssueProcedure => post(procedures::issue),
        Op::Charter => get(charter::show),
        Op::CharterFile => get(charter::file),
        Op::StageCharter => post(charter::stage),
        Op::IssueCharter => post(charter::issue),
        Op::StageNotice => post(charter::stage_notice),
        Op::IssueNotice => post(charter::issue_notice),
        Op::Handover => get(charter::handover),
        Op::Supervision => get(matters::supervision),
        Op::Link => get(places::link),
        Op::Reconnect => post(places::reconnect),
        Op::Users => get(people::users),
        Op::AddUser => post(people::add_user),
        Op::Tokens => get(people::tokens),
        Op::AddToken => post(people::add_token),
        Op::EndToken => delete(people::end_token),
        Op::SignIn => post(session::sign_in),
        Op::SignOut => delete(session::sign_out),
        Op::OpenApi => get(description),
    }
}

async fn description(headers: HeaderMap) -> Answer<Response> {
    tagged(&headers, &openapi::document())
}

/// The one parameter of a path: a number, an id, a name. Percent-encoded on the wire, plain here.
struct Named(String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let named = Path::<String>::from_request_parts(parts, state).await;
        named.map(|Path(name)| Self(name)).map_err(|e| Problem::unreadable(e.body_text()))
    }
}

fn to_value(view: &impl Serialize) -> Answer<Value> {
    serde_json::to_value(view).map_err(Problem::fault)
}

fn done(status: StatusCode, view: &impl Serialize) -> Answer<once::Done> {
    Ok(once::Done { status, body: to_value(view)? })
}

/// A view as JSON.
fn json(view: &impl Serialize) -> Answer<Response> {
    let text = serde_json::to_string(view).map_err(Problem::fault)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// A view as JSON with a weak tag over what it says: a reader that has it already gets 304 and no body.
fn tagged(asked: &HeaderMap, view: &impl Serialize) -> Answer<Response> {
    let text = serde_json::to_string(view).map_err(Problem::fault)?;
    let opaque: String = secret::hex(&secret::hash(text.as_bytes())).chars().take(32).collect();
    let opaque = format!("\"{opaque}\"");
    let known = asked.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(|list| {
        list.split(',').map(str::trim).any(|t| t == "*" || t.trim_start_matches("W/") == opaque)
    });
    let tag = HeaderValue::try_from(format!("W/{opaque}")).map_err(Problem::fault)?;
    let headers = [
        (header::ETAG, tag),
        // Kept by the reader, asked again every time.
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((headers, text).into_response())
}
