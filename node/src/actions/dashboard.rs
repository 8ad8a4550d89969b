//! The dashboard of a place over others: what is stuck, where, for how long, and of whom nothing is known.
//!
//! Everything is read from counts and short walks of an index (`store/standings.rs`, `store/tally.rs`): the cost
//! follows the number of places and weeks, not of matters. What was raised, replied to and closed stands with the
//! place that registered it; what is open and late with the one that holds it. Answers, refusals and closings stand
//! apart everywhere: they are never one sum.

use super::{
    ActionError, Actions, Sketch,
    below::Below,
    day_text,
    matter_view::Viewer,
    views::{
        CategoryView, DashboardView, FlowView, HeardOf, LateView, Page, RowView, StandingView, WeekView,
    },
};
use crate::store::{Counted, Late, Matters, StandingQuery, StandingRow, What};
use serde::Deserialize;
use std::collections::BTreeMap;
use yishi_protocol::{
    calendar::Date,
    fold::frame::Stage,
    ids::{DocId, PlaceId},
};

/// Weeks shown: a quarter.
const WEEKS: i64 = 12;
/// Matters in the list of the longest waits.
const LONGEST: u32 = 10;
/// Places named that were not heard from; how many there are is told in full.
const SILENT_MAX: usize = 200;

/// What a list behind a figure shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct StandingsQuery {
    /// `waiting`, `open`, `late`, `due`, `raised`, `answered`, `refused`, `closed` or `broken`.
    pub view: String,
    /// A place: itself and all below it; this place means itself alone.
    pub place: String,
    /// From this day on, of the day the list is ordered by.
    pub from: String,
    /// Before this day.
    pub before: String,
    /// A category; `-` for matters without one.
    pub category: String,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// The Monday of a day's week.
fn monday(day: i64) -> i64 {
    day - (day + 3).rem_euclid(7)
}

impl FlowView {
    fn add(&mut self, what: What, n: u64) {
        let to = match what {
            What::Raised => &mut self.raised,
            What::Answered => &mut self.answered,
            What::Refused => &mut self.refused,
            What::Closed => &mut self.closed,
        };
        *to += n;
    }
}

impl LateView {
    fn add(&mut self, late: &Late) {
        self.late += late.matters - late.unknown.min(late.matters);
        self.unknown += late.unknown;
    }

    fn any(&self) -> bool {
        self.late + self.unknown > 0
    }
}

/// The weeks shown, and how days fall into them.
struct Weeks {
    first: i64,
    today: i64,
}

impl Weeks {
    fn until(today: i64) -> Self {
        Self { first: monday(today) - 7 * (WEEKS - 1), today }
    }

    fn mondays(&self) -> impl Iterator<Item = i64> {
        let first = self.first;
        (0..WEEKS).map(move |n| first + 7 * n)
    }

    fn position(&self, monday: i64) -> Option<usize> {
        usize::try_from((monday - self.first).div_euclid(7)).ok().filter(|at| *at < WEEKS as usize)
    }

    /// What counts as being heard from of late: today or yesterday, as in supervision.
    fn lately(&self) -> i64 {
        self.today - 1
    }
}

impl Actions {
    /// The dashboard as of today.
    ///
    /// # Errors
    /// [`ActionError`] when the database cannot be read.
    pub async fn dashboard(&self) -> Result<DashboardView, ActionError> {
        let world = self.world();
        let viewer = self.viewer(&world);
        let weeks = Weeks::until(self.today());
        let store = self.store();
        let below = self.below().await?;
        let counted = store.counted_since(weeks.first).await?;
        let late = store.late(weeks.first, weeks.today, &below.days()).await?;
        let open = store.open_by_holder().await?;
        let late_categories = store.late_by_category(weeks.today).await?;
        let broken = store.broken_by_home().await?;
        let longest = StandingQuery { matters: Matters::Waiting, limit: LONGEST, ..StandingQuery::default() };
        let longest = store.standings(&longest).await?.rows;
        let mut all_late = LateView::default();
        late.iter().for_each(|l| all_late.add(l));
        let mut silent: Vec<_> =
            below.iter().filter(|(_, p)| p.heard.is_none_or(|day| day < weeks.lately())).collect();
        silent.sort_by_key(|(_, p)| p.heard);
        let named = silent.iter().take(SILENT_MAX).map(|(id, p)| (viewer.place(id), p.heard.map(day_text)));
        let leaves = || below.iter().filter(|(_, p)| p.is_leaf);
        Ok(DashboardView {
            day: day_text(weeks.today),
            heard: below.heard_since(weeks.lately(), None),
            villages: leaves().all(|(id, _)| viewer.place(id).level == "village"),
            silent: named.collect(),
            open: open.values().sum(),
            late: all_late,
            broken: broken.values().sum(),
            weeks: by_week(&weeks, &counted, &late, &below),
            places: by_place(&weeks, &viewer, &below, &counted, &late, &open),
            categories: by_category(&counted, late_categories),
            longest: self.standing_views(&viewer, &below, longest).await?,
        })
    }

