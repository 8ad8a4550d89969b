//! `yishi matter supervision`: what is late, who is not heard from, what arrived late.

use serde_json::Value;

use super::{Desk, instant, items, number, text};
use crate::import::clean::for_terminal;
use crate::table::{Cell, Paint, Table};
use crate::trouble::Trouble;
use crate::words;
use crate::words::Lang;

/// Shows it.
pub(super) async fn show(desk: &mut Desk) -> Result<(), Trouble> {
    let view = desk.client()?.get("/supervision").await?;
    if desk.gave(&view)? {
        return Ok(());
    }
    let lang = desk.lang();
    for (list, zh, en) in [
        ("raised", "提级督办", "Raised one level"),
        ("named", "超期", "Late"),
        ("soon", "快到期", "Due soon"),
    ] {
        let rows = items(&view, list);
        let (title, count) = (lang.of(zh, en), rows.len());
        desk.console.say(&words!(lang, "{title}：{count} 件", "{title}: {count}"))?;
        if !rows.is_empty() {
            desk.console.table(&matters(rows, lang))?;
        }
    }
    let silent = items(&view, "not_heard");
    let count = silent.len();
    desk.console.say(&words!(lang, "没有联系上：{count} 个单位", "Not heard from: {count} places"))?;
    for s in silent {
        let name = for_terminal(text(s, "place.name"));
        let last = match text(s, "last_contact") {
            "" => lang.of("从未联系", "never").to_owned(),
            _ => instant(s, "last_contact"),
        };
        let open = number(s, "matters");
        desk.console.say(&words!(
            lang,
            "  {name}：最近联系 {last}，{open} 件过了期限，情况未知",
            "  {name}: last heard from {last}; {open} matters past their day, state unknown"
        ))?;
    }
    let late = items(&view, "late");
    let count = late.len();
    desk.console.say(&words!(lang, "迟到：{count} 件", "Arrived late: {count}"))?;
    for l in late {
        let (no, title) = (for_terminal(text(l, "number")), for_terminal(text(l, "title")));
        desk.console.say(&format!("  {no} {title}"))?;
    }
    Ok(())
}

fn matters(rows: &[Value], lang: Lang) -> Table {
    let headers = match lang {
        Lang::Zh => ["编号", "事项", "承办单位", "期限", "超期工作日", "已督办"],
        Lang::En => ["Number", "Matter", "Holder", "Due", "Days over", "Urged"],
    };
    let mut table = Table::new(&headers).giving_way(1);
    for m in rows {
        let over = number(m, "days_over");
        table.row(vec![
            Cell::from(for_terminal(text(m, "number"))),
            Cell::from(for_terminal(text(m, "title"))),
            Cell::from(for_terminal(text(m, "holder.name"))),
            Cell::from(text(m, "due")),
            Cell::new(&over.to_string(), if over > 0 { Paint::Red } else { Paint::Dim }),
            Cell::from(text(m, "urged")),
        ]);
    }
    table
}
