//! Receiving: blocks through the gate into the store, then the acknowledgement; and taking the
//! acknowledgements and receipts others give.
//!
//! A block is judged against the certificates and histories stored at that moment; what passes, the
//! cursor and the signed acknowledgement are stored in one batch, and only then is anything said.

use super::{
    LinkError,
    blocks::{self, Sender},
    driver::Context,
};
use crate::store::{
    Acknowledged, Batch, Cursor, GivenAck, LinkId, NewCommit, NewReceipt, Store, Verdict, VerdictKind, World,
};
use std::collections::BTreeMap;
use tokio::sync::{Semaphore, mpsc};
use tracing::{info, warn};
use yishi_protocol::{
    cert::CertError,
    gate::{Gate, Known, Refusal, Verdicts},
    ids::{ChangeHash, DocId, Epoch},
    key::Signature,
    limits::BLOCK_ROWS_MAX,
    planted::Bug,
    receipt::{Node, Opening, Receipt, leaf, root},
    session::{Event, NO_DIGEST},
    wire::{Ack, Block, Frame},
};

/// Blocks judged at the same time over all links: two thousand children must not fill the memory.
const JUDGED_AT_ONCE: usize = 4;

/// How often histories are compared for one document before what is missing is left out.
const COMPARED_FOR_ONE_MAX: u64 = 3;
/// How many sections of one link may wait before none is compared for.
const PARKED_MAX: u64 = 256;
/// For how long a section that had to wait is counted, in milliseconds: a month.
const PARKED_COUNTS_MS: u64 = 30 * 86_400_000;

/// The places a block waits for before it is judged.
#[derive(Debug)]
pub(super) struct Admission(Semaphore);

impl Default for Admission {
    fn default() -> Self {
        Self(Semaphore::new(JUDGED_AT_ONCE))
    }
}

/// Judges and stores blocks of one link in their order, until the connection ends.
pub(super) async fn run(
    context: Context,
    link: LinkId,
    mut blocks: mpsc::Receiver<(Vec<u8>, Epoch)>,
    events: mpsc::Sender<Result<Event, LinkError>>,
) {
    while let Some((bytes, epoch)) = blocks.recv().await {
        let _arriving = context.arrivals.begin();
        let Ok(place) = context.admission.0.acquire().await else {
            let _ = events.send(Err(LinkError::Stopping)).await;
            return;
        };
        let result = one(&context.store, context.board.now_ms(), link, bytes, epoch).await;
        drop(place);
        let over = result.is_err();
        if events.send(result).await.is_err() || over {
            return;
        }
    }
}

