//! `yishi matter forget`: have a petitioner forgotten, or see who has.

use crate::{
    client::escaped,
    trouble::Trouble,
    verbs::{Desk, fields, items, text, truth},
    words,
};
use serde_json::Value;

/// Orders it if confirmed; tells who has forgotten and who has not said so yet.
pub(crate) async fn forget(
    desk: &mut Desk,
    reference: &str,
    confirm: Option<String>,
    reason: Option<String>,
) -> Result<(), Trouble> {
    let path = format!("/matters/{}/forget", escaped(reference));
    let told = match confirm {
        Some(confirm) => {
            let order = fields(&[("confirm", Some(confirm.into())), ("reason", reason.map(Value::from))]);
            desk.client()?.act(&path, &order).await?
        }
        None => desk.client()?.get(&path).await?,
    };
    if desk.gave(&told)? {
        return Ok(());
    }
    let names = |list: &str| {
        let names: Vec<&str> = items(&told, list).iter().map(|place| text(place, "name")).collect();
        names.join("、")
    };
    let (done, waiting) = (items(&told, "done").len(), items(&told, "waiting").len());
    let line = match (truth(&told, "forgotten"), waiting) {
        (false, _) => words!(
            desk.lang(),
            "没有要求忘记 {reference} 的来访人。",
            "Nobody has asked to forget the petitioner of {reference}."
        ),
        (true, 0) => words!(
            desk.lang(),
            "{reference} 的来访人已在全部 {done} 处忘记：{}。公开的记录不变。",
            "The petitioner of {reference} is forgotten at all {done}: {}. The public record is unchanged.",
            names("done")
        ),
        (true, _) => words!(
            desk.lang(),
            "{reference} 的来访人已在 {} 处中的 {done} 处忘记：{}；等着 {}，联通后自动办理。",
            "The petitioner of {reference} is forgotten at {done} of {}: {}; waiting for {}, which happens by itself once connected.",
            done + waiting,
            names("done"),
            names("waiting")
        ),
    };
    desk.console.say(&line)
}
