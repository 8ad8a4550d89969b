//! P4: the road of 芦稿村 through branch, committees, council and representatives, and the groups' own plans.

use crate::story::{Fields, Leave, Opener, Play, ballot, meeting, posted, record, skip, tell, visit};

fn topic() -> Fields {
    fields! { "topic" => "三至十四组道路硬化", "reason" => "雨天出不了菜", "scope" => "三至十四组" }
}

fn opinion() -> Opener {
    record("opinion", fields! { "opinion" => "同意提交议事会，先公开账目" })
}

fn last(answer: &'static str) -> crate::story::Visit {
    visit(
        "posted",
        vec![
            posted("拟硬化道路四点二公里", "我家田坎被占", "改线两米，补偿到户"),
            record("inspection", fields! { "found" => "十二个组方案齐全，无漏户", "urgent" => false }),
        ],
        Leave::Answer(answer),
    )
}

#[test]
fn a_road_passes_four_bodies_and_the_groups() {
    let road = Play::new(
        "三至十四组道路硬化",
        "下雨天车进不来，蔬菜烂在地里。",
        vec![
            visit(
                "branch",
                vec![record("proposal", topic()), meeting("branch", 36, 29, &[])],
                Leave::Go("committees"),
            ),
            visit("committees", vec![meeting("committees", 11, 9, &[]), opinion()], Leave::Go("council")),
            // 首次到会三十三人中只有七人；打电话通知后到会二十六人。
            visit(
                "council",
                vec![opinion(), meeting("council", 33, 26, &[]), ballot("council", 33, 26, 22)],
                Leave::Go("representatives"),
            ),
            visit(
                "representatives",
                vec![meeting("representatives", 74, 58, &[]), ballot("representatives", 74, 58, 49)],
                Leave::Go("groups"),
            ),
            visit(
                "groups",
                vec![record(
                    "group_plan",
                    fields! { "group" => "三组", "plan" => "按户筹工、按田亩补差", "households" => 41 },
                )],
                Leave::Go("posted"),
            ),
            last("道路已列入今冬施工，十二个组自定转户方案。"),
        ],
    );
    // 重大事项跳过两委会议：议事会开得成，走不出去，直到补上两委意见。
    let skipped = Play::new(
        "集体堰塘发包",
        "直接上了议事会。",
        vec![
            visit(
                "branch",
                vec![record("proposal", topic()), meeting("branch", 36, 30, &[])],
                Leave::Go("council"),
            ),
            visit(
                "council",
                vec![opinion(), meeting("council", 33, 25, &[]), ballot("council", 33, 25, 20)],
                Leave::Go("representatives"),
            ),
            visit(
                "representatives",
                vec![meeting("representatives", 74, 55, &[]), ballot("representatives", 74, 55, 40)],
                Leave::Go("posted"),
            ),
            last("堰塘发包方案通过，承包费入集体账。"),
        ],
    );
    let small = Play::new(
        "村口公示栏玻璃破了",
        "小事，支部会上说了就办。",
        vec![visit("branch", vec![skip()], Leave::Answer("玻璃已换。"))],
    );
    tell("four_steps", &[road.major().offline(1..4), skipped.major(), small.minor()]);
}
