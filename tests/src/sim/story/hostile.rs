//! Neighbours that lie: bytes written with the protocol's own encoders that no node would write.

use super::{act, look, people::with_petitioner, raise, rest};
use crate::sim::{DISTRICT, LUGAO, TOWN, World, XINGHUA};
use serde_json::json;
use std::collections::BTreeMap;
use yishi_node::{
    link::offline::{End, frame_in},
    store::{Me, Store},
};
use yishi_protocol::{
    act::{Act, Blob, Charter, Sealed, Text, Voice, container_of},
    audience::{Grant, Reach},
    cert::Certificate,
    change::{self, Change},
    codec::Writer,
    commit::{ActorRecord, Cover},
    header::Header,
    ids::{ActorId, CertHash, ChangeHash, DocId, FederationId, Hash},
    key::{SecretKeys, Signature},
    kind::Kind,
    receipt::{Node, Opening, Receipt, Standing, leaf, root},
    value::Map,
    wire::{Ack, BlockWriter, Frame, Hello, OutChange, OutSection},
};

/// A digest that no feed has: what the liar's node knows of its own feed disagrees with it.
const DIGEST: [u8; 16] = [5; 16];

/// What a liar sends.
#[derive(Default)]
struct Lie {
    writer: BlockWriter,
    certs: Vec<Certificate>,
    openings: Vec<Opening>,
}

fn packed(frame: &Frame) -> Vec<u8> {
    let plain = frame.encode();
    let mut w = Writer::new();
    w.uint(1 + plain.len() as u64).raw(&[0]).raw(&plain);
    w.finish()
}

/// A connection on which one end is a liar's that has greeted; and how it did.
async fn greeted(world: &mut World, from: usize, to: usize) -> Option<(End, Hello)> {
    // The node itself finds out that it has said something it does not know of, and begins a new life.
    world.watch.excused = true;
    let (speaker, hearer) = (&world.nodes[from].store, &world.nodes[to].store);
    let link = hearer.world().link_to(&world.nodes[from].place)?.id;
    let back = speaker.world().link_to(&world.nodes[to].place)?.id;
    let (state, own) = (hearer.link_state(link).await.ok()?, speaker.link_state(back).await.ok()?);
    let begins = if state.in_epoch == Some(speaker.epoch()) { state.in_seq } else { 0 };
    let hello = Hello {
        cert: speaker.world().me.cert,
        epoch: speaker.epoch(),
        head: begins + 1,
        acked: begins,
        in_epoch: Some(hearer.epoch()),
        in_seq: own.in_seq,
        in_digest: hearer.feed_digest(link, own.in_seq).await.ok()??,
    };
    let mut end = End::open(hearer, link).await.ok()?;
    end.hear(&packed(&Frame::Hello(hello.clone()))).ok()?;
    Some((end, hello))
}

/// One connection on which a place sends one block that its node never wrote.
async fn send(world: &mut World, from: usize, to: usize, lie: Lie) -> Option<()> {
    let (mut end, hello) = greeted(world, from, to).await?;
    end.work(world.now).await.ok()?;
    let certs: Vec<&Certificate> = lie.certs.iter().collect();
    let rows = (hello.acked, hello.head, DIGEST);
    let block = lie.writer.finish(rows, &certs, &[], &lie.openings);
    end.hear(&packed(&Frame::Block(block))).ok()?;
    end.work(world.now).await.ok()?;
    Some(())
}

/// A document as one node has it, ready to be sent.
struct Copy {
    section: OutSection,
    records: BTreeMap<ActorId, ActorRecord>,
}

impl Copy {
    async fn of(store: &Store, doc: &DocId) -> Option<Self> {
        let whole = store.document(doc).await.ok()??;
        let mut changes = Vec::new();
        for c in &whole.commits {
            let decoded = change::decode(&c.commit.bytes, whole.header.kind).ok()?;
            changes.push(OutChange { hash: c.commit.hash, change: decoded.change, cover: c.commit.cover });
        }
        let actors: Vec<ActorId> = changes.iter().map(|c| c.change.actor).collect();
        let records = store.actor_records(&actors).await.ok()?.into_iter().map(|r| (r.actor, r)).collect();
        let section = OutSection {
            doc: *doc,
            header: Some(whole.header),
            grants: whole.grants,
            wraps: vec![],
            changes,
        };
        Some(Self { section, records })
    }

