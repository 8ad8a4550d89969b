//! `yishi matter`: one matter's way. Every step is one act the node allows or refuses.

use std::io::Read;
use std::path::Path;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{Desk, fields, items, show, text};
use crate::args::{List, MatterVerb, Raise};
use crate::both;
use crate::client::{escaped, with_query};
use crate::trouble::Trouble;
use crate::words;
use crate::words::Lang;

/// Runs a verb.
pub async fn run(verb: MatterVerb, desk: &mut Desk) -> Result<(), Trouble> {
    use MatterVerb as V;
    let (reference, mut act) = match verb {
        V::Raise(raise) => return self::raise(desk, raise).await,
        V::List(list) => return self::list(desk, list).await,
        V::Import(import) => return super::import::run(import, desk).await,
        V::Export(export) => return super::export::run(export, desk).await,
        V::Show(one) => {
            let matter = desk.client()?.get(&path(&one.reference, "")).await?;
            if desk.gave(&matter)? {
                return Ok(());
            }
            return show::matter(&desk.console, &matter);
        }
        V::Next(one) => {
            let next = desk.client()?.get(&path(&one.reference, "/next")).await?;
            if desk.gave(&next)? {
                return Ok(());
            }
            return show::next(&desk.console, &next);
        }
        V::Supervision => return super::supervision::show(desk).await,
        V::Similar(one) => {
            let similar = desk.client()?.get(&path(&one.reference, "/similar")).await?;
            if desk.gave(&similar)? {
                return Ok(());
            }
            return show::similar(&desk.console, &similar);
        }
        V::Forget { reference, confirm, reason } => {
            return super::forget::forget(desk, &reference, confirm, reason).await;
        }
        V::Deliberation(verb) => super::deliberation::meant(verb, desk)?,
        V::Refuse { reference, reason, yes } => {
            let words = words!(
                desk.lang(),
                "将不予受理 {reference}，理由会告知提出人：{reason}",
                "{reference} will be refused; whoever raised it is told the reason: {reason}"
            );
            ask_if_possible(desk, &words, yes)?;
            (reference, act("refuse", &[("reason", reason.into())]))
        }
        V::Handle(with) => {
            let note = desk.console.text(&with.text)?;
            (with.reference, act("handle", &[("note", note.into())]))
        }
        V::Escalate { reference, reason } => (reference, act("escalate", &[("reason", reason.into())])),
        V::Return { reference, reason, to } => {
            (reference, act("return", &[("reason", reason.into()), ("to", to.into())]))
        }
        V::Merge { lead, sources } => (lead, act("merge", &[("sources", sources.into())])),
        V::Unmerge(one) => (one.reference, act("unmerge", &[])),
        V::Answer { reference, text, on } => {
            let reply = desk.console.text(&text)?;
            (reference, act("answer", &[("text", reply.into()), ("on", on.into())]))
        }
        V::Tell { reference, how, answer, note } => {
            (reference, act("tell", &[("how", name(how)), ("answer", answer.into()), ("note", note.into())]))
        }
        V::Rate { reference, score, source, note } => (
            reference,
            act("rate", &[("score", score.into()), ("source", name(source)), ("note", note.into())]),
        ),
        V::Close { reference, note } => (reference, act("close", &[("note", note.into())])),
        V::Reopen(with) => (with.reference, act("reopen", &[("reason", with.reason.into())])),
        V::Withdraw { reference, reason, yes } => {
            let words = words!(
                desk.lang(),
                "将撤回 {reference}：不再办理，记录保留。理由：{reason}",
                "{reference} will be withdrawn: no more is done about it, its record stays. Reason: {reason}"
            );
            ask_if_possible(desk, &words, yes)?;
            (reference, act("withdraw", &[("reason", reason.into())]))
        }
        V::Correct { reference, title, body, category, text } => {
            let body = body.map(|body| desk.console.text(&body)).transpose()?;
            let all = [title, body, category, text];
            if all.iter().all(Option::is_none) {
                return Err(Trouble::Usage(both!(
                    "要更正什么？请给出 --title、--body、--category、--text 中的一个或几个。什么都没有改动。",
                    "What is to be corrected? Give --title, --body, --category or --text. Nothing was changed."
                )));
            }
            let [title, body, category, text] = all.map(Value::from);
            (
                reference,
                act("correct", &[("title", title), ("body", body), ("category", category), ("text", text)]),
            )
        }
        V::Comment(with) => {
            let comment = desk.console.text(&with.text)?;
            (with.reference, act("comment", &[("text", comment.into())]))
        }
        V::Support { reference, count, note } => {
            (reference, act("support", &[("count", count.into()), ("note", note.into())]))
        }
    };
    desk.numbers(&mut act);
    let done = desk.client()?.act(&path(&reference, "/acts"), &act).await?;
    warned(desk, &done);
    if desk.gave(&done)? {
        return Ok(());
    }
    stands(desk, done.get("matter").unwrap_or(&done))
}

