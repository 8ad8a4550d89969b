//! Real nodes over real QUIC on the loopback: joining, catching up, receipts of two levels.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod files;

use std::{sync::Arc, time::Duration};
use yishi_node::{
    clock::{Clock, SystemClock},
    demo::relay::Relay,
    home::Home,
    link::{self, InviteRequest, LinkBoard, Links, LinksConfig, Timing},
    setup,
    store::Store,
};
use yishi_protocol::{ids::PlaceId, kind::Kind};

struct Node {
    store: Store,
    links: Links,
    _dir: tempfile::TempDir,
}

fn timing() -> Timing {
    Timing {
        idle: Duration::from_millis(1_500),
        keep_alive: Duration::from_millis(300),
        retry_max: Duration::from_millis(500),
    }
}

fn start(store: &Store, dir: &tempfile::TempDir, parent: Option<String>) -> Links {
    let config = LinksConfig { listen: ([127, 0, 0, 1], 0).into(), parent, timing: timing() };
    let board = LinkBoard::new(Arc::new(SystemClock));
    Links::start(config, store.clone(), board, yishi_node::arrivals::Arrivals::default(), dir.path()).unwrap()
}

async fn district() -> Node {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path());
    let request =
        setup::InitRequest { code: "510113000000".into(), name: None, level: None, offline_root: None };
    let store = setup::init(&home, request, &SystemClock).await.unwrap();
    let links = start(&store, &dir, None);
    Node { store, links, _dir: dir }
}

async fn child(parent: &Node, code: &str, name: &str, level: &str, via: Option<String>) -> Node {
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
    let dir = tempfile::tempdir().unwrap();
    let store = setup::join(&Home::at(dir.path()), &invite, &SystemClock).await.unwrap();
    let links = start(&store, &dir, via);
    Node { store, links, _dir: dir }
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("waited ten seconds in vain: {what}");
}

async fn charters(node: &Node) -> usize {
    node.store.docs_of_kind(Kind::Charter, None).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_levels_join_and_every_charter_reaches_who_may_see_it_with_receipts_of_both_levels() {
    let district = district().await;
    let town = child(&district, "510113106000", "姚渡镇", "township", None).await;
    let village = child(&town, "510113106204", "芦稿村", "village", None).await;
    until("the district sees all three charters", async || charters(&district).await == 3).await;
    until("the village sees its path", async || charters(&village).await == 3).await;
    let own = village.store.docs_of_kind(Kind::Charter, Some(village.store.world().me.place)).await.unwrap();
    until("the district's receipt came down to the village", async || {
        village.store.stored_up(&own).await.unwrap().values().all(|level| *level == 2)
    })
    .await;
    for node in [village, town, district] {
        node.links.shutdown().await;
        node.store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_line_is_noticed_and_mended_without_anybody() {
    let district = district().await;
    let relay = Relay::start(district.links.address()).await.unwrap();
    let town =
        child(&district, "510113106000", "姚渡镇", "township", Some(relay.address().to_string())).await;
    let up = town.store.world().parent().unwrap().id;
    let state = |node: &Node| node.links.board().get(up).connected;
    until("up", async || state(&town) == link::Connected::Up).await;
    relay.cut(true);
    until("down", async || state(&town) != link::Connected::Up).await;
    relay.cut(false);
    until("up again", async || state(&town) == link::Connected::Up).await;
    let events = town.store.link_events(up, 10).await.unwrap();
    assert!(events.iter().any(|e| !e.up), "{events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_for_it_gets_a_fresh_connection_that_costs_next_to_nothing() {
    let district = district().await;
    let town = child(&district, "510113106000", "姚渡镇", "township", None).await;
    let up = town.store.world().parent().unwrap().id;
    let now = || town.links.board().get(up);
    until("both have everything", async || {
        charters(&district).await == 2 && now().connected == link::Connected::Up && now().in_step_count > 0
    })
    .await;
    // The ticket of the first connection and the last acknowledgement are on their way.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = now();
    town.links.dial_now().notify_one();
    until("in step again", async || now().in_step_count > before.in_step_count).await;
    let after = now();
    let bytes = |p: &link::Present| p.frame_bytes_sent + p.frame_bytes_received;
    let spoken = bytes(&after) - bytes(&before);
    assert!((100..600).contains(&spoken), "two greetings took {spoken} bytes");
    assert!(after.last_catch_up_us.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_neighbour_is_shut_out_also_when_it_resumes() {
    let district = district().await;
    let town = child(&district, "510113106000", "姚渡镇", "township", None).await;
    let up = town.store.world().parent().unwrap().id;
    until("up", async || town.links.board().get(up).connected == link::Connected::Up).await;
    let world = district.store.world();
    let revocation = yishi_protocol::cert::Revocation {
        federation: world.directory.federation(),
        cert: town.store.world().me.cert,
        reason: "机器被盗".into(),
        last_valid: Vec::new(),
        still_valid: Vec::new(),
        issuer: world.me.cert,
        signature: yishi_protocol::key::Signature([0; 64]),
    }
    .issued_by(&world.me.keys);
    let batch = yishi_node::store::Batch { revocations: vec![revocation], ..Default::default() };
    district.store.write(batch).await.unwrap();
    until("refused", async || town.links.board().get(up).connected == link::Connected::Refused).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_is_good_once_and_only_in_time() {
    let district = district().await;
    let request = |expires_at| InviteRequest {
        place: PlaceId::founded(&district.store.world().me.place, &[7; 16]),
        nonce: [7; 16],
        code: "510113106000".into(),
        name: "姚渡镇".into(),
        level: "township".into(),
        address: district.links.address().to_string(),
        expires_at,
    };
    let now = SystemClock.now_ms() / 1_000;
    let invite = link::invite(&district.store, request(now + 600)).await.unwrap();
    let dir = || tempfile::tempdir().unwrap();
    let (first, second) = (dir(), dir());
    setup::join(&Home::at(first.path()), &invite, &SystemClock).await.unwrap();
    let again = setup::join(&Home::at(second.path()), &invite, &SystemClock).await.unwrap_err().to_string();
    assert!(again.contains("used already"), "{again}");
    let stale = link::invite(&district.store, request(now - 1)).await.unwrap();
    let over = setup::join(&Home::at(dir().path()), &stale, &SystemClock).await.unwrap_err().to_string();
    assert!(over.contains("expired"), "{over}");
    let far = link::invite(&district.store, request(now + 4 * 365 * 86_400)).await.unwrap();
    let off = setup::join(&Home::at(dir().path()), &far, &SystemClock).await.unwrap_err().to_string();
    assert!(off.contains("clock"), "{off}");
    let mut forged = link::invite(&district.store, request(now + 600)).await.unwrap();
    forged.secret[0] ^= 1;
    let unknown = setup::join(&Home::at(dir().path()), &forged, &SystemClock).await.unwrap_err().to_string();
    assert!(unknown.contains("not known"), "{unknown}");
}
