//! Drawings of a procedure: for a terminal and as SVG. Both show the stages in the file's order, each with its
//! limits, its gates in words and its ways; neither needs a font or anything else from outside.
//!
//! A way to the stage that follows is drawn straight down. Every other way has a lane of its own beside the
//! boxes, so that no two arrows lie on top of each other: forwards, up and down on the right, back on the left.

use super::{Gate, Grade, Limit, Need, Procedure, Stage, Urgency, Words};
use std::fmt::Write as _;

/// In which language a drawing is labelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Tongue {
    fn of(self, words: &Words) -> &str {
        self.pick(&words.zh, &words.en)
    }

    /// One of two texts.
    #[must_use]
    pub const fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// How a stage is left for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Go,
    Back,
    Up,
    Down,
}

impl Way {
    const fn mark(self) -> &'static str {
        match self {
            Self::Go => "→",
            Self::Back => "↩",
            Self::Up => "↑",
            Self::Down => "↓",
        }
    }

    const fn name(self, tongue: Tongue) -> &'static str {
        match self {
            Self::Go => tongue.pick("推进", "on"),
            Self::Back => tongue.pick("退回", "back"),
            Self::Up => tongue.pick("上报", "up"),
            Self::Down => tongue.pick("退回下级", "down"),
        }
    }
}

fn ways(stage: &Stage) -> impl Iterator<Item = (Way, &str)> {
    let go = stage.go.iter().map(|to| (Way::Go, to.as_str()));
    let back = stage.back.iter().map(|to| (Way::Back, to.as_str()));
    let up = stage.up.iter().map(|to| (Way::Up, to.as_str()));
    go.chain(back).chain(up).chain(stage.down.iter().map(|to| (Way::Down, to.as_str())))
}

/// What a gate asks for, in words.
#[must_use]
pub fn gate_words(procedure: &Procedure, gate: &Gate, tongue: Tongue) -> String {
    let form = |id: &str| procedure.form(id).map_or(id, |f| tongue.of(&f.title)).to_owned();
    let body = |id: &str| procedure.body(id);
    let title = |id: &str| body(id).map_or(id, |b| tongue.of(&b.title)).to_owned();
    let zh = tongue == Tongue::Zh;
    let mut words = match &gate.need {
        Need::Record { form: id, at_least: 1 } => form(id),
        Need::Record { form: id, at_least } if zh => format!("{}至少 {at_least} 份", form(id)),
        Need::Record { form: id, at_least } => format!("{}, at least {at_least}", form(id)),
        Need::Earlier { form: id } if zh => format!("此前已有{}", form(id)),
        Need::Earlier { form: id } => format!("{}, recorded before", form(id)),
        Need::Meeting { body: id, tags } => {
            let mut words =
                if zh { format!("{}开会", title(id)) } else { format!("Meeting: {}", title(id)) };
            if let Some(quorum) = body(id).and_then(|b| b.quorum) {
                words += &if zh { format!("，到会{}", quorum.zh()) } else { format!(", {}", quorum.en()) };
            }
            for (tag, share) in tags {
                let _ = if zh {
                    write!(words, "，其中“{tag}”占 {share}")
                } else {
                    write!(words, ", {share} of them “{tag}”")
                };
            }
            words
        }
        Need::Ballot { body: id, majority } if zh => format!("{}表决，{}", title(id), majority.zh()),
        Need::Ballot { body: id, majority } => format!("Vote: {}, {majority}", title(id)),
        Need::Posted { days, objections_answered } => {
            let mut words =
                if zh { format!("公示满 {days} 天") } else { format!("Posted for {days} days") };
            if *objections_answered {
                words += tongue.pick("，异议均已回复", ", objections answered");
            }
            words
        }
        Need::SummonsAnswered { at_least: 0 } => {
            tongue.pick("约请均已回复", "Every summons answered").to_owned()
        }
        Need::SummonsAnswered { at_least } if zh => format!("至少约请 {at_least} 家，均已回复"),
        Need::SummonsAnswered { at_least } => format!("At least {at_least} summoned, all answered"),
        Need::WithinBudget => tongue.pick("支出不超预算", "Spending within the budget").to_owned(),
    };
    if !gate.only.is_empty() {
        let grades = grades(&gate.only, tongue);
        words += &if zh { format!("（仅{grades}）") } else { format!(" ({grades} only)") };
    }
    if let Some(when) = &gate.when {
        let field = procedure.form(&when.form).and_then(|f| f.fields.iter().find(|f| f.id == when.field));
        let name = field.map_or(when.field.as_str(), |f| tongue.of(&f.title));
        let choice = |id: &String| {
            let found = field.and_then(|f| f.choices.iter().find(|c| c.id == *id));
            found.map_or(id.as_str(), |c| tongue.of(&c.title)).to_owned()
        };
        let is = when.is.iter().map(choice).collect::<Vec<_>>().join(tongue.pick("、", ", "));
        words += &if zh { format!("（{name}为{is}时）") } else { format!(" (if {name}: {is})") };
    }
    words
}

