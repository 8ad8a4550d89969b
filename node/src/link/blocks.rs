//! Building blocks: from rows of a link's feed to the bytes that travel.
//!
//! A block's commits are grouped by document, documents in the order of their first commit in the feed.
//! Both ends can compute that order at any later time from the feed alone, which is what receipts are
//! checked against: see [`in_block_order`].

use super::LinkError;
use crate::store::{
    Acknowledged, CommitRow, FedChange, FedCommit, FeedEntry, FeedItem, LinkId, Store, StoreError,
    StoredReceipt, World,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use yishi_protocol::{
    cert::{Placement, Revocation},
    change,
    header::Header,
    ids::{ActorId, CertHash, ChangeHash, DocId},
    kind::Kind,
    limits::{BLOCK_BYTES_MAX, BLOCK_BYTES_SOFT, BLOCK_ROWS_MAX},
    planted::Bug,
    receipt::{Node, Opening, Receipt, Standing, leaf},
    reconcile::{Visible, print},
    wire::{BlockWriter, Frame, OutChange, OutSection},
};

/// Rows loaded for one block at the most.
const ROWS_MAX: usize = 8_192;

/// Builds one connection's blocks; remembers which certificates it told already, and of the blocks
/// under way what they carry, so that an acknowledgement need not read it again.
#[derive(Debug)]
pub(super) struct Sender {
    link: LinkId,
    told: BTreeSet<CertHash>,
    under_way: VecDeque<Sent>,
}

/// What a block under way carries.
#[derive(Debug)]
struct Sent {
    after: u64,
    to: u64,
    changes: Vec<SentChange>,
}

/// A change of a block, at its place in the block's order.
#[derive(Debug, Clone, Copy)]
pub(super) struct SentChange {
    pub(super) doc: DocId,
    pub(super) hash: ChangeHash,
    pub(super) row: CommitRow,
}

impl Sender {
    pub(super) fn new(link: LinkId) -> Self {
        Self { link, told: BTreeSet::new(), under_way: VecDeque::new() }
    }

    /// What the entries after `after` up to `to` carry, in the order of their block: from memory if this
    /// connection sent them as one block, else from the feed.
    pub(super) async fn sent(
        &mut self,
        store: &Store,
        after: u64,
        to: u64,
    ) -> Result<Vec<SentChange>, StoreError> {
        while let Some(sent) = self.under_way.pop_front_if(|s| s.to <= to) {
            if sent.after == after && sent.to == to {
                return Ok(sent.changes);
            }
        }
        let fed = in_block_order(store.fed_commits(self.link, after, to).await?);
        Ok(fed.into_iter().map(|c| SentChange { doc: c.doc, hash: c.hash, row: c.row }).collect())
    }

    /// The block after a position: where it ends, and its bytes.
    pub(super) async fn build(&mut self, store: &Store, after: u64) -> Result<(u64, Vec<u8>), LinkError> {
        let (mut soft, mut rows) = (BLOCK_BYTES_SOFT, ROWS_MAX);
        let entries = loop {
            let mut entries = store.feed_after(self.link, after, rows, soft).await?;
            while !entries.is_empty() && !is_covered(&entries) {
                entries.pop();
            }
            // A run longer than the block without a signature in it: take more at once.
            if !entries.is_empty() || soft >= BLOCK_BYTES_MAX {
                break entries;
            }
            (soft, rows) = (BLOCK_BYTES_MAX, BLOCK_ROWS_MAX as usize);
        };
        let Some(last) = entries.last() else { return Err(LinkError::Uncovered(after)) };
        let to = last.seq;
        let Some(digest) = store.feed_digest(self.link, to).await? else {
            return Err(LinkError::Uncovered(after));
        };
        let world = store.world();
        let (mut revocations, mut openings) = (Vec::new(), Vec::new());
        let mut placements: Vec<Placement> = Vec::new();
        let mut order: Vec<DocId> = Vec::new();
        let mut drafts: BTreeMap<DocId, Draft> = BTreeMap::new();
        let mut others: Vec<DocId> = Vec::new();
        for entry in entries {
            match entry.item {
                FeedItem::Commit(change) => {
                    draft_of(&mut drafts, &mut order, change.doc, true).changes.push(change);
                }
                FeedItem::Document(whole) => {
                    let doc = whole.header.doc_id();
                    let draft = draft_of(&mut drafts, &mut order, doc, !whole.commits.is_empty());
                    draft.header = Some(whole.header);
                    draft.grants.extend(whole.grants);
                    draft.wraps.extend(whole.wraps);
                    draft.changes.extend(whole.commits.into_iter().map(FedChange::from));
                    others.push(doc);
                }
                FeedItem::Grant { header, grant } => {
                    let doc = grant.doc;
                    let draft = draft_of(&mut drafts, &mut order, doc, false);
                    draft.header = Some(*header);
                    draft.grants.push(grant);
                    others.push(doc);
                }
                FeedItem::Wrap { header, record } => {
                    let doc = header.doc_id();
                    let draft = draft_of(&mut drafts, &mut order, doc, false);
                    draft.header = Some(*header);
                    draft.wraps.push(record);
                    others.push(doc);
                }
                FeedItem::Revocation(revocation) => revocations.push(revocation),
                FeedItem::Placement(placement) => placements.push(placement),
                FeedItem::Receipt(receipt) => {
                    openings.extend(self.openings(store, &world, &receipt).await?);
                }
                FeedItem::Gone => {}
            }
        }
        order.extend(others.into_iter().filter(|doc| drafts.get(doc).is_some_and(|d| d.changes.is_empty())));
        let headers = store.headers(&order).await?;
        let mut sections = Vec::with_capacity(order.len());
        let mut actors = BTreeSet::new();
        let mut sent = Sent { after, to, changes: Vec::new() };
        for doc in order {
            let (Some(draft), Some(header)) = (drafts.remove(&doc), headers.get(&doc)) else { continue };
            let carried = draft.changes.iter().map(|c| SentChange { doc, hash: c.hash, row: c.row });
            sent.changes.extend(carried);
            sections.push(draft.section(doc, header, &mut actors)?);
        }
        let actors: Vec<ActorId> = actors.into_iter().collect();
        let records =
            store.actor_records(&actors).await?.into_iter().map(|r| (r.actor, r)).collect::<BTreeMap<_, _>>();
        if let Some(unknown) = actors.iter().find(|a| !records.contains_key(*a)) {
            return Err(LinkError::Nameless(*unknown));
        }
        let mut writer = BlockWriter::new();
        for section in &sections {
            writer.section(section, &records);
        }
        let mut used = writer.certs_used().to_vec();
        used.extend(sections.iter().flat_map(|s| introduced(&world, s)));
        placements.iter().for_each(|placement| writer.placement(placement));
        let named = placements.iter().flat_map(|p| [Some(p.place), Some(p.parent), p.into]).flatten();
        used.extend(placements.iter().map(|p| p.issuer));
        used.extend(named.filter_map(|p| Some(world.directory.place(&p)?.cert)));
        used.extend(revocations.iter().flat_map(|r: &Revocation| [r.cert, r.issuer]));
        let certs = self.certs_to_tell(&world, &used);
        let certs: Vec<_> = certs.iter().filter_map(|h| world.directory.get(h)).collect();
        if Bug::StoredWhenSent.planted() {
            let level_place = world.link(self.link).map_or(world.me.place, |l| l.peer);
            let stored = sent.changes.iter().map(|c| c.row).collect();
            let (link, receipt) = (self.link, Vec::new());
            let early =
                Acknowledged { link, from_seq: after, to_seq: to, level_place, receipt, stored, at_ms: 0 };
            store.acknowledged(early).await?;
        }
        self.under_way.push_back(sent);
        Ok((to, writer.finish((after, to, digest), &certs, &revocations, &openings)))
    }

    /// The certificates the other side may lack, issuers first.
    fn certs_to_tell(&mut self, world: &World, used: &[CertHash]) -> Vec<CertHash> {
        let directory = &world.directory;
        if self.told.is_empty() {
            // Both chains were exchanged when the link was made.
            let peer = world.link(self.link).and_then(|l| directory.place(&l.peer));
            for known in [Some(world.me.cert), peer.map(|p| p.cert)].into_iter().flatten() {
                self.told.extend(directory.chain(&known).iter().map(|c| c.hash()));
            }
        }
        let mut out = Vec::new();
        for cert in used {
            for above in directory.chain(cert).iter().rev() {
                let hash = above.hash();
                if self.told.insert(hash) {
                    out.push(hash);
                }
            }
        }
        out
    }

    /// A receipt of a level above, opened for what came over this link: once for each block it came in, so
    /// that a block the other side cannot place any more does not take the others with it.
    async fn openings(
        &self,
        store: &Store,
        world: &World,
        stored: &StoredReceipt,
    ) -> Result<Vec<Opening>, LinkError> {
        if stored.level == 1 {
            let Some((receipt, fed)) = covered(store, stored).await? else { return Ok(Vec::new()) };
            let leaves: Vec<Node> = fed.iter().map(|c| leaf(&c.doc, &c.hash)).collect();
            let standing = by_block(self.standing((0u64..).zip(&fed)));
            return Ok(standing.filter_map(|s| Opening::new(receipt.clone(), &leaves, s)).collect());
        }
        let Ok(opening) = Opening::decode(&stored.bytes) else { return Ok(Vec::new()) };
        let Some(up) = world.parent().map(|l| l.id) else { return Ok(Vec::new()) };
        let own = standing_commits(store, up, &opening).await?;
        let leaves: Vec<Node> = own.iter().map(|c| leaf(&c.doc, &c.hash)).collect();
        let chosen = by_block(self.standing(opening.standing.iter().map(|s| s.position).zip(&own)));
        Ok(chosen.filter_map(|s| opening.restricted(&leaves, s)).collect())
    }

    fn standing<'a>(&self, commits: impl Iterator<Item = (u64, &'a FedCommit)>) -> Vec<Standing> {
        commits
            .filter_map(|(position, commit)| {
                let origin = commit.origin.filter(|o| o.link == self.link)?;
                Some(Standing { position, block: origin.seq, ordinal: u64::from(origin.ord) })
            })
            .collect()
    }
}

