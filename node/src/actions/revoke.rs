//! Ending the keys of a place below, and admitting later what was stored and not counted.
//!
//! A revocation names the last changes that still count. Which they are the operator says by a moment of
//! this node's own: what it had stored before counts, whatever came after is kept and does not. So a theft
//! noticed late does not let the thief's changes count. Everything can be looked at first: `preview`
//! answers with what would not count and writes nothing.

use super::{
    ActionError, Actions, instant_text,
    request::{AdmitRequest, RevokeRequest},
    views::{AdmitView, RevokeView, UncountedView},
    words::{required, short},
};
use crate::store::{AuthoredDoc, Store, StoreError, World};
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    calendar::Date,
    cert::Revocation,
    ids::{CertHash, ChangeHash, DocId, Hash, NodeKey, PlaceId},
    key::{SecretKeys, Signature},
    limits::{REVOCATION_CERTS_MAX, REVOCATION_CUTS_MAX},
};

/// Documents listed in an answer; their number is given in full.
const LISTED_MAX: usize = 200;
/// Later than anything is stored.
pub(crate) const EVER_MS: u64 = i64::MAX.cast_unsigned();
/// China has one time zone: what people write is eight hours ahead of what is stored.
const CHINA_MS: u64 = 8 * 3_600_000;

impl Actions {
    /// Ends the keys of a place below. If a newer key has taken the place over, that one goes on.
    ///
    /// # Errors
    /// [`ActionError::NotBelow`] for another place.
    pub async fn revoke(&self, reference: &str, request: RevokeRequest) -> Result<RevokeView, ActionError> {
        let reason = short("reason", &required("reason", &request.reason)?.0)?;
        let place = self.find_below(reference)?;
        let world = self.world();
        let since = request.since.as_deref().map(|text| moment("since", text)).transpose()?;
        let before = since.unwrap_or(EVER_MS);
        let keys = ending(&world, &place, request.all_keys);
        let ended: Vec<CertHash> = keys.values().flatten().copied().collect();
        let kept = live(&world, &place).len() - keys.len();
        let uncounted = match since {
            Some(since) => self.store().authored_since(&ended, since).await?,
            None => Vec::new(),
        };
        let signer = (world.me.cert, &world.me.keys);
        let (records, disowned) = ends(self.store(), keys.values(), before, &reason, signer).await?;
        let viewer = self.viewer(&world);
        let link = world.link_to(&place).filter(|_| kept == 0);
        let view = RevokeView {
            preview: request.preview,
            place: viewer.place(&place),
            revoked_certificates: ended.len() as u64,
            kept_keys: kept as u64,
            link_closed: link.is_some(),
            counted_until: since.map(instant_text),
            uncounted_changes: uncounted.iter().map(|d| d.changes).sum(),
            uncounted_documents: uncounted.len() as u64,
            uncounted: uncounted.iter().take(LISTED_MAX).map(seen).collect(),
            places_not_vouched_for: disowned.iter().map(|p| viewer.place(p)).collect(),
        };
        if !request.preview {
            let mut batch = self.dated_batch()?;
            batch.revocations = records;
            self.store().write(batch).await?;
            if let Some(link) = link {
                self.store().close_link(link.id).await?;
            }
        }
        Ok(view)
    }

