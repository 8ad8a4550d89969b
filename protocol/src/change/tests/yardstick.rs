//! Automerge's own `transaction()` writing the same changes.

use super::super::*;
use crate::value::Value;
use automerge::{Automerge, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, transaction::Transactable};
use proptest::{prelude::*, test_runner::RngSeed};

/// A document written by Automerge alone.
#[derive(Debug, Clone)]
pub(super) struct Yardstick(pub(super) Automerge);

fn scalar(value: &Value) -> Option<ScalarValue> {
    Some(match value {
        Value::Null => ScalarValue::Null,
        Value::Bool(b) => ScalarValue::Boolean(*b),
        Value::Int(v) => ScalarValue::Int(*v),
        Value::Str(s) => ScalarValue::Str(s.as_str().into()),
        Value::Bytes(b) => ScalarValue::Bytes(b.clone()),
        Value::Text(_) | Value::Map(_) | Value::List(_) => return None,
    })
}

fn object_type(value: &Value) -> ObjType {
    match value {
        Value::Text(_) => ObjType::Text,
        Value::List(_) => ObjType::List,
        _ => ObjType::Map,
    }
}

fn fill(tx: &mut impl Transactable, obj: &ObjId, value: &Value) {
    match value {
        Value::Text(text) => tx.splice_text(obj, 0, 0, text).unwrap(),
        Value::Map(map) => {
            for (key, value) in map {
                match scalar(value) {
                    Some(scalar) => tx.put(obj, key.as_str(), scalar).unwrap(),
                    None => {
                        let id = tx.put_object(obj, key.as_str(), object_type(value)).unwrap();
                        fill(tx, &id, value);
                    }
                }
            }
        }
        Value::List(list) => {
            for (at, value) in list.iter().enumerate() {
                match scalar(value) {
                    Some(scalar) => tx.insert(obj, at, scalar).unwrap(),
                    None => {
                        let id = tx.insert_object(obj, at, object_type(value)).unwrap();
                        fill(tx, &id, value);
                    }
                }
            }
        }
        _ => {}
    }
}

fn read(doc: &Automerge, obj: &ObjId, ty: ObjType) -> Value {
    let one = |value: automerge::Value<'_>, id: ObjId| match value {
        automerge::Value::Object(ty) => read(doc, &id, ty),
        automerge::Value::Scalar(s) => match s.as_ref() {
            ScalarValue::Null => Value::Null,
            ScalarValue::Boolean(b) => Value::Bool(*b),
            ScalarValue::Int(v) => Value::Int(*v),
            ScalarValue::Str(s) => Value::Str(s.clone()),
            ScalarValue::Bytes(b) => Value::Bytes(b.clone()),
            other => panic!("unexpected {other:?}"),
        },
    };
    match ty {
        ObjType::Text => Value::Text(doc.text(obj).unwrap()),
        ObjType::List => Value::List(
            (0..doc.length(obj))
                .map(|at| doc.get(obj, at).unwrap().unwrap())
                .map(|(v, id)| one(v, id))
                .collect(),
        ),
        _ => Value::Map(
            doc.keys(obj)
                .map(|key| {
                    let (value, id) = doc.get(obj, key.as_str()).unwrap().unwrap();
                    (key, one(value, id))
                })
                .collect(),
        ),
    }
}

impl Yardstick {
    pub(super) fn new() -> Self {
        Self(Automerge::new())
    }

    /// Writes what `change` says by Automerge's own means; answers its bytes and hash.
    pub(super) fn write(&mut self, actor: ActorId, body: &Body) -> (Vec<u8>, ChangeHash) {
        self.0.set_actor(automerge::ActorId::from(actor.0));
        let seq = self.0.get_changes(&[]).iter().filter(|c| c.actor_id().to_bytes() == actor.0).count() + 1;
        let mut tx = self.0.transaction();
        match body {
            Body::Genesis { kind } => {
                tx.put(ROOT, "format", 1i64).unwrap();
                tx.put(ROOT, "kind", kind.name()).unwrap();
                for c in kind.containers() {
                    tx.put_object(ROOT, c.name, ObjType::Map).unwrap();
                }
            }
            Body::Act { container, value, .. } => {
                let (kind, _) = tx.get(ROOT, "kind").unwrap().unwrap();
                let kind = Kind::ALL.into_iter().find(|k| Some(k.name()) == kind.as_str()).unwrap();
                let (_, container) = tx.get(ROOT, kind.containers()[*container].name).unwrap().unwrap();
                let key = format!("{seq}@{actor}");
                let map = tx.put_object(&container, key.as_str(), ObjType::Map).unwrap();
                fill(&mut tx, &map, &Value::Map(value.clone()));
            }
        }
        let (hash, _) = tx.commit();
        let change = self.0.get_change_by_hash(&hash.unwrap()).unwrap();
        (change.raw_bytes().to_vec(), ChangeHash(change.hash().0))
    }

    /// The act of `seq@actor` as Automerge reads it.
    pub(super) fn act(&self, kind: Kind, container: usize, act: ActRef) -> Value {
        let (_, container) = self.0.get(ROOT, kind.containers()[container].name).unwrap().unwrap();
        let (_, id) = self.0.get(&container, act.to_string()).unwrap().unwrap();
        read(&self.0, &id, ObjType::Map)
    }

