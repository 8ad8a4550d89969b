//! 联席会议题清单 (河东区): what the month's joint meeting goes through, and who reports on each matter.
//!
//! A matter stands in it once, with every reason. What is overdue or waits is so on the day the list is made;
//! what was said and done (raised, returned) counts within the month. Who is not heard from is not called late:
//! a note names him.

use super::{
    Cell, Holds, Kind, Sheet, both,
    paper::{day, place},
    query::Asked,
    sweep,
};
use crate::actions::{ActionError, Actions, views::SupervisedView};
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    calendar::Date,
    fold::{Matter, Verdict, frame::Stage},
    ids::DocId,
    procedure::Words,
};

/// From so many returns on a matter goes to the meeting.
const RETURNS: usize = 3;

/// Why a matter is on the agenda, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    Raised,
    Overdue,
    Returned,
    Waiting,
    Many,
}

/// A matter of the agenda.
struct Item {
    number: String,
    title: Cell,
    home: Cell,
    /// Who reports, in the order they speak.
    reports: Vec<String>,
    due: Cell,
    over: i64,
    /// Supporters and merged matters.
    behind: i64,
    why: BTreeMap<Why, Words>,
}

/// What is late now, by document.
struct Late(BTreeMap<DocId, SupervisedView>);

pub(super) async fn sheet(actions: &Actions, kind: &Kind, asked: &Asked) -> Result<Sheet, ActionError> {
    let mut sheet = kind.blank(actions);
    sheet.columns(&[
        ("order", "序号", "Item", Holds::Number),
        ("number", "编号", "Number", Holds::Text),
        ("title", "事项", "Matter", Holds::Text),
        ("home", "登记单位", "Registered by", Holds::Text),
        ("why", "上会原因", "Why", Holds::Text),
        ("reports", "由谁汇报", "Who reports", Holds::Text),
        ("due", "期限", "Due", Holds::Day),
        ("days_over", "超期工作日", "Working days over", Holds::Number),
        ("settled", "议定意见", "What was settled", Holds::Text),
    ]);
    let view = actions.supervision().await?;
    let late: Vec<_> = view.raised.iter().chain(&view.named).cloned().map(|one| (one.id, one)).collect();
    let late = Late(late.into_iter().collect());
    let mut items: BTreeMap<DocId, Item> = BTreeMap::new();
    // What waits may have been left alone for longer than the month.
    let whole = Asked { period: (Date::MIN.days(), Date::MAX.days()), ..asked.clone() };
    let open = |stage: &str| !Stage::from_name(stage).is_some_and(Stage::is_ended);
    sweep::folded(
        actions,
        &whole,
        &mut sheet,
        // What was merged is spoken of with its lead.
        |s| open(&s.stage) && s.merged_into.is_none(),
        |_, doc, matter| {
            if let Some(item) = item(actions, asked, matter, late.0.get(&doc)) {
                items.insert(doc, item);
            }
        },
    )
    .await?;
    // Matters below of which only number and stage are seen here.
    if asked.home.is_none() {
        for (doc, one) in late.0.iter().filter(|(_, one)| one.title.is_none()) {
            items.entry(*doc).or_insert_with(|| stub(one));
        }
    }
    let count = items.len();
    let mut items: Vec<_> = items.into_iter().collect();
    items.sort_by_cached_key(|(doc, i)| {
        (i.why.keys().next().copied(), -i.over, -i.behind, i.number.clone(), *doc)
    });
    for (order, (doc, item)) in (1_usize..).zip(items) {
        let join = |of: fn(&Words) -> &str, by: &str| item.why.values().map(of).collect::<Vec<_>>().join(by);
        let cells = vec![
            Cell::count(order),
            Cell::text(item.number.clone()),
            item.title,
            item.home,
            Cell::Words(both(join(|w| &w.zh, "；"), join(|w| &w.en, "; "))),
            Cell::text(item.reports.join("、")),
            item.due,
            if item.over > 0 { Cell::Number(item.over) } else { Cell::Nothing },
            Cell::Nothing,
        ];
        sheet.row(cells, vec![doc]);
    }
    notes(&mut sheet, asked, actions.today(), count);
    if let Some(most) = view.looked_at_most {
        sheet.note(
            format!("超期的太多：只看了到期最早的 {most} 件，其余没有列入，请在看板里按单位看。"),
            format!("Too much is overdue: only the {most} due earliest were looked at; see the dashboard for the rest."),
        );
    }
    let silent: Vec<_> = view.not_heard.iter().filter(|s| s.matters > 0).collect();
    if !silent.is_empty() && asked.home.is_none() {
        let zh: Vec<_> = silent.iter().map(|s| format!("{}（{} 件）", s.place.name, s.matters)).collect();
        let en: Vec<_> = silent.iter().map(|s| format!("{} ({})", s.place.name, s.matters)).collect();
        sheet.note(
            format!("联系不上、是否超期还不清楚，没有列入：{}。", zh.join("、")),
            format!("Not heard from, so not known to be late and not listed: {}.", en.join(", ")),
        );
    }
    Ok(sheet)
}

