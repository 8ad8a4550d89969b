//! Writing into single cells of a sheet's XML. The text is spliced: what is not a wanted cell keeps its bytes.
//!
//! A cell keeps its style; what stood in it goes. A row or a cell that is not there is put where it belongs, since
//! rows and cells stand in order. A name over merged cells means the first of them.

use super::{Trouble, Value, names};
use quick_xml::{
    Reader,
    escape::escape,
    events::{BytesStart, Event},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// Row and column, from 1.
pub(super) type At = (u32, u32);

/// A cell to be written.
pub(super) struct Wanted {
    name: String,
    at: At,
    /// The other corner, where the name is of a range.
    to: Option<At>,
    value: Value,
}

impl Wanted {
    pub(super) fn new(cell: &names::Cell, value: Value) -> Self {
        Self { name: cell.name.clone(), at: cell.at, to: cell.to, value }
    }
}

/// A cell as it stands in the text.
struct Seen {
    at: Range<usize>,
    attributes: String,
    formula: bool,
}

/// A row as it stands in the text.
struct Row {
    /// Its start tag, or all of it if it has no cells.
    tag: Range<usize>,
    attributes: String,
    empty: bool,
    /// Where its end tag begins.
    end: usize,
    cells: BTreeMap<u32, Seen>,
}

/// A sheet that was read.
pub(super) struct Sheet {
    text: String,
    /// `x:` where the elements have such a prefix.
    prefix: String,
    /// `sheetData`: the whole of it, and whether it is an empty element.
    data: Range<usize>,
    no_rows: bool,
    rows: BTreeMap<u32, Row>,
    merged: BTreeSet<(At, At)>,
    formulas: bool,
}

/// The column's letters.
fn letters(mut column: u32) -> String {
    let mut out = Vec::new();
    while column > 0 {
        column -= 1;
        out.push(char::from(b'A' + u8::try_from(column % 26).unwrap_or(0)));
        column /= 26;
    }
    out.iter().rev().collect()
}

/// `B5` as row and column; `$` are passed over.
pub(super) fn at(text: &str) -> Option<At> {
    let text = text.replace('$', "");
    let digits = text.find(|c: char| c.is_ascii_digit())?;
    let (column, row) = text.split_at_checked(digits)?;
    if column.is_empty() || column.len() > 3 || !column.bytes().all(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    let of = |c: char| u32::from(c.to_ascii_uppercase()) - u32::from('A') + 1;
    let column = column.chars().fold(0_u32, |sum, c| sum * 26 + of(c));
    let row: u32 = row.parse().ok()?;
    // Excel's own bounds.
    ((1..=1_048_576).contains(&row) && column <= 16_384).then_some((row, column))
}

/// `A1:B2`, or one cell.
pub(super) fn range(text: &str) -> Option<(At, Option<At>)> {
    match text.split_once(':') {
        None => Some((at(text)?, None)),
        Some((from, to)) => Some((at(from)?, Some(at(to)?))),
    }
}

/// An attribute's value.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.attributes().flatten().find(|a| a.key.local_name().as_ref() == name)?;
    quick_xml::escape::unescape(&found.value).ok().map(std::borrow::Cow::into_owned)
}

/// Every attribute but the named ones, as written.
pub(super) fn attributes_but(tag: &BytesStart<'_>, without: &[&str]) -> String {
    let mut out = String::new();
    for a in tag.attributes().flatten() {
        if !without.contains(&a.key.as_ref()) {
            let value = a.value.replace('"', "&quot;");
            out.push_str(&format!(" {}=\"{value}\"", a.key.as_ref()));
        }
    }
    out
}

/// What the reader has in hand.
#[derive(Default)]
struct Hand {
    inside: bool,
    row: u32,
    column: u32,
    in_row: bool,
    cell: Option<Seen>,
}

impl Sheet {
    pub(super) fn read(text: &str) -> Result<Self, Trouble> {
        let mut sheet = Self {
            text: text.to_owned(),
            prefix: String::new(),
            data: 0..0,
            no_rows: false,
            rows: BTreeMap::new(),
            merged: BTreeSet::new(),
            formulas: false,
        };
        let mut reader = Reader::from_str(text);
        let mut hand = Hand::default();
        loop {
            let from = place(&reader);
            let event = reader.read_event().map_err(Trouble::broken)?;
            let span = from..place(&reader);
            match &event {
                Event::Eof => break,
                Event::DocType(_) => return Err(Trouble::broken("DOCTYPE")),
                Event::Start(tag) => sheet.begins(tag, span, false, &mut hand),
                Event::Empty(tag) => sheet.begins(tag, span, true, &mut hand),
                Event::End(tag) => sheet.ends(tag.local_name().as_ref(), span, &mut hand),
                _ => {}
            }
        }
        if sheet.data.is_empty() {
            return Err(Trouble::broken("sheetData?"));
        }
        Ok(sheet)
    }

    fn begins(&mut self, tag: &BytesStart<'_>, span: Range<usize>, empty: bool, hand: &mut Hand) {
        match tag.local_name().as_ref() {
            "sheetData" => {
                let name = tag.name();
                self.prefix = name.as_ref().trim_end_matches("sheetData").to_owned();
                self.data = span;
                self.no_rows = empty;
                hand.inside = !empty;
            }
            "row" if hand.inside => {
                hand.row = attribute(tag, "r").and_then(|r| r.parse().ok()).unwrap_or(hand.row + 1);
                (hand.column, hand.in_row) = (0, !empty);
                // Which columns it spans is a hint that a new cell could make a lie.
                let attributes = attributes_but(tag, &["spans"]);
                let end = span.end;
                self.rows.insert(hand.row, Row { tag: span, attributes, empty, end, cells: BTreeMap::new() });
            }
            "c" if hand.in_row => {
                hand.column = attribute(tag, "r").and_then(|r| at(&r)).map_or(hand.column + 1, |(_, c)| c);
                // Type and metadata belong to the value that goes.
                let attributes = attributes_but(tag, &["r", "t", "cm", "vm"]);
                let seen = Seen { at: span, attributes, formula: false };
                if empty { self.keep(seen, hand) } else { hand.cell = Some(seen) }
            }
            "f" if hand.inside => {
                self.formulas = true;
                if let Some(cell) = &mut hand.cell {
                    cell.formula = true;
                }
            }
            "mergeCell" => {
                if let Some((from, Some(to))) = attribute(tag, "ref").and_then(|r| range(&r)) {
                    self.merged.insert((from, to));
                }
            }
            _ => {}
        }
    }

    fn ends(&mut self, name: &str, span: Range<usize>, hand: &mut Hand) {
        match name {
            "sheetData" => {
                hand.inside = false;
                self.data.end = span.end;
            }
            "row" if hand.in_row => {
                hand.in_row = false;
                if let Some(row) = self.rows.get_mut(&hand.row) {
                    row.end = span.start;
                }
            }
            "c" => {
                if let Some(mut seen) = hand.cell.take() {
                    seen.at.end = span.end;
                    self.keep(seen, hand);
                }
            }
            _ => {}
        }
    }

    fn keep(&mut self, seen: Seen, hand: &Hand) {
        if let Some(row) = self.rows.get_mut(&hand.row) {
            row.cells.insert(hand.column, seen);
        }
    }

    /// Whether anything in it is calculated.
    pub(super) fn formulas(&self) -> bool {
        self.formulas
    }

    /// Why a cell cannot be written to.
    fn refused(&self, wanted: &Wanted) -> Option<Trouble> {
        let name = &wanted.name;
        if let Some(to) = wanted.to
            && !self.merged.contains(&(wanted.at, to))
        {
            return Some(Trouble::of(
                name,
                "range",
                "指的是一片单元格，不是一个。请让它只指一个单元格（合并的单元格可以）",
                "means several cells, not one. Let it mean a single cell (merged ones will do)",
            ));
        }
        let covers = |&&((r1, c1), (r2, c2)): &&(At, At)| {
            let (row, column) = wanted.at;
            (r1..=r2).contains(&row) && (c1..=c2).contains(&column) && (r1, c1) != wanted.at
        };
        if self.merged.iter().any(|m| covers(&m)) {
            return Some(Trouble::of(
                name,
                "under_merged",
                "指的单元格被合并的单元格盖住，填了也看不见。请改指合并单元格的左上角",
                "means a cell hidden under merged ones. Let it mean their upper left one",
            ));
        }
        let cell = self.rows.get(&wanted.at.0).and_then(|r| r.cells.get(&wanted.at.1));
        cell.filter(|c| c.formula).map(|_| {
            Trouble::of(
                name,
                "formula",
                "指的单元格里有公式，填数会把公式冲掉。请改指别的单元格，或去掉公式",
                "means a cell with a formula, which a figure would overwrite. Let it mean another cell, or take the formula out",
            )
        })
    }

    /// The sheet with the cells written; every reason why not.
    pub(super) fn write(&self, wanted: &[Wanted]) -> Result<String, Vec<Trouble>> {
        let refused: Vec<Trouble> = wanted.iter().filter_map(|w| self.refused(w)).collect();
        if !refused.is_empty() {
            return Err(refused);
        }
        let mut by_row: BTreeMap<u32, BTreeMap<u32, &Value>> = BTreeMap::new();
        for w in wanted {
            by_row.entry(w.at.0).or_default().insert(w.at.1, &w.value);
        }
        // Where, and what stands there then; in the order of the text.
        let mut edits: BTreeMap<usize, (usize, String)> = BTreeMap::new();
        let mut put = |at: Range<usize>, text: String| {
            let edit = edits.entry(at.start).or_insert((at.end, String::new()));
            edit.0 = edit.0.max(at.end);
            edit.1.push_str(&text);
        };
        let p = &self.prefix;
        let close = format!("</{p}sheetData>");
        let mut fresh = String::new();
        for (number, values) in by_row {
            let Some(row) = self.rows.get(&number) else {
                let cells = self.cells(number, &values, None);
                let text = format!("<{p}row r=\"{number}\">{cells}</{p}row>");
                let after = self.rows.range(number..).next();
                match after {
                    Some((_, next)) => put(next.tag.start..next.tag.start, text),
                    None => fresh.push_str(&text),
                }
                continue;
            };
            let tag = format!("<{p}row{}>", row.attributes);
            if row.empty {
                put(row.tag.clone(), format!("{tag}{}</{p}row>", self.cells(number, &values, None)));
                continue;
            }
            put(row.tag.clone(), tag);
            for (column, value) in &values {
                let single = BTreeMap::from([(*column, *value)]);
                let seen = row.cells.get(column);
                let text = self.cells(number, &single, seen);
                let before = row.cells.range(column..).next().map_or(row.end, |(_, next)| next.at.start);
                put(seen.map_or(before..before, |s| s.at.clone()), text);
            }
        }
        if self.no_rows {
            put(self.data.clone(), format!("<{p}sheetData>{fresh}{close}"));
        } else if !fresh.is_empty() {
            let end =
                self.text.get(self.data.clone()).and_then(|d| d.rfind("</")).unwrap_or(0) + self.data.start;
            put(end..end, fresh);
        }
        splice(&self.text, &edits).ok_or_else(|| vec![Trouble::broken("edits meet")])
    }

    /// Cells of a row; one that was there keeps its style.
    fn cells(&self, row: u32, values: &BTreeMap<u32, &Value>, seen: Option<&Seen>) -> String {
        let p = &self.prefix;
        let style = seen.map_or("", |s| s.attributes.as_str());
        let cell = |(column, value): (&u32, &&Value)| {
            let at = format!("{}{row}", letters(*column));
            match value {
                Value::Number(n) => format!("<{p}c r=\"{at}\"{style}><{p}v>{n}</{p}v></{p}c>"),
                Value::Text(text) => {
                    let text = escape(text.as_str());
                    format!(
                        "<{p}c r=\"{at}\"{style} t=\"inlineStr\"><{p}is><{p}t xml:space=\"preserve\">{text}</{p}t></{p}is></{p}c>"
                    )
                }
            }
        };
        values.iter().map(cell).collect()
    }
}

/// How far the reader is, in bytes.
pub(super) fn place(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

/// The text with the edits in it: start, end and what stands there then.
pub(super) fn splice(text: &str, edits: &BTreeMap<usize, (usize, String)>) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (start, (end, with)) in edits {
        out.push_str(text.get(from..*start)?);
        out.push_str(with);
        from = *end;
    }
    out.push_str(text.get(from..)?);
    Some(out)
}
