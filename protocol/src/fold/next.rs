//! What a place may do with a matter now, and why it may not do the rest.
//!
//! Asks the same rules as the fold, over everything that is here: a node that authors what this allows,
//! with all heads as dependencies, writes an act that counts. The offer is stricter than the count in one
//! point: telling is offered to the home place only, whose duty it is, though anybody's telling is kept.

pub use super::fields::{Entry, fields_of};
use super::{
    deliberation::{self, Known},
    evidence::Evidence,
    frame::{Stage, StepKind, rules_of},
    gates::Lack,
    matter::Matter,
    rules::{self, Facts, Standing, correctable},
    unread::Why,
    verdict::Violation,
    voices, words,
};
use crate::{
    act::{Step, Text, Voice},
    ids::{ActRef, DocId, Hash, PlaceId},
    procedure::{Procedure, Words},
};
use serde::Serialize;
use std::collections::BTreeMap;
use thiserror::Error;

/// Why the program does not author an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotAllowed {
    /// It would be a violation.
    #[error("{0}")]
    Violation(#[from] Violation),
    /// Somebody moved the matter with a newer program.
    #[error(
        "the matter was moved on with a newer program: bring this one up to date, or a place above takes the \
         matter over"
    )]
    NeedsNewer,
    /// A step waits for its author's certificate.
    #[error("an earlier step is still waiting for its author's certificate; try again when it is here")]
    Pending,
    /// The matter is bound to a procedure that is not here.
    #[error(
        "the matter waits for procedure {}, which is not here: try again when it has arrived, or a place \
         above takes the matter over", .0.short()
    )]
    NeedsProcedure(Hash),
}

impl NotAllowed {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Violation(why) => why.name(),
            Self::NeedsNewer => "needs_newer",
            Self::Pending => "pending",
            Self::NeedsProcedure(_) => "needs_procedure",
        }
    }

    /// In Chinese.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Violation(why) => why.zh(),
            Self::NeedsNewer => "该事项已由更新版本的程序办理，请先升级本机程序，或由上级提级接办",
            Self::Pending => "前面一步的签署证书尚未到达，到达后再办",
            Self::NeedsProcedure(_) => "该事项所依据的办理程序尚未到达，到达后再办，或由上级提级接办",
        }
    }
}

/// An act that is allowed now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NextAct {
    /// Its stable name.
    pub act: &'static str,
    /// In Chinese.
    pub label: &'static str,
    /// In English.
    pub label_en: &'static str,
    /// What is filled in.
    pub fields: &'static [Entry],
    /// The step it must follow; `None` for voices.
    pub prev: Option<ActRef>,
    /// The places it may go to.
    pub to: Vec<PlaceId>,
    /// The replies it may be about, newest first.
    pub replies: Vec<ActRef>,
    /// The branches it may choose.
    pub branches: Vec<ActRef>,
    /// The merged matters it may be about.
    pub sources: Vec<DocId>,
    /// The lead whose reply it must carry.
    pub lead: Option<DocId>,
    /// The stages of the procedure it may go to.
    pub stages: Vec<Way>,
}

/// A stage a matter may go to now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// Its name in the procedure.
    pub stage: String,
    /// As shown.
    pub title: Words,
    /// Whether it goes back, which wants a reason.
    pub back: bool,
}

/// An act that is not allowed now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotNow {
    /// Its stable name.
    pub act: &'static str,
    /// In Chinese.
    pub label: &'static str,
    /// In English.
    pub label_en: &'static str,
    /// The stable name of the reason.
    pub code: &'static str,
    /// Why, in English.
    pub why: String,
    /// Why, in Chinese.
    pub why_zh: String,
}

/// What a place may do, and what not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Next {
    /// Allowed now.
    pub items: Vec<NextAct>,
    /// Not allowed now.
    pub not_now: Vec<NotNow>,
}

impl Next {
    /// Whether an act is allowed now.
    #[must_use]
    pub fn allows(&self, act: &str) -> bool {
        self.items.iter().any(|a| a.act == act)
    }
}

