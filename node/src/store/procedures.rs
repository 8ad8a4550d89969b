//! Procedures that charters issued: what folds look pins up in, and where each came from.

use super::{Store, columns::array, error::StoreError, writer::Tx};
use sqlx::{Row, SqliteConnection};
use yishi_protocol::{
    ids::{ActRef, Hash, PlaceId},
    procedure::{self, Procedures},
};

/// A procedure a place issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedRow {
    /// What is pinned.
    pub pin: Hash,
    /// Who issued it.
    pub place: PlaceId,
    /// The act.
    pub act: ActRef,
    /// The day.
    pub issued_on: Option<String>,
    /// The file.
    pub file: String,
}

/// Those of the database together with those of the program.
pub(super) async fn load(conn: &mut SqliteConnection) -> Result<Procedures, StoreError> {
    let rows = sqlx::query("SELECT file FROM procedures ORDER BY pin").fetch_all(conn).await?;
    let mut read = Vec::new();
    for row in rows {
        // What an older program cannot read is as good as not here.
        read.extend(procedure::read(row.try_get(0)?).ok().map(|(procedure, _)| procedure));
    }
    Ok(Procedures::shipped_and(read))
}

impl Tx {
    /// Keeps what a charter issued. What waits for one of them is folded anew.
    pub(super) async fn keep_procedures(&mut self, issued: Vec<IssuedRow>) -> Result<(), StoreError> {
        let mut new = false;
        for row in issued {
            let sql = "INSERT OR IGNORE INTO procedures (pin, place, act, issued_on, file) VALUES (?1, ?2, ?3, ?4, ?5)";
            let done = sqlx::query(sql)
                .bind(row.pin.0.to_vec())
                .bind(row.place.0.to_vec())
                .bind(row.act.to_string())
                .bind(row.issued_on)
                .bind(row.file)
                .execute(&mut self.conn)
                .await?;
            new |= done.rows_affected() > 0;
        }
        if !new {
            return Ok(());
        }
        self.world_mut().procedures = load(&mut self.conn).await?;
        self.state.stamp += 1;
        let sql = "INSERT INTO dirty (doc, stamp) SELECT m.doc, ?1 FROM matters m WHERE m.closed = 0
                   ON CONFLICT DO UPDATE SET stamp = excluded.stamp";
        sqlx::query(sql).bind(self.state.stamp).execute(&mut self.conn).await?;
        Ok(())
    }
}

impl Store {
    /// Every procedure that a charter issued.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn issued_procedures(&self) -> Result<Vec<IssuedRow>, StoreError> {
        let sql = "SELECT pin, place, act, issued_on, file FROM procedures ORDER BY issued_on, pin";
        let rows = sqlx::query(sql).fetch_all(self.readers()).await?;
        rows.iter()
            .map(|row| {
                let act: String = row.try_get(2)?;
                Ok(IssuedRow {
                    pin: Hash(array(row, 0)?),
                    place: PlaceId(array(row, 1)?),
                    act: act.parse().map_err(|_| StoreError::Damaged("an act has no name".into()))?,
                    issued_on: row.try_get(3)?,
                    file: row.try_get(4)?,
                })
            })
            .collect()
    }
}
