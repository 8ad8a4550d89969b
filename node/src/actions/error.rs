//! Why an action was not done, in words for whoever asked.
//!
//! Every message says what happened, what was kept and what to do. Nothing of a failed action is kept.

use super::by_charter::denied_words;
use crate::store::StoreError;
use std::fmt;
use yishi_protocol::{
    change::EncodeError, charter::Denied, fold::next::NotAllowed, ids::DocId, seal::SealError,
};

/// What sort of refusal it is; whoever speaks HTTP makes a status of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// What was named is not here.
    NotFound,
    /// It does not fit what is here.
    Conflict,
    /// The request itself is wrong.
    Invalid,
    /// This node or person may not.
    Forbidden,
    /// It may work later.
    Unavailable,
}

/// Why an action was not done.
#[derive(Debug, Clone)]
pub enum ActionError {
    /// No matter here has this number or id.
    UnknownMatter(String),
    /// No outcome here has this id.
    UnknownOutcome(String),
    /// No notice here has this id.
    UnknownNotice(String),
    /// No place here is called this.
    UnknownPlace(String),
    /// No procedure here has this name or pin.
    UnknownProcedure(String),
    /// A procedure's file cannot be issued.
    BadProcedure {
        /// Line of the first problem.
        line: usize,
        /// Its column.
        column: usize,
        /// What is wrong, in English.
        why: String,
        /// What is wrong, in Chinese.
        zh: String,
    },
    /// The articles of a charter cannot be issued.
    BadCharter {
        /// Line of the first problem.
        line: usize,
        /// Its column.
        column: usize,
        /// What is wrong, in English.
        why: String,
        /// What is wrong, in Chinese.
        zh: String,
    },
    /// The charter gives this decision to another level.
    NotDelegated {
        /// Whose charter.
        by: String,
        /// What it says.
        denied: Box<Denied>,
    },
    /// No list here knows the code.
    UnknownCode(String),
    /// The reference fits several.
    Ambiguous(String),
    /// The procedure does not allow it now.
    NotLegal(NotAllowed),
    /// A field is missing or wrong.
    Invalid {
        /// Its stable name.
        field: &'static str,
        /// What is wrong, in English.
        en: String,
        /// What is wrong, in Chinese.
        zh: String,
    },
    /// This node has no key for the dossier, or there is none.
    Sealed,
    /// A live place has this code.
    PlaceExists(String),
    /// The place is not below this one.
    NotBelow(String),
    /// This place was merged into another one: its name.
    Merged(String),
    /// The matter's home was moved away from under this place: the name of its parent now.
    MovedAway(String),
    /// The official list puts the place elsewhere: its name, and the path there.
    ForeignPlace(String, String),
    /// The machine's clock cannot be right: the day it shows.
    Clock(String),
    /// A document that could not be read on this machine.
    SetAside(DocId),
    /// The number is already followed under another document.
    ExternalTaken(String),
    /// A text was too long or too many changes stand on each other.
    TooLarge,
    /// The store refused.
    Store(StoreError),
    /// Sealing went wrong.
    Seal(SealError),
    /// Something this program relies on does not hold.
    Broken(&'static str),
}

impl ActionError {
    /// A wrong field.
    pub(crate) fn invalid(field: &'static str, en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self::Invalid { field, en: en.into(), zh: zh.into() }
    }

    /// A compulsory text that is empty.
    pub(crate) fn missing(field: &'static str) -> Self {
        Self::invalid(
            field,
            format!("“{field}” is empty. Nothing was saved. Fill it in and save again."),
            format!("“{field}”没有填写，尚未保存。请填写后再保存。"),
        )
    }

