//! 收件: what waits for this place, for those it waits for, and what is with the places below, in views.
//!
//! A view says whose turn it is; filters narrow it. Counts stop where nobody counts any more
//! ([`COUNTED_MAX`](crate::store::COUNTED_MAX)).

use super::{
    ActionError, Actions, Sketch,
    find::{SOON_WORKING_DAYS, page_limit, unknown_filter},
    instant_text,
    views::{MatterSummary, PlaceView},
};
use crate::store::{Due, InboxQuery, InboxSort, MatterPage, Phase, Whose};
use std::collections::BTreeMap;
use yishi_protocol::{
    calendar::Date,
    ids::{DocId, PlaceId},
};

/// A place directly below is quiet once nothing was heard from it since the day before yesterday.
const QUIET_DAYS: i64 = 1;

/// Whose turn it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InboxView {
    /// 待受理: came here and was not taken up.
    #[default]
    Arrived,
    /// 在办: taken up here.
    Working,
    /// 快到期: of both, due within days.
    Soon,
    /// 超期: of both, past their day.
    Overdue,
    /// 待告知: answered, not told to whoever raised it.
    Untold,
    /// 上报等答复: passed up.
    Above,
    /// 村里交来的: held here, registered elsewhere.
    Below,
    /// Everything held here that is not replied to.
    Held,
    /// Everything open that one place registered, whoever holds it.
    Home,
}

impl InboxView {
    /// All of them, in the order of a morning's work.
    pub const ALL: [Self; 9] = [
        Self::Arrived,
        Self::Overdue,
        Self::Soon,
        Self::Working,
        Self::Untold,
        Self::Above,
        Self::Below,
        Self::Held,
        Self::Home,
    ];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Working => "working",
            Self::Soon => "soon",
            Self::Overdue => "overdue",
            Self::Untold => "untold",
            Self::Above => "above",
            Self::Below => "below",
            Self::Held => "held",
            Self::Home => "home",
        }
    }

    /// The view of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.name() == name)
    }
}

/// What an inbox is asked for.
#[derive(Debug, Clone, Default)]
pub struct InboxAsked {
    /// The view.
    pub view: InboxView,
    /// Words in number, title or text.
    pub words: Option<String>,
    /// A category.
    pub category: Option<String>,
    /// The place that registered it.
    pub home: Option<String>,
    /// The unit it was given to; empty for what nobody was given.
    pub unit: Option<String>,
    /// And the person there.
    pub person: Option<String>,
    /// `overdue` or `soon`.
    pub due: Option<String>,
    /// `due` (default), `newest` or `number`.
    pub sort: Option<String>,
    /// 1 to 500.
    pub limit: Option<u32>,
    /// From [`InboxPage::next`].
    pub cursor: Option<String>,
}

/// A matter in an inbox.
#[derive(Debug, Clone, PartialEq)]
pub struct InboxRow {
    /// The matter.
    pub matter: MatterSummary,
    /// The unit it was given to.
    pub unit: Option<String>,
    /// And the person there: member id.
    pub person: Option<String>,
}

/// One page of an inbox.
#[derive(Debug, Clone, PartialEq)]
pub struct InboxPage {
    /// The rows.
    pub rows: Vec<InboxRow>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// A place directly below, as its parent sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BelowView {
    /// The place.
    pub place: PlaceView,
    /// Open matters it registered that are here.
    pub open: u64,
    /// Whether its line is up now.
    pub up: bool,
    /// When it was last heard from.
    pub last_contact: Option<String>,
    /// Whether it has been quiet so long that what it has is not known.
    pub quiet: bool,
    /// Entries that are to go to it and have not arrived.
    pub held_back: u64,
}

/// How much there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboxCounts {
    /// Per view, in the order of [`InboxView::ALL`]; none for [`InboxView::Home`].
    pub views: Vec<(&'static str, u64)>,
    /// Per unit.
    pub units: Vec<(String, u64)>,
    /// Per person, by member id, of the unit asked for.
    pub persons: Vec<(String, u64)>,
    /// The places directly below.
    pub below: Vec<BelowView>,
}

impl Actions {
    /// The places this one works for: itself and those merged into it.
    fn held_by_us(&self) -> Whose {
        let world = self.world();
        Whose::Held(std::iter::once(world.me.place).chain(world.acts_for()).collect())
    }

    fn inbox_view(&self, view: InboxView, home: Option<PlaceId>, limit: u32) -> InboxQuery {
        let world = self.world();
        let whose = match (view, home) {
            (InboxView::Untold, _) => Whose::Untold,
            (InboxView::Above, _) => Whose::Held(world.directory.ancestors(&world.me.cert)),
            (InboxView::Home, Some(home)) => Whose::Home(home),
            _ => self.held_by_us(),
        };
        let mut query = InboxQuery::of(whose, limit);
        query.phases = match view {
            InboxView::Arrived => vec![Phase::Arrived],
            InboxView::Working => vec![Phase::Working],
            InboxView::Above | InboxView::Soon | InboxView::Overdue | InboxView::Below | InboxView::Held => {
                vec![Phase::Arrived, Phase::Working]
            }
            InboxView::Untold | InboxView::Home => Vec::new(),
        };
        query.due = match view {
            InboxView::Soon => Some(self.soon()),
            InboxView::Overdue => Some(self.overdue()),
            _ => None,
        };
        query.not_home = (view == InboxView::Below).then_some(world.me.place);
        query
    }

