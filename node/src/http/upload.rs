//! Photos that come in: alone as the body of a request, or several within a form.
//!
//! A village's node has 64 MiB. So two photos at most are in memory at a time, each is stored before the next one is
//! read, and of one that is too large the rest is read past and not kept. Nothing of a photo is kept for somebody who
//! may not send it: what stands before the first photo of a form says who that is.

use super::{
    House,
    body::Filled,
    caller::{Caller, Proof, recognise, sent_from_here},
    limits,
    permit::Permit,
    problem::Problem,
    secret,
    server::Door,
    upload_parts::{Part, Parts},
};
use crate::pictures::PictureError;
use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, Method, header},
};
use http_body_util::BodyExt;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};
use yishi_protocol::{
    attachment::FileKind,
    limits::{ATTACHMENT_BYTES_MAX, ATTACHMENTS_OF_PLACE_MAX},
};

/// The field of a form that takes photos, and the one that names those kept already.
pub(super) const PHOTOS: &str = "photos";
pub(super) const KEPT: &str = "photo";

/// One photo as the body of a request.
#[derive(Debug)]
pub(super) struct OnePhoto {
    pub(super) bytes: Vec<u8>,
    _permit: OwnedSemaphorePermit,
}

/// A photo that was not kept, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotKept {
    /// What it is called on the sender's machine.
    pub(super) name: String,
    /// In both languages.
    pub(super) why: (String, String),
}

/// A form that may bring photos: its fields, each photo that was kept among them as one called [`KEPT`].
#[derive(Debug)]
pub(super) struct PhotoForm {
    pub(super) filled: Result<Filled, Problem>,
    pub(super) not_kept: Vec<NotKept>,
}

async fn permit(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let wait = Duration::from_secs(limits::LARGE_BODY_WAIT_SECONDS_MAX);
    let permit = timeout(wait, Arc::clone(of).acquire_owned()).await;
    permit.map_err(|_| Problem::busy())?.map_err(Problem::fault)
}

fn too_large() -> Problem {
    Problem::action(PictureError::TooLarge.into())
}

impl FromRequest<Arc<House>> for OnePhoto {
    type Rejection = Problem;

    async fn from_request(request: Request, house: &Arc<House>) -> Result<Self, Problem> {
        let stated = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let kind = stated.split(';').next().unwrap_or("").trim();
        let plain = kind.eq_ignore_ascii_case("application/octet-stream");
        if !plain && !FileKind::ALL.iter().any(|k| kind.eq_ignore_ascii_case(k.media_type())) {
            return Err(Problem::media_type("image/jpeg"));
        }
        let permit = permit(&house.pictures).await?;
        let mut body = request.into_body();
        let (mut bytes, mut read) = (Vec::new(), 0u64);
        let until = Instant::now() + Duration::from_secs(limits::PICTURE_SECONDS_MAX);
        let stall = Duration::from_secs(limits::BODY_STALL_SECONDS_MAX);
        loop {
            let soon = until.min(Instant::now() + stall);
            let frame = timeout_at(soon, body.frame()).await.map_err(|_| Problem::too_slow())?;
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|_| Problem::too_slow())?;
            let data = frame.data_ref().map_or(&[][..], AsRef::as_ref);
            read += data.len() as u64;
            if read > limits::PHOTO_FORM_BYTES_MAX {
                return Err(too_large());
            }
            if read <= ATTACHMENT_BYTES_MAX as u64 {
                bytes.extend_from_slice(data);
            } else {
                // Read past, so that the sender hears why instead of a line that breaks.
                bytes = Vec::new();
            }
        }
        if read > ATTACHMENT_BYTES_MAX as u64 {
            return Err(too_large());
        }
        Ok(Self { bytes, _permit: permit })
    }
}

impl FromRequest<Arc<House>> for PhotoForm {
    type Rejection = Problem;

    async fn from_request(request: Request, house: &Arc<House>) -> Result<Self, Problem> {
        let stated = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let Some(boundary) = stated.and_then(super::parts::boundary).map(str::to_owned) else {
            return Ok(Self { filled: Filled::from_request(request, house).await, not_kept: Vec::new() });
        };
        let door = request.extensions().get::<Door>().copied();
        let caller = recognise(house, door, request.headers()).await?;
        let mut reading = Reading {
            house,
            caller,
            headers: request.headers().clone(),
            pairs: Vec::new(),
            text_bytes: 0,
            permit: None,
            not_kept: Vec::new(),
        };
        let seconds = match reading.caller {
            Some(_) => limits::PHOTO_FORM_SECONDS_MAX,
            None => limits::BODY_SECONDS_MAX,
        };
        let until = Instant::now() + Duration::from_secs(seconds);
        let whole = timeout_at(until, reading.all(request.into_body(), &boundary)).await;
        whole.map_err(|_| Problem::too_slow())??;
        Ok(Self { filled: Ok(Filled::of(reading.pairs, reading.permit)), not_kept: reading.not_kept })
    }
}

/// A form while it comes in.
struct Reading<'a> {
    house: &'a Arc<House>,
    caller: Option<Caller>,
    headers: HeaderMap,
    pairs: Vec<(String, String)>,
    text_bytes: usize,
    /// For much text.
    permit: Option<OwnedSemaphorePermit>,
    not_kept: Vec<NotKept>,
}

/// The part that is being read.
enum Open {
    Nothing,
    Text(String, Vec<u8>),
    Photo {
        name: String,
        bytes: Vec<u8>,
        permit: OwnedSemaphorePermit,
        until: Instant,
    },
    /// Read past: too large, or more than are taken, or not this sender's to keep.
    Past,
}

