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
//!
//! There is at most one walk for each change with several dependencies, and it begins where what they know
//! together parts from what the best of them knows. It looks at every step and settlement a bounded number
//! of times, whatever their shape: a crafted document of *n* changes costs at most some *n*² looks, one
//! with a fork at every step some *n*, and an ordinary one hardly any.

use super::{
    FoldInput,
    frame::StepKind,
    history::{History, Past, Row, holds, put, shared},
    rules::Standing,
    verdict::Verdict,
};
use crate::{
    ids::{ChangeHash, PlaceId},
    planted::Bug,
};
use std::collections::BTreeMap;

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
    pub(super) below: Option<usize>,
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
    /// The places above a place, as far as the authors' certificates tell.
    above: BTreeMap<PlaceId, &'h [PlaceId]>,
    tree: Vec<Option<Branch>>,
    first_root: Option<usize>,
    /// By the step at their fork.
    settlements: BTreeMap<Option<usize>, Vec<Settlement>>,
    /// Steps in the tree and settlements: whatever can move a walk.
    moves: Vec<u64>,
    /// For every change, where a walk over it and its past ends, and how many moves those hold.
    ends: Vec<(End, u32)>,
    /// How many steps and settlements all walks looked at.
    #[cfg(test)]
    pub(super) looks: std::cell::Cell<u64>,
}

/// For every step, how far above it the nearest step of another place is, and which.
type Seals = Vec<Option<(u32, usize)>>;

/// How one walk finds out which steps are sealed: by looking at what stands on each, and once that has taken
/// as many looks as there are changes, for all of them at once.
#[derive(Debug)]
struct Sealing {
    looks_left: usize,
    all: Option<Seals>,
}

impl<'h, 'a> Chain<'h, 'a> {
    pub(super) fn new(input: &'h FoldInput<'a>, history: &'h History<'a>, past: &'h Past) -> Self {
        let mut above: BTreeMap<PlaceId, &'h [PlaceId]> = BTreeMap::new();
        for author in input.authors.values() {
            above.entry(author.place).or_insert(&author.ancestors);
        }
        // Where places were moved each author says what stands above each of its ancestors.
        for author in input.authors.values() {
            for (place, over) in &author.moved.over {
                above.entry(*place).or_insert(over);
            }
        }
        // Else that is the rest of its list.
        for author in input.authors.values().filter(|a| a.moved.over.is_empty()) {
            let mut rest = author.ancestors.as_slice();
            while let Some((place, over)) = rest.split_first() {
                above.entry(*place).or_insert(over);
                rest = over;
            }
        }
        Self {
            input,
            history,
            past,
            above,
            tree: vec![None; history.len()],
            first_root: None,
            settlements: BTreeMap::new(),
            moves: past.none(),
            ends: Vec::with_capacity(history.len()),
            #[cfg(test)]
            looks: std::cell::Cell::new(0),
        }
    }

