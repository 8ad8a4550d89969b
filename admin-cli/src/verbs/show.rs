//! How a matter looks in a terminal: its line in a list, its whole record, what can be done next.

use serde_json::Value;

use super::{at, instant, items, number, text, truth};
use crate::console::Console;
use crate::table::{Cell, Paint, Table};
use crate::trouble::Trouble;
use crate::words;
use crate::words::Lang;

/// The stage: the node's Chinese, our English.
pub(crate) fn stage(matter: &Value, lang: Lang) -> String {
    match (lang, text(matter, "stage_zh")) {
        (Lang::Zh, zh) if !zh.is_empty() => zh.to_owned(),
        _ => words::stage(text(matter, "stage"), lang),
    }
}

/// The deadline in words and its colour.
pub(crate) fn deadline(matter: &Value, lang: Lang) -> (String, Paint) {
    let date = text(matter, "deadline.date");
    if date.is_empty() {
        return (String::new(), Paint::Plain);
    }
    let left = number(matter, "deadline.working_days_left");
    let late = left.unsigned_abs();
    let mut words = match () {
        () if truth(matter, "deadline.overdue") => {
            words!(lang, "超期 {late} 个工作日（{date}）", "{late} working days overdue ({date})")
        }
        () if left == 0 => words!(lang, "今天到期（{date}）", "due today ({date})"),
        () => words!(lang, "还剩 {left} 个工作日（{date}）", "{left} working days left ({date})"),
    };
    if truth(matter, "deadline.provisional") {
        // That year's holiday notice is not out.
        words.push_str(lang.of("·暂定", ", provisional"));
    }
    let paint = match () {
        () if truth(matter, "deadline.overdue") => Paint::Red,
        () if left <= 2 => Paint::Amber,
        () => Paint::Plain,
    };
    (words, paint)
}

/// Where a document is stored: a filled box only for a level that said so itself.
pub(crate) fn stored(document: &Value, lang: Lang) -> String {
    let Some(stored) = at(document, "stored") else { return String::new() };
    let mark = |is: bool| if is { "▣" } else { "□" };
    let mut parts = vec![format!("{}{}", mark(truth(stored, "here")), lang.of("本级", "here"))];
    for level in items(stored, "up") {
        let name = match text(level, "level") {
            "" => text(level, "place.name").to_owned(),
            code => words::level_short(code, lang),
        };
        parts.push(format!("{}{name}", mark(text(level, "state") == "stored")));
    }
    parts.join(" ")
}

/// Matters that may be the same as another, each with the reason.
pub(crate) fn similar(console: &Console, similar: &Value) -> Result<(), Trouble> {
    let lang = console.lang;
    let all = items(similar, "items");
    if all.is_empty() {
        return console.say(lang.of("本机没有相似的事项。", "No matter here is like it."));
    }
    for one in all {
        let Some(matter) = one.get("matter") else { continue };
        let (number, title, stage) = (text(matter, "number"), text(matter, "title"), stage(matter, lang));
        let why = lang.of(text(one, "why_zh"), text(one, "why"));
        console.say(&format!("{number}  {title}  [{stage}]"))?;
        let merged: Vec<&str> = items(one, "merged").iter().filter_map(Value::as_str).collect();
        if !merged.is_empty() {
            let merged = merged.join("、");
            console.say(&words!(lang, "    已并入：{merged}", "    merged into it: {merged}"))?;
        }
        console.say(&format!("    {why}"))?;
    }
    let first = all.first().map(|one| text(one, "matter.number")).unwrap_or_default();
    console.note(&words!(
        lang,
        "是不是同一件由人决定；要并案：yishi matter merge {first} 编号",
        "Whether they are one is for people to decide; to merge: yishi matter merge {first} REF"
    ));
    Ok(())
}

/// A list of matters.
pub(crate) fn list(console: &Console, matters: &Value) -> Result<(), Trouble> {
    let lang = console.lang;
    let all = items(matters, "items");
    if all.is_empty() {
        return console.say(lang.of("没有符合的事项。", "No such matters."));
    }
    let mut table = Table::new(match lang {
        Lang::Zh => &["编号", "标题", "环节", "承办", "期限", "存到"],
        Lang::En => &["Number", "Title", "Stage", "Holder", "Deadline", "Stored"],
    })
    .giving_way(1);
    for matter in all {
        let (words, paint) = deadline(matter, lang);
        table.row(vec![
            text(matter, "number").into(),
            text(matter, "title").into(),
            stage(matter, lang).into(),
            text(matter, "holder.name").into(),
            Cell::new(&words, paint),
            stored(matter, lang).into(),
        ]);
    }
    console.table(&table)?;
    let count = all.len();
    if text(matters, "next_cursor").is_empty() {
        console.note(&words!(lang, "共 {count} 件。", "{count} matters."));
    } else {
        console.note(&words!(
            lang,
            "显示前 {count} 件，还有更多：加 --all 看全部。",
            "The first {count}; there are more: --all shows them."
        ));
    }
    Ok(())
}

