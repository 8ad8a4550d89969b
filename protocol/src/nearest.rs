//! The known word that somebody probably meant: fewest letters to change, and few enough to be a slip.

/// Longer words are nobody's slip and are not compared.
const CHARS_MAX: usize = 64;

/// The nearest of the known words; `None` if none is near. The first of two equally near.
#[must_use]
pub fn nearest<'a>(said: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let said: Vec<char> = said.to_lowercase().chars().take(CHARS_MAX + 1).collect();
    let near = known.into_iter().filter_map(|word| {
        let letters: Vec<char> = word.to_lowercase().chars().collect();
        let longest = said.len().max(letters.len());
        if longest > CHARS_MAX {
            return None;
        }
        let changes = changes(&said, &letters);
        // One letter in three, and at least one kept.
        (changes <= (longest / 3).max(1) && changes < longest).then_some((changes, word))
    });
    near.min_by_key(|(changes, _)| *changes).map(|(_, word)| word)
}

/// How many letters are put in, left out or changed from one to the other (Levenshtein).
fn changes(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (pair, y) in row.windows(2).zip(b) {
            let [diagonal, above] = pair else { continue };
            left = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_another_word_finds_none() {
        let known = ["people", "units", "bodies", "collectors", "登记事项总数"];
        for (said, word) in [
            ("peple", Some("people")),
            ("Unit", Some("units")),
            ("colectors", Some("collectors")),
            ("登记事项数", Some("登记事项总数")),
            ("units", Some("units")),
            ("budget", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(said, known), word, "{said}");
        }
        assert_eq!(nearest(&"x".repeat(10_000), known), None);
    }

    #[test]
    fn changes_are_counted() {
        let count =
            |a: &str, b: &str| changes(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!((count("", "abc"), count("abc", ""), count("kitten", "sitting")), (3, 3, 3));
    }
}