fn notes(sheet: &mut Sheet, asked: &Asked, today: i64, count: usize) {
    let (zh, en) = asked.period_text().unwrap_or_default();
    sheet.note(
        format!("共 {count} 件，每件只列一次。督办和退回算{zh}内的；超期、等待和附议是制表当天的情况。"),
        format!("{count} matters, each once. Raised and returned count within {en}; overdue, waiting and support are as of the day it was made."),
    );
    if !asked.covers(today) {
        sheet.note(
            "所选月份不是本月：当时超期、后来办好的已经看不出来。",
            "The month is not the present one: what was late then and is done now does not show.",
        );
    }
}

/// Whether a matter goes to the meeting, and why.
fn item(actions: &Actions, asked: &Asked, m: &Matter, late: Option<&SupervisedView>) -> Option<Item> {
    let mut why = BTreeMap::new();
    let mut reports: Vec<String> = Vec::new();
    let mut speaks = |who: String| {
        if !who.is_empty() && !reports.contains(&who) {
            reports.push(who);
        }
    };
    let holder = m.holder.map(|h| place(actions, &h)).unwrap_or_default();
    speaks(match &m.assigned {
        Some(a) if Some(a.place) == m.holder => format!("{holder} {}", a.unit),
        _ => holder,
    });
    let raised = m.urges.iter().rev().find(|u| u.degree == "raised" && asked.covers(u.on));
    if let Some(urge) = raised {
        let by = place(actions, &urge.place);
        let on = crate::actions::day_text(urge.on);
        why.insert(Why::Raised, both(format!("{by} {on} 提级督办"), format!("raised by {by} on {on}")));
        speaks(by);
    }
    if let Some(late) = late {
        let days = late.days_over;
        why.insert(Why::Overdue, both(format!("超期 {days} 个工作日"), format!("{days} working days over")));
    }
    let returned: Vec<_> =
        m.timeline.iter().filter(|t| t.kind == "return" && t.verdict == Verdict::Counted).collect();
    let lately = returned.last().is_some_and(|t| asked.covers(t.on));
    if returned.len() >= RETURNS && lately {
        let times = returned.len();
        why.insert(Why::Returned, both(format!("退回 {times} 次"), format!("returned {times} times")));
        for by in returned.iter().filter_map(|t| t.place).collect::<BTreeSet<_>>() {
            speaks(place(actions, &by));
        }
    }
    let waiting: Vec<&str> =
        m.summonses.iter().filter(|s| s.replies.is_empty()).map(|s| s.unit.as_str()).collect();
    if !waiting.is_empty() {
        let units = waiting.join("、");
        why.insert(Why::Waiting, both(format!("等{units}回复"), format!("waiting for {units}")));
        waiting.iter().for_each(|unit| speaks((*unit).to_owned()));
    }
    let (supporters, merged) = (m.supporters(), m.sources.len());
    let behind = supporters.saturating_add(i64::try_from(merged).unwrap_or(i64::MAX));
    let many = match (supporters > 1, merged > 0) {
        (true, true) => Some((
            format!("{supporters} 人附议，并案 {merged} 件"),
            format!("{supporters} supporters, {merged} merged"),
        )),
        (true, false) => Some((format!("{supporters} 人附议"), format!("{supporters} supporters"))),
        (false, true) => Some((format!("并案 {merged} 件"), format!("{merged} merged"))),
        (false, false) => None,
    };
    why.extend(many.map(|(zh, en)| (Why::Many, both(zh, en))));
    if why.is_empty() {
        return None;
    }
    Some(Item {
        number: m.number.clone(),
        title: Cell::text(m.title.clone()),
        home: Cell::text(place(actions, &m.home)),
        reports,
        due: match (late.and_then(|l| l.due.clone()), m.deadline.as_ref()) {
            (Some(due), _) => Cell::Text(due),
            (None, Some(d)) => due_day(actions, d.from_day, d.working_days),
            (None, None) => Cell::Nothing,
        },
        over: late.map_or(0, |l| l.days_over),
        behind,
        why,
    })
}

fn due_day(actions: &Actions, from: i64, working_days: u16) -> Cell {
    let from = Date::from_days(from);
    from.map_or(Cell::Nothing, |from| {
        day(actions.calendar().add_working_days(from, u32::from(working_days)).0.days())
    })
}

/// A matter of which only its line in a register is here.
fn stub(one: &SupervisedView) -> Item {
    let days = one.days_over;
    let late = both(format!("超期 {days} 个工作日"), format!("{days} working days over"));
    Item {
        number: one.number.clone(),
        title: Cell::words("（在下级办理，本级只见编号）", "(handled below; only its number is seen here)"),
        home: Cell::Nothing,
        reports: one.holder.iter().map(|h| h.name.clone()).collect(),
        due: one.due.clone().map_or(Cell::Nothing, Cell::Text),
        over: days,
        behind: 0,
        why: BTreeMap::from([(Why::Overdue, late)]),
    }
}
