//! Sheets: what offices ask villages to fill in, made of what is on record and never entered again.
//!
//! A [`Sheet`] is data: columns, rows and where they come from, made of folds and read models through
//! [`Actions`]. [`table`] writes it as CSV and XLSX; JSON is the data itself; the page to print is a template.
//!
//! ```text
//! name + SheetQuery ──▶ make ──▶ Sheet ──▶ JSON · CSV · XLSX · A4
//!                         └ sweep: matters of a place and period; one: a single matter's own changes
//! ```
//!
//! Invariants: no figure is typed in or kept; a row about a matter names it, so that everything opens to what
//! is behind it; a petitioner's name stands only in a sheet that was asked for with names by somebody who may
//! open dossiers ([`Reader`]); a sheet that is not whole says so in its notes.

mod attendance;
mod collectors;
mod consultation;
mod courier;
pub mod form;
pub mod forms;
mod joint;
mod money;
mod paper;
mod quarter;
mod query;
mod sweep;
pub mod table;
mod tell;

pub use query::SheetQuery;

use crate::actions::{ActionError, Actions, views::MatterSummary};
use query::Asked;
use serde::Serialize;
use yishi_protocol::{ids::DocId, procedure::Words};

/// Rows of one sheet: a year of a large village. A spreadsheet of more is nobody's paper.
pub(crate) const ROWS_MAX: usize = 5_000;
/// Matters whose changes are read for one sheet: some three seconds' worth on a village's machine.
pub(crate) const FOLDED_MAX: usize = 2_000;
/// Characters of one cell: Excel takes 32,767.
pub(crate) const CELL_CHARS_MAX: usize = 8_000;

/// A sheet that can be made.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Kind {
    /// Its stable name.
    pub name: &'static str,
    /// As shown, in Chinese.
    pub title_zh: &'static str,
    /// In English.
    pub title: &'static str,
    /// What it is for, in Chinese.
    pub about_zh: &'static str,
    /// In English.
    pub about: &'static str,
    /// What may be asked of it, the compulsory ones first.
    pub takes: &'static [&'static str],
    /// Whether it is about one matter, which must be named.
    pub of_matter: bool,
}

const PERIOD: &[&str] = &["home", "since", "until"];

