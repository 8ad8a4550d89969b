//! Names of cells in a workbook: what they mean and where they point.
//!
//! A name is a figure's own (`raised`, or its title 登记事项总数), with `yishi.` before it if one likes, and a quarter
//! after it (`yishi.raised.2026Q4`) where the form has several; without one it is the quarter asked for at export.
//! `.matters` counts matters instead of times. Names that mean nothing here stay untouched; they may be the form's own.

use super::{
    NAMES_MAX, QUARTERS_MAX, Trouble,
    cells::{self, At, attribute, place, splice},
    package::Package,
};
use crate::sheets::both;
use quick_xml::{Reader, escape::unescape, events::Event};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};
use yishi_protocol::{nearest::nearest, procedure::Words};

/// What may stand before a figure's name.
const PREFIXES: [&str; 2] = ["yishi.", "议事."];
/// What Excel itself names.
const EXCELS: [&str; 2] = ["_xlnm.", "_xl"];

/// What a cell can be filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Its stable name.
    pub name: &'static str,
    /// As shown.
    pub title: Words,
    /// Words, not a count.
    pub text: bool,
}

/// All that cells can be filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures(Vec<Figure>);

/// A quarter of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    /// The year.
    pub year: u16,
    /// 1 to 4.
    pub quarter: u8,
}

impl Period {
    /// `2026Q4`, `2026-q4`.
    fn read(text: &str) -> Option<Self> {
        let (year, quarter) = text.split_once(['q', 'Q'])?;
        let year = year.trim_end_matches(['-', '_']);
        let quarter = quarter.parse().ok().filter(|q| (1..=4).contains(q))?;
        (year.len() == 4).then(|| year.parse().ok()).flatten().map(|year| Self { year, quarter })
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-Q{}", self.year, self.quarter)
    }
}

impl Serialize for Period {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A cell that is filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Its name in the form.
    pub name: String,
    /// `Sheet1!B5`.
    pub cell: String,
    /// The figure's name.
    pub figure: &'static str,
    /// As shown.
    pub title: Words,
    /// Whether it counts matters instead of times.
    pub matters: bool,
    /// The quarter it is always of; the one asked for if `None`.
    pub period: Option<Period>,
    #[serde(skip)]
    pub(super) part: String,
    #[serde(skip)]
    pub(super) at: At,
    #[serde(skip)]
    pub(super) to: Option<At>,
}

/// A name that means nothing here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// The name.
    pub name: String,
    /// What was probably meant.
    pub perhaps: Option<String>,
}

