//! The auditor: opens the databases of nodes that are not running, believes nothing in them, and says
//! whether the story they tell holds.
//!
//! Per document: the header gives the id; every change passes the gate anew — canonical bytes, history,
//! writers, signatures of its own author under a chain to the root; Automerge, which had no part in
//! writing it, loads it and finds the same heads; it folds without failing. Per node: every receipt is
//! checked against the commits it names. Over all nodes: who is in a document's audience has all of it,
//! and the same changes fold to the same state.

mod document;
mod report;

pub use report::{NodeReport, Report};

use crate::store::{LinkId, Store, StoreError, VerdictKind};
use document::{Audited, Trouble};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use thiserror::Error;
use yishi_protocol::{
    audience::Audience,
    fold::{Matter, Verdict},
    ids::{ChangeHash, DocId, PlaceId},
    kind::Kind,
};

/// Why an audit could not be made at all.
#[derive(Debug, Error)]
pub enum AuditError {
    /// Nothing to audit.
    #[error("there is no node in {0} or in the folders directly below it")]
    NoNodes(PathBuf),
    /// A database cannot be read.
    #[error("{dir}: {source}")]
    Store {
        /// Which node.
        dir: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// The folder cannot be listed.
    #[error("{0}: {1}")]
    Folder(PathBuf, std::io::Error),
    /// Nodes of different federations lie side by side.
    #[error("{0} belongs to another federation than the nodes beside it; audit them apart")]
    OtherFederation(PathBuf),
}

/// One document as one node holds it.
struct Copy {
    heads: BTreeSet<ChangeHash>,
    changes: usize,
    digest: Option<yishi_protocol::ids::Hash>,
}

/// Audits the node in `dir`, or every node in a folder directly below it. `say` gets a line of progress
/// per node.
///
/// # Errors
/// [`AuditError`] if it could not be made. What does not hold is in the report, not an error.
pub async fn audit(dir: &Path, say: impl Fn(&str)) -> Result<Report, AuditError> {
    let started = std::time::Instant::now();
    let mut report = Report::default();
    let mut copies: BTreeMap<DocId, BTreeMap<PlaceId, Copy>> = BTreeMap::new();
    let mut audiences: BTreeMap<DocId, (PlaceId, Audience)> = BTreeMap::new();
    let mut directory = None;
    let mut places = BTreeSet::new();
    let mut matters: BTreeMap<DocId, Matter> = BTreeMap::new();
    for node in nodes_in(dir)? {
        let failed = |source| AuditError::Store { dir: node.clone(), source };
        let store = Store::open(&node).await.map_err(failed)?;
        let world = store.world();
        let federation = world.directory.federation();
        if directory.as_ref().is_some_and(|d: &yishi_protocol::cert::Directory| d.federation() != federation)
        {
            return Err(AuditError::OtherFederation(node));
        }
        let me = world.me.place;
        places.insert(me);
        let name = world.directory.get(&world.me.cert).map(|c| c.name.clone()).unwrap_or_default();
        let mut node_report = NodeReport { place: name.clone(), ..NodeReport::default() };
        for kind in Kind::ALL {
            for doc in store.docs_of_kind(kind, None).await.map_err(failed)? {
                let audited = document::audit(&store, &world, doc).await.map_err(failed)?;
                node_report.documents += 1;
                node_report.changes += audited.changes;
                node_report.signatures += audited.signatures;
                report.troubles.extend(audited.troubles.iter().map(|t| format!("{name}: {doc}: {t}")));
                take(&mut audiences, doc, &audited);
                // Of several boxes of a place, what the one that it works on has is what the place has.
                if world.is_active() {
                    copies.entry(doc).or_default().insert(
                        me,
                        Copy { heads: audited.heads, changes: audited.changes, digest: audited.digest },
                    );
                }
                if let Some(matter) = audited.matter {
                    if matter.home == me {
                        let offline = raised_offline(&store, &doc, &matter).await.map_err(failed)?;
                        report.raised_offline += usize::from(offline);
                        let up = receipts_of(&store, &doc).await.map_err(failed)?;
                        report.stored_at_district += usize::from(up >= levels_above(&world));
                    }
                    matters.insert(doc, *matter);
                }
            }
        }
        receipts(&store, &world, &name, &mut node_report, &mut report.troubles).await.map_err(failed)?;
        for link in store.link_states().await.map_err(failed)? {
            let refused = refused_docs(&store, link.id).await.map_err(failed)?;
            node_report.refused += refused;
            report.forgeries_refused += refused;
        }
        say(&node_report.line());
        report.nodes.push(node_report);
        // The wider the view, the more certificates: the root's knows them all.
        if directory.as_ref().is_none_or(|d| d.iter().count() < world.directory.iter().count()) {
            directory = Some(world.directory.clone());
        }
        store.close().await.map_err(failed)?;
    }
    let Some(directory) = directory else { return Err(AuditError::NoNodes(dir.to_owned())) };
    compare(&mut report, &directory, &places, &copies, &audiences);
    count(&mut report, &matters);
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

fn nodes_in(dir: &Path) -> Result<Vec<PathBuf>, AuditError> {
    if dir.join("yishi.db").exists() {
        return Ok(vec![dir.to_owned()]);
    }
    let list = std::fs::read_dir(dir).map_err(|e| AuditError::Folder(dir.to_owned(), e))?;
    let mut nodes: Vec<PathBuf> =
        list.filter_map(Result::ok).map(|f| f.path()).filter(|p| p.join("yishi.db").exists()).collect();
    nodes.sort();
    if nodes.is_empty() { Err(AuditError::NoNodes(dir.to_owned())) } else { Ok(nodes) }
}

fn take(audiences: &mut BTreeMap<DocId, (PlaceId, Audience)>, doc: DocId, audited: &Audited) {
    let Some(home) = audited.home else { return };
    let known = audiences.entry(doc).or_insert_with(|| (home, Audience::default()));
    known.1.0.extend(audited.audience.0.iter().copied());
}

/// Places above this one.
fn levels_above(world: &crate::store::World) -> u32 {
    u32::try_from(world.directory.ancestors(&world.me.cert).len()).unwrap_or(u32::MAX)
}

/// Whether the matter was written while the link up was down, by the node's own log.
async fn raised_offline(store: &Store, doc: &DocId, matter: &Matter) -> Result<bool, StoreError> {
    let Some(register) = matter.register else { return Ok(false) };
    let Some(up) = store.world().parent().map(|l| l.id) else { return Ok(false) };
    let commits = store.doc_commits(doc).await?;
    let at = commits.iter().find(|c| c.commit.actor == register.actor && c.commit.seq == register.seq);
    let Some(at) = at.map(|c| c.stored_at_ms) else { return Ok(false) };
    let events = store.link_events(up, u32::MAX).await?;
    // Newest first: the last word before the act.
    Ok(events.iter().find(|e| e.at_ms <= at).is_none_or(|e| !e.up))
}

/// How many levels above signed for every change this place wrote into a document.
async fn receipts_of(store: &Store, doc: &DocId) -> Result<u32, StoreError> {
    let commits = store.doc_commits(doc).await?;
    Ok(commits.iter().filter(|c| c.origin.is_none()).map(|c| c.stored_up).min().unwrap_or(0))
}

async fn refused_docs(store: &Store, link: LinkId) -> Result<usize, StoreError> {
    let verdicts = store.verdicts(link, None, u32::MAX).await?;
    Ok(verdicts.iter().filter(|v| v.verdict.kind == VerdictKind::Refused).count())
}

/// Checks every receipt a node holds against the commits it is about.
async fn receipts(
    store: &Store,
    world: &crate::store::World,
    name: &str,
    node: &mut NodeReport,
    troubles: &mut Vec<String>,
) -> Result<(), StoreError> {
    let Some(up) = world.parent().map(|l| l.id) else { return Ok(()) };
    let head = store.feed_head(up).await?.0;
    for stored in store.receipts(up, 0, head).await? {
        let holds = crate::verify::receipt_holds(store, world, up, &stored).await?;
        if holds {
            node.receipts += 1;
        } else {
            troubles.push(format!("{name}: a receipt of level {} does not hold", stored.level));
        }
    }
    Ok(())
}

/// Everyone in the audience has all of it, and the same changes give the same state.
fn compare(
    report: &mut Report,
    directory: &yishi_protocol::cert::Directory,
    places: &BTreeSet<PlaceId>,
    copies: &BTreeMap<DocId, BTreeMap<PlaceId, Copy>>,
    audiences: &BTreeMap<DocId, (PlaceId, Audience)>,
) {
    let name = |p: &PlaceId| directory.place_cert(p).map_or_else(|| p.to_string(), |c| c.name.clone());
    report.stored_everywhere = true;
    for (doc, held) in copies {
        let Some((home, audience)) = audiences.get(doc) else { continue };
        let now = audience.now(directory, home);
        let Some(fullest) = held.values().max_by_key(|c| c.changes) else { continue };
        for place in places {
            let expected = audience.includes(directory, place);
            // Above the home once and no more: it keeps what it has, and is owed nothing.
            if expected && !now.includes(directory, place) {
                continue;
            }
            match held.get(place) {
                None if expected => {
                    report.stored_everywhere = false;
                    report.missing.push(format!("{doc} is not at {}", name(place)));
                }
                Some(_)
                    if !expected
                        && !directory.iter().any(|(_, c)| {
                            // On the way to a reader below it a document may pass through.
                            audience.includes(directory, &c.place)
                                && directory.place_ancestors(&c.place).contains(place)
                        }) =>
                {
                    report.troubles.push(format!("{doc} is at {}, which may not see it", name(place)))
                }
                Some(copy) if copy.heads != fullest.heads => {
                    report.stored_everywhere = false;
                    report.missing.push(format!(
                        "{doc} at {}: {} of {} changes",
                        name(place),
                        copy.changes,
                        fullest.changes
                    ));
                }
                Some(copy) if copy.digest != fullest.digest => {
                    report.troubles.push(format!("{doc} folds differently at {}", name(place)));
                }
                _ => {}
            }
        }
    }
}

fn count(report: &mut Report, matters: &BTreeMap<DocId, Matter>) {
    report.proposals = matters.len();
    for matter in matters.values() {
        report.merged += usize::from(matter.merged_into.is_some());
        report.answered += usize::from(!matter.answers.is_empty());
        report.told += usize::from(matter.tellings.iter().any(|t| t.by_home));
        report.violations += matter.violations.len();
        report.unmerged +=
            matter.timeline.iter().filter(|t| t.kind == "unmerge" && t.verdict == Verdict::Counted).count();
    }
}

/// A trouble's place in the report is a sentence.
impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
