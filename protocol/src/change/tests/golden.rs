//! Bytes written by the first version stay readable and are written the same for ever.

use super::super::*;

/// One change a line: its name and its bytes.
const GOLDEN: &str = include_str!("golden.txt");

fn changes() -> Vec<(String, Kind, Change)> {
    let (creator, other) = (ActorId([0x11; 16]), ActorId([0x22; 16]));
    let mut all: Vec<_> = Kind::ALL
        .into_iter()
        .map(|kind| (format!("genesis-{kind}"), kind, Change::genesis(creator, kind)))
        .collect();
    let value = Map::from([
        ("body".into(), Value::Text("村口涵洞积水 🚧".into())),
        ("bytes".into(), Value::Bytes(vec![0, 0x7f, 0xff])),
        ("empty".into(), Value::Text(String::new())),
        ("kind".into(), Value::Str("register".into())),
        (
            "list".into(),
            Value::List(vec![Value::Null, Value::Int(-65), Value::Map(Map::new()), Value::Bool(false)]),
        ),
        ("rules".into(), Value::Int(1)),
        ("votes".into(), Value::Map((0..9).map(|n| (format!("m{n}"), Value::Bool(n % 2 == 0))).collect())),
    ]);
    let deps = vec![ChangeHash([3; 32]), ChangeHash([4; 32])];
    let act = Change::act(other, 7, 1_234, deps, creator, 1, value.clone());
    all.push(("act-proposal".into(), Kind::Proposal, act));
    let own = Change::act(creator, 2, 6, vec![ChangeHash([5; 32])], creator, 0, value);
    all.push(("act-outcome-by-its-creator".into(), Kind::Outcome, own));
    all
}

#[test]
fn old_bytes_stay_readable() {
    let lines: Vec<_> = GOLDEN.lines().filter_map(|l| l.split_once(' ')).collect();
    let expected = changes();
    assert_eq!(lines.len(), expected.len());
    for ((name, hex), (expected_name, kind, change)) in lines.into_iter().zip(expected) {
        assert_eq!(name, expected_name);
        let bytes: Vec<u8> = hex
            .as_bytes()
            .chunks(2)
            .map(|c| u8::from_str_radix(std::str::from_utf8(c).unwrap(), 16).unwrap())
            .collect();
        let read = decode(&bytes, kind).unwrap();
        assert_eq!(read.change, change, "{name}");
        let written = encode(&change).unwrap();
        assert_eq!(
            (written.bytes, written.hash, written.op_count),
            (bytes, read.hash, read.op_count),
            "{name}"
        );
    }
}
