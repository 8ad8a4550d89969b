//! What the API promises: problems, idempotency, pages that do not shift, tags.

use crate::house::House;
use hyper::Method;
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test]
async fn a_matter_from_registering_to_reading() {
    let mut house = House::open().await;
    let made = house.register("村口涵洞积水，雨天过不去").await;
    assert_eq!(made["stage"], "registered");
    assert_eq!(made["timeline"][0]["by"], "local");
    let number = made["number"].as_str().unwrap();
    let id = made["id"].as_str().unwrap();
    let admin = house.admin();
    // By its Chinese number, percent-encoded; by its id; by a prefix.
    let encoded: String = number.bytes().map(|b| format!("%{b:02X}")).collect();
    for reference in [encoded.as_str(), id, &id[..8]] {
        let read = admin.get(&format!("/api/v1/matters/{reference}")).await;
        assert_eq!(read.status, 200, "{reference}: {}", read.text());
        assert_eq!(read.json()["id"], id);
    }
    let accepted = admin.post(&format!("/api/v1/matters/{id}/acts"), &json!({ "act": "accept" })).await;
    assert_eq!(accepted.status, 200, "{}", accepted.text());
    assert_eq!(accepted.json()["matter"]["stage"], "accepted");
    // The same step again is not legal, and says so by name.
    let again = admin.post(&format!("/api/v1/matters/{id}/acts"), &json!({ "act": "accept" })).await;
    let problem = again.problem(409, "not_legal");
    assert!(problem["rule"].is_string());
}

