//! What the TOML reader says of a mistake, in the words of those who write such files.
//!
//! The reader speaks English and to programmers. The mistakes people make (a key misspelt, left out, there twice, a
//! text without quotes, a number where words belong) are said in Chinese and with the nearest key there is; what is
//! not known here is handed on as the reader said it.

use crate::nearest::nearest;

/// What the reader expects or found, with its number or text left out.
const KINDS: &[(&str, &str)] = &[
    ("a string", "引号括起来的文字"),
    ("string", "文字"),
    ("a boolean", "true 或 false"),
    ("boolean", "是非值"),
    ("integer", "整数"),
    ("floating point", "小数"),
    ("a sequence", "方括号括起来的一串"),
    ("sequence", "方括号括起来的一串"),
    ("a map", "一组“项 = 值”"),
    ("map", "一组“项 = 值”"),
    ("a TOML datetime", "日期，如 2026-01-31，不加引号"),
    ("a datetime", "日期，如 2026-01-31，不加引号"),
    ("datetime", "日期"),
    ("unit value", "空值"),
];

/// What the reader says of the shape of a file.
const SHAPES: &[(&str, &str)] = &[
    ("string values must be quoted", "文字要用引号括起来"),
    ("duplicate key", "同一项写了两次"),
    ("missing value for key", "等号后面没有写值"),
    ("missing value", "等号后面没有写值"),
    ("key with no value", "只有项名，没有“= 值”"),
    ("missing assignment between key-value pairs", "项名和值之间少了等号"),
    ("extra assignment between key-value pairs", "多了一个等号"),
    ("extra `=`", "多了一个等号"),
    ("unexpected `=` in array", "方括号里不能写等号"),
    ("missing comma between array elements", "方括号里两个值之间少了逗号"),
    ("missing comma between key-value pairs", "花括号里两项之间少了逗号"),
    ("extra comma in array", "方括号里多了逗号"),
    ("extra comma in inline table", "花括号里多了逗号"),
    ("unclosed array table", "少了“]]”"),
    ("unclosed array", "方括号没有收尾，少了“]”"),
    ("unclosed inline table", "花括号没有收尾，少了“}”"),
    ("unclosed table", "少了“]”"),
    ("invalid basic string", "引号没有收尾，或引号里有换行"),
    ("invalid literal string", "引号没有收尾，或引号里有换行"),
    ("invalid multi-line basic string", "三引号没有收尾"),
    ("invalid unquoted key", "项名里有不能用的字，中文项名要加引号"),
    ("unquoted keys cannot be empty", "等号前面没有项名"),
    ("invalid key-value pair", "这一行不是“项 = 值”"),
    ("unexpected key or value", "这里不该有别的内容，可能少了换行或引号"),
    ("unexpected content", "这里不该有别的内容"),
    ("unexpected leading zero", "数字前面不要加 0"),
    ("invalid value", "这个值读不懂，文字要用引号括起来"),
    ("cannot recurse further; max recursion depth met", "括号套得太深"),
];

/// The words in backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// A kind of value, in Chinese; with its own text where it has one.
fn kind(said: &str) -> String {
    let said = said.trim();
    let (name, own) = match said.find(['`', '"']).and_then(|at| said.split_at_checked(at)) {
        Some((name, own)) => (name.trim(), own.trim_matches(['`', '"'])),
        None => (said, ""),
    };
    let sized =
        |n: &str| n.len() > 1 && n.starts_with(['u', 'i']) && n.bytes().skip(1).all(|b| b.is_ascii_digit());
    let zh = match KINDS.iter().find(|(en, _)| *en == name) {
        Some((_, zh)) => *zh,
        None if name.starts_with('u') && sized(name) => "不带小数的数，不能小于 0",
        None if sized(name) => "不带小数的数",
        None if name.starts_with("struct ") => "一组“项 = 值”",
        None => name,
    };
    if own.is_empty() { zh.to_owned() } else { format!("{zh}“{own}”") }
}

