//! The next acts of a matter as forms, and `POST /m/{ref}/acts`.
//!
//! What may be done now, with which fields, is asked of the actions every time; here it only gets words, an
//! order (what opens the next stage comes first) and inputs. A refused act comes back with the rule in plain
//! words and everything that was typed.

use super::{
    Visitor,
    desk::{forms_day, sent_once},
    escaped,
    forms::{self, Input, field_of, label},
    inputs::Shown,
    matter, w,
};
use crate::{
    actions::{
        ActRequest, act_fields,
        views::{FieldView, MatterView, NextAct},
    },
    http::{
        House,
        api::matters::numbers_apart,
        body::Filled,
        caller::Caller,
        lang::Lang,
        once::Done,
        permit::{self, Permit},
        problem::{Answer, Problem},
        secret,
    },
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use yishi_protocol::{
    fold::{Violation, words},
    procedure::FieldKind,
};

/// So many acts stand open to be pressed; the rest is one press away.
const FIRST_MAX: usize = 3;
/// An act that ranks beyond this is never among the first.
const FIRST_RANK_MAX: u32 = 15;

/// One act as a form.
#[derive(Debug, Default)]
pub(super) struct ActForm {
    pub(super) id: String,
    pub(super) act: &'static str,
    pub(super) title: String,
    pub(super) danger: bool,
    /// What it brings about, where that is not plain.
    pub(super) means: &'static str,
    pub(super) hidden: Vec<(&'static str, String)>,
    pub(super) inputs: Vec<Input>,
    pub(super) trouble: Option<String>,
    pub(super) once: String,
    /// Those that rank low come first.
    pub(super) rank: u32,
}

/// What somebody may do with a matter.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) first: Vec<ActForm>,
    pub(super) rest: Vec<ActForm>,
    pub(super) rest_open: bool,
    pub(super) not_now: Vec<(String, String)>,
    pub(super) action: String,
    pub(super) form_token: String,
    /// A refusal whose form is not offered any more.
    pub(super) trouble: Option<String>,
    /// What was typed into it.
    pub(super) kept: Vec<String>,
}

/// A form that was sent and refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused<'a> {
    pub(super) filled: &'a Filled,
    pub(super) problem: &'a Problem,
}

/// The forms of a matter for somebody.
pub(super) async fn desk(
    house: &House,
    visitor: &Visitor,
    caller: &Caller,
    matter: &MatterView,
    refused: Option<Refused<'_>>,
) -> Answer<Desk> {
    let lang = visitor.lang;
    let next = house.actions.next(&matter.summary.id.to_string()).await.map_err(Problem::action)?;
    let procedure = matter.deliberation.procedure.as_ref().and_then(|p| house.actions.procedure(&p.pin));
    let in_force = match next.items.iter().any(|i| i.name.act == "accept") {
        true => house.actions.procedures().await.map_err(Problem::action)?,
        false => Vec::new(),
    };
    let articles = house.actions.articles();
    let shown = Shown {
        lang,
        articles: &articles,
        today: house.actions.today(),
        matter,
        procedure: procedure.as_deref(),
        in_force: &in_force,
    };
    let mut all: Vec<ActForm> = next
        .items
        .iter()
        .filter(|item| caller.may(permit::of_step(item.name.act)))
        .flat_map(|item| forms_of(&shown, item))
        .collect();
    let mut desk = Desk {
        not_now: next
            .not_now
            .iter()
            .map(|n| {
                (lang.of(n.name.label, n.name.label_en).to_owned(), lang.of(&n.why_zh, &n.why).to_owned())
            })
            .collect(),
        action: format!("/m/{}/acts", matter.summary.id),
        form_token: caller.form_token(),
        ..Desk::default()
    };
    for form in &mut all {
        form.once = secret::fresh();
    }
    if let Some(Refused { filled, problem }) = refused {
        let words = match problem.code() {
            "key_reused" => w::ACT_ONCE.of(lang).to_owned(),
            _ => forms::plain(problem, filled.get("act"), lang),
        };
        let wrong = field_of(problem);
        match all.iter_mut().find(|f| f.id == filled.get("form_id")) {
            Some(form) => {
                let mut inputs = std::mem::take(&mut form.inputs);
                if wrong.as_deref() == Some("numbers") || !filled.get("numbers").is_empty() {
                    inputs.push(numbers_choice(lang));
                }
                form.inputs = inputs.into_iter().map(|i| i.typed(Some(filled), wrong.as_deref())).collect();
                form.trouble = Some(words);
                if problem.code() != "key_reused" && !filled.get("once").is_empty() {
                    filled.get("once").clone_into(&mut form.once);
                }
            }
            None => {
                desk.trouble = Some(words);
                let typed = filled.pairs().iter().filter(|(n, v)| {
                    !matches!(n.as_str(), "act" | "form_id" | "form_token" | "once" | "form" | "to" | "back")
                        && !v.trim().is_empty()
                });
                desk.kept = typed.map(|(_, v)| v.clone()).collect();
            }
        }
    }
    all.sort_by_key(|f| f.rank);
    let first = all.iter().take(FIRST_MAX).take_while(|f| f.rank < FIRST_RANK_MAX).count();
    desk.rest = all.split_off(first);
    desk.rest_open = desk.rest.iter().any(|f| f.trouble.is_some());
    desk.first = all;
    Ok(desk)
}