/// Facts, one a line, labels lined up; empty ones are left out.
pub(crate) fn facts(console: &Console, facts: &[(&str, Cell)]) -> Result<(), Trouble> {
    let mut table = Table::new(&["", ""]);
    for (label, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        table.row(vec![Cell::new(&format!("  {label}"), Paint::Dim), fact.clone()]);
    }
    let lines = table.lines(console.width, console.colour);
    if lines.len() < 2 {
        return Ok(());
    }
    console.say(&lines.get(1..).unwrap_or_default().join("\n"))
}

/// A matter with its whole record.
pub(crate) fn matter(console: &Console, matter: &Value) -> Result<(), Trouble> {
    let lang = console.lang;
    let head = format!("{}  {}", text(matter, "number"), text(matter, "title"));
    console.say(&console.paint(Paint::Bold, head.trim()))?;
    let (due, paint) = deadline(matter, lang);
    let holder = text(matter, "holder.name");
    let kind = match text(matter, "petitioner.kind") {
        "named" => lang.of("实名（封存）", "named (sealed)"),
        "anonymous" => lang.of("匿名", "anonymous"),
        "proxy" => lang.of("代填", "by proxy"),
        other => other,
    };
    let supports = match number(matter, "supports") {
        0 => String::new(),
        count => count.to_string(),
    };
    facts(
        console,
        &[
            (lang.of("环节", "Stage"), stage(matter, lang).into()),
            (lang.of("程序", "Procedure"), at_stage(matter, lang).into()),
            (lang.of("承办", "Holder"), holder.into()),
            (lang.of("期限", "Deadline"), Cell::new(&due, paint)),
            (
                lang.of("提出", "Raised"),
                format!("{} {}", text(matter, "raised_on"), text(matter, "home.name")).into(),
            ),
            (lang.of("类别", "Category"), text(matter, "category").into()),
            (lang.of("来源", "Source"), [text(matter, "source"), text(matter, "channel")].join(" ").into()),
            (
                lang.of("来源编号", "Their number"),
                [text(matter, "external.system"), text(matter, "external.number")].join(" ").into(),
            ),
            (lang.of("提出人", "Petitioner"), kind.into()),
            (lang.of("校验码", "Check code"), text(matter, "check_code").into()),
            (lang.of("附议", "Supports"), supports.into()),
            (lang.of("已存到", "Stored"), stored(matter, lang).into()),
            (lang.of("标识", "Id"), text(matter, "id").into()),
        ],
    )?;
    if !text(matter, "body").is_empty() {
        console.say("")?;
        console.paragraph(text(matter, "body"), "  ")?;
    }
    lacks(console, matter)?;
    answers(console, matter)?;
    timeline(console, matter)?;
    let held_up = lang.of(text(matter, "held_up.why_zh"), text(matter, "held_up.why"));
    if !held_up.is_empty() {
        let mark = lang.of("  ！暂不能办：", "  ! held up: ");
        console.say(&console.paint(Paint::Red, &format!("{mark}{held_up}")))?;
    }
    for violation in items(matter, "violations") {
        let why = lang.of(text(violation, "why_zh"), text(violation, "why"));
        let why = if why.is_empty() { text(violation, "why") } else { why };
        let mark = lang.of("  ！违规，不计：", "  ! breach of procedure, not counted: ");
        console.say(&console.paint(Paint::Red, &format!("{mark}{why}")))?;
    }
    let next: Vec<&str> = items(matter, "next")
        .iter()
        .map(|next| lang.of(text(next, "label"), text(next, "label_en")))
        .filter(|label| !label.is_empty())
        .collect();
    if !next.is_empty() {
        let next = next.join(lang.of("、", ", "));
        console.say(&words!(lang, "\n下一步可以：{next}", "\nNext: {next}"))?;
    }
    Ok(())
}

/// Where a matter is in its procedure: `四步决策 第 1 版 · 3/6 议事会初决`.
fn at_stage(matter: &Value, lang: Lang) -> String {
    let word = |path: &str| lang.of(text(matter, &format!("{path}.zh")), text(matter, &format!("{path}.en")));
    let title = word("deliberation.procedure.title");
    if title.is_empty() {
        return String::new();
    }
    let version = number(matter, "deliberation.procedure.version");
    let bound = words!(lang, "{title}（第 {version} 版）", "{title} (version {version})");
    match word("deliberation.at.title") {
        "" => bound,
        stage => {
            let (n, of) = (number(matter, "deliberation.at.number"), number(matter, "deliberation.at.of"));
            format!("{bound} · {n}/{of} {stage}")
        }
    }
}

/// What is missing before the matter moves on.
fn lacks(console: &Console, matter: &Value) -> Result<(), Trouble> {
    let Some(deliberation) = at(matter, "deliberation") else { return Ok(()) };
    let lang = console.lang;
    for lack in items(deliberation, "lacks") {
        let why = lang.of(text(lack, "detail_zh"), text(lack, "detail"));
        console.say(&words!(lang, "  还缺：{why}", "  missing: {why}"))?;
    }
    Ok(())
}

