//! Matters in the stages of a procedure: gates, pins, and ways back, up and out.

use super::{
    super::{Verdict, Violation, next},
    world::*,
};
use crate::{
    act::{Step, Voice},
    ids::{ActRef, Hash},
    problem::{Problem, Severity},
    procedure::{self, Procedures},
};

const FILE: &str = r#"
format = 1
id = "road"
version = 1
title = { zh = "修路", en = "Roads" }
summary = { zh = "试", en = "A test" }

[bodies.council]
zh = "议事会"
en = "Council"
quorum = "2/3"
notice_days = 3

[forms.survey]
zh = "入户调查"
en = "Survey"
fields = [{ id = "text", zh = "情况", en = "Findings", kind = "text", required = true }]

[forms.budget]
zh = "预算"
en = "Budget"
ledger = "budget"
fields = [{ id = "amount", zh = "金额", en = "Amount", kind = "money", required = true }]

[forms.spent]
zh = "支出"
en = "Spending"
ledger = "spending"
fields = [{ id = "amount", zh = "金额", en = "Amount", kind = "money", required = true }]

[forms.revisit]
zh = "回访"
en = "Revisit"
by = "another"

[[stages]]
id = "survey"
zh = "调查"
en = "Survey"
limit = { normal = "10 days", urgent = "24 hours" }
gates = [{ record = "survey" }, { record = "budget", only = ["major"] }]
go = ["council"]
up = "council"
early_end = ["minor"]

[[stages]]
id = "council"
zh = "议事会"
en = "Council"
gates = [
  { meeting = "council", tags = { women = "1/4" } },
  { ballot = "council", majority = "at least 2/3 of present" },
]
go = ["posted"]
back = ["survey"]

[[stages]]
id = "posted"
zh = "公示"
en = "Posted"
gates = [{ posted_days = 7 }, { within_budget = true }, { summons_answered = true }]
end = true
"#;

fn version(n: u32) -> String {
    FILE.replace("version = 1", &format!("version = {n}"))
}

fn pin(n: u32) -> Hash {
    procedure::Procedure::pin_of(&version(n))
}

fn world() -> World {
    let mut w = World::registered();
    w.procedures = Procedures::only([1, 2].map(|n| procedure::read(&version(n)).unwrap().0));
    w
}

fn to(stage: &str) -> Step {
    Step::Advance { to: stage.into(), reason: None }
}

fn record(form: &str, field: &str, value: crate::value::Value) -> Voice {
    Voice::Record { form: form.into(), fields: crate::act::Filled([(field.into(), value)].into()) }
}

fn survey() -> Voice {
    record("survey", "text", crate::value::Value::Text("走访三十户".into()))
}

fn yuan(form: &str, amount: i64) -> Voice {
    record(form, "amount", crate::value::Value::Int(amount))
}

fn violated(w: &World, act: ActRef) -> Option<Violation> {
    match w.fold().timeline.iter().find(|e| e.act == act).unwrap().verdict {
        Verdict::Violation(why) => Some(why),
        Verdict::Counted => None,
        other => panic!("{other:?}"),
    }
}

/// The council met, called in time, and voted; women were there.
fn council(w: &mut World, women: i64, counts: [i64; 3]) -> ActRef {
    let day = w.today + 3;
    let called =
        w.voice(VILLAGE, Voice::Call { body: "council".into(), day, agenda: text("修路"), venue: None });
    w.today = day;
    let Voice::Meet { body, eligible, present, remote, roll, minutes, .. } = meet("council", day, 30, 24)
    else {
        unreachable!()
    };
    let tags = [("women".to_owned(), women)].into();
    #[rustfmt::skip]
    let met = w.voice(VILLAGE, Voice::Meet {
        call: Some(called), body, day, eligible, present, remote, roll, tags, minutes,
    });
    assert_eq!(violated(w, met), None);
    let Voice::Ballot { question, body, abstain, votes, counters, .. } = ballot(30, 24, counts) else {
        unreachable!()
    };
    let [in_favour, against, _] = counts;
    #[rustfmt::skip]
    return w.voice(VILLAGE, Voice::Ballot {
        question, body, eligible: 30, present: 24, in_favour, against, abstain, votes,
        meeting: Some(met), counters,
    });
}

