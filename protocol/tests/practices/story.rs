//! A case walked through a procedure, stage by stage: before each gate is opened the holder tries to go on
//! without, and must be told so by name; then it does what the gate asks.
//!
//! Each breach is also played apart, with every other gate of the stage open. Played with the gate taken out
//! of the procedure it must go through: so it is this gate, and nothing else, that catches it.

use crate::world::{DISTRICT, NEIGHBOUR, TOWN, VILLAGE, World, place, text};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};
use yishi_protocol::{
    act::{Filled, Step, Voice},
    fold::{Verdict, Violation, frame::Stage as Frame},
    ids::{ActRef, Hash},
    procedure::{FieldKind, Gate, Grade, Limit, Need, Procedure, Procedures, Quorum, Stage, Urgency},
    value::Value,
};

mod openers;

pub(crate) use openers::{
    ballot, meeting, must_ask, posted, record, record_by, records, skip, summons, within_budget,
};

type Do = Box<dyn Fn(&mut Story)>;

/// A value of a form, before its field's kind is looked up.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    Words(&'static str),
    Number(i64),
    Yes(bool),
}

impl From<&'static str> for Said {
    fn from(words: &'static str) -> Self {
        Self::Words(words)
    }
}
impl From<i64> for Said {
    fn from(n: i64) -> Self {
        Self::Number(n)
    }
}
impl From<bool> for Said {
    fn from(yes: bool) -> Self {
        Self::Yes(yes)
    }
}

