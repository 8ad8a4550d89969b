//! Days and instants as people say them: `11月22日（周日） 09:30`, `昨天 17:20`, `还剩 3 个工作日`.

use crate::{actions::views::DeadlineView, http::lang::Lang};
use yishi_protocol::calendar::Date;

/// China has one time zone, and a village's box often none set (see [`crate::clock`]).
const MINUTES_EAST: i64 = 8 * 60;
/// A deadline this near is shown as soon.
const SOON_WORKING_DAYS: i64 = 2;

/// A deadline in words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Due {
    /// `还剩 3 个工作日`; empty when nothing is due.
    pub(super) words: String,
    /// The day behind it.
    pub(super) date: String,
    /// `over`, `soon` or `calm`.
    pub(super) tone: &'static str,
    /// Whether the day may still move.
    pub(super) provisional: bool,
}

/// A deadline in words.
pub(super) fn due(deadline: Option<&DeadlineView>, lang: Lang) -> Due {
    let Some(d) = deadline else { return Due::default() };
    let left = d.working_days_left;
    let (words, tone) = if d.overdue {
        (plural(lang, "超期", "个工作日", left.abs().max(1), "working day", "overdue"), "over")
    } else if left <= 0 {
        (super::words::TODAY_DUE.of(lang).to_owned(), "soon")
    } else {
        let tone = if left <= SOON_WORKING_DAYS { "soon" } else { "calm" };
        (plural(lang, "还剩", "个工作日", left, "working day", "left"), tone)
    };
    Due { words, date: day(&d.date, lang), tone, provisional: d.provisional }
}

fn plural(lang: Lang, before: &str, unit_zh: &str, n: i64, unit: &str, after: &str) -> String {
    match lang {
        Lang::Zh => format!("{before} {n} {unit_zh}"),
        Lang::En => format!("{n} {unit}{} {after}", if n == 1 { "" } else { "s" }),
    }
}

/// A day: `11月22日（周日）`, with its year only if it is not `today`'s.
pub(super) fn day_seen(stated: &str, today: i64, lang: Lang) -> String {
    let (Ok(date), Some(now)) = (stated.parse::<Date>(), Date::from_days(today)) else {
        return stated.to_owned();
    };
    let short = written(date, lang);
    match (date.year() == now.year(), lang) {
        (true, _) => short,
        (false, Lang::Zh) => format!("{}年{short}", date.year()),
        (false, Lang::En) => format!("{short} {}", date.year()),
    }
}

/// A day with its year, as papers have it: `2026年12月31日`.
pub(super) fn dated(stated: &str, lang: Lang) -> String {
    let Ok(date) = stated.parse::<Date>() else { return stated.to_owned() };
    let (year, month, day) = date.ymd();
    match lang {
        Lang::Zh => format!("{year}年{month}月{day}日"),
        Lang::En => format!("{} {year}", written(date, lang)),
    }
}

/// A day without its year.
pub(super) fn day(stated: &str, lang: Lang) -> String {
    stated.parse::<Date>().map_or_else(|_| stated.to_owned(), |d| written(d, lang))
}

fn written(d: Date, lang: Lang) -> String {
    const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, month, day) = d.ymd();
    match lang {
        Lang::Zh => format!("{month}月{day}日（{}）", d.weekday().chinese().replace("星期", "周")),
        Lang::En => {
            let weekday = WEEKDAYS.get(d.weekday() as usize).copied().unwrap_or("");
            let month = MONTHS.get((month as usize).saturating_sub(1)).copied().unwrap_or("");
            format!("{weekday} {day} {month}")
        }
    }
}

/// An instant as seen from today: `今天 09:30`, `昨天 17:20`, else its day.
pub(super) fn instant(stated: &str, today: i64, lang: Lang) -> String {
    let Some((date, minute)) = local(stated) else { return stated.to_owned() };
    let clock = format!("{:02}:{:02}", minute / 60, minute % 60);
    let seen = match today - date.days() {
        0 => lang.of("今天", "today").to_owned(),
        1 => lang.of("昨天", "yesterday").to_owned(),
        _ => day_seen(&date.to_string(), today, lang),
    };
    format!("{seen} {clock}")
}

/// Day and minute of the day here, of an instant in RFC 3339 and UTC.
fn local(stated: &str) -> Option<(Date, i64)> {
    let (date, time) = stated.strip_suffix('Z')?.split_once('T')?;
    let date: Date = date.parse().ok()?;
    let mut parts = time.split(':');
    let hour: i64 = parts.next()?.parse().ok()?;
    let minute: i64 = parts.next()?.parse().ok()?;
    let total = hour * 60 + minute + MINUTES_EAST;
    Some((Date::from_days(date.days() + total.div_euclid(24 * 60))?, total.rem_euclid(24 * 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(date: &str) -> i64 {
        date.parse::<Date>().unwrap().days()
    }

    #[test]
    fn instants_are_local_and_relative() {
        let today = days("2026-11-22");
        for (stated, zh, en) in [
            ("2026-11-22T01:30:00.000Z", "今天 09:30", "today 09:30"),
            ("2026-11-21T09:20:00Z", "昨天 17:20", "yesterday 17:20"),
            ("2026-11-20T23:10:00Z", "昨天 07:10", "yesterday 07:10"),
            ("2026-11-19T00:00:00Z", "11月19日（周四） 08:00", "Thu 19 Nov 08:00"),
            ("2025-12-31T00:00:00Z", "2025年12月31日（周三） 08:00", "Wed 31 Dec 2025 08:00"),
            ("nonsense", "nonsense", "nonsense"),
        ] {
            assert_eq!(instant(stated, today, Lang::Zh), zh);
            assert_eq!(instant(stated, today, Lang::En), en);
        }
    }

    #[test]
    fn deadlines_in_words() {
        let check = |left, overdue, zh: &str, en: &str, tone| {
            let d = DeadlineView {
                date: "2026-11-25".into(),
                working_days_left: left,
                overdue,
                provisional: false,
                what: "accept".into(),
            };
            assert_eq!(due(Some(&d), Lang::Zh).words, zh);
            let shown = due(Some(&d), Lang::En);
            assert_eq!((shown.words.as_str(), shown.date.as_str(), shown.tone), (en, "Wed 25 Nov", tone));
        };
        check(3, false, "还剩 3 个工作日", "3 working days left", "calm");
        check(1, false, "还剩 1 个工作日", "1 working day left", "soon");
        check(0, false, "今天到期", "due today", "soon");
        check(-4, true, "超期 4 个工作日", "4 working days overdue", "over");
        assert_eq!(due(None, Lang::Zh), Due::default());
    }
}