    /// Adds an act in somebody's name on top of everything, unsigned.
    fn add(&mut self, actor: ActorId, container: &str, value: Map) -> Option<ChangeHash> {
        let header = self.section.header.as_ref()?;
        let container = container_of(header.kind, container)?;
        let mine = self.section.changes.iter().filter(|c| c.change.actor == actor);
        let (own, last) = (mine.max_by_key(|c| c.change.seq), self.section.changes.last()?);
        let mut deps: Vec<ChangeHash> = own.map(|c| c.hash).into_iter().chain([last.hash]).collect();
        deps.sort_unstable();
        deps.dedup();
        let seq = own.map_or(0, |c| c.change.seq) + 1;
        let start_op = own.map_or(0, |c| c.change.max_op()).max(last.change.max_op()) + 1;
        let change = Change::act(actor, seq, start_op, deps, header.creator_actor(), container, value);
        let hash = change::encode(&change).ok()?.hash;
        self.section.changes.push(OutChange { hash, change, cover: None });
        Some(hash)
    }

    /// The same, signed by who adds it.
    fn add_signed(&mut self, me: &Me, federation: &FederationId, container: &str, value: Map) -> Option<()> {
        let hash = self.add(me.actor, container, value)?;
        let signature = me.keys.sign_commit(federation, &self.section.doc, &hash, &me.cert);
        self.section.changes.last_mut()?.cover = Some(Cover { cert: me.cert, signature });
        let record = ActorRecord { actor: me.actor, cert: me.cert, incarnation: me.incarnation };
        self.records.insert(me.actor, record);
        Some(())
    }
}

fn comment(text: &str) -> Map {
    let what = Voice::Comment { text: Text(text.into()) };
    Act { prev: None, on: 20_773, by: None, what }.to_map()
}

fn cert_of(store: &Store, hash: &CertHash) -> Option<Certificate> {
    store.world().directory.get(hash).cloned()
}

/// A matter of a village that its town has escalated to a district which has not heard of it yet.
async fn escalated_twice(world: &mut World) -> Option<DocId> {
    world.cut(TOWN, true);
    let doc = raise(world, LUGAO, "涵洞积水。").await?;
    act(world, LUGAO, &doc, json!({"act": "escalate"})).await?;
    rest(world).await?;
    act(world, TOWN, &doc, json!({"act": "accept"})).await?;
    act(world, TOWN, &doc, json!({"act": "escalate"})).await?;
    rest(world).await?;
    Some(doc)
}

/// How a town has its village say what it never said.
enum Forged {
    /// Under its own signature of a later change.
    Covered,
    /// Signed with its own key.
    OwnKey,
    /// With a signature that nobody made.
    MadeUp,
}

async fn forged(world: &mut World, how: Forged) -> Option<()> {
    let doc = escalated_twice(world).await?;
    let town = world.nodes[TOWN].store.clone();
    let federation = town.world().directory.federation();
    let (me, village) = (town.world().me.clone(), world.nodes[LUGAO].store.world().me.clone());
    let mut copy = Copy::of(&town, &doc).await?;
    let hash = copy.add(village.actor, "voices", comment("我们村不需要修了"))?;
    let signature = match how {
        Forged::Covered => None,
        Forged::OwnKey => Some((me.cert, me.keys.sign_commit(&federation, &doc, &hash, &me.cert))),
        Forged::MadeUp => Some((village.cert, Signature([1; 64]))),
    };
    copy.section.changes.last_mut()?.cover = signature.map(|(cert, signature)| Cover { cert, signature });
    copy.add_signed(&me, &federation, "voices", comment("情况属实"))?;
    let mut lie = Lie { certs: vec![cert_of(&town, &village.cert)?], ..Lie::default() };
    lie.writer.section(&copy.section, &copy.records);
    send(world, TOWN, DISTRICT, lie).await?;
    look(world).await?;
    world.cut(TOWN, false);
    rest(world).await
}

