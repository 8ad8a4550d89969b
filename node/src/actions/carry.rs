//! Carrying a lead's reply into the matters merged into it.
//!
//! The people behind a merged matter are owed a reply of their own. When a lead is answered or refused,
//! the place that holds a source writes the same words into it, naming the act it carries. Nobody asks
//! for it, so it is signed by the node with no person's name; and it is written once, however often it is
//! tried, because a reply that carries that act is looked for first.

use super::{ActionError, Actions, author::Draft};
use yishi_protocol::{
    act::{Step, Text},
    fold::{Matter, Reply, frame::Stage},
    ids::DocId,
};

impl Actions {
    /// Writes a lead's newest reply into each of its sources that this place holds and that lacks it.
    /// Returns how many it wrote.
    pub(crate) async fn carry(&self, lead: &DocId, matter: &Matter) -> Result<usize, ActionError> {
        // A reply the people sent back is no reply to anybody else either.
        let stands = matches!(matter.stage, Stage::Answered | Stage::Refused | Stage::Closed);
        let Some(reply) = matter.newest_reply().filter(|_| stands) else { return Ok(0) };
        let mut carried = 0;
        for source in &matter.sources {
            let locked = self.lock([source.doc]).await;
            let Some(mut draft) = Draft::load(self.store(), &source.doc).await? else { continue };
            let mut batch = self.batch();
            if self.carry_into(&mut draft, lead, reply)? {
                draft.into_batch(&mut batch);
                self.store().write(batch).await?;
                carried += 1;
            }
            drop(locked);
        }
        Ok(carried)
    }

    /// As [`Actions::carry`], seen from a source: its lead may have been answered before it was merged.
    pub(crate) async fn carry_from_lead(&self, source: &Matter) -> Result<usize, ActionError> {
        let Some(lead) = source.merged_into else { return Ok(0) };
        if source.holder.map(|h| self.world().directory.stands_in(&h)) != Some(self.world().me.place) {
            return Ok(0);
        }
        let Some(draft) = Draft::load(self.store(), &lead).await? else { return Ok(0) };
        let matter = draft.matter()?;
        self.carry(&lead, &matter).await
    }

    fn carry_into(&self, draft: &mut Draft, lead: &DocId, reply: &Reply) -> Result<bool, ActionError> {
        let source = draft.matter()?;
        let me = self.world().me.place;
        let due = source.merged_into == Some(*lead)
            && source.holder.map(|h| self.world().directory.stands_in(&h)) == Some(me)
            && !source.answers.iter().any(|a| a.lead == Some(*lead) && a.lead_act == Some(reply.act));
        if !due {
            return Ok(false);
        }
        let what = Step::Answer {
            text: Text(reply.text.clone()),
            outcome: reply.outcome,
            lead: Some(*lead),
            lead_act: Some(reply.act),
        };
        match draft.step_on(&source, None, self.today(), what) {
            Ok(_) => Ok(true),
            // The source was closed, waits for a settlement or was moved elsewhere: nothing is owed now.
            Err(ActionError::NotLegal(_) | ActionError::MovedAway(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }
}
