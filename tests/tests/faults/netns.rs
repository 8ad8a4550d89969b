//! Two machines on one: a network namespace each, a cable between them, and what a cable can do.

use crate::{
    pair::{Pair, by, configure},
    tools::{needs, sh},
};
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU32, Ordering},
};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// The township's machine and the village's; both are removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Cable {
    pub(crate) town: String,
    pub(crate) village: String,
}

const TOWN: &str = "10.77.0.1";
const VILLAGE: &str = "10.77.0.2";
const PORT: u16 = 4710;

impl Drop for Cable {
    fn drop(&mut self) {
        for name in [&self.town, &self.village] {
            let _ = std::process::Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}

impl Cable {
    pub(crate) fn lay() -> Self {
        needs("ip", "iproute2");
        needs("tc", "iproute2");
        needs("nft", "nftables");
        let own = format!("ys{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let cable = Self { town: format!("{own}-town"), village: format!("{own}-village") };
        let (town, village) = (&cable.town, &cable.village);
        sh(&format!("ip netns add {town} && ip netns add {village}"));
        sh(&format!("ip -n {town} link add line type veth peer name line netns {village}"));
        // One packet at a time, as on a wire: otherwise a loss takes a train of sixty at once.
        for (name, address) in [(town, TOWN), (village, VILLAGE)] {
            sh(&format!(
                "ip -n {name} addr add {address}/24 dev line && ip -n {name} link set line gso_max_segs 1 up && ip -n {name} link set lo up"
            ));
        }
        cable
    }

    /// A township and a village, each on its machine, in step; `extra` is a wrapper around each program.
    pub(crate) fn pair(&self, extra: &[&str]) -> Pair {
        let mut pair = Pair::start();
        pair.town.kill();
        pair.village.kill();
        let town: SocketAddr = format!("{TOWN}:{PORT}").parse().unwrap();
        configure(&pair.town.dir, town, None, "");
        // Everywhere and any port, as a village is set up.
        configure(&pair.village.dir, "0.0.0.0:0".parse().unwrap(), Some(town), "");
        pair.town.start_by(by(&[&["ip", "netns", "exec", &self.town][..], extra].concat()));
        pair.village.start_by(by(&[&["ip", "netns", "exec", &self.village][..], extra].concat()));
        pair.back_in_step();
        pair
    }

    /// So many of a hundred packets are lost, each way.
    pub(crate) fn lose(&self, percent: u32) {
        for name in [&self.town, &self.village] {
            sh(&format!(
                "ip netns exec {name} nft 'add table inet loss; add chain inet loss in {{ type filter hook input priority 0; }}; \
                 add rule inet loss in meta l4proto udp numgen random mod 100 < {percent} counter drop'"
            ));
        }
    }

    /// Packets lost so far.
    pub(crate) fn lost(&self) -> u64 {
        let of = |name: &str| {
            let rules = sh(&format!("ip netns exec {name} nft list table inet loss"));
            let words: Vec<&str> = rules.split_whitespace().collect();
            let at = words.iter().position(|w| *w == "packets").unwrap();
            words[at + 1].parse::<u64>().unwrap()
        };
        of(&self.town) + of(&self.village)
    }

    /// The line carries so much and no more, each way.
    pub(crate) fn strangle(&self, kbit: u32) {
        for name in [&self.town, &self.village] {
            sh(&format!(
                "ip netns exec {name} tc qdisc replace dev line root tbf rate {kbit}kbit burst 3kb latency 200ms"
            ));
        }
    }

    pub(crate) fn unstrangle(&self) {
        for name in [&self.town, &self.village] {
            sh(&format!("ip netns exec {name} tc qdisc del dev line root"));
        }
    }

    /// Pulls the plug, or puts it in again.
    pub(crate) fn plugged(&self, plugged: bool) {
        let state = if plugged { "up" } else { "down" };
        sh(&format!("ip -n {} link set line {state}", self.village));
    }

    /// The village gets another address, as from its mobile network.
    pub(crate) fn readdress(&self, last: u8) {
        let village = &self.village;
        sh(&format!(
            "ip -n {village} addr flush dev line && ip -n {village} addr add 10.77.0.{last}/24 dev line"
        ));
    }

    /// Bytes the village sent onto the line so far, Ethernet headers included.
    pub(crate) fn sent(&self) -> u64 {
        let found = sh(&format!("ip -n {} -s -j link show line", self.village));
        let found: serde_json::Value = serde_json::from_str(&found).unwrap();
        found[0]["stats64"]["tx"]["bytes"].as_u64().unwrap()
    }
}
