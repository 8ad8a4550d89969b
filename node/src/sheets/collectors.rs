//! 民情专递员年度考评表 and 补贴发放表 (Wuhou): what each collector gathered in a year and what became of it, and
//! what is due to them by the charter.
//!
//! Collectors are appointed in this place's charter. A matter is a collector's if the paper 民情民意收集登记表
//! names him as the courier; without the paper, if he registered it himself (his account's name is the
//! charter's). Two people of one name cannot be told apart so: what bears that name is nobody's, and a note says it.

use super::{Cell, Holds, Kind, Sheet, paper::day, query::Asked, sweep};
use crate::actions::{ActionError, Actions};
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    calendar::Date,
    charter::{Articles, Collector, Term},
    fold::{Filling, Matter, frame::StepKind},
    ids::{DocId, PlaceId},
};

/// The paper that says who gathered a matter, and its field.
const PAPER: (&str, &str) = ("collection", "courier");
/// The four ways collectors gather, as sources of matters name them.
const CHANNELS: [&str; 4] = ["home_visit", "diary", "hotline", "letter_box"];

/// What one appointment brought.
#[derive(Default)]
struct Gathered {
    by_channel: BTreeMap<&'static str, usize>,
    elsewhere: usize,
    answered: usize,
    told: usize,
    /// Meetings: of which body, on which day.
    met: BTreeSet<(String, i64)>,
    matters: BTreeSet<DocId>,
}

/// Which person of the charter a name or id means.
struct People<'a> {
    articles: &'a Articles,
    /// This node's accounts: `u1` to the name others read.
    accounts: BTreeMap<String, String>,
    /// Names of collectors that two people bear, and that were met with.
    unclear: BTreeSet<String>,
}

impl People<'_> {
    /// The charter's id of whom a paper, an act or a roll names.
    fn find(&mut self, said: &str) -> Option<String> {
        let said = self.accounts.get(said).map_or(said, String::as_str).trim();
        if let Some(person) = self.articles.person(said) {
            return Some(person.id.clone());
        }
        let mut named = self.articles.people.iter().filter(|p| p.name == said);
        match (named.next(), named.next()) {
            (Some(only), None) => Some(only.id.clone()),
            (Some(_), Some(_)) => {
                self.unclear.insert(said.to_owned());
                None
            }
            _ => None,
        }
    }

    /// Who gathered a matter.
    fn gathered(&mut self, matter: &Matter, own: PlaceId) -> Option<String> {
        let paper = matter.records.iter().find(|r| r.form == PAPER.0 && r.place == own);
        if let Some(Filling::Words(courier)) = paper.and_then(|r| r.fields.get(PAPER.1)) {
            return self.find(&courier.clone());
        }
        let first = matter.timeline.iter().find(|t| t.kind == StepKind::Register.name());
        let by = first.filter(|t| t.place == Some(own)).and_then(|t| t.by.clone());
        by.and_then(|by| self.find(&by))
    }
}

/// The appointments that touch the period, in the charter's order.
fn appointed<'a>(articles: &'a Articles, asked: &Asked) -> Vec<&'a Collector> {
    let period = Term { from: Date::from_days(asked.period.0), until: Date::from_days(asked.period.1) };
    articles.collectors.iter().filter(|c| c.term.meets(&period)).collect()
}

fn covers(collector: &Collector, on: i64) -> bool {
    Date::from_days(on).is_some_and(|on| collector.term.covers(on))
}

fn end(limit: Option<Date>) -> Cell {
    limit.map_or(Cell::Nothing, |d| day(d.days()))
}

/// Nobody was appointed: said rather than shown as an empty paper.
fn nobody(sheet: &mut Sheet) {
    sheet.note(
        "这段时间里，本单位章程中没有聘用民情专递员。请在章程的 collectors 里登记聘期和补贴。",
        "The charter of this place has no collectors in this time. Enter them with terms and allowance under collectors.",
    );
}

