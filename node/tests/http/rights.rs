//! Who may do what, and what guessing costs.

use crate::{client::Client, house::House};
use serde_json::json;

const READ: &[&str] = &["matters:read"];

#[tokio::test]
async fn a_token_over_pinned_tls() {
    let mut house = House::open().await;
    house.register("一件").await;
    let token = house.token(READ).await;
    let read = house.program(&token).get("/api/v1/matters").await;
    assert_eq!(read.status, 200, "{}", read.text());
    assert_eq!(read.json()["items"].as_array().unwrap().len(), 1);
    // No token, a wrong one, another kind, a pin that is not ours.
    let address = house.server.tls_address().unwrap();
    let pin = house.server.web_pin().unwrap().to_owned();
    let bare = Client::tls(address, pin);
    let refused = bare.get("/api/v1/matters").await;
    refused.problem(401, "not_signed_in");
    assert!(refused.header("www-authenticate").starts_with("Bearer"));
    house.program(&format!("{token}0")).get("/api/v1/matters").await.problem(401, "not_signed_in");
    bare.clone()
        .with("authorization", "Basic eA==")
        .get("/api/v1/matters")
        .await
        .problem(401, "not_signed_in");
    let elsewhere = Client::tls(address, "00".repeat(32)).bearer(&token);
    assert!(elsewhere.try_send(hyper::Method::GET, "/api/v1/matters", None, Vec::new()).await.is_err());
    // A scope that is missing.
    let denied = house.program(&token).post("/api/v1/matters", &json!({ "body": "x" })).await;
    denied.problem(403, "not_permitted");
    house.program(&token).get("/api/v1/users").await.problem(403, "not_permitted");
    // The pin is also told to those who may ask.
    let node = house.program(&token).get("/api/v1/node").await.json();
    assert_eq!(node["web_pin"].as_str(), house.server.web_pin());
    // Withdrawn, it is nothing any more.
    let listed = house.admin().get("/api/v1/tokens").await.json();
    assert!(!listed.to_string().contains(&token), "the secret is kept nowhere");
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(house.admin().delete(&format!("/api/v1/tokens/{id}")).await.status, 204);
    house.program(&token).get("/api/v1/matters").await.problem(401, "not_signed_in");
}

#[tokio::test]
async fn a_token_ends_and_is_never_more_than_its_maker() {
    let house = House::open().await;
    let made = house
        .admin()
        .post("/api/v1/tokens", &json!({ "name": "t", "scopes": ["admin"], "expires_days": 1 }))
        .await;
    let token = made.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(house.program(&token).get("/api/v1/users").await.status, 200);
    house.clock.set_ms(crate::house::MORNING_MS + 25 * 3_600_000);
    house.program(&token).get("/api/v1/users").await.problem(401, "not_signed_in");
    // An operator may make tokens, not ones with rights over people.
    house.person("ops", "correct horse", &["operator"]).await;
    let ops = house.signed_in("ops", "correct horse").await.here();
    let body = |scope: &str| json!({ "name": "t", "scopes": [scope] });
    ops.post("/api/v1/tokens", &body("users:write")).await.problem(403, "not_permitted");
    let own = ops.post("/api/v1/tokens", &body("places:write")).await;
    assert_eq!(own.status, 201, "{}", own.text());
    house.admin().post("/api/v1/tokens", &body("everything")).await.problem(422, "invalid");
}

#[tokio::test]
async fn acts_are_attributed_to_the_person() {
    let mut house = House::open().await;
    let li = house.person("li", "correct horse", &["clerk"]).await;
    assert_eq!(li["id"], "u1");
    let browser = house.signed_in("li", "correct horse").await.here();
    let made = browser.post("/api/v1/matters", &json!({ "body": "垃圾没人清" })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["timeline"][0]["by"], "u1");
    house.settle().await;
    // A collector reports and reads, and takes no step of handling.
    house.person("wang", "correct horse", &["collector"]).await;
    let wang = house.signed_in("wang", "correct horse").await.here();
    let acts = format!("/api/v1/matters/{}/acts", made.json()["id"].as_str().unwrap());
    wang.post(&acts, &json!({ "act": "accept" })).await.problem(403, "not_permitted");
    let comment = wang.post(&acts, &json!({ "act": "comment", "text": "已去看过" })).await;
    assert_eq!(comment.status, 200, "{}", comment.text());
}

