//! One document of one node, believed in nothing.

use crate::{
    store::{Store, StoreError, World},
    verify::{authors_of, block_of, folded},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
};
use yishi_protocol::{
    audience::Audience,
    branch, change,
    commit::Place,
    fold::{FoldChange, FoldInput, Matter},
    gate::Gate,
    ids::{ActorId, ChangeHash, DocId, Hash, PlaceId},
    wire::{DocRef, Elided, Section, Shape, SignedAt},
};

/// Something that does not hold.
#[derive(Debug)]
pub(super) struct Trouble(pub(super) String);

/// What was found of a document.
#[derive(Debug, Default)]
pub(super) struct Audited {
    pub(super) home: Option<PlaceId>,
    pub(super) changes: usize,
    pub(super) signatures: usize,
    pub(super) heads: BTreeSet<ChangeHash>,
    pub(super) audience: Audience,
    pub(super) digest: Option<Hash>,
    pub(super) matter: Option<Box<Matter>>,
    pub(super) troubles: Vec<Trouble>,
}

pub(super) async fn audit(store: &Store, world: &World, doc: DocId) -> Result<Audited, StoreError> {
    let mut out = Audited::default();
    let Some(whole) = store.document(&doc).await? else {
        out.troubles.push(Trouble("it is listed and not there".into()));
        return Ok(out);
    };
    let actors: BTreeSet<ActorId> = whole.commits.iter().map(|c| c.commit.actor).collect();
    let records = store.actor_records(&actors.into_iter().collect::<Vec<_>>()).await?;
    out.changes = whole.commits.len();

    // Through the gate anew, as one section of raw changes.
    let mut signed = Vec::new();
    let changes = whole
        .commits
        .iter()
        .enumerate()
        .map(|(i, stored)| {
            if let Some(cover) = stored.commit.cover {
                signed.push(SignedAt { change: i, cert: cover.cert, signature: cover.signature });
            }
            Elided { actor: 0, shape: Shape::Raw(stored.commit.bytes.clone()) }
        })
        .collect();
    out.signatures = signed.len();
    let section = Section {
        doc: DocRef::New(Box::new(whole.header.clone())),
        grants: whole.grants.clone(),
        wraps: Vec::new(),
        changes,
        signed,
    };
    let block = block_of(vec![section], &records);
    if whole.header.doc_id() != doc {
        out.troubles.push(Trouble("its header gives another id".into()));
    }
    let gate = Gate { directory: &world.directory, me: world.me.place };
    let verdicts = gate.admit(&block, &mut BTreeMap::new(), &mut rand::rng());
    for (_, _, why) in &verdicts.refused {
        out.troubles.push(Trouble(format!("it does not pass the gate: {why}")));
    }
    for (stored, (_, hash)) in whole.commits.iter().zip(&verdicts.stored) {
        if stored.commit.hash != *hash {
            out.troubles.push(Trouble("a change is stored under another's hash".into()));
        }
    }
    out.home = Some(whole.header.home);
    out.audience = Audience::of_header(&whole.header);
    out.audience.0.extend(whole.grants.iter().map(|g| g.reach));

    let mut fold_changes = Vec::new();
    for stored in &whole.commits {
        match change::decode(&stored.commit.bytes, whole.header.kind) {
            Ok(decoded) => {
                for dep in &decoded.change.deps {
                    out.heads.remove(dep);
                }
                out.heads.insert(decoded.hash);
                fold_changes.push(FoldChange { hash: decoded.hash, change: decoded.change });
            }
            Err(error) => out.troubles.push(Trouble(format!("a change cannot be read: {error}"))),
        }
    }
    // Automerge had no part in writing it: the yardstick from outside. Where a copied machine used a number
    // twice, it reads the branch that the document takes.
    let placed = whole.commits.iter().map(|c| {
        let c = &c.commit;
        (&c.hash, Place { actor: c.actor, seq: c.seq, max_op: c.max_op }, c.deps.as_slice())
    });
    let beside = branch::left_out(placed);
    let taken = || whole.commits.iter().filter(|c| !beside.contains(&c.commit.hash));
    let raw: Vec<Vec<u8>> = taken().map(|c| c.commit.bytes.clone()).collect();
    let mut expected = BTreeSet::new();
    for commit in taken() {
        commit.commit.deps.iter().for_each(|dep| {
            expected.remove(dep);
        });
        expected.insert(commit.commit.hash);
    }
    let loaded = catch_unwind(AssertUnwindSafe(|| automerge_heads(raw)));
    match loaded {
        Ok(Ok(heads)) if heads == expected => {}
        Ok(Ok(_)) => out.troubles.push(Trouble("Automerge finds other heads".into())),
        Ok(Err(error)) => out.troubles.push(Trouble(format!("Automerge does not read it: {error}"))),
        Err(_) => out.troubles.push(Trouble("Automerge fails on it".into())),
    }

    let authors = authors_of(&world.directory, &doc, &records);
    let procedures = &world.charters.procedures;
    let input = FoldInput { header: &whole.header, changes: &fold_changes, authors: &authors, procedures };
    match folded(&input) {
        Some((digest, matter)) => {
            out.digest = digest;
            out.matter = matter;
        }
        None => out.troubles.push(Trouble("it does not fold".into())),
    }
    Ok(out)
}

fn automerge_heads(raw: Vec<Vec<u8>>) -> Result<BTreeSet<ChangeHash>, automerge::AutomergeError> {
    let mut doc = automerge::Automerge::new();
    let mut changes = Vec::with_capacity(raw.len());
    for bytes in raw {
        let change = automerge::Change::from_bytes(bytes).map_err(|_| automerge::AutomergeError::Fail)?;
        changes.push(change);
    }
    doc.apply_changes(changes)?;
    Ok(doc.get_heads().into_iter().map(|h| ChangeHash(h.0)).collect())
}
