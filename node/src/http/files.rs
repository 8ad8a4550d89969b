//! Photos as they are given out: to API and pages alike.
//!
//! Somebody else brought the bytes. What they are is said by themselves and by nobody else, nothing in them may run,
//! and they are kept by the reader's browser alone, which asks each time whether it may show them.

use super::{
    House,
    problem::{Answer, Problem},
};
use crate::store::{FileRow, FileState};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use std::sync::Arc;
use yishi_protocol::{attachment::FileKind, ids::Hash};

/// When to ask again for a photo that is being fetched.
const FETCHED_SECONDS: u64 = 5;

/// The bytes of a photo, if `by` may see it.
pub(super) async fn given(house: &Arc<House>, by: &str, named: &str, asked: &HeaderMap) -> Answer<Response> {
    let file: Hash = named.parse().map_err(|_| none())?;
    let row = house.actions.file(by, &file).await.map_err(Problem::action)?.ok_or_else(none)?;
    if row.state != FileState::Here {
        house.actions.fetch_file(&row).await.map_err(Problem::action)?;
        return Err(on_its_way(&row));
    }
    let tag = format!("\"{file}\"");
    let same = |list: &str| list.split(',').any(|t| t.trim().trim_start_matches("W/") == tag);
    let known = asked.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(same);
    let first = house.actions.file_piece(&row, 0).await.map_err(Problem::action)?.unwrap_or_default();
    let kind = FileKind::of_bytes(&first);
    let name = file.to_string().chars().take(12).collect::<String>();
    let said = match kind {
        Some(kind) => format!("inline; filename=\"{name}.{kind}\""),
        None => format!("attachment; filename=\"{name}.bin\""),
    };
    let text = |text: String| HeaderValue::try_from(text).map_err(Problem::fault);
    let headers = [
        (header::ETAG, text(tag)?),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        (header::CONTENT_DISPOSITION, text(said)?),
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static(kind.map_or("application/octet-stream", FileKind::media_type)),
        ),
    ];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let size = HeaderValue::from(row.size);
    // Piece by piece: a slow reader holds one of them and not eight megabytes.
    let pieces = stream::unfold((Arc::clone(house), row, 0), |(house, row, n)| async move {
        if n >= row.pieces {
            return None;
        }
        let piece = match house.actions.file_piece(&row, n).await {
            Ok(Some(piece)) => Ok(piece),
            // Let go meanwhile: the reader sees that it ends too early.
            Ok(None) => Err(std::io::Error::other("the file is not here any more")),
            Err(error) => Err(std::io::Error::other(error)),
        };
        Some((piece, (house, row, n + 1)))
    });
    let mut response = (headers, Body::from_stream(pieces)).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, size);
    Ok(response)
}

fn none() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown_file",
        "No such photo",
        "There is no such photo here, or it belongs to no matter that is here. Nothing was changed.",
        "这里没有这张照片，或它不属于这里的事项。没有改动任何内容。",
    )
}

fn on_its_way(row: &FileRow) -> Problem {
    let (have, pieces) = (row.have, row.pieces);
    let away = row.state == FileState::LetGo;
    let (en, zh) = match away {
        true => (
            "The photo had been let go here and is fetched from the place above now. Look again in a moment; with the link down it comes as soon as the link is back.".to_owned(),
            "照片已从本机清出，正在从上级取回，请稍候再看；线路断着的话，联通后自动取回。".to_owned(),
        ),
        false => (
            format!("The photo is on its way: {have} of {pieces} parts are here. It comes after all text; look again later."),
            format!("照片还在路上：{pieces} 份已到 {have} 份。文字先到，照片随后，请稍后再看。"),
        ),
    };
    Problem::new(StatusCode::CONFLICT, "photo_on_its_way", "The photo is on its way", en, zh)
        .retry_after(FETCHED_SECONDS)
}
