//! Working days: which day a limit of so many working days ends on.
//!
//! Working days follow the State Council's yearly notice: weekends are free, holidays are free, and
//! make-up days (调休) on weekends are worked. The notice of a year comes out late in the year before, so
//! the invariant here: **a date is never silently guessed**. Every answer says whether it is
//! *provisional*, that is, whether it touches a year of which this calendar has no notice and knows only
//! weekends. A calendar is replicated data with a version: a deadline is shown with the calendar it was
//! computed from, and the fold only ever holds the symbolic [`Deadline`] (rule R7).

mod date;
mod deadline;

pub use date::{Date, DateError, Weekday};
pub use deadline::{Deadline, DeadlineView, Limit, Unit};

use crate::{
    codec::Writer,
    csv::{CsvReason, Table},
    ids::{Hash, hash},
    limits::NAME_BYTES_MAX,
};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// The notices that ship with the program, by year.
const SHIPPED: [(i32, &str); 7] = [
    (2020, include_str!("../data/calendar/cn-2020.csv")),
    (2021, include_str!("../data/calendar/cn-2021.csv")),
    (2022, include_str!("../data/calendar/cn-2022.csv")),
    (2023, include_str!("../data/calendar/cn-2023.csv")),
    (2024, include_str!("../data/calendar/cn-2024.csv")),
    (2025, include_str!("../data/calendar/cn-2025.csv")),
    (2026, include_str!("../data/calendar/cn-2026.csv")),
];

/// The notices that ship with the program: (year, table `date,kind,festival`).
#[must_use]
pub fn shipped() -> Vec<(i32, &'static str)> {
    SHIPPED.to_vec()
}

/// What a notice says of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DayKind {
    /// Free, whatever the weekday.
    Holiday,
    /// Worked, though a weekend.
    MakeupWorkday,
}

impl DayKind {
    /// The stable name in the tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Holiday => "holiday",
            Self::MakeupWorkday => "makeup_workday",
        }
    }
}

