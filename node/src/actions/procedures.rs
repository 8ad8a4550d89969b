//! Procedures in force at this place: those that come with the program, and above them what charters of this
//! place and of the places above issued. Issuing is staged by the caller: shown first, then applied.

use super::{
    ActionError, Actions, By,
    author::Draft,
    views::{ProblemView, ProcedureView, StagedView},
};
use crate::store::IssuedRow;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use yishi_protocol::{
    act::{Act, Charter},
    audience::{Grant, Reach, may_widen},
    fold::frame::BUILT_IN,
    ids::{DocId, Hash, PlaceId},
    kind::Kind,
    problem::{Problem, Severity},
    procedure::{self, Procedure},
};

/// A procedure in force, and who issued it; `None` if it came with the program.
struct InForce {
    procedure: Arc<Procedure>,
    by: Option<PlaceId>,
}

impl Actions {
    /// The newest version of every procedure that may bind a matter here, by name.
    fn in_force(&self, issued: &[IssuedRow]) -> BTreeMap<String, InForce> {
        let world = self.world();
        let above = world.directory.ancestors(&world.me.cert);
        let may = |place: &PlaceId| *place == world.me.place || above.contains(place);
        let by: BTreeMap<Hash, PlaceId> =
            issued.iter().filter(|i| may(&i.place)).map(|i| (i.pin, i.place)).collect();
        let shipped: Vec<Hash> = procedure::shipped::all().iter().map(|s| s.procedure.pin).collect();
        let mut newest: BTreeMap<String, InForce> = BTreeMap::new();
        for p in world.charters.procedures.iter() {
            let by = by.get(&p.pin).copied();
            if by.is_none() && !shipped.contains(&p.pin) {
                continue;
            }
            // Of two with one number the one that was issued goes before the one that came along.
            let rank = |p: &Procedure, by: Option<PlaceId>| (p.version, by.is_some(), p.pin);
            let better = newest.get(&p.id).is_none_or(|n| rank(&n.procedure, n.by) < rank(p, by));
            if better {
                newest.insert(p.id.clone(), InForce { procedure: Arc::clone(p), by });
            }
        }
        newest
    }

    /// The pin of a procedure: by its name the version in force here, by its pin any version that was.
    /// `built_in` is handling without stages.
    pub(super) async fn pin_named(&self, named: &str) -> Result<Hash, ActionError> {
        let named = named.trim();
        if named == "built_in" {
            return Ok(BUILT_IN);
        }
        let issued = self.store().issued_procedures().await?;
        if let Some(newest) = self.in_force(&issued).get(named) {
            return Ok(newest.procedure.pin);
        }
        let world = self.world();
        let above = world.directory.ancestors(&world.me.cert);
        let ours =
            issued.iter().filter(|i| i.place == world.me.place || above.contains(&i.place)).map(|i| i.pin);
        let shipped = procedure::shipped::all().iter().map(|s| s.procedure.pin);
        let found = ours.chain(shipped).find(|pin| pin.to_string() == named);
        found.ok_or_else(|| ActionError::UnknownProcedure(named.to_owned()))
    }

    /// What may bind a matter here.
    ///
    /// # Errors
    /// [`ActionError`] when the database cannot be read.
    pub async fn procedures(&self) -> Result<Vec<ProcedureView>, ActionError> {
        let issued = self.store().issued_procedures().await?;
        let world = self.world();
        let viewer = self.viewer(&world);
        let files: BTreeMap<Hash, &IssuedRow> = issued.iter().map(|i| (i.pin, i)).collect();
        let view = |f: InForce| {
            let issued_on = files.get(&f.procedure.pin).and_then(|i| i.issued_on.clone());
            let by = f.by.map(|place| viewer.place(&place));
            ProcedureView { procedure: f.procedure, by, issued_on }
        };
        Ok(self.in_force(&issued).into_values().map(view).collect())
    }

    /// A procedure that is here, in force or not, by its pin.
    #[must_use]
    pub fn procedure(&self, pin: &Hash) -> Option<Arc<Procedure>> {
        self.world().charters.procedures.get(pin).cloned()
    }

    /// The file of a procedure, by its pin or name.
    ///
    /// # Errors
    /// [`ActionError::UnknownProcedure`] if it is not here.
    pub async fn procedure_file(&self, named: &str) -> Result<String, ActionError> {
        let issued = self.store().issued_procedures().await?;
        let found = self.in_force(&issued).remove(named).map(|f| f.procedure.pin);
        let pin = |hash: &Hash| Some(*hash) == found || hash.to_string() == named;
        let shipped = procedure::shipped::all().iter().find(|s| pin(&s.procedure.pin));
        shipped
            .map(|s| s.file.to_owned())
            .or_else(|| issued.iter().find(|i| pin(&i.pin)).map(|i| i.file.clone()))
            .ok_or_else(|| ActionError::UnknownProcedure(named.to_owned()))
    }

