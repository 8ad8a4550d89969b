//! From a matter as folded or kept to what callers get.

use super::{
    ActionError, Actions,
    author::Draft,
    day_text, instant_text, next_view,
    sketch::{Due, Sketch},
    views::{
        AnswerView, ChangeView, DeadlineView, ExternalView, LevelView, MatterSummary, MatterView,
        PetitionerView, PlaceView, RatingView, StoredView, TimelineView, ViolationView,
    },
};
use crate::store::World;
use yishi_protocol::{
    audience::Audience,
    calendar::{Calendar, Date, Deadline},
    fold::{Matter, Verdict, procedure::Stage, words},
    ids::{DocId, PlaceId},
};

/// Digits of an id shown in place of a name that is not known yet.
const ID_DIGITS_SHOWN: usize = 8;

/// One moment's knowledge, for making views.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Viewer<'a> {
    pub(crate) world: &'a World,
    pub(crate) calendar: &'a Calendar,
    pub(crate) today: i64,
}

impl Viewer<'_> {
    /// A place as it is called now.
    pub(crate) fn place(&self, place: &PlaceId) -> PlaceView {
        match self.world.directory.place_cert(place) {
            Some(cert) => PlaceView {
                id: *place,
                code: cert.code.clone(),
                name: cert.name.clone(),
                level: cert.level.clone(),
            },
            None => PlaceView {
                id: *place,
                code: String::new(),
                name: place.to_string().chars().take(ID_DIGITS_SHOWN).collect(),
                level: String::new(),
            },
        }
    }

    /// A time limit on today's calendar.
    pub(crate) fn deadline(&self, due: &Due) -> Option<DeadlineView> {
        let symbolic = Deadline::working_days(Date::from_days(due.from)?, u32::from(due.days), &due.what);
        let view = symbolic.view(Date::from_days(self.today)?, self.calendar);
        Some(DeadlineView {
            date: view.date.to_string(),
            working_days_left: view.left,
            overdue: view.overdue,
            provisional: view.provisional,
            what: due.what.clone(),
        })
    }

    /// Which levels above have it on disk: each says so itself, with its own signature.
    pub(crate) fn stored(&self, audience: &Audience, stored_up: u32) -> StoredView {
        let above = self.world.directory.ancestors(&self.world.me.cert);
        let up = (1u32..)
            .zip(above)
            .filter(|(_, place)| audience.includes(&self.world.directory, place))
            .map(|(level, place)| {
                let place = self.place(&place);
                LevelView {
                    level: place.level.clone(),
                    place,
                    state: if stored_up >= level { "stored" } else { "waiting" },
                    since: None,
                }
            })
            .collect();
        StoredView { here: true, up }
    }

    /// A matter in short.
    pub(crate) fn summary(
        &self,
        doc: DocId,
        sketch: &Sketch,
        stored: StoredView,
        updated_at_ms: u64,
    ) -> MatterSummary {
        let stage = Stage::from_name(&sketch.stage);
        let petitioner = (sketch.petitioner.is_some() || sketch.dossier.is_some()).then(|| PetitionerView {
            kind: sketch.petitioner.clone().unwrap_or_else(|| "named".to_owned()),
            dossier: sketch.dossier,
        });
        MatterSummary {
            id: doc,
            number: sketch.number.clone(),
            check_code: sketch.check.clone(),
            title: sketch.title.clone(),
            category: sketch.category.clone(),
            source: sketch.source.clone(),
            channel: sketch.channel.clone(),
            raised_on: day_text(sketch.raised_on),
            home: self.place(&sketch.home),
            holder: sketch.holder.map(|h| self.place(&h)),
            stage: sketch.stage.clone(),
            stage_zh: stage.map_or_else(|| sketch.stage.clone(), |s| s.zh().to_owned()),
            deadline: sketch.due.as_ref().and_then(|d| self.deadline(d)),
            merged_into: sketch.merged_into,
            sources: sketch.sources.clone(),
            outcomes: sketch.outcomes.clone(),
            ratings: sketch
                .ratings
                .iter()
                .map(|r| RatingView {
                    score: r.score,
                    source: r.source.clone(),
                    place: self.place(&r.place),
                    counted: r.counted,
                    on: day_text(r.on),
                })
                .collect(),
            supports: sketch.supports,
            external: sketch
                .external
                .as_ref()
                .map(|(system, number)| ExternalView { system: system.clone(), number: number.clone() }),
            petitioner,
            stored,
            violations: sketch
                .violations
                .iter()
                .filter_map(|v| {
                    let rule = v.violation()?;
                    Some(ViolationView {
                        act: v.act,
                        place: self.place(&v.place),
                        rule: rule.name(),
                        why: rule.en(),
                        why_zh: rule.zh(),
                    })
                })
                .collect(),
            late: sketch.late.clone(),
            told: sketch.told,
            updated_at: instant_text(updated_at_ms),
        }
    }

    /// A matter in full.
    pub(crate) fn matter(&self, draft: &Draft, matter: &Matter, stored_up: u32) -> MatterView {
        let updated = draft.stored.iter().map(|c| c.stored_at_ms).max().unwrap_or(0);
        let stored = self.stored(&draft.audience, stored_up);
        let mut answers: Vec<_> = matter.answers.iter().chain(&matter.refusals).collect();
        answers.sort_by_key(|a| matter.timeline.iter().position(|t| t.act == a.act));
        MatterView {
            summary: self.summary(draft.doc, &Sketch::of(matter), stored, updated),
            body: matter.body.clone(),
            answers: answers
                .into_iter()
                .map(|a| AnswerView {
                    act: a.act,
                    text: a.text.clone(),
                    place: self.place(&a.place),
                    on: day_text(a.on),
                    outcome: a.outcome,
                    told: a.told,
                })
                .collect(),
            timeline: self.timeline(matter),
            next: next_view::names(matter, self.world),
        }
    }

    fn timeline(&self, matter: &Matter) -> Vec<TimelineView> {
        matter
            .timeline
            .iter()
            .map(|t| {
                let corrected = t.verdict == Verdict::Counted && t.corrected_by.is_some();
                let counts = t.verdict == Verdict::Counted;
                TimelineView {
                    act: t.act,
                    kind: t.kind.to_string(),
                    kind_zh: words::act_zh(&t.kind).to_owned(),
                    place: t.place.map(|p| self.place(&p)),
                    by: t.by.clone(),
                    on: day_text(t.on),
                    text: t.text.clone(),
                    verdict: if corrected { "corrected" } else { t.verdict.name() },
                    why: (!counts).then(|| t.verdict.en()),
                    why_zh: (!counts).then(|| t.verdict.zh()),
                }
            })
            .collect()
    }
}

