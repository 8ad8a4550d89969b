//! `verify` on databases that three real nodes wrote: whole ones hold, and one byte turned over in any
//! table of what is signed, promised or derived is found and named.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

use sqlx::{Connection, Row, SqliteConnection};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use yishi_node::{
    actions::{Actions, Petitioner, PlacingRequest, RaiseRequest},
    arrivals::Arrivals,
    clock::{Clock, SetClock, SystemClock},
    home::Home,
    link::{self, InviteRequest, LinkBoard, Links, LinksConfig, Timing},
    projector::Projector,
    setup,
    store::{Store, StoreError},
    verify::{Progress, Report, verify},
};
use yishi_protocol::ids::PlaceId;

struct Node {
    store: Store,
    links: Links,
    dir: PathBuf,
}

fn start(store: &Store, dir: &Path) -> Links {
    let timing = Timing {
        idle: Duration::from_millis(1_500),
        keep_alive: Duration::from_millis(300),
        retry_max: Duration::from_millis(500),
    };
    let config = LinksConfig { listen: ([127, 0, 0, 1], 0).into(), parent: None, timing };
    let board = LinkBoard::new(Arc::new(SystemClock));
    Links::start(config, store.clone(), board, Arrivals::default(), dir).unwrap()
}

async fn below(parent: &Node, dir: PathBuf, code: &str, name: &str, level: &str) -> Node {
    let nonce = rand::random();
    let request = InviteRequest {
        place: PlaceId::founded(&parent.store.world().me.place, &nonce),
        nonce,
        code: code.into(),
        name: name.into(),
        level: level.into(),
        address: parent.links.address().to_string(),
        expires_at: SystemClock.now_ms() / 1_000 + 600,
    };
    let invite = link::invite(&parent.store, request).await.unwrap();
    let store = setup::join(&Home::at(&dir), &invite, &SystemClock).await.unwrap();
    let links = start(&store, &dir);
    Node { store, links, dir }
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..800 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("waited in vain: {what}");
}

/// District, township and village; the village raised matters, one with a petitioner and one for the
/// district's eyes too, and holds receipts of both levels.
async fn federation(root: &Path) -> [PathBuf; 3] {
    let dir = root.join("district");
    let request =
        setup::InitRequest { code: "510113000000".into(), name: None, level: None, offline_root: None };
    let store = setup::init(&Home::at(&dir), request, &SystemClock).await.unwrap();
    let links = start(&store, &dir);
    let district = Node { store, links, dir };
    let town = below(&district, root.join("town"), "510113106000", "姚渡镇", "township").await;
    let village = below(&town, root.join("village"), "510113106204", "芦稿村", "village").await;
    let actions = Actions::new(village.store.clone(), Arc::new(SystemClock)).unwrap();
    for n in 0..5 {
        let petitioner =
            (n == 0).then(|| Petitioner { name: Some("王秀英".into()), ..Petitioner::default() });
        let body = format!("第 {n} 组路灯坏了，夜里看不见路。");
        actions.raise(None, RaiseRequest { body, petitioner, ..RaiseRequest::default() }).await.unwrap();
    }
    // The village's clock runs ahead: what lists at the township say is due counts from when it arrived.
    let ahead = SetClock::at_ms(SystemClock.now_ms() + 20 * 86_400_000);
    let actions = Actions::new(village.store.clone(), Arc::new(ahead)).unwrap();
    let body = "桥栏杆断了一截。".to_owned();
    actions.raise(None, RaiseRequest { body, ..RaiseRequest::default() }).await.unwrap();
    Projector::new(actions).drain_once().await.unwrap();
    until("everything is stored at both levels", async || {
        let up = village.store.world().parent().unwrap().id;
        let states = village.store.link_states().await.unwrap();
        let link = states.iter().find(|l| l.id == up).unwrap();
        let receipts = village.store.receipts(up, 0, u64::MAX >> 1).await.unwrap();
        link.out_acked == link.out_seq && link.out_seq >= 8 && receipts.iter().any(|r| r.level == 2)
    })
    .await;
    let mut dirs = Vec::new();
    for node in [village, town, district] {
        let actions = Actions::new(node.store.clone(), Arc::new(SystemClock)).unwrap();
        Projector::new(actions).drain_once().await.unwrap();
        node.links.shutdown().await;
        node.store.close().await.unwrap();
        dirs.push(node.dir);
    }
    dirs.try_into().unwrap()
}

async fn look(path: &Path) -> Result<Report, StoreError> {
    verify(path, &Arc::new(Progress::default())).await
}

async fn connect(file: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap()
}

