//! A district, two townships and a village with real keys and certificates, and signed documents of
//! theirs as blocks carry them.

use std::collections::BTreeMap;
use yishi_protocol::{
    act::{Act, Step, Text, Voice, container_of},
    audience::{Audience, Reach},
    cert::{Certificate, Directory},
    change::{self, Change},
    commit::{ActorRecord, Cover, DocIndex, Place},
    gate::{Gate, Known, Refusal, Verdicts},
    header::Header,
    ids::{ActorId, CertHash, ChangeHash, DocId, Incarnation, PlaceId},
    key::{SecretKeys, Signature},
    kind::Kind,
    value::Map,
    wire::{Block, BlockWriter, OutChange, OutSection},
};

/// One place's node.
pub(crate) struct Member {
    pub(crate) keys: SecretKeys,
    pub(crate) cert: CertHash,
    pub(crate) place: PlaceId,
    pub(crate) actor: ActorId,
}

impl Member {
    pub(crate) fn record(&self) -> ActorRecord {
        ActorRecord { actor: self.actor, cert: self.cert, incarnation: Incarnation(7) }
    }
}

/// The places and every certificate.
pub(crate) struct Federation {
    pub(crate) directory: Directory,
    pub(crate) district: Member,
    pub(crate) town: Member,
    pub(crate) other_town: Member,
    pub(crate) village: Member,
}

fn keys(n: u8) -> SecretKeys {
    SecretKeys::from_bytes(&[n; 64])
}

fn member(keys: SecretKeys, cert: &Certificate) -> Member {
    let actor = ActorId::of(&keys.public(), Incarnation(7));
    Member { cert: cert.hash(), place: cert.place, actor, keys }
}

pub(crate) fn certificate(directory: &Directory, by: &Member, keys: &SecretKeys, place: u8) -> Certificate {
    Certificate {
        federation: Some(directory.federation()),
        place: PlaceId::founded(&by.place, &[place; 16]),
        nonce: [place; 16],
        code: format!("5101131{place:02}000"),
        name: format!("第{place}处"),
        level: "township".into(),
        parent: Some(by.place),
        key: keys.public(),
        sealing: keys.sealing_public(),
        number: 1,
        issuer: Some(by.cert),
        signature: Signature([0; 64]),
    }
    .issued_by(&by.keys)
}

impl Federation {
    pub(crate) fn new() -> Self {
        let root = Certificate::root(&keys(1), PlaceId([1; 16]), "510113000000", "青白江区", "district");
        let mut directory = Directory::new(root.clone()).unwrap();
        let district = member(keys(1), &root);
        let mut below = |by: &Member, n: u8| {
            let cert = certificate(&directory, by, &keys(n), n);
            directory.add(cert.clone()).unwrap();
            member(keys(n), &cert)
        };
        let town = below(&district, 2);
        let other_town = below(&district, 3);
        let village = below(&town, 4);
        Self { directory, district, town, other_town, village }
    }

    pub(crate) fn records(&self) -> BTreeMap<ActorId, ActorRecord> {
        [&self.district, &self.town, &self.other_town, &self.village]
            .map(|m| (m.actor, m.record()))
            .into_iter()
            .collect()
    }

    /// A signature of `by` over a change of a document.
    pub(crate) fn sign(&self, by: &Member, doc: &DocId, hash: &ChangeHash) -> Cover {
        let signature = by.keys.sign_commit(&self.directory.federation(), doc, hash, &by.cert);
        Cover { cert: by.cert, signature }
    }

    pub(crate) fn header(&self, kind: Kind, by: &Member, nonce: u8, reach: &[Reach]) -> Header {
        let mut reach = reach.to_vec();
        reach.sort_unstable();
        Header {
            federation: self.directory.federation(),
            kind,
            home: by.place,
            creator: by.keys.public(),
            incarnation: Incarnation(7),
            nonce: [nonce; 12],
            reach,
        }
    }

    /// A new document of `by` with its genesis.
    pub(crate) fn document(&self, kind: Kind, by: &Member, nonce: u8, reach: &[Reach]) -> Document {
        let header = self.header(kind, by, nonce, reach);
        let mut doc = Document { id: header.doc_id(), header, index: DocIndex::default(), changes: vec![] };
        doc.take(self, by, Change::genesis(by.actor, kind));
        doc
    }

