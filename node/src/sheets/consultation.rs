//! Nantong's three lists (协商意见建议清单、工作责任清单、建议落实协商效果清单), one row for each paper that was
//! filled in, over all matters of a place and a period.
//!
//! The columns are the fields of the paper. A district may issue the procedure with fields of its own: whatever
//! version a matter was taken up with, its fields find their column or get one.

use super::{
    Cell, Column, Holds, Kind, Sheet, both,
    paper::{day, filled, place},
    query::Asked,
    sweep,
};
use crate::actions::{ActionError, Actions};
use yishi_protocol::{
    fold::{Matter, Recorded},
    ids::DocId,
    procedure::{FieldKind, FieldOf, shipped},
};

/// The practice whose papers these are.
const PRACTICE: &str = "P7";

/// One paper that was filled in.
struct Paper {
    doc: DocId,
    /// What stands before its fields.
    first: Vec<Cell>,
    /// By the fields' names.
    fields: Vec<(String, Cell)>,
    /// What stands after them.
    last: [Cell; 3],
}

pub(super) async fn sheet(actions: &Actions, kind: &Kind, asked: &Asked) -> Result<Sheet, ActionError> {
    let mut sheet = kind.blank(actions);
    sheet.columns(&[
        ("number", "编号", "Number", Holds::Text),
        ("title", "事项", "Matter", Holds::Text),
        ("home", "登记单位", "Registered by", Holds::Text),
    ]);
    let fixed = sheet.columns.len();
    let of_practice = shipped::all().iter().filter(|s| s.procedure.practice.as_deref() == Some(PRACTICE));
    let usual = of_practice.filter_map(|s| s.procedure.form(kind.name)).next();
    for field in usual.into_iter().flat_map(|f| &f.fields) {
        sheet.columns.push(column(&field.id, Some(field)));
    }
    let after = [
        ("noted_by", "填写单位", "Filled in by", Holds::Text),
        ("noted_on", "填写日期", "Filled in on", Holds::Day),
        ("stage", "现在的阶段", "Stage now", Holds::Text),
    ];
    let mut rows: Vec<Paper> = Vec::new();
    sweep::folded(
        actions,
        asked,
        &mut sheet,
        |s| s.on_record,
        |sheet, doc, matter| {
            if matter.procedure_file().is_none_or(|p| p.practice.as_deref() != Some(PRACTICE)) {
                return;
            }
            for record in matter.records.iter().filter(|r| r.form == kind.name && asked.covers(r.on)) {
                let fields = fields(sheet, matter, record);
                let first = vec![
                    Cell::text(matter.number.clone()),
                    Cell::text(matter.title.clone()),
                    Cell::text(place(actions, &matter.home)),
                ];
                let stage = matter.at.as_ref().map_or_else(
                    || Cell::words(matter.stage.zh(), matter.stage.en()),
                    |at| Cell::Words(at.title.clone()),
                );
                let last = [Cell::text(place(actions, &record.place)), day(record.on), stage];
                rows.push(Paper { doc, first, fields, last });
            }
        },
    )
    .await?;
    let names: Vec<String> = sheet.columns.iter().skip(fixed).map(|c| c.name.clone()).collect();
    for (name, zh, en, holds) in after {
        sheet.columns.push(Column { name: name.to_owned(), title: both(zh, en), holds });
    }
    let (papers, matters) = (rows.len(), distinct(rows.iter().map(|r| r.doc)));
    for Paper { doc, first: mut cells, fields, last } in rows {
        let of = |name: &String| fields.iter().find(|(id, _)| id == name).map(|(_, cell)| cell.clone());
        cells.extend(names.iter().map(|name| of(name).unwrap_or(Cell::Nothing)));
        cells.extend(last);
        sheet.row(cells, vec![doc]);
    }
    let (zh, en) = asked.period_text().unwrap_or_else(|| ("全部时间".into(), "all of the time".into()));
    sheet.note(
        format!("{zh}，{matters} 件事项填写的 {papers} 张表，一张一行。"),
        format!("{papers} papers of {matters} matters, one a line ({en})."),
    );
    Ok(sheet)
}

fn distinct(docs: impl Iterator<Item = DocId>) -> usize {
    docs.collect::<std::collections::BTreeSet<_>>().len()
}

/// Names of the columns that every list has; a paper's field of such a name gets another.
const OWN: [&str; 6] = ["number", "title", "home", "noted_by", "noted_on", "stage"];

fn column_name(field: &str) -> String {
    if OWN.contains(&field) { format!("f.{field}") } else { field.to_owned() }
}

fn column(name: &str, field: Option<&FieldOf>) -> Column {
    let holds = match field.map(|f| f.kind) {
        Some(FieldKind::Number) => Holds::Number,
        Some(FieldKind::Money) => Holds::Yuan,
        Some(FieldKind::Day) => Holds::Day,
        _ => Holds::Text,
    };
    let title = field.map_or_else(|| both(name, name), |f| f.title.clone());
    Column { name: column_name(name), title, holds }
}

/// What was filled in, by field; a field without a column gets one.
fn fields(sheet: &mut Sheet, matter: &Matter, record: &Recorded) -> Vec<(String, Cell)> {
    let form = super::paper::form(matter, &record.form);
    let mut out = Vec::new();
    for (id, value) in &record.fields {
        let field = form.and_then(|f| f.fields.iter().find(|x| x.id == *id));
        let name = column_name(id);
        if !sheet.columns.iter().any(|c| c.name == name) {
            sheet.columns.push(column(id, field));
        }
        out.push((name, filled(value, field)));
    }
    out
}
