//! What is derived from documents for people: matters, outcomes and the stubs of matters elsewhere.
//!
//! These rows are written only by the projector, together with striking the documents off its queue,
//! and can all be rebuilt ([`Store::clear_read_models`]). Columns are what lists filter and sort by;
//! `detail` is the fold as JSON for a single page. Days are `YYYY-MM-DD` and sort as text.

use super::{
    CharterRows, HeardRow, StandingRow, Store,
    attachments::FileRef,
    batch::ExternalNumber,
    board::BoardRow,
    columns::{array, insert_rows, json_ids, json_ints, optional_array, small, unsigned},
    error::StoreError,
    inbox::Phase,
    queue::DirtyDoc,
    similar::CLEAR_SIMILAR,
    stubs::StubRow,
    words::WordRows,
    writer::Tx,
};
use sqlx::{Row, sqlite::SqliteRow};
use std::collections::BTreeMap;
use yishi_protocol::ids::{DocId, PlaceId};

/// A matter as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatterRow {
    /// Its document.
    pub doc: DocId,
    /// Its number, once it has one.
    pub number: Option<String>,
    /// The check code that goes with the number.
    pub check_code: Option<String>,
    /// Its title.
    pub title: String,
    /// Its category.
    pub category: Option<String>,
    /// Who raised it.
    pub source: Option<String>,
    /// How it was raised.
    pub channel: Option<String>,
    /// Its stage, by stable name.
    pub stage: String,
    /// Who must act next.
    pub holder: Option<PlaceId>,
    /// The place that registered it.
    pub home: PlaceId,
    /// The day by which the holder must act.
    pub due_day: Option<String>,
    /// The day it was raised.
    pub raised_on: Option<String>,
    /// The matter it was merged into.
    pub merged_into: Option<DocId>,
    /// The day of its last answer.
    pub answered_on: Option<String>,
    /// Whether the last answer was told to whoever raised it.
    pub told: bool,
    /// Whether a rating counts.
    pub rated: bool,
    /// Whether nobody has to act any more.
    pub closed: bool,
    /// How many support it.
    pub supports: u32,
    /// Acts that were not allowed.
    pub violations: u32,
    /// Its number in another system.
    pub external: Option<ExternalNumber>,
    /// When it last changed here.
    pub updated_at_ms: u64,
    /// The fold as JSON.
    pub detail: String,
    /// The unit its holder gave it to.
    pub unit: Option<String>,
    /// 经办人 there: member id.
    pub person: Option<String>,
}

/// A decision and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRow {
    /// Its document.
    pub doc: DocId,
    /// Its title.
    pub title: String,
    /// Who decided.
    pub place: PlaceId,
    /// When.
    pub decided_on: Option<String>,
    /// Until when it is to be done.
    pub due_on: Option<String>,
    /// The matters it decides.
    pub matters: Vec<DocId>,
    /// When it last changed here.
    pub updated_at_ms: u64,
    /// The fold as JSON.
    pub detail: String,
}

/// What the projector made of some documents.
#[derive(Debug, Clone, Default)]
pub struct Projection {
    /// Matters folded.
    pub matters: Vec<MatterRow>,
    /// What the public board shows of them besides, or may not show.
    pub board: Vec<BoardRow>,
    /// What matters say: title and text, for those that are like them.
    pub texts: Vec<(DocId, String, String)>,
    /// Outcomes folded.
    pub outcomes: Vec<OutcomeRow>,
    /// Registers folded, each with all of its stubs.
    pub registers: Vec<(DocId, Vec<StubRow>)>,
    /// How every matter stands that was folded or that a register speaks of.
    pub standings: Vec<StandingRow>,
    /// Who was heard from, as registers say.
    pub heard: Vec<HeardRow>,
    /// Notices folded.
    pub words: Vec<WordRows>,
    /// Charters folded.
    pub charters: Vec<CharterRows>,
    /// Files that the matters folded name.
    pub files: Vec<FileRef>,
    /// By this node's clock, in milliseconds since 1970.
    pub at_ms: u64,
    /// Every document that was taken from the queue, also those without a row.
    pub done: Vec<DirtyDoc>,
}

