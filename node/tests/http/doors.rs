//! The doors themselves: refusing to open, slow and silent clients, an orderly stop.

use crate::{client::Client, house::House};
use serde_json::json;
use std::{os::unix::fs::PermissionsExt, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use yishi_node::{
    actions::Actions,
    http::{BindError, HttpConfig, Server},
};

#[tokio::test]
async fn the_socket_is_for_its_owner() {
    let house = House::open().await;
    let mode = std::fs::metadata(house.socket_path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(house.admin().get("/api/v1/users").await.status, 200);
    let path = house.socket_path();
    house.server.shutdown().await.unwrap();
    assert!(!path.exists(), "an orderly stop leaves no socket behind");
}

#[tokio::test]
async fn each_reason_not_to_open_has_its_name() {
    let house = House::open().await;
    let actions = Actions::new(house.store.clone(), house.clock.clone()).unwrap();
    let other = tempfile::tempdir().unwrap();
    let bind = |amend: fn(&mut HttpConfig, &House)| {
        let mut config = HttpConfig::local(other.path().to_owned());
        amend(&mut config, &house);
        Server::bind(config, actions.clone())
    };
    let refused = bind(|c, h| c.plain = h.server.plain_address()).await.unwrap_err();
    assert!(matches!(refused, BindError::PortTaken(_)), "{refused}");
    let refused = bind(|c, _| c.plain = Some("0.0.0.0:0".parse().unwrap())).await.unwrap_err();
    assert!(matches!(refused, BindError::NotLoopback(_)), "{refused}");
    let refused = bind(|c, _| c.tls = Some("192.0.2.1:0".parse().unwrap())).await.unwrap_err();
    assert!(matches!(refused, BindError::NoSuchAddress(_)), "{refused}");
    let refused = bind(|c, h| c.socket = Some(h.socket_path())).await.unwrap_err();
    assert!(matches!(refused, BindError::SocketInUse(_)), "{refused}");
    assert!(!refused.zh().is_empty());
    let open = bind(|c, _| {
        c.plain = Some("0.0.0.0:0".parse().unwrap());
        c.plain_beyond_loopback = true;
    });
    assert!(open.await.is_ok());
    // The first server goes on undisturbed.
    assert_eq!(house.admin().get("/api/v1/node").await.status, 200);
}

#[tokio::test]
async fn a_request_under_way_is_finished_before_the_stop() {
    let house = House::open().await;
    let mut stream = TcpStream::connect(house.server.plain_address().unwrap()).await.unwrap();
    stream
        .write_all(b"POST /api/v1/session HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n")
        .await
        .unwrap();
    stream.write_all(b"content-length: 29\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let plain = house.server.plain_address().unwrap();
    let stopping = tokio::spawn(house.server.shutdown());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(plain).await.is_err(), "no new ones");
    stream.write_all(br#"{"name":"a","password":"bcd"}"#).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    stopping.await.unwrap().unwrap();
}

#[tokio::test]
async fn too_many_or_too_long_headers_are_refused() {
    let house = House::open().await;
    let long = house.browser().with("x-long", &"y".repeat(20_000)).get("/health").await;
    assert_eq!(long.status, 431);
    let mut many = house.browser();
    for i in 0..80 {
        many = many.with(&format!("x-{i}"), "y");
    }
    assert_eq!(many.get("/health").await.status, 431);
}

#[tokio::test]
async fn a_flood_of_silent_connections_leaves_the_operators_door_open() {
    let house = House::with(|c| c.connections_max = 4).await;
    let address = house.server.plain_address().unwrap();
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let waits = tokio::time::timeout(Duration::from_millis(300), house.browser().get("/health")).await;
    assert!(waits.is_err(), "browsers wait for a place");
    assert_eq!(house.admin().get("/health").await.status, 200);
    drop(silent);
    assert_eq!(house.browser().get("/health").await.status, 200);
}

#[tokio::test]
async fn a_key_is_kept_over_a_restart() {
    let house = House::open().await;
    let pin = house.server.web_pin().unwrap().to_owned();
    house.server.shutdown().await.unwrap();
    let actions = Actions::new(house.store.clone(), house.clock.clone()).unwrap();
    let config = HttpConfig {
        tls: Some("127.0.0.1:0".parse().unwrap()),
        ..HttpConfig::local(house.dir.path().join("data"))
    };
    let again = Server::bind(config, actions).await.unwrap();
    assert_eq!(again.web_pin(), Some(pin.as_str()));
    let admin = Client::socket(house.dir.path().join("data/api.sock"));
    let made = admin.post("/api/v1/matters", &json!({ "body": "x" })).await;
    assert_eq!(made.status, 201);
    again.shutdown().await.unwrap();
}
