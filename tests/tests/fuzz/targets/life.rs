//! *What the gate accepts applies, reads and saves without failing*: everything that is done with changes
//! after they were admitted, done at once.

use super::federation::{Document, Federation};
use automerge::{Automerge, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, transaction::Transactable};
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    audience::Grant,
    change::{self, Body, Change},
    commit::{ActorRecord, Cover, DocIndex, Place},
    fold::{Author, FoldChange, FoldInput, charter, notice, outcome, proposal, register},
    gate::Admitted,
    header::Header,
    ids::{ActRef, ActorId, ChangeHash, DocId, Hash},
    kind::Kind,
    limits::{BLOCK_BYTES_MAX, DOCUMENT_BYTES_MAX, DOCUMENT_CHANGES_MAX},
    procedure::Procedures,
    value::Value,
    wire::{BlockWriter, OutChange, OutSection},
};

/// A document as a store holds it.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) doc: DocId,
    pub(crate) header: Header,
    pub(crate) grants: Vec<Grant>,
    pub(crate) changes: Vec<Kept>,
}

/// A stored change.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) hash: ChangeHash,
    pub(crate) bytes: Vec<u8>,
    pub(crate) change: Change,
    pub(crate) cover: Option<Cover>,
}

impl Held {
    /// The first `n` changes of a document that came honestly.
    pub(crate) fn honest(document: &Document, n: usize) -> Self {
        let changes = document.changes[..n].iter().enumerate();
        let kept = |(at, out): (usize, &OutChange)| Kept {
            hash: out.hash,
            bytes: document.bytes(at),
            change: out.change.clone(),
            cover: out.cover,
        };
        Self {
            doc: document.id,
            header: document.header.clone(),
            grants: Vec::new(),
            changes: changes.map(kept).collect(),
        }
    }

    /// The shape of its history.
    pub(crate) fn index(&self) -> DocIndex {
        let mut index = DocIndex::default();
        for Kept { hash, bytes, change, .. } in &self.changes {
            let place = Place { actor: change.actor, seq: change.seq, max_op: change.max_op() };
            index.insert(*hash, place, &change.deps);
            index.add_bytes(bytes.len());
        }
        index
    }

    /// Stores what passed, as a store does.
    pub(crate) fn store(&mut self, admitted: &Admitted) {
        self.grants.extend(admitted.grants.iter().cloned());
        for (_, commit) in &admitted.commits {
            let read = change::decode(&commit.bytes, self.header.kind).unwrap();
            assert_eq!(change::encode(&read.change).unwrap().bytes, commit.bytes);
            assert_eq!((read.hash, read.change.max_op()), (commit.hash, commit.max_op));
            let named = (read.change.actor, read.change.seq, &read.change.deps);
            assert_eq!(named, (commit.actor, commit.seq, &commit.deps));
            assert_eq!(change::decode_stored(&commit.bytes, self.header.kind), Ok(read.clone()));
            self.changes.push(Kept {
                hash: commit.hash,
                bytes: commit.bytes.clone(),
                change: read.change,
                cover: commit.cover,
            });
        }
        for (hash, cover) in &admitted.covers {
            let kept = self.changes.iter_mut().find(|k| k.hash == *hash).unwrap();
            kept.cover = kept.cover.or(Some(*cover));
        }
    }

    /// Does everything with it that the product does.
    pub(crate) fn live(&self, fed: &Federation, records: &BTreeMap<ActorId, ActorRecord>) {
        assert!(self.changes.len() <= DOCUMENT_CHANGES_MAX);
        let bytes: u64 = self.changes.iter().map(|k| k.bytes.len() as u64).sum();
        assert!(bytes <= DOCUMENT_BYTES_MAX, "{bytes} bytes do not fit a block");
        let distinct: BTreeSet<_> = self.changes.iter().map(|k| k.hash).collect();
        assert_eq!(distinct.len(), self.changes.len());
        self.hydrate();
        self.fold_twice(fed, records);
        self.pass_on(fed, records);
    }

    /// One branch of each fork: Automerge knows no two changes of one actor and number.
    fn straight(&self) -> Vec<&Kept> {
        let mut lowest: BTreeMap<(ActorId, u64), ChangeHash> = BTreeMap::new();
        for kept in &self.changes {
            let hash = lowest.entry((kept.change.actor, kept.change.seq)).or_insert(kept.hash);
            *hash = kept.hash.min(*hash);
        }
        let mut taken: BTreeSet<ChangeHash> = BTreeSet::new();
        let mut out = Vec::new();
        for kept in &self.changes {
            let chosen = lowest[&(kept.change.actor, kept.change.seq)] == kept.hash;
            if chosen && kept.change.deps.iter().all(|d| taken.contains(d)) {
                taken.insert(kept.hash);
                out.push(kept);
            }
        }
        out
    }

