//! P8: a clue about a village's own secretary: the village is not among those who see it, and writes nothing.

use crate::{
    story::{Fields, Leave, Opener, Play, meeting, record, records, summons, tell, visit},
    world::{DISTRICT, TOWN},
};
use yishi_protocol::procedure::Urgency;

fn clue() -> Fields {
    fields! {
        "found_by" => "inspection", "clue" => "巡察发现：村支书之子承包集体鱼塘，五年未交租",
        "handlers" => "镇纪委书记、室主任、组长",
    }
}

fn checks() -> Opener {
    let side = |side: &'static str, facts: &'static str| fields! { "side" => side, "facts" => facts };
    records(
        "joint_check",
        vec![
            side("office", "查阅合同三份，租金未入账"),
            side("group", "谈话四人，承认未交"),
            side("locality", "走访十一户，情况属实"),
        ],
    )
}

fn dispatch() -> Opener {
    record("dispatch", fields! { "to" => "姚渡镇纪委", "points" => "合同、流水、经手人", "due" => 20_430 })
}

fn conclusion() -> Vec<Opener> {
    let said =
        fields! { "finding" => "true", "measures" => "立案审查，追缴租金，重新发包", "returned" => 46_000 };
    vec![record("conclusion", said)]
}

#[test]
fn a_clue_is_handed_over_at_once_and_closed_within_a_month() {
    // 登记在镇，上报区里分办，退回镇里核查，再上报区里办结。
    let secretary = Play::new(
        "集体鱼塘租金五年未入账",
        "涉及村党组织书记本人，涉及的村不在可见范围内。",
        vec![
            visit("handed_over", vec![record("clue", clue())], Leave::Up),
            visit(
                "assigned",
                vec![meeting("case_meeting", 9, 7, &[]), dispatch()],
                Leave::Down(TOWN, "请联合核查，二十日内报结果"),
            ),
            visit("checked", vec![checks(), summons(&["镇经管站"], "鱼塘租金台账", "五年无入账")], Leave::Up),
            visit("concluded", conclusion(), Leave::Answer("属实，已立案并追缴租金。")),
        ],
    );
    // 登记在区，区里直接核查；镇里只看。
    let direct = Play::new(
        "惠农补贴重复领取",
        "派驻组移交。",
        vec![
            visit("handed_over", vec![record("clue", clue())], Leave::Go("assigned")),
            visit("assigned", vec![meeting("case_meeting", 9, 8, &[]), dispatch()], Leave::Go("checked")),
            visit(
                "checked",
                vec![checks(), summons(&["区农业农村局"], "发放名册", "已附")],
                Leave::Go("concluded"),
            ),
            visit("concluded", conclusion(), Leave::Answer("已退还重复领取部分。")),
        ],
    );
    let places = [TOWN, DISTRICT];
    tell(
        "linked_supervision",
        &[
            secretary.major().home(TOWN).seen_by(&places).urgency(Urgency::Immediate),
            direct.home(DISTRICT).seen_by(&places).offline(0..2),
        ],
    );
}