    /// A village's matter that came up to the district: registered, voted on, escalated.
    pub(crate) fn matter(&self) -> Document {
        let (village, town, district) = (&self.village, &self.town, &self.district);
        let reach = [village.place, town.place, district.place].map(Reach::Place);
        let mut doc = self.document(Kind::Proposal, village, 1, &reach);
        doc.step(self, village, register());
        doc.voice(self, village, ballot(17, 3));
        doc.step(self, village, Step::Escalate { to: town.place, reason: None });
        doc
    }

    /// The judgement of the district's gate over a block that came over the wire.
    pub(crate) fn judge(&self, writer: BlockWriter, known: &[&Document]) -> Verdicts {
        self.judge_read(&self.read(writer), known)
    }

    pub(crate) fn read(&self, writer: BlockWriter) -> Block {
        let bytes = writer.finish((0, 1, [0; 16]), &[], &[], &[]);
        let mut key_of = |hash: &CertHash| self.directory.get(hash).map(|c| c.key);
        Block::decode(&bytes, self.directory.federation(), &mut key_of).unwrap()
    }

    pub(crate) fn judge_read(&self, block: &Block, known: &[&Document]) -> Verdicts {
        self.judge_known(block, known.iter().map(|d| (d.id, d.known())).collect())
    }

    pub(crate) fn judge_known(&self, block: &Block, mut known: BTreeMap<DocId, Known>) -> Verdicts {
        let before: Vec<_> = known.values().map(|k| (k.index.clone(), k.audience.clone())).collect();
        let gate = Gate { directory: &self.directory, me: self.district.place };
        let verdicts = gate.admit(block, &mut known, &mut rand::rng());
        let after: Vec<_> = known.values().map(|k| (k.index.clone(), k.audience.clone())).collect();
        assert!(before == after, "the gate changed what is known");
        verdicts
    }

    /// Puts the attempt between two honest sections of other documents: it must be refused with `why` and
    /// they be admitted, bit for bit.
    pub(crate) fn refused(&self, known: &[&Document], why: &Refusal, attempt: impl FnOnce(&mut BlockWriter)) {
        let mut first = self.document(Kind::Proposal, &self.village, 100, &self.path());
        let mut last = self.document(Kind::Proposal, &self.town, 101, &self.path());
        let (first_known, last_known) = (first.clone(), last.clone());
        first.step(self, &self.village, register());
        last.step(self, &self.town, register());
        let mut writer = BlockWriter::new();
        writer.section(&first.section(1, false), &self.records());
        attempt(&mut writer);
        writer.section(&last.section(1, false), &self.records());
        let mut all = known.to_vec();
        all.extend([&first_known, &last_known]);
        let verdicts = self.judge(writer, &all);
        let found: Vec<&Refusal> = verdicts.refused.iter().map(|(_, _, why)| why).collect();
        assert_eq!(found, [why], "the refusal");
        let honest: Vec<(DocId, Vec<u8>)> = [&first, &last].map(|d| (d.id, d.bytes(1))).into_iter().collect();
        let admitted: Vec<(DocId, Vec<u8>)> =
            verdicts.admitted.iter().map(|a| (a.doc, a.commits[0].1.bytes.clone())).collect();
        assert_eq!(admitted, honest, "the honest sections around it");
        assert_eq!(verdicts.stored, [&first, &last].map(|d| (d.id, d.changes[1].hash)));
    }

    /// Everybody from the village to the district.
    pub(crate) fn path(&self) -> [Reach; 3] {
        [self.village.place, self.town.place, self.district.place].map(Reach::Place)
    }
}

/// A document with its whole history.
#[derive(Clone)]
pub(crate) struct Document {
    pub(crate) id: DocId,
    pub(crate) header: Header,
    pub(crate) index: DocIndex,
    pub(crate) changes: Vec<OutChange>,
}

impl Document {
    pub(crate) fn known(&self) -> Known {
        let audience = Audience::of_header(&self.header);
        Known { header: self.header.clone(), audience, index: self.index.clone() }
    }

