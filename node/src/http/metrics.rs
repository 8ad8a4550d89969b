//! `/health` and `/metrics`: a few numbers, written by hand in Prometheus' text format.
//!
//! Health is for anyone and says nothing of the place. Metrics are for the local socket, this machine's
//! loopback, or a token: they tell how much goes on, never about whom.

use super::{
    House,
    caller::recognise,
    limits,
    problem::{Answer, Problem},
    server::{Door, DoorCounts},
};
use crate::actions::ListQuery;
use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// What is counted while serving.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) doors: DoorCounts,
    pub(super) signed_in: AtomicU64,
    pub(super) sign_in_failed: AtomicU64,
    pub(super) locked_out: AtomicU64,
    /// Requests by hundreds of their status: 1xx to 5xx.
    by_class: [AtomicU64; 5],
    micros: AtomicU64,
}

/// How long the database may take to answer before health says no.
const HEALTH_WAIT: Duration = Duration::from_secs(5);

pub(super) fn router() -> Router<Arc<House>> {
    Router::new().route("/health", get(health)).route("/metrics", get(metrics))
}

/// Counts each answer and the time to it.
pub(super) async fn count(State(house): State<Arc<House>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let response = next.run(request).await;
    let class = usize::from(response.status().as_u16() / 100).saturating_sub(1);
    if let Some(counter) = house.counts.by_class.get(class) {
        counter.fetch_add(1, Relaxed);
    }
    let spent = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    house.counts.micros.fetch_add(spent, Relaxed);
    response
}

async fn health(State(house): State<Arc<House>>) -> Response {
    // One row is asked for: a database that answers is what "ok" means.
    let asked = house.actions.matters(ListQuery { limit: Some(1), ..ListQuery::default() });
    match tokio::time::timeout(HEALTH_WAIT, asked).await {
        Ok(Ok(_)) => {
            let body = json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") });
            (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
        }
        Ok(Err(e)) => unwell(&e.en(), &e.zh()),
        Err(_) => unwell(
            "The database did not answer within 5 seconds. What was saved is intact; look at the disk and the log.",
            "数据库 5 秒内没有回应。已保存的内容不受影响，请检查磁盘和日志。",
        ),
    }
}

fn unwell(en: &str, zh: &str) -> Response {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unwell", "Not well", en, zh)
        .with("status_text", "unwell")
        .into_response()
}

async fn metrics(
    State(house): State<Arc<House>>,
    door: Option<Extension<Door>>,
    headers: HeaderMap,
) -> Answer<Response> {
    let door = door.map(|Extension(d)| d);
    let near = matches!(door, Some(Door::Socket | Door::Plain { loopback: true }));
    if !near && recognise(&house, door, &headers).await?.is_none() {
        return Err(Problem::not_signed_in());
    }
    let text = written(&house).await?;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

async fn written(house: &House) -> Answer<String> {
    let counts = &house.counts;
    let mut out = Text(String::with_capacity(2_048));
    out.one("yishi_up", "gauge", "The node answers.", 1.0);
    out.head("yishi_info", "gauge", "The program's version.");
    out.line("yishi_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    out.one(
        "yishi_http_connections",
        "gauge",
        "Connections open now.",
        counts.doors.open.load(Relaxed) as f64,
    );
    out.one(
        "yishi_http_connections_max",
        "gauge",
        "Connections over TCP at a time unless configured.",
        limits::CONNECTIONS_MAX as f64,
    );
    out.one("yishi_http_streams", "gauge", "Open pages that are told of changes.", house.live.open() as f64);
    for (name, help, value) in [
        ("yishi_http_connections_total", "Connections accepted.", &counts.doors.accepted),
        (
            "yishi_http_handshakes_failed_total",
            "TLS handshakes that failed.",
            &counts.doors.handshakes_failed,
        ),
        ("yishi_sign_ins_total", "People who signed in.", &counts.signed_in),
        ("yishi_sign_ins_failed_total", "Wrong names or passwords.", &counts.sign_in_failed),
        ("yishi_sign_ins_locked_out_total", "Sign-ins refused by a lock-out.", &counts.locked_out),
    ] {
        out.one(name, "counter", help, value.load(Relaxed) as f64);
    }
    out.head("yishi_http_requests_total", "counter", "Requests answered, by class of status.");
    for (i, counter) in counts.by_class.iter().enumerate() {
        let class = format!("{}xx", i + 1);
        out.line("yishi_http_requests_total", &[("class", &class)], counter.load(Relaxed) as f64);
    }
    out.one(
        "yishi_http_seconds_total",
        "counter",
        "Time spent on requests.",
        counts.micros.load(Relaxed) as f64 / 1e6,
    );
    out.one(
        "yishi_documents_unread",
        "gauge",
        "Documents on disk that lists do not show as they are now yet.",
        house.actions.unread().await.map_err(Problem::action)? as f64,
    );
    let links = house.actions.links().await.map_err(Problem::action)?;
    let all: Vec<_> =
        links.up.iter().map(|l| (l, "up")).chain(links.down.iter().map(|l| (l, "down"))).collect();
    for (name, kind, help) in [
        ("yishi_link_up", "gauge", "The link stands."),
        ("yishi_link_waiting", "gauge", "Entries the neighbour has not yet acknowledged."),
        ("yishi_link_sent_total", "counter", "Entries there ever were for the neighbour."),
        ("yishi_link_stored_there_total", "counter", "Entries the neighbour has on disk."),
        ("yishi_link_received_total", "counter", "Changes received."),
        ("yishi_link_refused_total", "counter", "Changes received and refused."),
        ("yishi_link_sent_bytes_total", "counter", "Bytes of frames sent, before QUIC."),
        ("yishi_link_received_bytes_total", "counter", "Bytes of frames received, before QUIC."),
    ] {
        out.head(name, kind, help);
        for (link, side) in &all {
            let value = match name {
                "yishi_link_up" => f64::from(u8::from(link.state == "up")),
                "yishi_link_waiting" => link.waiting as f64,
                "yishi_link_sent_total" => link.sent as f64,
                "yishi_link_stored_there_total" => link.stored_there as f64,
                "yishi_link_received_total" => link.received as f64,
                "yishi_link_sent_bytes_total" => link.bytes_sent as f64,
                "yishi_link_received_bytes_total" => link.bytes_received as f64,
                _ => link.refused as f64,
            };
            out.line(name, &[("code", &link.peer.code), ("name", &link.peer.name), ("side", side)], value);
        }
    }
    Ok(out.0)
}

struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<String> = labels.iter().map(|(k, v)| format!("{k}=\"{}\"", escaped(v))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.head(name, kind, help);
        self.line(name, &[], value);
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
