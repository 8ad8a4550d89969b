//! What a matter has on record beyond its steps: meetings, votes, notices, forms, money. Sections only where
//! there is something.

use super::{Place, forms::fixed, inputs::say, moments, w};
use crate::{
    actions::views::{AskedView, DeliberationView, MatterView, Noted, OutcomeView, RecordView, UrgeView},
    http::lang::Lang,
};
use yishi_protocol::{
    calendar::Date,
    fold::Filling,
    procedure::{FieldKind, Procedure},
};

/// One section of a matter's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) items: Vec<Item>,
}

/// One thing on record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) head: String,
    /// `done`, `work`, `stop`, `wait`, as a stage; with its words.
    pub(super) tone: &'static str,
    pub(super) state: String,
    pub(super) by: String,
    pub(super) pairs: Vec<(String, String)>,
    pub(super) text: String,
    /// What was said to it.
    pub(super) said: Vec<Said>,
}

/// An objection, or a reply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) kind: &'static str,
    pub(super) text: String,
    pub(super) by: String,
}

/// Where a matter is in its procedure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Where {
    /// `2/6 议事会初决`.
    pub(super) at: String,
    pub(super) procedure: String,
    pub(super) href: String,
    pub(super) lacks: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// Puts a matter's record into words for one reader.
#[derive(Debug, Clone, Copy)]
pub(super) struct Teller<'a> {
    pub(super) lang: Lang,
    pub(super) today: i64,
    pub(super) procedure: Option<&'a Procedure>,
}

/// Where a matter is.
pub(super) fn place_in(d: &DeliberationView, teller: Teller<'_>) -> Where {
    let lang = teller.lang;
    let named = |word: w::Word, value: String| format!("{}{}{value}", word.of(lang), lang.of("：", ": "));
    let mut notes = Vec::new();
    if d.grade != "ordinary" {
        notes.push(named(w::GRADE, fixed(d.grade, lang)));
    }
    if d.urgency != "normal" {
        notes.push(named(w::URGENCY, fixed(d.urgency, lang)));
    }
    if let Some(since) = &d.paused_since {
        notes.push(format!("{} {}", w::PAUSED.of(lang), teller.day(since)));
    }
    if let Some(a) = &d.assigned {
        let person = a.person.as_deref().map(|p| format!(" · {p}")).unwrap_or_default();
        notes.push(named(w::ASSIGNED, format!("{}{person}", a.unit)));
    }
    Where {
        at: d
            .at
            .as_ref()
            .map(|a| format!("{}/{} {}", a.number, a.of, say(&a.title, lang)))
            .unwrap_or_default(),
        procedure: d.procedure.as_ref().map(|p| say(&p.title, lang).to_owned()).unwrap_or_default(),
        href: d.procedure.as_ref().map(|p| format!("/procedures/{}", p.pin)).unwrap_or_default(),
        lacks: d.lacks.iter().map(|l| lang.of(&l.detail_zh, &l.detail).to_owned()).collect(),
        notes,
    }
}

/// Every section that has something in it.
pub(super) fn sections(matter: &MatterView, outcomes: &[OutcomeView], teller: Teller<'_>) -> Vec<Section> {
    let (d, lang) = (&matter.deliberation, teller.lang);
    let all = [
        (w::OUTCOMES, outcomes.iter().map(|o| teller.outcome(o)).collect()),
        (w::POSTS, teller.posts(d)),
        (w::MEETINGS, teller.meetings(d)),
        (w::BALLOTS, teller.ballots(d)),
        (w::RECORDS, d.records.iter().map(|r| teller.record(r)).collect()),
        (w::SUMMONSES, d.summonses.iter().map(|s| teller.asked(s)).collect()),
        (w::URGES, d.urges.iter().map(|u| teller.urge(u)).collect()),
        (w::MONEY, teller.money(d)),
        (w::RATINGS, teller.ratings(matter)),
    ];
    let filled = all.into_iter().filter(|(_, items): &(w::Word, Vec<Item>)| !items.is_empty());
    filled.map(|(title, items)| Section { title: title.of(lang), items }).collect()
}

