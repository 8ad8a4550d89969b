//! P6: the topic's kind decides who must meet; the town consults once more; both results are kept.

use crate::{
    story::{Fields, Leave, Opener, Play, Visit, ballot, meeting, posted, record, summons, tell, visit},
    world::VILLAGE,
};

fn topic(kind: &'static str, form: &'static str) -> Fields {
    fields! { "kind" => kind, "form" => form, "question" => "方案如何定，补偿标准如何定" }
}

fn result(agreed: &'static str) -> Opener {
    record("result", fields! { "agreed" => agreed, "differing" => "两户要求另议" })
}

/// Everybody the file knows; only those stand whom the topic's kind asks for.
fn carriers() -> Vec<Opener> {
    vec![
        meeting("expert_review", 12, 9, &[]),
        meeting("representatives", 48, 36, &[]),
        meeting("hearing", 60, 42, &[("affected", 20)]),
        meeting("council", 30, 21, &[("vulnerable", 4)]),
        meeting("talk", 80, 50, &[("owners", 31)]),
        result("按方案二，先易后难"),
    ]
}

fn case(title: &'static str, kind: &'static str, form: &'static str, above: bool) -> Play {
    let mut visits: Vec<Visit> = vec![visit(
        "informed",
        vec![record("topic", topic(kind, form)), posted("协商材料及三个方案", "没有这道", "没有这道")],
        Leave::Go("before_deciding"),
    )];
    if above {
        visits.push(visit("before_deciding", carriers(), Leave::Up));
        visits.push(visit(
            "consulted_above",
            vec![
                result("镇级协商：同意村里意见，另补环评"),
                summons(&["市生态环境局"], "是否要环评", "登记表即可"),
            ],
            Leave::Down(VILLAGE, "镇级协商已毕，两级结果一并留存"),
        ));
    } else {
        visits.push(visit("before_deciding", carriers(), Leave::Go("before_passing")));
    }
    visits.push(visit(
        "before_passing",
        vec![
            record("decision", fields! { "taken" => "采纳七条", "not_taken" => "两条超出政策，已当面说明" }),
            meeting("representatives", 48, 40, &[]),
            ballot("representatives", 48, 40, 33),
        ],
        Leave::Go("before_doing"),
    ));
    visits.push(visit(
        "before_doing",
        vec![meeting("talk", 80, 46, &[]), posted("实施方案", "施工扰民", "午间和夜间停工")],
        Leave::Go("while_doing"),
    ));
    visits.push(visit(
        "while_doing",
        vec![
            meeting("supervisors", 5, 4, &[]),
            record("oversight", fields! { "found" => "按约定施工，补偿到户" }),
        ],
        Leave::Answer("协商意见采纳情况和实施结果已公布。"),
    ));
    Play::new(title, "事关多数人利益，先协商后决策。", visits)
}

#[test]
fn who_must_meet_depends_on_what_it_is_about() {
    tell(
        "layered_consultation",
        &[
            case("河口片区规划", "plan", "survey", true),
            case("年度预算草案", "budget", "consultation", false).offline(0..2),
            case("老街拆迁补偿", "demolition", "hearing", true),
            case("互助养老点选址", "welfare", "heart_talk", false),
            case("小区停车收费", "property", "consultation", false),
        ],
    );
}
