//! `yishi place move`, `merge` and `recode`: shown first, then done.

use serde_json::Value;

use super::revoke::preview;
use super::{Desk, number, text};
use crate::client::escaped;
use crate::trouble::Trouble;
use crate::words;
use crate::words::Lang;

/// Places a place below anew.
pub async fn run(desk: &mut Desk, wanted: &str, body: &Value, yes: bool) -> Result<(), Trouble> {
    let lang = desk.lang();
    let path = format!("/places/{}/placement", escaped(wanted));
    if !yes {
        let coming = desk.client()?.create(&path, &preview(body)).await?;
        desk.console.confirm(&consequence(&coming, lang), false)?;
    }
    let done = desk.client()?.act(&path, body).await?;
    if desk.gave(&done)? {
        return Ok(());
    }
    let (name, code, times) =
        (text(&done, "called.name"), text(&done, "called.code"), number(&done, "number"));
    desk.console.say(&words!(
        lang,
        "已办：{name}（{code}），第 {times} 次变更。断网的单位联通后就会知道。",
        "Done: {name} ({code}), change number {times}. Places that are offline hear of it when they are back."
    ))
}

fn consequence(coming: &Value, lang: Lang) -> String {
    let (name, code) = (text(coming, "place.name"), text(coming, "place.code"));
    let mut told = words!(lang, "{name}（{code}）将这样变更：", "{name} ({code}) will change:");
    let (new, new_code) = (text(coming, "called.name"), text(coming, "called.code"));
    if (new, new_code) != (name, code) {
        told.push_str(&words!(
            lang,
            "\n  · 改称 {new}（{new_code}）。标识、编号和已有记录不变。",
            "\n  · It is called {new} ({new_code}) from now on. Ids, numbers and records stay."
        ));
    }
    let (old, parent) = (text(coming, "old_parent.name"), text(coming, "parent.name"));
    let below = number(coming, "places_below");
    if text(coming, "old_parent.id") != text(coming, "parent.id") || old != parent {
        told.push_str(&words!(
            lang,
            "\n  · 由 {old} 划归 {parent}，它的下级 {below} 个一同划转。\n  · {old} 看得到的事项，{parent} 也将看到；{old} 保留已有的，不再收到新的。",
            "\n  · It goes from {old} to {parent}, and the {below} places below go with it.\n  · What {old} could see, {parent} will see; {old} keeps what it has and gets nothing new."
        ));
    }
    let (into, open) = (text(coming, "into.name"), number(coming, "open_matters"));
    if !into.is_empty() {
        told.push_str(&words!(
            lang,
            "\n  · 并入 {into}：未办结的 {open} 件由 {into} 接着办，{name} 不能再登记新事项。",
            "\n  · It is merged into {into}, which goes on with its {open} open matters; {name} raises nothing new."
        ));
    }
    told
}
