//! A procedure drawn for reading: its stages in order, what each wants before it is left, where it goes.

use super::inputs::say;
use crate::http::lang::Lang;
use yishi_protocol::procedure::{
    BodyOf, Form, Gate, Limit, Procedure, Stage, Urgency,
    graph::{Tongue, gate_words},
};

/// A procedure in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Drawn {
    pub(super) stages: Vec<DrawnStage>,
    pub(super) bodies: Vec<String>,
    pub(super) forms: Vec<(String, String)>,
}

/// One stage in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DrawnStage {
    pub(super) number: usize,
    pub(super) title: String,
    pub(super) limit: String,
    pub(super) gates: Vec<String>,
    /// Where it goes, on and back; and whether it may end here.
    pub(super) ways: Vec<String>,
    pub(super) end: bool,
}

/// Puts a procedure into words.
pub(super) fn drawn(p: &Procedure, lang: Lang) -> Drawn {
    Drawn {
        stages: p.stages.iter().enumerate().map(|(at, s)| stage(p, at + 1, s, lang)).collect(),
        bodies: p.bodies.iter().map(|b| body(b, lang)).collect(),
        forms: p.forms.iter().map(|f| form(f, lang)).collect(),
    }
}

fn body(b: &BodyOf, lang: Lang) -> String {
    let mut said = say(&b.title, lang).to_owned();
    if let Some(quorum) = b.quorum {
        said.push_str(&match lang {
            Lang::Zh => format!("，到会{}", quorum.zh()),
            Lang::En => format!(", {} present", quorum.en()),
        });
    }
    if b.notice_days > 0 {
        said.push_str(&match lang {
            Lang::Zh => format!("，提前 {} 天通知", b.notice_days),
            Lang::En => format!(", called {} days ahead", b.notice_days),
        });
    }
    said
}

fn form(f: &Form, lang: Lang) -> (String, String) {
    let fields: Vec<&str> = f.fields.iter().map(|x| say(&x.title, lang)).collect();
    let by = lang.of(f.by.zh(), f.by.en());
    let said = match lang {
        Lang::Zh => format!("{by}填：{}", fields.join("、")),
        Lang::En => format!("filled in by {by}: {}", fields.join(", ")),
    };
    (say(&f.title, lang).to_owned(), said)
}

fn stage(p: &Procedure, number: usize, s: &Stage, lang: Lang) -> DrawnStage {
    let named = |id: &String| {
        let found = p.stages.iter().find(|other| other.id == *id);
        found.map_or_else(|| id.clone(), |f| say(&f.title, lang).to_owned())
    };
    let list = |ids: &[String]| ids.iter().map(named).collect::<Vec<_>>().join(lang.of("、", ", "));
    let mut ways = Vec::new();
    let mut way = |zh: &str, en: &str, to: String| {
        if !to.is_empty() {
            ways.push(format!("{}{to}", lang.of(zh, en)));
        }
    };
    way("然后：", "then: ", list(&s.go));
    way("可退回：", "may go back to: ", list(&s.back));
    way("上报后从这里开始：", "escalated, the place above begins at: ", s.up.iter().map(named).collect());
    way("退回下级后接着：", "returned, the place below goes on at: ", s.down.iter().map(named).collect());
    let early: Vec<&str> = s.early_end.iter().map(|g| lang.of(g.zh(), g.en())).collect();
    way("可以提前答复办结：", "may be answered early: ", early.join(lang.of("、", ", ")));
    DrawnStage {
        number,
        title: say(&s.title, lang).to_owned(),
        limit: limits(s, lang),
        gates: s.gates.iter().map(|g| gate(p, g, lang)).collect(),
        ways,
        end: s.end,
    }
}

fn limits(s: &Stage, lang: Lang) -> String {
    let several = s.limits.len() > 1;
    let one = |(urgency, limit): (&&str, &Limit)| {
        let length = match (limit, lang) {
            (Limit::WorkingDays(n), Lang::Zh) => format!("{n} 个工作日"),
            (Limit::WorkingDays(n), Lang::En) => format!("{n} working days"),
            (Limit::Hours(n), Lang::Zh) => format!("{n} 小时"),
            (Limit::Hours(n), Lang::En) => format!("{n} hours"),
        };
        match Urgency::from_name(urgency) {
            Some(u) if several => format!("{} {length}", lang.of(u.zh(), u.en())),
            _ => length,
        }
    };
    s.limits.iter().map(one).collect::<Vec<_>>().join(lang.of("，", ", "))
}

/// What a gate wants, in the words drawings use too.
fn gate(p: &Procedure, gate: &Gate, lang: Lang) -> String {
    let tongue = match lang {
        Lang::Zh => Tongue::Zh,
        Lang::En => Tongue::En,
    };
    gate_words(p, gate, tongue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use yishi_protocol::procedure::shipped;

    #[test]
    fn every_shipped_procedure_is_drawn_in_both_languages() {
        let chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        for s in shipped::all() {
            let (zh, en) = (drawn(&s.procedure, Lang::Zh), drawn(&s.procedure, Lang::En));
            assert_eq!(zh.stages.len(), s.procedure.stages.len());
            for (zh, en) in zh.stages.iter().zip(&en.stages) {
                assert!(
                    zh.title.contains(chinese)
                        && zh.gates.iter().chain(&zh.ways).all(|g| g.contains(chinese))
                );
                let words = en.gates.iter().chain(&en.ways).chain([&en.title, &en.limit]);
                // Tags are data of the charter and stay as they are.
                let english = words.filter(|g| !g.contains("of those present at least"));
                assert!(english.clone().all(|g| !g.contains(chinese)), "{:?}", english.collect::<Vec<_>>());
            }
            assert!(zh.stages.iter().any(|s| s.end));
        }
    }
}
