//! Who may send a form, and what becomes of what was typed when they may not.
//!
//! Invariants: nothing is carried out for a form that another site's page sent, nor for one whose token is not
//! of this session. What a person typed is never thrown away: a form whose session has ended goes on through
//! the sign-in page, and one of an older session is shown again to be sent once more.

use super::{Page, Visitor, html, login, w};
use crate::http::{
    House,
    body::Filled,
    caller::{Caller, Proof, sent_from_here},
    permit::Permit,
    problem::Problem,
    secret,
};
use askama::Template;
use axum::{
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
};

/// Fields that belong to one sending of a form, not to what was typed.
const OF_THE_SENDING: &[&str] = &["form_token"];
/// Fields that are not for reading.
const SILENT: &[&str] = &["form_token", "once", "act", "form_id", "form", "step", "back", "photo"];

#[derive(Template)]
#[template(path = "carry.html")]
struct CarryPage {
    page: Page,
    action: String,
    back: String,
    hidden: Vec<(String, String)>,
    shown: Vec<String>,
    form_token: String,
}

impl Visitor {
    /// Who sent a form, and the form, if it can be read and they may; otherwise the page that says so and keeps
    /// what was typed.
    pub(super) fn admit(
        &self,
        house: &House,
        headers: &HeaderMap,
        filled: Result<Filled, Problem>,
        permit: Permit,
    ) -> Result<(&Caller, Filled), Box<Response>> {
        let filled = filled.map_err(|problem| Box::new(self.trouble(house, &problem)))?;
        let here = sent_from_here(&Method::POST, headers);
        let Some(caller) = &self.caller else {
            return Err(Box::new(match here {
                Ok(()) => login::carrying(house, self, &filled),
                Err(problem) => self.trouble(house, &problem),
            }));
        };
        if let Proof::Session { .. } = caller.proof {
            here.map_err(|problem| Box::new(self.trouble(house, &problem)))?;
            if !secret::same(filled.get("form_token"), &caller.form_token()) {
                let again = self.send_again(house, &self.address, filled.pairs());
                return Err(Box::new((StatusCode::FORBIDDEN, again).into_response()));
            }
        }
        caller.must(permit).map_err(|problem| Box::new(self.trouble(house, &problem)))?;
        Ok((caller, filled))
    }

    /// What was typed, to be looked at and sent once more.
    pub(super) fn send_again(&self, house: &House, action: &str, pairs: &[(String, String)]) -> Response {
        let Some(caller) = &self.caller else {
            return self.trouble(house, &Problem::not_signed_in());
        };
        let page = self.page(house, "");
        let kept = pairs.iter().filter(|(n, _)| !OF_THE_SENDING.contains(&n.as_str()));
        let shown = pairs.iter().filter(|(n, v)| !SILENT.contains(&n.as_str()) && !v.trim().is_empty());
        html(&CarryPage {
            action: page.href(action),
            back: page.href(action.trim_end_matches("/acts")),
            hidden: kept.cloned().collect(),
            shown: shown.map(|(_, v)| v.clone()).collect(),
            form_token: caller.form_token(),
            page,
        })
    }
}
