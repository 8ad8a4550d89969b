//! What the pages load: one stylesheet, one script, one icon; embedded, named by their content, kept for ever.
//!
//! Each is written in parts, one for each kind of page, and sent as one: a page loads nothing twice. The
//! script only makes pages quicker to use: without it every page reads and every form works.

use crate::http::{problem::Problem, secret};
use axum::{
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use std::sync::LazyLock;

/// One file as it is served.
struct Asset {
    content_type: &'static str,
    text: &'static str,
    address: LazyLock<String>,
}

static STYLESHEET: Asset = Asset {
    content_type: "text/css; charset=utf-8",
    text: concat!(
        include_str!("../../../assets/style/page.css"),
        include_str!("../../../assets/style/board.css"),
        include_str!("../../../assets/style/inbox.css"),
        include_str!("../../../assets/style/dashboard.css"),
        include_str!("../../../assets/style/photos.css"),
    ),
    address: LazyLock::new(|| named("page", "css", STYLESHEET.text)),
};
static SCRIPT: Asset = Asset {
    content_type: "text/javascript; charset=utf-8",
    text: concat!(
        include_str!("../../../assets/script/live.js"),
        include_str!("../../../assets/script/hall.js"),
        include_str!("../../../assets/script/keys.js"),
        include_str!("../../../assets/script/photos.js"),
    ),
    address: LazyLock::new(|| named("page", "js", SCRIPT.text)),
};
static ICON: Asset = Asset {
    content_type: "image/svg+xml",
    text: include_str!("../../../assets/icon.svg"),
    address: LazyLock::new(|| named("icon", "svg", ICON.text)),
};

/// An address that changes with the content.
fn named(name: &str, ending: &str, text: &str) -> String {
    let hash: String = secret::hex(&secret::hash(text.as_bytes())).chars().take(12).collect();
    format!("/assets/{name}-{hash}.{ending}")
}

/// The stylesheet's address.
pub(super) fn stylesheet() -> &'static str {
    &STYLESHEET.address
}

/// The script's address.
pub(super) fn script() -> &'static str {
    &SCRIPT.address
}

/// The icon's address.
pub(super) fn icon() -> &'static str {
    &ICON.address
}

pub(super) async fn serve(Path(name): Path<String>) -> Response {
    let is = |asset: &&&Asset| asset.address.strip_prefix("/assets/") == Some(name.as_str());
    let Some(asset) = [&STYLESHEET, &SCRIPT, &ICON].iter().find(is).copied() else {
        return Problem::no_such_page().into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, asset.text).into_response()
}
