//! Comparing two sets of documents: an honest exchange finds exactly what differs, and no message of a
//! dishonest side makes the other fail or answer more than its bound.

use super::choice::Choice;
use std::collections::BTreeSet;
use yishi_protocol::{
    ids::{ChangeHash, DocId, hash},
    limits::RECONCILE_ITEMS_MAX,
    reconcile::{Print, Visible, print, shortened},
    wire::{Frame, Reconcile},
};

/// The first decisions make the two sets; then they compare honestly, or one of them lies.
pub(crate) fn run(data: &[u8]) {
    let mut c = Choice(data);
    let (first, second) = sets(&mut c);
    if c.flag() {
        honest(&first, &second);
    } else {
        hostile(&mut c, &first);
    }
}

/// Two sets that share most documents. Some ids stand close together, as nobody's hashes do.
fn sets(c: &mut Choice<'_>) -> (Visible, Visible) {
    let (mut first, mut second) = (Visible::default(), Visible::default());
    let crowded = c.flag();
    let shared = c.below(300) as u32;
    let doc = |n: u32| {
        let mut id = hash("doc", &[&n.to_be_bytes()]);
        if crowded {
            id[..3].copy_from_slice(&[7, 7, n as u8]);
        }
        DocId(id)
    };
    let state = |d: &DocId, n: u8| print(d, [&ChangeHash([n; 32])]);
    for n in 0..shared {
        let d = doc(n);
        first.0.insert(d, state(&d, 0));
        second.0.insert(d, state(&d, 0));
    }
    for _ in 0..c.below(40) {
        let d = doc(c.below(400) as u32);
        match c.below(4) {
            0 => drop(first.0.remove(&d)),
            1 => drop(second.0.remove(&d)),
            2 => drop(first.0.insert(d, state(&d, c.byte()))),
            _ => drop(second.0.insert(d, state(&d, c.byte()))),
        }
    }
    (first, second)
}

/// As it comes over the line.
fn heard(message: Reconcile) -> Reconcile {
    let bytes = Frame::Reconcile(message.clone()).encode();
    assert_eq!(Frame::decode(&bytes), Ok(Frame::Reconcile(message.clone())));
    message
}

fn honest(first: &Visible, second: &Visible) {
    let Reconcile::Probe { bits, prints } = heard(first.probe()) else { panic!("a probe") };
    let Some(Reconcile::Split { bits, prints }) = second.split(bits, &prints).map(heard) else {
        panic!("an answer")
    };
    let items = first.items(bits, &prints);
    let wanted = second.differ(&shortened(&items));
    let found: BTreeSet<DocId> = wanted.iter().map(|i| items[*i as usize].0).collect();
    let differ: BTreeSet<DocId> =
        first.0.iter().filter(|(d, p)| second.0.get(*d) != Some(p)).map(|(d, _)| *d).collect();
    assert_eq!(found, differ, "exactly what the second lacks or has in another state");
}

fn prints(c: &mut Choice<'_>, n: usize) -> Vec<Print> {
    (0..n).map(|_| [c.byte(); 8]).collect()
}

fn hostile(c: &mut Choice<'_>, mine: &Visible) {
    while !c.is_over() {
        match c.below(3) {
            0 => {
                let bits = c.byte() % 25;
                let n = if c.flag() { 1usize << bits.min(12) } else { c.below(70) };
                let theirs = prints(c, n);
                if let Some(answer) = mine.split(bits, &theirs) {
                    let Reconcile::Split { bits: finer, prints } = heard(answer) else { panic!("a split") };
                    assert!(n == 1 << bits && finer == bits + 3 && prints.len() <= RECONCILE_ITEMS_MAX);
                }
            }
            1 => {
                let bits = c.byte() % 25;
                let n = c.below(200);
                let theirs: Vec<(u32, Print)> = (0..n).map(|_| (c.number() as u32, [c.byte(); 8])).collect();
                let items = mine.items(bits, &theirs);
                assert!(items.len() <= mine.0.len() && items.iter().all(|(d, p)| mine.0.get(d) == Some(p)));
            }
            _ => {
                let n = c.below(200);
                let theirs: Vec<(Print, Print)> = (0..n).map(|_| ([c.byte(); 8], [c.byte(); 8])).collect();
                let wanted = mine.differ(&theirs);
                assert!(wanted.len() <= n && wanted.iter().all(|i| (*i as usize) < n));
            }
        }
    }
}
