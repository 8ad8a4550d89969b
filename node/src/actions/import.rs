//! Tables of other systems: taking their matters over, giving the replies back.
//!
//! One call is one save. A bad row is reported and spoils nothing else; a row that is here already is
//! skipped, unless it brings an answer that is new. So the same file may be imported again at any time.

use super::{
    ActionError, Actions, By,
    author::Draft,
    find::page_limit,
    privacy,
    request::{ExportQuery, ExternalRequest, ImportRequest, ImportRow, RaiseRequest},
    sketch::Sketch,
    views::{ExportRow, ImportView, Page, RowError},
    words::{optional, short},
};
use crate::store::{Batch, ExternalNumber, MatterQuery, MatterSort, StoreError, World};
use std::{collections::BTreeSet, sync::Arc};
use yishi_protocol::{
    act::{Step, Text},
    calendar::Date,
    fold::frame::Stage,
    ids::DocId,
};

/// Rows in one call: they are one transaction, and a village holds them all in memory.
const IMPORT_ROWS_MAX: usize = 500;

/// What became of one row.
enum Row {
    Created,
    Answered,
    Skipped,
}

impl Actions {
    /// Takes rows over.
    ///
    /// # Errors
    /// [`ActionError`] if nothing at all could be saved; bad rows are in the answer.
    pub async fn import_rows(&self, by: By<'_>, request: ImportRequest) -> Result<ImportView, ActionError> {
        let system = short("system", &request.system)?;
        if request.rows.len() > IMPORT_ROWS_MAX {
            return Err(ActionError::invalid(
                "rows",
                format!(
                    "A call takes at most {IMPORT_ROWS_MAX} rows. Nothing was saved. Send them in several calls."
                ),
                format!("一次最多 {IMPORT_ROWS_MAX} 行，尚未保存。请分几次导入。"),
            ));
        }
        match self.import_once(by, &system, &request.rows).await {
            // Somebody took one of the numbers over in the same moment: now it is known.
            Err(ActionError::Store(StoreError::Taken)) => self.import_once(by, &system, &request.rows).await,
            done => done,
        }
    }

    async fn import_once(
        &self,
        by: By<'_>,
        system: &str,
        rows: &[ImportRow],
    ) -> Result<ImportView, ActionError> {
        let world = self.world();
        let numbers: Vec<String> = rows.iter().map(|r| r.number.trim().to_owned()).collect();
        let known = self.store().external_docs(system, &numbers).await?;
        let locked = self.lock(known.values().copied()).await;
        let mut batch = self.dated_batch()?;
        let mut view = ImportView::default();
        // One number once in a call: two drafts of one document would write the same sequence number.
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for (row, number) in rows.iter().zip(numbers) {
            let external = ExternalNumber { system: system.to_owned(), number };
            let done = if seen.contains(&external.number) {
                Err(ActionError::ExternalTaken(external.number))
            } else if let Some(doc) = known.get(&external.number) {
                self.answer_row(by, row, doc, &mut batch).await.inspect(|_| {
                    seen.insert(external.number);
                })
            } else {
                self.create_row(&world, by, row, &external, &mut batch).await.map(|()| {
                    seen.insert(external.number);
                    Row::Created
                })
            };
            match done {
                Ok(Row::Created) => view.created += 1,
                Ok(Row::Answered) => view.answered += 1,
                Ok(Row::Skipped) => view.skipped += 1,
                // The disk or the program failed, not the row.
                Err(error @ (ActionError::Store(_) | ActionError::Broken(_))) => return Err(error),
                Err(error) => view.errors.push(RowError {
                    row: row.row,
                    code: error.code(),
                    detail: error.en(),
                    detail_zh: error.zh(),
                }),
            }
        }
        if !batch.commits.is_empty() {
            self.store().write(batch).await?;
        }
        drop(locked);
        Ok(view)
    }

    /// Registers a row, answered and closed if it comes with an answer. On an error nothing of it is in
    /// the batch.
    async fn create_row(
        &self,
        world: &Arc<World>,
        by: By<'_>,
        row: &ImportRow,
        external: &ExternalNumber,
        batch: &mut Batch,
    ) -> Result<(), ActionError> {
        let raised_on = day("raised_on", row.raised_on.as_deref())?;
        let request = RaiseRequest {
            body: if row.body.trim().is_empty() {
                row.title.clone().unwrap_or_default()
            } else {
                row.body.clone()
            },
            title: row.title.clone(),
            category: row.category.clone(),
            raised_on,
            external: Some(ExternalRequest {
                system: external.system.clone(),
                number: external.number.clone(),
            }),
            // Numbers of people in the reply go into the dossier with those of the body.
            settle: row.answer.clone(),
            ..RaiseRequest::default()
        };
        let mut own = Batch::default();
        let mut raised = self.raise_into(world, by, &request, &mut own).await?;
        if let Some((text, on)) = self.answer_of(row, raised_on.map(Date::days))? {
            close_with(&mut raised.draft, by, text, on)?;
        }
        raised.draft.into_batch(&mut own);
        append(batch, own);
        Ok(())
    }

