//! `GET /places`: the tree below with how each line stands; inviting a place, letting its standby take over, and
//! revoking it with the consequence in words first.
//!
//! A token is in one answer and nowhere else: the page that shows it is the answer to the press, to be printed or
//! copied there and then.

use super::{
    Page, Place, Visitor,
    forms::{self, Input, field_of},
    html, moments,
    qr::{self, Square},
    w::{self, inbox as wi},
};
use crate::{
    actions::{
        InviteRequest, RevokeRequest,
        views::{PlaceRow, RevokeView},
    },
    http::{
        House,
        body::{Filled, Query},
        caller::Caller,
        lang::Lang,
        once::{Done, Holds, Key, given_once},
        permit::Permit,
        problem::{Answer, Problem},
        secret,
    },
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};
use yishi_protocol::{ids::PlaceId, place::bare_name};

/// Deeper places are shown no further in.
const DEPTH_MAX: usize = 4;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// The place that is looked at closely.
    at: String,
    done: String,
}

#[derive(Template)]
#[template(path = "places.html")]
struct PlacesPage {
    page: Page,
    rows: Vec<Row>,
    done: Option<&'static str>,
    /// What somebody may do here; nothing for those who only look.
    desk: Option<Desk>,
    at: Option<At>,
}

struct Row {
    name: String,
    full: String,
    code: String,
    depth: usize,
    mark: &'static str,
    open: String,
    up: bool,
    line: String,
    waiting: String,
    revoked: bool,
    href: Option<String>,
}

struct Desk {
    action: String,
    form_token: String,
    once: String,
    trouble: Option<String>,
    inputs: Vec<Input>,
    open: bool,
}

/// One place below.
struct At {
    name: String,
    code: String,
    invite: String,
    revoke: String,
    form_token: String,
    once: String,
    activate: Vec<Input>,
    ending: Vec<Input>,
    trouble: Option<String>,
}

/// A form that was refused.
#[derive(Clone, Copy)]
struct Refused<'a> {
    filled: &'a Filled,
    problem: &'a Problem,
}

