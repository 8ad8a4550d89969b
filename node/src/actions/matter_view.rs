//! From a matter as folded or kept to what callers get.

use super::{
    ActionError, Actions,
    author::Draft,
    day_text, instant_text, next_view,
    sketch::{Due, Sketch},
    views::{
        AnswerView, ChangeView, DeadlineView, ExternalView, HeldUpView, LevelView, MatterSummary, MatterView,
        PetitionerView, PlaceView, RatingView, StoredView, TimelineView, ViolationView,
    },
};
use crate::{
    clock::day_of_ms,
    store::{FileRow, World},
};
use std::collections::BTreeMap;
use yishi_protocol::{
    audience::Audience,
    branch,
    calendar::{Calendar, Date, Deadline},
    commit::Place,
    fold::{HeldUp, Matter, Verdict, Why, frame::Stage, words},
    ids::{ChangeHash, DocId, Hash, PlaceId},
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
        match self.world.directory.called(place) {
            Some([code, name, level]) => PlaceView {
                id: *place,
                code: code.to_owned(),
                name: name.to_owned(),
                level: level.to_owned(),
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
            holder: sketch.holder.map(|h| self.place(&self.world.directory.stands_in(&h))),
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
    pub(crate) fn matter(
        &self,
        draft: &Draft,
        matter: &Matter,
        stored_up: u32,
        files: &BTreeMap<Hash, FileRow>,
    ) -> MatterView {
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
            timeline: self.timeline(draft, matter),
            next: match draft.moved_away() {
                Some(_) => Vec::new(),
                None => next_view::names(matter, self.world),
            },
            held_up: matter.held_up.as_ref().map(|held| self.held_up(held)),
            deliberation: self.deliberation(matter),
            attachments: matter.attachments.iter().map(|a| self.attachment(a, files.get(&a.file))).collect(),
        }
    }

    fn held_up(&self, held: &HeldUp) -> HeldUpView {
        let helpers: Vec<PlaceView> = held.helpers.iter().map(|p| self.place(p)).collect();
        let names: Vec<&str> = helpers.iter().map(|p| p.name.as_str()).collect();
        let place = self.place(&held.place);
        let (why, why_zh) = match held.why {
            Why::NewerKind => (
                "this needs a newer program: bring this one up to date".to_owned(),
                "需要更新版本的程序才能读懂，请升级本机程序".to_owned(),
            ),
            Why::Procedure(pin) => {
                let pin: String = pin.to_string().chars().take(ID_DIGITS_SHOWN).collect();
                (
                    format!("this waits for procedure {pin}, which is not here yet"),
                    format!("等待办理程序 {pin} 到达"),
                )
            }
        };
        HeldUpView {
            act: held.act,
            why: format!(
                "a step of {}: {why}; or one of these takes it over: {}",
                place.name,
                names.join(", ")
            ),
            why_zh: format!("{}的一步{why_zh}；也可由{}提级接办", place.name, names.join("、")),
            place,
            helpers,
        }
    }

    fn timeline(&self, draft: &Draft, matter: &Matter) -> Vec<TimelineView> {
        let stored: BTreeMap<ChangeHash, u64> =
            draft.stored.iter().map(|c| (c.commit.hash, c.stored_at_ms)).collect();
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
                    claimed_on: t.claimed.map(day_text),
                    stored_on: stored.get(&t.hash).map(|at| day_text(day_of_ms(*at))),
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
            let placed = commits.iter().map(|c| {
                let c = &c.commit;
                (&c.hash, Place { actor: c.actor, seq: c.seq, max_op: c.max_op }, c.deps.as_slice())
            });
            // No document holds two changes with one number: the branch with the lower hash is it.
            let beside = branch::left_out(placed);
            let changes = commits
                .into_iter()
                .filter(|c| !beside.contains(&c.commit.hash))
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
        Viewer { world, calendar: &world.charters.calendar, today: self.today() }
    }

    /// A matter in full, from its own changes.
    pub(super) async fn show(&self, draft: &Draft) -> Result<MatterView, ActionError> {
        let mut matter = draft.matter()?;
        matter.witness(|act| draft.stored_on(act));
        let world = self.world();
        let stored_up = self.store().stored_up(&[draft.doc]).await?.get(&draft.doc).copied().unwrap_or(0);
        let named: Vec<Hash> = matter.attachments.iter().map(|a| a.file).collect();
        let files = match named.is_empty() {
            true => BTreeMap::new(),
            false => self.store().files(&named).await?,
        };
        Ok(self.viewer(&world).matter(draft, &matter, stored_up, &files))
    }
}
