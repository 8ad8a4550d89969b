//! Calls, meetings, ballots, forms, notices, objections, summonses: judged for sense when they are made, and
//! kept as [evidence](super::evidence) for the gates.
//!
//! A meeting without a quorum is a fact and no breach; it opens no gate. A ballot without one is a breach.

use super::{
    Author,
    evidence::{Evidence, Piece},
    forms,
    gates::Leaving,
    history::holds,
    matter::Matter,
    proposal::{Judge, Seen},
    rules::{Facts as _, Standing},
    verdict::Violation,
};
use crate::{
    act::Voice,
    attachment::{self, FileKind},
    ids::{ActRef, PlaceId},
    limits::{ATTACHMENT_CAPTION_CHARS_MAX, ATTACHMENTS_OF_PLACE_MAX},
    procedure::{Form, Procedure, Who},
};
use std::collections::BTreeMap;

fn ensure(ok: bool, why: Violation) -> Result<(), Violation> {
    if ok { Ok(()) } else { Err(why) }
}

/// What judging a voice asks of whoever judges.
pub(super) trait Known {
    /// The pinned procedure.
    fn pinned(&self) -> Option<&Procedure>;
    /// Evidence that was known.
    fn evidence(&self, act: ActRef) -> Option<&Evidence>;
    /// Members there by name at a meeting, if names were taken.
    fn roll(&self, meeting: ActRef) -> Option<&BTreeMap<String, String>>;
    /// How many files the place has put to the matter.
    fn files_of(&self, place: PlaceId) -> usize;
    /// Whether the place has handled the matter.
    fn handled(&self, place: PlaceId) -> bool;
    /// Whether it is above the holder.
    fn above(&self, place: PlaceId) -> bool;
}

