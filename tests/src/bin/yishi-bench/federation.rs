//! A district, its township and a village with real keys, and the documents the township holds.
//!
//! Documents are written through the store as the product writes them: 登记, three comments, a count of twenty
//! votes by name, 上报, 受理, 答复; nine changes, the village's six and the township's three, every one signed.

use crate::texts;
use anyhow::{Context as _, Result};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{collections::BTreeMap, path::Path};
use yishi_node::store::{Batch, Genesis, NewLink, Store};
use yishi_protocol::{
    act::{Act, ActKind, Filled, Step, Text, Voice, container_of},
    audience::Reach,
    calendar::Calendar,
    cert::{Certificate, Directory},
    change::{self, Change},
    commit::{ActorRecord, Commit, Cover},
    fold::frame,
    header::Header,
    ids::{ActRef, ActorId, ChangeHash, DocId, Epoch, Hash, Incarnation, PlaceId},
    key::{SecretKeys, Signature},
    kind::Kind,
    number::{MatterNumber, check_code},
    procedure::Procedure,
    value::Value,
};

/// Documents written in one transaction.
const DOCS_PER_BATCH: u32 = 500;
/// 2026-03-02.
const FIRST_DAY: i64 = 20_514;
/// Members of the assembly, of whom twenty vote.
const MEMBERS: u32 = 60;
const VOTES: usize = 20;

/// One place with its keys.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) keys: SecretKeys,
    pub(crate) cert: Certificate,
    pub(crate) life: Incarnation,
}

impl Place {
    pub(crate) fn actor(&self) -> ActorId {
        self.cert.actor(self.life)
    }

    pub(crate) fn record(&self) -> ActorRecord {
        ActorRecord { actor: self.actor(), cert: self.cert.hash(), incarnation: self.life }
    }
}

/// The places of one run.
#[derive(Debug)]
pub(crate) struct Federation {
    rng: StdRng,
    district: Place,
    town: Place,
    village: Place,
    calendar: Hash,
}

/// Where a document stands: enough to add to it.
#[derive(Debug, Clone)]
pub(crate) struct Tip {
    doc: DocId,
    head: ChangeHash,
    max_op: u64,
    town_seq: u64,
}

/// The changes of one document, as Automerge writes them.
pub(crate) type Changes = Vec<Vec<u8>>;

/// One document while it is written.
struct Draft<'a> {
    fed: &'a Federation,
    doc: DocId,
    commits: Vec<Commit>,
    seqs: BTreeMap<ActorId, u64>,
    step: Option<ActRef>,
    day: i64,
}

impl Federation {
    /// Makes keys and certificates.
    pub(crate) fn new(seed: u64) -> Result<Self> {
        let mut rng = StdRng::seed_from_u64(seed);
        let keys = SecretKeys::generate(&mut rng);
        let cert = Certificate::root(&keys, PlaceId(rng.random()), "510113000000", "青白江区", "district");
        let district = Place { keys, cert, life: Incarnation::first(rng.random()) };
        let town = below(&mut rng, &district, "510113106000", "姚渡镇", "township");
        let village = below(&mut rng, &town, "510113106204", "芦稿村", "village");
        Ok(Self { rng, district, town, village, calendar: Calendar::shipped()?.version() })
    }

    fn genesis(&mut self, certs: Vec<Certificate>, keys: SecretKeys, life: Incarnation) -> Genesis {
        let cert = certs.last().map(Certificate::hash).unwrap_or_else(|| self.district.cert.hash());
        Genesis {
            keys,
            certs,
            cert,
            epoch: Epoch(self.rng.random()),
            incarnation: life,
            life: self.rng.random(),
        }
    }

    /// The parent's database: empty but for the link to the township.
    pub(crate) async fn parent(&mut self, dir: &Path) -> Result<Store> {
        let (keys, life) = (self.district.keys.clone(), self.district.life);
        let genesis = self.genesis(vec![self.district.cert.clone()], keys, life);
        let store = Store::create(dir, genesis).await?;
        let link = NewLink { peer: self.town.cert.place, up: false, address: None };
        let certs = vec![self.town.cert.clone()];
        store.write(Batch { certs, links: vec![link], ..Batch::default() }).await?;
        Ok(store)
    }

    /// The child's database, with the link up and the village's certificate.
    pub(crate) async fn child(&mut self, dir: &Path) -> Result<Store> {
        let (keys, life) = (self.town.keys.clone(), self.town.life);
        let certs = vec![self.district.cert.clone(), self.town.cert.clone()];
        let genesis = self.genesis(certs, keys, life);
        let store = Store::create(dir, genesis).await?;
        let up = NewLink { peer: self.district.cert.place, up: true, address: None };
        let first = Batch {
            certs: vec![self.village.cert.clone()],
            links: vec![up],
            actors: vec![self.village.record(), self.town.record()],
            ..Batch::default()
        };
        store.write(first).await?;
        Ok(store)
    }

