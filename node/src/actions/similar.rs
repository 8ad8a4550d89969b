//! 相似事项: which matters may be the same as one, or as a text before it is registered.
//!
//! A suggestion with its reason, never more: nothing is merged, moved or closed here. Closed matters are found
//! too, since an old answer helps; of merged ones the lead is shown. Only matters this place holds are looked
//! at, so nothing is told of what it may not read.

use super::{
    ActionError, Actions, Sketch,
    views::{MatterView, OtherWords, SimilarList, SimilarView, Warning},
    words::required,
};
use crate::{
    likeness::{Likeness, Terms, Weights},
    store::{MatterRow, World},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::ids::{DocId, PlaceId};

/// Matters suggested: more than a person reads through.
const TOLD_MAX: usize = 5;
/// What is less alike is not shown: measured on `tests/data/similar_pairs.tsv`.
const ALIKE_MIN: f64 = 0.15;
/// From here on whoever registers is told without asking, if it is open: about every second one is the same
/// matter, measured on the half of the pairs that was worked with.
const SURELY_ALIKE: f64 = 0.35;
/// The category that tells nothing.
const NO_CATEGORY: &str = "其他";
/// Of two matters as alike as each other in words, the one nearby comes first.
const SAME_PLACE: f64 = 1.10;
const SAME_PARENT: f64 = 1.04;
const SAME_CATEGORY: f64 = 1.08;
const SAME_MONTH: f64 = 1.05;
const MONTH_DAYS: u64 = 31;
/// Leads of leads that are followed.
const LEADS_MAX: usize = 4;

/// A text to find like matters for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimilarRequest {
    /// What was said.
    pub text: String,
    /// Its category, if one was chosen.
    pub category: Option<String>,
}

/// What is asked for.
struct Asked {
    terms: Terms,
    home: PlaceId,
    category: Option<String>,
    day: i64,
    /// The matter itself and those it is merged with.
    own: BTreeSet<DocId>,
}

/// A matter found, with those that lead to it.
struct Found {
    row: MatterRow,
    sketch: Sketch,
    like: Likeness,
    score: f64,
    merged: Vec<String>,
}

impl Actions {
    /// Matters that may be the same as this one.
    ///
    /// # Errors
    /// [`ActionError`] if there is no such matter.
    pub async fn similar(&self, reference: &str) -> Result<SimilarList, ActionError> {
        let doc = self.find_matter(reference).await?;
        let matter = self.draft(&doc).await?.matter()?;
        let mut own: BTreeSet<DocId> = [doc].into();
        own.extend(matter.merged_into);
        own.extend(matter.sources.iter().map(|s| s.doc));
        self.alike(Asked {
            terms: Terms::of(&format!("{}\n{}", matter.title, matter.body)),
            home: matter.home,
            category: matter.category,
            day: matter.raised_on,
            own,
        })
        .await
    }

    /// Matters that may be the same as a text.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] if there is no text or too much.
    pub async fn similar_text(&self, request: &SimilarRequest) -> Result<SimilarList, ActionError> {
        let text = required("text", &request.text)?;
        self.alike(Asked {
            terms: Terms::of(&text.0),
            home: self.world().me.place,
            category: request.category.clone(),
            day: self.today(),
            own: BTreeSet::new(),
        })
        .await
    }

    /// What whoever registered a matter is told: an open one that is surely alike. Registering never fails
    /// because of it.
    pub(super) async fn open_already(&self, matter: &MatterView) -> Option<Warning> {
        let reference = matter.summary.id.to_string();
        let found = self.similar(&reference).await.inspect_err(|error| {
            tracing::warn!(%error, "matters like a new one were not looked for");
        });
        let sure = |s: &SimilarView| s.open && f64::from(s.alike) >= SURELY_ALIKE * 100.0;
        let like = found.ok()?.items.into_iter().find(sure)?;
        let (number, title) = (&like.matter.number, &like.matter.title);
        Some(Warning {
            code: "similar_open",
            detail: format!(
                "{number} “{title}” is open and may be the same ({}). This matter was registered all the same; if they are one, merge them.",
                like.why
            ),
            detail_zh: format!(
                "{number}“{title}”还在办，可能是同一件事（{}）。本件已照常登记；如确是同一件，请并案。",
                like.why_zh
            ),
        })
    }

