//! P12: the district asks, two levels reply on record, the commission settles together and signs.

use crate::{
    story::{Leave, Play, ballot, meeting, must_ask, record, tell, visit},
    world::{DISTRICT, TOWN, VILLAGE},
};
use yishi_protocol::procedure::Urgency;

fn case(leave_back: bool) -> Play {
    let asked = || {
        visit(
            "asked",
            vec![
                record("request", fields! { "purpose" => "election", "persons" => 37, "reply_by" => 20_410 }),
                must_ask(&["福洪镇纪委", "区信访局"], "三十七名换届人选有无反映", "逐人回复，见附表"),
            ],
            Leave::Go("checked"),
        )
    };
    let check = fields! { "sources" => "信访、案管、审计台账", "clues" => 2, "notes" => "两人有未了结线索" };
    let checked = |leave| visit("checked", vec![record("check", check.clone())], leave);
    let mut visits = vec![asked(), checked(Leave::Go("settled"))];
    if leave_back {
        visits.push(visit("settled", vec![], Leave::Back("checked", "一人姓名有误，重新核查")));
        visits.push(checked(Leave::Go("settled")));
    }
    visits.push(visit(
        "settled",
        vec![
            meeting("commission", 9, 8, &[]),
            ballot("commission", 9, 8, 8),
            record(
                "reply",
                fields! { "agreed" => 34, "deferred" => 2, "opposed" => 1, "signed" => "纪委书记 签字" },
            ),
        ],
        Leave::Answer("三十七人次意见已回复：无不同意见三十四，暂缓二，不同意一。"),
    ));
    Play::new("村（社区）换届人选廉政意见", "组织部门征求意见，知悉范围见登记。", visits).home(DISTRICT)
}

#[test]
fn an_opinion_is_asked_checked_settled_and_signed() {
    let places = [VILLAGE, TOWN, DISTRICT];
    tell(
        "integrity_reply",
        &[case(true).seen_by(&places).offline(1..3), case(false).seen_by(&places).urgency(Urgency::Urgent)],
    );
}
