//! `yishi link`: how the connections stand. Never "all well" on a part: what waits is counted beside what went.

use serde_json::{Value, json};

use super::{Desk, at, instant, items, number, text};
use crate::args::LinkVerb;
use crate::table::{Cell, Paint, Table};
use crate::trouble::Trouble;
use crate::words::{self, Lang};

/// Runs a verb.
pub async fn run(verb: LinkVerb, desk: &mut Desk) -> Result<(), Trouble> {
    match verb {
        LinkVerb::Status => status(desk).await,
        LinkVerb::Reconnect => {
            let done = desk.client()?.create("/link/reconnect", &json!({})).await?;
            let done = if done.is_null() { json!({"accepted": true}) } else { done };
            if desk.gave(&done)? {
                return Ok(());
            }
            desk.console.say(desk.lang().of(
                "已开始重新连接上级，用 yishi link status 看结果。没送出的都在，通了会自动送到。",
                "Dialling the parent again; yishi link status shows the result. What is waiting is kept and goes by itself.",
            ))
        }
    }
}

async fn status(desk: &mut Desk) -> Result<(), Trouble> {
    let links = desk.client()?.get("/link").await?;
    if desk.gave(&links)? {
        return Ok(());
    }
    let lang = desk.lang();
    let mut table = Table::new(match lang {
        Lang::Zh => {
            &["方向", "对方", "状态", "上次联通", "上次送齐", "待送", "已送", "对方已存", "被拒", "已收"]
        }
        Lang::En => &[
            "",
            "Peer",
            "State",
            "Last contact",
            "In step",
            "Waiting",
            "Sent",
            "Stored there",
            "Refused",
            "Received",
        ],
    });
    let mut whys = Vec::new();
    let up = at(&links, "up").filter(|up| up.is_object());
    let all = up.into_iter().map(|link| (lang.of("上级", "up"), link));
    let all = all.chain(items(&links, "down").iter().map(|link| (lang.of("下级", "down"), link)));
    let mut count = 0;
    for (direction, link) in all {
        count += 1;
        table.row(row(direction, link, lang));
        let why = text(link, "why");
        if !why.is_empty() {
            whys.push(format!("{}：{why}", text(link, "peer.name")));
        }
    }
    if count == 0 {
        return desk.console.say(lang.of(
            "没有上下级连接：这里没有上级，也还没有下级加入。",
            "No links: there is no parent, and no place below has joined yet.",
        ));
    }
    desk.console.table(&table)?;
    for why in whys {
        desk.console.paragraph(&why, "  ")?;
    }
    Ok(())
}

fn row(direction: &str, link: &Value, lang: Lang) -> Vec<Cell> {
    let state = text(link, "state");
    let paint = match state {
        "up" => Paint::Green,
        "refused" => Paint::Red,
        _ => Paint::Amber,
    };
    let count = |key: &str| Cell::from(number(link, key).to_string());
    let refused = number(link, "refused");
    vec![
        direction.into(),
        text(link, "peer.name").into(),
        Cell::new(&words::link_state(state, lang), paint),
        instant(link, "last_contact").into(),
        instant(link, "last_in_step").into(),
        count("waiting"),
        count("sent"),
        count("stored_there"),
        Cell::new(&refused.to_string(), if refused > 0 { Paint::Red } else { Paint::Plain }),
        count("received"),
    ]
}
