//! `GET /dashboard`: what is stuck below, at one look. Four figures, the longest waits, then where and since when.
//!
//! The same page for a district over townships and a township over villages. Every figure leads to the matters or
//! stubs behind it ([`super::standings`]), says of how many places it is told, and what was not heard of is hatched
//! and called unknown, never zero.

use super::{
    Page, Place, Visitor,
    chart::{self, Curves, Line},
    html, moments,
    standings::{self, Wait},
    w::{self, dashboard as d},
};
use crate::{
    actions::views::{CategoryView, DashboardView, FlowView, HeardOf, LateView, RowView, WeekView},
    http::{House, body::Query, lang::Lang, problem::Problem, sheets},
    sheets::{Cell, Column, Holds, Row, Sheet, both},
};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;
use std::sync::Arc;
use yishi_protocol::calendar::Date;

/// Rows of the map that are not folded away: a district of usual size whole.
const ROWS_SHOWN: usize = 24;
/// Categories shown; a scheme has some fourteen.
const CATEGORIES_MAX: usize = 24;
/// Silent places named.
const SILENT_SHOWN: usize = 40;

#[derive(Template)]
#[template(path = "dashboard.html")]
struct DashboardPage {
    page: Page,
    /// Whether places stand below.
    over: bool,
    as_of: String,
    figures: Vec<Figure>,
    longest: Vec<Wait>,
    weeks: Vec<String>,
    map: Vec<MapRow>,
    rest: Vec<MapRow>,
    has_earlier: bool,
    chart: String,
    keys: Vec<(String, &'static str)>,
    by_week: Vec<Vec<Figured>>,
    categories: Vec<Bars>,
    by_place: Vec<Vec<Figured>>,
    silent: Vec<(Place, String)>,
    silent_more: Option<String>,
    broken: Figured,
    files: [(String, &'static str); 2],
}

/// One of the four.
struct Figure {
    name: &'static str,
    number: String,
    unit: &'static str,
    href: String,
    tone: &'static str,
    beside: Vec<String>,
    heard: String,
}

/// A figure in a table, and where it leads.
#[derive(Default)]
struct Figured {
    text: String,
    href: String,
    label: &'static str,
    number: bool,
}

struct MapRow {
    place: Place,
    href: String,
    heard: String,
    silent: bool,
    cells: Vec<MapCell>,
}

struct MapCell {
    class: String,
    text: String,
    words: String,
    href: String,
}

struct Bars {
    name: String,
    /// Class, figure, share of the largest in per cent, where it leads.
    cells: [(&'static str, u64, u64, String); 2],
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    format: String,
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
        let view = house.actions.dashboard().await.map_err(Problem::action)?;
        if !asked.format.is_empty() {
            let sheet = sheet(&house, &view);
            if let Some(file) = sheets::file(&sheet, &asked.format, visitor.lang).await? {
                return Ok(file);
            }
        }
        Ok(html(&page_of(&house, &visitor, &view)))
    };
    answer.await.unwrap_or_else(|problem: Problem| visitor.trouble(&house, &problem))
}

/// `听到 96/97 个村`.
fn heard_words(of: HeardOf, villages: bool, lang: Lang) -> String {
    let (heard, all) = (of.heard, of.expected);
    match lang {
        Lang::Zh if villages => format!("听到 {heard}/{all} 个村"),
        Lang::Zh => format!("听到 {heard}/{all} 个单位"),
        Lang::En => format!("heard from {heard} of {all} {}", if villages { "villages" } else { "places" }),
    }
}

/// A Monday as `11/16`.
fn tick(monday: &str) -> String {
    monday.parse::<Date>().map_or_else(
        |_| monday.to_owned(),
        |date| {
            let (_, month, day) = date.ymd();
            format!("{month}/{day}")
        },
    )
}

/// The Monday after a Monday.
fn week_after(monday: &str) -> String {
    let next = monday.parse::<Date>().ok().and_then(|d| Date::from_days(d.days() + 7));
    next.map_or_else(String::new, |d| d.to_string())
}

fn counted(n: u64, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("{n} 件"),
        Lang::En => n.to_string(),
    }
}

fn unknown_words(n: u64, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("另有 {n} 件到了期，承办单位没有联系上，情况未知"),
        Lang::En => format!("{n} more past their day, holder not heard from: unknown"),
    }
}

fn page_of(house: &House, visitor: &Visitor, view: &DashboardView) -> DashboardPage {
    let page = visitor.page(house, "dashboard");
    let (lang, today) = (page.lang, house.actions.today());
    let mondays: Vec<&str> = view.weeks.iter().map(|w| w.monday.as_str()).collect();
    let since = mondays.first().copied().unwrap_or("");
    let list = |pairs: &[(&str, &str)]| page.href(&standings::address(pairs, None));
    let (mut map, mut rest) = (Vec::new(), Vec::new());
    let has_earlier = view.places.iter().any(|r| r.earlier.late + r.earlier.unknown > 0);
    for row in &view.places {
        let one = map_row(row, &mondays, has_earlier, &page, today);
        if map.len() < ROWS_SHOWN { map.push(one) } else { rest.push(one) }
    }
    let mut weeks: Vec<String> = mondays.iter().map(|m| tick(m)).collect();
    if let Some(last) = weeks.last_mut() {
        d::THIS_WEEK.of(lang).clone_into(last);
    }
    let heard = heard_words(view.heard, view.villages, lang);
    let seen = moments::day_seen(&view.day, today, lang);
    let silent_more = view.silent.len().saturating_sub(SILENT_SHOWN);
    let largest = view.categories.iter().map(|c| c.flow.raised.max(c.late)).max().unwrap_or(1).max(1);
    let file = |format: &str| page.href(&format!("/dashboard?format={format}"));
    DashboardPage {
        over: !view.places.iter().all(|r| !r.below),
        as_of: match lang {
            Lang::Zh => format!("截至 {seen}，{heard}（今天或昨天联系上的）"),
            Lang::En => format!("As of {seen}, {heard} (today or yesterday)"),
        },
        figures: figures(view, &page, &heard),
        longest: view.longest.iter().map(|s| standings::wait(s, &page, today)).collect(),
        chart: drawn(view, &weeks, lang),
        keys: [("raised", d::RAISED), ("answered", d::ANSWERED), ("refused", d::REFUSED), ("late", d::LATE)]
            .map(|(class, word)| (chart::key(class), word.of(lang)))
            .into(),
        by_week: view.weeks.iter().rev().map(|w| week_row(w, &page)).collect(),
        categories: view
            .categories
            .iter()
            .take(CATEGORIES_MAX)
            .map(|c| bars(c, largest, since, &page))
            .collect(),
        by_place: view.places.iter().map(|r| place_row(r, since, &page, today)).collect(),
        silent: view
            .silent
            .iter()
            .take(SILENT_SHOWN)
            .map(|(place, last)| (Place::of(place), last_heard(last.as_deref(), today, lang)))
            .collect(),
        silent_more: (silent_more > 0).then(|| match lang {
            Lang::Zh => format!("还有 {silent_more} 个，见“更多：各单位近 12 周的数”。"),
            Lang::En => format!("{silent_more} more: see the figures of each place."),
        }),
        broken: Figured {
            text: counted(view.broken, lang),
            href: list(&[("view", "broken")]),
            ..Figured::default()
        },
        files: [(file("csv"), d::CSV.of(lang)), (file("xlsx"), d::XLSX.of(lang))],
        weeks,
        map,
        rest,
        has_earlier,
        page,
    }
}

fn last_heard(day: Option<&str>, today: i64, lang: Lang) -> String {
    day.map_or_else(|| d::NEVER.of(lang).to_owned(), |day| moments::day_seen(day, today, lang))
}

fn figures(view: &DashboardView, page: &Page, heard: &str) -> Vec<Figure> {
    let lang = page.lang;
    let list = |pairs: &[(&str, &str)]| page.href(&standings::address(pairs, None));
    let this_week = view.weeks.last();
    let monday = this_week.map_or("", |w| w.monday.as_str());
    let flow = this_week.map(|w| w.flow).unwrap_or_default();
    let first = view.longest.first();
    let days = match lang {
        Lang::Zh => "天",
        Lang::En => "days",
    };
    let figure = |name: w::Word, number: String, unit, href, tone, beside| Figure {
        name: name.of(lang),
        number,
        unit,
        href,
        tone,
        beside,
        heard: heard.to_owned(),
    };
    let raised: u64 = view.weeks.iter().map(|w| w.flow.raised).sum();
    let late = match view.late {
        LateView { unknown: 0, .. } => Vec::new(),
        LateView { unknown, .. } => vec![match lang {
            Lang::Zh => format!("另有 {unknown} 件情况未知"),
            Lang::En => format!("{unknown} more: state unknown"),
        }],
    };
    let waits = first.map_or_else(
        || vec![d::NONE_WAITS.of(lang).to_owned()],
        |s| vec![format!("{} {}", s.number, Place::of(&s.home).name)],
    );
    let open = vec![match lang {
        Lang::Zh => format!("近 12 周登记 {raised} 件"),
        Lang::En => format!("{raised} raised in the last 12 weeks"),
    }];
    let week = vec![format!(
        "{} {} · {} {}",
        d::ANSWERED.of(lang),
        flow.answered,
        d::REFUSED.of(lang),
        flow.refused
    )];
    let tone = |yes: bool, tone| if yes { tone } else { "" };
    vec![
        figure(d::OPEN, view.open.to_string(), "", list(&[("view", "open")]), "", open),
        figure(
            d::LATE,
            view.late.late.to_string(),
            "",
            list(&[("view", "late")]),
            tone(view.late.late > 0, "over"),
            late,
        ),
        figure(
            d::LONGEST,
            first.map_or_else(|| "0".to_owned(), |s| s.days.to_string()),
            days,
            list(&[("view", "waiting")]),
            "",
            waits,
        ),
        figure(
            d::CLOSED_WEEK,
            flow.closed.to_string(),
            "",
            list(&[("view", "closed"), ("from", monday)]),
            "",
            week,
        ),
    ]
}

/// How dark a cell is: one, a few, many, very many.
fn step(late: u64) -> &'static str {
    match late {
        0 => "l0",
        1..=2 => "l1",
        3..=5 => "l2",
        6..=9 => "l3",
        _ => "l4",
    }
}

fn map_cell(late: LateView, heard: HeardOf, href: impl FnOnce() -> String, lang: Lang) -> MapCell {
    let nobody = heard.heard == 0 && heard.expected > 0;
    let partly = heard.heard < heard.expected;
    let any = late.late + late.unknown > 0;
    let text = match (nobody, late.unknown) {
        (true, _) if any => format!("{} {}", d::UNKNOWN.of(lang), late.late + late.unknown),
        (true, _) => d::UNKNOWN.of(lang).to_owned(),
        (false, 0) => late.late.to_string(),
        (false, unknown) => format!("{}+{unknown}?", late.late),
    };
    let mut words = match lang {
        Lang::Zh => format!("超期 {} 件，听到 {}/{}", late.late, heard.heard, heard.expected),
        Lang::En => format!("{} overdue, heard from {} of {}", late.late, heard.heard, heard.expected),
    };
    if late.unknown > 0 {
        words.push_str(lang.of("，", ", "));
        words.push_str(&unknown_words(late.unknown, lang));
    }
    let state = match (nobody, partly || late.unknown > 0) {
        (true, _) => " unheard",
        (false, true) => " partly",
        (false, false) => "",
    };
    MapCell {
        class: format!("{}{state}", if nobody { "l0" } else { step(late.late) }),
        text,
        words,
        href: if any { href() } else { String::new() },
    }
}

fn map_row(row: &RowView, mondays: &[&str], has_earlier: bool, page: &Page, today: i64) -> MapRow {
    let lang = page.lang;
    let place = row.place.id.to_string();
    let list = |from: &str, before: &str| {
        let pairs = [("view", "late"), ("place", &*place), ("from", from), ("before", before)];
        page.href(&standings::address(&pairs, None))
    };
    let mut cells = Vec::new();
    if has_earlier {
        let first = mondays.first().copied().unwrap_or("");
        cells.push(map_cell(row.earlier, row.heard, || list("", first), lang));
    }
    for (monday, (late, heard)) in mondays.iter().zip(&row.weeks) {
        cells.push(map_cell(*late, *heard, || list(monday, &week_after(monday)), lang));
    }
    let mut total = map_cell(row.late, row.heard, || list("", ""), lang);
    total.class = "total".to_owned();
    cells.push(total);
    MapRow {
        place: Place::of(&row.place),
        href: page.href(&standings::address(&[("view", "open"), ("place", &place)], None)),
        heard: match row.below {
            true => format!("{}/{}", row.heard.heard, row.heard.expected),
            false => String::new(),
        },
        silent: row.below
            && row
                .last_heard
                .as_deref()
                .and_then(|day| day.parse::<Date>().ok())
                .is_none_or(|day| day.days() < today - 1),
        cells,
    }
}

fn drawn(view: &DashboardView, weeks: &[String], lang: Lang) -> String {
    let line = |class, of: fn(&FlowView, &LateView) -> u64| Line {
        class,
        points: view.weeks.iter().map(|w| of(&w.flow, &w.late)).collect(),
    };
    let lines = [
        line("raised", |flow, _| flow.raised),
        line("answered", |flow, _| flow.answered),
        line("refused", |flow, _| flow.refused),
        line("late", |_, late| late.late),
    ];
    let whole: Vec<bool> = view.weeks.iter().map(|w| w.heard.heard == w.heard.expected).collect();
    let sum = |of: fn(&FlowView) -> u64| view.weeks.iter().map(|w| of(&w.flow)).sum::<u64>();
    let (raised, answered) = (sum(|f| f.raised), sum(|f| f.answered));
    let refused = sum(|f| f.refused);
    let late = view.late.late;
    let about = match lang {
        Lang::Zh => format!(
            "近 12 周登记 {raised} 件，答复 {answered} 件，不予受理或转出 {refused} 件；现在超期 {late} 件。斜线的周没有都听到。各周的数在下面的表里。"
        ),
        Lang::En => format!(
            "In the last 12 weeks {raised} raised, {answered} answered, {refused} refused or referred; {late} overdue now. Of hatched weeks not everybody was heard from. The table below has the figures."
        ),
    };
    let title = d::WEEKS_TITLE.of(lang);
    chart::curves(&Curves { title, about: &about, weeks, whole: &whole, lines: &lines })
}

fn linked(n: u64, label: w::Word, pairs: &[(&str, &str)], page: &Page) -> Figured {
    let href = if n > 0 { page.href(&standings::address(pairs, None)) } else { String::new() };
    Figured { text: n.to_string(), href, label: label.of(page.lang), number: true }
}

fn late_text(late: LateView, lang: Lang) -> String {
    match late.unknown {
        0 => late.late.to_string(),
        unknown => format!("{} · {} {unknown}", late.late, d::UNKNOWN.of(lang)),
    }
}

fn week_row(week: &WeekView, page: &Page) -> Vec<Figured> {
    let next = week_after(&week.monday);
    let of = |view: &'static str, n: u64, label| {
        linked(n, label, &[("view", view), ("from", &week.monday), ("before", &next)], page)
    };
    let mut late = of("late", week.late.late + week.late.unknown, d::LATE);
    late.text = late_text(week.late, page.lang);
    vec![
        Figured {
            text: moments::day(&week.monday, page.lang),
            label: d::WEEK.of(page.lang),
            ..Figured::default()
        },
        of("raised", week.flow.raised, d::RAISED),
        of("answered", week.flow.answered, d::ANSWERED),
        of("refused", week.flow.refused, d::REFUSED),
        of("closed", week.flow.closed, d::CLOSED),
        late,
        Figured {
            text: format!("{}/{}", week.heard.heard, week.heard.expected),
            label: d::HEARD.of(page.lang),
            number: true,
            ..Figured::default()
        },
    ]
}