/// What is to become of a number in the text.
fn numbers_choice(lang: Lang) -> Input {
    let choices = [("seal", w::NUMBERS_SEAL), ("keep", w::NUMBERS_KEEP)];
    let choices = choices.map(|(value, word)| (value.to_owned(), word.of(lang).to_owned()));
    Input::choice("numbers", w::NUMBERS.of(lang), choices)
}

/// The forms one act is offered as: a way of the procedure and a paper of it is a form of its own.
fn forms_of(shown: &Shown<'_>, item: &NextAct) -> Vec<ActForm> {
    let (lang, act) = (shown.lang, item.name.act);
    let form = |id: String, title: String, rank: u32| ActForm {
        id,
        act,
        title,
        means: means(act).map_or("", |w| w.of(lang)),
        danger: matches!(act, "refuse" | "withdraw" | "take_over" | "refer"),
        rank,
        ..ActForm::default()
    };
    let name = lang.of(item.name.label, item.name.label_en).to_owned();
    match act {
        "advance" => item
            .stages
            .iter()
            .map(|way| {
                let to = lang.of(&way.label, &way.label_en);
                let title = match (way.back, lang) {
                    (false, Lang::Zh) => format!("进入“{to}”"),
                    (true, Lang::Zh) => format!("退回“{to}”"),
                    (false, Lang::En) => format!("On to “{to}”"),
                    (true, Lang::En) => format!("Back to “{to}”"),
                };
                let reason = Input::new("area", "reason", label(act, "reason", lang)).must(true);
                ActForm {
                    hidden: vec![("to", way.stage.clone())],
                    inputs: if way.back { vec![reason] } else { Vec::new() },
                    ..form(format!("advance-{}", way.stage), title, if way.back { 22 } else { 0 })
                }
            })
            .collect(),
        "record" => item
            .forms
            .iter()
            .filter_map(|id| shown.procedure?.form(id))
            .map(|paper| ActForm {
                hidden: vec![("form", paper.id.clone())],
                inputs: shown.paper(paper),
                ..form(
                    format!("record-{}", paper.id),
                    lang.of(&paper.title.zh, &paper.title.en).to_owned(),
                    if shown.lacks(Violation::LacksRecord, Some(&paper.id)) { 1 } else { 16 },
                )
            })
            .collect(),
        _ => {
            let inputs = shown.inputs(item);
            vec![ActForm { inputs, ..form(act.to_owned(), name, rank(shown, act)) }]
        }
    }
}

