//! `GET /new`, `POST /new`: registering a matter on one screen; `GET /m/{ref}/receipt`: what the visitor takes home.
//!
//! Only what was said is compulsory. Sending the same form twice makes one matter: the form's address carries a
//! key (`/new?k=KEY`), so that Back leads to the very form that was sent, and a second sending gets the first
//! one's answer. What a petitioner is called stands in no page but the form
//! it was just typed into.

use super::{
    Page, Place, Visitor, escaped,
    forms::{self, CATEGORIES, CHANNELS, Input, SOURCES, field_of, fixed_choices, label},
    html, moments, photos,
    qr::{self, Square},
    similar::{self, Alike},
    w,
};
use crate::{
    actions::RaiseRequest,
    http::{
        House,
        body::{Filled, Query},
        caller::Caller,
        once::{Done, Given, Holds, Key, given_once},
        permit::Permit,
        problem::{Answer, Problem},
        secret,
        server::Door,
        upload::{NotKept, PhotoForm},
    },
};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{future::Future, sync::Arc, time::Duration};

/// How long the second of two sendings waits for the first one's answer.
const WAIT_STEP: Duration = Duration::from_millis(100);
const WAIT_STEPS: u32 = 100;

#[derive(Template)]
#[template(path = "new.html")]
struct NewPage {
    page: Page,
    form_token: String,
    once: String,
    action: String,
    /// The receipt, if this very form was registered before.
    before: Option<String>,
    trouble: Option<String>,
    said: Input,
    more: Vec<Input>,
    more_open: bool,
    settle: Option<Input>,
    told: Input,
    settle_open: bool,
    photo: photos::Field,
    /// Photos that were not taken, each with why.
    not_kept: Vec<String>,
}

/// The form's key.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    k: String,
}

pub(super) async fn show(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Response {
    let Some(caller) = &visitor.caller else { return visitor.to_sign_in() };
    if let Err(problem) = caller.must(Permit::Report) {
        return visitor.trouble(&house, &problem);
    }
    let key = asked.k.as_str();
    if !secret::is_fresh(key) {
        let to = address(&secret::fresh());
        return visitor.to(&to);
    }
    let before = match house.accounts().given_before(&caller.person, key).await {
        Ok(before) => before.map(|given| receipt_of(&given.body).unwrap_or_else(|| "/matters".to_owned())),
        Err(problem) => return visitor.trouble(&house, &problem),
    };
    let form = page(&house, &visitor, caller, Sent { key, before, ..Sent::default() });
    // Going back leads to this very page and not to a new one that looks the same.
    ([(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))], form).into_response()
}

/// A form's address.
fn address(key: &str) -> String {
    format!("/new?k={key}")
}

/// Where the receipt is that an answer kept for repetition speaks of.
fn receipt_of(answer: &[u8]) -> Option<String> {
    let raised: Value = serde_json::from_slice(answer).ok()?;
    Some(format!("/m/{}/receipt", raised.get("id")?.as_str()?))
}

/// What is known of a form that is shown.
#[derive(Default)]
struct Sent<'a> {
    key: &'a str,
    before: Option<String>,
    typed: Option<&'a Filled>,
    problem: Option<&'a Problem>,
    not_kept: &'a [NotKept],
}

