//! `yishi attachment …`: photos, where they are, and letting go of those the place above has.

use serde_json::{Value, json};

use super::{Desk, items, number, text, truth};
use crate::args::AttachmentVerb;
use crate::client::escaped;
use crate::import::clean::for_terminal;
use crate::table::{Cell, Paint, Table};
use crate::trouble::Trouble;
use crate::words;
use crate::words::Lang;

/// Runs one verb.
pub(super) async fn run(verb: AttachmentVerb, desk: &mut Desk) -> Result<(), Trouble> {
    match verb {
        AttachmentVerb::List => list(desk).await,
        AttachmentVerb::LetGo { file: Some(file), .. } => {
            let gone = let_go(desk, &file).await?;
            if desk.gave(&gone)? {
                return Ok(());
            }
            let size = size(&gone);
            let line = words!(
                desk.lang(),
                "已从本机清出（{size}）。上级有；有人要看时自动取回。",
                "Let go here ({size}). The place above has it; it is fetched again when somebody looks."
            );
            desk.console.say(&line)
        }
        AttachmentVerb::LetGo { file: None, .. } => let_all_go(desk).await,
    }
}

async fn let_go(desk: &mut Desk, file: &str) -> Result<Value, Trouble> {
    desk.client()?.act(&format!("/attachments/{}/let-go", escaped(file)), &json!({})).await
}

/// Every photo, page by page.
async fn all(desk: &mut Desk) -> Result<Vec<Value>, Trouble> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = desk.client()?.get(&format!("/attachments?limit=500{cursor}")).await?;
        rows.extend(items(&page, "items").iter().cloned());
        match text(&page, "next_cursor") {
            "" => return Ok(rows),
            next => cursor = format!("&cursor={}", escaped(next)),
        }
    }
}

async fn list(desk: &mut Desk) -> Result<(), Trouble> {
    let rows = all(desk).await?;
    if desk.gave(&json!({ "items": rows }))? {
        return Ok(());
    }
    let lang = desk.lang();
    let headers = match lang {
        Lang::Zh => ["照片", "大小", "本机", "上级", "事项"],
        Lang::En => ["Photo", "Size", "Here", "Above", "Matters"],
    };
    let mut table = Table::new(&headers).giving_way(4);
    for f in &rows {
        let matters: Vec<&str> = items(f, "matters").iter().filter_map(Value::as_str).collect();
        let (have, pieces) = (number(f, "have"), number(f, "pieces"));
        let (here, paint) = match text(f, "state") {
            "here" => (lang.of("有", "yes").to_owned(), Paint::Plain),
            "let_go" => (lang.of("已清出", "let go").to_owned(), Paint::Dim),
            _ => (format!("{have}/{pieces}"), Paint::Amber),
        };
        let above = if truth(f, "above") { lang.of("有", "yes") } else { lang.of("还没有", "not yet") };
        table.row(vec![
            Cell::from(text(f, "file")),
            Cell::from(size(f)),
            Cell::new(&here, paint),
            Cell::from(above),
            Cell::from(for_terminal(&matters.join(lang.of("、", ", ")))),
        ]);
    }
    if rows.is_empty() {
        return desk.console.say(lang.of("没有照片。", "There are no photos."));
    }
    desk.console.table(&table)
}

async fn let_all_go(desk: &mut Desk) -> Result<(), Trouble> {
    let rows = all(desk).await?;
    let may = |f: &&Value| text(f, "state") == "here" && truth(f, "above");
    let (mut gone, mut bytes) = (Vec::new(), 0);
    for f in rows.iter().filter(may) {
        gone.push(let_go(desk, text(f, "file")).await?);
        bytes += number(f, "size");
    }
    if desk.gave(&json!({ "items": gone }))? {
        return Ok(());
    }
    let (count, size) = (gone.len(), sized(bytes));
    let kept = rows.iter().filter(|f| text(f, "state") == "here" && !truth(f, "above")).count();
    let line = words!(
        desk.lang(),
        "清出 {count} 张照片（{size}）；{kept} 张上级还没有，留在本机。腾出的地方由以后的记录使用，文件本身不会变小。",
        "{count} photos let go ({size}); {kept} are not above yet and stay. The room is used by what comes next; the file itself does not shrink."
    );
    desk.console.say(&line)
}

fn size(file: &Value) -> String {
    sized(number(file, "size"))
}

fn sized(bytes: i64) -> String {
    match bytes {
        1_048_576.. => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
        _ => format!("{} KB", bytes / 1024 + i64::from(bytes % 1024 > 0)),
    }
}
