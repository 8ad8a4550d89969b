//! `/charter`: people and powers of a place, holiday notices, what is handed over; issuing is shown first, then
//! applied.

use super::{done, json, tagged};
use crate::{
    actions::{CharterQuery, CharterRequest, NoticeRequest},
    http::{
        House,
        body::{Json, Query},
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

pub(super) async fn show(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    Query(query): Query<CharterQuery>,
) -> Answer<Response> {
    tagged(&headers, &house.actions.charter(query.place.as_deref()).await.map_err(Problem::action)?)
}

pub(super) async fn file(
    State(house): State<Arc<House>>,
    Query(query): Query<CharterQuery>,
) -> Answer<Response> {
    let file = house.actions.charter_file(query.place.as_deref()).await.map_err(Problem::action)?;
    json(&value!({ "file": file }))
}

pub(super) async fn stage(State(house): State<Arc<House>>, body: Json<CharterRequest>) -> Answer<Response> {
    json(&house.actions.stage_charter(&body.value.file).await.map_err(Problem::action)?)
}

pub(super) async fn issue(
    State(house): State<Arc<House>>,
    caller: Caller,
    key: Key,
    body: Json<CharterRequest>,
) -> Answer<Response> {
    let (actions, by) = (house.actions.clone(), caller.person.clone());
    once(&house, &caller, key, body.bytes_hash, Holds::NoSecret, async move {
        let issued = actions.issue_charter(Some(&by), &body.value.file).await.map_err(Problem::action)?;
        done(StatusCode::CREATED, &issued)
    })
    .await
}

pub(super) async fn stage_notice(
    State(house): State<Arc<House>>,
    body: Json<NoticeRequest>,
) -> Answer<Response> {
    json(&house.actions.stage_notice(&body.value).await.map_err(Problem::action)?)
}

pub(super) async fn issue_notice(
    State(house): State<Arc<House>>,
    caller: Caller,
    key: Key,
    body: Json<NoticeRequest>,
) -> Answer<Response> {
    let (actions, by) = (house.actions.clone(), caller.person.clone());
    once(&house, &caller, key, body.bytes_hash, Holds::NoSecret, async move {
        let issued = actions.issue_notice(Some(&by), &body.value).await.map_err(Problem::action)?;
        done(StatusCode::CREATED, &issued)
    })
    .await
}

pub(super) async fn handover(State(house): State<Arc<House>>, headers: HeaderMap) -> Answer<Response> {
    tagged(&headers, &house.actions.handover().await.map_err(Problem::action)?)
}
