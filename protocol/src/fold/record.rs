//! What a matter has on record in its procedure, as people see it: forms, calls, meetings, notices, summonses.

use super::{Matter, assemble::Mark};
use crate::{
    act::{Text, Voice},
    ids::{ActRef, Hash, PlaceId},
    procedure::Words,
    value::Value,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Where a matter stands in its procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AtStage {
    /// The stage's name in the procedure.
    pub stage: String,
    /// As shown.
    pub title: Words,
    /// The step that entered it.
    pub entered: ActRef,
    /// Which of how many, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

/// A unit that was given the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assigned {
    /// The step.
    pub act: ActRef,
    /// The unit.
    pub unit: String,
    /// 经办人: member id.
    pub person: Option<String>,
    /// The place.
    pub place: PlaceId,
    /// The day.
    pub on: i64,
}

/// A form that was filled in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recorded {
    /// The act.
    pub act: ActRef,
    /// The form's name in the procedure.
    pub form: String,
    /// What was filled in.
    pub fields: BTreeMap<String, Filling>,
    /// Who entered it.
    pub place: PlaceId,
    /// The day.
    pub on: i64,
}

/// A file that was put to the matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attached {
    /// The act.
    pub act: ActRef,
    /// The file's BLAKE3 hash.
    pub file: Hash,
    /// Its bytes.
    pub size: u64,
    /// `jpeg`, `png` or `webp`.
    pub kind: String,
    /// What it shows: `photo`, `sign_in`, `count` or `receipt`.
    pub about: String,
    /// What is written under it.
    pub caption: Option<String>,
    /// Who put it there.
    pub place: PlaceId,
    /// The day.
    pub on: i64,
}

/// What stands in a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Filling {
    /// Words, a choice.
    Words(String),
    /// A number, an amount, a day.
    Number(i64),
    /// Yes or no.
    YesNo(bool),
}

/// A call to a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Called {
    /// The act.
    pub act: ActRef,
    /// Which body.
    pub body: String,
    /// For which day.
    pub day: i64,
    /// What for.
    pub agenda: String,
    /// Where.
    pub venue: Option<String>,
    /// Who called.
    pub place: PlaceId,
    /// The day of the call.
    pub on: i64,
}

/// A meeting that was held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Met {
    /// The act.
    pub act: ActRef,
    /// The call to it.
    pub call: Option<ActRef>,
    /// Which body.
    pub body: String,
    /// On which day.
    pub day: i64,
    /// Entitled to be there.
    pub eligible: i64,
    /// There.
    pub present: i64,
    /// There from afar.
    pub remote: i64,
    /// Member id to `present`, `remote` or `absent`; empty when only counted.
    pub roll: BTreeMap<String, String>,
    /// How many of those there carry a tag.
    pub tags: BTreeMap<String, i64>,
    /// What was said and settled.
    pub minutes: String,
    /// Whether there were enough, by the procedure.
    pub quorate: bool,
    /// Who entered it.
    pub place: PlaceId,
    /// The day it was entered.
    pub on: i64,
}

/// A notice on the public board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Posted {
    /// The act.
    pub act: ActRef,
    /// For so many days.
    pub days: i64,
    /// What is posted.
    pub text: String,
    /// Where.
    pub place: PlaceId,
    /// From this day.
    pub on: i64,
    /// Objections to it.
    pub objections: Vec<Asked>,
}

/// Something that wants a reply: an objection or a summons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The act.
    pub act: ActRef,
    /// Of whom; for an objection empty.
    pub unit: String,
    /// The words.
    pub text: String,
    /// Within so many working days, for a summons.
    pub working_days: Option<i64>,
    /// By whom.
    pub place: PlaceId,
    /// The day.
    pub on: i64,
    /// The replies.
    pub replies: Vec<Said>,
}

/// A reply to an objection or a summons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// The act.
    pub act: ActRef,
    /// The words.
    pub text: String,
    /// Whether it was said elsewhere and is passed on.
    pub relayed: bool,
    /// Who entered it.
    pub place: PlaceId,
    /// The day.
    pub on: i64,
}

