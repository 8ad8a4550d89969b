//! Moving, merging, renaming and re-coding places below, and what follows for documents.
//!
//! The record is signed by this node, which has to be above both the old and the new parent. Who could see
//! a document under the old parent is answered for the new one by signed widenings, written by whoever
//! holds the document and may show it: the place itself, and those above it.

use super::{
    ActionError, Actions,
    request::PlacingRequest,
    views::{PlaceView, PlacingView},
    words::short,
};
use yishi_protocol::{
    audience::Grant,
    cert::Placement,
    ids::{DocId, PlaceId},
    key::Signature,
    kind::Kind,
    place::PlaceCode,
};

impl Actions {
    /// Gives a place below another parent, name or code, or merges it into another place.
    ///
    /// # Errors
    /// [`ActionError::NotBelow`] if this node is not above all places concerned; [`ActionError::Invalid`] if
    /// nothing would change or a field is wrong.
    pub async fn place_at(
        &self,
        reference: &str,
        request: PlacingRequest,
    ) -> Result<PlacingView, ActionError> {
        let world = self.world();
        let (directory, me) = (&world.directory, world.me.place);
        let viewer = self.viewer(&world);
        let place = self.find_place(reference)?;
        let below = |p: &PlaceId| directory.place_ancestors(p).contains(&me);
        let needs_below = |p: &PlaceId| match below(p) {
            true => Ok(()),
            false => Err(ActionError::NotBelow(viewer.place(p).name)),
        };
        needs_below(&place)?;
        let old_parent = directory.parent(&place).ok_or(ActionError::Broken("a place without a parent"))?;
        let into = request.into.as_deref().map(|r| self.find_place(r)).transpose()?;
        into.as_ref().map(needs_below).transpose()?;
        // Merged into a place elsewhere it goes there: who acts for it must be able to hear of it.
        let asked = request.parent.as_deref().map(|r| self.find_place(r)).transpose()?;
        let parent = asked.or_else(|| into.and_then(|p| directory.parent(&p))).unwrap_or(old_parent);
        if parent != me {
            needs_below(&parent)?;
        }
        let moves = parent != old_parent;
        let address = match (&request.address, moves) {
            (Some(address), true) => short("address", address)?,
            (None, true) if parent == me => {
                self.0.address.get().cloned().ok_or(ActionError::missing("address"))?
            }
            (None, true) => return Err(ActionError::missing("address")),
            (_, false) => String::new(),
        };
        let [code, name, level] = directory.called(&place).unwrap_or_default().map(str::to_owned);
        let code = match &request.code {
            Some(text) => parsed(text)?.to_string(),
            None => code,
        };
        let name = request.name.as_deref().map_or(Ok(name), |n| short("name", n))?;
        let level = request.level.as_deref().map_or(Ok(level), |l| short("level", l))?;
        let last = directory.placement(&place);
        let placement = Placement {
            federation: directory.federation(),
            place,
            number: last.map_or(0, |p| p.number).saturating_add(1),
            previous: last.map(Placement::hash),
            parent,
            into: into.or_else(|| last.and_then(|p| p.into)),
            code: code.clone(),
            name: name.clone(),
            level: level.clone(),
            address,
            issuer: world.me.cert,
            signature: Signature([0; 64]),
        }
        .issued_by(&world.me.keys);
        let mut then = directory.clone();
        let taken = then.place_at(&placement);
        if taken.is_err() || then.placement(&place).map(Placement::hash) != Some(placement.hash()) {
            return Err(ActionError::invalid(
                "parent",
                "A place cannot stand under itself or under a place below it. Nothing was changed.",
                "单位不能划到自己或自己的下级之下，没有改动任何内容。",
            ));
        }
        let same = !moves && into.is_none() && directory.called(&place) == then.called(&place);
        if same {
            return Err(ActionError::invalid(
                "parent",
                "It is so already. Nothing was changed.",
                "本来就是这样，没有改动任何内容。",
            ));
        }
        let open = self.store().open_by_home().await?.get(&place).copied().unwrap_or(0);
        let under = directory.places().filter(|(p, _)| directory.place_ancestors(p).contains(&place)).count();
        let view = PlacingView {
            preview: request.preview,
            place: viewer.place(&place),
            called: PlaceView { id: place, code, name, level },
            old_parent: viewer.place(&old_parent),
            parent: viewer.place(&parent),
            into: placement.into.map(|p| viewer.place(&p)),
            number: placement.number,
            open_matters: open,
            places_below: under as u64,
        };
        if !request.preview {
            let mut batch = self.dated_batch()?;
            batch.placements.push(placement);
            self.store().write(batch).await?;
        }
        Ok(view)
    }

    /// Shows documents to whoever took the place of a reader on their home's path, and to whoever acts for
    /// their home now, where this node has to. Returns how many widenings were written.
    pub(crate) async fn widen_owed(&self, docs: &[DocId]) -> Result<usize, ActionError> {
        let world = self.world();
        let (headers, audiences) = (self.store().headers(docs).await?, self.store().audiences(docs).await?);
        let mut batch = self.batch();
        for (doc, audience) in audiences {
            let Some(header) = headers.get(&doc) else { continue };
            // Who may open a petitioner's details is decided by keys, never by the tree.
            if header.kind == Kind::Dossier || !audience.includes(&world.directory, &world.me.place) {
                continue;
            }
            let federation = world.directory.federation();
            for reach in audience.owed(&world.directory, &header.home, &world.me.cert) {
                let grant = Grant::new(&world.me.keys, &federation, doc, reach, world.me.cert);
                batch.grants.push(grant);
            }
        }
        let written = batch.grants.len();
        if written > 0 {
            self.store().write(batch).await?;
        }
        Ok(written)
    }
}

fn parsed(text: &str) -> Result<PlaceCode, ActionError> {
    text.trim().parse().map_err(|e: yishi_protocol::place::PlaceCodeError| {
        ActionError::invalid(
            "code",
            format!("“{text}” is no place code: {e}. Nothing was changed. Check the 12 digits."),
            format!("“{text}”不是 12 位区划代码，没有改动任何内容。请核对。"),
        )
    })
}
