//! What may be asked of a sheet, read strictly: a parameter it does not take is refused, so that nobody prints
//! a sheet of the whole year believing it is the quarter's.

use super::Kind;
use crate::actions::{ActionError, Actions};
use serde::Deserialize;
use yishi_protocol::{calendar::Date, ids::PlaceId};

/// Yuan one meeting may be worth: a slip of the pen, not a wage, is above it.
const RATE_YUAN_MAX: i64 = 10_000;

/// The parameters as they came.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SheetQuery {
    /// A matter.
    pub matter: String,
    /// The place that registered the matters: `self`, an id, a code or a name.
    pub home: String,
    /// From this day.
    pub since: String,
    /// Until this day.
    pub until: String,
    /// `yes`: with petitioners' names.
    pub names: String,
    /// Yuan for one meeting.
    pub rate_yuan: String,
    /// A body by its name in the procedure.
    pub body: String,
    /// `2026-Q4`.
    pub quarter: String,
    /// `2026-11`.
    pub month: String,
    /// `2026`.
    pub year: String,
    /// `json`, `csv`, `xlsx` or `html`.
    pub format: String,
    /// `zh` or `en`.
    pub lang: String,
}

/// The parameters as they were read.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) matter: String,
    pub(super) home: Option<PlaceId>,
    /// First and last day, both included.
    pub(super) period: (i64, i64),
    pub(super) names: bool,
    pub(super) rate_yuan: i64,
    pub(super) body: Option<String>,
}

fn wrong(field: &'static str, zh: &str, en: &str) -> ActionError {
    ActionError::invalid(
        field,
        format!("“{field}” {en}. No sheet was made; nothing was changed."),
        format!("“{field}”{zh}。没有生成表格，也没有改动任何内容。"),
    )
}

impl Asked {
    pub(super) fn read(kind: &Kind, query: &SheetQuery, actions: &Actions) -> Result<Self, ActionError> {
        let given = [
            ("matter", &query.matter),
            ("home", &query.home),
            ("since", &query.since),
            ("until", &query.until),
            ("names", &query.names),
            ("rate_yuan", &query.rate_yuan),
            ("body", &query.body),
            ("quarter", &query.quarter),
            ("month", &query.month),
            ("year", &query.year),
        ];
        for (field, value) in given {
            if !value.trim().is_empty() && !kind.takes.contains(&field) {
                return Err(wrong(field, "这张表不用填", "is not asked of this sheet"));
            }
        }
        if kind.of_matter && query.matter.trim().is_empty() {
            return Err(wrong(
                "matter",
                "没有填写：这张表是某一件事项的",
                "is empty: this sheet is of one matter",
            ));
        }
        let home = Some(query.home.trim()).filter(|h| !h.is_empty());
        let today = actions.today();
        let takes = |field| kind.takes.contains(&field);
        let (of_month, of_year) = (query.month.trim(), query.year.trim());
        if !of_month.is_empty() && !of_year.is_empty() {
            return Err(wrong("month", "和年份只能填一个", "and a year cannot both be asked"));
        }
        let period = match takes("quarter") {
            true => quarter(&query.quarter, today)?,
            false if takes("year") && of_month.is_empty() => year(of_year, today)?,
            false if takes("month") => month(of_month, today)?,
            false => {
                let first = day("since", &query.since)?.unwrap_or(Date::MIN.days());
                let last = day("until", &query.until)?.unwrap_or(Date::MAX.days());
                if first > last {
                    return Err(wrong("until", "早于开始日期", "is before the first day"));
                }
                (first, last)
            }
        };
        let rate_yuan = match query.rate_yuan.trim() {
            "" if kind.takes.contains(&"rate_yuan") => {
                return Err(wrong(
                    "rate_yuan",
                    "没有填写：每次会补多少元",
                    "is empty: how many yuan for one meeting",
                ));
            }
            "" => 0,
            typed => typed.parse().ok().filter(|n| (0..=RATE_YUAN_MAX).contains(n)).ok_or_else(|| {
                wrong("rate_yuan", "要写 0 到 10000 的整数", "wants a whole number from 0 to 10000")
            })?,
        };
        Ok(Self {
            matter: query.matter.trim().to_owned(),
            home: home.map(|h| actions.find_place(h)).transpose()?,
            period,
            names: match query.names.trim() {
                "" | "no" => false,
                "yes" => true,
                _ => return Err(wrong("names", "要写 yes 或 no", "wants yes or no")),
            },
            rate_yuan,
            body: Some(query.body.trim().to_owned()).filter(|b| !b.is_empty()),
        })
    }

    /// Whether a day falls into the period.
    pub(super) fn covers(&self, day: i64) -> bool {
        (self.period.0..=self.period.1).contains(&day)
    }

