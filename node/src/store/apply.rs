//! Storing a batch: one order for everything, so that each part finds what it builds on.
//!
//! Certificates, links, revocations, actors; headers with their routes; grants; changes, each with one
//! feed row for every link that may see it except the one it came from; the rows of grants; wraps;
//! signatures, receipts; the link's cursor and acknowledgement last.

use super::{
    batch::{Batch, NewCommit, VerdictKind, Written},
    columns::{array, insert_rows, joined, json_ids, json_ints, json_pairs},
    error::StoreError,
    feed::FeedKind,
    world::{LinkId, World},
    writer::Tx,
};
use sqlx::Row;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};
use yishi_protocol::{
    audience::{Audience, Grant},
    cert::{CertError, Certificate, Placement, Revocation},
    commit::{ActorRecord, Cover},
    header::Header,
    ids::{ActorId, CertHash, ChangeHash, DocId, Hash},
    planted::Bug,
};

/// A document a batch is about.
struct Doc {
    row: i64,
    /// Its header came with this batch.
    new: bool,
    links: Arc<[LinkId]>,
}

type Docs = HashMap<DocId, Doc>;

/// A change on its way into the table.
struct CommitRow {
    id: i64,
    doc: i64,
    actor: i64,
    cover_cert: Option<i64>,
    from: Option<LinkId>,
    at_ms: i64,
    new: NewCommit,
}

impl Tx {
    /// Stores a batch.
    pub(super) async fn apply(&mut self, batch: Batch) -> Result<Written, StoreError> {
        let certs = self.certs.len();
        self.add_records(batch.certs, batch.placements, batch.from, batch.at_ms).await?;
        let new_certs = self.certs.len() > certs;
        for link in batch.links {
            self.open_link(link).await?;
        }
        for revocation in batch.revocations {
            self.add_revocation(revocation, batch.from, batch.at_ms).await?;
        }
        for actor in batch.actors {
            self.add_actor(actor).await?;
        }

        let mut docs = {
            let named = batch.grants.iter().map(|g| g.doc).chain(batch.wraps.iter().map(|w| w.0));
            let changed = batch.commits.iter().map(|c| c.commit.doc).chain(batch.covers.iter().map(|c| c.0));
            let followed = batch.externals.iter().map(|e| e.1);
            let headed = batch.docs.iter().map(Header::doc_id);
            self.find_docs(headed.chain(named).chain(changed).chain(followed).collect()).await?
        };
        let mut touched = Touched::default();
        self.add_docs(batch.docs, &mut docs, &mut touched).await?;
        let granted = self.add_grants(batch.grants, &mut docs, batch.from, &mut touched).await?;
        let received = batch.commits.len();
        let (rows, covers) =
            self.sort_commits(batch.commits, batch.from, batch.at_ms, &docs, &mut touched).await?;
        self.insert_commits(rows).await?;
        // After the changes: a block may end between the two, and a header never travels without its first.
        for (link, doc, item, hash) in granted {
            self.feed(link, FeedKind::Grant, doc, item, &[hash.as_bytes()]);
        }
        for (id, record) in batch.wraps {
            let doc = doc_of(&docs, &id)?;
            self.add_beside((id, doc.row, doc.links.as_ref()), record, batch.from).await?;
        }
        for (doc, change, cover) in batch.covers.into_iter().chain(covers) {
            self.add_cover(&docs, doc, change, cover).await?;
        }
        for receipt in batch.receipts {
            self.add_receipt(receipt, batch.at_ms).await?;
        }
        for (external, doc) in batch.externals {
            let row = doc_of(&docs, &doc)?.row;
            sqlx::query("INSERT INTO follow (system, number, doc) VALUES (?1, ?2, ?3)")
                .bind(external.system)
                .bind(external.number)
                .bind(row)
                .execute(&mut self.conn)
                .await?;
        }
        for serial in batch.serials {
            let sql = "INSERT INTO numbers (year, block, next) VALUES (?1, ?2, ?3)
                       ON CONFLICT DO UPDATE SET next = max(next, excluded.next)";
            sqlx::query(sql)
                .bind(i64::from(serial.year))
                .bind(i64::from(serial.block))
                .bind(i64::from(serial.serial) + 1)
                .execute(&mut self.conn)
                .await?;
        }

        let refused = batch.verdicts.iter().filter(|v| v.kind == VerdictKind::Refused).count();
        // What waits of this very batch has seen its certificates; what waited before has not.
        let came = if batch.from.is_some() { touched.order.as_slice() } else { &[] };
        self.note_cursor(batch.cursor, batch.ack).await?;
        self.release_parked(came, new_certs).await?;
        self.note_verdicts(batch.verdicts, batch.at_ms).await?;
        if let Some(from) = batch.from {
            self.count_received(from, received, refused, batch.at_ms).await?;
        }
        self.mark_dirty(touched.rows.iter().copied()).await?;
        self.flush_feeds().await?;
        self.written.docs_touched.extend(touched.order);
        Ok(self.written.clone())
    }

