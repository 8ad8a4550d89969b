//! Pages that are open hear that something changed: soon, no more than they may, and not for ever.

use crate::house::House;
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use yishi_node::http::limits;

const PATIENCE: Duration = Duration::from_secs(20);

/// A browser's open stream.
struct Ear {
    stream: TcpStream,
    heard: String,
    used: usize,
}

impl Ear {
    async fn open(at: SocketAddr, cookie: &str) -> Self {
        let mut stream = TcpStream::connect(at).await.unwrap();
        let asked = format!("GET /live HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n");
        stream.write_all(asked.as_bytes()).await.unwrap();
        Self { stream, heard: String::new(), used: 0 }
    }

    /// Reads on until `what` is there; false if the stream ended.
    async fn until(&mut self, what: &str) -> bool {
        let reading = async {
            while !self.heard.get(self.used..).unwrap().contains(what) {
                let mut part = [0; 4096];
                match self.stream.read(&mut part).await {
                    Ok(0) | Err(_) => return false,
                    Ok(n) => self.heard.push_str(&String::from_utf8_lossy(&part[..n])),
                }
            }
            true
        };
        timeout(PATIENCE, reading).await.expect("nothing more was said")
    }

    /// What the next event says.
    async fn event(&mut self) -> Value {
        assert!(self.until("data: ").await, "the stream ended: {}", self.heard);
        assert!(self.until("\n\n").await);
        let rest = self.heard.get(self.used..).unwrap();
        let from = rest.find("data: ").unwrap() + "data: ".len();
        let line = rest.get(from..).unwrap().lines().next().unwrap();
        self.used += from + line.len();
        serde_json::from_str(line).unwrap()
    }
}

async fn session(house: &House) -> String {
    house.person("li", "correct horse", &["clerk"]).await;
    let form = "name=li&password=correct+horse&back=%2F";
    let reply = house.browser().here().form("/login", form).await;
    reply.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn what_changed_is_told_and_named_only_to_who_may_read() {
    let mut house = House::with(|c| c.open_board = true).await;
    let at = house.server.plain_address().unwrap();
    let cookie = session(&house).await;
    let (mut clerk, mut passer_by) = (Ear::open(at, &cookie).await, Ear::open(at, "").await);
    let begun = clerk.event().await["version"].as_u64().unwrap();
    assert_eq!(passer_by.event().await["version"].as_u64().unwrap(), begun);
    assert!(clerk.heard.contains("200 OK") && clerk.heard.contains("content-type: text/event-stream"));
    let page = house.browser().cookie(&cookie).get("/").await.text();
    assert!(page.contains(&format!("data-version=\"{begun}\"")) && page.contains("data-live=\"today\""));
    let made = house.register("村口涵洞积水").await;
    let told = clerk.event().await;
    assert!(told["version"].as_u64().unwrap() > begun);
    assert_eq!(told["matters"], Value::from(vec![made["id"].clone()]));
    assert_eq!(passer_by.event().await["matters"], Value::Null);
    assert!(!passer_by.heard.contains(made["id"].as_str().unwrap()));
    // The list is as it is told: who fetches now sees it.
    assert!(house.browser().cookie(&cookie).get("/matters").await.text().contains("村口涵洞积水"));
}

#[tokio::test]
async fn it_is_for_those_who_may_look() {
    let house = House::open().await;
    house.browser().get("/live").await.problem(401, "not_signed_in");
}

#[tokio::test]
async fn streams_are_few_and_make_room_when_they_end() {
    let house = House::with(|c| c.open_board = true).await;
    let at = house.server.plain_address().unwrap();
    let mut open = Vec::new();
    for _ in 0..limits::LIVE_STREAMS_MAX {
        let mut ear = Ear::open(at, "").await;
        ear.event().await;
        open.push(ear);
    }
    let refused = house.browser().get("/live").await;
    refused.problem(503, "too_many_listeners");
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(house.browser().get("/board").await.status, 200, "pages are served all the same");
    open.truncate(limits::LIVE_STREAMS_MAX / 2);
    // The node notices a listener that is gone with the next thing it says to it.
    let mut again = None;
    for _ in 0..100 {
        let mut ear = Ear::open(at, "").await;
        if ear.until("event: changed").await {
            again = Some(ear);
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(again.is_some(), "no room was made");
}

#[tokio::test]
async fn stopping_ends_every_stream_at_once() {
    let house = House::with(|c| c.open_board = true).await;
    let mut ear = Ear::open(house.server.plain_address().unwrap(), "").await;
    ear.event().await;
    let House { server, store, .. } = house;
    timeout(Duration::from_secs(limits::DRAIN_SECONDS_MAX / 2), server.shutdown()).await.unwrap().unwrap();
    assert!(!ear.until("data: ").await || !ear.until("never said").await);
    store.close().await.unwrap();
}