    fn hydrate(&self) {
        let chosen = self.straight();
        let parsed = |k: &&Kept| automerge::Change::from_bytes(k.bytes.clone()).unwrap();
        let mut doc = Automerge::new();
        doc.apply_changes(chosen.iter().map(parsed)).unwrap();
        let mut other = Automerge::new();
        other.apply_changes(chosen.iter().rev().map(parsed)).unwrap();
        assert_eq!(doc.get_heads(), other.get_heads());
        assert_eq!(doc.get_changes(&[]).len(), chosen.len());
        let loaded = Automerge::load(&doc.save()).unwrap();
        assert_eq!(loaded.get_heads(), doc.get_heads());
        for kept in &chosen {
            let Body::Act { container, value, .. } = &kept.change.body else { continue };
            for doc in [&doc, &other, &loaded] {
                let read = act(doc, self.header.kind, *container, kept.change.act_ref());
                assert_eq!(read, Value::Map(value.clone()));
            }
        }
        for change in loaded.get_changes(&[]) {
            let again = change::decode(change.raw_bytes(), self.header.kind).unwrap();
            assert_eq!(again.hash.0, change.hash().0);
        }
        // And Automerge writes on.
        if !chosen.is_empty() {
            let mut next = loaded;
            next.set_actor(automerge::ActorId::from([9; 16]));
            let mut tx = next.transaction();
            tx.put(ROOT, "exported", true).unwrap();
            tx.commit();
            Automerge::load(&next.save()).unwrap();
        }
    }

    fn fold_twice(&self, fed: &Federation, records: &BTreeMap<ActorId, ActorRecord>) {
        let author =
            |record: &ActorRecord| Some((record.actor, Author::of(&fed.directory, &record.cert, None)?));
        let authors: BTreeMap<ActorId, Author> = records.values().filter_map(author).collect();
        let procedures = Procedures::shipped_and([]);
        let of = |k: &Kept| FoldChange { hash: k.hash, change: k.change.clone() };
        let forth: Vec<FoldChange> = self.changes.iter().map(of).collect();
        let mut back = forth.clone();
        back.reverse();
        let digest = |changes: &[FoldChange]| {
            folded(&FoldInput { header: &self.header, changes, authors: &authors, procedures: &procedures })
        };
        assert_eq!(digest(&forth), digest(&back), "the order of arrival decides nothing");
    }

    /// Sends it whole to somebody who has nothing of it.
    fn pass_on(&self, fed: &Federation, records: &BTreeMap<ActorId, ActorRecord>) {
        let out = |k: &Kept| OutChange { hash: k.hash, change: k.change.clone(), cover: k.cover };
        let mut writer = BlockWriter::new();
        let section = OutSection {
            doc: self.doc,
            header: Some(self.header.clone()),
            grants: self.grants.clone(),
            wraps: Vec::new(),
            changes: self.changes.iter().map(out).collect(),
        };
        writer.section(&section, records);
        assert!(writer.len() < BLOCK_BYTES_MAX);
        let verdicts = fed.judge(writer, &[]);
        assert!(verdicts.refused.is_empty(), "cannot be passed on: {:?}", verdicts.refused);
        let there: Vec<&[u8]> =
            verdicts.admitted[0].commits.iter().map(|(_, c)| c.bytes.as_slice()).collect();
        let here: Vec<&[u8]> = self.changes.iter().map(|k| k.bytes.as_slice()).collect();
        assert_eq!(there, here, "the same bytes arrive");
    }
}

fn folded(input: &FoldInput<'_>) -> Option<Hash> {
    match input.header.kind {
        Kind::Proposal => Some(proposal::fold(input).digest()),
        Kind::Outcome => Some(outcome::fold(input).digest()),
        Kind::Charter => Some(charter::fold(input).digest()),
        Kind::Register => Some(register::fold(input).digest()),
        Kind::Notice => Some(notice::fold(input).digest()),
        Kind::Dossier => None,
    }
}

/// One act as Automerge reads it.
fn act(doc: &Automerge, kind: Kind, container: usize, name: ActRef) -> Value {
    let (_, container) = doc.get(ROOT, kind.containers()[container].name).unwrap().unwrap();
    let (_, id) = doc.get(&container, name.to_string()).unwrap().unwrap();
    read(doc, &id, ObjType::Map)
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
                .map(|(value, id)| one(value, id))
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
