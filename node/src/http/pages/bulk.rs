//! `POST /inbox/do`: one act in each of several matters, and `GET /inbox/done/{key}`: what came of it.
//!
//! Each matter gets its own act, checked and stored by itself: of ninety, eighty-eight may be done and two not,
//! and the result says so of each. Sending the form twice does nothing twice: every act has a key made of the
//! form's and the matter's. The work goes on if whoever pressed looks away; how far it is, the result's page says.
//! Results are kept in memory only: what was done is on record in the matters.

use super::{
    Page, Visitor,
    beside::{self, Undo},
    html, inbox,
    w::{self, inbox as wi},
};
use crate::{
    actions::{ActRequest, views::MatterSummary},
    http::{
        House,
        body::Filled,
        caller::Caller,
        lang::Lang,
        limits,
        once::{Done, Holds, Key, given_once},
        permit::{self, Permit},
        problem::{Answer, Problem},
        secret,
    },
};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use yishi_protocol::{charter::Category, fold::frame::Stage};

/// Digits of a document's id in the key of its act: enough that no two of one form have the same.
const ID_DIGITS: usize = 24;
/// How often whoever pressed is looked for an answer.
const LOOK: Duration = Duration::from_millis(25);

/// What a form over several matters lacked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wrong {
    pub(super) words: w::Word,
    /// Where the cursor belongs.
    pub(super) field: &'static str,
}

/// What came of one matter.
#[derive(Debug, Clone)]
struct Item {
    id: String,
    number: String,
    title: String,
    done: bool,
    /// In Chinese and English.
    words: (String, String),
}

/// One press, under way or done.
#[derive(Debug)]
struct Job {
    who: String,
    key: String,
    act: &'static str,
    back: String,
    total: usize,
    items: Mutex<Vec<Item>>,
    ended: AtomicBool,
}

impl Job {
    fn items(&self) -> MutexGuard<'_, Vec<Item>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that the work has ended, however it did: nobody waits for what has stopped.
struct Ends(Arc<Job>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Release);
    }
}

/// What came of the latest presses.
#[derive(Debug, Default)]
pub(in crate::http) struct BulkResults(Mutex<VecDeque<Arc<Job>>>);

impl BulkResults {
    fn of(&self, who: &str, key: &str) -> Option<Arc<Job>> {
        let jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.iter().find(|j| j.who == who && j.key == key).cloned()
    }

    /// Takes a new one in, unless the same press is here already: then that one is given.
    fn begin(&self, job: Job) -> Result<Arc<Job>, Arc<Job>> {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = jobs.iter().find(|j| j.who == job.who && j.key == job.key) {
            return Err(Arc::clone(before));
        }
        while jobs.len() >= limits::BULK_RESULTS_MAX {
            jobs.pop_front();
        }
        let job = Arc::new(job);
        jobs.push_back(Arc::clone(&job));
        Ok(job)
    }
}

/// What is to be done with each.
#[derive(Debug, Clone)]
enum Plan {
    /// The same act in each.
    Same(Value),
    /// 交办; to the unit of the category where none is named, and taken up first if that is wanted.
    Assign { unit: Option<String>, person: Option<String>, accept: bool },
    /// 并案 into the lead.
    Merge { lead: String },
}

/// The address of a form that came back, opened again: the inbox.
pub(super) async fn back(visitor: Visitor) -> Response {
    let to = "/inbox";
    visitor.to(to)
}

