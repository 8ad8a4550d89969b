//! Published crafted signatures: one by one and in a batch the answer is the same, and is ZIP-215's.
//!
//! Other rules differ on most of them: a check that is strict refuses what a batch takes, and two nodes that
//! verified differently would store different histories.

use super::*;
use rand::{SeedableRng, rngs::StdRng};

const SMALL_ORDER: &str = include_str!("small_order.txt");
const MANY_EDDSAS: &str = include_str!("many_eddsas.txt");

fn unhex<const N: usize>(text: &str) -> [u8; N] {
    let digits = |i: usize| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap();
    assert_eq!(text.len(), 2 * N);
    std::array::from_fn(digits)
}

fn lines(file: &str) -> impl Iterator<Item = &str> {
    file.lines().filter(|line| !line.starts_with('#'))
}

/// Every vector with ZIP-215's answer.
fn vectors() -> Vec<(SignatureItem<Vec<u8>>, bool)> {
    let points: Vec<[u8; 32]> = lines(SMALL_ORDER).map(unhex).collect();
    let mut all = Vec::new();
    for key in &points {
        for r in &points {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(r);
            let (key, message) = (NodeKey(*key), b"Zcash".to_vec());
            all.push((SignatureItem { key, message, signature: Signature(signature) }, true));
        }
    }
    assert_eq!(all.len(), 196);
    for line in lines(MANY_EDDSAS) {
        let [message, key, signature, answer] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let item = SignatureItem {
            key: NodeKey(unhex(key)),
            message: unhex::<32>(message).to_vec(),
            signature: Signature(unhex(signature)),
        };
        all.push((item, answer == "holds"));
    }
    assert_eq!(all.len(), 208);
    assert_eq!(all.iter().filter(|(_, holds)| !holds).count(), 3);
    all
}

fn honest(n: u8) -> SignatureItem<Vec<u8>> {
    let (keys, message) = (SecretKeys::from_bytes(&[n; 64]), vec![n; 40]);
    SignatureItem { key: keys.public(), signature: keys.sign(&message), message }
}

#[test]
fn one_by_one_the_answer_is_the_published_one() {
    for (at, (item, holds)) in vectors().iter().enumerate() {
        assert_eq!(verify(&item.key, &item.message, &item.signature).is_ok(), *holds, "vector {at}");
    }
}

#[test]
fn in_a_batch_the_answer_is_the_same() {
    let mut rng = StdRng::seed_from_u64(215);
    for (at, (item, holds)) in vectors().into_iter().enumerate() {
        assert_eq!(hold_together(std::slice::from_ref(&item), &mut rng), holds, "vector {at} alone");
        let items = [honest(1), item, honest(2), honest(3), honest(4)];
        assert_eq!(hold_together(&items, &mut rng), holds, "vector {at} among honest ones");
        let named = if holds { Ok(()) } else { Err(vec![1]) };
        assert_eq!(verify_many(&items, &mut rng), named, "vector {at}");
    }
}

#[test]
fn all_that_hold_hold_together_and_none_of_the_others_hides_among_them() {
    let mut rng = StdRng::seed_from_u64(216);
    let (good, bad): (Vec<_>, Vec<_>) = vectors().into_iter().partition(|(_, holds)| *holds);
    let mut items: Vec<_> = good.into_iter().map(|(item, _)| item).collect();
    assert!(hold_together(&items, &mut rng));
    for (item, _) in bad {
        items.insert(77, item);
        assert!(!hold_together(&items, &mut rng));
        assert_eq!(verify_many(&items, &mut rng), Err(vec![77]));
        items.remove(77);
    }
}
