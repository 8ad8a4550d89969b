//! `yishi matter export`: replies by the source's number, in the source's template.

use std::io::IsTerminal;

use serde_json::json;

use super::{Desk, items};
use crate::args::{Export, Format};
use crate::both;
use crate::client::with_query;
use crate::export::{self, WriteError};
use crate::trouble::Trouble;
use crate::words;

/// Runs the verb.
pub async fn run(wanted: Export, desk: &mut Desk) -> Result<(), Trouble> {
    let by_name = wanted.output.as_ref().and_then(|path| path.extension());
    let format = match wanted.format {
        Some(format) => format,
        None if by_name.is_some_and(|name| name.eq_ignore_ascii_case("xlsx")) => Format::Xlsx,
        None => Format::Csv,
    };
    if format == Format::Xlsx
        && wanted.output.is_none()
        && !desk.console.json
        && std::io::stdout().is_terminal()
    {
        return Err(Trouble::Usage(both!(
            "Excel 文件要用 -o 文件.xlsx 写入，不能显示在屏幕上。什么都没有导出。",
            "A workbook needs -o FILE.xlsx, it cannot be shown. Nothing was exported."
        )));
    }
    let path = with_query(
        "/matters/export",
        &[("system", Some(wanted.system.clone())), ("answered_since", wanted.since.clone())],
    );
    let replies = desk.client()?.list(&path, usize::MAX).await?;
    let Some(output) = &wanted.output else {
        if desk.gave(&replies)? {
            return Ok(());
        }
        let bytes = table(&wanted, format, items(&replies, "items")).map_err(|why| no_table(&why))?;
        return desk.console.bytes(&bytes);
    };
    let all = items(&replies, "items");
    let written = table(&wanted, format, all).and_then(|bytes| export::save(output, &bytes));
    written.map_err(|why| no_table(&why))?;
    let (count, shown) = (all.len(), output.display().to_string());
    if desk.gave(&json!({"file": shown, "rows": count, "system": wanted.system}))? {
        return Ok(());
    }
    desk.console.say(&words!(desk.lang(), "已导出 {count} 条到 {shown}。", "{count} rows are in {shown}."))
}

fn table(wanted: &Export, format: Format, items: &[serde_json::Value]) -> Result<Vec<u8>, WriteError> {
    let rows: Vec<Vec<String>> = items.iter().map(|item| wanted.template.cells(item)).collect();
    match format {
        Format::Csv => export::csv(&wanted.template.headers(), &rows),
        Format::Xlsx => export::xlsx(&wanted.template.headers(), &rows),
    }
}

fn no_table(why: &WriteError) -> Trouble {
    Trouble::Usage(both!(
        "导出的文件写不成（{why}），原有的文件没有动。请检查路径、权限和磁盘空间。",
        "The export cannot be written ({why}); a file that was there is untouched. Check path, permissions and disk space."
    ))
}
