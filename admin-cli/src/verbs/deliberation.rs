//! `yishi matter`, the procedure's part: each verb is one act.

use serde_json::{Map, Value};

use super::{
    Desk,
    matter::{act, name},
};
use crate::args::DeliberationVerb;
use crate::trouble::Trouble;

/// The matter and the act a verb means.
pub(super) fn meant(verb: DeliberationVerb, desk: &Desk) -> Result<(String, Value), Trouble> {
    use DeliberationVerb as V;
    let read = |text: &str| desk.console.text(text).map(Value::from);
    let choice = |value: Option<Value>| value.unwrap_or(Value::Null);
    Ok(match verb {
        V::Accept { reference, procedure, grade, urgency } => {
            let (grade, urgency) = (choice(grade.map(name)), choice(urgency.map(name)));
            let given = [("procedure", procedure.into()), ("grade", grade), ("urgency", urgency)];
            (reference, act("accept", &given))
        }
        V::Advance { reference, to, reason } => {
            (reference, act("advance", &[("to", to.into()), ("reason", reason.into())]))
        }
        V::Assign { reference, unit, person, note } => {
            let given = [("unit", unit.into()), ("person", person.into()), ("note", note.into())];
            (reference, act("assign", &given))
        }
        V::Extend { reference, days, reason } => {
            (reference, act("extend", &[("working_days", days.into()), ("reason", reason.into())]))
        }
        V::Pause(with) => (with.reference, act("pause", &[("reason", with.reason.into())])),
        V::Resume { reference, note } => (reference, act("resume", &[("note", note.into())])),
        V::Refer { reference, to, reason } => {
            (reference, act("refer", &[("to", to.into()), ("reason", reason.into())]))
        }
        V::Call { reference, body, day, venue, agenda } => {
            let agenda = read(&agenda)?;
            let given =
                [("body", body.into()), ("day", day.into()), ("venue", venue.into()), ("agenda", agenda)];
            (reference, act("call", &given))
        }
        V::Meet { reference, body, eligible, present, remote, roll, day, tags, minutes } => {
            let minutes = read(&minutes)?;
            let mut counts = Map::new();
            for (tag, count) in tags {
                let count: u32 = count.parse().map_err(|_| {
                    Trouble::Usage(crate::both!(
                        "--tag 要写成 类别=人数，例如 women=8。什么都没有改动。",
                        "--tag wants TAG=COUNT, as in women=8. Nothing was changed."
                    ))
                })?;
                counts.insert(tag, count.into());
            }
            let given = [
                ("body", body.into()),
                ("eligible", eligible.into()),
                ("present", present.into()),
                ("remote", if roll.is_empty() { remote.into() } else { Value::Null }),
                ("roll", named(roll)),
                ("day", day.into()),
                ("tags", Some(counts).filter(|c| !c.is_empty()).map_or(Value::Null, Value::Object)),
                ("minutes", minutes),
            ];
            (reference, act("meet", &given))
        }
        V::Ballot { reference, body, eligible, present, in_favour, against, abstain, votes, question } => {
            let given = [
                ("question", question.into()),
                ("body", body.into()),
                ("eligible", eligible.into()),
                ("present", present.into()),
                ("for", in_favour.into()),
                ("against", against.into()),
                ("abstain", abstain.into()),
                ("votes", named(votes)),
            ];
            (reference, act("ballot", &given))
        }
        V::Record { reference, form, fields } => {
            let fields: Map<String, Value> = fields.into_iter().map(|(k, v)| (k, v.into())).collect();
            (reference, act("record", &[("form", form.into()), ("fields", fields.into())]))
        }
        V::Urge { reference, raised, note } => {
            let degree = raised.then_some("raised");
            let note = note.map(|n| read(&n)).transpose()?;
            (reference, act("urge", &[("degree", degree.into()), ("note", choice(note))]))
        }
        V::Post { reference, days, text } => {
            let text = read(&text)?;
            (reference, act("post", &[("text", text), ("days", days.into())]))
        }
        V::Object { reference, post, text } => {
            let text = read(&text)?;
            (reference, act("object", &[("post", post.into()), ("text", text)]))
        }
        V::Summon { reference, unit, days, question } => {
            let question = read(&question)?;
            let given = [("unit", unit.into()), ("question", question), ("working_days", days.into())];
            (reference, act("summon", &given))
        }
        V::Respond { reference, to, relayed, text } => {
            let text = read(&text)?;
            let relayed = if relayed { Value::from(true) } else { Value::Null };
            (reference, act("respond", &[("to", to.into()), ("text", text), ("relayed", relayed)]))
        }
        V::TakeOver(with) => (with.reference, act("take_over", &[("reason", with.reason.into())])),
        V::Settle { reference, branch } => (reference, act("settle", &[("branch", branch.into())])),
    })
}

/// People by name and what is said of each; nothing if nobody is named.
fn named(said: Vec<(String, String)>) -> Value {
    match said.is_empty() {
        true => Value::Null,
        false => Value::Object(said.into_iter().map(|(who, how)| (who, how.into())).collect()),
    }
}