    /// A village's own database, with a link up that nobody answers.
    pub(crate) async fn village(&mut self, dir: &Path) -> Result<Store> {
        let (keys, life) = (self.village.keys.clone(), self.village.life);
        let certs = vec![self.district.cert.clone(), self.town.cert.clone(), self.village.cert.clone()];
        let genesis = self.genesis(certs, keys, life);
        let store = Store::create(dir, genesis).await?;
        let up = NewLink { peer: self.town.cert.place, up: true, address: None };
        store.write(Batch { links: vec![up], ..Batch::default() }).await?;
        Ok(store)
    }

    /// Every certificate, as the district has them.
    pub(crate) fn directory(&self) -> Result<Directory> {
        let mut directory = Directory::new(self.district.cert.clone())?;
        directory.add(self.town.cert.clone())?;
        directory.add(self.village.cert.clone())?;
        Ok(directory)
    }

    /// The district.
    pub(crate) fn top(&self) -> PlaceId {
        self.district.cert.place
    }

    /// Whose the actors are.
    pub(crate) fn records(&self) -> BTreeMap<ActorId, ActorRecord> {
        [&self.district, &self.town, &self.village].map(|p| (p.actor(), p.record())).into()
    }

    /// One document that is in no database.
    pub(crate) fn history(&mut self, serial: u32) -> Result<(Header, Vec<Commit>)> {
        let (header, commits, _) = self.document(serial)?;
        Ok((header, commits))
    }

    /// Whether the newest change of a document is in a database.
    pub(crate) async fn newest(&self, store: &Store, tip: &Tip) -> Result<bool> {
        Ok(store.doc_commits(&tip.doc).await?.iter().any(|c| c.commit.hash == tip.head))
    }

    /// Writes `n` documents into the child's database.
    pub(crate) async fn write_documents(&mut self, store: &Store, n: u32) -> Result<Vec<Tip>> {
        let mut tips = Vec::new();
        let mut serial = 0;
        while serial < n {
            let mut batch = Batch { at_ms: 1, ..Batch::default() };
            for _ in 0..DOCS_PER_BATCH.min(n - serial) {
                serial += 1;
                let (header, commits, tip) = self.document(serial)?;
                batch.docs.push(header);
                batch.commits.extend(commits.into_iter().map(Into::into));
                tips.push(tip);
            }
            store.write(batch).await?;
        }
        Ok(tips)
    }

    /// Adds one comment of the township to each of the documents.
    pub(crate) async fn comment_on(&mut self, store: &Store, tips: &mut [Tip]) -> Result<()> {
        let mut batch = Batch { at_ms: 2, ..Batch::default() };
        for tip in tips {
            let commit = self.remark(tip)?;
            batch.commits.push(commit.into());
        }
        store.write(batch).await?;
        Ok(())
    }

    /// One comment of the township on a document.
    fn remark(&mut self, tip: &mut Tip) -> Result<Commit> {
        let text = Text(texts::comment(&mut self.rng));
        let act = Act { prev: None, on: FIRST_DAY + 200, by: Some(member(3)), what: Voice::Comment { text } };
        let container = container_of(Kind::Proposal, "voices").unwrap_or_default();
        let creator = self.village.actor();
        let change = Change::act(
            self.town.actor(),
            tip.town_seq + 1,
            tip.max_op + 1,
            vec![tip.head],
            creator,
            container,
            act.to_map(),
        );
        let commit = self.signed(&tip.doc, change, &self.town)?;
        *tip = Tip { doc: tip.doc, head: commit.hash, max_op: commit.max_op, town_seq: commit.seq };
        Ok(commit)
    }

    /// The changes of so many documents that are in no database, and of the first of them one more.
    pub(crate) fn plain(&mut self, docs: u32, changed: usize) -> Result<(Vec<Changes>, Vec<Changes>)> {
        let (mut all, mut more) = (Vec::new(), Vec::new());
        for serial in 1..=docs {
            let (_, commits, mut tip) = self.document(serial)?;
            all.push(commits.into_iter().map(|c| c.bytes.to_vec()).collect());
            if more.len() < changed {
                more.push(vec![self.remark(&mut tip)?.bytes.to_vec()]);
            }
        }
        Ok((all, more))
    }