/// The town writes a comment in the village's name and signs only its own on top of it (rule R9).
pub(super) async fn a_town_speaks_for_a_village(world: &mut World) -> Option<()> {
    forged(world, Forged::Covered).await
}

/// The town writes a comment in the village's name and signs it itself (rule R9).
pub(super) async fn a_town_signs_for_a_village(world: &mut World) -> Option<()> {
    forged(world, Forged::OwnKey).await
}

/// The town writes a comment in the village's name under a signature that is none (rule R9).
pub(super) async fn a_town_makes_up_a_signature(world: &mut World) -> Option<()> {
    forged(world, Forged::MadeUp).await
}

/// The town begins a matter that says it is its village's (rule R2).
pub(super) async fn a_town_makes_up_a_matter(world: &mut World) -> Option<()> {
    rest(world).await?;
    world.cut(TOWN, true);
    let town = world.nodes[TOWN].store.world();
    let (me, federation) = (town.me.clone(), town.directory.federation());
    let mut reach = [TOWN, DISTRICT].map(|at| Reach::Place(world.nodes[at].place)).to_vec();
    reach.sort_unstable();
    let header = Header {
        federation,
        kind: Kind::Proposal,
        home: world.nodes[LUGAO].place,
        creator: me.keys.public(),
        incarnation: me.incarnation,
        nonce: [1; 12],
        reach,
    };
    let doc = header.doc_id();
    let genesis = Change::genesis(me.actor, Kind::Proposal);
    let hash = change::encode(&genesis).ok()?.hash;
    let signature = me.keys.sign_commit(&federation, &doc, &hash, &me.cert);
    let changes = vec![OutChange { hash, change: genesis, cover: Some(Cover { cert: me.cert, signature }) }];
    let section = OutSection { doc, header: Some(header), grants: vec![], wraps: vec![], changes };
    let record = ActorRecord { actor: me.actor, cert: me.cert, incarnation: me.incarnation };
    let village = world.nodes[LUGAO].store.world().me.cert;
    let mut lie = Lie { certs: vec![town.directory.get(&village)?.clone()], ..Lie::default() };
    lie.writer.section(&section, &BTreeMap::from([(me.actor, record)]));
    send(world, TOWN, DISTRICT, lie).await?;
    world.cut(TOWN, false);
    rest(world).await
}

/// The town sends its district a matter that its village has shown to the town alone (rule R11).
pub(super) async fn a_town_shows_what_is_not_for_its_district(world: &mut World) -> Option<()> {
    let doc = raise(world, LUGAO, "涵洞积水。").await?;
    rest(world).await?;
    world.cut(TOWN, true);
    let town = world.nodes[TOWN].store.clone();
    let village = world.nodes[LUGAO].store.world().me.cert;
    let copy = Copy::of(&town, &doc).await?;
    let mut lie = Lie { certs: vec![cert_of(&town, &village)?], ..Lie::default() };
    lie.writer.section(&copy.section, &copy.records);
    send(world, TOWN, DISTRICT, lie).await?;
    world.cut(TOWN, false);
    rest(world).await
}

/// The town acknowledges a matter that it did not store and signs no receipt for it (rule R15).
pub(super) async fn a_town_says_yes_and_signs_nothing(world: &mut World) -> Option<()> {
    rest(world).await?;
    world.cut(LUGAO, true);
    raise(world, LUGAO, "涵洞积水。").await?;
    let (mut end, hello) = greeted(world, TOWN, LUGAO).await?;
    let sent = end.work(world.now).await.ok()?;
    let head = sent.iter().filter(|f| matches!(frame_in(f), Ok(Frame::Block(_)))).count();
    let up = world.nodes[LUGAO].store.world().link_to(&world.nodes[TOWN].place)?.id;
    let to = world.nodes[LUGAO].store.link_state(up).await.ok()?.out_seq;
    if head != 1 || to <= hello.in_seq {
        return None;
    }
    end.hear(&packed(&Frame::Ack(Ack { to, excluded: vec![], receipt: None }))).ok()?;
    // It ends the connection, if all is well.
    let _ = end.work(world.now).await;
    look(world).await?;
    world.cut(LUGAO, false);
    rest(world).await
}

