//! Writing a block: from stored commits to the bytes that travel.

use super::{DepRef, words};
use crate::{
    audience::Grant,
    beside::Beside,
    cert::{Certificate, Placement, Revocation},
    change::{Body, Change},
    codec::Writer,
    commit::{ActorRecord, Cover},
    header::Header,
    ids::{ActRef, ActorId, CertHash, ChangeHash, DocId, PlaceId},
    receipt::Opening,
    value::{Map, Value},
};
use std::collections::{BTreeMap, BTreeSet};

/// A stored change on its way out.
#[derive(Debug, Clone)]
pub struct OutChange {
    /// Its hash.
    pub hash: ChangeHash,
    /// The change, decoded.
    pub change: Change,
    /// A signature of it, where one is kept.
    pub cover: Option<Cover>,
}

/// One document's part of a block on its way out.
#[derive(Debug, Clone)]
pub struct OutSection {
    /// The document.
    pub doc: DocId,
    /// Its header, unless the receiver has the document already.
    pub header: Option<Header>,
    /// Widenings.
    pub grants: Vec<Grant>,
    /// Records beside a dossier.
    pub wraps: Vec<Beside>,
    /// Changes, each after its dependencies.
    pub changes: Vec<OutChange>,
}

impl OutSection {
    /// Positions of changes that a later one of the same actor in this section stands on: its signature
    /// is theirs too. Both branches of a fork need one of their own.
    fn vouched(&self) -> BTreeSet<usize> {
        let mut at: BTreeMap<ChangeHash, usize> = BTreeMap::new();
        let mut vouched = BTreeSet::new();
        for (i, out) in self.changes.iter().enumerate() {
            let own = out.change.deps.iter().filter_map(|dep| at.get(dep)).copied();
            let actor_at = |k: usize| self.changes.get(k).map(|c| c.change.actor);
            vouched.extend(own.filter(|k| actor_at(*k) == Some(out.change.actor)));
            at.insert(out.hash, i);
        }
        vouched
    }
}

/// Collects sections and writes the block.
#[derive(Debug, Default)]
pub struct BlockWriter {
    meta: Writer,
    text: Writer,
    raw: Writer,
    certs: Vec<CertHash>,
    cert_at: BTreeMap<CertHash, usize>,
    actors: Vec<(usize, u32)>,
    actor_at: BTreeMap<ActorId, usize>,
    places: Vec<PlaceId>,
    placements: Vec<Vec<u8>>,
    sections: u64,
}

