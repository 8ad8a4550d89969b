//! `yishi outcome`: decisions and what became of them.

use serde_json::{Value, json};

use super::{Desk, at, fields, items, text};
use crate::args::OutcomeVerb;
use crate::client::escaped;
use crate::table::{Cell, Paint, Table};
use crate::trouble::Trouble;
use crate::words;
use crate::words::Lang;

/// Runs a verb.
pub async fn run(verb: OutcomeVerb, desk: &mut Desk) -> Result<(), Trouble> {
    match verb {
        OutcomeVerb::Decide { proposals, title, text: given, unit, budget_yuan, due_on, answer } => {
            let decision = desk.console.text(&given)?;
            let body = fields(&[
                ("proposals", Some(json!(proposals))),
                ("title", Some(json!(title))),
                ("text", Some(json!(decision))),
                ("unit", unit.map(Value::from)),
                ("budget_yuan", budget_yuan.map(Value::from)),
                ("due_on", due_on.map(Value::from)),
                ("answer", Some(answer.map_or(Value::Null, Value::from))),
            ]);
            let mut body = body;
            desk.numbers(&mut body);
            let outcome = desk.client()?.create("/outcomes", &body).await?;
            if desk.gave(&outcome)? {
                return Ok(());
            }
            let lang = desk.lang();
            let (id, count) = (short(text(&outcome, "id")).to_owned(), proposals.len());
            desk.console.say(&words!(
                lang,
                "已决定「{title}」，涉及 {count} 件事项。成果标识 {id}。",
                "Decided: “{title}”, on {count} matters. The outcome's id is {id}."
            ))?;
            show(desk, &outcome)
        }
        OutcomeVerb::List { limit } => {
            let outcomes = desk.client()?.list("/outcomes", limit).await?;
            if desk.gave(&outcomes)? {
                return Ok(());
            }
            let mut table = Table::new(match desk.lang() {
                Lang::Zh => &["标识", "标题", "决定日期", "责任单位", "期限", "事项"],
                Lang::En => &["Id", "Title", "Decided", "Unit", "Due", "Matters"],
            });
            for outcome in items(&outcomes, "items") {
                table.row(vec![
                    short(text(outcome, "id")).into(),
                    text(outcome, "title").into(),
                    text(outcome, "decided_on").into(),
                    text(outcome, "unit").into(),
                    text(outcome, "due_on").into(),
                    items(outcome, "proposals").len().to_string().into(),
                ]);
            }
            desk.console.table(&table)
        }
        OutcomeVerb::Show { reference } => {
            let outcome = desk.client()?.get(&format!("/outcomes/{}", escaped(&reference))).await?;
            if desk.gave(&outcome)? {
                return Ok(());
            }
            show(desk, &outcome)
        }
    }
}

/// The beginning of an id that is enough to name it.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

fn show(desk: &Desk, outcome: &Value) -> Result<(), Trouble> {
    let (lang, console) = (desk.lang(), &desk.console);
    console.say(&console.paint(Paint::Bold, text(outcome, "title")))?;
    let budget = at(outcome, "budget_yuan").filter(|budget| !budget.is_null()).map(Value::to_string);
    let facts: [(&str, Cell); 5] = [
        (
            lang.of("决定", "Decided"),
            format!("{} {}", text(outcome, "decided_on"), text(outcome, "place.name")).into(),
        ),
        (lang.of("责任单位", "Unit"), text(outcome, "unit").into()),
        (lang.of("期限", "Due"), text(outcome, "due_on").into()),
        (lang.of("预算（元）", "Budget (yuan)"), budget.unwrap_or_default().into()),
        (lang.of("已存到", "Stored"), super::show::stored(outcome, lang).into()),
    ];
    super::show::facts(console, &facts)?;
    console.paragraph(text(outcome, "text"), "  ")?;
    for proposal in items(outcome, "proposals") {
        let name = match text(proposal, "number") {
            "" => short(text(proposal, "id")),
            number => number,
        };
        console.say(&format!("  · {name}  {}", text(proposal, "home.name")))?;
    }
    if !text(outcome, "answer").is_empty() {
        console.say(&console.paint(Paint::Bold, lang.of("答复", "Reply")))?;
        console.paragraph(text(outcome, "answer"), "  ")?;
    }
    if !items(outcome, "progress").is_empty() {
        console.say(&console.paint(Paint::Bold, lang.of("落实", "Progress")))?;
    }
    for step in items(outcome, "progress") {
        let line = format!("{}  {}  {}", text(step, "on"), text(step, "place.name"), text(step, "text"));
        console.paragraph(line.trim(), "  ")?;
    }
    Ok(())
}
