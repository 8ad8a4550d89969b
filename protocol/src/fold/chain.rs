//! The chain of steps (rule R6): a tree of allowed steps, and which of its branches goes on.
//!
//! ```text
//!   register ── accept ──┬── escalate ── accept      sealed: another place signed on top
//!                        └── handle                  an unsealed sibling: superseded
//! ```
//!
//! A step hangs under its `prev`. For any set of changes, [`Chain::resolve`] walks from the root and
//! chooses at each fork: a branch that was settled; else the one that is sealed; with none sealed a
//! take-over from above before the lowest hash; between two sealed ones the walk ends there and waits
//! for the lowest common ancestor of the places that sealed them. The same walk over a change's causal
//! past says what its author saw, and over everything what is true now.

use super::{
    FoldInput,
    history::{History, Past, Row, holds, put, shared},
    procedure::StepKind,
    rules::Standing,
    verdict::Verdict,
};
use crate::{
    ids::{ChangeHash, PlaceId},
    planted::Bug,
};

/// Where a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing is registered.
    Nothing,
    /// At this step, which has no later one.
    At(usize),
    /// At a fork that waits for `by`; `fork` is `None` between two registrations.
    Waiting { fork: Option<usize>, by: PlaceId },
}

impl End {
    /// The last step before the end or the fork.
    pub(super) fn step(self) -> Option<usize> {
        match self {
            Self::Nothing => None,
            Self::At(t) => Some(t),
            Self::Waiting { fork, .. } => fork,
        }
    }
}

/// One allowed step in the tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch {
    /// The step it hangs under.
    pub(super) parent: Option<usize>,
    /// The step the chain goes on from: another than `parent` only where steps were set aside.
    below: Option<usize>,
    first_child: Option<usize>,
    sibling: Option<usize>,
    pub(super) place: PlaceId,
    pub(super) standing: Standing,
}

impl Branch {
    /// What kind of step it is, if it can be read.
    pub(super) fn kind(&self) -> Option<StepKind> {
        self.standing.unread.is_none().then_some(self.standing.tip_kind)
    }
}

/// One allowed settlement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settlement {
    pub(super) change: usize,
    pub(super) fork: Option<usize>,
    pub(super) branch: usize,
}

/// What goes on after a fork.
enum Choice {
    Go(usize),
    Wait(PlaceId),
}

/// The tree of allowed steps so far.
#[derive(Debug)]
pub(super) struct Chain<'h, 'a> {
    input: &'h FoldInput<'a>,
    history: &'h History<'a>,
    past: &'h Past,
    tree: Vec<Option<Branch>>,
    first_root: Option<usize>,
    pub(super) settlements: Vec<Settlement>,
    /// Steps in the tree and settlements: whatever can move a walk.
    moves: Vec<u64>,
    /// For every change, where a walk over it and its past ends, and how many moves those hold.
    ends: Vec<(End, u32)>,
}

impl<'h, 'a> Chain<'h, 'a> {
    pub(super) fn new(input: &'h FoldInput<'a>, history: &'h History<'a>, past: &'h Past) -> Self {
        Self {
            input,
            history,
            past,
            tree: vec![None; history.len()],
            first_root: None,
            settlements: Vec::new(),
            moves: past.none(),
            ends: Vec::with_capacity(history.len()),
        }
    }

    pub(super) fn branch(&self, t: usize) -> Option<&Branch> {
        self.tree.get(t)?.as_ref()
    }

    /// What the author of change `t` saw. Changes are asked for and entered in canonical order.
    pub(super) fn seen_by(&self, t: usize) -> End {
        let deps = self.history.deps(t);
        let end = |d: &usize| self.ends.get(*d).copied().unwrap_or((End::Nothing, 0));
        match deps {
            [] => End::Nothing,
            [only] => end(only).0,
            several => {
                let row = self.past.row(t);
                let moves = shared(row, &self.moves);
                // A dependency that knew every move of the union saw the same end.
                several
                    .iter()
                    .map(end)
                    .find(|(_, m)| *m == moves)
                    .map_or_else(|| self.resolve(row), |(end, _)| end)
            }
        }
    }

    /// Enters a change that moves nothing.
    pub(super) fn enter_still(&mut self, t: usize, seen: End) {
        let moves = self.moves_below(t);
        self.ends.push((seen, moves));
    }

    /// Enters an allowed step on top of what its author saw.
    pub(super) fn enter_step(&mut self, t: usize, seen: End, place: PlaceId, standing: Standing) {
        self.enter(t, seen, seen.step(), place, standing);
    }

