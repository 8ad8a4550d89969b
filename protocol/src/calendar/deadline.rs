//! A time limit as the fold keeps it, and what a person sees of it.
//!
//! The fold yields the *symbolic* limit: from which claimed day, how long, for what. Date, days left and
//! "overdue" are a view of it with a calendar and a today (rule R7). So two nodes with different calendars
//! or clocks still agree on the fold, and a new notice moves dates without any new act.

use super::{Calendar, Date};
use serde::{Deserialize, Serialize};

/// Minutes in a day; also "at the end of the day".
const DAY_MINUTES: i64 = 24 * 60;

/// How long a limit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Working days after the first day, to the end of the last.
    WorkingDays(u32),
    /// Hours by the clock, nights and holidays included: for emergencies.
    Hours(u32),
}

/// A time limit, symbolic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// The day it runs from, as claimed and clamped by the fold.
    pub from: Date,
    /// Minutes after local midnight it runs from, where the act claims them; only limits in hours use them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_minute: Option<u16>,
    /// How long it is.
    pub limit: Limit,
    /// The stable name of what must be done, for example `accept`.
    pub what: String,
}

/// What `left` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Working days.
    WorkingDays,
    /// Calendar days, for limits in hours.
    Days,
}

/// A limit seen on a certain day with a certain calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlineView {
    /// The last day.
    pub date: Date,
    /// For limits in hours, the minute after midnight of that day at which it ends (1440: end of day).
    pub minute: Option<u16>,
    /// Days after today up to and including the last one; 0 on the last day; negative after it. On a free
    /// day right after the last one no working day has passed: then `left` is 0 and `overdue` is true.
    pub left: i64,
    /// What `left` counts.
    pub unit: Unit,
    /// The last day is over.
    pub overdue: bool,
    /// The date or `left` touches a year whose notice is not out: the date may move.
    pub provisional: bool,
}

impl Deadline {
    /// A limit in working days.
    #[must_use]
    pub fn working_days(from: Date, days: u32, what: &str) -> Self {
        Self { from, from_minute: None, limit: Limit::WorkingDays(days), what: what.to_owned() }
    }

    /// A limit in hours. Without a minute it runs from the end of the day: the doubt must not make
    /// anybody late.
    #[must_use]
    pub fn hours(from: Date, from_minute: Option<u16>, hours: u32, what: &str) -> Self {
        Self { from, from_minute, limit: Limit::Hours(hours), what: what.to_owned() }
    }

    /// What is to be shown on `today`.
    #[must_use]
    pub fn view(&self, today: Date, calendar: &Calendar) -> DeadlineView {
        match self.limit {
            Limit::WorkingDays(days) => {
                let (date, provisional) = calendar.add_working_days(self.from, days);
                DeadlineView {
                    date,
                    minute: None,
                    left: calendar.working_days_between(today, date),
                    unit: Unit::WorkingDays,
                    overdue: today > date,
                    provisional: provisional || calendar.is_provisional(today, date),
                }
            }
            Limit::Hours(hours) => {
                let start = self.from_minute.map_or(DAY_MINUTES, |m| i64::from(m).min(DAY_MINUTES));
                let end = start + i64::from(hours) * 60;
                // The last minute belongs to the day before midnight: 24:00 is the end of a day, not a beginning.
                let (days, minute) = match (end.div_euclid(DAY_MINUTES), end.rem_euclid(DAY_MINUTES)) {
                    (days, 0) if days > 0 => (days - 1, DAY_MINUTES),
                    other => other,
                };
                let date = self.from.plus_days(days);
                DeadlineView {
                    date,
                    // At most 1440.
                    minute: Some(minute as u16),
                    left: today.days_until(date),
                    unit: Unit::Days,
                    overdue: today > date,
                    provisional: false,
                }
            }
        }
    }