    /// Certificates and placements, which stand on each other.
    pub(super) async fn add_records(
        &mut self,
        certs: Vec<Certificate>,
        placements: Vec<Placement>,
        from: Option<LinkId>,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        // A later parent's certificates stand on placements, and those on earlier certificates.
        let mut adopted = Vec::new();
        for cert in certs {
            match self.add_cert(cert.clone(), at_ms).await {
                Err(StoreError::Certificate(CertError::NotFounder | CertError::UnknownIssuer)) => {
                    adopted.push(cert);
                }
                added => added?,
            }
        }
        for placement in placements {
            self.add_placement(placement, from, at_ms).await?;
        }
        for cert in adopted {
            self.add_cert(cert, at_ms).await?;
        }
        Ok(())
    }

    pub(super) async fn add_cert(&mut self, cert: Certificate, at_ms: u64) -> Result<(), StoreError> {
        let hash = cert.hash();
        let (place, bytes) = (cert.place, cert.encode());
        let directory = &self.state.world.directory;
        if directory.get(&hash).is_some() {
            return Ok(());
        }
        let parent = |dir: &yishi_protocol::cert::Directory| dir.place(&place).map(|_| dir.parent(&place));
        let before = parent(directory);
        self.world_mut().directory.add(cert)?;
        let after = parent(&self.state.world.directory);
        let row = sqlx::query("INSERT INTO certs (hash, bytes, at_ms) VALUES (?1, ?2, ?3) RETURNING id")
            .bind(hash.0.to_vec())
            .bind(bytes)
            .bind(at_ms.cast_signed())
            .fetch_one(&mut self.conn)
            .await?;
        self.certs.insert(hash, row.try_get(0)?);
        match before {
            None => self.place_appeared(&place).await,
            // The place moved: what was seen by nobody above it before may be seen now.
            Some(_) if before != after => self.widen_all().await,
            Some(_) => Ok(()),
        }
    }

    async fn add_revocation(
        &mut self,
        revocation: Revocation,
        from: Option<LinkId>,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        let hash = revocation.hash().0;
        let sql = "INSERT OR IGNORE INTO revocations (hash, bytes, at_ms) VALUES (?1, ?2, ?3) RETURNING id";
        let row = sqlx::query(sql)
            .bind(hash.to_vec())
            .bind(revocation.encode())
            .bind(at_ms.cast_signed())
            .fetch_optional(&mut self.conn)
            .await?;
        let Some(row) = row else { return Ok(()) };
        let id: i64 = row.try_get(0)?;
        let ended = |world: &World| -> BTreeSet<CertHash> {
            let revoked = world.directory.iter().map(|(hash, _)| *hash);
            revoked.filter(|h| world.directory.is_revoked(h)).collect()
        };
        let mut revoked = ended(&self.state.world);
        self.world_mut().directory.revoke(&revocation)?;
        let world = self.state.world.clone();
        for link in world.links.iter().filter(|l| Some(l.id) != from) {
            self.feed(link.id, FeedKind::Revocation, 0, id, &[&hash]);
        }
        // What revoked keys wrote counts differently from now on; so does what those wrote whose own
        // revocation was signed by the key that ended.
        revoked.extend(ended(&world));
        let held: BTreeSet<CertHash> = revoked.iter().flat_map(|h| world.directory.held_with(h)).collect();
        self.state.stamp += 1;
        let sql = "INSERT INTO dirty (doc, stamp)
                   SELECT DISTINCT c.doc, ?2 FROM json_each(?1) j
                   CROSS JOIN certs x ON x.hash = unhex(j.value)
                   JOIN actors a ON a.cert = x.id JOIN commits c ON c.actor = a.id
                   WHERE true ON CONFLICT DO UPDATE SET stamp = excluded.stamp";
        sqlx::query(sql).bind(json_ids(held)).bind(self.state.stamp).execute(&mut self.conn).await?;
        Ok(())
    }

