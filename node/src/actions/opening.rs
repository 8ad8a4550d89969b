//! 调阅: a place above opens a matter of which it knows only the stub, on record, and checks the stub against it.
//!
//! The record is a notice to the place whose register speaks of the matter and to those between. Whoever of them holds
//! the matter shows it upwards and the record to the matter's home, by widenings the projector writes; so the opening
//! arrives with the reason, and nobody above reads without one.

use super::{
    ActionError, Actions, By,
    author::Draft,
    day_text,
    views::{OpeningView, StubField, StubView},
    words::required,
};
use crate::store::{OpeningRow, StubRow, World};
use serde::Deserialize;
use std::collections::BTreeSet;
use yishi_protocol::{
    act::{Act, Stub, Word},
    audience::{Grant, Reach},
    ids::{DocId, PlaceId},
    kind::Kind,
    number::MatterNumber,
};

/// Why a matter is opened.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenRequest {
    /// Why.
    pub reason: String,
}

/// What a register said, as the store keeps it.
#[derive(Debug, Deserialize)]
struct Said {
    home: PlaceId,
    number: String,
    category: Option<String>,
    raised: i64,
    stage: String,
    moved: i64,
    answered: Option<i64>,
    refused: Option<i64>,
    holder: Option<PlaceId>,
    due: Option<i64>,
    violations: i64,
    on: i64,
}

impl Actions {
    /// Opens a matter of which only a stub is seen here.
    ///
    /// # Errors
    /// [`ActionError::UnknownMatter`] if no register below speaks of it; [`ActionError::Invalid`] without a reason.
    pub async fn open_stub(
        &self,
        by: By<'_>,
        reference: &str,
        request: &OpenRequest,
    ) -> Result<StubView, ActionError> {
        let reason = required("reason", &request.reason)?;
        let matter = &self.find_stub(reference).await?;
        let row = self.stub_row(matter).await?;
        let view = self.stub_by_id(matter).await?;
        if view.state == "here" {
            return Err(ActionError::invalid(
                "ref",
                "The matter is here already. Nothing was written.",
                "这件事项本来就在这里，没有写入任何内容。",
            ));
        }
        let world = self.world();
        // Whose register it is, and those between. That place knows the matter's home, and shows it the record too.
        let me = world.me.place;
        let between = world.directory.place_ancestors(&row.place).into_iter().take_while(|p| *p != me);
        let reach = between.chain([row.place, me]).map(Reach::Place).collect();
        let mut draft = Draft::create_for(&world, Kind::Notice, reach, self.nonce())?;
        let what = Word::Open { matter: *matter, number: view.number.clone().unwrap_or_default(), reason };
        draft.act("words", Act { prev: None, on: self.today(), by: by.map(str::to_owned), what })?;
        let mut batch = self.dated_batch()?;
        draft.into_batch(&mut batch);
        self.store().write(batch).await?;
        let mut after = self.stub_by_id(matter).await?;
        // The read model runs a moment behind.
        if after.state == "unseen" {
            after.state = "asked";
        }
        Ok(after)
    }

    /// The same for a matter called by its number or id.
    ///
    /// # Errors
    /// [`ActionError::UnknownMatter`] if no register below speaks of it.
    pub async fn stub_of(&self, reference: &str) -> Result<StubView, ActionError> {
        self.stub_by_id(&self.find_stub(reference).await?).await
    }

    async fn find_stub(&self, reference: &str) -> Result<DocId, ActionError> {
        let reference = reference.trim();
        if let Ok(doc) = reference.parse() {
            return Ok(doc);
        }
        let unknown = || ActionError::UnknownMatter(reference.to_owned());
        let number = MatterNumber::read_at(reference, &self.number_prefix().await?).map_err(|_| unknown())?;
        let found = self.store().stubs_by_number(&number.to_string()).await?;
        match found[..] {
            [doc] => Ok(doc),
            [] => Err(unknown()),
            _ => Err(ActionError::Ambiguous(reference.to_owned())),
        }
    }

    /// What a register says of a matter, who opened it, and whether it is true.
    ///
    /// # Errors
    /// [`ActionError::UnknownMatter`] if no register below speaks of it.
    pub async fn stub_by_id(&self, matter: &DocId) -> Result<StubView, ActionError> {
        let row = self.stub_row(matter).await?;
        let said: Said = serde_json::from_str(&row.detail)
            .map_err(|_| ActionError::Broken("a stub that was kept cannot be read"))?;
        let world = self.world();
        let viewer = self.viewer(&world);
        let here = match Draft::load(self.store(), matter).await? {
            Some(draft) => Some(self.stub(&draft.matter()?).1),
            None => None,
        };
        let openings = self.store().openings(&[*matter]).await?;
        let mine = openings.iter().any(|o| o.place == world.me.place);
        let fields = self.fields(&world, &said, here.as_ref());
        let compared = here.as_ref().map(|found| match () {
            () if !fields.iter().any(|f| f.differs) => "same",
            // What happened on the day the register spoke or later it need not have known.
            () if found.moved >= said.on => "moved_on",
            () => "differs",
        });
        Ok(StubView {
            id: *matter,
            number: row.number,
            register_of: viewer.place(&row.place),
            home: viewer.place(&said.home),
            said_on: day_text(said.on),
            state: match (here.is_some(), mine) {
                (true, _) => "here",
                (false, true) => "asked",
                (false, false) => "unseen",
            },
            compared,
            fields,
            openings: openings.iter().map(|o| self.opening_view(&world, o)).collect(),
        })
    }

