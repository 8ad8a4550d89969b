//! A township gone bad: with its real key and everything it holds, it tries to speak for a village, to
//! rewrite a vote, to take over a decision. Every attempt goes over a real link to the district's gate.
//!
//! The attempts are also what the tests use: each must be refused with its reason, and nothing else of
//! the node be disturbed.

use super::DemoError;
use crate::{
    link::Call,
    store::{Store, StoredCommit, World},
};
use automerge::{AutoCommit, ObjType, ReadDoc, transaction::Transactable};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::Path,
};
use yishi_protocol::{
    act::container_of,
    audience::Reach,
    change::{self, Body, Change},
    commit::{ActorRecord, Cover},
    header::Header,
    ids::{ActorId, CertHash, ChangeHash, DocId},
    key::Signature,
    kind::Kind,
    value::Value,
    wire::{BlockWriter, OutChange, OutSection},
};

/// One attempt: what it is, and the section that carries it.
struct Attempt {
    what: &'static str,
    writer: BlockWriter,
}

/// Tries everything against the node at `target`; says per attempt how it was refused.
///
/// # Errors
/// [`DemoError::Forged`] if one was not refused.
pub(super) async fn forge(dir: &Path, target: SocketAddr, outcome: &str) -> Result<Vec<String>, DemoError> {
    let store = Store::open(dir).await.map_err(DemoError::store)?;
    let attempts = attempts(&store, outcome).await?;
    let world = store.world();
    let mut call = Call::dial(&world, target).await.map_err(DemoError::link)?;
    let mut said = Vec::new();
    for (n, attempt) in (0u64..).zip(attempts) {
        let block = attempt.writer.finish((n, n + 1, [0; 16]), &[], &[], &[]);
        let ack = call.block(block).await.map_err(DemoError::link)?;
        match ack.excluded.first() {
            Some((_, why)) => said.push(format!("{}——被拒（{why}）", attempt.what)),
            None => return Err(DemoError::Forged(attempt.what)),
        }
    }
    call.close().await;
    store.close().await.map_err(DemoError::store)?;
    Ok(said)
}

/// What the forger holds of one matter that the district sees.
struct Loot {
    doc: DocId,
    header: Header,
    commits: Vec<(StoredCommit, Change)>,
    records: BTreeMap<ActorId, ActorRecord>,
}

async fn loot(store: &Store, world: &World, doc: DocId) -> Result<Loot, DemoError> {
    let whole = store.document(&doc).await.map_err(DemoError::store)?;
    let whole = whole.ok_or(DemoError::Answer("document".into()))?;
    let actors: Vec<ActorId> = whole
        .commits
        .iter()
        .map(|c| c.commit.actor)
        .chain([world.me.actor])
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let mut records: BTreeMap<ActorId, ActorRecord> = store
        .actor_records(&actors)
        .await
        .map_err(DemoError::store)?
        .into_iter()
        .map(|r| (r.actor, r))
        .collect();
    records.entry(world.me.actor).or_insert(ActorRecord {
        actor: world.me.actor,
        cert: world.me.cert,
        incarnation: world.me.incarnation,
    });
    let mut commits = Vec::new();
    for stored in whole.commits {
        let decoded = change::decode(&stored.commit.bytes, whole.header.kind)
            .map_err(|e| DemoError::Answer(e.to_string()))?;
        commits.push((stored, decoded.change));
    }
    Ok(Loot { doc, header: whole.header, commits, records })
}

/// A matter of a village below that was escalated, so that the district sees it.
async fn escalated(store: &Store, world: &World) -> Result<Loot, DemoError> {
    let up = world.parent().map(|l| l.id);
    for doc in store.docs_of_kind(Kind::Proposal, None).await.map_err(DemoError::store)? {
        let seeing = store.links_seeing(&doc).await.map_err(DemoError::store)?;
        if up.is_some_and(|up| seeing.contains(&up)) {
            return loot(store, world, doc).await;
        }
    }
    Err(DemoError::Answer("no escalated matter".into()))
}

/// A matter the district may not see.
async fn hidden(store: &Store, world: &World) -> Result<Loot, DemoError> {
    let up = world.parent().map(|l| l.id);
    for doc in store.docs_of_kind(Kind::Proposal, None).await.map_err(DemoError::store)? {
        let seeing = store.links_seeing(&doc).await.map_err(DemoError::store)?;
        if up.is_some_and(|up| !seeing.contains(&up)) {
            return loot(store, world, doc).await;
        }
    }
    Err(DemoError::Answer("no hidden matter".into()))
}

impl Loot {
    fn heads(&self) -> Vec<ChangeHash> {
        let mut heads: BTreeSet<ChangeHash> = self.commits.iter().map(|(s, _)| s.commit.hash).collect();
        for (_, change) in &self.commits {
            for dep in &change.deps {
                heads.remove(dep);
            }
        }
        heads.into_iter().collect()
    }

    fn max_op(&self) -> u64 {
        self.commits.iter().map(|(s, _)| s.commit.max_op).max().unwrap_or(0)
    }

