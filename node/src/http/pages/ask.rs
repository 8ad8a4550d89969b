//! `GET /q`: how a matter stands, for whoever has its receipt. No sign-in.
//!
//! Number and check code show what a public board may: stage, holder, days; no text, no title, no person. A
//! number that is not here and a code that is wrong are answered alike, late, and are counted: against the
//! number, and against where the question came from. Counts are of this process; a restart forgets them.

use super::{Page, Place, Visitor, html, moments, w};
use crate::{
    actions::views::MatterView,
    http::{
        House,
        body::Query,
        limits,
        problem::Problem,
        server::{Door, Remote},
    },
};
use askama::Template;
use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use yishi_protocol::number::CheckCode;

/// Wrong look-ups, by number and by address.
#[derive(Debug, Default)]
pub(in crate::http) struct Walkers(Mutex<BTreeMap<String, Tries>>);

#[derive(Debug, Clone, Copy, Default)]
struct Tries {
    failed: u32,
    closed_until_ms: u64,
    last_ms: u64,
}

impl Walkers {
    fn closed_until(&self, key: &str) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).map_or(0, |t| t.closed_until_ms)
    }

    fn failed(&self, key: &str, failures_max: u32, now_ms: u64) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= limits::WALKERS_MAX && !tries.contains_key(key) {
            let oldest = tries.iter().min_by_key(|(_, t)| t.last_ms).map(|(k, _)| k.clone());
            oldest.map(|k| tries.remove(&k));
        }
        let entry = tries.entry(key.to_owned()).or_default();
        // Slips long past are not held against anybody.
        if now_ms.saturating_sub(entry.last_ms) > limits::LOOK_UP_CLOSED_MS {
            entry.failed = 0;
        }
        entry.last_ms = now_ms;
        entry.failed += 1;
        if entry.failed >= failures_max {
            *entry =
                Tries { failed: 0, closed_until_ms: now_ms + limits::LOOK_UP_CLOSED_MS, last_ms: now_ms };
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    n: String,
    c: String,
}

#[derive(Template)]
#[template(path = "ask.html")]
struct AskPage {
    page: Page,
    n: String,
    c: String,
    trouble: Option<String>,
    found: Option<Found>,
}

struct Found {
    number: String,
    stage: String,
    tone: &'static str,
    facts: Vec<(&'static str, String)>,
    told: &'static str,
}

/// Where a question comes from, and how many slips it has.
fn asker(door: Option<Door>, from: Option<Remote>) -> (String, u32) {
    match (from.and_then(|f| f.0), door) {
        (Some(address), _) => (format!("from {address}"), limits::LOOK_UP_FAILURES_MAX),
        (None, Some(Door::Socket)) => ("socket".to_owned(), u32::MAX),
        (None, _) => ("plain".to_owned(), limits::LOOK_UP_SHARED_FAILURES_MAX),
    }
}

pub(super) async fn show(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    from: Option<Extension<Remote>>,
    Query(asked): Query<Asked>,
) -> Response {
    let (n, c) = (asked.n.trim().to_owned(), asked.c.trim().to_owned());
    let page = visitor.page(&house, "ask");
    if n.is_empty() || c.is_empty() {
        let trouble = (n.is_empty() != c.is_empty()).then(|| w::ASK_BOTH.of(page.lang).to_owned());
        return html(&AskPage { page, n, c, trouble, found: None });
    }
    let lang = page.lang;
    match found(&house, &visitor, from.map(|f| f.0), &n, &c).await {
        Ok(found) => html(&AskPage { page, n, c: String::new(), trouble: None, found: Some(found) }),
        Err(problem) => {
            let trouble = Some(problem.words(lang).to_owned());
            (problem.status(), html(&AskPage { page, n, c: String::new(), trouble, found: None }))
                .into_response()
        }
    }
}

async fn found(
    house: &House,
    visitor: &Visitor,
    from: Option<Remote>,
    n: &str,
    c: &str,
) -> Result<Found, Problem> {
    let matter = held(house, visitor.door, from, n, c).await?;
    let (m, lang, today) = (&matter.summary, visitor.lang, house.actions.today());
    let due = moments::due(m.deadline.as_ref(), lang);
    let at = matter.deliberation.at.as_ref();
    let facts = [
        (w::CATEGORY, m.category.clone().unwrap_or_default()),
        (w::HOLDER, Place::of_known(m.holder.as_ref()).full),
        (
            w::ASK_STAGE,
            at.map(|a| format!("{}/{} {}", a.number, a.of, lang.of(&a.title.zh, &a.title.en)))
                .unwrap_or_default(),
        ),
        (
            w::DEADLINE,
            if due.words.is_empty() { String::new() } else { format!("{} · {}", due.words, due.date) },
        ),
        (w::RAISED_ON, moments::day_seen(&m.raised_on, today, lang)),
        (w::HOME, Place::of(&m.home).full),
    ];
    let told = match (matter.answers.is_empty(), m.told) {
        (true, _) => w::ASK_NO_ANSWER,
        (false, false) => w::ASK_ANSWERED,
        (false, true) => w::ASK_TOLD,
    };
    Ok(Found {
        number: m.number.clone(),
        stage: w::stage(&m.stage, &m.stage_zh, lang).to_owned(),
        tone: w::tone(&m.stage),
        facts: facts.into_iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.of(lang), v)).collect(),
        told: told.of(lang),
    })
}

