//! `yishi charter`: people and powers of a place. What is issued is shown first, then applied.

use std::path::Path;

use serde_json::{Value, json};
use yishi_protocol::charter::Power;

use super::procedure::contents;
use super::{Desk, items, number, text, truth};
use crate::args::CharterVerb;
use crate::both;
use crate::client::with_query;
use crate::import::clean::for_terminal;
use crate::table::{Cell, Paint, Table};
use crate::trouble::{Trouble, exit};
use crate::words;

/// Runs one verb.
pub async fn run(verb: CharterVerb, desk: &mut Desk) -> Result<(), Trouble> {
    match verb {
        CharterVerb::Show { place } => show(desk, place).await,
        CharterVerb::File { place } => file(desk, place).await,
        CharterVerb::Stage { file } => {
            let staged = stage(desk, &contents(&file)?).await?;
            desk.gave(&staged).map(|_| ())
        }
        CharterVerb::Issue { file, yes } => issue(desk, &file, yes).await,
        CharterVerb::Holidays { year, file, yes } => holidays(desk, year, &file, yes).await,
        CharterVerb::Handover => handover(desk).await,
    }
}

async fn file(desk: &mut Desk, place: Option<String>) -> Result<(), Trouble> {
    let path = with_query("/charter/file", &[("place", place)]);
    let answer = desk.client()?.get(&path).await?;
    if desk.gave(&answer)? {
        return Ok(());
    }
    desk.console.bytes(text(&answer, "file").as_bytes())
}

/// Tries a file; prints its problems and what it changes. A file with errors ends here.
async fn stage(desk: &mut Desk, file: &str) -> Result<Value, Trouble> {
    let staged = desk.client()?.create("/charter/stage", &json!({ "file": file })).await?;
    let problems = problems(desk, &staged)?;
    if problems > 0 {
        return Err(Trouble::Reported {
            status: exit::USAGE,
            words: both!(
                "章程没有发布：{problems} 处错误。现行章程不变，按上面的行、列改好后再试。",
                "The charter was not issued: {problems} errors. The one in force stays; mend the lines above and try again."
            ),
        });
    }
    if !desk.console.json {
        let lang = desk.lang();
        let version = number(&staged, "number");
        desk.console.say(&words!(lang, "章程第 {version} 版：", "Charter, version {version}:"))?;
        let changes = items(&staged, lang.of("changes", "changes_en"));
        if changes.is_empty() {
            desk.console.say(lang.of("  内容与现行章程相同。", "  it says the same as the one in force."))?;
        }
        for change in changes {
            desk.console.say(&format!("  {}", for_terminal(change.as_str().unwrap_or(""))))?;
        }
    }
    Ok(staged)
}

/// Prints the problems of a staged file; returns how many are errors.
pub(super) fn problems(desk: &Desk, staged: &Value) -> Result<usize, Trouble> {
    let lang = desk.lang();
    let mut errors = 0;
    for p in items(staged, "problems") {
        let error = text(p, "severity") == "error";
        errors += usize::from(error);
        let (paint, mark) = match error {
            true => (Paint::Red, lang.of("错误", "error")),
            false => (Paint::Amber, lang.of("提醒", "warning")),
        };
        let (line, column, code) = (number(p, "line"), number(p, "column"), text(p, "code"));
        let said = for_terminal(text(p, lang.of("detail_zh", "detail")));
        desk.console.note(&format!("{line}:{column}: {}: {said} [{code}]", desk.console.paint(paint, mark)));
    }
    Ok(errors)
}

async fn issue(desk: &mut Desk, path: &Path, yes: bool) -> Result<(), Trouble> {
    let file = contents(path)?;
    stage(desk, &file).await?;
    let consequence = desk.lang().of("发布后对本级和所有下级生效。", "Once issued it binds here and below.");
    desk.console.confirm(consequence, yes)?;
    let issued = desk.client()?.create("/charter", &json!({ "file": file })).await?;
    if desk.gave(&issued)? {
        return Ok(());
    }
    desk.console.say(desk.lang().of("已发布。", "Issued."))
}

async fn holidays(desk: &mut Desk, year: i32, path: &Path, yes: bool) -> Result<(), Trouble> {
    let body = json!({ "year": year, "notice": contents(path)? });
    let staged = desk.client()?.create("/charter/notices/stage", &body).await?;
    let lang = desk.lang();
    if !desk.console.json {
        let changes = items(&staged, "changes");
        if changes.is_empty() {
            desk.console.say(lang.of("与现行日历相同。", "The same as the calendar in force."))?;
        }
        for change in changes {
            let day = change.get(0).and_then(Value::as_str).unwrap_or("");
            let how = match change.get(1).and_then(Value::as_str) {
                Some("free") => lang.of("放假", "free"),
                Some("worked") => lang.of("上班", "worked"),
                _ => lang.of("按星期", "as the weekday says"),
            };
            desk.console.say(&format!("  {} {how}", for_terminal(day)))?;
        }
    }
    let open = number(&staged, "open_matters");
    let consequence = words!(
        lang,
        "{open} 件未办结事项的期限会重新计算；下级收到后同样。",
        "The deadlines of {open} open matters are counted anew, below as well once it arrives there."
    );
    desk.console.confirm(&consequence, yes)?;
    let issued = desk.client()?.create("/charter/notices", &body).await?;
    if desk.gave(&issued)? {
        return Ok(());
    }
    desk.console.say(lang.of("已发布。", "Issued."))
}

