//! Places for connections, and who gives way when all are taken.
//!
//! A browser that is served says something, gets its answer and is gone; whoever attacks a small machine
//! sits down and says nothing, or a byte now and then. So when somebody waits at a full house, the one who
//! has kept us waiting longest gives up its place. Nobody whose request is whole and being worked on does.

use super::limits;
use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Instant,
};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// All places of one kind of door.
#[derive(Debug)]
pub(super) struct Seats {
    free: Arc<Semaphore>,
    /// Of one address; it is the whole number where everybody comes from this machine.
    of_one_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    seats: BTreeMap<u64, Sitting>,
}

#[derive(Debug)]
struct Sitting {
    from: Option<IpAddr>,
    doing: Doing,
    since: Instant,
    leaves: Arc<Notify>,
    leaving: bool,
}

/// Whom a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// The client is to send a request, or more of it.
    Asking,
    /// This node works on a whole request.
    Working,
    /// The client takes its answer.
    Answered,
}

/// One place, free again when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    number: u64,
    leaves: Arc<Notify>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().seats.remove(&self.number);
    }
}

impl Seats {
    pub(super) fn new(places: usize, of_one_address: usize) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(places));
        Arc::new(Self { free, of_one_address, taken: Mutex::default() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an address may have one more place.
    pub(super) fn has_share_left(&self, from: Option<IpAddr>) -> bool {
        let Some(from) = from else { return true };
        self.taken().seats.values().filter(|s| s.from == Some(from)).count() < self.of_one_address
    }

    /// Waits for a place. May be dropped while waiting.
    pub(super) async fn place(self: &Arc<Self>, from: Option<IpAddr>) -> Option<Arc<Seat>> {
        loop {
            if self.free.available_permits() == 0 {
                self.somebody_gives_way(Instant::now());
            }
            let look_again = tokio::time::sleep(limits::GIVE_WAY_LOOK);
            tokio::select! {
                biased;
                permit = Arc::clone(&self.free).acquire_owned() => return Some(self.sit(from, permit.ok()?)),
                () = look_again => {}
            }
        }
    }

    fn sit(self: &Arc<Self>, from: Option<IpAddr>, permit: OwnedSemaphorePermit) -> Arc<Seat> {
        let mut taken = self.taken();
        let number = taken.next;
        taken.next += 1;
        let leaves = Arc::new(Notify::new());
        let (doing, since, leaving) = (Doing::Asking, Instant::now(), false);
        taken.seats.insert(number, Sitting { from, doing, since, leaves: leaves.clone(), leaving });
        drop(taken);
        Arc::new(Seat { seats: self.clone(), number, leaves, _permit: permit })
    }

    fn somebody_gives_way(&self, now: Instant) {
        let mut taken = self.taken();
        if taken.seats.values().any(|s| s.leaving) {
            return;
        }
        let longest = taken.seats.values_mut().filter(|s| s.may_be_asked(now)).min_by_key(|s| s.since);
        if let Some(sitting) = longest {
            sitting.leaving = true;
            sitting.leaves.notify_one();
        }
    }
}

impl Sitting {
    fn may_be_asked(&self, now: Instant) -> bool {
        let patience = match self.doing {
            Doing::Asking => limits::GIVE_WAY_ASKING,
            Doing::Working => return false,
            Doing::Answered => limits::GIVE_WAY_ANSWERED,
        };
        now.saturating_duration_since(self.since) >= patience
    }
}

impl Seat {
    /// Waits until this one is to give way.
    pub(super) async fn gives_way(&self) {
        self.leaves.notified().await;
    }

    fn does(&self, doing: Doing) {
        if let Some(sitting) = self.seats.taken().seats.get_mut(&self.number) {
            sitting.doing = doing;
            // A request that comes byte by byte began when its first byte was waited for.
            if doing != Doing::Asking {
                sitting.since = Instant::now();
            }
        }
    }

    /// Request and answer as this place sees them.
    pub(super) fn body(self: &Arc<Self>, body: Incoming) -> axum::body::Body {
        if body.is_end_stream() {
            self.does(Doing::Working);
            return axum::body::Body::new(body);
        }
        self.does(Doing::Asking);
        axum::body::Body::new(Asked { body, seat: self.clone() })
    }

    /// The answer is there; taking it, and asking again, is up to the client.
    pub(super) fn answered(&self) {
        self.does(Doing::Answered);
    }
}

/// A body that says when it is whole.
struct Asked {
    body: Incoming,
    seat: Arc<Seat>,
}

impl HttpBody for Asked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.seat.does(Doing::Working);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn since(seats: &Seats, number: u64, doing: Doing, ago: Duration) {
        let mut taken = seats.taken();
        let sitting = taken.seats.get_mut(&number).unwrap();
        (sitting.doing, sitting.since) = (doing, Instant::now().checked_sub(ago).unwrap());
    }

    #[tokio::test]
    async fn the_one_who_kept_us_waiting_longest_gives_way_and_only_for_somebody() {
        let seats = Seats::new(3, 2);
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(seats.place(None).await.unwrap());
        }
        since(&seats, 0, Doing::Working, Duration::from_secs(100));
        since(&seats, 1, Doing::Asking, Duration::from_secs(3));
        since(&seats, 2, Doing::Asking, Duration::from_secs(5));
        let asked = |n: usize| tokio::time::timeout(Duration::from_millis(10), held[n].gives_way());
        assert!(asked(2).await.is_err(), "nobody waits");
        assert!(tokio::time::timeout(Duration::from_millis(10), seats.place(None)).await.is_err());
        assert!(asked(0).await.is_err() && asked(1).await.is_err());
        assert!(asked(2).await.is_ok());
        // Only one for one who waits, and its place is the next one's.
        assert!(tokio::time::timeout(Duration::from_millis(10), seats.place(None)).await.is_err());
        assert!(asked(1).await.is_err());
        held.pop();
        assert!(seats.place(None).await.is_some());
    }

    #[tokio::test]
    async fn who_just_came_or_is_being_served_does_not_give_way() {
        let seats = Seats::new(2, 2);
        let _held = (seats.place(None).await.unwrap(), seats.place(None).await.unwrap());
        since(&seats, 1, Doing::Answered, limits::GIVE_WAY_ANSWERED / 2);
        seats.somebody_gives_way(Instant::now());
        assert!(!seats.taken().seats.values().any(|s| s.leaving));
    }

    #[tokio::test]
    async fn an_address_has_its_share() {
        let seats = Seats::new(4, 2);
        let (one, other): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let held = (seats.place(Some(one)).await.unwrap(), seats.place(Some(one)).await.unwrap());
        assert!(!seats.has_share_left(Some(one)) && seats.has_share_left(Some(other)));
        assert!(seats.has_share_left(None));
        drop(held);
        assert!(seats.has_share_left(Some(one)));
    }
}
