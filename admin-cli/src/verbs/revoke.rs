//! `yishi place revoke` and `admit`: shown first, with the list of what will not count; then done.

use serde_json::{Value, json};

use super::place::descendants;
use super::{Desk, instant, items, number, text, truth};
use crate::client::escaped;
use crate::trouble::Trouble;
use crate::words;
use crate::words::Lang;

/// Documents shown before the question; the node's answer has more.
const SHOWN_MAX: usize = 20;

/// The same request, only to be told what would happen.
pub(super) fn preview(body: &Value) -> Value {
    let mut asked = body.clone();
    if let Some(fields) = asked.as_object_mut() {
        fields.insert("preview".to_owned(), json!(true));
    }
    asked
}

/// Revokes a place below.
pub async fn revoke(desk: &mut Desk, wanted: &str, body: Value, yes: bool) -> Result<(), Trouble> {
    let lang = desk.lang();
    let path = format!("/places/{}/revoke", escaped(wanted));
    if !yes {
        let places = desk.client()?.list("/places", usize::MAX).await?;
        let coming = desk.client()?.create(&path, &preview(&body)).await?;
        let mut told = consequence(items(&places, "items"), wanted, lang);
        told.push_str(&uncounted(&coming, lang));
        desk.console.confirm(&told, false)?;
    }
    let done = desk.client()?.act(&path, &body).await?;
    if desk.gave(&done)? {
        return Ok(());
    }
    let certificates = number(&done, "revoked_certificates");
    let link = match (truth(&done, "link_closed"), number(&done, "kept_keys")) {
        (true, _) => lang.of("连接已断开。", "Its link is closed."),
        (_, 0) => lang.of("当时没有连接。", "It was not connected."),
        _ => lang.of("换上的新钥匙照常使用。", "The key that replaced it goes on."),
    };
    desk.console.say(&words!(
        lang,
        "已撤销「{wanted}」，作废证书 {certificates} 份。{link}已经收到的全部保留。",
        "“{wanted}” is revoked, {certificates} certificates with it. {link} All that came before is kept."
    ))?;
    let (changes, documents) = (number(&done, "uncounted_changes"), number(&done, "uncounted_documents"));
    if changes > 0 {
        desk.console.say(&words!(
            lang,
            "其中 {documents} 件里的 {changes} 处不算数。核实后可用 yishi place admit 采纳。",
            "{changes} changes in {documents} documents do not count. After checking them, let them count with yishi place admit."
        ))?;
    }
    Ok(())
}

fn consequence(all: &[Value], wanted: &str, lang: Lang) -> String {
    let named = |place: &&Value| ["id", "code", "name"].iter().any(|key| text(place, key) == wanted);
    let found: Vec<&Value> = all.iter().filter(named).collect();
    match found.as_slice() {
        [place] => {
            let (name, code, open) =
                (text(place, "name"), text(place, "code"), number(place, "open_matters"));
            let below = descendants(all, text(place, "id"));
            words!(
                lang,
                "将撤销 {name}（{code}）：\n  · 撤销的钥匙马上断开，此后写的内容不再算数；已经收到的全部保留。\n  · 它的下级 {below} 个，也不能再经过它送来内容。\n  · 它有 {open} 件未办结的事项，需要由上级接办。\n  · 要恢复，得重新邀请（yishi place invite {code} --replace）。",
                "{name} ({code}) will be revoked:\n  · The revoked key is shut out at once and what it writes from now on does not count. All that came before is kept.\n  · The {below} places below it can send nothing through it either.\n  · Its {open} open matters have to be taken over from above.\n  · To bring it back, invite it anew (yishi place invite {code} --replace)."
            )
        }
        _ => words!(
            lang,
            "将撤销「{wanted}」：它的连接马上断开，此后写的内容不再算数；已经收到的全部保留。",
            "“{wanted}” will be revoked: its link closes at once and what it writes from now on does not count. All that came before is kept."
        ),
    }
}

/// What will not count, for the person who is about to say yes.
fn uncounted(coming: &Value, lang: Lang) -> String {
    let mut told = String::new();
    if number(coming, "kept_keys") > 0 {
        told.push_str(lang.of(
            "\n  · 只撤旧钥匙；换上的新钥匙照常使用。",
            "\n  · Only the old key ends; the one that replaced it goes on.",
        ));
    }
    if text(coming, "counted_until").is_empty() {
        told.push_str(lang.of(
            "\n  · 本机已经收下的全部算数。如果是被盗，请用 --since 写明失窃的时间。",
            "\n  · All that this node has stored counts. If the key was stolen, say since when with --since.",
        ));
        return told;
    }
    let (until, changes, documents) = (
        instant(coming, "counted_until"),
        number(coming, "uncounted_changes"),
        number(coming, "uncounted_documents"),
    );
    told.push_str(&words!(
        lang,
        "\n  · {until} 起收下的不算数：{documents} 件，{changes} 处。",
        "\n  · What was stored since {until} will not count: {changes} changes in {documents} documents."
    ));
    let listed = items(coming, "uncounted");
    for doc in listed.iter().take(SHOWN_MAX) {
        let number_of = text(doc, "number");
        let short: String = text(doc, "document").chars().take(12).collect();
        let name = if number_of.is_empty() { short.as_str() } else { number_of };
        let (title, count) = (text(doc, "title"), number(doc, "changes"));
        told.push_str(&words!(
            lang,
            "\n      {name} {title}（{count} 处）",
            "\n      {name} {title} ({count})"
        ));
    }
    if listed.len() > SHOWN_MAX {
        let more = listed.len() - SHOWN_MAX;
        told.push_str(&words!(lang, "\n      …… 还有 {more} 件", "\n      … and {more} more"));
    }
    let places: Vec<&str> = items(coming, "places_not_vouched_for").iter().map(|p| text(p, "name")).collect();
    if !places.is_empty() {
        let places = places.join("、");
        told.push_str(&words!(
            lang,
            "\n  · 此后由它发的证书一并作废：{places}。",
            "\n  · Certificates it issued since end too: {places}."
        ));
    }
    told
}

/// Lets count what a revoked key wrote.
pub async fn admit(desk: &mut Desk, wanted: &str, body: Value, yes: bool) -> Result<(), Trouble> {
    let lang = desk.lang();
    let path = format!("/places/{}/admit", escaped(wanted));
    if !yes {
        let coming = desk.client()?.create(&path, &preview(&body)).await?;
        let documents = number(&coming, "documents");
        let told = words!(
            lang,
            "「{wanted}」被撤销的钥匙写的内容，将在 {documents} 件里重新算数。采纳以后不能再收回。",
            "What the revoked keys of “{wanted}” wrote will count again in {documents} documents. This cannot be taken back."
        );
        desk.console.confirm(&told, false)?;
    }
    let done = desk.client()?.act(&path, &body).await?;
    if desk.gave(&done)? {
        return Ok(());
    }
    let documents = number(&done, "documents");
    desk.console.say(&words!(lang, "已采纳：{documents} 件。", "Admitted: {documents} documents."))
}
