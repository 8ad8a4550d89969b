//! 并案 and its undoing: one act in each document, all of them saved together.

use super::{ActionError, Actions, By, views::ActedView};
use yishi_protocol::{
    act::{Cited, Step},
    fold::{Violation, next::NotAllowed},
    ids::DocId,
};

impl Actions {
    /// Merges sources into the matter `lead`.
    pub(super) async fn merge(
        &self,
        by: By<'_>,
        lead: &DocId,
        sources: &[String],
    ) -> Result<ActedView, ActionError> {
        let mut docs = Vec::with_capacity(sources.len());
        for source in sources {
            let doc = self.find_matter(source).await?;
            if doc == *lead {
                return Err(NotAllowed::Violation(Violation::IntoItself).into());
            }
            if !docs.contains(&doc) {
                docs.push(doc);
            }
        }
        if docs.is_empty() {
            return Err(ActionError::missing("sources"));
        }
        let locked = self.lock(docs.iter().copied().chain([*lead])).await;
        let (today, mut batch) = (self.today(), self.dated_batch()?);
        let mut draft = self.draft(lead).await?;
        let mut last = None;
        for doc in docs {
            let mut source = self.draft(&doc).await?;
            let matter = source.matter()?;
            source.step_on(&matter, by, today, Step::Merge { into: *lead })?;
            let cited = Cited { doc, home: matter.home, number: matter.number };
            last = Some(draft.step(by, today, Step::Absorb { source: cited })?);
            source.into_batch(&mut batch);
        }
        let act = last.ok_or(ActionError::missing("sources"))?;
        draft.into_batch(&mut batch);
        self.store().write(batch).await?;
        drop(locked);
        Ok(ActedView { matter: self.matter_by_id(lead).await?, act, warnings: Vec::new() })
    }

    /// Lets a source go on by itself; its lead releases it if this place holds the lead.
    pub(super) async fn unmerge(&self, by: By<'_>, source: &DocId) -> Result<ActedView, ActionError> {
        // The lead is read before anything is locked, and again under both locks.
        let lead = self.draft(source).await?.matter()?.merged_into;
        let locked = self.lock(lead.into_iter().chain([*source])).await;
        let (today, mut batch) = (self.today(), self.dated_batch()?);
        let mut draft = self.draft(source).await?;
        let act = draft.step(by, today, Step::Unmerge {})?;
        draft.into_batch(&mut batch);
        if let Some(lead) = lead
            && let Some(mut draft) = super::author::Draft::load(self.store(), &lead).await?
        {
            let matter = draft.matter()?;
            // A lead that another place holds, or that let go already, needs nothing from here.
            match draft.step_on(&matter, by, today, Step::Release { source: *source }) {
                Ok(_) => draft.into_batch(&mut batch),
                Err(ActionError::NotLegal(_) | ActionError::MovedAway(_)) => {}
                Err(other) => return Err(other),
            }
        }
        self.store().write(batch).await?;
        drop(locked);
        Ok(ActedView { matter: self.matter_by_id(source).await?, act, warnings: Vec::new() })
    }
}
