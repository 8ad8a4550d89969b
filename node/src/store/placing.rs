//! A place was moved, merged or re-coded: the record is kept and told to every link, the links follow the
//! tree, and every document is routed and folded again.
//!
//! A child that learns of its new parent closes its link to the old one and opens one to the new, with
//! everything it may see; the old parent keeps its end until then, so that a place that was offline for
//! months still hears of it there, but feeds it nothing else.

use super::{batch::NewLink, error::StoreError, feed::FeedKind, world::LinkId, writer::Tx};
use sqlx::Row;
use yishi_protocol::cert::Placement;

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
            // "Stored there" is said of the levels above as they are: the new ones sign for what they get.
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
}
