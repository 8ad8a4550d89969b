//! `/notices`: what places made known. `/stubs`: matters below that are known by a register only, and opening them.

use super::{Named, done, json, tagged};
use crate::{
    actions::{AnnounceRequest, AnnouncementsQuery, OpenRequest, RecallRequest},
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
use std::sync::Arc;

pub(super) async fn list(
    State(house): State<Arc<House>>,
    Query(query): Query<AnnouncementsQuery>,
) -> Answer<Response> {
    json(&house.actions.announcements(&query).await.map_err(Problem::action)?)
}

pub(super) async fn one(
    State(house): State<Arc<House>>,
    Named(id): Named,
    headers: HeaderMap,
) -> Answer<Response> {
    tagged(&headers, &house.actions.announcement(&id).await.map_err(Problem::action)?)
}

pub(super) async fn stage(State(house): State<Arc<House>>, body: Json<AnnounceRequest>) -> Answer<Response> {
    json(&house.actions.stage_announcement(&body.value).await.map_err(Problem::action)?)
}

pub(super) async fn announce(
    State(house): State<Arc<House>>,
    caller: Caller,
    key: Key,
    body: Json<AnnounceRequest>,
) -> Answer<Response> {
    let (actions, by) = (house.actions.clone(), caller.person.clone());
    once(&house, &caller, key, body.bytes_hash, Holds::NoSecret, async move {
        let made = actions.announce(Some(&by), &body.value).await.map_err(Problem::action)?;
        done(StatusCode::CREATED, &made)
    })
    .await
}

pub(super) async fn recall(
    State(house): State<Arc<House>>,
    caller: Caller,
    Named(id): Named,
    key: Key,
    body: Json<RecallRequest>,
) -> Answer<Response> {
    let (actions, by) = (house.actions.clone(), caller.person.clone());
    once(&house, &caller, key, body.bytes_hash, Holds::NoSecret, async move {
        let recalled = actions.recall(Some(&by), &id, &body.value).await.map_err(Problem::action)?;
        done(StatusCode::OK, &recalled)
    })
    .await
}

pub(super) async fn stub(State(house): State<Arc<House>>, Named(reference): Named) -> Answer<Response> {
    json(&house.actions.stub_of(&reference).await.map_err(Problem::action)?)
}

pub(super) async fn open(
    State(house): State<Arc<House>>,
    caller: Caller,
    Named(reference): Named,
    key: Key,
    body: Json<OpenRequest>,
) -> Answer<Response> {
    let (actions, by) = (house.actions.clone(), caller.person.clone());
    once(&house, &caller, key, body.bytes_hash, Holds::NoSecret, async move {
        let asked = actions.open_stub(Some(&by), &reference, &body.value).await.map_err(Problem::action)?;
        done(StatusCode::OK, &asked)
    })
    .await
}
