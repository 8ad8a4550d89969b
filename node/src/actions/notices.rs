//! 通知: what a place makes known to those below: announcements, directives, topics to deliberate, resources on offer.
//!
//! One document for each, for all places below or for some of them. It is written after it was shown whom it
//! reaches; a new version replaces the old one, which stays readable; taken back it holds no longer.

use super::{
    ActionError, Actions, By,
    author::Draft,
    day_text,
    find::page_limit,
    numbers::Numbers,
    views::{AnnouncementView, Page, StagedAnnouncementView, VersionView},
    words::{optional_short, required, short},
};
use crate::store::{AnnouncementQuery, AnnouncementRow, OpeningRow, WordRows, World};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use yishi_protocol::{
    act::{Act, Word},
    audience::Reach,
    calendar::Date,
    fold::notice::{Notice, SORTS},
    ids::{DocId, PlaceId},
    kind::Kind,
    limits::HEADER_GRANTS_MAX,
};

/// Something to be made known.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnounceRequest {
    /// `announcement`, `directive`, `topic` or `resource`; an announcement if it is not said.
    pub sort: Option<String>,
    /// A line that names it.
    pub title: String,
    /// The words.
    pub text: String,
    /// What it is about.
    pub category: Option<String>,
    /// The last day it holds.
    pub until: Option<Date>,
    /// The places it is for, each with all below it; everything below this place if none is named.
    #[serde(default)]
    pub to: Vec<String>,
    /// The announcement it replaces, by its id.
    pub replaces: Option<String>,
    /// `keep`: what looks like a number of a person is none.
    #[serde(default)]
    pub numbers: Numbers,
}

/// Why an announcement holds no longer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecallRequest {
    /// Why.
    pub reason: String,
}

/// Which announcements.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AnnouncementsQuery {
    /// One of the sorts.
    pub sort: Option<String>,
    /// `yes`: also those that are over or were taken back.
    pub all: Option<String>,
    /// How many.
    pub limit: Option<u32>,
    /// Where to go on.
    pub cursor: Option<String>,
}

/// What is to be announced, read and checked.
struct Announcement {
    what: Word,
    reach: Vec<Reach>,
    to: Vec<PlaceId>,
    replaces: Option<DocId>,
}

impl Actions {
    /// What announcing would do: whom it reaches. Nothing is written.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] names the field that is wrong.
    pub async fn stage_announcement(
        &self,
        request: &AnnounceRequest,
    ) -> Result<StagedAnnouncementView, ActionError> {
        let world = self.world();
        let read = self.announcement_of(&world, request).await?;
        let named: BTreeSet<PlaceId> = read.to.iter().copied().collect();
        let reached = world.directory.places().filter(|(place, _)| {
            let above = world.directory.place_ancestors(place);
            *place != world.me.place && (named.contains(place) || above.iter().any(|p| named.contains(p)))
        });
        let viewer = self.viewer(&world);
        let resource = matches!(&read.what, Word::Announce { sort, .. } if sort == "resource");
        let open_matters = match (&request.category, resource) {
            (Some(category), true) => Some(self.store().open_of_category(category).await?),
            _ => None,
        };
        Ok(StagedAnnouncementView {
            places: reached.count() as u64,
            to: read.to.iter().map(|p| viewer.place(p)).collect(),
            open_matters,
        })
    }

    /// Makes something known.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] names the field that is wrong; nothing is kept then.
    pub async fn announce(
        &self,
        by: By<'_>,
        request: &AnnounceRequest,
    ) -> Result<AnnouncementView, ActionError> {
        let world = self.world();
        let Announcement { what, reach, replaces, .. } = self.announcement_of(&world, request).await?;
        let locked = self.lock(replaces).await;
        let mut draft = match replaces {
            Some(doc) => self.draft(&doc).await?,
            None => Draft::create_for(&world, Kind::Notice, reach, self.nonce())?,
        };
        let mut batch = self.dated_batch()?;
        draft.act("words", Act { prev: None, on: self.today(), by: by.map(str::to_owned), what })?;
        let doc = draft.doc;
        draft.into_batch(&mut batch);
        self.store().write(batch).await?;
        drop(locked);
        self.announcement_by_id(&doc).await
    }

