//! Keys and short strings that acts repeat all the time, as one-byte numbers on the wire.
//!
//! Stable for ever: only ever append. An unknown number is an error, a string that is not listed
//! travels in full.

/// The dictionary, by number.
pub(super) const WORDS: &[&str] = &[
    "kind",
    "prev",
    "on",
    "by",
    "number",
    "check",
    "title",
    "body",
    "category",
    "source",
    "channel",
    "petitioner",
    "dossier",
    "external",
    "system",
    "procedure",
    "calendar",
    "reason",
    "note",
    "to",
    "into",
    "home",
    "doc",
    "outcome",
    "act",
    "text",
    "lead",
    "lead_act",
    "target",
    "branch",
    "count",
    "question",
    "eligible",
    "present",
    "in_favour",
    "against",
    "abstain",
    "votes",
    "answer",
    "how",
    "score",
    "proposals",
    "unit",
    "budget_yuan",
    "due",
    "percent",
    "previous",
    "code",
    "name",
    "level",
    "parent",
    "categories",
    "members",
    "id",
    "roles",
    "ciphertext",
    "rows",
    "stage",
    "holder",
    "violations",
    // Kinds of acts.
    "register",
    "accept",
    "refuse",
    "handle",
    "escalate",
    "return",
    "merge",
    "unmerge",
    "absorb",
    "release",
    "decide",
    "close",
    "reopen",
    "withdraw",
    "correct",
    "take_over",
    "settle",
    "comment",
    "support",
    "ballot",
    "tell",
    "rate",
    "progress",
    "snapshot",
    "seal",
    "stubs",
    // Values that stand in most matters.
    "for",
    "residents",
    "named",
    "anonymous",
    "proxy",
    "home_visit",
    "phone",
    "visit",
    "paper",
    "online",
    "resident",
    "revisit",
    "third_party",
    "hotline",
    "u1",
    "u2",
    "registered",
    "accepted",
    "refused",
    "handling",
    "escalated",
    "returned",
    "merged",
    "decided",
    "answered",
    "closed",
    "withdrawn",
    "reopened",
    "village",
    "township",
    "district",
];

/// The number of a word.
pub(super) fn number_of(word: &str) -> Option<u64> {
    WORDS.iter().position(|w| *w == word).map(|i| i as u64)
}

/// The word of a number.
pub(super) fn word(number: u64) -> Option<&'static str> {
    usize::try_from(number).ok().and_then(|i| WORDS.get(i)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_stands_twice() {
        for (i, word) in WORDS.iter().enumerate() {
            assert_eq!(number_of(word), Some(i as u64), "{word}");
        }
    }
}
