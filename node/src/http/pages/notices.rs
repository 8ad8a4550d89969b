//! `GET /notices`: what this place and those above made known. `GET` and `POST /notices/new`: written, shown whom it
//! reaches, given by a second press. `GET` and `POST /notices/{id}`: one with its earlier versions, and taking it back.

use super::{
    Page, Place, Visitor,
    desk::sent_once,
    escaped,
    forms::{self, Input, field_of},
    html, moments,
    w::{self, notices as n},
};
use crate::{
    actions::{
        AnnounceRequest, AnnouncementsQuery, RecallRequest,
        views::{AnnouncementView, StagedAnnouncementView},
    },
    http::{
        House,
        body::{Filled, Query},
        caller::Caller,
        lang::Lang,
        once::Done,
        permit::Permit,
        problem::{Answer, Problem},
        secret,
    },
};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// Notices shown on Today and on the board.
const SHOWN_MAX: u32 = 5;
/// How long the list waits for what was given to be in it.
const READ_STEP: Duration = Duration::from_millis(50);
const READ_STEPS: u32 = 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    #[serde(flatten)]
    query: AnnouncementsQuery,
    done: String,
    /// The notice a form is to be a new version of.
    replaces: String,
}

/// A notice as pages show it.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) href: String,
    pub(super) sort: &'static str,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) category: String,
    pub(super) place: Place,
    pub(super) on: String,
    pub(super) until: String,
    /// `over` or `recalled`, in words; empty while it holds.
    pub(super) ended: &'static str,
}

