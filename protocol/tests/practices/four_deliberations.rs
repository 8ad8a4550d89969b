//! P4, the variant: proposed, consulted, examined, resolved by representatives or by the assembly, disclosed twice.

use crate::story::{Fields, Leave, Play, Visit, ballot, meeting, posted, record, tell, visit};

fn proposal(who: &'static str) -> Fields {
    fields! { "topic" => "集体林地流转", "reason" => "多年撂荒", "decided_by" => who }
}

fn to_the_vote(who: &'static str) -> Vec<Visit> {
    vec![
        visit(
            "proposed",
            vec![meeting("branch", 9, 8, &[]), record("proposal", proposal(who))],
            Leave::Go("consulted"),
        ),
        visit(
            "consulted",
            vec![
                meeting("committees", 11, 9, &[]),
                record("plan", fields! { "plan" => "分三片招租，租期十年", "cost" => 3_000 }),
            ],
            Leave::Go("examined"),
        ),
        visit(
            "examined",
            vec![meeting("party_members", 61, 44, &[]), ballot("party_members", 61, 44, 40)],
            Leave::Go("resolved"),
        ),
        visit(
            "resolved",
            vec![
                meeting("representatives", 45, 33, &[]),
                ballot("representatives", 45, 33, 28),
                meeting("assembly", 812, 430, &[]),
                ballot("assembly", 812, 430, 377),
            ],
            Leave::Go("disclosed"),
        ),
    ]
}

fn disclosed() -> Vec<Visit> {
    vec![
        visit(
            "disclosed",
            vec![posted("林地流转决议", "租期太长", "改为八年，到期重议")],
            Leave::Go("carried_out"),
        ),
        visit(
            "carried_out",
            vec![
                record("result", fields! { "done" => "三片全部签约", "spent" => 2_600 }),
                posted("林地流转实施结果", "二片面积不对", "已复测更正"),
            ],
            Leave::Answer("林地已流转，租金按股分红。"),
        ),
    ]
}

#[test]
fn the_representatives_or_the_assembly_resolve() {
    let case = |who, back: bool| {
        let mut visits = to_the_vote(who);
        if back {
            // 党员大会认为方案不成熟，退回两委再商议。
            let again = visit("examined", vec![], Leave::Back("consulted", "租期和底价没写清楚"));
            let anew = visits.split_off(2);
            visits.push(again);
            visits.push(to_the_vote(who).swap_remove(1));
            visits.extend(anew);
        }
        visits.extend(disclosed());
        Play::new("集体林地流转", "林地撂荒多年，村民要求统一流转。", visits)
    };
    let small = Play::new(
        "更换会议室桌椅",
        "支部会上议定。",
        vec![visit("proposed", vec![], Leave::Answer("已换。"))],
    );
    tell(
        "four_deliberations",
        &[case("representatives", true).offline(2..5), case("assembly", false), small.minor()],
    );
}
