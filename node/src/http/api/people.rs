//! `/users` and `/tokens`: who may sign in, and which programs may speak.
//!
//! Nobody hands out rights they do not have. A secret is in one answer and nowhere else.

use super::{Named, done, json};
use crate::{
    actions::{PageQuery, instant_text},
    http::{
        House,
        accounts::{TOKEN_PREFIX, member_id},
        body::{Json, Query},
        caller::Caller,
        limits,
        once::{Done, Holds, Key, once},
        permit,
        problem::{Answer, Problem},
        secret,
    },
    store::{NewPerson, Person, Token},
};
use axum::{extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::json as value;
use std::{collections::BTreeSet, sync::Arc};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A person to add.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUserRequest {
    name: String,
    display_name: Option<String>,
    roles: Vec<String>,
    password: Option<String>,
}

#[derive(Serialize)]
struct UserView {
    id: String,
    name: String,
    display_name: String,
    roles: Vec<String>,
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl From<Person> for UserView {
    fn from(p: Person) -> Self {
        Self {
            id: member_id(p.id),
            name: p.name,
            display_name: p.display_name,
            roles: p.roles,
            active: p.active,
            password: None,
        }
    }
}

/// A token to make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTokenRequest {
    name: String,
    scopes: Vec<String>,
    expires_days: Option<u32>,
}

#[derive(Serialize)]
struct TokenView {
    id: String,
    name: String,
    scopes: Vec<String>,
    created_by: String,
    created_at: String,
    expires_at: Option<String>,
    last_used: Option<String>,
}

impl From<Token> for TokenView {
    fn from(t: Token) -> Self {
        Self {
            id: t.id.to_string(),
            name: t.name,
            scopes: t.scopes,
            created_by: t.created_by,
            created_at: instant_text(t.created_at_ms),
            expires_at: t.expires_at_ms.map(instant_text),
            last_used: t.last_used_ms.map(instant_text),
        }
    }
}

pub(super) async fn users(
    State(house): State<Arc<House>>,
    Query(query): Query<PageQuery>,
) -> Answer<Response> {
    let people = house.store().people().await.map_err(Problem::store)?;
    paged(&query, people, |p| p.id, UserView::from)
}

/// A person to add, as far as that can be checked before anything is done.
pub(in crate::http) struct Adding {
    name: String,
    display_name: String,
    roles: Vec<String>,
    password: Option<String>,
}

impl Adding {
    /// Checks what was stated, and that the caller has every right it hands out.
    pub(in crate::http) fn checked(
        caller: &Caller,
        name: &str,
        display_name: Option<&str>,
        roles: Vec<String>,
        password: Option<String>,
    ) -> Answer<Self> {
        let name = user_name(name)?;
        let roles = roles_stated(caller, roles)?;
        let password = password.map(chosen).transpose()?;
        let display_name = display_name.map(str::trim).filter(|d| !d.is_empty()).unwrap_or(&name).to_owned();
        if display_name.chars().count() > limits::USER_NAME_CHARS_MAX {
            return Err(Problem::field("display_name", "at most 64 characters", "最多 64 个字"));
        }
        Ok(Self { name, display_name, roles, password })
    }

    /// Whether the answer has a password that is shown once.
    pub(in crate::http) fn holds(&self) -> Holds {
        if self.password.is_none() { Holds::Secret } else { Holds::NoSecret }
    }

    /// Adds the person; makes a password if none was stated.
    pub(in crate::http) async fn add(self, house: Arc<House>) -> Answer<Done> {
        let Self { name, display_name, roles, password } = self;
        let made = password.is_none().then(secret::readable_password);
        let password = password.or_else(|| made.clone()).unwrap_or_default();
        let (hashed, _turn) = house.passwords.turn().await?.hash(password).await?;
        let new = NewPerson {
            name: name.clone(),
            display_name: display_name.clone(),
            roles: roles.clone(),
            password: hashed,
            at_ms: house.clock.now_ms(),
        };
        let id = house.store().add_person(new).await.map_err(Problem::store)?;
        let view = UserView { id: member_id(id), name, display_name, roles, active: true, password: made };
        done(StatusCode::CREATED, &view)
    }
}

/// Roles that exist, and whose rights the caller has: nobody hands out more.
pub(in crate::http) fn roles_stated(caller: &Caller, roles: Vec<String>) -> Answer<Vec<String>> {
    let roles = listed("roles", roles, permit::is_role)?;
    caller.must_have_all(&permit::of_roles(roles.iter().map(String::as_str)))?;
    Ok(roles)
}

pub(super) async fn add_user(
    State(house): State<Arc<House>>,
    caller: Caller,
    key: Key,
    body: Json<NewUserRequest>,
) -> Answer<Response> {
    let hash = body.bytes_hash;
    let NewUserRequest { name, display_name, roles, password } = body.value;
    let adding = Adding::checked(&caller, &name, display_name.as_deref(), roles, password)?;
    let holds = adding.holds();
    once(&house, &caller, key, hash, holds, adding.add(Arc::clone(&house))).await
}

pub(super) async fn tokens(
    State(house): State<Arc<House>>,
    Query(query): Query<PageQuery>,
) -> Answer<Response> {
    let tokens = house.store().tokens().await.map_err(Problem::store)?;
    paged(&query, tokens, |t| t.id, TokenView::from)
}

pub(super) async fn add_token(
    State(house): State<Arc<House>>,
    caller: Caller,
    key: Key,
    body: Json<NewTokenRequest>,
) -> Answer<Response> {
    let hash = body.bytes_hash;
    let NewTokenRequest { name, scopes, expires_days } = body.value;
    let name = name.trim().to_owned();
    if name.is_empty() || name.chars().count() > limits::USER_NAME_CHARS_MAX {
        return Err(Problem::field(
            "name",
            "1 to 64 characters saying what it is for",
            "1 到 64 个字，写明用途",
        ));
    }
    if expires_days.is_some_and(|d| d == 0 || d > limits::TOKEN_DAYS_MAX) {
        return Err(Problem::field("expires_days", "1 to 3650", "须在 1 到 3650 之间"));
    }
    let scopes = listed("scopes", scopes, permit::is_scope)?;
    caller.must_have_all(&permit::of_scopes(scopes.iter().map(String::as_str)))?;
    let shared = Arc::clone(&house);
    let created_by = caller.person.clone();
    once(&house, &caller, key, hash, Holds::Secret, async move {
        let token = format!("{TOKEN_PREFIX}{}", secret::fresh());
        let now = shared.clock.now_ms();
        let new = Token {
            id: 0,
            name,
            scopes,
            created_by,
            created_at_ms: now,
            expires_at_ms: expires_days.map(|d| now + u64::from(d) * DAY_MS),
            last_used_ms: None,
        };
        let expires_at = new.expires_at_ms.map(instant_text);
        let id = shared.store().add_token(secret::stored(&token), new).await.map_err(Problem::store)?;
        done(StatusCode::CREATED, &value!({ "id": id.to_string(), "token": token, "expires_at": expires_at }))
    })
    .await
}

pub(super) async fn end_token(State(house): State<Arc<House>>, Named(id): Named) -> Answer<StatusCode> {
    let there = match id.parse::<i64>() {
        Ok(id) => house.store().delete_token(id).await.map_err(Problem::store)?,
        Err(_) => false,
    };
    if there { Ok(StatusCode::NO_CONTENT) } else { Err(unknown_token()) }
}

fn unknown_token() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown_token",
        "Not here",
        "There is no token with this id; nothing was changed. Look it up in the list of tokens.",
        "没有这个令牌，没有改动任何内容。请在令牌列表中查找。",
    )
}