/// Every sheet, in the order people need them.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "to_tell",
        title_zh: "待告知清单",
        title: "Replies still to be told",
        about_zh: "已答复、还没有告知反映人的事项：该给谁打电话、上谁的门。",
        about: "Matters answered and not told yet: whom to call or visit.",
        takes: &["home", "names"],
        of_matter: false,
    },
    Kind {
        name: "courier_collection",
        title_zh: "民情民意收集登记表",
        title: "Opinion collection sheet",
        about_zh: "武侯民情专递：一事一记。",
        about: "Opinion couriers: one matter, one record.",
        takes: &["matter", "names"],
        of_matter: true,
    },
    Kind {
        name: "courier_handling",
        title_zh: "民情民意办理登记表",
        title: "Opinion handling sheet",
        about_zh: "武侯民情专递：一事一议。",
        about: "Opinion couriers: one matter, one discussion.",
        takes: &["matter"],
        of_matter: true,
    },
    Kind {
        name: "courier_feedback",
        title_zh: "民情民意办理情况反馈意见表",
        title: "What people say to the handling",
        about_zh: "武侯民情专递：一事一馈。",
        about: "Opinion couriers: one matter, one reply.",
        takes: &["matter", "names"],
        of_matter: true,
    },
    Kind {
        name: "opinions",
        title_zh: "协商意见建议清单",
        title: "List of opinions and suggestions",
        about_zh: "南通有事好商量三张清单之一：商量出了什么。",
        about: "The first of Nantong's three lists: what was agreed.",
        takes: PERIOD,
        of_matter: false,
    },
    Kind {
        name: "duties",
        title_zh: "工作责任清单",
        title: "List of responsibilities",
        about_zh: "三张清单之二：谁来办、什么时候办好。",
        about: "The second: who does it, and until when.",
        takes: PERIOD,
        of_matter: false,
    },
    Kind {
        name: "effects",
        title_zh: "建议落实协商效果清单",
        title: "List of effects",
        about_zh: "三张清单之三：办成了没有。",
        about: "The third: what was carried out.",
        takes: PERIOD,
        of_matter: false,
    },
    Kind {
        name: "lost_wages",
        title_zh: "误工补贴发放表",
        title: "Allowances for lost wages",
        about_zh: "按会议签到算：谁到了几次会，该补多少。",
        about: "From attendance: who came to how many meetings, and what is due.",
        takes: &["rate_yuan", "body", "home", "since", "until"],
        of_matter: false,
    },
    Kind {
        name: "self_build",
        title_zh: "村民自建项目收支表",
        title: "Money of a self-built project",
        about_zh: "预算和每一笔支出，逐笔结余，可供公示和审计。",
        about: "Budget and every payment with what is left, for the board and for audit.",
        takes: &["matter"],
        of_matter: true,
    },
    Kind {
        name: "quarterly",
        title_zh: "民情走访与监督季报",
        title: "Quarterly return on visits and supervision",
        about_zh: "青白江：每季度报监事会，走访、调解、告知、检查各多少，每个数点得开。",
        about: "Qingbaijiang: each quarter to the supervisory board, every figure with its matters.",
        takes: &["quarter", "home"],
        of_matter: false,
    },
    Kind {
        name: "collector_appraisal",
        title_zh: "民情专递员年度考评表",
        title: "Yearly appraisal of collectors",
        about_zh: "武侯民情专递：每位专递员一年收集、答复、告知、到会各多少，由记录自动统计。",
        about: "Opinion couriers: what each gathered in a year, what was answered and told, meetings.",
        takes: &["year"],
        of_matter: false,
    },
    Kind {
        name: "collector_allowance",
        title_zh: "民情专递员补贴发放表",
        title: "Allowances of collectors",
        about_zh: "按章程里的聘期和每月补贴算，可按年或按月。",
        about: "From terms and monthly allowances in the charter, of a year or a month.",
        takes: &["year", "month"],
        of_matter: false,
    },
    Kind {
        name: "joint_meeting",
        title_zh: "联席会议题清单",
        title: "Agenda of the joint meeting",
        about_zh: "河东区每月联席会：超期的、被督办的、退回三次的、等别的单位的、多人附议或并案的，各由谁汇报。",
        about: "The monthly joint meeting: late, raised, returned three times, waiting for others, supported by many; who reports.",
        takes: &["month", "home"],
        of_matter: false,
    },
];

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// Words.
    Text,
    /// A whole number.
    Number,
    /// Whole yuan.
    Yuan,
    /// A day.
    Day,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its stable name.
    pub name: String,
    /// As shown.
    pub title: Words,
    /// What it holds.
    pub holds: Holds,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// Nothing is on record.
    Nothing,
    /// A number, or yuan.
    Number(i64),
    /// As it was written down; a day as `2026-11-22`.
    Text(String),
    /// The program's own words.
    Words(Words),
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// A cell for each column.
    pub cells: Vec<Cell>,
    /// The matters it is made of.
    pub matters: Vec<DocId>,
}

/// The one matter a sheet is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// The document.
    pub id: DocId,
    /// Its number.
    pub number: String,
    /// Its title.
    pub title: String,
}

/// A sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sheet {
    /// Its stable name.
    pub name: &'static str,
    /// As printed.
    pub title: Words,
    /// `青白江区 › 姚渡镇 › 芦稿村`: who made it.
    pub place: String,
    /// The day it was made.
    pub made_on: String,
    /// The matter, if it is about one.
    pub about: Option<Subject>,
    /// What it covers, how it was counted, what is missing.
    pub notes: Vec<Words>,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// Whether they may open petitioners' dossiers.
    pub opens_dossiers: bool,
}

/// Why a sheet was not made. Nothing is changed by making one.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// There is no sheet of this name.
    #[error("there is no sheet named {0}")]
    Unknown(String),
    /// It was asked for with names by somebody who may not open dossiers.
    #[error("names may not be opened")]
    NamesSealed,
    /// What it is made of could not be read, or what was asked is wrong.
    #[error(transparent)]
    Action(#[from] ActionError),
}

