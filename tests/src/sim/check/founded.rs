//! A key speaks for a place only if the place that founded it says so, or one that a placement names as its later
//! parent (rule R1). Computed here from the bytes of the certificates.

use super::census::{Census, Holding};
use std::collections::BTreeSet;
use yishi_protocol::{
    cert::Certificate,
    ids::{CertHash, PlaceId},
    key::verify,
};

pub(super) fn check(census: &Census) -> Result<(), String> {
    let mut good: BTreeSet<CertHash> = BTreeSet::new();
    for holding in &census.0 {
        for (hash, cert) in holding.directory.iter() {
            if good.insert(*hash) {
                let told = |why| format!("{} knows a certificate of {} {why}", holding.name, cert.name);
                one(holding, cert).map_err(told)?;
            }
        }
    }
    Ok(())
}

fn one(holding: &Holding, cert: &Certificate) -> Result<(), &'static str> {
    // The root's own is where trust begins.
    let Some(issuer) = cert.issuer else { return Ok(()) };
    let by = holding.directory.get(&issuer).ok_or("by somebody unknown")?;
    let adopted = || holding.directory.placements().any(|p| p.place == cert.place && p.parent == by.place);
    if cert.place != PlaceId::founded(&by.place, &cert.nonce) && !adopted() {
        return Err("by a place that neither founded it nor is its parent");
    }
    let bytes = cert.encode();
    let body = bytes.get(..bytes.len().saturating_sub(64)).unwrap_or_default();
    verify(&by.key, body, &cert.signature).map_err(|_| "that nobody signed")
}
