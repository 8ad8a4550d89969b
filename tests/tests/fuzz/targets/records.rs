//! Every other reader: certificates, revocations, grants, receipts, tokens, numbers as they are spoken,
//! tables, calendars, codes of places, sealed texts, acts. What is read is written again as it was, or, where
//! people write freely, reads back to the same.

use super::choice::Choice;
use std::{fmt::Debug, str::FromStr};
use yishi_protocol::{
    act::{Act, ActKind, Charter, Decision, Progress, Sealed, Step, Stubs, Voice},
    audience::Grant,
    calendar::{Calendar, Date},
    cert::{Certificate, Revocation},
    codec::{DecodeError, Reader, Writer},
    csv::Table,
    header::Header,
    ids::{ActRef, CertHash, DocId, PlaceId},
    invite::Invite,
    key::SecretKeys,
    number::{CheckCode, MatterNumber},
    place::{PlaceCode, bare_name, parse_divisions, short_name},
    receipt::{Node, Opening, Receipt},
    seal,
};

/// How many readers there are; the first byte chooses one.
pub(crate) const READERS: usize = 22;

/// The first byte chooses the reader of the rest.
pub(crate) fn run(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    match usize::from(*which) % READERS {
        0 => same(rest, Certificate::decode, Certificate::encode),
        1 => same(rest, Revocation::decode, Revocation::encode),
        2 => same(rest, Header::decode, Header::encode),
        3 => same(rest, |b| Grant::decode(DocId([1; 32]), b), Grant::encode),
        4 => same(rest, Receipt::decode, Receipt::encode),
        5 => opening(rest),
        6 => spoken::<Invite>(&text),
        7 => spoken::<MatterNumber>(&text),
        8 => spoken::<CheckCode>(&text),
        9 => spoken::<PlaceCode>(&text),
        10 => spoken::<Date>(&text),
        11 => spoken::<ActRef>(&text),
        12 => spoken::<PlaceId>(&text),
        13 => number_at(&text),
        14 => table(&text),
        15 => drop(parse_divisions(&text)),
        16 => calendar(&text),
        17 => names(&text),
        18 => sealed(rest),
        19 => numbers(rest),
        _ => acts(rest),
    }
}

fn same<T: Debug>(
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Result<T, DecodeError>,
    write: impl Fn(&T) -> Vec<u8>,
) {
    if let Ok(read) = read(bytes) {
        assert_eq!(write(&read), bytes, "{read:?}");
    }
}

/// What a person may write in several ways has one way in which it is written back.
fn spoken<T: FromStr + ToString + PartialEq + Debug>(text: &str)
where
    T::Err: ToString,
{
    match text.parse::<T>() {
        Ok(read) => assert_eq!(read.to_string().parse::<T>().ok(), Some(read)),
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}

fn opening(bytes: &[u8]) {
    let Ok(opening) = Opening::decode(bytes) else { return };
    assert_eq!(opening.encode(), bytes, "{opening:?}");
    let own: Vec<Node> = opening.standing.iter().map(|s| [s.position as u8; 32]).collect();
    if own.len() <= 64 {
        let _ = opening.restricted(&own, opening.standing.iter().step_by(2).copied().collect());
    }
}

/// A number read at a desk whose own prefix is known.
fn number_at(text: &str) {
    let (said, prefix) = text.split_once('\n').unwrap_or((text, "芦稿"));
    if let Ok(number) = MatterNumber::read_at(said, prefix) {
        assert_eq!(MatterNumber::read(&number.to_string()), Ok(number));
    }
}

fn table(text: &str) {
    let Ok(table) = Table::read(text) else { return };
    for row in &table.rows {
        let _ = (row.field(0), row.field(usize::MAX));
    }
}

fn calendar(text: &str) {
    let Ok(calendar) = Calendar::from_notices([(2026, text)]) else { return };
    let Ok(day) = Date::from_ymd(2026, 10, 1) else { return };
    let (due, _) = calendar.add_working_days(day, 300);
    assert!(due > day && calendar.working_days_between(day, due) >= 0);
}

fn names(text: &str) {
    let (bare, short) = (bare_name(text), short_name(text));
    assert!(text.contains(bare) && text.contains(short));
}

/// Sealed texts and wrapped keys of somebody else do not open.
fn sealed(bytes: &[u8]) {
    let keys = SecretKeys::from_bytes(&[5; 64]);
    let (doc, reader) = (DocId([1; 32]), CertHash([2; 32]));
    if let Ok(key) = seal::unwrap(bytes, &doc, &reader, &keys) {
        let _ = seal::open(bytes, &doc, &key);
    }
    let mut rng = rand::rng();
    let key = seal::DossierKey::generate(&mut rng);
    assert!(seal::open(bytes, &doc, &key).is_err());
    let closed = seal::seal(bytes, &doc, &key, &mut rng).unwrap();
    assert_eq!(seal::open(&closed, &doc, &key).as_deref(), Ok(bytes));
}

/// The primitives under everything binary.
fn numbers(bytes: &[u8]) {
    let mut r = Reader::new(bytes);
    let mut w = Writer::new();
    while let Ok(n) = r.uint() {
        w.uint(n);
    }
    assert!(bytes.starts_with(&w.0), "a number has one form");
    let mut r = Reader::new(bytes);
    while r.remaining() > 0 {
        let before = r.remaining();
        let _ = (r.clone().int(), r.clone().str(1_000), r.clone().count(1_000), r.clone().array::<16>());
        if r.bytes(300).is_err() && r.byte().is_err() {
            break;
        }
        assert!(r.remaining() < before);
    }
}

/// Maps of any fields as acts: the two readers agree, and what they read is written as it was.
fn acts(bytes: &[u8]) {
    let mut choice = Choice(bytes);
    let mut map = choice.map(2);
    if choice.flag() {
        let kinds =
            ["register", "accept", "escalate", "comment", "ballot", "answer", "snapshot", "stubs", "seal"];
        let name = kinds[choice.below(kinds.len())];
        map.insert("kind".into(), yishi_protocol::value::Value::Str(name.into()));
    }
    act::<Step>(&map);
    act::<Voice>(&map);
    act::<Decision>(&map);
    act::<Progress>(&map);
    act::<Charter>(&map);
    act::<Sealed>(&map);
    act::<Stubs>(&map);
}

fn act<K: ActKind + PartialEq + Debug>(map: &yishi_protocol::value::Map) {
    let (by_ref, by_value) = (Act::<K>::from_ref(map), Act::<K>::from_map(map.clone()));
    assert_eq!(by_ref, by_value);
    if let Ok(act) = by_ref {
        assert_eq!(&act.to_map(), map);
    }
}