/// What comes first: what opens the way to the next stage, then what the stage of the matter calls for.
fn rank(shown: &Shown<'_>, act: &str) -> u32 {
    let lacks = |why| shown.lacks(why, None);
    let meeting =
        lacks(Violation::LacksMeeting) || lacks(Violation::NoQuorum) || lacks(Violation::NotRepresentative);
    match act {
        "settle" => 0,
        // Called already: until the day comes there is nothing to record and nobody to call.
        "meet" | "call" if meeting && shown.meeting_ahead() => 16,
        "meet" if meeting => 1,
        "call" if meeting => 2,
        "ballot" if lacks(Violation::LacksBallot) && !meeting => 1,
        "post" if lacks(Violation::NotPosted) && shown.matter.deliberation.posts.is_empty() => 2,
        "respond" if lacks(Violation::ObjectionsOpen) || lacks(Violation::SummonsOpen) => 1,
        "accept" | "resume" | "unmerge" => 3,
        "respond" => 4,
        // Telling is due once there is something to tell, and only once.
        "tell" if !shown.matter.summary.told => 3,
        "close" => 5,
        "answer" => 6,
        "decide" => 7,
        "handle" => 8,
        "escalate" => 10,
        "refuse" => 12,
        "return" => 14,
        "comment" => 17,
        "assign" => 18,
        "merge" => 19,
        "support" => 40,
        "correct" => 41,
        "take_over" => 50,
        _ => 30,
    }
}

fn means(act: &str) -> Option<w::Word> {
    Some(match act {
        "accept" => w::Word(
            "受理后由本单位承办，办理时限从今天算起。",
            "This place then holds the matter, and its time limit runs from today.",
        ),
        "refuse" => {
            w::Word("不再往下办，理由要告诉反映人。", "It is not taken further; the petitioner is told why.")
        }
        "escalate" => w::Word(
            "交给上级承办，出现在上级的“今天要办”里。",
            "The place above then holds it and sees it under Today.",
        ),
        "return" => w::Word(
            "退回下级承办，出现在它的“今天要办”里。",
            "The place below holds it again and sees it under Today.",
        ),
        "refer" => w::Word(
            "不归这里管，记下该找谁，并告诉反映人。",
            "It belongs elsewhere: who is responsible is recorded, and the petitioner told.",
        ),
        "withdraw" => w::Word("反映人不再要求办理时用。", "For when the petitioner no longer wants it."),
        "take_over" => w::Word(
            "从下级手里接过来办，会留在记录里。",
            "Takes the matter out of the hands of the place below; it stays on record.",
        ),
        "answer" => w::Word(
            "答复后进入登记单位的“待告知”，由它告诉反映人。",
            "The place that registered it then has to tell the petitioner.",
        ),
        "close" => w::Word(
            "办完了。反映人不满意还可以重新办理。",
            "It is finished; it can be reopened if the petitioner is not satisfied.",
        ),
        "post" => w::Word(
            "从今天起公示，期间可以提异议。",
            "It hangs from today; objections may be lodged meanwhile.",
        ),
        "merge" => w::Word(
            "这一件牵头，并进来的随它一起办、一起答复。",
            "This one leads; those merged follow it and get its reply.",
        ),
        "pause" => w::Word("中止期间不算时限。", "No time runs meanwhile."),
        "comment" => w::Word("看得到这件事项的单位都看得到。", "Every place that sees the matter sees it."),
        _ => return None,
    })
}

/// The address of a form that came back, opened again or in the other language: the matter itself.
pub(super) async fn back(visitor: Visitor, Path(reference): Path<String>) -> Response {
    let to = format!("/m/{}", escaped(&reference));
    visitor.to(&to)
}

