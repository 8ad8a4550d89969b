//! `yishi matter import`: a hotline's table into matters.
//!
//! Good rows go in, bad ones are reported with row and reason; nothing is imported in part. A batch is sent
//! again when the connection breaks, and the whole command may be run again: what is there already is skipped
//! by (system, number).

use std::collections::BTreeMap;
use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};

use super::{Desk, items, number, text};
use crate::args::Import;
use crate::both;
use crate::import::columns::Columns;
use crate::import::rows::{self, Bad, Checked, Good};
use crate::import::sheet::{self, Table};
use crate::limits::{
    BAD_ROWS_SHOWN_MAX, HEADER_SEARCH_ROWS_MAX, IMPORT_BYTES_PER_REQUEST_MAX, IMPORT_ROWS_PER_REQUEST_MAX,
    PROGRESS_EVERY_ROWS,
};
use crate::trouble::{Trouble, exit};
use crate::words;
use crate::words::{Both, Lang};

/// What the node has confirmed so far.
#[derive(Debug, Default)]
struct Sent {
    rows: usize,
    last_row: Option<usize>,
    created: i64,
    answered: i64,
    skipped: i64,
}

/// Runs the verb.
pub async fn run(import: Import, desk: &mut Desk) -> Result<(), Trouble> {
    let lang = desk.lang();
    let tables = sheet::open(&import.file, import.sheet.as_deref(), import.encoding.as_deref())
        .map_err(Trouble::Usage)?;
    let (table, columns) = choose(tables, &import).map_err(Trouble::Usage)?;
    if !desk.console.json {
        announce(desk, &table, &columns);
    }
    let today = jiff::Zoned::now().date();
    let Checked { good, mut bad } =
        rows::check(&table, &columns, today, import.from_row, import.limit.unwrap_or(usize::MAX));
    let mut sent = Sent::default();
    let stopped = if import.dry_run {
        None
    } else {
        send(desk, &import.system, &good, &mut sent, &mut bad).await.err()
    };
    bad.sort_by_key(|bad| bad.row);
    let errors_written = import.errors.as_ref().map(|path| write_errors(path, &table, &columns, &bad));
    if desk.console.json {
        let mut report = report(&import, &table, &columns, &good, &bad, &sent);
        if let (Some(trouble), Some(fields)) = (&stopped, report.as_object_mut()) {
            fields.insert(
                "error".to_owned(),
                trouble.document().unwrap_or_default().get("error").cloned().unwrap_or_default(),
            );
        }
        desk.console.document(&report)?;
    } else {
        summary(desk, &import, &good, &bad, &sent, stopped.is_some())?;
    }
    if let Some(Err(trouble)) = errors_written {
        return Err(trouble);
    }
    if let Some(trouble) = stopped {
        return Err(interrupted(&trouble, &sent, lang));
    }
    if bad.is_empty() {
        return Ok(());
    }
    let count = bad.len();
    let words = match &import.errors {
        Some(path) => {
            let path = path.display();
            both!(
                "有 {count} 行不合格，没有导入，已连同原因写入 {path}。改好后导入那个文件即可。",
                "{count} rows were not imported; they are in {path} with their reasons. Correct them there and import that file."
            )
        }
        None => both!(
            "有 {count} 行不合格，没有导入。改好后再运行一次，已导入的会自动跳过；加 --errors 文件.csv 可导出不合格的行。",
            "{count} rows were not imported. Correct them and run it again: what is in is skipped. --errors FILE.csv writes the bad rows."
        ),
    };
    Err(Trouble::Reported { status: exit::PARTLY, words })
}

/// The first table whose columns are found; the first table's reason if none is.
fn choose(tables: Vec<Table>, import: &Import) -> Result<(Table, Columns), Both> {
    let mut first_reason = None;
    for table in tables {
        match Columns::find(&table.head(HEADER_SEARCH_ROWS_MAX), &import.maps) {
            Ok(columns) => return Ok((table, columns)),
            Err(reason) => {
                first_reason.get_or_insert(reason);
            }
        }
    }
    Err(first_reason.unwrap_or_else(|| {
        both!("表格是空的，什么都没有导入。", "The table is empty; nothing was imported.")
    }))
}

