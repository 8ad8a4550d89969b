//! Moving, merging and re-coding: what counts, whoever says so, in whatever order it comes.

use crate::{
    audience::{Audience, Reach},
    cert::{CertError, Certificate, Directory, Placement, Revocation},
    ids::{CertHash, Hash, PlaceId},
    key::{SecretKeys, Signature},
};

/// Root 0 over districts 1 and 2; town 3 under 1, town 4 under 2; villages 5 and 6 under 3, 7 under 4.
struct Tree {
    dir: Directory,
    keys: Vec<SecretKeys>,
    certs: Vec<CertHash>,
    places: Vec<PlaceId>,
}

const PARENTS: [usize; 8] = [0, 0, 0, 1, 2, 3, 3, 4];

fn tree() -> Tree {
    let keys: Vec<SecretKeys> = (0..9).map(|i| SecretKeys::from_bytes(&[i + 1; 64])).collect();
    let root = Certificate::root(&keys[0], PlaceId([1; 16]), "510100000000", "成都市", "prefecture");
    let (mut certs, mut places) = (vec![root.hash()], vec![root.place]);
    let mut dir = Directory::new(root).unwrap();
    for i in 1..8 {
        let parent = PARENTS[i];
        let nonce = [i as u8; 16];
        let cert = Certificate {
            federation: Some(dir.federation()),
            place: PlaceId::founded(&places[parent], &nonce),
            code: format!("5101{i:08}"),
            name: format!("第{i}"),
            level: "village".into(),
            parent: Some(places[parent]),
            nonce,
            key: keys[i].public(),
            sealing: keys[i].sealing_public(),
            number: 1,
            issuer: Some(certs[parent]),
            signature: Signature([0; 64]),
        };
        places.push(cert.place);
        certs.push(dir.add(cert.issued_by(&keys[parent])).unwrap());
    }
    Tree { dir, keys, certs, places }
}

impl Tree {
    fn placed(&self, by: usize, whom: usize, under: usize, before: Option<&Placement>) -> Placement {
        Placement {
            federation: self.dir.federation(),
            place: self.places[whom],
            number: before.map_or(1, |p| p.number + 1),
            previous: before.map(Placement::hash),
            parent: self.places[under],
            into: None,
            code: "510199999000".into(),
            name: "改了名".into(),
            level: "township".into(),
            address: "192.0.2.9:4710".into(),
            issuer: self.certs[by],
            signature: Signature([0; 64]),
        }
        .issued_by(&self.keys[by])
    }

    fn merged(&self, by: usize, whom: usize, into: usize, under: usize) -> Placement {
        let mut placement = self.placed(by, whom, under, None);
        placement.into = Some(self.places[into]);
        placement.issued_by(&self.keys[by])
    }

    fn with(&self, placements: &[&Placement]) -> Directory {
        let mut dir = self.dir.clone();
        placements.iter().for_each(|p| dir.place_at(p).unwrap());
        dir
    }
}

