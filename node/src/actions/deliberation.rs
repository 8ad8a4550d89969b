//! Meetings, forms, notices and summonses as callers ask for them: what is left out is filled in from the
//! matter, and forms are read by what the procedure says of each field.

use super::{
    ActionError,
    request::ActRequest,
    words::{optional_short, required, short},
};
use std::collections::BTreeMap;
use yishi_protocol::{
    act::{Filled, Text, Voice},
    calendar::Date,
    fold::{Matter, Violation, next::NotAllowed},
    ids::ActRef,
    procedure::FieldKind,
    value::Value,
};

/// The newest meeting of a body, if there is one.
pub(super) fn newest_meeting(matter: &Matter, body: &str) -> Option<ActRef> {
    matter.meetings.iter().rev().find(|m| m.body == body).map(|m| m.act)
}

/// What a request about a deliberation means; every text in it is shown to `text`.
pub(super) fn read(
    request: ActRequest,
    matter: &Matter,
    today: i64,
    text: &mut impl FnMut(&Text),
) -> Result<Voice, ActionError> {
    let mut words = |name: &'static str, said: &str| -> Result<Text, ActionError> {
        let words = required(name, said)?;
        text(&words);
        Ok(words)
    };
    Ok(match request {
        ActRequest::Call { body, day, agenda, venue } => Voice::Call {
            body: short("body", &body)?,
            day: day.days(),
            agenda: words("agenda", &agenda)?,
            venue: optional_short("venue", venue.as_deref())?,
        },
        ActRequest::Meet { call, body, day, eligible, present, remote, roll, tags, minutes } => {
            let newest = || matter.calls.iter().rev().find(|c| c.body == body).map(|c| c.act);
            Voice::Meet {
                call: call.or_else(newest),
                day: day.map_or(today, Date::days),
                eligible,
                present,
                remote,
                roll,
                tags,
                minutes: words("minutes", &minutes)?,
                body: short("body", &body)?,
            }
        }
        ActRequest::Record { form, fields } => {
            let fields = filled(&form, fields, matter, &mut words)?;
            Voice::Record { form, fields }
        }
        ActRequest::Post { text, days } => Voice::Post { days, text: words("text", &text)? },
        ActRequest::Object { post, text } => {
            let newest = || matter.posts.last().map(|p| p.act);
            let post = post.or_else(newest).ok_or(NotAllowed::Violation(Violation::NothingThere))?;
            Voice::Object { post, text: words("text", &text)? }
        }
        ActRequest::Summon { unit, question, working_days } => Voice::Summon {
            unit: short("unit", &unit)?,
            question: words("question", &question)?,
            working_days,
        },
        ActRequest::Respond { to, text, relayed } => {
            let objections = matter.posts.iter().flat_map(|p| &p.objections);
            let open = objections.chain(&matter.summonses).find(|a| a.replies.is_empty()).map(|a| a.act);
            let to = to.or(open).ok_or(NotAllowed::Violation(Violation::NothingThere))?;
            Voice::Respond { to, text: words("text", &text)?, relayed }
        }
        _ => return Err(ActionError::Broken("no act of a deliberation")),
    })
}

/// A form as it was filled in. Empty fields are left out; what is missing, the fold says.
fn filled(
    form: &str,
    fields: BTreeMap<String, serde_json::Value>,
    matter: &Matter,
    words: &mut impl FnMut(&'static str, &str) -> Result<Text, ActionError>,
) -> Result<Filled, ActionError> {
    let procedure = matter.procedure_file().ok_or(NotAllowed::Violation(Violation::NoProcedure))?;
    let form = procedure.form(form).ok_or(NotAllowed::Violation(Violation::UnknownForm))?;
    let mut filled = BTreeMap::new();
    for (name, given) in fields {
        let field = form.fields.iter().find(|f| f.id == name);
        let field = field.ok_or(NotAllowed::Violation(Violation::UnknownField))?;
        let said = match &given {
            serde_json::Value::Null => continue,
            serde_json::Value::String(said) => said.trim().to_owned(),
            serde_json::Value::Number(n) => n.to_string(),
            serde_json::Value::Bool(yes) => yes.to_string(),
            _ => return Err(NotAllowed::Violation(Violation::FormIncomplete).into()),
        };
        if said.is_empty() {
            continue;
        }
        let bad = || ActionError::from(NotAllowed::Violation(Violation::FormIncomplete));
        let value = match field.kind {
            FieldKind::Text => Value::Text(words("fields", &said)?.0),
            FieldKind::Line | FieldKind::Choice => Value::Str(short("fields", &said)?.into()),
            FieldKind::Number | FieldKind::Money => Value::Int(said.parse().map_err(|_| bad())?),
            FieldKind::Day => Value::Int(match said.parse::<Date>() {
                Ok(day) => day.days(),
                Err(_) => said.parse().map_err(|_| bad())?,
            }),
            FieldKind::YesNo => match said.as_str() {
                "true" | "yes" | "on" | "1" => Value::Bool(true),
                "false" | "no" | "0" => Value::Bool(false),
                _ => return Err(bad()),
            },
        };
        filled.insert(name, value);
    }
    Ok(Filled(filled.into_iter().collect()))
}
