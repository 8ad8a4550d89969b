//! `GET /inbox/compare?a=…&b=…`: two matters side by side, why they are thought to be one, who stands behind
//! each, and one press to merge them either way round. Nothing here decides: the press is the ordinary act.

use super::{
    Page, Place, Visitor, escaped,
    forms::fixed,
    html, inbox,
    list::{Row, row},
    moments,
    w::{self, inbox as wi},
};
use crate::{
    actions::views::MatterView,
    http::{House, body::Query, lang::Lang, permit, problem::Problem, secret},
};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    a: String,
    b: String,
    back: String,
}

#[derive(Template)]
#[template(path = "compare.html")]
struct ComparePage {
    page: Page,
    why: String,
    sides: Vec<Side>,
    merges: Vec<Merge>,
    action: String,
    form_token: String,
    back: String,
    back_here: String,
}

struct Side {
    m: Row,
    body: String,
    behind: Vec<String>,
    answers: Vec<(String, String)>,
}

struct Merge {
    button: &'static str,
    once: String,
    lead: String,
    source: String,
}

pub(super) async fn show(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Response {
    if !visitor.may_read() {
        return visitor.to_sign_in();
    }
    match written(&house, &visitor, &asked).await {
        Ok(page) => html(&page),
        Err(problem) => visitor.trouble(&house, &problem),
    }
}

async fn written(house: &House, visitor: &Visitor, asked: &Asked) -> Result<ComparePage, Problem> {
    let page = visitor.page(house, "inbox");
    let lang = page.lang;
    let a = house.actions.matter(&asked.a).await.map_err(Problem::action)?;
    let b = house.actions.matter(&asked.b).await.map_err(Problem::action)?;
    let first = a.summary.id.to_string();
    let found = house.actions.similar(&first).await.map_err(Problem::action)?;
    let like = found.items.iter().find(|s| s.matter.id == b.summary.id);
    let why = like.map_or_else(|| wi::NOT_ALIKE.of(lang), |s| lang.of(&s.why_zh, &s.why)).to_owned();
    let mut merges = Vec::new();
    let may = visitor.caller.as_ref().is_some_and(|c| c.may(permit::of_step("merge")));
    for (button, lead, source) in [(wi::LEAD_LEFT, &a, &b), (wi::LEAD_RIGHT, &b, &a)] {
        if may && leads(house, lead).await? && follows(house, source) {
            merges.push(Merge {
                button: button.of(lang),
                once: secret::fresh(),
                lead: lead.summary.id.to_string(),
                source: source.summary.id.to_string(),
            });
        }
    }
    let back = inbox::back_to(&asked.back)
        .map_or_else(|| "/inbox".to_owned(), |to| to.trim_end_matches(['?', '&']).to_owned());
    let own_level = house.actions.node().place.place.level;
    let today = house.actions.today();
    let joint = if back.contains('?') { '&' } else { '?' };
    Ok(ComparePage {
        why,
        sides: [&a, &b].into_iter().map(|m| side(m, &page, &own_level, today)).collect(),
        merges,
        action: page.href("/inbox/do"),
        form_token: visitor.caller.as_ref().map(crate::http::caller::Caller::form_token).unwrap_or_default(),
        back_here: page.href(&format!("{back}{joint}m={}", escaped(&first))),
        back,
        page,
    })
}

/// Whether others may be merged into it now.
async fn leads(house: &House, m: &MatterView) -> Result<bool, Problem> {
    let next = house.actions.next(&m.summary.id.to_string()).await.map_err(Problem::action)?;
    Ok(next.items.iter().any(|i| i.name.act == "merge"))
}

/// Whether this place may let it follow another; the act itself asks again.
fn follows(house: &House, m: &MatterView) -> bool {
    use yishi_protocol::fold::frame::{RULES, Stage, StepKind};
    let own = house.actions.node().place.place.id;
    let stage = Stage::from_name(&m.summary.stage);
    let from = |s: Stage| RULES.iter().any(|r| r.step == StepKind::Merge && r.from.contains(&s));
    let held = m.summary.holder.as_ref().is_some_and(|h| h.id == own);
    held && m.summary.merged_into.is_none() && stage.is_some_and(from)
}

fn side(m: &MatterView, page: &Page, own_level: &str, today: i64) -> Side {
    let (s, lang) = (&m.summary, page.lang);
    let said = |zh: &str, en: &str, value: String| match lang {
        Lang::Zh => format!("{zh}：{value}"),
        Lang::En => format!("{en}: {value}"),
    };
    let kind = s.petitioner.as_ref().map(|p| match p.kind.as_str() {
        "anonymous" => w::ANONYMOUS,
        "proxy" => w::PROXY,
        _ => w::NAMED,
    });
    let mut behind = vec![said("登记单位", "Registered by", Place::of(&s.home).name)];
    behind.push(said("反映日期", "Raised on", moments::day_seen(&s.raised_on, today, lang)));
    behind.extend(kind.map(|k| said("反映人", "Petitioner", k.of(lang).to_owned())));
    behind.extend(s.channel.as_deref().map(|c| said("渠道", "Channel", fixed(c, lang))));
    if s.supports > 0 {
        behind.push(said("附议", "Supported by", s.supports.to_string()));
    }
    if !s.sources.is_empty() {
        behind.push(said("已并进来", "Merged into it", s.sources.len().to_string()));
    }
    Side {
        m: row(s, page, own_level),
        body: m.body.clone(),
        behind,
        answers: m.answers.iter().map(|a| (Place::of(&a.place).name, a.text.clone())).collect(),
    }
}
