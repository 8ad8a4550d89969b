//! Places that act at the same time: fork choice, sealing, settlement, take-over, copied machines,
//! revoked keys.

use super::{
    super::{Verdict, Violation, frame::Stage},
    world::*,
};
use crate::act::Step;

fn violation(why: Violation) -> Verdict {
    Verdict::Violation(why)
}

#[test]
fn among_unsealed_siblings_the_lowest_hash_goes_on() {
    for (first, second) in [(1, 2), (2, 1)] {
        let mut w = World::registered();
        w.step(VILLAGE, escalate(T));
        w.share();
        w.next_hash = Some(first);
        let a = w.step(TOWN, accept());
        w.next_hash = Some(second);
        let b = w.step(TOWN_B, Step::Return { to: V, reason: text("先自查") });
        let m = w.fold();
        let (won, lost) = if first < second { (a, b) } else { (b, a) };
        assert_eq!((verdict(&m, won), verdict(&m, lost)), (Verdict::Counted, Verdict::Superseded));
        assert_eq!(m.stage, if first < second { Stage::Accepted } else { Stage::Returned });
    }
}

/// The town's two nodes both take an escalated matter further; the district has acted on one of them.
fn district_acted() -> (World, [crate::ids::ActRef; 3]) {
    let mut w = World::registered();
    w.step(VILLAGE, escalate(T));
    w.share();
    w.step(TOWN, accept());
    w.send(TOWN, TOWN_B);
    w.next_hash = Some(9);
    let up = w.step(TOWN, escalate(D));
    w.send(TOWN, DISTRICT);
    let acted = w.step(DISTRICT, accept());
    w.next_hash = Some(1);
    let ground = w.step(TOWN_B, handle());
    (w, [up, acted, ground])
}

#[test]
fn a_sibling_on_the_ground_does_not_undo_what_the_district_acted_on() {
    let (w, [up, acted, ground]) = district_acted();
    let m = w.fold();
    assert!(w.hash_of(ground).0[0] == 1, "the sibling has the lower hash, and loses all the same");
    assert_eq!(verdict(&m, ground), Verdict::Superseded);
    assert_eq!((verdict(&m, up), verdict(&m, acted)), (Verdict::Counted, Verdict::Counted));
    assert_eq!((m.stage, m.holder), (Stage::Accepted, Some(D)));
}

/// Two sealed siblings: the town returned the matter on one node and the village acted; on the other it
/// accepted and escalated, and the district acted.
fn two_sealed() -> (World, crate::ids::ActRef, crate::ids::ActRef) {
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
    (w, back, kept)
}

#[test]
fn between_two_sealed_branches_the_place_above_settles() {
    let (mut w, back, kept) = two_sealed();
    let m = w.fold();
    assert_eq!((m.stage, m.holder), (Stage::Escalated, Some(T)), "the chain stays at the fork");
    assert_eq!(m.waiting_for_settlement, Some(D));
    assert_eq!((verdict(&m, back), verdict(&m, kept)), (Verdict::Waiting, Verdict::Waiting));
    assert_eq!(m.branches.len(), 2);
    let digest = m.digest();
    w.share();
    let meanwhile = w.step(TOWN, accept());
    let not_theirs = w.step(TOWN, Step::Settle { branch: back });
    let no_branch = w.step(DISTRICT, Step::Settle { branch: meanwhile });
    let settled = w.step(DISTRICT, Step::Settle { branch: back });
    let m = w.fold();
    assert_ne!(m.digest(), digest);
    assert_eq!(verdict(&m, meanwhile), violation(Violation::WaitsForSettlement));
    assert_eq!(verdict(&m, not_theirs), violation(Violation::NotSettlingPlace));
    assert_eq!(verdict(&m, no_branch), violation(Violation::NotABranch));
    assert_eq!(verdict(&m, settled), Verdict::Counted);
    assert_eq!((verdict(&m, back), verdict(&m, kept)), (Verdict::Counted, Verdict::Superseded));
    assert_eq!((m.stage, m.holder, m.waiting_for_settlement), (Stage::Accepted, Some(V), None));
    w.share();
    let goes_on = w.step(VILLAGE, handle());
    let m = w.fold();
    assert_eq!((verdict(&m, goes_on), m.stage), (Verdict::Counted, Stage::Handling));
    w.share();
    let again = w.step(DISTRICT, Step::Settle { branch: kept });
    assert_eq!(verdict(&w.fold(), again), violation(Violation::NothingToSettle));
}

