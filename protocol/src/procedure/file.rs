//! A procedure's file: TOML in, [`Procedure`] out, or every problem with its line and column.
//!
//! Reading is strict: an unknown key is a problem, not ignored, since a node that ignored it would enforce
//! another procedure than its neighbours. What reads is then asked whether it can work ([`check`]).

use super::{
    BodyOf, ChoiceOf, FieldKind, FieldOf, Form, Fraction, Gate, Grade, Ledger, Limit, Majority, Need,
    Procedure, Quorum, Stage, Urgency, When, Who, Words, check,
};
use crate::problem::{Problem, Problems};
use serde::Deserialize;
use std::{collections::BTreeMap, ops::Range};
use toml::Spanned;

/// The largest file: the longest shipped one has nine kilobytes.
pub const FILE_BYTES_MAX: usize = 48 * 1024;
/// Stages, forms, bodies, fields of a form, gates of a stage: more is a mistake.
pub const PARTS_MAX: usize = 64;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: Spanned<u32>,
    id: Spanned<String>,
    version: Spanned<u32>,
    title: Words,
    summary: Words,
    practice: Option<String>,
    #[serde(default)]
    extend_days_max: u16,
    #[serde(default)]
    bodies: BTreeMap<Spanned<String>, FileBody>,
    #[serde(default)]
    forms: BTreeMap<Spanned<String>, FileForm>,
    stages: Vec<Spanned<FileStage>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileBody {
    zh: String,
    en: String,
    quorum: Option<Spanned<String>>,
    #[serde(default)]
    notice_days: u16,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    zh: String,
    en: String,
    by: Option<Spanned<String>>,
    ledger: Option<Spanned<String>>,
    #[serde(default)]
    fields: Vec<Spanned<FileField>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileField {
    id: Spanned<String>,
    zh: String,
    en: String,
    kind: Spanned<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    choices: Vec<FileChoice>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileChoice {
    id: Spanned<String>,
    zh: String,
    en: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileStage {
    id: Spanned<String>,
    zh: String,
    en: String,
    #[serde(default)]
    limit: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    gates: Vec<Spanned<FileGate>>,
    #[serde(default)]
    go: Vec<Spanned<String>>,
    #[serde(default)]
    back: Vec<Spanned<String>>,
    up: Option<Spanned<String>>,
    down: Option<Spanned<String>>,
    #[serde(default)]
    end: bool,
    #[serde(default)]
    early_end: Vec<Spanned<String>>,
    #[serde(default)]
    print: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileGate {
    record: Option<Spanned<String>>,
    at_least: Option<u16>,
    earlier: Option<Spanned<String>>,
    meeting: Option<Spanned<String>>,
    #[serde(default)]
    tags: BTreeMap<String, Spanned<String>>,
    ballot: Option<Spanned<String>>,
    majority: Option<Spanned<String>>,
    posted_days: Option<u16>,
    objections_answered: Option<bool>,
    summons_answered: Option<bool>,
    within_budget: Option<bool>,
    #[serde(default)]
    only: Vec<Spanned<String>>,
    when: Option<FileWhen>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileWhen {
    form: String,
    field: String,
    is: Vec<String>,
}

/// Reads a file. Warnings come with the procedure; any error means there is none.
///
/// # Errors
/// Every problem found, in the order of the file; at least one is an error.
pub fn read(file: &str) -> Result<(Procedure, Vec<Problem>), Vec<Problem>> {
    let mut reader = Reader { problems: Problems::of(file) };
    let Some(parsed) = reader.problems.parse::<File>(FILE_BYTES_MAX) else {
        return Err(reader.problems.sorted());
    };
    let (procedure, spans) = reader.take(parsed, Procedure::pin_of(file));
    if !reader.problems.fatal() {
        check::look(&procedure, &mut |fault: check::Fault| {
            let at = spans.get(&fault.at).cloned().unwrap_or(0..0);
            reader.problems.tell(fault.severity, at, fault.code, fault.en, fault.zh);
        });
    }
    if reader.problems.fatal() {
        return Err(reader.problems.sorted());
    }
    Ok((procedure, reader.problems.sorted()))
}

/// Where in the file a part stands.
type Spans = BTreeMap<check::Place, Range<usize>>;

struct Reader<'a> {
    problems: Problems<'a>,
}

impl Reader<'_> {
    fn fraction(&mut self, text: &Spanned<String>) -> Option<Fraction> {
        let read = Fraction::parse(text.get_ref()).filter(|f| f.of <= f.parts);
        if read.is_none() {
            let said = text.get_ref();
            self.problems.error(
                text.span(),
                "bad_share",
                format!("“{said}” is no share; write it like 2/3"),
                format!("“{said}”不是比例，应写作 2/3 的样子"),
            );
        }
        read
    }

    fn quorum(&mut self, text: &Spanned<String>) -> Option<Quorum> {
        // Nobody can be more than all.
        let possible = |q: &Quorum| q.share.of < q.share.parts || (!q.more && q.share.of == q.share.parts);
        let read = Quorum::parse(text.get_ref()).filter(possible);
        if read.is_none() {
            let said = text.get_ref();
            self.problems.error(
                text.span(),
                "bad_share",
                format!("“{said}” is no quorum; write it like 2/3 or more than 1/2"),
                format!("“{said}”不是法定人数，应写作 2/3 或 more than 1/2 的样子"),
            );
        }
        read
    }

    fn take(&mut self, file: File, pin: crate::ids::Hash) -> (Procedure, Spans) {
        let mut spans = Spans::new();
        self.problems.format(&file.format);
        if *file.version.get_ref() == 0 {
            self.problems.error(
                file.version.span(),
                "bad_version",
                "versions begin with 1".into(),
                "版本号从 1 起".into(),
            );
        }
        for (what, count) in
            [("bodies", file.bodies.len()), ("forms", file.forms.len()), ("stages", file.stages.len())]
        {
            if count > PARTS_MAX {
                self.problems.error(
                    0..0,
                    "too_many",
                    format!("{count} {what}; {PARTS_MAX} is the most"),
                    format!("{what} 有 {count} 个，最多 {PARTS_MAX} 个"),
                );
            }
        }
        let id = self.problems.id(&file.id);
        let mut bodies = Vec::new();
        for (id, body) in file.bodies {
            spans.insert(check::Place::Body(id.get_ref().clone()), id.span());
            let quorum = body.quorum.as_ref().and_then(|q| self.quorum(q));
            let title = Words { zh: body.zh, en: body.en };
            bodies.push(BodyOf { id: self.problems.id(&id), title, quorum, notice_days: body.notice_days });
        }
        let mut forms = Vec::new();
        for (id, form) in file.forms {
            spans.insert(check::Place::Form(id.get_ref().clone()), id.span());
            forms.push(self.form(&id, form));
        }
        let mut stages = Vec::new();
        for stage in file.stages {
            stages.push(self.stage(stage.into_inner(), &mut spans));
        }
        let procedure = Procedure {
            pin,
            id,
            version: *file.version.get_ref(),
            title: file.title,
            summary: file.summary,
            practice: file.practice,
            extend_days_max: file.extend_days_max,
            bodies,
            forms,
            stages,
        };
        (procedure, spans)
    }

    fn form(&mut self, id: &Spanned<String>, form: FileForm) -> Form {
        let who: Vec<_> = Who::ALL.iter().map(|w| w.name()).collect();
        let by = form.by.as_ref().and_then(|by| self.problems.one_of(by, Who::from_name, &who));
        let ledger = form.ledger.as_ref().and_then(|l| {
            self.problems.one_of(l, Ledger::from_name, &[Ledger::Budget.name(), Ledger::Spending.name()])
        });
        let mut fields: Vec<FieldOf> = Vec::new();
        for field in form.fields {
            let (span, field) = (field.span(), field.into_inner());
            let id = self.problems.id(&field.id);
            if fields.iter().any(|f| f.id == id) {
                self.problems.twice(field.id.span(), &id);
            }
            let kinds: Vec<_> = FieldKind::ALL.iter().map(|k| k.name()).collect();
            let kind =
                self.problems.one_of(&field.kind, FieldKind::from_name, &kinds).unwrap_or(FieldKind::Text);
            if (kind == FieldKind::Choice) == field.choices.is_empty() {
                self.problems.error(
                    span,
                    "choices",
                    "a field of kind “choice”, and no other, lists its choices".into(),
                    "选项字段必须列出 choices，其他字段不得列出".into(),
                );
            }
            let choices = field
                .choices
                .into_iter()
                .map(|c| ChoiceOf { id: self.problems.id(&c.id), title: Words { zh: c.zh, en: c.en } })
                .collect();
            let title = Words { zh: field.zh, en: field.en };
            fields.push(FieldOf { id, title, kind, required: field.required, choices });
        }
        if ledger.is_some() && !fields.iter().any(|f| f.id == "amount" && f.kind == FieldKind::Money) {
            self.problems.error(
                id.span(),
                "no_amount",
                "a form with a ledger needs a field “amount” of kind “money”".into(),
                "记账的表单须有 kind = \"money\" 的字段 amount".into(),
            );
        }
        let title = Words { zh: form.zh, en: form.en };
        Form { id: self.problems.id(id), title, by: by.unwrap_or(Who::Holder), ledger, fields }
    }

    fn stage(&mut self, stage: FileStage, spans: &mut Spans) -> Stage {
        let name = stage.id.get_ref().clone();
        if spans.insert(check::Place::Stage(name.clone()), stage.id.span()).is_some() {
            self.problems.twice(stage.id.span(), &name);
        }
        let mut limits = BTreeMap::new();
        for (urgency, limit) in &stage.limit {
            let all: Vec<_> = Urgency::ALL.iter().map(|u| u.name()).collect();
            let urgency = self.problems.one_of(urgency, Urgency::from_name, &all);
            if let (Some(urgency), Some(limit)) = (urgency, self.limit(limit)) {
                limits.insert(urgency.name(), limit);
            }
        }
        let mut gates = Vec::new();
        for (n, gate) in stage.gates.into_iter().enumerate() {
            spans.insert(check::Place::Gate(name.clone(), n), gate.span());
            if let Some(gate) = self.gate(gate) {
                gates.push(gate);
            }
        }
        let mut named = |list: Vec<Spanned<String>>| {
            let to: Vec<String> = list
                .into_iter()
                .map(|to| {
                    spans.insert(check::Place::Way(name.clone(), to.get_ref().clone()), to.span());
                    to.into_inner()
                })
                .collect();
            to
        };
        let (go, back) = (named(stage.go), named(stage.back));
        let (up, down) =
            (named(stage.up.into_iter().collect()).pop(), named(stage.down.into_iter().collect()).pop());
        let print = named(stage.print);
        let early_end = stage.early_end.iter().filter_map(|g| self.grade(g)).collect();
        Stage {
            id: self.problems.id(&stage.id),
            title: Words { zh: stage.zh, en: stage.en },
            limits,
            gates,
            go,
            back,
            up,
            down,
            end: stage.end,
            early_end,
            print,
        }
    }

    fn grade(&mut self, word: &Spanned<String>) -> Option<Grade> {
        let all: Vec<_> = Grade::ALL.iter().map(|g| g.name()).collect();
        self.problems.one_of(word, Grade::from_name, &all)
    }

    fn limit(&mut self, text: &Spanned<String>) -> Option<Limit> {
        let read = match *text.get_ref().split_whitespace().collect::<Vec<_>>().as_slice() {
            [n, "days" | "day"] => n.parse().ok().map(Limit::WorkingDays),
            [n, "hours" | "hour"] => n.parse().ok().map(Limit::Hours),
            _ => None,
        };
        if read.is_none() {
            let said = text.get_ref();
            self.problems.error(
                text.span(),
                "bad_limit",
                format!("“{said}” is no time limit; write “5 days” (working days) or “24 hours”"),
                format!("“{said}”不是时限，应写作“5 days”（工作日）或“24 hours”"),
            );
        }
        read
    }

    fn gate(&mut self, gate: Spanned<FileGate>) -> Option<Gate> {
        let (span, gate) = (gate.span(), gate.into_inner());
        let only = gate.only.iter().filter_map(|g| self.grade(g)).collect();
        let mut needs = Vec::new();
        let (mut used_tags, mut used_majority) = (gate.tags.is_empty(), gate.majority.is_none());
        let mut used = [gate.at_least.is_none(), gate.objections_answered.is_none()];
        if let Some(form) = gate.record {
            used[0] = true;
            let at_least = gate.at_least.unwrap_or(1);
            needs.push(Need::Record { form: form.into_inner(), at_least });
        }
        if let Some(form) = gate.earlier {
            needs.push(Need::Earlier { form: form.into_inner() });
        }
        if let Some(body) = gate.meeting {
            used_tags = true;
            let mut tags = BTreeMap::new();
            for (tag, share) in &gate.tags {
                tags.extend(self.fraction(share).map(|share| (tag.clone(), share)));
            }
            needs.push(Need::Meeting { body: body.into_inner(), tags });
        }
        if let Some(body) = gate.ballot {
            used_majority = true;
            match gate.majority.as_ref().map(|m| (Majority::parse(m.get_ref()), m)) {
                Some((Some(majority), _)) => needs.push(Need::Ballot { body: body.into_inner(), majority }),
                other => {
                    let at = other.map_or_else(|| body.span(), |(_, m)| m.span());
                    self.problems.error(
                        at,
                        "bad_majority",
                        "a ballot needs a majority like “more than 1/2 of present” or “at least 2/3 of eligible”"
                            .into(),
                        "表决须写明多数，如“more than 1/2 of present”或“at least 2/3 of eligible”".into(),
                    );
                    return None;
                }
            }
        }
        if let Some(days) = gate.posted_days {
            used[1] = true;
            let objections_answered = gate.objections_answered.unwrap_or(true);
            needs.push(Need::Posted { days, objections_answered });
        }
        if gate.summons_answered == Some(true) {
            used[0] = true;
            needs.push(Need::SummonsAnswered { at_least: gate.at_least.unwrap_or(0) });
        }
        needs.extend(gate.within_budget.filter(|yes| *yes).map(|_| Need::WithinBudget));
        let fits = used_tags && used_majority && used.iter().all(|u| *u);
        let need = needs.pop();
        match (need, needs.is_empty() && fits) {
            (Some(need), true) => {
                let when = gate.when.map(|w| When { form: w.form, field: w.field, is: w.is });
                Some(Gate { need, only, when })
            }
            _ => {
                self.problems.error(
                    span,
                    "bad_gate",
                    "a gate names exactly one of record, earlier, meeting, ballot, posted_days, summons_answered, \
                     within_budget, and only what belongs to it"
                        .into(),
                    "每道关口只写一项：record、earlier、meeting、ballot、posted_days、summons_answered、within_budget，\
                     并只带它自己的参数"
                        .into(),
                );
                None
            }
        }
    }
}
