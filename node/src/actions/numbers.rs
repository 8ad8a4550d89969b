//! Identity and telephone numbers in the text of an act, after registration: they do not become visible to all
//! who may see the matter.
//!
//! Where this place registered the matter and can open its dossier, a number is taken out of the text, a mark stands
//! in its place, and the number goes into the dossier. Anywhere else the act is refused with words that say what to
//! do. Whoever acts may say that a number is nobody's (a hotline's): then it stays as written.

use super::{
    ActionError, Actions, By,
    author::Draft,
    privacy,
    request::ActRequest,
    views::{DossierView, Warning},
};
use crate::store::Batch;
use serde::Deserialize;
use yishi_protocol::{
    act::{Act, Blob, Sealed},
    fold::Matter,
    ids::DocId,
    procedure::FieldKind,
    seal,
};

/// What stands in the text where a number was taken out.
const SEALED: &str = "〔已封存〕";

/// What becomes of numbers that look like a person's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numbers {
    /// They are sealed.
    #[default]
    Seal,
    /// They are nobody's and stay: somebody said so.
    Keep,
}

/// Numbers that were taken out of an act, and where they go.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) dossier: DocId,
    numbers: Vec<String>,
}

fn refused(why_en: &str, why_zh: &str) -> ActionError {
    ActionError::invalid(
        "numbers",
        format!(
            "The text holds what looks like an identity or mobile number, and {why_en}. Nothing was saved. Take the number out, or, if it is nobody's (a public hotline), say that it is to be kept."
        ),
        format!(
            "文字中有像身份证号或手机号的内容，{why_zh}，尚未保存。请把号码删去；如果不是个人号码（如公开的服务电话），请选“照原文保存”。"
        ),
    )
}

impl ActRequest {
    /// Every text somebody wrote; of a paper only the fields that hold words, as far as the matter tells.
    fn texts(&mut self, matter: Option<&Matter>) -> Vec<&mut String> {
        match self {
            Self::Accept { .. }
            | Self::Merge { .. }
            | Self::Unmerge {}
            | Self::Release { .. }
            | Self::Settle { .. } => Vec::new(),
            Self::Advance { reason, .. } | Self::Escalate { reason } | Self::Withdraw { reason } => {
                reason.iter_mut().collect()
            }
            Self::Assign { unit, person, note } => {
                std::iter::once(unit).chain(person.iter_mut()).chain(note.iter_mut()).collect()
            }
            Self::Extend { reason, .. }
            | Self::Pause { reason }
            | Self::Refuse { reason }
            | Self::Return { reason, .. }
            | Self::Reopen { reason }
            | Self::TakeOver { reason } => vec![reason],
            Self::Refer { to, reason } => vec![to, reason],
            Self::Resume { note }
            | Self::Urge { note, .. }
            | Self::Tell { note, .. }
            | Self::Rate { note, .. }
            | Self::Close { note }
            | Self::Support { note, .. } => note.iter_mut().collect(),
            Self::Handle { note } => vec![note],
            Self::Call { agenda, venue, .. } => std::iter::once(agenda).chain(venue.iter_mut()).collect(),
            Self::Meet { minutes, .. } => vec![minutes],
            Self::Post { text, .. }
            | Self::Object { text, .. }
            | Self::Respond { text, .. }
            | Self::Answer { text, .. }
            | Self::Comment { text } => vec![text],
            Self::Summon { unit, question, .. } => vec![unit, question],
            Self::Decide { title, text, unit, answer, .. } => {
                [title, text].into_iter().chain(unit.iter_mut()).chain(answer.iter_mut()).collect()
            }
            Self::Correct { title, body, category, text } => {
                [title, body, category, text].into_iter().filter_map(Option::as_mut).collect()
            }
            Self::Ballot { question, counters, .. } => {
                let named = counters.iter_mut().flat_map(std::collections::BTreeMap::values_mut);
                std::iter::once(question).chain(named).collect()
            }
            Self::Record { form, fields } => {
                let form = matter.and_then(Matter::procedure_file).and_then(|p| p.form(form));
                let words = |name: &str| {
                    let kind = form.and_then(|f| f.fields.iter().find(|x| x.id == name)).map(|f| f.kind);
                    !matches!(kind, Some(FieldKind::Number | FieldKind::Money | FieldKind::Day))
                };
                let said = fields.iter_mut().filter(|(name, _)| words(name));
                said.filter_map(|(_, value)| match value {
                    serde_json::Value::String(text) => Some(text),
                    _ => None,
                })
                .collect()
            }
        }
    }