#[test]
fn a_common_ancestor_moves_and_nobody_else_does() {
    let t = tree();
    let moved = t.placed(0, 3, 2, None);
    assert_eq!(Placement::decode(&moved.encode()), Ok(moved.clone()));
    let dir = t.with(&[&moved]);
    assert_eq!(dir.place_ancestors(&t.places[5]), [t.places[3], t.places[2], t.places[0]]);
    assert_eq!(dir.called(&t.places[3]).unwrap()[1], "改了名");
    assert!(
        dir.ever_above(&t.places[5]).contains(&t.places[1]),
        "what was signed under it stays judged by it"
    );
    // The old district takes it away to itself, the new one takes it by itself, the town moves itself.
    for (by, under) in [(1, 1), (1, 2), (3, 2)] {
        let mut dir = t.dir.clone();
        let _ = dir.place_at(&t.placed(by, 3, under, None));
        assert_eq!(dir.parent(&t.places[3]), Some(t.places[1]), "{by} moves it under {under}");
    }
    let mut back = t.with(&[&moved]);
    back.place_at(&t.placed(1, 3, 1, Some(&moved))).unwrap();
    assert_eq!(back.parent(&t.places[3]), Some(t.places[2]), "the old district cannot take it back");
    // Forged, for another federation, by nobody above, out of its order, unknown places.
    let mut dir = t.dir.clone();
    let mut forged = moved.clone();
    forged.name.push('!');
    assert_eq!(dir.place_at(&forged), Err(CertError::Forged));
    let mut foreign = moved.clone();
    foreign.federation.0[0] ^= 1;
    assert_eq!(dir.place_at(&foreign.issued_by(&t.keys[0])), Err(CertError::OtherFederation));
    assert_eq!(dir.place_at(&t.placed(2, 3, 2, None)), Err(CertError::NotAbove));
    assert_eq!(dir.place_at(&t.placed(0, 0, 2, None)), Err(CertError::NotAbove), "the root stays");
    assert_eq!(dir.place_at(&t.placed(0, 3, 1, Some(&moved))), Err(CertError::NotNext));
    let mut skipped = moved.clone();
    skipped.number = 2;
    assert_eq!(dir.place_at(&skipped.issued_by(&t.keys[0])), Err(CertError::NotNext));
    let mut nowhere = moved.clone();
    nowhere.parent = PlaceId([9; 16]);
    assert_eq!(dir.place_at(&nowhere.issued_by(&t.keys[0])), Err(CertError::UnknownPlace));
    assert_eq!(dir.place_ancestors(&t.places[3]), [t.places[1], t.places[0]]);
}

#[test]
fn a_replayed_or_competing_placement_changes_nothing_and_the_higher_issuer_wins() {
    let t = tree();
    let first = t.placed(0, 5, 4, None);
    let second = t.placed(0, 5, 3, Some(&first));
    let mut dir = t.with(&[&first, &second]);
    dir.place_at(&first).unwrap();
    assert_eq!(dir.parent(&t.places[5]), Some(t.places[3]), "the older one again");
    // The town re-codes while the prefecture moves: both say number 1.
    let (town, prefecture) = (t.placed(3, 5, 3, None), t.placed(0, 5, 4, None));
    for order in [[&town, &prefecture], [&prefecture, &town]] {
        assert_eq!(t.with(&order).parent(&t.places[5]), Some(t.places[4]));
    }
}

#[test]
fn no_place_comes_to_stand_under_itself_nor_too_deep() {
    let t = tree();
    assert_eq!(t.with(&[&t.placed(0, 1, 3, None)]).parent(&t.places[1]), Some(t.places[0]));
    assert_eq!(t.with(&[&t.placed(0, 3, 3, None)]).parent(&t.places[3]), Some(t.places[1]));
    // Each under the other: one of the two holds, the same in either order.
    let (a, b) = (t.placed(0, 1, 2, None), t.placed(0, 2, 1, None));
    let (one, two) = (t.with(&[&a, &b]), t.with(&[&b, &a]));
    for place in &t.places {
        assert_eq!(one.place_ancestors(place), two.place_ancestors(place));
        assert!(one.place_ancestors(place).len() < 5);
    }
    assert_ne!(one.parent(&t.places[1]) == Some(t.places[2]), one.parent(&t.places[2]) == Some(t.places[1]));
}

#[test]
fn a_merged_place_is_acted_for_and_a_circle_of_mergers_is_none() {
    let t = tree();
    let merged = t.merged(3, 5, 6, 3);
    let dir = t.with(&[&merged]);
    assert_eq!((dir.stands_in(&t.places[5]), dir.stands_in(&t.places[6])), (t.places[6], t.places[6]));
    assert_eq!(dir.acts_for(&t.places[6]), [t.places[5]].into());
    let circle = t.with(&[&merged, &t.merged(3, 6, 5, 3)]);
    assert_eq!((circle.stands_in(&t.places[5]), circle.stands_in(&t.places[6])), (t.places[5], t.places[6]));
    // Only into a place that the issuer is above.
    assert_eq!(t.with(&[&t.merged(3, 5, 7, 3)]).stands_in(&t.places[5]), t.places[5]);
}

