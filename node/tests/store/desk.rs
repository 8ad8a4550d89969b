//! What the desk relies on: derived rows and lists, people, sessions, tokens, serials, invitations.

use crate::federation::*;
use tempfile::TempDir;
use yishi_node::store::*;
use yishi_protocol::{
    header::Header,
    ids::{DocId, PlaceId},
};

pub(crate) fn row(header: &Header, n: u64) -> MatterRow {
    MatterRow {
        doc: header.doc_id(),
        number: Some(format!("芦稿-2026-{n:04}")),
        check_code: Some("402913".into()),
        title: format!("第{n}件：水深{n}0%"),
        category: Some(if n.is_multiple_of(2) { "水利" } else { "道路" }.into()),
        source: None,
        channel: Some("home_visit".into()),
        stage: if n < 6 { "registered" } else { "answered" }.into(),
        holder: Some(header.home),
        home: header.home,
        due_day: (n < 6).then(|| format!("2026-11-{:02}", 20 + n)),
        raised_on: Some("2026-11-16".into()),
        merged_into: None,
        answered_on: (n >= 6).then(|| "2026-11-20".into()),
        told: n == 9,
        rated: false,
        closed: n >= 8,
        supports: n as u32,
        violations: 0,
        external: (n == 3).then(|| ExternalNumber { system: "hotline".into(), number: "A-3".into() }),
        updated_at_ms: 1_000 + n / 2,
        detail: format!("{{\"check\":\"{n}{n}{n}777\"}}"),
        unit: None,
        person: None,
    }
}

/// Ten matters of the eastern village, folded.
async fn desk(fed: &mut Fed, dir: &TempDir) -> (Store, Vec<MatterRow>) {
    let (store, ..) = fed.store(dir.path()).await;
    let east = fed.east.clone();
    let headers: Vec<Header> = (0..10).map(|_| fed.matter(&east)).collect();
    let history: Vec<_> = headers.iter().flat_map(|h| fed.chain(h.doc_id(), &east, None, 1)).collect();
    let external = ExternalNumber { system: "hotline".into(), number: "A-3".into() };
    let batch = Batch {
        externals: vec![(external, headers[3].doc_id())],
        docs: headers.clone(),
        commits: commits(&history),
        ..Batch::default()
    };
    store.write(batch).await.unwrap();
    let rows: Vec<MatterRow> = headers.iter().zip(0..).map(|(h, n)| row(h, n)).collect();
    let done = store.dirty_docs(100).await.unwrap();
    assert_eq!(done.len(), 10);
    store.project(Projection { matters: rows.clone(), done, ..Projection::default() }).await.unwrap();
    assert_eq!(store.dirty_count().await.unwrap(), 0);
    (store, rows)
}

async fn numbers(store: &Store, query: MatterQuery) -> Vec<u64> {
    let page = store.matters(&MatterQuery { limit: 50, ..query.clone() }).await.unwrap();
    assert_eq!(page.next, None);
    assert_eq!(store.count_matters(&query).await.unwrap(), page.rows.len() as u64);
    page.rows.iter().map(|r| r.number.as_ref().unwrap()[12..].parse().unwrap()).collect()
}

