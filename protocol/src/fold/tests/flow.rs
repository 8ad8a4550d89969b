//! The ways a matter goes, and what is not allowed on them.

use super::{
    super::{BallotState, Verdict, Violation, frame::Stage, next},
    world::*,
};
use crate::{
    act::{Step, Voice},
    ids::{ActRef, ActorId, DocId, Hash},
};
use std::collections::BTreeMap;

fn violation(why: Violation) -> Verdict {
    Verdict::Violation(why)
}

#[test]
fn small_things_end_on_the_spot() {
    let mut w = World::new();
    w.step(VILLAGE, register());
    let reply = w.step(VILLAGE, answer("当场疏通"));
    w.voice(VILLAGE, tell(reply));
    w.step(VILLAGE, close());
    let m = w.fold();
    assert_eq!((m.stage, m.holder, m.told), (Stage::Closed, None, true));
    assert_eq!((m.number.as_str(), m.answers.len(), m.violations.len()), ("芦稿-2026-0187", 1, 0));
    assert!(m.timeline.iter().all(|e| e.verdict == Verdict::Counted));
    assert_eq!(m.deadline, None);
}

#[test]
fn a_matter_goes_up_and_the_reply_comes_down() {
    let mut w = World::registered();
    w.step(VILLAGE, escalate(T));
    w.share();
    assert_eq!(w.fold().deadline.unwrap().what, "accept");
    w.step(TOWN, accept());
    w.step(TOWN, escalate(D));
    w.share();
    w.step(DISTRICT, accept());
    w.step(DISTRICT, decide());
    w.step(DISTRICT, handle());
    assert_eq!(w.view(DISTRICT).stage, Stage::Decided, "carrying out does not undo the decision");
    let reply = w.step(DISTRICT, answer("下月动工"));
    w.share();
    let m = w.fold();
    assert_eq!((m.stage, m.holder, m.told), (Stage::Answered, Some(D), false));
    assert_eq!(m.held_by.iter().map(|h| h.place).collect::<Vec<_>>(), [V, T, D]);
    let told_by = m.deadline.map(|d| (d.from_day, d.since, d.working_days, d.what));
    assert_eq!(told_by, Some((20_400, reply, 5, "tell")));
    assert_eq!(m.outcomes, [DocId([8; 32])]);
    // The home place may close, but not before the people know.
    let early = w.step(VILLAGE, close());
    w.voice(VILLAGE, tell(reply));
    w.step(VILLAGE, close());
    let m = w.fold();
    assert_eq!(verdict(&m, early), violation(Violation::NotToldYet));
    assert_eq!((m.stage, m.told), (Stage::Closed, true));
}

#[test]
fn refusals_are_replies_that_are_owed() {
    let mut w = World::registered();
    let bare = w.step(VILLAGE, Step::Refuse { reason: text(" ") });
    let refusal = w.step(VILLAGE, Step::Refuse { reason: text("属邻村") });
    let m = w.fold();
    assert_eq!(verdict(&m, bare), violation(Violation::NoText));
    assert_eq!((m.stage, m.told, m.refusals.len()), (Stage::Refused, false, 1));
    w.voice(VILLAGE, tell(refusal));
    assert!(w.fold().told);
    w.step(VILLAGE, Step::Reopen { reason: text("界线有误") });
    let m = w.fold();
    assert_eq!((m.stage, m.holder), (Stage::Reopened, Some(V)));
}

#[test]
fn only_the_holder_moves_a_matter() {
    let mut w = World::registered();
    let by_town = w.step(TOWN, escalate(D));
    let by_neighbour = w.step(NEIGHBOUR, accept());
    w.share();
    let skipped = w.step(VILLAGE, handle());
    let too_high = w.step(VILLAGE, escalate(D));
    w.step(VILLAGE, escalate(T));
    let again = w.step(VILLAGE, handle());
    w.share();
    let no_parent = {
        w.step(TOWN, escalate(D));
        w.share();
        w.step(DISTRICT, escalate(D))
    };
    let m = w.fold();
    assert_eq!(verdict(&m, by_town), violation(Violation::NotHolder));
    assert_eq!(verdict(&m, by_neighbour), violation(Violation::NotHolder));
    assert_eq!(verdict(&m, skipped), violation(Violation::WrongStage));
    assert_eq!(verdict(&m, too_high), violation(Violation::NotParent));
    assert_eq!(verdict(&m, again), violation(Violation::NotHolder));
    // Escalated to the town, which may only take it up, refuse, or give it back.
    assert_eq!(verdict(&m, no_parent), violation(Violation::NotHolder));
    assert_eq!(m.holder, Some(T));
}