fn announce(desk: &Desk, table: &Table, columns: &Columns) {
    let lang = desk.lang();
    let pairs: Vec<String> =
        columns.pairs().map(|(field, header)| format!("{} ← {header}", field.label(lang))).collect();
    let pairs = pairs.join(lang.of("；", "; "));
    let how = match (columns.guessed, lang) {
        (true, Lang::Zh) => "自动认出的列（不对请用 --map 指明）",
        (true, Lang::En) => "Columns recognised (if wrong, name them with --map)",
        (false, Lang::Zh) => "按 --map 取列",
        (false, Lang::En) => "Columns as mapped",
    };
    let (form, data_rows) = (&table.form, table.rows.len().saturating_sub(columns.header_row + 1));
    let sheet = table
        .sheet
        .as_ref()
        .map(|name| words!(lang, "，工作表「{name}」", ", sheet “{name}”"))
        .unwrap_or_default();
    desk.console.note(&words!(
        lang,
        "{form}{sheet}，{data_rows} 行。{how}：{pairs}",
        "{form}{sheet}, {data_rows} rows. {how}: {pairs}"
    ));
}

/// Sends the good rows in batches; rows the node refuses join the bad ones.
async fn send(
    desk: &mut Desk,
    system: &str,
    good: &[Good],
    sent: &mut Sent,
    bad: &mut Vec<Bad>,
) -> Result<(), Trouble> {
    let lang = desk.lang();
    let progress = Progress::new(good.len(), lang);
    let mut rest = good;
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(batch_rows(rest));
        let rows: Vec<Value> = batch.iter().map(Good::document).collect();
        let answer = desk.client()?.create("/matters/import", &json!({"system": system, "rows": rows})).await;
        let answer = answer.inspect_err(|_| progress.finish())?;
        sent.created += number(&answer, "created");
        sent.answered += number(&answer, "answered");
        sent.skipped += number(&answer, "skipped");
        for error in items(&answer, "errors") {
            bad.push(refused_row(error, batch));
        }
        sent.rows += batch.len();
        sent.last_row = batch.last().map(|row| row.row);
        progress.at(desk, sent.rows);
        rest = after;
    }
    progress.finish();
    Ok(())
}

/// How many rows go into the next request: bounded in rows and in bytes, at least one.
fn batch_rows(rest: &[Good]) -> usize {
    let mut bytes = 0usize;
    let fitting = rest.iter().take(IMPORT_ROWS_PER_REQUEST_MAX).take_while(|row| {
        bytes += row.bytes();
        bytes <= IMPORT_BYTES_PER_REQUEST_MAX
    });
    fitting.count().max(1).min(rest.len())
}

fn refused_row(error: &Value, batch: &[Good]) -> Bad {
    let row = usize::try_from(number(error, "row")).unwrap_or(0);
    let ours = batch.iter().find(|good| good.row == row);
    let en = text(error, "detail").to_owned();
    let zh = match text(error, "detail_zh") {
        "" => en.clone(),
        zh => zh.to_owned(),
    };
    Bad {
        row,
        line: ours.map_or(row, |good| good.line),
        number: ours.map(|good| good.number.clone()).unwrap_or_default(),
        code: text(error, "code").to_owned(),
        why: Both::new(zh, en),
    }
}

/// A bar on a terminal, a line now and then elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    total: usize,
    next_line: std::cell::Cell<usize>,
}

