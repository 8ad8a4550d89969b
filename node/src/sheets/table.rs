//! A sheet as CSV and as a workbook.
//!
//! What residents and offices wrote is data, never a formula: in CSV a tab stands before what a spreadsheet
//! would calculate (our own import trims it again), in a workbook such a cell is a string with Excel's own quote
//! mark. Chinese editions take the full-width signs too. Numbers are numbers, so that they add up.

use super::{Cell, Holds, Sheet};
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Workbook, XlsxError};
use yishi_protocol::procedure::graph::Tongue;

/// Why a sheet could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// As CSV.
    #[error("as CSV: {0}")]
    Csv(#[from] csv::Error),
    /// As a workbook.
    #[error("as a workbook: {0}")]
    Xlsx(#[from] XlsxError),
    /// Into memory, which has no reason to fail.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Whether a spreadsheet would calculate this.
fn looks_like_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

fn guarded(text: &str) -> String {
    if looks_like_formula(text) { format!("\t{text}") } else { text.to_owned() }
}

impl Cell {
    /// What stands in it, in one language.
    #[must_use]
    pub fn shown(&self, tongue: Tongue) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Number(n) => n.to_string(),
            Self::Text(text) => text.clone(),
            Self::Words(words) => tongue.pick(&words.zh, &words.en).to_owned(),
        }
    }
}

/// As CSV: UTF-8 with the mark Excel needs, CRLF. Only the table: notes would be rows to whoever reads it.
///
/// # Errors
/// [`WriteError`], which memory gives no reason for.
pub fn csv(sheet: &Sheet, tongue: Tongue) -> Result<Vec<u8>, WriteError> {
    let mut out = b"\xef\xbb\xbf".to_vec();
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(&mut out);
    writer.write_record(sheet.columns.iter().map(|c| guarded(tongue.pick(&c.title.zh, &c.title.en))))?;
    for row in &sheet.rows {
        writer.write_record(row.cells.iter().map(|cell| match cell {
            Cell::Number(n) => n.to_string(),
            other => guarded(&other.shown(tongue)),
        }))?;
    }
    writer.flush()?;
    drop(writer);
    Ok(out)
}

/// As a workbook of one page: title, who made it when, the table, the notes under it, ready for A4.
///
/// # Errors
/// [`WriteError`], which memory gives no reason for.
pub fn xlsx(sheet: &Sheet, tongue: Tongue) -> Result<Vec<u8>, WriteError> {
    let mut book = Workbook::new();
    let top = Format::new().set_bold().set_font_size(16);
    let head = Format::new().set_bold().set_border(FormatBorder::Thin).set_text_wrap();
    let cell = Format::new().set_border(FormatBorder::Thin).set_text_wrap().set_align(FormatAlign::Top);
    let text = cell.clone().set_num_format("@");
    let quoted = text.clone().set_quote_prefix();
    let small = Format::new();
    let page = book.add_worksheet();
    page.set_paper_size(9).set_landscape().set_print_fit_to_pages(1, 0);
    let title = tongue.pick(&sheet.title.zh, &sheet.title.en);
    page.write_string_with_format(0, 0, title, &top)?;
    let about = sheet.about.as_ref().map(|m| format!("{} {}　", m.number, m.title)).unwrap_or_default();
    let made = format!("{about}{}　{}", sheet.place, sheet.made_on);
    page.write_string_with_format(1, 0, &made, &small)?;
    for (column, c) in (0u16..).zip(&sheet.columns) {
        page.write_string_with_format(2, column, tongue.pick(&c.title.zh, &c.title.en), &head)?;
        let wide = match c.holds {
            Holds::Text => 24,
            Holds::Number | Holds::Yuan | Holds::Day => 12,
        };
        page.set_column_width(column, wide)?;
    }
    page.set_freeze_panes(3, 0)?;
    page.set_repeat_rows(2, 2)?;
    let mut line = 3_u32;
    for row in &sheet.rows {
        for (column, value) in (0u16..).zip(&row.cells) {
            match value {
                // Below 2^53, where Excel's numbers are whole: every count and sum of yuan is.
                Cell::Number(n) => page.write_number_with_format(line, column, *n as f64, &cell)?,
                other => {
                    let shown = other.shown(tongue);
                    let format = if looks_like_formula(&shown) { &quoted } else { &text };
                    page.write_string_with_format(line, column, shown, format)?
                }
            };
        }
        line += 1;
    }
    for note in &sheet.notes {
        line += 1;
        page.write_string_with_format(line, 0, tongue.pick(&note.zh, &note.en), &small)?;
    }
    Ok(book.save_to_buffer()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheets::{Column, Row, both};

    fn sheet() -> Sheet {
        let column =
            |name: &str, holds| Column { name: name.into(), title: both("=标题", "@title"), holds };
        let row = |cells| Row { cells, matters: Vec::new() };
        Sheet {
            name: "x",
            title: both("表", "Sheet"),
            place: "芦稿村".into(),
            made_on: "2026-11-23".into(),
            about: None,
            notes: vec![both("=注", "=note")],
            columns: vec![column("a", Holds::Text), column("b", Holds::Yuan)],
            rows: vec![
                row(vec![Cell::Text("=HYPERLINK(\"http://x\")".into()), Cell::Number(-5)]),
                row(vec![Cell::Text("＋86 138".into()), Cell::Nothing]),
                row(vec![Cell::words("-减", "+plus"), Cell::Number(7)]),
            ],
        }
    }

    #[test]
    fn nothing_in_a_csv_is_calculated_and_numbers_stay_numbers() {
        let text = String::from_utf8(csv(&sheet(), Tongue::Zh).unwrap()).unwrap();
        let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
        assert_eq!(
            lines,
            ["\t=标题,\t=标题", "\"\t=HYPERLINK(\"\"http://x\"\")\",-5", "\t＋86 138,", "\t-减,7"]
        );
        assert!(String::from_utf8(csv(&sheet(), Tongue::En).unwrap()).unwrap().contains("\t+plus,7"));
    }

    #[test]
    fn a_workbook_has_no_formula_and_its_numbers_add_up() {
        use calamine::{Data, Reader, Xlsx};
        let bytes = xlsx(&sheet(), Tongue::Zh).unwrap();
        let mut book: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
        let name = book.sheet_names().first().unwrap().clone();
        assert_eq!(book.worksheet_formula(&name).unwrap().used_cells().count(), 0);
        let range = book.worksheet_range(&name).unwrap();
        let at = |row, column| range.get_value((row, column)).cloned().unwrap_or(Data::Empty);
        assert_eq!(at(0, 0), Data::String("表".into()));
        assert_eq!(at(2, 0), Data::String("=标题".into()));
        assert_eq!(at(3, 0), Data::String("=HYPERLINK(\"http://x\")".into()));
        assert_eq!(at(3, 1), Data::Float(-5.0));
        assert_eq!(at(5, 0), Data::String("-减".into()));
        assert_eq!(at(7, 0), Data::String("=注".into()));
    }
}
