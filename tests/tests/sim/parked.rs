//! A town brings a certificate whose issuer nobody has heard of: the district compares histories some times and then goes on
//! without it, and takes what was left out once the certificate has come (rule R13).

use std::collections::BTreeMap;
use yishi_node::{
    link::offline::{End, frame_in},
    store::{Batch, LinkId, VerdictKind},
};
use yishi_protocol::{
    audience::Reach,
    cert::{Certificate, Directory},
    change::{self, Change},
    codec::Writer,
    commit::{ActorRecord, Cover},
    header::Header,
    ids::{ActorId, Epoch, Incarnation, PlaceId},
    key::{SecretKeys, Signature},
    kind::Kind,
    session::NO_DIGEST,
    wire::{Ack, BlockWriter, CloseCode, Frame, Hello, OutChange, OutSection},
};
use yishi_tests::sim::{DISTRICT, TOWN, World};

fn packed(frame: &Frame) -> Vec<u8> {
    let plain = frame.encode();
    let mut w = Writer::new();
    w.uint(1 + plain.len() as u64).raw(&[0]).raw(&plain);
    w.finish()
}

fn issued(directory: &Directory, by: (&SecretKeys, &Certificate), keys: &SecretKeys, n: u8) -> Certificate {
    Certificate {
        federation: Some(directory.federation()),
        place: PlaceId::founded(&by.1.place, &[n; 16]),
        nonce: [n; 16],
        code: format!("5101131062{n}"),
        name: "桃花".into(),
        level: "village".into(),
        parent: Some(by.1.place),
        key: keys.public(),
        sealing: keys.sealing_public(),
        number: 1,
        issuer: Some(by.1.hash()),
        signature: Signature([0; 64]),
    }
    .issued_by(by.0)
}

/// A village's certificate that the town tells nobody of, and a block with a matter of a group of that village,
/// whose certificate comes along: it means nothing without the other.
fn withheld(world: &World) -> (Certificate, Vec<u8>) {
    let [village, group] = [44, 45].map(|n| SecretKeys::from_bytes(&[n; 64]));
    let node = world.nodes[TOWN].store.world();
    let directory = &node.directory;
    let own = directory.get(&node.me.cert).unwrap();
    let withheld = issued(directory, (&node.me.keys, own), &village, 44);
    let cert = issued(directory, (&village, &withheld), &group, 45);
    let actor = ActorId::of(&group.public(), Incarnation(7));
    let mut reach = [cert.place, own.place, world.nodes[DISTRICT].place].map(Reach::Place).to_vec();
    reach.sort_unstable();
    let header = Header {
        federation: directory.federation(),
        kind: Kind::Proposal,
        home: cert.place,
        creator: group.public(),
        incarnation: Incarnation(7),
        nonce: [1; 12],
        reach,
    };
    let doc = header.doc_id();
    let genesis = Change::genesis(actor, Kind::Proposal);
    let hash = change::encode(&genesis).unwrap().hash;
    let signature = group.sign_commit(&header.federation, &doc, &hash, &cert.hash());
    let cover = Some(Cover { cert: cert.hash(), signature });
    let changes = vec![OutChange { hash, change: genesis, cover }];
    let record = ActorRecord { actor, cert: cert.hash(), incarnation: Incarnation(7) };
    let section = OutSection { doc, header: Some(header), grants: vec![], wraps: vec![], changes };
    let mut writer = BlockWriter::new();
    writer.section(&section, &BTreeMap::from([(actor, record)]));
    let block = writer.finish((0, 1, [5; 16]), &[&cert], &[], &[]);
    (withheld, block)
}

/// One connection on which the town sends nothing but the block.
async fn send(world: &World, link: LinkId, block: &[u8]) -> Result<Ack, CloseCode> {
    let district = &world.nodes[DISTRICT].store;
    let mut end = End::open(district, link).await.unwrap();
    let town = world.nodes[TOWN].store.world();
    let state = district.link_state(link).await.unwrap();
    let hello = Hello {
        cert: town.me.cert,
        epoch: Epoch([9; 16]),
        head: 1,
        acked: 0,
        in_epoch: Some(district.epoch()),
        in_seq: state.out_seq,
        in_digest: district.feed_digest(link, state.out_seq).await.unwrap().unwrap(),
    };
    end.hear(&packed(&Frame::Hello(hello))).unwrap();
    end.work(world.now).await.unwrap();
    end.hear(&packed(&Frame::Block(block.to_vec()))).unwrap();
    let frames: Vec<Frame> =
        end.work(world.now).await.unwrap().iter().map(|f| frame_in(f).unwrap()).collect();
    let ack = frames.into_iter().find_map(|f| match f {
        Frame::Ack(ack) => Some(ack),
        _ => None,
    });
    match (end.closed(), ack) {
        (Some((code, _)), _) => Err(*code),
        (None, Some(ack)) => Ok(ack),
        (None, None) => panic!("the block was neither taken nor answered"),
    }
}

#[tokio::test]
async fn a_peer_that_names_what_nobody_has_is_not_compared_with_for_ever() {
    let world = World::begin().await;
    let (cert, block) = withheld(&world);
    let district = world.nodes[DISTRICT].store.clone();
    let link = district.world().link_to(&world.nodes[TOWN].place).unwrap().id;
    for _ in 0..3 {
        let answer = send(&world, link, &block).await;
        assert_eq!(answer, Err(CloseCode::Protocol), "histories are compared first");
        assert_eq!(district.link_state(link).await.unwrap().in_digest, NO_DIGEST);
    }
    let Ok(ack) = send(&world, link, &block).await else { panic!("it goes on for ever") };
    assert_eq!((ack.to, ack.receipt), (1, None), "the cursor passes, and nothing is called stored");
    assert_eq!(ack.excluded, [(0, "unknown_certificate".to_owned())]);
    let verdicts = district.verdicts(link, None, 10).await.unwrap();
    assert!(verdicts.iter().all(|v| v.verdict.kind == VerdictKind::Parked), "{verdicts:?}");
    assert_eq!(district.link_state(link).await.unwrap().in_digest, [5; 16]);

    // The certificate comes by whatever way: the next meeting compares again, and the same block passes.
    let batch = Batch { certs: vec![cert], ..Batch::default() };
    district.write(batch).await.unwrap();
    assert_eq!(district.link_state(link).await.unwrap().in_digest, NO_DIGEST);
    assert!(district.parked(link, 0).await.unwrap().is_empty());
    assert!(district.docs_of_kind(Kind::Proposal, None).await.unwrap().is_empty());
    let back = yishi_node::store::Cursor { link, epoch: Epoch([9; 16]), seq: 0, digest: [0; 16] };
    district.write(Batch { cursor: Some(back), ..Batch::default() }).await.unwrap();
    let Ok(ack) = send(&world, link, &block).await else { panic!("it is known now") };
    assert!(ack.excluded.is_empty() && ack.receipt.is_some());
    assert_eq!(district.docs_of_kind(Kind::Proposal, None).await.unwrap().len(), 1);
}