fn grades(of: &[Grade], tongue: Tongue) -> String {
    let names: Vec<_> = of.iter().map(|g| tongue.pick(g.zh(), g.en())).collect();
    names.join(tongue.pick("、", ", "))
}

fn limits(stage: &Stage, tongue: Tongue) -> Option<String> {
    let one = |urgency: &Urgency| {
        let limit = stage.limits.get(urgency.name())?;
        let time = match (limit, tongue) {
            (Limit::WorkingDays(n), Tongue::Zh) => format!("{n} 个工作日"),
            (Limit::WorkingDays(1), Tongue::En) => "1 working day".to_owned(),
            (Limit::WorkingDays(n), Tongue::En) => format!("{n} working days"),
            (Limit::Hours(n), Tongue::Zh) => format!("{n} 小时"),
            (Limit::Hours(n), Tongue::En) => format!("{n} h"),
        };
        Some(match urgency {
            Urgency::Normal => time,
            other => format!("{} {time}", tongue.pick(other.zh(), other.en())),
        })
    };
    let all: Vec<_> = Urgency::ALL.iter().filter_map(one).collect();
    (!all.is_empty())
        .then(|| format!("{}{}", tongue.pick("时限 ", "Within "), all.join(tongue.pick("；", "; "))))
}

fn early(stage: &Stage, tongue: Tongue) -> Option<String> {
    let grades = grades(&stage.early_end, tongue);
    (!grades.is_empty()).then(|| match tongue {
        Tongue::Zh => format!("{grades}可在此提前答复"),
        Tongue::En => format!("{grades}: may be answered here already"),
    })
}

/// The columns a terminal gives a character. What is neither Latin nor a line is two wide here.
const fn columns(c: char) -> usize {
    let wide = matches!(c as u32,
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1f64f | 0x20000..=0x3fffd);
    if wide { 2 } else { 1 }
}

