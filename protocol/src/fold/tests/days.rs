//! Claimed days: what they excuse and whom they accuse.

use super::{
    super::{Matter, Verdict, Violation},
    world::*,
};
use crate::{
    act::{Step, Voice},
    ids::ActRef,
    limits::{CLAIMED_DAY_MAX, DAY_AHEAD_MAX, DAY_PULL_MAX},
};

fn comment() -> Voice {
    Voice::Comment { text: text("还在积水") }
}

fn on(m: &Matter, act: ActRef) -> i64 {
    m.timeline.iter().find(|e| e.act == act).unwrap().on
}

#[test]
fn days_do_not_run_backwards() {
    let mut w = World::registered();
    w.today = 20_425;
    w.voice(NEIGHBOUR, comment());
    w.share();
    w.today = 20_410;
    let clamped = w.step(VILLAGE, accept());
    let m = w.fold();
    assert_eq!(on(&m, clamped), 20_425);
    assert_eq!(m.timeline.iter().find(|e| e.act == clamped).unwrap().claimed, Some(20_410));
    assert_eq!((m.deadline.unwrap().from_day, m.deadline.unwrap().since), (20_425, clamped));
    assert_eq!(m.latest_day, 20_425);
    w.today = i64::MAX;
    let absurd = w.voice(NEIGHBOUR, comment());
    assert_eq!(verdict(&w.fold(), absurd), Verdict::Malformed);
}

#[test]
fn a_day_in_the_year_9999_moves_nobody_elses_day() {
    let mut w = World::registered();
    w.today = 20_401;
    w.voice(TOWN, comment());
    w.share();
    w.today = CLAIMED_DAY_MAX;
    let absurd = w.step(VILLAGE, accept());
    w.share();
    w.today = 20_403;
    let again = w.step(VILLAGE, accept());
    w.share();
    let taken = w.step(TOWN, take_over());
    let m = w.fold();
    assert_eq!(verdict(&m, absurd), Verdict::Violation(Violation::DayAhead));
    assert_eq!((verdict(&m, again), verdict(&m, taken)), (Verdict::Counted, Verdict::Counted));
    assert_eq!((on(&m, absurd), on(&m, again), on(&m, taken)), (20_400, 20_403, 20_403));
    assert_eq!(m.deadline.unwrap().from_day, 20_403);
    assert_eq!(m.latest_day, 20_403);
}

#[test]
fn where_nobody_else_has_claimed_a_day_the_others_are_free_of_it_all_the_same() {
    let mut w = World::new();
    w.today = CLAIMED_DAY_MAX;
    let raised = w.step(VILLAGE, register());
    w.step(VILLAGE, escalate(T));
    w.share();
    w.today = 20_410;
    let accepted = w.step(TOWN, accept());
    w.share();
    w.today = 20_412;
    let told = w.voice(VILLAGE, comment());
    let m = w.fold();
    assert_eq!((verdict(&m, raised), on(&m, raised)), (Verdict::Counted, CLAIMED_DAY_MAX));
    assert_eq!((on(&m, accepted), m.deadline.unwrap().from_day), (20_410, 20_410));
    assert_eq!(on(&m, told), 20_412, "its own place is free of it too, once its clock is right");
}

#[test]
fn one_place_pulls_others_by_a_month_at_most_and_cannot_creep() {
    let mut w = World::registered();
    w.today = 20_405;
    w.voice(TOWN, comment());
    w.share();
    for n in 1..20 {
        w.today = 20_405 + n * DAY_PULL_MAX;
        w.voice(VILLAGE, comment());
    }
    w.share();
    w.today = 20_406;
    let honest = w.step(TOWN, take_over());
    let m = w.fold();
    assert!((20_406..=20_406 + DAY_PULL_MAX).contains(&on(&m, honest)), "{}", on(&m, honest));
}

#[test]
fn a_slow_clock_is_pulled_up_to_what_two_places_have_claimed() {
    let mut w = World::registered();
    w.step(VILLAGE, escalate(T));
    w.share();
    w.today = 20_402;
    w.step(TOWN, accept());
    w.share();
    w.today = 0;
    let slow = w.step(TOWN_B, handle());
    assert_eq!(on(&w.fold(), slow), 20_400, "what the village and the town have both reached");
}

#[test]
fn a_matter_that_lay_still_for_years_goes_on() {
    let mut w = World::registered();
    w.step(VILLAGE, accept());
    w.step(VILLAGE, answer("修好了"));
    w.share();
    w.today = 20_401;
    w.voice(TOWN, comment());
    w.share();
    w.today = 20_401 + DAY_AHEAD_MAX;
    let reopened = w.step(VILLAGE, Step::Reopen { reason: text("又积水") });
    assert_eq!(verdict(&w.fold(), reopened), Verdict::Counted);
}
