//! What people fill in for an act.

use serde::Serialize;

/// One thing a person fills in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The stable name of the field.
    pub name: &'static str,
    /// Whether it is compulsory.
    pub required: bool,
    /// `text`, `string`, `number`, `place`, `reply`, `branch`, `matter`, `votes` or one of fixed words.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// What is filled in for an act, by its stable name.
#[must_use]
pub fn fields_of(act: &str) -> &'static [Entry] {
    const fn must(name: &'static str, kind: &'static str) -> Entry {
        Entry { name, required: true, kind }
    }
    const fn may(name: &'static str, kind: &'static str) -> Entry {
        Entry { name, required: false, kind }
    }
    match act {
        "register" => const { &[must("body", "text"), may("title", "string"), may("category", "string")] },
        "refuse" | "reopen" | "take_over" => const { &[must("reason", "text")] },
        "handle" => const { &[must("note", "text")] },
        "escalate" | "withdraw" => const { &[may("reason", "text")] },
        "return" => const { &[must("reason", "text"), may("to", "place")] },
        "merge" => const { &[must("into", "matter")] },
        "absorb" | "release" => const { &[must("source", "matter")] },
        "decide" => const { &[must("outcome", "outcome")] },
        "answer" => const { &[must("text", "text")] },
        "close" | "resume" => const { &[may("note", "text")] },
        "accept" => {
            const {
                &[
                    may("procedure", "procedure"),
                    may("grade", "minor|ordinary|major"),
                    may("urgency", "normal|urgent|immediate"),
                ]
            }
        }
        "advance" => const { &[must("to", "stage"), may("reason", "text")] },
        "assign" => const { &[must("unit", "string"), may("person", "string"), may("note", "text")] },
        "extend" => const { &[must("working_days", "number"), must("reason", "text")] },
        "pause" => const { &[must("reason", "text")] },
        "refer" => const { &[must("to", "string"), must("reason", "text")] },
        "call" => {
            const { &[must("body", "body"), must("day", "day"), must("agenda", "text"), may("venue", "string")] }
        }
        "meet" => {
            const {
                &[
                    must("body", "body"),
                    must("minutes", "text"),
                    must("eligible", "number"),
                    must("present", "number"),
                    may("remote", "number"),
                    may("day", "day"),
                    may("call", "call"),
                    may("roll", "roll"),
                    may("tags", "tags"),
                ]
            }
        }
        "record" => const { &[must("form", "form"), must("fields", "fields")] },
        "post" => const { &[must("text", "text"), must("days", "number")] },
        "object" => const { &[may("post", "reply"), must("text", "text")] },
        "summon" => {
            const { &[must("unit", "string"), must("question", "text"), must("working_days", "number")] }
        }
        "respond" => const { &[may("to", "reply"), must("text", "text"), may("relayed", "yes_no")] },
        "correct" => {
            const { &[may("title", "string"), may("body", "text"), may("category", "string"), may("text", "text")] }
        }
        "urge" => const { &[may("degree", "urged|raised"), may("note", "text")] },
        "settle" => const { &[must("branch", "branch")] },
        "comment" => const { &[must("text", "text")] },
        "support" => const { &[may("count", "number"), may("note", "string")] },
        "ballot" => {
            const {
                &[
                    must("question", "string"),
                    must("body", "string"),
                    must("eligible", "number"),
                    must("present", "number"),
                    must("for", "number"),
                    must("against", "number"),
                    must("abstain", "number"),
                    may("votes", "votes"),
                    may("meeting", "meeting"),
                    may("counters", "counters"),
                ]
            }
        }
        "tell" => {
            const { &[may("answer", "reply"), must("how", "phone|visit|paper|online"), may("note", "string")] }
        }
        "rate" => {
            const {
                &[
                    must("score", "number"),
                    must("source", "resident|revisit|third_party|proxy"),
                    may("note", "text"),
                ]
            }
        }
        _ => &[],
    }
}
