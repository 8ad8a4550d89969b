//! Forms: shown what was found in one, kept, filled, taken away.

use super::{Named, done, json};
use crate::{
    http::{
        House,
        body::{Json, Query},
        caller::Caller,
        once::{Holds, Key, once},
        problem::Answer,
        sheets::{filled, form_refused},
    },
    sheets::forms::{self, FillQuery, FormRequest},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json as value;
use std::sync::Arc;

pub(super) async fn list(State(house): State<Arc<House>>) -> Answer<Response> {
    json(&value!({ "items": forms::list(&house.actions).await.map_err(form_refused)? }))
}

pub(super) async fn stage(State(house): State<Arc<House>>, body: Json<FormRequest>) -> Answer<Response> {
    json(&forms::stage(&house.actions, &body.value).await.map_err(form_refused)?)
}

pub(super) async fn keep(
    State(house): State<Arc<House>>,
    caller: Caller,
    key: Key,
    body: Json<FormRequest>,
) -> Answer<Response> {
    let (actions, by) = (house.actions.clone(), caller.person.clone());
    once(&house, &caller, key, body.bytes_hash, Holds::NoSecret, async move {
        let kept = forms::keep(&actions, Some(&by), &body.value).await.map_err(form_refused)?;
        done(StatusCode::CREATED, &kept)
    })
    .await
}

pub(super) async fn fill(
    State(house): State<Arc<House>>,
    Named(name): Named,
    Query(query): Query<FillQuery>,
) -> Answer<Response> {
    filled(&house, &name, &query).await
}

pub(super) async fn remove(State(house): State<Arc<House>>, Named(name): Named) -> Answer<Response> {
    forms::remove(&house.actions, &name).await.map_err(form_refused)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
