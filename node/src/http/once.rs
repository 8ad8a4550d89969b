//! `Idempotency-Key`: a request sent again is answered again, not done again.
//!
//! That a request was carried out is stored in the transaction that did it ([`crate::store::within`]); the
//! answer is kept right after. The work runs in a task of its own: a client that hangs up in the middle
//! cannot leave work done whose answer was never kept. After a power cut between the two a repeated request
//! is not carried out again either: it is answered with the matter as it stands now, marked `answer_lost`.
//! A phone's keys (`phone-…`) are known for a year: see [`PHONE_KEY`].
//! An import is simply repeated: it is idempotent by its rows' numbers.
//! Failures are not kept, so that a request can be repeated once their cause is gone. Secrets shown once are
//! not kept either: the repetition is told so.

use super::{
    House,
    caller::Caller,
    limits,
    problem::{Answer, Problem},
    secret,
};
use crate::store::{DONE_WITHOUT_ANSWER, GivenAnswer, PHONE_KEY, Request, Store, within};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

/// Requests with a key that are under way.
#[derive(Debug, Default)]
pub(super) struct UnderWay(Mutex<BTreeSet<(String, String)>>);

struct Entered {
    house: Arc<House>,
    key: (String, String),
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.house.under_way.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// The key of a request and what the request was, apart from its body.
#[derive(Debug, Clone)]
pub(super) struct Key {
    key: Option<String>,
    place: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let place = format!("{} {}", parts.method, parts.uri);
        let Some(stated) = parts.headers.get("idempotency-key") else {
            return Ok(Self { key: None, place });
        };
        let key = stated.to_str().ok().map(str::trim).filter(|k| !k.is_empty());
        match key {
            Some(k) if k.len() <= limits::IDEMPOTENCY_KEY_BYTES_MAX => {
                Ok(Self { key: Some(k.to_owned()), place })
            }
            _ => Err(Problem::unreadable("Idempotency-Key: 1–128 ASCII characters")),
        }
    }
}

impl Key {
    /// The key a page's form carries in a hidden field; a form without one is simply carried out.
    pub(super) fn of_form(address: &str, stated: &str) -> Self {
        let fits = (1..=limits::IDEMPOTENCY_KEY_BYTES_MAX).contains(&stated.len()) && stated.is_ascii();
        Self { key: fits.then(|| stated.to_owned()), place: format!("POST {address}") }
    }
}

/// A success: status, body, and warnings for the `Warning` header.
#[derive(Debug)]
pub(super) struct Done {
    /// The status.
    pub(super) status: StatusCode,
    /// The body.
    pub(super) body: Value,
}

/// Whether the answer holds a secret that is shown once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Nothing that may not be kept.
    NoSecret,
    /// Nothing that may not be kept, and doing it again does nothing twice.
    Repeatable,
    /// A secret; the answer is not kept.
    Secret,
}

/// What was answered, now or the first time.
#[derive(Debug)]
pub(super) struct Given {
    status: StatusCode,
    /// JSON.
    pub(super) text: String,
    repeated: bool,
}

/// Does `work` once for this caller, key and request.
pub(super) async fn once<F>(
    house: &Arc<House>,
    caller: &Caller,
    key: Key,
    body_hash: [u8; 32],
    holds: Holds,
    work: F,
) -> Answer<Response>
where
    F: Future<Output = Answer<Done>> + Send + 'static,
{
    let given = given_once(house, caller, key, body_hash, holds, work).await?;
    Ok(response(given.status, given.text, given.repeated))
}

/// The same for whoever makes a page of the answer.
pub(super) async fn given_once<F>(
    house: &Arc<House>,
    caller: &Caller,
    key: Key,
    body_hash: [u8; 32],
    holds: Holds,
    work: F,
) -> Answer<Given>
where
    F: Future<Output = Answer<Done>> + Send + 'static,
{
    let Some(name) = key.key else {
        let done = detached(work).await?;
        return Ok(Given { status: done.status, text: done.body.to_string(), repeated: false });
    };
    let request = secret::hash(format!("{}\n{}", key.place, secret::hex(&body_hash)).as_bytes());
    let entered = enter(house, (caller.person.clone(), name.clone()))?;
    if let Some(before) = house.accounts().given_before(&caller.person, &name).await? {
        return if before.status == DONE_WITHOUT_ANSWER && before.request == request && holds != Holds::Secret
        {
            lost(house, &before).await
        } else {
            repeat(before, request)
        };
    }
    let house = Arc::clone(house);
    let who = caller.person.clone();
    detached(async move {
        let done = if holds == Holds::Repeatable {
            work.await?
        } else {
            let now_ms = house.actions.now_ms();
            let asked = Request { who: who.clone(), key: name.clone(), request, now_ms };
            within(asked, work).await?
        };
        let text = done.body.to_string();
        let status = done.status;
        let body = match holds {
            Holds::Secret => Vec::new(),
            _ if name.starts_with(PHONE_KEY) => brief(&done.body).to_string().into_bytes(),
            _ => text.clone().into_bytes(),
        };
        let kept = GivenAnswer { request, status: status.as_u16(), body };
        let keeping = house.accounts().keep_answer(who, name, kept).await;
        drop(entered);
        if let Err(e) = keeping {
            // The work is done and durable; refusing now would make the caller do it again.
            tracing::warn!(error = ?e, "an answer could not be kept for repetition");
        }
        Ok(Given { status, text, repeated: false })
    })
    .await
}