/// What the node says beside the act: what became of numbers in its text.
fn warned(desk: &Desk, done: &Value) {
    if !desk.console.json {
        for warning in items(done, "warnings") {
            desk.console.note(text(warning, desk.lang().of("detail_zh", "detail")));
        }
    }
}

fn path(reference: &str, rest: &str) -> String {
    format!("/matters/{}{rest}", escaped(reference))
}

/// An act with those of its fields that were given.
pub(super) fn act(kind: &str, given: &[(&str, Value)]) -> Value {
    let pairs: Vec<(&str, Option<Value>)> = std::iter::once(("act", Some(json!(kind))))
        .chain(given.iter().map(|(key, value)| (*key, Some(value.clone()).filter(|value| !value.is_null()))))
        .collect();
    fields(&pairs)
}

/// The name a choice has on the command line, which is the API's too.
pub(super) fn name<T: ValueEnum>(choice: T) -> Value {
    choice.to_possible_value().map_or(Value::Null, |value| Value::from(value.get_name()))
}

/// Refusing and withdrawing are asked about where somebody sits in front; a script has given its reason.
fn ask_if_possible(desk: &Desk, consequence: &str, yes: bool) -> Result<(), Trouble> {
    if desk.console.can_ask() { desk.console.confirm(consequence, yes) } else { Ok(()) }
}

/// How the matter stands after a step, in one or two lines.
fn stands(desk: &Desk, matter: &Value) -> Result<(), Trouble> {
    let lang = desk.lang();
    let (number, stage) = (text(matter, "number"), show::stage(matter, lang));
    let holder = match text(matter, "holder.name") {
        "" => String::new(),
        name => words!(lang, "，承办：{name}", ", held by {name}"),
    };
    let due = match show::deadline(matter, lang).0 {
        due if due.is_empty() => due,
        due => words!(lang, "，{due}", ", {due}"),
    };
    desk.console.say(&words!(
        lang,
        "已记下。{number} 现在：{stage}{holder}{due}。",
        "Recorded. {number} is now {stage}{holder}{due}."
    ))?;
    let stored = show::stored(matter, lang);
    if !stored.is_empty() {
        desk.console.say(&words!(
            lang,
            "已存到：{stored}（□ 的还没送到，通了会自动送到）",
            "Stored: {stored} (□ is still to come, by itself)"
        ))?;
    }
    Ok(())
}

async fn list(desk: &mut Desk, list: List) -> Result<(), Trouble> {
    let flag = |on: bool| on.then(|| "true".to_owned());
    let choice = |value: Option<clap::builder::PossibleValue>| value.map(|value| value.get_name().to_owned());
    let path = with_query(
        "/matters",
        &[
            ("stage", list.stage),
            ("holder", list.holder),
            ("home", list.home),
            ("category", list.category),
            ("q", list.query),
            ("due", choice(list.due.and_then(|due| due.to_possible_value()))),
            ("untold", flag(list.untold)),
            ("open", flag(list.open)),
            ("sort", choice(list.sort.and_then(|sort| sort.to_possible_value()))),
        ],
    );
    let most = if list.all { usize::MAX } else { list.limit };
    let matters = desk.client()?.list(&path, most).await?;
    if desk.gave(&matters)? {
        return Ok(());
    }
    show::list(&desk.console, &matters)
}

