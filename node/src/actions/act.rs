//! One act in one matter: checked, written, answered for.

use super::{
    ActionError, Actions, By,
    author::Draft,
    deliberation,
    numbers::Numbers,
    privacy,
    request::{ActRequest, OutcomeRequest},
    views::{ActedView, Warning},
    words::{numbers_warning, optional, optional_short, required, short},
};
use crate::store::Batch;
use yishi_protocol::{
    act::{Step, Text, Voice},
    audience::{Grant, Reach},
    fold::{Matter, Violation, frame, next::NotAllowed},
    ids::{ActRef, DocId, Hash, PlaceId},
};

/// What is written: something that moves the matter, or something that does not.
enum What {
    Step(Step),
    Voice(Voice),
}

impl Actions {
    /// Does one act in a matter.
    ///
    /// # Errors
    /// [`ActionError::NotLegal`] names the rule if the procedure does not allow it now; nothing is kept then.
    pub async fn act(
        &self,
        by: By<'_>,
        reference: &str,
        request: ActRequest,
    ) -> Result<ActedView, ActionError> {
        self.act_with(by, reference, request, Numbers::Seal).await
    }

    /// The same, where somebody has said what numbers in it are.
    ///
    /// # Errors
    /// As [`Actions::act`].
    pub async fn act_with(
        &self,
        by: By<'_>,
        reference: &str,
        mut request: ActRequest,
        numbers: Numbers,
    ) -> Result<ActedView, ActionError> {
        let doc = self.find_matter(reference).await?;
        let taken = self.take_numbers(&doc, &mut request, numbers).await?;
        match request {
            ActRequest::Merge { sources } => return self.merge(by, &doc, &sources).await,
            ActRequest::Unmerge {} => return self.unmerge(by, &doc).await,
            ActRequest::Decide { title, text, unit, budget_yuan, due_on, answer } => {
                let proposals = vec![doc.to_string()];
                let request =
                    OutcomeRequest { proposals, title, text, unit, budget_yuan, due_on, answer, numbers };
                return self.decide_one(by, &doc, request).await;
            }
            _ => {}
        }
        let source = match &request {
            ActRequest::Release { source } => Some(self.find_matter(source).await?),
            _ => None,
        };
        let to = match &request {
            ActRequest::Return { to: Some(to), .. } => Some(self.find_place(to)?),
            _ => None,
        };
        let pin = match &request {
            ActRequest::Accept { procedure: Some(named), .. } if !named.trim().is_empty() => {
                Some(self.pin_named(named).await?)
            }
            _ => None,
        };
        let locked = self.lock([doc].into_iter().chain(taken.as_ref().map(|t| t.dossier))).await;
        let mut draft = self.draft(&doc).await?;
        let mut matter = draft.matter()?;
        matter.look_on(self.today());
        let request = self.by_charter(request, &matter)?;
        let (what, on, mut warnings) = self.read(request, &matter, source, to, pin)?;
        let mut batch = self.dated_batch()?;
        if let What::Step(Step::Escalate { to, .. }) = &what {
            self.widen(&draft, *to, &mut batch);
        }
        let act = match what {
            What::Step(step) => draft.step_on(&matter, by, on, step)?,
            What::Voice(voice) => draft.voice(by, on, voice)?,
        };
        draft.into_batch(&mut batch);
        if let Some(taken) = &taken {
            warnings.push(self.keep_taken(taken, by, &mut batch).await?);
        }
        self.store().write(batch).await?;
        drop(locked);
        Ok(ActedView { matter: self.matter_by_id(&doc).await?, act, warnings })
    }

    /// Shows a document to one more place, if it does not see it yet.
    fn widen(&self, draft: &Draft, to: PlaceId, batch: &mut Batch) {
        let world = self.world();
        if !draft.audience.includes(&world.directory, &to) {
            let federation = world.directory.federation();
            let me = &world.me;
            batch.grants.push(Grant::new(&me.keys, &federation, draft.doc, Reach::Place(to), me.cert));
        }
    }

