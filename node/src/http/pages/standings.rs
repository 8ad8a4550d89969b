//! `GET /dashboard/list`: the matters or stubs behind a figure of the dashboard, a page at a time or as a file.
//!
//! Of a matter that is not here only what its stub says is shown: number, places, stage and days, no word of it.

use super::{
    Page, Place, Visitor, escaped, html, moments,
    w::{self, dashboard as d},
};
use crate::{
    actions::{StandingsQuery, views::StandingView},
    http::{House, body::Query, lang::Lang, limits, problem::Problem, sheets},
    sheets::{Cell, Column, Holds, ROWS_MAX, Row as SheetRow, Sheet, both},
};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;
use std::sync::Arc;
use yishi_protocol::fold::Violation;

/// The lists there are, in the order they stand above one.
const VIEWS: [(&str, w::Word); 8] = [
    ("waiting", d::L_WAITING),
    ("open", d::L_OPEN),
    ("late", d::L_LATE),
    ("raised", d::L_RAISED),
    ("answered", d::L_ANSWERED),
    ("refused", d::L_REFUSED),
    ("closed", d::L_CLOSED),
    ("broken", d::L_BROKEN),
];

/// A matter that waits, as the dashboard shows it.
pub(super) struct Wait {
    pub(super) days: String,
    pub(super) unit: &'static str,
    pub(super) number: String,
    /// Empty where only its stub is seen here.
    pub(super) href: String,
    /// Where its stub is shown.
    pub(super) stub: String,
    pub(super) title: String,
    pub(super) home: Place,
    pub(super) stage: String,
    pub(super) tone: &'static str,
    pub(super) holder: Place,
    pub(super) over: String,
    pub(super) unknown: bool,
}

/// What a list is asked, and as which file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    #[serde(flatten)]
    query: StandingsQuery,
    format: String,
}

