//! `yishi sheet form …`: a place's own Excel forms. What is kept is shown first, then confirmed.

use std::io::Read;
use std::path::Path;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::sheet::not_written;
use super::{Desk, items, text, truth};
use crate::args::FormVerb;
use crate::both;
use crate::client::{escaped, with_query};
use crate::export;
use crate::import::clean::for_terminal;
use crate::table::{Cell, Paint, Table};
use crate::trouble::{Trouble, exit};
use crate::words;

/// A file beyond the node's bound is not sent: the node would refuse it whole.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Runs one verb.
pub(super) async fn run(verb: FormVerb, desk: &mut Desk) -> Result<(), Trouble> {
    match verb {
        FormVerb::Add { file, name, yes } => add(desk, &file, name, yes).await,
        FormVerb::List => list(desk).await,
        FormVerb::Show { name } => show(desk, &name).await,
        FormVerb::Export { name, output, quarter, home, partial } => {
            let query =
                [("quarter", quarter), ("home", home), ("partial", partial.then(|| "yes".to_owned()))];
            let path = with_query(&format!("/forms/{}", escaped(&name)), &query);
            let bytes = desk.client()?.file(&path).await?;
            export::save(&output, &bytes).map_err(|why| not_written(&why))?;
            let shown = output.display().to_string();
            if desk.gave(&json!({"file": shown, "form": name, "bytes": bytes.len()}))? {
                return Ok(());
            }
            desk.console.say(&words!(desk.lang(), "已存到 {shown}。", "It is in {shown}."))
        }
        FormVerb::Remove { name, yes } => {
            let shown = for_terminal(&name);
            let consequence = words!(
                desk.lang(),
                "本机不再有“{shown}”这张表；已取走的文件不受影响。",
                "This node will have no form “{shown}” any more; files already made stay."
            );
            desk.console.confirm(&consequence, yes)?;
            let gone = desk.client()?.delete(&format!("/forms/{}", escaped(&name))).await?;
            if desk.gave(&gone)? {
                return Ok(());
            }
            desk.console.say(desk.lang().of("已删除。", "Removed."))
        }
    }
}

fn contents(path: &Path) -> Result<Vec<u8>, Trouble> {
    let shown = for_terminal(&path.display().to_string());
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|f| f.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    let read = read.map_err(|why| {
        Trouble::Usage(both!(
            "{shown} 打不开（{why}），什么都没有改动。",
            "{shown} cannot be opened ({why}); nothing was changed."
        ))
    })?;
    if read as u64 > FILE_BYTES_MAX {
        return Err(Trouble::Usage(both!(
            "{shown} 超过 1 MiB，没有上传。请去掉图片、只留要填的表。",
            "{shown} has more than 1 MiB and was not sent. Take pictures out and keep the sheet to be filled."
        )));
    }
    Ok(bytes)
}

async fn add(desk: &mut Desk, path: &Path, name: Option<String>, yes: bool) -> Result<(), Trouble> {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.unwrap_or(stem);
    let body = json!({ "name": name, "file": BASE64_STANDARD.encode(contents(path)?) });
    let staged = desk.client()?.create("/forms/stage", &body).await?;
    let lang = desk.lang();
    let problems = items(&staged, "problems");
    for problem in problems {
        let (mark, said) = (lang.of("错误", "error"), for_terminal(text(problem, lang.of("zh", "en"))));
        desk.console.note(&format!(
            "{}: {said} [{}]",
            desk.console.paint(Paint::Red, mark),
            text(problem, "code")
        ));
    }
    if !problems.is_empty() {
        let count = problems.len();
        return Err(Trouble::Reported {
            status: exit::USAGE,
            words: both!(
                "表没有保存：{count} 处错误。改好后再试。",
                "The form was not kept: {count} errors. Mend them and try again."
            ),
        });
    }
    if !desk.console.json {
        cells(desk, items(&staged, "cells"))?;
        for unknown in items(&staged, "unknown") {
            let (said, perhaps) =
                (for_terminal(text(unknown, "name")), for_terminal(text(unknown, "perhaps")));
            desk.console.note(&match perhaps.is_empty() {
                true => words!(lang, "不认得、不会填：{said}", "Not known and not filled: {said}"),
                false => words!(
                    lang,
                    "不认得、不会填：{said}（是不是 {perhaps}）",
                    "Not known and not filled: {said} (perhaps {perhaps})"
                ),
            });
        }
        if truth(&staged, "formulas") {
            desk.console.note(lang.of(
                "表里有公式：用 Excel 或 WPS 打开时会重新计算。",
                "It calculates: Excel and WPS do so anew when they open it.",
            ));
        }
    }
    let consequence = match truth(&staged, "replaces") {
        true => lang.of("会替换本机同名的表。", "It takes the place of the form of this name at this node."),
        false => lang.of("会保存在本机，不会发到别处。", "It is kept at this node and travels nowhere."),
    };
    desk.console.confirm(consequence, yes)?;
    let kept = desk.client()?.create("/forms", &body).await?;
    if desk.gave(&kept)? {
        return Ok(());
    }
    desk.console.say(lang.of("已保存。", "Kept."))
}

/// Which cells get what.
fn cells(desk: &Desk, cells: &[Value]) -> Result<(), Trouble> {
    let lang = desk.lang();
    let headers = [lang.of("单元格", "Cell"), lang.of("填什么", "Filled with"), lang.of("季度", "Quarter")];
    let mut table = Table::new(&headers).giving_way(1);
    for cell in cells {
        let period = match text(cell, "period") {
            "" => lang.of("取表时选", "as asked"),
            period => period,
        };
        table.row(vec![
            text(cell, "cell").into(),
            text(cell, lang.of("title.zh", "title.en")).into(),
            Cell::new(period, Paint::Dim),
        ]);
    }
    desk.console.table(&table)
}

async fn list(desk: &mut Desk) -> Result<(), Trouble> {
    let forms = desk.client()?.get("/forms").await?;
    if desk.gave(&forms)? {
        return Ok(());
    }
    let lang = desk.lang();
    let headers = [lang.of("表名", "Name"), lang.of("填几格", "Cells"), lang.of("保存于", "Kept")];
    let mut table = Table::new(&headers).giving_way(0);
    for form in items(&forms, "items") {
        let count = items(form, "cells").len().to_string();
        let day = text(form, "added_at").split('T').next().unwrap_or_default();
        table.row(vec![text(form, "name").into(), count.as_str().into(), day.into()]);
    }
    desk.console.table(&table)
}

async fn show(desk: &mut Desk, name: &str) -> Result<(), Trouble> {
    let forms = desk.client()?.get("/forms").await?;
    let Some(form) = items(&forms, "items").iter().find(|f| text(f, "name") == name.trim()) else {
        let name = for_terminal(name);
        return Err(Trouble::Usage(both!(
            "本机没有“{name}”这张表。看有哪些：yishi sheet form list。",
            "There is no form “{name}” at this node. See yishi sheet form list."
        )));
    };
    if desk.gave(form)? {
        return Ok(());
    }
    cells(desk, items(form, "cells"))
}
