//! The inbox's views, compared with a plain look through every row; and how long they take over many.

use crate::federation::*;
use rand::{RngExt as _, SeedableRng, rngs::StdRng};
use tempfile::TempDir;
use yishi_node::store::*;
use yishi_protocol::{header::Header, ids::PlaceId};

const STAGES: [&str; 8] =
    ["registered", "escalated", "accepted", "handling", "answered", "merged", "decided", "closed"];
const ABOVE: PlaceId = PlaceId([0xaa; 16]);
const ELSEWHERE: PlaceId = PlaceId([0xbb; 16]);

fn row(header: &Header, n: u64, me: PlaceId, rng: &mut StdRng) -> MatterRow {
    let stage = STAGES[rng.random_range(0..STAGES.len())];
    let given = matches!(stage, "accepted" | "handling") && rng.random_bool(0.6);
    let answered = matches!(stage, "answered" | "closed");
    MatterRow {
        doc: header.doc_id(),
        number: Some(format!("芦稿-2026-{n:06}")),
        check_code: None,
        title: format!("第{n}件：{}", if n.is_multiple_of(7) { "涵洞积水" } else { "路灯不亮" }),
        category: Some(["水利", "道路", "治安"][rng.random_range(0..3)].into()),
        source: None,
        channel: None,
        stage: stage.into(),
        holder: Some([me, me, me, ABOVE, ELSEWHERE][rng.random_range(0..5)]),
        home: if rng.random_bool(0.1) { me } else { PlaceId([rng.random_range(1..40); 16]) },
        due_day: (!answered && rng.random_bool(0.9))
            .then(|| format!("2026-11-{:02}", rng.random_range(1..31))),
        raised_on: Some("2026-11-01".into()),
        merged_into: None,
        answered_on: answered.then(|| "2026-11-20".into()),
        told: answered && rng.random_bool(0.5),
        rated: false,
        closed: stage == "closed",
        supports: 0,
        violations: 0,
        external: None,
        updated_at_ms: rng.random_range(1..1_000_000),
        detail: format!("{{\"padding\":\"{}\"}}", "x".repeat(600)),
        unit: given.then(|| ["农业站", "民政办"][rng.random_range(0..2)].to_owned()),
        person: given.then(|| ["u1", "u2", "u3"][rng.random_range(0..3)].to_owned()),
    }
}

async fn filled(dir: &TempDir, many: usize) -> (Store, PlaceId, Vec<MatterRow>) {
    let mut fed = Fed::new();
    let (store, ..) = fed.store(dir.path()).await;
    let (me, east) = (store.world().me.place, fed.east.clone());
    let mut rng = StdRng::seed_from_u64(11);
    let mut all = Vec::new();
    for first in (0..many).step_by(5_000) {
        let headers: Vec<Header> = (first..many.min(first + 5_000)).map(|_| fed.matter(&east)).collect();
        store.write(Batch { docs: headers.clone(), ..Batch::default() }).await.unwrap();
        let rows: Vec<MatterRow> =
            headers.iter().zip(first as u64..).map(|(h, n)| row(h, n, me, &mut rng)).collect();
        let texts = rows.iter().map(|r| (r.doc, r.title.clone(), format!("{}，请处理。", r.title))).collect();
        store.project(Projection { matters: rows.clone(), texts, ..Projection::default() }).await.unwrap();
        all.extend(rows);
    }
    (store, me, all)
}

/// The questions people ask, by name.
fn asked(me: PlaceId) -> Vec<(&'static str, InboxQuery)> {
    let held = || InboxQuery::of(Whose::Held(vec![me]), 40);
    let open = vec![Phase::Arrived, Phase::Working];
    let late = Some(Due::Before("2026-11-10".into()));
    let soon = Some(Due::Between("2026-11-10".into(), "2026-11-13".into()));
    let unit = |u: &str| Some(u.to_owned());
    vec![
        ("arrived", InboxQuery { phases: vec![Phase::Arrived], ..held() }),
        ("working", InboxQuery { phases: vec![Phase::Working], ..held() }),
        ("overdue", InboxQuery { phases: open.clone(), due: late.clone(), ..held() }),
        ("soon", InboxQuery { phases: open.clone(), due: soon.clone(), ..held() }),
        ("below", InboxQuery { phases: open.clone(), not_home: Some(me), ..held() }),
        ("above", InboxQuery { phases: open.clone(), ..InboxQuery::of(Whose::Held(vec![ABOVE]), 40) }),
        (
            "two holders",
            InboxQuery { phases: open.clone(), ..InboxQuery::of(Whose::Held(vec![me, ABOVE]), 40) },
        ),
        ("untold", InboxQuery::of(Whose::Untold, 40)),
        ("village", InboxQuery::of(Whose::Home(PlaceId([5; 16])), 40)),
        ("village late", InboxQuery { due: late, ..InboxQuery::of(Whose::Home(PlaceId([5; 16])), 40) }),
        ("unit", InboxQuery { phases: open.clone(), unit: unit("农业站"), ..held() }),
        ("person", InboxQuery { unit: unit("农业站"), person: unit("u2"), ..held() }),
        ("nobody", InboxQuery { phases: vec![Phase::Working], unit: unit(""), ..held() }),
        ("category", InboxQuery { phases: vec![Phase::Working], category: unit("治安"), ..held() }),
        ("home", InboxQuery { home: Some(PlaceId([6; 16])), ..held() }),
        ("words", InboxQuery { words: unit("涵洞"), ..held() }),
        ("by number", InboxQuery { sort: InboxSort::Number, phases: vec![Phase::Arrived], ..held() }),
        ("newest", InboxQuery { sort: InboxSort::Newest, phases: open, ..held() }),
    ]
}

