//! Who may begin a handshake: a bounded number at a time, shared out by address.
//!
//! A handshake costs memory and half a millisecond of processor before anything is known about the caller.
//! While few are going on everybody is let in at once. When they become many, a caller first shows by a Retry
//! that it is where it says, which costs this side nothing; from then on its address has a share of the
//! places and a rate, so that one address cannot take everything from the others. An address that was only
//! *claimed* is never charged: nobody is shut out by packets sent in their name.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Handshakes and first words going on at the same time; one that says nothing costs 42 kB (measured).
const PLACES_MAX: usize = 256;
/// Of these, for callers that have not shown that they are where they say.
const UNPROVED_MAX: usize = 64;
/// Of these, for one address: a network of villages behind one gateway still comes back in a minute.
const OF_ONE_ADDRESS_MAX: usize = 64;
/// Between two handshakes of one address, in the long run: 64 a second cost 35 ms of processor (measured).
const BETWEEN: Duration = Duration::from_nanos(1_000_000_000 / 64);
/// How many handshakes may come at once before that rate counts.
const AT_ONCE: u32 = 256;
/// What a call by somebody who turns out to be no neighbour counts as: it is answered from the database.
const STRANGER_COUNTS: u32 = 8;
/// Addresses remembered; only those that answered a Retry or finished a handshake get in.
const ADDRESSES_MAX: usize = 4_096;
/// Strangers are written to the log together: a flood must not fill the disk.
const STRANGERS_SAID_EVERY: Duration = Duration::from_secs(10);

/// What a caller is told.
#[derive(Debug)]
pub(super) enum Answer {
    /// Come in; the place is free again when the pass is dropped.
    Enter(Pass),
    /// Show that you are where you say, then knock again.
    Prove,
    /// Not now.
    Refuse,
}

/// The door.
#[derive(Debug, Default)]
pub(super) struct Door(Mutex<Rooms>);

#[derive(Debug, Default)]
struct Rooms {
    within: usize,
    unproved: usize,
    /// The rate of callers that proved nothing, all together.
    unproved_rate: Rate,
    addresses: BTreeMap<IpAddr, OneAddress>,
    strangers: u64,
    strangers_said: Option<Instant>,
}

#[derive(Debug, Default)]
struct OneAddress {
    within: usize,
    rate: Rate,
}

/// When the last of the calls so far would have been due, had they come evenly.
#[derive(Debug, Default, Clone, Copy)]
struct Rate(Option<Instant>);

impl Rate {
    fn allows(self, now: Instant) -> bool {
        self.0.is_none_or(|due| due <= now + BETWEEN * AT_ONCE)
    }

    fn count(&mut self, calls: u32, now: Instant) {
        let due = self.0.map_or(now, |due| due.max(now)) + BETWEEN * calls;
        // However many came: after this long without one all is forgotten.
        self.0 = Some(due.min(now + BETWEEN * (2 * AT_ONCE)));
    }

    fn is_at_rest(self, now: Instant) -> bool {
        self.0.is_none_or(|due| due <= now)
    }
}

/// A place inside.
#[derive(Debug)]
pub(super) struct Pass {
    door: Arc<Door>,
    address: IpAddr,
    proved: bool,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut rooms = self.door.rooms();
        rooms.within = rooms.within.saturating_sub(1);
        if !self.proved {
            rooms.unproved = rooms.unproved.saturating_sub(1);
        } else if let Some(one) = rooms.addresses.get_mut(&self.address) {
            one.within = one.within.saturating_sub(1);
        }
    }
}

impl Pass {
    /// Whoever came in is no neighbour. Its handshake is complete, so its address is its own and is charged.
    /// Returns how many strangers there were since this was last to be written to the log, if it is now.
    pub(super) fn was_a_stranger(&self, now: Instant) -> Option<u64> {
        let mut rooms = self.door.rooms();
        if let Some(one) = rooms.address(self.address, now) {
            one.rate.count(STRANGER_COUNTS, now);
        }
        rooms.strangers += 1;
        if rooms.strangers_said.is_some_and(|at| now.duration_since(at) < STRANGERS_SAID_EVERY) {
            return None;
        }
        rooms.strangers_said = Some(now);
        Some(std::mem::take(&mut rooms.strangers))
    }
}