    /// One page of the matters or stubs behind a figure.
    ///
    /// # Errors
    /// [`ActionError`] for a filter that is not offered, or when the database cannot be read.
    pub async fn standings(
        &self,
        query: &StandingsQuery,
        limit: u32,
    ) -> Result<Page<StandingView>, ActionError> {
        let world = self.world();
        let viewer = self.viewer(&world);
        let below = self.below().await?;
        let today = self.today();
        let (matters, by_holder) = match query.view.as_str() {
            "" | "waiting" => (Matters::Waiting, false),
            "open" => (Matters::Open, true),
            "late" | "due" => (Matters::Due, true),
            "raised" => (Matters::Raised, false),
            "answered" => (Matters::Answered, false),
            "refused" => (Matters::Refused, false),
            "closed" => (Matters::Closed, false),
            "broken" => (Matters::Broken, false),
            _ => return Err(not_offered("view")),
        };
        let from = day_of(&query.from, "from")?;
        let mut before = day_of(&query.before, "before")?;
        if query.view == "late" {
            before = Some(before.map_or(today, |day| day.min(today)));
        }
        let places = match query.place.trim() {
            "" => None,
            named => {
                let place = self.find_place(named)?;
                Some(match below.get(&place) {
                    Some(p) if p.child == place => below.under(&place),
                    _ => vec![place],
                })
            }
        };
        let (homes, holders) = if by_holder { (None, places) } else { (places, None) };
        let category = Some(query.category.trim()).filter(|c| !c.is_empty());
        let asked = StandingQuery {
            matters,
            from,
            before,
            homes,
            holders,
            category: category.map(|c| if c == "-" { String::new() } else { c.to_owned() }),
            limit,
            after: query.cursor.clone(),
        };
        let page = self.store().standings(&asked).await?;
        let items = self.standing_views(&viewer, &below, page.rows).await?;
        Ok(Page { items, next_cursor: page.next })
    }

    async fn standing_views(
        &self,
        viewer: &Viewer<'_>,
        below: &Below,
        rows: Vec<StandingRow>,
    ) -> Result<Vec<StandingView>, ActionError> {
        let here: Vec<DocId> = rows.iter().filter(|r| r.here).map(|r| r.matter).collect();
        let known = self.store().matters_of(&here).await?;
        let known: BTreeMap<DocId, Sketch> =
            known.iter().filter_map(|m| Some((m.doc, serde_json::from_str(&m.detail).ok()?))).collect();
        Ok(rows.iter().map(|row| standing(viewer, below, row, known.get(&row.matter))).collect())
    }
}

fn not_offered(field: &'static str) -> ActionError {
    ActionError::invalid(
        field,
        format!("“{field}” has a value that is not offered. Nothing was changed. Go back to the dashboard."),
        format!("“{field}”的取值不在可选范围内，没有改动任何内容。请回到看板重新点开。"),
    )
}

fn day_of(text: &str, field: &'static str) -> Result<Option<i64>, ActionError> {
    match text.trim() {
        "" => Ok(None),
        day => day.parse::<Date>().map(|d| Some(d.days())).map_err(|_| not_offered(field)),
    }
}

fn by_week(weeks: &Weeks, counted: &Counted, late: &[Late], below: &Below) -> Vec<WeekView> {
    let mut all: Vec<WeekView> = weeks
        .mondays()
        .map(|monday| WeekView {
            monday: day_text(monday),
            flow: FlowView::default(),
            late: LateView::default(),
            heard: below.heard_since(monday, None),
        })
        .collect();
    for ((what, monday), n) in &counted.weeks {
        if let Some(week) = weeks.position(*monday).and_then(|at| all.get_mut(at)) {
            week.flow.add(*what, *n);
        }
    }
    for one in late {
        let at = one.week.and_then(|monday| weeks.position(monday));
        if let Some(week) = at.and_then(|at| all.get_mut(at)) {
            week.late.add(one);
        }
    }
    all
}