/// Words in both languages.
pub(crate) fn both(zh: impl Into<String>, en: impl Into<String>) -> Words {
    Words { zh: zh.into(), en: en.into() }
}

/// A sheet of this name.
///
/// # Errors
/// [`SheetError`]; nothing was changed.
pub async fn make(
    actions: &Actions,
    name: &str,
    query: &SheetQuery,
    reader: Reader,
) -> Result<Sheet, SheetError> {
    let kind = KINDS.iter().find(|k| k.name == name).ok_or_else(|| SheetError::Unknown(name.to_owned()))?;
    let asked = Asked::read(kind, query, actions)?;
    if asked.names && !reader.opens_dossiers {
        return Err(SheetError::NamesSealed);
    }
    let mut sheet = match kind.name {
        "to_tell" => tell::sheet(actions, kind, &asked).await?,
        "courier_collection" | "courier_handling" | "courier_feedback" => {
            courier::sheet(actions, kind, &asked).await?
        }
        "opinions" | "duties" | "effects" => consultation::sheet(actions, kind, &asked).await?,
        "lost_wages" => attendance::sheet(actions, kind, &asked).await?,
        "self_build" => money::sheet(actions, kind, &asked).await?,
        "collector_appraisal" => collectors::appraisal(actions, kind, &asked).await?,
        "collector_allowance" => collectors::allowance(actions, kind, &asked)?,
        "joint_meeting" => joint::sheet(actions, kind, &asked).await?,
        _ => quarter::sheet(actions, kind, &asked).await?,
    };
    if sheet.rows.len() > ROWS_MAX {
        sheet.rows.truncate(ROWS_MAX);
        sheet.notes.push(both(
            format!("只列出前 {ROWS_MAX} 行，请按村或按时间分开导出。"),
            format!("Only the first {ROWS_MAX} rows; ask by village or by period for the rest."),
        ));
    }
    Ok(sheet)
}

impl Kind {
    /// An empty sheet of this kind.
    fn blank(&self, actions: &Actions) -> Sheet {
        let node = actions.node();
        Sheet {
            name: self.name,
            title: both(self.title_zh, self.title),
            place: node.place.path,
            made_on: node.today,
            about: None,
            notes: Vec::new(),
            columns: Vec::new(),
            rows: Vec::new(),
        }
    }
}

impl Sheet {
    /// Names the columns: name, Chinese, English, what it holds.
    fn columns(&mut self, columns: &[(&str, &str, &str, Holds)]) {
        let column = |(name, zh, en, holds): &(&str, &str, &str, Holds)| Column {
            name: (*name).to_owned(),
            title: both(*zh, *en),
            holds: *holds,
        };
        self.columns = columns.iter().map(column).collect();
    }

    fn note(&mut self, zh: impl Into<String>, en: impl Into<String>) {
        self.notes.push(both(zh, en));
    }

    fn row(&mut self, cells: Vec<Cell>, matters: Vec<DocId>) {
        self.rows.push(Row { cells, matters });
    }

    fn about(&mut self, m: &MatterSummary) {
        self.about = Some(Subject { id: m.id, number: m.number.clone(), title: m.title.clone() });
    }
}

impl Cell {
    /// Text as somebody wrote it, or nothing.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        let text: String = text.into();
        match text.trim() {
            "" => Self::Nothing,
            trimmed => Self::Text(trimmed.chars().take(CELL_CHARS_MAX).collect()),
        }
    }

    /// The program's words.
    pub(crate) fn words(zh: &str, en: &str) -> Self {
        Self::Words(both(zh, en))
    }

    /// A count.
    pub(crate) fn count(n: usize) -> Self {
        Self::Number(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<Option<String>> for Cell {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Nothing, Self::text)
    }
}

/// What the cells of a form can be filled with.
#[must_use]
pub fn form_figures() -> form::Figures {
    quarter::figures()
}