#[test]
fn a_matter_walks_through_every_stage_and_every_gate_holds() {
    let mut w = world();
    w.step(VILLAGE, accept_under(pin(1)));
    let m = w.fold();
    assert_eq!(m.at.as_ref().map(|a| (a.stage.as_str(), a.number, a.of)), Some(("survey", 1, 3)));
    assert_eq!(m.deadline.map(|d| (d.working_days, d.what)), Some((10, "advance")));
    // Not surveyed: no consultation; and no reply before the last stage.
    let early = w.step(VILLAGE, to("council"));
    let answered = w.step(VILLAGE, answer("就这样"));
    assert_eq!(violated(&w, early), Some(Violation::LacksRecord));
    assert_eq!(violated(&w, answered), Some(Violation::StageForbids));
    let offer = next::next(&w.fold(), V, &[T, D]);
    let why = offer.not_now.iter().find(|n| n.act == "advance").unwrap();
    assert_eq!((why.code, why.why_zh.as_str()), ("lacks_record", "还缺入户调查 1 份"));
    w.voice(VILLAGE, survey());
    let offer = next::next(&w.fold(), V, &[T, D]);
    let ways: Vec<_> = offer.items.iter().find(|a| a.act == "advance").unwrap().stages.clone();
    assert_eq!(ways.iter().map(|w| w.stage.as_str()).collect::<Vec<_>>(), ["council"]);
    let jump = w.step(VILLAGE, to("posted"));
    assert_eq!(violated(&w, jump), Some(Violation::NotAWay));
    w.step(VILLAGE, to("council"));

    // Called today for today; too few; too few women; voted down; and at last.
    let short = w.voice(VILLAGE, meet("council", w.today, 30, 24));
    assert_eq!(violated(&w, short), Some(Violation::NoticeTooShort));
    let lost = w.step(VILLAGE, to("posted"));
    assert_eq!(violated(&w, lost), Some(Violation::LacksMeeting));
    council(&mut w, 3, [20, 4, 0]);
    let men = w.step(VILLAGE, to("posted"));
    assert_eq!(violated(&w, men), Some(Violation::NotRepresentative));
    let mut down = world();
    down.step(VILLAGE, accept_under(pin(1)));
    down.voice(VILLAGE, survey());
    down.step(VILLAGE, to("council"));
    council(&mut down, 8, [15, 9, 0]);
    let against = down.step(VILLAGE, to("posted"));
    assert_eq!(violated(&down, against), Some(Violation::BallotNotPassed));
    council(&mut w, 8, [16, 8, 0]);
    let on = w.step(VILLAGE, to("posted"));
    assert_eq!(violated(&w, on), None);

    // Posted for seven days, an objection answered, a summons answered, no yuan too many.
    let post = w.voice(VILLAGE, Voice::Post { days: 7, text: text("拟修") });
    w.share();
    let objection = w.voice(NEIGHBOUR, Voice::Object { post, text: text("占地") });
    let asked = Voice::Summon { unit: "交通局".into(), question: text("标准"), working_days: 5 };
    let asked = w.voice(VILLAGE, asked);
    w.share();
    w.today += 6;
    let soon = w.step(VILLAGE, answer("修"));
    assert_eq!(violated(&w, soon), Some(Violation::NotPosted));
    w.today += 1;
    let open = w.step(VILLAGE, answer("修"));
    assert_eq!(violated(&w, open), Some(Violation::ObjectionsOpen));
    w.voice(VILLAGE, Voice::Respond { to: objection, text: text("改线"), relayed: false });
    let open = w.step(VILLAGE, answer("修"));
    assert_eq!(violated(&w, open), Some(Violation::SummonsOpen));
    w.voice(VILLAGE, Voice::Respond { to: asked, text: text("四米"), relayed: true });
    w.voice(VILLAGE, yuan("budget", 100));
    w.voice(VILLAGE, yuan("spent", 101));
    let open = w.step(VILLAGE, answer("修"));
    assert_eq!(violated(&w, open), Some(Violation::OverBudget));
    w.voice(VILLAGE, yuan("budget", 1));
    let done = w.step(VILLAGE, answer("修"));
    assert_eq!(violated(&w, done), None);
    let m = w.fold();
    assert_eq!((m.budget_yuan, m.spent_yuan, m.records.len()), (101, 101, 4));
    assert_eq!(m.posts[0].objections[0].replies.len(), 1);
    // Whoever handled it does not revisit it.
    let own = w.voice(VILLAGE, Voice::Record { form: "revisit".into(), fields: Default::default() });
    let other = w.voice(NEIGHBOUR, Voice::Record { form: "revisit".into(), fields: Default::default() });
    assert_eq!((violated(&w, own), violated(&w, other)), (Some(Violation::HandledItself), None));
}

