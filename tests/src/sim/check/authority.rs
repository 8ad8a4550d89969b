//! No step counts that its author's place was not allowed to take, and of two siblings a sealed one is
//! never the one that loses to an unsealed one (rule R6); no vote counts that was not among what the
//! author of the closing step knew (rule R3).
//!
//! A second, much plainer telling of the rules than the fold's: it walks the counted steps by their
//! `prev`, keeping only the holder, and asks who signed.

use super::census::Census;
use crate::sim::World;
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    act::{Act, Step},
    change::Body,
    fold::{self, BallotState, FoldChange, FoldInput, Moved, Verdict},
    ids::{ActRef, ActorId, ChangeHash, DocId, PlaceId},
    kind::Kind,
};

pub(super) fn check(world: &World, census: &Census) -> Result<(), String> {
    for (at, holding) in census.0.iter().enumerate().filter(|(at, _)| !world.gone.contains(at)) {
        for doc in holding.docs.iter().filter(|(_, d)| d.header.kind == Kind::Proposal).map(|(doc, _)| doc) {
            let told = |why| format!("{} counts {why} in {doc}", census.0[at].name);
            holding.with_input(doc, |input| one(input, doc)).unwrap_or(Ok(())).map_err(told)?;
        }
    }
    Ok(())
}

/// A step as it was written.
struct Taken {
    place: PlaceId,
    moved: Moved,
    prev: Option<ActRef>,
    step: Step,
}

fn steps(
    changes: &[FoldChange],
    author_of: impl Fn(&ActorId) -> Option<(PlaceId, Moved)>,
) -> BTreeMap<ChangeHash, Taken> {
    let read = |c: &FoldChange| {
        let Body::Act { container: 0, value, .. } = &c.change.body else { return None };
        let act = Act::<Step>::from_map(value.clone()).ok()?;
        let (place, moved) = author_of(&c.change.actor)?;
        Some((c.hash, Taken { place, moved, prev: act.prev, step: act.what }))
    };
    changes.iter().filter_map(read).collect()
}

fn one(input: &FoldInput<'_>, doc: &DocId) -> Result<(), String> {
    let _ = doc;
    let matter = fold::proposal::fold(input);
    let author_of = |actor: &ActorId| input.authors.get(actor).map(|a| (a.place, a.moved.clone()));
    let above = |place: &PlaceId| -> Vec<PlaceId> {
        let own = input.authors.values().find(|a| a.place == *place).map(|a| a.ancestors.clone());
        let under = || {
            input.authors.values().find_map(|a| {
                let at = a.ancestors.iter().position(|p| p == place)?;
                Some(a.ancestors[at + 1..].to_vec())
            })
        };
        own.or_else(under).unwrap_or_default()
    };
    let taken = steps(input.changes, author_of);
    let home = input.header.home;
    let mut holder = home;
    let mut tip_by = home;
    for entry in matter.timeline.iter().filter(|e| e.verdict == Verdict::Counted) {
        let Some(t) = taken.get(&entry.hash) else { continue };
        // Itself, or a place that was merged into it.
        let is = |place: PlaceId| t.place == place || t.moved.acts_for.contains(&place);
        // Above it, or where one stood that was above it before places were moved.
        let over =
            |place: &PlaceId| above(place).contains(&t.place) || t.moved.instead_of.contains_key(place);
        let allowed = match &t.step {
            Step::Register { .. } => t.place == home,
            Step::Withdraw { .. } => is(home),
            Step::Reopen { .. } | Step::Close { .. } => is(holder) || is(home),
            Step::TakeOver { .. } => over(&holder),
            Step::Correct { .. } => t.place == tip_by,
            Step::Settle { .. } => is(home) || over(&home),
            _ => is(holder),
        };
        if !allowed {
            return Err(format!("“{}” by a place that did not hold it", entry.kind));
        }
        match &t.step {
            Step::Escalate { to, .. } | Step::Return { to, .. } => holder = *to,
            Step::TakeOver { .. } => holder = t.place,
            _ => {}
        }
        if !matches!(t.step, Step::Correct { .. } | Step::Settle { .. }) {
            tip_by = t.place;
        }
    }
    pins(input, &matter, &taken)?;
    sealed_siblings(input, &matter, &taken)?;
    votes(input, &matter)
}

