//! The pages people work on: today, the list, registering, a matter with its acts, procedures, signing in, the
//! links, and looking up with a receipt.
//!
//! Server-rendered, complete without scripts, nothing from outside. Invariants: a petitioner's name, number or
//! address is in no template's data but the form it was just typed into; without sign-in only what the open
//! board shows is, if the configuration opens it, and what a receipt's holder may know. Every form that changes
//! something passes [`Visitor::admit`](guard).

mod acts;
mod ask;
mod assets;
mod beside;
mod board;
mod bulk;
mod bulk_forms;
mod chart;
mod charter;
mod collect;
mod compare;
mod dashboard;
mod desk;
mod files;
mod forms;
mod gates;
mod guard;
mod inbox;
mod inputs;
mod link;
mod list;
mod live;
mod login;
mod matter;
mod moments;
mod notices;
mod people;
mod photos;
mod places;
mod procedures;
mod qr;
mod record;
mod sheet_forms;
mod sheets;
mod similar;
mod standings;
mod stub;
mod supervision;
mod today;
mod trust;
mod words;

use super::{
    House,
    caller::{Caller, Proof, recognise},
    lang::Lang,
    permit::Permit,
    problem::Problem,
    server::Door,
};
use crate::actions::views::{LevelView, PlaceView};
pub(super) use ask::Walkers;
use askama::Template;
use axum::{
    Router,
    extract::{FromRequestParts, OriginalUri, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
pub(super) use bulk::BulkResults;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
pub(super) use sheets::printed;
use std::sync::Arc;
use words as w;
use yishi_protocol::place::bare_name;

/// What stands unescaped in one segment of a path or one value of a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

pub(super) fn router(_: &Arc<House>) -> Router<Arc<House>> {
    Router::new()
        .route("/", get(today::show))
        .route("/matters", get(list::show))
        .route("/q", get(ask::show))
        .route("/live", get(live::listen))
        .route("/board", get(board::show))
        .route("/board/screen", get(board::screen))
        .route("/board/sheet", get(board::sheet))
        .route("/board/{number}", get(board::notice).post(board::object))
        .route("/procedures", get(procedures::list))
        .route("/procedures/issue", get(procedures::blank).post(procedures::issue))
        .route("/procedures/{procedure}", get(procedures::one))
        .route("/supervision", get(supervision::show))
        .route("/dashboard", get(dashboard::show))
        .route("/dashboard/list", get(standings::show))
        .route("/notices", get(notices::list))
        .route("/notices/new", get(notices::blank).post(notices::give))
        .route("/notices/{id}", get(notices::one).post(notices::recall))
        .route("/stubs/{ref}", get(stub::show).post(stub::open))
        .route("/charter", get(charter::show))
        .route("/charter/issue", get(charter::blank).post(charter::issue))
        .route("/charter/handover", get(charter::handover))
        .route("/inbox", get(inbox::show))
        .route("/inbox/do", get(bulk::back).post(bulk::take))
        .route("/inbox/done/{key}", get(bulk::done))
        .route("/inbox/compare", get(compare::show))
        .route("/places", get(places::show))
        .route("/places/invite", get(places::back).post(places::invite))
        .route("/places/revoke", get(places::back).post(places::revoke))
        .route("/people", get(people::show).post(people::change))
        .route("/new", get(desk::show).post(desk::register))
        .route("/m/{ref}", get(matter::show))
        .route("/files/{file}", get(files::show))
        .route("/m/{ref}/acts", get(acts::back).post(acts::take))
        .route("/m/{ref}/photos", get(acts::back).post(photos::add))
        .route("/m/{ref}/receipt", get(desk::receipt))
        .route("/sheets", get(sheets::list))
        .route("/sheets/forms", get(sheet_forms::blank).post(sheet_forms::sent))
        .route("/sheets/forms/{name}", get(sheet_forms::fill))
        .route("/sheets/{name}", get(sheets::one))
        .route("/link", get(link::show))
        .route("/collect", get(collect::show))
        .route("/collect/state", get(collect::state))
        .route("/collect/manifest.webmanifest", get(collect::manifest))
        .route("/worker.js", get(collect::worker))
        .route("/trust", get(trust::show))
        .route("/trust/yishi.crt", get(trust::certificate))
        .route("/trust/yishi.pem", get(trust::pem))
        .route("/login", get(login::show).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/assets/{name}", get(assets::serve))
        .fallback(missing)
}

/// The methods a page takes, for `Allow`.
pub(super) fn methods_at(path: &str) -> &'static str {
    match path {
        "/login" | "/new" | "/procedures/issue" | "/charter/issue" | "/sheets/forms" | "/m/{ref}/acts"
        | "/m/{ref}/photos" | "/inbox/do" | "/places/invite" | "/places/revoke" | "/people"
        | "/board/{number}" | "/notices/new" | "/notices/{id}" | "/stubs/{ref}" => "GET, HEAD, POST",
        "/logout" => "POST",
        _ => "GET, HEAD",
    }
}

/// Who looks at a page, as its header shows it.
#[derive(Debug, Clone)]
struct Who {
    name: String,
    /// Empty where there is no session to end.
    form_token: String,
}

/// What every page needs.
#[derive(Debug, Clone)]
struct Page {
    lang: Lang,
    /// The language if the address states it, to be carried along.
    stated: Option<&'static str>,
    place: Place,
    path: String,
    today: String,
    version: &'static str,
    /// Which page this is.
    here: &'static str,
    who: Option<Who>,
    /// Whether the place works on this machine, and not on another one that took it over.
    active: bool,
    /// Whether there are places below, for whoever may read.
    below: bool,
    /// Who looks after places below and after accounts.
    looks_after: (bool, bool),
    /// This page's address, without its language.
    address: String,
    /// Whether whoever looks may see the public board.
    board: bool,
    /// Whether the page's form goes along when the language is changed.
    carries: bool,
    /// What has changed up to this page: see [`super::live`].
    shown: u64,
}

impl Page {
    fn t(&self, word: w::Word) -> &'static str {
        word.of(self.lang)
    }

    fn stylesheet(&self) -> &'static str {
        assets::stylesheet()
    }

    fn script(&self) -> &'static str {
        assets::script()
    }

    fn icon(&self) -> &'static str {
        assets::icon()
    }

    /// An address of ours with the stated language.
    fn href(&self, address: &str) -> String {
        match self.stated {
            Some(lang) => with_language(address, lang),
            None => address.to_owned(),
        }
    }

    fn other_language(&self) -> String {
        with_language(&self.address, self.lang.of("en", "zh"))
    }
}

