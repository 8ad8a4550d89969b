//! 成果: a decision over one or many matters, and the replies that stand on it.
//!
//! The decision is a document of its own; every matter it is about gets a `decide` step that names it, and
//! with a reply also the reply. All of it is saved together or not at all.

use super::{
    ActionError, Actions, By,
    author::Draft,
    day_text,
    find::page_limit,
    matter_view::Viewer,
    request::{OutcomeRequest, PageQuery},
    views::{ActedView, CitedView, OutcomeView, Page, ProgressView, Warning},
    words::{numbers_warning, optional, optional_short, required, short},
};
use crate::store::{Batch, World};
use std::collections::BTreeSet;
use yishi_protocol::{
    act::{Act, Cited, Decision, Step, Text},
    calendar::Date,
    fold::{self, Matter, outcome::Outcome},
    ids::{ActRef, DocId, PlaceId},
    kind::Kind,
    limits::HEADER_GRANTS_MAX,
};

/// What a decision over some matters wrote.
struct Decided {
    outcome: DocId,
    /// The `decide` step in the first matter.
    first: Option<ActRef>,
    warnings: Vec<Warning>,
}

impl Actions {
    /// Decides over matters held here.
    ///
    /// # Errors
    /// [`ActionError`]; nothing is kept then.
    pub async fn decide_outcome(
        &self,
        by: By<'_>,
        request: OutcomeRequest,
    ) -> Result<OutcomeView, ActionError> {
        let mut docs = Vec::with_capacity(request.proposals.len());
        for reference in &request.proposals {
            let doc = self.find_matter(reference).await?;
            if !docs.contains(&doc) {
                docs.push(doc);
            }
        }
        if docs.is_empty() {
            return Err(ActionError::missing("proposals"));
        }
        let decided = self.decide(by, &docs, request).await?;
        self.outcome_by_id(&decided.outcome).await
    }

    /// Decides over one matter, as an act in it.
    pub(super) async fn decide_one(
        &self,
        by: By<'_>,
        doc: &DocId,
        request: OutcomeRequest,
    ) -> Result<ActedView, ActionError> {
        let decided = self.decide(by, &[*doc], request).await?;
        let act = decided.first.ok_or(ActionError::Broken("a decision left no step"))?;
        Ok(ActedView { matter: self.matter_by_id(doc).await?, act, warnings: decided.warnings })
    }

    async fn decide(
        &self,
        by: By<'_>,
        docs: &[DocId],
        request: OutcomeRequest,
    ) -> Result<Decided, ActionError> {
        let (title, text) = (short("title", &request.title)?, required("text", &request.text)?);
        let answer = optional("answer", request.answer.as_deref())?;
        let unit = optional_short("unit", request.unit.as_deref())?;
        let said =
            [Some(title.as_str()), Some(&text.0), answer.as_ref().map(|a| a.0.as_str()), unit.as_deref()];
        request.numbers.refuse(said.into_iter().flatten())?;
        let locked = self.lock(docs.iter().copied()).await;
        let (world, today) = (self.world(), self.today());
        let mut drafts: Vec<(Draft, Matter)> = Vec::with_capacity(docs.len());
        let mut proposals: Vec<Cited> = Vec::new();
        for doc in docs {
            let draft = self.draft(doc).await?;
            let matter = draft.matter()?;
            proposals.push(Cited { doc: *doc, home: matter.home, number: matter.number.clone() });
            drafts.push((draft, matter));
        }
        for (_, matter) in &drafts {
            for source in &matter.sources {
                if proposals.iter().all(|p| p.doc != source.doc) {
                    let (doc, home, number) = (source.doc, source.home, source.number.clone());
                    proposals.push(Cited { doc, home, number });
                }
            }
        }
        let reach = reach(&world, &proposals, &drafts)?;
        let mut batch = self.dated_batch()?;
        let mut outcome = Draft::create(&world, Kind::Outcome, reach, self.nonce())?;
        let person = || by.map(str::to_owned);
        let what = Decision::Decide {
            title,
            text: text.clone(),
            proposals,
            unit,
            budget_yuan: request.budget_yuan,
            due: request.due_on.map(Date::days),
        };
        let decision = outcome.act("decisions", Act { prev: None, on: today, by: person(), what })?;
        if let Some(text) = &answer {
            let what = Decision::Answer { text: text.clone() };
            outcome.act("decisions", Act { prev: None, on: today, by: person(), what })?;
        }
        let id = outcome.doc;
        outcome.into_batch(&mut batch);
        let first = self.cite(by, drafts, id, decision, answer.as_ref(), &mut batch)?;
        self.store().write(batch).await?;
        drop(locked);
        let numbers =
            [Some(&text), answer.as_ref()].into_iter().flatten().any(|t| super::privacy::has_numbers(&t.0));
        Ok(Decided { outcome: id, first, warnings: numbers.then(numbers_warning).into_iter().collect() })
    }

