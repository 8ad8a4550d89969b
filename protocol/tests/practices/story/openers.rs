//! What opens each kind of gate, and what is tried before and is not enough.

use super::{Do, Fields, Opener};
use crate::world::text;
use std::collections::BTreeMap;
use yishi_protocol::{act::Voice, fold::Violation};

fn nothing() -> Do {
    Box::new(|_| {})
}

/// For a gate that does not stand in this case.
pub(crate) fn skip() -> Opener {
    Opener { bads: Vec::new(), good: nothing() }
}

/// A form filled in by a place.
pub(crate) fn record_by(node: usize, form: &'static str, fields: Fields) -> Opener {
    records_by(Some(node), form, vec![fields])
}

/// A form filled in by the holder.
pub(crate) fn record(form: &'static str, fields: Fields) -> Opener {
    records_by(None, form, vec![fields])
}

/// A form filled in several times by the holder.
pub(crate) fn records(form: &'static str, all: Vec<Fields>) -> Opener {
    records_by(None, form, all)
}

fn records_by(node: Option<usize>, form: &'static str, all: Vec<Fields>) -> Opener {
    let mut bads = vec![(nothing(), Violation::LacksRecord)];
    if let Some((_, fewer)) = all.split_last().filter(|(_, fewer)| !fewer.is_empty()) {
        let fewer = fewer.to_vec();
        let some: Do = Box::new(move |s| fewer.iter().for_each(|f| s.record(node, form, f)));
        bads.push((some, Violation::LacksRecord));
    }
    Opener { bads, good: Box::new(move |s| all.iter().for_each(|f| s.record(node, form, f))) }
}

/// A meeting of so many of so many, of whom so many carry a tag.
pub(crate) fn meeting(body: &'static str, all: i64, there: i64, tags: &[(&'static str, i64)]) -> Opener {
    let tags: BTreeMap<String, i64> = tags.iter().map(|(t, n)| ((*t).to_owned(), *n)).collect();
    let mut bads = vec![(nothing(), Violation::LacksMeeting)];
    let few: Do = Box::new(move |s| {
        let few = i64::from(s.quorum(body).is_none()) * there;
        s.meet(body, all, few, BTreeMap::new());
    });
    // What is wrong with it is said when the story knows the body: see `Story::why`.
    bads.push((few, Violation::NoQuorum));
    if !tags.is_empty() {
        let untagged: Do = Box::new(move |s| s.meet(body, all, there, BTreeMap::new()));
        bads.push((untagged, Violation::NotRepresentative));
    }
    Opener { bads, good: Box::new(move |s| s.meet(body, all, there, tags.clone())) }
}

/// A vote: so many entitled, there and in favour.
pub(crate) fn ballot(body: &'static str, all: i64, there: i64, in_favour: i64) -> Opener {
    let down: Do = Box::new(move |s| s.vote(body, all, there, 1));
    let bads = vec![(nothing(), Violation::LacksBallot), (down, Violation::BallotNotPassed)];
    Opener { bads, good: Box::new(move |s| s.vote(body, all, there, in_favour)) }
}

/// A notice, an objection to it, and what is replied.
pub(crate) fn posted(notice: &'static str, objection: &'static str, reply: &'static str) -> Opener {
    let post: Do = Box::new(move |s| s.post(notice));
    let object: Do = Box::new(move |s| {
        s.wait_for_notice();
        // A resident comes to the hall of whoever holds the matter.
        if let Some(post) = s.post.map(|(act, _)| act) {
            let act = s.say(Voice::Object { post, text: text(objection) });
            s.asked.push(act);
        }
    });
    let bads = vec![
        (nothing(), Violation::NotPosted),
        (post, Violation::NotPosted),
        (object, Violation::ObjectionsOpen),
    ];
    let good: Do = Box::new(move |s| {
        if s.post.is_none() {
            s.post(notice);
        }
        s.wait_for_notice();
        s.reply(reply);
    });
    Opener { bads, good }
}

/// Units asked, who answer on paper; the first is slow.
pub(crate) fn summons(units: &'static [&'static str], question: &'static str, reply: &'static str) -> Opener {
    let one: Do = Box::new(move |s| s.summon(units[0], question));
    let good: Do = Box::new(move |s| {
        let rest = usize::from(!s.asked.is_empty());
        units.iter().skip(rest).for_each(|u| s.summon(u, question));
        s.reply(reply);
    });
    Opener { bads: vec![(one, Violation::SummonsOpen)], good }
}

/// Units that must be asked.
pub(crate) fn must_ask(
    units: &'static [&'static str],
    question: &'static str,
    reply: &'static str,
) -> Opener {
    let mut opener = summons(units, question, reply);
    opener.bads.insert(0, (nothing(), Violation::SummonsOpen));
    opener
}

/// Too much is spent, and covered afterwards.
pub(crate) fn within_budget(spending: (&'static str, Fields), budget: (&'static str, Fields)) -> Opener {
    let over: Do = Box::new(move |s| {
        s.record(None, spending.0, &spending.1);
        s.over = true;
    });
    let good: Do = Box::new(move |s| {
        if s.over {
            s.record(None, budget.0, &budget.1);
        }
    });
    Opener { bads: vec![(over, Violation::OverBudget)], good }
}
