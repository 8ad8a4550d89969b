//! How alike two texts of villagers are: pure, offline, without any learnt model.
//!
//! Chinese has no spaces, so a text is taken apart into pairs of neighbouring characters within runs of
//! Chinese, and into whole words of Latin letters and digits. Villagers say one thing in many words
//! (涵洞积水, 村口下雨过不去水); a list of such words (`assets/alike.txt`) gives each its *meaning*, and a shared
//! meaning counts like a shared pair. Words that stand in every matter (反映, 希望) tell nothing and are left
//! out; 三社, 3组 and 三队 are one group.
//!
//! ```text
//! text ──▶ Terms { runs, grams, meanings, groups } ──▶ words for the index (`store::similar`)
//!                          └──▶ Weights::compare: how alike, and which words both have
//! ```
//!
//! Only what both texts say is ever given as the reason: a suggestion that cannot be explained is none.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

const LIST: &str = include_str!("../assets/alike.txt");

/// Characters of a text that are looked at: what a matter is about stands in its first page, and a longer one
/// must not take the others' time.
pub const READ_CHARS_MAX: usize = 1_000;
/// Meanings stand in the index as one character each, of those Unicode leaves to private use: no text that
/// was typed can be taken for one, since only letters and digits of a text are looked at.
const FIRST_MEANING: u32 = 0xE000;
const LAST_MEANING: u32 = 0xF8FF;
/// Shared words that are told; more are no better reason.
const TOLD_MAX: usize = 5;
/// A shared meaning says more than one shared pair of characters, which is a part of a word; and short texts
/// in other words often share no pair at all, but the one character the matter is about (蜂, 坟, 猪). Measured
/// on the pairs of `tests/similar.rs`.
const MEANING_WEIGHT: f64 = 2.5;
const GRAM_WEIGHT: f64 = 0.5;
const SINGLE_WEIGHT: f64 = 1.0;
/// Two texts that name different groups of one village are about different places in it.
const OTHER_GROUP: f64 = 0.75;

/// A word of the list.
struct Word {
    chars: Vec<char>,
    text: &'static str,
    /// None if it tells nothing.
    meanings: Vec<u16>,
}

/// Words by their first character, the longest first: at most places of a text no word begins, and that is known
/// at once (measured: putting every possible word together first took most of what indexing a matter costs).
#[derive(Default)]
struct ByFirst(BTreeMap<char, Vec<Word>>);

impl ByFirst {
    fn word(&mut self, text: &'static str) -> Option<&mut Word> {
        let chars: Vec<char> = text.chars().collect();
        let of = self.0.entry(*chars.first()?).or_default();
        if of.iter().all(|w| w.text != text) {
            let at = of.partition_point(|w| w.chars.len() >= chars.len());
            of.insert(at, Word { chars, text, meanings: Vec::new() });
        }
        of.iter_mut().find(|w| w.text == text)
    }

    /// The longest word with which this begins.
    fn longest_at(&self, rest: &[char]) -> Option<&Word> {
        self.0.get(rest.first()?)?.iter().find(|word| rest.starts_with(&word.chars))
    }
}

struct List {
    meaning: ByFirst,
    empty: ByFirst,
}

static WORDS: LazyLock<List> = LazyLock::new(|| {
    let mut list = List { meaning: ByFirst::default(), empty: ByFirst::default() };
    let mut number = 0;
    for line in LIST.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
        let (empty, words) = line.strip_prefix('!').map_or((false, line), |words| (true, words));
        for text in words.split_whitespace() {
            if empty {
                list.empty.word(text);
            } else if let Some(word) = list.meaning.word(text)
                && !word.meanings.contains(&number)
            {
                word.meanings.push(number);
            }
        }
        number += u16::from(!empty);
    }
    list
});

/// A text taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Chinese between words that tell nothing, in order; and words of Latin letters or digits.
    runs: Vec<String>,
    /// Pairs of characters, and whole words.
    grams: BTreeSet<String>,
    /// Single characters of Chinese.
    singles: BTreeSet<char>,
    /// Meanings, each with the words that were written for it.
    meanings: BTreeMap<u16, BTreeSet<&'static str>>,
    /// Groups of a village it names: `3组`.
    groups: BTreeSet<String>,
}

/// How alike two texts are, and why.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Likeness {
    /// 0 to 1.
    pub score: f64,
    /// Words both have, those that tell most first.
    pub shared: Vec<String>,
    /// Two ways of saying the same: the one asked for, then the other's.
    pub other_words: Vec<(String, String)>,
}

