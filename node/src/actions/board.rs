//! 公开栏: what of the matters here anybody may see, and an objection of whoever holds a receipt.
//!
//! Two rules decide what is public, both in this file. A notice (`post`) was written to be read by everybody:
//! its text, and the title of the matter it is about, may be shown. Of every other matter only number,
//! category, stage, holder, days and public money are. What came from a supervisor (监督线索) or is bound to a
//! confidential procedure is not on the board at all: it may be about whoever reads it. No petitioner and no other text is in [`BoardView`], so no
//! page made of it can show one.

use super::{
    ActionError, Actions, Sketch, day_text,
    matter_view::Viewer,
    privacy,
    request::ActRequest,
    views::{ActedView, BoardMatter, BoardView, NoticeView},
};
use crate::store::{BoardList, BoardRow, MatterRow};
use serde::{Deserialize, Serialize};
use yishi_protocol::{
    calendar::Date,
    fold::{
        Matter,
        frame::{BUILT_IN, Stage},
    },
    ids::{ActRef, DocId, PlaceId},
};

/// Whoever lodges an objection with a receipt: no member of a place, and no name.
pub(crate) const RECEIPT: &str = "receipt";
/// The source of what nobody may read on a board.
const CLUE: &str = "supervision";
/// Notices of one board: a wall has no room for more, and a page of it stays below 60 kB.
const NOTICES_MAX: u32 = 24;
/// Rows of each other list.
const ROWS_MAX: u32 = 10;
/// "Of late" are so many days.
const LATE_DAYS: i64 = 30;
/// Objections to one notice taken by receipt: one household has said by then what it has to say, and a
/// document's room is not a stranger's to fill.
const OBJECTIONS_MAX: usize = 5;
/// An objection by receipt, in characters; longer ones are brought on paper.
const OBJECTION_CHARS_MAX: usize = 2_000;

/// A notice, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Notice {
    act: ActRef,
    place: PlaceId,
    on: i64,
    days: i64,
    text: String,
    #[serde(default)]
    objections: usize,
}

impl Notice {
    fn until(&self) -> i64 {
        self.on.saturating_add(self.days)
    }
}

/// What hangs of a matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Hung {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notices: Vec<Notice>,
    #[serde(default)]
    budget_yuan: i64,
    #[serde(default)]
    spent_yuan: i64,
}

/// What the board has of a folded matter besides its row in lists.
pub(crate) fn row(
    doc: DocId,
    matter: &Matter,
    updated_at_ms: u64,
) -> Result<Option<BoardRow>, serde_json::Error> {
    // What a procedure says that is not here yet is not known: until it is, nothing is shown.
    let confidential = match matter.procedure_file() {
        Some(procedure) => procedure.confidential,
        None => matter.procedure.is_some_and(|pin| pin != BUILT_IN),
    };
    let hidden = confidential || matter.source.as_deref() == Some(CLUE);
    let money = matter.budget_yuan > 0 || matter.spent_yuan > 0;
    if !hidden && !money && matter.posts.is_empty() {
        return Ok(None);
    }
    // Of what is hidden nothing is kept here either.
    let hung = match hidden {
        true => Hung::default(),
        false => Hung {
            notices: matter
                .posts
                .iter()
                .map(|p| Notice {
                    act: p.act,
                    place: p.place,
                    on: p.on,
                    days: p.days,
                    text: p.text.clone(),
                    objections: p.objections.len(),
                })
                .collect(),
            budget_yuan: matter.budget_yuan,
            spent_yuan: matter.spent_yuan,
        },
    };
    let last = hung.notices.iter().map(Notice::until).max();
    Ok(Some(BoardRow {
        doc,
        hidden,
        posted_until: last.and_then(|day| Some(Date::from_days(day)?.to_string())),
        money_at_ms: (money && !hidden).then_some(updated_at_ms),
        detail: serde_json::to_string(&hung)?,
    }))
}

/// An objection somebody lodges with a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectionRequest {
    /// To which notice.
    pub post: ActRef,
    /// The words.
    pub text: String,
}

impl Viewer<'_> {
    fn on_board(&self, row: &MatterRow, hung: &Hung) -> Option<BoardMatter> {
        // A row of a newer program is left out; its place shows it on its own board.
        let sketch: Sketch = serde_json::from_str(&row.detail).ok()?;
        let stage = Stage::from_name(&sketch.stage);
        Some(BoardMatter {
            id: row.doc,
            number: sketch.number.clone(),
            category: sketch.category.clone(),
            title: (!hung.notices.is_empty()).then(|| sketch.title.clone()),
            stage_zh: stage.map_or_else(|| sketch.stage.clone(), |s| s.zh().to_owned()),
            stage: sketch.stage.clone(),
            home: self.place(&sketch.home),
            holder: sketch.holder.map(|h| self.place(&self.world.directory.stands_in(&h))),
            raised_on: day_text(sketch.raised_on),
            waited_days: self.today.saturating_sub(sketch.raised_on).max(0),
            answered_on: row.answered_on.clone(),
            told: sketch.told,
            deadline: sketch.due.as_ref().and_then(|d| self.deadline(d)),
            budget_yuan: hung.budget_yuan,
            spent_yuan: hung.spent_yuan,
        })
    }

    fn notices(&self, row: &MatterRow, hung: &Hung) -> Vec<NoticeView> {
        let Some(matter) = self.on_board(row, hung) else { return Vec::new() };
        let shown = |n: &Notice| NoticeView {
            act: n.act,
            matter: matter.clone(),
            place: self.place(&n.place),
            text: n.text.clone(),
            on: day_text(n.on),
            until: day_text(n.until()),
            days_left: n.until().saturating_sub(self.today),
            objections: n.objections,
        };
        hung.notices.iter().map(shown).collect()
    }
}

