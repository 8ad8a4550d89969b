//! Whether a procedure can work: every stage reachable, every stage with a way out, every gate one that can
//! be opened.

use super::{Fraction, Majority, Need, Procedure, Stage, When};
use crate::problem::Severity;
use std::collections::{BTreeMap, BTreeSet};

/// A part of the file that a fault is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A body.
    Body(String),
    /// A form.
    Form(String),
    /// A stage.
    Stage(String),
    /// The n-th gate of a stage.
    Gate(String, usize),
    /// What a stage names: another stage, or a form it prints.
    Way(String, String),
}

/// Something that cannot work, or will surprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// How bad.
    pub severity: Severity,
    /// Where.
    pub at: Place,
    /// Stable name.
    pub code: &'static str,
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

/// Tells every fault of a procedure.
pub fn look(procedure: &Procedure, tell: &mut impl FnMut(Fault)) {
    names(procedure, tell);
    ways(procedure, tell);
    gates(procedure, tell);
    unused(procedure, tell);
}

fn error(at: Place, code: &'static str, en: String, zh: String) -> Fault {
    Fault { severity: Severity::Error, at, code, en, zh }
}

fn warning(at: Place, code: &'static str, en: String, zh: String) -> Fault {
    Fault { severity: Severity::Warning, at, code, en, zh }
}

/// The stages a stage leads to, in whatever way.
fn leads_to(stage: &Stage) -> impl Iterator<Item = &String> {
    stage.go.iter().chain(&stage.back).chain(&stage.up).chain(&stage.down)
}

/// Everything named exists.
fn names(procedure: &Procedure, tell: &mut impl FnMut(Fault)) {
    for stage in &procedure.stages {
        for to in leads_to(stage).filter(|to| procedure.stage_named(to).is_none()) {
            tell(error(
                Place::Way(stage.id.clone(), to.clone()),
                "no_such_stage",
                format!("there is no stage “{to}”"),
                format!("没有“{to}”这个环节"),
            ));
        }
        for form in stage.print.iter().filter(|f| procedure.form(f).is_none()) {
            tell(no_form(Place::Way(stage.id.clone(), form.clone()), form));
        }
        for (n, gate) in stage.gates.iter().enumerate() {
            let at = || Place::Gate(stage.id.clone(), n);
            match &gate.need {
                Need::Record { form, .. } | Need::Earlier { form } if procedure.form(form).is_none() => {
                    tell(no_form(at(), form));
                }
                Need::Meeting { body, .. } | Need::Ballot { body, .. } if procedure.body(body).is_none() => {
                    tell(error(
                        at(),
                        "no_such_body",
                        format!("there is no body “{body}”"),
                        format!("没有“{body}”这个议事主体"),
                    ));
                }
                _ => {}
            }
            if let Some(when) = &gate.when {
                chooses(procedure, when, at(), tell);
            }
        }
    }
}

/// What a gate depends on can be chosen.
fn chooses(procedure: &Procedure, when: &When, at: Place, tell: &mut impl FnMut(Fault)) {
    let Some(form) = procedure.form(&when.form) else { return tell(no_form(at, &when.form)) };
    let field = form.fields.iter().find(|f| f.id == when.field);
    let offered = |choice: &String| field.is_some_and(|f| f.choices.iter().any(|c| c.id == *choice));
    if when.is.is_empty() || !when.is.iter().all(offered) {
        let (field, is) = (&when.field, when.is.join(", "));
        tell(error(
            at,
            "no_such_choice",
            format!("the field “{field}” of “{}” does not offer: {is}", when.form),
            format!("“{}”的“{field}”没有这些选项：{is}", form.title.zh),
        ));
    }
}

fn no_form(at: Place, form: &str) -> Fault {
    error(at, "no_such_form", format!("there is no form “{form}”"), format!("没有“{form}”这张表单"))
}

/// Every stage is reached, and from every stage the matter can be answered.
fn ways(procedure: &Procedure, tell: &mut impl FnMut(Fault)) {
    let next: BTreeMap<&str, &Stage> = procedure.stages.iter().map(|s| (s.id.as_str(), s)).collect();
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = procedure.stages.first().map(|s| s.id.as_str()).into_iter().collect();
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(next.get(id).into_iter().flat_map(|s| leads_to(s)).map(String::as_str));
        }
    }
    let ends: BTreeSet<&str> = procedure.stages.iter().filter(|s| s.end).map(|s| s.id.as_str()).collect();
    let mut ending = ends.clone();
    loop {
        let before = ending.len();
        for stage in &procedure.stages {
            if leads_to(stage).any(|to| ending.contains(to.as_str())) {
                ending.insert(&stage.id);
            }
        }
        if ending.len() == before {
            break;
        }
    }
    if procedure.stages.is_empty() {
        return;
    }
    for stage in &procedure.stages {
        let (at, zh) = (Place::Stage(stage.id.clone()), &stage.title.zh);
        if !reached.contains(stage.id.as_str()) {
            tell(error(
                at.clone(),
                "unreachable",
                format!("no way leads to the stage “{}”", stage.id),
                format!("没有一条路通到环节“{zh}”"),
            ));
        }
        if leads_to(stage).next().is_none() && !stage.end {
            tell(error(
                at.clone(),
                "dead_end",
                format!("the stage “{}” leads nowhere, and a matter cannot be answered from it", stage.id),
                format!("环节“{zh}”没有出路，也不能在此答复"),
            ));
        } else if !ending.contains(stage.id.as_str()) {
            tell(error(
                at.clone(),
                "no_reply",
                format!("from the stage “{}” no way leads to a reply to the people", stage.id),
                format!("从环节“{zh}”起无路可到答复群众"),
            ));
        }
        if stage.limits.is_empty() {
            tell(warning(
                at,
                "no_limit",
                format!("the stage “{}” has no time limit; that of the reply goes on", stage.id),
                format!("环节“{zh}”没有时限，沿用答复时限"),
            ));
        }
    }
}

