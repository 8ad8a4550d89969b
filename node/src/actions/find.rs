//! Finding what a caller means, and lists.
//!
//! A matter is called by its number, as people say it, or by its id or the beginning of it. Numbers are
//! looked up in the read model, which runs a moment behind: a number that is not there yet is asked for
//! again while documents still wait to be read.

use super::{
    ActionError, Actions, Sketch,
    request::ListQuery,
    views::{MatterSummary, Page},
};
use crate::store::{Due, MatterQuery, MatterSort};
use std::{collections::BTreeMap, time::Duration};
use yishi_protocol::{calendar::Date, fold::frame::Stage, ids::DocId, kind::Kind, number::MatterNumber};

/// Fewer digits of an id are too easily a slip.
const PREFIX_DIGITS_MIN: usize = 6;
/// Documents looked at for one beginning of an id.
const PREFIX_FOUND_MAX: u32 = 16;
const PAGE_ROWS: u32 = 50;
const PAGE_ROWS_MAX: u32 = 500;
/// "Soon" is within so many working days.
pub(super) const SOON_WORKING_DAYS: u32 = 3;
/// How long a number is waited for while documents wait to be read.
const CATCH_UP_STEP: Duration = Duration::from_millis(20);
const CATCH_UP_STEPS: u32 = 50;

/// The rows of a page.
pub(super) fn page_limit(limit: Option<u32>) -> Result<u32, ActionError> {
    match limit.unwrap_or(PAGE_ROWS) {
        n @ 1..=PAGE_ROWS_MAX => Ok(n),
        _ => Err(ActionError::invalid(
            "limit",
            format!(
                "A page has 1 to {PAGE_ROWS_MAX} rows. Nothing was changed. Ask for fewer and use the cursor."
            ),
            format!("每页 1 到 {PAGE_ROWS_MAX} 行，没有改动任何内容。请减少行数并翻页。"),
        )),
    }
}

impl Actions {
    /// The document of a matter.
    pub(crate) async fn find_matter(&self, reference: &str) -> Result<DocId, ActionError> {
        let reference = reference.trim();
        if let Some(doc) = self.find_by_id(reference, Kind::Proposal).await? {
            return Ok(doc);
        }
        let unknown = || ActionError::UnknownMatter(reference.to_owned());
        let prefix = self.number_prefix().await?;
        let number = MatterNumber::read_at(reference, &prefix).map_err(|_| unknown())?.to_string();
        for step in 0.. {
            let found = self.store().matters_by_number(&number).await?;
            match (found.first(), found.len()) {
                (Some(row), 1) => return Ok(row.doc),
                (Some(_), _) => return Err(ActionError::Ambiguous(reference.to_owned())),
                (None, _) => {}
            }
            if step >= CATCH_UP_STEPS || self.store().dirty_docs(1).await?.is_empty() {
                break;
            }
            tokio::time::sleep(CATCH_UP_STEP).await;
        }
        Err(unknown())
    }

    /// The document of an outcome.
    pub(super) async fn find_outcome(&self, reference: &str) -> Result<DocId, ActionError> {
        let found = self.find_by_id(reference.trim(), Kind::Outcome).await?;
        found.ok_or_else(|| ActionError::UnknownOutcome(reference.to_owned()))
    }

    /// The document of a notice.
    pub(super) async fn find_notice(&self, reference: &str) -> Result<DocId, ActionError> {
        let found = self.find_by_id(reference.trim(), Kind::Notice).await?;
        found.ok_or_else(|| ActionError::UnknownNotice(reference.to_owned()))
    }

    async fn find_by_id(&self, digits: &str, kind: Kind) -> Result<Option<DocId>, ActionError> {
        let is_id = (PREFIX_DIGITS_MIN..=DocId::LEN * 2).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_id {
            return Ok(None);
        }
        let found = self.store().docs_with_prefix(digits, PREFIX_FOUND_MAX).await?;
        let states = self.store().doc_indexes(&found).await?;
        let mut fitting = states.iter().filter(|(_, s)| s.header.kind == kind).map(|(doc, _)| *doc);
        match (fitting.next(), fitting.next()) {
            (doc, None) => Ok(doc),
            (_, Some(_)) => Err(ActionError::Ambiguous(digits.to_owned())),
        }
    }

    /// A list of matters.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] names the filter that is wrong.
    pub async fn matters(&self, query: ListQuery) -> Result<Page<MatterSummary>, ActionError> {
        let asked = self.matter_query(query)?;
        let page = self.store().matters(&asked).await?;
        let docs: Vec<DocId> = page.rows.iter().map(|r| r.doc).collect();
        let stored_up = self.store().stored_up(&docs).await?;
        let audiences: BTreeMap<DocId, _> = self.store().audiences(&docs).await?;
        let world = self.world();
        let viewer = self.viewer(&world);
        let items = page.rows.iter().filter_map(|row| {
            // A row of a newer program is left out of lists; the matter itself can still be opened.
            let sketch: Sketch = serde_json::from_str(&row.detail).ok()?;
            let audience = audiences.get(&row.doc)?;
            let stored = viewer.stored(audience, stored_up.get(&row.doc).copied().unwrap_or(0));
            Some(viewer.summary(row.doc, &sketch, stored, row.updated_at_ms))
        });
        Ok(Page { items: items.collect(), next_cursor: page.next })
    }

    pub(super) fn matter_query(&self, query: ListQuery) -> Result<MatterQuery, ActionError> {
        let filled = |text: Option<String>| text.filter(|t| !t.trim().is_empty());
        let place = |text: Option<String>| filled(text).map(|t| self.find_place(&t)).transpose();
        let stages = match filled(query.stage) {
            Some(names) => names
                .split(',')
                .map(|n| Stage::from_name(n.trim()).map(|s| s.name().to_owned()))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| unknown_filter("stage"))?,
            None => Vec::new(),
        };
        let today = Date::from_days(self.today()).unwrap_or(Date::MIN);
        let due = match filled(query.due).as_deref() {
            None => None,
            Some("overdue") => Some(Due::Before(today.to_string())),
            Some("soon") => {
                let last = self.calendar().add_working_days(today, SOON_WORKING_DAYS).0;
                Some(Due::Between(today.to_string(), last.to_string()))
            }
            Some(_) => return Err(unknown_filter("due")),
        };
        let sort = match filled(query.sort).as_deref() {
            None | Some("updated") => MatterSort::Updated,
            Some("deadline") => MatterSort::Deadline,
            Some("number") => MatterSort::Number,
            Some(_) => return Err(unknown_filter("sort")),
        };
        Ok(MatterQuery {
            stages,
            holder: place(query.holder)?,
            home: place(query.home)?,
            category: filled(query.category),
            text: filled(query.q).map(|q| q.trim().to_owned()),
            due,
            untold: query.untold.unwrap_or(false),
            open: query.open,
            sort,
            limit: page_limit(query.limit)?,
            after: filled(query.cursor),
            ..MatterQuery::default()
        })
    }
}

pub(super) fn unknown_filter(field: &'static str) -> ActionError {
    ActionError::invalid(
        field,
        format!(
            "“{field}” has a value that is not offered. Nothing was changed. See the list of values in the manual."
        ),
        format!("“{field}”的取值不在可选范围内，没有改动任何内容。请查看手册中的可选值。"),
    )
}
