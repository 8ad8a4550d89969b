//! P9: found on patrol, claimed by a member, settled at the joint meeting, checked by others.

use crate::{
    story::{Fields, Leave, Opener, Play, Visit, meeting, record, record_by, summons, tell, visit},
    world::{NEIGHBOUR, VILLAGE},
};

fn found(how: &'static str) -> Vec<Opener> {
    let said: Fields =
        fields! { "grid" => "常德道第三网格", "finding" => "井盖松动，过车有响声", "found_how" => how };
    vec![record("finding", said)]
}

fn claimed() -> Vec<Opener> {
    vec![record(
        "claim",
        fields! { "member" => "党员 孙丽", "kind" => "difficulty", "promise" => "一周内协调修复" },
    )]
}

fn joint(leave: Leave) -> Visit {
    visit(
        "joint",
        vec![
            meeting("joint_meeting", 14, 11, &[]),
            record(
                "agenda",
                fields! { "settled" => "由排水公司更换，街道垫付", "units" => "排水公司、市政、物业" },
            ),
            summons(&["排水公司"], "产权归谁", "归我司，三日内更换"),
        ],
        leave,
    )
}

fn crossed_off() -> Visit {
    visit(
        "crossed_off",
        vec![
            record("crossing_off", fields! { "result" => "井盖已更换", "photo" => "前 081 后 082" }),
            record_by(NEIGHBOUR, "recheck", fields! { "passed" => true, "seen" => "过车无声，盖面平整" }),
        ],
        Leave::Answer("井盖已更换，复核通过。"),
    )
}

#[test]
fn the_grid_looks_for_problems_and_others_cross_them_off() {
    let cover = Play::new(
        "井盖松动",
        "夜间巡查发现。",
        vec![
            visit("found", found("patrol"), Leave::Go("claimed")),
            visit("claimed", claimed(), Leave::Up),
            joint(Leave::Down(VILLAGE, "联席会已定，请复核销号")),
            crossed_off(),
        ],
    );
    let tree = Play::new(
        "枯树压线",
        "批量导入的巡查结果。",
        vec![
            visit("found", found("bulk"), Leave::Go("claimed")),
            visit("claimed", vec![], Leave::Back("found", "认领人外出，重新派")),
            visit("found", found("visit"), Leave::Go("joint")),
            joint(Leave::Go("crossed_off")),
            crossed_off(),
        ],
    );
    let small =
        Play::new("楼道堆物", "当场劝清。", vec![visit("found", vec![], Leave::Answer("当场清走。"))]);
    tell("grid_party_cloud", &[cover.offline(0..1), tree, small.minor()]);
}
