//! Nothing acknowledged to a person is lost (promise 2): not by a death of the node that said yes, and not
//! on the way to anybody who may see it.

use super::census::Census;
use crate::sim::{Node, World};
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::ids::{ActRef, DocId};

/// Acts that people were told are done, by who told them.
#[derive(Debug, Default)]
pub struct Ledger(BTreeMap<DocId, BTreeMap<ActRef, usize>>);

impl Ledger {
    pub(super) fn acknowledged(&mut self, at: usize, doc: DocId, acts: impl IntoIterator<Item = ActRef>) {
        self.0.entry(doc).or_default().extend(acts.into_iter().map(|act| (act, at)));
    }

    /// A backup was put in the place of a node's database: what it alone held is gone with the disk, and
    /// nobody promised more.
    pub async fn put_back(&mut self, at: usize, world: &World) {
        for (doc, acts) in &mut self.0 {
            let mut elsewhere = BTreeSet::new();
            for node in world.nodes.iter().filter(|_| acts.values().any(|by| *by == at)) {
                elsewhere.extend(node.acts(doc).await);
            }
            acts.retain(|act, by| *by != at || elsewhere.contains(act));
        }
    }

    pub(super) async fn came_back(&self, at: usize, node: &Node) -> Result<(), String> {
        for (doc, acts) in &self.0 {
            let mine: Vec<ActRef> = acts.iter().filter(|(_, by)| **by == at).map(|(act, _)| *act).collect();
            if mine.is_empty() {
                continue;
            }
            let held = node.acts(doc).await;
            if let Some(lost) = mine.iter().find(|act| !held.contains(act)) {
                return Err(format!("{} lost {lost} of {doc}, which it had acknowledged", node.name));
            }
        }
        Ok(())
    }

    pub(super) fn end(&self, world: &World, census: &Census) -> Result<(), String> {
        for (doc, acts) in &self.0 {
            let audience = census.audience(doc);
            for (at, holding) in census.0.iter().enumerate() {
                if world.gone.contains(&at) || !audience.includes(&holding.directory, &holding.place) {
                    continue;
                }
                let commits = holding.docs.get(doc).into_iter().flat_map(|d| &d.commits);
                let held: BTreeSet<ActRef> =
                    commits.map(|c| ActRef { actor: c.commit.actor, seq: c.commit.seq }).collect();
                let lost = acts.iter().find(|(act, by)| !world.gone.contains(*by) && !held.contains(act));
                if let Some((act, by)) = lost {
                    let told = &world.nodes[*by].name;
                    return Err(format!("{} lacks {act} of {doc}, acknowledged at {told}", holding.name));
                }
            }
        }
        Ok(())
    }
}
