//! Dates as Chinese offices write them.
//!
//! A date is read or refused, never guessed: `1/2/20` could be three days, and a wrong day would move a
//! deadline. Excel's day numbers are accepted only between 1950 and 2099, where they have five digits and
//! nothing else does.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use super::clean;
use crate::both;
use crate::limits::YEAR_MIN;
use crate::words::Both;

/// Excel's day number of 1950-01-01.
const SERIAL_MIN: f64 = 18_264.0;
/// Excel's day number of 2099-12-31.
const SERIAL_MAX: f64 = 73_050.0;

/// A day, with the time of day if the source gave one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    /// The day, which is what counts.
    pub day: Date,
    /// The time of day, if stated.
    pub time: Option<Time>,
}

/// Reads a date as people and programs write it.
///
/// `Err` says in both languages what is wrong with it.
pub fn read(raw: &str) -> Result<When, Both> {
    let text = clean::code(raw);
    let text = text.trim_matches(['\'', '"', '`', '[', ']']).trim();
    if let Some(when) = with_zone(text) {
        return check_year(when, raw);
    }
    if let Ok(number) = text.parse::<f64>()
        && text.chars().all(|c| c.is_ascii_digit() || c == '.')
        && let Some(when) = serial(number)
    {
        return Ok(when);
    }
    check_year(parts(text).ok_or_else(|| unreadable(raw))??, raw)
}

/// An Excel day number of the 1900 system: days since 1899-12-30, the time of day as the fraction.
pub fn serial(number: f64) -> Option<When> {
    if !(SERIAL_MIN..SERIAL_MAX + 1.0).contains(&number) {
        return None;
    }
    // Rounded to the second first: 0.1 of a day is not exact in binary, and 23:59:59.9999 is the next day.
    let seconds = (number * 86_400.0).round() as i64;
    let day = Date::new(1899, 12, 30).ok()?.checked_add((seconds / 86_400).days()).ok()?;
    let left = seconds % 86_400;
    let time = Time::new((left / 3600) as i8, (left / 60 % 60) as i8, (left % 60) as i8, 0).ok()?;
    Some(When { day, time: (left != 0).then_some(time) })
}

/// The parts of a real Excel date cell, as the reading library gives them.
pub fn from_cell(year: u16, month: u8, day: u8, clock: (u8, u8, u8)) -> Option<When> {
    let day =
        Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let (hour, minute, second) = clock;
    let time = Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, 0)
        .ok()?;
    Some(When { day, time: (time != Time::midnight()).then_some(time) })
}

/// An instant with its offset (`2020-01-02T23:30:00Z`): the day it was in China.
fn with_zone(text: &str) -> Option<When> {
    if !text.contains(['T', 't']) && !text.ends_with(['Z', 'z']) {
        return None;
    }
    let instant: Timestamp = text.parse().ok()?;
    let beijing = TimeZone::fixed(Offset::constant(8));
    let local: DateTime = instant.to_zoned(beijing).datetime();
    Some(When { day: local.date(), time: Some(local.time()) })
}

fn check_year(when: When, raw: &str) -> Result<When, Both> {
    if when.day.year() < YEAR_MIN {
        return Err(both!(
            "日期「{raw}」早于 {YEAR_MIN} 年，不像是真的",
            "the date “{raw}” is before {YEAR_MIN}, which cannot be meant"
        ));
    }
    Ok(when)
}

fn unreadable(raw: &str) -> Both {
    let raw = clean::line(raw);
    both!(
        "看不懂日期「{raw}」，请写成 2020-01-02 或 2020年1月2日",
        "the date “{raw}” cannot be read; write it as 2020-01-02"
    )
}

fn impossible(text: &str) -> Both {
    both!("没有这一天或这个时刻：「{text}」", "there is no such day or time: “{text}”")
}

/// Year, month and day in figures, then perhaps a time. `None` if it is not of that form at all.
fn parts(text: &str) -> Option<Result<When, Both>> {
    let (day, rest) = day_of(text)?;
    let Some(day) = day else { return Some(Err(impossible(text))) };
    let rest = without_weekday(rest.trim_start_matches(['T', 't', ' ', ',', '_']).trim());
    if rest.is_empty() {
        return Some(Ok(When { day, time: None }));
    }
    match time_of(rest)? {
        Some(time) => Some(Ok(When { day, time: Some(time) })),
        None => Some(Err(impossible(text))),
    }
}

