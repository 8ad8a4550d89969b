//! P3: under the camphor tree without a network; those who complain take part; the next meeting hears a report.

use crate::{
    story::{Fields, Leave, Play, meeting, record, summons, tell, visit},
    world::VILLAGE,
};

fn sheet(result: &'static str) -> Fields {
    fields! { "place" => "七组大黄桷树下", "result" => result, "signed_in" => 38, "photo" => "签到照 0312" }
}

fn sorting() -> Fields {
    fields! { "items" => "污水沟（0188）、路灯（0189）、麻将扰民（0190）", "count" => 3 }
}

fn pledge() -> Fields {
    fields! { "who" => "七组十二户", "part" => "每户出工两天清沟，轮流值守" }
}

#[test]
fn a_meeting_in_the_yard_becomes_work_and_a_report() {
    let gutter = Play::new(
        "七组污水沟堵塞",
        "坝坝会上三十八人到会，一致要求清沟。",
        vec![
            visit(
                "gathered",
                vec![meeting("courtyard", 52, 38, &[]), record("sheet", sheet("清沟、装灯、定夜间静音时间"))],
                Leave::Go("sorted"),
            ),
            visit("sorted", vec![record("sorting", sorting())], Leave::Up),
            visit(
                "joined",
                vec![record("pledge", pledge()), summons(&["镇水务站"], "主管能否接入", "可接入，管径三百")],
                Leave::Down(VILLAGE, "镇里管道已通，请村里在会上回报"),
            ),
            visit(
                "reported",
                vec![
                    meeting("courtyard", 52, 40, &[("claimants", 14)]),
                    record("report", fields! { "done" => "沟已清，三百管接通", "open" => 1 }),
                ],
                Leave::Answer("污水沟已清通，十二户轮流维护。"),
            ),
        ],
    );
    let noise = Play::new(
        "广场舞声音太大",
        "会上说了，当场商定九点收音。",
        vec![visit("gathered", vec![], Leave::Answer("当场商定：晚上九点收音。"))],
    );
    tell("courtyard_assembly", &[gutter.offline(0..1), noise.minor()]);
}
