//! The gate: what may be stored, whoever delivered it.
//!
//! Every change that comes over a link is rebuilt bit for bit from what travelled, checked against the
//! document's history, its header, the audience and the table of writers, and covered by a signature of
//! its own actor. What passes applies, reads and saves in any Automerge without failing, because it was
//! written by our own encoder from values that have only one form.
//!
//! The gate says nothing about meaning: an act that was not allowed passes and is listed by the fold. A
//! section — one document's part of a block — passes whole or not at all; the others are not disturbed.

use crate::{
    audience::{Audience, Grant, GrantError, may_widen},
    beside::{Beside, BesideError},
    cert::Directory,
    change::{self, Body, Change},
    commit::{ActorRecord, Commit, Cover, DocIndex, Place},
    header::Header,
    ids::{ActorId, ChangeHash, DocId, PlaceId},
    key::{SignatureItem, commit_message, verify_many},
    kind::{Kind, Writers},
    limits::{DOCUMENT_BYTES_MAX, DOCUMENT_CHANGES_MAX},
    planted::Bug,
    room::{self, Arrived, Room},
    wire::{Block, DepRef, DocRef, Elided, Section, Shape},
};
use rand_core::CryptoRng;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// What the receiver knows of a document before a block.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its header.
    pub header: Header,
    /// Header reach and stored grants.
    pub audience: Audience,
    /// The shape of its history.
    pub index: DocIndex,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Gate<'a> {
    /// Every certificate known here.
    pub directory: &'a Directory,
    /// The place of this node.
    pub me: PlaceId,
}

/// Why a section was not stored. The text of [`Refusal::code`] is stable and travels in the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The document is not for this place.
    #[error("the document is not for this place")]
    NotForUs,
    /// The document belongs to another federation.
    #[error("the document belongs to another federation")]
    OtherFederation,
    /// The header claims a home that is not its creator's place.
    #[error("the document claims a home place that its creator does not speak for")]
    WrongHome,
    /// The header shows the document to places its creator may not show it to.
    #[error("the document's reach goes beyond its creator's path")]
    Reach,
    /// A widening does not hold.
    #[error("a widening does not hold: {0}")]
    Grant(#[from] GrantError),
    /// A document is named that is not known here and came without its header.
    #[error("the document is not known here and came without its header")]
    UnknownDocument,
    /// A change stands on one that is not known here.
    #[error("a change stands on one that is not known here")]
    MissingDependency,
    /// An abbreviated dependency fits several changes.
    #[error("an abbreviated dependency fits several changes")]
    AmbiguousDependency,
    /// A certificate is named that is not known here.
    #[error("a certificate is named that is not known here")]
    UnknownCertificate,
    /// A genesis where none may be, or by another than the creator.
    #[error("the document's first change is not its creator's")]
    Genesis,
    /// The change is no change of ours.
    #[error("the change is not one of ours: {0}")]
    Change(String),
    /// Sequence, first operation or previous change do not follow from the history.
    #[error("the change does not follow its author's previous one")]
    History,
    /// The author does not see the document.
    #[error("the author's place does not see the document")]
    AuthorOutside,
    /// The author may not write into that container.
    #[error("the author's place may not write there")]
    NotWriter,
    /// The change claims an actor that its signer's key does not have.
    #[error("the change claims another author than its signer")]
    WrongActor,
    /// The signature does not hold.
    #[error("a signature does not hold")]
    BadSignature,
    /// A change is not covered by any signature of its own actor.
    #[error("a change is not covered by a signature of its author")]
    Uncovered,
    /// The document would become too large to be sent whole.
    #[error("the document would have too many changes or bytes for its author's place")]
    TooLarge,
}

