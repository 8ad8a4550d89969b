//! Reading a table as it comes: CSV in whatever encoding, or an Excel workbook.
//!
//! Nothing is interpreted here beyond the container: a [`Table`] is rows of cells with the row number a
//! person sees in a spreadsheet. Bytes that are not text in the encoding found stay visible as U+FFFD, so
//! that the row can be refused instead of being imported damaged.

use std::io::Cursor;
use std::path::Path;

use calamine::{Data, DataType, Reader};
use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use super::dates::{self, When};
use crate::both;
use crate::limits::IMPORT_FILE_BYTES_MAX;
use crate::words::Both;

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text, possibly empty.
    Text(String),
    /// A number typed or pasted as one.
    Number(f64),
    /// A real date of a workbook.
    When(When),
    /// A formula's error (`#N/A`).
    Broken(String),
}

impl Cell {
    /// The cell as text, the way a spreadsheet shows it.
    pub fn text(&self) -> String {
        match self {
            Cell::Text(text) | Cell::Broken(text) => text.clone(),
            // Whole numbers of up to 15 digits are exact; spreadsheets show them without a fraction.
            Cell::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
            Cell::Number(number) if number.abs() >= 1e15 => format!("{number:E}"),
            Cell::Number(number) => format!("{number}"),
            Cell::When(when) => match when.time {
                Some(time) => format!("{} {time}", when.day),
                None => when.day.to_string(),
            },
        }
    }

    /// Whether there is nothing to see in it.
    pub fn is_blank(&self) -> bool {
        matches!(self, Cell::Text(text) if super::clean::line(text).is_empty())
    }
}

/// One row with its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The number a spreadsheet shows beside it, from 1.
    pub row: usize,
    /// The line of a text file it starts at; differs from `row` after cells with several lines.
    pub line: usize,
    /// Its cells, in order.
    pub cells: Vec<Cell>,
}

/// A table read from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its rows; empty ones are left out.
    pub rows: Vec<Row>,
    /// What it was read as: `UTF-8`, `GB18030`, `xlsx` …
    pub form: String,
    /// The worksheet, if it came from a workbook.
    pub sheet: Option<String>,
}

impl Table {
    /// The first rows as text, for finding the header.
    pub fn head(&self, rows_max: usize) -> Vec<Vec<String>> {
        self.rows.iter().take(rows_max).map(|row| row.cells.iter().map(Cell::text).collect()).collect()
    }
}

/// Reads a file: every non-empty worksheet of a workbook, or the one table of a text file.
pub fn open(path: &Path, sheet: Option<&str>, encoding: Option<&str>) -> Result<Vec<Table>, Both> {
    let shown = path.display();
    let unreadable = |why: std::io::Error| {
        both!(
            "打不开文件 {shown}（{why}），什么都没有导入。请核对文件名和权限。",
            "The file {shown} cannot be opened ({why}); nothing was imported. Check its name and permissions."
        )
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > IMPORT_FILE_BYTES_MAX {
        let limit = IMPORT_FILE_BYTES_MAX / 1024 / 1024;
        return Err(both!(
            "文件 {shown} 超过 {limit} MiB，什么都没有导入。请分成几个文件。",
            "The file {shown} is larger than {limit} MiB; nothing was imported. Split it."
        ));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    // The first bytes, not the name: hotlines export HTML and CSV under `.xls`, and workbooks under `.csv`.
    let tables = if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        workbook(bytes, sheet)?
    } else {
        let (decoded, form) = decode(&bytes, encoding)?;
        // A large file stands in memory once, not in two encodings.
        drop(bytes);
        vec![rows_of(decoded, form)?]
    };
    if tables.iter().all(|table| table.rows.is_empty()) {
        return Err(both!(
            "文件 {shown} 是空的，什么都没有导入。",
            "The file {shown} is empty; nothing was imported."
        ));
    }
    Ok(tables)
}

/// Reads CSV (or tab- or semicolon-separated text) from bytes.
pub fn text(bytes: &[u8], encoding: Option<&str>) -> Result<Table, Both> {
    let (decoded, form) = decode(bytes, encoding)?;
    rows_of(decoded, form)
}

fn rows_of(decoded: String, form: &str) -> Result<Table, Both> {
    let start = decoded.trim_start();
    if start.starts_with("<html")
        || start.starts_with("<!DOCTYPE")
        || start.starts_with("<table")
        || start.starts_with("<?xml")
    {
        return Err(both!(
            "这个文件其实是网页（HTML），不是表格，什么都没有导入。请用 Excel 打开，另存为 .xlsx 或 CSV。",
            "This file is a web page, not a table; nothing was imported. Open it in a spreadsheet and save it as .xlsx or CSV."
        ));
    }
    // One kind of line end, so that lines can be counted.
    let decoded =
        if decoded.contains('\r') { decoded.replace("\r\n", "\n").replace('\r', "\n") } else { decoded };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(&decoded))
        .flexible(true)
        .has_headers(false)
        .from_reader(decoded.as_bytes());
    let mut rows = Vec::new();
    // Line breaks inside cells seen so far: a spreadsheet does not count them as rows.
    let mut breaks = 0usize;
    for record in reader.records() {
        let record = record.map_err(|why| {
            both!(
                "表格读到一半坏了（{why}），什么都没有导入。",
                "The table is damaged ({why}); nothing was imported."
            )
        })?;
        let line = record.position().map_or(0, |at| usize::try_from(at.line()).unwrap_or(usize::MAX));
        let cells: Vec<Cell> = record.iter().map(|cell| Cell::Text(cell.to_owned())).collect();
        let row = line.saturating_sub(breaks);
        breaks += record.iter().map(|cell| cell.matches('\n').count()).sum::<usize>();
        if !cells.iter().all(Cell::is_blank) {
            rows.push(Row { row, line, cells });
        }
    }
    Ok(Table { rows, form: form.to_owned(), sheet: None })
}