/// 督办: what a place above said of a late holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Urged {
    /// The act.
    pub act: ActRef,
    /// `urged` or `raised`.
    pub degree: String,
    /// `overdue`, `returned` or `forwarded`.
    pub ground: String,
    /// The step whose time was over.
    pub since: Option<ActRef>,
    /// The day it was due.
    pub due: Option<i64>,
    /// Remark.
    pub note: Option<String>,
    /// By whom.
    pub place: PlaceId,
    /// The day.
    pub on: i64,
}

impl Matter {
    /// Adds what was put on record where it counts; returns its words.
    pub(super) fn take_record(
        &mut self,
        voice: Voice,
        Mark { act, place, on, .. }: Mark,
        counted: bool,
    ) -> Option<String> {
        match voice {
            Voice::Call { body, day, agenda: Text(agenda), venue } => {
                if counted {
                    self.calls.push(Called { act, body, day, agenda: agenda.clone(), venue, place, on });
                }
                Some(agenda)
            }
            Voice::Meet {
                call,
                body,
                day,
                eligible,
                present,
                remote,
                roll,
                tags,
                minutes: Text(minutes),
            } => {
                if counted {
                    let (quorate, minutes) = (false, minutes.clone());
                    #[rustfmt::skip]
                    self.meetings.push(Met {
                        act, call, body, day, eligible, present, remote, roll, tags, minutes, quorate, place, on,
                    });
                }
                Some(minutes)
            }
            Voice::Record { form, fields } => {
                let fields: BTreeMap<String, Filling> =
                    fields.0.into_iter().filter_map(|(k, v)| Some((k.into(), filling(v)?))).collect();
                let words = fields.values().find_map(|f| match f {
                    Filling::Words(words) => Some(words.clone()),
                    _ => None,
                });
                if counted {
                    self.records.push(Recorded { act, form, fields, place, on });
                }
                words
            }
            Voice::Attach { file, size, format: kind, about, caption } => {
                if counted {
                    let about = about.unwrap_or_else(|| "photo".to_owned());
                    let (size, caption) = (size.cast_unsigned(), caption.clone());
                    self.attachments.push(Attached { act, file, size, kind, about, caption, place, on });
                }
                caption
            }
            Voice::Post { days, text: Text(text) } => {
                if counted {
                    let objections = Vec::new();
                    self.posts.push(Posted { act, days, text: text.clone(), place, on, objections });
                }
                Some(text)
            }
            Voice::Object { post, text: Text(text) } => {
                let asked = Asked {
                    act,
                    unit: String::new(),
                    text: text.clone(),
                    working_days: None,
                    place,
                    on,
                    replies: Vec::new(),
                };
                if let (true, Some(post)) = (counted, self.posts.iter_mut().find(|p| p.act == post)) {
                    post.objections.push(asked);
                }
                Some(text)
            }
            Voice::Summon { unit, question: Text(text), working_days } => {
                if counted {
                    #[rustfmt::skip]
                    self.summonses.push(Asked {
                        act, unit, text: text.clone(), working_days: Some(working_days), place, on,
                        replies: Vec::new(),
                    });
                }
                Some(text)
            }
            Voice::Respond { to, text: Text(text), relayed } => {
                let objections = self.posts.iter_mut().flat_map(|p| &mut p.objections);
                let asked = objections.chain(&mut self.summonses).find(|a| a.act == to);
                if let (true, Some(asked)) = (counted, asked) {
                    asked.replies.push(Said { act, text: text.clone(), relayed, place, on });
                }
                Some(text)
            }
            _ => None,
        }
    }
}

fn filling(value: Value) -> Option<Filling> {
    match value {
        Value::Str(words) => Some(Filling::Words(words.into())),
        Value::Text(words) => Some(Filling::Words(words)),
        Value::Int(n) => Some(Filling::Number(n)),
        Value::Bool(yes) => Some(Filling::YesNo(yes)),
        _ => None,
    }
}