    fn signed(&self, doc: &DocId, change: Change, by: &Place) -> Result<Commit> {
        let encoded = change::encode(&change)?;
        let federation = self.district.cert.federation_id();
        let cert = by.cert.hash();
        let signature = by.keys.sign_commit(&federation, doc, &encoded.hash, &cert);
        Ok(Commit {
            doc: *doc,
            hash: encoded.hash,
            actor: change.actor,
            seq: change.seq,
            max_op: change.max_op(),
            deps: change.deps,
            bytes: encoded.bytes,
            cover: Some(Cover { cert, signature }),
        })
    }

    fn document(&mut self, serial: u32) -> Result<(Header, Vec<Commit>, Tip)> {
        let mut rng = StdRng::from_rng(&mut self.rng);
        let mut reach: Vec<Reach> =
            [&self.district, &self.town, &self.village].map(|p| Reach::Place(p.cert.place)).into();
        reach.sort_unstable();
        let header = Header {
            federation: self.district.cert.federation_id(),
            kind: Kind::Proposal,
            home: self.village.cert.place,
            creator: self.village.cert.key,
            incarnation: self.village.life,
            nonce: rng.random(),
            reach,
        };
        let (town, village) = (&self.town, &self.village);
        let day = FIRST_DAY + i64::from(serial / 60);
        let mut draft = Draft {
            fed: self,
            doc: header.doc_id(),
            commits: Vec::new(),
            seqs: BTreeMap::new(),
            step: None,
            day,
        };
        let number = MatterNumber::issue("芦稿", 2026, village.life, serial)?;
        let words = texts::matter(&mut rng);
        draft.put(Change::genesis(village.actor(), Kind::Proposal), village)?;
        draft.step(
            &mut rng,
            village,
            Step::Register {
                check: check_code(&village.keys.derived("number key"), &number).to_string(),
                number: number.to_string(),
                title: words.title,
                body: Text(words.body),
                category: Some(words.category.into()),
                source: Some("residents".into()),
                channel: Some("home_visit".into()),
                petitioner: None,
                dossier: None,
                external: None,
            },
        )?;
        let calendar = self.calendar;
        let comment = |rng: &mut StdRng| Voice::Comment { text: Text(texts::comment(rng)) };
        for _ in 0..2 {
            let what = comment(&mut rng);
            draft.voice(&mut rng, village, what)?;
        }
        let what = ballot(&mut rng);
        draft.voice(&mut rng, village, what)?;
        let reason = Some(Text(texts::comment(&mut rng)));
        draft.step(&mut rng, village, Step::Escalate { to: town.cert.place, reason })?;
        draft.step(&mut rng, town, accept(calendar))?;
        let what = comment(&mut rng);
        draft.voice(&mut rng, town, what)?;
        let text = Text(texts::answer(&mut rng));
        draft.step(&mut rng, town, Step::Answer { text, outcome: None, lead: None, lead_act: None })?;
        let (doc, commits) = (draft.doc, draft.commits);
        let last = commits.last().context("a document has changes")?;
        let tip = Tip { doc, head: last.hash, max_op: last.max_op, town_seq: last.seq };
        Ok((header, commits, tip))
    }
}

impl Federation {
    /// A matter of forty acts under a procedure with stages: forms, meetings and votes of four bodies, and what the
    /// neighbours say in between.
    pub(crate) fn deliberated(&mut self, file: &str) -> Result<(Header, Vec<Commit>)> {
        let (header, mut commits, _) = self.document(1)?;
        // The registration stays; then the village deliberates instead of passing it up.
        commits.truncate(2);
        let mut rng = StdRng::from_rng(&mut self.rng);
        let first = commits.get(1).context("a matter is registered")?;
        let (actor, day) = (first.actor, FIRST_DAY);
        let mut draft = Draft {
            fed: self,
            doc: header.doc_id(),
            seqs: BTreeMap::from([(actor, 2)]),
            step: Some(ActRef { actor, seq: 2 }),
            commits,
            day,
        };
        let village = &self.village;
        let (calendar, pin) = (self.calendar, Procedure::pin_of(file));
        draft.step(
            &mut rng,
            village,
            Step::Accept { procedure: pin, calendar, grade: None, urgency: None },
        )?;
        let line = |s: &str| Value::Str(s.into());
        let fields =
            [("topic".to_owned(), line("修涵洞")), ("reason".to_owned(), Value::Text("积水".into()))];
        draft.voice(
            &mut rng,
            village,
            Voice::Record { form: "proposal".into(), fields: Filled(fields.into_iter().collect()) },
        )?;
        for (body, next) in
            [("branch", "council"), ("council", "representatives"), ("representatives", "posted")]
        {
            let agenda = Text(texts::comment(&mut rng));
            let day = draft.day + 8;
            draft.voice(&mut rng, village, Voice::Call { body: body.into(), day, agenda, venue: None })?;
            draft.day = day.max(draft.day);
            let (call, minutes) = (draft.last_name()?, Text(texts::comment(&mut rng)));
            #[rustfmt::skip]
            draft.voice(&mut rng, village, Voice::Meet {
                call: Some(call), body: body.into(), day, eligible: 60, present: 50, remote: 2,
                roll: BTreeMap::new(), tags: BTreeMap::new(), minutes,
            })?;
            let mut what = ballot(&mut rng);
            if let Voice::Ballot { body: of, present, in_favour, against, abstain, votes, .. } = &mut what {
                // Counted, not by name: the whole hall votes.
                (*present, *in_favour, *against, *abstain) = (50, 41, 6, 3);
                *of = body.into();
                votes.clear();
            }
            draft.voice(&mut rng, village, what)?;
            draft.step(&mut rng, village, Step::Advance { to: next.into(), reason: None })?;
        }
        while draft.commits.len() < 41 {
            let what = Voice::Comment { text: Text(texts::comment(&mut rng)) };
            draft.voice(&mut rng, &self.town, what)?;
        }
        Ok((header, draft.commits))
    }
}