#[tokio::test]
async fn five_wrong_passwords_lock_the_name_for_a_quarter_of_an_hour() {
    let house = House::open().await;
    house.person("li", "correct horse", &["clerk"]).await;
    let browser = house.browser();
    // A name that exists and one that does not behave alike.
    for name in ["li", "nobody"] {
        let wrong = json!({ "name": name, "password": "wrong" });
        for _ in 0..5 {
            browser.post("/api/v1/session", &wrong).await.problem(401, "wrong_password");
        }
        let locked = browser.post("/api/v1/session", &wrong).await;
        locked.problem(429, "locked_out");
        assert_eq!(locked.header("retry-after"), "900");
    }
    let right = json!({ "name": "li", "password": "correct horse" });
    browser.post("/api/v1/session", &right).await.problem(429, "locked_out");
    house.clock.set_ms(crate::house::MORNING_MS + 15 * 60_000);
    let back = browser.post("/api/v1/session", &right).await;
    assert_eq!(back.status, 204, "{}", back.text());
    let cookie = back.header("set-cookie");
    assert!(cookie.contains("HttpOnly; SameSite=Strict") && cookie.contains("Path=/"), "{cookie}");
    assert!(!cookie.contains("Secure"), "plain HTTP on this machine");
}

#[tokio::test]
async fn a_session_over_tls_has_a_secure_cookie_and_ends() {
    let house = House::open().await;
    house.person("li", "correct horse", &["clerk"]).await;
    let pin = house.server.web_pin().unwrap().to_owned();
    let outside = Client::tls(house.server.tls_address().unwrap(), pin);
    let signed_in =
        outside.post("/api/v1/session", &json!({ "name": "li", "password": "correct horse" })).await;
    let cookie = signed_in.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-yishi=") && cookie.ends_with("; Secure"), "{cookie}");
    let session = outside.cookie(cookie.split(';').next().unwrap());
    assert_eq!(session.get("/api/v1/matters").await.status, 200);
    // Another site's page cannot use it to change anything.
    let body = json!({ "body": "x" });
    session.post("/api/v1/matters", &body).await.problem(403, "foreign_form");
    let cross = session.clone().with("sec-fetch-site", "cross-site");
    cross.post("/api/v1/matters", &body).await.problem(403, "foreign_form");
    cross.delete("/api/v1/session").await.problem(403, "foreign_form");
    let ended = session.clone().here().delete("/api/v1/session").await;
    assert_eq!(ended.status, 204);
    assert!(ended.header("set-cookie").contains("Max-Age=0"));
    session.get("/api/v1/matters").await.problem(401, "not_signed_in");
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let house = House::open().await;
    house.person("li", "correct horse", &["clerk"]).await;
    let session = house.signed_in("li", "correct horse").await;
    assert_eq!(session.get("/api/v1/matters").await.status, 200);
    house.clock.set_ms(crate::house::MORNING_MS + 15 * 3_600_000);
    session.get("/api/v1/matters").await.problem(401, "not_signed_in");
}

#[tokio::test]
async fn people_are_added_with_a_password_shown_once() {
    let house = House::open().await;
    let made = house.admin().post("/api/v1/users", &json!({ "name": "zhao", "roles": ["clerk"] })).await;
    let password = made.json()["password"].as_str().unwrap().to_owned();
    let session = house.signed_in("zhao", &password).await;
    assert_eq!(session.get("/api/v1/matters").await.status, 200);
    session.get("/api/v1/users").await.problem(403, "not_permitted");
    let listed = house.admin().get("/api/v1/users").await;
    assert!(!listed.text().contains("argon2") && !listed.text().contains(&password));
    let again = house.admin().post("/api/v1/users", &json!({ "name": "zhao", "roles": ["clerk"] })).await;
    again.problem(409, "taken");
    let short = json!({ "name": "qian", "roles": ["clerk"], "password": "short" });
    assert_eq!(
        house.admin().post("/api/v1/users", &short).await.problem(422, "invalid")["field"],
        "password"
    );
    let king = json!({ "name": "qian", "roles": ["king"] });
    assert_eq!(house.admin().post("/api/v1/users", &king).await.problem(422, "invalid")["field"], "roles");
}
