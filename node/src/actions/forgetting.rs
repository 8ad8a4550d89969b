//! Forgetting a petitioner: every wrapped key of the sealed dossier is deleted, here and at every place
//! that had one; each says so with its own signature, and this place sees who has and who has not.
//!
//! The matter itself, its steps and its answers stay: they name nobody. What cannot be undone is asked for
//! with the matter's number written out.

use super::{ActionError, Actions, day_text, views::ForgettingView};
use crate::store::{Batch, World};
use std::collections::BTreeSet;
use yishi_protocol::{
    audience::{Audience, Reach},
    beside::{Beside, What},
    ids::{DocId, PlaceId},
};

impl Actions {
    /// Has the petitioner of a matter forgotten. `confirm` is the matter's number, written out. Asking
    /// again changes nothing.
    ///
    /// # Errors
    /// [`ActionError::Sealed`] if nobody is sealed in this matter or another place registered them,
    /// [`ActionError::Invalid`] if the number is not the matter's.
    pub async fn forget(
        &self,
        reference: &str,
        confirm: &str,
        reason: &str,
    ) -> Result<ForgettingView, ActionError> {
        let (number, dossier) = self.dossier_of(reference).await?;
        if confirm.trim() != number {
            return Err(ActionError::invalid(
                "confirm",
                format!(
                    "Write the matter's number, {number}, to confirm: forgetting cannot be undone. Nothing was changed."
                ),
                format!("请照抄事项编号 {number} 以确认：忘记后无法恢复。没有改动任何内容。"),
            ));
        }
        let whole = self.store().document(&dossier).await?.ok_or(ActionError::Sealed)?;
        let world = self.world();
        let home = whole.header.home;
        if world.me.place != home && !world.directory.place_ancestors(&home).contains(&world.me.place) {
            return Err(ActionError::Sealed);
        }
        let reason: String = reason.trim().chars().take(50).collect();
        let what = What::Forget { on: self.today(), reason };
        let record =
            Beside::new(&world.me.keys, world.me.cert, &world.directory.federation(), &dossier, what);
        let wraps = vec![(dossier, record)];
        self.store().write(Batch { at_ms: self.now_ms(), wraps, ..Batch::default() }).await?;
        self.forgetting(reference).await
    }

    /// Who has forgotten the petitioner of a matter and who has not said so yet.
    ///
    /// # Errors
    /// [`ActionError::Sealed`] if nobody is sealed in this matter.
    pub async fn forgetting(&self, reference: &str) -> Result<ForgettingView, ActionError> {
        let (_, dossier) = self.dossier_of(reference).await?;
        let whole = self.store().document(&dossier).await?.ok_or(ActionError::Sealed)?;
        let world = self.world();
        let viewer = self.viewer(&world);
        let place_of = |record: &Beside| world.directory.get(&record.by).map(|c| c.place);
        let forget = whole.wraps.iter().find_map(|r| match &r.what {
            What::Forget { on, reason } => Some((*on, reason.clone(), place_of(r)?)),
            _ => None,
        });
        let mut audience = Audience::of_header(&whole.header);
        audience.0.extend(whole.grants.iter().map(|g| g.reach));
        let done: BTreeSet<PlaceId> =
            whole.wraps.iter().filter(|r| r.what == What::Forgotten).filter_map(place_of).collect();
        let waiting = expected(&world, &audience).into_iter().filter(|p| !done.contains(p));
        Ok(ForgettingView {
            forgotten: forget.is_some(),
            on: forget.as_ref().map(|f| day_text(f.0)),
            reason: forget.as_ref().map(|f| f.1.clone()).filter(|r| !r.is_empty()),
            by: forget.as_ref().map(|f| viewer.place(&f.2)),
            waiting: waiting.filter(|_| forget.is_some()).map(|p| viewer.place(&p)).collect(),
            done: done.iter().map(|p| viewer.place(p)).collect(),
        })
    }

    async fn dossier_of(&self, reference: &str) -> Result<(String, DocId), ActionError> {
        let doc = self.find_matter(reference).await?;
        let matter = self.draft(&doc).await?.matter()?;
        Ok((matter.number.clone(), matter.dossier.ok_or(ActionError::Sealed)?))
    }
}

/// The places that may hold a key.
fn expected(world: &World, audience: &Audience) -> BTreeSet<PlaceId> {
    let subtree = audience.0.iter().any(|r| matches!(r, Reach::Subtree(_)));
    let mut out: BTreeSet<PlaceId> = audience.0.iter().map(Reach::place).collect();
    if subtree {
        let known = world.directory.places().map(|(place, _)| place);
        out.extend(known.filter(|p| audience.includes(&world.directory, p)));
    }
    out
}
