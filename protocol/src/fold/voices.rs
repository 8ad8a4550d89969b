//! What anyone in the audience may add: comments, support, ballots, tellings, ratings.
//!
//! Voices move nothing. They are checked for sense and for the moment: a vote after the decision or
//! another result, or a rating before it, is a violation. Whether a lawful vote *bears on* the result is not its verdict but
//! the result's: it counts if the author of the result knew it.

use super::{rules::Standing, verdict::Violation};
use crate::act::Voice;
use std::collections::BTreeMap;

/// The ways people are told.
pub const WAYS: &[&str] = &["phone", "visit", "paper", "online"];
/// How far supervision has gone.
pub const DEGREES: &[&str] = &["urged", "raised"];
/// What it is about.
pub const GROUNDS: &[&str] = &["overdue", "returned", "forwarded"];
/// Where a rating comes from.
pub const RATING_SOURCES: &[&str] = &["resident", "revisit", "third_party", "proxy"];

/// Whether a voice makes sense where the chain stands. What it cites is checked before.
pub(super) fn check(voice: &Voice, seen: Option<&Standing>) -> Result<(), Violation> {
    let ensure = |ok: bool, why: Violation| if ok { Ok(()) } else { Err(why) };
    match voice {
        Voice::Comment { text } => ensure(!text.0.trim().is_empty(), Violation::NoText),
        Voice::Support { count, .. } => ensure(count.is_none_or(|n| n >= 1), Violation::SupportCount),
        Voice::Ballot { eligible, present, in_favour, against, abstain, votes, .. } => {
            ensure(seen.is_some_and(|s| s.votes_closed.is_none()), Violation::BallotClosed)?;
            let counts = [*in_favour, *against, *abstain];
            let cast = counts.iter().try_fold(0i64, |sum, n| sum.checked_add(*n).filter(|_| *n >= 0));
            let fit = cast.is_some_and(|cast| cast <= *present && present <= eligible);
            ensure(fit, Violation::BallotCounts)?;
            ensure(votes.is_empty() || tally(votes) == Some(counts), Violation::BallotVotes)
        }
        Voice::Urge { degree, ground, .. } => {
            let known = DEGREES.contains(&degree.as_str()) && GROUNDS.contains(&ground.as_str());
            ensure(known, Violation::UnknownDegree)?;
            ensure(seen.is_some_and(|s| !s.stage.is_ended()), Violation::WrongStage)
        }
        Voice::Tell { how, .. } => ensure(WAYS.contains(&how.as_str()), Violation::UnknownWay),
        Voice::Rate { score, source, .. } => {
            ensure(seen.is_some_and(|s| s.reply.is_some()), Violation::NothingToRate)?;
            ensure((1..=5).contains(score), Violation::ScoreOutOfRange)?;
            ensure(RATING_SOURCES.contains(&source.as_str()), Violation::UnknownRatingSource)
        }
        // What they put on record is judged with it.
        Voice::Call { .. }
        | Voice::Meet { .. }
        | Voice::Record { .. }
        | Voice::Attach { .. }
        | Voice::Post { .. }
        | Voice::Object { .. }
        | Voice::Summon { .. }
        | Voice::Respond { .. } => Ok(()),
    }
}

/// For, against and abstaining; `None` if a vote is something else.
fn tally(votes: &BTreeMap<String, String>) -> Option<[i64; 3]> {
    votes.values().try_fold([0; 3], |[f, a, s], vote| match vote.as_str() {
        "for" => Some([f + 1, a, s]),
        "against" => Some([f, a + 1, s]),
        "abstain" => Some([f, a, s + 1]),
        _ => None,
    })
}
