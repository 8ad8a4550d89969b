//! A database opened to be looked at: a stopped node's, a running one's, or a backup file. Nothing in it
//! is written, no lock is taken and its life goes on as it was.
//!
//! What the node itself would refuse to start with — a certificate that was altered, an actor that does
//! not follow from it — is noted here and left out, so that everything else can still be looked at.

use super::{
    Inner, Store,
    columns::{array, unsigned},
    error::StoreError,
    readers::Readers,
    world::{Link, LinkId, Me, World},
    writer::Shared,
};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, RwLock},
    time::Duration,
};
use tokio::sync::{broadcast, watch};
use yishi_protocol::{
    cert::{CertError, Certificate, Directory, Placement, Revocation},
    commit::ActorRecord,
    ids::{CertHash, Epoch, Incarnation, NodeKey, PlaceId},
    key::SecretKeys,
};

/// Connections: one reads documents, one the feeds, one answers what they ask in between.
const READERS: u32 = 3;
/// Page cache of one connection in KiB: everything is read once, in order.
const CACHE_KIB: i64 = 2_000;
/// How long a connection waits for the running node's lock.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// Rows handed over together.
const ROWS_HANDED_OVER: usize = 512;

/// Something among certificates, revocations, actors or the node's own values that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// The table.
    pub table: &'static str,
    /// Which row, in words.
    pub row: String,
    /// What is wrong.
    pub why: String,
}

/// A database opened to be looked at.
#[derive(Debug)]
pub struct Look {
    /// Reading works as ever; writing answers [`StoreError::Closed`].
    pub store: Store,
    /// What was left out.
    pub odd: Vec<Odd>,
    /// Certificates by row.
    pub certs: BTreeMap<i64, CertHash>,
    /// Actors by row.
    pub actors: BTreeMap<i64, ActorRecord>,
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .read_only(true)
        .busy_timeout(BUSY_WAIT)
        .row_buffer_size(ROWS_HANDED_OVER)
        .pragma("cache_size", format!("-{CACHE_KIB}"))
        .pragma("temp_store", "MEMORY")
        .pragma("query_only", "ON")
        .disable_statement_logging()
}

impl Look {
    /// Opens the database file at `path`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without one, [`StoreError::Newer`] if a newer program wrote it,
    /// [`StoreError::Damaged`] if it is no database of a node or its root certificate does not hold.
    pub async fn at(path: &Path) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(StoreError::Missing(path.to_owned()));
        }
        let mut conn = options(path).connect().await?;
        known_form(&mut conn).await?;
        let row = sqlx::query("PRAGMA quick_check(1)").fetch_one(&mut conn).await?;
        let found: String = row.try_get(0)?;
        if found != "ok" {
            return Err(StoreError::Damaged(found));
        }
        let mut odd = Vec::new();
        let (directory, certs) = directory(&mut conn, &mut odd).await?;
        let actors = actors(&mut conn, &directory, &certs, &mut odd).await?;
        let (world, epoch) = world(&mut conn, directory, &mut odd).await?;
        conn.close().await?;
        let readers = Readers::open(options(path), READERS, BUSY_WAIT).await?;
        let (written, _) = broadcast::channel(1);
        let store = Store(Arc::new(Inner {
            dir: path.parent().unwrap_or(path).to_owned(),
            readers,
            jobs: Mutex::new(None),
            writer: Mutex::new(None),
            shared: Shared {
                world: Arc::new(RwLock::new(Arc::new(world))),
                written,
                shown: broadcast::channel(1).0,
                lost: watch::channel(None).0,
                committed: Arc::default(),
            },
            epoch: Mutex::new(epoch),
            life_matches: false,
            late: super::late::Late::default(),
            serials: Mutex::default(),
        }));
        Ok(Self { store, odd, certs, actors })
    }
}

