//! This node, the tree of places, inviting.

use super::{
    ActionError, Actions, day_text, instant_text,
    matter_view::Viewer,
    request::InviteRequest,
    views::{InviteView, NodeView, PathView, PlaceLink, PlaceRow, PlaceView},
    words::short,
};
use crate::{link, store::StoreError};
use rand::Rng as _;
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    ids::PlaceId,
    place::{Divisions, PlaceCode},
};

/// How long an invitation holds if nothing is said: over a weekend.
const EXPIRES_HOURS: u32 = 72;
/// The longest an invitation may hold.
const EXPIRES_HOURS_MAX: u32 = 24 * 90;

impl Actions {
    /// This node.
    #[must_use]
    pub fn node(&self) -> NodeView {
        let world = self.world();
        let viewer = self.viewer(&world);
        let above = world.directory.ancestors(&world.me.cert);
        NodeView {
            place: path(&viewer, &world.me.place, &above),
            federation: world.directory.federation().to_string(),
            version: env!("CARGO_PKG_VERSION"),
            incarnation: world.me.incarnation.0,
            epoch: self.store().epoch().to_string(),
            today: day_text(self.today()),
            node_key: world.me.keys.public().to_string(),
            web_pin: None,
            parent: above.first().map(|p| viewer.place(p)),
            active: world.is_active(),
        }
    }

