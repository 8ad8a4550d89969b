//! Forgetting a petitioner: the keys of the sealed part are gone from every file of every place that was
//! reached, a place that was away forgets when it comes back, a backup put back forgets again, and the
//! public record stays as it was.

use std::path::Path;
use yishi_node::actions::{Petitioner, RaiseRequest};
use yishi_protocol::{beside::What, ids::DocId};
use yishi_tests::sim::{LUGAO, TOWN, World};

const NAME: &str = "王秀英";

async fn with_petitioner(world: &World) -> DocId {
    let petitioner =
        Petitioner { name: Some(NAME.into()), phone: Some("13800000000".into()), ..Default::default() };
    let request = RaiseRequest {
        body: "村口路灯坏了。".into(),
        petitioner: Some(petitioner),
        ..RaiseRequest::default()
    };
    world.nodes[LUGAO].actions.raise(Some("u1"), request).await.unwrap().matter.summary.id
}

/// What was wrapped, as each place holds it.
async fn wrapped(world: &World, doc: &DocId) -> Vec<Vec<u8>> {
    let matter = world.nodes[LUGAO].actions.matter(&doc.to_string()).await.unwrap();
    let dossier = matter.summary.petitioner.unwrap().dossier.unwrap();
    let whole = world.nodes[LUGAO].store.document(&dossier).await.unwrap().unwrap();
    whole
        .wraps
        .into_iter()
        .filter_map(|r| match r.what {
            What::Wrap { bytes, .. } => Some(bytes),
            What::Forget { .. } | What::Forgotten => None,
        })
        .collect()
}

/// Whether any file of a node holds any of these bytes.
fn holds(dir: &Path, what: &[Vec<u8>]) -> bool {
    std::fs::read_dir(dir).unwrap().any(|file| {
        // A socket is no file.
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        what.iter().any(|w| bytes.windows(w.len()).any(|part| part == w))
    })
}

async fn names(world: &World, at: usize, doc: &DocId) -> Option<String> {
    world.nodes[at].actions.petitioner(&doc.to_string()).await.ok()?.name
}

#[tokio::test]
async fn a_petitioner_is_forgotten_wherever_the_word_arrives() {
    let mut world = World::begin().await;
    let doc = with_petitioner(&world).await;
    world.settle().await;
    let keys = wrapped(&world, &doc).await;
    assert_eq!(keys.len(), 2, "for the village and its town");
    for at in [LUGAO, TOWN] {
        assert_eq!(names(&world, at, &doc).await.as_deref(), Some(NAME));
        assert!(holds(&world.nodes[at].dir, &keys), "the search finds what is there");
    }
    let public = world.nodes[TOWN].acts(&doc).await;
    let kept = world.backup(TOWN).await;
    let kept_here = world.backup(LUGAO).await;
    world.settle().await;

    // The town is away while the village forgets.
    world.cut(LUGAO, true);
    let reference = doc.to_string();
    let number = world.nodes[LUGAO].actions.matter(&reference).await.unwrap().summary.number;
    let actions = &world.nodes[LUGAO].actions;
    assert!(actions.forget(&reference, "芦稿", "").await.is_err(), "only with the number written out");
    assert_eq!(names(&world, LUGAO, &doc).await.as_deref(), Some(NAME), "nothing was changed");
    let told = world.nodes[LUGAO].actions.forget(&reference, &number, "本人要求").await.unwrap();
    assert!(told.forgotten && told.reason.as_deref() == Some("本人要求"));
    let place = |list: &[yishi_node::actions::views::PlaceView]| -> Vec<String> {
        list.iter().map(|p| p.name.clone()).collect()
    };
    assert_eq!((place(&told.done), place(&told.waiting)), (vec!["芦稿村".into()], vec!["姚渡镇".to_owned()]));
    assert_eq!(names(&world, LUGAO, &doc).await, None);
    assert!(!holds(&world.nodes[LUGAO].dir, &keys), "gone from the village's files");
    assert_eq!(names(&world, TOWN, &doc).await.as_deref(), Some(NAME), "the word has not arrived");

    // It comes back and forgets; the village sees that it did.
    world.cut(LUGAO, false);
    world.settle().await;
    assert_eq!(names(&world, TOWN, &doc).await, None);
    assert!(!holds(&world.nodes[TOWN].dir, &keys), "gone from the town's files");
    let told = world.nodes[LUGAO].actions.forgetting(&reference).await.unwrap();
    assert!(told.waiting.is_empty() && told.done.len() == 2, "{told:?}");

    // A backup from before brings the keys back with it, until the neighbours have been heard.
    for (at, kept) in [(TOWN, kept), (LUGAO, kept_here)] {
        world.put_back(at, kept).await;
        assert_eq!(names(&world, at, &doc).await.as_deref(), Some(NAME), "as the backup knew it");
        world.settle().await;
        assert_eq!(names(&world, at, &doc).await, None, "{} forgets again", world.nodes[at].name);
        assert!(!holds(&world.nodes[at].dir, &keys));
        let told = world.nodes[LUGAO].actions.forgetting(&reference).await.unwrap();
        assert!(told.forgotten && told.waiting.is_empty(), "{told:?}");
    }
    // The public record is what it was.
    for at in [LUGAO, TOWN] {
        assert_eq!(world.nodes[at].acts(&doc).await, public);
    }
    let report = world.audit().await;
    assert!(report.holds(), "troubles: {:#?}\nmissing: {:#?}", report.troubles, report.missing);
}
