//! `/matters`: registering, reading, the steps of handling, import and export.

use super::{Named, done, json, tagged};
use crate::{
    actions::{
        ActRequest, ExportQuery, ForgetRequest, ImportRequest, ListQuery, Numbers, RaiseRequest,
        SimilarRequest,
    },
    http::{
        House,
        body::{Json, Query},
        caller::Caller,
        limits,
        once::{Holds, Key, once},
        permit::{self, Permit},
        problem::{Answer, Problem},
    },
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json as value};
use std::sync::Arc;

pub(super) async fn list(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Query(query): Query<ListQuery>,
) -> Answer<Response> {
    let page = house.actions.matters(query).await.map_err(Problem::action)?;
    tagged(&headers, &page)
}

pub(super) async fn register(
    State(house): State<Arc<House>>,
    caller: Caller,
    key: Key,
    body: Json<RaiseRequest>,
) -> Answer<Response> {
    // Answering on the spot is more than registering.
    if body.value.settle.as_deref().is_some_and(|s| !s.trim().is_empty()) {
        caller.must(Permit::Handle)?;
    }
    let (actions, by) = (house.actions.clone(), caller.person.clone());
    once(&house, &caller, key, body.bytes_hash, Holds::NoSecret, async move {
        let raised = actions.raise(Some(&by), body.value).await.map_err(Problem::action)?;
        done(StatusCode::CREATED, &raised)
    })
    .await
}

pub(super) async fn one(
    State(house): State<Arc<House>>,
    Named(reference): Named,
    headers: HeaderMap,
) -> Answer<Response> {
    let matter = house.actions.matter(&reference).await.map_err(Problem::action)?;
    tagged(&headers, &matter)
}

pub(super) async fn next(State(house): State<Arc<House>>, Named(reference): Named) -> Answer<Response> {
    json(&house.actions.next(&reference).await.map_err(Problem::action)?)
}

pub(super) async fn similar(State(house): State<Arc<House>>, Named(reference): Named) -> Answer<Response> {
    json(&house.actions.similar(&reference).await.map_err(Problem::action)?)
}

/// A question, not a change, although it comes in a body: a text in an address would stand in logs.
pub(super) async fn similar_text(
    State(house): State<Arc<House>>,
    body: Json<SimilarRequest>,
) -> Answer<Response> {
    json(&house.actions.similar_text(&body.value).await.map_err(Problem::action)?)
}

pub(super) async fn act(
    State(house): State<Arc<House>>,
    caller: Caller,
    Named(reference): Named,
    key: Key,
    body: Json<Value>,
) -> Answer<Response> {
    let step = body.value.get("act").and_then(Value::as_str).unwrap_or("");
    if step.is_empty() {
        return Err(Problem::field("act", "name the step to take", "请写明要办的步骤"));
    }
    permit::of_request(&body.value).into_iter().try_for_each(|permit| caller.must(permit))?;
    let (numbers, asked) = numbers_apart(body.value)?;
    let request: ActRequest = serde_json::from_value(asked).map_err(Problem::wrong_shape)?;
    let (actions, by) = (house.actions.clone(), caller.person.clone());
    once(&house, &caller, key, body.bytes_hash, Holds::NoSecret, async move {
        let acted =
            actions.act_with(Some(&by), &reference, request, numbers).await.map_err(Problem::action)?;
        done(StatusCode::OK, &acted)
    })
    .await
}

/// What is said of numbers in an act, and the act itself.
pub(in crate::http) fn numbers_apart(mut asked: Value) -> Answer<(Numbers, Value)> {
    let said = asked.as_object_mut().and_then(|map| map.remove("numbers"));
    let numbers = said.map(serde_json::from_value).transpose().map_err(Problem::wrong_shape)?;
    Ok((numbers.unwrap_or_default(), asked))
}

pub(super) async fn petitioner(
    State(house): State<Arc<House>>,
    caller: Caller,
    Named(reference): Named,
) -> Answer<Response> {
    let opened = house.actions.petitioner(&reference).await.map_err(Problem::action)?;
    // Who looked is on record, what was seen is not.
    tracing::info!(by = %caller.person, matter = %reference, "a petitioner's identity was opened");
    json(&opened)
}

pub(super) async fn forget(
    State(house): State<Arc<House>>,
    caller: Caller,
    Named(reference): Named,
    key: Key,
    body: Json<ForgetRequest>,
) -> Answer<Response> {
    // It cannot be undone: whoever may open an identity without handling matters may not.
    caller.must(Permit::Handle)?;
    let (actions, by) = (house.actions.clone(), caller.person.clone());
    once(&house, &caller, key, body.bytes_hash, Holds::Repeatable, async move {
        let ForgetRequest { confirm, reason } = body.value;
        let reason = reason.unwrap_or_default();
        let told = actions.forget(&reference, &confirm, &reason).await.map_err(Problem::action)?;
        tracing::info!(%by, matter = %reference, "a petitioner was ordered to be forgotten");
        done(StatusCode::OK, &told)
    })
    .await
}

pub(super) async fn forgetting(State(house): State<Arc<House>>, Named(reference): Named) -> Answer<Response> {
    json(&house.actions.forgetting(&reference).await.map_err(Problem::action)?)
}

pub(super) async fn document(State(house): State<Arc<House>>, Named(reference): Named) -> Answer<Response> {
    let bytes = house.actions.document(&reference).await.map_err(Problem::action)?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"matter.automerge\""),
    ];
    Ok((headers, bytes).into_response())
}

pub(super) async fn changes(State(house): State<Arc<House>>, Named(reference): Named) -> Answer<Response> {
    let items = house.actions.changes(&reference).await.map_err(Problem::action)?;
    json(&value!({ "items": items, "next_cursor": null }))
}

pub(super) async fn import(
    State(house): State<Arc<House>>,
    caller: Caller,
    key: Key,
    body: Json<ImportRequest>,
) -> Answer<Response> {
    if body.value.rows.len() > limits::IMPORT_ROWS_MAX {
        return Err(Problem::field(
            "rows",
            format!("at most {} rows at a time", limits::IMPORT_ROWS_MAX),
            format!("一次最多 {} 行", limits::IMPORT_ROWS_MAX),
        ));
    }
    // A table may bring answers with it.
    if body.value.rows.iter().any(|row| row.answer.is_some()) {
        caller.must(Permit::Handle)?;
    }
    let (actions, by) = (house.actions.clone(), caller.person.clone());
    once(&house, &caller, key, body.bytes_hash, Holds::Repeatable, async move {
        let imported = actions.import_rows(Some(&by), body.value).await.map_err(Problem::action)?;
        done(StatusCode::OK, &imported)
    })
    .await
}

pub(super) async fn export(
    State(house): State<Arc<House>>,
    Query(query): Query<ExportQuery>,
) -> Answer<Response> {
    json(&house.actions.export(&query).await.map_err(Problem::action)?)
}

pub(super) async fn supervision(State(house): State<Arc<House>>, headers: HeaderMap) -> Answer<Response> {
    tagged(&headers, &house.actions.supervision().await.map_err(Problem::action)?)
}
