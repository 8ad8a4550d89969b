//! What people and programs do at this place: one function per intention.
//!
//! The way of an action: read what is stored, fold it, ask the procedure whether it is allowed now, write
//! one change for one act with everything known as its past, sign it, and hand all of it to the store in
//! one piece. An answer is given only after the store said that it is durable; the read models follow
//! behind and are never waited for, so a single matter is always shown from its own changes.
//!
//! An act that is not allowed is never written here. Names, dates and words are made for people in
//! [`views`] at the last moment; what is stored has ids only.

mod act;
mod attach;
mod author;
mod below;
pub(crate) mod board;
mod by_charter;
mod carry;
mod charter;
mod dashboard;
mod deliberation;
mod deliberation_view;
mod dossier;
mod error;
mod find;
mod fixed;
mod forgetting;
mod import;
mod inbox;
mod links;
mod matter_view;
mod merge;
mod next_view;
pub(crate) mod notices;
mod numbers;
mod opening;
mod outcome;
mod phone;
mod places;
mod placing;
mod privacy;
mod procedures;
mod raise;
mod request;
pub(crate) mod revoke;
mod similar;
mod sketch;
mod stubs;
mod supervise;
pub mod views;
mod words;

pub use attach::{AttachRequest, FileView, FilesView, KeptFile};
pub(crate) use author::Authors;
pub use board::ObjectionRequest;
pub(crate) use by_charter::level_zh;
pub use dashboard::StandingsQuery;
pub use error::{ActionError, Class};
pub(crate) use fixed::fixed_words;
pub use inbox::{BelowView, InboxAsked, InboxCounts, InboxPage, InboxRow, InboxView};
pub use links::{LinkNow, LinkStatus};
pub use next_view::act_fields;
pub use notices::{AnnounceRequest, AnnouncementsQuery, RecallRequest};
pub use numbers::Numbers;
pub use opening::OpenRequest;
pub use request::{
    ActRequest, AdmitRequest, CharterQuery, CharterRequest, ExportQuery, ExternalRequest, ForgetRequest,
    ImportRequest, ImportRow, InviteRequest, ListQuery, NoticeRequest, OutcomeRequest, PageQuery, Petitioner,
    PlacingRequest, ProcedureRequest, RaiseRequest, RevokeRequest,
};
pub use similar::SimilarRequest;
pub(crate) use sketch::Sketch;
pub(crate) use stubs::StubsWritten;

use crate::{
    clock::Clock,
    store::{Store, World},
};
use rand::{SeedableRng, rngs::StdRng};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use tokio::sync::Notify;
use yishi_protocol::{
    calendar::{Calendar, Date},
    ids::DocId,
    place::{Divisions, PlaceCode},
};

/// Documents are locked by the first byte of their id: two of them rarely wait for each other. With 64 two decisions
/// over ten matters each nearly always did.
const DOC_LOCKS: usize = 256;

/// The place's actions. Cheap to clone.
#[derive(Clone)]
pub struct Actions(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    rng: Mutex<StdRng>,
    locks: Vec<tokio::sync::Mutex<()>>,
    prefix: OnceLock<String>,
    links: OnceLock<Arc<dyn LinkStatus>>,
    /// Wakes whoever dials the parent.
    dial: OnceLock<Arc<Notify>>,
    /// Where this node's own link listens, for invitations.
    address: OnceLock<String>,
    stubs: tokio::sync::Mutex<StubsWritten>,
}

impl fmt::Debug for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actions").field("store", &self.0.store).finish_non_exhaustive()
    }
}

/// Who does it: the member id of the person signed in; `None` when the program acts by a stated rule.
pub type By<'a> = Option<&'a str>;