/// No counted acceptance binds to an older version than one before it (rule R4).
fn pins(
    input: &FoldInput<'_>,
    matter: &fold::Matter,
    taken: &BTreeMap<ChangeHash, Taken>,
) -> Result<(), String> {
    let mut bound: BTreeMap<String, u32> = BTreeMap::new();
    for entry in matter.timeline.iter().filter(|e| e.verdict == Verdict::Counted) {
        let Some(Step::Accept { procedure, .. }) = taken.get(&entry.hash).map(|t| &t.step) else { continue };
        let Some(named) = input.procedures.get(procedure) else { continue };
        let before = bound.insert(named.id.clone(), named.version).unwrap_or(0);
        if named.version < before {
            return Err(format!("bound to version {} of {} after {before}", named.version, named.id));
        }
    }
    Ok(())
}

fn sealed_siblings(
    input: &FoldInput<'_>,
    matter: &fold::Matter,
    taken: &BTreeMap<ChangeHash, Taken>,
) -> Result<(), String> {
    if taken.values().any(|t| matches!(t.step, Step::Settle { .. } | Step::TakeOver { .. })) {
        return Ok(());
    }
    let numbers: BTreeSet<(ActorId, u64)> =
        input.changes.iter().map(|c| (c.change.actor, c.change.seq)).collect();
    if numbers.len() < input.changes.len() {
        // A number used twice by a copied machine: what stands on it stands on either.
        return Ok(());
    }
    let name: BTreeMap<ChangeHash, ActRef> =
        input.changes.iter().map(|c| (c.hash, ActRef { actor: c.change.actor, seq: c.change.seq })).collect();
    let verdict: BTreeMap<ChangeHash, Verdict> =
        matter.timeline.iter().map(|e| (e.hash, e.verdict)).collect();
    let allowed = |h: &ChangeHash| {
        matches!(verdict.get(h), Some(Verdict::Counted | Verdict::Superseded | Verdict::Late))
    };
    let moves = |h: &&ChangeHash| allowed(h) && !matches!(taken[*h].step, Step::Correct { .. });
    let sealed = |h: &ChangeHash| {
        let mut seen = BTreeSet::from([name[h]]);
        loop {
            let over: Vec<&ChangeHash> = taken
                .keys()
                .filter(moves)
                .filter(|c| taken[*c].prev.is_some_and(|p| seen.contains(&p)) && !seen.contains(&name[*c]))
                .collect();
            if over.iter().any(|c| taken[*c].place != taken[h].place) {
                return true;
            }
            if over.is_empty() {
                return false;
            }
            seen.extend(over.into_iter().map(|c| name[c]));
        }
    };
    for lost in taken.keys().filter(moves).filter(|h| verdict[*h] == Verdict::Superseded) {
        let won = taken
            .keys()
            .filter(moves)
            .find(|h| taken[*h].prev == taken[lost].prev && verdict[*h] == Verdict::Counted);
        if won.is_some_and(|won| sealed(lost) && !sealed(won)) {
            return Err("an unsealed step before a sealed one".into());
        }
    }
    Ok(())
}

/// A vote counts only if the step that closed its ballot knew it: the first closing step that its own
/// author did not know.
fn votes(input: &FoldInput<'_>, matter: &fold::Matter) -> Result<(), String> {
    let name = |c: &FoldChange| ActRef { actor: c.change.actor, seq: c.change.seq };
    let deps: BTreeMap<ChangeHash, &[ChangeHash]> =
        input.changes.iter().map(|c| (c.hash, c.change.deps.as_slice())).collect();
    let past = |of: ChangeHash| {
        let mut past = BTreeSet::new();
        let mut open = vec![of];
        while let Some(h) = open.pop() {
            if past.insert(h) {
                open.extend(deps.get(&h).into_iter().flat_map(|d| d.iter().copied()));
            }
        }
        past
    };
    let closing = |e: &&fold::TimelineEntry| {
        let closes = matches!(&*e.kind, "decide" | "answer" | "refuse" | "close" | "withdraw");
        closes && e.verdict == Verdict::Counted
    };
    let closers: Vec<ChangeHash> = matter.timeline.iter().filter(closing).map(|e| e.hash).collect();
    for ballot in matter.ballots.iter().filter(|b| b.state == BallotState::Counted) {
        let in_time = |vote: &FoldChange| {
            let before = past(vote.hash);
            let closer = closers.iter().find(|c| !before.contains(*c));
            closer.is_none_or(|c| past(*c).contains(&vote.hash))
        };
        // A number used twice by a copied machine: the vote is one of the two.
        let mut votes = input.changes.iter().filter(|c| name(c) == ballot.act).peekable();
        if votes.peek().is_some() && !votes.any(in_time) {
            return Err("a vote that the step closing its ballot did not know".into());
        }
    }
    Ok(())
}