/// The form; with what was typed and what was wrong with it, if it was sent before.
fn page(house: &House, visitor: &Visitor, caller: &Caller, sent: Sent<'_>) -> Response {
    let Sent { key, before, typed, problem, not_kept } = sent;
    // What is typed goes along into the other language.
    let shown = Page { carries: true, ..visitor.page(house, "new") };
    let lang = shown.lang;
    let wrong = problem.and_then(field_of);
    let wrong = wrong.as_deref();
    let fill = |input: Input| input.typed(typed, wrong);
    let mut said = fill(Input::new("area", "body", w::NEW_SAID.of(lang)).must(true));
    said.hint = w::NEW_SAID_HINT.of(lang).to_owned();
    said.focus |= wrong.is_none();
    let named = |name: &str| label("register", name, lang);
    // The first is what is recorded when nothing else is chosen.
    let words = |names: &[&'static str]| fixed_choices(names.iter().copied(), lang).collect::<Vec<_>>();
    let kinds = [
        ("", w::CHOOSE_NONE),
        ("named", w::PETITIONER_NAMED),
        ("anonymous", w::PETITIONER_ANONYMOUS),
        ("proxy", w::PETITIONER_PROXY),
    ];
    let kinds = kinds.map(|(code, word)| (code.to_owned(), word.of(lang).to_owned()));
    let scheme = house.actions.categories();
    let category = match scheme.is_empty() {
        true => {
            let mut category = Input::new("line", "category", w::CATEGORY.of(lang));
            category.known = CATEGORIES.iter().map(|&c| c.to_owned()).collect();
            category
        }
        // A scheme is chosen from; what is left open is “others”.
        false => {
            let none = (String::new(), w::CHOOSE_NONE.of(lang).to_owned());
            let known = scheme.into_iter().map(|c| (c.id, lang.of(&c.title.zh, &c.title.en).to_owned()));
            Input::choice("category", w::CATEGORY.of(lang), std::iter::once(none).chain(known))
        }
    };
    let more: Vec<Input> = [
        Input::new("line", "title", w::TITLE.of(lang)).hint(w::TITLE_HINT.of(lang)),
        Input::choice("source", w::SOURCE.of(lang), words(SOURCES)),
        Input::choice("channel", w::CHANNEL.of(lang), words(CHANNELS)),
        category,
        Input::new("day", "raised_on", named("raised_on")),
        Input::choice("petitioner.kind", w::PETITIONER_KIND.of(lang), kinds),
        Input::new("line", "petitioner.name", w::PETITIONER_NAME.of(lang)),
        Input::new("line", "petitioner.phone", w::PETITIONER_PHONE.of(lang)),
        Input::new("line", "petitioner.address", w::PETITIONER_ADDRESS.of(lang))
            .hint(w::PETITIONER_HINT.of(lang)),
    ]
    .into_iter()
    .map(fill)
    .collect();
    let settle = caller.may(Permit::Handle).then(|| {
        let input = Input::new("area", "settle", w::NEW_SETTLE_LABEL.of(lang));
        fill(input.hint(w::NEW_SETTLE_HINT.of(lang)))
    });
    // A second matter under the key of the first would be taken for the first.
    let fresh = problem.is_some_and(|p| p.code() == "key_reused");
    let kept = typed.map_or(key, |t| t.get("once"));
    let once = if fresh || kept.is_empty() { secret::fresh() } else { kept.to_owned() };
    let mut told = Input::new("check", "told", w::NEW_TOLD.of(lang)).hint(w::NEW_TOLD_HINT.of(lang));
    told.value = "yes".to_owned();
    let told = fill(told);
    let trouble = problem.map(|p| match fresh {
        true => w::REGISTERED_ONCE.of(lang).to_owned(),
        false => forms::plain(p, "register", lang),
    });
    let unusual = |i: &Input| !i.value.is_empty() && i.choices.first().is_none_or(|c| c.value != i.value);
    let filled = |inputs: &[Input]| inputs.iter().any(|i| i.wrong || unusual(i));
    html(&NewPage {
        form_token: caller.form_token(),
        action: shown.href(&address(&once)),
        once,
        before: before.map(|at| shown.href(&at)),
        trouble,
        more_open: filled(&more),
        settle_open: settle.as_ref().is_some_and(|s| filled(std::slice::from_ref(s))),
        said,
        more,
        settle,
        told,
        photo: photos::Field::of(typed, true),
        not_kept: photos::not_kept(not_kept, lang),
        page: shown,
    })
}

pub(super) async fn register(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    headers: HeaderMap,
    sent: Result<PhotoForm, Problem>,
) -> Response {
    let (filled, not_kept) = match sent {
        Ok(PhotoForm { filled, not_kept }) => (filled, not_kept),
        Err(problem) => (Err(problem), Vec::new()),
    };
    let (caller, filled) = match visitor.admit(&house, &headers, filled, Permit::Report) {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    if filled.get("look") == "yes" {
        return page(&house, &visitor, caller, Sent { typed: Some(&filled), ..Sent::default() });
    }
    if !not_kept.is_empty() {
        let sent = Sent { typed: Some(&filled), not_kept: &not_kept, ..Sent::default() };
        return (StatusCode::UNPROCESSABLE_ENTITY, page(&house, &visitor, caller, sent)).into_response();
    }
    match registered(&house, caller, &filled).await {
        Ok(to) => visitor.to(&to),
        Err(problem) => {
            let sent = Sent { typed: Some(&filled), problem: Some(&problem), ..Sent::default() };
            let shown = page(&house, &visitor, caller, sent);
            (problem.status(), shown).into_response()
        }
    }
}

/// Registers; gives the receipt's address.
async fn registered(house: &Arc<House>, caller: &Caller, filled: &Filled) -> Answer<String> {
    let typed = |name: &str| Some(filled.get(name).trim()).filter(|v| !v.is_empty()).map(Value::from);
    let mut asked = Map::new();
    asked.insert("body".into(), filled.get("body").into());
    for name in ["title", "category", "source", "channel", "settle"] {
        typed(name).map(|v| asked.insert(name.into(), v));
    }
    if let Some(day) = typed("raised_on") {
        asked.insert("raised_on".into(), forms_day("raised_on", &day)?);
    }
    let mut petitioner = Map::new();
    for name in ["kind", "name", "phone", "address"] {
        typed(&format!("petitioner.{name}")).map(|v| petitioner.insert(name.into(), v));
    }
    if !petitioner.is_empty() {
        asked.insert("petitioner".into(), petitioner.into());
    }
    if asked.contains_key("settle") {
        caller.must(Permit::Handle)?;
        asked.insert("told".into(), (filled.get("told") == "yes").into());
    }
    let files = photos::asked(filled)?;
    if !files.is_empty() {
        let named = files.into_iter().map(|file| serde_json::json!({ "file": file }));
        asked.insert("attachments".into(), named.collect());
    }
    let asked = Value::Object(asked);
    let hash = secret::hash(asked.to_string().as_bytes());
    let given = sent_once(house, caller, "/new", filled, hash, || {
        let (actions, by, asked) = (house.actions.clone(), caller.person.clone(), asked.clone());
        async move {
            let request: RaiseRequest = serde_json::from_value(asked).map_err(Problem::wrong_shape)?;
            let raised = actions.raise(Some(&by), request).await.map_err(Problem::action)?;
            let body = serde_json::to_value(&raised).map_err(Problem::fault)?;
            Ok(Done { status: StatusCode::CREATED, body })
        }
    })
    .await?;
    let raised: Value = serde_json::from_str(&given.text).map_err(Problem::fault)?;
    let id = raised.get("id").and_then(Value::as_str).ok_or_else(|| Problem::fault("no id"))?;
    let moved = raised.get("warnings").is_some_and(|w| w.to_string().contains("moved_to_sealed"));
    Ok(format!("/m/{id}/receipt?new={}", if moved { "moved" } else { "yes" }))
}

/// A day as the actions read it.
pub(super) fn forms_day(field: &str, typed: &Value) -> Answer<Value> {
    let day = typed
        .as_str()
        .and_then(|d| d.trim().replace(['/', '.'], "-").parse::<yishi_protocol::calendar::Date>().ok());
    day.map(|d| d.to_string().into())
        .ok_or_else(|| forms::wrong(field, "请写成 2026-11-22 这样的日期", "wants a day such as 2026-11-22"))
}

/// Carries a form out once. The second of two quick sendings waits for the first one's answer: its sender sees
/// what came of it, not that it was under way.
pub(super) async fn sent_once<F, W>(
    house: &Arc<House>,
    caller: &Caller,
    address: &str,
    filled: &Filled,
    hash: [u8; 32],
    work: W,
) -> Answer<Given>
where
    F: Future<Output = Answer<Done>> + Send + 'static,
    W: Fn() -> F,
{
    let mut step = 0;
    loop {
        let key = Key::of_form(address, filled.get("once"));
        let given = given_once(house, caller, key, hash, Holds::NoSecret, work()).await;
        match given {
            Err(problem) if problem.code() == "under_way" && step < WAIT_STEPS => {
                step += 1;
                tokio::time::sleep(WAIT_STEP).await;
            }
            given => return given,
        }
    }
}

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage {
    page: Page,
    done: Option<&'static str>,
    moved: bool,
    settled: bool,
    alike: Vec<Alike>,
    number: String,
    check_code: String,
    said: String,
    on: String,
    answer: String,
    home: Place,
    look_up: String,
    square: Option<Square>,
    href: String,
}

/// What brought somebody to the receipt.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Came {
    new: String,
}

pub(super) async fn receipt(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(reference): Path<String>,
    headers: HeaderMap,
    Query(came): Query<Came>,
) -> Response {
    if !visitor.may_read() {
        return visitor.to_sign_in();
    }
    let page = visitor.page(&house, "receipt");
    let matter = match house.actions.matter(&reference).await.map_err(Problem::action) {
        Ok(matter) => matter,
        Err(problem) => return visitor.trouble(&house, &problem),
    };
    let m = matter.summary;
    let alike = match came.new.is_empty() || m.stage == "closed" {
        true => Vec::new(),
        false => similar::on_receipt(&house, &page, &m).await,
    };
    let address = shown_at(&headers, visitor.door);
    let (number, code) = (m.number, m.check_code);
    let square = qr::square(&match &address {
        Some(at) => format!("{at}/q?n={}&c={code}", escaped(&number)),
        None => format!("{number} {code}"),
    });
    html(&ReceiptPage {
        done: (!came.new.is_empty()).then(|| w::RECEIPT_DONE.of(page.lang)),
        moved: came.new == "moved",
        settled: m.stage == "closed",
        alike,
        on: moments::day_seen(&m.raised_on, house.actions.today(), page.lang),
        answer: matter.answers.last().map(|a| a.text.clone()).unwrap_or_default(),
        home: Place::of(&m.home),
        look_up: address.map_or_else(|| "/q".to_owned(), |at| format!("{at}/q")),
        href: page.href(&format!("/m/{}", m.id)),
        said: matter.body,
        number,
        check_code: code,
        square,
        page,
    })
}

/// The address this page was reached at; `None` where it means this machine only.
pub(super) fn shown_at(headers: &HeaderMap, door: Option<Door>) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let here_only = name == "localhost" || name.starts_with("127.") || name == "[::1]";
    if host.is_empty() || host.len() > 80 || here_only || !host.chars().all(plain) {
        return None;
    }
    Some(format!("{}://{host}", if door == Some(Door::Tls) { "https" } else { "http" }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::lang::Lang;

    #[test]
    fn an_address_that_means_this_machine_is_not_printed() {
        let at = |host: &str, door| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            shown_at(&headers, Some(door))
        };
        assert_eq!(at("cun.local:8443", Door::Tls).as_deref(), Some("https://cun.local:8443"));
        assert_eq!(at("10.0.0.2", Door::Plain { loopback: false }).as_deref(), Some("http://10.0.0.2"));
        for host in ["localhost:8080", "127.0.0.1:80", "[::1]:80", "a/b", "a\"b"] {
            assert_eq!(at(host, Door::Tls), None, "{host}");
        }
        assert_eq!(forms_day("on", &"2026/11/22".into()).unwrap(), "2026-11-22");
        assert_eq!(forms_day("on", &"昨天".into()).unwrap_err().code(), "invalid");
        assert!(
            forms::plain(&forms_day("raised_on", &"x".into()).unwrap_err(), "", Lang::Zh)
                .contains("“反映日期”请写成")
        );
    }
}