pub(super) async fn take(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(reference): Path<String>,
    headers: HeaderMap,
    filled: Result<Filled, Problem>,
) -> Response {
    let (caller, filled) = match visitor.admit(&house, &headers, filled, Permit::Report) {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    match taken(&house, caller, &reference, &filled).await {
        Ok(note) => {
            let (reference, act) = (escaped(&reference), escaped(filled.get("act")));
            let to = match super::inbox::back_to(filled.get("back")) {
                Some(inbox) => format!("{inbox}m={reference}&done={act}{note}"),
                None => format!("/m/{reference}?done={act}{note}"),
            };
            visitor.to(&to)
        }
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => visitor.trouble(&house, &problem),
        Err(problem) => {
            let refused = Refused { filled: &filled, problem: &problem };
            let shown = matter::after(&house, &visitor, &reference, Some(refused), None).await;
            (problem.status(), shown).into_response()
        }
    }
}

/// Takes the act; what is to be said of numbers of people in it. Such numbers are asked about first: the form comes
/// back with the choice.
async fn taken(
    house: &Arc<House>,
    caller: &Caller,
    reference: &str,
    filled: &Filled,
) -> Answer<&'static str> {
    let mut asked = asked(house, reference, filled).await?;
    let plain: ActRequest = serde_json::from_value(asked.clone()).map_err(Problem::wrong_shape)?;
    if plain.holds_numbers() {
        let chosen = filled.get("numbers");
        if chosen.is_empty() {
            return Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "numbers",
                "A number of a person?",
                "The text holds what looks like an identity or mobile number. Nothing was saved yet: say below what it is, and send it again.",
                "文字中有像身份证号或手机号的内容，还没有保存。请在下面选一下怎么处理，再提交一次。",
            )
            .with("field", "numbers"));
        }
        if let Some(map) = asked.as_object_mut() {
            map.insert("numbers".into(), chosen.into());
        }
    }
    permit::of_request(&asked).into_iter().try_for_each(|permit| caller.must(permit))?;
    let hash = secret::hash(asked.to_string().as_bytes());
    let address = format!("/m/{reference}/acts");
    let given = sent_once(house, caller, &address, filled, hash, || {
        let (actions, by) = (house.actions.clone(), caller.person.clone());
        let (asked, reference) = (asked.clone(), reference.to_owned());
        async move {
            let (numbers, asked) = numbers_apart(asked)?;
            let request: ActRequest = serde_json::from_value(asked).map_err(Problem::wrong_shape)?;
            let acted = actions.act_with(Some(&by), &reference, request, numbers).await;
            let acted = acted.map_err(Problem::action)?;
            Ok(Done { status: StatusCode::OK, body: serde_json::to_value(&acted).map_err(Problem::fault)? })
        }
    })
    .await?;
    let acted: Value = serde_json::from_str(&given.text).map_err(Problem::fault)?;
    let warned = acted.get("warnings").and_then(Value::as_array);
    let code = |w: &Value| w.get("code").and_then(Value::as_str).map(str::to_owned);
    Ok(match warned.and_then(|w| w.first()).and_then(code).as_deref() {
        Some("moved_to_sealed") => "&note=sealed",
        Some(_) => "&note=numbers",
        None => "",
    })
}

/// The request a form means, in the words of the API.
async fn asked(house: &House, reference: &str, filled: &Filled) -> Answer<Value> {
    let act = filled.get("act");
    if words::act(act).is_none() {
        return Err(forms::wrong("act", "不是这里能办的步骤", "is no step that can be taken here"));
    }
    let mut asked = Map::new();
    asked.insert("act".into(), act.into());
    for field in act_fields(act) {
        if let Some(value) = read(act, &field, filled)? {
            asked.insert(field.name.into(), value);
        }
    }
    if act == "record" {
        asked.insert("fields".into(), recorded(house, reference, filled).await?.into());
    }
    Ok(asked.into())
}

