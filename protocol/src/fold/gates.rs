//! Whether a stage's gates are open: by what its holder put on record, and no clock.

use super::{
    evidence::{Evidence, Piece},
    verdict::Violation,
};
use crate::{
    ids::ActRef,
    procedure::{Gate, Grade, Need, Procedure, Stage, When},
};
use serde::Serialize;

/// A gate that is not open, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lack {
    /// Why.
    pub why: Violation,
    /// The form or body it is about, by its name in the procedure.
    pub about: Option<String>,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// What a stage is left with.
pub(super) struct Leaving<'a> {
    pub(super) procedure: &'a Procedure,
    pub(super) stage: &'a Stage,
    pub(super) grade: Grade,
    /// The step that entered the stage.
    pub(super) entered: Option<ActRef>,
    /// The day it is left.
    pub(super) day: i64,
    /// What is on record.
    pub(super) evidence: Vec<&'a Evidence>,
}

impl Leaving<'_> {
    /// Every gate that is not open.
    pub(super) fn lacks(&self) -> Vec<Lack> {
        let stands = |g: &&Gate| g.is_for(self.grade) && g.when.as_ref().is_none_or(|w| self.chose(w));
        self.stage.gates.iter().filter(stands).filter_map(|g| self.lack(g)).collect()
    }

    /// Whether a record of the form made one of the choices.
    fn chose(&self, when: &When) -> bool {
        self.evidence.iter().any(|e| match &e.what {
            Piece::Record { form, chosen, .. } if *form == when.form => {
                chosen.get(&when.field).is_some_and(|choice| when.is.contains(choice))
            }
            _ => false,
        })
    }

    /// What the holder recorded in this stage.
    fn here(&self) -> impl Iterator<Item = &Evidence> {
        self.evidence.iter().copied().filter(|e| e.entered == self.entered && self.entered.is_some())
    }

    fn lack(&self, gate: &Gate) -> Option<Lack> {
        let missing = |why: Violation, about: &str, zh: String, en: String| {
            Some(Lack { why, about: Some(about.to_owned()).filter(|a| !a.is_empty()), zh, en })
        };
        match &gate.need {
            Need::Record { form, at_least } => {
                let there = self.here().filter(|e| is_record(e, form)).count();
                if there >= usize::from(*at_least) {
                    return None;
                }
                let (zh, en) = self.form(form);
                let more = usize::from(*at_least) - there;
                missing(
                    Violation::LacksRecord,
                    form,
                    format!("还缺{zh} {more} 份"),
                    format!("{more} more of “{en}” must be recorded"),
                )
            }
            Need::Earlier { form } => {
                if self.evidence.iter().any(|e| is_record(e, form)) {
                    return None;
                }
                let (zh, en) = self.form(form);
                missing(
                    Violation::LacksRecord,
                    form,
                    format!("须先有{zh}"),
                    format!("“{en}” must have been recorded before"),
                )
            }
            Need::Meeting { body, tags } => {
                let held = |e: &&Evidence| matches!(&e.what, Piece::Meeting { body: b, .. } if b == body);
                let meetings: Vec<_> = self.here().filter(|e| e.by_holder).filter(held).collect();
                let (zh, en) = self.body(body);
                if meetings.is_empty() {
                    let (zh, en) = (format!("{zh}尚未开会"), format!("“{en}” has not met"));
                    return missing(Violation::LacksMeeting, body, zh, en);
                }
                let quorate: Vec<_> = meetings
                    .iter()
                    .filter_map(|e| match &e.what {
                        Piece::Meeting { there, tags, quorate: true, .. } => Some((*there, tags)),
                        _ => None,
                    })
                    .collect();
                if quorate.is_empty() {
                    let (zh, en) = (format!("{zh}到会人数不足"), format!("“{en}” met without a quorum"));
                    return missing(Violation::NoQuorum, body, zh, en);
                }
                let short = tags.iter().find(|(tag, share)| {
                    !quorate
                        .iter()
                        .any(|(there, said)| share.reached(said.get(*tag).copied().unwrap_or(0), *there))
                });
                let (tag, share) = short?;
                missing(
                    Violation::NotRepresentative,
                    body,
                    format!("{zh}到会人员中“{tag}”不足 {share}"),
                    format!("of those at “{en}”, fewer than {share} are “{tag}”"),
                )
            }
            Need::Ballot { body, majority } => {
                let votes: Vec<_> = self
                    .here()
                    .filter(|e| e.by_holder)
                    .filter_map(|e| match &e.what {
                        Piece::Ballot { body: b, eligible, present, in_favour } if b == body => {
                            Some((*in_favour, *present, *eligible))
                        }
                        _ => None,
                    })
                    .collect();
                let (zh, en) = self.body(body);
                if votes.is_empty() {
                    let (zh, en) = (format!("{zh}尚未表决"), format!("“{en}” has not voted"));
                    return missing(Violation::LacksBallot, body, zh, en);
                }
                if votes.iter().any(|(f, p, e)| majority.passed(*f, *p, *e)) {
                    return None;
                }
                missing(
                    Violation::BallotNotPassed,
                    body,
                    format!("{zh}表决未通过（须{}）", majority.zh()),
                    format!("the vote of “{en}” did not pass ({majority})"),
                )
            }
            Need::Posted { days, objections_answered } => self.posted(i64::from(*days), *objections_answered),
            Need::SummonsAnswered { at_least } => {
                let asked = self.evidence.iter().filter(|e| e.what == Piece::Summons).count();
                if asked < usize::from(*at_least) {
                    let more = usize::from(*at_least) - asked;
                    return missing(
                        Violation::SummonsOpen,
                        "",
                        format!("还须约请 {more} 家"),
                        format!("{more} more must be summoned to say something"),
                    );
                }
                let open = self.evidence.iter().filter(|e| e.what == Piece::Summons && !self.answered(e.act));
                let open = open.count();
                (open > 0).then(|| Lack {
                    why: Violation::SummonsOpen,
                    about: None,
                    zh: format!("还有 {open} 件约请未回复"),
                    en: format!("{open} summonses have not been answered"),
                })
            }
            Need::WithinBudget => {
                let (budget, spent) = money(self.evidence.iter().copied());
                (spent > budget).then(|| Lack {
                    why: Violation::OverBudget,
                    about: None,
                    zh: format!("支出 {spent} 元，超出预算 {budget} 元"),
                    en: format!("{spent} yuan were spent of a budget of {budget}"),
                })
            }
        }
    }

    fn posted(&self, days: i64, objections_answered: bool) -> Option<Lack> {
        let posts: Vec<_> = self
            .here()
            .filter(|e| e.by_holder)
            .filter(|e| matches!(e.what, Piece::Post { days: said } if said >= days))
            .collect();
        let lack = |why, zh: String, en: String| Some(Lack { why, about: None, zh, en });
        let Some(first) = posts.iter().map(|e| e.day).min() else {
            return lack(
                Violation::NotPosted,
                format!("尚未公示（须满 {days} 天）"),
                format!("nothing has been posted for {days} days"),
            );
        };
        let until = first.saturating_add(days);
        if self.day < until {
            let left = until - self.day;
            return lack(
                Violation::NotPosted,
                format!("公示未满，还差 {left} 天"),
                format!("the notice has {left} days to go"),
            );
        }
        let open = self.evidence.iter().filter(|e| match e.what {
            Piece::Objection { post } => posts.iter().any(|p| p.act == post) && !self.answered(e.act),
            _ => false,
        });
        let open = if objections_answered { open.count() } else { 0 };
        if open == 0 {
            return None;
        }
        lack(
            Violation::ObjectionsOpen,
            format!("还有 {open} 条异议未回复"),
            format!("{open} objections have not been answered"),
        )
    }

    fn answered(&self, act: ActRef) -> bool {
        self.evidence.iter().any(|e| e.what == Piece::Response { to: act })
    }

    fn form<'s>(&'s self, id: &'s str) -> (&'s str, &'s str) {
        self.procedure.form(id).map_or((id, id), |f| (&f.title.zh, &f.title.en))
    }

    fn body<'s>(&'s self, id: &'s str) -> (&'s str, &'s str) {
        self.procedure.body(id).map_or((id, id), |b| (&b.title.zh, &b.title.en))
    }
}

fn is_record(e: &Evidence, wanted: &str) -> bool {
    matches!(&e.what, Piece::Record { form, .. } if form == wanted)
}

/// Budget and spending in yuan.
pub(super) fn money<'a>(evidence: impl Iterator<Item = &'a Evidence>) -> (i64, i64) {
    evidence.fold((0, 0), |(budget, spent): (i64, i64), e| match &e.what {
        Piece::Record { money: Some((crate::procedure::Ledger::Budget, yuan)), .. } => {
            (budget.saturating_add(*yuan), spent)
        }
        Piece::Record { money: Some((crate::procedure::Ledger::Spending, yuan)), .. } => {
            (budget, spent.saturating_add(*yuan))
        }
        _ => (budget, spent),
    })
}