impl Refusal {
    /// The stable word that travels in verdicts and stands in stores.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotForUs => "not_for_us",
            Self::OtherFederation => "other_federation",
            Self::WrongHome => "wrong_home",
            Self::Reach => "reach",
            Self::Grant(_) => "grant",
            Self::UnknownDocument => "unknown_document",
            Self::MissingDependency => "missing_dependency",
            Self::AmbiguousDependency => "ambiguous_dependency",
            Self::UnknownCertificate => "unknown_certificate",
            Self::Genesis => "genesis",
            Self::Change(_) => "change",
            Self::History => "history",
            Self::AuthorOutside => "author_outside",
            Self::NotWriter => "not_writer",
            Self::WrongActor => "wrong_actor",
            Self::BadSignature => "bad_signature",
            Self::Uncovered => "uncovered",
            Self::TooLarge => "too_large",
        }
    }

    /// Whether something is missing here that the other side must have, so that the two must reconcile
    /// rather than give up: a later arrival can change this verdict (rule R13).
    #[must_use]
    pub fn asks_for_reconciliation(&self) -> bool {
        matches!(
            self,
            Self::MissingDependency
                | Self::UnknownDocument
                | Self::AmbiguousDependency
                | Self::UnknownCertificate
        )
    }
}

/// A section that passed.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// The document.
    pub doc: DocId,
    /// Its header, if it was not known before.
    pub new_header: Option<Header>,
    /// Widenings that were not known before.
    pub grants: Vec<Grant>,
    /// Records beside a dossier.
    pub wraps: Vec<Beside>,
    /// Changes not known before, each with its ordinal among the block's commits.
    pub commits: Vec<(u64, Commit)>,
    /// Signatures of changes that were known already.
    pub covers: Vec<(ChangeHash, Cover)>,
}

/// What became of a block.
#[derive(Debug, Clone, Default)]
pub struct Verdicts {
    /// Sections to store.
    pub admitted: Vec<Admitted>,
    /// Sections refused: the document, the ordinals of its commits in the block, and why.
    pub refused: Vec<(DocId, std::ops::Range<u64>, Refusal)>,
    /// The commits of the block that are stored after this, in block order: what a receipt covers.
    pub stored: Vec<(DocId, ChangeHash)>,
    /// The authors of admitted changes.
    pub actors: Vec<ActorRecord>,
}

struct Draft {
    admitted: Admitted,
    all: Vec<ChangeHash>,
    signatures: Vec<SignatureItem>,
    authors: BTreeSet<ActorId>,
    ordinals: std::ops::Range<u64>,
}

