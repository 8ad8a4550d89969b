//! Bytes of every format that is stored or sent, as the first version wrote them: they stay readable, and
//! are written the same for ever. The formats of changes are pinned beside their codec.
//!
//! A deliberate new version adds lines to `golden/formats.txt`; it never alters one.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use rand_core::{TryCryptoRng, TryRng};
use std::{collections::BTreeMap, convert::Infallible};
use yishi_protocol::{
    act::{Act, Step, Text, container_of},
    attachment::{self, PieceList, talk::Ask},
    audience::{Grant, Reach},
    beside::{Beside, What},
    cert::{Certificate, Placement, Revocation},
    change::{self, Change},
    commit::{ActorRecord, Cover},
    header::Header,
    ids::{CertHash, ChangeHash, DocId, Epoch, Hash, Incarnation, NodeKey, PlaceId},
    invite::Invite,
    key::{SecretKeys, Signature},
    kind::Kind,
    number::{MatterNumber, check_code},
    receipt::{Opening, Receipt, Standing, leaf, root},
    seal,
    wire::{
        Ack, Block, BlockWriter, CloseCode, DepRef, DocRef, Frame, Hello, Join, Joined, OutChange,
        OutSection, Reconcile, Shape,
    },
};

const GOLDEN: &str = include_str!("golden/formats.txt");
const PETITIONER: &str = "王秀英，138 0000 0000";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = |c: &[u8]| u8::from_str_radix(std::str::from_utf8(c).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(digits).collect()
}

/// Two places with keys that everybody knows, and a document of the lower one.
struct Fixed {
    above: SecretKeys,
    below: SecretKeys,
    root: Certificate,
    village: Certificate,
    header: Header,
}

fn fixed() -> Fixed {
    let (above, below) = (SecretKeys::from_bytes(&[7; 64]), SecretKeys::from_bytes(&[8; 64]));
    let root = Certificate::root(&above, PlaceId([1; 16]), "510113000000", "青白江区", "district");
    let village = Certificate {
        federation: Some(root.federation_id()),
        place: PlaceId::founded(&root.place, &[2; 16]),
        nonce: [2; 16],
        code: "510113106204".into(),
        name: "芦稿村".into(),
        level: "village".into(),
        parent: Some(root.place),
        key: below.public(),
        sealing: below.sealing_public(),
        number: 3,
        issuer: Some(root.hash()),
        signature: Signature([0; 64]),
    }
    .issued_by(&above);
    let header = Header {
        federation: root.federation_id(),
        kind: Kind::Proposal,
        home: village.place,
        creator: village.key,
        incarnation: Incarnation(0x0001_a2b3),
        nonce: [9; 12],
        reach: vec![Reach::Place(root.place), Reach::Subtree(village.place)],
    };
    Fixed { above, below, root, village, header }
}

impl Fixed {
    fn grant(&self) -> Grant {
        let reach = Reach::Place(self.root.place);
        let federation = self.root.federation_id();
        Grant::new(&self.below, &federation, self.header.doc_id(), reach, self.village.hash())
    }

    fn revocation(&self) -> Revocation {
        Revocation {
            federation: self.root.federation_id(),
            cert: self.village.hash(),
            reason: "丢失".into(),
            last_valid: vec![
                (DocId([5; 32]), ChangeHash([6; 32])),
                (self.header.doc_id(), ChangeHash([4; 32])),
            ],
            still_valid: vec![Hash([7; 32])],
            issuer: self.root.hash(),
            signature: Signature([0; 64]),
        }
        .issued_by(&self.above)
    }

    fn placement(&self) -> Placement {
        Placement {
            federation: self.root.federation_id(),
            place: self.village.place,
            number: 2,
            previous: Some(Hash([8; 32])),
            parent: self.root.place,
            into: Some(PlaceId([9; 16])),
            code: "510113111003".into(),
            name: "杏花社区".into(),
            level: "village".into(),
            address: "区.example:4433".into(),
            issuer: self.root.hash(),
            signature: Signature([0; 64]),
        }
        .issued_by(&self.above)
    }