pub(super) async fn appraisal(actions: &Actions, kind: &Kind, asked: &Asked) -> Result<Sheet, ActionError> {
    let mut sheet = kind.blank(actions);
    let mut columns = vec![
        ("name", "民情专递员", "Collector", Holds::Text),
        ("area", "联系片区", "Area", Holds::Text),
        ("from", "聘期起", "From", Holds::Day),
        ("until", "聘期止", "Until", Holds::Day),
        ("gathered", "收集件数", "Gathered", Holds::Number),
    ];
    columns.extend(CHANNELS.iter().filter_map(|c| {
        let (zh, en) = crate::actions::fixed_words(c)?;
        Some((*c, zh, en, Holds::Number))
    }));
    columns.extend([
        ("other_channels", "其他渠道", "Other channels", Holds::Number),
        ("answered", "已答复", "Answered", Holds::Number),
        ("told", "已告知", "Told", Holds::Number),
        ("meetings", "到会次数", "Meetings", Holds::Number),
        ("appraisal", "考评意见", "Appraisal", Holds::Text),
    ]);
    sheet.columns(&columns);
    let articles = actions.articles();
    let appointed = appointed(&articles, asked);
    if appointed.is_empty() {
        nobody(&mut sheet);
        return Ok(sheet);
    }
    let own = actions.world().me.place;
    let accounts = actions.store().people().await?;
    let accounts = accounts.into_iter().map(|p| (format!("u{}", p.id), p.display_name)).collect();
    let mut people = People { articles: &articles, accounts, unclear: BTreeSet::new() };
    let mut brought: Vec<Gathered> = appointed.iter().map(|_| Gathered::default()).collect();
    let mut nobodys = 0_usize;
    // Only what was registered here can be one of this place's collectors'.
    let here = Asked { home: Some(own), ..asked.clone() };
    sweep::folded(
        actions,
        &here,
        &mut sheet,
        |s| s.on_record || asked.covers(s.raised_on),
        |_, doc, matter| {
            let raised = asked.covers(matter.raised_on);
            let who = if raised { people.gathered(matter, own) } else { None };
            let mut found = false;
            for (collector, one) in appointed.iter().zip(&mut brought) {
                for met in matter.meetings.iter().filter(|m| asked.covers(m.day) && covers(collector, m.day))
                {
                    let came = met.roll.iter().filter(|(_, how)| *how == "present" || *how == "remote");
                    if came.map(|(id, _)| id).any(|id| people.find(id).as_ref() == Some(&collector.person)) {
                        one.met.insert((met.body.clone(), met.day));
                    }
                }
                if who.as_ref() != Some(&collector.person) || !covers(collector, matter.raised_on) {
                    continue;
                }
                found = true;
                one.matters.insert(doc);
                let channel = CHANNELS.iter().find(|c| matter.channel.as_deref() == Some(**c));
                match channel {
                    Some(channel) => *one.by_channel.entry(channel).or_default() += 1,
                    None => one.elsewhere += 1,
                }
                one.answered += usize::from(matter.newest_reply().is_some());
                one.told += usize::from(matter.told);
            }
            nobodys += usize::from(raised && !found);
        },
    )
    .await?;
    for (collector, one) in appointed.iter().zip(brought) {
        let mut cells = vec![
            Cell::text(articles.name(&collector.person)),
            collector.area.clone().into(),
            end(collector.term.from),
            end(collector.term.until),
            Cell::count(one.matters.len()),
        ];
        cells
            .extend(CHANNELS.iter().map(|c| Cell::count(one.by_channel.get(c).copied().unwrap_or_default())));
        cells.extend([
            Cell::count(one.elsewhere),
            Cell::count(one.answered),
            Cell::count(one.told),
            Cell::count(one.met.len()),
            Cell::Nothing,
        ]);
        sheet.row(cells, one.matters.into_iter().collect());
    }
    let (zh, en) = asked.period_text().unwrap_or_default();
    sheet.note(
        format!("{zh}，只算本单位登记、在聘期内反映的事项。收集人以收集登记表上写的专递员为准，没有这张表的看是谁登记的。已答复含不予受理；答复、告知是到今天为止的情况。"),
        format!("{en}: matters registered here and raised within the term. The collection sheet says who gathered one; without it, who registered it. Answered includes refusals; answered and told are as of today."),
    );
    if nobodys > 0 {
        sheet.note(
            format!("另有 {nobodys} 件不是专递员收集的，没有列入。"),
            format!("{nobodys} more were not gathered by collectors and are not in it."),
        );
    }
    if !people.unclear.is_empty() {
        let names = people.unclear.into_iter().collect::<Vec<_>>().join("、");
        sheet.note(
            format!("章程里有同名的人：{names}。分不清是谁收集的，没有算进来；登记表上请写代号。"),
            format!("Several people of the charter are called {names}: whose these are is unclear, so they are nobody's here. Write the id on the paper."),
        );
    }
    Ok(sheet)
}

