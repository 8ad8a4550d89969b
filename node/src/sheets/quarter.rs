//! 民情走访与监督季报 (Qingbaijiang): what the supervisory board is told each quarter, every figure with the
//! matters behind it and how it was counted.
//!
//! Nothing is added up that is not alike: solved, answered and told stand apart.

use super::{Cell, Holds, Kind, Row, Sheet, form, query::Asked, sweep};
use crate::actions::{ActionError, Actions, Sketch};
use std::{collections::BTreeMap, fmt::Write as _, ops::ControlFlow};
use yishi_protocol::{
    fold::{Filling, Matter},
    ids::DocId,
};

/// Numbers written out behind a figure; all of them are in the row's data.
const NUMBERS_MAX: usize = 30;
/// The category of disputes between neighbours.
const DISPUTES: &str = "邻里纠纷";
/// The paper on which the supervisory board writes what it found.
const INSPECTION: &str = "inspection";
/// Whether it was reported to the branch at once.
const URGENT: &str = "urgent";

/// A figure: how often, and in which matters.
#[derive(Default)]
struct Figure {
    times: usize,
    matters: BTreeMap<DocId, String>,
}

impl Figure {
    fn add(&mut self, doc: DocId, number: &str, times: usize) {
        if times > 0 {
            self.times += times;
            self.matters.insert(doc, number.to_owned());
        }
    }
}

/// The figures by name.
type Figures = BTreeMap<&'static str, Figure>;

/// Name, Chinese, English, and how it is counted in both.
const FIGURES: &[(&str, &str, &str, &str, &str)] = &[
    (
        "home_visit",
        "家访收集",
        "Gathered by home visit",
        "本季度反映、渠道为家访的事项",
        "matters raised in the quarter through a home visit",
    ),
    (
        "courtyard",
        "坝坝会收集",
        "Gathered at courtyard meetings",
        "本季度反映、渠道为坝坝会的事项",
        "matters raised in the quarter at a courtyard meeting",
    ),
    (
        "fair",
        "信息赶集收集",
        "Gathered at information fairs",
        "本季度反映、渠道为信息赶集的事项",
        "matters raised in the quarter at an information fair",
    ),
    (
        "raised",
        "登记事项总数",
        "Matters raised in all",
        "本季度反映的全部事项，含上面三类",
        "all matters raised in the quarter, the three above included",
    ),
    (
        "disputes",
        "其中邻里纠纷",
        "Of them disputes between neighbours",
        "类别为邻里纠纷",
        "the category is disputes between neighbours",
    ),
    ("answered", "答复次数", "Replies", "本季度作出的答复", "replies given in the quarter"),
    (
        "refused",
        "不予受理次数",
        "Refusals",
        "本季度作出的不予受理，不算答复",
        "refusals in the quarter, not counted as replies",
    ),
    (
        "told_visit",
        "上门告知次数",
        "Told in person",
        "登记单位上门告知",
        "told at home by the place that registered it",
    ),
    (
        "told",
        "告知次数",
        "Told in all",
        "登记单位的告知，含上门",
        "told by the place that registered it, in person included",
    ),
    (
        "untold",
        "现在待告知",
        "Still to be told now",
        "已答复、现在还没有告知，不限季度",
        "answered and not told as of today, whatever the quarter",
    ),
    (
        "inspections",
        "监事会检查次数",
        "Inspections by the board",
        "监事会检查记录",
        "papers on which the supervisory board wrote what it found",
    ),
    (
        "urgent",
        "其中急报党总支",
        "Of them reported to the branch at once",
        "检查记录里写明急报",
        "the paper says so",
    ),
    (
        "objections",
        "公示异议",
        "Objections to notices",
        "本季度提出的异议",
        "objections lodged in the quarter",
    ),
    (
        "violations",
        "程序违规",
        "Acts that broke the procedure",
        "本季度反映的事项里没有计入的步骤",
        "acts that do not count, in matters raised in the quarter",
    ),
];

/// What a form's cells can be filled with.
pub(super) fn figures() -> form::Figures {
    form::Figures::of(FIGURES.iter().map(|(name, zh, en, ..)| (*name, *zh, *en)))
}

