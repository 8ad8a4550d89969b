//! Every crafted change known to hurt Automerge, refused for its own reason and at no cost.

use super::{
    super::{columns::put_int, *},
    assembly::{Assembly, runs, sealed},
    yardstick::actor,
};
use crate::limits::*;

/// An act of six operations by another actor than the creator:
/// the act's map, `n` = 7, `t` = text of two characters, `v` = true.
fn act() -> Change {
    let value = Map::from([
        ("n".into(), Value::Int(7)),
        ("t".into(), Value::Text("议事".into())),
        ("v".into(), Value::Bool(true)),
    ]);
    let deps = vec![ChangeHash([1; 32]), ChangeHash([2; 32])];
    Change::act(actor(2), 3, 40, deps, actor(1), 0, value)
}

fn refusal(bytes: &[u8]) -> ChangeError {
    decode(bytes, Kind::Proposal).unwrap_err()
}

/// The refusal of [`act`] after `edit`.
fn edited(edit: impl FnOnce(&mut Assembly)) -> ChangeError {
    let mut assembly = Assembly::of(&act());
    edit(&mut assembly);
    refusal(&assembly.bytes())
}

/// The refusal of [`act`] with other bytes in one column.
fn column(column: Column, bytes: &[u8]) -> ChangeError {
    edited(|a| *a.column(column) = bytes.to_vec())
}

fn not_canonical(part: Column) -> ChangeError {
    ChangeError::NotCanonical { part: Part::Column(part) }
}

#[test]
fn the_assembly_itself_is_right() {
    let bytes = Assembly::of(&act()).bytes();
    assert_eq!(bytes, encode(&act()).unwrap().bytes);
    assert_eq!(decode(&bytes, Kind::Proposal).unwrap().change, act());
    assert_eq!(act().op_count(), 6);
    assert_eq!(act().max_op(), 45);
}

#[test]
fn the_envelope() {
    let good = encode(&act()).unwrap().bytes;
    for chunk_type in [0, 2, 3, 4, 255] {
        assert_eq!(edited(|a| a.chunk_type = chunk_type), ChangeError::ChunkType(chunk_type));
    }
    for end in 0..good.len() {
        let expected = if end < 10 {
            ChangeError::Truncated
        } else {
            ChangeError::Length { declared: good.len() as u64 - 11, present: end.saturating_sub(11) }
        };
        let found = refusal(&good[..end]);
        assert!(found == expected || found == ChangeError::Truncated && end < 11, "{end}: {found:?}");
    }
    let (declared, mut bytes) = (good.len() as u64 - 11, good.clone());
    bytes.push(0);
    assert_eq!(refusal(&bytes), ChangeError::Length { declared, present: good.len() - 10 });
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        let found = refusal(&bytes);
        let fits = match at {
            0..4 => found == ChangeError::Magic,
            8 => found == ChangeError::ChunkType(0),
            9..11 => matches!(found, ChangeError::Length { .. } | ChangeError::Number),
            _ => found == ChangeError::Checksum,
        };
        assert!(fits, "{at}: {found:?}");
    }
    let big = vec![0; CHANGE_BYTES_MAX + 1];
    assert_eq!(refusal(&big), ChangeError::TooLarge { bytes: big.len() });
    assert_eq!(peek(&big).unwrap_err(), ChangeError::TooLarge { bytes: big.len() });
    assert_eq!(refusal(b""), ChangeError::Truncated);
    // A length of five bytes where one would do.
    let mut long = good[..9].to_vec();
    long.extend([good[9] & 0x7f | 0x80, good[10] | 0x80, 0]);
    long.extend(&good[11..]);
    assert_eq!(refusal(&long), ChangeError::Number);
}

