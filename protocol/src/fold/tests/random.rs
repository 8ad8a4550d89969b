//! Random histories: places act, rightly and wrongly, and now and then hear from each other.

use super::{
    super::{Matter, Verdict, frame::StepKind, next},
    world::*,
};
use crate::{
    act::{Filled, Step, Voice},
    ids::{ActRef, ActorId, DocId, Hash, PlaceId},
    procedure::{FieldKind, FieldOf, Form, Gate, Need, Procedure, Stage, shipped},
    value::Value,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// One thing that happens: a node does something, then maybe one node hears from another.
#[derive(Debug, Clone)]
struct Event {
    node: usize,
    /// Whether the node does what the program offers it; else anything, most of it not allowed.
    offered: bool,
    action: u8,
    /// Chooses among what the action needs: a target, a place, whether to write on a stale step.
    choice: u8,
    day: i64,
    heard: Option<(usize, usize)>,
}

fn event() -> impl Strategy<Value = Event> {
    // The town's two nodes act most: they are where branches come from.
    let node = prop_oneof![Just(0usize), Just(1), Just(1), Just(2), Just(3), Just(4), Just(4), Just(5)];
    let heard = proptest::option::weighted(0.6, (0..6usize, 0..6usize));
    (node, prop::bool::weighted(0.75), any::<u8>(), any::<u8>(), 20_390..20_450i64, heard).prop_map(
        |(node, offered, action, choice, day, heard)| Event { node, offered, action, choice, day, heard },
    )
}

fn pick<T: Copy>(from: &[T], choice: u8) -> Option<T> {
    (!from.is_empty()).then(|| from[choice as usize % from.len()])
}

/// One of the procedures that come with the program, half of the time the one with the most bodies.
fn any_shipped(choice: u8) -> Hash {
    let all = shipped::all();
    if choice.is_multiple_of(4) { four_steps() } else { all[choice as usize / 2 % all.len()].procedure.pin }
}

fn pinned(m: &Matter) -> Option<&'static Procedure> {
    let pin = m.procedure?;
    shipped::all().iter().map(|s| s.procedure.as_ref()).find(|p| p.pin == pin)
}

fn stage_of(m: &Matter) -> Option<&'static Stage> {
    pinned(m)?.stages.iter().find(|s| m.at.as_ref().is_some_and(|a| a.stage == s.id))
}

/// A stage of the pinned procedure, mostly one that the present stage leads to.
fn some_stage(m: &Matter, choice: u8) -> String {
    let ways = stage_of(m).map(|s| s.go.iter().chain(&s.back).collect::<Vec<_>>()).unwrap_or_default();
    let all = pinned(m).map(|p| p.stages.iter().map(|s| &s.id).collect::<Vec<_>>()).unwrap_or_default();
    let from = if choice.is_multiple_of(5) { all } else { ways };
    pick(&from, choice).map_or_else(|| "nowhere".to_owned(), Clone::clone)
}

/// A body, mostly one that the present stage asks for.
fn some_body(m: &Matter, choice: u8) -> String {
    let asked = |g: &Gate| match &g.need {
        Need::Meeting { body, .. } | Need::Ballot { body, .. } => Some(body.clone()),
        _ => None,
    };
    let asked = stage_of(m).and_then(|s| s.gates.iter().find_map(asked));
    asked.filter(|_| !choice.is_multiple_of(7)).unwrap_or_else(|| "council".into())
}

fn some_ballot(m: &Matter, choice: u8) -> Voice {
    match ballot(9, 7, [4, 2, 1]) {
        Voice::Ballot {
            question,
            eligible,
            present,
            in_favour,
            against,
            abstain,
            votes,
            meeting,
            counters,
            ..
        } => {
            let body = some_body(m, choice);
            #[rustfmt::skip]
            return Voice::Ballot {
                question, body, eligible, present, in_favour, against, abstain, votes, meeting, counters,
            };
        }
        other => other,
    }
}

