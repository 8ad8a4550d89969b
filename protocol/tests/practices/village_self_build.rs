//! P2: a drying yard, asked for by three groups, built by villagers, paid from the service fund and audited.

use crate::{
    story::{
        Fields, Leave, Play, ballot, meeting, posted, record, record_by, records, tell, visit, within_budget,
    },
    world::TOWN,
};

fn need(group: &'static str, households: i64) -> Fields {
    fields! { "group" => group, "need" => "晒粮没有平坝，都晒在公路上", "households" => households }
}

fn budget(amount: i64, note: &'static str) -> Fields {
    fields! { "amount" => amount, "funding" => "service_fund", "note" => note }
}

fn progress(percent: i64, done: &'static str) -> Fields {
    fields! { "percent" => percent, "done" => done, "photo" => "照片 2026-11-01" }
}

fn spent(amount: i64, voucher: &'static str) -> Fields {
    fields! { "amount" => amount, "payee" => "陈家湾施工队", "voucher" => voucher }
}

#[test]
fn the_villagers_ask_decide_build_judge_and_keep() {
    let yard = Play::new(
        "新建晒坝和机耕便道",
        "秋收时粮食晒在公路上，又危险又挨罚，各组都要求修一个晒坝。",
        vec![
            visit(
                "asked",
                vec![
                    records("need", vec![need("一组", 31), need("三组", 27), need("五组", 22)]),
                    record(
                        "options",
                        fields! { "options" => "甲：村委会旁；乙：五组荒坝", "estimate" => 96_000 },
                    ),
                ],
                Leave::Go("decided"),
            ),
            visit(
                "decided",
                vec![
                    record_by(TOWN, "risk", fields! { "risks" => "涉及两户青苗补偿", "level" => "low" }),
                    record("budget", budget(96_000, "村公资金")),
                    meeting("households", 120, 86, &[]),
                    ballot("households", 120, 86, 71),
                    posted("拟在五组荒坝修建晒坝，预算九万六千元", "离坟山太近", "已往东移十五米，双方签字"),
                ],
                Leave::Go("built"),
            ),
            visit(
                "built",
                vec![
                    record(
                        "builder",
                        fields! {
                            "builder" => "陈家湾施工队", "chosen_by" => 78, "watchers" => "李国富、周桂英",
                        },
                    ),
                    records("progress", vec![progress(40, "地基夯实"), progress(100, "面层完工")]),
                    record("spending", spent(93_500, "凭证 011")),
                    within_budget(
                        ("spending", spent(4_300, "凭证 012")),
                        ("budget", budget(1_800, "户代表会追加")),
                    ),
                ],
                Leave::Go("judged"),
            ),
            visit(
                "judged",
                vec![
                    record(
                        "acceptance",
                        fields! { "households" => 64, "satisfied" => 62, "defects" => "排水沟加盖" },
                    ),
                    meeting("supervisors", 5, 5, &[]),
                    record_by(TOWN, "audit", fields! { "opinion" => "凭证齐全", "clean" => true }),
                    posted("晒坝决算公示", "水泥单价偏高", "附三家询价单"),
                ],
                Leave::Go("kept"),
            ),
            visit(
                "kept",
                vec![record(
                    "keeper",
                    fields! {
                        "keeper" => "五组 罗明贵", "duties" => "清扫、排水、收割季排班", "until" => 21_500,
                    },
                )],
                Leave::Answer("晒坝已建成，管护公约贴在坝口。"),
            ),
        ],
    );
    tell("village_self_build", &[yard.major().offline(0..1)]);
}
