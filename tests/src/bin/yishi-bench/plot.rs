//! A plot as SVG: lines over a logarithmic axis, both axes from what was measured.

use std::fmt::Write as _;

/// One line of a plot.
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 48.0;
/// Told apart also without colours, by their dashes.
const STYLES: [(&str, &str); 3] = [("#1a5fb4", ""), ("#a51d2d", "6 4"), ("#26a269", "2 3")];

/// Values over counts: x logarithmic, y from zero.
pub(crate) fn svg(title: &str, x_is: &str, y_is: &str, series: &[Series]) -> String {
    let points = || series.iter().flat_map(|s| &s.points);
    let (low, high) = points().fold((f64::INFINITY, 1.0_f64), |(l, h), (x, _)| (l.min(*x), h.max(*x)));
    let (low, high) = (low.max(1.0).log10().floor(), high.log10().ceil());
    let most = points().map(|(_, y)| *y).fold(0.0, f64::max) * 1.15;
    let x_at = |x: f64| LEFT + (x.max(1.0).log10() - low) / (high - low).max(1.0) * (WIDTH - LEFT - RIGHT);
    let y_at = |y: f64| HEIGHT - BOTTOM - y / most.max(f64::MIN_POSITIVE) * (HEIGHT - TOP - BOTTOM);
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" role="img">"##
    ));
    line(format!(r##"<title>{title}</title><rect width="100%" height="100%" fill="#fff"/>"##));
    line(format!(r##"<text x="{LEFT}" y="20" font-size="14">{title}</text>"##));
    let mut power = low;
    while power <= high {
        let x = x_at(10_f64.powf(power));
        let (top, bottom) = (TOP, HEIGHT - BOTTOM);
        line(format!(r##"<path d="M{x:.1} {top}V{bottom}" stroke="#ddd"/>"##));
        let y = bottom + 16.0;
        line(format!(r##"<text x="{x:.1}" y="{y}" text-anchor="middle">10{}</text>"##, raised(power)));
        power += 1.0;
    }
    for part in 0..=4 {
        let value = most * f64::from(part) / 4.0;
        let y = y_at(value);
        line(format!(r##"<path d="M{LEFT} {y:.1}H{}" stroke="#ddd"/>"##, WIDTH - RIGHT));
        line(format!(r##"<text x="{}" y="{:.1}" text-anchor="end">{value:.0}</text>"##, LEFT - 6.0, y + 4.0));
    }
    line(format!(r##"<text x="{}" y="{}" text-anchor="middle">{x_is}</text>"##, WIDTH / 2.0, HEIGHT - 10.0));
    line(format!(r##"<text x="6" y="{}">{y_is}</text>"##, TOP - 6.0));
    for (n, one) in series.iter().enumerate() {
        let (colour, dash) = STYLES.get(n % STYLES.len()).copied().unwrap_or(("#000", ""));
        let mut path = String::new();
        for (at, (x, y)) in one.points.iter().enumerate() {
            let word = if at == 0 { 'M' } else { 'L' };
            // Writing to a string cannot fail.
            let _ = write!(path, "{word}{:.1} {:.1}", x_at(*x), y_at(*y));
        }
        line(format!(
            r##"<path d="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>"##
        ));
        for (x, y) in &one.points {
            line(format!(r##"<circle cx="{:.1}" cy="{:.1}" r="3" fill="{colour}"/>"##, x_at(*x), y_at(*y)));
        }
        let y = HEIGHT - BOTTOM - 10.0 - 18.0 * n as f64;
        line(format!(r##"<text x="{}" y="{y}" fill="{colour}">{}</text>"##, LEFT + 12.0, one.name));
    }
    line("</svg>".to_owned());
    out
}

/// A power of ten's exponent.
fn raised(power: f64) -> String {
    format!(r##"<tspan dy="-5" font-size="9">{power:.0}</tspan>"##)
}