#[derive(Template)]
#[template(path = "standings.html")]
struct ListPage {
    page: Page,
    title: &'static str,
    kinds: Vec<(&'static str, String, bool)>,
    /// What is left out, in words, and the list without that.
    filters: Vec<(String, String)>,
    trouble: Option<String>,
    rows: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
    files: [(String, &'static str); 2],
}

struct Row {
    wait: Wait,
    category: String,
    raised: String,
    due: String,
    late: bool,
    replied: String,
    rules: String,
}

/// The list's address.
pub(super) fn address(pairs: &[(&str, &str)], cursor: Option<&str>) -> String {
    let all = pairs.iter().copied().chain([("cursor", cursor.unwrap_or(""))]);
    let query: Vec<String> =
        all.filter(|(_, v)| !v.is_empty()).map(|(k, v)| format!("{k}={}", escaped(v))).collect();
    if query.is_empty() {
        "/dashboard/list".to_owned()
    } else {
        format!("/dashboard/list?{}", query.join("&"))
    }
}

pub(super) fn column(name: &str, word: w::Word, holds: Holds) -> Column {
    Column { name: name.to_owned(), title: both(word.of(Lang::Zh), word.of(Lang::En)), holds }
}

/// Days over a deadline, in words.
fn over(s: &StandingView, today: i64, lang: Lang) -> String {
    match (lang, s.days_over, s.due.as_deref().filter(|_| s.open)) {
        (Lang::Zh, n, _) if n > 0 => format!("超期 {n} 个工作日"),
        (Lang::En, 1, _) => "1 working day overdue".to_owned(),
        (Lang::En, n, _) if n > 0 => format!("{n} working days overdue"),
        (_, _, Some(due)) => format!("{} {}", d::DUE.of(lang), moments::day_seen(due, today, lang)),
        _ => String::new(),
    }
}

/// One matter that waits.
pub(super) fn wait(s: &StandingView, page: &Page, today: i64) -> Wait {
    let lang = page.lang;
    Wait {
        days: s.days.to_string(),
        unit: match (lang, s.days) {
            (Lang::Zh, _) => "天",
            (Lang::En, 1) => "day",
            (Lang::En, _) => "days",
        },
        number: match s.number.as_str() {
            "" => d::NO_NUMBER.of(lang).to_owned(),
            number => number.to_owned(),
        },
        href: if s.here { page.href(&format!("/m/{}", s.id)) } else { String::new() },
        stub: page.href(&format!("/stubs/{}", s.id)),
        title: s.title.clone().unwrap_or_default(),
        home: Place::of(&s.home),
        stage: w::stage(&s.stage, &s.stage_zh, lang).to_owned(),
        tone: w::tone(&s.stage),
        holder: Place::of_known(s.holder.as_ref()),
        over: over(s, today, lang),
        unknown: s.unknown,
    }
}

fn rules(s: &StandingView, lang: Lang) -> String {
    let named = s.rules.iter().filter_map(|rule| Violation::ALL.iter().find(|v| v.name() == rule));
    let mut words: Vec<&str> = named.map(|v| lang.of(v.zh(), v.en())).collect();
    words.dedup();
    match (words.is_empty(), s.violations) {
        (false, _) => words.join(lang.of("；", "; ")),
        (true, 0) => String::new(),
        (true, n) => format!("{n} {}", d::COUNT_RULES.of(lang)),
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
    let answer = async {
        if !asked.format.is_empty() {
            let sheet = sheet(&house, &asked.query, visitor.lang).await?;
            if let Some(file) = sheets::file(&sheet, &asked.format, visitor.lang).await? {
                return Ok(file);
            }
        }
        Ok(html(&written(&house, &visitor, asked.query).await?))
    };
    answer.await.unwrap_or_else(|problem: Problem| visitor.trouble(&house, &problem))
}

async fn written(house: &House, visitor: &Visitor, asked: StandingsQuery) -> Result<ListPage, Problem> {
    let page = visitor.page(house, "dashboard");
    let (lang, today) = (page.lang, house.actions.today());
    let (found, asked, trouble) = match house.actions.standings(&asked, limits::HTML_ITEMS).await {
        Ok(found) => (found, asked, None),
        // An old address, or one typed by hand: say so, and show the whole list.
        Err(e) => {
            let whole = StandingsQuery::default();
            let found = house.actions.standings(&whole, limits::HTML_ITEMS).await.map_err(Problem::action)?;
            (found, whole, Some(lang.of(&e.zh(), &e.en()).to_owned()))
        }
    };
    let view = if asked.view.is_empty() { "waiting" } else { asked.view.as_str() };
    let pairs = |without: &str| -> Vec<(&'static str, String)> {
        [
            ("view", view),
            ("place", asked.place.as_str()),
            ("from", asked.from.as_str()),
            ("before", asked.before.as_str()),
            ("category", asked.category.as_str()),
        ]
        .into_iter()
        .filter(|(name, _)| *name != without && !(without == "days" && matches!(*name, "from" | "before")))
        .map(|(name, value)| (name, value.trim().to_owned()))
        .collect()
    };
    let link = |pairs: Vec<(&'static str, String)>, extra: &[(&str, &str)], cursor: Option<&str>| {
        let mut all: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (*k, v.as_str())).collect();
        all.extend(extra);
        page.href(&address(&all, cursor))
    };
    let mut filters = Vec::new();
    if !asked.place.trim().is_empty() {
        let name = house
            .actions
            .place_called(&asked.place)
            .map_or_else(|| asked.place.clone(), |p| Place::of(&p).name);
        filters.push((format!("{} {name}", d::PLACE.of(lang)), link(pairs("place"), &[], None)));
    }
    if !asked.from.is_empty() || !asked.before.is_empty() {
        let mut words = Vec::new();
        for (word, day) in [(d::FROM, &asked.from), (d::BEFORE, &asked.before)] {
            if !day.is_empty() {
                words.push(format!("{} {}", word.of(lang), moments::day_seen(day, today, lang)));
            }
        }
        filters.push((words.join(" "), link(pairs("days"), &[], None)));
    }
    if !asked.category.is_empty() {
        let name = if asked.category == "-" { d::NO_CATEGORY.of(lang) } else { asked.category.as_str() };
        filters.push((format!("{} {name}", d::CATEGORY.of(lang)), link(pairs("category"), &[], None)));
    }
    let kinds = VIEWS.iter().map(|(name, word)| {
        let kept = [
            ("view", (*name).to_owned()),
            ("place", asked.place.clone()),
            ("category", asked.category.clone()),
        ];
        (word.of(lang), link(kept.into(), &[], None), *name == view)
    });
    let file = |format: &str| link(pairs(""), &[("format", format)], None);
    Ok(ListPage {
        title: VIEWS.iter().find(|(name, _)| *name == view).map_or(d::L_DUE, |(_, word)| *word).of(lang),
        kinds: kinds.collect(),
        filters,
        trouble,
        rows: found.items.iter().map(|s| row(s, &page, today)).collect(),
        first: asked.cursor.as_ref().map(|_| link(pairs(""), &[], None)),
        next: found.next_cursor.as_deref().map(|c| link(pairs(""), &[], Some(c))),
        files: [(file("csv"), d::CSV.of(lang)), (file("xlsx"), d::XLSX.of(lang))],
        page,
    })
}

fn row(s: &StandingView, page: &Page, today: i64) -> Row {
    let lang = page.lang;
    let day = |d: &Option<String>| d.as_deref().map_or(String::new(), |d| moments::day_seen(d, today, lang));
    let replied = match (&s.answered, &s.refused) {
        (Some(on), _) => format!("{} {}", d::ANSWERED.of(lang), moments::day_seen(on, today, lang)),
        (None, Some(on)) => format!("{} {}", d::REFUSED.of(lang), moments::day_seen(on, today, lang)),
        (None, None) => String::new(),
    };
    Row {
        wait: wait(s, page, today),
        category: s.category.clone().unwrap_or_default(),
        raised: day(&s.raised),
        due: if s.open { day(&s.due) } else { String::new() },
        late: s.days_over > 0,
        replied,
        rules: rules(s, lang),
    }
}

/// The list as a file, as far as a sheet goes.
async fn sheet(house: &House, asked: &StandingsQuery, lang: Lang) -> Result<Sheet, Problem> {
    let node = house.actions.node();
    let rows_max = u32::try_from(ROWS_MAX).unwrap_or(u32::MAX);
    let found = house.actions.standings(asked, rows_max).await.map_err(Problem::action)?;
    let columns = [
        ("number", d::NUMBER, Holds::Text),
        ("title", d::MATTER, Holds::Text),
        ("category", d::CATEGORY, Holds::Text),
        ("home", d::HOME, Holds::Text),
        ("stage", d::STAGE, Holds::Text),
        ("holder", d::HOLDER, Holds::Text),
        ("raised", d::RAISED_ON, Holds::Day),
        ("days", d::DAYS_WAITED, Holds::Number),
        ("due", d::DUE, Holds::Day),
        ("over", d::LATE, Holds::Number),
        ("unknown", d::UNKNOWN, Holds::Text),
        ("answered", d::ANSWERED, Holds::Day),
        ("refused", d::REFUSED, Holds::Day),
        ("moved", d::MOVED_ON, Holds::Day),
        ("rules", d::RULES, Holds::Text),
    ];
    let text = |t: Option<String>| t.map_or(Cell::Nothing, Cell::Text);
    let rows = found.items.iter().map(|s| SheetRow {
        cells: vec![
            Cell::Text(s.number.clone()),
            text(s.title.clone()),
            text(s.category.clone()),
            Cell::Text(s.home.name.clone()),
            Cell::Text(w::stage(&s.stage, &s.stage_zh, lang).to_owned()),
            text(s.holder.as_ref().map(|h| h.name.clone())),
            text(s.raised.clone()),
            Cell::Number(s.days),
            text(s.due.clone().filter(|_| s.open)),
            Cell::Number(s.days_over),
            if s.unknown { Cell::Text(d::UNKNOWN.of(lang).to_owned()) } else { Cell::Nothing },
            text(s.answered.clone()),
            text(s.refused.clone()),
            Cell::Text(s.moved.clone()),
            Cell::Text(rules(s, lang)),
        ],
        matters: vec![s.id],
    });
    let mut notes = Vec::new();
    if found.next_cursor.is_some() {
        notes.push(both(
            format!("只列出前 {ROWS_MAX} 行，请按单位或按周分开导出。"),
            format!("Only the first {ROWS_MAX} rows; ask by place or by week for the rest."),
        ));
    }
    Ok(Sheet {
        name: "dashboard-list",
        title: both("看板：事项和摘要", "Dashboard: matters and summaries"),
        place: node.place.path,
        made_on: node.today,
        about: None,
        notes,
        columns: columns.map(|(name, word, holds)| column(name, word, holds)).into(),
        rows: rows.collect(),
    })
}
