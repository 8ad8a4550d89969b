//! Photos over real lines: up, broken off in the middle, gone on with, let go and fetched back; and neighbours who
//! bring what is not so or ask for what is not theirs.

use super::*;
use tokio_util::sync::CancellationToken;
use yishi_node::{
    actions::{Actions, AttachRequest, RaiseRequest},
    projector::Projector,
    store::{FileRow, FileState},
};
use yishi_protocol::{
    attachment::{PieceList, name_of},
    ids::Hash,
    limits::ATTACHMENT_PIECE_BYTES,
};

/// A photo of so many bytes of picture.
fn photo(len: usize, seed: u8) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 20, 0, 30, 1, 1, 0x11, 0];
    out.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
    out.extend((0..len).map(|i| ((i * 7 + (i >> 8)) as u8 ^ seed) & 0x7f));
    out.extend([0xff, 0xd9]);
    out
}

/// What people do at a node, with lists that follow.
fn working(node: &Node) -> Actions {
    let actions = Actions::new(node.store.clone(), Arc::new(SystemClock)).unwrap();
    tokio::spawn(Projector::new(actions.clone()).run(CancellationToken::new()));
    actions
}

/// A matter with one photo; gives the photo's name.
async fn with_photo(actions: &Actions, file: Hash) {
    let attachments = vec![AttachRequest { file, about: None, caption: None }];
    let request = RaiseRequest { body: "渠堤塌了".into(), attachments, ..RaiseRequest::default() };
    actions.raise(Some("u1"), request).await.unwrap();
}

async fn row(node: &Node, file: &Hash) -> Option<FileRow> {
    node.store.file(file).await.unwrap()
}

async fn bytes(node: &Node, file: &Hash) -> Vec<u8> {
    let row = row(node, file).await.unwrap();
    let mut out = Vec::new();
    for n in 0..row.pieces {
        out.extend(node.store.file_piece(&row, n).await.unwrap().unwrap());
    }
    out
}

