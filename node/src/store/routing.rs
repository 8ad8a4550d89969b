//! Which links see which documents, kept in `visible` and widened here.
//!
//! Visibility only grows while a link is open and no place is moved. Whenever it grows for documents that are already stored,
//! each newly seeing link gets one whole-document row with the document's last change as watermark;
//! everything stored later follows by itself.

use super::{
    columns::{array, insert_rows, json_ints},
    error::StoreError,
    feed::FeedKind,
    world::LinkId,
    writer::Tx,
};
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};
use yishi_protocol::{
    audience::{Audience, Grant},
    header::Header,
    ids::{ChangeHash, DocId, PlaceId},
    planted::Bug,
};

/// Documents routed at a time: bounds memory when a link opens on a large store.
const ROUTED_AT_ONCE: i64 = 500;

/// A stored document, as far as routing needs it.
struct Routed {
    doc: DocId,
    home: PlaceId,
    audience: Audience,
    seen_by: BTreeSet<LinkId>,
    watermark: i64,
    last: ChangeHash,
}

impl Tx {
    /// Notes which links see a new document.
    pub(super) async fn insert_visible(&mut self, rows: Vec<(i64, LinkId)>) -> Result<(), StoreError> {
        let head = "INSERT OR IGNORE INTO visible (doc, link)";
        insert_rows(&mut self.conn, head, 2, "", rows, |q, (doc, link)| q.bind(doc).bind(link.0)).await
    }

    /// Remembers the places of an audience that no certificate here speaks of yet.
    pub(super) async fn note_unplaced(&mut self, doc: i64, audience: &Audience) -> Result<(), StoreError> {
        for reach in &audience.0 {
            let place = reach.place();
            if self.state.world.directory.place(&place).is_none() {
                sqlx::query("INSERT OR IGNORE INTO unplaced (place, doc) VALUES (?1, ?2)")
                    .bind(place.0.to_vec())
                    .bind(doc)
                    .execute(&mut self.conn)
                    .await?;
            }
        }
        Ok(())
    }

    /// Routes again what was waiting for a place's first certificate.
    pub(super) async fn place_appeared(&mut self, place: &PlaceId) -> Result<(), StoreError> {
        let rows = sqlx::query("DELETE FROM unplaced WHERE place = ?1 RETURNING doc")
            .bind(place.0.to_vec())
            .fetch_all(&mut self.conn)
            .await?;
        let docs = rows.iter().map(|r| r.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
        if !docs.is_empty() {
            self.widen(&docs, None).await?;
        }
        Ok(())
    }

    /// Routes everything again: a link was opened or a place has another parent.
    pub(super) async fn widen_all(&mut self) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let rows = sqlx::query("SELECT id FROM docs WHERE id > ?1 ORDER BY id LIMIT ?2")
                .bind(after)
                .bind(ROUTED_AT_ONCE)
                .fetch_all(&mut self.conn)
                .await?;
            let docs = rows.iter().map(|r| r.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
            let Some(last) = docs.last() else { return Ok(()) };
            after = *last;
            self.widen(&docs, None).await?;
            self.flush_feeds().await?;
        }
    }

