//! A QR code as one path of an SVG drawing: no image is loaded and no colour but ink is used.

use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// The quiet edge the standard asks for, in modules.
const EDGE: usize = 4;

/// What a template draws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Square {
    /// Modules on one side, the quiet edge included.
    pub(super) side: usize,
    /// The dark ones, as the `d` of a path.
    pub(super) path: String,
}

/// The code of a text; `None` if it is too long for one.
pub(super) fn square(text: &str) -> Option<Square> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (row, colours) in code.to_colors().chunks(width).enumerate() {
        let mut at = 0;
        while let Some(found) = colours.iter().skip(at).position(|c| *c == Color::Dark) {
            let from = at + found;
            let run = colours.iter().skip(from).take_while(|c| **c == Color::Dark).count();
            // Writing into a String cannot fail.
            let _ = write!(path, "M{} {}h{run}v1h-{run}z", from + EDGE, row + EDGE);
            at = from + run;
        }
    }
    Some(Square { side: width + 2 * EDGE, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawing_has_the_codes_modules() {
        let text = "http://10.0.0.2/q?n=芦稿-2026-0001&c=123456";
        let drawn = square(text).unwrap();
        let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).unwrap();
        assert_eq!(drawn.side, code.width() + 8);
        let dark: usize = drawn
            .path
            .split('h')
            .skip(1)
            .step_by(2)
            .map(|run| run.split('v').next().unwrap().parse::<usize>().unwrap())
            .sum();
        assert_eq!(dark, code.to_colors().iter().filter(|c| **c == Color::Dark).count());
        assert!(square(&"长".repeat(3_000)).is_none());
    }
}
