//! `GET /` for those signed in: what is theirs to do, whom to tell, whom one waits for.
//!
//! Each list is short and due first; the whole list of matters stays one press away. An empty list says what
//! would bring something into it.

use super::{
    Page, Place, Visitor, escaped, html,
    list::{LinkLine, Row, link_line, row},
    notices,
    similar::{self, Alike},
    w,
};
use crate::{
    actions::{
        ListQuery,
        views::{self, MatterSummary},
    },
    http::{House, lang::Lang, permit::Permit, problem::Problem},
};
use askama::Template;
use axum::{extract::State, response::Response};
use std::sync::Arc;
use yishi_protocol::{fold::words, ids::PlaceId};

/// Rows of one list: what fits a phone's two screens.
const ROWS_MAX: usize = 12;
/// Matters that wait to be taken up for which like ones are looked for: this page is opened often.
const LOOKED_UP_MAX: usize = 5;
/// Open matters looked through for whom one waits; what is due first comes first.
const WAITING_MAX: u32 = 300;

#[derive(Template)]
#[template(path = "today.html")]
struct TodayPage {
    page: Page,
    link: Option<LinkLine>,
    may_register: bool,
    /// Whether there are places below.
    supervises: bool,
    /// Nothing was ever registered.
    fresh: bool,
    mine: Vec<Task>,
    mine_more: Option<String>,
    untold: Vec<Task>,
    untold_more: Option<String>,
    waits: Vec<Wait>,
    notices: Vec<notices::Shown>,
}

struct Task {
    row: Row,
    what: String,
    /// An open one that may be the same.
    like: Option<Alike>,
}

/// A place one waits for.
struct Wait {
    place: Place,
    count: String,
    overdue: Option<String>,
    href: String,
}

pub(super) async fn show(state: State<Arc<House>>, visitor: Visitor) -> Response {
    if !visitor.may_read() {
        return match visitor.may_see_board(&state) {
            true => visitor.to("/board"),
            false => visitor.to_sign_in(),
        };
    }
    match written(&state, &visitor).await {
        Ok(page) => html(&page),
        Err(problem) => visitor.trouble(&state, &problem),
    }
}

async fn list_of(house: &House, query: ListQuery) -> Result<views::Page<MatterSummary>, Problem> {
    house.actions.matters(query).await.map_err(Problem::action)
}

async fn written(house: &House, visitor: &Visitor) -> Result<TodayPage, Problem> {
    let page = visitor.page(house, "today");
    let own = house.actions.node().place.place;
    let by_day = || ListQuery { sort: Some("deadline".into()), ..ListQuery::default() };
    let limit = u32::try_from(ROWS_MAX).ok();
    let held = ListQuery { holder: Some("self".into()), open: Some(true), limit, ..by_day() };
    let mine = list_of(house, held).await?;
    let told = ListQuery { home: Some("self".into()), untold: Some(true), limit, ..by_day() };
    let untold = list_of(house, told).await?;
    let open = ListQuery { open: Some(true), limit: Some(WAITING_MAX), ..by_day() };
    let open = list_of(house, open).await?;
    let fresh = open.items.is_empty()
        && list_of(house, ListQuery { limit: Some(1), ..by_day() }).await?.items.is_empty();
    let links = house.actions.links().await.map_err(Problem::action)?;
    let task = |m: &MatterSummary, what: String| Task { row: row(m, &page, &own.level), what, like: None };
    let lang = page.lang;
    let mut tasks = Vec::new();
    let mut looked_up = 0;
    for m in mine.items.iter().filter(|m| waited_for(m).is_none_or(|place| place.id == own.id)) {
        let mut one = task(m, due_act(m, lang));
        // Whether it is another's is asked before it is taken up, not after.
        if matches!(m.stage.as_str(), "registered" | "escalated") && looked_up < LOOKED_UP_MAX {
            looked_up += 1;
            one.like = similar::in_list(house, &page, m).await;
        }
        tasks.push(one);
    }
    Ok(TodayPage {
        link: link_line(&links, house.actions.today(), lang),
        may_register: visitor.caller.as_ref().is_some_and(|c| c.may(Permit::Report)),
        supervises: !links.down.is_empty(),
        fresh,
        mine: tasks,
        mine_more: mine.next_cursor.map(|_| page.href("/matters?view=open&holder=self")),
        untold: untold.items.iter().map(|m| task(m, w::TELL_NOW.of(lang).to_owned())).collect(),
        untold_more: untold.next_cursor.map(|_| page.href("/matters?view=untold")),
        waits: waits(&open, own.id, &page),
        notices: notices::newest(house, &page, &[]).await?,
        page,
    })
}

/// What a matter waits for: the act its deadline is of.
fn due_act(m: &MatterSummary, lang: Lang) -> String {
    let due = m.deadline.as_ref().and_then(|d| words::act(&d.what));
    due.map_or_else(String::new, |(zh, en)| lang.of(zh, en).to_owned())
}

/// Whose turn it is: the holder's, but what is answered and not told waits for the place that registered it.
fn waited_for(m: &MatterSummary) -> Option<&views::PlaceView> {
    if is_to_tell(m) { Some(&m.home) } else { m.holder.as_ref() }
}

fn is_to_tell(m: &MatterSummary) -> bool {
    m.deadline.as_ref().is_some_and(|d| d.what == "tell")
}

/// Open matters that wait for others, by place, the longest list first.
fn waits(open: &views::Page<MatterSummary>, own: PlaceId, page: &Page) -> Vec<Wait> {
    let mut groups: Vec<((&views::PlaceView, bool), usize, usize)> = Vec::new();
    for m in &open.items {
        let Some(place) = waited_for(m).filter(|place| place.id != own) else { continue };
        let for_what = (place, is_to_tell(m));
        let late = usize::from(m.deadline.as_ref().is_some_and(|d| d.overdue));
        match groups.iter_mut().find(|((p, tell), ..)| (p.id, *tell) == (place.id, for_what.1)) {
            Some((_, count, overdue)) => (*count, *overdue) = (*count + 1, *overdue + late),
            None => groups.push((for_what, 1, late)),
        }
    }
    groups.sort_by_key(|(_, count, overdue)| std::cmp::Reverse((*overdue, *count)));
    let counted = |n: usize| match page.lang {
        Lang::Zh => format!("{n} 件"),
        Lang::En => n.to_string(),
    };
    let some = open.next_cursor.is_some();
    groups
        .into_iter()
        .take(ROWS_MAX)
        .map(|((place, tell), count, overdue)| Wait {
            place: Place::of(place),
            count: [
                if tell { w::TO_TELL.of(page.lang) } else { "" }.to_owned(),
                if some { page.lang.of("至少", "at least").to_owned() } else { String::new() },
                counted(count),
            ]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" "),
            overdue: (overdue > 0).then(|| format!("{} {}", w::KIND_OVER.of(page.lang), counted(overdue))),
            href: match tell {
                true => page.href("/matters?view=untold"),
                false => page.href(&format!("/matters?view=open&holder={}", escaped(&place.id.to_string()))),
            },
        })
        .collect()
}