impl Draft<'_> {
    fn last_name(&self) -> Result<ActRef> {
        let last = self.commits.last().context("a document has changes")?;
        Ok(ActRef { actor: last.actor, seq: last.seq })
    }

    fn put(&mut self, change: Change, by: &Place) -> Result<()> {
        self.seqs.insert(change.actor, change.seq);
        let commit = self.fed.signed(&self.doc, change, by)?;
        self.commits.push(commit);
        Ok(())
    }

    fn act<K: ActKind>(&mut self, by: &Place, container: &str, act: &Act<K>) -> Result<ActRef> {
        let container = container_of(Kind::Proposal, container).context("a container of a proposal")?;
        let last = self.commits.last().context("the first change comes first")?;
        let seq = self.seqs.get(&by.actor()).copied().unwrap_or(0) + 1;
        let creator = self.fed.village.actor();
        let deps = vec![last.hash];
        let change = Change::act(by.actor(), seq, last.max_op + 1, deps, creator, container, act.to_map());
        let name = change.act_ref();
        self.put(change, by)?;
        Ok(name)
    }

    fn step(&mut self, rng: &mut StdRng, by: &Place, what: Step) -> Result<()> {
        self.day += rng.random_range(0..4);
        let act = Act { prev: self.step, on: self.day, by: Some(member(rng.random_range(1..5))), what };
        self.step = Some(self.act(by, "steps", &act)?);
        Ok(())
    }

    fn voice(&mut self, rng: &mut StdRng, by: &Place, what: Voice) -> Result<()> {
        self.day += rng.random_range(0..3);
        let act = Act { prev: None, on: self.day, by: Some(member(rng.random_range(1..MEMBERS))), what };
        self.act(by, "voices", &act)?;
        Ok(())
    }
}

pub(crate) fn member(n: u32) -> String {
    format!("m{n:02}")
}

pub(crate) fn ballot(rng: &mut StdRng) -> Voice {
    let mut votes: BTreeMap<String, String> = BTreeMap::new();
    while votes.len() < VOTES {
        let vote = match rng.random_range(0..10) {
            0 => "abstain",
            1 | 2 => "against",
            _ => "for",
        };
        votes.insert(member(rng.random_range(1..=MEMBERS)), vote.into());
    }
    let count = |what: &str| votes.values().filter(|v| v.as_str() == what).count() as i64;
    Voice::Ballot {
        question: "是否上报镇里解决".into(),
        body: "村民代表会议".into(),
        eligible: i64::from(MEMBERS),
        present: VOTES as i64,
        in_favour: count("for"),
        against: count("against"),
        abstain: count("abstain"),
        votes,
        meeting: None,
        counters: None,
    }
}

pub(crate) fn accept(calendar: Hash) -> Step {
    Step::Accept { procedure: frame::BUILT_IN, calendar, grade: None, urgency: None }
}

pub(crate) fn below(rng: &mut StdRng, above: &Place, code: &str, name: &str, level: &str) -> Place {
    let keys = SecretKeys::generate(rng);
    let nonce = rng.random();
    let cert = Certificate {
        federation: Some(above.cert.federation_id()),
        place: PlaceId::founded(&above.cert.place, &nonce),
        nonce,
        code: code.into(),
        name: name.into(),
        level: level.into(),
        parent: Some(above.cert.place),
        key: keys.public(),
        sealing: keys.sealing_public(),
        number: 1,
        issuer: Some(above.cert.hash()),
        signature: Signature([0; 64]),
    }
    .issued_by(&above.keys);
    Place { keys, cert, life: Incarnation::first(rng.random()) }
}