fn is_chinese(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{20000}'..='\u{3134F}' | '〇')
}

/// Letters small, full-width forms as the usual ones.
fn plain(c: char) -> char {
    let narrow = match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    };
    narrow.to_ascii_lowercase()
}

/// 十二 as 12; up to 99, which is as many groups as a village has.
fn number_of(digits: &[char]) -> Option<u32> {
    let digit = |c: &char| "零一二三四五六七八九".chars().zip(0..).find(|(d, _)| d == c).map(|(_, n)| n);
    match digits {
        ['十'] => Some(10),
        [one] => digit(one),
        ['十', ones] => Some(10 + digit(ones)?),
        [tens, '十'] => Some(10 * digit(tens)?),
        [tens, '十', ones] => Some(10 * digit(tens)? + digit(ones)?),
        _ => None,
    }
}

impl Terms {
    /// Takes a text apart.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().take(READ_CHARS_MAX).map(plain).collect();
        let mut terms = Self::default();
        let mut run = String::new();
        let mut at = 0;
        terms.read_meanings(&chars);
        while let Some(rest) = chars.get(at..).filter(|rest| !rest.is_empty()) {
            let step = if let Some((group, length)) = group_at(rest) {
                terms.end_run(&mut run);
                terms.grams.insert(group.clone());
                terms.groups.insert(group);
                length
            } else if let Some(length) = empty_at(rest) {
                terms.end_run(&mut run);
                length
            } else if let Some(c) = rest.first().copied().filter(|c| is_chinese(*c)) {
                run.push(c);
                1
            } else {
                terms.end_run(&mut run);
                let word: String = rest.iter().take_while(|c| c.is_ascii_alphanumeric()).collect();
                let length = word.len().max(1);
                if !word.is_empty() {
                    terms.grams.insert(word.clone());
                    terms.runs.push(word);
                }
                length
            };
            at += step;
        }
        terms.end_run(&mut run);
        terms
    }

    fn end_run(&mut self, run: &mut String) {
        if run.is_empty() {
            return;
        }
        let chars: Vec<char> = run.chars().collect();
        self.singles.extend(&chars);
        self.grams.extend(chars.windows(2).map(|pair| pair.iter().collect::<String>()));
        self.runs.push(std::mem::take(run));
    }

    /// The longest words of the list, wherever they stand.
    fn read_meanings(&mut self, chars: &[char]) {
        let mut at = 0;
        while let Some(rest) = chars.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(word) = WORDS.meaning.longest_at(rest) else {
                at += 1;
                continue;
            };
            for meaning in &word.meanings {
                self.meanings.entry(*meaning).or_default().insert(word.text);
            }
            at += word.chars.len();
        }
    }

    /// Whether there is nothing to compare.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.grams.is_empty() && self.meanings.is_empty() && self.singles.is_empty()
    }

    /// What the index has of it: pairs, words, single characters, and meanings as one character each.
    pub fn indexed(&self) -> impl Iterator<Item = String> + '_ {
        let singles = self.singles.iter().map(|c| String::from(*c));
        self.grams.iter().cloned().chain(singles).chain(self.meanings.keys().map(|m| meaning_word(*m)))
    }
}

fn is_meaning(c: char) -> bool {
    (FIRST_MEANING..=LAST_MEANING).contains(&u32::from(c))
}

fn meaning_word(meaning: u16) -> String {
    char::from_u32(FIRST_MEANING + u32::from(meaning)).map(String::from).unwrap_or_default()
}

/// `3组`, `三社`, `十二队` as `3组`, with how many characters it took.
fn group_at(rest: &[char]) -> Option<(String, usize)> {
    let counted = |c: &char| c.is_ascii_digit() || "零一二三四五六七八九十".contains(*c);
    let digits = rest.iter().take_while(|c| counted(c)).count();
    let number = rest.get(..digits)?;
    rest.get(digits).filter(|c| "组社队".contains(**c))?;
    let number = match number.iter().all(char::is_ascii_digit) {
        true => number.iter().collect::<String>().parse().ok()?,
        false => number_of(number)?,
    };
    Some((format!("{number}组"), digits + 1))
}

/// How long the word is that tells nothing and stands here.
fn empty_at(rest: &[char]) -> Option<usize> {
    WORDS.empty.longest_at(rest).map(|word| word.chars.len())
}