#[tokio::test]
async fn every_refusal_is_a_problem() {
    let mut house = House::open().await;
    let made = house.register("路灯不亮").await;
    let id = made["id"].as_str().unwrap().to_owned();
    let admin = house.admin();
    admin.get("/api/v1/nothing").await.problem(404, "no_such_address");
    admin.get("/api/v1/matters/%E8%8A%A6%E7%A8%BF-2026-9999").await.problem(404, "unknown_matter");
    admin.get("/api/v1/matters/%FF%FE").await.problem(400, "unreadable");
    let twins = house.twins().await;
    admin.get(&format!("/api/v1/matters/{twins}")).await.problem(409, "ambiguous");
    let wrong = admin.delete("/api/v1/matters").await;
    wrong.problem(405, "method_not_allowed");
    assert_eq!(wrong.header("allow"), "GET, POST, HEAD");
    let post = |kind: Option<&'static str>, body: &str| {
        admin.send(Method::POST, "/api/v1/matters", kind, body.as_bytes().to_vec())
    };
    post(Some("text/plain"), "{}").await.problem(415, "media_type");
    post(None, "{}").await.problem(415, "media_type");
    post(Some("application/json"), "{").await.problem(400, "unreadable");
    post(Some("application/json; charset=utf-8"), "{}").await.problem(422, "wrong_shape");
    let misspelt = post(Some("application/json"), r#"{"body":"x","boddy":"y"}"#).await;
    assert!(misspelt.problem(422, "wrong_shape")["detail"].as_str().unwrap().contains("boddy"));
    let empty = post(Some("application/json"), r#"{"body":"  "}"#).await.problem(422, "invalid");
    assert_eq!(empty["field"], "body");
    admin.get("/api/v1/matters?limit=0").await.problem(422, "invalid");
    admin.get("/api/v1/users?limit=501").await.problem(422, "invalid");
    admin.get("/api/v1/matters?misspelt=1").await.problem(400, "unreadable");
    let acts = format!("/api/v1/matters/{id}/acts");
    admin.post(&acts, &json!({})).await.problem(422, "invalid");
    admin.post(&acts, &json!({ "act": "dance" })).await.problem(422, "wrong_shape");
    admin.delete("/api/v1/tokens/77").await.problem(404, "unknown_token");
}

#[tokio::test]
async fn a_body_of_two_mebibytes_and_one_byte_is_too_large() {
    let house = House::open().await;
    let admin = house.admin();
    let limit = 2 * 1024 * 1024;
    let kind = Some("application/json");
    let over = admin.send(Method::POST, "/api/v1/matters", kind, vec![b' '; limit + 1]).await;
    assert_eq!(over.problem(413, "too_large")["limit_bytes"], limit);
    // Exactly the limit is read, and found to be no JSON.
    let full = admin.send(Method::POST, "/api/v1/matters", kind, vec![b' '; limit]).await;
    full.problem(400, "unreadable");
}

#[tokio::test]
async fn a_request_sent_again_is_answered_again() {
    let house = House::open().await;
    let admin = house.admin().with("idempotency-key", "k-1");
    let body = json!({ "body": "水渠漏水" });
    let first = admin.post("/api/v1/matters", &body).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let second = admin.post("/api/v1/matters", &body).await;
    assert_eq!(second.status, 201);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(first.json()["id"], second.json()["id"]);
    // The same key for something else is a mistake.
    admin.post("/api/v1/matters", &json!({ "body": "别的" })).await.problem(422, "key_reused");
    // A refusal is not kept: the key works once its cause is gone.
    let retried = house.admin().with("idempotency-key", "k-2");
    retried.post("/api/v1/matters", &json!({ "body": "" })).await.problem(422, "invalid");
    assert_eq!(retried.post("/api/v1/matters", &body).await.status, 201);
    // Another caller's key is another key.
    let token = house.token(&["matters:write"]).await;
    house.person("li", "correct horse", &["administrator"]).await;
    let other = house.signed_in("li", "correct horse").await.here().with("idempotency-key", "k-1");
    let made = other.post("/api/v1/matters", &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_ne!(made.json()["id"], first.json()["id"]);
    drop(token);
    house
        .admin()
        .with("idempotency-key", &"x".repeat(129))
        .post("/api/v1/matters", &body)
        .await
        .problem(400, "unreadable");
}

#[tokio::test]
async fn requests_at_the_same_time_under_one_key_are_done_once() {
    let mut house = House::open().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let admin = house.admin().with("idempotency-key", "at-once");
        tasks.spawn(async move { admin.post("/api/v1/matters", &json!({ "body": "一件事" })).await });
    }
    let mut made = BTreeSet::new();
    while let Some(reply) = tasks.join_next().await {
        let reply = reply.unwrap();
        match reply.status {
            201 => {
                made.insert(reply.json()["id"].as_str().unwrap().to_owned());
            }
            _ => {
                reply.problem(409, "under_way");
            }
        }
    }
    assert_eq!(made.len(), 1);
    house.settle().await;
    assert_eq!(house.admin().get("/api/v1/matters").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_secret_is_shown_once_also_under_a_key() {
    let house = House::open().await;
    let admin = house.admin().with("idempotency-key", "t-1");
    let body = json!({ "name": "hotline", "scopes": ["matters:read"] });
    let first = admin.post("/api/v1/tokens", &body).await;
    assert!(first.json()["token"].as_str().unwrap().starts_with("yst_"));
    admin.post("/api/v1/tokens", &body).await.problem(409, "shown_once");
    assert_eq!(house.admin().get("/api/v1/tokens").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn pages_do_not_shift_while_rows_are_added() {
    let mut house = House::open().await;
    for i in 0..7 {
        house.clock.set_ms(crate::house::MORNING_MS + i * 60_000);
        house.register(&format!("第{i}件")).await;
    }
    let all = house.admin().get("/api/v1/matters?limit=500").await.json();
    let expected: Vec<String> = ids(&all);
    assert_eq!(expected.len(), 7);
    let mut seen = Vec::new();
    let mut path = "/api/v1/matters?limit=3".to_owned();
    for i in 7.. {
        let page = house.admin().get(&path).await.json();
        seen.extend(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/matters?limit=3&cursor={cursor}");
        house.clock.set_ms(crate::house::MORNING_MS + i * 60_000);
        house.register("插进来的").await;
    }
    assert_eq!(seen, expected, "each once, none skipped, none twice");
    house.admin().get("/api/v1/users?cursor=nonsense").await.problem(422, "invalid");
}

fn ids(page: &serde_json::Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_the_reader_has_is_not_sent_again() {
    let mut house = House::open().await;
    let made = house.register("井盖破损").await;
    let path = format!("/api/v1/matters/{}", made["id"].as_str().unwrap());
    let first = house.admin().get(&path).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let second = house.admin().with("if-none-match", &tag).get(&path).await;
    assert_eq!((second.status, second.body.len()), (304, 0));
    let accepted = house.admin().post(&format!("{path}/acts"), &json!({ "act": "accept" })).await;
    assert_eq!(accepted.status, 200, "{}", accepted.text());
    let third = house.admin().with("if-none-match", &tag).get(&path).await;
    assert_eq!(third.status, 200);
    assert_ne!(third.header("etag"), tag);
}

#[tokio::test]
async fn health_and_metrics() {
    let mut house = House::open().await;
    house.register("一件").await;
    let health = house.browser().get("/health").await;
    assert_eq!((health.status, health.json()["status"].as_str()), (200, Some("ok")));
    let metrics = house.browser().get("/metrics").await.text();
    for line in
        ["yishi_up 1", "yishi_http_requests_total{class=\"2xx\"}", "side=\"up\"", "yishi_link_waiting{"]
    {
        assert!(metrics.contains(line), "{line} is missing in\n{metrics}");
    }
    let pin = house.server.web_pin().unwrap().to_owned();
    let outside = crate::client::Client::tls(house.server.tls_address().unwrap(), pin);
    outside.get("/metrics").await.problem(401, "not_signed_in");
    assert_eq!(outside.get("/health").await.status, 200);
}
