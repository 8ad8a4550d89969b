//! Fields of forms as pages show them: each with its words in both languages, what was typed kept.
//!
//! Invariant: a field that was refused is shown with what was typed in it; nothing typed becomes markup (the
//! templates escape), and no field's name reaches a person: [`label`] has the words.

use super::w::Word;
use crate::{
    actions::fixed_words,
    http::{body::Filled, lang::Lang, problem::Problem},
};

/// One field of a form.
#[derive(Debug, Clone, Default)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) label: String,
    /// `area`, `line`, `number`, `day`, `select` or `check`.
    pub(super) kind: &'static str,
    pub(super) required: bool,
    pub(super) value: String,
    pub(super) hint: String,
    pub(super) choices: Vec<Choice>,
    /// Words to pick from, or write others.
    pub(super) known: Vec<String>,
    /// Whether this is what was refused.
    pub(super) wrong: bool,
    /// Whether the cursor belongs here.
    pub(super) focus: bool,
}

/// One of several.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

impl Input {
    pub(super) fn new(kind: &'static str, name: impl Into<String>, label: impl Into<String>) -> Self {
        Self { kind, name: name.into(), label: label.into(), ..Self::default() }
    }

    pub(super) fn must(mut self, required: bool) -> Self {
        self.required = required;
        self
    }

    pub(super) fn hint(mut self, hint: &str) -> Self {
        hint.clone_into(&mut self.hint);
        self
    }

    /// A field with fixed words to choose from.
    pub(super) fn choice(
        name: impl Into<String>,
        label: impl Into<String>,
        choices: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let choice = |(value, label)| Choice { value, label, chosen: false };
        Self { choices: choices.into_iter().map(choice).collect(), ..Self::new("select", name, label) }
    }

    /// With what was typed before, and the cursor here if this was refused.
    pub(super) fn typed(mut self, typed: Option<&Filled>, wrong: Option<&str>) -> Self {
        if let Some(typed) = typed {
            typed.get(&self.name).clone_into(&mut self.value);
        }
        self.wrong = wrong == Some(self.name.as_str());
        self.focus = self.wrong;
        for choice in &mut self.choices {
            choice.chosen = choice.value == self.value;
        }
        self
    }
}

/// The field a problem is about.
pub(super) fn field_of(problem: &Problem) -> Option<String> {
    problem.body().get("field")?.as_str().map(str::to_owned)
}

/// A problem's words with the fields called as the page calls them.
pub(super) fn plain(problem: &Problem, act: &str, lang: Lang) -> String {
    let words = problem.words(lang).to_owned();
    let Some(field) = field_of(problem) else { return words };
    let label = label(act, &field, lang);
    [("“", "”"), ("「", "」"), ("`", "`")].iter().fold(words, |words, (open, close)| {
        let quoted = lang.of("“”", "“”");
        let (left, right) = quoted.split_at("“".len());
        words.replace(&format!("{open}{field}{close}"), &format!("{left}{label}{right}"))
    })
}

/// A field that cannot be read, before anything is asked of the actions.
pub(super) fn wrong(field: &str, zh: &str, en: &str) -> Problem {
    wrong_called(field, (field, field), zh, en)
}

/// The same for a field with words of its own.
pub(super) fn wrong_called(field: &str, (name_zh, name_en): (&str, &str), zh: &str, en: &str) -> Problem {
    Problem::new(
        axum::http::StatusCode::UNPROCESSABLE_ENTITY,
        "invalid",
        "A field cannot be used",
        format!("“{name_en}” {en}. Nothing was saved; what you typed is below."),
        format!("“{name_zh}”{zh}。还没有保存，填过的都在下面。"),
    )
    .with("field", field)
}

/// A number as people type it: full-width digits, thousands separated, blanks around.
pub(super) fn number(typed: &str) -> Option<i64> {
    let digit = |c: char| match c {
        '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')),
        ',' | '，' | ' ' => None,
        c => Some(c),
    };
    typed.trim().chars().filter_map(digit).collect::<String>().parse().ok()
}

