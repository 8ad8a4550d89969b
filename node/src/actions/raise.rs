//! 登记: raising a matter, with no link and nobody else needed.

use super::{
    ActionError, Actions, By,
    author::Draft,
    privacy,
    request::RaiseRequest,
    views::{DossierView, RaisedView, Warning},
    words::{moved_warning, optional_short, required, short, title_of},
};
use crate::store::{Batch, ExternalNumber, Serial, World};
use std::sync::Arc;
use yishi_protocol::{
    act::{Act, External, Step, Text, Voice},
    calendar::Date,
    charter::Power,
    ids::DocId,
    kind::Kind,
    number::{MatterNumber, check_code},
    planted::Bug,
};

/// The purpose of the key behind check codes.
const NUMBER_KEY: &str = "number key";
const DEFAULT_SOURCE: &str = "residents";
const DEFAULT_CHANNEL: &str = "home_visit";
const DEFAULT_CATEGORY: &str = "其他";
/// Kinds of petitioners.
const PETITIONERS: &[&str] = &["named", "anonymous", "proxy"];

/// A matter written into a batch and not stored yet.
pub(super) struct Raised {
    pub(super) draft: Draft,
    pub(super) warnings: Vec<Warning>,
}

impl Actions {
    /// Raises a matter; with `settle` it is answered and closed on the spot.
    ///
    /// # Errors
    /// [`ActionError`]; nothing is kept then.
    pub async fn raise(&self, by: By<'_>, request: RaiseRequest) -> Result<RaisedView, ActionError> {
        let settle = request.settle.clone().filter(|s| !s.trim().is_empty());
        let settled = settle.is_some();
        let world = self.world();
        let mut batch = self.dated_batch()?;
        let mut raised = self.raise_into(&world, by, &request, &mut batch).await?;
        if let Some(text) = settle {
            let on = request.raised_on.map_or(self.today(), Date::days);
            // The numbers in it went into the dossier with those of the body.
            let text = required("settle", &privacy::take_numbers(&text, privacy::MOVED).0)?;
            let category = self.category(request.category.clone())?;
            self.may_decide(Power::Answer, category.as_deref(), None)?;
            let draft = &mut raised.draft;
            let answer = Step::Answer { text, outcome: None, lead: None, lead_act: None };
            let answer = draft.step(by, on, answer)?;
            // Heard at the desk: nobody calls to say it once more.
            if let Some(how) = heard_by(&request) {
                draft.voice(by, on, Voice::Tell { answer, how: how.into(), note: None })?;
            }
            draft.step(by, on, Step::Close { note: None })?;
        }
        let on = request.raised_on.map_or(self.today(), Date::days);
        for attach in &request.attachments {
            let voice = self.attach_voice(by, attach).await?;
            raised.draft.voice(by, on, voice)?;
        }
        let (doc, mut warnings) = (raised.draft.doc, raised.warnings);
        raised.draft.into_batch(&mut batch);
        let external = batch.externals.first().map(|(e, _)| e.number.clone());
        self.store().write(batch).await.map_err(|e| match (e, external) {
            (crate::store::StoreError::Taken, Some(number)) => ActionError::ExternalTaken(number),
            (e, _) => e.into(),
        })?;
        let matter = self.matter_by_id(&doc).await?;
        if !settled {
            warnings.extend(self.open_already(&matter).await);
        }
        Ok(RaisedView { matter, warnings })
    }

