//! What the pages load: one stylesheet and one icon, embedded, named by their content, kept for ever.

use crate::http::{problem::Problem, secret};
use axum::{
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use std::sync::LazyLock;

const STYLESHEET: &str = include_str!("../../../assets/page.css");
const ICON: &str = include_str!("../../../assets/icon.svg");

static STYLESHEET_NAME: LazyLock<String> = LazyLock::new(|| format!("page-{}.css", short_hash(STYLESHEET)));
static ICON_NAME: LazyLock<String> = LazyLock::new(|| format!("icon-{}.svg", short_hash(ICON)));

fn short_hash(text: &str) -> String {
    secret::hex(&secret::hash(text.as_bytes())).chars().take(12).collect()
}

/// The stylesheet's address.
pub(super) fn stylesheet() -> String {
    format!("/assets/{}", *STYLESHEET_NAME)
}

/// The icon's address.
pub(super) fn icon() -> String {
    format!("/assets/{}", *ICON_NAME)
}

pub(super) async fn serve(Path(name): Path<String>) -> Response {
    let (kind, text) = if name == *STYLESHEET_NAME {
        ("text/css; charset=utf-8", STYLESHEET)
    } else if name == *ICON_NAME {
        ("image/svg+xml", ICON)
    } else {
        return Problem::no_such_page().into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, text).into_response()
}