impl Facts for Matter {
    fn told(&self, reply: ActRef) -> bool {
        self.answers.iter().chain(&self.refusals).any(|r| r.act == reply && r.told)
    }
    fn absorbs(&self, doc: &DocId) -> bool {
        self.sources.iter().any(|s| s.doc == *doc)
    }
    fn may_return_to(&self, place: PlaceId) -> bool {
        self.may_return_to.contains(&place)
    }
    fn above_holder(&self, place: PlaceId) -> bool {
        self.above_holder.contains(&place)
    }
    fn this(&self) -> DocId {
        self.doc
    }
    fn procedure(&self, pin: &Hash) -> Option<&Procedure> {
        self.procedures.get(pin).map(AsRef::as_ref)
    }
    fn lacks(&self, procedure: &Procedure, standing: &Standing) -> Vec<Lack> {
        deliberation::lacks(procedure, standing, self.today, self.evidence.iter())
    }
}

impl Known for Matter {
    fn pinned(&self) -> Option<&Procedure> {
        self.procedure_file().map(AsRef::as_ref)
    }
    fn evidence(&self, act: ActRef) -> Option<&Evidence> {
        self.evidence.iter().find(|e| e.act == act)
    }
    fn roll(&self, meeting: ActRef) -> Option<&BTreeMap<String, String>> {
        self.meetings.iter().find(|m| m.act == meeting).map(|m| &m.roll)
    }
    fn files_of(&self, place: PlaceId) -> usize {
        self.evidence.iter().filter(|e| e.is_file_of(place)).count()
    }
    fn handled(&self, place: PlaceId) -> bool {
        self.handlers.contains(&place)
    }
    fn above(&self, place: PlaceId) -> bool {
        self.above_holder.contains(&place)
    }
}

/// Whether `place` may take this very step now.
///
/// # Errors
/// [`NotAllowed`] says why not.
pub fn check_step(
    matter: &Matter,
    place: PlaceId,
    ancestors: &[PlaceId],
    step: &Step,
) -> Result<(), NotAllowed> {
    let kind = StepKind::from(step);
    may(matter, place, kind)?;
    if let Step::Settle { branch } = step {
        let known = matter.branches.contains(branch);
        return if known { Ok(()) } else { Err(Violation::NotABranch.into()) };
    }
    match (&matter.standing, step) {
        (_, Step::TakeOver { reason, sets_aside }) if matter.held_up.is_some() => {
            if *sets_aside != matter.held_up.as_ref().map(|h| h.act) {
                return Err(Violation::NothingToSetAside.into());
            }
            if reason.0.trim().is_empty() { Err(Violation::NoText.into()) } else { Ok(()) }
        }
        (Some(standing), _) => Ok(rules::fits(step, standing, ancestors, matter)?),
        (None, Step::Register { body, .. }) if body.0.trim().is_empty() => Err(Violation::NoText.into()),
        (None, _) => Ok(()),
    }
}

/// Whether `place` may add this voice now.
///
/// # Errors
/// [`NotAllowed`] says why not.
pub fn check_voice(matter: &Matter, place: PlaceId, voice: &Voice) -> Result<(), NotAllowed> {
    may_say(matter, words_of(voice))?;
    if let Voice::Tell { answer, .. } = voice {
        if place != matter.home {
            return Err(Violation::NotHome.into());
        }
        if !matter.answers.iter().chain(&matter.refusals).any(|r| r.act == *answer) {
            return Err(Violation::NothingToTell.into());
        }
    }
    voices::check(voice, matter.standing.as_ref())?;
    deliberation::piece(voice, matter.standing.as_ref(), place, matter.today, matter)?;
    Ok(())
}

/// The stable name of a voice.
fn words_of(voice: &Voice) -> &'static str {
    crate::act::ActKind::name(voice)
}

