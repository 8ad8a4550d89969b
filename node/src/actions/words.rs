//! Words of one's own: titles made from a text, warnings, checks of what was typed.

use super::{ActionError, views::Warning};
use yishi_protocol::{
    act::Text,
    limits::{SHORT_BYTES_MAX, TEXT_CHARS_MAX},
};

/// The longest title made from a body, in characters.
const TITLE_CHARS_MAX: usize = 30;

/// The first sentence of a body as a line that names it.
pub(super) fn title_of(body: &str) -> String {
    let first =
        body.trim().split(['。', '！', '？', '!', '?', '；', ';', '\n', '\r']).find(|s| !s.trim().is_empty());
    let sentence = first.unwrap_or("").trim();
    if sentence.chars().count() <= TITLE_CHARS_MAX {
        return sentence.to_owned();
    }
    let cut: String = sentence.chars().take(TITLE_CHARS_MAX - 1).collect();
    format!("{cut}…")
}

/// A compulsory text, as written.
pub(super) fn required(field: &'static str, text: &str) -> Result<Text, ActionError> {
    if text.trim().is_empty() {
        return Err(ActionError::missing(field));
    }
    bounded(field, text)
}

/// A text that may be left out; an empty one is.
pub(super) fn optional(field: &'static str, text: Option<&str>) -> Result<Option<Text>, ActionError> {
    text.filter(|t| !t.trim().is_empty()).map(|t| bounded(field, t)).transpose()
}

fn bounded(field: &'static str, text: &str) -> Result<Text, ActionError> {
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(ActionError::invalid(
            field,
            format!(
                "“{field}” is longer than {TEXT_CHARS_MAX} characters. Nothing was saved. Shorten it or spread it over several entries."
            ),
            format!("“{field}”超过 {TEXT_CHARS_MAX} 字，尚未保存。请缩短，或分几次填写。"),
        ));
    }
    Ok(Text(text.trim().to_owned()))
}

/// A short string: one line of bounded length.
pub(super) fn short(field: &'static str, text: &str) -> Result<String, ActionError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ActionError::missing(field));
    }
    if text.len() > SHORT_BYTES_MAX {
        return Err(ActionError::invalid(
            field,
            format!("“{field}” is too long for one line. Nothing was saved. Shorten it."),
            format!("“{field}”太长，尚未保存。请缩短。"),
        ));
    }
    Ok(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
}

/// A short string that may be left out; an empty one is.
pub(super) fn optional_short(field: &'static str, text: Option<&str>) -> Result<Option<String>, ActionError> {
    text.filter(|t| !t.trim().is_empty()).map(|t| short(field, t)).transpose()
}

/// Numbers were moved out of ordinary text.
pub(super) fn moved_warning(count: usize) -> Warning {
    Warning {
        code: "moved_to_sealed",
        detail: format!(
            "{count} identity or telephone number(s) stood in the text. They were moved to the sealed part and replaced by “{}”; everything else was saved as written.",
            super::privacy::MOVED
        ),
        detail_zh: format!(
            "正文中有 {count} 个身份证号或手机号，已转入密封信息，原处写作“{}”；其余照原文保存。",
            super::privacy::MOVED
        ),
    }
}

/// Numbers stand in a text that is kept as written.
pub(super) fn numbers_warning() -> Warning {
    Warning {
        code: "personal_number",
        detail: "The text holds what looks like an identity or mobile number. It was saved as written and is visible to everybody who may see the matter. If it is a resident's, correct the entry.".into(),
        detail_zh: "文字中像是有身份证号或手机号，已照原文保存，能看到该事项的人都能看到。如属群众个人信息，请更正。".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_first_sentence() {
        assert_eq!(title_of("  村口涵洞积水。一下雨就过不去人。"), "村口涵洞积水");
        assert_eq!(title_of("\n\n路灯坏了\n第二行"), "路灯坏了");
        assert_eq!(title_of(&"长".repeat(31)).chars().count(), 30);
        assert_eq!(title_of(&"长".repeat(30)), "长".repeat(30));
        assert_eq!(title_of(" 。 "), "");
    }
}