    /// The next change of `actor` in `container`, with the given act.
    fn next(&self, actor: ActorId, container: usize, value: yishi_protocol::value::Map) -> Change {
        let last =
            self.commits.iter().filter(|(s, _)| s.commit.actor == actor).max_by_key(|(s, _)| s.commit.seq);
        let mut deps = self.heads();
        if let Some((own, _)) = last
            && !deps.contains(&own.commit.hash)
        {
            deps.push(own.commit.hash);
            deps.sort_unstable();
        }
        let seq = last.map_or(0, |(s, _)| s.commit.seq) + 1;
        Change::act(actor, seq, self.max_op() + 1, deps, self.header.creator_actor(), container, value)
    }

    fn section(
        &self,
        change: Change,
        cover: impl FnOnce(&ChangeHash) -> Option<Cover>,
    ) -> Result<BlockWriter, DemoError> {
        let hash = change::encode(&change).map_err(|e| DemoError::Answer(e.to_string()))?.hash;
        let mut writer = BlockWriter::new();
        let out = OutChange { hash, change, cover: cover(&hash) };
        let section =
            OutSection { doc: self.doc, header: None, grants: vec![], wraps: vec![], changes: vec![out] };
        writer.section(&section, &self.records);
        Ok(writer)
    }

    /// A change made by Automerge itself under the forger's actor, as a raw chunk.
    fn raw(
        &self,
        world: &World,
        edit: impl FnOnce(&mut AutoCommit, &automerge::ObjId, &str) -> Result<(), automerge::AutomergeError>,
    ) -> Result<BlockWriter, DemoError> {
        let failed = |e: &dyn std::fmt::Display| DemoError::Answer(e.to_string());
        let mut doc = AutoCommit::new();
        let changes = self.commits.iter().map(|(s, _)| automerge::Change::from_bytes(s.commit.bytes.clone()));
        let changes = changes.collect::<Result<Vec<_>, _>>().map_err(|e| failed(&e))?;
        doc.apply_changes(changes).map_err(|e| failed(&e))?;
        doc.set_actor(automerge::ActorId::from(world.me.actor.0.as_slice()));
        let steps = doc.get(automerge::ROOT, "steps").map_err(|e| failed(&e))?;
        let (_, steps) = steps.ok_or(DemoError::Answer("steps".into()))?;
        let village = self.commits.iter().find(|(s, c)| {
            s.commit.actor != world.me.actor && matches!(&c.body, Body::Act { container: 0, .. })
        });
        let key = village.map(|(s, _)| format!("{}@{}", s.commit.seq, s.commit.actor)).unwrap_or_default();
        edit(&mut doc, &steps, &key).map_err(|e| failed(&e))?;
        doc.commit();
        let bytes = doc.get_last_local_change().map(|c| c.raw_bytes().to_vec());
        let bytes = bytes.ok_or(DemoError::Answer("change".into()))?;
        let mut writer = BlockWriter::new();
        for record in self.records.values() {
            writer.author(*record);
        }
        writer.raw_section(&self.doc, &bytes);
        Ok(writer)
    }
}