    /// What issuing a file would do: what is wrong with it, what it replaces, how many open matters stay
    /// under the version they were taken up with.
    ///
    /// # Errors
    /// [`ActionError`] when the database cannot be read.
    pub async fn stage_procedure(&self, file: &str) -> Result<StagedView, ActionError> {
        match procedure::read(file) {
            Err(problems) => Ok(StagedView {
                problems: problems.iter().map(problem_view).collect(),
                procedure: None,
                replaces: None,
            }),
            Ok((read, warnings)) => {
                let issued = self.store().issued_procedures().await?;
                let mut problems: Vec<ProblemView> = warnings.iter().map(problem_view).collect();
                let before = self.in_force(&issued).remove(&read.id);
                if let Some(before) = &before
                    && before.procedure.version >= read.version
                    && before.procedure.pin != read.pin
                {
                    let version = before.procedure.version;
                    problems.push(ProblemView {
                        severity: Severity::Error,
                        line: 1,
                        column: 1,
                        code: "not_newer",
                        detail: format!("version {version} is in force; a new one needs a higher number"),
                        detail_zh: format!("现行版本是第 {version} 版，新版本号须更大"),
                    });
                }
                Ok(StagedView {
                    problems,
                    replaces: before.map(|b| b.procedure.version),
                    procedure: Some(Arc::new(read)),
                })
            }
        }
    }

    /// Issues a procedure in this place's charter: it binds here and everywhere below.
    ///
    /// # Errors
    /// [`ActionError::BadProcedure`] names the first problem; the one in force stays.
    pub async fn issue_procedure(&self, by: By<'_>, file: &str) -> Result<StagedView, ActionError> {
        let staged = self.stage_procedure(file).await?;
        if let Some(p) = staged.problems.iter().find(|p| p.severity == Severity::Error) {
            return Err(ActionError::BadProcedure {
                line: p.line,
                column: p.column,
                why: p.detail.clone(),
                zh: p.detail_zh.clone(),
            });
        }
        let what = Charter::Procedure { file: file.to_owned() };
        self.write_charter(by, |_, _| Ok(what)).await?;
        Ok(staged)
    }

    /// Shows the charters that issued what matters are bound to, to whoever sees the matters (rule R4: pins
    /// travel with what pins them). Returns how many widenings were written.
    pub(crate) async fn pins_owed(&self, bound: &[(DocId, Hash)]) -> Result<usize, ActionError> {
        let issued = self.store().issued_procedures().await?;
        let issuer: BTreeMap<Hash, PlaceId> = issued.iter().map(|i| (i.pin, i.place)).collect();
        let bound: Vec<(DocId, PlaceId)> =
            bound.iter().filter_map(|(doc, pin)| Some((*doc, *issuer.get(pin)?))).collect();
        if bound.is_empty() {
            return Ok(0);
        }
        let world = self.world();
        let readers = self.store().audiences(&bound.iter().map(|(doc, _)| *doc).collect::<Vec<_>>()).await?;
        let mut owed: BTreeMap<PlaceId, BTreeSet<Reach>> = BTreeMap::new();
        for (doc, place) in bound {
            owed.entry(place).or_default().extend(readers.get(&doc).into_iter().flat_map(|a| &a.0));
        }
        let mut batch = self.batch();
        for (place, reaches) in owed {
            let charters = self.store().docs_of_kind(Kind::Charter, Some(place)).await?;
            for (charter, seen) in self.store().audiences(&charters).await? {
                let new = reaches.iter().filter(|r| !seen.includes(&world.directory, &r.place()));
                for reach in new.filter(|r| may_widen(&world.directory, &world.me.cert, **r)) {
                    let federation = world.directory.federation();
                    batch.grants.push(Grant::new(
                        &world.me.keys,
                        &federation,
                        charter,
                        *reach,
                        world.me.cert,
                    ));
                }
            }
        }
        let written = batch.grants.len();
        if written > 0 {
            self.store().write(batch).await?;
        }
        Ok(written)
    }

    /// A charter for a place that has none: for all below it and every place above.
    pub(super) fn new_charter(&self) -> Result<Draft, ActionError> {
        let world = self.world();
        let above = world.directory.ancestors(&world.me.cert).into_iter().map(Reach::Place);
        let reach = above.chain([Reach::Subtree(world.me.place)]).collect();
        let mut draft = Draft::create_for(&world, Kind::Charter, reach, self.nonce())?;
        let cert = world.directory.get(&world.me.cert);
        let cert = cert.ok_or(ActionError::Broken("this node's own certificate is not here"))?;
        let what = crate::setup::first_snapshot(cert, self.calendar().version());
        draft.act("snapshots", Act { prev: None, on: self.today(), by: None, what })?;
        Ok(draft)
    }
}

/// A problem as callers see it.
pub(super) fn problem_view(p: &Problem) -> ProblemView {
    ProblemView {
        severity: p.severity,
        line: p.line,
        column: p.column,
        code: p.code,
        detail: p.en.clone(),
        detail_zh: p.zh.clone(),
    }
}