/// Of two comments of the village the town passes on the second only (rule R13).
pub(super) async fn a_town_leaves_a_change_out(world: &mut World) -> Option<()> {
    let doc = escalated_twice(world).await?;
    world.cut(TOWN, false);
    rest(world).await?;
    world.cut(TOWN, true);
    for text in ["这一条不报", "这一条报上去"] {
        act(world, LUGAO, &doc, json!({"act": "comment", "text": text})).await?;
    }
    rest(world).await?;
    let town = world.nodes[TOWN].store.clone();
    let actor = world.nodes[LUGAO].store.world().me.actor;
    let record = *town.actor_records(&[actor]).await.ok()?.first()?;
    let whole = town.document(&doc).await.ok()??;
    let second = &whole.commits.iter().rfind(|c| c.commit.actor == actor)?.commit;
    let mut lie = Lie::default();
    lie.writer.raw_signed(&doc, &second.bytes, record, &second.cover?);
    send(world, TOWN, DISTRICT, lie).await?;
    look(world).await?;
    world.cut(TOWN, false);
    rest(world).await
}

/// A village grants its matter to a village beside it (rule R11).
pub(super) async fn a_village_shows_a_matter_to_its_neighbour(world: &mut World) -> Option<()> {
    let doc = raise(world, LUGAO, "涵洞积水。").await?;
    rest(world).await?;
    world.cut(LUGAO, true);
    let village = world.nodes[LUGAO].store.world();
    let (me, federation) = (&village.me, village.directory.federation());
    let reach = Reach::Place(world.nodes[XINGHUA].place);
    let grant = Grant::new(&me.keys, &federation, doc, reach, me.cert);
    let section = OutSection { doc, header: None, grants: vec![grant], wraps: vec![], changes: vec![] };
    let mut lie = Lie::default();
    lie.writer.section(&section, &BTreeMap::new());
    send(world, LUGAO, TOWN, lie).await?;
    world.cut(LUGAO, false);
    rest(world).await
}

/// The town shows its village a receipt of the district that the district never signed (rule R15).
pub(super) async fn a_town_forges_its_district(world: &mut World) -> Option<()> {
    world.cut(TOWN, true);
    raise(world, LUGAO, "涵洞积水。").await?;
    rest(world).await?;
    let village = world.nodes[LUGAO].store.clone();
    let up = village.world().link_to(&world.nodes[TOWN].place)?.id;
    let receipts = village.receipts(up, 0, u64::MAX >> 1).await.ok()?;
    let given = receipts.iter().find(|r| r.level == 1)?;
    let fed = village.fed_commits(up, given.from_seq.saturating_sub(1), given.to_seq).await.ok()?;
    let leaves: Vec<Node> = fed.iter().map(|c| leaf(&c.doc, &c.hash)).collect();
    let receipt = Receipt {
        sender: world.nodes[TOWN].place,
        epoch: world.nodes[TOWN].store.epoch(),
        from: 0,
        to: 1,
        count: leaves.len() as u64,
        root: root(&leaves),
        at_ms: world.now,
        level: world.nodes[DISTRICT].store.world().me.cert,
        signature: Signature([0; 64]),
    };
    let block = given.to_seq;
    let standing = (0..leaves.len() as u64).map(|n| Standing { position: n, block, ordinal: n }).collect();
    let lie = Lie { openings: vec![Opening::new(receipt, &leaves, standing)?], ..Lie::default() };
    world.cut(LUGAO, true);
    send(world, TOWN, LUGAO, lie).await?;
    look(world).await?;
    world.cut(LUGAO, false);
    rest(world).await
}