/// What stands under a receipt, by the reader's own block.
fn by_block(standing: Vec<Standing>) -> impl Iterator<Item = Vec<Standing>> {
    let mut blocks: BTreeMap<u64, Vec<Standing>> = BTreeMap::new();
    for one in standing {
        blocks.entry(one.block).or_default().push(one);
    }
    blocks.into_values()
}

/// The certificates of whoever a section's audience names: a village that shares an outcome with another
/// village can only judge that reach if it knows of the place.
fn introduced(world: &World, section: &OutSection) -> Vec<CertHash> {
    let reach = section.header.iter().flat_map(|h| &h.reach).chain(section.grants.iter().map(|g| &g.reach));
    let places = reach.filter_map(|r| Some(world.directory.place(&r.place())?.cert));
    let granters = section.grants.iter().map(|g| g.granter);
    places.chain(granters).chain(section.wraps.iter().map(|w| w.by)).collect()
}

/// The document's draft; one with commits takes its place in the order when the first of them comes.
fn draft_of<'a>(
    drafts: &'a mut BTreeMap<DocId, Draft>,
    order: &mut Vec<DocId>,
    doc: DocId,
    changes: bool,
) -> &'a mut Draft {
    let draft = drafts.entry(doc).or_default();
    if changes && draft.changes.is_empty() {
        order.push(doc);
    }
    draft
}

