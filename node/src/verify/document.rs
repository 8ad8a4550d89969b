//! Documents, believed in nothing: many at once through the gate, so that their signatures are checked in
//! one batch; one that does not pass is taken apart change by change until what is wrong has a name.

use super::report::{Area, Finding};
use crate::{
    actions::{Sketch, board},
    clock::day_of_ms,
    store::{HeldChange, HeldDocument, Piece, Shown, compared},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
};
use yishi_protocol::{
    audience::{Audience, Grant},
    beside::{Beside, BesideError},
    cert::Directory,
    change,
    commit::{ActorRecord, Commit},
    fold::{self, Author, FoldChange, FoldInput, Matter},
    gate::{Gate, Refusal},
    header::Header,
    ids::{ActorId, CertHash, ChangeHash, DocId, Hash, PlaceId},
    key::{Signature, commit_message, verify},
    kind::Kind,
    procedure::Procedures,
    wire::{Block, BlockActor, DocRef, Elided, Section, Shape, SignedAt},
};

/// What documents are checked against.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) directory: Directory,
    pub(super) procedures: Procedures,
    pub(super) me: PlaceId,
    pub(super) certs: BTreeMap<i64, CertHash>,
    pub(super) actors: BTreeMap<i64, ActorRecord>,
}

/// What a piece came to.
#[derive(Debug, Default)]
pub(super) struct Examined {
    pub(super) documents: u64,
    pub(super) changes: u64,
    pub(super) signatures: u64,
    pub(super) wraps: u64,
    pub(super) findings: Vec<Finding>,
    /// Found and not kept.
    pub(super) untold: u64,
}

/// A block that carries these sections whole, as raw changes.
pub(crate) fn block_of(sections: Vec<Section>, records: &[ActorRecord]) -> Block {
    Block {
        from: 0,
        to: 1,
        digest: [0; 16],
        certs: Vec::new(),
        revocations: Vec::new(),
        placements: Vec::new(),
        openings: Vec::new(),
        actors: records.iter().map(|record| BlockActor { record: *record }).collect(),
        sections,
    }
}

/// Who authors are for the fold of one document.
pub(crate) fn authors_of<'a>(
    directory: &Directory,
    doc: &DocId,
    records: impl IntoIterator<Item = &'a ActorRecord>,
) -> BTreeMap<ActorId, Author> {
    let author = |r: &ActorRecord| {
        let now = directory.current(&r.cert);
        Some((r.actor, Author::of(directory, &now, Some(doc))?))
    };
    records.into_iter().filter_map(author).collect()
}

/// The digest of a document's fold, and of a matter the fold itself; `None` if folding fails.
pub(crate) fn folded(input: &FoldInput<'_>) -> Option<(Option<Hash>, Option<Box<Matter>>)> {
    catch_unwind(AssertUnwindSafe(|| match input.header.kind {
        Kind::Proposal => {
            let matter = fold::proposal::fold(input);
            (Some(matter.digest()), Some(Box::new(matter)))
        }
        Kind::Outcome => (Some(fold::outcome::fold(input).digest()), None),
        Kind::Register => (Some(fold::register::fold(input).digest()), None),
        Kind::Notice => (Some(fold::notice::fold(input).digest()), None),
        Kind::Charter => (Some(fold::charter::fold(input).digest()), None),
        Kind::Dossier => (None, None),
    }))
    .ok()
}

/// A document whose header could be read, on its way through the gate.
struct Passing<'a> {
    held: &'a HeldDocument,
    id: DocId,
    header: Header,
}

