//! A district's own Excel form, filled from what is on record.
//!
//! The form is a workbook in which cells bear names: `yishi.raised.2026Q4`, `yishi.raised`, or the figure's own
//! title `登记事项总数`. Filling it writes into these cells and nowhere else: every other part of the file is handed
//! on as the bytes it came as, and of a sheet only the cells written to change.
//!
//! ```text
//! bytes ──▶ package (a bounded zip) ──▶ names (what they mean, where they point) ──▶ cells (spliced into the XML)
//! ```
//!
//! No library is used that reads a workbook and writes it anew: each loses something of the formatting, and holds
//! the whole book in memory many times over, which a village's machine has not got. Invariants: nothing is
//! inflated beyond [`INFLATED_BYTES_MAX`]; a cell with a formula is never overwritten; a form with macros or with
//! ties to other files is refused; spreadsheets calculate anew when they open what was filled.

mod cells;
mod names;
mod package;

pub use names::{Cell, Figure, Figures, Period, Unknown};

use self::cells::{Sheet, Wanted};
use package::Package;
use serde::Serialize;
use std::collections::BTreeMap;

/// The largest file: a form with a picture of a seal in it.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
/// All of a form's parts together, inflated. Forms that are not bombs stay below a tenth.
pub(crate) const INFLATED_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Parts of a form; a workbook of ten sheets has some forty.
pub(crate) const PARTS_MAX: usize = 500;
/// Names of cells in one form.
pub(crate) const NAMES_MAX: usize = 500;
/// Different quarters in one form, since each is counted from the matters: two years.
pub(crate) const QUARTERS_MAX: usize = 8;

/// What is wrong with a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{en}")]
pub struct Trouble {
    /// Stable name.
    pub code: &'static str,
    /// The cell's name, where it is one's.
    pub name: Option<String>,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Trouble {
    pub(crate) fn new(code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { code, name: None, zh: zh.into(), en: en.into() }
    }

    fn of(name: &str, code: &'static str, zh: &str, en: &str) -> Self {
        let (zh, en) = (format!("名称“{name}”{zh}"), format!("The name “{name}” {en}"));
        Self { code, name: Some(name.to_owned()), zh, en }
    }

    /// The file cannot be read as a workbook.
    fn broken(why: impl std::fmt::Display) -> Self {
        Self::new(
            "not_readable",
            format!("文件读不懂（{why}）。请用 Excel 或 WPS 打开，另存为 .xlsx 再上传"),
            format!(
                "The file cannot be read ({why}). Open it in Excel or WPS, save it as .xlsx and send it again"
            ),
        )
    }
}

/// What was found in a form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// What is wrong; with any of it the form is not kept.
    pub problems: Vec<Trouble>,
    /// The cells that will be filled.
    pub cells: Vec<Cell>,
    /// Names that mean nothing here; they are left alone.
    pub unknown: Vec<Unknown>,
    /// Whether something in it is calculated.
    pub formulas: bool,
}

/// Looks through a form.
#[must_use]
pub fn look(bytes: &[u8], figures: &Figures) -> Found {
    let mut found = Found::default();
    if let Err(trouble) = look_into(bytes, figures, &mut found) {
        found.problems.push(trouble);
    }
    found
}

fn look_into(bytes: &[u8], figures: &Figures, found: &mut Found) -> Result<(), Trouble> {
    let mut package = Package::open(bytes)?;
    package.inflate_all()?;
    let book = names::Book::read(&mut package)?;
    let (cells, unknown, problems) = book.cells(figures);
    found.unknown = unknown;
    found.problems.extend(problems);
    if cells.is_empty() && found.problems.is_empty() {
        found.problems.push(no_name(found));
    }
    // Written once to see that it can be.
    let mut tried: BTreeMap<&str, Vec<Wanted>> = BTreeMap::new();
    for cell in &cells {
        tried.entry(&cell.part).or_default().push(Wanted::new(cell, Value::Number(0)));
    }
    for part in book.sheets() {
        let sheet = Sheet::read(&package.text(part)?)?;
        found.formulas |= sheet.formulas();
        if let Some(wanted) = tried.get(part) {
            found.problems.extend(sheet.write(wanted).err().unwrap_or_default());
        }
    }
    found.cells = cells;
    Ok(())
}

fn no_name(found: &Found) -> Trouble {
    let (zh, en) = match found.unknown.is_empty() {
        true => (String::new(), String::new()),
        false => ("，已有的名称都不认得".to_owned(), ", and none of the names it has is known".to_owned()),
    };
    Trouble::new(
        "no_known_name",
        format!(
            "表里没有可填的单元格{zh}。请在 Excel 里选中单元格，在左上角的名称框写上指标名，如“登记事项总数”或 yishi.raised.2026Q4"
        ),
        format!(
            "No cell in it can be filled{en}. Select a cell in Excel and write the figure's name into the name box at the top left, such as 登记事项总数 or yishi.raised.2026Q4"
        ),
    )
}

/// What is written into a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A count.
    Number(i64),
    /// Words.
    Text(String),
}

/// Fills a form: `value` says what each cell gets; `None` leaves it as it is.
///
/// # Errors
/// [`Trouble`], the first there is: what was kept has been looked through, so it is a damaged file.
pub fn fill(
    bytes: &[u8],
    figures: &Figures,
    value: impl Fn(&Cell) -> Option<Value>,
) -> Result<Vec<u8>, Trouble> {
    let mut package = Package::open(bytes)?;
    let book = names::Book::read(&mut package)?;
    let (cells, _, problems) = book.cells(figures);
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem);
    }
    let mut wanted: BTreeMap<&str, Vec<Wanted>> = BTreeMap::new();
    for cell in &cells {
        if let Some(value) = value(cell) {
            wanted.entry(&cell.part).or_default().push(Wanted::new(cell, value));
        }
    }
    let mut changed: BTreeMap<String, String> = BTreeMap::new();
    for (part, wanted) in &wanted {
        let sheet = Sheet::read(&package.text(part)?)?;
        let written = sheet
            .write(wanted)
            .map_err(|all| all.into_iter().next().unwrap_or_else(|| Trouble::broken("no reason given")))?;
        changed.insert((*part).to_owned(), written);
    }
    let (part, text) = book.calculated_anew()?;
    changed.insert(part, text);
    package.with(&changed)
}

#[cfg(test)]
mod tests;
