//! Files that matters name: which there are, which are here, piece by piece.
//!
//! They lie in this very database, so that what holds for an act — durable before it is acknowledged, in every
//! backup — holds for a photo. A file that a matter names and that is not here is *wanted*; it arrives from its first
//! piece on, each checked before it comes here. One that the place above has may be *let go*. Which matters name which
//! files follows from the matters and is made anew with them.

use super::{
    Store,
    columns::{array, insert_rows, json_ids, json_ints, optional_array, small, unsigned},
    error::StoreError,
    matters::bytes_of,
    world::LinkId,
    writer::Tx,
};
use sqlx::{Row, sqlite::SqliteRow};
use std::collections::BTreeMap;
use yishi_protocol::ids::{DocId, Hash, PlaceId};

/// Where a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// Named by a matter, and not here yet, or not all of it.
    Wanted,
    /// Here, all of it.
    Here,
    /// Let go: the place above has it.
    LetGo,
}

/// A file as it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    pub(super) row: i64,
    /// Its name.
    pub file: Hash,
    /// Its bytes.
    pub size: u64,
    /// Its pieces.
    pub pieces: u32,
    /// How many of them are here, from the first.
    pub have: u32,
    /// Where it is.
    pub state: FileState,
    /// Whether the place above has said that it stored all of it.
    pub above: bool,
    /// Who brought it here, if somebody of this place did.
    pub uploaded_by: Option<String>,
    /// Since when it is as it is.
    pub since_ms: u64,
    /// Over which link it came, if it did not begin here.
    pub came_from: Option<LinkId>,
}

impl FileRow {
    /// Where it stands among all.
    #[must_use]
    pub fn row(&self) -> i64 {
        self.row
    }
}

/// A file to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedFile {
    /// Where it stands among all.
    pub row: i64,
    /// Its name.
    pub file: Hash,
    /// The sizes that acts say it has: one, unless somebody lied.
    pub sizes: Vec<u64>,
    /// The values of its pieces, once they are known, with its size.
    pub list: Option<(u64, Vec<u8>)>,
    /// How many pieces are here.
    pub have: u32,
    /// Since when it is wanted.
    pub since_ms: u64,
    /// The matters that name it, and who put it there.
    pub named: Vec<(DocId, PlaceId)>,
}

/// A file that a matter names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRef {
    /// The matter.
    pub doc: DocId,
    /// The file.
    pub file: Hash,
    /// Its bytes, as the act says.
    pub size: u64,
    /// Who put it there.
    pub place: PlaceId,
}

const COLUMNS: &str =
    "SELECT a.id, a.file, a.size, a.pieces, a.have, a.state, a.above, a.uploaded_by, a.since_ms,
    a.came_from FROM attachments a";

fn file_row(row: &SqliteRow) -> Result<FileRow, StoreError> {
    Ok(FileRow {
        row: row.try_get(0)?,
        file: Hash(array(row, 1)?),
        size: unsigned(row, 2)?,
        pieces: small(row, 3)?,
        have: small(row, 4)?,
        state: match row.try_get::<i64, _>(5)? {
            0 => FileState::Wanted,
            1 => FileState::Here,
            _ => FileState::LetGo,
        },
        above: row.try_get(6)?,
        uploaded_by: row.try_get(7)?,
        since_ms: unsigned(row, 8)?,
        came_from: row.try_get::<Option<i64>, _>(9)?.map(LinkId),
    })
}

/// How many pieces a file of a size that was checked has.
fn pieces_of(size: u64) -> i64 {
    yishi_protocol::attachment::pieces_of(size).map_or(0, i64::from)
}

impl Tx {
    /// Replaces which files these matters name; those that are not known yet are wanted from now on.
    pub(super) async fn project_files(
        &mut self,
        matters: impl Iterator<Item = i64>,
        refs: Vec<(i64, FileRef)>,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM attachment_refs WHERE doc IN (SELECT value FROM json_each(?1))")
            .bind(json_ints(matters))
            .execute(&mut self.conn)
            .await?;
        if refs.is_empty() {
            return Ok(());
        }
        for (_, r) in &refs {
            let sql = "INSERT INTO attachments (file, size, pieces, since_ms) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT DO NOTHING";
            let wanted = sqlx::query(sql)
                .bind(bytes_of(r.file.0))
                .bind(r.size.cast_signed())
                .bind(pieces_of(r.size))
                .bind(at_ms.cast_signed())
                .execute(&mut self.conn)
                .await?;
            self.written.files |= wanted.rows_affected() > 0;
        }
        // Also what was here before it was named may be told now.
        self.written.files = true;
        let head = "INSERT OR REPLACE INTO attachment_refs (doc, file, size, place)";
        insert_rows(&mut self.conn, head, 4, "", refs, |q, (row, r)| {
            q.bind(row).bind(bytes_of(r.file.0)).bind(r.size.cast_signed()).bind(bytes_of(r.place.0))
        })
        .await
    }