/// One page of a short list; the cursor is the last id given, so that rows added meanwhile shift nothing.
fn paged<T, V: Serialize>(
    query: &PageQuery,
    all: Vec<T>,
    id: impl Fn(&T) -> i64,
    view: impl Fn(T) -> V,
) -> Answer<Response> {
    bounded(query.limit)?;
    let after = match query.cursor.as_deref() {
        None => 0,
        Some(cursor) => cursor.parse().map_err(|_| {
            Problem::field("cursor", "not from a list of this kind", "不是本列表给出的翻页标记")
        })?,
    };
    let limit = usize::try_from(query.limit.unwrap_or(limits::PAGE_ITEMS_DEFAULT)).unwrap_or(usize::MAX);
    let mut rest = all.into_iter().filter(|row| id(row) > after).peekable();
    let mut items = Vec::new();
    let mut last = after;
    while items.len() < limit
        && let Some(row) = rest.next()
    {
        last = id(&row);
        items.push(view(row));
    }
    let cursor = rest.peek().map(|_| last.to_string());
    json(&value!({ "items": items, "next_cursor": cursor }))
}

fn user_name(stated: &str) -> Answer<String> {
    let name = stated.trim();
    let fits = (1..=limits::USER_NAME_CHARS_MAX).contains(&name.chars().count());
    if fits && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')) {
        return Ok(name.to_owned());
    }
    Err(Problem::field(
        "name",
        "1 to 64 letters, digits, dots, dashes or underscores",
        "须为 1 到 64 个汉字、字母、数字、点或横线",
    ))
}

fn chosen(password: String) -> Answer<String> {
    let long_enough = password.chars().count() >= limits::PASSWORD_CHARS_MIN;
    if long_enough && password.len() <= limits::PASSWORD_BYTES_MAX {
        return Ok(password);
    }
    Err(Problem::field("password", "8 characters or more, at most 256 bytes", "至少 8 个字符，最多 256 字节"))
}

fn listed(field: &'static str, names: Vec<String>, known: impl Fn(&str) -> bool) -> Answer<Vec<String>> {
    let names: BTreeSet<String> = names.into_iter().collect();
    match names.iter().find(|n| !known(n)) {
        Some(wrong) => Err(Problem::field(
            field,
            format!("`{wrong}` is not one of them"),
            format!("没有“{wrong}”这一项"),
        )),
        None if names.is_empty() => Err(Problem::field(field, "name at least one", "至少填一项")),
        None => Ok(names.into_iter().collect()),
    }
}

/// Refuses page sizes outside the contract.
fn bounded(limit: Option<u32>) -> Answer<()> {
    match limit {
        Some(n) if !(1..=limits::PAGE_ITEMS_MAX).contains(&n) => Err(Problem::field(
            "limit",
            format!("1 to {}", limits::PAGE_ITEMS_MAX),
            format!("须在 1 到 {} 之间", limits::PAGE_ITEMS_MAX),
        )),
        _ => Ok(()),
    }
}
