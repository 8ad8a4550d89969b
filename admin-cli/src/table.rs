//! Tables and paragraphs for terminals, where a Chinese character is two columns wide.
//!
//! On a terminal the widest column gives way; in a pipe nothing is cut, so that `grep` finds what is there.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::import::clean::for_terminal;
use crate::limits::{COLUMN_WIDTH_MIN, TABLE_WIDTH_MIN};

/// What a cell means; colour never says it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Paint {
    /// Nothing particular.
    #[default]
    Plain,
    /// Overdue, refused, failed.
    Red,
    /// Due soon.
    Amber,
    /// Done.
    Green,
    /// Beside the point.
    Dim,
    /// Headings.
    Bold,
}

impl Paint {
    /// The text in this colour, if there is colour.
    pub fn on(self, text: &str, colour: bool) -> String {
        let code = match self {
            _ if !colour || text.is_empty() => return text.to_owned(),
            Paint::Plain => return text.to_owned(),
            Paint::Red => "31",
            Paint::Amber => "33",
            Paint::Green => "32",
            Paint::Dim => "2",
            Paint::Bold => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// A cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    paint: Paint,
}

impl Cell {
    /// A cell of one line in a colour; what could steer the terminal is taken out.
    pub fn new(text: &str, paint: Paint) -> Self {
        Self { text: for_terminal(text).replace('\n', " "), paint }
    }
}

impl Cell {
    /// Whether there is nothing to see.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::new(text, Paint::Plain)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::new(&text, Paint::Plain)
    }
}

/// Rows under headers.
#[derive(Debug, Clone)]
pub struct Table {
    headers: Vec<Cell>,
    rows: Vec<Vec<Cell>>,
    gives_way: Option<usize>,
}

impl Table {
    /// An empty table.
    pub fn new(headers: &[&str]) -> Self {
        Self {
            headers: headers.iter().map(|header| Cell::new(header, Paint::Bold)).collect(),
            rows: Vec::new(),
            gives_way: None,
        }
    }

    /// Names the column that is cut first where room is short: usually the title.
    pub fn giving_way(mut self, column: usize) -> Self {
        self.gives_way = Some(column);
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The table as lines without trailing blanks; `width` is the terminal's, if there is one.
    pub fn lines(&self, width: Option<usize>, colour: bool) -> Vec<String> {
        const GAP: usize = 2;
        let all = || std::iter::once(&self.headers).chain(&self.rows);
        let mut widths = vec![0usize; self.headers.len()];
        for row in all() {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(cell.text.width());
            }
        }
        if let Some(width) = width {
            let width = width.max(TABLE_WIDTH_MIN);
            let mut total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
            let first = self.gives_way.and_then(|column| widths.get_mut(column));
            if let Some(first) = first.filter(|first| **first > COLUMN_WIDTH_MIN) {
                let less = total.saturating_sub(width).min(*first - COLUMN_WIDTH_MIN);
                *first -= less;
                total -= less;
            }
            while total > width {
                let Some(widest) = widths.iter_mut().max().filter(|widest| **widest > 8) else { break };
                *widest -= 1;
                total -= 1;
            }
        }
        all()
            .map(|row| {
                let mut line = String::new();
                for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                    let text = cut(&cell.text, *width);
                    let blanks =
                        width.saturating_sub(text.width()) + if at + 1 < widths.len() { GAP } else { 0 };
                    line.push_str(&cell.paint.on(&text, colour));
                    line.push_str(&" ".repeat(blanks));
                }
                line.trim_end().to_owned()
            })
            .collect()
    }
}

/// Text no wider than `width`, with an ellipsis where it was cut.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// Paragraphs folded at `width` columns and indented; Chinese may break anywhere, Latin words stay whole.
pub fn folded(text: &str, indent: &str, width: usize) -> Vec<String> {
    let room = width.saturating_sub(indent.width()).max(20);
    let mut lines = Vec::new();
    for paragraph in for_terminal(text).split('\n') {
        // A paragraph that is indented itself stays so in all its lines.
        let own = paragraph.len() - paragraph.trim_start_matches(' ').len();
        let (paragraph, indent) = (paragraph.trim_start_matches(' '), format!("{indent}{}", " ".repeat(own)));
        let (mut line, mut used) = (String::new(), own);
        let room = room.max(own + 20);
        for piece in pieces(paragraph) {
            let wide = piece.width();
            // Closing marks never start a line.
            let closing = piece.chars().all(|c| "，。、；：！？）》」』”’,.;:!?)".contains(c));
            if used + wide > room && used > own && !closing {
                lines.push(format!("{indent}{}", line.trim_end()));
                line.clear();
                used = own;
            }
            if line.is_empty() && piece == " " {
                continue;
            }
            line.push_str(piece);
            used += wide;
        }
        lines.push(format!("{indent}{}", line.trim_end()).trim_end().to_owned());
    }
    lines
}

/// A paragraph's unbreakable pieces: a run of ASCII letters, or one other character.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if first.is_ascii_graphic() {
            rest.find(|c: char| !c.is_ascii_graphic()).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["编号", "标题", "环节"]);
        table.row(vec!["芦稿-2026-0187".into(), "村口涵洞积水，车辆无法通行".into(), "已登记".into()]);
        table.row(vec!["A".into(), "b\u{1b}[2J".into(), Cell::new("超期", Paint::Red)]);
        table
    }

    #[test]
    fn chinese_lines_up() {
        let lines = table().lines(None, false);
        let at = |line: &str, word: &str| line.split(word).next().unwrap().width();
        assert_eq!(at(&lines[0], "环节"), at(&lines[1], "已登记"));
        assert_eq!(at(&lines[1], "已登记"), at(&lines[2], "超期"));
        assert!(lines[2].contains("b[2J"), "no escape gets through: {:?}", lines[2]);
    }

    #[test]
    fn the_widest_column_gives_way_on_a_terminal_only() {
        let mut table = table();
        table.row(vec!["B".into(), "长".repeat(60).into(), "已登记".into()]);
        assert!(table.lines(Some(70), false).iter().all(|line| line.width() <= 70));
        assert!(table.lines(Some(70), false)[3].contains('…'));
        let cut_first = table.clone().giving_way(1).lines(Some(60), false);
        assert!(cut_first[1].contains("芦稿-2026-0187") && cut_first[1].contains("已登记"), "{cut_first:?}");
        assert!(table.lines(None, false)[3].contains(&"长".repeat(60)));
    }

    #[test]
    fn colour_is_around_the_word_and_only_when_wanted() {
        assert!(table().lines(None, true)[2].contains("\x1b[31m超期\x1b[0m"));
        assert!(!table().lines(None, false).join("").contains('\x1b'));
    }

    #[test]
    fn text_folds_without_orphaned_marks() {
        let lines = folded("村口涵洞积水，车过不去。\nRepair the culvert before June", "  ", 22);
        assert!(lines.iter().all(|line| line.width() <= 24), "{lines:?}");
        assert!(lines.iter().all(|line| !line.trim_start().starts_with('，')), "{lines:?}");
        assert!(lines.iter().any(|line| line.ends_with("culvert") || line.contains("culvert ")), "{lines:?}");
    }
}