    pub(super) async fn add_actor(&mut self, record: ActorRecord) -> Result<(), StoreError> {
        if self.actors.contains_key(&record.actor) {
            return Ok(());
        }
        let world = self.state.world.clone();
        let cert = world.directory.get(&record.cert).ok_or(StoreError::UnknownCertificate(record.cert))?;
        if cert.actor(record.incarnation) != record.actor {
            return Err(StoreError::WrongActor(record.actor));
        }
        let cert_row = self.cert_row(&record.cert).await?;
        sqlx::query("INSERT OR IGNORE INTO actors (actor, cert, incarnation) VALUES (?1, ?2, ?3)")
            .bind(record.actor.0.to_vec())
            .bind(cert_row)
            .bind(i64::from(record.incarnation.0))
            .execute(&mut self.conn)
            .await?;
        self.actor_row(&record.actor).await?;
        Ok(())
    }

    async fn cert_row(&mut self, cert: &CertHash) -> Result<i64, StoreError> {
        if let Some(row) = self.certs.get(cert) {
            return Ok(*row);
        }
        let row = sqlx::query("SELECT id FROM certs WHERE hash = ?1")
            .bind(cert.0.to_vec())
            .fetch_optional(&mut self.conn)
            .await?
            .ok_or(StoreError::UnknownCertificate(*cert))?;
        let id = row.try_get(0)?;
        self.certs.insert(*cert, id);
        Ok(id)
    }

    async fn actor_row(&mut self, actor: &ActorId) -> Result<i64, StoreError> {
        if let Some(row) = self.actors.get(actor) {
            return Ok(*row);
        }
        let row = sqlx::query("SELECT id FROM actors WHERE actor = ?1")
            .bind(actor.0.to_vec())
            .fetch_optional(&mut self.conn)
            .await?
            .ok_or(StoreError::UnknownActor(*actor))?;
        let id = row.try_get(0)?;
        self.actors.insert(*actor, id);
        Ok(id)
    }

    async fn find_docs(&mut self, ids: BTreeSet<DocId>) -> Result<Docs, StoreError> {
        let mut docs = Docs::new();
        if ids.is_empty() {
            return Ok(docs);
        }
        let mut links: HashMap<i64, (DocId, Vec<LinkId>)> = HashMap::new();
        let sql = "SELECT d.id, d.doc, v.link FROM json_each(?1) j
                   CROSS JOIN docs d ON d.doc = unhex(j.value) LEFT JOIN visible v ON v.doc = d.id";
        for row in sqlx::query(sql).bind(json_ids(ids)).fetch_all(&mut self.conn).await? {
            let doc = DocId(array(&row, 1)?);
            let (_, seen_by) = links.entry(row.try_get(0)?).or_insert((doc, Vec::new()));
            seen_by.extend(row.try_get::<Option<i64>, _>(2)?.map(LinkId));
        }
        for (row, (doc, links)) in links {
            docs.insert(doc, Doc { row, new: false, links: links.into() });
        }
        Ok(docs)
    }

    async fn add_docs(
        &mut self,
        headers: Vec<Header>,
        docs: &mut Docs,
        touched: &mut Touched,
    ) -> Result<(), StoreError> {
        let world = self.state.world.clone();
        let (mut rows, mut visible) = (Vec::new(), Vec::new());
        for header in headers {
            let id = header.doc_id();
            if docs.contains_key(&id) {
                continue;
            }
            let audience = Audience::of_header(&header);
            let row = self.state.next_doc;
            self.state.next_doc += 1;
            let links = self.routes.routes(&world, &audience.now(&world.directory, &header.home));
            visible.extend(links.iter().map(|l| (row, *l)));
            self.note_unplaced(row, &audience).await?;
            let doc = Doc { row, new: true, links };
            touched.add(id, &doc);
            docs.insert(id, doc);
            rows.push((row, id, header));
        }
        let head = "INSERT INTO docs (id, doc, kind, home, header)";
        insert_rows(&mut self.conn, head, 5, "", rows, |q, (row, id, header)| {
            q.bind(row)
                .bind(id.0.to_vec())
                .bind(i64::from(header.kind.number()))
                .bind(header.home.0.to_vec())
                .bind(header.encode())
        })
        .await?;
        self.insert_visible(visible).await
    }