fn by_place(
    weeks: &Weeks,
    viewer: &Viewer<'_>,
    below: &Below,
    counted: &Counted,
    late: &[Late],
    open: &BTreeMap<PlaceId, u64>,
) -> Vec<RowView> {
    let directory = &viewer.world.directory;
    let me = viewer.world.me.place;
    let mut rows: BTreeMap<PlaceId, RowView> = BTreeMap::new();
    let row = |place: PlaceId| {
        let known = below.get(&place);
        let heard = |since| match known {
            Some(_) => below.heard_since(since, Some(&place)),
            // Of itself a place always knows.
            None => HeardOf { heard: 1, expected: 1 },
        };
        RowView {
            place: viewer.place(&place),
            below: known.is_some(),
            last_heard: known.and_then(|p| p.heard).map(day_text),
            heard: heard(weeks.lately()),
            flow: FlowView::default(),
            open: 0,
            late: LateView::default(),
            earlier: LateView::default(),
            weeks: weeks.mondays().map(|monday| (LateView::default(), heard(monday))).collect(),
        }
    };
    rows.extend(below.children().map(|child| (child, row(child))));
    // A place that was merged into another stands with it; one that is not below stands by itself.
    let under = |place: &PlaceId| {
        let place = directory.stands_in(place);
        below.get(&place).map_or(place, |p| p.child)
    };
    for ((what, place), n) in &counted.places {
        let at = under(place);
        rows.entry(at).or_insert_with(|| row(at)).flow.add(*what, *n);
    }
    for (place, n) in open {
        let at = under(place);
        rows.entry(at).or_insert_with(|| row(at)).open += n;
    }
    for one in late {
        let at = under(&one.place);
        let to = rows.entry(at).or_insert_with(|| row(at));
        to.late.add(one);
        match one.week.map(|monday| weeks.position(monday)) {
            Some(Some(at)) => {
                if let Some((cell, _)) = to.weeks.get_mut(at) {
                    cell.add(one);
                }
            }
            _ => to.earlier.add(one),
        }
    }
    let mut rows: Vec<RowView> = rows.into_values().collect();
    rows.retain(|r| {
        r.below || r.open > 0 || r.late.any() || (r.place.id == me && r.flow != FlowView::default())
    });
    rows.sort_by_key(|r| (!r.below, std::cmp::Reverse((r.late.late, r.late.unknown)), r.place.code.clone()));
    rows
}

fn by_category(counted: &Counted, late: BTreeMap<String, u64>) -> Vec<CategoryView> {
    let mut all: BTreeMap<String, CategoryView> = BTreeMap::new();
    let blank =
        |category: &str| CategoryView { category: category.to_owned(), flow: FlowView::default(), late: 0 };
    for ((what, category), n) in &counted.categories {
        all.entry(category.clone()).or_insert_with(|| blank(category)).flow.add(*what, *n);
    }
    for (category, n) in late {
        all.entry(category.clone()).or_insert_with(|| blank(&category)).late += n;
    }
    let mut all: Vec<CategoryView> = all.into_values().collect();
    all.retain(|c| c.late > 0 || c.flow != FlowView::default());
    all.sort_by_key(|c| std::cmp::Reverse((c.flow.raised, c.late)));
    all
}

fn standing(viewer: &Viewer<'_>, below: &Below, row: &StandingRow, known: Option<&Sketch>) -> StandingView {
    let holder = row.holder.map(|h| viewer.world.directory.stands_in(&h));
    let told = below.get(holder.as_ref().unwrap_or(&row.home)).map(|p| p.heard.unwrap_or(-1));
    let over = row.due.filter(|due| !row.closed && *due < viewer.today);
    let unknown = match (told, over) {
        (Some(heard), Some(due)) => heard <= due,
        (Some(heard), None) => !row.closed && heard < viewer.today - 1,
        (None, _) => false,
    };
    let days_over = over.and_then(|due| Some((Date::from_days(due)?, Date::from_days(viewer.today)?)));
    let stage = Stage::from_name(&row.stage);
    StandingView {
        id: row.matter,
        here: row.here,
        number: row.number.clone().unwrap_or_default(),
        title: known.map(|s| s.title.clone()),
        category: row.category.clone(),
        home: viewer.place(&row.home),
        holder: holder.map(|h| viewer.place(&h)),
        stage: row.stage.clone(),
        stage_zh: stage.map_or_else(|| row.stage.clone(), |s| s.zh().to_owned()),
        raised: row.raised.map(day_text),
        days: row.raised.map_or(0, |day| (viewer.today - day).max(0)),
        moved: day_text(row.moved),
        answered: row.answered.map(day_text),
        refused: row.refused.map(day_text),
        due: row.due.map(day_text),
        days_over: days_over
            .map_or(0, |(due, today)| viewer.calendar.working_days_between(due, today).max(1)),
        open: !row.closed,
        unknown,
        violations: row.violations,
        rules: known.map(|s| s.violations.iter().map(|v| v.rule.clone()).collect()).unwrap_or_default(),
    }
}
