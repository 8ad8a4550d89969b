//! What the CLI says, in both languages.
//!
//! Chinese first, English complete. A sentence is written once per language beside its use with `words!`;
//! this file keeps the choice of language and the names that occur in many places (stages, levels, roles).
//! Names the node sends in Chinese (`stage_zh`) are used as they are; the English of a code is here.

use std::fmt;

/// The language of messages and tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// 中文
    Zh,
    /// English
    En,
}

impl Lang {
    /// The language of the surroundings, read through `var` as from the environment.
    ///
    /// Unset, `C` and `POSIX` say nothing about the reader, and then it is Chinese: the clerks come first.
    pub fn from_surroundings(var: impl Fn(&str) -> Option<String>) -> Self {
        let stated = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .filter_map(|name| var(name))
            .find(|value| !value.trim().is_empty());
        match stated.as_deref().map(|value| value.split(['.', '@']).next().unwrap_or("")) {
            None | Some("C" | "POSIX") => Lang::Zh,
            Some(value) if value.to_ascii_lowercase().starts_with("zh") => Lang::Zh,
            Some(_) => Lang::En,
        }
    }

    /// One of two fixed texts.
    pub fn of<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
}

/// A formatted sentence in the given language: `words!(lang, "共 {n} 行", "{n} rows")`.
#[macro_export]
macro_rules! words {
    ($lang:expr, $zh:literal, $en:literal $(, $($rest:tt)*)?) => {
        match $lang {
            $crate::words::Lang::Zh => format!($zh $(, $($rest)*)?),
            $crate::words::Lang::En => format!($en $(, $($rest)*)?),
        }
    };
}

/// One sentence in both languages, for what is decided before anyone knows who reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Both {
    /// 中文
    pub zh: String,
    /// English
    pub en: String,
}

impl Both {
    /// Both texts.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// The text in one language.
    pub fn of(&self, lang: Lang) -> &str {
        lang.of(&self.zh, &self.en)
    }
}

impl fmt::Display for Both {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}\n{}", self.zh, self.en)
    }
}

impl std::error::Error for Both {}

/// A formatted sentence in both languages.
#[macro_export]
macro_rules! both {
    ($zh:literal, $en:literal $(, $($rest:tt)*)?) => {
        $crate::words::Both::new(format!($zh $(, $($rest)*)?), format!($en $(, $($rest)*)?))
    };
}

/// The name of a code in the given language, or the code itself when a newer node sends one we do not know.
fn named(table: &'static [(&'static str, &'static str, &'static str)], code: &str, lang: Lang) -> String {
    table
        .iter()
        .find(|(known, ..)| *known == code)
        .map_or_else(|| code.to_owned(), |(_, zh, en)| lang.of(zh, en).to_owned())
}

const STAGES: &[(&str, &str, &str)] = &[
    ("registered", "已登记", "registered"),
    ("accepted", "已受理", "accepted"),
    ("refused", "不予受理", "refused"),
    ("handling", "办理中", "in hand"),
    ("escalated", "已上报", "escalated"),
    ("returned", "已退回", "returned"),
    ("merged", "已并案", "merged"),
    ("decided", "已决定", "decided"),
    ("answered", "已答复", "answered"),
    ("closed", "已办结", "closed"),
    ("referred", "已转出", "referred elsewhere"),
    ("withdrawn", "已撤回", "withdrawn"),
    ("reopened", "重新办理", "reopened"),
];

/// The stage of a matter.
pub fn stage(code: &str, lang: Lang) -> String {
    named(STAGES, code, lang)
}

/// The level of a place.
pub fn level(code: &str, lang: Lang) -> String {
    named(
        &[
            ("village", "村（社区）", "village"),
            ("township", "镇（街道）", "township"),
            ("district", "区（县）", "district"),
            ("prefecture", "市（州）", "prefecture"),
            ("province", "省", "province"),
        ],
        code,
        lang,
    )
}

/// The level of a place in one character, for narrow columns.
pub fn level_short(code: &str, lang: Lang) -> String {
    named(
        &[
            ("village", "村", "village"),
            ("township", "镇", "township"),
            ("district", "区", "district"),
            ("prefecture", "市", "prefecture"),
            ("province", "省", "province"),
        ],
        code,
        lang,
    )
}

/// The state of a link.
pub fn link_state(code: &str, lang: Lang) -> String {
    named(
        &[
            ("up", "已接通", "up"),
            ("down", "未接通", "down"),
            ("connecting", "正在接通", "connecting"),
            ("refused", "被拒绝", "refused"),
            ("broken", "对方不合约定", "protocol broken"),
            ("none", "—", "—"),
        ],
        code,
        lang,
    )
}

/// What became of an act when the matter's record was read as a whole.
pub fn verdict(code: &str, lang: Lang) -> String {
    named(
        &[
            ("counted", "", ""),
            ("violation", "违规，不计", "breach of procedure, not counted"),
            ("late", "迟到", "late"),
            ("superseded", "已被替代", "superseded"),
            ("corrected", "已更正", "corrected"),
            ("unknown", "需要更新的程序", "needs a newer program"),
        ],
        code,
        lang,
    )
}

/// Who a rating came from.
pub fn rating_source(code: &str, lang: Lang) -> String {
    named(
        &[
            ("resident", "本人", "resident"),
            ("revisit", "回访", "revisit"),
            ("third_party", "第三方", "third party"),
            ("proxy", "代填", "proxy"),
        ],
        code,
        lang,
    )
}

/// A role of a person.
pub fn role(code: &str, lang: Lang) -> String {
    named(
        &[
            ("collector", "民情专递员", "collector"),
            ("clerk", "文书", "clerk"),
            ("grid_worker", "网格员", "grid worker"),
            ("mediator", "调解员", "mediator"),
            ("council_member", "议事会成员", "council member"),
            ("board_member", "监事会成员", "board member"),
            ("group_leader", "村民小组长", "group leader"),
            ("stationed_official", "驻点干部", "stationed official"),
            ("unit_handler", "经办人", "unit handler"),
            ("operator", "操作员", "operator"),
            ("supervisor", "督查员", "supervisor"),
            ("administrator", "管理员", "administrator"),
        ],
        code,
        lang,
    )
}

/// The English of an act's kind; its Chinese comes from the node.
pub fn act_kind(code: &str, zh: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh if !zh.is_empty() => zh.to_owned(),
        Lang::Zh | Lang::En => code.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lang_of(pairs: &[(&str, &str)]) -> Lang {
        Lang::from_surroundings(|name| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn chinese_unless_the_surroundings_say_otherwise() {
        assert_eq!(lang_of(&[]), Lang::Zh);
        assert_eq!(lang_of(&[("LANG", "C.UTF-8")]), Lang::Zh);
        assert_eq!(lang_of(&[("LANG", "zh_CN.GB18030")]), Lang::Zh);
        assert_eq!(lang_of(&[("LANG", "en_GB.UTF-8")]), Lang::En);
        assert_eq!(lang_of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "de_DE")]), Lang::En);
        assert_eq!(lang_of(&[("LANG", "en_GB.UTF-8"), ("LC_ALL", "")]), Lang::En);
    }

    #[test]
    fn a_code_of_a_newer_node_is_shown_as_it_is() {
        assert_eq!(stage("closed", Lang::Zh), "已办结");
        assert_eq!(stage("paused", Lang::En), "paused");
    }
}
