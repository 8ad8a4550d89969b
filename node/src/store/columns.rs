//! Between rows and ids: reading fixed columns, writing many rows at once.

use super::error::StoreError;
use sqlx::{
    AssertSqlSafe, Row, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};
use std::fmt::Write as _;
use yishi_protocol::ids::ChangeHash;

/// The array in a column.
pub(super) fn array<const N: usize>(row: &SqliteRow, column: usize) -> Result<[u8; N], StoreError> {
    to_array(row.try_get::<&[u8], _>(column)?)
}

/// The array in a column, or nothing.
pub(super) fn optional_array<const N: usize>(
    row: &SqliteRow,
    column: usize,
) -> Result<Option<[u8; N]>, StoreError> {
    row.try_get::<Option<&[u8]>, _>(column)?.map(to_array).transpose()
}

pub(super) fn to_array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], StoreError> {
    bytes
        .try_into()
        .map_err(|_| StoreError::Damaged(format!("an id of {} bytes instead of {N}", bytes.len())))
}

/// A number that is never negative.
pub(super) fn unsigned(row: &SqliteRow, column: usize) -> Result<u64, StoreError> {
    Ok(row.try_get::<i64, _>(column)?.cast_unsigned())
}

/// A number that is never negative, or nothing.
pub(super) fn optional_unsigned(row: &SqliteRow, column: usize) -> Result<Option<u64>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(i64::cast_unsigned))
}

/// A small number.
pub(super) fn small(row: &SqliteRow, column: usize) -> Result<u32, StoreError> {
    u32::try_from(row.try_get::<i64, _>(column)?)
        .map_err(|_| StoreError::Damaged("a number is out of range".into()))
}

/// Change hashes written one after the other.
pub(super) fn change_hashes(bytes: &[u8]) -> Result<Vec<ChangeHash>, StoreError> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(StoreError::Damaged("a list of changes is cut off".into()));
    }
    Ok(hashes.iter().map(|h| ChangeHash(*h)).collect())
}

/// Change hashes one after the other.
pub(super) fn joined(hashes: &[ChangeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|h| h.0).collect()
}

/// Integers as a JSON array: SQLite's `json_each` makes a table of any number of them, so that the
/// statement stays the same.
pub(super) fn json_ints(ids: impl IntoIterator<Item = i64>) -> String {
    json_list(ids, |out, id| write!(out, "{id}"))
}

/// Ids as a JSON array of hexadecimal strings.
pub(super) fn json_ids(ids: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    json_list(ids, |out, id| write!(out, "\"{id}\""))
}

/// Pairs of a row number and an id as a JSON array.
pub(super) fn json_pairs(pairs: impl IntoIterator<Item = (i64, impl std::fmt::Display)>) -> String {
    json_list(pairs, |out, (row, id)| write!(out, "[{row},\"{id}\"]"))
}

/// Pairs of ids as a JSON array.
pub(super) fn json_id_pairs(
    pairs: impl IntoIterator<Item = (impl std::fmt::Display, impl std::fmt::Display)>,
) -> String {
    json_list(pairs, |out, (a, b)| write!(out, "[\"{a}\",\"{b}\"]"))
}

/// Pairs of integers as a JSON array.
pub(super) fn json_int_pairs(pairs: impl IntoIterator<Item = (i64, i64)>) -> String {
    json_list(pairs, |out, (a, b)| write!(out, "[{a},{b}]"))
}

fn json_list<T>(
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut String, T) -> std::fmt::Result,
) -> String {
    let mut out = String::from("[");
    for item in items {
        if out.len() > 1 {
            out.push(',');
        }
        // Writing to a string cannot fail.
        let _ = write(&mut out, item);
    }
    out.push(']');
    out
}

pub(super) type SqliteQuery = Query<'static, Sqlite, SqliteArguments>;

/// Rows per statement, largest first. Only these sizes are prepared, so that the cache of statements
/// stays small; 200 rows cost a quarter of what single rows cost (measured.md).
const ROWS_PER_STATEMENT: [usize; 4] = [200, 40, 8, 1];

/// `INSERT` of many rows. `head` ends before `VALUES`, `tail` may hold a conflict clause.
pub(super) async fn insert_rows<R>(
    conn: &mut SqliteConnection,
    head: &'static str,
    columns: usize,
    tail: &'static str,
    rows: Vec<R>,
    bind: impl Fn(SqliteQuery, R) -> SqliteQuery,
) -> Result<(), StoreError> {
    let mut left = rows.len();
    let mut rows = rows.into_iter();
    for size in ROWS_PER_STATEMENT {
        if left < size {
            continue;
        }
        let sql = insert_sql(head, columns, tail, size);
        while left >= size {
            let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
            for row in rows.by_ref().take(size) {
                query = bind(query, row);
            }
            query.persistent(true).execute(&mut *conn).await?;
            left -= size;
        }
    }
    Ok(())
}

fn insert_sql(head: &str, columns: usize, tail: &str, rows: usize) -> std::sync::Arc<str> {
    let mut row = String::from("(");
    for i in 0..columns {
        row.push_str(if i == 0 { "?" } else { ",?" });
    }
    row.push(')');
    let mut sql = String::with_capacity(head.len() + tail.len() + (row.len() + 1) * rows + 10);
    sql.push_str(head);
    sql.push_str(" VALUES ");
    for i in 0..rows {
        if i > 0 {
            sql.push(',');
        }
        sql.push_str(&row);
    }
    sql.push_str(tail);
    sql.into()
}
