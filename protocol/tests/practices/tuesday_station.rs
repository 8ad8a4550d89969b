//! P5: a Tuesday at the station; the town summons departments; the answer comes back to the people.

use crate::{
    story::{Fields, Leave, Play, meeting, record, summons, tell, visit},
    world::VILLAGE,
};

fn reception(who: &'static str, problem: &'static str) -> Fields {
    fields! {
        "station" => "沙边社区驻点", "team" => "第三团队 何副镇长", "session" => 20_398, "resident" => who,
        "problem" => problem,
    }
}

fn matching() -> Fields {
    fields! { "resource" => "公交接驳补贴", "from" => "区交通运输局", "plan" => "早晚高峰加开两班接驳车" }
}

fn response() -> Fields {
    fields! { "response" => "下月一日起加开两班，站牌已立", "result" => "solved" }
}

#[test]
fn a_leader_hears_it_on_tuesday_and_departments_must_answer() {
    let bus = Play::new(
        "工业园工人上下班没有公交",
        "外来工友反映：最近的站要走四十分钟。",
        vec![
            visit(
                "heard",
                vec![record("reception", reception("new_resident", "上下班没有公交"))],
                Leave::Go("consulted"),
            ),
            visit(
                "consulted",
                vec![meeting("community_council", 25, 19, &[("new_residents", 6)])],
                Leave::Up,
            ),
            visit(
                "settled",
                vec![
                    record("matching", matching()),
                    summons(&["市公交集团", "区交通运输局"], "能否加开接驳车", "可加开两班，区里补贴"),
                ],
                Leave::Down(VILLAGE, "方案已定，请驻点团队回应"),
            ),
            visit(
                "responded",
                vec![record("response", response())],
                Leave::Answer("下月一日起加开两班接驳车。"),
            ),
        ],
    );
    let own = Play::new(
        "小区门口石墩挡轮椅",
        "坐轮椅的住户反映。",
        vec![
            visit(
                "heard",
                vec![record("reception", reception("registered", "石墩挡轮椅"))],
                Leave::Go("consulted"),
            ),
            visit(
                "consulted",
                vec![meeting("community_council", 25, 15, &[("new_residents", 3)])],
                Leave::Go("settled"),
            ),
            visit(
                "settled",
                vec![record("matching", matching()), summons(&["区残联"], "标准", "净宽不少于九十厘米")],
                Leave::Go("responded"),
            ),
            visit("responded", vec![record("response", response())], Leave::Answer("石墩已移开一米。")),
        ],
    );
    let spot = Play::new(
        "居住证怎么办",
        "当场讲清楚，当场办结。",
        vec![visit("heard", vec![], Leave::Answer("带合同到服务站，当天可办。"))],
    );
    tell("tuesday_station", &[bus, own.offline(0..3), spot.minor()]);
}
