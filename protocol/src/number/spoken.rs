//! Reading numbers as people say, type and copy them.
//!
//! Read from the right, because only the end of a number has a fixed shape: serial, perhaps a block,
//! year; what is left is the place. The canonical text is one of the texts understood, and no text is
//! understood in two ways.

use super::{MatterNumber, NumberError, YEARS, is_block};

/// Full-width forms to plain ones, Latin letters to capitals.
fn plain(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        other => other,
    }
    .to_ascii_uppercase()
}

/// Characters that nobody sees: they come along when text is copied.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

/// What people put between the parts: spaces, every sort of dash, dots, commas.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '_' | '~' | '/' | '.' | ',' | ':' | '#' | '·' | '、' | '。' | 'ー')
        || matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff70}')
}

/// The ASCII digit of a plain or Chinese one.
fn digit(c: char) -> Option<char> {
    Some(match c {
        '0'..='9' => c,
        '〇' | '零' => '0',
        '一' | '幺' => '1',
        '二' => '2',
        '三' => '3',
        '四' => '4',
        '五' => '5',
        '六' => '6',
        '七' => '7',
        '八' => '8',
        '九' => '9',
        _ => return None,
    })
}

/// A place's name as it stands in a number: no separators, nothing invisible, capitals.
pub(crate) fn canonical_prefix(name: &str) -> String {
    name.chars().filter(|c| !is_invisible(*c)).map(plain).filter(|c| !is_separator(*c)).collect()
}

/// The end of a text, taken off piece by piece.
struct Tail(Vec<char>);

impl Tail {
    /// Drops separators and the words of a spoken number; says whether there were any.
    fn drop_between(&mut self, words: &[char]) -> bool {
        let before = self.0.len();
        while self.0.pop_if(|c| is_separator(*c) || words.contains(c)).is_some() {}
        self.0.len() < before
    }

    /// Takes the longest run at the end that `keep` maps to characters.
    fn take(&mut self, keep: impl Fn(char) -> Option<char>) -> String {
        let mut run = Vec::new();
        while let Some(c) = self.0.last().copied().and_then(&keep) {
            self.0.pop();
            run.push(c);
        }
        run.iter().rev().collect()
    }
}

pub(super) fn read(text: &str, own_prefix: Option<&str>) -> Result<MatterNumber, NumberError> {
    let mut tail = Tail(text.chars().filter(|c| !is_invisible(*c)).map(plain).collect());
    tail.drop_between(&['号']);
    let mut serial = tail.take(digit);
    if serial.is_empty() {
        return Err(NumberError::Serial);
    }
    let mut block = None;
    let year;
    if tail.drop_between(&['第', '年']) {
        let mut run = tail.take(|c| digit(c).or_else(|| c.is_ascii_uppercase().then_some(c)));
        let digits = run.bytes().take_while(u8::is_ascii_digit).count();
        if digits < run.len() {
            // 2026B7, or B7 alone with the year before it.
            let letters = run.split_off(digits);
            if !is_block(&letters) {
                return Err(NumberError::Block);
            }
            block = Some(letters);
            if run.is_empty() {
                tail.drop_between(&['年']);
                run = tail.take(digit);
            }
        }
        year = run;
    } else {
        // 芦稿20260187: the first four digits are the year.
        if serial.len() <= 4 {
            return Err(NumberError::Year);
        }
        let rest = serial.split_off(4);
        year = std::mem::replace(&mut serial, rest);
    }
    if year.len() != 4 {
        return Err(NumberError::Year);
    }
    let year = year.parse().ok().filter(|y| YEARS.contains(y)).ok_or(NumberError::Year)?;
    let serial = serial.parse().map_err(|_| NumberError::Serial)?;
    let named: String = tail.0.into_iter().collect();
    let prefix = match (canonical_prefix(&named), own_prefix) {
        (named, Some(own)) if named.is_empty() => own.to_owned(),
        (named, _) => named,
    };
    MatterNumber::checked(&prefix, year, block, serial)
}

