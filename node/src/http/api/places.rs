//! `/node`, `/places`, `/link`: this place and its neighbours.

use super::{Named, done, json, tagged};
use crate::{
    actions::{AdmitRequest, InviteRequest, PlacingRequest, RevokeRequest},
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

pub(super) async fn node(State(house): State<Arc<House>>, headers: HeaderMap) -> Answer<Response> {
    let mut node = house.actions.node();
    node.web_pin.clone_from(&house.pin);
    tagged(&headers, &node)
}

pub(super) async fn list(State(house): State<Arc<House>>, headers: HeaderMap) -> Answer<Response> {
    let items = house.actions.places().await.map_err(Problem::action)?;
    tagged(&headers, &value!({ "items": items, "next_cursor": null }))
}

pub(super) async fn invite(
    State(house): State<Arc<House>>,
    caller: Caller,
    key: Key,
    body: Json<InviteRequest>,
) -> Answer<Response> {
    let actions = house.actions.clone();
    once(&house, &caller, key, body.bytes_hash, Holds::Secret, async move {
        let invite = actions.invite(body.value).await.map_err(Problem::action)?;
        done(StatusCode::CREATED, &invite)
    })
    .await
}

pub(super) async fn revoke(
    State(house): State<Arc<House>>,
    caller: Caller,
    Named(place): Named,
    key: Key,
    body: Json<RevokeRequest>,
) -> Answer<Response> {
    let actions = house.actions.clone();
    once(&house, &caller, key, body.bytes_hash, Holds::NoSecret, async move {
        let revoked = actions.revoke(&place, body.value).await.map_err(Problem::action)?;
        done(StatusCode::OK, &revoked)
    })
    .await
}

pub(super) async fn admit(
    State(house): State<Arc<House>>,
    caller: Caller,
    Named(place): Named,
    key: Key,
    body: Json<AdmitRequest>,
) -> Answer<Response> {
    let actions = house.actions.clone();
    once(&house, &caller, key, body.bytes_hash, Holds::NoSecret, async move {
        let admitted = actions.admit(&place, body.value).await.map_err(Problem::action)?;
        done(StatusCode::OK, &admitted)
    })
    .await
}

pub(super) async fn place_at(
    State(house): State<Arc<House>>,
    caller: Caller,
    Named(place): Named,
    key: Key,
    body: Json<PlacingRequest>,
) -> Answer<Response> {
    let actions = house.actions.clone();
    once(&house, &caller, key, body.bytes_hash, Holds::NoSecret, async move {
        let placed = actions.place_at(&place, body.value).await.map_err(Problem::action)?;
        done(StatusCode::OK, &placed)
    })
    .await
}

pub(super) async fn link(State(house): State<Arc<House>>) -> Answer<Response> {
    json(&house.actions.links().await.map_err(Problem::action)?)
}

pub(super) async fn reconnect(State(house): State<Arc<House>>) -> Answer<StatusCode> {
    if house.actions.reconnect() {
        return Ok(StatusCode::ACCEPTED);
    }
    Err(Problem::new(
        StatusCode::CONFLICT,
        "no_parent",
        "No place above",
        "This place has no link to a place above, so there is nothing to reconnect. Nothing was changed; join with an invitation from above first.",
        "本单位没有上级连接，没有可重连的对象，没有改动任何内容。请先凭上级的邀请加入。",
    ))
}
