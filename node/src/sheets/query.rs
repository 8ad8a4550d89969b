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
        let period = match kind.takes.contains(&"quarter") {
            true => quarter(&query.quarter, today)?,
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

/// First and last day of `2026-Q4`; of the present quarter if nothing was said.
fn quarter(typed: &str, today: i64) -> Result<(i64, i64), ActionError> {
    let bad = || wrong("quarter", "请写成 2026-Q4 这样的季度", "wants a quarter such as 2026-Q4");
    let (year, number) = match typed.trim() {
        "" => {
            let text = Date::from_days(today).ok_or_else(bad)?.to_string();
            let mut parts = text.split('-').filter_map(|p| p.parse::<u32>().ok());
            let (Some(year), Some(month)) = (parts.next(), parts.next()) else { return Err(bad()) };
            (year, month.saturating_sub(1) / 3 + 1)
        }
        typed => {
            let (year, number) = typed.split_once(['-', ' ']).ok_or_else(bad)?;
            let number = number.trim_start_matches(['Q', 'q']);
            (year.parse().map_err(|_| bad())?, number.parse().map_err(|_| bad())?)
        }
    };
    if !(1..=4).contains(&number) {
        return Err(bad());
    }
    let first_of =
        |year: u32, month: u32| format!("{year:04}-{month:02}-01").parse::<Date>().map(|d| d.days());
    let (next_year, next_month) = if number == 4 { (year + 1, 1) } else { (year, number * 3 + 1) };
    let first = first_of(year, number * 3 - 2).map_err(|_| bad())?;
    let after = first_of(next_year, next_month).map_err(|_| bad())?;
    Ok((first, after - 1))
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
}