    async fn add_grants(
        &mut self,
        grants: Vec<Grant>,
        docs: &mut Docs,
        from: Option<LinkId>,
        touched: &mut Touched,
    ) -> Result<Vec<(LinkId, i64, i64, Hash)>, StoreError> {
        let (mut widened, mut rows, mut new_grants) = (BTreeSet::new(), Vec::new(), Vec::new());
        for grant in grants {
            let doc = doc_of(docs, &grant.doc)?;
            let hash = grant.hash();
            let sql = "INSERT OR IGNORE INTO grants (doc, hash, bytes) VALUES (?1, ?2, ?3) RETURNING id";
            let row = sqlx::query(sql)
                .bind(doc.row)
                .bind(hash.0.to_vec())
                .bind(grant.encode())
                .fetch_optional(&mut self.conn)
                .await?;
            let Some(row) = row else { continue };
            let id: i64 = row.try_get(0)?;
            rows.extend(doc.links.iter().filter(|l| Some(**l) != from).map(|l| (*l, doc.row, id, hash)));
            new_grants.push((doc.row, id, hash));
            self.note_unplaced(doc.row, &Audience([grant.reach].into())).await?;
            touched.add(grant.doc, doc);
            widened.insert((doc.row, grant.doc));
        }
        let wider: Vec<i64> = widened.iter().map(|(row, _)| *row).collect();
        if wider.is_empty() {
            return Ok(rows);
        }
        let newly = self.widen(&wider, from).await?;
        for (row, id) in widened {
            if let (Some(links), Some(doc)) = (newly.get(&row), docs.get_mut(&id)) {
                if doc.new {
                    let own: Vec<(i64, Hash)> =
                        new_grants.iter().filter(|g| g.0 == row).map(|g| (g.1, g.2)).collect();
                    let links = links.iter().filter(|l| Some(**l) != from);
                    rows.extend(links.flat_map(|l| own.iter().map(|(item, hash)| (*l, row, *item, *hash))));
                }
                doc.links = doc.links.iter().chain(links).copied().collect();
            }
        }
        Ok(rows)
    }

    /// Drops what is here already, numbers the rest and feeds it to the links. Signatures that came
    /// with changes already here are returned: they may be the first for them.
    async fn sort_commits(
        &mut self,
        commits: Vec<NewCommit>,
        from: Option<LinkId>,
        at_ms: u64,
        docs: &Docs,
        touched: &mut Touched,
    ) -> Result<(Vec<CommitRow>, Vec<(DocId, ChangeHash, Cover)>), StoreError> {
        let mut seen: HashSet<(i64, ChangeHash)> = HashSet::with_capacity(commits.len());
        let mut pairs = Vec::new();
        // Changes that come once more from where they came from, with their rows.
        let mut again: HashMap<(i64, ChangeHash), i64> = HashMap::new();
        for new in &commits {
            let doc = doc_of(docs, &new.commit.doc)?;
            if !doc.new {
                pairs.push((doc.row, new.commit.hash));
            }
        }
        if !pairs.is_empty() {
            let sql = "SELECT c.doc, c.hash, c.id, c.origin_link FROM json_each(?1) j
                       CROSS JOIN commits c ON c.doc = json_extract(j.value, '$[0]')
                                           AND c.hash = unhex(json_extract(j.value, '$[1]'))";
            for row in sqlx::query(sql).bind(json_pairs(pairs)).fetch_all(&mut self.conn).await? {
                let key = (row.try_get(0)?, ChangeHash(array(&row, 1)?));
                seen.insert(key);
                if from.is_some() && row.try_get::<Option<i64>, _>(3)? == from.map(|l| l.0) {
                    again.insert(key, row.try_get(2)?);
                }
            }
        }
        let (mut rows, mut covers) = (Vec::with_capacity(commits.len()), Vec::new());
        for new in commits {
            let commit = &new.commit;
            let doc = doc_of(docs, &commit.doc)?;
            if !seen.insert((doc.row, commit.hash)) {
                covers.extend(commit.cover.map(|c| (commit.doc, commit.hash, c)));
                if let Some(row) = again.remove(&(doc.row, commit.hash)) {
                    self.came_again(row, &new).await?;
                }
                continue;
            }
            let id = self.state.next_commit;
            self.state.next_commit += 1;
            for link in doc.links.iter().filter(|l| Some(**l) != from || Bug::Echo.planted()) {
                let identity = [commit.doc.as_bytes(), commit.hash.as_bytes()];
                self.feed(*link, FeedKind::Commit, doc.row, id, &identity);
            }
            touched.add(commit.doc, doc);
            let actor = self.actor_row(&commit.actor).await?;
            let cover_cert = match &commit.cover {
                Some(cover) => Some(self.cert_row(&cover.cert).await?),
                None => None,
            };
            rows.push(CommitRow {
                id,
                doc: doc.row,
                actor,
                cover_cert,
                from,
                at_ms: at_ms.cast_signed(),
                new,
            });
        }
        self.written.new_commits += rows.len();
        Ok((rows, covers))
    }

