//! Nothing acknowledged to a person is lost (promise 2): not by a death of the node that said yes, and not
//! on the way to anybody who may see it.

use super::census::{Census, apart, receives};
use crate::sim::{Node, World};
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::ids::{ActRef, ChangeHash, DocId};

/// Acts that people were told are done, by who told them.
#[derive(Debug, Default)]
pub struct Ledger(
    BTreeMap<DocId, BTreeMap<ActRef, usize>>,
    /// What a backup took from a node and others still have: it comes back with the next comparison of
    /// histories, and a death before that takes nothing.
    BTreeSet<(usize, DocId, ActRef)>,
    /// What was written on either of two machines of one village, which may use a number twice.
    BTreeMap<(DocId, ChangeHash), usize>,
);

impl Ledger {
    pub(super) fn acknowledged(&mut self, at: usize, doc: DocId, acts: impl IntoIterator<Item = ActRef>) {
        self.0.entry(doc).or_default().extend(acts.into_iter().map(|act| (act, at)));
    }

    /// These changes are what people were told is done, on one of two machines of a village.
    pub fn wrote_beside(&mut self, at: usize, doc: DocId, hashes: impl Iterator<Item = ChangeHash>) {
        self.2.extend(hashes.map(|hash| ((doc, hash), at)));
    }

    /// A backup was put in the place of a node's database: what it alone held is gone with the disk, and
    /// nobody promised more.
    pub async fn put_back(&mut self, at: usize, world: &World) {
        let Self(told, away, _) = self;
        for (doc, acts) in told {
            // Its own, and those of others that were last seen here: both may be gone with this disk.
            let at_stake: Vec<(ActRef, usize)> = acts
                .iter()
                .filter(|(act, by)| **by == at || away.contains(&(**by, *doc, **act)))
                .map(|(act, by)| (*act, *by))
                .collect();
            if at_stake.is_empty() {
                continue;
            }
            let mut anywhere = BTreeSet::new();
            for node in &world.nodes {
                anywhere.extend(node.acts(doc).await);
            }
            let held = world.nodes[at].acts(doc).await;
            for (act, by) in at_stake {
                if !anywhere.contains(&act) {
                    acts.remove(&act);
                } else if by == at && !held.contains(&act) {
                    away.insert((at, *doc, act));
                }
            }
        }
    }

    pub(super) async fn came_back(&mut self, at: usize, node: &Node) -> Result<(), String> {
        for (doc, acts) in &self.0 {
            let mine: Vec<ActRef> = acts.iter().filter(|(_, by)| **by == at).map(|(act, _)| *act).collect();
            if mine.is_empty() {
                continue;
            }
            let held = node.acts(doc).await;
            // Once it is here again, it counts as any other.
            self.1.retain(|(by, of, act)| *by != at || of != doc || !held.contains(act));
            let away = |act: &ActRef| self.1.contains(&(at, *doc, *act));
            if let Some(lost) = mine.iter().find(|act| !held.contains(act) && !away(act)) {
                return Err(format!("{} lost {lost} of {doc}, which it had acknowledged", node.name));
            }
        }
        Ok(())
    }

    pub(super) fn end(&self, world: &World, census: &Census) -> Result<(), String> {
        for (doc, acts) in &self.0 {
            let (audience, Some(home)) = (census.audience(doc), census.home(doc)) else { continue };
            for (at, holding) in census.0.iter().enumerate() {
                let owed = receives(&audience, &home, holding) && !apart(world, census, at, &audience, &home);
                if world.gone.contains(&at) || !owed {
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
        for ((doc, hash), by) in self.2.iter().filter(|(_, by)| !world.gone.contains(*by)) {
            let (audience, Some(home)) = (census.audience(doc), census.home(doc)) else { continue };
            for (at, holding) in census.0.iter().enumerate() {
                let owed = receives(&audience, &home, holding) && !apart(world, census, at, &audience, &home);
                if world.gone.contains(&at) || !owed {
                    continue;
                }
                let mut commits = holding.docs.get(doc).into_iter().flat_map(|d| &d.commits);
                if !commits.any(|c| c.commit.hash == *hash) {
                    let told = &world.nodes[*by].name;
                    return Err(format!("{} lacks {hash} of {doc}, acknowledged at {told}", holding.name));
                }
            }
        }
        Ok(())
    }
}