    /// Writes the decision, and the reply if there is one, into every matter.
    fn cite(
        &self,
        by: By<'_>,
        drafts: Vec<(Draft, Matter)>,
        outcome: DocId,
        decision: ActRef,
        answer: Option<&Text>,
        batch: &mut Batch,
    ) -> Result<Option<ActRef>, ActionError> {
        let (today, mut first) = (self.today(), None);
        for (mut draft, matter) in drafts {
            let act = draft.step_on(&matter, by, today, Step::Decide { outcome, act: decision })?;
            first = first.or(Some(act));
            if let Some(text) = answer {
                let text = text.clone();
                draft.step(
                    by,
                    today,
                    Step::Answer { text, outcome: Some(outcome), lead: None, lead_act: None },
                )?;
            }
            draft.into_batch(batch);
        }
        Ok(first)
    }

    /// Outcomes, the newest first.
    ///
    /// # Errors
    /// [`ActionError`] if the request is wrong or the store cannot be read.
    pub async fn outcomes(&self, query: &PageQuery) -> Result<Page<OutcomeView>, ActionError> {
        let limit = page_limit(query.limit)?;
        let before = query.cursor.as_deref().and_then(|c| {
            let (at, row) = c.split_once('.')?;
            Some((at.parse().ok()?, row.parse().ok()?))
        });
        let (rows, next) = self.store().outcomes(before, limit).await?;
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            items.push(self.outcome_by_id(&row.doc).await?);
        }
        Ok(Page { items, next_cursor: next.map(|(at, row)| format!("{at}.{row}")) })
    }

    /// An outcome by its id or the beginning of it.
    ///
    /// # Errors
    /// [`ActionError::UnknownOutcome`], [`ActionError::Ambiguous`] or what the store said.
    pub async fn outcome(&self, reference: &str) -> Result<OutcomeView, ActionError> {
        let doc = self.find_outcome(reference).await?;
        self.outcome_by_id(&doc).await
    }

    async fn outcome_by_id(&self, doc: &DocId) -> Result<OutcomeView, ActionError> {
        let unknown = || ActionError::UnknownOutcome(doc.to_string());
        let draft = Draft::load(self.store(), doc).await?.ok_or_else(unknown)?;
        let outcome = super::author::guarded(*doc, || fold::outcome::fold(&draft.input()))?;
        let world = self.world();
        let stored_up = self.store().stored_up(&[*doc]).await?.get(doc).copied().unwrap_or(0);
        Ok(view(&self.viewer(&world), &draft, &outcome, stored_up))
    }
}

/// Who sees an outcome: this place; for every matter its home and all places between; and the place above
/// if it sees every one of the matters already.
fn reach(
    world: &World,
    cited: &[Cited],
    drafts: &[(Draft, Matter)],
) -> Result<BTreeSet<PlaceId>, ActionError> {
    let (directory, me) = (&world.directory, world.me.place);
    let mut reach = BTreeSet::from([me]);
    for proposal in cited {
        let above = directory.place_ancestors(&proposal.home);
        if proposal.home == me || above.contains(&me) {
            reach.insert(proposal.home);
            reach.extend(above.into_iter().take_while(|p| *p != me));
        }
    }
    if let Some(parent) = directory.parent(&world.me.place)
        && drafts.iter().all(|(d, _)| d.audience.includes(directory, &parent))
    {
        reach.insert(parent);
    }
    if reach.len() > HEADER_GRANTS_MAX {
        return Err(ActionError::invalid(
            "proposals",
            format!(
                "One outcome can be shown to at most {HEADER_GRANTS_MAX} places. Nothing was saved. Decide over fewer matters at a time."
            ),
            format!("一项成果最多送达 {HEADER_GRANTS_MAX} 个单位，尚未保存。请分几次作出决定。"),
        ));
    }
    Ok(reach)
}

fn view(viewer: &Viewer<'_>, draft: &Draft, outcome: &Outcome, stored_up: u32) -> OutcomeView {
    let decision = outcome.decision.as_ref();
    OutcomeView {
        id: draft.doc,
        title: decision.map(|d| d.title.clone()).unwrap_or_default(),
        text: decision.map(|d| d.text.clone()).unwrap_or_default(),
        unit: decision.and_then(|d| d.unit.clone()),
        budget_yuan: decision.and_then(|d| d.budget_yuan),
        due_on: decision.and_then(|d| d.due).map(day_text),
        decided_on: decision.map(|d| day_text(d.on)).unwrap_or_default(),
        place: viewer.place(&outcome.place),
        proposals: decision
            .iter()
            .flat_map(|d| &d.proposals)
            .map(|p| CitedView {
                id: p.doc,
                number: Some(p.number.clone()).filter(|n| !n.is_empty()),
                home: viewer.place(&p.home),
            })
            .collect(),
        answer: outcome.answers.last().map(|a| a.text.clone()),
        progress: outcome
            .progress
            .iter()
            .map(|p| ProgressView {
                text: p.text.clone(),
                percent: p.percent,
                place: viewer.place(&p.place),
                on: day_text(p.on),
            })
            .collect(),
        stored: viewer.stored(&draft.audience, stored_up),
    }
}
