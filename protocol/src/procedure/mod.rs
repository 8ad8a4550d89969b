//! Procedures as data: how a body of people deliberates, as a file a district reads, changes and issues.
//!
//! Every matter passes the same *frame* (`fold::frame`): raised, taken up, passed up or back, answered, told,
//! closed. What happens between being taken up and being answered differs from practice to practice; that is
//! a procedure: stages, what must be recorded in each, which meetings and votes, how long something hangs on
//! the board, where a stage may go. The engine knows forms, meetings, ballots, notices, summonses and money;
//! it knows no procedure by name.
//!
//! A procedure *is* its file, byte for byte: its [pin](Procedure::pin) is the file's hash, comments included.
//! An `accept` step pins it, and the matter keeps that version until somebody accepts it under a newer one.
//! A file that this program cannot read is as good as one that has not arrived: what rests on it waits.
//!
//! [`mod@file`] reads, [`check`] looks for what cannot work, [`graph`] draws; the format is in `PROCEDURES.md`.

pub mod check;
pub mod file;
mod fraction;
pub mod graph;
pub mod shipped;

pub use file::read;
pub use fraction::{Base, Fraction, Majority, Quorum};

use crate::{
    ids::{Hash, hash},
    named::named,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// A name in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

named! {
    /// How much is at stake: said when a matter is taken up.
    pub enum Grade {
        /// Ends early where the procedure says so.
        Minor = "minor", "小事", "Minor";
        /// The usual.
        Ordinary = "ordinary", "一般事项", "Ordinary";
        /// Some gates are for these only.
        Major = "major", "重大事项", "Major";
    }
}

named! {
    /// How fast: said when a matter is taken up.
    pub enum Urgency {
        /// The usual.
        Normal = "normal", "一般", "Normal";
        /// Soon.
        Urgent = "urgent", "紧急", "Urgent";
        /// At once.
        Immediate = "immediate", "特急", "Immediate";
    }
}

named! {
    /// Which places may write a record.
    pub enum Who {
        /// The holder.
        Holder = "holder", "承办单位", "the holder";
        /// The place that registered the matter.
        Home = "home", "登记地", "the place that registered it";
        /// A place above the holder.
        Above = "above", "承办单位的上级", "a place above the holder";
        /// Any place that has not handled the matter.
        Another = "another", "未经办的单位", "a place that has not handled it";
        /// Every place that sees the matter.
        Anyone = "anyone", "看得到该事项的单位", "any place that sees it";
    }
}

named! {
    /// What a field holds.
    pub enum FieldKind {
        /// Free text.
        Text = "text", "文字", "text";
        /// One line.
        Line = "line", "一行字", "line";
        /// A whole number.
        Number = "number", "数", "number";
        /// Whole yuan.
        Money = "money", "金额（元）", "yuan";
        /// A day.
        Day = "day", "日期", "day";
        /// One of the choices.
        Choice = "choice", "选项", "choice";
        /// Yes or no.
        YesNo = "yes_no", "是否", "yes or no";
    }
}

named! {
    /// What the money of a form counts as.
    pub enum Ledger {
        /// It may be spent.
        Budget = "budget", "预算", "budget";
        /// It was spent.
        Spending = "spending", "支出", "spending";
    }
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldOf {
    /// Stable within the form.
    pub id: String,
    /// As shown.
    pub title: Words,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether a record without it is incomplete.
    pub required: bool,
    /// For a choice.
    pub choices: Vec<ChoiceOf>,
}

/// One choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChoiceOf {
    /// Stable within the field.
    pub id: String,
    /// As shown.
    pub title: Words,
}

/// A form: what is written down, where the practice has a paper of that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Form {
    /// Stable within the procedure.
    pub id: String,
    /// As shown and printed.
    pub title: Words,
    /// Who fills it in.
    pub by: Who,
    /// What its money counts as; its field `amount` holds it.
    pub ledger: Option<Ledger>,
    /// What is filled in.
    pub fields: Vec<FieldOf>,
}

/// A body that meets and votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BodyOf {
    /// Stable within the procedure.
    pub id: String,
    /// As shown.
    pub title: Words,
    /// How many of those entitled must be there.
    pub quorum: Option<Quorum>,
    /// Days between the call and the meeting.
    pub notice_days: u16,
}

/// How long a stage may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Working days by the calendar.
    WorkingDays(u16),
    /// Hours by the clock, day and night.
    Hours(u16),
}

/// What must be there before a stage is left for the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "need", rename_all = "snake_case")]
pub enum Need {
    /// A form, recorded in this stage.
    Record {
        /// Which.
        form: String,
        /// How many.
        at_least: u16,
    },
    /// A form, recorded at any time before.
    Earlier {
        /// Which.
        form: String,
    },
    /// A meeting, called in time, with quorum.
    Meeting {
        /// Of which body.
        body: String,
        /// Of those present, how many at least carry a tag.
        tags: BTreeMap<String, Fraction>,
    },
    /// A vote that passed.
    Ballot {
        /// Of which body.
        body: String,
        /// By how many.
        majority: Majority,
    },
    /// A notice on the public board.
    Posted {
        /// For so many days.
        days: u16,
        /// Whether every objection must have been answered.
        objections_answered: bool,
    },
    /// Every summons has been answered.
    SummonsAnswered {
        /// How many must have been made; 0 where nobody need be asked.
        at_least: u16,
    },
    /// No more has been spent than there is budget.
    WithinBudget,
}