const FIELDS: &[(&str, &str, &str)] = &[
    ("body", "群众说了什么", "What was said"),
    ("title", "标题", "Title"),
    ("category", "类别", "Category"),
    ("source", "来源", "Source"),
    ("channel", "渠道", "Channel"),
    ("raised_on", "反映日期", "Raised on"),
    ("settle", "当场怎么答复的", "What was answered on the spot"),
    ("petitioner.kind", "反映人身份", "Who raised it"),
    ("petitioner.name", "姓名", "Name"),
    ("petitioner.phone", "电话", "Telephone"),
    ("petitioner.address", "住址", "Address"),
    ("reason", "理由", "Reason"),
    ("note", "说明", "Remark"),
    ("text", "内容", "Text"),
    ("to", "送往", "To"),
    ("procedure", "议事程序", "Procedure"),
    ("grade", "等级", "Grade"),
    ("urgency", "紧急程度", "Urgency"),
    ("unit", "单位", "Unit"),
    ("degree", "哪一种", "Degree"),
    ("person", "经办人", "Person"),
    ("working_days", "工作日数", "Working days"),
    ("day", "日期", "Day"),
    ("agenda", "议题", "Agenda"),
    ("venue", "地点", "Venue"),
    ("minutes", "会上怎么说、怎么定的", "What was said and settled"),
    ("eligible", "应到人数", "Entitled to be there"),
    ("present", "实到人数", "Present"),
    ("remote", "电话、视频参加人数", "Present from afar"),
    ("question", "表决什么", "What is asked"),
    ("for", "同意", "For"),
    ("against", "反对", "Against"),
    ("abstain", "弃权", "Abstaining"),
    ("counter.caller", "唱票人", "Votes called by"),
    ("counter.teller", "计票人", "Votes counted by"),
    ("counter.watcher", "监票人", "Count watched by"),
    ("days", "公示几天", "Days on the board"),
    ("budget_yuan", "预算（元）", "Budget in yuan"),
    ("due_on", "完成期限", "Due on"),
    ("answer", "答复", "Reply"),
    ("on", "哪一天", "On which day"),
    ("how", "怎么告知的", "How they were told"),
    ("score", "打几分", "Score"),
    ("count", "几个人", "How many people"),
    ("relayed", "对方口头或书面说的，由这里代录", "Said on paper or by telephone, entered here"),
    ("sources", "并进来的事项编号，一行一个", "Numbers of the matters to merge, one a line"),
    ("branch", "以哪一边为准", "Which branch goes on"),
    ("post", "对哪一次公示", "To which notice"),
    ("fields", "表单", "Form"),
    ("form", "表单", "Form"),
    ("file", "程序文件", "Procedure file"),
    ("photo", "照片", "Photo"),
    ("about", "照片上是什么", "What they show"),
    ("caption", "说明", "Caption"),
];