/// Every gate can be opened.
fn gates(procedure: &Procedure, tell: &mut impl FnMut(Fault)) {
    for body in &procedure.bodies {
        if body.quorum.is_some_and(|q| q.share.of == 0 && !q.more) {
            tell(warning(
                Place::Body(body.id.clone()),
                "empty_quorum",
                format!("the body “{}” has a quorum of nobody", body.id),
                format!("“{}”的法定人数为零", body.title.zh),
            ));
        }
    }
    for (s, stage) in procedure.stages.iter().enumerate() {
        for (n, gate) in stage.gates.iter().enumerate() {
            let at = Place::Gate(stage.id.clone(), n);
            match &gate.need {
                Need::Ballot { majority, .. } if impossible(*majority) => tell(error(
                    at,
                    "impossible_majority",
                    format!("no vote can reach “{majority}”"),
                    format!("任何表决都达不到“{}”", majority.zh()),
                )),
                Need::Ballot { body, .. } if !meets(stage, body) => tell(warning(
                    at,
                    "no_meeting",
                    format!("the body “{body}” votes here without a meeting being asked for"),
                    format!("“{body}”在此表决，却未要求开会"),
                )),
                Need::Meeting { tags, .. } if too_much(tags.values()) => tell(error(
                    at,
                    "impossible_tags",
                    "a share of those present may not exceed the whole".into(),
                    "到会比例不能超过全体".into(),
                )),
                Need::Record { at_least: 0, .. } => tell(error(
                    at,
                    "nothing_needed",
                    "at_least must be 1 or more".into(),
                    "at_least 至少为 1".into(),
                )),
                Need::Earlier { form } if !written_before(procedure, s, form) => tell(warning(
                    at,
                    "not_asked_before",
                    format!("no stage that leads here asks for “{form}”"),
                    format!("通到这里的环节都没有要求填“{form}”"),
                )),
                Need::WithinBudget if procedure.forms.iter().all(|f| f.ledger.is_none()) => tell(error(
                    at,
                    "no_ledger",
                    "no form has a ledger: there is neither budget nor spending".into(),
                    "没有记账的表单，无预算、支出可言".into(),
                )),
                _ => {}
            }
        }
    }
}

fn impossible(majority: Majority) -> bool {
    let Majority { share: Fraction { of, parts }, more, .. } = majority;
    of > parts || (more && of == parts)
}

fn too_much<'a>(mut shares: impl Iterator<Item = &'a Fraction>) -> bool {
    shares.any(|f| f.of > f.parts)
}

fn meets(stage: &Stage, who: &str) -> bool {
    stage.gates.iter().any(|g| matches!(&g.need, Need::Meeting { body, .. } if body == who))
}

fn written_before(procedure: &Procedure, stage: usize, wanted: &str) -> bool {
    let asks =
        |s: &Stage| s.gates.iter().any(|g| matches!(&g.need, Need::Record { form, .. } if form == wanted));
    let Some(here) = procedure.stages.get(stage) else { return false };
    let mut before: BTreeSet<&str> = BTreeSet::from([here.id.as_str()]);
    loop {
        let count = before.len();
        for s in &procedure.stages {
            if leads_to(s).any(|to| before.contains(to.as_str())) {
                before.insert(&s.id);
            }
        }
        if before.len() == count {
            break;
        }
    }
    procedure.stages.iter().any(|s| before.contains(s.id.as_str()) && asks(s))
}

/// What nothing asks for is not wrong, but was perhaps meant to be asked for.
fn unused(procedure: &Procedure, tell: &mut impl FnMut(Fault)) {
    let uses =
        |test: &dyn Fn(&Need) -> bool| procedure.stages.iter().any(|s| s.gates.iter().any(|g| test(&g.need)));
    for body in &procedure.bodies {
        let meets = |need: &Need| matches!(need, Need::Meeting { body: b, .. } | Need::Ballot { body: b, .. } if *b == body.id);
        if !uses(&meets) {
            tell(warning(
                Place::Body(body.id.clone()),
                "unused_body",
                format!("no gate needs the body “{}”", body.id),
                format!("没有一道关口用到“{}”", body.title.zh),
            ));
        }
    }
}
