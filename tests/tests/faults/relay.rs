//! A line through a satellite: every datagram is late by its own amount, so that later ones overtake.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    collections::BTreeMap,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Stops when dropped.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    /// Datagrams that arrived after one that was sent later.
    overtaken: Arc<AtomicU64>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// How late a line's datagrams are: so much, and up to so much more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lateness {
    pub(crate) least: Duration,
    pub(crate) jitter: Duration,
}

type Underway = Arc<Mutex<BTreeMap<(Instant, u64), Vec<u8>>>>;

impl Relay {
    /// One child's line to `parent`.
    pub(crate) fn start(parent: SocketAddr, late: Lateness) -> Self {
        let facing = UdpSocket::bind("127.0.0.1:0").unwrap();
        let towards = UdpSocket::bind("127.0.0.1:0").unwrap();
        towards.connect(parent).unwrap();
        let address = facing.local_addr().unwrap();
        let (stop, overtaken) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let child: Arc<Mutex<Option<SocketAddr>>> = Arc::default();
        let (up, down): (Underway, Underway) = (Arc::default(), Arc::default());
        for socket in [&facing, &towards] {
            socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        }
        let (facing_in, towards_in) = (facing.try_clone().unwrap(), towards.try_clone().unwrap());
        let from_child = child.clone();
        Self::read(facing_in, up.clone(), late, 1, stop.clone(), move |from| {
            *from_child.lock().unwrap() = Some(from)
        });
        Self::read(towards_in, down.clone(), late, 2, stop.clone(), |_| {});
        Self::write(up, stop.clone(), overtaken.clone(), move |bytes| drop(towards.send(bytes)));
        Self::write(down, stop.clone(), overtaken.clone(), move |bytes| {
            if let Some(child) = *child.lock().unwrap() {
                let _ = facing.send_to(bytes, child);
            }
        });
        Self { address, stop, overtaken }
    }

    pub(crate) fn overtaken(&self) -> u64 {
        self.overtaken.load(Ordering::SeqCst)
    }

    fn read(
        socket: UdpSocket,
        underway: Underway,
        late: Lateness,
        seed: u64,
        stop: Arc<AtomicBool>,
        from: impl Fn(SocketAddr) + Send + 'static,
    ) {
        std::thread::spawn(move || {
            let mut rng = StdRng::seed_from_u64(seed);
            let mut buffer = vec![0u8; 65_536];
            let mut number = 0;
            while !stop.load(Ordering::SeqCst) {
                let Ok((n, address)) = socket.recv_from(&mut buffer) else { continue };
                from(address);
                let due = Instant::now() + late.least + late.jitter.mul_f64(rng.random());
                number += 1;
                underway.lock().unwrap().insert((due, number), buffer[..n].to_vec());
            }
        });
    }

    fn write(
        underway: Underway,
        stop: Arc<AtomicBool>,
        overtaken: Arc<AtomicU64>,
        send: impl Fn(&[u8]) + Send + 'static,
    ) {
        std::thread::spawn(move || {
            let mut latest = 0;
            while !stop.load(Ordering::SeqCst) {
                let now = Instant::now();
                let due = {
                    let mut held = underway.lock().unwrap();
                    let later = held.split_off(&(now, 0));
                    std::mem::replace(&mut *held, later)
                };
                for ((_, number), bytes) in due {
                    overtaken.fetch_add(u64::from(number < latest), Ordering::SeqCst);
                    latest = latest.max(number);
                    send(&bytes);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
    }
}