/// A need, and for which matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// What.
    #[serde(flatten)]
    pub need: Need,
    /// Only for these grades; empty for all.
    pub only: Vec<Grade>,
    /// Only if a form says so.
    pub when: Option<When>,
}

/// A choice made in a form. Any record of the form counts, whenever it was made: writing it anew with another
/// choice adds gates and takes none away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct When {
    /// The form.
    pub form: String,
    /// Its field, of kind `choice`.
    pub field: String,
    /// One of these choices.
    pub is: Vec<String>,
}

impl Gate {
    /// Whether it stands before a matter of this grade.
    #[must_use]
    pub fn is_for(&self, grade: Grade) -> bool {
        self.only.is_empty() || self.only.contains(&grade)
    }
}

/// One stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// Stable within the procedure.
    pub id: String,
    /// As shown.
    pub title: Words,
    /// How long it may take.
    pub limits: BTreeMap<&'static str, Limit>,
    /// What must be there before it is left forwards.
    pub gates: Vec<Gate>,
    /// Where it may go on; its gates must be open.
    pub go: Vec<String>,
    /// Where it may go back, with a reason and without gates.
    pub back: Vec<String>,
    /// Where the place above begins when it is escalated from here; its gates must be open.
    pub up: Option<String>,
    /// Where the place below goes on when it is returned from here.
    pub down: Option<String>,
    /// Whether the matter may be decided and answered from here, once its gates are open.
    pub end: bool,
    /// Grades that may be answered from here although the stage is not the last, and without its gates.
    pub early_end: Vec<Grade>,
    /// Forms that are printed here.
    pub print: Vec<String>,
}

impl Stage {
    /// Its limit for an urgency: the one said, else that of `normal`.
    #[must_use]
    pub fn limit(&self, urgency: Urgency) -> Option<Limit> {
        self.limits.get(urgency.name()).or_else(|| self.limits.get(Urgency::Normal.name())).copied()
    }
}

/// A procedure, read and found sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Procedure {
    /// The hash of its file.
    pub pin: Hash,
    /// Stable over its versions.
    pub id: String,
    /// From 1; later ones replace earlier ones.
    pub version: u32,
    /// As shown.
    pub title: Words,
    /// What it is, in a line or two.
    pub summary: Words,
    /// The practice it is the file of, if it is one of those described.
    pub practice: Option<String>,
    /// By how many working days its limits may be extended in all.
    pub extend_days_max: u16,
    /// The bodies.
    pub bodies: Vec<BodyOf>,
    /// The forms.
    pub forms: Vec<Form>,
    /// The stages; a matter begins in the first.
    pub stages: Vec<Stage>,
}

impl Procedure {
    /// What a file is pinned by.
    #[must_use]
    pub fn pin_of(file: &str) -> Hash {
        Hash(hash("yishi/procedure/2", &[file.as_bytes()]))
    }

    /// A stage by its number.
    #[must_use]
    pub fn stage(&self, at: u16) -> Option<&Stage> {
        self.stages.get(usize::from(at))
    }

    /// The number of a stage.
    #[must_use]
    pub fn stage_named(&self, id: &str) -> Option<u16> {
        self.stages.iter().position(|s| s.id == id).and_then(|at| u16::try_from(at).ok())
    }

    /// A form.
    #[must_use]
    pub fn form(&self, id: &str) -> Option<&Form> {
        self.forms.iter().find(|f| f.id == id)
    }

    /// A body.
    #[must_use]
    pub fn body(&self, id: &str) -> Option<&BodyOf> {
        self.bodies.iter().find(|b| b.id == id)
    }
}

/// Procedures by their pins: what a fold looks pins up in. Cheap to copy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Procedures(Arc<BTreeMap<Hash, Arc<Procedure>>>);

impl Procedures {
    /// Those that come with the program, and these.
    #[must_use]
    pub fn shipped_and(others: impl IntoIterator<Item = Procedure>) -> Self {
        let shipped = shipped::all().iter().map(|s| Arc::clone(&s.procedure));
        Self(Arc::new(shipped.chain(others.into_iter().map(Arc::new)).map(|p| (p.pin, p)).collect()))
    }

    /// Only these.
    #[must_use]
    pub fn only(these: impl IntoIterator<Item = Procedure>) -> Self {
        Self(Arc::new(these.into_iter().map(|p| (p.pin, Arc::new(p))).collect()))
    }

    /// The procedure of a pin.
    #[must_use]
    pub fn get(&self, pin: &Hash) -> Option<&Arc<Procedure>> {
        self.0.get(pin)
    }

    /// All, in the order of their pins.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Procedure>> {
        self.0.values()
    }
}
