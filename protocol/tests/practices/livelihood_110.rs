//! P10: hours by the clock, a duty unit, and a revisit by somebody else.

use crate::{
    story::{Leave, Opener, Play, Visit, record, record_by, summons, tell, visit},
    world::{NEIGHBOUR, VILLAGE},
};
use yishi_protocol::procedure::Urgency;

fn reported() -> Vec<Opener> {
    vec![
        record(
            "call",
            fields! { "called_at" => "02:14", "where" => "东关巷 7 号", "what" => "水管爆裂，水漫进屋" },
        ),
        record("dispatch", fields! { "unit" => "自来水抢修队", "sent_at" => "02:21" }),
    ]
}

fn on_site(leave: Leave) -> Visit {
    visit(
        "on_site",
        vec![
            record(
                "action",
                fields! { "arrived_at" => "02:50", "done" => "关阀换管，抽水", "lasting" => true },
            ),
            summons(&["住建局"], "管网何时改造", "列入明年计划"),
        ],
        leave,
    )
}

fn revisited() -> Visit {
    visit(
        "revisited",
        vec![record_by(
            NEIGHBOUR,
            "revisit",
            fields! {
                "reached" => "phone", "satisfied" => true, "words" => "半夜来得快",
            },
        )],
        Leave::Answer("水管已换，管网改造列入明年计划。"),
    )
}

#[test]
fn a_burst_pipe_at_night_is_handled_within_hours() {
    let pipe = Play::new(
        "半夜水管爆裂",
        "一位独居老人打来电话。",
        vec![
            visit("reported", reported(), Leave::Go("on_site")),
            on_site(Leave::Go("revisited")),
            revisited(),
        ],
    );
    // 村里修不了，一级一级上报，修好后退回，由村里答复。
    let dark = Play::new(
        "全村停电",
        "变压器烧毁。",
        vec![
            visit("reported", reported(), Leave::Up),
            on_site(Leave::Up),
            on_site(Leave::Down(VILLAGE, "已抢修，请村里回访")),
            revisited(),
        ],
    );
    let small = Play::new(
        "问停水通知",
        "电话里说清楚了。",
        vec![
            visit("reported", reported(), Leave::Go("on_site")),
            visit("on_site", vec![], Leave::Answer("今晚八点恢复。")),
        ],
    );
    tell(
        "livelihood_110",
        &[pipe.urgency(Urgency::Immediate).offline(0..2), dark.urgency(Urgency::Urgent), small.minor()],
    );
}