const MATTER_INSERT: &str =
    "INSERT OR REPLACE INTO matters (doc, number, check_code, title, category, source,
    channel, stage, holder, home, due_day, raised_on, merged_into, answered_on, told, rated, closed, supports,
    violations, ext_system, ext_number, updated_at_ms, detail, unit, person, phase)";

/// Columns of [`matter_row`]; the row number is the one before the last two.
pub(super) const MATTER_COLUMNS: &str = "SELECT d.doc, m.number, m.check_code, m.title, m.category, m.source,
    m.channel, m.stage, m.holder, m.home, m.due_day, m.raised_on, m.merged_into, m.answered_on, m.told, m.rated,
    m.closed, m.supports, m.violations, m.ext_system, m.ext_number, m.updated_at_ms, m.detail, m.doc,
    m.unit, m.person FROM matters m JOIN docs d ON d.id = m.doc";

pub(super) fn matter_row(row: &SqliteRow) -> Result<MatterRow, StoreError> {
    let external = match (row.try_get(19)?, row.try_get(20)?) {
        (Some(system), Some(number)) => Some(ExternalNumber { system, number }),
        _ => None,
    };
    Ok(MatterRow {
        doc: DocId(array(row, 0)?),
        number: row.try_get(1)?,
        check_code: row.try_get(2)?,
        title: row.try_get(3)?,
        category: row.try_get(4)?,
        source: row.try_get(5)?,
        channel: row.try_get(6)?,
        stage: row.try_get(7)?,
        holder: optional_array(row, 8)?.map(PlaceId),
        home: PlaceId(array(row, 9)?),
        due_day: row.try_get(10)?,
        raised_on: row.try_get(11)?,
        merged_into: optional_array(row, 12)?.map(DocId),
        answered_on: row.try_get(13)?,
        told: row.try_get(14)?,
        rated: row.try_get(15)?,
        closed: row.try_get(16)?,
        supports: small(row, 17)?,
        violations: small(row, 18)?,
        external,
        updated_at_ms: unsigned(row, 21)?,
        detail: row.try_get(22)?,
        unit: row.try_get(24)?,
        person: row.try_get(25)?,
    })
}

pub(super) fn bytes_of<const N: usize>(id: [u8; N]) -> Vec<u8> {
    id.to_vec()
}

impl Tx {
    async fn project(&mut self, projection: Projection) -> Result<(), StoreError> {
        let Projection {
            matters,
            board,
            texts,
            outcomes,
            registers,
            standings,
            heard,
            words,
            charters,
            files,
            at_ms,
            done,
        } = projection;
        let named = matters
            .iter()
            .map(|m| m.doc)
            .chain(outcomes.iter().map(|o| o.doc))
            .chain(texts.iter().map(|t| t.0));
        let rows = self
            .doc_rows(named.chain(registers.iter().map(|r| r.0)).chain(words.iter().map(|w| w.doc)))
            .await?;
        let row_of = |doc: DocId| rows.get(&doc).copied().ok_or(StoreError::UnknownDocument(doc));
        let matters =
            matters.into_iter().map(|m| Ok((row_of(m.doc)?, m))).collect::<Result<Vec<_>, StoreError>>()?;
        self.written.shown.extend(matters.iter().map(|(_, m)| m.doc));
        let board = board.into_iter().map(|b| Ok((row_of(b.doc)?, b))).collect::<Result<_, StoreError>>()?;
        self.project_board(matters.iter().map(|(row, _)| *row), board).await?;
        let files = files.into_iter().map(|f| Ok((row_of(f.doc)?, f))).collect::<Result<_, StoreError>>()?;
        self.project_files(matters.iter().map(|(row, _)| *row), files, at_ms).await?;
        insert_rows(&mut self.conn, MATTER_INSERT, 26, "", matters, |q, (row, m)| {
            let (system, number) = m.external.map(|e| (e.system, e.number)).unzip();
            let phase = Phase::of(&m.stage).name();
            q.bind(row)
                .bind(m.number)
                .bind(m.check_code)
                .bind(m.title)
                .bind(m.category)
                .bind(m.source)
                .bind(m.channel)
                .bind(m.stage)
                .bind(m.holder.map(|p| bytes_of(p.0)))
                .bind(bytes_of(m.home.0))
                .bind(m.due_day)
                .bind(m.raised_on)
                .bind(m.merged_into.map(|d| bytes_of(d.0)))
                .bind(m.answered_on)
                .bind(m.told)
                .bind(m.rated)
                .bind(m.closed)
                .bind(i64::from(m.supports))
                .bind(i64::from(m.violations))
                .bind(system)
                .bind(number)
                .bind(m.updated_at_ms.cast_signed())
                .bind(m.detail)
                .bind(m.unit)
                .bind(m.person)
                .bind(phase)
        })
        .await?;
        let texts = texts.into_iter().map(|(doc, title, body)| Ok((row_of(doc)?, doc, title, body)));
        self.index_texts(texts.collect::<Result<_, StoreError>>()?).await?;
        for outcome in outcomes {
            let row = row_of(outcome.doc)?;
            self.project_outcome(row, outcome).await?;
        }
        for (register, stubs) in registers {
            let row = row_of(register)?;
            self.project_stubs(row, stubs).await?;
        }
        for words in words {
            let row = row_of(words.doc)?;
            self.project_words(row, words).await?;
        }
        self.keep_standings(standings).await?;
        self.keep_heard(heard).await?;
        self.undirty(&done).await?;
        // After it: what waits for a new one is queued again.
        self.keep_charters(charters).await
    }

