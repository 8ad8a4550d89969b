//! What an honest pair does and what it costs, with somebody else trying to use the township up.

use crate::{
    pair::{Pair, register},
    process::{Node, until},
    tools::{Usage, median, usage},
};
use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use yishi_node::link::Caller;
use yishi_protocol::{ids::NodeKey, key::SecretKeys};

/// What the township may grow by under attack. Its bounds add up to less: 256 handshakes of 42 kB, 32 MiB of
/// inflated frames, eight large ones of 8 MiB, 128 connections of 100 kB; they never all come together.
pub(crate) const GROWTH_KIB_MAX: u64 = 144 * 1024;

/// Where the pages are, as the node said when it started.
pub(crate) fn pages(node: &Node) -> SocketAddr {
    let log = node.log();
    let at = log.rfind("http://127.0.0.1:").unwrap_or_else(|| panic!("no pages in {log}"));
    let rest = &log[at + "http://127.0.0.1:".len()..];
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()))
}

/// One page, as a browser gets it.
pub(crate) fn page(at: SocketAddr) -> Result<Duration, String> {
    let began = Instant::now();
    let text = |e: std::io::Error| e.to_string();
    let mut stream = TcpStream::connect(at).map_err(text)?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(b"GET /login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").map_err(text)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(text)?;
    match answer.starts_with(b"HTTP/1.1 200") {
        true => Ok(began.elapsed()),
        false => Err(String::from_utf8_lossy(&answer).into_owned()),
    }
}

/// What honest people got in a while.
#[derive(Debug)]
pub(crate) struct Got {
    acts: usize,
    /// From pressing "save" at the village until it is stored at the township: the middle, the worst.
    synced_ms: (f64, f64),
    page_ms: (f64, f64),
    cpu_percent: f64,
    before: Usage,
    after: Usage,
}

/// Honest people for a while: a matter at the village, stored at the township; a page of the township.
fn honest(pair: &Pair, lasting: Duration) -> Got {
    let pid = pair.town.pid();
    // The peak is counted from here on.
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
    let (before, began) = (usage(pid), Instant::now());
    let (mut synced, mut loaded) = (Vec::new(), Vec::new());
    while began.elapsed() < lasting || synced.len() < 3 {
        let asked = Instant::now();
        register(&pair.village, "村口路灯不亮，晚上看不见路。").expect("an honest act is acknowledged");
        until("an honest act is stored at the township", || pair.in_step());
        synced.push(asked.elapsed().as_secs_f64() * 1_000.0);
        loaded.push(page(pages(&pair.town)).expect("a page comes").as_secs_f64() * 1_000.0);
        std::thread::sleep(Duration::from_millis(50));
    }
    let after = usage(pid);
    let worst = |all: &[f64]| all.iter().copied().fold(0.0, f64::max);
    Got {
        acts: synced.len(),
        synced_ms: (median(&mut synced), worst(&synced)),
        page_ms: (median(&mut loaded), worst(&loaded)),
        cpu_percent: (after.cpu_ms - before.cpu_ms) as f64 / began.elapsed().as_secs_f64() / 10.0,
        before,
        after,
    }
}

/// Runs the attack beside honest people, prints both, and holds the township to its bounds.
pub(crate) fn under(
    name: &str,
    pair: &Pair,
    lasting: Duration,
    attack: impl FnOnce(Arc<AtomicBool>) -> String + Send + 'static,
) {
    let calm = honest(pair, lasting.min(Duration::from_secs(5)));
    let over = Arc::new(AtomicBool::new(false));
    let told = over.clone();
    let attacker = std::thread::spawn(move || attack(told));
    let beset = honest(pair, lasting);
    over.store(true, Ordering::SeqCst);
    let did = attacker.join().expect("the attacker goes through with it");
    let growth = beset.after.peak_kib.saturating_sub(beset.before.rss_kib);
    println!(
        "{name}: {did}; RSS {:.1} MB before, {:.1} MB at most ({:+.1}), CPU {:.0} % (calm {:.0} %); \
         act stored above {:.0} ms, worst {:.0} (calm {:.0}, {:.0}); page {:.0} ms, worst {:.0} (calm {:.0}, {:.0}); {} acts, all stored",
        beset.before.rss_kib as f64 / 1_024.0,
        beset.after.peak_kib as f64 / 1_024.0,
        growth as f64 / 1_024.0,
        beset.cpu_percent,
        calm.cpu_percent,
        beset.synced_ms.0,
        beset.synced_ms.1,
        calm.synced_ms.0,
        calm.synced_ms.1,
        beset.page_ms.0,
        beset.page_ms.1,
        calm.page_ms.0,
        calm.page_ms.1,
        beset.acts,
    );
    assert!(growth < GROWTH_KIB_MAX, "{name}: the township grew by {growth} KiB");
}

/// The first packets of so many handshakes, every one another's.
pub(crate) async fn first_packets(count: usize, keys: &SecretKeys, parent: NodeKey) -> Vec<Vec<u8>> {
    let sink = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let target = sink.local_addr().unwrap();
    let (mut packets, mut seen) = (Vec::new(), BTreeSet::new());
    let mut buffer = vec![0u8; 2_000];
    while packets.len() < count {
        let caller = Arc::new(Caller::new(keys, parent, "127.0.0.1:0".parse().unwrap()).unwrap());
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..60.min(count - packets.len()) {
            let caller = caller.clone();
            calls.spawn(async move { drop(caller.connect(target).await) });
        }
        let wanted = packets.len() + calls.len();
        while packets.len() < wanted {
            let (n, _) = sink.recv_from(&mut buffer).await.unwrap();
            // Long header: flags, version, then the id its sender chose for this handshake.
            let id = buffer[6..6 + usize::from(buffer[5])].to_vec();
            if n >= 1_200 && seen.insert(id) {
                packets.push(buffer[..n].to_vec());
            }
        }
        calls.shutdown().await;
    }
    packets
}