    /// Takes an announcement back.
    ///
    /// # Errors
    /// [`ActionError`] if there is no such announcement of this place.
    pub async fn recall(
        &self,
        by: By<'_>,
        reference: &str,
        request: &RecallRequest,
    ) -> Result<AnnouncementView, ActionError> {
        let reason = required("reason", &request.reason)?;
        let doc = self.own_announcement(reference).await?;
        let locked = self.lock([doc]).await;
        let mut draft = self.draft(&doc).await?;
        let mut batch = self.dated_batch()?;
        let what = Word::Recall { reason };
        draft.act("words", Act { prev: None, on: self.today(), by: by.map(str::to_owned), what })?;
        draft.into_batch(&mut batch);
        self.store().write(batch).await?;
        drop(locked);
        self.announcement_by_id(&doc).await
    }

    async fn own_announcement(&self, reference: &str) -> Result<DocId, ActionError> {
        let doc = self.find_notice(reference).await?;
        let home = self.store().headers(&[doc]).await?.get(&doc).map(|h| h.home);
        match home == Some(self.world().me.place) {
            true => Ok(doc),
            false => Err(ActionError::invalid(
                "id",
                "That notice is another place's word. Nothing was changed. Only the place that gave it can change it or take it back.",
                "这份通知是其他单位发的，没有改动任何内容。只有发出单位能改或收回。",
            )),
        }
    }

    /// Notices known here, the newest first.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] names the filter that is wrong.
    pub async fn announcements(
        &self,
        query: &AnnouncementsQuery,
    ) -> Result<Page<AnnouncementView>, ActionError> {
        let sort = query.sort.as_deref().filter(|s| !s.is_empty()).map(sort_of).transpose()?;
        let after = query.cursor.as_deref().map(|c| cursor(c).ok_or_else(|| bad_cursor(c))).transpose()?;
        let on = (query.all.as_deref() != Some("yes")).then(|| self.today());
        let asked = AnnouncementQuery { on, sort, category: None, after, limit: page_limit(query.limit)? };
        let (rows, next) = self.store().announcements(asked).await?;
        let next_cursor = next.map(|(day, row)| format!("{day}.{row}"));
        Ok(Page {
            items: rows.iter().filter_map(|row| self.announcement_view(row, false)).collect(),
            next_cursor,
        })
    }

    /// Resources on offer today for a category.
    ///
    /// # Errors
    /// [`ActionError`] when the store cannot be read.
    pub async fn resources_for(&self, category: &str) -> Result<Vec<AnnouncementView>, ActionError> {
        let (on, sort) = (Some(self.today()), Some("resource"));
        let asked =
            AnnouncementQuery { on, sort, category: Some(category), after: None, limit: RESOURCES_SHOWN };
        let (rows, _) = self.store().announcements(asked).await?;
        Ok(rows.iter().filter_map(|row| self.announcement_view(row, false)).collect())
    }

    /// One notice with its earlier versions.
    ///
    /// # Errors
    /// [`ActionError`] if it is not known here.
    pub async fn announcement(&self, reference: &str) -> Result<AnnouncementView, ActionError> {
        let doc = self.find_notice(reference).await?;
        self.announcement_by_id(&doc).await
    }

    /// From its own changes: lists run a moment behind.
    async fn announcement_by_id(&self, doc: &DocId) -> Result<AnnouncementView, ActionError> {
        let draft = self.draft(doc).await?;
        let view = rows(*doc, draft.notice()?, self.now_ms())
            .announcement
            .and_then(|row| self.announcement_view(&row, true));
        view.ok_or_else(|| ActionError::UnknownNotice(doc.to_string()))
    }

    fn announcement_view(&self, row: &AnnouncementRow, whole: bool) -> Option<AnnouncementView> {
        // A row of a newer program is left out of lists.
        let kept: Kept = serde_json::from_str(&row.detail).ok()?;
        let (last, earlier) = kept.versions.split_last()?;
        let world = self.world();
        let over = row.until.is_some_and(|day| day < self.today());
        let version = |v: &KeptVersion| VersionView {
            title: v.title.clone(),
            text: v.text.clone(),
            on: day_text(v.on),
            by: v.by.clone(),
        };
        Some(AnnouncementView {
            id: row.doc,
            place: self.viewer(&world).place(&row.place),
            sort: row.sort.clone(),
            title: row.title.clone(),
            text: last.text.clone(),
            category: row.category.clone(),
            on: day_text(row.said_on),
            by: last.by.clone(),
            until: row.until.map(day_text),
            in_force: !row.recalled && !over,
            recalled: kept.recalled,
            earlier: if whole { earlier.iter().map(version).collect() } else { Vec::new() },
        })
    }