#[derive(Template)]
#[template(path = "notices.html")]
struct ListPage {
    page: Page,
    done: Option<&'static str>,
    may_give: bool,
    kinds: Vec<(&'static str, String, bool)>,
    notices: Vec<Shown>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage {
    page: Page,
    done: Option<&'static str>,
    n: Shown,
    recalled: String,
    earlier: Vec<[String; 3]>,
    /// For those who may change it.
    desk: Option<Desk>,
}

struct Desk {
    action: String,
    change: String,
    form_token: String,
    once: String,
    inputs: Vec<Input>,
    trouble: Option<String>,
}

#[derive(Template)]
#[template(path = "notice_new.html")]
struct NewPage {
    page: Page,
    form_token: String,
    once: String,
    trouble: Option<String>,
    inputs: Vec<Input>,
    replaces: String,
    /// What was typed, and whom it reaches.
    staged: Option<Staged>,
}

struct Staged {
    hidden: Vec<(String, String)>,
    sort: &'static str,
    title: String,
    text: String,
    reaches: String,
    offered: String,
}

fn sort_word(sort: &str, lang: Lang) -> &'static str {
    n::SORTS.iter().find(|(name, _)| *name == sort).map_or("", |(_, word)| word.of(lang))
}

fn shown(a: &AnnouncementView, page: &Page) -> Shown {
    let lang = page.lang;
    Shown {
        href: page.href(&format!("/notices/{}", a.id)),
        sort: sort_word(&a.sort, lang),
        title: a.title.clone(),
        text: a.text.clone(),
        category: a.category.clone().unwrap_or_default(),
        place: Place::of(&a.place),
        on: moments::dated(&a.on, lang),
        until: a.until.as_deref().map_or(String::new(), |day| moments::dated(day, lang)),
        ended: match (a.in_force, &a.recalled) {
            (true, _) => "",
            (false, Some(_)) => n::RECALLED.of(lang),
            (false, None) => n::OVER.of(lang),
        },
    }
}

/// The newest notices that hold today, of some sorts.
pub(super) async fn newest(house: &House, page: &Page, sorts: &[&str]) -> Answer<Vec<Shown>> {
    let query = AnnouncementsQuery { limit: Some(SHOWN_MAX), ..AnnouncementsQuery::default() };
    let found = house.actions.announcements(&query).await.map_err(Problem::action)?;
    let fitting = found.items.iter().filter(|a| sorts.is_empty() || sorts.contains(&a.sort.as_str()));
    Ok(fitting.map(|a| shown(a, page)).collect())
}

/// Resources on offer for a category.
pub(super) async fn resources(house: &House, page: &Page, category: &str) -> Answer<Vec<Shown>> {
    if category.is_empty() {
        return Ok(Vec::new());
    }
    let found = house.actions.resources_for(category).await.map_err(Problem::action)?;
    Ok(found.iter().map(|a| shown(a, page)).collect())
}

pub(super) async fn list(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Response {
    if !visitor.may_read() {
        return visitor.to_sign_in();
    }
    let page = visitor.page(&house, "notices");
    let lang = page.lang;
    let found = match house.actions.announcements(&asked.query).await {
        Ok(found) => found,
        Err(e) => return visitor.trouble(&house, &Problem::action(e)),
    };
    let sort = asked.query.sort.clone().unwrap_or_default();
    let all = asked.query.all.as_deref() == Some("yes");
    let address = |sort: &str, all: bool| {
        let pairs = [("sort", sort), ("all", if all { "yes" } else { "" })];
        let query: Vec<String> =
            pairs.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| format!("{k}={v}")).collect();
        let joint = if query.is_empty() { "" } else { "?" };
        page.href(&format!("/notices{joint}{}", query.join("&")))
    };
    let mut kinds = vec![(w::KIND_ALL.of(lang), address("", all), sort.is_empty())];
    kinds.extend(n::SORTS.iter().map(|(name, word)| (word.of(lang), address(name, all), sort == *name)));
    kinds.push((if all { n::IN_FORCE } else { n::WITH_OVER }.of(lang), address(&sort, !all), false));
    let next = found.next_cursor.as_deref().map(|cursor| {
        let at = address(&sort, all);
        let joint = if at.contains('?') { '&' } else { '?' };
        format!("{at}{joint}cursor={}", escaped(cursor))
    });
    html(&ListPage {
        done: (asked.done == "yes").then(|| n::GIVEN.of(lang)),
        may_give: page.below && visitor.may(Permit::Decide),
        notices: found.items.iter().map(|a| shown(a, &page)).collect(),
        kinds,
        next,
        page,
    })
}

pub(super) async fn one(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    if !visitor.may_read() {
        return visitor.to_sign_in();
    }
    match looked_at(&house, &visitor, &id, None).await {
        Ok(mut page) => {
            page.done = (asked.done == "recalled").then(|| n::RECALLED_NOW.of(visitor.lang));
            html(&page)
        }
        Err(problem) => visitor.trouble(&house, &problem),
    }
}

async fn looked_at(
    house: &House,
    visitor: &Visitor,
    id: &str,
    refused: Option<(&Filled, &Problem)>,
) -> Answer<NoticePage> {
    let view = house.actions.announcement(id).await.map_err(Problem::action)?;
    let page = visitor.page(house, "notices");
    let lang = page.lang;
    let own = house.actions.node().place.place.id == view.place.id;
    let caller = visitor.caller.as_ref().filter(|c| own && view.recalled.is_none() && c.may(Permit::Decide));
    let wrong = refused.and_then(|(_, problem)| field_of(problem));
    let reason = Input::new("area", "reason", n::RECALL_WHY.of(lang)).must(true);
    let desk = caller.map(|caller| Desk {
        action: page.href(&format!("/notices/{}", view.id)),
        change: page.href(&format!("/notices/new?replaces={}", view.id)),
        form_token: caller.form_token(),
        once: secret::fresh(),
        inputs: vec![reason.typed(refused.map(|(filled, _)| filled), wrong.as_deref())],
        trouble: refused.map(|(_, problem)| forms::plain(problem, "recall", lang)),
    });
    let version = |v: &crate::actions::views::VersionView| {
        [moments::dated(&v.on, lang), v.title.clone(), v.text.clone()]
    };
    Ok(NoticePage {
        done: None,
        n: shown(&view, &page),
        recalled: view.recalled.clone().unwrap_or_default(),
        earlier: view.earlier.iter().rev().map(version).collect(),
        desk,
        page,
    })
}

pub(super) async fn recall(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
    filled: Result<Filled, Problem>,
) -> Response {
    let (caller, filled) = match visitor.admit(&house, &headers, filled, Permit::Decide) {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    let request = RecallRequest { reason: filled.get("reason").to_owned() };
    let hash = secret::hash(request.reason.as_bytes());
    let address = format!("/notices/{id}");
    let given = sent_once(&house, caller, &address, &filled, hash, || {
        let (actions, by, id, request) =
            (house.actions.clone(), caller.person.clone(), id.clone(), request.clone());
        async move {
            let recalled = actions.recall(Some(&by), &id, &request).await.map_err(Problem::action)?;
            let body = serde_json::to_value(&recalled).map_err(Problem::fault)?;
            Ok(Done { status: StatusCode::OK, body })
        }
    })
    .await;
    match given {
        Ok(_) => visitor.to(&format!("{address}?done=recalled")),
        Err(problem) => match looked_at(&house, &visitor, &id, Some((&filled, &problem))).await {
            Ok(page) => (problem.status(), html(&page)).into_response(),
            Err(problem) => visitor.trouble(&house, &problem),
        },
    }
}

pub(super) async fn blank(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Response {
    let Some(caller) = &visitor.caller else { return visitor.to_sign_in() };
    if let Err(problem) = caller.must(Permit::Decide) {
        return visitor.trouble(&house, &problem);
    }
    let before = match asked.replaces.as_str() {
        "" => None,
        id => match house.actions.announcement(id).await {
            Ok(view) => Some(view),
            Err(e) => return visitor.trouble(&house, &Problem::action(e)),
        },
    };
    let mut inputs = match fields(&house, visitor.lang).await {
        Ok(inputs) => inputs,
        Err(problem) => return visitor.trouble(&house, &problem),
    };
    if let Some(view) = &before {
        for input in &mut inputs {
            input.value = match input.name.as_str() {
                "title" => view.title.clone(),
                "text" => view.text.clone(),
                "sort" => view.sort.clone(),
                "category" => view.category.clone().unwrap_or_default(),
                "until" => view.until.clone().unwrap_or_default(),
                _ => String::new(),
            };
            for choice in &mut input.choices {
                choice.chosen = choice.value == input.value;
            }
        }
        // Whom it reaches was settled with the first version.
        inputs.retain(|i| i.name != "to");
    }
    html(&NewPage {
        page: visitor.page(&house, "notices"),
        form_token: caller.form_token(),
        once: secret::fresh(),
        trouble: None,
        inputs,
        replaces: asked.replaces,
        staged: None,
    })
}

async fn fields(house: &House, lang: Lang) -> Answer<Vec<Input>> {
    let places = house.actions.places().await.map_err(Problem::action)?;
    let me = places.iter().find(|p| p.is_self).map(|p| p.place.id);
    let below = places.iter().filter(|p| p.parent == me && me.is_some() && !p.revoked);
    let everyone = (String::new(), n::TO_HINT.of(lang).to_owned());
    let below = below.map(|p| (p.place.code.clone(), p.place.name.clone()));
    let sorts = n::SORTS.iter().map(|(name, word)| ((*name).to_owned(), word.of(lang).to_owned()));
    let charter = house.actions.charter(None).await.map_err(Problem::action)?;
    let above = charter.categories_above.iter().map(|d| &d.category);
    let categories = above.chain(&charter.articles.categories).map(|c| c.id.clone());
    let mut category = Input::new("line", "category", n::CATEGORY.of(lang));
    category.known = categories.collect();
    Ok(vec![
        Input::choice("sort", n::SORT.of(lang), sorts).hint(n::SORT_HINT.of(lang)),
        Input::new("line", "title", n::HEAD.of(lang)).must(true),
        Input::new("area", "text", n::TEXT.of(lang)).must(true),
        category,
        Input::new("day", "until", n::UNTIL.of(lang)).hint(n::UNTIL_HINT.of(lang)),
        Input::choice("to", n::TO.of(lang), std::iter::once(everyone).chain(below)),
    ])
}

fn request_of(filled: &Filled) -> Answer<AnnounceRequest> {
    let given = |name: &str| Some(filled.get(name).to_owned()).filter(|v| !v.trim().is_empty());
    let until = given("until").map(|day| day.trim().parse()).transpose();
    let until = until.map_err(|_| {
        forms::wrong("until", "请写成 2026-11-22 这样的日期", "wants a day such as 2026-11-22")
    })?;
    Ok(AnnounceRequest {
        sort: given("sort"),
        title: filled.get("title").to_owned(),
        text: filled.get("text").to_owned(),
        category: given("category"),
        until,
        to: given("to").into_iter().collect(),
        replaces: given("replaces"),
        ..AnnounceRequest::default()
    })
}

pub(super) async fn give(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    headers: HeaderMap,
    filled: Result<Filled, Problem>,
) -> Response {
    let (caller, filled) = match visitor.admit(&house, &headers, filled, Permit::Decide) {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    let done = match request_of(&filled) {
        Ok(request) if filled.get("step") == "apply" => {
            given(&house, caller, &filled, request).await.map(|()| None)
        }
        Ok(request) => house
            .actions
            .stage_announcement(&request)
            .await
            .map(|s| Some((request, s)))
            .map_err(Problem::action),
        Err(problem) => Err(problem),
    };
    let lang = visitor.lang;
    let (staged, problem) = match done {
        Ok(None) => return visitor.to("/notices?done=yes"),
        Ok(Some((request, staged))) => (Some(stage(&filled, &request, &staged, lang)), None),
        Err(problem) => (None, Some(problem)),
    };
    let inputs = match fields(&house, lang).await {
        Ok(inputs) => inputs,
        Err(problem) => return visitor.trouble(&house, &problem),
    };
    let wrong = problem.as_ref().and_then(field_of);
    let replaces = filled.get("replaces").to_owned();
    let inputs = inputs.into_iter().filter(|i| replaces.is_empty() || i.name != "to");
    let shown = html(&NewPage {
        page: visitor.page(&house, "notices"),
        form_token: caller.form_token(),
        once: secret::fresh(),
        trouble: problem.as_ref().map(|p| forms::plain(p, "announce", lang)),
        inputs: inputs.map(|i| i.typed(Some(&filled), wrong.as_deref())).collect(),
        replaces,
        staged,
    });
    match problem {
        Some(problem) => (problem.status(), shown).into_response(),
        None => shown,
    }
}

fn stage(filled: &Filled, request: &AnnounceRequest, staged: &StagedAnnouncementView, lang: Lang) -> Staged {
    let names: Vec<&str> = staged.to.iter().map(|p| p.name.as_str()).collect();
    let kept =
        filled.pairs().iter().filter(|(name, _)| !["form_token", "once", "step"].contains(&name.as_str()));
    Staged {
        hidden: kept.cloned().collect(),
        sort: sort_word(request.sort.as_deref().unwrap_or("announcement"), lang),
        title: request.title.clone(),
        text: request.text.clone(),
        reaches: match lang {
            Lang::Zh => format!("{}及以下全部单位（已知 {} 个）", names.join("、"), staged.places),
            Lang::En => format!("{} and everything below: {} places known", names.join(", "), staged.places),
        },
        offered: staged
            .open_matters
            .map_or(String::new(), |count| format!("{count} {}", n::OPEN_MATTERS.of(lang))),
    }
}

async fn given(house: &Arc<House>, caller: &Caller, filled: &Filled, request: AnnounceRequest) -> Answer<()> {
    let typed: Vec<u8> = filled
        .pairs()
        .iter()
        .filter(|(name, _)| name != "form_token")
        .flat_map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes(), b"\n"].concat())
        .collect();
    let title = request.title.trim().to_owned();
    sent_once(house, caller, "/notices/new", filled, secret::hash(&typed), || {
        let (actions, by, request) = (house.actions.clone(), caller.person.clone(), request.clone());
        async move {
            let made = actions.announce(Some(&by), &request).await.map_err(Problem::action)?;
            let body = serde_json::to_value(&made).map_err(Problem::fault)?;
            Ok(Done { status: StatusCode::CREATED, body })
        }
    })
    .await?;
    // It is durable; the list is read a moment later.
    for _ in 0..READ_STEPS {
        let newest = AnnouncementsQuery {
            limit: Some(SHOWN_MAX),
            all: Some("yes".into()),
            ..AnnouncementsQuery::default()
        };
        let found = house.actions.announcements(&newest).await.map_err(Problem::action)?;
        if found.items.iter().any(|a| a.title == title) {
            break;
        }
        tokio::time::sleep(READ_STEP).await;
    }
    Ok(())
}