    async fn put_pieces(&mut self, row: i64, first: u32, pieces: Vec<Vec<u8>>) -> Result<(), StoreError> {
        for (n, bytes) in (i64::from(first)..).zip(pieces) {
            sqlx::query("INSERT OR REPLACE INTO attachment_pieces (file, n, bytes) VALUES (?1, ?2, ?3)")
                .bind(row)
                .bind(n)
                .bind(bytes)
                .execute(&mut self.conn)
                .await?;
        }
        Ok(())
    }

    /// Tells pages that show the file, and links that may send it.
    async fn file_changed(&mut self, row: i64) -> Result<(), StoreError> {
        self.written.files = true;
        let sql = "SELECT d.doc FROM attachments a JOIN attachment_refs r ON r.file = a.file
                   JOIN docs d ON d.id = r.doc WHERE a.id = ?1";
        for named in sqlx::query(sql).bind(row).fetch_all(&mut self.conn).await? {
            self.written.shown.push(DocId(array(&named, 0)?));
        }
        Ok(())
    }
}

impl Store {
    /// Keeps a file that somebody here brings; durable when it returns. One that is here already stays as it is.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn keep_upload(
        &self,
        file: Hash,
        list: Vec<u8>,
        pieces: Vec<Vec<u8>>,
        by: String,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        let size: u64 = pieces.iter().map(|p| p.len() as u64).sum();
        let again_by = by.clone();
        self.submit(move |tx| {
            Box::pin(async move {
                let sql =
                    "INSERT INTO attachments (file, size, pieces, list, have, state, uploaded_by, since_ms)
                           VALUES (?1, ?2, ?3, ?4, ?3, 1, ?5, ?6)
                           ON CONFLICT (file) DO UPDATE SET size = excluded.size, pieces = excluded.pieces,
                               list = excluded.list, have = excluded.have, state = 1,
                               uploaded_by = excluded.uploaded_by, since_ms = excluded.since_ms
                           WHERE state <> 1
                           RETURNING id";
                let row = sqlx::query(sql)
                    .bind(bytes_of(file.0))
                    .bind(size.cast_signed())
                    .bind(pieces_of(size))
                    .bind(list)
                    .bind(by)
                    .bind(at_ms.cast_signed())
                    .fetch_optional(&mut tx.conn)
                    .await?;
                if let Some(row) = row {
                    let row = row.try_get(0)?;
                    tx.put_pieces(row, 0, pieces).await?;
                    tx.file_changed(row).await?;
                } else {
                    // Brought once more before anybody named it: it is not swept away meanwhile.
                    let sql = "UPDATE attachments SET since_ms = ?2, uploaded_by = ?3 WHERE file = ?1
                               AND NOT EXISTS (SELECT 1 FROM attachment_refs r WHERE r.file = ?1)";
                    sqlx::query(sql)
                        .bind(bytes_of(file.0))
                        .bind(at_ms.cast_signed())
                        .bind(again_by)
                        .execute(&mut tx.conn)
                        .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Files as they are here, those known.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn files(&self, files: &[Hash]) -> Result<BTreeMap<Hash, FileRow>, StoreError> {
        let sql = format!("{COLUMNS} WHERE a.file IN (SELECT unhex(value) FROM json_each(?1))");
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(json_ids(files)).fetch_all(self.readers()).await?;
        rows.iter().map(file_row).map(|f| f.map(|f| (f.file, f))).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn file(&self, file: &Hash) -> Result<Option<FileRow>, StoreError> {
        Ok(self.files(&[*file]).await?.remove(file))
    }

    /// Files in the order in which they became known, after one of them.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn files_after(&self, after: i64, limit: u32) -> Result<Vec<(i64, FileRow)>, StoreError> {
        let sql = format!("{COLUMNS} WHERE a.id > ?1 ORDER BY a.id LIMIT ?2");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(after).bind(i64::from(limit));
        let rows = query.fetch_all(self.readers()).await?;
        rows.iter().map(file_row).map(|f| f.map(|f| (f.row, f))).collect()
    }

    /// One piece of a file, and the values of all of them.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn file_piece(&self, file: &FileRow, number: u32) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT bytes FROM attachment_pieces WHERE file = ?1 AND n = ?2";
        let query = sqlx::query(sql).bind(file.row).bind(i64::from(number));
        Ok(query.fetch_optional(self.readers()).await?.map(|r| r.try_get(0)).transpose()?)
    }

    /// The values of a file's pieces.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn file_list(&self, file: &FileRow) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT list FROM attachments WHERE id = ?1").bind(file.row);
        Ok(row.fetch_optional(self.readers()).await?.map(|r| r.try_get(0)).transpose()?.flatten())
    }

    /// The matters that name a file, and who put it there.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn naming(&self, file: &Hash) -> Result<Vec<(DocId, PlaceId)>, StoreError> {
        let sql =
            "SELECT d.doc, r.place FROM attachment_refs r JOIN docs d ON d.id = r.doc WHERE r.file = ?1";
        let rows = sqlx::query(sql).bind(bytes_of(file.0)).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((DocId(array(row, 0)?), PlaceId(array(row, 1)?)))).collect()
    }

    /// Files that are wanted, after one of them: those that came up first come first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn wanted_files(&self, after: i64, limit: u32) -> Result<Vec<WantedFile>, StoreError> {
        let sql = "SELECT a.id, a.file, a.size, a.list, a.have, a.since_ms, d.doc, r.place, r.size
                   FROM (SELECT * FROM attachments WHERE state = 0 AND id > ?1 ORDER BY id LIMIT ?2) a
                   LEFT JOIN attachment_refs r ON r.file = a.file LEFT JOIN docs d ON d.id = r.doc
                   ORDER BY a.id";
        let rows = sqlx::query(sql).bind(after).bind(i64::from(limit)).fetch_all(self.readers()).await?;
        let mut out: Vec<WantedFile> = Vec::new();
        for row in &rows {
            let id = row.try_get(0)?;
            if out.last().is_none_or(|last| last.row != id) {
                let list: Option<Vec<u8>> = row.try_get(3)?;
                out.push(WantedFile {
                    row: id,
                    file: Hash(array(row, 1)?),
                    sizes: Vec::new(),
                    list: list.map(|l| Ok::<_, StoreError>((unsigned(row, 2)?, l))).transpose()?,
                    have: small(row, 4)?,
                    since_ms: unsigned(row, 5)?,
                    named: Vec::new(),
                });
            }
            let named = optional_array(row, 6)?.zip(optional_array(row, 7)?);
            if let (Some((doc, place)), Some(last)) = (named, out.last_mut()) {
                last.named.push((DocId(doc), PlaceId(place)));
                last.sizes.push(unsigned(row, 8)?);
            }
        }
        Ok(out)
    }