impl Actions {
    /// A matter by number, id or the beginning of its id.
    ///
    /// # Errors
    /// [`ActionError::UnknownMatter`], [`ActionError::Ambiguous`] or what the store said.
    pub async fn matter(&self, reference: &str) -> Result<MatterView, ActionError> {
        let doc = self.find_matter(reference).await?;
        self.matter_by_id(&doc).await
    }

    /// The changes of a matter.
    ///
    /// # Errors
    /// As [`Actions::matter`].
    pub async fn changes(&self, reference: &str) -> Result<Vec<ChangeView>, ActionError> {
        let doc = self.find_matter(reference).await?;
        let commits = self.store().doc_commits(&doc).await?;
        Ok(commits
            .into_iter()
            .map(|c| ChangeView {
                hash: c.commit.hash,
                actor: c.commit.actor,
                seq: c.commit.seq,
                signed_by_cert: c.commit.cover.map(|cover| cover.cert),
                bytes: c.commit.bytes.len(),
            })
            .collect())
    }

    /// A matter as an Automerge document that any Automerge client loads.
    ///
    /// # Errors
    /// As [`Actions::matter`]; [`ActionError::SetAside`] if Automerge does not take it.
    pub async fn document(&self, reference: &str) -> Result<Vec<u8>, ActionError> {
        let doc = self.find_matter(reference).await?;
        let commits = self.store().doc_commits(&doc).await?;
        let save = move || {
            let changes = commits
                .into_iter()
                .map(|c| automerge::Change::from_bytes(c.commit.bytes))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_| ActionError::SetAside(doc))?;
            let mut document = automerge::Automerge::new();
            document.apply_changes(changes).map_err(|_| ActionError::SetAside(doc))?;
            Ok(document.save())
        };
        tokio::task::spawn_blocking(move || super::author::guarded(doc, save))
            .await
            .map_err(|_| ActionError::SetAside(doc))??
    }

    /// One moment's knowledge; the world is the caller's to keep.
    pub(crate) fn viewer<'a>(&'a self, world: &'a World) -> Viewer<'a> {
        Viewer { world, calendar: self.calendar(), today: self.today() }
    }

    /// A matter in full, from its own changes.
    pub(super) async fn show(&self, draft: &Draft) -> Result<MatterView, ActionError> {
        let matter = draft.matter()?;
        let world = self.world();
        let stored_up = self.store().stored_up(&[draft.doc]).await?.get(&draft.doc).copied().unwrap_or(0);
        Ok(self.viewer(&world).matter(draft, &matter, stored_up))
    }
}
