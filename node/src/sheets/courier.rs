//! The three forms of Wuhou's opinion couriers (一事一记、一事一议、一事一馈) for one matter.
//!
//! They fill themselves: from the registration, from what is on record in any procedure, and from the papers of
//! that name where the matter's procedure has them. A line nobody has written down yet stays empty.

use super::{
    Cell, Holds, Kind, Sheet, both,
    paper::{Lines, day, fixed, noted, place},
    query::Asked,
    tell::opened,
};
use crate::actions::{ActionError, Actions, day_text};
use yishi_protocol::{
    fold::{Matter, frame::StepKind},
    ids::DocId,
};

pub(super) async fn sheet(actions: &Actions, kind: &Kind, asked: &Asked) -> Result<Sheet, ActionError> {
    let doc = actions.find_matter(&asked.matter).await?;
    let matter = actions.draft(&doc).await?.matter()?;
    let mut sheet = kind.blank(actions);
    sheet.about =
        Some(super::Subject { id: doc, number: matter.number.clone(), title: matter.title.clone() });
    sheet.columns(&[
        ("line", "栏目", "Line", Holds::Text),
        ("says", "内容", "What it says", Holds::Text),
        ("noted", "由谁、何时记下", "Written down by, on", Holds::Text),
    ]);
    let paper = kind.name.trim_start_matches("courier_");
    let mut lines = Lines { actions, doc, sheet };
    let registered = noted(actions, &matter.home, matter.raised_on);
    lines.add("编号", "Number", Cell::text(matter.number.clone()), Cell::Nothing);
    lines.add("事项", "Matter", Cell::text(matter.title.clone()), registered.clone());
    match paper {
        "collection" => collection(&mut lines, &matter, asked.names, &doc, registered).await?,
        "handling" => handling(&mut lines, &matter),
        _ => feedback(&mut lines, &matter, asked.names, &doc).await?,
    }
    let mut any = false;
    for record in matter.records.iter().filter(|r| r.form == paper) {
        any = true;
        lines.record(&matter, record);
    }
    let mut sheet = lines.sheet;
    if !any {
        sheet.note(
            "本件的程序里没有填过这张表，以上都取自登记和办理记录。",
            "No paper of this name was filled in: all of it comes from the registration and what was done.",
        );
    }
    Ok(sheet)
}

async fn collection(
    lines: &mut Lines<'_>,
    m: &Matter,
    names: bool,
    doc: &DocId,
    by: Cell,
) -> Result<(), ActionError> {
    let says = |text: &Option<String>| text.as_deref().map_or(Cell::Nothing, fixed);
    let home = place(lines.actions, &m.home);
    lines.add("登记单位", "Registered by", Cell::text(home), by.clone());
    lines.add("反映日期", "Raised on", day(m.raised_on), by.clone());
    lines.add("来源", "Source", says(&m.source), by.clone());
    lines.add("收集渠道", "Channel", says(&m.channel), by.clone());
    lines.add("类别", "Category", m.category.clone().into(), by.clone());
    lines.add("民情民意内容", "What was said", Cell::text(m.body.clone()), by.clone());
    petitioner(lines, m, names, doc, by).await?;
    let supports = m.supporters();
    if supports > 0 {
        lines.add("附议人数", "Supporters", Cell::Number(supports), Cell::Nothing);
    }
    Ok(())
}

/// Who raised it; by name only if that was asked for.
async fn petitioner(
    lines: &mut Lines<'_>,
    m: &Matter,
    names: bool,
    doc: &DocId,
    by: Cell,
) -> Result<(), ActionError> {
    let kind = match m.petitioner.as_deref() {
        Some("anonymous") => Cell::words("匿名", "anonymous"),
        Some("proxy") => Cell::words("代为反映", "by proxy"),
        Some(_) => Cell::words("实名（信息密封）", "named (sealed)"),
        None => Cell::Nothing,
    };
    lines.add("反映人", "Raised by", kind, by.clone());
    if !names || m.dossier.is_none() {
        return Ok(());
    }
    match opened(lines.actions, doc).await? {
        Some(dossier) => {
            lines.add("姓名", "Name", dossier.name.into(), by.clone());
            lines.add("电话", "Telephone", dossier.phone.into(), by.clone());
            lines.add("住址", "Address", dossier.address.into(), by);
        }
        None => lines.sheet.notes.push(both(
            "反映人信息已密封，本单位没有钥匙，打不开。",
            "The petitioner is sealed, and this place has no key.",
        )),
    }
    Ok(())
}