/// How much a word tells: the rarer among the matters here, the more.
#[derive(Debug, Clone)]
pub struct Weights {
    matters: f64,
    /// In how many matters a word of the index stands.
    known: BTreeMap<String, u64>,
    /// What a word is taken for that was not looked up.
    usual: f64,
}

impl Weights {
    /// From the number of matters and in how many of them each word stands.
    #[must_use]
    pub fn new(matters: u64, known: BTreeMap<String, u64>) -> Self {
        let mut weights = Self { matters: matters as f64, known, usual: 1.0 };
        if !weights.known.is_empty() {
            let sum: f64 = weights.known.values().map(|n| weights.rarity(*n)).sum();
            weights.usual = sum / weights.known.len() as f64;
        }
        weights
    }

    /// BM25's weight of a word that stands in `n` matters; never nothing.
    #[must_use]
    pub fn rarity(&self, n: u64) -> f64 {
        let n = n as f64;
        (((self.matters - n).max(0.0) + 0.5) / (n + 0.5)).ln_1p()
    }

    /// How much a word of the index adds that both have, standing in `n` matters: as in [`Weights::compare`].
    #[must_use]
    pub fn adds(&self, word: &str, n: u64) -> f64 {
        let mut chars = word.chars();
        let class = match (chars.next(), chars.next()) {
            (Some(c), None) if is_meaning(c) => MEANING_WEIGHT,
            (Some(c), None) if is_chinese(c) => SINGLE_WEIGHT,
            _ => GRAM_WEIGHT,
        };
        class * self.rarity(n)
    }

    fn of(&self, word: &str) -> f64 {
        self.known.get(word).map_or(self.usual, |n| self.rarity(*n))
    }

    fn of_gram(&self, gram: &str) -> f64 {
        GRAM_WEIGHT * self.of(gram)
    }

    fn of_single(&self, single: char) -> f64 {
        SINGLE_WEIGHT * self.of(single.encode_utf8(&mut [0; 4]))
    }

    fn of_meaning(&self, meaning: u16) -> f64 {
        MEANING_WEIGHT * self.of(&meaning_word(meaning))
    }

    fn whole(&self, terms: &Terms) -> f64 {
        let grams: f64 = terms.grams.iter().map(|g| self.of_gram(g)).sum();
        let meanings: f64 = terms.meanings.keys().map(|m| self.of_meaning(*m)).sum();
        grams + meanings + terms.singles.iter().map(|c| self.of_single(*c)).sum::<f64>()
    }

    /// How alike `other` is to what was `asked`.
    #[must_use]
    pub fn compare(&self, asked: &Terms, other: &Terms) -> Likeness {
        let pieces = self.shared(asked, other);
        let meant: Vec<u16> =
            asked.meanings.keys().filter(|m| other.meanings.contains_key(*m)).copied().collect();
        let meanings: f64 = meant.iter().map(|m| self.of_meaning(*m)).sum();
        let told: BTreeSet<char> = pieces.iter().flat_map(|p| p.word.chars()).collect();
        let alone = asked.singles.intersection(&other.singles).filter(|c| !told.contains(c));
        let singles: f64 = alone.map(|c| self.of_single(*c)).sum();
        let said = pieces.iter().map(Piece::says).sum::<f64>() + meanings + singles;
        let size = (self.whole(asked) * self.whole(other)).sqrt();
        let mut score = if size > 0.0 { said / size } else { 0.0 };
        if !asked.groups.is_empty() && !other.groups.is_empty() && asked.groups.is_disjoint(&other.groups) {
            score *= OTHER_GROUP;
        }
        let mut other_words = Vec::new();
        for meaning in &meant {
            let (Some(mine), Some(theirs)) = (asked.meanings.get(meaning), other.meanings.get(meaning))
            else {
                continue;
            };
            let (Some(mine), Some(there)) =
                (mine.first().filter(|_| mine.is_disjoint(theirs)), theirs.first())
            else {
                continue;
            };
            let pair = ((*mine).to_owned(), (*there).to_owned());
            if other_words.len() < TOLD_MAX && !other_words.contains(&pair) {
                other_words.push(pair);
            }
        }
        let shared = pieces.into_iter().map(|piece| piece.word).take(TOLD_MAX).collect();
        Likeness { score: score.clamp(0.0, 1.0), shared, other_words }
    }

