//! The forms of this place: shown first, then kept, and filled from the quarterly return.
//!
//! Figures of a form are those of 民情走访与监督季报, counted anew each time; where that return is not whole, the form is
//! not filled unless it is asked for so, since a form has no room for the note that would say it.

use super::{
    Reader, Sheet, SheetError, SheetQuery,
    form::{self, Cell, Found, Period, Trouble, Value},
    make, paper, quarter,
    query::Asked,
};
use crate::{
    actions::{ActionError, Actions, By, day_text, instant_text},
    store::FormRow,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{calendar::Date, procedure::Words};

/// A name somebody gives a form, in characters.
const NAME_CHARS_MAX: usize = 40;

/// A form as it is sent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormRequest {
    /// What people call it.
    pub name: String,
    /// The workbook, in base64.
    pub file: String,
}

/// What a filled form is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FillQuery {
    /// `2026-Q4`, for the cells that name no quarter; this one if empty.
    pub quarter: String,
    /// The place that registered the matters.
    pub home: String,
    /// `yes`: also where the figures are not whole.
    pub partial: String,
    /// `zh` or `en`; of messages only.
    pub lang: String,
}

/// What keeping a form would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StagedForm {
    /// What people will call it.
    pub name: String,
    /// Whether it takes the place of another.
    pub replaces: bool,
    /// Whether it can be kept.
    pub sound: bool,
    /// What was found in it.
    #[serde(flatten)]
    pub found: Found,
}

/// A form that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptForm {
    /// What people call it.
    pub name: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// When it was kept.
    pub added_at: String,
    /// Who sent it: a member id.
    pub added_by: String,
    /// The cells that are filled.
    pub cells: serde_json::Value,
}

/// Why something was not done with a form. Nothing is changed then.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// There is no form of this name.
    #[error("there is no form named {0}")]
    Unknown(String),
    /// The file cannot be kept, or not be filled any more.
    #[error("the form cannot be used")]
    Refused(Vec<Trouble>),
    /// The figures are not whole.
    #[error("the figures are not whole")]
    Partial(Vec<Words>),
    /// The quarterly return could not be made.
    #[error(transparent)]
    Sheet(#[from] SheetError),
}

impl From<ActionError> for FormError {
    fn from(error: ActionError) -> Self {
        Self::Sheet(error.into())
    }
}

impl From<crate::store::StoreError> for FormError {
    fn from(error: crate::store::StoreError) -> Self {
        ActionError::from(error).into()
    }
}

/// The forms that are kept.
///
/// # Errors
/// [`FormError`] when the database cannot be read.
pub async fn list(actions: &Actions) -> Result<Vec<KeptForm>, FormError> {
    let rows = actions.store().forms().await?;
    let kept = |row: FormRow| KeptForm {
        cells: serde_json::from_str(&row.cells).unwrap_or_default(),
        added_at: instant_text(row.added_at_ms),
        added_by: row.added_by,
        bytes: row.bytes,
        name: row.name,
    };
    Ok(rows.into_iter().map(kept).collect())
}

fn named(name: &str) -> Result<String, FormError> {
    let name = name.trim();
    let fits = |c: char| !c.is_control() && !matches!(c, '/' | '\\' | '?' | '#' | '%');
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || !name.chars().all(fits) {
        return Err(ActionError::invalid(
            "name",
            format!("A form's name has 1 to {NAME_CHARS_MAX} characters, none of them / \\ ? # %. Nothing was saved."),
            format!("表名要有 1 至 {NAME_CHARS_MAX} 个字，不能有 / \\ ? # %。尚未保存。"),
        )
        .into());
    }
    Ok(name.to_owned())
}

/// The file and what is in it. Looking through it takes a moment of a core: other requests go on meanwhile.
async fn looked(request: &FormRequest) -> Result<(Vec<u8>, Found), FormError> {
    let bytes = BASE64_STANDARD.decode(request.file.trim()).map_err(|_| {
        FormError::Refused(vec![Trouble::new(
            "not_base64",
            "文件没有传完整，请重新上传",
            "The file did not arrive whole; send it again",
        )])
    })?;
    let look = move || {
        let found = form::look(&bytes, &quarter::figures());
        (bytes, found)
    };
    let looked = tokio::task::spawn_blocking(look).await;
    looked.map_err(|_| ActionError::Broken("looking through a form ended early").into())
}

/// Shows what a file would do.
///
/// # Errors
/// [`FormError`]; nothing was kept in any case.
pub async fn stage(actions: &Actions, request: &FormRequest) -> Result<StagedForm, FormError> {
    let name = named(&request.name)?;
    let (_, found) = looked(request).await?;
    let replaces = actions.store().forms().await?.iter().any(|f| f.name == name);
    Ok(StagedForm { name, replaces, sound: found.problems.is_empty(), found })
}

