//! The index of what matters say, and those that share words with a text.
//!
//! SQLite's own full-text index (FTS5) holds the words that [`crate::likeness`] makes of a text; the tokenizer
//! only cuts at spaces. It keeps no text of its own (`content=''`), no places within a text (`detail=none`): a
//! matter costs it about two bytes per word. Its lists are weighed here and not by `bm25()`, which has nothing
//! to weigh without places. It is written with the matter's row, only when the words changed.
//!
//! A word that stands in every tenth matter costs a long list and tells little. How common words are is known
//! from every thirty-second matter (`common_grams`): counting all of them would write a hundred pages for each
//! matter raised. The rarest words of a question are looked up until their lists are as long as [`LISTED_MAX`].

use super::{
    Store,
    columns::{insert_rows, json_ints, unsigned},
    error::StoreError,
    matters::{MATTER_COLUMNS, MatterRow, matter_row},
    writer::Tx,
};
use crate::likeness::{READ_CHARS_MAX, Terms, Weights};
use sqlx::Row;
use std::collections::{BTreeMap, HashMap};
use yishi_protocol::ids::DocId;

/// Entries of the index one question may read: some ten milliseconds' worth.
const LISTED_MAX: u64 = 40_000;
/// Words of one question; the rarest are taken.
const ASKED_MAX: usize = 200;
/// A word is looked up, however common, when there are no more than so many rarer ones.
const RARE_MIN: usize = 2;
/// Matters handed on, to be compared as texts.
const FOUND_MAX: usize = 120;
/// One of so many matters is counted.
const COUNTED_ONE_IN: u64 = 32;

/// A matter that shares words with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharingMatter {
    /// The matter.
    pub row: MatterRow,
    /// Its title and text, cut off at [`READ_CHARS_MAX`].
    pub text: String,
}

/// The text of a matter as it is compared.
pub(crate) fn compared(title: &str, body: &str) -> String {
    let whole = if body.starts_with(title) { body.to_owned() } else { format!("{title}\n{body}") };
    whole.chars().take(READ_CHARS_MAX).collect()
}

/// Whether the matter is one of those that are counted: an id is a hash, so every id is as likely.
fn is_counted(doc: &DocId) -> bool {
    doc.0.last().is_some_and(|byte| u64::from(*byte) % COUNTED_ONE_IN == 0)
}

