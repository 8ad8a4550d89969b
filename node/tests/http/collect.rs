//! The collector's page and what belongs to it: the same for everybody, with a key for its owner's session alone;
//! keys of phones known for long; the certificate phones are asked to trust.

use crate::{client::Client, house::House};
use serde_json::json;

const DAY_MS: u64 = 86_400_000;

async fn signed_in(house: &House, name: &str) -> Client {
    let given =
        house.browser().post("/api/v1/session", &json!({ "name": name, "password": "correct horse" })).await;
    assert_eq!(given.status, 204, "{}", given.text());
    let cookie = given.header("set-cookie").split(';').next().unwrap().to_owned();
    house.browser().cookie(&cookie).here()
}

#[tokio::test]
async fn the_page_is_the_same_for_everybody_and_the_key_for_its_owner() {
    let house = House::open().await;
    house.person("li", "correct horse", &["collector"]).await;
    house.person("wang", "correct horse", &["operator"]).await;
    let (stranger, li, wang) =
        (house.browser(), signed_in(&house, "li").await, signed_in(&house, "wang").await);
    for address in ["/collect", "/collect?lang=en", "/worker.js", "/collect/manifest.webmanifest"] {
        let (seen, own) = (stranger.get(address).await, li.get(address).await);
        assert_eq!(seen.status, 200, "{address}");
        assert_eq!(seen.text(), own.text(), "{address} tells who is signed in");
    }
    let nobody = stranger.get("/collect/state").await.json();
    assert!(nobody["person"].is_null() && nobody.get("secret").is_none() && nobody["may_report"] == false);
    let own = li.get("/collect/state").await;
    assert_eq!(own.header("cache-control"), "no-store");
    let own = own.json();
    assert_eq!((own["may_report"].as_bool(), own["may_handle"].as_bool()), (Some(true), Some(false)));
    let key = own["secret"].as_str().unwrap();
    assert_eq!(key.len(), 64);
    assert_eq!(signed_in(&house, "li").await.get("/collect/state").await.json()["secret"], key);
    let other = wang.get("/collect/state").await.json();
    assert!(other["secret"] != key && other["may_report"] == false);
    // Not for the machine's own socket, nor for a program.
    assert!(house.admin().get("/collect/state").await.json().get("secret").is_none());
}

#[tokio::test]
async fn the_worker_names_files_that_are_there_and_changes_with_them() {
    let house = House::open().await;
    let browser = house.browser();
    let worker = browser.get("/worker.js").await;
    assert_eq!(worker.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(worker.header("cache-control"), "no-cache");
    let text = worker.text();
    let list = text.lines().find_map(|l| l.strip_prefix("const FILES = ")).unwrap().trim_end_matches(';');
    let files: Vec<String> = serde_json::from_str(list).unwrap();
    assert!(files.len() >= 6 && files.iter().any(|f| f == "/collect"), "{files:?}");
    let page = browser.get("/collect").await;
    for file in &files {
        assert_eq!(browser.get(file).await.status, 200, "{file}");
    }
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("worker-src 'self'; manifest-src 'self'") && !policy.contains("unsafe"),
        "{policy}"
    );
    // Everything the page loads is on the list, or it would not open without a network.
    for part in page.text().split(['"']).filter(|p| p.starts_with("/assets/") && !p.contains("icon-masked")) {
        assert!(files.iter().any(|f| f == part), "{part} is not kept");
    }
    let manifest = browser.get("/collect/manifest.webmanifest").await;
    assert_eq!(manifest.header("content-type"), "application/manifest+json");
    for icon in manifest.json()["icons"].as_array().unwrap() {
        assert_eq!(browser.get(icon["src"].as_str().unwrap()).await.status, 200, "{icon}");
    }
    let elsewhere = House::with(|c| c.lang = yishi_node::http::Lang::En).await;
    assert_ne!(elsewhere.browser().get("/worker.js").await.text(), text);
}

#[tokio::test]
async fn what_a_phone_sent_is_known_weeks_later() {
    let house = House::open().await;
    let sent = |key: &str| house.admin().with("idempotency-key", key);
    let body = json!({ "body": "路灯不亮" });
    let first = sent("phone-1").post("/api/v1/matters", &body).await.json();
    sent("k-1").post("/api/v1/matters", &json!({ "body": "水管漏水" })).await;
    house.clock.set_ms(crate::house::MORNING_MS + 60 * DAY_MS);
    sent("k-2").post("/api/v1/matters", &json!({ "body": "别的事" })).await;
    let again = sent("phone-1").post("/api/v1/matters", &body).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
    let told = again.json();
    for name in ["id", "number", "check_code"] {
        assert_eq!(told[name], first[name]);
    }
    assert!(told.get("body").is_none(), "kept for so long, a whole matter would be too much");
    // Any other program's key is forgotten by then: the same request is another matter.
    let other = sent("k-1").post("/api/v1/matters", &json!({ "body": "水管漏水" })).await;
    assert_eq!((other.status, other.header("idempotency-replayed")), (201, ""));
}

#[tokio::test]
async fn the_certificate_is_given_to_whoever_asks() {
    let house = House::with(|c| c.names = vec!["10.20.0.5".into(), "cun.lan".into()]).await;
    let browser = house.browser();
    let page = browser.get("/trust").await;
    assert_eq!(page.status, 200);
    let port = house.server.tls_address().unwrap().port();
    let text = page.text();
    assert!(text.contains(&format!("https://10.20.0.5:{port}/collect")), "{text}");
    assert!(
        text.contains("芦稿村") && text.contains("SHA-256") && text.contains("Certificate Trust Settings")
    );
    let root = browser.get("/trust/yishi.crt").await;
    assert_eq!((root.status, root.header("content-type")), (200, "application/x-x509-ca-cert"));
    assert!(browser.get("/trust/yishi.pem").await.text().starts_with("-----BEGIN CERTIFICATE-----\n"));
    // The same over HTTPS, where a phone is.
    let phone = Client::tls(house.server.tls_address().unwrap(), house.server.web_pin().unwrap().to_owned());
    assert_eq!(phone.get("/trust/yishi.crt").await.body, root.body);
    let without = House::with(|c| c.tls = None).await;
    assert!(without.browser().get("/trust").await.text().contains("tls_listen"));
    without.browser().get("/trust/yishi.crt").await.problem(404, "no_such_address");
}