    /// Whether any text of it holds what looks like a number of a person.
    #[must_use]
    pub fn holds_numbers(&self) -> bool {
        self.clone().texts(None).iter().any(|text| privacy::has_numbers(text))
    }
}

impl Actions {
    /// Takes the numbers of people out of an act that is about to be read; `None` if there are none, or if they are
    /// to stay.
    pub(super) async fn take_numbers(
        &self,
        doc: &DocId,
        request: &mut ActRequest,
        numbers: Numbers,
    ) -> Result<Option<Taken>, ActionError> {
        if numbers == Numbers::Keep || !request.holds_numbers() {
            return Ok(None);
        }
        let matter = self.draft(doc).await?.matter()?;
        // A decision is a document of its own, and others may read it than those who know the petitioner.
        let decision = matches!(request, ActRequest::Decide { .. });
        let mut taken = Vec::new();
        for text in request.texts(Some(&matter)) {
            let (rest, numbers) = privacy::take_numbers(text, SEALED);
            if !numbers.is_empty() {
                *text = rest;
                taken.extend(numbers);
            }
        }
        if taken.is_empty() {
            return Ok(None);
        }
        if decision {
            return Err(refused("a decision reaches more places than the matter", "决定会发到更多单位"));
        }
        // A dossier is written by its home alone; who stands in for a merged place opens its dossiers, no more.
        if self.world().me.place != matter.home {
            return Err(refused(
                "only the place that registered the matter can seal it",
                "只有登记单位才能把它存入密封信息",
            ));
        }
        let none = || {
            refused(
                "this matter has no sealed part here that it could go to",
                "这件事项在本机没有打得开的密封信息，无处可存",
            )
        };
        let dossier = matter.dossier.ok_or_else(none)?;
        match self.open_dossier(&dossier).await {
            Ok(_) => Ok(Some(Taken { dossier, numbers: taken })),
            Err(ActionError::Sealed) => Err(none()),
            Err(other) => Err(other),
        }
    }

    /// Puts the numbers into the dossier, whose lock is held.
    pub(super) async fn keep_taken(
        &self,
        taken: &Taken,
        by: By<'_>,
        batch: &mut Batch,
    ) -> Result<Warning, ActionError> {
        let (key, mut view) = self.open_dossier(&taken.dossier).await?;
        let known = |view: &DossierView, number: &String| {
            view.moved.contains(number) || view.phone.as_ref() == Some(number)
        };
        let before = view.moved.len();
        for number in &taken.numbers {
            if !known(&view, number) {
                view.moved.push(number.clone());
            }
        }
        if view.moved.len() > before {
            let mut draft = Draft::load(self.store(), &taken.dossier).await?.ok_or(ActionError::Sealed)?;
            let text = serde_json::to_vec(&view)
                .map_err(|_| ActionError::Broken("a dossier could not be written"))?;
            let ciphertext = {
                let mut rng = self.rng();
                Blob(seal::seal(&text, &taken.dossier, &key, &mut *rng)?)
            };
            let by = by.map(str::to_owned);
            draft
                .act("sealed", Act { prev: None, on: self.today(), by, what: Sealed::Seal { ciphertext } })?;
            draft.into_batch(batch);
        }
        let count = taken.numbers.len();
        Ok(Warning {
            code: "moved_to_sealed",
            detail: format!(
                "{count} identity or telephone number(s) stood in the text. They were moved to the petitioner's sealed part and replaced by “{SEALED}”; everything else was saved as written."
            ),
            detail_zh: format!(
                "文字中有 {count} 个身份证号或手机号，已存入反映人的密封信息，原处写作“{SEALED}”；其余照原文保存。"
            ),
        })
    }
}

impl Numbers {
    /// Refuses texts with numbers that have no dossier to go to.
    pub(super) fn refuse<'a>(self, texts: impl IntoIterator<Item = &'a str>) -> Result<(), ActionError> {
        if self == Self::Seal && texts.into_iter().any(privacy::has_numbers) {
            return Err(refused(
                "there is no sealed part here that it could go to",
                "这里没有可存的密封信息",
            ));
        }
        Ok(())
    }
}
