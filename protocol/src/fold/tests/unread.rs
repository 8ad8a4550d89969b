//! Steps that cannot be followed: what they hold up, and who can help.

use super::{
    super::{Verdict, Violation, frame::Stage, next, unread::Why},
    world::*,
};
use crate::{
    act::{Step, Voice},
    ids::{ActRef, Hash},
};

fn violation(why: Violation) -> Verdict {
    Verdict::Violation(why)
}

const UNKNOWN: Hash = Hash([5; 32]);

fn accept_unknown() -> Step {
    accept_under(UNKNOWN)
}

fn set_aside(first: ActRef) -> Step {
    Step::TakeOver { reason: text("无法办理"), sets_aside: Some(first) }
}

#[test]
fn a_step_of_a_newer_program_holds_up_what_it_may_have_moved() {
    let mut w = World::registered();
    let by_stranger = w.newer(NEIGHBOUR, w.tip(NEIGHBOUR));
    let beside = w.newer(VILLAGE, None);
    w.share();
    let fine = w.step(VILLAGE, accept());
    let m = w.fold();
    assert_eq!(verdict(&m, by_stranger), Verdict::NeedsNewer);
    assert_eq!((verdict(&m, fine), &m.held_up), (Verdict::Counted, &None));
    let by_holder = w.newer(VILLAGE, Some(fine));
    let after = w.step(VILLAGE, handle());
    let m = w.fold();
    assert_eq!(m.needs_newer.len(), 4);
    assert!([by_stranger, beside, by_holder, after].iter().all(|act| m.needs_newer.contains(act)));
    assert_eq!(m.timeline.iter().find(|e| e.act == by_holder).unwrap().kind, "levitate");
    let held = m.held_up.clone().unwrap();
    assert_eq!((held.act, held.place, held.why), (by_holder, V, Why::NewerKind));
    assert_eq!(held.helpers, [V, T, D]);
    let next = next::next(&m, V, &[T, D]);
    assert!(!next.allows("handle") && next.allows("comment"));
    let why = next.not_now.iter().find(|n| n.act == "handle").unwrap();
    assert_eq!(why.code, "needs_newer");
}

#[test]
fn whoever_sees_a_matter_cannot_freeze_it() {
    let mut w = World::registered();
    w.step(VILLAGE, escalate(T));
    w.share();
    // Home no longer holds it; a neighbour never did.
    let tip = w.tip(VILLAGE);
    w.newer(VILLAGE, tip);
    w.newer(NEIGHBOUR, tip);
    let pinned = w.step(NEIGHBOUR, accept_unknown());
    w.share();
    let goes_on = w.step(TOWN, accept());
    let m = w.fold();
    assert_eq!(verdict(&m, pinned), violation(Violation::NotHolder));
    assert_eq!((verdict(&m, goes_on), m.held_up.is_none()), (Verdict::Counted, true));
}

#[test]
fn a_place_above_takes_over_a_matter_bound_to_an_unknown_procedure() {
    let mut w = World::registered();
    let pinned = w.step(VILLAGE, accept_unknown());
    let on_top = w.step(VILLAGE, handle());
    w.share();
    let m = w.fold();
    assert_eq!(m.held_up.as_ref().unwrap().why, Why::Procedure(UNKNOWN));
    let offer = next::next(&m, T, &[D]);
    assert!(offer.allows("take_over") && !offer.allows("accept"));
    assert!(!next::next(&m, N, &[T, D]).allows("take_over"));
    let plain = w.step(TOWN, take_over());
    assert_eq!(verdict(&w.fold(), plain), Verdict::Pending, "it says nothing about what stands");
    w.forget_last(TOWN);
    let not_theirs = w.step(NEIGHBOUR, set_aside(pinned));
    let taken = w.step(TOWN, set_aside(pinned));
    let m = w.fold();
    assert_eq!(verdict(&m, not_theirs), violation(Violation::NotAbove));
    assert_eq!(verdict(&m, taken), Verdict::Counted);
    assert_eq!((m.stage, m.holder, m.procedure), (Stage::Registered, Some(T), None));
    assert!(m.held_up.is_none() && m.pending.is_empty());
    assert_eq!((verdict(&m, pinned), verdict(&m, on_top)), (Verdict::Late, Verdict::Late));
    let goes_on = w.step(TOWN, accept());
    w.send(TOWN, DISTRICT);
    let again = w.step(DISTRICT, set_aside(pinned));
    let answered = w.step(TOWN, answer("已办"));
    let m = w.fold();
    assert_eq!((verdict(&m, goes_on), verdict(&m, answered)), (Verdict::Counted, Verdict::Counted));
    assert_eq!(verdict(&m, again), violation(Violation::NothingToSetAside));
    assert_eq!(m.answers.len(), 1);
}