#[derive(Default)]
struct Draft {
    header: Option<Header>,
    grants: Vec<yishi_protocol::audience::Grant>,
    wraps: Vec<yishi_protocol::beside::Beside>,
    changes: Vec<FedChange>,
}

impl Draft {
    fn section(
        self,
        doc: DocId,
        header: &Header,
        actors: &mut BTreeSet<ActorId>,
    ) -> Result<OutSection, LinkError> {
        let kind: Kind = header.kind;
        let mut changes = Vec::with_capacity(self.changes.len());
        let mut begins = false;
        for FedChange { hash, cover, bytes, .. } in self.changes {
            let decoded =
                change::decode_stored(&bytes, kind).map_err(|e| LinkError::Stored(doc, e.to_string()))?;
            begins |= matches!(decoded.change.body, change::Body::Genesis { .. });
            actors.insert(decoded.change.actor);
            changes.push(OutChange { hash, change: decoded.change, cover });
        }
        let header = (begins || self.header.is_some()).then(|| header.clone());
        if let Some(header) = &header {
            actors.insert(header.creator_actor());
        }
        Ok(OutSection { doc, header, grants: self.grants, wraps: self.wraps, changes })
    }
}

/// Whether a block may end here: every change is signed, or a later one of its author that is here stands
/// on it. As the gate counts (rule R9).
fn is_covered(entries: &[FeedEntry]) -> bool {
    let mut open = Open::default();
    for entry in entries {
        match &entry.item {
            FeedItem::Commit(c) => {
                // A change that cannot be read is found out when it is written into the block.
                if let Ok((actor, deps)) = change::lineage(&c.bytes) {
                    open.add(c.doc, c.hash, actor, &deps, c.cover.is_some());
                }
            }
            FeedItem::Document(whole) => {
                for c in whole.commits.iter().map(|c| &c.commit) {
                    open.add(c.doc, c.hash, c.actor, &c.deps, c.cover.is_some());
                }
            }
            _ => {}
        }
    }
    open.0.is_empty()
}