#[test]
fn what_was_not_allowed_is_kept_and_listed() {
    let mut w = World::registered();
    let wrong = w.step(NEIGHBOUR, Step::Refuse { reason: text("不归我们") });
    let m = w.fold();
    assert_eq!(m.violations.len(), 1);
    assert_eq!((m.violations[0].act, m.violations[0].place), (wrong, N));
    let entry = m.timeline.iter().find(|e| e.act == wrong).unwrap();
    assert_eq!(entry.text.as_deref(), Some("不归我们"));
    assert_eq!(m.stage, Stage::Registered);
}

#[test]
fn a_matter_is_registered_once_at_home() {
    let mut w = World::new();
    let foreign = w.step(TOWN, register());
    let early = w.step(VILLAGE, accept());
    w.step(VILLAGE, register());
    let again = w.step_on(VILLAGE, None, register());
    let m = w.fold();
    assert_eq!(verdict(&m, foreign), violation(Violation::NotHome));
    assert_eq!(verdict(&m, early), violation(Violation::NotRegistered));
    assert_eq!(verdict(&m, again), violation(Violation::AlreadyRegistered));
    assert_eq!(m.register.map(|r| r.actor), Some(w.nodes[VILLAGE].actor));
}

#[test]
fn a_matter_is_returned_only_to_a_place_below_that_held_it() {
    let mut w = World::registered();
    w.step(VILLAGE, escalate(T));
    w.share();
    let to_neighbour = w.step(TOWN, Step::Return { to: N, reason: text("先自查") });
    assert_eq!(w.view(TOWN).may_return_to, [V]);
    w.step(TOWN, Step::Return { to: V, reason: text("先自查") });
    w.share();
    let m = w.fold();
    assert_eq!(verdict(&m, to_neighbour), violation(Violation::NotBelow));
    assert_eq!((m.stage, m.holder), (Stage::Returned, Some(V)));
    let upwards = w.step(VILLAGE, Step::Return { to: T, reason: text("不") });
    assert_eq!(verdict(&w.fold(), upwards), violation(Violation::NotBelow));
}

#[test]
fn a_merged_matter_follows_its_lead() {
    let lead = DocId([9; 32]);
    let cite = ActRef { actor: ActorId([9; 16]), seq: 5 };
    let carried = |lead: DocId| Step::Answer {
        text: text("统一整修"),
        outcome: None,
        lead: Some(lead),
        lead_act: Some(cite),
    };
    let mut w = World::registered();
    w.step(VILLAGE, escalate(T));
    w.share();
    w.step(TOWN, accept());
    let itself = w.step(TOWN, Step::Merge { into: w.header.doc_id() });
    let not_merged = w.step(TOWN, carried(lead));
    w.step(TOWN, Step::Merge { into: lead });
    w.share();
    let m = w.fold();
    assert_eq!((m.stage, m.merged_into, m.deadline), (Stage::Merged, Some(lead), None));
    assert_eq!(verdict(&m, itself), violation(Violation::IntoItself));
    assert_eq!(verdict(&m, not_merged), violation(Violation::WrongLead));
    let own = w.step(TOWN, answer("单独答复"));
    let other = w.step(TOWN, carried(DocId([6; 32])));
    let by_home = w.step(VILLAGE, Step::Withdraw { reason: None });
    let m = w.fold();
    assert_eq!(verdict(&m, own), violation(Violation::WrongLead));
    assert_eq!(verdict(&m, other), violation(Violation::WrongLead));
    assert_eq!(verdict(&m, by_home), violation(Violation::WrongStage));
    // Undone before a reply: back to where it was. Undone after one: the reply stays.
    w.share();
    w.step(TOWN, Step::Unmerge {});
    let m = w.fold();
    assert_eq!((m.stage, m.merged_into), (Stage::Accepted, None));
    assert_eq!(m.deadline.unwrap().what, "answer");
    w.step(TOWN, Step::Merge { into: lead });
    w.step(TOWN, carried(lead));
    assert_eq!((w.fold().stage, w.fold().merged_into), (Stage::Answered, Some(lead)));
    w.step(TOWN, Step::Unmerge {});
    let m = w.fold();
    assert_eq!((m.stage, m.merged_into, m.answers.len()), (Stage::Answered, None, 1));
    assert_eq!(m.answers[0].lead_act, Some(cite));
}