    fn opening(&self) -> Opening {
        let leaves: Vec<_> = (0..5).map(|n| leaf(&DocId([n; 32]), &ChangeHash([n + 10; 32]))).collect();
        let receipt = Receipt {
            sender: self.village.place,
            epoch: Epoch([3; 16]),
            from: 17,
            to: 22,
            count: 5,
            root: root(&leaves),
            at_ms: 1_795_000_000_123,
            level: self.root.hash(),
            signature: Signature([0; 64]),
        }
        .signed_by(&self.above);
        let standing = [(1, 20, 4), (4, 300, 0)]
            .map(|(position, block, ordinal)| Standing { position, block, ordinal })
            .into();
        Opening::new(receipt, &leaves, standing).unwrap()
    }

    fn record(&self) -> ActorRecord {
        let incarnation = self.header.incarnation;
        ActorRecord { actor: self.village.actor(incarnation), cert: self.village.hash(), incarnation }
    }

    /// A genesis, a registration, and an act that stands on something the receiver has.
    fn section(&self) -> OutSection {
        let actor = self.record().actor;
        let genesis = Change::genesis(actor, Kind::Proposal);
        let first = change::encode(&genesis).unwrap();
        let number = MatterNumber::issue("芦稿", 2026, self.header.incarnation, 187).unwrap();
        let what = Step::Register {
            check: check_code(&self.below.derived("number key"), &number).to_string(),
            number: number.to_string(),
            title: "村口涵洞积水".into(),
            body: Text("一下雨就过不了人。".into()),
            category: Some("水利设施".into()),
            source: Some("residents".into()),
            channel: Some("home_visit".into()),
            petitioner: None,
            dossier: None,
            external: None,
        };
        let act = Act { prev: None, on: 20_514, by: Some("m01".into()), what };
        let container = container_of(Kind::Proposal, "steps").unwrap();
        let deps = vec![first.hash];
        let second = Change::act(actor, 2, genesis.max_op() + 1, deps, actor, container, act.to_map());
        let hash = change::encode(&second).unwrap().hash;
        let federation = self.root.federation_id();
        let cert = self.village.hash();
        let signature = self.below.sign_commit(&federation, &self.header.doc_id(), &hash, &cert);
        OutSection {
            doc: self.header.doc_id(),
            header: Some(self.header.clone()),
            grants: vec![self.grant()],
            wraps: vec![self.beside()],
            changes: vec![
                OutChange { hash: first.hash, change: genesis, cover: None },
                OutChange { hash, change: second, cover: Some(Cover { cert, signature }) },
            ],
        }
    }

    /// A key wrapped for the village by itself.
    fn beside(&self) -> Beside {
        let what = What::Wrap { reader: self.village.hash(), bytes: vec![0xaa; 81] };
        let federation = self.root.federation_id();
        Beside::new(&self.below, self.village.hash(), &federation, &self.header.doc_id(), what)
    }

    fn block(&self) -> Vec<u8> {
        let mut writer = BlockWriter::new();
        writer.section(&self.section(), &BTreeMap::from([(self.record().actor, self.record())]));
        writer.raw_section(&DocId([0x33; 32]), &[1, 2, 3]);
        writer.placement(&self.placement());
        writer.finish((17, 22, [0x44; 16]), &[&self.village], &[self.revocation()], &[self.opening()])
    }

    fn invite(&self) -> Invite {
        Invite {
            id: [1; 8],
            address: "镇.example:4433".into(),
            parent: self.root.key,
            place: self.village.place,
            code: self.village.code.clone(),
            name: self.village.name.clone(),
            expires_at: 1_795_000_000,
            secret: [0x5a; yishi_protocol::limits::INVITE_SECRET_BYTES],
        }
    }

    /// A petitioner's sealed identity, and its key wrapped for the village.
    fn sealed(&self) -> (Vec<u8>, Vec<u8>) {
        let (doc, rng) = (self.header.doc_id(), &mut Counter(0));
        let key = seal::DossierKey::generate(rng);
        let text = seal::seal(PETITIONER.as_bytes(), &doc, &key, rng).unwrap();
        (text, seal::wrap(&key, &doc, &self.village.hash(), &self.village.sealing, rng).unwrap())
    }

