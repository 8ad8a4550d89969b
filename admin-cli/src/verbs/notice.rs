//! `yishi notice` and `yishi stub`: what is made known below, and matters below that are opened on record.

use serde_json::{Value, json};

use super::{Desk, fields, items, number, text, truth};
use crate::args::{NoticeVerb, StubVerb};
use crate::client::{escaped, with_query};
use crate::console::Console;
use crate::table::{Cell, Paint, Table};
use crate::trouble::Trouble;
use crate::words;
use crate::words::Lang;

/// Runs a verb on notices.
pub async fn run(verb: NoticeVerb, desk: &mut Desk) -> Result<(), Trouble> {
    let lang = desk.lang();
    match verb {
        NoticeVerb::Give { title, text: given, sort, category, until, to, replaces, yes } => {
            let said = desk.console.text(&given)?;
            let mut body = fields(&[
                ("sort", Some(json!(sort))),
                ("title", Some(json!(title))),
                ("text", Some(json!(said))),
                ("category", category.map(Value::from)),
                ("until", until.map(Value::from)),
                ("to", Some(json!(to))),
                ("replaces", replaces.map(Value::from)),
            ]);
            desk.numbers(&mut body);
            if !yes {
                let coming = desk.client()?.act("/notices/stage", &body).await?;
                desk.console.confirm(&consequence(&coming, lang), false)?;
            }
            let made = desk.client()?.create("/notices", &body).await?;
            if desk.gave(&made)? {
                return Ok(());
            }
            let id = short(text(&made, "id"));
            desk.console.say(&words!(
                lang,
                "已发出「{title}」，标识 {id}。断网的单位联通后收到。",
                "Given: “{title}”, id {id}. Places that are offline receive it when they are back."
            ))
        }
        NoticeVerb::List { sort, all, limit } => {
            let path = with_query("/notices", &[("sort", sort), ("all", all.then(|| "yes".to_owned()))]);
            let notices = desk.client()?.list(&path, limit).await?;
            if desk.gave(&notices)? {
                return Ok(());
            }
            let mut table = Table::new(match lang {
                Lang::Zh => &["标识", "种类", "标题", "发出单位", "日期", "有效到", ""],
                Lang::En => &["Id", "Sort", "Title", "Given by", "On", "Until", ""],
            });
            for notice in items(&notices, "items") {
                table.row(vec![
                    short(text(notice, "id")).into(),
                    sort_word(text(notice, "sort"), lang).into(),
                    text(notice, "title").into(),
                    text(notice, "place.name").into(),
                    text(notice, "on").into(),
                    text(notice, "until").into(),
                    ended(notice, lang).into(),
                ]);
            }
            desk.console.table(&table)
        }
        NoticeVerb::Show { id } => {
            let notice = desk.client()?.get(&format!("/notices/{}", escaped(&id))).await?;
            if desk.gave(&notice)? {
                return Ok(());
            }
            show(&desk.console, &notice)
        }
        NoticeVerb::Recall { id, reason } => {
            let path = format!("/notices/{}/recall", escaped(&id));
            let notice = desk.client()?.act(&path, &json!({ "reason": reason })).await?;
            if desk.gave(&notice)? {
                return Ok(());
            }
            let title = text(&notice, "title");
            desk.console.say(&words!(
                lang,
                "已收回「{title}」。原文和理由大家仍看得到。",
                "Taken back: “{title}”. Everybody can still read it, and why."
            ))
        }
    }
}