impl Gate<'_> {
    /// Judges a block. `known` has an entry for every document of it that this node holds. The
    /// certificates and revocations of the block are already in the directory.
    pub fn admit(
        &self,
        block: &Block,
        known: &mut BTreeMap<DocId, Known>,
        rng: &mut impl CryptoRng,
    ) -> Verdicts {
        let mut verdicts = Verdicts::default();
        let mut drafts = Vec::new();
        let mut ordinal = 0u64;
        for section in &block.sections {
            let ordinals = ordinal..ordinal + section.changes.len() as u64;
            ordinal = ordinals.end;
            let doc = section.doc.id();
            match self.section(block, section, doc, known.get(&doc), ordinals.clone()) {
                Ok(draft) => drafts.push(draft),
                Err(refusal) => verdicts.refused.push((doc, ordinals, refusal)),
            }
        }
        let items: Vec<SignatureItem> = drafts.iter().flat_map(|d| d.signatures.iter().cloned()).collect();
        let bad = verify_many(&items, rng).err().unwrap_or_default();
        let mut first = 0usize;
        let mut actors = BTreeSet::new();
        for draft in drafts {
            let range = first..first + draft.signatures.len();
            first = range.end;
            let doc = draft.admitted.doc;
            if bad.iter().any(|i| range.contains(i)) && !Bug::SignatureUnchecked.planted() {
                verdicts.refused.push((doc, draft.ordinals, Refusal::BadSignature));
                continue;
            }
            verdicts.stored.extend(draft.all.into_iter().map(|hash| (doc, hash)));
            actors.extend(draft.authors);
            verdicts.admitted.push(draft.admitted);
        }
        verdicts.actors =
            block.actors.iter().map(|a| a.record).filter(|r| actors.contains(&r.actor)).collect();
        verdicts
    }

    fn section(
        &self,
        block: &Block,
        section: &Section,
        doc: DocId,
        known: Option<&Known>,
        ordinals: std::ops::Range<u64>,
    ) -> Result<Draft, Refusal> {
        let new_header = match (&section.doc, known) {
            (DocRef::New(header), None) => Some(self.header(block, header)?),
            (_, Some(_)) => None,
            (DocRef::Known(_), None) => return Err(Refusal::UnknownDocument),
        };
        let (header, mut audience, mut index) = match (known, &new_header) {
            (Some(k), _) => (&k.header, k.audience.clone(), k.index.clone()),
            (None, Some(h)) => (h, Audience::of_header(h), DocIndex::default()),
            (None, None) => return Err(Refusal::UnknownDocument),
        };
        let mut grants = Vec::new();
        for grant in &section.grants {
            if !audience.0.contains(&grant.reach) {
                match grant.check(self.directory, &audience) {
                    Err(GrantError::UnknownGranter) => return Err(Refusal::UnknownCertificate),
                    checked => checked?,
                }
                audience.0.insert(grant.reach);
                grants.push(grant.clone());
            }
        }
        if !audience.includes(self.directory, &self.me) && !Bug::TakesNotForUs.planted() {
            return Err(Refusal::NotForUs);
        }
        // Keys are wrapped for dossiers alone.
        if !section.wraps.is_empty() && header.kind != Kind::Dossier {
            return Err(Refusal::NotWriter);
        }
        let mut wraps = Vec::with_capacity(section.wraps.len());
        for record in &section.wraps {
            match record.check(self.directory, &doc, &header.home, &audience) {
                Ok(()) => wraps.push(record.clone()),
                // What a thief had somebody forgotten with is left behind; the dossier itself is not at fault.
                Err(BesideError::Revoked) => {}
                Err(BesideError::UnknownAuthor) => return Err(Refusal::WrongActor),
                Err(BesideError::Outside) => return Err(Refusal::AuthorOutside),
                Err(BesideError::NotTheirs | BesideError::Form) => return Err(Refusal::NotWriter),
                Err(BesideError::Forged) => return Err(Refusal::BadSignature),
            }
        }

        let mut covers: BTreeMap<usize, Cover> = BTreeMap::new();
        for s in &section.signed {
            covers.insert(s.change, Cover { cert: s.cert, signature: s.signature });
        }
        let mut draft = Draft {
            admitted: Admitted {
                doc,
                new_header: new_header.clone(),
                grants,
                wraps,
                commits: Vec::with_capacity(section.changes.len()),
                covers: Vec::new(),
            },
            all: Vec::with_capacity(section.changes.len()),
            signatures: Vec::new(),
            authors: BTreeSet::new(),
            ordinals: ordinals.clone(),
        };
        let (changes_here, bytes_here) = (index.len(), index.bytes());
        let mut arrived: Vec<Arrived> = Vec::with_capacity(section.changes.len());
        let mut rooms: BTreeMap<PlaceId, Room> = BTreeMap::new();
        let mut placed: Vec<(ActorId, Option<usize>)> = Vec::with_capacity(section.changes.len());
        let creator = header.creator_actor();
        let mut begins = false;
        for (position, elided) in section.changes.iter().enumerate() {
            let (bytes, hash, change, op_count) =
                rebuild(block, header, creator, elided, &draft.all, &index)?;
            let own = follows(&change, &index)?;
            let place = self.author(block, &change, &audience)?;
            match &change.body {
                Body::Genesis { .. } if change.actor != creator => return Err(Refusal::Genesis),
                Body::Genesis { .. } => begins = true,
                Body::Act { container, .. } => {
                    let container = header.kind.containers().get(*container).ok_or(Refusal::NotWriter)?;
                    let home = place == header.home || Bug::AnyWriter.planted();
                    if container.writers == Writers::Home && !home {
                        return Err(Refusal::NotWriter);
                    }
                }
            }
            let cover = covers.get(&position).copied();
            if let Some(cover) = cover {
                let cert = self.directory.get(&cover.cert).ok_or(Refusal::UnknownCertificate)?;
                let stated = block.actors.iter().find(|a| a.record.actor == change.actor);
                let incarnation = stated.ok_or(Refusal::WrongActor)?.record.incarnation;
                let own = cert.actor(incarnation) == change.actor && cert.place == place;
                if !own && !Bug::AnyActor.planted() {
                    return Err(Refusal::WrongActor);
                }
                draft.signatures.push(SignatureItem {
                    key: cert.key,
                    message: commit_message(&self.directory.federation(), &doc, &hash, &cover.cert),
                    signature: cover.signature,
                });
            }
            placed.push((change.actor, own.and_then(|h| draft.all.iter().rposition(|x| *x == h))));
            draft.authors.insert(change.actor);
            let max_op = change.start_op + op_count - 1;
            let fresh =
                index.insert(hash, Place { actor: change.actor, seq: change.seq, max_op }, &change.deps);
            draft.all.push(hash);
            let room = *rooms.entry(place).or_insert_with(|| Room::of(self.directory, header, &place));
            let size = fresh.then_some(bytes.len());
            arrived.push(Arrived { hash, deps: change.deps.clone(), room, fresh: size });
            if fresh {
                index.add_bytes(bytes.len());
                if index.len() > DOCUMENT_CHANGES_MAX || index.bytes() > DOCUMENT_BYTES_MAX {
                    return Err(Refusal::TooLarge);
                }
                let Change { actor, seq, deps, .. } = change;
                let commit = Commit { doc, hash, actor, seq, max_op, deps, bytes, cover };
                draft.admitted.commits.push((ordinals.start + position as u64, commit));
            } else if let Some(cover) = cover {
                draft.admitted.covers.push((hash, cover));
            }
        }
        // The first change's signature proves that the header's creator speaks for its home.
        if new_header.is_some() && !begins {
            return Err(Refusal::Genesis);
        }
        if !room::suffices(changes_here, bytes_here, &arrived) {
            return Err(Refusal::TooLarge);
        }
        if !is_covered(&placed, &covers) {
            return Err(Refusal::Uncovered);
        }
        Ok(draft)
    }

    /// Judges the header of a document not known before.
    fn header(&self, block: &Block, header: &Header) -> Result<Header, Refusal> {
        if header.federation != self.directory.federation() {
            return Err(Refusal::OtherFederation);
        }
        let creator = header.creator_actor();
        let record = block.actors.iter().find(|a| a.record.actor == creator).ok_or(Refusal::WrongHome)?;
        let cert = self.directory.get(&record.record.cert).ok_or(Refusal::UnknownCertificate)?;
        if cert.place != header.home && !Bug::AnyHome.planted() {
            return Err(Refusal::WrongHome);
        }
        if !header.reach.iter().all(|reach| may_widen(self.directory, &record.record.cert, *reach)) {
            return Err(Refusal::Reach);
        }
        Ok(header.clone())
    }

    fn author(&self, block: &Block, change: &Change, audience: &Audience) -> Result<PlaceId, Refusal> {
        let record =
            block.actors.iter().find(|a| a.record.actor == change.actor).ok_or(Refusal::WrongActor)?;
        let cert = self.directory.get(&record.record.cert).ok_or(Refusal::UnknownCertificate)?;
        if !audience.includes(self.directory, &cert.place) && !Bug::OutsiderWrites.planted() {
            return Err(Refusal::AuthorOutside);
        }
        Ok(cert.place)
    }
}