/// The day at the start of `text` and what follows it. The inner `None` is a day that does not exist.
fn day_of(text: &str) -> Option<(Option<Date>, &str)> {
    let (year, rest) = figures(text)?;
    // 20200102, 20200102130405, 202001021304
    if matches!(year.len(), 8 | 12 | 14) {
        let (digits, after) = text.split_at(8);
        return Some((date(digits.get(0..4)?, digits.get(4..6)?, digits.get(6..8)?), after));
    }
    if year.len() != 4 {
        return None;
    }
    let (separator, rest) = split_char(rest.trim_start())?;
    let ends: (&[char], &[char]) = match separator {
        '年' => (&['月'], &['日', '号', '號']),
        '-' | '/' | '.' | '\u{2013}' | '\u{2014}' | '\u{2212}' | '\u{b7}' | '、' => (&[], &[]),
        _ => return None,
    };
    let (month, rest) = figures(rest.trim_start())?;
    let (between, rest) = split_char(rest.trim_start())?;
    let same = if ends.0.is_empty() { between == separator } else { ends.0.contains(&between) };
    if !same {
        return None;
    }
    let (day, rest) = figures(rest.trim_start())?;
    let rest = match split_char(rest.trim_start()) {
        Some((end, after)) if ends.1.contains(&end) => after,
        _ => rest,
    };
    if month.len() > 2 || day.len() > 2 {
        return None;
    }
    Some((date(year, month, day), rest))
}

/// A time of day: `13:04`, `13:04:05.0`, `13时4分5秒`, `下午1:04`, `1:04 PM`, `130405`. The inner `None` is
/// a time that does not exist.
fn time_of(text: &str) -> Option<Option<Time>> {
    let (half, text) = half_of_day(text);
    if text.len() >= 4 && text.len() <= 6 && text.len() % 2 == 0 && text.chars().all(|c| c.is_ascii_digit()) {
        let second = text.get(4..6).unwrap_or("0");
        return Some(time(text.get(0..2)?, text.get(2..4)?, second, half));
    }
    let (hour, rest) = figures(text)?;
    let (mark, rest) = split_char(rest.trim_start())?;
    if !matches!(mark, ':' | '时' | '點' | '点' | '時') {
        return None;
    }
    let rest = rest.trim_start();
    if rest.is_empty() && mark != ':' {
        return Some(time(hour, "0", "0", half));
    }
    if rest == "整" {
        return Some(time(hour, "0", "0", half));
    }
    if rest == "半" {
        return Some(time(hour, "30", "0", half));
    }
    let (minute, rest) = figures(rest)?;
    let rest = rest.trim_start().trim_start_matches([':', '分']).trim_start();
    if rest.is_empty() {
        return Some(time(hour, minute, "0", half));
    }
    let (second, rest) = figures(rest)?;
    let rest = rest.trim_start_matches('秒');
    let fraction = rest.trim_start_matches(['.', ',']);
    if rest.is_empty() || (fraction.len() < rest.len() && fraction.chars().all(|c| c.is_ascii_digit())) {
        return Some(time(hour, minute, second, half));
    }
    None
}

/// Which half of the day a time names.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Half {
    Unsaid,
    Morning,
    Afternoon,
}

fn half_of_day(text: &str) -> (Half, &str) {
    const WORDS: &[(&str, Half)] = &[
        ("上午", Half::Morning),
        ("早上", Half::Morning),
        ("凌晨", Half::Morning),
        ("下午", Half::Afternoon),
        ("晚上", Half::Afternoon),
        ("中午", Half::Unsaid),
        ("AM", Half::Morning),
        ("PM", Half::Afternoon),
        ("am", Half::Morning),
        ("pm", Half::Afternoon),
    ];
    for (word, half) in WORDS {
        if let Some(rest) = text.strip_prefix(word) {
            return (*half, rest.trim());
        }
        if let Some(rest) = text.strip_suffix(word) {
            return (*half, rest.trim());
        }
    }
    (Half::Unsaid, text)
}

/// A weekday beside a date says nothing new: `星期四`, `（周四）`, `礼拜四`.
fn without_weekday(text: &str) -> &str {
    let inner = text.strip_prefix('(').unwrap_or(text);
    for word in ["星期", "礼拜", "周", "週"] {
        let Some(rest) = inner.strip_prefix(word) else { continue };
        let Some((day, rest)) = split_char(rest) else { continue };
        if "一二三四五六日天".contains(day) {
            return rest.strip_prefix(')').unwrap_or(rest).trim();
        }
    }
    text
}