/// What hangs, as kept; a row of a newer program shows nothing.
fn hung(detail: Option<&str>) -> Hung {
    detail.and_then(|d| serde_json::from_str(d).ok()).unwrap_or_default()
}

impl Actions {
    /// The public board of this place.
    ///
    /// # Errors
    /// [`ActionError`] when the store cannot be read.
    pub async fn board(&self) -> Result<BoardView, ActionError> {
        let (today, since) = (day_text(self.today()), day_text(self.today() - LATE_DAYS));
        let world = self.world();
        let viewer = self.viewer(&world);
        let list = |list, max| self.store().board(list, max);
        let matters = |rows: Vec<(MatterRow, Option<String>)>| -> Vec<BoardMatter> {
            rows.iter().filter_map(|(row, detail)| viewer.on_board(row, &hung(detail.as_deref()))).collect()
        };
        let posted = list(BoardList::Posted(&today), NOTICES_MAX).await?;
        let hangs = |n: &NoticeView| n.days_left >= 0 && n.on <= today;
        let mut notices: Vec<NoticeView> = posted
            .iter()
            .flat_map(|(row, detail)| viewer.notices(row, &hung(detail.as_deref())))
            .filter(hangs)
            .collect();
        notices.sort_by(|a, b| (a.days_left, &a.matter.number).cmp(&(b.days_left, &b.matter.number)));
        Ok(BoardView {
            notices,
            replies: matters(list(BoardList::Answered(&since), ROWS_MAX).await?),
            money: matters(list(BoardList::Money, ROWS_MAX).await?),
            waiting: matters(list(BoardList::Waiting, ROWS_MAX).await?),
        })
    }

    /// The notices of one matter, past ones too, the newest first.
    ///
    /// # Errors
    /// [`ActionError::UnknownMatter`] also where none was ever posted: a board says nothing of it.
    pub async fn notices(&self, reference: &str) -> Result<Vec<NoticeView>, ActionError> {
        let unknown = || ActionError::UnknownMatter(reference.to_owned());
        let doc = self.find_matter(reference).await?;
        let matter = self.store().matter(&doc).await?.ok_or_else(unknown)?;
        let kept = self.store().board_row(&doc).await?.filter(|b| !b.hidden).ok_or_else(unknown)?;
        let world = self.world();
        let mut notices = self.viewer(&world).notices(&matter, &hung(Some(&kept.detail)));
        notices.reverse();
        if notices.is_empty() { Err(unknown()) } else { Ok(notices) }
    }

    /// Lodges an objection for whoever showed the matter's receipt; that was checked before.
    ///
    /// # Errors
    /// [`ActionError`]; nothing is kept then.
    pub async fn object_by_receipt(
        &self,
        doc: &DocId,
        request: ObjectionRequest,
    ) -> Result<ActedView, ActionError> {
        let chars = request.text.trim().chars().count();
        if chars > OBJECTION_CHARS_MAX {
            return Err(ActionError::invalid(
                "text",
                format!(
                    "An objection here has up to {OBJECTION_CHARS_MAX} characters. Nothing was saved. Shorten it, or bring the whole on paper."
                ),
                format!("这里最多写 {OBJECTION_CHARS_MAX} 个字，还没有记下。请写短些，或把全文交到村里。"),
            ));
        }
        if privacy::has_numbers(&request.text) {
            return Err(ActionError::invalid(
                "text",
                "There is an identity or telephone number in it. Nothing was saved: others read an objection. Take the number out; whoever handles it can ask at the place that registered the matter.",
                "里面有身份证号或电话，还没有记下：异议别人看得到。请把号码去掉；要联系您的，会找登记单位。",
            ));
        }
        let matter = self.matter_by_id(doc).await?;
        let by_receipt =
            |t: &&super::views::TimelineView| t.kind == "object" && t.by.as_deref() == Some(RECEIPT);
        if matter.timeline.iter().filter(by_receipt).count() >= OBJECTIONS_MAX {
            return Err(ActionError::invalid(
                "text",
                format!(
                    "With this receipt {OBJECTIONS_MAX} objections were lodged already. This one was not saved. Bring it to the place that posted the notice."
                ),
                format!(
                    "凭这张回执已经提过 {OBJECTIONS_MAX} 次异议，这一次没有记下。请直接到公示单位当面说。"
                ),
            ));
        }
        let ObjectionRequest { post, text } = request;
        self.act(Some(RECEIPT), &doc.to_string(), ActRequest::Object { post: Some(post), text }).await
    }
}