/// Whether a voice of this kind would be judged now.
fn may_say(matter: &Matter, name: &str) -> Result<(), NotAllowed> {
    if matches!(name, "comment" | "support" | "attach") {
        return Ok(());
    }
    let replied = matter.standing.is_some_and(|s| s.reply.is_some());
    // What cannot be read takes no reply back.
    if matter.author_unknown || !(replied && matches!(name, "tell" | "rate")) {
        blocked(matter)?;
    }
    if matter.standing.is_none() {
        return Err(Violation::NotRegistered.into());
    }
    Ok(())
}

fn blocked(matter: &Matter) -> Result<(), NotAllowed> {
    match matter.held_up.as_ref().map(|h| h.why) {
        _ if matter.author_unknown => Err(NotAllowed::Pending),
        _ if matter.begun_by_newer => Err(NotAllowed::NeedsNewer),
        Some(Why::NewerKind) => Err(NotAllowed::NeedsNewer),
        Some(Why::Procedure(pin)) => Err(NotAllowed::NeedsProcedure(pin)),
        None => Ok(()),
    }
}

/// Whether `place` may take a step of this kind now.
fn may(matter: &Matter, place: PlaceId, kind: StepKind) -> Result<(), NotAllowed> {
    if matter.held_up.is_some() && !matter.author_unknown && kind == StepKind::TakeOver {
        return if matter.may_set_aside(place) { Ok(()) } else { Err(Violation::NotAbove.into()) };
    }
    blocked(matter)?;
    if let Some(by) = matter.waiting_for_settlement {
        return match kind {
            StepKind::Settle if place == by => Ok(()),
            StepKind::Settle => Err(Violation::NotSettlingPlace.into()),
            _ => Err(Violation::WaitsForSettlement.into()),
        };
    }
    match &matter.standing {
        Some(standing) => Ok(rules::may(kind, standing, place, matter).map(|_| ())?),
        None if kind == StepKind::Register && place == matter.home => Ok(()),
        None if kind == StepKind::Register => Err(Violation::NotHome.into()),
        None => Err(Violation::NotRegistered.into()),
    }
}

/// What `place`, below `ancestors` (parent first), may do with a matter now.
#[must_use]
pub fn next(matter: &Matter, place: PlaceId, ancestors: &[PlaceId]) -> Next {
    let mut next = Next { items: Vec::new(), not_now: Vec::new() };
    for &kind in StepKind::ALL {
        if kind == StepKind::Register && matter.standing.is_some()
            || kind == StepKind::Settle && matter.waiting_for_settlement.is_none()
        {
            continue;
        }
        match offer_step(matter, place, ancestors, kind) {
            Ok(act) => next.items.push(act),
            Err(why) => next.not_now.push(not_now(matter, kind.name(), kind.zh(), kind.en(), why)),
        }
    }
    for name in VOICES {
        let (label, label_en) = words::act(name).unwrap_or((name, name));
        match offer_voice(matter, place, name) {
            Ok(replies) => next.items.push(NextAct { replies, ..bare(name, label, label_en, None) }),
            Err(why) => next.not_now.push(not_now(matter, name, label, label_en, why)),
        }
    }
    next
}

/// The voices offered, in this order. A photo is not among them: it comes with its bytes, by a way of its own.
const VOICES: [&str; 13] = [
    "comment", "support", "record", "call", "meet", "ballot", "post", "object", "summon", "respond", "tell",
    "rate", "urge",
];

fn bare(act: &'static str, label: &'static str, label_en: &'static str, prev: Option<ActRef>) -> NextAct {
    NextAct {
        act,
        label,
        label_en,
        fields: fields_of(act),
        prev,
        to: Vec::new(),
        replies: Vec::new(),
        branches: Vec::new(),
        sources: Vec::new(),
        lead: None,
        stages: Vec::new(),
    }
}

