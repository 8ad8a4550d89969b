//! P1: the courier's diary, the party organisation's meeting, the street, and the reply.

use crate::{
    story::{Fields, Leave, Play, meeting, record, record_by, summons, tell, visit},
    world::VILLAGE,
};
use yishi_protocol::procedure::Urgency;

fn sheet(channel: &'static str, said: &'static str) -> Fields {
    fields! {
        "courier" => "民情专递员 张素芬", "channel" => channel, "collected_on" => 20_399, "households" => 46,
        "opinion" => said,
    }
}

fn handled(unit: &'static str, how: &'static str) -> Fields {
    fields! { "unit" => unit, "person" => "刘建国", "measures" => how, "result" => "solved" }
}

fn feedback() -> Fields {
    fields! { "told_by" => "张素芬", "content" => "satisfied", "wishes" => "希望每季度都来听一次" }
}

#[test]
fn every_opinion_has_its_record_its_discussion_and_its_reply() {
    let lamps = Play::new(
        "三组老院落楼道灯坏了半年",
        "王大爷家访时说，晚上摸黑上楼，上个月摔了一跤。",
        vec![
            visit(
                "recorded",
                vec![record("collection", sheet("home_visit", "楼道灯坏了，老人不敢出门"))],
                Leave::Go("discussed"),
            ),
            visit(
                "discussed",
                vec![
                    meeting("party_meeting", 9, 7, &[]),
                    record("handling", handled("社区便民服务站", "联系电工，更换声控灯十二盏")),
                ],
                Leave::Go("answered"),
            ),
            visit("answered", vec![record("feedback", feedback())], Leave::Answer("灯已换好，请大家爱护。")),
        ],
    );
    let gas = Play::new(
        "老旧天然气立管锈蚀",
        "民情日记：二单元住户反映闻到气味。",
        vec![
            visit(
                "recorded",
                vec![record("collection", sheet("diary", "立管锈蚀，闻到气味"))],
                Leave::Go("discussed"),
            ),
            visit(
                "discussed",
                vec![
                    meeting("party_meeting", 9, 8, &[]),
                    record("handling", handled("社区", "先关阀疏散，报街道")),
                ],
                Leave::Up,
            ),
            visit(
                "street",
                vec![
                    record("handling", handled("街道安全办", "协调燃气公司更换立管")),
                    summons(&["市燃气公司"], "何时更换立管", "三日内更换完毕"),
                ],
                Leave::Down(VILLAGE, "已换好，请村里反馈"),
            ),
            visit(
                "answered",
                vec![record_by(VILLAGE, "feedback", feedback())],
                Leave::Answer("立管已全部更换并检测合格。"),
            ),
        ],
    );
    tell("opinion_courier", &[lamps.offline(0..2), gas.urgency(Urgency::Urgent)]);
}