    fn frames(&self) -> Vec<(&'static str, Frame)> {
        let hello = |in_epoch| Hello {
            cert: CertHash([0x21; 32]),
            epoch: Epoch([0x22; 16]),
            head: 300,
            acked: 299,
            in_epoch,
            in_seq: if in_epoch.is_some() { 70_000 } else { 0 },
            in_digest: if in_epoch.is_some() { [0x23; 16] } else { [0; 16] },
        };
        let receipt = Some(self.opening().receipt);
        let excluded = vec![(3, "other_actor".to_owned()), (4, "表".to_owned())];
        let reconcile = [
            ("probe", Reconcile::Probe { bits: 1, prints: vec![[1; 8], [2; 8]] }),
            ("split", Reconcile::Split { bits: 12, prints: vec![(4_095, [3; 8])] }),
            ("items", Reconcile::Items { items: vec![([4; 8], [5; 8])] }),
            ("differ", Reconcile::Differ { wanted: vec![0, 200] }),
            ("resume", Reconcile::Resume { seq: 500, digest: [6; 16] }),
        ];
        let joined = || Joined { chain: vec![vec![1], vec![2, 3]], placements: vec![vec![4, 5]] };
        let join = Join { invite: [1; 8], place: PlaceId([2; 16]), sealing: [3; 32], proof: [4; 32] };
        let mut all = vec![
            ("frame-hello-first", Frame::Hello(hello(None))),
            ("frame-hello", Frame::Hello(hello(Some(Epoch([0x24; 16]))))),
            ("frame-block", Frame::Block(vec![9, 8, 7])),
            ("frame-ack", Frame::Ack(Ack { to: 22, excluded, receipt })),
            ("frame-ack-of-nothing", Frame::Ack(Ack { to: 22, excluded: Vec::new(), receipt: None })),
            ("frame-close", Frame::Close(CloseCode::Federation, "不是本区的".into())),
            ("frame-join", Frame::Join(join)),
            ("frame-joined", Frame::Joined(joined())),
            ("frame-introduce", Frame::Introduce(joined())),
        ];
        let named = reconcile.map(|(name, message)| {
            let name = match name {
                "probe" => "frame-reconcile-probe",
                "split" => "frame-reconcile-split",
                "items" => "frame-reconcile-items",
                "differ" => "frame-reconcile-differ",
                _ => "frame-reconcile-resume",
            };
            (name, Frame::Reconcile(message))
        });
        all.extend(named);
        all
    }

    /// Every format under its name, as it is written today.
    fn written(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut all = vec![
            ("certificate-root", self.root.encode()),
            ("certificate", self.village.encode()),
            ("certificate-working", Certificate::working(&self.root, &self.above, &self.below, 2).encode()),
            ("revocation", self.revocation().encode()),
            ("placement", self.placement().encode()),
            ("placement-name", self.placement().hash().0.to_vec()),
            ("header", self.header.encode()),
            ("document-id", self.header.doc_id().0.to_vec()),
            ("actor-id", self.record().actor.0.to_vec()),
            ("grant", self.grant().encode()),
            ("beside", self.beside().encode()),
            ("receipt", self.opening().receipt.encode()),
            ("opening", self.opening().encode()),
            ("invitation", self.invite().to_string().into_bytes()),
            ("block", self.block()),
            ("sealed-text", self.sealed().0),
            ("sealed-key", self.sealed().1),
        ];
        let file = Hash([0x61; 32]);
        all.extend([
            ("ask-list", Ask::List(file).bytes().to_vec()),
            ("ask-pieces", Ask::Pieces { file, first: 300, count: 4 }.bytes().to_vec()),
            ("ask-stored", Ask::Stored(file).bytes().to_vec()),
            ("file-name", attachment::name_of(&tree_file()).0.to_vec()),
            ("file-pieces", PieceList::of(&tree_file()).map(|l| l.bytes()).unwrap()),
        ]);
        all.extend(self.frames().into_iter().map(|(name, frame)| (name, frame.encode())));
        all
    }
}

/// A file of three pieces.
fn tree_file() -> Vec<u8> {
    (0..150_000u32).map(|i| (i % 251) as u8).collect()
}

/// Bytes in a row instead of random ones: what is sealed with them is the same each time.
struct Counter(u8);

impl TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for byte in out {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}

impl TryCryptoRng for Counter {}

fn golden() -> BTreeMap<&'static str, Vec<u8>> {
    GOLDEN.lines().filter_map(|l| l.split_once(' ')).map(|(name, bytes)| (name, unhex(bytes))).collect()
}

