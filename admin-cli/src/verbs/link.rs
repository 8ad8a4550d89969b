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
    if at(&links, "active").and_then(Value::as_bool) == Some(false) {
        stood_down(desk, &links)?;
    }
    Ok(())
}

/// The machine asked was taken over: what it alone has is listed, for it goes nowhere by itself.
fn stood_down(desk: &mut Desk, links: &Value) -> Result<(), Trouble> {
    let count = number(links, "only_here_documents");
    let words = match desk.lang() {
        Lang::Zh => format!(
            "本单位已由另一台机器接管，这台只供查看。{count} 件有没送到上级的内容，只在这台机器上，还不算数。要送去：上级 yishi place activate，这台停下后 yishi-node takeover 准许码。"
        ),
        Lang::En => format!(
            "Another machine has taken this place over; this one can only be read. {count} matters have something that is on this machine only and does not count yet. To send it: `yishi place activate` above, then stop this node and `yishi-node takeover TOKEN`."
        ),
    };
    desk.console.paragraph(&words, "")?;
    for matter in items(links, "only_here") {
        let name = match text(matter, "number") {
            "" => text(matter, "document"),
            number => number,
        };
        desk.console.say(&format!("  {name}  {}", text(matter, "title")))?;
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
