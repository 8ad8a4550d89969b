//! What can be done next, in the API's own names.
//!
//! The procedure speaks of two halves of a merge, one in each document; people merge once, from the
//! lead. So `absorb` is offered as `merge`, and the source's half is not offered by itself.

use super::{
    ActionError, Actions,
    matter_view::Viewer,
    views::{FieldView, NextAct, NextName, NextView, NotNow, WayView},
};
use crate::store::World;
use yishi_protocol::fold::{
    Matter,
    next::{self, Next, fields_of},
};

const MERGE: NextName = NextName { act: "merge", label: "并案", label_en: "Merge others into this" };
const MERGE_FIELDS: &[FieldView] = &[FieldView { name: "sources", required: true, kind: "matters" }];
const DECIDE_FIELDS: &[FieldView] = &[
    FieldView { name: "title", required: true, kind: "string" },
    FieldView { name: "text", required: true, kind: "text" },
    FieldView { name: "unit", required: false, kind: "string" },
    FieldView { name: "budget_yuan", required: false, kind: "number" },
    FieldView { name: "due_on", required: false, kind: "date" },
    FieldView { name: "answer", required: false, kind: "text" },
];

fn next_of(matter: &Matter, world: &World) -> Next {
    let ancestors = world.directory.ancestors(&world.me.cert);
    next::next(matter, matter.acting(world.me.place, &world.acts_for()), &ancestors)
}

/// The name the API has for an act of the procedure; `None` for one it does not offer by itself.
fn named(act: &'static str, label: &'static str, label_en: &'static str) -> Option<NextName> {
    match act {
        "merge" | "register" => None,
        "absorb" => Some(MERGE),
        _ => Some(NextName { act, label, label_en }),
    }
}

/// The names of what may be done now.
pub(super) fn names(matter: &Matter, world: &World) -> Vec<NextName> {
    next_of(matter, world).items.iter().filter_map(|a| named(a.act, a.label, a.label_en)).collect()
}

/// What is filled in for an act, by the API's name of it; nothing for a name there is not.
#[must_use]
pub fn act_fields(act: &str) -> Vec<FieldView> {
    match act {
        "merge" => MERGE_FIELDS.to_vec(),
        "decide" => DECIDE_FIELDS.to_vec(),
        _ => {
            let fields = fields_of(act).iter();
            let mut fields: Vec<FieldView> =
                fields.map(|f| FieldView { name: f.name, required: f.required, kind: f.kind }).collect();
            if matches!(act, "meet" | "ballot") {
                // The charter knows how many are entitled, and a roll how many are there.
                for f in
                    fields.iter_mut().filter(|f| f.name == "eligible" || (act, f.name) == ("meet", "present"))
                {
                    f.required = false;
                }
            }
            if act == "answer" {
                fields.push(FieldView { name: "on", required: false, kind: "date" });
            }
            fields
        }
    }
}

fn view(next: &Next, matter: &Matter, viewer: &Viewer<'_>) -> NextView {
    let me = matter.acting(viewer.world.me.place, &viewer.world.acts_for());
    let items = next.items.iter().filter_map(|a| {
        let name = named(a.act, a.label, a.label_en)?;
        let fields = act_fields(name.act);
        let stages = a.stages.iter().map(|w| WayView {
            stage: w.stage.clone(),
            label: w.title.zh.clone(),
            label_en: w.title.en.clone(),
            back: w.back,
        });
        let forms = if name.act == "record" { matter.forms_for(me) } else { Vec::new() };
        Some(NextAct {
            name,
            fields,
            stages: stages.collect(),
            places: a.to.iter().map(|p| viewer.place(p)).collect(),
            forms: forms.into_iter().map(|f| f.id.clone()).collect(),
            about: a.replies.iter().chain(&a.branches).copied().collect(),
            sources: a.sources.clone(),
        })
    });
    let not_now = next.not_now.iter().filter_map(|n| {
        let name = named(n.act, n.label, n.label_en)?;
        Some(NotNow { name, code: n.code, why: n.why.clone(), why_zh: n.why_zh.clone() })
    });
    NextView { items: items.collect(), not_now: not_now.collect() }
}

impl Actions {
    /// What this place may do with a matter now, and why not the rest.
    ///
    /// # Errors
    /// As [`Actions::matter`].
    pub async fn next(&self, reference: &str) -> Result<NextView, ActionError> {
        let doc = self.find_matter(reference).await?;
        let draft = self.draft(&doc).await?;
        if draft.moved_away().is_some() {
            return Ok(NextView { items: Vec::new(), not_now: Vec::new() });
        }
        let mut matter = draft.matter()?;
        matter.look_on(self.today());
        let world = self.world();
        Ok(view(&next_of(&matter, &world), &matter, &self.viewer(&world)))
    }
}
