//! One matter beside the list of the inbox: its next acts, what may be the same, what was merged into it and the way
//! back, its story. An act taken here comes back here.

use super::{
    Page, Place, Visitor,
    acts::Refused,
    escaped,
    list::{Row, row},
    matter::{self, Fact, Inside},
};
use crate::{
    actions::views::MatterView,
    http::{House, caller::Caller, limits, permit, problem::Problem, secret},
};

/// Merged matters listed with their lead.
const MERGED_MAX: usize = 12;

/// The matter beside the list.
pub(super) struct Pane {
    pub(super) m: Row,
    pub(super) facts: Vec<Fact>,
    pub(super) inside: Inside,
    pub(super) done: Vec<String>,
    pub(super) alike: Vec<Near>,
    pub(super) merged: Vec<Merged>,
    pub(super) undo: Option<Undo>,
}

pub(super) struct Near {
    pub(super) title: String,
    pub(super) number: String,
    pub(super) stage: String,
    pub(super) tone: &'static str,
    pub(super) holder: Place,
    pub(super) why: String,
    pub(super) href: String,
}

pub(super) struct Merged {
    pub(super) number: String,
    pub(super) title: String,
    pub(super) href: String,
}

/// Taking a merge back by one press.
pub(super) struct Undo {
    pub(super) action: String,
    pub(super) form_token: String,
    pub(super) once: String,
    pub(super) back: String,
    pub(super) matters: Vec<String>,
}

/// The matter beside the list.
pub(super) async fn pane(
    house: &House,
    visitor: &Visitor,
    caller: &Caller,
    page: &Page,
    matter: &MatterView,
    came: matter::Came,
    back: &str,
) -> Result<Pane, Problem> {
    let own = house.actions.node().place.place;
    let none: Option<Refused<'_>> = None;
    let mut inside = matter::told(house, visitor, caller, page, matter, none).await?;
    for form in inside.desk.first.iter_mut().chain(&mut inside.desk.rest) {
        form.hidden.push(("back", back.to_owned()));
    }
    let id = matter.summary.id.to_string();
    let compare = |other: &str| {
        page.href(&format!("/inbox/compare?a={id}&b={}&back={}", escaped(other), escaped(back)))
    };
    let alike = std::mem::take(&mut inside.alike);
    let alike = alike.into_iter().map(|a| Near {
        href: compare(&a.id),
        title: a.title,
        number: a.number,
        stage: a.stage,
        tone: a.tone,
        holder: a.holder,
        why: a.why,
    });
    let mut merged = Vec::new();
    for source in matter.summary.sources.iter().take(MERGED_MAX) {
        // One that is not here is named by its lead's record only.
        let Ok(one) = house.actions.matter(&source.to_string()).await else { continue };
        merged.push(Merged {
            number: one.summary.number,
            title: one.summary.title,
            href: page.href(&format!("/m/{source}")),
        });
    }
    let sources: Vec<String> = matter.summary.sources.iter().map(ToString::to_string).collect();
    let undo = undo(house, caller, page, &sources, back).await;
    Ok(Pane {
        m: row(&matter.summary, page, &own.level),
        facts: matter::facts(matter, page, house.actions.today()),
        done: matter::done(&came, matter, own.id, page.lang),
        alike: alike.collect(),
        merged,
        undo,
        inside,
    })
}

/// The form that takes merges back, with those matters of which that is legal now.
pub(super) async fn undo(
    house: &House,
    caller: &Caller,
    page: &Page,
    sources: &[String],
    back: &str,
) -> Option<Undo> {
    if !caller.may(permit::of_step("unmerge")) {
        return None;
    }
    let mut matters = Vec::new();
    for source in sources.iter().take(limits::BULK_MATTERS_MAX) {
        let next = house.actions.next(source).await.ok();
        if next.is_some_and(|n| n.items.iter().any(|i| i.name.act == "unmerge")) {
            matters.push(source.clone());
        }
    }
    (!matters.is_empty()).then(|| Undo {
        action: page.href("/inbox/do"),
        form_token: caller.form_token(),
        once: secret::fresh(),
        back: back.to_owned(),
        matters,
    })
}
