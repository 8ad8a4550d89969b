//! `/session`: signing in and out.

use crate::http::{
    House,
    body::Json,
    caller::sent_from_here,
    cookie, limits,
    problem::{Answer, Problem},
    server::Door,
};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::sync::Arc;

/// A name and its password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignInRequest {
    name: String,
    password: String,
}

pub(super) async fn sign_in(
    State(house): State<Arc<House>>,
    Extension(door): Extension<Door>,
    body: Json<SignInRequest>,
) -> Answer<Response> {
    let secret = house.accounts().sign_in(&body.value.name, body.value.password).await?;
    let given =
        cookie::give(&secret, door, limits::SESSION_MS / 1000).ok_or_else(|| Problem::fault("cookie"))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, given)]).into_response())
}

pub(super) async fn sign_out(
    State(house): State<Arc<House>>,
    Extension(door): Extension<Door>,
    headers: HeaderMap,
) -> Answer<Response> {
    if let Some(secret) = cookie::read(&headers, door) {
        sent_from_here(&Method::DELETE, &headers)?;
        house.accounts().sign_out(secret).await?;
    }
    let back = cookie::take_back(door).ok_or_else(|| Problem::fault("cookie"))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, back)]).into_response())
}
