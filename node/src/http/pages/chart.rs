//! Curves by week, drawn here as SVG: no script, no colour of its own. Classes name what a line is; the stylesheet
//! says how it looks on paper, in the dark and in print, and every line has its own mark as well as its colour.

use std::fmt::Write as _;

const WIDTH: usize = 640;
const HEIGHT: usize = 240;
const LEFT: usize = 44;
const RIGHT: usize = 12;
const TOP: usize = 14;
const BOTTOM: usize = 34;
/// Lines across, the axis left out.
const STEPS: u64 = 4;
/// Weeks between two dates written below.
const TICK_EVERY: usize = 2;

/// One line.
pub(super) struct Line {
    /// Its class, which also chooses the mark: `raised`, `answered`, `refused`, `late`.
    pub(super) class: &'static str,
    /// A figure for each week.
    pub(super) points: Vec<u64>,
}

/// What is drawn.
pub(super) struct Curves<'a> {
    pub(super) title: &'a str,
    /// The figures in words, for whoever does not see the drawing.
    pub(super) about: &'a str,
    /// What stands below each week.
    pub(super) weeks: &'a [String],
    /// Whether of each week everybody was heard from; the others are hatched.
    pub(super) whole: &'a [bool],
    pub(super) lines: &'a [Line],
}

/// The least round number that is not below the largest figure, in as many even steps as there are lines across.
fn ceiling(largest: u64) -> u64 {
    let mut step = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            let top = step.saturating_mul(factor).saturating_mul(STEPS);
            if top >= largest || top == u64::MAX {
                return top;
            }
        }
        step = step.saturating_mul(10);
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}

/// The mark of a line at a place: a disc, a square, a diamond, a triangle.
pub(super) fn mark(class: &str, x: usize, y: usize) -> String {
    let (l, r, t, b) = (x.saturating_sub(5), x + 5, y.saturating_sub(5), y + 5);
    match class {
        "raised" => format!("<circle class=\"mark {class}\" cx=\"{x}\" cy=\"{y}\" r=\"4\"/>"),
        "answered" => format!(
            "<rect class=\"mark {class}\" x=\"{}\" y=\"{}\" width=\"8\" height=\"8\"/>",
            x.saturating_sub(4),
            y.saturating_sub(4)
        ),
        "refused" => format!("<path class=\"mark {class}\" d=\"M{x} {t}L{r} {y}L{x} {b}L{l} {y}Z\"/>"),
        _ => format!("<path class=\"mark {class}\" d=\"M{x} {t}L{r} {b}L{l} {b}Z\"/>"),
    }
}

/// A line's mark by itself, for the key.
pub(super) fn key(class: &str) -> String {
    format!(
        "<svg class=\"chart-key\" viewBox=\"0 0 28 14\" width=\"28\" height=\"14\" aria-hidden=\"true\">\
         <path class=\"line {class}\" d=\"M0 7H28\"/>{}</svg>",
        mark(class, 14, 7)
    )
}

/// The drawing.
pub(super) fn curves(what: &Curves<'_>) -> String {
    let top = ceiling(what.lines.iter().flat_map(|l| &l.points).copied().max().unwrap_or(0));
    let (inner_w, inner_h) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    let weeks = what.weeks.len().max(1);
    let x = |n: usize| LEFT + (inner_w * (2 * n + 1)) / (2 * weeks);
    let y = |value: u64| {
        let share = (u128::from(value.min(top)) * inner_h as u128) / u128::from(top.max(1));
        TOP + inner_h - usize::try_from(share).unwrap_or(inner_h)
    };
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"chart-title chart-about\">\
         <title id=\"chart-title\">{}</title><desc id=\"chart-about\">{}</desc>\
         <defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <path class=\"hatch\" d=\"M0 0V6\"/></pattern></defs>",
        escaped(what.title),
        escaped(what.about)
    );
    for (n, _) in what.whole.iter().enumerate().filter(|(_, whole)| !**whole) {
        let (from, to) = (LEFT + inner_w * n / weeks, LEFT + inner_w * (n + 1) / weeks);
        let _ = write!(
            svg,
            "<rect x=\"{from}\" y=\"{TOP}\" width=\"{}\" height=\"{inner_h}\" fill=\"url(#hatch)\"/>",
            to - from
        );
    }
    for step in 0..=STEPS {
        let value = top / STEPS * step;
        let _ = write!(
            svg,
            "<path class=\"{}\" d=\"M{LEFT} {at}H{}\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{value}</text>",
            if step == 0 { "axis" } else { "grid" },
            WIDTH - RIGHT,
            LEFT - 8,
            y(value) + 5,
            at = y(value),
        );
    }
    for (n, week) in what.weeks.iter().enumerate() {
        // Counted from the newest, which always has its date.
        let labelled = (what.weeks.len() - 1 - n).is_multiple_of(TICK_EVERY);
        let _ = write!(svg, "<path class=\"axis\" d=\"M{} {}v5\"/>", x(n), TOP + inner_h);
        if labelled {
            let _ = write!(
                svg,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                x(n),
                HEIGHT - 10,
                escaped(week)
            );
        }
    }
    for line in what.lines {
        let mut path = String::new();
        for (n, value) in line.points.iter().enumerate() {
            let _ = write!(path, "{}{} {}", if n == 0 { "M" } else { "L" }, x(n), y(*value));
        }
        let _ = write!(svg, "<path class=\"line {}\" d=\"{path}\"/>", line.class);
        for (n, value) in line.points.iter().enumerate() {
            svg.push_str(&mark(line.class, x(n), y(*value)));
        }
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_in_round_numbers() {
        for (largest, top) in [(0, 4), (4, 4), (5, 8), (9, 20), (21, 40), (41, 80), (81, 200), (2_001, 4_000)]
        {
            assert_eq!(ceiling(largest), top, "{largest}");
        }
    }

    #[test]
    fn a_drawing_has_all_marks_inside_and_no_words_as_they_came() {
        let lines =
            [Line { class: "raised", points: vec![0, 7, 3] }, Line { class: "late", points: vec![9, 0, 0] }];
        let weeks: Vec<String> = ["<1>", "2", "3"].map(str::to_owned).into();
        let drawn = curves(&Curves {
            title: "a & b",
            about: "<script>",
            weeks: &weeks,
            whole: &[true, false, true],
            lines: &lines,
        });
        assert_eq!(drawn.matches("class=\"mark raised\"").count(), 3);
        assert_eq!(drawn.matches("class=\"mark late\"").count(), 3);
        assert_eq!(drawn.matches("url(#hatch)").count(), 1);
        assert!(drawn.contains("a &amp; b") && !drawn.contains("<script>") && drawn.contains("&lt;1&gt;"));
        assert!(!drawn.contains("style="), "the content policy lets no style through");
    }
}
