//! `GET /charter`: people and powers of this place, who is on duty today, whose term ends. `GET` and
//! `POST /charter/issue`: a file is shown first, with what it changes, and issued by a second press.
//! `GET /charter/handover`: what is handed over, as a sheet to print and sign.

use super::{
    Page, Place, Visitor,
    desk::sent_once,
    forms, html,
    inputs::say,
    moments::dated,
    procedures::{Applied, problem_line},
    w,
};
use crate::{
    actions::views::{CharterView, DutyView, EndingView, HandoverView, StagedCharterView},
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
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use std::{sync::Arc, time::Duration};
use yishi_protocol::{
    charter::{Articles, Authority, Term, weekday},
    problem::Severity,
};

/// How long the page waits for what was issued to be in force.
const READ_STEP: Duration = Duration::from_millis(50);
const READ_STEPS: u32 = 20;

#[derive(Template)]
#[template(path = "charter.html")]
struct CharterPage {
    page: Page,
    done: bool,
    version: String,
    may_issue: bool,
    /// On duty and open today.
    today: Vec<(String, String)>,
    ending: Vec<String>,
    parts: Vec<Part>,
}

/// A list of the charter as a table.
struct Part {
    title: &'static str,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

#[derive(Template)]
#[template(path = "charter_issue.html")]
struct IssuePage {
    page: Page,
    form_token: String,
    once: String,
    file: String,
    trouble: Option<String>,
    shown: Option<Staged>,
}

struct Staged {
    problems: Vec<(String, bool)>,
    changes: Vec<String>,
    version: String,
    sound: bool,
}

#[derive(Template)]
#[template(path = "handover.html")]
struct HandoverPage {
    page: Page,
    day: String,
    list: HandoverView,
    ending: Vec<String>,
    matters: Vec<[String; 4]>,
}

pub(super) async fn show(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Query(came): Query<Applied>,
) -> Response {
    if !visitor.may_read() {
        return visitor.to_sign_in();
    }
    let charter = match house.actions.charter(None).await {
        Ok(charter) => charter,
        Err(e) => return visitor.trouble(&house, &Problem::action(e)),
    };
    let page = visitor.page(&house, "charter");
    let lang = page.lang;
    let duty = |d: &DutyView| {
        let hours = d.hours.as_ref().map_or(String::new(), |h| format!("（{h}）"));
        (format!("{}{hours}", lang.of(&d.label, &d.label_en)), joined(&d.people, lang))
    };
    html(&CharterPage {
        done: came.done(),
        version: version(charter.number, lang),
        may_issue: visitor.caller.as_ref().is_some_and(|c| c.may(Permit::Places)),
        today: charter.today.duty.iter().chain(&charter.today.stations).map(duty).collect(),
        ending: charter.ending.iter().map(|e| ending_line(e, lang)).collect(),
        parts: parts(&charter, lang),
        page,
    })
}

fn version(number: i64, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("章程第 {number} 版"),
        Lang::En => format!("Charter, version {number}"),
    }
}

fn joined<S: AsRef<str>>(names: &[S], lang: Lang) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    names.join(lang.of("、", ", "))
}