#[tokio::test]
async fn matters_are_found_filtered_and_paged() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, rows) = desk(&mut fed, &dir).await;
    assert_eq!(store.matter(&rows[4].doc).await.unwrap().as_ref(), Some(&rows[4]));
    assert_eq!(store.matter(&DocId([0; 32])).await.unwrap(), None);
    assert_eq!(store.matters_by_number("芦稿-2026-0007").await.unwrap(), [rows[7].clone()]);
    let prefix = rows[2].doc.to_string()[..9].to_owned();
    assert_eq!(store.docs_with_prefix(&prefix, 2).await.unwrap(), [rows[2].doc]);
    assert_eq!(store.docs_with_prefix("", 20).await.unwrap().len(), 10);
    assert_eq!(store.docs_with_prefix("g", 20).await.unwrap(), []);
    let found = store.external_docs("hotline", &["A-3".into(), "A-4".into()]).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [("A-3".to_owned(), rows[3].doc)]);

    let all = MatterQuery::default;
    assert_eq!(numbers(&store, all()).await, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    let due = MatterQuery { sort: MatterSort::Deadline, open: Some(true), ..all() };
    assert_eq!(numbers(&store, due).await, [0, 1, 2, 3, 4, 5, 6, 7]);
    let stages = vec!["answered".to_owned(), "closed".to_owned()];
    assert_eq!(
        numbers(&store, MatterQuery { stages, sort: MatterSort::Number, ..all() }).await,
        [6, 7, 8, 9]
    );
    let late = Some(Due::Before("2026-11-22".into()));
    assert_eq!(numbers(&store, MatterQuery { due: late, ..all() }).await, [1, 0]);
    let soon = Some(Due::Between("2026-11-22".into(), "2026-11-23".into()));
    assert_eq!(numbers(&store, MatterQuery { due: soon, ..all() }).await, [3, 2]);
    assert_eq!(numbers(&store, MatterQuery { untold: true, ..all() }).await, [8, 7, 6]);
    // Wildcards of the engine are ordinary letters.
    for (text, expected) in [
        ("第5件", vec![5]),
        ("-0002", vec![2]),
        ("深40%", vec![4]),
        ("4_%", vec![]),
        ("A-3", vec![3]),
        ("777", vec![]),
    ] {
        assert_eq!(
            numbers(&store, MatterQuery { text: Some(text.into()), ..all() }).await,
            expected,
            "{text}"
        );
    }
    let elsewhere = MatterQuery { holder: Some(PlaceId([0; 16])), ..all() };
    assert_eq!(numbers(&store, elsewhere).await, [0; 0]);
    let hotline = MatterQuery { external_system: Some("hotline".into()), ..all() };
    assert_eq!(numbers(&store, hotline).await, [3]);
    let answered = MatterQuery { answered_since: Some("2026-11-20".into()), open: Some(false), ..all() };
    assert_eq!(numbers(&store, answered).await, [9, 8]);

    for sort in [MatterSort::Updated, MatterSort::Deadline, MatterSort::Number] {
        let whole = store.matters(&MatterQuery { sort, limit: 50, ..all() }).await.unwrap().rows;
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = store.matters(&MatterQuery { sort, limit: 3, after, ..all() }).await.unwrap();
            paged.extend(page.rows);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(paged, whole, "{sort:?}");
    }
    assert_eq!(store.open_by_home().await.unwrap().into_values().collect::<Vec<_>>(), [8]);
    assert_eq!(store.matters_by_stage().await.unwrap()["answered"], 4);

    // Everything derived can be thrown away.
    store.clear_read_models().await.unwrap();
    assert_eq!(numbers(&store, all()).await, [0; 0]);
    assert_eq!(store.dirty_count().await.unwrap(), 10);
}