async fn attempts(store: &Store, outcome: &str) -> Result<Vec<Attempt>, DemoError> {
    let world = store.world();
    let me = &world.me;
    let federation = world.directory.federation();
    let matter = escalated(store, &world).await?;
    let other = hidden(store, &world).await?;
    let steps = container_of(Kind::Proposal, "steps").unwrap_or_default();
    let voices = container_of(Kind::Proposal, "voices").unwrap_or_default();
    let village = matter.header.creator_actor();
    let village_record = matter.records.get(&village).copied().ok_or(DemoError::Answer("author".into()))?;
    let sign = |doc: &DocId, hash: &ChangeHash, cert: CertHash| Cover {
        cert,
        signature: me.keys.sign_commit(&federation, doc, hash, &cert),
    };
    let comment = |words: &str| {
        let act = yishi_protocol::act::Act {
            prev: None,
            on: 20_000,
            by: None,
            what: yishi_protocol::act::Voice::Comment { text: yishi_protocol::act::Text(words.into()) },
        };
        act.to_map()
    };
    let mut out = Vec::new();

    // The village's vote, turned round, with the village's own old signature.
    let ballot = matter.commits.iter().find(|(s, c)| {
        s.commit.actor == village
            && matches!(&c.body, Body::Act { value, .. } if value.get("kind") == Some(&Value::Str("ballot".into())))
    });
    if let Some((stored, change)) = ballot {
        let mut changed = change.clone();
        if let Body::Act { value, .. } = &mut changed.body {
            let (yes, no) = (value.get("in_favour").cloned(), value.get("against").cloned());
            for (key, other) in [("against", yes), ("in_favour", no)] {
                let Some(other) = other else { continue };
                value.insert(key.into(), other);
            }
        }
        let signature = stored.commit.cover.map_or(Signature([0; 64]), |c| c.signature);
        let cert = village_record.cert;
        let writer = matter.section(changed, |_| Some(Cover { cert, signature }))?;
        out.push(Attempt { what: "把村里的表决票数对调", writer });
    }
    // A withdrawal in the village's name.
    let withdrawal = || matter.next(village, steps, comment("村里不办了"));
    let writer = matter.section(withdrawal(), |hash| Some(sign(&matter.doc, hash, me.cert)))?;
    out.push(Attempt { what: "以村的名义撤回，用镇的证书签名", writer });
    let writer = matter.section(withdrawal(), |hash| Some(sign(&matter.doc, hash, village_record.cert)))?;
    out.push(Attempt { what: "以村的名义撤回，冒用村的证书", writer });
    let unsigned = matter.next(me.actor, voices, comment("不签名"));
    out.push(Attempt { what: "不签名", writer: matter.section(unsigned, |_| None)? });

    // A document that claims the village as its home.
    let mut header = matter.header.clone();
    header.creator = me.keys.public();
    header.incarnation = me.incarnation;
    header.nonce = [7; 12];
    let doc = header.doc_id();
    let genesis = Change::genesis(me.actor, Kind::Proposal);
    let encoded = change::encode(&genesis).map_err(|e| DemoError::Answer(e.to_string()))?;
    let cover = Some(sign(&doc, &encoded.hash, me.cert));
    let claimed = OutSection {
        doc,
        header: Some(header.clone()),
        grants: vec![],
        wraps: vec![],
        changes: vec![OutChange { hash: encoded.hash, change: genesis.clone(), cover }],
    };
    let mut writer = BlockWriter::new();
    writer.section(&claimed, &matter.records);
    out.push(Attempt { what: "以村为登记地新建事项", writer });

    // The village's signed first step, copied under another document of the forger's own.
    header.home = me.place;
    header.reach = vec![Reach::Place(me.place)];
    header.reach.extend(world.directory.ancestors(&me.cert).into_iter().map(Reach::Place));
    header.reach.sort_unstable();
    let own = header.doc_id();
    let register = matter
        .commits
        .iter()
        .find(|(s, c)| s.commit.actor == village && s.commit.seq == 2 && !c.deps.is_empty());
    if let Some((stored, change)) = register {
        let mut copy = change.clone();
        copy.deps = vec![encoded.hash];
        copy.seq = 1;
        if let Body::Act { creator, .. } = &mut copy.body {
            *creator = me.actor;
        }
        let hash = change::encode(&copy).map_err(|e| DemoError::Answer(e.to_string()))?.hash;
        let first = OutChange {
            hash: encoded.hash,
            change: genesis,
            cover: Some(sign(&own, &encoded.hash, me.cert)),
        };
        let second = OutChange { hash, change: copy, cover: stored.commit.cover };
        let section = OutSection {
            doc: own,
            header: Some(header),
            grants: vec![],
            wraps: vec![],
            changes: vec![first, second],
        };
        let mut writer = BlockWriter::new();
        writer.section(&section, &matter.records);
        out.push(Attempt { what: "把村里签过名的登记搬到另一件事项下", writer });
    }

    // The district's own decision.
    if let Ok(doc) = outcome.parse::<DocId>()
        && let Ok(decided) = loot(store, &world, doc).await
    {
        let decisions = container_of(Kind::Outcome, "decisions").unwrap_or_default();
        let change = decided.next(me.actor, decisions, comment("改为不办"));
        let writer = decided.section(change, |hash| Some(sign(&doc, hash, me.cert)))?;
        out.push(Attempt { what: "改写区里的决定", writer });
    }

    // A matter that was never escalated, pushed up all the same.
    let changes = other
        .commits
        .iter()
        .map(|(s, c)| OutChange { hash: s.commit.hash, change: c.clone(), cover: s.commit.cover })
        .collect();
    let section = OutSection {
        doc: other.doc,
        header: Some(other.header.clone()),
        grants: vec![],
        wraps: vec![],
        changes,
    };
    let mut writer = BlockWriter::new();
    writer.section(&section, &other.records);
    out.push(Attempt { what: "把未上报的事项塞给区里", writer });

    // Automerge's own means: delete, overwrite, edit inside another's act.
    let writer = matter.raw(&world, |doc, steps, key| doc.delete(steps, key))?;
    out.push(Attempt { what: "删除村里的登记", writer });
    let writer =
        matter.raw(&world, |doc, steps, key| doc.put_object(steps, key, ObjType::Map).map(|_| ()))?;
    out.push(Attempt { what: "覆盖村里的登记", writer });
    let writer = matter.raw(&world, |doc, steps, key| {
        let register = doc.get(steps, key)?.map(|(_, id)| id);
        register.map_or(Ok(()), |id| doc.put(&id, "title", "改了标题"))
    })?;
    out.push(Attempt { what: "改写村里登记的标题", writer });

    // A chunk that claims 2^40 operations in a few bytes.
    if let Some((stored, _)) = matter.commits.first() {
        let mut bomb = stored.commit.bytes.clone();
        let middle = bomb.len() / 2;
        bomb.splice(middle.., [0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x01]);
        let mut writer = BlockWriter::new();
        writer.raw_section(&matter.doc, &bomb);
        out.push(Attempt { what: "塞入残损的改动", writer });
    }
    Ok(out)
}