    /// The period in words; `None` if it is all there is.
    pub(super) fn period_text(&self) -> Option<(String, String)> {
        let (first, last) = self.period;
        let open = (first == Date::MIN.days(), last == Date::MAX.days());
        let text = |day| Date::from_days(day).map(|d| d.to_string()).unwrap_or_default();
        match open {
            (true, true) => None,
            (false, true) => Some((format!("{}起", text(first)), format!("from {}", text(first)))),
            (true, false) => Some((format!("截至{}", text(last)), format!("until {}", text(last)))),
            (false, false) => Some((
                format!("{}至{}", text(first), text(last)),
                format!("{} to {}", text(first), text(last)),
            )),
        }
    }
}

fn day(field: &'static str, typed: &str) -> Result<Option<i64>, ActionError> {
    match typed.trim() {
        "" => Ok(None),
        typed => match typed.parse::<Date>() {
            Ok(date) => Ok(Some(date.days())),
            Err(_) => Err(wrong(field, "请写成 2026-11-22 这样的日期", "wants a day such as 2026-11-22")),
        },
    }
}

/// The year and month of a day.
fn year_and_month(day: i64) -> Option<(i32, u32)> {
    Date::from_days(day).map(Date::ymd).map(|(year, month, _)| (year, month))
}

/// First and last day of so many months.
fn months(year: i32, month: u32, count: u32) -> Option<(i64, i64)> {
    let first = Date::from_ymd(year, month, 1).ok()?;
    let next = month.checked_sub(1)?.checked_add(count)?;
    let after = Date::from_ymd(year.checked_add(i32::try_from(next / 12).ok()?)?, next % 12 + 1, 1).ok()?;
    Some((first.days(), after.days() - 1))
}

/// First and last day of `2026`; of the present year if nothing was said.
fn year(typed: &str, today: i64) -> Result<(i64, i64), ActionError> {
    let year = if typed.is_empty() { year_and_month(today).map(|(y, _)| y) } else { typed.parse().ok() };
    year.and_then(|y| months(y, 1, 12))
        .ok_or_else(|| wrong("year", "请写成 2026 这样的年份", "wants a year such as 2026"))
}

/// First and last day of `2026-11`; of the present month if nothing was said.
fn month(typed: &str, today: i64) -> Result<(i64, i64), ActionError> {
    let read = || {
        let (year, month) = typed.split_once('-')?;
        Some((year.parse().ok()?, month.parse().ok()?))
    };
    let found = if typed.is_empty() { year_and_month(today) } else { read() };
    found
        .and_then(|(y, m)| months(y, m, 1))
        .ok_or_else(|| wrong("month", "请写成 2026-11 这样的月份", "wants a month such as 2026-11"))
}

/// First and last day of `2026-Q4`; of the present quarter if nothing was said.
fn quarter(typed: &str, today: i64) -> Result<(i64, i64), ActionError> {
    let read = || {
        let (year, number) = typed.trim().split_once(['-', ' '])?;
        Some((year.parse().ok()?, number.trim_start_matches(['Q', 'q']).parse().ok()?))
    };
    let found = match typed.trim() {
        "" => year_and_month(today).map(|(year, month)| (year, month.saturating_sub(1) / 3 + 1)),
        _ => read(),
    };
    found
        .filter(|(_, number)| (1..=4).contains(number))
        .and_then(|(year, number)| months(year, number * 3 - 2, 3))
        .ok_or_else(|| wrong("quarter", "请写成 2026-Q4 这样的季度", "wants a quarter such as 2026-Q4"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_begin_and_end_where_they_do() {
        let day = |text: &str| text.parse::<Date>().unwrap().days();
        for (typed, first, last) in [
            ("2026-Q1", "2026-01-01", "2026-03-31"),
            ("2026 4", "2026-10-01", "2026-12-31"),
            ("2024-q1", "2024-01-01", "2024-03-31"),
            ("", "2026-10-01", "2026-12-31"),
        ] {
            assert_eq!(quarter(typed, day("2026-11-23")).unwrap(), (day(first), day(last)), "{typed}");
        }
        for typed in ["2026", "2026-Q5", "Q4", "2026-Q0", "x-Q1"] {
            assert!(quarter(typed, 0).is_err(), "{typed}");
        }
    }
    #[test]
    fn years_and_months_begin_and_end_where_they_do() {
        let day = |text: &str| text.parse::<Date>().unwrap().days();
        let today = day("2026-11-23");
        assert_eq!(year("2024", today).unwrap(), (day("2024-01-01"), day("2024-12-31")));
        assert_eq!(year("", today).unwrap(), (day("2026-01-01"), day("2026-12-31")));
        assert_eq!(month("2024-2", today).unwrap(), (day("2024-02-01"), day("2024-02-29")));
        assert_eq!(month("2026-12", today).unwrap(), (day("2026-12-01"), day("2026-12-31")));
        assert_eq!(month("", today).unwrap(), (day("2026-11-01"), day("2026-11-30")));
        for typed in ["x", "99999999", "-"] {
            assert!(year(typed, today).is_err(), "{typed}");
        }
        for typed in ["2026", "2026-13", "2026-0", "2026-11-01"] {
            assert!(month(typed, today).is_err(), "{typed}");
        }
    }
}