/// The columns a terminal gives a text.
#[must_use]
pub fn columns_of(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// A text in lines of at most so many columns; Chinese breaks anywhere, words of other scripts stay whole.
fn folded(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut word = String::new();
    let put = |lines: &mut Vec<String>, piece: &str| {
        let Some(line) = lines.last_mut() else { return };
        if columns_of(line) + columns_of(piece) <= room || line.is_empty() {
            line.push_str(piece);
            return;
        }
        // A closing mark starts no line: the character before it comes along.
        let closing = piece.chars().all(|c| "，。；：、）”,.;:)".contains(c));
        let before = if closing { line.chars().last().filter(|c| columns(*c) == 2) } else { None };
        if before.is_some() {
            line.pop();
        }
        lines.push(before.into_iter().chain(piece.trim_start().chars()).collect());
    };
    for c in text.chars() {
        if columns(c) == 2 || c == ' ' {
            put(&mut lines, &word);
            word.clear();
            put(&mut lines, c.encode_utf8(&mut [0; 4]));
        } else {
            word.push(c);
        }
    }
    put(&mut lines, &word);
    lines.into_iter().map(|l| l.trim_end().to_owned()).collect()
}

/// A drawing for a terminal of so many columns.
#[must_use]
pub fn terminal(procedure: &Procedure, tongue: Tongue, width: usize) -> String {
    let inner = width.clamp(30, 100) - 4;
    let mut out = format!(
        "{}  {} v{}\n{}\n\n",
        tongue.of(&procedure.title),
        procedure.id,
        procedure.version,
        tongue.of(&procedure.summary)
    );
    for (n, stage) in procedure.stages.iter().enumerate() {
        // A title too long for the frame goes on inside it.
        let mut title = folded(&format!("{} {}", n + 1, tongue.of(&stage.title)), inner - 1).into_iter();
        let first = format!(" {} ", title.next().unwrap_or_default());
        let mut lines: Vec<String> = title.collect();
        let mut add = |mark: &str, text: &str| {
            let indent = columns_of(mark);
            for (i, line) in folded(text, inner - indent).into_iter().enumerate() {
                let lead = if i == 0 { mark.to_owned() } else { " ".repeat(indent) };
                lines.push(format!("{lead}{line}"));
            }
        };
        if let Some(limits) = limits(stage, tongue) {
            add("", &limits);
        }
        for gate in &stage.gates {
            add("◇ ", &gate_words(procedure, gate, tongue));
        }
        if let Some(early) = early(stage, tongue) {
            add("○ ", &early);
        }
        for (way, to) in ways(stage) {
            add(
                &format!("{} ", way.mark()),
                &format!("{} {}", way.name(tongue), called(procedure, to, tongue)),
            );
        }
        if stage.end {
            add("● ", tongue.pick("在此答复、办结", "answered and closed here"));
        }
        let rule = (inner + 1).saturating_sub(columns_of(&first));
        let (corner, side, foot) = if stage.end {
            ("╔═", "║", ("╚", "═", "╝"))
        } else {
            ("┌─", "│", ("└", "─", "┘"))
        };
        let (bar, close) = if stage.end { ("═", "╗") } else { ("─", "┐") };
        let _ = writeln!(out, "{corner}{first}{}{close}", bar.repeat(rule));
        for line in lines {
            let blanks = " ".repeat(inner.saturating_sub(columns_of(&line)));
            let _ = writeln!(out, "{side} {line}{blanks} {side}");
        }
        let follows = procedure.stages.get(n + 1).is_some_and(|next| stage.go.contains(&next.id));
        let (left, bar, right) = foot;
        let _ = writeln!(out, "{left}{}{right}", bar.repeat(inner + 2));
        if follows {
            let _ = writeln!(out, "{}▼", " ".repeat(inner / 2 + 1));
        }
    }
    let _ = writeln!(
        out,
        "{}",
        tongue.pick(
            "◇ 关口  → 推进  ↩ 退回  ↑ 上报  ↓ 退回下级  ○ 可提前答复  ● 终点（双线）",
            "◇ gate  → on  ↩ back  ↑ up  ↓ down  ○ may end early  ● end (double lines)",
        )
    );
    out
}

/// A stage by number and title.
fn called(procedure: &Procedure, id: &str, tongue: Tongue) -> String {
    let at = procedure.stage_named(id);
    let title = at.and_then(|at| procedure.stage(at)).map_or(id, |s| tongue.of(&s.title));
    format!("{} {title}", at.map_or(0, |at| at + 1))
}

const BOX_WIDTH: usize = 440;
const LINE_HEIGHT: usize = 22;
const LANE: usize = 24;
/// Columns of text that fit into a box: seven units each at the size of the text, with margins.
const BOX_COLUMNS: usize = 58;

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A box of the drawing.
struct Drawn {
    top: usize,
    height: usize,
    lines: Vec<(&'static str, String)>,
}

/// A drawing as SVG.
#[must_use]
pub fn svg(procedure: &Procedure, tongue: Tongue) -> String {
    let mut boxes = Vec::new();
    let mut top = 84;
    for stage in &procedure.stages {
        let drawn = drawn(procedure, stage, tongue, top);
        top += drawn.height + 44;
        boxes.push(drawn);
    }
    // Every way that is not straight down gets a lane.
    let (mut right, mut left) = (Vec::new(), Vec::new());
    let mut straight = Vec::new();
    for (n, stage) in procedure.stages.iter().enumerate() {
        for (way, to) in ways(stage) {
            let Some(to) = procedure.stage_named(to).map(usize::from) else { continue };
            match way {
                Way::Go if to == n + 1 => straight.push(n),
                Way::Back => left.push((way, n, to)),
                _ => right.push((way, n, to)),
            }
        }
    }
    let x0 = 24 + LANE * (left.len() + 1);
    let x1 = x0 + BOX_WIDTH;
    let (width, height) = (x1 + LANE * (right.len() + 1) + 24, top + 10);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"14\" role=\"img\">\n<title>{}</title>\n{STYLE}",
        escaped(tongue.of(&procedure.title))
    );
    let _ = write!(
        out,
        "<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n<text x=\"{x0}\" y=\"34\" font-size=\"20\" \
         font-weight=\"bold\">{}</text>\n",
        escaped(tongue.of(&procedure.title))
    );
    let summary = folded(tongue.of(&procedure.summary), BOX_COLUMNS + 4);
    for (i, line) in summary.iter().take(2).enumerate() {
        let _ =
            writeln!(out, "<text x=\"{x0}\" y=\"{}\" fill=\"#555\">{}</text>", 56 + i * 18, escaped(line));
    }
    for (n, (stage, drawn)) in procedure.stages.iter().zip(&boxes).enumerate() {
        put_box(&mut out, x0, n, tongue.of(&stage.title), stage.end, drawn);
    }
    for n in straight {
        if let (Some(from), Some(to)) = (boxes.get(n), boxes.get(n + 1)) {
            let (x, y) = (x0 + BOX_WIDTH / 2, from.top + from.height);
            let (tip, base) = (to.top, to.top.saturating_sub(9));
            let _ = writeln!(out, "<path class=\"go\" d=\"M{x} {y} V{base}\"/>");
            let _ = writeln!(
                out,
                "<polygon class=\"go\" points=\"{x},{tip} {},{base} {},{base}\"/>",
                x - 5,
                x + 5
            );
        }
    }
    for (lane, way) in right.iter().enumerate() {
        put_lane(&mut out, &boxes, *way, x1, x1 + LANE * (lane + 1), lane, tongue);
    }
    for (lane, way) in left.iter().enumerate() {
        put_lane(&mut out, &boxes, *way, x0, x0 - LANE * (lane + 1), lane, tongue);
    }
    out.push_str("</svg>\n");
    out
}

const STYLE: &str = "<style>path{fill:none;stroke-width:1.6}polygon{stroke:none}.go{stroke:#1f5f8b;fill:#1f5f8b}\
.back{stroke:#8a6d1d;fill:#8a6d1d}.up{stroke:#a33b2c;fill:#a33b2c}.down{stroke:#3d7a3d;fill:#3d7a3d}path.back{stroke-dasharray:5 3}\
path.go,path.back,path.up,path.down{fill:none}.lane{font-size:12px}</style>\n";

fn drawn(procedure: &Procedure, stage: &Stage, tongue: Tongue, top: usize) -> Drawn {
    let mut lines = Vec::new();
    let mut add = |mark: &'static str, text: &str| {
        for (i, line) in folded(text, BOX_COLUMNS - columns_of(mark)).into_iter().enumerate() {
            lines.push((if i == 0 { mark } else { "" }, line));
        }
    };
    if let Some(limits) = limits(stage, tongue) {
        add("", &limits);
    }
    for gate in &stage.gates {
        add("◇", &gate_words(procedure, gate, tongue));
    }
    if let Some(early) = early(stage, tongue) {
        add("○", &early);
    }
    if stage.end {
        add("●", tongue.pick("在此答复、办结", "Answered and closed here"));
    }
    Drawn { top, height: 40 + LINE_HEIGHT * lines.len(), lines }
}

