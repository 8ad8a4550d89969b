//! Identity and telephone numbers that were typed into ordinary text.
//!
//! Resident identity numbers (GB 11643: 18 characters with a checksum that must hold) and mobile numbers
//! (11 digits beginning 13 to 19) are recognised also in full-width digits and with single spaces or
//! dashes between. Longer runs of digits are neither: amounts, account and file numbers stay.

/// What stands in the text where a number was taken out.
pub(super) const MOVED: &str = "〔已转入密封信息〕";

/// Characters that may stand once between two digits of a number.
const SEPARATORS: &[char] = &[' ', '-', '\u{2010}', '\u{2011}', '\u{2013}', '－', '\u{3000}', '\u{a0}'];

/// A digit, or the X that ends some identity numbers.
fn digit(c: char) -> Option<char> {
    match c {
        '0'..='9' | 'X' => Some(c),
        'x' | 'Ｘ' | 'ｘ' => Some('X'),
        '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')),
        _ => None,
    }
}

fn is_identity(number: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
    if number.len() != 18 {
        return false;
    }
    let sum: Option<u32> = WEIGHTS.iter().zip(number.chars()).map(|(w, c)| Some(w * c.to_digit(10)?)).sum();
    // A birthday of this or the last century keeps file numbers that happen to fit the checksum out.
    let century = number.get(6..8).is_some_and(|c| matches!(c, "18" | "19" | "20"));
    let month = number.get(10..12).and_then(|m| m.parse::<u8>().ok()).is_some_and(|m| (1..=12).contains(&m));
    let day = number.get(12..14).and_then(|d| d.parse::<u8>().ok()).is_some_and(|d| (1..=31).contains(&d));
    let check = sum.and_then(|s| CHECKS.get((s % 11) as usize).copied());
    century && month && day && check.is_some() && check == number.chars().last()
}

fn is_mobile(number: &str) -> bool {
    number.len() == 11
        && number.starts_with('1')
        && number.chars().nth(1).is_some_and(|c| ('3'..='9').contains(&c))
        && number.chars().all(|c| c.is_ascii_digit())
}

/// Takes the numbers out of `text` and puts a mark there; returns the rest and what was taken.
pub(super) fn take_numbers(text: &str, mark: &str) -> (String, Vec<String>) {
    let chars: Vec<char> = text.chars().collect();
    let between = |from: usize, to: usize| chars.get(from..to).unwrap_or(&[]);
    let (mut out, mut taken) = (String::with_capacity(text.len()), Vec::new());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let pieces = pieces(&chars, at);
        let Some(last) = pieces.last() else {
            out.push(c);
            at += 1;
            continue;
        };
        let mut first = 0;
        while let Some(piece) = pieces.get(first) {
            out.extend(between(at, piece.start));
            match number_from(&pieces, first) {
                Some((number, next, end)) => {
                    out.push_str(mark);
                    taken.push(number);
                    (first, at) = (next, end);
                }
                None => {
                    out.extend(between(piece.start, piece.end));
                    (first, at) = (first + 1, piece.end);
                }
            }
        }
        at = at.max(last.end);
    }
    (out, taken)
}

/// Whether a text holds such a number.
pub(super) fn has_numbers(text: &str) -> bool {
    !take_numbers(text, "").1.is_empty()
}

/// Digits with nothing between them.
struct Piece {
    start: usize,
    end: usize,
    digits: String,
}

/// The pieces of digits from `at` that have one separator each between them.
fn pieces(chars: &[char], at: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = at;
    loop {
        let mut digits: String = chars.iter().skip(start).map_while(|c| digit(*c)).collect();
        // An X is the last character of an identity number and nothing else.
        if let Some(x) = digits.find('X') {
            digits.truncate(x + 1);
        }
        if digits.is_empty() || digits.starts_with('X') {
            return pieces;
        }
        let end = start + digits.len();
        pieces.push(Piece { start, end, digits });
        match chars.get(end) {
            Some(c) if SEPARATORS.contains(c) => start = end + 1,
            _ => return pieces,
        }
    }
}

/// The number that begins with piece `first`: itself, the piece after it, and where it ends.
fn number_from(pieces: &[Piece], first: usize) -> Option<(String, usize, usize)> {
    // 6-8-4 and +86 3-4-4 are the longest ways people write them.
    (1..=4).rev().find_map(|count| {
        let joined = pieces.get(first..first + count)?;
        let digits: String = joined.iter().map(|p| p.digits.as_str()).collect();
        let bare = digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86")).filter(|b| is_mobile(b));
        let number = (is_identity(&digits) || is_mobile(&digits)).then_some(digits.as_str()).or(bare)?;
        Some((number.to_owned(), first + count, joined.last()?.end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_people_are_taken_out() {
        let cases = [
            ("请回电13812345678，谢谢", "请回电〔已转入密封信息〕，谢谢", vec!["13812345678"]),
            ("电话138-1234-5678", "电话〔已转入密封信息〕", vec!["13812345678"]),
            ("１３８１２３４５６７８", "〔已转入密封信息〕", vec!["13812345678"]),
            ("+8613812345678", "+〔已转入密封信息〕", vec!["13812345678"]),
            ("身份证11010519491231002X。", "身份证〔已转入密封信息〕。", vec!["11010519491231002X"]),
            (
                "11010519491231002x 13812345678",
                "〔已转入密封信息〕 〔已转入密封信息〕",
                vec!["11010519491231002X", "13812345678"],
            ),
            ("找5 13812345678", "找5 〔已转入密封信息〕", vec!["13812345678"]),
            (
                "13812345678 13912345678",
                "〔已转入密封信息〕 〔已转入密封信息〕",
                vec!["13812345678", "13912345678"],
            ),
        ];
        for (text, rest, numbers) in cases {
            assert_eq!(
                take_numbers(text, MOVED),
                (rest.to_owned(), numbers.iter().map(|s| (*s).to_owned()).collect()),
                "{text}"
            );
        }
    }

    #[test]
    fn other_numbers_stay() {
        for text in [
            "",
            "芦稿-2026-0187",
            "预算 120000 元，2026-11-16 前完工",
            "110105194912310021",
            "账号6222021234567890123",
            "12812345678",
            "1381234567",
            "区号 028-83612345",
            "项目编码510113106204",
            "第3组第18户，共28户",
        ] {
            assert_eq!(take_numbers(text, MOVED), (text.to_owned(), Vec::new()), "{text}");
        }
    }
}