impl Teller<'_> {
    fn day(self, stated: &str) -> String {
        moments::day_seen(stated, self.today, self.lang)
    }

    fn by(self, noted: &Noted) -> String {
        format!("{} · {}", Place::of(&noted.place).name, self.day(&noted.on))
    }

    fn people(self, n: i64) -> String {
        match self.lang {
            Lang::Zh => format!("{n} 人"),
            Lang::En => n.to_string(),
        }
    }

    fn yuan(self, n: i64) -> String {
        match self.lang {
            Lang::Zh => format!("{} 元", grouped(n)),
            Lang::En => format!("{} yuan", grouped(n)),
        }
    }

    fn meetings(self, d: &DeliberationView) -> Vec<Item> {
        let lang = self.lang;
        let title = |t| say(t, lang).to_owned();
        // A call whose meeting was held is told by the meeting.
        let held = |c: &&crate::actions::views::CallView| {
            !d.meetings.iter().any(|m| m.body == c.body && m.day >= c.noted.on)
        };
        let calls = d.calls.iter().filter(held).map(|c| Item {
            head: title(&c.title),
            tone: "wait",
            state: match lang {
                Lang::Zh => format!("{}开", self.day(&c.day)),
                Lang::En => format!("called for {}", self.day(&c.day)),
            },
            by: self.by(&c.noted),
            pairs: c.venue.iter().map(|v| (lang.of("地点", "Venue").to_owned(), v.clone())).collect(),
            text: c.agenda.clone(),
            ..Item::default()
        });
        let meetings = d.meetings.iter().map(|m| {
            let mut pairs = vec![
                (lang.of("开会日期", "Held on").to_owned(), self.day(&m.day)),
                (lang.of("应到", "Entitled").to_owned(), self.people(m.eligible)),
                (lang.of("实到", "Present").to_owned(), self.people(m.present)),
            ];
            if m.remote > 0 {
                pairs.push((lang.of("远程参加", "From afar").to_owned(), self.people(m.remote)));
            }
            pairs.extend(m.tags.iter().map(|(tag, n)| (tag.clone(), self.people(*n))));
            Item {
                head: title(&m.title),
                tone: if m.quorate { "done" } else { "stop" },
                state: if m.quorate { w::QUORATE } else { w::NOT_QUORATE }.of(lang).to_owned(),
                by: self.by(&m.noted),
                pairs,
                text: m.minutes.clone(),
                ..Item::default()
            }
        });
        calls.chain(meetings).collect()
    }

    fn ballots(self, d: &DeliberationView) -> Vec<Item> {
        let lang = self.lang;
        let names = [
            ("应到", "Entitled"),
            ("实到", "Present"),
            ("同意", "For"),
            ("反对", "Against"),
            ("弃权", "Abstaining"),
        ];
        let item = |b: &crate::actions::views::BallotView| {
            let (tone, state) = match b.state {
                "open" => ("wait", ("还没有据此决定", "not decided on yet")),
                "counted" => ("done", ("已计入", "counted")),
                _ => ("stop", ("迟到，没有计入", "late, not counted")),
            };
            let pairs = names.iter().zip(b.counts);
            Item {
                head: b.question.clone(),
                tone,
                state: lang.of(state.0, state.1).to_owned(),
                by: format!("{} · {}", say(&b.title, lang), self.by(&b.noted)),
                pairs: pairs.map(|((zh, en), n)| (lang.of(zh, en).to_owned(), n.to_string())).collect(),
                ..Item::default()
            }
        };
        d.ballots.iter().map(item).collect()
    }

    fn posts(self, d: &DeliberationView) -> Vec<Item> {
        let item = |p: &crate::actions::views::PostView| {
            let left = p.until.parse::<Date>().map_or(0, |until| until.days() - self.today);
            let (tone, state) = match (left > 0, self.lang) {
                (true, Lang::Zh) => ("work", format!("还有 {left} 天，到 {}", self.day(&p.until))),
                (true, Lang::En) => ("work", format!("{left} days left, until {}", self.day(&p.until))),
                (false, Lang::Zh) => ("done", format!("已公示 {} 天", p.days)),
                (false, Lang::En) => ("done", format!("posted for {} days", p.days)),
            };
            Item {
                tone,
                state,
                by: self.by(&p.noted),
                text: p.text.clone(),
                said: p.objections.iter().flat_map(|o| self.objection(o)).collect(),
                ..Item::default()
            }
        };
        d.posts.iter().map(item).collect()
    }

    fn objection(self, o: &AskedView) -> Vec<Said> {
        let lang = self.lang;
        let said = Said { kind: w::OBJECTION.of(lang), text: o.text.clone(), by: self.by(&o.noted) };
        let open = o.replies.is_empty().then(|| Said { kind: w::NO_REPLY.of(lang), ..Said::default() });
        std::iter::once(said).chain(self.replies(o)).chain(open).collect()
    }

    fn replies(self, asked: &AskedView) -> Vec<Said> {
        let reply = |r: &crate::actions::views::SaidView| {
            let relayed = if r.relayed { format!(" · {}", w::RELAYED.of(self.lang)) } else { String::new() };
            Said { kind: w::REPLIED.of(self.lang), text: r.text.clone(), by: self.by(&r.noted) + &relayed }
        };
        asked.replies.iter().map(reply).collect()
    }

    fn asked(self, s: &AskedView) -> Item {
        let answered = !s.replies.is_empty();
        let due = s.due.as_deref().map(|d| self.day(d)).unwrap_or_default();
        let state = match (answered, self.lang) {
            (true, lang) => lang.of("已回复", "answered").to_owned(),
            (false, Lang::Zh) => format!("{due} 前回复"),
            (false, Lang::En) => format!("reply due {due}"),
        };
        Item {
            head: s.unit.clone(),
            tone: if answered { "done" } else { "wait" },
            state,
            by: self.by(&s.noted),
            text: s.text.clone(),
            said: self.replies(s),
            ..Item::default()
        }
    }

    fn urge(self, u: &UrgeView) -> Item {
        let due = u.due.as_deref().map(|d| self.day(d));
        let state = match (&due, self.lang) {
            (Some(due), Lang::Zh) => format!("应于 {due} 办好"),
            (Some(due), Lang::En) => format!("was due {due}"),
            (None, lang) => {
                super::supervision::ground(&u.ground, lang).trim_start_matches(['：', ':', ' ']).to_owned()
            }
        };
        Item {
            head: super::forms::fixed(&u.degree, self.lang),
            tone: "wait",
            state,
            by: self.by(&u.noted),
            text: u.note.clone().unwrap_or_default(),
            ..Item::default()
        }
    }

    fn record(self, r: &RecordView) -> Item {
        let form = self.procedure.and_then(|p| p.form(&r.form));
        let value = |name: &str, value: &Filling| {
            let field = form.and_then(|f| f.fields.iter().find(|x| x.id == name));
            match (value, field.map(|f| f.kind)) {
                (Filling::YesNo(yes), _) => if *yes { w::YES } else { w::NO }.of(self.lang).to_owned(),
                (Filling::Number(n), Some(FieldKind::Day)) => {
                    Date::from_days(*n).map_or_else(|| n.to_string(), |d| self.day(&d.to_string()))
                }
                (Filling::Number(n), Some(FieldKind::Money)) => self.yuan(*n),
                (Filling::Number(n), _) => n.to_string(),
                (Filling::Words(said), _) => {
                    let choice = field.and_then(|f| f.choices.iter().find(|c| c.id == *said));
                    choice.map_or_else(|| said.clone(), |c| say(&c.title, self.lang).to_owned())
                }
            }
        };
        let pairs =
            r.fields.iter().map(|(name, title, v)| (say(title, self.lang).to_owned(), value(name, v)));
        Item {
            head: say(&r.title, self.lang).to_owned(),
            by: self.by(&r.noted),
            pairs: pairs.collect(),
            ..Item::default()
        }
    }

    fn money(self, d: &DeliberationView) -> Vec<Item> {
        if d.budget_yuan == 0 && d.spent_yuan == 0 {
            return Vec::new();
        }
        let pair = |word: w::Word, n: i64| (word.of(self.lang).to_owned(), self.yuan(n));
        let left = d.budget_yuan.saturating_sub(d.spent_yuan);
        vec![Item {
            tone: if left < 0 { "stop" } else { "" },
            state: if left < 0 {
                self.lang.of("超出预算", "over budget").to_owned()
            } else {
                String::new()
            },
            pairs: vec![pair(w::BUDGET, d.budget_yuan), pair(w::SPENT, d.spent_yuan), pair(w::LEFT, left)],
            ..Item::default()
        }]
    }

    fn ratings(self, matter: &MatterView) -> Vec<Item> {
        let item = |r: &crate::actions::views::RatingView| Item {
            head: match self.lang {
                Lang::Zh => format!("{} 分", r.score),
                Lang::En => format!("{} of 5", r.score),
            },
            state: if r.counted {
                String::new()
            } else {
                self.lang.of("经办单位自己记的，不计入", "entered by who handled it, not counted").to_owned()
            },
            tone: if r.counted { "" } else { "stop" },
            by: format!(
                "{} · {} · {}",
                fixed(&r.source, self.lang),
                Place::of(&r.place).name,
                self.day(&r.on)
            ),
            ..Item::default()
        };
        matter.summary.ratings.iter().map(item).collect()
    }

    fn outcome(self, o: &OutcomeView) -> Item {
        let lang = self.lang;
        let mut pairs = Vec::new();
        let mut add = |zh: &str, en: &str, value: Option<String>| {
            pairs.extend(value.map(|v| (lang.of(zh, en).to_owned(), v)));
        };
        add("谁来办", "Responsible", o.unit.clone());
        add("预算", "Budget", o.budget_yuan.map(|n| self.yuan(n)));
        add("完成期限", "Due", o.due_on.as_deref().map(|d| self.day(d)));
        let said = o.progress.iter().map(|p| Said {
            kind: lang.of("进展", "Progress"),
            text: p.percent.map_or_else(|| p.text.clone(), |n| format!("{} ({n}%)", p.text)),
            by: format!("{} · {}", Place::of(&p.place).name, self.day(&p.on)),
        });
        Item {
            head: o.title.clone(),
            by: format!("{} · {}", Place::of(&o.place).name, self.day(&o.decided_on)),
            pairs,
            text: o.text.clone(),
            said: said.collect(),
            ..Item::default()
        }
    }
}

/// `460,000`: a sum is read, not counted out.
fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::from(if n < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