    fn day(&self) -> Date {
        Date::from_days(self.today()).unwrap_or(Date::MIN)
    }

    fn overdue(&self) -> Due {
        Due::Before(self.day().to_string())
    }

    fn soon(&self) -> Due {
        let last = self.calendar().add_working_days(self.day(), SOON_WORKING_DAYS).0;
        Due::Between(self.day().to_string(), last.to_string())
    }

    /// One page of the inbox.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] names the filter that is wrong; [`ActionError::UnknownPlace`] a place that is none.
    pub async fn inbox(&self, asked: InboxAsked) -> Result<InboxPage, ActionError> {
        let filled = |text: Option<String>| text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        let home = filled(asked.home).map(|h| self.find_place(&h)).transpose()?;
        let mut query = self.inbox_view(asked.view, home, page_limit(asked.limit)?);
        query.home = home;
        query.unit = asked.unit;
        query.person = filled(asked.person);
        query.category = filled(asked.category);
        query.words = filled(asked.words);
        match filled(asked.due).as_deref() {
            None => {}
            Some("overdue") => query.due = Some(self.overdue()),
            Some("soon") => query.due = Some(self.soon()),
            Some(_) => return Err(unknown_filter("due")),
        }
        query.sort = match filled(asked.sort).as_deref() {
            None | Some("due") => InboxSort::Due,
            Some("newest") => InboxSort::Newest,
            Some("number") => InboxSort::Number,
            Some(_) => return Err(unknown_filter("sort")),
        };
        query.after = filled(asked.cursor);
        let MatterPage { rows, next } = self.store().inbox(&query).await?;
        let docs: Vec<DocId> = rows.iter().map(|r| r.doc).collect();
        let stored_up = self.store().stored_up(&docs).await?;
        let audiences: BTreeMap<DocId, _> = self.store().audiences(&docs).await?;
        let world = self.world();
        let viewer = self.viewer(&world);
        let rows = rows.into_iter().filter_map(|row| {
            // A row of a newer program is left out of lists; the matter itself can still be opened.
            let sketch: Sketch = serde_json::from_str(&row.detail).ok()?;
            let audience = audiences.get(&row.doc)?;
            let stored = viewer.stored(audience, stored_up.get(&row.doc).copied().unwrap_or(0));
            let matter = viewer.summary(row.doc, &sketch, stored, row.updated_at_ms);
            Some(InboxRow { matter, unit: row.unit, person: row.person })
        });
        Ok(InboxPage { rows: rows.collect(), next })
    }

    /// How much there is in each view, with each unit and the persons of one, and of each place below.
    ///
    /// # Errors
    /// [`ActionError`] when the database cannot be read.
    pub async fn inbox_counts(&self, unit: Option<&str>) -> Result<InboxCounts, ActionError> {
        let me = self.world().me.place;
        let below = self.places_below().await?;
        let views = InboxView::ALL.into_iter().filter(|v| *v != InboxView::Home);
        let names: Vec<&'static str> = views.clone().map(InboxView::name).collect();
        let mut queries: Vec<InboxQuery> = views.map(|v| self.inbox_view(v, None, 1)).collect();
        queries.extend(below.iter().map(|b| InboxQuery::of(Whose::Home(b.place.id), 1)));
        let counts = self.store().inbox_counts(&queries).await?;
        let (of_views, of_places) = counts.split_at(names.len().min(counts.len()));
        let counted = |(mut b, n): (BelowView, &u64)| {
            b.open = *n;
            b
        };
        Ok(InboxCounts {
            views: names.into_iter().zip(of_views.iter().copied()).collect(),
            units: self.store().inbox_units(me).await?,
            persons: match unit {
                Some(unit) => self.store().inbox_persons(me, unit).await?,
                None => Vec::new(),
            },
            below: below.into_iter().zip(of_places).map(counted).collect(),
        })
    }

    /// The places directly below with their lines, by code; without counts.
    async fn places_below(&self) -> Result<Vec<BelowView>, ActionError> {
        let world = self.world();
        let viewer = self.viewer(&world);
        let mut below = Vec::new();
        for link in self.store().link_states().await?.into_iter().filter(|l| !l.up && !l.closed) {
            let up = self.link_now(&link).await?.state == "up";
            let heard = link.last_contact_ms.max(link.last_in_step_ms);
            let since = heard.map(|ms| self.today() - crate::clock::day_of_ms(ms));
            below.push(BelowView {
                place: viewer.place(&link.peer),
                open: 0,
                up,
                last_contact: heard.map(instant_text),
                quiet: !up && since.is_none_or(|days| days > QUIET_DAYS),
                held_back: link.out_seq.saturating_sub(link.out_acked),
            });
        }
        below.sort_by(|a, b| a.place.code.cmp(&b.place.code));
        Ok(below)
    }
}