    async fn project_outcome(&mut self, row: i64, outcome: OutcomeRow) -> Result<(), StoreError> {
        let sql =
            "INSERT OR REPLACE INTO outcomes (doc, title, place, decided_on, due_on, updated_at_ms, detail)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        sqlx::query(sql)
            .bind(row)
            .bind(outcome.title)
            .bind(bytes_of(outcome.place.0))
            .bind(outcome.decided_on)
            .bind(outcome.due_on)
            .bind(outcome.updated_at_ms.cast_signed())
            .bind(outcome.detail)
            .execute(&mut self.conn)
            .await?;
        // A decision only ever names more matters.
        let head = "INSERT OR IGNORE INTO outcome_matters (matter, outcome)";
        insert_rows(&mut self.conn, head, 2, "", outcome.matters, |q, matter| {
            q.bind(bytes_of(matter.0)).bind(row)
        })
        .await
    }

    async fn doc_rows(
        &mut self,
        docs: impl Iterator<Item = DocId>,
    ) -> Result<BTreeMap<DocId, i64>, StoreError> {
        let sql = "SELECT d.doc, d.id FROM json_each(?1) j CROSS JOIN docs d ON d.doc = unhex(j.value)";
        let rows = sqlx::query(sql).bind(json_ids(docs)).fetch_all(&mut self.conn).await?;
        rows.iter().map(|row| Ok((DocId(array(row, 0)?), row.try_get(1)?))).collect()
    }
}