/// What a voice puts on record, if it makes sense; `None` for those that are no evidence.
pub(super) fn piece(
    voice: &Voice,
    standing: Option<&Standing>,
    place: PlaceId,
    day: i64,
    known: &impl Known,
) -> Result<Option<Piece>, Violation> {
    let said = |text: &crate::act::Text| ensure(!text.0.trim().is_empty(), Violation::NoText);
    let body_of = |id: &str| known.pinned().and_then(|p| p.body(id));
    Ok(Some(match voice {
        Voice::Call { body, day, agenda, .. } => {
            said(agenda)?;
            Piece::Call { body: body.clone(), day: *day }
        }
        Voice::Meet { call, body, day: on, eligible, present, remote, roll, tags, minutes } => {
            said(minutes)?;
            let there = present.checked_add(*remote).filter(|_| *present >= 0 && *remote >= 0);
            let there = there.filter(|there| there <= eligible).ok_or(Violation::MeetingCounts)?;
            let fits = tags.values().all(|n| (0..=there).contains(n));
            ensure(
                fits && (roll.is_empty() || counts(roll) == Some((*present, *remote))),
                Violation::MeetingCounts,
            )?;
            // Nobody has met on a day that is still to come.
            ensure(*on <= day, Violation::DayAhead)?;
            let called = match call {
                None => None,
                Some(call) => match known.evidence(*call).map(|e| (&e.what, e.day)) {
                    Some((Piece::Call { body: of, .. }, at)) if of == body => Some(at),
                    _ => return Err(Violation::NothingThere),
                },
            };
            let notice = body_of(body).map_or(0, |b| i64::from(b.notice_days));
            let given = called.map_or(0, |at| on.saturating_sub(at));
            ensure(given >= notice, Violation::NoticeTooShort)?;
            let quorum = body_of(body).and_then(|b| b.quorum);
            Piece::Meeting {
                body: body.clone(),
                eligible: *eligible,
                there,
                tags: tags.clone(),
                quorate: quorum.is_none_or(|q| q.reached(there, *eligible)),
            }
        }
        Voice::Ballot { body, eligible, present, in_favour, votes, meeting, .. } => {
            if let Some(meeting) = meeting {
                match known.evidence(*meeting).map(|e| &e.what) {
                    Some(Piece::Meeting { body: of, eligible: all, there, .. }) if of == body => {
                        ensure(present <= there && eligible == all, Violation::BallotCounts)?;
                    }
                    _ => return Err(Violation::NothingThere),
                }
                let absent = |who: &String, roll: &BTreeMap<String, String>| {
                    roll.get(who).is_none_or(|how| how == "absent")
                };
                let strangers = known
                    .roll(*meeting)
                    .filter(|roll| !roll.is_empty())
                    .is_some_and(|roll| votes.keys().any(|who| absent(who, roll)));
                ensure(!strangers, Violation::NotAMember)?;
            }
            let quorum = body_of(body).and_then(|b| b.quorum);
            ensure(quorum.is_none_or(|q| q.reached(*present, *eligible)), Violation::NoQuorum)?;
            Piece::Ballot {
                body: body.clone(),
                eligible: *eligible,
                present: *present,
                in_favour: *in_favour,
            }
        }
        Voice::Record { form, fields } => {
            let form = known.pinned().and_then(|p| p.form(form)).ok_or(Violation::UnknownForm)?;
            let standing = standing.ok_or(Violation::NotRegistered)?;
            may_fill(form.by, standing, place, known)?;
            let money = forms::complete(form, fields)?;
            Piece::Record { form: form.id.clone(), money, chosen: forms::chosen(form, fields) }
        }
        Voice::Attach { size, format, about, caption, .. } => {
            let sized = u64::try_from(*size).is_ok_and(|size| attachment::pieces_of(size).is_ok());
            let kind = FileKind::from_name(format).is_some();
            let about = about.as_deref().is_none_or(|a| attachment::ABOUTS.contains(&a));
            let words = caption.as_deref().map_or(0, |c| c.chars().count());
            let fits = sized && kind && about && words <= ATTACHMENT_CAPTION_CHARS_MAX;
            ensure(fits, Violation::UnknownFile)?;
            ensure(known.files_of(place) < ATTACHMENTS_OF_PLACE_MAX, Violation::TooManyFiles)?;
            Piece::File
        }
        Voice::Post { days, text } => {
            said(text)?;
            ensure((1..=3_650).contains(days), Violation::TooMuchTime)?;
            Piece::Post { days: *days }
        }
        Voice::Object { post, text } => {
            said(text)?;
            match known.evidence(*post).map(|e| (&e.what, e.day)) {
                Some((Piece::Post { days }, from)) => {
                    ensure(day <= from.saturating_add(*days), Violation::ObjectedTooLate)?;
                }
                _ => return Err(Violation::NothingThere),
            }
            Piece::Objection { post: *post }
        }
        Voice::Summon { unit, question, working_days } => {
            said(question)?;
            ensure(!unit.trim().is_empty(), Violation::NoText)?;
            ensure((1..=365).contains(working_days), Violation::TooMuchTime)?;
            let holder = standing.is_some_and(|s| s.holder == place);
            ensure(holder, Violation::NotHolder)?;
            Piece::Summons
        }
        Voice::Respond { to, text, .. } => {
            said(text)?;
            let asked = known.evidence(*to).map(|e| &e.what);
            let fits = matches!(asked, Some(Piece::Objection { .. } | Piece::Summons));
            ensure(fits, Violation::NothingThere)?;
            Piece::Response { to: *to }
        }
        // Nobody urges himself, and no neighbour does.
        Voice::Urge { .. } => {
            ensure(known.above(place), Violation::NotAbove)?;
            return Ok(None);
        }
        Voice::Comment { .. } | Voice::Support { .. } | Voice::Tell { .. } | Voice::Rate { .. } => {
            return Ok(None);
        }
    }))
}