pub(super) async fn show(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Response {
    match &visitor.caller {
        Some(caller) if visitor.may_read() => listed(&house, &visitor, caller, &asked, None).await,
        _ => visitor.to_sign_in(),
    }
}

/// The address of a form that came back, opened again: the tree.
pub(super) async fn back(visitor: Visitor) -> Response {
    let to = "/places";
    visitor.to(to)
}

async fn listed(
    house: &House,
    visitor: &Visitor,
    caller: &Caller,
    asked: &Asked,
    refused: Option<Refused<'_>>,
) -> Response {
    match written(house, visitor, caller, asked, refused).await {
        Ok(page) => match refused {
            Some(refused) => (refused.problem.status(), html(&page)).into_response(),
            None => html(&page),
        },
        Err(problem) => visitor.trouble(house, &problem),
    }
}

async fn written(
    house: &House,
    visitor: &Visitor,
    caller: &Caller,
    asked: &Asked,
    refused: Option<Refused<'_>>,
) -> Answer<PlacesPage> {
    let page = visitor.page(house, "places");
    let lang = page.lang;
    let may = caller.may(Permit::Places);
    let places = house.actions.places().await.map_err(Problem::action)?;
    let lines = house.actions.lines().await.map_err(Problem::action)?;
    let waiting: BTreeMap<PlaceId, u64> = lines.down.iter().map(|l| (l.peer.id, l.waiting)).collect();
    let today = house.actions.today();
    let me = places.iter().find(|p| p.is_self).map(|p| p.place.id);
    let shown = tree(&places);
    let own_depth = shown.iter().find(|(_, p)| p.is_self).map_or(0, |(depth, _)| *depth);
    let rows =
        shown.into_iter().map(|(depth, p)| row(p, depth, may && depth > own_depth, &waiting, &page, today));
    let rows: Vec<Row> = rows.collect();
    let at = places.iter().find(|p| may && Some(p.place.id) != me && p.place.code == asked.at && !p.revoked);
    let about = refused.filter(|r| !r.filled.get("place").is_empty());
    let at = at.map(|p| looked_at(p, caller, &page, about));
    let desk = may
        .then(|| desk(caller, &page, refused.filter(|r| r.filled.get("place").is_empty()), rows.len() < 2));
    Ok(PlacesPage { rows, done: (asked.done == "revoked").then(|| wi::REVOKED_NOW.of(lang)), desk, at, page })
}

/// Parents before children, each with how deep it stands.
fn tree(places: &[PlaceRow]) -> Vec<(usize, &PlaceRow)> {
    let known = |id: &PlaceId| places.iter().any(|p| p.place.id == *id);
    let mut out = Vec::with_capacity(places.len());
    let mut todo: Vec<(usize, &PlaceRow)> =
        places.iter().rev().filter(|p| p.parent.is_none_or(|up| !known(&up))).map(|p| (0, p)).collect();
    while let Some((depth, place)) = todo.pop() {
        out.push((depth, place));
        // A place above this one has other children, which are not listed.
        let children = places.iter().rev().filter(|p| p.parent == Some(place.place.id));
        todo.extend(children.map(|p| (depth + 1, p)));
    }
    out
}

fn row(
    p: &PlaceRow,
    depth: usize,
    may: bool,
    waiting: &BTreeMap<PlaceId, u64>,
    page: &Page,
    today: i64,
) -> Row {
    let (lang, place) = (page.lang, Place::of(&p.place));
    let link = p.link.as_ref();
    let up = link.is_some_and(|l| l.state == "up");
    let line = match (link, link.and_then(|l| l.last_contact.as_deref())) {
        _ if p.is_self => String::new(),
        (None, _) => wi::PLACES_BY_OTHERS.of(lang).to_owned(),
        (Some(_), _) if up => wi::LINE_UP.of(lang).to_owned(),
        (Some(_), Some(at)) => {
            let at = moments::instant(at, today, lang);
            match lang {
                Lang::Zh => format!("没有连着，上次 {at}"),
                Lang::En => format!("not connected, last {at}"),
            }
        }
        (Some(_), None) => wi::LINE_NEVER.of(lang).to_owned(),
    };
    Row {
        name: place.name,
        full: place.full,
        code: p.place.code.clone(),
        depth: depth.min(DEPTH_MAX),
        mark: match (p.is_self, p.revoked) {
            (true, _) => wi::PLACES_OWN.of(lang),
            (_, true) => wi::PLACES_REVOKED.of(lang),
            _ => "",
        },
        open: p.open_matters.to_string(),
        up,
        line,
        waiting: waiting.get(&p.place.id).filter(|n| **n > 0).map(ToString::to_string).unwrap_or_default(),
        revoked: p.revoked,
        href: (may && !p.revoked).then(|| page.href(&format!("/places?at={}", p.place.code))),
    }
}

fn desk(caller: &Caller, page: &Page, refused: Option<Refused<'_>>, alone: bool) -> Desk {
    let lang = page.lang;
    let label = |word: w::Word| word.of(lang);
    let level = |code: &str, zh: &str, en: &str| (code.to_owned(), lang.of(zh, en).to_owned());
    let levels = [
        level("", wi::INVITE_LEVEL_HINT.0, wi::INVITE_LEVEL_HINT.1),
        level("village", "村（社区）", "village"),
        level("township", "乡镇（街道）", "township"),
        level("district", "区县", "district"),
    ];
    let mut hours = Input::new("number", "expires_hours", label(wi::INVITE_HOURS));
    "72".clone_into(&mut hours.value);
    let inputs = vec![
        Input::new("number", "code", label(wi::INVITE_CODE)).must(true),
        Input::new("line", "name", label(wi::INVITE_NAME)).hint(label(wi::INVITE_NAME_HINT)),
        Input::choice("level", label(wi::INVITE_LEVEL), levels),
        Input::new("line", "address", label(wi::INVITE_ADDRESS)).hint(label(wi::INVITE_ADDRESS_HINT)),
        hours,
        Input::new("check", "replace", label(wi::INVITE_REPLACE)),
        Input::new("check", "here", label(wi::INVITE_HERE)),
    ];
    let wrong = refused.and_then(|r| field_of(r.problem));
    let typed = |i: Input| match refused {
        Some(r) => i.typed(Some(r.filled), wrong.as_deref()),
        None => i,
    };
    Desk {
        action: page.href("/places/invite"),
        form_token: caller.form_token(),
        once: kept_key(refused),
        trouble: refused.map(|r| words(r.problem, lang)),
        inputs: inputs.into_iter().map(typed).collect(),
        open: refused.is_some() || alone,
    }
}

/// A refused form keeps its key: nothing was done under it.
fn kept_key(refused: Option<Refused<'_>>) -> String {
    let kept = refused.filter(|r| r.problem.code() != "key_reused").map(|r| r.filled.get("once").to_owned());
    kept.filter(|k| !k.is_empty()).unwrap_or_else(secret::fresh)
}

/// A problem with the fields called as this page calls them.
fn words(problem: &Problem, lang: Lang) -> String {
    match problem.code() {
        "shown_once" => return wi::TOKEN_GONE.of(lang).to_owned(),
        "unknown_code" => return wi::INVITE_UNKNOWN.of(lang).to_owned(),
        _ => {}
    }
    let mut words = problem.words(lang).to_owned();
    let called = [
        ("address", wi::INVITE_ADDRESS),
        ("expires_hours", wi::INVITE_HOURS),
        ("code", wi::INVITE_CODE),
        ("reason", wi::REVOKE_WHY),
        ("since", wi::REVOKE_SINCE),
    ];
    for (name, word) in called {
        for (open, close) in [("“", "”"), ("「", "」"), ("`", "`")] {
            words = words.replace(&format!("{open}{name}{close}"), &format!("“{}”", word.of(lang)));
        }
    }
    words
}

fn looked_at(p: &PlaceRow, caller: &Caller, page: &Page, refused: Option<Refused<'_>>) -> At {
    let lang = page.lang;
    let wrong = refused.and_then(|r| field_of(r.problem));
    let typed = |i: Input| match refused {
        Some(r) => i.typed(Some(r.filled), wrong.as_deref()),
        None => i,
    };
    let activate = vec![
        Input::new("line", "address", wi::INVITE_ADDRESS.of(lang)).hint(wi::INVITE_ADDRESS_HINT.of(lang)),
    ];
    let ending = vec![
        Input::new("line", "reason", wi::REVOKE_WHY.of(lang)).must(true).hint(wi::REVOKE_WHY_HINT.of(lang)),
        Input::new("line", "since", wi::REVOKE_SINCE.of(lang)).hint(wi::REVOKE_SINCE_HINT.of(lang)),
        Input::new("check", "all_keys", wi::REVOKE_ALL.of(lang)),
    ];
    At {
        name: bare_name(&p.place.name).to_owned(),
        code: p.place.code.clone(),
        invite: page.href("/places/invite"),
        revoke: page.href("/places/revoke"),
        form_token: caller.form_token(),
        once: kept_key(refused),
        activate: activate.into_iter().map(typed).collect(),
        ending: ending.into_iter().map(typed).collect(),
        trouble: refused.map(|r| words(r.problem, lang)),
    }
}

#[derive(Template)]
#[template(path = "place_token.html")]
struct TokenPage {
    page: Page,
    name: String,
    code: String,
    token: String,
    takeover: bool,
    until: String,
    square: Option<Square>,
    back: String,
}

fn typed(filled: &Filled, name: &str) -> Option<String> {
    Some(filled.get(name).trim().to_owned()).filter(|t| !t.is_empty())
}

pub(super) async fn invite(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    headers: HeaderMap,
    filled: Result<Filled, Problem>,
) -> Response {
    let (caller, filled) = match visitor.admit(&house, &headers, filled, Permit::Places) {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    match invited(&house, caller, &filled).await {
        Ok(made) => {
            let page = visitor.page(&house, "places");
            let text = |name: &str| made.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
            let place = |name: &str| {
                made.get("place").and_then(|p| p.get(name)).and_then(Value::as_str).unwrap_or("").to_owned()
            };
            let token = text("token");
            html(&TokenPage {
                name: bare_name(&place("name")).to_owned(),
                code: place("code"),
                square: qr::square(&token),
                token,
                takeover: !filled.get("takeover").is_empty(),
                until: moments::instant(&text("expires_at"), house.actions.today(), page.lang),
                back: page.href("/places"),
                page,
            })
        }
        Err(problem) => {
            let asked = Asked { at: filled.get("place").to_owned(), ..Asked::default() };
            let refused = Refused { filled: &filled, problem: &problem };
            listed(&house, &visitor, caller, &asked, Some(refused)).await
        }
    }
}

async fn invited(house: &Arc<House>, caller: &Caller, filled: &Filled) -> Answer<Value> {
    let hours = match typed(filled, "expires_hours") {
        None => None,
        Some(said) => match forms::number(&said).and_then(|n| u32::try_from(n).ok()) {
            Some(n) => Some(n),
            None => return Err(forms::wrong("expires_hours", "要写数字", "wants a number")),
        },
    };
    let request = InviteRequest {
        code: filled.get("code").chars().filter(|c| !c.is_whitespace()).collect(),
        name: typed(filled, "name"),
        level: typed(filled, "level"),
        expires_hours: hours,
        address: typed(filled, "address"),
        replace: filled.get("replace") == "yes",
        takeover: filled.get("takeover") == "yes",
        here: filled.get("here") == "yes",
    };
    let hash = secret::hash(format!("{request:?}").as_bytes());
    let key = Key::of_form("/places/invite", filled.get("once"));
    let actions = house.actions.clone();
    let given = given_once(house, caller, key, hash, Holds::Secret, async move {
        let made = actions.invite(request).await.map_err(Problem::action)?;
        let body = serde_json::to_value(&made).map_err(Problem::fault)?;
        Ok(Done { status: StatusCode::CREATED, body })
    })
    .await?;
    serde_json::from_str(&given.text).map_err(Problem::fault)
}

#[derive(Template)]
#[template(path = "place_revoke.html")]
struct RevokePage {
    page: Page,
    name: String,
    consequences: Vec<String>,
    uncounted: Vec<(String, String, String)>,
    action: String,
    form_token: String,
    once: String,
    hidden: Vec<(&'static str, String)>,
    back: String,
}

pub(super) async fn revoke(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    headers: HeaderMap,
    filled: Result<Filled, Problem>,
) -> Response {
    let (caller, filled) = match visitor.admit(&house, &headers, filled, Permit::Places) {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    let place = filled.get("place").to_owned();
    // Only the second press, under the consequences in words, does it.
    let preview = filled.get("step") != "do";
    match revoked(&house, caller, &filled, preview).await {
        Ok(None) => {
            let to = "/places?done=revoked";
            visitor.to(to)
        }
        Ok(Some(view)) => {
            let page = visitor.page(&house, "places");
            let hidden = ["place", "reason", "since", "all_keys"];
            html(&RevokePage {
                name: bare_name(&view.place.name).to_owned(),
                consequences: consequences(&view, house.actions.today(), page.lang),
                uncounted: view
                    .uncounted
                    .iter()
                    .map(|u| {
                        let id = u.document.to_string();
                        let short = || id.chars().take(8).collect();
                        let title = u.title.clone().unwrap_or_default();
                        (page.href(&format!("/m/{id}")), u.number.clone().unwrap_or_else(short), title)
                    })
                    .collect(),
                action: page.href("/places/revoke"),
                form_token: caller.form_token(),
                once: kept_or_fresh(&filled),
                hidden: hidden.into_iter().map(|n| (n, filled.get(n).to_owned())).collect(),
                back: page.href(&format!("/places?at={}", super::escaped(&place))),
                page,
            })
        }
        Err(problem) => {
            let asked = Asked { at: place, ..Asked::default() };
            let refused = Refused { filled: &filled, problem: &problem };
            listed(&house, &visitor, caller, &asked, Some(refused)).await
        }
    }
}

fn kept_or_fresh(filled: &Filled) -> String {
    typed(filled, "once").unwrap_or_else(secret::fresh)
}

/// What would happen; nothing once it has.
async fn revoked(
    house: &Arc<House>,
    caller: &Caller,
    filled: &Filled,
    preview: bool,
) -> Answer<Option<RevokeView>> {
    let request = RevokeRequest {
        reason: filled.get("reason").to_owned(),
        since: typed(filled, "since"),
        all_keys: filled.get("all_keys") == "yes",
        preview,
    };
    let place = filled.get("place").to_owned();
    let actions = house.actions.clone();
    if preview {
        return actions.revoke(&place, request).await.map(Some).map_err(Problem::action);
    }
    let hash = secret::hash(format!("{place}\n{request:?}").as_bytes());
    let key = Key::of_form("/places/revoke", filled.get("once"));
    given_once(house, caller, key, hash, Holds::NoSecret, async move {
        let view = actions.revoke(&place, request).await.map_err(Problem::action)?;
        Ok(Done { status: StatusCode::OK, body: serde_json::to_value(&view).map_err(Problem::fault)? })
    })
    .await
    .map(|_| None)
}

/// The consequences, each in a sentence.
fn consequences(view: &RevokeView, today: i64, lang: Lang) -> Vec<String> {
    let name = bare_name(&view.place.name);
    let mut said = Vec::new();
    said.push(match (view.link_closed, lang) {
        (true, Lang::Zh) => format!("{name}的连接马上断开，此后它写的内容这里不再收。"),
        (true, Lang::En) => {
            format!("{name} is disconnected at once; what it writes from then on is not taken here.")
        }
        (false, Lang::Zh) => format!("此后旧钥匙写的内容不再收；{name}换上的新钥匙照常使用。"),
        (false, Lang::En) => {
            format!("What the old key writes is not taken any more; the newer key of {name} goes on.")
        }
    });
    if let Some(since) = view.counted_until.as_deref() {
        let at = moments::instant(since, today, lang);
        let (changes, matters) = (view.uncounted_changes, view.uncounted_documents);
        said.push(match lang {
            Lang::Zh => format!("{at}以前收下的照旧算数；以后收下的 {matters} 件里有 {changes} 处不算数，仍然保留。"),
            Lang::En => format!("What was stored before {at} counts; {changes} changes in {matters} documents after that do not, and are kept."),
        });
    } else {
        said.push(lang.of("已经收下的全部算数。", "Everything stored so far counts.").to_owned());
    }
    if !view.places_not_vouched_for.is_empty() {
        let names: Vec<&str> = view.places_not_vouched_for.iter().map(|p| bare_name(&p.name)).collect();
        said.push(match lang {
            Lang::Zh => format!("由它在那以后发证的单位一同失效：{}。", names.join("、")),
            Lang::En => format!("Places it certified after that end with it: {}.", names.join(", ")),
        });
    }
    said.push(wi::REVOKE_KEPT.of(lang).to_owned());
    said
}
