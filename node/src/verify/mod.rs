//! `yishi-node verify`: one node's database, or a backup of one, gone through from end to end.
//!
//! Certificates and their chains; every document's header, widenings and wrapped keys; every change's
//! canonical form, history, author and signature; whether it all folds and lists show what was signed;
//! every feed's chained digest; every receipt held and given; every piece of a photo. The whole federation beside each other is
//! the audit's business; this is what an operator runs on one box.
//!
//! One connection reads documents in pieces, workers check them on all cores, another connection follows
//! feeds and receipts meanwhile. Memory holds a few pieces, however many documents there are. Nothing is
//! written, so that it may look at a running node and at a backup on a read-only disk.

mod document;
mod files;
mod promises;
mod report;

pub(crate) use document::{authors_of, block_of, folded};
pub(crate) use promises::holds as receipt_holds;
pub use report::{Area, Finding, Report};

use crate::store::{Amount, Look, Piece, Store, StoreError};
use document::{Context, Examined};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::mpsc;

/// Pieces that wait for a worker.
const PIECES_WAITING: usize = 2;
/// Workers: more than the cores of a small machine would only take memory.
const WORKERS_MAX: usize = 8;

/// Findings a worker keeps; a database that is ill all over must not fill the memory.
const FINDINGS_KEPT: usize = 1_000;

/// How far a verification is.
#[derive(Debug, Default)]
pub struct Progress {
    documents: AtomicU64,
    rows: AtomicU64,
    all_documents: AtomicU64,
    all_rows: AtomicU64,
}

impl Progress {
    /// One line for a terminal.
    #[must_use]
    pub fn line(&self) -> String {
        let of = |n: &AtomicU64| n.load(Ordering::Relaxed);
        format!(
            "文档 documents {} / {} · 送达记录 feed rows {} / {}",
            of(&self.documents),
            of(&self.all_documents),
            of(&self.rows),
            of(&self.all_rows)
        )
    }
}

/// The database of a folder, or the file itself.
#[must_use]
pub fn file_of(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("yishi.db") } else { path.to_owned() }
}

/// Verifies the database in a folder or file.
///
/// # Errors
/// [`StoreError`] if it cannot be read at all. What does not hold is in the report, not an error.
pub async fn verify(path: &Path, progress: &Arc<Progress>) -> Result<Report, StoreError> {
    let began = std::time::Instant::now();
    let look = Look::at(&file_of(path)).await?;
    let mut report = Report::default();
    let Amount { documents, rows, .. } = look.store.amount().await?;
    progress.all_documents.store(documents, Ordering::Relaxed);
    progress.all_rows.store(rows, Ordering::Relaxed);
    let world = look.store.world();
    let own = world.directory.get(&world.me.cert);
    report.place = own.map_or_else(String::new, |c| c.name.clone());
    report.certificates = look.certs.len() as u64;
    for odd in &look.odd {
        let (zh, subject) = match odd.table {
            "certs" => ("证书不成立，凭它签名的内容都不能算数", format!("证书 certificate {}", odd.row)),
            "revocations" => ("吊销不成立", format!("吊销 revocation {}", odd.row)),
            "placements" => ("区划变更不成立", format!("变更 placement {}", odd.row)),
            "actors" => ("作者与其证书不符", format!("作者 author {}", odd.row)),
            _ => ("本机的钥匙或证书被改动过", format!("本机 this node {}", odd.row)),
        };
        let en = format!("it does not hold: {}", odd.why);
        report.add(Finding::new(Area::Signed, odd.table, &subject, zh.into(), en));
    }
    let context = Context {
        procedures: world.charters.procedures.clone(),
        directory: world.directory.clone(),
        me: world.me.place,
        certs: look.certs,
        actors: look.actors,
    };
    let store = look.store;
    let (examined, promised) =
        tokio::join!(examine_all(&store, Arc::new(context), progress), promises::check(&store, progress));
    for examined in examined? {
        report.documents += examined.documents;
        report.changes += examined.changes;
        report.signatures += examined.signatures;
        report.wraps += examined.wraps;
        (report.found, report.signed_found) =
            (report.found + examined.untold, report.signed_found + examined.untold);
        examined.findings.into_iter().for_each(|f| report.add(f));
    }
    let promised = promised?;
    (report.feed_rows, report.receipts, report.acks) = (promised.rows, promised.receipts, promised.acks);
    promised.findings.into_iter().for_each(|f| report.add(f));
    let (pieces, findings) = files::check(&store).await?;
    report.pieces = pieces;
    findings.into_iter().for_each(|f| report.add(f));
    store.close().await?;
    report.seconds = began.elapsed().as_secs_f64();
    Ok(report)
}

/// Reads documents and checks them on all cores.
async fn examine_all(
    store: &Store,
    context: Arc<Context>,
    progress: &Arc<Progress>,
) -> Result<Vec<Examined>, StoreError> {
    let (to, pieces) = mpsc::channel::<Piece>(PIECES_WAITING);
    let pieces = Arc::new(Mutex::new(pieces));
    let cores = std::thread::available_parallelism().map_or(2, usize::from).min(WORKERS_MAX);
    let workers: Vec<_> = (0..cores)
        .map(|_| {
            let (pieces, context, progress) = (pieces.clone(), context.clone(), progress.clone());
            tokio::task::spawn_blocking(move || {
                let mut sum = Examined::default();
                let mut room = FINDINGS_KEPT;
                loop {
                    let next = pieces.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
                    let Some(piece) = next else { break };
                    let one = context.examine(&piece);
                    progress.documents.fetch_add(one.documents, Ordering::Relaxed);
                    sum.documents += one.documents;
                    sum.changes += one.changes;
                    sum.signatures += one.signatures;
                    sum.wraps += one.wraps;
                    let (told, untold) = one.findings.into_iter().partition::<Vec<_>, _>(|_| {
                        room = room.saturating_sub(1);
                        room > 0
                    });
                    sum.findings.extend(told);
                    sum.untold += untold.len() as u64;
                }
                sum
            })
        })
        .collect();
    drop(pieces);
    store.walk_documents(to).await?;
    let mut out = Vec::new();
    for worker in workers {
        out.push(worker.await.map_err(|_| StoreError::Closed)?);
    }
    Ok(out)
}
