//! Cleaning what people and programs left around the words, without touching the words.
//!
//! Full-width spaces, NBSP, tabs, zero-width characters and byte order marks are not what anybody wrote;
//! paragraph breaks are. Control characters and invisible direction marks are dropped: text from a table is
//! shown in terminals and on boards, and must not be able to steer them.

/// A text of one or more paragraphs: line ends made one kind, runs of blanks made one space, lines trimmed,
/// at most one empty line between paragraphs.
pub fn paragraphs(raw: &str) -> String {
    let unescaped = unescape(raw);
    let mut out = String::with_capacity(unescaped.len());
    let mut empty_lines = 0usize;
    for line in unescaped.split('\n') {
        let line = one_line_of(line);
        if line.is_empty() {
            empty_lines += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if empty_lines > 0 { "\n\n" } else { "\n" });
        }
        empty_lines = 0;
        out.push_str(&line);
    }
    out
}

/// A text that belongs on one line: a title, a name, a header.
pub fn line(raw: &str) -> String {
    one_line_of(&unescape(raw).replace('\n', " "))
}

/// A number, date or code: one line, with full-width digits, letters and signs made ordinary ones.
pub fn code(raw: &str) -> String {
    line(&narrow(raw))
}

/// Full-width forms (`２０２０／１／２`) as the ASCII they stand for.
pub fn narrow(raw: &str) -> String {
    raw.chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            _ => c,
        })
        .collect()
}

/// One kind of line end; what spreadsheets and web forms write instead of a character becomes the character.
fn unescape(raw: &str) -> String {
    let mut text =
        raw.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{0085}', '\u{000b}', '\u{000c}'], "\n");
    if text.contains('\u{2029}') {
        text = text.replace('\u{2029}', "\n\n");
    }
    // `_x000D_` is how Excel keeps a carriage return in a cell.
    if text.contains("_x000") {
        text = text
            .replace("_x000D_\n", "\n")
            .replace("_x000D_", "\n")
            .replace("_x000A_", "\n")
            .replace("_x0009_", " ");
    }
    if text.contains('&') {
        text = text.replace("&nbsp;", " ");
    }
    if text.contains("<b") || text.contains("<B") {
        for tag in ["<br>", "<br/>", "<br />", "<BR>", "<BR/>", "<BR />"] {
            text = text.replace(tag, "\n");
        }
    }
    text
}

fn one_line_of(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut blank = false;
    for c in line.chars() {
        if is_blank(c) {
            blank = true;
            continue;
        }
        if is_invisible(c, out.chars().next_back()) {
            continue;
        }
        if blank && !out.is_empty() {
            out.push(' ');
        }
        blank = false;
        out.push(c);
    }
    out
}

/// Blank on paper. `char::is_whitespace` covers U+3000 and NBSP; the Hangul and Braille blanks are not in it.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{3164}' | '\u{2800}' | '\u{ffa0}')
}

/// Nothing on paper. A joiner after an emoji is part of it and stays.
fn is_invisible(c: char, before: Option<char>) -> bool {
    match c {
        '\u{200d}' => !before.is_some_and(|b| b == '\u{fe0f}' || b >= '\u{1f000}'),
        '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{2060}'..='\u{206f}' => true,
        '\u{202a}'..='\u{202e}' | '\u{00ad}' | '\u{feff}' | '\u{180e}' | '\u{fff9}'..='\u{fffb}' => true,
        _ => c.is_control(),
    }
}

/// Text from elsewhere made safe for a terminal: no control or direction characters, line breaks kept.
pub fn for_terminal(raw: &str) -> String {
    raw.chars().filter(|&c| c == '\n' || !is_invisible(c, Some('\u{1f000}')) || c == '\u{200d}').collect()
}

/// A one-line title from the first sentence of a text, for tables that have none.
pub fn title_from(body: &str, chars_max: usize) -> String {
    let first = body.split(['\n', '。', '！', '？', '!', '?', '；']).find(|part| !part.trim().is_empty());
    let first = first.unwrap_or(body).trim();
    if first.chars().count() <= chars_max {
        return first.to_owned();
    }
    let mut short: String = first.chars().take(chars_max.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_of_every_kind_become_one_space() {
        assert_eq!(line("\u{feff}  村口\u{3000}\u{3000}涵洞\t积水\u{a0}\u{200b} "), "村口 涵洞 积水");
        assert_eq!(line("a\r\nb\nc"), "a b c");
        assert_eq!(line("\u{3000}\u{a0}\t\u{200b}\u{feff}"), "");
    }

    #[test]
    fn paragraph_breaks_are_kept_and_heaps_of_them_are_not() {
        assert_eq!(
            paragraphs("\t\t尊敬的领导：\r\n\r\n\r\n\u{3000}\u{3000}您好  啊\r\n  \r\n谢谢\n"),
            "尊敬的领导：\n\n您好 啊\n\n谢谢"
        );
        assert_eq!(paragraphs("一\r二"), "一\n二");
        assert_eq!(paragraphs("一_x000D_\n二&nbsp;&nbsp;三<br/>四"), "一\n二 三\n四");
        assert_eq!(paragraphs("\n\n \u{3000}\n"), "");
    }

    #[test]
    fn full_width_codes_become_plain() {
        assert_eq!(code("　ＴＳ－２０２０／００１"), "TS-2020/001");
        // Chinese punctuation inside a text stays: only codes are narrowed.
        assert_eq!(paragraphs("你好，世界！"), "你好，世界！");
    }

    #[test]
    fn what_could_steer_a_terminal_is_dropped() {
        assert_eq!(line("a\u{1b}[31mb\u{202e}c\u{0}"), "a[31mbc");
        assert_eq!(for_terminal("一\u{1b}]0;x\u{7}\n二"), "一]0;x\n二");
    }

    #[test]
    fn a_family_emoji_stays_one() {
        assert_eq!(line("👨\u{200d}👩\u{200d}👧 全家"), "👨\u{200d}👩\u{200d}👧 全家");
        assert_eq!(line("村\u{200d}口"), "村口");
    }

    #[test]
    fn a_title_is_the_first_sentence() {
        assert_eq!(title_from("村口涵洞积水。车过不去", 30), "村口涵洞积水");
        assert_eq!(title_from("。。。路灯", 30), "路灯");
        assert_eq!(title_from("一二三四五六", 4), "一二三…");
    }
}
