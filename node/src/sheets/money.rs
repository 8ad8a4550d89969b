//! 村民自建项目收支表: every budget and every payment of one project, with what is left after each.
//!
//! Which papers are money the procedure says (`ledger`); the sum at the end is the sum of the rows above it.

use super::{
    Cell, Holds, Kind, Sheet,
    paper::{day, filled, form, place},
    query::Asked,
};
use crate::actions::{ActionError, Actions};
use yishi_protocol::{
    fold::{Filling, Matter, Recorded},
    procedure::{Ledger, Words},
};

/// The field of a paper that holds its money.
const AMOUNT: &str = "amount";

pub(super) async fn sheet(actions: &Actions, kind: &Kind, asked: &Asked) -> Result<Sheet, ActionError> {
    let matter = actions.matter(&asked.matter).await?;
    let doc = matter.summary.id;
    let mut sheet = kind.blank(actions);
    sheet.about(&matter.summary);
    let matter = actions.draft(&doc).await?.matter()?;
    sheet.columns(&[
        ("on", "日期", "Day", Holds::Day),
        ("paper", "表单", "Paper", Holds::Text),
        ("what", "摘要", "What for", Holds::Text),
        ("budget_yuan", "预算（元）", "Budget, yuan", Holds::Yuan),
        ("spent_yuan", "支出（元）", "Spent, yuan", Holds::Yuan),
        ("left_yuan", "结余（元）", "Left, yuan", Holds::Yuan),
        ("noted_by", "登记单位", "Written down by", Holds::Text),
    ]);
    let (mut budget, mut spent) = (0_i64, 0_i64);
    for record in &matter.records {
        let Some((ledger, title, amount)) = booked(&matter, record) else { continue };
        let (first, second) = match ledger {
            Ledger::Budget => {
                budget = budget.saturating_add(amount);
                (Cell::Number(amount), Cell::Nothing)
            }
            Ledger::Spending => {
                spent = spent.saturating_add(amount);
                (Cell::Nothing, Cell::Number(amount))
            }
        };
        let cells = vec![
            day(record.on),
            Cell::Words(title),
            summary(&matter, record),
            first,
            second,
            Cell::Number(budget.saturating_sub(spent)),
            Cell::text(place(actions, &record.place)),
        ];
        sheet.row(cells, vec![doc]);
    }
    let left = budget.saturating_sub(spent);
    let total = vec![
        Cell::Nothing,
        Cell::words("合计", "In all"),
        Cell::Nothing,
        Cell::Number(budget),
        Cell::Number(spent),
        Cell::Number(left),
        Cell::Nothing,
    ];
    sheet.row(total, vec![doc]);
    if left < 0 {
        let over = left.saturating_neg();
        sheet.note(format!("支出超出预算 {over} 元。"), format!("{over} yuan over the budget."));
    }
    let procedure = matter.procedure_file();
    if procedure.is_none_or(|p| p.forms.iter().all(|f| f.ledger.is_none())) {
        sheet.note(
            "本件的程序没有预算和支出表单，所以没有收支可列。",
            "The matter's procedure has no papers for budget and spending, so there is nothing to list.",
        );
    }
    sheet.note(
        "只列有效的登记；没有按程序登记的留在事项的经过里，不计入。",
        "Only what counts is listed; what broke the procedure stays in the matter's history.",
    );
    Ok(sheet)
}

/// What a paper's money counts as, what the paper is called, and how much it is.
fn booked(matter: &Matter, record: &Recorded) -> Option<(Ledger, Words, i64)> {
    let form = form(matter, &record.form)?;
    let amount = match record.fields.get(AMOUNT)? {
        Filling::Number(n) => *n,
        Filling::Words(_) | Filling::YesNo(_) => return None,
    };
    Some((form.ledger?, form.title.clone(), amount))
}

/// The other fields of a paper in a line.
fn summary(matter: &Matter, record: &Recorded) -> Cell {
    let Some(form) = form(matter, &record.form) else { return Cell::Nothing };
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    for field in form.fields.iter().filter(|f| f.id != AMOUNT) {
        let Some(value) = record.fields.get(&field.id) else { continue };
        let (say_zh, say_en) = match filled(value, Some(field)) {
            Cell::Words(words) => (words.zh, words.en),
            Cell::Text(text) => (text.clone(), text),
            Cell::Number(n) => (n.to_string(), n.to_string()),
            Cell::Nothing => continue,
        };
        zh.push(format!("{}：{say_zh}", field.title.zh));
        en.push(format!("{}: {say_en}", field.title.en));
    }
    match zh.is_empty() {
        true => Cell::Nothing,
        false => Cell::words(&zh.join("；"), &en.join("; ")),
    }
}