fn with_language(address: &str, lang: &str) -> String {
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}lang={lang}")
}

/// An address without `lang=`.
fn without_language(uri: &axum::http::Uri) -> String {
    let rest: Vec<&str> =
        uri.query().unwrap_or("").split('&').filter(|p| !p.is_empty() && !p.starts_with("lang=")).collect();
    if rest.is_empty() { uri.path().to_owned() } else { format!("{}?{}", uri.path(), rest.join("&")) }
}

/// Somebody looking at a page: signed in or not.
#[derive(Debug)]
pub(super) struct Visitor {
    lang: Lang,
    stated: Option<&'static str>,
    address: String,
    door: Option<Door>,
    caller: Option<Caller>,
}

impl FromRequestParts<Arc<House>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, house: &Arc<House>) -> Result<Self, Response> {
        let uri = parts.extensions.get::<OriginalUri>().map_or_else(|| parts.uri.clone(), |u| u.0.clone());
        let door = parts.extensions.get::<Door>().copied();
        let lang = Lang::of_request(uri.query(), &parts.headers, house.lang);
        let stated = uri.query().and_then(Lang::asked).map(|l| l.of("zh", "en"));
        let caller = recognise(house, door, &parts.headers).await.map_err(IntoResponse::into_response)?;
        Ok(Self { lang, stated, address: without_language(&uri), door, caller })
    }
}

impl Visitor {
    fn may(&self, permit: Permit) -> bool {
        self.caller.as_ref().is_some_and(|c| c.may(permit))
    }

    fn may_read(&self) -> bool {
        self.may(Permit::Read)
    }

    /// The public board is for everybody where the configuration opens it.
    fn may_see_board(&self, house: &House) -> bool {
        self.may_read() || house.open_board
    }

    /// On to another page, in the language this one was asked for.
    fn to(&self, address: &str) -> Response {
        let to = self.stated.map_or_else(|| address.to_owned(), |lang| with_language(address, lang));
        Redirect::to(&to).into_response()
    }

    /// To the sign-in page, and back here afterwards.
    fn to_sign_in(&self) -> Response {
        Redirect::to(&self.sign_in_address()).into_response()
    }

    fn sign_in_address(&self) -> String {
        let login = format!("/login?back={}", escaped(&self.address));
        self.stated.map_or_else(|| login.clone(), |lang| with_language(&login, lang))
    }

    fn page(&self, house: &House, here: &'static str) -> Page {
        let node = house.actions.node();
        let who = self.caller.as_ref().map(|c| Who {
            name: match c.proof {
                Proof::Socket => w::LOCAL_PERSON.of(self.lang).to_owned(),
                Proof::Token | Proof::Session { .. } => c.name.clone(),
            },
            form_token: c.form_token(),
        });
        // The path ends with the place itself, which stands above it.
        let above = node.place.path.rsplit_once(" › ").map_or("", |(above, _)| above);
        Page {
            lang: self.lang,
            stated: self.stated,
            path: above.to_owned(),
            place: Place::of(&node.place.place),
            today: moments::day_seen(&node.today, house.actions.today(), self.lang),
            version: node.version,
            here,
            who,
            active: node.active,
            below: self.may_read() && house.actions.has_below(),
            looks_after: (self.may(Permit::Places), self.may(Permit::People)),
            address: self.address.clone(),
            board: self.may_see_board(house),
            carries: false,
            shown: house.live.version(),
        }
    }