    /// This place, those above it and those below it, parents before children.
    ///
    /// # Errors
    /// [`ActionError`] when the store cannot be read.
    pub async fn places(&self) -> Result<Vec<PlaceRow>, ActionError> {
        let world = self.world();
        let viewer = self.viewer(&world);
        let me = world.me.place;
        let above = world.directory.ancestors(&world.me.cert);
        let mut open = self.store().open_by_home().await?;
        for (place, stubs) in self.store().open_stubs().await? {
            *open.entry(place).or_default() += stubs;
        }
        let mut links = BTreeMap::new();
        for link in self.store().link_states().await?.into_iter().filter(|l| !l.closed) {
            let now = self.link_now(&link).await?;
            let state = if now.state == "up" { "up" } else { "down" };
            let last_contact = link.last_contact_ms.map(instant_text);
            links.insert(link.peer, PlaceLink { state, last_contact });
        }
        let mut rows: Vec<(usize, PlaceRow)> = Vec::new();
        for (place, known) in world.directory.places() {
            let ancestors = world.directory.place_ancestors(&place);
            if place != me && !above.contains(&place) && !ancestors.contains(&me) {
                continue;
            }
            let row = PlaceRow {
                place: viewer.place(&place),
                parent: ancestors.first().copied(),
                is_self: place == me,
                link: links.remove(&place),
                revoked: known.revoked,
                open_matters: open.get(&place).copied().unwrap_or(0),
            };
            rows.push((ancestors.len(), row));
        }
        rows.sort_by(|(a, x), (b, y)| (a, &x.place.code).cmp(&(b, &y.place.code)));
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    /// A place by id, code or unique name.
    ///
    /// # Errors
    /// [`ActionError::UnknownPlace`] or [`ActionError::Ambiguous`].
    pub fn find_place(&self, reference: &str) -> Result<PlaceId, ActionError> {
        let world = self.world();
        let reference = reference.trim();
        if reference == "self" {
            return Ok(world.me.place);
        }
        if let Ok(id) = reference.parse::<PlaceId>()
            && world.directory.place(&id).is_some()
        {
            return Ok(id);
        }
        let named = |live: bool| -> BTreeSet<PlaceId> {
            let fits = |p: &PlaceId| {
                world
                    .directory
                    .called(p)
                    .is_some_and(|[code, name, _]| code == reference || name == reference)
            };
            let places = world.directory.places().filter(|(_, known)| !live || !known.revoked);
            places.map(|(p, _)| p).filter(fits).collect()
        };
        let mut found = named(true);
        if found.is_empty() {
            found = named(false);
        }
        match (found.pop_first(), found.is_empty()) {
            (Some(place), true) => Ok(place),
            (Some(_), false) => Err(ActionError::Ambiguous(reference.to_owned())),
            (None, _) => Err(ActionError::UnknownPlace(reference.to_owned())),
        }
    }

    /// Invites a place below: makes a token that is shown once.
    ///
    /// # Errors
    /// [`ActionError::PlaceExists`] if a live place has the code and nothing is to be replaced.
    pub async fn invite(&self, request: InviteRequest) -> Result<InviteView, ActionError> {
        let code: PlaceCode =
            request.code.trim().parse().map_err(|e: yishi_protocol::place::PlaceCodeError| {
                ActionError::invalid(
                    "code",
                    format!(
                        "“{}” is no place code: {e}. No invitation was made. Check the 12 digits.",
                        request.code
                    ),
                    format!("“{}”不是 12 位区划代码，没有发出邀请。请核对。", request.code),
                )
            })?;
        let address = request.address.clone().or_else(|| self.0.address.get().cloned());
        let address = short("address", &address.ok_or(ActionError::missing("address"))?)?;
        if !self.world().is_active() {
            return Err(StoreError::StoodDown.into());
        }
        let hours = request.expires_hours.unwrap_or(EXPIRES_HOURS);
        if hours == 0 || hours > EXPIRES_HOURS_MAX {
            return Err(ActionError::invalid(
                "expires_hours",
                format!("An invitation holds for 1 to {EXPIRES_HOURS_MAX} hours. None was made."),
                format!("邀请的有效期为 1 到 {EXPIRES_HOURS_MAX} 小时，没有发出邀请。"),
            ));
        }
        let replace = request.replace || request.takeover;
        let world = self.world();
        let me = &world.me;
        let text = code.to_string();
        let coded = |p: &PlaceId| world.directory.called(p).filter(|[known, ..]| *known == text);
        let live = world.directory.places().find(|(p, known)| !known.revoked && coded(p).is_some());
        // A place whose keys were revoked comes back as itself: its matters are its own still.
        let revoked = || {
            let own = |p: &PlaceId| coded(p).is_some() && world.directory.parent(p) == Some(me.place);
            world.directory.places().find(|(p, _)| replace && own(p))
        };
        let existing = live.or_else(revoked);
        if let Some((place, _)) = existing {
            let name = self.viewer(&world).place(&place).name;
            if !replace {
                return Err(ActionError::PlaceExists(name));
            }
            if world.directory.place_ancestors(&place).first() != Some(&me.place) {
                return Err(ActionError::NotBelow(name));
            }
        }
        if existing.is_none() && request.takeover {
            return Err(ActionError::UnknownPlace(text));
        }
        if existing.is_none() && !request.here {
            belongs_below(code, world.directory.get(&me.cert).map_or("", |c| &c.code))?;
        }
        let existing = existing.map(|(place, _)| place);
        // Another box is no other name.
        let kept = existing.filter(|_| request.takeover).and_then(|p| world.directory.called(&p));
        let (name, level) = match kept {
            Some([_, name, level]) => (name.to_owned(), level.to_owned()),
            None => named(code, &request)?,
        };
        let known = existing.and_then(|place| world.directory.place_cert(&place));
        let nonce = known.map_or_else(|| self.founding_nonce(), |cert| cert.nonce);
        // One that was founded elsewhere and moved here keeps its id.
        let place = existing.unwrap_or_else(|| PlaceId::founded(&me.place, &nonce));
        let expires_at = self.now_ms() / 1_000 + u64::from(hours) * 3_600;
        let asked = link::InviteRequest {
            place,
            nonce,
            code: code.to_string(),
            name: name.clone(),
            level: level.clone(),
            address,
            expires_at,
        };
        let token = link::invite(self.store(), asked).await?.to_string();
        let place = PlaceView { id: place, code: code.to_string(), name, level };
        Ok(InviteView { token, place, expires_at: instant_text(expires_at * 1_000) })
    }

    /// What a new place is founded with.
    fn founding_nonce(&self) -> [u8; 16] {
        let mut nonce = [0; 16];
        self.rng().fill_bytes(&mut nonce);
        nonce
    }
}

fn path(viewer: &Viewer<'_>, place: &PlaceId, above: &[PlaceId]) -> PathView {
    let names: Vec<String> = above.iter().rev().chain([place]).map(|p| viewer.place(p).name).collect();
    PathView { place: viewer.place(place), path: names.join(" › ") }
}

/// Whether the official lists, where they know both, have a place below the one with `own` code. The tree
/// is stated, so this is advice: whoever invites may insist.
fn belongs_below(code: PlaceCode, own: &str) -> Result<(), ActionError> {
    let Ok(lists) = Divisions::shipped() else { return Ok(()) };
    let (Some(listed), Ok(own)) = (lists.find(code), own.parse::<PlaceCode>()) else { return Ok(()) };
    if lists.find(own).is_none() || lists.ancestors(code).any(|above| above.code == own) {
        return Ok(());
    }
    let above: Vec<&str> = lists.ancestors(code).map(|d| d.name.as_str()).collect();
    let path: Vec<&str> = above.into_iter().rev().collect();
    Err(ActionError::ForeignPlace(listed.name.clone(), path.join(" › ")))
}

/// Name and level as asked, else from the built-in divisions.
fn named(code: PlaceCode, request: &InviteRequest) -> Result<(String, String), ActionError> {
    let given =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let (name, level) = (given(&request.name), given(&request.level));
    if let (Some(name), Some(level)) = (&name, &level) {
        return Ok((short("name", name)?, short("level", level)?));
    }
    let listed = Divisions::shipped().ok().and_then(|d| d.find(code).cloned());
    let name =
        name.or_else(|| listed.map(|d| d.name)).ok_or_else(|| ActionError::UnknownCode(code.to_string()))?;
    let level = level.unwrap_or_else(|| code.level_hint().name().to_owned());
    Ok((short("name", &name)?, short("level", &level)?))
}