    /// Routes stored documents again; returns the links that see each from now on and did not before.
    pub(super) async fn widen(
        &mut self,
        docs: &[i64],
        from: Option<LinkId>,
    ) -> Result<BTreeMap<i64, Vec<LinkId>>, StoreError> {
        let stored = self.routed(docs).await?;
        let world = self.state.world.clone();
        // Who widened it has it, though not what was written meanwhile by others: a moved place and its new
        // parent hear of each other's widenings in any order.
        let more = match from {
            Some(link) => self.not_all_from(docs, link).await?,
            None => BTreeSet::new(),
        };
        let (mut rows, mut newly, mut gone) = (Vec::new(), BTreeMap::new(), Vec::new());
        for (id, routed) in stored {
            let audience = routed.audience.now(&world.directory, &routed.home);
            let routes = self.routes.routes(&world, &audience);
            // Who was above once and is no more keeps what it has and gets nothing new.
            gone.extend(routed.seen_by.iter().filter(|l| !routes.contains(l)).map(|l| (id, *l)));
            for link in routes.iter() {
                if routed.seen_by.contains(link) {
                    continue;
                }
                rows.push((id, *link));
                newly.entry(id).or_insert_with(Vec::new).push(*link);
                // One without changes is being written in this very batch: its rows follow one by one.
                let has_all = from == Some(*link) && !more.contains(&id);
                if !has_all && routed.watermark > 0 && !Bug::WidenNewOnly.planted() {
                    let identity = [routed.doc.as_bytes(), routed.last.as_bytes()];
                    self.feed(*link, FeedKind::Document, id, routed.watermark, &identity);
                }
            }
        }
        self.insert_visible(rows).await?;
        for (doc, link) in gone {
            sqlx::query("DELETE FROM visible WHERE doc = ?1 AND link = ?2")
                .bind(doc)
                .bind(link.0)
                .execute(&mut self.conn)
                .await?;
        }
        Ok(newly)
    }

    /// Which of the documents hold changes that did not come over a link.
    async fn not_all_from(&mut self, docs: &[i64], link: LinkId) -> Result<BTreeSet<i64>, StoreError> {
        let sql = "SELECT DISTINCT c.doc FROM json_each(?1) j CROSS JOIN commits c ON c.doc = j.value
                   WHERE c.origin_link IS NOT ?2";
        let ids = json_ints(docs.iter().copied());
        let rows = sqlx::query(sql).bind(ids).bind(link.0).fetch_all(&mut self.conn).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    async fn routed(&mut self, docs: &[i64]) -> Result<BTreeMap<i64, Routed>, StoreError> {
        let ids = json_ints(docs.iter().copied());
        let mut out = BTreeMap::new();
        let sql = "SELECT d.id, d.doc, d.header,
                          coalesce((SELECT max(c.id) FROM commits c WHERE c.doc = d.id), 0)
                   FROM json_each(?1) j CROSS JOIN docs d ON d.id = j.value";
        for row in sqlx::query(sql).bind(&ids).fetch_all(&mut self.conn).await? {
            let header = Header::decode(row.try_get(2)?)?;
            let routed = Routed {
                doc: DocId(array(&row, 1)?),
                home: header.home,
                audience: Audience::of_header(&header),
                seen_by: BTreeSet::new(),
                watermark: row.try_get(3)?,
                last: ChangeHash([0; 32]),
            };
            out.insert(row.try_get::<i64, _>(0)?, routed);
        }
        let sql = "SELECT g.doc, g.bytes FROM json_each(?1) j CROSS JOIN grants g ON g.doc = j.value";
        for row in sqlx::query(sql).bind(&ids).fetch_all(&mut self.conn).await? {
            if let Some(routed) = out.get_mut(&row.try_get::<i64, _>(0)?) {
                routed.audience.0.insert(Grant::decode(routed.doc, row.try_get(1)?)?.reach);
            }
        }
        let sql = "SELECT v.doc, v.link FROM json_each(?1) j CROSS JOIN visible v ON v.doc = j.value";
        for row in sqlx::query(sql).bind(&ids).fetch_all(&mut self.conn).await? {
            if let Some(routed) = out.get_mut(&row.try_get::<i64, _>(0)?) {
                routed.seen_by.insert(LinkId(row.try_get(1)?));
            }
        }
        let marks = json_ints(out.values().map(|r| r.watermark).filter(|w| *w > 0));
        let sql = "SELECT c.doc, c.hash FROM json_each(?1) j CROSS JOIN commits c ON c.id = j.value";
        for row in sqlx::query(sql).bind(marks).fetch_all(&mut self.conn).await? {
            if let Some(routed) = out.get_mut(&row.try_get::<i64, _>(0)?) {
                routed.last = ChangeHash(array(&row, 1)?);
            }
        }
        Ok(out)
    }
}