/// Yuan in thousands: `50,000`.
fn yuan(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let first = digits.len() % 3;
    let mut out = if n < 0 { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == first {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn ending_line(e: &EndingView, lang: Lang) -> String {
    let who = joined(&e.people, lang);
    let until = dated(&e.until, lang);
    match (lang, e.over) {
        (Lang::Zh, true) => format!("{}任期已于{until}届满：{who}", e.label),
        (Lang::Zh, false) => format!("{}任期将于{until}届满：{who}", e.label),
        (Lang::En, true) => format!("{}: the term ended on {until}: {who}", e.label_en),
        (Lang::En, false) => format!("{}: the term ends on {until}: {who}", e.label_en),
    }
}

fn term(t: &Term, lang: Lang) -> String {
    match (t.from, t.until) {
        (None, None) => lang.of("不限", "open").to_owned(),
        (from, until) => {
            let day = |d: Option<yishi_protocol::calendar::Date>| {
                d.map_or(String::new(), |d| dated(&d.to_string(), lang))
            };
            format!("{} — {}", day(from), day(until))
        }
    }
}

/// The lists that say something, in the order of a day's need.
fn parts(charter: &CharterView, lang: Lang) -> Vec<Part> {
    let a: &Articles = &charter.articles;
    let names = |ids: &[String]| joined(&ids.iter().map(|id| a.name(id)).collect::<Vec<_>>(), lang);
    let mut parts = Vec::new();
    let mut part = |title: w::Word, head: &[w::Word], rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            let head = head.iter().map(|h| h.of(lang)).collect();
            parts.push(Part { title: title.of(lang), head, rows });
        }
    };
    let bodies = a.bodies.iter().map(|b| {
        let count = b.members.len().to_string();
        vec![say(&b.title, lang).to_owned(), term(&b.term, lang), count, names(&b.members)]
    });
    part(w::C_BODIES, &[w::C_BODY, w::C_TERM, w::C_COUNT, w::C_MEMBERS], bodies.collect());
    let units = a.units.iter().map(|u| {
        let note = if u.external { w::C_EXTERNAL.of(lang) } else { "" };
        vec![say(&u.title, lang).to_owned(), names(&u.handlers), note.to_owned()]
    });
    part(w::C_UNITS, &[w::C_UNIT, w::C_HANDLERS, w::C_NOTE], units.collect());
    let collectors = a.collectors.iter().map(|c| {
        let area = c.area.clone().unwrap_or_default();
        vec![a.name(&c.person).to_owned(), area, term(&c.term, lang), yuan(c.allowance_yuan)]
    });
    part(w::C_COLLECTORS, &[w::C_NAME, w::C_AREA, w::C_TERM, w::C_ALLOWANCE], collectors.collect());
    let weekday = |day: &&'static str| lang.of(weekday(day).map_or(*day, |d| d.chinese()), day);
    let stations = a.stations.iter().map(|s| {
        let days: Vec<_> = s.weekdays.iter().map(weekday).collect();
        let hours = s.hours.clone().unwrap_or_default();
        vec![say(&s.title, lang).to_owned(), joined(&days, lang), hours, names(&s.people)]
    });
    part(w::C_STATIONS, &[w::C_STATION, w::C_DAYS, w::C_HOURS, w::C_WHO], stations.collect());
    let rotas = a.rotas.iter().map(|r| {
        vec![say(&r.title, lang).to_owned(), lang.of(r.every.zh(), r.every.en()).to_owned(), names(&r.order)]
    });
    part(w::C_ROTAS, &[w::C_ROTA, w::C_EVERY, w::C_ORDER], rotas.collect());
    let own = (&a.categories[..], Place::of(&charter.place).name);
    let categories = charter.categories_above.iter().map(|d| (&d.category, d.by.name.clone()));
    let categories = categories
        .chain(own.0.iter().map(|c| (c, own.1.clone())))
        .map(|(c, by)| vec![say(&c.title, lang).to_owned(), c.under.clone().unwrap_or_default(), by]);
    part(w::C_CATEGORIES, &[w::C_CATEGORY, w::C_UNDER, w::C_BY], categories.collect());
    let line = |p: &Authority, by: &str| {
        let level = match lang {
            Lang::Zh => crate::actions::level_zh(&p.level).to_owned(),
            Lang::En => p.level.clone(),
        };
        vec![
            lang.of(p.power.zh(), p.power.en()).to_owned(),
            p.category.clone().unwrap_or_else(|| w::C_ALL.of(lang).to_owned()),
            joined(&std::iter::once(level).chain(p.delegated_to.iter().cloned()).collect::<Vec<_>>(), lang),
            p.up_to_yuan.map_or(String::new(), yuan),
            p.basis.clone().unwrap_or_default(),
            by.to_owned(),
        ]
    };
    let powers = charter.powers_above.iter().map(|g| line(&g.line, &g.by.name));
    let powers = powers.chain(a.powers.iter().map(|p| line(p, &charter.place.name)));
    let head = [w::C_POWER, w::C_CATEGORY, w::C_LEVEL, w::C_UP_TO, w::C_BASIS, w::C_BY];
    part(w::C_POWERS, &head, powers.collect());
    let custody = a.custody.iter().map(|k| vec![k.what.clone(), a.name(&k.by).to_owned()]);
    part(w::C_CUSTODY, &[w::C_WHAT, w::C_KEEPER], custody.collect());
    let years = charter.calendar.iter().rev().map(|y| {
        let by = y.by.as_ref().map_or(w::WITH_PROGRAM.of(lang).to_owned(), |by| by.name.clone());
        let issued_on = y.issued_on.as_deref().map_or(String::new(), |d| dated(d, lang));
        vec![y.year.to_string(), by, issued_on]
    });
    part(w::C_CALENDAR, &[w::C_YEAR, w::C_BY, w::C_ISSUED_ON], years.collect());
    parts
}

pub(super) async fn blank(State(house): State<Arc<House>>, visitor: Visitor) -> Response {
    let Some(caller) = &visitor.caller else { return visitor.to_sign_in() };
    if let Err(problem) = caller.must(Permit::Places) {
        return visitor.trouble(&house, &problem);
    }
    match house.actions.charter_file(None).await {
        Ok(file) => issue_page(&house, &visitor, caller, file, None, None),
        Err(e) => visitor.trouble(&house, &Problem::action(e)),
    }
}

fn issue_page(
    house: &House,
    visitor: &Visitor,
    caller: &Caller,
    file: String,
    shown: Option<Staged>,
    trouble: Option<String>,
) -> Response {
    let page = visitor.page(house, "charter");
    let form_token = caller.form_token();
    html(&IssuePage { page, form_token, once: secret::fresh(), file, trouble, shown })
}

pub(super) async fn issue(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    headers: HeaderMap,
    filled: Result<Filled, Problem>,
) -> Response {
    let (caller, filled) = match visitor.admit(&house, &headers, filled, Permit::Places) {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    let file = filled.get("file").to_owned();
    let lang = visitor.lang;
    if filled.get("step") != "apply" {
        return match house.actions.stage_charter(&file).await {
            Ok(staged) => issue_page(&house, &visitor, caller, file, Some(shown(&staged, lang)), None),
            Err(e) => visitor.trouble(&house, &Problem::action(e)),
        };
    }
    match issued(&house, caller, &filled, &file).await {
        Ok(()) => {
            let to = "/charter?done=yes";
            visitor.to(to)
        }
        Err(problem) => {
            let words = Some(forms::plain(&problem, "issue", lang));
            let page = issue_page(&house, &visitor, caller, file, None, words);
            (problem.status(), page).into_response()
        }
    }
}

async fn issued(house: &Arc<House>, caller: &Caller, filled: &Filled, file: &str) -> Answer<()> {
    let hash = secret::hash(file.as_bytes());
    sent_once(house, caller, "/charter/issue", filled, hash, || {
        let (actions, by, file) = (house.actions.clone(), caller.person.clone(), file.to_owned());
        async move {
            let issued = actions.issue_charter(Some(&by), &file).await.map_err(Problem::action)?;
            let body = serde_json::to_value(&issued).map_err(Problem::fault)?;
            Ok(Done { status: StatusCode::CREATED, body })
        }
    })
    .await?;
    // It is issued and durable; what is in force is read a moment later, and the page shows that.
    for _ in 0..READ_STEPS {
        if house.actions.charter_file(None).await.map_err(Problem::action)? == file {
            break;
        }
        tokio::time::sleep(READ_STEP).await;
    }
    Ok(())
}

fn shown(staged: &StagedCharterView, lang: Lang) -> Staged {
    Staged {
        problems: staged.problems.iter().map(|p| problem_line(p, lang)).collect(),
        changes: match lang {
            Lang::Zh => staged.changes.clone(),
            Lang::En => staged.changes_en.clone(),
        },
        version: version(staged.number, lang),
        sound: staged.articles.is_some() && staged.problems.iter().all(|p| p.severity != Severity::Error),
    }
}

pub(super) async fn handover(State(house): State<Arc<House>>, visitor: Visitor) -> Response {
    if !visitor.may_read() {
        return visitor.to_sign_in();
    }
    let list = match house.actions.handover().await {
        Ok(list) => list,
        Err(e) => return visitor.trouble(&house, &Problem::action(e)),
    };
    let page = visitor.page(&house, "charter");
    let lang = page.lang;
    let row = |m: &crate::actions::views::OpenView| {
        let stage = lang.of(&m.stage, &m.stage_en).to_owned();
        let due = m.due.as_deref().map_or(String::new(), |d| dated(d, lang));
        [m.number.clone(), m.title.clone(), stage, due]
    };
    html(&HandoverPage {
        ending: list.ending.iter().map(|e| ending_line(e, lang)).collect(),
        matters: list.matters.iter().map(row).collect(),
        day: dated(&list.day, lang),
        list,
        page,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_stand_in_thousands_and_terms_in_words() {
        for (n, text) in [
            (0, "0"),
            (500, "500"),
            (1_000, "1,000"),
            (50_000, "50,000"),
            (1_234_567, "1,234,567"),
            (-12_000, "-12,000"),
        ] {
            assert_eq!(yuan(n), text);
        }
        let from = "2026-01-31".parse().ok();
        assert_eq!(term(&Term { from, until: None }, Lang::Zh), "2026年1月31日 — ");
        assert_eq!(dated("2026-12-31", Lang::En), "Thu 31 Dec 2026");
    }
}