    async fn announcement_of(
        &self,
        world: &World,
        request: &AnnounceRequest,
    ) -> Result<Announcement, ActionError> {
        let sort = sort_of(request.sort.as_deref().filter(|s| !s.is_empty()).unwrap_or("announcement"))?;
        let (title, text) = (short("title", &request.title)?, required("text", &request.text)?);
        let category = optional_short("category", request.category.as_deref())?;
        request.numbers.refuse([title.as_str(), &text.0])?;
        if request.until.is_some_and(|day| day.days() < self.today()) {
            return Err(ActionError::invalid(
                "until",
                "The last day is over already. Nothing was saved. Give a later day, or none.",
                "截止日期已经过去，尚未保存。请改晚，或不填。",
            ));
        }
        let me = world.me.place;
        let mut to = Vec::with_capacity(request.to.len());
        for reference in request.to.iter().filter(|r| !r.trim().is_empty()) {
            let place = self.find_place(reference)?;
            if place != me && !world.directory.place_ancestors(&place).contains(&me) {
                return Err(ActionError::NotBelow(self.viewer(world).place(&place).name));
            }
            to.push(place);
        }
        if to.is_empty() {
            to.push(me);
        }
        if to.len() >= HEADER_GRANTS_MAX {
            return Err(ActionError::invalid(
                "to",
                format!(
                    "At most {} places can be named. Nothing was saved. Name the place above them.",
                    HEADER_GRANTS_MAX - 1
                ),
                format!("最多指定 {} 个单位，尚未保存。请改为指定它们的上级。", HEADER_GRANTS_MAX - 1),
            ));
        }
        // Those on the way carry it, so they see it.
        let between = to.iter().filter(|p| **p != me).flat_map(|p| {
            let above = world.directory.place_ancestors(p);
            above.into_iter().take_while(|a| *a != me).map(Reach::Place).collect::<Vec<_>>()
        });
        let reach = between.chain([Reach::Place(me)]).chain(to.iter().map(|p| Reach::Subtree(*p))).collect();
        let replaces = match request.replaces.as_deref().filter(|r| !r.trim().is_empty()) {
            Some(reference) => Some(self.own_announcement(reference).await?),
            None => None,
        };
        let until = request.until.map(Date::days);
        let what = Word::Announce { sort: sort.to_owned(), title, text, category, until };
        Ok(Announcement { what, reach, to, replaces })
    }
}

/// Resources shown beside a matter.
const RESOURCES_SHOWN: u32 = 5;

fn sort_of(named: &str) -> Result<&'static str, ActionError> {
    SORTS.into_iter().find(|s| *s == named).ok_or_else(|| {
        ActionError::invalid(
            "sort",
            format!(
                "“{named}” is no sort of notice. Nothing was saved. Choose one of: {}.",
                SORTS.join(", ")
            ),
            format!("没有“{named}”这种通知，尚未保存。可选：{}。", SORTS.join("、")),
        )
    })
}

fn cursor(text: &str) -> Option<(i64, i64)> {
    let (day, row) = text.split_once('.')?;
    Some((day.parse().ok()?, row.parse().ok()?))
}

fn bad_cursor(text: &str) -> ActionError {
    ActionError::invalid(
        "cursor",
        format!("“{text}” is no cursor of this list. Nothing was changed. Begin at the first page."),
        format!("“{text}”不是本列表的翻页标记，没有改动任何内容。请从第一页开始。"),
    )
}

/// What lists keep of an announcement.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    versions: Vec<KeptVersion>,
    recalled: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptVersion {
    title: String,
    text: String,
    on: i64,
    by: Option<String>,
}

/// What one notice comes to for lists.
pub(crate) fn rows(doc: DocId, notice: Notice, updated_at_ms: u64) -> WordRows {
    let place = notice.place;
    let recalled = notice.recalled.map(|r| r.reason);
    let openings = notice.opened.into_iter().map(|o| OpeningRow {
        matter: o.matter,
        notice: doc,
        place,
        number: o.number,
        reason: o.reason,
        opened_on: o.on,
        person: o.by,
    });
    let last = notice.announced.last().cloned();
    let versions = notice.announced.into_iter().map(|a| KeptVersion {
        title: a.title,
        text: a.text,
        on: a.on,
        by: a.by,
    });
    let kept = Kept { versions: versions.collect(), recalled };
    let announcement = last.map(|a| AnnouncementRow {
        doc,
        place,
        sort: a.sort,
        title: a.title,
        category: a.category,
        said_on: a.on,
        until: a.until,
        recalled: kept.recalled.is_some(),
        updated_at_ms,
        detail: serde_json::to_string(&kept).unwrap_or_default(),
    });
    WordRows { doc, announcement, openings: openings.collect() }
}