/// Turns one byte over in a column of a table's row, in a copy; returns the copy.
async fn altered(from: &Path, to: &Path, sql: &'static str, update: &'static str) -> PathBuf {
    let file = to.join("altered.db");
    std::fs::copy(from.join("yishi.db"), &file).unwrap();
    let mut conn = connect(&file).await;
    sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut conn).await.unwrap();
    let row = sqlx::query(sql).fetch_one(&mut conn).await.unwrap();
    let (id, mut bytes): (i64, Vec<u8>) = (row.get(0), row.get(1));
    // Not at its very beginning, where lengths stand, nor at a byte of a key that counts for nothing.
    let at = bytes.len() / 3;
    bytes[at] ^= 1;
    sqlx::query(update).bind(id).bind(bytes).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_databases_hold_and_every_table_is_looked_at() {
    let root = tempfile::tempdir().unwrap();
    let [village, town, district] = federation(root.path()).await;
    for dir in [&village, &town, &district] {
        let report = look(dir).await.unwrap();
        assert!(report.holds(), "{}", report);
        assert_eq!(report.status(), 0);
        assert!(report.documents >= 3 && report.changes >= 6 && report.signatures > 0, "{report}");
    }
    let whole = look(&village).await.unwrap();
    assert!(whole.receipts >= 2 && whole.feed_rows >= 7 && whole.wraps >= 1, "{whole}");
    assert!(look(&town).await.unwrap().acks > 0);

    // Table, row, and how it is put back altered.
    let cases: &[(&str, &str, &str)] = &[
        (
            "certs",
            "SELECT id, bytes FROM certs ORDER BY id DESC LIMIT 1",
            "UPDATE certs SET bytes = ?2 WHERE id = ?1",
        ),
        ("actors", "SELECT id, actor FROM actors LIMIT 1", "UPDATE actors SET actor = ?2 WHERE id = ?1"),
        (
            "docs",
            "SELECT id, header FROM docs WHERE kind = 2 LIMIT 1",
            "UPDATE docs SET header = ?2 WHERE id = ?1",
        ),
        ("docs", "SELECT id, doc FROM docs WHERE kind = 2 LIMIT 1", "UPDATE docs SET doc = ?2 WHERE id = ?1"),
        (
            "docs",
            "SELECT id, home FROM docs WHERE kind = 2 LIMIT 1",
            "UPDATE docs SET home = ?2 WHERE id = ?1",
        ),
        (
            "commits",
            "SELECT c.id, c.bytes FROM commits c JOIN docs d ON d.id = c.doc WHERE d.kind = 2 AND c.seq = 2",
            "UPDATE commits SET bytes = ?2 WHERE id = ?1",
        ),
        (
            "commits",
            "SELECT c.id, c.hash FROM commits c JOIN docs d ON d.id = c.doc WHERE d.kind = 2 AND c.seq = 2",
            "UPDATE commits SET hash = ?2 WHERE id = ?1",
        ),
        (
            "commits",
            "SELECT c.id, c.deps FROM commits c JOIN docs d ON d.id = c.doc WHERE d.kind = 2 AND c.seq = 2",
            "UPDATE commits SET deps = ?2 WHERE id = ?1",
        ),
        (
            "commits",
            "SELECT id, cover_sig FROM commits WHERE cover_sig IS NOT NULL ORDER BY id DESC LIMIT 1",
            "UPDATE commits SET cover_sig = ?2 WHERE id = ?1",
        ),
        ("wraps", "SELECT id, bytes FROM wraps LIMIT 1", "UPDATE wraps SET bytes = ?2 WHERE id = ?1"),
        (
            "feeds",
            "SELECT seq, digest FROM feeds WHERE seq = 3",
            "UPDATE feeds SET digest = ?2 WHERE seq = ?1",
        ),
        (
            "receipts",
            "SELECT id, bytes FROM receipts WHERE level = 1 ORDER BY id DESC",
            "UPDATE receipts SET bytes = ?2 WHERE id = ?1",
        ),
        (
            "receipts",
            "SELECT id, bytes FROM receipts WHERE level = 2 ORDER BY id DESC",
            "UPDATE receipts SET bytes = ?2 WHERE id = ?1",
        ),
        (
            "meta",
            "SELECT 0, value FROM meta WHERE key = 'keys'",
            "UPDATE meta SET value = ?2 WHERE key = 'keys' AND ?1 = 0",
        ),
        (
            "matters",
            "SELECT doc, CAST(title AS BLOB) FROM matters LIMIT 1",
            "UPDATE matters SET title = CAST(?2 AS TEXT) || '！' WHERE doc = ?1",
        ),
    ];
    for (table, select, update) in cases {
        let copy = tempfile::tempdir().unwrap();
        let file = altered(&village, copy.path(), select, update).await;
        let report = look(&file).await.unwrap();
        let named = report.findings.iter().any(|f| f.table == *table);
        assert!(named, "{table} ({update}) is not named: {report}");
        assert_eq!(report.status(), if matches!(*table, "feeds" | "receipts" | "matters") { 41 } else { 40 });
    }
    let copy = tempfile::tempdir().unwrap();
    let file = altered(
        &town,
        copy.path(),
        "SELECT rowid_less.n, bytes FROM (SELECT max(to_seq) AS n FROM acks) rowid_less JOIN acks ON to_seq = n",
        "UPDATE acks SET bytes = ?2 WHERE to_seq = ?1",
    )
    .await;
    assert!(look(&file).await.unwrap().findings.iter().any(|f| f.table == "acks"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_is_found_and_a_change_is_named_by_its_place() {
    let root = tempfile::tempdir().unwrap();
    let [village, ..] = federation(root.path()).await;
    let file = root.path().join("altered.db");
    std::fs::copy(village.join("yishi.db"), &file).unwrap();
    let mut conn = connect(&file).await;
    // A matter's registration vanishes: its feed row still names it.
    let sql = "DELETE FROM commits WHERE id = (SELECT max(c.id) FROM commits c JOIN docs d ON d.id = c.doc WHERE d.kind = 2)";
    sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut conn).await.unwrap();
    sqlx::query(sql).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let report = look(&file).await.unwrap();
    assert!(report.findings.iter().any(|f| f.table == "feeds" && f.en.contains("is not here")), "{report}");

    let copy = tempfile::tempdir().unwrap();
    let file = altered(
        &village,
        copy.path(),
        "SELECT c.id, c.cover_sig FROM commits c JOIN docs d ON d.id = c.doc WHERE d.kind = 2 AND c.seq = 2",
        "UPDATE commits SET cover_sig = ?2 WHERE id = ?1",
    )
    .await;
    let report = look(&file).await.unwrap();
    let found = &report.findings[0];
    assert!(found.subject.contains("芦稿-"), "the matter by its number: {report}");
    assert!(found.en.contains("change 2 of 2") && found.en.contains("the signature of 芦稿村"), "{report}");
    let words = report.to_string();
    assert!(words.contains("yishi-node restore") && words.contains("没有点名的文档都完好"), "{words}");
    assert_eq!(report.found, 1, "the others are not disturbed: {report}");

    // No database, and a file that is none.
    assert!(matches!(look(&root.path().join("nowhere")).await, Err(StoreError::Missing(_))));
    let other = root.path().join("other.db");
    std::fs::write(&other, "这不是数据库".repeat(200)).unwrap();
    assert!(matches!(look(&other).await, Err(StoreError::Damaged(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_altered_placement_is_named() {
    let root = tempfile::tempdir().unwrap();
    let [_, _, district] = federation(root.path()).await;
    let store = Store::open(&district).await.unwrap();
    let actions = Actions::new(store.clone(), Arc::new(SystemClock)).unwrap();
    for name in ["芦稿社区", "芦稿新村"] {
        let request = PlacingRequest { name: Some(name.into()), ..PlacingRequest::default() };
        actions.place_at("510113106204", request).await.unwrap();
    }
    Projector::new(actions).drain_once().await.unwrap();
    store.close().await.unwrap();
    let report = look(&district).await.unwrap();
    assert!(report.holds(), "{report}");
    for (select, update) in [
        (
            "SELECT id, bytes FROM placements ORDER BY id LIMIT 1",
            "UPDATE placements SET bytes = ?2 WHERE id = ?1",
        ),
        (
            "SELECT id, bytes FROM placements ORDER BY id DESC LIMIT 1",
            "UPDATE placements SET bytes = ?2 WHERE id = ?1",
        ),
        (
            "SELECT id, hash FROM placements ORDER BY id DESC LIMIT 1",
            "UPDATE placements SET hash = ?2 WHERE id = ?1",
        ),
    ] {
        let copy = tempfile::tempdir().unwrap();
        let file = altered(&district, copy.path(), select, update).await;
        let report = look(&file).await.unwrap();
        assert!(report.findings.iter().any(|f| f.table == "placements"), "{update}: {report}");
        assert_eq!(report.status(), 40);
    }
    // One that is gone takes the next with it, which names it.
    let file = root.path().join("gone.db");
    std::fs::copy(district.join("yishi.db"), &file).unwrap();
    let mut conn = connect(&file).await;
    sqlx::query("DELETE FROM placements WHERE id = (SELECT min(id) FROM placements)")
        .execute(&mut conn)
        .await
        .unwrap();
    conn.close().await.unwrap();
    let report = look(&file).await.unwrap();
    assert!(report.findings.iter().any(|f| f.table == "placements"), "{report}");
}