pub(crate) type Fields = Vec<(&'static str, Said)>;

/// What is filled in: `fields! { "courier" => "张素芬", "households" => 12 }`.
#[macro_export]
macro_rules! fields {
    ($($field:literal => $value:expr),* $(,)?) => { vec![$(($field, $crate::story::Said::from($value))),*] };
}

/// How one gate is met: with less than it asks, and then with what it asks.
pub(crate) struct Opener {
    /// One after another, each with the reason it is not enough.
    bads: Vec<(Do, Violation)>,
    good: Do,
}

/// How a stage is left.
#[derive(Clone)]
pub(crate) enum Leave {
    Go(&'static str),
    Back(&'static str, &'static str),
    /// Escalated, and taken up above.
    Up,
    /// Returned to this place, and taken up there.
    Down(usize, &'static str),
    Answer(&'static str),
}

pub(crate) struct Visit {
    stage: &'static str,
    gates: Vec<Opener>,
    leave: Leave,
}

pub(crate) fn visit(stage: &'static str, gates: Vec<Opener>, leave: Leave) -> Visit {
    Visit { stage, gates, leave }
}

/// One case.
pub(crate) struct Play {
    title: &'static str,
    body: &'static str,
    home: usize,
    grade: Grade,
    urgency: Urgency,
    /// Visits during which the line is down.
    offline: Range<usize>,
    /// Places that see the matter.
    sees: Vec<usize>,
    visits: Vec<Visit>,
}

impl Play {
    pub(crate) fn new(title: &'static str, body: &'static str, visits: Vec<Visit>) -> Self {
        Self {
            title,
            body,
            home: VILLAGE,
            grade: Grade::Ordinary,
            urgency: Urgency::Normal,
            offline: 0..0,
            sees: vec![VILLAGE, TOWN, DISTRICT, NEIGHBOUR],
            visits,
        }
    }
    pub(crate) fn major(self) -> Self {
        Self { grade: Grade::Major, ..self }
    }
    pub(crate) fn minor(self) -> Self {
        Self { grade: Grade::Minor, ..self }
    }
    pub(crate) fn urgency(self, urgency: Urgency) -> Self {
        Self { urgency, ..self }
    }
    pub(crate) fn offline(self, offline: Range<usize>) -> Self {
        Self { offline, ..self }
    }
    pub(crate) fn home(self, home: usize) -> Self {
        Self { home, ..self }
    }
    pub(crate) fn seen_by(self, sees: &[usize]) -> Self {
        Self { sees: sees.into(), ..self }
    }
}

/// What is known while a case is walked through.
#[derive(Clone)]
pub(crate) struct Story {
    pub(crate) w: World,
    procedure: Arc<Procedure>,
    holder: usize,
    sees: Vec<usize>,
    down: bool,
    /// Whether breaches are committed in the case itself.
    breaching: bool,
    listed: Vec<(ActRef, Violation)>,
    met: BTreeMap<String, (ActRef, i64)>,
    post: Option<(ActRef, i64)>,
    asked: Vec<ActRef>,
    over: bool,
    chosen: BTreeSet<(String, String, String)>,
    filled: BTreeSet<String>,
    breached: BTreeSet<(String, usize)>,
    stages: BTreeSet<String>,
}

impl Story {
    fn share(&mut self) {
        if !self.down {
            self.w.share(&self.sees);
        }
    }

    fn quorum(&self, body: &str) -> Option<Quorum> {
        self.procedure.body(body).expect("a body of the procedure").quorum
    }

    /// The holder says something that counts.
    fn say(&mut self, voice: Voice) -> ActRef {
        self.say_as(self.holder, voice)
    }

    fn say_as(&mut self, node: usize, voice: Voice) -> ActRef {
        let shown = format!("{voice:?}");
        let act = self.w.voice(node, voice);
        assert_eq!(self.w.verdict(node, act), Verdict::Counted, "{shown}");
        self.share();
        act
    }

    /// The holder says something that must not count, for this reason.
    fn missay(&mut self, voice: Voice, why: Violation) {
        let act = self.w.voice(self.holder, voice);
        assert_eq!(self.w.verdict(self.holder, act), Verdict::Violation(why));
        self.listed.push((act, why));
    }

    fn fill(&self, form: &str, fields: &Fields) -> Filled {
        let form = self.procedure.form(form).unwrap_or_else(|| panic!("no form {form}"));
        let value = |(id, said): &(&str, Said)| {
            let kind = form.fields.iter().find(|f| f.id == *id).map(|f| f.kind);
            let value = match (said, kind) {
                (Said::Words(words), Some(FieldKind::Text)) => Value::Text((*words).into()),
                (Said::Words(words), _) => Value::Str((*words).into()),
                (Said::Number(n), _) => Value::Int(*n),
                (Said::Yes(yes), _) => Value::Bool(*yes),
            };
            ((*id).to_owned(), value)
        };
        Filled(fields.iter().map(value).collect())
    }

    fn record(&mut self, node: Option<usize>, form: &'static str, fields: &Fields) {
        let node = node.unwrap_or(self.holder);
        let filled = self.fill(form, fields);
        if self.filled.insert(form.to_owned()) {
            self.every_required_field_is_missed(node, form, &filled);
        }
        let choices = fields.iter().filter_map(|(id, said)| match said {
            Said::Words(words) => Some((form.to_owned(), (*id).to_owned(), (*words).to_owned())),
            _ => None,
        });
        self.chosen.extend(choices);
        self.say_as(node, Voice::Record { form: form.into(), fields: filled });
    }

    fn every_required_field_is_missed(&self, node: usize, form: &str, filled: &Filled) {
        let required = self.procedure.form(form).expect("read above").fields.iter().filter(|f| f.required);
        for field in required {
            let mut less = filled.clone();
            assert!(less.0.remove(&field.id).is_some(), "{form}: {} is not filled in", field.id);
            let mut apart = self.w.clone();
            let act = apart.voice(node, Voice::Record { form: form.into(), fields: less });
            assert_eq!(apart.verdict(node, act), Verdict::Violation(Violation::FormIncomplete), "{form}");
        }
    }

    fn meet(&mut self, body: &'static str, eligible: i64, present: i64, tags: BTreeMap<String, i64>) {
        let notice = i64::from(self.procedure.body(body).expect("a body of the procedure").notice_days);
        let day = self.w.today + notice;
        let agenda = text("按程序议事");
        let call = self.say(Voice::Call { body: body.into(), day, agenda, venue: Some("院坝".into()) });
        let met = |day| Voice::Meet {
            call: Some(call),
            body: body.into(),
            day,
            eligible,
            present,
            remote: 0,
            roll: BTreeMap::new(),
            tags: tags.clone(),
            minutes: text("逐项讨论，形成意见"),
        };
        if notice > 0 && self.breaching {
            self.missay(met(self.w.today), Violation::NoticeTooShort);
        }
        self.w.today = day;
        let act = self.say(met(day));
        let quorate = self.quorum(body).is_none_or(|q| q.reached(present, eligible));
        if quorate {
            self.met.insert(body.into(), (act, present));
        }
    }

    fn vote(&mut self, body: &'static str, eligible: i64, present: i64, in_favour: i64) {
        let meeting = self.met.get(body).map(|(act, _)| *act);
        let ballot = |present: i64, in_favour: i64| Voice::Ballot {
            question: "是否同意".into(),
            body: body.into(),
            eligible,
            present,
            in_favour,
            against: present - in_favour,
            abstain: 0,
            votes: BTreeMap::new(),
            meeting,
            counters: None,
        };
        if self.quorum(body).is_some() && self.breaching {
            self.missay(ballot(1, 1), Violation::NoQuorum);
        }
        self.say(ballot(present, in_favour));
    }

    /// How long the stage's notice must hang.
    fn notice_days(&self) -> i64 {
        let at = self.w.view(self.holder).at.expect("in a stage").stage;
        let stage = self.procedure.stages.iter().find(|s| s.id == at).expect("one of its stages");
        let days = stage.gates.iter().find_map(|g| match g.need {
            Need::Posted { days, .. } => Some(i64::from(days)),
            _ => None,
        });
        days.expect("a stage with a notice")
    }

    fn post(&mut self, notice: &'static str) {
        let act = self.say(Voice::Post { days: self.notice_days(), text: text(notice) });
        self.post = Some((act, self.w.today));
    }

    fn wait_for_notice(&mut self) {
        let until = self.post.map_or(0, |(_, from)| from + self.notice_days());
        self.w.today = self.w.today.max(until);
    }

    fn summon(&mut self, unit: &str, question: &str) {
        let act = self.say(Voice::Summon { unit: unit.into(), question: text(question), working_days: 5 });
        self.asked.push(act);
    }

    /// Everything that was asked is replied to.
    fn reply(&mut self, words: &'static str) {
        for to in std::mem::take(&mut self.asked) {
            self.say(Voice::Respond { to, text: text(words), relayed: true });
        }
    }

    fn accept(&mut self, grade: Grade, urgency: Urgency) {
        let (procedure, calendar) = (self.procedure.pin, Hash([7; 32]));
        let (grade, urgency) = (Some(grade.name().into()), Some(urgency.name().into()));
        let act = self.w.step(self.holder, Step::Accept { procedure, calendar, grade, urgency });
        assert_eq!(self.w.verdict(self.holder, act), Verdict::Counted);
        self.share();
    }

    fn stands(&self, gate: &Gate, grade: Grade) -> bool {
        let chose = |form: &str, field: &str, is: &[String]| {
            self.chosen.iter().any(|(f, i, c)| f == form && i == field && is.contains(c))
        };
        // What was recorded earlier opens the gate before anybody comes to it.
        if matches!(&gate.need, Need::Earlier { form } if self.filled.contains(form)) {
            return false;
        }
        gate.is_for(grade) && gate.when.as_ref().is_none_or(|w| chose(&w.form, &w.field, &w.is))
    }

    /// Tries to leave the stage forwards; returns what the holder is told.
    fn attempt(&mut self, stage: &Stage, leave: &Leave) -> (ActRef, Verdict) {
        let step = match (leave, stage.go.first()) {
            (Leave::Go(to), _) => Step::Advance { to: (*to).into(), reason: None },
            (Leave::Up, _) => Step::Escalate { to: place(self.holder + 1), reason: None },
            (Leave::Answer(_), _) | (_, None) => {
                Step::Answer { text: text("已办"), outcome: None, lead: None, lead_act: None }
            }
            // Back and down no gate stands in the way; forwards it does.
            (_, Some(to)) => Step::Advance { to: to.clone(), reason: None },
        };
        let act = self.w.step(self.holder, step);
        (act, self.w.verdict(self.holder, act))
    }

    /// The breach `j` of gate `n` with every other gate open: what the holder is told.
    fn apart(&self, stage: &Stage, visit: &Visit, grade: Grade, n: usize, j: usize) -> Verdict {
        let mut s = self.clone();
        s.breaching = false;
        for (other, (gate, opener)) in stage.gates.iter().zip(&visit.gates).enumerate() {
            if other != n && s.stands(gate, grade) {
                (opener.good)(&mut s);
                s.over = false;
            }
        }
        // What the others left behind belongs to them.
        s.asked.clear();
        visit.gates[n].bads[..=j].iter().for_each(|(bad, _)| bad(&mut s));
        s.attempt(stage, &visit.leave).1
    }
}

/// Whether a shortcoming is one under this procedure: a body without a quorum is never too small.
fn counts(need: &Need, why: Violation, procedure: &Procedure) -> bool {
    match (need, why) {
        (Need::Meeting { body, .. }, Violation::NoQuorum) => {
            procedure.body(body).is_some_and(|b| b.quorum.is_some())
        }
        (Need::Posted { objections_answered, .. }, Violation::ObjectionsOpen) => *objections_answered,
        _ => true,
    }
}

/// Walks a case through. `without` names a gate that has been taken out of `enforced`: its breach must then
/// go through.
fn walk(play: &Play, p: &Arc<Procedure>, enforced: Procedure, without: Option<&(String, usize)>) -> Story {
    let mut s = Story {
        w: World::new(play.home, Procedures::only([enforced])),
        procedure: Arc::clone(p),
        holder: play.home,
        sees: play.sees.clone(),
        down: false,
        breaching: without.is_none(),
        listed: Vec::new(),
        met: BTreeMap::new(),
        post: None,
        asked: Vec::new(),
        over: false,
        chosen: BTreeSet::new(),
        filled: BTreeSet::new(),
        breached: BTreeSet::new(),
        stages: BTreeSet::new(),
    };
    s.w.step(play.home, register(play));
    s.share();
    s.accept(play.grade, play.urgency);
    let mut caught = Vec::new();
    for (n, visit) in play.visits.iter().enumerate() {
        if n == play.offline.start && !play.offline.is_empty() {
            s.share();
            s.down = true;
            caught = away(&mut s);
        }
        if n == play.offline.end && s.down {
            s.down = false;
            s.share();
            let (here, there) = (s.w.view(s.holder), s.w.view(TOWN));
            assert_eq!(here.digest(), there.digest(), "both sides show the same once the line is back");
            for (node, act) in caught.drain(..) {
                assert_eq!(s.w.verdict(node, act), Verdict::Counted);
                assert!(here.timeline.iter().any(|e| e.act == act && e.verdict == Verdict::Counted));
            }
        }
        pass(&mut s, play, visit, without);
    }
    assert!(!s.down, "the line comes back before the end");
    finish(&mut s, play);
    s
}

fn register(play: &Play) -> Step {
    Step::Register {
        number: "芦稿-2026-0187".into(),
        check: "402913".into(),
        title: play.title.into(),
        body: text(play.body),
        category: None,
        source: Some("residents".into()),
        channel: Some("home_visit".into()),
        petitioner: Some("named".into()),
        dossier: None,
        external: None,
    }
}

/// While the line is down the others go on with what they know.
fn away(s: &mut Story) -> Vec<(usize, ActRef)> {
    let others: Vec<usize> = s.sees.iter().copied().filter(|n| *n != s.holder).collect();
    let mut acts = Vec::new();
    for node in others {
        let comment = Voice::Comment { text: text("本级先记下：已与有关部门打过招呼") };
        acts.push((node, s.say_as(node, comment)));
        let support = Voice::Support { count: Some(3), note: None };
        acts.push((node, s.say_as(node, support)));
    }
    acts
}

fn pass(s: &mut Story, play: &Play, visit: &Visit, without: Option<&(String, usize)>) {
    let matter = s.w.view(s.holder);
    assert_eq!(matter.at.as_ref().map(|a| a.stage.as_str()), Some(visit.stage), "{}", play.title);
    let procedure = Arc::clone(&s.procedure);
    let stage = procedure.stages.iter().find(|st| st.id == visit.stage).expect("one of its stages");
    let due = matter.deadline.map(|d| d.hours.map_or(Limit::WorkingDays(d.working_days), Limit::Hours));
    assert_eq!(due, stage.limit(play.urgency), "{}: the time limit", stage.id);
    s.stages.insert(stage.id.clone());
    (s.met, s.post, s.asked, s.over) = (BTreeMap::new(), None, Vec::new(), false);
    let early = stage.early_end.contains(&play.grade) && matches!(visit.leave, Leave::Answer(_));
    assert!(
        early || stage.gates.len() == visit.gates.len() || matches!(visit.leave, Leave::Back(..)),
        "{}",
        stage.id
    );
    for (n, (gate, opener)) in stage.gates.iter().zip(&visit.gates).enumerate() {
        if !s.stands(gate, play.grade) {
            continue;
        }
        let here = (stage.id.clone(), n);
        let target = without == Some(&here);
        for (j, (bad, why)) in opener.bads.iter().enumerate() {
            if !counts(&gate.need, *why, &procedure) || (without.is_some() && !target) {
                continue;
            }
            let told = s.apart(stage, visit, play.grade, n, j);
            s.breached.insert(here.clone());
            if target {
                assert_eq!(told, Verdict::Counted, "{here:?}: something else catches {why:?}");
                continue;
            }
            assert_eq!(told, Verdict::Violation(*why), "{here:?}");
            bad(s);
            let (act, told) = s.attempt(stage, &visit.leave);
            assert_eq!(told, Verdict::Violation(*why), "{here:?}, before the gates behind it");
            s.listed.push((act, *why));
        }
        (opener.good)(s);
        s.over = false;
    }
    leave(s, play, visit);
}

fn leave(s: &mut Story, play: &Play, visit: &Visit) {
    s.w.today += 1;
    let (step, next) = match &visit.leave {
        Leave::Go(to) => (Step::Advance { to: (*to).into(), reason: None }, s.holder),
        Leave::Back(to, why) => (Step::Advance { to: (*to).into(), reason: Some(text(why)) }, s.holder),
        Leave::Up => {
            let reason = Some(text("本级办不了"));
            (Step::Escalate { to: place(s.holder + 1), reason }, s.holder + 1)
        }
        Leave::Down(to, why) => (Step::Return { to: place(*to), reason: text(why) }, *to),
        Leave::Answer(words) => {
            (Step::Answer { text: text(words), outcome: None, lead: None, lead_act: None }, s.holder)
        }
    };
    let shown = format!("{step:?}");
    let act = s.w.step(s.holder, step);
    assert_eq!(s.w.verdict(s.holder, act), Verdict::Counted, "{shown} from {}", visit.stage);
    s.share();
    if next != s.holder {
        s.holder = next;
        s.accept(play.grade, play.urgency);
    }
}

/// Told, rated and closed; and what was not allowed is listed, all of it and nothing else.
fn finish(s: &mut Story, play: &Play) {
    let answer = s.w.fold().newest_reply().expect("answered").act;
    s.say_as(play.home, Voice::Tell { answer, how: "visit".into(), note: None });
    for node in play.sees.clone() {
        s.say_as(node, Voice::Comment { text: text("收到答复") });
    }
    s.say_as(play.home, Voice::Rate { score: 5, source: "resident".into(), note: None });
    let act = s.w.step(s.holder, Step::Close { note: None });
    assert_eq!(s.w.verdict(s.holder, act), Verdict::Counted);
    s.share();
    let matter = s.w.fold();
    assert_eq!(matter.stage, Frame::Closed);
    let listed: BTreeSet<(ActRef, Violation)> = matter.violations.iter().map(|v| (v.act, v.why)).collect();
    assert_eq!(listed, s.listed.iter().copied().collect());
    let authors: BTreeSet<_> =
        matter.timeline.iter().filter(|e| e.verdict == Verdict::Counted).filter_map(|e| e.place).collect();
    assert_eq!(authors, play.sees.iter().map(|n| place(*n)).collect(), "all levels wrote, and nobody else");
    for node in &play.sees {
        assert_eq!(s.w.view(*node).digest(), matter.digest());
    }
}

/// Walks all cases of a procedure: every stage is entered, every form filled in, every gate breached; and each
/// breach depends on its gate.
pub(crate) fn tell(id: &str, plays: &[Play]) {
    let shipped = yishi_protocol::procedure::shipped::all();
    let procedure = &shipped.iter().find(|s| s.procedure.id == id).expect("it is shipped").procedure;
    tell_of(procedure, plays);
}

pub(crate) fn tell_of(procedure: &Arc<Procedure>, plays: &[Play]) {
    let (mut breached, mut filled, mut stages) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for play in plays {
        let s = walk(play, procedure, (**procedure).clone(), None);
        breached.extend(s.breached);
        filled.extend(s.filled);
        stages.extend(s.stages);
    }
    assert!(plays.iter().any(|p| !p.offline.is_empty()), "one case goes on while the line is down");
    assert_eq!(stages, procedure.stages.iter().map(|s| s.id.clone()).collect(), "every stage is entered");
    assert_eq!(filled, procedure.forms.iter().map(|f| f.id.clone()).collect(), "every form is filled in");
    for stage in &procedure.stages {
        for n in 0..stage.gates.len() {
            let gate = (stage.id.clone(), n);
            assert!(breached.contains(&gate), "no case breaches {gate:?}");
            let mut open = (**procedure).clone();
            let at = open.stages.iter_mut().find(|s| s.id == gate.0).expect("one of its stages");
            at.gates.remove(n);
            let went = |play: &Play| {
                let s = walk(play, procedure, open.clone(), Some(&gate));
                s.breached.contains(&gate)
            };
            assert!(plays.iter().filter(|play| went(play)).count() > 0, "{gate:?} is not tried");
        }
    }
}
