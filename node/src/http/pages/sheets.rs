//! `GET /sheets`: the sheets there are, each with what it asks; `GET /sheets/{name}`: one to look at and print, or
//! as a file.
//!
//! A sheet of one matter bears its number and a code that leads to its page, never the check code: sheets hang on
//! boards, and the check code is the petitioner's.

use super::{
    Page, Visitor,
    desk::shown_at,
    escaped,
    forms::Input,
    html,
    qr::{self, Square},
    w,
};
use crate::{
    http::{
        House,
        body::Query,
        caller::Caller,
        lang::Lang,
        permit::Permit,
        problem::{Answer, Problem},
        sheets,
    },
    sheets::{Cell, Holds, KINDS, Kind, Sheet, SheetQuery, forms},
};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use serde::Deserialize;
use std::sync::Arc;

/// From so many columns on a sheet lies on its side.
const WIDE_COLUMNS: usize = 6;

#[derive(Template)]
#[template(path = "sheets.html")]
struct ListPage {
    page: Page,
    kinds: Vec<Offered>,
    /// Whether this place's own forms stand below: not where a matter's sheets are wanted.
    listed: bool,
    may_add: bool,
    /// Whether one was just kept.
    kept: bool,
    forms_kept: Vec<OwnForm>,
}

/// A form of this place as it is offered.
struct OwnForm {
    title: String,
    action: String,
    inputs: Vec<Input>,
}

/// A sheet as it is offered.
struct Offered {
    title: &'static str,
    about: &'static str,
    action: String,
    inputs: Vec<Input>,
}

/// What the list is asked: a matter whose sheets are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    matter: String,
    kept: String,
}