pub(super) fn six_digits(text: &str) -> Option<u32> {
    let digits: String = text
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(plain)
        .filter(|c| !is_separator(*c))
        .map(|c| match c {
            'O' => Some('0'),
            'I' | 'L' => Some('1'),
            other => digit(other),
        })
        .collect::<Option<_>>()?;
    if digits.len() == super::CheckCode::DIGITS { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::{CheckCode, block_of, check_code};
    use super::*;
    use crate::ids::Incarnation;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn first() -> Incarnation {
        Incarnation::first(7)
    }

    fn life(count: u16, salt: u16) -> Incarnation {
        Incarnation((u32::from(count) << 16) | u32::from(salt))
    }

    fn issue(prefix: &str, year: i32, life: Incarnation, serial: u32) -> MatterNumber {
        MatterNumber::issue(prefix, year, life, serial).unwrap()
    }

    #[test]
    fn numbers_look_as_promised() {
        assert_eq!(issue("芦稿", 2026, first(), 187).to_string(), "芦稿-2026-0187");
        assert_eq!(issue("芦稿", 2026, first(), 12_345).to_string(), "芦稿-2026-12345");
        assert_eq!(issue("芦稿", 2026, life(2, 25), 1).to_string(), "芦稿-2026-B7-0001");
        assert_eq!(issue(" 芦-稿 ", 2026, first(), 1).prefix(), "芦稿");
        assert_eq!(issue("A区", 2026, first(), 1), issue("ａ区", 2026, first(), 1));
        let fails = |p: &str, y, s| MatterNumber::issue(p, y, first(), s).unwrap_err();
        assert_eq!(fails("- ", 2026, 1), NumberError::Place);
        assert_eq!(fails("芦\u{7}稿", 2026, 1), NumberError::Place);
        assert_eq!(fails(&"稿".repeat(41), 2026, 1), NumberError::Place);
        assert_eq!(fails("芦稿", 26, 1), NumberError::Year);
        assert_eq!(fails("芦稿", 2026, 0), NumberError::Serial);
    }

    #[test]
    fn blocks_count_in_letters_that_nobody_confuses() {
        let block = |count, salt| block_of(life(count, salt)).unwrap();
        assert_eq!(block_of(life(0, 9)), None);
        assert_eq!(
            [block(1, 0), block(20, 0), block(21, 27), block(400, 1), block(421, 0)],
            ["AA", "YA", "AA9", "XYB", "AAAA"].map(String::from)
        );
        assert_eq!(block(u16::MAX, u16::MAX).len(), 5);
        assert!(is_block(&block(u16::MAX, u16::MAX)));
        for bad in ["", "B", "7", "77", "I7", "BO", "B1", "BU7", "B7-", "AAAAA7", "7B"] {
            assert!(!is_block(bad), "{bad}");
        }
    }

    #[test]
    fn what_people_say_is_understood() {
        let plain = issue("芦稿", 2026, first(), 187);
        for text in [
            "芦稿-2026-0187",
            "芦稿-2026-187",
            "芦稿-2026-00187",
            "芦稿 2026 187",
            "  芦 稿 - 2026 - 0187 \n",
            "芦稿－２０２６－０１８７",
            "芦稿—2026—0187",
            "芦稿――2026――0187",
            "芦稿_2026_187",
            "芦稿2026-187",
            "芦稿20260187",
            "芦稿2026187",
            "芦稿2026年187号",
            "芦稿2026年第187号",
            "芦稿，２０２６，１８７。",
            "芦稿 二〇二六 零幺八七",
            "\u{feff}芦稿\u{200b}-2026-\u{200b}0187",
        ] {
            assert_eq!(text.parse(), Ok(plain.clone()), "{text}");
        }
        let block = issue("芦稿", 2026, life(2, 25), 1);
        for text in [
            "芦稿-2026-B7-0001",
            "芦稿 2026 b7 1",
            "芦稿2026b7-1",
            "芦稿－２０２６－ｂ７—１",
            "芦稿2026年B7第1号",
        ] {
            assert_eq!(text.parse(), Ok(block.clone()), "{text}");
        }
        // Names that end like numbers.
        assert_eq!("八一-2026-0001".parse(), Ok(issue("八一", 2026, first(), 1)));
        assert_eq!("幸福小区3-2026-0001".parse(), Ok(issue("幸福小区3", 2026, first(), 1)));
        assert_eq!("510113106204-2026-0001".parse(), Ok(issue("510113106204", 2026, first(), 1)));
        assert_eq!(MatterNumber::read_at("2026-187", "芦稿"), Ok(plain.clone()));
        assert_eq!(MatterNumber::read_at("姚渡-2026-187", "芦稿").unwrap().prefix(), "姚渡");
        assert_eq!(serde_json::to_string(&plain).unwrap(), "\"芦稿-2026-0187\"");
        assert_eq!(serde_json::from_str::<MatterNumber>("\"芦稿 2026 187\"").unwrap(), plain);
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        for (text, why) in [
            ("", NumberError::Serial),
            ("芦稿", NumberError::Serial),
            ("芦稿-2026-", NumberError::Year),
            ("芦稿-187", NumberError::Year),
            ("187", NumberError::Year),
            ("2026-187", NumberError::Place),
            ("芦稿-26-187", NumberError::Year),
            ("芦稿-0026-187", NumberError::Year),
            ("芦稿-2026-0", NumberError::Serial),
            ("芦稿-2026-99999999999", NumberError::Serial),
            ("芦稿-2026-I7-1", NumberError::Block),
            ("芦稿-2026-B-1", NumberError::Block),
            ("八一2026-1", NumberError::Year),
            ("芦稿-2026-B70001", NumberError::Year),
        ] {
            assert_eq!(text.parse::<MatterNumber>(), Err(why), "{text}");
        }
    }

    #[test]
    fn check_codes_are_the_ones_on_printed_slips() {
        // Golden: computed with Python's hmac and hashlib. Printed slips must stay valid for ever.
        let key: [u8; 32] = std::array::from_fn(|i| i as u8);
        let code = |n: &MatterNumber| check_code(&key, n).to_string();
        let number = issue("芦稿", 2026, first(), 187);
        assert_eq!(code(&number), "915479");
        assert_eq!(code(&issue("芦稿", 2026, life(2, 25), 1)), "522153");
        assert_ne!(check_code(&key, &number), check_code(&[0; 32], &number));
    }

    #[test]
    fn check_codes_are_read_as_spoken() {
        let code = CheckCode(40_291);
        for text in ["040291", "040 291", "０４０－２９１", "零四零 二九幺", "O4O29l", " 0 4 0 2 9 1 "]
        {
            assert_eq!(text.parse(), Ok(code), "{text}");
        }
        for text in ["", "40291", "0402911", "04029x", "-040291x", "四十"] {
            assert!(text.parse::<CheckCode>().is_err(), "{text}");
        }
        assert_eq!(code.to_string(), "040291");
        assert!(!format!("{code:?}").contains("402"), "not in logs");
        assert_eq!(serde_json::from_str::<CheckCode>(&serde_json::to_string(&code).unwrap()).unwrap(), code);
    }

    #[test]
    fn check_codes_are_spread_evenly() {
        let counts = (1..=20_000u32).fold([0u32; 10], |mut counts, serial| {
            counts[(check_code(&[3; 32], &issue("芦稿", 2026, first(), serial)).0 / 100_000) as usize] += 1;
            counts
        });
        // 2,000 expected in each tenth, standard deviation 42.
        assert!(counts.iter().all(|c| (1_800..2_200).contains(c)), "{counts:?}");
    }

    proptest! {
        #[test]
        fn every_number_reads_back(
            prefix in "\\PC{1,12}", year in YEARS, count: u16, salt: u16, serial in 1..=u32::MAX
        ) {
            if let Ok(number) = MatterNumber::issue(&prefix, year, life(count, salt), serial) {
                prop_assert_eq!(number.to_string().parse(), Ok(number));
            }
        }

        #[test]
        fn any_text_is_refused_or_reads_as_one_number(text in "\\PC{0,8}[-0-9A-Za-z年第号 ]{0,20}") {
            if let Ok(number) = text.parse::<MatterNumber>() {
                prop_assert_eq!(number.to_string().parse(), Ok(number));
            }
        }

        #[test]
        fn lives_and_serials_never_share_a_number(
            issued in prop::collection::btree_set((any::<u16>(), 1..2_000_000u32), 2..60),
            salts: [u16; 8],
        ) {
            // One salt per life, whatever it is: also the same one again.
            let text = |(count, serial): &(u16, u32)| {
                issue("芦稿", 2026, life(*count, salts[usize::from(*count) % 8]), *serial).to_string()
            };
            prop_assert_eq!(issued.iter().map(text).collect::<BTreeSet<_>>().len(), issued.len());
        }
    }
}