    /// A problem as a page.
    fn trouble(&self, house: &House, problem: &Problem) -> Response {
        let page = self.page(house, "");
        let word = if problem.status() == StatusCode::NOT_FOUND { w::PAGE_MISSING } else { w::NOT_DONE };
        let title = word.of(self.lang);
        let shown = TroublePage { page, title, words: problem.words(self.lang) };
        (problem.status(), html(&shown)).into_response()
    }
}

/// An address that is none: a page for a person who mistyped it, the API's words for a program.
async fn missing(State(house): State<Arc<House>>, visitor: Visitor, headers: HeaderMap) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|a| a.to_str().ok()).unwrap_or("");
    if !accepts.contains("text/html") || visitor.address.starts_with("/api/") {
        return Problem::no_such_page().into_response();
    }
    let page = visitor.page(&house, "");
    let (title, words) = (w::PAGE_MISSING.of(visitor.lang), w::PAGE_MISSING_WORDS.of(visitor.lang));
    (StatusCode::NOT_FOUND, html(&TroublePage { page, title, words })).into_response()
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage<'a> {
    page: Page,
    title: &'static str,
    words: &'a str,
}

/// A template as an answer.
fn html(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => {
            let vary = [(header::VARY, HeaderValue::from_static("Accept-Language, Cookie"))];
            (vary, Html(text)).into_response()
        }
        Err(e) => Problem::fault(e).into_response(),
    }
}

/// One level and whether a matter is there.
#[derive(Debug, Clone)]
struct Level {
    name: String,
    word: &'static str,
    full: String,
    stored: bool,
}

/// This place and those above with what they have, nearest first.
fn levels(own: &Place, own_level: &str, up: &[LevelView], lang: Lang) -> Vec<Level> {
    let here = Level {
        name: match lang {
            Lang::Zh => format!("本{}", short_level(&own.name, own_level, lang)),
            Lang::En => short_level(&own.name, own_level, lang),
        },
        word: w::STORED.of(lang),
        full: own.full.clone(),
        stored: true,
    };
    let above = up.iter().map(|l| {
        let stored = l.state == "stored";
        Level {
            name: short_level(bare_name(&l.place.name), &l.level, lang),
            word: if stored { w::ARRIVED_THERE.of(lang) } else { w::WAITS.of(lang) },
            full: l.place.name.clone(),
            stored,
        }
    });
    std::iter::once(here).chain(above).collect()
}

/// `村`, `社区`, `镇`, `街道`, `区`: the last word of the name, as people here call the level.
fn short_level(name: &str, level: &str, lang: Lang) -> String {
    const ENDINGS: [&str; 10] = ["街道", "社区", "村", "镇", "乡", "区", "县", "旗", "市", "省"];
    if lang == Lang::Zh
        && let Some(ending) = ENDINGS.iter().find(|e| name.ends_with(**e))
    {
        return (*ending).to_owned();
    }
    let (zh, en) = match level {
        "village" => ("村", "village"),
        "township" => ("镇", "town"),
        "district" => ("区", "district"),
        "prefecture" => ("市", "prefecture"),
        "province" => ("省", "province"),
        "group" => ("组", "group"),
        _ => return name.to_owned(),
    };
    lang.of(zh, en).to_owned()
}

/// A place as people say it, with its full name for whoever points at it.
#[derive(Debug, Clone, Default)]
struct Place {
    name: String,
    full: String,
}

impl Place {
    fn of(place: &PlaceView) -> Self {
        Self { name: bare_name(&place.name).to_owned(), full: place.name.clone() }
    }

    /// Nothing where no place is known.
    fn of_known(place: Option<&PlaceView>) -> Self {
        place.map(Self::of).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_called_as_people_call_them() {
        for (name, level, zh, en) in [
            ("芦稿村", "village", "村", "village"),
            ("桂花社区", "village", "社区", "village"),
            ("城厢街道", "township", "街道", "town"),
            ("青白江区", "district", "区", "district"),
            ("某开发地", "township", "镇", "town"),
        ] {
            assert_eq!(short_level(name, level, Lang::Zh), zh);
            assert_eq!(short_level(name, level, Lang::En), en);
        }
    }

    #[test]
    fn the_language_is_carried_and_changed() {
        let uri: axum::http::Uri = "/?stage=closed&lang=en&q=a".parse().unwrap();
        assert_eq!(without_language(&uri), "/?stage=closed&q=a");
        assert_eq!(with_language("/?stage=closed&q=a", "zh"), "/?stage=closed&q=a&lang=zh");
        assert_eq!(with_language("/link", "en"), "/link?lang=en");
    }
}