fn read(act: &str, field: &FieldView, filled: &Filled) -> Answer<Option<Value>> {
    let typed = filled.get(field.name).trim();
    let prefixed = |prefix: &str| {
        let pairs = filled.pairs().iter().filter(|(_, v)| !v.trim().is_empty());
        pairs
            .filter_map(|(n, v)| Some((n.strip_prefix(prefix)?.to_owned(), v.trim().to_owned())))
            .collect::<Vec<_>>()
    };
    match field.kind {
        "fields" | "call" | "meeting" => return Ok(None),
        "roll" => return Ok(by_name(filled, "roll.", Some("absent"))),
        "votes" => return Ok(by_name(filled, "vote.", None)),
        "counters" => {
            let named: Map<String, Value> =
                prefixed("counter.").into_iter().map(|(n, v)| (n, v.into())).collect();
            return Ok((!named.is_empty()).then(|| named.into()));
        }
        "tags" => {
            let count = |(tag, n): (String, String)| {
                let wrong = || forms::wrong(&format!("tag.{tag}"), "要写数字", "wants a number");
                Ok((tag.clone(), Value::from(forms::number(&n).ok_or_else(wrong)?)))
            };
            let counted = prefixed("tag.").into_iter().map(count).collect::<Answer<Map<_, _>>>()?;
            return Ok((!counted.is_empty()).then(|| counted.into()));
        }
        "yes_no" => return Ok(Some(json!(typed == "yes"))),
        _ if typed.is_empty() && !field.required => return Ok(None),
        // What the actions call missing they say themselves, for text; a number they never see.
        _ => {}
    }
    Ok(Some(match field.kind {
        "number" if typed.is_empty() => return Err(forms::wrong(field.name, "没有填写", "is empty")),
        "number" => {
            forms::number(typed).ok_or_else(|| forms::wrong(field.name, "要写数字", "wants a number"))?.into()
        }
        "day" | "date" if typed.is_empty() => return Err(forms::wrong(field.name, "没有填写", "is empty")),
        "day" | "date" => forms_day(field.name, &typed.into())?,
        "matters" => {
            let apart = |c: char| c.is_whitespace() || matches!(c, ',' | '，' | '、' | ';' | '；');
            typed.split(apart).filter(|r| !r.is_empty()).map(Value::from).collect()
        }
        // Who merges out of a lead names the matter, not its document.
        _ if (act, field.name) == ("ballot", "body") && typed.is_empty() => {
            return Err(forms::wrong("body", "没有填写", "is empty"));
        }
        _ => typed.into(),
    }))
}

/// Members by name, if any was written down; then the others are what `rest` says.
fn by_name(filled: &Filled, prefix: &str, rest: Option<&str>) -> Option<Value> {
    let asked = || filled.pairs().iter().filter_map(|(n, v)| Some((n.strip_prefix(prefix)?, v.trim())));
    if asked().all(|(_, how)| how.is_empty()) {
        return None;
    }
    let how = |said: &str| if said.is_empty() { rest.map(str::to_owned) } else { Some(said.to_owned()) };
    let named: Map<String, Value> =
        asked().filter_map(|(who, said)| Some((who.to_owned(), how(said)?.into()))).collect();
    Some(named.into())
}

/// A paper of the procedure as it was filled in.
async fn recorded(house: &House, reference: &str, filled: &Filled) -> Answer<Map<String, Value>> {
    let matter = house.actions.matter(reference).await.map_err(Problem::action)?;
    let procedure = matter.deliberation.procedure.and_then(|p| house.actions.procedure(&p.pin));
    let Some(form) = procedure.as_ref().and_then(|p| p.form(filled.get("form"))) else {
        return Ok(Map::new());
    };
    let mut fields = Map::new();
    for field in &form.fields {
        let name = format!("f.{}", field.id);
        let typed = filled.get(&name).trim();
        let wrong =
            |zh: &str, en: &str| Err(forms::wrong_called(&name, (&field.title.zh, &field.title.en), zh, en));
        let value = match field.kind {
            _ if typed.is_empty() && field.required => return wrong("没有填写", "is empty"),
            _ if typed.is_empty() => continue,
            FieldKind::Number | FieldKind::Money => match forms::number(typed) {
                Some(n) => n.into(),
                None => return wrong("要写数字", "wants a number"),
            },
            FieldKind::Day => match forms_day(&name, &typed.into()) {
                Ok(day) => day,
                Err(_) => return wrong("请写成 2026-11-22 这样的日期", "wants a day such as 2026-11-22"),
            },
            _ => typed.into(),
        };
        fields.insert(field.id.clone(), value);
    }
    Ok(fields)
}