    /// Enters a step on top of what its author saw that sets aside everything above `below`.
    pub(super) fn enter(
        &mut self,
        t: usize,
        seen: End,
        below: Option<usize>,
        place: PlaceId,
        standing: Standing,
    ) {
        let moves = self.moves_below(t) + 1;
        let parent = seen.step();
        let branch = Branch { parent, below, first_child: None, sibling: None, place, standing };
        let slot = match parent.and_then(|p| self.tree.get_mut(p)) {
            Some(Some(above)) => &mut above.first_child,
            _ => &mut self.first_root,
        };
        let sibling = slot.replace(t);
        if let Some(entry) = self.tree.get_mut(t) {
            *entry = Some(Branch { sibling, ..branch });
        }
        put(&mut self.moves, t);
        // The step ends the walk its author made: sealing what is already chosen changes no choice.
        self.ends.push((End::At(t), moves));
    }

    /// Enters an allowed settlement.
    pub(super) fn enter_settlement(&mut self, t: usize, fork: Option<usize>, branch: usize) {
        let moves = self.moves_below(t) + 1;
        self.settlements.push(Settlement { change: t, fork, branch });
        put(&mut self.moves, t);
        let mut row = self.past.row(t).to_vec();
        put(&mut row, t);
        let end = self.resolve(&row);
        self.ends.push((end, moves));
    }

    fn moves_below(&self, t: usize) -> u32 {
        match self.history.deps(t) {
            [] => 0,
            [only] => self.ends.get(*only).map_or(0, |(_, m)| *m),
            _ => shared(self.past.row(t), &self.moves),
        }
    }

    /// The steps directly on top of `parent` within `known`.
    fn children<'s>(&'s self, parent: Option<usize>, known: &'s Row) -> impl Iterator<Item = usize> + 's {
        let first = match parent {
            None => self.first_root,
            Some(p) => self.branch(p).and_then(|b| b.first_child),
        };
        std::iter::successors(first, |t| self.branch(*t)?.sibling).filter(move |t| holds(known, *t))
    }

    /// Walks to the end of the chain within `known`.
    pub(super) fn resolve(&self, known: &Row) -> End {
        let mut at = None;
        loop {
            let mut children = self.children(at, known);
            let next = match (children.next(), children.next()) {
                (None, _) => return at.map_or(End::Nothing, End::At),
                (Some(only), None) => only,
                _ => match self.choose(at, known) {
                    Choice::Go(t) => t,
                    Choice::Wait(by) => return End::Waiting { fork: at, by },
                },
            };
            at = Some(next);
        }
    }

