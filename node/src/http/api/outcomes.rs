//! `/outcomes`: what was decided.

use super::{Named, done, json, tagged};
use crate::{
    actions::{OutcomeRequest, PageQuery},
    http::{
        House,
        body::{Json, Query},
        caller::Caller,
        limits,
        once::{Holds, Key, once},
        problem::{Answer, Problem},
    },
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use std::sync::Arc;

pub(super) async fn list(
    State(house): State<Arc<House>>,
    Query(query): Query<PageQuery>,
) -> Answer<Response> {
    json(&house.actions.outcomes(&query).await.map_err(Problem::action)?)
}

pub(super) async fn one(
    State(house): State<Arc<House>>,
    Named(reference): Named,
    headers: HeaderMap,
) -> Answer<Response> {
    let outcome = house.actions.outcome(&reference).await.map_err(Problem::action)?;
    tagged(&headers, &outcome)
}

pub(super) async fn decide(
    State(house): State<Arc<House>>,
    caller: Caller,
    key: Key,
    body: Json<OutcomeRequest>,
) -> Answer<Response> {
    if body.value.proposals.len() > limits::REFS_MAX {
        return Err(Problem::field(
            "proposals",
            format!("at most {} at a time", limits::REFS_MAX),
            format!("一次最多 {} 件", limits::REFS_MAX),
        ));
    }
    let (actions, by) = (house.actions.clone(), caller.person.clone());
    once(&house, &caller, key, body.bytes_hash, Holds::NoSecret, async move {
        let outcome = actions.decide_outcome(Some(&by), body.value).await.map_err(Problem::action)?;
        done(StatusCode::CREATED, &outcome)
    })
    .await
}