/// A mistake in English and in Chinese; `at` is the text it is in.
pub(crate) fn words(said: &str, at: &str) -> (String, String) {
    let said = said.trim();
    let (head, expected) = said.split_once(", expected ").unwrap_or((said, ""));
    let known = quoted(expected);
    let at = at.trim();
    if let Some(name) = head.strip_prefix("unknown field ").or_else(|| head.strip_prefix("unknown variant "))
    {
        let name = name.trim_matches('`');
        let (en, zh) = match nearest(name, known.iter().copied()) {
            Some(near) => (format!("{said}; perhaps `{near}`"), format!("，是不是“{near}”")),
            None => (said.to_owned(), String::new()),
        };
        let list = if known.is_empty() { "没有".to_owned() } else { known.join("、") };
        return (en, format!("“{name}”不是这里能写的{zh}。这里能写的：{list}"));
    }
    let zh = if let Some(name) = head.strip_prefix("missing field ") {
        format!("缺少“{}”这一项", name.trim_matches('`'))
    } else if let Some(name) = head.strip_prefix("duplicate field ") {
        format!("“{}”写了两次", name.trim_matches('`'))
    } else if head == "duplicate key" && !at.is_empty() && !at.contains('\n') {
        format!("“{at}”写了两次")
    } else if let Some(found) =
        head.strip_prefix("invalid type: ").or_else(|| head.strip_prefix("invalid value: "))
    {
        format!("这里要写{}，写的是{}", kind(expected), kind(found))
    } else if head == "string values must be quoted" && at.is_empty() {
        "等号后面没有写值".to_owned()
    } else if let Some((_, zh)) = SHAPES.iter().find(|(en, _)| head == *en) {
        (*zh).to_owned()
    } else {
        format!("读不懂：{said}")
    };
    (said.to_owned(), zh)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;
    use toml::{Spanned, value::Datetime};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct File {
        format: Spanned<u32>,
        #[serde(default)]
        people: Vec<Person>,
        #[serde(default)]
        on: BTreeMap<String, bool>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Person {
        name: Spanned<String>,
        from: Option<Spanned<Datetime>>,
    }

    fn zh(file: &str) -> String {
        let error = toml::from_str::<File>(file).unwrap_err();
        let at = error.span().and_then(|s| file.get(s)).unwrap_or("");
        words(error.message(), at).1
    }

    #[test]
    fn the_mistakes_people_make_are_said_in_chinese() {
        for (file, said) in [
            (
                "format = 1\npeple = []",
                "“peple”不是这里能写的，是不是“people”。这里能写的：format、people、on",
            ),
            ("format = 1\nxyzzy = 1", "“xyzzy”不是这里能写的。这里能写的：format、people、on"),
            ("people = []", "缺少“format”这一项"),
            ("format = \"一\"", "这里要写不带小数的数，不能小于 0，写的是文字“一”"),
            ("format = -1", "这里要写不带小数的数，不能小于 0，写的是整数“-1”"),
            ("format = 1\npeople = 3", "这里要写方括号括起来的一串，写的是整数“3”"),
            ("format = 1\n[[people]]\nname = 5", "这里要写引号括起来的文字，写的是整数“5”"),
            ("format = 1\nformat = 1", "“format”写了两次"),
            ("format = 1\npeople = [{ name = 王 }]", "文字要用引号括起来"),
            ("format =", "等号后面没有写值"),
            ("format = 1\non = { a = true", "花括号没有收尾，少了“}”"),
            ("format = 1\npeople = [", "方括号没有收尾，少了“]”"),
        ] {
            assert_eq!(zh(file), said, "{file}");
        }
        // No mistake is said in English alone but what nobody translated.
        for file in [
            "a",
            "= 1",
            "[",
            "[[people]",
            "format = 01",
            "format = 1 2",
            "format = 1\n[[people]]\nname = \"x",
        ] {
            let said = zh(file);
            assert!(!said.starts_with("读不懂"), "{file}: {said}");
        }
        assert!(words("never heard of", "").1.contains("never heard of"));
    }
}