    /// Writes registration and dossier; the draft itself is not yet in the batch.
    pub(super) async fn raise_into(
        &self,
        world: &Arc<World>,
        by: By<'_>,
        request: &RaiseRequest,
        batch: &mut Batch,
    ) -> Result<Raised, ActionError> {
        let stands_in = world.directory.stands_in(&world.me.place);
        if stands_in != world.me.place {
            return Err(ActionError::Merged(self.viewer(world).place(&stands_in).name));
        }
        let on = self.past_day("raised_on", request.raised_on)?;
        let external = match &request.external {
            Some(e) => {
                Some(External { system: short("system", &e.system)?, number: short("number", &e.number)? })
            }
            None => None,
        };
        let body = required("body", &request.body)?;
        let title = optional_short("title", request.title.as_deref())?;
        let (body, mut moved) = privacy::take_numbers(&body.0, privacy::MOVED);
        let title = title.map(|t| {
            let (title, numbers) = privacy::take_numbers(&t, privacy::MOVED);
            moved.extend(numbers);
            title
        });
        if let Some(settle) = &request.settle {
            moved.extend(privacy::take_numbers(settle, privacy::MOVED).1);
        }
        let mut warnings = Vec::new();
        if !moved.is_empty() {
            warnings.push(moved_warning(moved.len()));
        }
        moved.sort_unstable();
        moved.dedup();
        let petitioner = request.petitioner.as_ref();
        let mut kind = optional_short("petitioner.kind", petitioner.and_then(|p| p.kind.as_deref()))?;
        if kind.as_ref().is_some_and(|k| !PETITIONERS.contains(&k.as_str())) {
            return Err(ActionError::invalid(
                "petitioner.kind",
                "A petitioner is named, anonymous or proxy. Nothing was saved.",
                "反映人只能是 named（实名）、anonymous（匿名）或 proxy（代办），尚未保存。",
            ));
        }
        let dossier = match DossierView::of(petitioner, moved) {
            Some(view) => {
                kind = kind.or_else(|| Some("named".into()));
                Some(self.seal_dossier(world, &view, by, on, batch)?)
            }
            None => None,
        };
        let body = match petitioner.and_then(|p| p.name.as_ref()) {
            Some(name) if Bug::NameInClear.planted() => format!("{body}（{name}）"),
            _ => body,
        };
        let category = self.category(optional_short("category", request.category.as_deref())?)?;
        let parent = world.directory.parent(&world.me.place);
        let mut draft = Draft::create(world, Kind::Proposal, parent, self.nonce())?;
        let number = self.next_number(on, batch).await?;
        let check = check_code(&world.me.keys.derived(NUMBER_KEY), &number);
        let or = |text: Option<String>, default: &str| text.or_else(|| Some(default.to_owned()));
        let channel = if external.as_ref().is_some_and(|e| e.system == "hotline") {
            "hotline"
        } else {
            DEFAULT_CHANNEL
        };
        let what = Step::Register {
            number: number.to_string(),
            check: check.to_string(),
            title: title.unwrap_or_else(|| title_of(&body)),
            body: Text(body),
            category: or(category, DEFAULT_CATEGORY),
            source: or(optional_short("source", request.source.as_deref())?, DEFAULT_SOURCE),
            channel: or(optional_short("channel", request.channel.as_deref())?, channel),
            petitioner: kind,
            dossier,
            external: external.clone(),
        };
        draft.act("steps", Act { prev: None, on, by: by.map(str::to_owned), what })?;
        if let Some(External { system, number }) = external {
            batch.externals.push((ExternalNumber { system, number }, draft.doc));
        }
        Ok(Raised { draft, warnings })
    }

    /// The next number of the year of that day.
    async fn next_number(&self, on: i64, batch: &mut Batch) -> Result<MatterNumber, ActionError> {
        let prefix = self.number_prefix().await?;
        let life = self.world().me.incarnation;
        let year = Date::from_days(on).map_or(0, Date::year);
        let short_year = u16::try_from(year).map_err(|_| bad_year())?;
        let serial = self.store().next_serial(short_year, life.count()).await?;
        let number = MatterNumber::issue(&prefix, year, life, serial).map_err(|_| bad_year())?;
        batch.serials.push(Serial { year: short_year, block: life.count(), serial });
        Ok(number)
    }

    /// A day that an act can claim and that is not in the future; today if not said.
    pub(super) fn past_day(&self, field: &'static str, day: Option<Date>) -> Result<i64, ActionError> {
        let today = self.today();
        match day.map(Date::days) {
            None => Ok(today),
            Some(day) if (0..=today).contains(&day) => Ok(day),
            Some(_) => Err(ActionError::invalid(
                field,
                format!(
                    "“{field}” is in the future or before 1970. Nothing was saved. Check the date and this machine's clock."
                ),
                format!("“{field}”是将来或 1970 年以前的日期，尚未保存。请核对日期和本机时钟。"),
            )),
        }
    }

    /// The matter of a document just written.
    pub(super) async fn matter_by_id(&self, doc: &DocId) -> Result<super::views::MatterView, ActionError> {
        let draft = self.draft(doc).await?;
        self.show(&draft).await
    }
}

/// How whoever raised it heard the reply given on the spot; `None` if they were not there.
fn heard_by(request: &RaiseRequest) -> Option<&'static str> {
    let kind = request.petitioner.as_ref().and_then(|p| p.kind.as_deref());
    let hotline = request.external.as_ref().is_some_and(|e| e.system == "hotline");
    let there = match request.channel.as_deref().map(str::trim).filter(|c| !c.is_empty()) {
        None if hotline => Some("phone"),
        Some("hotline") => Some("phone"),
        None | Some("home_visit" | "station" | "courtyard" | "fair") => Some("visit"),
        Some(_) => None,
    };
    match request.told {
        Some(true) => there.or(Some("visit")),
        Some(false) => None,
        // Somebody else came for them.
        None => there.filter(|_| kind != Some("proxy")),
    }
}

fn bad_year() -> ActionError {
    ActionError::invalid(
        "raised_on",
        "The year is not one a number can have. Nothing was saved. Check the date.",
        "年份不对，无法编号，尚未保存。请核对日期。",
    )
}
