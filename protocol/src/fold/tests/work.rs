//! How much work a crafted document makes: counted in looks at steps and settlements, not in seconds.

use super::{
    super::{FoldInput, proposal},
    world::*,
};
use crate::{act::Step, fold::FoldChange, ids::ActRef, limits::DOCUMENT_CHANGES_MAX};

/// What all walks may look at: one walk for each change, each change some times for one walk.
fn bound(changes: usize) -> u64 {
    8 * (changes as u64).pow(2)
}

fn looks(w: &World) -> u64 {
    let input =
        FoldInput { header: &w.header, changes: &w.changes, authors: &w.authors, procedures: &w.procedures };
    let (matter, looks) = proposal::fold_counting(&input);
    assert_eq!(matter.timeline.len() + 1, w.changes.len());
    looks
}

/// Two machines of the village go on beside each other at every step, and hear of each other every time:
/// a fork at every step, and nobody else ever seals one.
fn deep_forks(changes: usize) -> World {
    let mut w = World::registered();
    let actor = w.nodes[VILLAGE].actor;
    let mut tips: Vec<FoldChange> = vec![w.changes[w.changes.len() - 1].clone()];
    let mut prev = ActRef { actor, seq: tips[0].change.seq };
    for n in 0u64.. {
        if w.changes.len() + 2 > changes {
            break;
        }
        let deps: Vec<_> = tips.iter().map(|c| c.hash).collect();
        let step = if n == 0 { accept() } else { handle() };
        let pair = [1, 2].map(|side| w.raw_step(actor, prev, &deps, [side, n], step.clone()));
        prev = ActRef { actor, seq: pair[0].change.seq };
        w.changes.extend(pair.clone());
        tips = pair.to_vec();
    }
    w
}

#[test]
fn a_fork_at_every_step() {
    let w = deep_forks(1_200);
    let looks = looks(&w);
    assert!(looks <= bound(w.changes.len()), "{looks}");
    // A document of twice the length costs about twice as much.
    let twice = self::looks(&deep_forks(2_400));
    assert!(twice <= looks * 3, "{looks}, {twice}");
}

/// One fork with very many branches, each seen together with some others.
#[test]
fn very_many_branches_at_once() {
    let mut w = World::registered();
    let prev = w.tip(VILLAGE);
    let machines: Vec<usize> = (0..80).map(|_| w.copy_machine(VILLAGE)).collect();
    for (n, machine) in machines.iter().enumerate() {
        w.step_on(*machine, prev, accept());
        w.send(*machine, machines[(n + 1) % machines.len()]);
        w.voice(machines[(n + 1) % machines.len()], crate::act::Voice::Comment { text: text("见") });
    }
    w.share();
    let prev = w.tip(VILLAGE);
    for machine in machines {
        w.step_on(machine, prev, handle());
    }
    let looks = looks(&w);
    assert!(looks <= bound(w.changes.len()), "{looks}");
}

/// Two sealed branches, settled by very many machines of the district that do not know each other.
#[test]
fn very_many_settlements_at_once() {
    let mut w = World::registered();
    w.step(VILLAGE, escalate(T));
    w.share();
    let back = w.step(TOWN, Step::Return { to: V, reason: text("先自查") });
    w.send(TOWN, VILLAGE);
    w.step(VILLAGE, accept());
    let kept = w.step(TOWN_B, accept());
    w.step(TOWN_B, escalate(D));
    w.send(TOWN_B, DISTRICT);
    w.step(DISTRICT, accept());
    w.share();
    let prev = w.tip(DISTRICT);
    let machines: Vec<usize> = (0..200).map(|_| w.copy_machine(DISTRICT)).collect();
    for (n, machine) in machines.into_iter().enumerate() {
        let branch = if n % 2 == 0 { back } else { kept };
        w.step_on(machine, prev, Step::Settle { branch });
        w.send(machine, VILLAGE);
        w.voice(VILLAGE, crate::act::Voice::Comment { text: text("见") });
    }
    let looks = looks(&w);
    assert!(looks <= bound(w.changes.len()), "{looks}");
}

#[test]
fn the_largest_document_of_forks_folds_in_bounded_work() {
    let w = deep_forks(DOCUMENT_CHANGES_MAX);
    assert!(w.changes.len() + 1 >= DOCUMENT_CHANGES_MAX);
    let looks = looks(&w);
    assert!(looks <= 40 * w.changes.len() as u64, "{looks}");
}

/// Two long branches of one place's machines, and people who know ever other parts of both: each walk begins
/// at the root again, and looks for seals that are not there.
#[test]
fn two_long_branches_known_in_ever_other_parts() {
    let work = |length: usize| {
        let mut w = World::registered();
        let machines = [VILLAGE, w.copy_machine(VILLAGE)];
        let mut branches: Vec<Vec<FoldChange>> = Vec::new();
        for (side, machine) in (1..).zip(machines) {
            let actor = w.nodes[machine].actor;
            let mut last = w.changes[w.changes.len() - 1 - (side as usize - 1) * length].clone();
            let mut branch = Vec::new();
            for n in 0..length as u64 {
                let prev = ActRef { actor, seq: last.change.seq };
                let step = if n == 0 { accept() } else { handle() };
                last = w.raw_step(actor, prev, &[last.hash], [side, n], step);
                branch.push(last.clone());
            }
            w.changes.extend(branch.clone());
            branches.push(branch);
        }
        let neighbour = w.nodes[NEIGHBOUR].actor;
        for n in 0..length {
            let deps = [branches[0][n].hash, branches[1][length - 1 - n].hash];
            let prev = ActRef { actor: neighbour, seq: 1 };
            let seen = w.raw_step(neighbour, prev, &deps, [3, n as u64], handle());
            w.changes.push(seen);
        }
        (looks(&w), w.changes.len())
    };
    let (looks, changes) = work(300);
    assert!(looks <= bound(changes), "{looks}");
    let (twice, _) = work(600);
    assert!(twice <= looks * 5, "four times as much at most, not eight: {looks}, {twice}");
}