/// Times and matters of each figure of a sheet of this kind, by name.
pub(super) fn counts(sheet: &Sheet) -> BTreeMap<&'static str, (i64, i64)> {
    let number = |row: &Row, column: usize| match row.cells.get(column) {
        Some(Cell::Number(n)) => *n,
        _ => 0,
    };
    let rows = FIGURES.iter().zip(&sheet.rows);
    rows.map(|((name, ..), row)| (*name, (number(row, 1), number(row, 2)))).collect()
}

pub(super) async fn sheet(actions: &Actions, kind: &Kind, asked: &Asked) -> Result<Sheet, ActionError> {
    let mut sheet = kind.blank(actions);
    sheet.columns(&[
        ("figure", "指标", "Figure", Holds::Text),
        ("count", "数量", "Count", Holds::Number),
        ("matters", "涉及事项", "Matters", Holds::Number),
        ("numbers", "事项编号", "Their numbers", Holds::Text),
        ("how", "怎么数的", "How it was counted", Holds::Text),
    ]);
    let mut figures = Figures::new();
    sweep::listed(actions, asked.home, false, |row, s| {
        of_list(&mut figures, row.doc, &s, asked.covers(s.raised_on));
        ControlFlow::Continue(())
    })
    .await?;
    // Replies, tellings and inspections of the quarter may be of matters raised long before.
    let all = |_: &Sketch| true;
    sweep::folded(actions, asked, &mut sheet, all, |_, doc, m| of_acts(&mut figures, asked, doc, m)).await?;
    for (name, zh, en, how_zh, how_en) in FIGURES {
        let figure = figures.remove(name).unwrap_or_default();
        let mut numbers: Vec<String> = figure.matters.values().cloned().collect();
        numbers.sort();
        let rest = numbers.len().saturating_sub(NUMBERS_MAX);
        numbers.truncate(NUMBERS_MAX);
        let mut text = numbers.join("、");
        if rest > 0 {
            let _ = write!(text, " +{rest}");
        }
        let cells = vec![
            Cell::words(zh, en),
            Cell::count(figure.times),
            Cell::count(figure.matters.len()),
            Cell::text(text),
            Cell::words(how_zh, how_en),
        ];
        sheet.row(cells, figure.matters.into_keys().collect());
    }
    let (zh, en) = asked.period_text().unwrap_or_default();
    sheet.note(
        format!("{zh}。各项分别计数，不能相加；并案的事项各算各的。"),
        format!("{en}. Each figure stands alone, they do not add up; merged matters count one by one."),
    );
    Ok(sheet)
}

fn owed(s: &Sketch) -> bool {
    s.reply.is_some() && !s.told
}

/// What the list of matters knows.
fn of_list(figures: &mut Figures, doc: DocId, s: &Sketch, raised: bool) {
    let mut add = |name, yes: bool| figures.entry(name).or_default().add(doc, &s.number, usize::from(yes));
    for (name, channel) in [("home_visit", "home_visit"), ("courtyard", "courtyard"), ("fair", "fair")] {
        add(name, raised && s.channel.as_deref() == Some(channel));
    }
    add("raised", raised);
    add("disputes", raised && s.category.as_deref() == Some(DISPUTES));
    add("untold", owed(s));
    if raised {
        figures.entry("violations").or_default().add(doc, &s.number, s.violations.len());
    }
}

/// What only a matter's own acts know.
fn of_acts(figures: &mut Figures, asked: &Asked, doc: DocId, m: &Matter) {
    let mut add = |name, times| figures.entry(name).or_default().add(doc, &m.number, times);
    add("answered", m.answers.iter().filter(|a| asked.covers(a.on)).count());
    add("refused", m.refusals.iter().filter(|a| asked.covers(a.on)).count());
    let told: Vec<_> = m.tellings.iter().filter(|t| t.by_home && asked.covers(t.on)).collect();
    add("told", told.len());
    add("told_visit", told.iter().filter(|t| t.how == "visit").count());
    let found: Vec<_> = m.records.iter().filter(|r| r.form == INSPECTION && asked.covers(r.on)).collect();
    add("inspections", found.len());
    let urgent = |r: &&&yishi_protocol::fold::Recorded| r.fields.get(URGENT) == Some(&Filling::YesNo(true));
    add("urgent", found.iter().filter(urgent).count());
    let objected = m.posts.iter().flat_map(|p| &p.objections).filter(|o| asked.covers(o.on));
    add("objections", objected.count());
}
