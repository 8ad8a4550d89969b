//! `GET /live`: Server-Sent Events that something changed, for pages that are open.
//!
//! ```text
//! event: changed
//! id: 17
//! data: {"version":17,"matters":["5d…"]}      `null`: look for yourself
//! ```
//! Whoever may read is told which matters; on the public board only that something changed.

use super::Visitor;
use crate::http::{
    House, limits,
    live::{Stream, Told},
    problem::Problem,
};
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::time::Instant;

pub(super) async fn listen(State(house): State<Arc<House>>, visitor: Visitor) -> Response {
    if !visitor.may_see_board(&house) {
        return Problem::not_signed_in().into_response();
    }
    let Some(stream) = house.live.stream() else { return full().into_response() };
    let listener = Listener {
        names: visitor.may_read(),
        until: Instant::now() + Duration::from_secs(limits::LIVE_SECONDS_MAX),
        greeted: false,
        stream,
    };
    let body = Body::from_stream(futures_util::stream::unfold(listener, |mut listener| async move {
        let part = listener.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(part)), listener))
    }));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}

struct Listener {
    stream: Stream,
    /// Whether it is told which matters.
    names: bool,
    /// A session may have ended since: whoever listens on asks anew.
    until: Instant,
    greeted: bool,
}

impl Listener {
    async fn next(&mut self) -> Option<String> {
        if !self.greeted {
            self.greeted = true;
            return Some(event(self.stream.version(), Some(Vec::new())));
        }
        let silence = Duration::from_secs(limits::LIVE_KEEP_ALIVE_SECONDS);
        tokio::select! {
            told = self.stream.next() => {
                let Told { version, matters } = told?;
                let few = matters.filter(|m| self.names && m.len() <= limits::LIVE_NAMED_MAX);
                Some(event(version, few.map(|m| m.iter().map(ToString::to_string).collect())))
            }
            // A line that says nothing keeps proxies and telephones from hanging up.
            () = tokio::time::sleep(silence) => Some(":\n\n".to_owned()),
            () = tokio::time::sleep_until(self.until) => None,
        }
    }
}

fn event(version: u64, matters: Option<Vec<String>>) -> String {
    let data = json!({ "version": version, "matters": matters });
    format!("event: changed\nid: {version}\nretry: {}\ndata: {data}\n\n", limits::LIVE_RETRY_MS)
}

fn full() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "too_many_listeners",
        "Too many open pages listen",
        "As many pages as this machine bears are told of changes already. Nothing is lost: this page shows what is new when it is loaded again.",
        "同时等着更新的页面太多了。什么都没有丢：刷新这一页就能看到新的。",
    )
    .retry_after(limits::LIVE_SECONDS_MAX)
}