async fn is_here(node: &Node, file: &Hash) -> bool {
    row(node, file).await.is_some_and(|f| f.state == FileState::Here)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_photo_goes_up_over_a_line_that_breaks_is_let_go_and_comes_back() {
    let district = district().await;
    let town = child(&district, "510113106000", "姚渡镇", "township", None).await;
    let relay = Relay::start(town.links.address()).await.unwrap();
    let via = Some(relay.address().to_string());
    let village = child(&town, "510113106204", "芦稿村", "village", via).await;
    let at_village = working(&village);
    let _at_town = working(&town);
    let kept = at_village.keep_file("u1", photo(8_000_000, 1)).await.unwrap();
    let whole = bytes(&village, &kept.file).await;
    assert_eq!(name_of(&whole), kept.file);
    with_photo(&at_village, kept.file).await;
    let pieces = row(&village, &kept.file).await.unwrap().pieces;
    // In the middle of it the line is cut.
    let mut have = 0;
    for _ in 0..20_000 {
        have = row(&town, &kept.file).await.map_or(0, |f| f.have);
        if have >= 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    relay.cut(true);
    assert!((4..pieces).contains(&have), "{have} of {pieces}");
    let up = village.store.world().parent().unwrap().id;
    until("down", async || village.links.board().get(up).connected != link::Connected::Up).await;
    let have = row(&town, &kept.file).await.unwrap().have;
    assert!(have < pieces, "cut too late: {have}");
    assert!(!row(&village, &kept.file).await.unwrap().above);
    relay.cut(false);
    until("all of it is at the town", async || is_here(&town, &kept.file).await).await;
    assert!(bytes(&town, &kept.file).await == whole);
    until("the village knows", async || row(&village, &kept.file).await.unwrap().above).await;
    // A matter that was not escalated: the district hears nothing of it.
    assert_eq!(row(&district, &kept.file).await, None);
    // Let go, and asked for again.
    at_village.let_go(&kept.file).await.unwrap();
    let gone = row(&village, &kept.file).await.unwrap();
    assert_eq!((gone.state, gone.have), (FileState::LetGo, 0));
    assert!(village.store.file_piece(&gone, 0).await.unwrap().is_none());
    assert!(at_village.fetch_file(&gone).await.unwrap());
    until("back at the village", async || is_here(&village, &kept.file).await).await;
    assert!(bytes(&village, &kept.file).await == whole);
    for node in [village, town, district] {
        node.links.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_who_brings_other_bytes_brings_nothing() {
    let town = district().await;
    let village = child(&town, "510113106204", "芦稿村", "village", None).await;
    let at_village = working(&village);
    let at_town = working(&town);
    let good = photo(10 * ATTACHMENT_PIECE_BYTES, 3);
    let (file, list) = (name_of(&good), PieceList::of(&good).unwrap());
    let mut pieces: Vec<Vec<u8>> = good.chunks(ATTACHMENT_PIECE_BYTES).map(<[u8]>::to_vec).collect();
    // From the sixth piece on it is another file, of the same length.
    pieces[5][100] ^= 1;
    village.store.keep_upload(file, list.bytes(), pieces, "u1".into(), 1).await.unwrap();
    with_photo(&at_village, file).await;
    until("what is right came", async || row(&town, &file).await.is_some_and(|f| f.have == 4)).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let at = row(&town, &file).await.unwrap();
    assert_eq!((at.state, at.have), (FileState::Wanted, 4));
    assert!(!row(&village, &file).await.unwrap().above, "and is not called stored");
    assert!(at_village.let_go(&file).await.is_err());
    // Text goes on as if nothing had been.
    let request = RaiseRequest { body: "路灯不亮".into(), ..RaiseRequest::default() };
    let second = at_village.raise(Some("u1"), request).await.unwrap().matter.summary.id;
    until("the next matter", async || at_town.matter(&second.to_string()).await.is_ok()).await;
    // A list that does not lead to the name gets not even that far.
    let other = photo(3 * ATTACHMENT_PIECE_BYTES, 9);
    let (name, mut list) = (name_of(&other), PieceList::of(&other).unwrap().bytes());
    list[40] ^= 1;
    let pieces = other.chunks(ATTACHMENT_PIECE_BYTES).map(<[u8]>::to_vec).collect();
    village.store.keep_upload(name, list, pieces, "u1".into(), 1).await.unwrap();
    with_photo(&at_village, name).await;
    until("it is wanted", async || row(&town, &name).await.is_some()).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let at = row(&town, &name).await.unwrap();
    assert_eq!((at.state, at.have), (FileState::Wanted, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_only_knows_a_photos_name_does_not_get_it() {
    let town = district().await;
    let east = child(&town, "510113106204", "芦稿村", "village", None).await;
    let west = child(&town, "510113106205", "光明村", "village", None).await;
    let (at_east, at_west, _at_town) = (working(&east), working(&west), working(&town));
    let kept = at_east.keep_file("u1", photo(100_000, 5)).await.unwrap();
    with_photo(&at_east, kept.file).await;
    until("at the town", async || is_here(&town, &kept.file).await).await;
    // The other village writes the name into a matter of its own, and asks.
    let list = PieceList::of(&photo(100_000, 5)).unwrap().bytes();
    let wrong = photo(100_000, 6).chunks(ATTACHMENT_PIECE_BYTES).map(<[u8]>::to_vec).collect();
    west.store.keep_upload(kept.file, list, wrong, "u1".into(), 1).await.unwrap();
    with_photo(&at_west, kept.file).await;
    until("named at the town", async || town.store.naming(&kept.file).await.unwrap().len() == 2).await;
    west.store.file_stored_above(kept.file).await.unwrap();
    assert!(west.store.let_go(kept.file, 1).await.unwrap());
    assert!(west.store.want_again(kept.file, 1).await.unwrap());
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let at = row(&west, &kept.file).await.unwrap();
    assert_eq!((at.state, at.have), (FileState::Wanted, 0));
    // Whoever brought it gets it back.
    until("told", async || row(&east, &kept.file).await.unwrap().above).await;
    at_east.let_go(&kept.file).await.unwrap();
    assert!(at_east.fetch_file(&row(&east, &kept.file).await.unwrap()).await.unwrap());
    until("back", async || is_here(&east, &kept.file).await).await;
}