fn offer_step(
    matter: &Matter,
    place: PlaceId,
    ancestors: &[PlaceId],
    kind: StepKind,
) -> Result<NextAct, NotAllowed> {
    may(matter, place, kind)?;
    let mut act = bare(kind.name(), kind.zh(), kind.en(), matter.tip.map(|t| t.act));
    let filled = |empty: bool, why: Violation| if empty { Err(why) } else { Ok(()) };
    match kind {
        StepKind::Escalate => {
            act.to.extend(ancestors.first().copied());
            filled(act.to.is_empty(), Violation::NotParent)?;
            if let Some(to) = act.to.first() {
                checked(matter, ancestors, &Step::Escalate { to: *to, reason: None })?;
            }
        }
        StepKind::Extend => {
            let reason = Text(String::from("…"));
            checked(matter, ancestors, &Step::Extend { working_days: 1, reason })?;
        }
        StepKind::Return => {
            act.to.clone_from(&matter.may_return_to);
            filled(act.to.is_empty(), Violation::NotBelow)?;
        }
        StepKind::Release => {
            act.sources = matter.sources.iter().map(|s| s.doc).collect();
            filled(act.sources.is_empty(), Violation::NotAbsorbed)?;
        }
        StepKind::Correct => {
            let (fields, text) = matter.tip.map_or((false, false), |t| correctable(t.kind));
            filled(!fields && !text, Violation::NothingToCorrect)?;
            filled(matter.tip.is_some_and(|t| matter.told(t.act)), Violation::CorrectedTooLate)?;
        }
        StepKind::Advance => {
            act.stages = ways(matter);
            if act.stages.is_empty() {
                let lack = matter.lacks().first().map_or(Violation::NotAWay, |l| l.why);
                return Err(lack.into());
            }
        }
        StepKind::Answer => act.lead = matter.merged_into,
        StepKind::Settle => act.branches.clone_from(&matter.branches),
        _ => {}
    }
    Ok(act)
}

/// Whether a step of this content fits where the matter stands.
fn checked(matter: &Matter, ancestors: &[PlaceId], step: &Step) -> Result<(), NotAllowed> {
    match &matter.standing {
        Some(standing) => Ok(rules::fits(step, standing, ancestors, matter)?),
        None => Ok(()),
    }
}

/// Where a matter may go within its procedure now.
fn ways(matter: &Matter) -> Vec<Way> {
    let (Some(procedure), Some(standing)) = (matter.procedure_file(), &matter.standing) else {
        return Vec::new();
    };
    let Some(stage) = standing.at.and_then(|at| procedure.stage(at)) else { return Vec::new() };
    let open = matter.lacks().is_empty();
    let way = |id: &String, back| {
        let title = procedure.stage(procedure.stage_named(id)?)?.title.clone();
        Some(Way { stage: id.clone(), title, back })
    };
    let on = stage.go.iter().filter(|_| open).filter_map(|id| way(id, false));
    on.chain(stage.back.iter().filter_map(|id| way(id, true))).collect()
}

