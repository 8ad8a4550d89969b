//! Sheets for whoever asks over HTTP: who may have names, and the sheet as a file.

use super::{
    House,
    caller::Caller,
    lang::Lang,
    permit::Permit,
    problem::{Answer, Problem},
};
use crate::sheets::{
    self, Reader, Sheet, SheetError, SheetQuery,
    form::Trouble,
    forms::{self, FillQuery, FormError},
    table,
};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use yishi_protocol::procedure::{Words, graph::Tongue};

/// What a workbook is called.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Makes a sheet. Who had names opened is on record, what was seen is not.
pub(super) async fn made(house: &House, caller: &Caller, name: &str, query: &SheetQuery) -> Answer<Sheet> {
    let names = query.names.trim() == "yes";
    if names {
        caller.must(Permit::Petitioner)?;
    }
    let reader = Reader { opens_dossiers: caller.may(Permit::Petitioner) };
    let sheet = sheets::make(&house.actions, name, query, reader).await.map_err(refused)?;
    if names {
        let rows = sheet.rows.len();
        tracing::info!(by = %caller.person, sheet = name, rows, "petitioners' identities were opened for a sheet");
    }
    Ok(sheet)
}

fn refused(error: SheetError) -> Problem {
    match error {
        SheetError::Unknown(name) => Problem::new(
            StatusCode::NOT_FOUND,
            "unknown_sheet",
            "No such sheet",
            format!(
                "There is no sheet “{name}”; nothing was changed. The sheets are listed at /api/v1/sheets."
            ),
            format!("没有“{name}”这张表，没有改动任何内容。全部表格见“表格”页。"),
        ),
        SheetError::NamesSealed => {
            let (en, zh) = Permit::Petitioner.words();
            Problem::not_permitted(en, zh)
        }
        SheetError::Action(error) => Problem::action(error),
    }
}

/// What writes a sheet as a file.
type Writer = fn(&Sheet, Tongue) -> Result<Vec<u8>, table::WriteError>;

/// A sheet as a file to keep; `None` for a format that is no file.
pub(super) async fn file(sheet: &Sheet, format: &str, lang: Lang) -> Answer<Option<Response>> {
    let tongue = match lang {
        Lang::Zh => Tongue::Zh,
        Lang::En => Tongue::En,
    };
    let (media, written): (_, Writer) = match format {
        "csv" => ("text/csv; charset=utf-8", table::csv),
        "xlsx" => (XLSX, table::xlsx),
        _ => return Ok(None),
    };
    let name = format!("attachment; filename=\"{}-{}.{format}\"", sheet.name, sheet.made_on);
    let sheet = sheet.clone();
    // A large workbook takes a while: other requests go on meanwhile.
    let bytes = tokio::task::spawn_blocking(move || written(&sheet, tongue)).await;
    let bytes = bytes.map_err(Problem::fault)?.map_err(Problem::fault)?;
    let headers = [(header::CONTENT_TYPE, media.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok(Some((headers, bytes).into_response()))
}

/// A form, filled, as a file to keep.
pub(super) async fn filled(house: &House, name: &str, query: &FillQuery) -> Answer<Response> {
    let bytes = forms::fill(&house.actions, name, query).await.map_err(form_refused)?;
    let day = house.actions.node().today;
    // Names are Chinese: RFC 6266 has a way to say them.
    let said = utf8_percent_encode(name, NON_ALPHANUMERIC);
    let disposition = format!("attachment; filename=\"form-{day}.xlsx\"; filename*=UTF-8''{said}-{day}.xlsx");
    let headers = [(header::CONTENT_TYPE, XLSX.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, bytes).into_response())
}

/// Why something was not done with a form.
pub(super) fn form_refused(error: FormError) -> Problem {
    match error {
        FormError::Unknown(name) => Problem::new(
            StatusCode::NOT_FOUND,
            "unknown_form",
            "No such form",
            format!("There is no form “{name}” at this node; nothing was changed."),
            format!("本机没有“{name}”这张表，没有改动任何内容。"),
        ),
        FormError::Refused(troubles) => {
            let join = |of: fn(&Trouble) -> &str| troubles.iter().map(of).collect::<Vec<_>>();
            Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "form_refused",
                "The form cannot be used",
                format!("{}. Nothing was saved.", join(|t| &t.en).join(". ")),
                format!("{}。没有保存任何内容。", join(|t| &t.zh).join("；")),
            )
        }
        FormError::Partial(notes) => {
            let join = |of: fn(&Words) -> &str| notes.iter().map(of).collect::<Vec<_>>();
            Problem::new(
                StatusCode::CONFLICT,
                "form_partial",
                "The figures are not whole",
                format!(
                    "{} The form was not filled. Ask village by village, or with partial=yes.",
                    join(|w| &w.en).join(" ")
                ),
                format!("{}没有填表。请按村分别导出，或选“数据不全也照填”。", join(|w| &w.zh).concat()),
            )
        }
        FormError::Sheet(error) => refused(error),
    }
}
