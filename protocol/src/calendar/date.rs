//! A civil date, without clock or time zone.
//!
//! A date is a number of days; year, month and day are computed from it with Howard Hinnant's
//! `civil_from_days`. Which date *today* is, is an argument that only the node knows.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// The text or the parts are not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DateError {
    /// Not of the form YYYY-MM-DD.
    #[error("a date is written YYYY-MM-DD")]
    Form,
    /// The calendar has no such day.
    #[error("there is no such day")]
    NoSuchDay,
}

/// A day of the Gregorian calendar from 0001-01-01 to 9999-12-31, kept as days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(i32);

/// Days of the week, Monday first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weekday {
    /// 星期一
    Monday,
    /// 星期二
    Tuesday,
    /// 星期三
    Wednesday,
    /// 星期四
    Thursday,
    /// 星期五
    Friday,
    /// 星期六
    Saturday,
    /// 星期日
    Sunday,
}

impl Weekday {
    /// Saturday and Sunday.
    #[must_use]
    pub fn is_weekend(self) -> bool {
        matches!(self, Self::Saturday | Self::Sunday)
    }

    /// The Chinese name.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Monday => "星期一",
            Self::Tuesday => "星期二",
            Self::Wednesday => "星期三",
            Self::Thursday => "星期四",
            Self::Friday => "星期五",
            Self::Saturday => "星期六",
            Self::Sunday => "星期日",
        }
    }
}

/// Days in four hundred years, after which the calendar repeats.
const ERA_DAYS: i64 = 146_097;
/// Days from 0000-03-01, where an era begins, to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;

impl Date {
    /// 0001-01-01.
    pub const MIN: Self = Self(-719_162);
    /// 9999-12-31.
    pub const MAX: Self = Self(2_932_896);

    /// The day `days` after 1970-01-01, as acts write it; none outside the range.
    #[must_use]
    pub fn from_days(days: i64) -> Option<Self> {
        i32::try_from(days).ok().map(Self).filter(|d| (Self::MIN..=Self::MAX).contains(d))
    }