#[test]
fn a_lead_takes_in_and_releases_sources() {
    let mut w = World::registered();
    w.step(VILLAGE, escalate(T));
    w.share();
    w.step(TOWN, accept());
    w.step(TOWN, Step::Absorb { source: cited(21) });
    w.step(TOWN, Step::Absorb { source: cited(22) });
    let twice = w.step(TOWN, Step::Absorb { source: cited(21) });
    let unknown = w.step(TOWN, Step::Release { source: DocId([23; 32]) });
    w.step(TOWN, Step::Release { source: DocId([22; 32]) });
    let m = w.fold();
    assert_eq!(m.stage, Stage::Accepted);
    assert_eq!(m.sources.iter().map(|s| s.doc).collect::<Vec<_>>(), [DocId([21; 32])]);
    assert_eq!(verdict(&m, twice), violation(Violation::AlreadyAbsorbed));
    assert_eq!(verdict(&m, unknown), violation(Violation::NotAbsorbed));
    w.step(TOWN, Step::Absorb { source: cited(22) });
    assert_eq!(w.fold().sources.len(), 2);
}

#[test]
fn a_slip_of_the_pen_is_corrected_before_the_next_step() {
    let mut w = World::new();
    let first = w.step(VILLAGE, register());
    w.step_on(VILLAGE, Some(first), correct(first, Some("村口桥洞积水"), None));
    w.share();
    let not_own = w.step_on(TOWN, Some(first), correct(first, Some("别名"), None));
    let m = w.fold();
    assert_eq!(m.title, "村口桥洞积水");
    assert_eq!(verdict(&m, not_own), violation(Violation::NotOwnStep));
    let reply = w.step(VILLAGE, answer("已输通"));
    let wrong_field = w.step(VILLAGE, correct(reply, Some("题目"), None));
    w.step(VILLAGE, correct(reply, None, Some("已疏通")));
    let late = w.step_on(VILLAGE, Some(first), correct(first, Some("又一名"), None));
    let m = w.fold();
    assert_eq!(verdict(&m, wrong_field), violation(Violation::NothingToCorrect));
    assert_eq!(verdict(&m, late), violation(Violation::CorrectedTooLate));
    assert_eq!(m.answers[0].text, "已疏通");
    let entry = m.timeline.iter().find(|e| e.act == reply).unwrap();
    assert_eq!(entry.text.as_deref(), Some("已输通"), "the original stays visible");
    assert!(entry.corrected_by.is_some());
}

#[test]
fn the_petitioner_takes_it_back_before_a_decision() {
    let mut w = World::registered();
    w.step(VILLAGE, escalate(T));
    w.share();
    w.step(TOWN, accept());
    w.share();
    let not_home = w.step(TOWN, Step::Withdraw { reason: None });
    let mut decided = World::registered();
    w.step(VILLAGE, Step::Withdraw { reason: Some(text("已自行解决")) });
    let m = w.fold();
    assert_eq!(verdict(&m, not_home), violation(Violation::NotHome));
    assert_eq!((m.stage, m.holder, m.deadline), (Stage::Withdrawn, None, None));
    decided.step(VILLAGE, accept());
    decided.step(VILLAGE, decide());
    let late = decided.step(VILLAGE, Step::Withdraw { reason: None });
    assert_eq!(verdict(&decided.fold(), late), violation(Violation::WrongStage));
}

#[test]
fn a_vote_counts_only_if_the_result_knew_it() {
    let mut w = World::registered();
    w.step(VILLAGE, accept());
    w.share();
    let known = w.voice(VILLAGE, ballot(33, 26, [20, 4, 2]));
    let unknown = w.voice(NEIGHBOUR, ballot(33, 7, [7, 0, 0]));
    assert!(w.fold().ballots.iter().all(|b| b.state == BallotState::Open));
    let decision = w.step(VILLAGE, decide());
    w.share();
    let on_decided = w.voice(VILLAGE, ballot(33, 30, [30, 0, 0]));
    assert!(!next::next(&w.fold(), V, &[T, D]).allows("ballot"));
    let answered = w.step(VILLAGE, answer("通过"));
    let after = w.voice(VILLAGE, ballot(33, 26, [26, 0, 0]));
    let m = w.fold();
    let state = |act| m.ballots.iter().find(|b| b.act == act).map(|b| (b.state, b.closed_by));
    assert_eq!(state(known), Some((BallotState::Counted, Some(decision))));
    assert_eq!(state(unknown), Some((BallotState::Late, Some(decision))));
    assert_eq!(verdict(&m, unknown), Verdict::Counted, "it was lawful when it was made");
    for (late, closer) in [(on_decided, decision), (after, answered)] {
        assert_eq!(state(late), Some((BallotState::Late, Some(closer))), "listed, and not counted");
        assert_eq!(verdict(&m, late), violation(Violation::BallotClosed));
    }
    // Taken up again, the matter is open to votes until the next result.
    w.step(VILLAGE, Step::Reopen { reason: text("再议") });
    let again = w.voice(VILLAGE, ballot(33, 28, [28, 0, 0]));
    let m = w.fold();
    let state = |act| m.ballots.iter().find(|b| b.act == act).map(|b| (b.state, b.closed_by));
    assert_eq!(state(again), Some((BallotState::Open, None)));
    assert_eq!(state(known), Some((BallotState::Counted, Some(decision))));
    assert_eq!(state(unknown), Some((BallotState::Late, Some(decision))));
}

