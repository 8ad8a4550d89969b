//! Going through a place's matters for a sheet: the read model says which could have something to say, and only
//! of those the changes are read and folded, one after the other, so that a sheet needs the memory of one.

use super::{FOLDED_MAX, Sheet, query::Asked};
use crate::{
    actions::{ActionError, Actions, Sketch},
    store::{MatterQuery, MatterRow, MatterSort},
};
use std::ops::ControlFlow;
use yishi_protocol::{
    fold::Matter,
    ids::{DocId, PlaceId},
};

/// Rows of the read model read at a time.
const PAGE_ROWS: u32 = 500;
const DAY_MS: u64 = 24 * 3_600_000;

/// Hands over what lists show of each matter of a place, by number, until told to stop.
pub(super) async fn listed(
    actions: &Actions,
    home: Option<PlaceId>,
    untold: bool,
    mut each: impl FnMut(&MatterRow, Sketch) -> ControlFlow<()>,
) -> Result<(), ActionError> {
    let mut query =
        MatterQuery { home, untold, sort: MatterSort::Number, limit: PAGE_ROWS, ..MatterQuery::default() };
    loop {
        let page = actions.store().matters(&query).await?;
        for row in &page.rows {
            // A row of a newer program is left out, as in lists.
            let Ok(sketch) = serde_json::from_str::<Sketch>(&row.detail) else { continue };
            if each(row, sketch).is_break() {
                return Ok(());
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(()),
        }
    }
}

/// Folds every matter that was acted on since the period began and fits, in the order of their numbers; a sheet
/// that could not go through all of them says so.
pub(super) async fn folded(
    actions: &Actions,
    asked: &Asked,
    sheet: &mut Sheet,
    keep: impl Fn(&Sketch) -> bool,
    mut each: impl FnMut(&mut Sheet, DocId, &Matter),
) -> Result<(), ActionError> {
    // A day more: what was stored here just before midnight may bear the next day.
    let since_ms = u64::try_from(asked.period.0.saturating_sub(1)).unwrap_or(0).saturating_mul(DAY_MS);
    let mut found: Vec<DocId> = Vec::new();
    let mut more = false;
    listed(actions, asked.home, false, |row, sketch| {
        if row.updated_at_ms < since_ms || !keep(&sketch) {
            return ControlFlow::Continue(());
        }
        more = found.len() == FOLDED_MAX;
        if more {
            return ControlFlow::Break(());
        }
        found.push(row.doc);
        ControlFlow::Continue(())
    })
    .await?;
    for doc in found {
        let read = match actions.draft(&doc).await {
            Ok(draft) => draft.matter(),
            Err(error) => Err(error),
        };
        match read {
            Ok(matter) => each(sheet, doc, &matter),
            Err(ActionError::Store(error)) => return Err(ActionError::Store(error)),
            // Its number stands in the list of matters with the reason; the others are still told of.
            Err(error) => {
                tracing::warn!(%doc, %error, "a matter was left out of a sheet");
                sheet.note(
                    format!("有一件事项本机读不懂，没有列入（{doc}）。"),
                    format!("One matter cannot be read here and is not in this sheet ({doc})."),
                );
            }
        }
    }
    if more {
        sheet.note(
            format!("事项太多，只统计了编号在前的 {FOLDED_MAX} 件，请按村、按时间分别导出。"),
            format!("Too many matters: only the first {FOLDED_MAX} by number were gone through. Ask by village or period."),
        );
    }
    Ok(())
}
