//! The clock, as an argument: tests set it, and only this file reads the machine's.

use std::{
    fmt::Debug,
    time::{SystemTime, UNIX_EPOCH},
};

/// No clock of a running node shows an earlier time than this program's own making (2026-01-01): a box
/// without a battery wakes up in 1970.
pub const EARLIEST_MS: u64 = 1_767_225_600_000;

/// The civil day here of a moment in milliseconds since 1970.
#[must_use]
pub fn day_of_ms(ms: u64) -> i64 {
    ((ms / 1_000 + 8 * 3_600) / 86_400).cast_signed()
}

/// Tells the time.
pub trait Clock: Debug + Send + Sync {
    /// Microseconds since 1970, UTC.
    fn now_us(&self) -> u64;

    /// Milliseconds since 1970, UTC.
    fn now_ms(&self) -> u64 {
        self.now_us() / 1_000
    }

    /// The civil day here, in days since 1970-01-01. China has one time zone and no summer time; a
    /// village box without zone data must not count its days from Greenwich.
    fn today(&self) -> i64 {
        day_of_ms(self.now_ms())
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_us(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}

/// A clock that stands still until it is set.
#[derive(Debug, Default)]
pub struct SetClock(std::sync::atomic::AtomicU64);

impl SetClock {
    /// A clock that shows this many milliseconds since 1970.
    #[must_use]
    pub fn at_ms(ms: u64) -> Self {
        Self(std::sync::atomic::AtomicU64::new(ms * 1_000))
    }

    /// Sets it.
    pub fn set_ms(&self, ms: u64) {
        self.0.store(ms * 1_000, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now_us(&self) -> u64 {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }
}
