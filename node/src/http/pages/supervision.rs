//! `GET /supervision`: what is late and for how long, who is not heard from, what arrived late. Three lists,
//! because they are three different things.

use super::{Page, Place, Visitor, escaped, html, moments, w};
use crate::{
    actions::views::{SupervisedView, SupervisionView},
    http::{House, lang::Lang, problem::Problem},
};
use askama::Template;
use axum::{extract::State, response::Response};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "supervision.html")]
struct SupervisionPage {
    page: Page,
    /// If not all that is overdue is listed.
    more: Option<String>,
    rule: String,
    lists: Vec<List>,
    not_heard: Vec<[String; 3]>,
    late: Vec<(String, [String; 4])>,
}

/// Matters of one degree.
struct List {
    title: &'static str,
    none: &'static str,
    rows: Vec<Row>,
}

struct Row {
    /// Where it opens, or its stub.
    href: String,
    number: String,
    title: String,
    holder: String,
    over: String,
    late: bool,
    urged: String,
}

pub(super) async fn show(State(house): State<Arc<House>>, visitor: Visitor) -> Response {
    if !visitor.may_read() {
        return visitor.to_sign_in();
    }
    match house.actions.supervision().await {
        Ok(view) => html(&page_of(&house, &visitor, &view)),
        Err(e) => visitor.trouble(&house, &Problem::action(e)),
    }
}

fn page_of(house: &House, visitor: &Visitor, view: &SupervisionView) -> SupervisionPage {
    let page = visitor.page(house, "supervision");
    let (lang, today) = (page.lang, house.actions.today());
    let rows = |all: &[SupervisedView]| all.iter().map(|s| row(s, &page, today)).collect::<Vec<_>>();
    let lists = vec![
        List { title: w::S_RAISED.of(lang), none: w::S_RAISED_NONE.of(lang), rows: rows(&view.raised) },
        List { title: w::S_NAMED.of(lang), none: w::S_NAMED_NONE.of(lang), rows: rows(&view.named) },
        List { title: w::S_SOON.of(lang), none: w::S_SOON_NONE.of(lang), rows: rows(&view.soon) },
    ];
    let not_heard = view.not_heard.iter().map(|s| {
        let last = match s.last_contact.as_deref().and_then(|at| at.get(..10)) {
            Some(day) => moments::day_seen(day, today, lang),
            None => w::S_NEVER.of(lang).to_owned(),
        };
        [Place::of(&s.place).name, last, s.matters.to_string()]
    });
    let late = view.late.iter().map(|l| {
        let holder = Place::of_known(l.holder.as_ref()).name;
        let href = page.href(&format!("/m/{}", escaped(&l.id.to_string())));
        (href, [l.number.clone(), l.title.clone(), holder, l.acts.to_string()])
    });
    let r = &view.rule;
    let rule = match lang {
        Lang::Zh => format!(
            "超期 {} 个工作日点名，{} 个工作日提级督办；退回或上报满 {} 次未答复也提级。没有联系上的不算超期。",
            r.name_after, r.raise_after, r.rounds
        ),
        Lang::En => format!(
            "Named after {} working days, raised after {}; {} returns or steps up without an answer raise it too. A place that is not heard from is not late.",
            r.name_after, r.raise_after, r.rounds
        ),
    };
    let more = view.looked_at_most.map(|most| match lang {
        Lang::Zh => format!("超期的太多，这里只列到期最早的 {most} 件；全部的在看板里。"),
        Lang::En => {
            format!("Too much is overdue: the {most} due earliest are listed; the dashboard has all.")
        }
    });
    SupervisionPage { more, not_heard: not_heard.collect(), late: late.collect(), lists, rule, page }
}

fn row(s: &SupervisedView, page: &Page, today: i64) -> Row {
    let lang = page.lang;
    let due = s.due.as_deref().map_or(String::new(), |d| moments::day_seen(d, today, lang));
    let over = match (lang, s.days_over) {
        (_, 0) => due,
        (Lang::Zh, n) => format!("超期 {n} 个工作日 · {due}"),
        (Lang::En, 1) => format!("1 working day over · {due}"),
        (Lang::En, n) => format!("{n} working days over · {due}"),
    };
    let urged = s.urged.as_deref().map_or(String::new(), |on| {
        let on = moments::day_seen(on, today, lang);
        let why = ground(s.ground.as_deref().unwrap_or(""), lang);
        format!("{} {on}{why}", w::S_URGED.of(lang))
    });
    let seen = s.title.is_some();
    Row {
        href: page.href(&format!("/{}/{}", if seen { "m" } else { "stubs" }, s.id)),
        number: s.number.clone(),
        title: s.title.clone().unwrap_or_else(|| w::S_STUB.of(lang).to_owned()),
        holder: Place::of_known(s.holder.as_ref()).name,
        late: s.days_over > 0,
        over,
        urged,
    }
}

/// Why somebody was urged, where it is not for the time.
pub(super) fn ground(ground: &str, lang: Lang) -> &'static str {
    match ground {
        "returned" => lang.of("：反复退回", ": passed back again and again"),
        "forwarded" => lang.of("：反复上报未答复", ": passed up again and again without an answer"),
        _ => "",
    }
}