    /// Lets count what a revoked key wrote and this node had stored: all before a moment, or all of some
    /// matters. It is added to what the revocation named; nothing is taken back.
    ///
    /// # Errors
    /// [`ActionError::NotBelow`] for another place; [`ActionError::Invalid`] if nothing says what to admit.
    pub async fn admit(&self, reference: &str, request: AdmitRequest) -> Result<AdmitView, ActionError> {
        let reason = short("reason", &required("reason", &request.reason)?.0)?;
        let place = self.find_below(reference)?;
        let world = self.world();
        let until = request.until.as_deref().map(|text| moment("until", text)).transpose()?;
        if until.is_none() && request.matters.is_empty() {
            return Err(ActionError::missing("until"));
        }
        let mut only = BTreeSet::new();
        for matter in &request.matters {
            only.insert(self.find_matter(matter).await?);
        }
        let (mut records, mut admitted) = (Vec::new(), Vec::new());
        let before = until.unwrap_or(EVER_MS);
        let revoked =
            world.directory.iter().filter(|(hash, c)| c.place == place && world.directory.is_revoked(hash));
        let mut keys: BTreeMap<NodeKey, Vec<CertHash>> = BTreeMap::new();
        for (hash, cert) in revoked {
            keys.entry(cert.key).or_default().push(*hash);
        }
        for certs in keys.values() {
            let Some(cert) = certs.first() else { continue };
            let last = self.store().last_authored(certs, before).await?;
            let new = |(doc, change): &(DocId, ChangeHash)| {
                let counts = world.directory.cut(cert, doc);
                (only.is_empty() || only.contains(doc)) && counts.is_some_and(|cut| !cut.contains(change))
            };
            let named: Vec<_> = last.into_iter().filter(new).collect();
            admitted.extend(named.iter().map(|(doc, _)| *doc));
            if !named.is_empty() {
                records.extend(revocations(
                    &world,
                    (world.me.cert, &world.me.keys),
                    *cert,
                    &reason,
                    named,
                    Vec::new(),
                ));
            }
        }
        admitted.sort_unstable();
        admitted.dedup();
        let view = AdmitView {
            preview: request.preview,
            place: self.viewer(&world).place(&place),
            documents: admitted.len() as u64,
            admitted: admitted.into_iter().take(LISTED_MAX).collect(),
        };
        if !request.preview && !records.is_empty() {
            let mut batch = self.dated_batch()?;
            batch.revocations = records;
            self.store().write(batch).await?;
        }
        Ok(view)
    }

    /// A place below this one.
    fn find_below(&self, reference: &str) -> Result<PlaceId, ActionError> {
        let place = self.find_place(reference)?;
        let world = self.world();
        if world.directory.place_ancestors(&place).contains(&world.me.place) {
            return Ok(place);
        }
        Err(ActionError::NotBelow(self.viewer(&world).place(&place).name))
    }
}

/// The keys that speak for a place, each with its certificates.
pub(crate) fn live(world: &World, place: &PlaceId) -> BTreeMap<NodeKey, Vec<CertHash>> {
    let mut keys: BTreeMap<NodeKey, Vec<CertHash>> = BTreeMap::new();
    for (hash, cert) in world.directory.iter() {
        if cert.place == *place && !world.directory.is_revoked(hash) {
            keys.entry(cert.key).or_default().push(*hash);
        }
    }
    keys
}

/// The keys a revocation ends: all but the newest, which replaced them; the only one there is; or all.
fn ending(world: &World, place: &PlaceId, all: bool) -> BTreeMap<NodeKey, Vec<CertHash>> {
    let mut keys = live(world, place);
    if !all
        && keys.len() > 1
        && let Some(newest) = world.directory.place_cert(place).map(|c| c.key)
    {
        keys.remove(&newest);
    }
    keys
}

/// Who signs: a certificate, and its keys.
pub(crate) type Signer<'a> = (CertHash, &'a SecretKeys);

/// Records that end keys, each with all its certificates: what they wrote and signed for others before a
/// moment of this node's stays. Also the places whose certificates come to nothing.
pub(crate) async fn ends(
    store: &Store,
    keys: impl Iterator<Item = &Vec<CertHash>>,
    before_ms: u64,
    reason: &str,
    signer: Signer<'_>,
) -> Result<(Vec<Revocation>, BTreeSet<PlaceId>), StoreError> {
    let world = store.world();
    let stored_at = store.records_stored_at().await?;
    let (mut records, mut disowned) = (Vec::new(), BTreeSet::new());
    for certs in keys {
        let mut last = store.last_authored(certs, before_ms).await?;
        for cert in certs {
            let issued = world.directory.issued_by(cert);
            let known = |name: &Hash| stored_at.get(name).copied().unwrap_or(0) < before_ms;
            let (valid, lost): (Vec<Hash>, Vec<Hash>) = issued.into_iter().partition(known);
            let place_of = |name: &Hash| Some(world.directory.get(&CertHash(name.0))?.place);
            disowned.extend(lost.iter().filter_map(place_of));
            // What a key wrote is named once, whichever of its certificates it was written under.
            let named = std::mem::take(&mut last);
            records.extend(revocations(&world, signer, *cert, reason, named, valid));
        }
    }
    Ok((records, disowned))
}