async fn show(desk: &mut Desk, place: Option<String>) -> Result<(), Trouble> {
    let charter = desk.client()?.get(&with_query("/charter", &[("place", place)])).await?;
    if desk.gave(&charter)? {
        return Ok(());
    }
    let lang = desk.lang();
    let (name, version) = (for_terminal(text(&charter, "place.name")), number(&charter, "number"));
    desk.console.say(&match version {
        0 => words!(lang, "{name}还没有章程。", "{name} has no charter yet."),
        _ => words!(lang, "{name} · 章程第 {version} 版", "{name} · charter, version {version}"),
    })?;
    let names = |value: &Value, path: &str| {
        let names: Vec<String> =
            items(value, path).iter().map(|p| for_terminal(p.as_str().unwrap_or(""))).collect();
        names.join(lang.of("、", ", "))
    };
    let label = |value: &Value| for_terminal(text(value, lang.of("label", "label_en")));
    for d in items(&charter, "today.duty").iter().chain(items(&charter, "today.stations")) {
        desk.console.say(&words!(lang, "今天 {}：{}", "today {}: {}", label(d), names(d, "people")))?;
    }
    for e in items(&charter, "ending") {
        let (what, until, who) = (label(e), text(e, "until"), names(e, "people"));
        let line = match truth(e, "over") {
            true => {
                words!(lang, "{what}任期已于 {until} 届满：{who}", "{what}: the term ended on {until}: {who}")
            }
            false => {
                words!(lang, "{what}任期将于 {until} 届满：{who}", "{what}: the term ends on {until}: {who}")
            }
        };
        desk.console.say(&desk.console.paint(Paint::Amber, &line))?;
    }
    let people = items(&charter, "articles.people");
    let called = |id: &str| {
        let known = people.iter().find(|p| text(p, "id") == id);
        for_terminal(known.map_or(id, |p| text(p, "name")))
    };
    let all = |value: &Value, path: &str| {
        let all: Vec<String> = items(value, path).iter().map(|p| called(p.as_str().unwrap_or(""))).collect();
        all.join(lang.of("、", ", "))
    };
    let title = |v: &Value| for_terminal(text(v, lang.of("title.zh", "title.en")));
    let mut table =
        Table::new(&[lang.of("章程", "Charter"), lang.of("名称", "Name"), lang.of("内容", "Says")])
            .giving_way(2);
    for b in items(&charter, "articles.bodies") {
        let term = format!("{} — {}", text(b, "from"), text(b, "until"));
        table.row(row(lang.of("议事主体", "body"), title(b), format!("{} {}", term, all(b, "members"))));
    }
    for u in items(&charter, "articles.units") {
        table.row(row(lang.of("单位", "unit"), title(u), all(u, "handlers")));
    }
    for c in items(&charter, "articles.collectors") {
        let until = format!("{} — {} {}", text(c, "from"), text(c, "until"), text(c, "area"));
        table.row(row(lang.of("专递员", "collector"), called(text(c, "person")), for_terminal(&until)));
    }
    for c in items(&charter, "categories_above").iter().chain(items(&charter, "articles.categories")) {
        let by = for_terminal(text(c, "by.name"));
        table.row(row(
            lang.of("分类", "category"),
            title(c),
            format!("{} {by}", for_terminal(text(c, "under"))),
        ));
    }
    for p in items(&charter, "powers_above").iter().chain(items(&charter, "articles.powers")) {
        let most = p.get("up_to_yuan").and_then(Value::as_i64).map_or(String::new(), |y| format!("≤ {y} "));
        let says = format!("{} {most}{} {}", text(p, "level"), text(p, "basis"), text(p, "by.name"));
        let power = Power::from_name(text(p, "power")).map_or(text(p, "power"), |p| lang.of(p.zh(), p.en()));
        let what = format!("{power} {}", text(p, "category"));
        table.row(row(lang.of("权限", "power"), for_terminal(&what), for_terminal(&says)));
    }
    for k in items(&charter, "articles.custody") {
        table.row(row(lang.of("保管", "kept"), for_terminal(text(k, "what")), called(text(k, "by"))));
    }
    desk.console.table(&table)
}

fn row(kind: &str, name: String, says: String) -> Vec<Cell> {
    vec![Cell::new(kind, Paint::Dim), Cell::from(name), Cell::from(says.trim())]
}

async fn handover(desk: &mut Desk) -> Result<(), Trouble> {
    let list = desk.client()?.get("/charter/handover").await?;
    if desk.gave(&list)? {
        return Ok(());
    }
    let lang = desk.lang();
    let mut kept = Table::new(&[lang.of("物品", "Thing"), lang.of("保管人", "Kept by")]);
    for k in items(&list, "custody") {
        let leaves = if truth(k, "leaves") { lang.of("（任期届满）", " (term ends)") } else { "" };
        kept.row(vec![
            Cell::from(for_terminal(text(k, "what"))),
            Cell::from(format!("{}{leaves}", for_terminal(text(k, "by")))),
        ]);
    }
    desk.console.table(&kept)?;
    let headers = match lang {
        words::Lang::Zh => ["编号", "事项", "环节", "期限"],
        words::Lang::En => ["Number", "Matter", "Stage", "Due"],
    };
    let mut open = Table::new(&headers).giving_way(1);
    for m in items(&list, "matters") {
        open.row(vec![
            Cell::from(for_terminal(text(m, "number"))),
            Cell::from(for_terminal(text(m, "title"))),
            Cell::from(for_terminal(text(m, lang.of("stage", "stage_en")))),
            Cell::from(text(m, "due")),
        ]);
    }
    desk.console.table(&open)
}