    /// As [`Deadline::view`], with the minute after midnight that it is now: limits in hours become
    /// overdue to the minute.
    #[must_use]
    pub fn view_at(&self, today: Date, minute_now: u16, calendar: &Calendar) -> DeadlineView {
        let mut view = self.view(today, calendar);
        if today == view.date {
            view.overdue |= view.minute.is_some_and(|end| minute_now > end);
        }
        view
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(s: &str) -> Date {
        s.parse().unwrap()
    }

    #[test]
    fn working_days_are_left_until_none_are() {
        let calendar = Calendar::shipped().unwrap();
        // Registered on the Wednesday before the National Day of 2026; three working days.
        let deadline = Deadline::working_days(d("2026-09-30"), 3, "accept");
        for (today, left, overdue) in [
            ("2026-09-30", 3, false),
            ("2026-10-07", 3, false),
            ("2026-10-09", 1, false),
            ("2026-10-10", 0, false),
            ("2026-10-11", 0, true),
            ("2026-10-12", -1, true),
            ("2026-10-19", -6, true),
        ] {
            let view = deadline.view(d(today), &calendar);
            assert_eq!(view.date, d("2026-10-10"), "a Saturday that is worked");
            assert_eq!((view.left, view.overdue, view.provisional), (left, overdue, false), "{today}");
            assert_eq!(deadline.view_at(d(today), 1_439, &calendar), view, "to the end of the day");
        }
    }

    #[test]
    fn a_new_notice_moves_the_date_and_nothing_else() {
        let deadline = Deadline::working_days(d("2026-12-30"), 2, "answer");
        let before = deadline.view(d("2026-12-30"), &Calendar::shipped().unwrap());
        assert_eq!((before.date, before.provisional), (d("2027-01-01"), true));
        let notice =
            "date,kind,festival\n2027-01-01,holiday,元旦\n2027-01-02,holiday,元旦\n2027-01-03,holiday,元旦\n";
        let calendar =
            Calendar::from_notices(super::super::shipped().into_iter().chain([(2027, notice)])).unwrap();
        let after = deadline.view(d("2026-12-30"), &calendar);
        assert_eq!((after.date, after.left, after.provisional), (d("2027-01-04"), 2, false));
    }

    #[test]
    fn counting_how_late_something_is_can_be_provisional_too() {
        let calendar = Calendar::shipped().unwrap();
        let view = Deadline::working_days(d("2026-12-01"), 5, "accept").view(d("2027-02-01"), &calendar);
        assert_eq!((view.date, view.overdue, view.provisional), (d("2026-12-08"), true, true));
    }

    #[test]
    fn hours_run_by_the_clock() {
        let calendar = Calendar::shipped().unwrap();
        let view = |minute, hours, today, now| {
            let v =
                Deadline::hours(d("2026-10-01"), minute, hours, "dispatch").view_at(d(today), now, &calendar);
            (v.date.to_string(), v.minute.unwrap(), v.left, v.overdue)
        };
        let on = |day: &str, minute, left, overdue| (day.to_owned(), minute, left, overdue);
        // 23:00 and two hours, on a holiday.
        assert_eq!(view(Some(1_380), 2, "2026-10-01", 1_400), on("2026-10-02", 60, 1, false));
        assert_eq!(view(Some(1_380), 2, "2026-10-02", 60), on("2026-10-02", 60, 0, false));
        assert_eq!(view(Some(1_380), 2, "2026-10-02", 61), on("2026-10-02", 60, 0, true));
        assert_eq!(view(Some(600), 24, "2026-10-02", 601), on("2026-10-02", 600, 0, true));
        // To midnight sharp: the end of that day.
        assert_eq!(view(Some(1_320), 2, "2026-10-01", 1_439), on("2026-10-01", 1_440, 0, false));
        // Not known when: from the end of the day.
        assert_eq!(view(None, 24, "2026-10-02", 1_439), on("2026-10-02", 1_440, 0, false));
        assert_eq!(view(None, 24, "2026-10-03", 0), on("2026-10-02", 1_440, -1, true));
        assert_eq!(view(Some(0), 0, "2026-10-01", 0), on("2026-10-01", 0, 0, false));
    }

    #[test]
    fn deadlines_are_stored_as_words() {
        let deadline = Deadline::working_days(d("2026-09-30"), 3, "accept");
        let text = serde_json::to_string(&deadline).unwrap();
        assert_eq!(text, r#"{"from":"2026-09-30","limit":{"working_days":3},"what":"accept"}"#);
        assert_eq!(serde_json::from_str::<Deadline>(&text).unwrap(), deadline);
    }
}