async fn raise(desk: &mut Desk, raise: Raise) -> Result<(), Trouble> {
    if raise.body == "-" && raise.petitioner.as_deref() == Some(Path::new("-")) {
        return Err(Trouble::Usage(both!(
            "内容和提出人不能都从标准输入读，什么都没有改动。",
            "The text and the petitioner cannot both come from standard input; nothing was changed."
        )));
    }
    let body = desk.console.text(&raise.body)?;
    let petitioner = raise.petitioner.as_deref().map(petitioner).transpose()?;
    let external = raise.external.as_deref().map(external).transpose()?;
    let settled = raise.settle.is_some();
    let document = fields(&[
        ("body", Some(body.into())),
        ("title", raise.title.map(Value::from)),
        ("category", raise.category.map(Value::from)),
        ("source", raise.source.map(Value::from)),
        ("channel", raise.channel.map(Value::from)),
        ("raised_on", raise.raised_on.map(Value::from)),
        ("petitioner", petitioner),
        ("settle", raise.settle.map(Value::from)),
        ("external", external),
    ]);
    let matter = desk.client()?.create("/matters", &document).await?;
    if desk.gave(&matter)? {
        return Ok(());
    }
    let lang = desk.lang();
    let (number, code) = (text(&matter, "number"), text(&matter, "check_code"));
    let settled = if settled { lang.of("，当场办结", " and settled on the spot") } else { "" };
    desk.console.say(&words!(
        lang,
        "已登记{settled}，编号 {number}，校验码 {code}。请把编号和校验码写在回执上交给来访人。",
        "Raised{settled}: number {number}, check code {code}. Write both on the receipt for whoever raised it."
    ))?;
    for warning in items(&matter, "warnings") {
        let words = match warning {
            Value::String(words) => words.as_str(),
            other => match lang {
                Lang::Zh if !text(other, "detail_zh").is_empty() => text(other, "detail_zh"),
                Lang::Zh | Lang::En => text(other, "detail"),
            },
        };
        desk.console.note(&words!(lang, "提醒：{words}", "Note: {words}"));
    }
    Ok(())
}

/// Who raised it, from a file or standard input: three lines, or the API's own JSON. An identity never stands on a
/// command line, where every user of the machine could read it.
fn petitioner(path: &Path) -> Result<Value, Trouble> {
    let shown = path.display();
    let read = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    let whole = read.map_err(|why| {
        Trouble::Usage(both!(
            "提出人读不到（{shown}：{why}），什么都没有改动。",
            "The petitioner cannot be read ({shown}: {why}); nothing was changed."
        ))
    })?;
    if let Ok(Value::Object(mut stated)) = serde_json::from_str::<Value>(&whole) {
        stated.entry("kind").or_insert_with(|| json!("named"));
        return Ok(Value::Object(stated));
    }
    let mut lines = whole.lines().map(str::trim);
    let mut line = || lines.next().filter(|line| !line.is_empty()).map(str::to_owned);
    let (name, phone, address) = (line(), line(), line());
    if name.is_none() {
        return Err(Trouble::Usage(both!(
            "提出人要写成三行：姓名、电话、住址；至少要有姓名。什么都没有改动。",
            "The petitioner is three lines: name, telephone, address; at least the name. Nothing was changed."
        )));
    }
    Ok(json!({"kind": "named", "name": name, "phone": phone, "address": address}))
}

/// `系统:编号`
fn external(stated: &str) -> Result<Value, Trouble> {
    match stated.split_once([':', '：']) {
        Some((system, number)) if !system.trim().is_empty() && !number.trim().is_empty() => {
            Ok(json!({"system": system.trim(), "number": number.trim()}))
        }
        _ => Err(Trouble::Usage(both!(
            "--external 要写成 系统:编号，例如 hotline:20261116001。什么都没有改动。",
            "--external wants SYSTEM:NUMBER, as in hotline:20261116001. Nothing was changed."
        ))),
    }
}
