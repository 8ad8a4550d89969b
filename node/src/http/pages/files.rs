//! `GET /files/{hash}`: a photo, for whoever may see the matters here.

use super::Visitor;
use crate::http::{House, files, permit::Permit};
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

pub(super) async fn show(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(named): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(caller) = visitor.caller.as_ref().filter(|c| c.may(Permit::Read)) else {
        return visitor.to_sign_in();
    };
    match files::given(&house, &caller.person, &named, &headers).await {
        Ok(response) => response,
        // Where a page stands the words, where a picture was to stand nothing is seen of them.
        Err(problem) if problem.code() == "unknown_file" => visitor.trouble(&house, &problem),
        Err(problem) => (problem.status(), visitor.trouble(&house, &problem)).into_response(),
    }
}