#[test]
fn grades_and_urgency_change_gates_and_limits() {
    let accept = |grade: &str, urgency: &str| Step::Accept {
        procedure: pin(1),
        calendar: Hash([7; 32]),
        grade: Some(grade.into()),
        urgency: Some(urgency.into()),
    };
    let mut w = world();
    w.step(VILLAGE, accept("minor", "urgent"));
    assert_eq!(w.fold().deadline.map(|d| (d.hours, d.working_days)), Some((Some(24), 1)));
    let ended = w.step(VILLAGE, answer("当场办好"));
    assert_eq!(violated(&w, ended), None, "minor matters end early");
    let mut w = world();
    let unknown = w.step(VILLAGE, accept("tiny", "urgent"));
    assert_eq!(violated(&w, unknown), Some(Violation::UnknownGrade));
    w.step(VILLAGE, accept("major", "normal"));
    w.voice(VILLAGE, survey());
    let poor = w.step(VILLAGE, to("council"));
    assert_eq!(violated(&w, poor), Some(Violation::LacksRecord));
    w.voice(VILLAGE, yuan("budget", 100));
    let on = w.step(VILLAGE, to("council"));
    assert_eq!(violated(&w, on), None);
}

#[test]
fn what_was_recorded_the_first_time_opens_no_gate_the_second_time() {
    let mut w = world();
    w.step(VILLAGE, accept_under(pin(1)));
    w.voice(VILLAGE, survey());
    w.step(VILLAGE, to("council"));
    let silent = w.step(VILLAGE, to("survey"));
    assert_eq!(violated(&w, silent), Some(Violation::NoText));
    w.step(VILLAGE, Step::Advance { to: "survey".into(), reason: Some(text("有漏户")) });
    let again = w.step(VILLAGE, to("council"));
    assert_eq!(violated(&w, again), Some(Violation::LacksRecord));
    // And only the holder's own count: a neighbour's survey is not one of the village.
    w.share();
    let strange = w.voice(NEIGHBOUR, survey());
    assert_eq!(violated(&w, strange), Some(Violation::NotHolder));
}

#[test]
fn a_matter_passed_up_goes_on_above_and_pins_never_go_back() {
    let mut w = world();
    w.step(VILLAGE, accept_under(pin(2)));
    let closed = w.step(VILLAGE, escalate(T));
    assert_eq!(violated(&w, closed), Some(Violation::LacksRecord), "the way up has the stage's gates");
    w.voice(VILLAGE, survey());
    w.step(VILLAGE, escalate(T));
    assert_eq!(w.fold().at.map(|a| a.stage).as_deref(), Some("council"));
    w.share();
    let older = w.step(TOWN, accept_under(pin(1)));
    assert_eq!(violated(&w, older), Some(Violation::PinWentBack));
    w.step(TOWN, accept_under(pin(2)));
    assert_eq!(w.fold().at.map(|a| a.stage).as_deref(), Some("council"), "it goes on where it came in");
    // Given back, it has left the procedure; the village takes it up anew, and not under something easier.
    w.step(TOWN, Step::Return { to: V, reason: text("补材料") });
    w.share();
    let nothing = w.step(VILLAGE, answer("不办了"));
    assert_eq!(violated(&w, nothing), Some(Violation::StageForbids));
    let easier = w.step(VILLAGE, accept());
    assert_eq!(violated(&w, easier), Some(Violation::OtherProcedure));
    w.step(VILLAGE, accept_under(pin(2)));
    assert_eq!(w.fold().at.map(|a| a.stage).as_deref(), Some("survey"));
}

#[test]
fn a_version_known_on_one_node_only_waits_and_is_no_violation() {
    let mut w = world();
    w.procedures = Procedures::only([procedure::read(&version(1)).unwrap().0]);
    let newer = w.step(VILLAGE, accept_under(pin(2)));
    let after = w.voice(VILLAGE, survey());
    let m = w.fold();
    assert!(m.violations.is_empty() && m.held_up.is_some());
    assert_eq!(m.pending, [newer, after]);
    w.procedures = Procedures::only([1, 2].map(|n| procedure::read(&version(n)).unwrap().0));
    let m = w.fold();
    assert!(m.pending.is_empty() && m.held_up.is_none() && m.violations.is_empty());
    assert_eq!((m.at.map(|a| a.stage).as_deref(), m.records.len()), (Some("survey"), 1));
}

#[test]
fn time_is_extended_within_bounds_and_stands_still_while_paused() {
    let mut w = world();
    let file = FILE.replace("version = 1", "version = 1\nextend_days_max = 5");
    w.procedures = Procedures::only([procedure::read(&file).unwrap().0]);
    let pinned = w.procedures.iter().next().unwrap().pin;
    w.step(VILLAGE, accept_under(pinned));
    let much = w.step(VILLAGE, Step::Extend { working_days: 6, reason: text("汛期") });
    assert_eq!(violated(&w, much), Some(Violation::TooMuchTime));
    w.step(VILLAGE, Step::Extend { working_days: 5, reason: text("汛期") });
    assert_eq!(w.fold().deadline.map(|d| d.working_days), Some(15));
    let from = w.fold().deadline.unwrap().from_day;
    w.step(VILLAGE, Step::Pause { reason: text("等测绘") });
    w.today += 20;
    let busy = w.step(VILLAGE, handle());
    assert_eq!(violated(&w, busy), Some(Violation::Paused));
    w.step(VILLAGE, Step::Resume { note: None });
    assert_eq!(w.fold().deadline.map(|d| d.from_day), Some(from + 20));
}