/// The separator: the one of comma, tab and semicolon that stands most often in the first lines.
fn delimiter(text: &str) -> u8 {
    let head: String = text.lines().take(3).collect();
    let count = |wanted: char| head.chars().filter(|c| *c == wanted).count();
    [(',', b','), ('\t', b'\t'), (';', b';')]
        .into_iter()
        .rev()
        .max_by_key(|(wanted, _)| count(*wanted))
        .map_or(b',', |(_, byte)| byte)
}

/// Finds the encoding and decodes.
///
/// A byte order mark decides; without one, what is valid UTF-8 is UTF-8 (Chinese text in GB18030 practically
/// never is), and the rest is GB18030, which contains GBK and GB2312.
fn decode(bytes: &[u8], stated: Option<&str>) -> Result<(String, &'static str), Both> {
    if let Some(label) = stated {
        let encoding = Encoding::for_label(label.as_bytes()).ok_or_else(|| {
            both!(
                "不认识编码「{label}」，可写 utf-8、gb18030、utf-16le。",
                "Unknown encoding “{label}”; try utf-8, gb18030 or utf-16le."
            )
        })?;
        return Ok((encoding.decode_with_bom_removal(bytes).0.into_owned(), encoding.name()));
    }
    if let Some((encoding, bom_bytes)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(bom_bytes..).unwrap_or_default();
        return Ok((encoding.decode_without_bom_handling(rest).0.into_owned(), encoding.name()));
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        return Ok((encoding.decode_without_bom_handling(bytes).0.into_owned(), encoding.name()));
    }
    let (as_utf8, broken) = UTF_8.decode_without_bom_handling(bytes);
    if !broken {
        return Ok((as_utf8.into_owned(), UTF_8.name()));
    }
    let (as_gb, broken) = GB18030.decode_without_bom_handling(bytes);
    let damage = |text: &str| text.matches('\u{fffd}').count();
    // A UTF-8 file with one torn character is still UTF-8: read as GB18030 it would be nonsense throughout.
    if broken && damage(&as_utf8) <= damage(&as_gb) || looks_misread(&as_gb) && damage(&as_utf8) < 20 {
        return Ok((as_utf8.into_owned(), UTF_8.name()));
    }
    Ok((as_gb.into_owned(), GB18030.name()))
}

/// Whether text read as GB18030 is UTF-8 misread: such text is full of a few rare characters.
fn looks_misread(text: &str) -> bool {
    let rare = text.chars().filter(|c| "锛銆鐨鍦鏄涓鏈浜闂鎴瑕".contains(*c)).count();
    let chinese = text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
    rare * 12 > chinese && rare > 3
}