/// The town puts another identity into a dossier of its village (rule R2).
pub(super) async fn a_town_writes_into_a_village_s_dossier(world: &mut World) -> Option<()> {
    with_petitioner(world).await?;
    rest(world).await?;
    world.cut(LUGAO, true);
    let town = world.nodes[TOWN].store.clone();
    let dossier = *town.docs_of_kind(Kind::Dossier, None).await.ok()?.first()?;
    let mut copy = Copy::of(&town, &dossier).await?;
    let what = Sealed::Seal { ciphertext: Blob(vec![1; 64]) };
    let value = Act { prev: None, on: 20_773, by: None, what }.to_map();
    let me = town.world().me.clone();
    copy.add_signed(&me, &town.world().directory.federation(), "sealed", value)?;
    let mut lie = Lie::default();
    lie.writer.section(&copy.section, &copy.records);
    send(world, TOWN, LUGAO, lie).await?;
    world.cut(LUGAO, false);
    rest(world).await
}

/// A village that learnt of a matter beside it writes into it, and its town is to pass that on (rule R11).
pub(super) async fn a_village_writes_into_its_neighbour_s_matter(world: &mut World) -> Option<()> {
    let doc = raise(world, LUGAO, "涵洞积水。").await?;
    rest(world).await?;
    world.cut(XINGHUA, true);
    let mut copy = Copy::of(&world.nodes[LUGAO].store, &doc).await?;
    let neighbour = world.nodes[XINGHUA].store.world();
    copy.add_signed(&neighbour.me, &neighbour.directory.federation(), "voices", comment("瞎说"))?;
    let mut lie = Lie::default();
    lie.writer.section(&copy.section, &copy.records);
    send(world, XINGHUA, TOWN, lie).await?;
    world.cut(XINGHUA, false);
    rest(world).await
}

/// A village makes a key of its own speak for the village beside it (rule R1).
pub(super) async fn a_village_certifies_its_neighbour(world: &mut World) -> Option<()> {
    rest(world).await?;
    world.cut(LUGAO, true);
    let (village, keys) = (world.nodes[LUGAO].store.world(), SecretKeys::from_bytes(&[77; 64]));
    let cert = Certificate {
        federation: Some(village.directory.federation()),
        place: world.nodes[XINGHUA].place,
        nonce: [9; 16],
        code: "510113106205".into(),
        name: "杏花村".into(),
        level: "village".into(),
        parent: Some(village.me.place),
        key: keys.public(),
        sealing: keys.sealing_public(),
        number: 9,
        issuer: Some(village.me.cert),
        signature: Signature([0; 64]),
    };
    let cert = cert.issued_by(&village.me.keys);
    send(world, LUGAO, TOWN, Lie { certs: vec![cert], ..Lie::default() }).await?;
    world.cut(LUGAO, false);
    rest(world).await
}

/// A village signs two charters with one number (rule R4).
pub(super) async fn a_village_says_two_things(world: &mut World) -> Option<()> {
    rest(world).await?;
    world.cut(LUGAO, true);
    let village = world.nodes[LUGAO].store.world();
    let (me, federation) = (village.me.clone(), village.directory.federation());
    let mut reach = [LUGAO, TOWN].map(|at| Reach::Place(world.nodes[at].place)).to_vec();
    reach.sort_unstable();
    let header = Header {
        federation,
        kind: Kind::Charter,
        home: me.place,
        creator: me.keys.public(),
        incarnation: me.incarnation,
        nonce: [2; 12],
        reach,
    };
    let doc = header.doc_id();
    let genesis = Change::genesis(me.actor, Kind::Charter);
    let changes = vec![OutChange { hash: change::encode(&genesis).ok()?.hash, change: genesis, cover: None }];
    let section = OutSection { doc, header: Some(header), grants: vec![], wraps: vec![], changes };
    let mut copy = Copy { section, records: BTreeMap::new() };
    for name in ["芦稿村", "芦花村"] {
        let what = Charter::Snapshot {
            number: 1,
            previous: None,
            code: "510113106204".into(),
            name: name.into(),
            level: "village".into(),
            parent: Some(world.nodes[TOWN].place),
            procedure: Hash([1; 32]),
            calendar: Hash([2; 32]),
            articles: None,
        };
        let value = Act { prev: None, on: 20_773, by: None, what }.to_map();
        copy.add_signed(&me, &federation, "snapshots", value)?;
    }
    let mut lie = Lie::default();
    lie.writer.section(&copy.section, &copy.records);
    send(world, LUGAO, TOWN, lie).await?;
    world.cut(LUGAO, false);
    rest(world).await
}