    /// The act a request means, its day, and what the person should know.
    fn read(
        &self,
        request: ActRequest,
        matter: &Matter,
        source: Option<DocId>,
        to: Option<PlaceId>,
        pin: Option<Hash>,
    ) -> Result<(What, i64, Vec<Warning>), ActionError> {
        let mut on = self.today();
        let mut said: Vec<String> = Vec::new();
        let mut text = |text: &Text| said.push(text.0.clone());
        let what = match request {
            ActRequest::Accept { procedure: _, grade, urgency } => What::Step(Step::Accept {
                // Left out, it keeps what it is bound to.
                procedure: pin.or(matter.procedure).unwrap_or(frame::BUILT_IN),
                calendar: self.calendar().version(),
                grade: optional_short("grade", grade.as_deref())?,
                urgency: optional_short("urgency", urgency.as_deref())?,
            }),
            ActRequest::Advance { to, reason } => {
                let reason = optional("reason", reason.as_deref())?;
                reason.iter().for_each(&mut text);
                What::Step(Step::Advance { to: short("to", &to)?, reason })
            }
            ActRequest::Assign { unit, person, note } => {
                let note = optional("note", note.as_deref())?;
                note.iter().for_each(&mut text);
                let person = optional_short("person", person.as_deref())?;
                What::Step(Step::Assign { unit: short("unit", &unit)?, person, note })
            }
            ActRequest::Extend { working_days, reason } => {
                let reason = required("reason", &reason)?;
                text(&reason);
                What::Step(Step::Extend { working_days, reason })
            }
            ActRequest::Pause { reason } => {
                let reason = required("reason", &reason)?;
                text(&reason);
                What::Step(Step::Pause { reason })
            }
            ActRequest::Resume { note } => {
                let note = optional("note", note.as_deref())?;
                note.iter().for_each(&mut text);
                What::Step(Step::Resume { note })
            }
            ActRequest::Refer { to, reason } => {
                let reason = required("reason", &reason)?;
                text(&reason);
                What::Step(Step::Refer { to: short("to", &to)?, reason })
            }
            request @ (ActRequest::Call { .. }
            | ActRequest::Meet { .. }
            | ActRequest::Record { .. }
            | ActRequest::Post { .. }
            | ActRequest::Object { .. }
            | ActRequest::Summon { .. }
            | ActRequest::Respond { .. }) => {
                What::Voice(deliberation::read(request, matter, self.today(), &mut text)?)
            }
            ActRequest::Refuse { reason } => {
                let reason = required("reason", &reason)?;
                text(&reason);
                What::Step(Step::Refuse { reason })
            }
            ActRequest::Handle { note } => {
                let note = required("note", &note)?;
                text(&note);
                What::Step(Step::Handle { note })
            }
            ActRequest::Escalate { reason } => {
                let world = self.world();
                let parent = world.directory.parent(&world.me.place);
                let to = parent.ok_or(NotAllowed::Violation(Violation::NotParent))?;
                let reason = optional("reason", reason.as_deref())?;
                reason.iter().for_each(&mut text);
                What::Step(Step::Escalate { to, reason })
            }
            ActRequest::Return { reason, .. } => {
                // The last one that had it, unless the person says otherwise.
                let last = || matter.held_by.iter().rev().find(|h| matter.may_return_to.contains(&h.place));
                let to = to
                    .or_else(|| last().map(|h| h.place))
                    .or_else(|| matter.may_return_to.first().copied())
                    .ok_or(NotAllowed::Violation(Violation::NotBelow))?;
                let reason = required("reason", &reason)?;
                text(&reason);
                What::Step(Step::Return { to, reason })
            }
            ActRequest::Release { .. } => {
                let source = source.ok_or(ActionError::missing("source"))?;
                What::Step(Step::Release { source })
            }
            ActRequest::Answer { text: words, on: day } => {
                on = self.past_day("on", day)?;
                let words = required("text", &words)?;
                text(&words);
                What::Step(Step::Answer { text: words, outcome: None, lead: None, lead_act: None })
            }
            ActRequest::Close { note } => {
                let note = optional("note", note.as_deref())?;
                note.iter().for_each(&mut text);
                What::Step(Step::Close { note })
            }
            ActRequest::Reopen { reason } => {
                let reason = required("reason", &reason)?;
                text(&reason);
                What::Step(Step::Reopen { reason })
            }
            ActRequest::Withdraw { reason } => {
                let reason = optional("reason", reason.as_deref())?;
                reason.iter().for_each(&mut text);
                What::Step(Step::Withdraw { reason })
            }
            ActRequest::Correct { title, body, category, text: words } => {
                let target =
                    matter.tip.map(|t| t.act).ok_or(NotAllowed::Violation(Violation::NotRegistered))?;
                let (body, words) = (optional("body", body.as_deref())?, optional("text", words.as_deref())?);
                body.iter().chain(&words).for_each(&mut text);
                What::Step(Step::Correct {
                    target,
                    title: optional_short("title", title.as_deref())?,
                    body,
                    category: optional_short("category", category.as_deref())?,
                    text: words,
                })
            }
            ActRequest::TakeOver { reason } => {
                let reason = required("reason", &reason)?;
                text(&reason);
                // Taking over what cannot be followed here says so: it is set aside.
                let sets_aside = matter.held_up.as_ref().map(|h| h.act);
                What::Step(Step::TakeOver { reason, sets_aside })
            }
            ActRequest::Settle { branch } => What::Step(Step::Settle { branch }),
            ActRequest::Tell { answer, how, note } => {
                let answer = newest(answer, matter)?;
                let note = optional_short("note", note.as_deref())?;
                What::Voice(Voice::Tell { answer, how: short("how", &how)?, note })
            }
            ActRequest::Urge { degree, note } => {
                let note = optional("note", note.as_deref())?;
                note.iter().for_each(&mut text);
                let degree = optional_short("degree", degree.as_deref())?.unwrap_or_else(|| "urged".into());
                let (ground, since) = ("overdue".into(), matter.deadline.as_ref().map(|d| d.since));
                What::Voice(Voice::Urge { degree, ground, since, due: None, note })
            }
            ActRequest::Rate { score, source, note } => {
                let note = optional("note", note.as_deref())?;
                note.iter().for_each(&mut text);
                What::Voice(Voice::Rate { score, source: short("source", &source)?, note })
            }
            ActRequest::Comment { text: words } => {
                let words = required("text", &words)?;
                text(&words);
                What::Voice(Voice::Comment { text: words })
            }
            ActRequest::Support { count, note } => {
                What::Voice(Voice::Support { count, note: optional_short("note", note.as_deref())? })
            }
            ActRequest::Ballot {
                question,
                body,
                eligible,
                present,
                in_favour,
                against,
                abstain,
                votes,
                meeting,
                counters,
            } => {
                let meeting = meeting.or_else(|| deliberation::newest_meeting(matter, &body));
                What::Voice(Voice::Ballot {
                    question: short("question", &question)?,
                    body: short("body", &body)?,
                    eligible,
                    present,
                    in_favour,
                    against,
                    abstain,
                    votes,
                    meeting,
                    counters,
                })
            }
            ActRequest::Merge { .. } | ActRequest::Unmerge {} | ActRequest::Decide { .. } => {
                return Err(ActionError::Broken("an act over several documents came to the wrong place"));
            }
        };
        let warnings = said.iter().any(|s| privacy::has_numbers(s)).then(numbers_warning);
        Ok((what, on, warnings.into_iter().collect()))
    }
}

/// The reply a telling is about.
fn newest(answer: Option<ActRef>, matter: &Matter) -> Result<ActRef, ActionError> {
    answer
        .or_else(|| matter.newest_reply().map(|r| r.act))
        .ok_or_else(|| NotAllowed::Violation(Violation::NothingToTell).into())
}