/// Runs a verb on stubs.
pub async fn run_stub(verb: StubVerb, desk: &mut Desk) -> Result<(), Trouble> {
    let stub = match verb {
        StubVerb::Show { reference } => {
            desk.client()?.get(&format!("/stubs/{}", escaped(&reference))).await?
        }
        StubVerb::Open { reference, reason } => {
            let path = format!("/stubs/{}/open", escaped(&reference));
            desk.client()?.act(&path, &json!({ "reason": reason })).await?
        }
    };
    if desk.gave(&stub)? {
        return Ok(());
    }
    let (lang, console) = (desk.lang(), &desk.console);
    console.say(&console.paint(Paint::Bold, text(&stub, "number")))?;
    let state = match text(&stub, "state") {
        "here" => lang.of("已到本级", "it is here"),
        "asked" => {
            lang.of("已调阅，等下级联通后送来", "opened; it comes once the places below are connected")
        }
        _ => lang.of("没有调阅过", "not opened"),
    };
    let compared = match text(&stub, "compared") {
        "same" => lang.of("登记表和经签名的原件一致", "the register agrees with the signed matter"),
        "differs" => lang.of(
            "登记表和经签名的原件不一致，请核查",
            "the register does not agree with the signed matter: look into it",
        ),
        "moved_on" => lang.of("登记表之后事项又有进展", "the matter has moved on since the register spoke"),
        _ => "",
    };
    let facts: [(&str, Cell); 4] = [
        (lang.of("登记单位", "Registered by"), text(&stub, "home.name").into()),
        (
            lang.of("摘要来自", "Said by"),
            format!("{} {}", text(&stub, "register_of.name"), text(&stub, "said_on")).into(),
        ),
        (lang.of("状态", "State"), state.into()),
        (lang.of("核对", "Compared"), compared.into()),
    ];
    super::show::facts(console, &facts)?;
    let mut table = Table::new(match lang {
        Lang::Zh => &["项目", "登记表上", "事项原件", ""],
        Lang::En => &["Field", "In the register", "In the matter", ""],
    });
    for field in items(&stub, "fields") {
        let differs = if truth(field, "differs") { lang.of("不同", "differs") } else { "" };
        let name = field_word(text(field, "field"), lang);
        table.row(vec![name.into(), text(field, "said").into(), text(field, "found").into(), differs.into()]);
    }
    console.table(&table)?;
    for opening in items(&stub, "openings") {
        let (place, on, why) = (text(opening, "place.name"), text(opening, "on"), text(opening, "reason"));
        console
            .paragraph(&words!(lang, "{on} {place} 调阅：{why}", "{on} opened by {place}: {why}"), "  ")?;
    }
    Ok(())
}

/// The beginning of an id that is enough to name it.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

fn sort_word(sort: &str, lang: Lang) -> &'static str {
    match sort {
        "directive" => lang.of("督办要求", "directive"),
        "topic" => lang.of("征集议题", "call for topics"),
        "resource" => lang.of("可用资源", "resource"),
        _ => lang.of("通知", "announcement"),
    }
}

fn field_word(field: &str, lang: Lang) -> &'static str {
    match field {
        "number" => lang.of("编号", "number"),
        "category" => lang.of("类别", "category"),
        "raised" => lang.of("登记日期", "raised on"),
        "stage" => lang.of("阶段", "stage"),
        "moved" => lang.of("最近一步", "newest step"),
        "answered" => lang.of("答复日期", "answered on"),
        "refused" => lang.of("不予受理、转出日期", "refused or referred on"),
        "holder" => lang.of("承办单位", "holder"),
        "due" => lang.of("期限", "due"),
        _ => lang.of("程序违规", "violations"),
    }
}

fn ended(notice: &Value, lang: Lang) -> &'static str {
    match (truth(notice, "in_force"), text(notice, "recalled")) {
        (true, _) => "",
        (false, "") => lang.of("已过期", "over"),
        (false, _) => lang.of("已收回", "taken back"),
    }
}

fn consequence(coming: &Value, lang: Lang) -> String {
    let names: Vec<&str> = items(coming, "to").iter().map(|p| text(p, "name")).collect();
    let (names, count) = (names.join(lang.of("、", ", ")), number(coming, "places"));
    let mut told = words!(
        lang,
        "将发到 {names} 及以下全部单位（已知 {count} 个）。",
        "It will reach {names} and everything below: {count} places known."
    );
    if coming.get("open_matters").is_some_and(|n| !n.is_null()) {
        let open = number(coming, "open_matters");
        told.push_str(&words!(
            lang,
            "\n  · 本级有 {open} 件同类别的未办结事项会看到它。",
            "\n  · {open} open matters of this category here are offered it."
        ));
    }
    told
}

fn show(console: &Console, notice: &Value) -> Result<(), Trouble> {
    let lang = console.lang;
    console.say(&console.paint(Paint::Bold, text(notice, "title")))?;
    let facts: [(&str, Cell); 5] = [
        (lang.of("种类", "Sort"), sort_word(text(notice, "sort"), lang).into()),
        (
            lang.of("发出单位", "Given by"),
            format!("{} {}", text(notice, "place.name"), text(notice, "on")).into(),
        ),
        (lang.of("类别", "Category"), text(notice, "category").into()),
        (lang.of("有效到", "Until"), text(notice, "until").into()),
        (lang.of("收回", "Taken back"), text(notice, "recalled").into()),
    ];
    super::show::facts(console, &facts)?;
    console.paragraph(text(notice, "text"), "  ")?;
    for version in items(notice, "earlier") {
        let (on, title) = (text(version, "on"), text(version, "title"));
        console.say(&words!(lang, "{on} 的版本：{title}", "The version of {on}: {title}"))?;
        console.paragraph(text(version, "text"), "  ")?;
    }
    Ok(())
}
