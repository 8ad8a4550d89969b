//! Where searching begins: the golden bytes of every format, the documents of the gate's tests, the data that
//! is shipped, and rows of decisions from a fixed seed. They are made anew each time, so they follow the
//! formats; what libFuzzer found beyond them is kept in `tests/fuzz/corpus`.

use crate::{
    short::Dice,
    targets::{change::data_of, choice::Choice, gate::WORLD},
};
use std::fs;
use yishi_protocol::{calendar, kind::Kind, place::shipped_divisions, wire::BlockWriter};

fn unhex(text: &str) -> Vec<u8> {
    let digits = |c: &[u8]| u8::from_str_radix(std::str::from_utf8(c).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(digits).collect()
}

fn golden() -> Vec<(String, Vec<u8>)> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/tests/golden/formats.txt");
    let text = fs::read_to_string(file).unwrap();
    text.lines().filter_map(|l| l.split_once(' ')).map(|(name, hex)| (name.to_owned(), unhex(hex))).collect()
}

fn with(first: u8, rest: &[u8]) -> Vec<u8> {
    [&[first], rest].concat()
}

/// The inputs a target starts from.
pub(crate) fn of(target: &str) -> Vec<Vec<u8>> {
    let found: Vec<Vec<u8>> = match target {
        "change" => changes(),
        "records" => records(),
        "frame" => golden().into_iter().filter(|(n, _)| n.starts_with("frame-")).map(|(_, b)| b).collect(),
        "block" => blocks(),
        _ => decisions(target),
    };
    assert!(found.len() >= 10, "{target} has {} seeds", found.len());
    found
}

fn changes() -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for doc in &WORLD.1 {
        let kind = Kind::ALL.iter().position(|k| *k == doc.header.kind).unwrap() as u8;
        for at in 0..doc.changes.len() {
            out.push(with(kind, &doc.bytes(at)));
            out.push(with(0x80 | kind, data_of(&doc.bytes(at))));
        }
    }
    let map = Choice(&(0..=255).collect::<Vec<u8>>()).map(3);
    let doc = &WORLD.1[1];
    let change = doc.next(WORLD.0.village.actor, 0, map);
    out.push(with(0x81, data_of(&yishi_protocol::change::encode(&change).unwrap().bytes)));
    out
}

fn records() -> Vec<Vec<u8>> {
    let reader = |name: &str| match name {
        "certificate" | "certificate-root" => Some(0),
        "revocation" => Some(1),
        "header" => Some(2),
        "grant" => Some(3),
        "receipt" => Some(4),
        "opening" => Some(5),
        "invitation" => Some(6),
        "sealed-text" | "sealed-key" => Some(18),
        _ => None,
    };
    let mut out: Vec<Vec<u8>> =
        golden().iter().filter_map(|(name, bytes)| Some(with(reader(name)?, bytes))).collect();
    let head = |text: &str| text.lines().take(6).collect::<Vec<_>>().join("\n");
    let texts = [
        (7, "芦稿-2026-0187"),
        (7, "芦稿二〇二六年一百八十七号"),
        (7, "芦稿-2026-AB-０１８７"),
        (8, "402 913"),
        (8, "四零二 九一三"),
        (9, "510113106204"),
        (10, "2026-03-02"),
        (11, "12@07070707070707070707070707070707"),
        (12, "07070707070707070707070707070707"),
        (13, "一百八十七号\n芦稿"),
        (14, "a,b\n\"1,\"\"2\",3\n"),
        (17, "姚渡镇芦稿村民委员会"),
        (19, "\u{1}\u{7f}"),
    ];
    out.extend(texts.map(|(which, text)| with(which, text.as_bytes())));
    out.extend(shipped_divisions().iter().take(2).map(|(_, csv)| with(15, head(csv).as_bytes())));
    out.extend(calendar::shipped().iter().rev().take(2).map(|(_, csv)| with(16, csv.as_bytes())));
    out.extend(decisions("acts").iter().map(|bytes| with(20, bytes)));
    out
}

fn blocks() -> Vec<Vec<u8>> {
    let (fed, documents) = &*WORLD;
    let mut out: Vec<Vec<u8>> =
        golden().into_iter().filter(|(n, _)| n == "block").map(|(_, b)| with(0, &b)).collect();
    for (n, doc) in documents.iter().enumerate() {
        for cut in [0, doc.changes.len() / 2, doc.changes.len() - 1] {
            let mut writer = BlockWriter::new();
            writer.section(&doc.section(cut, cut == 0), &fed.records());
            if n % 2 == 1 {
                writer.section(&documents[n - 1].section(0, true), &fed.records());
                let third = &documents[(n + 1) % documents.len()];
                writer.raw_section(&third.id, &third.bytes(cut));
            }
            let certs: Vec<_> = fed.directory.iter().map(|(_, c)| c).take(cut).collect();
            out.push(with(cut as u8, &writer.finish((7, 9, [3; 16]), &certs, &[], &[])));
        }
    }
    out
}

fn decisions(target: &str) -> Vec<Vec<u8>> {
    let mut dice = Dice::new(target);
    (0..40).map(|n| (0..8 + n * 6).map(|_| dice.next() as u8).collect()).collect()
}

/// Writes them where `tests/run fuzz` begins.
#[test]
#[ignore = "writes into tests/fuzz/corpus; for a new format or a new target"]
fn write() {
    for (name, _) in crate::targets::ALL {
        let dir = crate::short::corpus(name);
        fs::create_dir_all(&dir).unwrap();
        for (n, bytes) in of(name).iter().enumerate() {
            fs::write(dir.join(format!("seed-{n:03}")), bytes).unwrap();
        }
    }
}
