//! The fold of a charter: the numbered, linked snapshots of a place (rule R4).
//!
//! A snapshot's hash is the hash of the change that holds it; the next snapshot names it as `previous`.
//! The chain goes as far as it is unambiguous: two snapshots with one number on top of the same one are
//! equivocation, and what is in force stays the snapshot before them until the parent has spoken.
//! Whether a snapshot grants more than the parent's delegates is a view over two documents (rule R5).

use super::{
    FoldInput, digest,
    history::{History, Past, vouched},
    verdict::{Verdict, Violation},
};
use crate::{
    act::{Act, ActError, Charter as CharterAct},
    calendar::Calendar,
    change::Body,
    charter as articles,
    ids::{ActRef, ChangeHash, Hash, PlaceId},
    planted::Bug,
    procedure,
};
use serde::Serialize;

/// One snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Its hash: what pins and the next snapshot name.
    pub hash: Hash,
    /// The act.
    pub act: ActRef,
    /// From 1.
    pub number: i64,
    /// The snapshot before.
    pub previous: Option<Hash>,
    /// 12-digit code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Label of the level.
    pub level: String,
    /// The parent place.
    pub parent: Option<PlaceId>,
    /// The procedure in force.
    pub procedure: Hash,
    /// The calendar in force.
    pub calendar: Hash,
    /// Its people and powers: the file of its articles.
    pub articles: Option<String>,
    /// The day.
    pub on: i64,
}

/// Two snapshots with one number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Equivocation {
    /// The number.
    pub number: i64,
    /// The snapshots, sorted by hash.
    pub snapshots: Vec<Hash>,
}

/// A place's charter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Charter {
    /// Whose charter it is.
    pub place: PlaceId,
    /// The unambiguous chain, oldest first; the last one is in force.
    pub chain: Vec<Snapshot>,
    /// Where the chain stops because the place said two things.
    pub equivocation: Option<Equivocation>,
    /// Every act with its verdict, in causal order.
    pub acts: Vec<(ActRef, Verdict)>,
    /// The procedures it issued, in causal order.
    pub issued: Vec<Issued>,
    /// The holiday notices it issued, in causal order.
    pub notices: Vec<Notice>,
    /// Acts that wait for a certificate or an earlier change.
    pub pending: Vec<ActRef>,
}

/// A procedure a place issued. What pins it finds it by its file's hash, whoever issued it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issued {
    /// The act.
    pub act: ActRef,
    /// What is pinned.
    pub pin: Hash,
    /// Its name.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// The file.
    pub file: String,
    /// The day.
    pub on: i64,
}

/// A holiday notice a place issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The act.
    pub act: ActRef,
    /// Of which year.
    pub year: i32,
    /// The table.
    pub notice: String,
    /// The day.
    pub on: i64,
}

impl Charter {
    /// The snapshot in force.
    #[must_use]
    pub fn in_force(&self) -> Option<&Snapshot> {
        self.chain.last()
    }

    /// The snapshot a pin names, if it is on the chain.
    #[must_use]
    pub fn pinned(&self, hash: &Hash) -> Option<&Snapshot> {
        self.chain.iter().find(|s| s.hash == *hash)
    }

    /// The hash of the canonical form: equal on nodes that agree.
    #[must_use]
    pub fn digest(&self) -> Hash {
        digest::of("yishi/charter/1", self)
    }
}

/// The hash of the snapshot that a change holds.
#[must_use]
pub fn snapshot_hash(change: &ChangeHash) -> Hash {
    Hash(change.0)
}

/// Folds a charter.
#[must_use]
pub fn fold(input: &FoldInput<'_>) -> Charter {
    let history = History::of(input);
    let past = Past::of(&history);
    let home = input.header.home;
    let mut charter = Charter {
        place: home,
        chain: Vec::new(),
        equivocation: None,
        acts: Vec::new(),
        issued: Vec::new(),
        notices: Vec::new(),
        pending: history
            .stranded
            .iter()
            .map(|c| ActRef { actor: c.change.actor, seq: c.change.seq })
            .collect(),
    };
    // Snapshots that continue some snapshot here, whichever branch it is on.
    let mut linked: Vec<Snapshot> = Vec::new();
    for (t, node) in history.nodes.iter().enumerate() {
        let Body::Act { value, .. } = &node.change.body else { continue };
        let act = node.act();
        let read = Act::<CharterAct>::from_ref(value);
        let verdict = match (&read, node.author) {
            (Err(ActError::Malformed(_)), _) => Verdict::Malformed,
            (_, None) => Verdict::Pending,
            _ if !vouched(&history, &past, t) => Verdict::Revoked,
            (Err(ActError::UnknownKind(_)), _) => Verdict::NeedsNewer,
            (Ok(_), Some(author)) if author.place != home => Verdict::Violation(Violation::NotHome),
            // As with procedures below: a newer program may read them.
            (Ok(Act { what: CharterAct::Snapshot { articles: Some(file), .. }, .. }), _)
                if articles::read_issued(file).is_err() =>
            {
                Verdict::NeedsNewer
            }
            (Ok(Act { what: CharterAct::Snapshot { number, previous, .. }, .. }), _) => {
                let continues = match previous {
                    None => *number == 1,
                    Some(p) => {
                        linked.iter().any(|s| s.hash == *p && s.number.checked_add(1) == Some(*number))
                    }
                };
                if continues { Verdict::Counted } else { Verdict::Violation(Violation::BrokenSnapshotChain) }
            }
            (Ok(Act { what: CharterAct::Procedure { file }, on, .. }), _) => match procedure::read(file) {
                Ok((read, _)) => {
                    let (pin, id, version, file) = (read.pin, read.id, read.version, file.clone());
                    charter.issued.push(Issued { act, pin, id, version, file, on: *on });
                    Verdict::Counted
                }
                // A newer program may read it; nobody issues what his own does not.
                Err(_) => Verdict::NeedsNewer,
            },
            (Ok(Act { what: CharterAct::Holidays { year, notice }, on, .. }), _) => {
                match i32::try_from(*year)
                    .map(|year| (year, Calendar::from_notices([(year, notice.as_str())])))
                {
                    Ok((year, Ok(_))) => {
                        charter.notices.push(Notice { act, year, notice: notice.clone(), on: *on });
                        Verdict::Counted
                    }
                    _ => Verdict::NeedsNewer,
                }
            }
        };
        charter.acts.push((act, verdict));
        if verdict == Verdict::Pending {
            charter.pending.push(act);
        }
        if let (Verdict::Counted, Ok(Act { on, what, .. })) = (verdict, read) {
            #[rustfmt::skip]
            let CharterAct::Snapshot {
                number, previous, code, name, level, parent, procedure, calendar, articles,
            } = what else { continue };
            #[rustfmt::skip]
            linked.push(Snapshot {
                hash: snapshot_hash(node.hash), act, number, previous, code, name, level, parent,
                procedure, calendar, articles, on,
            });
        }
    }
    let mut previous = None;
    loop {
        let mut next: Vec<&Snapshot> = linked.iter().filter(|s| s.previous == previous).collect();
        next.sort_unstable_by_key(|s| s.hash);
        if Bug::TwoSnapshots.planted() {
            next.truncate(1);
        }
        match *next.as_slice() {
            [] => break,
            [only] => {
                previous = Some(only.hash);
                charter.chain.push(only.clone());
            }
            [first, ..] => {
                let snapshots = next.iter().map(|s| s.hash).collect();
                charter.equivocation = Some(Equivocation { number: first.number, snapshots });
                break;
            }
        }
    }
    charter
}