impl Progress {
    fn new(total: usize, lang: Lang) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let template = lang.of(
                "导入 {bar:32} {pos}/{len} 行  还要 {eta}",
                "importing {bar:32} {pos}/{len} rows  {eta} left",
            );
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(total as u64).with_style(style)
        });
        Self { bar, total, next_line: PROGRESS_EVERY_ROWS.into() }
    }

    fn at(&self, desk: &Desk, rows: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(rows as u64);
        } else if rows >= self.next_line.get() {
            self.next_line.set(rows - rows % PROGRESS_EVERY_ROWS + PROGRESS_EVERY_ROWS);
            let total = self.total;
            desk.console.note(&words!(desk.lang(), "已送 {rows}/{total} 行", "{rows}/{total} rows sent"));
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn report(
    import: &Import,
    table: &Table,
    columns: &Columns,
    good: &[Good],
    bad: &[Bad],
    sent: &Sent,
) -> Value {
    let columns_named: Map<String, Value> =
        columns.pairs().map(|(field, header)| (field.name().to_owned(), json!(header))).collect();
    json!({
        "file": import.file.display().to_string(),
        "form": table.form,
        "sheet": table.sheet,
        "system": import.system,
        "columns": columns_named,
        "guessed": columns.guessed,
        "dry_run": import.dry_run,
        "good": good.len(),
        "sent": sent.rows,
        "last_row": sent.last_row,
        "created": sent.created,
        "answered": sent.answered,
        "skipped": sent.skipped,
        "bad": bad.iter().map(Bad::document).collect::<Vec<_>>(),
    })
}

fn summary(
    desk: &Desk,
    import: &Import,
    good: &[Good],
    bad: &[Bad],
    sent: &Sent,
    stopped: bool,
) -> Result<(), Trouble> {
    let lang = desk.lang();
    let bad_count = bad.len();
    for bad in bad.iter().take(BAD_ROWS_SHOWN_MAX) {
        let (row, why) = (bad.row, bad.why.of(lang));
        let line = match bad.line {
            line if line == row => String::new(),
            line => words!(lang, "（文件第 {line} 行）", " (line {line} of the file)"),
        };
        let named = match bad.number.as_str() {
            "" => String::new(),
            number => format!(" {number}"),
        };
        desk.console.note(&words!(
            lang,
            "  第 {row} 行{line}{named}：{why}",
            "  row {row}{line}{named}: {why}"
        ));
    }
    if bad_count > BAD_ROWS_SHOWN_MAX {
        let more = bad_count - BAD_ROWS_SHOWN_MAX;
        desk.console.note(&words!(lang, "  还有 {more} 行不合格。", "  and {more} more bad rows."));
    }
    if import.dry_run {
        let count = good.len();
        return desk.console.say(&words!(
            lang,
            "只检查，没有导入：合格 {count} 行，不合格 {bad_count} 行。",
            "Checked only, nothing imported: {count} good rows, {bad_count} bad."
        ));
    }
    let Sent { created, answered, skipped, .. } = sent;
    let head =
        if stopped { lang.of("中途停下", "Stopped midway") } else { lang.of("导入完毕", "Imported") };
    desk.console.say(&words!(
        lang,
        "{head}：新登记 {created} 件，补答复 {answered} 件，早已导入而跳过 {skipped} 件，不合格 {bad_count} 行。",
        "{head}: {created} new matters, {answered} answers added, {skipped} skipped as already there, {bad_count} bad rows."
    ))
}

/// What stopped the import, and that running it again goes on where it stopped.
fn interrupted(trouble: &Trouble, sent: &Sent, lang: Lang) -> Trouble {
    let why = trouble.say(lang);
    let words = match sent.last_row {
        Some(row) => {
            let next = row + 1;
            both!(
                "{why}\n到第 {row} 行为止都已收下。再运行同一条命令即可接着导入（已收下的会跳过），或加 --from-row {next}。",
                "{why}\nAll up to row {row} is in. Run the same command again to go on (what is in is skipped), or add --from-row {next}."
            )
        }
        None => both!(
            "{why}\n一行都还没有导入，可以放心再运行一次。",
            "{why}\nNo row is in yet; it is safe to run it again."
        ),
    };
    Trouble::Reported { status: trouble.exit_status(), words }
}

/// The bad rows as they stood, with row and reason in front: corrected there, the file can be imported itself.
fn write_errors(
    path: &std::path::Path,
    table: &Table,
    columns: &Columns,
    bad: &[Bad],
) -> Result<(), Trouble> {
    let by_row: BTreeMap<usize, &sheet::Row> = table.rows.iter().map(|row| (row.row, row)).collect();
    let mut headers = vec!["行号", "原因", "Reason"];
    headers.extend(columns.headers.iter().map(String::as_str));
    let lines: Vec<Vec<String>> = bad
        .iter()
        .map(|bad| {
            let mut line = vec![bad.row.to_string(), bad.why.zh.clone(), bad.why.en.clone()];
            if let Some(row) = by_row.get(&bad.row) {
                line.extend(row.cells.iter().map(sheet::Cell::text));
            }
            line.resize(line.len().max(headers.len()), String::new());
            line
        })
        .collect();
    // A row with more cells than headers needs columns for them.
    let widest = lines.iter().map(Vec::len).max().unwrap_or(0);
    headers.resize(headers.len().max(widest), "");
    let lines: Vec<Vec<String>> = lines
        .into_iter()
        .map(|mut line| {
            line.resize(headers.len(), String::new());
            line
        })
        .collect();
    let written = crate::export::csv(&headers, &lines).and_then(|bytes| crate::export::save(path, &bytes));
    written.map_err(|why| {
        let shown = path.display();
        Trouble::Usage(both!(
            "不合格的行写不进 {shown}（{why}）；合格的行不受影响。请换一个文件再运行一次，已导入的会跳过。",
            "The bad rows cannot be written to {shown} ({why}); the good ones are not affected. Run it again with another file; what is in is skipped."
        ))
    })
}