    /// Adds a change and its author's signature.
    pub(crate) fn take(&mut self, federation: &Federation, by: &Member, change: Change) {
        let encoded = change::encode(&change).unwrap();
        let place =
            Place { actor: change.actor, seq: change.seq, max_op: change.start_op + encoded.op_count - 1 };
        self.index.insert(encoded.hash, place, &change.deps);
        let cover = Some(federation.sign(by, &self.id, &encoded.hash));
        self.changes.push(OutChange { hash: encoded.hash, change, cover });
    }

    /// The change `actor` would write next, on everything that is here.
    pub(crate) fn next(&self, actor: ActorId, container: usize, value: Map) -> Change {
        self.next_on(self.index.heads().iter().copied().collect(), actor, container, value)
    }

    /// As [`Document::next`], on these changes and the author's own last.
    pub(crate) fn next_on(
        &self,
        mut deps: Vec<ChangeHash>,
        actor: ActorId,
        container: usize,
        value: Map,
    ) -> Change {
        let own = self.index.iter().filter(|(_, p)| p.actor == actor).max_by_key(|(_, p)| p.seq);
        deps.extend(own.map(|(hash, _)| *hash));
        deps.sort_unstable();
        deps.dedup();
        let max_op = deps.iter().filter_map(|h| self.index.get(h)).map(|p| p.max_op).max().unwrap_or(0);
        let seq = own.map_or(0, |(_, p)| p.seq) + 1;
        Change::act(actor, seq, max_op + 1, deps, self.header.creator_actor(), container, value)
    }

    pub(crate) fn step(&mut self, federation: &Federation, by: &Member, step: Step) {
        let change = self.next(by.actor, steps(), act(step));
        self.take(federation, by, change);
    }

    pub(crate) fn voice(&mut self, federation: &Federation, by: &Member, voice: Voice) {
        let change = self.next(by.actor, voices(), act(voice));
        self.take(federation, by, change);
    }

    /// The section of the changes from `from` on.
    pub(crate) fn section(&self, from: usize, with_header: bool) -> OutSection {
        OutSection {
            doc: self.id,
            header: with_header.then(|| self.header.clone()),
            grants: vec![],
            wraps: vec![],
            changes: self.changes[from..].to_vec(),
        }
    }

    /// The section of one change that is not part of the history here.
    pub(crate) fn with(
        &self,
        change: Change,
        cover: impl FnOnce(&ChangeHash) -> Option<Cover>,
    ) -> OutSection {
        let hash = change::encode(&change).unwrap().hash;
        let out = OutChange { hash, change, cover: cover(&hash) };
        OutSection { doc: self.id, header: None, grants: vec![], wraps: vec![], changes: vec![out] }
    }

    pub(crate) fn bytes(&self, at: usize) -> Vec<u8> {
        change::encode(&self.changes[at].change).unwrap().bytes
    }
}

pub(crate) fn steps() -> usize {
    container_of(Kind::Proposal, "steps").unwrap()
}

pub(crate) fn voices() -> usize {
    container_of(Kind::Proposal, "voices").unwrap()
}

pub(crate) fn act<K: yishi_protocol::act::ActKind>(what: K) -> Map {
    Act { prev: None, on: 20_773, by: Some("u1".into()), what }.to_map()
}

pub(crate) fn comment(words: &str) -> Map {
    act(Voice::Comment { text: Text(words.into()) })
}

pub(crate) fn register() -> Step {
    Step::Register {
        number: "芦稿-2026-0001".into(),
        check: "123456".into(),
        title: "村口涵洞积水".into(),
        body: Text("下雨就过不去人。".into()),
        category: None,
        source: None,
        channel: None,
        petitioner: None,
        dossier: None,
        external: None,
    }
}

pub(crate) fn ballot(in_favour: i64, against: i64) -> Voice {
    Voice::Ballot {
        question: "是否上报".into(),
        body: "villagers_council".into(),
        eligible: 33,
        present: 20,
        in_favour,
        against,
        abstain: 0,
        votes: BTreeMap::new(),
        meeting: None,
        counters: None,
    }
}
