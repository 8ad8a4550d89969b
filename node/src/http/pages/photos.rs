//! Photos on pages: those of a matter, the field that takes new ones, and `POST /m/{ref}/photos`.
//!
//! Without the script a browser sends photos as they are; with it they are made smaller first. Whatever of a form is
//! refused, photos that were taken are kept and stand in it again, so that nobody chooses them twice.

use super::{
    Page, Place, Visitor,
    desk::sent_once,
    forms::{self, Input, field_of},
    html, matter, moments, w, with_language,
};
use crate::{
    actions::{AttachRequest, views::MatterView},
    http::{
        House,
        body::Filled,
        caller::Caller,
        lang::Lang,
        once::Done,
        permit::Permit,
        problem::{Answer, Problem},
        secret,
        upload::{KEPT, NotKept, PHOTOS, PhotoForm},
    },
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use std::{collections::BTreeSet, sync::Arc};
use yishi_protocol::{attachment::ABOUTS, limits::ATTACHMENTS_OF_PLACE_MAX};

/// One photo of a matter.
pub(super) struct Photo {
    pub(super) href: String,
    /// Empty while it is not here.
    pub(super) src: String,
    /// What it shows, and what is written under it.
    pub(super) words: String,
    pub(super) by: String,
    /// Where it is, in a word.
    pub(super) state: String,
    pub(super) tone: &'static str,
    pub(super) let_go: bool,
}

/// Those of a matter.
#[derive(Default)]
pub(super) struct Photos {
    pub(super) items: Vec<Photo>,
    /// For whoever may add some.
    pub(super) add: Option<Add>,
}

/// The form for more.
#[derive(Default)]
pub(super) struct Add {
    pub(super) action: String,
    pub(super) form_token: String,
    pub(super) once: String,
    pub(super) field: Field,
    pub(super) about: Input,
    pub(super) caption: Input,
    pub(super) trouble: Vec<String>,
}

/// A field that takes photos, with those that were taken already.
#[derive(Debug, Default)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kept_name: &'static str,
    /// Whether the form makes sense without one.
    pub(super) optional: bool,
    pub(super) kept: Vec<String>,
}

impl Field {
    /// With what a form that was sent before brought.
    pub(super) fn of(typed: Option<&Filled>, optional: bool) -> Self {
        let kept: BTreeSet<String> = typed.into_iter().flat_map(kept).collect();
        Self { name: PHOTOS, kept_name: KEPT, optional, kept: kept.into_iter().collect() }
    }
}

/// Photos a form names: nothing but what a photo can be called.
fn kept(filled: &Filled) -> impl Iterator<Item = String> {
    let named = |name: &&str| name.parse::<yishi_protocol::ids::Hash>().is_ok();
    filled.all(KEPT).filter(named).map(str::to_owned)
}

/// What a form asks to be put to a matter.
pub(super) fn asked(filled: &Filled) -> Answer<Vec<String>> {
    let mut files: Vec<String> = Vec::new();
    for file in kept(filled) {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    if files.len() > ATTACHMENTS_OF_PLACE_MAX {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "too_many_photos",
            "Too many photos",
            w::photos::TOO_MANY.of(Lang::En),
            w::photos::TOO_MANY.of(Lang::Zh),
        ));
    }
    Ok(files)
}

/// Why photos were not taken, a line each.
pub(super) fn not_kept(list: &[NotKept], lang: Lang) -> Vec<String> {
    let line = |n: &NotKept| {
        let why = lang.of(&n.why.0, &n.why.1);
        if n.name.is_empty() { why.to_owned() } else { format!("{}{}{why}", n.name, lang.of("：", ": ")) }
    };
    list.iter().map(line).collect()
}

/// The photos of a matter as its page shows them.
pub(super) fn of_matter(house: &House, caller: &Caller, page: &Page, matter: &MatterView) -> Photos {
    let lang = page.lang;
    let parent = house.actions.node().parent.is_some();
    let items = matter.attachments.iter().map(|a| {
        let about = w::photos::about(&a.about).of(lang);
        let words = match &a.caption {
            Some(caption) => format!("{about}{}{caption}", lang.of("：", ": ")),
            None => about.to_owned(),
        };
        let (state, tone) = match a.state {
            "here" if a.above => {
                let both = [w::photos::HERE, w::photos::ABOVE].map(|s| s.of(lang));
                (both.join(" · "), "done")
            }
            "here" if parent => (w::photos::NOT_ABOVE.of(lang).to_owned(), "wait"),
            "here" => (w::photos::HERE.of(lang).to_owned(), "done"),
            "let_go" => (w::photos::LET_GO.of(lang).to_owned(), "stop"),
            _ => (on_its_way(a.have, a.pieces, lang), "wait"),
        };
        let href = page.href(&format!("/files/{}", a.file));
        Photo {
            src: if a.state == "here" { format!("/files/{}", a.file) } else { String::new() },
            href,
            words,
            by: format!(
                "{} · {}",
                Place::of(&a.place).name,
                moments::day_seen(&a.on, house.actions.today(), lang)
            ),
            state,
            tone,
            let_go: a.state == "let_go",
        }
    });
    let add = caller.may(Permit::Report).then(|| form(caller, page, matter, None, Vec::new()));
    Photos { items: items.collect(), add }
}