/// A form filled in, mostly one that the present stage asks for and mostly completely.
fn some_form(m: &Matter, choice: u8) -> Voice {
    let Some(procedure) = pinned(m) else { return proposal_form() };
    let asked = |g: &Gate| match &g.need {
        Need::Record { form, .. } => procedure.form(form),
        _ => None,
    };
    let asked: Vec<&Form> =
        stage_of(m).map(|s| s.gates.iter().filter_map(asked).collect()).unwrap_or_default();
    let all: Vec<&Form> = procedure.forms.iter().collect();
    let from = if choice.is_multiple_of(5) { all } else { asked };
    let Some(form) = pick(&from, choice / 3) else { return proposal_form() };
    filled(form, choice)
}

/// The first form that the place may fill in, or the first there is.
fn fitting_form(m: &Matter, place: PlaceId) -> Voice {
    let Some(procedure) = pinned(m) else { return proposal_form() };
    let all: Vec<Voice> = procedure.forms.iter().map(|f| filled(f, 1)).collect();
    let fits = all.iter().find(|v| next::check_voice(m, place, v).is_ok());
    fits.or(all.first()).cloned().unwrap()
}

fn filled(form: &Form, choice: u8) -> Voice {
    let fill = |f: &FieldOf| {
        let value = match f.kind {
            FieldKind::Text => Value::Text("已核".into()),
            FieldKind::Line => Value::Str("已核".into()),
            FieldKind::Choice => Value::Str(f.choices[choice as usize % f.choices.len()].id.clone().into()),
            FieldKind::Number | FieldKind::Money | FieldKind::Day => Value::Int(i64::from(choice) + 100),
            FieldKind::YesNo => Value::Bool(true),
        };
        (f.id.clone(), value)
    };
    let filled = form.fields.iter().skip(usize::from(choice.is_multiple_of(11))).map(fill);
    Voice::Record { form: form.id.clone(), fields: Filled(filled.collect()) }
}

/// What an event does on a node, given what the node shows.
fn act(w: &mut World, e: &Event) {
    let seen = w.view(e.node);
    if e.offered {
        let author = &w.authors[&w.nodes[e.node].actor];
        let offer = next::next(&seen, author.place, &author.ancestors);
        let steps: Vec<_> = offer.items.iter().filter(|a| StepKind::from_name(a.act).is_some()).collect();
        if let Some(item) = pick(&steps, e.action) {
            let to = pick(&item.to, e.choice).unwrap_or(T);
            let step = step_named(item.act, &seen, Some(item), to, e.choice % 200).unwrap();
            w.step(e.node, step);
            return;
        }
    }
    let acts: Vec<ActRef> = seen.timeline.iter().map(|t| t.act).collect();
    let any = pick(&acts, e.choice).unwrap_or(ActRef { actor: ActorId([99; 16]), seq: 1 });
    let place = [V, T, D, N][e.choice as usize % 4];
    let above = w.authors[&w.nodes[e.node].actor].ancestors.first().copied().unwrap_or(place);
    let lead = DocId([e.choice % 2 + 30; 32]);
    let follows = seen.merged_into.filter(|_| !e.choice.is_multiple_of(8));
    let reply = seen.newest_reply().map_or(any, |r| r.act);
    let step = match e.action % 32 {
        0 | 1 => register(),
        2..=4 if e.choice.is_multiple_of(3) => {
            Step::Accept { procedure: Hash([1; 32]), calendar: Hash([2; 32]), grade: None, urgency: None }
        }
        2 | 3 if e.choice.is_multiple_of(2) => Step::Accept {
            procedure: any_shipped(e.choice),
            calendar: Hash([7; 32]),
            grade: [None, Some("minor".into()), Some("major".into())][e.choice as usize % 3].clone(),
            urgency: Some("urgent".into()),
        },
        2..=4 => accept(),
        24 => Step::Advance {
            to: some_stage(&seen, e.choice),
            reason: (!e.choice.is_multiple_of(3)).then(|| text("再议")),
        },
        25 => Step::Pause { reason: text("等测绘") },
        26 => Step::Resume { note: None },
        27 => Step::Extend { working_days: i64::from(e.choice % 12), reason: text("汛期") },
        28 => Step::Refer { to: "县水务局".into(), reason: text("不在本级") },
        29 => Step::Assign { unit: "便民服务室".into(), person: None, note: None },
        5 => Step::Refuse { reason: text("不归") },
        6 => handle(),
        7 | 8 => escalate(if e.choice.is_multiple_of(5) { place } else { above }),
        9 => Step::Return { to: place, reason: text("退") },
        10 => Step::Merge { into: lead },
        11 => Step::Unmerge {},
        12 => Step::Absorb { source: cited(e.choice % 3) },
        13 => Step::Release { source: DocId([e.choice % 3; 32]) },
        14 => decide(),
        15 | 16 => Step::Answer {
            text: text("答"),
            outcome: None,
            lead: follows,
            lead_act: follows.map(|_| ActRef { actor: ActorId([30; 16]), seq: 3 }),
        },
        17 => close(),
        18 => Step::Reopen { reason: text("未办好") },
        19 => Step::Withdraw { reason: None },
        20 => correct(seen.tip.map_or(any, |t| t.act), None, Some("改")),
        21 => Step::TakeOver { reason: text("接"), sets_aside: seen.held_up.as_ref().map(|h| h.act) },
        22 if e.choice.is_multiple_of(3) => {
            w.newer(e.node, seen.tip.map(|t| t.act));
            return;
        }
        22 => take_over(),
        23 => Step::Settle { branch: pick(&seen.branches, e.choice).unwrap_or(any) },
        _ => {
            let voice = match e.choice % 14 {
                13 => attach(e.choice),
                5 => some_form(&seen, e.choice),
                6 => meet(&some_body(&seen, e.choice), e.day, 9, 7),
                7 => Voice::Call {
                    body: some_body(&seen, e.choice),
                    day: e.day + 3,
                    agenda: text("修涵洞"),
                    venue: None,
                },
                8 => Voice::Post { days: 5, text: text("拟修涵洞") },
                9 => Voice::Object { post: any, text: text("占了我家地") },
                10 => Voice::Summon { unit: "水务站".into(), question: text("管径"), working_days: 5 },
                11 => Voice::Respond { to: any, text: text("可改道"), relayed: false },
                12 => urge(Some(any)),
                0 => Voice::Comment { text: text("说") },
                1 => some_ballot(&seen, e.choice),
                2 => rate("revisit"),
                3 => Voice::Support { count: Some(i64::from(e.choice) % 3), note: None },
                _ => tell(reply),
            };
            w.voice(e.node, voice);
            return;
        }
    };
    if e.choice % 16 == 15 {
        w.step_on(e.node, Some(any), step);
    } else {
        w.step(e.node, step);
    }
}

