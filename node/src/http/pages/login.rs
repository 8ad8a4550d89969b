//! `GET /login`, `POST /login`, `POST /logout`.
//!
//! A failed sign-in keeps the name typed and puts the cursor on the password.

use super::{Page, Visitor, html, w, with_language};
use crate::http::{
    House,
    body::{Filled, Form, Query},
    caller::sent_from_here,
    cookie, limits,
    problem::Problem,
    secret,
    server::Door,
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    page: Page,
    trouble: Option<String>,
    back: String,
    name: String,
    /// A form that was sent without a session, whole.
    carried: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    back: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct SignOutForm {
    form_token: String,
}

/// An address on this server, or the list: a link that leads elsewhere after sign-in is a trap.
fn local(back: &str) -> &str {
    let fits = back.starts_with('/') && !back.starts_with("//") && !back.starts_with("/\\");
    if fits && !back.chars().any(char::is_control) { back } else { "/" }
}

pub(super) async fn show(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Response {
    let back = local(&asked.back).to_owned();
    let first = (!asked.back.is_empty()).then(|| w::SIGN_IN_FIRST.of(visitor.lang).to_owned());
    form(&house, &visitor, StatusCode::OK, Tried { back, ..Tried::default() }, first)
}

/// What was brought to the sign-in page.
#[derive(Default)]
struct Tried {
    back: String,
    name: String,
    carried: String,
}

fn form(
    house: &House,
    visitor: &Visitor,
    status: StatusCode,
    tried: Tried,
    trouble: Option<String>,
) -> Response {
    let page = visitor.page(house, "login");
    let Tried { back, name, carried } = tried;
    (status, html(&LoginPage { page, trouble, back, name, carried })).into_response()
}

/// The sign-in page for somebody whose session ended in mid-form: the form goes on with it.
pub(super) fn carrying(house: &House, visitor: &Visitor, filled: &Filled) -> Response {
    let back = local(&visitor.address).to_owned();
    let tried = Tried { back, carried: filled.packed(), ..Tried::default() };
    let words = w::CARRIED.of(visitor.lang).to_owned();
    form(house, visitor, StatusCode::UNAUTHORIZED, tried, Some(words))
}

pub(super) async fn sign_in(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    headers: HeaderMap,
    filled: Result<Filled, Problem>,
) -> Response {
    let filled = match sent_from_here(&Method::POST, &headers).and(filled) {
        Ok(filled) => filled,
        Err(problem) => return visitor.trouble(&house, &problem),
    };
    let door = visitor.door.unwrap_or(Door::Plain { loopback: false });
    let name = filled.get("name");
    let signed_in = house.accounts().sign_in(name, filled.get("password").to_owned()).await;
    let (back, carried) = (local(filled.get("back")).to_owned(), filled.get("carried").to_owned());
    let secret = match signed_in {
        Ok(secret) => secret,
        Err(problem) => {
            let words = problem.words(visitor.lang).to_owned();
            let tried = Tried { back, name: name.to_owned(), carried };
            return form(&house, &visitor, problem.status(), tried, Some(words));
        }
    };
    let Some(given) = cookie::give(&secret, door, limits::SESSION_MS / 1000) else {
        return Problem::fault("cookie").into_response();
    };
    let set = [(header::SET_COOKIE, given)];
    if carried.is_empty() {
        let to = visitor.stated.map_or_else(|| back.clone(), |lang| with_language(&back, lang));
        return (set, Redirect::to(&to)).into_response();
    }
    // Nothing is carried out by signing in: whoever it is looks at the form first.
    let caller = match house.accounts().by_session(&secret).await {
        Ok(caller) => caller,
        Err(problem) => return visitor.trouble(&house, &problem),
    };
    let known = Visitor { caller, ..visitor };
    (set, known.send_again(&house, &back, &Filled::unpacked(&carried))).into_response()
}

pub(super) async fn sign_out(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    headers: HeaderMap,
    form: Result<Form<SignOutForm>, Problem>,
) -> Response {
    let ended = async {
        let Form(form) = sent_from_here(&Method::POST, &headers).and(form)?;
        let door = visitor.door.unwrap_or(Door::Plain { loopback: false });
        if let Some(secret) = cookie::read(&headers, door) {
            if !secret::same(&form.form_token, &secret::form_token(secret)) {
                return Err(Problem::foreign_form());
            }
            house.accounts().sign_out(secret).await?;
        }
        cookie::take_back(door).ok_or_else(|| Problem::fault("cookie"))
    };
    match ended.await {
        Ok(back) => ([(header::SET_COOKIE, back)], Redirect::to("/login")).into_response(),
        Err(problem) => visitor.trouble(&house, &problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comes_back_here_only() {
        for (back, expected) in [
            ("/m/a", "/m/a"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
        ] {
            assert_eq!(local(back), expected);
        }
    }
}