#[test]
fn what_people_were_told_is_not_corrected() {
    let mut w = World::registered();
    let reply = w.step(VILLAGE, answer("下月修"));
    let before = w.step(VILLAGE, correct(reply, None, Some("十月修")));
    w.share();
    w.voice(NEIGHBOUR, tell(reply));
    w.voice(VILLAGE, tell(reply));
    let after = w.step(VILLAGE, correct(reply, None, Some("明年修")));
    let offer = next::next(&w.view(VILLAGE), V, &[T, D]);
    assert!(!offer.allows("correct") && offer.allows("answer"), "something new can always be said");
    let m = w.fold();
    assert_eq!(verdict(&m, before), Verdict::Counted);
    assert_eq!(verdict(&m, after), violation(Violation::CorrectedTooLate));
    assert_eq!(m.answers[0].text, "十月修");
}

#[test]
fn a_correction_beside_a_telling_or_another_places_step_does_not_count() {
    // A copy of the village's machine corrects what the village told at the same time.
    let mut w = World::registered();
    let reply = w.step(VILLAGE, answer("下月修"));
    let copy = w.copy_machine(VILLAGE);
    w.voice(VILLAGE, tell(reply));
    let beside = w.step(copy, correct(reply, None, Some("明年修")));
    let m = w.fold();
    assert_eq!((m.answers[0].text.as_str(), m.told), ("下月修", true));
    let entry = |m: &super::super::Matter, kind| m.timeline.iter().find(|e| e.kind == kind).unwrap().verdict;
    assert_eq!(entry(&m, "correct"), Verdict::Superseded);
    assert!(m.timeline.iter().all(|e| e.corrected_by.is_none()), "{beside}");

    // The village corrects its escalation while the town already acts on it.
    let mut w = World::registered();
    let up = w.step(VILLAGE, Step::Escalate { to: T, reason: Some(text("村里办不了")) });
    w.share();
    let acted = w.step(TOWN, accept());
    let beside = w.step(VILLAGE, correct(up, None, Some("村里不想办")));
    assert_eq!(verdict(&w.view(VILLAGE), beside), Verdict::Counted, "as far as the village knows");
    let m = w.fold();
    assert_eq!((verdict(&m, acted), verdict(&m, beside)), (Verdict::Counted, Verdict::Superseded));
    assert_eq!(m.timeline.iter().find(|e| e.act == up).unwrap().text.as_deref(), Some("村里办不了"));
}

#[test]
fn a_vote_must_add_up() {
    let named = |votes: &[(&str, &str)]| match ballot(5, 3, [2, 1, 0]) {
        Voice::Ballot { question, body, eligible, present, in_favour, against, abstain, .. } => {
            let votes = votes.iter().map(|(m, v)| ((*m).into(), (*v).into())).collect::<BTreeMap<_, _>>();
            Voice::Ballot {
                question,
                body,
                eligible,
                present,
                in_favour,
                against,
                abstain,
                votes,
                meeting: None,
                counters: None,
            }
        }
        other => other,
    };
    let mut w = World::registered();
    let cases = [
        (ballot(33, 26, [20, 4, 2]), Verdict::Counted),
        (ballot(33, 26, [20, 4, 3]), violation(Violation::BallotCounts)),
        (ballot(25, 26, [1, 1, 1]), violation(Violation::BallotCounts)),
        (ballot(33, 26, [20, -4, 2]), violation(Violation::BallotCounts)),
        (ballot(i64::MAX, i64::MAX, [i64::MAX, 1, 0]), violation(Violation::BallotCounts)),
        (named(&[("a", "for"), ("b", "for"), ("c", "against")]), Verdict::Counted),
        (named(&[("a", "for"), ("b", "against")]), violation(Violation::BallotVotes)),
        (named(&[("a", "for"), ("b", "for"), ("c", "no")]), violation(Violation::BallotVotes)),
    ];
    for (voice, expected) in cases {
        let act = w.voice(VILLAGE, voice.clone());
        assert_eq!(verdict(&w.fold(), act), expected, "{voice:?}");
    }
}

