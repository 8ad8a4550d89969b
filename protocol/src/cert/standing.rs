//! Which revocations count: a function of the set of all that are known, whatever order they came in.
//!
//! A revocation counts if the key that signed it still spoke for its place: if it was not revoked itself,
//! or whoever revoked it named this revocation as still valid. Whoever revokes is above, so judging the
//! highest first settles it in one pass: of two keys that revoke each other the higher one wins, and
//! nobody is above the root.

use super::{Directory, Revocation};
use crate::ids::{CertHash, ChangeHash, DocId, Hash, PlaceId};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What all revocations of one certificate that count say together.
#[derive(Debug, Clone, Default)]
pub(super) struct Ended {
    pub(super) last_valid: BTreeMap<DocId, BTreeSet<ChangeHash>>,
    still_valid: BTreeSet<Hash>,
}

impl Ended {
    /// Whether what the revoked key signed under this name stays valid.
    pub(super) fn vouches_for(&self, record: &Hash) -> bool {
        self.still_valid.contains(record)
    }

    fn add(&mut self, revocation: &Revocation) {
        for (doc, change) in &revocation.last_valid {
            self.last_valid.entry(*doc).or_default().insert(*change);
        }
        self.still_valid.extend(&revocation.still_valid);
    }
}

impl Directory {
    /// Whether a record that this certificate signed counts, by what is known of revocations so far.
    pub(super) fn counts(&self, issuer: &CertHash, record: &Hash) -> bool {
        !self.is_disowned(issuer) && self.revoked.get(issuer).is_none_or(|ended| ended.vouches_for(record))
    }

    /// Whether a key may end a certificate: of a place it was issued under, or of one moved below it.
    pub(super) fn may_revoke(&self, issuer: &CertHash, cert: &CertHash) -> bool {
        self.is_over(issuer, cert, |place| self.ever_above(place))
    }

    /// Whether a key's word on a certificate is kept: it might end it, should the placements noted count.
    pub(super) fn may_note(&self, issuer: &CertHash, cert: &CertHash) -> bool {
        self.is_over(issuer, cert, |place| self.noted_above(place))
    }

    fn is_over(
        &self,
        issuer: &CertHash,
        cert: &CertHash,
        above: impl Fn(&PlaceId) -> BTreeSet<PlaceId>,
    ) -> bool {
        let (Some(by), Some(whose)) = (self.certs.get(issuer), self.certs.get(cert)) else { return false };
        // Keys of the root's place: its own key ends them, they do not end each other.
        if whose.parent.is_none() {
            return whose.issuer == Some(*issuer);
        }
        self.issued_under(&by.place, cert) || above(&whose.place).contains(&by.place)
    }

    /// Whether a place above in the certificate's own chain, whatever was moved since.
    fn issued_under(&self, place: &PlaceId, cert: &CertHash) -> bool {
        self.path(cert).skip(1).any(|above| self.certs.get(&above).is_some_and(|c| c.place == *place))
    }

    /// Brings what counts up to date with one more revocation.
    pub(super) fn noted(&mut self, name: Hash, revocation: &Revocation) {
        // Only what signed revocations itself, or has below it what did, changes how others count; where
        // places were moved, who may revoke what follows from the tree.
        let under = |signer: &CertHash| self.path(signer).any(|above| above == revocation.cert);
        let signers: BTreeSet<CertHash> = self.revocations.values().map(|r| r.issuer).collect();
        if !self.placements.is_empty() || signers.iter().any(under) {
            self.settle();
        } else if self.counts(&revocation.issuer, &name) {
            self.revoked.entry(revocation.cert).or_default().add(revocation);
        }
    }

    /// Judges all revocations and placements anew. Who may revoke what was moved depends on the tree, and
    /// the tree on which keys were revoked: keys are judged by the chains they were issued under first, and
    /// by the tree that follows a second time.
    pub(super) fn settle(&mut self) {
        self.tree.clear();
        self.judge();
        self.grow_tree();
        if !self.tree.is_empty() {
            self.judge();
            self.grow_tree();
        }
    }

    /// Judges all revocations, those of the highest places first.
    fn judge(&mut self) {
        let mut order: Vec<(usize, Hash, Arc<Revocation>)> = self
            .revocations
            .iter()
            .filter(|(_, r)| self.may_revoke(&r.issuer, &r.cert))
            .map(|(name, r)| (self.path(&r.issuer).count(), *name, r.clone()))
            .collect();
        order.sort_unstable_by_key(|(depth, name, _)| (*depth, *name));
        self.revoked.clear();
        for (_, name, revocation) in order {
            if self.counts(&revocation.issuer, &name) {
                self.revoked.entry(revocation.cert).or_default().add(&revocation);
            }
        }
    }