impl Context {
    /// Looks at everything in a piece.
    pub(super) fn examine(&self, piece: &Piece) -> Examined {
        let mut out = Examined { documents: piece.len() as u64, ..Examined::default() };
        let (mut passing, mut sections) = (Vec::new(), Vec::new());
        let mut authors: BTreeSet<i64> = BTreeSet::new();
        for held in piece {
            out.changes += held.changes.len() as u64;
            out.wraps += held.wraps.len() as u64;
            let Some((id, header)) = self.header(held, &mut out.findings) else { continue };
            let Some(section) = self.section(held, id, &header, &mut out) else { continue };
            authors.extend(held.changes.iter().map(|c| c.actor));
            sections.push(section);
            passing.push(Passing { held, id, header });
        }
        let records: Vec<ActorRecord> = authors.iter().filter_map(|a| self.actors.get(a)).copied().collect();
        let block = block_of(sections, &records);
        let gate = Gate { directory: &self.directory, me: self.me };
        let verdicts = gate.admit(&block, &mut BTreeMap::new(), &mut rand::rng());
        let refused: BTreeMap<DocId, &Refusal> =
            verdicts.refused.iter().map(|(d, _, why)| (*d, why)).collect();
        let admitted: BTreeMap<DocId, _> = verdicts.admitted.iter().map(|a| (a.doc, a)).collect();
        for one in &passing {
            match (admitted.get(&one.id), refused.get(&one.id)) {
                (Some(admitted), None) => {
                    let commits: Vec<&Commit> = admitted.commits.iter().map(|(_, c)| c).collect();
                    self.columns(one, &commits, &mut out.findings);
                    self.fold(one, &commits, &records, &mut out.findings);
                }
                (_, why) => self.take_apart(one, why.copied(), &mut out.findings),
            }
        }
        out
    }

    fn header(&self, held: &HeldDocument, findings: &mut Vec<Finding>) -> Option<(DocId, Header)> {
        let subject = subject(held);
        let mut ill = |zh: &str, en: String| {
            findings.push(Finding::new(Area::Signed, "docs", &subject, zh.to_owned(), en));
        };
        let id = DocId::from_slice(&held.doc);
        let Some(id) = id else {
            ill("文档编号长度不对", "its id is not one".into());
            return None;
        };
        let header = match Header::decode(&held.header) {
            Ok(header) => header,
            Err(why) => {
                ill("文件头读不出来", format!("its header cannot be read: {why}"));
                return None;
            }
        };
        if header.doc_id() != id {
            ill(
                "文件头与文档编号不符，被改动过",
                "its header gives another id: one of the two was altered".into(),
            );
            return None;
        }
        if held.kind != i64::from(header.kind.number()) || held.home != header.home.0 {
            ill("登记的种类或所属与文件头不符", "its row names another kind or home than its header".into());
        }
        if held.changes.is_empty() {
            ill("一处改动也没有", "it has no change at all".into());
            return None;
        }
        Some((id, header))
    }

    fn section(
        &self,
        held: &HeldDocument,
        id: DocId,
        header: &Header,
        out: &mut Examined,
    ) -> Option<Section> {
        let subject = subject(held);
        let mut grants = Vec::new();
        for (hash, bytes) in &held.grants {
            match Grant::decode(id, bytes) {
                Ok(grant) if *hash == grant.hash().0 => grants.push(grant),
                _ => out.findings.push(Finding::new(
                    Area::Signed,
                    "grants",
                    &subject,
                    "一项扩大知悉范围的决定被改动过".into(),
                    "a widening of its audience was altered".into(),
                )),
            }
        }
        let mut audience = Audience::of_header(header);
        audience.0.extend(grants.iter().map(|g| g.reach));
        for (hash, bytes) in &held.wraps {
            if let Err(why) = self.beside(id, header, &audience, hash, bytes) {
                out.findings.push(Finding::new(
                    Area::Signed,
                    "wraps",
                    &subject,
                    "一份封存钥匙或忘记的记录不成立".into(),
                    format!("a wrapped key or a word to forget beside it does not hold: {why}"),
                ));
            }
        }
        let mut signed = Vec::new();
        for (i, change) in held.changes.iter().enumerate() {
            let Some((row, signature)) = &change.cover else { continue };
            match (self.certs.get(row), <[u8; 64]>::try_from(signature.as_slice())) {
                (Some(cert), Ok(bytes)) => {
                    signed.push(SignedAt { change: i, cert: *cert, signature: Signature(bytes) });
                }
                _ => {
                    let why = "its signature or the certificate of it is not one";
                    out.findings.push(change_finding(held, i, "签名或证书不成形", why.into()));
                    return None;
                }
            }
        }
        out.signatures += signed.len() as u64;
        let changes =
            held.changes.iter().map(|c| Elided { actor: 0, shape: Shape::Raw(c.bytes.clone()) }).collect();
        let doc = DocRef::New(Box::new(header.clone()));
        Some(Section { doc, grants, wraps: Vec::new(), changes, signed })
    }