/// Text with zero bytes is UTF-16 of a program that left out the mark. Separators, digits and line ends tell
/// which half comes first; Chinese characters alone (一 is 4E00) would not.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..bytes.len().min(4096))?;
    if !head.contains(&0) {
        return None;
    }
    let plain = |byte: u8| matches!(byte, b'\n' | b'\r' | b',' | b'\t' | b' ' | b'0'..=b'9');
    let little = head.chunks_exact(2).filter(|pair| matches!(pair, [low, 0] if plain(*low))).count();
    let big = head.chunks_exact(2).filter(|pair| matches!(pair, [0, low] if plain(*low))).count();
    if little > big { Some(UTF_16LE) } else { Some(UTF_16BE) }
}

/// Reads the worksheets of an `.xlsx`, `.xls` or `.ods` workbook.
fn workbook(bytes: Vec<u8>, sheet: Option<&str>) -> Result<Vec<Table>, Both> {
    let damaged = |why: String| {
        both!(
            "工作簿读不出来（{why}），什么都没有导入。请用 Excel 打开后另存一份再试；有密码的先去掉密码。",
            "The workbook cannot be read ({why}); nothing was imported. Open it, save it anew without a password, and try again."
        )
    };
    let mut book =
        calamine::open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|why| damaged(why.to_string()))?;
    let names = book.sheet_names();
    if let Some(wanted) = sheet
        && !names.iter().any(|name| name == wanted)
    {
        let there = names.join("、");
        return Err(both!(
            "工作簿里没有「{wanted}」这张表，什么都没有导入。有：{there}",
            "There is no sheet “{wanted}”; nothing was imported. There are: {there}"
        ));
    }
    let mut tables = Vec::new();
    for name in names {
        if sheet.is_some_and(|wanted| wanted != name) {
            continue;
        }
        let range = match book.worksheet_range(&name) {
            Ok(range) => range,
            // A chart or macro sheet is no table; the one asked for must be.
            Err(_) if sheet.is_none() => continue,
            Err(why) => return Err(damaged(why.to_string())),
        };
        let first = range.start().map_or(1, |(row, _)| row as usize + 1);
        let rows: Vec<Row> = range
            .rows()
            .enumerate()
            .map(|(at, cells)| Row {
                row: first + at,
                line: first + at,
                cells: cells.iter().map(cell).collect(),
            })
            .filter(|row| !row.cells.iter().all(Cell::is_blank))
            .collect();
        if !rows.is_empty() {
            tables.push(Table { rows, form: "xlsx".to_owned(), sheet: Some(name) });
        }
    }
    Ok(tables)
}