fn place_row(row: &RowView, since: &str, page: &Page, today: i64) -> Vec<Figured> {
    let place = row.place.id.to_string();
    let of = |view: &'static str, n: u64, label| {
        linked(n, label, &[("view", view), ("place", &place), ("from", since)], page)
    };
    let now =
        |view: &'static str, n: u64, label| linked(n, label, &[("view", view), ("place", &place)], page);
    let mut late = now("late", row.late.late + row.late.unknown, d::LATE);
    late.text = late_text(row.late, page.lang);
    let plain =
        |text: String, label: w::Word| Figured { text, label: label.of(page.lang), ..Figured::default() };
    let heard = match row.below {
        true => (
            format!("{}/{}", row.heard.heard, row.heard.expected),
            last_heard(row.last_heard.as_deref(), today, page.lang),
        ),
        false => (String::new(), String::new()),
    };
    vec![
        plain(Place::of(&row.place).name, d::PLACE),
        of("raised", row.flow.raised, d::RAISED),
        of("answered", row.flow.answered, d::ANSWERED),
        of("refused", row.flow.refused, d::REFUSED),
        of("closed", row.flow.closed, d::CLOSED),
        now("open", row.open, d::OPEN),
        late,
        plain(heard.0, d::HEARD),
        plain(heard.1, d::LAST_HEARD),
    ]
}