    /// Who above opened a matter.
    ///
    /// # Errors
    /// [`ActionError`] when the store cannot be read.
    pub async fn openings_of(&self, matter: &DocId) -> Result<Vec<OpeningView>, ActionError> {
        let world = self.world();
        let openings = self.store().openings(&[*matter]).await?;
        Ok(openings.iter().map(|o| self.opening_view(&world, o)).collect())
    }

    fn opening_view(&self, world: &World, o: &OpeningRow) -> OpeningView {
        OpeningView {
            place: self.viewer(world).place(&o.place),
            on: day_text(o.opened_on),
            reason: o.reason.clone(),
            by: o.person.clone(),
        }
    }

    async fn stub_row(&self, matter: &DocId) -> Result<StubRow, ActionError> {
        let row = self.store().stub(matter).await?;
        row.ok_or_else(|| ActionError::UnknownMatter(matter.to_string()))
    }

    /// The stub beside what the matter itself gives.
    fn fields(&self, world: &World, said: &Said, found: Option<&Stub>) -> Vec<StubField> {
        let viewer = self.viewer(world);
        let place = |p: PlaceId| viewer.place(&p).name;
        let field = |field, said: Option<String>, of: &dyn Fn(&Stub) -> Option<String>| {
            let found = found.map(of);
            let differs = found.as_ref().is_some_and(|f| *f != said);
            StubField { field, said, found: found.flatten(), differs }
        };
        vec![
            field("number", Some(said.number.clone()), &|s| Some(s.number.clone())),
            field("category", said.category.clone(), &|s| s.category.clone()),
            field("raised", Some(day_text(said.raised)), &|s| Some(day_text(s.raised))),
            field("stage", Some(said.stage.clone()), &|s| Some(s.stage.clone())),
            field("moved", Some(day_text(said.moved)), &|s| Some(day_text(s.moved))),
            field("answered", said.answered.map(day_text), &|s| s.answered.map(day_text)),
            field("refused", said.refused.map(day_text), &|s| s.refused.map(day_text)),
            field("holder", said.holder.map(place), &|s| s.holder.map(place)),
            field("due", said.due.map(day_text), &|s| s.due.map(day_text)),
            field("violations", Some(said.violations.to_string()), &|s| Some(s.violations.to_string())),
        ]
    }

    /// Shows upwards what a place above has opened, where this node has to: what was just said in `openings`, and
    /// what was opened before these matters came. Returns how many widenings were written.
    pub(crate) async fn openings_owed(
        &self,
        matters: &[DocId],
        mut openings: Vec<OpeningRow>,
    ) -> Result<usize, ActionError> {
        if !matters.is_empty() {
            openings.extend(self.store().openings(matters).await?);
        }
        let world = self.world();
        let above = world.directory.place_ancestors(&world.me.place);
        openings.retain(|o| above.contains(&o.place));
        if openings.is_empty() {
            return Ok(0);
        }
        let docs: BTreeSet<DocId> = openings.iter().flat_map(|o| [o.matter, o.notice]).collect();
        let docs: Vec<DocId> = docs.into_iter().collect();
        let headers = self.store().headers(&docs).await?;
        let mut audiences = self.store().audiences(&docs).await?;
        let (mut batch, me) = (self.batch(), &world.me);
        let mut show = |doc: DocId, places: &[PlaceId]| {
            let Some(audience) = audiences.get_mut(&doc) else { return };
            if !audience.includes(&world.directory, &me.place) {
                return;
            }
            for place in places {
                if !audience.includes(&world.directory, place) {
                    let (reach, federation) = (Reach::Place(*place), world.directory.federation());
                    batch.grants.push(Grant::new(&me.keys, &federation, doc, reach, me.cert));
                    audience.0.insert(reach);
                }
            }
        };
        for o in &openings {
            let Some(header) = headers.get(&o.matter).filter(|h| h.kind == Kind::Proposal) else { continue };
            // Also those between: what they may not see they could not pass on.
            let mut up: Vec<PlaceId> = above.iter().copied().take_while(|p| *p != o.place).collect();
            up.push(o.place);
            show(o.matter, &up);
            let over_home = world.directory.place_ancestors(&header.home);
            if over_home.contains(&me.place) {
                let mut down: Vec<PlaceId> = over_home.into_iter().take_while(|p| *p != me.place).collect();
                down.push(header.home);
                show(o.notice, &down);
            }
        }
        let written = batch.grants.len();
        if written > 0 {
            self.store().write(batch).await?;
        }
        Ok(written)
    }
}
