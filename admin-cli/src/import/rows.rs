//! From a table's rows to matters that may be sent, or to a reason why not.
//!
//! A row is taken whole or not at all. Each reason names what is wrong in both languages and is tied to the
//! row's number in the file, so that somebody with the file open finds it.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};
use yishi_protocol::limits::{SHORT_BYTES_MAX, TEXT_CHARS_MAX};

use super::clean;
use super::columns::{Columns, Field};
use super::dates::{self, When};
use super::sheet::{Cell, Row, Table};
use crate::both;
use crate::limits::MADE_TITLE_CHARS_MAX;
use crate::words::Both;

/// A row fit to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Good {
    /// The row in the file.
    pub row: usize,
    /// The line in a text file.
    pub line: usize,
    /// The source's number.
    pub number: String,
    /// One line.
    pub title: String,
    /// The text.
    pub body: String,
    /// The source's category.
    pub category: Option<String>,
    /// The day it was raised.
    pub raised_on: Date,
    /// The reply already given.
    pub answer: Option<String>,
    /// The day of the reply.
    pub answered_on: Option<Date>,
}

impl Good {
    /// The row as the API takes it.
    pub fn document(&self) -> Value {
        let mut row = json!({
            "row": self.row, "number": self.number, "title": self.title, "body": self.body,
            "raised_on": self.raised_on.to_string(),
        });
        if let Some(fields) = row.as_object_mut() {
            let mut put = |key: &str, value: Option<String>| {
                if let Some(value) = value {
                    fields.insert(key.to_owned(), Value::String(value));
                }
            };
            put("category", self.category.clone());
            put("answer", self.answer.clone());
            put("answered_on", self.answered_on.map(|day| day.to_string()));
        }
        row
    }

    /// About how many bytes it is on the wire.
    pub fn bytes(&self) -> usize {
        self.body.len() + self.title.len() + self.answer.as_ref().map_or(0, String::len) + 300
    }
}

/// A row that is not imported, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// The row in the file.
    pub row: usize,
    /// The line in a text file.
    pub line: usize,
    /// The source's number, if it could be read.
    pub number: String,
    /// A stable code.
    pub code: String,
    /// The reason.
    pub why: Both,
}

impl Bad {
    /// The reason as a program reads it.
    pub fn document(&self) -> Value {
        json!({
            "row": self.row, "line": self.line, "number": self.number, "code": self.code,
            "detail": self.why.en, "detail_zh": self.why.zh,
        })
    }
}

/// What a table's rows came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Rows fit to be sent, in order.
    pub good: Vec<Good>,
    /// Rows that are not, in order.
    pub bad: Vec<Bad>,
}

/// Checks the rows below the header, at most `limit` of them, from spreadsheet row `from_row` on.
pub fn check(table: &Table, columns: &Columns, today: Date, from_row: usize, limit: usize) -> Checked {
    let mut checked = Checked::default();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut taken = 0usize;
    for row in table.rows.iter().skip(columns.header_row + 1) {
        let number =
            field(row, columns, Field::Number).map(|cell| clean::code(&cell.text())).unwrap_or_default();
        // Rows before `from_row` were imported by an earlier run; their numbers still make later ones doubles.
        let earlier = (!number.is_empty()).then(|| seen.get(&number).copied()).flatten();
        if earlier.is_none() && !number.is_empty() {
            seen.insert(number.clone(), row.row);
        }
        if row.row < from_row {
            continue;
        }
        if taken == limit {
            break;
        }
        taken += 1;
        let result = match earlier {
            Some(first) => Err((
                "duplicate_number",
                both!(
                    "编号 {number} 与第 {first} 行重复",
                    "the number {number} stands in row {first} already"
                ),
            )),
            None => good(row, columns, &number, today),
        };
        match result {
            Ok(good) => checked.good.push(good),
            Err((code, why)) => {
                checked.bad.push(Bad { row: row.row, line: row.line, number, code: code.to_owned(), why });
            }
        }
    }
    checked
}

