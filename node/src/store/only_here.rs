//! What nobody else has: matters with changes that the parent may see and has not signed for. Of a box whose
//! place another one has taken over it is all that the place would lose with it.

use super::{
    Store,
    columns::{array, unsigned},
    error::StoreError,
};
use sqlx::Row;
use yishi_protocol::{ids::DocId, kind::Kind};

/// A matter of which this database alone has something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnlyHere {
    /// Its document.
    pub doc: DocId,
    /// Its number, if lists show it.
    pub number: Option<String>,
    /// Its title, likewise.
    pub title: Option<String>,
    /// How many changes are here only.
    pub changes: u64,
}

impl Store {
    /// Matters with changes that are here and, as far as its receipts say, not at the parent: in the order they
    /// were written. What never goes to the parent is not among them.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn only_here(&self) -> Result<Vec<OnlyHere>, StoreError> {
        let world = self.world();
        let Some(parent) = world.parent() else { return Ok(Vec::new()) };
        let sql = "SELECT d.doc, m.number, m.title, count(*) FROM commits c
                   JOIN docs d ON d.id = c.doc LEFT JOIN matters m ON m.doc = d.id
                   WHERE c.stored_up = 0 AND c.origin_link IS NOT ?1 AND d.kind = ?2
                   GROUP BY d.id ORDER BY min(c.stored_at_ms), d.id";
        let rows = sqlx::query(sql)
            .bind(parent.id.0)
            .bind(i64::from(Kind::Proposal.number()))
            .fetch_all(self.readers())
            .await?;
        let found: Vec<OnlyHere> = rows
            .iter()
            .map(|row| {
                Ok::<_, StoreError>(OnlyHere {
                    doc: DocId(array(row, 0)?),
                    number: row.try_get(1)?,
                    title: row.try_get(2)?,
                    changes: unsigned(row, 3)?,
                })
            })
            .collect::<Result<_, _>>()?;
        let docs: Vec<DocId> = found.iter().map(|o| o.doc).collect();
        let audiences = self.audiences(&docs).await?;
        let shown =
            |doc: &DocId| audiences.get(doc).is_some_and(|a| a.includes(&world.directory, &parent.peer));
        Ok(found.into_iter().filter(|o| shown(&o.doc)).collect())
    }
}