/// Changes nobody vouches for yet, by document and author.
#[derive(Default)]
struct Open(BTreeSet<(DocId, ActorId, ChangeHash)>);

impl Open {
    fn add(&mut self, doc: DocId, hash: ChangeHash, actor: ActorId, deps: &[ChangeHash], signed: bool) {
        for dep in deps {
            self.0.remove(&(doc, actor, *dep));
        }
        if !signed {
            self.0.insert((doc, actor, hash));
        }
    }
}

/// Commits of a range of a feed in the order in which their block listed them.
pub(crate) fn in_block_order(fed: Vec<FedCommit>) -> Vec<FedCommit> {
    let mut place: BTreeMap<DocId, usize> = BTreeMap::new();
    for commit in &fed {
        let next = place.len();
        place.entry(commit.doc).or_insert(next);
    }
    let mut fed = fed;
    fed.sort_by_key(|c| place.get(&c.doc).copied());
    fed
}

/// The parent's receipt with the commits it covers, in the order of its leaves.
async fn covered(
    store: &Store,
    stored: &StoredReceipt,
) -> Result<Option<(Receipt, Vec<FedCommit>)>, LinkError> {
    let Ok(Frame::Ack(ack)) = Frame::decode(&stored.bytes) else { return Ok(None) };
    let Some(receipt) = ack.receipt else { return Ok(None) };
    let fed = in_block_order(store.fed_commits(stored.link, receipt.from, receipt.to).await?);
    let excluded: BTreeSet<u64> = ack.excluded.iter().map(|(ordinal, _)| *ordinal).collect();
    let fed = (0u64..).zip(fed).filter(|(i, _)| !excluded.contains(i)).map(|(_, c)| c).collect();
    Ok(Some((receipt, fed)))
}

/// The own commits an opening speaks of, in its order. Fewer than it names if some are not here.
pub(crate) async fn standing_commits(
    store: &Store,
    up: LinkId,
    opening: &Opening,
) -> Result<Vec<FedCommit>, StoreError> {
    let mut blocks: BTreeMap<u64, Vec<FedCommit>> = BTreeMap::new();
    for to in opening.standing.iter().map(|s| s.block).collect::<BTreeSet<_>>() {
        let receipts = store.receipts(up, to.saturating_sub(1), to).await?;
        let Some(own) = receipts.iter().find(|r| r.level == 1 && r.to_seq == to) else { continue };
        let fed = store.fed_commits(up, own.from_seq.saturating_sub(1), to).await?;
        blocks.insert(to, in_block_order(fed));
    }
    let commit = |s: &Standing| {
        let ordinal = usize::try_from(s.ordinal).ok()?;
        blocks.get(&s.block)?.get(ordinal).cloned()
    };
    Ok(opening.standing.iter().filter_map(commit).collect())
}

/// What reconciliation compares: every document the link may see, with the print of its heads.
pub(super) async fn visible(store: &Store, link: LinkId) -> Result<Visible, StoreError> {
    let docs = store.visible_docs(link).await?;
    Ok(Visible(docs.into_iter().map(|(doc, heads)| (doc, print(&doc, &heads))).collect()))
}