    /// The longest pieces of what was asked that the other has too, those that tell most first.
    fn shared(&self, asked: &Terms, other: &Terms) -> Vec<Piece> {
        let mut found: BTreeMap<String, Piece> = BTreeMap::new();
        let mut counted = (BTreeSet::new(), BTreeSet::new());
        let mut add = |piece: Piece| {
            let there = found.entry(piece.word.clone()).or_default();
            // The same piece twice in a text says no more than once: its parts were counted the first time.
            if there.weight < piece.weight {
                *there = piece;
            }
        };
        for group in asked.groups.intersection(&other.groups) {
            add(Piece { word: group.clone(), weight: self.of_gram(group), parts: 1.0 });
        }
        for run in &asked.runs {
            if !run.chars().all(is_chinese) {
                if other.grams.contains(run) {
                    add(Piece { word: run.clone(), weight: self.of_gram(run), parts: 1.0 });
                }
                continue;
            }
            let chars: Vec<char> = run.chars().collect();
            let mut piece = Piece::default();
            for pair in chars.windows(2) {
                let gram: String = pair.iter().collect();
                if !other.grams.contains(&gram) {
                    if !piece.word.is_empty() {
                        add(std::mem::take(&mut piece));
                    }
                    continue;
                }
                piece.word.extend(pair.iter().skip(usize::from(!piece.word.is_empty())));
                if counted.0.insert(gram.clone()) {
                    piece.take(self.of_gram(&gram));
                }
                for c in pair.iter().filter(|c| counted.1.insert(**c)) {
                    piece.take(self.of_single(*c));
                }
            }
            if !piece.word.is_empty() {
                add(piece);
            }
        }
        let mut pieces: Vec<Piece> = found.into_values().collect();
        pieces.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.word.cmp(&b.word)));
        pieces
    }
}

/// A piece of text that two matters share.
#[derive(Debug, Default)]
struct Piece {
    word: String,
    /// The sum over its pairs and characters.
    weight: f64,
    /// How many those are.
    parts: f64,
}

impl Piece {
    fn take(&mut self, weight: f64) {
        self.weight += weight;
        self.parts += 1.0;
    }

    /// What it says. A long piece is mostly one name, often of a spot (王家院子村口) that many matters are at:
    /// it says less than several words apart. Without the root, a near-miss at the same spot stands before
    /// the same matter twice as often (`tests/similar.rs`).
    fn says(&self) -> f64 {
        if self.parts > 0.0 { self.weight / self.parts.sqrt() } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(a: &str, b: &str) -> Likeness {
        Weights::new(1, BTreeMap::new()).compare(&Terms::of(a), &Terms::of(b))
    }

    #[test]
    fn groups_are_read_however_they_are_written() {
        for text in ["3组路灯", "三社的路灯", "３队路灯", "三组路灯"] {
            assert!(Terms::of(text).groups.contains("3组"), "{text}");
        }
        assert!(Terms::of("二十一社").groups.contains("21组"));
        assert!(Terms::of("组长说").groups.is_empty());
    }

    #[test]
    fn the_reason_is_what_both_say() {
        let like = compare("村口涵洞下雨就积水", "涵洞积水过不了人");
        assert_eq!(like.shared, ["涵洞", "积水"]);
        let like = compare("下雨排不走水", "一下雨就积水");
        assert_eq!(like.other_words, [("排不走水".to_owned(), "积水".to_owned())]);
        assert_eq!(like.shared, ["下雨"]);
    }

    #[test]
    fn words_of_every_matter_and_nothing_are_not_alike() {
        let like = compare("村民反映希望尽快解决", "村民反映希望及时处理");
        assert!(like.score == 0.0 && like.shared.is_empty(), "{like:?}");
        assert!(Terms::of("").is_empty() && Terms::of("，。！\u{E001}").is_empty());
        assert_eq!(compare("", "路灯").score, 0.0);
    }

    #[test]
    fn another_group_is_less_alike() {
        let near = compare("3组路灯坏了", "三社路灯坏了").score;
        let far = compare("3组路灯坏了", "8组路灯坏了").score;
        assert!(near > far, "{near} {far}");
    }

    #[test]
    fn every_meaning_has_its_own_character_of_private_use() {
        let words = WORDS.meaning.0.values().flatten();
        let meanings = words.flat_map(|w| &w.meanings).max().copied().unwrap();
        assert!(meanings > 90 && FIRST_MEANING + u32::from(meanings) <= LAST_MEANING);
        let words: BTreeSet<String> = (0..=meanings).map(meaning_word).collect();
        assert_eq!(words.len(), usize::from(meanings) + 1);
    }
}