fn answers(console: &Console, matter: &Value) -> Result<(), Trouble> {
    let lang = console.lang;
    for answer in items(matter, "answers") {
        let told = if truth(answer, "told") {
            lang.of("已告知提出人", "told")
        } else {
            lang.of("还没告知提出人", "not told yet")
        };
        let (on, place) = (text(answer, "on"), text(answer, "place.name"));
        let head = words!(lang, "答复  {on}  {place}  （{told}）", "Reply  {on}  {place}  ({told})");
        console.say(&format!("\n{}", console.paint(Paint::Bold, &head)))?;
        console.paragraph(text(answer, "text"), "  ")?;
    }
    for rating in items(matter, "ratings") {
        let (score, source) = (number(rating, "score"), words::rating_source(text(rating, "source"), lang));
        let counted = if truth(rating, "counted") { "" } else { lang.of("，不计", ", not counted") };
        let on = text(rating, "on");
        console.say(&words!(
            lang,
            "  评价 {score} 分（{source}{counted}） {on}",
            "  Rated {score} ({source}{counted}) {on}"
        ))?;
    }
    Ok(())
}

fn timeline(console: &Console, matter: &Value) -> Result<(), Trouble> {
    let (lang, acts) = (console.lang, items(matter, "timeline"));
    if acts.is_empty() {
        return Ok(());
    }
    console.say(&format!("\n{}", console.paint(Paint::Bold, lang.of("办理记录", "Record"))))?;
    for act in acts {
        let kind = words::act_kind(text(act, "kind"), text(act, "kind_zh"), lang);
        let mut line =
            format!("{}  {kind}  {} {}", text(act, "on"), text(act, "place.name"), text(act, "by"));
        let verdict = words::verdict(text(act, "verdict"), lang);
        if !verdict.is_empty() {
            line.push_str(&format!("  [{verdict}]"));
        }
        console.paragraph(line.trim_end(), "  ")?;
        for key in ["text", "why"] {
            if !text(act, key).is_empty() {
                console.paragraph(text(act, key), "      ")?;
            }
        }
    }
    let updated = instant(matter, "updated_at");
    if !updated.is_empty() {
        let line = words!(lang, "最近变化 {updated}", "last change {updated}");
        console.say(&console.paint(Paint::Dim, &format!("  {line}")))?;
    }
    Ok(())
}

/// What can be done next, and what cannot and why.
pub(crate) fn next(console: &Console, next: &Value) -> Result<(), Trouble> {
    let lang = console.lang;
    for step in items(next, "items") {
        let wants: Vec<String> = items(step, "fields")
            .iter()
            .map(|field| {
                let name = text(field, "name");
                if truth(field, "required") { name.to_owned() } else { format!("[{name}]") }
            })
            .collect();
        let (act, label) = (text(step, "act"), lang.of(text(step, "label"), text(step, "label_en")));
        console.say(format!("  {act}  {label}  {}", wants.join(" ")).trim_end())?;
        for way in items(step, "stages") {
            let (stage, label) = (text(way, "stage"), lang.of(text(way, "label"), text(way, "label_en")));
            let back = if truth(way, "back") {
                lang.of("（退回，要写理由）", " (back, with a reason)")
            } else {
                ""
            };
            console.say(&format!("      {stage}  {label}{back}"))?;
        }
    }
    if items(next, "items").is_empty() {
        console.say(lang.of("  现在没有能做的。", "  Nothing can be done now."))?;
    }
    for step in items(next, "not_now") {
        let why = match lang.of(text(step, "why_zh"), text(step, "why")) {
            "" => text(step, "why"),
            why => why,
        };
        let act = text(step, "act");
        let line = words!(lang, "  不能 {act}：{why}", "  not {act}: {why}");
        console.say(&console.paint(Paint::Dim, &line))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn stored_is_said_of_a_level_only_when_it_said_so() {
        let matter = json!({"stored": {"here": true, "up": [
            {"level": "township", "state": "stored"}, {"level": "district", "state": "waiting"}]}});
        assert_eq!(stored(&matter, Lang::Zh), "▣本级 ▣镇 □区");
        assert_eq!(stored(&json!({}), Lang::Zh), "");
    }

    #[test]
    fn deadlines_in_words() {
        let of = |left: i64, overdue: bool| {
            let matter = json!({"deadline": {"date": "2026-11-25", "working_days_left": left, "overdue": overdue,
                                             "provisional": overdue}});
            deadline(&matter, Lang::Zh)
        };
        assert_eq!(of(3, false), ("还剩 3 个工作日（2026-11-25）".to_owned(), Paint::Plain));
        assert_eq!(of(0, false), ("今天到期（2026-11-25）".to_owned(), Paint::Amber));
        assert_eq!(of(-2, true), ("超期 2 个工作日（2026-11-25）·暂定".to_owned(), Paint::Red));
        assert_eq!(deadline(&json!({"deadline": null}), Lang::En).0, "");
    }
}
