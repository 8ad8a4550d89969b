//! What the fleet's places write: a village's matters in batches, a township's part of them.
//!
//! The changes are the product's, signed, and stored through its store; one batch is one transaction. A village
//! writes 登记, two comments, a count of twenty votes by name and 上报; its township 受理, a comment, and 答复 or
//! 上报 to the district with the grant that lets it see the matter.

use crate::{
    federation::{Place, accept, ballot, member},
    texts,
};
use anyhow::{Context as _, Result};
use rand::{RngExt, rngs::StdRng};
use yishi_node::store::{Batch, StoredCommit};
use yishi_protocol::{
    act::{Act, ActKind, Step, Text, Voice, container_of},
    audience::{Grant, Reach},
    change::{self, Change},
    commit::{Commit, Cover},
    header::Header,
    ids::{ActRef, ActorId, ChangeHash, DocId, FederationId, Hash, PlaceId},
    kind::Kind,
    number::{MatterNumber, check_code},
    place::short_name,
};

/// Changes a village writes of one matter.
const OF_VILLAGE: u64 = 6;

/// One document while one place adds to it.
struct Draft<'a> {
    by: &'a Place,
    federation: FederationId,
    doc: DocId,
    creator: ActorId,
    last: Option<(ChangeHash, u64)>,
    seq: u64,
    step: Option<ActRef>,
    day: i64,
    new: Vec<Commit>,
}

impl<'a> Draft<'a> {
    /// A stored document whose newest change is `last`, this place's first change to come.
    fn after(by: &'a Place, header: &Header, last: &Commit, step: Option<ActRef>, day: i64) -> Self {
        let creator = ActorId::of(&header.creator, header.incarnation);
        let (federation, doc) = (header.federation, header.doc_id());
        let last = Some((last.hash, last.max_op));
        Self { by, federation, doc, creator, last, seq: 0, step, day, new: Vec::new() }
    }

    fn put(&mut self, change: Change) -> Result<()> {
        let encoded = change::encode(&change)?;
        let cert = self.by.cert.hash();
        let signature = self.by.keys.sign_commit(&self.federation, &self.doc, &encoded.hash, &cert);
        (self.seq, self.last) = (change.seq, Some((encoded.hash, change.max_op())));
        self.new.push(Commit {
            doc: self.doc,
            hash: encoded.hash,
            actor: change.actor,
            seq: change.seq,
            max_op: change.max_op(),
            deps: change.deps,
            bytes: encoded.bytes,
            cover: Some(Cover { cert, signature }),
        });
        Ok(())
    }

    fn act<K: ActKind>(&mut self, container: &str, act: &Act<K>) -> Result<ActRef> {
        let container = container_of(Kind::Proposal, container).context("a container of a proposal")?;
        let (head, max_op) = self.last.context("the first change comes first")?;
        let actor = self.by.actor();
        let deps = vec![head];
        let change =
            Change::act(actor, self.seq + 1, max_op + 1, deps, self.creator, container, act.to_map());
        let name = change.act_ref();
        self.put(change)?;
        Ok(name)
    }

    fn step(&mut self, rng: &mut StdRng, what: Step) -> Result<()> {
        let act = Act { prev: self.step, on: self.day, by: Some(member(rng.random_range(1..5))), what };
        self.step = Some(self.act("steps", &act)?);
        Ok(())
    }

    fn voice(&mut self, rng: &mut StdRng, what: Voice) -> Result<()> {
        let act = Act { prev: None, on: self.day, by: Some(member(rng.random_range(1..60))), what };
        self.act("voices", &act)?;
        Ok(())
    }

    fn comment(&mut self, rng: &mut StdRng) -> Result<()> {
        let text = Text(texts::comment(rng));
        self.voice(rng, Voice::Comment { text })
    }

    fn into_batch(self, batch: &mut Batch) {
        let own = self.by.record();
        if !batch.actors.contains(&own) {
            batch.actors.push(own);
        }
        batch.commits.extend(self.new.into_iter().map(Into::into));
    }
}

/// A village's next matter, passed up to its township; places further up see it at once if they are named.
pub(crate) fn raised(
    rng: &mut StdRng,
    village: &Place,
    federation: FederationId,
    (town, seen_above): (PlaceId, &[PlaceId]),
    (serial, day): (u32, i64),
    batch: &mut Batch,
) -> Result<()> {
    let mut reach = vec![Reach::Place(village.cert.place), Reach::Place(town)];
    reach.extend(seen_above.iter().map(|place| Reach::Place(*place)));
    reach.sort_unstable();
    let header = Header {
        federation,
        kind: Kind::Proposal,
        home: village.cert.place,
        creator: village.cert.key,
        incarnation: village.life,
        nonce: rng.random(),
        reach,
    };
    let mut draft = Draft {
        by: village,
        federation,
        doc: header.doc_id(),
        creator: village.actor(),
        last: None,
        seq: 0,
        step: None,
        day,
        new: Vec::new(),
    };
    let number = MatterNumber::issue(short_name(&village.cert.name), 2026, village.life, serial)?;
    let words = texts::matter(rng);
    draft.put(Change::genesis(village.actor(), Kind::Proposal))?;
    let register = Step::Register {
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
    };
    draft.step(rng, register)?;
    draft.comment(rng)?;
    draft.comment(rng)?;
    let count = ballot(rng);
    draft.voice(rng, count)?;
    let reason = Some(Text(texts::comment(rng)));
    draft.step(rng, Step::Escalate { to: town, reason })?;
    batch.docs.push(header);
    draft.into_batch(batch);
    Ok(())
}

/// The newest change, if all of a village's part is here and nothing else yet.
pub(crate) fn waits_for_town(commits: &[StoredCommit]) -> Option<&Commit> {
    let last = commits.iter().map(|c| &c.commit).max_by_key(|c| c.seq)?;
    (commits.len() as u64 == OF_VILLAGE).then_some(last)
}

/// The township's part of a matter whose village wrote `last`: it replies, or passes it on to `up`.
pub(crate) fn handled(
    rng: &mut StdRng,
    town: &Place,
    header: &Header,
    last: &Commit,
    calendar: Hash,
    (up, day): (Option<PlaceId>, i64),
    batch: &mut Batch,
) -> Result<()> {
    let step = Some(ActRef { actor: last.actor, seq: last.seq });
    let mut draft = Draft::after(town, header, last, step, day);
    draft.step(rng, accept(calendar))?;
    draft.comment(rng)?;
    let text = Text(texts::answer(rng));
    match up {
        None => draft.step(rng, Step::Answer { text, outcome: None, lead: None, lead_act: None })?,
        Some(to) => {
            draft.step(rng, Step::Escalate { to, reason: Some(text) })?;
            let (doc, cert) = (draft.doc, town.cert.hash());
            batch.grants.push(Grant::new(&town.keys, &header.federation, doc, Reach::Place(to), cert));
        }
    }
    draft.into_batch(batch);
    Ok(())
}

/// One comment of a place after its own newest change.
pub(crate) fn remarked(
    rng: &mut StdRng,
    by: &Place,
    header: &Header,
    last: &Commit,
    day: i64,
    batch: &mut Batch,
) -> Result<()> {
    let mut draft = Draft::after(by, header, last, None, day);
    draft.seq = last.seq;
    draft.comment(rng)?;
    draft.into_batch(batch);
    Ok(())
}