    /// Whether a record beside a dossier holds.
    fn beside(
        &self,
        doc: DocId,
        header: &Header,
        audience: &Audience,
        hash: &[u8],
        bytes: &[u8],
    ) -> Result<(), String> {
        let record = Beside::decode(bytes).map_err(|e| e.to_string())?;
        if record.hash(&doc).0 != hash {
            return Err("it is kept under another's hash".into());
        }
        match record.check(&self.directory, &doc, &header.home, audience) {
            // It held when it came.
            Ok(()) | Err(BesideError::Revoked) => Ok(()),
            Err(why) => Err(why.to_string()),
        }
    }

    /// Whether the columns that are searched by say what the changes say.
    fn columns(&self, one: &Passing<'_>, commits: &[&Commit], findings: &mut Vec<Finding>) {
        for (i, (held, commit)) in one.held.changes.iter().zip(commits).enumerate() {
            let actor = self.actors.get(&held.actor).map(|r| r.actor);
            let what = if held.hash != commit.hash.0 {
                Some(("登记的哈希与内容不符", "its row names another hash"))
            } else if actor != Some(commit.actor) {
                Some(("登记的作者与内容不符", "its row names another author"))
            } else if held.seq != commit.seq.cast_signed() || held.max_op != commit.max_op.cast_signed() {
                Some(("登记的序号与内容不符", "its row names another number"))
            } else if !held.deps.iter().eq(commit.deps.iter().flat_map(|d| d.0.iter())) {
                Some(("登记的前因与内容不符", "its row names other changes before it"))
            } else {
                None
            };
            if let Some((zh, en)) = what {
                findings.push(change_finding(one.held, i, zh, en.into()));
            }
        }
    }

    fn fold(
        &self,
        one: &Passing<'_>,
        commits: &[&Commit],
        records: &[ActorRecord],
        findings: &mut Vec<Finding>,
    ) {
        let subject = subject(one.held);
        let mut changes = Vec::with_capacity(commits.len());
        for commit in commits {
            // It passed the gate a moment ago, which read it in full.
            if let Ok(decoded) = change::decode_stored(&commit.bytes, one.header.kind) {
                changes.push(FoldChange { hash: decoded.hash, change: decoded.change });
            }
        }
        let actors: BTreeSet<ActorId> = commits.iter().map(|c| c.actor).collect();
        let mine = records.iter().filter(|r| actors.contains(&r.actor));
        let authors = authors_of(&self.directory, &one.id, mine);
        let procedures = &self.procedures;
        let input = FoldInput { header: &one.header, changes: &changes, authors: &authors, procedures };
        let Some((_, matter)) = folded(&input) else {
            let zh = "签名都成立，但各项记录合不到一起，程序读它时出错".to_owned();
            let en = "its signatures hold, but adding its changes up fails".to_owned();
            findings.push(Finding::new(Area::Signed, "commits", &subject, zh, en));
            return;
        };
        // What is still to be folded is shown as it was before.
        let Some(mut matter) = matter.filter(|m| m.register.is_some() && !one.held.waiting) else { return };
        // As the projector does: what is due counts from the day its step was stored here, if that is earlier.
        let stored: BTreeMap<&[u8], i64> =
            one.held.changes.iter().map(|c| (c.hash.as_slice(), c.stored_at_ms)).collect();
        matter.witness(|act| {
            let named = changes.iter().filter(|c| c.change.act_ref() == act);
            let at = named.filter_map(|c| stored.get(c.hash.0.as_slice()));
            at.filter_map(|at| u64::try_from(*at).ok()).map(day_of_ms).min()
        });
        let shown = Shown {
            number: Some(matter.number.clone()).filter(|n| !n.is_empty()),
            title: matter.title.clone(),
            stage: matter.stage.name().to_owned(),
            closed: matter.stage.is_ended(),
            detail: serde_json::to_string(&Sketch::of(&matter)).unwrap_or_default(),
            compared: compared(&matter.title, &matter.body),
            board: board::row(one.id, &matter, 0).ok().flatten().map(|b| (b.hidden, b.detail)),
        };
        if one.held.shown.as_ref() != Some(&shown) {
            let zh = format!("列表上显示的与签名的内容不符；按签名应为“{}”，{}", shown.title, shown.stage);
            let en =
                format!("lists show it otherwise than what was signed: “{}”, {}", shown.title, shown.stage);
            findings.push(Finding::new(Area::Derived, "matters", &subject, zh, en));
        }
    }