impl Tx {
    /// Keeps what matters say: row, id, title, text.
    pub(super) async fn index_texts(
        &mut self,
        texts: Vec<(i64, DocId, String, String)>,
    ) -> Result<(), StoreError> {
        if texts.is_empty() {
            return Ok(());
        }
        let sql = "SELECT doc, text FROM matter_texts WHERE doc IN (SELECT value FROM json_each(?1))";
        let rows =
            sqlx::query(sql).bind(json_ints(texts.iter().map(|t| t.0))).fetch_all(&mut self.conn).await?;
        let mut kept: BTreeMap<i64, String> = BTreeMap::new();
        for row in &rows {
            kept.insert(row.try_get(0)?, row.try_get(1)?);
        }
        let (mut changed, mut indexed, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for (row, doc, title, body) in texts {
            let text = compared(&title, &body);
            match kept.get(&row) {
                Some(before) if *before == text => continue,
                Some(_) => gone.push(row),
                None => {}
            }
            let mut words = String::new();
            for word in Terms::of(&text).indexed() {
                words.push_str(&word);
                words.push(' ');
                if is_counted(&doc) {
                    *counts.entry(word).or_default() += 1;
                }
            }
            indexed.push((row, words));
            changed.push((row, text));
        }
        for row in gone {
            let sql = "DELETE FROM similar_grams WHERE rowid = ?1";
            sqlx::query(sql).bind(row).execute(&mut self.conn).await?;
        }
        let head = "INSERT OR REPLACE INTO matter_texts (doc, text)";
        insert_rows(&mut self.conn, head, 2, "", changed, |q, (row, text)| q.bind(row).bind(text)).await?;
        let head = "INSERT INTO similar_grams (rowid, grams)";
        insert_rows(&mut self.conn, head, 2, "", indexed, |q, (row, words)| q.bind(row).bind(words)).await?;
        let (head, tail) = (
            "INSERT INTO common_grams (gram, times)",
            " ON CONFLICT DO UPDATE SET times = times + excluded.times",
        );
        let counts = counts.into_iter().collect();
        insert_rows(&mut self.conn, head, 2, tail, counts, |q, (gram, n)| q.bind(gram).bind(n)).await
    }
}

/// Throws the index away: it goes with the other read models.
pub(super) const CLEAR_SIMILAR: [&str; 3] = [
    "INSERT INTO similar_grams (similar_grams) VALUES ('delete-all')",
    "DELETE FROM matter_texts",
    "DELETE FROM common_grams",
];

impl Store {
    /// The matters that share most with a text, and how much each word tells. At most [`FOUND_MAX`], in no
    /// order that matters: whoever asks compares the texts.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn sharing(&self, asked: &Terms) -> Result<(Vec<SharingMatter>, Weights), StoreError> {
        let row = sqlx::query("SELECT count(*) FROM matters").fetch_one(self.readers()).await?;
        let matters = unsigned(&row, 0)?;
        let (words, mut known) = self.rarest(asked).await?;
        let sql =
            "SELECT j.key, (SELECT group_concat(s.rowid) FROM similar_grams s WHERE s.similar_grams MATCH j.value)
                   FROM json_each(?1) j";
        let quoted: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
        let rows = sqlx::query(sql).bind(json_texts(&quoted)?).fetch_all(self.readers()).await?;
        let mut lists = Vec::new();
        for row in &rows {
            let at = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
            let list: Vec<i64> = row
                .try_get::<Option<&str>, _>(1)?
                .map(|list| list.split(',').filter_map(|n| n.parse().ok()).collect())
                .unwrap_or_default();
            if let Some(word) = words.get(at) {
                known.insert(word.clone(), list.len() as u64);
            }
            lists.push((at, list));
        }
        let weights = Weights::new(matters, known);
        let mut sums: HashMap<i64, f64> = HashMap::new();
        for (at, list) in lists {
            let weight = words.get(at).map_or(0.0, |word| weights.adds(word, list.len() as u64));
            for row in list {
                *sums.entry(row).or_default() += weight;
            }
        }
        let mut best: Vec<(i64, f64)> = sums.into_iter().collect();
        best.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
        best.truncate(FOUND_MAX);
        let rows = json_ints(best.into_iter().map(|(row, _)| row));
        let texts = "SELECT doc, text FROM matter_texts WHERE doc IN (SELECT value FROM json_each(?1))";
        let mut said: HashMap<i64, String> = HashMap::new();
        for row in sqlx::query(texts).bind(&rows).fetch_all(self.readers()).await? {
            said.insert(row.try_get(0)?, row.try_get(1)?);
        }
        let sql = format!("{MATTER_COLUMNS} WHERE m.doc IN (SELECT value FROM json_each(?1))");
        let found = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&rows).fetch_all(self.readers()).await?;
        let mut out = Vec::new();
        for row in &found {
            let text = said.remove(&row.try_get::<i64, _>(23)?).unwrap_or_default();
            out.push(SharingMatter { row: matter_row(row)?, text });
        }
        Ok((out, weights))
    }

    /// The words of a question to look up, the rarest first, as far as their lists are short enough; and in
    /// how many matters the common ones are thought to stand.
    async fn rarest(&self, asked: &Terms) -> Result<(Vec<String>, BTreeMap<String, u64>), StoreError> {
        let mut words: Vec<String> = asked.indexed().collect();
        let sql = "SELECT gram, times FROM common_grams WHERE gram IN (SELECT value FROM json_each(?1))";
        let mut about: BTreeMap<String, u64> = BTreeMap::new();
        for row in sqlx::query(sql).bind(json_texts(&words)?).fetch_all(self.readers()).await? {
            about.insert(row.try_get(0)?, unsigned(&row, 1)? * COUNTED_ONE_IN);
        }
        let length = |word: &String| about.get(word).copied().unwrap_or(0);
        words.sort_by_cached_key(length);
        words.truncate(ASKED_MAX);
        let (mut listed, mut taken) = (0, 0);
        words.retain(|word| {
            listed += length(word).max(1);
            taken += 1;
            listed <= LISTED_MAX || taken <= RARE_MIN
        });
        Ok((words, about))
    }
}

fn json_texts(texts: &[String]) -> Result<String, StoreError> {
    serde_json::to_string(texts).map_err(|e| StoreError::Damaged(format!("words cannot be listed: {e}")))
}