    /// The header a next change of `actor` has: its seq, start and sorted dependencies.
    pub(super) fn next(&self, actor: ActorId) -> (u64, u64, Vec<ChangeHash>) {
        let changes = self.0.get_changes(&[]);
        let own = changes.iter().filter(|c| c.actor_id().to_bytes() == actor.0);
        let last = own.clone().max_by_key(|c| c.seq()).map(|c| c.hash());
        let mut deps: Vec<_> = self.0.get_heads().into_iter().chain(last).map(|h| ChangeHash(h.0)).collect();
        deps.sort();
        deps.dedup();
        let max = changes.iter().map(|c| c.max_op()).max().unwrap_or(0);
        (own.count() as u64 + 1, max + 1, deps)
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-c]{1,4}",
        "[村口涵洞积水道路灯]{1,40}",
        proptest::collection::vec(any::<char>(), 0..12).prop_map(|c| c.into_iter().collect()),
        Just("👩‍👩‍👧‍👦 e\u{301}é\u{0}🇨🇳".to_owned()),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{1,2}",
        "[a-z_]{1,12}",
        "[村组]{1,4}",
        text().prop_map(|s| format!("k{s}").chars().take(16).collect())
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-200i64..200).prop_map(Value::Int),
        text().prop_map(|s| Value::Str(s.into())),
        text().prop_map(Value::Text),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::List),
            proptest::collection::btree_map(key(), inner, 0..8)
                .prop_map(|m| Value::Map(m.into_iter().collect())),
        ]
    })
}

/// What an act may carry: random trees, and long votes as the product has them.
pub(super) fn fields() -> impl Strategy<Value = Map> {
    prop_oneof![
        4 => proptest::collection::btree_map(key(), value(), 0..10).prop_map(|m| m.into_iter().collect()),
        1 => (1usize..200).prop_map(|n| {
            let votes = (0..n).map(|i| (format!("m{i}"), Value::Str(["for", "against"][i % 7 / 6].into())));
            Map::from([("votes".into(), Value::Map(votes.collect()))])
        }),
    ]
}

pub(super) fn actor(n: u8) -> ActorId {
    ActorId([n.wrapping_mul(37); 16])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, rng_seed: RngSeed::Fixed(0x1881), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_are_automerges_own(
        kind in proptest::sample::select(Kind::ALL.to_vec()),
        acts in proptest::collection::vec((0u8..3, 0usize..2, any::<bool>(), fields()), 1..6),
        creator in 1u8..4,
    ) {
        let creator = actor(creator);
        let genesis = Change::genesis(creator, kind);
        let mut main = Yardstick::new();
        let (bytes, hash) = main.write(creator, &genesis.body);
        let ours = encode(&genesis).unwrap();
        prop_assert_eq!(&ours.bytes, &bytes);
        prop_assert_eq!(ours.hash, hash);
        prop_assert_eq!(decode(&bytes, kind).unwrap().change, genesis);
        let mut docs = [main.clone(), main.clone(), main];
        for (who, container, merge, value) in acts {
            let author = actor(who + 1);
            let [a, b, c] = &mut docs;
            let (doc, others) = match who { 0 => (a, [b, c]), 1 => (b, [a, c]), _ => (c, [a, b]) };
            if merge {
                for other in others {
                    doc.0.merge(&mut other.0).unwrap();
                }
            }
            let container = container % kind.containers().len();
            let (seq, start_op, deps) = doc.next(author);
            let change = Change::act(author, seq, start_op, deps, creator, container, value.clone());
            let before = doc.clone();
            let (bytes, hash) = doc.write(author, &change.body);
            let ours = encode(&change).unwrap();
            prop_assert_eq!(&ours.bytes, &bytes);
            prop_assert_eq!(ours.hash, hash);
            prop_assert_eq!(ours.op_count, change.op_count());
            let decoded = decode(&bytes, kind).unwrap();
            prop_assert_eq!(&decoded.change, &change);
            prop_assert_eq!((decoded.hash, decoded.op_count), (hash, ours.op_count));
            let peeked = peek(&bytes).unwrap();
            prop_assert_eq!((peeked.actor, peeked.seq, peeked.start_op, peeked.hash), (author, seq, start_op, hash));
            prop_assert_eq!(peeked.deps, change.deps.clone());

            // Automerge takes our bytes, reads the same values, and survives a save.
            let mut taker = before;
            let parsed = automerge::Change::from_bytes(ours.bytes.clone()).unwrap();
            prop_assert_eq!(parsed.max_op(), change.max_op());
            taker.0.apply_changes([parsed]).unwrap();
            prop_assert_eq!(taker.act(kind, container, change.act_ref()), Value::Map(value.clone()));
            let loaded = Yardstick(Automerge::load(&taker.0.save()).unwrap());
            prop_assert_eq!(loaded.act(kind, container, change.act_ref()), Value::Map(value));
            prop_assert_eq!(loaded.0.get_heads(), taker.0.get_heads());
        }
    }
}

#[test]
fn the_longest_acts_are_automerges_own_too() {
    let kind = Kind::Proposal;
    let creator = actor(1);
    let mut doc = Yardstick::new();
    doc.write(creator, &Body::Genesis { kind });
    let minutes: String = "会议记录：同意12户，🚧 缓建3户。".chars().cycle().take(20_000).collect();
    let rows = (0..300).map(|n| Value::Map(Map::from([("n".into(), Value::Int(n))])));
    let value = Map::from([
        ("minutes".into(), Value::Text(minutes)),
        ("rows".into(), Value::List(rows.collect())),
        ("zeros".into(), Value::List(vec![Value::Int(0); 1_000])),
    ]);
    let (seq, start_op, deps) = doc.next(creator);
    let change = Change::act(creator, seq, start_op, deps, creator, 1, value);
    let (bytes, hash) = doc.write(creator, &change.body);
    let ours = encode(&change).unwrap();
    assert!(ours.bytes == bytes && ours.hash == hash);
    assert_eq!(ours.op_count, 21_604);
    assert!(decode(&bytes, kind).unwrap().change == change);
    let loaded = Automerge::load(&doc.0.save()).unwrap();
    assert!(loaded.get_changes(&[]).last().unwrap().raw_bytes() == bytes);
}