impl Actions {
    /// The actions of the place whose database this is.
    ///
    /// # Errors
    /// [`ActionError::Broken`] if the calendar that ships with the program cannot be read.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Result<Self, ActionError> {
        Self::with_rng(store, clock, StdRng::from_rng(&mut rand::rng()))
    }

    /// The same with a random source of the caller's: one that can be played again.
    ///
    /// # Errors
    /// As [`Actions::new`].
    pub fn with_rng(store: Store, clock: Arc<dyn Clock>, rng: StdRng) -> Result<Self, ActionError> {
        Ok(Self(Arc::new(Inner {
            store,
            clock,
            rng: Mutex::new(rng),
            locks: (0..DOC_LOCKS).map(|_| tokio::sync::Mutex::new(())).collect(),
            prefix: OnceLock::new(),
            links: OnceLock::new(),
            dial: OnceLock::new(),
            address: OnceLock::new(),
            stubs: tokio::sync::Mutex::default(),
        })))
    }

    /// Tells where the present state of links is known. Without it the link log is asked.
    pub fn watch_links(&self, links: Arc<dyn LinkStatus>) {
        // Set once, at start; a second watcher would know the same.
        let _ = self.0.links.set(links);
    }

    /// Tells how whoever dials the parent is woken ([`Actions::reconnect`]).
    pub fn dials_with(&self, dial: Arc<Notify>) {
        let _ = self.0.dial.set(dial);
    }

    /// Asks for the parent to be dialled now; `false` if nobody dials.
    #[must_use]
    pub fn reconnect(&self) -> bool {
        self.0.dial.get().inspect(|d| d.notify_one()).is_some()
    }

    /// Tells where other nodes reach this one: `host:port`, named in invitations.
    pub fn listens_at(&self, address: String) {
        let _ = self.0.address.set(address);
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// How many documents wait until lists show them as they are now.
    ///
    /// # Errors
    /// [`ActionError`] when the store cannot be read.
    pub async fn unread(&self) -> Result<u64, ActionError> {
        Ok(self.store().dirty_count().await?)
    }

    /// The calendar deadlines are counted with.
    #[must_use]
    pub fn calendar(&self) -> Arc<Calendar> {
        Arc::clone(&self.world().charters.calendar)
    }

    /// Today, in days since 1970-01-01.
    #[must_use]
    pub fn today(&self) -> i64 {
        self.0.clock.today()
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.0.clock.now_ms()
    }

    pub(crate) fn world(&self) -> Arc<World> {
        self.0.store.world()
    }

    /// The random source; never held across an await.
    pub(crate) fn rng(&self) -> MutexGuard<'_, StdRng> {
        self.0.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks documents against other actions of this node, so that no two use one sequence number.
    pub(crate) async fn lock(
        &self,
        docs: impl IntoIterator<Item = DocId>,
    ) -> Vec<tokio::sync::MutexGuard<'_, ()>> {
        // Always in the same order: two actions over the same documents cannot wait for each other.
        let mut stripes: Vec<usize> =
            docs.into_iter().map(|d| usize::from(d.0.first().copied().unwrap_or(0)) % DOC_LOCKS).collect();
        stripes.sort_unstable();
        stripes.dedup();
        let mut guards = Vec::with_capacity(stripes.len());
        for stripe in stripes {
            if let Some(lock) = self.0.locks.get(stripe) {
                guards.push(lock.lock().await);
            }
        }
        guards
    }

    /// What stands before the year in this place's numbers: chosen once, kept for ever.
    pub(crate) async fn number_prefix(&self) -> Result<String, ActionError> {
        if let Some(prefix) = self.0.prefix.get() {
            return Ok(prefix.clone());
        }
        let kept = self.0.store.meta(NUMBER_PREFIX).await?.and_then(|b| String::from_utf8(b).ok());
        let prefix = match kept {
            Some(prefix) => prefix,
            None => {
                let chosen = self.choose_prefix()?;
                self.0.store.set_meta(NUMBER_PREFIX, chosen.clone().into_bytes()).await?;
                chosen
            }
        };
        Ok(self.0.prefix.get_or_init(|| prefix).clone())
    }

    /// The short name; the built-in list knows which short names are taken twice.
    fn choose_prefix(&self) -> Result<String, ActionError> {
        let world = self.world();
        let cert =
            world.directory.get(&world.me.cert).ok_or(ActionError::Broken("no certificate of our own"))?;
        // Counted once in a process: it goes through all lists, and thousands of simulated places ask.
        static LISTED: OnceLock<BTreeMap<PlaceCode, (String, String)>> = OnceLock::new();
        let listed = LISTED.get_or_init(|| {
            let Ok(lists) = Divisions::shipped() else { return BTreeMap::new() };
            let named = |(code, prefix)| Some((code, (lists.find(code)?.name.clone(), prefix)));
            lists.number_prefixes().into_iter().filter_map(named).collect()
        });
        let known = cert.code.parse().ok().and_then(|code| listed.get(&code));
        let known = known.filter(|(name, _)| *name == cert.name).map(|(_, prefix)| prefix.as_str());
        Ok(known.unwrap_or_else(|| yishi_protocol::place::short_name(&cert.name)).to_owned())
    }
}

const NUMBER_PREFIX: &str = "number_prefix";

/// A day as people write it; days outside the calendar's range are shown at its ends.
pub(crate) fn day_text(day: i64) -> String {
    let date = Date::from_days(day).unwrap_or(if day < 0 { Date::MIN } else { Date::MAX });
    date.to_string()
}

/// An instant in RFC 3339, UTC.
pub(crate) fn instant_text(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}.{:03}Z", day_text(day.cast_signed()), ms % 1_000)
}
