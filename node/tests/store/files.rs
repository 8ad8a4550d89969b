//! Files: wanted from the moment a matter names them, taken piece by piece in order, let go only when they are above,
//! and all of it there again after a restart.

use crate::{desk::row, federation::*};
use yishi_node::store::*;
use yishi_protocol::{
    attachment::{PieceList, name_of},
    ids::Hash,
    limits::ATTACHMENT_PIECE_BYTES,
};

fn cut(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.chunks(ATTACHMENT_PIECE_BYTES).map(<[u8]>::to_vec).collect()
}

#[tokio::test]
async fn a_file_from_wanted_to_let_go() {
    let dir = tempfile::tempdir().unwrap();
    let mut fed = Fed::new();
    let (store, ..) = fed.store(dir.path()).await;
    let east = fed.east.clone();
    let header = fed.matter(&east);
    let history = fed.chain(header.doc_id(), &east, None, 1);
    let batch = Batch { docs: vec![header.clone()], commits: commits(&history), ..Batch::default() };
    store.write(batch).await.unwrap();
    let bytes: Vec<u8> = (0..3 * ATTACHMENT_PIECE_BYTES + 9).map(|i| (i >> 7) as u8).collect();
    let (file, size) = (name_of(&bytes), bytes.len() as u64);
    let named = FileRef { doc: header.doc_id(), file, size, place: header.home };
    let mut news = store.news();
    let projection = |files: Vec<FileRef>| Projection {
        matters: vec![row(&header, 1)],
        files,
        at_ms: 7,
        ..Projection::default()
    };
    store.project(projection(vec![named.clone()])).await.unwrap();
    assert!(news.recv().await.unwrap().files, "whoever fetches is told");
    let wanted = store.wanted_files(0, 10).await.unwrap().remove(0);
    assert_eq!((wanted.file, wanted.have, &wanted.sizes), (file, 0, &vec![size]));
    assert_eq!(wanted.named, [(header.doc_id(), header.home)]);
    assert_eq!(store.naming(&file).await.unwrap(), wanted.named);
    let list = PieceList::of(&bytes).unwrap().bytes();
    store.keep_list(wanted.row, size, list.clone()).await.unwrap();
    let pieces = cut(&bytes);
    let link = store.world().links[0].id;
    assert!(!store.keep_pieces(wanted.row, 0, pieces[..2].to_vec(), (link, 8)).await.unwrap());
    // Twice, or with a gap: nothing is taken.
    assert!(!store.keep_pieces(wanted.row, 0, pieces[..1].to_vec(), (link, 8)).await.unwrap());
    assert!(!store.keep_pieces(wanted.row, 3, pieces[3..].to_vec(), (link, 8)).await.unwrap());
    store.close().await.unwrap();
    drop(store);
    let store = Store::open(dir.path()).await.unwrap();
    let wanted = store.wanted_files(0, 10).await.unwrap().remove(0);
    assert_eq!((wanted.have, wanted.list), (2, Some((size, list))));
    assert!(store.keep_pieces(wanted.row, 2, pieces[2..].to_vec(), (link, 9)).await.unwrap());
    let here = store.file(&file).await.unwrap().unwrap();
    assert_eq!((here.state, here.have, here.pieces, here.came_from), (FileState::Here, 4, 4, Some(link)));
    for (n, piece) in (0..).zip(&pieces) {
        assert_eq!(store.file_piece(&here, n).await.unwrap().as_ref(), Some(piece));
    }
    assert!(store.wanted_files(0, 10).await.unwrap().is_empty());
    assert_eq!(store.untold_files(0, 10).await.unwrap().len(), 1);
    assert!(!store.let_go(file, 10).await.unwrap(), "not while it is here alone");
    store.file_stored_above(file).await.unwrap();
    assert!(store.untold_files(0, 10).await.unwrap().is_empty());
    assert!(store.let_go(file, 10).await.unwrap() && !store.let_go(file, 10).await.unwrap());
    assert_eq!(store.file_piece(&here, 0).await.unwrap(), None);
    assert!(store.want_again(file, 11).await.unwrap());
    let again = store.wanted_files(0, 10).await.unwrap().remove(0);
    assert_eq!((again.have, again.list.is_some()), (0, true));
    // Made anew, nothing of what is here is lost, and what is wanted stays wanted.
    store.clear_read_models().await.unwrap();
    assert!(store.naming(&file).await.unwrap().is_empty());
    store.project(projection(vec![named])).await.unwrap();
    assert_eq!(store.naming(&file).await.unwrap().len(), 1);
    assert_eq!(store.wanted_files(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_all_of_it_is_begun_again_and_strays_are_swept() {
    let dir = tempfile::tempdir().unwrap();
    let fed = Fed::new();
    let (store, ..) = fed.store(dir.path()).await;
    let bytes = vec![5; 2 * ATTACHMENT_PIECE_BYTES];
    let (file, list) = (name_of(&bytes), PieceList::of(&bytes).unwrap().bytes());
    store.keep_upload(file, list.clone(), cut(&bytes), "u1".into(), 100).await.unwrap();
    store.keep_upload(file, list, cut(&bytes), "u2".into(), 200).await.unwrap();
    let kept = store.file(&file).await.unwrap().unwrap();
    assert_eq!((kept.uploaded_by.as_deref(), kept.since_ms), (Some("u2"), 200));
    assert_eq!(store.sweep_files(200).await.unwrap(), 0);
    assert_eq!(store.sweep_files(201).await.unwrap(), 1);
    assert_eq!(store.file(&file).await.unwrap(), None);
    assert_eq!(store.file_piece(&kept, 0).await.unwrap(), None);
    assert!(!store.want_again(Hash([1; 32]), 1).await.unwrap());
    store.begin_file_again(77).await.unwrap();
}