fn put_box(out: &mut String, x: usize, n: usize, title: &str, end: bool, drawn: &Drawn) {
    let Drawn { top, height, lines } = drawn;
    let fill = if end { "#eef6ee" } else { "#f4f7fa" };
    let _ = writeln!(
        out,
        "<rect x=\"{x}\" y=\"{top}\" width=\"{BOX_WIDTH}\" height=\"{height}\" rx=\"6\" fill=\"{fill}\" stroke=\"#456\"/>"
    );
    if end {
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\" fill=\"none\" stroke=\"#456\"/>",
            x + 4,
            top + 4,
            BOX_WIDTH - 8,
            height - 8
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" font-size=\"16\" font-weight=\"bold\">{} {}</text>",
        x + 14,
        top + 25,
        n + 1,
        escaped(title)
    );
    for (i, (mark, line)) in lines.iter().enumerate() {
        let y = top + 48 + LINE_HEIGHT * i;
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{y}\" fill=\"#345\">{mark}</text><text x=\"{}\" y=\"{y}\">{}</text>",
            x + 14,
            x + 32,
            escaped(line)
        );
    }
}

fn put_lane(
    out: &mut String,
    boxes: &[Drawn],
    (way, from, to): (Way, usize, usize),
    edge: usize,
    lane_x: usize,
    lane: usize,
    tongue: Tongue,
) {
    let (Some(start), Some(end)) = (boxes.get(from), boxes.get(to)) else { return };
    let class = match way {
        Way::Go => "go",
        Way::Back => "back",
        Way::Up => "up",
        Way::Down => "down",
    };
    // Ways out leave from the lower part of a box and enter the upper part, a little apart from each other.
    let apart = 6 * (lane % 4);
    let y1 = start.top + start.height.saturating_sub(10 + apart);
    let y2 = end.top + 10 + apart;
    // The tip touches the box; its base is on the side of the lane.
    let base = if lane_x > edge { edge + 9 } else { edge - 9 };
    let _ = writeln!(out, "<path class=\"{class}\" d=\"M{edge} {y1} H{lane_x} V{y2} H{base}\"/>");
    let _ = writeln!(
        out,
        "<polygon class=\"{class}\" points=\"{edge},{y2} {base},{} {base},{}\"/>",
        y2.saturating_sub(5),
        y2 + 5
    );
    let label = format!("{} {}", way.name(tongue), to + 1);
    let y = usize::midpoint(y1, y2);
    let _ = writeln!(
        out,
        "<text class=\"lane\" transform=\"translate({},{y}) rotate(-90)\" text-anchor=\"middle\" fill=\"#333\" \
         stroke=\"#fff\" stroke-width=\"3\" paint-order=\"stroke\">{}</text>",
        lane_x + 4,
        escaped(&label)
    );
}