    /// The certificates from one up to the root's, itself first.
    pub(super) fn path(&self, hash: &CertHash) -> impl Iterator<Item = CertHash> {
        std::iter::successors(Some(*hash), |h| self.certs.get(h).and_then(|c| c.issuer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cert::{CertError, Certificate},
        key::{SecretKeys, Signature},
    };

    struct Tree {
        dir: Directory,
        keys: [SecretKeys; 4],
        /// Root, district, town, village.
        certs: [CertHash; 4],
    }

    fn certificate(
        dir: &Directory,
        by: &SecretKeys,
        issuer: CertHash,
        keys: &SecretKeys,
        n: u32,
    ) -> Certificate {
        let parent = dir.get(&issuer).unwrap().place;
        Certificate {
            federation: Some(dir.federation()),
            place: PlaceId::founded(&parent, &[9; 16]),
            nonce: [9; 16],
            code: "510113106000".into(),
            name: "姚渡镇".into(),
            level: "township".into(),
            parent: Some(parent),
            key: keys.public(),
            sealing: keys.sealing_public(),
            number: n,
            issuer: Some(issuer),
            signature: Signature([0; 64]),
        }
        .issued_by(by)
    }

    fn tree() -> Tree {
        let keys: [SecretKeys; 4] = std::array::from_fn(|i| SecretKeys::from_bytes(&[i as u8 + 1; 64]));
        let root = Certificate::root(&keys[0], PlaceId([1; 16]), "510100000000", "成都市", "prefecture");
        let mut certs = [root.hash(); 4];
        let mut dir = Directory::new(root).unwrap();
        for i in 1..4 {
            certs[i] = dir.add(certificate(&dir, &keys[i - 1], certs[i - 1], &keys[i], 1)).unwrap();
        }
        Tree { dir, keys, certs }
    }

    impl Tree {
        fn revoke(&self, by: usize, whom: usize, cut: u8, still_valid: &[Hash]) -> Revocation {
            Revocation {
                federation: self.dir.federation(),
                cert: self.certs[whom],
                reason: "钥匙被盗".into(),
                last_valid: vec![(DocId([1; 32]), ChangeHash([cut; 32]))],
                still_valid: still_valid.to_vec(),
                issuer: self.certs[by],
                signature: Signature([0; 64]),
            }
            .issued_by(&self.keys[by])
        }

        /// In every order they may come in, the same follows.
        fn whatever_order(&self, records: &[Revocation], check: impl Fn(&Directory)) {
            let n = records.len();
            for order in 0..n.pow(n as u32) {
                let places: Vec<usize> = (0..n).map(|i| order / n.pow(i as u32) % n).collect();
                if places.iter().collect::<BTreeSet<_>>().len() == n {
                    let mut dir = self.dir.clone();
                    places.iter().for_each(|i| dir.revoke(&records[*i]).unwrap());
                    check(&dir);
                }
            }
        }
    }

    #[test]
    fn a_thief_cannot_revoke_once_the_stolen_key_is_revoked() {
        let t = tree();
        let thief = t.revoke(2, 3, 7, &[]);
        let ended = t.revoke(1, 2, 7, &[Hash(t.certs[3].0)]);
        t.whatever_order(&[thief.clone(), ended], |dir| {
            assert!(dir.is_revoked(&t.certs[2]) && !dir.is_revoked(&t.certs[3]));
            assert_eq!(dir.cut(&t.certs[3], &DocId([1; 32])), None);
        });
        // What the town had revoked before the theft is named, and stays revoked.
        let vouching = t.revoke(1, 2, 7, &[Hash(t.certs[3].0), thief.hash()]);
        t.whatever_order(&[thief, vouching], |dir| assert!(dir.is_revoked(&t.certs[3])));
    }

    #[test]
    fn three_levels_of_stolen_keys_are_judged_from_the_top() {
        let t = tree();
        // The stolen town ends the village, the stolen district ends the town, the root ends the district.
        let all = [t.revoke(2, 3, 7, &[]), t.revoke(1, 2, 7, &[]), t.revoke(0, 1, 7, &[Hash(t.certs[2].0)])];
        t.whatever_order(&all, |dir| {
            assert!(dir.is_revoked(&t.certs[1]));
            // The district's word against the town does not count, so the town's against the village does.
            assert!(!dir.is_revoked(&t.certs[2]) && dir.is_revoked(&t.certs[3]));
        });
        // Without the root's word all of them count; the village's certificate is disowned twice.
        t.whatever_order(&all[..2], |dir| {
            assert!(dir.is_revoked(&t.certs[3]) && dir.is_revoked(&t.certs[2]))
        });
    }

    #[test]
    fn what_was_stored_may_be_admitted_later_by_naming_more() {
        let t = tree();
        t.whatever_order(&[t.revoke(2, 3, 7, &[]), t.revoke(1, 3, 8, &[])], |dir| {
            let cut = dir.cut(&t.certs[3], &DocId([1; 32])).unwrap();
            assert_eq!(cut, [ChangeHash([7; 32]), ChangeHash([8; 32])].into());
        });
    }

    #[test]
    fn a_key_with_a_newer_certificate_goes_by_that_one() {
        let mut t = tree();
        let again = certificate(&t.dir, &t.keys[2], t.certs[2], &t.keys[3], 2);
        let again = t.dir.add(again).unwrap();
        assert_eq!(t.dir.current(&t.certs[3]), again);
        t.dir.revoke(&t.revoke(2, 3, 7, &[])).unwrap();
        assert_eq!((t.dir.cut(&t.certs[3], &DocId([1; 32])), t.dir.current(&t.certs[3])), (None, again));
        // Both are revoked: what is named adds up, whichever a node knows the key by.
        let mut both = t.revoke(2, 3, 8, &[]);
        both.cert = again;
        t.dir.revoke(&both.issued_by(&t.keys[2])).unwrap();
        for cert in [t.certs[3], again] {
            assert_eq!(t.dir.cut(&cert, &DocId([1; 32])).unwrap().len(), 2);
        }
    }

    #[test]
    fn nobody_revokes_the_root_nor_who_is_above() {
        let t = tree();
        let mut dir = t.dir.clone();
        for (by, whom) in [(1, 0), (3, 2), (2, 2), (0, 0)] {
            assert!(dir.revoke(&t.revoke(by, whom, 7, &[])).is_err(), "{by} revokes {whom}");
        }
    }

    #[test]
    fn the_root_s_own_key_alone_makes_and_ends_those_that_work_in_its_place() {
        let [own, first, second, town, thief] = [1, 2, 3, 4, 5].map(|n| SecretKeys::from_bytes(&[n; 64]));
        let root = Certificate::root(&own, PlaceId([1; 16]), "510113000000", "青白江区", "district");
        let mut dir = Directory::new(root.clone()).unwrap();
        let [one, two] = [(&first, 2), (&second, 3)]
            .map(|(keys, number)| dir.add(Certificate::working(&root, &own, keys, number)).unwrap());
        assert_eq!(dir.place(&root.place).unwrap().cert, two);
        // A working key certifies towns, and no other working key.
        let honest = dir.add(certificate(&dir, &first, one, &town, 1)).unwrap();
        let mut minted = Certificate::working(&root, &own, &thief, 4);
        minted.issuer = Some(one);
        assert_eq!(dir.add(minted.issued_by(&first)), Err(CertError::WrongIssuer));
        let revoke = |dir: &Directory, by: (&SecretKeys, CertHash), cert, still_valid| {
            Revocation {
                federation: dir.federation(),
                cert,
                reason: "机器被盗".into(),
                last_valid: vec![(DocId([1; 32]), ChangeHash([7; 32]))],
                still_valid,
                issuer: by.1,
                signature: Signature([0; 64]),
            }
            .issued_by(by.0)
        };
        let by_thief = revoke(&dir, (&first, one), two, Vec::new());
        assert_eq!(dir.revoke(&by_thief), Err(CertError::NotAbove));
        let of_root = revoke(&dir, (&own, root.hash()), root.hash(), Vec::new());
        assert_eq!(dir.revoke(&of_root), Err(CertError::NotAbove));
        // The stolen one ends by the root's word: what it certified before stays, what the thief does not.
        dir.revoke(&revoke(&dir, (&own, root.hash()), one, vec![Hash(honest.0)])).unwrap();
        let later = dir.add(certificate(&dir, &first, one, &thief, 2)).unwrap();
        assert!(dir.is_revoked(&one) && !dir.is_revoked(&two) && !dir.is_revoked(&honest));
        assert!(dir.is_revoked(&later) && !dir.place(&root.place).unwrap().revoked);
        // The new one goes on where the old one was: it may end what the old one certified.
        dir.revoke(&revoke(&dir, (&second, two), honest, Vec::new())).unwrap();
        assert!(dir.is_revoked(&honest));
    }
}
