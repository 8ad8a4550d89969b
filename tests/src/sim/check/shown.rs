//! Lists show what the changes on the disk add up to, also where a revocation came after what it takes
//! away: the projector may be late, never wrong.

use super::census::Census;
use crate::sim::World;
use yishi_protocol::{fold, kind::Kind};

pub(super) async fn check(world: &World, census: &Census) -> Result<(), String> {
    for (at, holding) in census.0.iter().enumerate().filter(|(at, _)| !world.gone.contains(at)) {
        for (doc, _) in holding.docs.iter().filter(|(_, d)| d.header.kind == Kind::Proposal) {
            let Some(matter) = holding.with_input(doc, fold::proposal::fold) else { continue };
            let Some(row) = world.nodes[at].store.matter(doc).await.unwrap() else {
                return Err(format!("no list of {} shows {doc}", holding.name));
            };
            // Lists show a matter with whoever acts for its holder now.
            let holder = matter.holder.map(|h| holding.directory.stands_in(&h));
            let (shown, true_one) = (
                (row.stage.as_str(), row.holder, row.merged_into, row.violations as usize),
                (matter.stage.name(), holder, matter.merged_into, matter.violations.len()),
            );
            if shown != true_one {
                return Err(format!("{} shows {doc} as {shown:?}; it is {true_one:?}", holding.name));
            }
        }
    }
    Ok(())
}
