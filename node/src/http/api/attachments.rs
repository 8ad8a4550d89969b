//! `/attachments`: photos brought, put to a matter, given out, let go.
//!
//! Bringing one is idempotent by itself: the same bytes are the same file. So a photo is kept before the request is
//! looked up by its key, and what is done once is the act that names it.

use super::{Named, done, json};
use crate::{
    actions::{AttachRequest, PageQuery},
    http::{
        House,
        body::Query,
        caller::Caller,
        files,
        once::{Holds, Key, once},
        problem::{Answer, Problem},
        upload::OnePhoto,
    },
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;
use std::sync::Arc;
use yishi_protocol::ids::Hash;

/// What is said of a photo.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Said {
    about: Option<String>,
    caption: Option<String>,
}

pub(super) async fn keep(
    State(house): State<Arc<House>>,
    caller: Caller,
    key: Key,
    photo: OnePhoto,
) -> Answer<Response> {
    let kept = house.actions.keep_file(&caller.person, photo.bytes).await.map_err(Problem::action)?;
    once(
        &house,
        &caller,
        key,
        kept.file.0,
        Holds::Repeatable,
        async move { done(StatusCode::CREATED, &kept) },
    )
    .await
}

pub(super) async fn attach(
    State(house): State<Arc<House>>,
    caller: Caller,
    Named(reference): Named,
    Query(said): Query<Said>,
    key: Key,
    photo: OnePhoto,
) -> Answer<Response> {
    let kept = house.actions.keep_file(&caller.person, photo.bytes).await.map_err(Problem::action)?;
    let (actions, by) = (house.actions.clone(), caller.person.clone());
    once(&house, &caller, key, kept.file.0, Holds::NoSecret, async move {
        let request = AttachRequest { file: kept.file, about: said.about, caption: said.caption };
        let acted = actions.attach(Some(&by), &reference, &[request]).await.map_err(Problem::action)?;
        done(StatusCode::CREATED, &acted)
    })
    .await
}

pub(super) async fn file(
    State(house): State<Arc<House>>,
    caller: Caller,
    Named(file): Named,
    headers: HeaderMap,
) -> Answer<Response> {
    files::given(&house, &caller.person, &file, &headers).await
}

pub(super) async fn list(
    State(house): State<Arc<House>>,
    Query(query): Query<PageQuery>,
) -> Answer<Response> {
    json(&house.actions.files(query.limit, query.cursor.as_deref()).await.map_err(Problem::action)?)
}

pub(super) async fn let_go(
    State(house): State<Arc<House>>,
    caller: Caller,
    Named(named): Named,
    key: Key,
) -> Answer<Response> {
    let file: Hash =
        named.parse().map_err(|_| Problem::field("file", "not the name of a photo", "不是照片的编号"))?;
    let actions = house.actions.clone();
    once(&house, &caller, key, file.0, Holds::Repeatable, async move {
        done(StatusCode::OK, &actions.let_go(&file).await.map_err(Problem::action)?)
    })
    .await
}