#[test]
fn todays_bytes_are_the_first_versions() {
    let written = Fixed::written(&fixed());
    let golden = golden();
    let other = written.iter().filter(|(name, bytes)| golden.get(name) != Some(bytes));
    let other: Vec<_> = other.map(|(name, bytes)| format!("{name} {}", hex(bytes))).collect();
    assert!(other.is_empty(), "written differently now:\n{}", other.join("\n"));
    assert_eq!(golden.len(), written.len(), "golden/formats.txt has lines that nothing writes");
}

#[test]
fn old_bytes_stay_readable() {
    let (golden, f) = (golden(), fixed());
    let bytes = |name: &str| golden.get(name).unwrap_or_else(|| panic!("no line {name}")).as_slice();
    assert_eq!(Certificate::decode(bytes("certificate-root")).unwrap(), f.root);
    assert_eq!(Certificate::decode(bytes("certificate")).unwrap(), f.village);
    assert_eq!(Revocation::decode(bytes("revocation")).unwrap(), f.revocation());
    assert_eq!(Placement::decode(bytes("placement")).unwrap(), f.placement());
    assert_eq!(Header::decode(bytes("header")).unwrap(), f.header);
    assert_eq!(Grant::decode(f.header.doc_id(), bytes("grant")).unwrap(), f.grant());
    assert_eq!(Beside::decode(bytes("beside")).unwrap(), f.beside());
    assert_eq!(Receipt::decode(bytes("receipt")).unwrap(), f.opening().receipt);
    assert_eq!(Opening::decode(bytes("opening")).unwrap(), f.opening());
    let token = std::str::from_utf8(bytes("invitation")).unwrap();
    assert_eq!(token.parse::<Invite>().unwrap(), f.invite());
    for (name, frame) in f.frames() {
        assert_eq!(Frame::decode(bytes(name)).unwrap(), frame, "{name}");
    }
}

#[test]
fn an_old_block_says_what_it_said() {
    let (golden, f) = (golden(), fixed());
    let key_of = &mut |_: &CertHash| None::<NodeKey>;
    let block = Block::decode(&golden["block"], f.root.federation_id(), key_of).unwrap();
    assert_eq!((block.from, block.to, block.digest), (17, 22, [0x44; 16]));
    assert_eq!(block.certs, std::slice::from_ref(&f.village));
    assert_eq!(block.revocations, [f.revocation()]);
    assert_eq!(block.placements, [f.placement()]);
    assert_eq!(block.openings, [f.opening()]);
    assert_eq!(block.actors.iter().map(|a| a.record).collect::<Vec<_>>(), [f.record()]);
    let sent = f.section();
    let [whole, raw] = block.sections.as_slice() else { panic!("{} sections", block.sections.len()) };
    assert_eq!(whole.doc, DocRef::New(Box::new(f.header.clone())));
    assert_eq!((&whole.grants, &whole.wraps), (&sent.grants, &sent.wraps));
    let change::Body::Act { value, .. } = &sent.changes[1].change.body else { panic!("an act") };
    let shapes: Vec<_> = whole.changes.iter().map(|c| (c.actor, c.shape.clone())).collect();
    let act = Shape::Act { container: 0, deps: vec![DepRef::Back(1)], value: value.clone() };
    assert_eq!(shapes, [(0, Shape::Genesis), (0, act)]);
    let cover = sent.changes[1].cover.unwrap();
    let signed: Vec<_> = whole.signed.iter().map(|s| (s.change, s.cert, s.signature)).collect();
    assert_eq!(signed, [(1, cover.cert, cover.signature)]);
    assert_eq!(raw.doc, DocRef::Known(DocId([0x33; 32])));
    assert_eq!(raw.changes[0].shape, Shape::Raw(vec![1, 2, 3]));
}

#[test]
fn what_was_sealed_still_opens() {
    let (golden, f) = (golden(), fixed());
    let (doc, reader) = (f.header.doc_id(), f.village.hash());
    let key = seal::unwrap(&golden["sealed-key"], &doc, &reader, &f.below).unwrap();
    let text = seal::open(&golden["sealed-text"], &doc, &key).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), PETITIONER);
}