#[tokio::test]
async fn outcomes_and_stubs_are_kept_with_what_they_name() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, rows) = desk(&mut fed, &dir).await;
    let outcome = |n: usize, matters: Vec<DocId>| OutcomeRow {
        doc: rows[n].doc,
        title: "修建排水渠".into(),
        place: fed.town.place,
        decided_on: Some("2026-11-20".into()),
        due_on: None,
        matters,
        updated_at_ms: 50 + n as u64,
        detail: "{}".into(),
    };
    let mut named = vec![rows[0].doc, DocId([7; 32])];
    named.sort_unstable();
    let outcomes = vec![outcome(5, named), outcome(6, vec![rows[0].doc]), outcome(7, vec![])];
    let stub = StubRow {
        register: rows[9].doc,
        matter: DocId([7; 32]),
        place: fed.west.place,
        number: None,
        category: None,
        stage: "accepted".into(),
        holder: Some(fed.west.place),
        due_day: None,
        closed: false,
        violations: 2,
        updated_at_ms: 1,
        detail: "{}".into(),
    };
    let registers = vec![(rows[9].doc, vec![stub.clone()])];
    let projection = Projection { outcomes: outcomes.clone(), registers, ..Projection::default() };
    store.project(projection.clone()).await.unwrap();
    store.project(projection).await.unwrap();
    assert_eq!(store.outcome(&rows[5].doc).await.unwrap().as_ref(), Some(&outcomes[0]));
    assert_eq!(store.outcomes_of(&rows[0].doc).await.unwrap(), [outcomes[1].clone(), outcomes[0].clone()]);
    assert_eq!(store.outcomes_of(&DocId([7; 32])).await.unwrap(), [outcomes[0].clone()]);
    let (page, next) = store.outcomes(None, 2).await.unwrap();
    assert_eq!(page, [outcomes[2].clone(), outcomes[1].clone()]);
    let (page, next) = store.outcomes(next, 2).await.unwrap();
    assert_eq!((page, next), (vec![outcomes[0].clone()], None));
    assert_eq!(store.stubs(Some(fed.west.place)).await.unwrap(), [stub]);
    assert_eq!(store.stubs(Some(fed.east.place)).await.unwrap(), []);
}

#[tokio::test]
async fn a_serial_is_never_given_twice() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, ..) = fed.store(dir.path()).await;
    let given: Vec<u32> = given_at_once(&store, 20).await;
    assert_eq!(given, (1..=20).collect::<Vec<_>>());
    let header = fed.matter(&fed.town.clone());
    let history = fed.chain(header.doc_id(), &fed.town, None, 1);
    let serials = vec![Serial { year: 2026, block: 0, serial: 20 }];
    let batch = Batch { docs: vec![header], commits: commits(&history), serials, ..Batch::default() };
    store.write(batch).await.unwrap();
    assert_eq!(store.next_serial(2027, 0).await.unwrap(), 1);
    drop(store);
    // What was given out but never written may be given again; what was written may not.
    let store = Store::open(dir.path()).await.unwrap();
    assert_eq!(store.next_serial(2026, 0).await.unwrap(), 21);
    assert_eq!(store.next_serial(2026, 1).await.unwrap(), 1);
}

async fn given_at_once(store: &Store, n: usize) -> Vec<u32> {
    let jobs: Vec<_> = (0..n)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.next_serial(2026, 0).await.unwrap() })
        })
        .collect();
    let mut given = Vec::new();
    for job in jobs {
        given.push(job.await.unwrap());
    }
    given.sort_unstable();
    given
}

#[tokio::test]
async fn people_sign_in_are_locked_out_and_sent_home() {
    let (fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, ..) = fed.store(dir.path()).await;
    let new = NewPerson {
        name: "wangli".into(),
        display_name: "王丽".into(),
        roles: vec!["clerk".into(), "collector".into()],
        password: "$argon2id$secret".into(),
        at_ms: 10,
    };
    let id = store.add_person(new.clone()).await.unwrap();
    assert!(matches!(store.add_person(new).await, Err(StoreError::Taken)));
    let person = store.person_named("wangli").await.unwrap().unwrap();
    assert_eq!((person.roles.len(), person.active, person.created_at_ms), (2, true, 10));
    assert!(!format!("{person:?}").contains("argon2id"));

    for _ in 0..5 {
        store.sign_in_failed(id, 5, 1_000).await.unwrap();
    }
    assert_eq!(store.person_named("wangli").await.unwrap().unwrap().locked_until_ms, 1_000);
    store.begin_session([1; 32], id, 100, 200).await.unwrap();
    assert_eq!(store.person_named("wangli").await.unwrap().unwrap().locked_until_ms, 0);
    assert_eq!(store.session(&[1; 32], 199).await.unwrap().unwrap().id, id);
    assert_eq!(store.session(&[1; 32], 200).await.unwrap(), None);
    assert_eq!(store.session(&[2; 32], 100).await.unwrap(), None);
    store.end_session([1; 32]).await.unwrap();
    assert_eq!(store.session(&[1; 32], 100).await.unwrap(), None);

    store.begin_session([3; 32], id, 100, 200).await.unwrap();
    let roles = PersonChange { roles: Some(vec!["operator".into()]), ..PersonChange::default() };
    assert!(store.change_person(id, roles).await.unwrap());
    assert_eq!(store.session(&[3; 32], 150).await.unwrap().unwrap().roles, ["operator"]);
    let out = PersonChange { active: Some(false), ..PersonChange::default() };
    assert!(store.change_person(id, out.clone()).await.unwrap());
    assert!(!store.change_person(id + 1, out).await.unwrap());
    assert_eq!(store.session(&[3; 32], 150).await.unwrap(), None);
    assert_eq!(store.people().await.unwrap().len(), 1);
}