/// Keeps a form.
///
/// # Errors
/// [`FormError::Refused`] says every reason; what was kept before stays.
pub async fn keep(actions: &Actions, by: By<'_>, request: &FormRequest) -> Result<StagedForm, FormError> {
    let name = named(&request.name)?;
    let (file, found) = looked(request).await?;
    if !found.problems.is_empty() {
        return Err(FormError::Refused(found.problems));
    }
    let replaces = actions.store().forms().await?.iter().any(|f| f.name == name);
    let cells = serde_json::to_string(&found.cells).map_err(|_| ActionError::Broken("cells as JSON"))?;
    let row = FormRow {
        name: name.clone(),
        bytes: 0,
        cells,
        added_by: by.unwrap_or_default().to_owned(),
        added_at_ms: actions.now_ms(),
    };
    if !actions.store().keep_form(row, file).await? {
        return Err(FormError::Refused(vec![Trouble::new(
            "too_many_forms",
            "已经有 20 张表了，请先删掉不用的",
            "There are 20 forms already; remove one that is not used",
        )]));
    }
    Ok(StagedForm { name, replaces, sound: true, found })
}

/// Takes a form away.
///
/// # Errors
/// [`FormError::Unknown`].
pub async fn remove(actions: &Actions, name: &str) -> Result<(), FormError> {
    let name = name.trim();
    match actions.store().remove_form(name.to_owned()).await? {
        true => Ok(()),
        false => Err(FormError::Unknown(name.to_owned())),
    }
}

/// A quarter's return, asked as the form was.
async fn figures_of(
    actions: &Actions,
    period: Period,
    query: &FillQuery,
    missing: &mut Vec<Words>,
) -> Result<BTreeMap<&'static str, (i64, i64)>, FormError> {
    let asked = SheetQuery { quarter: period.to_string(), home: query.home.clone(), ..SheetQuery::default() };
    let sheet: Sheet = make(actions, "quarterly", &asked, Reader { opens_dossiers: false }).await?;
    // Its last note says what it covers; whatever stands before says what is missing.
    let incomplete = sheet.notes.len().saturating_sub(1);
    missing.extend(sheet.notes.iter().take(incomplete).cloned());
    Ok(quarter::counts(&sheet))
}

/// A form filled with the figures.
///
/// # Errors
/// [`FormError`]; nothing was changed.
pub async fn fill(actions: &Actions, name: &str, query: &FillQuery) -> Result<Vec<u8>, FormError> {
    let name = name.trim();
    let file = actions.store().form_file(name).await?;
    let file = file.ok_or_else(|| FormError::Unknown(name.to_owned()))?;
    let kind = super::KINDS.iter().find(|k| k.name == "quarterly");
    let kind = kind.ok_or(ActionError::Broken("no quarterly return"))?;
    let asked =
        SheetQuery { quarter: query.quarter.clone(), home: query.home.clone(), ..SheetQuery::default() };
    let asked = Asked::read(kind, &asked, actions)?;
    let this = Date::from_days(asked.period.0).and_then(|first| {
        let (year, month, _) = first.ymd();
        let quarter = u8::try_from(month.saturating_sub(1) / 3 + 1).ok()?;
        Some(Period { year: u16::try_from(year).ok()?, quarter })
    });
    let this = this.ok_or(ActionError::Broken("a quarter outside the calendar"))?;
    let (file, found) = {
        let look = move || {
            let found = form::look(&file, &quarter::figures());
            (file, found)
        };
        let looked = tokio::task::spawn_blocking(look).await;
        looked.map_err(|_| ActionError::Broken("looking through a form ended early"))?
    };
    if !found.problems.is_empty() {
        return Err(FormError::Refused(found.problems));
    }
    let wanted: BTreeSet<Period> = found.cells.iter().map(|c| c.period.unwrap_or(this)).collect();
    let (mut figures, mut missing) = (BTreeMap::new(), Vec::new());
    for period in wanted {
        figures.insert(period, figures_of(actions, period, query, &mut missing).await?);
    }
    if !missing.is_empty() && query.partial.trim() != "yes" {
        missing.dedup();
        return Err(FormError::Partial(missing));
    }
    let of = asked.home.unwrap_or(actions.world().me.place);
    let place = paper::place(actions, &of);
    let today = Date::from_days(actions.today()).map(Date::ymd);
    let made_on = today.map_or_else(|| day_text(actions.today()), |(y, m, d)| format!("{y}年{m}月{d}日"));
    let period = format!("{}年第{}季度", this.year, this.quarter);
    let value = move |cell: &Cell| match cell.figure {
        "place" => Some(Value::Text(place.clone())),
        "quarter" => Some(Value::Text(period.clone())),
        "made_on" => Some(Value::Text(made_on.clone())),
        figure => {
            let (times, matters) = figures.get(&cell.period.unwrap_or(this))?.get(figure)?;
            Some(Value::Number(if cell.matters { *matters } else { *times }))
        }
    };
    let filled = tokio::task::spawn_blocking(move || form::fill(&file, &quarter::figures(), value)).await;
    let filled = filled.map_err(|_| ActionError::Broken("filling a form ended early"))?;
    filled.map_err(|trouble| FormError::Refused(vec![trouble]))
}