pub(super) async fn list(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Response {
    let Some(caller) = visitor.caller.as_ref().filter(|_| visitor.may_read()) else {
        return visitor.to_sign_in();
    };
    let page = visitor.page(&house, "sheets");
    let of_one = !wanted.matter.trim().is_empty();
    let kinds = KINDS.iter().filter(|k| !of_one || k.of_matter);
    let kinds = kinds.map(|k| offered(k, &page, caller, &wanted.matter)).collect();
    let forms_kept = match own_forms(&house, &page).await {
        Ok(kept) => kept,
        Err(problem) => return visitor.trouble(&house, &problem),
    };
    let may_add = caller.may(Permit::Places);
    let kept = !wanted.kept.is_empty();
    // Whoever can neither make nor add one is not told of them.
    let listed = !of_one && (may_add || !forms_kept.is_empty());
    html(&ListPage { page, kinds, listed, may_add, kept, forms_kept })
}

async fn own_forms(house: &House, page: &Page) -> Answer<Vec<OwnForm>> {
    let kept = forms::list(&house.actions).await.map_err(sheets::form_refused)?;
    let lang = page.lang;
    let inputs = || {
        vec![
            Input::new("line", "quarter", w::SHEET_QUARTER.of(lang)).hint("2026-Q4"),
            Input::new("line", "home", w::SHEET_HOME.of(lang)),
            Input::new("check", "partial", w::FORM_PARTIAL.of(lang)),
        ]
    };
    let own = |form: forms::KeptForm| OwnForm {
        action: format!("/sheets/forms/{}", escaped(&form.name)),
        title: form.name,
        inputs: inputs(),
    };
    Ok(kept.into_iter().map(own).collect())
}

fn offered(kind: &Kind, page: &Page, caller: &Caller, matter: &str) -> Offered {
    let lang = page.lang;
    let input = |field: &&str| {
        Some(match *field {
            "matter" => {
                let mut input = Input::new("line", "matter", w::SHEET_MATTER.of(lang)).must(true);
                matter.clone_into(&mut input.value);
                input
            }
            "home" => Input::new("line", "home", w::SHEET_HOME.of(lang)),
            "since" => Input::new("day", "since", w::SHEET_SINCE.of(lang)),
            "until" => Input::new("day", "until", w::SHEET_UNTIL.of(lang)),
            "quarter" => Input::new("line", "quarter", w::SHEET_QUARTER.of(lang)).hint("2026-Q4"),
            "month" => Input::new("line", "month", w::SHEET_MONTH.of(lang)).hint("2026-11"),
            "year" => Input::new("line", "year", w::SHEET_YEAR.of(lang)).hint("2026"),
            "rate_yuan" => Input::new("number", "rate_yuan", w::SHEET_RATE.of(lang)).must(true),
            "body" => Input::new("line", "body", w::SHEET_BODY.of(lang)).hint("council"),
            "names" if caller.may(Permit::Petitioner) => {
                Input::new("check", "names", w::SHEET_NAMES.of(lang))
            }
            _ => return None,
        })
    };
    Offered {
        title: lang.of(kind.title_zh, kind.title),
        about: lang.of(kind.about_zh, kind.about),
        action: format!("/sheets/{}", kind.name),
        inputs: kind.takes.iter().filter_map(input).collect(),
    }
}

#[derive(Template)]
#[template(path = "sheet.html")]
struct SheetPage {
    page: Page,
    title: String,
    /// Number and title of the matter, where it is about one, and where its page is.
    about: Option<(String, String, String)>,
    square: Option<Square>,
    place: String,
    made_on: String,
    notes: Vec<String>,
    wide: bool,
    columns: Vec<Shown>,
    rows: Vec<Vec<Shown>>,
    xlsx: String,
    csv: String,
}

/// A header or a cell.
struct Shown {
    text: String,
    number: bool,
}

pub(super) async fn one(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(name): Path<String>,
    headers: HeaderMap,
    query: Result<Query<SheetQuery>, Problem>,
) -> Response {
    let Some(caller) = visitor.caller.as_ref().filter(|_| visitor.may_read()) else {
        return visitor.to_sign_in();
    };
    let answer = async {
        let Query(query) = query?;
        let sheet = sheets::made(&house, caller, &name, &query).await?;
        match sheets::file(&sheet, &query.format, visitor.lang).await? {
            Some(file) => Ok(file),
            None => Ok(printed(&house, &visitor, &headers, sheet, &query)),
        }
    };
    answer.await.unwrap_or_else(|problem: Problem| visitor.trouble(&house, &problem))
}

/// A sheet as a page to print.
pub(in crate::http) fn printed(
    house: &House,
    visitor: &Visitor,
    headers: &HeaderMap,
    sheet: Sheet,
    query: &SheetQuery,
) -> Response {
    let page = visitor.page(house, "sheets");
    let lang = page.lang;
    let address = shown_at(headers, visitor.door);
    let square = sheet.about.as_ref().and_then(|m| {
        qr::square(&match &address {
            Some(at) => format!("{at}/m/{}", m.id),
            None => m.number.clone(),
        })
    });
    let about =
        sheet.about.as_ref().map(|m| (m.number.clone(), m.title.clone(), page.href(&format!("/m/{}", m.id))));
    let as_file = |format: &str| page.href(&address_of(sheet.name, query, format));
    let number = |h: Holds| matches!(h, Holds::Number | Holds::Yuan);
    let shown = SheetPage {
        title: lang.of(&sheet.title.zh, &sheet.title.en).to_owned(),
        about,
        square,
        place: sheet.place.clone(),
        made_on: sheet.made_on.clone(),
        notes: sheet.notes.iter().map(|n| lang.of(&n.zh, &n.en).to_owned()).collect(),
        wide: sheet.columns.len() >= WIDE_COLUMNS,
        columns: sheet
            .columns
            .iter()
            .map(|c| Shown { text: lang.of(&c.title.zh, &c.title.en).to_owned(), number: number(c.holds) })
            .collect(),
        rows: sheet.rows.iter().map(|r| r.cells.iter().map(|c| cell(c, lang)).collect()).collect(),
        xlsx: as_file("xlsx"),
        csv: as_file("csv"),
        page,
    };
    html(&shown)
}

fn cell(cell: &Cell, lang: Lang) -> Shown {
    match cell {
        Cell::Number(n) => Shown { text: n.to_string(), number: true },
        Cell::Text(text) => Shown { text: text.clone(), number: false },
        Cell::Words(words) => Shown { text: lang.of(&words.zh, &words.en).to_owned(), number: false },
        Cell::Nothing => Shown { text: String::new(), number: false },
    }
}

/// The address of a sheet in another format, asked as this one was.
fn address_of(name: &str, query: &SheetQuery, format: &str) -> String {
    let pairs = [
        ("matter", &query.matter),
        ("home", &query.home),
        ("since", &query.since),
        ("until", &query.until),
        ("quarter", &query.quarter),
        ("month", &query.month),
        ("year", &query.year),
        ("names", &query.names),
        ("rate_yuan", &query.rate_yuan),
        ("body", &query.body),
    ];
    let filled = pairs.iter().filter(|(_, v)| !v.is_empty());
    let query: String = filled.map(|(n, v)| format!("&{n}={}", escaped(v))).collect();
    format!("/sheets/{name}?format={format}{query}")
}
