//! `/collect`: the collector's page, which opens and keeps matters without a network; `/worker.js` keeps it open,
//! `/collect/state` says who is signed in.
//!
//! Invariants: the page and its files are the same for everybody, so that a phone may keep them; what is
//! anybody's comes from `/collect/state`, asked for with the session and kept by no cache. Matters are delivered
//! by the API, each under a key of the phone's own (`phone-…`).

use super::{
    Place, Visitor, assets,
    forms::{CATEGORIES, CHANNELS, fixed_choices},
    w,
    words::collect as wc,
};
use crate::http::{
    House,
    caller::Proof,
    lang::Lang,
    permit::Permit,
    problem::{Answer, Problem},
    secret,
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The page as the worker keeps it: for whoever asks for no language, and in each.
const SHELLS: [&str; 3] = ["/collect", "/collect?lang=zh", "/collect?lang=en"];

#[derive(Template)]
#[template(path = "collect.html")]
struct CollectPage {
    lang: Lang,
    place: Place,
    version: &'static str,
    channels: Vec<(String, String)>,
    /// What the script says, by the names it asks for.
    spoken: Vec<(&'static str, &'static str)>,
    stylesheet: &'static str,
    script: &'static str,
    icon: &'static str,
    touch_icon: &'static str,
    manifest: &'static str,
}

impl CollectPage {
    fn of(house: &House, lang: Lang) -> Self {
        let node = house.actions.node();
        Self {
            lang,
            place: Place::of(&node.place.place),
            version: node.version,
            channels: fixed_choices(CHANNELS.iter().copied(), lang).collect(),
            spoken: wc::SPOKEN.iter().map(|(name, word)| (*name, word.of(lang))).collect(),
            stylesheet: assets::stylesheet(),
            script: assets::collect_script(),
            icon: assets::icon(),
            touch_icon: assets::touch_icon(),
            manifest: MANIFEST,
        }
    }

    fn t(&self, word: w::Word) -> &'static str {
        word.of(self.lang)
    }

    fn text(&self) -> Answer<String> {
        self.render().map_err(Problem::fault)
    }
}

/// The page: nothing in it is anybody's.
pub(super) async fn show(State(house): State<Arc<House>>, visitor: Visitor) -> Answer<Response> {
    let text = CollectPage::of(&house, visitor.lang).text()?;
    // The browser asks anew; the worker keeps it by its own list.
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::VARY, HeaderValue::from_static("Accept-Language")),
    ];
    Ok((headers, Html(text)).into_response())
}

/// Who is signed in, and what the page needs to know of this node.
pub(super) async fn state(State(house): State<Arc<House>>, visitor: Visitor) -> Response {
    let scheme = house.actions.categories();
    let categories: Vec<String> = match scheme.is_empty() {
        true => CATEGORIES.iter().map(|&c| c.to_owned()).collect(),
        false => scheme.into_iter().map(|c| visitor.lang.of(&c.title.zh, &c.title.en).to_owned()).collect(),
    };
    let mut said = json!({
        "person": null,
        "now_ms": house.clock.now_ms(),
        "today": house.actions.node().today,
        "categories": categories,
        "may_report": visitor.may(Permit::Report),
        "may_handle": visitor.may(Permit::Handle),
    });
    // The key goes to the person's own browser, not to a program that holds a token.
    let own = visitor.caller.as_ref().filter(|c| matches!(c.proof, Proof::Session { .. }));
    if let (Some(caller), Some(fields)) = (own, said.as_object_mut()) {
        fields.insert("person".into(), caller.person.clone().into());
        fields.insert("name".into(), caller.name.clone().into());
        fields.insert("secret".into(), secret::hex(&house.actions.phone_key(&caller.person)).into());
    }
    ([(header::CONTENT_TYPE, "application/json")], said.to_string()).into_response()
}

/// The service worker, with the list of what it keeps. Its text changes whenever anything on the list does, and that
/// is how browsers find out.
pub(super) async fn worker(State(house): State<Arc<House>>) -> Answer<Response> {
    let files: Vec<&str> = SHELLS.into_iter().chain(assets::of_collect()).collect();
    let mut all = assets::WORKER.to_owned();
    for lang in [Lang::Zh, Lang::En] {
        all.push_str(&CollectPage::of(&house, lang).text()?);
    }
    all.push_str(&files.join(" "));
    all.push_str(house.lang.of("zh", "en"));
    let build: String = secret::hex(&secret::hash(all.as_bytes())).chars().take(16).collect();
    let text = format!(
        "const BUILD = {};\nconst FILES = {};\n{}",
        Value::from(build),
        Value::from(files),
        assets::WORKER
    );
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (HeaderName::from_static("service-worker-allowed"), HeaderValue::from_static("/")),
    ];
    Ok((headers, text).into_response())
}

/// Where the manifest is.
const MANIFEST: &str = "/collect/manifest.webmanifest";

/// What the page is called and looks like on a phone's home screen.
pub(super) async fn manifest(State(house): State<Arc<House>>) -> Response {
    let place = Place::of(&house.actions.node().place.place);
    let icon = |src: &str, sizes: &str, kind: &str, purpose: &str| json!({ "src": src, "sizes": sizes, "type": kind, "purpose": purpose });
    let manifest = json!({
        "id": "/collect",
        "name": format!("{} · {}", wc::TITLE.of(house.lang), place.name),
        "short_name": wc::TITLE.of(house.lang),
        "lang": house.lang.tag(),
        "start_url": "/collect",
        "scope": "/",
        "display": "standalone",
        "background_color": "#fbfaf7",
        "theme_color": "#b3261e",
        "icons": [
            icon(assets::small_icon(), "192x192", "image/png", "any"),
            icon(assets::large_icon(), "512x512", "image/png", "any"),
            icon(assets::masked_icon(), "512x512", "image/png", "maskable"),
            icon(assets::icon(), "any", "image/svg+xml", "any"),
        ],
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/manifest+json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, manifest.to_string()).into_response()
}