#[test]
fn the_nearest_common_place_settles_what_its_own_villages_sealed() {
    let mut w = World::registered();
    w.step(VILLAGE, escalate(T));
    w.share();
    // The town's node takes it up and the village withdraws on top; the other node returns it and the
    // village (another machine of it) accepts on top.
    w.step(TOWN, accept());
    let village_b = w.copy_machine(VILLAGE);
    w.send(TOWN, VILLAGE);
    w.step(VILLAGE, Step::Withdraw { reason: None });
    w.step(TOWN_B, Step::Return { to: V, reason: text("先自查") });
    w.send(TOWN_B, village_b);
    w.step(village_b, accept());
    let m = w.fold();
    assert_eq!(m.waiting_for_settlement, Some(V), "both were sealed by the village");
    assert_eq!(m.forks.len(), 1, "and its machine was copied");
    assert_eq!(m.forks[0].hashes.len(), 2);
}

#[test]
fn late_acts_of_an_old_holder_are_kept_as_late() {
    for hash in [1, 200] {
        let mut w = World::registered();
        w.step(VILLAGE, accept());
        w.share();
        w.next_hash = Some(100);
        let taken = w.step(TOWN, take_over());
        w.next_hash = Some(hash);
        let late = w.step(VILLAGE, handle());
        let later = w.step(VILLAGE, answer("办好了"));
        w.step(TOWN, answer("镇里办好了"));
        let m = w.fold();
        assert_eq!(verdict(&m, taken), Verdict::Counted);
        assert_eq!((verdict(&m, late), verdict(&m, later)), (Verdict::Late, Verdict::Late));
        assert_eq!(m.late, [late, later]);
        assert_eq!((m.holder, m.answers.len(), m.violations.len()), (Some(T), 1, 0));
        // Once it knows, going on is not late but not allowed.
        w.share();
        let knows = w.step(VILLAGE, handle());
        assert!(matches!(verdict(&w.fold(), knows), Verdict::Violation(_)));
    }
}

#[test]
fn only_a_place_above_takes_over() {
    let mut w = World::registered();
    let neighbour = w.step(NEIGHBOUR, take_over());
    let itself = w.step(VILLAGE, take_over());
    w.share();
    w.step(DISTRICT, take_over());
    w.share();
    let below = w.step(TOWN, take_over());
    let m = w.fold();
    for act in [neighbour, itself, below] {
        assert_eq!(verdict(&m, act), violation(Violation::NotAbove));
    }
    assert_eq!((m.holder, m.stage), (Some(D), Stage::Registered));
    assert_eq!(m.may_return_to, [V]);
}

#[test]
fn a_copied_machine_is_proven_and_both_its_acts_are_folded() {
    let mut w = World::registered();
    let copy = w.copy_machine(VILLAGE);
    w.next_hash = Some(1);
    let kept = w.step(VILLAGE, accept());
    w.next_hash = Some(2);
    let other = w.step(copy, Step::Refuse { reason: text("重复") });
    assert_eq!(kept, other, "one name for two acts");
    let m = w.fold();
    assert_eq!((m.forks.len(), m.forks[0].seq), (1, kept.seq));
    let verdicts: Vec<_> = m.timeline.iter().filter(|e| e.act == kept).map(|e| e.verdict).collect();
    assert_eq!(verdicts, [Verdict::Counted, Verdict::Superseded]);
}

#[test]
fn a_revoked_key_counts_up_to_its_last_valid_change() {
    let mut w = World::registered();
    let kept = w.step(VILLAGE, accept());
    let stolen = w.step(VILLAGE, escalate(T));
    w.share();
    let on_top = w.step(TOWN, accept());
    let comment = w.voice(TOWN, crate::act::Voice::Comment { text: text("收到") });
    assert_eq!(w.fold().holder, Some(T));
    let village = w.nodes[VILLAGE].actor;
    let last = w.hash_of(kept);
    w.authors.get_mut(&village).unwrap().cut = Some([last].into());
    let m = w.fold();
    assert_eq!(verdict(&m, kept), Verdict::Counted, "the named change vouches for itself and below");
    assert_eq!(verdict(&m, stolen), Verdict::Revoked);
    assert_eq!(verdict(&m, on_top), Verdict::Revoked, "no fault of the town");
    assert_eq!(verdict(&m, comment), Verdict::Counted);
    assert_eq!((m.stage, m.holder, m.violations.len()), (Stage::Accepted, Some(V), 0));
    w.authors.get_mut(&village).unwrap().cut = Some(Default::default());
    let m = w.fold();
    assert_eq!((m.register, m.violations.len()), (None, 0));
}

#[test]
fn a_voice_beside_two_branches_needs_no_choice() {
    let (mut w, _, _) = two_sealed();
    w.share();
    let comment = w.voice(NEIGHBOUR, crate::act::Voice::Comment { text: text("我村也有") });
    assert_eq!(verdict(&w.fold(), comment), Verdict::Counted);
}
