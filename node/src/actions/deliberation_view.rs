//! Where a matter is in its procedure, as people see it.

use super::{
    day_text,
    matter_view::Viewer,
    views::{
        AskedView, AssignedView, BallotView, BoundView, CallView, DeliberationView, LackView, MeetingView,
        Noted, PostView, RecordView, SaidView, StageView, UrgeView,
    },
};
use yishi_protocol::{
    calendar::Date,
    fold::{Asked, BallotState, Matter},
    ids::{ActRef, PlaceId},
    procedure::Words,
};

fn named(id: &str) -> Words {
    Words { zh: id.to_owned(), en: id.to_owned() }
}

impl Viewer<'_> {
    fn noted(&self, act: ActRef, place: &PlaceId, on: i64) -> Noted {
        Noted { act, place: self.place(place), on: day_text(on) }
    }

    fn asked(&self, asked: &Asked) -> AskedView {
        let due = asked.working_days.and_then(|days| {
            let from = Date::from_days(asked.on)?;
            Some(self.calendar.add_working_days(from, u32::try_from(days).ok()?).0.to_string())
        });
        let said = |s: &yishi_protocol::fold::Said| SaidView {
            noted: self.noted(s.act, &s.place, s.on),
            text: s.text.clone(),
            relayed: s.relayed,
        };
        AskedView {
            noted: self.noted(asked.act, &asked.place, asked.on),
            unit: asked.unit.clone(),
            text: asked.text.clone(),
            due,
            replies: asked.replies.iter().map(said).collect(),
        }
    }

    pub(super) fn deliberation(&self, matter: &Matter) -> DeliberationView {
        let procedure = matter.procedure_file();
        let body =
            |id: &str| procedure.and_then(|p| p.body(id)).map_or_else(|| named(id), |b| b.title.clone());
        DeliberationView {
            procedure: procedure.map(|p| BoundView {
                pin: p.pin,
                id: p.id.clone(),
                version: p.version,
                title: p.title.clone(),
            }),
            at: matter.at.as_ref().map(|a| StageView {
                stage: a.stage.clone(),
                title: a.title.clone(),
                number: a.number,
                of: a.of,
            }),
            grade: matter.grade.name(),
            urgency: matter.urgency.name(),
            paused_since: matter.paused_since.map(day_text),
            assigned: matter.assigned.as_ref().map(|a| AssignedView {
                noted: self.noted(a.act, &a.place, a.on),
                unit: a.unit.clone(),
                person: a.person.clone(),
            }),
            lacks: matter
                .lacks()
                .into_iter()
                .map(|l| LackView { code: l.why.name(), about: l.about, detail: l.en, detail_zh: l.zh })
                .collect(),
            records: matter.records.iter().map(|r| self.record(matter, r)).collect(),
            calls: matter
                .calls
                .iter()
                .map(|c| CallView {
                    noted: self.noted(c.act, &c.place, c.on),
                    title: body(&c.body),
                    body: c.body.clone(),
                    day: day_text(c.day),
                    agenda: c.agenda.clone(),
                    venue: c.venue.clone(),
                })
                .collect(),
            meetings: matter
                .meetings
                .iter()
                .map(|m| MeetingView {
                    noted: self.noted(m.act, &m.place, m.on),
                    title: body(&m.body),
                    body: m.body.clone(),
                    day: day_text(m.day),
                    eligible: m.eligible,
                    present: m.present,
                    remote: m.remote,
                    roll: m.roll.clone(),
                    tags: m.tags.clone(),
                    minutes: m.minutes.clone(),
                    quorate: m.quorate,
                })
                .collect(),
            ballots: matter
                .ballots
                .iter()
                .map(|b| BallotView {
                    noted: self.noted(b.act, &b.place, b.on),
                    question: b.question.clone(),
                    title: body(&b.body),
                    body: b.body.clone(),
                    counts: [b.eligible, b.present, b.in_favour, b.against, b.abstain],
                    state: match b.state {
                        BallotState::Open => "open",
                        BallotState::Counted => "counted",
                        BallotState::Late => "late",
                    },
                })
                .collect(),
            posts: matter
                .posts
                .iter()
                .map(|p| PostView {
                    noted: self.noted(p.act, &p.place, p.on),
                    days: p.days,
                    until: day_text(p.on.saturating_add(p.days)),
                    text: p.text.clone(),
                    objections: p.objections.iter().map(|o| self.asked(o)).collect(),
                })
                .collect(),
            urges: matter
                .urges
                .iter()
                .map(|u| UrgeView {
                    noted: self.noted(u.act, &u.place, u.on),
                    degree: u.degree.clone(),
                    ground: u.ground.clone(),
                    due: u.due.map(day_text),
                    note: u.note.clone(),
                })
                .collect(),
            summonses: matter.summonses.iter().map(|s| self.asked(s)).collect(),
            budget_yuan: matter.budget_yuan,
            spent_yuan: matter.spent_yuan,
        }
    }

    fn record(&self, matter: &Matter, r: &yishi_protocol::fold::Recorded) -> RecordView {
        let form = matter.procedure_file().and_then(|p| p.form(&r.form));
        let order = |name: &str| form.and_then(|f| f.fields.iter().position(|x| x.id == name));
        let mut fields: Vec<_> = r.fields.iter().collect();
        fields.sort_by_key(|(name, _)| order(name));
        let title = |name: &str| {
            let field = form.and_then(|f| f.fields.iter().find(|x| x.id == name));
            field.map_or_else(|| named(name), |x| x.title.clone())
        };
        RecordView {
            noted: self.noted(r.act, &r.place, r.on),
            title: form.map_or_else(|| named(&r.form), |f| f.title.clone()),
            form: r.form.clone(),
            fields: fields.into_iter().map(|(n, v)| (n.clone(), title(n), v.clone())).collect(),
        }
    }
}
