//! Sheets: the list of them, and one as JSON, CSV, XLSX or the page to print.

use super::{Named, json};
use crate::{
    http::{
        House,
        body::Query,
        caller::Caller,
        lang::Lang,
        pages::{self, Visitor},
        problem::{Answer, Problem},
        sheets::{file, made},
    },
    sheets::{KINDS, SheetQuery},
};
use axum::{extract::State, http::HeaderMap, response::Response};
use serde_json::json as value;
use std::sync::Arc;

pub(super) async fn list() -> Answer<Response> {
    json(&value!({ "items": KINDS }))
}

pub(super) async fn one(
    State(house): State<Arc<House>>,
    caller: Caller,
    visitor: Visitor,
    headers: HeaderMap,
    Named(name): Named,
    Query(query): Query<SheetQuery>,
) -> Answer<Response> {
    let sheet = made(&house, &caller, &name, &query).await?;
    let lang = Lang::of_request(Some(&format!("lang={}", query.lang)), &headers, house.lang);
    match query.format.as_str() {
        "" | "json" => json(&sheet),
        "html" => Ok(pages::printed(&house, &visitor, &headers, sheet, &query)),
        format => file(&sheet, format, lang).await?.ok_or_else(|| {
            Problem::field("format", "it is json, csv, xlsx or html", "只能是 json、csv、xlsx 或 html")
        }),
    }
}
