//! Callers on the link who want to use the township up: silent ones, many, strangers, and a village of its
//! own that turned hostile. Attackers call from 127.0.0.2 and on, honest villages from 127.0.0.1.

use crate::{
    flood::{first_packets, under},
    pair::{Pair, Told, ids},
    process::{done, text, until},
    tools::long,
};
use rand::{SeedableRng, rngs::StdRng};
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use yishi_node::{
    link::{Call, Caller, framed},
    store::Store,
};
use yishi_protocol::{ids::NodeKey, invite::Invite, key::SecretKeys, limits::FRAME_BYTES_MAX, wire::Frame};

fn lasting() -> Duration {
    Duration::from_secs(if long() { 30 } else { 6 })
}

fn stranger(seed: u64) -> SecretKeys {
    SecretKeys::generate(&mut StdRng::seed_from_u64(seed))
}

fn from(last: u8) -> SocketAddr {
    ([127, 0, 0, last], 0).into()
}

/// What an attacker may know: where the township is and what its key is.
fn known(pair: &Pair) -> (SocketAddr, NodeKey, Invite) {
    let body = serde_json::json!({
        "code": "510113106778", "name": "新村", "level": "village", "address": pair.town.link.to_string(),
    });
    let token = pair.town.post("/places/invites", &body)["token"].as_str().unwrap().to_owned();
    let invite: Invite = token.parse().unwrap();
    (pair.town.link, invite.parent, invite)
}

fn finish(mut pair: Pair) {
    let told = Told { by_village: ids(&pair.village), ..Told::default() };
    pair.holds(&told);
}

#[test]
fn ten_thousand_handshakes_that_are_never_finished() {
    let pair = Pair::start();
    let (target, parent, _) = known(&pair);
    let count = 10_000;
    let packets = Runtime::new().unwrap().block_on(first_packets(count, &stranger(1), parent));
    under("10,000 half-open handshakes", &pair, lasting(), move |over| {
        // From so many ports as an attacker likes: its address is only claimed.
        let sockets: Vec<_> = (0..50).map(|_| std::net::UdpSocket::bind(from(2)).unwrap()).collect();
        let began = Instant::now();
        let mut sent = 0;
        for (n, packet) in packets.iter().enumerate() {
            sent += usize::from(sockets[n % sockets.len()].send_to(packet, target).is_ok());
            // Two thousand a second: faster ones the kernel drops before anybody sees them.
            if n % 20 == 19 {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let took = began.elapsed();
        while !over.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(20));
        }
        format!("{sent} first packets in {:.1} s", took.as_secs_f64())
    });
    finish(pair);
}

