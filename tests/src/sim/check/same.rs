//! Who may see a document has all of it, nobody else has any, and the same changes fold to the same state
//! (promises 4 and 5).

use super::census::{Census, Holding, apart, audience_of, receives};
use crate::sim::World;
use std::collections::BTreeSet;
use yishi_protocol::{
    fold,
    ids::{ChangeHash, DocId, Hash},
    kind::Kind,
};

fn digest(census: &Census, at: usize, doc: &DocId) -> Option<Hash> {
    let holding = &census.0[at];
    let kind = holding.docs.get(doc)?.header.kind;
    holding.with_input(doc, |input| match kind {
        Kind::Proposal => Some(fold::proposal::fold(input).digest()),
        Kind::Outcome => Some(fold::outcome::fold(input).digest()),
        Kind::Register => Some(fold::register::fold(input).digest()),
        Kind::Charter => Some(fold::charter::fold(input).digest()),
        Kind::Notice => Some(fold::notice::fold(input).digest()),
        Kind::Dossier => None,
    })?
}

/// Whom a document is to be shown to since places were moved or merged was shown it, by those who have to.
fn owed(world: &World, holding: &Holding, at: usize, doc: &DocId) -> Result<(), String> {
    let Some(whole) = holding.docs.get(doc).filter(|d| d.header.kind != Kind::Dossier) else { return Ok(()) };
    let cert = world.nodes[at].store.world().me.cert;
    match audience_of(whole).owed(&holding.directory, &whole.header.home, &cert).first() {
        None => Ok(()),
        Some(reach) => Err(format!("{} owes {doc} to {}", holding.name, reach.place())),
    }
}

pub(super) fn check(world: &World, census: &Census) -> Result<(), String> {
    for doc in census.docs() {
        let (audience, Some(home)) = (census.audience(&doc), census.home(&doc)) else { continue };
        let mut first: Option<(usize, BTreeSet<ChangeHash>, Option<Hash>)> = None;
        for (at, holding) in census.0.iter().enumerate().filter(|(at, _)| !world.gone.contains(at)) {
            let held: Option<BTreeSet<ChangeHash>> =
                holding.docs.get(&doc).map(|d| d.commits.iter().map(|c| c.commit.hash).collect());
            let sees = audience.includes(&holding.directory, &holding.place);
            match (sees, held) {
                // Above its home once and no more: it keeps what it has.
                (true, _) if !receives(&audience, &home, holding) => {}
                (true, _) if apart(world, census, at, &audience, &home) => {}
                (false, None) => {}
                (false, Some(_)) => return Err(format!("{} holds {doc}, which is not for it", holding.name)),
                // A document of somebody who is gone, and that was with nobody else.
                (true, None) if first.is_none() && world.gone_alone(census, &doc) => {}
                (true, None) => return Err(format!("{} lacks {doc}", holding.name)),
                (true, Some(held)) => {
                    owed(world, holding, at, &doc)?;
                    let folded = digest(census, at, &doc);
                    let Some((other, there, same)) = &first else {
                        first = Some((at, held, folded));
                        continue;
                    };
                    let other = &census.0[*other].name;
                    if held != *there {
                        let (here, there) = (held.len(), there.len());
                        return Err(format!("{} has {here} changes of {doc}, {other} {there}", holding.name));
                    }
                    if folded != *same {
                        return Err(format!("{doc} is not the same at {} and {other}", holding.name));
                    }
                }
            }
        }
    }
    Ok(())
}