/// Whether a row belongs to a question, looked at plainly.
fn fits(q: &InboxQuery, r: &MatterRow) -> bool {
    let whose = match &q.whose {
        Whose::Held(places) => !r.closed && r.holder.is_some_and(|h| places.contains(&h)),
        Whose::Home(home) => !r.closed && r.home == *home,
        Whose::Untold => r.answered_on.is_some() && !r.told,
    };
    let day = r.due_day.as_deref();
    let due = match &q.due {
        None => true,
        Some(Due::Before(end)) => day.is_some_and(|d| d < end.as_str()),
        Some(Due::Between(a, b)) => day.is_some_and(|d| d >= a.as_str() && d <= b.as_str()),
    };
    let unit = match q.unit.as_deref() {
        None => true,
        Some("") => r.unit.is_none(),
        unit => r.unit.as_deref() == unit,
    };
    whose
        && due
        && unit
        && (q.phases.is_empty() || q.phases.contains(&Phase::of(&r.stage)))
        && q.home.is_none_or(|h| r.home == h)
        && q.not_home.is_none_or(|h| r.home != h)
        && q.person.is_none_or_fits(&r.person)
        && q.category.is_none_or_fits(&r.category)
        && q.words.as_ref().is_none_or(|w| r.title.contains(w.as_str()))
}

trait Fits {
    fn is_none_or_fits(&self, other: &Self) -> bool;
}

impl Fits for Option<String> {
    fn is_none_or_fits(&self, other: &Self) -> bool {
        self.is_none() || self == other
    }
}

#[tokio::test]
async fn every_view_pages_through_exactly_what_belongs_to_it_in_order() {
    let dir = TempDir::new().unwrap();
    let (store, me, rows) = filled(&dir, 1_500).await;
    let questions = asked(me);
    let queries: Vec<InboxQuery> = questions.iter().map(|(_, q)| q.clone()).collect();
    let counts = store.inbox_counts(&queries).await.unwrap();
    for ((name, query), count) in questions.iter().zip(counts) {
        let mut found = Vec::new();
        let mut next = InboxQuery { limit: 7, ..query.clone() };
        loop {
            let page = store.inbox(&next).await.unwrap();
            found.extend(page.rows);
            match page.next {
                Some(cursor) => next.after = Some(cursor),
                None => break,
            }
        }
        let mut expected: Vec<&MatterRow> = rows.iter().filter(|r| fits(query, r)).collect();
        assert!(!expected.is_empty() && expected.len() < rows.len(), "{name} tells nothing");
        assert_eq!(count, expected.len() as u64, "{name}");
        // Rows are as old as their place in the list: it settles what is due on one day.
        let due = |r: &MatterRow| r.due_day.clone().unwrap_or_else(|| "9999".into());
        match query.sort {
            InboxSort::Due => expected.sort_by_key(|r| due(r)),
            InboxSort::Number => {}
            InboxSort::Newest => {
                expected.reverse();
                expected.sort_by_key(|r| std::cmp::Reverse(r.updated_at_ms));
            }
        }
        let numbers = |rows: Vec<&MatterRow>| rows.into_iter().map(|r| r.number.clone()).collect::<Vec<_>>();
        assert_eq!(numbers(found.iter().collect()), numbers(expected), "{name}");
    }
    let units = store.inbox_units(me).await.unwrap();
    let of = |unit: &str, person: Option<&str>| {
        let fits = |r: &&MatterRow| {
            r.holder == Some(me)
                && r.unit.as_deref() == Some(unit)
                && person.is_none_or(|p| r.person.as_deref() == Some(p))
        };
        rows.iter().filter(fits).count() as u64
    };
    let expected = ["农业站", "民政办"].map(|u| (u.to_owned(), of(u, None)));
    assert_eq!(units, expected);
    let persons = store.inbox_persons(me, "民政办").await.unwrap();
    assert_eq!(persons, ["u1", "u2", "u3"].map(|p| (p.to_owned(), of("民政办", Some(p)))));
    assert_eq!(store.inbox_units(ELSEWHERE).await.unwrap().len(), 2);
    assert_eq!(store.inbox_units(PlaceId([0xcc; 16])).await.unwrap(), []);
}