fn on_its_way(have: u32, pieces: u32, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("还在路上（{pieces} 份到了 {have} 份）"),
        Lang::En => format!("on its way ({have} of {pieces} parts)"),
    }
}

fn form(
    caller: &Caller,
    page: &Page,
    matter: &MatterView,
    typed: Option<&Filled>,
    trouble: Vec<String>,
) -> Add {
    let lang = page.lang;
    let abouts = ABOUTS.iter().map(|a| ((*a).to_owned(), w::photos::about(a).of(lang).to_owned()));
    let once = typed.map(|t| t.get("once")).filter(|k| secret::is_fresh(k));
    Add {
        action: page.href(&format!("/m/{}/photos", matter.summary.id)),
        form_token: caller.form_token(),
        once: once.map_or_else(secret::fresh, str::to_owned),
        field: Field::of(typed, false),
        about: Input::choice("about", w::photos::ABOUT.of(lang), abouts).typed(typed, None),
        caption: Input::new("line", "caption", w::photos::CAPTION.of(lang)).typed(typed, None),
        trouble,
    }
}

pub(super) async fn add(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(reference): Path<String>,
    headers: HeaderMap,
    sent: Result<PhotoForm, Problem>,
) -> Response {
    let (filled, refused) = match sent {
        Ok(PhotoForm { filled, not_kept }) => (filled, not_kept),
        Err(problem) => (Err(problem), Vec::new()),
    };
    let (caller, filled) = match visitor.admit(&house, &headers, filled, Permit::Report) {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    let lang = visitor.lang;
    let mut trouble = not_kept(&refused, lang);
    if trouble.is_empty() {
        match put(&house, caller, &reference, &filled).await {
            Ok(to) => {
                let to = visitor.stated.map_or_else(|| to.clone(), |lang| with_language(&to, lang));
                return Redirect::to(&to).into_response();
            }
            Err(problem) if field_of(&problem).is_some() || problem.status() != StatusCode::NOT_FOUND => {
                trouble.push(forms::plain(&problem, "attach", lang));
            }
            Err(problem) => return visitor.trouble(&house, &problem),
        }
    }
    let page = visitor.page(&house, "matter");
    let view = match house.actions.matter(&reference).await.map_err(Problem::action) {
        Ok(view) => view,
        Err(problem) => return visitor.trouble(&house, &problem),
    };
    let add = form(caller, &page, &view, Some(&filled), trouble);
    match matter::with_photos(&house, &visitor, &reference, add).await {
        Ok(shown) => (StatusCode::UNPROCESSABLE_ENTITY, html(&shown)).into_response(),
        Err(problem) => visitor.trouble(&house, &problem),
    }
}

/// Puts the photos of a form to the matter, all or none; gives where they are seen.
async fn put(house: &Arc<House>, caller: &Caller, reference: &str, filled: &Filled) -> Answer<String> {
    let files = asked(filled)?;
    if files.is_empty() {
        let (zh, en) = (w::photos::NONE_CHOSEN.of(Lang::Zh), w::photos::NONE_CHOSEN.of(Lang::En));
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "no_photo",
            "No photo was chosen",
            en,
            zh,
        ));
    }
    let said = |name: &str| Some(filled.get(name).trim().to_owned()).filter(|v| !v.is_empty());
    let (about, caption) = (said("about"), said("caption"));
    let mut requests = Vec::with_capacity(files.len());
    for file in &files {
        let file = file.parse().map_err(Problem::unreadable)?;
        requests.push(AttachRequest { file, about: about.clone(), caption: caption.clone() });
    }
    let hash = secret::hash(format!("{reference}\n{files:?}\n{about:?}\n{caption:?}").as_bytes());
    let address = format!("/m/{reference}/photos");
    sent_once(house, caller, &address, filled, hash, || {
        let (actions, by) = (house.actions.clone(), caller.person.clone());
        let (reference, requests) = (reference.to_owned(), requests.clone());
        async move {
            let acted = actions.attach(Some(&by), &reference, &requests).await.map_err(Problem::action)?;
            let body = serde_json::to_value(&acted).map_err(Problem::fault)?;
            Ok(Done { status: StatusCode::CREATED, body })
        }
    })
    .await?;
    Ok(format!("/m/{}?done=attach", super::escaped(reference)))
}
