//! What was promised to and by neighbours: feeds whose digest chains every row to the one before,
//! receipts of levels above with the commits they cover, acknowledgements this node gave.

use super::{
    Progress,
    report::{Area, Finding},
};
use crate::store::{FeedFault, LinkId, Store, StoreError, StoredReceipt, World};
use std::{collections::BTreeSet, sync::atomic::Ordering};
use yishi_protocol::{
    receipt::{Node, Opening, leaf},
    wire::Frame,
};

/// Rows of a feed whose receipts are checked together.
const ROWS_AT_ONCE: u64 = 20_000;
/// Faults of one feed told one by one.
const FAULTS_TOLD: usize = 20;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Promised {
    pub(super) rows: u64,
    pub(super) receipts: u64,
    pub(super) acks: u64,
    pub(super) findings: Vec<Finding>,
}

/// Follows every link's feed, then checks receipts and acknowledgements.
pub(super) async fn check(store: &Store, progress: &Progress) -> Result<Promised, StoreError> {
    let mut out = Promised::default();
    let world = store.world();
    for link in store.link_states().await? {
        let name =
            world.directory.place_cert(&link.peer).map_or_else(|| link.peer.to_string(), |c| c.name.clone());
        let subject = format!("与{name}的连接 (link to {name})");
        let mut faults = Vec::new();
        let mut more = 0u64;
        let fault = |seq: u64, fault: FeedFault| match faults.len() < FAULTS_TOLD {
            true => faults.push((seq, fault)),
            false => more += 1,
        };
        let passed = |rows| {
            progress.rows.fetch_add(rows, Ordering::Relaxed);
        };
        store.walk_feed(link.id, fault, passed).await?;
        out.rows += link.out_seq;
        for (seq, fault) in faults {
            let (zh, en) = match fault {
                FeedFault::Gap => ("前面缺了行", "rows before it are missing"),
                FeedFault::Gone => ("它所指的内容不在本机", "what it names is not here"),
                FeedFault::Digest => ("连环摘要对不上", "its digest does not follow"),
                FeedFault::End => ("末尾与登记的不符", "it ends elsewhere than the link says"),
            };
            let (zh, en) = (format!("送达记录第 {seq} 行：{zh}"), format!("feed row {seq}: {en}"));
            out.findings.push(Finding::new(Area::Promised, "feeds", &subject, zh, en));
        }
        if more > 0 {
            let (zh, en) =
                (format!("送达记录另有 {more} 行不符"), format!("{more} more feed rows do not hold"));
            out.findings.push(Finding::new(Area::Promised, "feeds", &subject, zh, en));
        }
    }
    if let Some(up) = world.parent().map(|l| l.id) {
        receipts(store, &world, up, &mut out).await?;
    }
    let mut ill = Vec::new();
    let mut acks = 0;
    store
        .walk_acks(|_, to, bytes| {
            acks += 1;
            let holds = match Frame::decode(bytes) {
                Ok(Frame::Ack(ack)) => {
                    ack.to == to
                        && ack.receipt.is_none_or(|r| r.check(&world.directory) == Ok(world.me.place))
                }
                _ => false,
            };
            if !holds {
                ill.push(to);
            }
        })
        .await?;
    out.acks = acks;
    for to in ill {
        let zh = format!("给出的截至第 {to} 行的回执被改动过");
        let en = format!("the acknowledgement given up to row {to} was altered");
        out.findings.push(Finding::new(Area::Promised, "acks", "回执 (acknowledgements)", zh, en));
    }
    Ok(out)
}

async fn receipts(store: &Store, world: &World, up: LinkId, out: &mut Promised) -> Result<(), StoreError> {
    let head = store.feed_head(up).await?.0;
    let mut after = 0;
    while after < head {
        let to = head.min(after.saturating_add(ROWS_AT_ONCE));
        // One that ends beyond this window is checked with the next.
        for receipt in
            store.receipts(up, after, to).await?.into_iter().filter(|r| r.to_seq <= to || to == head)
        {
            out.receipts += 1;
            if !holds(store, world, up, &receipt).await? {
                let (level, from, to) = (receipt.level, receipt.from_seq, receipt.to_seq);
                let zh = format!("上 {level} 级对第 {from} 至 {to} 行的回执不成立");
                let en = format!("the receipt of level {level} for rows {from} to {to} does not hold");
                out.findings.push(Finding::new(Area::Promised, "receipts", "回执 (receipts)", zh, en));
            }
        }
        after = to;
    }
    Ok(())
}

/// Whether a receipt was signed by the level it names and covers the commits it is kept for.
pub(crate) async fn holds(
    store: &Store,
    world: &World,
    up: LinkId,
    stored: &StoredReceipt,
) -> Result<bool, StoreError> {
    if stored.level > 1 {
        let Ok(opening) = Opening::decode(&stored.bytes) else { return Ok(false) };
        let own = crate::link::standing_commits(store, up, &opening).await?;
        let leaves: Vec<Node> = own.iter().map(|c| leaf(&c.doc, &c.hash)).collect();
        return Ok(opening.check(&world.directory, &leaves) == Ok(stored.level_place));
    }
    let Ok(Frame::Ack(ack)) = Frame::decode(&stored.bytes) else { return Ok(false) };
    let Some(receipt) = ack.receipt else { return Ok(true) };
    let fed = crate::link::in_block_order(store.fed_commits(up, receipt.from, receipt.to).await?);
    let excluded: BTreeSet<u64> = ack.excluded.iter().map(|(o, _)| *o).collect();
    let leaves: Vec<Node> = (0u64..)
        .zip(&fed)
        .filter(|(o, _)| !excluded.contains(o))
        .map(|(_, c)| leaf(&c.doc, &c.hash))
        .collect();
    Ok(receipt.check(&world.directory) == Ok(stored.level_place) && receipt.covers(&leaves).is_ok())
}