/// The months of a period that have begun, by first and last day.
fn months(period: (i64, i64), today: i64) -> Vec<(Date, Date)> {
    let mut months = Vec::new();
    let mut at = Date::from_days(period.0);
    while let Some(first) = at.filter(|d| d.days() <= period.1.min(today)) {
        let (year, month, _) = first.ymd();
        let (year, month) = if month == 12 { (year.saturating_add(1), 1) } else { (year, month + 1) };
        at = Date::from_ymd(year, month, 1).ok();
        let last = at.map_or(Date::MAX, |next| next.plus_days(-1));
        months.push((first, last));
    }
    months
}

pub(super) fn allowance(actions: &Actions, kind: &Kind, asked: &Asked) -> Result<Sheet, ActionError> {
    let mut sheet = kind.blank(actions);
    sheet.columns(&[
        ("name", "民情专递员", "Collector", Holds::Text),
        ("area", "联系片区", "Area", Holds::Text),
        ("from", "聘期起", "From", Holds::Day),
        ("until", "聘期止", "Until", Holds::Day),
        ("month_yuan", "每月（元）", "Yuan a month", Holds::Yuan),
        ("months", "发放月数", "Months", Holds::Number),
        ("due_yuan", "应发（元）", "Due in yuan", Holds::Yuan),
        ("signature", "领取人签字", "Signature", Holds::Text),
    ]);
    let articles = actions.articles();
    let appointed = appointed(&articles, asked);
    if appointed.is_empty() {
        nobody(&mut sheet);
        return Ok(sheet);
    }
    let months = months(asked.period, actions.today());
    let (mut all, mut sum) = (0_usize, 0_i64);
    for collector in appointed {
        let count = months.iter().filter(|(_, last)| collector.term.covers(*last)).count();
        let due = collector.allowance_yuan.saturating_mul(i64::try_from(count).unwrap_or(i64::MAX));
        (all, sum) = (all + count, sum.saturating_add(due));
        sheet.row(
            vec![
                Cell::text(articles.name(&collector.person)),
                collector.area.clone().into(),
                end(collector.term.from),
                end(collector.term.until),
                Cell::Number(collector.allowance_yuan),
                Cell::count(count),
                Cell::Number(due),
                Cell::Nothing,
            ],
            Vec::new(),
        );
    }
    let mut total = vec![Cell::words("合计", "In all")];
    total.extend([Cell::Nothing, Cell::Nothing, Cell::Nothing, Cell::Nothing]);
    total.extend([Cell::count(all), Cell::Number(sum), Cell::Nothing]);
    sheet.row(total, Vec::new());
    let (zh, en) = asked.period_text().unwrap_or_default();
    sheet.note(
        format!("{zh}。一个月算给月末那天在聘的人；还没到的月份不算。标准取自本单位章程。"),
        format!("{en}. A month is owed to whoever is appointed on its last day; months to come are not counted. The rate is the charter's."),
    );
    Ok(sheet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_count_once_they_have_begun() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let year = (day("2026-01-01").days(), day("2026-12-31").days());
        let begun = months(year, day("2026-11-23").days());
        assert_eq!(begun.len(), 11);
        assert_eq!(begun.get(1), Some(&(day("2026-02-01"), day("2026-02-28"))));
        assert_eq!(begun.last(), Some(&(day("2026-11-01"), day("2026-11-30"))));
        assert_eq!(months(year, day("2027-03-01").days()).len(), 12);
        assert_eq!(months(year, day("2025-12-31").days()).len(), 0);
    }
}