fn cell(data: &Data) -> Cell {
    match data {
        Data::Empty => Cell::Text(String::new()),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => Cell::Text(text.clone()),
        Data::Int(number) => Cell::Text(number.to_string()),
        Data::Float(number) => Cell::Number(*number),
        Data::Bool(truth) => Cell::Text(truth.to_string()),
        Data::Error(why) => Cell::Broken(why.to_string()),
        Data::DateTime(at) if at.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            dates::from_cell(year, month, day, (hour, minute, second))
                .map_or(Cell::Number(at.as_f64()), Cell::When)
        }
        Data::DateTime(_) => data.as_f64().map_or_else(|| Cell::Text(data.to_string()), Cell::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "留言编号,留言详情,留言时间\r\nA1,\"第一段\r\n第二段\",2020-01-02\r\n,,\r\nA2,路灯不亮，请修,2020-01-03\r\n";

    fn texts(table: &Table) -> Vec<(usize, usize, Vec<String>)> {
        table.rows.iter().map(|row| (row.row, row.line, row.cells.iter().map(Cell::text).collect())).collect()
    }

    fn check(bytes: &[u8], form: &str) {
        let table = text(bytes, None).unwrap();
        assert_eq!(table.form, form);
        let got = texts(&table);
        assert_eq!(got.len(), 3, "{got:?}");
        assert_eq!(got[0].2, ["留言编号", "留言详情", "留言时间"]);
        // Row numbers as a spreadsheet shows them, line numbers as an editor does; the empty row is counted.
        assert_eq!((got[1].0, got[1].1, got[1].2[1].as_str()), (2, 2, "第一段\n第二段"));
        assert_eq!((got[2].0, got[2].1, got[2].2[1].as_str()), (4, 5, "路灯不亮，请修"));
    }

    #[test]
    fn encodings_are_told_apart() {
        check(CSV.as_bytes(), "UTF-8");
        check(&[b"\xef\xbb\xbf", CSV.as_bytes()].concat(), "UTF-8");
        check(&GB18030.encode(CSV).0, "gb18030");
        let le: Vec<u8> = CSV.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = CSV.encode_utf16().flat_map(u16::to_be_bytes).collect();
        check(&le, "UTF-16LE");
        check(&be, "UTF-16BE");
        check(&[b"\xff\xfe".as_slice(), &le].concat(), "UTF-16LE");
        check(&[b"\xfe\xff".as_slice(), &be].concat(), "UTF-16BE");
    }

    #[test]
    fn a_torn_character_does_not_turn_the_file_into_another_encoding() {
        let whole =
            "编号,内容\n1,村口涵洞积水，车辆无法通行，请帮助解决\n2,路灯不亮的问题已经很久了，请尽快处理\n"
                .repeat(5);
        let mut bytes = whole.clone().into_bytes();
        let at = bytes.len() - 3;
        bytes.remove(at);
        let table = text(&bytes, None).unwrap();
        assert_eq!(table.form, "UTF-8");
        assert!(texts(&table)[0].2[0] == "编号");
        // A stated encoding is taken at its word.
        assert!(
            text(whole.as_bytes(), Some("gbk")).is_ok_and(|table| table.rows[0].cells[0].text() != "编号")
        );
        assert!(text(b"", Some("klingon")).is_err());
    }

    #[test]
    fn a_torn_character_in_gb18030_stays_visible() {
        let mut bytes = GB18030.encode("编号,内容\n1,村口涵洞\n2,路灯\n").0.into_owned();
        bytes.extend([0xc2, b'\n']);
        let table = text(&bytes, None).unwrap();
        assert_eq!(table.form, "gb18030");
        assert!(texts(&table).iter().any(|row| row.2[0].contains('\u{fffd}')));
    }

    #[test]
    fn tabs_and_semicolons_separate_too() {
        assert_eq!(texts(&text("a\tb\n1,5\t2\n".as_bytes(), None).unwrap())[1].2, ["1,5", "2"]);
        assert_eq!(texts(&text("a;b\n1;2\n".as_bytes(), None).unwrap())[1].2, ["1", "2"]);
        assert_eq!(texts(&text("单列\n一\n".as_bytes(), None).unwrap())[1].2, ["一"]);
    }

    #[test]
    fn a_web_page_is_not_a_table() {
        assert!(text(b"<html><table></table></html>", None).unwrap_err().zh.contains("网页"));
    }

    #[test]
    fn numbers_read_as_a_spreadsheet_shows_them() {
        assert_eq!(Cell::Number(4012.0).text(), "4012");
        assert_eq!(Cell::Number(1.5).text(), "1.5");
        assert!(Cell::Number(1.234_567_890_123_456e17).text().contains('E'));
    }

    #[test]
    fn a_workbook_with_real_dates_is_read() {
        use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("热线.xlsx");
        let mut book = Workbook::new();
        book.add_worksheet().set_name("空表").unwrap();
        let sheet = book.add_worksheet().set_name("工单").unwrap();
        sheet.write(2, 0, "留言编号").unwrap().write(2, 1, "留言时间").unwrap();
        sheet.write(3, 0, 4012).unwrap();
        let date = ExcelDateTime::parse_from_str("2020-01-02T13:04:00").unwrap();
        sheet.write_with_format(3, 1, &date, &Format::new().set_num_format("yyyy/m/d h:mm")).unwrap();
        book.save(&path).unwrap();

        let tables = open(&path, None, None).unwrap();
        assert_eq!(tables.len(), 1);
        assert_eq!(tables[0].sheet.as_deref(), Some("工单"));
        assert_eq!(texts(&tables[0])[1], (4, 4, vec!["4012".to_owned(), "2020-01-02 13:04:00".to_owned()]));
        assert!(open(&path, Some("没有"), None).unwrap_err().zh.contains("工单"));
        assert!(open(&dir.path().join("none.csv"), None, None).is_err());
    }
}