    /// Counts a look, for the test that says how much work there can be.
    fn look(&self) {
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
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
                let best = several.iter().map(|d| (end(d), *d)).max_by_key(|((_, m), _)| *m);
                match best {
                    Some(((end, m), _)) if m == moves => end,
                    Some(((End::At(tip), _), dep)) => match self.parts_at(row, dep, tip) {
                        Some(from) => self.resolve_from(from, row),
                        None => self.resolve(row),
                    },
                    _ => self.resolve(row),
                }
            }
        }
    }

    /// Where a walk within `row` may part from the one to `tip` that dependency `dep` saw: the step nearest
    /// to the root under which something hangs that `dep` did not know. `None` for above the roots, or if
    /// a settlement is among it. Above that step all branches beside the way are as they were.
    fn parts_at(&self, row: &Row, dep: usize, tip: usize) -> Option<Option<usize>> {
        let known = self.past.row(dep);
        let mut at = tip;
        let mut passed = self.past.none();
        for (word, ((all, moves), before)) in row.iter().zip(&self.moves).zip(known).enumerate() {
            let mut new = all & moves & !before;
            while new != 0 {
                let t = word * 64 + new.trailing_zeros() as usize;
                new &= new - 1;
                if t == dep {
                    continue;
                }
                let mut beside = self.branch(t)?.parent?;
                while beside != at {
                    self.look();
                    // A step stands after the one it hangs under.
                    if holds(&passed, beside) {
                        break;
                    } else if beside > at {
                        put(&mut passed, beside);
                        beside = self.branch(beside)?.parent?;
                    } else {
                        at = self.branch(at)?.parent?;
                    }
                }
            }
        }
        Some(Some(at))
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
        self.settlements.entry(fork).or_default().push(Settlement { change: t, fork, branch });
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
        std::iter::successors(first, |t| {
            self.look();
            self.branch(*t)?.sibling
        })
        .filter(move |t| holds(known, *t))
    }

    /// Walks to the end of the chain within `known`.
    pub(super) fn resolve(&self, known: &Row) -> End {
        self.resolve_from(None, known)
    }

    fn resolve_from(&self, from: Option<usize>, known: &Row) -> End {
        let mut at = from;
        let mut sealing = Sealing { looks_left: self.tree.len(), all: None };
        loop {
            let mut children = self.children(at, known);
            let next = match (children.next(), children.next()) {
                (None, _) => return at.map_or(End::Nothing, End::At),
                (Some(only), None) => only,
                _ => match self.choose(at, known, &mut sealing) {
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
        let here = self.settlements.get(&fork)?.iter().inspect(|_| self.look());
        here.filter(|s| holds(known, s.change)).min_by_key(|s| self.hash(s.change))
    }

    /// Every allowed settlement.
    pub(super) fn settlements(&self) -> impl Iterator<Item = &Settlement> {
        self.settlements.values().flatten()
    }

    fn choose(&self, fork: Option<usize>, known: &Row, sealing: &mut Sealing) -> Choice {
        if let Some(settled) = self.settlement(fork, known) {
            return Choice::Go(settled.branch);
        }
        let sealed = self.sealed_in(fork, known, sealing);
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
    pub(super) fn sealed(&self, fork: Option<usize>, known: &Row) -> Vec<(usize, PlaceId)> {
        self.sealed_in(fork, known, &mut Sealing { looks_left: self.tree.len(), all: None })
    }

    fn sealed_in(&self, fork: Option<usize>, known: &Row, sealing: &mut Sealing) -> Vec<(usize, PlaceId)> {
        let sealed_by = |t: usize| Some((t, self.branch(self.seal(t, known, sealing)?)?.place));
        self.children(fork, known).filter_map(sealed_by).collect()
    }

    /// The first step of another place on top of one.
    fn seal(&self, t: usize, known: &Row, sealing: &mut Sealing) -> Option<usize> {
        if sealing.all.is_none() {
            match self.nearest(t, known, &mut sealing.looks_left) {
                Some(seal) => return seal,
                None => sealing.all = Some(self.seals(known)),
            }
        }
        sealing.all.as_ref()?.get(t).copied().flatten().map(|(_, by)| by)
    }

    /// The same by looking at what stands on it; `None` if that takes too many looks.
    fn nearest(&self, t: usize, known: &Row, looks_left: &mut usize) -> Option<Option<usize>> {
        let own = self.branch(t)?.place;
        let mut layer = vec![t];
        while !layer.is_empty() {
            let mut next = Vec::new();
            for below in layer {
                let mut child = self.branch(below)?.first_child;
                while let Some(c) = child {
                    self.look();
                    *looks_left = looks_left.checked_sub(1)?;
                    next.extend(Some(c).filter(|c| holds(known, *c)));
                    child = self.branch(c)?.sibling;
                }
            }
            let others = next.iter().copied().filter(|c| self.branch(*c).is_some_and(|b| b.place != own));
            let seal = others.min_by_key(|c| self.hash(*c));
            if seal.is_some() {
                return Some(seal);
            }
            layer = next;
        }
        Some(None)
    }

    /// For every known step, the first place other than its author's that signed a step on top of it:
    /// nearest, then lowest hash. A step stands after the one it hangs under, so one pass from the end does.
    fn seals(&self, known: &Row) -> Seals {
        let mut seals: Seals = vec![None; self.tree.len()];
        for (t, branch) in self.tree.iter().enumerate().rev() {
            self.look();
            let (Some(branch), true) = (branch, holds(known, t)) else { continue };
            let Some((p, parent)) = branch.parent.and_then(|p| Some((p, self.branch(p)?))) else { continue };
            let above = if branch.place == parent.place {
                seals.get(t).copied().flatten().map(|(far, by)| (far + 1, by))
            } else {
                Some((1, t))
            };
            let (Some((far, by)), Some(nearest)) = (above, seals.get_mut(p)) else { continue };
            let nearer = nearest.is_none_or(|(f, b)| (far, self.hash(by)) < (f, self.hash(b)));
            if nearer {
                *nearest = Some((far, by));
            }
        }
        seals
    }

    /// The places above a place, as far as the authors' certificates tell.
    pub(super) fn above(&self, place: PlaceId) -> &'h [PlaceId] {
        self.above.get(&place).copied().unwrap_or(&[])
    }

    /// The places that took the position of `holder` above this document's home when something was moved: they
    /// may take its matters over.
    pub(super) fn took_position(&self, holder: PlaceId) -> impl Iterator<Item = PlaceId> {
        let home = self.input.header.home;
        let above = self.above(home);
        self.input.authors.values().filter(move |a| a.took_position(&holder, &home, above)).map(|a| a.place)
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
        let waiting: Vec<usize> = match end {
            End::Waiting { fork, .. } => {
                let mut sealed: Vec<usize> = self.sealed(fork, known).into_iter().map(|(t, _)| t).collect();
                sealed.sort_unstable();
                sealed
            }
            _ => Vec::new(),
        };
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
                    self.beside(t, branch, fork, chosen, end, &waiting)
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
        waiting: &[usize],
    ) -> Verdict {
        if let End::Waiting { fork: at, .. } = end
            && at == fork
        {
            return if waiting.binary_search(&t).is_ok() { Verdict::Waiting } else { Verdict::Superseded };
        }
        let taken_over =
            chosen.and_then(|c| self.branch(c)).is_some_and(|b| b.kind() == Some(StepKind::TakeOver));
        let old_holder = fork.and_then(|f| self.branch(f)).map(|b| b.standing.holder);
        if taken_over && old_holder == Some(branch.place) { Verdict::Late } else { Verdict::Superseded }
    }
}
