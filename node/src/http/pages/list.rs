//! `GET /matters`: the list of matters.

use super::{Level, Page, Place, Visitor, escaped, html, levels, moments, w};
use crate::{
    actions::{ListQuery, views::LinksView, views::MatterSummary},
    http::{House, body::Query, lang::Lang, limits, problem::Problem},
};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;
use std::sync::Arc;

/// What the page's form and links ask for. Unknown fields are let pass: addresses get shared and amended.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    stage: String,
    q: String,
    /// One of the views: `open`, `soon`, `overdue`, `untold`.
    view: String,
    /// `self` or a place: only what it holds.
    holder: String,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    page: Page,
    link: Option<LinkLine>,
    kinds: Vec<Kind>,
    stages: Vec<Stage>,
    q: String,
    view: String,
    holder: String,
    filtered: bool,
    trouble: Option<String>,
    rows: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
}

pub(super) struct LinkLine {
    pub(super) up: bool,
    pub(super) words: String,
}

struct Kind {
    name: &'static str,
    href: String,
    chosen: bool,
}

struct Stage {
    code: &'static str,
    name: &'static str,
    chosen: bool,
}

pub(super) struct Row {
    pub(super) id: String,
    pub(super) number: String,
    pub(super) title: String,
    pub(super) category: String,
    pub(super) stage: String,
    pub(super) tone: &'static str,
    pub(super) holder: Place,
    pub(super) due: moments::Due,
    pub(super) levels: Vec<Level>,
    pub(super) href: String,
}

/// What the list shows of a matter: no text, no petitioner.
pub(super) fn row(m: &MatterSummary, page: &Page, own_level: &str) -> Row {
    let lang = page.lang;
    let reference = if m.number.is_empty() { m.id.to_string() } else { m.number.clone() };
    Row {
        id: m.id.to_string(),
        number: m.number.clone(),
        title: m.title.clone(),
        category: m.category.clone().unwrap_or_default(),
        stage: w::stage(&m.stage, &m.stage_zh, lang).to_owned(),
        tone: w::tone(&m.stage),
        holder: Place::of_known(m.holder.as_ref()),
        due: moments::due(m.deadline.as_ref(), lang),
        levels: levels(&page.place, own_level, &m.stored.up, lang),
        href: page.href(&format!("/m/{}", escaped(&reference))),
    }
}

pub(super) async fn show(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Response {
    if !visitor.may_read() {
        return visitor.to_sign_in();
    }
    match written(&house, &visitor, asked).await {
        Ok(page) => html(&page),
        Err(problem) => visitor.trouble(&house, &problem),
    }
}

async fn written(house: &House, visitor: &Visitor, asked: Asked) -> Result<ListPage, Problem> {
    let page = visitor.page(house, "list");
    let own_level = house.actions.node().place.place.level;
    let q: String = asked.q.trim().chars().take(limits::QUERY_CHARS_MAX).collect();
    let stage = w::stages(page.lang).find(|(code, _)| *code == asked.stage).map(|(code, _)| code);
    let query = ListQuery {
        stage: stage.map(str::to_owned),
        q: Some(q.clone()).filter(|q| !q.is_empty()),
        due: matches!(asked.view.as_str(), "soon" | "overdue").then(|| asked.view.clone()),
        untold: (asked.view == "untold").then_some(true),
        open: (asked.view == "open").then_some(true),
        holder: Some(asked.holder.clone()).filter(|h| !h.is_empty()),
        limit: Some(limits::HTML_ITEMS),
        cursor: asked.cursor.clone(),
        ..ListQuery::default()
    };
    let (found, trouble) = match house.actions.matters(query.clone()).await {
        Ok(found) => (found, None),
        // A wrong page mark or place of an old address: say so, and begin from the start.
        Err(e) if asked.cursor.is_some() || query.holder.is_some() => {
            let again = house.actions.matters(ListQuery { cursor: None, holder: None, ..query }).await;
            (again.map_err(Problem::action)?, Some(page.lang.of(&e.zh(), &e.en()).to_owned()))
        }
        Err(e) => return Err(Problem::action(e)),
    };
    let filters = Filters { view: &asked.view, stage: stage.unwrap_or(""), q: &q, holder: &asked.holder };
    let rows = found.items.iter().map(|m| row(m, &page, &own_level)).collect();
    let links = house.actions.links().await.map_err(Problem::action)?;
    let link = link_line(&links, house.actions.today(), page.lang);
    Ok(ListPage {
        link,
        kinds: kinds(&page, &filters),
        stages: w::stages(page.lang)
            .map(|(code, name)| Stage { code, name, chosen: Some(code) == stage })
            .collect(),
        filtered: filters.address(None).contains('?'),
        view: asked.view.clone(),
        holder: asked.holder.clone(),
        trouble,
        rows,
        first: asked.cursor.map(|_| page.href(&filters.address(None))),
        next: found.next_cursor.map(|c| page.href(&filters.address(Some(&c)))),
        q: q.clone(),
        page,
    })
}

struct Filters<'a> {
    view: &'a str,
    stage: &'a str,
    q: &'a str,
    holder: &'a str,
}

impl Filters<'_> {
    /// The list's address with these filters.
    fn address(&self, cursor: Option<&str>) -> String {
        let pairs = [
            ("view", self.view),
            ("stage", self.stage),
            ("q", self.q),
            ("holder", self.holder),
            ("cursor", cursor.unwrap_or("")),
        ];
        let query: Vec<String> =
            pairs.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| format!("{k}={}", escaped(v))).collect();
        if query.is_empty() { "/matters".to_owned() } else { format!("/matters?{}", query.join("&")) }
    }
}

fn kinds(page: &Page, filters: &Filters<'_>) -> Vec<Kind> {
    [
        ("", w::KIND_ALL),
        ("open", w::KIND_OPEN),
        ("soon", w::KIND_SOON),
        ("overdue", w::KIND_OVER),
        ("untold", w::KIND_UNTOLD),
    ]
    .into_iter()
    .map(|(view, name)| Kind {
        name: name.of(page.lang),
        href: page.href(&Filters { view, ..*filters }.address(None)),
        chosen: view == filters.view,
    })
    .collect()
}

/// `姚渡镇 已连通` or `姚渡镇 没有连通，上次 昨天 17:20，待送达 3 项`.
pub(super) fn link_line(links: &LinksView, today: i64, lang: Lang) -> Option<LinkLine> {
    let up = links.up.as_ref()?;
    let mut words = format!("{} {}", Place::of(&up.peer).name, super::link::state(up.state, lang));
    if up.state != "up" {
        if let Some(last) = &up.last_contact {
            let seen = moments::instant(last, today, lang);
            words.push_str(lang.of("，上次联通 ", ", last heard "));
            words.push_str(&seen);
        }
        if up.waiting > 0 && links.active {
            words.push_str(&match lang {
                Lang::Zh => format!("，{} 项待送达，通了会自动送到", up.waiting),
                Lang::En => format!(", {} waiting; they go by themselves", up.waiting),
            });
        }
    }
    Some(LinkLine { up: up.state == "up", words })
}
