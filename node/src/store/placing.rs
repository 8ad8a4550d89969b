//! A place was moved, merged or re-coded: the record is kept and told to every link, the links follow the
//! tree, and every document is routed and folded again.
//!
//! A child that learns of its new parent closes its link to the old one and opens one to the new, with
//! everything it may see; the old parent keeps its end until then, so that a place that was offline for
//! months still hears of it there, but feeds it nothing else.

use super::{
    batch::{NewCommit, NewLink},
    columns::array,
    error::StoreError,
    feed::FeedKind,
    world::LinkId,
    writer::Tx,
};
use sqlx::Row;
use std::{collections::BTreeMap, sync::Arc};
use yishi_protocol::{
    cert::Placement,
    ids::{ActorId, CertHash, DocId},
};

impl Tx {
    pub(super) async fn add_placement(
        &mut self,
        placement: Placement,
        from: Option<LinkId>,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        let hash = placement.hash().0;
        let sql = "INSERT OR IGNORE INTO placements (hash, bytes, at_ms) VALUES (?1, ?2, ?3) RETURNING id";
        let row = sqlx::query(sql)
            .bind(hash.to_vec())
            .bind(placement.encode())
            .bind(at_ms.cast_signed())
            .fetch_optional(&mut self.conn)
            .await?;
        let Some(row) = row else { return Ok(()) };
        let id: i64 = row.try_get(0)?;
        let path = |tx: &Self| tx.state.world.directory.place_ancestors(&tx.state.world.me.place);
        let before = path(self);
        self.world_mut().directory.place_at(&placement)?;
        let now = path(self);
        if now != before {
            // "Stored there" is said of the levels above as they are: the new ones sign for what they get, and those
            // that are above still sign again for what comes by another way.
            let same = before.iter().zip(&now).take_while(|(b, n)| b == n).count();
            let sql = "UPDATE commits SET stored_up = ?1 WHERE stored_up > ?1";
            let levels = i64::try_from(same).unwrap_or(i64::MAX);
            sqlx::query(sql).bind(levels).execute(&mut self.conn).await?;
        }
        let world = self.state.world.clone();
        for link in world.links.iter().filter(|l| Some(l.id) != from) {
            self.feed(link.id, FeedKind::Placement, 0, id, &[&hash]);
        }
        self.follow_tree().await?;
        self.widen_all().await?;
        // Who holds a matter, who was above whom and what is owed to whom may be different for each.
        self.state.stamp += 1;
        let sql = "INSERT INTO dirty (doc, stamp) SELECT id, ?1 FROM docs WHERE true
                   ON CONFLICT DO UPDATE SET stamp = excluded.stamp";
        sqlx::query(sql).bind(self.state.stamp).execute(&mut self.conn).await?;
        Ok(())
    }

    /// Opens and closes links as the tree is now.
    async fn follow_tree(&mut self) -> Result<(), StoreError> {
        let world = self.state.world.clone();
        let me = world.me.place;
        if let Some(placement) = world.directory.placement(&me)
            && let Some(up) = world.parent()
            && up.peer != placement.parent
        {
            self.close_link(up.id).await?;
            let address = Some(placement.address.clone()).filter(|a| !a.is_empty());
            self.open_link(NewLink { peer: placement.parent, up: true, address }).await?;
        }
        let moved_here = world.directory.placements().map(|p| p.place);
        let mut children: Vec<_> =
            moved_here.filter(|p| world.directory.parent(p) == Some(me) && *p != me).collect();
        children.sort_unstable();
        children.dedup();
        for peer in children {
            if world.link_to(&peer).is_none() && world.directory.place(&peer).is_some_and(|p| !p.revoked) {
                self.open_link(NewLink { peer, up: false, address: None }).await?;
            }
        }
        Ok(())
    }

    /// Whether a change's author is a place below that link's peer, and was moved or stands under one that was: then
    /// the change may have come by its former path first.
    pub(super) async fn moved_below(&mut self, link: LinkId, actor: &ActorId) -> Result<bool, StoreError> {
        let world = self.state.world.clone();
        let Some(link) = world.link(link).filter(|l| !l.up) else { return Ok(false) };
        if world.directory.placements().next().is_none() {
            return Ok(false);
        }
        let sql = "SELECT c.hash FROM actors a JOIN certs c ON c.id = a.cert WHERE a.actor = ?1";
        let row = sqlx::query(sql).bind(actor.0.to_vec()).fetch_optional(&mut self.conn).await?;
        let Some(row) = row else { return Ok(false) };
        let Some(place) = world.directory.get(&CertHash(array(&row, 0)?)).map(|c| c.place) else {
            return Ok(false);
        };
        let below = place == link.peer || world.directory.place_ancestors(&place).contains(&link.peer);
        Ok(below && !world.directory.former_paths(&place).is_empty())
    }

    /// From now on it counts as come over this link: receipts of the levels above go down this way.
    pub(super) async fn came_by(
        &mut self,
        row: i64,
        link: LinkId,
        new: &NewCommit,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE commits SET origin_link = ?2 WHERE id = ?1")
            .bind(row)
            .bind(link.0)
            .execute(&mut self.conn)
            .await?;
        self.came_again(row, new).await
    }

    /// Feeds documents to the parent once more, which has them by another way: its signature, and those of the levels
    /// above it, are owed to the place they come from now.
    pub(super) async fn sign_again(
        &mut self,
        to_sign: BTreeMap<i64, (DocId, Arc<[LinkId]>)>,
    ) -> Result<(), StoreError> {
        let Some(up) = self.state.world.parent().map(|l| l.id) else { return Ok(()) };
        for (row, (id, links)) in to_sign {
            if !links.contains(&up) {
                continue;
            }
            let sql = "SELECT id, hash FROM commits WHERE doc = ?1 ORDER BY id DESC LIMIT 1";
            let last = sqlx::query(sql).bind(row).fetch_one(&mut self.conn).await?;
            let (watermark, hash): (i64, [u8; 32]) = (last.try_get(0)?, array(&last, 1)?);
            self.feed(up, FeedKind::Document, row, watermark, &[id.as_bytes(), &hash]);
        }
        Ok(())
    }
}