fn happen(events: &[Event]) -> World {
    let mut w = World::registered();
    for e in events {
        // A machine is copied now and then.
        if e.choice >= 250 && w.nodes.len() == 5 {
            w.copy_machine(e.node % 5);
        }
        let e = Event { node: e.node % w.nodes.len(), ..e.clone() };
        w.today = e.day;
        act(&mut w, &e);
        if let Some((from, to)) = e.heard {
            w.send(from % w.nodes.len(), to % w.nodes.len());
        }
    }
    w
}

/// Whether a later arrival may turn one verdict into the other: only by choosing among branches.
fn fork_choice(kind: &str, before: Verdict, after: Verdict) -> bool {
    let beside = |v| matches!(v, Verdict::Superseded | Verdict::Late | Verdict::Waiting);
    let on_the_way = |v| match v {
        Verdict::Counted => StepKind::from_name(kind).is_some(),
        // What cannot be read yet, on the way or beside it, is not counted by mere arrivals.
        Verdict::Pending | Verdict::NeedsNewer => true,
        _ => false,
    };
    beside(before) && (beside(after) || on_the_way(after)) || beside(after) && on_the_way(before)
}

fn verdicts(m: &Matter) -> BTreeMap<crate::ids::ChangeHash, (&str, Verdict, i64)> {
    m.timeline.iter().map(|e| (e.hash, (e.kind.as_ref(), e.verdict, e.on))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_arrival_gives_the_same_matter(
        events in prop::collection::vec(event(), 1..40),
        keys in prop::collection::vec(any::<u32>(), 48),
        unknown in 0..12u8,
        cut in proptest::option::of((0..4u8, any::<prop::sample::Index>())),
    ) {
        let mut w = happen(&events);
        w.authors.remove(&ActorId([unknown + 10; 16]));
        if let Some((who, last)) = cut
            && let Some(author) = w.authors.get_mut(&ActorId([who + 10; 16]))
        {
            author.cut = Some([w.changes[last.index(w.changes.len())].hash].into());
        }
        let matter = w.fold();
        let mut shuffled: Vec<_> = w.changes.iter().cloned().zip(keys.iter().cycle()).collect();
        shuffled.sort_by_key(|(c, key)| (**key, c.hash));
        let twice: Vec<_> = shuffled.iter().chain(&shuffled).map(|(c, _)| c.clone()).collect();
        prop_assert_eq!(&w.fold_of(&twice), &matter);
        prop_assert_eq!(w.fold_of(&twice).digest(), matter.digest());
        prop_assert_eq!(matter.timeline.len() + 1, w.changes.len(), "nothing is dropped");
    }

    #[test]
    fn later_arrivals_change_nothing_but_which_branch_goes_on(
        events in prop::collection::vec(event(), 1..40),
    ) {
        let w = happen(&events);
        let matter = w.fold();
        let whole = verdicts(&matter);
        for node in 0..w.nodes.len() {
            let view = w.view(node);
            for (hash, (kind, before, day)) in verdicts(&view) {
                let (_, after, later_day) = whole[&hash];
                prop_assert_eq!(day, later_day);
                let same = before == after || fork_choice(kind, before, after);
                prop_assert!(same, "{} {:?} became {:?}", kind, before, after);
            }
        }
    }

    #[test]
    fn what_is_offered_counts_and_what_is_not_does_not(
        events in prop::collection::vec(event(), 1..30),
        node in 0..5usize,
    ) {
        let mut w = happen(&events);
        let author = w.authors[&w.nodes[node].actor].clone();
        let mut matter = w.view(node);
        matter.look_on(w.today);
        let offer = next::next(&matter, author.place, &author.ancestors);
        let every = offer.items.iter().map(|a| (a.act, true));
        for (name, offered) in every.chain(offer.not_now.iter().map(|a| (a.act, false))).collect::<Vec<_>>() {
            let item = offer.items.iter().find(|a| a.act == name);
            let place = item.and_then(|a| a.to.first().copied());
            let written = match step_named(name, &matter, item, place.unwrap_or(T), 255) {
                Some(step) => {
                    let allowed = next::check_step(&matter, author.place, &author.ancestors, &step);
                    prop_assert_eq!(allowed.is_ok(), offered, "{}: {:?}", name, allowed);
                    w.step(node, step)
                }
                None => {
                    let answer = item.and_then(|a| a.replies.first().copied());
                    let none = ActRef { actor: ActorId([99; 16]), seq: 1 };
                    let any = matter.newest_reply().map_or(none, |r| r.act);
                    let voice = match name {
                        "comment" => Voice::Comment { text: text("说") },
                        "support" => Voice::Support { count: None, note: None },
                        "ballot" => ballot(9, 7, [4, 2, 1]),
                        "tell" => tell(answer.unwrap_or(any)),
                        "call" => Voice::Call { body: "council".into(), day: 0, agenda: text("议"), venue: None },
                        // A body that no procedure names needs neither a call nor a quorum.
                        "meet" => meet("passers_by", w.today, 9, 7),
                        "record" => fitting_form(&matter, author.place),
                        "post" => Voice::Post { days: 5, text: text("拟修涵洞") },
                        "object" => Voice::Object { post: answer.unwrap_or(none), text: text("不同意") },
                        "summon" => {
                            Voice::Summon { unit: "水务站".into(), question: text("管径"), working_days: 5 }
                        }
                        "respond" => {
                            Voice::Respond { to: answer.unwrap_or(none), text: text("可"), relayed: false }
                        }
                        "urge" => urge(None),
                        _ => rate("proxy"),
                    };
                    let allowed = next::check_voice(&matter, author.place, &voice);
                    prop_assert_eq!(allowed.is_ok(), offered, "{}: {:?}", name, allowed);
                    w.voice(node, voice)
                }
            };
            let after = w.view(node);
            let newest = after.timeline.iter().rev().find(|e| e.act == written).unwrap();
            let told_by_other = name == "tell" && author.place != matter.home;
            if offered {
                // A settlement may lose only to one made elsewhere, which this node does not know.
                prop_assert_eq!(newest.verdict, Verdict::Counted, "{}", name);
            } else if !told_by_other {
                prop_assert_ne!(newest.verdict, Verdict::Counted, "{}", name);
            }
            w.forget_last(node);
        }
    }
}

/// A step of this name with content that fits, if there is such content.
fn step_named(name: &str, m: &Matter, item: Option<&next::NextAct>, to: PlaceId, choice: u8) -> Option<Step> {
    let none = ActRef { actor: ActorId([99; 16]), seq: 1 };
    let tip = m.tip.map_or(none, |t| t.act);
    let registers = m.tip.is_some_and(|t| t.kind == StepKind::Register);
    let lead = m.merged_into;
    Some(match StepKind::from_name(name)? {
        StepKind::Register => register(),
        StepKind::Accept => match m.procedure {
            Some(pin) => accept_under(pin),
            None if choice.is_multiple_of(2) => accept_under(any_shipped(choice / 2)),
            None => accept(),
        },
        StepKind::Advance => {
            let way = item.and_then(|a| a.stages.first());
            let to = way.map_or_else(|| "nowhere".to_owned(), |w| w.stage.clone());
            Step::Advance { to, reason: Some(text("往下走")) }
        }
        StepKind::Assign => Step::Assign { unit: "便民服务室".into(), person: None, note: None },
        StepKind::Extend => Step::Extend { working_days: 1, reason: text("汛期") },
        StepKind::Pause => Step::Pause { reason: text("等测绘") },
        StepKind::Resume => Step::Resume { note: None },
        StepKind::Refer => Step::Refer { to: "县水务局".into(), reason: text("不在本级") },
        StepKind::Refuse => Step::Refuse { reason: text("不归") },
        StepKind::Handle => handle(),
        StepKind::Escalate => escalate(to),
        StepKind::Return => Step::Return { to, reason: text("退") },
        StepKind::Merge => Step::Merge { into: DocId([50; 32]) },
        StepKind::Unmerge => Step::Unmerge {},
        StepKind::Absorb => Step::Absorb { source: cited(choice) },
        StepKind::Release => {
            let source = item.and_then(|a| a.sources.first().copied());
            Step::Release { source: source.unwrap_or(DocId([98; 32])) }
        }
        StepKind::Decide => decide(),
        StepKind::Answer => {
            Step::Answer { text: text("答"), outcome: None, lead, lead_act: lead.map(|_| none) }
        }
        StepKind::Close => close(),
        StepKind::Reopen => Step::Reopen { reason: text("未办好") },
        StepKind::Withdraw => Step::Withdraw { reason: None },
        StepKind::Correct if registers => correct(tip, Some("改名"), None),
        StepKind::Correct => correct(tip, None, Some("改")),
        StepKind::TakeOver => {
            let sets_aside = m.held_up.as_ref().map(|h| h.act);
            Step::TakeOver { reason: text("超期未办"), sets_aside }
        }
        StepKind::Settle => Step::Settle { branch: pick(&m.branches, choice).unwrap_or(none) },
    })
}

/// The statements above are worth what the histories reach: every stage, every verdict.
#[test]
fn random_histories_reach_every_stage_and_verdict() {
    use super::super::frame::Stage;
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let histories = prop::collection::vec(event(), 25..40);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..150 {
        let w = happen(&histories.new_tree(&mut runner).unwrap().current());
        let m = w.fold();
        *counts.entry(m.stage.name()).or_default() += 1;
        for e in &m.timeline {
            *counts.entry(e.verdict.name()).or_default() += 1;
            if let Verdict::Violation(why) = e.verdict {
                *counts.entry(why.name()).or_default() += 1;
            }
            if e.kind == "settle" && e.verdict == Verdict::Counted {
                *counts.entry("settled").or_default() += 1;
            }
        }
        *counts.entry("forked").or_default() += m.forks.len();
    }
    let stages = Stage::ALL.iter().map(|s| s.name());
    let verdicts = [
        "counted",
        "violation",
        "late",
        "superseded",
        "waiting",
        "pending",
        "needs_newer",
        "settled",
        "forked",
    ];
    let reasons = ["not_newest", "not_holder", "not_own_step", "waits_for_settlement", "ballot_closed"];
    for name in stages.chain(verdicts).chain(reasons) {
        assert!(counts.get(name).is_some_and(|n| *n > 0), "{name} is never reached: {counts:?}");
    }
}
