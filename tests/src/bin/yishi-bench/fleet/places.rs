//! The places of a fleet: a root, its townships and their villages, with real names, the same for one seed.

use crate::federation::{Place, below};
use anyhow::{Context as _, Result, ensure};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    cmp::Reverse,
    net::{Ipv4Addr, SocketAddr},
};
use yishi_protocol::{
    cert::Certificate,
    ids::{Incarnation, PlaceId},
    key::SecretKeys,
    place::{Division, Divisions, Level, parse_divisions, shipped_divisions},
};

/// The list the names are taken from: a prefecture of 136 townships and 2,005 villages.
const LIST: &str = "nantong-3206";
/// Of every node, at an address of its own.
const PORT: u16 = 4710;

/// One node's place in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seat {
    District,
    Town(usize),
    Village(usize),
}

/// All places.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) district: Place,
    pub(crate) towns: Vec<Place>,
    /// Each with the index of its township.
    pub(crate) villages: Vec<(usize, Place)>,
    /// The second number of every address: two fleets on one machine do not meet.
    net: u8,
}

impl Tree {
    /// So many places. The townships with most villages come first; what is missing in a township's own list
    /// is taken from those of the townships that are left out.
    pub(crate) fn new(seed: u64, towns: usize, villages: usize, net: u8) -> Result<Self> {
        ensure!(villages >= towns, "every township has a village");
        let list = shipped_divisions().into_iter().find(|(name, _)| *name == LIST).context("the list")?;
        let divisions = Divisions::new(parse_divisions(list.1)?)?;
        let real = |d: &&Division| d.level == Level::Township && divisions.children(d.code).next().is_some();
        let mut all: Vec<&Division> = divisions.iter().filter(real).collect();
        all.sort_by_key(|d| (Reverse(divisions.children(d.code).count()), d.code));
        let (used, left) = all.split_at(towns.min(all.len()));
        let mut spare = left.iter().flat_map(|d| divisions.children(d.code));
        let mut own: Vec<_> = used.iter().map(|d| divisions.children(d.code)).collect();

        let mut rng = StdRng::seed_from_u64(seed);
        let keys = SecretKeys::generate(&mut rng);
        let cert = Certificate::root(&keys, PlaceId(rng.random()), "320600000000", "南通市", "district");
        let district = Place { keys, cert, life: Incarnation::first(rng.random()) };
        let mut tree = Self { district, towns: Vec::new(), villages: Vec::new(), net };
        for t in 0..towns {
            let (code, name) = match used.get(t) {
                Some(real) => (real.code.to_string(), real.name.clone()),
                None => (format!("320600{t:03}000"), format!("第{t}镇")),
            };
            let place = below(&mut rng, &tree.district, &code, &name, "township");
            tree.towns.push(place);
        }
        let mut serial = 0;
        while tree.villages.len() < villages {
            for t in 0..towns.min(villages - tree.villages.len()) {
                serial += 1;
                let mut real = own.get_mut(t).and_then(Iterator::next);
                // Whole townships first: their own villages go before what is borrowed.
                if real.is_none() && tree.villages.len() >= towns {
                    real = spare.next();
                }
                let (code, name) = match real {
                    Some(real) => (real.code.to_string(), real.name.clone()),
                    None => (format!("3206{serial:08}"), format!("第{serial}村")),
                };
                let above = tree.towns.get(t).context("a township")?;
                let place = below(&mut rng, above, &code, &name, "village");
                tree.villages.push((t, place));
            }
        }
        Ok(tree)
    }

    pub(crate) fn place(&self, seat: Seat) -> Result<&Place> {
        Ok(match seat {
            Seat::District => &self.district,
            Seat::Town(t) => self.towns.get(t).context("a township")?,
            Seat::Village(v) => &self.villages.get(v).context("a village")?.1,
        })
    }

    /// The seat above.
    pub(crate) fn above(&self, seat: Seat) -> Option<Seat> {
        match seat {
            Seat::District => None,
            Seat::Town(_) => Some(Seat::District),
            Seat::Village(v) => Some(Seat::Town(self.villages.get(v)?.0)),
        }
    }

    /// The places directly below.
    pub(crate) fn below(&self, seat: Seat) -> Vec<&Place> {
        match seat {
            Seat::District => self.towns.iter().collect(),
            Seat::Town(t) => self.villages.iter().filter(|(of, _)| *of == t).map(|(_, p)| p).collect(),
            Seat::Village(_) => Vec::new(),
        }
    }

    /// Certificates from the root's down to this seat's own.
    pub(crate) fn chain(&self, seat: Seat) -> Result<Vec<Certificate>> {
        let mut chain = match self.above(seat) {
            Some(above) => self.chain(above)?,
            None => Vec::new(),
        };
        chain.push(self.place(seat)?.cert.clone());
        Ok(chain)
    }

    /// Where its links listen: as in life, every node has an address of its own.
    pub(crate) fn address(&self, seat: Seat) -> SocketAddr {
        let n = match seat {
            Seat::District => 0,
            Seat::Town(t) => 1 + t,
            Seat::Village(v) => 1 + self.towns.len() + v,
        };
        let (high, low) = (u8::try_from(n / 250).unwrap_or(u8::MAX), (n % 250) as u8 + 1);
        (Ipv4Addr::new(127, self.net, high, low), PORT).into()
    }

    /// The folder's name.
    pub(crate) fn folder(seat: Seat) -> String {
        match seat {
            Seat::District => "d".into(),
            Seat::Town(t) => format!("t{t}"),
            Seat::Village(v) => format!("v{v}"),
        }
    }
}