/// Strangers who finish the handshake, then send one byte a second; or nothing, or one word after another.
fn strangers(
    pair: &Pair,
    name: &str,
    callers: usize,
    talk: impl AsyncFn(&Caller, SocketAddr) + Copy + Send + Sync + 'static,
) {
    let (target, parent, _) = known(pair);
    under(name, pair, lasting(), move |over| {
        let calls = AtomicUsize::new(0);
        let local = tokio::task::LocalSet::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        local.block_on(&runtime, async {
            let caller = Caller::new(&stranger(2), parent, from(3)).unwrap();
            let one = async || {
                while !over.load(Ordering::SeqCst) {
                    tokio::select! {
                        () = talk(&caller, target) => { calls.fetch_add(1, Ordering::SeqCst); }
                        () = ended(&over) => {}
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            all(callers, one).await;
        });
        format!("{callers} callers, {} calls", calls.load(Ordering::SeqCst))
    });
}

async fn ended(over: &AtomicBool) {
    while !over.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// So many at the same time.
async fn all(count: usize, one: impl AsyncFn()) {
    let mut each: Vec<_> = (0..count).map(|_| Box::pin(one())).collect();
    std::future::poll_fn(|cx| {
        each.retain_mut(|f| f.as_mut().poll(cx).is_pending());
        if each.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[test]
fn strangers_who_send_a_byte_a_second() {
    let pair = Pair::start();
    strangers(&pair, "slow-loris on the link", 300, async |caller, target| {
        let Ok(connection) = caller.connect(target).await else { return };
        let Ok((mut send, _recv)) = connection.open_bi().await else { return };
        // It says that a hundred bytes follow.
        let mut byte = 100u8;
        while send.write_all(&[byte]).await.is_ok() {
            byte = 1;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    finish(pair);
}

#[test]
fn strangers_who_knock_and_knock() {
    let pair = Pair::start();
    strangers(&pair, "handshakes with unknown keys", 50, async |caller, target| {
        if let Ok(connection) = caller.connect(target).await {
            connection.close(0u32.into(), b"");
        }
    });
    finish(pair);
}

#[test]
fn invitations_that_nobody_gave() {
    let pair = Pair::start();
    strangers(&pair, "wrong invitations", 50, async |caller, target| {
        let Ok(connection) = caller.connect(target).await else { return };
        let Ok((mut send, mut recv)) = connection.open_bi().await else { return };
        let keys = stranger(2);
        let invite = Invite {
            id: rand::random(),
            address: target.to_string(),
            parent: keys.public(),
            place: yishi_protocol::ids::PlaceId(rand::random()),
            code: "510113106204".into(),
            name: "芦稿村".into(),
            expires_at: u64::MAX,
            secret: rand::random(),
        };
        let request = invite.join(&keys.public(), keys.sealing_public());
        if send.write_all(&framed(&Frame::Join(request))).await.is_ok() {
            let _ = recv.read_to_end(4_096).await;
        }
    });
    // Somebody with a real one comes in all the same.
    let (_, _, invite) = known(&pair);
    let dir = tempfile::tempdir().unwrap();
    let began = Instant::now();
    until("an honest newcomer joins", || {
        crate::process::node(&["join", &invite.to_string(), "--dir", text(&dir.path().join("new"))])
            .status
            .success()
    });
    println!("an honest newcomer joined after {:.1} s", began.elapsed().as_secs_f64());
    finish(pair);
}

/// Villages of the township's own whose keys are in the wrong hands.
fn hostile_villages(pair: &Pair, count: usize) -> (tempfile::TempDir, Vec<PathBuf>) {
    let dir = tempfile::tempdir().unwrap();
    let dirs = (0..count).map(|n| {
        let body = serde_json::json!({
            "code": format!("51011310690{n}"), "name": format!("第{n}村"), "level": "village",
            "address": pair.town.link.to_string(),
        });
        let token = pair.town.post("/places/invites", &body)["token"].as_str().unwrap().to_owned();
        let at = dir.path().join(n.to_string());
        done(&["join", &token, "--dir", text(&at)]);
        at
    });
    let dirs = dirs.collect();
    (dir, dirs)
}

/// Each hostile village calls, sends what it likes, and calls again when it is hung up on.
fn hostile(name: &str, said: fn() -> Vec<u8>, then: Duration) {
    let pair = Pair::start();
    let (_kept, dirs) = hostile_villages(&pair, 4);
    let target = pair.town.link;
    under(name, &pair, lasting(), move |over| {
        let (calls, bytes) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        Runtime::new().unwrap().block_on(async {
            let mut villages = tokio::task::JoinSet::new();
            for dir in dirs {
                let (over, calls, bytes) = (over.clone(), calls.clone(), bytes.clone());
                let store = Store::open(&dir).await.unwrap();
                let world = store.world();
                store.close().await.unwrap();
                villages.spawn(async move {
                    let words = said();
                    while !over.load(Ordering::SeqCst) {
                        let Ok(mut call) = Call::dial(&world, target).await else {
                            tokio::time::sleep(Duration::from_millis(50)).await;
                            continue;
                        };
                        calls.fetch_add(1, Ordering::SeqCst);
                        let talk = async {
                            while call.raw(&words).await.is_ok() {
                                bytes.fetch_add(words.len(), Ordering::SeqCst);
                                tokio::time::sleep(then).await;
                            }
                        };
                        tokio::select! { () = talk => {}, () = ended(&over) => {} }
                    }
                });
            }
            while villages.join_next().await.is_some() {}
        });
        let (calls, bytes) = (calls.load(Ordering::SeqCst), bytes.load(Ordering::SeqCst));
        format!("4 certified villages, {calls} calls, {:.1} MB sent", bytes as f64 / 1e6)
    });
    // Not `finish`: the hostile villages' own folders are elsewhere, and the township's book is whole.
    finish(pair);
}

#[test]
fn inflation_bombs_of_a_certified_village() {
    // Each is a thousandth of what it inflates to.
    let bombs = || framed(&Frame::Block(vec![0; FRAME_BYTES_MAX - 64])).repeat(16);
    hostile("inflation bombs", bombs, Duration::ZERO);
}

#[test]
fn huge_frames_of_a_certified_village() {
    // Eight megabytes less one byte, which never comes.
    let unfinished = || {
        let mut frame = vec![0xff, 0xff, 0xff, 0x03, 0];
        frame.resize(8 * 1024 * 1024 - 2, 7);
        frame
    };
    hostile("huge frames never finished", unfinished, Duration::from_secs(3_600));
}

#[test]
fn a_certified_village_that_greets_byte_by_byte() {
    // A second connection of the same kind without the greeting: the first frame is due as a whole.
    let pair = Pair::start();
    let (_kept, dirs) = hostile_villages(&pair, 1);
    let (target, parent, _) = known(&pair);
    let runtime = Runtime::new().unwrap();
    let within = runtime.block_on(async {
        let store = Store::open(&dirs[0]).await.unwrap();
        let caller = Caller::new(&store.world().me.keys, parent, from(4)).unwrap();
        let connection = caller.connect(target).await.unwrap();
        let (mut send, _recv) = connection.open_bi().await.unwrap();
        let began = Instant::now();
        let talk = async {
            let mut byte = 100u8;
            while send.write_all(&[byte]).await.is_ok() {
                byte = 1;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        tokio::select! { () = talk => {}, _ = connection.closed() => {} }
        store.close().await.unwrap();
        began.elapsed()
    });
    println!(
        "a certified village that greets byte by byte is hung up on after {:.0} s",
        within.as_secs_f64()
    );
    assert!(within < Duration::from_secs(40), "{within:?}");
    finish(pair);
}
