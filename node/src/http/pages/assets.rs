//! What the pages load: stylesheet, scripts, icons; embedded, named by their content, kept for ever.
//!
//! Each is written in parts, one for each kind of page, and sent as one: a page loads nothing twice. The
//! common script only makes pages quicker to use: without it every page reads and every form works. The
//! collector's page has a script of its own, and says what to do where it does not run.

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
    bytes: &'static [u8],
    address: LazyLock<String>,
}

static STYLESHEET: Asset = Asset {
    content_type: "text/css; charset=utf-8",
    bytes: concat!(
        include_str!("../../../assets/style/page.css"),
        include_str!("../../../assets/style/board.css"),
        include_str!("../../../assets/style/inbox.css"),
        include_str!("../../../assets/style/dashboard.css"),
        include_str!("../../../assets/style/collect.css"),
        include_str!("../../../assets/style/photos.css"),
    )
    .as_bytes(),
    address: LazyLock::new(|| named("page", "css", STYLESHEET.bytes)),
};
static SCRIPT: Asset = Asset {
    content_type: "text/javascript; charset=utf-8",
    bytes: concat!(
        include_str!("../../../assets/script/live.js"),
        include_str!("../../../assets/script/hall.js"),
        include_str!("../../../assets/script/keys.js"),
        include_str!("../../../assets/script/photos.js"),
    )
    .as_bytes(),
    address: LazyLock::new(|| named("page", "js", SCRIPT.bytes)),
};
static ICON: Asset = Asset {
    content_type: "image/svg+xml",
    bytes: include_bytes!("../../../assets/icon.svg"),
    address: LazyLock::new(|| named("icon", "svg", ICON.bytes)),
};
static COLLECT: Asset = Asset {
    content_type: "text/javascript; charset=utf-8",
    bytes: concat!(
        include_str!("../../../assets/collect/words.js"),
        include_str!("../../../assets/collect/box.js"),
        include_str!("../../../assets/collect/photo.js"),
        include_str!("../../../assets/collect/deliver.js"),
        include_str!("../../../assets/collect/form.js"),
        include_str!("../../../assets/collect/page.js"),
    )
    .as_bytes(),
    address: LazyLock::new(|| named("collect", "js", COLLECT.bytes)),
};
/// The icons a phone puts on its home screen, drawn from `icon.svg`: it wants pixels.
static SMALL_ICON: Asset = Asset {
    content_type: "image/png",
    bytes: include_bytes!("../../../assets/icon-192.png"),
    address: LazyLock::new(|| named("icon-192", "png", SMALL_ICON.bytes)),
};
static LARGE_ICON: Asset = Asset {
    content_type: "image/png",
    bytes: include_bytes!("../../../assets/icon-512.png"),
    address: LazyLock::new(|| named("icon-512", "png", LARGE_ICON.bytes)),
};
/// One without corners, for phones that cut their own.
static MASKED_ICON: Asset = Asset {
    content_type: "image/png",
    bytes: include_bytes!("../../../assets/icon-masked.png"),
    address: LazyLock::new(|| named("icon-masked", "png", MASKED_ICON.bytes)),
};
const ALL: [&Asset; 7] = [&STYLESHEET, &SCRIPT, &ICON, &COLLECT, &SMALL_ICON, &LARGE_ICON, &MASKED_ICON];

/// The service worker, without the list of what it keeps.
pub(super) const WORKER: &str = include_str!("../../../assets/worker.js");

/// An address that changes with the content.
fn named(name: &str, ending: &str, bytes: &[u8]) -> String {
    let hash: String = secret::hex(&secret::hash(bytes)).chars().take(12).collect();
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

/// The address of the collector's script.
pub(super) fn collect_script() -> &'static str {
    &COLLECT.address
}

/// The icons of a home screen.
pub(super) fn small_icon() -> &'static str {
    &SMALL_ICON.address
}

pub(super) fn large_icon() -> &'static str {
    &LARGE_ICON.address
}

pub(super) fn masked_icon() -> &'static str {
    &MASKED_ICON.address
}

/// The one Apple's phones take.
pub(super) fn touch_icon() -> &'static str {
    &MASKED_ICON.address
}

/// What the collector's page needs to open.
pub(super) fn of_collect() -> [&'static str; 4] {
    [stylesheet(), collect_script(), icon(), small_icon()]
}

pub(super) async fn serve(Path(name): Path<String>) -> Response {
    let is = |asset: &&&Asset| asset.address.strip_prefix("/assets/") == Some(name.as_str());
    let Some(asset) = ALL.iter().find(is).copied() else {
        return Problem::no_such_page().into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, asset.bytes).into_response()
}
