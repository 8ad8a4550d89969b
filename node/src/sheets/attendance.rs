//! 误工补贴发放表: what members are owed for meetings they came to, from the rolls of the meetings themselves.
//!
//! One meeting often deals with several matters and stands in the record of each: a body on a day at a place
//! is one meeting, and somebody who came is counted once. A meeting that was only counted has no names; it is
//! told of in a note and pays nobody, because nobody knows whom.

use super::{Cell, Holds, Kind, Sheet, paper::place, query::Asked, sweep};
use crate::actions::{ActionError, Actions, day_text};
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    ids::{DocId, PlaceId},
    procedure::Words,
};

/// A meeting: where, of which body, on which day.
type Meeting = (PlaceId, String, i64);

#[derive(Default)]
struct Held {
    title: Option<Words>,
    /// Those on the spot and from afar.
    came: BTreeSet<String>,
    remote: BTreeSet<String>,
    /// The most that were counted, where nobody wrote names.
    counted: i64,
    matters: BTreeSet<DocId>,
}

#[derive(Default)]
struct Member {
    came: Vec<String>,
    remote: usize,
    matters: BTreeSet<DocId>,
}

pub(super) async fn sheet(actions: &Actions, kind: &Kind, asked: &Asked) -> Result<Sheet, ActionError> {
    let mut sheet = kind.blank(actions);
    sheet.columns(&[
        ("place", "单位", "Place", Holds::Text),
        ("name", "姓名", "Name", Holds::Text),
        ("member", "成员号", "Member", Holds::Text),
        ("meetings", "到会次数", "Meetings", Holds::Number),
        ("rate_yuan", "每次（元）", "Yuan each", Holds::Yuan),
        ("due_yuan", "应发（元）", "Due in yuan", Holds::Yuan),
        ("remote", "另：远程参加", "From afar besides", Holds::Number),
        ("which", "哪几次", "Which", Holds::Text),
    ]);
    let mut held: BTreeMap<Meeting, Held> = BTreeMap::new();
    sweep::folded(
        actions,
        asked,
        &mut sheet,
        |s| s.on_record,
        |_, doc, matter| {
            for met in &matter.meetings {
                let other = asked.body.as_ref().is_some_and(|body| *body != met.body);
                if other || !asked.covers(met.day) {
                    continue;
                }
                let one = held.entry((met.place, met.body.clone(), met.day)).or_default();
                let body = matter.procedure_file().and_then(|p| p.body(&met.body));
                one.title = one.title.take().or_else(|| body.map(|b| b.title.clone()));
                one.matters.insert(doc);
                one.counted = one.counted.max(met.present);
                for (member, how) in &met.roll {
                    match how.as_str() {
                        "present" => one.came.insert(member.clone()),
                        "remote" => one.remote.insert(member.clone()),
                        _ => false,
                    };
                }
            }
        },
    )
    .await?;
    let named = names(actions).await?;
    let own = actions.world().me.place;
    let mut members: BTreeMap<(PlaceId, String), Member> = BTreeMap::new();
    let (mut unnamed, mut unnamed_people) = (0, 0_i64);
    for ((at, body, day), one) in &held {
        if one.came.is_empty() && one.remote.is_empty() {
            unnamed += 1;
            unnamed_people = unnamed_people.saturating_add(one.counted);
            continue;
        }
        let title = one.title.as_ref().map_or(body.as_str(), |t| t.zh.as_str());
        for member in &one.came {
            let entry = members.entry((*at, member.clone())).or_default();
            entry.came.push(format!("{} {title}", day_text(*day)));
            entry.matters.extend(&one.matters);
        }
        // Whoever is on one roll as present and on another as from afar came.
        for member in one.remote.difference(&one.came) {
            let entry = members.entry((*at, member.clone())).or_default();
            entry.remote += 1;
            entry.matters.extend(&one.matters);
        }
    }
    let (mut times, mut due) = (0_usize, 0_i64);
    for ((at, member), m) in members {
        let count = m.came.len();
        let owed = i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(asked.rate_yuan);
        (times, due) = (times + count, due.saturating_add(owed));
        // Members of other places are known there by name, here by their number.
        let name = named.get(&member).filter(|_| at == own).cloned();
        let cells = vec![
            Cell::text(place(actions, &at)),
            name.into(),
            Cell::text(member),
            Cell::count(count),
            Cell::Number(asked.rate_yuan),
            Cell::Number(owed),
            Cell::count(m.remote),
            Cell::text(m.came.join("；")),
        ];
        sheet.row(cells, m.matters.into_iter().collect());
    }
    if !sheet.rows.is_empty() {
        let total = vec![
            Cell::words("合计", "In all"),
            Cell::Nothing,
            Cell::Nothing,
            Cell::count(times),
            Cell::Nothing,
            Cell::Number(due),
            Cell::Nothing,
            Cell::Nothing,
        ];
        sheet.row(total, Vec::new());
    }
    let (zh, en) = asked.period_text().unwrap_or_else(|| ("全部时间".into(), "all of the time".into()));
    let meetings = held.len();
    sheet.note(
        format!("{zh}，共 {meetings} 次会议。同一个会议事主体在同一天开的会只算一次，到场的才发，远程参加的另列。"),
        format!("{meetings} meetings ({en}). A body's meeting on one day counts once; only those on the spot are paid, those from afar stand apart."),
    );
    if unnamed > 0 {
        sheet.note(
            format!("有 {unnamed} 次会议只记了人数（{unnamed_people} 人次），没有签到名单，没有算进来。"),
            format!("{unnamed} meetings have a head count only ({unnamed_people} in all) and no roll; they pay nobody here."),
        );
    }
    Ok(sheet)
}

/// What this place's people are called, by member id.
async fn names(actions: &Actions) -> Result<BTreeMap<String, String>, ActionError> {
    let people = actions.store().people().await?;
    Ok(people.into_iter().map(|p| (format!("u{}", p.id), p.display_name)).collect())
}
