//! Which places there are, and their certificates: always the same for one shape.

use yishi_protocol::{
    cert::{Certificate, Directory},
    ids::PlaceId,
    key::{SecretKeys, Signature},
};

/// The tree: how many villages each town has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape(pub Vec<usize>);

/// One place before its node begins.
#[derive(Debug, Clone)]
pub struct Place {
    /// What the folder and messages call it.
    pub name: String,
    /// Its index in the shape's order: the district, then towns each followed by its villages.
    pub parent: Option<usize>,
    /// Its keys.
    pub keys: SecretKeys,
    /// Its certificate.
    pub cert: Certificate,
}

impl Shape {
    /// The district, 姚渡镇, 芦稿村 and 杏花村.
    #[must_use]
    pub fn four() -> Self {
        Self(vec![2])
    }

    /// As many places as wanted, at least three, at most twenty villages to a town.
    #[must_use]
    pub fn of(nodes: usize) -> Self {
        let mut left = nodes.max(3) - 1;
        let mut towns = Vec::new();
        while left >= 2 {
            let villages = (left - 1).min(20);
            towns.push(villages);
            left -= villages + 1;
        }
        Self(towns)
    }

    /// Places in all.
    #[must_use]
    pub fn nodes(&self) -> usize {
        1 + self.0.iter().map(|v| v + 1).sum::<usize>()
    }

    /// Every place with keys and certificate; a parent comes before its children.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let mut n = 0u32;
        let mut keys = || {
            n += 1;
            let mut bytes = [1; 64];
            bytes.as_chunks_mut::<4>().0.fill(n.to_le_bytes());
            SecretKeys::from_bytes(&bytes)
        };
        let root_keys = keys();
        let root = Certificate::root(&root_keys, PlaceId([1; 16]), "510113000000", "青白江区", "district");
        let mut known = Directory::new(root.clone()).unwrap();
        let mut places = vec![Place { name: "district".into(), parent: None, keys: root_keys, cert: root }];
        for (t, villages) in (0u32..).zip(&self.0) {
            let named = (t == 0).then_some("姚渡镇");
            let at = places.len();
            let code = format!("510113{:03}000", 106 + t);
            let place = below(&mut known, &places[0], keys(), &code, named, "township");
            places.push(Place { name: format!("town{t}"), parent: Some(0), ..place });
            for v in 0..*villages {
                let named = match (t, v) {
                    (0, 0) => Some("芦稿村"),
                    (0, 1) => Some("杏花村"),
                    _ => None,
                };
                let code = format!("510113{:03}{:03}", 106 + t, 204 + v);
                let place = below(&mut known, &places[at], keys(), &code, named, "village");
                places.push(Place { name: format!("village{t}-{v}"), parent: Some(at), ..place });
            }
        }
        places
    }
}

fn below(
    known: &mut Directory,
    by: &Place,
    keys: SecretKeys,
    code: &str,
    named: Option<&str>,
    level: &str,
) -> Place {
    let nonce = *keys.public().0.first_chunk().unwrap();
    let cert = Certificate {
        federation: Some(known.federation()),
        place: PlaceId::founded(&by.cert.place, &nonce),
        nonce,
        code: code.to_owned(),
        name: named.map_or_else(|| format!("第{}处", &code[6..]), str::to_owned),
        level: level.to_owned(),
        parent: Some(by.cert.place),
        key: keys.public(),
        sealing: keys.sealing_public(),
        number: 1,
        issuer: Some(by.cert.hash()),
        signature: Signature([0; 64]),
    }
    .issued_by(&by.keys);
    known.add(cert.clone()).unwrap();
    Place { name: String::new(), parent: None, keys, cert }
}