/// Whether a place may fill in a form that is for these.
pub(super) fn may_fill(
    by: Who,
    standing: &Standing,
    place: PlaceId,
    known: &impl Known,
) -> Result<(), Violation> {
    match by {
        Who::Holder => ensure(place == standing.holder, Violation::NotHolder),
        Who::Home => ensure(place == standing.home, Violation::NotHome),
        Who::Above => ensure(known.above(place), Violation::NotAbove),
        Who::Another => ensure(!known.handled(place), Violation::HandledItself),
        Who::Anyone => Ok(()),
    }
}

impl Matter {
    /// The forms of its procedure a place may fill in now.
    #[must_use]
    pub fn forms_for(&self, place: PlaceId) -> Vec<&Form> {
        let (Some(procedure), Some(standing)) = (self.procedure_file(), &self.standing) else {
            return Vec::new();
        };
        procedure.forms.iter().filter(|f| may_fill(f.by, standing, place, self).is_ok()).collect()
    }
}

/// Present and remote; `None` if an entry is something else.
fn counts(roll: &BTreeMap<String, String>) -> Option<(i64, i64)> {
    roll.values().try_fold((0, 0), |(present, remote), how| match how.as_str() {
        "present" => Some((present + 1, remote)),
        "remote" => Some((present, remote + 1)),
        "absent" => Some((present, remote)),
        _ => None,
    })
}

impl Known for Seen<'_, '_, '_> {
    fn pinned(&self) -> Option<&Procedure> {
        self.standing.and_then(|s| s.procedure.as_ref()).and_then(|pin| self.procedure(pin))
    }
    fn evidence(&self, act: ActRef) -> Option<&Evidence> {
        let row = self.judge.past.row(self.t);
        self.judge.evidence.iter().find(|(at, e)| e.act == act && holds(row, *at)).map(|(_, e)| e)
    }
    fn roll(&self, meeting: ActRef) -> Option<&BTreeMap<String, String>> {
        self.judge.known_as(self.t, meeting).find_map(|at| self.judge.roll_at(at))
    }
    fn files_of(&self, place: PlaceId) -> usize {
        let row = self.judge.past.row(self.t);
        let files = self.judge.evidence.iter().filter(|(at, e)| e.is_file_of(place) && holds(row, *at));
        files.count()
    }
    fn handled(&self, place: PlaceId) -> bool {
        self.judge.handled_by(self.t, place)
    }
    fn above(&self, place: PlaceId) -> bool {
        self.standing.is_some() && self.above_holder(place)
    }
}

impl Judge<'_, '_> {
    /// Judges a voice that puts something on record, and keeps it.
    pub(super) fn put_on_record(
        &mut self,
        t: usize,
        voice: &Voice,
        author: &Author,
        day: i64,
        standing: Option<Standing>,
        end: super::chain::End,
    ) -> Result<(), Violation> {
        let seen = Seen { judge: self, t, end, standing: standing.as_ref(), day };
        let place = match &standing {
            Some(s) if author.stands_for(&s.holder) => s.holder,
            Some(s) if author.stands_for(&s.home) => s.home,
            _ => author.place,
        };
        let Some(what) = piece(voice, standing.as_ref(), place, day, &seen)? else { return Ok(()) };
        let Ok(act) = self.name(t) else { return Ok(()) };
        let (entered, by_holder) = standing.map_or((None, false), |s| (s.entered, s.holder == place));
        self.evidence.push((t, Evidence { act, entered, by_holder, place, day, what }));
        Ok(())
    }
}

/// The gates of the stage a chain stands in that are not open.
pub(super) fn lacks<'a>(
    procedure: &'a Procedure,
    standing: &Standing,
    day: i64,
    evidence: impl Iterator<Item = &'a Evidence>,
) -> Vec<super::gates::Lack> {
    let Some(stage) = standing.at.and_then(|at| procedure.stage(at)) else { return Vec::new() };
    let evidence = evidence.collect();
    Leaving { procedure, stage, grade: standing.grade, entered: standing.entered, day, evidence }.lacks()
}
