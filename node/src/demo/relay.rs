//! A UDP relay between a child and its parent: the line, as a thing that can be cut, slowed and counted.
//!
//! One socket faces the children; each child that calls gets a socket of its own towards the parent, so
//! that answers find their way back. Nothing in a datagram is looked at.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{net::UdpSocket, sync::mpsc, task::JoinSet, time::Instant};

/// The largest datagram.
const DATAGRAM_MAX: usize = 65_536;
/// Datagrams under way in one direction: a tenth of a second of a gigabit.
const UNDER_WAY_MAX: usize = 16_384;

/// What went over a line since it was last asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// UDP payload bytes towards the parent.
    pub bytes_up: u64,
    /// UDP payload bytes towards the child.
    pub bytes_down: u64,
    /// Datagrams both ways.
    pub datagrams: u64,
}

#[derive(Debug, Default)]
struct Line {
    cut: AtomicBool,
    delay_us: AtomicU64,
    bytes_up: AtomicU64,
    bytes_down: AtomicU64,
    datagrams: AtomicU64,
    first_up: Mutex<Option<std::time::Instant>>,
}

/// A running relay.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    line: Arc<Line>,
    tasks: JoinSet<io::Result<()>>,
}

impl Relay {
    /// Opens a line to `parent` on a free port of the loopback.
    ///
    /// # Errors
    /// What the system said when the socket could not be opened.
    pub async fn start(parent: SocketAddr) -> io::Result<Self> {
        let facing = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let address = facing.local_addr()?;
        let line = Arc::new(Line::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(up(facing, parent, line.clone()));
        Ok(Self { address, line, tasks })
    }

    /// What the child dials.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts the line, or mends it.
    pub fn cut(&self, cut: bool) {
        self.line.cut.store(cut, Ordering::SeqCst);
    }

    /// Sets the delay of each direction.
    pub fn delay(&self, each_way: Duration) {
        let us = u64::try_from(each_way.as_micros()).unwrap_or(u64::MAX);
        self.line.delay_us.store(us, Ordering::SeqCst);
    }

    /// What went over the line since the last call, and when the first datagram of it left the child.
    pub fn taken(&self) -> (Traffic, Option<std::time::Instant>) {
        let take = |n: &AtomicU64| n.swap(0, Ordering::SeqCst);
        let traffic = Traffic {
            bytes_up: take(&self.line.bytes_up),
            bytes_down: take(&self.line.bytes_down),
            datagrams: take(&self.line.datagrams),
        };
        (traffic, self.line.first_up.lock().unwrap_or_else(PoisonError::into_inner).take())
    }

    /// Stops relaying.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn up(facing: Arc<UdpSocket>, parent: SocketAddr, line: Arc<Line>) -> io::Result<()> {
    let mut towards: HashMap<SocketAddr, Lane> = HashMap::new();
    let mut tasks = JoinSet::new();
    let mut buffer = vec![0u8; DATAGRAM_MAX];
    loop {
        let (n, child) = facing.recv_from(&mut buffer).await?;
        if line.cut.load(Ordering::SeqCst) {
            continue;
        }
        line.first_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(std::time::Instant::now);
        line.bytes_up.fetch_add(n as u64, Ordering::Relaxed);
        line.datagrams.fetch_add(1, Ordering::Relaxed);
        let lane = match towards.entry(child) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let socket = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
                socket.connect(parent).await?;
                let back = Lane::new(facing.clone(), Some(child), &mut tasks);
                tasks.spawn(down(socket.clone(), back, line.clone()));
                new.insert(Lane::new(socket, None, &mut tasks))
            }
        };
        lane.put(buffer.get(..n).unwrap_or_default(), &line);
    }
}

async fn down(socket: Arc<UdpSocket>, lane: Lane, line: Arc<Line>) -> io::Result<()> {
    let mut buffer = vec![0u8; DATAGRAM_MAX];
    loop {
        let Ok(n) = socket.recv(&mut buffer).await else { continue };
        if line.cut.load(Ordering::SeqCst) {
            continue;
        }
        line.bytes_down.fetch_add(n as u64, Ordering::Relaxed);
        line.datagrams.fetch_add(1, Ordering::Relaxed);
        lane.put(buffer.get(..n).unwrap_or_default(), &line);
    }
}

/// One direction of a line for one child: what is under way on it, in its order. A line that is slow does
/// not turn packets round.
#[derive(Debug)]
struct Lane(mpsc::Sender<(Instant, Vec<u8>)>);

impl Lane {
    /// Sends by `socket`, to `target` if it is not connected.
    fn new(socket: Arc<UdpSocket>, target: Option<SocketAddr>, tasks: &mut JoinSet<io::Result<()>>) -> Self {
        let (sender, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY_MAX);
        tasks.spawn(async move {
            while let Some((due, datagram)) = under_way.recv().await {
                tokio::time::sleep_until(due).await;
                // A parent that is not listening answers with an error; the line itself goes on.
                let _ = match target {
                    Some(target) => socket.send_to(&datagram, target).await,
                    None => socket.send(&datagram).await,
                };
            }
            Ok(())
        });
        Self(sender)
    }

    /// What does not fit on the line is lost, as on any line.
    fn put(&self, datagram: &[u8], line: &Line) {
        let due = Instant::now() + Duration::from_micros(line.delay_us.load(Ordering::Relaxed));
        let _ = self.0.try_send((due, datagram.to_vec()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_carries_counts_and_can_be_cut() {
        let parent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let relay = Relay::start(parent.local_addr().unwrap()).await.unwrap();
        let child = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mut buffer = [0u8; 16];
        child.send_to(b"up", relay.address()).await.unwrap();
        let (n, via) = parent.recv_from(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..n], b"up");
        parent.send_to(b"down", via).await.unwrap();
        let (n, _) = child.recv_from(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..n], b"down");
        let (traffic, first) = relay.taken();
        assert_eq!(traffic, Traffic { bytes_up: 2, bytes_down: 4, datagrams: 2 });
        assert!(first.is_some());
        relay.cut(true);
        child.send_to(b"lost", relay.address()).await.unwrap();
        let nothing = tokio::time::timeout(Duration::from_millis(100), parent.recv_from(&mut buffer)).await;
        assert!(nothing.is_err());
        relay.stop().await;
    }
}