#[test]
fn the_new_parent_may_certify_and_revoke_only_as_long_as_it_counts_as_one() {
    let t = tree();
    let moved = t.placed(0, 3, 2, None);
    let old = t.dir.get(&t.certs[3]).unwrap().clone();
    let adopted = Certificate {
        parent: Some(t.places[2]),
        key: t.keys[8].public(),
        number: 2,
        issuer: Some(t.certs[2]),
        ..old
    }
    .issued_by(&t.keys[2]);
    let mut dir = t.dir.clone();
    assert_eq!(dir.add(adopted.clone()), Err(CertError::NotFounder));
    let mut dir = t.with(&[&moved]);
    let new = dir.add(adopted).unwrap();
    assert_eq!(dir.place(&t.places[3]).unwrap().cert, new);
    let revoke = |by: usize, cert: CertHash, still_valid: Vec<Hash>| {
        Revocation {
            federation: t.dir.federation(),
            cert,
            reason: "机器被盗".into(),
            last_valid: Vec::new(),
            still_valid,
            issuer: t.certs[by],
            signature: Signature([0; 64]),
        }
        .issued_by(&t.keys[by])
    };
    assert_eq!(t.dir.clone().revoke(&revoke(2, t.certs[3], Vec::new())), Err(CertError::NotAbove));
    dir.revoke(&revoke(2, t.certs[3], Vec::new())).unwrap();
    assert!(dir.is_revoked(&t.certs[3]) && !dir.is_revoked(&new));
    // A key of the district that was stolen moved a village; the move does not count once that is known, and
    // what the new town certified or revoked on the ground of it does not either.
    let stolen = t.placed(1, 5, 4, None);
    let mut dir = t.with(&[&t.placed(0, 4, 1, None), &stolen]);
    assert_eq!(dir.parent(&t.places[5]), Some(t.places[4]));
    dir.revoke(&revoke(4, t.certs[5], Vec::new())).unwrap();
    assert!(dir.is_revoked(&t.certs[5]));
    dir.revoke(&revoke(0, t.certs[1], vec![Hash(t.certs[3].0)])).unwrap();
    assert_eq!(dir.parent(&t.places[5]), Some(t.places[3]));
    assert!(!dir.is_revoked(&t.certs[5]));
    let vouched = revoke(0, t.certs[1], vec![Hash(t.certs[3].0), stolen.hash()]);
    dir.revoke(&vouched).unwrap();
    assert_eq!(dir.parent(&t.places[5]), Some(t.places[4]), "named as still valid");
}

#[test]
fn what_the_old_path_saw_is_owed_to_the_new_one() {
    let t = tree();
    let dir = t.with(&[&t.placed(0, 3, 2, None)]);
    let named = |places: &[usize]| Audience(places.iter().map(|i| Reach::Place(t.places[*i])).collect());
    let owed = |seen: &[usize], me: usize| named(seen).owed(&dir, &t.places[5], &t.certs[me]);
    assert_eq!(owed(&[5, 3, 1], 5), [Reach::Place(t.places[2])]);
    assert_eq!(owed(&[5, 3, 1], 3), [Reach::Place(t.places[2])]);
    assert_eq!((owed(&[5, 3], 5), owed(&[5, 3, 1, 2], 5), owed(&[5, 3, 1], 6)), (vec![], vec![], vec![]));
    assert_eq!(named(&[5, 3, 1, 2]).now(&dir, &t.places[5]), named(&[5, 3, 2]), "the old one gets no more");
    let merged = t.with(&[&t.merged(3, 5, 6, 3)]);
    assert_eq!(named(&[5, 3]).owed(&merged, &t.places[5], &t.certs[3]), [Reach::Place(t.places[6])]);
}