    /// Adds a row's answer to a matter that is here.
    async fn answer_row(
        &self,
        by: By<'_>,
        row: &ImportRow,
        doc: &DocId,
        batch: &mut Batch,
    ) -> Result<Row, ActionError> {
        if row.answer.as_deref().is_none_or(|a| a.trim().is_empty()) {
            return Ok(Row::Skipped);
        }
        let Some(mut draft) = Draft::load(self.store(), doc).await? else { return Ok(Row::Skipped) };
        let matter = draft.matter()?;
        let Some((text, on)) = self.answer_of(row, Some(matter.raised_on))? else { return Ok(Row::Skipped) };
        if matter.answers.iter().any(|a| a.text == text.0) {
            return Ok(Row::Skipped);
        }
        if row.answer.as_deref().is_some_and(privacy::has_numbers) {
            return Err(ActionError::invalid(
                "answer",
                "The reply holds what looks like an identity or mobile number. This row was not saved. Take the number out of the table, or enter the reply on the matter's page, where it can be sealed or kept.",
                "答复里有像身份证号或手机号的内容，这一行没有保存。请在表里删去号码，或到该事项的页面上答复，那里可以选存入密封信息或照原文保存。",
            ));
        }
        close_with(&mut draft, by, text, on)?;
        draft.into_batch(batch);
        Ok(Row::Answered)
    }

    /// A row's answer and its day.
    fn answer_of(&self, row: &ImportRow, raised_on: Option<i64>) -> Result<Option<(Text, i64)>, ActionError> {
        let answer = row.answer.as_deref().map(|a| privacy::take_numbers(a, privacy::MOVED).0);
        let Some(text) = optional("answer", answer.as_deref())? else { return Ok(None) };
        let on = self.past_day("answered_on", day("answered_on", row.answered_on.as_deref())?)?;
        if raised_on.is_some_and(|raised| on < raised) {
            return Err(ActionError::invalid(
                "answered_on",
                "The answer is dated before the matter was raised. This row was not saved. Correct one of the dates.",
                "答复日期早于反映日期，这一行没有保存。请更正日期。",
            ));
        }
        Ok(Some((text, on)))
    }

    /// The replies to another system's matters.
    ///
    /// # Errors
    /// [`ActionError`] if the request is wrong or the store cannot be read.
    pub async fn export(&self, query: &ExportQuery) -> Result<Page<ExportRow>, ActionError> {
        let asked = MatterQuery {
            external_system: Some(short("system", &query.system)?),
            answered_since: query.answered_since.map(|d| d.to_string()),
            sort: MatterSort::Number,
            limit: page_limit(query.limit)?,
            after: query.cursor.clone(),
            ..MatterQuery::default()
        };
        let page = self.store().matters(&asked).await?;
        let items = page.rows.into_iter().filter_map(|row| {
            let sketch: Sketch = serde_json::from_str(&row.detail).ok()?;
            let stage = Stage::from_name(&sketch.stage);
            Some(ExportRow {
                external_number: sketch.external.map(|(_, number)| number).unwrap_or_default(),
                number: sketch.number,
                title: sketch.title,
                answered_on: sketch.reply.as_ref().map(|r| super::day_text(r.on)),
                answer: sketch.reply.map(|r| r.text),
                stage_zh: stage.map_or_else(|| sketch.stage.clone(), |s| s.zh().to_owned()),
                stage: sketch.stage,
            })
        });
        Ok(Page { items: items.collect(), next_cursor: page.next })
    }
}

/// Answers and, if the matter is not open elsewhere, closes.
fn close_with(draft: &mut Draft, by: By<'_>, text: Text, on: i64) -> Result<(), ActionError> {
    draft.step(by, on, Step::Answer { text, outcome: None, lead: None, lead_act: None })?;
    draft.step(by, on, Step::Close { note: None })?;
    Ok(())
}

fn append(batch: &mut Batch, own: Batch) {
    for actor in own.actors {
        if !batch.actors.contains(&actor) {
            batch.actors.push(actor);
        }
    }
    batch.docs.extend(own.docs);
    batch.wraps.extend(own.wraps);
    batch.commits.extend(own.commits);
    batch.externals.extend(own.externals);
    batch.serials.extend(own.serials);
}

fn day(field: &'static str, text: Option<&str>) -> Result<Option<Date>, ActionError> {
    let Some(text) = text.map(str::trim).filter(|t| !t.is_empty()) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        ActionError::invalid(
            field,
            format!("“{text}” is not a date such as 2026-11-16. This row was not saved. Correct the date."),
            format!("“{text}”不是 2026-11-16 这样的日期，这一行没有保存。请更正日期。"),
        )
    })
}