pub(super) async fn take(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    headers: HeaderMap,
    filled: Result<Filled, Problem>,
) -> Response {
    let (caller, filled) = match visitor.admit(&house, &headers, filled, Permit::Handle) {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    let begun = match begun(&house, caller, &filled).await {
        Ok(Ok(job)) => job,
        Ok(Err(wrong)) => return inbox::again(&house, &visitor, caller, &filled, &wrong).await,
        Err(problem) => return visitor.trouble(&house, &problem),
    };
    let looks = Duration::from_millis(limits::BULK_WAIT_MS).as_millis() / LOOK.as_millis();
    for _ in 0..looks {
        if begun.ended.load(Ordering::Acquire) {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    let to = format!("/inbox/done/{}", begun.key);
    visitor.to(&to)
}

/// The matters chosen, each once, in the order of the list.
fn chosen(filled: &Filled) -> Vec<String> {
    let mut chosen = Vec::new();
    for (_, id) in filled.pairs().iter().filter(|(n, v)| n == "m" && !v.trim().is_empty()) {
        if !chosen.contains(id) {
            chosen.push(id.clone());
        }
    }
    chosen
}

async fn begun(house: &Arc<House>, caller: &Caller, filled: &Filled) -> Answer<Result<Arc<Job>, Wrong>> {
    let wrong = |words, field| Ok(Err(Wrong { words, field }));
    let mut matters = chosen(filled);
    if matters.len() > limits::BULK_MATTERS_MAX {
        return Err(too_many());
    }
    if matters.is_empty() {
        return wrong(wi::NONE_CHOSEN, "");
    }
    let typed = |name: &str| Some(filled.get(name).trim().to_owned()).filter(|t| !t.is_empty());
    let (act, plan) = match filled.get("act") {
        "accept" => {
            let (procedure, urgency) = (typed("accept.procedure"), typed("accept.urgency"));
            ("accept", Plan::Same(json!({ "act": "accept", "procedure": procedure, "urgency": urgency })))
        }
        "assign" => {
            let unit = typed("assign.unit");
            if unit.is_none() && !house.actions.categories().iter().any(|c| c.unit.is_some()) {
                return wrong(wi::NO_UNIT_SAID, "assign.unit");
            }
            let accept = filled.get("assign.accept") == "yes";
            ("assign", Plan::Assign { unit, person: typed("assign.person"), accept })
        }
        "merge" => {
            let lead = typed("merge.lead").or_else(|| matters.first().cloned()).unwrap_or_default();
            matters.retain(|m| *m != lead);
            if matters.is_empty() {
                return wrong(wi::ONE_LEAD, "merge.lead");
            }
            ("merge", Plan::Merge { lead })
        }
        "return" => match typed("return.reason") {
            Some(reason) => ("return", Plan::Same(json!({ "act": "return", "reason": reason }))),
            None => return wrong(wi::NO_REASON, "return.reason"),
        },
        "escalate" => {
            ("escalate", Plan::Same(json!({ "act": "escalate", "reason": typed("escalate.reason") })))
        }
        "unmerge" => ("unmerge", Plan::Same(json!({ "act": "unmerge" }))),
        _ => {
            return Err(super::forms::wrong(
                "act",
                "不是这里能办的步骤",
                "is no step that can be taken here",
            ));
        }
    };
    caller.must(permit::of_step(act))?;
    let stated = filled.get("once");
    let plain = (16..=64).contains(&stated.len()) && stated.bytes().all(|b| b.is_ascii_alphanumeric());
    let job = Job {
        who: caller.person.clone(),
        key: if plain { stated.to_owned() } else { secret::fresh() },
        act,
        back: inbox::back_to(filled.get("back"))
            .map_or_else(|| "/inbox".to_owned(), |to| to.trim_end_matches(['?', '&']).to_owned()),
        total: matters.len(),
        items: Mutex::default(),
        ended: AtomicBool::new(false),
    };
    let job = match house.bulk.begin(job) {
        Ok(new) => new,
        Err(before) => return Ok(Ok(before)),
    };
    let work = Work {
        house: Arc::clone(house),
        caller: caller.clone(),
        categories: house.actions.categories(),
        units: house.actions.articles().units.iter().map(|u| (u.id.clone(), u.title.zh.clone())).collect(),
        plan,
        job: Arc::clone(&job),
    };
    let ends = Ends(Arc::clone(&job));
    tokio::spawn(async move {
        let _ends = ends;
        for matter in matters {
            let item = work.one(&matter).await;
            work.job.items().push(item);
        }
    });
    Ok(Ok(job))
}

fn too_many() -> Problem {
    let most = limits::BULK_MATTERS_MAX;
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "too_many",
        "Too many at once",
        format!("At most {most} matters are acted on at once. Nothing was done; choose fewer."),
        format!("一次最多办 {most} 件，什么都没有办。请少选一些。"),
    )
}

/// One press being carried out.
struct Work {
    house: Arc<House>,
    caller: Caller,
    categories: Vec<Category>,
    units: BTreeMap<String, String>,
    plan: Plan,
    job: Arc<Job>,
}

impl Work {
    /// Does what is to be done with one matter, and says what came of it.
    async fn one(&self, reference: &str) -> Item {
        let found = self.house.actions.matter(reference).await;
        let summary = match found {
            Ok(matter) => matter.summary,
            Err(e) => {
                let problem = Problem::action(e);
                let (id, number) = (reference.to_owned(), String::new());
                return Item { id, number, title: reference.to_owned(), done: false, words: both(&problem) };
            }
        };
        let came = self.acted(&summary).await;
        let (done, words) = match came {
            Ok(words) => (true, words),
            Err((before, problem)) => {
                let (zh, en) = both(&problem);
                (false, (format!("{}{zh}", before.0), format!("{}{en}", before.1)))
            }
        };
        Item { id: summary.id.to_string(), number: summary.number, title: summary.title, done, words }
    }

    /// What was done in words; else what was done before it stopped, and why it did.
    async fn acted(&self, m: &MatterSummary) -> Result<(String, String), ((String, String), Problem)> {
        let id = m.id.to_string();
        let nothing = |problem| ((String::new(), String::new()), problem);
        match &self.plan {
            Plan::Same(asked) => {
                self.act(&id, asked.clone(), &id, "").await.map_err(nothing)?;
                Ok(self.words())
            }
            Plan::Merge { lead } => {
                let asked = json!({ "act": "merge", "sources": [id] });
                self.act(lead, asked, &id, "").await.map_err(nothing)?;
                Ok(self.words())
            }
            Plan::Assign { unit, person, accept } => {
                let unit = unit.clone().or_else(|| self.usual_unit(m.category.as_deref()));
                let unit = unit.ok_or_else(|| nothing(no_unit()))?;
                let arrived = Stage::from_name(&m.stage)
                    .is_some_and(|s| matches!(s, Stage::Registered | Stage::Escalated));
                let mut before = (String::new(), String::new());
                if arrived && *accept {
                    self.act(&id, json!({ "act": "accept" }), &id, ".a").await.map_err(nothing)?;
                    before = ("已受理；".to_owned(), "Accepted; ".to_owned());
                }
                let asked = json!({ "act": "assign", "unit": unit, "person": person });
                let given = self.act(&id, asked, &id, "").await;
                given.map_err(|problem| (before.clone(), problem))?;
                Ok((format!("{}交办给{unit}", before.0), format!("{}assigned to {unit}", before.1)))
            }
        }
    }

    fn words(&self) -> (String, String) {
        let (zh, en) = match self.job.act {
            "accept" => ("已受理", "Accepted"),
            "merge" => ("已并入", "Merged"),
            "escalate" => ("已上报", "Passed up"),
            "return" => ("已退回", "Returned"),
            "unmerge" => ("已撤销并案，恢复到并案以前", "Goes on as before the merge"),
            _ => ("已记下", "Recorded"),
        };
        (zh.to_owned(), en.to_owned())
    }

    /// The unit that usually handles a category, or a wider one it belongs to.
    fn usual_unit(&self, category: Option<&str>) -> Option<String> {
        let mut at = category;
        for _ in 0..=self.categories.len() {
            let known = self.categories.iter().find(|c| Some(c.id.as_str()) == at)?;
            if let Some(unit) = known.unit.as_deref().and_then(|u| self.units.get(u)) {
                return Some(unit.clone());
            }
            at = known.under.as_deref();
        }
        None
    }

    /// Takes one act once, whatever happens to the press it belongs to.
    async fn act(&self, reference: &str, asked: Value, of: &str, part: &str) -> Answer<()> {
        let short: String = of.chars().take(ID_DIGITS).collect();
        let key = Key::of_form("/inbox/do", &format!("{}.{short}{part}", self.job.key));
        let hash = secret::hash(format!("{reference}\n{asked}").as_bytes());
        let (actions, by) = (self.house.actions.clone(), self.caller.person.clone());
        let reference = reference.to_owned();
        given_once(&self.house, &self.caller, key, hash, Holds::NoSecret, async move {
            let request: ActRequest = serde_json::from_value(asked).map_err(Problem::wrong_shape)?;
            actions.act(Some(&by), &reference, request).await.map_err(Problem::action)?;
            Ok(Done { status: StatusCode::OK, body: json!({ "done": true }) })
        })
        .await
        .map(|_| ())
    }
}

fn both(problem: &Problem) -> (String, String) {
    (problem.words(Lang::Zh).to_owned(), problem.words(Lang::En).to_owned())
}

fn no_unit() -> Problem {
    let (zh, en) = (wi::NO_UNIT_OF_CATEGORY.of(Lang::Zh), wi::NO_UNIT_OF_CATEGORY.of(Lang::En));
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no_unit", "No unit", en, zh)
}

#[derive(Template)]
#[template(path = "inbox_done.html")]
struct DonePage {
    page: Page,
    title: String,
    summary: String,
    /// Not all is done yet.
    working: bool,
    /// Everything was done.
    all: bool,
    rows: Vec<DoneRow>,
    undo: Option<Undo>,
    back: String,
}

struct DoneRow {
    href: String,
    number: String,
    title: String,
    done: bool,
    words: String,
}

pub(super) async fn done(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(key): Path<String>,
) -> Response {
    let Some(caller) = visitor.caller.as_ref().filter(|_| visitor.may_read()) else {
        return visitor.to_sign_in();
    };
    let page = visitor.page(&house, "inbox");
    let lang = page.lang;
    let Some(job) = house.bulk.of(&caller.person, &key) else {
        return html(&DonePage {
            title: wi::RESULT.of(lang).to_owned(),
            summary: wi::RESULT_GONE.of(lang).to_owned(),
            working: false,
            all: false,
            rows: Vec::new(),
            undo: None,
            back: page.href("/inbox"),
            page,
        });
    };
    let working = !job.ended.load(Ordering::Acquire);
    let items = job.items().clone();
    let rows = items.iter().map(|i| DoneRow {
        href: page.href(&format!("/m/{}", super::escaped(&i.id))),
        number: i.number.clone(),
        title: i.title.clone(),
        done: i.done,
        words: lang.of(&i.words.0, &i.words.1).to_owned(),
    });
    let merged: Vec<String> = match job.act == "merge" && !working {
        true => items.iter().filter(|i| i.done).map(|i| i.id.clone()).collect(),
        false => Vec::new(),
    };
    html(&DonePage {
        title: format!("{} · {}", name(job.act).of(lang), wi::RESULT.of(lang)),
        summary: summary(&items, job.total, working, lang),
        working,
        all: !working && items.iter().all(|i| i.done),
        // What was not done comes first: it is what somebody still has to look at.
        rows: {
            let mut rows: Vec<DoneRow> = rows.collect();
            rows.sort_by_key(|r| r.done);
            rows
        },
        undo: beside::undo(&house, caller, &page, &merged, &job.back).await,
        back: page.href(&job.back),
        page,
    })
}

fn name(act: &str) -> w::Word {
    match act {
        "accept" => wi::DO_ACCEPT,
        "assign" => wi::DO_ASSIGN,
        "merge" => wi::DO_MERGE,
        "return" => wi::DO_RETURN,
        "escalate" => wi::DO_ESCALATE,
        _ => wi::DO_UNMERGE,
    }
}

fn summary(items: &[Item], total: usize, working: bool, lang: Lang) -> String {
    let done = items.iter().filter(|i| i.done).count();
    let not = items.len() - done;
    match (working, not, lang) {
        (true, _, Lang::Zh) => {
            format!("共 {total} 件，已经过了 {} 件：办了 {done} 件，没办 {not} 件。", items.len())
        }
        (true, _, Lang::En) => format!("{} of {total} so far: {done} done, {not} not.", items.len()),
        (false, 0, Lang::Zh) => format!("{total} 件都办了。"),
        (false, 0, Lang::En) => format!("All {total} done."),
        (false, _, Lang::Zh) => format!("{total} 件里办了 {done} 件，没办 {not} 件，原因在下面。"),
        (false, _, Lang::En) => format!("Of {total}, {done} done and {not} not; why is below."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_hides_nothing() {
        let item = |done| Item {
            id: String::new(),
            number: String::new(),
            title: String::new(),
            done,
            words: (String::new(), String::new()),
        };
        let two = [item(true), item(false)];
        assert_eq!(summary(&two, 2, false, Lang::Zh), "2 件里办了 1 件，没办 1 件，原因在下面。");
        assert_eq!(summary(&two, 5, true, Lang::En), "2 of 5 so far: 1 done, 1 not.");
        assert_eq!(summary(&two[..1], 1, false, Lang::Zh), "1 件都办了。");
    }

    #[test]
    fn results_are_bounded_and_one_press_is_one() {
        let results = BulkResults::default();
        let job = |key: &str| Job {
            who: "u1".into(),
            key: key.into(),
            act: "accept",
            back: "/inbox".into(),
            total: 0,
            items: Mutex::default(),
            ended: AtomicBool::new(true),
        };
        assert!(results.begin(job("a")).is_ok() && results.begin(job("a")).is_err());
        for n in 0..limits::BULK_RESULTS_MAX {
            assert!(results.begin(job(&n.to_string())).is_ok());
        }
        assert!(results.of("u1", "a").is_none() && results.of("u2", "1").is_none());
        assert!(results.of("u1", "1").is_some());
    }
}
