//! The OpenAPI document against the server: every address answers, and answers have the shapes promised.

use crate::house::House;
use hyper::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn every_address_of_the_document_answers() {
    let house = House::open().await;
    let admin = house.admin();
    let document = house.browser().get("/api/v1/openapi.json").await;
    assert_eq!(document.status, 200);
    let document = document.json();
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let address = path
            .replace("{ref}", "unknown")
            .replace("{place}", "unknown")
            .replace("{id}", "unknown")
            .replace("{procedure}", "unknown");
        for (method, operation) in methods.as_object().unwrap() {
            let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap();
            let kind = operation["requestBody"].is_object().then_some("application/json");
            let reply = admin.send(method.clone(), &address, kind, b"{}".to_vec()).await;
            assert_ne!(reply.status, 405, "{method} {path}");
            assert!(reply.status < 500, "{method} {path}: {}", reply.text());
            if reply.status == 404 {
                assert_ne!(reply.json()["code"], "no_such_address", "{method} {path}");
            }
            if reply.status >= 400 {
                assert_eq!(reply.header("content-type"), "application/problem+json", "{method} {path}");
                matches(&document, &json!({ "$ref": "#/components/schemas/Problem" }), &reply.json(), path);
            }
            // Without a caller nothing but signing in and the document itself answers.
            let open = operation["security"] == json!([]);
            let bare = house.browser().send(method.clone(), &address, kind, b"{}".to_vec()).await;
            assert_eq!(bare.status == 401, !open, "{method} {path}: {}", bare.text());
            asked += 1;
        }
    }
    assert!(asked >= 27, "{asked}");
}

#[tokio::test]
async fn answers_have_the_shapes_promised() {
    let mut house = House::open().await;
    let document = house.admin().get("/api/v1/openapi.json").await.json();
    let body = json!({
        "body": "村口涵洞积水", "external": { "system": "hotline", "number": "H-1" },
        "petitioner": { "kind": "named", "name": "王小明", "phone": "13800138000" }, "settle": "当场说明",
    });
    let made = house.admin().post("/api/v1/matters", &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    house.settle().await;
    house.register("另一件").await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let outcome = json!({ "proposals": [], "title": "修涵洞", "text": "年内修好" });
    let other = house.admin().get("/api/v1/matters?stage=registered").await.json();
    let mut outcome = outcome;
    outcome["proposals"] = json!([other["items"][0]["id"]]);
    let accepted = format!("/api/v1/matters/{}/acts", other["items"][0]["id"].as_str().unwrap());
    assert_eq!(house.admin().post(&accepted, &json!({ "act": "accept" })).await.status, 200);
    let decided = house.admin().post("/api/v1/outcomes", &outcome).await;
    assert_eq!(decided.status, 201, "{}", decided.text());
    house.settle().await;
    house.person("li", "correct horse", &["clerk"]).await;
    house.token(&["matters:read"]).await;
    for (path, schema) in [
        ("/api/v1/node".to_owned(), "Node"),
        ("/api/v1/places".to_owned(), "Places"),
        ("/api/v1/matters".to_owned(), "MatterList"),
        (format!("/api/v1/matters/{id}"), "Matter"),
        (format!("/api/v1/matters/{id}/next"), "Next"),
        (format!("/api/v1/matters/{id}/petitioner"), "Petitioner"),
        (format!("/api/v1/matters/{id}/forget"), "Forgetting"),
        (format!("/api/v1/matters/{id}/similar"), "SimilarList"),
        ("/api/v1/sheets".to_owned(), "SheetKinds"),
        ("/api/v1/sheets/to_tell?names=yes".to_owned(), "Sheet"),
        ("/api/v1/sheets/quarterly".to_owned(), "Sheet"),
        ("/api/v1/forms".to_owned(), "FormList"),
        (format!("/api/v1/sheets/courier_handling?matter={id}"), "Sheet"),
        (format!("/api/v1/matters/{id}/changes"), "Changes"),
        ("/api/v1/matters/export?system=hotline".to_owned(), "ExportList"),
        ("/api/v1/outcomes".to_owned(), "OutcomeList"),
        (format!("/api/v1/outcomes/{}", decided.json()["id"].as_str().unwrap()), "Outcome"),
        ("/api/v1/link".to_owned(), "Links"),
        ("/api/v1/procedures".to_owned(), "ProcedureList"),
        ("/api/v1/procedures/four_steps".to_owned(), "ProcedureFile"),
        ("/api/v1/supervision".to_owned(), "Supervision"),
        ("/api/v1/charter".to_owned(), "Charter"),
        ("/api/v1/charter/file".to_owned(), "CharterFile"),
        ("/api/v1/charter/handover".to_owned(), "Handover"),
        ("/api/v1/users".to_owned(), "UserList"),
        ("/api/v1/tokens".to_owned(), "TokenList"),
    ] {
        let reply = house.admin().get(&path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        let reference = json!({ "$ref": format!("#/components/schemas/{schema}") });
        matches(&document, &reference, &reply.json(), &path);
    }
    let document_bytes = house.admin().get(&format!("/api/v1/matters/{id}/document")).await;
    assert_eq!(document_bytes.status, 200);
    assert_eq!(document_bytes.body[..4], [0x85, 0x6f, 0x4a, 0x83], "an Automerge file");
    let text = json!({ "text": "村口涵洞一下雨就淹水", "category": null });
    let similar = house.admin().post("/api/v1/similar", &text).await;
    assert_eq!(similar.json()["items"].as_array().unwrap().len(), 1, "{}", similar.text());
    matches(&document, &json!({ "$ref": "#/components/schemas/SimilarList" }), &similar.json(), "similar");
    let row =
        json!({ "row": 2, "number": "H-2", "title": "噪音", "body": "夜间施工", "raised_on": "2026-11-20" });
    let imported =
        house.admin().post("/api/v1/matters/import", &json!({ "system": "hotline", "rows": [row] })).await;
    assert_eq!(imported.status, 200, "{}", imported.text());
    matches(&document, &json!({ "$ref": "#/components/schemas/Imported" }), &imported.json(), "import");
    assert_eq!(imported.json()["created"], 1, "{}", imported.text());
}

/// Checks a value against a schema of the document: types, required members, fixed words, and that no member
/// is there that the document does not describe.
#[track_caller]
fn matches(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let named = &document["components"]["schemas"][name.trim_start_matches("#/components/schemas/")];
        return matches(document, named, value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        if value.is_null() {
            assert!(choices.iter().any(|c| c["type"] == "null"), "{at} is null");
            return;
        }
        return matches(document, &choices[0], value, at);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().map(|t| t.as_str().unwrap()).collect(),
        _ => return,
    };
    let actual = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&actual), "{at} is {actual} and should be {types:?}: {value}");
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at} is {value}, not one of {words:?}");
    }
    if let Some(list) = value.as_array() {
        for (i, item) in list.iter().enumerate() {
            matches(document, &schema["items"], item, &format!("{at}[{i}]"));
        }
    }
    if let (Some(map), Some(known)) = (value.as_object(), schema["properties"].as_object()) {
        for name in schema["required"].as_array().into_iter().flatten() {
            assert!(map.contains_key(name.as_str().unwrap()), "{at}.{name} is missing in {value}");
        }
        let open = schema["additionalProperties"].is_object();
        for (name, inner) in map {
            let within = known.get(name);
            let members: Vec<&String> = known.keys().collect();
            assert!(
                open || within.is_some() || name == "rule" || name == "field",
                "{at}.{name} is not among {members:?}"
            );
            if let Some(within) = within {
                matches(document, within, inner, &format!("{at}.{name}"));
            }
        }
    }
}