/// What a phone is told again, weeks later: enough to strike the matter off its list. Kept for so long, a whole
/// matter would be too much.
fn brief(body: &Value) -> Value {
    let told = ["id", "number", "check_code", "act", "hash"];
    match body.as_object() {
        Some(fields) => fields
            .iter()
            .filter(|(name, _)| told.contains(&name.as_str()))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect(),
        None => body.clone(),
    }
}

/// Runs to its end whether or not the client waits.
async fn detached<T: Send + 'static>(work: impl Future<Output = Answer<T>> + Send + 'static) -> Answer<T> {
    tokio::spawn(work).await.map_err(Problem::fault)?
}

fn enter(house: &Arc<House>, key: (String, String)) -> Answer<Entered> {
    let fresh = house.under_way.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
    if fresh {
        return Ok(Entered { house: Arc::clone(house), key });
    }
    Err(Problem::new(
        StatusCode::CONFLICT,
        "under_way",
        "The same request is under way",
        "The same request is still being carried out. Nothing was done twice; ask again in a moment for its answer.",
        "同一个请求正在办理，没有重复执行。请稍候再取结果。",
    )
    .retry_after(1))
}

/// The answer to a request that was carried out and whose own answer was lost: the matter as it stands.
async fn lost(house: &Arc<House>, before: &GivenAnswer) -> Answer<Given> {
    for doc in Store::noted_docs(&before.body) {
        let Ok(matter) = house.actions.matter(&doc.to_string()).await else { continue };
        // In the form of a registration and in that of a step.
        let mut body = serde_json::to_value(&matter).map_err(Problem::fault)?;
        if let Some(fields) = body.as_object_mut() {
            let whole = Value::Object(fields.clone());
            fields.insert("matter".into(), whole);
            fields.insert("answer_lost".into(), Value::Bool(true));
        }
        return Ok(Given { status: StatusCode::OK, text: body.to_string(), repeated: true });
    }
    Err(Problem::new(
        StatusCode::CONFLICT,
        "done_before",
        "Done before; its answer was lost",
        "This request was carried out before, and the machine stopped before its answer was kept. Nothing was done twice; look at what it was about.",
        "这个请求此前已经办好，机器在留存回复之前停了。没有重复执行，请直接查看结果。",
    ))
}

fn repeat(before: GivenAnswer, request: [u8; 32]) -> Answer<Given> {
    if before.request != request {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "key_reused",
            "Idempotency-Key used for another request",
            "This Idempotency-Key was used before for another request. Nothing was done; send this one with a key of its own.",
            "这个 Idempotency-Key 已用于另一个请求，没有执行。请换一个新的再提交。",
        ));
    }
    if before.body.is_empty() || before.status == DONE_WITHOUT_ANSWER {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "shown_once",
            "Done before; its secret was shown once",
            "This request was carried out before, and its secret was shown in the first answer only; it is not kept. If that answer was lost, withdraw what was made and make another.",
            "这个请求此前已经办好，其中的密文只在第一次回复中显示，没有留存。如果没有收到，请撤销后重新生成。",
        ));
    }
    let status = StatusCode::from_u16(before.status).unwrap_or(StatusCode::OK);
    let text = String::from_utf8(before.body).map_err(Problem::fault)?;
    Ok(Given { status, text, repeated: true })
}

fn response(status: StatusCode, text: String, repeated: bool) -> Response {
    let warned = warnings(&text);
    let mut response = (status, text).into_response();
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if repeated {
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    if let Some(warned) = warned {
        headers.insert(header::WARNING, warned);
    }
    response
}

/// `Warning: 299 - "moved"`: the codes of the body's warnings.
fn warnings(text: &str) -> Option<HeaderValue> {
    if !text.contains("\"warnings\"") {
        return None;
    }
    let body: Value = serde_json::from_str(text).ok()?;
    let codes: Vec<&str> =
        body.get("warnings")?.as_array()?.iter().filter_map(|w| w.get("code")?.as_str()).collect();
    if codes.is_empty() { None } else { HeaderValue::try_from(format!("299 - \"{}\"", codes.join(" "))).ok() }
}