#[cfg(test)]
mod tests {
    use super::{super::shipped, *};

    #[test]
    fn boxes_close_whatever_is_in_them() {
        for shipped in shipped::all() {
            for (tongue, width) in [(Tongue::Zh, 80), (Tongue::En, 80), (Tongue::Zh, 44), (Tongue::En, 10)] {
                let drawn = terminal(&shipped.procedure, tongue, width);
                let framed: Vec<&str> =
                    drawn.lines().filter(|l| l.starts_with(['│', '║', '└', '┌', '╔', '╚'])).collect();
                assert!(framed.len() > 2 * shipped.procedure.stages.len());
                for line in framed {
                    let columns = columns_of(line);
                    assert_eq!(columns, width.clamp(30, 100), "{}: {line}", shipped.name);
                }
            }
        }
    }

    #[test]
    fn every_stage_gate_and_way_is_in_the_drawing() {
        for shipped in shipped::all() {
            let p = &shipped.procedure;
            let drawn = svg(p, Tongue::Zh);
            let balanced = |tag: &str| {
                let opened = drawn.matches(&format!("<{tag}")).count();
                opened == drawn.matches(&format!("</{tag}>")).count()
            };
            assert!(balanced("text") && balanced("svg") && balanced("style"), "{}", shipped.name);
            assert!(p.stages.iter().all(|s| drawn.contains(&s.title.zh)));
            let all: usize = p.stages.iter().map(|s| ways(s).count()).sum();
            let arrows = drawn.matches("<path class=").count();
            assert_eq!(arrows, all, "{}", shipped.name);
            let gates: usize = p.stages.iter().map(|s| s.gates.len()).sum();
            assert_eq!(drawn.matches("◇").count(), gates);
            assert!(!drawn.contains("http://") || drawn.matches("http").count() == 1, "nothing from outside");
        }
    }

    #[test]
    fn names_cannot_break_out_of_the_picture() {
        let file = shipped::all()[0].file.replace("zh = \"民情专递\"", "zh = \"<script>&\\\"\"");
        let (p, _) = crate::procedure::read(&file).unwrap();
        let drawn = svg(&p, Tongue::Zh);
        assert!(drawn.contains("&lt;script&gt;&amp;&quot;") && !drawn.contains("<script"));
    }
}
