//! Who asks, and the gate every address of the API stands behind.
//!
//! Invariant: a handler that receives a [`Caller`] runs for somebody whose rights the gate has checked
//! against the table of routes; it reads no body before. Every act carries the caller's `person`: a charter
//! member id (`u1`), or `local` for whoever may open the local socket.

use super::{
    House,
    permit::{self, Permit},
    problem::Problem,
    routes::Need,
    secret,
    server::Door,
};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{collections::BTreeSet, sync::Arc};

/// The person id of the local administrator.
pub(super) const LOCAL: &str = "local";

/// How the caller showed who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// By opening the local socket.
    Socket,
    /// By a bearer token.
    Token,
    /// By the cookie of a session.
    Session {
        /// What the cookie holds.
        secret: String,
    },
}

/// Somebody who may do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// The charter member id acts are attributed to.
    pub(super) person: String,
    /// The name shown.
    pub(super) name: String,
    pub(super) proof: Proof,
    permits: BTreeSet<Permit>,
}

impl Caller {
    fn local() -> Self {
        Self { person: LOCAL.into(), name: LOCAL.into(), proof: Proof::Socket, permits: permit::everything() }
    }

    /// A caller with the given rights.
    pub(super) fn new(person: String, name: String, proof: Proof, permits: BTreeSet<Permit>) -> Self {
        Self { person, name, proof, permits }
    }

    /// Whether the caller has the permission.
    pub(super) fn may(&self, permit: Permit) -> bool {
        self.permits.contains(&permit)
    }

    /// Refuses a caller without the permission.
    pub(super) fn must(&self, permit: Permit) -> Result<(), Problem> {
        let (en, zh) = permit.words();
        if self.may(permit) { Ok(()) } else { Err(Problem::not_permitted(en, zh)) }
    }

    /// Refuses to hand out rights the caller has not: nobody makes an administrator of themselves.
    pub(super) fn must_have_all(&self, rights: &BTreeSet<Permit>) -> Result<(), Problem> {
        if rights.is_subset(&self.permits) {
            return Ok(());
        }
        Err(Problem::not_permitted("hand out rights it does not have itself", "授予自己没有的权限"))
    }

    /// The token this caller's forms carry; empty when there is no session to protect.
    pub(super) fn form_token(&self) -> String {
        match &self.proof {
            Proof::Session { secret } => secret::form_token(secret),
            Proof::Socket | Proof::Token => String::new(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Only the gate puts one there; without it nobody is signed in.
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::not_signed_in)
    }
}

/// Lets a request pass to its handler if the caller may.
pub(super) async fn gate(
    State((house, need)): State<(Arc<House>, Need)>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = match recognise(&house, request.extensions().get::<Door>().copied(), request.headers()).await
    {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let admitted = match (need, &caller) {
        (Need::Nothing, _) => Ok(()),
        (_, None) => Err(Problem::not_signed_in()),
        (Need::SignedIn, Some(_)) => Ok(()),
        (Need::May(permit), Some(caller)) => caller.must(permit),
    };
    let admitted = admitted.and_then(|()| match &caller {
        Some(Caller { proof: Proof::Session { .. }, .. }) => {
            sent_from_here(request.method(), request.headers())
        }
        _ => Ok(()),
    });
    if let Err(problem) = admitted {
        return problem.into_response();
    }
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    next.run(request).await
}

/// Who this is: by the door, by a token, or by a session. A token that does not hold is an error, a cookie
/// that does not is nobody.
pub(super) async fn recognise(
    house: &House,
    door: Option<Door>,
    headers: &HeaderMap,
) -> Result<Option<Caller>, Problem> {
    if door == Some(Door::Socket) {
        return Ok(Some(Caller::local()));
    }
    if let Some(stated) = headers.get(header::AUTHORIZATION) {
        let token = stated.to_str().ok().and_then(bearer).ok_or_else(Problem::not_signed_in)?;
        return house.accounts().by_token(token).await?.map(Some).ok_or_else(Problem::not_signed_in);
    }
    match door.and_then(|d| super::cookie::read(headers, d)) {
        Some(secret) => house.accounts().by_session(secret).await,
        None => Ok(None),
    }
}

fn bearer(stated: &str) -> Option<&str> {
    let (scheme, token) = stated.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Refuses a request that changes something and was sent by another site's page with this person's cookie.
///
/// Browsers say where a request comes from in `Sec-Fetch-Site` or `Origin`; one that says neither is older
/// than 2020 and is refused rather than trusted.
pub(super) fn sent_from_here(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if method.is_safe() {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let here = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text("host")
        }
        (None, None) => false,
    };
    if here { Ok(()) } else { Err(Problem::foreign_form()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &Method, headers: &[(&str, &str)], passes: bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(header::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        assert_eq!(sent_from_here(method, &map).is_ok(), passes, "{headers:?}");
    }

    #[test]
    fn only_our_own_pages_change_anything() {
        let post = &Method::POST;
        check(&Method::GET, &[("sec-fetch-site", "cross-site")], true);
        check(post, &[("sec-fetch-site", "same-origin")], true);
        check(post, &[("sec-fetch-site", "same-site")], false);
        check(post, &[("sec-fetch-site", "cross-site"), ("origin", "http://a"), ("host", "a")], false);
        check(post, &[("origin", "https://cun.local:8443"), ("host", "cun.local:8443")], true);
        check(post, &[("origin", "https://evil.example"), ("host", "cun.local:8443")], false);
        check(post, &[("origin", "null"), ("host", "cun.local")], false);
        check(post, &[], false);
    }

    #[test]
    fn bearer_is_read_strictly() {
        assert_eq!(bearer("Bearer yst_a"), Some("yst_a"));
        assert_eq!(bearer("bearer  yst_a "), Some("yst_a"));
        assert_eq!(bearer("Basic yst_a"), None);
        assert_eq!(bearer("Bearer "), None);
    }
}