/// What is wrong with a row of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CalendarReason {
    /// The line is not a row of the table.
    #[error(transparent)]
    Csv(#[from] CsvReason),
    /// The header lacks a column.
    #[error("the header has no column “{0}”")]
    NoColumn(&'static str),
    /// The date is not one.
    #[error("column date: {0}")]
    Date(#[from] DateError),
    /// The date is neither in the notice's year nor in the months beside it.
    #[error("column date: the day does not belong to the year of the notice")]
    OtherYear,
    /// The kind is not one of the two.
    #[error("column kind: neither “holiday” nor “makeup_workday”")]
    Kind,
    /// The festival's name is too long or has control characters.
    #[error("column festival: longer than {NAME_BYTES_MAX} bytes or with control characters")]
    Festival,
    /// Another row, of this or another notice, names the same day.
    #[error("the day is named twice")]
    Twice,
    /// The notice of this year was given twice.
    #[error("there are two notices of this year")]
    SecondNotice,
}

/// A notice could not be read; no calendar is made of part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("notice of {year}, line {line}: {reason}")]
pub struct CalendarError {
    /// The notice's year.
    pub year: i32,
    /// Line in its text, from 1.
    pub line: usize,
    /// What is wrong there.
    #[source]
    pub reason: CalendarReason,
}

/// Whether a day is worked, and whether that is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkDay {
    /// Whether it is a working day.
    pub working: bool,
    /// The notice of its year is not in this calendar: only the weekday was looked at.
    pub provisional: bool,
}

/// The notices of some years, ready to be counted with.
#[derive(Debug, Clone)]
pub struct Calendar {
    days: BTreeMap<Date, (DayKind, String)>,
    years: BTreeSet<i32>,
    /// Days on which the notice changes what the weekday says, each with the sum of all changes up to and
    /// including it: counting is a search, never a walk.
    changes: Vec<(Date, i64)>,
    version: Hash,
}

impl Calendar {
    /// A calendar from notices, each the table `date,kind,festival` of its year. The year is stated beside
    /// the table, because a notice may move days of the December before or the January after. No notice
    /// at all is a calendar too: everything is provisional.
    ///
    /// # Errors
    /// [`CalendarError`] for the first row that cannot be read.
    pub fn from_notices<'a>(
        notices: impl IntoIterator<Item = (i32, &'a str)>,
    ) -> Result<Self, CalendarError> {
        let mut days = BTreeMap::new();
        let mut years = BTreeSet::new();
        for (year, csv) in notices {
            let bad = |line, reason| CalendarError { year, line, reason };
            if !years.insert(year) {
                return Err(bad(1, CalendarReason::SecondNotice));
            }
            let table = Table::read(csv).map_err(|e| bad(e.line, e.reason.into()))?;
            let column =
                |name| table.column(name).ok_or(bad(table.header.line, CalendarReason::NoColumn(name)));
            let (date, kind, festival) = (column("date")?, column("kind")?, column("festival")?);
            for row in &table.rows {
                let bad = |reason| bad(row.line, reason);
                let day: Date = row.field(date).parse().map_err(|e: DateError| bad(e.into()))?;
                let (y, m, _) = day.ymd();
                if y != year && (y, m) != (year - 1, 12) && (y, m) != (year + 1, 1) {
                    return Err(bad(CalendarReason::OtherYear));
                }
                let kind = [DayKind::Holiday, DayKind::MakeupWorkday]
                    .into_iter()
                    .find(|k| k.name() == row.field(kind))
                    .ok_or(bad(CalendarReason::Kind))?;
                let festival = row.field(festival);
                if festival.len() > NAME_BYTES_MAX || festival.chars().any(char::is_control) {
                    return Err(bad(CalendarReason::Festival));
                }
                if days.insert(day, (kind, festival.to_owned())).is_some() {
                    return Err(bad(CalendarReason::Twice));
                }
            }
        }
        let mut sum = 0;
        let changes = days
            .iter()
            .filter_map(|(day, (kind, _))| match (kind, day.weekday().is_weekend()) {
                (DayKind::Holiday, false) => Some((*day, -1)),
                (DayKind::MakeupWorkday, true) => Some((*day, 1)),
                _ => None,
            })
            .map(|(day, change)| {
                sum += change;
                (day, sum)
            })
            .collect();
        let version = version_of(&years, &days);
        Ok(Self { days, years, changes, version })
    }

    /// The calendar of the notices that ship with the program.
    ///
    /// # Errors
    /// Never for the shipped files (a test reads them); an error rather than a panic all the same.
    pub fn shipped() -> Result<Self, CalendarError> {
        Self::from_notices(SHIPPED)
    }

    /// The hash of what the calendar says. Equal for equal content, whatever the order, the line ends or
    /// the quoting of the tables were. Steps pin it.
    #[must_use]
    pub fn version(&self) -> Hash {
        self.version
    }

    /// The years whose notice is in.
    pub fn years(&self) -> impl Iterator<Item = i32> {
        self.years.iter().copied()
    }

    /// Whether the notice of `year` is in.
    #[must_use]
    pub fn covers(&self, year: i32) -> bool {
        self.years.contains(&year)
    }

    /// What the notice says of a day, with the festival's name.
    #[must_use]
    pub fn notice_of(&self, date: Date) -> Option<(DayKind, &str)> {
        self.days.get(&date).map(|(kind, festival)| (*kind, festival.as_str()))
    }

    /// Whether `date` is worked.
    #[must_use]
    pub fn is_working_day(&self, date: Date) -> WorkDay {
        let working = match self.days.get(&date) {
            Some((kind, _)) => *kind == DayKind::MakeupWorkday,
            None => !date.weekday().is_weekend(),
        };
        WorkDay { working, provisional: !self.covers(date.year()) }
    }

    /// The `n`-th working day after `from`, and whether any day on the way is provisional.
    ///
    /// `from` itself does not count (Civil Code, article 201); zero working days end on `from`, worked or
    /// not. Past the last day a [`Date`] can be, that day.
    #[must_use]
    pub fn add_working_days(&self, from: Date, n: u32) -> (Date, bool) {
        let to = if n == 0 { from } else { self.nth_after(from, i64::from(n)) };
        (to, self.is_provisional(from, to))
    }

    /// How many working days lie after `a` up to and including `b`; negative when `b` is before `a`.
    #[must_use]
    pub fn working_days_between(&self, a: Date, b: Date) -> i64 {
        self.index(b) - self.index(a)
    }

    /// Whether a day after the earlier of the two up to and including the later one is in a year whose
    /// notice is not in.
    #[must_use]
    pub fn is_provisional(&self, a: Date, b: Date) -> bool {
        let (first, last) = (a.min(b).plus_days(1), a.max(b));
        first <= last && (first.year()..=last.year()).any(|y| !self.covers(y))
    }

    /// Working days up to and including `date`, from a fixed day on: differences are counts.
    fn index(&self, date: Date) -> i64 {
        let weeks = date.days_since_monday_1969();
        let weekdays = weeks.div_euclid(7) * 5 + (weeks.rem_euclid(7) + 1).min(5);
        let upto = self.changes.partition_point(|(day, _)| *day <= date);
        let changed = upto.checked_sub(1).and_then(|last| self.changes.get(last)).map_or(0, |(_, sum)| *sum);
        weekdays + changed
    }

    /// The first day whose index is `n` above that of `from`. The index never falls, so it can be searched.
    fn nth_after(&self, from: Date, n: i64) -> Date {
        let target = self.index(from) + n;
        let mut low = from;
        let mut step = n / 5 * 7 + 14;
        let mut high = from.plus_days(step);
        while self.index(high) < target {
            if high == Date::MAX {
                return Date::MAX;
            }
            low = high;
            step *= 2;
            high = high.plus_days(step);
        }
        // index(low) < target ≤ index(high)
        while low.plus_days(1) < high {
            let middle = low.plus_days(low.days_until(high) / 2);
            if self.index(middle) < target { low = middle } else { high = middle }
        }
        high
    }
}

fn version_of(years: &BTreeSet<i32>, days: &BTreeMap<Date, (DayKind, String)>) -> Hash {
    let mut w = Writer::new();
    w.uint(years.len() as u64);
    years.iter().for_each(|y| {
        w.int(i64::from(*y));
    });
    w.uint(days.len() as u64);
    for (day, (kind, festival)) in days {
        w.int(day.days()).str(kind.name()).str(festival);
    }
    Hash(hash("yishi/calendar/1", &[&w.0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn d(s: &str) -> Date {
        s.parse().unwrap()
    }

    fn calendar() -> Calendar {
        Calendar::shipped().unwrap()
    }

    /// Day by day, straight from the definition: what the search must agree with.
    fn walk(calendar: &Calendar, from: Date, n: u32) -> Date {
        let mut at = from;
        let mut left = n;
        while left > 0 {
            at = at.plus_days(1);
            left -= u32::from(calendar.is_working_day(at).working);
        }
        at
    }

    #[test]
    fn the_shipped_notices_are_read() {
        let c = calendar();
        assert_eq!(c.years().collect::<Vec<_>>(), (2020..=2026).collect::<Vec<_>>());
        assert!(!c.covers(2027) && !c.covers(2019));
        assert_eq!(c.days.len(), 36 + 38 + 39 + 35 + 36 + 33 + 39, "rows of the files");
        // A make-up day is a weekend, or it would make up for nothing.
        let makeup = |(_, (k, _)): &(&Date, &(DayKind, String))| *k == DayKind::MakeupWorkday;
        assert!(c.days.iter().filter(makeup).all(|(day, _)| day.weekday().is_weekend()));
    }

    #[test]
    fn the_notice_of_2026() {
        let c = calendar();
        let made_up: Vec<_> = c
            .days
            .iter()
            .filter(|(day, (k, _))| day.year() == 2026 && *k == DayKind::MakeupWorkday)
            .map(|(day, _)| day.to_string())
            .collect();
        assert_eq!(
            made_up,
            ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"]
        );
        for day in made_up {
            assert_eq!(c.is_working_day(d(&day)), WorkDay { working: true, provisional: false }, "{day}");
        }
        assert!(!c.is_working_day(d("2026-02-23")).working, "a Monday of the Spring Festival");
        assert!(!c.is_working_day(d("2026-01-10")).working, "a plain Saturday");
        assert_eq!(c.notice_of(d("2026-06-19")), Some((DayKind::Holiday, "Dragon Boat Festival")));
    }

    #[test]
    fn national_days() {
        let c = calendar();
        // 2025: 1 to 8 October free, Saturday 11 worked, Sunday 28 September worked.
        assert_eq!(c.add_working_days(d("2025-09-30"), 1), (d("2025-10-09"), false));
        assert_eq!(c.add_working_days(d("2025-09-30"), 3), (d("2025-10-11"), false));
        assert_eq!(c.add_working_days(d("2025-09-26"), 1), (d("2025-09-28"), false));
        assert_eq!(c.working_days_between(d("2025-09-30"), d("2025-10-08")), 0);
        // 2026: 1 to 7 October free, Saturday 10 worked, Sunday 20 September worked.
        assert_eq!(c.add_working_days(d("2026-09-30"), 1), (d("2026-10-08"), false));
        assert_eq!(c.add_working_days(d("2026-09-30"), 3), (d("2026-10-10"), false));
        assert_eq!(c.add_working_days(d("2026-10-03"), 1), (d("2026-10-08"), false), "from a holiday");
        assert_eq!(c.working_days_between(d("2026-09-18"), d("2026-09-20")), 1);
        // Working days of the whole year: 365 − 104 weekend days − 19 holidays on weekdays + 6 made up.
        assert_eq!(c.working_days_between(d("2025-12-31"), d("2026-12-31")), 248);
    }

    #[test]
    fn a_year_without_notice_is_provisional() {
        let c = calendar();
        assert_eq!(c.is_working_day(d("2027-01-01")), WorkDay { working: true, provisional: true });
        assert_eq!(c.is_working_day(d("2027-10-03")), WorkDay { working: false, provisional: true });
        assert_eq!(c.add_working_days(d("2026-12-30"), 1), (d("2026-12-31"), false));
        assert_eq!(c.add_working_days(d("2026-12-30"), 2), (d("2027-01-01"), true));
        assert_eq!(c.add_working_days(d("2026-12-31"), 0), (d("2026-12-31"), false));
        assert_eq!(c.add_working_days(d("2019-12-31"), 1), (d("2020-01-02"), false), "counts 2020 only");
        let none = Calendar::from_notices([]).unwrap();
        assert_eq!(none.add_working_days(d("2026-09-30"), 1), (d("2026-10-01"), true));
    }

    #[test]
    fn a_version_is_the_content() {
        let c = calendar();
        // Golden: pinned by signed steps, so it must never change for these notices.
        assert_eq!(
            c.version().to_string(),
            "527c39191f2a4b3c62918ead94af1f06b3e22c9366ddaa71e72d5b2f63edf346"
        );
        let mut backwards: Vec<_> = shipped();
        backwards.reverse();
        let windows: Vec<_> =
            backwards.iter().map(|(y, t)| (*y, format!("\u{feff}{}", t.replace('\n', "\r\n")))).collect();
        let again = Calendar::from_notices(windows.iter().map(|(y, t)| (*y, t.as_str()))).unwrap();
        assert_eq!(again.version(), c.version());
        let fewer = Calendar::from_notices(shipped().into_iter().skip(1)).unwrap();
        assert_ne!(fewer.version(), c.version());
    }

    #[test]
    fn bad_notices_name_their_line() {
        let fails = |rows: &str| {
            let e =
                Calendar::from_notices([(2026, format!("date,kind,festival\n{rows}").as_str())]).unwrap_err();
            (e.line, e.reason)
        };
        assert_eq!(fails("2026-02-30,holiday,x\n"), (2, CalendarReason::Date(DateError::NoSuchDay)));
        assert_eq!(fails("\n2025-02-03,holiday,x\n"), (3, CalendarReason::OtherYear));
        assert_eq!(fails("2026-02-03,free,x\n"), (2, CalendarReason::Kind));
        assert_eq!(fails("2026-02-03,holiday,x\n2026-02-03,holiday,x\n"), (3, CalendarReason::Twice));
        assert_eq!(fails("2026-02-03,holiday\n").0, 2);
        assert_eq!(
            Calendar::from_notices([(2026, "date,festival\n")]).unwrap_err().reason,
            CalendarReason::NoColumn("kind")
        );
        let two = Calendar::from_notices([(2026, "date,kind,festival\n"), (2026, "date,kind,festival\n")]);
        assert_eq!(two.unwrap_err().reason, CalendarReason::SecondNotice);
        let beside = Calendar::from_notices([(2026, "date,kind,festival\n2025-12-31,holiday,x\n")]).unwrap();
        assert!(!beside.covers(2025) && !beside.is_working_day(d("2025-12-31")).working);
    }

    #[test]
    fn the_ends_of_time_hold() {
        let c = calendar();
        assert_eq!(c.add_working_days(Date::MAX, 1).0, Date::MAX);
        assert_eq!(c.add_working_days(Date::MIN, u32::MAX).0, Date::MAX);
    }

    proptest! {
        #[test]
        fn the_search_agrees_with_the_walk(from in 18_000i64..21_500, n in 0u32..400) {
            let c = calendar();
            let from = Date::from_days(from).unwrap();
            let (to, _) = c.add_working_days(from, n);
            prop_assert_eq!(to, walk(&c, from, n));
            prop_assert_eq!(c.working_days_between(from, to), i64::from(n));
            prop_assert_eq!(c.working_days_between(to, from), -i64::from(n));
        }
    }
}