impl Reading<'_> {
    async fn all(&mut self, mut body: axum::body::Body, boundary: &str) -> Result<(), Problem> {
        let stall = Duration::from_secs(limits::BODY_STALL_SECONDS_MAX);
        let most = match self.caller {
            Some(_) => limits::PHOTO_FORM_BYTES_MAX,
            None => limits::STRANGER_FORM_BYTES_MAX,
        };
        let (mut parts, mut open, mut read) = (Parts::new(boundary), Open::Nothing, 0u64);
        while let Some(frame) = timeout(stall, body.frame()).await.map_err(|_| Problem::too_slow())? {
            let frame = frame.map_err(|_| Problem::too_slow())?;
            let data = frame.data_ref().map_or(&[][..], AsRef::as_ref);
            read += data.len() as u64;
            if read > most {
                return Err(too_large());
            }
            parts.push(data);
            while let Some(part) = parts.next().map_err(Problem::unreadable)? {
                open = self.part(open, part).await?;
            }
        }
        if parts.is_done() { Ok(()) } else { Err(Problem::unreadable("the form stopped short")) }
    }

    async fn part(&mut self, open: Open, part: Part) -> Result<Open, Problem> {
        Ok(match (open, part) {
            (_, Part::Begin { name, file: Some(file) }) if name == PHOTOS => self.begin(file).await?,
            (_, Part::Begin { name, .. }) => Open::Text(name, Vec::new()),
            (Open::Text(name, mut text), Part::Data(data)) => {
                self.text_bytes += data.len();
                if self.text_bytes > limits::BODY_BYTES_MAX {
                    return Err(Problem::too_large(limits::BODY_BYTES_MAX));
                }
                if self.text_bytes > limits::SMALL_BODY_BYTES_MAX && self.permit.is_none() {
                    self.permit = Some(permit(&self.house.large_bodies).await?);
                }
                text.extend(data);
                Open::Text(name, text)
            }
            (Open::Photo { name, mut bytes, permit, until }, Part::Data(data)) => {
                let why = match bytes.len() + data.len() > ATTACHMENT_BYTES_MAX {
                    true => Some(PictureError::TooLarge),
                    false if Instant::now() > until => return Err(Problem::too_slow()),
                    false => None,
                };
                if let Some(why) = why {
                    self.refuse(name, (why.zh(), why.en()));
                    Open::Past
                } else {
                    bytes.extend(data);
                    Open::Photo { name, bytes, permit, until }
                }
            }
            (Open::Text(name, text), Part::End) => {
                let text =
                    String::from_utf8(text).map_err(|_| Problem::unreadable("a field is not UTF-8"))?;
                // Browsers end lines as mail does; one sign is what was typed.
                self.pairs.push((name, text.replace("\r\n", "\n")));
                Open::Nothing
            }
            (Open::Photo { name, bytes, permit, .. }, Part::End) => {
                self.keep(name, bytes).await?;
                drop(permit);
                Open::Nothing
            }
            (_, Part::End) => Open::Nothing,
            (open, Part::Data(_)) => open,
        })
    }

    async fn begin(&mut self, name: String) -> Result<Open, Problem> {
        // A field for files where none was chosen.
        if name.is_empty() || !self.may() {
            return Ok(Open::Past);
        }
        if self.pairs.iter().filter(|(n, _)| n == KEPT).count() >= ATTACHMENTS_OF_PLACE_MAX {
            let zh = format!("一次最多放 {ATTACHMENTS_OF_PLACE_MAX} 张照片，这张没有收。");
            let en = format!("At most {ATTACHMENTS_OF_PLACE_MAX} photos are taken; this one was not.");
            self.refuse(name, (zh, en));
            return Ok(Open::Past);
        }
        let permit = permit(&self.house.pictures).await?;
        let until = Instant::now() + Duration::from_secs(limits::PICTURE_SECONDS_MAX);
        Ok(Open::Photo { name, bytes: Vec::new(), permit, until })
    }

    fn refuse(&mut self, name: String, why: (String, String)) {
        let name = name.chars().take(60).collect();
        if self.not_kept.len() < 2 * ATTACHMENTS_OF_PLACE_MAX {
            self.not_kept.push(NotKept { name, why });
        }
    }

    async fn keep(&mut self, name: String, bytes: Vec<u8>) -> Result<(), Problem> {
        let Some(caller) = &self.caller else { return Ok(()) };
        match self.house.actions.keep_file(&caller.person, bytes).await {
            Ok(kept) => {
                let kept = (KEPT.to_owned(), kept.file.to_string());
                if !self.pairs.contains(&kept) {
                    self.pairs.push(kept);
                }
            }
            Err(crate::actions::ActionError::Invalid { en, zh, .. }) => self.refuse(name, (zh, en)),
            Err(error) => return Err(Problem::action(error)),
        }
        Ok(())
    }

    /// Whether whoever sends the form may have photos kept, as [the pages' guard](super::pages) will ask of all of it.
    fn may(&self) -> bool {
        let Some(caller) = &self.caller else { return false };
        let here = match caller.proof {
            Proof::Session { .. } => {
                let stated = self.pairs.iter().find(|(n, _)| n == "form_token").map_or("", |(_, v)| v);
                sent_from_here(&Method::POST, &self.headers).is_ok()
                    && secret::same(stated, &caller.form_token())
            }
            Proof::Socket | Proof::Token => true,
        };
        here && caller.may(Permit::Report)
    }
}