impl Store {
    /// Keeps what the projector made and strikes the documents off its queue, unless they changed again.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn project(&self, projection: Projection) -> Result<(), StoreError> {
        self.submit(move |tx| Box::pin(tx.project(projection))).await
    }

    /// Throws away everything derived and queues every document, to be folded anew.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn clear_read_models(&self) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                tx.state.stamp += 1;
                for sql in [
                    "DELETE FROM matters",
                    "DELETE FROM board",
                    "DELETE FROM attachment_refs",
                    "DELETE FROM outcome_matters",
                    "DELETE FROM outcomes",
                    "DELETE FROM announcements",
                    "DELETE FROM openings",
                    "DELETE FROM stubs",
                    "DELETE FROM standings",
                    "DELETE FROM tally",
                    "DELETE FROM heard",
                ] {
                    tx.execute(sql).await?;
                }
                for sql in CLEAR_SIMILAR {
                    tx.execute(sql).await?;
                }
                let sql = "INSERT INTO dirty (doc, stamp) SELECT id, ?1 FROM docs WHERE true
                           ON CONFLICT DO UPDATE SET stamp = excluded.stamp";
                sqlx::query(sql).bind(tx.state.stamp).execute(&mut tx.conn).await?;
                Ok(())
            })
        })
        .await
    }

    /// One matter.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn matter(&self, doc: &DocId) -> Result<Option<MatterRow>, StoreError> {
        Ok(self.matters_of(&[*doc]).await?.pop())
    }

    /// Several matters; those not here are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn matters_of(&self, docs: &[DocId]) -> Result<Vec<MatterRow>, StoreError> {
        let sql = format!("{MATTER_COLUMNS} WHERE d.doc IN (SELECT unhex(value) FROM json_each(?1))");
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(json_ids(docs)).fetch_all(self.readers()).await?;
        rows.iter().map(matter_row).collect()
    }

    /// Matters with a number; two places may have given the same one.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn matters_by_number(&self, number: &str) -> Result<Vec<MatterRow>, StoreError> {
        let sql = format!("{MATTER_COLUMNS} WHERE m.number = ?1 ORDER BY m.doc LIMIT 10");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(number).fetch_all(self.readers()).await?;
        rows.iter().map(matter_row).collect()
    }

    /// Matters merged into one.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn merged_into(&self, lead: &DocId) -> Result<Vec<MatterRow>, StoreError> {
        let sql = format!("{MATTER_COLUMNS} WHERE m.merged_into = ?1 ORDER BY m.doc");
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(lead.0.to_vec()).fetch_all(self.readers()).await?;
        rows.iter().map(matter_row).collect()
    }

    /// Documents, of any kind, whose id begins with these hexadecimal digits; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn docs_with_prefix(&self, digits: &str, limit: u32) -> Result<Vec<DocId>, StoreError> {
        let width = DocId::LEN * 2;
        let ends = ["0", "f"].map(|fill| {
            let mut text = digits.to_ascii_lowercase();
            text.push_str(&fill.repeat(width.saturating_sub(text.len())));
            text.parse::<DocId>().ok()
        });
        // What is not hexadecimal is no document's beginning.
        let [Some(first), Some(last)] = ends else { return Ok(Vec::new()) };
        let rows = sqlx::query("SELECT doc FROM docs WHERE doc BETWEEN ?1 AND ?2 ORDER BY doc LIMIT ?3")
            .bind(first.0.to_vec())
            .bind(last.0.to_vec())
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|row| Ok(DocId(array(row, 0)?))).collect()
    }

    /// The documents known to another system by these numbers.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn external_docs(
        &self,
        system: &str,
        numbers: &[String],
    ) -> Result<BTreeMap<String, DocId>, StoreError> {
        let numbers = serde_json::to_string(numbers)
            .map_err(|e| StoreError::Damaged(format!("numbers cannot be listed: {e}")))?;
        let sql = "SELECT f.number, d.doc FROM json_each(?2) j
                   CROSS JOIN follow f ON f.system = ?1 AND f.number = j.value JOIN docs d ON d.id = f.doc";
        let rows = sqlx::query(sql).bind(system).bind(numbers).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, DocId(array(row, 1)?)))).collect()
    }

    /// Open matters per home.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn open_by_home(&self) -> Result<BTreeMap<PlaceId, u64>, StoreError> {
        let sql = "SELECT home, count(*) FROM matters WHERE closed = 0 GROUP BY home";
        let rows = sqlx::query(sql).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((PlaceId(array(row, 0)?), unsigned(row, 1)?))).collect()
    }

    /// How many matters of a category somebody has to act on.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn open_of_category(&self, category: &str) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM matters WHERE closed = 0 AND category = ?1";
        let row = sqlx::query(sql).bind(category.to_owned()).fetch_one(self.readers()).await?;
        unsigned(&row, 0)
    }

    /// Matters per stage.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn matters_by_stage(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let sql = "SELECT stage, count(*) FROM matters GROUP BY stage";
        let rows = sqlx::query(sql).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, unsigned(row, 1)?))).collect()
    }

    /// Outcomes, newest first, after a page's cursor; with the cursor of the next page.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn outcomes(
        &self,
        before: Option<(u64, i64)>,
        limit: u32,
    ) -> Result<(Vec<OutcomeRow>, Option<(u64, i64)>), StoreError> {
        let (at, row) = before.unwrap_or((i64::MAX as u64, i64::MAX));
        let sql = "SELECT o.doc FROM outcomes o WHERE (o.updated_at_ms, o.doc) < (?1, ?2)
                   ORDER BY o.updated_at_ms DESC, o.doc DESC LIMIT ?3";
        let rows = sqlx::query(sql)
            .bind(at.cast_signed())
            .bind(row)
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await?;
        let rows = rows.iter().map(|r| r.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
        let last = rows.last().copied();
        let full = rows.len() as u64 == u64::from(limit);
        let outcomes = self.outcomes_at(rows).await?;
        let next = outcomes.last().zip(last).filter(|_| full).map(|(o, row)| (o.updated_at_ms, row));
        Ok((outcomes, next))
    }

    /// One outcome.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn outcome(&self, doc: &DocId) -> Result<Option<OutcomeRow>, StoreError> {
        let rows = sqlx::query("SELECT id FROM docs WHERE doc = ?1")
            .bind(doc.0.to_vec())
            .fetch_all(self.readers())
            .await?;
        let rows = rows.iter().map(|r| r.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
        Ok(self.outcomes_at(rows).await?.pop())
    }

    /// The outcomes that decide a matter.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn outcomes_of(&self, matter: &DocId) -> Result<Vec<OutcomeRow>, StoreError> {
        let rows = sqlx::query("SELECT outcome FROM outcome_matters WHERE matter = ?1")
            .bind(matter.0.to_vec())
            .fetch_all(self.readers())
            .await?;
        let rows = rows.iter().map(|r| r.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
        self.outcomes_at(rows).await
    }

    async fn outcomes_at(&self, rows: Vec<i64>) -> Result<Vec<OutcomeRow>, StoreError> {
        let rows = json_ints(rows);
        let mut matters: BTreeMap<i64, Vec<DocId>> = BTreeMap::new();
        let sql = "SELECT outcome, matter FROM outcome_matters
                   WHERE outcome IN (SELECT value FROM json_each(?1)) ORDER BY matter";
        for row in sqlx::query(sql).bind(&rows).fetch_all(self.readers()).await? {
            matters.entry(row.try_get(0)?).or_default().push(DocId(array(&row, 1)?));
        }
        let sql = "SELECT o.doc, d.doc, o.title, o.place, o.decided_on, o.due_on, o.updated_at_ms, o.detail
                   FROM json_each(?1) j CROSS JOIN outcomes o ON o.doc = j.value JOIN docs d ON d.id = o.doc
                   ORDER BY o.updated_at_ms DESC, o.doc DESC";
        let found = sqlx::query(sql).bind(&rows).fetch_all(self.readers()).await?;
        found
            .iter()
            .map(|row| {
                Ok(OutcomeRow {
                    doc: DocId(array(row, 1)?),
                    title: row.try_get(2)?,
                    place: PlaceId(array(row, 3)?),
                    decided_on: row.try_get(4)?,
                    due_on: row.try_get(5)?,
                    matters: matters.remove(&row.try_get(0)?).unwrap_or_default(),
                    updated_at_ms: unsigned(row, 6)?,
                    detail: row.try_get(7)?,
                })
            })
            .collect()
    }

    /// Matters with acts that arrived after somebody took over.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn matters_with_late(&self, limit: u32) -> Result<Vec<MatterRow>, StoreError> {
        // A quotation mark within a text stands escaped in the JSON: only the field itself fits.
        let sql =
            format!("{MATTER_COLUMNS} WHERE instr(m.detail, '\"late\":') > 0 ORDER BY m.doc DESC LIMIT ?1");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(limit).fetch_all(self.readers()).await?;
        rows.iter().map(matter_row).collect()
    }
}