/// What a field is called in an act.
pub(super) fn label(act: &str, field: &str, lang: Lang) -> String {
    let own = match (act, field) {
        ("call" | "meet" | "ballot", "body") => Some(Word("哪个会", "Which body")),
        ("correct", "body") => Some(Word("改后的反映内容", "What was said, corrected")),
        ("correct", "text") => Some(Word("改后的文字", "Words, corrected")),
        ("rate", "source") => Some(Word("谁来评的", "Whose rating")),
        ("release", "source") => Some(Word("移出哪一件", "Which matter")),
        ("answer", "text") => Some(Word("答复内容", "The reply")),
        ("handle", "note") => Some(Word("做了什么", "What was done")),
        ("comment", "text") => Some(Word("意见", "Comment")),
        ("object", "text") => Some(Word("异议内容", "The objection")),
        ("respond", "text") => Some(Word("回复内容", "The reply")),
        ("respond", "to") => Some(Word("回复哪一条", "Reply to")),
        ("tell", "answer") => Some(Word("告知的是哪一条答复", "Which reply")),
        ("post", "text") => Some(Word("公示内容", "What is posted")),
        ("summon", "question") => Some(Word("请对方说明什么", "What is asked of them")),
        ("summon", "unit") => Some(Word("约请哪个单位", "Which unit")),
        ("summon", "working_days") => Some(Word("几个工作日内回复", "Working days to reply")),
        ("extend", "working_days") => Some(Word("延长几个工作日", "Working days more")),
        ("decide", "text") => Some(Word("决定内容", "What is decided")),
        ("decide", "unit") => Some(Word("谁来办", "Responsible unit")),
        ("decide", "answer") => Some(Word("同时答复（可不填）", "Reply at once (optional)")),
        ("refer", "to") => Some(Word("该归谁管", "Who is responsible")),
        _ => None,
    };
    let listed = || FIELDS.iter().find(|(name, ..)| *name == field).map(|(_, zh, en)| Word(zh, en));
    own.or_else(listed).map_or_else(|| field.to_owned(), |w| w.of(lang).to_owned())
}

/// The sources and channels offered, the usual one first.
pub(super) const SOURCES: &[&str] = &["residents", "party", "cppcc", "grid", "supervision"];
pub(super) const CHANNELS: &[&str] =
    &["home_visit", "station", "courtyard", "hotline", "letter_box", "diary", "online", "fair"];
/// Categories people may pick; others can be written.
pub(super) const CATEGORIES: &[&str] =
    &["道路", "水利", "用电用水", "环境卫生", "土地", "房屋", "社会保障", "邻里纠纷", "治安", "其他"];

/// A fixed word as shown; a word of a newer program as it is.
pub(super) fn fixed(name: &str, lang: Lang) -> String {
    fixed_words(name).map_or(name, |(zh, en)| lang.of(zh, en)).to_owned()
}

/// Fixed words as choices.
pub(super) fn fixed_choices<'a>(
    names: impl IntoIterator<Item = &'a str>,
    lang: Lang,
) -> impl Iterator<Item = (String, String)> {
    names.into_iter().map(move |n| (n.to_owned(), fixed(n, lang)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::act_fields;

    #[test]
    fn numbers_as_people_type_them() {
        for (typed, read) in [
            ("34", Some(34)),
            (" ３４ ", Some(34)),
            ("12,000", Some(12_000)),
            ("", None),
            ("三", None),
            ("-1", Some(-1)),
        ] {
            assert_eq!(number(typed), read, "{typed}");
        }
    }

    #[test]
    fn every_field_of_every_act_has_words() {
        use yishi_protocol::fold::frame::StepKind;
        let voices = [
            "comment", "support", "record", "call", "meet", "ballot", "post", "object", "summon", "respond",
            "tell", "rate", "merge",
        ];
        for act in StepKind::ALL.iter().map(|k| k.name()).chain(voices) {
            for field in act_fields(act) {
                // By name and by count these have fields of their own.
                if matches!(
                    field.kind,
                    "roll" | "tags" | "votes" | "counters" | "call" | "meeting" | "matter" | "outcome"
                ) {
                    continue;
                }
                let (zh, en) = (label(act, field.name, Lang::Zh), label(act, field.name, Lang::En));
                assert!(zh != field.name && !zh.is_ascii(), "{act}.{} has no Chinese", field.name);
                assert!(en.is_ascii(), "{act}.{} has no English", field.name);
                for word in field.kind.split('|').filter(|_| field.kind.contains('|')) {
                    assert_ne!(fixed(word, Lang::Zh), word, "{act}.{}", field.name);
                }
            }
        }
        for name in SOURCES.iter().chain(CHANNELS) {
            assert_ne!(fixed(name, Lang::Zh), *name);
        }
    }
}