    fn hash(&self, t: usize) -> Option<&'a ChangeHash> {
        self.history.nodes.get(t).map(|n| n.hash)
    }

    /// The settlement that holds at a fork: concurrent ones by lowest hash.
    pub(super) fn settlement(&self, fork: Option<usize>, known: &Row) -> Option<&Settlement> {
        self.settlements
            .iter()
            .filter(|s| s.fork == fork && holds(known, s.change))
            .min_by_key(|s| self.hash(s.change))
    }

    fn choose(&self, fork: Option<usize>, known: &Row) -> Choice {
        if let Some(settled) = self.settlement(fork, known) {
            return Choice::Go(settled.branch);
        }
        let sealed: Vec<(usize, PlaceId)> = self.sealed(fork, known).collect();
        match *sealed.as_slice() {
            _ if Bug::UnsealedFirst.planted() => {}
            [(only, _)] => return Choice::Go(only),
            [] => {}
            [(_, first), ..] => {
                let by = self.common_ancestor(sealed.iter().map(|(_, place)| *place)).unwrap_or(first);
                return Choice::Wait(by);
            }
        }
        // A take-over ends the wait for a silent holder: its unsealed acts come late, whatever their hash.
        let takes_over = |t: &usize| self.branch(*t).is_some_and(|b| b.kind() == Some(StepKind::TakeOver));
        let best = self.children(fork, known).min_by_key(|t| (!takes_over(t), self.hash(*t)));
        // `choose` is asked only where there are children.
        Choice::Go(best.unwrap_or_default())
    }

    /// The sealed steps on top of a fork, each with the place that sealed it.
    pub(super) fn sealed<'s>(
        &'s self,
        fork: Option<usize>,
        known: &'s Row,
    ) -> impl Iterator<Item = (usize, PlaceId)> + 's {
        self.children(fork, known).filter_map(|t| Some((t, self.sealed_by(t, known)?)))
    }

    /// The first place other than its author's that signed a step on top of it: nearest, then lowest hash.
    fn sealed_by(&self, t: usize, known: &Row) -> Option<PlaceId> {
        let own = self.branch(t)?.place;
        let mut layer = vec![t];
        while !layer.is_empty() {
            let next: Vec<usize> = layer.iter().flat_map(|t| self.children(Some(*t), known)).collect();
            let seal = next
                .iter()
                .filter(|t| self.branch(**t).is_some_and(|b| b.place != own))
                .min_by_key(|t| self.hash(**t));
            if let Some(seal) = seal {
                return self.branch(*seal).map(|b| b.place);
            }
            layer = next;
        }
        None
    }

    /// The places above a place, as far as the authors' certificates tell.
    pub(super) fn above(&self, place: PlaceId) -> &'h [PlaceId] {
        let own = self.input.authors.values().find(|a| a.place == place).map(|a| a.ancestors.as_slice());
        own.or_else(|| {
            self.input.authors.values().find_map(|a| {
                let at = a.ancestors.iter().position(|p| *p == place)?;
                a.ancestors.get(at + 1..)
            })
        })
        .unwrap_or(&[])
    }

    fn common_ancestor(&self, mut places: impl Iterator<Item = PlaceId> + Clone) -> Option<PlaceId> {
        let first = places.next()?;
        let is_over = |over: PlaceId, p: PlaceId| over == p || self.above(p).contains(&over);
        std::iter::once(first)
            .chain(self.above(first).iter().copied())
            .find(|candidate| places.clone().all(|p| is_over(*candidate, p)))
    }

    /// The steps from the end of a walk down to the registration, newest first, without those set aside.
    pub(super) fn path(&self, end: End) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(end.step(), |t| self.branch(*t)?.below)
    }

    /// What became of every allowed step, now that everything here is known.
    pub(super) fn outcome(&self, end: End, known: &Row) -> Vec<Option<Verdict>> {
        let mut verdicts: Vec<Option<Verdict>> = vec![None; self.tree.len()];
        let mut goes_on = vec![None; self.tree.len()];
        let mut first = None;
        let mut above: Option<usize> = None;
        for t in self.path(end) {
            if let (Some(v), Some(branch)) = (verdicts.get_mut(t), self.branch(t)) {
                *v = Some(branch.standing.unread.map_or(Verdict::Counted, |u| u.why.verdict()));
            }
            if let (Some(over), Some(next)) = (above, goes_on.get_mut(t)) {
                *next = Some(over);
            }
            above = Some(t);
            first = Some(t);
        }
        // Canonical order: a step's parent has been judged before it.
        for (t, branch) in self.tree.iter().enumerate().filter_map(|(t, b)| Some((t, b.as_ref()?))) {
            if verdicts.get(t).copied().flatten().is_some() {
                continue;
            }
            let above = branch.parent.and_then(|p| verdicts.get(p).copied().flatten());
            let verdict = match (above, branch.parent) {
                (Some(Verdict::Counted | Verdict::Pending | Verdict::NeedsNewer), fork)
                | (None, fork @ None) => {
                    let chosen = match fork {
                        Some(p) => goes_on.get(p).copied().flatten(),
                        None => first,
                    };
                    self.beside(t, branch, fork, chosen, end, known)
                }
                (Some(Verdict::Late), Some(p)) if self.branch(p).is_some_and(|b| b.place == branch.place) => {
                    Verdict::Late
                }
                (Some(Verdict::Waiting), _) => Verdict::Waiting,
                _ => Verdict::Superseded,
            };
            if let Some(v) = verdicts.get_mut(t) {
                *v = Some(verdict);
            }
        }
        verdicts
    }

    /// What became of a step directly beside the chain.
    fn beside(
        &self,
        t: usize,
        branch: &Branch,
        fork: Option<usize>,
        chosen: Option<usize>,
        end: End,
        known: &Row,
    ) -> Verdict {
        if let End::Waiting { fork: at, .. } = end
            && at == fork
        {
            let waits = self.sealed(fork, known).any(|(s, _)| s == t);
            return if waits { Verdict::Waiting } else { Verdict::Superseded };
        }
        let taken_over =
            chosen.and_then(|c| self.branch(c)).is_some_and(|b| b.kind() == Some(StepKind::TakeOver));
        let old_holder = fork.and_then(|f| self.branch(f)).map(|b| b.standing.holder);
        if taken_over && old_holder == Some(branch.place) { Verdict::Late } else { Verdict::Superseded }
    }
}