    /// The day of these numbers, month and day from 1.
    ///
    /// # Errors
    /// [`DateError::NoSuchDay`] when there is none, for example 30 February.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Result<Self, DateError> {
        let (y, m, d) = (i64::from(year), i64::from(month), i64::from(day));
        if !(1..=9999).contains(&y) || !(1..=12).contains(&m) || !(1..=31).contains(&d) {
            return Err(DateError::NoSuchDay);
        }
        // Years run from March here, so that the leap day is their last.
        let y = if m <= 2 { y - 1 } else { y };
        let of_era = y.rem_euclid(400);
        let of_year = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
        let days =
            y.div_euclid(400) * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAYS;
        let date = Self::from_days(days).ok_or(DateError::NoSuchDay)?;
        // 30 February computes to a day in March.
        if date.ymd() == (year, month, day) { Ok(date) } else { Err(DateError::NoSuchDay) }
    }

    /// Year, month and day, the latter two from 1.
    #[must_use]
    pub fn ymd(self) -> (i32, u32, u32) {
        let z = i64::from(self.0) + EPOCH_DAYS;
        let (era, of_era) = (z.div_euclid(ERA_DAYS), z.rem_euclid(ERA_DAYS));
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let march_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march_month + 2) / 5 + 1;
        let month = (march_month + 2) % 12 + 1;
        let year = year + era * 400 + i64::from(month <= 2);
        // Inside MIN..=MAX all three are small and positive.
        (year as i32, month as u32, day as u32)
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.ymd().0
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn days(self) -> i64 {
        i64::from(self.0)
    }

    /// Days since the Monday of the week of 1970-01-01, a Thursday.
    pub(super) fn days_since_monday_1969(self) -> i64 {
        self.days() + 3
    }

    /// The day of the week.
    #[must_use]
    pub fn weekday(self) -> Weekday {
        match self.days_since_monday_1969().rem_euclid(7) {
            0 => Weekday::Monday,
            1 => Weekday::Tuesday,
            2 => Weekday::Wednesday,
            3 => Weekday::Thursday,
            4 => Weekday::Friday,
            5 => Weekday::Saturday,
            _ => Weekday::Sunday,
        }
    }

    /// `n` days later, or earlier when negative; the first or last day there is when it would be past it.
    #[must_use]
    pub fn plus_days(self, n: i64) -> Self {
        let days = i64::from(self.0).saturating_add(n).clamp(i64::from(Self::MIN.0), i64::from(Self::MAX.0));
        // Clamped to the range of an i32.
        Self(days as i32)
    }

    /// How many days later `other` is; negative when it is earlier.
    #[must_use]
    pub fn days_until(self, other: Self) -> i64 {
        i64::from(other.0) - i64::from(self.0)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Date {
    type Err = DateError;
    fn from_str(s: &str) -> Result<Self, DateError> {
        let shape = s.len() == 10
            && s.bytes()
                .enumerate()
                .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
        let part = |range| s.get(range).and_then(|p: &str| p.parse::<u32>().ok()).ok_or(DateError::Form);
        if !shape {
            return Err(DateError::Form);
        }
        let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
        Self::from_ymd(i32::try_from(year).map_err(|_| DateError::Form)?, month, day)
    }
}

impl TryFrom<String> for Date {
    type Error = DateError;
    fn try_from(s: String) -> Result<Self, DateError> {
        s.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        // (date, days since 1970-01-01, weekday): from Python's datetime.
        for (text, days, weekday) in [
            ("1970-01-01", 0, Weekday::Thursday),
            ("1969-12-31", -1, Weekday::Wednesday),
            ("2000-02-29", 11_016, Weekday::Tuesday),
            ("2024-02-29", 19_782, Weekday::Thursday),
            ("2026-11-22", 20_779, Weekday::Sunday),
            ("0001-01-01", -719_162, Weekday::Monday),
            ("9999-12-31", 2_932_896, Weekday::Friday),
        ] {
            let date: Date = text.parse().unwrap();
            assert_eq!((date.days(), date.weekday()), (days, weekday), "{text}");
            assert_eq!(date.to_string(), text);
            assert_eq!(serde_json::from_str::<Date>(&format!("\"{text}\"")).unwrap(), date);
        }
    }

    #[test]
    fn every_day_of_the_calendar_reads_back() {
        let mut before = Date::MIN.ymd();
        for days in Date::MIN.days() + 1..=Date::MAX.days() {
            let date = Date::from_days(days).unwrap();
            let (y, m, d) = date.ymd();
            assert!((y, m, d) > before, "days ascend at {date}");
            assert_eq!(Date::from_ymd(y, m, d), Ok(date));
            before = (y, m, d);
        }
        assert_eq!(Date::from_days(Date::MAX.days() + 1), None);
        assert_eq!(Date::from_days(Date::MIN.days() - 1), None);
        assert_eq!(Date::from_days(i64::MAX), None);
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in
            ["", "2026-1-1", "2026-01-1x", "+026-01-01", "2026/01/01", "2026-01-01 ", "２026-01", "20260101"]
        {
            assert_eq!(text.parse::<Date>(), Err(DateError::Form), "{text}");
        }
        for text in
            ["2026-02-29", "2100-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00", "0000-01-01"]
        {
            assert_eq!(text.parse::<Date>(), Err(DateError::NoSuchDay), "{text}");
        }
    }

    #[test]
    fn days_are_added_and_stop_at_the_ends() {
        let date: Date = "2026-12-31".parse().unwrap();
        assert_eq!(date.plus_days(1).to_string(), "2027-01-01");
        assert_eq!(date.plus_days(-365).to_string(), "2025-12-31");
        assert_eq!(date.plus_days(i64::MAX), Date::MAX);
        assert_eq!(date.plus_days(i64::MIN), Date::MIN);
        assert_eq!(date.days_until(date.plus_days(-9)), -9);
    }
}