fn handling(lines: &mut Lines<'_>, m: &Matter) {
    let actions = lines.actions;
    let taken = m.timeline.iter().rev().find(|t| t.kind == StepKind::Accept.name());
    if let Some((step, by)) = taken.and_then(|t| Some((t, t.place?))) {
        lines.add("受理", "Taken up", day(step.on), noted(actions, &by, step.on));
    } else {
        lines.add("受理", "Taken up", Cell::Nothing, Cell::Nothing);
    }
    match (&m.assigned, m.holder) {
        (Some(a), _) => {
            let by = noted(actions, &a.place, a.on);
            lines.add("承办单位", "Unit in charge", Cell::text(a.unit.clone()), by.clone());
            lines.add("经办人", "Person in charge", a.person.clone().into(), by);
        }
        (None, Some(holder)) => {
            lines.add("承办单位", "Unit in charge", Cell::text(place(actions, &holder)), Cell::Nothing);
        }
        (None, None) => {}
    }
    for met in &m.meetings {
        let body = m.procedure_file().and_then(|p| p.body(&met.body)).map(|b| b.title.clone());
        let body = body.unwrap_or_else(|| both(met.body.as_str(), met.body.as_str()));
        let (day, present, eligible) = (day_text(met.day), met.present, met.eligible);
        let says = format!("{day}，{}，应到 {eligible} 人，实到 {present} 人。{}", body.zh, met.minutes);
        let says_en = format!("{day}, {}, {present} of {eligible} there. {}", body.en, met.minutes);
        let by = noted(actions, &met.place, met.on);
        lines.add("讨论", "Discussed", Cell::words(&says, &says_en), by);
    }
    for answer in &m.answers {
        let by = noted(actions, &answer.place, answer.on);
        lines.add("答复", "Reply", Cell::text(answer.text.clone()), by);
    }
    lines.add("现在的阶段", "Stage now", Cell::words(m.stage.zh(), m.stage.en()), Cell::Nothing);
}

async fn feedback(lines: &mut Lines<'_>, m: &Matter, names: bool, doc: &DocId) -> Result<(), ActionError> {
    let actions = lines.actions;
    petitioner(lines, m, names, doc, Cell::Nothing).await?;
    for answer in m.answers.iter().chain(&m.refusals) {
        let by = noted(actions, &answer.place, answer.on);
        lines.add("答复内容", "Reply", Cell::text(answer.text.clone()), by);
    }
    for told in &m.tellings {
        let by = noted(actions, &told.place, told.on);
        lines.add("怎么告知的", "How they were told", fixed(&told.how), by.clone());
        if let Some(note) = &told.note {
            lines.add("告知时群众说", "What they said then", Cell::text(note.clone()), by);
        }
    }
    if m.tellings.is_empty() {
        lines.add("怎么告知的", "How they were told", Cell::Nothing, Cell::Nothing);
    }
    for rating in &m.ratings {
        let by = noted(actions, &rating.place, rating.on);
        let not = if rating.counted {
            ("", "")
        } else {
            ("（经办单位自己记的，不计入）", " (entered by who handled it, not counted)")
        };
        let (zh, en) =
            crate::actions::fixed_words(&rating.source).unwrap_or((&rating.source, &rating.source));
        let (zh, en) =
            (format!("{} 分，{zh}{}", rating.score, not.0), format!("{} of 5, {en}{}", rating.score, not.1));
        lines.add("评价", "Rating", Cell::words(&zh, &en), by);
    }
    Ok(())
}