impl BlockWriter {
    /// An empty block.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How large the sections written so far are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.meta.0.len() + self.text.0.len() + self.raw.0.len()
    }

    /// Whether no section was written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sections == 0
    }

    /// The certificates that authors in this block need.
    #[must_use]
    pub fn certs_used(&self) -> &[CertHash] {
        &self.certs
    }

    fn cert(&mut self, hash: CertHash) -> u64 {
        let next = self.certs.len();
        let at = *self.cert_at.entry(hash).or_insert(next);
        if at == next {
            self.certs.push(hash);
        }
        at as u64
    }

    fn place(&mut self, place: PlaceId) -> u64 {
        let at = self.places.iter().position(|p| *p == place).unwrap_or_else(|| {
            self.places.push(place);
            self.places.len() - 1
        });
        at as u64
    }

    fn actor(&mut self, actor: ActorId, record: &BTreeMap<ActorId, ActorRecord>) -> u64 {
        if let Some(at) = self.actor_at.get(&actor) {
            return *at as u64;
        }
        let Some(record) = record.get(&actor) else { return u64::MAX };
        let cert = self.cert(record.cert) as usize;
        self.actors.push((cert, record.incarnation.0));
        let at = self.actors.len() - 1;
        self.actor_at.insert(actor, at);
        at as u64
    }

    /// Writes one document's section. `records` knows every author in it.
    pub fn section(&mut self, section: &OutSection, records: &BTreeMap<ActorId, ActorRecord>) {
        self.sections += 1;
        match &section.header {
            None => {
                self.meta.uint(0);
                self.raw.raw(&section.doc.0);
            }
            Some(header) => {
                self.meta.uint(u64::from(header.kind.number()));
                let creator = self.actor(header.creator_actor(), records);
                self.meta.uint(creator);
                self.raw.raw(&header.nonce);
                let home = self.place(header.home);
                self.meta.uint(home);
                self.meta.uint(header.reach.len() as u64);
                for reach in &header.reach {
                    let subtree = u64::from(matches!(reach, crate::audience::Reach::Subtree(_)));
                    let place = self.place(reach.place());
                    self.meta.uint(place * 2 + subtree);
                }
            }
        }
        self.meta.uint(section.grants.len() as u64);
        for grant in &section.grants {
            self.raw.bytes(&grant.encode());
        }
        self.meta.uint(section.wraps.len() as u64);
        for record in &section.wraps {
            self.raw.bytes(&record.encode());
        }
        self.meta.uint(section.changes.len() as u64);
        let mut at: BTreeMap<ChangeHash, usize> = BTreeMap::new();
        let vouched = section.vouched();
        for (i, out) in section.changes.iter().enumerate() {
            self.change(i, out, &at, records);
            // A later signature of the same actor vouches for what it stands on (rule R9).
            match out.cover.filter(|_| !vouched.contains(&i)) {
                None => self.meta.uint(0),
                Some(cover) => {
                    let cert = self.cert(cover.cert);
                    self.raw.raw(&cover.signature.0);
                    self.meta.uint(cert + 1)
                }
            };
            at.insert(out.hash, i);
        }
    }

    /// Writes a section of one whole chunk for a document the receiver knows: the raw escape, which
    /// passes the receiver's full gate. Our own nodes never need it; whoever tries the gate does.
    pub fn raw_section(&mut self, doc: &DocId, chunk: &[u8]) {
        self.sections += 1;
        self.meta.uint(0).uint(0).uint(0).uint(1).uint(1).uint(chunk.len() as u64).uint(0);
        self.raw.raw(&doc.0).raw(chunk);
    }

    /// The same with its author's signature, which a receiver asks for before anything else.
    pub fn raw_signed(&mut self, doc: &DocId, chunk: &[u8], author: ActorRecord, cover: &Cover) {
        self.author(author);
        let cert = self.cert(cover.cert);
        self.sections += 1;
        self.meta.uint(0).uint(0).uint(0).uint(1).uint(1).uint(chunk.len() as u64).uint(cert + 1);
        self.raw.raw(&doc.0).raw(chunk).raw(&cover.signature.0);
    }

    /// Adds a placement, each after the one it follows.
    pub fn placement(&mut self, placement: &Placement) {
        self.placements.push(placement.encode());
    }

    /// Names an author in the block's table, also when no change of it follows.
    pub fn author(&mut self, record: ActorRecord) {
        self.actor(record.actor, &BTreeMap::from([(record.actor, record)]));
    }

    fn change(
        &mut self,
        i: usize,
        out: &OutChange,
        at: &BTreeMap<ChangeHash, usize>,
        records: &BTreeMap<ActorId, ActorRecord>,
    ) {
        let actor = self.actor(out.change.actor, records);
        let Body::Act { container, value, .. } = &out.change.body else {
            self.meta.uint(0).uint(actor);
            return;
        };
        self.meta.uint(2 + *container as u64).uint(actor);
        let deps: Vec<DepRef> = out
            .change
            .deps
            .iter()
            .map(|dep| match at.get(dep) {
                Some(k) => DepRef::Back(i - k),
                None => {
                    let mut prefix = [0u8; 8];
                    prefix.copy_from_slice(dep.0.split_at(8).0);
                    DepRef::Prefix(prefix)
                }
            })
            .collect();
        if deps == [DepRef::Back(1)] {
            self.meta.uint(0);
        } else {
            self.meta.uint(1 + deps.len() as u64);
            for dep in deps {
                match dep {
                    DepRef::Back(k) => {
                        self.meta.uint(k as u64);
                    }
                    DepRef::Prefix(prefix) => {
                        self.meta.uint(0);
                        self.raw.raw(&prefix);
                    }
                }
            }
        }
        self.map(value);
    }

    fn map(&mut self, map: &Map) {
        self.meta.uint(map.len() as u64);
        for (key, value) in map {
            self.word(key);
            self.value(value);
        }
    }

    fn word(&mut self, word: &str) {
        match words::number_of(word) {
            Some(n) => self.meta.uint(n + 1),
            None => {
                self.meta.uint(0).uint(word.len() as u64);
                self.text.raw(word.as_bytes())
            }
        };
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => {
                self.meta.uint(0);
            }
            Value::Bool(b) => {
                self.meta.uint(1 + u64::from(*b));
            }
            Value::Int(i) => {
                self.meta.uint(3).int(*i);
            }
            Value::Str(s) => {
                // A reference to an act of a known author needs neither its actor nor its digits.
                let act = s.parse::<ActRef>().ok().and_then(|r| Some((self.actor_at.get(&r.actor)?, r.seq)));
                match act {
                    Some((actor, seq)) => {
                        let actor = *actor as u64;
                        self.meta.uint(9).uint(actor).uint(seq);
                    }
                    None => {
                        self.meta.uint(4);
                        self.word(s);
                    }
                }
            }
            Value::Bytes(b) => {
                self.meta.uint(5).uint(b.len() as u64);
                self.text.raw(b);
            }
            Value::Text(s) => {
                self.meta.uint(6).uint(s.len() as u64);
                self.text.raw(s.as_bytes());
            }
            Value::Map(map) => {
                self.meta.uint(7);
                self.map(map);
            }
            Value::List(items) => {
                self.meta.uint(8).uint(items.len() as u64);
                for item in items {
                    self.value(item);
                }
            }
        }
    }

    /// The block's bytes. `certs` are those of [`BlockWriter::certs_used`] the receiver may lack, with
    /// their issuers first.
    #[must_use]
    pub fn finish(
        self,
        (from, to, digest): (u64, u64, [u8; 16]),
        certs: &[&Certificate],
        revocations: &[Revocation],
        openings: &[Opening],
    ) -> Vec<u8> {
        let mut head = Writer::new();
        head.uint(1).uint(from).uint(to - from).raw(&digest);
        head.uint(certs.len() as u64);
        for cert in certs {
            head.bytes(&cert.encode());
        }
        head.uint(revocations.len() as u64);
        for revocation in revocations {
            head.bytes(&revocation.encode());
        }
        head.uint(self.placements.len() as u64);
        for placement in &self.placements {
            head.bytes(placement);
        }
        head.uint(openings.len() as u64);
        for opening in openings {
            head.bytes(&opening.encode());
        }
        head.uint(self.certs.len() as u64);
        for cert in &self.certs {
            head.raw(&cert.0);
        }
        head.uint(self.actors.len() as u64);
        for (cert, incarnation) in &self.actors {
            head.uint(*cert as u64).uint(u64::from(*incarnation));
        }
        head.uint(self.places.len() as u64);
        for place in &self.places {
            head.raw(&place.0);
        }
        head.uint(self.sections).uint(self.meta.0.len() as u64).uint(self.text.0.len() as u64);
        head.raw(&self.meta.0).raw(&self.text.0).raw(&self.raw.0);
        head.finish()
    }
}