    /// Finds which change it is.
    fn take_apart(&self, one: &Passing<'_>, why: Option<&Refusal>, findings: &mut Vec<Finding>) {
        let before = findings.len();
        let federation = self.directory.federation();
        let mut known: BTreeSet<ChangeHash> = BTreeSet::new();
        for (i, held) in one.held.changes.iter().enumerate() {
            let mut ill = |zh: &str, en: String| findings.push(change_finding(one.held, i, zh, en));
            let decoded = match change::decode(&held.bytes, one.header.kind) {
                Ok(decoded) => decoded,
                Err(why) => {
                    ill("内容被改动过，读不出来", format!("it was altered and cannot be read: {why}"));
                    known.extend(ChangeHash::from_slice(&held.hash));
                    continue;
                }
            };
            if held.hash != decoded.hash.0 {
                ill(
                    "内容或登记的哈希被改动过，二者不符",
                    "its content or the hash in its row was altered".into(),
                );
            }
            if decoded.change.deps.iter().any(|dep| !known.contains(dep)) {
                ill("它所依据的改动不在本机", "a change it stands on is not here".into());
            }
            known.insert(decoded.hash);
            known.extend(ChangeHash::from_slice(&held.hash));
            self.signature(one, held, decoded.hash, decoded.change.actor, federation, &mut ill);
        }
        if findings.len() == before {
            let why = why.map_or_else(|| "it was not judged".to_owned(), ToString::to_string);
            let zh = "有内容不符合规则，没有一处改动单独出错".to_owned();
            let en = format!("no single change is altered, but together they do not pass: {why}");
            findings.push(Finding::new(Area::Signed, "commits", &subject(one.held), zh, en));
        }
    }

    fn signature(
        &self,
        one: &Passing<'_>,
        held: &HeldChange,
        hash: ChangeHash,
        actor: ActorId,
        federation: yishi_protocol::ids::FederationId,
        ill: &mut impl FnMut(&str, String),
    ) {
        let record = self.actors.get(&held.actor);
        if record.is_none_or(|r| r.actor != actor) {
            ill("登记的作者与内容不符", "its author is unknown here, or its row names another one".into());
        }
        let Some((row, bytes)) = &held.cover else { return };
        let cert = self.certs.get(row).and_then(|hash| Some((*hash, self.directory.get(hash)?)));
        let (Some((cert_hash, cert)), Ok(bytes)) = (cert, <[u8; 64]>::try_from(bytes.as_slice())) else {
            return ill("签名所凭的证书不在本机", "the certificate it was signed under is not here".into());
        };
        let message = commit_message(&federation, &one.id, &hash, &cert_hash);
        if verify(&cert.key, &message, &Signature(bytes)).is_err() {
            let en = format!("the signature of {} does not hold", cert.name);
            ill(&format!("{}的签名不成立", cert.name), en);
        }
    }
}

/// A document as people call it.
fn subject(held: &HeldDocument) -> String {
    let id: String = held.doc.iter().take(8).map(|b| format!("{b:02x}")).collect();
    let kind = u64::try_from(held.kind).ok().and_then(Kind::from_number);
    let zh = match kind {
        Some(Kind::Charter) => "章程",
        Some(Kind::Proposal) => "事项",
        Some(Kind::Outcome) => "办理结果",
        Some(Kind::Dossier) => "封存档案",
        Some(Kind::Register) => "台账",
        Some(Kind::Notice) => "通知",
        None => "文档",
    };
    let en = kind.map_or("document", Kind::name);
    match held.shown.as_ref().and_then(|s| s.number.as_ref()) {
        Some(number) => format!("{zh} {number} ({en} {id}…)"),
        None => format!("{zh} ({en} {id}…)"),
    }
}

fn change_finding(held: &HeldDocument, at: usize, zh: &str, en: String) -> Finding {
    let hash: String = held
        .changes
        .get(at)
        .map_or_else(String::new, |c| c.hash.iter().take(6).map(|b| format!("{b:02x}")).collect());
    let (n, of) = (at + 1, held.changes.len());
    Finding::new(
        Area::Signed,
        "commits",
        &subject(held),
        format!("第 {n} 处改动（共 {of} 处，{hash}…）：{zh}"),
        format!("change {n} of {of} ({hash}…): {en}"),
    )
}
