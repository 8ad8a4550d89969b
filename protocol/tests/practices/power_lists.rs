//! P11: what the list says: decided here, here under a delegation, or above.

use crate::{
    story::{Fields, Leave, Opener, Play, Visit, meeting, posted, record, records, summons, tell, visit},
    world::VILLAGE,
};

fn item(level: &'static str) -> Vec<Opener> {
    let said: Fields = fields! {
        "item" => "村级小微权力清单 第 17 项", "power" => "宅基地临时用地初审", "level" => level, "duty" => "村主任 邓志强",
    };
    vec![record("list_item", said)]
}

fn decision() -> Opener {
    record("decision", fields! { "decision" => "同意临时占用两个月", "granted" => true })
}

fn here(leave: Leave) -> Visit {
    let delegation =
        fields! { "by" => "大瑶镇人民政府", "document" => "大政委〔2026〕8 号", "until" => 20_900 };
    visit(
        "decided_here",
        vec![record("delegation", delegation), meeting("committees", 9, 7, &[]), decision()],
        leave,
    )
}

fn rest() -> Vec<Visit> {
    let step =
        |step: &'static str, days: i64| fields! { "step" => step, "done_by" => "文书 唐敏", "days" => days };
    vec![
        visit(
            "processed",
            vec![records("process", vec![step("现场踏勘", 1), step("四邻签字", 2)])],
            Leave::Go("posted"),
        ),
        visit(
            "posted",
            vec![
                posted("宅基地临时用地审批结果", "占了排水沟", "改线，沟外侧一米"),
                record("supervision", fields! { "found" => "流程齐全，用时三个工作日" }),
            ],
            Leave::Answer("同意，用满两个月恢复原状。"),
        ),
    ]
}

fn case(title: &'static str, mut visits: Vec<Visit>) -> Play {
    visits.extend(rest());
    Play::new(title, "看得见的要管得着，管不着的要报上去。", visits)
}

#[test]
fn who_may_decide_is_looked_up_first() {
    let own = case(
        "临时占地堆料",
        vec![visit("looked_up", item("here"), Leave::Go("decided_here")), here(Leave::Go("processed"))],
    );
    let delegated = case(
        "沿街门面搭棚",
        vec![visit("looked_up", item("township"), Leave::Go("decided_here")), here(Leave::Go("processed"))],
    );
    let above = case(
        "占用林地",
        vec![
            visit("looked_up", item("district"), Leave::Up),
            visit(
                "decided_above",
                vec![decision(), summons(&["区林业局"], "是否生态红线内", "不在红线内")],
                Leave::Down(VILLAGE, "已批，请按流程办理"),
            ),
        ],
    );
    tell("power_lists", &[own.offline(0..3), delegated.major(), above]);
}
