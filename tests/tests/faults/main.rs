//! Real processes under real faults: `kill -9`, frozen processes, disks that fail, lines that lose, delay
//! and strangle, addresses that change, a day's outage, and callers who want to use the machine up.
//!
//! After every fault the same is asserted ([`pair::Pair::holds`]): whatever was acknowledged to a person is
//! there, whatever the village was told is stored at the township is there, the link is back in step by
//! itself, and the auditor finds nothing. Figures and how to repeat them: `tests/FAULTS.md`.
//!
//! Needs root (namespaces, mounts) and strace, iproute2, nftables and faketime, which `tests/run` installs;
//! a missing one fails the test with its package's name. `YISHI_FAULTS=long` is the long form.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod attack;
mod attack_pages;
mod disk;
mod flood;
mod kill;
mod line;
mod netns;
mod outage;
mod pair;
#[path = "../cluster/process.rs"]
mod process;
mod relay;
mod roam;
mod stop;
mod tools;
