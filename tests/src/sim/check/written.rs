//! Only who may see a document writes into it, and into the containers of its home only the home (rules R2 and
//! R11). Computed here from the bytes, without the gate.

use super::census::Census;
use std::collections::BTreeSet;
use yishi_protocol::{
    change::{self, Body},
    ids::{ChangeHash, DocId},
    kind::Writers,
};

pub(super) fn check(census: &Census) -> Result<(), String> {
    let mut good: BTreeSet<(DocId, ChangeHash)> = BTreeSet::new();
    for holding in &census.0 {
        for (doc, whole) in &holding.docs {
            let mut audience = None;
            for commit in whole.commits.iter().map(|c| &c.commit).filter(|c| good.insert((*doc, c.hash))) {
                let told = |why| format!("{} holds a change of {doc} {why}", holding.name);
                let record = holding.records.get(&commit.actor).ok_or_else(|| told("by nobody"))?;
                let cert = holding.directory.get(&record.cert).ok_or_else(|| told("by nobody known"))?;
                let audience = audience.get_or_insert_with(|| super::census::audience_of(whole));
                if !audience.includes(&holding.directory, &cert.place) {
                    return Err(told("by a place that may not see it"));
                }
                let kind = whole.header.kind;
                let read = change::decode(&commit.bytes, kind).map_err(|_| told("that is none of ours"))?;
                let home = cert.place == whole.header.home;
                match read.change.body {
                    Body::Genesis { .. } if !home => {
                        return Err(told("that makes it in another place's name"));
                    }
                    Body::Genesis { .. } => {}
                    Body::Act { container, .. } => {
                        let container = kind.containers().get(container).ok_or_else(|| told("nowhere"))?;
                        if container.writers == Writers::Home && !home {
                            return Err(told("where only its home may write"));
                        }
                    }
                }
            }
        }
    }
    Ok(())
}
