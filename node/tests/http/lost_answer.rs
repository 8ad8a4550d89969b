//! A power cut between a request's work and the keeping of its answer: what was done is known to be done.

use crate::house::House;
use serde_json::json;
use sqlx::{Connection as _, Row as _, SqliteConnection};
use yishi_node::store::{Batch, DONE_WITHOUT_ANSWER, Request, Store, within};

async fn database(house: &House) -> SqliteConnection {
    let path = house.socket_path().with_file_name("yishi.db");
    SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap()
}

#[tokio::test]
async fn a_request_whose_answer_was_lost_is_not_carried_out_again() {
    let house = House::open().await;
    let admin = house.admin().with("idempotency-key", "lost-1");
    let body = json!({ "body": "水渠漏水" });
    let made = admin.post("/api/v1/matters", &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    // As the power cut leaves it: the note of the work's own transaction, and no answer.
    let mut db = database(&house).await;
    let note = format!("[\"{id}\"]").into_bytes();
    let done = sqlx::query("UPDATE answered SET status = 0, body = ?1 WHERE key = 'lost-1'")
        .bind(note)
        .execute(&mut db)
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 1);
    let again = admin.post("/api/v1/matters", &body).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, "true"), "{}", again.text());
    let told = again.json();
    assert_eq!((told["id"].as_str(), &told["answer_lost"]), (Some(id.as_str()), &json!(true)));
    assert_eq!(told["matter"]["id"], told["id"]);
    let count: i64 =
        sqlx::query("SELECT count(*) FROM docs WHERE kind = 2").fetch_one(&mut db).await.unwrap().get(0);
    assert_eq!(count, 1, "nothing was done twice");
    admin.post("/api/v1/matters", &json!({ "body": "别的" })).await.problem(422, "key_reused");
}

#[tokio::test]
async fn the_note_is_stored_with_the_work_or_not_at_all() {
    let house = House::open().await;
    let request = |key: &str| Request { who: "u1".into(), key: key.into(), request: [7; 32], now_ms: 1 };
    // A write that fails leaves no note: the request may be repeated.
    let unknown = yishi_protocol::ids::DocId([9; 32]);
    let cover = yishi_protocol::commit::Cover {
        cert: house.store.world().me.cert,
        signature: yishi_protocol::key::Signature([0; 64]),
    };
    let bad = Batch {
        covers: vec![(unknown, yishi_protocol::ids::ChangeHash([9; 32]), cover)],
        ..Batch::default()
    };
    let failed = within(request("k-1"), house.store.write(bad)).await;
    assert!(failed.is_err());
    assert_eq!(house.store.given_answer("u1", "k-1").await.unwrap(), None);
    // The first write that succeeds brings it; what follows in the same work does not need to.
    within(request("k-1"), async {
        house.store.write(Batch::default()).await.unwrap();
        let noted = house.store.given_answer("u1", "k-1").await.unwrap().unwrap();
        assert_eq!((noted.status, noted.request), (DONE_WITHOUT_ANSWER, [7; 32]));
        house.store.write(Batch::default()).await.unwrap();
    })
    .await;
    assert!(Store::noted_docs(b"[]").is_empty());
    // Its answer takes the note's place, and only its own.
    let answer = |request| yishi_node::store::GivenAnswer { request, status: 201, body: b"{}".to_vec() };
    let other = house.store.keep_answer("u1".into(), "k-1".into(), answer([8; 32]), 2).await;
    assert!(other.is_err());
    house.store.keep_answer("u1".into(), "k-1".into(), answer([7; 32]), 2).await.unwrap();
    assert_eq!(house.store.given_answer("u1", "k-1").await.unwrap().unwrap().status, 201);
    // Work outside a request notes nothing.
    house.store.write(Batch::default()).await.unwrap();
}