type Reason = (&'static str, Both);

fn good(row: &Row, columns: &Columns, number: &str, today: Date) -> Result<Good, Reason> {
    whole_row(row, columns)?;
    check_number(row, columns, number)?;
    let body = text(row, columns, Field::Body)?.unwrap_or_default();
    if body.is_empty() {
        return Err(("no_body", both!("没有内容", "there is no text")));
    }
    let title = text(row, columns, Field::Title)?.filter(|title| !title.is_empty());
    let title = title.unwrap_or_else(|| clean::title_from(&body, MADE_TITLE_CHARS_MAX));
    let category = text(row, columns, Field::Category)?.filter(|category| !category.is_empty());
    let raised_on = match day(row, columns, Field::RaisedAt)? {
        Some(raised) => raised.day,
        None => return Err(("no_date", both!("没有提出时间", "there is no date of raising"))),
    };
    let answer = text(row, columns, Field::Answer)?.filter(|answer| !answer.is_empty());
    let answered_on = day(row, columns, Field::AnsweredAt)?.map(|answered| answered.day);
    // A day of slack: the file may come from a clock that is ahead.
    let latest = today.checked_add(1.day()).unwrap_or(today);
    for (label, day) in [
        (("提出时间", "date of raising"), Some(raised_on)),
        (("答复时间", "date of the answer"), answered_on),
    ] {
        if let Some(day) = day.filter(|day| *day > latest) {
            let (zh, en) = label;
            return Err((
                "date_ahead",
                both!("{zh} {day} 在今天（{today}）之后", "the {en}, {day}, is after today ({today})"),
            ));
        }
    }
    if answer.is_some()
        && let Some(answered_on) = answered_on.filter(|day| *day < raised_on)
    {
        return Err((
            "answer_before_question",
            both!(
                "答复时间 {answered_on} 早于提出时间 {raised_on}",
                "the answer’s date, {answered_on}, is before the question’s, {raised_on}"
            ),
        ));
    }
    // The day of a reply that is not there says nothing.
    let answered_on = answered_on.filter(|_| answer.is_some());
    Ok(Good {
        row: row.row,
        line: row.line,
        number: number.to_owned(),
        title,
        body,
        category,
        raised_on,
        answer,
        answered_on,
    })
}

fn field<'a>(row: &'a Row, columns: &Columns, field: Field) -> Option<&'a Cell> {
    row.cells.get(columns.column(field)?)
}

