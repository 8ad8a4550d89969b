//! Writing replies in somebody else's template, so that nobody retypes them.
//!
//! What residents and offices wrote is data, never a formula: a cell that a spreadsheet would start to
//! calculate is marked as text.

use std::io::Write;
use std::path::Path;
use std::str::FromStr;

use rust_xlsxwriter::{Format, Workbook, XlsxError};
use serde_json::Value;
use thiserror::Error;

use crate::both;
use crate::words::Both;

/// What a column of an export can show, and where the API keeps it.
const FIELDS: &[(&str, &str)] = &[
    ("number", "external_number"),
    ("matter", "number"),
    ("title", "title"),
    ("answer", "answer"),
    ("answered_on", "answered_on"),
    ("stage", "stage"),
    ("stage_zh", "stage_zh"),
];

/// Columns of an export: header and field, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    columns: Vec<(String, &'static str)>,
}

impl FromStr for Template {
    type Err = Both;

    fn from_str(text: &str) -> Result<Self, Both> {
        let mut columns = Vec::new();
        for part in text.split([',', '，']).map(str::trim).filter(|part| !part.is_empty()) {
            let (header, field) = part.split_once('=').ok_or_else(|| {
                both!("模板「{part}」要写成 表头=字段", "“{part}” in the template must be HEADER=FIELD")
            })?;
            let key = FIELDS.iter().find(|(name, _)| *name == field.trim()).map(|(_, key)| *key).ok_or_else(
                || {
                    let known = FIELDS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
                    both!(
                        "模板里没有「{field}」这个字段，可用的有：{known}",
                        "the template does not know the field “{field}”; there are: {known}"
                    )
                },
            )?;
            columns.push((header.trim().to_owned(), key));
        }
        if columns.is_empty() {
            return Err(both!("模板是空的", "the template is empty"));
        }
        Ok(Self { columns })
    }
}

impl Template {
    /// The headers.
    pub fn headers(&self) -> Vec<&str> {
        self.columns.iter().map(|(header, _)| header.as_str()).collect()
    }

    /// One item's cells.
    pub fn cells(&self, item: &Value) -> Vec<String> {
        let text = |key: &str| match item.get(key) {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(other) => other.to_string(),
        };
        self.columns.iter().map(|(_, key)| text(key)).collect()
    }
}

/// Why a table could not be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// CSV.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// A workbook.
    #[error(transparent)]
    Xlsx(#[from] XlsxError),
    /// The file.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Whether a spreadsheet would calculate this. Chinese editions take the full-width signs too.
fn looks_like_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

/// A cell of CSV that stays text: a tab before it, which our own import (and most others) trims again.
pub fn guarded(text: &str) -> String {
    if looks_like_formula(text) { format!("\t{text}") } else { text.to_owned() }
}

/// A table as CSV: UTF-8 with the mark Excel needs, CRLF, guarded.
pub fn csv<'a>(
    headers: &[&str],
    rows: impl IntoIterator<Item = &'a Vec<String>>,
) -> Result<Vec<u8>, WriteError> {
    let mut out = b"\xef\xbb\xbf".to_vec();
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(&mut out);
    writer.write_record(headers.iter().map(|header| guarded(header)))?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| guarded(cell)))?;
    }
    writer.flush()?;
    drop(writer);
    Ok(out)
}

/// A table as a workbook. Every cell is a string, so long numbers keep their digits; what looks like a formula
/// gets Excel's own quote mark, so that editing the cell does not turn it into one.
pub fn xlsx<'a>(
    headers: &[&str],
    rows: impl IntoIterator<Item = &'a Vec<String>>,
) -> Result<Vec<u8>, WriteError> {
    let mut book = Workbook::new();
    let (bold, plain) = (Format::new().set_bold(), Format::new().set_text_wrap().set_num_format("@"));
    let quoted = plain.clone().set_quote_prefix();
    let sheet = book.add_worksheet();
    for (column, header) in (0u16..).zip(headers) {
        sheet.write_string_with_format(0, column, *header, &bold)?;
        sheet.set_column_width(column, 24)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    for (line, row) in (1u32..).zip(rows) {
        for (column, cell) in (0u16..).zip(row) {
            let format = if looks_like_formula(cell) { &quoted } else { &plain };
            sheet.write_string_with_format(line, column, cell, format)?;
        }
    }
    Ok(book.save_to_buffer()?)
}

/// Writes a file whole or not at all: an export that stopped halfway is not left lying about as if complete.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = std::fs::File::create(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let moved = written.and_then(|()| std::fs::rename(&part, path));
    if moved.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    Ok(moved?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_template_names_headers_and_fields() {
        let template: Template = "留言编号=number, 答复意见=answer，本系统编号=matter".parse().unwrap();
        assert_eq!(template.headers(), ["留言编号", "答复意见", "本系统编号"]);
        let item = json!({"external_number": "A1", "number": "芦稿-2026-0187", "answer": null});
        assert_eq!(template.cells(&item), ["A1", "", "芦稿-2026-0187"]);
        assert!("a=b".parse::<Template>().unwrap_err().en.contains("answered_on"));
        assert!("a".parse::<Template>().is_err());
        assert!("".parse::<Template>().is_err());
    }

    #[test]
    fn nothing_in_a_csv_is_calculated_and_all_of_it_reads_back() {
        let rows =
            vec![vec!["=HYPERLINK(\"http://x\")".to_owned(), "＋1".to_owned(), "第一行\n第二行".to_owned()]];
        let bytes = csv(&["@a", "b", "c"], &rows).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.starts_with("\u{feff}\t@a,b,c\r\n\"\t=HYPERLINK("), "{text:?}");
        let table = crate::import::sheet::text(&bytes, None).unwrap();
        let cell = |column: usize| crate::import::clean::line(&table.rows[1].cells[column].text());
        assert_eq!(cell(0), rows[0][0]);
        assert_eq!(cell(1), "＋1");
    }

    #[test]
    fn a_workbook_keeps_strings_as_they_are() {
        let rows = vec![vec!["20200102130405123".to_owned(), "=1+1".to_owned()]];
        let bytes = xlsx(&["编号", "答复"], &rows).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.xlsx");
        save(&path, &bytes).unwrap();
        let tables = crate::import::sheet::open(&path, None, None).unwrap();
        let got: Vec<String> = tables[0].rows[1].cells.iter().map(crate::import::sheet::Cell::text).collect();
        assert_eq!(got, rows[0]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no half file is left");
    }
}
