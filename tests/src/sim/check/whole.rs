//! Nothing is stored whose dependencies are not (rule R13): a history has no holes, on no disk, at no moment.

use super::census::Census;
use std::collections::BTreeSet;
use yishi_protocol::ids::ChangeHash;

pub(super) fn check(census: &Census) -> Result<(), String> {
    for holding in &census.0 {
        for (doc, whole) in &holding.docs {
            let here: BTreeSet<ChangeHash> = whole.commits.iter().map(|c| c.commit.hash).collect();
            let hole = |c: &&yishi_node::store::StoredCommit| c.commit.deps.iter().any(|d| !here.contains(d));
            if let Some(c) = whole.commits.iter().find(hole) {
                let hash = c.commit.hash;
                return Err(format!("{} holds {hash} of {doc} without what it stands on", holding.name));
            }
        }
    }
    Ok(())
}