#[test]
fn the_header() {
    assert_eq!(edited(|a| a.deps.reverse()), ChangeError::DepsUnsorted);
    assert_eq!(edited(|a| a.deps[1] = a.deps[0]), ChangeError::DepsUnsorted);
    assert_eq!(edited(|a| a.deps.clear()), ChangeError::NoDeps);
    let many =
        (0..=CHANGE_DEPS_MAX).map(|n| std::array::from_fn(|i| if i == 0 { (n >> 8) as u8 } else { n as u8 }));
    let count = CHANGE_DEPS_MAX as u64 + 1;
    assert_eq!(edited(|a| a.deps = many.collect()), ChangeError::TooManyDeps { count });
    assert_eq!(edited(|a| a.actor.truncate(15)), ChangeError::ActorLength { bytes: 15 });
    assert_eq!(edited(|a| a.others[0].push(0)), ChangeError::ActorLength { bytes: 17 });
    assert_eq!(edited(|a| a.seq = 0), ChangeError::Seq { min: 1 });
    assert_eq!(edited(|a| a.seq = 4), ChangeError::ActKey);
    assert_eq!(edited(|a| a.start_op = 0), ChangeError::StartOp { start_op: 0 });
    assert_eq!(edited(|a| a.start_op = 4), ChangeError::StartOp { start_op: 4 });
    assert_eq!(edited(|a| a.start_op = u64::from(u32::MAX)), ChangeError::Counter);
    assert_eq!(edited(|a| a.start_op = u64::MAX), ChangeError::Counter);
    assert_eq!(edited(|a| a.start_op = OP_COUNTER_MAX - 5), ChangeError::Counter);
    assert_eq!(edited(|a| a.time = 1), ChangeError::Time);
    assert_eq!(edited(|a| a.time = i64::MIN), ChangeError::Time);
    assert_eq!(edited(|a| a.message = b"hi".into()), ChangeError::Message { bytes: 2 });
    // What Automerge would read as an author.
    assert_eq!(edited(|a| a.extra = vec![1, 16, 0]), ChangeError::ExtraBytes { bytes: 3 });
    // A header whose numbers are longer than needed.
    let good = Assembly::of(&act());
    let bytes = good.bytes();
    let at = 11 + 1 + 64 + 17;
    assert_eq!(bytes[at], 3);
    let mut data = bytes[11..].to_vec();
    data.splice(at - 11..=at - 11, [0x83, 0]);
    assert_eq!(refusal(&sealed(1, &data)), ChangeError::Number);
}

#[test]
fn the_actors() {
    assert_eq!(edited(|a| a.others.push(vec![9; 16])), ChangeError::TooManyActors { count: 2 });
    assert_eq!(edited(|a| a.others[0] = a.actor.clone()), ChangeError::AuthorListedTwice);
    // Unlisted: the first operation refers to actor 1, which is gone.
    assert_eq!(edited(|a| a.others.clear()), ChangeError::UnknownActor { index: 1 });
    let unknown = runs(&[(-1, &[7]), (5, &[0])]);
    assert_eq!(column(Column::ObjectActor, &unknown), ChangeError::UnknownActor { index: 7 });
    let unknown = runs(&[(0, &[4]), (-1, &[u64::MAX]), (0, &[1])]);
    assert_eq!(column(Column::ElementActor, &unknown), ChangeError::UnknownActor { index: u64::MAX });
    // Listed and unused: the save would never load again.
    assert_eq!(column(Column::ObjectActor, &runs(&[(6, &[0])])), ChangeError::UnusedActor);
    let swapped = runs(&[(-1, &[0]), (5, &[1])]);
    assert_eq!(column(Column::ObjectActor, &swapped), not_canonical(Column::ObjectActor));
}

#[test]
fn runs_that_would_eat_the_memory() {
    for claimed in [CHANGE_OPS_MAX + 1, 1 << 40, i64::MAX as u64] {
        let mut small = Assembly::of(&Change::genesis(actor(1), Kind::Proposal));
        *small.column(Column::Action) = runs(&[(claimed as i64, &[1])]);
        let bytes = small.bytes();
        assert!(bytes.len() < 149);
        assert_eq!(refusal(&bytes), ChangeError::TooManyOps { ops: claimed });
        // In two runs whose sum wraps.
        *small.column(Column::Action) = runs(&[(i64::MAX, &[1]), (i64::MAX, &[0]), (2, &[1])]);
        assert!(matches!(refusal(&small.bytes()), ChangeError::TooManyOps { .. }));

        let mut long = Vec::new();
        put_int(&mut long, claimed as i64);
        long.push(0);
        for column_of in [
            Column::ObjectActor,
            Column::ObjectCounter,
            Column::ElementActor,
            Column::ElementCounter,
            Column::ValueKind,
            Column::Predecessors,
        ] {
            assert_eq!(column(column_of, &long), ChangeError::RunTooLong { column: column_of });
        }
        let mut key = Vec::new();
        put_int(&mut key, claimed as i64);
        key.extend([1, b'k']);
        assert_eq!(column(Column::Key, &key), ChangeError::RunTooLong { column: Column::Key });
        let nulls = runs(&[(0, &[claimed])]);
        assert_eq!(column(Column::Key, &nulls), ChangeError::RunTooLong { column: Column::Key });
        let literal = runs(&[(-(claimed as i64), &[])]);
        assert_eq!(
            column(Column::ValueKind, &literal),
            ChangeError::RunTooLong { column: Column::ValueKind }
        );
        let insert = runs(&[(0, &[claimed])]);
        assert_eq!(column(Column::Insert, &insert), ChangeError::RunTooLong { column: Column::Insert });
    }
    // A value longer than the bytes there are.
    let kinds = runs(&[(-1, &[0]), (-1, &[u64::MAX << 4 | 6])]);
    assert_eq!(column(Column::ValueKind, &kinds), ChangeError::ValueLength { counter: 41 });
    assert_eq!(edited(|a| a.columns.clear()), ChangeError::NoOps);
}

