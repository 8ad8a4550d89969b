//! `GET /login`, `POST /login`, `POST /logout`.
//!
//! A failed sign-in keeps the name typed and puts the cursor on the password.

use super::{Page, Visitor, html, w, with_language};
use crate::http::{
    House,
    body::{Form, Query},
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
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    back: String,
}

#[derive(Deserialize)]
pub(super) struct SignInForm {
    name: String,
    password: String,
    #[serde(default)]
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
    form(&house, &visitor, StatusCode::OK, back, String::new(), first)
}

fn form(
    house: &House,
    visitor: &Visitor,
    status: StatusCode,
    back: String,
    name: String,
    trouble: Option<String>,
) -> Response {
    let page = visitor.page(house, "login");
    (status, html(&LoginPage { page, trouble, back, name })).into_response()
}

pub(super) async fn sign_in(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    headers: HeaderMap,
    form: Result<Form<SignInForm>, Problem>,
) -> Response {
    let Form(filled) = match sent_from_here(&Method::POST, &headers).and(form) {
        Ok(filled) => filled,
        Err(problem) => return visitor.trouble(&house, &problem),
    };
    let door = visitor.door.unwrap_or(Door::Plain { loopback: false });
    let signed_in = house.accounts().sign_in(&filled.name, filled.password).await;
    let back = local(&filled.back).to_owned();
    match signed_in {
        Ok(secret) => {
            let to = visitor.stated.map_or_else(|| back.clone(), |lang| with_language(&back, lang));
            match cookie::give(&secret, door, limits::SESSION_MS / 1000) {
                Some(given) => ([(header::SET_COOKIE, given)], Redirect::to(&to)).into_response(),
                None => Problem::fault("cookie").into_response(),
            }
        }
        Err(problem) => {
            let words = problem.words(visitor.lang).to_owned();
            self::form(&house, &visitor, problem.status(), back, filled.name, Some(words))
        }
    }
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