/// The matter whose receipt was shown. A number that is not here and a code that is wrong are answered alike,
/// late, and are counted.
pub(super) async fn held(
    house: &House,
    door: Option<Door>,
    from: Option<Remote>,
    n: &str,
    c: &str,
) -> Result<MatterView, Problem> {
    let begun = Instant::now();
    let now = house.clock.now_ms();
    let (asker, slips_max) = asker(door, from);
    let open_again =
        |until: u64| if until > now { Err(shut((until - now).div_ceil(60_000))) } else { Ok(()) };
    open_again(house.walkers.closed_until(&asker))?;
    let number: String = n.chars().take(limits::QUERY_CHARS_MAX).collect();
    let matter = house.actions.matter(&number).await.ok();
    // Against the matter, however its number is written: it can be said in many ways.
    let about =
        matter.as_ref().map_or_else(|| format!("unknown {number}"), |m| format!("matter {}", m.summary.id));
    open_again(house.walkers.closed_until(&about))?;
    let code = CheckCode::read(c).ok();
    let fits = |m: &MatterView| code.is_some() && code == CheckCode::read(&m.summary.check_code).ok();
    if let Some(matter) = matter.filter(fits) {
        return Ok(matter);
    }
    house.walkers.failed(&asker, slips_max, now);
    house.walkers.failed(&about, limits::LOOK_UP_FAILURES_MAX, now);
    tokio::time::sleep_until(begun + Duration::from_millis(limits::LOOK_UP_WRONG_MS)).await;
    Err(wrong())
}

fn wrong() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "wrong_code",
        "Number or check code wrong",
        "Number and check code do not belong together, or the matter is not known here. Check both on the receipt; a place that has just registered it may not have sent it here yet.",
        "编号和校验码对不上，或者这里还没有这一件。请照回执核对；刚登记的，可能还没送到这里，可到登记单位问。",
    )
}

fn shut(minutes: u64) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "look_up_closed",
        "Looking up is closed for a while",
        format!("Too many wrong check codes: looking up is closed for {minutes} more minutes. One can always ask at the place that registered the matter."),
        format!("校验码错得太多，暂停查询，还需等 {minutes} 分钟。着急的可以直接到登记单位问。"),
    )
    .retry_after(minutes * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted_forgotten_and_bounded() {
        let walkers = Walkers::default();
        for _ in 1..5 {
            walkers.failed("a", 5, 1_000);
            assert_eq!(walkers.closed_until("a"), 0);
        }
        walkers.failed("a", 5, 1_000);
        assert_eq!(walkers.closed_until("a"), 1_000 + limits::LOOK_UP_CLOSED_MS);
        for day in 1..20_u64 {
            walkers.failed("b", 5, day * 86_400_000);
        }
        assert_eq!(walkers.closed_until("b"), 0, "one slip a day shuts nobody out");
        for i in 0..2 * limits::WALKERS_MAX {
            walkers.failed(&format!("n{i}"), 5, 2_000_000_000);
        }
        assert_eq!(walkers.0.lock().unwrap().len(), limits::WALKERS_MAX);
    }
}