/// Rebuilds the exact bytes of a change from what travelled.
fn rebuild(
    block: &Block,
    header: &Header,
    creator: ActorId,
    elided: &Elided,
    before: &[ChangeHash],
    index: &DocIndex,
) -> Result<(Vec<u8>, ChangeHash, Change, u64), Refusal> {
    let unlike = |e: &dyn std::fmt::Display| Refusal::Change(e.to_string());
    let change = match &elided.shape {
        Shape::Raw(bytes) => {
            let decoded = change::decode(bytes, header.kind).map_err(|e| unlike(&e))?;
            if let Body::Act { creator: named, .. } = &decoded.change.body
                && *named != creator
            {
                return Err(Refusal::Genesis);
            }
            return Ok((bytes.clone(), decoded.hash, decoded.change, decoded.op_count));
        }
        Shape::Genesis => Change::genesis(creator, header.kind),
        Shape::Act { container, deps, value } => {
            let actor = block.actors.get(elided.actor).ok_or(Refusal::WrongActor)?.record.actor;
            let mut hashes = Vec::with_capacity(deps.len());
            for dep in deps {
                hashes.push(resolve(*dep, before, index)?);
            }
            hashes.sort_unstable();
            let places = || hashes.iter().filter_map(|h| index.get(h));
            let seq = places().filter(|p| p.actor == actor).map(|p| p.seq).max().map_or(1, |s| s + 1);
            let start_op = places().map(|p| p.max_op).max().unwrap_or(0) + 1;
            Change::act(actor, seq, start_op, hashes, creator, *container, value.clone())
        }
    };
    let encoded = change::encode(&change).map_err(|e| unlike(&e))?;
    Ok((encoded.bytes, encoded.hash, change, encoded.op_count))
}

