//! What `BlockWriter` writes, a receiver rebuilds to the same bytes: dependencies, actors, operation and
//! sequence numbers do not travel, so this is where a difference between the two ends would show.

use crate::federation::{Document, Federation, steps, voices};
use proptest::prelude::*;
use yishi_protocol::{
    change,
    kind::Kind,
    value::{Map, Value},
    wire::BlockWriter,
};

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{1,12}",
        "[涵洞积水路灯]{1,8}",
        Just("kind".into()),
        Just("text".into()),
        Just("3@0707".into())
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        word().prop_map(|s| Value::Str(s.into())),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        "\\PC{0,40}".prop_map(Value::Text),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::btree_map(word(), inner.clone(), 0..5)
                .prop_map(|m| Value::Map(m.into_iter().collect())),
            prop::collection::vec(inner, 0..5).prop_map(Value::List),
        ]
    })
}

/// Who writes, where, what, and on how many of the last changes rather than on the heads.
type Written = (usize, bool, Map, usize);

fn written() -> impl Strategy<Value = Vec<Written>> {
    let fields = prop::collection::btree_map(word(), value(), 0..6).prop_map(|m| m.into_iter().collect());
    prop::collection::vec((0..3usize, any::<bool>(), fields, 0..4usize), 0..12)
}

fn history(fed: &Federation, nonce: u8, acts: &[Written]) -> Document {
    let authors = [&fed.village, &fed.town, &fed.district];
    let mut doc = fed.document(Kind::Proposal, &fed.village, nonce, &fed.path());
    for (author, in_steps, fields, back) in acts {
        let by = authors[*author];
        let deps = match doc.changes.len().checked_sub(*back) {
            // Written without having seen the newest: concurrent branches.
            Some(at) if *back > 0 => vec![doc.changes[at.saturating_sub(1)].hash],
            _ => doc.index.heads().iter().copied().collect(),
        };
        let container = if *in_steps { steps() } else { voices() };
        let change = beyond(&doc, deps, by.actor, container, fields.clone());
        doc.take(fed, by, change);
    }
    doc
}

/// The next change of an author whose own last change may already lie above a dependency: then that
/// alone is what it stands on.
fn beyond(
    doc: &Document,
    deps: Vec<yishi_protocol::ids::ChangeHash>,
    actor: yishi_protocol::ids::ActorId,
    container: usize,
    fields: Map,
) -> change::Change {
    let own_count = deps.iter().filter(|h| doc.index.get(h).is_some_and(|p| p.actor == actor)).count();
    let last = doc.index.last_seq(&actor);
    let at_last = deps.iter().all(|h| doc.index.get(h).is_none_or(|p| p.actor != actor || p.seq == last));
    if own_count <= 1 && at_last {
        doc.next_on(deps, actor, container, fields)
    } else {
        doc.next_on(Vec::new(), actor, container, fields)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_block_is_rebuilt_bit_for_bit(histories in prop::collection::vec((written(), 0..100usize), 1..4)) {
        let fed = Federation::new();
        let docs: Vec<(Document, usize)> = (0u8..)
            .zip(&histories)
            .map(|(n, (acts, cut))| {
                let doc = history(&fed, n, acts);
                let cut = cut % (doc.changes.len() + 1);
                (doc, cut)
            })
            .collect();
        let mut writer = BlockWriter::new();
        let mut known = Vec::new();
        for (doc, cut) in &docs {
            // Some of each history is there already, some travels.
            if *cut > 0 {
                let mut part = doc.clone();
                part.index = Default::default();
                for out in &doc.changes[..*cut] {
                    let max_op = out.change.max_op();
                    let place = yishi_protocol::commit::Place {
                        actor: out.change.actor, seq: out.change.seq, max_op,
                    };
                    part.index.insert(out.hash, place, &out.change.deps);
                }
                known.push(part);
            }
            writer.section(&doc.section(*cut, *cut == 0), &fed.records());
        }
        let known: Vec<&Document> = known.iter().collect();
        let verdicts = fed.judge(writer, &known);
        prop_assert!(verdicts.refused.is_empty(), "{:?}", verdicts.refused);
        for (admitted, (doc, cut)) in verdicts.admitted.iter().zip(&docs) {
            prop_assert_eq!(admitted.doc, doc.id);
            prop_assert_eq!(admitted.commits.len(), doc.changes.len() - cut);
            for ((_, commit), at) in admitted.commits.iter().zip(*cut..) {
                let bytes = doc.bytes(at);
                prop_assert_eq!(&commit.bytes, &bytes);
                prop_assert_eq!(commit.hash, doc.changes[at].hash);
                prop_assert_eq!(&commit.deps, &doc.changes[at].change.deps);
            }
            // What the gate accepts applies, reads and saves.
            let mut automerge = automerge::Automerge::new();
            let before = (0..*cut).map(|at| doc.bytes(at));
            let chunks = before.chain(admitted.commits.iter().map(|(_, c)| c.bytes.clone()));
            let changes = chunks.map(|b| automerge::Change::from_bytes(b).unwrap());
            automerge.apply_changes(changes).unwrap();
            let again = automerge::Automerge::load(&automerge.save()).unwrap();
            let heads: Vec<[u8; 32]> = again.get_heads().iter().map(|h| h.0).collect();
            let ours: Vec<[u8; 32]> = doc.index.heads().iter().map(|h| h.0).collect();
            prop_assert_eq!(heads, ours);
        }
    }
}
