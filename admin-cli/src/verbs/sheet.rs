//! `yishi sheet list`, `show` and `export`: sheets are made by the node; here they are asked for and put away.

use std::io::IsTerminal;

use serde_json::{Value, json};

use super::{Desk, at, items, text};
use crate::args::{Format, OneSheet, SheetVerb};
use crate::both;
use crate::client::{escaped, with_query};
use crate::export::{self, WriteError};
use crate::table::{Cell, Paint, Table};
use crate::trouble::Trouble;
use crate::words;
use crate::words::Lang;

/// Runs one verb.
pub async fn run(verb: SheetVerb, desk: &mut Desk) -> Result<(), Trouble> {
    match verb {
        SheetVerb::List => list(desk).await,
        SheetVerb::Show(sheet) => show(&sheet, desk).await,
        SheetVerb::Form(verb) => super::sheet_form::run(verb, desk).await,
        SheetVerb::Export { sheet, output, format } => {
            let by_name = output.as_ref().and_then(|path| path.extension());
            let format = match format {
                Some(format) => format,
                None if by_name.is_some_and(|name| name.eq_ignore_ascii_case("xlsx")) => Format::Xlsx,
                None => Format::Csv,
            };
            if output.is_none() && (format == Format::Xlsx || desk.console.json) {
                let screen = std::io::stdout().is_terminal();
                if screen || desk.console.json {
                    return Err(Trouble::Usage(both!(
                        "要用 -o 文件 写入。什么都没有导出。",
                        "It needs -o FILE. Nothing was exported."
                    )));
                }
            }
            let lang = Some(desk.lang().of("zh", "en").to_owned());
            let name = match format {
                Format::Csv => "csv",
                Format::Xlsx => "xlsx",
            };
            let path = with_query(&path(&sheet), &[("format", Some(name.to_owned())), ("lang", lang)]);
            let bytes = desk.client()?.file(&path).await?;
            let Some(output) = &output else { return desk.console.bytes(&bytes) };
            export::save(output, &bytes).map_err(|why| not_written(&why))?;
            let shown = output.display().to_string();
            if desk.gave(&json!({"file": shown, "sheet": sheet.name, "bytes": bytes.len()}))? {
                return Ok(());
            }
            desk.console.say(&words!(desk.lang(), "已存到 {shown}。", "It is in {shown}."))
        }
    }
}

/// The address of a sheet as it is asked for.
fn path(sheet: &OneSheet) -> String {
    let parameters = [
        ("matter", sheet.matter.clone()),
        ("home", sheet.home.clone()),
        ("since", sheet.since.clone()),
        ("until", sheet.until.clone()),
        ("quarter", sheet.quarter.clone()),
        ("month", sheet.month.clone()),
        ("year", sheet.year.clone()),
        ("rate_yuan", sheet.rate.map(|n| n.to_string())),
        ("body", sheet.body.clone()),
        ("names", sheet.names.then(|| "yes".to_owned())),
    ];
    with_query(&format!("/sheets/{}", escaped(&sheet.name)), &parameters)
}

pub(super) fn not_written(why: &WriteError) -> Trouble {
    Trouble::Usage(both!(
        "文件写不成（{why}），原有的文件没有动。请检查路径、权限和磁盘空间。",
        "The file cannot be written ({why}); one that was there is untouched. Check path, permissions and disk space."
    ))
}

async fn list(desk: &mut Desk) -> Result<(), Trouble> {
    let lang = desk.lang();
    let kinds = desk.client()?.get("/sheets").await?;
    if desk.gave(&kinds)? {
        return Ok(());
    }
    let headers = [lang.of("代号", "Name"), lang.of("表", "Sheet"), lang.of("要填", "Asks")];
    let mut table = Table::new(&headers).giving_way(1);
    for kind in items(&kinds, "items") {
        let takes: Vec<&str> = items(kind, "takes").iter().filter_map(Value::as_str).collect();
        let takes = takes.iter().map(|t| option_of(t)).collect::<Vec<_>>().join(" ");
        table.row(vec![
            text(kind, "name").into(),
            text(kind, lang.of("title_zh", "title")).into(),
            Cell::new(&takes, Paint::Dim),
        ]);
    }
    desk.console.table(&table)
}

/// A parameter as it is written here.
fn option_of(parameter: &str) -> String {
    match parameter {
        "rate_yuan" => "--rate".to_owned(),
        other => format!("--{other}"),
    }
}

async fn show(sheet: &OneSheet, desk: &mut Desk) -> Result<(), Trouble> {
    let lang = desk.lang();
    let sheet = desk.client()?.get(&path(sheet)).await?;
    if desk.gave(&sheet)? {
        return Ok(());
    }
    let both = |value: &Value, path: &str| -> String {
        let words = at(value, path);
        words.map_or("", |w| text(w, lang.of("zh", "en"))).to_owned()
    };
    let about = match at(&sheet, "about").is_some_and(|a| !a.is_null()) {
        true => format!("  {} {}", text(&sheet, "about.number"), text(&sheet, "about.title")),
        false => String::new(),
    };
    desk.console.say(&format!("{}{about}  {}", both(&sheet, "title"), text(&sheet, "made_on")))?;
    let headers: Vec<String> = items(&sheet, "columns").iter().map(|c| both(c, "title")).collect();
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let mut table = Table::new(&headers);
    for row in items(&sheet, "rows") {
        table.row(items(row, "cells").iter().map(|c| shown(c, lang).into()).collect());
    }
    desk.console.table(&table)?;
    for note in items(&sheet, "notes") {
        desk.console.note(text(note, lang.of("zh", "en")));
    }
    Ok(())
}

/// A cell: a text, a number, or the node's own words.
fn shown(cell: &Value, lang: Lang) -> String {
    match cell {
        Value::String(text) => text.clone(),
        Value::Number(n) => n.to_string(),
        Value::Object(_) => text(cell, lang.of("zh", "en")).to_owned(),
        _ => String::new(),
    }
}