/// Whether this program knows the form of the tables.
async fn known_form(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let sql = "SELECT count(*) FROM sqlite_master WHERE name IN ('_sqlx_migrations', 'meta', 'commits')";
    let tables: i64 = sqlx::query(sql).fetch_one(&mut *conn).await?.try_get(0)?;
    if tables != 3 {
        return Err(StoreError::Damaged("it is not the database of a node".into()));
    }
    let row = sqlx::query("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut *conn).await?;
    let newest = super::open::newest_form();
    if row.try_get::<Option<i64>, _>(0)?.unwrap_or(0) > newest {
        return Err(StoreError::Newer);
    }
    Ok(())
}

async fn directory(
    conn: &mut SqliteConnection,
    odd: &mut Vec<Odd>,
) -> Result<(Directory, BTreeMap<i64, CertHash>), StoreError> {
    let mut certs = BTreeMap::new();
    let mut directory: Option<Directory> = None;
    // A later parent's certificates stand on placements, and those on earlier certificates.
    let mut adopted = Vec::new();
    let rows = sqlx::query("SELECT id, hash, bytes FROM certs ORDER BY id").fetch_all(&mut *conn).await?;
    for row in &rows {
        let id: i64 = row.try_get(0)?;
        let name = |c: Option<&Certificate>| c.map_or_else(|| id.to_string(), |c| format!("{id} {}", c.name));
        let mut note = |c: Option<&Certificate>, why: String| {
            odd.push(Odd { table: "certs", row: name(c), why });
        };
        let cert = match Certificate::decode(row.try_get(2)?) {
            Ok(cert) => cert,
            Err(why) => {
                note(None, why.to_string());
                continue;
            }
        };
        let hash = cert.hash();
        if row.try_get::<&[u8], _>(1)? != hash.0 {
            note(Some(&cert), "it is kept under another's hash".into());
        }
        let added = match &mut directory {
            None => Directory::new(cert.clone()).map(|d| directory = Some(d)),
            Some(directory) => directory.add(cert.clone()).map(drop),
        };
        match added {
            Ok(()) => {
                certs.insert(id, hash);
            }
            Err(why) if directory.is_none() => {
                return Err(StoreError::Damaged(format!("the root certificate does not hold: {why}")));
            }
            Err(CertError::NotFounder | CertError::UnknownIssuer) => adopted.push((id, cert)),
            Err(why) => note(Some(&cert), why.to_string()),
        }
    }
    let mut directory = directory.ok_or_else(|| StoreError::Damaged("no root certificate".into()))?;
    placements(conn, odd, &mut directory, &mut certs, adopted).await?;
    let rows = sqlx::query("SELECT id, hash, bytes FROM revocations ORDER BY id").fetch_all(conn).await?;
    for row in &rows {
        let bytes: &[u8] = row.try_get(2)?;
        let held = match Revocation::decode(bytes) {
            Ok(revocation) => directory.revoke(&revocation).map_err(|e| e.to_string()),
            Err(why) => Err(why.to_string()),
        };
        let named =
            row.try_get::<&[u8], _>(1)? == yishi_protocol::ids::hash("yishi/revocation-hash/1", &[bytes]);
        let why = match (held, named) {
            (Err(why), _) => why,
            (Ok(()), false) => "it is kept under another's hash".into(),
            (Ok(()), true) => continue,
        };
        odd.push(Odd { table: "revocations", row: row.try_get::<i64, _>(0)?.to_string(), why });
    }
    Ok((directory, certs))
}

/// Adds the placements, and the certificates that stand on them.
async fn placements(
    conn: &mut SqliteConnection,
    odd: &mut Vec<Odd>,
    directory: &mut Directory,
    certs: &mut BTreeMap<i64, CertHash>,
    mut adopted: Vec<(i64, Certificate)>,
) -> Result<(), StoreError> {
    let mut waiting = Vec::new();
    let rows = sqlx::query("SELECT id, hash, bytes FROM placements ORDER BY id").fetch_all(conn).await?;
    for row in &rows {
        let id: i64 = row.try_get(0)?;
        let mut note = |why: String| odd.push(Odd { table: "placements", row: id.to_string(), why });
        match Placement::decode(row.try_get(2)?) {
            Ok(placement) => {
                if row.try_get::<&[u8], _>(1)? != placement.hash().0 {
                    note("it is kept under another's hash".into());
                }
                waiting.push((id, placement));
            }
            Err(why) => note(why.to_string()),
        }
    }
    loop {
        let before = waiting.len() + adopted.len();
        waiting.retain(|(_, placement)| directory.place_at(placement).is_err());
        adopted.retain(|(id, cert)| match directory.add(cert.clone()) {
            Ok(_) => {
                certs.insert(*id, cert.hash());
                false
            }
            Err(_) => true,
        });
        if waiting.len() + adopted.len() == before {
            break;
        }
    }
    for (id, placement) in &waiting {
        if let Err(why) = directory.place_at(placement) {
            odd.push(Odd { table: "placements", row: id.to_string(), why: why.to_string() });
        }
    }
    for (id, cert) in adopted {
        let row = format!("{id} {}", cert.name);
        if let Err(why) = directory.add(cert) {
            odd.push(Odd { table: "certs", row, why: why.to_string() });
        }
    }
    Ok(())
}

async fn actors(
    conn: &mut SqliteConnection,
    directory: &Directory,
    certs: &BTreeMap<i64, CertHash>,
    odd: &mut Vec<Odd>,
) -> Result<BTreeMap<i64, ActorRecord>, StoreError> {
    let mut actors = BTreeMap::new();
    let rows =
        sqlx::query("SELECT id, actor, cert, incarnation FROM actors ORDER BY id").fetch_all(conn).await?;
    for row in &rows {
        let id: i64 = row.try_get(0)?;
        let incarnation = u32::try_from(row.try_get::<i64, _>(3)?).map(Incarnation);
        let cert = certs.get(&row.try_get::<i64, _>(2)?).and_then(|hash| Some((*hash, directory.get(hash)?)));
        let why = match (cert, incarnation) {
            (Some((hash, cert)), Ok(incarnation)) => {
                let actor = cert.actor(incarnation);
                if row.try_get::<&[u8], _>(1)? == actor.0 {
                    actors.insert(id, ActorRecord { actor, cert: hash, incarnation });
                    continue;
                }
                "it does not follow from its certificate and life"
            }
            (None, _) => "its certificate is not here",
            (_, Err(_)) => "its life is no number of one",
        };
        odd.push(Odd { table: "actors", row: id.to_string(), why: why.into() });
    }
    Ok(actors)
}

async fn world(
    conn: &mut SqliteConnection,
    directory: Directory,
    odd: &mut Vec<Odd>,
) -> Result<(World, Epoch), StoreError> {
    let mut values: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for row in sqlx::query("SELECT key, value FROM meta").fetch_all(&mut *conn).await? {
        values.insert(row.try_get(0)?, row.try_get(1)?);
    }
    fn value<const N: usize>(values: &BTreeMap<String, Vec<u8>>, key: &str) -> Result<[u8; N], StoreError> {
        let found = values.get(key).and_then(|v| v.as_slice().try_into().ok());
        found.ok_or_else(|| StoreError::Damaged(format!("{key} is missing")))
    }
    let cert = CertHash(value(&values, "cert")?);
    let incarnation = Incarnation(u32::from_be_bytes(value(&values, "incarnation")?));
    let keys = SecretKeys::from_bytes(&value(&values, "keys")?);
    let mut note = |row: &str, why: &str| odd.push(Odd { table: "meta", row: row.into(), why: why.into() });
    let (place, key, sealing) = match directory.get(&cert) {
        Some(cert) => (cert.place, cert.key, cert.sealing),
        None => {
            note("cert", "this node's own certificate is not here");
            (PlaceId([0; 16]), NodeKey([0; 32]), [0; 32])
        }
    };
    if key != keys.public() || sealing != keys.sealing_public() {
        note("keys", "the node's secret keys are not those its certificate names");
    }
    let actor = directory.get(&cert).map(|c| c.actor(incarnation));
    let actor = actor.unwrap_or_else(|| yishi_protocol::ids::ActorId::of(&keys.public(), incarnation));
    let mut links = Vec::new();
    let sql = "SELECT id, peer, up, address FROM links WHERE closed = 0 ORDER BY id";
    for row in sqlx::query(sql).fetch_all(&mut *conn).await? {
        links.push(Link {
            id: LinkId(row.try_get(0)?),
            peer: PlaceId(array(&row, 1)?),
            up: row.try_get(2)?,
            address: row.try_get(3)?,
        });
    }
    let epoch = Epoch(value(&values, "epoch")?);

    let charters = super::charters::load(conn, &directory, &place).await?;
    let me = Me { place, cert, keys, incarnation, actor };
    Ok((World { directory, me, links, charters }, epoch))
}

/// How much there is to look at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Documents.
    pub documents: u64,
    /// Changes in them.
    pub changes: u64,
    /// Rows of feeds.
    pub rows: u64,
}

impl Store {
    /// How much there is to look at.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn amount(&self) -> Result<Amount, StoreError> {
        let sql = "SELECT (SELECT count(*) FROM docs), (SELECT coalesce(max(id), 0) FROM commits),
                          (SELECT coalesce(sum(out_seq), 0) FROM links)";
        let row = sqlx::query(sql).fetch_one(self.readers()).await?;
        Ok(Amount { documents: unsigned(&row, 0)?, changes: unsigned(&row, 1)?, rows: unsigned(&row, 2)? })
    }
}