/// What counts as one address: of IPv6 a network of 64 bits, as one household or office gets it.
fn one_address(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

impl Door {
    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody wants to begin a handshake. `proved` says that it answered a Retry, so that packets to this
    /// address do reach it.
    pub(super) fn knock(self: &Arc<Self>, from: IpAddr, proved: bool, now: Instant) -> Answer {
        let address = one_address(from);
        let mut rooms = self.rooms();
        if proved {
            if rooms.within >= PLACES_MAX {
                return Answer::Refuse;
            }
            let Some(one) = rooms.address(address, now) else { return Answer::Refuse };
            if one.within >= OF_ONE_ADDRESS_MAX || !one.rate.allows(now) {
                return Answer::Refuse;
            }
            one.within += 1;
            one.rate.count(1, now);
        } else {
            let known = rooms.addresses.get(&address);
            let calm = known.is_none_or(|one| one.within < OF_ONE_ADDRESS_MAX && one.rate.allows(now));
            let room = rooms.unproved < UNPROVED_MAX && rooms.within < PLACES_MAX;
            if !calm || !room || !rooms.unproved_rate.allows(now) {
                return Answer::Prove;
            }
            rooms.unproved += 1;
            rooms.unproved_rate.count(1, now);
        }
        rooms.within += 1;
        Answer::Enter(Pass { door: self.clone(), address, proved })
    }
}

impl Rooms {
    /// The entry of an address that is known to be its caller's own; `None` if too many are remembered.
    fn address(&mut self, address: IpAddr, now: Instant) -> Option<&mut OneAddress> {
        if self.addresses.len() >= ADDRESSES_MAX && !self.addresses.contains_key(&address) {
            self.addresses.retain(|_, one| one.within > 0 || !one.rate.is_at_rest(now));
            if self.addresses.len() >= ADDRESSES_MAX {
                return None;
            }
        }
        Some(self.addresses.entry(address).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    fn entered(answer: Answer) -> Option<Pass> {
        match answer {
            Answer::Enter(pass) => Some(pass),
            _ => None,
        }
    }

    #[test]
    fn packets_in_somebodys_name_shut_nobody_out() {
        let (door, now) = (Arc::new(Door::default()), Instant::now());
        let flood: Vec<Pass> = (0..1_000).filter_map(|_| entered(door.knock(ip(1), false, now))).collect();
        assert_eq!(flood.len(), UNPROVED_MAX);
        assert!(matches!(door.knock(ip(1), false, now), Answer::Prove));
        assert!(matches!(door.knock(ip(2), false, now), Answer::Prove));
        // The one whose address it really is comes in, and so does everybody else.
        assert!(entered(door.knock(ip(1), true, now)).is_some());
        assert!(entered(door.knock(ip(2), true, now)).is_some());
        drop(flood);
        assert!(entered(door.knock(ip(2), false, now)).is_some());
    }

    #[test]
    fn one_address_has_a_share_and_a_rate() {
        let (door, now) = (Arc::new(Door::default()), Instant::now());
        let held: Vec<Pass> = (0..1_000).filter_map(|_| entered(door.knock(ip(1), true, now))).collect();
        assert_eq!(held.len(), OF_ONE_ADDRESS_MAX);
        assert!(entered(door.knock(ip(2), true, now)).is_some());
        drop(held);
        let quick = (0..1_000).filter_map(|_| entered(door.knock(ip(1), true, now))).count();
        assert!(quick > 0 && quick + OF_ONE_ADDRESS_MAX <= AT_ONCE as usize + 1, "{quick}");
        assert!(matches!(door.knock(ip(1), true, now), Answer::Refuse));
        let later = now + Duration::from_secs(1);
        let second = (0..1_000).filter_map(|_| entered(door.knock(ip(1), true, later))).count();
        assert!((62..=66).contains(&second), "{second}");
        // Quick ones that prove nothing are held to the same rate, all addresses together.
        let unproved = (0..1_000).filter_map(|n: u32| entered(door.knock(ip(n as u8), false, now))).count();
        assert!(unproved <= AT_ONCE as usize + 1, "{unproved}");
    }

    #[test]
    fn strangers_count_more_and_are_told_of_now_and_then() {
        let (door, now) = (Arc::new(Door::default()), Instant::now());
        let mut said = 0;
        let mut calls = 0;
        while let Some(pass) = entered(door.knock(ip(1), true, now)) {
            said += u64::from(pass.was_a_stranger(now).is_some());
            calls += 1;
        }
        assert_eq!(said, 1);
        assert!(calls <= AT_ONCE / STRANGER_COUNTS + 1, "{calls}");
        let later = now + 20 * STRANGERS_SAID_EVERY;
        let pass = entered(door.knock(ip(1), false, later)).unwrap();
        assert_eq!(pass.was_a_stranger(later), Some(u64::from(calls)));
        // What is remembered is bounded, and room is made when it is over.
        for n in 0..(2 * ADDRESSES_MAX as u32) {
            let address = IpAddr::from(n.to_be_bytes());
            let _ = door.knock(address, true, later);
        }
        assert_eq!(door.rooms().addresses.len(), ADDRESSES_MAX);
        assert!(matches!(door.knock(ip(9), true, later), Answer::Refuse));
        assert!(entered(door.knock(ip(9), true, later + Duration::from_secs(1))).is_some());
        let v6: IpAddr = "2001:db8::1".parse().unwrap();
        assert_eq!(one_address(v6), one_address("2001:db8::2".parse().unwrap()));
        assert_eq!(one_address("::ffff:10.0.0.7".parse().unwrap()), ip(7));
    }
}