/// Judges one block and stores what passes, the cursor and the acknowledgement, in one piece.
pub(super) async fn one(
    store: &Store,
    at_ms: u64,
    link: LinkId,
    bytes: Vec<u8>,
    epoch: Epoch,
) -> Result<Event, LinkError> {
    let state = store.link_state(link).await?;
    let mut world = store.world();
    let block = {
        let world = world.clone();
        blocking(move || {
            let key_of = &mut |hash: &_| world.directory.get(hash).map(|c| c.key);
            Block::decode(&bytes, world.directory.federation(), key_of)
        })
        .await?
        .map_err(|e| LinkError::Protocol(e.to_string()))?
    };
    let begins = if state.in_epoch == Some(epoch) { state.in_seq } else { 0 };
    if block.from != begins && !Bug::GapAccepted.planted() {
        return Err(LinkError::Protocol(format!("a block after {} came where {begins} was due", block.from)));
    }
    let new_certs: Vec<_> =
        block.certs.iter().filter(|c| world.directory.get(&c.hash()).is_none()).cloned().collect();
    let mut batch = Batch { at_ms, from: Some(link), ..Batch::default() };
    if !new_certs.is_empty() || !block.revocations.is_empty() || !block.placements.is_empty() {
        let mut wider = World::clone(&world);
        // A later parent's certificates stand on placements, and those on earlier certificates.
        let (mut certs, mut placements) = (new_certs, block.placements.clone());
        loop {
            let waiting = certs.len() + placements.len();
            certs.retain(|cert| match wider.directory.add(cert.clone()) {
                Ok(_) => {
                    batch.certs.push(cert.clone());
                    false
                }
                Err(error) => waits(&error, link, "a certificate was refused"),
            });
            placements.retain(|placement| match wider.directory.place_at(placement) {
                Ok(()) => {
                    batch.placements.push(placement.clone());
                    false
                }
                Err(error) => waits(&error, link, "a placement was refused"),
            });
            if certs.len() + placements.len() == waiting {
                break;
            }
        }
        if !certs.is_empty() || !placements.is_empty() {
            let (certs, placements) = (certs.len(), placements.len());
            warn!(%link, certs, placements, "certificates or placements were left out: what they stand on is not here");
        }
        for revocation in &block.revocations {
            match wider.directory.revoke(revocation) {
                Ok(()) => batch.revocations.push(revocation.clone()),
                Err(error) => warn!(%link, %error, "a revocation was refused"),
            }
        }
        world = std::sync::Arc::new(wider);
    }
    let docs: Vec<DocId> = block.sections.iter().map(|s| s.doc.id()).collect();
    let mut known: BTreeMap<DocId, Known> = store
        .doc_indexes(&docs)
        .await?
        .into_iter()
        .map(|(id, d)| (id, Known { header: d.header, audience: d.audience, index: d.index }))
        .collect();
    let (block, verdicts) = {
        let world = world.clone();
        blocking(move || {
            let gate = Gate { directory: &world.directory, me: world.me.place };
            let verdicts = gate.admit(&block, &mut known, &mut rand::rng());
            (block, verdicts)
        })
        .await?
    };
    let waiting = || verdicts.refused.iter().filter(|(_, _, why)| why.asks_for_reconciliation());
    if waiting().next().is_some()
        && !Bug::PassOverRefused.planted()
        && compares_again(store, link, at_ms, waiting()).await?
    {
        // No document of the block is kept; a digest nobody has makes the next meeting compare histories.
        for (doc, ordinals, why) in waiting() {
            batch.verdicts.push(verdict(link, epoch, block.to, *doc, ordinals.start, why));
        }
        batch.cursor = Some(Cursor { link, epoch, seq: block.from, digest: NO_DIGEST });
        store.write(batch).await?;
        let ack = Ack { to: block.from, excluded: Vec::new(), receipt: None };
        return Ok(Event::Admitted { ack, reconcile: true });
    }
    // Levels above speak through the parent only.
    let from_above = world.link(link).is_some_and(|l| l.up);
    for opening in block.openings.iter().filter(|_| from_above) {
        if let Some(receipt) = opened(store, &world, link, opening).await? {
            batch.receipts.push(receipt);
        }
    }
    let ack = acknowledge(&world, link, &block, &verdicts, epoch, batch.at_ms);
    fill(&mut batch, link, &block, verdicts, epoch);
    batch.ack = Some(GivenAck {
        link,
        epoch,
        from: block.from,
        to: block.to,
        bytes: Frame::Ack(ack.clone()).encode(),
    });
    let stored = store.write(batch).await;
    if !Bug::AckUnstored.planted() {
        stored?;
    }
    Ok(Event::Admitted { ack, reconcile: false })
}

/// Whether a record that was not taken may be once another record of its block is; what can never be is told.
fn waits(error: &CertError, link: LinkId, what: &str) -> bool {
    use CertError::{NotAbove, NotFounder, NotNext, UnknownIssuer, UnknownPlace};
    let waits = matches!(error, NotAbove | NotFounder | NotNext | UnknownIssuer | UnknownPlace);
    if !waits {
        warn!(%link, %error, "{what}");
    }
    waits
}

