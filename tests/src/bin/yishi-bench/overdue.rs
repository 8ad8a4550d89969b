//! `yishi-bench overdue`: what is overdue among many open matters, as supervision goes through them and as the list shows them.

use crate::{
    federation::Federation,
    report::{Figures, Target},
};
use anyhow::{Result, ensure};
use clap::Args;
use std::{path::PathBuf, sync::Arc, time::Instant};
use yishi_node::{
    actions::{Actions, ListQuery},
    clock::SetClock,
    projector::Projector,
};

const TARGETS: &[Target] = &[Target { key: "all_seconds", at_most: 1.0 }];
/// 2031-01-02: long after the last deadline.
const LATER_MS: u64 = 22_281 * 86_400_000;
const LATER: &str = "2031-01-02";

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct OverdueRequest {
    /// Open matters.
    #[arg(long, default_value_t = 100_000)]
    matters: u32,
    /// How often; medians are told.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Where the database is made. Default: the system's temporary folder.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Writes the medians there.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Measures and tells.
pub(crate) async fn run(request: OverdueRequest) -> Result<()> {
    let dir = match &request.dir {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let mut fed = Federation::new(1)?;
    let store = fed.child(&dir.path().join("town")).await?;
    fed.write_documents(&store, request.matters).await?;
    let actions = Actions::new(store.clone(), Arc::new(SetClock::at_ms(LATER_MS)))?;
    Projector::new(actions.clone()).drain_once().await?;
    let mut figures = Figures::default();
    for _ in 0..request.runs {
        let began = Instant::now();
        let (mut found, mut after) = (0, None);
        loop {
            let (page, next) = store.overdue(LATER, after, 500).await?;
            found += page.len();
            after = next;
            if after.is_none() {
                break;
            }
        }
        figures.add("all_seconds", began.elapsed().as_secs_f64());
        ensure!(found == request.matters as usize, "all are overdue by then; {found} were found");
        let began = Instant::now();
        let query = || ListQuery {
            due: Some("overdue".into()),
            sort: Some("deadline".into()),
            limit: Some(500),
            ..ListQuery::default()
        };
        let mut page = actions.matters(query()).await?;
        figures.add("first_page_seconds", began.elapsed().as_secs_f64());
        let mut shown = page.items.len();
        while let Some(cursor) = page.next_cursor {
            page = actions.matters(ListQuery { cursor: Some(cursor), ..query() }).await?;
            shown += page.items.len();
        }
        figures.add("all_shown_seconds", began.elapsed().as_secs_f64());
        ensure!(shown == found, "the list has {shown} of {found}");
    }
    figures.print(TARGETS);
    figures.write(request.json.as_deref(), &[("matters", u64::from(request.matters))])?;
    Ok(store.close().await?)
}