#[test]
fn who_handled_a_matter_does_not_rate_it() {
    let mut w = World::registered();
    let early = w.voice(NEIGHBOUR, rate("resident"));
    w.share();
    w.step(VILLAGE, escalate(T));
    w.share();
    w.step(TOWN, accept());
    w.step(TOWN, answer("已修"));
    w.share();
    w.voice(TOWN, rate("resident"));
    w.voice(VILLAGE, rate("resident"));
    w.voice(NEIGHBOUR, rate("revisit"));
    let bad = [
        w.voice(NEIGHBOUR, rate("friend")),
        w.voice(NEIGHBOUR, Voice::Rate { score: 6, source: "proxy".into(), note: None }),
    ];
    let m = w.fold();
    assert_eq!(verdict(&m, early), violation(Violation::NothingToRate));
    let counted: BTreeMap<_, _> = m.ratings.iter().map(|r| (r.place, r.counted)).collect();
    assert_eq!(counted, BTreeMap::from([(T, false), (V, true), (N, true)]));
    assert_eq!(verdict(&m, bad[0]), violation(Violation::UnknownRatingSource));
    assert_eq!(verdict(&m, bad[1]), violation(Violation::ScoreOutOfRange));
}

#[test]
fn only_a_reply_can_be_told_and_only_home_settles_what_is_owed() {
    let mut w = World::registered();
    w.step(VILLAGE, escalate(T));
    w.share();
    let accepted = w.step(TOWN, accept());
    let first = w.step(TOWN, answer("先看"));
    w.share();
    w.voice(TOWN, tell(first));
    let not_reply = w.voice(VILLAGE, tell(accepted));
    let m = w.fold();
    assert_eq!(verdict(&m, not_reply), violation(Violation::NothingToTell));
    assert_eq!((m.told, m.tellings.len(), m.tellings[0].by_home), (false, 1, false));
    w.voice(VILLAGE, tell(first));
    assert!(w.fold().told);
    w.share();
    w.step(TOWN, answer("已修好"));
    let m = w.fold();
    assert_eq!((m.told, m.answers[0].told), (false, true), "the newest reply is owed anew");
}

#[test]
fn time_limits_follow_the_stage() {
    let mut w = World::registered();
    let due = |w: &World| w.fold().deadline.map(|d| (d.what, d.from_day, d.working_days));
    assert_eq!(due(&w), Some(("accept", 20_400, 7)));
    w.today = 20_405;
    w.step(VILLAGE, accept());
    assert_eq!(due(&w), Some(("answer", 20_405, 30)));
    w.today = 20_410;
    w.step(VILLAGE, handle());
    assert_eq!(due(&w), Some(("answer", 20_405, 30)), "work does not start the count again");
    w.share();
    w.today = 20_440;
    w.step(TOWN, take_over());
    assert_eq!(due(&w), Some(("answer", 20_440, 30)), "the new holder gets the stage's time");
}

#[test]
fn an_unknown_procedure_or_author_waits_and_is_no_violation() {
    let mut w = World::registered();
    let pin = w.step(VILLAGE, accept_under(Hash([5; 32])));
    let on_top = w.step_on(VILLAGE, Some(pin), handle());
    let comment = w.voice(VILLAGE, Voice::Comment { text: text("急") });
    let m = w.fold();
    assert_eq!((verdict(&m, pin), verdict(&m, on_top)), (Verdict::Pending, Verdict::Pending));
    assert_eq!(verdict(&m, comment), Verdict::Counted);
    assert_eq!((m.pending.len(), m.violations.len(), m.stage), (2, 0, Stage::Registered));
    assert!(!next::next(&m, V, &[T, D]).allows("accept"));

    let mut w = World::registered();
    let town = w.nodes[TOWN].actor;
    w.step(VILLAGE, escalate(T));
    w.share();
    let accepted = w.step(TOWN, accept());
    let author = w.authors.remove(&town).unwrap();
    assert_eq!(verdict(&w.fold(), accepted), Verdict::Pending);
    w.authors.insert(town, author);
    assert_eq!(verdict(&w.fold(), accepted), Verdict::Counted);
}