#[test]
fn late_steps_that_cannot_be_read_do_not_freeze_a_matter_again() {
    for hash in [1, 200] {
        let mut w = World::registered();
        w.step(VILLAGE, accept());
        w.share();
        let tip = w.tip(VILLAGE);
        w.next_hash = Some(100);
        let taken = w.step(TOWN, take_over());
        w.next_hash = Some(hash);
        let late = w.newer(VILLAGE, tip);
        w.share();
        let goes_on = w.step(TOWN, handle());
        let m = w.fold();
        assert_eq!((verdict(&m, taken), verdict(&m, goes_on)), (Verdict::Counted, Verdict::Counted));
        assert_eq!((verdict(&m, late), m.held_up.is_none()), (Verdict::Late, true));
    }
}

#[test]
fn a_step_that_cannot_be_read_beside_a_sealed_one_holds_nothing_up() {
    let mut w = World::registered();
    w.step(VILLAGE, escalate(T));
    w.share();
    let tip = Some(w.step(TOWN, accept()));
    w.send(TOWN, TOWN_B);
    w.step(TOWN, escalate(D));
    w.send(TOWN, DISTRICT);
    w.step(DISTRICT, accept());
    w.next_hash = Some(0);
    let beside = w.newer(TOWN_B, tip);
    w.share();
    let goes_on = w.step(DISTRICT, handle());
    let m = w.fold();
    assert_eq!((verdict(&m, beside), verdict(&m, goes_on)), (Verdict::Superseded, Verdict::Counted));
}

#[test]
fn what_a_place_above_wrote_is_not_set_aside_from_below() {
    let mut w = World::registered();
    let by_district = w.newer(DISTRICT, w.tip(DISTRICT));
    w.share();
    let below = w.step(TOWN, set_aside(by_district));
    let m = w.fold();
    assert_eq!(m.held_up.as_ref().unwrap().helpers, [D]);
    assert_eq!(verdict(&m, below), violation(Violation::NotAbove));
    w.share();
    let own = w.step(DISTRICT, set_aside(by_district));
    let m = w.fold();
    assert_eq!((verdict(&m, own), m.holder), (Verdict::Counted, Some(D)));
}

#[test]
fn people_are_told_and_rate_whatever_came_after_the_reply() {
    let mut w = World::registered();
    w.step(VILLAGE, accept());
    let answered = w.step(VILLAGE, answer("修好了"));
    w.newer(VILLAGE, w.tip(VILLAGE));
    let told = w.voice(VILLAGE, tell(answered));
    let rated = w.voice(NEIGHBOUR, rate("revisit"));
    let vote = w.voice(VILLAGE, ballot(9, 7, [4, 2, 1]));
    w.share();
    let rated_after = w.voice(NEIGHBOUR, rate("revisit"));
    let m = w.fold();
    assert_eq!((verdict(&m, told), verdict(&m, rated_after)), (Verdict::Counted, Verdict::Counted));
    assert_eq!(verdict(&m, rated), violation(Violation::NothingToRate), "it knew of no reply");
    assert_eq!(verdict(&m, vote), Verdict::NeedsNewer);
    assert!(m.told);
    let offer = next::next(&m, V, &[T, D]);
    assert!(offer.allows("tell") && offer.allows("rate") && !offer.allows("ballot"));
    // Also at an ended stage a place above can help.
    let first = m.held_up.unwrap().act;
    let taken = w.step(TOWN, set_aside(first));
    let m = w.fold();
    assert_eq!((verdict(&m, taken), m.holder, m.stage), (Verdict::Counted, Some(T), Stage::Answered));
}

#[test]
fn a_settlement_goes_on_whatever_stands_on_the_branches() {
    let mut w = World::registered();
    w.step(VILLAGE, escalate(T));
    w.share();
    let back = w.step(TOWN, Step::Return { to: V, reason: text("先自查") });
    w.send(TOWN, VILLAGE);
    w.step(VILLAGE, accept());
    let kept = w.step(TOWN_B, accept());
    w.step(TOWN_B, escalate(D));
    w.send(TOWN_B, DISTRICT);
    w.newer(DISTRICT, w.tip(DISTRICT));
    let m = w.fold();
    assert_eq!(m.waiting_for_settlement, Some(D), "what cannot be read seals as well");
    w.share();
    let unread = w.newer(DISTRICT, w.tip(DISTRICT));
    let settled = w.step(DISTRICT, Step::Settle { branch: back });
    let m = w.fold();
    assert_eq!(verdict(&m, unread), Verdict::NeedsNewer);
    assert_eq!((verdict(&m, settled), verdict(&m, kept)), (Verdict::Counted, Verdict::Superseded));
    assert_eq!((m.stage, m.holder, m.held_up.is_none()), (Stage::Accepted, Some(V), true));
}

#[test]
fn a_matter_begun_with_a_newer_program_waits_and_is_no_violation() {
    let mut w = World::new();
    let begun = w.newer(VILLAGE, None);
    w.share();
    let on_top = w.step(TOWN, handle());
    let rated = w.voice(TOWN, rate("revisit"));
    let comment = w.voice(TOWN, Voice::Comment { text: text("收到") });
    let m = w.fold();
    assert!(m.begun_by_newer);
    for act in [begun, on_top, rated] {
        assert_eq!(verdict(&m, act), Verdict::NeedsNewer);
    }
    assert_eq!(verdict(&m, comment), Verdict::Counted);
}