/// Whether comparing histories may still help what waits. A peer that names what nobody has would have them
/// compared for ever: after some times, or with very much waiting, the cursor passes it, parked.
async fn compares_again(
    store: &Store,
    link: LinkId,
    at_ms: u64,
    waiting: impl Iterator<Item = &(DocId, std::ops::Range<u64>, Refusal)>,
) -> Result<bool, LinkError> {
    let parked = store.parked(link, at_ms.saturating_sub(PARKED_COUNTS_MS)).await?;
    let in_all: u64 = parked.values().sum();
    let tries = |doc: &DocId| parked.get(doc).copied().unwrap_or(0);
    Ok(in_all < PARKED_MAX && waiting.map(|(doc, ..)| tries(doc)).any(|tries| tries < COMPARED_FOR_ONE_MAX))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, LinkError> {
    tokio::task::spawn_blocking(work).await.map_err(|e| LinkError::Judging(e.to_string()))
}

/// The acknowledgement of a judged block.
fn acknowledge(
    world: &World,
    link: LinkId,
    block: &Block,
    verdicts: &Verdicts,
    epoch: Epoch,
    at_ms: u64,
) -> Ack {
    let excluded = verdicts
        .refused
        .iter()
        .flat_map(|(_, ordinals, why)| ordinals.clone().map(|o| (o, why.code().to_owned())))
        .collect();
    let leaves: Vec<Node> = verdicts.stored.iter().map(|(doc, hash)| leaf(doc, hash)).collect();
    let receipt = world.link(link).filter(|_| !leaves.is_empty()).map(|l| {
        Receipt {
            sender: l.peer,
            epoch,
            from: block.from,
            to: block.to,
            count: leaves.len() as u64,
            root: root(&leaves),
            at_ms,
            level: world.me.cert,
            signature: Signature([0; 64]),
        }
        .signed_by(&world.me.keys)
    });
    Ack { to: block.to, excluded, receipt }
}

fn fill(batch: &mut Batch, link: LinkId, block: &Block, verdicts: Verdicts, epoch: Epoch) {
    batch.actors = verdicts.actors;
    for section in verdicts.admitted {
        batch.docs.extend(section.new_header);
        batch.grants.extend(section.grants);
        batch.wraps.extend(section.wraps.into_iter().map(|record| (section.doc, record)));
        batch.covers.extend(section.covers.into_iter().map(|(hash, cover)| (section.doc, hash, cover)));
        batch.commits.extend(section.commits.into_iter().map(|(ordinal, commit)| NewCommit {
            commit,
            origin_seq: block.to,
            origin_ord: u32::try_from(ordinal).unwrap_or(u32::MAX),
        }));
    }
    for (doc, ordinals, why) in verdicts.refused {
        warn!(%link, %doc, code = why.code(), %why, "refused");
        batch.verdicts.push(verdict(link, epoch, block.to, doc, ordinals.start, &why));
    }
    batch.cursor = Some(Cursor { link, epoch, seq: block.to, digest: block.digest });
}

fn verdict(link: LinkId, epoch: Epoch, seq: u64, doc: DocId, ordinal: u64, why: &Refusal) -> Verdict {
    Verdict {
        link,
        epoch,
        seq,
        ord: u32::try_from(ordinal).unwrap_or(u32::MAX),
        doc,
        hash: ChangeHash([0; 32]),
        kind: match why.asks_for_reconciliation() {
            true => VerdictKind::Parked,
            false => VerdictKind::Refused,
        },
        reason: why.code().to_owned(),
    }
}

/// Checks an opening of a level above; `None` if it proves nothing here.
async fn opened(
    store: &Store,
    world: &World,
    link: LinkId,
    opening: &Opening,
) -> Result<Option<NewReceipt>, LinkError> {
    let own = blocks::standing_commits(store, link, opening).await?;
    let leaves: Vec<Node> = own.iter().map(|c| leaf(&c.doc, &c.hash)).collect();
    let place = match opening.check(&world.directory, &leaves) {
        Ok(place) => place,
        Err(error) => {
            warn!(%link, %error, "a receipt of a level above does not hold");
            return Ok(None);
        }
    };
    let above = world.directory.ancestors(&world.me.cert);
    let Some(level) = above.iter().position(|p| *p == place) else { return Ok(None) };
    let ends = || opening.standing.iter().map(|s| s.block);
    Ok(Some(NewReceipt {
        level: level as u32 + 1,
        level_place: place,
        link,
        from_seq: ends().min().unwrap_or(0),
        to_seq: ends().max().unwrap_or(0),
        bytes: opening.encode(),
        commits: own.into_iter().map(|c| (c.doc, c.hash)).collect(),
    }))
}

/// Acknowledgements as they were given before.
pub(super) fn decoded(acks: Vec<GivenAck>) -> Vec<Ack> {
    acks.into_iter()
        .filter_map(|given| match Frame::decode(&given.bytes) {
            Ok(Frame::Ack(ack)) => Some(ack),
            _ => None,
        })
        .collect()
}

/// Takes an acknowledgement: it must be signed for exactly what was sent, less what it names.
pub(super) async fn acknowledged(
    store: &Store,
    link: LinkId,
    sender: &mut Sender,
    ack: Ack,
    at_ms: u64,
) -> Result<(), LinkError> {
    let world = store.world();
    let peer = world.link(link).map(|l| l.peer).ok_or(LinkError::Unknown)?;
    // A peer whose cursor went back is sent rows again that were acknowledged once, in other blocks.
    let acked = store.link_state(link).await?.out_acked;
    let from_seq = ack.receipt.as_ref().map_or(acked, |receipt| receipt.from);
    let to = ack.receipt.as_ref().map_or(ack.to, |receipt| receipt.to);
    let stated = ack.receipt.as_ref().is_none_or(|receipt| {
        receipt.check(&world.directory) == Ok(peer)
            && receipt.sender == world.me.place
            && receipt.epoch == store.epoch()
    });
    // Before anything is read for it: what it speaks of was one block, and follows on what is known.
    if !stated || to != ack.to || from_seq > acked || ack.to.saturating_sub(from_seq) > BLOCK_ROWS_MAX {
        return Err(LinkError::Protocol("an acknowledgement of something else".into()));
    }
    let mut sent = sender.sent(store, from_seq, ack.to).await?;
    let refused: BTreeMap<u64, &str> = ack.excluded.iter().map(|(o, why)| (*o, why.as_str())).collect();
    let mut ordinal = 0;
    sent.retain(|change| {
        let why = refused.get(&ordinal);
        ordinal += 1;
        if let Some(why) = why {
            info!(%link, doc = %change.doc, why, "the other side did not store a change");
        }
        why.is_none()
    });
    let leaves: Vec<Node> = sent.iter().map(|c| leaf(&c.doc, &c.hash)).collect();
    let signed = match &ack.receipt {
        None => leaves.is_empty(),
        Some(receipt) => receipt.covers(&leaves).is_ok(),
    };
    if !signed && !Bug::AckOfNothing.planted() {
        return Err(LinkError::Protocol("an acknowledgement does not cover what was sent".into()));
    }
    let acknowledged = Acknowledged {
        link,
        from_seq,
        to_seq: ack.to,
        level_place: peer,
        receipt: Frame::Ack(ack).encode(),
        stored: sent.into_iter().map(|c| c.row).collect(),
        at_ms,
    };
    store.acknowledged(acknowledged).await?;
    Ok(())
}

/// Keeps the cursor that reconciliation agreed on.
pub(super) async fn adopt(
    store: &Store,
    link: LinkId,
    epoch: Epoch,
    seq: u64,
    digest: [u8; 16],
) -> Result<(), LinkError> {
    let cursor = Some(Cursor { link, epoch, seq, digest });
    store.write(Batch { cursor, ..Batch::default() }).await?;
    Ok(())
}