#[test]
fn a_change_whose_past_is_missing_waits() {
    let mut w = World::registered();
    let accepted = w.step(VILLAGE, accept());
    let mut some = w.changes.clone();
    some.remove(1);
    let m = w.fold_of(&some);
    assert!(m.pending.contains(&accepted));
    assert_eq!((m.register, m.timeline.len()), (None, 0));
}

#[test]
fn a_malformed_act_is_shown_and_counts_for_nothing() {
    let mut w = World::registered();
    let mut map = crate::value::Map::new();
    map.insert("kind".into(), crate::value::Value::Str("close".into()));
    let broken = w.put(VILLAGE, 0, map);
    let fine = w.step(VILLAGE, accept());
    let m = w.fold();
    assert_eq!((verdict(&m, broken), verdict(&m, fine)), (Verdict::Malformed, Verdict::Counted));
}

#[test]
fn only_a_place_above_the_holder_urges_and_only_while_something_is_open() {
    let mut w = World::new();
    w.step(VILLAGE, register());
    w.share();
    let tip = w.view(TOWN).tip.unwrap().act;
    let own = w.voice(VILLAGE, urge(Some(tip)));
    let neighbour = w.voice(NEIGHBOUR, urge(Some(tip)));
    let above = w.voice(TOWN, urge(Some(tip)));
    let strange = w.voice(
        TOWN,
        Voice::Urge {
            degree: "shouted".into(),
            ground: "overdue".into(),
            since: None,
            due: None,
            note: None,
        },
    );
    w.share();
    w.step(VILLAGE, accept());
    w.step(VILLAGE, answer("已清淤"));
    w.step(VILLAGE, close());
    w.share();
    let after = w.voice(TOWN, urge(None));
    w.share();
    let m = w.view(VILLAGE);
    assert_eq!(m.urges.iter().map(|u| u.act).collect::<Vec<_>>(), [above]);
    for (act, why) in [
        (own, Violation::NotAbove),
        (neighbour, Violation::NotAbove),
        (strange, Violation::UnknownDegree),
        (after, Violation::WrongStage),
    ] {
        assert!(m.violations.iter().any(|v| v.act == act && v.why == why), "{why:?}: {:?}", m.violations);
    }
}

#[test]
fn photos_are_put_to_a_matter_so_many_of_each_place() {
    let mut w = World::new();
    w.step(VILLAGE, register());
    w.share();
    let bad = |kind: &str, size: i64, about: Option<&str>, caption: &str| Voice::Attach {
        file: Hash([9; 32]),
        size,
        format: kind.into(),
        about: about.map(Into::into),
        caption: Some(caption.into()),
    };
    let refused = [
        w.voice(NEIGHBOUR, bad("svg", 10, None, "")),
        w.voice(NEIGHBOUR, bad("png", 0, None, "")),
        w.voice(NEIGHBOUR, bad("png", -5, None, "")),
        w.voice(NEIGHBOUR, bad("png", crate::limits::ATTACHMENT_BYTES_MAX as i64 + 1, None, "")),
        w.voice(NEIGHBOUR, bad("png", 10, Some("selfie"), "")),
        w.voice(NEIGHBOUR, bad("png", 10, None, &"长".repeat(201))),
    ];
    // Every one of them is a photo: none of a kind there is not.
    let kept: Vec<_> = (0..20).map(|n| w.voice(VILLAGE, attach(7 * n + 1))).collect();
    let one_more = w.voice(VILLAGE, attach(1));
    let by_town = w.voice(TOWN, attach(2));
    w.share();
    let m = w.view(TOWN);
    assert_eq!(m.attachments.len(), 21, "{:?}", m.violations);
    assert!(kept.iter().all(|act| m.attachments.iter().any(|a| a.act == *act)));
    let town = m.attachments.iter().find(|a| a.act == by_town).unwrap();
    assert_eq!((town.place, town.about.as_str(), town.size), (T, "sign_in", 3));
    let why = |act| m.violations.iter().find(|v| v.act == act).map(|v| v.why);
    assert_eq!(why(one_more), Some(Violation::TooManyFiles));
    assert!(refused.into_iter().all(|act| why(act) == Some(Violation::UnknownFile)), "{:?}", m.violations);
    assert!(super::super::next::check_voice(&m, V, &attach(1)).is_err());
    super::super::next::check_voice(&m, T, &attach(1)).unwrap();
}