fn resolve(dep: DepRef, before: &[ChangeHash], index: &DocIndex) -> Result<ChangeHash, Refusal> {
    match dep {
        DepRef::Back(k) => {
            before.len().checked_sub(k).and_then(|i| before.get(i)).copied().ok_or(Refusal::MissingDependency)
        }
        DepRef::Prefix(prefix) => {
            let mut fitting = index.with_prefix(&prefix);
            match (fitting.next(), fitting.next()) {
                (Some(hash), None) => Ok(*hash),
                (None, _) => Err(Refusal::MissingDependency),
                (Some(_), Some(_)) => Err(Refusal::AmbiguousDependency),
            }
        }
    }
}

/// Whether sequence and operation numbers follow from the dependencies. Returns the author's previous
/// change among them.
fn follows(change: &Change, index: &DocIndex) -> Result<Option<ChangeHash>, Refusal> {
    if matches!(change.body, Body::Genesis { .. }) {
        return Ok(None);
    }
    if change.deps.is_empty() || !change.deps.is_sorted_by(|a, b| a < b) {
        return Err(Refusal::History);
    }
    let (mut own, mut max_op) = (None, 0);
    for dep in &change.deps {
        let place = match index.get(dep) {
            None if Bug::DependencyIgnored.planted() => return Ok(own),
            here => here.ok_or(Refusal::MissingDependency)?,
        };
        max_op = max_op.max(place.max_op);
        if place.actor == change.actor {
            if own.is_some() || place.seq + 1 != change.seq {
                return Err(Refusal::History);
            }
            own = Some(*dep);
        }
    }
    if own.is_none() && change.seq != 1 || change.start_op != max_op + 1 {
        return Err(Refusal::History);
    }
    Ok(own)
}

/// Whether every change is signed or stands, along its own author's chain, under one that is.
fn is_covered(placed: &[(ActorId, Option<usize>)], covers: &BTreeMap<usize, Cover>) -> bool {
    let mut covered: Vec<bool> = (0..placed.len()).map(|i| covers.contains_key(&i)).collect();
    for i in (0..placed.len()).rev() {
        if covered.get(i) != Some(&true) && !Bug::AnyCover.planted() {
            return false;
        }
        if let Some((_, Some(previous))) = placed.get(i)
            && let Some(flag) = covered.get_mut(*previous)
        {
            *flag = true;
        }
    }
    true
}
