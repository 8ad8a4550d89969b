//! `yishi-bench store`: changes a second that the store takes, beside the floor of SQLite itself.
//!
//! The floor is the same changes in one table without an index, two hundred rows of one statement, with the same
//! log, page cache and fsync for every transaction: what nobody who keeps the bytes in SQLite can go below. The
//! store keeps besides them who signed, what they follow on, an index by document, a feed row for every link
//! that may see them, and the queue of what is to be folded. Both in the same run, one after the other.

use crate::{
    federation::Federation,
    report::{Figures, Target},
};
use anyhow::Result;
use clap::Args;
use sqlx::{
    ConnectOptions as _, Connection as _, QueryBuilder, Sqlite,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};
use yishi_node::store::Batch;
use yishi_protocol::{commit::Commit, header::Header};

/// Changes of one transaction, about as many as a full block brings.
const COMMITS_PER_BATCH: usize = 5_000;
/// Rows of one statement of the floor.
const ROWS: usize = 200;

const TARGETS: &[Target] = &[Target { key: "ratio.store_to_floor", at_most: 4.0 }];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct StoreRequest {
    /// Documents of nine changes each.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    docs: u32,
    /// How often everything is measured; medians are told.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Chooses the words.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the databases are made, on a real disk. Default: the system's temporary folder.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Writes the medians there.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Measures and tells.
pub(crate) async fn run(request: StoreRequest) -> Result<()> {
    let mut figures = Figures::default();
    for n in 0..request.runs {
        eprintln!("run {} of {}", n + 1, request.runs);
        let dir = match &request.dir {
            Some(dir) => tempfile::tempdir_in(dir)?,
            None => tempfile::tempdir()?,
        };
        once(request.docs, dir.path(), request.seed + u64::from(n), &mut figures).await?;
    }
    figures.print(TARGETS);
    let facts = [("docs", u64::from(request.docs)), ("runs", u64::from(request.runs))];
    figures.write(request.json.as_deref(), &facts)
}

async fn once(docs: u32, dir: &Path, seed: u64, figures: &mut Figures) -> Result<()> {
    let mut federation = Federation::new(seed)?;
    let store = federation.child(&dir.join("store")).await?;
    let histories = (1..=docs).map(|serial| federation.history(serial)).collect::<Result<Vec<_>>>()?;
    let all = histories.iter().map(|(_, commits)| commits.len()).sum::<usize>() as f64;

    let began = Instant::now();
    floor(&dir.join("floor.db"), &histories).await?;
    let floor = began.elapsed().as_secs_f64() * 1e6 / all;

    // Prepared beforehand: what is measured is storing, not copying.
    let mut batches = Vec::new();
    let mut batch = Batch { at_ms: 1, ..Batch::default() };
    for (header, commits) in histories {
        batch.docs.push(header);
        batch.commits.extend(commits.into_iter().map(Into::into));
        if batch.commits.len() >= COMMITS_PER_BATCH {
            batches.push(std::mem::replace(&mut batch, Batch { at_ms: 1, ..Batch::default() }));
        }
    }
    batches.push(batch);
    let began = Instant::now();
    for batch in batches {
        store.write(batch).await?;
    }
    let took = began.elapsed().as_secs_f64() * 1e6 / all;
    store.close().await?;
    figures.add("floor.us", floor);
    figures.add("floor.per_s", 1e6 / floor);
    figures.add("store.us", took);
    figures.add("store.per_s", 1e6 / took);
    figures.add("ratio.store_to_floor", took / floor);
    Ok(())
}

/// The changes in one table.
async fn floor(path: &Path, histories: &[(Header, Vec<Commit>)]) -> Result<()> {
    let mut conn = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", "-4000")
        .disable_statement_logging()
        .connect()
        .await?;
    let table = "CREATE TABLE changes (id INTEGER PRIMARY KEY, doc BLOB NOT NULL, hash BLOB NOT NULL, bytes BLOB NOT NULL)";
    sqlx::query(table).execute(&mut conn).await?;
    let commits: Vec<&Commit> = histories.iter().flat_map(|(_, commits)| commits).collect();
    for batch in commits.chunks(COMMITS_PER_BATCH) {
        let mut tx = conn.begin().await?;
        for rows in batch.chunks(ROWS) {
            let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO changes (doc, hash, bytes) ");
            insert.push_values(rows, |mut row, commit| {
                row.push_bind(commit.doc.0.to_vec())
                    .push_bind(commit.hash.0.to_vec())
                    .push_bind(commit.bytes.to_vec());
            });
            insert.build().persistent(rows.len() == ROWS).execute(&mut *tx).await?;
        }
        tx.commit().await?;
    }
    conn.close().await?;
    Ok(())
}