#[tokio::test]
async fn tokens_answers_and_invitations_hold_once() {
    let (fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, ..) = fed.store(dir.path()).await;
    let token = Token {
        id: 0,
        name: "热线导入".into(),
        scopes: vec!["matters:read".into(), "matters:write".into()],
        created_by: "u1".into(),
        created_at_ms: 5,
        expires_at_ms: Some(1_000_000),
        last_used_ms: None,
    };
    let id = store.add_token([4; 32], token).await.unwrap();
    assert_eq!(store.token(&[4; 32], 1_000_000).await.unwrap(), None);
    assert_eq!(store.token(&[4; 32], 70_000).await.unwrap().unwrap().scopes.len(), 2);
    store.token(&[4; 32], 90_000).await.unwrap().unwrap();
    assert_eq!(store.tokens().await.unwrap()[0].last_used_ms, Some(70_000));
    assert!(store.delete_token(id).await.unwrap() && !store.delete_token(id).await.unwrap());
    assert_eq!(store.token(&[4; 32], 70_000).await.unwrap(), None);

    let answer = GivenAnswer { request: [5; 32], status: 201, body: b"{}".to_vec() };
    store.keep_answer("u1".into(), "k".into(), answer.clone(), 1_000).await.unwrap();
    assert_eq!(store.given_answer("u1", "k").await.unwrap(), Some(answer.clone()));
    assert_eq!(store.given_answer("u2", "k").await.unwrap(), None);
    let again = store.keep_answer("u1".into(), "k".into(), answer.clone(), 1_000).await;
    assert!(matches!(again, Err(StoreError::Taken)));
    store.keep_answer("u1".into(), "l".into(), answer, 2_000 + 24 * 3_600_000).await.unwrap();
    assert_eq!(store.given_answer("u1", "k").await.unwrap(), None);

    let invite = InviteRow {
        secret: [6; 32],
        place: PlaceId([6; 16]),
        detail: "{}".into(),
        expires_at_ms: 100,
        used_at_ms: None,
    };
    store.add_invite(invite.clone()).await.unwrap();
    assert_eq!(store.invite(&[6; 32]).await.unwrap(), Some(invite));
    assert!(!store.use_invite([6; 32], "{\"a\":1}".into(), 100).await.unwrap());
    assert!(store.use_invite([6; 32], "{\"a\":1}".into(), 99).await.unwrap());
    assert!(!store.use_invite([6; 32], "{\"a\":2}".into(), 99).await.unwrap());
    let used = store.invite(&[6; 32]).await.unwrap().unwrap();
    assert_eq!((used.used_at_ms, used.detail.as_str()), (Some(99), "{\"a\":1}"));
    store.set_meta("news", b"yes".to_vec()).await.unwrap();
    assert_eq!(store.meta("news").await.unwrap().as_deref(), Some(b"yes".as_slice()));
}