/// Faults of the row as a whole: shifted columns and characters lost in some conversion.
fn whole_row(row: &Row, columns: &Columns) -> Result<(), Reason> {
    let (cells, headers) = (row.cells.len(), columns.headers.len());
    if row.cells.iter().skip(headers).any(|cell| !cell.is_blank()) {
        return Err((
            "too_many_cells",
            both!(
                "这一行有 {cells} 格，表头只有 {headers} 格，可能是内容里的逗号没有加引号",
                "the row has {cells} cells, the header {headers}: a comma in the text may lack its quotes"
            ),
        ));
    }
    for (name, header) in columns.pairs() {
        match field(row, columns, name) {
            Some(Cell::Text(text)) if text.contains('\u{fffd}') => {
                return Err((
                    "damaged_text",
                    both!("「{header}」里有损坏的字（乱码）", "“{header}” contains damaged characters"),
                ));
            }
            Some(Cell::Broken(error)) => {
                return Err((
                    "broken_cell",
                    both!("「{header}」是公式错误 {error}", "“{header}” is the formula error {error}"),
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_number(row: &Row, columns: &Columns, number: &str) -> Result<(), Reason> {
    if number.is_empty() {
        return Err(("no_number", both!("没有编号", "there is no number")));
    }
    let scientific = number.split_once(['E', 'e']).is_some_and(|(mantissa, exponent)| {
        mantissa.contains('.')
            && mantissa.parse::<f64>().is_ok()
            && exponent.trim_start_matches('+').chars().all(|c| c.is_ascii_digit())
    });
    let lost = matches!(field(row, columns, Field::Number), Some(Cell::Number(value)) if value.abs() >= 1e15);
    if scientific || lost {
        return Err((
            "damaged_number",
            both!(
                "编号 {number} 被表格软件改成了科学计数，后几位已经丢失，请把该列设为文本后重新导出",
                "the number {number} was turned into scientific notation and lost digits; export the column as text"
            ),
        ));
    }
    if number.len() > SHORT_BYTES_MAX {
        return Err(("too_long", both!("编号太长", "the number is too long")));
    }
    Ok(())
}

/// A field's text, cleaned and within its bound. `None` if there is no such column or cell.
fn text(row: &Row, columns: &Columns, name: Field) -> Result<Option<String>, Reason> {
    let Some(cell) = field(row, columns, name) else { return Ok(None) };
    let raw = cell.text();
    let (text, length, longest, unit) = match name {
        Field::Body | Field::Answer => {
            let text = clean::paragraphs(&raw);
            let chars = text.chars().count();
            (text, chars, TEXT_CHARS_MAX, ("字", "characters"))
        }
        _ => {
            let text = clean::line(&raw);
            let bytes = text.len();
            (text, bytes, SHORT_BYTES_MAX, ("字节", "bytes"))
        }
    };
    if length > longest {
        let (zh, en) = (name.label(crate::words::Lang::Zh), name.label(crate::words::Lang::En));
        let (unit_zh, unit_en) = unit;
        return Err((
            "too_long",
            both!(
                "{zh}有 {length} {unit_zh}，最多 {longest} {unit_zh}",
                "the {en} has {length} {unit_en}, at most {longest} are allowed"
            ),
        ));
    }
    Ok(Some(text))
}

fn day(row: &Row, columns: &Columns, name: Field) -> Result<Option<When>, Reason> {
    let when = match field(row, columns, name) {
        None => return Ok(None),
        Some(cell) if cell.is_blank() => return Ok(None),
        Some(Cell::When(when)) if when.day.year() >= crate::limits::YEAR_MIN => Ok(*when),
        Some(cell) => dates::read(&cell.text()),
    };
    let header = name.label(crate::words::Lang::Zh);
    let header_en = name.label(crate::words::Lang::En);
    when.map(Some).map_err(|why| {
        let (zh, en) = (why.zh, why.en);
        ("bad_date", both!("{header}：{zh}", "{header_en}: {en}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::sheet;

    const HEADER: &str = "编号,标题,内容,时间,答复意见,答复时间,类别\n";

    fn run(lines: &str) -> Checked {
        run_from(lines, 0, usize::MAX)
    }

    fn run_from(lines: &str, from_row: usize, limit: usize) -> Checked {
        let table = sheet::text(format!("{HEADER}{lines}").as_bytes(), None).unwrap();
        let columns = Columns::find(&table.head(10), &[]).unwrap();
        check(&table, &columns, Date::constant(2026, 11, 22), from_row, limit)
    }

    fn reason(lines: &str) -> String {
        let checked = run(lines);
        checked.bad.last().map_or("good".to_owned(), |bad| format!("{} {}", bad.row, bad.code))
    }

    #[test]
    fn a_good_row_is_cleaned_and_whole() {
        let checked = run("Ａ１,　路灯 ,\"第一段\n\n\n第二段\",2020/1/2 13:04,已修好,2020年1月5日,照明\n");
        assert_eq!(checked.bad, []);
        assert_eq!(
            checked.good[0].document(),
            json!({"row": 2, "number": "A1", "title": "路灯", "body": "第一段\n\n第二段", "category": "照明",
                   "raised_on": "2020-01-02", "answer": "已修好", "answered_on": "2020-01-05"})
        );
    }

    #[test]
    fn what_is_optional_is_left_out_and_a_title_is_made() {
        let checked = run("A1,,村口涵洞积水。车过不去,2020-01-02,,2020-01-05,\n");
        assert_eq!(
            checked.good[0].document(),
            json!({"row": 2, "number": "A1", "title": "村口涵洞积水", "body": "村口涵洞积水。车过不去", "raised_on": "2020-01-02"})
        );
    }

    #[test]
    fn each_fault_is_named_with_its_row() {
        assert_eq!(reason("A1,t, \u{3000},2020-01-02,,,\n"), "2 no_body");
        assert_eq!(reason("A1,t,b,2020-02-30,,,\n"), "2 bad_date");
        assert_eq!(reason("A1,t,b,,,,\n"), "2 no_date");
        assert_eq!(reason("A1,t,b,2027-01-01,,,\n"), "2 date_ahead");
        assert_eq!(reason("A1,t,b,2020-01-02,答,2020-01-01,\n"), "2 answer_before_question");
        assert_eq!(reason("A1,t,b,2020-01-02,答,从前,\n"), "2 bad_date");
        assert_eq!(
            reason("A1,t,b,2020-01-02,,,\nA2,t,b,2020-01-02,,,\nＡ1,t,b,2020-01-02,,,\n"),
            "4 duplicate_number"
        );
        assert_eq!(reason(",t,b,2020-01-02,,,\n"), "2 no_number");
        assert_eq!(reason("1.23E+17,t,b,2020-01-02,,,\n"), "2 damaged_number");
        assert_eq!(reason("A1,t,b,c,2020-01-02,,,,x\n"), "2 too_many_cells");
        assert_eq!(
            reason(&format!("A1,t,{},2020-01-02,,,\n", "长".repeat(TEXT_CHARS_MAX + 1))),
            "2 too_long"
        );
        assert_eq!(reason(&format!("A1,{},b,2020-01-02,,,\n", "长".repeat(201))), "2 too_long");
        assert_eq!(reason("A1,t,坏\u{fffd}字,2020-01-02,,,\n"), "2 damaged_text");
        assert_eq!(reason(&format!("A1,t,{},2020-01-02,,,\n", "长".repeat(TEXT_CHARS_MAX))), "good");
    }

    #[test]
    fn a_limit_and_a_start_count_rows_of_the_file() {
        let lines =
            "A1,t,b,2020-01-02,,,\nA2,t,b,2020-01-02,,,\nA3,t,b,2020-01-02,,,\nA1,t,b,2020-01-02,,,\n";
        let checked = run_from(lines, 3, 2);
        assert_eq!(checked.good.iter().map(|good| good.row).collect::<Vec<_>>(), [3, 4]);
        // A double of a row before the start is still a double.
        assert_eq!(run_from(lines, 5, 9).bad[0].code, "duplicate_number");
    }
}