    /// The block it came in last is the one whose receipt the sender holds.
    async fn came_again(&mut self, row: i64, new: &NewCommit) -> Result<(), StoreError> {
        sqlx::query("UPDATE commits SET origin_seq = ?2, origin_ord = ?3 WHERE id = ?1")
            .bind(row)
            .bind(new.origin_seq.cast_signed())
            .bind(i64::from(new.origin_ord))
            .execute(&mut self.conn)
            .await?;
        Ok(())
    }

    async fn insert_commits(&mut self, rows: Vec<CommitRow>) -> Result<(), StoreError> {
        let head = "INSERT INTO commits (id, doc, hash, actor, seq, max_op, deps, cover_cert, cover_sig, origin_link, origin_seq, origin_ord, stored_at_ms, bytes)";
        insert_rows(&mut self.conn, head, 14, "", rows, |q, r| {
            let commit = r.new.commit;
            q.bind(r.id)
                .bind(r.doc)
                .bind(commit.hash.0.to_vec())
                .bind(r.actor)
                .bind(commit.seq.cast_signed())
                .bind(commit.max_op.cast_signed())
                .bind(joined(&commit.deps))
                .bind(r.cover_cert)
                .bind(commit.cover.map(|c| c.signature.0.to_vec()))
                .bind(r.from.map(|l| l.0))
                .bind(r.new.origin_seq.cast_signed())
                .bind(i64::from(r.new.origin_ord))
                .bind(r.at_ms)
                .bind(commit.bytes)
        })
        .await
    }

    async fn add_cover(
        &mut self,
        docs: &Docs,
        id: DocId,
        change: ChangeHash,
        cover: Cover,
    ) -> Result<(), StoreError> {
        let doc = doc_of(docs, &id)?;
        let cert = self.cert_row(&cover.cert).await?;
        // The first signature stays: one is enough.
        let sql =
            "UPDATE commits SET cover_cert = coalesce(cover_cert, ?3), cover_sig = coalesce(cover_sig, ?4)
                   WHERE doc = ?1 AND hash = ?2";
        let done = sqlx::query(sql)
            .bind(doc.row)
            .bind(change.0.to_vec())
            .bind(cert)
            .bind(cover.signature.0.to_vec())
            .execute(&mut self.conn)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::UnknownChange(id, change));
        }
        Ok(())
    }

    /// Puts documents into the projector's queue.
    pub(super) async fn mark_dirty(&mut self, docs: impl Iterator<Item = i64>) -> Result<(), StoreError> {
        let docs = json_ints(docs);
        if docs.len() > 2 {
            self.state.stamp += 1;
            let sql = "INSERT INTO dirty (doc, stamp) SELECT value, ?2 FROM json_each(?1) WHERE true
                       ON CONFLICT DO UPDATE SET stamp = excluded.stamp";
            sqlx::query(sql).bind(docs).bind(self.state.stamp).execute(&mut self.conn).await?;
        }
        Ok(())
    }
}

/// Documents a batch changed, in the order it came to them.
#[derive(Default)]
struct Touched {
    rows: BTreeSet<i64>,
    order: Vec<DocId>,
}

impl Touched {
    fn add(&mut self, id: DocId, doc: &Doc) {
        if self.rows.insert(doc.row) {
            self.order.push(id);
        }
    }
}

fn doc_of<'a>(docs: &'a Docs, id: &DocId) -> Result<&'a Doc, StoreError> {
    docs.get(id).ok_or(StoreError::UnknownDocument(*id))
}
