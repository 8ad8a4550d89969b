//! Lists of places and the tree their stated parents make.
//!
//! A list is a table `code,name,level,parent`. The tree is built from the `parent` column alone; a parent
//! that is not in the list makes a root (a district's list names its prefecture and stops there). Order
//! inside the tree is by code, so that it replays.

use super::{Level, PlaceCode, PlaceCodeError, bare_name, short_name};
use crate::{
    csv::{CsvReason, Table},
    limits::NAME_BYTES_MAX,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// The lists that ship with the program, by name.
const SHIPPED: [(&str, &str); 5] = [
    ("foshan-4406", include_str!("../../data/divisions/foshan-4406.csv")),
    ("liyang-320481", include_str!("../../data/divisions/liyang-320481.csv")),
    ("nantong-3206", include_str!("../../data/divisions/nantong-3206.csv")),
    ("qingbaijiang-510113", include_str!("../../data/divisions/qingbaijiang-510113.csv")),
    ("wuhou-510107", include_str!("../../data/divisions/wuhou-510107.csv")),
];

/// The lists that ship with the program: (name, table). Sources in the data folder's README.
#[must_use]
pub fn shipped_divisions() -> Vec<(&'static str, &'static str)> {
    SHIPPED.to_vec()
}

/// One row of a list of places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Division {
    /// Its official code.
    pub code: PlaceCode,
    /// Its full official name.
    pub name: String,
    /// Its level, a label.
    pub level: Level,
    /// The code of the place above it, as stated; none for a root.
    pub parent: Option<PlaceCode>,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DivisionReason {
    /// The line is not a row of the table.
    #[error(transparent)]
    Csv(#[from] CsvReason),
    /// The header lacks a column.
    #[error("the header has no column “{0}”")]
    NoColumn(&'static str),
    /// The code is not one.
    #[error("column code: {0}")]
    Code(#[source] PlaceCodeError),
    /// The parent is neither empty nor a code.
    #[error("column parent: {0}")]
    Parent(#[source] PlaceCodeError),
    /// The name is empty, too long or has control characters.
    #[error("column name: empty, longer than {NAME_BYTES_MAX} bytes, or with control characters")]
    Name,
    /// The level is empty, too long or has control characters.
    #[error("column level: empty, longer than {NAME_BYTES_MAX} bytes, or with control characters")]
    Level,
}

/// A list of places could not be read; nothing of it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct DivisionError {
    /// Line in the text, from 1.
    pub line: usize,
    /// What is wrong there.
    #[source]
    pub reason: DivisionReason,
}

/// Reads a table with the columns `code,name,level,parent`, in any order, others ignored.
///
/// # Errors
/// [`DivisionError`] for the first bad line.
pub fn parse_divisions(csv: &str) -> Result<Vec<Division>, DivisionError> {
    let table = Table::read(csv).map_err(|e| DivisionError { line: e.line, reason: e.reason.into() })?;
    let column = |name| {
        table
            .column(name)
            .ok_or(DivisionError { line: table.header.line, reason: DivisionReason::NoColumn(name) })
    };
    let (code, name, level, parent) = (column("code")?, column("name")?, column("level")?, column("parent")?);
    table
        .rows
        .iter()
        .map(|row| {
            let bad = |reason| DivisionError { line: row.line, reason };
            if !is_label(row.field(name)) {
                return Err(bad(DivisionReason::Name));
            }
            if !is_label(row.field(level)) {
                return Err(bad(DivisionReason::Level));
            }
            Ok(Division {
                code: row.field(code).parse().map_err(|e| bad(DivisionReason::Code(e)))?,
                name: row.field(name).to_owned(),
                level: Level::from_name(row.field(level)),
                parent: match row.field(parent) {
                    "" => None,
                    text => Some(text.parse().map_err(|e| bad(DivisionReason::Parent(e)))?),
                },
            })
        })
        .collect()
}

fn is_label(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control)
}

/// The stated parents do not make a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TreeError {
    /// Two rows have one code.
    #[error("the code {0} is in the list twice")]
    Duplicate(PlaceCode),
    /// Following the parents leads back to where one started.
    #[error("the places above {0} lead back to it")]
    Cycle(PlaceCode),
}

/// What looking for a name found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    /// No place has this name.
    None,
    /// Exactly this one.
    One(&'a Division),
    /// Several: the person must choose, for example by the place above.
    Many(Vec<&'a Division>),
}

/// A list of places as the tree its stated parents make.
#[derive(Debug, Clone, Default)]
pub struct Divisions {
    by_code: BTreeMap<PlaceCode, Division>,
    /// Children of every stated parent, those outside the list included.
    children: BTreeMap<PlaceCode, Vec<PlaceCode>>,
    roots: Vec<PlaceCode>,
    /// Full, bare and short names.
    by_name: BTreeMap<String, BTreeSet<PlaceCode>>,
}

impl Divisions {
    /// Builds the tree.
    ///
    /// # Errors
    /// [`TreeError`] when a code occurs twice or the parents run in a circle.
    pub fn new(list: Vec<Division>) -> Result<Self, TreeError> {
        let mut tree = Self::default();
        for division in list {
            let code = division.code;
            for name in [division.name.as_str(), bare_name(&division.name), short_name(&division.name)] {
                tree.by_name.entry(name.to_owned()).or_default().insert(code);
            }
            if tree.by_code.insert(code, division).is_some() {
                return Err(TreeError::Duplicate(code));
            }
        }
        for division in tree.by_code.values() {
            if let Some(parent) = division.parent {
                tree.children.entry(parent).or_default().push(division.code);
            }
            if division.parent.is_none_or(|p| !tree.by_code.contains_key(&p)) {
                tree.roots.push(division.code);
            }
        }
        // What no root reaches is on a circle or hangs from one.
        let mut unreached: BTreeSet<_> = tree.by_code.keys().copied().collect();
        let mut next = tree.roots.clone();
        while let Some(code) = next.pop() {
            unreached.remove(&code);
            next.extend(tree.children.get(&code).into_iter().flatten());
        }
        match unreached.first() {
            Some(&start) => Err(TreeError::Cycle(tree.on_the_circle(start))),
            None => Ok(tree),
        }
    }

    /// Walks up from a place that no root reaches until a place repeats: that one is on the circle.
    fn on_the_circle(&self, start: PlaceCode) -> PlaceCode {
        let mut seen = BTreeSet::new();
        let mut at = start;
        while seen.insert(at) {
            match self.by_code.get(&at).and_then(|d| d.parent) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        at
    }

    /// Every place that ships with the program, as one tree.
    ///
    /// # Errors
    /// Never for the shipped files (a test reads them all); an error rather than a panic all the same.
    pub fn shipped() -> Result<Self, ShippedError> {
        let mut all = Vec::new();
        for (_, csv) in SHIPPED {
            all.append(&mut parse_divisions(csv)?);
        }
        Ok(Self::new(all)?)
    }

    /// How many places the list has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_code.len()
    }

    /// Whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_code.is_empty()
    }

    /// Every place, by code.
    pub fn iter(&self) -> impl Iterator<Item = &Division> {
        self.by_code.values()
    }

    /// The place with this code.
    #[must_use]
    pub fn find(&self, code: PlaceCode) -> Option<&Division> {
        self.by_code.get(&code)
    }

    /// The places called this. A full name counts before bare and short ones: 朝阳村 finds 朝阳村, not 朝阳.
    #[must_use]
    pub fn find_name(&self, name: &str) -> Found<'_> {
        let name = name.trim();
        let all: Vec<_> =
            self.by_name.get(name).into_iter().flatten().filter_map(|c| self.by_code.get(c)).collect();
        let full: Vec<_> = all.iter().copied().filter(|d| d.name == name).collect();
        let bare: Vec<_> = all.iter().copied().filter(|d| bare_name(&d.name) == name).collect();
        match [full, bare, all].into_iter().find(|hits| !hits.is_empty()) {
            None => Found::None,
            Some(hits) => match hits.as_slice() {
                [one] => Found::One(one),
                _ => Found::Many(hits),
            },
        }
    }

    /// Places whose parent is not in the list, or that state none.
    pub fn roots(&self) -> impl Iterator<Item = &Division> {
        self.roots.iter().filter_map(|c| self.by_code.get(c))
    }

    /// The places directly below `code`, which itself need not be in the list.
    pub fn children(&self, code: PlaceCode) -> impl Iterator<Item = &Division> {
        self.children.get(&code).into_iter().flatten().filter_map(|c| self.by_code.get(c))
    }

    /// The places above `code`, nearest first, as far as the list goes.
    pub fn ancestors(&self, code: PlaceCode) -> impl Iterator<Item = &Division> {
        let above = |d: &Division| d.parent.and_then(|p| self.by_code.get(&p));
        std::iter::successors(self.by_code.get(&code).and_then(above), move |d| above(d))
    }

    /// `code` and everything below it, parents before their children.
    pub fn subtree(&self, code: PlaceCode) -> impl Iterator<Item = &Division> {
        let mut next: Vec<_> = self.by_code.get(&code).into_iter().collect();
        std::iter::from_fn(move || {
            let at = next.pop()?;
            next.extend(self.children(at.code).collect::<Vec<_>>().into_iter().rev());
            Some(at)
        })
    }

    /// What stands in front of the matter numbers of each place: its short name, or where places share
    /// it, the least longer name that no other place of the list could also get (杏花村 beside 杏花社区;
    /// 三余新坝 for one of two villages 新坝; at last the code). No two places get the same.
    #[must_use]
    pub fn number_prefixes(&self) -> BTreeMap<PlaceCode, String> {
        let candidates: BTreeMap<_, _> = self.iter().map(|d| (d.code, self.prefix_candidates(d))).collect();
        let mut claims: BTreeMap<&str, BTreeSet<PlaceCode>> = BTreeMap::new();
        for (code, names) in &candidates {
            for name in names {
                claims.entry(name).or_default().insert(*code);
            }
        }
        let alone = |name: &&String| claims.get(name.as_str()).is_some_and(|c| c.len() == 1);
        candidates
            .iter()
            .map(|(code, names)| {
                (*code, names.iter().find(alone).cloned().unwrap_or_else(|| code.to_string()))
            })
            .collect()
    }

    fn prefix_candidates(&self, division: &Division) -> Vec<String> {
        let (short, bare) = (short_name(&division.name), bare_name(&division.name));
        let full = division.name.as_str();
        let mut names = vec![short.to_owned(), bare.to_owned()];
        if let Some(above) = self.ancestors(division.code).next() {
            let above = short_name(&above.name);
            names.extend([format!("{above}{short}"), format!("{above}{bare}"), full.to_owned()]);
            names.push(format!("{above}{full}"));
        }
        // Compared as they will stand in a number.
        names.iter_mut().for_each(|n| *n = crate::number::canonical_prefix(n));
        names.retain(|n| !n.is_empty());
        names.push(division.code.to_string());
        names
    }
}

/// A shipped list is damaged: the program was built from altered files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ShippedError {
    /// A row cannot be read.
    #[error("a shipped list of places: {0}")]
    Row(#[from] DivisionError),
    /// The rows make no tree.
    #[error("the shipped lists of places: {0}")]
    Tree(#[from] TreeError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(s: &str) -> PlaceCode {
        s.parse().unwrap()
    }

    fn tree(csv: &str) -> Result<Divisions, TreeError> {
        Divisions::new(parse_divisions(csv).unwrap())
    }

    fn fails(csv: &str) -> DivisionError {
        parse_divisions(csv).unwrap_err()
    }

    const HEAD: &str = "code,name,level,parent\n";

    #[test]
    fn every_shipped_list_makes_its_tree() {
        // (file, districts = roots, townships, villages); counted from the files by another program.
        let expected = [
            ("foshan-4406", 5, 41, 818),
            ("liyang-320481", 1, 14, 244),
            ("nantong-3206", 8, 136, 2_005),
            ("qingbaijiang-510113", 1, 7, 83),
            ("wuhou-510107", 1, 15, 113),
        ];
        for ((name, csv), (expected_name, districts, townships, villages)) in
            shipped_divisions().into_iter().zip(expected)
        {
            assert_eq!(name, expected_name);
            let tree = tree(csv).unwrap();
            let count = |level: Level| tree.iter().filter(|d| d.level == level).count();
            assert_eq!(tree.roots().count(), districts, "{name}");
            assert_eq!(
                (count(Level::District), count(Level::Township), count(Level::Village)),
                (districts, townships, villages),
                "{name}"
            );
            let reached: usize = tree.roots().map(|r| tree.subtree(r.code).count()).sum();
            assert_eq!(reached, tree.len(), "{name}");
            for d in tree.iter() {
                assert_eq!(d.code.to_string().parse(), Ok(d.code));
                assert_eq!(d.code.level_hint(), d.level, "{name} {}", d.code);
                let depth = tree.ancestors(d.code).count();
                let expected_depth = [Level::District, Level::Township, Level::Village]
                    .iter()
                    .position(|l| *l == d.level)
                    .unwrap();
                assert_eq!(depth, expected_depth, "{name} {}", d.code);
            }
        }
        assert_eq!(Divisions::shipped().unwrap().len(), 864 + 259 + 2_149 + 91 + 129);
    }

    #[test]
    fn the_village_of_the_accounts_is_found() {
        let all = Divisions::shipped().unwrap();
        let Found::One(village) = all.find_name("芦稿") else { panic!("芦稿 is unique") };
        assert_eq!(village.code, code("510113106204"));
        assert_eq!(all.find_name("芦稿村"), Found::One(village));
        assert_eq!(all.find_name(" 芦稿村村民委员会 "), Found::One(village));
        let path: Vec<_> = all.ancestors(village.code).map(|d| d.name.as_str()).collect();
        assert_eq!(path, ["姚渡镇", "青白江区"]);
        assert_eq!(all.find(code("510113111003")).unwrap().name, "杏花社区居民委员会");
        assert_eq!(all.find_name("没有这个村"), Found::None);
        let Found::Many(same) = all.find_name("新坝村委会") else { panic!("several 新坝") };
        assert!(same.len() > 1);
        // The prefecture is not in its own list, and its districts are still found below it.
        assert_eq!(all.children(code("320600000000")).count(), 8);
        assert!(all.find(code("320600000000")).is_none());
    }

    #[test]
    fn the_tree_is_the_stated_one() {
        // Re-parented against the digits: the statement holds.
        let t = tree(&format!(
            "{HEAD}510113000000,青白江区,district,\n510113106000,姚渡镇,township,510113000000\n\
             510107999204,飞地村,园区,510113106000\n"
        ))
        .unwrap();
        let below: Vec<_> = t.subtree(code("510113000000")).map(|d| d.name.as_str()).collect();
        assert_eq!(below, ["青白江区", "姚渡镇", "飞地村"]);
        assert_eq!(t.find(code("510107999204")).unwrap().level, Level::Other("园区".into()));
        assert_eq!(t.roots().count(), 1);
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let a = "510113000000";
        let (b, c) = ("510113106000", "510113106204");
        assert_eq!(
            tree(&format!("{HEAD}{a},甲,district,\n{a},乙,district,\n")).unwrap_err(),
            TreeError::Duplicate(code(a))
        );
        assert_eq!(
            tree(&format!("{HEAD}{a},甲,district,{a}\n")).unwrap_err(),
            TreeError::Cycle(code(a)),
            "its own parent"
        );
        // a hangs from the circle b ↔ c and is not named.
        let err = tree(&format!("{HEAD}{a},甲,x,{b}\n{b},乙,x,{c}\n{c},丙,x,{b}\n")).unwrap_err();
        assert!(matches!(err, TreeError::Cycle(at) if at == code(b) || at == code(c)), "{err}");
    }

    #[test]
    fn bad_rows_are_named_by_their_line() {
        let ok = "510113106204,芦稿村,village,510113106000";
        assert_eq!(fails("").reason, DivisionReason::Csv(CsvReason::Empty));
        assert_eq!(
            fails("code,name,level\n"),
            DivisionError { line: 1, reason: DivisionReason::NoColumn("parent") }
        );
        let row = |row: &str| fails(&format!("\u{feff}{HEAD}{ok}\r\n\r\n{row}\r\n"));
        let at = |reason| DivisionError { line: 4, reason };
        let short = PlaceCodeError::NotTwelveDigits;
        assert_eq!(row("51,芦稿村,village,510113106000"), at(DivisionReason::Code(short)));
        assert_eq!(row("510113106205,x,village,5101"), at(DivisionReason::Parent(short)));
        assert_eq!(row("510113106205,,village,"), at(DivisionReason::Name));
        assert_eq!(row("510113106205,\"a\u{7}\",village,"), at(DivisionReason::Name));
        assert_eq!(row("510113106205,x,,"), at(DivisionReason::Level));
        assert!(matches!(row("510113106205,x,village").reason, DivisionReason::Csv(_)));
        assert_eq!(
            row("510113106205,x,,").to_string(),
            "line 4: column level: empty, longer than 120 bytes, or with control characters"
        );
    }

    #[test]
    fn quoted_and_reordered_columns_are_read() {
        let list = parse_divisions(
            "name,note,parent,code,level\n\"芦稿\"\"村\"\"\",\"a,b\",510113106000,510113106204,village\n",
        )
        .unwrap();
        assert_eq!(list[0].name, "芦稿\"村\"");
        assert_eq!(list[0].parent, Some(code("510113106000")));
    }

    #[test]
    fn number_prefixes_tell_places_apart() {
        let all = Divisions::shipped().unwrap();
        let prefixes = all.number_prefixes();
        assert_eq!(prefixes.len(), all.len());
        assert_eq!(prefixes.values().collect::<BTreeSet<_>>().len(), all.len(), "no two the same");
        assert_eq!(prefixes[&code("510113106204")], "芦稿");
        assert_eq!(prefixes[&code("510113106000")], "姚渡");
        assert_eq!(prefixes[&code("320481107001")], "别桥居委会", "in 别桥镇, beside 别桥村委会");
        assert!(prefixes.iter().all(|(code, p)| *p != code.to_string()), "none needs its code");
        let t = tree(&format!(
            "{HEAD}510113106000,姚渡镇,township,\n510113106001,杏花社区居委会,village,510113106000\n\
             510113106201,杏花村委会,village,510113106000\n510113108000,清泉镇,township,\n\
             510113108201,红旗村,village,510113108000\n510113106202,红旗村,village,510113106000\n"
        ))
        .unwrap();
        let p = t.number_prefixes();
        assert_eq!(p[&code("510113106001")], "杏花社区");
        assert_eq!(p[&code("510113106201")], "杏花村", "杏花 alone could be either");
        assert_eq!(p[&code("510113108201")], "清泉红旗");
        assert_eq!(p[&code("510113106202")], "姚渡红旗");
    }
}