#[test]
fn the_columns() {
    assert_eq!(edited(|a| a.columns[0].0 |= 8), ChangeError::CompressedColumn { spec: 9 });
    // Predecessors' ids, marks' expand and name, a column of the future.
    for spec in [113, 115, 148, 165, 7_777] {
        assert_eq!(edited(|a| a.columns.push((spec, vec![1]))), ChangeError::UnknownColumn { spec });
    }
    assert_eq!(edited(|a| a.columns.swap(0, 1)), ChangeError::ColumnOrder);
    assert_eq!(edited(|a| a.columns.insert(1, a.columns[0].clone())), ChangeError::ColumnOrder);
    let mut huge = Assembly::of(&Change::genesis(actor(1), Kind::Proposal));
    huge.columns.clear();
    let mut data = huge.bytes()[10..].to_vec();
    data.pop();
    data.extend([1, 66, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    assert_eq!(refusal(&sealed(1, &data)), ChangeError::ColumnLength);
    // An empty column is not listed.
    let mut genesis = Assembly::of(&Change::genesis(actor(1), Kind::Proposal));
    genesis.column(Column::ObjectActor);
    assert_eq!(refusal(&genesis.bytes()), ChangeError::NotCanonical { part: Part::Header });
    // Any column missing or cut short.
    let all = Assembly::of(&act()).columns.len();
    assert_eq!(all, Column::ALL.len());
    for at in 0..all {
        let names_it = |e: ChangeError| match e {
            ChangeError::NoOps => at == 6,
            ChangeError::UnusedActor => at == 0,
            ChangeError::NotGenesis => at == 1,
            ChangeError::ActKey => at == 4,
            ChangeError::ValueLength { .. } => at == 8,
            ChangeError::Malformed { column }
            | ChangeError::ColumnTooShort { column }
            | ChangeError::NotCanonical { part: Part::Column(column) } => column == Column::ALL[at],
            _ => false,
        };
        let missing = edited(|a| _ = a.columns.remove(at));
        assert!(names_it(missing), "{at}: {missing:?}");
        let cut = edited(|a| _ = a.columns[at].1.pop());
        assert!(names_it(cut), "{at}: {cut:?}");
    }
}

#[test]
fn the_operations() {
    let set = |action| runs(&[(-4, &[0, 1, 4, 1]), (-2, &[1, action])]);
    for action in [3, 5, 6, 7, 8, u64::MAX] {
        let found = column(Column::Action, &set(action));
        assert_eq!(found, ChangeError::Action { counter: 45, action });
    }
    // The same inside a text.
    let inside = runs(&[(-5, &[0, 1, 4, 3, 1]), (-1, &[1])]);
    assert_eq!(column(Column::Action, &inside), ChangeError::Action { counter: 43, action: 3 });
    assert_eq!(column(Column::Predecessors, &runs(&[(5, &[0]), (-1, &[1])])), ChangeError::Predecessors);
    for kind in [3, 5, 8, 9, 15] {
        let kinds = runs(&[(-3, &[0, 16 | kind, 0]), (2, &[54]), (-1, &[2])]);
        assert_eq!(column(Column::ValueKind, &kinds), ChangeError::ValueType { counter: 41, kind });
    }
    // `true` with a byte of its own; a map with a value; a byte too much at the end.
    let kinds = runs(&[(-3, &[0, 20, 0]), (2, &[54]), (-1, &[18])]);
    assert_eq!(column(Column::ValueKind, &kinds), ChangeError::ValueLength { counter: 45 });
    let kinds = runs(&[(-3, &[2, 20, 0]), (2, &[54]), (-1, &[2])]);
    assert_eq!(column(Column::ValueKind, &kinds), ChangeError::ValueType { counter: 40, kind: 2 });
    assert_eq!(edited(|a| a.column(Column::Value).push(0)), ChangeError::ValueLength { counter: 46 });
    assert_eq!(edited(|a| a.column(Column::Value)[1] = 0xff), ChangeError::Utf8 { counter: 43 });
    // Two characters cut in the wrong place: readable as a whole, and not what Automerge writes.
    let kinds = runs(&[(-6, &[0, 20, 0, 22, 86, 2])]);
    assert_eq!(column(Column::ValueKind, &kinds), not_canonical(Column::ValueKind));
    // An integer in two bytes where one would do.
    let long = edited(|a| {
        *a.column(Column::ValueKind) = runs(&[(-3, &[0, 36, 0]), (2, &[54]), (-1, &[2])]);
        a.column(Column::Value).splice(0..1, [0x87, 0]);
    });
    assert_eq!(long, not_canonical(Column::ValueKind));
}

#[test]
fn the_objects() {
    // The columns of objects: container 3, the act 40, the text 42.
    let right = runs(&[(-1, &[3]), (2, &[40]), (2, &[42]), (-1, &[40])]);
    assert_eq!(*Assembly::of(&act()).column(Column::ObjectCounter), right);
    // A missing object, one of another change, one not yet made.
    for object in [41, 99, 7] {
        let objects = runs(&[(-1, &[3]), (2, &[40]), (2, &[42]), (-1, &[object])]);
        let found = column(Column::ObjectCounter, &objects);
        assert_eq!(found, ChangeError::Object { counter: 45, object: Some(object) });
    }
    let objects = runs(&[(-1, &[3]), (2, &[40]), (2, &[42]), (0, &[1])]);
    assert_eq!(column(Column::ObjectCounter, &objects), ChangeError::Object { counter: 45, object: None });
    // Not a container: the genesis' scalar, an object of an act, a container of another kind.
    for object in [2, 5, 39, u64::MAX] {
        let objects = runs(&[(-1, &[object]), (2, &[40]), (2, &[42]), (-1, &[40])]);
        assert_eq!(column(Column::ObjectCounter, &objects), ChangeError::Container { object });
    }
    let second =
        encode(&Change { body: Body::Act { creator: actor(1), container: 1, value: Map::new() }, ..act() });
    let second = second.unwrap().bytes;
    assert!(decode(&second, Kind::Proposal).is_ok());
    assert_eq!(decode(&second, Kind::Dossier).unwrap_err(), ChangeError::Container { object: 4 });
    // A missing element: the second character after one that is not there.
    let mut deltas = runs(&[(0, &[3])]);
    put_int(&mut deltas, -2);
    put_int(&mut deltas, 0);
    put_int(&mut deltas, 99);
    deltas.extend(runs(&[(0, &[1])]));
    assert_eq!(column(Column::ElementCounter, &deltas), not_canonical(Column::ElementCounter));
    // A field inserted like an element, an element put like a field.
    assert_eq!(column(Column::Insert, &[6]), not_canonical(Column::Insert));
    assert_eq!(column(Column::Insert, &[0, 6]), not_canonical(Column::Insert));
}

/// A column of keys: `None` is a null.
fn keys(keys: &[Option<&str>]) -> Vec<u8> {
    let mut w = columns::RleWriter::<&str>::new();
    keys.iter().for_each(|k| w.push(*k));
    w.finish()
}

#[test]
fn the_keys() {
    let own = act().act_ref().to_string();
    let own = Some(own.as_str());
    let keyed = |k: &[Option<&str>]| column(Column::Key, &keys(k));
    assert_eq!(
        keyed(&[own, Some("n"), Some("t"), Some("x"), None, Some("v")]),
        ChangeError::KeyShape { counter: 43 },
        "a map key in a text"
    );
    assert_eq!(keyed(&[own, None, Some("t"), None, None, Some("v")]), ChangeError::KeyShape { counter: 41 });
    let order = keyed(&[own, Some("t"), Some("n"), None, None, Some("v")]);
    assert_eq!(order, ChangeError::KeyOrder { counter: 42 });
    let twice = keyed(&[own, Some("n"), Some("t"), None, None, Some("t")]);
    assert_eq!(twice, ChangeError::KeyOrder { counter: 45 });
    let empty = keyed(&[own, Some(""), Some("t"), None, None, Some("v")]);
    assert_eq!(empty, ChangeError::KeyLength { counter: 41, bytes: 0 });
    let long = "k".repeat(KEY_BYTES_MAX + 1);
    let long = keyed(&[own, Some(&long), Some("t"), None, None, Some("v")]);
    assert_eq!(long, ChangeError::KeyLength { counter: 41, bytes: KEY_BYTES_MAX + 1 });
    // Another act's key, or a written zero.
    for key in
        ["1@25", "3@", &format!("4@{}", actor(2)), &format!("03@{}", actor(2)), &format!("3@{}", actor(1))]
    {
        assert_eq!(
            keyed(&[Some(key), Some("n"), Some("t"), None, None, Some("v")]),
            ChangeError::ActKey,
            "{key}"
        );
    }
    // The same rows in longer runs.
    let rows = [own, Some("n"), Some("t"), None, None, Some("v")];
    let minimal = keys(&rows);
    let mut split: Vec<u8> = rows[..3].iter().flat_map(|k| keys(&[*k])).collect();
    split.extend(runs(&[(0, &[1]), (0, &[1])]));
    split.extend(keys(&[Some("v")]));
    assert!(split.len() > minimal.len());
    assert_eq!(column(Column::Key, &split), not_canonical(Column::Key));
}

#[test]
fn runs_longer_than_needed() {
    let split = runs(&[(2, &[0]), (4, &[0])]);
    assert_eq!(column(Column::Predecessors, &split), not_canonical(Column::Predecessors));
    let split = runs(&[(-1, &[0]), (-1, &[1]), (-4, &[4, 1, 1, 1])]);
    assert_eq!(column(Column::Action, &split), not_canonical(Column::Action));
    // A header of two bytes where one would do.
    let long = [&[0x86, 0][..], &[0]].concat();
    assert_eq!(column(Column::Predecessors, &long), not_canonical(Column::Predecessors));
    // Rows missing at the end, or a zero run at the end of the booleans.
    assert_eq!(column(Column::Predecessors, &runs(&[(5, &[0])])), not_canonical(Column::Predecessors));
    assert_eq!(edited(|a| a.column(Column::Insert).push(0)), not_canonical(Column::Insert));
    let short = runs(&[(-3, &[0, 20, 0]), (2, &[54])]);
    assert_eq!(column(Column::ValueKind, &short), ChangeError::ColumnTooShort { column: Column::ValueKind });
    assert_eq!(column(Column::ValueKind, &[0x7f]), ChangeError::Malformed { column: Column::ValueKind });
    assert_eq!(column(Column::ValueKind, &[0, 0]), ChangeError::Malformed { column: Column::ValueKind });
}

#[test]
fn what_is_not_a_genesis() {
    let genesis = Change::genesis(actor(1), Kind::Proposal);
    let edit = |edit: &dyn Fn(&mut Assembly)| {
        let mut a = Assembly::of(&genesis);
        edit(&mut a);
        refusal(&a.bytes())
    };
    assert_eq!(edit(&|a| a.seq = 2), ChangeError::NotGenesis);
    assert_eq!(edit(&|a| a.start_op = 2), ChangeError::NotGenesis);
    assert_eq!(edit(&|a| a.deps.push([1; 32])), ChangeError::NotGenesis);
    assert_eq!(edit(&|a| a.column(Column::Value)[0] = 2), ChangeError::NotGenesis);
    assert_eq!(edit(&|a| *a.column(Column::Action) = runs(&[(2, &[1]), (2, &[2])])), ChangeError::NotGenesis);
    assert_eq!(
        edit(&|a| *a.column(Column::ObjectActor) = runs(&[(0, &[4])])),
        not_canonical(Column::ObjectActor)
    );
    for kind in Kind::ALL {
        let bytes = encode(&Change::genesis(actor(1), kind)).unwrap().bytes;
        for other in Kind::ALL {
            let right = decode(&bytes, other).map(|d| d.change) == Ok(Change::genesis(actor(1), other));
            assert_eq!(right, kind == other);
        }
    }
    // The creator's first change is the genesis; an act there would be of a forked history.
    let own = Change { actor: actor(1), seq: 2, ..act() };
    let mut a = Assembly::of(&own);
    a.seq = 1;
    assert_eq!(refusal(&a.bytes()), ChangeError::Seq { min: 2 });
}

/// `depth` maps inside each other, the outermost being the act's own.
fn nested(depth: usize) -> Map {
    (1..depth).fold(Map::new(), |inner, _| Map::from([("m".into(), Value::Map(inner))]))
}

#[test]
fn what_is_never_written() {
    let with = |edit: &dyn Fn(&mut Change)| {
        let mut c = act();
        edit(&mut c);
        encode(&c).map(|e| decode(&e.bytes, Kind::Proposal).map(|d| d.change == c))
    };
    let value =
        |value: Map| with(&|c| c.body = Body::Act { creator: actor(1), container: 0, value: value.clone() });
    let refused = |e| Err(e);
    assert_eq!(with(&|_| {}), Ok(Ok(true)));
    assert_eq!(with(&|c| c.seq = 0), refused(EncodeError::Seq { min: 1 }));
    assert_eq!(with(&|c| (c.actor, c.seq) = (actor(1), 1)), refused(EncodeError::Seq { min: 2 }));
    assert_eq!(with(&|c| c.deps.clear()), refused(EncodeError::NoDeps));
    assert_eq!(with(&|c| c.deps.reverse()), refused(EncodeError::DepsUnsorted));
    assert_eq!(
        with(&|c| c.deps = vec![ChangeHash([0; 32]); 257]),
        refused(EncodeError::TooManyDeps { count: 257 })
    );
    assert_eq!(with(&|c| c.start_op = 3), refused(EncodeError::StartOp { start_op: 3 }));
    assert_eq!(with(&|c| c.start_op = OP_COUNTER_MAX - 6), Ok(Ok(true)));
    assert_eq!(with(&|c| c.start_op = OP_COUNTER_MAX - 5), refused(EncodeError::Counter));
    assert_eq!(with(&|c| c.start_op = u64::MAX), refused(EncodeError::Counter));
    let container = |container| Body::Act { creator: actor(1), container, value: Map::new() };
    assert_eq!(with(&|c| c.body = container(9)), refused(EncodeError::Container { container: 9 }));
    assert_eq!(
        with(&|c| c.body = Body::Genesis { kind: Kind::Dossier }),
        refused(EncodeError::GenesisHeader)
    );
    assert_eq!(value(nested(VALUE_DEPTH_MAX)), Ok(Ok(true)));
    assert_eq!(value(nested(VALUE_DEPTH_MAX + 1)), refused(EncodeError::TooDeep));
    let key = |n| Map::from([("k".repeat(n).into(), Value::Null)]);
    assert_eq!(value(key(KEY_BYTES_MAX)), Ok(Ok(true)));
    for bytes in [0, KEY_BYTES_MAX + 1] {
        assert_eq!(value(key(bytes)), refused(EncodeError::KeyLength { bytes }));
    }
    let list = |n| Map::from([("l".into(), Value::List(vec![Value::Null; n]))]);
    let most = CHANGE_OPS_MAX as usize - 2;
    assert_eq!(value(list(most)), Ok(Ok(true)));
    assert_eq!(value(list(most + 1)), refused(EncodeError::TooManyOps { ops: CHANGE_OPS_MAX + 1 }));
    let text = Map::from([("t".into(), Value::Str("议".repeat(CHANGE_BYTES_MAX / 3).into()))]);
    assert!(matches!(value(text), Err(EncodeError::TooLarge { .. })));
}

#[test]
fn too_deep_is_refused_by_the_reader_itself() {
    // Nine maps by hand: no writer of ours makes them.
    let n = VALUE_DEPTH_MAX as u64 + 1;
    let mut a = Assembly::of(&Change {
        body: Body::Act { creator: actor(1), container: 0, value: Map::new() },
        ..act()
    });
    let mut objects = columns::RleWriter::<u64>::new();
    let mut names = columns::RleWriter::<&str>::new();
    let own = act().act_ref().to_string();
    objects.push(Some(3));
    names.push(Some(&own));
    for at in 1..n {
        objects.push(Some(39 + at));
        names.push(Some("m"));
    }
    let rows = n as i64;
    *a.column(Column::ObjectActor) = runs(&[(-1, &[1]), (rows - 1, &[0])]);
    *a.column(Column::ObjectCounter) = objects.finish();
    *a.column(Column::Key) = names.finish();
    *a.column(Column::Insert) = vec![n as u8];
    for zero in [Column::Action, Column::ValueKind, Column::Predecessors] {
        *a.column(zero) = runs(&[(rows, &[0])]);
    }
    assert_eq!(refusal(&a.bytes()), ChangeError::TooDeep { counter: 40 + n - 1 });
}