fn bars(of: &CategoryView, largest: u64, since: &str, page: &Page) -> Bars {
    let category = if of.category.is_empty() { "-" } else { &of.category };
    let list = |view: &str, from: &str| {
        page.href(&standings::address(&[("view", view), ("category", category), ("from", from)], None))
    };
    let percent = |n: u64| if n == 0 { 0 } else { (n * 100 / largest).max(1) };
    Bars {
        name: match of.category.as_str() {
            "" => d::NO_CATEGORY.of(page.lang).to_owned(),
            name => name.to_owned(),
        },
        cells: [
            ("raised", of.flow.raised, percent(of.flow.raised), list("raised", since)),
            ("late", of.late, percent(of.late), list("late", "")),
        ],
    }
}

/// The figures of each place as a file.
fn sheet(house: &House, view: &DashboardView) -> Sheet {
    let node = house.actions.node();
    let mut columns: Vec<Column> = [
        ("place", d::PLACE, Holds::Text),
        ("heard", d::HEARD, Holds::Text),
        ("last_heard", d::LAST_HEARD, Holds::Day),
        ("raised", d::RAISED, Holds::Number),
        ("answered", d::ANSWERED, Holds::Number),
        ("refused", d::REFUSED, Holds::Number),
        ("closed", d::CLOSED, Holds::Number),
        ("open", d::OPEN, Holds::Number),
        ("late", d::LATE, Holds::Number),
        ("unknown", d::UNKNOWN, Holds::Number),
        ("earlier", d::EARLIER, Holds::Number),
    ]
    .into_iter()
    .map(|(name, word, holds)| standings::column(name, word, holds))
    .collect();
    columns.extend(view.weeks.iter().map(|w| Column {
        name: format!("late_{}", w.monday),
        title: both(
            format!("{} 起一周到期未办", w.monday),
            format!("due in the week of {}, not done", w.monday),
        ),
        holds: Holds::Text,
    }));
    let number = |n: u64| Cell::Number(i64::try_from(n).unwrap_or(i64::MAX));
    let row = |r: &RowView| {
        let mut cells = vec![
            Cell::Text(r.place.name.clone()),
            Cell::Text(format!("{}/{}", r.heard.heard, r.heard.expected)),
            r.last_heard.clone().map_or(Cell::Nothing, Cell::Text),
        ];
        let f = &r.flow;
        cells.extend(
            [f.raised, f.answered, f.refused, f.closed, r.open, r.late.late, r.late.unknown].map(number),
        );
        cells.push(number(r.earlier.late + r.earlier.unknown));
        cells.extend(r.weeks.iter().map(|(late, heard)| match heard.heard {
            0 if heard.expected > 0 => Cell::words("未知", "unknown"),
            _ => number(late.late),
        }));
        Row { cells, matters: Vec::new() }
    };
    Sheet {
        name: "dashboard",
        title: both("看板：各单位近 12 周", "Dashboard: each place in the last 12 weeks"),
        place: node.place.path,
        made_on: node.today,
        about: None,
        notes: vec![both(
            "登记、答复、不予受理和转出、办结按登记单位，未办结和超期按承办单位；各项分别计数，不能相加；没有联系上的写未知。",
            "Raised, answered, refused or referred and closed by who registered, open and overdue by who holds; each stands alone; what was not heard of is unknown.",
        )],
        columns,
        rows: view.places.iter().map(row).collect(),
    }
}
