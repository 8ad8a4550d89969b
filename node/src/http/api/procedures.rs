//! `/procedures`: what is in force here, and issuing more: show first, then apply.

use super::{Named, done, json, tagged};
use crate::{
    actions::ProcedureRequest,
    http::{
        House,
        body::Json,
        caller::Caller,
        once::{Holds, Key, once},
        problem::{Answer, Problem},
    },
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::json as value;
use std::sync::Arc;

pub(super) async fn list(State(house): State<Arc<House>>, headers: HeaderMap) -> Answer<Response> {
    let items = house.actions.procedures().await.map_err(Problem::action)?;
    tagged(&headers, &value!({ "items": items, "next_cursor": null }))
}

pub(super) async fn file(State(house): State<Arc<House>>, Named(named): Named) -> Answer<Response> {
    let file = house.actions.procedure_file(&named).await.map_err(Problem::action)?;
    json(&value!({ "file": file }))
}

pub(super) async fn stage(State(house): State<Arc<House>>, body: Json<ProcedureRequest>) -> Answer<Response> {
    json(&house.actions.stage_procedure(&body.value.file).await.map_err(Problem::action)?)
}

pub(super) async fn issue(
    State(house): State<Arc<House>>,
    caller: Caller,
    key: Key,
    body: Json<ProcedureRequest>,
) -> Answer<Response> {
    let (actions, by) = (house.actions.clone(), caller.person.clone());
    once(&house, &caller, key, body.bytes_hash, Holds::NoSecret, async move {
        let issued = actions.issue_procedure(Some(&by), &body.value.file).await.map_err(Problem::action)?;
        done(StatusCode::CREATED, &issued)
    })
    .await
}
