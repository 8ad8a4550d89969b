//! Matters that may be the same as one: on its receipt right after it was registered, in the list of work at
//! whoever it came to, and on its page, with the reason and, where both are held here, forms to merge.
//!
//! A suggestion is never in the way: if none can be looked for, the page is shown without. Nothing is merged
//! but by the ordinary act with its ordinary refusals. A receipt is taken home, so what it says of other
//! people's matters stays on the screen.

use super::{
    Page, Place,
    acts::{ActForm, Desk},
    w,
};
use crate::{
    actions::views::{MatterSummary, MatterView, SimilarView},
    http::{House, caller::Caller, lang::Lang, permit, secret},
};
use yishi_protocol::{
    fold::frame::{self, RULES, StepKind},
    ids::PlaceId,
};

/// Told on a receipt: whoever registers is busy with a visitor.
const ON_RECEIPT_MAX: usize = 3;
/// How alike one has to be to be told there, of 100: of those shown every third is the same matter (measured on
/// the half of `tests/data/similar_pairs.tsv` that was worked with).
const ON_RECEIPT_ALIKE: u8 = 28;

/// A matter that may be the same.
#[derive(Debug)]
pub(super) struct Alike {
    /// Its document.
    pub(super) id: String,
    pub(super) number: String,
    pub(super) title: String,
    pub(super) href: String,
    pub(super) stage: String,
    pub(super) tone: &'static str,
    pub(super) holder: Place,
    pub(super) why: String,
    /// Numbers of those merged into it.
    pub(super) merged: String,
    /// Each way round, each with where its form goes.
    pub(super) merge: Vec<Desked>,
}

/// A form, and the matter it is of.
#[derive(Debug)]
pub(super) struct Desked {
    pub(super) form: ActForm,
    pub(super) desk: Desk,
}

/// Those that are open, for whoever has just registered one.
pub(super) async fn on_receipt(house: &House, page: &Page, matter: &MatterSummary) -> Vec<Alike> {
    let found = found(house, matter).await;
    let told = found.into_iter().filter(|s| s.open && s.alike >= ON_RECEIPT_ALIKE);
    told.take(ON_RECEIPT_MAX).map(|s| alike(&s, page)).collect()
}

/// The likeliest open one, for whoever has the matter in a list of work to do.
pub(super) async fn in_list(house: &House, page: &Page, matter: &MatterSummary) -> Option<Alike> {
    on_receipt(house, page, matter).await.into_iter().next()
}

/// Those of an open matter, with forms to merge for whoever may.
pub(super) async fn on_page(
    house: &House,
    page: &Page,
    caller: &Caller,
    own: PlaceId,
    matter: &MatterView,
) -> Vec<Alike> {
    let m = &matter.summary;
    // What follows another, or is over, is not looked up: there is nothing to decide any more.
    if m.merged_into.is_some() || matches!(m.stage.as_str(), "closed" | "withdrawn" | "referred" | "refused")
    {
        return Vec::new();
    }
    let may = caller.may(permit::of_step("merge"));
    let form = |lead: &MatterSummary, source: &MatterSummary, title: String, n: usize| {
        let desk = Desk {
            action: page.href(&format!("/m/{}/acts", lead.id)),
            form_token: caller.form_token(),
            ..Desk::default()
        };
        let form = ActForm {
            id: format!("merge-{n}"),
            act: "merge",
            title,
            hidden: vec![("sources", source.id.to_string())],
            once: secret::fresh(),
            ..ActForm::default()
        };
        Desked { form, desk }
    };
    let found = found(house, m).await;
    let told = found.iter().enumerate().map(|(n, s)| {
        let mut one = alike(s, page);
        let (this, other) = (m, &s.matter);
        if may && can(StepKind::Absorb, this, own) && can(StepKind::Merge, other, own) {
            one.merge.push(form(this, other, w::MERGE_INTO_THIS.of(page.lang).to_owned(), 2 * n));
        }
        if may && can(StepKind::Merge, this, own) && can(StepKind::Absorb, other, own) {
            one.merge.push(form(other, this, w::MERGE_INTO_THAT.of(page.lang).to_owned(), 2 * n + 1));
        }
        one
    });
    told.collect()
}

async fn found(house: &House, matter: &MatterSummary) -> Vec<SimilarView> {
    match house.actions.similar(&matter.id.to_string()).await {
        Ok(list) => list.items,
        Err(error) => {
            tracing::warn!(%error, "matters like one were not looked for");
            Vec::new()
        }
    }
}

/// Whether the frame lets this place take the step with a matter now. The act itself asks again.
fn can(step: StepKind, m: &MatterSummary, own: PlaceId) -> bool {
    let held = m.holder.as_ref().is_some_and(|h| h.id == own);
    let stage = frame::Stage::from_name(&m.stage);
    let from = |s: frame::Stage| RULES.iter().any(|r| r.step == step && r.from.contains(&s));
    held && m.merged_into.is_none() && stage.is_some_and(from)
}

fn alike(s: &SimilarView, page: &Page) -> Alike {
    let (m, lang) = (&s.matter, page.lang);
    Alike {
        id: m.id.to_string(),
        number: m.number.clone(),
        title: m.title.clone(),
        href: page.href(&format!("/m/{}", m.id)),
        stage: w::stage(&m.stage, &m.stage_zh, lang).to_owned(),
        tone: w::tone(&m.stage),
        holder: Place::of_known(m.holder.as_ref()),
        why: lang.of(&s.why_zh, &s.why).to_owned(),
        merged: match (s.merged.is_empty(), lang) {
            (true, _) => String::new(),
            (false, Lang::Zh) => format!("已并入：{}", s.merged.join("、")),
            (false, Lang::En) => format!("merged into it: {}", s.merged.join(", ")),
        },
        merge: Vec::new(),
    }
}
