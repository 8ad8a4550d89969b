//! The node's face to browsers and programs: the HTTP API of one place and its plain pages.
//!
//! ```text
//! server  doors, connections, orderly stop        routes  the table of addresses ─┬─ gate (caller)
//! caller  who asks; permit: who may what                                           ├─ openapi
//! body, once, problem: in, repeated, refused                                       └─ api/* handlers
//! live: what changed, for pages that are open      pages/* what people see, over the same actions
//! ```
//! Invariants: this module never touches SQL and never decides what a place may do with a matter: it asks
//! [`Actions`]. Every error that leaves it is a [`problem::Problem`]; every changing request has a caller
//! whose rights were checked before its body was read; petitioners' data is on no page.

mod accounts;
mod api;
mod authority;
mod bind_error;
mod body;
mod caller;
mod config;
mod cookie;
mod files;
mod lang;
pub mod limits;
mod live;
mod metrics;
mod once;
pub mod openapi;
mod ops;
mod pages;
mod parts;
mod password;
pub mod permit;
pub mod problem;
pub mod routes;
mod seats;
mod secret;
mod server;
mod sheets;
mod socket;
mod stall;
mod tls;
mod upload;
mod upload_parts;

pub use bind_error::BindError;
pub use config::HttpConfig;
pub use lang::Lang;
pub use server::{Door, Server, ServerFault};
pub use tls::{WebKey, WebKeyError};

use crate::{actions::Actions, clock::Clock, store::Store};
use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What all requests share.
#[derive(Debug)]
struct House {
    actions: Actions,
    clock: Arc<dyn Clock>,
    passwords: password::Passwords,
    strangers: accounts::Strangers,
    under_way: once::UnderWay,
    walkers: pages::Walkers,
    bulk: pages::BulkResults,
    large_bodies: Arc<Semaphore>,
    pictures: Arc<Semaphore>,
    counts: Arc<metrics::Counts>,
    open_board: bool,
    live: Arc<live::Live>,
    lang: Lang,
    pin: Option<String>,
    trust: Option<server::Trust>,
}

impl House {
    fn store(&self) -> &Store {
        self.actions.store()
    }

    fn accounts(&self) -> accounts::Accounts<'_> {
        accounts::Accounts(self)
    }
}

impl Server {
    /// Opens every door the configuration names and serves this place's API and pages.
    ///
    /// # Errors
    /// [`BindError`]; nothing is served then.
    pub async fn bind(config: HttpConfig, actions: Actions) -> Result<Self, BindError> {
        let doors = server::Doors::open(&config, &actions.node().place.place.name).await?;
        let counts = Arc::new(metrics::Counts::default());
        let live = live::Live::of(actions.store(), config.clock.now_ms());
        let ends = live.ends_with();
        let house = Arc::new(House {
            actions,
            clock: config.clock,
            passwords: password::Passwords::new(),
            strangers: accounts::Strangers::default(),
            under_way: once::UnderWay::default(),
            walkers: pages::Walkers::default(),
            bulk: pages::BulkResults::default(),
            pictures: Arc::new(Semaphore::new(limits::PICTURES_MAX)),
            large_bodies: Arc::new(Semaphore::new(limits::LARGE_BODIES_MAX)),
            counts: Arc::clone(&counts),
            open_board: config.open_board,
            live,
            lang: config.lang,
            pin: doors.pin().map(str::to_owned),
            trust: doors.trust(),
        });
        Ok(doors.serve(router(&house), counts, ends))
    }
}

fn router(house: &Arc<House>) -> Router {
    api::router(house)
        .merge(pages::router(house))
        .merge(metrics::router())
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(house), metrics::count))
        .layer(middleware::from_fn(common_headers))
        .with_state(Arc::clone(house))
}

async fn wrong_method(path: Option<MatchedPath>) -> problem::Problem {
    let listed = path.as_ref().map(|p| routes::methods_at(p.as_str())).unwrap_or_default();
    let on_pages = path.as_ref().map_or("GET, HEAD", |p| pages::methods_at(p.as_str()));
    problem::Problem::method(if listed.is_empty() { on_pages.to_owned() } else { listed })
}

/// What every answer says: nothing from elsewhere, nothing guessed, nothing framed.
async fn common_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