/// One revocation, over as many records as it takes.
pub(crate) fn revocations(
    world: &World,
    (issuer, keys): Signer<'_>,
    cert: CertHash,
    reason: &str,
    last_valid: Vec<(DocId, ChangeHash)>,
    still_valid: Vec<Hash>,
) -> Vec<Revocation> {
    let (mut cuts, mut valid) = (last_valid.into_iter().peekable(), still_valid.into_iter().peekable());
    let mut out = Vec::new();
    // A key that wrote nothing ends all the same.
    while out.is_empty() || cuts.peek().is_some() || valid.peek().is_some() {
        let revocation = Revocation {
            federation: world.directory.federation(),
            cert,
            reason: reason.to_owned(),
            last_valid: cuts.by_ref().take(REVOCATION_CUTS_MAX).collect(),
            still_valid: valid.by_ref().take(REVOCATION_CERTS_MAX).collect(),
            issuer,
            signature: Signature([0; 64]),
        };
        out.push(revocation.issued_by(keys));
    }
    out
}

fn seen(doc: &AuthoredDoc) -> UncountedView {
    UncountedView {
        document: doc.doc,
        number: doc.number.clone(),
        title: doc.title.clone(),
        changes: doc.changes,
        first_stored_at: instant_text(doc.first_ms),
        last_stored_at: instant_text(doc.last_ms),
    }
}

/// A moment as people write it, in China's time: `2026-11-16`, `2026-11-16 09:30`; or with `Z`, UTC.
pub(crate) fn moment(field: &'static str, text: &str) -> Result<u64, ActionError> {
    let wrong = || {
        ActionError::invalid(
            field,
            format!(
                "“{text}” is no day or moment. Nothing was changed. Write 2026-11-16 or “2026-11-16 09:30”."
            ),
            format!("“{text}”不是日期或时间，没有改动任何内容。请写成 2026-11-16 或“2026-11-16 09:30”。"),
        )
    };
    let text = text.trim();
    let (text, utc) = text.strip_suffix('Z').map_or((text, false), |rest| (rest, true));
    let (day, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let day: Date = day.parse().map_err(|_| wrong())?;
    let mut parts = time.split(':');
    let mut part = |max: u64, needed: bool| match parts.next() {
        None if !needed => Ok(0),
        Some(p) => {
            let whole = p.split_once('.').map_or(p, |(seconds, _)| seconds);
            whole.parse::<u64>().ok().filter(|n| *n <= max && whole.len() == 2).ok_or_else(wrong)
        }
        None => Err(wrong()),
    };
    let seconds = part(23, true)? * 3_600 + part(59, true)? * 60 + part(59, false)?;
    let days = u64::try_from(day.days()).map_err(|_| wrong())?;
    let ms = (days * 86_400 + seconds) * 1_000;
    Ok(if utc { ms } else { ms.saturating_sub(CHINA_MS) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let day = 20_773 * 86_400_000;
        assert_eq!(moment("since", "2026-11-16").unwrap(), day - CHINA_MS);
        assert_eq!(moment("since", "2026-11-16 10:30").unwrap(), day + 9_000_000);
        assert_eq!(moment("since", "2026-11-16T02:30:00.000Z").unwrap(), day + 9_000_000);
        for wrong in ["", "昨天", "2026-02-30", "2026-11-16 24:00", "2026-11-16 9", "2026-11-16T"] {
            assert!(moment("since", wrong).is_err(), "{wrong}");
        }
    }
}
