//! Bodies and queries of requests, bounded in bytes and in time, refused with a problem.
//!
//! Two rules: nothing of a body is read before the caller is known (extractors run in the order of the
//! handler's arguments, so [`Caller`](super::caller::Caller) comes first), and few large bodies are held at a
//! time, because the whole process has 64 MiB.

use super::{House, limits, problem::Problem};
use axum::{
    body::HttpBody,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use std::{sync::Arc, time::Duration};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

/// A JSON body, and the hash of its bytes for [`Once`](super::once).
#[derive(Debug)]
pub(super) struct Json<T> {
    pub(super) value: T,
    pub(super) bytes_hash: [u8; 32],
    /// Kept until the request is answered: what was parsed from a large body is large as well.
    _permit: Option<OwnedSemaphorePermit>,
}

/// A form of one of our pages.
#[derive(Debug)]
pub(super) struct Form<T>(pub(super) T);

/// A form of one of our pages, field by field as it was sent. It is read before anybody is known: a session
/// that ended in mid-form must not lose what was typed.
#[derive(Default)]
pub(super) struct Filled {
    pairs: Vec<(String, String)>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl std::fmt::Debug for Filled {
    /// Names of fields only: what is typed may be a password or a petitioner's name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

impl Filled {
    /// What was typed into a field; empty if it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.pairs.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// Every field.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// A form that was read in another way.
    pub(super) fn of(pairs: Vec<(String, String)>, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self { pairs, _permit: permit }
    }

    /// Everything sent in fields of one name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The same from a form that was carried through another page, as [`Filled::packed`] wrote it.
    pub(super) fn unpacked(text: &str) -> Vec<(String, String)> {
        serde_urlencoded::from_str(text).unwrap_or_default()
    }

    /// Every field in one text.
    pub(super) fn packed(&self) -> String {
        serde_urlencoded::to_string(&self.pairs).unwrap_or_default()
    }
}

/// The part of the address after `?`.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<House>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, house: &Arc<House>) -> Result<Self, Problem> {
        if !is_media_type(request.headers(), "application/json") {
            return Err(Problem::media_type("application/json"));
        }
        let (bytes, permit) = read(request, house).await?;
        Ok(Self { value: parse(&bytes)?, bytes_hash: super::secret::hash(&bytes), _permit: permit })
    }
}

/// Parses a body, telling broken JSON (400) from JSON of another shape (422).
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|e| match e.classify() {
        serde_json::error::Category::Data => Problem::wrong_shape(e),
        _ => Problem::unreadable(e),
    })
}

impl FromRequest<Arc<House>> for Filled {
    type Rejection = Problem;

    async fn from_request(request: Request, house: &Arc<House>) -> Result<Self, Problem> {
        const FORM: &str = "application/x-www-form-urlencoded";
        let stated = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let boundary = stated.and_then(super::parts::boundary).map(str::to_owned);
        if boundary.is_none() && !is_media_type(request.headers(), FORM) {
            return Err(Problem::media_type(FORM));
        }
        let (bytes, permit) = read(request, house).await?;
        let pairs: Vec<(String, String)> = match boundary {
            Some(boundary) => super::parts::read(&bytes, &boundary).map_err(Problem::unreadable)?,
            None => serde_urlencoded::from_bytes(&bytes).map_err(Problem::wrong_shape)?,
        };
        // Browsers end lines as mail does; one sign is what was typed.
        let pairs = pairs.into_iter().map(|(n, v)| (n, v.replace("\r\n", "\n"))).collect();
        Ok(Self { pairs, _permit: permit })
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<House>> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<House>) -> Result<Self, Problem> {
        if !is_media_type(request.headers(), "application/x-www-form-urlencoded") {
            return Err(Problem::media_type("application/x-www-form-urlencoded"));
        }
        let bytes = gather(request, limits::FORM_BYTES_MAX).await?;
        serde_urlencoded::from_bytes(&bytes).map(Self).map_err(Problem::wrong_shape)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or("");
        serde_urlencoded::from_str(query).map(Self).map_err(Problem::unreadable)
    }
}

fn is_media_type(headers: &HeaderMap, expected: &str) -> bool {
    let stated = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    stated.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case(expected)
}

async fn read(request: Request, house: &House) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), Problem> {
    let stated = request.body().size_hint().exact();
    if stated.is_some_and(|n| n > limits::BODY_BYTES_MAX as u64) {
        return Err(Problem::too_large(limits::BODY_BYTES_MAX));
    }
    // A body of unknown length counts as large.
    let large = stated.is_none_or(|n| n > limits::SMALL_BODY_BYTES_MAX as u64);
    let permit = if large {
        let wait = Duration::from_secs(limits::LARGE_BODY_WAIT_SECONDS_MAX);
        let permit = timeout(wait, Arc::clone(&house.large_bodies).acquire_owned())
            .await
            .map_err(|_| Problem::busy())?;
        Some(permit.map_err(Problem::fault)?)
    } else {
        None
    };
    let limit = if large { limits::BODY_BYTES_MAX } else { limits::SMALL_BODY_BYTES_MAX };
    Ok((gather(request, limit).await?, permit))
}

async fn gather(request: Request, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut body = request.into_body();
    let mut bytes = Vec::new();
    let whole = async {
        while let Some(frame) = timeout(Duration::from_secs(limits::BODY_STALL_SECONDS_MAX), body.frame())
            .await
            .map_err(|_| Problem::too_slow())?
        {
            let frame = frame.map_err(|_| Problem::too_slow())?;
            if let Some(data) = frame.data_ref() {
                if bytes.len() + data.len() > limit {
                    return Err(Problem::too_large(limit));
                }
                bytes.extend_from_slice(data);
            }
        }
        Ok(())
    };
    timeout(Duration::from_secs(limits::BODY_SECONDS_MAX), whole)
        .await
        .map_err(|_| Problem::too_slow())??;
    Ok(bytes)
}
