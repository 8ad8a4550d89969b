//! The OpenAPI 3.1 document: addresses from [`ROUTES`], shapes from `assets/openapi-schemas.json`.
//!
//! Written by hand instead of derived: the shapes are the contract with other programs, and must not change
//! because somebody renames a field inside. Tests hold the two together.

use super::routes::{Need, ROUTES, Route};
use serde_json::{Map, Value, json};

const SCHEMAS: &str = include_str!("../../assets/openapi-schemas.json");

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let at = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(map) = at.as_object_mut() {
            map.insert(route.method.to_ascii_lowercase(), operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Yishi 议事",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "One place's matters from raising to closing. 一个单位的议事事项，从提出到办结。\n\nErrors are problem+json (RFC 9457) with a stable `code`, and `detail`, `detail_zh` for people. Lists are paged by `limit` and `cursor`. `ref` of a matter: its number, its document id, or a unique prefix of at least six hex digits.",
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "`yst_…`, made with POST /api/v1/tokens" },
                "session": { "type": "apiKey", "in": "cookie", "name": "__Host-yishi", "description": "made with POST /api/v1/session; `yishi-plain` on plain HTTP" },
            },
            "schemas": schemas(),
        },
    })
}

/// The shapes alone.
#[must_use]
pub fn schemas() -> Value {
    // The file is part of the program; a test parses it.
    serde_json::from_str(SCHEMAS).unwrap_or_default()
}

fn operation(route: &Route) -> Value {
    let (en, zh) = route.words;
    let mut parameters: Vec<Value> = path_parameters(route.path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    parameters.extend(route.query.iter().map(|name| query_parameter(name)));
    if route.creates {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": { "type": "string", "maxLength": super::limits::IDEMPOTENCY_KEY_BYTES_MAX },
            "description": "Sent again with the same body, the first answer is given again and nothing is done twice: for a day, and for 400 days if it begins with `phone-`.",
        }));
    }
    let (status, answer) = route.gives;
    let good = match answer {
        "" => json!({ "description": "Done 已完成" }),
        "bytes" => {
            json!({ "description": zh, "content": { "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } } })
        }
        name => {
            json!({ "description": zh, "content": { "application/json": { "schema": reference(name) } } })
        }
    };
    let problem = json!({
        "description": "A problem 未办成",
        "content": { "application/problem+json": { "schema": reference("Problem") } },
    });
    let mut made = json!({
        "operationId": format!("{:?}", route.op),
        "summary": format!("{en} {zh}"),
        "parameters": parameters,
        "responses": { (status.to_string()): good, "default": problem },
    });
    if let Some(map) = made.as_object_mut() {
        if let Some(name) = route.takes {
            map.insert("requestBody".into(), json!({ "required": true, "content": body(name) }));
        }
        match route.need {
            Need::Nothing => {
                map.insert("security".into(), json!([]));
            }
            Need::SignedIn => {}
            Need::May(permit) => {
                map.insert("x-permission".into(), format!("{permit:?}").into());
            }
        }
    }
    made
}

/// What a request carries: a shape in JSON, or a picture as it is.
fn body(name: &str) -> Value {
    if name != "picture" {
        return json!({ "application/json": { "schema": reference(name) } });
    }
    let kinds = yishi_protocol::attachment::FileKind::ALL.map(|k| (k.media_type().to_owned(), json!({})));
    Value::Object(kinds.into_iter().collect())
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn query_parameter(name: &str) -> Value {
    let schema = match name {
        "limit" => {
            json!({ "type": "integer", "minimum": 1, "maximum": super::limits::PAGE_ITEMS_MAX, "default": super::limits::PAGE_ITEMS_DEFAULT })
        }
        "about" => json!({ "enum": yishi_protocol::attachment::ABOUTS, "default": "photo" }),
        "format" => json!({ "enum": ["json", "csv", "xlsx", "html"], "default": "json" }),
        "lang" => json!({ "enum": ["zh", "en"] }),
        "partial" => json!({ "enum": ["yes", "no"], "default": "no" }),
        "names" => json!({ "enum": ["yes", "no"], "default": "no" }),
        "since" | "until" => json!({ "type": "string", "format": "date" }),
        "rate_yuan" => json!({ "type": "integer", "minimum": 0 }),
        "due" => json!({ "enum": ["overdue", "soon"] }),
        "sort" => json!({ "enum": ["updated", "deadline", "number"] }),
        "untold" | "open" => json!({ "type": "boolean" }),
        "answered_since" => json!({ "type": "string", "format": "date" }),
        _ => json!({ "type": "string" }),
    };
    json!({ "name": name, "in": "query", "required": name == "system", "schema": schema })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn references(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(r)) = map.get("$ref") {
                    into.insert(r.trim_start_matches("#/components/schemas/").to_owned());
                }
                map.values().for_each(|v| references(v, into));
            }
            Value::Array(list) => list.iter().for_each(|v| references(v, into)),
            _ => {}
        }
    }

    #[test]
    fn every_shape_named_is_there_and_every_shape_there_is_named() {
        let document = document();
        let mut named = BTreeSet::new();
        references(&document, &mut named);
        let there: BTreeSet<String> = schemas().as_object().unwrap().keys().cloned().collect();
        assert_eq!(named, there);
        let operations: usize =
            document["paths"].as_object().unwrap().values().map(|p| p.as_object().unwrap().len()).sum();
        assert_eq!(operations, ROUTES.len());
    }
}
