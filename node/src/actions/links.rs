//! How the links stand, for people.

use super::{
    ActionError, Actions, instant_text,
    views::{HeldBackView, LinkView, LinksView, OnlyHereView},
};
use crate::store::{LinkId, LinkState, OnlyHere};
use std::fmt;

/// What a link is doing right now.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkNow {
    /// `up`, `down`, `connecting` or `refused`.
    pub state: &'static str,
    /// Why it is not up.
    pub why: Option<String>,
    /// Bytes of frames sent since the start, before QUIC.
    pub bytes_sent: u64,
    /// Bytes of frames received since the start, before QUIC.
    pub bytes_received: u64,
    /// Milliseconds the last connection took from its first packet until both sides had everything.
    pub catch_up_ms: Option<f64>,
}

/// Who knows what the links are doing: the part of the program that drives them.
pub trait LinkStatus: fmt::Debug + Send + Sync {
    /// What a link is doing; `None` if it is not driven at all.
    fn now(&self, link: LinkId) -> Option<LinkNow>;
}

/// How long a parent may keep what it signed for before it is shown as held back: a weekend without a line.
const HELD_BACK_MS: u64 = 3 * 24 * 3_600 * 1_000;

/// Matters listed in an answer; their number is given in full.
const LISTED_MAX: usize = 200;

fn listed(found: OnlyHere) -> OnlyHereView {
    let OnlyHere { doc: document, number, title, changes } = found;
    OnlyHereView { document, number, title, changes }
}

impl Actions {
    /// What the parent has and the place above it has not signed for, though it may see it.
    async fn held_back(&self) -> Result<Option<HeldBackView>, ActionError> {
        let world = self.world();
        let above = world.directory.ancestors(&world.me.cert);
        let Some(beyond) = above.get(1) else { return Ok(None) };
        let before = self.now_ms().saturating_sub(HELD_BACK_MS);
        let found = self.store().no_further_than(1, before).await?;
        let docs: Vec<_> = found.keys().copied().collect();
        let audiences = self.store().audiences(&docs).await?;
        let theirs = audiences.iter().filter(|(_, a)| a.includes(&world.directory, beyond));
        let since: Vec<u64> = theirs.filter_map(|(doc, _)| found.get(doc).copied()).collect();
        Ok(since.iter().min().map(|first| HeldBackView {
            place: self.viewer(&world).place(beyond),
            documents: since.len() as u64,
            since: instant_text(*first),
        }))
    }

    /// How the links stand.
    ///
    /// # Errors
    /// [`ActionError`] when the store cannot be read.
    pub async fn links(&self) -> Result<LinksView, ActionError> {
        let mut view = self.lines().await?;
        if let Some(up) = &mut view.up {
            up.held_back = self.held_back().await?;
        }
        Ok(view)
    }

    /// The same without what a parent holds back, which is looked for in every document.
    ///
    /// # Errors
    /// [`ActionError`] when the store cannot be read.
    pub async fn lines(&self) -> Result<LinksView, ActionError> {
        let world = self.world();
        let alone = if world.is_active() { Vec::new() } else { self.store().only_here().await? };
        let mut view = LinksView {
            active: world.is_active(),
            only_here_documents: alone.len() as u64,
            only_here: alone.into_iter().take(LISTED_MAX).map(listed).collect(),
            up: None,
            down: Vec::new(),
        };
        let viewer = self.viewer(&world);
        let comparing = self.store().comparing().await?;
        for link in self.store().link_states().await?.into_iter().filter(|l| !l.closed) {
            let now = self.link_now(&link).await?;
            let shown = LinkView {
                peer: viewer.place(&link.peer),
                state: now.state,
                address: link.address.filter(|_| link.up),
                last_contact: link.last_contact_ms.map(instant_text),
                last_in_step: link.last_in_step_ms.map(instant_text),
                comparing: comparing.contains(&link.id),
                why: now.why,
                waiting: link.out_seq.saturating_sub(link.out_acked),
                sent: link.out_seq,
                stored_there: link.out_acked,
                refused: link.refused,
                received: link.received,
                bytes_sent: now.bytes_sent,
                bytes_received: now.bytes_received,
                catch_up_ms: now.catch_up_ms,
                held_back: None,
            };
            if link.up {
                view.up = Some(shown);
            } else {
                view.down.push(shown);
            }
        }
        Ok(view)
    }

    /// What a link is doing: by whoever drives it, else by its log.
    pub(super) async fn link_now(&self, link: &LinkState) -> Result<LinkNow, ActionError> {
        if let Some(now) = self.0.links.get().and_then(|l| l.now(link.id)) {
            return Ok(now);
        }
        let last = self.store().link_events(link.id, 1).await?;
        let up = self.0.links.get().is_none() && last.first().is_some_and(|e| e.up);
        Ok(LinkNow {
            state: if up { "up" } else { "down" },
            why: link.why.clone(),
            bytes_sent: 0,
            bytes_received: 0,
            catch_up_ms: None,
        })
    }
}