fn figures(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn split_char(text: &str) -> Option<(char, &str)> {
    let first = text.chars().next()?;
    Some((first, text.get(first.len_utf8()..)?))
}

fn date(year: &str, month: &str, day: &str) -> Option<Date> {
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

fn time(hour: &str, minute: &str, second: &str, half: Half) -> Option<Time> {
    let hour: i8 = hour.parse().ok()?;
    let hour = match half {
        Half::Afternoon if hour < 12 => hour + 12,
        // 上午12:30 and 12:30 AM are half past midnight.
        Half::Morning if hour == 12 => 0,
        Half::Morning if hour > 12 => return None,
        _ => hour,
    };
    Time::new(hour, minute.parse().ok()?, second.parse().ok()?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> String {
        read(text).map_or_else(|why| format!("! {}", why.en), |when| when.day.to_string())
    }

    fn full(text: &str) -> String {
        let when = read(text).unwrap();
        format!("{} {}", when.day, when.time.map_or("-".to_owned(), |time| time.to_string()))
    }

    #[test]
    fn the_ways_a_day_is_written() {
        for text in [
            "2020-01-02",
            "2020/1/2",
            "2020.1.2",
            "2020.01.02",
            "2020年1月2日",
            "2020 年 1 月 2 日",
            "2020年01月02号",
            "20200102",
            "２０２０／１／２",
            "２０２０年１月２日",
            "\u{feff} 2020-1-2\u{3000}",
            "2020-01-02 星期四",
            "2020年1月2日（周四）",
            "2020—1—2",
            "43832",
            "2020-01-02T16:00:00+08:00",
        ] {
            assert_eq!(day(text), "2020-01-02", "{text}");
        }
    }

    #[test]
    fn the_ways_a_time_is_written() {
        for text in [
            "2020/1/2 13:04",
            "2020-01-02 13:04:00",
            "2020-01-02 13:04:00.0",
            "2020-01-02T13:04:00",
            "2020年1月2日 13时04分",
            "2020年1月2日13点4分00秒",
            "2020年1月2日下午1:04",
            "2020-01-02 下午 01:04:00",
            "2020-01-02 1:04 PM",
            "2020/1/2  星期四 13:04",
            "20200102130400",
            "202001021304",
            "20200102 13:04",
            "２０２０－０１－０２　１３：０４",
            "2020-01-02T05:04:00Z",
            "2020-01-02T13:04:00+08:00",
        ] {
            assert_eq!(full(text), "2020-01-02 13:04:00", "{text}");
        }
        assert_eq!(full("2020-01-02 上午12:30"), "2020-01-02 00:30:00");
        assert_eq!(full("2020-01-02 中午12:30"), "2020-01-02 12:30:00");
        assert_eq!(full("2020年1月2日9点半"), "2020-01-02 09:30:00");
        assert_eq!(full("2020年1月2日 9时"), "2020-01-02 09:00:00");
    }

    #[test]
    fn an_instant_is_the_day_it_was_in_china() {
        assert_eq!(day("2020-01-01T16:30:00Z"), "2020-01-02");
    }

    #[test]
    fn excel_day_numbers() {
        assert_eq!(full("43832"), "2020-01-02 -");
        assert_eq!(full("43832.5"), "2020-01-02 12:00:00");
        assert_eq!(serial(43832.544444444).unwrap().time.unwrap().to_string(), "13:04:00");
        // A rounding error short of midnight is midnight.
        assert_eq!(serial(43_832.999_999_9).unwrap(), When { day: Date::constant(2020, 1, 3), time: None });
        assert_eq!(serial(17_000.0), None);
        assert_eq!(from_cell(2020, 1, 2, (13, 4, 0)).unwrap().day.to_string(), "2020-01-02");
        // Excel's 29 February 1900 never was.
        assert_eq!(from_cell(1900, 2, 29, (0, 0, 0)), None);
    }

    #[test]
    fn what_is_impossible_or_ambiguous_is_refused() {
        for text in [
            "2020-02-30",
            "2020-13-01",
            "2021年2月29日",
            "2020-01-02 25:00",
            "20201340",
            "2020-01-02 上午13:00",
        ] {
            assert!(day(text).contains("no such day"), "{text}: {}", day(text));
        }
        for text in [
            "1/2/20",
            "2020",
            "2020-01",
            "昨天",
            "",
            "2020-01/02",
            "20-1-2",
            "202001",
            "2020-01-02 foo",
            "99999",
        ] {
            assert!(day(text).contains("cannot be read"), "{text}: {}", day(text));
        }
        assert!(day("1900-01-01").contains("before 1949"));
    }
}
