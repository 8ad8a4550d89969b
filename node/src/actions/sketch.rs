//! What the read model keeps of a matter: enough for lists, exports and stubs without reading changes.
//!
//! It holds ids and days only; names, dates and deadlines are made of it when it is shown. Kept as JSON
//! in the row's `detail`; fields a newer program adds are ignored, missing ones have defaults.

use serde::{Deserialize, Serialize};
use yishi_protocol::{
    fold::{Matter, SymbolicDeadline, Violation},
    ids::{ActRef, DocId, PlaceId},
};

/// A time limit before any calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Due {
    pub(crate) from: i64,
    pub(crate) days: u16,
    pub(crate) what: String,
}

impl From<SymbolicDeadline> for Due {
    fn from(d: SymbolicDeadline) -> Self {
        Self { from: d.from_day, days: d.working_days, what: d.what.to_owned() }
    }
}

/// A rating.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rated {
    pub(crate) score: i64,
    pub(crate) source: String,
    pub(crate) place: PlaceId,
    pub(crate) counted: bool,
    pub(crate) on: i64,
}

/// An act that was not allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Broken {
    pub(crate) act: ActRef,
    pub(crate) place: PlaceId,
    pub(crate) rule: String,
}

impl Broken {
    /// The rule itself; `None` for one of a newer program.
    pub(crate) fn violation(&self) -> Option<Violation> {
        Violation::ALL.iter().copied().find(|v| v.name() == self.rule)
    }
}

/// The newest word of a place above about a late holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UrgedOn {
    pub(crate) degree: String,
    pub(crate) ground: String,
    pub(crate) on: i64,
}

/// The newest reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Replied {
    pub(crate) text: String,
    pub(crate) on: i64,
}

/// A matter in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sketch {
    pub(crate) number: String,
    pub(crate) check: String,
    pub(crate) title: String,
    pub(crate) category: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) raised_on: i64,
    pub(crate) home: PlaceId,
    pub(crate) holder: Option<PlaceId>,
    pub(crate) stage: String,
    pub(crate) due: Option<Due>,
    pub(crate) merged_into: Option<DocId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sources: Vec<DocId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) outcomes: Vec<DocId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ratings: Vec<Rated>,
    #[serde(default)]
    pub(crate) supports: i64,
    pub(crate) external: Option<(String, String)>,
    pub(crate) petitioner: Option<String>,
    pub(crate) dossier: Option<DocId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) violations: Vec<Broken>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) late: Vec<ActRef>,
    pub(crate) reply: Option<Replied>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) urged: Option<UrgedOn>,
    #[serde(default)]
    pub(crate) told: bool,
    /// Whether a form was filled in or a meeting held: sheets read only these.
    #[serde(default)]
    pub(crate) on_record: bool,
}

impl Sketch {
    /// A folded matter in short.
    pub(crate) fn of(matter: &Matter) -> Self {
        Self {
            number: matter.number.clone(),
            check: matter.check.clone(),
            title: matter.title.clone(),
            category: matter.category.clone(),
            source: matter.source.clone(),
            channel: matter.channel.clone(),
            raised_on: matter.raised_on,
            home: matter.home,
            holder: matter.holder,
            stage: matter.stage.name().to_owned(),
            due: matter.deadline.map(Into::into),
            merged_into: matter.merged_into,
            sources: matter.sources.iter().map(|s| s.doc).collect(),
            outcomes: matter.outcomes.clone(),
            ratings: matter
                .ratings
                .iter()
                .map(|r| Rated {
                    score: r.score,
                    source: r.source.clone(),
                    place: r.place,
                    counted: r.counted,
                    on: r.on,
                })
                .collect(),
            supports: matter.supporters(),
            external: matter.external.as_ref().map(|e| (e.system.clone(), e.number.clone())),
            petitioner: matter.petitioner.clone(),
            dossier: matter.dossier,
            violations: matter
                .violations
                .iter()
                .map(|v| Broken { act: v.act, place: v.place, rule: v.why.name().to_owned() })
                .collect(),
            late: matter.late.clone(),
            urged: matter.urges.last().map(|u| UrgedOn {
                degree: u.degree.clone(),
                ground: u.ground.clone(),
                on: u.on,
            }),
            reply: matter.newest_reply().map(|r| Replied { text: r.text.clone(), on: r.on }),
            told: matter.told,
            on_record: !matter.records.is_empty() || !matter.meetings.is_empty(),
        }
    }
}
