//! What charters issued: procedures that matters are bound to, articles, holiday notices. Derived from the
//! charters' changes; what folds and actions look up stands in the [`World`](super::World).

use super::{Store, columns::array, error::StoreError, writer::Tx};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};
use yishi_protocol::{
    calendar::{self, Calendar},
    cert::Directory,
    charter::{Articles, InForce, Layer, read_issued},
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

/// The snapshot of a place that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    /// Whose.
    pub place: PlaceId,
    /// Its hash.
    pub hash: Hash,
    /// From 1.
    pub number: i64,
    /// The day.
    pub issued_on: Option<String>,
    /// The file of its articles.
    pub articles: Option<String>,
}

/// A holiday notice a place issued. Of one place and year the newest is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRow {
    /// Who issued it.
    pub place: PlaceId,
    /// Of which year.
    pub year: i32,
    /// The day.
    pub issued_on: Option<String>,
    /// The table.
    pub notice: String,
}

/// What one charter says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CharterRows {
    /// Every procedure it issued.
    pub procedures: Vec<IssuedRow>,
    /// Its snapshot in force.
    pub snapshot: Option<SnapshotRow>,
    /// The newest notice of each year.
    pub notices: Vec<NoticeRow>,
}

/// What binds here, of all charters that are here.
#[derive(Debug, Clone)]
pub struct Charters {
    /// Procedures that come with the program, and those issued.
    pub procedures: Procedures,
    /// The articles of this place and of every place that is not below it.
    articles: BTreeMap<PlaceId, Arc<Articles>>,
    /// The calendar of this place: notices that come with the program, and over them those that it or places
    /// above it issued, the higher place's before the lower one's.
    pub calendar: Arc<Calendar>,
}

impl Charters {
    /// The articles of a place and of those above it.
    #[must_use]
    pub fn in_force(&self, directory: &Directory, place: &PlaceId) -> InForce {
        let mut path = directory.place_ancestors(place);
        path.reverse();
        path.push(*place);
        let layer = |p: &PlaceId| Some(Layer { place: *p, articles: Arc::clone(self.articles.get(p)?) });
        InForce { layers: path.iter().filter_map(layer).collect() }
    }

    /// The articles of a place that is not below this one.
    #[must_use]
    pub fn articles(&self, place: &PlaceId) -> Option<&Arc<Articles>> {
        self.articles.get(place)
    }
}

/// What the database and the program say together.
pub(super) async fn load(
    conn: &mut SqliteConnection,
    directory: &Directory,
    me: &PlaceId,
) -> Result<Charters, StoreError> {
    let rows = sqlx::query("SELECT file FROM procedures ORDER BY pin").fetch_all(&mut *conn).await?;
    let mut read = Vec::new();
    for row in rows {
        // What an older program cannot read is as good as not here.
        read.extend(procedure::read(row.try_get(0)?).ok().map(|(procedure, _)| procedure));
    }
    let mut articles = BTreeMap::new();
    for row in sqlx::query("SELECT place, articles FROM snapshots WHERE articles IS NOT NULL")
        .fetch_all(&mut *conn)
        .await?
    {
        let place = PlaceId(array(&row, 0)?);
        // A district does not keep the articles of two thousand villages at hand.
        if !directory.all_ancestors(&place).contains(me) {
            articles.extend(read_issued(row.try_get(1)?).ok().map(|a| (place, Arc::new(a))));
        }
    }
    let calendar = calendar(conn, &directory.place_ancestors(me), me).await?;
    Ok(Charters { procedures: Procedures::shipped_and(read), articles, calendar })
}

/// The calendar of a place with these above it, the nearest first.
async fn calendar(
    conn: &mut SqliteConnection,
    above: &[PlaceId],
    me: &PlaceId,
) -> Result<Arc<Calendar>, StoreError> {
    static SHIPPED: OnceLock<Option<Arc<Calendar>>> = OnceLock::new();
    let shipped = SHIPPED.get_or_init(|| Calendar::shipped().ok().map(Arc::new));
    let shipped = shipped.clone().ok_or_else(|| StoreError::Damaged("the calendar cannot be read".into()))?;
    let rows = sqlx::query("SELECT place, year, notice FROM notices").fetch_all(conn).await?;
    // The highest place's word counts: its rank is the largest.
    let rank = |place: &PlaceId| match place == me {
        true => Some(0),
        false => above.iter().position(|p| p == place).map(|at| at + 1),
    };
    let mut issued: BTreeMap<i32, (usize, String)> = BTreeMap::new();
    for row in rows {
        let (place, year): (_, i32) = (PlaceId(array(&row, 0)?), row.try_get(1)?);
        let Some(rank) = rank(&place) else { continue };
        if issued.get(&year).is_none_or(|(before, _)| *before < rank) {
            issued.insert(year, (rank, row.try_get(2)?));
        }
    }
    if issued.is_empty() {
        return Ok(shipped);
    }
    let unchanged = calendar::shipped().into_iter().filter(|(year, _)| !issued.contains_key(year));
    let notices = unchanged.chain(issued.iter().map(|(year, (_, text))| (*year, text.as_str())));
    // Two notices may contradict each other about the days between their years: then none of them is taken.
    Ok(Calendar::from_notices(notices).map_or(shipped, Arc::new))
}