    /// Keeps the values of a file's pieces, which were checked against its name.
    ///
    /// # Errors
    /// [`StoreError`] when they were not stored.
    pub async fn keep_list(&self, row: i64, size: u64, list: Vec<u8>) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let sql =
                    "UPDATE attachments SET size = ?2, pieces = ?3, list = ?4 WHERE id = ?1 AND state = 0";
                sqlx::query(sql)
                    .bind(row)
                    .bind(size.cast_signed())
                    .bind(pieces_of(size))
                    .bind(list)
                    .execute(&mut tx.conn)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Keeps pieces that were checked, from the first one that was missing; gives whether the file is whole now.
    ///
    /// # Errors
    /// [`StoreError`] when they were not stored.
    pub async fn keep_pieces(
        &self,
        row: i64,
        first: u32,
        pieces: Vec<Vec<u8>>,
        (from, at_ms): (LinkId, u64),
    ) -> Result<bool, StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let more = pieces.len() as i64;
                let sql =
                    "UPDATE attachments SET have = have + ?3, state = (have + ?3 >= pieces), since_ms = ?4,
                               came_from = ?5 WHERE id = ?1 AND state = 0 AND have = ?2 RETURNING state";
                let state = sqlx::query(sql)
                    .bind(row)
                    .bind(i64::from(first))
                    .bind(more)
                    .bind(at_ms.cast_signed())
                    .bind(from.0)
                    .fetch_optional(&mut tx.conn)
                    .await?;
                let Some(state) = state else { return Ok(false) };
                tx.put_pieces(row, first, pieces).await?;
                let whole = state.try_get::<i64, _>(0)? == 1;
                if whole {
                    tx.file_changed(row).await?;
                }
                Ok(whole)
            })
        })
        .await
    }

    /// Forgets what came of a file: what is here cannot be all of it.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn begin_file_again(&self, row: i64) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE attachments SET list = NULL, have = 0 WHERE id = ?1 AND state = 0";
                let again = sqlx::query(sql).bind(row).execute(&mut tx.conn).await?;
                if again.rows_affected() > 0 {
                    let sql = "DELETE FROM attachment_pieces WHERE file = ?1";
                    sqlx::query(sql).bind(row).execute(&mut tx.conn).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Files here that a matter names and of which the place above has not said that it has them.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn untold_files(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(FileRow, Vec<DocId>)>, StoreError> {
        let sql = format!(
            "{COLUMNS} WHERE a.state = 1 AND a.above = 0 AND a.id > ?1
             AND EXISTS (SELECT 1 FROM attachment_refs r WHERE r.file = a.file) ORDER BY a.id LIMIT ?2"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(after).bind(i64::from(limit));
        let rows = query.fetch_all(self.readers()).await?;
        let mut out = Vec::with_capacity(rows.len());
        for row in &rows {
            let file = file_row(row)?;
            let docs = self.naming(&file.file).await?.into_iter().map(|(doc, _)| doc).collect();
            out.push((file, docs));
        }
        Ok(out)
    }

    /// The place above has said that it has stored all of a file.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn file_stored_above(&self, file: Hash) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE attachments SET above = 1 WHERE file = ?1 AND above = 0 RETURNING id";
                let row = sqlx::query(sql).bind(bytes_of(file.0)).fetch_optional(&mut tx.conn).await?;
                match row {
                    Some(row) => tx.file_changed(row.try_get(0)?).await,
                    None => Ok(()),
                }
            })
        })
        .await
    }

    /// Lets a file go that is here and that the place above has; `false` if it is not so.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn let_go(&self, file: Hash, at_ms: u64) -> Result<bool, StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE attachments SET state = 2, have = 0, since_ms = ?2
                           WHERE file = ?1 AND state = 1 AND above = 1 RETURNING id";
                let row = sqlx::query(sql)
                    .bind(bytes_of(file.0))
                    .bind(at_ms.cast_signed())
                    .fetch_optional(&mut tx.conn)
                    .await?;
                let Some(row) = row else { return Ok(false) };
                let row: i64 = row.try_get(0)?;
                sqlx::query("DELETE FROM attachment_pieces WHERE file = ?1")
                    .bind(row)
                    .execute(&mut tx.conn)
                    .await?;
                tx.file_changed(row).await?;
                Ok(true)
            })
        })
        .await
    }

    /// A file that was let go is wanted again; `false` if it was not let go.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn want_again(&self, file: Hash, at_ms: u64) -> Result<bool, StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE attachments SET state = 0, since_ms = ?2 WHERE file = ?1 AND state = 2 RETURNING id";
                let row = sqlx::query(sql)
                    .bind(bytes_of(file.0))
                    .bind(at_ms.cast_signed())
                    .fetch_optional(&mut tx.conn)
                    .await?;
                match row {
                    Some(row) => tx.file_changed(row.try_get(0)?).await.map(|()| true),
                    None => Ok(false),
                }
            })
        })
        .await
    }

    /// Throws away files that were brought before this moment and that no matter came to name: the form they were
    /// chosen in was never sent. Gives how many.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn sweep_files(&self, before_ms: u64) -> Result<u64, StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                const STRAY: &str = "state = 1 AND since_ms < ?1 AND uploaded_by IS NOT NULL AND NOT EXISTS
                    (SELECT 1 FROM attachment_refs r WHERE r.file = attachments.file)
                    AND NOT EXISTS (SELECT 1 FROM dirty)";
                let sql = format!(
                    "DELETE FROM attachment_pieces WHERE file IN (SELECT id FROM attachments WHERE {STRAY})"
                );
                sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(before_ms.cast_signed())
                    .execute(&mut tx.conn)
                    .await?;
                let sql = format!("DELETE FROM attachments WHERE {STRAY}");
                let gone = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(before_ms.cast_signed());
                Ok(gone.execute(&mut tx.conn).await?.rows_affected())
            })
        })
        .await
    }
}