#[test]
fn problems_have_a_line_a_column_and_words() {
    let with = |from: &str, to: &str| procedure::read(&FILE.replacen(from, to, 1)).unwrap_err();
    let first = |problems: &[Problem]| {
        let p = problems.iter().find(|p| p.severity == Severity::Error).unwrap();
        (p.line, p.column, p.code)
    };
    assert_eq!(first(&with("go = [\"council\"]", "go = [\"counsel\"]")), (42, 7, "no_such_stage"));
    assert_eq!(first(&with("record = \"survey\"", "record = \"surwey\"")).2, "no_such_form");
    let endless = with("end = true", "");
    assert!(endless.iter().any(|p| p.code == "dead_end") && endless.iter().any(|p| p.code == "no_reply"));
    assert_eq!(first(&with("go = [\"posted\"]", "")).2, "no_reply");
    assert_eq!(first(&with("at least 2/3", "more than 3/3")).2, "impossible_majority");
    assert_eq!(first(&with("quorum = \"2/3\"", "quorum = \"4/3\"")).2, "bad_share");
    assert_eq!(first(&with("10 days", "10 moons")).2, "bad_limit");
    assert_eq!(first(&with("by = \"another\"", "by = \"nobody\"")).2, "unknown_word");
    let unquoted = with("zh = \"修路\"", "zh = 修路");
    assert_eq!(first(&unquoted).2, "not_readable");
    assert!(unquoted.iter().any(|p| p.zh == "文字要用引号括起来"), "{unquoted:?}");
    assert_eq!(first(&with("version = 1", "version = 1\ncolour = 1")), (5, 1, "not_readable"));
    assert_eq!(first(&with("format = 1", "format = 2")).2, "newer_format");
    assert_eq!(first(&with("within_budget = true", "within_budget = true, posted_days = 3")).2, "bad_gate");
}

#[test]
fn a_gate_may_stand_only_where_a_form_says_so_and_a_new_form_takes_none_away() {
    let file = FILE
        .replace(
            "[forms.revisit]",
            "[forms.land]\nzh = \"占地\"\nen = \"Land\"\nfields = [{ id = \"kind\", zh = \"类别\", en = \"Kind\", \
             kind = \"choice\", choices = [{ id = \"taken\", zh = \"占\", en = \"Taken\" }, \
             { id = \"none\", zh = \"不占\", en = \"None\" }] }]\n\n[forms.revisit]",
        )
        .replace(
            "{ record = \"budget\", only = [\"major\"] }",
            "{ summons_answered = true, at_least = 1, when = { form = \"land\", field = \"kind\", is = [\"taken\"] } }",
        );
    let with = |from: &str, to: &str| procedure::read(&file.replace(from, to)).unwrap_err()[0].code;
    assert_eq!(with("is = [\"taken\"]", "is = [\"all\"]"), "no_such_choice");
    assert_eq!(with("form = \"land\"", "form = \"lend\""), "no_such_form");
    let mut w = world();
    w.procedures = Procedures::only([procedure::read(&file).unwrap().0]);
    let pinned = w.procedures.iter().next().unwrap().pin;
    w.step(VILLAGE, accept_under(pinned));
    let kind = |k: &str| record("land", "kind", crate::value::Value::Str(k.into()));
    w.voice(VILLAGE, survey());
    let mut free = w.clone();
    free.voice(VILLAGE, kind("none"));
    let on = free.step(VILLAGE, to("council"));
    assert_eq!(violated(&free, on), None);
    w.voice(VILLAGE, kind("taken"));
    w.voice(VILLAGE, kind("none"));
    let unasked = w.step(VILLAGE, to("council"));
    assert_eq!(violated(&w, unasked), Some(Violation::SummonsOpen));
    let asked =
        Voice::Summon { unit: "自然资源所".into(), question: text("占多少"), working_days: 5 };
    let asked = w.voice(VILLAGE, asked);
    w.voice(VILLAGE, Voice::Respond { to: asked, text: text("两分地"), relayed: true });
    let on = w.step(VILLAGE, to("council"));
    assert_eq!(violated(&w, on), None);
}
