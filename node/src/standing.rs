//! How a matter stands, as lists and counts of the dashboard keep it: from the matter itself, or from a register's
//! word about one that is not here. Both say the same of the same matter.

use crate::store::{MatterRow, StandingRow};
use yishi_protocol::{
    calendar::Date,
    fold::{Matter, frame::Stage, register::StubRow},
    ids::DocId,
};

/// Whether a reply is owed and not given; a stage of a newer program owes none that is known here.
fn waits_for_reply(stage: &str) -> bool {
    match Stage::from_name(stage) {
        None => false,
        Some(Stage::Answered | Stage::Refused | Stage::Referred | Stage::Closed | Stage::Withdrawn) => false,
        Some(
            Stage::Registered
            | Stage::Accepted
            | Stage::Handling
            | Stage::Escalated
            | Stage::Returned
            | Stage::Merged
            | Stage::Decided
            | Stage::Reopened,
        ) => true,
    }
}

/// How a matter that is here stands.
pub(crate) fn of_matter(row: &MatterRow, matter: &Matter) -> StandingRow {
    StandingRow {
        matter: row.doc,
        here: true,
        said_on: 0,
        home: row.home,
        number: row.number.clone(),
        category: row.category.clone(),
        stage: row.stage.clone(),
        holder: row.holder,
        raised: Some(matter.raised_on),
        moved: matter.moved_on(),
        answered: matter.answered_on(),
        refused: matter.refused_on(),
        due: row.due_day.as_deref().and_then(|d| d.parse::<Date>().ok()).map(Date::days),
        waits: waits_for_reply(&row.stage),
        closed: row.closed,
        violations: row.violations,
    }
}

/// How a matter stands of which a register speaks.
pub(crate) fn of_stub(matter: DocId, s: &StubRow) -> StandingRow {
    StandingRow {
        matter,
        here: false,
        said_on: s.on,
        home: s.home,
        number: Some(s.number.clone()).filter(|n| !n.is_empty()),
        category: s.category.clone(),
        stage: s.stage.clone(),
        holder: s.holder,
        raised: Some(s.raised),
        moved: s.moved,
        answered: s.answered,
        refused: s.refused,
        due: s.due,
        waits: waits_for_reply(&s.stage),
        closed: Stage::from_name(&s.stage).is_some_and(Stage::is_ended),
        violations: u32::try_from(s.violations).unwrap_or(u32::MAX),
    }
}