/// The replies a voice may be about, if it is allowed.
fn offer_voice(matter: &Matter, place: PlaceId, name: &str) -> Result<Vec<ActRef>, NotAllowed> {
    may_say(matter, name)?;
    if matches!(name, "comment" | "support") {
        return Ok(Vec::new());
    }
    let Some(standing) = &matter.standing else { return Err(Violation::NotRegistered.into()) };
    let replies = || {
        let mut all: Vec<_> = matter.answers.iter().chain(&matter.refusals).map(|r| (r.on, r.act)).collect();
        all.sort_by_key(|(on, act)| (Some(*act) != standing.reply, std::cmp::Reverse(*on)));
        all.into_iter().map(|(_, act)| act).collect::<Vec<_>>()
    };
    match name {
        "urge" if standing.stage.is_ended() => Err(Violation::WrongStage.into()),
        "urge" if !matter.above_holder.contains(&place) => Err(Violation::NotAbove.into()),
        "ballot" if standing.votes_closed.is_some() => Err(Violation::BallotClosed.into()),
        "record" => {
            let procedure = matter.procedure_file().ok_or(Violation::NoProcedure)?;
            let may = |by| deliberation::may_fill(by, standing, place, matter);
            // The first form's reason stands for all where there is none to fill in.
            let judged: Vec<_> = procedure.forms.iter().map(|f| may(f.by)).collect();
            match judged.iter().find(|j| j.is_ok()).or(judged.first()) {
                Some(Ok(())) => Ok(Vec::new()),
                Some(Err(why)) => Err((*why).into()),
                None => Err(Violation::UnknownForm.into()),
            }
        }
        "summon" if standing.holder != place => Err(Violation::NotHolder.into()),
        "object" => {
            let posts: Vec<_> =
                matter.posts.iter().rev().filter(|p| matter.today <= p.on + p.days).map(|p| p.act).collect();
            if posts.is_empty() { Err(Violation::NothingThere.into()) } else { Ok(posts) }
        }
        "respond" => {
            let objections = matter.posts.iter().flat_map(|p| &p.objections);
            let asked = objections.chain(&matter.summonses).filter(|a| a.replies.is_empty());
            let asked: Vec<_> = asked.map(|a| a.act).collect();
            if asked.is_empty() { Err(Violation::NothingThere.into()) } else { Ok(asked) }
        }
        "tell" if matter.home != place => Err(Violation::NotHome.into()),
        "tell" if standing.reply.is_none() => Err(Violation::NothingToTell.into()),
        "tell" => Ok(replies()),
        "rate" if standing.reply.is_none() => Err(Violation::NothingToRate.into()),
        _ => Ok(Vec::new()),
    }
}

fn not_now(
    matter: &Matter,
    act: &'static str,
    label: &'static str,
    label_en: &'static str,
    why: NotAllowed,
) -> NotNow {
    let (mut zh, mut en) = (why.zh().to_owned(), why.to_string());
    let kind = StepKind::from_name(act);
    match (why, kind) {
        (NotAllowed::Violation(Violation::WrongStage), Some(kind)) => {
            let mut stages: Vec<Stage> = Vec::new();
            for rule in rules_of(kind) {
                stages.extend(rule.from.iter().filter(|s| !stages.contains(s)).collect::<Vec<_>>());
            }
            let list = |word: fn(Stage) -> &'static str| stages.iter().map(|s| word(*s)).collect::<Vec<_>>();
            if matter.merged_into.is_some() {
                zh = "事项已并入另案，随主案办理".to_owned();
                en = "the matter was merged into another and follows it".to_owned();
            } else {
                zh = format!(
                    "事项现在“{}”，须在以下环节办理：{}",
                    matter.stage.zh(),
                    list(Stage::zh).join("、")
                );
                en = format!(
                    "the matter is now “{}”; this is done when it is: {}",
                    matter.stage.en(),
                    list(Stage::en).join(", ")
                );
            }
        }
        (NotAllowed::Violation(why), Some(StepKind::Advance | StepKind::Answer | StepKind::Decide)) => {
            // What exactly is missing, rather than that something is.
            let lacks = matter.lacks();
            if lacks.iter().any(|l| l.why == why) {
                zh = lacks.iter().map(|l| l.zh.as_str()).collect::<Vec<_>>().join("；");
                en = lacks.iter().map(|l| l.en.as_str()).collect::<Vec<_>>().join("; ");
            } else if let (Violation::StageForbids, Some(at)) = (why, &matter.at) {
                zh = format!("现在的环节是“{}”，程序规定的环节走完才能办", at.title.zh);
                en =
                    format!("the matter is at “{}”; the procedure has stages to go before that", at.title.en);
            }
        }
        (NotAllowed::Violation(Violation::NotParent), _) => {
            zh = "本单位没有上级可报".to_owned();
            en = "there is no place above to escalate to".to_owned();
        }
        (NotAllowed::Violation(Violation::NotBelow), _) => {
            zh = "没有经办过的下级可退".to_owned();
            en = "no place below has held the matter".to_owned();
        }
        _ => {}
    }
    NotNow { act, label, label_en, code: why.name(), why: en, why_zh: zh }
}