    /// The stable name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownMatter(_) => "unknown_matter",
            Self::UnknownOutcome(_) => "unknown_outcome",
            Self::UnknownNotice(_) => "unknown_notice",
            Self::UnknownPlace(_) => "unknown_place",
            Self::UnknownProcedure(_) => "unknown_procedure",
            Self::BadProcedure { .. } => "bad_procedure",
            Self::BadCharter { .. } => "bad_charter",
            Self::NotDelegated { .. } => "not_delegated",
            Self::UnknownCode(_) => "unknown_code",
            Self::Ambiguous(_) => "ambiguous",
            Self::NotLegal(_) => "not_legal",
            Self::Invalid { .. } => "invalid",
            Self::Sealed => "sealed",
            Self::PlaceExists(_) => "place_exists",
            Self::NotBelow(_) => "not_below",
            Self::Merged(_) => "merged",
            Self::MovedAway(_) => "moved_away",
            Self::ForeignPlace(..) => "foreign_place",
            Self::Clock(_) => "clock",
            Self::SetAside(_) => "set_aside",
            Self::ExternalTaken(_) => "external_taken",
            Self::TooLarge => "too_large",
            Self::Store(StoreError::DiskFull) => "disk_full",
            Self::Store(StoreError::ReadOnly) => "read_only",
            Self::Store(StoreError::Disk(_)) => "disk_error",
            Self::Store(StoreError::Closed | StoreError::Unsure(_)) => "stopping",
            Self::Store(StoreError::Taken) => "taken",
            Self::Store(StoreError::StoodDown) => "stood_down",
            Self::Store(_) | Self::Seal(_) | Self::Broken(_) => "internal",
        }
    }

    /// The rule that does not allow it: the stable name of a violation.
    #[must_use]
    pub fn rule(&self) -> Option<&'static str> {
        match self {
            Self::NotLegal(why) => Some(why.name()),
            _ => None,
        }
    }

    /// The field that is wrong.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            _ => None,
        }
    }

    /// What sort of refusal it is.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::UnknownMatter(_)
            | Self::UnknownOutcome(_)
            | Self::UnknownNotice(_)
            | Self::UnknownPlace(_)
            | Self::UnknownProcedure(_)
            | Self::UnknownCode(_) => Class::NotFound,
            Self::Ambiguous(_)
            | Self::NotLegal(_)
            | Self::PlaceExists(_)
            | Self::ForeignPlace(..)
            | Self::ExternalTaken(_)
            | Self::SetAside(_)
            | Self::Store(StoreError::Taken) => Class::Conflict,
            Self::Invalid { .. } | Self::TooLarge | Self::BadProcedure { .. } | Self::BadCharter { .. } => {
                Class::Invalid
            }
            Self::Sealed
            | Self::NotBelow(_)
            | Self::Merged(_)
            | Self::MovedAway(_)
            | Self::NotDelegated { .. }
            | Self::Store(StoreError::StoodDown) => Class::Forbidden,
            Self::Clock(_) | Self::Store(_) | Self::Seal(_) | Self::Broken(_) => Class::Unavailable,
        }
    }

    /// A short title, in English.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self.class() {
            Class::NotFound => "Not here",
            Class::Conflict => "Not possible as things stand",
            Class::Invalid => "The request is not complete or not correct",
            Class::Forbidden => "Not allowed here",
            Class::Unavailable => "Not possible right now",
        }
    }

    /// The message in English.
    #[must_use]
    pub fn en(&self) -> String {
        match self {
            Self::UnknownMatter(r) => format!(
                "No matter here has the number or id “{r}”. Nothing was changed. Check the number; a matter of another place may not have arrived yet."
            ),
            Self::UnknownOutcome(r) => {
                format!("No outcome here has the id “{r}”. Nothing was changed. Look it up in the list of outcomes.")
            }
            Self::UnknownNotice(r) => {
                format!("No notice here has the id “{r}”. Nothing was changed. Look it up in the list of notices.")
            }
            Self::UnknownPlace(r) => format!(
                "No place here has the id, code or name “{r}”. Nothing was changed. Look it up in the list of places."
            ),
            Self::UnknownProcedure(r) => format!(
                "No procedure in force here is called “{r}”. Nothing was saved. Look it up in the list of procedures."
            ),
            Self::BadProcedure { line, column, why, .. } => format!(
                "The file was not issued; the procedure in force stays. Line {line}, column {column}: {why}. Mend the file and issue it again."
            ),
            Self::BadCharter { line, column, why, .. } => format!(
                "The charter was not issued; the one in force stays. Line {line}, column {column}: {why}. Mend the file and issue it again."
            ),
            Self::NotDelegated { by, denied } => denied_words(by, denied).0,
            Self::UnknownCode(code) => format!(
                "The built-in lists have no place {code}. No invitation was made. Check the 12 digits; if they are right, give its name (--name) and level (--level)."
            ),
            Self::Ambiguous(r) => {
                format!("“{r}” fits several. Nothing was changed. Give the full number, code or more of the id.")
            }
            Self::NotLegal(why) => format!(
                "This cannot be done now: {why}. Nothing was saved. Look at what can be done next with the matter."
            ),
            Self::Invalid { en, .. } => en.clone(),
            Self::Sealed => {
                "The petitioner's details are sealed, or there are none; this node holds no key for them. Nothing was changed. Ask the place that registered the matter.".into()
            }
            Self::PlaceExists(name) => format!(
                "{name} is already part of the federation. Nothing was changed. To give it new hardware, invite it again and say that it replaces the old one."
            ),
            Self::NotBelow(name) => format!(
                "{name} is not below this place. Nothing was changed. Ask the place above it."
            ),
            Self::Merged(name) => format!(
                "This place was merged into {name}. Nothing was saved; everything registered here is kept and can be read. Raise new matters there."
            ),
            Self::MovedAway(name) => format!(
                "The place that raised this matter stands under {name} now, and what is written here does not reach it any more. Nothing was saved; what is here is kept and can be read. {name} can take the matter over."
            ),
            Self::ForeignPlace(name, path) => format!(
                "The official list has {name} under {path}, not under this place. No invitation was made. Check the code; if the place does belong here now, say so with --here."
            ),
            Self::Clock(today) => format!(
                "This machine says it is {today}, which cannot be. Nothing was saved. Set its clock, then save again: every entry bears its date."
            ),
            Self::SetAside(doc) => format!(
                "The document {doc} could not be read on this machine and was set aside; it is kept and passed on unchanged. Ask whoever maintains the machine to look at the list of documents set aside."
            ),
            Self::ExternalTaken(number) => format!(
                "A matter with the number {number} of that system is already here. Nothing was saved. Add to that matter instead."
            ),
            Self::TooLarge => {
                "The text is too long for one entry. Nothing was saved. Shorten it or spread it over several entries.".into()
            }
            Self::Store(e) => e.en(),
            Self::Seal(e) => format!(
                "The petitioner's details could not be sealed or opened ({e}). Nothing was saved. Show this sentence to whoever maintains the machine."
            ),
            Self::Broken(what) => format!(
                "The program stopped itself: {what}. Nothing of this request was saved. Show this sentence to whoever maintains the machine."
            ),
        }
    }

    /// The message in Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::UnknownMatter(r) => format!(
                "本地没有编号为“{r}”的事项，没有改动任何内容。请核对编号；别处登记的事项可能尚未送到。"
            ),
            Self::UnknownNotice(r) => format!("本地没有通知“{r}”，没有改动任何内容。请在通知列表中查找。"),
            Self::UnknownOutcome(r) => format!("本地没有成果“{r}”，没有改动任何内容。请在成果列表中查找。"),
            Self::UnknownPlace(r) => format!("没有名称或代码为“{r}”的单位，没有改动任何内容。请在单位列表中查找。"),
            Self::UnknownProcedure(r) => {
                format!("现行议事程序中没有“{r}”，尚未保存。请在程序列表中查找。")
            }
            Self::BadProcedure { line, column, zh, .. } => format!(
                "文件没有发布，现行程序不变。第 {line} 行第 {column} 列：{zh}。请改正后重新发布。"
            ),
            Self::BadCharter { line, column, zh, .. } => format!(
                "章程没有发布，现行章程不变。第 {line} 行第 {column} 列：{zh}。请改正后重新发布。"
            ),
            Self::NotDelegated { by, denied } => denied_words(by, denied).1,
            Self::UnknownCode(code) => format!(
                "内置区划中没有代码 {code}，没有发出邀请。请核对 12 位代码；如代码无误，请用 --name 写明名称、--level 写明层级。"
            ),
            Self::Ambiguous(r) => format!("“{r}”对应不止一个，没有改动任何内容。请写完整的编号或代码。"),
            Self::NotLegal(why) => {
                format!("现在不能这样办：{}。尚未保存。请看该事项下一步可以怎样办。", why.zh())
            }
            Self::Invalid { zh, .. } => zh.clone(),
            Self::Sealed => {
                "反映人信息已密封，或没有登记；本单位没有打开它的权限。没有改动任何内容。请联系登记该事项的单位。".into()
            }
            Self::PlaceExists(name) => {
                format!("{name}已经加入，没有改动任何内容。如要更换设备，请重新邀请并注明替换。")
            }
            Self::NotBelow(name) => format!("{name}不是本单位的下级，没有改动任何内容。请联系它的上级。"),
            Self::Merged(name) => format!(
                "本单位已并入{name}，尚未保存；这里登记过的内容全部保留，可以查看。新的事项请到{name}登记。"
            ),
            Self::MovedAway(name) => format!(
                "登记该事项的单位已划归{name}，在这里填写的内容不再送到那里，尚未保存；已有内容全部保留，可以查看。该事项可由{name}接办。"
            ),
            Self::ForeignPlace(name, path) => format!(
                "按官方区划，{name}属于{path}，不属于本单位，没有发出邀请。请核对代码；如确已划归本单位，请加 --here 注明。"
            ),
            Self::Clock(today) => format!(
                "这台机器的时间是 {today}，不可能对，尚未保存。请先校正时间再保存：每条记录都带日期。"
            ),
            Self::SetAside(doc) => format!(
                "文档 {doc} 在本机无法读取，已暂时搁置；原文保留并照常转送。请维护人员查看搁置列表。"
            ),
            Self::ExternalTaken(number) => {
                format!("该系统编号 {number} 的事项已经登记，没有重复保存。请在原事项上补充。")
            }
            Self::TooLarge => "内容太长，尚未保存。请缩短，或分几次填写。".into(),
            Self::Store(e) => e.zh(),
            Self::Seal(e) => {
                format!("反映人信息无法密封或打开（{e}），尚未保存。请把这句话交给维护人员。")
            }
            Self::Broken(what) => format!("程序自行中止（{what}），这一次没有保存。请把这句话交给维护人员。"),
        }
    }
}

impl fmt::Display for ActionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.zh(), self.en())
    }
}

impl std::error::Error for ActionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(e) => Some(e),
            Self::Seal(e) => Some(e),
            Self::NotLegal(e) => Some(e),
            _ => None,
        }
    }
}

impl From<StoreError> for ActionError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SealError> for ActionError {
    fn from(error: SealError) -> Self {
        Self::Seal(error)
    }
}

impl From<NotAllowed> for ActionError {
    fn from(why: NotAllowed) -> Self {
        Self::NotLegal(why)
    }
}

impl From<EncodeError> for ActionError {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::TooManyOps { .. } | EncodeError::TooLarge { .. } | EncodeError::Counter => {
                Self::TooLarge
            }
            _ => Self::Broken("a change could not be written"),
        }
    }
}