impl Tx {
    /// Keeps what charters say. What waits for a procedure, and what is due, is folded anew.
    pub(super) async fn keep_charters(&mut self, charters: Vec<CharterRows>) -> Result<(), StoreError> {
        let (mut pins, mut changed) = (false, false);
        for charter in charters {
            for row in charter.procedures {
                let sql = "INSERT OR IGNORE INTO procedures (pin, place, act, issued_on, file) VALUES (?1, ?2, ?3, ?4, ?5)";
                let done = sqlx::query(sql)
                    .bind(row.pin.0.to_vec())
                    .bind(row.place.0.to_vec())
                    .bind(row.act.to_string())
                    .bind(row.issued_on)
                    .bind(row.file)
                    .execute(&mut self.conn)
                    .await?;
                pins |= done.rows_affected() > 0;
            }
            if let Some(row) = charter.snapshot {
                let sql = "INSERT INTO snapshots (place, hash, number, issued_on, articles) VALUES (?1, ?2, ?3, ?4, ?5)
                           ON CONFLICT DO UPDATE SET hash = excluded.hash, number = excluded.number,
                           issued_on = excluded.issued_on, articles = excluded.articles
                           WHERE hash <> excluded.hash";
                let done = sqlx::query(sql)
                    .bind(row.place.0.to_vec())
                    .bind(row.hash.0.to_vec())
                    .bind(row.number)
                    .bind(row.issued_on)
                    .bind(&row.articles)
                    .execute(&mut self.conn)
                    .await?;
                changed |= done.rows_affected() > 0 && row.articles.is_some();
            }
            for row in charter.notices {
                let sql = "INSERT INTO notices (place, year, issued_on, notice) VALUES (?1, ?2, ?3, ?4)
                           ON CONFLICT DO UPDATE SET issued_on = excluded.issued_on, notice = excluded.notice
                           WHERE notice <> excluded.notice";
                let done = sqlx::query(sql)
                    .bind(row.place.0.to_vec())
                    .bind(row.year)
                    .bind(row.issued_on)
                    .bind(row.notice)
                    .execute(&mut self.conn)
                    .await?;
                changed |= done.rows_affected() > 0;
            }
        }
        if !pins && !changed {
            return Ok(());
        }
        let before = Arc::clone(&self.state.world);
        let now = load(&mut self.conn, &before.directory, &before.me.place).await?;
        let dated_anew = now.calendar.version() != before.charters.calendar.version();
        self.world_mut().charters = now;
        if !pins && !dated_anew {
            return Ok(());
        }
        self.state.stamp += 1;
        let sql = "INSERT INTO dirty (doc, stamp) SELECT m.doc, ?1 FROM matters m WHERE m.closed = 0
                   ON CONFLICT DO UPDATE SET stamp = excluded.stamp";
        sqlx::query(sql).bind(self.state.stamp).execute(&mut self.conn).await?;
        Ok(())
    }
}

fn snapshot_row(row: &SqliteRow) -> Result<SnapshotRow, StoreError> {
    Ok(SnapshotRow {
        place: PlaceId(array(row, 0)?),
        hash: Hash(array(row, 1)?),
        number: row.try_get(2)?,
        issued_on: row.try_get(3)?,
        articles: row.try_get(4)?,
    })
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

    /// The snapshot in force of a place, if its charter is here.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn snapshot_of(&self, place: &PlaceId) -> Result<Option<SnapshotRow>, StoreError> {
        let sql = "SELECT place, hash, number, issued_on, articles FROM snapshots WHERE place = ?1";
        let row = sqlx::query(sql).bind(place.0.to_vec()).fetch_optional(self.readers()).await?;
        row.as_ref().map(snapshot_row).transpose()
    }

    /// The notices that charters issued, by place and year.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn issued_notices(&self) -> Result<Vec<NoticeRow>, StoreError> {
        let sql = "SELECT place, year, issued_on, notice FROM notices ORDER BY year, place";
        let rows = sqlx::query(sql).fetch_all(self.readers()).await?;
        rows.iter()
            .map(|row| {
                Ok(NoticeRow {
                    place: PlaceId(array(row, 0)?),
                    year: row.try_get(1)?,
                    issued_on: row.try_get(2)?,
                    notice: row.try_get(3)?,
                })
            })
            .collect()
    }
}