    async fn alike(&self, asked: Asked) -> Result<SimilarList, ActionError> {
        if asked.terms.is_empty() {
            return Ok(SimilarList::default());
        }
        let world = self.world();
        let (sharing, weights) = self.store().sharing(&asked.terms).await?;
        let mut found: Vec<Found> = sharing
            .into_iter()
            .filter_map(|one| asked.measured(&world, &weights, one.row, &Terms::of(&one.text)))
            .collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.row.doc.cmp(&b.row.doc)));
        let found = self.led(&asked, found).await?;
        let docs: Vec<DocId> = found.iter().map(|f| f.row.doc).collect();
        let stored_up = self.store().stored_up(&docs).await?;
        let audiences: BTreeMap<DocId, _> = self.store().audiences(&docs).await?;
        let viewer = self.viewer(&world);
        let items = found.into_iter().filter_map(|f| {
            let audience = audiences.get(&f.row.doc)?;
            let stored = viewer.stored(audience, stored_up.get(&f.row.doc).copied().unwrap_or(0));
            let matter = viewer.summary(f.row.doc, &f.sketch, stored, f.row.updated_at_ms);
            let days_apart = asked.day.abs_diff(f.sketch.raised_on);
            let same_category = asked.same_category(&f.sketch);
            let same_place = f.sketch.home == asked.home;
            let (why, why_zh) =
                reason(&f.like, same_place.then_some(matter.home.level.as_str()), same_category, days_apart);
            Some(SimilarView {
                matter,
                open: !f.row.closed,
                alike: (f.score * 100.0).round() as u8,
                shared: f.like.shared,
                other_words: f
                    .like
                    .other_words
                    .into_iter()
                    .map(|(asked, there)| OtherWords { asked, there })
                    .collect(),
                same_place,
                same_category,
                days_apart,
                merged: f.merged,
                why,
                why_zh,
            })
        });
        Ok(SimilarList { items: items.collect() })
    }

    /// The best few, with leads in the place of what was merged into them.
    async fn led(&self, asked: &Asked, found: Vec<Found>) -> Result<Vec<Found>, ActionError> {
        let mut out: Vec<Found> = Vec::new();
        for mut one in found {
            let mut first = Some(one.row.number.clone().unwrap_or_default());
            for _ in 0..LEADS_MAX {
                let Some(lead) = one.row.merged_into else { break };
                // A lead that is not here cannot be shown; the merged matter says where it went.
                let Some(row) = self.store().matters_of(&[lead]).await?.pop() else { break };
                let Ok(sketch) = serde_json::from_str(&row.detail) else { break };
                (one.row, one.sketch) = (row, sketch);
                one.merged.extend(first.take());
            }
            if asked.own.contains(&one.row.doc) {
                continue;
            }
            if let Some(there) = out.iter_mut().find(|o| o.row.doc == one.row.doc) {
                there.merged.append(&mut one.merged);
            } else if out.len() < TOLD_MAX {
                out.push(one);
            }
        }
        Ok(out)
    }
}

impl Asked {
    fn same_category(&self, sketch: &Sketch) -> bool {
        self.category.is_some()
            && self.category == sketch.category
            && sketch.category.as_deref() != Some(NO_CATEGORY)
    }

    /// How alike a matter is; nothing if it is not, or is the one asked for.
    fn measured(&self, world: &World, weights: &Weights, row: MatterRow, said: &Terms) -> Option<Found> {
        if self.own.contains(&row.doc) {
            return None;
        }
        // A row of a newer program is left out, as in lists.
        let sketch: Sketch = serde_json::from_str(&row.detail).ok()?;
        let like = weights.compare(&self.terms, said);
        let mut score = like.score;
        if score < ALIKE_MIN || (like.shared.is_empty() && like.other_words.is_empty()) {
            return None;
        }
        let parent = |place: &PlaceId| world.directory.parent(place);
        if sketch.home == self.home {
            score *= SAME_PLACE;
        } else if parent(&sketch.home).is_some() && parent(&sketch.home) == parent(&self.home) {
            score *= SAME_PARENT;
        }
        if self.same_category(&sketch) {
            score *= SAME_CATEGORY;
        }
        if self.day.abs_diff(sketch.raised_on) <= MONTH_DAYS {
            score *= SAME_MONTH;
        }
        Some(Found { row, sketch, like, score: score.min(1.0), merged: Vec::new() })
    }
}

/// The reason in English and Chinese: only what both say, and what anybody can check.
fn reason(like: &Likeness, same_level: Option<&str>, same_category: bool, days: u64) -> (String, String) {
    let (mut en, mut zh) = (Vec::new(), Vec::new());
    if !like.shared.is_empty() {
        en.push(format!("both say: {}", like.shared.join(", ")));
        zh.push(format!("都提到：{}", like.shared.join("、")));
    }
    if !like.other_words.is_empty() {
        let pairs: Vec<String> = like.other_words.iter().map(|(a, b)| format!("{a}／{b}")).collect();
        en.push(format!("in other words: {}", pairs.join(", ")));
        zh.push(format!("说法不同、意思相近：{}", pairs.join("、")));
    }
    match same_level {
        Some("village") => {
            en.push("the same village".to_owned());
            zh.push("同一个村".to_owned());
        }
        Some(_) => {
            en.push("registered by the same place".to_owned());
            zh.push("同一单位登记".to_owned());
        }
        None => {}
    }
    if same_category {
        en.push("the same category".to_owned());
        zh.push("类别相同".to_owned());
    }
    match days {
        0 => {
            en.push("raised on the same day".to_owned());
            zh.push("同一天提出".to_owned());
        }
        n => {
            en.push(format!("{n} days apart"));
            zh.push(format!("相隔 {n} 天"));
        }
    }
    (en.join("; "), zh.join("；"))
}
