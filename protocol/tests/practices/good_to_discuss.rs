//! P7: eight steps; no consultation without a survey; three lists; the result judged by others.

use crate::{
    story::{
        Fields, Leave, Opener, Play, Visit, ballot, meeting, record, record_by, records, summons, tell, visit,
    },
    world::{NEIGHBOUR, TOWN, VILLAGE},
};

fn before() -> Vec<Visit> {
    vec![
        visit(
            "platform",
            vec![record("platform", fields! { "room" => "环本村有事好商量议事室", "way" => "both" })],
            Leave::Go("topic"),
        ),
        visit(
            "topic",
            vec![record(
                "topic",
                fields! {
                    "topic" => "飞线充电怎么治", "source" => "residents", "difficulty" => "hard",
                    "approved_by" => "环本村党总支", "approved_on" => 20_400,
                },
            )],
            Leave::Go("participants"),
        ),
    ]
}

fn participants() -> Vec<Opener> {
    vec![record("participants", fields! { "members" => 12, "concerned" => 9, "experts" => 2 })]
}

fn survey() -> Fields {
    fields! { "visited" => 64, "findings" => "三成住户飞线充电，缺棚缺桩", "signed" => "委员 顾晓梅" }
}

fn visited(whom: &'static str) -> Fields {
    fields! { "whom" => whom, "said" => "愿意出场地，怕收费高" }
}

fn consultation(leave: Leave) -> Visit {
    visit(
        "consultation",
        vec![
            record("survey", survey()),
            meeting("room", 24, 21, &[("concerned", 8)]),
            ballot("room", 24, 21, 17),
            record("opinions", fields! { "agreed" => "建棚两处，电价封顶", "count" => 5 }),
        ],
        leave,
    )
}

fn results(leave: Leave) -> Visit {
    let report = fields! { "to" => "镇党委", "summary" => "五条意见，一致同意" };
    visit("results", vec![record("outcome_report", report)], leave)
}

fn conversion(leave: Leave) -> Visit {
    visit(
        "conversion",
        vec![
            record(
                "duties",
                fields! { "duties" => "建棚、接电、定价", "unit" => "镇建设办", "due" => 20_500 },
            ),
            record("effects", fields! { "done" => "两处充电棚投用", "open" => 0 }),
            summons(&["供电公司"], "接电容量", "可增容八十千伏安"),
        ],
        leave,
    )
}

fn evaluation() -> Visit {
    visit(
        "evaluation",
        vec![
            record_by(TOWN, "process_evaluation", fields! { "by" => "镇政协工委", "grade" => "good" }),
            record_by(
                NEIGHBOUR,
                "result_evaluation",
                fields! {
                    "by" => "邻村议事室", "lasting" => true, "opinion" => "棚有人管，飞线没了",
                },
            ),
        ],
        Leave::Answer("充电棚已投用，电价每度不超过七角。"),
    )
}

#[test]
fn eight_steps_in_a_closed_loop() {
    let mut visits = before();
    visits.push(visit("participants", participants(), Leave::Go("survey")));
    visits.push(visit(
        "survey",
        vec![
            records("visit", vec![visited("三号楼"), visited("物业公司"), visited("消防志愿队")]),
            record("survey", survey()),
        ],
        Leave::Go("consultation"),
    ));
    visits.extend([
        consultation(Leave::Go("results")),
        results(Leave::Up),
        conversion(Leave::Down(VILLAGE, "已落实，请评价")),
    ]);
    visits.push(evaluation());
    let whole = Play::new("飞线充电怎么治", "楼道里拉线充电，去年烧过一次。", visits);

    // 走过场：没有调研就开会。会开得成，出不了环节。
    let mut visits = before();
    visits.push(visit("participants", participants(), Leave::Go("consultation")));
    visits.extend([
        consultation(Leave::Go("results")),
        results(Leave::Go("conversion")),
        conversion(Leave::Go("evaluation")),
    ]);
    visits.push(evaluation());
    let hurried = Play::new("菜场外摆摊", "没调研就开了会。", visits);
    tell("good_to_discuss", &[whole.major().offline(1..5), hurried]);
}
