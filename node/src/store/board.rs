//! What the public board shows besides what lists have: notices, public money, and what may not stand there.
//!
//! Only matters with something of it have a row here; whoever reads for the board leaves out what is hidden.
//! Every list is bounded and read in the order of an index: how many matters there are does not count.

use super::{
    Store,
    columns::{array, insert_rows, json_ids, json_ints},
    error::StoreError,
    matters::{MATTER_COLUMNS, MatterRow, matter_row},
    writer::Tx,
};
use sqlx::Row;
use std::collections::BTreeMap;
use yishi_protocol::ids::DocId;

/// What the board has of one matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardRow {
    /// Its document.
    pub doc: DocId,
    /// Whether it may not stand on the board at all.
    pub hidden: bool,
    /// The last day of the notice that hangs longest.
    pub posted_until: Option<String>,
    /// When it last changed here, if money is planned or spent.
    pub money_at_ms: Option<u64>,
    /// What hangs, as JSON.
    pub detail: String,
}

/// One of the board's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoardList<'a> {
    /// Notices that hang on this day, the one that is taken down first before.
    Posted(&'a str),
    /// Answered on this day or later, the newest first.
    Answered(&'a str),
    /// With public money, the last changed first.
    Money,
    /// Not answered, the longest waiting first.
    Waiting,
}

impl BoardList<'_> {
    /// Conditions and order; `?1` is the day, `?2` how many.
    const fn rest(self) -> &'static str {
        match self {
            Self::Posted(_) => {
                " JOIN board b ON b.doc = m.doc WHERE b.posted_until >= ?1 AND b.hidden = 0
                 AND m.stage <> 'withdrawn' ORDER BY b.posted_until, b.doc LIMIT ?2"
            }
            Self::Answered(_) => {
                " WHERE m.answered_on >= ?1 AND NOT EXISTS (SELECT 1 FROM board h WHERE h.doc = m.doc AND h.hidden = 1)
                 ORDER BY m.answered_on DESC, m.doc DESC LIMIT ?2"
            }
            Self::Money => {
                " JOIN board b ON b.doc = m.doc WHERE b.money_at_ms >= ?1 AND b.hidden = 0
                 ORDER BY b.money_at_ms DESC, b.doc DESC LIMIT ?2"
            }
            Self::Waiting => {
                " WHERE m.closed = 0 AND m.answered_on IS NULL AND m.raised_on >= ?1
                 AND NOT EXISTS (SELECT 1 FROM board h WHERE h.doc = m.doc AND h.hidden = 1)
                 ORDER BY m.raised_on, m.doc LIMIT ?2"
            }
        }
    }
}

impl Tx {
    /// Replaces what the board has of these matters, by their row numbers.
    pub(super) async fn project_board(
        &mut self,
        matters: impl Iterator<Item = i64>,
        rows: Vec<(i64, BoardRow)>,
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM board WHERE doc IN (SELECT value FROM json_each(?1))")
            .bind(json_ints(matters))
            .execute(&mut self.conn)
            .await?;
        let head = "INSERT OR REPLACE INTO board (doc, hidden, posted_until, money_at_ms, detail)";
        insert_rows(&mut self.conn, head, 5, "", rows, |q, (row, b)| {
            q.bind(row)
                .bind(b.hidden)
                .bind(b.posted_until)
                .bind(b.money_at_ms.map(u64::cast_signed))
                .bind(b.detail)
        })
        .await
    }
}

impl Store {
    /// One of the board's lists: matters, each with what hangs of it.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn board(
        &self,
        list: BoardList<'_>,
        limit: u32,
    ) -> Result<Vec<(MatterRow, Option<String>)>, StoreError> {
        let sql = format!("{MATTER_COLUMNS}{}", list.rest());
        let query = sqlx::query(sqlx::AssertSqlSafe(sql));
        let query = match list {
            BoardList::Posted(day) | BoardList::Answered(day) => query.bind(day.to_owned()),
            BoardList::Money => query.bind(0_i64),
            BoardList::Waiting => query.bind(String::new()),
        };
        let rows = query.bind(i64::from(limit)).fetch_all(self.readers()).await?;
        let matters = rows.iter().map(matter_row).collect::<Result<Vec<_>, _>>()?;
        let mut hung = self.board_rows(matters.iter().map(|m| m.doc)).await?;
        Ok(matters
            .into_iter()
            .map(|m| {
                let detail = hung.remove(&m.doc).map(|b| b.detail);
                (m, detail)
            })
            .collect())
    }

    /// What the board has of one matter.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn board_row(&self, doc: &DocId) -> Result<Option<BoardRow>, StoreError> {
        Ok(self.board_rows(std::iter::once(*doc)).await?.remove(doc))
    }

    async fn board_rows(
        &self,
        docs: impl Iterator<Item = DocId>,
    ) -> Result<BTreeMap<DocId, BoardRow>, StoreError> {
        let sql = "SELECT d.doc, b.hidden, b.posted_until, b.money_at_ms, b.detail FROM json_each(?1) j
                   CROSS JOIN docs d ON d.doc = unhex(j.value) JOIN board b ON b.doc = d.id";
        let rows = sqlx::query(sql).bind(json_ids(docs)).fetch_all(self.readers()).await?;
        rows.iter()
            .map(|row| {
                let doc = DocId(array(row, 0)?);
                let board = BoardRow {
                    doc,
                    hidden: row.try_get(1)?,
                    posted_until: row.try_get(2)?,
                    money_at_ms: row.try_get::<Option<i64>, _>(3)?.map(i64::cast_unsigned),
                    detail: row.try_get(4)?,
                };
                Ok((doc, board))
            })
            .collect()
    }

    /// How the board's lists are found, for a test: the plan of each as SQLite says it.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    #[doc(hidden)]
    pub async fn board_plans(&self) -> Result<Vec<String>, StoreError> {
        let mut plans = Vec::new();
        for list in [BoardList::Posted(""), BoardList::Answered(""), BoardList::Money, BoardList::Waiting] {
            let sql = format!("EXPLAIN QUERY PLAN {MATTER_COLUMNS}{}", list.rest());
            let rows =
                sqlx::query(sqlx::AssertSqlSafe(sql)).bind("").bind(1_i64).fetch_all(self.readers()).await?;
            let lines = rows.iter().map(|r| r.try_get::<String, _>(3)).collect::<Result<Vec<_>, _>>()?;
            plans.push(lines.join("; "));
        }
        Ok(plans)
    }
}