impl Figures {
    /// These figures, and whom, when and for which quarter.
    pub(crate) fn of(counts: impl Iterator<Item = (&'static str, &'static str, &'static str)>) -> Self {
        let counts = counts.map(|(name, zh, en)| Figure { name, title: both(zh, en), text: false });
        let words = [
            ("place", "填报单位", "Place"),
            ("quarter", "报告期", "Quarter"),
            ("made_on", "填报日期", "Made on"),
        ];
        let words = words.map(|(name, zh, en)| Figure { name, title: both(zh, en), text: true });
        Self(counts.chain(words).collect())
    }

    /// Every figure.
    pub fn all(&self) -> &[Figure] {
        &self.0
    }

    /// What a name means.
    fn named(&self, name: &str) -> Option<(&Figure, bool, Option<Period>)> {
        let mut parts: Vec<&str> = bare(name).split('.').collect();
        let period = parts.last().and_then(|p| Period::read(p));
        if period.is_some() {
            parts.pop();
        }
        let matters = parts.len() > 1
            && parts.last().is_some_and(|p| p.eq_ignore_ascii_case("matters") || *p == "件数");
        if matters {
            parts.pop();
        }
        let &[said] = parts.as_slice() else { return None };
        let called = |f: &&Figure| f.name.eq_ignore_ascii_case(said) || f.title.zh == said;
        let figure = self.0.iter().find(called)?;
        // Words are of no quarter and count nothing.
        (!figure.text || (period.is_none() && !matters)).then_some((figure, matters, period))
    }

    /// The known name nearest to one that is not.
    fn perhaps(&self, name: &str) -> Option<String> {
        let said = bare(name).split('.').next().unwrap_or_default();
        let known = self.0.iter().flat_map(|f| [f.name, f.title.zh.as_str()]);
        nearest(said, known).map(|word| format!("yishi.{word}"))
    }
}

/// A name without what may stand before it.
fn bare(name: &str) -> &str {
    let begins = |p: &&&str| name.get(..p.len()).is_some_and(|b| b.eq_ignore_ascii_case(p));
    PREFIXES.iter().find(begins).and_then(|p| name.get(p.len()..)).unwrap_or(name)
}

/// The workbook's own part.
pub(super) struct Book {
    part: String,
    text: String,
    /// Names of sheets, and the part of each that is a worksheet.
    sheets: Vec<(String, Option<String>)>,
    defined: Vec<(String, String)>,
    calc: Option<(Range<usize>, String)>,
    /// Where `calcPr` goes if there is none.
    names_end: usize,
    prefix: String,
}

/// Id to kind and part, of a part's relationships.
fn relations(package: &mut Package<'_>, part: &str) -> Result<BTreeMap<String, (String, String)>, Trouble> {
    let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
    let slash = if folder.is_empty() { "" } else { "/" };
    let text = package.text(&format!("{folder}{slash}_rels/{file}.rels"))?;
    let mut found = BTreeMap::new();
    let mut reader = Reader::from_str(&text);
    loop {
        match reader.read_event().map_err(Trouble::broken)? {
            Event::Eof => return Ok(found),
            Event::DocType(_) => return Err(Trouble::broken("DOCTYPE")),
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "Relationship" => {
                let of = |name| attribute(&tag, name).unwrap_or_default();
                let kind = of("Type").rsplit('/').next().unwrap_or_default().to_owned();
                found.insert(of("Id"), (kind, joined(folder, &of("Target"))));
            }
            _ => {}
        }
    }
}

/// Where a target lies, seen from a folder.
fn joined(folder: &str, target: &str) -> String {
    let mut path: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => folder.split('/').filter(|p| !p.is_empty()).collect(),
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    path.join("/")
}

impl Book {
    pub(super) fn read(package: &mut Package<'_>) -> Result<Self, Trouble> {
        let top = relations(package, "")?;
        let part = top.into_values().find(|(kind, _)| kind == "officeDocument").map(|(_, part)| part);
        let part = part.ok_or_else(|| Trouble::broken("officeDocument?"))?;
        let parts = relations(package, &part)?;
        let text = package.text(&part)?;
        let mut book = Self {
            part,
            sheets: Vec::new(),
            defined: Vec::new(),
            calc: None,
            names_end: 0,
            prefix: String::new(),
            text: String::new(),
        };
        let mut reader = Reader::from_str(&text);
        let mut name: Option<(String, usize)> = None;
        loop {
            let from = place(&reader);
            let event = reader.read_event().map_err(Trouble::broken)?;
            let span = from..place(&reader);
            match &event {
                Event::Eof => break,
                Event::DocType(_) => return Err(Trouble::broken("DOCTYPE")),
                Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                    "sheet" => {
                        let part = attribute(tag, "id").and_then(|id| parts.get(&id));
                        let part = part.filter(|(kind, _)| kind == "worksheet").map(|(_, p)| p.clone());
                        book.sheets.push((attribute(tag, "name").unwrap_or_default(), part));
                    }
                    "definedName" if matches!(event, Event::Start(_)) => {
                        name = attribute(tag, "name").map(|n| (n, span.end));
                    }
                    "calcPr" => {
                        let attributes = cells::attributes_but(tag, &["fullCalcOnLoad"]);
                        let end = if matches!(event, Event::Empty(_)) { "/>" } else { ">" };
                        let called = tag.name().as_ref().to_owned();
                        let with = format!("<{called}{attributes} fullCalcOnLoad=\"1\"{end}");
                        book.calc = Some((span, with));
                    }
                    _ => {}
                },
                Event::End(tag) => match tag.local_name().as_ref() {
                    "definedName" => {
                        if let Some((name, begin)) = name.take() {
                            let raw = text.get(begin..span.start).unwrap_or_default();
                            let refers = unescape(raw).map_err(Trouble::broken)?.trim().to_owned();
                            book.defined.push((name, refers));
                        }
                    }
                    "definedNames" | "sheets" => {
                        book.names_end = span.end;
                        let called = tag.name();
                        let prefix = called.as_ref().strip_suffix(tag.local_name().as_ref());
                        book.prefix = prefix.unwrap_or_default().to_owned();
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        book.text = text;
        Ok(book)
    }

    /// The parts that are worksheets.
    pub(super) fn sheets(&self) -> impl Iterator<Item = &str> {
        self.sheets.iter().filter_map(|(_, part)| part.as_deref())
    }

    /// The cells to be filled, names that mean nothing, and what is wrong.
    pub(super) fn cells(&self, figures: &Figures) -> (Vec<Cell>, Vec<Unknown>, Vec<Trouble>) {
        let (mut cells, mut unknown, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        let own = |name: &str| EXCELS.iter().any(|p| name.to_ascii_lowercase().starts_with(p));
        let names: Vec<_> = self.defined.iter().filter(|(name, _)| !own(name)).collect();
        if names.len() > NAMES_MAX {
            let count = names.len();
            problems.push(Trouble::new(
                "too_many_names",
                format!("表里有 {count} 个名称，最多 {NAMES_MAX} 个"),
                format!("The form has {count} names; {NAMES_MAX} is the most"),
            ));
            return (cells, unknown, problems);
        }
        for (name, refers) in names {
            let Some((figure, matters, period)) = figures.named(name) else {
                unknown.push(Unknown { name: name.clone(), perhaps: figures.perhaps(name) });
                continue;
            };
            match self.target(name, refers) {
                Ok((sheet, part, at, to)) => {
                    let place = refers.rsplit('!').next().unwrap_or_default().replace('$', "");
                    cells.push(Cell {
                        name: name.clone(),
                        cell: format!("{sheet}!{place}"),
                        figure: figure.name,
                        title: figure.title.clone(),
                        matters,
                        period,
                        part,
                        at,
                        to,
                    });
                }
                Err(problem) => problems.push(problem),
            }
        }
        let quarters: BTreeSet<Period> = cells.iter().filter_map(|c| c.period).collect();
        if quarters.len() > QUARTERS_MAX {
            let count = quarters.len();
            problems.push(Trouble::new(
                "too_many_quarters",
                format!("表里有 {count} 个不同的季度，最多 {QUARTERS_MAX} 个，请分成几张表"),
                format!("The form is of {count} different quarters; {QUARTERS_MAX} is the most. Make several forms of it"),
            ));
        }
        (cells, unknown, problems)
    }

    /// Where a name points.
    fn target(&self, name: &str, refers: &str) -> Result<(String, String, At, Option<At>), Trouble> {
        let refers = refers.trim_start_matches('=');
        if refers.contains('[') {
            return Err(Trouble::of(
                name,
                "other_file",
                "指向别的文件里的单元格。请让它指这个文件里的一个单元格",
                "means a cell of another file. Let it mean a cell of this one",
            ));
        }
        let not_a_cell = || {
            Trouble::of(
                name,
                "not_a_cell",
                "没有指向一个单元格。请在 Excel 的“公式 → 名称管理器”里改成一个单元格",
                "means no cell. Let it mean a single cell in Excel's Name Manager (Formulas)",
            )
        };
        let (sheet, cell) = refers.rsplit_once('!').ok_or_else(not_a_cell)?;
        let quoted = sheet.strip_prefix('\'').and_then(|s| s.strip_suffix('\''));
        let sheet = quoted.map_or_else(|| sheet.to_owned(), |s| s.replace("''", "'"));
        let (at, to) = cells::range(cell).ok_or_else(not_a_cell)?;
        let found = self.sheets.iter().find(|(n, _)| n.eq_ignore_ascii_case(&sheet));
        let part = found.and_then(|(_, part)| part.clone()).ok_or_else(|| {
            Trouble::of(
                name,
                "no_such_sheet",
                "指向的工作表不在这个文件里，或不是表格。请改指这个文件里的单元格",
                "means a sheet that is not in this file or has no cells. Let it mean a cell of this file",
            )
        })?;
        Ok((sheet, part, at, to))
    }

    /// The workbook's part, so that spreadsheets calculate everything when they open it.
    pub(super) fn calculated_anew(&self) -> Result<(String, String), Trouble> {
        let (span, with) = self.calc.clone().unwrap_or_else(|| {
            let with = format!("<{}calcPr fullCalcOnLoad=\"1\"/>", self.prefix);
            (self.names_end..self.names_end, with)
        });
        let edits = BTreeMap::from([(span.start, (span.end, with))]);
        let text = splice(&self.text, &edits).ok_or_else(|| Trouble::broken("calcPr?"))?;
        Ok((self.part.clone(), text))
    }
}
