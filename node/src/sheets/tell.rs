//! 待告知清单: matters that were answered and whose petitioner has not been told, with whom to call or visit.
//!
//! Merged matters stand in it one by one: a reply is owed to everybody who raised one. Names and numbers are
//! opened only when asked for, and only of dossiers this node holds a key of.

use super::{
    Cell, FOLDED_MAX, Holds, Kind, ROWS_MAX, Sheet,
    paper::{day, place},
    query::Asked,
    sweep,
};
use crate::actions::{ActionError, Actions, Sketch, views::DossierView};
use std::ops::ControlFlow;
use yishi_protocol::ids::DocId;

pub(super) async fn sheet(actions: &Actions, kind: &Kind, asked: &Asked) -> Result<Sheet, ActionError> {
    let mut sheet = kind.blank(actions);
    sheet.columns(&[
        ("home", "登记单位", "Registered by", Holds::Text),
        ("number", "编号", "Number", Holds::Text),
        ("title", "事项", "Matter", Holds::Text),
        ("raised_on", "反映日期", "Raised on", Holds::Day),
        ("answered_on", "答复日期", "Answered on", Holds::Day),
        ("waits_days", "已等天数", "Days waiting", Holds::Number),
        ("answer", "答复内容", "Reply", Holds::Text),
        ("petitioner", "反映人", "Raised by", Holds::Text),
        ("phone", "电话", "Telephone", Holds::Text),
        ("address", "住址", "Address", Holds::Text),
    ]);
    let most = if asked.names { FOLDED_MAX } else { ROWS_MAX + 1 };
    let mut found: Vec<(DocId, Sketch)> = Vec::new();
    let mut more = false;
    sweep::listed(actions, asked.home, true, |row, sketch| {
        more = found.len() == most;
        if more {
            return ControlFlow::Break(());
        }
        found.push((row.doc, sketch));
        ControlFlow::Continue(())
    })
    .await?;
    let today = actions.today();
    // Village by village; whoever has waited longest first.
    let waits = |s: &Sketch| s.reply.as_ref().map_or(0, |r| today.saturating_sub(r.on));
    found.sort_by_cached_key(|(doc, s)| (place(actions, &s.home), -waits(s), s.number.clone(), *doc));
    for (doc, s) in &found {
        let who = whom(actions, doc, s, asked.names).await?;
        let reply = s.reply.as_ref();
        let mut cells = vec![
            Cell::text(place(actions, &s.home)),
            Cell::text(s.number.clone()),
            Cell::text(s.title.clone()),
            day(s.raised_on),
            reply.map_or(Cell::Nothing, |r| day(r.on)),
            reply.map_or(Cell::Nothing, |_| Cell::Number(waits(s))),
            reply.map_or(Cell::Nothing, |r| Cell::text(r.text.clone())),
        ];
        cells.extend(who);
        sheet.row(cells, vec![*doc]);
    }
    let count = found.len();
    sheet.note(
        format!("共 {count} 件已答复、尚未告知。并案的每一件都单独列出。"),
        format!("{count} matters answered and not told yet. Merged ones stand here one by one."),
    );
    if !asked.names {
        sheet.note(
            "没有打开反映人信息。有权限的人可以另选“带姓名电话”。",
            "Petitioners were not opened. Whoever may can ask for it with names.",
        );
    }
    if more && asked.names {
        sheet.note(
            format!("带姓名的一次最多 {FOLDED_MAX} 件，请按村分别导出。"),
            format!("With names at most {FOLDED_MAX} at a time: ask village by village."),
        );
    }
    Ok(sheet)
}

/// Who raised it: name, telephone, address.
async fn whom(actions: &Actions, doc: &DocId, s: &Sketch, names: bool) -> Result<[Cell; 3], ActionError> {
    let nothing = || [Cell::Nothing, Cell::Nothing];
    let alone = |who: Cell| {
        let [phone, address] = nothing();
        [who, phone, address]
    };
    let kind = match s.petitioner.as_deref() {
        Some("anonymous") => Cell::words("匿名", "anonymous"),
        Some("proxy") => Cell::words("代为反映", "by proxy"),
        Some(_) => Cell::words("实名", "named"),
        None => Cell::words("没有登记", "not recorded"),
    };
    if s.dossier.is_none() || !names {
        return Ok(alone(kind));
    }
    Ok(match opened(actions, doc).await? {
        Some(DossierView { name, phone, address, .. }) => {
            [name.map_or(kind, Cell::text), phone.into(), address.into()]
        }
        None => alone(Cell::words("已密封，本单位打不开", "sealed, this place has no key")),
    })
}

/// A matter's dossier; `None` if this node cannot open it.
pub(super) async fn opened(actions: &Actions, doc: &DocId) -> Result<Option<DossierView>, ActionError> {
    match actions.petitioner(&doc.to_string()).await {
        Ok(dossier) => Ok(Some(dossier)),
        Err(ActionError::Sealed) => Ok(None),
        Err(other) => Err(other),
    }
}
